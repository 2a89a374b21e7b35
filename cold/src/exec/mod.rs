//! The executors.
