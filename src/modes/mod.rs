//! One file a mode: which venues, markets and money it hands to a run.

pub mod demo;
