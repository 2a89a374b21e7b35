//! From when until when something must happen, as texts say it.

use std::fmt;

use super::date::{self, Clock, Day, Zone, moment};
use super::text::Text;
use super::words::Token;

const DAY_SECS: i64 = 86_400;

/// One end of a window: a day, and where it is said the time of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edge {
    /// The day that it belongs to: an end at midnight belongs to the day before.
    pub day: Day,
    /// The second of that day, 86,400 at its end; `None` where the text names the day alone.
    pub secs: Option<i64>,
    /// The zone, where one is said.
    pub zone: Option<Zone>,
    /// The second that it names, where all of it is said.
    pub moment: Option<i64>,
}

/// A window in which something must happen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// Its beginning, where one is said.
    pub from: Option<Edge>,
    /// Its end, where one is said.
    pub until: Option<Edge>,
}

impl Edge {
    fn begin(day: Day, clock: Option<Clock>) -> Self {
        let at = clock.and_then(|clock| moment(day, clock));
        Self {
            day,
            secs: clock.map(|clock| clock.secs),
            zone: clock.and_then(|clock| clock.zone),
            moment: at,
        }
    }

    /// The end of a window that `clock` of this day closes: one minute before midnight stands for midnight.
    fn end(day: Day, clock: Option<Clock>) -> Self {
        let Some(clock) = clock else { return Self { day, secs: None, zone: None, moment: None } };
        let whole = clock.secs >= DAY_SECS - 60;
        let clock = Clock { secs: if whole { DAY_SECS } else { clock.secs }, ..clock };
        let at = moment(day, Clock { secs: clock.secs.min(DAY_SECS - 1), ..clock })
            .map(|at| at + clock.secs - clock.secs.min(DAY_SECS - 1));
        if clock.secs == 0
            && let Some(number) = day.number()
        {
            let day = Day::of(number - 1);
            return Self { day, secs: Some(DAY_SECS), zone: clock.zone, moment: at };
        }
        Self { day, secs: Some(clock.secs), zone: clock.zone, moment: at }
    }

    /// The end of the day before.
    fn before(day: Day, clock: Option<Clock>) -> Self {
        match clock {
            Some(_) => Self::end(day, clock),
            None => match day.number() {
                Some(number) => Self::end(Day::of(number - 1), None),
                None => Self::end(day, None),
            },
        }
    }
}

impl fmt::Display for Edge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.day)?;
        if let Some(secs) = self.secs {
            write!(f, " {:02}:{:02}", secs / 3_600, secs / 60 % 60)?;
        }
        match self.zone {
            Some(zone) => write!(f, " {zone:?}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(from) = self.from {
            write!(f, "from {from} ")?;
        }
        match self.until {
            Some(until) => write!(f, "until {until}"),
            None => f.write_str("without an end"),
        }
    }
}

/// The clock time behind a day, or in front of it, or the zone alone.
fn clock_near(text: &[Token], from: usize, end: usize) -> (Option<Clock>, usize) {
    let skip = |at: usize| {
        at + usize::from(text.get(at).is_some_and(|token| token.is("at") || token.is("on")))
    };
    if let Some((clock, after)) = date::clock_at(text, skip(end)) {
        return (Some(clock), after);
    }
    if let Some((Some(zone), summer, after)) = date::zone_at(text, end) {
        return (Some(Clock { secs: DAY_SECS - 1, zone: Some(zone), summer }), after);
    }
    // `by 11:59 PM ET on December 31`
    for back in (from.saturating_sub(6)..from).rev() {
        if let Some((clock, after)) = date::clock_at(text, back)
            && (after == from || (after + 1 == from && text[after].is("on")))
        {
            return (Some(clock), end);
        }
    }
    (None, end)
}

/// Every window that a text says, in order.
pub fn spans(all: &Text, text: &[Token]) -> Vec<Span> {
    let mut out = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let found = span_at(all, text, at);
        at = found.map_or(at + 1, |(_, end)| end);
        out.extend(found.map(|(span, _)| span));
    }
    out
}

