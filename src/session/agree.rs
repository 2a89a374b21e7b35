//! Comparing with the venues: at the start, before a resume, and while running.

use std::time::{Duration, Instant};

use surefoot_cold::reconcile::{self, Reader, Truth, settled_truth};
use surefoot_hot::event::{Control as Tell, Event, HaltWhy};
use surefoot_hot::ids::Venue;
use surefoot_hot::units::Nanos;

use super::{RECONCILE_EVERY, Running, STATS_LAG};
use crate::results::Results;

/// How often a read of both venues is tried again because something of ours moved meanwhile.
const AGREE_TRIES: u32 = 20;

/// Whom to ask what is true: a reader for each venue, and the results of markets.
#[derive(Default)]
pub(super) struct Readers {
    pub(super) accounts: Vec<Box<dyn Reader>>,
    pub(super) results: Option<Results>,
}
/// The readers, results not told yet, and what the venues say, each since when it was asked.
pub(super) type Check =
    std::thread::JoinHandle<(Readers, Vec<Event>, Vec<(Venue, Nanos, Result<Truth, String>)>)>;

impl Running {
    /// Takes both venues' word, read twice the same, until the core agrees: it does not where anything of ours moved
    /// while they were asked.
    pub(super) fn agree(&mut self) -> Result<(), String> {
        self.end_check();
        let mut readers = std::mem::take(&mut self.readers);
        let agreed = match &mut readers.results {
            Some(results) => self.agree_with(&readers.accounts, results),
            None => Err("nobody is left to ask".to_owned()),
        };
        self.readers = readers;
        if agreed.is_ok() {
            self.compared = Some(Instant::now());
        }
        agreed
    }

    fn agree_with(
        &mut self,
        accounts: &[Box<dyn Reader>],
        results: &mut Results,
    ) -> Result<(), String> {
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
            // What settled while nobody listened is told first: it is a result, not a difference.
            for event in results.read()? {
                self.engine.tell(event);
            }
            for reader in accounts {
                let since = self.engine.clock.now();
                let truth = settled_truth(reader.as_ref(), 6, Duration::from_millis(250))?;
                let venue = reader.venue();
                self.tell_truth(venue, &truth, since);
                for foreign in truth.foreign.iter().filter(|_| !told) {
                    eprintln!(
                        "surefoot: {} holds {foreign}, which is not followed here: left alone",
                        venue.name()
                    );
                }
            }
            told = true;
            std::thread::sleep(STATS_LAG);
        }
        Err(self.disagreement())
    }

    /// Why the core does not agree, for a person.
    fn disagreement(&mut self) -> String {
        let stats = *self.engine.stats();
        if stats.orders_live > 0 {
            return "something of ours moved whenever they were asked".to_owned();
        }
        let gone: Vec<_> = stats
            .doubts
            .iter()
            .flat_map(surefoot_hot::stats::Doubts::shown)
            .filter_map(|market| Some(self.directory.entry(market)?.names.id().to_owned()))
            .collect();
        let what = if gone.is_empty() { "cash".to_owned() } else { gone.join(", ") };
        format!(
            "a venue says that it holds nothing of what is counted here ({what}), and its own trades do not explain \
             that: not believed, because a venue in trouble answers so. Look at the venue's own pages. If the money was \
             moved by hand, pay any amount in, or begin with a new state directory"
        )
    }

    fn tell_truth(&mut self, venue: Venue, truth: &Truth, since: Nanos) {
        self.foreign.read(venue, truth);
        self.engine.tell(Event::Control(Tell::Reading { venue, since }));
        let markets = self.directory.of(venue).map(|entry| entry.def.market);
        for event in reconcile::events(venue, truth, markets) {
            self.engine.tell(event);
        }
        self.engine.tell(Event::Control(Tell::Reconciled { venue, clean: true }));
    }

    /// Begins to compare while running. The core knows what may have moved while the venues were asked.
    pub(super) fn begin_check(&mut self) {
        let mut readers = std::mem::take(&mut self.readers);
        let clock = self.engine.clock.clone();
        let read = move || {
            let read_one = |reader: &dyn Reader| {
                let since = clock.now();
                (reader.venue(), since, reader.truth().map_err(|error| error.to_string()))
            };
            let results = readers.results.as_mut().map(Results::read);
            let results = results.and_then(Result::ok).unwrap_or_default(); // next time, then
            let truths = readers.accounts.iter().map(|reader| read_one(reader.as_ref())).collect();
            (readers, results, truths)
        };
        match std::thread::Builder::new().name("reconcile".into()).spawn(read) {
            Ok(thread) => self.check = Some(thread),
            Err(error) => {
                // The readers went with it: from here on nothing could be compared.
                self.halt("thread", &format!("starting reconciliation: {error}"), HaltWhy::Thread);
            }
        }
    }

    /// Waits for the comparison under way, if there is one, and tells the core.
    pub(super) fn end_check(&mut self) {
        let Some(thread) = self.check.take() else { return };
        let Ok((readers, results, truths)) = thread.join() else {
            return self.halt("thread", "reconciliation failed an assertion", HaltWhy::Thread);
        };
        self.readers = readers;
        for event in results {
            self.engine.tell(event);
        }
        if truths.len() == Venue::ALL.len() && truths.iter().all(|(.., truth)| truth.is_ok()) {
            self.compared = Some(Instant::now());
        }
        for (venue, since, truth) in truths {
            match truth {
                Ok(truth) => self.tell_truth(venue, &truth, since),
                Err(error) => eprintln!(
                    "surefoot: {error}; {} is asked again in {} s",
                    venue.name(),
                    RECONCILE_EVERY.as_secs()
                ),
            }
        }
    }
}
