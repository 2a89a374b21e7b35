//! The two WebSocket channels: who listens to what, and what they are told (`venues/polymarket.md` §5, §6).

use std::collections::BTreeSet;

use serde_json::{Value, json};
use surefoot_hot::ids::{Outcome, Side};
use surefoot_hot::units::{Nanos, Price, Qty};

use super::answers::outcome_name;
use super::exchange::FOK_KILLED;
use super::order::{Order, Status};
use super::trade::action_name;
use super::{ConnId, PolymarketVenue, text};

/// What one WebSocket connection listens to.
#[derive(Clone, Debug)]
pub enum Listener {
    /// Of the market channel.
    Market {
        /// Assets by market and outcome.
        assets: BTreeSet<(usize, u8)>,
        /// Whether it asked for `best_bid_ask`, `new_market` and `market_resolved`.
        custom: bool,
    },
    /// Of the user channel.
    User {
        /// The credentials, once given.
        credential: Option<usize>,
        /// Condition ids; `None` for all.
        markets: Option<BTreeSet<String>>,
    },
}

/// Assets of one market connection that get a first book. Those beyond get none and no word about it, only changes:
/// "above about 500 the initial snapshots stop arriving" (`venues/polymarket.md` §5.1).
pub const SNAPSHOT_ASSETS_MAX: usize = 500;

const BOTH: [Outcome; 2] = [Outcome::Yes, Outcome::No];

impl PolymarketVenue {
    /// One text frame of a listener. What is not understood is passed over, as the venue does.
    pub(super) fn on_text(&mut self, conn: ConnId, frame: &str, now: Nanos) {
        if frame.trim() == "PING" {
            self.out.push_back((conn, "PONG".into()));
            return;
        }
        let Ok(message) = serde_json::from_str::<Value>(frame) else { return };
        match self.listeners.get(&conn) {
            Some(Listener::Market { .. }) => self.on_market_text(conn, &message, now),
            Some(Listener::User { .. }) => self.on_user_text(conn, &message),
            None => {}
        }
    }

    fn on_market_text(&mut self, conn: ConnId, message: &Value, _now: Nanos) {
        let operation = message.get("operation").and_then(Value::as_str).unwrap_or("");
        let first = message.get("type").and_then(Value::as_str).unwrap_or("");
        let named: Vec<(usize, u8)> = message
            .get("assets_ids")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(|id| self.by_token.get(id.as_str()?))
            .map(|&(market, outcome)| (market, outcome as u8))
            .collect();
        let Some(Listener::Market { assets, custom }) = self.listeners.get_mut(&conn) else {
            return;
        };
        if operation == "unsubscribe" {
            for asset in named {
                assets.remove(&asset);
            }
            return;
        }
        if operation != "subscribe" && !first.eq_ignore_ascii_case("market") {
            return;
        }
        if let Some(asked) = message.get("custom_feature_enabled").and_then(Value::as_bool) {
            *custom = asked;
        }
        let snapshots_left = SNAPSHOT_ASSETS_MAX.saturating_sub(assets.len());
        let mut added: Vec<(usize, u8)> =
            named.into_iter().filter(|asset| assets.insert(*asset)).collect();
        if added.is_empty() {
            self.out.push_back((conn, "NO NEW ASSETS".into()));
            return;
        }
        added.truncate(snapshots_left);
        if added.is_empty() {
            return;
        }
        let books = added.iter().map(|&(market, outcome)| {
            self.markets[market].book_text(BOTH[usize::from(outcome)], true)
        });
        if operation == "subscribe" {
            let frames: Vec<String> = books.collect();
            self.out.extend(frames.into_iter().map(|frame| (conn, frame)));
        } else if message.get("initial_dump").and_then(Value::as_bool) != Some(false) {
            let all: Vec<String> = books.collect();
            self.out.push_back((conn, format!("[{}]", all.join(","))));
        }
    }

    fn on_user_text(&mut self, conn: ConnId, message: &Value) {
        let names: Vec<String> = message
            .get("markets")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(|id| id.as_str().map(str::to_owned))
            .collect();
        let auth = message.get("auth").cloned().unwrap_or_default();
        let field = |name| auth.get(name).and_then(Value::as_str).unwrap_or_default();
        let found = self.credentials.iter().position(|c| {
            c.active
                && c.api_key == field("apiKey")
                && c.secret == field("secret")
                && c.passphrase == field("passphrase")
        });
        let operation = message.get("operation").and_then(Value::as_str).unwrap_or("");
        let Some(Listener::User { credential, markets }) = self.listeners.get_mut(&conn) else {
            return;
        };
        match (operation, markets.as_mut()) {
            ("unsubscribe", Some(markets)) => markets.retain(|m| !names.contains(m)),
            ("unsubscribe", None) => {}
            ("subscribe", Some(markets)) => markets.extend(names),
            ("subscribe", None) if credential.is_some() => {}
            _ => {
                *credential = found;
                *markets = if names.is_empty() { None } else { Some(names.into_iter().collect()) };
            }
        }
    }

