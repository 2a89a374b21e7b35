//! What the executor needs to know of a venue: how requests are written and answers read.

use surefoot_hot::ids::{Action, GroupId, MarketId, OrderId, Outcome, Venue};
use surefoot_hot::order::{Amend, Cancel, Order, Purpose, Query, Tif};
use surefoot_hot::report::Report;
use surefoot_hot::risk::Approved;
use surefoot_hot::units::{Nanos, Price, Qty};
use surefoot_hot::venue_mode::VenueMode;

use super::http::{Answer, Request};
use crate::directory::Names;
use crate::exec::answer::{Amended, Cancelled, Placed};
use crate::wirelog::VenueId;

/// The order cannot be written down in the venue's terms: our mistake, and nothing was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CannotEncode;

/// What a request is for, as far as its price in tokens goes.
#[derive(Clone, Copy, Debug)]
pub enum RequestKind<'a> {
    /// An order to be placed.
    Place(&'a Order),
    /// A change of an order in place.
    Amend(&'a Amend),
    /// A cancel of one order.
    Cancel(&'a Cancel),
    /// A cancel of everything.
    CancelAll,
    /// A question about one order.
    Ask(&'a Inquiry),
}

impl RequestKind<'_> {
    /// The market of an order or of a change of one, and whether the order only rests. A change can only be of one that rests.
    pub const fn order(&self) -> Option<(MarketId, bool)> {
        match self {
            Self::Place(order) => Some((order.market, order.post_only)),
            Self::Amend(amend) => Some((amend.market, true)),
            Self::Cancel(_) | Self::CancelAll | Self::Ask(_) => None,
        }
    }
}

/// Which kind of request the venue found too many of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limited {
    /// An order in this market, or a change of one.
    Order(MarketId),
    /// A cancel of one order in this market.
    Cancel(MarketId),
    /// A cancel of everything.
    CancelAll,
    /// A question, a heartbeat or a request that keeps a connection warm.
    Read,
}

/// Whether an order hedges or reduces what is held. It goes ahead of orders that open something, may use what those must
/// leave, and waits a moment where the way is closed: each refusal leaves contracts without a partner for longer.
pub const fn is_urgent(order: &Order) -> bool {
    !order.purpose.opens()
}

/// One order being asked about: its row first, then its fills, page by page.
#[derive(Clone, Debug)]
pub struct Inquiry {
    /// What the core wants to know.
    pub query: Query,
    /// The venue's id, where it is known.
    pub id: VenueId,
    /// How far it has come; the venue's own numbering, from 0.
    pub step: u8,
    /// Where the next page begins.
    pub cursor: String,
    /// Pages of the present listing that were read.
    pub pages: u8,
    /// Whether anything of the order was found.
    pub found: bool,
    /// Whether something was left unread: pages beyond the last, a row not understood, an id never learnt.
    /// Then nothing found does not mean that there is nothing.
    pub incomplete: bool,
    /// Only fills from this second on, where that narrows the search.
    pub after_secs: u64,
    /// Cancel it once its id is found.
    pub then_cancel: Option<Cancel>,
    pub(super) tries: u8,
}

impl Inquiry {
    /// From its beginning, at `now`.
    pub fn new(now: Nanos, query: Query, id: VenueId) -> Self {
        Self {
            query,
            id,
            step: 0,
            cursor: String::new(),
            pages: 0,
            found: false,
            incomplete: false,
            after_secs: not_before(now, query.order),
            then_cancel: None,
            tries: 0,
        }
    }

    /// Whether nothing of it was read yet, and nothing but the answer is wanted.
    pub(super) const fn is_untouched(&self) -> bool {
        self.step == 0 && self.pages == 0 && self.then_cancel.is_none()
    }
}

/// A second since 1970 before which an order was not made, as far as its id tells; zero where that is after `now`. What is asked
/// for too late looks as if it were not there, so a day is allowed for clocks that were wrong. That is ample: venues refuse a
/// signature whose time is some seconds off, so that an order which one has taken was made while our clock was right, and a clock
/// that was a day ahead when the run began takes twenty days to come right (it runs a twentieth slower meanwhile).
fn not_before(now: Nanos, order: OrderId) -> u64 {
    const CLOCKS_MAY_ERR: u64 = 24 * 60 * 60;
    let second = order.run_began().saturating_sub(CLOCKS_MAY_ERR);
    if second < now.get() / 1_000_000_000 { second } else { 0 }
}

/// What comes after an answer to an inquiry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterAnswer {
    /// Another request: [`VenueCodec::ask`] again.
    AskNext,
    /// All is said.
    Done,
    /// The answer was no answer: the same again, later.
    Retry,
}

