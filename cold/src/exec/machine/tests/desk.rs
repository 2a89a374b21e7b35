//! A venue of few words for the machine's tests, and a shell that does what a test tells it.

use crate::directory::Names;
use crate::halt::HaltEpoch;
use surefoot_hot::event::Event;
use surefoot_hot::ids::{Action, GroupId, MarketId, OrderId, OrderRef, Outcome, Venue};
use surefoot_hot::intent::Intent;
use surefoot_hot::market::MarketDef;
use surefoot_hot::order::{Amend, Cancel, Change, Order, Purpose, Tif};
use surefoot_hot::report::{OrderStatus, Reject, Report, Unsent, VenueState};
use surefoot_hot::risk::LimitRow;
use surefoot_hot::risk::gate::{View, check, check_amend};
use surefoot_hot::risk::{Approved, BestPrices, Context, Exposure, Limits, MarketCondition, Rate};
use surefoot_hot::units::{Nanos, Price, Qty, Usd};
use surefoot_hot::venue_mode::VenueMode;

use crate::exec::answer::{Amended, Cancelled, Placed};
use crate::exec::codec::{
    AfterAnswer, CannotEncode, Inquiry, Limited, ModeSaid, RequestKind, VenueCodec,
};
use crate::exec::http::{Answer, Request};
use crate::exec::machine::{Closing, ExecOptions, LaneRole, Machine, WriteResult};
use crate::exec::write_ahead::MemoryLog;
use crate::wirelog::{Record, VenueId};

/// When the clock of every test starts.
pub(super) const START: Nanos = Nanos::from_secs(1_795_000_000);

/// A venue that speaks in paths and statuses alone. An order is `/orders/N` under our number and `/orders/uuid-N` under its
/// own. 201 fills it, 202 lets it rest, 400 kills it, 425 says that the engine restarts, 409 that something keeps it from
/// taking orders, 410 that there is no such call any more, 429 is one too many, anything else says nothing. A change is made with
/// 200 and refused with 400; with 404 there is nothing to change.
#[derive(Debug, Default)]
pub(super) struct Desk {
    /// How often it was told that it is too fast.
    pub(super) limited: u32,
    /// There are no tokens for cancels in this market.
    pub(super) no_cancels_in: Option<MarketId>,
    /// There are too few tokens for an order that opens something.
    pub(super) no_tokens: bool,
}

fn uuid(order: OrderId) -> VenueId {
    VenueId::new(format!("uuid-{}", order.get()).as_bytes()).unwrap()
}

fn write(request: &mut Request, method: &str, path: &str) {
    request.begin(method, &[path.as_bytes()], "desk");
    request.finish();
}

impl VenueCodec for Desk {
    const VENUE: Venue = Venue::Kalshi;
    const ID_FIRST: bool = false;
    const ASKS_MODE: bool = true;

    fn follow(&mut self, _: MarketId, _: &Names) {}

