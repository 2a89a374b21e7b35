//! The CLOB's REST: public market data, API keys and what one owns (`venues/polymarket.md` §4). Orders are in `trading`.

use std::iter::empty;

use serde_json::{Map, Value, json};
use surefoot_cold::text::{parse_hex, parse_hex_vec};
use surefoot_cold::venue::polymarket::eip712::{Address, Exchange, auth_digest, recover};
use surefoot_hot::ids::{Outcome, Side};
use surefoot_hot::units::{Nanos, Price, Qty};

use super::account::Credential;
use super::answers::{Answer, cursor, cursor_text, error, outcome_name, secs};
use super::calls::{ClobCall, Fact, PrivateCall, PublicCall, ROUTES};
use super::trade::{TradeStatus, action_name};
use super::{HOUSE_ACCOUNT, PolymarketVenue, text};
use crate::twin::http::{Request, Response};
use crate::twin::routes::{Found, find};

/// Rows of one page of orders or trades.
const PAGE: usize = 100;
/// The cursor that says there is no more: base64 of `-1`.
const LAST_CURSOR: &str = "LTE=";
/// API accounts that strangers may open.
const ACCOUNTS_MAX: usize = 64;
/// An allowance without bound.
const UNBOUNDED: &str =
    "115792089237316195423570985008687907853269984665640564039457584007913129639935";

/// A page in the venue's envelope. Only the rows of the page are written.
fn page<T>(
    req: &Request,
    rows: impl ExactSizeIterator<Item = T>,
    shape: impl Fn(T) -> Value,
) -> Response {
    written_page(req, rows, |row, out| out.push_str(&shape(row).to_string()))
}

/// The same, each row written as JSON by `write`.
fn written_page<T>(
    req: &Request,
    rows: impl ExactSizeIterator<Item = T>,
    write: impl Fn(T, &mut String),
) -> Response {
    let Some(from) = cursor(req.query("next_cursor").unwrap_or_default()) else {
        return error(400, "invalid next_cursor");
    };
    let total = rows.len();
    let next = from.saturating_add(PAGE);
    let next = if next < total { cursor_text(next) } else { LAST_CURSOR.into() };
    let count = total.saturating_sub(from).min(PAGE);
    let head = json!({"limit": PAGE, "count": count, "next_cursor": next}).to_string();
    let mut body = head.strip_suffix('}').expect("an object ends so").to_owned();
    body.push_str(",\"data\":[");
    for (place, row) in rows.skip(from).take(PAGE).enumerate() {
        body.push_str(if place == 0 { "" } else { "," });
        write(row, &mut body);
    }
    body.push_str("]}");
    Response::json_text(200, body)
}

impl PolymarketVenue {
    /// One request at the CLOB host.
    pub(super) fn clob(&mut self, req: &Request, now: Nanos) -> Response {
        let (call, open) = match find(ROUTES, &req.method, &req.path) {
            Found::Endpoint(call, open) => (call, open.first().copied().unwrap_or_default()),
            Found::OtherMethod => return error(405, "Method not allowed"),
            Found::Nothing => return error(404, "not found"),
        };
        let answer = match call {
            ClobCall::Public(call) => Ok(self.public(call, open, req, now)),
            ClobCall::CreateKey => self.create_key(req, now),
            ClobCall::DeriveKey => self.derive_key(req, now),
            ClobCall::Private(call) => self.private(call, open, req, now),
        };
        answer.unwrap_or_else(|refusal| refusal)
    }

