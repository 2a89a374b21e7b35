//! The network between us and the venues, and what goes wrong there.

use surefoot_hot::bounds::STALL_MIN;
use surefoot_hot::event::{Control, Event, Link as Kind};
use surefoot_hot::ids::Venue;
use surefoot_hot::per_venue::PerVenue;
use surefoot_hot::risk::LimitRow;
use surefoot_hot::units::{MICROS, Nanos};

use super::{DIAL, Happening, REDIAL, START, Simulation};
use crate::clock::STEP_MIN;
use crate::sim::Broken;
use crate::sim::executor::Lane;
use crate::sim::fault::{Active, Aim, Fault, FaultKind};
use crate::sim::links::Link;
use crate::sim::transport::lock;
use crate::twin::http::Response;
use crate::twin::rng::Rng;
use crate::twin::ways::{Lane as Wire, begins_others};

/// How much longer a way may take while it is slow.
const LONGER_NS: u64 = 1_500_000_000;
/// How long a fault that is aimed at a request waits for one.
const LURKS_FOR: Nanos = Nanos::from_secs(120);
/// How long after a request has left what is aimed at one strikes at the latest; every other one strikes at once.
const STRIKES_WITHIN_NS: u64 = 20_000_000;
/// The same for a kill: most of what it may interrupt is over soon.
const KILLS_WITHIN_NS: u64 = 5_000_000;
/// How late a message may be that comes in another order.
const REORDERED_NS: u64 = 300_000_000;
/// How long the program is down where a person starts it again with its own limits.
const LIFTED_AFTER: Nanos = Nanos::from_secs(2);
/// How far our clock may be found to be off.
const CLOCK_OFF_MS: (u64, u64) = (20, 5_000);
/// The least and the most time from one thing that a person asks to the next, while one meddles.
const MEDDLES_EVERY_MS: (u64, u64) = (50, 4_000);
/// How long after that fault a trade that settles late may still not have.
const SETTLES_WITHIN: Nanos = Nanos::from_secs(600);
/// How long after messages were lost or doubled a session may still find that something is missing.
const SPOILT_FOR: Nanos = Nanos::from_secs(5);
/// How often a trade may be found not to settle while trades fail.
const TRADE_FAILS_EVERY: Nanos = Nanos::from_millis(150);
/// How long after a fault everything has to be as if it had not been (S11).
pub(super) const COMES_TO_REST_WITHIN: Nanos = Nanos::from_secs(180);

/// What is on its way between us and a venue.
#[derive(Clone, Copy, Debug)]
pub(super) enum Carried {
    /// A request, a frame of ours or a ping, to the venue.
    Request,
    /// An answer to one.
    Answer,
    /// A frame of the venue.
    Frame(Wire),
}

/// What goes wrong, and what of it goes on.
pub(super) struct Trouble {
    /// Everything, in the order in which it begins.
    pub faults: Vec<Fault>,
    /// Which of it goes on now.
    pub active: Active,
    /// Faults that wait for a request that they can hit.
    lurking: Vec<usize>,
    /// Until when nothing arrives from a venue or there.
    stalled_until: PerVenue<Nanos>,
    /// Until when messages of a venue's streams may be missing or odd.
    spoilt_until: PerVenue<Nanos>,
    /// What decides within a fault whom it hits.
    pub rng: Rng,
    /// What decides which orders rest.
    pub quoting: Rng,
}

impl Trouble {
    /// Nothing of it has begun.
    pub fn new(seed: u64, faults: Vec<Fault>) -> Self {
        Self {
            faults,
            active: Active::default(),
            lurking: Vec::new(),
            stalled_until: PerVenue::default(),
            spoilt_until: PerVenue::default(),
            rng: Rng::new(seed).fork(0x6869_7473),
            quoting: Rng::new(seed).fork(0x7175_6f74),
        }
    }
}

impl Trouble {
    /// Whether what a stream of this venue says now may lack something.
    pub fn is_spoilt(&self, now: Nanos, venue: Venue) -> bool {
        now <= self.spoilt_until[venue]
    }
}