    fn is_id(_: &VenueId) -> bool {
        true
    }
    fn admit(&mut self, _: Nanos, what: RequestKind<'_>) -> bool {
        !matches!(what, RequestKind::Cancel(cancel) if Some(cancel.market) == self.no_cancels_in)
    }
    fn is_short(&mut self, _: Nanos) -> bool {
        self.no_tokens
    }
    fn on_limited(&mut self, _: Nanos, _: Limited) {
        self.limited += 1;
    }
    fn place(
        &mut self,
        _: Nanos,
        order: &Approved<Order>,
        request: &mut Request,
    ) -> Result<VenueId, CannotEncode> {
        write(request, "POST", &format!("/orders/{}", order.id.get()));
        Ok(VenueId::NONE)
    }
    fn on_place(&mut self, order: &Order, _: VenueId, answer: &Answer<'_>) -> (Placed, VenueId) {
        let status = |state, filled| Placed::Status { state, filled: Some(filled) };
        match answer.status {
            201 => (status(VenueState::Filled, order.qty), uuid(order.id)),
            202 => (status(VenueState::Resting, Qty::ZERO), uuid(order.id)),
            400 => (Placed::Rejected(Reject::Killed), VenueId::NONE),
            425 | 409 => (Placed::Rejected(Reject::Mode), VenueId::NONE),
            410 => (Placed::Rejected(Reject::Gone), VenueId::NONE),
            429 => (Placed::Rejected(Reject::Rate), VenueId::NONE),
            _ => (Placed::Unknown, VenueId::NONE),
        }
    }
    fn amend(
        &mut self,
        _: Nanos,
        _: &Approved<Amend>,
        id: &VenueId,
        request: &mut Request,
    ) -> Result<(), CannotEncode> {
        let id = std::str::from_utf8(id.as_bytes()).unwrap();
        write(request, "POST", &format!("/orders/{id}/amend"));
        Ok(())
    }
    fn on_amend(&mut self, _: &Amend, _: &VenueId, answer: &Answer<'_>) -> Amended {
        let (state, filled) = (VenueState::Resting, Some(Qty::ZERO));
        match answer.status {
            200 => Amended::Done { state, filled },
            400 => Amended::Refused(Reject::Terms),
            404 => Amended::Gone,
            _ => Amended::Unknown,
        }
    }
    fn cancel(&mut self, _: Nanos, _: &Cancel, id: &VenueId, request: &mut Request) {
        let id = std::str::from_utf8(id.as_bytes()).unwrap();
        write(request, "DELETE", &format!("/orders/{id}"));
    }
    fn on_cancel(&mut self, cancel: &Cancel, _: &VenueId, answer: &Answer<'_>) -> Cancelled {
        match answer.status {
            200 => Cancelled::Gone { reduced_by: Some(cancel.qty) },
            404 => Cancelled::Refused,
            _ => Cancelled::Unknown,
        }
    }
    fn cancel_all(&mut self, _: Nanos, request: &mut Request) {
        write(request, "DELETE", "/orders");
    }
    fn on_cancel_all(&mut self, answer: &Answer<'_>) -> bool {
        answer.status == 204
    }
    fn ask(&mut self, _: Nanos, inquiry: &Inquiry, request: &mut Request) {
        write(request, "GET", &format!("/orders/{}", inquiry.query.order.get()));
    }
    fn on_ask(
        &mut self,
        inquiry: &mut Inquiry,
        answer: &Answer<'_>,
        reports: &mut Vec<Report>,
    ) -> AfterAnswer {
        match answer.status {
            200 => {
                inquiry.found = true;
                inquiry.id = uuid(inquiry.query.order);
                let (order, filled) = (OrderRef::Key(inquiry.id.key()), Some(Qty::ZERO));
                let state = VenueState::Resting;
                reports.push(Report::Status(OrderStatus { order, state, filled }));
                AfterAnswer::Done
            }
            404 => AfterAnswer::Done,
            _ => AfterAnswer::Retry,
        }
    }
    fn modes(&self, _: Option<MarketId>, answer: &Answer<'_>, said: &mut Vec<ModeSaid>) {
        let (lasts, until) = (None, Nanos::ZERO);
        let mode = |mode, is_status| ModeSaid { shard: Some(0), mode, lasts, until, is_status };
        match answer.status {
            425 => said.push(mode(VenueMode::Restarting, false)),
            200 => said.push(mode(VenueMode::Open, true)),
            _ => {}
        }
    }
    fn warm(&mut self, request: &mut Request) {
        write(request, "GET", "/time");
    }
    fn rehearse(&mut self, _: Nanos, request: &mut Request) -> Result<(), CannotEncode> {
        write(request, "POST", "/orders/0");
        Ok(())
    }
}

/// A machine with the parts around it that a test moves.
pub(super) struct Rig {
    pub(super) machine: Machine<Desk, MemoryLog>,
    pub(super) halt: HaltEpoch,
    pub(super) now: Nanos,
}

impl Rig {
    /// Two connections for orders, as in production, and one for chores; all open.
    pub(super) fn up() -> Self {
        Self::with(&[LaneRole::Orders, LaneRole::Orders, LaneRole::Chores])
    }

    /// These connections, all open; the core knows of it.
    pub(super) fn with(lanes: &[LaneRole]) -> Self {
        let halt = HaltEpoch::new(7);
        let options = ExecOptions {
            warm_every: Nanos::NEVER,
            mode_every: Nanos::NEVER,
            ..ExecOptions::default()
        };
        let machine =
            Machine::new(Desk::default(), MemoryLog::default(), halt.clone(), lanes, options);
        let mut rig = Self { machine, halt, now: START };
        for lane in 0..lanes.len() {
            rig.machine.on_lane_up(START, lane);
        }
        rig.machine.on_time(START);
        assert!(matches!(rig.machine.poll_report(), Some(Event::Link { up: true, .. })));
        assert!(rig.machine.poll_report().is_none());
        rig
    }

    pub(super) fn pass(&mut self, span: Nanos) {
        self.now = self.now.after(span);
        self.machine.on_time(self.now);
    }

    pub(super) fn intent(&mut self, intent: Intent) {
        self.machine.on_intent(self.now, intent);
    }

    /// An order that opens something, decided now under the halt epoch of the start.
    pub(super) fn place(&mut self, id: u64) {
        self.intent(Intent::Place(pass(order(id, Purpose::Leg, self.now))));
    }

    /// A sale of what has no partner.
    pub(super) fn unwind(&mut self, id: u64) {
        self.intent(Intent::Place(pass(order(id, Purpose::Unwind, self.now))));
    }

    /// A quote that the venue has on its book, under its own id.
    pub(super) fn rest(&mut self, id: u64) {
        let quote = Order { tif: Tif::Gtc, ..order(id, Purpose::Quote, self.now) };
        self.intent(Intent::Place(pass(quote)));
        let lane = self.write(WriteResult::All);
        self.answer(lane, 202, None);
        self.reports();
    }

