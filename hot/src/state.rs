//! How everything that decisions depend on is written down and read back.
//!
//! Every noun has one list of its fields, made by `state_fields!` beside the type. The list takes the type apart without
//! `..`, so that a new field that is not in it does not compile. Saving, loading and the state hash all go by that list, so
//! they cannot disagree. Single values have the layout of the journal's records ([`Pack`]); what is listed here are the
//! containers around them.
//!
//! What can be computed from other fields is not written: it is `derived`, and the noun's `rebuild` makes it anew.
//!
//! A noun is loaded in place, into one that was made new, so that it keeps the memory it has allocated. Where loading fails
//! the noun is half read and must be thrown away: [`Core::load`](crate::core::Core::load) does so.

use std::collections::VecDeque;

use crate::hash::Hash64;
use crate::pack::{Arbitrary, Pack, PackSink, PackSource};
use crate::per_id::PerId;

/// The version of what is written around the fields, and of their meaning. It rises where the same fields come to mean
/// something else; that the fields themselves are others is seen by [`layout_of`].
pub const STATE_FORMAT: u32 = 1;

/// A part of the core's state.
pub trait State {
    /// Writes every field that is not derived.
    fn save<W: PackSink>(&self, to: &mut W);
    /// Reads them back into a value that was made new. `None` where the bytes are no such state; the value must not be used
    /// then.
    fn load<S: PackSource>(&mut self, from: &mut S) -> Option<()>;
    /// Writes values drawn by chance in the layout of the fields, one of each list and table. What the noun holds is not in
    /// it: it depends on the types alone. See [`layout_of`].
    fn sketch<W: PackSink>(&self, draw: &mut Arbitrary, to: &mut W);
}

/// A number for the layout of a noun's state: another one wherever a field, a variant or a size is another.
pub fn layout_of(noun: &impl State) -> u64 {
    let mut hash = StateHash::new();
    for seed in 0..SKETCHES {
        noun.sketch(&mut Arbitrary::from_seed(seed), &mut hash);
    }
    hash.get()
}

/// So many sketches make a layout's number: enough for each variant of each enum to come up.
const SKETCHES: u64 = 64;
/// Draws until one is a value: a few types bound a number more tightly than its bytes.
const DRAWS_MAX: u32 = 1_000;

impl<T: Pack> State for T {
    fn save<W: PackSink>(&self, to: &mut W) {
        self.pack(to);
    }
    fn load<S: PackSource>(&mut self, from: &mut S) -> Option<()> {
        *self = T::unpack(from)?;
        Some(())
    }
    fn sketch<W: PackSink>(&self, draw: &mut Arbitrary, to: &mut W) {
        draw_some::<Self>(draw).pack(to);
    }
}

/// A value of a type, drawn by chance.
pub(crate) fn draw_some<T: Pack>(draw: &mut Arbitrary) -> T {
    let value = (0..DRAWS_MAX).find_map(|_| T::unpack(draw));
    value.expect("every type has a value within some draws")
}

/// Bytes on their way to a file.
impl PackSink for Vec<u8> {
    fn put(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

/// A hash over the bytes that a state would be saved as, eight at a time.
#[derive(Clone, Copy, Debug)]
pub struct StateHash {
    hash: Hash64,
    /// The bytes that are no whole word yet, the first of them lowest; zeros above.
    word: u64,
    all: u64,
}

impl StateHash {
    /// The hash before any field was taken in.
    pub const fn new() -> Self {
        Self { hash: Hash64::new(), word: 0, all: 0 }
    }

    /// The hash of everything taken so far, and of how much that was.
    pub fn get(mut self) -> u64 {
        self.hash.word(self.word);
        self.hash.word(self.all);
        self.hash.get()
    }
}

impl Default for StateHash {
    fn default() -> Self {
        Self::new()
    }
}

impl PackSink for StateHash {
    fn put(&mut self, bytes: &[u8]) {
        // So many bits of the word are taken; every eight bytes leave as many.
        let taken = self.all % 8 * 8;
        let (words, rest) = bytes.as_chunks();
        for &word in words {
            let word = u64::from_le_bytes(word);
            self.hash.word(self.word | word << taken);
            self.word = word.checked_shr(64 - taken as u32).unwrap_or(0);
        }
        self.all += 8 * words.len() as u64;
        for &byte in rest {
            let taken = self.all % 8 * 8;
            self.word |= u64::from(byte) << taken;
            self.all += 1;
            if taken == 56 {
                self.hash.word(self.word);
                self.word = 0;
            }
        }
    }
}

/// A list that grows up to a bound.
pub(crate) trait List<T> {
    fn each<'a>(&'a self) -> impl ExactSizeIterator<Item = &'a T>
    where
        T: 'a;
    fn empty(&mut self);
    fn add(&mut self, value: T);
}

macro_rules! lists {
    ($($list:ident: $push:ident;)*) => {$(
        impl<T> List<T> for $list<T> {
            fn each<'a>(&'a self) -> impl ExactSizeIterator<Item = &'a T>
            where
                T: 'a,
            {
                self.iter()
            }
            fn empty(&mut self) {
                self.clear();
            }
            fn add(&mut self, value: T) {
                self.$push(value);
            }
        }
    )*};
}

