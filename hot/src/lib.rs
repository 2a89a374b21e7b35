//! What surefoot runs per event.
//!
//! The core is a pure function of state, time and event: nothing here reads a clock, opens a socket or a
//! file, takes a lock, uses a float or a random number, or allocates after start. What it must know comes in
//! as an argument; what it wants goes out through the outbox. See `ARCHITECTURE.md`.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::disallowed_types, clippy::disallowed_methods))]

pub mod amounts;
pub mod basket;
pub mod book;
pub mod bounds;
pub mod canary;
#[cfg(test)]
#[path = "../../tests/support/cases.rs"]
mod cases;
pub mod core;
pub mod event;
pub mod fees;
pub mod grid;
pub mod group;
pub mod hash;
pub mod id_set;
pub mod ids;
pub mod index;
pub mod intent;
pub mod journal;
pub mod ledger;
pub mod links;
pub mod market;
pub mod note;
pub mod order;
pub mod outbox;
pub mod pack;
pub mod per_id;
pub mod per_venue;
#[cfg(test)]
mod random;
pub mod report;
pub mod risk;
pub mod state;
pub mod stats;
pub mod strategy;
pub mod symbol;
pub mod units;
pub mod venue;
pub mod venue_mode;
pub mod venue_rules;
