//! The executors and the feed against the twin.
