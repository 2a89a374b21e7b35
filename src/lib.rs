//! surefoot: the program. Wires the core to its feeds, executors and files, and holds the worlds that can
//! replace the real one.
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod access;
pub mod bench;
pub mod catalogue;
pub mod cli;
pub mod config;
pub mod control;
pub mod engine;
pub mod exit;
pub mod notify;
pub mod report;
pub mod run;
pub mod session;
pub mod spin;
pub mod topology;
pub mod twin;
pub mod wiring;
