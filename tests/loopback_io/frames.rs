//! What a feed link makes of frames that are none: it ends the connection, says that its books are in doubt and dials
//! again. Nothing of them reaches a book.

use std::io::{Read as _, Write as _};

use surefoot_cold::feed::LinkOptions;
use surefoot_hot::event::Event;
use surefoot_hot::ids::MarketId;
use surefoot_hot::units::Nanos;
use surefoot_properties::random::Rng;

use crate::feed::{Rig, book, link, text, ws_server};

/// The book that every connection begins with is whole.
const BOOK: Event = Event::SnapshotEnd { market: MarketId::new(0) };

/// An unmasked frame, as servers send them: its first byte and what it carries.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    match payload.len() {
        len @ ..126 => bytes.push(len as u8),
        len => {
            bytes.push(126);
            bytes.extend_from_slice(&u16::try_from(len).unwrap().to_be_bytes());
        }
    }
    bytes.extend_from_slice(payload);
    bytes
}

/// A frame that states a length and brings none of it.
fn stated(len: u64) -> Vec<u8> {
    [&[0x81, 127][..], &len.to_be_bytes()].concat()
}

/// Frames that no server may send.
fn forbidden() -> Vec<(&'static str, Vec<u8>)> {
    let book = book(0);
    let masked = {
        let mut bytes = vec![0x81, 0x80 | 4, 1, 2, 3, 4];
        bytes.extend(b"PONG".iter().zip([1, 2, 3, 4]).map(|(byte, mask)| byte ^ mask));
        bytes
    };
    vec![
        ("masked", masked),
        ("an opcode that is reserved", frame(0x83, b"{}")),
        ("a control opcode that is reserved", frame(0x8b, b"")),
        ("compressed, which nobody agreed on", frame(0xc1, book.as_bytes())),
        ("longer than there can be", stated(u64::MAX)),
        ("longer than is taken", stated(65 << 20)),
        ("the rest of no message", frame(0x80, book.as_bytes())),
        ("a message within another", [frame(0x01, b"{"), frame(0x81, book.as_bytes())].concat()),
        ("no UTF-8", frame(0x81, b"\xff\xfe")),
        ("no UTF-8 in two parts", [frame(0x01, b"\xe2\x82"), frame(0x80, b"(")].concat()),
        ("a ping of 126 bytes", frame(0x89, &[b'x'; 126])),
        ("a ping in parts", frame(0x09, b"")),
        ("a close code that is none", frame(0x88, &999_u16.to_be_bytes())),
        ("half a close code", frame(0x88, b"\x03")),
        ("a close with a reason that is no UTF-8", frame(0x88, b"\x03\xe9\xff")),
        ("going away", frame(0x88, &1_001_u16.to_be_bytes())),
        ("a policy broken", frame(0x88, &1_008_u16.to_be_bytes())),
    ]
}

impl Rig {
    /// Until the link is down; whatever is told until then is doubt.
    fn goes_down(&mut self, name: &str) {
        loop {
            match self.event() {
                event if event == link(false) => return,
                Event::Link { .. } | Event::Stale { .. } | Event::StaleAll { .. } => {}
                Event::Odd { .. } | Event::Current { .. } | Event::Handed { .. } => {}
                event => panic!("{name}: {event:?}"),
            }
        }
    }
}

#[test]
fn forbidden_frames_end_the_connection_and_reach_no_book() {
    let cases = forbidden();
    let count = cases.len();
    let (trust, addr) = ws_server(move |number, socket| {
        text(socket).unwrap();
        let stream = socket.get_mut();
        stream.write_all(&frame(0x81, book(0).as_bytes())).unwrap();
        let Some((_, bytes)) = cases.get(number) else { return };
        let _ = stream.write_all(bytes).and_then(|()| stream.flush());
        while stream.read(&mut [0; 256]).is_ok_and(|read| read > 0) {} // until the client has gone
    });
    let mut rig = Rig::new(&trust, addr, 1_024, LinkOptions::default());
    for (nth, (name, _)) in forbidden().iter().enumerate() {
        rig.wait_for(&BOOK);
        rig.goes_down(name);
        assert_eq!(rig.feed.stats().next().unwrap().lost, nth as u64 + 1, "{name}");
        rig.now = rig.now.after(Nanos::from_secs(5)); // the pause between dials
    }
    rig.wait_for(&BOOK);
    assert_eq!(rig.feed.stats().next().unwrap().opened, count as u64 + 1);
}

#[test]
fn frames_that_are_odd_and_allowed_cost_nothing() {
    let (trust, addr) = ws_server(|_, socket| {
        text(socket).unwrap();
        let book = book(0);
        let (first, rest) = book.as_bytes().split_at(40);
        let parts = [
            frame(0x82, b"\x00\x01"), // binary: nobody sends it
            frame(0x81, b""),
            frame(0x01, first),
            frame(0x89, b"alive?"), // a ping may come between the parts of a message
            frame(0x00, b""),
            frame(0x80, rest),
        ];
        let stream = socket.get_mut();
        for byte in parts.concat() {
            stream.write_all(&[byte]).and_then(|()| stream.flush()).unwrap();
        }
        while stream.read(&mut [0; 256]).is_ok_and(|read| read > 0) {}
    });
    let mut rig = Rig::new(&trust, addr, 1_024, LinkOptions::default());
    rig.wait_for(&BOOK);
    let stats = rig.feed.stats().next().unwrap();
    assert_eq!((stats.opened, stats.lost, stats.bad[4]), (1, 0, 1), "{stats:?}");
}

#[test]
fn bytes_of_any_kind_on_a_link_reach_no_book() {
    const CASES: usize = 60;
    let (trust, addr) = ws_server(|number, socket| {
        text(socket).unwrap();
        let mut bytes = Rng::new(number as u64).bytes(300);
        if number % 2 == 0 {
            // what looks like the beginning of a message
            bytes.insert(0, 0x81);
        }
        let stream = socket.get_mut();
        stream.write_all(&frame(0x81, book(0).as_bytes())).unwrap();
        let _ = stream.write_all(&bytes).and_then(|()| stream.flush());
    });
    let mut rig = Rig::new(&trust, addr, 1_024, LinkOptions::default());
    for number in 0..CASES {
        rig.wait_for(&BOOK);
        rig.goes_down(&format!("connection {number}"));
        rig.now = rig.now.after(Nanos::from_secs(5));
    }
    assert!(rig.feed.stats().next().unwrap().opened >= CASES as u64);
}
