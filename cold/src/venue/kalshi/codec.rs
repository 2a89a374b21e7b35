//! Kalshi, as its executor speaks to it. Source: venue reference, `kalshi.md` §1.2, §2 and §3, compiled
//! 2026-11-20.

use std::sync::Arc;

use serde_json::Value;
use surefoot_hot::ids::{MarketId, OrderId, OrderRef, Venue};
use surefoot_hot::order::{Amend, Cancel, Order};
use surefoot_hot::report::Report;
use surefoot_hot::risk::Approved;
use surefoot_hot::units::Nanos;

use super::header_slots::HeaderSlots;
use crate::directory::{Directory, KalshiNames, Names};
use crate::exec::answer::{Amended, Cancelled, Placed};
use crate::exec::codec::{
    AfterAnswer, CannotEncode, Inquiry, Limited, ModeSaid, RequestKind, VenueCodec, is_urgent,
    rehearsal_order,
};
use crate::exec::http::{Answer, Request};
use crate::net::Endpoint;
use crate::venue::bucket::Bucket;
use crate::venue::kalshi::encode;
use crate::venue::kalshi::signer::{PAIR_AGE_MS_MAX, Pair, Signer};
use crate::venue::kalshi::{answer, rest};
use crate::venue::markets::Markets;
use crate::wirelog::VenueId;

/// Pages of orders or fills read for one question.
const PAGES_MAX: u8 = 20;
/// Shards there may be; each has a write bucket of its own, shard 0 shares the unscoped one.
const SHARDS_MAX: usize = 8;
/// What an order or a change of one, a cancel and a read of one order cost, and everything else.
const COST_PLACE: u64 = 10;
const COST_CANCEL: u64 = 2;
const COST_READ_ONE: u64 = 2;
const COST_READ: u64 = 10;

/// Tokens per second and capacity, by the account's tier.
#[derive(Clone, Copy, Debug)]
pub struct KalshiRates {
    /// Writes, per shard.
    pub write: (u64, u64),
    /// Reads, over all shards.
    pub read: (u64, u64),
    /// Write tokens that orders which open something leave for cancels, hedges and sales.
    pub cancel_reserve: u64,
}

impl Default for KalshiRates {
    /// The lowest tier's, since 2026-09-24.
    fn default() -> Self {
        Self { write: (100, 100), read: (200, 600), cancel_reserve: 20 }
    }
}

/// One account at Kalshi.
#[derive(Debug)]
pub struct Kalshi {
    signer: Arc<Signer>,
    host: String,
    markets: Markets<KalshiNames>,
    writes: Vec<Bucket>,
    reads: Bucket,
    reserve: u64,
    slots: Option<HeaderSlots>,
    from_slot: u64,
    inline: u64,
    /// Names of a market that does not exist, and a signature of 1970: what rehearsals write.
    rehearsed: (KalshiNames, Pair),
}

impl Kalshi {
    /// Trades for the signer's account at `rest`. `slots` is [`HeaderSlots::spawn`]'s; without it, or when it
    /// runs dry, each order is signed as it goes.
    pub fn new(
        signer: Arc<Signer>,
        rest: &Endpoint,
        directory: &Directory,
        rates: KalshiRates,
        slots: Option<HeaderSlots>,
    ) -> Self {
        let names = KalshiNames {
            ticker: "NOWHERE-26NOV20-NEVER".to_owned(),
            event_ticker: "NOWHERE-26NOV20".to_owned(),
            series_ticker: "NOWHERE".to_owned(),
            exchange_index: 0,
        };
        let pair = signer.sign(0, "POST", encode::ORDERS);
        let mut this = Self {
            signer,
            host: rest.authority(),
            markets: Markets::new(),
            writes: vec![Bucket::new(rates.write.0, rates.write.1); SHARDS_MAX],
            reads: Bucket::new(rates.read.0, rates.read.1),
            reserve: rates.cancel_reserve,
            slots,
            from_slot: 0,
            inline: 0,
            rehearsed: (names, pair),
        };
        for entry in directory.iter() {
            this.follow(entry.def.market, &entry.names);
        }
        this
    }

    /// One more market, or one whose metadata changed.
    pub fn follow(&mut self, market: MarketId, names: &Names) {
        let Names::Kalshi(names) = names else { return };
        if !is_plain(names.ticker.as_bytes()) {
            return; // it would not stand in a request as it is: nothing is sent there
        }
        self.markets.set(market, names.clone());
    }

    fn shard(&self, market: MarketId) -> u8 {
        self.markets.get(market).map_or(0, |names| names.exchange_index)
    }