    /// What needs no key.
    fn public(&self, call: PublicCall, open: &str, req: &Request, now: Nanos) -> Response {
        match call {
            PublicCall::Ok => Response::json(200, &json!("OK")),
            PublicCall::Time => Response::text(200, &secs(now).to_string()),
            PublicCall::Version => Response::json(200, &json!({"version": 2})),
            PublicCall::ClobMarket => {
                self.by_condition_or_404(open, |v, m| v.markets[m].clob_market())
            }
            PublicCall::Market => {
                self.by_condition_or_404(open, |v, m| v.markets[m].legacy_market())
            }
            PublicCall::Markets => {
                page(req, self.markets.iter(), super::market::Market::legacy_market)
            }
            PublicCall::SimplifiedMarkets => {
                page(req, self.markets.iter(), super::market::Market::simplified_market)
            }
            PublicCall::MarketByToken => self.markets_by_token(open),
            PublicCall::Books => self.books(req),
            PublicCall::Many(fact) => self.many(req, fact),
            PublicCall::LastTrades => self.last_trades(req),
            PublicCall::Of(fact) => {
                let token = if open.is_empty() { req.query("token_id") } else { Some(open) };
                self.of_token(fact, token.unwrap_or_default(), req)
            }
            PublicCall::PricesHistory => Response::json(200, &json!({"history": []})),
            PublicCall::RewardMarkets => page(req, empty::<Value>(), |row| row),
            PublicCall::Deployed => Response::json(200, &json!({"deployed": true})),
        }
    }

    fn by_condition_or_404(
        &self,
        condition: &str,
        shape: impl Fn(&Self, usize) -> Value,
    ) -> Response {
        match self.by_condition.get(condition) {
            Some(&market) => Response::json(200, &shape(self, market)),
            None => error(404, "market not found"),
        }
    }

    fn markets_by_token(&self, token: &str) -> Response {
        let Some(&(market, _)) = self.by_token.get(token) else {
            return error(404, "market not found");
        };
        let spec = &self.markets[market].spec;
        let (yes, no) = (&spec.yes_token, &spec.no_token);
        // The numerically smaller one, which says nothing about YES.
        let first = (yes.len(), yes) < (no.len(), no);
        let (primary, secondary) = if first { (yes, no) } else { (no, yes) };
        Response::json(
            200,
            &json!({
                "condition_id": spec.condition_id,
                "primary_token_id": primary,
                "secondary_token_id": secondary,
            }),
        )
    }

    fn of_token(&self, fact: Fact, token: &str, req: &Request) -> Response {
        let Some(&(market, outcome)) = self.by_token.get(token) else {
            return error(404, "No orderbook exists for the requested token id");
        };
        let terms = &self.markets[market];
        if fact == Fact::Book {
            let body = terms.book_text(outcome, false).into_bytes();
            return Response { body, ..Response::json(200, &Value::Null) };
        }
        match self.fact(fact, market, outcome, req.query("side")) {
            Some(fact) => Response::json(200, &fact),
            None => error(404, "No orderbook exists for the requested token id"),
        }
    }

    /// One number about a token; `None` where the book cannot tell.
    fn fact(
        &self,
        fact: Fact,
        market: usize,
        outcome: Outcome,
        side: Option<&str>,
    ) -> Option<Value> {
        let terms = &self.markets[market];
        let (bid, ask) = (terms.best(outcome, Side::Bid), terms.best(outcome, Side::Ask));
        Some(match fact {
            Fact::Book => return None, // its text is made apart
            Fact::Midpoint => {
                let sum = u64::from(bid?.ticks()) + u64::from(ask?.ticks());
                json!({"mid": text::usd(i64::try_from(sum * 50).expect("below two dollars"))})
            }
            Fact::Price => {
                let price =
                    if side.is_some_and(|s| s.eq_ignore_ascii_case("BUY")) { bid } else { ask };
                json!({"price": price.map_or_else(|| "0".into(), text::price)})
            }
            Fact::Spread => {
                let spread = ask?.ticks().saturating_sub(bid?.ticks());
                json!({"spread": text::price(Price::from_ticks(spread)?)})
            }
            Fact::LastTrade => {
                let price = terms.last.map_or_else(|| "0.5".into(), text::price);
                json!({"price": price, "side": terms.last_side.map_or("", action_name)})
            }
            Fact::TickSize => json!({"minimum_tick_size": terms.tick_number()}),
            Fact::NegRisk => json!({"neg_risk": terms.spec.neg_risk()}),
            Fact::FeeRate => json!({"base_fee": 1000}),
        })
    }

