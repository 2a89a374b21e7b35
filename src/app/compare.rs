//! Comparing with the venues. Each is read by a thread of its own, so that one that hangs keeps nobody from comparing with
//! the other, and the main thread from nothing.

use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::bounded;
use surefoot_cold::directory::Entry;
use surefoot_cold::policy::ReadResult;
use surefoot_cold::reconcile::{Reader, TruthError};
use surefoot_hot::ids::{MarketId, Venue};
use surefoot_hot::per_venue::PerVenue;
use surefoot_hot::stats::{Doubts, Stats};
use surefoot_hot::units::Nanos;

use super::Running;
use super::asker::{Answer, Asker};
use super::results::Results;
use crate::fault;

/// After a reading that failed an assertion.
const NOBODY_ASKS: &str =
    "it is compared with no more before a new start: `surefoot stop` and `surefoot start`";

/// The comparisons with one venue while running.
pub(super) struct VenueCheck {
    /// Elsewhere while `thread` has it.
    asker: Option<Asker>,
    pub(super) thread: Option<JoinHandle<(Asker, Answer)>>,
    /// Whether the venue refused our key when it was last asked.
    pub(super) credentials_refused: bool,
    /// When the newest reading began that the venue answered whole; zero before the first.
    pub(super) read_at: Nanos,
    /// Why the last reading that failed did so, for a person.
    pub(super) why: String,
    /// Markets that whoever asks has not heard of yet.
    new: Vec<Arc<Entry>>,
}

impl VenueCheck {
    pub(super) fn new(account: Box<dyn Reader>, results: Results) -> Self {
        let asker = Asker::new(account, results);
        Self {
            asker: Some(asker),
            thread: None,
            credentials_refused: false,
            read_at: Nanos::ZERO,
            why: String::new(),
            new: Vec::new(),
        }
    }

    /// One more market is followed: the next reading knows it.
    pub(super) fn follow(&mut self, entry: &Arc<Entry>) {
        self.new.push(Arc::clone(entry));
    }

    /// Whoever can ask, unless a thread has it or has failed with it; it hears of new markets.
    fn asker(&mut self) -> Option<&mut Asker> {
        let asker = self.asker.as_mut()?;
        self.new.drain(..).for_each(|entry| asker.follow(&entry));
        Some(asker)
    }

    /// Whoever can ask, for the last reading, after which nobody asks. Nobody where a thread has failed with it.
    pub(super) fn take_asker(&mut self) -> Option<Asker> {
        self.asker()?;
        self.asker.take()
    }
}

/// Has a thread of its own ask the venue. Whoever asks is handed over once the thread is there: one that cannot be started
/// costs a reading, not all of them.
pub(super) fn hand_to_thread<T: Send + 'static>(
    asker: Asker,
    ask: impl FnOnce(Asker) -> T + Send + 'static,
) -> Result<JoinHandle<T>, Box<(Asker, io::Error)>> {
    let (hand, handed) = bounded::<Asker>(1);
    let read =
        move || ask(handed.recv().expect("it is handed over as soon as this thread is there"));
    let started = if fault::no_thread() {
        Err(io::ErrorKind::WouldBlock.into())
    } else {
        std::thread::Builder::new().name("reconcile".into()).spawn(read)
    };
    match started {
        Ok(thread) => {
            hand.send(asker).expect("there is room for one, and the thread waits for it");
            Ok(thread)
        }
        Err(error) => Err(Box::new((asker, error))),
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
             its cash and positions with the venue's own pages"
        );
    }
    let why = match stats.unread_now {
        true => "something that a venue said of our orders or fills has not been read yet",
        false => "the comparison with the venues did not end in time",
    };
    format!("{why}. Look at `surefoot status`")
}

impl Running {
    /// Why the core does not agree, for a person.
    pub(super) fn disagreement(&mut self) -> String {
        let stats = *self.engine.stats();
        let name = |market| Some(self.catalogue.directory.entry(market)?.names.id().to_owned());
        let gone = stats.doubts.values().flat_map(Doubts::shown).filter_map(name).collect();
        differs(&stats, gone)
    }