    fn bucket(&mut self, market: MarketId) -> &mut Bucket {
        let shard = usize::from(self.shard(market)).min(SHARDS_MAX - 1);
        &mut self.writes[shard]
    }

    /// Signs `path` and writes the whole request; the query is not signed.
    fn finish(
        &self,
        now: Nanos,
        method: &str,
        path: &[u8],
        query: &[&[u8]],
        request: &mut Request,
    ) {
        let signed = std::str::from_utf8(path).expect("paths are ASCII");
        let pair = self.signer.sign(now.millis(), method, signed);
        self.finish_with(&pair, method, path, query, request);
    }

    fn finish_with(
        &self,
        pair: &Pair,
        method: &str,
        path: &[u8],
        query: &[&[u8]],
        request: &mut Request,
    ) {
        let mut target: [&[u8]; 8] = [b""; 8];
        target[0] = path;
        target[1..=query.len()].copy_from_slice(query);
        let head = request.begin(method, &target[..=query.len()], &self.host);
        self.signer.write_headers(head, pair);
        request.finish();
    }

    fn create_pair(&mut self, now: Nanos) -> Pair {
        let now_ms = now.millis();
        while let Some(pair) = self.slots.as_mut().and_then(|slots| slots.pop()) {
            if now_ms.abs_diff(pair.timestamp_ms()) <= PAIR_AGE_MS_MAX {
                self.from_slot += 1;
                return pair;
            }
        }
        self.inline += 1;
        self.signer.sign(now_ms, "POST", encode::ORDERS)
    }
}

fn write_create(
    names: &KalshiNames,
    order: &Order,
    request: &mut Request,
) -> Result<(), CannotEncode> {
    encode::create(&mut request.body, names, order).map_err(|_| CannotEncode)
}

/// Whether a name of the venue's may stand in a path or a body as it is.
fn is_plain(text: &[u8]) -> bool {
    !text.is_empty()
        && text.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:".contains(byte))
}

/// The venue's id of an order from its text; none where it is no id.
pub(super) fn venue_id(text: &str) -> VenueId {
    let id = Some(text.as_bytes()).filter(|text| is_plain(text)).and_then(VenueId::new);
    id.unwrap_or(VenueId::NONE)
}

/// Whether a row that cannot be read may be `order`'s: it says so, or does not say whose it is. What another order's row
/// says of itself is no reason to doubt that ours is absent.
fn may_be_unread(row: &Value, order: OrderId) -> bool {
    let others = |name: rest::OrderName| {
        row.get("client_order_id").is_some_and(Value::is_string) && name.order != Some(order)
    };
    rest::order(row).is_err() && !rest::order_name(row).is_ok_and(others)
}

fn text(id: &VenueId) -> &str {
    std::str::from_utf8(id.as_bytes()).expect("ids of this venue are text")
}

impl VenueCodec for Kalshi {
    const VENUE: Venue = Venue::Kalshi;
    const ID_FIRST: bool = false;
    const ASKS_MODE: bool = true;

    fn follow(&mut self, market: MarketId, names: &Names) {
        Self::follow(self, market, names);
    }

    fn is_id(id: &VenueId) -> bool {
        is_plain(id.as_bytes())
    }

    fn admit(&mut self, now: Nanos, what: RequestKind<'_>) -> bool {
        match what {
            RequestKind::Place(order) => {
                let reserve = if is_urgent(order) { 0 } else { self.reserve };
                self.bucket(order.market).take(now, COST_PLACE, reserve)
            }
            RequestKind::Amend(amend) => {
                let reserve = if amend.purpose.opens() { self.reserve } else { 0 };
                self.bucket(amend.market).take(now, COST_PLACE, reserve)
            }
            RequestKind::Cancel(cancel) => self.bucket(cancel.market).take(now, COST_CANCEL, 0),
            RequestKind::CancelAll => {
                self.writes[0].take(now, COST_CANCEL, 0);
                true // a kill switch is worth a 429
            }
            RequestKind::Ask(inquiry) if inquiry.step == 0 && !inquiry.id.is_none() => {
                self.reads.take(now, COST_READ_ONE, 0)
            }
            RequestKind::Ask(_) => self.reads.take(now, COST_READ, 0),
        }
    }

    fn is_short(&mut self, now: Nanos) -> bool {
        let reserve = self.reserve;
        // Those of shards that nothing is traded on are full.
        self.writes.iter_mut().any(|bucket| !bucket.has(now, COST_PLACE, reserve))
    }

    fn on_limited(&mut self, now: Nanos, what: Limited) {
        match what {
            Limited::Order(market) | Limited::Cancel(market) => self.bucket(market).drain(now),
            Limited::CancelAll => self.writes[0].drain(now),
            Limited::Read => self.reads.drain(now),
        }
    }

