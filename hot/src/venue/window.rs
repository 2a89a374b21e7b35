//! Reading a part of a frame in which every field is short.
//!
//! A [`Window`] is so many bytes of a frame, taken once. The fields in it are of known or small lengths, so that the compiler knows
//! how far each of them can reach, and nothing is held against the end of the frame again. What is not of the expected shape is
//! no error: the caller reads it with [`Scan`](super::scan::Scan), which knows all shapes.

use super::decimal;
use super::scan::is_plain;

/// A part of a frame, and how much of it has been read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window<'a, const N: usize> {
    bytes: &'a [u8; N],
    at: usize,
}

impl<'a, const N: usize> Window<'a, N> {
    /// At its beginning.
    #[inline(always)]
    pub(super) const fn new(bytes: &'a [u8; N]) -> Self {
        Self { bytes, at: 0 }
    }

    /// How many bytes were read.
    #[inline(always)]
    pub(super) const fn at(&self) -> usize {
        self.at
    }

    /// The next bytes, without taking them.
    #[inline(always)]
    pub(super) fn next<const M: usize>(&self) -> Option<&'a [u8; M]> {
        self.bytes.get(self.at..)?.first_chunk()
    }

    /// Takes so many bytes that [`Window::next`] has shown.
    #[inline(always)]
    pub(super) const fn pass(&mut self, bytes: usize) {
        self.at += bytes;
    }

    /// Takes this very text.
    #[inline(always)]
    pub(super) fn literal<const M: usize>(&mut self, text: &'static [u8; M]) -> Option<()> {
        if !same(self.next()?, text) {
            return None;
        }
        self.at += M;
        Some(())
    }

    /// Takes so many bytes, whatever they are.
    #[inline(always)]
    pub(super) fn take<const M: usize>(&mut self) -> Option<&'a [u8; M]> {
        let text = self.next()?;
        self.at += M;
        Some(text)
    }

    /// Takes a text of so many bytes that has no quote, no escape and nothing beyond ASCII.
    #[inline(always)]
    pub(super) fn plain<const M: usize>(&mut self) -> Option<&'a [u8; M]> {
        self.take().filter(|text| is_plain(text))
    }

    /// As [`Window::plain`], for what is written in digits, small letters and some signs: such a text is known with half the work.
    #[inline(always)]
    pub(super) fn lower<const M: usize>(&mut self) -> Option<&'a [u8; M]> {
        self.take().filter(|text| is_lower(text))
    }

    /// Takes up to four digits: see [`decimal::up_to_four`].
    #[inline(always)]
    pub(super) fn up_to_four(&mut self) -> Option<u32> {
        let (digits, count) = decimal::up_to_four(*self.next()?);
        self.at += count;
        Some(digits)
    }

    /// Takes a number: see [`decimal::seven_and_four`].
    #[inline(always)]
    pub(super) fn seven_and_four(&mut self) -> Option<(u64, u32)> {
        let (whole, parts, length) = decimal::seven_and_four(self.next()?)?;
        self.at += length;
        Some((whole, parts))
    }
}

/// Whether every byte is a digit, a small letter or one of the signs near them, none of which is special in a JSON string: all
/// from `#` to `?` and from the backtick on within ASCII. Two comparisons a byte, in whole vectors, are fewer than
/// [`is_plain`] needs.
#[inline(always)]
fn is_lower<const M: usize>(text: &[u8; M]) -> bool {
    const { assert!(M >= 16, "the last block is a whole one") };
    let (mut above, mut common) = ([0xff_u8; 16], [0xff_u8; 16]);
    let (blocks, rest) = text.as_chunks::<16>();
    let last = text.last_chunk::<16>().filter(|_| !rest.is_empty());
    for block in blocks.iter().chain(last) {
        for ((above, common), byte) in above.iter_mut().zip(&mut common).zip(block) {
            *above &= if byte.cast_signed() > 0x22 { 0xff } else { 0 };
            *common &= byte;
        }
    }
    for (above, common) in above.iter_mut().zip(common) {
        *above &= if common & 0x20 == 0 { 0 } else { 0xff };
    }
    above == [0xff; 16]
}

/// Whether two texts of a known length are the same, in blocks: the compiler calls a function where there are more than two.
#[inline(always)]
pub(super) fn same<const M: usize>(one: &[u8; M], other: &[u8; M]) -> bool {
    if M <= 32 {
        return one == other;
    }
    let mut differ = [0; 16];
    let (ones, others) = (one.as_chunks::<16>().0, other.as_chunks::<16>().0);
    let last = one.last_chunk::<16>().zip(other.last_chunk());
    for (one, other) in ones.iter().zip(others).chain(last) {
        for ((differ, one), other) in differ.iter_mut().zip(one).zip(other) {
            *differ |= one ^ other;
        }
    }
    differ == [0; 16]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lower_texts_are_plain_wherever_the_byte_stands() {
        let mut text = [b'a'; 40];
        for at in 0..text.len() {
            for byte in 0..=u8::MAX {
                text[at] = byte;
                let is_one = matches!(byte, 0x23..=0x3f | 0x60..=0x7f);
                assert_eq!(is_lower(&text), is_one, "{byte:#x} at {at}");
                assert!(is_plain(&text) || !is_one);
                assert_eq!(is_lower(text.first_chunk::<32>().unwrap()), is_one || at >= 32);
            }
            text[at] = b'f';
        }
    }

    #[test]
    fn a_window_ends_where_it_ends() {
        let mut window = Window::new(b"ab:1234\"");
        assert_eq!((window.literal(b"ac"), window.literal(b"ab:")), (None, Some(())));
        assert_eq!((window.at(), window.up_to_four()), (3, Some(0x0403_0201)));
        assert_eq!(window.next::<2>(), None);
        assert_eq!((window.take::<1>(), window.take::<1>()), (Some(b"\""), None));
    }
}
