//! One road for what is seen: every figure of every agent has a name, a unit and a sentence in one table (`table`), and is
//! read by those alone.
//!
//! An agent on a hot thread publishes its numbers into [`Cells`] ten times a second; the core sends its counters through
//! `core_stats`. Whoever shows something, `status`, the report, the line or health, reads a [`Snapshot`] of all of them.
//!
//! Notes and figures go through one thread (`observer`) to any number of sinks (`sink`), each with a thread and a bounded
//! queue of its own: the store, the terminal, the log. A further sink is a further [`sink::Sink`].

mod counts;
pub mod log;
pub mod observer;
pub mod sink;
pub mod snapshot;
pub mod table;
mod text;
pub mod told;
mod turns;
mod values;

use serde_json::Value;
use surefoot_hot::per_venue::PerVenue;
use surefoot_hot::units::{Nanos, Usd};

pub use counts::{ObserverCounts, SinkCounts};
pub use snapshot::Snapshot;
use table::{
    CoreFigure, ExecFigure, FollowerFigure, JournalFigure, LinkFigure, ObserverFigure,
    OrderWayFigure, OutletFigure, RunFigure, SessionFigure, SinkFigure, ThreadFigure,
};
pub use turns::{RunFacts, Turns};
pub use values::{Cells, Values};

/// What a figure is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Things, as the name says; it only grows.
    Count,
    /// Things that there are now.
    Level,
    /// Microdollars.
    MicroUsd,
    /// Parts per million.
    Ppm,
    /// Nanoseconds.
    Nanos,
    /// Bytes; they only grow.
    Bytes,
    /// 1 where it is so, 0 where it is not.
    Flag,
    /// The number of a word, counted from 1; 0 where there is none.
    Word,
}

impl Unit {
    /// The unit in output.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::Level => "level",
            Self::MicroUsd => "microusd",
            Self::Ppm => "ppm",
            Self::Nanos => "ns",
            Self::Bytes => "bytes",
            Self::Flag => "flag",
            Self::Word => "word",
        }
    }
}

/// What a figure is called everywhere, its unit, and what it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Figure {
    /// `subject_action_unit`; the unit is left out where things are counted.
    pub name: &'static str,
    /// What it is counted in.
    pub unit: Unit,
    /// What it says, in a sentence.
    pub help: &'static str,
}

/// The figures of one kind of agent, numbered from zero.
pub trait Figures: Copy + 'static {
    /// What the figures are read from.
    type Agent;
    /// Every figure, in the order of the numbers.
    const ALL: &'static [(Self, Figure)];

    /// Its index in [`ALL`](Self::ALL).
    fn at(self) -> usize;
    /// Every figure's value, in the order of the numbers.
    fn read(agent: &Self::Agent, each: &mut dyn FnMut(usize, Reading));
}

/// The value of a figure: one, or one for each venue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// One value.
    One(i64),
    /// One for each venue.
    ByVenue(PerVenue<i64>),
}

impl Reading {
    /// The value, summed over the venues.
    pub fn sum(self) -> i64 {
        match self {
            Self::One(value) => value,
            Self::ByVenue(values) => values.values().sum(),
        }
    }

    fn json(self) -> Value {
        match self {
            Self::One(value) => value.into(),
            Self::ByVenue(values) => {
                let each = values.iter();
                Value::Object(
                    each.map(|(at, value)| (at.name().to_owned(), (*value).into())).collect(),
                )
            }
        }
    }
}

/// What a figure can be made from.
pub trait Number: Copy {
    /// The value in the figure's unit, at the end of the range where it does not fit.
    fn number(self) -> i64;
}

impl Number for u64 {
    fn number(self) -> i64 {
        i64::try_from(self).unwrap_or(i64::MAX)
    }
}

impl Number for u32 {
    fn number(self) -> i64 {
        self.into()
    }
}

impl Number for bool {
    fn number(self) -> i64 {
        self.into()
    }
}

impl Number for Usd {
    fn number(self) -> i64 {
        self.micros()
    }
}

