//! Any bytes into both HTTP decoders, however they are cut: the same messages, within their limits.

use surefoot::twin::http::{self as server, Decoded, Decoder};
use surefoot::twin::ws::{Conversation, Incoming};
use surefoot_cold::exec::http::{self as client, Inbox};

use surefoot_properties::random::Rng;

/// What a client makes of a connection's bytes: the first answer's status and body, or that there is none.
type Answer = Option<(u16, Vec<u8>)>;

/// Where bytes are cut: into `parts` of nearly the same length.
fn cut(bytes: &[u8], parts: usize) -> impl Iterator<Item = &[u8]> {
    bytes.chunks((bytes.len() / parts.max(1)).max(1))
}

fn answer(bytes: &[u8], parts: usize) -> Answer {
    let mut inbox = Inbox::new();
    for part in cut(bytes, parts) {
        inbox.push(part).ok()?;
        if let Some(answer) = inbox.poll(false).ok()? {
            return Some((answer.status, answer.body.to_vec()));
        }
    }
    let answer = inbox.poll(true).ok()??;
    Some((answer.status, answer.body.to_vec()))
}

/// Any bytes from a venue: no panic, the same answer wherever they are cut, and no body that was not sent.
pub fn answer_any(bytes: &[u8]) {
    let whole = answer(bytes, 1);
    for parts in [2, 7, bytes.len().min(300)] {
        assert_eq!(whole, answer(bytes, parts), "cut into {parts}: {}", show(bytes));
    }
    if let Some((status, body)) = whole {
        assert!(lengths_are_sound(bytes), "a length that is none: {}", show(bytes));
        assert!((200..=999).contains(&status), "{status}: {}", show(bytes));
        assert!(body.len() <= client::BODY_BYTES_MAX);
        assert!(body.is_empty() || is_inside(&body, bytes), "made up: {}", show(bytes));
    }
}

/// Whether the first head, where it is all there is to judge by, states its length in digits and but once.
fn lengths_are_sound(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes).to_ascii_lowercase();
    let Some((head, _)) = text.split_once("\r\n\r\n") else { return true };
    if head.starts_with("http/1.1 1") || head.contains("transfer-encoding") {
        return true; // the body belongs to another head, or is told by chunks
    }
    let lines = head.split("\r\n").filter_map(|line| line.strip_prefix("content-length:"));
    let lengths: Vec<&str> = lines.map(str::trim).collect();
    lengths.iter().all(|length| length.bytes().all(|byte| byte.is_ascii_digit()))
        && lengths.windows(2).all(|pair| pair[0] == pair[1])
}

/// A head of odd lines, and a body that may fit it.
pub fn odd_message(rng: &mut Rng) -> Vec<u8> {
    const LINES: &[&str] = &[
        "Content-Length: 2",
        "Content-Length: +2",
        "Content-Length: 02",
        "content-length:2 ",
        "Content-Length: 2, 2",
        "Content-Length: 99999999999999999999",
        "Content-Length:",
        "Transfer-Encoding: chunked",
        "Transfer-Encoding: identity",
        "Transfer-Encoding: xchunked",
        "Retry-After: -1",
        "Connection: close, keep-alive",
        "Expect: 100-continue",
        "X: \u{e9}",
        ": empty",
        " folded: 1",
    ];
    let begins =
        ["HTTP/1.1 200 OK", "HTTP/1.1 000 X", "HTTP/1.1 99 X", "HTTP/1.1 304 X", "HTTP/1.0 200"];
    let asks = [
        "POST /a HTTP/1.1",
        "GET http://h HTTP/1.1",
        "PUT ?a=%f HTTP/1.0",
        "GET /%00?&&=&a=%zz HTTP/1.1",
    ];
    let mut text = if rng.one_in(2) { *rng.pick(&begins) } else { *rng.pick(&asks) }.to_owned();
    for _ in 0..rng.below(4) {
        text.push_str("\r\n");
        text.push_str(rng.pick::<&str>(LINES));
    }
    text.push_str("\r\n\r\n");
    let bodies = [
        "",
        "{}",
        "{}x",
        "2\r\n{}\r\n0\r\n\r\n",
        "2;a=b\r\n{}\r\n0\r\nT: v\r\n\r\n",
        "+2\r\n{}\r\n0\r\n\r\n",
    ];
    text.push_str(rng.pick::<&str>(&bodies));
    text.into_bytes()
}

