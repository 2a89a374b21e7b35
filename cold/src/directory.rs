//! Which small number stands for which market of which venue, and what the venue calls it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use surefoot_hot::event::Event;
use surefoot_hot::fees::{FeeChange, FeeRule};
use surefoot_hot::ids::{MarketId, Venue};
use surefoot_hot::market::MarketDef;
use surefoot_hot::units::Nanos;

use crate::facts::{Facts, Fingerprint};

/// Every market we know, by number. Built at start, extended while running, never shrunk.
#[derive(Clone, Debug, Default)]
pub struct Directory {
    entries: Vec<Entry>,
    /// Markets that are followed no more, or only for what is still held there.
    withdrawn: BTreeSet<MarketId>,
    /// Markets that are followed because an operator said so while a run went on.
    declared: BTreeSet<MarketId>,
    /// The rule texts that certificates rely on.
    relied_on: BTreeMap<MarketId, Fingerprint>,
}

/// A market that we know: its terms, its question and its names at the venue.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its terms of trade.
    pub def: MarketDef,
    /// The changes of its fee that have a date, the earliest first. They are not kept on the disk: a start asks for them anew.
    pub fee_changes: Vec<FeeChange>,
    /// When the venue expects that it has paid what the market owes, where it says so. It is not kept on the disk either.
    pub paid_by: Option<Nanos>,
    /// Its question, for people.
    pub title: String,
    /// What the venue calls it.
    pub names: Names,
    /// What its relations to other markets stand on, as it was read in this run.
    pub facts: Facts,
}

impl Entry {
    /// What the core is told of it: its terms, the changes of its fee that have a date, and when it is expected to have paid. The
    /// last is told where it is not known too: the core keeps over restarts what it was told before.
    pub fn events(&self) -> impl Iterator<Item = Event> {
        let expected = std::iter::once(self.expected());
        std::iter::once(Event::Market(self.def)).chain(self.changes()).chain(expected)
    }

    /// What the core is told of its fees alone: the rule of now, and the changes that have a date.
    pub fn fee_events(&self) -> impl Iterator<Item = Event> {
        let market = self.def.market;
        let change = FeeChange { from: Nanos::ZERO, rule: self.def.fee };
        std::iter::once(Event::FeeChange { market, change }).chain(self.changes())
    }

    /// What the core is told of its least order, its close and when it is expected to have paid alone.
    pub fn listed_events(&self) -> impl Iterator<Item = Event> {
        let MarketDef { market, min_qty, close, .. } = self.def;
        [Event::Listed { market, min_qty, close }, self.expected()].into_iter()
    }

    fn expected(&self) -> Event {
        let paid_by = self.paid_by.unwrap_or(Nanos::NEVER);
        Event::Expected { market: self.def.market, paid_by }
    }

    fn changes(&self) -> impl Iterator<Item = Event> {
        let market = self.def.market;
        self.fee_changes.iter().map(move |&change| Event::FeeChange { market, change })
    }
}

/// A market's names at its venue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Names {
    Polymarket(PolymarketNames),
    Kalshi(KalshiNames),
}

impl Names {
    /// What the venue calls the market: condition id or ticker.
    pub fn id(&self) -> &str {
        match self {
            Self::Polymarket(names) => &names.condition_id,
            Self::Kalshi(names) => &names.ticker,
        }
    }

    /// What the venue calls the market and what it belongs to: its event and its series. Empty where the venue has told none.
    pub fn all(&self) -> [&str; 3] {
        match self {
            Self::Polymarket(names) => [&names.condition_id, &names.event, ""],
            Self::Kalshi(names) => [&names.ticker, &names.event_ticker, &names.series_ticker],
        }
    }

    /// As they are kept on the disk.
    pub fn to_json(&self) -> Value {
        match self {
            Self::Polymarket(names) => names.to_json(),
            Self::Kalshi(names) => names.to_json(),
        }
    }

