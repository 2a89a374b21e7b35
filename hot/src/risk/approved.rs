//! The proof that the gate let something pass.

use std::ops::Deref;

/// A value that passed the gate. Only the gate can make one, and only this type can be encoded and sent.
///
/// Outside of the risk module there is no way to one but [`check`](super::gate::check), [`check_leg`](super::gate::check_leg),
/// [`check_amend`](super::gate::check_amend) and, from an order that passed to the same one at a lower price,
/// [`passes_below`](super::gate::passes_below):
///
/// ```compile_fail,E0624
/// # use surefoot_hot::{order::Order, risk::Approved};
/// fn forge(order: Order) -> Approved<Order> {
///     Approved::new(order)
/// }
/// ```
///
/// ```compile_fail,E0423
/// # use surefoot_hot::{order::Order, risk::Approved};
/// fn forge(order: Order) -> Approved<Order> {
///     Approved(order)
/// }
/// ```
///
/// ```compile_fail,E0616
/// # use surefoot_hot::{order::Order, risk::Approved};
/// fn alter(mut approved: Approved<Order>, order: Order) -> Approved<Order> {
///     approved.0 = order;
///     approved
/// }
/// ```
///
/// ```compile_fail,E0594
/// # use surefoot_hot::{order::Order, risk::Approved, units::Qty};
/// fn alter(mut approved: Approved<Order>) -> Approved<Order> {
///     approved.qty = Qty::ZERO;
///     approved
/// }
/// ```
///
/// Reading one is all that is left:
///
/// ```
/// # use surefoot_hot::{order::Order, risk::Approved, units::Qty};
/// fn qty(approved: &Approved<Order>) -> Qty {
///     approved.qty
/// }
/// ```
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
