//! What one record of the wire log says, and its bytes.

use std::fmt;

use surefoot_hot::hash::Hash64;
use surefoot_hot::ids::{Action, GroupId, MarketId, OrderId, Outcome, Venue, VenueKey};
use surefoot_hot::order::{Amend, Expiry, Order, Purpose, Tif};
use surefoot_hot::units::{Nanos, Price, Qty};

/// Bytes of one record.
pub const RECORD_BYTES: usize = 160;

const MAGIC: u32 = 0x3257_4653; // "SFW2"
/// Of records written before 2026-11-29: they hold no group, no purpose and no time of decision. They are read as what
/// they are, so that a log may hold both.
const MAGIC_1: u32 = 0x3157_4653; // "SFW1"
const HASH_AT: usize = RECORD_BYTES - 8;

/// The venue's own order id in full: 32 raw bytes of Polymarket's hash, or Kalshi's UUID as text.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct VenueId {
    bytes: [u8; 40],
    len: u8,
}

impl VenueId {
    /// The id of an order that the venue has given none yet.
    pub const NONE: Self = Self { bytes: [0; 40], len: 0 };

    /// `None` if it is longer than any venue's.
    pub fn new(id: &[u8]) -> Option<Self> {
        let mut bytes = [0; 40];
        bytes.get_mut(..id.len())?.copy_from_slice(id);
        Some(Self { bytes, len: u8::try_from(id.len()).ok()? })
    }

    /// The id as the venue writes it; empty where none is known.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }

    /// Whether nothing is known.
    pub const fn is_none(&self) -> bool {
        self.len == 0
    }

    /// The name by which the core knows it.
    pub fn key(&self) -> VenueKey {
        VenueKey::new(Hash64::of(self.as_bytes()))
    }
}

impl fmt::Debug for VenueId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.as_bytes();
        match std::str::from_utf8(bytes) {
            Ok(text) if bytes.iter().all(u8::is_ascii_graphic) => write!(f, "{text:?}"),
            _ => {
                f.write_str("0x")?;
                bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }
    }
}

/// One order on its way out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sent {
    /// When it was about to leave.
    pub at: Nanos,
    pub order: OrderId,
    /// The halt epoch of its decision.
    pub epoch: u64,
    /// When it was decided: a venue's id may derive from it.
    pub decided: Nanos,
    /// The group it was sent for, and with market and outcome the leg of it; zero, which is no group, in records of the
    /// first version.
    pub group: GroupId,
    /// What it was for.
    pub purpose: Purpose,
    pub venue: Venue,
    pub market: MarketId,
    pub outcome: Outcome,
    pub action: Action,
    /// The limit, as a price of `outcome`.
    pub price: Price,
    pub qty: Qty,
    pub tif: Tif,
    /// When an order with time in force GTD rests no more; `None` for any other.
    pub expires: Option<Expiry>,
    /// Whether the venue must refuse the order rather than let it take.
    pub post_only: bool,
    /// Hash of the request's bytes.
    pub payload: u64,
    /// The venue's id, where it is known before sending.
    pub id: VenueId,
}

impl Sent {
    /// What is written of `order` at `at`.
    pub fn of(order: &Order, at: Nanos, payload: u64, id: VenueId) -> Self {
        Self {
            at,
            order: order.id,
            epoch: order.epoch,
            decided: order.decided,
            group: order.group,
            purpose: order.purpose,
            venue: order.venue,
            market: order.market,
            outcome: order.outcome,
            action: order.action,
            price: order.price,
            qty: order.qty,
            tif: order.tif,
            expires: order.expires,
            post_only: order.post_only,
            payload,
            id,
        }
    }
}

/// One change of an order on its way out. What the venue made of it is not written here: the order's own terms, read back
/// from the venue, say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SentAmend {
    /// When it was about to leave.
    pub at: Nanos,
    /// What was to leave.
    pub amend: Amend,
    /// Hash of the request's bytes.
    pub payload: u64,
    /// The venue's id of the order.
    pub id: VenueId,
}

/// How the executor's part in an order ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Ended {
    /// No byte left, and none will.
    Unsent = 0,
    /// The venue took it; from here its life is the journal's.
    Taken = 1,
    /// The venue would not have it.
    Rejected = 2,
    /// The venue, asked, told what became of it. An order that it does not know gets no end: that proves nothing.
    Asked = 3,
}

/// A record of the log: an order about to leave, or the end of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Record {
    /// An order is about to leave.
    Sent(Sent),
    /// Its fate is known.
    End {
        /// When its end became known.
        at: Nanos,
        order: OrderId,
        how: Ended,
        /// The venue's id, where it is known by now.
        id: VenueId,
    },
    /// A change of an order is about to leave.
    Amend(SentAmend),
}

impl Record {
    /// The order that it is about.
    pub const fn order(&self) -> OrderId {
        match self {
            Self::Sent(sent) => sent.order,
            Self::End { order, .. } => *order,
            Self::Amend(sent) => sent.amend.order,
        }
    }