    /// From what [`Self::to_json`] made; `None` where something is absent.
    pub fn from_json(venue: Venue, value: &Value) -> Option<Self> {
        match venue {
            Venue::Polymarket => PolymarketNames::from_json(value).map(Self::Polymarket),
            Venue::Kalshi => KalshiNames::from_json(value).map(Self::Kalshi),
        }
    }
}

fn text(names: &Value, key: &str) -> Option<String> {
    names.get(key)?.as_str().map(str::to_owned)
}

/// A Polymarket market's names and the metadata that signing and hashing need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolymarketNames {
    /// `0x` and 64 hex digits.
    pub condition_id: String,
    /// Decimal id of the first outcome: `clobTokenIds[0]`, or `positionIds[0]` of a generation-3 market.
    pub yes_token: String,
    /// Decimal id of the second outcome.
    pub no_token: String,
    /// Which exchange signs for it.
    pub generation: Generation,
    /// Whether it is a member of a neg-risk event: it then has another exchange contract.
    pub neg_risk: bool,
    /// `minimum order size` as the venue writes it, for the book hash: `5`.
    pub min_size_text: String,
    /// The slug of its event; empty where the venue has told none.
    pub event: String,
}

impl PolymarketNames {
    fn to_json(&self) -> Value {
        json!({
            "condition_id": self.condition_id,
            "yes_token": self.yes_token,
            "no_token": self.no_token,
            "generation": match self.generation { Generation::Two => 2, Generation::Three => 3 },
            "neg_risk": self.neg_risk,
            "min_size": self.min_size_text,
            "event": self.event,
        })
    }

    fn from_json(names: &Value) -> Option<Self> {
        Some(Self {
            condition_id: text(names, "condition_id")?,
            yes_token: text(names, "yes_token")?,
            no_token: text(names, "no_token")?,
            generation: match names.get("generation")?.as_u64()? {
                2 => Generation::Two,
                3 => Generation::Three,
                _ => return None,
            },
            neg_risk: names.get("neg_risk")?.as_bool()?,
            min_size_text: text(names, "min_size")?,
            event: text(names, "event").unwrap_or_default(), // files of earlier versions have none
        })
    }
}

/// Polymarket's exchange generation, by Gamma's `version` field (`v1` is 2, `v2` is 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Generation {
    /// CTF Exchange, EIP-712 domain version "2".
    Two,
    /// ExchangeV3, EIP-712 domain version "3".
    Three,
}

/// A Kalshi market's names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KalshiNames {
    pub ticker: String,
    pub event_ticker: String,
    pub series_ticker: String,
    /// The venue's shard that trades this market, from 0; it is sent with every order and cancel.
    pub exchange_index: u8,
}

impl KalshiNames {
    fn to_json(&self) -> Value {
        json!({
            "ticker": self.ticker,
            "event_ticker": self.event_ticker,
            "series_ticker": self.series_ticker,
            "exchange_index": self.exchange_index,
        })
    }

    fn from_json(names: &Value) -> Option<Self> {
        Some(Self {
            ticker: text(names, "ticker")?,
            event_ticker: text(names, "event_ticker")?,
            series_ticker: text(names, "series_ticker")?,
            exchange_index: u8::try_from(names.get("exchange_index")?.as_u64()?).ok()?,
        })
    }
}

impl Directory {
    /// Adds a market; its `def.market` must be the next free number.
    ///
    /// # Panics
    /// If it is not.
    pub fn push(&mut self, entry: Entry) {
        assert_eq!(entry.def.market.index(), self.entries.len(), "numbers are given out in order");
        self.entries.push(entry);
    }

    /// The number the next market gets.
    pub fn next_id(&self) -> MarketId {
        MarketId::new(u16::try_from(self.entries.len()).expect("MARKETS_MAX fits"))
    }

    /// The market with this number; `None` where the number was never given out.
    pub fn entry(&self, market: MarketId) -> Option<&Entry> {
        self.entries.get(market.index())
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter()
    }

