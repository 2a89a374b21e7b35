//! REST: which request does what, and what it costs.

use std::fmt::Write as _;

use serde_json::{Value, json};
use surefoot_hot::units::{Nanos, Qty, Usd};

use super::answers::{Answer, filter_csv, number, ok, page, shard_of};
use super::calls::{GroupCall, KalshiCall, OrderCall, PublicCall, ROUTES, ReadCall, WriteCall};
use super::limits::{Bucket, cost};
use super::order::Refusal;
use super::parse::{amend, new_order};
use super::text::{count, rfc3339};
use super::{BASE, Exchange, KalshiVenue, account_of_key, auth};
use crate::twin::http::{Request, Response};
use crate::twin::routes::{Found, find};

/// The longest batch. The venue's cap is not published; older pages said 20 (`venues/kalshi.md` §1.2).
const BATCH_MAX: usize = 20;

impl From<Refusal> for Response {
    fn from(refusal: Refusal) -> Self {
        Self::json(refusal.status, &json!({ "error": error_of(&refusal) }))
    }
}

fn error_of(refusal: &Refusal) -> Value {
    let mut error = json!({ "code": refusal.code, "message": refusal.message });
    if let Some(details) = refusal.details {
        error["details"] = details.into();
    }
    error
}

fn missing() -> Response {
    Refusal::not_found().into()
}

/// 429, whose `error` is a string, unlike every other.
pub(super) fn too_many() -> Response {
    Response::json(429, &json!({ "error": "too many requests" }))
}

impl KalshiVenue {
    /// Answers one request.
    pub(super) fn route(&mut self, req: &Request, now: Nanos) -> Response {
        if !req.path.starts_with(BASE) {
            return Response::text(404, "404 page not found");
        }
        let (call, open) = match find(ROUTES, &req.method, &req.path) {
            Found::Endpoint(call, open) => (call, open.first().copied().unwrap_or_default()),
            Found::OtherMethod | Found::Nothing => {
                // Whoever is not let in does not learn what there is.
                let private = ["/portfolio/", "/api_keys"].map(|part| format!("{BASE}{part}"));
                let is_private = private.iter().any(|part| req.path.starts_with(part));
                let refused = auth::check(self.keys.iter(), req, now).err();
                return refused.filter(|_| is_private).unwrap_or_else(missing);
            }
        };
        let done = match call {
            KalshiCall::Retired => {
                let code = "deprecated_v1_order_endpoint";
                let text = "this endpoint was removed, use /portfolio/events/orders";
                Err(Refusal::new(410, code, text).into())
            }
            KalshiCall::Public(_) if self.config.public_per_s > 0 && !self.public.take(1, now) => {
                Err(too_many())
            }
            KalshiCall::Public(call) => self.public(call, open, req, now),
            KalshiCall::Read(call) => self.check_and_read(call, open, req, now),
            KalshiCall::Write(call) => self.check_and_write(call, open, req, now),
        };
        done.unwrap_or_else(|refused| refused)
    }

    fn public(&self, call: PublicCall, open: &str, req: &Request, now: Nanos) -> Answer {
        match call {
            PublicCall::Status => Ok(Response::json_text(200, self.status_text())),
            PublicCall::Schedule => ok(&schedule()),
            PublicCall::UserDataTimestamp => ok(&json!({ "as_of_time": rfc3339(now) })),
            PublicCall::EndpointCosts => ok(&endpoint_costs()),
            PublicCall::Markets => self.list_markets(req),
            PublicCall::Trades => self.list_trades(req),
            PublicCall::Books => self.list_books(req),
            PublicCall::Market => ok(&json!({ "market": self.market_view(self.market(open)?) })),
            PublicCall::Book => {
                let depth = usize::try_from(number(req, "depth", 0, 100)?).expect("small");
                ok(&json!({ "orderbook_fp": self.book_view(self.market(open)?, depth) }))
            }
            PublicCall::Events => self.list_events(req),
            PublicCall::EventFeeChanges => ok(&json!({ "event_fee_changes": [], "cursor": "" })),
            PublicCall::Event => {
                let event =
                    self.events.iter().position(|e| e.ticker == open).ok_or_else(missing)?;
                let nested = req.query("with_nested_markets") == Some("true");
                // The list beside the event is deprecated and still filled, nested or not.
                let markets: Vec<Value> =
                    self.markets_of(event).map(|m| self.market_view(m)).collect();
                ok(&json!({ "event": self.event_view(event, nested), "markets": markets }))
            }
            PublicCall::SeriesList => {
                let wanted =
                    |s: &usize| req.query("category").is_none_or(|c| self.series[*s].category == c);
                let list: Vec<Value> =
                    (0..self.series.len()).filter(wanted).map(|s| self.series_view(s)).collect();
                ok(&json!({ "series": list }))
            }
            PublicCall::SeriesFeeChanges => ok(&self.fee_changes_view(req)),
            PublicCall::Series => {
                let series =
                    self.series.iter().position(|s| s.ticker == open).ok_or_else(missing)?;
                ok(&json!({ "series": self.series_view(series) }))
            }
        }
    }

