//! The executors: intents in; signed requests, the wire log and reports out. One per venue, never blocking.
//!
//! An order goes: epoch, a free connection, breaker, tokens, encode and sign, wire log, [`Report::Bound`] where the id is
//! known, epoch again, socket. One that hedges or reduces goes first and waits up to a second for the way; one that opens
//! something waits for a busy connection alone. From its first byte on, only the venue's word ends it: a time-out, a
//! reset or an answer that says nothing is [`Report::TimedOut`], and its connection is closed.

mod chores;
pub mod codec;
pub mod http;
pub mod ids;
pub mod kalshi;
mod lane;
pub mod limit;
mod markets;
mod pace;
mod place;
pub mod polymarket;
mod watch;

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use crate::halt::HaltEpoch;
use mio::{Events, Poll, Token, Waker};
use rtrb::{Consumer, Producer};
use surefoot_hot::bounds::DATA_AGE_MAX;
use surefoot_hot::event::{Event, Link};
use surefoot_hot::hash::Hash64;
use surefoot_hot::ids::{OrderId, OrderRef};
use surefoot_hot::intent::Intent;
use surefoot_hot::order::{Cancel, Order, Query};
use surefoot_hot::report::{Reject, Report, Unsent};
use surefoot_hot::risk::Approved;
use surefoot_hot::units::Nanos;

use crate::feed::Outlet;
use crate::net::{Dialer, Meter, NetError, Stage};
use crate::venue::answer::{Cancelled, Placed, is_stranger};
use crate::wirelog::{Ended, Record, VenueId, WireLog};
use codec::{AfterAnswer, HeartbeatAnswer, Inquiry, Limited, VenueCodec};
use http::Request;
use ids::VenueIds;
use lane::{Lane, Leave, Received, WriteResult};
use limit::Breaker;
use pace::Pace;
use place::leave_by;
use watch::CoreWatch;

pub use kalshi::Kalshi;
pub use polymarket::Polymarket;
pub use watch::{BEATS_MISSED_MAX, CORE_STILL_MAX, ExecFigures};

/// Polymarket's executor.
pub type PolymarketExec<M> = Exec<Polymarket, M>;
/// Kalshi's executor.
pub type KalshiExec<M> = Exec<Kalshi, M>;

/// Orders waiting for a free connection: as many as may be live, so that they never keep a cancel in the ring.
const PLACES_MAX: usize = surefoot_hot::bounds::ORDERS_LIVE_MAX;
/// Cancels and questions waiting; more stay in the ring.
const CHORES_MAX: usize = 2_048;
/// Intents taken per turn.
const INTENTS_PER_TURN_MAX: usize = 256;
/// Attempts at one cancel or question before the core hears that nothing is known.
const TRIES_MAX: u8 = 5;
/// Heartbeats sent again at once because the venue names another id; then each counts as missed.
const BEATS_AGAIN_MAX: u32 = 3;
/// Between two attempts.
const RETRY_AFTER: Nanos = Nanos::from_millis(250);
/// How long one order that the venue turned away stays a trouble while no other is sent.
const TURNED_AWAY_FOR: Nanos = Nanos::from_secs(60);
/// How often a thread that sleeps looks whether an order that waits can go.
const HELD_LOOK_EVERY: Duration = Duration::from_millis(1);
const WAKE: Token = Token(usize::MAX);

/// How an executor behaves.
#[derive(Clone, Copy, Debug)]
pub struct ExecOptions {
    /// How long an order may go unanswered.
    pub order_wait_max: Nanos,
    /// How long anything else may.
    pub chore_wait_max: Nanos,
    /// How long an order may wait for a connection that is busy; then it was not sent.
    pub queue_wait_max: Nanos,
    /// How long an order that hedges or reduces may wait for a connection, the breaker, a pause or tokens.
    pub hold_max: Nanos,
    /// How long ago an order that opens something may have been decided when its bytes are handed to the kernel. The
    /// process may be stopped, or a write to a slow disk may take its time, after the gate has looked at the prices.
    pub open_age_max: Nanos,
    /// How long a connection may idle before something cheap is sent over it.
    pub warm_every: Nanos,
    /// Whether to keep the venue's dead man's switch armed.
    pub heartbeat: bool,
    /// How often an idle executor goes through an order's motions, so that the next real one finds its code and tables
    /// in the caches (`docs/decisions/0007-rehearsals.md`); [`Nanos::NEVER`] for threads that sleep when idle.
    pub rehearse_every: Nanos,
}