    /// `token_id` fields of a body that is a list of objects.
    fn tokens_of(req: &Request) -> Option<Vec<(String, Option<String>)>> {
        let rows = req.json()?;
        let text = |row: &Value, name| row.get(name).and_then(Value::as_str).map(str::to_owned);
        rows.as_array()?
            .iter()
            .map(|row| Some((text(row, "token_id")?, text(row, "side"))))
            .collect()
    }

    fn books(&self, req: &Request) -> Response {
        let Some(tokens) = Self::tokens_of(req) else { return error(400, "Invalid payload") };
        let books: Vec<String> = tokens
            .iter()
            .filter_map(|(token, _)| self.by_token.get(token))
            .map(|&(market, outcome)| self.markets[market].book_text(outcome, false))
            .collect();
        let body = format!("[{}]", books.join(",")).into_bytes();
        Response { body, ..Response::json(200, &Value::Null) }
    }

    /// The last trade of each token that has traded: a list, unlike the other calls for many
    /// (`venues/polymarket.md` §7.4). Some clients send it as a GET with a body.
    fn last_trades(&self, req: &Request) -> Response {
        let Some(tokens) = Self::tokens_of(req) else { return error(400, "Invalid payload") };
        let row = |(token, _): (String, Option<String>)| {
            let &(market, outcome) = self.by_token.get(&token)?;
            self.markets[market].last_side?; // clients refuse a row without a side
            let mut row = self.fact(Fact::LastTrade, market, outcome, None)?;
            row["token_id"] = json!(token);
            Some(row)
        };
        Response::json(200, &tokens.into_iter().filter_map(row).collect())
    }

    fn many(&self, req: &Request, fact: Fact) -> Response {
        let Some(tokens) = Self::tokens_of(req) else { return error(400, "Invalid payload") };
        let key = match fact {
            Fact::Midpoint => "mid",
            Fact::Spread => "spread",
            _ => "price",
        };
        let mut answer = Map::new();
        for (token, side) in tokens {
            let Some(&(market, outcome)) = self.by_token.get(&token) else { continue };
            let found = self.fact(fact, market, outcome, side.as_deref());
            let Some(mut value) = found.map(|f| f[key].clone()) else { continue };
            if let Some(side) = side.filter(|_| fact == Fact::Price) {
                // The other side stays, where both were asked for.
                let other = answer.remove(&token).filter(Value::is_object);
                let mut sides = other.unwrap_or_else(|| json!({}));
                sides[side] = value;
                value = sides;
            }
            answer.insert(token, value);
        }
        Response::json(200, &Value::Object(answer))
    }

    /// L1: who signed the request for a key, and with which nonce.
    fn signer(&self, req: &Request, now: Nanos) -> Result<(Address, u64), Response> {
        let refused = || error(401, "Invalid L1 Request headers");
        let header = |name| req.header(name).ok_or_else(refused);
        let address = Address::parse(header("POLY_ADDRESS")?).ok_or_else(refused)?;
        let timestamp = header("POLY_TIMESTAMP")?;
        if !self.is_fresh(timestamp, now) {
            return Err(refused());
        }
        let nonce =
            req.header("POLY_NONCE").unwrap_or("0").parse::<u64>().map_err(|_| refused())?;
        let signature = parse_hex_vec(header("POLY_SIGNATURE")?).ok_or_else(refused)?;
        let digest = auth_digest(&address, timestamp, nonce, self.chain);
        match recover(&digest, &signature) {
            Ok(by) if by == address => Ok((address, nonce)),
            _ => Err(refused()),
        }
    }

