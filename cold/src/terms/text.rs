//! A market's texts, taken apart once for all that read them.

use super::date::{self, Clock, Day};
use super::listed::Listed;
use super::range::says;
use super::words::{Token, plain, sentences, tokens};

/// Seconds in half a year: a day without a year lies no further from its market's end.
const HALF_YEAR_SECS: i64 = 183 * 86_400;

/// A market's texts as words.
#[derive(Clone, Debug)]
pub struct Text {
    /// The question, as the venue titles it.
    pub title: Vec<Token>,
    /// What its YES stands for.
    pub stands_for: Vec<Token>,
    /// The event's title.
    pub event: Vec<Token>,
    /// The sentences of the rules, as words.
    pub rules: Vec<Vec<Token>>,
    /// The same sentences, to be shown.
    pub shown: Vec<String>,
    /// The sentence that says when it resolves so.
    pub main: Vec<Token>,
    /// Question, event, what YES stands for and the first sentences: what is asked for.
    pub lead: Vec<Token>,
    /// Addresses that the rules name.
    pub addresses: Vec<String>,
    /// When its market ends: the year of a day that has none.
    pub closes: Option<i64>,
}

impl Text {
    /// Of a market.
    pub fn of(listed: &Listed) -> Self {
        let words = |text: &str| tokens(&plain(text));
        let (shown, addresses) = sentences(&plain(&listed.rules));
        let rules: Vec<Vec<Token>> = shown.iter().map(|sentence| tokens(sentence)).collect();
        let (title, stands_for, event) =
            (words(&listed.title), words(&listed.stands_for), words(&listed.event));
        let decides = |sentence: &&Vec<Token>| {
            let resolves =
                has(sentence, "resolve") || has(sentence, "resolves") || has(sentence, "settle");
            resolves
                && (has(sentence, "if") || has(sentence, "according") || has(sentence, "to the"))
        };
        let main = rules.iter().find(decides).or(rules.first()).cloned().unwrap_or_default();
        let mut lead = title.clone();
        for part in [&event, &stands_for, &main].into_iter().chain(rules.iter().take(2)) {
            lead.extend_from_slice(part);
        }
        Self {
            title,
            stands_for,
            event,
            rules,
            shown,
            main,
            lead,
            addresses,
            closes: listed.closes,
        }
    }

    /// Whether what is asked for has these words.
    pub fn asks(&self, words: &str) -> bool {
        has(&self.lead, words)
    }

    /// Whether it has one of these.
    pub fn asks_any(&self, any: &[&str]) -> bool {
        any.iter().any(|words| self.asks(words))
    }

    /// Whether any sentence of the rules, or the question, has one of these.
    pub fn says_any(&self, any: &[&str]) -> bool {
        any.iter().any(|words| {
            has(&self.title, words) || self.rules.iter().any(|sentence| has(sentence, words))
        })
    }

    /// A day with the year that it must have: its own, else the one in which it lies nearest to the end of its market.
    pub fn with_year(&self, day: Day) -> Day {
        let Some(closes) = self.closes.filter(|_| day.year.is_none()) else { return day };
        let year = Day::of(closes.div_euclid(86_400)).year.unwrap_or(1_970);
        let near = (year - 1..=year + 1).map(|year| day.or_year(Some(year))).find(|day| {
            day.number().is_some_and(|number| (number * 86_400 - closes).abs() < HALF_YEAR_SECS)
        });
        near.unwrap_or(day)
    }

    /// Every day that is said in `text`, with its year.
    pub fn days(&self, text: &[Token]) -> Vec<Day> {
        let mut out: Vec<Day> = Vec::new();
        each(text, date::day_at, |day| out.push(self.with_year(day)));
        out.dedup();
        out
    }

    /// The one day that is said in the first of these texts that says any; an error where it says several.
    pub fn one_day(&self, texts: &[&[Token]]) -> Option<Result<Day, String>> {
        let days = texts.iter().map(|text| self.days(text)).find(|days| !days.is_empty())?;
        let first = days[0];
        Some(if days.iter().all(|day| *day == first) {
            Ok(first)
        } else {
            Err(format!("{first} and {}", days[1]))
        })
    }
}

/// Every clock time with a zone, or before one that has it (`7:55PM-8:00PM ET`).
pub fn clocks(text: &[Token]) -> Vec<Clock> {
    let mut out = Vec::new();
    each(text, date::clock_at, |clock| out.push(clock));
    let mut after: Option<Clock> = None;
    for clock in out.iter_mut().rev() {
        match (clock.zone, after) {
            (None, Some(next)) => (clock.zone, clock.summer) = (next.zone, next.summer),
            _ => after = Some(*clock),
        }
    }
    out
}

/// Hands over everything that `read` finds.
pub fn each<T>(
    text: &[Token],
    read: impl Fn(&[Token], usize) -> Option<(T, usize)>,
    mut found: impl FnMut(T),
) {
    let mut at = 0;
    while at < text.len() {
        match read(text, at) {
            Some((value, end)) => {
                found(value);
                at = end.max(at + 1);
            }
            None => at += 1,
        }
    }
}

/// Whether a text has these words in a row.
pub fn has(text: &[Token], words: &str) -> bool {
    find(text, words).is_some()
}

/// Where a text has these words in a row first.
pub fn find(text: &[Token], words: &str) -> Option<usize> {
    (0..text.len()).find(|at| says(text, *at, words).is_some())
}

/// The words of a text, numbers left out.
pub fn join(text: &[Token]) -> String {
    let word = |token: &Token| match token {
        Token::Word(word) => word.clone(),
        Token::Num(value, _) => value.to_string(),
    };
    text.iter().map(word).collect::<Vec<_>>().join(" ")
}
