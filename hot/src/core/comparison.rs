//! The reading under way of each venue, and what earlier ones found: by how much a figure may differ from ours, and what
//! is certainly wrong with ours where it differs by more.
//!
//! This part decides, and changes nothing of ours: `compare` does what it finds. It keeps that no difference is put right
//! that one reading alone has shown, and that a figure of nothing is never taken over without the venue's own trades (P7).

use super::fills_seen::{FillsSeen, READ_LAG};
use super::money::{Contracts, Figure, worst_cost};
use super::orders::Orders;
use super::range::{Errors, Range};
use super::released::Released;
use super::untold_fees::UntoldFees;
use crate::book::Books;
use crate::bounds::MARKETS_MAX;
use crate::fees;
use crate::id_set::IdSet;
use crate::ids::{Action, MarketId, Outcome, Venue};
use crate::ledger::{Booking, CashAccount};
use crate::market::MarketDef;
use crate::order::Record;
use crate::pack::pack_fields;
use crate::per_id::PerId;
use crate::per_venue::PerVenue;
use crate::state::state_fields;
use crate::units::{Nanos, Price, Qty, Usd};
use crate::venue_rules::{CASH_ACCOUNTS, Pairs, Settlement};

/// The money of contracts that are gone from the list of a settled market comes within this time, or is missed.
const PAID_WITHIN: Nanos = Nanos::from_secs(60);
/// While running, the last comparison with a venue may be this old: nothing is opened on an older one.
const COMPARED_WITHIN: Nanos = Nanos::from_secs(40);

/// The comparison under way with each venue, and what earlier ones found.
#[derive(Debug)]
pub(super) struct Comparison {
    venues: PerVenue<VenueCompared>,
    accounts: [AccountCompared; CASH_ACCOUNTS],
    /// What orders have given back lately at venues that tell their cash without it.
    released: [Released; CASH_ACCOUNTS],
    markets: PerId<MarketCompared>,
    /// Markets of which this reading has a history, or that it allows to differ.
    told: IdSet,
    /// Markets that were settled so lately that a reading may lack it.
    settled: IdSet,
    /// Markets in which this reading has so many pairs of YES and NO more than we, or fewer: its cash will say why.
    paired: IdSet,
    /// Markets in which this reading has fewer NO and as many YES, or more YES and as many NO: whether they were converted,
    /// the others of their set and the cash will say.
    converted: IdSet,
    untold_fees: UntoldFees,
}

