//! The prices a market allows: up to three bands, each with its own step.

use crate::pack::{Pack, PackSink, PackSource};
use crate::units::Price;

/// A market's price grid: a step below `low_end`, one above `high_start`, one between.
///
/// Holds every grid of both venues: Polymarket's uniform ticks (0.1 to 0.0001) and Kalshi's tapered
/// structures (`venues/kalshi.md` §5, 2026-10). All numbers are in $0.0001.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grid {
    low_end: u16,
    high_start: u16,
    low_step: u16,
    mid_step: u16,
    high_step: u16,
}

impl Grid {
    /// One step everywhere. `None` where the step does not divide a dollar.
    pub const fn uniform(step: u16) -> Option<Self> {
        Self::banded(0, 10_000, step, step, step)
    }

    /// Three bands: `[0, low_end]`, `[low_end, high_start]`, `[high_start, 1]`.
    /// `None` where a step is zero or does not divide its band.
    pub const fn banded(
        low_end: u16,
        high_start: u16,
        low_step: u16,
        mid_step: u16,
        high_step: u16,
    ) -> Option<Self> {
        if low_step == 0
            || mid_step == 0
            || high_step == 0
            || low_end > high_start
            || high_start > 10_000
        {
            return None;
        }
        let fits = low_end.is_multiple_of(low_step)
            && (high_start - low_end).is_multiple_of(mid_step)
            && (10_000 - high_start).is_multiple_of(high_step);
        if fits { Some(Self { low_end, high_start, low_step, mid_step, high_step }) } else { None }
    }

    /// How many prices there are, $0 and $1 included.
    pub const fn slots(self) -> usize {
        (self.low_end / self.low_step
            + (self.high_start - self.low_end) / self.mid_step
            + (10_000 - self.high_start) / self.high_step) as usize
            + 1
    }

    /// Which slot a price is, counted from $0; `None` off the grid.
    pub const fn slot(self, price: Price) -> Option<usize> {
        let ticks = price.ticks();
        let (from, step) = self.band(ticks);
        let offset = ticks - from;
        if !offset.is_multiple_of(step) {
            return None;
        }
        let low_slots = if ticks > self.low_end { self.low_end / self.low_step } else { 0 };
        let mid_slots = if ticks > self.high_start {
            (self.high_start - self.low_end) / self.mid_step
        } else {
            0
        };
        Some((low_slots + mid_slots + offset / step) as usize)
    }

    /// Where the band of a price begins, in $0.0001, and its step; a price between two bands belongs to the lower one.
    const fn band(self, ticks: u16) -> (u16, u16) {
        if ticks <= self.low_end {
            (0, self.low_step)
        } else if ticks <= self.high_start {
            (self.low_end, self.mid_step)
        } else {
            (self.high_start, self.high_step)
        }
    }

    /// The price of a slot; `None` beyond the last.
    pub const fn price(self, slot: usize) -> Option<Price> {
        if slot >= self.slots() {
            return None;
        }
        let slot = slot as u16;
        let low_slots = self.low_end / self.low_step;
        let mid_slots = (self.high_start - self.low_end) / self.mid_step;
        let ticks = if slot <= low_slots {
            slot * self.low_step
        } else if slot <= low_slots + mid_slots {
            self.low_end + (slot - low_slots) * self.mid_step
        } else {
            self.high_start + (slot - low_slots - mid_slots) * self.high_step
        };
        Price::from_ticks(ticks)
    }

    /// Whether an order may have this price: on the grid, and neither $0 nor $1.
    #[inline]
    pub const fn allows(self, price: Price) -> bool {
        let ticks = price.ticks();
        let (from, step) = self.band(ticks); // its slot would take divisions that nobody asked for
        ticks > 0 && ticks < 10_000 && (ticks - from).is_multiple_of(step)
    }

