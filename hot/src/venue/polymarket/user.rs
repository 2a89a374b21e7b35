//! The user channel: what became of our orders, and our fills with every status they go through.
//!
//! There is no snapshot and no replay: whoever opens the link reads orders and trades over REST afterwards.

use super::super::decimal;
use super::super::fields::{not_decimal, once, required, told_time};
use super::super::fine::{self, FinePrice};
use super::super::outgoing::Outgoing;
use super::super::pulse::{Beat, Pulse};
use super::super::scan::{Odd, Scan};
use super::super::{Counters, DecodeError, EventSink, Session, fill_id, plain, venue_key};
use super::names::{Names, Slot};
use super::odd;
use super::{MarketNames, PING_EVERY, SILENCE_MAX, is_plain_text};
use crate::event::{Event, Link, Oddity};
use crate::ids::{Action, OrderRef, Outcome, Side, Venue, VenueKey};
use crate::report::{Fill, Finality, Liquidity, OrderStatus, Report, VenueState};
use crate::symbol::SymbolError;
use crate::units::{Nanos, Price, Qty};

/// Messages of one frame that may be unreadable before the rest of it is not looked at any more.
const UNREAD_MAX: usize = 64;
/// Maker orders that one trade may list; more is not believed.
const MAKERS_MAX: usize = 4_096;
/// An order this close to filled is filled: the venue's own sums fall short by up to so much (2026-11).
const DUST: Qty = Qty::from_micros(10_000);

/// The user channel's conversation.
pub struct UserSession {
    names: Names,
    subscribe: Vec<u8>,
    api_key: Vec<u8>,
    makers: Vec<Maker>,
    plain: Vec<u8>,
    out: Outgoing,
    counters: Counters,
    pulse: Pulse,
}

impl std::fmt::Debug for UserSession {
    /// Says nothing: the subscription holds the credentials.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("UserSession(***)")
    }
}

impl Drop for UserSession {
    /// The credentials leave memory, as far as safe code can see to it.
    fn drop(&mut self) {
        self.subscribe.fill(0);
        std::hint::black_box(&self.subscribe);
        self.out.clear();
    }
}

/// One entry of `maker_orders` that is ours.
#[derive(Clone, Copy, Debug)]
struct Maker {
    key: VenueKey,
    slot: Slot,
    outcome: Outcome,
    price: FinePrice,
    qty: Qty,
    /// Whether the venue stated it more finely.
    rounded: bool,
    action: Option<Action>,
}

/// One message's scalar fields, as written.
#[derive(Debug, Default)]
struct Message<'a> {
    event_type: &'a [u8],
    kind: &'a [u8],
    id: &'a [u8],
    market: &'a [u8],
    asset: &'a [u8],
    side: &'a [u8],
    price: &'a [u8],
    size: &'a [u8],
    original: &'a [u8],
    matched: &'a [u8],
    status: &'a [u8],
    owner: &'a [u8],
    taker_order: &'a [u8],
    trader_side: &'a [u8],
    match_nanos: &'a [u8],
    match_time: &'a [u8],
    /// The same by its other name.
    matchtime: &'a [u8],
    has_makers: bool,
    bad_maker: Option<DecodeError>,
}

impl Message<'_> {
    /// When the venue matched the trade, in its finest word for that (`polymarket.md` §4.4 and §6.3, 2026-11-20); zero where it
    /// says nothing of it in digits.
    fn matched_at(&self) -> Nanos {
        let told = [self.match_nanos, self.match_time, self.matchtime].map(told_time);
        told.into_iter().find(|time| *time != Nanos::ZERO).unwrap_or(Nanos::ZERO)
    }
}

impl UserSession {
    /// Room for so many markets. `subscribe` is the whole first frame, credentials included; `api_key` tells
    /// our maker orders from others'.
    pub fn new(markets: usize, subscribe: Vec<u8>, api_key: &str) -> Self {
        Self {
            names: Names::with_capacity(markets),
            out: Outgoing::with_capacity(subscribe.len() + 64),
            subscribe,
            api_key: api_key.as_bytes().to_vec(),
            makers: Vec::with_capacity(64),
            plain: Vec::new(),
            counters: Counters::default(),
            pulse: Pulse::new(Venue::Polymarket, Link::Private, PING_EVERY, SILENCE_MAX),
        }
    }

