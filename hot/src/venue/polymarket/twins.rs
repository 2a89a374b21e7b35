//! The frame that the venue sends most, by far: one change of one level, told of both tokens.
//!
//! It is read without a list of entries, without a search for its members and with few branches that cannot be foretold: which of
//! the two tokens comes first, which side it is and how long the numbers are is worked out. Every byte is held against the shape
//! that the venue has always written (2026-09-24). A frame that differs by one is read by [`usual_changes`](super::wire), which
//! makes the same of those that both understand.

use super::super::decimal;
use super::super::template::{DIGIT, TEXT, Template, has_slash};
use super::super::window::Window;
use super::names::{Names, PRICE};
use super::wire::Twins;
use crate::ids::Side;
use crate::units::{Price, Qty};

/// Bytes up to the first token.
const HEAD: usize = 110;
/// Bytes from the end of the last number on.
const TAIL: usize = 62;
/// Bytes from the digits of an entry's price to the end of its last number, and what may be looked at beyond: at most.
const NUMBERS: usize = 136;

/// How the venue writes what does not vary in length.
#[derive(Debug)]
pub(super) struct TwinsShape {
    /// Up to the first token.
    begin: Template<HEAD, 7>,
    /// From the end of an entry's side to the digits of its best bid.
    hash: Template<68, 5>,
    /// From the last number on.
    end: Template<TAIL, 4>,
}

/// In its `begin`, where the market's condition ends.
const CONDITION_END: usize = 77;
/// In its `hash`, where the hash ends.
const HASH_END: usize = 51;
/// In its `end`, where the time begins.
const MILLIS_AT: usize = 18;

impl TwinsShape {
    /// Of every frame that the venue sends of one change (2026-09-24).
    pub(super) fn new() -> Self {
        let (condition, hash, millis) = ([TEXT; 66], [TEXT; 40], [DIGIT; 13]);
        let price_changes = b"\", \"price_changes\":[{\"asset_id\":\"";
        let event_type = b"\", \"event_type\":\"price_change\"}";
        Self {
            begin: Template::new(&[b"{\"market\":\"", &condition, price_changes]),
            hash: Template::new(&[b"\", \"hash\":\"", &hash, b"\", \"best_bid\":\"0."]),
            end: Template::new(&[b"\"}], \"timestamp\":\"", &millis, event_type]),
        }
    }
}

/// What an entry says of its own token's book.
#[derive(Clone, Copy)]
struct Told {
    ticks: u16,
    sells: bool,
    qty: Qty,
    bid: u16,
    ask: u16,
}

impl Told {
    /// From the digits of the price to the quote behind the last number, which is left.
    #[inline(always)]
    fn read<'a>(text: &'a [u8], shape: &TwinsShape) -> Option<(Self, &'a [u8])> {
        let mut window = Window::new(text.first_chunk::<NUMBERS>()?);
        let price = window.up_to_four()?;
        window.literal(b"\", \"size\":\"")?;
        let (whole, parts) = window.seven_and_four()?;
        window.literal(b"\", \"side\":\"")?;
        let side = window.next::<4>()?;
        let sells = side == b"SELL";
        if !sells && side != b"BUY\"" {
            return None;
        }
        window.pass(3 + usize::from(sells));
        let hash = window.take()?;
        if !shape.hash.fits(hash) || has_slash::<48>(hash[..HASH_END].last_chunk()?) {
            return None;
        }
        let bid = window.up_to_four()?;
        window.literal(b"\", \"best_ask\":\"0.")?;
        let ask = window.up_to_four()?;
        let [ticks, parts] = decimal::two_fours(price, parts)?;
        let [bid, ask] = decimal::two_fours(bid, ask)?;
        let told = Self { ticks, sells, qty: decimal::contracts(whole, parts), bid, ask };
        Some((told, text.get(window.at()..)?))
    }
}

