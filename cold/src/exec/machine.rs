//! The executor of one venue as a value: intents and answers go in; requests, closings and reports come out.
//!
//! It has no socket, thread, clock or ring. Time is an argument that never runs back. A shell gives it what happened
//! (`on_*`), then takes what it wants (`poll_*`), in this order, until each has nothing more: [`Machine::poll_close`],
//! [`Machine::poll_report`], [`Machine::poll_request`]. The shell of production is `shell.rs`; a simulation joins the
//! machine to a venue that is a value as well.
//!
//! An order goes: halt epoch, a free connection, breaker, tokens, encode and sign, write ahead, [`Report::Bound`] where the
//! id is known, and out as [`Outgoing`]. The shell compares age and halt epoch again as the last thing before it writes. An
//! order that hedges or reduces goes ahead of others and waits up to a second for the way; one that opens something waits
//! for a busy connection alone. From its first byte on, only the venue's word ends it: a time-out, a reset or an answer that
//! says nothing is [`Report::TimedOut`], and its connection is closed. No order is sent a second time (O9): what became of it is
//! asked.

mod amends;
mod breaker;
mod chores;
mod core_watch;
mod figures;
mod heartbeat;
mod ids;
mod inquiries;
mod lanes;
mod modes;
mod options;
mod orders;
mod pace;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, VecDeque};

use crate::halt::HaltEpoch;
use surefoot_hot::bounds::ORDERS_LIVE_MAX;
use surefoot_hot::event::{Event, Link};
use surefoot_hot::hash::Hash64;
use surefoot_hot::ids::{MarketId, OrderId, OrderRef};
use surefoot_hot::intent::Intent;
use surefoot_hot::links::LinkNumber;
use surefoot_hot::order::{Amend, Cancel, Order, Query};
use surefoot_hot::report::{OrderStatus, Reject, Report};
use surefoot_hot::risk::Approved;
use surefoot_hot::units::Nanos;
use surefoot_hot::venue_mode::VenueMode;

use super::codec::{AfterAnswer, HeartbeatAnswer, Inquiry, Limited, ModeSaid, VenueCodec};
use super::http::{Answer, Request};
use super::write_ahead::WriteAhead;
use crate::exec::answer::{Amended, Cancelled, Placed, is_over};
use crate::http_answer::refuses_credentials;
use crate::wirelog::{Contents, Ended, Record, VenueId};
use breaker::Breaker;
use chores::{CancelAll, Chore};
use core_watch::CoreWatch;
use heartbeat::Heartbeat;
use ids::VenueIds;
use lanes::{Job, LaneState, Written};
use modes::Modes;
use pace::Pace;

pub use core_watch::CORE_STILL_MAX;
pub use figures::{BEATS_MISSED_MAX, ExecFigures, ExecStats};
pub use lanes::{Closing, LaneRole, LeaveTerms, Outgoing, WriteResult};
pub use options::ExecOptions;

/// Orders waiting for a free connection: as many as may be live, so that they never keep a cancel in the ring.
const PLACES_MAX: usize = ORDERS_LIVE_MAX;
/// Cancels and questions waiting; while there are more, [`Machine::wants_intent`] says no.
const CHORES_MAX: usize = 2_048;
/// Attempts at one cancel or question. Of a cancel the core then hears that nothing is known; a question it asks again by itself.
const TRIES_MAX: u8 = 5;
/// Between two attempts.
const RETRY_AFTER: Nanos = Nanos::from_millis(250);
/// How soon the machine looks again at what is due and could not go: tokens come back and pauses end in between.
const LOOK_AGAIN_AFTER: Nanos = Nanos::from_millis(1);
/// How soon the machine looks again whether there are tokens, while the core believes that there are too few.
const LOOK_AT_TOKENS_AFTER: Nanos = Nanos::from_millis(50);
/// The longest pause taken from a venue's `Retry-After`.
const PAUSE_SECS_MAX: u32 = 300;

