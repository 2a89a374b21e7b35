//! Gaps: moments in which a basket costs less than it must pay, fees included. They open, and they close.

use surefoot_hot::ids::Side;
use surefoot_hot::units::{Nanos, Qty};

use super::agenda::Due;
use super::quote::size;
use super::{Flow, GAP_REST, Question, SETTLE_QUIET};
use crate::twin::world::GapKind;

/// A dollar in 1e-8.
const DOLLAR: i64 = 100_000_000;
/// $0.0001 in 1e-8.
const TICK: i64 = 10_000;

/// One open gap.
#[derive(Clone, Debug)]
pub(super) struct Gap {
    pub kind: GapKind,
    pub ends: Nanos,
    /// Indices of the quotes it needs.
    pub quotes: Vec<usize>,
    /// The questions of those quotes.
    pub questions: Vec<usize>,
    /// Which of the quotes has moved, where just one has: the others may follow it.
    moved: Option<usize>,
    /// For each quote: the side that a taker of the gap hits, and the price that it shows there.
    pub prices: Vec<(Side, u16)>,
    /// Tells it from others in the agenda.
    pub number: u64,
}

impl Flow {
    /// Opens a gap on a pair, if there is one that may have it.
    pub(super) fn open_pair_gap(&mut self, now: Nanos) {
        let fit: Vec<usize> =
            self.pairs.iter().copied().filter(|&pair| self.may_gap(&[pair], now)).collect();
        if fit.is_empty() {
            return;
        }
        let question = *self.rng.pick(&fit);
        let [first, second] = self.questions[question].quotes[..] else { return };
        // Who is cheap, and who moved to make it so. A recorded market does not move for us.
        let (cheap, dear) = if self.rng.chance(1, 2) { (first, second) } else { (second, first) };
        let moved = match (self.quotes[cheap].captured, self.quotes[dear].captured) {
            (true, _) => dear,
            (_, true) => cheap,
            _ if self.rng.chance(1, 2) => cheap,
            _ => dear,
        };
        let (kind, edge) = self.draw_kind();
        let Some(to) = self.gap_price(cheap, dear, moved, edge) else { return };
        let (qty, other_qty) = (self.gap_size(), self.gap_size());
        let fixed = if moved == cheap { dear } else { cheap };
        let side_of = |quote| if quote == cheap { Side::Ask } else { Side::Bid };
        // The leg that stands still shows its size first; then the gap opens with one change.
        if !self.quotes[fixed].captured {
            let side = side_of(fixed);
            let best = self.quotes[fixed].best(side).expect("a price was found from it");
            self.quotes[fixed].set(side, best, other_qty, &mut self.out);
        }
        self.show(moved, side_of(moved), to, qty);
        let ends = self.draw_end(kind, now);
        let shown = |quote: usize| {
            let side = side_of(quote);
            Some((side, self.quotes[quote].best(side)?))
        };
        let (Some(buy), Some(sell)) = (shown(cheap), shown(dear)) else { return };
        let gap = Gap {
            kind,
            ends,
            quotes: vec![cheap, dear],
            questions: vec![question],
            moved: Some(moved),
            prices: vec![buy, sell],
            number: 0,
        };
        self.begin_gap(gap, edge, now);
    }

    /// Opens a gap on an exclusive set: all YES for less than a dollar, or all NO for less than what all but one
    /// of them pay.
    pub(super) fn open_set_gap(&mut self, now: Nanos) {
        let fit: Vec<usize> =
            (0..self.sets.len()).filter(|&set| self.may_gap(&self.sets[set], now)).collect();
        if fit.is_empty() {
            return;
        }
        let set = *self.rng.pick(&fit);
        let questions = self.sets[set].clone();
        let quotes: Vec<usize> =
            questions.iter().map(|&question| self.questions[question].quotes[0]).collect();
        let side = self.side();
        let edge = self.draw_edge(self.rules.set_edge);
        let mut prices: Vec<u16> = Vec::new();
        for &quote in &quotes {
            let Some(best) = self.quotes[quote].best(side) else { return };
            prices.push(best);
        }
        while self.set_edge(&quotes, &prices, side) < edge {
            for (at, &quote) in quotes.iter().enumerate() {
                let nearer = self.quotes[quote].ahead(side, prices[at], 1);
                let Some(nearer) = nearer.filter(|to| self.may_show(*to)) else { return };
                prices[at] = nearer;
            }
        }
        for (at, &quote) in quotes.iter().enumerate() {
            let qty = self.gap_size();
            self.show(quote, side, prices[at], qty);
        }
        let kind = match self.rng.chance(1, 8) {
            _ if self.rules.rivals.is_some() => GapKind::Contested,
            true => GapKind::VanishesWhenHit,
            false => self.draw_plain(),
        };
        let ends = self.draw_end(kind, now);
        let prices = prices.into_iter().map(|ticks| (side, ticks)).collect();
        let gap = Gap { kind, ends, quotes, questions, moved: None, prices, number: 0 };
        self.begin_gap(gap, edge, now);
    }

