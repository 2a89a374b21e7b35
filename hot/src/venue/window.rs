//! Reading a part of a frame in which every field is short.
//!
//! A [`Window`] is so many bytes of a frame, taken once. The fields in it are of known or small lengths, so that the compiler knows
//! how far each of them can reach, and nothing is held against the end of the frame again. What is not of the expected shape is
//! no error: the caller reads it with [`Scan`](super::scan::Scan), which knows all shapes.

use super::decimal;

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

/// Whether two texts of a known length are the same, in parts that the compiler compares in place: where there is more to compare at
/// once it calls a function.
#[inline(always)]
pub(super) fn same<const M: usize>(one: &[u8; M], other: &[u8; M]) -> bool {
    const PART: usize = 32;
    if M <= PART {
        return one == other;
    }
    let mut at = 0;
    while at < M {
        let from = at.min(M - PART); // the last part may have bytes of the one before
        if one[from..].first_chunk::<PART>() != other[from..].first_chunk() {
            return false;
        }
        at += PART;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_the_same_or_differ_wherever_the_byte_stands() {
        fn check<const M: usize>() {
            let text = [b'a'; M];
            assert!(same(&text, &text));
            for at in 0..M {
                let mut other = text;
                other[at] = b'b';
                assert!(!same(&text, &other), "{at} of {M}");
            }
        }
        check::<7>();
        check::<32>();
        check::<48>();
        check::<64>();
        check::<70>();
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
