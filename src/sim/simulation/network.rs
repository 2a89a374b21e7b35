//! The network between us and the venues, and what goes wrong there.

use surefoot_hot::event::Link as Kind;
use surefoot_hot::ids::Venue;
use surefoot_hot::per_venue::PerVenue;
use surefoot_hot::units::Nanos;

use super::{DIAL, Happening, REDIAL, START, Simulation};
use crate::sim::Broken;
use crate::sim::executor::Lane;
use crate::sim::fault::{Active, Aim, Fault, FaultKind};
use crate::sim::links::Link;
use crate::sim::transport::lock;
use crate::twin::http::Response;
use crate::twin::rng::Rng;
use crate::twin::world::WorldName;

/// How much longer a way may take while it is slow.
const LONGER_NS: u64 = 1_500_000_000;
/// How long a fault that is aimed at a request waits for one.
const LURKS_FOR: Nanos = Nanos::from_secs(120);
/// How long after a request has left what is aimed at one strikes at the latest; every other one strikes at once.
const STRIKES_WITHIN_NS: u64 = 20_000_000;
/// The same for a kill: most of what it may interrupt is over soon.
const KILLS_WITHIN_NS: u64 = 5_000_000;
/// How often a trade may be found not to settle while trades fail.
const TRADE_FAILS_EVERY: Nanos = Nanos::from_millis(150);
/// How long after a fault everything has to be as if it had not been (S11).
pub(super) const COMES_TO_REST_WITHIN: Nanos = Nanos::from_secs(180);

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
            rng: Rng::new(seed).fork(0x6869_7473),
            quoting: Rng::new(seed).fork(0x7175_6f74),
        }
    }
}

impl Simulation {
    /// Outside the calm world what the venues do does not end as faults do: what holds long after the last fault is asked at
    /// the end of the day alone.
    pub(super) fn excuse(&mut self, world: WorldName) {
        if world != WorldName::Calm {
            let over = START.after(self.span);
            self.checks.excuse_until(over);
            self.shell.excuse_until(over);
        }
    }

    pub(super) fn one_way(&mut self, venue: Venue) -> Nanos {
        let (least, spread) = self.accounts[venue].one_way();
        let longer = if self.trouble.active.is(venue, FaultKind::Slow) {
            self.trouble.rng.below(LONGER_NS)
        } else {
            0
        };
        Nanos::new(least + self.rng.below(spread) + longer)
    }

    /// When what leaves now arrives.
    pub(super) fn arrival(&mut self, venue: Venue) -> Nanos {
        self.now.max(self.trouble.stalled_until[venue]).after(self.one_way(venue))
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
            let at = now.after(self.one_way(venue));
            self.put(at, Happening::LaneLost(venue, lane));
            return Ok(());
        }
        let host = self.accounts[venue].orders_host();
        let answer = match hit {
            Some(FaultKind::Limited) => Response::empty(429).with("Retry-After", "1"),
            _ => lock(&self.venues).answer(host, bytes, now)?,
        };
        self.carry_frames();
        let at = self.arrival(venue);
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
            let is_kill = self.trouble.faults[number].kind == FaultKind::Killed;
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
            FaultKind::Restarting => self.watch.on_closed(&self.core, venue),
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
                self.links[frozen].is_frozen = true;
            }
            FaultKind::TradesFail => self.put(self.now, Happening::TradeFails(number, ends)),
            FaultKind::LogFails => self.executors[venue].let_log_fail(true),
            FaultKind::Emptied => self.checks.expect_gone_until(ends.after(COMES_TO_REST_WITHIN)),
            FaultKind::Killed => self.kill(lasts),
            _ => {}
        }
        lock(&self.venues).set_fault(&self.trouble.active, venue);
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
        lock(&self.venues).set_fault(&self.trouble.active, venue);
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

/// Whether a request places, cancels or changes an order.
pub(super) fn is_of_order(bytes: &[u8]) -> bool {
    let is_order = |line: &[u8]| {
        line.starts_with(b"DELETE ")
            || line.starts_with(b"POST ") && line.windows(6).any(|part| part == b"/order")
    };
    bytes.split(|byte| *byte == b'\r').next().is_some_and(is_order)
}
