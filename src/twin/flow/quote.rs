//! The house's book of one market as the flow means it to be.
//!
//! The venue's own book may hold less, where orders have taken from it: what is taken stays gone until the flow
//! sets that level again.

use std::collections::{BTreeMap, VecDeque};

use surefoot_hot::fees::FeeRule;
use surefoot_hot::grid::Grid;
use surefoot_hot::ids::{Side, Venue};
use surefoot_hot::units::{Nanos, Price, Qty};

use super::Action;
use crate::twin::rng::Rng;

/// One market's book, as it is meant to be.
#[derive(Clone, Debug)]
pub(super) struct Quote {
    pub venue: Venue,
    pub market: usize,
    pub grid: Grid,
    pub fee: FeeRule,
    /// At Kalshi, the series that it is of: its markets share a fee.
    pub series: Option<usize>,
    /// By price in ticks; bids and asks.
    pub levels: [BTreeMap<u16, Qty>; 2],
    /// Levels a side has at first.
    pub depth: usize,
    /// Distance from the fair price to either best price, in $0.0001.
    pub half_spread: u16,
    /// When it settles, and what YES then pays.
    pub settle: Option<(Nanos, Price)>,
    pub alive: bool,
    /// A gap is kept open on it: noise stays away from its best levels.
    pub pinned: bool,
    /// Its makers look elsewhere: they do not follow the fair price until they quote anew.
    pub stale: bool,
    /// The venue has paused it: nothing in its book changes.
    pub is_paused: bool,
    /// When it closes, where that was moved.
    pub closes: Nanos,
    /// Whose makers have withdrawn, by side: nothing rests there.
    pub withdrawn: [bool; 2],
    /// It plays a recorded session: noise stays away from it altogether.
    pub captured: bool,
}

impl Quote {
    /// The best price of a side, in ticks.
    pub(super) fn best(&self, side: Side) -> Option<u16> {
        let levels = &self.levels[side.index()];
        let found =
            if side == Side::Bid { levels.last_key_value() } else { levels.first_key_value() };
        found.map(|(&ticks, _)| ticks)
    }

    /// The middle of the best prices.
    pub(super) fn middle(&self) -> Option<u16> {
        Some(self.best(Side::Bid)?.midpoint(self.best(Side::Ask)?))
    }

    /// Sets one level, and says so even where the quantity is the same: the venue may have lost some of it.
    pub(super) fn set(&mut self, side: Side, ticks: u16, qty: Qty, out: &mut VecDeque<Action>) {
        if self.is_paused || !qty.is_zero() && self.withdrawn[side.index()] {
            return;
        }
        let levels = &mut self.levels[side.index()];
        if qty.is_zero() {
            if levels.remove(&ticks).is_none() {
                return;
            }
        } else {
            levels.insert(ticks, qty);
        }
        let price = Price::from_ticks(ticks).expect("grids end at a dollar");
        out.push_back(Action::Level { venue: self.venue, market: self.market, side, price, qty });
    }

    /// Moves the best prices: what stands in the way goes first, so that the house never crosses itself. A side without a
    /// price is empty.
    pub(super) fn place(
        &mut self,
        best: [Option<u16>; 2],
        qty: [Qty; 2],
        out: &mut VecDeque<Action>,
    ) {
        for side in [Side::Bid, Side::Ask] {
            let best = best[side.index()];
            let beyond: Vec<u16> = self.levels[side.index()]
                .keys()
                .copied()
                .filter(|&t| {
                    best.is_none_or(|best| if side == Side::Bid { t > best } else { t < best })
                })
                .collect();
            for ticks in beyond {
                self.set(side, ticks, Qty::ZERO, out);
            }
        }
        for side in [Side::Bid, Side::Ask] {
            if let Some(ticks) = best[side.index()] {
                self.set(side, ticks, qty[side.index()], out);
            }
        }
    }

    /// Everything of a side goes.
    pub(super) fn clear(&mut self, side: Side, out: &mut VecDeque<Action>) {
        let all: Vec<u16> = self.levels[side.index()].keys().copied().collect();
        for ticks in all {
            self.set(side, ticks, Qty::ZERO, out);
        }
    }

