//! The synthetic markets of a seed: blocks of pairs, exclusive events and lone markets.

use std::collections::BTreeSet;

use surefoot_hot::units::{Nanos, Price};

use super::{
    ExclusiveSet, Generation, KalshiMarket, Ladder, MarketSet, POLYMARKET_RATE, Pair,
    PolymarketMarket,
};
use crate::twin::rng::Rng;

/// Cross-venue pairs in a block of generated markets.
pub const PAIRS: usize = 12;
/// Markets of each exclusive event; a block has one such event at each venue.
pub const SET_MEMBERS: usize = 3;
/// Markets without a relation that a block has at each venue.
pub const BUSY: usize = 3;
/// Markets of a block, over both venues. The demo has one block; a larger set repeats it.
pub const BLOCK_MARKETS: usize = 2 * (PAIRS + SET_MEMBERS + BUSY);
/// The most generated markets, over both venues.
pub const MARKETS_MAX: usize = 5_000;

impl MarketSet {
    /// The synthetic markets of a seed, their times counted from `start`: one block, as the demo has it.
    pub fn generated(seed: u64, start: Nanos) -> Self {
        Self::with_markets(seed, start, BLOCK_MARKETS)
    }

    /// `markets` synthetic markets of a seed over both venues, [`BLOCK_MARKETS`] to [`MARKETS_MAX`].
    ///
    /// It consists of whole blocks, so that pairs, exclusive events and lone markets keep the demo's proportions, and
    /// of pairs for what is left over. Its first block is the set of [`MarketSet::generated`].
    pub fn with_markets(seed: u64, start: Nanos, markets: usize) -> Self {
        assert!((BLOCK_MARKETS..=MARKETS_MAX).contains(&markets), "{markets} markets");
        let (market_set, rng) = (Self::default(), Rng::new(seed).fork(0x0077_6f72_6c64));
        let mut maker = Maker { market_set, rng, start, event_ids: BTreeSet::new() };
        let blocks = markets / BLOCK_MARKETS;
        for block in 0..blocks {
            for number in 0..PAIRS {
                maker.pair(block * PAIRS + number);
            }
            maker.exclusive_polymarket(block);
            maker.exclusive_kalshi(block);
            for number in 0..BUSY {
                maker.busy(block * BUSY + number);
            }
        }
        let rest = markets % BLOCK_MARKETS;
        for number in 0..rest / 2 {
            maker.pair(blocks * PAIRS + number);
        }
        if rest % 2 == 1 {
            maker.lone_polymarket(blocks * BUSY, None);
        }
        let market_set = maker.market_set;
        assert_eq!(
            market_set.polymarket.len() + market_set.kalshi.len(),
            markets,
            "every market is made"
        );
        market_set
    }
}

/// Seconds from start at which pairs settle; the others outlive any demo.
const PAIR_SETTLES: [(usize, u64); 4] = [(3, 14), (6, 27), (9, 39), (11, 50)];
/// Far enough that nothing closes in a demo.
const FAR: Nanos = Nanos::from_secs(30 * 86_400);

struct Maker {
    market_set: MarketSet,
    rng: Rng,
    start: Nanos,
    /// Gamma's event ids that are taken.
    event_ids: BTreeSet<String>,
}

impl Maker {
    fn pair(&mut self, number: usize) {
        let settle = PAIR_SETTLES
            .iter()
            .find(|(of, _)| *of == number)
            .map(|&(_, secs)| (self.start.after(Nanos::from_secs(secs)), self.result()));
        let close = settle.map_or(self.start.after(FAR), |(at, _)| at);
        let fair = u16::try_from(self.rng.range(25, 75) * 100).expect("below a dollar");
        let question = format!(
            "Synthetic pair {}: does the demo index close above {}?",
            number + 1,
            1_000 + number
        );
        let generation = if number % 3 == 2 { Generation::Three } else { Generation::Two };
        let tick = if number % 4 == 1 { 10 } else { 100 };
        let polymarket = self.push_polymarket(&question, generation, tick, close, settle);
        let ladder =
            if number.is_multiple_of(2) { Ladder::LinearCent } else { Ladder::TaperedDeciCent };
        let shard = if number % 3 == 1 { 2 } else { 0 };
        let series = format!("KXSYNPAIR{}", number + 1);
        let kalshi = self.market_set.push_kalshi(&series, &question, ladder, shard, close, settle);
        self.market_set.pairs.push(Pair { polymarket, kalshi, fair });
    }

