//! Comparing with the venues: at the start, before a resume, and while running.
//!
//! While running, each venue is read by a thread of its own, so that one that hangs keeps nobody from comparing with
//! the other.

use std::collections::BTreeSet;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use surefoot_cold::reconcile::{self, Reader, Truth, TruthError, settled_truth};
use surefoot_hot::event::{Control as Tell, Event, HaltWhy};
use surefoot_hot::ids::{FillId, MarketId, Venue};
use surefoot_hot::report::{Finality, Report};
use surefoot_hot::stats::Doubts;
use surefoot_hot::units::Nanos;

use super::{Running, STATS_LAG};
use crate::clock::Clock;
use crate::results::Results;

/// How often each venue is read.
const READ_EVERY: Duration = Duration::from_secs(12);
/// How soon it is read again while the venues and we do not agree.
const READ_AGAIN: Duration = Duration::from_secs(5);
/// The pauses after reads that failed one after the other.
const RETRY_AFTER: [Duration; 3] =
    [Duration::from_secs(5), Duration::from_secs(10), Duration::from_secs(20)];
/// How often the venues are read at most until the core agrees.
const AGREE_TRIES: u32 = 20;

/// Who asks one venue what is true.
pub(super) struct Asker {
    account: Box<dyn Reader>,
    results: Results,
    /// Confirmed fills that the core was told of: those of the last reading.
    confirmed: BTreeSet<FillId>,
}

/// What a venue answered.
struct Answer {
    /// When the first question left.
    since: Nanos,
    /// Results that were not told yet.
    settled: Vec<Event>,
    truth: Result<Truth, TruthError>,
    /// What the venue's trades come to in markets whose contracts were gone at the last reading.
    history: Vec<Event>,
}

/// The comparisons with one venue while running.
pub(super) struct VenueCheck {
    /// Elsewhere while `thread` has it.
    asker: Option<Asker>,
    thread: Option<JoinHandle<(Asker, Answer)>>,
    /// When it was last asked.
    asked: Instant,
    /// Reads that failed since the last one that did not.
    failures: usize,
    /// Whether the venue refused our key when it was last asked.
    pub(super) credentials_refused: bool,
    /// Whether to ask as soon as nobody is at it.
    at_once: bool,
}

impl Asker {
    fn ask(&mut self, clock: &Clock, doubts: &[MarketId]) -> Answer {
        // Results come first: a market that was paid is a result, not a difference.
        let settled = self.results.read().unwrap_or_default(); // next time, then
        let since = clock.now();
        let history = self.history(doubts);
        Answer { since, settled, truth: self.account.truth(), history }
    }

    /// What the venue's own trades say of markets whose contracts are gone from its list.
    fn history(&self, doubts: &[MarketId]) -> Vec<Event> {
        let ask = |&market: &MarketId| {
            let (yes, no) = self.account.history(market).ok()??;
            Some(Event::Control(Tell::History { market, yes, no }))
        };
        doubts.iter().filter_map(ask).collect()
    }

    /// Fills that the venue has confirmed since the last reading.
    fn newly_confirmed(&mut self, truth: &Truth) -> Vec<FillId> {
        let now: BTreeSet<_> = truth.confirmed.iter().copied().collect();
        let new = now.difference(&self.confirmed).copied().collect();
        self.confirmed = now;
        new
    }

    /// What has settled and was not told yet; nothing where the venue does not answer.
    pub(super) fn settled(&mut self) -> Vec<Event> {
        self.results.read().unwrap_or_default()
    }

    /// See [`settled_truth`].
    pub(super) fn truth_at_end(&self) -> Result<Truth, String> {
        // The last fills of a stream may be a moment behind the answers.
        settled_truth(self.account.as_ref(), 8, Duration::from_millis(200))
    }
}

impl VenueCheck {
    pub(super) fn new(account: Box<dyn Reader>, results: Results) -> Self {
        let asker = Asker { account, results, confirmed: BTreeSet::new() };
        Self {
            asker: Some(asker),
            thread: None,
            asked: Instant::now(),
            failures: 0,
            credentials_refused: false,
            at_once: false,
        }
    }

    /// Whoever can ask, unless a thread has failed with it.
    pub(super) fn asker(&mut self) -> Option<&mut Asker> {
        self.asker.as_mut()
    }

    fn pause(&self, agreed: bool) -> Duration {
        pause(self.failures, agreed)
    }
}

/// How long after the last question the next one is due.
fn pause(failures: usize, agreed: bool) -> Duration {
    match (failures, agreed) {
        (0, true) => READ_EVERY,
        (0, false) => READ_AGAIN,
        (failures, _) => RETRY_AFTER[failures.min(RETRY_AFTER.len()) - 1],
    }
}

impl Running {
    /// Takes both venues' word, read twice the same, until the core agrees.
    pub(super) fn agree(&mut self) -> Result<(), String> {
        self.end_checks();
        let mut told = false;
        for _ in 0..AGREE_TRIES {
            let stats = *self.engine.stats();
            if told && stats.reconciled {
                return Ok(());
            }
            if stats.orders_live > 0 {
                std::thread::sleep(STATS_LAG);
                continue;
            }
            for venue in Venue::ALL {
                let check = &mut self.checks[venue.index()];
                let mut asker = check.asker.take().ok_or("nobody is left to ask")?;
                let read = self.agree_with(venue, &mut asker);
                self.checks[venue.index()].asker = Some(asker);
                read?;
            }
            told = true;
            std::thread::sleep(STATS_LAG);
        }
        Err(self.disagreement())
    }

