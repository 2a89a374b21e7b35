//! When each venue is read: now and then while venue and core agree, sooner while they do not, and after failures with
//! pauses that grow up to eightfold. From the second failure on a pause is up to a quarter shorter, by an amount that differs from
//! one to the next: whoever else waits for the venue does not come back in step with us.
//!
//! This part keeps that a venue is never read twice at the same time, and that a venue whose reader failed an assertion is
//! asked no more.

use std::time::Duration;

use surefoot_hot::hash::Hash64;
use surefoot_hot::ids::Venue;
use surefoot_hot::per_venue::PerVenue;

use super::wants::ReadResult;

/// The pauses after readings that failed one after the other, in those of [`ReadTimes::again`].
const RETRY_AFTER: [u32; 4] = [1, 2, 4, 8];

/// How often each venue is read. The time between two readings runs from question to question.
#[derive(Clone, Copy, Debug)]
pub struct ReadTimes {
    /// While venue and core agree.
    pub every: Duration,
    /// While they do not, and after a reading that failed; doubled up to three times where further ones fail.
    pub again: Duration,
}

/// The readings of one venue.
#[derive(Clone, Copy, Debug, Default)]
struct VenueReadings {
    /// When the newest reading was asked for, as time since the run began.
    asked: Duration,
    /// Readings that failed since the last one that did not.
    failures: usize,
    /// Whether to read as soon as no reading is under way.
    at_once: bool,
    under_way: bool,
    /// Whether a reader failed an assertion: the venue is read no more in this run.
    is_lost: bool,
}

/// The readings of both venues.
#[derive(Debug)]
pub(super) struct Readings {
    times: ReadTimes,
    venues: PerVenue<VenueReadings>,
}

impl Readings {
    /// Nothing was read yet, and the run begins now.
    pub fn new(times: ReadTimes) -> Self {
        Self { times, venues: PerVenue::default() }
    }

    /// Both venues are to be read as soon as nobody reads them.
    pub fn want_at_once(&mut self) {
        for venue in self.venues.values_mut() {
            venue.at_once = true;
        }
    }

    /// A reading begins.
    pub fn begin(&mut self, now: Duration, venue: Venue) {
        let readings = &mut self.venues[venue];
        assert!(!readings.under_way, "a venue is read once at a time");
        assert!(!readings.is_lost, "nobody is left to read the venue");
        (readings.asked, readings.at_once, readings.under_way) = (now, false, true);
    }

    /// A reading that somebody else has begun is under way.
    pub fn take_over(&mut self, venue: Venue) {
        self.venues[venue].under_way = true;
    }

    /// The reading under way has ended.
    pub fn end(&mut self, venue: Venue, result: ReadResult) {
        let readings = &mut self.venues[venue];
        assert!(readings.under_way, "a reading ends once");
        readings.under_way = false;
        match result {
            ReadResult::Whole | ReadResult::WithoutResults => readings.failures = 0,
            ReadResult::Failed | ReadResult::Refused | ReadResult::NotBegun => {
                readings.failures += 1
            }
            ReadResult::Lost => readings.is_lost = true,
        }
    }

    /// The last venue of those that are being read.
    pub fn under_way(&self) -> Option<Venue> {
        Venue::ALL.into_iter().rev().find(|venue| self.venues[*venue].under_way)
    }

    /// The first venue that nobody is left to read.
    pub fn lost(&self) -> Option<Venue> {
        Venue::ALL.into_iter().find(|venue| self.venues[*venue].is_lost)
    }

    /// Whether the venue is to be read now.
    pub fn is_due(&self, now: Duration, venue: Venue, agreed: bool) -> bool {
        self.due_at(venue, agreed).is_some_and(|due| due <= now)
    }

    /// When the venue is to be read next, if nothing else happens; `None` while it is being read, and where nobody is left
    /// to read it.
    pub fn due_at(&self, venue: Venue, agreed: bool) -> Option<Duration> {
        let readings = &self.venues[venue];
        if readings.under_way || readings.is_lost {
            return None;
        }
        Some(if readings.at_once {
            Duration::ZERO
        } else {
            readings.asked.saturating_add(self.pause(venue, agreed))
        })
    }

    /// How long after a reading was asked for the next one is due.
    pub fn pause(&self, venue: Venue, agreed: bool) -> Duration {
        match (self.venues[venue].failures, agreed) {
            (0, true) => self.times.every,
            (0, false) => self.times.again,
            (1, _) => self.times.again,
            (failures, _) => {
                let whole = self.times.again * RETRY_AFTER[failures.min(RETRY_AFTER.len()) - 1];
                whole - self.jitter(venue, whole)
            }
        }
    }

