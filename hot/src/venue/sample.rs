//! Synthetic frames of the usual shape and size, with sessions ready to read them: for benches and for tests
//! that count allocations. Nothing here is recorded.

use super::{Session, kalshi, polymarket};
use crate::event::Event;
use crate::grid::Grid;
use crate::ids::MarketId;
use crate::units::Nanos;

/// The market that the samples speak of.
pub const MARKET: MarketId = MarketId::new(0);

const CONDITION: &str = "0x51c1de0cfa1d7d3b1c8ce7be7e9d37a6a0c0a7f06cc8a95ee2b3b4cd0f5a1e77";
const YES: &str = "51842760133790241266305417795283610945572093418657720163348912750694371852604";
const NO: &str = "90317452268815307741920563384172096651830274495162038873910645527183046298177";
const TICKER: &str = "KXSAMPLE-26NOV2017-T94999.99";
const DELTA_SEQ: u64 = 1_000_000_000;

/// Condition, YES token and NO token of the sample market.
#[cfg(test)]
pub(super) const NAMES: [&str; 3] = [CONDITION, YES, NO];

/// Two `price_change` frames of 604 and 607 bytes, as long as the venue's (604 to 624 on 2026-09-24): one puts
/// 65.75 at 0.62 and moves the best bid there, the other takes it away again.
pub fn price_changes() -> [Vec<u8>; 2] {
    [("65.75", "0.62", "0.38"), ("0", "0.61", "0.39")].map(|(size, bid, no_ask)| {
        format!(
            "{{\"market\":\"{CONDITION}\", \"price_changes\":[{{\"asset_id\":\"{YES}\", \"price\":\"0.62\", \
             \"size\":\"{size}\", \"side\":\"BUY\", \"hash\":\"1a7aa82ae9603a79667c9232ef191be39e0532b2\", \
             \"best_bid\":\"{bid}\", \"best_ask\":\"0.66\"}}, {{\"asset_id\":\"{NO}\", \"price\":\"0.38\", \
             \"size\":\"{size}\", \"side\":\"SELL\", \"hash\":\"5a1dda499ceac37c00b9a859872d9d86dbcfcb39\", \
             \"best_bid\":\"0.34\", \"best_ask\":\"{no_ask}\"}}], \"timestamp\":\"1790267379253\", \
             \"event_type\":\"price_change\"}}"
        )
        .into_bytes()
    })
}

/// A market link with the sample market's book: 0.61 bid, 0.66 asked.
pub fn polymarket_session() -> polymarket::MarketSession {
    let mut session = polymarket::MarketSession::with_capacity(100);
    let grid = Grid::uniform(100).expect("a cent divides a dollar");
    let names =
        polymarket::MarketNames { market: MARKET, condition: CONDITION, yes: YES, no: NO, grid };
    session.add_market(Nanos::ZERO, &names).expect("there is room");
    session.on_open(Nanos::ZERO);
    let book = format!(
        "{{\"event_type\":\"book\",\"market\":\"{CONDITION}\",\"asset_id\":\"{YES}\",\"timestamp\":\"1\",\
         \"bids\":[{{\"price\":\"0.61\",\"size\":\"10\"}}],\"asks\":[{{\"price\":\"0.66\",\"size\":\"10\"}}]}}"
    );
    prime(&mut session, book.as_bytes());
    session
}

/// A market link with the sample market's book: 0.42 bid, 0.44 asked.
pub fn kalshi_session() -> kalshi::Session {
    let mut session = kalshi::Session::with_capacity(kalshi::Role::Market, 100);
    let grid = Grid::uniform(100).expect("a cent divides a dollar");
    session.add_market(Nanos::ZERO, TICKER, MARKET, grid).expect("there is room");
    session.on_open(Nanos::ZERO);
    let seq = DELTA_SEQ - 1;
    let book = format!(
        "{{\"type\":\"orderbook_snapshot\",\"sid\":1,\"seq\":{seq},\"msg\":{{\"market_ticker\":\"{TICKER}\",\
         \"yes_dollars_fp\":[[\"0.4200\",\"300.00\"]],\"no_dollars_fp\":[[\"0.4400\",\"20.00\"]]}}}}"
    );
    prime(&mut session, book.as_bytes());
    session
}