    fn agree_with(&mut self, venue: Venue, asker: &mut Asker) -> Result<(), String> {
        // What settled while nobody listened is told first: it is a result, not a difference.
        for event in asker.results.read()? {
            self.engine.tell(event);
        }
        let doubts: Vec<_> = self.engine.stats().doubts[venue.index()].shown().collect();
        let since = self.engine.clock.now();
        let truth = settled_truth(asker.account.as_ref(), 6, Duration::from_millis(250))?;
        let history = asker.history(&doubts);
        let confirmed = asker.newly_confirmed(&truth);
        self.tell_truth(venue, &truth, since, confirmed, history);
        Ok(())
    }

    /// Why the core does not agree, for a person.
    fn disagreement(&mut self) -> String {
        let stats = *self.engine.stats();
        if stats.orders_live > 0 {
            return "orders of ours were in flight whenever they were asked".to_owned();
        }
        let name = |market| Some(self.directory.entry(market)?.names.id().to_owned());
        let gone: Vec<_> = stats.doubts.iter().flat_map(Doubts::shown).filter_map(name).collect();
        let what = if gone.is_empty() { "cash".to_owned() } else { gone.join(", ") };
        format!(
            "a venue says that it holds nothing of what is counted here ({what}), and its own trades do not explain \
             that: not believed, because a venue in trouble answers so. Look at the venue's own pages. If the money was \
             moved by hand, pay any amount in, or begin with a new state directory"
        )
    }

    fn tell_truth(
        &mut self,
        venue: Venue,
        truth: &Truth,
        since: Nanos,
        confirmed: Vec<FillId>,
        history: Vec<Event>,
    ) {
        self.foreign.read(venue, truth);
        for fill in confirmed {
            self.engine.tell(Event::Report(Report::Finality { fill, state: Finality::Final }));
        }
        self.engine.tell(Event::Control(Tell::Reading { venue, since }));
        for event in history {
            self.engine.tell(event);
        }
        let markets = self.directory.of(venue).map(|entry| entry.def.market);
        for event in reconcile::events(venue, truth, markets) {
            self.engine.tell(event);
        }
        self.engine.tell(Event::Control(Tell::Reconciled { venue, clean: true }));
    }

    /// How long ago the core compared with the venue that was compared with longest ago; `None` before it has compared
    /// with both.
    pub(super) fn compared_ago(&mut self) -> Option<Duration> {
        let [one, other] = self.engine.stats().compared;
        let oldest = one.min(other);
        let age = self.engine.clock.now().since(oldest).get();
        (oldest != Nanos::ZERO).then(|| Duration::from_nanos(age))
    }

    /// Compares with each venue when that is due, or at once where its streams have come back (`came_back`).
    pub(super) fn check_venues(&mut self, came_back: bool) {
        let agreed = self.engine.stats().reconciled;
        for venue in Venue::ALL {
            let check = &mut self.checks[venue.index()];
            check.at_once |= came_back;
            match &check.thread {
                Some(thread) if thread.is_finished() => self.end_check(venue),
                Some(_) => {}
                None => {
                    let due = check.at_once || check.asked.elapsed() >= check.pause(agreed);
                    if self.open && due {
                        self.begin_check(venue);
                    }
                }
            }
        }
    }

    fn begin_check(&mut self, venue: Venue) {
        let doubts: Vec<_> = self.engine.stats().doubts[venue.index()].shown().collect();
        let check = &mut self.checks[venue.index()];
        let Some(mut asker) = check.asker.take() else { return };
        (check.at_once, check.asked) = (false, Instant::now());
        let clock = self.engine.clock.clone();
        let read = move || {
            let answer = asker.ask(&clock, &doubts);
            (asker, answer)
        };
        match std::thread::Builder::new().name("reconcile".into()).spawn(read) {
            Ok(thread) => check.thread = Some(thread),
            Err(error) => {
                // Whoever asks went with it: from here on nothing could be compared.
                self.halt("thread", &format!("starting reconciliation: {error}"), HaltWhy::Thread);
            }
        }
    }

    /// Waits for the comparisons under way, if there are any, and tells the core.
    pub(super) fn end_checks(&mut self) {
        for venue in Venue::ALL {
            self.end_check(venue);
        }
    }

    fn end_check(&mut self, venue: Venue) {
        let check = &mut self.checks[venue.index()];
        let Some(thread) = check.thread.take() else { return };
        let Ok((mut asker, answer)) = thread.join() else {
            return self.halt("thread", "reconciliation failed an assertion", HaltWhy::Thread);
        };
        let Answer { since, settled, truth, history } = answer;
        let confirmed =
            truth.as_ref().map_or_else(|_| Vec::new(), |truth| asker.newly_confirmed(truth));
        check.asker = Some(asker);
        for event in settled {
            self.engine.tell(event);
        }
        self.checks[venue.index()].credentials_refused =
            truth.as_ref().is_err_and(TruthError::refuses_credentials);
        match truth {
            Ok(truth) => {
                self.checks[venue.index()].failures = 0;
                self.tell_truth(venue, &truth, since, confirmed, history);
            }
            Err(error) => {
                let check = &mut self.checks[venue.index()];
                check.failures += 1;
                let again = check.pause(false).as_secs();
                eprintln!("surefoot: {error}; {} is asked again in {again} s", venue.name());
                if !error.may_pass() {
                    self.engine.tell(Event::Control(Tell::Reconciled { venue, clean: false }));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_that_fail_are_tried_again_after_five_ten_and_twenty_seconds() {
        let seconds = |failures, agreed| pause(failures, agreed).as_secs();
        assert_eq!([seconds(0, true), seconds(0, false)], [12, 5]);
        assert_eq!([1, 2, 3, 4, 99].map(|failures| seconds(failures, true)), [5, 10, 20, 20, 20]);
    }
}