    /// Connections that listen to an asset, and whether they have the gated events.
    fn listening(&self, market: usize, outcome: Outcome) -> Vec<(ConnId, bool)> {
        let asset = (market, outcome as u8);
        self.listeners
            .iter()
            .filter_map(|(conn, listener)| match listener {
                Listener::Market { assets, custom } if assets.contains(&asset) => {
                    Some((*conn, *custom))
                }
                _ => None,
            })
            .collect()
    }

    /// Connections that listen to either asset of a market.
    fn listening_market(&self, market: usize) -> Vec<(ConnId, bool)> {
        let mut conns = self.listening(market, Outcome::Yes);
        conns.extend(self.listening(market, Outcome::No));
        conns.sort_unstable();
        conns.dedup();
        conns
    }

    /// Shows every level that differs from what has been shown, one change a frame, removals first so that no
    /// frame shows a crossed book. Each hash is of the whole book after that change; `best_bid_ask` comes before
    /// the change that causes it.
    pub(super) fn show_levels(&mut self, market: usize, now: Nanos) {
        let entry = &self.markets[market];
        let mut changes: Vec<(Side, Price, Qty)> = Vec::new();
        for side in [Side::Bid, Side::Ask] {
            let shown = &entry.shown[side.index()];
            for &ticks in shown.keys() {
                let price = Price::from_ticks(ticks).expect("levels are keyed by prices");
                if entry.book.at(side, price).is_zero() {
                    changes.push((side, price, Qty::ZERO));
                }
            }
        }
        for side in [Side::Bid, Side::Ask] {
            for (price, qty) in entry.book.levels(side) {
                if entry.shown[side.index()].get(&price.ticks()) != Some(&qty) {
                    changes.push((side, price, qty));
                }
            }
        }
        if changes.is_empty() {
            return;
        }
        let conns = self.listening_market(market);
        for (side, price, qty) in changes {
            self.show_change(market, (side, price, qty), &conns, now);
        }
    }

    fn show_change(
        &mut self,
        market: usize,
        (side, price, qty): (Side, Price, Qty),
        conns: &[(ConnId, bool)],
        now: Nanos,
    ) {
        let entry = &mut self.markets[market];
        let tops = |m: &super::market::Market| {
            (m.best(Outcome::Yes, Side::Bid), m.best(Outcome::Yes, Side::Ask))
        };
        let before = tops(entry);
        let shown = &mut entry.shown[side.index()];
        if qty.is_zero() {
            shown.remove(&price.ticks());
        } else {
            shown.insert(price.ticks(), qty);
        }
        entry.changed = now;
        if conns.is_empty() {
            return;
        }
        if tops(entry) != before {
            self.show_tops(market, now);
        }
        let entry = &self.markets[market];
        let (last, size, at) = (entry.last_text(), text::qty(qty), now.millis());
        let change = |outcome: Outcome| {
            let (price, buys) = match outcome {
                Outcome::Yes => (price, side == Side::Bid),
                Outcome::No => (price.complement(), side == Side::Ask),
            };
            let best = |side| entry.best(outcome, side).map_or_else(|| edge(side), text::price);
            format!(
                "{{\"asset_id\":\"{}\",\"price\":\"{}\",\"size\":\"{size}\",\"side\":\"{}\",\"hash\":\"{}\",\"best_bid\":\"{}\",\"best_ask\":\"{}\"}}",
                entry.token(outcome),
                text::price(price),
                if buys { "BUY" } else { "SELL" },
                entry.hash_with(outcome, &last),
                best(Side::Bid),
                best(Side::Ask),
            )
        };
        let frame = format!(
            "{{\"market\":\"{}\",\"price_changes\":[{},{}],\"timestamp\":\"{at}\",\"event_type\":\"price_change\"}}",
            entry.spec.condition_id,
            change(Outcome::Yes),
            change(Outcome::No),
        );
        self.out.extend(conns.iter().map(|(conn, _)| (*conn, frame.clone())));
    }

