//! The executors, one per venue: intents in; signed requests, the wire log and reports out.
//!
//! [`machine`] decides, and is a value without socket, thread, clock or ring. `shell.rs` is its way to the world: mio, TLS
//! lanes, rings, the halt epoch compared last. [`write_ahead`] is where orders are written down before they leave, [`codec`]
//! what it needs to know of a venue; each venue's part is in its folder of [`crate::venue`].

pub mod answer;
mod any;
pub mod codec;
pub mod http;
mod lane;
pub mod machine;
mod shell;
pub mod write_ahead;

pub use any::AnyExec;
pub use machine::{BEATS_MISSED_MAX, CORE_STILL_MAX, ExecFigures, ExecOptions, ExecStats};
pub use shell::{Exec, ExecWiring};
