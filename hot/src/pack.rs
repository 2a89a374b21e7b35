//! The journal's layout of every value that is written: bytes, little-endian, no padding.
//!
//! Written out by hand so that no compiler and no library decides what a file of last year means. The layout of a type
//! stands beside the type: `enum_table!` for a closed set of words, `pack_variants!` for an enum with fields and
//! `pack_fields!` for a struct. Each takes its type apart completely: a field or a variant that is forgotten does not
//! compile. The number of a variant is part of the format: new ones are added at the end, none is ever used again.

/// The most bytes that a packed value takes.
pub const PACKED_BYTES_MAX: usize = 56;

/// A value with a fixed layout.
pub trait Pack: Sized {
    /// Appends its bytes.
    fn pack<W: PackSink>(&self, to: &mut W);
    /// Takes it back; `None` where the bytes are no such value.
    fn unpack<S: PackSource>(from: &mut S) -> Option<Self>;
}

/// Where the bytes of a value go: a record of the journal, a snapshot, or a hash.
pub trait PackSink {
    /// Takes the next bytes.
    fn put(&mut self, bytes: &[u8]);
}

/// Bytes being written: [`PACKED_BYTES_MAX`] of them, zero behind the value.
#[derive(Clone, Copy, Debug)]
pub struct Packer {
    len: usize,
    bytes: Packed,
}

/// A packed value, zero behind its end.
pub type Packed = [u8; PACKED_BYTES_MAX];

impl PackSink for Packer {
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
    let mut unpacker = Unpacker::new(bytes);
    let value = T::unpack(&mut unpacker)?;
    unpacker.rest.iter().all(|&byte| byte == 0).then_some(value)
}

/// Where the parts of a value come from: packed bytes, or [`Arbitrary`].
pub trait PackSource {
    /// The next `N` bytes.
    fn take<const N: usize>(&mut self) -> Option<[u8; N]>;
    /// The next byte, which must be below `count`.
    fn below(&mut self, count: u8) -> Option<u8> {
        let [byte] = self.take()?;
        (byte < count).then_some(byte)
    }
    /// A random word where values are drawn by chance; `None` where they are read. A type whose bytes are mostly no value
    /// draws one with it.
    fn chance(&mut self) -> Option<u64> {
        None
    }
}

/// Bytes being read.
#[derive(Clone, Copy, Debug)]
pub struct Unpacker<'a> {
    rest: &'a [u8],
}

impl<'a> Unpacker<'a> {
    /// From their beginning.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// What is left.
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Whether nothing is left.
    pub const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }
}

impl PackSource for Unpacker<'_> {
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

impl PackSource for Arbitrary {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        Some(std::array::from_fn(|_| self.word().to_le_bytes()[3]))
    }

    fn below(&mut self, count: u8) -> Option<u8> {
        u8::try_from(self.word() % u64::from(count)).ok()
    }

    fn chance(&mut self) -> Option<u64> {
        Some(self.word())
    }
}

macro_rules! pack_numbers {
    ($($type:ty),*) => {$(
        impl Pack for $type {
            fn pack<W: PackSink>(&self, to: &mut W) {
                to.put(&self.to_le_bytes());
            }
            fn unpack<S: PackSource>(from: &mut S) -> Option<Self> {
                from.take().map(Self::from_le_bytes)
            }
        }
    )*};
}

pack_numbers!(u8, u16, u32, u64, i32, i64, i128);

impl Pack for bool {
    fn pack<W: PackSink>(&self, to: &mut W) {
        u8::from(*self).pack(to);
    }
    fn unpack<S: PackSource>(from: &mut S) -> Option<Self> {
        from.below(2).map(|byte| byte == 1)
    }
}

impl<T: Pack> Pack for Option<T> {
    fn pack<W: PackSink>(&self, to: &mut W) {
        self.is_some().pack(to);
        if let Some(value) = self {
            value.pack(to);
        }
    }
    fn unpack<S: PackSource>(from: &mut S) -> Option<Self> {
        if bool::unpack(from)? { T::unpack(from).map(Some) } else { Some(None) }
    }
}

impl<T: Pack, const N: usize> Pack for [T; N] {
    fn pack<W: PackSink>(&self, to: &mut W) {
        for value in self {
            value.pack(to);
        }
    }
    fn unpack<S: PackSource>(from: &mut S) -> Option<Self> {
        let all: [Option<T>; N] = std::array::from_fn(|_| T::unpack(from));
        if all.iter().any(Option::is_none) {
            return None;
        }
        Some(all.map(|value| value.expect("checked above")))
    }
}