impl Simulation {
    /// How long something is on its way that leaves now.
    fn one_way(&mut self, venue: Venue, what: Carried) -> Nanos {
        let longer = if self.trouble.active.is(venue, FaultKind::Slow) {
            Nanos::new(self.trouble.rng.below(LONGER_NS))
        } else {
            Nanos::ZERO
        };
        let span = match &self.ways {
            None => {
                let (least, spread) = self.accounts[venue].one_way();
                Nanos::new(least + self.rng.below(spread))
            }
            Some(ways) => {
                let way = ways.to(venue);
                let drawn = match what {
                    Carried::Request => way.request_us,
                    Carried::Answer => way.answer_us,
                    Carried::Frame(lane) => lane.span(way),
                };
                drawn.micros(&mut self.rng)
            }
        };
        span.after(longer)
    }

    /// When what leaves now arrives.
    pub(super) fn arrival(&mut self, venue: Venue, what: Carried) -> Nanos {
        self.now.max(self.trouble.stalled_until[venue]).after(self.one_way(venue, what))
    }

    /// When a ping that leaves now has been answered.
    pub(super) fn echo(&mut self, venue: Venue) -> Nanos {
        let there = self.arrival(venue, Carried::Request);
        there.after(self.one_way(venue, Carried::Answer))
    }

    /// When a frame is here that leaves its venue now. Nothing overtakes what was sent before it on the same connection, but for
    /// messages of a private link that come in another order, and for those of another kind where the world says how far the venues are.
    pub(super) fn in_order(&mut self, at: usize, text: &str) -> Nanos {
        let Link { venue, kind, host, .. } = self.links[at];
        let lane = match self.ways {
            None => Wire::Market,
            Some(_) => Wire::of(host, kind == Kind::Market, text),
        };
        let arrives = self.arrival(venue, Carried::Frame(lane));
        if kind == Kind::Private && self.trouble.active.is(venue, FaultKind::PrivateReordered) {
            return arrives.after(Nanos::new(self.trouble.rng.below(REORDERED_NS)));
        }
        let until = &mut self.links[at].in_until;
        let arrives = arrives.max(until[lane as usize]);
        until[lane as usize] = arrives;
        if begins_others(text) {
            *until = until.map(|until| until.max(arrives));
        }
        arrives
    }

    /// A frame of a venue as it arrives, if it does.
    pub(super) fn spoil(&mut self, at: usize, text: String) -> Option<String> {
        let Link { venue, kind, .. } = self.links[at];
        let is = |kind| self.trouble.active.is(venue, kind);
        if kind == Kind::Market && is(FaultKind::FramesLost) && self.trouble.rng.chance(1, 4) {
            self.links[at].lacks = true;
            return None;
        }
        if kind == Kind::Market && is(FaultKind::OddPrices) && self.trouble.rng.chance(1, 4) {
            return Some(with_odd_price(text));
        }
        if is(FaultKind::NewFields) && !text.contains("{}") {
            return Some(text.replacen('{', "{\"sim_new\":{\"a\":[1,null,\"b\"]},", 1));
        }
        Some(text)
    }

    /// When a connection to the venue is made at last, where it cannot be made now.
    pub(super) fn dialled_at(&self, venue: Venue) -> Option<Nanos> {
        let stalled = self.trouble.stalled_until[venue] > self.now;
        if stalled {
            return Some(self.trouble.stalled_until[venue].after(DIAL));
        }
        self.trouble.active.is(venue, FaultKind::Down).then(|| self.now.after(REDIAL))
    }

