//! Thresholds and buckets: which values make a question true.

use std::fmt;

use super::words::{Dec, Token, Unit};

/// One end of a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// Where it is.
    pub at: Dec,
    /// Whether that value belongs to the range; `None` where the text does not say.
    pub inclusive: Option<bool>,
}

/// The values that make a question true: those between its ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// Its lower end; `None` where there is none.
    pub low: Option<End>,
    /// Its upper end; `None` where there is none.
    pub high: Option<End>,
    /// What its numbers count.
    pub unit: Unit,
}

/// How a threshold is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compare {
    /// Above, and not at.
    Above,
    /// At or above.
    AtLeast,
    /// Below, and not at.
    Below,
    /// At or below.
    AtMost,
    /// That value and no other.
    Exactly,
}

/// How two ranges stand to each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Relation {
    /// The same values.
    Same,
    /// Each value is in one of them.
    Complement,
    /// Which of the two it is hangs on something that the texts do not say.
    Unsaid(&'static str),
    /// Other values, and which field it is.
    Other(&'static str),
}

impl Range {
    /// The values that compare so with a threshold.
    pub fn of(compare: Compare, at: Dec, unit: Unit) -> Self {
        let end = |inclusive| Some(End { at, inclusive: Some(inclusive) });
        let (low, high) = match compare {
            Compare::Above => (end(false), None),
            Compare::AtLeast => (end(true), None),
            Compare::Below => (None, end(false)),
            Compare::AtMost => (None, end(true)),
            Compare::Exactly => (end(true), end(true)),
        };
        Self { low, high, unit }
    }

    /// The values between two bounds.
    pub const fn between(low: Dec, high: Dec, inclusive: Option<bool>, unit: Unit) -> Self {
        Self {
            low: Some(End { at: low, inclusive }),
            high: Some(End { at: high, inclusive }),
            unit,
        }
    }

    /// The same, where values lie on this grid alone: both ends belong to it.
    fn on_grid(self, grid: Option<Dec>) -> Self {
        let Some(Dec(grid)) = grid.filter(|grid| grid.0 > 0) else { return self };
        let low = self.low.map(|end| match end {
            End { at: Dec(at), inclusive: Some(inclusive) } => {
                let up = at.div_euclid(grid) + i128::from(at.rem_euclid(grid) != 0 || !inclusive);
                End { at: Dec(up * grid), inclusive: Some(true) }
            }
            end => end,
        });
        let high = self.high.map(|end| match end {
            End { at: Dec(at), inclusive: Some(inclusive) } => {
                let down = at.div_euclid(grid) - i128::from(at.rem_euclid(grid) == 0 && !inclusive);
                End { at: Dec(down * grid), inclusive: Some(true) }
            }
            end => end,
        });
        Self { low, high, unit: self.unit }
    }

    /// The threshold, where there is one alone.
    pub fn threshold(self) -> Option<Dec> {
        match (self.low, self.high) {
            (Some(end), None) | (None, Some(end)) => Some(end.at),
            (Some(low), Some(high)) if low.at == high.at => Some(low.at),
            _ => None,
        }
    }

    /// How it stands to another range, where values lie on a grid that both texts say, or (`usual`) on one that they do not say
    /// but the publisher is known to use.
    pub fn stands_to(self, other: Self, grid: Option<Dec>, usual: Option<Dec>) -> Relation {
        if !same_unit(self.unit, other.unit) {
            return Relation::Other("unit");
        }
        let exact = relation(self.on_grid(grid), other.on_grid(grid), grid);
        if matches!(exact, Relation::Same | Relation::Complement) || usual.is_none() {
            return exact;
        }
        match relation(self.on_grid(usual), other.on_grid(usual), usual) {
            Relation::Same | Relation::Complement => Relation::Unsaid("precision"),
            _ => exact,
        }
    }
}

/// Degrees of a scale that is not said are those that the other text says.
fn same_unit(one: Unit, other: Unit) -> bool {
    use Unit::{Celsius, Degrees, Fahrenheit, Percent, Plain, Usd};
    match (one, other) {
        (Usd, Percent | Celsius | Fahrenheit) | (Percent | Celsius | Fahrenheit, Usd) => false,
        (Celsius, Fahrenheit) | (Fahrenheit, Celsius) => false,
        (Percent, Celsius | Fahrenheit | Degrees) | (Celsius | Fahrenheit | Degrees, Percent) => {
            false
        }
        (Plain | Degrees | Usd | Percent | Celsius | Fahrenheit, _) => true,
    }
}

fn relation(one: Range, other: Range, grid: Option<Dec>) -> Relation {
    if one == (Range { unit: one.unit, ..other }) {
        let said = |end: Option<End>| end.is_none_or(|end| end.inclusive.is_some());
        let all_said = said(one.low) && said(one.high);
        return if all_said { Relation::Same } else { Relation::Unsaid("bucket edge") };
    }
    if one.low.is_some() != other.low.is_some() || one.high.is_some() != other.high.is_some() {
        return complement(one, other, grid);
    }
    let place =
        |one: Option<End>, other: Option<End>| one.map(|end| end.at) == other.map(|end| end.at);
    let (low, high) = (place(one.low, other.low), place(one.high, other.high));
    if low && high {
        let clash = |one: Option<End>, other: Option<End>| {
            matches!((one.and_then(|end| end.inclusive), other.and_then(|end| end.inclusive)),
                (Some(one), Some(other)) if one != other)
        };
        let bucket = one.low.is_some() && one.high.is_some();
        let field = if bucket { "bucket edge" } else { "comparator" };
        let clashes = clash(one.low, other.low) || clash(one.high, other.high);
        return if clashes { Relation::Other(field) } else { Relation::Unsaid(field) };
    }
    let bucket = |range: Range| range.low.is_some() && range.threshold().is_none();
    Relation::Other(if bucket(one) || bucket(other) { "bucket edge" } else { "strike" })
}

/// Ranges of other shapes: all above a threshold and all that is not, or two questions.
fn complement(one: Range, other: Range, grid: Option<Dec>) -> Relation {
    let (upper, lower) = match (one.low, one.high, other.low, other.high) {
        (Some(low), None, None, Some(high)) | (None, Some(high), Some(low), None) => (low, high),
        _ => return Relation::Other("bucket edge"),
    };
    let step = grid.map_or(0, |Dec(grid)| grid);
    match (upper.inclusive, lower.inclusive) {
        (Some(true), Some(false)) | (Some(false), Some(true)) if upper.at == lower.at => {
            Relation::Complement
        }
        (Some(true), Some(true)) if step > 0 && upper.at.0 - lower.at.0 == step => {
            Relation::Complement
        }
        _ if upper.at == lower.at => Relation::Other("comparator"),
        _ => Relation::Other("strike"),
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = |end: End, with: &'static str, without: &'static str| match end.inclusive {
            Some(true) => with,
            Some(false) => without,
            None => "~",
        };
        match (self.low, self.high) {
            (Some(low), Some(high)) if low.at == high.at => write!(f, "exactly {}", low.at),
            (Some(low), Some(high)) => {
                write!(
                    f,
                    "{}{} and {}{}",
                    sign(low, ">=", ">"),
                    low.at,
                    sign(high, "<=", "<"),
                    high.at
                )
            }
            (Some(low), None) => write!(f, "{}{}", sign(low, ">=", ">"), low.at),
            (None, Some(high)) => write!(f, "{}{}", sign(high, "<=", "<"), high.at),
            (None, None) => f.write_str("any value"),
        }
    }
}

/// Words of comparison before a number. Longer ones first: the first that fits is taken.
const BEFORE: &[(&str, Compare)] = &[
    ("greater than or equal to", Compare::AtLeast),
    ("equal to or greater than", Compare::AtLeast),
    ("equal to or higher than", Compare::AtLeast),
    ("higher than or equal to", Compare::AtLeast),
    ("more than or equal to", Compare::AtLeast),
    ("equal to or above", Compare::AtLeast),
    ("equal to or more than", Compare::AtLeast),
    ("above or equal to", Compare::AtLeast),
    ("at or above", Compare::AtLeast),
    ("at or over", Compare::AtLeast),
    ("at or higher than", Compare::AtLeast),
    ("at least", Compare::AtLeast),
    ("no less than", Compare::AtLeast),
    ("not less than", Compare::AtLeast),
    ("no lower than", Compare::AtLeast),
    ("no fewer than", Compare::AtLeast),
    ("not below", Compare::AtLeast),
    (">=", Compare::AtLeast),
    ("less than or equal to", Compare::AtMost),
    ("equal to or less than", Compare::AtMost),
    ("equal to or lower than", Compare::AtMost),
    ("lower than or equal to", Compare::AtMost),
    ("equal to or below", Compare::AtMost),
    ("below or equal to", Compare::AtMost),
    ("at or below", Compare::AtMost),
    ("at or under", Compare::AtMost),
    ("at or lower than", Compare::AtMost),
    ("at most", Compare::AtMost),
    ("no more than", Compare::AtMost),
    ("not more than", Compare::AtMost),
    ("no higher than", Compare::AtMost),
    ("no greater than", Compare::AtMost),
    ("not above", Compare::AtMost),
    ("<=", Compare::AtMost),
    ("strictly greater than", Compare::Above),
    ("strictly above", Compare::Above),
    ("strictly higher than", Compare::Above),
    ("greater than", Compare::Above),
    ("higher than", Compare::Above),
    ("more than", Compare::Above),
    ("above", Compare::Above),
    ("over", Compare::Above),
    ("exceeds", Compare::Above),
    ("exceed", Compare::Above),
    (">", Compare::Above),
    ("strictly less than", Compare::Below),
    ("strictly lower than", Compare::Below),
    ("strictly below", Compare::Below),
    ("less than", Compare::Below),
    ("fewer than", Compare::Below),
    ("lower than", Compare::Below),
    ("below", Compare::Below),
    ("under", Compare::Below),
    ("<", Compare::Below),
    ("exactly", Compare::Exactly),
    ("equal to", Compare::Exactly),
];

/// Words of comparison behind a number.
const BEHIND: &[(&str, Compare)] = &[
    ("or above", Compare::AtLeast),
    ("or higher", Compare::AtLeast),
    ("or more", Compare::AtLeast),
    ("or greater", Compare::AtLeast),
    ("or over", Compare::AtLeast),
    ("and above", Compare::AtLeast),
    ("and higher", Compare::AtLeast),
    ("+", Compare::AtLeast),
    ("or below", Compare::AtMost),
    ("or lower", Compare::AtMost),
    ("or less", Compare::AtMost),
    ("or fewer", Compare::AtMost),
    ("or under", Compare::AtMost),
    ("and below", Compare::AtMost),
];

/// Whether the text says these words at `at`; where it goes on.
pub fn says(text: &[Token], at: usize, words: &str) -> Option<usize> {
    let mut end = at;
    for word in words.split(' ') {
        if !text.get(end)?.is(word) {
            return None;
        }
        end += 1;
    }
    Some(end)
}

/// The comparison that the text says at `at`, and where it goes on.
pub fn compare_at(text: &[Token], at: usize) -> Option<(Compare, usize)> {
    BEFORE.iter().find_map(|(words, compare)| Some((*compare, says(text, at, words)?)))
}

/// The range that the text says at `at`, and where it goes on.
pub fn range_at(text: &[Token], at: usize) -> Option<(Range, usize)> {
    if let Some(from) = says(text, at, "between") {
        let (low, high, unit, end) = pair_at(text, from, &["and", "-", "to"])?;
        let inclusive = says(text, end, "inclusive");
        let exclusive = says(text, end, "exclusive");
        let said = inclusive.map(|_| true).or(exclusive.map(|_| false));
        return Some((
            Range::between(low, high, said, unit),
            inclusive.or(exclusive).unwrap_or(end),
        ));
    }
    if let Some((compare, from)) = compare_at(text, at) {
        let (value, unit) = text.get(from)?.number()?;
        return Some((Range::of(compare, value, unit), from + 1));
    }
    if let Some((low, high, unit, end)) = pair_at(text, at, &["-", "to"]) {
        return Some((Range::between(low, high, None, unit), end));
    }
    let (value, unit) = text.get(at)?.number()?;
    let (compare, end) =
        BEHIND.iter().find_map(|(words, compare)| Some((*compare, says(text, at + 1, words)?)))?;
    Some((Range::of(compare, value, unit), end))
}

/// Two numbers with one of these words between them.
fn pair_at(text: &[Token], at: usize, joins: &[&str]) -> Option<(Dec, Dec, Unit, usize)> {
    let (low, low_unit) = text.get(at)?.number()?;
    let joined = joins.iter().any(|word| text.get(at + 1).is_some_and(|token| token.is(word)));
    let (high, unit) = text.get(at + 2).filter(|_| joined)?.number()?;
    let unit = if unit == Unit::Plain { low_unit } else { unit };
    (low < high).then_some((low, high, unit, at + 3))
}

/// Every range that a text says, in order.
pub fn ranges(text: &[Token]) -> Vec<Range> {
    let (mut out, mut at) = (Vec::new(), 0);
    while at < text.len() {
        match range_at(text, at) {
            Some((range, end)) => {
                out.push(range);
                at = end;
            }
            None => at += 1,
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::words::{plain, tokens};
    use super::*;

    fn range(text: &str) -> Range {
        let found = ranges(&tokens(&plain(text)));
        assert_eq!(found.len(), 1, "{text}: {found:?}");
        found[0]
    }

    #[test]
    fn one_range_has_many_forms() {
        let hundred = Range::of(Compare::AtLeast, Dec::whole(100_000), Unit::Usd);
        for text in [
            "at least $100k",
            "$100,000 or above",
            "≥ $100,000.00",
            "equal to or greater than $100k",
            "$100,000+",
        ] {
            assert_eq!(range(text), hundred, "{text}");
        }
        let low = Range::of(Compare::Below, Dec::parse("-0.5").unwrap(), Unit::Percent);
        assert_eq!(range("less than -0.5%"), low);
        assert_eq!(range("below -0.5 percent"), low);
        let bucket = Range::between(Dec::whole(70), Dec::whole(71), None, Unit::Fahrenheit);
        assert_eq!(range("70-71°F"), bucket);
        assert_eq!(range("between 70 and 71 degrees fahrenheit"), bucket);
    }

    #[test]
    fn ranges_are_told_apart_by_what_differs() {
        let of = |text: &str| range(text);
        let stands = |one: &str, other: &str, grid: Option<&str>, usual: Option<&str>| {
            let dec = |text: Option<&str>| text.and_then(Dec::parse);
            of(one).stands_to(of(other), dec(grid), dec(usual))
        };
        let cent = Some("0.01");
        assert_eq!(stands("above $99,999.99", "at least $100k", cent, None), Relation::Same);
        assert_eq!(
            stands("above $99,999.99", "at least $100k", None, cent),
            Relation::Unsaid("precision")
        );
        assert_eq!(
            stands("above $100k", "at least $100k", None, cent),
            Relation::Other("comparator")
        );
        assert_eq!(stands("above 5", "above 6", None, None), Relation::Other("strike"));
        assert_eq!(stands("above 5", "at most 5", None, None), Relation::Complement);
        assert_eq!(stands("above 5", "below 5", None, None), Relation::Other("comparator"));
        assert_eq!(stands("greater than 69°", "70° or higher", Some("1"), None), Relation::Same);
        assert_eq!(stands("at least 70", "69 or below", Some("1"), None), Relation::Complement);
        assert_eq!(
            stands("between 70 and 71", "between 71 and 72", None, None),
            Relation::Other("bucket edge")
        );
        assert_eq!(
            stands("between 70 and 71", "70-71", None, None),
            Relation::Unsaid("bucket edge")
        );
        assert_eq!(
            stands("above 3.3%", "exactly 3.3%", Some("0.1"), None),
            Relation::Other("bucket edge")
        );
        assert_eq!(stands("above 70°F", "above 70°C", None, None), Relation::Other("unit"));
    }
}
