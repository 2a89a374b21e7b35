//! Whether what a title says is what the rules say: whoever reads the title alone must not be told something else.

use super::date::{self, Day, Zone};
use super::figures::usual_grid;
use super::question::{Kind, Question, Value};
use super::range::{Range, Relation, ranges};
use super::text::Text;
use super::words::{Dec, Token, Unit};

/// Says `title` unclear where a number or a day of the titles is none of the question's.
pub fn check(text: &Text, question: &mut Question) {
    for part in [&text.title, &text.stands_for] {
        if let Some(why) = numbers(part, question).or_else(|| days(text, part, question)) {
            return question.unclear("title", why);
        }
    }
}

fn grid(question: &Question) -> Option<Dec> {
    match question.kind {
        Kind::Touch | Kind::PriceAt => Dec::parse("0.01"),
        Kind::Figure => match question.known("figure") {
            Some(Value::Text(figure)) => usual_grid(figure),
            _ => Dec::parse("0.1"),
        },
        Kind::RateLevel => Dec::parse("0.25"),
        Kind::Weather | Kind::Total => Some(Dec::ONE),
        _ => None,
    }
}

/// A level or bucket of a title that is not the strike.
fn numbers(part: &[Token], question: &Question) -> Option<String> {
    let grid = grid(question)?;
    let Some(Value::Range(strike)) = question.known("strike") else { return None };
    let counts = |unit: Unit| unit != Unit::Plain;
    let meant = |range: &Range| {
        counts(range.unit) || range.low.is_some_and(|end| end.at >= Dec::whole(2_101))
    };
    for range in ranges(part).iter().filter(|range| meant(range)) {
        let open = |range: &Range| (range.low.is_some(), range.high.is_some());
        let fits = !matches!(strike.stands_to(*range, Some(grid), None), Relation::Other(_));
        if open(range) == open(strike) && !fits {
            return Some(format!("{range}, and the rules {strike}"));
        }
    }
    let ends = [strike.low, strike.high].into_iter().flatten().map(|end| end.at);
    let near = |value: Dec| ends.clone().any(|end| (end.0 - value.0).abs() <= grid.0);
    let far = part.iter().find_map(|token| match token {
        Token::Num(value, unit) if counts(*unit) && !near(*value) => Some(*value),
        _ => None,
    })?;
    Some(format!("{far}, and the rules {strike}"))
}

/// A day of a title that is none of the question's.
fn days(text: &Text, part: &[Token], question: &Question) -> Option<String> {
    let mut own: Vec<Day> = Vec::new();
    for name in ["window", "moment", "date", "begins", "ends"] {
        match question.known(name) {
            Some(Value::Span(span)) => {
                let edges = [span.from, span.until].into_iter().flatten();
                own.extend(edges.flat_map(|edge| [Some(edge.day), edge.day.next()]).flatten());
            }
            Some(Value::Moment(at)) => own.push(date::shown(*at, Zone::Eastern).0),
            Some(Value::Day(day)) => own.push(*day),
            _ => {}
        }
    }
    if own.is_empty() {
        return None;
    }
    let same = |day: &Day| {
        own.iter().any(|own| {
            (own.month, own.day) == (day.month, day.day)
                && (own.year == day.year || day.year.is_none() || own.year.is_none())
        })
    };
    let other = text.days(part).into_iter().find(|day| !same(day))?;
    Some(format!("{other}, and the rules another day"))
}