#[derive(Clone, Copy, Debug, Default)]
struct VenueCompared {
    /// When the reading's first question left; zero before the first reading of a run.
    since: Nanos,
    /// When a whole reading was last compared; zero before the first one of a run.
    compared: Nanos,
    /// When the first question of that reading left; zero before the first one of a run.
    compared_since: Nanos,
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
struct AccountCompared {
    /// What explains the difference that the last readings in a row have shown; `None` where the last one showed none.
    seen: Option<Errors>,
    /// When the reading began that was the first to show it.
    seen_since: Nanos,
    /// Whether this reading told of it.
    told: bool,
    /// By how many microdollars the venue's cash may differ from ours.
    range: Range,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct MarketCompared {
    /// What explains the differences that the last readings in a row have shown, as `range` is ordered; `None` where the
    /// last one showed none.
    seen: Option<[Errors; 2]>,
    /// When the reading began that was the first to show them.
    seen_since: Nanos,
    /// What the venue has of a market in which pairs came or went, or contracts were converted, until its cash is told.
    paired: Option<[Qty; 2]>,
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

pack_fields! {
    VenueCompared { since, compared, compared_since, differs, met, has_cash, gone, gone_told }
    AccountCompared { seen, seen_since, told, range }
    MarketCompared { seen, seen_since, paired, history, range, gone, settled_at, paid }
}

state_fields! {
    Comparison {
        venues: value, accounts: value, released: value, markets: table(MarketCompared::default()), told: value,
        settled: value, paired: value, converted: value, untold_fees: value,
    }
}

/// What a venue's figure says of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Finding<T> {
    /// What is in flight explains the difference, if there is one.
    Explained,
    /// Something is gone, says the venue, and nothing explains it. That frees no limit and is no cash lost.
    Gone,
    /// Contracts are gone for the first time from a venue that pays by itself: it may have paid them since its results were asked
    /// for, which they are again before the next reading.
    MaybePaid,
    /// They differ, and it is not certain yet by how much ours is wrong.
    Differs,
    /// Ours is wrong, and this puts it right.
    Wrong {
        right: T,
        /// When the reading began that was the first to show it.
        since: Nanos,
        /// Whether the venue and we had agreed before in this run.
        agreed: bool,
    },
}

/// What became of a claim whose contracts are gone from the venue's list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ClaimFound {
    /// Its money is there.
    Paid,
    /// Its money is not there at the start of a run, in two readings: it is given up.
    Lost,
    /// One more reading has to say so.
    Differs,
    /// Its money has not come in time.
    Gone,
    /// Its money may still come.
    Awaited,
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
            venues: PerVenue::default(),
            accounts: [AccountCompared::default(); CASH_ACCOUNTS],
            released: [Released::NONE; CASH_ACCOUNTS],
            markets: PerId::new(MARKETS_MAX, MarketCompared::default()),
            told: IdSet::new(MARKETS_MAX),
            settled: IdSet::new(MARKETS_MAX),
            paired: IdSet::new(MARKETS_MAX),
            converted: IdSet::new(MARKETS_MAX),
            untold_fees: UntoldFees::new(),
        }
    }

    /// A run begins: nothing is known of what the venues say.
    pub fn restart(&mut self) {
        self.venues = PerVenue::default();
        self.accounts = [AccountCompared::default(); CASH_ACCOUNTS];
        self.untold_fees.restart();
        for market in self.markets.iter_mut() {
            *market = MarketCompared {
                settled_at: market.settled_at,
                paid: market.paid,
                ..MarketCompared::default()
            };
        }
    }

    /// When the reading under way was begun; zero before the first one of a run.
    pub fn since(&self, venue: Venue) -> Nanos {
        self.venues[venue].since
    }

    /// When each venue was last compared with; zero before the first time in a run.
    pub fn compared(&self) -> PerVenue<Nanos> {
        self.venues.map(|_, read| read.compared)
    }

    /// When the reading of each venue was begun that was compared last; zero before the first one of a run. The reading under
    /// way may have begun later.
    pub fn compared_since(&self) -> PerVenue<Nanos> {
        self.venues.map(|_, read| read.compared_since)
    }

    /// Whether each venue's last reading says that something is gone, without a history that explains it.
    pub fn gone(&self) -> PerVenue<bool> {
        self.venues.map(|_, read| read.gone)
    }

    /// An order claims less cash than it did: the venue's figure may be without that for a while.
    pub fn on_released(&mut self, now: Nanos, account: CashAccount, cash: Usd) {
        if account.venue().rules().tells_free_cash && cash > Usd::ZERO {
            self.released[account.index()].add(now, cash);
        }
    }

    /// A fill was booked, or undone, while a reading may be under way that does not show it.
    pub fn on_booked(&mut self, booking: &Booking, undone: bool) {
        let venue = booking.account.venue();
        if self.venues[venue].since != Nanos::ZERO {
            self.allow_fill(booking, undone);
        }
    }

    /// From when on a payment for contracts of this market that are gone from the venue's list may have been made; `None`
    /// where they are there.
    pub fn payable_from(&self, market: MarketId) -> Option<Nanos> {
        self.markets[market.index()].gone.map(payable_from)
    }

    /// The market paid us: the cash may not show yet. Below zero it took back what another result had paid. Or it owes us
    /// `claim`: somebody may have redeemed it before we heard of the result, and then the cash has it already.
    pub fn on_settled(
        &mut self,
        now: Nanos,
        market: MarketId,
        account: CashAccount,
        paid: Usd,
        claim: Usd,
    ) {
        let settled = &mut self.markets[market.index()];
        (settled.settled_at, settled.paid) = (now, paid);
        self.settled.insert(market.index());
        let [paid, back, claim] = [paid, -paid, claim].map(|amount| amount.max(Usd::ZERO).micros());
        self.accounts[account.index()].range.allow(paid, back + claim);
    }

    /// A reading of a venue begins: nothing is told of its markets yet, and what was settled after `lagging` may not show.
    fn begin_markets(&mut self, venue: Venue, books: &Books, lagging: Nanos) {
        let terms =
            |at: usize| books.terms(MarketId::new(at as u16)).filter(|terms| terms.venue == venue);
        let mut from = 0;
        while let Some(at) = self.told.next(from) {
            from = at + 1;
            if terms(at).is_some() {
                let of = &mut self.markets[at];
                (of.history, of.range) = (None, [Range::default(); 2]);
                self.told.remove(at);
            }
        }
        let mut from = 0;
        while let Some(at) = self.settled.next(from) {
            from = at + 1;
            let Some(terms) = terms(at) else { continue };
            let of = &self.markets[at];
            if of.settled_at > lagging {
                let account = &mut self.accounts[CashAccount::of(terms.venue, terms.shard).index()];
                let [paid, back] = [of.paid, -of.paid].map(|by| by.max(Usd::ZERO).micros());
                account.range.allow(paid, back);
            } else {
                self.settled.remove(at); // and so for every later reading
            }
        }
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
        self.told.insert(market.index());
    }

    /// The venue's figures may lack this fill, or, where it was undone, still have it.
    fn allow_fill(&mut self, booking: &Booking, undone: bool) {
        let Booking { market, account, outcome, action, price, qty, fee } = *booking;
        let bought = action == Action::Buy;
        self.allow_contracts(account.venue(), market, outcome, qty, bought == undone);
        let (worth, fee) = (price.cost_ceil(qty), fee.max(Usd::ZERO));
        let rules = account.venue().rules();
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
        self.accounts[account.index()].range.allow(less.micros(), more.micros());
    }

    /// The venue may have filled more of this order than we have booked, up to all of it.
    fn allow_order(&mut self, record: &Record, terms: &MarketDef) {
        let order = &record.order;
        let bought = order.action == Action::Buy;
        let open = most_open(record);
        self.allow_contracts(order.venue, order.market, order.outcome, open, bought);
        let dollars = Price::ONE.cost_ceil(open);
        let rules = order.venue.rules();
        // While a change of it is on its way it may fill on either terms: the larger claim is reserved.
        let spent = most_spent(record, terms).max(record.reserved);
        let (less, more) = match bought {
            true if rules.nets_pairs() => (spent, dollars),
            true => (spent, Usd::ZERO),
            // What is not held is bought of the other outcome.
            false if rules.sells_beyond_holding() => {
                (worst_cost(terms.fee, order.price.complement(), open), dollars)
            }
            false => (Usd::ZERO, dollars),
        };
        let account = CashAccount::of(terms.venue, terms.shard);
        self.accounts[account.index()].range.allow(less.micros(), more.micros());
    }
}

