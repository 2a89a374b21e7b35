//! HTTP/1.1 as far as the order path needs it: one request out, one answer in.

use std::fmt;

use crate::text::Digits;

/// Headers read of one answer; Cloudflare sends about twenty.
const HEADERS_MAX: usize = 64;
/// Bytes of an answer's head.
const HEAD_BYTES_MAX: usize = 32 << 10;
/// Bytes of an answer's body: a full page of orders or trades is well below.
pub const BODY_BYTES_MAX: usize = 8 << 20;

/// A request being made, in buffers that are used again.
#[derive(Default)]
pub struct Request {
    bytes: Vec<u8>,
    /// The body, to be written before [`Request::begin`]: what is signed is what is sent.
    pub body: Vec<u8>,
}

impl fmt::Debug for Request {
    /// Its length alone: keys and signatures are in it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Request({} bytes)", self.bytes.len())
    }
}

impl Request {
    /// Buffers for any request of ours.
    pub fn new() -> Self {
        Self { bytes: Vec::with_capacity(8 << 10), body: Vec::with_capacity(4 << 10) }
    }

    /// Empties both buffers.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.body.clear();
    }

    /// Writes request line and host; `target` is path and query. Header lines of the signer's may follow.
    pub fn begin(&mut self, method: &str, target: &[&[u8]], host: &str) -> &mut Vec<u8> {
        self.bytes.extend_from_slice(method.as_bytes());
        self.bytes.push(b' ');
        for part in target {
            self.bytes.extend_from_slice(part);
        }
        for part in [" HTTP/1.1\r\nHost: ", host, "\r\n"] {
            self.bytes.extend_from_slice(part.as_bytes());
        }
        &mut self.bytes
    }

    /// Writes the end of the head, and the body.
    pub fn finish(&mut self) {
        if !self.body.is_empty() {
            self.bytes.extend_from_slice(b"Content-Type: application/json\r\nContent-Length: ");
            self.bytes.extend_from_slice(Digits::new(self.body.len() as u64).as_bytes());
            self.bytes.extend_from_slice(b"\r\n");
        }
        self.bytes.extend_from_slice(b"\r\n");
        self.bytes.extend_from_slice(&self.body);
    }

    /// All of it, once finished.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// One whole answer.
#[derive(Clone, Copy, Debug)]
pub struct Answer<'a> {
    /// The HTTP status, 200 to 999: interim answers are left out.
    pub status: u16,
    /// `Retry-After` in seconds, where it is there and a number.
    pub retry_after: Option<u32>,
    /// The body, unwrapped.
    pub body: &'a [u8],
    /// Whether the connection may carry another request.
    pub keep: bool,
}

/// Bytes that are no answer: nothing can be concluded from them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadAnswer(pub &'static str);

impl fmt::Display for BadAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not an answer: {}", self.0)
    }
}

/// What has come in so far of an answer.
#[derive(Debug, Default)]
pub struct Inbox {
    bytes: Vec<u8>,
    body: Vec<u8>,
}

/// How the length of a body is known.
enum Framing {
    Length(usize),
    Chunked,
    UntilEnd,
}

struct Head {
    len: usize,
    status: u16,
    retry_after: Option<u32>,
    keep: bool,
    framing: Framing,
}

impl Inbox {
    /// Room for an ordinary answer.
    pub fn new() -> Self {
        Self { bytes: Vec::with_capacity(16 << 10), body: Vec::with_capacity(16 << 10) }
    }

