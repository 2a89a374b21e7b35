//! Themes: markets that an operator wants limited together, although no relation joins them.

use surefoot_cold::directory::Entry;
use surefoot_hot::bounds::THEMES_MAX;
use surefoot_hot::ids::{ThemeId, Venue};

/// The themes that are declared, by name. A market is of the first one that it fits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Themes(Vec<Theme>);

/// A theme: a name and the patterns of its markets.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Theme {
    name: String,
    patterns: Vec<Pattern>,
}

/// Which markets are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Pattern {
    /// Where they are traded; `None` is anywhere.
    venue: Option<Venue>,
    /// What one of a market's names is: `*` stands for any letters, and capitals do not matter.
    name: String,
}

impl Themes {
    /// Adds a theme whose name comes behind those that are there.
    ///
    /// # Errors
    /// What is wrong with a pattern, or that there are too many themes.
    pub fn declare(&mut self, name: &str, patterns: &[String]) -> Result<(), String> {
        if self.0.len() == THEMES_MAX {
            return Err(format!("there are {THEMES_MAX} themes already, and that is the most"));
        }
        if patterns.is_empty() {
            return Err("it has no pattern, and so no market".into());
        }
        let patterns =
            patterns.iter().map(|text| Pattern::parse(text)).collect::<Result<_, _>>()?;
        self.0.push(Theme { name: name.to_owned(), patterns });
        Ok(())
    }

    /// The theme that a market is of; `None` where it is of none.
    pub fn of(&self, entry: &Entry) -> Option<ThemeId> {
        let at = self.0.iter().position(|theme| theme.patterns.iter().any(|is| is.fits(entry)))?;
        Some(ThemeId::new(u8::try_from(at).expect("THEMES_MAX fits")))
    }

    /// All of them in a line: `fed = kalshi:KXFED*, *fed*; …`.
    pub fn show(&self) -> String {
        let theme = |Theme { name, patterns }: &Theme| {
            let patterns: Vec<_> = patterns.iter().map(Pattern::show).collect();
            format!("{name} = {}", patterns.join(", "))
        };
        self.0.iter().map(theme).collect::<Vec<_>>().join("; ")
    }
}

impl Pattern {
    fn parse(text: &str) -> Result<Self, String> {
        let (venue, name) = match text.split_once(':') {
            None => (None, text),
            Some((word, name)) => {
                let venue = Venue::ALL.into_iter().find(|venue| venue.name() == word);
                let known = Venue::ALL.map(Venue::name).join(", ");
                let venue = venue.ok_or_else(|| format!("`{word}` is no venue: {known}"))?;
                (Some(venue), name)
            }
        };
        if name.chars().all(|letter| letter == '*') {
            return Err(format!("`{text}` names no market"));
        }
        Ok(Self { venue, name: name.to_lowercase() })
    }

    fn show(&self) -> String {
        self.venue.map_or_else(|| self.name.clone(), |at| format!("{}:{}", at.name(), self.name))
    }

    fn fits(&self, entry: &Entry) -> bool {
        let is_there = self.venue.is_none_or(|venue| venue == entry.def.venue);
        let fits = |name: &str| is_like(&name.to_lowercase(), &self.name);
        is_there && (entry.names.all().into_iter().any(fits) || fits(&entry.title))
    }
}

/// Whether a text is like a pattern in which `*` stands for any letters.
fn is_like(text: &str, pattern: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else { return text == pattern };
    let Some(mut text) = text.strip_prefix(head) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let tail = parts.pop().expect("a split has a part");
    for part in parts {
        let Some(at) = text.find(part) else { return false };
        text = &text[at + part.len()..];
    }
    text.ends_with(tail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_letters() {
        for (pattern, text, fits) in [
            ("kxfed", "kxfed", true),
            ("kxfed", "kxfed-26", false),
            ("kxfed*", "kxfed", true),
            ("kxfed*", "kxfed-26mar", true),
            ("kxfed*", "okxfed", false),
            ("*fed*", "will the fed cut?", true),
            ("fed*cut*march", "fed will cut in march", true),
            ("fed*cut*march", "fed will cut in march 27", false),
            ("a*a", "a", false),
            ("a*a*a", "aaa", true),
        ] {
            assert_eq!(is_like(text, pattern), fits, "{pattern} {text}");
        }
    }

    #[test]
    fn what_names_no_market_or_no_venue_is_refused() {
        for (pattern, why) in [
            ("", "names no market"),
            ("kalshi:*", "names no market"),
            ("kalsih:KXFED*", "`kalsih` is no venue: polymarket, kalshi"),
        ] {
            let mistake = Themes::default().declare("fed", &[pattern.to_owned()]).unwrap_err();
            assert!(mistake.contains(why), "{mistake}");
        }
        assert!(Themes::default().declare("fed", &[]).unwrap_err().contains("no pattern"));
        let mut themes = Themes::default();
        let one = ["a".to_owned()];
        (0..THEMES_MAX).for_each(|at| themes.declare(&at.to_string(), &one).unwrap());
        assert!(themes.declare("more", &one).unwrap_err().contains("the most"));
    }
}