    /// The highest price at most this one that an order may have; `None` below the first.
    pub const fn floor(self, price: Price) -> Option<Price> {
        let ticks = if price.ticks() < 10_000 { price.ticks() } else { 9_999 };
        let (from, step) = if ticks < self.low_end {
            (0, self.low_step)
        } else if ticks < self.high_start {
            (self.low_end, self.mid_step)
        } else {
            (self.high_start, self.high_step)
        };
        match ticks - (ticks - from) % step {
            0 => None,
            ticks => Price::from_ticks(ticks),
        }
    }

    /// The same grid seen from the other outcome.
    #[must_use]
    pub const fn mirrored(self) -> Self {
        Self {
            low_end: 10_000 - self.high_start,
            high_start: 10_000 - self.low_end,
            low_step: self.high_step,
            mid_step: self.mid_step,
            high_step: self.low_step,
        }
    }

    /// The step at a price, in $0.0001; where two bands meet, that of the upper one.
    pub const fn step_at(self, price: Price) -> u16 {
        if price.ticks() < self.low_end {
            self.low_step
        } else if price.ticks() < self.high_start {
            self.mid_step
        } else {
            self.high_step
        }
    }

    /// The finest step anywhere, in $0.0001.
    pub const fn finest(self) -> u16 {
        let mut least = self.mid_step;
        if self.low_end > 0 && self.low_step < least {
            least = self.low_step;
        }
        if self.high_start < 10_000 && self.high_step < least {
            least = self.high_step;
        }
        least
    }

    /// Bounds and steps: low end, high start, low, middle and high step, in $0.0001.
    pub const fn parts(self) -> [u16; 5] {
        [self.low_end, self.high_start, self.low_step, self.mid_step, self.high_step]
    }
}

impl Pack for Grid {
    fn pack<W: PackSink>(&self, to: &mut W) {
        for part in self.parts() {
            part.pack(to);
        }
    }
    fn unpack<S: PackSource>(from: &mut S) -> Option<Self> {
        if let Some(word) = from.chance() {
            return match word % 3 {
                0 => Self::uniform(100),
                1 => Self::uniform(1),
                _ => Self::banded(1_000, 9_000, 10, 100, 10),
            };
        }
        let mut parts = [0; 5];
        for part in &mut parts {
            *part = Pack::unpack(from)?;
        }
        let [low_end, high_start, low, mid, high] = parts;
        Self::banded(low_end, high_start, low, mid, high)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slot_and_price_undo_each_other_on_every_known_grid() {
        let bands =
            [(1_000, 9_000, 10, 100, 10), (1_000, 9_000, 20, 50, 20), (100, 9_900, 1, 10, 1)];
        let uniform = [1_000, 100, 50, 25, 20, 10, 1].map(|step| Grid::uniform(step).unwrap());
        let banded = bands.map(|(a, b, c, d, e)| Grid::banded(a, b, c, d, e).unwrap());
        for grid in uniform.into_iter().chain(banded) {
            let mut count = 0;
            for ticks in 0..=10_000 {
                let price = Price::from_ticks(ticks).unwrap();
                if let Some(slot) = grid.slot(price) {
                    assert_eq!(grid.price(slot), Some(price));
                    assert_eq!(slot, count, "slots rise with price");
                    count += 1;
                }
                assert_eq!(
                    grid.slot(price).is_some(),
                    grid.mirrored().slot(price.complement()).is_some()
                );
            }
            for ticks in 0..=10_000 {
                let below = (0..=ticks).rev().filter_map(Price::from_ticks);
                let best = below.into_iter().find(|&price| grid.allows(price));
                assert_eq!(grid.floor(Price::from_ticks(ticks).unwrap()), best, "{ticks}");
            }
            assert_eq!(count, grid.slots());
            assert_eq!(grid.price(count), None);
        }
    }

    #[test]
    fn a_step_that_does_not_divide_is_refused() {
        assert!(Grid::uniform(3).is_none());
        assert!(Grid::uniform(0).is_none());
        assert!(Grid::banded(1_000, 9_000, 10, 300, 10).is_none());
    }
}