    fn exclusive_polymarket(&mut self, block: usize) {
        let close = self.start.after(FAR);
        let mut neg_risk = self.bytes();
        neg_risk[31] = 0;
        let race = match block {
            0 => "Synthetic three-way race".to_owned(),
            _ => format!("Synthetic three-way race {}", block + 1),
        };
        let (title, event_id) = (format!("{race}: who wins?"), self.event_id());
        let mut members = Vec::new();
        for (number, name) in ["Red", "Green", "Blue"].into_iter().enumerate() {
            let question = format!("{race}: does {name} win?");
            let index = self.push_polymarket(&question, Generation::Two, 100, close, None);
            let market = &mut self.market_set.polymarket[index];
            neg_risk[31] = 0;
            market.neg_risk_market_id = Some(hex(&neg_risk));
            neg_risk[31] = u8::try_from(number).expect("three members");
            market.question_id = hex(&neg_risk);
            market.group_title = name.into();
            market.event_id.clone_from(&event_id);
            market.event_slug = slug_of(&race);
            market.event_title.clone_from(&title);
            members.push(index);
        }
        let (venue, fair) = (surefoot_hot::ids::Venue::Polymarket, vec![4_400, 3_200, 2_400]);
        self.market_set.sets.push(ExclusiveSet { venue, members, fair });
    }

    fn exclusive_kalshi(&mut self, block: usize) {
        let close = self.start.after(FAR);
        let title = "Synthetic exclusive event: where does the demo index close?";
        let series = match block {
            0 => "KXSYNRANGE".to_owned(),
            _ => format!("KXSYNRANGE{}", block + 1),
        };
        let first = self.market_set.push_kalshi(&series, title, Ladder::LinearCent, 0, close, None);
        let event = self.market_set.kalshi[first].event;
        self.market_set.events[event].mutually_exclusive = true;
        let base = self.market_set.events[event].ticker.clone();
        let names = [("B1", "Below 1,000"), ("B2", "1,000 to 1,999"), ("B3", "2,000 or above")];
        self.market_set.kalshi.pop();
        let mut members = Vec::new();
        for (code, says) in names {
            self.market_set.kalshi.push(KalshiMarket {
                ticker: format!("{base}-{code}"),
                event,
                title: title.into(),
                yes_sub_title: says.into(),
                ladder: Ladder::LinearCent,
                close,
                settle: None,
            });
            members.push(self.market_set.kalshi.len() - 1);
        }
        let (venue, fair) = (surefoot_hot::ids::Venue::Kalshi, vec![2_600, 3_900, 3_500]);
        self.market_set.sets.push(ExclusiveSet { venue, members, fair });
    }

    /// A market at each venue that only makes noise; the first of each settles within the minute.
    fn busy(&mut self, number: usize) {
        let settle = |me: &mut Self, secs| (me.start.after(Nanos::from_secs(secs)), me.result());
        let (here, there) = if number == 0 {
            (Some(settle(self, 21)), Some(settle(self, 33)))
        } else {
            (None, None)
        };
        let far = self.start.after(FAR);
        self.lone_polymarket(number, here);
        let question = format!("Synthetic busy market K{}", number + 1);
        let (series, shard) = (format!("KXSYNBUSY{}", number + 1), if number == 1 { 2 } else { 0 });
        let close = there.map_or(far, |s| s.0);
        self.market_set.push_kalshi(
            &series,
            &question,
            Ladder::TaperedDeciCent,
            shard,
            close,
            there,
        );
    }

