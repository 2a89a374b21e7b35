//! Polymarket: signing and encoding.