/// Reports that may wait for the shell before the machine takes nothing more in.
pub const REPORTS_MAX: usize = 2_048;
/// Free places among them that are wanted before an answer is read. An answer may bring more: those are kept too.
pub const ANSWER_REPORTS_MAX: usize = 64;
const _: () = assert!(
    PLACES_MAX + ANSWER_REPORTS_MAX <= REPORTS_MAX,
    "all that waits may be refused at once"
);

/// One venue's executor.
#[derive(Debug)]
pub struct Machine<C, L> {
    codec: C,
    log: L,
    /// The number that everybody who may stop an order can move. Read before an order is signed; the shell reads it again.
    halt: HaltEpoch,
    options: ExecOptions,
    lanes: Vec<LaneState>,
    /// The lane of the request that was handed out and whose [`Machine::on_wrote`] has not come yet.
    handed: Option<usize>,
    closings: VecDeque<Closing>,
    /// Orders waiting, with the time they came in: those that hedge or reduce first.
    places: VecDeque<(Nanos, Approved<Order>)>,
    /// Changes of orders waiting, with the time they came in: at most one of each order that is alive.
    amends: VecDeque<(Nanos, Approved<Amend>)>,
    chores: VecDeque<Chore>,
    cancel_all: CancelAll,
    /// How soon one order may be cancelled again.
    cancel_pace: Pace,
    /// How soon one order may be asked about again.
    query_pace: Pace,
    ids: VenueIds,
    /// Orders whose fate the log does not know yet.
    open: Vec<OrderId>,
    breaker: Breaker,
    /// No order before this: the venue said how long to wait.
    pause_until: Nanos,
    /// What the venue takes at the moment.
    modes: Modes,
    heartbeat: Heartbeat,
    core: Option<CoreWatch>,
    /// Why the venue turned an order away without a look at it, and when.
    turned_away: Option<(Nanos, Reject)>,
    credentials_refused: bool,
    rehearse_at: Nanos,
    /// What the core was told last of the way for orders that open something.
    told_up: bool,
    /// What the core was told last of the breaker, and of tokens being short.
    told_way: (bool, bool),
    /// The latest time that the machine was told.
    seen: Nanos,
    request: Request,
    reports: VecDeque<Event>,
    /// Reports of one answer, before they are told; kept for its room.
    answer_reports: Vec<Report>,
    /// What one answer says of what the venue takes; kept for its room.
    said: Vec<ModeSaid>,
    stats: ExecStats,
}

impl<C: VenueCodec, L: WriteAhead> Machine<C, L> {
    /// A machine with these lanes, all of them down. `halt` is the epoch that everybody who may stop an order shares.
    pub fn new(
        codec: C,
        log: L,
        halt: HaltEpoch,
        lanes: &[LaneRole],
        options: ExecOptions,
    ) -> Self {
        Self {
            codec,
            log,
            halt,
            options,
            lanes: lanes.iter().map(|role| LaneState::new(*role)).collect(),
            handed: None,
            closings: VecDeque::with_capacity(lanes.len()),
            places: VecDeque::with_capacity(PLACES_MAX),
            amends: VecDeque::with_capacity(PLACES_MAX),
            chores: VecDeque::with_capacity(CHORES_MAX + 64),
            cancel_all: CancelAll::default(),
            cancel_pace: Pace::new(),
            query_pace: Pace::new(),
            ids: VenueIds::new(),
            open: Vec::with_capacity(ORDERS_LIVE_MAX),
            breaker: Breaker::new(options.breaker_open),
            pause_until: Nanos::ZERO,
            modes: Modes::new(options.breaker_open),
            heartbeat: Heartbeat::default(),
            core: None,
            turned_away: None,
            credentials_refused: false,
            rehearse_at: Nanos::ZERO,
            told_up: false,
            told_way: (false, false),
            seen: Nanos::ZERO,
            request: Request::new(),
            reports: VecDeque::with_capacity(REPORTS_MAX + ANSWER_REPORTS_MAX),
            answer_reports: Vec::with_capacity(256),
            said: Vec::with_capacity(32),
            stats: ExecStats::default(),
        }
    }

