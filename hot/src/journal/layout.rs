//! Every value that a record can hold comes back as it was written, and its bytes are what they have always been.

use std::fmt::Debug;

use crate::book::{Change, Level};
use crate::event::{Control, Event};
use crate::ids::{MarketId, Side};
use crate::intent::IntentRecord;
use crate::note::{Alarm, Note};
use crate::pack::{Arbitrary, PACKED_BYTES_MAX, Pack, pack, unpack};
use crate::report::Report;
use crate::risk::{LimitRow, Refusal};
use crate::units::{Price, Qty};

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
    assert!(seen[variants..].iter().all(|&times| times == 0), "a number beyond the last");
}

#[test]
fn unpack_undoes_pack_for_every_variant() {
    round_trips::<Event>(Event::VARIANTS);
    round_trips::<IntentRecord>(IntentRecord::VARIANTS);
    round_trips::<Note>(Note::VARIANTS);
    round_trips::<Report>(Report::VARIANTS);
    round_trips::<Control>(Control::VARIANTS);
    round_trips::<Refusal>(Refusal::ALL.len());
    round_trips::<Alarm>(Alarm::ALL.len());
    round_trips::<LimitRow>(LimitRow::ALL.len());
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
