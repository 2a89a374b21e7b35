//! Comparing with the venues. Each is read by a thread of its own, so that one that hangs keeps nobody from comparing with
//! the other, and the main thread from nothing.

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::bounded;
use surefoot_cold::directory::Entry;
use surefoot_cold::observe::told::NamedPlace;
use surefoot_cold::reconcile::{self, Reader, Truth, TruthError, settled_truth};
use surefoot_hot::event::{Control, Event};
use surefoot_hot::ids::{FillId, MarketId, Venue};
use surefoot_hot::per_venue::PerVenue;
use surefoot_hot::report::{Finality, Report};
use surefoot_hot::risk::HaltWhy;
use surefoot_hot::stats::{Doubts, Stats};
use surefoot_hot::units::Nanos;

use super::Running;
use super::results::Results;
use super::run_note::RunNote;
use crate::clock::Clock;
use crate::config::Times;
use crate::fault;

/// The pauses after reads that failed one after the other, in those of `times.compare_again_ms`.
const RETRY_AFTER: [u32; 3] = [1, 2, 4];
/// After a reading that failed an assertion.
const NOBODY_ASKS: &str =
    "it is compared with no more before a new start: `surefoot stop` and `surefoot start`";

/// Who asks one venue what is true.
pub(super) struct Asker {
    account: Box<dyn Reader>,
    results: Results,
    /// Confirmed fills that the core was told of: those of the last reading.
    confirmed: BTreeSet<FillId>,
}

/// What a venue answered.
pub(super) struct Answer {
    /// When the first question left.
    since: Nanos,
    /// Results that were not told yet, or why they could not be read.
    settled: Result<Vec<Event>, String>,
    truth: Result<Truth, TruthError>,
    /// What the venue's trades come to in markets whose contracts were gone at the last reading.
    history: Vec<Event>,
}

/// The comparisons with one venue while running.
pub(super) struct VenueCheck {
    /// Elsewhere while `thread` has it.
    asker: Option<Asker>,
    times: Times,
    pub(super) thread: Option<JoinHandle<(Asker, Answer)>>,
    /// When it was last asked.
    asked: Instant,
    /// Reads that failed since the last one that did not.
    failures: usize,
    /// Whether the venue refused our key when it was last asked.
    pub(super) credentials_refused: bool,
    /// When the newest reading began that the venue answered whole; zero before the first.
    pub(super) read_at: Nanos,
    /// Whether to ask as soon as nobody is at it.
    at_once: bool,
    /// Markets that whoever asks has not heard of yet.
    new: Vec<Arc<Entry>>,
}

impl Asker {
    /// One more market is followed.
    fn follow(&mut self, entry: &Entry) {
        self.account.follow(entry);
        self.results.follow(entry);
    }

    fn ask(&mut self, clock: &Clock, doubts: &[MarketId]) -> Answer {
        // Results come first: a market that was paid is a result, not a difference.
        let settled = self.results.read();
        let since = clock.now();
        let history = self.history(doubts);
        let truth = self.account.truth();
        Answer { since, settled, truth, history }
    }

