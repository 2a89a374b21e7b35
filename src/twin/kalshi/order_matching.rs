//! How an order meets the book: fills of both parties, and what is left.

use surefoot_hot::ids::Side;
use surefoot_hot::units::{Nanos, Price, Qty};

use super::account::{FillRow, signed};
use super::order::{OrderStatus, SelfTrade};
use super::{KalshiVenue, TRADES_KEPT_MAX, Taken, TradeRow};
use crate::twin::matching::{HOUSE, Incoming, Match};

impl KalshiVenue {
    /// Lets an order meet the book. What is left rests, or is cancelled.
    pub(super) fn run(&mut self, index: usize, rest: bool, now: Nanos) {
        let (market, account, side) = {
            let order = &self.orders[index];
            (order.market, order.account, order.side)
        };
        let mut reason = None;
        loop {
            let order = &self.orders[index];
            let incoming = Incoming {
                id: index as u64,
                owner: account,
                side,
                limit: order.price,
                qty: order.left,
                rest,
                stop_at_own: true,
            };
            let done = self.markets[market].book.submit(incoming);
            for met in &done.matches {
                self.on_match(market, Some(index), side, met, now);
            }
            self.check_filled_groups(now);
            if done.stopped && self.orders[index].self_trade == SelfTrade::Maker {
                let front = self.markets[market].book.orders(side.other()).next().map(|o| o.id);
                let own =
                    usize::try_from(front.expect("it stopped at an order")).expect("an index");
                self.finish(own, "SelfTradeCancel", now);
                continue;
            }
            if done.rested {
                self.rest(index, now);
                if self.orders[index].group.is_some_and(|group| self.groups[group].triggered) {
                    self.finish(index, "", now); // its own fills tripped the group
                }
            } else if done.stopped {
                reason = Some("SelfTradeCancel");
            }
            break;
        }
        let order = &mut self.orders[index];
        order.updated = now;
        if order.status == OrderStatus::Resting && !self.is_open(index) {
            let order = &mut self.orders[index];
            order.left = Qty::ZERO;
            order.status = OrderStatus::Canceled;
            order.reason = reason;
        }
        self.reserve_again(account, market);
        self.show_order(index, now);
    }

    pub(super) fn is_open(&self, index: usize) -> bool {
        let order = &self.orders[index];
        let open = self.accounts[order.account as usize].open.get(&order.market);
        open.is_some_and(|list| list.contains(&index))
    }

    /// The book holds it: tell everybody, and its owner which it is.
    fn rest(&mut self, index: usize, now: Nanos) {
        let order = &self.orders[index];
        let (account, market, side, price, left) =
            (order.account, order.market, order.side, order.price, order.left);
        self.accounts[account as usize].open.entry(market).or_default().push(index);
        self.show_delta(market, side, price, signed(left.micros()), Some(index), now);
    }

    /// Books one meeting for both parties and prints it. `taker` is `None` where the house arrives.
    pub(super) fn on_match(
        &mut self,
        market: usize,
        taker: Option<usize>,
        taker_side: Side,
        met: &Match,
        now: Nanos,
    ) {
        let trade_id = self.uuid();
        self.show_delta(
            market,
            taker_side.other(),
            met.price,
            -signed(met.qty.micros()),
            None,
            now,
        );
        let maker =
            (met.maker_owner != HOUSE).then(|| usize::try_from(met.maker).expect("an index"));
        if taker.is_some() || maker.is_some() {
            for (party, side) in [(taker, taker_side), (maker, taker_side.other())] {
                match party {
                    Some(order) => {
                        self.fill(order, met.price, met.qty, party == taker, &trade_id, now)
                    }
                    None => self.fill_house(market, side, met.price, met.qty, now),
                }
            }
        }
        if taker.is_some() && maker.is_none() {
            let (side, price, qty) = (taker_side.other(), met.price, met.qty);
            self.taken.push_back(Taken { market, side, price, qty });
        }
        let entry = &mut self.markets[market];
        entry.last = Some((met.price, met.qty));
        entry.volume += met.qty;
        entry.dollar_volume += met.price.cost_ceil(met.qty);
        if self.trades.len() == TRADES_KEPT_MAX {
            self.trades.pop_front();
        }
        let (price, qty) = (met.price, met.qty);
        self.trades.push_back(TradeRow {
            id: trade_id,
            market,
            taker: taker_side,
            price,
            qty,
            at: now,
        });
        self.show_trade(now);
    }

    fn fill(
        &mut self,
        index: usize,
        price: Price,
        qty: Qty,
        is_taker: bool,
        trade_id: &str,
        now: Nanos,
    ) {
        let fill_id = self.uuid();
        let order = &mut self.orders[index];
        let (account, market, side) = (order.account, order.market, order.side);
        let fee = order.fees.charge(self.markets[market].fee, is_taker, side, price, qty);
        let own = if side == Side::Bid { price } else { price.complement() };
        order.filled += qty;
        order.left -= qty;
        order.updated = now;
        order.reason = Some("Trade");
        let (cost, fees) = if is_taker {
            (&mut order.taker_cost, &mut order.taker_fees)
        } else {
            (&mut order.maker_cost, &mut order.maker_fees)
        };
        *cost += own.cost_ceil(qty);
        *fees += fee;
        if order.left.is_zero() {
            order.status = OrderStatus::Executed;
        }
        let group = order.group;
        let shard = self.markets[market].shard;
        let owner = &mut self.accounts[account as usize];
        let position = owner.positions.entry(market).or_default();
        let change = position.apply(side, price, qty, now);
        position.fees += fee;
        owner.pay(shard, change - fee);
        let trade_id = trade_id.to_owned();
        owner.fills.push(FillRow {
            fill_id,
            trade_id,
            order: index,
            market,
            side,
            price,
            qty,
            is_taker,
            fee,
            at: now,
        });
        if self.orders[index].left.is_zero() {
            self.leave(index);
        }
        self.reserve_again(account, market);
        self.show_fill(account, now);
        self.show_position(account, market, now);
        if !is_taker {
            self.show_order(index, now);
        }
        if let Some(group) = group {
            self.on_group_fill(group, qty, now);
        }
    }

    fn fill_house(&mut self, market: usize, side: Side, price: Price, qty: Qty, now: Nanos) {
        let shard = self.markets[market].shard;
        let house = &mut self.accounts[HOUSE as usize];
        let change = house.positions.entry(market).or_default().apply(side, price, qty, now);
        house.pay(shard, change);
    }

    /// Takes an order off its owner's list of open ones.
    pub(super) fn leave(&mut self, index: usize) {
        let order = &self.orders[index];
        let owner = &mut self.accounts[order.account as usize];
        if let Some(list) = owner.open.get_mut(&order.market) {
            list.retain(|other| *other != index);
            if list.is_empty() {
                owner.open.remove(&order.market);
            }
        }
    }
}
