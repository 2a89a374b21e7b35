//! Feed and executors against scripted servers over TLS on loopback. Time is virtual; only the sockets are real.
#![allow(clippy::unwrap_used)]

mod bodies;
mod chores;
mod exec;
mod feed;
mod frames;
mod late;
mod resting;
mod support;
mod truth;
mod twin;
mod way;
