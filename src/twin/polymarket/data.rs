//! The Data API, version 2: what wallets hold and what was traded (`venues/polymarket.md` §7.4, 2026-11-29).
//!
//! Version 1 was retired on 2026-10-24. Its paths are not served, so that a reader of it fails here as it does at
//! the venue.

use serde_json::{Value, json};
use surefoot_cold::venue::polymarket::eip712::{Address, Exchange};
use surefoot_hot::ids::{Action, Outcome, Side};
use surefoot_hot::units::{Nanos, Price, Qty, Usd};

use super::answers::{cursor, cursor_text, error, outcome_name, price_number, secs, usd_number};
use super::trade::{Part, Trade, TradeStatus, action_name};
use super::{HOUSE_ACCOUNT, JsonRow, PolymarketVenue, text};
use crate::twin::http::{Request, Response};
use crate::twin::market_set::Generation;
use crate::twin::routes::{Found, Route, find};

/// What the Data API answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DataCall {
    /// That it is up.
    Status,
    /// What a wallet holds, or held.
    Positions,
    /// What a wallet holds is worth.
    Value,
    /// Trades that are on the chain.
    Trades,
    /// The same of one wallet, as activity.
    Activity,
    /// Combined positions, of which this venue has none.
    Combos,
    /// Who holds a market's outcomes.
    Holders,
    /// What a token is.
    Tokens,
    /// Dollars locked in pairs.
    OpenInterest,
    /// What takers traded in an event.
    LiveVolume,
    /// How markets ended.
    Resolutions,
    /// What a wallet traded.
    UserVolume,
    /// What a wallet lets the contracts move.
    Approvals,
}

/// The host's calls.
pub const ROUTES: &[Route<DataCall>] = &[
    Route::new("GET", "/", DataCall::Status),
    Route::new("GET", "/v2/status", DataCall::Status),
    Route::partly(
        "GET",
        "/v2/positions",
        DataCall::Positions,
        "in the order of markets, whatever sort is asked for; a result is redeemed at once, so none is REDEEMABLE",
    ),
    Route::partly(
        "GET",
        "/v2/positions/combos",
        DataCall::Combos,
        "there are no combos: always empty",
    ),
    Route::new("GET", "/v2/value", DataCall::Value),
    Route::new("GET", "/v2/trades", DataCall::Trades),
    Route::partly("GET", "/v2/activity", DataCall::Activity, "trades alone"),
    Route::partly(
        "GET",
        "/v2/activity/combos",
        DataCall::Combos,
        "there are no combos: always empty",
    ),
    Route::partly("GET", "/v2/holders", DataCall::Holders, "without profits and losses"),
    Route::new("GET", "/v2/tokens", DataCall::Tokens),
    Route::new("GET", "/v2/oi", DataCall::OpenInterest),
    Route::new("GET", "/v2/live-volume", DataCall::LiveVolume),
    Route::partly("GET", "/v2/resolutions", DataCall::Resolutions, "no proposals and no disputes"),
    Route::new("GET", "/v2/user-volume", DataCall::UserVolume),
    Route::partly("GET", "/v2/approvals", DataCall::Approvals, "everything is approved"),
];

/// Rows of a page where none are asked for, and the most that can be.
const PAGE: usize = 100;
/// The most rows of a page.
const PAGE_MAX: usize = 1_000;

/// The contracts that a wallet approves (`venues/polymarket.md` §9.4).
const APPROVED: [&str; 12] = [
    "0xE111180000d2663C0091e4f400237545B87B996B",
    "0xe2222d279d744050d28e00520010520000310F59",
    "0xe3333700cA9d93003F00f0F71f8515005F6c00Aa",
    "0xAdA100Db00Ca00073811820692005400218FcE1f",
    "0xadA2005600Dec949baf300f4C6120000bDB6eAab",
    "0xd91E80cF2E7be2e162c6513ceD06f1dD0dA35296",
    "0x12121212006e4CD160D18e3f00711DA5c3372600",
    "0x1000008dD9001B968442c1000017eaE6E0dA00Ba",
    "0x200000900045e3B6259600682756002200028933",
    "0x30000034706C7d8e12009DAB006Be20000c031A8",
    "0xa1200000d0002264C9a1698e001292D00E1b00af",
    "0xDCa4af75705dbB50f62437045afF9921947917d2", // perps, which clients ask for too
];
/// Collateral, then both ledgers of outcomes.
const TOKENS: [(&str, &str); 3] = [
    ("0xC011a7E12a19f7B1f670d46F03B03f3342E82DFB", "ERC20"),
    ("0x4D97DCd97eC945f40cF65F87097ACe5EA0476045", "ERC1155"),
    ("0x006F54F7f9A22e0000CC2AB60031000000ae9fEF", "ERC1155"),
];

