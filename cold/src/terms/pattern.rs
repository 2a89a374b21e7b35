//! Sentence forms: which words a sentence may have, and where it may have a number, a day or a name.
//!
//! A form is written as its words. `(a|b c|)` is one of these, the last of them nothing; `{day}`, `{clock}`, `{month}`, `{year}`,
//! `{num}`, `{range}` and `{compare}` are read by their readers; `{name}` is one to ten words, none of them a number or a word
//! that can turn a meaning. A form fits a sentence as a whole or not at all.

use super::date::{clock_at, day_at, month_at, year, zone_at};
use super::range::{compare_at, range_at};
use super::words::{Dec, Token};

/// A name has at most so many words.
const NAME_WORDS_MAX: usize = 10;
/// A fit is given up after so many steps: a sentence that no form fits in that is not understood.
const STEPS_MAX: u32 = 20_000;

/// Words that can turn what a sentence means: a name has none of them.
pub const TURNING: &[&str] = &[
    "if",
    "unless",
    "except",
    "excluding",
    "not",
    "no",
    "never",
    "without",
    "only",
    "otherwise",
    "however",
    "but",
    "or",
    "either",
    "neither",
    "nor",
    "instead",
    "regardless",
    "provided",
    "until",
    "before",
    "after",
    "by",
    "resolve",
    "resolves",
    "resolved",
    "void",
    "canceled",
    "cancelled",
    "postponed",
    "tie",
    "draw",
    "revised",
    "revision",
    "yes",
    "average",
    "close",
    "open",
    "high",
    "low",
    "above",
    "below",
    "least",
    "most",
    "more",
    "less",
    "half",
    "quarter",
    "overtime",
    "preliminary",
    "between",
    "other",
    "during",
    "within",
    "while",
    "when",
    "since",
    "morning",
    "afternoon",
    "night",
    "daily",
    "weekly",
    "monthly",
    "annual",
    "core",
    "adjusted",
    "unadjusted",
    "futures",
    "perpetual",
    "perp",
    "twap",
    "median",
    "mean",
    "trimmed",
    "maximum",
    "minimum",
    "first",
    "last",
    "approximately",
    "roughly",
    "percent",
    "regulation",
    "extra",
];

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Word(&'static str),
    AnyOf(Vec<Vec<Part>>),
    Hole(&'static str),
}

/// A sentence form.
#[derive(Clone, Debug)]
pub struct Pattern(Vec<Part>);

impl Pattern {
    /// From how it is written.
    pub fn new(written: &'static str) -> Self {
        let mut rest = written;
        let parts = parse(&mut rest);
        assert!(rest.is_empty(), "`{written}` closes more than it opens");
        Self(parts)
    }

    /// Whether it fits the whole sentence.
    pub fn fits(&self, sentence: &[Token]) -> bool {
        let mut fit = Fit { text: sentence, steps: 0 };
        fit.sequence(&self.0, 0, &|_, at| at == sentence.len())
    }
}

fn parse(rest: &mut &'static str) -> Vec<Part> {
    let mut parts = Vec::new();
    loop {
        *rest = rest.trim_start_matches(' ');
        let text: &'static str = rest;
        match text.bytes().next() {
            None | Some(b'|' | b')') => return parts,
            Some(b'(') => {
                let mut ways = Vec::new();
                *rest = &text[1..];
                loop {
                    ways.push(parse(rest));
                    let ended = rest.starts_with(')');
                    assert!(ended || rest.starts_with('|'), "a group without its end");
                    *rest = &rest[1..];
                    if ended {
                        break;
                    }
                }
                parts.push(Part::AnyOf(ways));
            }
            Some(b'{') => {
                let end = text.find('}').expect("a hole without its end");
                parts.push(Part::Hole(&text[1..end]));
                *rest = &text[end + 1..];
            }
            Some(_) => {
                let end = text.find([' ', '(', ')', '|', '{']).unwrap_or(text.len());
                parts.push(Part::Word(&text[..end]));
                *rest = &text[end..];
            }
        }
    }
}

struct Fit<'a> {
    text: &'a [Token],
    steps: u32,
}

