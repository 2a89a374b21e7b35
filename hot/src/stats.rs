//! What the core counts: plain fields, published now and then, never on every event.

use crate::book::StaleWorst;
use crate::bounds::{
    DOUBTS_SHOWN_MAX, FOREIGN_SHOWN_MAX, QUARANTINED_SHOWN_MAX, UNPAIRED_SHOWN_MAX,
};
use crate::ids::{MarketId, Outcome, VenueKey};
use crate::order::ByStrategy;
use crate::pack::pack_fields;
use crate::per_venue::PerVenue;
use crate::risk::{HaltWhy, QuarantineWhy, Refusal};
use crate::units::{Nanos, Qty, Usd};
use crate::venue_mode::ModeShown;

/// Counters since the journal began, and figures as they stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Events that the core has handled.
    pub events: u64,
    /// Times the core checked its invariants while running; one that does not hold stops it.
    pub invariant_checks: u64,
    /// Times a basket promised a profit. While it goes on doing so it counts once.
    pub opportunities: u64,
    /// Times that a basket promised more than real ones do, so that its data is taken for bad.
    pub opportunities_absurd: u64,
    /// Groups that have been started.
    pub baskets_opened: u64,
    /// Groups that ended with every leg held.
    pub baskets_completed: u64,
    /// Groups that had to sell contracts again.
    pub baskets_unwound: u64,
    /// Groups that ended holding nothing because their first leg got nothing.
    pub baskets_failed: u64,
    /// How often a leg fails once another has filled, in millionths: the assumed figure, moved by what was observed.
    pub leg_fail_ppm: u64,
    /// What an unwind loses of the contracts' cost, in millionths: the assumed figure, moved by what was observed.
    pub unwind_loss_ppm: u64,
    /// How many of the last baskets the next two figures speak of: those of which a leg filled, at most 64.
    pub baskets_judged: u64,
    /// How many of them ended with complete units, in millionths.
    pub baskets_held_ppm: u64,
    /// How many of them had to sell contracts again, in millionths.
    pub baskets_sold_ppm: u64,
    /// What a basket that had to sell contracts again lost on average.
    pub unwind_loss_mean: Usd,
    /// How long a basket that came to hold every leg stood on one leg, on average.
    pub hedge_lag_mean: Nanos,
    /// The longest that such a basket stood on one leg.
    pub hedge_lag_max: Nanos,
    /// How many of those stood on one leg for more than half a second.
    pub hedges_late: u64,
    /// Groups that could not be closed within their bounds and were left to a person.
    pub baskets_operator: u64,
    /// Groups opened again after they had ended, because a venue took a fill back or told one late. Each stays counted as it first
    /// ended, and once more only where it is handed to a person then.
    pub groups_reopened: u64,
    /// Orders handed to an executor.
    pub orders_placed: u64,
    /// Orders that an executor did not send.
    pub orders_unsent: u64,
    /// Orders that a venue acknowledged.
    pub orders_acked: u64,
    /// Orders that a venue rejected.
    pub orders_rejected: u64,
    /// Times that it became unknown whether the venue has an order.
    pub orders_unknown: u64,
    /// Requests to cancel an order.
    pub cancels: u64,
    /// Requests to change an order in place.
    pub amends: u64,
    /// Orders that a venue changed in place.
    pub amended: u64,
    /// Changes in place that were refused, or never sent.
    pub amends_refused: u64,
    /// Orders that ended because their time had come.
    pub orders_expired: u64,
    /// Orders that the gate refused.
    pub refusals: u64,
    /// The same by reason.
    pub refused: Refused,
    /// Fills that have been booked.
    pub fills: u64,
    /// Fills that failed after they were booked.
    pub fills_failed: u64,
    /// Times that the thread of the core stood still.
    pub stalls: u64,
    /// Messages that were not understood, or not in full.
    pub odd: u64,
    /// Messages about our own orders or fills that were not understood, so that the venue's history had to be read.
    pub unread: u64,
    /// Books that became stale.
    pub stales: u64,
    /// Times that a venue was asked over REST for the book of a market whose stream was silent beyond its rhythm,
    /// or in which an order found nothing where its book shows something.
    pub witnesses_asked: u64,
    /// Times that the book it showed then was ours: the market was only quiet.
    pub witnesses_agreed: u64,
    /// Times that no usable answer came in time.
    pub witnesses_missing: u64,
    /// Times that a market's stream had frozen: the venue showed another book, and went on to send nothing.
    pub markets_frozen: u64,
    /// Markets that are silent beyond their rhythm, or in which an order found nothing where the book shows something, and of which
    /// nobody has said yet whether that is right.
    pub suspects: u64,
    /// The markets whose books became stale most often, and why.
    pub stale_worst: StaleWorst,
    /// Fills and other reports that none of our orders explains.
    pub strays: u64,
    /// Alarms that have been raised.
    pub alarms: u64,
    /// Orders that are not done.
    pub orders_live: u64,
    /// Orders that have timed out, so that it is unknown whether the venue has them.
    pub orders_unknown_live: u64,
    /// Groups that have not ended.
    pub groups_live: u64,
    /// Realised result after fees.
    pub realised: Usd,
    /// What selling everything that is not part of a complete basket would win or lose now.
    pub unrealised: Usd,
    /// Result of the trading day as the daily loss limit counts it: what selling would bring now, complete baskets at
    /// no more than their cost.
    pub day_result: Usd,
    /// The part of `day_result` that is each strategy's, by its number.
    pub strategy_results: ByStrategy,
    /// Cash, claims and what selling everything would bring, complete baskets at no more than their cost.
    pub equity: Usd,
    /// The most that `equity` was since the last drawdown that a person resumed from.
    pub peak: Usd,
    /// Fees paid to the venues so far.
    pub fees: Usd,
    /// The most that what is held and what is in flight can lose.
    pub exposure: Usd,
    /// What settled markets owe us and have not paid yet.
    pub claims: Usd,
    /// Cash at each venue.
    pub cash: PerVenue<Usd>,
    /// Markets at each venue, and how many of their books are good.
    pub books: PerVenue<(u32, u32)>,
    /// Orders in a row, by venue, that were turned away unread or could not be sent. From three on, new baskets that need
    /// the venue wait, and one at a time finds out whether it takes orders again.
    pub refused_in_a_row: PerVenue<u32>,
    /// What each venue takes at the moment.
    pub modes: PerVenue<ModeShown>,
    /// Times that a venue began not to take everything.
    pub venue_modes: u64,
    /// Times that a market was paused because it refused one purchase after another.
    pub market_pauses: u64,
    /// Whether what sends baskets or quotes is disabled because it repeated itself, until a person resumes.
    pub disabled: bool,
    /// Markets at each venue that are quarantined: nothing new is opened there.
    pub quarantined: PerVenue<u32>,
    /// Markets that were withdrawn and are still followed, because something is held, in flight or not final there.
    pub markets_leaving: u64,
    /// Times that a market was followed no more, nothing being left to be done there.
    pub markets_unfollowed: u64,
    /// Baskets that were withdrawn.
    pub baskets_withdrawn: u64,
    /// Orders at each venue that are not ours.
    pub foreign: PerVenue<Foreign>,
    /// The quarantined markets by name.
    pub quarantined_shown: Quarantined,
    /// Whether something a venue said of our orders or fills has not been read yet.
    pub unread_now: bool,
    /// The halt epoch that the core had reached: these counters know every halt and resume up to it.
    pub epoch: u64,
    /// Times that the core found a reason to halt by itself, also while it was halted already.
    pub trips: u64,
    /// The reason to halt that the core found last.
    pub tripped: Option<HaltWhy>,
    /// Whether trading is halted.
    pub halted: bool,
    pub halted_why: Option<HaltWhy>,
    /// Whether both venues and we agree.
    pub reconciled: bool,
    /// Whether each venue and we agree.
    pub agrees: PerVenue<bool>,
    /// Whether each venue's last reading says that all cash or a position is gone, without an explanation.
    pub gone: PerVenue<bool>,
    /// When each venue was last compared with, on the clock of the core's events; zero before the first
    /// time in a run.
    pub compared: PerVenue<Nanos>,
    /// When the reading of each venue was begun that was compared last, on the same clock; zero before the first time in a run.
    pub compared_since: PerVenue<Nanos>,
    /// Markets at each venue whose contracts are gone as the last reading says, without an explanation.
    pub doubts: PerVenue<Doubts>,
    /// Contracts that neither a complete basket nor a group explains, as of the last comparison.
    pub unpaired: Unpaired,
}

