//! Kalshi's twin without a socket: its rules, its money, and its streams.
#![allow(clippy::unwrap_used)]

mod life;
mod rig;
mod rules;
mod streams;
