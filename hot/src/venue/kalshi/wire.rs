//! One message's fields, as written, and the words and numbers in them.

use super::super::DecodeError;
use super::super::decimal;
use super::super::fields::{LEVELS_ROOM, level_price, not_decimal, once, push_level, required};
use super::super::scan::{Odd, Scan};
use crate::book::Change;
use crate::grid::Grid;
use crate::ids::Side;
use crate::units::{Price, Qty};

/// Bands of a price grid; three are known.
const RANGES_MAX: usize = 3;

/// Envelope and body of any message: the names do not collide, so one pass reads every kind.
#[derive(Debug, Default)]
pub(super) struct Message<'a> {
    pub(super) kind: &'a [u8],
    pub(super) sid: &'a [u8],
    pub(super) seq: &'a [u8],
    pub(super) sent_ms: &'a [u8],
    pub(super) ticker: &'a [u8],
    pub(super) price: &'a [u8],
    pub(super) delta: &'a [u8],
    pub(super) side: &'a [u8],
    pub(super) ts_ms: &'a [u8],
    pub(super) yes_price: &'a [u8],
    pub(super) yes_bid: &'a [u8],
    pub(super) yes_ask: &'a [u8],
    pub(super) count: &'a [u8],
    pub(super) taker_side: &'a [u8],
    pub(super) taker_outcome_side: &'a [u8],
    pub(super) taker_book_side: &'a [u8],
    pub(super) is_block: &'a [u8],
    pub(super) trade_id: &'a [u8],
    pub(super) order_id: &'a [u8],
    pub(super) client_order_id: &'a [u8],
    pub(super) is_taker: &'a [u8],
    pub(super) outcome_side: &'a [u8],
    pub(super) book_side: &'a [u8],
    pub(super) purchased_side: &'a [u8],
    pub(super) fee_cost: &'a [u8],
    pub(super) status: &'a [u8],
    pub(super) fill_count: &'a [u8],
    pub(super) remaining_count: &'a [u8],
    pub(super) update_reason: &'a [u8],
    pub(super) event_type: &'a [u8],
    pub(super) result: &'a [u8],
    pub(super) settlement: &'a [u8],
    pub(super) close_ts: &'a [u8],
    pub(super) is_deactivated: &'a [u8],
    pub(super) channel: &'a [u8],
    pub(super) new_sid: &'a [u8],
    pub(super) code: &'a [u8],
    pub(super) has_ranges: bool,
    has_body: bool,
    has_yes: bool,
    has_no: bool,
    /// Whether it has a side's levels by a name of an older schema, or a list of a name that is not known here.
    has_old_yes: bool,
    has_old_no: bool,
    has_other_list: bool,
}

impl Message<'_> {
    /// Whether a side that seems to be empty may be there by another name. One that is absent is empty (2026-11-20), and
    /// so is a market of which both are.
    pub(super) const fn has_other_sides(&self) -> bool {
        (!self.has_yes && (self.has_old_yes || self.has_other_list))
            || (!self.has_no && (self.has_old_no || self.has_other_list))
    }
}

/// Room for one message's lists.
#[derive(Debug)]
pub(super) struct Scratch {
    pub(super) yes: Vec<(Price, Qty)>,
    pub(super) no: Vec<(Price, Qty)>,
    /// The first number among the levels that is none.
    pub(super) bad_level: Option<DecodeError>,
    ranges: [(Price, Price, Price); RANGES_MAX],
    range_count: usize,
    bad_range: bool,
}

impl Scratch {
    pub(super) fn new() -> Self {
        Self {
            yes: Vec::with_capacity(LEVELS_ROOM),
            no: Vec::with_capacity(LEVELS_ROOM),
            bad_level: None,
            ranges: [(Price::ZERO, Price::ZERO, Price::ZERO); RANGES_MAX],
            range_count: 0,
            bad_range: false,
        }
    }

    /// The grid that the message's `price_ranges` describe; `None` where it is not one we can hold.
    pub(super) fn grid(&self) -> Option<Grid> {
        let ranges = &self.ranges[..self.range_count];
        let whole = ranges.first()?.0 == Price::ZERO
            && ranges.last()?.1 == Price::ONE
            && ranges.windows(2).all(|pair| pair[0].1 == pair[1].0);
        if self.bad_range || !whole {
            return None;
        }
        match *ranges {
            [(_, _, step)] => Grid::uniform(step.ticks()),
            [(_, middle, low), (_, _, high)] => {
                Grid::banded(middle.ticks(), 10_000, low.ticks(), high.ticks(), high.ticks())
            }
            [(_, low_end, low), (_, high_start, mid), (_, _, high)] => Grid::banded(
                low_end.ticks(),
                high_start.ticks(),
                low.ticks(),
                mid.ticks(),
                high.ticks(),
            ),
            _ => None,
        }
    }
}

