//! How often one order is asked about, or its cancellation asked for.

use crate::pack::pack_fields;
use crate::units::Nanos;

/// The pause after the first request about an order. It doubles after each further one, up to [`PAUSE_MAX`].
const PAUSE_FIRST: Nanos = Nanos::from_secs(1);
/// The longest pause between two requests.
const PAUSE_MAX: Nanos = Nanos::from_secs(8);

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

    /// Whether a request may leave now.
    pub const fn is_due(&self, now: Nanos) -> bool {
        match self.sent {
            0 => true,
            sent => {
                now.since(self.last).get() >= PAUSE_FIRST.doubled(sent as u32 - 1, PAUSE_MAX).get()
            }
        }
    }

    /// When the last request left; zero where none did.
    pub const fn last(&self) -> Nanos {
        self.last
    }

    /// A request leaves.
    pub const fn on_sent(&mut self, now: Nanos) {
        self.last = now;
        self.sent = self.sent.saturating_add(1);
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
}
