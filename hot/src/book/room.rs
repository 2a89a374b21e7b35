//! What a book has beside its row of the table, and the memory for both, made before there is such a book.

use super::checks::Checks;
use super::scale::Scale;
use super::{Ladder, StaleWhy};
use crate::grid::Grid;
use crate::ids::{MarketId, Venue};
use crate::links::LinkNumber;
use crate::market::MarketDef;
use crate::state::state_fields;
use crate::units::Nanos;

/// What of a [`Book`](super::Book) the usual change of a level does not read.
#[derive(Clone, Debug)]
pub(super) struct Rest {
    pub(super) checks: Checks,
    pub(super) scale: Scale,
    pub(super) terms: MarketDef,
    pub(super) epoch: u32,
    pub(super) venue_time: Nanos,
    /// The market link that its last snapshot came over; `None` before the first.
    pub(super) link: Option<LinkNumber>,
    /// Whether the market is subscribed to, so that the book may be expected to be whole.
    pub(super) followed: bool,
    /// How often it became stale for each reason, by the reason's number.
    pub(super) stales: [u16; StaleWhy::ALL.len()],
}

impl Rest {
    /// Of a book that is new.
    pub(super) fn new(terms: MarketDef) -> Self {
        Self {
            checks: Checks::NONE,
            scale: Scale::new(terms.grid),
            terms,
            epoch: 0,
            venue_time: Nanos::ZERO,
            link: None,
            followed: true,
            stales: [0; StaleWhy::ALL.len()],
        }
    }
}

/// Memory for one market's book, on its way to the core from a thread that may allocate.
#[derive(Debug)]
pub struct BookRoom {
    pub(super) ladders: [Ladder; 2],
    pub(super) rest: Box<Rest>,
}

impl BookRoom {
    /// For a market on this grid.
    pub fn new(grid: Grid) -> Self {
        let none = MarketDef { grid, ..MarketDef::bare(MarketId::new(0), Venue::ALL[0]) };
        let ladders = [(); 2].map(|()| Ladder::new(grid.slots(), 0));
        Self { ladders, rest: Box::new(Rest::new(none)) }
    }

    /// Of how many prices the grid was that it was made for.
    pub(super) const fn slots(&self) -> usize {
        self.ladders[0].slots()
    }

    /// Whether a book on this grid has room in it.
    pub(super) fn fits(&self, grid: Grid) -> bool {
        fits(&self.ladders, grid)
    }
}

/// Whether both sides of a book on this grid fit the memory of these ladders.
pub(super) fn fits(ladders: &[Ladder; 2], grid: Grid) -> bool {
    ladders.iter().all(|ladder| grid.slots() <= ladder.room())
}

state_fields! {
    Rest {
        terms: derived, scale: derived, checks: value, epoch: value, venue_time: value, link: value, followed: value, stales: value,
    }
}
