//! The market channel's messages: their fields as written, and the words and numbers in them.

use super::super::decimal;
use super::super::fields::{LEVELS_ROOM, level_price, not_decimal, once, push_level, required};
use super::super::scan::{Odd, Scan};
use super::super::{DecodeError, EventSink};
use super::names::{Names, Slot};
use crate::book::{Change, Level};
use crate::event::Event;
use crate::ids::{Outcome, Side};
use crate::units::{Price, Qty};

/// Changes that one message may hold: every price of both sides of a cent's grid in both outcomes is 396, and each
/// change is held against each other one. Of a message with more, the market is fetched anew.
const CHANGES_MAX: usize = 2_048;

/// Room for one message's contents.
#[derive(Debug)]
pub(super) struct Scratch {
    pub(super) changes: Vec<Entry>,
    pub(super) bids: Vec<(Price, Qty)>,
    pub(super) asks: Vec<(Price, Qty)>,
    /// The first number among the levels that is none.
    pub(super) bad_level: Option<DecodeError>,
}

impl Scratch {
    pub(super) fn new() -> Self {
        Self {
            changes: Vec::with_capacity(64),
            bids: Vec::with_capacity(LEVELS_ROOM),
            asks: Vec::with_capacity(LEVELS_ROOM),
            bad_level: None,
        }
    }
}

/// One entry of a `price_change`, in YES terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) slot: Slot,
    pub(super) outcome: Outcome,
    pub(super) side: Side,
    pub(super) price: Price,
    pub(super) qty: Qty,
    pub(super) top: Option<(Option<Price>, Option<Price>)>,
    pub(super) role: Role,
}

/// What becomes of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Level,
    Mirror,
    /// Not of a market we follow, or outdone by a later entry of the frame.
    Drop,
    Bad(DecodeError),
}

/// One message's scalar fields, as written.
#[derive(Debug, Default)]
pub(super) struct Message<'a> {
    pub(super) event_type: &'a [u8],
    pub(super) market: &'a [u8],
    pub(super) asset: &'a [u8],
    pub(super) timestamp: &'a [u8],
    pub(super) price: &'a [u8],
    pub(super) size: &'a [u8],
    pub(super) side: &'a [u8],
    pub(super) best_bid: &'a [u8],
    pub(super) best_ask: &'a [u8],
    pub(super) tick: &'a [u8],
    pub(super) new_tick: &'a [u8],
    pub(super) winner: &'a [u8],
    pub(super) has_bids: bool,
    pub(super) has_asks: bool,
    pub(super) has_changes: bool,
    /// Whether it has a list of a name that is not known here.
    pub(super) has_other_list: bool,
}

/// A whole frame that is one `price_change` as the venue has always written it (2026-09-24), member by member: its
/// timestamp, with the entries left in `changes`. `None` for any other, which is then read in general.
#[inline]
pub(super) fn usual_changes<'a>(
    frame: &'a [u8],
    changes: &mut Vec<Entry>,
    names: &Names,
) -> Option<&'a [u8]> {
    let mut scan = Scan::new(frame);
    scan.literal(b"{\"market\":\"")?;
    let hint = names.condition(scan.text_about::<66>()?);
    scan.literal(b", \"price_changes\":")?;
    read_changes(&mut scan, changes, names, hint).ok()?;
    scan.literal(b", \"timestamp\":\"")?;
    let timestamp = scan.text_about::<13>()?;
    scan.literal(b", \"event_type\":\"price_change\"}")?;
    scan.end().ok()?;
    Some(timestamp)
}

/// Reads one message's object.
#[inline]
pub(super) fn read_message<'a>(
    scan: &mut Scan<'a>,
    scratch: &mut Scratch,
    names: &Names,
) -> Result<Message<'a>, Odd> {
    let mut message = Message::default();
    scratch.bad_level = None;
    scan.object(|scan, name| match name {
        b"event_type" => scan.text_into(&mut message.event_type),
        b"market" => scan.text_into(&mut message.market),
        b"asset_id" => scan.text_into(&mut message.asset),
        b"timestamp" => scan.text_into(&mut message.timestamp),
        b"price" => scan.text_into(&mut message.price),
        b"size" => scan.text_into(&mut message.size),
        b"side" => scan.text_into(&mut message.side),
        b"best_bid" => scan.text_into(&mut message.best_bid),
        b"best_ask" => scan.text_into(&mut message.best_ask),
        b"tick_size" => scan.text_into(&mut message.tick),
        b"new_tick_size" => scan.text_into(&mut message.new_tick),
        b"winning_asset_id" => scan.text_into(&mut message.winner),
        b"price_changes" => {
            once(&mut message.has_changes, scan)?;
            read_changes(scan, &mut scratch.changes, names, None)
        }
        b"bids" => {
            once(&mut message.has_bids, scan)?;
            read_levels(scan, &mut scratch.bids, &mut scratch.bad_level)
        }
        b"asks" => {
            once(&mut message.has_asks, scan)?;
            read_levels(scan, &mut scratch.asks, &mut scratch.bad_level)
        }
        _ => {
            message.has_other_list |= scan.peek() == b'[';
            scan.skip()
        }
    })?;
    if !message.has_bids {
        scratch.bids.clear();
    }
    if !message.has_asks {
        scratch.asks.clear();
    }
    Ok(message)
}