    /// One more market whose orders and fills may come.
    ///
    /// # Errors
    /// No room, a name that is too long, or one that stands for something else already.
    pub fn add_market(&mut self, names: &MarketNames<'_>) -> Result<(), SymbolError> {
        self.names.add(names).map(|_| ())
    }

    /// What has been seen so far.
    pub const fn counters(&self) -> &Counters {
        &self.counters
    }

    fn frame<S: EventSink>(&mut self, frame: &[u8], sink: &mut S) -> Result<(), DecodeError> {
        let (mut done, mut verdict) = (0, Ok(()));
        let Err(odd) = self.read(frame, 0, &mut done, &mut verdict, sink) else {
            return verdict;
        };
        self.counters.unusual += 1;
        let mut rewritten = std::mem::take(&mut self.plain);
        let read = match plain::rewrite(frame, &mut rewritten) {
            Some(()) => self.read_what_can_be(&rewritten, &mut done, &mut verdict, sink),
            None => Err(odd),
        };
        self.plain = rewritten;
        if read.is_ok() {
            return verdict;
        }
        self.fail(None, false, sink);
        verdict.and(Err(DecodeError::BadField { field: "frame", at: odd.at }))
    }

    /// Reads a frame that is JSON message by message: one that cannot be read is read from the venue's history, and
    /// those after it are read all the same.
    ///
    /// # Errors
    /// The frame is no list of messages.
    #[cold]
    fn read_what_can_be<S: EventSink>(
        &mut self,
        frame: &[u8],
        done: &mut usize,
        verdict: &mut Result<(), DecodeError>,
        sink: &mut S,
    ) -> Result<(), Odd> {
        let many = Scan::new(frame).peek() == b'[';
        for _ in 0..UNREAD_MAX {
            let Err(odd) = self.read(frame, *done, done, verdict, sink) else { return Ok(()) };
            let Some(gist) = odd::gist(frame, *done)? else { return Err(odd) };
            self.fail(self.slot_of(gist.market, gist.asset), false, sink);
            *verdict = verdict.and(Err(DecodeError::BadField { field: "frame", at: odd.at }));
            *done += 1;
            if !many {
                return Ok(());
            }
        }
        Err(Odd { at: 0 })
    }

    fn slot_of(&self, market: Option<&[u8]>, asset: Option<&[u8]>) -> Option<Slot> {
        let token = || Some(self.names.token(None, asset?)?.0);
        market.and_then(|market| self.names.condition(market)).or_else(token)
    }

    /// A message about our money was not understood: the venue's history is to be read. A word without meaning closes
    /// the market besides.
    fn fail(&mut self, slot: Option<Slot>, meaning: bool, sink: &mut impl EventSink) {
        self.counters.bad += 1;
        let (venue, market) = (Venue::Polymarket, slot.map(|slot| self.names.market(slot)));
        sink.push(Event::Odd { venue, market, what: Oddity::Money });
        if meaning && market.is_some() {
            sink.push(Event::Odd { venue, market, what: Oddity::Meaning });
        }
    }

    /// It was booked, rounded.
    fn tell_rounded(&self, slot: Slot, sink: &mut impl EventSink) {
        let market = Some(self.names.market(slot));
        sink.push(Event::Odd { venue: Venue::Polymarket, market, what: Oddity::Rounded });
    }

    fn read<S: EventSink>(
        &mut self,
        frame: &[u8],
        from: usize,
        done: &mut usize,
        verdict: &mut Result<(), DecodeError>,
        sink: &mut S,
    ) -> Result<(), Odd> {
        let mut scan = Scan::new(frame);
        if scan.peek() != b'[' {
            let message = self.read_message(&mut scan)?;
            scan.end()?;
            *done += 1;
            *verdict = self.on_message(&message, sink);
            return Ok(());
        }
        let mut index = 0;
        scan.array(|scan| {
            index += 1;
            if index <= from {
                return scan.skip();
            }
            let message = self.read_message(scan)?;
            *done += 1;
            let said = self.on_message(&message, sink);
            *verdict = verdict.and(said);
            Ok(())
        })?;
        scan.end()
    }

