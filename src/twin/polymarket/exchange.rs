//! Matching and money: normal, mint and merge, fees, trades on their way to the chain, and settlement.
//!
//! Every book is in YES terms, so a bid is a buy of YES or a sale of NO and an ask is the opposite. Two sides that
//! meet on the same outcome exchange shares; two buys mint a pair for a dollar; two sales merge one.

use surefoot_hot::ids::{Action, Outcome, Side};
use surefoot_hot::units::{Nanos, Price, Qty, Usd};

use super::order::{MARKETABLE_MIN, Order, OrderType, Refusal, Status, refuse};
use super::{HOUSE_ACCOUNT, PolymarketVenue, Taken, text};
use crate::twin::matching::{HOUSE, Incoming, Match};

/// How far a trade is on its way to the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TradeStatus {
    /// Matched, not on chain.
    Matched,
    /// In a block.
    Mined,
    /// It is final: it can neither fail nor be retried.
    Confirmed,
    /// Reverted on chain: it is void.
    Failed,
}

impl TradeStatus {
    /// The venue's word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Matched => "MATCHED",
            Self::Mined => "MINED",
            Self::Confirmed => "CONFIRMED",
            Self::Failed => "FAILED",
        }
    }
}

/// One side of a trade.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The order; `None` for the house's.
    pub order: Option<usize>,
    /// Its id, the house's too.
    pub order_id: String,
    /// Index of the account that traded.
    pub account: usize,
    /// Which outcome it traded.
    pub outcome: Outcome,
    pub action: Action,
    /// At what price, in its outcome's terms.
    pub price: Price,
    /// How many shares.
    pub qty: Qty,
    /// The collateral that went the other way, without fees.
    pub amount: Usd,
}

/// One trade: a taker against every maker at one price.
#[derive(Clone, Debug)]
pub struct Trade {
    /// The trade's id, a UUID that all its parties share.
    pub id: String,
    /// In which market.
    pub market: usize,
    /// What the taker traded, over all makers.
    pub taker: Part,
    /// The makers, oldest first.
    pub makers: Vec<Part>,
    /// What the taker paid for it.
    pub fee: Usd,
    /// How far it is.
    pub status: TradeStatus,
    /// When it was matched.
    pub at: Nanos,
    /// When its status last changed.
    pub updated: Nanos,
    /// Known once mined.
    pub transaction: Option<String>,
}

/// What became of an order that was taken.
#[derive(Clone, Debug, Default)]
pub struct Placed {
    /// Its trades, by index.
    pub trades: Vec<usize>,
    /// Shares that traded at once.
    pub shares: Qty,
    /// Collateral that changed hands for them, without fees.
    pub collateral: Usd,
}

/// Who takes: one of our orders, or the house.
#[derive(Clone, Copy)]
struct Taker {
    order: Option<usize>,
    account: usize,
    outcome: Outcome,
    action: Action,
}

impl PolymarketVenue {
    /// Book and balance checks, then the book itself.
    pub(super) fn place(&mut self, order: Order, now: Nanos) -> Result<(usize, Placed), Refusal> {
        let market = &self.markets[order.market];
        let crosses = market.book.crosses(order.side(), order.yes_price());
        let account = &self.accounts[order.account];
        if order.post_only && crosses {
            return refuse("invalid post-only order: order crosses book");
        }
        if (crosses || !order.order_type.rests()) && order.collateral < MARKETABLE_MIN {
            let (side, worth) = (action_name(order.action), text::usd(order.collateral.micros()));
            return refuse(format!(
                "invalid amount for a marketable {side} order (${worth}), min size: $1"
            ));
        }
        let same = |o: &&Order| {
            (o.market, o.outcome, o.action) == (order.market, order.outcome, order.action)
        };
        let open = account.live.iter().map(|&index| &self.orders[index]).filter(same);
        let enough = match order.action {
            Action::Buy => {
                let committed = open.fold(Usd::ZERO, |sum, o| sum + o.price.cost_ceil(o.left()));
                let fee = if crosses { market.fee(order.price, order.original) } else { Usd::ZERO };
                account.cash >= committed + order.collateral + fee
            }
            Action::Sell => {
                let committed = open.fold(Qty::ZERO, |sum, o| sum + o.left());
                account.held(order.market, order.outcome) >= committed + order.original
            }
        };
        if !enough {
            return refuse("not enough balance / allowance");
        }
        let delayed = crosses && market.delay_secs > 0;
        let delay = Nanos::from_secs(market.delay_secs.into());
        if !order.order_type.rests() && !delayed {
            self.check_immediate(&order, now)?;
        }
        let index = self.orders.len();
        self.by_order.insert(order.id, index);
        self.accounts[order.account].live.push(index);
        self.orders.push(order);
        if delayed {
            self.orders[index].status = Status::Delayed;
            self.held.push((now.after(delay), index));
            return Ok((index, Placed::default()));
        }
        Ok((index, self.execute(index, now)))
    }