fn span_at(all: &Text, text: &[Token], at: usize) -> Option<(Span, usize)> {
    let word = text.get(at)?.word().unwrap_or_default();
    match word {
        "by" | "until" | "through" | "before" => deadline(all, text, at, word == "before"),
        "in" | "during" => period(all, text, at + 1),
        "between" | "from" => two_days(all, text, at + 1),
        "on" => {
            let (day, end) = date::day_at(text, at + 1)?;
            let day = all.with_year(day);
            let zone = date::zone_at(text, end);
            let clock = |secs| zone.map(|(zone, summer, _)| Clock { secs, zone, summer });
            let span = Span {
                from: Some(Edge::begin(day, clock(0))),
                until: Some(Edge::end(day, clock(DAY_SECS - 1))),
            };
            Some((Span { from: span.from.map(|from| Edge { secs: Some(0), ..from }), ..span }, end))
        }
        _ => two_days(all, text, at),
    }
}

fn deadline(all: &Text, text: &[Token], at: usize, before: bool) -> Option<(Span, usize)> {
    let mut from = at + 1;
    let end_of =
        ["the end of", "end of"].iter().find_map(|words| super::range::says(text, from, words));
    if let Some(next) = end_of {
        return period(all, text, next).map(|(span, end)| (Span { from: None, ..span }, end));
    }
    if let Some((_, after)) = date::clock_at(text, from) {
        from = after + usize::from(text.get(after).is_some_and(|token| token.is("on")));
    }
    if let Some((day, end)) = date::day_at(text, from) {
        let day = all.with_year(day);
        let (clock, end) = clock_near(text, from, end);
        let until = if before { Edge::before(day, clock) } else { Edge::end(day, clock) };
        return Some((Span { from: None, until: Some(until) }, end));
    }
    if !before {
        return None;
    }
    // `before 2027`, `before March 2027`
    let (day, end) = match date::month_at(text, from) {
        Some((month, end)) if month.year.is_some() => (month, end),
        _ => (Day::new(Some(date::year(text.get(from)?)?), 1, 1)?, from + 1),
    };
    Some((Span { from: None, until: Some(Edge::before(day, None)) }, end))
}

/// A month or a year as a whole.
fn period(all: &Text, text: &[Token], at: usize) -> Option<(Span, usize)> {
    let (first, last, end) = match date::month_at(text, at) {
        Some((month, end)) => {
            let month = all.with_year(month);
            (month, month.month_end(), end)
        }
        None => {
            let year = Some(date::year(text.get(at)?)?);
            (Day::new(year, 1, 1)?, Day::new(year, 12, 31)?, at + 1)
        }
    };
    let from = Edge { secs: Some(0), ..Edge::begin(first, None) };
    Some((Span { from: Some(from), until: Some(Edge::end(last, None)) }, end))
}

/// Two days with something like `and` between them.
fn two_days(all: &Text, text: &[Token], at: usize) -> Option<(Span, usize)> {
    let (first, end) = date::day_at(text, at)?;
    let (first_clock, end) = clock_near(text, at, end);
    let joined = ["and", "to", "through", "until", "-"]
        .iter()
        .any(|word| text.get(end).is_some_and(|token| token.is(word)));
    if !joined {
        return None;
    }
    let (last, last_at, end) = match date::day_at(text, end + 1) {
        Some((day, after)) => (day, end + 1, after),
        None => {
            // `September 21-27`, `September 21-27, 2026`
            let number = date::day_number(text.get(end + 1)?)?;
            let year = text.get(end + 2).and_then(date::year);
            let after = end + 2 + usize::from(year.is_some());
            (Day::new(year.or(first.year), first.month, number)?, end + 1, after)
        }
    };
    let last = all.with_year(last);
    let first = if first.year.is_none() { all.with_year(first.or_year(last.year)) } else { first };
    let (last_clock, end) = clock_near(text, last_at, end);
    let first_clock = first_clock
        .map(|clock| Clock { zone: clock.zone.or(last_clock.and_then(|last| last.zone)), ..clock });
    let from = Edge::begin(first, first_clock);
    let from = if from.secs == Some(DAY_SECS - 1) {
        Edge { secs: Some(0), moment: None, ..from }
    } else {
        from
    };
    Some((Span { from: Some(from), until: Some(Edge::end(last, last_clock)) }, end))
}
