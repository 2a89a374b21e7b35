//! Contracts without a partner: whether they can be sold, at what price, and what is done where they are too few for the
//! venue to take an order for them.

use super::Core;
use super::place::Draft;
use crate::amounts;
use crate::book::Book;
use crate::bounds::{DATA_AGE_MAX, WALK_LEVELS_MAX};
use crate::grid::Grid;
use crate::group::{Group, Leg, Sale, Stop};
use crate::ids::{Action, Outcome};
use crate::order::{Purpose, Tif};
use crate::risk::LimitRow;
use crate::units::{Nanos, Price, Qty, Usd};
use crate::venue_rules::{LOT, VenueRules};

/// A leftover worth less than this may stay where the venue does not take an order for it, and where to make it larger and
/// sell it all would lose half of what it brings.
const DUST_MAX: Usd = Usd::from_dollars(1);
/// What a leg must be worth at its sale's limit once it is topped up: the least that the venue takes, and a fifth more, for
/// the price may move before the sale.
const TOPPED_UP: Usd = Usd::from_cents(120);
/// How often the legs of one group are topped up at most.
const TOP_UPS_MAX: u8 = 16;
/// The longest pause after a top-up that brought nothing: the first is a step, each further one twice as long.
const TOP_UP_PAUSE_MAX: Nanos = Nanos::from_secs(60);
/// A sale may give up one part in this many of the best bid, on average over all of it, to be filled at once: a rest would stand on
/// one leg for a step, and be sold there all the same. Its limit is half that bid at least, for better bids may be gone when it
/// arrives.
const SWEEP_PART: u16 = 8;
/// What a sale may always give up of the best bid, on average, in $0.0001: a cent.
const SWEEP_MIN: u16 = 100;
/// How long an unwind may wait, for whatever reason (no bid, a venue that is away), before trading halts and the group
/// is handed to a person: longer than a venue's restart.
const UNWIND_MAX: Nanos = Nanos::from_secs(600);

impl Core {
    /// What can be done now about `excess` contracts of a leg that have no partner.
    pub(super) fn sale(&self, now: Nanos, group: &Group, leg: &Leg, excess: Qty) -> Sale {
        if self.money.worth().settled_at(leg.market).is_some() || excess < LOT {
            return Sale::Dust; // paid, or in no order: there is nothing to sell any more
        }
        let Some(bid) = self.exit_price(group, leg, excess) else {
            // Where nobody bids, a venue with a least worth will hardly take an order for so little: a bid above the limit
            // would have to come.
            let hopeless = leg.venue.rules().has_marketable_min() || self.is_overdue(now, group);
            return if hopeless && is_little(leg, Price::ZERO, excess) {
                Sale::Dust
            } else {
                Sale::Waits
            };
        };
        let little = is_little(leg, bid, excess);
        if little && self.is_overdue(now, group) {
            return Sale::Dust; // tried for long enough: no halt and no person for so little
        }
        if let Some(terms) = self.sale_terms(group, leg, bid, excess, little) {
            return if terms.is_dear { Sale::TooDear } else { Sale::Possible };
        }
        if self.top_up(now, group, leg, excess).is_some() {
            return Sale::TooSmall;
        }
        let in_doubt = self.may_top_up(group, leg) && !self.may_buy_at_book(now, leg);
        if little && !in_doubt { Sale::Dust } else { Sale::Waits }
    }

    /// Whether a sale at a loss may leave the group with a greater loss by its sales than it may have: what they lost so far, and what
    /// `qty` of a leg would lose at the sale's limit. Either counts against what the leg's own contracts cost, fees included, whatever
    /// else is held in its market.
    fn is_too_dear(&self, group: &Group, leg: &Leg, price: Price, qty: Qty) -> bool {
        let fee = self.terms(leg.market).fee.fee(price, qty, true);
        let loses = self.cost_held(leg, qty) + fee - price.proceeds_floor(qty);
        let lost = group.legs().iter().fold(Usd::ZERO, |sum, leg| {
            let gone = leg.taken.min(leg.bought.max(leg.booked));
            sum + self.cost_held(leg, gone) - leg.brought_by(gone)
        });
        loses > Usd::ZERO && loses + lost > self.limits.usd(LimitRow::UnwindLoss)
    }