    /// Whether an immediate order finds what it wants.
    fn check_immediate(&mut self, order: &Order, now: Nanos) -> Result<(), Refusal> {
        self.drop_unfunded(order.market, order.side(), order.yes_price(), now);
        let (found, whole) = self.immediate_qty(order);
        match order.order_type {
            OrderType::Fok if !whole => {
                self.show_killed(order, now);
                refuse(FOK_KILLED)
            }
            OrderType::Fak if found.is_zero() => refuse(
                "no orders found to match with FAK order. FAK orders are partially filled or killed if no match is found.",
            ),
            _ => Ok(()),
        }
    }

    /// How many shares an immediate order takes now, and whether that is all it wants: a buy spends its
    /// collateral, a sale gives its shares (`venues/polymarket.md` §3.7).
    fn immediate_qty(&self, order: &Order) -> (Qty, bool) {
        let book = &self.markets[order.market].book;
        if order.action == Action::Sell {
            let found = book.would_fill(order.side(), order.yes_price()).min(order.original);
            return (found, found == order.original);
        }
        let (mut left, mut total) = (order.collateral, Qty::ZERO);
        for (yes_price, qty) in book.levels(order.side().other()) {
            let past = match order.side() {
                Side::Bid => yes_price > order.yes_price(),
                Side::Ask => yes_price < order.yes_price(),
            };
            if past {
                return (total, false);
            }
            let price = own(order.outcome, yes_price);
            let cash = u128::try_from(left.micros()).expect("never overspent");
            let most = cash * 10_000 / u128::from(price.ticks().max(1));
            let take = qty.min(Qty::from_micros(u64::try_from(most).unwrap_or(u64::MAX)));
            total += take;
            left -= price.cost_ceil(take);
            if take < qty || left == Usd::ZERO {
                return (total, true);
            }
        }
        (total, false)
    }

    /// Whether its account could give what an order offers.
    pub(super) fn is_funded(&self, index: usize) -> bool {
        let order = &self.orders[index];
        let account = &self.accounts[order.account];
        match order.action {
            Action::Buy => account.cash >= order.price.cost_ceil(order.left()),
            Action::Sell => account.held(order.market, order.outcome) >= order.left(),
        }
    }

    /// Whether an immediate order finds all it wants.
    pub(super) fn fills_whole(&self, index: usize) -> bool {
        self.immediate_qty(&self.orders[index]).1
    }