    fn create_key(&mut self, req: &Request, now: Nanos) -> Answer {
        let (address, nonce) = self.signer(req, now)?;
        let known = (HOUSE_ACCOUNT + 1..self.accounts.len())
            .find(|&account| self.accounts[account].address == address);
        let account = match known {
            Some(account) => account,
            None if self.accounts.len() >= ACCOUNTS_MAX => {
                return Err(error(400, "Could not create api key"));
            }
            None => {
                self.add_stranger(address);
                self.accounts.len() - 1
            }
        };
        let found = self.credentials.iter().position(|c| c.account == account && c.nonce == nonce);
        let index = found.unwrap_or_else(|| {
            self.credentials.push(Credential::derive(&self.ids, account, &address, nonce));
            self.credentials.len() - 1
        });
        self.credentials[index].active = true;
        Ok(key_json(&self.credentials[index]))
    }

    fn derive_key(&self, req: &Request, now: Nanos) -> Answer {
        let (address, nonce) = self.signer(req, now)?;
        let found = self
            .credentials
            .iter()
            .find(|c| c.active && c.nonce == nonce && self.accounts[c.account].address == address);
        found.map(key_json).ok_or_else(|| error(400, "Could not derive api key!"))
    }

    /// Whether a header's timestamp, in whole seconds, is neither old nor ahead of us.
    fn is_fresh(&self, timestamp: &str, now: Nanos) -> bool {
        let Ok(said) = timestamp.parse::<u64>() else { return false };
        let (now, age) = (secs(now), secs(self.header_age_max));
        said <= now.saturating_add(secs(self.header_ahead_max)) && said >= now.saturating_sub(age)
    }

    /// L2: whose request this is.
    fn login(&self, req: &Request, now: Nanos) -> Result<usize, Response> {
        let key = req.header("POLY_API_KEY").unwrap_or_default();
        let found = self.credentials.iter().position(|c| c.api_key == key);
        let fresh = self.is_fresh(req.header("POLY_TIMESTAMP").unwrap_or_default(), now);
        found
            .filter(|&c| {
                fresh && {
                    let credential = &self.credentials[c];
                    credential.signed(req, &self.accounts[credential.account].address)
                }
            })
            .ok_or_else(|| error(401, "Unauthorized/Invalid api key"))
    }

    fn private(&mut self, call: PrivateCall, open: &str, req: &Request, now: Nanos) -> Answer {
        let credential = self.login(req, now)?;
        let account = self.credentials[credential].account;
        Ok(match call {
            PrivateCall::PostOrder => self.post_order(req, credential, now),
            PrivateCall::PostOrders => self.post_orders(req, credential, now),
            PrivateCall::Cancel(what) => return self.cancels(what, req, credential, now),
            PrivateCall::DeleteKey => {
                self.credentials[credential].active = false;
                Response::json(200, &json!("OK"))
            }
            PrivateCall::Heartbeat => self.heartbeat(req, credential, now),
            PrivateCall::OldHeartbeat => {
                self.credentials[credential].beat = Some((String::new(), now));
                self.arm(now);
                Response::json(200, &json!({"status": "ok"}))
            }
            PrivateCall::Orders => {
                let mut rows: Vec<usize> = match req.query("id") {
                    Some(id) => self.order_of(account, id).into_iter().collect(),
                    None => self.accounts[account].live.clone(),
                };
                rows.retain(|&o| {
                    self.matches_filter(req, self.orders[o].market, Some(self.orders[o].outcome))
                });
                page(req, rows.into_iter(), |order| self.order_json(order))
            }
            PrivateCall::Order => match self.order_of(account, open) {
                Some(order) => Response::json(200, &self.order_json(order)),
                None => error(404, "order not found"),
            },
            PrivateCall::Trades => {
                let rows = self.own_trades(account, req).into_iter();
                written_page(req, rows, |trade, out| self.write_trade(trade, account, out))
            }
            PrivateCall::Keys => {
                let keys: Vec<&str> = self
                    .credentials
                    .iter()
                    .filter(|c| c.account == account && c.active)
                    .map(|c| c.api_key.as_str())
                    .collect();
                Response::json(200, &json!({"apiKeys": keys}))
            }
            PrivateCall::ClosedOnly => Response::json(200, &json!({"closed_only": false})),
            PrivateCall::Balance => self.balance(account, req),
            PrivateCall::Tier => Response::json(200, &json!({"tier": self.tier.name()})),
            PrivateCall::Nothing => Response::json(200, &json!([])),
            PrivateCall::NothingPaged => page(req, empty::<Value>(), |row| row),
            PrivateCall::DropNotifications => Response::json(200, &json!("OK")),
            PrivateCall::Scoring => Response::json(200, &json!({"scoring": false})),
            PrivateCall::ManyScoring => {
                let ids = req.json().unwrap_or_default();
                let ids = ids.as_array().cloned().unwrap_or_default();
                let rows = ids.iter().filter_map(Value::as_str).map(|id| (id.into(), json!(false)));
                Response::json(200, &Value::Object(rows.collect()))
            }
        })
    }

