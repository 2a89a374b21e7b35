//! From books to groups: terms and books as they change, which baskets a change touches, what the strategy makes of them,
//! and groups begun.

use super::Core;
use super::advance::buying_tif;
use super::place::{LegDraft, Passed};
use crate::basket::{BasketDef, Baskets, Verdict};
use crate::book::{Applied, Book, Books, Level, Levels};
use crate::bounds::{FAILED_PER_EVENT_MAX, RANKED_MAX};
use crate::event::Event;
use crate::group::{Choice, Group, Groups, Leg, Odds, Sequencing};
use crate::ids::{BasketId, ClusterId, MarketId, Outcome, Side, Venue};
use crate::intent::Intent;
use crate::ledger::CashAccount;
use crate::market::MarketDef;
use crate::note::{Alarm, Note};
use crate::order::{Order, Tif};
use crate::outbox::Outbox;
use crate::risk::collar::Bound;
use crate::risk::{
    Account, Claimed, Headroom, LimitRow, Limits, PlanRisk, PlannedLeg, Refusal, Rejections, Worst,
    shocks,
};
use crate::strategy::Sight;
use crate::strategy::arbitrage::{Ahead, Decision, Ranked, Seen};
use crate::units::{Nanos, Price, Qty, Usd};

impl Core {
    pub(super) fn on_basket(&mut self, def: &BasketDef, out: &mut Outbox) {
        self.leaving.on_basket(def.basket);
        self.money.forget_hedges(); // it may take the place of another
        if self.baskets.define(def, &self.books).is_err() {
            self.alarm(Alarm::BadBasket, Some(def.market), None, out);
        }
    }

    /// The terms of a market came in. Where they change what is claimed there (the cash account, the fee, the cluster, the category,
    /// the theme), every claim is given back on the old terms and made anew on the new ones, so that no account gets back what
    /// another gave.
    pub(super) fn on_market(
        &mut self,
        now: Nanos,
        event: &Event,
        def: &MarketDef,
        out: &mut Outbox,
    ) {
        let old = self.books.terms(def.market).copied();
        let moves = |old: &MarketDef| {
            let of = |def: &MarketDef| {
                (def.venue, def.shard, def.fee, def.cluster, def.category, def.theme)
            };
            of(old) != of(def)
        };
        let Some(old) = old.filter(moves) else { return self.on_market_data(now, event, out) };
        self.release_claims(def.market);
        self.money.regroup(&old, def);
        let applied = self.books.apply(now, event);
        self.claim_anew(def.market);
        self.on_applied(now, event, applied, out);
    }

    pub(super) fn on_market_data(&mut self, now: Nanos, event: &Event, out: &mut Outbox) {
        let applied = self.books.apply(now, event);
        self.on_applied(now, event, applied, out);
    }

    /// One level changed, which is what nearly every event says. What [`Self::on_market_data`] does about it, without asking
    /// first what the event is.
    #[inline]
    pub(super) fn on_level(&mut self, now: Nanos, event: &Event, level: &Level, out: &mut Outbox) {
        let applied = self.books.apply_level(now, level);
        self.on_usual(now, level.market, event, applied, out);
    }

    /// The same where a venue states what a book must look like.
    #[inline]
    pub(super) fn on_check(
        &mut self,
        now: Nanos,
        market: MarketId,
        event: &Event,
        out: &mut Outbox,
    ) {
        let applied = self.books.apply_to(now, market, event);
        self.on_usual(now, market, event, applied, out);
    }

    /// What [`Self::on_applied`] does about a level or a statement of the venue.
    #[inline]
    fn on_usual(
        &mut self,
        now: Nanos,
        market: MarketId,
        event: &Event,
        applied: Applied,
        out: &mut Outbox,
    ) {
        match applied {
            Applied::Unchanged => {}
            Applied::Deep => self.on_book(now, market, out),
            Applied::Pending => self.money.on_moved(market),
            Applied::Top => {
                self.money.on_moved(market);
                self.on_book(now, market, out);
            }
            Applied::Stale(_) | Applied::Many => self.on_applied(now, event, applied, out),
        }
    }