/// What an `orderbook_delta` says of its level.
pub(super) type Said = (Side, Price, Change);

/// An `orderbook_delta` as the venue writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct UsualDelta<'a> {
    pub(super) sid: u64,
    pub(super) seq: u64,
    pub(super) ticker: &'a [u8],
    pub(super) ts_ms: Option<u64>,
    pub(super) said: Said,
}

/// An `orderbook_delta` as the venue writes it (2026-08-22, and its documents of 2026-11-20), member by member: the
/// subscription, the sequence number, and the change. `None` for any other frame, which is then read in general; so
/// are the changes that orders of our own make, which name them.
#[inline]
pub(super) fn usual_delta(frame: &[u8]) -> Option<UsualDelta<'_>> {
    let mut scan = Scan::new(frame);
    scan.literal(b"{\"type\":\"orderbook_delta\",\"sid\":")?;
    let sid = scan.whole()?;
    scan.literal(b",\"seq\":")?;
    let seq = scan.whole()?;
    if scan.literal(b",\"sending_ts_ms\":").is_some() {
        scan.whole()?;
    }
    let ticker = scan.expected(b",\"msg\":{\"market_ticker\":\"")?;
    if scan.literal(b",\"market_id\":\"").is_some() {
        scan.text_about::<36>()?;
    }
    scan.literal(b",\"price_dollars\":\"")?;
    let price = scan.price().filter(|&price| price != Price::ZERO)?;
    scan.literal(b",\"delta_fp\":\"")?;
    let less = scan.literal(b"-").is_some();
    let qty = scan.qty()?;
    let side = match scan.literal(b",\"side\":\"yes\"") {
        Some(()) => Side::Bid,
        None => scan.literal(b",\"side\":\"no\"").map(|()| Side::Ask)?, // already in YES price
    };
    if scan.literal(b",\"ts\":\"").is_some() {
        scan.text_about::<24>()?;
    }
    let ts_ms = match scan.literal(b",\"ts_ms\":") {
        Some(()) => Some(scan.whole()?),
        None => None,
    };
    scan.literal(b"}}")?;
    scan.end().ok()?;
    let said = (side, price, if less { Change::Take(qty) } else { Change::Add(qty) });
    Some(UsualDelta { sid, seq, ticker, ts_ms, said })
}

/// What any other `orderbook_delta` says.
pub(super) fn read_delta(message: &Message<'_>) -> Result<Said, DecodeError> {
    let price = level_price("price_dollars", message.price)?;
    let delta = decimal::signed_qty(message.delta);
    let delta = delta.map_err(|why| not_decimal("delta_fp", why))?;
    let side = match message.side {
        b"yes" => Side::Bid,
        b"no" => Side::Ask, // already in YES price
        b"" => return Err(DecodeError::BadField { field: "side", at: 0 }),
        _ => return Err(DecodeError::Unknown { field: "side" }),
    };
    let (less, qty) = delta.ok_or(DecodeError::BadField { field: "delta_fp", at: 0 })?;
    Ok((side, price, if less { Change::Take(qty) } else { Change::Add(qty) }))
}

/// Reads one message's object.
#[inline]
pub(super) fn read_message<'a>(
    scan: &mut Scan<'a>,
    scratch: &mut Scratch,
) -> Result<Message<'a>, Odd> {
    let mut message = Message::default();
    scratch.bad_level = None;
    scan.object(|scan, name| match name {
        b"type" => scan.text_into(&mut message.kind),
        b"sid" => scan.text_into(&mut message.sid),
        b"seq" => scan.text_into(&mut message.seq),
        b"sending_ts_ms" => scan.text_into(&mut message.sent_ms),
        b"msg" => {
            once(&mut message.has_body, scan)?;
            if scan.peek() == b'{' { read_body(scan, &mut message, scratch) } else { scan.skip() }
        }
        _ => scan.skip(),
    })?;
    if !message.has_yes {
        scratch.yes.clear();
    }
    if !message.has_no {
        scratch.no.clear();
    }
    if !message.has_ranges {
        scratch.range_count = 0; // those of an earlier message are another market's
    }
    Ok(message)
}