    pub(super) fn order_of(&self, account: usize, id: &str) -> Option<usize> {
        let index = *self.by_order.get(&parse_hex::<32>(id)?)?;
        (self.orders[index].account == account).then_some(index)
    }

    fn matches_filter(&self, req: &Request, market: usize, outcome: Option<Outcome>) -> bool {
        let terms = &self.markets[market];
        let token = |id: &str| match outcome {
            Some(outcome) => terms.token(outcome) == id,
            None => terms.spec.yes_token == id || terms.spec.no_token == id,
        };
        req.query("market").is_none_or(|id| id == terms.spec.condition_id)
            && req.query("asset_id").is_none_or(token)
    }

    fn balance(&self, account: usize, req: &Request) -> Response {
        let asset_type = req.query("asset_type").unwrap_or_default();
        let balance = match asset_type {
            "COLLATERAL" => u64::try_from(self.shown_cash(account).micros()).unwrap_or(0),
            "CONDITIONAL" | "CONDITIONAL-V2" => {
                let token = req.query("token_id").unwrap_or_default();
                match self.by_token.get(token) {
                    Some(&(market, outcome)) => self.shown_held(account, market, outcome).micros(),
                    None => return error(400, "invalid token id"),
                }
            }
            _ => return error(400, "invalid asset type"),
        };
        let contracts = Exchange::ALL.iter().map(|e| e.contract(self.chain).text());
        let allowances: Map<String, Value> =
            contracts.map(|contract| (contract, json!(UNBOUNDED))).collect();
        Response::json(200, &json!({"balance": balance.to_string(), "allowances": allowances}))
    }

    fn order_json(&self, index: usize) -> Value {
        let order = &self.orders[index];
        let market = &self.markets[order.market];
        let trades: Vec<&str> = order.trades.iter().filter_map(|&t| self.trade_id(t)).collect();
        json!({
            "id": text::hex(&order.id),
            "status": order.status.rest_name(),
            "owner": self.credentials[order.credential].api_key,
            "maker_address": self.accounts[order.account].funder.text(),
            "market": market.spec.condition_id,
            "asset_id": market.token(order.outcome),
            "side": action_name(order.action),
            "original_size": text::qty(order.original),
            "size_matched": text::qty(order.matched),
            "price": text::price(order.price),
            "outcome": outcome_name(order.outcome),
            "expiration": order.expiration.to_string(),
            "order_type": order.order_type.name(),
            "associate_trades": trades,
            "created_at": secs(order.created),
        })
    }

    /// Indices of the account's trades that a request asks for, newest first.
    fn own_trades(&self, account: usize, req: &Request) -> Vec<usize> {
        let time = |name| req.query(name).and_then(|t| t.parse::<u64>().ok());
        let (after, before) = (time("after"), time("before"));
        (0..self.trades.len())
            .rev()
            // The list is in the order of time: behind the first one that is too old all are.
            .take_while(|&index| after.is_none_or(|t| secs(self.trades[index].at) >= t))
            .filter(|&index| {
                let trade = &self.trades[index];
                let at = secs(trade.at);
                (trade.taker.account == account
                    || trade.makers.iter().any(|m| m.account == account))
                    && req.query("id").is_none_or(|id| id == trade.id)
                    && self.matches_filter(req, trade.market, None)
                    && before.is_none_or(|t| at <= t)
            })
            .collect()
    }

