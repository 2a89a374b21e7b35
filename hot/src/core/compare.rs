//! The venues' readings of cash and positions: what the comparison finds in them, and what is done about it.
//!
//! A reading takes seconds while orders rest and fill, so the venue's figure may differ from ours by as much as live
//! orders, fills that have not settled and fills of the last seconds explain: for each cash account and each position
//! that is a [`Range`](super::range::Range). No reading needs a moment in which nothing is in flight. Whatever lies outside
//! the range is a difference: nothing is opened while it stands. Where two whole readings in a row are explained by the same
//! error of ours, the part that is certain is put right; what orders in flight may still account for is left to them. A
//! figure of nothing (no cash at all, contracts gone from the list) is what a venue in trouble answers: it is taken over only
//! where the venue's own trades come to nothing too (a list without any trade does not).
//!
//! Where contracts of a settled market are a claim, it is paid when somebody redeems them. Both are right until then, the
//! contracts on its list and its cash without the money; once they are gone from the list and the money is there, the claim
//! was paid.

use super::Core;
use super::comparison::{ClaimFound, Finding};
use super::money::{Contracts, Correction};
use super::untold_fees::FeeError;
use crate::ids::{MarketId, Outcome, Venue};
use crate::ledger::CashAccount;
use crate::market::MarketDef;
use crate::note::{Alarm, Place};
use crate::outbox::Outbox;
use crate::stats::{Doubts, Foreign};
use crate::units::{Nanos, Price, Qty, Usd};
use crate::venue_rules::Settlement;

impl Core {
    /// A reading of a venue is told from here, up to the word that it is whole.
    pub(super) fn on_reading(&mut self, venue: Venue, since: Nanos) {
        self.stats.foreign[venue] = Foreign::default();
        self.stats.doubts[venue] = Doubts::default();
        let mut from = 0;
        while let Some(old) = self.fills.settle_old(venue, since, &mut from) {
            self.money.let_go(&self.books, &old.booking, old.held_back);
        }
        let claims = self.money.ledger().claims();
        self.comparison.begin(venue, since, claims, &self.books, &self.orders, &mut self.fills);
    }

    /// The reading is told whole (`clean`), or the venue could not be read. Both venues and we agree once a whole
    /// reading has shown no difference but those that were taken over.
    pub(super) fn on_reconciled(
        &mut self,
        now: Nanos,
        venue: Venue,
        clean: bool,
        out: &mut Outbox,
    ) {
        if !clean {
            return self.disagree(venue, None, out);
        }
        if self.comparison.has_begun(venue) {
            // An account that a whole reading does not mention has nothing in it, says the venue.
            for account in CashAccount::all().filter(|account| account.venue() == venue) {
                if !self.comparison.has_told(account) && self.money.cash(account) > Usd::ZERO {
                    self.compare_cash(account, Usd::ZERO, out);
                }
            }
        }
        self.doubt_pairs(venue, out);
        if !self.comparison.finish(now, venue) {
            return;
        }
        self.truth.agree(venue);
        if self.truth.all_agree() {
            self.run.on_agreed();
            self.look_for_unpaired(out);
        }
    }

    /// What the venue says of a market differs, cannot be read, or is too old: nothing is opened from here on.
    fn disagree(&mut self, venue: Venue, market: Option<MarketId>, out: &mut Outbox) {
        self.comparison.on_difference(venue);
        self.distrust(venue, market, out);
    }

    fn distrust(&mut self, venue: Venue, market: Option<MarketId>, out: &mut Outbox) {
        if self.truth.disagree(venue) {
            let place = Place { market, ..Place::of_venue(venue) };
            self.alarm_at(Alarm::Unreconciled, place, out);
        }
    }

    /// Nothing is opened on a comparison that is too old. It says nothing of the next reading.
    pub(super) fn doubt_old_comparisons(&mut self, now: Nanos, out: &mut Outbox) {
        for venue in Venue::ALL {
            if self.truth.agrees(venue) && self.comparison.is_old(now, venue) {
                self.distrust(venue, None, out);
            }
        }
    }

    /// The venue's word on the cash in an account.
    pub(super) fn on_cash(&mut self, venue: Venue, shard: u8, cash: Usd, out: &mut Outbox) {
        let Some(account) = CashAccount::known(venue, shard) else {
            // No order can draw on it. What lies there is ours all the same, and nobody has counted it.
            if cash != Usd::ZERO {
                self.disagree(venue, None, out);
            }
            return;
        };
        self.comparison.on_cash_told(account, cash);
        self.compare_cash(account, cash, out);
    }

