//! How often one order may be asked about or cancelled: the first time at once, then with growing pauses, whatever
//! the core asks for and however fast the venue answers.

use std::collections::VecDeque;

use surefoot_hot::bounds::ORDERS_LIVE_MAX;
use surefoot_hot::ids::OrderId;
use surefoot_hot::units::Nanos;

/// The pause after the first request; it doubles with each further one.
const PAUSE_MIN: Nanos = Nanos::from_millis(50);
/// The longest pause.
const PAUSE_MAX: Nanos = Nanos::from_secs(2);
/// An order that nothing was asked about for so long begins anew.
const FORGET_AFTER: Nanos = Nanos::from_secs(10);
/// Orders remembered: as many as may be alive at once.
const ORDERS_MAX: usize = ORDERS_LIVE_MAX;

#[derive(Clone, Copy, Debug)]
struct Asked {
    order: OrderId,
    /// When the last request went, or will go.
    last: Nanos,
    /// The pause before the next one.
    pause: Nanos,
}

/// Spaces out requests of one kind, order by order.
#[derive(Debug)]
pub(super) struct Pace {
    /// The one asked about longest ago first.
    asked: VecDeque<Asked>,
}

impl Pace {
    pub(super) fn new() -> Self {
        Self { asked: VecDeque::with_capacity(ORDERS_MAX) }
    }

    /// When a request about `order` that is wanted at `now` may go. It counts as made then.
    pub(super) fn due(&mut self, now: Nanos, order: OrderId) -> Nanos {
        let known = self.asked.iter().position(|asked| asked.order == order);
        let before = known.and_then(|at| self.asked.remove(at));
        let next = match before.filter(|asked| now.since(asked.last) < FORGET_AFTER) {
            Some(Asked { last, pause, .. }) => Asked {
                order,
                last: now.max(last.after(pause)),
                pause: Nanos::new((pause.get() * 2).min(PAUSE_MAX.get())),
            },
            None => Asked { order, last: now, pause: PAUSE_MIN },
        };
        if self.asked.len() == ORDERS_MAX {
            self.asked.pop_front();
        }
        self.asked.push_back(next);
        next.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_goes_at_once_and_the_pauses_grow() {
        let mut pace = Pace::new();
        let (order, start) = (OrderId::new(7), Nanos::from_secs(100));
        let mut now = start;
        let mut first_second = 0;
        for nth in 0..40 {
            let due = pace.due(now, order);
            assert!(due >= now && (nth > 0 || due == start));
            first_second += u32::from(due < start.after(Nanos::from_secs(1)));
            now = due; // asked again as soon as it was answered
        }
        assert_eq!(first_second, 5);
        assert!(now.since(start) > Nanos::from_secs(60), "then one every two seconds");
        assert_eq!(pace.due(now, OrderId::new(8)), now, "another order does not wait");
        now = now.after(FORGET_AFTER);
        assert_eq!(pace.due(now, order), now, "forgotten");
    }

    #[test]
    fn it_never_grows_beyond_its_room() {
        let mut pace = Pace::new();
        for order in 0..5_000 {
            pace.due(Nanos::from_secs(1), OrderId::new(order));
        }
        assert_eq!(pace.asked.len(), ORDERS_MAX);
    }
}