/// Messages that never come to an end: refused before they have cost much memory.
pub fn endless_is_refused() {
    let forms: [(&str, &str); 4] = [
        ("", "X: y\r\n"),
        (
            "Transfer-Encoding: chunked\r\n\r\n",
            "1;aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\nx\r\n",
        ),
        ("Transfer-Encoding: chunked\r\n\r\n0\r\n", "T: v\r\n"),
        ("Transfer-Encoding: chunked\r\n\r\n", "1;a"),
    ];
    for (head, part) in forms {
        let part = part.repeat(4_096);
        let (mut decoder, mut sent) = (Decoder::default(), 0);
        decoder.push(format!("POST / HTTP/1.1\r\n{head}").as_bytes());
        while matches!(decoder.poll(), Ok(None)) {
            assert!(sent < 16 << 20, "the twin keeps {sent} bytes of {head:?}");
            decoder.push(part.as_bytes());
            sent += part.len();
        }
        let (mut inbox, mut sent) = (Inbox::new(), 0);
        inbox.push(format!("HTTP/1.1 200 OK\r\n{head}").as_bytes()).expect("short");
        while matches!(inbox.poll(false), Ok(None)) {
            assert!(sent < 32 << 20, "the executor keeps {sent} bytes of {head:?}");
            if inbox.push(part.as_bytes()).is_err() {
                break;
            }
            sent += part.len();
        }
    }
}

/// Whether every byte of a body was sent, in that order.
fn is_inside(body: &[u8], sent: &[u8]) -> bool {
    let mut sent = sent.iter();
    body.iter().all(|byte| sent.any(|other| other == byte))
}

/// The requests in some bytes, and the status of the refusal that ended them.
fn requests(bytes: &[u8], parts: usize) -> (Vec<Decoded>, Option<u16>) {
    let (mut decoder, mut seen) = (Decoder::default(), Vec::new());
    for part in cut(bytes, parts) {
        decoder.push(part);
        loop {
            match decoder.poll() {
                Ok(Some(Decoded::Continue)) => {} // depends on whether the body is there already
                Ok(Some(request)) => seen.push(request),
                Ok(None) => break,
                Err(bad) => return (seen, Some(bad.status)),
            }
        }
    }
    let rest = decoder.take_rest().len();
    let most = server::HEAD_BYTES_MAX + 2 * server::BODY_BYTES_MAX + bytes.len() / parts.max(1);
    assert!(rest <= most, "{rest} bytes are kept for one request");
    (seen, None)
}

/// Any bytes from a client: no panic, the same requests wherever they are cut, within the limits.
pub fn request_any(bytes: &[u8]) {
    let whole = requests(bytes, 1);
    for parts in [2, 7, bytes.len().min(300)] {
        assert_eq!(whole, requests(bytes, parts), "cut into {parts}: {}", show(bytes));
    }
    assert!(
        whole.0.is_empty() || lengths_are_sound(bytes),
        "a length that is none: {}",
        show(bytes)
    );
    for decoded in &whole.0 {
        let Decoded::Request(request, _) = decoded else { continue };
        assert!(request.body.len() <= server::BODY_BYTES_MAX);
        assert!(request.body.is_empty() || is_inside(&request.body, bytes), "{}", show(bytes));
    }
}

fn show(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&bytes[..bytes.len().min(2_000)]).into_owned()
}

/// Answers and requests that are good, for mutating.
pub const GOOD: &[&[u8]] = &[
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 13\r\n\r\n{\"a\":\"12345\"}",
    b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n",
    b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 429 Too Many\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n",
    b"HTTP/1.0 200 OK\r\n\r\nuntil the end",
    b"GET /a/b?x=1%202&y=a+b HTTP/1.1\r\nHost: h\r\n\r\nDELETE /c HTTP/1.1\r\nContent-Length: 2\r\n\r\nab",
    b"POST /o HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nxyz\r\n1;e=1\r\n!\r\n0\r\nT: v\r\n\r\nGET / HTTP/1.1\r\n\r\n",
    b"POST /p HTTP/1.1\r\nContent-Length: 2\r\nExpect: 100-continue\r\nConnection: close\r\n\r\nok",
];

/// A client's frame of any kind, masked as they must be.
pub fn frame(rng: &mut Rng) -> Vec<u8> {
    let payload = rng.bytes(40);
    let mask = rng.next().to_le_bytes();
    let mut bytes =
        vec![*rng.pick(&[0x81, 0x82, 0x88, 0x89, 0x8a, 0x01, 0x80]), 0x80 | payload.len() as u8];
    bytes.extend_from_slice(&mask[..4]);
    bytes.extend(payload.iter().zip(mask[..4].iter().cycle()).map(|(byte, mask)| byte ^ mask));
    bytes
}

/// Any bytes on a WebSocket of the twin's: messages or the end, and then nothing more.
pub fn websocket_any(bytes: &[u8]) {
    let mut conversation = Conversation::new(Vec::new());
    for part in cut(bytes, 3) {
        conversation.push(part);
        let mut messages = 0;
        while let Some(Incoming::Text(text)) = conversation.poll() {
            messages += 1;
            assert!(text.len() <= bytes.len() && messages <= bytes.len(), "{}", show(bytes));
        }
        let _ = conversation.take_out();
    }
}