/// What an account did with one outcome, from its trades.
#[derive(Clone, Copy, Debug, Default)]
struct History {
    held: Qty,
    /// What the shares held cost, fees apart.
    cost: Usd,
    bought: Qty,
    /// What all shares ever bought cost, fees apart.
    spent: Usd,
    fees: Usd,
    realized: Usd,
    first: Nanos,
    last: Nanos,
}

impl PolymarketVenue {
    /// One request at the Data API's host.
    pub(super) fn data(&self, req: &Request) -> Response {
        match find(ROUTES, &req.method, &req.path) {
            Found::Endpoint(call, _) => self.data_call(call, req).unwrap_or_else(|refusal| refusal),
            Found::OtherMethod => error(405, "Method not allowed"),
            Found::Nothing => error(404, "not found"),
        }
    }

    fn data_call(&self, call: DataCall, req: &Request) -> Result<Response, Response> {
        Ok(match call {
            DataCall::Status => envelope(&json!("OK")),
            DataCall::Positions => {
                let rows = match user(req) {
                    Some(wallet) => self
                        .account_of(&wallet?)
                        .map_or_else(Vec::new, |account| self.positions(account, req)),
                    None if req.query("condition_id").is_some() => {
                        let accounts = HOUSE_ACCOUNT + 1..self.accounts.len();
                        accounts.flat_map(|account| self.positions(account, req)).collect()
                    }
                    None => return Err(error(400, "provide user or exactly one condition_id")),
                };
                written_page(req, &rows)?
            }
            DataCall::Value => {
                let wallet = need_user(req)?;
                let worth = self.account_of(&wallet).map_or(Usd::ZERO, |a| self.worth_of(a, req));
                envelope(&json!({"proxy_wallet": wallet.text(), "value": usd_number(worth)}))
            }
            DataCall::Trades => {
                let account = user(req).transpose()?.map(|wallet| self.account_of(&wallet));
                page(req, self.trade_rows(account, req))?
            }
            DataCall::Activity => {
                let wallet = need_user(req)?;
                let mut rows = self.trade_rows(Some(self.account_of(&wallet)), req);
                let types: Vec<&str> = req.query_all("type").collect();
                rows.retain(|_| types.is_empty() || types.contains(&"TRADE"));
                page(req, rows)?
            }
            DataCall::Combos => {
                need_user(req)?;
                page(req, Vec::new())?
            }
            DataCall::Holders => page(req, self.holders(req))?,
            DataCall::Tokens => envelope(&Value::Array(self.token_rows(req))),
            DataCall::OpenInterest => envelope(&Value::Array(self.interest_rows(req))),
            DataCall::LiveVolume => envelope(&self.live_volume(req)),
            DataCall::Resolutions => envelope(&Value::Array(self.resolution_rows(req))),
            DataCall::UserVolume => {
                let account = self.account_of(&need_user(req)?);
                let rows = self.parts_of(Some(account), req);
                let sum = |of: fn(&Part) -> u64| rows.iter().map(|(_, part)| of(part)).sum();
                envelope(&json!({
                    "volume": text::number::<6>(sum(|part| part.qty.micros())),
                    "volume_usdc": text::number::<6>(sum(|part| part.amount.micros().unsigned_abs())),
                    "trade_count": rows.len(),
                }))
            }
            DataCall::Approvals => envelope(&self.approvals(&need_user(req)?)),
        })
    }

    /// Whose wallet or signing address this is; the house has none.
    fn account_of(&self, wallet: &Address) -> Option<usize> {
        (HOUSE_ACCOUNT + 1..self.accounts.len()).find(|&account| {
            self.accounts[account].funder == *wallet || self.accounts[account].address == *wallet
        })
    }

