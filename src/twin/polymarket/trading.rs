//! Orders, cancels and heartbeats as requests: what the trading mode and the rate limits let through, and the answers
//! (`venues/polymarket.md` §4.1 to §4.3, §1.5 to §1.7).

use serde_json::{Map, Value, json};
use surefoot_hot::ids::Action;
use surefoot_hot::units::Nanos;

use super::account::Account;
use super::answers::{Answer, error};
use super::calls::Cancels;
use super::order::{Order, Posted, Refusal, Status};
use super::trade::Placed;
use super::{Mode, PolymarketVenue, text};
use crate::twin::http::{Request, Response};

/// The most orders of one batch (`venues/polymarket.md` §4.2).
pub const BATCH_MAX: usize = 15;
/// What is left of the post-only mode where nobody has said when it ends: the documented example (§1.7).
const POST_ONLY_LEFT_SECS: u64 = 79;
/// The most ids of one cancel (§4.3).
pub const CANCELS_MAX: usize = 1_000;

impl PolymarketVenue {
    /// What the trading mode lets through; `None` where everything passes.
    fn mode_refusal(&self, cancels: bool, post_only: bool, now: Nanos) -> Option<Response> {
        let left = |until: Nanos| until.since(now).get().div_ceil(1_000_000_000).max(1);
        let left = self.mode_ends.map_or(POST_ONLY_LEFT_SECS, left);
        match self.mode {
            Mode::Normal => None,
            Mode::Restarting => Some(Response::empty(425)),
            Mode::PostOnly if cancels || post_only => None,
            Mode::PostOnly => Some(
                Response::json(
                    503,
                    &json!({
                        "error": "post-only mode: only post-only orders and cancels are allowed",
                        "code": "post_only_mode",
                        "retry_after_seconds": left,
                    }),
                )
                .with("Retry-After", left.to_string()),
            ),
            Mode::CancelOnly if cancels => None,
            Mode::CancelOnly => Some(error(
                503,
                "Trading is currently cancel-only. New orders are not accepted, but cancels are allowed.",
            )),
            Mode::Disabled => {
                Some(error(503, "Trading is currently disabled. Check polymarket.com for updates"))
            }
        }
    }

    /// The rate-limit headers every answer on an order endpoint carries.
    fn limited(&self, account: usize, cancels: bool, response: Response) -> Response {
        let account = &self.accounts[account];
        let bucket = if cancels { &account.cancels } else { &account.orders };
        response
            .with("Poly-RateLimit-Remaining", bucket.remaining().to_string())
            .with("Poly-RateLimit-Reset", bucket.wait_secs(1).to_string())
            .with("Poly-RateLimit-Tier", self.tier.name())
    }

    fn over_limit(&self, account: usize, cancels: bool, cost: usize) -> Response {
        let owner: &Account = &self.accounts[account];
        let bucket = if cancels { &owner.cancels } else { &owner.orders };
        let wait = bucket.wait_secs(cost).to_string();
        self.limited(account, cancels, error(429, "rate limit exceeded").with("Retry-After", wait))
    }

    pub(super) fn post_order(&mut self, req: &Request, credential: usize, now: Nanos) -> Response {
        let account = self.credentials[credential].account;
        let posted = req.json().as_ref().and_then(Posted::parse);
        let post_only =
            req.json().is_some_and(|v| v.get("postOnly").and_then(Value::as_bool) == Some(true));
        if let Some(refusal) = self.mode_refusal(false, post_only, now) {
            return refusal;
        }
        if !self.accounts[account].orders.take(1, now) {
            return self.over_limit(account, false, 1);
        }
        let Some(posted) = posted else {
            let text = not_an_order(&req.json().unwrap_or_default());
            return self.limited(account, false, error(400, text));
        };
        let placed = self.check(&posted, credential, now).and_then(|order| self.place(order, now));
        let answer = match placed {
            Ok((index, placed)) => Response::json(200, &self.placed_json(index, &placed)),
            Err(Refusal { status, text }) => {
                self.repeated += u64::from(text.ends_with("Duplicated."));
                error(status, &text)
            }
        };
        self.limited(account, false, answer)
    }

    pub(super) fn post_orders(&mut self, req: &Request, credential: usize, now: Nanos) -> Response {
        let account = self.credentials[credential].account;
        let body = req.json();
        let Some(rows) = body.as_ref().and_then(Value::as_array).filter(|rows| !rows.is_empty())
        else {
            return error(400, "Invalid order payload");
        };
        if rows.len() > BATCH_MAX {
            let count = rows.len();
            let text = format!("Too many orders in payload: {count}, max allowed: {BATCH_MAX}");
            return error(400, &text);
        }
        if let Some(refusal) = self.mode_refusal(false, true, now) {
            return refusal;
        }
        if !self.accounts[account].orders.take(rows.len(), now) {
            return self.over_limit(account, false, rows.len());
        }
        // What does not depend on the book refuses the whole batch; the rest is each order's own.
        let mut orders: Vec<Order> = Vec::with_capacity(rows.len());
        for row in rows {
            let Some(posted) = Posted::parse(row) else {
                return self.limited(account, false, error(400, not_an_order(row)));
            };
            match self.check(&posted, credential, now) {
                Ok(order) => orders.push(order),
                Err(refusal) => {
                    let answer = error(refusal.status, &refusal.text);
                    return self.limited(account, false, answer);
                }
            }
        }
        let mut answers = Vec::with_capacity(orders.len());
        for order in orders {
            let refused = |text: &str| {
                json!({"success": true, "errorMsg": text, "orderID": "", "status": "",
                    "makingAmount": "", "takingAmount": ""})
            };
            let id = text::hex(&order.id);
            answers.push(if self.by_order.contains_key(&order.id) {
                refused(&format!("order {id} is invalid. Duplicated."))
            } else if self.mode == Mode::PostOnly && !order.post_only {
                refused("post-only mode: only post-only orders and cancels are allowed")
            } else {
                match self.place(order, now) {
                    Ok((index, placed)) => self.placed_json(index, &placed),
                    Err(refusal) => refused(&refusal.text),
                }
            });
        }
        self.limited(account, false, Response::json(200, &Value::Array(answers)))
    }

