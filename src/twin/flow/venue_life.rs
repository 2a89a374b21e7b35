//! What the venues do by themselves, by the world's schedule: restarts, pauses, price steps, closes and fees that change,
//! results that are amended or disputed.

use surefoot_hot::grid::Grid;
use surefoot_hot::ids::Venue;
use surefoot_hot::units::{Nanos, Price};

use super::agenda::Due;
use super::quote::Quote;
use super::{Action, Flow, Phase, Question};
use crate::twin::market_set::{FeeType, SeriesFee};

/// Polymarket's coarse and its fine price step, in $0.0001.
const TICKS: (u16, u16) = (100, 10);
/// Below this price, and above its complement, a market of Polymarket gets the fine step (`venues/polymarket.md` §5.3).
const FINE_BELOW: u16 = 400;
/// The fees that a series may get (`venues/kalshi.md` §7.1: multipliers of a half and of one were seen, with and without makers').
const SERIES_FEES: [SeriesFee; 4] = [
    SeriesFee { kind: FeeType::Quadratic, multiplier: 1_000_000 },
    SeriesFee { kind: FeeType::Quadratic, multiplier: 500_000 },
    SeriesFee { kind: FeeType::QuadraticWithMakerFees, multiplier: 1_000_000 },
    SeriesFee { kind: FeeType::QuadraticWithMakerFees, multiplier: 500_000 },
];
/// How long after a result an amended one follows: before it pays.
const AMENDED_AFTER: Nanos = Nanos::from_millis(250);

impl Flow {
    /// Puts what the venues do first on the agenda.
    pub(super) fn begin_venue_life(&mut self, start: Nanos) {
        let Some(life) = self.rules.life else { return };
        for (due, every) in [
            (Due::Phase(Venue::Polymarket, Phase::Restarting), life.restart_every_ms),
            (Due::Phase(Venue::Kalshi, Phase::Restarting), life.pause_every_ms),
            (Due::PauseMarket, life.market_pause_every_ms),
            (Due::CloseMoves, life.close_moves_every_ms),
        ] {
            let at = start.after(every.millis(&mut self.world_rng));
            self.put(at, due);
        }
        let fees = start.after(life.fee_changes_every_ms.millis(&mut self.fate_rng));
        self.put(fees, Due::FeeChange);
    }

    /// A venue restarts, comes back for those who rest alone, or is itself again.
    pub(super) fn enter(&mut self, venue: Venue, phase: Phase, now: Nanos) {
        let Some(life) = self.rules.life else { return };
        let is_pause = (venue, phase) == (Venue::Kalshi, Phase::Restarting);
        let shuts = is_pause && self.fate_rng.chance(life.exchange_paused_percent, 100);
        let phase = if shuts { Phase::Shut } else { phase };
        let (next, after) = match (venue, phase) {
            (Venue::Polymarket, Phase::Restarting) => (Phase::PostOnly, life.restart_lasts_ms),
            (Venue::Polymarket, Phase::PostOnly) => (Phase::Normal, life.post_only_ms),
            (Venue::Polymarket, Phase::Normal) => (Phase::Restarting, life.restart_every_ms),
            (Venue::Kalshi, Phase::Restarting | Phase::PostOnly)
            | (Venue::Polymarket | Venue::Kalshi, Phase::Shut) => {
                (Phase::Normal, life.pause_lasts_ms)
            }
            (Venue::Kalshi, Phase::Normal) => (Phase::Restarting, life.pause_every_ms),
        };
        let until = now.after(after.millis(&mut self.world_rng));
        self.out.push_back(Action::Phase { venue, phase, until });
        self.put(until, Due::Phase(venue, next));
    }

    /// Kalshi lists another fee for the series of some market, which holds from a date on.
    pub(super) fn announce_fee(&mut self, now: Nanos) {
        let Some(life) = self.rules.life else { return };
        let next = now.after(life.fee_changes_every_ms.millis(&mut self.fate_rng));
        self.put(next, Due::FeeChange);
        let from = now.after(life.fee_changes_ahead_ms.millis(&mut self.fate_rng));
        let from = Nanos::from_secs(from.get() / 1_000_000_000);
        let fee = *self.fate_rng.pick(&SERIES_FEES);
        let lasting = self.lasting();
        if lasting.is_empty() {
            return;
        }
        let index = *self.fate_rng.pick(&lasting);
        let Quote { market, series, .. } = self.quotes[index];
        let series = series.expect("a market of Kalshi has a series");
        self.out.push_back(Action::FeeChange { market, fee, from });
        self.put(from, Due::FeeHolds { series, fee });
    }

    /// The fee of a series is another one: makers and rivals reckon with it.
    pub(super) fn change_fee(&mut self, series: usize, fee: SeriesFee) {
        for quote in self.quotes.iter_mut().filter(|quote| quote.series == Some(series)) {
            quote.fee = fee.rule();
        }
    }