/// Orders that the gate refused, by reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused {
    counts: [u64; Refusal::ALL.len()],
}

impl Refused {
    /// Counts one more.
    pub fn add(&mut self, why: Refusal) {
        self.counts[why as usize] += 1;
    }

    /// The reasons for which any was refused, and how many.
    pub fn iter(&self) -> impl Iterator<Item = (Refusal, u64)> {
        let counted = Refusal::ALL.into_iter().zip(self.counts);
        counted.filter(|(_, count)| *count > 0)
    }
}

impl Default for Refused {
    fn default() -> Self {
        Self { counts: [0; Refusal::ALL.len()] }
    }
}

/// Orders that rest at a venue and that no record of ours explains, as of the last reading.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Foreign {
    /// The number of all of them; only the first few are shown.
    pub count: u32,
    shown: [Option<VenueKey>; FOREIGN_SHOWN_MAX],
}

impl Foreign {
    /// Counts one more, and shows it while there is room.
    pub fn add(&mut self, key: VenueKey) {
        if let Some(slot) = self.shown.get_mut(self.count as usize) {
            *slot = Some(key);
        }
        self.count += 1;
    }

    /// The first of them.
    pub fn shown(&self) -> impl Iterator<Item = VenueKey> {
        self.shown.into_iter().flatten()
    }
}