    /// Up to a quarter of a pause. It follows from what has happened: the policy draws nothing.
    fn jitter(&self, venue: Venue, whole: Duration) -> Duration {
        let readings = &self.venues[venue];
        let mut hash = Hash64::new();
        hash.word(venue as u64);
        hash.word(readings.failures as u64);
        hash.word(u64::try_from(readings.asked.as_nanos()).unwrap_or(u64::MAX));
        let parts = u32::try_from(hash.get() % 256).expect("below 256");
        whole * parts / 1_024
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KALSHI: Venue = Venue::Kalshi;
    const SECOND: Duration = Duration::from_secs(1);
    const TIMES: ReadTimes =
        ReadTimes { every: Duration::from_secs(12), again: Duration::from_secs(5) };

    fn read(readings: &mut Readings, at: Duration, result: ReadResult) {
        readings.begin(at, KALSHI);
        readings.end(KALSHI, result);
    }

    #[test]
    fn reads_that_fail_are_tried_again_after_pauses_that_grow_eightfold() {
        let mut readings = Readings::new(TIMES);
        let seconds = |readings: &Readings, agreed| readings.pause(KALSHI, agreed).as_secs_f64();
        assert_eq!([seconds(&readings, true), seconds(&readings, false)], [12.0, 5.0]);
        for (result, pause) in [
            (ReadResult::Failed, 5),
            (ReadResult::Refused, 10),
            (ReadResult::NotBegun, 20),
            (ReadResult::Failed, 40),
            (ReadResult::Failed, 40),
            (ReadResult::WithoutResults, 12),
            (ReadResult::Failed, 5),
            (ReadResult::Whole, 12),
        ] {
            read(&mut readings, SECOND, result);
            let (seen, whole) = (seconds(&readings, true), f64::from(pause));
            assert!(seen <= whole && seen >= whole * 0.75, "{result:?}: {seen}");
            assert!(
                pause > 5 && pause != 12 || (seen - whole).abs() < f64::EPSILON,
                "{result:?}: {seen}"
            );
        }
        assert_eq!(readings.pause(Venue::Polymarket, true), TIMES.every, "each venue by itself");
    }

    #[test]
    fn pauses_after_failures_differ_from_one_to_the_next_and_come_out_the_same_again() {
        let pauses = || {
            let mut readings = Readings::new(TIMES);
            let at = |nth| SECOND * 100 * nth;
            (1..40)
                .map(|nth| {
                    read(&mut readings, at(nth), ReadResult::Failed);
                    readings.pause(KALSHI, true)
                })
                .collect::<Vec<_>>()
        };
        let mut seen = pauses();
        assert_eq!(seen, pauses());
        seen.sort_unstable();
        seen.dedup();
        assert!(seen.len() > 20, "{seen:?}");
    }

    #[test]
    fn a_venue_is_due_by_the_time_that_it_was_asked_at_and_never_while_it_is_read() {
        let mut readings = Readings::new(TIMES);
        readings.begin(SECOND, KALSHI);
        assert_eq!(readings.under_way(), Some(KALSHI));
        readings.want_at_once();
        assert!(!readings.is_due(SECOND * 100, KALSHI, true), "it is being read");
        readings.end(KALSHI, ReadResult::Whole);
        assert!(readings.is_due(SECOND, KALSHI, true), "somebody wanted a reading meanwhile");
        read(&mut readings, SECOND * 2, ReadResult::Whole);
        assert!(!readings.is_due(SECOND * 14 - Duration::from_nanos(1), KALSHI, true));
        assert!(readings.is_due(SECOND * 14, KALSHI, true));
        assert!(readings.is_due(SECOND * 7, KALSHI, false), "sooner where they do not agree");
    }

    #[test]
    fn whoever_failed_an_assertion_is_asked_no_more() {
        let mut readings = Readings::new(TIMES);
        read(&mut readings, SECOND, ReadResult::Lost);
        readings.want_at_once();
        assert_eq!(readings.due_at(KALSHI, false), None);
        assert_eq!(readings.lost(), Some(KALSHI));
        assert!(readings.is_due(SECOND, Venue::Polymarket, true), "the other venue is");
    }

    #[test]
    #[should_panic(expected = "a venue is read once at a time")]
    fn no_reading_begins_while_another_is_under_way() {
        let mut readings = Readings::new(TIMES);
        readings.begin(SECOND, KALSHI);
        readings.begin(SECOND, KALSHI);
    }
}
