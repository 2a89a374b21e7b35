//! How often one order is asked about, or its cancellation asked for.

use crate::pack::pack_fields;
use crate::units::Nanos;

/// The pause after the first request about an order. It doubles after each further one, up to [`PAUSE_MAX`].
const PAUSE_FIRST: Nanos = Nanos::from_secs(1);
/// The longest pause between two requests.
const PAUSE_MAX: Nanos = Nanos::from_secs(8);
/// How long the first request is put off where something else may make it needless.
const PUT_OFF_FOR: Nanos = Nanos::from_secs(4);
/// The count of requests that says that the first one was put off.
const PUT_OFF: u8 = u8::MAX;

/// Spaces out requests of one kind about one order. The first may leave at once; whatever provokes further ones (a venue
/// that answers the same for ever, an executor that cannot ask), they stay a handful a minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    last: Nanos,
    sent: u8,
}

impl Pace {
    /// Nothing sent yet.
    pub const NEW: Self = Self { last: Nanos::ZERO, sent: 0 };

    /// Nothing sent yet, and nothing to be sent for a while.
    pub const fn put_off(now: Nanos) -> Self {
        Self { last: now, sent: PUT_OFF }
    }

    /// Whether the first request was put off, and has not left.
    pub const fn is_put_off(&self) -> bool {
        self.sent == PUT_OFF
    }

    /// Whether a request may leave now.
    pub const fn is_due(&self, now: Nanos) -> bool {
        match self.sent {
            0 => true,
            PUT_OFF => now.since(self.last).get() >= PUT_OFF_FOR.get(),
            sent => {
                now.since(self.last).get() >= PAUSE_FIRST.doubled(sent as u32 - 1, PAUSE_MAX).get()
            }
        }
    }

    /// When the last request left, or was put off; zero where none did.
    pub const fn last(&self) -> Nanos {
        self.last
    }

    /// A request leaves.
    pub const fn on_sent(&mut self, now: Nanos) {
        self.last = now;
        self.sent = match self.sent {
            PUT_OFF => 1,
            sent if sent < PUT_OFF - 1 => sent + 1,
            sent => sent,
        };
    }
}

pack_fields! {
    Pace { last, sent }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_leaves_at_once_and_the_rest_ever_more_slowly() {
        let (mut pace, mut times) = (Pace::NEW, Vec::new());
        for second in 0..40 {
            let now = Nanos::from_secs(1_000 + second);
            for _ in 0..100 {
                if pace.is_due(now) {
                    pace.on_sent(now);
                    times.push(second);
                }
            }
        }
        assert_eq!(times, [0, 1, 3, 7, 15, 23, 31, 39]);
    }

    #[test]
    fn one_that_is_put_off_leaves_after_four_seconds_and_goes_on_as_any_other() {
        let now = Nanos::from_secs(1_000);
        let mut pace = Pace::put_off(now);
        let after = |seconds| now.after(Nanos::from_secs(seconds));
        assert!(pace.is_put_off() && !pace.is_due(after(3)) && pace.is_due(after(4)));
        pace.on_sent(after(4));
        assert!(!pace.is_put_off() && !pace.is_due(after(4)) && pace.is_due(after(5)));
        for second in 0..10_000 {
            pace.on_sent(after(second));
            assert!(!pace.is_put_off(), "however many left");
        }
    }
}
