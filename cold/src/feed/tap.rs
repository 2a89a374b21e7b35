//! Raw frames on their way to capture and to the book-hash audit, beside the path and never in its way.

use rtrb::{Consumer, Producer};
use surefoot_hot::event::Link;
use surefoot_hot::ids::Venue;
use surefoot_hot::links::LinkNumber;
use surefoot_hot::units::Nanos;

/// Bytes before each frame: length 4, receive time 8, venue 1, link 1, its number 1, connection 4, frames lost 8;
/// little-endian.
const HEAD_BYTES: usize = 27;

/// The writing end. A frame that does not fit whole is lost, and the next that fits says how many were.
#[derive(Debug)]
pub struct Tap {
    ring: Producer<u8>,
    lost: u64,
}

impl Tap {
    /// Over the ring.
    pub fn new(ring: Producer<u8>) -> Self {
        Self { ring, lost: 0 }
    }

    /// Copies one frame; `conn` counts the connections that its link has had. Whether there was room for it.
    pub fn frame(
        &mut self,
        recv: Nanos,
        venue: Venue,
        link: Link,
        number: LinkNumber,
        conn: u32,
        bytes: &[u8],
    ) -> bool {
        let len = u32::try_from(bytes.len()).ok();
        let (Some(len), true) = (len, self.ring.slots() >= HEAD_BYTES + bytes.len()) else {
            self.lost += 1;
            return false;
        };
        let mut head = [0; HEAD_BYTES];
        head[..4].copy_from_slice(&len.to_le_bytes());
        head[4..12].copy_from_slice(&recv.get().to_le_bytes());
        head[12..15].copy_from_slice(&[venue as u8, link as u8, number.get()]);
        head[15..19].copy_from_slice(&conn.to_le_bytes());
        head[19..].copy_from_slice(&self.lost.to_le_bytes());
        for part in [&head[..], bytes] {
            self.ring.push_entire_slice(part).expect("room was just seen, and only we fill it");
        }
        true
    }
}

/// What a tapped frame came with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tapped {
    /// When it was received, on our clock.
    pub recv: Nanos,
    /// From which venue.
    pub venue: Venue,
    /// Over which link.
    pub link: Link,
    /// Over which of the venue's market links; 0 for a private one.
    pub number: LinkNumber,
    /// Over which of its connections, counted from 1: where it rises, frames may be missing before this one.
    pub conn: u32,
    /// How many frames of any link have been lost before this one: where it rises, some are missing.
    pub lost: u64,
}

/// The reading end.
#[derive(Debug)]
pub struct TapReader {
    ring: Consumer<u8>,
    head: Option<[u8; HEAD_BYTES]>,
}

impl TapReader {
    /// Over the ring.
    pub fn new(ring: Consumer<u8>) -> Self {
        Self { ring, head: None }
    }

    /// The next frame, into `bytes`; `None` while there is none whole.
    pub fn poll_frame(&mut self, bytes: &mut Vec<u8>) -> Option<Tapped> {
        let head = match self.head {
            Some(head) => head,
            None => {
                let mut head = [0; HEAD_BYTES];
                self.ring.pop_entire_slice(&mut head).ok()?;
                *self.head.insert(head)
            }
        };
        let len = u32::from_le_bytes(head[..4].try_into().expect("four bytes"));
        bytes.clear();
        bytes.resize(usize::try_from(len).expect("a frame fits in memory"), 0);
        self.ring.pop_entire_slice(bytes).ok()?;
        self.head = None;
        Some(Tapped {
            recv: Nanos::new(u64::from_le_bytes(head[4..12].try_into().expect("eight bytes"))),
            venue: Venue::ALL[usize::from(head[12])],
            link: [Link::Market, Link::Private, Link::Orders][usize::from(head[13])],
            number: LinkNumber::new(head[14].into()).expect("the writer had one"),
            conn: u32::from_le_bytes(head[15..19].try_into().expect("four bytes")),
            lost: u64::from_le_bytes(head[19..].try_into().expect("eight bytes")),
        })
    }
}

#[cfg(test)]
mod tests {
    use rtrb::RingBuffer;

    use super::*;

    #[test]
    fn frames_come_out_as_they_went_in_and_what_does_not_fit_is_counted() {
        let (ring, reader) = RingBuffer::new(77);
        const LINK: LinkNumber = LinkNumber::new(9).unwrap();
        let (mut tap, mut reader) = (Tap::new(ring), TapReader::new(reader));
        let mut bytes = Vec::new();
        for round in 0..20_u8 {
            let frame = vec![round; usize::from(round)];
            let (recv, first) = (Nanos::new(u64::from(round)), LinkNumber::FIRST);
            assert!(tap.frame(recv, Venue::Kalshi, Link::Market, LINK, 3, &frame));
            assert!(!tap.frame(Nanos::ZERO, Venue::Kalshi, Link::Private, first, 1, &[0; 51]));
            let tapped = reader.poll_frame(&mut bytes).unwrap();
            let venue = Venue::Kalshi;
            let lost = u64::from(round); // one in each round before
            let link = Link::Market;
            assert_eq!(tapped, Tapped { recv, venue, link, number: LINK, conn: 3, lost });
            assert_eq!(bytes, frame);
            assert_eq!(reader.poll_frame(&mut bytes), None);
        }
    }
}
