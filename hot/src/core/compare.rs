//! What the venues say of cash and positions, compared with what is booked here.
//!
//! A reading takes seconds while orders rest and fill, so the venue's figure may differ from ours by as much as live
//! orders, fills that have not settled and fills of the last seconds explain: for each cash account and each position
//! that is a [`Range`]. No reading needs a moment in which nothing is in flight. Whatever lies outside the range is a
//! difference: nothing is opened while it stands. Where two whole readings in a row are explained by the same error of
//! ours, the part that is certain is put right; what orders in flight may still account for is left to them. A figure of
//! nothing (no cash at all, contracts gone from the list) is what a venue in trouble answers: it is taken over only where
//! the venue's own trades come to nothing too.
//!
//! Where contracts of a settled market are a claim, it is paid when somebody redeems them. Both are right until then, the contracts on its list and its cash without the money; once they are gone from the list and the money
//! is there, the claim was paid.

use super::Core;
use super::money::{Correction, worst_cost};
use super::range::{Errors, Range};
use crate::bounds::MARKETS_MAX;
use crate::fees;
use crate::ids::{Action, MarketId, Outcome, Venue};
use crate::ledger::{Booking, Purse};
use crate::market::MarketDef;
use crate::note::Alarm;
use crate::order::Record;
use crate::outbox::Outbox;
use crate::stats::{Doubts, Foreign};
use crate::units::{Nanos, Price, Qty, Usd};
use crate::venue_rules::{CASH_ACCOUNTS, Pairs, Settlement};

/// Reads of an account may lag behind its fills by this long.
const READ_LAG: Nanos = Nanos::from_secs(10);
/// A fill that the venue has neither confirmed nor failed for this long counts as settled. Settlement takes seconds,
/// its retries take minutes.
const SETTLED_AFTER: Nanos = Nanos::from_secs(3_600);
/// The money of contracts that are gone from the list of a settled market comes within this time, or is missed.
const PAID_WITHIN: Nanos = Nanos::from_secs(60);
/// While running, the last comparison with a venue may be this old: nothing is opened on an older one.
const COMPARED_WITHIN: Nanos = Nanos::from_secs(40);

/// The comparison under way with each venue, and what earlier ones found.
#[derive(Debug)]
pub(super) struct Comparison {
    venues: [VenueCompared; 2],
    purses: [PurseCompared; CASH_ACCOUNTS],
    markets: Vec<MarketCompared>,
}

#[derive(Clone, Copy, Debug, Default)]
struct VenueCompared {
    /// When the reading's first question left; zero before the first reading of a run.
    since: Nanos,
    /// When a whole reading was last compared; zero before the first one of a run.
    compared: Nanos,
    /// Whether this reading differs.
    differs: bool,
    /// Whether the venue and we have agreed once in this run.
    met: bool,
    /// Whether the venue has told of some cash in this reading.
    has_cash: bool,
    /// Whether this reading says that something is gone, without a history that explains it.
    gone: bool,
    /// Whether the alarm for such answers was raised since the last reading without one.
    gone_told: bool,
}

#[derive(Clone, Copy, Debug, Default)]
struct PurseCompared {
    /// What explains the difference that the last readings in a row have shown; `None` where the last one showed none.
    seen: Option<Errors>,
    /// When the reading began that was the first to show it.
    seen_since: Nanos,
    /// Whether this reading told of it.
    told: bool,
    /// By how many microdollars the venue's cash may differ from ours.
    range: Range,
}

#[derive(Clone, Copy, Debug, Default)]
struct MarketCompared {
    /// What explains the differences that the last readings in a row have shown, as `range` is ordered; `None` where the
    /// last one showed none.
    seen: Option<[Errors; 2]>,
    /// When the reading began that was the first to show them.
    seen_since: Nanos,
    /// What the venue's own trades add up to, where this reading told.
    history: Option<[Qty; 2]>,
    /// By how many millionths of a contract the venue's figure may differ from ours, YES and NO. Where the venue nets pairs,
    /// the first is of YES less NO, and the second is not used.
    range: [Range; 2],
    /// Since when contracts that we count, or that a claim is for, are gone from the venue's list, by its readings; `None`
    /// while they are there.
    gone: Option<Nanos>,
    /// When the market was settled, and what that paid us.
    settled_at: Nanos,
    paid: Usd,
}

