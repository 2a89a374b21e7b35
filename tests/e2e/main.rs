//! The program as a person meets it: processes, signals, crashes and venues that go away. Everything is real but
//! the money; ports are the system's choice, directories are their own, and deadlines are generous.
//!
//! One binary, because the machine has two cores and each of these wants them: [`rig::alone`] lets one run at a
//! time.
#![allow(clippy::unwrap_used)]

mod control;
mod crash;
mod demo;
mod freeze;
mod loopback;
mod loss;
mod place;
#[path = "../support/recorded.rs"]
mod recorded;
mod release;
mod resume;
mod rig;
mod safety;
#[path = "../support/skip.rs"]
mod skip;
mod stall;
mod threads;
mod upgrade;
mod venues_ill;
