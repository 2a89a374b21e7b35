//! A forward reader of the JSON that the venues really send: one pass, nothing copied, nothing allocated.
//!
//! It is strict (what it accepts is JSON) and modest: where a frame leaves the plain dialect (an escape in a
//! name or a value we need, an exponent, a name given twice, deep nesting, a byte beyond ASCII) it says
//! [`Odd`], and `plain.rs` rewrites the frame with the library's help.
//!
//! Frames of the shape a venue always sends are taken member by member ([`Scan::expected`]), which is half the work;
//! where one differs by a byte, the caller goes back to where it began and reads it in general.

use super::decimal;
use crate::units::{Price, Qty};

/// The reader met something it will not vouch for: bad JSON, or good JSON outside the plain dialect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Odd {
    /// At which byte.
    pub at: u32,
}

/// Nesting deeper than this is left to the library.
const DEPTH_MAX: u32 = 32;

/// Longer numbers are left to the library, which may find them out of range.
const DIGITS_MAX: usize = 40;

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// A position in a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scan<'a> {
    /// What has not been taken yet.
    rest: &'a [u8],
    /// Bytes of the whole frame.
    whole: usize,
}

impl<'a> Scan<'a> {
    /// At the start of `bytes`.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, whole: bytes.len() }
    }

    /// Here is something odd.
    #[cold]
    pub fn odd(&self) -> Odd {
        Odd { at: u32::try_from(self.whole - self.rest.len()).unwrap_or(u32::MAX) }
    }

    /// The next byte that is not space, without taking it; zero at the end.
    #[inline]
    pub fn peek(&mut self) -> u8 {
        loop {
            match self.rest {
                [b' ' | b'\n' | b'\r' | b'\t', after @ ..] => self.rest = after,
                &[byte, ..] => return byte,
                [] => return 0,
            }
        }
    }

    /// Takes `byte`, spaces before it included.
    ///
    /// # Errors
    /// Something else is there.
    #[inline]
    pub fn expect(&mut self, byte: u8) -> Result<(), Odd> {
        if self.rest.first() == Some(&byte) || self.peek() == byte {
            self.rest = &self.rest[1..];
            Ok(())
        } else {
            Err(self.odd())
        }
    }

    /// Nothing but space may be left.
    ///
    /// # Errors
    /// There is more.
    pub fn end(&mut self) -> Result<(), Odd> {
        self.peek();
        if self.rest.is_empty() { Ok(()) } else { Err(self.odd()) }
    }

    /// An object: `member` is called after each name and must take the value.
    ///
    /// # Errors
    /// Bad JSON, an escape in a name, or what `member` says.
    #[inline]
    pub fn object(
        &mut self,
        mut member: impl FnMut(&mut Self, &'a [u8]) -> Result<(), Odd>,
    ) -> Result<(), Odd> {
        self.expect(b'{')?;
        if self.peek() == b'}' {
            self.rest = &self.rest[1..];
            return Ok(());
        }
        loop {
            let name = self.string()?;
            self.expect(b':')?;
            member(self, name)?;
            if !self.more(b'}')? {
                return Ok(());
            }
        }
    }

    /// An array: `item` is called before each element and must take it.
    ///
    /// # Errors
    /// Bad JSON, or what `item` says.
    #[inline]
    pub fn array(&mut self, mut item: impl FnMut(&mut Self) -> Result<(), Odd>) -> Result<(), Odd> {
        self.expect(b'[')?;
        if self.peek() == b']' {
            self.rest = &self.rest[1..];
            return Ok(());
        }
        loop {
            item(self)?;
            if !self.more(b']')? {
                return Ok(());
            }
        }
    }

    /// A string's bytes between its quotes.
    ///
    /// # Errors
    /// No string, an unfinished one, a control character or an escape in it.
    #[inline]
    pub fn string(&mut self) -> Result<&'a [u8], Odd> {
        self.expect(b'"')?;
        self.rest_of_string().ok_or_else(|| self.odd())
    }

    /// A string's bytes, or a number, `true` or `false` as written; empty for `null`.
    ///
    /// # Errors
    /// An array, an object, a number with an exponent, an escape, bad JSON.
    #[inline]
    pub fn text(&mut self) -> Result<&'a [u8], Odd> {
        match self.peek() {
            b'"' => self.string(),
            b't' => self.word(b"true"),
            b'f' => self.word(b"false"),
            b'n' => self.word(b"null").map(|_| &b""[..]),
            _ => {
                let start = self.rest;
                self.skip_number()?;
                Ok(&start[..start.len() - self.rest.len()])
            }
        }
    }

    /// Like [`Scan::text`] into a slot that must be empty.
    ///
    /// # Errors
    /// As there, and when the slot holds something: a name given twice.
    #[inline]
    pub fn text_into(&mut self, slot: &mut &'a [u8]) -> Result<(), Odd> {
        if !slot.is_empty() {
            return Err(self.odd());
        }
        *slot = self.text()?;
        Ok(())
    }

    /// Takes a text that is expected here, to the byte. `None` where something else stands there; that is no
    /// error yet: the caller goes back and reads in general.
    #[inline(always)] // the comparison is then a few words against constants, not a call
    pub fn literal<const N: usize>(&mut self, text: &'static [u8; N]) -> Option<()> {
        let (head, after) = self.rest.split_first_chunk()?;
        if head != text {
            return None;
        }
        self.rest = after;
        Some(())
    }

    /// The text of a member whose name is expected here: `name` holds its quotes, the colon and the value's
    /// first quote. `None` as for [`Scan::literal`], with nothing said of where the reader is then.
    #[inline(always)]
    pub fn expected<const N: usize>(&mut self, name: &'static [u8; N]) -> Option<&'a [u8]> {
        self.literal(name)?;
        self.rest_of_string()
    }

    /// A text of exactly `N` bytes and its closing quote, as ids, digests and times are written. `None` where it is longer, shorter or
    /// not plain; the reader is then where it was.
    #[inline(always)] // of a known length it is a few comparisons of vectors, without a search for the quote
    pub fn text_of<const N: usize>(&mut self) -> Option<&'a [u8; N]> {
        let (text, after) = self.rest.split_first_chunk::<N>()?;
        let after = after.strip_prefix(b"\"")?;
        if !is_plain(text) {
            return None;
        }
        self.rest = after;
        Some(text)
    }

    /// A text that most often has `N` bytes; else as [`Scan::rest_of_string`].
    #[inline(always)]
    pub fn text_about<const N: usize>(&mut self) -> Option<&'a [u8]> {
        match self.text_of::<N>() {
            Some(text) => Some(text),
            None => self.rest_of_string(),
        }
    }

    /// Takes this very text and its closing quote. Returns whether it stood there; if not, the reader is where it was.
    #[inline]
    pub fn known_text(&mut self, text: &[u8]) -> bool {
        let after = self.rest.strip_prefix(text).and_then(|after| after.strip_prefix(b"\""));
        if let Some(after) = after {
            self.rest = after;
        }
        after.is_some()
    }

    /// A price as nearly all are written, and its closing quote: see [`decimal::quoted_price`]. `None` for any other.
    #[inline(always)]
    pub fn price(&mut self) -> Option<Price> {
        let (price, length) = decimal::quoted_price(*self.rest.first_chunk()?)?;
        self.rest = self.rest.get(length..)?;
        Some(price)
    }

    /// A number of contracts as nearly all are written, and its closing quote: see [`decimal::quoted_qty`]. `None` for any other.
    #[inline(always)]
    pub fn qty(&mut self) -> Option<Qty> {
        let (qty, length) = decimal::quoted_qty(*self.rest.first_chunk()?)?;
        self.rest = self.rest.get(length..)?;
        Some(qty)
    }

    /// A whole number as the venues write times and counters; `None` for any other, and where it may not fit.
    #[inline]
    pub fn whole(&mut self) -> Option<u64> {
        if let [b'0', b'0'..=b'9', ..] = self.rest {
            return None; // no JSON
        }
        let (value, after) = decimal::leading(self.rest)?;
        self.rest = after;
        Some(value)
    }

    /// Passes over any value.
    ///
    /// # Errors
    /// Bad JSON, or nesting beyond what is plain.
    #[inline]
    pub fn skip(&mut self) -> Result<(), Odd> {
        self.skip_at(0)
    }

    fn skip_at(&mut self, depth: u32) -> Result<(), Odd> {
        if depth > DEPTH_MAX {
            return Err(self.odd());
        }
        match self.peek() {
            b'"' => self.skip_string(),
            b'{' => self.object(|scan, _| scan.skip_at(depth + 1)),
            b'[' => self.array(|scan| scan.skip_at(depth + 1)),
            b't' => self.word(b"true").map(|_| ()),
            b'f' => self.word(b"false").map(|_| ()),
            b'n' => self.word(b"null").map(|_| ()),
            _ => self.skip_number(),
        }
    }

    /// Passes over a string, simple escapes included.
    fn skip_string(&mut self) -> Result<(), Odd> {
        self.expect(b'"')?;
        loop {
            if self.rest_of_string().is_some() {
                return Ok(());
            }
            self.rest = match self.rest {
                [b'\\', b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', after @ ..] => {
                    after
                }
                _ => return Err(self.odd()), // \u may be half a pair: the library knows
            };
        }
    }

    /// Another member after a comma, or the end at `close`.
    #[inline]
    fn more(&mut self, close: u8) -> Result<bool, Odd> {
        let byte = self.peek();
        if byte != b',' && byte != close {
            return Err(self.odd());
        }
        self.rest = &self.rest[1..];
        Ok(byte == b',')
    }

    #[inline]
    fn word(&mut self, word: &'static [u8]) -> Result<&'a [u8], Odd> {
        match self.rest.strip_prefix(word) {
            Some(after) => {
                self.rest = after;
                Ok(word)
            }
            None => Err(self.odd()),
        }
    }

    /// `-?(0|[1-9][0-9]*)(\.[0-9]+)?`, and stops there.
    #[inline]
    fn number(&mut self) -> Result<(), Odd> {
        if let [b'-', after @ ..] = self.rest {
            self.rest = after;
        }
        let first = self.rest.first();
        let whole = self.digits();
        if whole == 0 || whole > DIGITS_MAX || (whole > 1 && first == Some(&b'0')) {
            return Err(self.odd());
        }
        if let [b'.', after @ ..] = self.rest {
            self.rest = after;
            if self.digits() == 0 {
                return Err(self.odd());
            }
        }
        Ok(())
    }

    #[inline]
    fn skip_number(&mut self) -> Result<(), Odd> {
        self.number()?;
        if matches!(self.rest.first(), Some(b'e' | b'E')) {
            return Err(self.odd()); // may be beyond what the library takes
        }
        Ok(())
    }

    /// Takes digits and says how many there were.
    #[inline]
    fn digits(&mut self) -> usize {
        let count = self.rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.rest = &self.rest[count..];
        count
    }

    /// A string's bytes up to its closing quote, which is taken too. `None` at what a plain string does not hold.
    #[inline(always)]
    pub fn rest_of_string(&mut self) -> Option<&'a [u8]> {
        let (text, after) = self.rest.split_at_checked(plain_length(self.rest))?;
        self.rest = after;
        self.rest = after.strip_prefix(b"\"")?;
        Some(text)
    }
}