pub(super) fn read_levels(
    scan: &mut Scan<'_>,
    levels: &mut Vec<(Price, Qty)>,
    bad: &mut Option<DecodeError>,
) -> Result<(), Odd> {
    levels.clear();
    scan.array(|scan| {
        let (mut price, mut size) = (&b""[..], &b""[..]);
        scan.object(|scan, name| match name {
            b"price" => scan.text_into(&mut price),
            b"size" => scan.text_into(&mut size),
            _ => scan.skip(),
        })?;
        let level = level_price("price", price).and_then(|price| Ok((price, required_qty(size)?)));
        push_level(level, levels, bad);
        Ok(())
    })
}

/// The text of one entry of a `price_change`.
#[derive(Debug, Default)]
pub(super) struct Fields<'a> {
    pub(super) asset: &'a [u8],
    pub(super) price: &'a [u8],
    pub(super) size: &'a [u8],
    pub(super) side: &'a [u8],
    pub(super) best_bid: &'a [u8],
    pub(super) best_ask: &'a [u8],
}

impl<'a> Fields<'a> {
    pub(super) fn of(message: &Message<'a>) -> Self {
        let &Message { asset, price, size, side, best_bid, best_ask, .. } = message;
        Self { asset, price, size, side, best_bid, best_ask }
    }
}

/// The entries of a `price_change`; `hint` is the market that its tokens most likely are of.
pub(super) fn read_changes(
    scan: &mut Scan<'_>,
    changes: &mut Vec<Entry>,
    names: &Names,
    hint: Option<Slot>,
) -> Result<(), Odd> {
    changes.clear();
    let mut near = None;
    scan.array(|scan| {
        if changes.len() >= CHANGES_MAX {
            if changes.len() == CHANGES_MAX {
                changes.push(too_many(near));
            }
            return scan.skip();
        }
        let entry = match usual_entry(*scan, names, near.or(hint)) {
            Some((entry, after)) => {
                *scan = after;
                entry
            }
            None => read_entry(names, near, &read_fields(scan)?),
        };
        if entry.slot != Slot::MAX {
            near = Some(entry.slot);
        }
        changes.push(entry);
        Ok(())
    })
}

/// An entry as the venue has always written it (2026-09-24), member by member, and what comes after it: the tokens that a message
/// is likely to speak of are compared where they stand, and numbers are read with the quotes behind them. `None` for any other,
/// which is then read in general. The reader is taken and given by value: so it stays in registers.
#[inline]
fn usual_entry<'a>(
    mut scan: Scan<'a>,
    names: &Names,
    hint: Option<Slot>,
) -> Option<(Entry, Scan<'a>)> {
    scan.peek();
    scan.literal(b"{\"asset_id\":\"")?;
    let hinted = hint.and_then(|slot| {
        let [yes, no] = names.tokens(slot);
        if scan.known_text(yes.text()) {
            Some((slot, Outcome::Yes))
        } else {
            scan.known_text(no.text()).then_some((slot, Outcome::No))
        }
    });
    let (slot, outcome) = match hinted {
        Some(found) => found,
        None => names.token(None, scan.rest_of_string()?)?,
    };
    scan.literal(b", \"price\":\"")?;
    let price = scan.price().filter(|&price| price != Price::ZERO)?;
    scan.literal(b", \"size\":\"")?;
    let qty = scan.qty()?;
    let side = match scan.literal(b", \"side\":\"BUY\", \"hash\":\"") {
        Some(()) => Side::Bid,
        None => scan.literal(b", \"side\":\"SELL\", \"hash\":\"").map(|()| Side::Ask)?,
    };
    scan.text_about::<40>()?;
    scan.literal(b", \"best_bid\":\"")?;
    let bid = scan.price()?;
    scan.literal(b", \"best_ask\":\"")?;
    let ask = scan.price()?;
    scan.literal(b"}")?;
    let top = Some(top_in_yes(outcome, resting(bid), resting(ask)));
    let (price, side) = in_yes(outcome, price, side);
    Some((Entry { slot, outcome, side, price, qty, top, role: Role::Level }, scan))
}

