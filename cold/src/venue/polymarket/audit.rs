//! Polymarket's books checked against the hash that comes with every change, off the critical path.
//!
//! The venue has no sequence numbers, but each change carries the SHA-1 of the whole book after it
//! (`venues/polymarket.md` §5.4: reproduced on every frame of one recorded session of quiet binary markets,
//! 2026-09-24; no `neg_risk` sample). So the audit keeps every level exactly as sent, recomputes the hash and
//! compares. A mismatch alone is only a reason to read the snapshot again, because a field we have wrong gives
//! one too; it is proof of a lost change where the hash has matched since the snapshot with the same fields.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::fmt;

use aws_lc_rs::digest;
use serde::Deserialize;
use surefoot_hot::ids::{MarketId, Outcome};
use surefoot_hot::links::LinkNumber;
use surefoot_hot::venue::decimal;

use crate::directory::PolymarketNames;
use crate::text::nibble;

/// The venue's hash of one token's book.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct BookHash([u8; 20]);

impl BookHash {
    /// Whether `text` is this hash, in lower-case hex as the venue writes it.
    pub fn is(&self, text: &str) -> bool {
        self.hex() == *text.as_bytes()
    }

    fn hex(&self) -> [u8; 40] {
        let mut text = [0; 40];
        for (pair, byte) in text.chunks_exact_mut(2).zip(self.0) {
            pair.copy_from_slice(&[nibble(byte >> 4), nibble(byte)]);
        }
        text
    }
}

impl fmt::Display for BookHash {
    /// As 40 lower-case hex digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::str::from_utf8(&self.hex()).expect("hex digits"))
    }
}

impl fmt::Debug for BookHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What goes into a book's hash beside its levels: texts exactly as the venue has them.
#[derive(Clone, Copy, Debug)]
pub struct BookHead<'a> {
    /// The condition id, with `0x`.
    pub market: &'a str,
    /// The token id, decimal.
    pub asset: &'a str,
    /// The event's own time in milliseconds.
    pub timestamp: &'a str,
    /// From the market's metadata: `5`.
    pub min_order_size: &'a str,
    /// The tick now: `0.01`.
    pub tick_size: &'a str,
    /// From the market's metadata.
    pub neg_risk: bool,
    /// The last trade of this token: `0.420`.
    pub last_trade_price: &'a str,
}

/// The hash of a book: `bids` rising and `asks` falling in price, each level (price, size) as sent.
/// `room` is for the text that is hashed; give the same one again to save allocating it.
pub fn book_hash<'a>(
    head: &BookHead<'_>,
    bids: impl IntoIterator<Item = (&'a str, &'a str)>,
    asks: impl IntoIterator<Item = (&'a str, &'a str)>,
    room: &mut String,
) -> BookHash {
    room.clear();
    let texts = [
        ("{\"market\":\"", head.market),
        ("\",\"asset_id\":\"", head.asset),
        ("\",\"timestamp\":\"", head.timestamp),
        ("\",\"hash\":\"\",\"bids\":[", ""),
    ];
    for (name, text) in texts {
        room.push_str(name);
        room.push_str(text);
    }
    put_levels(bids, room);
    room.push_str("],\"asks\":[");
    put_levels(asks, room);
    let texts = [
        ("],\"min_order_size\":\"", head.min_order_size),
        ("\",\"tick_size\":\"", head.tick_size),
        ("\",\"neg_risk\":", if head.neg_risk { "true" } else { "false" }),
        (",\"last_trade_price\":\"", head.last_trade_price),
        ("\"}", ""),
    ];
    for (name, text) in texts {
        room.push_str(name);
        room.push_str(text);
    }
    let sum = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, room.as_bytes());
    BookHash(sum.as_ref().try_into().expect("SHA-1 has twenty bytes"))
}

fn put_levels<'a>(levels: impl IntoIterator<Item = (&'a str, &'a str)>, room: &mut String) {
    for (index, (price, size)) in levels.into_iter().enumerate() {
        room.push_str(if index == 0 { "{\"price\":\"" } else { ",{\"price\":\"" });
        room.push_str(price);
        room.push_str("\",\"size\":\"");
        room.push_str(size);
        room.push_str("\"}");
    }
}