/// Markets in which the venue's list shows nothing of what is held here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Doubts {
    /// The number of all of them; only the first few are shown.
    pub count: u32,
    shown: [Option<MarketId>; DOUBTS_SHOWN_MAX],
}

impl Doubts {
    /// Counts one more, and shows it while there is room.
    pub fn add(&mut self, market: MarketId) {
        if let Some(slot) = self.shown.get_mut(self.count as usize) {
            *slot = Some(market);
        }
        self.count += 1;
    }

    /// The first of them.
    pub fn shown(&self) -> impl Iterator<Item = MarketId> {
        self.shown.into_iter().flatten()
    }
}

/// Contracts of one outcome that have no partner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnpairedPosition {
    pub market: MarketId,
    pub outcome: Outcome,
    pub qty: Qty,
}

/// All contracts that have no partner.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unpaired {
    /// How many positions there are.
    pub count: u32,
    shown: [Option<UnpairedPosition>; UNPAIRED_SHOWN_MAX],
}

impl Unpaired {
    /// Counts one more, and shows it while there is room.
    pub fn add(&mut self, position: UnpairedPosition) {
        if let Some(slot) = self.shown.get_mut(self.count as usize) {
            *slot = Some(position);
        }
        self.count += 1;
    }

    /// The first of them.
    pub fn shown(&self) -> impl Iterator<Item = UnpairedPosition> {
        self.shown.into_iter().flatten()
    }
}

/// Quarantined markets, as they stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quarantined {
    /// The number of all of them; only the first few are shown.
    pub count: u32,
    shown: [Option<(MarketId, QuarantineWhy)>; QUARANTINED_SHOWN_MAX],
}

impl Quarantined {
    /// Counts one more, and shows it while there is room.
    pub fn add(&mut self, market: MarketId, why: QuarantineWhy) {
        if let Some(slot) = self.shown.get_mut(self.count as usize) {
            *slot = Some((market, why));
        }
        self.count += 1;
    }

    /// The first of them, and why each is quarantined.
    pub fn shown(&self) -> impl Iterator<Item = (MarketId, QuarantineWhy)> {
        self.shown.into_iter().flatten()
    }
}

pack_fields! {
    Stats { events, invariant_checks, opportunities, opportunities_absurd, baskets_opened, baskets_completed, baskets_unwound, baskets_failed, leg_fail_ppm, unwind_loss_ppm, baskets_judged, baskets_held_ppm, baskets_sold_ppm, unwind_loss_mean, hedge_lag_mean, hedge_lag_max, hedges_late, baskets_operator, groups_reopened, orders_placed, orders_unsent, orders_acked, orders_rejected, orders_unknown, cancels, amends, amended, amends_refused, orders_expired, refusals, refused, fills, fills_failed, stalls, odd, unread, stales, witnesses_asked, witnesses_agreed, witnesses_missing, markets_frozen, suspects, stale_worst, strays, alarms, orders_live, orders_unknown_live, groups_live, realised, unrealised, day_result, strategy_results, equity, peak, fees, exposure, claims, cash, books, refused_in_a_row, modes, venue_modes, market_pauses, disabled, quarantined, markets_leaving, markets_unfollowed, baskets_withdrawn, foreign, quarantined_shown, unread_now, epoch, trips, tripped, halted, halted_why, reconciled, agrees, gone, compared, compared_since, doubts, unpaired }
    Refused { counts }
    Foreign { count, shown }
    Doubts { count, shown }
    UnpairedPosition { market, outcome, qty }
    Unpaired { count, shown }
    Quarantined { count, shown }
}