impl Comparison {
    /// A reading of a venue begins: what is in flight now, and what was booked or settled of late, may show in it or not.
    /// `claims` is the money of claims that may have been redeemed since the last reading.
    pub fn begin(
        &mut self,
        venue: Venue,
        since: Nanos,
        claims: Usd,
        books: &Books,
        orders: &Orders,
        fills: &mut FillsSeen,
    ) {
        let lagging = Nanos::new(since.get().saturating_sub(READ_LAG.get()));
        let at = &mut self.venues[venue];
        (at.since, at.differs, at.has_cash, at.gone) = (since, false, false, false);
        for account in CashAccount::all().filter(|account| account.venue() == venue) {
            let AccountCompared { seen, seen_since, .. } = self.accounts[account.index()];
            let mut range = Range::default();
            range.allow(self.released[account.index()].since(lagging).micros(), 0);
            self.accounts[account.index()] =
                AccountCompared { seen, seen_since, range, told: false };
        }
        if venue.rules().settlement == Settlement::Claimed {
            // What was redeemed since the last reading is more cash than we know of.
            // A short that was settled makes what is owed less than nothing: nobody pays that in.
            let owed = claims.max(Usd::ZERO);
            self.accounts[CashAccount::of(venue, 0).index()].range.allow(0, owed.micros());
        }
        self.begin_markets(venue, books, lagging);
        for record in orders.live().filter(|record| record.order.venue == venue) {
            let terms = books.terms(record.order.market).expect("a market in use has terms");
            self.allow_order(record, terms);
        }
        fills.begin_reading(venue, since);
        for booked in fills.unshown(venue) {
            self.allow_fill(&booked.booking, booked.undone);
        }
    }