    fn check_and_read(&mut self, call: ReadCall, open: &str, req: &Request, now: Nanos) -> Answer {
        let account = account_of_key(auth::check(self.keys.iter(), req, now)?);
        let tokens = if call == ReadCall::Order { cost::GET_ORDER } else { cost::DEFAULT };
        if !self.accounts[account as usize].read.take(tokens, now) {
            return Err(too_many());
        }
        self.read(call, open, req, account, now)
    }

    fn check_and_write(
        &mut self,
        call: WriteCall,
        open: &str,
        req: &Request,
        now: Nanos,
    ) -> Answer {
        let account = account_of_key(auth::check(self.keys.iter(), req, now)?);
        if matches!(req.method.as_str(), "POST" | "PUT") {
            let is_json =
                req.header("Content-Type").is_some_and(|kind| kind.contains("application/json"));
            if !is_json {
                return Err(
                    Refusal::new(400, "invalid_content_type", "content type must be JSON").into()
                );
            }
        }
        if self.exchange == Exchange::Paused {
            return Err(Refusal::new(409, "exchange_is_paused", "exchange is paused").into());
        }
        match call {
            WriteCall::Order(call) => self.write_order(call, open, req, account, now),
            WriteCall::Group(call) => self.write_group(call, open, req, account, now),
            WriteCall::Transfer => self.transfer(req, account, now),
        }
    }

    fn read(&self, call: ReadCall, open: &str, req: &Request, account: u32, now: Nanos) -> Answer {
        match call {
            ReadCall::Balance => {
                let shard = shard_of(req.query("exchange_index"))?;
                ok(&self.balance_view(account, shard, now))
            }
            ReadCall::Positions => self.list_positions(req, account),
            ReadCall::Fills => self.list_fills(req, account),
            ReadCall::ArchivedFills => ok(&json!({ "fills": [], "cursor": "" })),
            ReadCall::Settlements => {
                let rows: Vec<_> =
                    self.accounts[account as usize].settlements.iter().rev().collect();
                let wanted =
                    |market: usize| filter_csv(req, "ticker", &self.markets[market].spec.ticker);
                let rows: Vec<_> = rows.into_iter().filter(|row| wanted(row.market)).collect();
                let (page, cursor) = page(req, &rows, 100, 1_000)?;
                let list: Vec<Value> = page.iter().map(|row| self.settlement_view(row)).collect();
                ok(&json!({ "settlements": list, "cursor": cursor }))
            }
            ReadCall::Orders => self.list_orders(req, account),
            ReadCall::QueuePositions => {
                let open = self.accounts[account as usize].open.values().flatten();
                let rows: Vec<Value> = open.map(|&index| self.queue_view(index)).collect();
                ok(&json!({ "queue_positions": rows }))
            }
            ReadCall::Order => ok(&json!({ "order": self.order_view(self.own(account, open)?) })),
            ReadCall::QueuePosition => {
                let view = self.queue_view(self.own(account, open)?);
                ok(&json!({ "queue_position_fp": view["queue_position_fp"] }))
            }
            ReadCall::Groups => {
                let mine = |index: &usize| {
                    let group = &self.groups[*index];
                    group.account == account && !group.deleted
                };
                let list: Vec<Value> =
                    (0..self.groups.len()).filter(mine).map(|g| self.group_view(g)).collect();
                ok(&json!({ "order_groups": list }))
            }
            // A read names no shard: official clients cannot even say one.
            ReadCall::Group => ok(&self.group_view(self.find_group(account, open)?)),
            ReadCall::Limits => {
                let bucket =
                    |b: &Bucket| json!({ "refill_rate": b.rate, "bucket_capacity": b.capacity });
                let owner = &self.accounts[account as usize];
                let (read, write) = (bucket(&owner.read), bucket(&owner.write[&None]));
                ok(
                    &json!({ "usage_tier": self.config.tier.name(), "read": read, "write": write, "grants": [] }),
                )
            }
            ReadCall::ApiKeys => {
                let key = &self.keys[account as usize - 1];
                ok(&json!({ "api_keys": [{
                    "api_key_id": key.id, "name": format!("twin {}", key.key_type.name()),
                    "key_type": key.key_type.name(), "scopes": ["read", "write"],
                }] }))
            }
        }
    }