    fn place(
        &mut self,
        now: Nanos,
        order: &Approved<Order>,
        request: &mut Request,
    ) -> Result<VenueId, CannotEncode> {
        let names = self.markets.get(order.market).ok_or(CannotEncode)?;
        write_create(names, order, request)?;
        let pair = self.create_pair(now);
        self.finish_with(&pair, "POST", encode::ORDERS.as_bytes(), &[], request);
        Ok(VenueId::NONE)
    }

    fn on_place(&mut self, order: &Order, _: VenueId, answer: &Answer<'_>) -> (Placed, VenueId) {
        let created = answer::created(answer.status, answer.body, order);
        (created.placed, created.order_id.as_deref().map_or(VenueId::NONE, venue_id))
    }

    fn amend(
        &mut self,
        now: Nanos,
        amend: &Approved<Amend>,
        id: &VenueId,
        request: &mut Request,
    ) -> Result<(), CannotEncode> {
        let names = self.markets.get(amend.market).ok_or(CannotEncode)?;
        let (call, written) = match amend.shrinks_by() {
            Some(less) => {
                ("/decrease", encode::decrease(&mut request.body, names.exchange_index, less))
            }
            None => ("/amend", encode::amend(&mut request.body, names, amend)),
        };
        written.map_err(|_| CannotEncode)?;
        let mut path = Vec::with_capacity(encode::ORDERS.len() + 64);
        encode::order_path(&mut path, text(id), call);
        self.finish(now, "POST", &path, &[b"?subaccount=0"], request);
        Ok(())
    }

    fn on_amend(&mut self, amend: &Amend, id: &VenueId, answer: &Answer<'_>) -> Amended {
        answer::amended(answer.status, answer.body, amend, text(id))
    }

    fn cancel(&mut self, now: Nanos, cancel: &Cancel, id: &VenueId, request: &mut Request) {
        let shard = self.shard(cancel.market);
        let mut target = std::mem::take(&mut request.body); // no body: its buffer is free
        let signed = encode::cancel_target(&mut target, text(id), shard);
        let (path, query) = target.split_at(signed);
        self.finish(now, "DELETE", path, &[query], request);
        target.clear();
        request.body = target;
    }

    fn on_cancel(&mut self, _: &Cancel, id: &VenueId, answer: &Answer<'_>) -> Cancelled {
        answer::cancelled(answer.status, answer.body, text(id))
    }

    fn cancel_all(&mut self, now: Nanos, request: &mut Request) {
        self.finish(now, "DELETE", encode::ORDERS.as_bytes(), &[b"?subaccount=0"], request);
    }

    /// The venue answers 204 without a body (§3.7).
    fn on_cancel_all(&mut self, answer: &Answer<'_>) -> bool {
        answer.status == 204
    }

    /// With the venue's id: the order, then its fills. Without: the listing of its market, which holds our id.
    fn ask(&mut self, now: Nanos, inquiry: &Inquiry, request: &mut Request) {
        let id = text(&inquiry.id);
        let cursor = inquiry.cursor.as_bytes();
        match inquiry.step {
            0 if !inquiry.id.is_none() => {
                let path = [encode::READ_ORDERS, "/", id].concat();
                self.finish(now, "GET", path.as_bytes(), &[], request);
            }
            0 | 1 => {
                let ticker =
                    self.markets.get(inquiry.query.market).map_or("", |names| &names.ticker);
                let query: [&[u8]; 4] =
                    [b"?limit=200&ticker=", ticker.as_bytes(), b"&cursor=", cursor];
                self.finish(now, "GET", encode::READ_ORDERS.as_bytes(), &query, request);
            }
            _ => {
                let path = [encode::ROOT, "/portfolio/fills"].concat();
                let query: [&[u8]; 4] =
                    [b"?limit=200&order_id=", id.as_bytes(), b"&cursor=", cursor];
                self.finish(now, "GET", path.as_bytes(), &query, request);
            }
        }
    }