    /// The venue's id of the order, where it is known.
    pub const fn id(&self) -> VenueId {
        match self {
            Self::Sent(Sent { id, .. })
            | Self::End { id, .. }
            | Self::Amend(SentAmend { id, .. }) => *id,
        }
    }
}

/// How many records had been synced when this one was written.
pub(super) fn synced_of(bytes: &[u8; RECORD_BYTES]) -> u64 {
    u64::from_le_bytes(bytes[112..120].try_into().expect("eight bytes"))
}

pub(super) fn hash_of(bytes: &[u8; RECORD_BYTES]) -> u64 {
    u64::from_le_bytes(bytes[HASH_AT..].try_into().expect("eight bytes"))
}

pub(super) fn is_sound(bytes: &[u8]) -> bool {
    bytes[HASH_AT..] == Hash64::of(&bytes[..HASH_AT]).to_le_bytes()
}

/// Little-endian: magic 0..4, kind 4, venue 5, market 6..8, number 8..16, hash of the record before 16..24,
/// time 24..32, order 32..40, epoch 40..48, payload 48..56, qty 56..64, price 64..66, outcome 66, action 67,
/// tif 68, how 69, id length 70, what a change keeps 71 (1 its price, 2 its expiry), id 72..112, records synced by then
/// 112..120, group 120..124, purpose 124, post-only 125, time of the decision 128..136, expiry in seconds 136..140 (zero for
/// none), size before a change 140..148, zeros, hash of all that 152..160.
pub(super) fn encode(record: &Record, seq: u64, chain: u64, synced: u64) -> [u8; RECORD_BYTES] {
    let mut out = [0; RECORD_BYTES];
    let mut put = |at: usize, bytes: &[u8]| out[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, &MAGIC.to_le_bytes());
    put(8, &seq.to_le_bytes());
    put(16, &chain.to_le_bytes());
    put(112, &synced.to_le_bytes());
    let (at, order, id) = match record {
        Record::Sent(sent) => {
            put(4, &[1, sent.venue as u8]);
            put(6, &sent.market.get().to_le_bytes());
            put(40, &sent.epoch.to_le_bytes());
            put(48, &sent.payload.to_le_bytes());
            put(56, &sent.qty.micros().to_le_bytes());
            put(64, &sent.price.ticks().to_le_bytes());
            put(66, &[sent.outcome as u8, sent.action as u8, sent.tif as u8]);
            put(120, &sent.group.get().to_le_bytes());
            put(124, &[sent.purpose as u8]);
            put(125, &[u8::from(sent.post_only)]);
            put(128, &sent.decided.get().to_le_bytes());
            put(136, &expiry_bytes(sent.expires));
            (sent.at, sent.order, &sent.id)
        }
        Record::End { at, order, how, id } => {
            put(4, &[2]);
            put(69, &[*how as u8]);
            (*at, *order, id)
        }
        Record::Amend(SentAmend { at, amend, payload, id }) => {
            put(4, &[3, amend.venue as u8]);
            put(6, &amend.market.get().to_le_bytes());
            put(40, &amend.epoch.to_le_bytes());
            put(48, &payload.to_le_bytes());
            put(56, &amend.qty.micros().to_le_bytes());
            put(64, &amend.price.ticks().to_le_bytes());
            put(66, &[amend.outcome as u8, amend.action as u8]);
            put(71, &[u8::from(amend.keeps_price) | u8::from(amend.keeps_expiry) << 1]);
            put(124, &[amend.purpose as u8]);
            put(128, &amend.decided.get().to_le_bytes());
            put(136, &expiry_bytes(amend.expires));
            put(140, &amend.was.micros().to_le_bytes());
            (*at, amend.order, id)
        }
    };
    put(24, &at.get().to_le_bytes());
    put(32, &order.get().to_le_bytes());
    put(70, &[id.len]);
    put(72, &id.bytes);
    let hash = Hash64::of(&out[..HASH_AT]);
    out[HASH_AT..].copy_from_slice(&hash.to_le_bytes());
    out
}

fn expiry_bytes(expires: Option<Expiry>) -> [u8; 4] {
    let secs = expires.map_or(0, Expiry::secs);
    u32::try_from(secs).expect("an expiry fits").to_le_bytes()
}

/// The version of a record that another version of surefoot wrote; `None` where it is one of those that are read here, damaged or not,
/// or no record.
pub(super) fn other_version(bytes: &[u8]) -> Option<char> {
    let version = *bytes.strip_prefix(b"SFW")?.first()?;
    if !version.is_ascii_alphanumeric() {
        return None;
    }
    // One of ours with another letter in its place is a damaged one of ours.
    let is_ours = |magic: u32| {
        bytes.first_chunk::<RECORD_BYTES>().is_some_and(|bytes| {
            let mut mended = *bytes;
            mended[..4].copy_from_slice(&magic.to_le_bytes());
            is_sound(&mended)
        })
    };
    let is_known = [MAGIC, MAGIC_1].iter().any(|magic| magic.to_le_bytes()[3] == version);
    (!is_known && ![MAGIC, MAGIC_1].into_iter().any(is_ours)).then_some(char::from(version))
}