    /// Lets an order meet the book. What is left rests, or is cancelled.
    pub(super) fn execute(&mut self, index: usize, now: Nanos) -> Placed {
        let order = self.orders[index].clone();
        let (side, limit) = (order.side(), order.yes_price());
        self.drop_unfunded(order.market, side, limit, now);
        let rests = order.order_type.rests();
        let qty = if rests { order.left() } else { self.immediate_qty(&order).0 };
        let spent = !rests && self.immediate_qty(&order).1;
        self.orders[index].status = Status::Live;
        let incoming = Incoming {
            id: index as u64,
            owner: u32::try_from(order.account).expect("few accounts"),
            side,
            limit,
            qty,
            rest: rests,
            stop_at_own: false,
        };
        let done = self.markets[order.market].book.submit(incoming);
        let (account, outcome, action) = (order.account, order.outcome, order.action);
        let taker = Taker { order: Some(index), account, outcome, action };
        let mut placed = Placed::default();
        self.trade(order.market, taker, &done.matches, now, &mut placed);
        let status = if done.rested {
            Status::Live
        } else if spent || done.left.is_zero() && rests {
            Status::Matched
        } else {
            Status::Canceled("")
        };
        if done.rested {
            self.show_order(index, "PLACEMENT", now);
        }
        if placed.shares > Qty::ZERO {
            if status == Status::Matched {
                self.finish(index, Status::Matched);
            }
            self.show_order(index, "UPDATE", now);
        }
        if matches!(status, Status::Canceled(_)) {
            self.finish(index, status);
            self.show_order(index, "CANCELLATION", now);
        }
        self.after_trades(order.market, &placed.trades, now);
        placed
    }

    /// Turns matches into trades, one for each price, and moves money and shares.
    fn trade(
        &mut self,
        market: usize,
        taker: Taker,
        matches: &[Match],
        now: Nanos,
        placed: &mut Placed,
    ) {
        let taker_id = match taker.order {
            Some(index) => text::hex(&self.orders[index].id),
            None => text::hex(&self.ids.word()),
        };
        for level in matches.chunk_by(|a, b| a.price == b.price) {
            let qty = level.iter().fold(Qty::ZERO, |sum, m| sum + m.qty);
            let price = own(taker.outcome, level[0].price);
            let total = match taker.action {
                Action::Buy => price.cost_ceil(qty),
                Action::Sell => price.proceeds_floor(qty),
            };
            let fee = if taker.account == HOUSE_ACCOUNT {
                Usd::ZERO
            } else {
                self.markets[market].fee(price, qty)
            };
            let (mut rest, mut makers) = (total, Vec::with_capacity(level.len()));
            let trade = self.trades.len();
            for (place, met) in level.iter().enumerate() {
                // The level's whole amount is what the taker sees; the last maker takes what rounding left.
                let last = place + 1 == level.len();
                let amount = if last { rest } else { price.proceeds_floor(met.qty) };
                rest -= amount;
                makers.push(self.maker_part(market, taker, met, amount, trade, now));
            }
            let account = &mut self.accounts[taker.account];
            move_leg(account, (market, taker.outcome), taker.action, qty, total);
            account.cash -= fee;
            self.fees += fee;
            if let Some(index) = taker.order {
                self.orders[index].matched += qty;
                self.orders[index].trades.push(trade);
            }
            placed.shares += qty;
            placed.collateral += total;
            placed.trades.push(trade);
            let part = Part {
                order: taker.order,
                order_id: taker_id.clone(),
                account: taker.account,
                outcome: taker.outcome,
                action: taker.action,
                price,
                qty,
                amount: total,
            };
            let id = self.ids.uuid();
            self.trades.push(Trade {
                id,
                market,
                taker: part,
                makers,
                fee,
                status: TradeStatus::Matched,
                at: now,
                updated: now,
                transaction: None,
            });
            self.settling.push_back(trade);
        }
    }

