//! What a market asks, field by field.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::date::Day;
use super::range::Range;
use super::window::Span;
use super::words::Dec;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Whether a price reaches a level within a window.
    Touch,
    /// What a price is at a moment.
    PriceAt,
    /// Whether a price ends a window higher than it began.
    UpDown,
    /// A figure that is published.
    Figure,
    /// What a central bank decides at a meeting.
    RateDecision,
    /// The rate in force after a meeting.
    RateLevel,
    /// How often a central bank moves its rate.
    RateCount,
    /// The weather of a day.
    Weather,
    /// Who wins an office or a nomination.
    Election,
    /// Who wins a game.
    Game,
    /// By how much a game is won.
    Spread,
    /// How many points a game has.
    Total,
    /// Who wins a competition.
    Champion,
    /// Who is given a prize.
    Award,
    /// A question of none of the kinds above: it is not read.
    Other,
}

impl Kind {
    /// What people call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Touch => "price reached in a window",
            Self::PriceAt => "price at a moment",
            Self::UpDown => "price up or down over a window",
            Self::Figure => "published figure",
            Self::RateDecision => "rate decision of a meeting",
            Self::RateLevel => "rate after a meeting",
            Self::RateCount => "number of rate moves",
            Self::Weather => "weather of a day",
            Self::Election => "election",
            Self::Game => "winner of a game",
            Self::Spread => "spread of a game",
            Self::Total => "total of a game",
            Self::Champion => "winner of a competition",
            Self::Award => "award",
            Self::Other => "a kind that is not read",
        }
    }

    /// What questions of this kind are about: two of different matters are different questions, whatever their words.
    pub const fn matter(self) -> &'static str {
        match self {
            Self::Touch | Self::PriceAt | Self::UpDown => "price of a coin",
            Self::Figure => "published figure",
            Self::RateDecision | Self::RateLevel | Self::RateCount => "rate of a central bank",
            Self::Weather => "weather",
            Self::Election => "election",
            Self::Game | Self::Spread | Self::Total | Self::Champion => "sport",
            Self::Award => "award",
            Self::Other => "",
        }
    }

    /// The fields without each of which, known and the same, nothing of this kind is certified.
    pub const fn material(self) -> &'static [&'static str] {
        match self {
            Self::Touch => &["asset", "strike", "window", "measure", "source"],
            Self::PriceAt => &["asset", "strike", "moment", "measure", "source"],
            Self::UpDown => &["asset", "begins", "ends", "comparator", "measure", "source"],
            Self::Figure => {
                &["country", "figure", "period", "basis", "strike", "source", "estimate"]
            }
            Self::RateDecision => &["bank", "meeting", "strike", "source"],
            Self::RateLevel => &["bank", "meeting", "strike", "source", "measure"],
            Self::RateCount => &["bank", "direction", "period", "strike", "source", "counting"],
            Self::Weather => &["place", "station", "date", "measure", "strike", "source"],
            Self::Election => {
                &["office", "place", "year", "stage", "winner", "source", "deciding event"]
            }
            Self::Game => {
                &["league", "participants", "date", "part", "overtime", "winner", "source"]
            }
            Self::Spread => &[
                "league",
                "participants",
                "date",
                "part",
                "overtime",
                "winner",
                "strike",
                "source",
            ],
            Self::Total => {
                &["league", "participants", "date", "part", "overtime", "strike", "source"]
            }
            Self::Champion => &["competition", "year", "winner"],
            Self::Award => &["award", "year", "winner"],
            Self::Other => &["kind"],
        }
    }
}

/// A field's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A word of ours for it.
    Text(String),
    /// A name as the text has it: another name may mean the same.
    Name(String),
    /// A person's name as the text has it: another surname is another person.
    Person(String),
    /// The two sides of a game. Whether each is known to us, by its league and code, stands in its own text (`nfl:sea`).
    Sides(BTreeSet<String>),
    /// Which values make it true.
    Range(Range),
    /// From when until when.
    Span(Span),
    /// A moment, in seconds since 1970.
    Moment(i64),
    /// A day; of a month its first.
    Day(Day),
    /// A whole number, such as a year or the number of a game.
    Number(i64),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) | Self::Name(text) | Self::Person(text) => f.write_str(text),
            Self::Sides(sides) => {
                f.write_str(&sides.iter().cloned().collect::<Vec<_>>().join(" and "))
            }
            Self::Range(range) => range.fmt(f),
            Self::Span(span) => span.fmt(f),
            Self::Moment(at) => {
                let (day, secs) = super::date::shown(*at, super::date::Zone::Utc);
                write!(f, "{day} {:02}:{:02}:{:02} UTC", secs / 3_600, secs / 60 % 60, secs % 60)
            }
            Self::Day(day) => day.fmt(f),
            Self::Number(number) => number.fmt(f),
        }
    }
}