impl VenueCompared {
    /// Whether no reading was begun in this run, nor has the venue agreed: what is told then sets the run up, and stands.
    const fn is_before_readings(&self) -> bool {
        self.since.get() == 0 && !self.met
    }
}

impl Comparison {
    pub fn new() -> Self {
        Self {
            venues: [VenueCompared::default(); 2],
            purses: [PurseCompared::default(); CASH_ACCOUNTS],
            markets: vec![MarketCompared::default(); MARKETS_MAX],
        }
    }

    /// A run begins: nothing is known of what the venues say.
    pub fn restart(&mut self) {
        self.venues = [VenueCompared::default(); 2];
        self.purses = [PurseCompared::default(); CASH_ACCOUNTS];
        for market in &mut self.markets {
            *market = MarketCompared {
                settled_at: market.settled_at,
                paid: market.paid,
                ..MarketCompared::default()
            };
        }
    }

    /// When the reading under way was begun; zero before the first one of a run.
    pub fn since(&self, venue: Venue) -> Nanos {
        self.venues[venue.index()].since
    }

    /// When each venue was last compared with; zero before the first time in a run.
    pub fn compared(&self) -> [Nanos; 2] {
        self.venues.map(|venue| venue.compared)
    }

    /// Whether each venue's last reading says that something is gone, without a history that explains it.
    pub fn gone(&self) -> [bool; 2] {
        self.venues.map(|venue| venue.gone)
    }

    /// A fill was booked, or undone, while a reading may be under way that does not show it.
    pub fn on_booked(&mut self, booking: &Booking, undone: bool) {
        let venue = booking.purse.venue();
        if self.venues[venue.index()].since != Nanos::ZERO {
            self.allow_fill(booking, undone);
        }
    }

    /// From when on a payment for contracts of this market that are gone from the venue's list may have been made; `None`
    /// where they are there.
    pub fn payable_from(&self, market: MarketId) -> Option<Nanos> {
        self.markets[market.index()].gone.map(payable_from)
    }

    /// The market paid us: the cash may not show yet.
    pub fn on_settled(&mut self, now: Nanos, market: MarketId, purse: Purse, paid: Usd) {
        let settled = &mut self.markets[market.index()];
        (settled.settled_at, settled.paid) = (now, paid);
        self.purses[purse.index()].range.allow(paid.max(Usd::ZERO).micros(), 0);
    }

    /// The venue may have `qty` contracts of this outcome more than we, or less.
    fn allow_contracts(
        &mut self,
        venue: Venue,
        market: MarketId,
        outcome: Outcome,
        qty: Qty,
        more: bool,
    ) {
        let (side, more) = match (venue.rules().pairs, outcome) {
            (Pairs::Kept, outcome) => (outcome.index(), more),
            (Pairs::Netted, Outcome::Yes) => (0, more),
            (Pairs::Netted, Outcome::No) => (0, !more),
        };
        let qty = micros(qty);
        let (less, more) = if more { (0, qty) } else { (qty, 0) };
        self.markets[market.index()].range[side].allow(less, more);
    }