/// How many bytes there are before the first quote, backslash, control character or byte beyond ASCII. Most texts
/// end within a word.
#[inline(always)]
fn plain_length(bytes: &[u8]) -> usize {
    match bytes.first_chunk().and_then(|word| first_special(*word)) {
        Some(at) => at,
        None => long_plain_length(bytes),
    }
}

/// As [`plain_length`] for the other texts: token ids, hashes, and what is near the end of its frame.
#[inline(never)]
fn long_plain_length(bytes: &[u8]) -> usize {
    let mut rest = bytes;
    while let Some((block, after)) = rest.split_first_chunk::<16>()
        && is_plain(block)
    {
        rest = after;
    }
    while let Some((word, after)) = rest.split_first_chunk() {
        if let Some(at) = first_special(*word) {
            return bytes.len() - rest.len() + at;
        }
        rest = after;
    }
    bytes.len() - rest.len() + rest.iter().take_while(|&&byte| !is_special(byte)).count()
}

const fn is_special(byte: u8) -> bool {
    byte == b'"' || byte == b'\\' || byte < 0x20 || byte >= 0x80
}

/// Without a branch and in blocks of bytes throughout, so that the compiler compares whole vectors: no intrinsic, any machine.
#[inline(always)]
pub(super) fn is_plain<const N: usize>(text: &[u8; N]) -> bool {
    let mut special = [0; 16];
    let mut short = [b'0'; 16];
    let (blocks, rest) = text.as_chunks::<16>();
    let last = match text.last_chunk() {
        None => {
            short[..N].copy_from_slice(text);
            Some(&short)
        }
        Some(last) => Some(last).filter(|_| !rest.is_empty()), // some bytes of it were in the block before
    };
    for block in blocks.iter().chain(last) {
        for (special, &byte) in special.iter_mut().zip(block) {
            let low = byte.cast_signed() < 0x20; // or beyond ASCII
            *special |= u8::from(low | (byte == b'"') | (byte == b'\\'));
        }
    }
    special.iter().fold(0, |all, special| all | special) == 0
}

