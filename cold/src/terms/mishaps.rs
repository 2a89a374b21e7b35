//! What a market does where its question has no plain end: called off, put off, tied, not published.

use super::question::{Mishap, Question, Remedy};
use super::text::{Text, find, has};
use super::words::Token;

const EVENTS: &[(Mishap, &[&str])] = &[
    (
        Mishap::Cancelled,
        &[
            "canceled",
            "cancelled",
            "cancellation",
            "called off",
            "abandoned",
            "does not occur",
            "does not take place",
            "not played",
        ],
    ),
    (Mishap::Postponed, &["postponed", "delayed", "rescheduled", "suspended"]),
    (Mishap::Tied, &["tie", "ties", "tied", "draw", "drawn"]),
    (
        Mishap::Forfeited,
        &[
            "forfeit",
            "forfeits",
            "forfeiture",
            "walkover",
            "withdraws",
            "disqualified",
            "retires",
            "no contest",
        ],
    ),
    (
        Mishap::Unpublished,
        &[
            "not released",
            "not published",
            "no data",
            "unavailable",
            "not available",
            "not been released",
            "no statement",
            "not issued",
        ],
    ),
];

/// Reads every sentence that says what happens then.
pub fn read(text: &Text, question: &mut Question) {
    for sentence in &text.rules {
        let condition = has(sentence, "if")
            || has(sentence, "in the event")
            || has(sentence, "should")
            || has(sentence, "in case");
        let Some(remedy) = remedy(sentence).filter(|_| condition) else { continue };
        let events = EVENTS
            .iter()
            .filter(|(_, words)| words.iter().any(|words| has(before_remedy(sentence), words)));
        for (mishap, _) in events {
            // What waits for a new date says nothing about a game that is never played.
            let waits = matches!(remedy, Remedy::Waits | Remedy::WaitsDays(_));
            if waits != (*mishap == Mishap::Postponed) && waits {
                continue;
            }
            let told = match question.mishaps.get(mishap) {
                Some(Some(before)) if *before != remedy => worse(*before, remedy),
                Some(None) => None,
                _ => Some(remedy),
            };
            question.mishaps.insert(*mishap, told);
        }
    }
}

/// A sentence that waits and one that says what comes after the wait go together.
fn worse(one: Remedy, other: Remedy) -> Option<Remedy> {
    match (one, other) {
        (Remedy::Waits | Remedy::WaitsDays(_), Remedy::Fair) | (Remedy::Fair, _) => {
            Some(Remedy::Fair)
        }
        (waits @ (Remedy::Waits | Remedy::WaitsDays(_)), _) => Some(waits),
        _ => None,
    }
}

/// The part of a sentence that names the event, and not what is done then.
fn before_remedy(sentence: &[Token]) -> &[Token] {
    let at = [
        "will resolve",
        "resolves to",
        "will remain",
        "will settle",
        "shall resolve",
        "resolve to",
        "the market resolves",
        "remains open",
        "will stay open",
    ]
    .iter()
    .filter_map(|words| find(sentence, words))
    .min();
    let at = at.unwrap_or(sentence.len());
    if at < 3 { sentence } else { &sentence[..at] }
}

fn remedy(sentence: &[Token]) -> Option<Remedy> {
    let any = |words: &[&str]| words.iter().any(|words| has(sentence, words));
    if any(&[
        "fair price",
        "fair market",
        "fair value",
        "last traded price",
        "last fair",
        "last trade price",
        "last price",
        "sole discretion",
        "fair allocation",
    ]) {
        return Some(Remedy::Fair);
    }
    let half = sentence.iter().any(|token| matches!(token, Token::Num(value, super::words::Unit::Usd) if Some(*value) == super::words::Dec::parse("0.5")));
    if half || any(&["50-50", "50 50", "equally", "split evenly"]) {
        return Some(Remedy::Half);
    }
    if any(&["remain open", "remains open", "stay open", "will be extended", "stays open"]) {
        let days = [
            ("two days", 2),
            ("48 hours", 2),
            ("two weeks", 14),
            ("2 weeks", 14),
            ("14 days", 14),
            ("one week", 7),
            ("7 days", 7),
            ("2 days", 2),
            ("three days", 3),
            ("one day", 1),
        ];
        let days = days.iter().find(|(words, _)| has(sentence, words)).map(|(_, days)| *days);
        return Some(days.map_or(Remedy::Waits, Remedy::WaitsDays));
    }
    if any(&["resolve to no", "resolves to no", "resolve no", "resolves no", "resolve as no"]) {
        return Some(Remedy::No);
    }
    any(&["resolve to yes", "resolves to yes", "resolve yes", "resolve as yes"])
        .then_some(Remedy::Yes)
}
