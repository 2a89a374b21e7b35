//! An order as the tests' venue has it, and what the venue says of it.

use super::*;

#[derive(Clone, Copy)]
pub(super) struct AtVenue {
    pub order: Order,
    pub filled: Qty,
    pub over: bool,
}

impl AtVenue {
    /// The venue's answer to a question about it.
    pub fn status(&self) -> Report {
        let state = match (self.filled >= self.order.qty, self.over) {
            (true, _) => VenueState::Filled,
            (false, true) => VenueState::Cancelled,
            (false, false) => VenueState::Resting,
        };
        let order = OrderRef::Id(self.order.id);
        Report::Status(OrderStatus { order, state, filled: Some(self.filled) })
    }
}