fn read_body<'a>(
    scan: &mut Scan<'a>,
    message: &mut Message<'a>,
    scratch: &mut Scratch,
) -> Result<(), Odd> {
    scan.object(|scan, name| match name {
        b"market_ticker" | b"ticker" => scan.text_into(&mut message.ticker),
        b"price_dollars" => scan.text_into(&mut message.price),
        b"delta_fp" => scan.text_into(&mut message.delta),
        b"side" => scan.text_into(&mut message.side),
        b"ts_ms" => scan.text_into(&mut message.ts_ms),
        b"yes_dollars_fp" => {
            once(&mut message.has_yes, scan)?;
            read_levels(scan, &mut scratch.yes, &mut scratch.bad_level)
        }
        b"no_dollars_fp" => {
            once(&mut message.has_no, scan)?;
            read_levels(scan, &mut scratch.no, &mut scratch.bad_level)
        }
        b"yes_price_dollars" => scan.text_into(&mut message.yes_price),
        b"yes_bid_dollars" => scan.text_into(&mut message.yes_bid),
        b"yes_ask_dollars" => scan.text_into(&mut message.yes_ask),
        b"count_fp" => scan.text_into(&mut message.count),
        b"taker_side" => scan.text_into(&mut message.taker_side),
        b"taker_outcome_side" => scan.text_into(&mut message.taker_outcome_side),
        b"taker_book_side" => scan.text_into(&mut message.taker_book_side),
        b"is_block_trade" => scan.text_into(&mut message.is_block),
        b"trade_id" => scan.text_into(&mut message.trade_id),
        b"order_id" => scan.text_into(&mut message.order_id),
        b"client_order_id" => scan.text_into(&mut message.client_order_id),
        b"is_taker" => scan.text_into(&mut message.is_taker),
        b"outcome_side" => scan.text_into(&mut message.outcome_side),
        b"book_side" => scan.text_into(&mut message.book_side),
        b"purchased_side" => scan.text_into(&mut message.purchased_side),
        b"fee_cost" => scan.text_into(&mut message.fee_cost),
        b"status" => scan.text_into(&mut message.status),
        b"fill_count_fp" => scan.text_into(&mut message.fill_count),
        b"remaining_count_fp" => scan.text_into(&mut message.remaining_count),
        b"last_update_reason" => scan.text_into(&mut message.update_reason),
        b"event_type" => scan.text_into(&mut message.event_type),
        b"result" => scan.text_into(&mut message.result),
        b"settlement_value" => scan.text_into(&mut message.settlement),
        b"close_ts" => scan.text_into(&mut message.close_ts),
        b"is_deactivated" => scan.text_into(&mut message.is_deactivated),
        b"price_ranges" => {
            once(&mut message.has_ranges, scan)?;
            read_ranges(scan, scratch)
        }
        b"channel" => scan.text_into(&mut message.channel),
        b"sid" => scan.text_into(&mut message.new_sid),
        b"code" => scan.text_into(&mut message.code),
        b"yes" | b"yes_dollars" => {
            message.has_old_yes = true;
            scan.skip()
        }
        b"no" | b"no_dollars" => {
            message.has_old_no = true;
            scan.skip()
        }
        _ => {
            message.has_other_list |= scan.peek() == b'[';
            scan.skip()
        }
    })
}

/// `[["0.4200","300.00"],…]`, or null.
fn read_levels(
    scan: &mut Scan<'_>,
    levels: &mut Vec<(Price, Qty)>,
    bad: &mut Option<DecodeError>,
) -> Result<(), Odd> {
    levels.clear();
    if scan.peek() == b'n' {
        return scan.skip();
    }
    scan.array(|scan| {
        let (mut parts, mut count) = ([&b""[..]; 2], 0);
        scan.array(|scan| {
            count += 1;
            match parts.get_mut(count - 1) {
                Some(part) => {
                    *part = scan.text()?;
                    Ok(())
                }
                None => scan.skip(),
            }
        })?;
        let level = level_price("level", parts[0])
            .and_then(|price| Ok((price, required("level", decimal::qty(parts[1]))?)));
        push_level(level, levels, bad);
        Ok(())
    })
}

fn read_ranges(scan: &mut Scan<'_>, scratch: &mut Scratch) -> Result<(), Odd> {
    scratch.range_count = 0;
    scratch.bad_range = false;
    if scan.peek() == b'n' {
        return scan.skip();
    }
    scan.array(|scan| {
        let (mut start, mut end, mut step) = (&b""[..], &b""[..], &b""[..]);
        scan.object(|scan, name| match name {
            b"start" => scan.text_into(&mut start),
            b"end" => scan.text_into(&mut end),
            b"step" => scan.text_into(&mut step),
            _ => scan.skip(),
        })?;
        let price = |text| decimal::price(text).ok().flatten();
        match (price(start), price(end), price(step), scratch.ranges.get_mut(scratch.range_count)) {
            (Some(start), Some(end), Some(step), Some(range)) => {
                *range = (start, end, step);
                scratch.range_count += 1;
            }
            _ => scratch.bad_range = true,
        }
        Ok(())
    })
}

