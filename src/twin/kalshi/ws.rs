//! The WebSocket: subscriptions, one sid per channel and connection, and what is sent on them.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::{Value, json};
use surefoot_hot::ids::Side;
use surefoot_hot::units::{Nanos, Price, Usd};

use super::KalshiTwin;
use super::limits::Bucket;
use super::text::{rfc3339, secs, signed_count};
use crate::twin::ConnId;

/// One WebSocket connection and its subscriptions.
#[derive(Debug)]
pub(super) struct Conn {
    pub(super) account: u32,
    subs: Vec<Sub>,
    sids: u64,
    /// Commands that it may still send.
    commands: Bucket,
}

/// One channel of one connection.
#[derive(Debug)]
struct Sub {
    channel: Channel,
    sid: u64,
    /// The last sequence number sent: over all markets, and over `ok`, `unsubscribed` and `error` frames too.
    seq: u64,
    /// `None` is all of them.
    markets: Option<BTreeSet<usize>>,
    use_yes_price: bool,
    names_tickers: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Channel {
    Book,
    Ticker,
    Trade,
    Fill,
    Orders,
    Positions,
    Lifecycle,
    Groups,
    /// Multi-leg markets and quotes, of which this venue has none: subscribed, never sent.
    MultiLifecycle,
    Communications,
}

impl Channel {
    const ALL: [Self; 10] = [
        Self::Book,
        Self::Ticker,
        Self::Trade,
        Self::Fill,
        Self::Orders,
        Self::Positions,
        Self::Lifecycle,
        Self::Groups,
        Self::MultiLifecycle,
        Self::Communications,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Book => "orderbook_delta",
            Self::Ticker => "ticker",
            Self::Trade => "trade",
            Self::Fill => "fill",
            Self::Orders => "user_orders",
            Self::Positions => "market_positions",
            Self::Lifecycle => "market_lifecycle_v2",
            Self::Groups => "order_group_updates",
            Self::MultiLifecycle => "multivariate_market_lifecycle",
            Self::Communications => "communications",
        }
    }

    /// Whether its data frames carry `seq` (`venues/kalshi.md` §4.3).
    const fn is_numbered(self) -> bool {
        !matches!(self, Self::Ticker | Self::Fill | Self::Orders | Self::Positions)
    }

    /// Whether a list of tickers narrows it.
    const fn is_filtered(self) -> bool {
        !matches!(
            self,
            Self::Lifecycle | Self::Groups | Self::MultiLifecycle | Self::Communications
        )
    }
}

