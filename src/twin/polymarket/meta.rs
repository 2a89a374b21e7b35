//! Gamma's metadata and the data API's positions and trades, in the venue's shapes (`venues/polymarket.md` §7).

use serde_json::{Value, json};
use surefoot_cold::directory::Generation;
use surefoot_cold::venue::polymarket::eip712::Address;
use surefoot_hot::ids::{Outcome, Side};
use surefoot_hot::units::{Nanos, Price, Usd};

use super::exchange::action_name;
use super::{HOUSE_ACCOUNT, PolymarketVenue, text};
use crate::twin::http::{Request, Response};

/// The venue's word for an outcome.
pub const fn outcome_name(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Yes => "Yes",
        Outcome::No => "No",
    }
}

/// The most rows of one page.
const PAGE_MAX: usize = 100;

fn price_number(price: Price) -> Value {
    text::number(price.ticks().into(), 4)
}

fn usd_number(usd: Usd) -> Value {
    serde_json::from_str(&text::usd(usd.micros())).expect("digits and a point are JSON")
}

impl PolymarketVenue {
    /// Gamma.
    pub(super) fn gamma(&self, req: &Request) -> Response {
        if req.method != "GET" {
            return error(405, "Method not allowed");
        }
        let parts: Vec<&str> = req.path.split('/').filter(|p| !p.is_empty()).collect();
        match parts[..] {
            ["markets", "keyset"] => self.keyset(req, "markets", &self.gamma_markets(req)),
            ["events", "keyset"] => self.keyset(req, "events", &self.gamma_events(req)),
            ["markets"] => Response::json(200, &Value::Array(offset(req, self.gamma_markets(req)))),
            ["events"] => Response::json(200, &Value::Array(offset(req, self.gamma_events(req)))),
            ["markets", "slug", slug] => {
                self.gamma_one(|m| m["slug"] == slug, |v| v.gamma_market_list(true))
            }
            ["events", "slug", slug] => {
                self.gamma_one(|e| e["slug"] == slug, |v| v.gamma_event_list(true))
            }
            ["markets", id] => self.gamma_one(|m| m["id"] == id, |v| v.gamma_market_list(true)),
            ["events", id] => self.gamma_one(|e| e["id"] == id, |v| v.gamma_event_list(true)),
            ["status"] | [] => Response::text(200, "OK"),
            _ => error(404, "not found"),
        }
    }

    fn gamma_one(
        &self,
        wanted: impl Fn(&Value) -> bool,
        all: impl Fn(&Self) -> Vec<Value>,
    ) -> Response {
        match all(self).into_iter().find(|row| wanted(row)) {
            Some(row) => Response::json(200, &row),
            None => {
                Response::json(404, &json!({"type": "not found error", "error": "id not found"}))
            }
        }
    }

    fn keyset(&self, req: &Request, name: &str, rows: &[Value]) -> Response {
        if req.query("offset").is_some() {
            return Response::json(
                422,
                &json!({"error": "offset is not supported, use after_cursor"}),
            );
        }
        let limit = req.query("limit").and_then(|l| l.parse::<usize>().ok()).unwrap_or(20);
        let limit = limit.clamp(1, PAGE_MAX);
        let from = req.query("after_cursor").map_or(Some(0), super::rest::cursor);
        let Some(from) = from else { return error(422, "invalid cursor") };
        let page: Vec<&Value> = rows.iter().skip(from).take(limit).collect();
        let mut answer = json!({ name: page });
        if from + limit < rows.len() {
            answer["next_cursor"] = json!(super::rest::cursor_text(from + limit));
        }
        Response::json(200, &answer)
    }

