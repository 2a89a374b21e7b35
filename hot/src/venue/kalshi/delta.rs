//! A change of one level, as the venue sends it thousands of times a second.

use super::super::template::{ANY, DIGIT, FIRST, STAMP, TEXT, Template, has_slash};
use super::super::{DecodeError, EventSink, decimal};
use super::wire::Said;
use super::{Session, State};
use crate::book::{Change, Level};
use crate::event::Event;
use crate::ids::Side;
use crate::units::{Nanos, Price, Qty};

impl State {
    /// Whether this is its ticker, and plain; where it is short or long, `false` says nothing.
    #[inline(always)]
    fn is_called(&self, text: &[u8]) -> bool {
        const HALF: usize = 16;
        let len = text.len();
        if !self.is_plain
            || len != usize::from(self.ticker_len)
            || !(HALF..=2 * HALF).contains(&len)
        {
            return false;
        }
        // two comparisons of known lengths that together cover all of it
        text.first_chunk::<HALF>() == self.ticker.first_chunk()
            && text.last_chunk::<HALF>() == self.ticker[len - HALF..].first_chunk()
    }
}

impl Session {
    /// A frame that is the next whole change of a market that is followed. `None` says nothing of what it is.
    #[inline(always)]
    pub(super) fn quick_delta(&self, frame: &[u8]) -> Option<QuickDelta> {
        let head = self.next_delta.begins(frame)?;
        read(&self.delta_shape, frame, head, |ticker| self.guess(ticker))
    }

    /// The slot of a market that is followed, found the quick way. `None` says nothing of whether it is.
    #[inline(always)]
    fn guess(&self, ticker: &[u8]) -> Option<usize> {
        let slot = usize::from(self.hints.guess(*ticker.last_chunk()?));
        let state = self.states.get(slot)?;
        (state.is_called(ticker) && self.snapshots.is_followed(slot)).then_some(slot)
    }

    /// The next change in the sequence, of one level of a market that is followed.
    #[inline]
    pub(super) fn on_quick_delta<S: EventSink>(
        &mut self,
        now: Nanos,
        delta: &QuickDelta,
        sink: &mut S,
    ) -> Result<(), DecodeError> {
        self.counters.messages += 1;
        self.take_expected();
        self.hear(delta.slot, Some(delta.ts_ms));
        self.on_placed_delta(now, delta.slot, Some(delta.ts_ms), || Ok(delta.said), sink)
    }

    /// One level of a market's book changes, as `said` reads.
    #[inline]
    pub(super) fn on_delta<S: EventSink>(
        &mut self,
        now: Nanos,
        ticker: &[u8],
        ts_ms: Option<u64>,
        said: impl FnOnce() -> Result<Said, DecodeError>,
        sink: &mut S,
    ) -> Result<(), DecodeError> {
        if ticker.is_empty() {
            return self.nameless(now, sink);
        }
        let Some(slot) = self.place(ticker, ts_ms) else { return Ok(()) };
        self.on_placed_delta(now, slot, ts_ms, said, sink)
    }

    /// The same where it is known which market it is, and its time has been heard.
    #[inline]
    fn on_placed_delta<S: EventSink>(
        &mut self,
        now: Nanos,
        slot: usize,
        ts_ms: Option<u64>,
        said: impl FnOnce() -> Result<Said, DecodeError>,
        sink: &mut S,
    ) -> Result<(), DecodeError> {
        if let Some(ms) = ts_ms {
            self.lag.hear(now, ms);
        }
        self.pulse.data(now);
        if !self.snapshots.is_synced(slot) {
            self.counters.early += 1;
            return Ok(());
        }
        match said() {
            Ok((_, _, Change::Add(Qty::ZERO) | Change::Take(Qty::ZERO))) => Ok(()),
            Ok((side, price, change)) => {
                let market = self.states[slot].market;
                sink.push(Event::Level(Level { market, side, price, change, last: true }));
                Ok(())
            }
            Err(error) => self.fail(now, slot, error, sink),
        }
    }
}

/// What the next change in the sequence says, and of which market.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct QuickDelta {
    slot: usize,
    ts_ms: u64,
    said: Said,
}

/// How the venue writes a change behind the numbers with which it begins.
#[derive(Debug)]
pub(super) struct DeltaShape {
    /// From the time of sending to the ticker.
    sent: Template<38, 3>,
    /// From the ticker's end to the change.
    names: Template<90, 6>,
    /// From the point of the change to the end of the side; of `no` one byte more.
    side: Template<16, 1>,
    /// From the end of the side on.
    end: Template<57, 4>,
}