    /// Takes in what the log of an earlier run says: the ids of its orders, and those to be asked about; and `live`, the
    /// orders of earlier runs whose end the journal does not hold. Where the log does not know one of those (a power cut
    /// took it, or the file was moved aside), its id is worked out anew, so that the venue can be asked.
    pub fn remember<'a>(&mut self, contents: &Contents, live: impl IntoIterator<Item = &'a Order>) {
        self.open.extend(contents.without_end().iter().map(|sent| sent.order));
        let live: Vec<_> = live.into_iter().filter(|order| order.venue == C::VENUE).collect();
        let alive = live.iter().map(|order| order.id).chain(self.open.iter().copied());
        let alive: BTreeSet<OrderId> = alive.collect();
        for (order, id) in contents.venue_ids() {
            self.on_learnt(order, id);
            if !alive.contains(&order) {
                self.ids.on_over(order);
            }
        }
        for order in live {
            if self.ids.find(order.id).is_none()
                && let Some(id) = self.codec.id_of(order)
            {
                self.ids.learn(order.id, id);
            }
        }
    }

    // --- what comes in ---

    /// The venue's id of an order, learnt elsewhere.
    pub fn on_learnt(&mut self, order: OrderId, id: VenueId) {
        if C::is_id(&id) {
            self.ids.learn(order, id);
        }
    }

    /// Whether an intent may be given in. If not, it stays where it is: what waits must go first.
    pub fn wants_intent(&self) -> bool {
        self.chores.len() < CHORES_MAX && self.has_room()
    }

    /// The core wants something.
    ///
    /// # Panics
    /// On a request for snapshots, which is the feed's.
    pub fn on_intent(&mut self, now: Nanos, intent: Intent) {
        self.tick(now);
        match intent {
            Intent::Place(order) => self.push_place(now, order),
            Intent::Amend(amend) => self.push_amend(now, amend),
            Intent::Cancel(cancel) => self.push_cancel(now, cancel),
            Intent::CancelAll { .. } => self.cancel_all.want(now),
            Intent::Query(query) => self.push_query(now, query),
            Intent::Resync { .. } | Intent::Unfollow { .. } | Intent::Witness { .. } => {
                panic!("what concerns subscriptions is wired to the feed")
            }
        }
    }

    /// Whether an answer may be given in. If not, it stays unread: a report is never lost.
    pub fn has_room(&self) -> bool {
        self.reports.len() + ANSWER_REPORTS_MAX <= REPORTS_MAX
    }

    /// The whole answer to the request that `lane` carries. To be given in while [`Machine::has_room`]; an answer to a
    /// request of a connection that was closed since must not be.
    pub fn on_answer(&mut self, now: Nanos, lane: usize, answer: &Answer<'_>) {
        self.tick(now);
        assert!(self.handed != Some(lane), "an answer before the request was written");
        if !self.lanes[lane].open {
            return; // the machine has given that connection up
        }
        let Some(job) = self.lanes[lane].job.take() else {
            return self.lose(now, lane, "spoke without being asked");
        };
        self.lanes[lane].by = Nanos::NEVER;
        let status = answer.status;
        if !matches!(job, Job::Warm) && (status < 300 || refuses_credentials(status, answer.body)) {
            self.credentials_refused = status >= 300; // an answer that is neither proves nothing about them
        }
        let pause =
            answer.retry_after.map(|secs| Nanos::from_secs(u64::from(secs.min(PAUSE_SECS_MAX))));
        let whole = !matches!(
            job,
            Job::Place { written: Written::Not | Written::Part, .. }
                | Job::Amend { written: Written::Not | Written::Part, .. }
        );
        let (about, is_warm) = (job.market(), matches!(job, Job::Warm));
        let meaning = self.understand(job, answer);
        if status >= 400 || is_warm || meaning.refused() == Some(Reject::Mode) {
            self.learn_modes(now, about, answer, meaning.refused());
        }
        self.stats.strange += u64::from(status == 410 || (status < 300 && meaning.is_unread()));
        if !whole {
            self.cut(lane, "answered before all of an order was sent"); // the rest must not follow
        } else if answer.keep {
            self.lanes[lane].used = now;
        } else {
            self.close(lane, false);
        }
        if status == 429 {
            self.stats.limited += 1;
            self.codec.on_limited(now, meaning.kind());
        }
        self.act(now, meaning, pause);
    }

    /// How often the core has turned so far. Where that stands still nobody else would cancel what rests: what the core
    /// decided must not leave any more, what rests goes, and the venue's dead man's switch is let go of as well. For shells
    /// whose thread is not the core's own.
    pub fn on_core_turns(&mut self, now: Nanos, turns: u64) {
        self.tick(now);
        if self.core.get_or_insert_default().look(now, turns) {
            self.halt.advance();
            self.stats.core_still += 1;
            self.cancel_all.want(now);
            // an order that was on its way may have come to rest since
            self.cancel_all.want_again(now.after(self.options.order_wait_max));
        }
    }

    /// Whether it is time for [`Machine::on_core_turns`]: the count is another thread's, and is not read in every turn.
    pub fn wants_core_turns(&self, now: Nanos) -> bool {
        self.core.as_ref().is_none_or(|core| core.is_due(now))
    }

    /// Time has passed: what was not answered in time is given up, and the core hears whether its orders find a way.
    pub fn on_time(&mut self, now: Nanos) {
        self.tick(now);
        self.cancel_all.on_time(now);
        for lane in 0..self.lanes.len() {
            if self.lanes[lane].job.is_some() && now >= self.lanes[lane].by {
                self.lose(now, lane, "no answer in time");
            }
        }
        self.modes.on_time(now);
        self.tell_way(now); // first: what is not to be opened yet must not be when the mode is over
        self.tell_modes();
        let up = self.figures(now).may_open();
        if up != self.told_up {
            self.told_up = up;
            self.reports.push_back(Event::Link {
                venue: C::VENUE,
                link: Link::Orders,
                number: LinkNumber::FIRST,
                up,
            });
        }
    }

    /// Tells the core what keeps orders that open something here, where that has changed.
    fn tell_way(&mut self, now: Nanos) {
        let tokens_short = now < self.pause_until || self.codec.is_short(now);
        let way = (self.breaker.is_open(now) || now < self.modes.opens_at(), tokens_short);
        if way != self.told_way {
            self.told_way = way;
            let (venue, (breaker_open, tokens_short)) = (C::VENUE, way);
            self.reports.push_back(Event::Way { venue, breaker_open, tokens_short });
        }
    }

    /// Takes in what an answer says of what the venue takes, before anything is made of the answer itself: whoever hears that an
    /// order was refused for it knows it already.
    fn learn_modes(
        &mut self,
        now: Nanos,
        about: Option<MarketId>,
        answer: &Answer<'_>,
        refused: Option<Reject>,
    ) {
        self.said.clear();
        self.codec.modes(about, answer, &mut self.said);
        if self.said.is_empty() && refused == Some(Reject::Mode) {
            // Refused for a mode in words that name none: for a moment it takes nothing.
            let shard = about.map(|market| self.codec.shard_of(market));
            let (mode, until) = (VenueMode::Restarting, Nanos::ZERO);
            self.said.push(ModeSaid { shard, mode, lasts: None, until, is_status: false });
        }
        for said in &self.said {
            self.modes.on_said(now, said);
        }
        self.tell_modes();
    }

    /// Tells the core what the venue takes, where that has changed.
    fn tell_modes(&mut self) {
        while let Some((shard, mode, until)) = self.modes.poll_news() {
            self.reports.push_back(Event::Mode { venue: C::VENUE, shard, mode, until });
        }
    }

    /// There was nothing to do in this turn: old signatures are thrown away, room is made in the log, an order is rehearsed.
    pub fn on_idle(&mut self, now: Nanos) {
        self.codec.on_idle(now);
        self.log.make_room(now);
        self.rehearse(now);
    }

    /// Everything on an order's way that has no effect outside; what it wrote is gone before anything else is written.
    fn rehearse(&mut self, now: Nanos) {
        if now < self.rehearse_at || !self.is_up() {
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

    /// Answers are left unread in this turn: the reports they would bring have nowhere to go.
    pub fn on_held(&mut self) {
        self.stats.held += 1;
    }

    // --- what goes out ---

    /// The next report for the core, or news of its order path. Each is given out once.
    pub fn poll_report(&mut self) -> Option<Event> {
        self.reports.pop_front()
    }

    /// How many reports wait to be taken.
    pub fn reports_waiting(&self) -> usize {
        self.reports.len()
    }

    /// Whether [`Machine::poll_report`] has one.
    pub fn has_report(&self) -> bool {
        !self.reports.is_empty()
    }

    /// The next request: orders first, then changes of orders, cancels, questions and the rest. [`Machine::on_wrote`] must
    /// follow before the next call.
    pub fn poll_request(&mut self, now: Nanos) -> Option<Outgoing<'_>> {
        let any = self.next_order(now, |_| ()) || self.next_amend(now) || self.next_chore(now);
        if any { self.handed() } else { None }
    }

    /// The next order or change of one alone. `signed` is called for each order between its signature and the log: a shell
    /// measures there.
    pub fn poll_order(&mut self, now: Nanos, signed: impl FnMut(&Order)) -> Option<Outgoing<'_>> {
        if self.next_order(now, signed) || self.next_amend(now) { self.handed() } else { None }
    }

    /// The next cancel, question, heartbeat or request that keeps a connection warm.
    pub fn poll_chore(&mut self, now: Nanos) -> Option<Outgoing<'_>> {
        if self.next_chore(now) { self.handed() } else { None }
    }

    /// When the machine wants [`Machine::on_time`] and [`Machine::poll_request`] at the latest, whatever else happens.
    pub fn poll_deadline(&self) -> Nanos {
        let again = self.seen.after(LOOK_AGAIN_AFTER);
        let future = |due: Nanos| if due > self.seen { due } else { again };
        let mut first = self.lanes.iter().map(|lane| lane.by).min().unwrap_or(Nanos::NEVER);
        if !self.places.is_empty() || !self.amends.is_empty() {
            first = first.min(again);
        }
        if self.told_up != self.figures(self.seen).may_open() {
            first = first.min(again);
        }
        if self.told_way.1 {
            // They come back with time.
            first = first.min(self.pause_until.max(self.seen.after(LOOK_AT_TOKENS_AFTER)));
        }
        if let Some(until) = self.breaker.open_until().filter(|until| *until > self.seen) {
            first = first.min(until);
        }
        first = first.min(future(self.modes.deadline()));
        if self.modes.opens_at() > self.seen {
            first = first.min(self.modes.opens_at());
        }
        if let Some(at) = self.cancel_all.again() {
            first = first.min(future(at));
        }
        // What is due and could not go waits for a connection, not for the clock, while there is none.
        if self.free_for_chores().is_some() {
            first = first.min(future(self.chores_due()));
        }
        first
    }

    // --- what it knows ---

    /// What it has done so far.
    pub fn stats(&self) -> &ExecStats {
        &self.stats
    }

    /// What health is judged by.
    pub fn figures(&self, now: Nanos) -> ExecFigures {
        let breaker_open = self.breaker.is_open(now);
        let fresh = |at: Nanos| breaker_open || now.since(at) < self.options.breaker_open;
        ExecFigures {
            connected: self.is_up(),
            breaker_open,
            turned_away: self.turned_away.filter(|(at, _)| fresh(*at)).map(|(_, why)| why),
            credentials_refused: self.credentials_refused,
            beats_missed: self.heartbeat.missed(),
            core_still: self.is_core_still(),
            cancelling_all: self.cancel_all.is_refused(),
            unlogged: self.stats.unlogged,
        }
    }

    /// Times the breaker opened.
    pub fn breaker_opened(&self) -> u64 {
        self.breaker.opened()
    }

    /// Connections for orders that are open now.
    pub fn open_order_lanes(&self) -> usize {
        self.lanes.iter().filter(|lane| lane.role == LaneRole::Orders && lane.open).count()
    }

    /// Whether nothing waits and nothing is in flight.
    pub fn is_idle(&self) -> bool {
        let free = |lane: &LaneState| matches!(lane.job, None | Some(Job::Warm | Job::Heartbeat));
        self.places.is_empty()
            && self.amends.is_empty()
            && self.chores.is_empty()
            && !self.cancel_all.is_wanted()
            && self.reports.is_empty()
            && self.lanes.iter().all(free)
    }

    /// The venue's codec.
    pub fn codec(&self) -> &C {
        &self.codec
    }

    /// The venue's codec, to tell it of markets.
    pub fn codec_mut(&mut self) -> &mut C {
        &mut self.codec
    }

    /// The log that orders are written to before they leave.
    pub fn log(&self) -> &L {
        &self.log
    }

    /// The log, for a simulation that lets its disk fail.
    pub fn log_mut(&mut self) -> &mut L {
        &mut self.log
    }

    fn is_core_still(&self) -> bool {
        self.core.as_ref().is_some_and(CoreWatch::is_still)
    }

    /// A connection for orders is open.
    fn is_up(&self) -> bool {
        self.lanes.iter().any(|lane| lane.role == LaneRole::Orders && lane.open)
    }

    // --- answers ---

    /// What an answer means. Nothing is done about it yet: the answer is only borrowed.
    fn understand(&mut self, job: Job, answer: &Answer<'_>) -> Meaning {
        match job {
            Job::Place { order, id, .. } => {
                let (placed, named) = self.codec.on_place(&order, id, answer);
                Meaning::Placed { order, id: if named.is_none() { id } else { named }, placed }
            }
            Job::Amend { amend, id, .. } => {
                let amended = self.codec.on_amend(&amend, &id, answer);
                Meaning::Amended { amend, id, amended }
            }
            Job::Cancel { cancel, id, tries } => {
                let cancelled = self.codec.on_cancel(&cancel, &id, answer);
                Meaning::Cancelled { cancel, id, cancelled, tries }
            }
            Job::CancelAll => Meaning::AllCancelled(self.codec.on_cancel_all(answer)),
            Job::Ask(mut inquiry) => {
                self.answer_reports.clear();
                let next = self.codec.on_ask(&mut inquiry, answer, &mut self.answer_reports);
                Meaning::Asked { inquiry, next }
            }
            Job::Heartbeat => Meaning::Heartbeat(self.codec.on_beat(answer)),
            Job::Warm => Meaning::Warm,
        }
    }

    fn act(&mut self, now: Nanos, meaning: Meaning, pause: Option<Nanos>) {
        match meaning {
            Meaning::Placed { order, id, placed } => {
                if let Placed::Rejected(why) = placed {
                    self.pause(now, why, pause);
                }
                self.on_placed(now, &order, id, placed);
            }
            Meaning::Amended { amend, id, amended } => {
                if let Amended::Refused(why) = amended {
                    self.pause(now, why, pause);
                }
                self.on_amended(now, &amend, id, amended);
            }
            Meaning::Cancelled { cancel, id, cancelled, tries } => {
                self.on_cancelled(now, cancel, id, cancelled, tries);
            }
            Meaning::AllCancelled(true) => self.cancel_all.on_confirmed(),
            Meaning::AllCancelled(false) => self.cancel_all.retry(now),
            Meaning::Asked { inquiry, next } => self.on_asked(now, inquiry, next),
            Meaning::Heartbeat(answer) => self.on_heartbeat(now, answer),
            Meaning::Warm => {}
        }
    }

    /// The venue said how long to wait before the next order.
    fn pause(&mut self, now: Nanos, why: Reject, pause: Option<Nanos>) {
        if let (Reject::Rate, Some(pause)) = (why, pause) {
            self.pause_until = self.pause_until.max(now.after(pause));
        }
    }

    /// An order, or a change of one, was refused for no reason of its own: a venue that is away, or will not know us, is spared a
    /// storm of orders. One that says that it takes none at the moment has not failed: see `modes`.
    fn on_refused(&mut self, now: Nanos, why: Reject) {
        self.turned_away = why.is_of_venue().then_some((now, why));
        if why == Reject::Mode {
            self.breaker.withdraw();
        } else if why.is_of_venue() {
            let for_who_we_are = matches!(why, Reject::Auth | Reject::Blocked | Reject::Gone);
            self.breaker.on_failure(now, for_who_we_are);
        } else {
            self.breaker.on_success();
        }
    }

    fn log_end(&mut self, at: Nanos, order: OrderId, how: Ended, id: VenueId) {
        self.open.retain(|open| *open != order);
        if matches!(how, Ended::Unsent | Ended::Rejected) {
            self.ids.on_over(order);
        }
        let end = Record::End { at, order, how, id };
        self.stats.unlogged += u64::from(self.log.append(&end).is_err());
    }

    fn report(&mut self, report: Report) {
        if let Report::Status(OrderStatus { order: OrderRef::Id(order), state, .. }) = report
            && is_over(state)
        {
            self.ids.on_over(order);
        }
        self.reports.push_back(Event::Report(report));
    }

    fn tick(&mut self, now: Nanos) {
        debug_assert!(now >= self.seen, "time ran back");
        self.seen = self.seen.max(now);
    }
}

