//! A market as its venue lists it, in the terms of neither: what the readers of the venues hand over.

use super::pattern::Pattern;
use super::range::Range;
use super::words::Dec;
use crate::facts::Fingerprint;

/// What a venue's market object says.
#[derive(Clone, Debug, Default)]
pub struct Listed {
    /// The name that the venue's market has for programs: shown, and never compared.
    pub name: String,
    /// What the venue calls the market: as a rule a question, at Kalshi without what tells it from others of its event.
    pub title: String,
    /// What YES, or the first outcome, stands for among the markets of its event.
    pub stands_for: String,
    /// The title of its event.
    pub event: String,
    /// Its rule text.
    pub rules: String,
    /// What its two outcomes are called, the one that is bought as YES first.
    pub outcomes: [String; 2],
    /// The venue's code or address of it, in small letters: a hint of its kind and day, never a proof.
    pub code: String,
    /// The range that its strike fields say; an error where they say one that is not understood.
    pub strike: Option<Result<Range, String>>,
    /// The line of a spread or total that a field says.
    pub line: Option<Dec>,
    /// Names and addresses of its sources outside the rule text.
    pub sources: Vec<String>,
    /// When trading closes or the question ends, in seconds: only the year is taken from it.
    pub closes: Option<i64>,
    /// When what is asked for begins (a game, a window of prices), in seconds.
    pub begins: Option<i64>,
    /// What the first outcome costs, where it is quoted.
    pub price: Option<Dec>,
    /// Sentences that this venue writes into its rules and that change nothing.
    pub forms: &'static [Pattern],
    /// The rule text, recognised again.
    pub fingerprint: Option<Fingerprint>,
}

/// Nouns that stand with a letter or a number where a name is still to come.
const COUNTED: [&str; 11] = [
    "person",
    "player",
    "team",
    "candidate",
    "option",
    "outcome",
    "individual",
    "company",
    "party",
    "movie",
    "country",
];

/// Whether a title only counts (`Person B`, `Will Candidate 12 win`), or says that a name will come.
pub fn is_placeholder(title: &str) -> bool {
    let lower = title.trim().to_lowercase();
    let is_count = |word: &str, next: &str| {
        COUNTED.contains(&word) && (next.len() == 1 || next.parse::<u16>().is_ok())
    };
    let words: Vec<&str> = lower.split([' ', '?']).filter(|word| !word.is_empty()).collect();
    words.windows(2).any(|pair| words.len() == 2 && is_count(pair[0], pair[1]))
        || words.windows(3).any(|three| three[0] == "will" && is_count(three[1], three[2]))
        || ["tbd", "tba", "to be announced", "to be determined"].contains(&lower.as_str())
        || lower.contains("placeholder")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_that_counts_or_says_that_a_name_will_come_is_a_placeholder() {
        for title in [
            "Person B",
            "team 12",
            "TBD",
            "To be announced",
            "Will Candidate C win?",
            "Placeholder 3",
        ] {
            assert!(is_placeholder(title), "{title}");
        }
        for title in
            ["Team Liquid", "Party for Freedom", "Will the party win?", "Country roads", "C"]
        {
            assert!(!is_placeholder(title), "{title}");
        }
    }
}
