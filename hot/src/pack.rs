//! The journal's layout of every input and output of the core: bytes, little-endian, no padding.
//!
//! Written out by hand so that no compiler and no library decides what a file of last year means. Every list
//! below takes its type apart completely: a field or a variant that is forgotten here does not compile. The
//! number of a variant is part of the format: new ones are added at the end, none is ever used again.

use crate::basket::{BasketDef, BasketKind, Verdict};
use crate::book::{Change, Level, StaleWhy};
use crate::event::{Control, Event, Link, Oddity};
use crate::fees::FeeRule;
use crate::grid::Grid;
use crate::group::GroupState;
use crate::ids::{
    Action, BasketId, ClusterId, FillId, GroupId, MarketId, OrderId, OrderRef, Outcome, Side,
    Venue, VenueKey,
};
use crate::intent::IntentRecord;
use crate::market::{MarketDef, MarketStatus};
use crate::note::{Alarm, Note};
use crate::order::{Cancel, Order, OrderState, Purpose, Query, Tif};
use crate::report::{Fill, Finality, OrderStatus, Reject, Report, Unsent, VenueState};
use crate::risk::{HaltWhy, LimitRow, Refusal};
use crate::units::{Nanos, Price, Qty, Usd};

/// The most bytes that a packed value takes.
pub const PACKED_BYTES_MAX: usize = 56;

/// A value with a fixed layout.
pub trait Pack: Sized {
    /// Appends its bytes.
    fn pack(&self, to: &mut Packer);
    /// Takes it back; `None` where the bytes are no such value.
    fn unpack<S: Source>(from: &mut S) -> Option<Self>;
}

/// Bytes being written: [`PACKED_BYTES_MAX`] of them, zero behind the value.
#[derive(Clone, Copy, Debug)]
pub struct Packer {
    len: usize,
    bytes: Packed,
}

/// A packed value, zero behind its end.
pub type Packed = [u8; PACKED_BYTES_MAX];

impl Packer {
    fn put(&mut self, bytes: &[u8]) {
        let end = self.len + bytes.len();
        self.bytes[self.len..end].copy_from_slice(bytes); // too long a value is our mistake: a test packs them all
        self.len = end;
    }
}

/// One value as bytes.
pub fn pack<T: Pack>(value: &T) -> Packed {
    let mut packer = Packer { len: 0, bytes: [0; PACKED_BYTES_MAX] };
    value.pack(&mut packer);
    packer.bytes
}

/// The value of some bytes; `None` where they are none, or where anything but zero follows it.
pub fn unpack<T: Pack>(bytes: &Packed) -> Option<T> {
    let mut unpacker = Unpacker { rest: bytes };
    let value = T::unpack(&mut unpacker)?;
    unpacker.rest.iter().all(|&byte| byte == 0).then_some(value)
}

/// Where the parts of a value come from: packed bytes, or [`Arbitrary`].
pub trait Source {
    /// The next `N` bytes.
    fn take<const N: usize>(&mut self) -> Option<[u8; N]>;
    /// The next byte, which must be below `count`.
    fn below(&mut self, count: u8) -> Option<u8> {
        let [byte] = self.take()?;
        (byte < count).then_some(byte)
    }
    /// The next price.
    fn price(&mut self) -> Option<Price> {
        Price::from_ticks(u16::from_le_bytes(self.take()?))
    }
    /// The next grid.
    fn grid(&mut self) -> Option<Grid> {
        let mut parts = [0; 5];
        for part in &mut parts {
            *part = u16::from_le_bytes(self.take()?);
        }
        let [low_end, high_start, low, mid, high] = parts;
        Grid::banded(low_end, high_start, low, mid, high)
    }
}

struct Unpacker<'a> {
    rest: &'a [u8],
}

impl Source for Unpacker<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(*head)
    }
}

/// Every value there is, by seed: for tests and fuzzing.
#[derive(Clone, Debug)]
pub struct Arbitrary(u64);

impl Arbitrary {
    /// The same seed gives the same values.
    pub const fn from_seed(seed: u64) -> Self {
        Self(seed)
    }

    /// The next value of a type.
    pub fn value<T: Pack>(&mut self) -> T {
        T::unpack(self).expect("every part is drawn from what is allowed")
    }

    /// The next number.
    pub const fn word(&mut self) -> u64 {
        // SplitMix64: passes through every state, any seed is as good as another.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    }
}

impl Source for Arbitrary {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        Some(std::array::from_fn(|_| self.word().to_le_bytes()[3]))
    }