    fn write_order(
        &mut self,
        call: OrderCall,
        id: &str,
        req: &Request,
        account: u32,
        now: Nanos,
    ) -> Answer {
        match call {
            OrderCall::Create => {
                let new = new_order(&body(req)?)?;
                self.pay_write(account, new.shard, cost::DEFAULT, now)?;
                let since = self.accounts[account as usize].fills.len();
                let index = self.create(account, new, now)?;
                Ok(Response::json(201, &self.created_view(index, since, now).into()))
            }
            OrderCall::CancelAll => {
                self.pay_write(account, None, cost::CANCEL_ALL, now)?;
                self.cancel_all(account, now);
                Ok(Response::empty(204))
            }
            OrderCall::CreateBatch => self.create_batch(req, account, now),
            OrderCall::CancelBatch => self.cancel_batch(req, account, now),
            OrderCall::Cancel => {
                let shard =
                    self.named_shard(req.query("exchange_index"), req.query("market_ticker"))?;
                self.pay_write(account, shard, cost::CANCEL, now)?;
                let (index, by) = self.cancel(account, id, shard, now)?;
                ok(&self.reduced_view(index, by, now))
            }
            OrderCall::Amend => {
                let amend = amend(&body(req)?)?;
                self.pay_write(account, amend.shard, cost::DEFAULT, now)?;
                let since = self.accounts[account as usize].fills.len();
                let index = self.amend(account, id, amend, now)?;
                ok(&self.created_view(index, since, now).into())
            }
            OrderCall::Decrease => {
                let body = body(req)?;
                let shard = self.shard_in(&body)?;
                let read = |key: &str| body.get(key).map(|v| v.as_str().and_then(count));
                let (by, to) = (read("reduce_by"), read("reduce_to"));
                self.pay_write(account, shard, cost::DEFAULT, now)?;
                let done = match (by, to) {
                    (Some(Some(by)), None) => {
                        self.decrease(account, id, shard, |left| left.checked_sub(by), now)
                    }
                    (None, Some(Some(to))) => self.decrease(account, id, shard, |_| Some(to), now),
                    _ => Err(Refusal::invalid("exactly one of reduce_by and reduce_to")),
                };
                let order = &self.orders[done?];
                ok(&json!({
                    "order_id": order.id, "client_order_id": order.client_id,
                    "remaining_count": order.left.to_string(), "ts_ms": now.millis(),
                }))
            }
        }
    }

    fn create_batch(&mut self, req: &Request, account: u32, now: Nanos) -> Answer {
        let body = body(req)?;
        let list = batch(&body)?;
        self.pay_write(account, None, cost::DEFAULT * list.len() as u64, now)?;
        let mut answers = Vec::with_capacity(list.len());
        for one in list {
            let since = self.accounts[account as usize].fills.len();
            let done = new_order(one).and_then(|new| self.create(account, new, now));
            let mut row = match done {
                Ok(index) => {
                    let mut row = Value::from(self.created_view(index, since, now));
                    row["error"] = Value::Null;
                    row
                }
                Err(refusal) => json!({
                    "order_id": null, "client_order_id": one["client_order_id"], "fill_count": null,
                    "remaining_count": null, "ts_ms": null, "error": error_of(&refusal),
                }),
            };
            for key in ["average_fill_price", "average_fee_paid"] {
                if row.get(key).is_none() {
                    row[key] = Value::Null; // batches say null where single creates say nothing
                }
            }
            answers.push(row);
        }
        Ok(Response::json(201, &json!({ "orders": answers })))
    }

    fn cancel_batch(&mut self, req: &Request, account: u32, now: Nanos) -> Answer {
        let body = body(req)?;
        let list = batch(&body)?;
        self.pay_write(account, None, cost::CANCEL * list.len() as u64, now)?;
        let mut answers = Vec::with_capacity(list.len());
        for one in list {
            let id = one["order_id"].as_str().unwrap_or_default().to_owned();
            let done = self.shard_in(one).and_then(|shard| self.cancel(account, &id, shard, now));
            answers.push(match done {
                Ok((index, by)) => {
                    let mut row = self.reduced_view(index, by, now);
                    row["error"] = Value::Null;
                    row
                }
                // By how much it shrank is told even where nothing was cancelled; its time is not.
                Err(refusal) => json!({
                    "order_id": id, "client_order_id": null, "reduced_by": Qty::ZERO.to_string(),
                    "error": error_of(&refusal),
                }),
            });
        }
        ok(&json!({ "orders": answers }))
    }