    /// A request arrives at its venue, if it does.
    pub(super) fn ask(&mut self, venue: Venue, lane: Lane, bytes: &[u8]) -> Result<(), Broken> {
        let now = self.now;
        // Of what was on the way as its connection broke nobody knows whether it arrives.
        if !self.executors[venue].is_up(lane) && self.trouble.rng.chance(1, 2) {
            return Ok(());
        }
        let hit = self.whom_hits(venue);
        if hit == Some(FaultKind::RequestsLost) {
            if is_of_order(bytes) {
                self.watch.add(16);
            }
            let at = now.after(self.one_way(venue, Carried::Answer));
            self.put(at, Happening::LaneLost(venue, lane));
            return Ok(());
        }
        if matches!(hit, Some(FaultKind::AnswersLost)) && is_of_order(bytes) {
            self.watch.add(16);
        }
        let host = self.accounts[venue].orders_host();
        let answer = match hit {
            Some(FaultKind::KeyRefused) => {
                let header = self.accounts[venue].key_header();
                lock(&self.venues).answer(host, &with_another_key(bytes, header), now)?
            }
            Some(FaultKind::Limited) => Response::empty(429).with("Retry-After", "1"),
            _ => lock(&self.venues).answer(host, bytes, now)?,
        };
        self.carry_frames();
        let at = self.arrival(venue, Carried::Answer);
        let then = match hit {
            Some(FaultKind::Unanswered) => return Ok(()),
            Some(FaultKind::AnswersLost) => Happening::LaneLost(venue, lane),
            Some(FaultKind::BadGateway) => {
                Happening::Answered(venue, lane, Response::empty(502).encode(true, false))
            }
            _ => Happening::Answered(venue, lane, answer.encode(true, false)),
        };
        self.put(at, then);
        Ok(())
    }

    /// Which fault hits a request that arrives now: each that goes on hits every other one.
    fn whom_hits(&mut self, venue: Venue) -> Option<FaultKind> {
        let hits = [
            FaultKind::RequestsLost,
            FaultKind::KeyRefused,
            FaultKind::Limited,
            FaultKind::Unanswered,
            FaultKind::AnswersLost,
            FaultKind::BadGateway,
        ];
        hits.into_iter()
            .find(|kind| self.trouble.active.is(venue, *kind) && self.trouble.rng.chance(1, 2))
    }

    /// The time of a fault has come: it begins, or waits for a request that it can hit.
    pub(super) fn meet_fault(&mut self, number: usize) {
        if self.trouble.faults[number].aim != Aim::Time {
            self.trouble.lurking.push(number);
            let at = self.now.after(LURKS_FOR);
            self.put(at, Happening::FaultWaited(number));
        } else {
            self.begin_fault(number);
        }
    }

    /// A fault has waited long enough, if it still waits.
    pub(super) fn waited(&mut self, number: usize) {
        if let Some(place) = self.trouble.lurking.iter().position(|lurks| *lurks == number) {
            self.trouble.lurking.remove(place);
            self.begin_fault(number);
        }
    }

    /// A request leaves, of an order or another one: what waits for such a one comes while it is on its way, or a moment later.
    pub(super) fn strike(&mut self, is_of_order: bool) {
        let lurking = std::mem::take(&mut self.trouble.lurking);
        let (hits, others): (Vec<_>, Vec<_>) = lurking
            .into_iter()
            .partition(|number| is_of_order || self.trouble.faults[*number].aim == Aim::Request);
        self.trouble.lurking = others;
        for number in hits {
            let is_kill = self.trouble.faults[number].kind.kills();
            let within = if is_kill { KILLS_WITHIN_NS } else { STRIKES_WITHIN_NS };
            let later =
                if self.trouble.rng.chance(1, 2) { self.trouble.rng.below(within) } else { 0 };
            let at = self.now.after(Nanos::new(later));
            self.put(at, Happening::FaultStrikes(number));
        }
    }