lists! {
    Vec: push;
    VecDeque: push_back;
}

/// A table with one row for each id.
pub(crate) trait Table<T> {
    /// Its rows by rising id; blank ones at the end may be left out.
    fn rows<'a>(&'a self) -> impl Iterator<Item = &'a T>
    where
        T: 'a;
    /// The row of an id; `None` where there is none.
    fn row_mut(&mut self, id: usize) -> Option<&mut T>;
}

impl<T> Table<T> for Vec<T> {
    fn rows<'a>(&'a self) -> impl Iterator<Item = &'a T>
    where
        T: 'a,
    {
        self.iter()
    }
    fn row_mut(&mut self, id: usize) -> Option<&mut T> {
        self.get_mut(id)
    }
}

impl<T: Clone> Table<T> for PerId<T> {
    fn rows<'a>(&'a self) -> impl Iterator<Item = &'a T>
    where
        T: 'a,
    {
        self.iter()
    }
    fn row_mut(&mut self, id: usize) -> Option<&mut T> {
        self.get(id)?;
        Some(&mut self[id])
    }
}

/// Writes a list: its length, and what it holds in order.
pub(crate) fn save_list<T: Pack, W: PackSink>(list: &impl List<T>, to: &mut W) {
    let all = list.each();
    (u32::try_from(all.len()).expect("lists are bounded")).pack(to);
    for value in all {
        value.pack(to);
    }
}

/// Reads a list of at most `max` values.
pub(crate) fn load_list<T: Pack, S: PackSource>(
    list: &mut impl List<T>,
    max: usize,
    from: &mut S,
) -> Option<()> {
    let count = usize::try_from(u32::unpack(from)?).ok().filter(|&count| count <= max)?;
    list.empty();
    for _ in 0..count {
        list.add(T::unpack(from)?);
    }
    Some(())
}

/// Sketches what a list holds.
pub(crate) fn sketch_list<T: Pack, W: PackSink>(
    _: &impl List<T>,
    max: usize,
    draw: &mut Arbitrary,
    to: &mut W,
) {
    (max as u64).pack(to);
    draw_some::<T>(draw).pack(to);
}

/// Writes a table with one fixed row for each market, basket or the like: the number of rows that are not `blank`, and
/// each of these behind its number. So a table of which few rows are in use is short, and one that a later version makes
/// longer can be read.
pub(crate) fn save_table<T: State, W: PackSink>(
    table: &impl Table<T>,
    is_blank: impl Fn(&T) -> bool,
    to: &mut W,
) {
    let used = || (0_u32..).zip(table.rows()).filter(|(_, row)| !is_blank(row));
    u32::try_from(used().count()).expect("tables are bounded").pack(to);
    for (number, row) in used() {
        number.pack(to);
        row.save(to);
    }
}

/// Reads a table into one whose rows are all blank. Rows come by rising number, each once.
pub(crate) fn load_table<T: State, S: PackSource>(
    table: &mut impl Table<T>,
    from: &mut S,
) -> Option<()> {
    let mut next = 0;
    for _ in 0..u32::unpack(from)? {
        let number = usize::try_from(u32::unpack(from)?).ok().filter(|&row| row >= next)?;
        table.row_mut(number)?.load(from)?;
        next = number + 1;
    }
    Some(())
}