    fn gamma_markets(&self, req: &Request) -> Vec<Value> {
        let wanted = |name: &str, row: &Value, field: &str| {
            let mut asked = req.query_all(name).peekable();
            asked.peek().is_none() || asked.any(|id| row[field] == id)
        };
        let in_list = |name: &str, row: &Value| {
            let mut asked = req.query_all(name).peekable();
            asked.peek().is_none()
                || asked.any(|id| row["clobTokenIds"].as_str().is_some_and(|l| l.contains(id)))
        };
        let condition = |row: &Value| {
            let mut asked = req.query_all("condition_ids").peekable();
            asked.peek().is_none()
                || asked.any(|id| {
                    let own = row["conditionId"].as_str().unwrap_or("?");
                    id == own || id.strip_suffix("00") == Some(own)
                })
        };
        let closed = req.query("closed").and_then(|c| c.parse::<bool>().ok());
        self.gamma_market_list(true)
            .into_iter()
            .filter(|row| closed.is_none_or(|closed| row["closed"] == closed))
            .filter(|row| wanted("slug", row, "slug") && wanted("id", row, "id"))
            .filter(|row| condition(row) && in_list("clob_token_ids", row))
            .collect()
    }

    fn gamma_events(&self, req: &Request) -> Vec<Value> {
        let wanted = |name: &str, row: &Value, field: &str| {
            let mut asked = req.query_all(name).peekable();
            asked.peek().is_none() || asked.any(|id| row[field] == id)
        };
        let closed = req.query("closed").and_then(|c| c.parse::<bool>().ok());
        self.gamma_event_list(req.query("include_markets") != Some("false"))
            .into_iter()
            .filter(|row| closed.is_none_or(|closed| row["closed"] == closed))
            .filter(|row| wanted("slug", row, "slug") && wanted("id", row, "id"))
            .collect()
    }

    fn gamma_market_list(&self, with_events: bool) -> Vec<Value> {
        (0..self.markets.len()).map(|m| self.gamma_market(m, with_events)).collect()
    }

    fn gamma_event_list(&self, with_markets: bool) -> Vec<Value> {
        let mut seen: Vec<&str> = Vec::new();
        let mut rows = Vec::new();
        for market in &self.markets {
            if !seen.contains(&market.spec.event_id.as_str()) {
                seen.push(&market.spec.event_id);
                rows.push(self.gamma_event(&market.spec.event_id, with_markets));
            }
        }
        rows
    }

    fn gamma_event(&self, id: &str, with_markets: bool) -> Value {
        let members: Vec<usize> =
            (0..self.markets.len()).filter(|&m| self.markets[m].spec.event_id == id).collect();
        let first = &self.markets[members[0]];
        let neg_risk = first.spec.neg_risk_market_id.clone();
        let mut event = json!({
            "id": id,
            "ticker": first.spec.event_slug,
            "slug": first.spec.event_slug,
            "title": first.spec.event_title,
            "description": "Synthetic event of surefoot's twin.",
            "startDate": text::rfc3339(first.opened),
            "endDate": text::rfc3339(first.spec.close),
            "active": true,
            "closed": members.iter().all(|&m| !self.markets[m].is_open()),
            "archived": false,
            "restricted": true,
            "enableOrderBook": true,
            "enableNegRisk": neg_risk.is_some(),
            "negRisk": neg_risk.is_some(),
            "negRiskAugmented": false,
        });
        if let Some(id) = neg_risk {
            event["negRiskMarketID"] = json!(id);
        }
        if with_markets {
            event["markets"] = members.iter().map(|&m| self.gamma_market(m, false)).collect();
        }
        event
    }