/// What an answer says of what its venue takes at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ModeSaid {
    /// The shard that it speaks of; `None` where it is all of them.
    pub shard: Option<u8>,
    /// What is taken there.
    pub mode: VenueMode,
    /// For how long, where the answer says so.
    pub lasts: Option<Nanos>,
    /// When the venue expects to take everything again; zero where it has not said.
    pub until: Nanos,
    /// Whether it is the venue's own word on its state, and not the refusal of a request.
    pub is_status: bool,
}

/// What a heartbeat's answer means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeartbeatAnswer {
    /// The venue heard it.
    Heard,
    /// Again, at once.
    Again,
    /// It did not count.
    Missed,
}

/// Encodes, signs and understands for one account at one venue. Writes whole requests, without allocating for
/// orders and cancels; every `on_*` gets a whole answer.
pub trait VenueCodec: Send {
    /// The venue that it speaks to.
    const VENUE: Venue;
    /// Whether its id of an order is known before the order leaves.
    const ID_FIRST: bool;
    /// Whether what [`VenueCodec::warm`] writes asks what the venue takes at the moment.
    const ASKS_MODE: bool = false;

    /// Whether this can be the venue's id of an order: it goes into the path of a request. What another file or a strange
    /// answer has is none.
    fn is_id(id: &VenueId) -> bool;

    /// One more market may be traded, or one whose names changed. A market of another venue changes nothing.
    fn follow(&mut self, market: MarketId, names: &Names);

