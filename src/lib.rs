//! surefoot: the program. Wires the core to its feeds, executors and files, and holds the worlds that can
//! replace the real one.
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod bench;
pub mod access;
pub mod catalogue;
pub mod cli;
pub mod config;
pub mod control;
pub mod exit;
pub mod notify;
pub mod run;
pub mod spin;
pub mod twin;
pub mod topology;
pub mod engine;
pub mod wiring;
