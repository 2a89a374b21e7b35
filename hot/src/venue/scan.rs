//! A forward reader of the JSON that the venues really send: one pass, nothing copied, nothing allocated.
//!
//! It is strict (what it accepts is JSON) and modest: where a frame leaves the plain dialect (an escape in a
//! name or a value we need, an exponent, a name given twice, deep nesting, a byte beyond ASCII) it says
//! [`Odd`], and `plain.rs` rewrites the frame with the library's help.

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
#[derive(Clone, Copy, Debug)]
pub struct Scan<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Scan<'a> {
    /// At the start of `bytes`.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// Here is something odd.
    #[cold]
    pub fn odd(&self) -> Odd {
        Odd { at: u32::try_from(self.at).unwrap_or(u32::MAX) }
    }

    /// The next byte that is not space, without taking it; zero at the end.
    #[inline]
    pub fn peek(&mut self) -> u8 {
        loop {
            match self.bytes.get(self.at) {
                Some(b' ' | b'\n' | b'\r' | b'\t') => self.at += 1,
                Some(&byte) => return byte,
                None => return 0,
            }
        }
    }

    /// Takes `byte`, spaces before it included.
    ///
    /// # Errors
    /// Something else is there.
    #[inline]
    pub fn expect(&mut self, byte: u8) -> Result<(), Odd> {
        if self.bytes.get(self.at) == Some(&byte) || self.peek() == byte {
            self.at += 1;
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
        if self.at == self.bytes.len() { Ok(()) } else { Err(self.odd()) }
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
            self.at += 1;
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
            self.at += 1;
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
        let start = self.at;
        self.seek_special();
        if self.bytes.get(self.at) == Some(&b'"') {
            self.at += 1;
            Ok(&self.bytes[start..self.at - 1])
        } else {
            Err(self.odd())
        }
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
                let start = self.at;
                self.number()?;
                if matches!(self.bytes.get(self.at), Some(b'e' | b'E')) {
                    return Err(self.odd());
                }
                Ok(&self.bytes[start..self.at])
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

    /// The text of a member whose name is expected here: `name` holds its quotes, the colon and the value's
    /// first quote. `None` where something else stands there, with nothing said of where the reader is then:
    /// the caller goes back and reads in general.
    #[inline]
    pub fn expected(&mut self, name: &'static [u8]) -> Option<&'a [u8]> {
        if !self.bytes.get(self.at..)?.starts_with(name) {
            return None;
        }
        self.at += name.len();
        let start = self.at;
        self.seek_special();
        if self.bytes.get(self.at) != Some(&b'"') {
            return None;
        }
        self.at += 1;
        Some(&self.bytes[start..self.at - 1])
    }

    /// A comma with at most one space after it, before an expected member.
    #[inline]
    pub fn comma(&mut self) -> Option<()> {
        if self.bytes.get(self.at) != Some(&b',') {
            return None;
        }
        self.at += if self.bytes.get(self.at + 1) == Some(&b' ') { 2 } else { 1 };
        Some(())
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
            self.seek_special();
            match self.bytes.get(self.at) {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(());
                }
                Some(b'\\') => match self.bytes.get(self.at + 1) {
                    Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 2,
                    _ => return Err(self.odd()), // \u may be half a pair: the library knows
                },
                _ => return Err(self.odd()),
            }
        }
    }

    /// Another member after a comma, or the end at `close`.
    #[inline]
    fn more(&mut self, close: u8) -> Result<bool, Odd> {
        let byte = self.peek();
        if byte == b',' {
            self.at += 1;
            Ok(true)
        } else if byte == close {
            self.at += 1;
            Ok(false)
        } else {
            Err(self.odd())
        }
    }

    #[inline]
    fn word(&mut self, word: &'static [u8]) -> Result<&'a [u8], Odd> {
        let end = self.at + word.len();
        if self.bytes.get(self.at..end) == Some(word) {
            let found = &self.bytes[self.at..end];
            self.at = end;
            Ok(found)
        } else {
            Err(self.odd())
        }
    }

    /// `-?(0|[1-9][0-9]*)(\.[0-9]+)?`, and stops there.
    #[inline]
    fn number(&mut self) -> Result<(), Odd> {
        if self.bytes.get(self.at) == Some(&b'-') {
            self.at += 1;
        }
        let first = self.at;
        let whole = self.digits();
        if whole == 0 || whole > DIGITS_MAX || (whole > 1 && self.bytes[first] == b'0') {
            return Err(self.odd());
        }
        if self.bytes.get(self.at) == Some(&b'.') {
            self.at += 1;
            if self.digits() == 0 {
                return Err(self.odd());
            }
        }
        Ok(())
    }

    fn skip_number(&mut self) -> Result<(), Odd> {
        self.number()?;
        if matches!(self.bytes.get(self.at), Some(b'e' | b'E')) {
            return Err(self.odd()); // may be beyond what the library takes
        }
        Ok(())
    }

    #[inline]
    fn digits(&mut self) -> usize {
        let start = self.at;
        while self.bytes.get(self.at).is_some_and(u8::is_ascii_digit) {
            self.at += 1;
        }
        self.at - start
    }

    /// Moves to the next quote, backslash, control character or byte beyond ASCII, or to the end: eight bytes
    /// at a step.
    #[inline]
    fn seek_special(&mut self) {
        let mut rest = &self.bytes[self.at..];
        while let Some((chunk, after)) = rest.split_first_chunk::<8>() {
            let word = u64::from_le_bytes(*chunk);
            let quote = word ^ (ONES * b'"' as u64);
            let slash = word ^ (ONES * b'\\' as u64);
            // the lowest marked byte is exact: borrows only run upwards
            let marks = (quote.wrapping_sub(ONES) & !quote)
                | (slash.wrapping_sub(ONES) & !slash)
                | (word.wrapping_sub(ONES * 0x20) & !word);
            let marks = (marks | word) & HIGHS;
            if marks != 0 {
                self.at += (marks.trailing_zeros() / 8) as usize;
                return;
            }
            self.at += 8;
            rest = after;
        }
        while let Some(&byte) = self.bytes.get(self.at) {
            if byte == b'"' || byte == b'\\' || !(0x20..0x80).contains(&byte) {
                return;
            }
            self.at += 1;
        }
    }
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
        for pad in 0..40 {
            for special in ["\"", "\\", "\u{1}", "\u{1f}", "\u{e9}"] {
                let text = format!("\"{}{special}", "x~!#[] ".repeat(pad));
                let mut scan = Scan::new(text.as_bytes());
                scan.at = 1;
                scan.seek_special();
                assert_eq!(scan.at, text.len() - special.len(), "{text}");
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
