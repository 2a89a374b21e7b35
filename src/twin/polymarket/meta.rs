//! Gamma's metadata, in the venue's shapes (`venues/polymarket.md` §7).

use serde_json::{Value, json};
use surefoot_hot::ids::{Outcome, Side};
use surefoot_hot::units::Price;

use super::answers::{cursor, cursor_text, error, price_number};
use super::{PolymarketVenue, text};
use crate::twin::http::{Request, Response};
use crate::twin::routes::{Found, Route, find};
use crate::twin::worldset::Generation;

/// What Gamma answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GammaCall {
    /// That it is up.
    Status,
    /// Markets by cursor.
    MarketsKeyset,
    /// Events by cursor.
    EventsKeyset,
    /// Markets by offset.
    Markets,
    /// Events by offset.
    Events,
    /// One market.
    Market,
    /// One event.
    Event,
    /// One market, by its part of an address.
    MarketBySlug,
    /// One event, by its part of an address.
    EventBySlug,
    /// Tags, of which there are none.
    Tags,
}

const NO_TAGS: &str = "always empty: nothing has a tag here";

/// The host's calls.
pub const ROUTES: &[Route<GammaCall>] = &[
    Route::new("GET", "/", GammaCall::Status),
    Route::new("GET", "/status", GammaCall::Status),
    Route::partly("GET", "/markets/keyset", GammaCall::MarketsKeyset, FILTERS),
    Route::partly("GET", "/events/keyset", GammaCall::EventsKeyset, FILTERS),
    Route::partly("GET", "/markets", GammaCall::Markets, FILTERS),
    Route::partly("GET", "/events", GammaCall::Events, FILTERS),
    Route::new("GET", "/markets/slug/{slug}", GammaCall::MarketBySlug),
    Route::new("GET", "/events/slug/{slug}", GammaCall::EventBySlug),
    Route::new("GET", "/markets/{id}", GammaCall::Market),
    Route::new("GET", "/events/{id}", GammaCall::Event),
    Route::partly("GET", "/tags", GammaCall::Tags, NO_TAGS),
    Route::partly("GET", "/markets/{id}/tags", GammaCall::Tags, NO_TAGS),
    Route::partly("GET", "/events/{id}/tags", GammaCall::Tags, NO_TAGS),
];

const FILTERS: &str =
    "filters: closed, id, slug, condition_ids, clob_token_ids; in the order they were opened";

/// The most rows of one page.
const PAGE_MAX: usize = 100;

impl PolymarketVenue {
    /// Gamma.
    pub(super) fn gamma(&self, req: &Request) -> Response {
        let (call, id) = match find(ROUTES, &req.method, &req.path) {
            Found::Endpoint(call, open) => (call, open.first().copied().unwrap_or_default()),
            Found::OtherMethod => return error(405, "Method not allowed"),
            Found::Nothing => return error(404, "not found"),
        };
        match call {
            GammaCall::Status => Response::text(200, "OK"),
            GammaCall::MarketsKeyset => self.keyset(req, "markets", &self.gamma_markets(req)),
            GammaCall::EventsKeyset => self.keyset(req, "events", &self.gamma_events(req)),
            GammaCall::Markets => {
                Response::json(200, &Value::Array(offset(req, self.gamma_markets(req))))
            }
            GammaCall::Events => {
                Response::json(200, &Value::Array(offset(req, self.gamma_events(req))))
            }
            GammaCall::MarketBySlug => {
                self.gamma_one(|m| m["slug"] == id, |v| v.gamma_market_list(true))
            }
            GammaCall::EventBySlug => {
                self.gamma_one(|e| e["slug"] == id, |v| v.gamma_event_list(true))
            }
            GammaCall::Market => self.gamma_one(|m| m["id"] == id, |v| v.gamma_market_list(true)),
            GammaCall::Event => self.gamma_one(|e| e["id"] == id, |v| v.gamma_event_list(true)),
            GammaCall::Tags => Response::json(200, &json!([])),
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
        let from = req.query("after_cursor").map_or(Some(0), cursor);
        let Some(from) = from else { return error(422, "invalid cursor") };
        let page: Vec<&Value> = rows.iter().skip(from).take(limit).collect();
        let mut answer = json!({ name: page });
        let next = from.saturating_add(limit);
        if next < rows.len() {
            answer["next_cursor"] = json!(cursor_text(next));
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
            "marketMakerAddress": "",
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
}

/// The rows that `limit` and `offset` ask for.
fn offset(req: &Request, rows: Vec<Value>) -> Vec<Value> {
    let number = |name| req.query(name).and_then(|n| n.parse::<usize>().ok());
    let limit = number("limit").unwrap_or(PAGE_MAX).min(500);
    rows.into_iter().skip(number("offset").unwrap_or(0)).take(limit).collect()
}