    /// Ready for the next answer.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.body.clear();
    }

    /// Takes bytes in.
    ///
    /// # Errors
    /// They are more than any answer has.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), BadAnswer> {
        self.bytes.extend_from_slice(bytes);
        if self.bytes.len() > HEAD_BYTES_MAX + BODY_BYTES_MAX {
            return Err(BadAnswer("too long"));
        }
        Ok(())
    }

    /// Whether nothing has come.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The answer, once it is whole. `ended`: the server will send no more.
    ///
    /// # Errors
    /// The bytes are no answer, or it was cut short.
    pub fn poll(&mut self, ended: bool) -> Result<Option<Answer<'_>>, BadAnswer> {
        let head = loop {
            match parse_head(&self.bytes)? {
                Some(head) if (100..200).contains(&head.status) => {
                    self.bytes.drain(..head.len); // an interim answer; the real one follows
                }
                Some(head) => break head,
                None if ended => return Err(BadAnswer("cut short in its head")),
                None => return Ok(None),
            }
        };
        let rest = &self.bytes[head.len..];
        self.body.clear();
        let (whole, extra) = match head.framing {
            Framing::Length(len) if rest.len() >= len => {
                self.body.extend_from_slice(&rest[..len]);
                (true, rest.len() > len)
            }
            Framing::Length(_) => (false, false),
            Framing::Chunked => match unchunk(rest, &mut self.body)? {
                Some(used) => (true, rest.len() > used),
                None => (false, false),
            },
            Framing::UntilEnd => {
                if ended {
                    self.body.extend_from_slice(rest);
                }
                (ended, false)
            }
        };
        if !whole {
            return if ended { Err(BadAnswer("cut short in its body")) } else { Ok(None) };
        }
        let keep = head.keep && !extra && !ended; // more than was asked for: the connection cannot be relied on
        let Head { status, retry_after, .. } = head;
        Ok(Some(Answer { status, retry_after, body: &self.body, keep }))
    }
}

fn parse_head(bytes: &[u8]) -> Result<Option<Head>, BadAnswer> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut response = httparse::Response::new(&mut headers);
    let len = match response.parse(bytes) {
        Ok(httparse::Status::Complete(len)) if len <= HEAD_BYTES_MAX => len,
        Ok(httparse::Status::Complete(_)) => return Err(BadAnswer("a head without end")),
        Ok(httparse::Status::Partial) if bytes.len() > HEAD_BYTES_MAX => {
            return Err(BadAnswer("a head without end"));
        }
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(_) => return Err(BadAnswer("a head that is none")),
    };
    let status = response.code.filter(|code| *code >= 100).ok_or(BadAnswer("no status"))?;
    let mut keep = response.version == Some(1);
    let (mut length, mut chunked, mut retry_after) = (None, false, None);
    for header in response.headers.iter() {
        let value = std::str::from_utf8(header.value).unwrap_or("").trim();
        if header.name.eq_ignore_ascii_case("content-length") {
            // digits alone: `parse` takes a sign too, and who reads a length otherwise than we do cuts elsewhere
            let digits = Some(value).filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
            let this = digits.and_then(|text| text.parse::<usize>().ok());
            let this = this.ok_or(BadAnswer("a length that is none"))?;
            if length.is_some_and(|other| other != this) {
                return Err(BadAnswer("two lengths"));
            }
            length = Some(this);
        } else if header.name.eq_ignore_ascii_case("transfer-encoding") {
            if !value.eq_ignore_ascii_case("chunked") {
                return Err(BadAnswer("an encoding we did not ask for"));
            }
            chunked = true;
        } else if header.name.eq_ignore_ascii_case("connection") {
            keep &= !value.split(',').any(|word| word.trim().eq_ignore_ascii_case("close"));
        } else if header.name.eq_ignore_ascii_case("retry-after") {
            retry_after = value.parse().ok();
        }
    }
    if length.is_some_and(|length| length > BODY_BYTES_MAX) {
        return Err(BadAnswer("too long"));
    }
    let framing = match (status, chunked, length) {
        (100..=199 | 204 | 304, ..) => Framing::Length(0),
        (_, true, Some(_)) => return Err(BadAnswer("a length and chunks")),
        (_, true, None) => Framing::Chunked,
        (_, false, Some(length)) => Framing::Length(length),
        (_, false, None) => Framing::UntilEnd,
    };
    Ok(Some(Head { len, status, retry_after, keep, framing }))
}

