//! The figures of one agent: as its thread publishes them ([`Cells`]), and as they were read at one moment ([`Values`]).

use std::marker::PhantomData;
use std::sync::atomic::{AtomicI64, Ordering};

use serde_json::{Map, Value};
use surefoot_hot::ids::Venue;
use surefoot_hot::units::Usd;

use super::{Figures, Reading};

/// The numbers of one agent, published by its thread and read by any other. One agent writes; a reader may see numbers of
/// two publications beside each other, never half a number.
#[derive(Debug)]
pub struct Cells<F> {
    values: Box<[AtomicI64]>,
    figures: PhantomData<F>,
}

impl<F: Figures> Default for Cells<F> {
    fn default() -> Self {
        let values = F::ALL.iter().map(|_| AtomicI64::new(0)).collect();
        Self { values, figures: PhantomData }
    }
}

impl<F: Figures> Cells<F> {
    /// Publishes what the agent counts. Allocates nothing and waits for nobody.
    pub fn publish(&self, agent: &F::Agent) {
        F::read(agent, &mut |at, reading| self.values[at].store(reading.sum(), Ordering::Relaxed));
    }

    /// One of the numbers, as it was last published.
    pub fn get(&self, figure: F) -> i64 {
        self.values[figure.at()].load(Ordering::Relaxed)
    }

    /// One of the numbers that only grow.
    pub fn count(&self, figure: F) -> u64 {
        u64::try_from(self.get(figure)).unwrap_or(0)
    }

    /// All of them as they were last published.
    pub fn values(&self) -> Values<F> {
        let read = |cell: &AtomicI64| Reading::One(cell.load(Ordering::Relaxed));
        Values { readings: self.values.iter().map(read).collect(), figures: PhantomData }
    }
}

/// The numbers of one agent as they were read at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Values<F> {
    readings: Box<[Reading]>,
    figures: PhantomData<F>,
}

impl<F: Figures> Default for Values<F> {
    /// Those of an agent that has counted nothing yet.
    fn default() -> Self {
        let readings = vec![Reading::One(0); F::ALL.len()].into();
        Self { readings, figures: PhantomData }
    }
}

impl<F: Figures> Values<F> {
    /// Reads an agent where it stands.
    pub fn of(agent: &F::Agent) -> Self {
        let mut values = Self::default();
        F::read(agent, &mut |at, reading| values.readings[at] = reading);
        values
    }

    /// A figure, summed over the venues where there is one for each.
    pub fn get(&self, figure: F) -> i64 {
        self.readings[figure.at()].sum()
    }

    /// A figure that is never below zero.
    pub fn count(&self, figure: F) -> u64 {
        u64::try_from(self.get(figure)).unwrap_or(0)
    }

    /// Whether a figure that says yes or no says yes; of one for each venue, whether any does.
    pub fn is(&self, figure: F) -> bool {
        self.get(figure) != 0
    }

    /// A figure in microdollars.
    pub fn usd(&self, figure: F) -> Usd {
        Usd::from_micros(self.get(figure))
    }

    /// A venue's part of a figure that there is for each.
    pub fn at(&self, figure: F, venue: Venue) -> i64 {
        match self.readings[figure.at()] {
            Reading::One(value) => value,
            Reading::ByVenue(values) => values[venue],
        }
    }

    /// How much a figure has grown over an earlier reading. One below it (a reading from before the agent first spoke)
    /// counts as not grown.
    pub fn grown(&self, figure: F, since: &Self) -> u64 {
        self.count(figure).saturating_sub(since.count(figure))
    }

    /// All of them by name.
    pub fn json(&self) -> Value {
        Value::Object(self.fields())
    }

    /// All of them by name, to be put beside others.
    pub fn fields(&self) -> Map<String, Value> {
        let rows = F::ALL.iter().zip(&self.readings);
        rows.map(|((_, known), reading)| (known.name.to_owned(), reading.json())).collect()
    }
}
