//! A market as its venue lists it, in the terms of neither: what the readers of the venues hand over.

use super::pattern::Pattern;
use super::range::Range;
use super::words::Dec;
use crate::facts::Fingerprint;

/// What a venue's market object says.
#[derive(Clone, Debug, Default)]
pub struct Listed {
    /// Its question.
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