/// Reads a whole frame that is one change told of both tokens, the tops of which agree: the change and its time in milliseconds.
/// `None` for any other.
#[inline(always)]
pub(super) fn read(shape: &TwinsShape, frame: &[u8], names: &Names) -> Option<(Twins, u64)> {
    let (head, text) = frame.split_first_chunk::<HEAD>()?;
    let condition = head[..CONDITION_END].last_chunk()?;
    if !shape.begin.fits(head) || has_slash::<80>(head.first_chunk()?) {
        return None;
    }
    let (slot, tokens) = names.guess(condition)?;
    let no_first = !tokens[0].may_begin(text);
    let text = tokens[usize::from(no_first)].strip(text)?;
    let (first, text) = Told::read(text, shape)?;
    let text = strip(text, b"\"}, {\"asset_id\":\"")?;
    let text = tokens[usize::from(!no_first)].strip(text)?;
    let (second, text) = Told::read(text, shape)?;
    let tail = <&[u8; TAIL]>::try_from(text).ok()?;
    if !shape.end.fits(tail) {
        return None;
    }
    let millis = decimal::thirteen(tail[MILLIS_AT..].first_chunk()?);
    // With four digits no price is a dollar; so none of those that add up to one is zero, nor without a digit.
    let dollar = Price::ONE.ticks();
    let same = first.ticks + second.ticks == dollar && first.sells != second.sells;
    let agree = first.bid + second.ask == dollar && first.ask + second.bid == dollar;
    if !same || !agree {
        return None;
    }
    let (yes, no_qty) = if no_first { (second, first.qty) } else { (first, second.qty) };
    let twins = Twins {
        slot,
        side: if yes.sells { Side::Ask } else { Side::Bid },
        price: Price::from_ticks(yes.ticks)?,
        qty: yes.qty,
        no_qty,
        top: (Price::from_ticks(yes.bid), Price::from_ticks(yes.ask)),
    };
    Some((twins, millis))
}

/// What follows this very text.
#[inline(always)]
fn strip<'a, const N: usize>(text: &'a [u8], literal: &'static [u8; N]) -> Option<&'a [u8]> {
    let (head, after) = text.split_first_chunk()?;
    (head == literal).then_some(after)
}

const _: () = assert!(PRICE.len() == 14, "the digits of a price follow its name and `0.`");
#[cfg(test)]
mod tests {
    use super::super::super::Session;
    use super::super::super::sample::{self, for_each_change};
    use super::super::super::scan::Scan;
    use super::super::MarketNames;
    use super::super::wire::{Scratch, read_message};
    use super::*;
    use crate::event::Event;
    use crate::grid::Grid;
    use crate::ids::MarketId;
    use crate::units::Nanos;

    /// The sample market, behind another one whose condition is not of the venue's length.
    fn names() -> Names {
        let mut names = Names::with_capacity(2);
        let grid = Grid::uniform(100).unwrap();
        let [condition, yes, no] = sample::NAMES;
        let market = MarketId::new(6);
        let other = MarketNames { market, condition: "0x1", yes: "1", no: "2", grid };
        names.add(&other).unwrap();
        let market = MarketId::new(7);
        names.add(&MarketNames { market, condition, yes, no, grid }).unwrap();
        names
    }

    /// What the general reader makes of a frame.
    ///
    /// # Panics
    /// If it does not take it as a change told from both sides.
    fn in_general(frame: &[u8], names: &Names, scratch: &mut Scratch) -> (Twins, u64) {
        let mut scan = Scan::new(frame);
        let message = read_message(&mut scan, scratch, names).expect("good JSON");
        assert_eq!(scan.end(), Ok(()));
        assert_eq!((message.event_type, message.has_changes), (&b"price_change"[..], true));
        let millis = decimal::whole(message.timestamp).expect("a time");
        (Twins::of(&scratch.changes).expect("twins"), millis)
    }