/// In its `names`, where the market's id ends, and where the price's digits begin.
const ID_END: usize = 51;
const PRICE: usize = 72;
/// In its `end`, where the time in milliseconds begins.
const TS_MS: usize = 42;

impl DeltaShape {
    /// Of every frame with all members, a price in four decimals and a change in two, as the venue writes them (2026-11-20).
    pub(super) fn new() -> Self {
        let mut millis = [DIGIT; 13]; // a JSON number, from 2001 to 2286
        millis[0] = FIRST;
        let sent = Template::new(&[&millis, b",\"msg\":{\"market_ticker\":\""]);
        let names = Template::new(&[
            b"\",\"market_id\":\"",
            &[TEXT; 36],
            b"\",\"price_dollars\":\"0.",
            &[DIGIT; 4],
            b"\",\"delta_fp\":\"",
        ]);
        let side = Template::new(&[b".", &[DIGIT; 2], b"\",\"side\":\"", &[ANY; 3]]);
        let stamp = [STAMP; 24];
        let end = Template::new(&[b"\",\"ts\":\"", &stamp, b"\",\"ts_ms\":", &millis, b"}}"]);
        Self { sent, names, side, end }
    }
}

/// As [`usual_delta`](super::wire::usual_delta), of a frame of this shape; its first `head` bytes were looked at, and `known` has a slot
/// for its ticker. Every byte is held against what it is to be without a search for the members: what varies in length is read from
/// its end. `None` for any other frame.
#[inline(always)]
fn read(
    shape: &DeltaShape,
    frame: &[u8],
    head: usize,
    known: impl FnOnce(&[u8]) -> Option<usize>,
) -> Option<QuickDelta> {
    let (rest, end) = frame.split_last_chunk()?;
    let side = *rest.last_chunk::<4>()?;
    let no = side == *b":\"no";
    let point = (rest.len() + usize::from(no)).checked_sub(16)?;
    let (number, from_point) = frame.split_at_checked(point)?;
    let parts = from_point.first_chunk()?;
    let (whole, digits) = decimal::ending(*number.last_chunk()?)?;
    let number = number.get(..number.len().checked_sub(digits)?)?;
    let less = *number.last()? == b'-';
    let number = number.get(..number.len().checked_sub(usize::from(less))?)?;
    let (rest, names) = number.split_last_chunk()?;
    let (sent, ticker) = rest.get(head..)?.split_first_chunk()?;
    let fits = shape.sent.fits(sent) && shape.names.fits(names);
    if !fits || !shape.side.fits(parts) || !shape.end.fits(end) {
        return None;
    }
    if has_slash::<48>(names[..ID_END].last_chunk()?) || (!no && side != *b"\"yes") {
        return None;
    }
    let slot = known(ticker)?; // so that it is plain
    let price = Price::from_ticks(decimal::four(*names[PRICE..].first_chunk()?))?;
    if price == Price::ZERO {
        return None;
    }
    let [_, tenths, hundredths, ..] = *parts;
    let qty = decimal::hundredths(whole, [tenths, hundredths]);
    let change = if less { Change::Take(qty) } else { Change::Add(qty) };
    let side = if no { Side::Ask } else { Side::Bid }; // already in YES price
    let ts_ms = decimal::thirteen(end[TS_MS..].first_chunk()?);
    Some(QuickDelta { slot, ts_ms, said: (side, price, change) })
}

#[cfg(test)]
mod tests {
    use super::super::super::Session as _;
    use super::super::super::sample::{KalshiDeltas, for_each_change, kalshi_session};
    use super::super::super::scan::Scan;
    use super::super::next_delta::NextDelta;
    use super::super::wire::{Scratch, read_delta, read_message};
    use super::*;

    /// What the general reader makes of a delta: its two numbers, and the rest.
    ///
    /// # Panics
    /// If it does not take it as one.
    fn in_general(frame: &[u8], scratch: &mut Scratch) -> ([u64; 2], QuickDelta) {
        let mut scan = Scan::new(frame);
        let message = read_message(&mut scan, scratch).expect("good JSON");
        assert_eq!((scan.end(), message.kind), (Ok(()), &b"orderbook_delta"[..]));
        assert_eq!(message.ticker, TICKER.as_bytes());
        let number = |text| decimal::whole(text).expect("a number");
        let said = read_delta(&message).expect("a change");
        let delta = QuickDelta { slot: 7, ts_ms: number(message.ts_ms), said };
        ([message.sid, message.seq].map(number), delta)
    }