    /// The venue's figures may lack this fill, or, where it was undone, still have it.
    fn allow_fill(&mut self, booking: &Booking, undone: bool) {
        let Booking { market, purse, outcome, action, price, qty, fee } = *booking;
        let bought = action == Action::Buy;
        self.allow_contracts(purse.venue(), market, outcome, qty, bought == undone);
        let (worth, fee) = (price.cost_ceil(qty), fee.max(Usd::ZERO));
        let rules = purse.venue().rules();
        let other = price.complement().cost_ceil(qty);
        let (less, more) = match bought {
            // It may close contracts of the other outcome and be paid a dollar for each pair.
            true if rules.nets_pairs() => (other, worth + fee),
            true => (Usd::ZERO, worth + fee),
            // What is not held is bought of the other outcome.
            false if rules.sells_beyond_holding() => (worth, other + fee),
            false => (worth, Usd::ZERO),
        };
        let (less, more) = if undone { (more, less) } else { (less, more) };
        self.purses[purse.index()].range.allow(less.micros(), more.micros());
    }

    /// The venue may have filled more of this order than we have booked, up to all of it.
    fn allow_order(&mut self, record: &Record, terms: &MarketDef) {
        let order = &record.order;
        let bought = order.action == Action::Buy;
        let open = most_open(record);
        self.allow_contracts(order.venue, order.market, order.outcome, open, bought);
        let dollars = Price::ONE.cost_ceil(open);
        let rules = order.venue.rules();
        let (less, more) = match bought {
            true if rules.nets_pairs() => (most_spent(record, terms), dollars),
            true => (most_spent(record, terms), Usd::ZERO),
            // What is not held is bought of the other outcome.
            false if rules.sells_beyond_holding() => {
                (worst_cost(terms.fee, order.price.complement(), open), dollars)
            }
            false => (Usd::ZERO, dollars),
        };
        let purse = Purse::of(terms.venue, terms.shard);
        self.purses[purse.index()].range.allow(less.micros(), more.micros());
    }
}

/// The most contracts of an order that the venue may have filled and that are not booked here.
pub(super) fn most_open(record: &Record) -> Qty {
    match record.ended {
        None if record.order.spends() && !record.is_over() => {
            record.claim_max().saturating_sub(record.filled)
        }
        None | Some(_) => record.open(),
    }
}

/// The most cash that a purchase may have cost beyond what is booked, fees included.
fn most_spent(record: &Record, terms: &MarketDef) -> Usd {
    let order = &record.order;
    if !order.spends() {
        return worst_cost(terms.fee, order.price, record.open());
    }
    // It spends so many dollars, whatever they buy; the fee is highest where they buy the most contracts.
    let left = (order.price.cost_ceil(order.qty) - record.notional).max(Usd::ZERO);
    let tick = Price::from_ticks(1).expect("the lowest price there is");
    left + fees::fee_bound(terms.fee, tick, most_open(record), true)
}

impl Core {
    /// A reading of a venue is told from here, up to the word that it is whole.
    pub(super) fn on_reading(&mut self, venue: Venue, since: Nanos) {
        self.stats.foreign[venue.index()] = Foreign::default();
        self.stats.doubts[venue.index()] = Doubts::default();
        let Self { comparison, orders, books, fills, .. } = self;
        let at = &mut comparison.venues[venue.index()];
        (at.since, at.differs, at.has_cash, at.gone) = (since, false, false, false);
        for purse in Purse::all().filter(|purse| purse.venue() == venue) {
            let PurseCompared { seen, seen_since, .. } = comparison.purses[purse.index()];
            comparison.purses[purse.index()] =
                PurseCompared { seen, seen_since, ..PurseCompared::default() };
        }
        if venue.rules().settlement == Settlement::Claimed {
            // What was redeemed since the last reading is more cash than we know of.
            let claims = self.money.ledger().claims().micros();
            comparison.purses[Purse::of(venue, 0).index()].range.allow(0, claims);
        }
        let lagging = Nanos::new(since.get().saturating_sub(READ_LAG.get()));
        for (market, book) in books.iter().filter(|(_, book)| book.terms().venue == venue) {
            let of = &mut comparison.markets[market.index()];
            (of.history, of.range) = (None, [Range::default(); 2]);
            let terms = book.terms();
            let purse = &mut comparison.purses[Purse::of(terms.venue, terms.shard).index()];
            if of.settled_at > lagging {
                purse.range.allow(of.paid.max(Usd::ZERO).micros(), 0);
            }
        }
        for record in orders.live().filter(|record| record.order.venue == venue) {
            let terms = books.terms(record.order.market).expect("a market in use has terms");
            comparison.allow_order(record, terms);
        }
        // From the newest to the oldest: what was booked long ago is settled.
        let settled = Nanos::new(since.get().saturating_sub(SETTLED_AFTER.get()));
        for booked in fills.newest_first() {
            if booked.at < settled && booked.settled.is_none_or(|at| at < settled) {
                break;
            }
            let unsettled = booked.settled.is_none_or(|at| at > lagging) || booked.at > lagging;
            if unsettled && booked.booking.purse.venue() == venue {
                comparison.allow_fill(&booked.booking, booked.undone);
            }
        }
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
        let since = self.comparison.venues[venue.index()].since;
        if since != Nanos::ZERO {
            // A purse that a whole reading does not mention has nothing in it, says the venue.
            for purse in Purse::all().filter(|purse| purse.venue() == venue) {
                let told = self.comparison.purses[purse.index()].told;
                if !told && self.money.cash(purse) > Usd::ZERO {
                    self.compare_cash(purse, Usd::ZERO, out);
                }
            }
        }
        let at = &mut self.comparison.venues[venue.index()];
        at.compared = now;
        at.gone_told &= at.gone;
        if std::mem::take(&mut at.differs) {
            return;
        }
        at.met = true;
        self.truth.agree(venue);
        if self.truth.all_agree() {
            self.run.on_agreed();
            self.look_for_unpaired(out);
        }
    }