    fn placed_json(&self, index: usize, placed: &Placed) -> Value {
        let order = &self.orders[index];
        let (shares, cash) = (text::qty(placed.shares), text::usd(placed.collateral.micros()));
        let ids: Vec<&str> = placed.trades.iter().filter_map(|&t| self.trade_id(t)).collect();
        let mut answer = json!({
            "success": true,
            "errorMsg": "",
            "orderID": text::hex(&order.id),
            "status": "live",
            "makingAmount": "",
            "takingAmount": "",
        });
        if order.status == Status::Delayed {
            answer["status"] = json!("delayed");
            answer["makingAmount"] = json!("0");
            answer["takingAmount"] = json!("0");
        } else if !ids.is_empty() {
            let (making, taking) =
                if order.action == Action::Buy { (cash, shares) } else { (shares, cash) };
            answer["status"] = json!("matched");
            answer["makingAmount"] = json!(making);
            answer["takingAmount"] = json!(taking);
            answer["tradeIDs"] = json!(ids);
        }
        answer
    }

    pub(super) fn cancels(
        &mut self,
        what: Cancels,
        req: &Request,
        credential: usize,
        now: Nanos,
    ) -> Answer {
        let account = self.credentials[credential].account;
        if let Some(refusal) = self.mode_refusal(true, false, now) {
            return Err(refusal);
        }
        let (mut ids, mass) = self.ids_to_cancel(what, req, account)?;
        ids.dedup();
        let cost = if mass { 1 } else { ids.len() };
        if !self.accounts[account].cancels.take(cost, now) {
            return Err(self.over_limit(account, true, cost));
        }
        let (mut canceled, mut not_canceled) = (Vec::new(), Map::new());
        for id in ids {
            match self.order_of(account, &id) {
                Some(index) if self.cancel(index, Status::Canceled(""), now) => canceled.push(id),
                Some(index) if self.orders[index].status == Status::Delayed => {
                    not_canceled.insert(id, json!("order is delayed and can't be canceled"));
                }
                Some(_) => {
                    not_canceled.insert(id, json!("already canceled or matched"));
                }
                None => {
                    not_canceled.insert(id, json!("order not found"));
                }
            }
        }
        if mass {
            self.accounts[account].cancels.debit(canceled.len(), now);
        }
        let answer =
            Response::json(200, &json!({"canceled": canceled, "not_canceled": not_canceled}));
        Ok(self.limited(account, true, answer))
    }

    /// The ids that a cancel names or means, and whether it is a mass cancel, which is billed by what it cancelled.
    fn ids_to_cancel(
        &self,
        what: Cancels,
        req: &Request,
        account: usize,
    ) -> Result<(Vec<String>, bool), Response> {
        let body = req.json().unwrap_or_default();
        Ok(match what {
            Cancels::One => match body.get("orderID").and_then(Value::as_str) {
                Some(id) => (vec![id.to_owned()], false),
                None => return Err(error(400, "Invalid order payload")),
            },
            Cancels::Listed => {
                let list = body.as_array().ok_or_else(|| error(400, "Invalid order payload"))?;
                if list.len() > CANCELS_MAX {
                    let count = list.len();
                    return Err(error(
                        400,
                        &format!("Too many orders in payload: {count}, max allowed: {CANCELS_MAX}"),
                    ));
                }
                (list.iter().filter_map(|id| id.as_str().map(str::to_owned)).collect(), false)
            }
            Cancels::All | Cancels::OfMarket => {
                let filter =
                    |name| body.get(name).and_then(Value::as_str).filter(|s| !s.is_empty());
                let (market, asset) = (filter("market"), filter("asset_id"));
                let all = what == Cancels::All;
                let mine = self.accounts[account].live.iter().map(|&index| &self.orders[index]);
                let wanted = mine.filter(|o| {
                    let terms = &self.markets[o.market];
                    all || (market.is_none_or(|m| m == terms.spec.condition_id)
                        && asset.is_none_or(|a| a == terms.token(o.outcome)))
                });
                (
                    wanted.filter(|o| o.status == Status::Live).map(|o| text::hex(&o.id)).collect(),
                    true,
                )
            }
        })
    }

    /// The dead-man switch: each beat names the id that the last one gave.
    pub(super) fn heartbeat(&mut self, req: &Request, credential: usize, now: Nanos) -> Response {
        let body = req.json().unwrap_or_default();
        let said = body.get("heartbeat_id").and_then(Value::as_str).unwrap_or_default().to_owned();
        if let Some((expected, _)) = &self.credentials[credential].beat
            && *expected != said
        {
            let text = "Invalid Heartbeat ID";
            return Response::json(400, &json!({"error_msg": text, "heartbeat_id": expected}));
        }
        let next = self.ids.uuid();
        self.credentials[credential].beat = Some((next.clone(), now));
        self.arm(now);
        Response::json(200, &json!({"heartbeat_id": next}))
    }
}

/// What is wrong with an order that cannot be read: version 1's had other fields, and its clients sign anew when they
/// are told so.
fn not_an_order(row: &Value) -> &'static str {
    let has = |name| row.get("order").is_some_and(|order| order.get(name).is_some());
    let version_one = !has("timestamp") && (has("nonce") || has("feeRateBps"));
    if version_one { "order_version_mismatch" } else { "Invalid order payload" }
}