fn prime(session: &mut impl Session, book: &[u8]) {
    let mut events: Vec<Event> = Vec::new();
    session.on_frame(Nanos::ZERO, book, &mut events).expect("a good frame");
    while session.poll_send().is_some() {}
}

/// `orderbook_delta` frames without end: 5 contracts come at 0.43 and go again, each with the next sequence
/// number, written in place.
#[derive(Clone, Debug)]
pub struct KalshiDeltas {
    frames: [Vec<u8>; 2],
    digits: usize,
    seq: u64,
}

impl KalshiDeltas {
    /// To be read by [`kalshi_session`].
    pub fn new() -> Self {
        let head = "{\"type\":\"orderbook_delta\",\"sid\":1,\"seq\":";
        let frame = |delta| {
            format!(
                "{head}{DELTA_SEQ},\"sending_ts_ms\":1795197600533,\"msg\":{{\"market_ticker\":\"{TICKER}\",\
                 \"market_id\":\"9b0f6b43-5b68-4f9f-9f02-9a2d1b8ac1a1\",\"price_dollars\":\"0.4300\",\
                 \"delta_fp\":\"{delta}\",\"side\":\"yes\",\"ts\":\"2026-11-20T18:00:00.531Z\",\
                 \"ts_ms\":1795197600531}}}}"
            )
            .into_bytes()
        };
        Self { frames: [frame("5.00"), frame("-5.00")], digits: head.len(), seq: DELTA_SEQ }
    }

    /// The sequence number of the next frame.
    #[cfg(test)]
    pub(super) const fn seq(&self) -> u64 {
        self.seq
    }

    /// The next frame.
    pub fn frame(&mut self) -> &[u8] {
        let mut left = self.seq;
        let frame = &mut self.frames[usize::from(self.seq % 2 == 1)];
        for digit in frame[self.digits..self.digits + 10].iter_mut().rev() {
            *digit = b'0' + u8::try_from(left % 10).expect("a digit");
            left /= 10;
        }
        self.seq += 1;
        frame
    }
}

impl Default for KalshiDeltas {
    fn default() -> Self {
        Self::new()
    }
}

/// `frame` with each byte in turn changed, dropped, doubled or the last one, and with something put before it.
#[cfg(test)]
pub(super) fn for_each_change(frame: &[u8], mut check: impl FnMut(&[u8])) {
    check(frame);
    for at in 0..frame.len() {
        let (before, after) = frame.split_at(at);
        check(before);
        check(&[before, &after[1..]].concat());
        for byte in *b"\"\\{}[],: 019.-+exu\x00\x7f\xe9" {
            check(&[before, &[byte], after].concat());
            check(&[before, &[byte], &after[1..]].concat());
        }
    }
    for more in ["\n", " ", "x", "{}", "\0"] {
        check(&[frame, more.as_bytes()].concat());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::venue::Counters;

    #[test]
    fn the_samples_are_read_on_the_fast_path() {
        let mut events: Vec<Event> = Vec::new();
        let mut session = polymarket_session();
        for frame in price_changes() {
            assert!((600..=624).contains(&frame.len()), "{}", frame.len());
            session.on_frame(Nanos::ZERO, &frame, &mut events).unwrap();
        }
        let said = Counters { frames: 3, messages: 3, ..Counters::default() };
        assert_eq!((events.len(), *session.counters()), (6, said), "level, mirror and top, twice");
        events.clear();
        let (mut session, mut deltas) = (kalshi_session(), KalshiDeltas::new());
        for _ in 0..1_000 {
            session.on_frame(Nanos::ZERO, deltas.frame(), &mut events).unwrap();
        }
        let said = Counters { frames: 1_001, messages: 1_001, ..Counters::default() };
        assert_eq!((events.len(), *session.counters()), (1_000, said));
    }
}