/// `chain` is `None` where the record before is not known.
pub(super) fn decode(
    bytes: &[u8; RECORD_BYTES],
    seq: u64,
    chain: Option<u64>,
) -> Result<Record, &'static str> {
    let magic = quarter(bytes, 0);
    if magic != MAGIC && magic != MAGIC_1 {
        return Err("not a record of a version that this program reads");
    }
    if !is_sound(bytes) {
        return Err("its checksum differs");
    }
    if word(bytes, 8) != seq {
        return Err("a record is missing before it");
    }
    if chain.is_some_and(|chain| word(bytes, 16) != chain) {
        return Err("the record before it is another one");
    }
    let id = bytes[72..112].get(..usize::from(bytes[70])).and_then(VenueId::new);
    let id = id.ok_or("the venue's id is too long")?;
    let at = Nanos::new(word(bytes, 24));
    match bytes[4] {
        1 => sent(bytes, magic, at, id).map(Record::Sent),
        2 => {
            let how = [Ended::Unsent, Ended::Taken, Ended::Rejected, Ended::Asked];
            let how = *how.get(usize::from(bytes[69])).ok_or("unknown end")?;
            Ok(Record::End { at, order: OrderId::new(word(bytes, 32)), how, id })
        }
        3 => {
            let (amend, payload) = (amend(bytes)?, word(bytes, 48));
            Ok(Record::Amend(SentAmend { at, amend, payload, id }))
        }
        _ => Err("unknown kind"),
    }
}

fn sent(
    bytes: &[u8; RECORD_BYTES],
    magic: u32,
    at: Nanos,
    id: VenueId,
) -> Result<Sent, &'static str> {
    Ok(Sent {
        at,
        order: OrderId::new(word(bytes, 32)),
        epoch: word(bytes, 40),
        decided: if magic == MAGIC { Nanos::new(word(bytes, 128)) } else { at },
        group: GroupId::new(quarter(bytes, 120)),
        purpose: *Purpose::ALL.get(usize::from(bytes[124])).ok_or("purpose")?,
        venue: *Venue::ALL.get(usize::from(bytes[5])).ok_or("unknown venue")?,
        market: MarketId::new(half(bytes, 6)),
        outcome: *OUTCOMES.get(usize::from(bytes[66])).ok_or("outcome")?,
        action: *ACTIONS.get(usize::from(bytes[67])).ok_or("action")?,
        price: Price::from_ticks(half(bytes, 64)).ok_or("a price beyond $1")?,
        qty: Qty::from_micros(word(bytes, 56)),
        tif: *Tif::ALL.get(usize::from(bytes[68])).ok_or("tif")?,
        expires: expiry(bytes),
        post_only: bytes[125] == 1,
        payload: word(bytes, 48),
        id,
    })
}

fn amend(bytes: &[u8; RECORD_BYTES]) -> Result<Amend, &'static str> {
    Ok(Amend {
        order: OrderId::new(word(bytes, 32)),
        epoch: word(bytes, 40),
        decided: Nanos::new(word(bytes, 128)),
        market: MarketId::new(half(bytes, 6)),
        venue: *Venue::ALL.get(usize::from(bytes[5])).ok_or("unknown venue")?,
        outcome: *OUTCOMES.get(usize::from(bytes[66])).ok_or("outcome")?,
        action: *ACTIONS.get(usize::from(bytes[67])).ok_or("action")?,
        purpose: *Purpose::ALL.get(usize::from(bytes[124])).ok_or("purpose")?,
        price: Price::from_ticks(half(bytes, 64)).ok_or("a price beyond $1")?,
        qty: Qty::from_micros(word(bytes, 56)),
        was: Qty::from_micros(word(bytes, 140)),
        expires: expiry(bytes),
        keeps_price: bytes[71] & 1 != 0,
        keeps_expiry: bytes[71] & 2 != 0,
    })
}

const OUTCOMES: [Outcome; 2] = [Outcome::Yes, Outcome::No];
const ACTIONS: [Action; 2] = [Action::Buy, Action::Sell];

fn expiry(bytes: &[u8; RECORD_BYTES]) -> Option<Expiry> {
    Expiry::at(Nanos::from_secs(quarter(bytes, 136).into()))
}

fn word(bytes: &[u8; RECORD_BYTES], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"))
}

fn quarter(bytes: &[u8; RECORD_BYTES], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}

fn half(bytes: &[u8; RECORD_BYTES], at: usize) -> u16 {
    u16::from_le_bytes(bytes[at..at + 2].try_into().expect("two bytes"))
}