    /// Writes a trade as one of its parties sees it. A reader asks for those of the last hour every few seconds, and few of them have
    /// changed: the text is kept until what it is made of changes.
    fn write_trade(&self, index: usize, account: usize, out: &mut String) {
        let trade = &self.trades[index];
        let made_of = (account, trade.status, trade.updated, self.credentials.len());
        let mut kept = trade.text.borrow_mut();
        match kept.as_ref() {
            Some((of, text)) if *of == made_of => out.push_str(text),
            _ => {
                let text = self.trade_json(index, account).to_string();
                out.push_str(&text);
                *kept = Some((made_of, text));
            }
        }
    }

    /// A trade as one of its parties sees it.
    pub(super) fn trade_json(&self, index: usize, account: usize) -> Value {
        let trade = &self.trades[index];
        let market = &self.markets[trade.market];
        let taker = &trade.taker;
        let makers: Vec<Value> = trade
            .makers
            .iter()
            .map(|maker| {
                json!({
                    "order_id": maker.order_id,
                    "owner": self.owner_of(maker.account),
                    "maker_address": self.accounts[maker.account].funder.text(),
                    "matched_amount": text::qty(maker.qty),
                    "price": text::price(maker.price),
                    "fee_rate_bps": "0",
                    "asset_id": market.token(maker.outcome),
                    "outcome": outcome_name(maker.outcome),
                    "side": action_name(maker.action),
                })
            })
            .collect();
        let side = if taker.account == account { "TAKER" } else { "MAKER" };
        json!({
            "id": trade.id,
            "taker_order_id": taker.order_id,
            "market": market.spec.condition_id,
            "asset_id": market.token(taker.outcome),
            "side": action_name(taker.action),
            "size": text::qty(taker.qty),
            "fee_rate_bps": "0",
            "price": text::price(taker.price),
            "status": trade.status.name(),
            "match_time": secs(trade.at).to_string(),
            "match_time_nano": trade.at.get().to_string(),
            "last_update": secs(trade.updated).to_string(),
            "outcome": outcome_name(taker.outcome),
            "bucket_index": 0,
            "owner": self.owner_of(taker.account),
            "maker_address": self.accounts[taker.account].funder.text(),
            "transaction_hash": trade.transaction.clone().unwrap_or_default(),
            "err_msg": Value::Null,
            "trader_side": side,
            "maker_orders": makers,
        })
    }

    pub(super) fn trade_id(&self, index: usize) -> Option<&str> {
        self.trades.get(index).map(|t| t.id.as_str())
    }

    /// The API key that stands for an account in trades.
    pub(super) fn owner_of(&self, account: usize) -> String {
        match self.credentials.iter().find(|c| c.account == account) {
            Some(credential) => credential.api_key.clone(),
            None => text::uuid(&self.ids.named(b"house key", account as u64)),
        }
    }

    /// Total collateral, pairs counted at a dollar: what trading must never change.
    pub fn total_micros(&self) -> i128 {
        let cash: i128 = self.accounts.iter().map(|a| i128::from(a.cash.micros())).sum();
        let pairs: i128 = (0..self.markets.len())
            .map(|m| {
                let of = |outcome| {
                    let held = self.accounts.iter().map(|a| a.held(m, outcome));
                    held.fold(Qty::ZERO, |sum, qty| sum + qty)
                };
                assert_eq!(of(Outcome::Yes), of(Outcome::No), "shares exist in pairs");
                i128::from(of(Outcome::Yes).micros())
            })
            .sum();
        cash + pairs + i128::from(self.fees.micros())
    }

    /// Whether any trade is not final yet.
    pub fn is_settling(&self) -> bool {
        self.trades.iter().any(|t| t.status < TradeStatus::Confirmed)
    }
}

fn key_json(credential: &Credential) -> Response {
    Response::json(
        200,
        &json!({
            "apiKey": credential.api_key,
            "secret": credential.secret,
            "passphrase": credential.passphrase,
        }),
    )
}