/// An entry in any order and with any more members.
#[inline(never)] // it is rare, and large
fn read_fields<'a>(scan: &mut Scan<'a>) -> Result<Fields<'a>, Odd> {
    let mut fields = Fields::default();
    scan.object(|scan, name| match name {
        b"asset_id" => scan.text_into(&mut fields.asset),
        b"price" => scan.text_into(&mut fields.price),
        b"size" => scan.text_into(&mut fields.size),
        b"side" => scan.text_into(&mut fields.side),
        b"best_bid" => scan.text_into(&mut fields.best_bid),
        b"best_ask" => scan.text_into(&mut fields.best_ask),
        _ => scan.skip(),
    })?;
    Ok(fields)
}

/// What stands for all entries that are more than may be: an error of the market that the message speaks of.
#[cold]
fn too_many(near: Option<Slot>) -> Entry {
    let error = DecodeError::BadField { field: "price_changes", at: 0 };
    Entry {
        slot: near.unwrap_or(Slot::MAX),
        outcome: Outcome::Yes,
        side: Side::Bid,
        price: Price::ZERO,
        qty: Qty::ZERO,
        top: None,
        role: if near.is_some() { Role::Bad(error) } else { Role::Drop },
    }
}

/// One entry in YES terms.
#[inline]
pub(super) fn read_entry(names: &Names, near: Option<Slot>, fields: &Fields<'_>) -> Entry {
    let mut entry = Entry {
        slot: Slot::MAX,
        outcome: Outcome::Yes,
        side: Side::Bid,
        price: Price::ZERO,
        qty: Qty::ZERO,
        top: None,
        role: Role::Drop,
    };
    let Some((slot, outcome)) = names.token(near, fields.asset) else {
        if fields.asset.is_empty() {
            entry.slot = near.unwrap_or(Slot::MAX); // a message speaks of one market
            entry.role = Role::Bad(DecodeError::BadField { field: "asset_id", at: 0 });
        }
        return entry;
    };
    entry.slot = slot;
    entry.outcome = outcome;
    entry.role = match entry_numbers(&mut entry, fields) {
        Ok(()) => Role::Level,
        Err(error) => Role::Bad(error),
    };
    entry
}

#[inline(always)]
pub(super) fn entry_numbers(entry: &mut Entry, fields: &Fields<'_>) -> Result<(), DecodeError> {
    let price = level_price("price", fields.price)?;
    (entry.price, entry.side) = in_yes(entry.outcome, price, side_of(fields.side)?);
    entry.qty = required_qty(fields.size)?;
    let top = stated_top(fields.best_bid, fields.best_ask)?;
    entry.top = top.map(|(bid, ask)| top_in_yes(entry.outcome, bid, ask));
    Ok(())
}

/// What a NO entry is good for: a check where its twin is in the frame, else the change itself.
pub(super) fn no_role(changes: &[Entry], index: usize) -> Role {
    let same = |other: &Entry| {
        let entry = &changes[index];
        other.slot == entry.slot && other.side == entry.side && other.price == entry.price
    };
    let twin = changes.iter().any(|other| other.outcome == Outcome::Yes && same(other));
    let outdone =
        changes[index + 1..].iter().any(|other| other.outcome == Outcome::No && same(other));
    match (twin, outdone) {
        (false, _) => Role::Level,
        (true, false) => Role::Mirror,
        (true, true) => Role::Drop,
    }
}

/// A change told from both sides, whose tops agree, in YES terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Twins {
    pub(super) slot: Slot,
    pub(super) side: Side,
    pub(super) price: Price,
    /// What rests there by the YES entry.
    pub(super) qty: Qty,
    /// What rests there by the NO entry.
    pub(super) no_qty: Qty,
    pub(super) top: Tops,
}

