//! What is sent on the subscriptions: books, tickers, trades, and what accounts are told of their own.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::{Value, json};
use surefoot_hot::ids::Side;
use surefoot_hot::units::{Nanos, Price, Usd};

use super::KalshiVenue;
use super::text::{rfc3339, secs, signed_count};
use super::ws::{Channel, Conn};
use crate::twin::ConnId;

impl KalshiVenue {
    pub(super) fn snapshots(
        &mut self,
        conn: ConnId,
        id: Option<u64>,
        markets: &BTreeSet<usize>,
        now: Nanos,
    ) {
        for &market in markets {
            let entry = &self.markets[market];
            let sub = self
                .conns
                .get_mut(&conn)
                .and_then(|c| c.sub(Channel::Book))
                .expect("found by the caller");
            let mut msg = format!(
                "{{\"market_ticker\":\"{}\",\"market_id\":\"{}\"",
                entry.spec.ticker, entry.id
            );
            for (key, side) in [("yes_dollars_fp", Side::Bid), ("no_dollars_fp", Side::Ask)] {
                let mut levels: Vec<(Price, String)> = entry
                    .book
                    .levels(side)
                    .map(|(price, qty)| (shown(side, price, sub.use_yes_price), qty.to_string()))
                    .collect();
                if levels.is_empty() {
                    continue; // an empty side has no key
                }
                levels.sort_by_key(|level| level.0);
                let _ = write!(msg, ",\"{key}\":[");
                for (at, (price, qty)) in levels.iter().enumerate() {
                    let comma = if at > 0 { "," } else { "" };
                    let _ = write!(msg, "{comma}[\"{price}\",\"{qty}\"]");
                }
                msg.push(']');
            }
            msg.push('}');
            let text = sub.frame("orderbook_snapshot", id, &msg, now);
            self.out.push_back((conn, text));
        }
    }

    /// Sends a market's whole book to everybody who has it.
    pub(super) fn show_books_again(&mut self, market: usize, now: Nanos) {
        let has = |conn: &Conn| {
            conn.subs.iter().any(|sub| sub.channel == Channel::Book && sub.has(market))
        };
        let conns: Vec<ConnId> =
            self.conns.iter().filter(|(_, conn)| has(conn)).map(|(&id, _)| id).collect();
        for conn in conns {
            self.snapshots(conn, None, &BTreeSet::from([market]), now);
        }
    }

    /// A level changed by `change` millionths of a contract; `cause` is the order whose own doing it was.
    pub(super) fn show_delta(
        &mut self,
        market: usize,
        side: Side,
        price: Price,
        change: i64,
        cause: Option<usize>,
        now: Nanos,
    ) {
        self.touched.push(market);
        let entry = &self.markets[market];
        for (id, conn) in &mut self.conns {
            let account = conn.account;
            let Some(sub) = conn.sub(Channel::Book).filter(|sub| sub.has(market)) else { continue };
            let mut msg = format!(
                "{{\"market_ticker\":\"{}\",\"market_id\":\"{}\",\"price_dollars\":\"{}\",\"delta_fp\":\"{}\",\"side\":\"{}\"",
                entry.spec.ticker,
                entry.id,
                shown(side, price, sub.use_yes_price),
                signed_count(change),
                if side == Side::Bid { "yes" } else { "no" },
            );
            if let Some(order) =
                cause.map(|order| &self.orders[order]).filter(|order| order.account == account)
            {
                let _ =
                    write!(msg, ",\"client_order_id\":\"{}\",\"subaccount\":0", order.client_id);
            }
            let _ = write!(msg, ",\"ts\":\"{}\",\"ts_ms\":{}}}", rfc3339(now), now.millis());
            let text = sub.frame("orderbook_delta", None, &msg, now);
            self.out.push_back((*id, text));
        }
    }

    /// Prints the newest trade.
    pub(super) fn show_trade(&mut self, now: Nanos) {
        let Some(trade) = self.trades.back() else { return };
        let market = trade.market;
        let (outcome, book) = if trade.taker == Side::Bid { ("yes", "bid") } else { ("no", "ask") };
        let msg = json!({
            "trade_id": trade.id, "market_ticker": self.markets[market].spec.ticker,
            "yes_price_dollars": trade.price.to_string(),
            "no_price_dollars": trade.price.complement().to_string(), "count_fp": trade.qty.to_string(),
            "taker_side": outcome, "taker_outcome_side": outcome, "taker_book_side": book,
            "is_block_trade": false, "ts": secs(trade.at), "ts_ms": trade.at.millis(),
        });
        self.publish(Channel::Trade, "trade", Some(market), None, &msg, now);
        self.touched.push(market);
    }