impl Default for ExecOptions {
    fn default() -> Self {
        Self {
            order_wait_max: Nanos::from_secs(2),
            chore_wait_max: Nanos::from_secs(5),
            queue_wait_max: Nanos::from_millis(100),
            hold_max: Nanos::from_secs(1),
            open_age_max: DATA_AGE_MAX,
            warm_every: Nanos::from_secs(15),
            heartbeat: false,
            rehearse_every: Nanos::from_millis(1),
        }
    }
}

/// What an executor has done so far: plain counters, never reset.
#[derive(Clone, Debug, Default)]
pub struct ExecStats {
    /// Orders whose bytes left.
    pub sent: u64,
    /// Orders taken by the venue.
    pub taken: u64,
    /// Orders it would not have.
    pub rejected: u64,
    /// Of those, refused for no reason of the market's: not killed, crossed or sent twice. Many in a row are a venue or an
    /// account that takes nothing.
    pub turned_away: u64,
    /// Orders without a definite answer.
    pub timed_out: u64,
    /// Orders not sent, by [`Unsent`].
    pub unsent: [u64; 7],
    /// Cancels written, repetitions included.
    pub cancels: u64,
    /// Questions written, pages and repetitions included.
    pub asked: u64,
    /// Questions given up.
    pub unanswered: u64,
    /// Heartbeats heard.
    pub beats: u64,
    /// Heartbeats that did not count: after two, orders may be gone.
    pub beats_missed: u64,
    /// Rehearsals: nothing of them ever left.
    pub rehearsed: u64,
    /// Connections that broke or were cut.
    pub broken: u64,
    /// Answers that were "too many requests".
    pub limited: u64,
    /// Records that the wire log did not take.
    pub unlogged: u64,
    /// Times the core was found standing still, and everything was cancelled for it.
    pub core_still: u64,
    /// Turns in which answers were left unread because the ring had no room.
    pub held: u64,
    /// Why a connection last broke.
    pub last_error: Option<String>,
}

/// What a connection is busy with.
enum Job {
    Place { order: Order, id: VenueId, at: Nanos, part: bool },
    Cancel { cancel: Cancel, id: VenueId, tries: u8 },
    CancelAll,
    Ask(Box<Inquiry>),
    Beat,
    Warm,
}

/// What waits for a connection.
enum Chore {
    Cancel { cancel: Cancel, tries: u8, not_before: Nanos },
    Ask { inquiry: Box<Inquiry>, not_before: Nanos },
}

struct Slot {
    lane: Lane,
    job: Option<Job>,
    by: Nanos,
    orders: bool,
}

/// Everything an executor is wired to.
#[derive(Debug)]
pub struct ExecWiring {
    /// From the core.
    pub core_exec: Consumer<Intent>,
    /// To the core.
    pub exec_core: Producer<Event>,
    /// The shared halt epoch.
    pub halt: HaltEpoch,
    /// This venue's wire log.
    pub log: WireLog,
    /// Connections for orders: two, say.
    pub order_lanes: Vec<Dialer>,
    /// Connections for cancels and questions: one, say.
    pub chore_lanes: Vec<Dialer>,
    /// Venue ids learnt elsewhere: from the private stream, or from the wire log at start.
    pub learnt: Option<Consumer<(OrderId, VenueId)>>,
}