    /// What the venue says of a market differs, cannot be read, or is too old: nothing is opened from here on.
    fn disagree(&mut self, venue: Venue, market: Option<MarketId>, out: &mut Outbox) {
        self.comparison.venues[venue.index()].differs = true;
        if self.truth.disagree(venue) {
            self.alarm(Alarm::Unreconciled, market, None, out);
        }
    }

    /// Nothing is opened on a comparison that is too old.
    pub(super) fn doubt_old_comparisons(&mut self, now: Nanos, out: &mut Outbox) {
        for venue in Venue::ALL {
            let at = &self.comparison.venues[venue.index()];
            let read = at.since != Nanos::ZERO;
            if read && self.truth.agrees(venue) && now.since(at.compared) > COMPARED_WITHIN {
                self.disagree(venue, None, out);
                self.comparison.venues[venue.index()].differs = false; // it says nothing of the next reading
            }
        }
    }

    /// The venue's word on the cash in a purse.
    pub(super) fn on_cash(&mut self, venue: Venue, shard: u8, cash: Usd, out: &mut Outbox) {
        let purse = Purse::of(venue, shard);
        self.comparison.venues[venue.index()].has_cash |= cash > Usd::ZERO;
        self.comparison.purses[purse.index()].told = true;
        self.compare_cash(purse, cash, out);
    }

    /// Books the claims whose contracts are gone and whose money is there. One whose money does not come is a
    /// difference; at the start of a run, until venue and we have agreed once, it is given up at the second reading.
    fn take_redeemed(&mut self, purse: Purse, theirs: Usd, out: &mut Outbox) {
        let venue = purse.venue();
        let VenueCompared { since, met, .. } = self.comparison.venues[venue.index()];
        for market in (0..MARKETS_MAX as u16).map(MarketId::new) {
            let position = self.money.position(market);
            let Some(gone) = self.comparison.markets[market.index()].gone else { continue };
            if !position.has_claim() || self.purse(market) != purse {
                continue;
            }
            let claim = position.claim();
            self.take_back_payment(purse, claim, payable_from(gone));
            let ours = self.money.cash(purse);
            let range = &mut self.comparison.purses[purse.index()].range;
            let is_there = i128::from((theirs - ours - claim).micros()) >= -range.less();
            if is_there {
                range.forbid_more(claim.micros());
                self.money.redeem(market, purse);
                self.note_position(market, out);
            } else if !met && gone < since {
                range.forbid_more(claim.micros());
                self.money.lose_claim(market);
                self.alarm(Alarm::Gone, Some(market), None, out);
                self.note_position(market, out);
            } else if !met {
                self.disagree(venue, Some(market), out); // until it is read once more
            } else if since.since(gone) >= PAID_WITHIN {
                self.doubt_gone(venue, Some(market), out);
            }
        }
    }