    /// What one unit of the basket gains when it is taken at these prices, in 1e-8 dollars.
    fn set_edge(&self, quotes: &[usize], prices: &[u16], side: Side) -> i64 {
        let each = quotes.iter().zip(prices);
        let (sum, fees) = each.fold((0, 0), |(sum, fees), (&quote, &ticks)| {
            (sum + i64::from(ticks) * TICK, fees + self.quotes[quote].taker_fee(ticks))
        });
        match side {
            Side::Ask => DOLLAR - sum - fees, // all YES
            Side::Bid => sum - DOLLAR - fees, // all NO: they cost n − sum and pay n − 1
        }
    }

    fn may_gap(&self, questions: &[usize], now: Nanos) -> bool {
        questions.iter().all(|&question| {
            let Question { quotes, rests_until, .. } = &self.questions[question];
            *rests_until <= now
                && quotes.iter().all(|&quote| {
                    let quote = &self.quotes[quote];
                    let soon = quote.settle.is_some_and(|(at, _)| at <= now.after(SETTLE_QUIET));
                    quote.alive && !quote.pinned && !quote.stale && !quote.is_paused && !soon
                })
        })
    }

    fn draw_kind(&mut self) -> (GapKind, i64) {
        let draw = self.rng.below(100);
        let mut sum = 0;
        let drawn = self.rules.gaps.iter().find(|share| {
            sum += share.percent;
            draw < sum
        });
        let share = *drawn.expect("shares sum to a hundred");
        let kind = if share.kind == GapKind::Plain { self.draw_plain() } else { share.kind };
        (kind, self.draw_edge(share.edge))
    }

    /// A gap that is kept open: a plain one or, in so many cases as the world has it, a trap.
    fn draw_plain(&mut self) -> GapKind {
        let percent = self.rules.traps_percent;
        let is_trap = percent > 0 && self.world_rng.chance(percent, 100);
        if is_trap { GapKind::VanishesWhenHit } else { GapKind::Plain }
    }

    /// What a contract gains, in 1e-8 dollars, out of bounds in $0.0001.
    fn draw_edge(&mut self, (least, most): (i64, i64)) -> i64 {
        let above = self.rng.range(0, most.abs_diff(least));
        (least + i64::try_from(above).expect("small")) * TICK
    }

    fn draw_end(&mut self, kind: GapKind, now: Nanos) -> Nanos {
        let micros = match (kind, self.rules.rivals) {
            (GapKind::VanishesSoon, _) => self.rng.range(1_000, 2_000),
            (GapKind::Absurd, _) => self.rng.range(300_000, 900_000),
            (GapKind::Contested, Some(rivals)) => rivals.gap_lasts_ms.draw(&mut self.rng) * 1_000,
            // Most are short; the longest stay for seconds.
            _ => self.rng.range(300_000, 5_000_000).min(self.rng.range(300_000, 5_000_000)),
        };
        now.after(Nanos::new(micros * 1_000))
    }

    /// What a level of a gap holds, with at most two decimals. Where nobody competes, 15 to 60 contracts, more often few
    /// than many.
    fn gap_size(&mut self) -> Qty {
        if let Some(rivals) = self.rules.rivals {
            return Qty::from_micros(rivals.gap_size.draw(&mut self.rng) * 10_000);
        }
        let extra = self.rng.below(4_501).min(self.rng.below(4_501));
        Qty::from_micros((1_500 + extra) * 10_000)
    }