    fn write_group(
        &mut self,
        call: GroupCall,
        id: &str,
        req: &Request,
        account: u32,
        now: Nanos,
    ) -> Answer {
        self.pay_write(account, None, cost::DEFAULT, now)?;
        if call == GroupCall::Create {
            let body = body(req)?;
            let shard = self.shard_in(&body)?.unwrap_or(0);
            let index = self.create_group(account, shard, group_limit(&body)?, now);
            let id = &self.groups[index].id;
            let answer = json!({ "order_group_id": id, "subaccount": 0, "exchange_index": shard });
            return Ok(Response::json(201, &answer));
        }
        let given = serde_json::from_slice::<Value>(&req.body).unwrap_or_default();
        let index = self.group_on_shard(account, id, req, &given)?;
        match call {
            GroupCall::Create => {} // answered above
            GroupCall::Trigger => self.trigger_group(index, now),
            GroupCall::Reset => self.reset_group(index, now),
            GroupCall::Limit => self.limit_group(index, group_limit(&given)?, now),
            GroupCall::Delete => self.delete_group(index, now),
        }
        ok(&json!({}))
    }

    /// A group of the account, on the shard that the request means: shard 0 where it does not say.
    fn group_on_shard(
        &self,
        account: u32,
        id: &str,
        req: &Request,
        body: &Value,
    ) -> Result<usize, Response> {
        let shard = shard_of(req.query("exchange_index"))?.or(self.shard_in(body)?).unwrap_or(0);
        let index = self.find_group(account, id)?;
        if self.groups[index].shard == shard {
            Ok(index)
        } else {
            Err(Refusal::new(404, "order_group_not_found", "order group not found").into())
        }
    }

    /// Moves cash between shards. Amounts are in hundredths of a cent.
    fn transfer(&mut self, req: &Request, account: u32, now: Nanos) -> Answer {
        self.pay_write(account, None, cost::DEFAULT, now)?;
        let body = body(req)?;
        let shard = |key: &str| body[key].as_u64().and_then(|n| u8::try_from(n).ok());
        let (Some(from), Some(to)) =
            (shard("source_exchange_shard"), shard("destination_exchange_shard"))
        else {
            return Err(
                Refusal::invalid("source_exchange_shard and destination_exchange_shard").into()
            );
        };
        let amount = body["amount"].as_i64().filter(|n| *n > 0).and_then(|n| n.checked_mul(100));
        let amount = Usd::from_micros(amount.ok_or(Refusal::invalid("amount"))?);
        if amount > self.free_cash(account, from) {
            return Err(Refusal::new(400, "insufficient_balance", "insufficient balance").into());
        }
        let id = self.uuid();
        let owner = &mut self.accounts[account as usize];
        owner.pay(from, -amount);
        owner.pay(to, amount);
        ok(&json!({ "transfer_id": id }))
    }

    /// Bills a write: a shard above 0 that is named has a bucket of its own.
    fn pay_write(
        &mut self,
        account: u32,
        shard: Option<u8>,
        tokens: u64,
        now: Nanos,
    ) -> Result<(), Response> {
        let budget = self.config.tier.write();
        let key = shard.filter(|shard| *shard > 0);
        let buckets = &mut self.accounts[account as usize].write;
        let bucket = buckets.entry(key).or_insert_with(|| Bucket::new(budget, now));
        if bucket.take(tokens, now) { Ok(()) } else { Err(too_many()) }
    }

    pub(super) fn market(&self, ticker: &str) -> Result<usize, Response> {
        self.by_ticker.get(ticker).copied().ok_or_else(missing)
    }

    fn own(&self, account: u32, id: &str) -> Result<usize, Response> {
        let found = self.by_order_id.get(id).copied();
        found.filter(|&index| self.orders[index].account == account).ok_or_else(missing)
    }

    /// The shard that `exchange_index` names, or else the one of a ticker.
    fn named_shard(
        &self,
        index: Option<&str>,
        ticker: Option<&str>,
    ) -> Result<Option<u8>, Refusal> {
        let named = shard_of(index)?;
        Ok(named
            .or_else(|| ticker.and_then(|t| self.by_ticker.get(t)).map(|&m| self.markets[m].shard)))
    }

    fn shard_in(&self, body: &Value) -> Result<Option<u8>, Refusal> {
        let index = match &body["exchange_index"] {
            Value::Null => None,
            Value::Number(n) => Some(n.to_string()),
            _ => return Err(Refusal::invalid("exchange_index")),
        };
        self.named_shard(index.as_deref(), body["market_ticker"].as_str())
    }