    /// One market as Gamma gives it: strings that contain JSON, the condition id of generation 3 without its last
    /// byte, token ids under `clobTokenIds` or `positionIds` by generation.
    fn gamma_market(&self, index: usize, with_events: bool) -> Value {
        let market = &self.markets[index];
        let spec = &market.spec;
        let three = spec.generation == Generation::Three;
        let (bid, ask) =
            (market.best(Outcome::Yes, Side::Bid), market.best(Outcome::Yes, Side::Ask));
        let (bid, ask) = (bid.unwrap_or(Price::ZERO), ask.unwrap_or(Price::ONE));
        let yes = market.resolved.unwrap_or_else(|| {
            Price::from_ticks(bid.ticks().midpoint(ask.ticks())).expect("between two prices")
        });
        let list = |a: &str, b: &str| Value::String(json!([a, b]).to_string());
        let condition = if three { &spec.condition_id[..64] } else { &spec.condition_id };
        let mut row = json!({
            "id": market.gamma_id,
            "version": market.version(),
            "question": spec.question,
            "conditionId": condition,
            "questionID": spec.question_id,
            "slug": spec.slug,
            "groupItemTitle": spec.group_title,
            "description": "Synthetic market of surefoot's twin.",
            "outcomes": list("Yes", "No"),
            "outcomePrices": list(&text::price(yes), &text::price(yes.complement())),
            "clobTokenIds": if three { Value::Null } else { list(&spec.yes_token, &spec.no_token) },
            "orderPriceMinTickSize": market.tick_number(),
            "orderMinSize": spec.min_size,
            "negRisk": spec.neg_risk(),
            "negRiskOther": false,
            "active": true,
            "closed": !market.is_open(),
            "archived": false,
            "acceptingOrders": market.is_open(),
            "acceptingOrdersTimestamp": text::rfc3339(market.opened),
            "enableOrderBook": true,
            "restricted": true,
            "startDate": text::rfc3339(market.opened),
            "endDate": text::rfc3339(spec.close),
            "secondsDelay": market.delay_secs,
            "clearBookOnStart": false,
            "feesEnabled": spec.fee_rate > 0,
            "feeType": "general_fees_v2",
            "feeSchedule": {
                "rate": text::number(spec.fee_rate.into(), 6), "exponent": 1, "takerOnly": true, "rebateRate": 0,
            },
            "makerBaseFee": 1000,
            "takerBaseFee": 1000,
            "rewardsMinSize": 0,
            "rewardsMaxSpread": 0,
            "bestBid": price_number(bid),
            "bestAsk": price_number(ask),
            "lastTradePrice": market.last.map_or(json!(0), price_number),
            "spread": price_number(Price::from_ticks(ask.ticks().saturating_sub(bid.ticks())).expect("a price")),
            "volume": text::qty(market.volume),
            "umaResolutionStatuses": "[]",
        });
        if three {
            row["positionIds"] = json!([spec.yes_token, spec.no_token]);
            row["resolutionStatus"] = json!(if market.is_open() { "inactive" } else { "resolved" });
        } else if !market.is_open() {
            row["umaResolutionStatus"] = json!("resolved");
        }
        if let Some(id) = &spec.neg_risk_market_id {
            row["negRiskMarketID"] = json!(id);
        }
        if !market.is_open() {
            let at = text::rfc3339(market.resolved_at);
            row["closedTime"] = json!(at.replace('T', " ").replace('Z', "+00"));
        }
        if with_events {
            row["events"] = json!([self.gamma_event(&spec.event_id, false)]);
        }
        row
    }

    /// The data API. Version 1 was retired on 2026-10-24; its paths still answer here for old readers.
    pub(super) fn data(&self, req: &Request) -> Response {
        if req.method != "GET" {
            return error(405, "Method not allowed");
        }
        let path = req.path.strip_prefix("/v2").unwrap_or(&req.path);
        let user = req.query("user").and_then(Address::parse);
        let account = user.and_then(|user| {
            (HOUSE_ACCOUNT + 1..self.accounts.len())
                .find(|&a| self.accounts[a].funder == user || self.accounts[a].address == user)
        });
        match path {
            "/" | "/status" => Response::json(200, &json!({"data": "OK"})),
            "/positions" if user.is_none() => {
                error(400, "required query param 'user' not provided")
            }
            "/positions" => {
                let rows = account.map_or_else(Vec::new, |a| self.positions(a, req));
                Response::json(200, &Value::Array(offset(req, rows)))
            }
            "/value" if user.is_none() => error(400, "required query param 'user' not provided"),
            "/value" => {
                let value = account.map_or(Usd::ZERO, |a| self.value(a));
                let user = req.query("user").unwrap_or_default();
                Response::json(200, &json!([{"user": user, "value": usd_number(value)}]))
            }
            "/trades" | "/activity" => {
                let rows = self.data_trades(account, user.is_some(), req);
                Response::json(200, &Value::Array(offset(req, rows)))
            }
            _ => error(404, "not found"),
        }
    }

    /// What a share is worth now: the result, else the best bid of its own book.
    fn mark(&self, market: usize, outcome: Outcome) -> Price {
        self.markets[market].best(outcome, Side::Bid).unwrap_or(Price::ZERO)
    }