    /// Tells an account of its newest fill.
    pub(super) fn show_fill(&mut self, account: u32, now: Nanos) {
        let owner = &self.accounts[account as usize];
        let Some(fill) = owner.fills.last() else { return };
        let order = &self.orders[fill.order];
        let (outcome, book) = if fill.side == Side::Bid { ("yes", "bid") } else { ("no", "ask") };
        let market = fill.market;
        let mut msg = json!({
            "trade_id": fill.trade_id, "order_id": order.id, "client_order_id": order.client_id,
            "market_ticker": self.markets[market].spec.ticker, "exchange_index": self.markets[market].shard,
            "is_taker": fill.is_taker, "side": outcome, "action": "buy", "purchased_side": outcome,
            "outcome_side": outcome, "book_side": book, "yes_price_dollars": fill.price.to_string(),
            "count_fp": fill.qty.to_string(), "fee_cost": fill.fee.to_string(),
            "post_position_fp": signed_count(owner.position(market).qty), "subaccount": 0,
            "ts": secs(fill.at), "ts_ms": fill.at.millis(),
        });
        if order.client_id.is_empty() {
            msg.as_object_mut().expect("made above").shift_remove("client_order_id");
        }
        self.publish(Channel::Fill, "fill", Some(market), Some(account), &msg, now);
    }

    /// Tells its owner how an order stands.
    pub(super) fn show_order(&mut self, index: usize, now: Nanos) {
        let msg = self.user_order(index);
        let (market, account) = (self.orders[index].market, self.orders[index].account);
        self.publish(Channel::Orders, "user_order", Some(market), Some(account), &msg, now);
    }

    /// Tells its owner how a position stands.
    pub(super) fn show_position(&mut self, account: u32, market: usize, now: Nanos) {
        let owner = &self.accounts[account as usize];
        let position = owner.position(market);
        let money = super::text::dollars4;
        let msg = json!({
            "user_id": owner.user_id, "market_ticker": self.markets[market].spec.ticker,
            "position_fp": signed_count(position.qty), "position_cost_dollars": money(position.cost),
            "realized_pnl_dollars": money(position.realized), "fees_paid_dollars": money(position.fees),
            "position_fee_cost_dollars": money(Usd::ZERO), "volume_fp": position.volume.to_string(),
            "subaccount": 0,
        });
        self.publish(Channel::Positions, "market_position", Some(market), Some(account), &msg, now);
    }

    /// Tells its owner what became of a group.
    pub(super) fn show_group(&mut self, index: usize, what: &str, now: Nanos) {
        let group = &self.groups[index];
        let mut msg = json!({ "event_type": what, "order_group_id": group.id });
        if matches!(what, "created" | "limit_updated") {
            msg["contracts_limit_fp"] = group.limit.to_string().into();
        }
        msg["ts_ms"] = now.millis().into();
        let account = group.account;
        self.publish(Channel::Groups, "order_group_updates", None, Some(account), &msg, now);
    }

    /// The result of a market.
    pub(super) fn show_determined(&mut self, market: usize, now: Nanos) {
        let entry = &self.markets[market];
        let msg = json!({
            "market_ticker": entry.spec.ticker, "event_type": "determined", "result": entry.result(),
            "determination_ts": secs(now),
            "settlement_value": entry.yes_pays.unwrap_or_default().to_string(),
        });
        self.publish(Channel::Lifecycle, "market_lifecycle_v2", None, None, &msg, now);
    }

    /// What becomes of a market, in the venue's words.
    pub(super) fn show_life(&mut self, market: usize, what: &Value, now: Nanos) {
        let mut msg = what.clone();
        msg["market_ticker"] = self.markets[market].spec.ticker.clone().into();
        self.publish(Channel::Lifecycle, "market_lifecycle_v2", None, None, &msg, now);
    }

    /// A market has paid.
    pub(super) fn show_settled(&mut self, market: usize, now: Nanos) {
        let ticker = &self.markets[market].spec.ticker;
        let msg =
            json!({ "market_ticker": ticker, "event_type": "settled", "settled_ts": secs(now) });
        self.publish(Channel::Lifecycle, "market_lifecycle_v2", None, None, &msg, now);
    }

