//! What REST shows: orders, fills, positions, markets, in the venue's field names.

use serde_json::{Map, Value, json};
use surefoot_hot::ids::Side;
use surefoot_hot::units::{Nanos, Price, Qty, Usd};

use super::account::{FillRow, Position, SettlementRow};
use super::text::{cents, dollars4, rfc3339, secs, signed_count};
use super::{KalshiVenue, TradeRow};

/// `yes` and `bid`, or `no` and `ask`: which outcome an order gains, and where it stands.
const fn direction(side: Side) -> (&'static str, &'static str) {
    match side {
        Side::Bid => ("yes", "bid"),
        Side::Ask => ("no", "ask"),
    }
}

/// A ratio in parts per million as a JSON number, without going through binary floating point.
pub(super) fn ratio(ppm: u32) -> Value {
    let text = format!("{}.{:06}", ppm / 1_000_000, ppm % 1_000_000);
    let text = text.trim_end_matches('0').trim_end_matches('.');
    serde_json::from_str(text).expect("a decimal is a JSON number")
}

impl KalshiVenue {
    /// An order as REST shows it.
    pub(super) fn order_view(&self, index: usize) -> Value {
        let order = &self.orders[index];
        let market = &self.markets[order.market];
        let (outcome, book) = direction(order.side);
        let group = order.group.map(|group| self.groups[group].id.clone());
        let mut view = json!({
            "order_id": order.id, "user_id": self.accounts[order.account as usize].user_id,
            "client_order_id": order.client_id, "ticker": market.spec.ticker, "outcome_side": outcome,
            "book_side": book, "side": outcome, "action": "buy", "type": "limit",
            "status": order.status.name(), "yes_price_dollars": order.price.to_string(),
            "no_price_dollars": order.price.complement().to_string(),
            "initial_count_fp": order.initial.to_string(), "fill_count_fp": order.filled.to_string(),
            "remaining_count_fp": order.left.to_string(),
            "taker_fill_cost_dollars": order.taker_cost.to_string(),
            "maker_fill_cost_dollars": order.maker_cost.to_string(),
            "taker_fees_dollars": order.taker_fees.to_string(),
            "maker_fees_dollars": order.maker_fees.to_string(),
            "created_time": rfc3339(order.created), "last_update_time": rfc3339(order.updated),
        });
        let more = json!({
            "expiration_time": order.expires.map(rfc3339),
            "self_trade_prevention_type": order.self_trade.name(), "order_group_id": group,
            "cancel_order_on_pause": order.cancel_on_pause, "subaccount_number": 0,
            "exchange_index": market.shard,
        });
        extend(&mut view, more);
        view
    }

    /// An order as the stream shows it.
    pub(super) fn user_order(&self, index: usize) -> Value {
        let order = &self.orders[index];
        let market = &self.markets[order.market];
        let (outcome, book) = direction(order.side);
        let mut view = json!({
            "order_id": order.id, "user_id": self.accounts[order.account as usize].user_id,
            "client_order_id": order.client_id, "ticker": market.spec.ticker,
            "exchange_index": market.shard, "status": order.status.name(), "side": outcome,
            "is_yes": order.side == Side::Bid, "outcome_side": outcome, "book_side": book,
            "yes_price_dollars": order.price.to_string(), "initial_count_fp": order.initial.to_string(),
            "fill_count_fp": order.filled.to_string(), "remaining_count_fp": order.left.to_string(),
            "taker_fill_cost_dollars": order.taker_cost.to_string(),
            "maker_fill_cost_dollars": order.maker_cost.to_string(),
            "taker_fees_dollars": order.taker_fees.to_string(),
            "maker_fees_dollars": order.maker_fees.to_string(),
            "self_trade_prevention_type": order.self_trade.name(),
            "created_ts_ms": order.created.millis(), "last_updated_ts_ms": order.updated.millis(),
            "created_time": rfc3339(order.created), "last_update_time": rfc3339(order.updated),
        });
        if let Some(expires) = order.expires {
            view["expiration_ts_ms"] = expires.millis().into();
        }
        if let Some(group) = order.group {
            view["order_group_id"] = self.groups[group].id.clone().into();
        }
        if let Some(reason) = order.reason.filter(|reason| !reason.is_empty()) {
            view["last_update_reason"] = reason.into();
        }
        view["subaccount_number"] = 0.into();
        view
    }

