//! Fills on paper: what orders of ours would have got at a venue that has never heard of them, from its public data alone.
//!
//! Everything here is a value. [`venue::PaperVenue`] takes in public events and orders and gives reports; time is an argument, and
//! the same inputs give the same reports. Nothing here has a key, a socket, or the types that those are made from.
//!
//! An order reaches the book after the measured round trip. What it takes then stays gone, for us, until new orders come. What rests
//! stands behind everything that is shown at its price: trades serve the queue from the front, cancels shrink it in proportion, and
//! it fills when what was ahead is gone, or when somebody trades at a worse price. Three curves ([`curve::Curve`]) do so at once, for
//! the same orders; one of them drives the run. `docs/paper.md` has the formulas, and what no such model can know.

pub mod account;
pub mod book;
pub mod curve;
pub mod desk;
pub mod exec;
pub mod queue;
pub mod venue;

use surefoot_hot::event::Event;

/// Whether a paper venue must hear of an event.
pub const fn wants(event: &Event) -> bool {
    matches!(
        event,
        Event::SnapshotBegin { .. }
            | Event::SnapshotEnd { .. }
            | Event::Level(_)
            | Event::Trade { .. }
            | Event::Stale { .. }
            | Event::StaleAll { .. }
            | Event::GridChange { .. }
            | Event::Status { .. }
            | Event::Settled { .. }
            | Event::Market(_)
            | Event::FeeChange { .. }
    )
}