impl Number for Nanos {
    fn number(self) -> i64 {
        self.get().number()
    }
}

impl<T: Number> From<T> for Reading {
    fn from(value: T) -> Self {
        Self::One(value.number())
    }
}

impl<T: Number> From<PerVenue<T>> for Reading {
    fn from(values: PerVenue<T>) -> Self {
        Self::ByVenue(values.map(|_, value| value.number()))
    }
}

/// Every figure there is: name, unit and sentence. `docs/figures.md` is made from it.
pub fn registry() -> Vec<Figure> {
    fn of<F: Figures>() -> impl Iterator<Item = Figure> {
        F::ALL.iter().map(|(_, figure)| *figure)
    }
    let exec = of::<ExecFigure>().chain(of::<OrderWayFigure>());
    let hot = of::<CoreFigure>().chain(exec).chain(of::<ThreadFigure>());
    let feed = of::<LinkFigure>().chain(of::<SessionFigure>()).chain(of::<OutletFigure>());
    let seen = of::<ObserverFigure>().chain(of::<SinkFigure>()).chain(of::<RunFigure>());
    let files = of::<JournalFigure>().chain(of::<FollowerFigure>());
    hot.chain(feed).chain(files).chain(seen).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use surefoot_hot::ids::Venue;
    use surefoot_hot::stats::Stats;

    use super::*;
    use crate::exec::ExecStats;

    /// That every field of an agent's struct is in its table, or named as words, is the compiler's to check: the struct is
    /// taken apart field by field.
    #[test]
    fn every_figure_has_a_name_of_its_own_and_says_what_it_is() {
        let mut seen = BTreeSet::new();
        for figure in registry() {
            assert!(seen.insert(figure.name), "{} is there twice", figure.name);
            let is_snake = |letter: char| letter.is_ascii_lowercase() || letter == '_';
            assert!(figure.name.chars().all(is_snake), "{}", figure.name);
            let words = figure.help.split_whitespace().count();
            assert!(words >= 4 && figure.help.ends_with('.'), "{}: {}", figure.name, figure.help);
            if let Unit::Ppm | Unit::MicroUsd | Unit::Nanos | Unit::Bytes = figure.unit {
                let end = figure.unit.name();
                assert!(figure.name.ends_with(end), "{} is in {end}", figure.name);
            }
        }
        assert!(seen.len() > 100, "{} figures", seen.len());
    }

    #[test]
    fn the_page_lists_every_figure() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/figures.md");
        let page = std::fs::read_to_string(path).unwrap();
        let (head, _) = page.split_once("| figure |").expect("the page has a table");
        let mut want = format!("{head}| figure | unit | what it says |\n| --- | --- | --- |\n");
        for Figure { name, unit, help } in registry() {
            want.push_str(&format!("| `{name}` | {} | {help} |\n", unit.name()));
        }
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(path, &want).unwrap();
            return;
        }
        assert_eq!(page, want, "UPDATE_GOLDEN=1 renews it");
    }

    #[test]
    fn what_an_agent_counts_is_read_by_name() {
        let cells = Cells::<ExecFigure>::default();
        let stats = ExecStats { sent: 7, unsent: [1, 0, 2, 0, 0, 0, 0, 0], ..ExecStats::default() };
        cells.publish(&stats);
        assert_eq!((cells.count(ExecFigure::Sent), cells.get(ExecFigure::Unsent)), (7, 3));
        assert_eq!(cells.values().json()["exec_orders_sent"], 7);
        let cash = PerVenue::from_fn(|venue| match venue {
            Venue::Polymarket => Usd::from_dollars(1),
            Venue::Kalshi => Usd::from_dollars(2),
        });
        let stats = Stats { cash, ..Stats::default() };
        let read = Values::<CoreFigure>::of(&stats);
        assert_eq!(read.json()["core_cash_held_microusd"]["kalshi"], 2_000_000);
        assert_eq!(read.usd(CoreFigure::Cash), Usd::from_dollars(3));
        assert_eq!(read.at(CoreFigure::Cash, Venue::Polymarket), 1_000_000);
    }
}