    /// Takes the venue's word on the cash in a purse, as far as nothing in flight explains it.
    fn compare_cash(&mut self, purse: Purse, theirs: Usd, out: &mut Outbox) {
        self.take_redeemed(purse, theirs, out);
        let venue = purse.venue();
        let ours = self.money.cash(purse);
        let of = &mut self.comparison.purses[purse.index()];
        let errors = of.range.errors((theirs - ours).micros().into());
        if errors.has_none() {
            of.seen = None;
            return;
        }
        let at = self.comparison.venues[venue.index()];
        let both = of.seen.and_then(|seen| seen.and(errors));
        of.seen = both.or(Some(errors));
        if both.is_none() {
            of.seen_since = at.since;
        }
        let since = of.seen_since;
        if theirs == Usd::ZERO && ours > Usd::ZERO && !at.has_cash {
            return self.doubt_gone(venue, None, out);
        }
        let Some(errors) = both.or_else(|| at.is_before_readings().then_some(errors)) else {
            return self.disagree(venue, None, out);
        };
        if at.met {
            self.alarm(Alarm::CashDrift, None, None, out);
        }
        self.comparison.purses[purse.index()].seen = None;
        let by = i64::try_from(errors.certain()).expect("it is no more than the figures differ by");
        let by = Usd::from_micros(by);
        self.on_cash_repaired(purse, since, by);
        self.money.correct_cash(purse, ours + by);
    }

    /// The venue's word on what is held in a market.
    pub(super) fn on_position(&mut self, market: MarketId, yes: Qty, no: Qty, out: &mut Outbox) {
        let Some(&MarketDef { venue, .. }) = self.books.terms(market) else { return };
        let theirs = [yes, no];
        if self.money.worth().settled_at(market).is_some() {
            // It stays on the venue's list until it is redeemed.
            let since = self.comparison.venues[venue.index()].since;
            let of = &mut self.comparison.markets[market.index()];
            of.gone =
                if (yes, no) == (Qty::ZERO, Qty::ZERO) { of.gone.or(Some(since)) } else { None };
            return;
        }
        let ours = self.held_here(market);
        let at = self.comparison.venues[venue.index()];
        let of = &mut self.comparison.markets[market.index()];
        of.gone = if is_gone(venue, ours, theirs) { of.gone.or(Some(at.since)) } else { None };
        let errors = errors_of(venue, ours, theirs, of.range);
        if errors.iter().all(Errors::has_none) {
            of.seen = None;
            return;
        }
        let both = of.seen.and_then(|seen| both_of(seen, errors));
        of.seen = both.or(Some(errors));
        if both.is_none() {
            of.seen_since = at.since;
        }
        if of.gone.is_some() && of.history != Some(theirs) {
            self.stats.doubts[venue.index()].add(market);
            return self.doubt_gone(venue, Some(market), out);
        }
        let Some(errors) = both.or_else(|| at.is_before_readings().then_some(errors)) else {
            return self.disagree(venue, Some(market), out);
        };
        if at.met {
            self.alarm(Alarm::PositionDrift, Some(market), None, out);
        }
        self.comparison.markets[market.index()].seen = None;
        let [yes, no] = corrected(venue, ours, theirs, errors);
        self.take_over(market, yes, no, out);
    }

    /// What the venue's own trades in a market add up to.
    pub(super) fn on_history(&mut self, market: MarketId, yes: Qty, no: Qty) {
        if self.books.terms(market).is_some() {
            self.comparison.markets[market.index()].history = Some([yes, no]);
        }
    }