/// What an answer turned out to mean.
enum Meaning {
    Placed { order: Order, id: VenueId, placed: Placed },
    Amended { amend: Amend, id: VenueId, amended: Amended },
    Cancelled { cancel: Cancel, id: VenueId, cancelled: Cancelled, tries: u8 },
    AllCancelled(bool),
    Asked { inquiry: Box<Inquiry>, next: AfterAnswer },
    Heartbeat(HeartbeatAnswer),
    Warm,
}

impl Meaning {
    /// Whether nothing could be concluded from the answer.
    const fn is_unread(&self) -> bool {
        match self {
            Self::Placed { placed, .. } => matches!(placed, Placed::Unknown),
            Self::Amended { amended, .. } => matches!(amended, Amended::Unknown),
            Self::Cancelled { cancelled, .. } => matches!(cancelled, Cancelled::Unknown),
            Self::Asked { next, .. } => matches!(next, AfterAnswer::Retry),
            Self::AllCancelled(_) | Self::Heartbeat(_) | Self::Warm => false,
        }
    }

    /// Why an order, a change of one or a cancel was refused, where it was and a reason is known.
    const fn refused(&self) -> Option<Reject> {
        match self {
            Self::Placed { placed: Placed::Rejected(why), .. }
            | Self::Amended { amended: Amended::Refused(why), .. }
            | Self::Cancelled { cancelled: Cancelled::NotNow(why), .. } => Some(*why),
            Self::Placed { .. }
            | Self::Amended { .. }
            | Self::Cancelled { .. }
            | Self::AllCancelled(_)
            | Self::Asked { .. }
            | Self::Heartbeat(_)
            | Self::Warm => None,
        }
    }

    const fn kind(&self) -> Limited {
        match self {
            Self::Placed { order, .. } => Limited::Order(order.market),
            Self::Amended { amend, .. } => Limited::Order(amend.market),
            Self::Cancelled { cancel, .. } => Limited::Cancel(cancel.market),
            Self::AllCancelled(_) => Limited::CancelAll,
            Self::Asked { .. } | Self::Heartbeat(_) | Self::Warm => Limited::Read,
        }
    }
}

/// The question that finds out what became of the order that `cancel` was for.
const fn query_of(cancel: &Cancel) -> Query {
    let Cancel { order, key, market, venue, .. } = *cancel;
    Query { order, key, market, venue }
}