    fn on_ask(
        &mut self,
        inquiry: &mut Inquiry,
        answer: &Answer<'_>,
        reports: &mut Vec<Report>,
    ) -> AfterAnswer {
        let body: Value = serde_json::from_slice(answer.body).unwrap_or(Value::Null);
        let single = inquiry.step == 0 && !inquiry.id.is_none();
        match answer.status {
            200 => {}
            404 if single => {
                inquiry.step = 2; // it may have left the listing and still have fills
                return AfterAnswer::AskNext;
            }
            _ => return AfterAnswer::Retry,
        }
        if single {
            let row = rest::order(&body).ok().filter(|row| row.name.id == text(&inquiry.id));
            let Some(row) = row else { return AfterAnswer::Retry };
            inquiry.found = true;
            reports.extend(row.terms());
            reports.push(Report::Status(row.status()));
            inquiry.step = 2;
            return AfterAnswer::AskNext;
        }
        let field = if inquiry.step < 2 { "orders" } else { "fills" };
        let Ok((rows, next)) = rest::page(&body, field) else { return AfterAnswer::Retry };
        if inquiry.step < 2 {
            let order = inquiry.query.order;
            inquiry.incomplete |= rows.iter().any(|row| may_be_unread(row, order));
            let ours = |row: &rest::OrderRow| row.name.order == Some(order);
            if let Some(row) = rows.iter().filter_map(|row| rest::order(row).ok()).find(ours) {
                inquiry.found = true;
                inquiry.id = venue_id(&row.name.id);
                reports.extend(row.terms());
                reports.push(Report::Status(row.status()));
                (inquiry.step, inquiry.pages) = (2, 0);
                inquiry.cursor.clear();
                return if inquiry.id.is_none() { AfterAnswer::Done } else { AfterAnswer::AskNext };
            }
        } else {
            let (market, key) = (inquiry.query.market, OrderRef::Key(inquiry.id.key()));
            let ours = self.markets.get(market).map(|names| names.ticker.as_str());
            for row in rows {
                // The filter is the venue's: one that it did not apply must not make another order's fills ours.
                let market = |ticker: &str| (ours == Some(ticker)).then_some(market);
                let Ok(fills) = rest::fills(row, &market) else {
                    let named = row.get("order_id").and_then(Value::as_str);
                    inquiry.incomplete |= named.is_none_or(|named| named == text(&inquiry.id));
                    continue;
                };
                let fills = fills.into_iter().filter(|fill| fill.order == key);
                let before = reports.len();
                reports.extend(fills.map(Report::Fill));
                inquiry.found |= reports.len() > before;
            }
        }
        inquiry.pages += 1;
        match next {
            Some(next) if inquiry.pages < PAGES_MAX && next != inquiry.cursor => {
                inquiry.step = inquiry.step.max(1);
                inquiry.cursor = next.to_owned();
                AfterAnswer::AskNext
            }
            more => {
                inquiry.incomplete |= more.is_some();
                AfterAnswer::Done
            }
        }
    }

    fn shard_of(&self, market: MarketId) -> u8 {
        self.shard(market)
    }

    fn modes(&self, about: Option<MarketId>, answer: &Answer<'_>, said: &mut Vec<ModeSaid>) {
        let shard = about.map(|market| self.shard(market));
        answer::modes(answer.status, answer.body, shard, said);
    }

    fn warm(&mut self, request: &mut Request) {
        let path = [encode::ROOT, "/exchange/status"].concat();
        request.begin("GET", &[path.as_bytes()], &self.host);
        request.finish();
    }

    fn signatures(&self) -> Option<(u64, u64)> {
        Some((self.from_slot, self.inline))
    }

    fn on_idle(&mut self, now: Nanos) {
        if let Some(slots) = &mut self.slots {
            slots.discard_old(now.millis());
        }
    }

    /// Without a signature: those are made ahead, and made for orders.
    fn rehearse(&mut self, now: Nanos, request: &mut Request) -> Result<(), CannotEncode> {
        let (names, pair) = &self.rehearsed;
        write_create(names, &rehearsal_order(now, Venue::Kalshi), request)?;
        self.finish_with(pair, "POST", encode::ORDERS.as_bytes(), &[], request);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_row_that_may_be_ours_hides_that_an_order_is_absent() {
        let ours = OrderId::new(0x1f);
        let row = |id: Value, client: Value, status: &str| serde_json::json!({"order_id": id, "client_order_id": client, "status": status, "fill_count_fp": "0.00"});
        let id = Value::from("3b23");
        for (client, hides) in [
            (Value::from("sf-000000000000001f"), true),
            (Value::from("sf-0000000000000020"), false),
            (Value::from("mm1-1"), false),
            (Value::from(""), false),
            (Value::Null, true),
            (Value::from(31), true),
        ] {
            assert_eq!(may_be_unread(&row(id.clone(), client.clone(), "dreaming"), ours), hides);
            assert!(
                !may_be_unread(&row(id.clone(), client.clone(), "resting"), ours),
                "it is read"
            );
            assert!(may_be_unread(&row(Value::Null, client, "resting"), ours), "nameless");
        }
    }
}