/// Unwraps chunks into `body`; how many bytes they took, or `None` while there are not all of them.
fn unchunk(bytes: &[u8], body: &mut Vec<u8>) -> Result<Option<usize>, BadAnswer> {
    let mut at = 0;
    loop {
        let (line, size) = match httparse::parse_chunk_size(&bytes[at..]) {
            Ok(httparse::Status::Complete(found)) => found,
            Ok(httparse::Status::Partial) => return Ok(None),
            Err(_) => return Err(BadAnswer("a chunk without size")),
        };
        at += line;
        let size = usize::try_from(size).map_err(|_| BadAnswer("too long"))?;
        if size > BODY_BYTES_MAX || body.len() + size > BODY_BYTES_MAX {
            return Err(BadAnswer("too long"));
        }
        if size == 0 {
            // trailers, if there are any, up to an empty line
            let mut lines = [httparse::EMPTY_HEADER; 8];
            return match httparse::parse_headers(&bytes[at..], &mut lines) {
                Ok(httparse::Status::Complete((used, _))) => Ok(Some(at + used)),
                Ok(httparse::Status::Partial) => Ok(None),
                Err(_) => Err(BadAnswer("trailers that are none")),
            };
        }
        let Some(chunk) = bytes.get(at..at + size) else { return Ok(None) };
        match bytes.get(at + size..at + size + 2) {
            None => return Ok(None),
            Some(b"\r\n") => {}
            Some(_) => return Err(BadAnswer("a chunk longer than it said")),
        }
        body.extend_from_slice(chunk);
        at += size + 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The answer must come out the same wherever the bytes are cut, and never before the last one.
    fn whole(bytes: &[u8]) -> (u16, Vec<u8>, bool) {
        for cut in 0..bytes.len() {
            let mut inbox = Inbox::new();
            inbox.push(&bytes[..cut]).unwrap();
            assert!(inbox.poll(false).unwrap().is_none(), "cut {cut}");
            inbox.push(&bytes[cut..]).unwrap();
            let answer = inbox.poll(false).unwrap().expect("whole");
            assert!(answer.status > 0);
            let mut inbox = Inbox::new();
            inbox.push(&bytes[..cut]).unwrap();
            assert!(inbox.poll(true).is_err(), "ended at {cut}");
        }
        let mut inbox = Inbox::new();
        inbox.push(bytes).unwrap();
        let answer = inbox.poll(false).unwrap().expect("whole");
        (answer.status, answer.body.to_vec(), answer.keep)
    }

    #[test]
    fn answers_of_every_framing_are_whole_only_when_whole() {
        let plain = b"HTTP/1.1 201 Created\r\ncontent-LENGTH: 2\r\n\r\n{}";
        assert_eq!(whole(plain), (201, b"{}".to_vec(), true));
        let chunks = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\
3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n";
        assert_eq!(whole(chunks), (200, b"abcde".to_vec(), true));
        let none = b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n";
        assert_eq!(whole(none), (204, Vec::new(), false));
        let interim = b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n\
HTTP/1.1 429 Too Many Requests\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n";
        assert_eq!(whole(interim), (429, Vec::new(), true));
        let mut inbox = Inbox::new();
        inbox.push(interim).unwrap();
        assert_eq!(inbox.poll(false).unwrap().unwrap().retry_after, Some(7));
    }

    #[test]
    fn without_a_length_the_end_is_the_end() {
        let mut inbox = Inbox::new();
        inbox.push(b"HTTP/1.1 200 OK\r\n\r\nab").unwrap();
        assert!(inbox.poll(false).unwrap().is_none());
        let answer = inbox.poll(true).unwrap().unwrap();
        assert_eq!((answer.body, answer.keep), (&b"ab"[..], false));
    }

    #[test]
    fn what_is_no_answer_is_refused() {
        for bytes in [
            &b"hello\r\n\r\n"[..],
            b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\nx",
            b"HTTP/1.1 000 OK\r\nContent-Length: 0\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        ] {
            let mut inbox = Inbox::new();
            inbox.push(bytes).unwrap();
            assert!(inbox.poll(false).is_err(), "{}", String::from_utf8_lossy(bytes));
        }
        let mut inbox = Inbox::new();
        inbox.push(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nab").unwrap();
        assert!(!inbox.poll(false).unwrap().unwrap().keep, "a byte nobody asked for");
    }

    #[test]
    fn a_request_is_written_once_and_in_order() {
        let mut request = Request::new();
        request.body.extend_from_slice(b"{}");
        request.begin("POST", &[b"/a", b"?b=1"], "h:1").extend_from_slice(b"X: y\r\n");
        request.finish();
        assert_eq!(format!("{request:?}"), "Request(94 bytes)", "no keys, no signatures");
        assert_eq!(
            request.as_bytes(),
            b"POST /a?b=1 HTTP/1.1\r\nHost: h:1\r\nX: y\r\nContent-Type: application/json\r\n\
Content-Length: 2\r\n\r\n{}"
        );
    }
}