    /// Whether a market is one of those that a request asks for.
    fn is_asked_for(&self, market: usize, req: &Request) -> bool {
        let spec = &self.markets[market].spec;
        let among = |name: &'static str, is: &dyn Fn(&str) -> bool| {
            let mut asked = req.query_all(name).peekable();
            asked.peek().is_none() || asked.any(is)
        };
        // Generation 3 is known by 62 digits as well as by 64.
        let is_condition = |id: &str| {
            id.eq_ignore_ascii_case(&spec.condition_id)
                || spec.condition_id.strip_suffix("00").is_some_and(|c| id.eq_ignore_ascii_case(c))
        };
        among("condition_id", &is_condition)
            && among("condition", &is_condition)
            && among("event_id", &|id| id == spec.event_id)
            && among("question_id", &|id| id.eq_ignore_ascii_case(&spec.question_id))
            && among("token_id", &|id| id == spec.yes_token || id == spec.no_token)
    }

    /// What a share is worth now: the best bid of its own book.
    fn mark(&self, market: usize, outcome: Outcome) -> Price {
        self.markets[market].best(outcome, Side::Bid).unwrap_or(Price::ZERO)
    }

    fn worth_of(&self, account: usize, req: &Request) -> Usd {
        let shares = self.accounts[account].shares.iter();
        let asked = shares.filter(|((market, _), _)| self.is_asked_for(*market, req));
        asked.fold(Usd::ZERO, |sum, (&(market, number), &qty)| {
            sum + self.mark(market, outcome_of(number)).proceeds_floor(qty)
        })
    }

    /// What an account did with both outcomes of each market: one walk over all trades.
    fn histories(&self, account: usize) -> Vec<[History; 2]> {
        let mut histories = vec![[History::default(); 2]; self.markets.len()];
        for trade in self.trades.iter().filter(|trade| trade.status != TradeStatus::Failed) {
            for (place, part) in parts(trade).enumerate() {
                if part.account == account {
                    let fee = if place == 0 { trade.fee } else { Usd::ZERO };
                    histories[trade.market][part.outcome.index()].add(part, fee, trade.at);
                }
            }
        }
        histories
    }

    /// What the account did with one outcome in the end, given its trades.
    fn ended(&self, market: usize, outcome: Outcome, mut history: History) -> History {
        if let Some(yes_pays) = self.markets[market].resolved {
            let pays = if outcome == Outcome::Yes { yes_pays } else { yes_pays.complement() };
            history.realized += pays.proceeds_floor(history.held) - history.cost;
            history.last = history.last.max(self.markets[market].resolved_at);
        }
        history
    }

    /// The rows of an account's positions, written as JSON.
    fn positions(&self, account: usize, req: &Request) -> Vec<String> {
        let owner = &self.accounts[account];
        let status = req.query("status").unwrap_or("OPEN");
        let (mut rows, histories) = (Vec::new(), self.histories(account));
        for &(market, number) in owner.shares.keys() {
            let outcome = outcome_of(number);
            let qty = self.shown_held(account, market, outcome);
            let pairs = !owner.held(market, outcome.other()).is_zero();
            let wanted = match status {
                "CLOSED" => qty.is_zero(),
                "MERGEABLE" => !qty.is_zero() && pairs,
                "REDEEMABLE" | "REDEEMABLE_LOST" => false,
                _ => !qty.is_zero(),
            };
            if !wanted || !self.is_asked_for(market, req) {
                continue;
            }
            let history = self.ended(market, outcome, histories[market][outcome.index()]);
            if within(req, history.last) {
                rows.push(self.position_row(account, market, outcome, &history));
            }
        }
        rows
    }

    /// One position. It is written field by field: a simulated day reads a list of them every few seconds.
    fn position_row(
        &self,
        account: usize,
        market: usize,
        outcome: Outcome,
        history: &History,
    ) -> String {
        let (owner, terms) = (&self.accounts[account], &self.markets[market]);
        let qty = self.shown_held(account, market, outcome);
        let paid = owner.paid.get(&(market, outcome as u8)).copied().unwrap_or(Usd::ZERO);
        let mark = self.mark(market, outcome);
        let worth = mark.proceeds_floor(qty);
        let average = i128::from(paid.micros()) * 1_000_000 / i128::from(qty.micros().max(1));
        let total = worth - paid + history.realized;
        let percent = |usd: Usd| {
            let part = i128::from(usd.micros()) * 100_000_000;
            let whole = i128::from(history.spent.micros().max(1));
            Usd::from_micros(i64::try_from(part / whole).unwrap_or(0))
        };
        let mut row = JsonRow::new();
        row.text("proxy_wallet", &owner.funder.text());
        row.text("token_id", terms.token(outcome));
        row.text("condition_id", &terms.spec.condition_id);
        row.qty("current_size", qty);
        row.qty("avg_price", Qty::from_micros(u64::try_from(average).unwrap_or(0)));
        row.usd("entry_cost_usdc", paid);
        row.usd("entry_fees_usdc", history.fees);
        row.usd("total_cost_usdc", history.spent);
        row.price("current_price", mark);
        row.usd("current_value", worth);
        row.qty("total_size", history.bought);
        row.usd("realized_pnl", history.realized);
        row.usd("unrealized_pnl", worth - paid);
        row.usd("total_pnl", total);
        row.usd("percent_pnl", percent(total));
        row.usd("percent_realized_pnl", percent(history.realized));
        row.text("status", if qty.is_zero() { "CLOSED" } else { "OPEN" });
        row.flag("redeemable", false);
        row.flag("mergeable", !qty.is_zero() && !owner.held(market, outcome.other()).is_zero());
        row.flag("negative_risk", terms.spec.neg_risk());
        row.flag("archived", false);
        row.flag("verified", false);
        row.text("title", &terms.spec.question);
        row.text("slug", &terms.spec.slug);
        row.text("event_slug", &terms.spec.event_slug);
        row.text("outcome", outcome_name(outcome));
        row.whole("outcome_index", Some(outcome as u64));
        row.text("opposite_outcome", outcome_name(outcome.other()));
        row.text("opposite_token_id", terms.token(outcome.other()));
        row.whole("event_id", terms.spec.event_id.parse::<u32>().ok().map(u64::from));
        row.text("end_date", &text::rfc3339(terms.spec.close)[..10]);
        row.whole("last_event_at", Some(secs(history.last)));
        row.whole("first_entry_at", Some(secs(history.first)));
        row.end()
    }

    /// Parts of trades that are on the chain, newest first. `account` narrows to one wallet's; without one, every
    /// trade is told once, from its taker's side.
    fn parts_of(&self, account: Option<Option<usize>>, req: &Request) -> Vec<(&Trade, &Part)> {
        let mut rows = Vec::new();
        for trade in self.trades.iter().rev() {
            let on_chain = trade.transaction.is_some() && trade.status != TradeStatus::Failed;
            if !on_chain || !self.is_asked_for(trade.market, req) || !within(req, trade.at) {
                continue;
            }
            match account {
                None => rows.push((trade, &trade.taker)),
                Some(account) => {
                    let own = parts(trade).filter(|part| Some(part.account) == account);
                    rows.extend(own.map(|part| (trade, part)));
                }
            }
        }
        let side = req.query("side");
        rows.retain(|(_, part)| side.is_none_or(|side| side == action_name(part.action)));
        rows
    }

    fn trade_rows(&self, account: Option<Option<usize>>, req: &Request) -> Vec<Value> {
        let row = |(trade, part): (&Trade, &Part)| {
            let terms = &self.markets[trade.market];
            json!({
                "type": "TRADE",
                "is_combo": false,
                "proxy_wallet": self.accounts[part.account].funder.text(),
                "side": action_name(part.action),
                "token_id": terms.token(part.outcome),
                "condition_id": terms.spec.condition_id,
                "size": text::number::<6>(part.qty.micros()),
                "usdc_size": usd_number(part.amount),
                "price": price_number(part.price),
                "timestamp": secs(trade.at),
                "transaction_hash": trade.transaction,
                "title": terms.spec.question,
                "slug": terms.spec.slug,
                "event_slug": terms.spec.event_slug,
                "outcome": outcome_name(part.outcome),
                "outcome_index": part.outcome as u8,
            })
        };
        self.parts_of(account, req).into_iter().map(row).collect()
    }

    fn asked_markets<'a>(&'a self, req: &'a Request) -> impl Iterator<Item = usize> + 'a {
        (0..self.markets.len()).filter(move |&market| self.is_asked_for(market, req))
    }

    fn holders(&self, req: &Request) -> Vec<Value> {
        let mut rows = Vec::new();
        for market in self.asked_markets(req) {
            for outcome in [Outcome::Yes, Outcome::No] {
                let token = self.markets[market].token(outcome);
                let held = self.accounts.iter().filter(|a| !a.held(market, outcome).is_zero());
                let holders: Vec<Value> = held
                    .map(|account| {
                        json!({
                            "proxy_wallet": account.funder.text(), "token_id": token,
                            "amount": text::number::<6>(account.held(market, outcome).micros()),
                            "outcome_index": outcome as u8, "display_username_public": false,
                            "verified": false,
                        })
                    })
                    .collect();
                if !holders.is_empty() {
                    rows.push(json!({"token_id": token, "holders": holders}));
                }
            }
        }
        rows
    }

    fn token_rows(&self, req: &Request) -> Vec<Value> {
        let mut rows = Vec::new();
        for market in self.asked_markets(req) {
            let terms = &self.markets[market];
            let spec = &terms.spec;
            let module = match (spec.generation, spec.neg_risk()) {
                (Generation::Two, _) => "v1_ctf",
                (Generation::Three, true) => "neg_risk",
                (Generation::Three, false) => "binary",
            };
            for outcome in [Outcome::Yes, Outcome::No] {
                let mut asked = req.query_all("token_id").peekable();
                if asked.peek().is_some() && !asked.any(|id| id == terms.token(outcome)) {
                    continue;
                }
                let pays = terms.resolved.map(|yes| match outcome {
                    Outcome::Yes => price_number(yes),
                    Outcome::No => price_number(yes.complement()),
                });
                rows.push(json!({
                    "token_id": terms.token(outcome), "condition_id": spec.condition_id,
                    "structural_condition_id": null, "module": module, "outcome_index": outcome as u8,
                    "clob_index": outcome as u8, "outcome": outcome_name(outcome),
                    "opposite_token_id": terms.token(outcome.other()), "resolved": !terms.is_open(),
                    "final_price": pays, "title": spec.question, "market_slug": spec.slug,
                    "closed": !terms.is_open(), "neg_risk": spec.neg_risk(),
                    "neg_risk_market_id": spec.neg_risk_market_id, "question_index": null,
                    "event_id": event_number(&spec.event_id), "event_slug": spec.event_slug,
                }));
            }
        }
        rows
    }

    /// Pairs that exist, at a dollar each.
    fn interest(&self, market: usize) -> Value {
        let pairs = self.accounts.iter().map(|a| a.held(market, Outcome::Yes).micros()).sum();
        text::number::<6>(pairs)
    }

    fn interest_rows(&self, req: &Request) -> Vec<Value> {
        if req.query("condition_id").is_none() {
            let all = (0..self.markets.len())
                .flat_map(|m| self.accounts.iter().map(move |a| a.held(m, Outcome::Yes).micros()))
                .sum();
            return vec![json!({"condition_id": "GLOBAL", "value": text::number::<6>(all)})];
        }
        let row = |market: usize| {
            let condition = &self.markets[market].spec.condition_id;
            json!({"condition_id": condition, "value": self.interest(market)})
        };
        self.asked_markets(req).map(row).collect()
    }

    fn live_volume(&self, req: &Request) -> Value {
        let asked: Vec<usize> = self.asked_markets(req).collect();
        let total = asked.iter().map(|&market| self.markets[market].volume.micros()).sum();
        let conditions: Vec<Value> = asked
            .iter()
            .map(|&market| {
                let (market, volume) = (&self.markets[market], self.markets[market].volume);
                json!({"condition_id": market.spec.condition_id, "taker_volume": text::number::<6>(volume.micros())})
            })
            .collect();
        json!({"taker_volume_total": text::number::<6>(total), "conditions": conditions})
    }

    fn resolution_rows(&self, req: &Request) -> Vec<Value> {
        let row = |market: usize| {
            let terms = &self.markets[market];
            let yes = terms.resolved?;
            let pays = [yes, yes.complement()].map(|price| u64::from(price.ticks()) * 100);
            Some(json!({
                "question_id": terms.spec.question_id, "condition_id": terms.spec.condition_id,
                "status": "resolved", "extended_review": false, "was_disputed": false,
                "new_version_q": false, "price": price_number(yes),
                "last_update_timestamp": secs(terms.resolved_at), "payouts": pays,
                "resolved_at": secs(terms.resolved_at),
            }))
        };
        self.asked_markets(req).filter_map(row).collect()
    }

    fn approvals(&self, wallet: &Address) -> Value {
        let mut spenders: Vec<String> = APPROVED.map(str::to_owned).into();
        for exchange in Exchange::ALL {
            let contract = exchange.contract(self.chain).text();
            if !spenders.iter().any(|known| known.eq_ignore_ascii_case(&contract)) {
                spenders.push(contract);
            }
        }
        let mut contracts = Vec::new();
        for (token, standard) in TOKENS {
            for spender in &spenders {
                let mut row = json!({"token": token, "spender": spender, "standard": standard, "approved": true});
                if standard == "ERC20" {
                    row["amount"] = json!("max");
                }
                contracts.push(row);
            }
        }
        json!({"address": wallet.text(), "chain_id": self.chain.id(), "contracts": contracts})
    }
}