    fn read_message<'a>(&mut self, scan: &mut Scan<'a>) -> Result<Message<'a>, Odd> {
        let mut message = Message::default();
        self.makers.clear();
        scan.object(|scan, name| match name {
            b"event_type" => scan.text_into(&mut message.event_type),
            b"type" => scan.text_into(&mut message.kind),
            b"id" => scan.text_into(&mut message.id),
            b"market" => scan.text_into(&mut message.market),
            b"asset_id" => scan.text_into(&mut message.asset),
            b"side" => scan.text_into(&mut message.side),
            b"price" => scan.text_into(&mut message.price),
            b"size" => scan.text_into(&mut message.size),
            b"original_size" => scan.text_into(&mut message.original),
            b"size_matched" => scan.text_into(&mut message.matched),
            b"status" => scan.text_into(&mut message.status),
            b"owner" => scan.text_into(&mut message.owner),
            b"taker_order_id" => scan.text_into(&mut message.taker_order),
            b"trader_side" => scan.text_into(&mut message.trader_side),
            b"match_time_nano" => scan.text_into(&mut message.match_nanos),
            b"match_time" => scan.text_into(&mut message.match_time),
            b"matchtime" => scan.text_into(&mut message.matchtime),
            b"maker_orders" => {
                once(&mut message.has_makers, scan)?;
                if scan.peek() == b'n' {
                    return scan.skip();
                }
                self.read_makers(scan, &mut message.bad_maker)
            }
            _ => scan.skip(),
        })?;
        Ok(message)
    }

    fn read_makers(
        &mut self,
        scan: &mut Scan<'_>,
        bad: &mut Option<DecodeError>,
    ) -> Result<(), Odd> {
        let mut count = 0;
        scan.array(|scan| {
            count += 1;
            if count > MAKERS_MAX {
                return Err(scan.odd());
            }
            let mut entry = Message::default();
            scan.object(|scan, name| match name {
                b"order_id" => scan.text_into(&mut entry.id),
                b"owner" => scan.text_into(&mut entry.owner),
                b"asset_id" => scan.text_into(&mut entry.asset),
                b"price" => scan.text_into(&mut entry.price),
                b"matched_amount" => scan.text_into(&mut entry.size),
                b"side" => scan.text_into(&mut entry.side),
                _ => scan.skip(),
            })?;
            if entry.owner == self.api_key {
                match self.maker(&entry) {
                    Ok(maker) => self.makers.push(maker),
                    Err(error) => *bad = bad.or(Some(error)),
                }
            }
            Ok(())
        })
    }

    fn maker(&self, entry: &Message<'_>) -> Result<Maker, DecodeError> {
        let token = self.names.token(None, entry.asset);
        let (slot, outcome) =
            token.ok_or(DecodeError::Unknown { field: "maker_orders.asset_id" })?;
        let action = if entry.side.is_empty() { None } else { Some(action(entry.side)?) };
        let (key, price) = (order_key(entry.id)?, price(entry.price)?);
        let (qty, rounded) = qty(entry.size)?;
        Ok(Maker { key, slot, outcome, price, qty, rounded, action })
    }

    fn on_message<S: EventSink>(
        &mut self,
        message: &Message<'_>,
        sink: &mut S,
    ) -> Result<(), DecodeError> {
        self.counters.messages += 1;
        let said = match (message.event_type, message.kind) {
            (b"order", _) | (b"", b"PLACEMENT" | b"UPDATE" | b"CANCELLATION") => {
                on_order(message, sink)
            }
            (b"trade", _) | (b"", b"TRADE") => self.on_trade(message, sink),
            (b"", b"") if !message.taker_order.is_empty() => self.on_trade(message, sink),
            _ => {
                self.counters.unknown_type += 1;
                Ok(())
            }
        };
        if let Err(error) = said {
            let slot = self.slot_of(Some(message.market), Some(message.asset));
            self.fail(slot, matches!(error, DecodeError::Unknown { .. }), sink);
        }
        said
    }

    fn on_trade<S: EventSink>(
        &mut self,
        message: &Message<'_>,
        sink: &mut S,
    ) -> Result<(), DecodeError> {
        let finality = finality(message.status)?;
        if message.id.is_empty() {
            return Err(DecodeError::BadField { field: "id", at: 0 });
        }
        let mut verdict = message.bad_maker.map_or(Ok(()), Err);
        let taker = match message.trader_side {
            b"TAKER" => true,
            b"MAKER" => false,
            b"" => message.owner == self.api_key,
            _ => {
                verdict = verdict.and(Err(DecodeError::Unknown { field: "trader_side" }));
                message.owner == self.api_key
            }
        };
        if !taker && self.makers.is_empty() && verdict.is_ok() {
            // The channel carries our trades only: one of which nothing is ours was not understood.
            verdict = Err(DecodeError::BadField { field: "owner", at: 0 });
        }
        let taken = self.names.token(None, message.asset);
        if taker && let Err(error) = self.push_taker_fill(message, taken, finality, sink) {
            verdict = verdict.and(Err(error));
        }
        for maker in &self.makers {
            let action = match (maker.action, taken, action(message.side)) {
                (Some(action), ..) => action,
                // not said: same token as the taker means the other side, the other token the same
                (None, Some((slot, outcome)), Ok(taker)) if slot == maker.slot => {
                    if outcome == maker.outcome { other(taker) } else { taker }
                }
                _ => {
                    verdict = verdict
                        .and(Err(DecodeError::BadField { field: "maker_orders.side", at: 0 }));
                    continue;
                }
            };
            let fill = Fill {
                fill: fill_id(message.id, maker.key),
                order: OrderRef::Key(maker.key),
                market: self.names.market(maker.slot),
                side: Side::of(maker.outcome, action),
                price: Price::ZERO, // its parts have theirs
                qty: maker.qty,
                fee: None,
                liquidity: Liquidity::Maker,
                finality,
                venue_time: message.matched_at(),
            };
            push_fill(fine::parts(fill, maker.outcome, action, maker.price), sink);
            if maker.rounded {
                self.tell_rounded(maker.slot, sink);
            }
        }
        verdict
    }

    fn push_taker_fill<S: EventSink>(
        &self,
        message: &Message<'_>,
        taken: Option<(Slot, Outcome)>,
        finality: Finality,
        sink: &mut S,
    ) -> Result<(), DecodeError> {
        let (slot, outcome) = taken.ok_or(DecodeError::Unknown { field: "asset_id" })?;
        let key = order_key(message.taker_order)?;
        let (price, action) = (price(message.price)?, action(message.side)?);
        let (qty, rounded) = qty(message.size)?;
        let fill = Fill {
            fill: fill_id(message.id, key),
            order: OrderRef::Key(key),
            market: self.names.market(slot),
            side: Side::of(outcome, action),
            price: Price::ZERO, // its parts have theirs
            qty,
            fee: None,
            liquidity: Liquidity::Taker,
            finality,
            venue_time: message.matched_at(),
        };
        push_fill(fine::parts(fill, outcome, action, price), sink);
        if rounded {
            self.tell_rounded(slot, sink);
        }
        Ok(())
    }
}