    /// An operator wants a known market followed, on these terms, whether it was withdrawn or not.
    ///
    /// # Panics
    /// If the number was never given out.
    pub fn follow(&mut self, entry: Entry) {
        let market = entry.def.market;
        self.entries[market.index()] = entry;
        self.withdrawn.remove(&market);
        self.declared.insert(market);
    }

    /// A known market has other fees, now or from some time on. Whether that is new.
    ///
    /// # Panics
    /// If the number was never given out.
    pub fn set_fees(&mut self, market: MarketId, fee: FeeRule, changes: &[FeeChange]) -> bool {
        let entry = &mut self.entries[market.index()];
        let is_new = entry.def.fee != fee || entry.fee_changes != changes;
        entry.def.fee = fee;
        entry.fee_changes = changes.to_vec();
        is_new
    }

    /// A known market has another least order or another close, is expected to have paid at another time, or is called or
    /// signed for otherwise: as it is `listed` now.
    ///
    /// # Panics
    /// If the number was never given out.
    pub fn set_listed(&mut self, market: MarketId, listed: &Entry) {
        let entry = &mut self.entries[market.index()];
        let MarketDef { min_qty, close, .. } = listed.def;
        (entry.def.min_qty, entry.def.close) = (min_qty, close);
        (entry.paid_by, entry.names) = (listed.paid_by, listed.names.clone());
    }

    /// All terms of a known market are as they are `listed` now. Its number, its cluster and its theme stay, and what relations stand
    /// on: [`Self::set_facts`].
    ///
    /// # Panics
    /// If the number was never given out.
    pub fn set_terms(&mut self, market: MarketId, listed: &Entry) {
        let known = &mut self.entries[market.index()];
        let MarketDef { market, cluster, theme, .. } = known.def;
        let def = MarketDef { market, cluster, theme, ..listed.def };
        let facts = std::mem::take(&mut known.facts);
        *known = Entry { def, facts, ..listed.clone() };
    }

    /// Takes over of another directory, which has the same numbers, what operators said and what certificates rely on.
    pub fn take_over(&mut self, other: &Self) {
        (self.withdrawn, self.declared) = (other.withdrawn.clone(), other.declared.clone());
        self.relied_on = other.relied_on.clone();
    }

    /// A venue says this of a known market now, on which its relations stand. Whether that is new.
    ///
    /// # Panics
    /// If the number was never given out.
    pub fn set_facts(&mut self, market: MarketId, facts: &Facts) -> bool {
        let known = &mut self.entries[market.index()].facts;
        std::mem::replace(known, facts.clone()) != *facts
    }

    /// A certificate relies on a market's rule text being this one, in this run and in later ones.
    pub fn rely_on(&mut self, market: MarketId, rules: Fingerprint) {
        self.relied_on.insert(market, rules);
    }

    /// The rule text of a market that a certificate relies on.
    pub fn relies_on(&self, market: MarketId) -> Option<Fingerprint> {
        self.relied_on.get(&market).copied()
    }

    /// Markets that an operator wants followed, though no relation may name them.
    pub fn declared(&self) -> impl Iterator<Item = &Entry> {
        self.declared.iter().filter_map(|market| self.entry(*market))
    }

    /// Whether an operator wants a market followed.
    pub fn is_declared(&self, market: MarketId) -> bool {
        self.declared.contains(&market)
    }

    /// A market is to be followed no more. Its number and its names stay: what still comes of it is understood, and a restart
    /// knows that it is not wanted.
    pub fn withdraw(&mut self, market: MarketId) {
        assert!(market.index() < self.entries.len(), "only a known market can be withdrawn");
        self.withdrawn.insert(market);
        self.declared.remove(&market);
    }

    /// Whether a known market was withdrawn.
    pub fn is_withdrawn(&self, market: MarketId) -> bool {
        self.withdrawn.contains(&market)
    }

    /// The market that a venue calls so.
    pub fn find(&self, name: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.names.id() == name)
    }

    /// Those of one venue.
    pub fn of(&self, venue: Venue) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(move |entry| entry.def.venue == venue)
    }
}
