//! The proof that the gate let something pass.

use std::ops::Deref;

/// A value that passed the gate. Only the gate can make one, and only this type can be encoded and sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Approved<T>(T);

impl<T> Approved<T> {
    /// For the gate alone.
    pub(super) const fn new(value: T) -> Self {
        Self(value)
    }
}

impl<T> Deref for Approved<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}