    pub(super) fn begin_fault(&mut self, number: usize) {
        let Fault { kind, venue, lasts, .. } = self.trouble.faults[number];
        let ends = self.now.after(lasts);
        self.put(ends, Happening::FaultEnds(number));
        self.trouble.active.begin(venue, kind);
        self.checks.on_fault(kind);
        self.chronicle.begin(self.now.since(START), self.trouble.faults[number]);
        self.excuse_until(ends.after(COMES_TO_REST_WITHIN));
        match kind {
            FaultKind::Restarting | FaultKind::PostOnly => self.watch.on_closed(&self.core, venue),
            FaultKind::PrivateUntold => self.watch.on_untold(&self.core, venue),
            FaultKind::Down => self.reset(venue),
            FaultKind::MarketLost => self.lose_links(venue, |link| link.kind == Kind::Market),
            FaultKind::Stalled => {
                self.trouble.stalled_until[venue] = self.trouble.stalled_until[venue].max(ends);
            }
            FaultKind::MarketFrozen => {
                let market = |link: &Link| link.venue == venue && link.kind == Kind::Market;
                let links: Vec<_> =
                    (0..self.links.len()).filter(|at| market(&self.links[*at])).collect();
                let frozen = *self.trouble.rng.pick(&links);
                self.links[frozen].frozen_since = Some(self.now);
            }
            FaultKind::TradesFail => self.put(self.now, Happening::TradeFails(number, ends)),
            FaultKind::LogFails => self.executors[venue].let_log_fail(true),
            FaultKind::Emptied => self.checks.expect_gone_until(ends.after(COMES_TO_REST_WITHIN)),
            FaultKind::Killed => self.kill(lasts),
            FaultKind::SnapshotLost => {
                self.life.loses.snapshot = true;
                self.kill(lasts);
            }
            FaultKind::JournalCut => {
                self.life.loses.journal = true;
                self.kill(lasts);
            }
            FaultKind::Suspended => self.suspend(ends),
            FaultKind::LatchFails => self.shell.let_latch_fail(true),
            FaultKind::Meddled => self.put(self.now, Happening::Meddle(number, ends)),
            FaultKind::SettlesLate => self.excuse_until(ends.after(SETTLES_WITHIN)),
            FaultKind::FramesLost
            | FaultKind::FramesTwice
            | FaultKind::NewFields
            | FaultKind::OddPrices => {
                let until = &mut self.trouble.spoilt_until[venue];
                *until = ends.after(SPOILT_FOR).max(*until);
            }
            FaultKind::ClockOff => {
                let (least, most) = CLOCK_OFF_MS;
                let error = Nanos::from_millis(self.trouble.rng.range(least, most));
                self.tell_running(Control::ClockError { error });
                if error >= STEP_MIN && self.life.is_running {
                    self.inbox.push_back(Event::Stall { span: error }); // a step, as production tells it
                }
            }
            FaultKind::Halted => self.shell.halt_now(self.now),
            FaultKind::LimitLowered => self.lower_limit(),
            _ => {}
        }
        lock(&self.venues).set_fault(&self.trouble.active, venue, self.now);
        self.carry_frames();
    }

    fn tell_running(&mut self, control: Control) {
        if self.life.is_running {
            self.inbox.push_back(Event::Control(control));
        }
    }

    /// A person lowers a limit: that of everything at risk below what is at risk, where anything is, or another one as far as it goes.
    fn lower_limit(&mut self) {
        if !self.life.is_running {
            return;
        }
        let at_risk = u64::try_from(self.core.stats().exposure.micros()).unwrap_or(0);
        let (row, value) = *self.trouble.rng.pick(&[
            (LimitRow::ExposureTotal, at_risk / 2),
            (LimitRow::DailyLoss, 1),
            (LimitRow::DailyLossStrategy, 1),
            (LimitRow::OrdersPerMinute, 1),
        ]);
        if row == LimitRow::ExposureTotal {
            if at_risk <= 2 * MICROS {
                return;
            }
            self.watch.add(45);
        }
        self.tell_running(Control::Limit { row, value });
    }

    /// A person asks for one thing after the other until `ends`, whether or not the last one is done.
    pub(super) fn meddle(&mut self, number: usize, ends: Nanos) {
        if self.now >= ends {
            return;
        }
        match self.trouble.rng.below(5) {
            0 | 1 => self.shell.halt_now(self.now),
            2 | 3 => self.shell.resume_now(self.now),
            _ => self.lower_limit(),
        }
        let (least, most) = MEDDLES_EVERY_MS;
        let next = self.now.after(Nanos::from_millis(self.trouble.rng.range(least, most)));
        self.put(next, Happening::Meddle(number, ends));
    }

    /// The program stands still until then.
    fn suspend(&mut self, until: Nanos) {
        if self.life.is_running && self.life.still_until == Nanos::ZERO {
            self.put(until, Happening::GoesOn(self.now));
            self.life.still_until = until;
        }
    }

    /// The program goes on after it stood still since then: the core hears of that before anything that waited meanwhile.
    pub(super) fn go_on(&mut self, since: Nanos) {
        self.life.still_until = Nanos::ZERO;
        let span = self.now.since(since);
        if span >= STALL_MIN {
            self.inbox.push_front(Event::Stall { span });
        }
    }