    /// The quote is to be for 12 contracts at 57 cents, decided now under the halt epoch of the start.
    pub(super) fn amend(&mut self, id: u64) {
        let quote = Order { tif: Tif::Gtc, ..order(id, Purpose::Quote, self.now) };
        let price = Price::from_ticks(5_700).unwrap();
        let to = Change { price, qty: Qty::from_contracts(12), expires: None };
        let amend = Amend::new(&quote, &to, 7, self.now);
        let approved = with_view(quote.venue, |view| check_amend(view, to.on(&quote), amend));
        self.intent(Intent::Amend(approved.unwrap()));
    }

    /// Takes the next request and tells how writing it went. Returns its connection.
    pub(super) fn write(&mut self, result: WriteResult) -> usize {
        let lane = self.machine.poll_request(self.now).expect("a request").lane;
        self.machine.on_wrote(self.now, lane, result);
        lane
    }

    /// Takes the next request and writes all of it. Returns its text.
    pub(super) fn request(&mut self) -> String {
        let out = self.machine.poll_request(self.now).expect("a request");
        let (lane, text) = (out.lane, String::from_utf8(out.bytes.to_vec()).unwrap());
        self.machine.on_wrote(self.now, lane, WriteResult::All);
        text
    }

    /// The venue answers on `lane`, without a body, and keeps the connection.
    pub(super) fn answer(&mut self, lane: usize, status: u16, retry_after: Option<u32>) {
        let answer = Answer { status, retry_after, body: b"", keep: true };
        self.machine.on_answer(self.now, lane, &answer);
    }

    /// What was reported since; news of the order path left out.
    pub(super) fn reports(&mut self) -> Vec<Report> {
        let mut reports = Vec::new();
        while let Some(event) = self.machine.poll_report() {
            match event {
                Event::Report(report) => reports.push(report),
                Event::Link { .. } | Event::Way { .. } | Event::Mode { .. } => {}
                other => panic!("no report: {other:?}"),
            }
        }
        reports
    }

    pub(super) fn closings(&mut self) -> Vec<Closing> {
        std::iter::from_fn(|| self.machine.poll_close()).collect()
    }

    pub(super) fn records(&self) -> &[Record] {
        self.machine.log().records()
    }
}

pub(super) fn order_id(id: u64) -> OrderId {
    OrderId::new(id)
}

pub(super) fn order_ref(id: u64) -> OrderRef {
    OrderRef::Id(order_id(id))
}

pub(super) fn bound(id: u64) -> Report {
    Report::Bound { order: order_id(id), key: uuid(order_id(id)).key() }
}

pub(super) fn filled(id: u64) -> Report {
    let (state, filled) = (VenueState::Filled, Some(Qty::from_contracts(10)));
    Report::Status(OrderStatus { order: order_ref(id), state, filled })
}

pub(super) fn timed_out(id: u64) -> Report {
    Report::TimedOut { order: order_id(id) }
}

pub(super) fn unsent(id: u64, why: Unsent) -> Report {
    Report::Unsent { order: order_id(id), why }
}

pub(super) fn cancel(id: u64) -> Cancel {
    let (market, venue) = (MarketId::new(0), Venue::Kalshi);
    Cancel { order: order_id(id), key: None, market, venue, qty: Qty::from_contracts(10) }
}

/// Ten YES at 56 cents under halt epoch 7.
fn order(id: u64, purpose: Purpose, decided: Nanos) -> Order {
    Order {
        id: order_id(id),
        epoch: 7,
        decided,
        group: GroupId::new(0),
        market: MarketId::new(0),
        venue: Venue::Kalshi,
        outcome: Outcome::Yes,
        action: Action::Sell,
        price: Price::from_ticks(5_600).unwrap(),
        qty: Qty::from_contracts(10),
        tif: Tif::Ioc,
        expires: None,
        post_only: false,
        purpose,
    }
}

/// Through a gate that has nothing against it.
fn pass(order: Order) -> Approved<Order> {
    with_view(order.venue, |view| check(view, order)).unwrap()
}

fn with_view<T>(venue: Venue, asks: impl FnOnce(&View<'_>) -> T) -> T {
    let mut limits = Limits::unset();
    for row in LimitRow::ALL {
        limits.set(row, if row.larger_is_safer() { 0 } else { u64::from(u32::MAX) }, false);
    }
    let close = START.after(Nanos::from_secs(365 * 86_400));
    let def = MarketDef { close, ..MarketDef::bare(MarketId::new(0), venue) };
    // A price that any other is near enough to, as the limits are here.
    let half = Price::from_ticks(5_000);
    let best = BestPrices { bid: half, ask: half };
    let context = Context {
        market: MarketCondition { best, ..MarketCondition::default() },
        ..Context::funded(Usd::from_dollars(1_000_000), &limits)
    };
    asks(&View::clear(&limits, &Exposure::new(), &Rate::new(), &def, context))
}
