//! Orders that repeat themselves: what sends the same order again and again is disabled until a person resumes.
//!
//! An order that the gate refuses as a repeated one is a mistake of whatever decided it. One may be chance; several within a
//! few seconds are a loop. Baskets and quotes are counted, and disabled, each for themselves; what hedges or reduces is
//! neither.

use std::collections::VecDeque;

use crate::order::Purpose;
use crate::risk::LimitRow;
use crate::state::state_fields;
use crate::units::Nanos;

/// Repeated orders remembered: as many as the row allows at most.
const REMEMBERED: usize = 100;
const _: () = assert!(
    LimitRow::Repeats.def().bounds.1 <= REMEMBERED as u64,
    "as many are remembered as may be counted together"
);

/// What one kind of order has repeated lately.
#[derive(Debug)]
struct Recent {
    at: VecDeque<Nanos>,
    disabled: bool,
}

impl Recent {
    fn new() -> Self {
        Self { at: VecDeque::with_capacity(REMEMBERED), disabled: false }
    }

    fn on_repeat(&mut self, now: Nanos, most: u64, within: Nanos) -> bool {
        while self.at.front().is_some_and(|&at| now.since(at) >= within) {
            self.at.pop_front();
        }
        if self.at.len() == REMEMBERED {
            self.at.pop_front();
        }
        self.at.push_back(now);
        let is_new = !self.disabled && self.at.len() as u64 >= most;
        self.disabled |= is_new;
        is_new
    }
}

/// What baskets and quotes have repeated lately.
#[derive(Debug)]
pub struct Repeats {
    baskets: Recent,
    quotes: Recent,
}

impl Repeats {
    /// Nothing repeated. Allocates all it will ever need.
    pub fn new() -> Self {
        Self { baskets: Recent::new(), quotes: Recent::new() }
    }

    /// An order was refused as a repeated one; `most` of them within `within` disable what sent it. Returns whether this one
    /// does so.
    pub fn on_repeat(&mut self, now: Nanos, purpose: Purpose, most: u64, within: Nanos) -> bool {
        self.of_mut(purpose).is_some_and(|recent| recent.on_repeat(now, most, within))
    }

    /// Whether what sends orders of this kind is disabled.
    pub fn is_disabled(&self, purpose: Purpose) -> bool {
        match purpose {
            Purpose::Leg => self.baskets.disabled,
            Purpose::Quote => self.quotes.disabled,
            Purpose::Hedge
            | Purpose::Unwind
            | Purpose::Exit
            | Purpose::TopUp
            | Purpose::StopLoss => false,
        }
    }

    /// Whether anything is disabled.
    pub fn is_any_disabled(&self) -> bool {
        self.baskets.disabled || self.quotes.disabled
    }

    /// A person has resumed: everything is enabled, and what was counted is forgotten.
    pub fn on_resume(&mut self) {
        for recent in [&mut self.baskets, &mut self.quotes] {
            recent.at.clear();
            recent.disabled = false;
        }
    }

    const fn of_mut(&mut self, purpose: Purpose) -> Option<&mut Recent> {
        match purpose {
            Purpose::Leg => Some(&mut self.baskets),
            Purpose::Quote => Some(&mut self.quotes),
            Purpose::Hedge
            | Purpose::Unwind
            | Purpose::Exit
            | Purpose::TopUp
            | Purpose::StopLoss => None,
        }
    }
}

impl Default for Repeats {
    fn default() -> Self {
        Self::new()
    }
}

state_fields! {
    Recent { at: list(REMEMBERED), disabled: value }
}

state_fields! {
    Repeats { baskets: value, quotes: value }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WITHIN: Nanos = Nanos::from_secs(10);

    #[test]
    fn three_within_ten_seconds_disable_what_sent_them_until_a_resume() {
        let (mut repeats, start) = (Repeats::new(), Nanos::from_secs(1_000));
        let repeat = |repeats: &mut Repeats, millis, purpose| {
            repeats.on_repeat(start.after(Nanos::from_millis(millis)), purpose, 3, WITHIN)
        };
        assert!(!repeat(&mut repeats, 0, Purpose::Leg) && !repeat(&mut repeats, 1, Purpose::Leg));
        assert!(!repeat(&mut repeats, 2, Purpose::Quote), "each kind for itself");
        assert!(!repeat(&mut repeats, 10_000, Purpose::Leg), "the first is ten seconds old");
        assert!(repeat(&mut repeats, 10_000, Purpose::Leg), "ten seconds less a millisecond");
        assert!(!repeat(&mut repeats, 10_001, Purpose::Leg), "it is disabled already");
        let disabled = |repeats: &Repeats| Purpose::ALL.map(|purpose| repeats.is_disabled(purpose));
        assert_eq!(disabled(&repeats), Purpose::ALL.map(|purpose| purpose == Purpose::Leg));
        repeats.on_resume();
        assert!(!repeats.is_any_disabled());
        assert!(!repeat(&mut repeats, 10_002, Purpose::Leg), "counted from the beginning");
    }

    #[test]
    fn what_does_not_open_is_not_counted() {
        let mut repeats = Repeats::new();
        for purpose in Purpose::ALL.into_iter().filter(|purpose| !purpose.opens()) {
            assert!(!repeats.on_repeat(Nanos::from_secs(1), purpose, 1, WITHIN));
        }
        assert!(!repeats.is_any_disabled());
    }
}