type Then<'t> = dyn Fn(&mut Fit<'_>, usize) -> bool + 't;

impl Fit<'_> {
    fn sequence(&mut self, parts: &[Part], at: usize, then: &Then<'_>) -> bool {
        self.steps += 1;
        if self.steps > STEPS_MAX {
            return false;
        }
        let Some((first, rest)) = parts.split_first() else { return then(self, at) };
        match first {
            Part::Word(word) => {
                self.text.get(at).is_some_and(|token| is_word(token, word))
                    && self.sequence(rest, at + 1, then)
            }
            Part::AnyOf(ways) => ways
                .iter()
                .any(|way| self.sequence(way, at, &|fit, end| fit.sequence(rest, end, then))),
            Part::Hole("name") => self.name(rest, at, then),
            Part::Hole(hole) => {
                read(hole, self.text, at).is_some_and(|end| self.sequence(rest, end, then))
            }
        }
    }

    fn name(&mut self, rest: &[Part], at: usize, then: &Then<'_>) -> bool {
        for end in at..(at + NAME_WORDS_MAX).min(self.text.len()) {
            let plain = self.text[end].word().is_some_and(|word| !TURNING.contains(&word));
            if !plain {
                return false;
            }
            if self.sequence(rest, end + 1, then) {
                return true;
            }
        }
        false
    }
}

/// Whether a token is this word of a form, which may be a number.
fn is_word(token: &Token, word: &str) -> bool {
    match token {
        Token::Word(own) => own == word,
        Token::Num(value, _) => {
            word.as_bytes()[0].is_ascii_digit() && Dec::parse(word) == Some(*value)
        }
    }
}

/// Reads what belongs into a hole; where the text goes on.
fn read(hole: &str, text: &[Token], at: usize) -> Option<usize> {
    match hole {
        "day" => day_at(text, at).map(|(_, end)| end),
        "clock" => clock_at(text, at).map(|(_, end)| end),
        "zone" => zone_at(text, at).map(|(_, _, end)| end),
        "month" => month_at(text, at).map(|(_, end)| end),
        "year" => year(text.get(at)?).map(|_| at + 1),
        "num" => text.get(at)?.number().map(|_| at + 1),
        "range" => range_at(text, at).map(|(_, end)| end),
        "compare" => compare_at(text, at).map(|(_, end)| end),
        _ => panic!("no reader for a hole called `{hole}`"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::words::{plain, tokens};
    use super::*;

    fn fits(written: &'static str, sentence: &str) -> bool {
        Pattern::new(written).fits(&tokens(&plain(sentence)))
    }

    #[test]
    fn a_form_fits_as_a_whole() {
        let form = "if {name} wins (the|) {name} game (originally|) scheduled for {day} (at {clock}|) then yes";
        assert!(fits(
            form,
            "If Seattle wins the Dallas vs Seattle pro football game originally scheduled for Aug 15, 2026, then Yes"
        ));
        assert!(fits(
            form,
            "If Seattle wins game one game scheduled for Aug 15 at 4 PM ET then yes"
        ));
        assert!(!fits(
            form,
            "If Seattle wins the Dallas game scheduled for Aug 15, then yes unless it rains"
        ));
        assert!(!fits(
            form,
            "If Seattle wins the Dallas game, not a friendly game scheduled for Aug 15, then yes"
        ));
        assert!(!fits(
            form,
            "If Seattle wins the first half of the Dallas game scheduled for Aug 15, then yes"
        ));
    }

    #[test]
    fn a_name_swallows_no_number() {
        assert!(fits("is {name}", "is Los Angeles"));
        assert!(!fits("is {name}", "is at least 4"));
        assert!(fits("is {range}", "is at least 4"));
        assert!(!fits("is {range}", "is at least 4 times"));
    }
}