    /// Where the moving leg must stand for the basket to gain `edge`.
    fn gap_price(&self, cheap: usize, dear: usize, moved: usize, edge: i64) -> Option<u16> {
        let (buy, sell) = (&self.quotes[cheap], &self.quotes[dear]);
        let gain = |ask: u16, bid: u16| {
            (i64::from(bid) - i64::from(ask)) * TICK - buy.taker_fee(ask) - sell.taker_fee(bid)
        };
        let (mut ask, mut bid) = (buy.best(Side::Ask)?, sell.best(Side::Bid)?);
        while gain(ask, bid) < edge {
            if moved == cheap {
                ask = buy.ahead(Side::Ask, ask, 1)?;
            } else {
                bid = sell.ahead(Side::Bid, bid, 1)?;
            }
        }
        let to = if moved == cheap { ask } else { bid };
        self.may_show(to).then_some(to)
    }

    /// No gap moves a quote further than this. Where books always have two sides, the other side keeps a price.
    fn may_show(&self, ticks: u16) -> bool {
        let margin = if self.rules.withdrawals.is_some() { 50 } else { 300 };
        (margin..=10_000 - margin).contains(&ticks)
    }

    /// Moves a quote so that `side`'s best is `qty` at `ticks`; the other side keeps its distance.
    fn show(&mut self, quote: usize, side: Side, ticks: u16, qty: Qty) {
        let quote = &mut self.quotes[quote];
        let away = size(&mut self.rng, 0);
        let spread = 2 * quote.half_spread;
        match side {
            Side::Bid => {
                let ask = quote.ceil(ticks.saturating_add(spread));
                quote.place([Some(ticks), ask], [qty, away], &mut self.out);
            }
            Side::Ask => {
                let bid = quote.floor(ticks.saturating_sub(spread));
                quote.place([bid, Some(ticks)], [away, qty], &mut self.out);
            }
        }
    }

    /// A gap begins. A contested one is nobody's: where it pays, a rival is on his way.
    fn begin_gap(&mut self, mut gap: Gap, edge: i64, now: Nanos) {
        self.gap_count += 1;
        gap.number = self.gap_count;
        let contested = gap.kind == GapKind::Contested;
        for &quote in &gap.quotes {
            let quote = &mut self.quotes[quote];
            (quote.pinned, quote.stale) = (!contested, contested);
        }
        if let Some(rivals) = self.rules.rivals.filter(|_| contested && edge > 0) {
            let at = now.after(rivals.reaction_us.micros(&mut self.rng));
            self.put(at, Due::TakeGap(gap.number));
        }
        self.gaps.push(gap);
    }

    /// A rival takes what a gap still shows, on every leg.
    pub(super) fn take_gap(&mut self, number: u64) {
        let Some(gap) = self.gaps.iter().find(|gap| gap.number == number) else { return };
        let legs: Vec<_> = gap.quotes.iter().copied().zip(gap.prices.clone()).collect();
        for (quote, (side, ticks)) in legs {
            self.take(quote, side, ticks);
        }
    }

    /// A gap's time is over: the rest of the world follows what moved, or what moved comes back.
    pub(super) fn end_gap(&mut self, index: usize, now: Nanos) {
        let gap = &self.gaps[index];
        let follows = match (gap.kind, gap.moved) {
            (GapKind::Plain | GapKind::Contested, Some(moved)) if self.rng.chance(1, 2) => {
                self.quotes[moved].middle()
            }
            _ => None,
        };
        self.close_gap(index, follows, now);
    }

    /// One leg of a trap was taken: the others go at once.
    pub(super) fn spring(&mut self, index: usize, hit: usize, now: Nanos) {
        // If the leg that moved was hit, the other follows it; else it comes back. Either way the other is gone.
        let follows =
            if self.gaps[index].moved == Some(hit) { self.quotes[hit].middle() } else { None };
        self.close_gap(index, follows, now);
    }

    fn close_gap(&mut self, index: usize, fair: Option<u16>, now: Nanos) {
        let gap = self.gaps.remove(index);
        for &quote in &gap.quotes {
            let quote = &mut self.quotes[quote];
            (quote.pinned, quote.stale) = (false, false);
        }
        let (low, high) = self.rules.fair;
        for &question in &gap.questions {
            let leads = self.quotes[self.questions[question].quotes[0]].captured;
            let entry = &mut self.questions[question];
            entry.rests_until = now.after(GAP_REST);
            if let Some(fair) = fair.filter(|fair| !leads && (low + 500..high - 500).contains(fair))
            {
                entry.fair = fair;
            }
            let (fair, quotes) = (entry.fair, entry.quotes.clone());
            for quote in quotes {
                let quote = &mut self.quotes[quote];
                if quote.alive && !quote.captured {
                    quote.quote(fair, &mut self.rng, &mut self.out);
                }
            }
        }
    }
}