    /// Contracts of each outcome that we count, in millionths; below zero where more were sold than held.
    fn held_here(&self, market: MarketId) -> [i128; 2] {
        let position = self.money.position(market);
        [Outcome::Yes, Outcome::No]
            .map(|outcome| micros(position.held(outcome)) - micros(position.short(outcome)))
    }

    /// The venue says that something is gone and nothing explains it. That frees no limit and is no cash lost.
    fn doubt_gone(&mut self, venue: Venue, market: Option<MarketId>, out: &mut Outbox) {
        self.disagree(venue, market, out);
        let at = &mut self.comparison.venues[venue.index()];
        at.gone = true;
        if !std::mem::replace(&mut at.gone_told, true) {
            self.alarm(Alarm::Gone, market, None, out);
        }
    }

    /// Takes the venue's word for a position.
    fn take_over(&mut self, market: MarketId, yes: Qty, no: Qty, out: &mut Outbox) {
        // What it cost is unknown; a book's executable side is the careful guess, half a dollar without one.
        let price = self
            .books
            .get(market)
            .and_then(|book| book.best_bid_for(Outcome::Yes))
            .map_or(Price::from_ticks(5_000).expect("half a dollar"), |(price, _)| price);
        let since = self.comparison.markets[market.index()].seen_since;
        self.on_contracts_repaired(market, since, [yes, no], price);
        self.money.correct_position(
            &self.books,
            &self.baskets,
            market,
            [yes, no],
            price,
            Correction::TakenOver,
        );
        self.note_position(market, out);
    }
}

/// The list and the cash are read one after the other, and of different systems: the money may show first.
fn payable_from(gone: Nanos) -> Nanos {
    Nanos::new(gone.get().saturating_sub(PAID_WITHIN.get()))
}

fn micros(qty: Qty) -> i128 {
    i128::from(qty.micros())
}

/// The errors of ours that explain that the venue has `theirs` where we have `ours`, ordered as the ranges are.
fn errors_of(venue: Venue, ours: [i128; 2], theirs: [Qty; 2], range: [Range; 2]) -> [Errors; 2] {
    let [yes, no] = [0, 1].map(|outcome| micros(theirs[outcome]) - ours[outcome]);
    match venue.rules().pairs {
        Pairs::Kept => [range[0].errors(yes), range[1].errors(no)],
        // YES and NO cancel each other at once: one signed number.
        Pairs::Netted => [range[0].errors(yes - no), range[1].errors(0)],
    }
}

/// What explains both readings; `None` where no error does.
fn both_of(one: [Errors; 2], other: [Errors; 2]) -> Option<[Errors; 2]> {
    Some([one[0].and(other[0])?, one[1].and(other[1])?])
}

/// Our contracts of each outcome with what is certainly wrong with them put right.
fn corrected(venue: Venue, ours: [i128; 2], theirs: [Qty; 2], errors: [Errors; 2]) -> [Qty; 2] {
    let qty = |micros: i128| {
        Qty::from_micros(u64::try_from(micros).expect("nobody holds less than nothing"))
    };
    match venue.rules().pairs {
        Pairs::Kept => [0, 1].map(|outcome| match ours[outcome] {
            // What was sold without being held is no holding to correct: the venue's word stands for it.
            ..0 => theirs[outcome],
            held => qty((held + errors[outcome].certain()).max(0)),
        }),
        Pairs::Netted => {
            let net = ours[0] - ours[1] + errors[0].certain();
            [qty(net.max(0)), qty((-net).max(0))]
        }
    }
}

/// Whether an outcome that we hold is held no more at all, says the venue.
fn is_gone(venue: Venue, ours: [i128; 2], theirs: [Qty; 2]) -> bool {
    match venue.rules().pairs {
        Pairs::Kept => ours.iter().zip(theirs).any(|(&ours, theirs)| ours > 0 && theirs.is_zero()),
        Pairs::Netted => ours != [0; 2] && theirs == [Qty::ZERO; 2],
    }
}