    fn lone_polymarket(&mut self, number: usize, settle: Option<(Nanos, Price)>) {
        let close = settle.map_or(self.start.after(FAR), |(at, _)| at);
        let question = format!("Synthetic busy market P{}", number + 1);
        self.push_polymarket(&question, Generation::Two, 10, close, settle);
    }

    fn push_polymarket(
        &mut self,
        question: &str,
        generation: Generation,
        tick: u16,
        close: Nanos,
        settle: Option<(Nanos, Price)>,
    ) -> usize {
        let mut condition = self.bytes();
        condition[31] |= 1;
        let slug = slug_of(question);
        let (question_id, event_id) = (hex(&self.bytes()), self.event_id());
        let (mut yes_token, mut no_token) = (self.bytes(), self.bytes());
        if generation == Generation::Three {
            condition = condition_of_three(condition);
            yes_token = condition;
            no_token = condition;
            no_token[31] = 1;
        }
        self.market_set.polymarket.push(PolymarketMarket {
            condition_id: hex(&condition),
            question_id,
            yes_token: decimal(yes_token),
            no_token: decimal(no_token),
            question: question.into(),
            event_slug: slug.clone(),
            slug,
            group_title: String::new(),
            event_id,
            event_title: question.into(),
            generation,
            neg_risk_market_id: None,
            tick,
            min_size: 5,
            fee_rate: POLYMARKET_RATE,
            close,
            settle,
            captured: false,
        });
        self.market_set.polymarket.len() - 1
    }

    fn result(&mut self) -> Price {
        if self.rng.chance(1, 2) { Price::ONE } else { Price::ZERO }
    }

    /// A number that no other event of this set has.
    fn event_id(&mut self) -> String {
        loop {
            let id = self.rng.range(900_000, 999_999).to_string();
            if self.event_ids.insert(id.clone()) {
                return id;
            }
        }
    }

    fn bytes(&mut self) -> [u8; 32] {
        let mut bytes = [0; 32];
        for chunk in bytes.chunks_exact_mut(8) {
            chunk.copy_from_slice(&self.rng.word().to_be_bytes());
        }
        bytes
    }
}

/// A condition of generation 3 out of random bytes. Its layout says which module, chain and condition it is, and
/// clients choose the exchange by it: module, base hash, arity, eight reserved bytes of zero, chain, condition, and
/// no outcome yet (`venues/polymarket.md` §3.1).
fn condition_of_three(mut bytes: [u8; 32]) -> [u8; 32] {
    bytes[0] = 1; // the binary module
    bytes[17..19].copy_from_slice(&2_u16.to_be_bytes());
    bytes[19..27].fill(0);
    bytes[27..29].copy_from_slice(&137_u16.to_be_bytes());
    bytes[29..].fill(0);
    bytes
}

/// `0x` and lower-case digits.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold("0x".to_owned(), |text, byte| text + &format!("{byte:02x}"))
}

/// A big-endian number in decimal, as token ids are written.
fn decimal(mut bytes: [u8; 32]) -> String {
    let mut digits = Vec::with_capacity(78);
    while bytes.iter().any(|&b| b != 0) {
        let mut rest = 0_u16;
        for byte in &mut bytes {
            let part = rest << 8 | u16::from(*byte);
            *byte = u8::try_from(part / 10).expect("a remainder below ten keeps it in a byte");
            rest = part % 10;
        }
        digits.push(b'0' + u8::try_from(rest).expect("a digit"));
    }
    digits.reverse();
    String::from_utf8(digits).expect("digits")
}

