//! surefoot: the program. Wires the core to its feeds, executors and files, and holds the worlds that can
//! replace the real one.
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod bench;
pub mod cli;
pub mod config;
pub mod control;
pub mod exit;
pub mod notify;
pub mod run;
pub mod twin;
