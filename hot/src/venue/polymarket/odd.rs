//! Polymarket's messages, by what they are about.

use super::super::odd::{About, Row, text_or_skip};
use super::super::scan::{Odd, Scan};

const fn row(word: &'static str, about: About) -> Row {
    Row { word, about }
}

/// The market channel. The user channel needs no table: every message there is about our money.
pub const MARKET: [Row; 7] = [
    row("book", About::Book),
    row("price_change", About::Book),
    row("tick_size_change", About::Book), // the grid that the book stands on
    row("best_bid_ask", About::Tape),     // it changes no book: an odd one is nobody's loss
    row("last_trade_price", About::Tape),
    row("market_resolved", About::Life),
    row("new_market", About::Talk),
];

/// What can still be said of a message that its reader gave up on.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Gist<'a> {
    pub(super) kind: Option<&'a [u8]>,
    pub(super) market: Option<&'a [u8]>,
    pub(super) asset: Option<&'a [u8]>,
    /// Whether it holds what only messages about books do.
    pub(super) has_levels: bool,
}

/// Of the message at `index` of a frame, which is an array of them or one.
pub(super) fn gist(frame: &[u8], index: usize) -> Result<Option<Gist<'_>>, Odd> {
    let mut scan = Scan::new(frame);
    if scan.peek() != b'[' {
        return if index == 0 { message(&mut scan).map(Some) } else { Ok(None) };
    }
    let (mut at, mut found) = (0, None);
    scan.array(|scan| {
        at += 1;
        if at != index + 1 {
            return scan.skip();
        }
        if scan.peek() == b'{' {
            found = Some(message(scan)?);
            return Ok(());
        }
        found = Some(Gist::default()); // a message that is no object
        scan.skip()
    })?;
    Ok(found)
}

fn message<'a>(scan: &mut Scan<'a>) -> Result<Gist<'a>, Odd> {
    let mut gist = Gist::default();
    scan.object(|scan, name| match name {
        b"event_type" => text_or_skip(scan, &mut gist.kind),
        b"market" => text_or_skip(scan, &mut gist.market),
        b"asset_id" => text_or_skip(scan, &mut gist.asset),
        b"price_changes" | b"bids" | b"asks" => {
            gist.has_levels = true;
            scan.skip()
        }
        _ => scan.skip(),
    })?;
    Ok(gist)
}
