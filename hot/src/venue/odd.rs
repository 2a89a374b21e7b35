//! What a message is about decides what it may cost where it is odd: a field missing, renamed, of another type or off
//! its grid. Each venue has one table of its messages (`polymarket/odd.rs`, `kalshi/odd.rs`; for people:
//! `docs/odd-messages.md`). The law behind them: a message that is not about a book never costs the book, a message
//! about our money is never lost, and an unknown shape is never a value.

use super::scan::{Odd, Scan};

/// What a message is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// A book: odd ones cost that market's book, which is fetched anew ([`Oddity::Shape`](crate::event::Oddity::Shape)).
    Book,
    /// Trades and prices that are shown beside the book: odd ones are counted.
    Tape,
    /// A market's terms and life: a word without meaning closes the market to opening until a person has looked
    /// ([`Oddity::Meaning`](crate::event::Oddity::Meaning)).
    Life,
    /// Our own orders and fills: what cannot be read is read from the venue's history
    /// ([`Oddity::Money`](crate::event::Oddity::Money)).
    Money,
    /// The conversation itself, and markets that are not ours: odd ones are counted.
    Talk,
}

/// One row of a venue's table.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The message's own word for its kind.
    pub word: &'static str,
    /// What it is about.
    pub about: About,
}

/// What messages of this kind are about; `None` where the kind is not in the table.
pub fn about(table: &[Row], word: &[u8]) -> Option<About> {
    table.iter().find(|row| row.word.as_bytes() == word).map(|row| row.about)
}

/// Takes a text, or passes over anything else: for messages whose reader gave up on them. Given twice, it says nothing.
pub(super) fn text_or_skip<'a>(
    scan: &mut Scan<'a>,
    slot: &mut Option<&'a [u8]>,
) -> Result<(), Odd> {
    let text = match scan.peek() {
        b'"' | b'-' | b'0'..=b'9' => scan.text()?,
        _ => {
            scan.skip()?;
            b""
        }
    };
    *slot = Some(if slot.is_some() { b"" } else { text });
    Ok(())
}
