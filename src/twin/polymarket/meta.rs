//! Gamma's metadata, in the venue's shapes (`venues/polymarket.md` §7).

use serde_json::{Value, json};
use surefoot_hot::ids::{Outcome, Side};
use surefoot_hot::units::Price;

use super::answers::{cursor, cursor_text, error, price_number};
use super::market::Market;
use super::{PolymarketVenue, text};
use crate::twin::http::{Request, Response};
use crate::twin::market_set::{Generation, PolymarketMarket};
use crate::twin::routes::{Found, Route, find};

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
    Market,
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

/// The most rows of one page of a listing.
pub const PAGE_MAX: usize = 100;
/// The largest offset of a listing; whoever wants more pages by cursor.
pub const OFFSET_MAX: usize = 2_000;

impl PolymarketVenue {
    /// Answers one request at Gamma's host.
    pub(super) fn gamma(&self, req: &Request) -> Response {
        let (call, id) = match find(ROUTES, &req.method, &req.path) {
            Found::Endpoint(call, open) => (call, open.first().copied().unwrap_or_default()),
            Found::OtherMethod => return error(405, "Method not allowed"),
            Found::Nothing => return error(404, "not found"),
        };
        match call {
            GammaCall::Status => Response::text(200, "OK"),
            GammaCall::MarketsKeyset => {
                keyset(req, "markets", &self.markets_asked_for(req), |&m| {
                    self.gamma_market(m, true)
                })
            }
            GammaCall::EventsKeyset => {
                let nested = wants_markets(req);
                keyset(req, "events", &self.events_asked_for(req), |e| self.gamma_event(e, nested))
            }
            GammaCall::Markets => {
                by_offset(req, &self.markets_asked_for(req), |&m| self.gamma_market(m, true))
            }
            GammaCall::Events => {
                let nested = wants_markets(req);
                by_offset(req, &self.events_asked_for(req), |e| self.gamma_event(e, nested))
            }
            GammaCall::MarketBySlug => self.one_market(|m| m.spec.slug == id),
            GammaCall::Market => self.one_market(|m| m.gamma_id == id),
            GammaCall::EventBySlug => self.one_event(|m| m.spec.event_slug == id),
            GammaCall::Event => self.one_event(|m| m.spec.event_id == id),
            GammaCall::Tags => Response::json(200, &json!([])),
        }
    }

    fn one_market(&self, is_it: impl Fn(&Market) -> bool) -> Response {
        match self.markets.iter().position(is_it) {
            Some(market) => Response::json(200, &self.gamma_market(market, true)),
            None => not_found(),
        }
    }

    /// The event that the first market of this kind belongs to.
    fn one_event(&self, is_of_it: impl Fn(&Market) -> bool) -> Response {
        match self.markets.iter().find(|market| is_of_it(market)) {
            Some(market) => Response::json(200, &self.gamma_event(&market.spec.event_id, true)),
            None => not_found(),
        }
    }

    /// Indices of the markets that a request's filters let through, in the order they were opened.
    fn markets_asked_for(&self, req: &Request) -> Vec<usize> {
        let closed = req.query("closed").and_then(|c| c.parse::<bool>().ok());
        let is_wanted = |market: &Market| {
            let spec = &market.spec;
            let condition = gamma_condition(spec);
            // Generation 3 is known by 62 digits as well as by 64, and only by `positionIds`.
            let is_condition =
                |id: &str| id == condition || id.strip_suffix("00") == Some(condition);
            let is_token = |id: &str| {
                spec.generation == Generation::Two && (id == spec.yes_token || id == spec.no_token)
            };
            closed.is_none_or(|closed| closed != market.is_open())
                && is_among(req, "slug", |slug| slug == spec.slug)
                && is_among(req, "id", |id| id == market.gamma_id)
                && is_among(req, "condition_ids", is_condition)
                && is_among(req, "clob_token_ids", is_token)
        };
        (0..self.markets.len()).filter(|&market| is_wanted(&self.markets[market])).collect()
    }