impl Twins {
    /// A frame's two entries, where they are twins.
    #[inline]
    pub(super) fn of(changes: &[Entry]) -> Option<Self> {
        let (yes, no) = match changes {
            [
                yes @ Entry { outcome: Outcome::Yes, .. },
                no @ Entry { outcome: Outcome::No, .. },
            ]
            | [
                no @ Entry { outcome: Outcome::No, .. },
                yes @ Entry { outcome: Outcome::Yes, .. },
            ] => (yes, no),
            _ => return None,
        };
        let same = yes.slot == no.slot && yes.side == no.side && yes.price == no.price;
        let good = yes.role == Role::Level && no.role == Role::Level && yes.top == no.top;
        let &Entry { slot, side, price, qty, top, .. } = yes;
        (same && good).then_some(Self { slot, side, price, qty, no_qty: no.qty, top: top? })
    }
}

/// What [`push_changes`] does of twins.
#[inline]
pub(super) fn push_twins<S: EventSink>(twins: &Twins, names: &Names, sink: &mut S) {
    let &Twins { slot, side, price, qty, no_qty, top: (bid, ask) } = twins;
    let (market, change) = (names.market(slot), Change::Set(qty));
    sink.push(Event::Level(Level { market, side, price, change, last: false }));
    sink.push(Event::Mirror { market, side, price, qty: no_qty });
    sink.push(Event::Top { market, bid, ask, last: true });
}

/// Levels in the frame's order, then what the other outcome says of them, then the tops. The last word on a market
/// ends its frame: nothing is decided before the book has been held against what the venue says of it.
#[inline]
pub(super) fn push_changes<S: EventSink>(changes: &[Entry], names: &Names, sink: &mut S) {
    let later = |index: usize, role: Role| {
        let slot = changes[index].slot;
        changes[index + 1..].iter().any(|other| other.slot == slot && other.role == role)
    };
    let checked =
        |other: &Entry| other.top.is_some() && matches!(other.role, Role::Level | Role::Mirror);
    let topped = |slot| changes.iter().any(|other| other.slot == slot && checked(other));
    for (index, entry) in changes.iter().enumerate().filter(|(_, entry)| entry.role == Role::Level)
    {
        let last = !later(index, Role::Level) && !topped(entry.slot);
        let &Entry { side, price, qty, .. } = entry;
        let (market, change) = (names.market(entry.slot), Change::Set(qty));
        sink.push(Event::Level(Level { market, side, price, change, last }));
    }
    for entry in changes.iter().filter(|entry| entry.role == Role::Mirror) {
        let &Entry { side, price, qty, .. } = entry;
        sink.push(Event::Mirror { market: names.market(entry.slot), side, price, qty });
    }
    for (index, entry) in changes.iter().enumerate() {
        let (Some((bid, ask)), Role::Level | Role::Mirror) = (entry.top, entry.role) else {
            continue;
        };
        // the last word of each token; the second only where it differs
        let told = |other: &Entry| {
            other.slot == entry.slot
                && other.top.is_some()
                && (other.outcome == entry.outcome || other.top == entry.top)
        };
        if !changes[index + 1..].iter().any(told) {
            let last = !changes[index + 1..]
                .iter()
                .any(|other| other.slot == entry.slot && checked(other));
            sink.push(Event::Top { market: names.market(entry.slot), bid, ask, last });
        }
    }
}

#[inline]
pub(super) fn side_of(word: &[u8]) -> Result<Side, DecodeError> {
    match word {
        b"BUY" => Ok(Side::Bid),
        b"SELL" => Ok(Side::Ask),
        b"" => Err(DecodeError::BadField { field: "side", at: 0 }),
        _ => Err(DecodeError::Unknown { field: "side" }),
    }
}

/// Price and side of one outcome's book in YES terms.
pub(super) const fn in_yes(outcome: Outcome, price: Price, side: Side) -> (Price, Side) {
    match outcome {
        Outcome::Yes => (price, side),
        Outcome::No => (price.complement(), side.other()),
    }
}

/// The best bid and the best ask, where there is one.
pub(super) type Tops = (Option<Price>, Option<Price>);

/// Best prices of one outcome's book in YES terms.
#[inline(always)]
fn top_in_yes(outcome: Outcome, bid: Option<Price>, ask: Option<Price>) -> Tops {
    match outcome {
        Outcome::Yes => (bid, ask),
        Outcome::No => (ask.map(Price::complement), bid.map(Price::complement)),
    }
}

/// A best price as stated, which at $0 or $1 says that there is none.
#[inline(always)]
fn resting(price: Price) -> Option<Price> {
    (price != Price::ZERO && price != Price::ONE).then_some(price)
}