/// What one comparison says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The book is the venue's.
    Matched,
    /// It differs, but perhaps only in a field we do not know: read the snapshot again.
    Suspect,
    /// It differs, and matched before with the same fields: a change was lost. The book is stale.
    Proven,
}

/// What one comparison of a book's hash has shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finding {
    pub market: MarketId,
    pub outcome: Outcome,
    pub verdict: Verdict,
}

/// What the audit has seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Whole books whose hash was compared.
    pub snapshots: u64,
    /// Changes of one level after which the book's hash was compared.
    pub changes: u64,
    /// Comparisons, of either kind, in which the hashes were equal.
    pub matched: u64,
    /// Mismatches that may have another cause.
    pub suspect: u64,
    /// Mismatches that prove a lost change.
    pub proven: u64,
    /// Changes not compared: no snapshot, a mismatch before, or no hash in the message.
    pub unchecked: u64,
    /// Frames that could not be read.
    pub unread: u64,
}

/// Every audited book. Fed with the very frames the session got; finds nothing the session depends on.
#[derive(Debug, Default)]
pub struct Audit {
    tokens: Vec<Token>,
    names: HashMap<String, usize>,
    /// The market link that the frames come over now.
    link: LinkNumber,
    counts: Counts,
    room: String,
}

#[derive(Debug)]
struct Token {
    market: MarketId,
    outcome: Outcome,
    condition: String,
    asset: String,
    min_order_size: String,
    neg_risk: bool,
    tick_size: String,
    last_trade_price: String,
    /// (price, size) as sent, by price in billionths.
    bids: BTreeMap<u64, (String, String)>,
    asks: BTreeMap<u64, (String, String)>,
    trust: Trust,
    /// The market link that its last book came over, and so its changes.
    link: LinkNumber,
}

/// How far a token's book can be relied on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trust {
    /// No snapshot, or a mismatch since: nothing more to learn before the next one.
    Nothing,
    /// A snapshot, but no match with the fields as they are now.
    Untested,
    /// The hash has matched with the fields as they are now.
    Tested,
}

impl Audit {
    /// Nothing to audit yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Both tokens of one more market. Their tick and last trade come with the first snapshot.
    pub fn add_market(&mut self, market: MarketId, names: &PolymarketNames) {
        for (outcome, asset) in [(Outcome::Yes, &names.yes_token), (Outcome::No, &names.no_token)] {
            if self.names.contains_key(asset) {
                continue;
            }
            self.names.insert(asset.clone(), self.tokens.len());
            self.tokens.push(Token {
                market,
                outcome,
                condition: names.condition_id.clone(),
                asset: asset.clone(),
                min_order_size: names.min_size_text.clone(),
                neg_risk: names.neg_risk,
                tick_size: String::new(),
                last_trade_price: String::new(),
                bids: BTreeMap::new(),
                asks: BTreeMap::new(),
                trust: Trust::Nothing,
                link: LinkNumber::FIRST,
            });
        }
    }

    /// The frames that follow came over this market link; the first one, where nothing is said.
    pub const fn listen_to(&mut self, link: LinkNumber) {
        self.link = link;
    }

    /// A frame of the market link listened to was missed, or the link is new: its books wait for their snapshots.
    pub fn forget_link(&mut self) {
        for token in self.tokens.iter_mut().filter(|token| token.link == self.link) {
            token.trust = Trust::Nothing;
        }
    }