    /// Ids of the events that a request's filters let through, in the order they were opened.
    fn events_asked_for(&self, req: &Request) -> Vec<&str> {
        let closed = req.query("closed").and_then(|c| c.parse::<bool>().ok());
        let is_wanted = |&id: &&str| {
            let members = &self.event_markets[id];
            let is_open = || members.iter().any(|&m| self.markets[m].is_open());
            let slug = &self.markets[members[0]].spec.event_slug;
            closed.is_none_or(|closed| closed != is_open())
                && is_among(req, "slug", |asked| asked == slug)
                && is_among(req, "id", |asked| asked == id)
        };
        let first = |&market: &usize| {
            let event = &self.markets[market].spec.event_id;
            self.event_markets[event][0] == market
        };
        let events = (0..self.markets.len()).filter(first);
        events.map(|m| self.markets[m].spec.event_id.as_str()).filter(is_wanted).collect()
    }

    fn gamma_event(&self, id: &str, with_markets: bool) -> Value {
        let members = &self.event_markets[id];
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
    pub(super) fn gamma_market(&self, index: usize, with_events: bool) -> Value {
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
        let mut row = json!({
            "id": market.gamma_id,
            "version": market.version(),
            "question": spec.question,
            "conditionId": gamma_condition(spec),
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
                "rate": text::number::<6>(spec.fee_rate.into()), "exponent": 1, "takerOnly": true, "rebateRate": 0,
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
            "umaResolutionStatuses": if market.is_disputed { r#"["proposed", "disputed"]"# } else { "[]" },
        });
        if three {
            row["positionIds"] = json!([spec.yes_token, spec.no_token]);
            let status = match (market.is_open(), market.is_disputed) {
                (true, false) => "inactive",
                (true, true) => "disputed",
                (false, _) => "resolved",
            };
            row["resolutionStatus"] = json!(status);
        } else if !market.is_open() {
            row["umaResolutionStatus"] = json!("resolved");
        } else if market.is_disputed {
            row["umaResolutionStatus"] = json!("disputed");
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

/// Whether one of the values given under `name` fits; true if none is given.
fn is_among(req: &Request, name: &str, fits: impl Fn(&str) -> bool) -> bool {
    let mut asked = req.query_all(name).peekable();
    asked.peek().is_none() || asked.any(fits)
}

/// Whether a listing of events carries their markets, as it does unless told otherwise.
fn wants_markets(req: &Request) -> bool {
    req.query("include_markets") != Some("false")
}

/// A page of a listing by cursor: 20 rows unless `limit` says otherwise, which is clamped to 1 to [`PAGE_MAX`]
/// without a word (`venues/polymarket.md` §7.3).
fn keyset<T>(req: &Request, name: &str, rows: &[T], shape: impl Fn(&T) -> Value) -> Response {
    if req.query("offset").is_some() {
        let text = "offset is not supported, use after_cursor";
        return Response::json(422, &json!({ "error": text }));
    }
    let limit = req.query("limit").and_then(|l| l.parse::<usize>().ok()).unwrap_or(20);
    let limit = limit.clamp(1, PAGE_MAX);
    let from = req.query("after_cursor").map_or(Some(0), cursor);
    let Some(from) = from else { return error(422, "invalid cursor") };
    let page: Vec<Value> = rows.iter().skip(from).take(limit).map(shape).collect();
    let mut answer = json!({ name: page });
    let next = from.saturating_add(limit);
    if next < rows.len() {
        answer["next_cursor"] = json!(cursor_text(next));
    }
    Response::json(200, &answer)
}

/// A page of a listing by `limit` and `offset`: at most [`PAGE_MAX`] rows, without a word about more (seen since
/// 2026-05-17), and nothing beyond [`OFFSET_MAX`] (text seen 2026-06-18).
fn by_offset<T>(req: &Request, rows: &[T], shape: impl Fn(&T) -> Value) -> Response {
    let number = |name| req.query(name).and_then(|n| n.parse::<usize>().ok());
    let (limit, offset) = (number("limit").unwrap_or(PAGE_MAX), number("offset").unwrap_or(0));
    if offset > OFFSET_MAX {
        let text = "offset too large, use /markets/keyset for deeper pagination";
        return Response::json(422, &json!({ "type": "validation error", "error": text }));
    }
    let page = rows.iter().skip(offset).take(limit.min(PAGE_MAX)).map(shape);
    Response::json(200, &page.collect())
}

fn not_found() -> Response {
    Response::json(404, &json!({ "type": "not found error", "error": "id not found" }))
}

/// A condition id as Gamma writes it: that of generation 3 without its last byte.
fn gamma_condition(spec: &PolymarketMarket) -> &str {
    match spec.generation {
        Generation::Two => &spec.condition_id,
        Generation::Three => &spec.condition_id[..64],
    }
}