    fn show_tops(&mut self, market: usize, now: Nanos) {
        for outcome in BOTH {
            let conns = self.listening(market, outcome);
            if !conns.iter().any(|(_, custom)| *custom) {
                continue;
            }
            let entry = &self.markets[market];
            let (bid, ask) = (entry.best(outcome, Side::Bid), entry.best(outcome, Side::Ask));
            let ask_ticks = ask.unwrap_or(Price::ONE).ticks();
            let spread = ask_ticks.saturating_sub(bid.unwrap_or(Price::ZERO).ticks());
            let spread = Price::from_ticks(spread).expect("at most a dollar");
            let frame = json!({
                "market": entry.spec.condition_id,
                "asset_id": entry.token(outcome),
                "best_bid": bid.map_or_else(|| edge(Side::Bid), text::price),
                "best_ask": ask.map_or_else(|| edge(Side::Ask), text::price),
                "spread": text::price(spread),
                "timestamp": now.millis().to_string(),
                "event_type": "best_bid_ask",
            })
            .to_string();
            let custom = conns.into_iter().filter(|(_, custom)| *custom);
            self.out.extend(custom.map(|(conn, _)| (conn, frame.clone())));
        }
    }

    /// A trade's price, to the listeners of the taker's token.
    pub(super) fn show_last(&mut self, trade: usize, now: Nanos) {
        let trade = &self.trades[trade];
        let conns = self.listening(trade.market, trade.taker.outcome);
        if conns.is_empty() {
            return;
        }
        let entry = &self.markets[trade.market];
        let frame = json!({
            "market": entry.spec.condition_id,
            "asset_id": entry.token(trade.taker.outcome),
            "price": text::last_price(trade.taker.price),
            "size": text::qty(trade.taker.qty),
            "fee_rate_bps": "0",
            "side": action_name(trade.taker.action),
            "timestamp": now.millis().to_string(),
            "event_type": "last_trade_price",
        })
        .to_string();
        self.out.extend(conns.into_iter().map(|(conn, _)| (conn, frame.clone())));
    }

    /// Whole books, as after every trade.
    pub fn show_books(&mut self, market: usize, now: Nanos) {
        self.markets[market].changed = now;
        for outcome in BOTH {
            let conns = self.listening(market, outcome);
            if !conns.is_empty() {
                let frame = self.markets[market].book_text(outcome, true);
                self.out.extend(conns.into_iter().map(|(conn, _)| (conn, frame.clone())));
            }
        }
    }

    /// A new price step. What rests off it is taken off by the venue.
    pub fn set_tick(&mut self, market: usize, tick: u16, now: Nanos) {
        let old = self.markets[market].tick_text();
        if self.markets[market].spec.tick == tick {
            return;
        }
        self.markets[market].spec.tick = tick;
        let new = self.markets[market].tick_text();
        for outcome in BOTH {
            let entry = &self.markets[market];
            let frame = json!({
                "market": entry.spec.condition_id,
                "asset_id": entry.token(outcome),
                "old_tick_size": old,
                "new_tick_size": new,
                "timestamp": now.millis().to_string(),
                "event_type": "tick_size_change",
            })
            .to_string();
            let conns = self.listening(market, outcome);
            self.out.extend(conns.into_iter().map(|(conn, _)| (conn, frame.clone())));
        }
        self.drop_off_grid(market, now);
        self.show_books(market, now);
    }

    fn drop_off_grid(&mut self, market: usize, now: Nanos) {
        let grid = self.markets[market].grid();
        for side in [Side::Bid, Side::Ask] {
            let off: Vec<(u64, u32)> = self.markets[market]
                .book
                .orders(side)
                .filter(|o| !grid.allows(o.price))
                .map(|o| (o.id, o.owner))
                .collect();
            for (id, owner) in off {
                if owner == crate::twin::matching::HOUSE {
                    let _ = self.markets[market].book.cancel(id);
                } else {
                    self.cancel(usize::try_from(id).expect("an index"), Status::Invalid, now);
                }
            }
        }
        self.show_levels(market, now);
    }

    fn show_gated(&mut self, frame: &str) {
        let conns = self.listeners.iter().filter_map(|(conn, listener)| match listener {
            Listener::Market { custom: true, .. } => Some(*conn),
            _ => None,
        });
        self.out.extend(conns.map(|conn| (conn, frame.to_owned())));
    }

    pub(super) fn show_new_market(&mut self, market: usize, now: Nanos) {
        let entry = &self.markets[market];
        let spec = &entry.spec;
        let ids = json!([spec.yes_token, spec.no_token]);
        let frame = json!({
            "event_type": "new_market", "id": entry.gamma_id, "question": spec.question,
            "market": spec.condition_id, "slug": spec.slug, "description": spec.question,
            "assets_ids": ids, "outcomes": ["Yes", "No"],
            "event_message": {"id": spec.event_id, "ticker": spec.event_slug, "slug": spec.event_slug,
                "title": spec.event_title, "description": ""},
            "timestamp": now.millis().to_string(), "tags": ["synthetic"], "condition_id": spec.condition_id,
            "active": true, "clob_token_ids": ids, "sports_market_type": "", "line": "", "game_start_time": "",
            "order_price_min_tick_size": entry.tick_text(), "group_item_title": spec.group_title,
            "taker_base_fee": "1000", "fees_enabled": spec.fee_rate > 0,
            "fee_schedule": {"rate": text::number::<6>(spec.fee_rate.into()), "exponent": 1, "takerOnly": true,
                "rebateRate": 0},
        })
        .to_string();
        self.show_gated(&frame);
    }