    /// The same read the quick way, where these two numbers are expected.
    fn quickly([sid, seq]: [u64; 2], frame: &[u8]) -> Option<QuickDelta> {
        let known = |ticker: &[u8]| (ticker == TICKER.as_bytes()).then_some(7);
        read(&DeltaShape::new(), frame, NextDelta::of(0, sid, seq).begins(frame)?, known)
    }

    const TICKER: &str = "KXSAMPLE-26NOV2017-T94999.99";

    /// A delta with all members and with numbers of any length, some of which are not to be read the quick way; and the numbers of
    /// its subscription and in its sequence.
    fn drawn(below: &mut impl FnMut(u64) -> u64) -> ([u64; 2], Vec<u8>) {
        let mut long = |digits| {
            let most = 10_u64.pow(1 + below(digits) as u32);
            below(most)
        };
        let (sid, seq, whole) = (long(3), long(17), long(8));
        let ticks = 1 + below(9_999);
        let places = if below(4) == 0 { below(7) as usize } else { 2 };
        let (price, parts) = (format!("{ticks:04}"), format!("{:06}", below(1_000_000)));
        let price = if below(4) != 0 { price.as_str() } else { price.trim_end_matches('0') };
        let sign = if below(2) == 0 { "-" } else { "" };
        let size = match places {
            0 => format!("{sign}{whole}"),
            places => format!("{sign}{whole}.{}", &parts[..places]),
        };
        let side = if below(2) == 0 { "yes" } else { "no" };
        let [sent, ms] = [below(1_000_000_000), below(1_000_000_000)];
        let frame = format!(
            "{{\"type\":\"orderbook_delta\",\"sid\":{sid},\"seq\":{seq},\"sending_ts_ms\":1795{sent:09},\
             \"msg\":{{\"market_ticker\":\"{TICKER}\",\"market_id\":\"9b0f6b43-5b68-4f9f-9f02-9a2d1b8ac1a1\",\
             \"price_dollars\":\"0.{price}\",\"delta_fp\":\"{size}\",\"side\":\"{side}\",\
             \"ts\":\"2026-11-20T18:00:00.531Z\",\"ts_ms\":1795{ms:09}}}}}"
        );
        ([sid, seq], frame.into_bytes())
    }

    #[test]
    fn a_delta_read_the_quick_way_reads_the_same_in_general() {
        let (mut scratch, mut quick, mut seed) = (Scratch::new(), 0, 5_u64);
        let mut below = |bound: u64| {
            seed = seed.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
            (seed >> 33) % bound
        };
        let mut check = |numbers: [u64; 2], frame: &[u8]| {
            let Some(delta) = quickly(numbers, frame) else { return 0 };
            let text = String::from_utf8_lossy(frame);
            assert_eq!((numbers, delta), in_general(frame, &mut scratch), "{text}");
            1
        };
        let mut deltas = KalshiDeltas::new();
        for _ in 0..2 {
            let numbers = [1, deltas.seq()];
            let frame = deltas.frame().to_vec();
            assert_eq!(check(numbers, &frame), 1);
            for_each_change(&frame, |frame| quick += check(numbers, frame));
        }
        assert!(quick > 500, "values may differ: {quick}");
        let (mut quick, mut changed) = (0, 0);
        for turn in 0..60_000 {
            let (numbers, mut frame) = drawn(&mut below);
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
            let taken = check(numbers, &frame);
            (quick, changed) = (quick + taken, changed + taken * i32::from(is_changed));
        }
        assert!(quick > 5_000 && changed > 100, "{quick} {changed}");
    }

    #[test]
    fn a_session_makes_the_same_of_a_delta_read_the_quick_way() {
        let [mut quick, mut general] = [(); 2].map(|()| kalshi_session());
        let mut deltas = KalshiDeltas::new();
        let mut seed = 6_u64;
        for turn in 0..5_000 {
            seed = seed.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
            if turn % 997 == 996 {
                deltas.frame(); // one is missed, and whatever comes then is early
            }
            let frame = deltas.frame();
            let spaced = [&b" "[..], frame].concat(); // which is not the usual shape
            let now = Nanos::from_millis(seed >> 40);
            let [mut events, mut wanted]: [Vec<Event>; 2] = Default::default();
            let said = [
                quick.on_frame(now, frame, &mut events),
                general.on_frame(now, &spaced, &mut wanted),
            ];
            assert_eq!(said[0], said[1]);
            assert_eq!((events, quick.counters()), (wanted, general.counters()));
            assert_eq!(quick.late(now), general.late(now));
        }
        assert!(quick.counters().gaps == 5 && quick.counters().early > 0);
    }
}
