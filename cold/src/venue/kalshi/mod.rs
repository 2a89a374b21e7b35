//! Kalshi: signing and encoding.