/// Where a word's first special byte is.
#[inline(always)]
fn first_special(word: [u8; 8]) -> Option<usize> {
    let word = u64::from_le_bytes(word);
    let quote = word ^ (ONES * b'"' as u64);
    let slash = word ^ (ONES * b'\\' as u64);
    // the lowest marked byte is exact: borrows only run upwards
    let marks = (quote.wrapping_sub(ONES) & !quote)
        | (slash.wrapping_sub(ONES) & !slash)
        | (word.wrapping_sub(ONES * 0x20) & !word);
    let marks = (marks | word) & HIGHS;
    (marks != 0).then(|| (marks.trailing_zeros() / 8) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn skips(text: &str) -> bool {
        let mut scan = Scan::new(text.as_bytes());
        scan.skip().is_ok() && scan.end().is_ok()
    }

    #[test]
    fn takes_json_and_nothing_else() {
        for text in [
            "{}",
            "[]",
            " [ 1 , -2.50 , \"a\\n\\\"b\" , null,true,false ] \n",
            "{\"a\" : {\"b\":[{}]}}",
            "0",
            "-0.0",
            "\"0123456789abcdef ~ 0123456789\"",
        ] {
            assert!(skips(text), "{text}");
            assert!(serde_json::from_str::<serde_json::Value>(text).is_ok());
        }
        for text in [
            "",
            "{",
            "[1,]",
            "{\"a\"}",
            "{\"a\":}",
            "{a:1}",
            "01",
            "1.",
            ".5",
            "+1",
            "-",
            "nul",
            "truex",
            "[1 2]",
            "\"a",
            "\"a\nb\"",
            "\"a\\x\"",
            "{\"a\":1,}",
            "[]]",
            "\"0123456789\u{1}\"",
            "--1",
        ] {
            assert!(!skips(text), "{text}");
            assert!(serde_json::from_str::<serde_json::Value>(text).is_err(), "{text}");
        }
        assert!(!skips(&"[".repeat(100_000)), "no stack is used up");
    }

    #[test]
    fn finds_the_end_of_a_string_at_every_offset() {
        for pad in 0..70 {
            let filler: Vec<u8> = b"x~!#[]\x7f ".iter().copied().cycle().take(pad).collect();
            for after in [0, 1, 7, 20] {
                for byte in 0..=u8::MAX {
                    let mut text = filler.clone();
                    text.push(byte);
                    text.extend_from_slice(&b"\x01\"\\\xe9\"\x1f tail, and more of it"[..after]);
                    let want = text.iter().position(|&byte| is_special(byte));
                    assert_eq!(plain_length(&text), want.unwrap_or(text.len()), "{text:?}");
                }
            }
        }
    }

    #[test]
    fn what_is_expected_or_nothing() {
        let mut scan = Scan::new(b"{\"a\":\"one\", \"b\":\"two\",\"n\":170,\"z\":07}");
        assert_eq!(scan.expected(b"{\"a\":\""), Some(&b"one"[..]));
        assert_eq!(scan.literal(b", \"c\""), None);
        assert_eq!(scan.expected(b", \"b\":\""), Some(&b"two"[..]), "it was not moved");
        assert_eq!(scan.literal(b",\"n\":"), Some(()));
        assert_eq!(scan.whole(), Some(170));
        assert_eq!(scan.literal(b",\"z\":"), Some(()));
        assert_eq!(scan.whole(), None, "no JSON");
        assert_eq!(Scan::new(b"18446744073709551616,").whole(), None);
        assert_eq!(Scan::new(b"-1,").whole(), None);
        assert_eq!(Scan::new(b",").whole(), None);
        assert_eq!(Scan::new(b"\"a\":\"x\\n\"").expected(b"\"a\":\""), None);
        assert_eq!(Scan::new(b"\"a\":\"x").expected(b"\"a\":\""), None);
        assert_eq!(Scan::new(b"\"a\"").expected(b"\"a\":\""), None);
    }

    #[test]
    fn a_text_of_known_length_is_what_the_search_finds() {
        let text = b"0123456789abcdef0123456789abcdef01234567";
        for length in [38, 39, 40] {
            for at in 0..length + 2 {
                for byte in 0..=u8::MAX {
                    let mut frame = [&text[..length], b"\", \"b\""].concat();
                    frame[at] = byte;
                    let (mut known, mut about) = (Scan::new(&frame), Scan::new(&frame));
                    let mut searched = about;
                    let want = searched.rest_of_string();
                    match known.text_of::<40>() {
                        Some(text) => assert_eq!((want, known), (Some(&text[..]), searched)),
                        None => assert!(want.is_none_or(|text| text.len() != 40), "{want:?}"),
                    }
                    assert_eq!(about.text_about::<40>(), want);
                    assert!(want.is_none() || about == searched);
                    let mut same = Scan::new(&frame);
                    let is_same = want == Some(&text[..length]);
                    assert_eq!(same.known_text(&text[..length]), is_same, "{at} {byte}");
                    assert_eq!(same, if is_same { searched } else { Scan::new(&frame) });
                }
            }
        }
    }

    #[test]
    fn texts_as_written() {
        let text = |json: &'static str| Scan::new(json.as_bytes()).text();
        assert_eq!(text("\"0.5\""), Ok(&b"0.5"[..]));
        assert_eq!(text(" 0.50,"), Ok(&b"0.50"[..]));
        assert_eq!(text("null"), Ok(&b""[..]));
        assert_eq!(text("true"), Ok(&b"true"[..]));
        for json in ["1e3", "[]", "{}", "\"a\\u0030\"", "\"a"] {
            assert!(text(json).is_err(), "{json}");
        }
        let mut slot = &b"x"[..];
        assert!(Scan::new(b"1").text_into(&mut slot).is_err(), "a name given twice");
    }
}
