//! Polymarket, as its executor speaks to it. Source: venue reference, `polymarket.md` §1.5, §1.6 and §4,
//! compiled 2026-11-20.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;
use surefoot_hot::ids::{MarketId, OrderRef, Outcome, Venue};
use surefoot_hot::order::{Cancel, Order};
use surefoot_hot::report::Report;
use surefoot_hot::risk::Approved;
use surefoot_hot::units::Nanos;

use crate::directory::{Directory, Generation, Names, PolymarketNames};
use crate::exec::answer::{Cancelled, Placed};
use crate::exec::codec::{
    AfterAnswer, CannotEncode, HeartbeatAnswer, Inquiry, Limited, ModeSaid, RequestKind,
    VenueCodec, is_urgent, rehearsal_order,
};
use crate::exec::http::{Answer, Request};
use crate::net::Endpoint;
use crate::venue::bucket::Bucket;
use crate::venue::markets::Markets;
use crate::venue::polymarket::eip712::Word;
use crate::venue::polymarket::encode::{self, path};
use crate::venue::polymarket::signer::Signer;
use crate::venue::polymarket::{answer, rest};
use crate::wirelog::VenueId;

/// Pages of trades read for one question.
const PAGES_MAX: u8 = 20;
/// How often the venue must hear from us; it waits 10 s.
const BEAT_EVERY: Nanos = Nanos::from_secs(5);

/// Tokens per second and burst, by the account's tier.
#[derive(Clone, Copy, Debug)]
pub struct PolymarketRates {
    /// Orders placed, over all markets.
    pub orders: (u64, u64),
    /// Cancels of single orders.
    pub cancels: (u64, u64),
    /// Reads: per IP, shared by every process behind it.
    pub reads: (u64, u64),
    /// Order tokens that orders which open something leave for hedges and sales.
    pub reserve: u64,
}

impl Default for PolymarketRates {
    /// The lowest tier's.
    fn default() -> Self {
        Self { orders: (40, 60), cancels: (80, 120), reads: (40, 200), reserve: 10 }
    }
}

/// One account at Polymarket.
pub struct Polymarket {
    signer: Arc<Signer>,
    host: String,
    markets: Markets<PolymarketNames>,
    tokens: HashMap<String, (MarketId, Outcome)>,
    orders: Bucket,
    cancels: Bucket,
    reads: Bucket,
    reserve: u64,
    beat: String,
    /// Names of a market that does not exist: what rehearsals write.
    rehearsed: PolymarketNames,
}

impl std::fmt::Debug for Polymarket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Polymarket({:?})", self.signer)
    }
}

impl Polymarket {
    /// Trades for the signer's account at `clob`.
    pub fn new(
        signer: Arc<Signer>,
        clob: &Endpoint,
        directory: &Directory,
        rates: PolymarketRates,
    ) -> Self {
        let bucket = |(rate, burst)| Bucket::new(rate, burst);
        let mut this = Self {
            signer,
            host: clob.authority(),
            markets: Markets::new(),
            tokens: HashMap::new(),
            orders: bucket(rates.orders),
            cancels: bucket(rates.cancels),
            reads: bucket(rates.reads),
            reserve: rates.reserve,
            beat: String::new(),
            rehearsed: PolymarketNames {
                condition_id: String::new(),
                yes_token: "1".repeat(77),
                no_token: "2".repeat(77),
                generation: Generation::Two,
                neg_risk: false,
                min_size_text: String::new(),
                event: String::new(),
            },
        };
        for entry in directory.iter() {
            this.follow(entry.def.market, &entry.names);
        }
        this
    }

    /// One more market, or one whose metadata changed.
    pub fn follow(&mut self, market: MarketId, names: &Names) {
        let Names::Polymarket(names) = names else { return };
        self.tokens.insert(names.yes_token.clone(), (market, Outcome::Yes));
        self.tokens.insert(names.no_token.clone(), (market, Outcome::No));
        self.markets.set(market, names.clone());
    }

    fn write_order(
        &self,
        now: Nanos,
        names: &PolymarketNames,
        order: &Order,
        request: &mut Request,
    ) -> Result<VenueId, CannotEncode> {
        let signed = self.signer.order(names, order).map_err(|_| CannotEncode)?;
        encode::post_order(&mut request.body, &self.signer, &signed);
        self.finish(now, "POST", &[path::ORDER.as_bytes()], &[], request);
        Ok(VenueId::new(&signed.id).expect("32 bytes fit"))
    }