    /// Whether a reading of a venue was begun in this run.
    pub fn has_begun(&self, venue: Venue) -> bool {
        self.since(venue) != Nanos::ZERO
    }

    /// Whether the reading under way has told of the cash in an account.
    pub fn has_told(&self, account: CashAccount) -> bool {
        self.accounts[account.index()].told
    }

    /// The reading tells of the cash in an account.
    pub fn on_cash_told(&mut self, account: CashAccount, cash: Usd) {
        self.venues[account.venue()].has_cash |= cash > Usd::ZERO;
        self.accounts[account.index()].told = true;
    }

    /// The whole reading was told. Returns whether it has shown no difference but those that were put right.
    pub fn finish(&mut self, now: Nanos, venue: Venue) -> bool {
        let at = &mut self.venues[venue];
        (at.compared, at.compared_since) = (now, at.since);
        at.gone_told &= at.gone;
        if std::mem::take(&mut at.differs) {
            return false;
        }
        at.met = true;
        true
    }

    /// The reading under way differs, or could not be read.
    pub fn on_difference(&mut self, venue: Venue) {
        self.venues[venue].differs = true;
    }

    /// Whether the last comparison with a venue is too old for anything to be opened.
    pub fn is_old(&self, now: Nanos, venue: Venue) -> bool {
        let at = &self.venues[venue];
        at.since != Nanos::ZERO && now.since(at.compared) > COMPARED_WITHIN
    }

    /// The venue says that something is gone and nothing explains it. Returns whether an alarm is due about it.
    pub fn on_gone(&mut self, venue: Venue) -> bool {
        let at = &mut self.venues[venue];
        at.gone = true;
        !std::mem::replace(&mut at.gone_told, true)
    }

    /// What the venue's own trades in a market add up to.
    pub fn on_history(&mut self, market: MarketId, held: [Qty; 2]) {
        self.markets[market.index()].history = Some(held);
        self.told.insert(market.index());
    }

    /// The venue lists these contracts of a market that is settled here: they stay on its list until they are redeemed.
    pub fn on_settled_position(&mut self, venue: Venue, market: MarketId, theirs: [Qty; 2]) {
        let since = self.since(venue);
        let gone = &mut self.markets[market.index()].gone;
        *gone = if theirs == [Qty::ZERO; 2] { gone.or(Some(since)) } else { None };
    }

    /// What became of a claim on a settled market, where the account holds `ours` by our count and `theirs` by the
    /// venue's; `None` where its contracts are still on the venue's list.
    pub fn find_claim(
        &mut self,
        market: MarketId,
        account: CashAccount,
        claim: Usd,
        ours: Usd,
        theirs: Usd,
    ) -> Option<ClaimFound> {
        let VenueCompared { since, met, .. } = self.venues[account.venue()];
        let gone = self.markets[market.index()].gone?;
        let range = &mut self.accounts[account.index()].range;
        let is_there = i128::from((theirs - ours - claim).micros()) >= -range.less();
        let found = if is_there {
            ClaimFound::Paid
        } else if !met && gone < since {
            ClaimFound::Lost
        } else if !met {
            ClaimFound::Differs
        } else if since.since(gone) >= PAID_WITHIN {
            ClaimFound::Gone
        } else {
            ClaimFound::Awaited
        };
        if matches!(found, ClaimFound::Paid | ClaimFound::Lost) {
            range.forbid_more(claim.micros());
        }
        Some(found)
    }

