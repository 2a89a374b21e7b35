//! What a client asks for on its WebSocket, and the acknowledgements and refusals.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use surefoot_hot::units::Nanos;

use super::KalshiVenue;
use super::ws::{Channel, Sub};
use crate::twin::ConnId;

/// A command's refusal: code and text (`venues/kalshi.md` §4.10).
type WsError = (u32, &'static str);

const TOO_MANY_MARKETS: WsError = (26, "Subscription market limit exceeded");

impl KalshiVenue {
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
}
