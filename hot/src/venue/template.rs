//! A stretch of a frame whose length is known, held at once against what each byte of it may be.
//!
//! Where a venue writes the same members in the same order, most bytes of a frame are known beforehand, and of the others it is known
//! whether each is a digit or a part of some text. Such a stretch is compared in whole vectors, literal text, digits and texts of a
//! known length together. What does not fit is no error: the caller reads the frame with [`Scan`](super::scan::Scan).

/// Stands in a pattern for a digit.
pub(super) const DIGIT: u8 = 1;
/// Stands in a pattern for a digit that is not zero.
pub(super) const FIRST: u8 = 2;
/// Stands in a pattern for a byte of a time: from `#` to `[`, so digits, signs and capitals.
pub(super) const STAMP: u8 = 3;
/// Stands in a pattern for a byte of a text: from `#` to DEL. Of these a backslash is special in JSON; [`has_slash`] looks for it.
pub(super) const TEXT: u8 = 4;
/// Stands in a pattern for any byte, which is for the caller to look at.
pub(super) const ANY: u8 = 5;

/// As many bytes as a vector has on every machine.
const BLOCK: usize = 16;

/// Bytes that are an operand as they stand in memory.
#[derive(Clone, Copy, Debug)]
#[repr(align(16))]
struct Block([u8; BLOCK]);

/// What each byte of a stretch of `N` may be. It is compared in `BLOCKS` blocks, the last of which may have bytes of the one before.
///
/// It is kept by whoever reads frames and is no constant: of what the compiler knows of single bytes it makes comparisons of single
/// bytes.
#[derive(Debug)]
pub(super) struct Template<const N: usize, const BLOCKS: usize> {
    /// For each block the least bytes, and by how much each may be more.
    blocks: [(Block, Block); BLOCKS],
}

impl<const N: usize, const BLOCKS: usize> Template<N, BLOCKS> {
    /// Of parts that make a pattern: the constants above stand for what varies, every other byte for itself.
    pub(super) fn new(parts: &[&[u8]]) -> Self {
        const { assert!(N >= BLOCK && N.div_ceil(BLOCK) == BLOCKS, "whole blocks cover it") };
        let pattern: [u8; N] = parts.concat().try_into().expect("the parts make the whole");
        let range = |byte| match byte {
            DIGIT => (b'0', 9),
            FIRST => (b'1', 8),
            STAMP => (b'#', b'[' - b'#'),
            TEXT => (b'#', 0x7f - b'#'),
            ANY => (0, u8::MAX),
            literal => (literal, 0),
        };
        let blocks = std::array::from_fn(|nth| {
            let ranges = block(&pattern, nth * BLOCK).map(range);
            (Block(ranges.map(|(low, _)| low)), Block(ranges.map(|(_, span)| span)))
        });
        Self { blocks }
    }

    /// Whether every byte is one that may stand there. Without a branch and in blocks of bytes, so that the compiler compares whole
    /// vectors: no intrinsic, any machine.
    #[inline(always)]
    pub(super) fn fits(&self, text: &[u8; N]) -> bool {
        let mut beyond = [0_u8; BLOCK];
        for (nth, (low, span)) in self.blocks.iter().enumerate() {
            let bytes = beyond.iter_mut().zip(block(text, nth * BLOCK)).zip(&low.0).zip(&span.0);
            for (((beyond, text), low), span) in bytes {
                *beyond |= text.wrapping_sub(*low).saturating_sub(*span);
            }
        }
        beyond.iter().fold(0, |all, beyond| all | beyond) == 0
    }
}

/// Whether a text of whole blocks has a backslash.
#[inline(always)]
pub(super) fn has_slash<const N: usize>(text: &[u8; N]) -> bool {
    const { assert!(N.is_multiple_of(BLOCK), "else the compiler compares single bytes") };
    let mut slash = [0_u8; BLOCK];
    let mut at = 0;
    while at < N {
        for (slash, text) in slash.iter_mut().zip(block(text, at)) {
            *slash |= if *text == b'\\' { 0xff } else { 0 };
        }
        at += BLOCK;
    }
    slash.iter().fold(0, |all, slash| all | slash) != 0
}

/// So many bytes from here on; the last block of a text may have some of the one before.
#[inline(always)]
fn block<const N: usize>(text: &[u8; N], at: usize) -> &[u8; BLOCK] {
    text[at.min(N - BLOCK)..].first_chunk().expect("a whole block")
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARTS: &[&[u8]] = &[
        b"{\"id\":\"",
        &[TEXT; 4],
        b"\",\"n\":",
        &[FIRST, DIGIT, DIGIT],
        b",\"x\":\"",
        &[ANY, STAMP],
        b"\",\"more\":1}",
    ];
    const SAMPLE: &[u8; 39] = b"{\"id\":\"ab-7\",\"n\":120,\"x\":\"?Z\",\"more\":1}";

    #[test]
    fn every_byte_is_held_against_what_it_may_be() {
        let (template, pattern) = (Template::<39, 3>::new(PARTS), PARTS.concat());
        assert!(template.fits(SAMPLE));
        for at in 0..SAMPLE.len() {
            for byte in 0..=u8::MAX {
                let mut text = *SAMPLE;
                text[at] = byte;
                let fits = match pattern[at] {
                    DIGIT => byte.is_ascii_digit(),
                    FIRST => matches!(byte, b'1'..=b'9'),
                    STAMP => matches!(byte, b'#'..=b'['),
                    TEXT => matches!(byte, b'#'..=0x7f),
                    ANY => true,
                    same => byte == same,
                };
                assert_eq!(template.fits(&text), fits, "{byte:#x} at {at}");
            }
        }
    }

    #[test]
    fn a_backslash_is_found_wherever_it_stands() {
        for at in 0..48 {
            for byte in 0..=u8::MAX {
                let mut text = [b'a'; 48];
                text[at] = byte;
                assert_eq!(has_slash(&text), byte == b'\\', "{byte:#x} at {at}");
            }
        }
    }
}