    /// One maker's side of a match. `amount` is the collateral of the taker's outcome.
    fn maker_part(
        &mut self,
        market: usize,
        taker: Taker,
        met: &Match,
        amount: Usd,
        trade: usize,
        now: Nanos,
    ) -> Part {
        let pair = Usd::from_micros(i64::try_from(met.qty.micros()).expect("QTY_MAX"));
        let (order, account, order_id, outcome, action);
        if met.maker_owner == HOUSE {
            // The house sells what it holds of the taker's outcome, else takes the other side of a pair.
            let holds = |o| self.accounts[HOUSE_ACCOUNT].held(market, o) >= met.qty;
            let same = match taker.action {
                Action::Buy => holds(taker.outcome),
                Action::Sell => !holds(taker.outcome.other()),
            };
            (order, account) = (None, HOUSE_ACCOUNT);
            order_id = text::hex(&self.ids.named(b"house order", met.maker));
            outcome = if same { taker.outcome } else { taker.outcome.other() };
            action = if same { opposite(taker.action) } else { taker.action };
            let side = Side::of(outcome, action);
            if taker.account != HOUSE_ACCOUNT {
                self.taken.push_back(Taken { market, side, price: met.price, qty: met.qty });
            }
        } else {
            let index = usize::try_from(met.maker).expect("an index");
            let maker = &mut self.orders[index];
            maker.matched += met.qty;
            maker.trades.push(trade);
            (order, account) = (Some(index), maker.account);
            order_id = text::hex(&maker.id);
            (outcome, action) = (maker.outcome, maker.action);
            if met.maker_left.is_zero() {
                self.finish(index, Status::Matched);
            }
            self.show_order(index, "UPDATE", now);
        }
        let amount = if outcome == taker.outcome { amount } else { pair - amount };
        move_leg(&mut self.accounts[account], (market, outcome), action, met.qty, amount);
        Part {
            order,
            order_id,
            account,
            outcome,
            action,
            price: own(outcome, met.price),
            qty: met.qty,
            amount,
        }
    }

    /// What everybody is told after trades: their own first, then the market.
    fn after_trades(&mut self, market: usize, trades: &[usize], now: Nanos) {
        for &trade in trades {
            self.show_trade(trade, now);
        }
        self.show_levels(market, now);
        for &trade in trades {
            let (price, qty) = (self.trades[trade].taker.price, self.trades[trade].taker.qty);
            self.markets[market].last = Some(price);
            self.markets[market].last_side = Some(self.trades[trade].taker.action);
            self.markets[market].volume += qty;
            self.show_last(trade, now);
        }
        if !trades.is_empty() {
            self.show_books(market, now);
        }
    }

    /// Takes off makers that could not pay for what they would now trade.
    fn drop_unfunded(&mut self, market: usize, side: Side, limit: Price, now: Nanos) {
        let mut unfunded = Vec::new();
        let mut needs: Vec<(usize, Usd, Qty)> = Vec::new(); // per account within this sweep
        for resting in self.markets[market].book.orders(side.other()) {
            let past = match side {
                Side::Bid => resting.price > limit,
                Side::Ask => resting.price < limit,
            };
            if past {
                break;
            }
            if resting.owner == HOUSE {
                continue;
            }
            let index = usize::try_from(resting.id).expect("an index");
            let order = &self.orders[index];
            let at = needs.iter().position(|(account, ..)| *account == order.account);
            let at = at.unwrap_or_else(|| {
                needs.push((order.account, Usd::ZERO, Qty::ZERO));
                needs.len() - 1
            });
            let account = &self.accounts[order.account];
            let (_, cash, shares) = &mut needs[at];
            let funded = match order.action {
                Action::Buy => {
                    let cost = order.price.cost_ceil(resting.left);
                    let fits = account.cash >= *cash + cost;
                    *cash += if fits { cost } else { Usd::ZERO };
                    fits
                }
                Action::Sell => {
                    let fits = account.held(market, order.outcome) >= *shares + resting.left;
                    *shares += if fits { resting.left } else { Qty::ZERO };
                    fits
                }
            };
            if !funded {
                unfunded.push(index);
            }
        }
        for index in unfunded {
            self.cancel(index, Status::Invalid, now);
        }
        self.show_levels(market, now);
    }