    fn reduced_view(&self, index: usize, by: Qty, now: Nanos) -> Value {
        let order = &self.orders[index];
        json!({
            "order_id": order.id, "client_order_id": order.client_id, "reduced_by": by.to_string(),
            "ts_ms": now.millis(),
        })
    }

    fn queue_view(&self, index: usize) -> Value {
        let order = &self.orders[index];
        let book = &self.markets[order.market].book;
        let better = book
            .levels(order.side)
            .take_while(|(price, _)| *price != order.price)
            .fold(Qty::ZERO, |sum, (_, qty)| sum + qty);
        let ahead = book.ahead_of(index as u64).map_or(Qty::ZERO, |level| level + better);
        json!({
            "order_id": order.id, "market_ticker": self.markets[order.market].spec.ticker,
            "queue_position_fp": ahead.to_string(),
        })
    }

    fn group_view(&self, index: usize) -> Value {
        let group = &self.groups[index];
        let orders: Vec<&str> =
            self.group_orders(index).iter().map(|&o| self.orders[o].id.as_str()).collect();
        json!({
            "id": group.id, "is_auto_cancel_enabled": !group.triggered,
            "contracts_limit_fp": group.limit.to_string(), "orders": orders, "exchange_index": group.shard,
        })
    }

    /// Written field by field: an executor asks for it every twelve seconds.
    fn status_text(&self) -> String {
        let (exchange, active) =
            (self.exchange != Exchange::Paused, self.exchange == Exchange::Active);
        let mut is_shard = [false; 256];
        is_shard[0] = true;
        for market in &self.markets {
            is_shard[usize::from(market.shard)] = true;
        }
        let resumes =
            self.resumes.map_or_else(|| "null".into(), |at| format!("\"{}\"", rfc3339(at)));
        let active = format!(
            "\"exchange_active\":{exchange},\"trading_active\":{active},\"intra_exchange_transfers_active\":true"
        );
        let mut text = format!(
            "{{{active},\"exchange_estimated_resume_time\":{resumes},\"exchange_index_statuses\":["
        );
        for (shard, _) in is_shard.iter().enumerate().filter(|(_, is)| **is) {
            let (comma, name) =
                if shard == 0 { ("", "Default") } else { (",", "Crypto, Commodities") };
            let _ = write!(
                text,
                "{comma}{{\"exchange_index\":{shard},\"description\":\"{name}\",{active}}}"
            );
        }
        text.push_str("]}");
        text
    }
}

fn body(req: &Request) -> Result<Value, Response> {
    match serde_json::from_slice::<Value>(&req.body) {
        Ok(value) if value.is_object() => Ok(value),
        _ => Err(Refusal::invalid("the body is not a JSON object").into()),
    }
}

fn batch(body: &Value) -> Result<&Vec<Value>, Refusal> {
    let list = body["orders"].as_array().filter(|list| !list.is_empty() && list.len() <= BATCH_MAX);
    list.ok_or(Refusal::invalid("orders: 1 to 20"))
}

fn group_limit(body: &Value) -> Result<Qty, Refusal> {
    let text = body["contracts_limit_fp"].as_str().and_then(count);
    let whole = body["contracts_limit"].as_u64().map(|n| Qty::from_contracts(n.min(1_000_001)));
    let limit = match (text, whole) {
        (Some(text), Some(whole)) if text != whole => None,
        (text, whole) => text.or(whole),
    };
    let bounds = Qty::from_contracts(1)..=Qty::from_contracts(1_000_000);
    limit
        .filter(|limit| bounds.contains(limit))
        .ok_or(Refusal::invalid("contracts_limit_fp: 1 to 1000000"))
}

fn schedule() -> Value {
    let day = json!([{ "open_time": "00:00", "close_time": "00:00" }]);
    let hours = json!({
        "start_time": "2026-01-01T00:00:00Z", "end_time": "2027-01-01T00:00:00Z", "monday": day,
        "tuesday": day, "wednesday": day, "thursday": day, "friday": day, "saturday": day, "sunday": day,
    });
    json!({ "schedule": { "standard_hours": [hours], "maintenance_windows": [] } })
}

fn endpoint_costs() -> Value {
    let row = |method: &str, path: &str, tokens: u64| json!({ "method": method, "path": path, "cost": tokens });
    json!({
        "default_cost": cost::DEFAULT,
        "endpoint_costs": [
            row("DELETE", "/portfolio/events/orders/:order_id", cost::CANCEL),
            row("DELETE", "/portfolio/events/orders/batched", cost::CANCEL),
            row("DELETE", "/portfolio/events/orders", cost::CANCEL_ALL),
            row("GET", "/portfolio/orders/:order_id", cost::GET_ORDER),
        ],
    })
}