    fn below(&mut self, count: u8) -> Option<u8> {
        u8::try_from(self.word() % u64::from(count)).ok()
    }

    fn price(&mut self) -> Option<Price> {
        Price::from_ticks(u16::try_from(self.word() % 10_001).ok()?)
    }

    fn grid(&mut self) -> Option<Grid> {
        match self.word() % 3 {
            0 => Grid::uniform(100),
            1 => Grid::uniform(1),
            _ => Grid::banded(1_000, 9_000, 10, 100, 10),
        }
    }
}

macro_rules! pack_numbers {
    ($($type:ty),*) => {$(
        impl Pack for $type {
            fn pack(&self, to: &mut Packer) {
                to.put(&self.to_le_bytes());
            }
            fn unpack<S: Source>(from: &mut S) -> Option<Self> {
                from.take().map(Self::from_le_bytes)
            }
        }
    )*};
}

pack_numbers!(u8, u16, u32, u64, i32, i64);

/// Newtypes over one number: how it comes out and how it goes in.
macro_rules! pack_newtypes {
    ($($type:ident: $out:ident, $in:ident;)*) => {$(
        impl Pack for $type {
            fn pack(&self, to: &mut Packer) {
                self.$out().pack(to);
            }
            fn unpack<S: Source>(from: &mut S) -> Option<Self> {
                Pack::unpack(from).map(Self::$in)
            }
        }
    )*};
}

pack_newtypes! {
    MarketId: get, new;
    ClusterId: get, new;
    BasketId: get, new;
    OrderId: get, new;
    GroupId: get, new;
    FillId: get, new;
    VenueKey: get, new;
    Nanos: get, new;
    Qty: micros, from_micros;
    Usd: micros, from_micros;
}

/// Enums without fields: one byte, the discriminant, counted from zero without a gap.
macro_rules! pack_names {
    ($($type:ident { $($variant:ident),* $(,)? })*) => {$(
        impl Pack for $type {
            fn pack(&self, to: &mut Packer) {
                let number = match self { $(Self::$variant => Self::$variant as u8),* };
                number.pack(to);
            }
            fn unpack<S: Source>(from: &mut S) -> Option<Self> {
                const ALL: &[$type] = &[$($type::$variant),*];
                let number = from.below(u8::try_from(ALL.len()).expect("few"))?;
                ALL.iter().copied().find(|value| *value as u8 == number)
            }
        }
    )*};
}

pack_names! {
    Venue { Polymarket, Kalshi }
    Outcome { Yes, No }
    Action { Buy, Sell }
    Side { Bid, Ask }
    Tif { Gtc, Ioc, Fok }
    Purpose { Leg, Hedge, Unwind, Exit, TopUp }
    MarketStatus { Observe, Open, Paused, Closed, Proposed, Resolved }
    BasketKind { Complement, ExclusiveYes, ExclusiveNo, CrossVenue }
    StaleWhy {
        Fresh, Gap, Decode, Link, Top, Mirror, Hash, Crossed, Level, Overflow, Grid, Restart,
    }
    Link { Market, Private, Orders }
    Oddity { Shape, Meaning, Money, Rounded, Schema }
    LimitRow {
        OrderQty, OrderNotional, CashPercent, PositionQty, ExposureTotal, DailyLoss,
        OrdersPerMinute, ExposureMarket, ExposureCluster, ExposureVenue, Positions, EdgeMin,
        ProfitMin, PositionNotional, OrdersPerMinuteMarket, EdgeMaxPercent, LegTimeoutMs,
        CooldownMs, CooldownLossMs, UnwindAttempts, UnwindStepMs, LegFailPpm, UnwindLossPpm,
        DuplicateMs,
    }
    HaltWhy { Operator, KillFile, DailyLoss, RingFull, Group, Thread, Journal, Impossible }
    VenueState { Resting, Delayed, Filled, Cancelled }
    Finality { Provisional, Final, Failed }
    Unsent { Epoch, Down, Tokens, WireLog, Encode, Breaker, Old }
    Reject { Funds, Closed, Crossed, Terms, Killed, Auth, Rate, Mode, Duplicate, Other, Blocked }
    Verdict { Taken, TooSmall, Cooldown, Absurd, Refused, LegRisk, Closed, Full }
    GroupState { Planned, Reserving, Working, Hedged, Unwinding, Flat, Operator }
    OrderState { Pending, Resting, Unknown, Cancelling, Done }
    Refusal {
        Halted, Closing, Stopping, Unreconciled, Stale, NotOpen, OffGrid, MinSize, OrderQty,
        OrderNotional, Cash, Position, ExposureMarket, ExposureCluster, ExposureVenue,
        ExposureTotal, Positions, DailyLoss, Rate, Duplicate, OwnCross, NotReducing, Full, LinkDown,
        OldData, Quarantined,
    }
    Alarm {
        Overfill, WorseFill, ForeignFill, LateFill, FailedFill, FeeDrift, CashDrift, PositionDrift,
        IllegalStep, ForeignOrder, GroupStuck, BadBasket, Unreconciled, Gone, Unpaired,
        OrdersRefused, Stalled, Quarantined,
        UnreadMoney, RoundedMoney,
    }
}

