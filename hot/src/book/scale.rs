//! A grid made quick: price to slot and back without a division.

use crate::grid::Grid;
use crate::units::Price;

/// One band of a grid.
#[derive(Clone, Copy, Debug)]
struct Band {
    from: u16,
    step: u16,
    /// Slots below the band.
    before: u16,
    /// `2^32 / step`, rounded up: `offset * inverse >> 32` is the quotient for every offset within a dollar.
    inverse: u64,
}

impl Band {
    const fn new(from: u16, step: u16, before: u16) -> Self {
        Self { from, step, before, inverse: (1_u64 << 32).div_ceil(step as u64) }
    }

    #[inline]
    const fn slot(self, ticks: u16) -> Option<usize> {
        let offset = ticks - self.from;
        let whole = ((offset as u64 * self.inverse) >> 32) as u16;
        if whole * self.step == offset { Some((self.before + whole) as usize) } else { None }
    }

    const fn ticks(self, slot: u16) -> u16 {
        self.from + (slot - self.before) * self.step
    }
}

/// The step of a grid that has one step everywhere, as most have, in the four bytes that the change of a level reads. Prices on
/// other grids are left to [`Scale`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Even {
    /// `2^27 / step`, rounded up, in two halves. Times a price, its upper bits are the slot, exact for every price, as 10,000 times
    /// what was rounded up is below `2^27`; and its lower ones are less than the inverse only where nothing is left over.
    inverse: [u16; 2],
}

impl Even {
    const SHIFT: u32 = 27;
    /// On grids with several steps no price has a slot here.
    const NONE: Self = Self { inverse: [0; 2] };

    pub(super) const fn new(grid: Grid) -> Self {
        let Some(step) = even_step(grid) else { return Self::NONE };
        let inverse = (1_u32 << Self::SHIFT).div_ceil(step as u32);
        Self { inverse: [inverse as u16, (inverse >> 16) as u16] }
    }

    /// As [`Scale::slot`], where the grid has one step everywhere and the price is on it.
    #[inline]
    pub(super) const fn slot(self, price: Price) -> Option<usize> {
        let inverse = self.inverse[0] as u64 | (self.inverse[1] as u64) << 16;
        let product = price.ticks() as u64 * inverse;
        let left_over = product & ((1 << Self::SHIFT) - 1);
        let rests = price.ticks().wrapping_sub(1) < Price::ONE.ticks() - 1; // neither $0 nor $1
        if rests && left_over < inverse { Some((product >> Self::SHIFT) as usize) } else { None }
    }
}

/// The step of a grid, in $0.0001; `None` where it is not the same everywhere.
const fn even_step(grid: Grid) -> Option<u16> {
    let [low_end, high_start, low_step, mid_step, high_step] = grid.parts();
    let (no_low, no_high) = (low_end == 0, high_start == Price::ONE.ticks());
    let is_even = (no_low || low_step == mid_step) && (no_high || high_step == mid_step);
    if is_even { Some(mid_step) } else { None }
}

/// [`Grid`] with its divisions done ahead. Agrees with it on every price (tested).
#[derive(Clone, Copy, Debug)]
pub(super) struct Scale {
    low: Band,
    mid: Band,
    high: Band,
    slots: u16,
    /// The step, in $0.0001; zero where it is not the same everywhere.
    step: u16,
}

impl Scale {
    pub(super) const fn new(grid: Grid) -> Self {
        let [low_end, high_start, low_step, mid_step, high_step] = grid.parts();
        let low_slots = low_end / low_step;
        let mid_slots = (high_start - low_end) / mid_step;
        Self {
            low: Band::new(0, low_step, 0),
            mid: Band::new(low_end, mid_step, low_slots),
            high: Band::new(high_start, high_step, low_slots + mid_slots),
            slots: grid.slots() as u16,
            step: match even_step(grid) {
                Some(step) => step,
                None => 0,
            },
        }
    }

    pub(super) const fn slots(&self) -> usize {
        self.slots as usize
    }

    /// The slot of a price an order may have; `None` off the grid, and at $0 and $1, where nothing can rest.
    #[inline(never)] // most grids are even
    pub(super) const fn slot(&self, price: Price) -> Option<usize> {
        let ticks = price.ticks();
        if ticks == 0 || ticks == Price::ONE.ticks() {
            return None;
        }
        if ticks <= self.mid.from {
            self.low.slot(ticks)
        } else if ticks <= self.high.from {
            self.mid.slot(ticks)
        } else {
            self.high.slot(ticks)
        }
    }

    /// The price of a slot.
    #[inline]
    pub(super) fn price(&self, slot: usize) -> Price {
        let ticks = match self.step {
            0 => self.ticks(slot as u16),
            step => slot as u16 * step,
        };
        Price::from_ticks(ticks).expect("a slot's price is within a dollar")
    }

    /// The same in $0.0001, on any grid.
    #[inline(never)] // most grids are even
    const fn ticks(&self, slot: u16) -> u16 {
        if slot <= self.mid.before {
            self.low.ticks(slot)
        } else if slot <= self.high.before {
            self.mid.ticks(slot)
        } else {
            self.high.ticks(slot)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_the_grid_on_every_price() {
        let bands =
            [(1_000, 9_000, 10, 100, 10), (1_000, 9_000, 20, 50, 20), (100, 9_900, 1, 10, 1)];
        let uniform = (1..=10_000).filter_map(Grid::uniform);
        let banded = bands.map(|(a, b, c, d, e)| Grid::banded(a, b, c, d, e).unwrap());
        for grid in uniform.chain(banded) {
            let scale = Scale::new(grid);
            assert_eq!(scale.slots(), grid.slots());
            let even = Even::new(grid);
            let is_even = (1..grid.slots()).all(|slot| {
                let price = |slot| scale.price(slot).ticks();
                price(slot) - price(slot - 1) == price(1)
            });
            for ticks in 0..=10_000 {
                let price = Price::from_ticks(ticks).unwrap();
                let want = if grid.allows(price) { grid.slot(price) } else { None };
                assert_eq!(scale.slot(price), want, "{price}");
                assert_eq!(even.slot(price), want.filter(|_| is_even), "{price}");
            }
            for slot in 0..grid.slots() {
                assert_eq!(Some(scale.price(slot)), grid.price(slot));
            }
        }
    }
}