    /// Tells of a market's life in a word that the venue's reference does not have: what an update of the venue looks
    /// like from here.
    pub fn say_of_life(&mut self, market: usize, word: &str, now: Nanos) {
        let ticker = &self.markets[market].spec.ticker;
        let msg = json!({ "market_ticker": ticker, "event_type": word });
        self.publish(Channel::Lifecycle, "market_lifecycle_v2", None, None, &msg, now);
    }

    /// Sends the tickers that have changed since they were sent last.
    pub(super) fn show_tickers(&mut self, now: Nanos) {
        if self.touched.is_empty() {
            return;
        }
        let mut touched = std::mem::take(&mut self.touched);
        touched.sort_unstable();
        touched.dedup();
        let wanted = self
            .conns
            .values()
            .any(|conn| conn.subs.iter().any(|sub| sub.channel == Channel::Ticker));
        if wanted {
            for &market in &touched {
                let key = self.ticker_key(market);
                if self.markets[market].ticker_shown.as_ref() == Some(&key) {
                    continue;
                }
                self.markets[market].ticker_shown = Some(key);
                let msg = self.ticker_msg(market, now);
                for (id, conn) in &mut self.conns {
                    let Some(sub) = conn.sub(Channel::Ticker).filter(|sub| sub.has(market)) else {
                        continue;
                    };
                    let text = sub.frame("ticker", None, &msg, now);
                    self.out.push_back((*id, text));
                }
            }
        }
        touched.clear();
        self.touched = touched;
    }

    /// What a ticker shows, its time left out: the same text, no new ticker.
    fn ticker_key(&self, market: usize) -> String {
        let entry = &self.markets[market];
        let best = |side| entry.book.best(side).map(|(price, qty)| (price.ticks(), qty.micros()));
        format!("{:?}{:?}{:?}{}", best(Side::Bid), best(Side::Ask), entry.last, entry.volume)
    }

    pub(super) fn ticker_msg(&self, market: usize, now: Nanos) -> String {
        let entry = &self.markets[market];
        let (bid, ask) = (entry.book.best(Side::Bid), entry.book.best(Side::Ask));
        let (price, size) = entry.last.unwrap_or_default();
        let open_interest = self.open_interest(market);
        json!({
            "market_ticker": entry.spec.ticker, "market_id": entry.id, "price_dollars": price.to_string(),
            "yes_bid_dollars": bid.unwrap_or_default().0.to_string(),
            "yes_ask_dollars": ask.unwrap_or_default().0.to_string(),
            "yes_bid_size_fp": bid.unwrap_or_default().1.to_string(),
            "yes_ask_size_fp": ask.unwrap_or_default().1.to_string(), "last_trade_size_fp": size.to_string(),
            "volume_fp": entry.volume.to_string(), "open_interest_fp": open_interest.to_string(),
            "dollar_volume": entry.dollar_volume.micros() / 1_000_000,
            "dollar_open_interest": open_interest.micros() / 1_000_000,
            "ts": secs(now), "ts_ms": now.millis(), "time": rfc3339(now),
        })
        .to_string()
    }

    /// Sends `msg` to whoever is subscribed, and may see it.
    fn publish(
        &mut self,
        channel: Channel,
        kind: &str,
        market: Option<usize>,
        account: Option<u32>,
        msg: &Value,
        now: Nanos,
    ) {
        let msg = msg.to_string();
        for (id, conn) in &mut self.conns {
            if account.is_some_and(|account| account != conn.account) {
                continue;
            }
            let Some(sub) = conn.sub(channel) else { continue };
            if market.is_none_or(|market| sub.has(market)) {
                let text = sub.frame(kind, None, &msg, now);
                self.out.push_back((*id, text));
            }
        }
    }
}

impl super::Market {
    /// The venue's word for the result.
    pub(super) fn result(&self) -> &'static str {
        match self.yes_pays {
            Some(Price::ONE) => "yes",
            Some(Price::ZERO) => "no",
            Some(_) => "scalar",
            None => "",
        }
    }
}

/// Levels of the NO side in NO price, unless the client asked for YES prices.
fn shown(side: Side, price: Price, use_yes_price: bool) -> Price {
    if side == Side::Ask && !use_yes_price { price.complement() } else { price }
}
