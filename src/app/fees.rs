//! Fees, read anew while a run goes on: every ten minutes, and soon after a venue has said that one has changed.
//!
//! Only fees are taken over: grid, status and close of a market come by the streams, and may be newer than what is listed.

use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use surefoot_cold::directory::Entry;
use surefoot_cold::venue::listing;
use surefoot_hot::ids::{ClusterId, Venue};
use surefoot_hot::per_venue::PerVenue;

use super::Running;
use super::run_note::RunNote;

/// How often they are read where no venue has said anything.
const READ_EVERY: Duration = Duration::from_secs(600);
/// How soon they are read again after a venue has said that one has changed, or a reading failed.
const READ_AGAIN: Duration = Duration::from_secs(10);

/// The markets of each venue with their fees, or why a venue could not be read.
type Read = PerVenue<Result<Vec<Entry>, String>>;

/// The reading that is under way, and when the last one began.
pub(super) struct FeeReading {
    asked: Option<JoinHandle<Read>>,
    began: Instant,
}

impl FeeReading {
    /// None yet: a start has just read everything.
    pub fn begin(now: Instant) -> Self {
        Self { asked: None, began: now }
    }

    /// Whether one should begin, where a venue has said that fees have changed or not.
    fn is_due(&self, now: Instant, is_told: bool) -> bool {
        let after = if is_told { READ_AGAIN } else { READ_EVERY };
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
        let is_told = self.notices.fees().values().any(|told| *told);
        if self.fee_reading.is_due(Instant::now(), is_told) {
            self.read_fees();
        }
    }

    fn read_fees(&mut self) {
        self.fee_reading.began = Instant::now();
        let metadata = PerVenue::from_fn(|venue| self.spec.access.metadata(venue));
        let directory = &self.catalogue.directory;
        let names = PerVenue::from_fn(|venue| {
            let followed = directory.of(venue).filter(|entry| {
                !directory.is_withdrawn(entry.def.market) && !entry.def.status.is_over()
            });
            followed.map(|entry| entry.names.id().to_owned()).collect::<Vec<_>>()
        });
        let ask = move || {
            PerVenue::from_fn(|venue: Venue| {
                let cluster = |_: &str| ClusterId::new(0); // nobody looks at it
                let terms = listing(venue).terms(&metadata[venue], &names[venue], &cluster);
                terms.map(|terms| terms.entries)
            })
        };
        // Where no thread can be started it is tried again.
        if let Ok(asked) = std::thread::Builder::new().name("metadata".into()).spawn(ask) {
            self.notices.on_fees_asked();
            self.fee_reading.asked = Some(asked);
        }
    }

    fn take_fees(&mut self, read: &Read) {
        for (venue, entries) in read.iter() {
            self.notices.on_fees_read(venue, entries.is_ok());
            let Ok(entries) = entries else { continue };
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_of_a_venue_is_read_sooner_than_the_round_comes() {
        let begin = Instant::now();
        let reading = FeeReading::begin(begin);
        let due = |secs, told| reading.is_due(begin + Duration::from_secs(secs), told);
        assert_eq!([due(9, true), due(10, true)], [false, true]);
        assert_eq!([due(599, false), due(600, false)], [false, true]);
        let asked = Some(std::thread::spawn(|| PerVenue::from_fn(|_| Ok(Vec::new()))));
        let reading = FeeReading { asked, began: begin };
        assert!(!reading.is_due(begin + Duration::from_secs(600), true), "one at a time");
    }
}
