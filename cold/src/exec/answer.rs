//! What an answer to an order or a cancel proves. Only a definite refusal is a rejection; everything that leaves
//! the order's fate open is unknown, and unknown is not failed.

use surefoot_hot::ids::{OrderId, OrderRef};
use surefoot_hot::order::Cancel;
use surefoot_hot::report::{OrderStatus, Reject, Report, VenueState};
use surefoot_hot::units::Qty;

/// What the answer to an order proves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placed {
    /// The venue has it, or had it.
    Status {
        state: VenueState,
        /// How much is filled in all, where the answer says so.
        filled: Option<Qty>,
    },
    /// It is not on the book and never was.
    Rejected(Reject),
    /// The same order is known to the venue already: it exists, so ask what became of it.
    Exists,
    /// The answer proves nothing: the venue must be asked about the order.
    Unknown,
}

/// What the answer to a cancel proves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cancelled {
    /// It rests no more. How much was taken off, where the answer says so.
    Gone {
        /// Contracts no longer wanted.
        reduced_by: Option<Qty>,
    },
    /// Filled, gone, or never there: a fill may be on its way. Ask.
    Refused,
    /// Not now: too many requests, or a pause. The order stands; try again.
    NotNow(Reject),
    /// Proves nothing: ask, or cancel again.
    Unknown,
}

/// What the answer to a change of an order proves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Amended {
    /// The order has its new terms.
    Done {
        state: VenueState,
        /// How much is filled in all, where the answer says so.
        filled: Option<Qty>,
    },
    /// The order is what it was.
    Refused(Reject),
    /// It does not rest: filled, gone or never there. Ask.
    Gone,
    /// Proves nothing: ask.
    Unknown,
}

impl Placed {
    /// The report to the core, and whether the order must be asked about as well.
    pub const fn report(self, order: OrderId) -> (Report, bool) {
        match self {
            Self::Status { state, filled } => {
                let order = OrderRef::Id(order);
                (Report::Status(OrderStatus { order, state, filled }), filled.is_none())
            }
            Self::Rejected(why) => (Report::Rejected { order: OrderRef::Id(order), why }, false),
            Self::Exists | Self::Unknown => (Report::TimedOut { order }, true),
        }
    }
}

impl Cancelled {
    /// The report to the core; `None` where the executor has to try again.
    ///
    /// "Reduced by" becomes "filled": what the order was for, less what was taken off.
    pub fn report(self, cancel: &Cancel) -> Option<Report> {
        let order = OrderRef::Id(cancel.order);
        match self {
            Self::Gone { reduced_by } => {
                let filled = reduced_by.and_then(|off| cancel.qty.checked_sub(off));
                let state = VenueState::Cancelled;
                Some(Report::Status(OrderStatus { order, state, filled }))
            }
            Self::Refused => Some(Report::CancelRefused { order }),
            Self::Unknown => Some(Report::TimedOut { order: cancel.order }),
            Self::NotNow(_) => None,
        }
    }
}

/// Whether nothing of an order in this state rests, or ever will.
pub(crate) const fn is_over(state: VenueState) -> bool {
    match state {
        VenueState::Resting | VenueState::Delayed => false,
        VenueState::Filled | VenueState::Cancelled | VenueState::Expired => true,
    }
}

/// The state of an order that wanted `wanted` and has `filled`, once nothing more can come of it unless it rests.
pub(crate) fn state_of(filled: Qty, wanted: Qty, dust: Qty, rests: bool) -> VenueState {
    if filled + dust >= wanted {
        VenueState::Filled
    } else if rests {
        VenueState::Resting
    } else {
        VenueState::Cancelled
    }
}