    /// A fill as REST shows it.
    pub(super) fn fill_view(&self, fill: &FillRow) -> Value {
        let (outcome, book) = direction(fill.side);
        let market = &self.markets[fill.market];
        json!({
            "fill_id": fill.fill_id, "trade_id": fill.trade_id, "order_id": self.orders[fill.order].id,
            "ticker": market.spec.ticker, "market_ticker": market.spec.ticker, "outcome_side": outcome,
            "book_side": book, "side": outcome, "action": "buy", "count_fp": fill.qty.to_string(),
            "yes_price_dollars": fill.price.to_string(),
            "no_price_dollars": fill.price.complement().to_string(), "is_taker": fill.is_taker,
            "fee_cost": fill.fee.to_string(), "created_time": rfc3339(fill.at), "ts": secs(fill.at),
            "subaccount_number": 0, "exchange_index": market.shard,
        })
    }

    /// A market position as REST shows it.
    pub(super) fn position_view(&self, market: usize, position: &Position) -> Value {
        json!({
            "ticker": self.markets[market].spec.ticker, "exchange_index": self.markets[market].shard,
            "total_traded_dollars": dollars4(position.traded), "position_fp": signed_count(position.qty),
            "market_exposure_dollars": dollars4(position.cost),
            "realized_pnl_dollars": dollars4(position.realized),
            "fees_paid_dollars": dollars4(position.fees), "last_updated_ts": rfc3339(position.updated),
        })
    }

    /// The sums of an event's positions.
    pub(super) fn event_position_view(&self, event: usize, positions: &[Position]) -> Value {
        let sum = |of: fn(&Position) -> Usd| {
            dollars4(positions.iter().fold(Usd::ZERO, |sum, p| sum + of(p)))
        };
        let shares = positions.iter().fold(Qty::ZERO, |sum, p| sum + p.volume);
        json!({
            "event_ticker": self.events[event].ticker, "total_cost_dollars": sum(|p| p.traded),
            "total_cost_shares_fp": shares.to_string(), "event_exposure_dollars": sum(|p| p.cost),
            "realized_pnl_dollars": sum(|p| p.realized), "fees_paid_dollars": sum(|p| p.fees),
        })
    }

    /// A settlement as REST shows it.
    pub(super) fn settlement_view(&self, row: &SettlementRow) -> Value {
        let market = &self.markets[row.market];
        let count = |held: i64| signed_count(held.max(0));
        json!({
            "ticker": market.spec.ticker, "exchange_index": market.shard,
            "event_ticker": self.events[market.spec.event].ticker, "market_result": market.result(),
            "yes_count_fp": count(row.position.qty), "no_count_fp": count(-row.position.qty),
            "yes_total_cost_dollars": dollars4(row.position.yes_cost),
            "no_total_cost_dollars": dollars4(row.position.no_cost), "revenue": cents(row.revenue),
            "value": row.yes_pays.ticks() / 100, "fee_cost": row.position.fees.to_string(),
            "settled_time": rfc3339(row.at),
        })
    }

    /// The account's cash, free of what orders claim: of one shard, or of all of them.
    pub(super) fn balance_view(&self, account: u32, shard: Option<u8>, now: Nanos) -> Value {
        let owner = &self.accounts[account as usize];
        let shards = owner.cash.keys().copied().filter(|s| shard.is_none_or(|wanted| wanted == *s));
        let free: Vec<(u8, Usd)> = shards.map(|s| (s, self.free_cash(account, s))).collect();
        let sum = free.iter().fold(Usd::ZERO, |sum, (_, usd)| sum + *usd);
        let worth = owner
            .positions
            .iter()
            .filter(|(market, _)| shard.is_none_or(|wanted| wanted == self.markets[**market].shard))
            .fold(Usd::ZERO, |sum, (market, position)| sum + self.worth(*market, position));
        let parts: Vec<Value> = free
            .iter()
            .map(|(s, usd)| json!({ "exchange_index": s, "balance": dollars4(*usd) }))
            .collect();
        json!({
            "balance": cents(sum), "balance_dollars": dollars4(sum), "portfolio_value": cents(worth),
            "updated_ts": secs(now), "balance_breakdown": parts,
        })
    }