    /// How long a leg waits after a top-up of its group that brought nothing: `tried` of them so far.
    pub(super) fn top_up_pause(&self, tried: u8) -> Nanos {
        let step = self.limits.span(LimitRow::UnwindStepMs);
        step.doubled(u32::from(tried.saturating_sub(1)), TOP_UP_PAUSE_MAX)
    }

    /// Whether a leg's book can be bought from: whole, as new as the gate asks of orders that open something, and not in
    /// quarantine. A sale takes what it can get; nobody is in need of a top-up at this very moment.
    fn may_buy_at_book(&self, now: Nanos, leg: &Leg) -> bool {
        let is_whole_and_new =
            |book: &Book| book.is_good() && self.truth.data_age(now, book) <= DATA_AGE_MAX;
        self.books.get(leg.market).is_some_and(is_whole_and_new)
            && !self.quarantine.holds(leg.market)
    }

    /// Whether an unwind has gone on for so long that a person must see to it. What waits for a venue that takes no order is not
    /// given up: a person could not sell it either, and the alarm of a stuck group has told of it.
    pub(super) fn is_overdue(&self, now: Nanos, group: &Group) -> bool {
        group.unwinding_since.is_some_and(|since| now.since(since) >= UNWIND_MAX)
            && !self.waits_for_mode(group)
    }

    /// The order that sells `qty` of a leg; `None` while there is nothing to price it from, or too little to sell.
    pub(super) fn sale_draft(&self, group: &Group, leg: &Leg, qty: Qty) -> Option<Draft> {
        let excess = qty;
        let qty = if leg.venue.rules().sells_beyond_holding() {
            qty
        } else {
            qty.min(self.held_free(leg.market, leg.outcome))
        };
        let bid = self.exit_price(group, leg, qty)?;
        let terms = self.sale_terms(group, leg, bid, qty, is_little(leg, bid, excess))?;
        let SaleTerms { price, qty, tif, is_dear: false } = terms else { return None };
        Some(Draft {
            group: group.id,
            market: leg.market,
            outcome: leg.outcome,
            action: Action::Sell,
            price,
            qty,
            tif,
            purpose: Purpose::Unwind,
            expires: None,
            post_only: false,
            plan: None,
        })
    }

    /// The terms on which the venue would take a sale of `qty`: as many cents below the bid as the group has come to, or
    /// fewer where it would be worth too little otherwise, or might lose more than the group may. A limit is met by better bids first,
    /// so that a sale a cent higher is no rash one. Of so `little` no loss is too great.
    fn sale_terms(
        &self,
        group: &Group,
        leg: &Leg,
        bid: Price,
        qty: Qty,
        little: bool,
    ) -> Option<SaleTerms> {
        let (terms, rules) = (self.terms(leg.market), leg.venue.rules());
        let taken = (0..=group.concessions.min(100)).rev().filter_map(|cents| {
            let price = concede(bid, cents, terms.grid, leg.outcome);
            let (qty, tif) = selling_terms(rules, price, qty);
            let least = if min_size_applies(leg, tif) { terms.min_qty } else { LOT };
            let worth = price.proceeds_floor(qty);
            let enough = qty >= least && worth >= rules.marketable_min;
            let is_dear = !little && self.is_bound(group, leg, price, qty);
            enough.then_some(SaleTerms { price, qty, tif, is_dear })
        });
        taken.min_by_key(|terms| terms.is_dear) // the first of those that may be
    }