    /// What has been seen so far.
    pub const fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Takes one frame of the market channel; `found` is called for each comparison, in order.
    pub fn on_frame(&mut self, frame: &[u8], mut found: impl FnMut(Finding)) {
        match frame.trim_ascii_start().first() {
            Some(b'[') => match serde_json::from_slice::<Vec<Message<'_>>>(frame) {
                Ok(messages) => {
                    for message in &messages {
                        self.on_message(message, &mut found);
                    }
                }
                Err(_) => self.unread(),
            },
            Some(b'{') => match serde_json::from_slice::<Message<'_>>(frame) {
                Ok(message) => self.on_message(&message, &mut found),
                Err(_) => self.unread(),
            },
            _ => {} // PONG and the like
        }
    }

    /// It may have held a change of any of the link's books.
    fn unread(&mut self) {
        self.counts.unread += 1;
        self.forget_link();
    }

    fn on_message(&mut self, message: &Message<'_>, found: &mut impl FnMut(Finding)) {
        match message.event_type.as_deref() {
            Some("book") => self.on_book(message, found),
            Some("price_change") => self.on_changes(message, found),
            Some("last_trade_price") => {
                // how the hash writes the new price, and of which token, is only known from the next book
                self.set_field(message, |token, message| {
                    token.last_trade_price.clear();
                    token.last_trade_price.push_str(message.price.as_deref().unwrap_or_default());
                });
                self.untest_market(message);
            }
            Some("tick_size_change") => {
                self.set_field(message, |token, message| {
                    token.tick_size.clear();
                    token.tick_size.push_str(message.new_tick_size.as_deref().unwrap_or_default());
                });
                self.untest_market(message);
            }
            _ => {}
        }
    }

    fn set_field(&mut self, message: &Message<'_>, set: impl FnOnce(&mut Token, &Message<'_>)) {
        let asset = message.asset_id.as_deref().unwrap_or_default();
        if let Some(&index) = self.names.get(asset) {
            set(&mut self.tokens[index], message);
        }
    }

    /// A field of the market's hashes changed: the next mismatch proves nothing.
    fn untest_market(&mut self, message: &Message<'_>) {
        let condition = message.market.as_deref().unwrap_or_default();
        for token in self.tokens.iter_mut().filter(|token| token.condition == condition) {
            if token.trust == Trust::Tested {
                token.trust = Trust::Untested;
            }
        }
    }

    fn on_book(&mut self, message: &Message<'_>, found: &mut impl FnMut(Finding)) {
        let asset = message.asset_id.as_deref().unwrap_or_default();
        let Some(&index) = self.names.get(asset) else { return };
        let token = &mut self.tokens[index];
        for (text, there) in [
            (&message.tick_size, &mut token.tick_size),
            (&message.last_trade_price, &mut token.last_trade_price),
            (&message.min_order_size, &mut token.min_order_size),
        ] {
            if let Some(text) = text {
                there.clear();
                there.push_str(text);
            }
        }
        token.neg_risk = message.neg_risk.unwrap_or(token.neg_risk);
        token.trust = Trust::Untested;
        token.link = self.link;
        token.bids.clear();
        token.asks.clear();
        for (levels, side) in [(&message.bids, &mut token.bids), (&message.asks, &mut token.asks)] {
            for level in levels.iter().flatten() {
                if !set_level(side, &level.price, &level.size) {
                    token.trust = Trust::Nothing;
                }
            }
        }
        self.counts.snapshots += 1;
        self.compare(index, message.timestamp.as_deref(), message.hash.as_deref(), found);
    }

    fn on_changes(&mut self, message: &Message<'_>, found: &mut impl FnMut(Finding)) {
        for change in message.price_changes.iter().flatten() {
            let Some(&index) = self.names.get(change.asset_id.as_ref()) else { continue };
            let token = &mut self.tokens[index];
            let applied = match change.side.as_ref() {
                "BUY" => set_level(&mut token.bids, &change.price, &change.size),
                "SELL" => set_level(&mut token.asks, &change.price, &change.size),
                _ => false,
            };
            if !applied {
                token.trust = Trust::Nothing;
            }
            self.counts.changes += 1;
            self.compare(index, message.timestamp.as_deref(), change.hash.as_deref(), found);
        }
    }

    fn compare(
        &mut self,
        index: usize,
        timestamp: Option<&str>,
        hash: Option<&str>,
        found: &mut impl FnMut(Finding),
    ) {
        let token = &mut self.tokens[index];
        let (Some(timestamp), Some(hash), true) = (timestamp, hash, token.trust != Trust::Nothing)
        else {
            self.counts.unchecked += 1;
            return;
        };
        let ours = token.hash(timestamp, &mut self.room);
        let (verdict, trust, count) = match (ours.is(hash), token.trust) {
            (true, _) => (Verdict::Matched, Trust::Tested, &mut self.counts.matched),
            (false, Trust::Tested) => (Verdict::Proven, Trust::Nothing, &mut self.counts.proven),
            (false, _) => (Verdict::Suspect, Trust::Nothing, &mut self.counts.suspect),
        };
        *count += 1;
        token.trust = trust;
        found(Finding { market: token.market, outcome: token.outcome, verdict });
    }
}