    /// Books the claims whose contracts are gone and whose money is there. One whose money does not come is a
    /// difference; at the start of a run, until venue and we have agreed once, it is given up at the second reading.
    fn take_redeemed(&mut self, account: CashAccount, theirs: Usd, out: &mut Outbox) {
        let venue = account.venue();
        if venue.rules().settlement == Settlement::Paid {
            return; // nothing there is ever a claim
        }
        let mut from = MarketId::new(0);
        while let Some(market) = self.ledger().next_open(from) {
            from = MarketId::new(market.get() + 1);
            let position = self.money.position(market);
            let Some(payable) = self.comparison.payable_from(market) else { continue };
            if !position.has_claim() || self.cash_account(market) != account {
                continue;
            }
            let claim = position.claim();
            self.take_back_payment(account, claim, payable);
            let ours = self.money.cash(account);
            match self.comparison.find_claim(market, account, claim, ours, theirs) {
                Some(ClaimFound::Paid) => {
                    self.money.redeem(market, account);
                    self.note_position(market, out);
                }
                Some(ClaimFound::Lost) => {
                    self.money.lose_claim(market);
                    self.alarm(Alarm::ClaimLost, Some(market), None, out);
                    self.note_position(market, out);
                }
                Some(ClaimFound::Differs) => self.disagree(venue, Some(market), out),
                Some(ClaimFound::Gone) => self.doubt_gone(venue, Some(market), out),
                Some(ClaimFound::Awaited) | None => {}
            }
        }
    }

    /// Takes the venue's word on the cash in an account, as far as nothing in flight explains it.
    fn compare_cash(&mut self, account: CashAccount, theirs: Usd, out: &mut Outbox) {
        self.take_redeemed(account, theirs, out);
        let venue = account.venue();
        self.take_pairs(account, theirs, out);
        self.doubt_pairs(venue, out);
        let ours = self.money.cash(account);
        match self.comparison.find_cash(account, ours, theirs) {
            Finding::Explained => {}
            Finding::Gone => self.doubt_gone(venue, None, out),
            Finding::Differs | Finding::MaybePaid => self.disagree(venue, None, out),
            Finding::Wrong { right: (by, cash), since, agreed } => {
                if agreed && let Some(all) = self.comparison.untold_fees().find(account, -by) {
                    return self.charge_untold(account, -by, all, out);
                }
                if agreed {
                    self.alarm_at(Alarm::CashDrift, Place::of_venue(venue), out);
                }
                // What an empty account is set up with is no payment: a claim redeemed soon after must not be taken for it.
                if agreed || ours != Usd::ZERO {
                    self.repairs.note_cash(account, since, by);
                }
                self.money.correct_cash(account, cash);
            }
        }
    }

    /// The cash has shown that fills were charged so much more than was booked by their rules, or less. Which of several markets
    /// it was nobody says: each has its share of what they can be off by, and each counts a difference.
    fn charge_untold(
        &mut self,
        account: CashAccount,
        charged: Usd,
        all: FeeError,
        out: &mut Outbox,
    ) {
        let (mut left, mut most_left) = (charged, all.toward(charged));
        while let Some((market, error)) = self.comparison.untold_fees().take(account) {
            let most = error.toward(charged);
            // Rounded down, and the last one has all that is left.
            let share = left.scale_floor(most.micros(), most_left.micros().max(1));
            (left, most_left) = (left - share, most_left - most);
            if share != Usd::ZERO {
                self.money.charge_more(market, account, share);
                self.on_fee_drift(market, None, out);
            }
        }
        assert!(left == Usd::ZERO, "P5: all of what was charged is booked");
    }

    /// The venue's word on what is held in a market.
    pub(super) fn on_position(&mut self, market: MarketId, yes: Qty, no: Qty, out: &mut Outbox) {
        let Some(&MarketDef { venue, .. }) = self.books.terms(market) else { return };
        let theirs = [yes, no];
        if self.money.worth().settled_at(market).is_some() {
            return self.comparison.on_settled_position(venue, market, theirs);
        }
        if !self.comparison.find_pairs(venue, market, self.held_here(market), theirs) {
            self.compare_position(venue, market, theirs, out);
        }
    }

    /// Takes the venue's word on what is held in a market, as far as nothing in flight explains it.
    fn compare_position(
        &mut self,
        venue: Venue,
        market: MarketId,
        theirs: [Qty; 2],
        out: &mut Outbox,
    ) {
        let ours = self.held_here(market);
        let is_back = self.is_back(venue, market, ours, theirs);
        match self.comparison.find_position(venue, market, ours, theirs, is_back) {
            Finding::Explained => {}
            Finding::Gone => {
                self.stats.doubts[venue].add(market);
                self.doubt_gone(venue, Some(market), out);
            }
            Finding::MaybePaid => {
                self.stats.doubts[venue].add(market);
                self.disagree(venue, Some(market), out);
            }
            Finding::Differs => self.disagree(venue, Some(market), out),
            Finding::Wrong { right, since, agreed } => {
                if agreed {
                    self.alarm(Alarm::PositionDrift, Some(market), None, out);
                }
                if is_back {
                    self.take_back_repair(venue, market, theirs, ours);
                    return self.note_position(market, out);
                }
                let (held, contracts) = right;
                self.take_over(market, held, contracts, since, out);
            }
        }
    }