    /// What a position would bring now: the best offer for it, or nothing.
    fn worth(&self, market: usize, position: &Position) -> Usd {
        let book = &self.markets[market].book;
        let each = if position.qty > 0 {
            book.best(Side::Bid).map(|(price, _)| price)
        } else {
            book.best(Side::Ask).map(|(price, _)| price.complement())
        };
        each.unwrap_or_default().proceeds_floor(Qty::from_micros(position.qty.unsigned_abs()))
    }

    /// Contracts that exist: pairs of YES and NO.
    pub(super) fn open_interest(&self, market: usize) -> Qty {
        let held =
            self.accounts.iter().map(|account| account.position(market).qty.max(0).unsigned_abs());
        Qty::from_micros(held.sum())
    }

    /// A market as REST shows it.
    pub(super) fn market_view(&self, index: usize) -> Value {
        let market = &self.markets[index];
        let spec = &market.spec;
        let none = (Price::ZERO, Qty::ZERO);
        let (bid, ask) = (market.book.best(Side::Bid).unwrap_or(none), market.book.best(Side::Ask));
        let (ask_price, ask_qty) = ask.unwrap_or(none);
        // Listings say 0.0000 for "no quote", on both sides (`venues/kalshi.md` §5).
        let no_bid = ask.map_or(Price::ZERO, |(price, _)| price.complement());
        let no_ask =
            market.book.best(Side::Bid).map_or(Price::ZERO, |(price, _)| price.complement());
        let last = market.last.map_or(Price::ZERO, |(price, _)| price);
        let bands: Vec<Value> = spec.ladder.bands().iter().map(|&band| band_view(band)).collect();
        let series = &self.series[self.events[spec.event].series];
        let mut view = json!({
            "ticker": spec.ticker, "event_ticker": self.events[spec.event].ticker,
            "market_type": "binary", "title": spec.title, "subtitle": "",
            "yes_sub_title": spec.yes_sub_title, "no_sub_title": spec.yes_sub_title,
            "created_time": rfc3339(market.opened), "updated_time": rfc3339(market.opened),
            "open_time": rfc3339(market.opened), "close_time": rfc3339(spec.close),
            "expected_expiration_time": rfc3339(spec.close), "latest_expiration_time": rfc3339(spec.close),
            "settlement_timer_seconds": 1, "status": market.status.name(),
            "notional_value_dollars": "1.0000",
        });
        let quotes = json!({
            "yes_bid_dollars": bid.0.to_string(), "yes_ask_dollars": ask_price.to_string(),
            "no_bid_dollars": no_bid.to_string(), "no_ask_dollars": no_ask.to_string(),
            "yes_bid_size_fp": bid.1.to_string(), "yes_ask_size_fp": ask_qty.to_string(),
            "last_price_dollars": last.to_string(), "previous_yes_bid_dollars": "0.0000",
            "previous_yes_ask_dollars": "0.0000", "previous_price_dollars": "0.0000",
            "volume_fp": market.volume.to_string(), "volume_24h_fp": market.volume.to_string(),
            "open_interest_fp": self.open_interest(index).to_string(), "result": market.result(),
            "expiration_value": "", "can_close_early": false, "strike_type": "custom",
        });
        let rules = json!({
            "rules_primary": format!("Synthetic market of the twin: {}", spec.title),
            "rules_secondary": format!("Category {}; nothing here is real.", series.category),
            "price_level_structure": spec.ladder.name(), "price_ranges": bands,
            "settlement_bounds_type": "default", "exchange_index": market.shard,
        });
        extend(&mut view, quotes);
        extend(&mut view, rules);
        if let (Some(pays), Some(at)) = (market.yes_pays, market.settled_at) {
            view["settlement_value_dollars"] = pays.to_string().into();
            view["settlement_ts"] = rfc3339(at).into();
        }
        view
    }

    /// An event as REST shows it.
    pub(super) fn event_view(&self, event: usize, nested: bool) -> Value {
        let spec = &self.events[event];
        let series = &self.series[spec.series];
        let kind = if spec.mutually_exclusive { "MECNET" } else { "" };
        let mut view = json!({
            "event_ticker": spec.ticker, "series_ticker": series.ticker, "title": spec.title,
            "sub_title": "synthetic", "mutually_exclusive": spec.mutually_exclusive,
            "collateral_return_type": kind, "category": series.category, "strike_period": "demo",
            "settlement_sources": [], "available_on_brokers": false,
            "exchange_index": series.exchange_index,
        });
        if nested {
            let markets: Vec<Value> =
                self.markets_of(event).map(|market| self.market_view(market)).collect();
            view["markets"] = markets.into();
        }
        view
    }