/// Best prices as the venue states them, where it does: no bid is told as 0, no ask as 0 or 1.
#[inline(always)]
pub(super) fn stated_top(bid: &[u8], ask: &[u8]) -> Result<Option<Tops>, DecodeError> {
    if bid.is_empty() && ask.is_empty() {
        return Ok(None);
    }
    let bid = price_of("best_bid", bid)?.and_then(resting);
    let ask = price_of("best_ask", ask)?.and_then(resting);
    Ok(Some((bid, ask)))
}

#[inline(always)]
fn price_of(field: &'static str, text: &[u8]) -> Result<Option<Price>, DecodeError> {
    decimal::price(text).map_err(|why| not_decimal(field, why))
}

#[inline(always)]
pub(super) fn required_qty(text: &[u8]) -> Result<Qty, DecodeError> {
    required("size", decimal::qty(text))
}

#[cfg(test)]
mod tests {
    use super::super::super::sample::{self, for_each_change};
    use super::super::MarketNames;
    use super::*;
    use crate::grid::Grid;
    use crate::ids::MarketId;

    fn names() -> Names {
        let mut names = Names::with_capacity(2);
        let grid = Grid::uniform(100).unwrap();
        let [condition, yes, no] = sample::NAMES;
        let market = MarketId::new(7);
        names.add(&MarketNames { market, condition, yes, no, grid }).unwrap();
        names
    }

    #[test]
    fn what_is_read_as_usual_reads_the_same_in_general() {
        let (names, mut usual) = (names(), 0);
        let (mut scratch, mut other) = (Scratch::new(), Scratch::new());
        for_each_change(&sample::price_changes()[0], |frame| {
            let Some(timestamp) = usual_changes(frame, &mut scratch.changes, &names) else {
                return;
            };
            usual += 1;
            let mut scan = Scan::new(frame);
            let message = read_message(&mut scan, &mut other, &names).expect("good JSON");
            assert_eq!(scan.end(), Ok(()));
            assert_eq!(message.event_type, b"price_change");
            assert_eq!((message.timestamp, message.has_changes), (timestamp, true));
            assert_eq!(scratch.changes, other.changes);
        });
        assert!(usual > 1_000, "values may differ: {usual}");
    }

    #[test]
    fn an_entry_read_as_usual_reads_the_same_in_general() {
        let [frame, _] = sample::price_changes();
        let start = frame.iter().position(|&byte| byte == b'[').expect("a list") + 1;
        let length = frame[start..].iter().position(|&byte| byte == b'}').expect("an entry") + 1;
        let (names, mut usual) = (names(), 0);
        for_each_change(&frame[start..start + length + 8], |entry| {
            let hinted = usual_entry(Scan::new(entry), &names, Some(0));
            assert_eq!(usual_entry(Scan::new(entry), &names, None), hinted);
            let Some((read, after)) = hinted else { return };
            usual += 1;
            let mut scan = Scan::new(entry);
            let fields = read_fields(&mut scan).expect("good JSON");
            assert_eq!((read_entry(&names, None, &fields), scan), (read, after));
        });
        assert!(usual > 1_000, "values may differ: {usual}");
    }

    #[test]
    fn twins_are_what_the_search_would_find() {
        let (names, mut seed, mut found) = (names(), 1_u64, 0);
        let mut below = |bound: u64| {
            seed = seed.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
            (seed >> 33) % bound
        };
        let prices = [100, 200].map(|ticks| Price::from_ticks(ticks).unwrap());
        for _ in 0..20_000 {
            let mut changes: Vec<Entry> = (0..1 + below(3))
                .map(|_| Entry {
                    slot: 0,
                    outcome: if below(2) == 0 { Outcome::Yes } else { Outcome::No },
                    side: if below(4) == 0 { Side::Ask } else { Side::Bid },
                    price: prices[usize::from(below(4) == 0)],
                    qty: Qty::from_contracts(below(3)),
                    top: (below(4) > 0).then(|| (Some(prices[0]), None)),
                    role: if below(8) == 0 { Role::Drop } else { Role::Level },
                })
                .collect();
            let mut pushed: Vec<Event> = Vec::new();
            let Some(twins) = Twins::of(&changes) else { continue };
            push_twins(&twins, &names, &mut pushed);
            for index in 0..changes.len() {
                if changes[index].outcome == Outcome::No {
                    changes[index].role = no_role(&changes, index);
                }
            }
            let mut searched: Vec<Event> = Vec::new();
            push_changes(&changes, &names, &mut searched);
            assert_eq!(pushed, searched, "{changes:?}");
            found += 1;
        }
        assert!(found > 500, "{found}");
    }
}