    /// Head with L2 headers over the body written before, then the body.
    fn finish(
        &self,
        now: Nanos,
        method: &str,
        path: &[&[u8]],
        query: &[&[u8]],
        request: &mut Request,
    ) {
        let whole; // the path that is signed, in one piece
        let path = match path {
            [only] => only, // an order's: nothing is allocated
            parts => {
                whole = parts.concat();
                &whole[..]
            }
        };
        let path = std::str::from_utf8(path).expect("paths are ours, ids in them are hex");
        let body = std::mem::take(&mut request.body);
        let headers = self.signer.l2_headers(now.get() / 1_000_000_000, method, path, &body);
        request.body = body;
        let mut target: [&[u8]; 8] = [b""; 8];
        target[0] = path.as_bytes();
        target[1..=query.len()].copy_from_slice(query);
        let head = request.begin(method, &target[..=query.len()], &self.host);
        headers.write(head);
        request.finish();
    }
}

fn word(id: &VenueId) -> Word {
    id.as_bytes().try_into().expect("ids of this venue are 32 bytes")
}

impl VenueCodec for Polymarket {
    const VENUE: Venue = Venue::Polymarket;
    const ID_FIRST: bool = true;

    fn follow(&mut self, market: MarketId, names: &Names) {
        Self::follow(self, market, names);
    }

    fn is_id(id: &VenueId) -> bool {
        id.as_bytes().len() == 32
    }

    fn admit(&mut self, now: Nanos, what: RequestKind<'_>) -> bool {
        match what {
            RequestKind::Place(order) => {
                let reserve = if is_urgent(order) { 0 } else { self.reserve };
                self.orders.take(now, 1, reserve)
            }
            RequestKind::Amend(_) => false, // there is no such request here
            RequestKind::Cancel(_) => self.cancels.take(now, 1, 0),
            RequestKind::CancelAll => true, // billed afterwards by what it cancelled, below zero if need be
            RequestKind::Ask(_) => self.reads.take(now, 1, 0),
        }
    }

    fn is_short(&mut self, now: Nanos) -> bool {
        !self.orders.has(now, 1, self.reserve)
    }