impl Token {
    fn hash(&self, timestamp: &str, room: &mut String) -> BookHash {
        let head = BookHead {
            market: &self.condition,
            asset: &self.asset,
            timestamp,
            min_order_size: &self.min_order_size,
            tick_size: &self.tick_size,
            neg_risk: self.neg_risk,
            last_trade_price: &self.last_trade_price,
        };
        let bids = self.bids.values().map(|(price, size)| (price.as_str(), size.as_str()));
        let asks = self.asks.values().rev().map(|(price, size)| (price.as_str(), size.as_str()));
        book_hash(&head, bids, asks, room)
    }
}

/// Sets or removes one level; `false` where it is no level.
fn set_level(side: &mut BTreeMap<u64, (String, String)>, price: &str, size: &str) -> bool {
    let (Ok((false, key)), Ok((false, qty))) =
        (decimal::decimal(price.as_bytes(), 9), decimal::decimal(size.as_bytes(), 9))
    else {
        return false;
    };
    if qty == 0 {
        side.remove(&key);
    } else {
        side.insert(key, (price.to_owned(), size.to_owned()));
    }
    true
}

/// The venue's message, as far as hashes depend on it.
#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow)]
    event_type: Option<Cow<'a, str>>,
    #[serde(borrow)]
    market: Option<Cow<'a, str>>,
    #[serde(borrow)]
    asset_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    timestamp: Option<Cow<'a, str>>,
    #[serde(borrow)]
    hash: Option<Cow<'a, str>>,
    #[serde(borrow)]
    bids: Option<Vec<TextLevel<'a>>>,
    #[serde(borrow)]
    asks: Option<Vec<TextLevel<'a>>>,
    #[serde(borrow)]
    min_order_size: Option<Cow<'a, str>>,
    #[serde(borrow)]
    tick_size: Option<Cow<'a, str>>,
    neg_risk: Option<bool>,
    #[serde(borrow)]
    last_trade_price: Option<Cow<'a, str>>,
    #[serde(borrow)]
    price: Option<Cow<'a, str>>,
    #[serde(borrow)]
    new_tick_size: Option<Cow<'a, str>>,
    #[serde(borrow)]
    price_changes: Option<Vec<TextChange<'a>>>,
}

#[derive(Deserialize)]
struct TextLevel<'a> {
    #[serde(borrow)]
    price: Cow<'a, str>,
    #[serde(borrow)]
    size: Cow<'a, str>,
}

