//! Kalshi's messages, by what they are about.

use super::super::odd::{About, Row, text_or_skip};
use super::super::scan::{Odd, Scan};

const fn row(word: &'static str, about: About) -> Row {
    Row { word, about }
}

/// Both links.
pub const TABLE: [Row; 16] = [
    row("orderbook_snapshot", About::Book),
    row("orderbook_delta", About::Book),
    row("trade", About::Tape),
    row("ticker", About::Tape), // without a sequence number: checks nothing
    row("market_lifecycle_v2", About::Life),
    row("event_lifecycle", About::Talk),
    row("multivariate_market_lifecycle", About::Talk),
    row("event_fee_update", About::Talk),
    row("fill", About::Money),
    row("user_order", About::Money),
    row("market_position", About::Talk), // ours are told by fills; the comparison reads the rest
    row("order_group_updates", About::Talk),
    row("subscribed", About::Talk),
    row("unsubscribed", About::Talk),
    row("ok", About::Talk),
    row("error", About::Talk),
];

/// What can still be said of a message that its reader gave up on.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Gist<'a> {
    pub(super) kind: Option<&'a [u8]>,
    pub(super) sid: Option<&'a [u8]>,
    pub(super) seq: Option<&'a [u8]>,
    pub(super) ticker: Option<&'a [u8]>,
}

/// Of a frame that is JSON.
pub(super) fn gist(frame: &[u8]) -> Result<Gist<'_>, Odd> {
    let (mut gist, mut scan) = (Gist::default(), Scan::new(frame));
    scan.object(|scan, name| match name {
        b"type" => text_or_skip(scan, &mut gist.kind),
        b"sid" => text_or_skip(scan, &mut gist.sid),
        b"seq" => text_or_skip(scan, &mut gist.seq),
        b"msg" if scan.peek() == b'{' => scan.object(|scan, name| match name {
            b"market_ticker" | b"ticker" => text_or_skip(scan, &mut gist.ticker),
            _ => scan.skip(),
        }),
        _ => scan.skip(),
    })?;
    Ok(gist)
}