fn slug_of(question: &str) -> String {
    let words = question.split(|c: char| !c.is_ascii_alphanumeric()).filter(|w| !w.is_empty());
    words.map(str::to_ascii_lowercase).collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_has_what_it_promises() {
        let start = Nanos::from_secs(1_795_000_000);
        let market_set = MarketSet::generated(3, start);
        assert_eq!(market_set.pairs.len(), PAIRS);
        assert_eq!(market_set.polymarket.len(), PAIRS + SET_MEMBERS + BUSY);
        assert_eq!(market_set.kalshi.len(), PAIRS + SET_MEMBERS + BUSY);
        assert_eq!(market_set.shards(), [0, 2]);
        let mut settling = 0;
        for pair in &market_set.pairs {
            let (here, there) =
                (&market_set.polymarket[pair.polymarket], &market_set.kalshi[pair.kalshi]);
            assert_eq!(here.settle, there.settle, "one question, one result");
            assert!(
                !here.neg_risk()
                    && here.question == there.title
                    && here.question.contains("Synthetic")
            );
            if let Some((at, _)) = here.settle {
                assert!((12..=50).contains(&(at.since(start).get() / 1_000_000_000)));
                settling += 1;
            }
        }
        assert_eq!(settling, PAIR_SETTLES.len());
        assert!(market_set.polymarket.iter().any(|m| m.generation == Generation::Three));
        for set in &market_set.sets {
            assert_eq!(set.fair.iter().sum::<u16>(), 10_000);
        }
        for market in &market_set.polymarket {
            assert_eq!(market.condition_id.len(), 66);
            assert!(market.yes_token.len() <= 78 && market.yes_token != market.no_token);
            let three = market.generation == Generation::Three;
            assert_eq!(three, market.condition_id.ends_with("00"));
            let parse = surefoot_cold::text::parse_u256;
            let (yes, no) = (parse(&market.yes_token).unwrap(), parse(&market.no_token).unwrap());
            // The rule by which clients tell the generations apart.
            assert_eq!(three, yes[19..27] == [0; 8], "{}", market.yes_token);
            if three {
                assert_eq!((hex(&yes), yes[0], no[31]), (market.condition_id.clone(), 1, 1));
                assert_eq!(yes[..31], no[..31]);
            }
        }
    }

    #[test]
    fn a_large_set_repeats_the_demos_and_no_name_is_given_twice() {
        let start = Nanos::from_secs(1_795_000_000);
        let (small, large) =
            (MarketSet::generated(3, start), MarketSet::with_markets(3, start, 4_999));
        assert_eq!(large.polymarket[..small.polymarket.len()], small.polymarket);
        assert_eq!(large.kalshi[..small.kalshi.len()], small.kalshi);
        let blocks = 4_999 / BLOCK_MARKETS;
        assert_eq!(large.pairs.len(), blocks * PAIRS + 4_999 % BLOCK_MARKETS / 2);
        assert_eq!(large.sets.len(), 2 * blocks);
        let unique = |names: Vec<&String>| {
            let count = names.len();
            assert_eq!(names.into_iter().collect::<BTreeSet<_>>().len(), count);
        };
        let polymarket = &large.polymarket;
        unique(polymarket.iter().map(|m| &m.condition_id).collect());
        unique(polymarket.iter().flat_map(|m| [&m.yes_token, &m.no_token]).collect());
        unique(polymarket.iter().map(|m| &m.slug).collect());
        unique(large.kalshi.iter().map(|m| &m.ticker).collect());
        unique(large.events.iter().map(|e| &e.ticker).collect());
        unique(large.series.iter().map(|s| &s.ticker).collect());
        let events: BTreeSet<_> = polymarket.iter().map(|m| (&m.event_id, &m.event_slug)).collect();
        unique(events.iter().map(|(id, _)| *id).collect());
        unique(events.iter().map(|(_, slug)| *slug).collect());
        assert_eq!(events.len(), polymarket.len() - blocks * (SET_MEMBERS - 1));
        let settling = polymarket.iter().filter(|m| m.settle.is_some()).count();
        assert_eq!(settling, PAIR_SETTLES.len() + 1, "only the demo's markets end soon");
    }

    #[test]
    fn decimal_is_exact() {
        let mut bytes = [0; 32];
        bytes[30] = 0x12;
        bytes[31] = 0x34;
        assert_eq!(decimal(bytes), "4660");
        let most = "115792089237316195423570985008687907853269984665640564039457584007913129639935";
        assert_eq!(decimal([0xff; 32]), most);
    }
}
