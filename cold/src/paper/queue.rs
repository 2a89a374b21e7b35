//! Where an order of ours stands in the queue at its price, and which public decreases were trades.

use std::collections::VecDeque;

use surefoot_hot::units::{Nanos, Qty};

use super::curve::Curve;

/// How long a trade and the decrease of its level may be apart. Both venues tell them in frames of their own, in either order. A
/// decrease that no trade explains within it was a cancel.
pub const PRINT_WINDOW: Nanos = Nanos::from_millis(250);

/// Public contracts at our price, before and behind us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueuePlace {
    ahead: Qty,
    behind: Qty,
}

impl QueuePlace {
    /// At the end of what rests there.
    pub const fn at_end_of(level: Qty) -> Self {
        Self { ahead: level, behind: Qty::ZERO }
    }

    /// Contracts that are served before us.
    pub const fn ahead(&self) -> Qty {
        self.ahead
    }

    /// More came: behind us.
    pub fn grow(&mut self, by: Qty) {
        self.behind += by;
    }

    /// So much traded there. Returns what was left of it for us, who stand behind what was ahead.
    pub fn trade(&mut self, qty: Qty) -> Qty {
        let used = qty.min(self.ahead);
        self.ahead -= used;
        qty - used
    }

    /// So much traded there that went past us, because it filled us and had something left.
    pub fn pass(&mut self, qty: Qty) {
        self.behind = self.behind.saturating_sub(qty);
    }

    /// So much was cancelled there.
    pub fn cancel(&mut self, qty: Qty, curve: Curve) {
        let qty = qty.min(self.ahead + self.behind);
        let ahead = curve.cancelled_ahead(qty, self.ahead, self.behind);
        self.ahead -= ahead;
        self.behind = self.behind.saturating_sub(qty - ahead);
    }

    /// No more than so much rests there, with what may still be explained by a trade: no more can be ahead.
    pub fn limit(&mut self, most: Qty) {
        self.ahead = self.ahead.min(most);
        self.behind = self.behind.min(most - self.ahead);
    }
}

/// A part of a trade or of a decrease, and the number of the event that first told of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// Events are numbered as they come.
    pub first: u64,
    pub qty: Qty,
}

/// One that waits for its other half.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    at: Nanos,
    part: Part,
}

/// Trades and decreases of one level that wait for each other.
#[derive(Clone, Debug, Default)]
pub struct Prints {
    /// Traded, and still shown on the level.
    printed: VecDeque<Waiting>,
    /// Gone from the level, and no trade has said why.
    unexplained: VecDeque<Waiting>,
}

impl Prints {
    /// A trade is told. Returns its parts: those that explain an earlier decrease have that one's number.
    pub fn on_trade(&mut self, now: Nanos, event: u64, qty: Qty) -> Vec<Part> {
        let (mut parts, left) = match_up(&mut self.unexplained, qty);
        if !left.is_zero() {
            let part = Part { first: event, qty: left };
            self.printed.push_back(Waiting { at: now, part });
            parts.push(part);
        }
        parts
    }

    /// The level shrinks. Returns the parts of it that trades explain which were told before.
    pub fn on_decrease(&mut self, now: Nanos, event: u64, qty: Qty) -> Vec<Part> {
        let (parts, left) = match_up(&mut self.printed, qty);
        if !left.is_zero() {
            let part = Part { first: event, qty: left };
            self.unexplained.push_back(Waiting { at: now, part });
        }
        parts
    }

    /// Time is `now`: the decreases that no trade will explain any more.
    pub fn expire(&mut self, now: Nanos) -> Vec<Part> {
        let is_over = |waiting: &Waiting| now.since(waiting.at) > PRINT_WINDOW;
        while self.printed.front().is_some_and(is_over) {
            self.printed.pop_front();
        }
        let mut cancels = Vec::new();
        while self.unexplained.front().is_some_and(is_over) {
            cancels.extend(self.unexplained.pop_front().map(|waiting| waiting.part));
        }
        cancels
    }

