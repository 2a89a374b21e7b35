//! Stops orders that a venue in trouble would not take.

use surefoot_hot::units::Nanos;

/// Stops orders after repeated failures, then lets one through to see.
#[derive(Clone, Debug)]
pub struct Breaker {
    /// How long it stays open at first for orders that open something. Doubled for each probe that the venue turns away for
    /// who we are: another first leg costs money, and that will not be over in a minute.
    open_for: Nanos,
    failures: u32,
    open_until: Option<Nanos>,
    probing: bool,
    /// Whether the probe that is out is an urgent order.
    urgent: bool,
    /// When the last probe went.
    probed: Nanos,
    /// The same before the probe that is out: put back where it did not leave.
    probed_before: Nanos,
    /// Probes in a row that the venue refused for who we are, without a look at the order.
    refused: u32,
    opened: u64,
}

/// Failures in a row that open it.
pub const FAILURES_MAX: u32 = 5;
/// How often its time is doubled at most: 16 minutes of a minute.
const DOUBLINGS_MAX: u32 = 4;
/// How often an order that hedges or reduces may be the probe while it is open: contracts without a partner cannot wait
/// for that time to pass.
pub const PROBE_EVERY: Nanos = Nanos::from_millis(750);

impl Breaker {
    /// A closed one that stays open for so long at first.
    pub const fn new(open_for: Nanos) -> Self {
        Self {
            open_for,
            failures: 0,
            open_until: None,
            probing: false,
            urgent: false,
            probed: Nanos::ZERO,
            probed_before: Nanos::ZERO,
            refused: 0,
            opened: 0,
        }
    }

    /// Whether an order may go; the first after an opening is the probe, and the only one until it is answered.
    /// `urgent`: it hedges or reduces what is held.
    pub fn admits(&mut self, now: Nanos, urgent: bool) -> bool {
        let Some(until) = self.open_until else { return true };
        let probe_at = if urgent { self.probed.after(PROBE_EVERY) } else { until };
        if self.probing || now < probe_at {
            return false;
        }
        (self.probing, self.urgent) = (true, urgent);
        (self.probed_before, self.probed) = (self.probed, now);
        true
    }

    /// The admitted order did not leave after all: it probed nothing.
    pub fn withdraw(&mut self) {
        if self.probing {
            self.probing = false;
            self.probed = self.probed_before;
        }
    }

    /// The venue answered as it should, if only to refuse.
    pub fn on_success(&mut self) {
        self.failures = 0;
        self.open_until = None;
        self.probing = false;
        self.refused = 0;
    }

    /// No answer, or one that says the venue is not well. `for_who_we_are`: it will not have orders of ours at all.
    pub fn on_failure(&mut self, now: Nanos, for_who_we_are: bool) {
        self.failures = self.failures.saturating_add(1);
        if !self.probing && self.failures < FAILURES_MAX {
            return;
        }
        self.opened += u64::from(self.open_until.is_none() || self.probing);
        match (for_who_we_are, self.probing && self.urgent) {
            (true, false) => self.refused += 1,
            (true, true) => {} // urgent ones come every second: they say nothing about a longer time
            (false, _) => self.refused = 0,
        }
        let doublings = self.refused.saturating_sub(1).min(DOUBLINGS_MAX);
        let until = now.after(Nanos::new(self.open_for.get() << doublings));
        self.open_until = Some(self.open_until.map_or(until, |open| open.max(until)));
        self.probing = false;
    }

    /// Whether it holds orders that open something.
    pub fn is_open(&self, now: Nanos) -> bool {
        self.open_until.is_some_and(|until| now < until || self.probing)
    }

    /// Until when it holds orders that open something, if it does; past while its probe is out or waited for.
    pub(super) const fn open_until(&self) -> Option<Nanos> {
        self.open_until
    }

    /// Times it opened.
    pub fn opened(&self) -> u64 {
        self.opened
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPEN_FOR: Nanos = Nanos::from_secs(60);

    #[test]
    fn the_breaker_opens_probes_once_and_closes_again() {
        let mut breaker = Breaker::new(OPEN_FOR);
        let mut now = Nanos::from_secs(100);
        for _ in 0..FAILURES_MAX - 1 {
            assert!(breaker.admits(now, false));
            breaker.on_failure(now, false);
        }
        breaker.on_success();
        for _ in 0..FAILURES_MAX {
            assert!(breaker.admits(now, false));
            breaker.on_failure(now, false);
        }
        assert!(!breaker.admits(now, false));
        now = now.after(OPEN_FOR);
        assert!(breaker.admits(now, false));
        assert!(!breaker.admits(now, false), "one probe");
        breaker.on_failure(now, false);
        assert!(!breaker.admits(now.after(Nanos::from_secs(59)), false));
        now = now.after(OPEN_FOR);
        assert!(breaker.admits(now, false));
        breaker.withdraw();
        assert!(breaker.admits(now, false), "a probe that never left is none");
        breaker.on_success();
        assert!(breaker.admits(now, false) && breaker.admits(now, false));
        assert_eq!(breaker.opened(), 2);
    }

    fn opened(open_for: Nanos, now: Nanos, for_who_we_are: bool) -> Breaker {
        let mut breaker = Breaker::new(open_for);
        for _ in 0..FAILURES_MAX {
            assert!(breaker.admits(now, false));
            breaker.on_failure(now, for_who_we_are);
        }
        breaker
    }

    #[test]
    fn an_urgent_order_probes_once_in_a_while_and_its_success_lets_everybody_through() {
        let start = Nanos::from_secs(100);
        let mut breaker = opened(OPEN_FOR, start, false);
        assert!(!breaker.admits(start, false) && breaker.is_open(start));
        let mut now = start;
        let mut probes = 0;
        while now < start.after(Nanos::from_secs(10)) {
            if breaker.admits(now, true) {
                assert!(!breaker.admits(now, true), "one at a time");
                breaker.on_failure(now, false);
                probes += 1;
            }
            now = now.after(Nanos::from_millis(1));
        }
        assert!((10..=14).contains(&probes), "about one a second: {probes}");
        assert!(
            !breaker.admits(start.after(OPEN_FOR), false),
            "each failure is a reason to wait longer"
        );
        now = now.after(PROBE_EVERY);
        assert!(breaker.admits(now, true));
        breaker.withdraw();
        assert!(breaker.admits(now, true), "it never left");
        breaker.on_success();
        assert!(breaker.admits(now, false) && !breaker.is_open(now));
    }

    #[test]
    fn a_venue_that_turns_us_away_is_tried_less_and_less() {
        for open_for in [OPEN_FOR, Nanos::from_secs(5)] {
            let mut now = Nanos::from_secs(100);
            let mut breaker = opened(open_for, now, true);
            for times in [1, 2, 4, 8, 16, 16] {
                let wait = Nanos::new(open_for.get() * times);
                assert!(!breaker.admits(now.after(Nanos::new(wait.get() - 1)), false), "{times}");
                now = now.after(wait);
                assert!(breaker.admits(now, false), "{times}");
                breaker.on_failure(now, true);
            }
        }
    }
}