    /// Whether a purchase that makes a leftover large enough to sell is allowed here at all.
    fn may_top_up(&self, group: &Group, leg: &Leg) -> bool {
        leg.venue.rules().has_marketable_min()
            && self.terms(leg.market).status.is_traded()
            && !self.run.is_halted()
            && group.top_ups < TOP_UPS_MAX
    }

    /// The purchase that makes `excess` contracts of a leg enough for the venue to take their sale: as few as its minimums
    /// allow, at a price at which the book has them now. `None` where buying and selling them would lose half of what the
    /// excess brings.
    pub(super) fn top_up(
        &self,
        now: Nanos,
        group: &Group,
        leg: &Leg,
        excess: Qty,
    ) -> Option<Draft> {
        if !self.may_top_up(group, leg) || !self.may_buy_at_book(now, leg) {
            return None;
        }
        let book = self.books.get(leg.market)?;
        let terms = book.terms();
        let bid = self.exit_price(group, leg, excess)?;
        if excess < amounts::venue_lot_step(leg.venue.rules(), bid, Action::Sell, Tif::Ioc) {
            return None; // finer than the sale's own step: it would stay
        }
        let least = if leg.least_for_all { terms.min_qty } else { Qty::ZERO };
        let lacks = worth_at_least(TOPPED_UP, bid).max(least).saturating_sub(excess);
        let mut room = Qty::ZERO;
        let (price, qty, tif) =
            book.asks_for(leg.outcome).take(WALK_LEVELS_MAX).find_map(|(ask, offered)| {
                room += offered;
                let (qty, tif) = buying_terms(leg, ask, lacks, terms.min_qty);
                (room >= qty).then_some((ask, qty, tif))
            })?;
        let spent = price.cost_ceil(qty) + terms.fee.fee(price, qty, true);
        let lost = spent - bid.proceeds_floor(qty) + terms.fee.fee(bid, excess + qty, true);
        (lost + lost < bid.proceeds_floor(excess)).then_some(Draft {
            group: group.id,
            market: leg.market,
            outcome: leg.outcome,
            action: Action::Buy,
            price,
            qty,
            tif,
            purpose: Purpose::TopUp,
            expires: None,
            post_only: false,
            plan: None,
        })
    }

    /// The limit that a sale of `qty` begins with: the bid at which the book has room for all of it; a sale at the best bid alone
    /// would leave the rest standing for a step. It goes down the book for as long as that gives up little against the best bid
    /// ([`SWEEP_PART`]) and could lose no more than the group may. While the book is in doubt, the last bid of a whole book. It
    /// is only a limit: better bids are met first, and where the market has moved on, the sale does not fill, and the next one is
    /// priced lower.
    fn exit_price(&self, group: &Group, leg: &Leg, qty: Qty) -> Option<Price> {
        let book = self.books.get(leg.market)?;
        if !book.is_good() {
            let last = self.money.worth().bid(leg.market, leg.outcome);
            return last.filter(|&bid| bid > Price::ZERO);
        }
        let (best, _) = book.best_bid_for(leg.outcome)?;
        let worth = |price: Price| price.proceeds_floor(qty);
        let least = leg.venue.rules().marketable_min.min(worth(best)); // a limit that makes it too little is none
        let most = (best.ticks() / SWEEP_PART).max(SWEEP_MIN);
        let may_give_up = u128::from(qty.micros()) * u128::from(most);
        let (mut limit, mut room, mut given_up) = (best, Qty::ZERO, 0);
        for (bid, offered) in book.bids_for(leg.outcome).take(WALK_LEVELS_MAX) {
            let (left, below) = (qty.saturating_sub(room), best.ticks() - bid.ticks());
            given_up += u128::from(left.min(offered).micros()) * u128::from(below);
            let is_far = below > most.max(best.ticks() / 2) || given_up > may_give_up;
            let may_be = || worth(bid) >= least && !self.is_bound(group, leg, bid, qty);
            if left.is_zero() || is_far || (bid < best && !may_be()) {
                break;
            }
            (limit, room) = (bid, room + offered);
        }
        Some(limit)
    }