    pub(super) fn show_resolved(&mut self, market: usize, now: Nanos) {
        let entry = &self.markets[market];
        let winner = entry.winner();
        let frame = json!({
            "event_type": "market_resolved", "id": entry.gamma_id, "market": entry.spec.condition_id,
            "assets_ids": [entry.spec.yes_token, entry.spec.no_token],
            "winning_asset_id": winner.map_or("", |w| entry.token(w)),
            "winning_outcome": winner.map_or("", outcome_name),
            "timestamp": now.millis().to_string(), "tags": ["synthetic"],
        })
        .to_string();
        self.show_gated(&frame);
    }

    /// Listeners of the user channel that may see an account's business in a market.
    fn users(&self, account: usize, market: usize) -> Vec<ConnId> {
        let condition = &self.markets[market].spec.condition_id;
        self.listeners
            .iter()
            .filter_map(|(conn, listener)| match listener {
                Listener::User { credential: Some(credential), markets }
                    if self.credentials[*credential].account == account
                        && markets.as_ref().is_none_or(|m| m.contains(condition)) =>
                {
                    Some(*conn)
                }
                _ => None,
            })
            .collect()
    }

    pub(super) fn show_order(&mut self, index: usize, kind: &str, now: Nanos) {
        let order = &self.orders[index];
        let conns = self.users(order.account, order.market);
        if conns.is_empty() {
            return;
        }
        let status = match &order.status {
            Status::Live => "LIVE".to_owned(),
            Status::Delayed => "DELAYED".to_owned(),
            Status::Canceled(why) if !why.is_empty() => format!("CANCELED_{why}"),
            status => status.rest_name().to_owned(),
        };
        let frame = self.order_event(order, kind, &status, now);
        self.out.extend(conns.into_iter().map(|conn| (conn, frame.clone())));
    }

    /// A FOK order that never became one: refused over REST, told as a cancellation here.
    pub(super) fn show_killed(&mut self, order: &Order, now: Nanos) {
        let conns = self.users(order.account, order.market);
        let frame = self.order_event(order, "CANCELLATION", &format!("CANCELED_{FOK_KILLED}"), now);
        self.out.extend(conns.into_iter().map(|conn| (conn, frame.clone())));
    }

    fn order_event(&self, order: &Order, kind: &str, status: &str, now: Nanos) -> String {
        let (market, owner) =
            (&self.markets[order.market], &self.credentials[order.credential].api_key);
        let trades: Vec<&str> = order.trades.iter().filter_map(|&t| self.trade_id(t)).collect();
        json!({
            "event_type": "order",
            "type": kind,
            "id": text::hex(&order.id),
            "owner": owner,
            "order_owner": owner,
            "market": market.spec.condition_id,
            "asset_id": market.token(order.outcome),
            "side": action_name(order.action),
            "original_size": text::qty(order.original),
            "size_matched": text::qty(order.matched),
            "price": text::price(order.price),
            "outcome": outcome_name(order.outcome),
            "associate_trades": if trades.is_empty() { Value::Null } else { json!(trades) },
            "order_type": order.order_type.name(),
            "expiration": order.expiration.to_string(),
            "status": status,
            "maker_address": self.accounts[order.account].funder.text(),
            "created_at": (order.created.get() / 1_000_000_000).to_string(),
            "timestamp": now.millis().to_string(),
        })
        .to_string()
    }

    /// One trade, to everybody who has a part in it.
    pub(super) fn show_trade(&mut self, index: usize, now: Nanos) {
        let trade = &self.trades[index];
        let mut parties: Vec<usize> = vec![trade.taker.account];
        parties.extend(trade.makers.iter().map(|m| m.account));
        parties.sort_unstable();
        parties.dedup();
        for account in parties {
            let conns = self.users(account, self.trades[index].market);
            if conns.is_empty() {
                continue;
            }
            let mut event = self.trade_json(index, account);
            event["event_type"] = json!("trade");
            event["type"] = json!("TRADE");
            event["trade_owner"] = json!(self.owner_of(account));
            event["timestamp"] = json!(now.millis().to_string());
            let frame = event.to_string();
            self.out.extend(conns.into_iter().map(|conn| (conn, frame.clone())));
        }
    }
}

/// What the venue shows as the best price of an empty side.
fn edge(side: Side) -> String {
    match side {
        Side::Bid => "0".into(),
        Side::Ask => "1".into(),
    }
}