    /// An event did this to the books: what follows from it.
    fn on_applied(&mut self, now: Nanos, event: &Event, applied: Applied, out: &mut Outbox) {
        self.money.on_book(event, applied);
        if let Event::SnapshotBegin { market, .. } = *event {
            self.ask_to_unfollow(now, market, out);
        }
        if let Event::GridChange { market, .. } | Event::Market(MarketDef { market, .. }) = *event
            && self.books.terms(market).is_some()
        {
            self.cancel_off_grid(now, market, out);
        }
        match applied {
            Applied::Pending | Applied::Unchanged => {}
            Applied::Deep | Applied::Top => {
                if let Some(market) = event.market() {
                    self.on_book(now, market, out);
                }
            }
            Applied::Stale(why) => {
                self.stats.stales += 1;
                if let Some(market) = event.market() {
                    // With another grid comes a snapshot, or the session has asked for one already: asked for again, it would
                    // take the one that is here for an old one, and drop the changes that follow.
                    let is_asked = matches!(event, Event::GridChange { .. });
                    if !why.resyncs_by_itself() && !is_asked {
                        self.resync_asked[market.index()] = now;
                        out.send(Intent::Resync { market });
                    }
                    self.on_book(now, market, out);
                }
            }
            Applied::Many => {
                self.stats.stales += 1;
                self.reprice_failed();
            }
        }
    }

    /// Reprices the baskets of books that became stale together with others, so many in one event; the timer goes on. Until
    /// then such a basket may look like its old price, but nothing is planned from a book that is not good.
    pub(super) fn reprice_failed(&mut self) {
        for _ in 0..FAILED_PER_EVENT_MAX {
            let Some(market) = self.books.take_failed() else { return };
            self.baskets.refresh(market, &self.books);
        }
    }

    /// A market's book changed, or whether it is good: look at the baskets it is in.
    pub(super) fn on_book(&mut self, now: Nanos, market: MarketId, out: &mut Outbox) {
        self.baskets.refresh(market, &self.books);
        self.consider_marked(now, out);
    }

    /// Baskets that have cooled down are looked at again, though no book changed: so many in one timer event.
    pub(super) fn wake_cooled(&mut self, now: Nanos, out: &mut Outbox) {
        let Self { episodes, baskets, .. } = self;
        episodes.wake(now, |basket| baskets.mark(basket));
        self.consider_marked(now, out);
    }

    fn consider_marked(&mut self, now: Nanos, out: &mut Outbox) {
        while let Some(basket) = self.baskets.poll_dirty() {
            if self.ranked.is_empty() && !self.baskets.is_any_dirty() {
                return self.consider(now, basket, false, out); // nearly always: nothing to hold it against
            }
            self.consider(now, basket, true, out);
            if self.ranked.len() == RANKED_MAX {
                self.buy_ranked(now, out);
            }
        }
        self.buy_ranked(now, out);
    }

    /// Buys those that are worth buying, the one that earns fastest first. Each is planned anew: what is bought takes money, room
    /// and levels from those behind it.
    fn buy_ranked(&mut self, now: Nanos, out: &mut Outbox) {
        let mut ranked = std::mem::take(&mut self.ranked);
        ranked.sort_unstable_by(Ranked::order);
        for Ranked { basket, .. } in ranked.drain(..) {
            self.consider(now, basket, false, out);
        }
        self.ranked = ranked;
    }

    /// A basket costs less than it pays at the top of the books. Where it is worth buying it is bought, or ranked among others.
    fn consider(&mut self, now: Nanos, basket: BasketId, ranks: bool, out: &mut Outbox) {
        match self.decision(now, basket, None) {
            Decision::Pass => {}
            Decision::Told { look_again } => {
                if look_again {
                    self.episodes.look_again(basket);
                }
                self.episodes.see(now, basket);
            }
            Decision::Wait => self.episodes.look_again(basket),
            Decision::Decline { seen, verdict, look_again } => {
                if look_again {
                    self.episodes.look_again(basket);
                }
                self.verdict(now, basket, seen, verdict, out);
            }
            Decision::Buy { pace, .. } if ranks => self.ranked.push(Ranked { basket, pace }),
            Decision::Buy { seen, .. } => self.open_group(now, seen, out),
        }
    }

    /// Begins the group that would buy the last plan, if all of its legs may be bought: the gate is asked and the cash reserved before
    /// the first leaves.
    fn open_group(&mut self, now: Nanos, mut seen: Seen, out: &mut Outbox) {
        let mut group = self.planned(now);
        let (id, basket) = (group.id, group.basket);
        match self.hold_what_fits(now, &mut seen, &mut group) {
            Err((refused, why)) => {
                self.groups.give_back(group.legs);
                // The same refusal on every flicker is one refusal.
                if self.episodes.is_new(now, basket, Verdict::Refused) {
                    self.on_refused(now, &refused, why, out);
                }
                self.episodes.look_again(basket);
                self.verdict(now, basket, seen, Verdict::Refused, out);
            }
            Ok(first) => {
                let choice = self.sequencing(&group);
                group.sequencing = choice.taken;
                assert!(
                    group.legs().iter().all(|leg| leg.hold > Usd::ZERO),
                    "G4: every leg is reserved before the first one leaves"
                );
                self.verdict(now, basket, seen, Verdict::Taken, out);
                self.stats.baskets_opened += 1;
                for leg in group.legs() {
                    self.rejections.on_begun(now, leg.venue);
                }
                let PlanRisk { worst: Worst { loss, shock, filled }, cluster } = group.risk;
                let slot = self.groups.push(group);
                self.note_group(slot, out);
                out.note(Note::Planned { group: id, loss, shock, filled, cluster });
                let Choice { taken, expected, other, other_expected } = choice;
                out.note(Note::Sequenced { group: id, taken, expected, other, other_expected });
                self.begin(now, slot, &first, out);
            }
        }
    }