    pub(super) fn end_fault(&mut self, number: usize) {
        let Fault { kind, venue, .. } = self.trouble.faults[number];
        self.trouble.active.end(venue, kind);
        self.chronicle.end(self.now.since(START), self.trouble.faults[number]);
        let is_dark = |venue| self.trouble.active.is(venue, FaultKind::Down);
        if kind == FaultKind::Down && !Venue::ALL.into_iter().any(is_dark) {
            self.watch.add(32);
        }
        if kind == FaultKind::LogFails {
            let fails = self.trouble.active.is(venue, kind);
            self.executors[venue].let_log_fail(fails);
        }
        match kind {
            FaultKind::ClockOff => self.tell_running(Control::ClockError { error: Nanos::ZERO }),
            FaultKind::Halted => self.shell.resume_now(self.now),
            FaultKind::LimitLowered => self.kill(LIFTED_AFTER),
            FaultKind::Meddled => {
                self.shell.resume_now(self.now);
                self.kill(LIFTED_AFTER);
            }
            FaultKind::LatchFails => {
                let fails = self.trouble.active.is_anywhere(kind);
                self.shell.let_latch_fail(fails);
            }
            _ => {}
        }
        lock(&self.venues).set_fault(&self.trouble.active, venue, self.now);
        self.carry_frames();
    }

    /// Every connection to a venue breaks; nobody knows what of what was on the way arrives.
    fn reset(&mut self, venue: Venue) {
        self.lose_links(venue, |_| true);
        for lane in self.executors[venue].lanes() {
            self.executors[venue].break_off(self.now, lane);
        }
    }

    fn lose_links(&mut self, venue: Venue, which: impl Fn(&Link) -> bool) {
        for at in 0..self.links.len() {
            if self.links[at].venue == venue && which(&self.links[at]) {
                self.lose(at);
            }
        }
        self.inbox.extend(self.events.drain(..));
    }

    pub(super) fn fail_trade(&mut self, number: usize, ends: Nanos) {
        if self.now >= ends {
            return;
        }
        if self.trouble.rng.chance(1, 2) && lock(&self.venues).fail_trade(self.now) {
            self.checks.on_trade_failed();
        }
        self.carry_frames();
        self.put(self.now.after(TRADE_FAILS_EVERY), Happening::TradeFails(number, ends));
    }
}

/// A message in which the first price of a level is none of the market's, where it has one.
fn with_odd_price(mut text: String) -> String {
    for name in ["\"price\":\"0.", "\"price_dollars\":\"0."] {
        let Some(at) = text.find(name) else { continue };
        let begins = at + name.len();
        let Some(digits) = text[begins..].find('"') else { continue };
        let kept = digits.min(2);
        text.replace_range(begins + kept..begins + digits, &"5555"[kept..]);
        break;
    }
    text
}

/// Whether a request places, cancels or changes an order.
pub(super) fn is_of_order(bytes: &[u8]) -> bool {
    let is_order = |line: &[u8]| {
        line.starts_with(b"DELETE ")
            || line.starts_with(b"POST ") && line.windows(6).any(|part| part == b"/order")
    };
    bytes.split(|byte| *byte == b'\r').next().is_some_and(is_order)
}

/// Whether a request places an order.
pub(super) fn is_placement(bytes: &[u8]) -> bool {
    let line = bytes.split(|byte| *byte == b'\r').next().unwrap_or_default();
    let has = |word: &[u8]| line.windows(word.len()).any(|part| part == word);
    is_of_order(bytes) && line.starts_with(b"POST ") && !has(b"/amend") && !has(b"/decrease")
}

/// A request with the key of somebody else, which this header names.
fn with_another_key(bytes: &[u8], header: &str) -> Vec<u8> {
    let mut text = String::from_utf8_lossy(bytes).into_owned();
    let begins = text.find(header).map(|at| at + header.len() + 2);
    if let Some(begins) = begins {
        text.replace_range(begins..begins + 4, "0000");
    }
    text.into_bytes()
}