impl History {
    fn add(&mut self, part: &Part, fee: Usd, at: Nanos) {
        if self.first == Nanos::ZERO {
            self.first = at;
        }
        self.last = at;
        self.fees += fee;
        match part.action {
            Action::Buy => {
                self.held += part.qty;
                self.bought += part.qty;
                self.cost += part.amount;
                self.spent += part.amount;
            }
            Action::Sell => {
                let sold = part.qty.min(self.held);
                let micros = |qty: Qty| i64::try_from(qty.micros()).unwrap_or(i64::MAX);
                let cost = self.cost.scale_floor(micros(sold), micros(self.held).max(1));
                self.held -= sold;
                self.cost -= cost;
                self.realized += part.amount - cost;
            }
        }
    }
}

/// Both sides of a trade, the taker first.
fn parts(trade: &Trade) -> impl Iterator<Item = &Part> {
    std::iter::once(&trade.taker).chain(&trade.makers)
}

const fn outcome_of(number: u8) -> Outcome {
    if number == 0 { Outcome::Yes } else { Outcome::No }
}

/// An event's id as the number it is; null where it is none.
fn event_number(id: &str) -> Value {
    id.parse::<u32>().map_or(Value::Null, Value::from)
}

/// The wallet that a request names; an error where it names none that could be.
fn user(req: &Request) -> Option<Result<Address, Response>> {
    let text = req.query("user").filter(|text| !text.is_empty())?;
    Some(Address::parse(text).ok_or_else(|| error(400, "invalid user")))
}