    /// What is gone from the level since `first` and may still be explained.
    pub fn unexplained_since(&self, first: u64) -> Qty {
        let since = self.unexplained.iter().filter(|waiting| waiting.part.first >= first);
        since.fold(Qty::ZERO, |sum, waiting| sum + waiting.part.qty)
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.printed.is_empty() && self.unexplained.is_empty()
    }
}

/// Takes `qty` out of what waits, the oldest first. Returns what was found, and how much was not.
fn match_up(waiting: &mut VecDeque<Waiting>, qty: Qty) -> (Vec<Part>, Qty) {
    let (mut parts, mut left) = (Vec::new(), qty);
    while let Some(oldest) = waiting.front_mut() {
        if left.is_zero() {
            break;
        }
        let found = left.min(oldest.part.qty);
        parts.push(Part { first: oldest.part.first, qty: found });
        oldest.part.qty -= found;
        left -= found;
        if oldest.part.qty.is_zero() {
            waiting.pop_front();
        }
    }
    (parts, left)
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn of(contracts: u64) -> Qty {
        Qty::from_contracts(contracts)
    }

    #[test]
    fn what_is_ahead_is_served_first() {
        let mut place = QueuePlace::at_end_of(of(10));
        place.grow(of(5));
        assert_eq!(place.trade(of(7)), Qty::ZERO);
        assert_eq!(place.ahead(), of(3));
        assert_eq!(place.trade(of(7)), of(4));
        place.pass(of(1));
        place.cancel(of(4), Curve::Realistic);
        assert_eq!(place, QueuePlace::at_end_of(Qty::ZERO));
    }

    #[test]
    fn a_level_that_is_smaller_has_no_more_ahead() {
        let mut place = QueuePlace::at_end_of(of(10));
        place.grow(of(5));
        place.limit(of(12));
        assert_eq!((place.ahead, place.behind), (of(10), of(2)));
        place.limit(of(4));
        assert_eq!((place.ahead, place.behind), (of(4), Qty::ZERO));
    }

    #[test]
    fn a_trade_and_its_decrease_are_one_thing_in_either_order() {
        let mut prints = Prints::default();
        let now = Nanos::from_secs(1);
        assert_eq!(prints.on_trade(now, 1, of(3)), [Part { first: 1, qty: of(3) }]);
        assert_eq!(prints.on_decrease(now, 2, of(5)), [Part { first: 1, qty: of(3) }]);
        assert_eq!(prints.unexplained_since(2), of(2));
        let parts = prints.on_trade(now, 3, of(3));
        assert_eq!(parts, [Part { first: 2, qty: of(2) }, Part { first: 3, qty: of(1) }]);
        assert!(!prints.is_empty(), "one is still shown");
        let later = now.after(PRINT_WINDOW).after(Nanos::new(1));
        assert!(prints.expire(later).is_empty() && prints.is_empty());
    }

    #[test]
    fn a_decrease_that_nothing_explains_was_a_cancel() {
        let mut prints = Prints::default();
        let now = Nanos::from_secs(1);
        prints.on_decrease(now, 1, of(5));
        assert!(prints.expire(now.after(PRINT_WINDOW)).is_empty(), "it may still be explained");
        let later = now.after(PRINT_WINDOW).after(Nanos::new(1));
        assert_eq!(prints.expire(later), [Part { first: 1, qty: of(5) }]);
        assert!(prints.is_empty());
    }

    #[test]
    fn the_curves_never_change_places() {
        let mut state = 1_u64;
        for _ in 0..2_000 {
            let mut below = |bound: u64| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                state % bound
            };
            let mut places = Curve::ALL.map(|_| QueuePlace::at_end_of(Qty::from_micros(1_000)));
            for _ in 0..20 {
                let (kind, qty) = (below(3), Qty::from_micros(below(400)));
                for (place, curve) in places.iter_mut().zip(Curve::ALL) {
                    match kind {
                        0 => place.grow(qty),
                        1 => {
                            let rest = place.trade(qty);
                            place.pass(rest);
                        }
                        _ => place.cancel(qty, curve),
                    }
                }
                let [worst, likely, best] = places.map(|place| place.ahead());
                assert!(worst >= likely && likely >= best, "{places:?}");
            }
        }
    }
}