#[derive(Deserialize)]
struct TextChange<'a> {
    #[serde(borrow)]
    asset_id: Cow<'a, str>,
    #[serde(borrow)]
    price: Cow<'a, str>,
    #[serde(borrow)]
    size: Cow<'a, str>,
    #[serde(borrow)]
    side: Cow<'a, str>,
    #[serde(borrow)]
    hash: Option<Cow<'a, str>>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::Generation;

    fn head(timestamp: &str) -> BookHead<'_> {
        BookHead {
            market: "0xaabbcc",
            asset: "100",
            timestamp,
            min_order_size: "100",
            tick_size: "0.01",
            neg_risk: false,
            last_trade_price: "0.5",
        }
    }

    const BIDS: [(&str, &str); 2] = [("0.3", "100"), ("0.4", "100")];
    const ASKS: [(&str, &str); 2] = [("0.6", "100"), ("0.7", "100")];

    /// The vectors of the venue's own SDK (`venues/polymarket.md` §5.4).
    #[test]
    fn published_vectors() {
        let mut room = String::new();
        let full = book_hash(&head("123456789"), BIDS, ASKS, &mut room);
        assert_eq!(full.to_string(), "0458ea5755c9f73d64a14636fa5c36ed460ec394");
        let empty = book_hash(&head(""), [], [], &mut room);
        assert_eq!(empty.to_string(), "74c6a7c81c1d572f1c877b7d3e25b80c336d8a6e");
        assert!(empty.is("74c6a7c81c1d572f1c877b7d3e25b80c336d8a6e") && !empty.is("74c6"));
    }

    fn audit() -> Audit {
        let mut audit = Audit::new();
        let names = PolymarketNames {
            condition_id: "0xaabbcc".to_owned(),
            yes_token: "100".to_owned(),
            no_token: "101".to_owned(),
            generation: Generation::Two,
            neg_risk: false,
            min_size_text: "100".to_owned(),
            event: String::new(),
        };
        audit.add_market(MarketId::new(3), &names);
        audit
    }

    fn verdicts(audit: &mut Audit, frame: &str) -> Vec<Verdict> {
        let mut found = Vec::new();
        audit.on_frame(frame.as_bytes(), |finding| found.push(finding.verdict));
        found
    }

    fn book(hash: &str) -> String {
        format!(
            r#"[{{"event_type":"book","market":"0xaabbcc","asset_id":"100","timestamp":"1","hash":"{hash}",
            "bids":[{{"price":"0.4","size":"100"}},{{"price":"0.3","size":"100"}}],"asks":[],
            "tick_size":"0.01","last_trade_price":"0.5"}}]"#
        )
    }

    fn change(size: &str, hash: &str) -> String {
        format!(
            r#"{{"event_type":"price_change","market":"0xaabbcc","timestamp":"2","price_changes":[
            {{"asset_id":"100","price":"0.3","size":"{size}","side":"BUY","hash":"{hash}"}}]}}"#
        )
    }

    #[test]
    fn only_a_book_that_matched_proves_a_loss() {
        let mut room = String::new();
        let snapshot = book_hash(&head("1"), BIDS, [], &mut room).to_string();
        let after =
            book_hash(&head("2"), [("0.3", "7"), ("0.4", "100")], [], &mut room).to_string();
        let mut audit = audit();
        assert_eq!(verdicts(&mut audit, &change("7", &after)), [], "no snapshot yet");
        assert_eq!(verdicts(&mut audit, &book(&snapshot)), [Verdict::Matched]);
        assert_eq!(verdicts(&mut audit, &change("7", &after)), [Verdict::Matched]);
        assert_eq!(verdicts(&mut audit, &change("8", &after)), [Verdict::Proven]);
        assert_eq!(
            verdicts(&mut audit, &change("7", &after)),
            [],
            "told once, until the next snapshot"
        );
        assert_eq!(verdicts(&mut audit, &book("f00")), [Verdict::Suspect], "a field we have wrong");
        assert_eq!(verdicts(&mut audit, &book(&snapshot)), [Verdict::Matched]);
        let trade = r#"{"event_type":"last_trade_price","market":"0xaabbcc","asset_id":"101","price":"0.6"}"#;
        assert_eq!(verdicts(&mut audit, trade), []);
        assert_eq!(
            verdicts(&mut audit, &change("8", &after)),
            [Verdict::Suspect],
            "perhaps the trade"
        );
        assert_eq!(verdicts(&mut audit, &book(&snapshot)), [Verdict::Matched]);
        assert_eq!(verdicts(&mut audit, "[{\"event_type\":"), []);
        assert_eq!(verdicts(&mut audit, &change("7", &after)), [], "something was missed");
        let counts = Counts {
            snapshots: 4,
            changes: 6,
            matched: 4,
            suspect: 2,
            proven: 1,
            unchecked: 3,
            unread: 1,
        };
        assert_eq!(*audit.counts(), counts);
    }
}