    /// What the venue's own trades say of markets whose contracts are gone from its list.
    fn history(&self, doubts: &[MarketId]) -> Vec<Event> {
        let ask = |&market: &MarketId| {
            let (yes, no) = self.account.history(market).ok()??;
            Some(Event::Control(Control::History { market, yes, no }))
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

    /// What the venue says once it has said the same twice; see [`settled_truth`].
    pub(super) fn truth_at_end(&self) -> Result<Truth, String> {
        // The last fills of a stream may be a moment behind the answers.
        let truth = settled_truth(self.account.as_ref(), 8, Duration::from_millis(200));
        truth.map_err(|error| error.to_string())
    }
}

impl VenueCheck {
    pub(super) fn new(account: Box<dyn Reader>, results: Results, times: Times) -> Self {
        let asker = Asker { account, results, confirmed: BTreeSet::new() };
        Self {
            asker: Some(asker),
            times,
            thread: None,
            asked: Instant::now(),
            failures: 0,
            credentials_refused: false,
            read_at: Nanos::ZERO,
            at_once: false,
            new: Vec::new(),
        }
    }

    /// One more market is followed: the next reading knows it.
    pub(super) fn follow(&mut self, entry: &Arc<Entry>) {
        self.new.push(Arc::clone(entry));
    }

    /// Whoever can ask, unless a thread has failed with it.
    pub(super) fn asker(&mut self) -> Option<&mut Asker> {
        let asker = self.asker.as_mut()?;
        self.new.drain(..).for_each(|entry| asker.follow(&entry));
        Some(asker)
    }

    fn pause(&self, agreed: bool) -> Duration {
        pause(&self.times, self.failures, agreed)
    }
}

/// How the venues' word differs from ours, for a person. `gone` are the names of what a venue says it holds no more.
fn differs(stats: &Stats, gone: Vec<String>) -> String {
    let venues = |which: PerVenue<bool>| {
        let named = which.into_iter().filter(|(_, is)| *is);
        named.map(|(venue, _)| venue.name()).collect::<Vec<_>>().join(" and ")
    };
    if stats.gone.values().any(|gone| *gone) {
        let who = venues(stats.gone);
        let what = if gone.is_empty() { "cash".to_owned() } else { gone.join(", ") };
        return format!(
            "{who} says that it holds nothing of what is counted here ({what}), and its own trades do not explain that: \
             not believed, because a venue in trouble answers so. Look at the venue's own pages. If the money was moved \
             by hand, pay any amount in, or begin with a new state directory"
        );
    }
    if stats.agrees.values().any(|agrees| !agrees) {
        let who = venues(stats.agrees.map(|_, agrees| !agrees));
        return format!(
            "the figures of {who} differ from ours, or change each time they are read. Look at `surefoot status`, compare \
             its cash and positions with the venue's own pages, and ask again in a minute"
        );
    }
    "something that a venue said of our orders or fills has not been read yet. Look at `surefoot status`, and ask again in a \
     minute"
        .to_owned()
}

/// How long after the last question the next one is due.
fn pause(times: &Times, failures: usize, agreed: bool) -> Duration {
    match (failures, agreed) {
        (0, true) => times.compare,
        (0, false) => times.compare_again,
        (failures, _) => times.compare_again * RETRY_AFTER[failures.min(RETRY_AFTER.len()) - 1],
    }
}

impl Running {
    /// Why the core does not agree, for a person.
    pub(super) fn disagreement(&mut self) -> String {
        let stats = *self.engine.stats();
        let name = |market| Some(self.catalogue.directory.entry(market)?.names.id().to_owned());
        let gone = stats.doubts.values().flat_map(Doubts::shown).filter_map(name).collect();
        differs(&stats, gone)
    }

    fn tell_truth(
        &mut self,
        venue: Venue,
        truth: &Truth,
        since: Nanos,
        confirmed: Vec<FillId>,
        history: Vec<Event>,
    ) {
        self.foreign.read(venue, truth, self.observer.announcer());
        for fill in confirmed {
            self.engine.tell(Event::Report(Report::Finality { fill, state: Finality::Final }));
        }
        self.engine.tell(Event::Control(Control::Reading { venue, since }));
        for event in history {
            self.engine.tell(event);
        }
        // What a reading did not know of says nothing of it.
        let new = &self.checks[venue].new;
        let is_known = |market: &MarketId| new.iter().all(|entry| entry.def.market != *market);
        let markets = self.catalogue.directory.of(venue).map(|entry| entry.def.market);
        let markets = markets.filter(is_known);
        for event in reconcile::events(venue, truth, markets) {
            self.engine.tell(event);
        }
        self.engine.tell(Event::Control(Control::Reconciled { venue, clean: true }));
    }

    /// How long ago the core compared with the venue that was compared with longest ago; `None` before it has compared
    /// with both.
    pub(super) fn compared_ago(&mut self) -> Option<Duration> {
        let compared = self.engine.stats().compared;
        let oldest = compared.values().copied().min().unwrap_or(Nanos::ZERO);
        let age = self.engine.clock.now().since(oldest).get();
        (oldest != Nanos::ZERO).then(|| Duration::from_nanos(age))
    }

    /// Compares with each venue when that is due, or as soon as nobody is at it (`at_once`).
    pub(super) fn check_venues(&mut self, at_once: bool) {
        let agreed = self.engine.stats().reconciled;
        for venue in Venue::ALL {
            let check = &mut self.checks[venue];
            check.at_once |= at_once;
            match &check.thread {
                Some(thread) if thread.is_finished() => self.end_check_and_say(venue),
                Some(_) => {}
                None => {
                    let due = check.at_once || check.asked.elapsed() >= check.pause(agreed);
                    // Where nobody is left to ask, that was said when it came to that.
                    if self.is_open && due && check.asker.is_some() {
                        let begun = self.begin_check(venue);
                        self.say_unread_venue(venue, begun);
                    }
                }
            }
        }
    }

    /// Has a venue read, unless that is under way.
    ///
    /// # Errors
    /// Nobody can ask: the system has no thread for it now, or an earlier one failed an assertion.
    pub(super) fn begin_check(&mut self, venue: Venue) -> Result<(), String> {
        let doubts: Vec<_> = self.engine.stats().doubts[venue].shown().collect();
        let check = &mut self.checks[venue];
        (check.at_once, check.asked) = (false, Instant::now());
        check.asker(); // hears of new markets
        let Some(asker) = check.asker.take() else {
            return Err(format!("{}: {NOBODY_ASKS}", venue.name()));
        };
        let clock = self.engine.clock.clone();
        // Whoever asks is handed over once the thread is there: one that cannot be started costs a reading, not all of them.
        let (hand, handed) = bounded::<Asker>(1);
        let read = move || {
            let mut asker =
                handed.recv().expect("it is handed over as soon as this thread is there");
            let answer = asker.ask(&clock, &doubts);
            (asker, answer)
        };
        let started = if fault::no_thread() {
            Err(io::ErrorKind::WouldBlock.into())
        } else {
            std::thread::Builder::new().name("reconcile".into()).spawn(read)
        };
        match started {
            Ok(thread) => {
                hand.send(asker).expect("there is room for one, and the thread waits for it");
                check.thread = Some(thread);
                Ok(())
            }
            Err(error) => {
                check.asker = Some(asker);
                check.failures += 1;
                Err(format!("{}: no thread could be started to ask it: {error}", venue.name()))
            }
        }
    }

    /// Waits for the comparisons under way, if there are any, and tells the core.
    pub(super) fn end_checks(&mut self) {
        for venue in Venue::ALL {
            self.end_check_and_say(venue);
        }
    }

    fn end_check_and_say(&mut self, venue: Venue) {
        let ended = self.end_check(venue);
        self.say_unread_venue(venue, ended);
    }

    fn say_unread_venue(&mut self, venue: Venue, read: Result<(), String>) {
        if let Err(why) = read {
            let agreed = self.engine.stats().reconciled;
            let check = &self.checks[venue];
            let text = match check.asker {
                None => why,
                Some(_) => {
                    let again = check.pause(agreed).as_secs_f32();
                    format!("{why}; {} is asked again in {again} s", venue.name())
                }
            };
            self.tell_of(RunNote::ReadingFailed, NamedPlace::of_venue(venue), text);
        }
    }

    /// Waits for a comparison, if one is under way, and tells the core what the venue said.
    ///
    /// # Errors
    /// The venue could not be read whole, in words. What settled meanwhile may be missing: it is asked for next time.
    pub(super) fn end_check(&mut self, venue: Venue) -> Result<(), String> {
        let check = &mut self.checks[venue];
        let Some(thread) = check.thread.take() else { return Ok(()) };
        let Ok((mut asker, answer)) = thread.join() else {
            let why = "reconciliation failed an assertion";
            self.halt("thread", why, HaltWhy::Thread);
            return Err(format!("{}: {why}; {NOBODY_ASKS}", venue.name()));
        };
        let Answer { since, settled, truth, history } = answer;
        let confirmed =
            truth.as_ref().map_or_else(|_| Vec::new(), |truth| asker.newly_confirmed(truth));
        check.asker = Some(asker);
        check.credentials_refused = truth.as_ref().is_err_and(TruthError::refuses_credentials);
        check.failures = if truth.is_ok() { 0 } else { check.failures + 1 };
        if truth.is_ok() {
            check.read_at = since;
        }
        let (events, unsettled) = match settled {
            Ok(events) => (events, None),
            Err(why) => (Vec::new(), Some(why)),
        };
        for event in events {
            if let Event::Settled { market, .. } = event {
                self.notices.on_settled(market);
            }
            self.engine.tell(event);
        }
        match truth {
            Ok(truth) => self.tell_truth(venue, &truth, since, confirmed, history),
            Err(error) => {
                if !error.may_pass() {
                    self.engine.tell(Event::Control(Control::Reconciled { venue, clean: false }));
                }
                return Err(error.to_string());
            }
        }
        unsettled.map_or(Ok(()), Err)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn reads_that_fail_are_tried_again_after_five_ten_and_twenty_seconds() {
        let times = Config::demo().times;
        let seconds = |failures, agreed| pause(&times, failures, agreed).as_secs();
        assert_eq!([seconds(0, true), seconds(0, false)], [12, 5]);
        assert_eq!([1, 2, 3, 4, 99].map(|failures| seconds(failures, true)), [5, 10, 20, 20, 20]);
        let (compare, compare_again) = (Duration::from_secs(3), Duration::from_secs(1));
        let times = Times { compare, compare_again, ..times };
        let seconds = |failures, agreed| pause(&times, failures, agreed).as_secs();
        assert_eq!([seconds(0, true), seconds(0, false), seconds(2, true)], [3, 1, 2]);
    }

    #[test]
    fn a_mere_difference_sends_nobody_to_pay_money_in() {
        let agreed = Stats { agrees: PerVenue::all(true), ..Stats::default() };
        let mut kalshi = agreed;
        kalshi.agrees[Venue::Kalshi] = false;
        let said = differs(&kalshi, Vec::new());
        assert!(said.contains("the figures of kalshi differ from ours"), "{said}");
        assert!(!said.contains("pay any amount in"), "{said}");
        assert!(differs(&agreed, Vec::new()).contains("not been read yet"));
        kalshi.gone[Venue::Kalshi] = true;
        let said = differs(&kalshi, Vec::new());
        assert!(said.starts_with("kalshi says that it holds nothing"), "{said}");
        assert!(said.contains("(cash)") && said.contains("pay any amount in"), "{said}");
        assert!(differs(&kalshi, vec!["A".into(), "B".into()]).contains("(A, B)"));
    }
}