    /// Takes an open order off. `false` where it is not open, or held.
    pub(super) fn cancel(&mut self, index: usize, status: Status, now: Nanos) -> bool {
        if self.orders[index].status != Status::Live {
            return false;
        }
        let market = self.orders[index].market;
        let _ = self.markets[market].book.cancel(index as u64);
        self.finish(index, status);
        self.show_order(index, "CANCELLATION", now);
        self.show_levels(market, now);
        true
    }

    fn finish(&mut self, index: usize, status: Status) {
        let order = &mut self.orders[index];
        order.status = status;
        self.accounts[order.account].live.retain(|&live| live != index);
    }

    /// Makes the house's resting quantity at a level `qty`. House levels that this would cross go first; orders of
    /// ours that it crosses fill, and only what they leave rests.
    pub fn house_level(&mut self, market: usize, side: Side, price: Price, qty: Qty, now: Nanos) {
        if !self.markets[market].is_open() || !self.markets[market].grid().allows(price) {
            return;
        }
        let mut left = qty;
        if !qty.is_zero() && self.markets[market].book.crosses(side, price) {
            self.markets[market].book.clear_house(side, price);
            left = qty.saturating_sub(self.house_takes(market, side, price, qty, now));
        }
        let id = self.next_house_id();
        self.markets[market].book.set_house(side, price, left, id);
        self.show_levels(market, now);
    }

    /// Somebody else takes up to `qty` at `price` or better. Nothing happens where nothing is offered.
    pub fn house_trade(&mut self, market: usize, side: Side, price: Price, qty: Qty, now: Nanos) {
        if self.markets[market].is_open() {
            self.house_takes(market, side, price, qty, now);
        }
    }

    fn house_takes(
        &mut self,
        market: usize,
        side: Side,
        limit: Price,
        qty: Qty,
        now: Nanos,
    ) -> Qty {
        self.drop_unfunded(market, side, limit, now);
        let id = self.next_house_id();
        let incoming =
            Incoming { id, owner: HOUSE, side, limit, qty, rest: false, stop_at_own: false };
        let done = self.markets[market].book.submit(incoming);
        // A side of the YES book is a buy: of YES for a bid, of NO for an ask.
        let outcome = if side == Side::Bid { Outcome::Yes } else { Outcome::No };
        let taker = Taker { order: None, account: HOUSE_ACCOUNT, outcome, action: Action::Buy };
        let mut placed = Placed::default();
        self.trade(market, taker, &done.matches, now, &mut placed);
        self.after_trades(market, &placed.trades, now);
        self.forget_house_trades(&placed.trades);
        placed.shares
    }

    /// Drops trades in which nobody but the house has a part: nobody can ask for them, and the flow makes them
    /// for as long as the twin runs. They are the last ones.
    fn forget_house_trades(&mut self, trades: &[usize]) {
        let ours = |&index: &usize| {
            let trade: &Trade = &self.trades[index];
            trade.makers.iter().any(|maker| maker.account != HOUSE_ACCOUNT)
        };
        let Some(&first) = trades.first().filter(|_| !trades.iter().any(ours)) else { return };
        self.trades.truncate(first);
        self.settling.retain(|&trade| trade < first);
    }

    /// The result is known: open orders go, and every share is redeemed at once. The real venue redeems through a
    /// contract call or its auto-redeemer; the twin's accounts have that switched on.
    pub fn settle(&mut self, market: usize, yes_pays: Price, now: Nanos) {
        if !self.markets[market].is_open() {
            return;
        }
        let open: Vec<usize> = (0..self.orders.len())
            .filter(|&i| self.orders[i].market == market && self.orders[i].status.is_open())
            .collect();
        self.held.retain(|(_, index)| !open.contains(index));
        for index in open {
            self.orders[index].status = Status::Live;
            self.cancel(index, Status::Resolved, now);
        }
        self.markets[market].book = crate::twin::matching::Book::new();
        self.show_levels(market, now);
        self.markets[market].resolved = Some(yes_pays);
        self.markets[market].resolved_at = now;
        for account in &mut self.accounts {
            for (outcome, pays) in [(Outcome::Yes, yes_pays), (Outcome::No, yes_pays.complement())]
            {
                let qty = account.held(market, outcome);
                account.give(market, outcome, qty);
                account.cash += pays.proceeds_floor(qty);
            }
        }
        self.show_resolved(market, now);
    }

