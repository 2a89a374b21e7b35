//! How long what was read from a socket took to reach the core: its 99th percentile over the last minute or so.

use crate::pack::pack_fields;
use crate::units::Nanos;

/// Buckets: four for each doubling of a microsecond, up to some minutes.
const BUCKETS: usize = 112;
/// Fewer samples than this say nothing: their 99th percentile would be the worst of them.
const SAMPLES_MIN: u32 = 100;
/// At so many samples each bucket is halved, so that old ones count ever less. At twenty a second the newest half is
/// some 50 seconds.
const SAMPLES_MAX: u32 = 2_048;

/// A histogram that forgets, and the percentile that follows from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Latency {
    counts: [u32; BUCKETS],
    all: u32,
    p99: Option<Nanos>,
}

impl Latency {
    pub const NONE: Self = Self { counts: [0; BUCKETS], all: 0, p99: None };

    /// Counts how long one frame took from its arrival to the core.
    pub fn add(&mut self, took: Nanos) {
        self.counts[bucket(took)] += 1;
        self.all += 1;
        if self.all >= SAMPLES_MAX {
            self.counts.iter_mut().for_each(|count| *count /= 2);
            self.all = self.counts.iter().sum();
        }
        self.p99 = (self.all >= SAMPLES_MIN).then(|| self.percentile());
    }

    /// What 99 of a hundred samples did not exceed, rounded up by a quarter of it and a microsecond at most; `None` before there
    /// are a hundred.
    pub const fn p99(&self) -> Option<Nanos> {
        self.p99
    }

    fn percentile(&self) -> Nanos {
        let mut longer = 0;
        let at = self.counts.iter().rposition(|count| {
            longer += count;
            longer * 100 > self.all
        });
        upper_bound(at.expect("all of the samples are more than a hundredth of them"))
    }
}

/// The bucket of a span: by its microseconds, rounded up, and four more, so that the first octave has quarters too.
fn bucket(took: Nanos) -> usize {
    let shifted = took.get().div_ceil(1_000).saturating_add(4);
    let octave = shifted.ilog2() - 2;
    let quarter = (shifted >> octave) & 3;
    ((octave * 4) as usize + quarter as usize).min(BUCKETS - 1)
}

/// The longest span of a bucket.
const fn upper_bound(bucket: usize) -> Nanos {
    let (octave, quarter) = (bucket / 4, bucket as u64 % 4);
    Nanos::new((((5 + quarter) << octave) - 5) * 1_000)
}

pack_fields! {
    Latency { counts, all, p99 }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MICRO: u64 = 1_000;

    #[test]
    fn a_bucket_holds_what_is_between_its_neighbours_bounds() {
        assert_eq!((bucket(Nanos::ZERO), upper_bound(0)), (0, Nanos::ZERO));
        for at in 1..BUCKETS - 1 {
            let (from, to) = (upper_bound(at - 1), upper_bound(at));
            assert_eq!(bucket(from), at - 1);
            assert_eq!((bucket(from.after(Nanos::new(1))), bucket(to)), (at, at));
            let width = to.since(from).get();
            assert!(
                width <= MICRO || width * 4 <= from.get() + 5 * MICRO,
                "a quarter at most: {at}"
            );
        }
        assert!(upper_bound(BUCKETS - 2) > Nanos::from_secs(60), "minutes");
        assert_eq!(bucket(Nanos::NEVER), BUCKETS - 1);
    }

    #[test]
    fn one_in_a_hundred_is_no_more_than_chance_and_two_are() {
        let (quick, slow) = (Nanos::new(200 * MICRO), Nanos::from_millis(20));
        for (every, expected) in [(100, quick), (50, slow)] {
            let mut latency = Latency::NONE;
            for nth in 1..=1_000 {
                latency.add(if nth % every == 0 { slow } else { quick });
                assert_eq!(latency.p99().is_some(), nth >= 100);
            }
            let p99 = latency.p99().unwrap();
            assert!(p99 >= expected && p99.get() * 4 <= expected.get() * 5, "{p99:?}");
        }
    }

    #[test]
    fn what_was_slow_is_forgotten() {
        let mut latency = Latency::NONE;
        for _ in 0..200 {
            latency.add(Nanos::from_millis(20));
        }
        let mut samples = 0;
        while latency.p99().unwrap() > Nanos::from_millis(5) {
            latency.add(Nanos::new(100 * MICRO));
            samples += 1;
        }
        assert!((2_000..10_000).contains(&samples), "{samples}: minutes at twenty a second");
    }
}
