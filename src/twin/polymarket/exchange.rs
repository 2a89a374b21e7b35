//! Matching and money: normal, mint and merge, and fees.
//!
//! Every book is in YES terms, so a bid is a buy of YES or a sale of NO and an ask is the opposite. Two sides that
//! meet on the same outcome exchange shares; two buys mint a pair for a dollar; two sales merge one.

use surefoot_hot::ids::{Action, Side};
use surefoot_hot::units::{Nanos, Price, Qty, Usd};

use super::order::{MARKETABLE_MIN, Order, OrderType, Refusal, Status, refuse};
use super::trade::{Part, Placed, Taker, Trade, action_name, move_leg, opposite, own};
use super::{HOUSE_ACCOUNT, PolymarketVenue, Taken, text};
use crate::twin::matching::{HOUSE, Incoming, Match};

/// What a killed FOK order is told, on both channels.
pub const FOK_KILLED: &str =
    "order couldn't be fully filled. FOK orders are fully filled or killed.";

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
    pub(super) fn trade(
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
            let (id, course) = (self.ids.uuid(), self.draw_course());
            let matched = Trade::matched(now, (id, market), (part, makers), fee, course);
            self.trades.push(matched);
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
    pub(super) fn after_trades(&mut self, market: usize, trades: &[usize], now: Nanos) {
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
    pub(super) fn drop_unfunded(&mut self, market: usize, side: Side, limit: Price, now: Nanos) {
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
}