/// A price that must be there.
pub(super) fn any_price(field: &'static str, text: &[u8]) -> Result<Price, DecodeError> {
    required(field, decimal::price(text))
}

/// A number of contracts that must be there.
pub(super) fn count(field: &'static str, text: &[u8]) -> Result<Qty, DecodeError> {
    required(field, decimal::qty(text))
}

/// The side of the YES book: by `book_side`, else by the outcome gained.
pub(super) fn side(book: &[u8], outcome: &[u8]) -> Result<Side, DecodeError> {
    match (book, outcome) {
        (b"bid", _) | (b"", b"yes") => Ok(Side::Bid),
        (b"ask", _) | (b"", b"no") => Ok(Side::Ask),
        (b"", b"") => Err(DecodeError::BadField { field: "book_side", at: 0 }),
        _ => Err(DecodeError::Unknown { field: "book_side" }),
    }
}

/// What YES pays by a determination; where value and word are both told they must agree. A word that is not known pays nothing
/// that is known, whatever value stands beside it: `void` once meant that what was paid is given back.
pub(super) fn pays(result: &[u8], value: &[u8]) -> Result<Price, DecodeError> {
    let value = decimal::price(value).map_err(|why| not_decimal("settlement_value", why))?;
    match (result, value) {
        (b"yes", None | Some(Price::ONE)) => Ok(Price::ONE),
        (b"no", None | Some(Price::ZERO)) => Ok(Price::ZERO),
        (b"scalar", Some(value)) => Ok(value),
        _ => Err(DecodeError::Unknown { field: "result" }),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::sample::for_each_change;
    use super::*;

    #[test]
    fn a_delta_read_as_usual_reads_the_same_in_general() {
        let mut scratch = Scratch::new();
        for (sent, id, time) in [
            ("", "", ""),
            (",\"sending_ts_ms\":1795197600533", "", ",\"ts_ms\":1795197600531"),
            ("", ",\"market_id\":\"9b0f6b43-5b68-4f9f\"", ",\"ts\":\"2026-11-20T18:00:00.531Z\""),
            (
                ",\"sending_ts_ms\":1795197600533",
                ",\"market_id\":\"9b0f6b43-5b68-4f9f\"",
                ",\"ts\":\"2026-11-20T18:00:00.531Z\",\"ts_ms\":1795197600531",
            ),
        ] {
            let frame = format!(
                "{{\"type\":\"orderbook_delta\",\"sid\":1,\"seq\":1000000007{sent},\
                 \"msg\":{{\"market_ticker\":\"KXSAMPLE-26NOV2017-T94999.99\"{id},\
                 \"price_dollars\":\"0.4300\",\"delta_fp\":\"-5.00\",\"side\":\"yes\"{time}}}}}"
            );
            assert!(usual_delta(frame.as_bytes()).is_some(), "{frame}");
            let mut usual = 0;
            for_each_change(frame.as_bytes(), |frame| {
                let Some(delta) = usual_delta(frame) else { return };
                usual += 1;
                let mut scan = Scan::new(frame);
                let message = read_message(&mut scan, &mut scratch).expect("good JSON");
                assert_eq!(scan.end(), Ok(()));
                assert_eq!(message.kind, b"orderbook_delta");
                assert_eq!(decimal::whole(message.sid), Some(delta.sid));
                assert_eq!(decimal::whole(message.seq), Some(delta.seq));
                assert_eq!(
                    (message.ticker, decimal::whole(message.ts_ms)),
                    (delta.ticker, delta.ts_ms)
                );
                assert_eq!(read_delta(&message), Ok(delta.said));
            });
            assert!(usual > 500, "values may differ: {usual}");
        }
    }

    #[test]
    fn a_message_without_a_grid_has_none_though_an_earlier_one_had() {
        let mut scratch = Scratch::new();
        let with =
            br#"{"type":"m","msg":{"price_ranges":[{"start":"0","end":"1","step":"0.01"}]}}"#;
        let _ = read_message(&mut Scan::new(with), &mut scratch).expect("good JSON");
        assert_eq!(scratch.grid(), Grid::uniform(100));
        let without = br#"{"type":"m","msg":{"event_type":"price_level_structure_updated"}}"#;
        let _ = read_message(&mut Scan::new(without), &mut scratch).expect("good JSON");
        assert_eq!(scratch.grid(), None);
    }
}