    fn on_limited(&mut self, now: Nanos, what: Limited) {
        match what {
            Limited::Order(_) => self.orders.drain(now),
            Limited::Cancel(_) | Limited::CancelAll => self.cancels.drain(now),
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
        self.write_order(now, names, order, request)
    }

    /// Its id is the hash of what was signed, and that follows from the core's order: salt from our id, stamp from the
    /// time of the decision.
    fn id_of(&self, order: &Order) -> Option<VenueId> {
        let signed = self.signer.order(self.markets.get(order.market)?, order).ok()?;
        VenueId::new(&signed.id)
    }

    fn on_place(&mut self, order: &Order, id: VenueId, answer: &Answer<'_>) -> (Placed, VenueId) {
        (answer::placed(answer.status, answer.body, order, &word(&id)), id)
    }

    fn cancel(&mut self, now: Nanos, _: &Cancel, id: &VenueId, request: &mut Request) {
        encode::cancel(&mut request.body, &word(id));
        self.finish(now, "DELETE", &[path::ORDER.as_bytes()], &[], request);
    }

    fn on_cancel(&mut self, _: &Cancel, id: &VenueId, answer: &Answer<'_>) -> Cancelled {
        answer::cancelled(answer.status, answer.body, &word(id))
    }

    fn cancel_all(&mut self, now: Nanos, request: &mut Request) {
        self.finish(now, "DELETE", &[path::CANCEL_ALL.as_bytes()], &[], request);
    }

    fn on_cancel_all(&mut self, answer: &Answer<'_>) -> bool {
        answer::all_cancelled(answer.status, answer.body)
    }

    /// The order's row, then own trades in its market. The row of an order that is over may be missing while
    /// its trades are there, so both are always asked.
    fn ask(&mut self, now: Nanos, inquiry: &Inquiry, request: &mut Request) {
        if inquiry.step == 0 {
            let mut id = Vec::with_capacity(66);
            encode::order_id(&mut id, &word(&inquiry.id));
            self.finish(now, "GET", &[path::DATA_ORDER.as_bytes(), &id], &[], request);
            return;
        }
        let condition = self
            .markets
            .get(inquiry.query.market)
            .map_or("", |names| &names.condition_id)
            .to_owned();
        let cursor = match inquiry.cursor.as_str() {
            "" => "MA%3D%3D".to_owned(),
            cursor => cursor.replace('=', "%3D").replace('+', "%2B").replace('/', "%2F"),
        };
        let after = inquiry.after_secs.to_string();
        let query: [&[u8]; 6] = [
            b"?market=",
            condition.as_bytes(),
            b"&after=",
            after.as_bytes(),
            b"&next_cursor=",
            cursor.as_bytes(),
        ];
        self.finish(now, "GET", &[path::DATA_TRADES.as_bytes()], &query, request);
    }

    fn on_ask(
        &mut self,
        inquiry: &mut Inquiry,
        answer: &Answer<'_>,
        reports: &mut Vec<Report>,
    ) -> AfterAnswer {
        let Ok(body) = serde_json::from_slice::<Value>(answer.body) else {
            return AfterAnswer::Retry; // not the venue's JSON, whatever the status: it does not say that there is no such order
        };
        if inquiry.step == 0 {
            match answer.status {
                200 if !body.is_null() && body.as_object().is_none_or(|row| !row.is_empty()) => {
                    match rest::order(&body) {
                        Ok(row) if row.name.id == word(&inquiry.id) => {
                            inquiry.found = true;
                            if row.created > Nanos::ZERO {
                                inquiry.after_secs =
                                    (row.created.get() / 1_000_000_000).saturating_sub(60);
                            }
                            reports.push(Report::Status(row.status()));
                        }
                        _ => return AfterAnswer::Retry,
                    }
                }
                200 | 404 => {}
                _ => return AfterAnswer::Retry,
            }
            inquiry.step = 1;
            return AfterAnswer::AskNext;
        }
        let Ok(page) = rest::page(&body) else { return AfterAnswer::Retry };
        if answer.status != 200 {
            return AfterAnswer::Retry;
        }
        let id = word(&inquiry.id);
        let key = OrderRef::Key(inquiry.id.key());
        let ours = rest::Ours {
            owner: self.signer.owner(),
            order: &|other| *other == id,
            token: &|token| self.tokens.get(token).copied(),
        };
        for row in page.rows {
            let Ok(fills) = rest::fills(row, &ours) else {
                inquiry.incomplete = true;
                continue;
            };
            for fill in fills.into_iter().filter(|fill| fill.order == key) {
                inquiry.found = true;
                reports.push(Report::Fill(fill));
            }
        }
        inquiry.pages += 1;
        match page.next {
            Some(next) if inquiry.pages < PAGES_MAX && next != inquiry.cursor => {
                inquiry.cursor = next.to_owned();
                AfterAnswer::AskNext
            }
            more => {
                inquiry.incomplete |= more.is_some();
                AfterAnswer::Done
            }
        }
    }

    fn modes(&self, _: Option<MarketId>, answer: &Answer<'_>, said: &mut Vec<ModeSaid>) {
        said.extend(answer::mode(answer.status, answer.body, answer.retry_after));
    }

    fn warm(&mut self, request: &mut Request) {
        request.begin("GET", &[b"/time"], &self.host);
        request.finish();
    }

    fn beat_every(&self) -> Option<Nanos> {
        Some(BEAT_EVERY)
    }

    fn beat(&mut self, now: Nanos, request: &mut Request) {
        encode::heartbeat(&mut request.body, &self.beat);
        self.finish(now, "POST", &[path::HEARTBEAT.as_bytes()], &[], request);
    }

    fn on_beat(&mut self, answer: &Answer<'_>) -> HeartbeatAnswer {
        match answer::beat(answer.status, answer.body) {
            answer::Beat::Armed(id) => {
                self.beat = id;
                HeartbeatAnswer::Heard
            }
            answer::Beat::Resend(id) if id != self.beat => {
                self.beat = id;
                HeartbeatAnswer::Again
            }
            answer::Beat::Resend(_) | answer::Beat::Failed => HeartbeatAnswer::Missed,
        }
    }

    fn rehearse(&mut self, now: Nanos, request: &mut Request) -> Result<(), CannotEncode> {
        let order = rehearsal_order(now, Venue::Polymarket);
        self.write_order(now, &self.rehearsed, &order, request).map(|_| ())
    }
}
