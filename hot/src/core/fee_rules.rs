//! What fills cost, by market and time.
//!
//! The terms of a market in the books hold the rule that is counted with: reservations, plans and prices are made from it and
//! read no clock. Near a change it is the dearer one of both rules. A timer event moves it on when its date has come, without
//! a word of the venue; what was claimed on the old rule is claimed anew on the new one.

use super::Core;
use super::leaving::go_on;
use crate::book::Book;
use crate::bounds::{FEES_PER_TIMER_MAX, MARKETS_MAX};
use crate::event::Event;
use crate::fees::{FeeChange, FeeRule, FeeSchedule};
use crate::id_set::IdSet;
use crate::ids::MarketId;
use crate::market::MarketDef;
use crate::outbox::Outbox;
use crate::per_id::PerId;
use crate::report::Fill;
use crate::risk::LimitRow;
use crate::state::state_fields;
use crate::units::Nanos;

/// How much longer than a leg may take both rules are counted with, before a change and after it: the venue's clock is not
/// ours, and a timer event looks at [`FEES_PER_TIMER_MAX`] markets only. So near a change a fill may have been charged by either
/// rule, too, whatever its own time says: Polymarket tells it in whole seconds (`venues/polymarket.md` §6.3, 2026-11-20).
const FEE_MARGIN: Nanos = Nanos::from_secs(2);

/// The rules of every market: see the head of this file.
#[derive(Debug)]
pub(super) struct FeeRules {
    /// Each market's dated rules.
    all: PerId<FeeSchedule>,
    /// Markets whose rule changes, or is still counted with beside another, by its date alone.
    moving: IdSet,
    /// Where the next timer event begins to look through them.
    next: usize,
}

state_fields! {
    FeeRules { all: table(FeeSchedule::NONE), moving: value, next: index }
}

impl FeeRules {
    /// Allocates all it will ever need.
    pub fn new() -> Self {
        Self {
            all: PerId::new(MARKETS_MAX, FeeSchedule::NONE),
            moving: IdSet::new(MARKETS_MAX),
            next: 0,
        }
    }

    /// The rules of a market.
    pub fn of(&self, market: MarketId) -> &FeeSchedule {
        &self.all[market.index()]
    }

    /// The rules that held in a market at some time from `from` to `to`, as far as the venue's clock and ours may be apart.
    pub fn within(
        &self,
        market: MarketId,
        from: Nanos,
        to: Nanos,
    ) -> impl Iterator<Item = FeeRule> {
        self.of(market).rules_within(before(from), to.after(FEE_MARGIN))
    }

    /// The rules by which a fill may have been charged, which is told at `now` and whose order was sent at `sent`: those that
    /// held at its own time. Where that is not told, or lies outside of what can be, any that held since its order was sent.
    pub fn of_fill(&self, now: Nanos, fill: &Fill, sent: Nanos) -> impl Iterator<Item = FeeRule> {
        let at = fill.venue_time;
        let is_told = at != Nanos::ZERO && (before(sent)..=now.after(FEE_MARGIN)).contains(&at);
        let (from, to) = if is_told { (at, at) } else { (sent, now) };
        self.within(fill.market, from, to)
    }

    /// The rule to count with.
    fn counted(&self, now: Nanos, market: MarketId, reach: Nanos) -> Option<FeeRule> {
        self.of(market).dearest(now, reach)
    }
}

/// As much before a time as the venue's clock and ours may be apart.
fn before(time: Nanos) -> Nanos {
    Nanos::new(time.get().saturating_sub(FEE_MARGIN.get()))
}

impl Core {
    /// How far on both sides of a change both rules are counted with.
    fn fee_reach(&self) -> Nanos {
        self.limits.span(LimitRow::LegTimeoutMs).after(FEE_MARGIN)
    }

    /// A market's terms came in, with the fee rule of now.
    pub(super) fn on_market_told(&mut self, now: Nanos, def: &MarketDef, out: &mut Outbox) {
        let (market, reach) = (def.market, self.fee_reach());
        let rules = &mut self.fee_rules;
        rules.all[market.index()].state(now, def.fee);
        rules.moving.set(market.index(), !rules.of(market).is_settled(now, reach));
        let fee = rules.counted(now, market, reach).expect("one was just stated");
        let def = MarketDef { fee, ..*def };
        self.on_market_followed(now, &Event::Market(def), &def, out);
    }

    /// From some time on a market has another fee rule; one whose time has come is the rule of now.
    pub(super) fn on_fee_change(
        &mut self,
        now: Nanos,
        market: MarketId,
        change: FeeChange,
        out: &mut Outbox,
    ) {
        let terms = self.books.terms(market);
        if !terms.is_some_and(|terms| terms.fee.is_like(change.rule)) {
            return; // a market that is not known, or another venue's formula
        }
        let rules = &mut self.fee_rules.all[market.index()];
        if change.from <= now {
            rules.state(now, change.rule);
        } else {
            rules.change(now, change);
        }
        self.fee_rules.moving.insert(market.index());
        self.move_fee(now, market, out);
    }

    /// Counts with the rules of now in so many of the markets where they change by their date.
    pub(super) fn tend_fee_rules(&mut self, now: Nanos, out: &mut Outbox) {
        for _ in 0..FEES_PER_TIMER_MAX.min(self.fee_rules.moving.len()) {
            let FeeRules { moving, next, .. } = &mut self.fee_rules;
            let Some(at) = go_on(moving, next) else { break };
            self.move_fee(now, MarketId::new(at as u16), out);
        }
    }

    /// Counts with the rules of now in one market. Its baskets are marked where that is another one: they may be worth it now.
    fn move_fee(&mut self, now: Nanos, market: MarketId, out: &mut Outbox) {
        let reach = self.fee_reach();
        if self.fee_rules.of(market).is_settled(now, reach) {
            self.fee_rules.moving.remove(market.index());
        }
        let terms = *self.terms(market);
        let counted = self.fee_rules.counted(now, market, reach);
        let Some(fee) = counted.filter(|fee| *fee != terms.fee) else { return };
        let is_followed = self.books.get(market).is_some_and(Book::is_followed);
        if !is_followed {
            return; // its terms come anew where it is followed again
        }
        let def = MarketDef { fee, ..terms };
        self.on_market(now, &Event::Market(def), &def, out);
        self.baskets.refresh(market, &self.books);
    }

    /// Checks that a market whose fee does not change by its date is counted with its last rule.
    ///
    /// # Panics
    /// Where it is not.
    pub(super) fn check_fee_rules(&self) {
        for (market, book) in self.books.iter().filter(|(_, book)| book.is_followed()) {
            if !self.fee_rules.moving.contains(market.index()) {
                let last = self.fee_rules.of(market).rules().last();
                assert_eq!(
                    last.map(|entry| entry.rule),
                    Some(book.terms().fee),
                    "the fee of {market:?} is its last rule's"
                );
            }
        }
    }
}