    /// Reverts a trade that is not final, as the chain does when a party has moved its funds: everybody gets back
    /// what they gave, the fee too, and hears `FAILED`. `false` where it is final, or where a buyer has already
    /// passed the shares on and the twin has nothing to take back.
    pub fn fail_trade(&mut self, id: &str, now: Nanos) -> bool {
        let found = self.settling.iter().position(|&index| self.trades[index].id == id);
        let Some(place) = found else { return false };
        let trade = self.trades[self.settling[place]].clone();
        let parts = || std::iter::once(&trade.taker).chain(&trade.makers);
        let has = |p: &Part| {
            p.action == Action::Sell
                || self.accounts[p.account].held(trade.market, p.outcome) >= p.qty
        };
        if !self.markets[trade.market].is_open() || !parts().all(has) {
            return false;
        }
        for part in parts() {
            let account = &mut self.accounts[part.account];
            let back = opposite(part.action);
            move_leg(account, (trade.market, part.outcome), back, part.qty, part.amount);
        }
        self.accounts[trade.taker.account].cash += trade.fee;
        self.fees -= trade.fee;
        let index = self.settling.remove(place).expect("found above");
        self.trades[index].status = TradeStatus::Failed;
        self.trades[index].updated = now;
        self.show_trade(index, now);
        true
    }

    /// Trades that are not final, and may yet be reverted: the oldest first.
    pub fn unsettled(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.settling.iter().map(|&index| self.trades[index].id.as_str())
    }

    /// Trades go on to the chain: mined, then confirmed.
    pub(super) fn progress(&mut self, now: Nanos) {
        for _ in 0..self.settling.len() {
            let index = self.settling.pop_front().expect("counted above");
            let next = self.next_status(index);
            if next.1 > now {
                self.settling.push_back(index);
                continue;
            }
            let transaction = text::hex(&self.ids.named(b"transaction", index as u64));
            let trade = &mut self.trades[index];
            trade.status = next.0;
            trade.updated = now;
            trade.transaction = Some(transaction);
            if next.0 != TradeStatus::Confirmed {
                self.settling.push_back(index);
            }
            self.show_trade(index, now);
        }
    }

    pub(super) fn next_status(&self, trade: usize) -> (TradeStatus, Nanos) {
        let trade = &self.trades[trade];
        match trade.status {
            TradeStatus::Matched => (TradeStatus::Mined, trade.at.after(self.mined_after)),
            _ => (TradeStatus::Confirmed, trade.at.after(self.confirmed_after)),
        }
    }
}

/// What a killed FOK order is told, on both channels.
pub const FOK_KILLED: &str =
    "order couldn't be fully filled. FOK orders are fully filled or killed.";

/// The venue's word for a way.
pub const fn action_name(action: Action) -> &'static str {
    match action {
        Action::Buy => "BUY",
        Action::Sell => "SELL",
    }
}

/// A YES price in an outcome's own terms.
const fn own(outcome: Outcome, yes_price: Price) -> Price {
    match outcome {
        Outcome::Yes => yes_price,
        Outcome::No => yes_price.complement(),
    }
}

const fn opposite(action: Action) -> Action {
    match action {
        Action::Buy => Action::Sell,
        Action::Sell => Action::Buy,
    }
}

fn move_leg(
    account: &mut super::account::Account,
    (market, outcome): (usize, Outcome),
    action: Action,
    qty: Qty,
    amount: Usd,
) {
    match action {
        Action::Buy => {
            account.cash -= amount;
            account.receive(market, outcome, qty, amount);
        }
        Action::Sell => {
            account.cash += amount;
            account.give(market, outcome, qty);
        }
    }
}