    /// How long ago the core compared with the venue that was compared with longest ago; `None` before it has compared
    /// with both.
    pub(super) fn compared_ago(&mut self) -> Option<Duration> {
        let compared = self.engine.stats().compared;
        let oldest = compared.values().copied().min().unwrap_or(Nanos::ZERO);
        let age = self.engine.clock.now().since(oldest).get();
        (oldest != Nanos::ZERO).then(|| Duration::from_nanos(age))
    }

    /// Has a venue read. Whether somebody could be sent to.
    pub(super) fn begin_check(&mut self, venue: Venue) -> bool {
        let doubts: Vec<_> = self.engine.stats().doubts[venue].shown().collect();
        let check = &mut self.checks[venue];
        check.asker(); // hears of new markets
        let asker = check.asker.take().expect("a venue is read once at a time, while somebody can");
        let clock = self.engine.clock.clone();
        let read = move |mut asker: Asker| {
            let answer = asker.ask(|| clock.now(), &doubts);
            (asker, answer)
        };
        match hand_to_thread(asker, read) {
            Ok(thread) => {
                check.thread = Some(thread);
                true
            }
            Err(unstarted) => {
                let (asker, error) = *unstarted;
                check.asker = Some(asker);
                check.why =
                    format!("{}: no thread could be started to ask it: {error}", venue.name());
                false
            }
        }
    }

    /// Takes in the readings that have ended.
    pub(super) fn end_checks(&mut self) {
        for venue in Venue::ALL {
            let check = &mut self.checks[venue];
            let ended = check.thread.take_if(|thread| thread.is_finished());
            if let Some(thread) = ended {
                let result = match thread.join() {
                    Ok((asker, answer)) => self.end_check(venue, asker, answer),
                    Err(_) => {
                        let why = "reconciliation failed an assertion";
                        check.why = format!("{}: {why}; {NOBODY_ASKS}", venue.name());
                        ReadResult::Lost
                    }
                };
                self.policy.on_read(self.watched.now(), venue, result);
                self.carry_out();
            }
        }
    }

    /// Tells the core what a venue said.
    fn end_check(&mut self, venue: Venue, asker: Asker, answer: Answer) -> ReadResult {
        let check = &mut self.checks[venue];
        check.asker = Some(asker);
        check.credentials_refused =
            answer.truth.as_ref().is_err_and(TruthError::refuses_credentials);
        if let Ok(truth) = &answer.truth {
            check.read_at = answer.since;
            self.foreign.read(venue, truth, self.observer.announcer());
        }
        self.notices.on_results(answer.results());
        // What a reading did not know of says nothing of it.
        let new = &self.checks[venue].new;
        let is_known = |market: &MarketId| new.iter().all(|entry| entry.def.market != *market);
        let markets = self.catalogue.directory.of(venue).map(|entry| entry.def.market);
        for event in answer.events(venue, markets.filter(is_known)) {
            self.engine.tell(event);
        }
        let (result, why) = answer.outcome();
        if let Some(why) = why {
            self.checks[venue].why = why;
        }
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mere_difference_sends_nobody_to_pay_money_in() {
        let agreed = Stats { agrees: PerVenue::all(true), ..Stats::default() };
        let mut kalshi = agreed;
        kalshi.agrees[Venue::Kalshi] = false;
        let said = differs(&kalshi, Vec::new());
        assert!(said.contains("the figures of kalshi differ from ours"), "{said}");
        assert!(!said.contains("pay any amount in"), "{said}");
        assert!(differs(&agreed, Vec::new()).contains("did not end in time"));
        let unread = Stats { unread_now: true, ..agreed };
        assert!(differs(&unread, Vec::new()).contains("not been read yet"));
        kalshi.gone[Venue::Kalshi] = true;
        let said = differs(&kalshi, Vec::new());
        assert!(said.starts_with("kalshi says that it holds nothing"), "{said}");
        assert!(said.contains("(cash)") && said.contains("pay any amount in"), "{said}");
        assert!(differs(&kalshi, vec!["A".into(), "B".into()]).contains("(A, B)"));
    }
}
