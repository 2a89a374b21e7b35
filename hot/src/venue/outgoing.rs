//! Frames waiting to be written.

/// A queue of text frames in one buffer: filled by `on_*`, drained by `poll_send`.
#[derive(Debug, Default)]
pub(super) struct Outgoing {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    next: usize,
}

impl Outgoing {
    pub(super) fn with_capacity(bytes: usize) -> Self {
        Self { bytes: Vec::with_capacity(bytes), ends: Vec::with_capacity(64), next: 0 }
    }

    /// Forgets everything, and leaves nothing readable behind: a login holds credentials.
    pub(super) fn clear(&mut self) {
        self.bytes.fill(0);
        std::hint::black_box(&self.bytes);
        self.bytes.clear();
        self.ends.clear();
        self.next = 0;
    }

    /// Where every frame was taken and none is being made, all that was written is forgotten.
    fn forget_taken(&mut self) {
        if self.next > 0
            && self.next == self.ends.len()
            && self.ends.last() == Some(&self.bytes.len())
        {
            self.clear();
        }
    }

    /// Appends to the frame being made.
    pub(super) fn put(&mut self, bytes: &[u8]) {
        self.forget_taken();
        self.bytes.extend_from_slice(bytes);
    }

    /// Appends a number in decimal.
    pub(super) fn put_number(&mut self, number: u64) {
        let mut digits = [0_u8; 20];
        let mut at = digits.len();
        let mut left = number;
        loop {
            at -= 1;
            digits[at] = b'0' + u8::try_from(left % 10).expect("a digit");
            left /= 10;
            if left == 0 {
                break;
            }
        }
        self.put(&digits[at..]);
    }

    /// The frame being made is whole.
    pub(super) fn finish(&mut self) {
        self.ends.push(self.bytes.len());
    }

    /// One whole frame.
    pub(super) fn frame(&mut self, bytes: &[u8]) {
        self.put(bytes);
        self.finish();
    }

    /// The next frame to write. Where there is none left, those that were taken are forgotten.
    pub(super) fn poll(&mut self) -> Option<&[u8]> {
        self.forget_taken();
        let end = *self.ends.get(self.next)?;
        let start = if self.next == 0 { 0 } else { self.ends[self.next - 1] };
        self.next += 1;
        Some(&self.bytes[start..end])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_come_out_as_they_went_in() {
        let mut out = Outgoing::with_capacity(16);
        out.frame(b"one");
        out.put(b"tw");
        out.put_number(0);
        out.put_number(18_446_744_073_709_551_615);
        out.finish();
        assert_eq!(out.poll(), Some(&b"one"[..]));
        out.frame(b"three");
        assert_eq!(out.poll(), Some(&b"tw018446744073709551615"[..]));
        assert_eq!(out.poll(), Some(&b"three"[..]));
        assert_eq!(out.poll(), None);
        assert!(out.bytes.is_empty() && out.ends.is_empty(), "nothing is kept that was taken");
        out.frame(b"four");
        out.put(b"half");
        assert_eq!(out.poll(), Some(&b"four"[..]));
        assert_eq!(out.poll(), None);
        out.put(b" and half");
        out.finish();
        assert_eq!(out.poll(), Some(&b"half and half"[..]), "a frame that is being made is kept");
        assert_eq!(out.poll(), None);
    }
}