/// A field: its value, or that the texts of one venue contradict each other. A field that no text says is not in the question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Field {
    /// All that is said of it agrees.
    Known(Value),
    /// It is said twice and differently, or in a way that is not understood.
    Unclear(String),
}

/// What happens beside the plain end of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mishap {
    /// It is called off, or never takes place.
    Cancelled,
    /// It is put off.
    Postponed,
    /// Neither side wins: a tie or a draw.
    Tied,
    /// A side does not appear.
    Forfeited,
    /// The figure is not published in time.
    Unpublished,
}

impl Mishap {
    /// What people call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cancelled => "cancelled",
            Self::Postponed => "postponed",
            Self::Tied => "tied",
            Self::Forfeited => "forfeited",
            Self::Unpublished => "not published",
        }
    }
}

/// What the market does then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// Each outcome pays half.
    Half,
    /// It resolves NO.
    No,
    /// It resolves YES.
    Yes,
    /// It waits until what is asked for has happened.
    Waits,
    /// It waits so many days, and then something else comes.
    WaitsDays(u16),
    /// It pays what the venue finds fair: nobody knows what.
    Fair,
}

impl Remedy {
    /// What people call it.
    pub fn name(self) -> String {
        match self {
            Self::Half => "each outcome pays half".into(),
            Self::No => "NO".into(),
            Self::Yes => "YES".into(),
            Self::Waits => "it waits".into(),
            Self::WaitsDays(days) => format!("it waits {days} days"),
            Self::Fair => "a price that the venue finds fair".into(),
        }
    }

    /// What one YES pays then, in ten-thousandths of a dollar, where that is known.
    pub const fn yes_pays(self) -> Option<u32> {
        match self {
            Self::Half => Some(5_000),
            Self::No => Some(0),
            Self::Yes => Some(10_000),
            Self::Waits | Self::WaitsDays(_) | Self::Fair => None,
        }
    }
}

/// What a market asks.
#[derive(Clone, Debug)]
pub struct Question {
    /// What kind of question it is.
    pub kind: Kind,
    /// Its fields by their names.
    pub fields: BTreeMap<&'static str, Field>,
    /// What happens beside the plain end; `None` where two sentences contradict each other.
    pub mishaps: BTreeMap<Mishap, Option<Remedy>>,
    /// On which grid the values lie, where the text says it.
    pub grid: Option<Dec>,
    /// Sentences whose meaning for the result was not read.
    pub unread: Vec<String>,
    /// Whether the market's YES can be told from its texts.
    pub negated: bool,
}

impl Question {
    /// One of this kind of which nothing is known yet.
    pub const fn new(kind: Kind) -> Self {
        Self {
            kind,
            fields: BTreeMap::new(),
            mishaps: BTreeMap::new(),
            grid: None,
            unread: Vec::new(),
            negated: false,
        }
    }

    /// Says a field: what was said before must be the same.
    pub fn say(&mut self, name: &'static str, value: Value) {
        let field = match self.fields.remove(name) {
            Some(Field::Known(before)) if before != value => {
                Field::Unclear(format!("{before}, and also {value}"))
            }
            Some(Field::Unclear(why)) => Field::Unclear(why),
            Some(Field::Known(_)) | None => Field::Known(value),
        };
        self.fields.insert(name, field);
    }

    /// Says a field where something was found.
    pub fn say_if(&mut self, name: &'static str, value: Option<Value>) {
        if let Some(value) = value {
            self.say(name, value);
        }
    }

    /// Says a field by one of our words.
    pub fn say_text(&mut self, name: &'static str, text: Option<&str>) {
        self.say_if(name, text.map(|text| Value::Text(text.to_owned())));
    }

    /// Says that a field cannot be told.
    pub fn unclear(&mut self, name: &'static str, why: String) {
        self.fields.insert(name, Field::Unclear(why));
    }

    /// A field's value, where it is known.
    pub fn known(&self, name: &str) -> Option<&Value> {
        match self.fields.get(name) {
            Some(Field::Known(value)) => Some(value),
            _ => None,
        }
    }
}