macro_rules! pack_tuples {
    ($(($($part:ident),*)),*) => {$(
        impl<$($part: Pack),*> Pack for ($($part,)*) {
            #[expect(non_snake_case, reason = "the parts are named by their types")]
            fn pack<Z: PackSink>(&self, to: &mut Z) {
                let ($($part,)*) = self;
                $($part.pack(to);)*
            }
            fn unpack<Z: PackSource>(from: &mut Z) -> Option<Self> {
                Some(($($part::unpack(from)?,)*))
            }
        }
    )*};
}

pack_tuples!((A, B), (A, B, C), (A, B, C, D), (A, B, C, D, E));

/// The table of a closed set of words: one row for each gives its variant, its number in files and its name in output and
/// in files. Numbers count from zero without a gap, so that a byte of a file is an index into `ALL`.
macro_rules! enum_table {
    (
        $(#[$doc:meta])*
        pub enum $type:ident {
            $($(#[$about:meta])* $variant:ident = $number:literal, $name:expr;)*
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum $type {
            $($(#[$about])* $variant = $number),*
        }

        impl $type {
            /// Every one of them, by its number.
            pub const ALL: [Self; [$($number),*].len()] = [$(Self::$variant),*];

            /// The name used in output and in files.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name),*
                }
            }
        }

        const _: () = $crate::pack::assert_numbered(&[$($number),*]);

        impl $crate::pack::Pack for $type {
            fn pack<W: $crate::pack::PackSink>(&self, to: &mut W) {
                (*self as u8).pack(to);
            }
            fn unpack<S: $crate::pack::PackSource>(from: &mut S) -> Option<Self> {
                const COUNT: u8 = $type::ALL.len() as u8;
                from.below(COUNT).map(|number| Self::ALL[usize::from(number)])
            }
        }
    };
}

/// The layout of newtypes over one number: that number.
macro_rules! pack_newtypes {
    ($($type:ident),*) => {$(
        impl $crate::pack::Pack for $type {
            fn pack<W: $crate::pack::PackSink>(&self, to: &mut W) {
                $crate::pack::Pack::pack(&self.0, to);
            }
            fn unpack<S: $crate::pack::PackSource>(from: &mut S) -> Option<Self> {
                $crate::pack::Pack::unpack(from).map(Self)
            }
        }
    )*};
}

/// The layout of structs: their fields in this order. For files of other crates too, whose structs are written whole.
#[macro_export]
macro_rules! pack_fields {
    ($($type:ident { $($field:ident),* $(,)? })*) => {$(
        impl $crate::pack::Pack for $type {
            fn pack<W: $crate::pack::PackSink>(&self, to: &mut W) {
                let Self { $($field),* } = self;
                $($crate::pack::Pack::pack($field, to);)*
            }
            fn unpack<S: $crate::pack::PackSource>(from: &mut S) -> Option<Self> {
                Some(Self { $($field: $crate::pack::Pack::unpack(from)?),* })
            }
        }
    )*};
}

/// The layout of enums with fields: one byte, the number given here, then the fields.
macro_rules! pack_variants {
    ($($type:ident {
        $($number:literal = $variant:ident $(($inner:ident))? $({ $($field:ident),* })?),* $(,)?
    })*) => {$(
        const _: () = $crate::pack::assert_numbered(&[$($number),*]);

        impl $type {
            /// How many variants there are.
            pub const VARIANTS: usize = [$($number),*].len();
        }

        impl $crate::pack::Pack for $type {
            fn pack<W: $crate::pack::PackSink>(&self, to: &mut W) {
                match self {$(
                    Self::$variant $(($inner))? $({ $($field),* })? => {
                        <u8 as $crate::pack::Pack>::pack(&$number, to);
                        $($crate::pack::Pack::pack($inner, to);)?
                        $($($crate::pack::Pack::pack($field, to);)*)?
                    }
                )*}
            }
            fn unpack<S: $crate::pack::PackSource>(from: &mut S) -> Option<Self> {
                Some(match from.below(Self::VARIANTS as u8)? {
                    $($number => Self::$variant
                        $(({ let $inner = $crate::pack::Pack::unpack(from)?; $inner }))?
                        $({ $($field: $crate::pack::Pack::unpack(from)?),* })?,)*
                    _ => return None,
                })
            }
        }
    )*};
}

pub use pack_fields;
pub(crate) use {enum_table, pack_newtypes, pack_variants};

/// Stops the build where the numbers of a table do not count from zero without a gap, or do not fit a byte.
pub(crate) const fn assert_numbered(numbers: &[u8]) {
    let mut row = 0;
    while row < numbers.len() {
        assert!(numbers[row] as usize == row, "a table's numbers count from zero without a gap");
        row += 1;
    }
}
