//! Fees, read anew while a run goes on: every ten minutes, and soon after a venue has said that one has changed or that a
//! market's close has moved.
//!
//! Of the same listing `terms` takes over what the streams do not tell, and relations hear what they stand on (rule texts, events
//! and their members). Grid and status come by the streams, and may be newer than what is listed.

use std::collections::BTreeSet;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use surefoot_cold::directory::Entry;
use surefoot_cold::text::counted;
use surefoot_cold::venue::listing;
use surefoot_hot::ids::{ClusterId, MarketId, Venue};
use surefoot_hot::per_venue::PerVenue;
use surefoot_hot::units::Nanos;

use super::Running;
use super::run_note::RunNote;

/// How often they are read where no venue has said anything.
const READ_EVERY: Duration = Duration::from_secs(600);
/// The same while a venue does not list markets of an earlier run.
const READ_UNLISTED: Duration = Duration::from_secs(60);
/// How soon they are read again after a venue has said that one has changed or a close has moved, or a reading failed.
const READ_AGAIN: Duration = Duration::from_secs(10);

/// The markets of each venue with their fees, or why a venue could not be read.
type Read = PerVenue<Result<Vec<Entry>, String>>;

/// The reading that is under way, and when the last one began.
pub(super) struct FeeReading {
    asked: Option<JoinHandle<Read>>,
    began: Instant,
    /// The same on the clock of the core's events.
    pub at: Nanos,
    /// The markets that it asks for.
    pub markets: PerVenue<Vec<MarketId>>,
    /// Markets that could not be read, as far as that was said.
    pub unread: PerVenue<BTreeSet<MarketId>>,
    /// Venues that could not be read the last time.
    pub failed: PerVenue<bool>,
}

impl FeeReading {
    /// None yet: a start has just read everything.
    pub fn begin(now: Instant) -> Self {
        Self {
            asked: None,
            began: now,
            at: Nanos::ZERO,
            markets: PerVenue::default(),
            unread: PerVenue::default(),
            failed: PerVenue::default(),
        }
    }

    /// Whether one should begin, where a venue has said that fees or a close have changed or not, and where markets are missing from
    /// its list or not.
    fn is_due(&self, now: Instant, is_told: bool, is_missed: bool) -> bool {
        let after = match (is_told, is_missed) {
            (true, _) => READ_AGAIN,
            (false, true) => READ_UNLISTED,
            (false, false) => READ_EVERY,
        };
        self.asked.is_none() && now.duration_since(self.began) >= after
    }
}

impl Running {
    /// Takes over fees that have been read, and has them read where that is due.
    pub(super) fn tend_fees(&mut self) {
        let is_read = |asked: &mut JoinHandle<Read>| asked.is_finished();
        if let Some(asked) = self.fee_reading.asked.take_if(is_read) {
            // A thread that failed has read nothing: the venues' word stands, and they are asked again.
            let read = asked.join();
            self.take_fees(
                &read.unwrap_or_else(|_| {
                    PerVenue::from_fn(|_| Err("an assertion failed".to_owned()))
                }),
            );
        }
        let (told, missed) = (self.notices.wants_terms(), self.catalogue.has_unread());
        if self.fee_reading.is_due(Instant::now(), told, missed) {
            self.read_fees();
        }
    }

    fn read_fees(&mut self) {
        self.fee_reading.began = Instant::now();
        self.fee_reading.at = self.engine.clock.now();
        let metadata = PerVenue::from_fn(|venue| self.spec.access.metadata(venue));
        let directory = &self.catalogue.directory;
        let (markets, names) = PerVenue::from_fn(|venue| -> (Vec<_>, Vec<_>) {
            let followed = directory.of(venue).filter(|entry| {
                !directory.is_withdrawn(entry.def.market) && !entry.def.status.is_over()
            });
            followed.map(|entry| (entry.def.market, entry.names.id().to_owned())).unzip()
        })
        .unzip();
        self.fee_reading.markets = markets;
        let ask = move || {
            PerVenue::from_fn(|venue: Venue| {
                let cluster = |_: &str| ClusterId::new(0); // nobody looks at it
                let terms = listing(venue).terms(&metadata[venue], &names[venue], &cluster);
                terms.map(|terms| terms.entries)
            })
        };
        // Where no thread can be started it is tried again.
        if let Ok(asked) = std::thread::Builder::new().name("metadata".into()).spawn(ask) {
            self.notices.on_terms_asked();
            self.fee_reading.asked = Some(asked);
        }
    }

    fn take_fees(&mut self, read: &Read) {
        for (venue, entries) in read.iter() {
            self.notices.on_terms_read(venue, entries.is_ok());
            let entries = match entries {
                Ok(entries) => entries,
                Err(why) => {
                    self.terms_failed(venue, why);
                    continue;
                }
            };
            self.take_terms(venue, entries);
            self.take_facts(entries);
            let changes = self.catalogue.take_fees(entries);
            if changes.is_empty() {
                continue;
            }
            let text = format!("{}: fees of {} markets are others", venue.name(), changes.len());
            self.tell(RunNote::FeesRead, text);
            if let Err(why) = self.hand_on(changes) {
                self.tell(RunNote::FeesRead, format!("{}: {why}", venue.name()));
            }
        }
    }

    /// Takes over what relations stand on. Baskets that were made on what is not so any longer are revoked.
    fn take_facts(&mut self, entries: &[Entry]) {
        let mut next = self.catalogue.clone();
        let taken = next.take_facts(entries).and_then(|changes| {
            if !changes.is_empty() {
                self.save_names(&next)?;
            }
            let left_out = next.left_out[self.catalogue.left_out.len()..].to_vec();
            self.catalogue = next;
            for line in left_out {
                self.tell(RunNote::MarketLeftOut, format!("left out: {line}"));
            }
            self.hand_on(changes)
        });
        match taken {
            Ok(0) => {}
            Ok(baskets) => {
                let baskets = counted(baskets as u64, "basket", "baskets");
                let text = format!("a venue says something else of its markets: {baskets} changed");
                self.tell(RunNote::RelationsRead, text);
            }
            Err(why) => self.tell(RunNote::RelationsRead, why),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_of_a_venue_is_read_sooner_than_the_round_comes() {
        let begin = Instant::now();
        let reading = FeeReading::begin(begin);
        let at = |secs| begin + Duration::from_secs(secs);
        let due = |secs, told| reading.is_due(at(secs), told, false);
        assert_eq!([due(9, true), due(10, true)], [false, true]);
        assert_eq!([due(599, false), due(600, false)], [false, true]);
        assert_eq!([59, 60].map(|secs| reading.is_due(at(secs), false, true)), [false, true]);
        let asked = Some(std::thread::spawn(|| PerVenue::from_fn(|_| Ok(Vec::new()))));
        let reading = FeeReading { asked, ..FeeReading::begin(begin) };
        assert!(!reading.is_due(at(600), true, true), "one at a time");
    }
}