    /// What rests on a side at these ticks or better for a taker, which then is gone here: the venue's own book loses it by
    /// a trade.
    pub(super) fn take(&mut self, side: Side, limit: u16) -> Qty {
        let reached = |t: u16| if side == Side::Bid { t >= limit } else { t <= limit };
        let mut sum = Qty::ZERO;
        self.levels[side.index()].retain(|&ticks, qty| {
            let is_taken = reached(ticks);
            if is_taken {
                sum += *qty;
            }
            !is_taken
        });
        sum
    }

    /// Quotes around a fair price, with fresh sizes at the best levels.
    pub(super) fn quote(&mut self, fair: u16, rng: &mut Rng, out: &mut VecDeque<Action>) {
        let qty = [size(rng, 0), size(rng, 0)];
        self.place(self.around(fair), qty, out);
    }

    /// The best prices that belong to a fair price, bid and ask: near $0 there may be no bid, near $1 no ask.
    pub(super) fn around(&self, fair: u16) -> [Option<u16>; 2] {
        [
            self.floor(fair.saturating_sub(self.half_spread)),
            self.ceil(fair.saturating_add(self.half_spread)),
        ]
    }

    /// The next price on the grid at or below; `None` where there is none.
    pub(super) fn floor(&self, ticks: u16) -> Option<u16> {
        (0..=ticks).rev().find(|&t| self.is_price(t))
    }

    /// The next price on the grid at or above; `None` where there is none.
    pub(super) fn ceil(&self, ticks: u16) -> Option<u16> {
        (ticks..=10_000).find(|&t| self.is_price(t))
    }

    /// The price `steps` further from the other side; `None` off the end.
    pub(super) fn behind(&self, side: Side, ticks: u16, steps: usize) -> Option<u16> {
        let slot = self.grid.slot(Price::from_ticks(ticks)?)?;
        let slot = if side == Side::Bid { slot.checked_sub(steps)? } else { slot + steps };
        self.grid.price(slot).filter(|price| self.grid.allows(*price)).map(Price::ticks)
    }

    /// The price `steps` nearer to the other side; `None` off the end.
    pub(super) fn ahead(&self, side: Side, ticks: u16, steps: usize) -> Option<u16> {
        self.behind(side.other(), ticks, steps)
    }

    /// The fee of one contract for whoever takes at this price, in 1e-8 dollars, rounded up.
    pub(super) fn taker_fee(&self, ticks: u16) -> i64 {
        let (FeeRule::Polymarket { rate, .. } | FeeRule::Kalshi { taker: rate, .. }) = self.fee;
        let p_q = i64::from(ticks) * (10_000 - i64::from(ticks));
        (p_q * i64::from(rate) + 999_999) / 1_000_000
    }

    /// Fills a fresh book around a fair price: dense near the best prices, thinning outwards.
    pub(super) fn open(&mut self, fair: u16, rng: &mut Rng, out: &mut VecDeque<Action>) {
        for side in [Side::Bid, Side::Ask] {
            self.open_side(side, fair, rng, out);
        }
    }

    /// The same for one side alone.
    pub(super) fn open_side(
        &mut self,
        side: Side,
        fair: u16,
        rng: &mut Rng,
        out: &mut VecDeque<Action>,
    ) {
        let (mut at, mut made) = (self.around(fair)[side.index()], 0);
        while let Some(ticks) = at.filter(|_| made < self.depth) {
            if made == 0 || rng.chance(4, 5) {
                let qty = size(rng, made);
                self.set(side, ticks, qty, out);
                made += 1;
            }
            let stride = usize::try_from(rng.range(1, 1 + made as u64 / 6)).expect("small");
            at = self.behind(side, ticks, stride);
        }
    }

    fn is_price(&self, ticks: u16) -> bool {
        Price::from_ticks(ticks).is_some_and(|price| self.grid.allows(price))
    }
}

/// A level's size: at most two decimals, larger further out, now and then round, as recorded books are.
pub(super) fn size(rng: &mut Rng, distance: usize) -> Qty {
    let scale = 1 + (distance as u64).min(20);
    let hundredths = match rng.below(4) {
        0 => rng.range(1, 10 * scale) * 1_000,
        1 => rng.range(1, 20) * 2_500,
        _ => rng.range(2_000, 30_000 * scale),
    };
    Qty::from_micros(hundredths * 10_000)
}