    /// The markets of an event.
    pub(super) fn markets_of(&self, event: usize) -> impl Iterator<Item = usize> + '_ {
        self.event_markets[event].iter().copied()
    }

    /// A series as REST shows it.
    pub(super) fn series_view(&self, series: usize) -> Value {
        let spec = &self.series[series];
        json!({
            "ticker": spec.ticker, "title": spec.title, "frequency": "custom", "category": spec.category,
            "categories": [spec.category], "tags": ["synthetic"], "settlement_sources": [],
            "contract_url": "", "contract_terms_url": "", "fee_type": spec.fee.kind.name(),
            "fee_multiplier": ratio(spec.fee.multiplier), "additional_prohibitions": [],
            "exchange_index": spec.exchange_index,
        })
    }

    /// A book as REST shows it: bids of each outcome, rising, at most `depth` of each (0 is all).
    pub(super) fn book_view(&self, market: usize, depth: usize) -> Value {
        let side = |side: Side| -> Value {
            let depth = if depth == 0 { usize::MAX } else { depth };
            let own = |price: Price| if side == Side::Bid { price } else { price.complement() };
            let levels = self.markets[market].book.levels(side).take(depth);
            let mut rows: Vec<Value> =
                levels.map(|(p, q)| json!([own(p).to_string(), q.to_string()])).collect();
            rows.reverse();
            rows.into()
        };
        json!({ "yes_dollars": side(Side::Bid), "no_dollars": side(Side::Ask) })
    }

    /// A trade of the tape as REST shows it.
    pub(super) fn trade_view(&self, trade: &TradeRow) -> Value {
        let (outcome, book) = direction(trade.taker);
        json!({
            "trade_id": trade.id, "ticker": self.markets[trade.market].spec.ticker,
            "count_fp": trade.qty.to_string(), "yes_price_dollars": trade.price.to_string(),
            "no_price_dollars": trade.price.complement().to_string(), "taker_side": outcome,
            "taker_outcome_side": outcome, "taker_book_side": book, "is_block_trade": false,
            "created_time": rfc3339(trade.at),
        })
    }

    /// The answer to a create, an amend or one of a batch.
    pub(super) fn created_view(
        &self,
        index: usize,
        since: usize,
        now: Nanos,
    ) -> Map<String, Value> {
        let order = &self.orders[index];
        let mut view = Map::new();
        view.insert("order_id".into(), order.id.clone().into());
        view.insert("client_order_id".into(), order.client_id.clone().into());
        view.insert("fill_count".into(), order.filled.to_string().into());
        view.insert("remaining_count".into(), order.left.to_string().into());
        let own = &self.accounts[order.account as usize].fills[since..];
        let (mut qty, mut value, mut fees) = (0_u128, 0_u128, Usd::ZERO);
        for fill in own.iter().filter(|fill| fill.order == index) {
            qty += u128::from(fill.qty.micros());
            value += u128::from(fill.qty.micros()) * u128::from(fill.price.ticks());
            fees += fill.fee;
        }
        // Both averages are for people; they are rounded down to $0.0001.
        let fees = u128::from(fees.micros().unsigned_abs()) * 1_000_000;
        if let (Some(price), Some(each)) = (value.checked_div(qty), fees.checked_div(qty)) {
            let price = u16::try_from(price).ok().and_then(Price::from_ticks);
            let price = price.expect("an average of prices");
            let each = Usd::from_micros(i64::try_from(each).expect("a fee for one contract"));
            view.insert("average_fill_price".into(), price.to_string().into());
            view.insert("average_fee_paid".into(), dollars4(each).into());
        }
        view.insert("ts_ms".into(), now.millis().into());
        view
    }
}

fn band_view((start, end, step): (u16, u16, u16)) -> Value {
    let dollars =
        |ticks: u16| Price::from_ticks(ticks).expect("bands lie within a dollar").to_string();
    json!({ "start": dollars(start), "end": dollars(end), "step": dollars(step) })
}

fn extend(view: &mut Value, more: Value) {
    if let (Value::Object(view), Value::Object(more)) = (view, more) {
        view.extend(more);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_print_as_the_venue_prints_them() {
        assert_eq!(ratio(1_000_000).to_string(), "1");
        assert_eq!(ratio(500_000).to_string(), "0.5");
    }
}