impl Session for UserSession {
    fn counters(&self) -> &Counters {
        &self.counters
    }

    fn on_open(&mut self, now: Nanos) {
        self.pulse.open(now);
        self.out.clear();
        self.out.frame(&self.subscribe);
        self.out.frame(b"PING"); // nothing else need come for hours; the answer says the link works
    }

    fn on_frame<S: EventSink>(
        &mut self,
        now: Nanos,
        frame: &[u8],
        sink: &mut S,
    ) -> Result<(), DecodeError> {
        self.counters.frames += 1;
        self.pulse.alive(now, sink);
        if is_plain_text(frame) {
            if frame.trim_ascii() == b"PING" {
                self.out.frame(b"PONG");
            }
            return Ok(());
        }
        self.frame(frame, sink)
    }

    fn on_alive(&mut self, now: Nanos) {
        self.pulse.hear(now);
    }

    fn on_deadline<S: EventSink>(&mut self, now: Nanos, sink: &mut S) -> bool {
        if !self.pulse.is_open() {
            return false;
        }
        match self.pulse.beat(now) {
            Beat::Quiet => {}
            Beat::Ping => self.out.frame(b"PING"),
            Beat::Dead => {
                self.pulse.close(sink);
                return false;
            }
        }
        true
    }

    fn on_close<S: EventSink>(&mut self, _now: Nanos, sink: &mut S) {
        self.pulse.close(sink);
    }

    fn poll_send(&mut self) -> Option<&[u8]> {
        self.out.poll()
    }

    fn poll_deadline(&self) -> Nanos {
        self.pulse.deadline()
    }
}