    /// A change told from both sides with numbers of any length, some of which are too long to be read the quick way; one in eight
    /// is told otherwise by the other side.
    fn drawn(below: &mut impl FnMut(u64) -> u64) -> Vec<u8> {
        let dollars = |ticks: u64, longer: bool| {
            let text = format!("0.{ticks:04}");
            let text = if longer { text.as_str() } else { text.trim_end_matches('0') };
            text.to_owned()
        };
        let mut ticks = || 1 + below(9_999);
        let [price, bid, ask] = [ticks(), ticks(), ticks()];
        let longer = below(2) == 0;
        let most = 10_u64.pow(1 + below(8) as u32);
        let (whole, places) = (below(most), below(7) as usize);
        let parts = format!("{:06}", below(1_000_000));
        let size = match places {
            0 => whole.to_string(),
            places => format!("{whole}.{}", &parts[..places]),
        };
        let [buys, odd] = [below(2) == 0, below(8) == 0];
        let entry = |token, price: u64, buys: bool, bid: u64, ask: u64| {
            format!(
                "{{\"asset_id\":\"{token}\", \"price\":\"{}\", \"size\":\"{size}\", \"side\":\"{}\", \
                 \"hash\":\"1a7aa82ae9603a79667c9232ef191be39e0532b2\", \"best_bid\":\"{}\", \"best_ask\":\"{}\"}}",
                dollars(price, longer),
                if buys { "BUY" } else { "SELL" },
                dollars(bid, longer),
                dollars(ask, longer),
            )
        };
        let [condition, yes, no] = sample::NAMES;
        let yes = entry(yes, price, buys, bid, ask);
        let no = entry(no, 10_000 - price, buys == odd, 10_000 - ask, 10_000 - bid);
        let [first, second] = if below(2) == 0 { [yes, no] } else { [no, yes] };
        format!(
            "{{\"market\":\"{condition}\", \"price_changes\":[{first}, {second}], \
             \"timestamp\":\"17902{:08}\", \"event_type\":\"price_change\"}}",
            below(100_000_000)
        )
        .into_bytes()
    }

    /// Numbers below a bound, from a seed.
    fn draws(mut seed: u64) -> impl FnMut(u64) -> u64 {
        move |bound| {
            seed = seed.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
            (seed >> 33) % bound
        }
    }

    #[test]
    fn drawn_frames_changed_and_cut_read_the_same_in_general() {
        let (names, mut scratch) = (names(), Scratch::new());
        let mut below = draws(3);
        let (mut quick, mut changed) = (0, 0);
        for turn in 0..60_000 {
            let mut frame = drawn(&mut below);
            let mut is_changed = false;
            for _ in 0..if turn % 2 == 0 { 0 } else { 1 + below(3) } {
                let at = below(frame.len() as u64) as usize;
                let odd = b"\"\\{}[],: 019.-+exu\x00\x7f\xe9";
                let to = odd[below(odd.len() as u64) as usize];
                is_changed |= std::mem::replace(&mut frame[at], to) != to;
            }
            if turn % 16 == 15 {
                frame.truncate(below(frame.len() as u64) as usize);
            }
            let Some(read) = read(&TwinsShape::new(), &frame, &names) else { continue };
            (quick, changed) = (quick + 1, changed + u32::from(is_changed));
            assert_eq!(read, in_general(&frame, &names, &mut scratch));
        }
        assert!(quick > 5_000 && changed > 100, "{quick} {changed}");
    }

    #[test]
    fn a_session_makes_the_same_of_a_frame_read_the_quick_way() {
        let [mut quick, mut general] = [(); 2].map(|()| sample::polymarket_session());
        let mut below = draws(4);
        for _ in 0..5_000 {
            let frame = drawn(&mut below);
            let spaced = [&b" "[..], &frame].concat(); // which is not the usual shape
            let [mut events, mut wanted]: [Vec<Event>; 2] = Default::default();
            let now = Nanos::from_millis(below(1_000_000));
            assert!(quick.on_frame(now, &frame, &mut events).is_ok());
            assert!(general.on_frame(now, &spaced, &mut wanted).is_ok());
            assert_eq!(events, wanted, "{}", String::from_utf8_lossy(&frame));
            assert_eq!(quick.counters(), general.counters());
            assert_eq!(
                (quick.late(now), quick.poll_deadline()),
                (general.late(now), general.poll_deadline())
            );
        }
        assert!(quick.counters().backwards > 1_000, "times step back");
    }

    #[test]
    fn what_is_read_the_quick_way_reads_the_same_in_general() {
        let (names, mut scratch, mut quick) = (names(), Scratch::new(), 0);
        for frame in sample::price_changes() {
            assert!(read(&TwinsShape::new(), &frame, &names).is_some());
            for_each_change(&frame, |frame| {
                let Some(read) = read(&TwinsShape::new(), frame, &names) else { return };
                quick += 1;
                assert_eq!(read, in_general(frame, &names, &mut scratch));
            });
        }
        assert!(quick > 1_000, "values may differ: {quick}");
    }
}