    /// A result of Polymarket is proposed: now and then it is disputed, comes later, and may be the other one. Whether it is so.
    pub(super) fn may_dispute(&mut self, market: usize, yes_pays: Price, now: Nanos) -> bool {
        let Some(life) = self.rules.life else { return false };
        if !self.fate_rng.chance(life.disputed_percent, 100) {
            return false;
        }
        let turns = self.fate_rng.chance(life.overturned_percent, 100);
        let yes_pays = if turns { yes_pays.complement() } else { yes_pays };
        let at = now.after(life.dispute_lasts_ms.millis(&mut self.fate_rng));
        self.out.push_back(Action::Dispute { market });
        self.put(at, Due::Resolve { market, yes_pays });
        true
    }

    /// Markets of Kalshi that outlive the day, are up and have no gap kept open: the venue may do something to them.
    fn lasting(&self) -> Vec<usize> {
        let fit = |index: &usize| {
            let quote = &self.quotes[*index];
            quote.alive && quote.settle.is_none() && !quote.pinned && !quote.is_paused
        };
        (self.polymarket_quotes..self.quotes.len()).filter(fit).collect()
    }

    fn pick_lasting(&mut self) -> Option<usize> {
        let fit = self.lasting();
        if fit.is_empty() { None } else { Some(*self.world_rng.pick(&fit)) }
    }

    /// Kalshi pauses one market. What rests there goes when it comes back.
    pub(super) fn pause_market(&mut self, now: Nanos) {
        let Some(life) = self.rules.life else { return };
        let next = now.after(life.market_pause_every_ms.millis(&mut self.world_rng));
        self.put(next, Due::PauseMarket);
        let lasts = life.market_pause_lasts_ms.millis(&mut self.world_rng);
        let Some(index) = self.pick_lasting() else { return };
        self.gaps.retain(|gap| !gap.quotes.contains(&index));
        let quote = &mut self.quotes[index];
        quote.is_paused = true;
        let market = quote.market;
        self.out.push_back(Action::Pause { market, pauses: true });
        self.put(now.after(lasts), Due::ResumeMarket(index));
    }

    /// The market trades again, from an empty book.
    pub(super) fn resume_market(&mut self, index: usize) {
        let question = self.questions.iter().find(|question| question.quotes.contains(&index));
        let Some(fair) = question.map(|question| question.fair) else { return };
        let quote = &mut self.quotes[index];
        quote.is_paused = false;
        quote.levels.iter_mut().for_each(std::collections::BTreeMap::clear);
        // The pause ends of one that has closed meanwhile, too; the venue has nothing to say of that.
        self.out.push_back(Action::Pause { market: quote.market, pauses: false });
        if quote.alive {
            quote.open(fair, &mut self.world_rng, &mut self.out);
        }
    }

    /// A market of Kalshi is to close at another time.
    pub(super) fn move_close(&mut self, now: Nanos) {
        let Some(life) = self.rules.life else { return };
        let next = now.after(life.close_moves_every_ms.millis(&mut self.world_rng));
        self.put(next, Due::CloseMoves);
        let close = now.after(life.close_moves_to_ms.millis(&mut self.world_rng));
        let Some(index) = self.pick_lasting() else { return };
        self.quotes[index].closes = close;
        let market = self.quotes[index].market;
        self.out.push_back(Action::CloseMoves { market, close });
        self.put(close, Due::Close(index));
    }

    /// A market closes, if its close was not moved again since.
    pub(super) fn close(&mut self, index: usize, now: Nanos) {
        if self.quotes[index].closes != now {
            return;
        }
        self.gaps.retain(|gap| !gap.quotes.contains(&index));
        let quote = &mut self.quotes[index];
        quote.alive = false;
        quote.levels.iter_mut().for_each(std::collections::BTreeMap::clear);
    }

    /// The price step of a market of Polymarket whose price has come near $0 or $1 becomes the fine one.
    pub(super) fn look_at_tick(&mut self, question: usize) {
        let Question { fair, quotes, .. } = &self.questions[question];
        if (FINE_BELOW..=10_000 - FINE_BELOW).contains(fair) {
            return;
        }
        let coarse = Grid::uniform(TICKS.0);
        for &index in quotes {
            let quote = &mut self.quotes[index];
            let is_coarse = Some(quote.grid) == coarse && quote.venue == Venue::Polymarket;
            if quote.alive && is_coarse && !quote.captured {
                quote.grid = Grid::uniform(TICKS.1).expect("it divides a dollar");
                let (market, tick) = (quote.market, TICKS.1);
                self.out.push_back(Action::Tick { market, tick });
            }
        }
    }

    /// A market of Kalshi has told its result: now and then it is amended before it pays.
    pub(super) fn may_amend(&mut self, index: usize, yes_pays: Price, now: Nanos) {
        let quote = &self.quotes[index];
        let percent = self.rules.life.map_or(0, |life| life.amended_percent);
        if quote.venue == Venue::Kalshi && self.world_rng.chance(percent, 100) {
            let market = quote.market;
            let yes_pays = yes_pays.complement();
            self.put(now.after(AMENDED_AFTER), Due::Amend { market, yes_pays });
        }
    }
}