/// Structs: their fields in this order.
macro_rules! pack_structs {
    ($($type:ident { $($field:ident),* $(,)? })*) => {$(
        impl Pack for $type {
            fn pack(&self, to: &mut Packer) {
                let Self { $($field),* } = self;
                $($field.pack(to);)*
            }
            fn unpack<S: Source>(from: &mut S) -> Option<Self> {
                Some(Self { $($field: Pack::unpack(from)?),* })
            }
        }
    )*};
}

pack_structs! {
    Level { market, side, price, change, last }
    MarketDef { market, venue, shard, cluster, grid, min_qty, close, fee, status }
    BasketDef { basket, kind, leg, legs, market, outcome, payout }
    OrderStatus { order, state, filled }
    Fill { fill, order, market, side, price, qty, fee, taker, finality }
    Order {
        id, epoch, decided, group, market, venue, outcome, action, price, qty, tif, post_only,
        purpose,
    }
    Cancel { order, key, market, venue, qty }
    Query { order, key, market, venue }
}

/// Enums with fields: one byte, the number given here, then the fields.
macro_rules! pack_enums {
    ($($type:ident {
        $($number:literal = $variant:ident $(($inner:ident))? $({ $($field:ident),* })?),* $(,)?
    })*) => {$(
        impl Pack for $type {
            fn pack(&self, to: &mut Packer) {
                match self {$(
                    Self::$variant $(($inner))? $({ $($field),* })? => {
                        to.put(&[$number]);
                        $($inner.pack(to);)?
                        $($($field.pack(to);)*)?
                    }
                )*}
            }
            fn unpack<S: Source>(from: &mut S) -> Option<Self> {
                const COUNT: u8 = [$($number),*].len() as u8;
                Some(match from.below(COUNT)? {
                    $($number => Self::$variant
                        $(({ let $inner = Pack::unpack(from)?; $inner }))?
                        $({ $($field: Pack::unpack(from)?),* })?,)*
                    _ => return None,
                })
            }
        }
    )*};
}

pack_enums! {
    Event {
        0 = SnapshotBegin { market, venue_time },
        1 = SnapshotEnd { market },
        2 = Level(level),
        3 = Mirror { market, side, price, qty },
        4 = Top { market, bid, ask, last },
        5 = Trade { market, price, qty, taker },
        6 = Stale { market, why },
        7 = StaleAll { venue, why },
        8 = GridChange { market, grid },
        9 = Status { market, status },
        10 = Settled { market, yes_pays },
        11 = Link { venue, link, up },
        12 = Report(report),
        13 = Market(def),
        14 = Basket(def),
        15 = Control(control),
        16 = Timer,
        17 = Adopt(order),
        18 = Current { venue, upto },
        19 = Stall { span },
        20 = Odd { venue, market, what },
    }
    Change { 0 = Set(qty), 1 = Add(qty), 2 = Take(qty) }
    FeeRule { 0 = Polymarket { rate, exponent }, 1 = Kalshi { taker, maker } }
    Control {
        0 = Start { epoch, first_order },
        1 = Halt { epoch, why },
        2 = Resume { epoch },
        3 = Stop,
        4 = Cash { venue, shard, cash },
        5 = Position { market, yes, no },
        6 = Reconciled { venue, clean },
        7 = Limit { row, value },
        8 = Day { day },
        9 = Reading { venue, since },
        10 = Open { venue, market, order, key },
        11 = Hold { venue, held },
        12 = History { market, yes, no },
        13 = Release { market },
    }
    Report {
        0 = Bound { order, key },
        1 = Unsent { order, why },
        2 = Rejected { order, why },
        3 = TimedOut { order },
        4 = Status(status),
        5 = Fill(fill),
        6 = Finality { fill, state },
        7 = CancelRefused { order },
        8 = Absent { order, venue },
    }
    OrderRef { 0 = Id(id), 1 = Key(key) }
    IntentRecord {
        0 = Place(order),
        1 = Cancel(cancel),
        2 = CancelAll { venue },
        3 = Query(query),
        4 = Resync { market },
    }
    Note {
        0 = Opportunity { basket, units, edge, profit, verdict },
        1 = Group { group, basket, state, units, promised, result, one_leg_ns },
        2 = Order { order, state, filled, reserved },
        3 = Booked { order, market, outcome, price, qty, fee, taker, undone },
        4 = Position { market, yes, no, cost, realised },
        5 = Refused { market, group, why },
        6 = Halt { halted, why, epoch },
        7 = Alarm { what, market, order },
        8 = Adopted { order, group, purpose },
    }
}