/// One venue's executor.
pub struct Exec<W, M> {
    codec: W,
    options: ExecOptions,
    intents: Consumer<Intent>,
    learnt: Option<Consumer<(OrderId, VenueId)>>,
    out: Outlet,
    halt: HaltEpoch,
    log: WireLog,
    poll: Poll,
    events: Events,
    waker: Arc<Waker>,
    slots: Vec<Slot>,
    places: VecDeque<(Nanos, Approved<Order>)>,
    chores: VecDeque<Chore>,
    cancels: Pace,
    queries: Pace,
    cancel_all: Option<Nanos>,
    /// Cancels of everything in a row that the venue did not confirm.
    cancel_all_tries: u32,
    ids: VenueIds,
    /// Orders whose fate the wire log does not know yet.
    open: Vec<OrderId>,
    breaker: Breaker,
    /// No order before this: the venue said how long to wait.
    pause_until: Nanos,
    beat_at: Nanos,
    beating: bool,
    /// Heartbeats in a row that did not count.
    beats_missed: u32,
    /// Heartbeats in a row that were to be sent again at once.
    beats_again: u32,
    core: Option<CoreWatch>,
    /// Cancel everything once more then: an order that was on its way may have come to rest since.
    cancel_all_again: Option<Nanos>,
    /// Why the venue turned an order away without a look at it, and when.
    turned_away: Option<(Nanos, Reject)>,
    credentials_refused: bool,
    rehearse_at: Nanos,
    /// A connection for orders is open.
    up: bool,
    /// What the core was told last of the way for orders that open something.
    told_up: bool,
    request: Request,
    scratch: Box<[u8]>,
    reports: Vec<Report>,
    stats: ExecStats,
    meter: M,
}

impl<W: VenueCodec, M: Meter> Exec<W, M> {
    /// Wires an executor up; it dials in its first turn.
    ///
    /// # Errors
    /// The system has no room for another poll.
    pub fn new(
        codec: W,
        wiring: ExecWiring,
        options: ExecOptions,
        meter: M,
    ) -> Result<Self, NetError> {
        let fail = |doing| move |error| NetError::Io { doing, error };
        let poll = Poll::new().map_err(fail("making the executor's poll"))?;
        let waker = Waker::new(poll.registry(), WAKE).map_err(fail("making its waker"))?;
        let orders = wiring.order_lanes.into_iter().map(|dialer| (dialer, true));
        let chores = wiring.chore_lanes.into_iter().map(|dialer| (dialer, false));
        let slots = orders
            .chain(chores)
            .enumerate()
            .map(|(number, (dialer, orders))| Slot {
                lane: Lane::new(dialer, Token(number)),
                job: None,
                by: Nanos::NEVER,
                orders,
            })
            .collect();
        Ok(Self {
            codec,
            options,
            intents: wiring.core_exec,
            learnt: wiring.learnt,
            out: Outlet::new(wiring.exec_core),
            halt: wiring.halt,
            log: wiring.log,
            poll,
            events: Events::with_capacity(64),
            waker: Arc::new(waker),
            slots,
            places: VecDeque::with_capacity(PLACES_MAX),
            chores: VecDeque::with_capacity(CHORES_MAX + 64),
            cancels: Pace::new(),
            queries: Pace::new(),
            cancel_all: None,
            cancel_all_tries: 0,
            ids: VenueIds::new(),
            open: Vec::with_capacity(512),
            breaker: Breaker::default(),
            pause_until: Nanos::ZERO,
            beat_at: Nanos::ZERO,
            beating: false,
            beats_missed: 0,
            beats_again: 0,
            core: None,
            cancel_all_again: None,
            turned_away: None,
            credentials_refused: false,
            rehearse_at: Nanos::ZERO,
            up: false,
            told_up: false,
            request: Request::new(),
            scratch: vec![0; 16 << 10].into_boxed_slice(),
            reports: Vec::with_capacity(256),
            stats: ExecStats::default(),
            meter,
        })
    }