    /// Takes the tokens that a request costs, if they are there.
    fn admit(&mut self, now: Nanos, what: RequestKind<'_>) -> bool;
    /// Whether an order that opens something would find too few tokens now, in whatever market.
    fn is_short(&mut self, now: Nanos) -> bool;
    /// The venue said that we are too fast.
    fn on_limited(&mut self, now: Nanos, what: Limited);

    /// Writes an order. Only what the gate approved has this type. The venue's id, where it is known already.
    ///
    /// # Errors
    /// It cannot be encoded.
    fn place(
        &mut self,
        now: Nanos,
        order: &Approved<Order>,
        request: &mut Request,
    ) -> Result<VenueId, CannotEncode>;
    /// The venue's id of an order of an earlier run, worked out anew where it follows from the order.
    fn id_of(&self, order: &Order) -> Option<VenueId> {
        let _ = order;
        None
    }
    /// What the answer proves, and the venue's id where it names one.
    fn on_place(&mut self, order: &Order, id: VenueId, answer: &Answer<'_>) -> (Placed, VenueId);

    /// Writes a change of an order in place.
    ///
    /// # Errors
    /// It cannot be encoded; at a venue that changes no order in place ([`VenueRules::amends_in_place`]) always.
    ///
    /// [`VenueRules::amends_in_place`]: surefoot_hot::venue_rules::VenueRules::amends_in_place
    fn amend(
        &mut self,
        now: Nanos,
        amend: &Approved<Amend>,
        id: &VenueId,
        request: &mut Request,
    ) -> Result<(), CannotEncode> {
        let _ = (now, amend, id, request);
        Err(CannotEncode)
    }
    /// What the answer proves.
    fn on_amend(&mut self, amend: &Amend, id: &VenueId, answer: &Answer<'_>) -> Amended {
        let _ = (amend, id, answer);
        Amended::Unknown
    }

    /// Writes a cancel.
    fn cancel(&mut self, now: Nanos, cancel: &Cancel, id: &VenueId, request: &mut Request);
    /// What the answer proves.
    fn on_cancel(&mut self, cancel: &Cancel, id: &VenueId, answer: &Answer<'_>) -> Cancelled;

    /// Writes a cancel of everything.
    fn cancel_all(&mut self, now: Nanos, request: &mut Request);
    /// Whether the answer says that nothing rests any more. An empty 200 is what a broken proxy says.
    fn on_cancel_all(&mut self, answer: &Answer<'_>) -> bool;

    /// Writes the next request of an inquiry.
    fn ask(&mut self, now: Nanos, inquiry: &Inquiry, request: &mut Request);
    /// Reads its answer: reports go into `reports`, what is learnt into `inquiry`.
    fn on_ask(
        &mut self,
        inquiry: &mut Inquiry,
        answer: &Answer<'_>,
        reports: &mut Vec<Report>,
    ) -> AfterAnswer;

    /// The shard that a market is in; 0 where the venue has only one.
    fn shard_of(&self, market: MarketId) -> u8 {
        let _ = market;
        0
    }
    /// What a refusal, or the answer to [`VenueCodec::warm`], says of what the venue takes: goes into `said`. `about` is the market
    /// that the request was about.
    fn modes(&self, about: Option<MarketId>, answer: &Answer<'_>, said: &mut Vec<ModeSaid>);

    /// Writes something cheap that keeps a connection warm.
    fn warm(&mut self, request: &mut Request);

    /// How often the venue must hear from us lest it cancels everything; `None` where there is no such switch.
    fn beat_every(&self) -> Option<Nanos> {
        None
    }
    /// Writes a heartbeat.
    fn beat(&mut self, now: Nanos, request: &mut Request) {
        let _ = (now, request);
    }
    /// Reads its answer.
    fn on_beat(&mut self, answer: &Answer<'_>) -> HeartbeatAnswer {
        let _ = answer;
        HeartbeatAnswer::Missed
    }

    /// Orders that left with a signature made ahead, and orders signed as they went; `None` where none is made ahead.
    fn signatures(&self) -> Option<(u64, u64)> {
        None
    }

    /// Called in idle turns.
    fn on_idle(&mut self, now: Nanos) {
        let _ = now;
    }
    /// Writes the request of an invented order, over the very way that a real one takes, so that code, tables and
    /// buffers are in the caches when one comes. No venue would take it, and the caller throws it away.
    ///
    /// # Errors
    /// It cannot be encoded: nothing was rehearsed.
    fn rehearse(&mut self, now: Nanos, request: &mut Request) -> Result<(), CannotEncode>;
}

/// An order that was never decided: of epoch zero, which no halt epoch is, so that no socket takes it.
pub(crate) fn rehearsal_order(now: Nanos, venue: Venue) -> Order {
    Order {
        id: OrderId::new(0),
        epoch: 0,
        decided: now,
        group: GroupId::new(0),
        market: MarketId::new(0),
        venue,
        outcome: Outcome::Yes,
        action: Action::Buy,
        price: Price::from_ticks(5_000).expect("half a dollar"),
        qty: Qty::from_contracts(10),
        tif: Tif::Gtc,
        expires: None,
        post_only: false,
        purpose: Purpose::Leg,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_goes_back_to_the_day_before_the_run_that_gave_out_the_id() {
        let after = |order: OrderId, now: u64| {
            let query =
                Query { order, key: None, market: MarketId::new(0), venue: Venue::Polymarket };
            Inquiry::new(Nanos::from_secs(now), query, VenueId::NONE).after_secs
        };
        let (began, day) = (1_795_197_660, 86_400);
        let first = OrderId::first_at(began);
        assert_eq!(after(first, began + 5), began - day);
        let later = OrderId::new(first.get() + 1_000_000);
        assert_eq!(after(later, began + 100 * day), began - day, "ids of a run count up by one");
        assert_eq!(
            after(first, began - 2 * day),
            0,
            "a clock that was ahead when it began proves nothing"
        );
    }
}