impl Pack for bool {
    fn pack(&self, to: &mut Packer) {
        u8::from(*self).pack(to);
    }
    fn unpack<S: Source>(from: &mut S) -> Option<Self> {
        from.below(2).map(|byte| byte == 1)
    }
}

impl Pack for Price {
    fn pack(&self, to: &mut Packer) {
        self.ticks().pack(to);
    }
    fn unpack<S: Source>(from: &mut S) -> Option<Self> {
        from.price()
    }
}

impl Pack for Grid {
    fn pack(&self, to: &mut Packer) {
        for part in self.parts() {
            part.pack(to);
        }
    }
    fn unpack<S: Source>(from: &mut S) -> Option<Self> {
        from.grid()
    }
}

impl<T: Pack> Pack for Option<T> {
    fn pack(&self, to: &mut Packer) {
        self.is_some().pack(to);
        if let Some(value) = self {
            value.pack(to);
        }
    }
    fn unpack<S: Source>(from: &mut S) -> Option<Self> {
        if bool::unpack(from)? { T::unpack(from).map(Some) } else { Some(None) }
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use super::*;

    const DRAWS: u32 = 20_000;

    /// Draws values until chance has shown every variant and every `Option` both ways, many times over.
    fn round_trips<T: Pack + PartialEq + Debug>(variants: usize) {
        let mut draw = Arbitrary::from_seed(7);
        let mut seen = [0_u32; 256];
        for turn in 0..DRAWS {
            let value: T = draw.value();
            let bytes = pack(&value);
            assert_eq!(unpack::<T>(&bytes).as_ref(), Some(&value), "draw {turn}");
            seen[usize::from(bytes[0])] += 1;
        }
        assert!(seen[..variants].iter().all(|&times| times > 100), "a variant is never drawn");
        assert!(seen[variants..].iter().all(|&times| times == 0), "a variant is not counted here");
    }

    #[test]
    fn unpack_undoes_pack_for_every_variant() {
        round_trips::<Event>(21);
        round_trips::<IntentRecord>(5);
        round_trips::<Note>(9);
        round_trips::<Report>(9);
        round_trips::<Control>(14);
        round_trips::<Refusal>(26);
        round_trips::<Alarm>(20);
        round_trips::<LimitRow>(24);
    }

    #[test]
    fn bytes_that_are_no_value_are_refused_and_every_value_has_one_form() {
        let mut draw = Arbitrary::from_seed(11);
        for _ in 0..DRAWS {
            let mut bytes = pack(&draw.value::<Event>());
            let bit = draw.word() as usize % (PACKED_BYTES_MAX * 8);
            bytes[bit / 8] ^= 1 << (bit % 8);
            if let Some(value) = unpack::<Event>(&bytes) {
                assert_eq!(pack(&value), bytes, "two forms of {value:?}");
            }
        }
        assert_eq!(unpack::<Event>(&[0xff; PACKED_BYTES_MAX]), None);
    }

    /// The layout itself: whoever changes these bytes makes every journal unreadable.
    #[test]
    fn the_layout_stands() {
        let level = Event::Level(Level {
            market: MarketId::new(0x0102),
            side: Side::Ask,
            price: Price::from_ticks(4_700).unwrap(),
            change: Change::Set(Qty::from_micros(5)),
            last: true,
        });
        let bytes = pack(&level);
        assert_eq!(bytes[..16], [2, 2, 1, 1, 0x5c, 0x12, 0, 5, 0, 0, 0, 0, 0, 0, 0, 1]);
        assert!(bytes[16..].iter().all(|&byte| byte == 0));
    }
}