    /// What a group would put at stake, at the prices that its cash is to be held for. Nothing of it is reserved yet.
    ///
    /// Two venues settle each by its own rules: that they agree about a question is a belief, however well founded. So a plan
    /// across venues is reckoned with losing all of its legs, whatever relates them. Its cluster counts what the relation says.
    pub(super) fn plan_risk(&self, group: &Group) -> PlanRisk {
        let legs = group.legs().iter().map(|leg| {
            let book = self.books.get(leg.market).expect("a market in use has terms");
            let (fee, qty) = (book.terms().fee, group.target.times(leg.ratio));
            PlannedLeg {
                cost: leg.hold,
                qty,
                ratio: leg.ratio,
                fee,
                ask: book.best_ask_for(leg.outcome).map(|(ask, _)| ask),
                bids: Bids { book, outcome: leg.outcome },
            }
        });
        let venue = group.legs()[0].venue;
        let certain = group.legs().iter().all(|leg| leg.venue == venue);
        let loss = shocks::worst(legs, group.payout, certain);
        let clusters = group.legs().iter().map(|leg| self.terms(leg.market).cluster);
        let held = clusters.map(|cluster| self.cluster_worst(cluster)).max();
        PlanRisk { worst: loss.worst, cluster: held.unwrap_or(Usd::ZERO) + loss.joint }
    }

    /// In what order the legs of a group should leave, by what its venues have shown and as far as the limits allow; and what the best
    /// other way would be expected to cost.
    fn sequencing(&self, group: &Group) -> Choice {
        let legs = group.legs();
        let cost = legs
            .iter()
            .fold(Usd::ZERO, |sum, leg| sum + leg.limit.cost_ceil(group.target.times(leg.ratio)));
        let venue = |leg: usize| legs[leg.min(legs.len() - 1)].venue;
        let risk = self.groups.leg_risks().of(venue(0), venue(1));
        let fails = self.limits.raw(LimitRow::LegFailPpm);
        let odds = Odds {
            at_once_ppm: risk.miss_ppm(fails),
            later_ppm: risk.fail_ppm(fails),
            loss_ppm: risk.loss_ppm(self.limits.raw(LimitRow::UnwindLossPpm)),
            is_known: risk.is_known(),
            cost,
            legs: u32::try_from(legs.len()).expect("LEGS_MAX fits"),
        };
        match self.limits.raw(LimitRow::Sequencing) {
            0 => odds.choose(Sequencing::Sequential),
            1 => odds.choose(Sequencing::Staggered),
            3 => odds.take(Sequencing::Staggered),
            4 => odds.take(Sequencing::Parallel),
            _ => odds.choose(Sequencing::Parallel),
        }
    }

    /// Checks every leg at the gate and claims its cash, all or none: no byte leaves before all are held. Returns the first leg's
    /// order, which is to leave now; or the order that was refused, and why.
    pub(super) fn hold(&mut self, now: Nanos, group: &Group) -> Result<Passed, (Order, Refusal)> {
        let (leg, others) = group.legs().split_first().expect("a group has legs");
        // The first one leaves at once, at the plan's own price: a group whose first order the gate would refuse is not begun.
        let tif = buying_tif(leg, leg.limit, group.target.times(leg.ratio), true);
        let draft = self.leg_draft(group, leg, tif, Claimed::default());
        let mut first = match self.would_pass_at_both(now, &draft, leg.limit) {
            Ok(passed) => passed,
            Err(why) => return Err((self.leg_order(now, &draft), why)),
        };
        self.reserve(leg.market, leg.hold);
        let mut claimed = Claimed::default();
        for (index, later) in others.iter().enumerate() {
            // Whatever it will be sent as: what the group as a whole puts at risk is checked here, once.
            let all = Claimed { count: claimed.count + 1, cost: claimed.cost + leg.hold };
            let draft = self.leg_draft(group, later, Tif::Fok, all);
            if let Err(why) = self.would_follow(now, &draft) {
                let refused = self.leg_order(now, &draft);
                for held in &group.legs()[..=index] {
                    self.reserve(held.market, -held.hold);
                }
                return Err((refused, why));
            }
            self.reserve(later.market, later.hold);
            claimed = claimed.and(later.hold);
        }
        first.stands = self
            .ahead_of(leg)
            .is_some_and(|ahead| ahead.room.holds(&first.order, first.cost, claimed));
        // Only what the gate lets pass as a whole is kept back: a refusal is counted by its own name.
        if !self.may_begin(&first.order) {
            for held in group.legs() {
                self.reserve(held.market, -held.hold);
            }
            return Err((*first.order, Refusal::Stopping));
        }
        Ok(first)
    }