    /// Compares the cash in an account. What puts it right is by how much ours is less than it should be, and the figure that
    /// it becomes.
    pub fn find_cash(
        &mut self,
        account: CashAccount,
        ours: Usd,
        theirs: Usd,
    ) -> Finding<(Usd, Figure<Usd, Usd>)> {
        let at = &self.venues[account.venue()];
        let of = &mut self.accounts[account.index()];
        let errors = of.range.errors((theirs - ours).micros().into());
        if errors.has_none() {
            of.seen = None;
            if theirs == ours {
                self.untold_fees.on_agreed(account, at.since);
            }
            return Finding::Explained;
        }
        let both = of.seen.and_then(|seen| seen.and(errors));
        of.seen = both.or(Some(errors));
        if both.is_none() {
            of.seen_since = at.since;
        }
        if theirs == Usd::ZERO && ours > Usd::ZERO && !at.has_cash {
            return Finding::Gone;
        }
        let Some(errors) = both.or_else(|| at.is_before_readings().then_some(errors)) else {
            return Finding::Differs;
        };
        of.seen = None;
        let by = Usd::from_micros(certain(&errors));
        // Where nothing is in flight, all of the venue's word is taken, whatever earlier fills come to.
        let cash = if of.range.is_nothing() { Figure::To(ours + by) } else { Figure::By(by) };
        Finding::Wrong { right: (by, cash), since: of.seen_since, agreed: at.met }
    }

    /// The fees that the venue did not tell.
    pub const fn untold_fees(&mut self) -> &mut UntoldFees {
        &mut self.untold_fees
    }

    /// Whether the venue has so many pairs of YES and NO more than we, or fewer, with nothing in flight that could explain it:
    /// they were split or merged by other means than ours, if its cash says the same. Or whether it has so many NO fewer, or
    /// YES more: they were converted, if other markets and its cash say the same. It waits for that.
    pub fn find_pairs(
        &mut self,
        venue: Venue,
        market: MarketId,
        ours: [i128; 2],
        theirs: [Qty; 2],
    ) -> bool {
        let at = &self.venues[venue];
        let of = &mut self.markets[market.index()];
        let by = [0, 1].map(|outcome| micros(theirs[outcome]) - ours[outcome]);
        let certain = venue.rules().pairs == Pairs::Kept
            && !at.is_before_readings()
            && of.range.iter().all(Range::is_nothing)
            && ours.iter().all(|&held| held >= 0);
        let of_set = at.since != Nanos::ZERO
            && matches!(by, [yes, no] if (yes == 0 && no < 0) || (yes > 0 && no == 0));
        let waits = match by {
            [yes, no] if yes == no && yes != 0 => &mut self.paired,
            _ if of_set => &mut self.converted,
            _ => return false,
        };
        if certain {
            of.paired = Some(theirs);
            waits.insert(market.index());
        }
        certain
    }

    /// The same for markets whose contracts may have been converted.
    pub fn next_converted(&self, from: MarketId) -> Option<(MarketId, [Qty; 2])> {
        let at = self.converted.next(from.index())?;
        Some((MarketId::new(at as u16), self.markets[at].paired?))
    }

    /// The first market from `from` on that waits for the cash of its venue, and what the venue has of it.
    pub fn next_paired(&self, from: MarketId) -> Option<(MarketId, [Qty; 2])> {
        let at = self.paired.next(from.index())?;
        Some((MarketId::new(at as u16), self.markets[at].paired?))
    }