    /// Takes in what the wire log of an earlier run says: the ids of its orders, and those to be asked about; and
    /// `live`, the orders of earlier runs whose end the journal does not hold. Where the wire log does not know one of
    /// those (a power cut took it, or the file was moved aside), its id is worked out anew, so that the venue can be asked.
    pub fn remember<'a>(
        &mut self,
        contents: &crate::wirelog::Contents,
        live: impl IntoIterator<Item = &'a Order>,
    ) {
        for (order, id) in contents.venue_ids() {
            self.learn(order, id);
        }
        self.open.extend(contents.without_end().iter().map(|sent| sent.order));
        for order in live.into_iter().filter(|order| order.venue == W::VENUE) {
            if self.ids.find(order.id).is_none()
                && let Some(id) = self.codec.id_of(order)
            {
                self.ids.learn(order.id, id);
            }
        }
    }

    /// Tells it the venue's id of an order.
    pub fn learn(&mut self, order: OrderId, id: VenueId) {
        if W::is_id(&id) {
            self.ids.learn(order, id);
        }
    }

    /// What it has done so far.
    pub fn stats(&self) -> &ExecStats {
        &self.stats
    }

    /// Watches the core by its count of turns: where that stands still, nobody else would cancel what rests. For threads
    /// that are not the core's own.
    pub fn watch_core(&mut self, turns: Arc<AtomicU64>) {
        self.core = Some(CoreWatch::new(turns));
    }

    /// What health is judged by.
    pub fn figures(&self, now: Nanos) -> ExecFigures {
        let breaker_open = self.breaker.is_open(now);
        let fresh = |at: Nanos| breaker_open || now.since(at) < TURNED_AWAY_FOR;
        ExecFigures {
            connected: self.up,
            breaker_open,
            turned_away: self.turned_away.filter(|(at, _)| fresh(*at)).map(|(_, why)| why),
            credentials_refused: self.credentials_refused,
            beats_missed: self.beats_missed,
            core_still: self.is_core_still(),
            cancelling_all: self.cancel_all_tries > 0,
            unlogged: self.stats.unlogged,
        }
    }

    fn is_core_still(&self) -> bool {
        self.core.as_ref().is_some_and(CoreWatch::is_still)
    }

    /// The ring's side of it.
    pub fn outlet(&self) -> &Outlet {
        &self.out
    }

    /// The venue's words, for reading their counters.
    pub fn codec(&self) -> &W {
        &self.codec
    }

    /// The meter, for reading.
    pub fn meter(&mut self) -> &mut M {
        &mut self.meter
    }

    /// Times the breaker opened.
    pub fn breaker_opened(&self) -> u64 {
        self.breaker.opened()
    }

    /// Connections made so far, and how many of them failed.
    pub fn dials(&self) -> (u64, u64) {
        let count = |of: fn(&Dialer) -> u64| self.slots.iter().map(|s| of(s.lane.dialer())).sum();
        (count(Dialer::dials), count(Dialer::failures))
    }

    /// Connections for orders that are open now.
    pub fn open_lanes(&self) -> usize {
        self.slots.iter().filter(|slot| slot.orders && slot.lane.is_open()).count()
    }

    /// Whether nothing waits and nothing is in flight.
    pub fn is_idle(&self) -> bool {
        self.places.is_empty()
            && self.chores.is_empty()
            && self.cancel_all.is_none()
            && self.intents.is_empty()
            && !self.out.is_waiting()
            && self.slots.iter().all(|slot| matches!(slot.job, None | Some(Job::Warm | Job::Beat)))
    }

    /// Ends a [`Exec::park`] from another thread.
    pub fn waker(&self) -> Arc<Waker> {
        Arc::clone(&self.waker)
    }

    /// One turn. New orders go first; then whatever came in. Returns the work done; zero is idle.
    pub fn turn(&mut self, now: Nanos) -> u32 {
        let mut work = self.out.flush();
        self.watch(now);
        work += self.take_intents(now);
        work += self.send_orders(now);
        self.gather(Some(Duration::ZERO));
        work += self.drive(now);
        work += self.read(now);
        self.expire(now);
        work += self.send_chores(now);
        if work == 0 {
            self.codec.on_idle(now);
            self.log.make_room(now);
            self.rehearse(now);
        }
        work
    }

    /// A core that stands still cancels nothing and hedges nothing. What it decided must not leave any more, what rests
    /// goes, and the venue's dead man's switch is let go of as well.
    fn watch(&mut self, now: Nanos) {
        if self.core.as_mut().is_some_and(|core| core.look(now)) {
            self.halt.advance();
            self.stats.core_still += 1;
            self.cancel_all = Some(now);
            self.cancel_all_again = Some(now.after(self.options.order_wait_max));
        }
        if self.cancel_all_again.is_some_and(|at| now >= at) {
            self.cancel_all_again = None;
            self.cancel_all = Some(now);
        }
    }

    /// Everything on an order's way that has no effect outside; what it wrote is gone before anything else is written.
    fn rehearse(&mut self, now: Nanos) {
        if now < self.rehearse_at || !self.up {
            return;
        }
        self.rehearse_at = now.after(self.options.rehearse_every);
        self.request.clear();
        let written = self.codec.rehearse(now, &mut self.request);
        self.stats.rehearsed += u64::from(written.is_ok());
        std::hint::black_box(Hash64::of(self.request.as_bytes()));
        self.log.rehearse();
        self.request.clear();
    }

    /// Waits for an answer, for the waker, for the next deadline or for `longest`. For threads that may sleep.
    pub fn park(&mut self, now: Nanos, longest: Duration) {
        if self.out.is_waiting() || !self.intents.is_empty() {
            return;
        }
        let longest = if self.places.is_empty() { longest } else { longest.min(HELD_LOOK_EVERY) };
        let slots = self.slots.iter().map(|slot| slot.by.min(slot.lane.deadline()));
        let chores = self.chores.iter().map(|chore| match chore {
            Chore::Cancel { not_before, .. } | Chore::Ask { not_before, .. } => *not_before,
        });
        // What is due and could not go waits for a socket, not for the clock.
        let chores = chores.filter(|not_before| *not_before > now);
        let first = slots.chain(chores).min().unwrap_or(Nanos::NEVER);
        self.gather(Some(Duration::from_nanos(first.since(now).get()).min(longest)));
    }

    fn gather(&mut self, timeout: Option<Duration>) {
        match self.poll.poll(&mut self.events, timeout) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return,
            Err(error) => panic!("the poll is ours and open: {error}"),
        }
        for event in &self.events {
            if let Some(slot) = self.slots.get_mut(event.token().0) {
                slot.lane.on_ready(event);
            }
        }
    }

    // --- what comes from the core ---

    fn take_intents(&mut self, now: Nanos) -> u32 {
        if let Some(learnt) = &mut self.learnt {
            while let Ok((order, id)) = learnt.pop() {
                self.ids.learn(order, id);
            }
        }
        let mut taken = 0;
        for _ in 0..INTENTS_PER_TURN_MAX {
            let room = self.chores.len() < CHORES_MAX;
            if !room || self.out.is_waiting() {
                break; // the rest stays in the ring
            }
            let Ok(intent) = self.intents.pop() else { break };
            taken += 1;
            match intent {
                Intent::Place(order) => self.push_place(now, order),
                Intent::Cancel(cancel) => self.push_cancel(now, cancel),
                Intent::CancelAll { .. } => self.cancel_all = Some(now),
                Intent::Query(query) => self.push_query(now, query),
                Intent::Resync { .. } => panic!("resyncs are wired to the feed"),
            }
        }
        taken
    }

    fn push_cancel(&mut self, now: Nanos, cancel: Cancel) {
        let order = cancel.order;
        if let Some(at) = self.places.iter().position(|(_, waiting)| waiting.id == order) {
            self.places.remove(at);
            return self.unsent(order, Unsent::Down); // it never left: nothing to cancel
        }
        if W::ID_FIRST && self.ids.find(order).is_none() {
            return self.report(Report::CancelRefused { order: OrderRef::Id(order) });
        }
        let waits =
            |chore: &Chore| matches!(chore, Chore::Cancel { cancel, .. } if cancel.order == order);
        if self.chores.iter().any(waits) {
            return; // the one that waits says the same
        }
        let not_before = self.cancels.due(now, order);
        self.chores.push_back(Chore::Cancel { cancel, tries: 0, not_before });
    }

    fn push_query(&mut self, now: Nanos, query: Query) {
        let order = query.order;
        let id = self.ids.find(order).unwrap_or(VenueId::NONE);
        if W::ID_FIRST && id.is_none() {
            // There is no name to ask by. That proves nothing: the order stays unknown until a person has looked.
            self.stats.unanswered += 1;
            return;
        }
        let waits = |chore: &Chore| matches!(chore, Chore::Ask { inquiry, .. } if inquiry.query.order == order && inquiry.is_untouched());
        if self.chores.iter().any(waits) {
            return; // its answer will be as fresh
        }
        let not_before = self.queries.due(now, order);
        let inquiry = Box::new(Inquiry::new(query, id));
        self.chores.push_back(Chore::Ask { inquiry, not_before });
    }

    // --- connections ---

    fn drive(&mut self, now: Nanos) -> u32 {
        let mut moved = 0;
        for slot in &mut self.slots {
            moved += u32::from(slot.lane.drive(now, self.poll.registry()));
        }
        for at in 0..self.slots.len() {
            let slot = &mut self.slots[at];
            match slot.job {
                Some(Job::Place { order, part: true, .. }) => {
                    let by = leave_by(&self.options, &order);
                    let (meter, id) = (&mut self.meter, order.id);
                    let mut leave = Leave::new(&self.halt, order.epoch, by, || meter.now());
                    match slot.lane.write_order(&mut leave, None) {
                        WriteResult::Part => {}
                        WriteResult::All => {
                            if let Some(Job::Place { part, .. }) = &mut slot.job {
                                *part = false;
                            }
                        }
                        WriteResult::Cut | WriteResult::Stopped(_) | WriteResult::Nothing => {
                            slot.job = None;
                            self.cut(now, at, "broke within an order");
                            self.on_lost_order(now, id);
                        }
                    }
                    moved += 1;
                }
                Some(Job::Place { .. }) | None => {}
                Some(_) => {
                    if !slot.lane.flush() {
                        self.lose(now, at, "broke while writing");
                    }
                }
            }
        }
        self.up = self.slots.iter().any(|slot| slot.orders && slot.lane.is_open());
        let up = self.figures(now).may_open();
        if up != self.told_up {
            self.told_up = up;
            self.out.deliver(Event::Link { venue: W::VENUE, link: Link::Orders, up });
            moved += 1;
        }
        moved
    }

    /// Closes a connection; the next one is dialled when it is due.
    fn cut(&mut self, now: Nanos, slot: usize, why: &str) {
        self.stats.broken += 1;
        self.stats.last_error = Some(why.to_owned());
        self.slots[slot].lane.close(now, self.poll.registry());
        self.slots[slot].by = Nanos::NEVER;
    }

    /// A connection broke: what it was busy with is settled as far as it can be.
    fn lose(&mut self, now: Nanos, slot: usize, why: &str) {
        let job = self.slots[slot].job.take();
        self.cut(now, slot, why);
        match job {
            None | Some(Job::Warm) => {}
            Some(Job::Place { order, .. }) => self.on_lost_order(now, order.id),
            Some(Job::Cancel { cancel, tries, .. }) => self.retry_cancel(now, cancel, tries),
            Some(Job::CancelAll) => self.retry_cancel_all(now),
            Some(Job::Ask(inquiry)) => self.retry_ask(now, inquiry),
            Some(Job::Beat) => self.on_missed_beat(now),
        }
    }

    fn expire(&mut self, now: Nanos) {
        for slot in 0..self.slots.len() {
            if self.slots[slot].job.is_some() && now >= self.slots[slot].by {
                self.lose(now, slot, "no answer in time");
            }
        }
    }

    // --- what comes from the venue ---

    fn read(&mut self, now: Nanos) -> u32 {
        let mut answers = 0;
        for at in 0..self.slots.len() {
            if !self.slots[at].lane.is_ready() {
                continue;
            }
            if !self.out.has_room() {
                self.stats.held += 1;
                break;
            }
            answers += u32::from(self.read_slot(now, at));
        }
        answers
    }

    fn read_slot(&mut self, now: Nanos, at: usize) -> bool {
        let slot = &mut self.slots[at];
        let answer = match slot.lane.read(&mut self.scratch) {
            Received::Nothing => return false,
            Received::Broken(why) => {
                self.lose(now, at, &why);
                return true;
            }
            Received::Answer(answer) => answer,
        };
        let Some(job) = slot.job.take() else {
            self.lose(now, at, "spoke without being asked");
            return true;
        };
        slot.by = Nanos::NEVER;
        let (keep, status) = (answer.keep, answer.status);
        if !matches!(job, Job::Warm) && (status < 300 || is_stranger(status, answer.body)) {
            self.credentials_refused = status >= 300; // what is neither says nothing about them
        }
        let pause = answer.retry_after.map(|secs| Nanos::from_secs(u64::from(secs.min(300))));
        let reports = &mut self.reports;
        reports.clear();
        // understand first, while the answer is borrowed; act afterwards
        let meaning = match job {
            Job::Place { order, id, at, .. } => {
                let (placed, named) = self.codec.on_place(&order, id, &answer);
                Meaning::Placed { order, id: if named.is_none() { id } else { named }, placed, at }
            }
            Job::Cancel { cancel, id, tries } => {
                let cancelled = self.codec.on_cancel(&cancel, &id, &answer);
                Meaning::Cancelled { cancel, cancelled, tries }
            }
            Job::CancelAll => Meaning::AllCancelled(self.codec.on_cancel_all(&answer)),
            Job::Ask(mut inquiry) => {
                let next = self.codec.on_ask(&mut inquiry, &answer, reports);
                Meaning::Asked { inquiry, next }
            }
            Job::Beat => Meaning::Heartbeat(self.codec.on_beat(&answer)),
            Job::Warm => Meaning::Warm,
        };
        if keep {
            slot.lane.done(now);
        } else {
            slot.lane.recycle(now, self.poll.registry());
        }
        if status == 429 {
            self.stats.limited += 1;
            self.codec.on_limited(now, meaning.kind());
        }
        self.act(now, meaning, pause);
        true
    }

    fn act(&mut self, now: Nanos, meaning: Meaning, pause: Option<Nanos>) {
        match meaning {
            Meaning::Placed { order, id, placed, at } => {
                let answered = self.meter.now();
                self.meter.record(Stage::Answer, answered.since(at));
                if let (Placed::Rejected(Reject::Rate | Reject::Mode), Some(pause)) =
                    (placed, pause)
                {
                    self.pause_until = self.pause_until.max(now.after(pause));
                }
                self.on_placed(now, &order, id, placed);
            }
            Meaning::Cancelled { cancel, cancelled, tries } => {
                match cancelled.report(&cancel) {
                    None => self.retry_cancel(now, cancel, tries),
                    Some(Report::TimedOut { .. }) => self.retry_cancel(now, cancel, tries),
                    Some(report) => self.report(report),
                }
                if let Cancelled::Gone { reduced_by: None } = cancelled {
                    let Cancel { order, key, market, venue, .. } = cancel;
                    self.push_query(now, Query { order, key, market, venue }); // how much was filled?
                }
            }
            Meaning::AllCancelled(true) => self.cancel_all_tries = 0,
            Meaning::AllCancelled(false) => self.retry_cancel_all(now),
            Meaning::Asked { inquiry, next } => self.on_asked(now, inquiry, next),
            Meaning::Heartbeat(beaten) => {
                self.beating = false;
                match beaten {
                    HeartbeatAnswer::Heard => {
                        self.stats.beats += 1;
                        (self.beats_missed, self.beats_again) = (0, 0);
                    }
                    HeartbeatAnswer::Again if self.beats_again < BEATS_AGAIN_MAX => {
                        self.beats_again += 1;
                        self.beat_at = now;
                    }
                    HeartbeatAnswer::Again | HeartbeatAnswer::Missed => self.on_missed_beat(now),
                }
            }
            Meaning::Warm => {}
        }
    }

    fn log_end(&mut self, at: Nanos, order: OrderId, how: Ended, id: VenueId) {
        self.open.retain(|open| *open != order);
        let end = Record::End { at, order, how, id };
        self.stats.unlogged += u64::from(self.log.append(&end).is_err());
    }

    fn report(&mut self, report: Report) {
        self.out.deliver(Event::Report(report));
    }
}

/// What an answer turned out to mean.
enum Meaning {
    Placed { order: Order, id: VenueId, placed: Placed, at: Nanos },
    Cancelled { cancel: Cancel, cancelled: Cancelled, tries: u8 },
    AllCancelled(bool),
    Asked { inquiry: Box<Inquiry>, next: AfterAnswer },
    Heartbeat(HeartbeatAnswer),
    Warm,
}

impl Meaning {
    const fn kind(&self) -> Limited {
        match self {
            Self::Placed { order, .. } => Limited::Order(order.market),
            Self::Cancelled { cancel, .. } => Limited::Cancel(cancel.market),
            Self::AllCancelled(_) => Limited::CancelAll,
            Self::Asked { .. } | Self::Heartbeat(_) | Self::Warm => Limited::Read,
        }
    }
}