/// The list of a noun's fields, in the order in which they are written, and how each is written:
/// - `value`: a single value, or a noun with a list of its own;
/// - `each`: an array of nouns with a list of their own;
/// - `index`: a number that counts places in memory;
/// - `list(max)`: up to `max` values, in order;
/// - `table(blank)`: one row for each market or the like, of which only those that are not `blank` are written;
/// - `slots`: the same for rows of which those that are `None` are not written;
/// - `derived`: not written. `then rebuild` names the method that makes it anew from the other fields; the method returns
///   `None` where they do not fit each other.
macro_rules! state_fields {
    ($type:ty { $($field:ident: $kind:ident $(($arg:expr))?),* $(,)? } $(then $rebuild:ident)?) => {
        impl $crate::state::State for $type {
            fn save<W: $crate::pack::PackSink>(&self, to: &mut W) {
                let Self { $($field),* } = self;
                $($crate::state::save_field!($kind $(($arg))?, $field, to);)*
            }
            fn load<S: $crate::pack::PackSource>(&mut self, from: &mut S) -> Option<()> {
                let Self { $($field),* } = self;
                $($crate::state::load_field!($kind $(($arg))?, $field, from);)*
                $(self.$rebuild()?;)?
                Some(())
            }
            fn sketch<W: $crate::pack::PackSink>(
                &self,
                draw: &mut $crate::pack::Arbitrary,
                to: &mut W,
            ) {
                let Self { $($field),* } = self;
                $($crate::state::sketch_field!($kind $(($arg))?, $field, draw, to);)*
            }
        }
    };
}

macro_rules! save_field {
    (value, $field:ident, $to:ident) => {
        $crate::state::State::save($field, $to)
    };
    (each, $field:ident, $to:ident) => {
        for part in $field {
            $crate::state::State::save(part, $to);
        }
    };
    (index, $field:ident, $to:ident) => {
        $crate::pack::Pack::pack(&(*$field as u64), $to)
    };
    (list($max:expr), $field:ident, $to:ident) => {
        $crate::state::save_list($field, $to)
    };
    (table($blank:expr), $field:ident, $to:ident) => {
        $crate::state::save_table($field, |row| *row == $blank, $to)
    };
    (slots, $field:ident, $to:ident) => {
        $crate::state::save_table($field, Option::is_none, $to)
    };
    (boxed, $field:ident, $to:ident) => {
        $crate::state::State::save(&**$field, $to)
    };
    (derived, $field:ident, $to:ident) => {
        let _ = $field;
    };
}

macro_rules! load_field {
    (value, $field:ident, $from:ident) => {
        $crate::state::State::load($field, $from)?
    };
    (each, $field:ident, $from:ident) => {
        for part in $field {
            $crate::state::State::load(part, $from)?;
        }
    };
    (index, $field:ident, $from:ident) => {
        *$field = usize::try_from(<u64 as $crate::pack::Pack>::unpack($from)?).ok()?
    };
    (list($max:expr), $field:ident, $from:ident) => {
        $crate::state::load_list($field, $max, $from)?
    };
    (table($blank:expr), $field:ident, $from:ident) => {
        $crate::state::load_table($field, $from)?
    };
    (slots, $field:ident, $from:ident) => {
        $crate::state::load_table($field, $from)?
    };
    (boxed, $field:ident, $from:ident) => {
        $crate::state::State::load(&mut **$field, $from)?
    };
    (derived, $field:ident, $from:ident) => {
        let _ = $field;
    };
}

macro_rules! sketch_field {
    (value, $field:ident, $draw:ident, $to:ident) => {
        $crate::state::State::sketch($field, $draw, $to)
    };
    (index, $field:ident, $draw:ident, $to:ident) => {{
        let _ = $field;
        $crate::pack::Pack::pack(&u64::MAX, $to)
    }};
    (list($max:expr), $field:ident, $draw:ident, $to:ident) => {
        $crate::state::sketch_list($field, $max, $draw, $to)
    };
    (boxed, $field:ident, $draw:ident, $to:ident) => {
        $crate::state::State::sketch(&**$field, $draw, $to)
    };
    (derived, $field:ident, $draw:ident, $to:ident) => {
        let _ = $field;
    };
    // Of what is there once for each market, side or the like, the first stands for all.
    ($each:ident $(($blank:expr))?, $field:ident, $draw:ident, $to:ident) => {
        if let Some(first) = $field.first() {
            $crate::state::State::sketch(first, $draw, $to);
        }
    };
}