    /// The first market from `from` on that waits for the cash for either reason.
    pub fn next_waiting(&self, from: MarketId) -> Option<(MarketId, [Qty; 2])> {
        let found = [self.next_paired(from), self.next_converted(from)];
        found.into_iter().flatten().min_by_key(|(market, _)| market.get())
    }

    /// How many markets' contracts may have been converted.
    pub const fn converted(&self) -> usize {
        self.converted.len()
    }

    /// A market waits no more: its cash has said what there is to say.
    pub fn end_pairs(&mut self, market: MarketId) {
        self.markets[market.index()].paired = None;
        self.paired.remove(market.index());
        self.converted.remove(market.index());
    }

    /// Whether `by` dollars that went to the contracts explain the cash in an account: to the microdollar, or where nothing
    /// else does. Where none went, the cash has only not to speak against it.
    pub fn is_cash_of_pairs(&self, account: CashAccount, ours: Usd, theirs: Usd, by: i64) -> bool {
        let range = self.accounts[account.index()].range;
        let off = i128::from((theirs - ours).micros());
        let left = off + i128::from(by);
        let needs = by == 0 || !range.errors(off).has_none();
        left == 0 || (needs && range.errors(left).has_none())
    }

    /// Compares what is held in a market, ours in millionths and below zero where more were sold than held. What puts it
    /// right is what we hold of each outcome then, and how it comes to be so. What `is_back` after it was called gone is explained by
    /// nothing in flight.
    pub fn find_position(
        &mut self,
        venue: Venue,
        market: MarketId,
        ours: [i128; 2],
        theirs: [Qty; 2],
        is_back: bool,
    ) -> Finding<([Qty; 2], Contracts)> {
        let at = &self.venues[venue];
        let of = &mut self.markets[market.index()];
        let range = if is_back { [Range::default(); 2] } else { of.range };
        let errors = errors_of(venue, ours, theirs, range);
        let gone = is_gone(venue, ours, theirs, errors);
        of.gone = if gone { of.gone.or(Some(at.since)) } else { None };
        if errors.iter().all(Errors::has_none) {
            of.seen = None;
            return Finding::Explained;
        }
        let both = of.seen.and_then(|seen| both_of(seen, errors));
        of.seen = both.or(Some(errors));
        if both.is_none() {
            of.seen_since = at.since;
        }
        if let Some(gone) = of.gone.filter(|_| of.history != Some(theirs)) {
            let is_first = at.since != Nanos::ZERO && gone == at.since;
            let may_be_paid = is_first && venue.rules().settlement == Settlement::Paid;
            return if may_be_paid { Finding::MaybePaid } else { Finding::Gone };
        }
        let Some(errors) = both.or_else(|| at.is_before_readings().then_some(errors)) else {
            return Finding::Differs;
        };
        of.seen = None;
        let held = corrected(venue, ours, theirs, errors);
        // Where nothing is in flight, all of the venue's word is taken, whatever earlier fills come to. What is short is not
        // held: the venue's word stands for it too.
        let exact = of.range.iter().all(Range::is_nothing) || ours.iter().any(|&held| held < 0);
        let contracts =
            if exact { Figure::To(held) } else { Figure::By(errors.map(|of| certain(&of))) };
        Finding::Wrong { right: (held, contracts), since: of.seen_since, agreed: at.met }
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

/// What our figure is certainly wrong by, in microdollars or millionths of a contract.
fn certain(errors: &Errors) -> i64 {
    i64::try_from(errors.certain()).expect("it is no more than the figures differ by")
}

/// Whether an outcome that we hold is held no more at all, says the venue, and nothing in flight explains that.
fn is_gone(venue: Venue, ours: [i128; 2], theirs: [Qty; 2], errors: [Errors; 2]) -> bool {
    match venue.rules().pairs {
        Pairs::Kept => [0, 1].iter().any(|&outcome: &usize| {
            ours[outcome] > 0 && theirs[outcome].is_zero() && !errors[outcome].has_none()
        }),
        Pairs::Netted => ours != [0; 2] && theirs == [Qty::ZERO; 2] && !errors[0].has_none(),
    }
}