    /// Whether the loss that a group may have forbids to sell so much of a leg at a price.
    fn is_bound(&self, group: &Group, leg: &Leg, price: Price, qty: Qty) -> bool {
        // What a stop-loss gives up has been lost before: its price is bounded by its attempts.
        group.stop == Stop::Off && self.is_too_dear(group, leg, price, qty)
    }
}

/// A sale that the venue would take.
#[derive(Clone, Copy, Debug)]
struct SaleTerms {
    price: Price,
    qty: Qty,
    tif: Tif,
    /// Whether the group might lose more by it than it may.
    is_dear: bool,
}

/// Whether contracts of a leg are worth so little, by the bid and by what they were bought for, that they may be left.
fn is_little(leg: &Leg, bid: Price, qty: Qty) -> bool {
    leg.limit.max(bid).proceeds_floor(qty) < DUST_MAX
}

/// Whether an order for a leg must have the market's smallest size: by the venue's rule, or because the venue has refused
/// a smaller order of this leg for its size.
const fn min_size_applies(leg: &Leg, tif: Tif) -> bool {
    leg.least_for_all || leg.venue.rules().min_size_applies(tif.may_rest())
}

/// The fewest contracts that are worth `worth` at a price, in whole lots.
fn worth_at_least(worth: Usd, price: Price) -> Qty {
    let worth = u64::try_from(worth.micros()).expect("what an order must be worth is not negative");
    let ticks = u64::from(price.ticks().max(1));
    ceil_to(Qty::from_micros((worth * 10_000).div_ceil(ticks)), LOT)
}

/// The smallest purchase, at `price`, of at least `lacks` contracts, and for how long it lives. One that takes at once has
/// the venue's step for it, one that may rest has a smallest size.
fn buying_terms(leg: &Leg, price: Price, lacks: Qty, min_qty: Qty) -> (Qty, Tif) {
    let rules = leg.venue.rules();
    let lacks = lacks.max(worth_at_least(rules.marketable_min, price));
    let step = amounts::venue_lot_step(rules, price, Action::Buy, Tif::Ioc);
    let at_once = if leg.least_for_all { lacks.max(min_qty) } else { lacks };
    let (at_once, resting) = (ceil_to(at_once, step), ceil_to(lacks.max(min_qty), LOT));
    if at_once <= resting { (at_once, Tif::Ioc) } else { (resting, Tif::Gtc) }
}

/// The next multiple of `step`, or the quantity itself where it is one.
fn ceil_to(qty: Qty, step: Qty) -> Qty {
    let floor = qty.floor_to(step);
    if floor == qty { qty } else { floor + step }
}

/// How much of a sale the venue's amounts allow at this price, and for how long it lives.
fn selling_terms(rules: &VenueRules, price: Price, qty: Qty) -> (Qty, Tif) {
    let rounded = qty.floor_to(amounts::venue_lot_step(rules, price, Action::Sell, Tif::Ioc));
    if rounded.is_zero() { (qty.floor_to(LOT), Tif::Gtc) } else { (rounded, Tif::Ioc) }
}

/// The price of a sale: at the bid first, then a cent lower each time, never below the lowest price of the grid.
fn concede(bid: Price, attempt: u32, grid: Grid, outcome: Outcome) -> Price {
    let grid = if outcome == Outcome::Yes { grid } else { grid.mirrored() };
    let down = u16::try_from(attempt.min(100) * 100).expect("at most a dollar");
    let mut ticks = bid.ticks().saturating_sub(down).max(grid.finest());
    while ticks > 1 {
        let price = Price::from_ticks(ticks).expect("below the bid");
        if grid.allows(price) {
            return price;
        }
        ticks -= 1;
    }
    bid
}