    /// Books the pairs that were split off cash or merged into it by other means than ours, and the sets that were converted:
    /// the contracts say so, and the cash says the same. Neither would be believed alone.
    fn take_pairs(&mut self, account: CashAccount, theirs: Usd, out: &mut Outbox) {
        let mut sum = -self.cash_of_conversions(account).micros();
        let mut from = MarketId::new(0);
        while let Some((market, held)) = self.next_paired(&mut from, account) {
            sum += self.pairs_of(market, held);
        }
        if !self.comparison.is_cash_of_pairs(account, self.money.cash(account), theirs, sum) {
            return;
        }
        let mut from = MarketId::new(0);
        while let Some((market, held)) = self.next_paired(&mut from, account) {
            let (by, price) = (self.pairs_of(market, held), self.guessed_price(market));
            self.money.convert_pairs(&self.books, &self.baskets, market, by, price);
            self.comparison.end_pairs(market);
            self.note_position(market, out);
        }
        self.take_converted(account, out);
    }

    /// The next market of an account whose pairs wait for its cash; `from` moves on behind it.
    fn next_paired(
        &self,
        from: &mut MarketId,
        account: CashAccount,
    ) -> Option<(MarketId, [Qty; 2])> {
        loop {
            let found = self.comparison.next_paired(*from)?;
            *from = MarketId::new(found.0.get() + 1);
            if self.cash_account(found.0) == account {
                return Some(found);
            }
        }
    }

    /// How many millionths of a pair the venue has more than we.
    fn pairs_of(&self, market: MarketId, theirs: [Qty; 2]) -> i64 {
        let by = i128::from(theirs[0].micros()) - self.held_here(market)[0];
        i64::try_from(by).expect("QTY_MAX bounds both")
    }

    /// What looked like pairs or a conversion, and was not borne out by the cash, is compared like any position.
    fn doubt_pairs(&mut self, venue: Venue, out: &mut Outbox) {
        let mut from = MarketId::new(0);
        while let Some((market, theirs)) = self.comparison.next_waiting(from) {
            from = MarketId::new(market.get() + 1);
            if self.terms(market).venue == venue {
                self.comparison.end_pairs(market);
                self.compare_position(venue, market, theirs, out);
            }
        }
    }

    /// What a YES is taken to have cost where nobody knows: a book's executable side is the careful guess, half a dollar
    /// without one.
    fn guessed_price(&self, market: MarketId) -> Price {
        self.books
            .get(market)
            .and_then(|book| book.best_bid_for(Outcome::Yes))
            .map_or(Price::from_ticks(5_000).expect("half a dollar"), |(price, _)| price)
    }

    /// What the venue's own trades in a market add up to.
    pub(super) fn on_history(&mut self, market: MarketId, yes: Qty, no: Qty) {
        if self.books.terms(market).is_some() {
            self.comparison.on_history(market, [yes, no]);
        }
    }

    /// Contracts of each outcome that we count, in millionths; below zero where more were sold than held.
    fn held_here(&self, market: MarketId) -> [i128; 2] {
        let position = self.money.position(market);
        let micros = |qty: Qty| i128::from(qty.micros());
        [Outcome::Yes, Outcome::No]
            .map(|outcome| micros(position.held(outcome)) - micros(position.short(outcome)))
    }

    /// The venue says that something is gone and nothing explains it. That frees no limit and is no cash lost.
    fn doubt_gone(&mut self, venue: Venue, market: Option<MarketId>, out: &mut Outbox) {
        self.disagree(venue, market, out);
        if self.comparison.on_gone(venue) {
            let place = Place { market, ..Place::of_venue(venue) };
            self.alarm_at(Alarm::Gone, place, out);
        }
    }

    /// Takes the venue's word for a position, as far as it is believed, which a reading that began at `since` was the first
    /// to tell: `held` is what comes of it.
    fn take_over(
        &mut self,
        market: MarketId,
        held: [Qty; 2],
        contracts: Contracts,
        since: Nanos,
        out: &mut Outbox,
    ) {
        let price = self.guessed_price(market);
        let terms = self.books.terms(market).expect("a market in use has terms");
        self.repairs.note_contracts(terms, self.money.position(market), since, held, price);
        self.money.correct_position(
            &self.books,
            &self.baskets,
            market,
            contracts,
            price,
            Correction::TakenOver,
        );
        self.note_position(market, out);
    }
}