    fn value(&self, account: usize) -> Usd {
        self.accounts[account].shares.iter().fold(Usd::ZERO, |sum, (&(market, outcome), &qty)| {
            let outcome = if outcome == 0 { Outcome::Yes } else { Outcome::No };
            sum + self.mark(market, outcome).proceeds_floor(qty)
        })
    }

    fn positions(&self, account: usize, req: &Request) -> Vec<Value> {
        let owner = &self.accounts[account];
        let mut rows = Vec::new();
        for (&(market, number), &qty) in &owner.shares {
            let terms = &self.markets[market];
            let mut asked = req.query_all("market").peekable();
            let wanted = asked.peek().is_none() || asked.any(|id| id == terms.spec.condition_id);
            if qty.is_zero() || !wanted {
                continue;
            }
            let outcome = if number == 0 { Outcome::Yes } else { Outcome::No };
            let paid = owner.paid.get(&(market, number)).copied().unwrap_or(Usd::ZERO);
            let mark = self.mark(market, outcome);
            let worth = mark.proceeds_floor(qty);
            let average = i128::from(paid.micros()) * 1_000_000 / i128::from(qty.micros());
            let average = u64::try_from(average).unwrap_or(0);
            rows.push(json!({
                "proxyWallet": owner.funder.text(),
                "asset": terms.token(outcome),
                "conditionId": terms.spec.condition_id,
                "size": text::number(qty.micros(), 6),
                "avgPrice": text::number(average, 6),
                "initialValue": usd_number(paid),
                "currentValue": usd_number(worth),
                "cashPnl": usd_number(worth - paid),
                "totalBought": text::number(qty.micros(), 6),
                "realizedPnl": 0,
                "curPrice": price_number(mark),
                "redeemable": false,
                "mergeable": !owner.held(market, outcome.other()).is_zero(),
                "title": terms.spec.question,
                "slug": terms.spec.slug,
                "eventSlug": terms.spec.event_slug,
                "outcome": outcome_name(outcome),
                "outcomeIndex": number,
                "oppositeOutcome": outcome_name(outcome.other()),
                "oppositeAsset": terms.token(outcome.other()),
                "endDate": text::rfc3339(terms.spec.close),
                "negativeRisk": terms.spec.neg_risk(),
            }));
        }
        rows
    }

    fn data_trades(&self, account: Option<usize>, by_user: bool, req: &Request) -> Vec<Value> {
        let mut rows = Vec::new();
        for trade in self.trades.iter().rev() {
            let terms = &self.markets[trade.market];
            let mut asked = req.query_all("market").peekable();
            if asked.peek().is_some() && !asked.any(|id| id == terms.spec.condition_id) {
                continue;
            }
            for part in std::iter::once(&trade.taker).chain(&trade.makers) {
                if by_user && Some(part.account) != account {
                    continue;
                }
                rows.push(json!({
                    "proxyWallet": self.accounts[part.account].funder.text(),
                    "side": action_name(part.action),
                    "asset": terms.token(part.outcome),
                    "conditionId": terms.spec.condition_id,
                    "size": text::number(part.qty.micros(), 6),
                    "price": price_number(part.price),
                    "timestamp": trade.at.get() / 1_000_000_000,
                    "transactionHash": trade.transaction.clone().unwrap_or_default(),
                    "title": terms.spec.question,
                    "slug": terms.spec.slug,
                    "eventSlug": terms.spec.event_slug,
                    "outcome": outcome_name(part.outcome),
                    "outcomeIndex": part.outcome as u8,
                }));
                if !by_user {
                    break; // the public list shows a trade once, from its taker's side
                }
            }
        }
        rows
    }
}

/// The rows that `limit` and `offset` ask for.
fn offset(req: &Request, rows: Vec<Value>) -> Vec<Value> {
    let number = |name| req.query(name).and_then(|n| n.parse::<usize>().ok());
    let limit = number("limit").unwrap_or(PAGE_MAX).min(500);
    rows.into_iter().skip(number("offset").unwrap_or(0)).take(limit).collect()
}

/// An error in the shape all three hosts share.
pub fn error(status: u16, text: &str) -> Response {
    Response::json(status, &json!({ "error": text }))
}

/// Unix seconds.
pub const fn secs(at: Nanos) -> u64 {
    at.get() / 1_000_000_000
}