pub(crate) use {load_field, save_field, sketch_field, state_fields};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pack::Unpacker;

    #[derive(Debug, PartialEq)]
    struct Noun {
        one: u16,
        place: usize,
        last: VecDeque<u32>,
        rows: Vec<(u8, bool)>,
        sum: u32,
    }

    impl Noun {
        fn new() -> Self {
            Self { one: 0, place: 0, last: VecDeque::new(), rows: vec![(0, false); 9], sum: 0 }
        }

        fn rebuild(&mut self) -> Option<()> {
            self.sum = self.last.iter().try_fold(0_u32, |sum, value| sum.checked_add(*value))?;
            Some(())
        }
    }

    state_fields! {
        Noun { one: value, place: index, last: list(3), rows: table((0, false)), sum: derived } then rebuild
    }

    fn load(bytes: &[u8]) -> Option<Noun> {
        let (mut noun, mut from) = (Noun::new(), Unpacker::new(bytes));
        noun.load(&mut from)?;
        from.is_empty().then_some(noun)
    }

    #[test]
    fn a_noun_comes_back_as_it_was_and_no_shorter_or_other_bytes_are_one() {
        let mut noun = Noun::new();
        (noun.one, noun.place) = (700, 5);
        noun.last.extend([4, u32::MAX - 10]);
        noun.sum = u32::MAX - 6;
        noun.rows[2] = (3, true);
        noun.rows[8] = (0, true);
        let mut bytes = Vec::new();
        noun.save(&mut bytes);
        assert_eq!(load(&bytes), Some(noun));
        for short in 0..bytes.len() {
            assert_eq!(load(&bytes[..short]), None, "{short} bytes");
        }
        let at = |byte: usize, value| {
            let mut bad = bytes.clone();
            bad[byte] = value;
            load(&bad)
        };
        assert_eq!(at(10, 4), None, "a list longer than its bound");
        assert_eq!(at(22, 9), None, "more rows than there are bytes");
        assert_eq!(at(26, 9), None, "a row beyond the table, or out of order");
        assert_eq!(at(31, 2), None, "a word that is no boolean");
        assert_eq!(at(14, 255), None, "fields that do not fit each other");
    }

    #[derive(Debug)]
    struct Longer {
        one: u16,
        place: usize,
        last: VecDeque<u32>,
        rows: Vec<(u8, bool)>,
        sum: u32,
    }

    #[derive(Debug)]
    struct Wider {
        one: u32,
        place: usize,
        last: VecDeque<u32>,
        rows: Vec<(u8, bool)>,
    }

    state_fields! {
        Longer { one: value, place: index, last: list(3), rows: table((0, false)), sum: value }
    }

    state_fields! {
        Wider { one: value, place: index, last: list(3), rows: table((0, false)) }
    }

    #[test]
    fn another_layout_has_another_number_and_another_state_has_not() {
        let (mut full, rows) = (Noun::new(), vec![(0, false); 9]);
        full.one = 9;
        full.last.push_back(7);
        full.rows[0] = (4, true);
        let layout = layout_of(&Noun::new());
        assert_eq!(layout_of(&full), layout);
        let last = VecDeque::new();
        let longer = Longer { one: 0, place: 0, last, rows: rows.clone(), sum: 0 };
        let wider = Wider { one: 0, place: 0, last: VecDeque::new(), rows };
        assert_ne!(layout_of(&longer), layout);
        assert_ne!(layout_of(&wider), layout);
    }

    #[test]
    fn the_hash_is_of_the_bytes_whatever_pieces_they_come_in() {
        let bytes: Vec<u8> = (0..=255).collect();
        let whole = |bytes: &[u8]| {
            let mut hash = StateHash::new();
            hash.put(bytes);
            hash.get()
        };
        let mut hash = StateHash::new();
        for piece in bytes.chunks(7) {
            hash.put(piece);
        }
        assert_eq!(hash.get(), whole(&bytes));
        assert_ne!(whole(&[0; 8]), whole(&[0; 9]));
        assert_ne!(whole(&[]), whole(&[0]));
    }
}