    /// A leg of a group as the gate is asked about it, `claimed` by those before it.
    #[inline(always)] // it is kept as it is put together
    fn leg_draft<'a>(
        &'a self,
        group: &'a Group,
        leg: &'a Leg,
        tif: Tif,
        claimed: Claimed,
    ) -> LegDraft<'a> {
        let ahead = self.ahead_of(leg).map(|ahead| (ahead, claimed));
        let book = self.books.get(leg.market).expect("a market in use has terms");
        LegDraft { group, leg, book, price: leg.reach, tif, ahead, cost: leg.hold }
    }

    /// What holds for the outcome of a leg where its plan was sized.
    #[inline]
    fn ahead_of(&self, leg: &Leg) -> Option<&Ahead> {
        self.planning.as_ref()?.ahead_of(leg.market, leg.outcome)
    }

    /// Records what was made of an opportunity: once per episode and verdict, so that a flickering book is one
    /// opportunity.
    fn verdict(
        &mut self,
        now: Nanos,
        basket: BasketId,
        seen: Seen,
        verdict: Verdict,
        out: &mut Outbox,
    ) {
        let recorded = self.episodes.record(now, basket, verdict);
        if !recorded.is_new {
            return;
        }
        self.stats.opportunities += u64::from(recorded.is_first);
        if verdict == Verdict::Absurd {
            self.stats.opportunities_absurd += 1;
            let first = self.baskets.get(basket).map(|basket| basket.legs()[0].market);
            self.alarm(Alarm::AbsurdEdge, first, None, out);
        }
        let Seen { units, edge, profit } = seen;
        out.note(Note::Opportunity { basket, units, edge, profit, verdict });
    }
}

/// What an outcome of a book can be sold at. The levels are looked for once they are asked for.
#[derive(Clone, Copy)]
struct Bids<'a> {
    book: &'a Book,
    outcome: Outcome,
}

impl<'a> IntoIterator for Bids<'a> {
    type Item = (Price, Qty);
    type IntoIter = Levels<'a>;
    fn into_iter(self) -> Levels<'a> {
        self.book.bids_for(self.outcome)
    }
}

/// What strategies see.
impl Sight for Core {
    fn books(&self) -> &Books {
        &self.books
    }

    fn baskets(&self) -> &Baskets {
        &self.baskets
    }

    fn limits(&self) -> &Limits {
        &self.limits
    }

    fn account(&self) -> Account {
        self.money.account()
    }

    fn cluster_worst(&self, cluster: ClusterId) -> Usd {
        self.money.cluster_worst(cluster)
    }

    fn groups(&self) -> &Groups {
        &self.groups
    }

    fn rejections(&self) -> &Rejections {
        &self.rejections
    }

    #[inline(always)] // it is kept as it is worked out
    fn headroom(&self, now: Nanos, book: &Book, outcome: Outcome) -> Headroom {
        let def = book.terms();
        let sums = (&self.limits, &self.equity_limits, self.money.exposure());
        let cash_free = self.money.cash_free(CashAccount::of(def.venue, def.shard));
        Headroom::new(sums, def, (now, outcome), self.stake(def.market, outcome, None), cash_free)
    }

    fn paid_by(&self, market: MarketId) -> Nanos {
        self.terms_age.paid_by(market)
    }

    fn last_sent(&self, market: MarketId, side: Side) -> Nanos {
        self.orders.last_sent(market, side)
    }

    fn may_open(&self) -> bool {
        !self.run.is_halted() && !self.run.is_stopping() && self.agreed()
    }

    #[inline(always)] // it is kept as it is worked out
    fn collar(&self, now: Nanos, book: &Book, outcome: Outcome) -> Bound {
        self.collar(now, book, outcome)
    }

    fn is_held(&self, venue: Venue) -> bool {
        self.truth.is_held(venue)
    }

    fn is_told(&self, now: Nanos, basket: BasketId, verdict: Verdict) -> bool {
        !self.episodes.is_new(now, basket, verdict)
    }

    fn is_cooling(&self, now: Nanos, basket: BasketId) -> bool {
        self.episodes.is_cooling(now, basket)
    }
}