fn need_user(req: &Request) -> Result<Address, Response> {
    user(req).unwrap_or_else(|| Err(error(400, "required query param 'user' not provided")))
}

/// Whether a moment lies within `start` and `end`, in epoch seconds.
fn within(req: &Request, at: Nanos) -> bool {
    let bound = |name| req.query(name).and_then(|text| text.parse::<u64>().ok());
    bound("start").is_none_or(|start| start <= secs(at))
        && bound("end").is_none_or(|end| secs(at) <= end)
}

fn envelope(data: &Value) -> Response {
    Response::json(200, &json!({ "data": data }))
}

/// The page that `limit` and `cursor` ask for, in the venue's envelope.
fn page(req: &Request, rows: Vec<Value>) -> Result<Response, Response> {
    let rows: Vec<String> = rows.iter().map(Value::to_string).collect();
    written_page(req, &rows)
}

/// The same of rows that are written as JSON already.
fn written_page(req: &Request, rows: &[String]) -> Result<Response, Response> {
    let from = req.query("cursor").map_or(Some(0), cursor);
    let from = from.ok_or_else(|| error(400, "invalid cursor"))?.min(rows.len());
    let limit = req.query("limit").and_then(|limit| limit.parse().ok()).unwrap_or(PAGE);
    let to = from.saturating_add(limit.clamp(1, PAGE_MAX));
    let next = (to < rows.len()).then(|| cursor_text(to));
    let data = &rows[from..to.min(rows.len())];
    let pagination = json!({"has_more": next.is_some(), "next_cursor": next});
    let bytes = data.iter().map(|row| row.len() + 1).sum::<usize>();
    let mut body = String::with_capacity(bytes + 128);
    body.push_str("{\"data\":[");
    for (place, row) in data.iter().enumerate() {
        body.push_str(if place == 0 { "" } else { "," });
        body.push_str(row);
    }
    body.push_str(&format!("],\"pagination\":{pagination}}}"));
    Ok(Response::json_text(200, body))
}
