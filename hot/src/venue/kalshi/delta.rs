//! A change of one level, as the venue sends it thousands of times a second.

use super::super::scan::until_quote;
use super::super::window::Window;
use super::super::{DecodeError, EventSink, decimal};
use super::wire::{Said, UsualDelta};
use super::{Role, Session, State};
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
    /// A frame that is a whole change of a market that is followed, and the market's slot. `None` says nothing of what it is.
    #[inline(always)]
    pub(super) fn quick_delta<'a>(&self, frame: &'a [u8]) -> Option<(UsualDelta<'a>, usize)> {
        match self.role {
            Role::Market => read(frame, |ticker| self.guess(ticker)),
            Role::Private => None,
        }
    }

    /// The slot of a market that is followed, found the quick way. `None` says nothing of whether it is.
    #[inline(always)]
    fn guess(&self, ticker: &[u8]) -> Option<usize> {
        let slot = usize::from(self.hints.guess(*ticker.last_chunk()?));
        let state = self.states.get(slot)?;
        (state.is_called(ticker) && self.snapshots.is_followed(slot)).then_some(slot)
    }

    /// A change of one level of a market that is followed.
    #[inline]
    pub(super) fn on_quick_delta<S: EventSink>(
        &mut self,
        now: Nanos,
        delta: &UsualDelta<'_>,
        slot: usize,
        sink: &mut S,
    ) -> Result<(), DecodeError> {
        self.counters.messages += 1;
        let gap = if self.next_in_sequence(delta.sid, delta.seq) {
            Ok(())
        } else {
            match self.in_sequence(now, delta.sid, delta.seq, b"orderbook_delta", sink) {
                Some(gap) => gap,
                None => return Ok(()),
            }
        };
        self.hear(slot, delta.ts_ms);
        gap.and(self.on_placed_delta(now, slot, delta.ts_ms, || Ok(delta.said), sink))
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

/// Bytes from the ticker's end to the end of the side, and what may be looked at beyond: at most.
const DELTA_BODY: usize = 128;
/// Bytes from the end of the side on.
const DELTA_TAIL: usize = 57;

/// As [`usual_delta`](super::wire::usual_delta), of a frame that has all members, of a ticker that `known` has a slot for: every byte of it is held against
/// what it is to be without a search for its members, and lengths that vary are worked out without a branch. `None` for any
/// other frame.
#[inline(always)]
fn read(
    frame: &[u8],
    known: impl FnOnce(&[u8]) -> Option<usize>,
) -> Option<(UsualDelta<'_>, usize)> {
    let (head, text) = frame.split_first_chunk()?;
    if head != b"{\"type\":\"orderbook_delta\",\"sid\":" {
        return None;
    }
    let (sid, text) = decimal::counter(text)?;
    let (name, text) = text.split_first_chunk()?;
    if name != b",\"seq\":" {
        return None;
    }
    let (seq, text) = decimal::counter(text)?;
    let (middle, text) = text.split_first_chunk::<55>()?;
    let mut middle = Window::new(middle);
    middle.literal(b",\"sending_ts_ms\":")?;
    json_millis(&mut middle)?;
    middle.literal(b",\"msg\":{\"market_ticker\":\"")?;
    let (ticker, text) = text.split_at_checked(until_quote(text)?)?;
    let slot = known(ticker)?; // so that it is plain
    let mut body = Window::new(text.first_chunk::<DELTA_BODY>()?);
    body.literal(b"\",\"market_id\":\"")?;
    body.lower::<36>()?;
    body.literal(b"\",\"price_dollars\":\"0.")?;
    let price = body.up_to_four()?;
    body.literal(b"\",\"delta_fp\":\"")?;
    let less = *body.next()? == [b'-'];
    body.pass(usize::from(less));
    let (whole, parts) = body.seven_and_four()?;
    body.literal(b"\",\"side\":\"")?;
    let side = body.next::<4>()?;
    let no = side == b"no\",";
    if !no && side != b"yes\"" {
        return None;
    }
    body.pass(3 - usize::from(no));
    let mut tail = Window::new(<&[u8; DELTA_TAIL]>::try_from(text.get(body.at()..)?).ok()?);
    tail.literal(b"\",\"ts\":\"")?;
    tail.plain::<24>()?;
    tail.literal(b"\",\"ts_ms\":")?;
    let ts_ms = json_millis(&mut tail)?;
    tail.literal(b"}}")?;
    let [price, parts] = decimal::two_fours(price, parts)?;
    let price = Price::from_ticks(price).filter(|&price| price != Price::ZERO)?;
    let qty = decimal::contracts(whole, parts);
    let change = if less { Change::Take(qty) } else { Change::Add(qty) };
    let side = if no { Side::Ask } else { Side::Bid }; // already in YES price
    let said = (side, price, change);
    Some((UsualDelta { sid, seq, ticker, ts_ms: Some(ts_ms), said }, slot))
}

/// A time in milliseconds as a JSON number, from 2001 to 2286.
#[inline(always)]
fn json_millis<const N: usize>(window: &mut Window<'_, N>) -> Option<u64> {
    let digits = window.take()?;
    decimal::thirteen(digits).filter(|_| digits[0] != b'0')
}

#[cfg(test)]
mod tests {
    use super::super::super::Session as _;
    use super::super::super::sample::{KalshiDeltas, for_each_change, kalshi_session};
    use super::super::super::scan::Scan;
    use super::super::wire::{Scratch, read_delta, read_message};
    use super::*;

    /// What the general reader makes of a delta.
    ///
    /// # Panics
    /// If it does not take it as one.
    fn in_general<'a>(frame: &'a [u8], scratch: &mut Scratch) -> UsualDelta<'a> {
        let mut scan = Scan::new(frame);
        let message = read_message(&mut scan, scratch).expect("good JSON");
        assert_eq!((scan.end(), message.kind), (Ok(()), &b"orderbook_delta"[..]));
        let number = |text| decimal::whole(text).expect("a number");
        UsualDelta {
            sid: number(message.sid),
            seq: number(message.seq),
            ticker: message.ticker,
            ts_ms: decimal::whole(message.ts_ms),
            said: read_delta(&message).expect("a change"),
        }
    }

    const TICKER: &str = "KXSAMPLE-26NOV2017-T94999.99";

    /// A delta with all members and with numbers of any length, some of which are too long to be read the quick way.
    fn drawn(below: &mut impl FnMut(u64) -> u64) -> Vec<u8> {
        let mut long = |digits| {
            let most = 10_u64.pow(1 + below(digits) as u32);
            below(most)
        };
        let (sid, seq, whole) = (long(3), long(17), long(8));
        let (ticks, places) = (1 + below(9_999), below(7) as usize);
        let (price, parts) = (format!("{ticks:04}"), format!("{:06}", below(1_000_000)));
        let price = if below(2) == 0 { price.as_str() } else { price.trim_end_matches('0') };
        let sign = if below(2) == 0 { "-" } else { "" };
        let size = match places {
            0 => format!("{sign}{whole}"),
            places => format!("{sign}{whole}.{}", &parts[..places]),
        };
        let side = if below(2) == 0 { "yes" } else { "no" };
        let [sent, ms] = [below(1_000_000_000), below(1_000_000_000)];
        format!(
            "{{\"type\":\"orderbook_delta\",\"sid\":{sid},\"seq\":{seq},\"sending_ts_ms\":1795{sent:09},\
             \"msg\":{{\"market_ticker\":\"{TICKER}\",\"market_id\":\"9b0f6b43-5b68-4f9f-9f02-9a2d1b8ac1a1\",\
             \"price_dollars\":\"0.{price}\",\"delta_fp\":\"{size}\",\"side\":\"{side}\",\
             \"ts\":\"2026-11-20T18:00:00.531Z\",\"ts_ms\":1795{ms:09}}}}}"
        )
        .into_bytes()
    }

    #[test]
    fn a_delta_read_the_quick_way_reads_the_same_in_general() {
        let known = |ticker: &[u8]| (ticker == TICKER.as_bytes()).then_some(7);
        let (mut scratch, mut quick, mut seed) = (Scratch::new(), 0, 5_u64);
        let mut below = |bound: u64| {
            seed = seed.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
            (seed >> 33) % bound
        };
        let mut check = |frame: &[u8]| {
            let Some((delta, 7)) = read(frame, known) else { return 0 };
            assert_eq!(
                delta,
                in_general(frame, &mut scratch),
                "{}",
                String::from_utf8_lossy(frame)
            );
            1
        };
        let mut deltas = KalshiDeltas::new();
        for frame in [(); 2].map(|()| deltas.frame().to_vec()) {
            let frame = frame.as_slice();
            assert_eq!(check(frame), 1);
            for_each_change(frame, |frame| quick += check(frame));
        }
        assert!(quick > 500, "values may differ: {quick}");
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
            let taken = check(&frame);
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
