//! How the next change of a subscription begins.

use super::super::window::same;

/// Before the subscription's number.
const BEGIN: &[u8] = b"{\"type\":\"orderbook_delta\",\"sid\":";
/// Between the two numbers.
const MIDDLE: &[u8] = b",\"seq\":";
/// Behind the sequence number.
const END: &[u8] = b",\"sending_ts_ms\":";
/// So much of a text is compared from its beginning, and so much before its end.
const HEAD: usize = 48;
const TAIL: usize = 32;
/// The longest text that the two cover.
const TEXT_MAX: usize = HEAD + TAIL;
/// Digits of the shortest and the longest two numbers.
const DIGITS_MIN: usize = 2;
const DIGITS_MAX: usize = TEXT_MAX - BEGIN.len() - MIDDLE.len() - END.len();
const _: () = assert!(DIGITS_MIN + TEXT_MAX - DIGITS_MAX >= HEAD, "the head is there");

/// The text with which the next change in the sequence of one subscription begins. JSON numbers of the venue are written in one way
/// only, so that a frame which begins with this text has the expected numbers; they need not be read.
#[derive(Debug)]
pub(super) struct NextDelta {
    text: [u8; TEXT_MAX],
    /// Of the text; zero where nothing is expected.
    len: usize,
    /// The subscription's place among those of the session.
    place: usize,
}

impl NextDelta {
    /// Nothing is expected: every frame is read in general.
    pub(super) const NONE: Self = Self { text: [0; TEXT_MAX], len: 0, place: 0 };

    /// The change with number `seq` of the subscription `sid`, which has this place among those of the session.
    pub(super) fn of(place: usize, sid: u64, seq: u64) -> Self {
        let digits = |number: u64| 1 + number.checked_ilog10().unwrap_or(0) as usize;
        if digits(sid) + digits(seq) > DIGITS_MAX {
            return Self::NONE;
        }
        let mut next = Self { place, ..Self::NONE };
        next.put(BEGIN);
        next.put_number(sid, digits(sid));
        next.put(MIDDLE);
        next.put_number(seq, digits(seq));
        next.put(END);
        next
    }

    fn put(&mut self, text: &[u8]) {
        self.text[self.len..][..text.len()].copy_from_slice(text);
        self.len += text.len();
    }

    fn put_number(&mut self, number: u64, digits: usize) {
        let mut left = number;
        for digit in self.text[self.len..][..digits].iter_mut().rev() {
            *digit = b'0' + (left % 10) as u8;
            left /= 10;
        }
        self.len += digits;
    }

    /// The subscription's place among those of the session.
    #[inline(always)]
    pub(super) const fn place(&self) -> usize {
        self.place
    }

    /// How long the text is, where a frame begins with it.
    #[inline(always)]
    pub(super) fn begins(&self, frame: &[u8]) -> Option<usize> {
        let tail = self.len.checked_sub(TAIL)?;
        let head = same(frame.first_chunk::<HEAD>()?, self.text.first_chunk()?);
        let (seen, text) = (frame.get(tail..)?, self.text.get(tail..)?);
        let tail = same(seen.first_chunk::<TAIL>()?, text.first_chunk()?);
        (head && tail).then_some(self.len)
    }

    /// The change after this one is expected. `false` where the last digit does not say its number: it is to be made anew.
    #[inline(always)]
    pub(super) fn count_up(&mut self) -> bool {
        let last = self.len.checked_sub(END.len() + 1).and_then(|at| self.text.get_mut(at));
        match last {
            Some(digit @ b'0'..=b'8') => *digit += 1,
            _ => return false,
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(sid: u64, seq: u64) -> Vec<u8> {
        format!("{{\"type\":\"orderbook_delta\",\"sid\":{sid},\"seq\":{seq},\"sending_ts_ms\":")
            .into_bytes()
    }

    #[test]
    fn a_frame_begins_as_expected_or_not_at_all() {
        for (sid, seq) in [(1, 1), (1, 1_000_000_000), (12_345, 0), (7, 99_999_999_999_999_999)] {
            let next = NextDelta::of(3, sid, seq);
            let whole = [text(sid, seq), b"17".to_vec()].concat();
            assert_eq!((next.begins(&whole), next.place()), (Some(whole.len() - 2), 3));
            for at in 0..whole.len() - 2 {
                let mut other = whole.clone();
                other[at] ^= 1;
                assert_eq!(next.begins(&other), None, "{at}");
                assert_eq!(next.begins(&whole[..at]), None, "{at}");
            }
            assert_eq!(next.begins(&text(sid, seq + 1)), None);
        }
        let longest = u64::MAX / 2;
        assert!(NextDelta::of(0, longest, longest).begins(&text(longest, longest)).is_none());
        assert!(NextDelta::NONE.begins(&[0; 200]).is_none(), "nothing is expected");
    }

    #[test]
    fn it_counts_up_as_far_as_the_last_digit_goes() {
        let mut next = NextDelta::of(0, 2, 90);
        for seq in 90..1_200 {
            assert!(next.begins(&text(2, seq)).is_some(), "{seq}");
            if !next.count_up() {
                assert_eq!(seq % 10, 9);
                next = NextDelta::of(0, 2, seq + 1);
            }
        }
        let mut none = NextDelta::NONE;
        assert!(!none.count_up());
    }
}