/// A void fill is told by its name alone; the rest with all it says, so that none depends on an earlier one.
fn push_fill<S: EventSink>(parts: [Option<Fill>; 2], sink: &mut S) {
    for fill in parts.into_iter().flatten() {
        sink.push(Event::Report(match fill.finality {
            Finality::Failed => Report::Finality { fill: fill.fill, state: Finality::Failed },
            Finality::Provisional | Finality::Final => Report::Fill(fill),
        }));
    }
}

fn on_order<S: EventSink>(message: &Message<'_>, sink: &mut S) -> Result<(), DecodeError> {
    let order = OrderRef::Key(order_key(message.id)?);
    let amount = |field, text| decimal::qty(text).map_err(|why| not_decimal(field, why));
    let filled = amount("size_matched", message.matched)?;
    let original = amount("original_size", message.original)?;
    let state = match message.kind {
        b"CANCELLATION" => VenueState::Cancelled,
        b"PLACEMENT" | b"UPDATE" | b"" => order_state(message.status, filled, original)?,
        _ => return Err(DecodeError::Unknown { field: "type" }),
    };
    sink.push(Event::Report(Report::Status(OrderStatus { order, state, filled })));
    Ok(())
}

/// By prefix: reasons follow the word as free text.
fn order_state(
    status: &[u8],
    filled: Option<Qty>,
    original: Option<Qty>,
) -> Result<VenueState, DecodeError> {
    let word = status.strip_prefix(b"ORDER_STATUS_").unwrap_or(status);
    match word {
        b"LIVE" | b"UNMATCHED" => Ok(VenueState::Resting),
        b"DELAYED" => Ok(VenueState::Delayed),
        // also said of an order that crossed and rests with what is left
        b"MATCHED" => Ok(match (filled, original) {
            (Some(filled), Some(original)) if original.saturating_sub(filled) > DUST => {
                VenueState::Resting
            }
            _ => VenueState::Filled,
        }),
        _ if word.starts_with(b"CANCEL") || word.starts_with(b"INVALID") => {
            Ok(VenueState::Cancelled)
        }
        _ => Err(DecodeError::Unknown { field: "status" }),
    }
}

fn finality(status: &[u8]) -> Result<Finality, DecodeError> {
    match status.strip_prefix(b"TRADE_STATUS_").unwrap_or(status) {
        b"MATCHED" | b"MATCHED_NOT_BROADCASTED" | b"MINED" | b"RETRYING" => {
            Ok(Finality::Provisional)
        }
        b"CONFIRMED" => Ok(Finality::Final),
        b"FAILED" => Ok(Finality::Failed),
        b"" => Err(DecodeError::BadField { field: "status", at: 0 }),
        _ => Err(DecodeError::Unknown { field: "status" }),
    }
}

/// `0x` and 64 hex digits, as the key of the 32 bytes they stand for.
///
/// # Errors
/// Anything else.
pub fn order_key(text: &[u8]) -> Result<VenueKey, DecodeError> {
    const BAD: DecodeError = DecodeError::BadField { field: "order_id", at: 0 };
    let digits = text.strip_prefix(b"0x").ok_or(BAD)?;
    if digits.len() != 64 {
        return Err(BAD);
    }
    let mut bytes = [0_u8; 32];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let nibble = |digit: u8| match digit {
            b'0'..=b'9' => Ok(digit - b'0'),
            b'a'..=b'f' => Ok(digit - b'a' + 10),
            b'A'..=b'F' => Ok(digit - b'A' + 10),
            _ => Err(BAD),
        };
        *byte = nibble(pair[0])? << 4 | nibble(pair[1])?;
    }
    Ok(venue_key(&bytes))
}

fn action(word: &[u8]) -> Result<Action, DecodeError> {
    match word {
        b"BUY" => Ok(Action::Buy),
        b"SELL" => Ok(Action::Sell),
        b"" => Err(DecodeError::BadField { field: "side", at: 0 }),
        _ => Err(DecodeError::Unknown { field: "side" }),
    }
}

const fn other(action: Action) -> Action {
    match action {
        Action::Buy => Action::Sell,
        Action::Sell => Action::Buy,
    }
}

fn price(text: &[u8]) -> Result<FinePrice, DecodeError> {
    required("price", fine::price(text))
}

fn qty(text: &[u8]) -> Result<(Qty, bool), DecodeError> {
    required("size", fine::qty(text))
}