/// A command's refusal: code and text (`venues/kalshi.md` §4.10).
type WsError = (u32, &'static str);

const TOO_MANY_MARKETS: WsError = (26, "Subscription market limit exceeded");

impl Conn {
    pub(super) const fn new(account: u32, commands: Bucket) -> Self {
        Self { account, subs: Vec::new(), sids: 0, commands }
    }

    /// How many markets the channel's subscription would have with `more`.
    fn markets_with(&self, channel: Channel, more: Option<&BTreeSet<usize>>) -> usize {
        let sub = self.subs.iter().find(|sub| sub.channel == channel);
        let have = sub.and_then(|sub| sub.markets.as_ref());
        match (have, more) {
            (Some(have), Some(more)) => have.union(more).count(),
            (None, Some(more)) => more.len(),
            (_, None) => 0,
        }
    }

    fn sub(&mut self, channel: Channel) -> Option<&mut Sub> {
        self.subs.iter_mut().find(|sub| sub.channel == channel)
    }
}

impl Sub {
    fn has(&self, market: usize) -> bool {
        self.markets.as_ref().is_none_or(|set| set.contains(&market))
    }

    fn next_seq(&mut self) -> u64 {
        self.seq += 1;
        self.seq
    }

    /// A data frame around `msg`, which is JSON text.
    fn frame(&mut self, kind: &str, id: Option<u64>, msg: &str, now: Nanos) -> String {
        let mut text = String::with_capacity(msg.len() + 96);
        text.push('{');
        if let Some(id) = id {
            let _ = write!(text, "\"id\":{id},");
        }
        let _ = write!(text, "\"type\":\"{kind}\",\"sid\":{}", self.sid);
        if self.channel.is_numbered() {
            let _ = write!(text, ",\"seq\":{}", self.next_seq());
        }
        let _ = write!(text, ",\"sending_ts_ms\":{},\"msg\":{msg}}}", now.millis());
        text
    }
}

impl KalshiTwin {
    /// One command of a client.
    pub(super) fn command(&mut self, conn: ConnId, text: &str, now: Nanos) {
        let Some(entry) = self.conns.get_mut(&conn) else { return };
        if !entry.commands.take(1, now) {
            return self.fail(conn, None, (27, "Too many commands"));
        }
        let Ok(value) = serde_json::from_str::<Value>(text) else {
            return self.fail(conn, None, (1, "Unable to process message"));
        };
        let id = value["id"].as_u64().filter(|id| *id != 0); // 0 counts as none
        let params = &value["params"];
        let done = match value["cmd"].as_str() {
            Some("list_subscriptions") => {
                self.list(conn, id);
                Ok(())
            }
            Some("subscribe" | "unsubscribe" | "update_subscription") if !params.is_object() => {
                Err((2, "Params required"))
            }
            Some("subscribe") => self.subscribe(conn, id, params, now),
            Some("unsubscribe") => self.unsubscribe(conn, id, params),
            Some("update_subscription") => self.update(conn, id, params, now),
            _ => Err((5, "Unknown command")),
        };
        if let Err(error) = done {
            self.fail(conn, id, error);
        }
    }

    fn subscribe(
        &mut self,
        conn: ConnId,
        id: Option<u64>,
        params: &Value,
        now: Nanos,
    ) -> Result<(), WsError> {
        let names = params["channels"].as_array().filter(|list| !list.is_empty());
        let names = names.ok_or((3, "Channels required"))?;
        let by_name =
            |name: &Value| Channel::ALL.into_iter().find(|c| Some(c.name()) == name.as_str());
        let mut channels = Vec::new();
        for name in names {
            channels.push(by_name(name).ok_or((8, "Unknown channel name"))?);
        }
        let markets = self.named_markets(params);
        if channels.contains(&Channel::Book) && markets.is_none() {
            return Err((14, "Market ticker required"));
        }
        let limit = self.config.ws_markets_max;
        let entry = self.conns.get(&conn).expect("checked by the caller");
        if channels.iter().any(|&channel| entry.markets_with(channel, markets.as_ref()) > limit) {
            return Err(TOO_MANY_MARKETS);
        }
        for channel in channels {
            let markets = markets.clone().filter(|_| channel.is_filtered());
            self.subscribe_one(conn, id, channel, markets, params, now);
        }
        Ok(())
    }

    fn subscribe_one(
        &mut self,
        conn: ConnId,
        id: Option<u64>,
        channel: Channel,
        markets: Option<BTreeSet<usize>>,
        params: &Value,
        now: Nanos,
    ) {
        let entry = self.conns.get_mut(&conn).expect("checked by the caller");
        let fresh = if let Some(sub) = entry.sub(channel) {
            // One sid per channel and connection: a second subscription adds its tickers to the first.
            let fresh = match (&mut sub.markets, markets) {
                (Some(have), Some(more)) => {
                    let fresh: BTreeSet<usize> = more.difference(have).copied().collect();
                    have.extend(&fresh);
                    fresh
                }
                (have, None) => {
                    *have = None;
                    BTreeSet::new()
                }
                (None, Some(_)) => BTreeSet::new(),
            };
            self.acknowledge(conn, id, channel);
            fresh
        } else {
            entry.sids += 1;
            let sid = entry.sids;
            let fresh = markets.clone().unwrap_or_default();
            entry.subs.push(Sub {
                channel,
                sid,
                seq: 0,
                markets,
                use_yes_price: params["use_yes_price"].as_bool().unwrap_or(false),
                names_tickers: !params["skip_ticker_ack"].as_bool().unwrap_or(false),
            });
            let mut ack = json!({});
            if let Some(id) = id {
                ack["id"] = id.into();
            }
            ack["type"] = "subscribed".into();
            ack["msg"] = json!({ "channel": channel.name(), "sid": sid });
            self.out.push_back((conn, ack.to_string()));
            fresh
        };
        match channel {
            Channel::Book => self.snapshots(conn, None, &fresh, now),
            Channel::Ticker if params["send_initial_snapshot"].as_bool().unwrap_or(false) => {
                for market in fresh {
                    let msg = self.ticker_msg(market, now);
                    let sub =
                        self.conns.get_mut(&conn).and_then(|c| c.sub(channel)).expect("just made");
                    let text = sub.frame("ticker", None, &msg, now);
                    self.out.push_back((conn, text));
                }
            }
            _ => {}
        }
    }

    fn unsubscribe(
        &mut self,
        conn: ConnId,
        id: Option<u64>,
        params: &Value,
    ) -> Result<(), WsError> {
        let sids = params["sids"]
            .as_array()
            .filter(|list| !list.is_empty())
            .ok_or((4, "Sids required"))?;
        for sid in sids {
            let entry = self.conns.get_mut(&conn).expect("checked by the caller");
            let at = entry.subs.iter().position(|sub| Some(sub.sid) == sid.as_u64());
            let at = at.ok_or((7, "Unknown subscription ID"))?;
            let mut sub = entry.subs.remove(at);
            let mut ack = json!({});
            if let Some(id) = id {
                ack["id"] = id.into();
            }
            ack["sid"] = sub.sid.into();
            ack["seq"] = sub.next_seq().into();
            ack["type"] = "unsubscribed".into();
            self.out.push_back((conn, ack.to_string()));
        }
        Ok(())
    }

    fn update(
        &mut self,
        conn: ConnId,
        id: Option<u64>,
        params: &Value,
        now: Nanos,
    ) -> Result<(), WsError> {
        let sid = match (&params["sid"], params["sids"].as_array()) {
            (Value::Number(sid), None) => sid.as_u64(),
            (_, Some(sids)) if sids.len() == 1 => sids[0].as_u64(),
            (Value::Null, None) => return Err((4, "Sids required")),
            _ => return Err((12, "Exactly one subscription ID is required")),
        };
        let entry = self.conns.get_mut(&conn).expect("checked by the caller");
        let found = entry.subs.iter().find(|sub| Some(sub.sid) == sid).map(|sub| sub.channel);
        let channel = found.ok_or((7, "Unknown subscription ID"))?;
        let done = self.update_sub(conn, id, channel, params, now);
        if let Err((code, msg)) = done {
            // The sid is known, so the refusal is numbered like everything else on it.
            let entry = self.conns.get_mut(&conn).expect("checked by the caller");
            let sub = entry.sub(channel).expect("found above");
            let (sid, seq) = (sub.sid, sub.next_seq());
            let mut text = json!({});
            if let Some(id) = id {
                text["id"] = id.into();
            }
            text["sid"] = sid.into();
            text["seq"] = seq.into();
            text["type"] = "error".into();
            text["msg"] = json!({ "code": code, "msg": msg });
            self.out.push_back((conn, text.to_string()));
        }
        Ok(())
    }

    fn update_sub(
        &mut self,
        conn: ConnId,
        id: Option<u64>,
        channel: Channel,
        params: &Value,
        now: Nanos,
    ) -> Result<(), WsError> {
        let action = params["action"].as_str().ok_or((15, "Action required"))?;
        if !matches!(action, "add_markets" | "delete_markets" | "get_snapshot") {
            return Err((13, "Unsupported action"));
        }
        let markets = self.named_markets(params).ok_or((14, "Market ticker required"))?;
        let limit = self.config.ws_markets_max;
        let entry = self.conns.get_mut(&conn).expect("checked by the caller");
        if action == "add_markets" && entry.markets_with(channel, Some(&markets)) > limit {
            return Err(TOO_MANY_MARKETS);
        }
        let sub = entry.sub(channel).expect("found by the caller");
        match action {
            "add_markets" => {
                let Some(have) = &mut sub.markets else { return Err((13, "Unsupported action")) };
                let fresh: BTreeSet<usize> = markets.difference(have).copied().collect();
                have.extend(&fresh);
                self.acknowledge(conn, id, channel);
                if channel == Channel::Book {
                    self.snapshots(conn, None, &fresh, now);
                }
            }
            "delete_markets" => {
                let Some(have) = &mut sub.markets else { return Err((13, "Unsupported action")) };
                have.retain(|market| !markets.contains(market));
                self.acknowledge(conn, id, channel);
            }
            _ if channel == Channel::Book => {
                let wanted = markets.into_iter().filter(|market| sub.has(*market)).collect();
                self.snapshots(conn, id, &wanted, now);
            }
            _ => return Err((13, "Unsupported action")),
        }
        Ok(())
    }

    /// Tickers or ids of the parameters; `None` where none is named. Unknown ones say nothing: error 16 is
    /// retired.
    fn named_markets(&self, params: &Value) -> Option<BTreeSet<usize>> {
        let texts = |one: &Value, many: &Value| -> Option<Vec<String>> {
            let list = many
                .as_array()
                .map(|list| list.iter().filter_map(Value::as_str).map(str::to_owned).collect());
            list.or_else(|| one.as_str().map(|one| vec![one.to_owned()]))
        };
        if let Some(tickers) = texts(&params["market_ticker"], &params["market_tickers"]) {
            return Some(
                tickers.iter().filter_map(|ticker| self.by_ticker.get(ticker).copied()).collect(),
            );
        }
        let ids = texts(&params["market_id"], &params["market_ids"])?;
        Some(ids.iter().filter_map(|id| self.markets.iter().position(|m| m.id == *id)).collect())
    }

    fn acknowledge(&mut self, conn: ConnId, id: Option<u64>, channel: Channel) {
        let entry = self.conns.get_mut(&conn).expect("checked by the caller");
        let sub = entry.sub(channel).expect("found by the caller");
        let mut msg = json!({});
        if let (true, Some(have)) = (sub.names_tickers, &sub.markets) {
            let tickers: Vec<&str> =
                have.iter().map(|&m| self.markets[m].spec.ticker.as_str()).collect();
            msg["market_tickers"] = json!(tickers);
        }
        let mut ack = json!({});
        if let Some(id) = id {
            ack["id"] = id.into();
        }
        ack["sid"] = sub.sid.into();
        ack["seq"] = sub.next_seq().into();
        ack["type"] = "ok".into();
        ack["msg"] = msg;
        self.out.push_back((conn, ack.to_string()));
    }

    fn list(&mut self, conn: ConnId, id: Option<u64>) {
        let subs = &self.conns[&conn].subs;
        let list: Vec<Value> =
            subs.iter().map(|s| json!({ "channel": s.channel.name(), "sid": s.sid })).collect();
        let mut answer = json!({});
        if let Some(id) = id {
            answer["id"] = id.into();
        }
        answer["type"] = "ok".into();
        answer["msg"] = list.into();
        self.out.push_back((conn, answer.to_string()));
    }

    fn fail(&mut self, conn: ConnId, id: Option<u64>, (code, msg): WsError) {
        let mut error = json!({});
        if let Some(id) = id {
            error["id"] = id.into();
        }
        error["type"] = "error".into();
        error["msg"] = json!({ "code": code, "msg": msg });
        self.out.push_back((conn, error.to_string()));
    }

    fn snapshots(&mut self, conn: ConnId, id: Option<u64>, markets: &BTreeSet<usize>, now: Nanos) {
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

    fn ticker_msg(&self, market: usize, now: Nanos) -> String {
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
