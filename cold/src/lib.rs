//! What may wait: sockets, keys and files. It makes no trading decision.
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod directory;
pub mod secrets;
pub mod venue;
