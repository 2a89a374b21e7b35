//! HTTP/1.1 as the twin speaks it: bytes to requests, responses to bytes; no sockets.

use serde_json::Value;

/// One whole request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// Upper case as sent: `GET`, `POST`, `DELETE`.
    pub method: String,
    /// The path without its query, still percent-encoded as sent.
    pub path: String,
    /// Query pairs in order, percent-decoded.
    pub query: Vec<(String, String)>,
    /// Headers in order, names as sent.
    pub headers: Vec<(String, String)>,
    /// The body's exact bytes.
    pub body: Vec<u8>,
}

impl Request {
    /// The first header of that name, whatever its case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }

    /// The first query value of that name.
    pub fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    /// Every query value of that name, commas within a value separating several.
    pub fn query_all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> + 'a {
        self.query
            .iter()
            .filter(move |(n, _)| n == name)
            .flat_map(|(_, v)| v.split(','))
            .filter(|v| !v.is_empty())
    }

    /// The body as JSON; `None` where it is not.
    pub fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }
}

/// One whole response. `Content-Length` is added when it is written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    pub status: u16,
    /// Headers beside the length and the connection's.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Response {
    /// A JSON answer.
    pub fn json(status: u16, value: &Value) -> Self {
        let text = serde_json::to_string(value).expect("a value is JSON");
        Self::json_text(status, text)
    }

    /// The same, of a JSON text.
    pub fn json_text(status: u16, text: String) -> Self {
        Self {
            status,
            headers: vec![("Content-Type".into(), "application/json".into())],
            body: text.into_bytes(),
        }
    }

    /// A plain text answer.
    pub fn text(status: u16, text: &str) -> Self {
        Self {
            status,
            headers: vec![("Content-Type".into(), "text/plain; charset=utf-8".into())],
            body: text.as_bytes().to_vec(),
        }
    }

    /// An answer without a body.
    pub fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new() }
    }

    /// The same with one more header.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }
}

/// The longest request head that is read.
pub const HEAD_BYTES_MAX: usize = 32 * 1024;
/// The longest request body that is read.
pub const BODY_BYTES_MAX: usize = 1024 * 1024;
/// The most headers in one request.
const HEADERS_MAX: usize = 64;

/// Why a connection's bytes are not HTTP/1.1 as we take it; answered once, then the connection is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadRequest {
    /// The status to answer.
    pub status: u16,
    /// What is wrong.
    pub text: &'static str,
}

const MALFORMED: BadRequest = BadRequest { status: 400, text: "malformed request" };
const HEAD_TOO_LARGE: BadRequest = BadRequest { status: 431, text: "request head too large" };
const BODY_TOO_LARGE: BadRequest = BadRequest { status: 413, text: "request body too large" };

/// What the bytes so far amount to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decoded {
    /// A whole request, and whether the connection goes on after its answer.
    Request(Request, bool),
    /// The client waits for `100 Continue` before it sends the body.
    Continue,
}

/// Requests out of a connection's bytes, several in flight allowed.
#[derive(Debug, Default)]
pub struct Decoder {
    bytes: Vec<u8>,
    /// Whether `100 Continue` was asked for and granted for the request at the front.
    continued: bool,
    /// How far the chunked body of the request at the front was read: never twice, however many pieces it comes in.
    chunks: Chunks,
}

/// A chunked body as far as it has come.
#[derive(Debug, Default)]
struct Chunks {
    /// Where the next chunk begins, counted from the end of the head.
    at: usize,
    body: Vec<u8>,
}

impl Decoder {
    /// Takes in what was read.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Whether nothing of a next request has come.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// What is left over, for a protocol that takes the connection over.
    pub fn take_rest(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.bytes)
    }

    /// The next whole request; `None` where more bytes are needed.
    ///
    /// # Errors
    /// The bytes are not a request within our limits.
    pub fn poll(&mut self) -> Result<Option<Decoded>, BadRequest> {
        let mut slots = [httparse::EMPTY_HEADER; HEADERS_MAX];
        let mut head = httparse::Request::new(&mut slots);
        let head_len = match head.parse(&self.bytes) {
            Ok(httparse::Status::Complete(len)) if len <= HEAD_BYTES_MAX => len,
            Ok(httparse::Status::Complete(_)) => return Err(HEAD_TOO_LARGE),
            Ok(httparse::Status::Partial) if self.bytes.len() > HEAD_BYTES_MAX => {
                return Err(HEAD_TOO_LARGE);
            }
            Ok(httparse::Status::Partial) => return Ok(None),
            Err(httparse::Error::TooManyHeaders) => return Err(HEAD_TOO_LARGE),
            Err(_) => return Err(MALFORMED),
        };
        let mut req = request_of(&head)?;
        let keep_alive = keeps_alive(&req, head.version == Some(1));
        let rest = &self.bytes[head_len..];
        let body = match req.header("transfer-encoding") {
            None => sized_body(&req, rest)?,
            Some(value) if value.eq_ignore_ascii_case("chunked") => self.chunks.read(rest)?,
            Some(_) => return Err(MALFORMED),
        };
        let Some((body, used)) = body else {
            let wants =
                req.header("expect").is_some_and(|v| v.eq_ignore_ascii_case("100-continue"));
            if wants && !self.continued && rest.is_empty() {
                self.continued = true;
                return Ok(Some(Decoded::Continue));
            }
            // Chunks of one byte and trailers of no use could go on for ever without being a body too large.
            let waits = self.bytes.len() <= HEAD_BYTES_MAX + 2 * BODY_BYTES_MAX;
            return if waits { Ok(None) } else { Err(BODY_TOO_LARGE) };
        };
        req.body = body;
        self.bytes.drain(..head_len + used);
        self.continued = false;
        self.chunks = Chunks::default();
        Ok(Some(Decoded::Request(req, keep_alive)))
    }
}

fn request_of(head: &httparse::Request<'_, '_>) -> Result<Request, BadRequest> {
    let target = head.path.ok_or(MALFORMED)?;
    // The absolute form is legal for a proxy; what follows the authority is the path.
    let target = match target.strip_prefix("https://").or_else(|| target.strip_prefix("http://")) {
        Some(rest) => rest.find('/').map_or("/", |at| &rest[at..]),
        None => target,
    };
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let query = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (percent_decode(name), percent_decode(value))
        })
        .collect();
    let headers = head
        .headers
        .iter()
        .map(|h| (h.name.to_owned(), String::from_utf8_lossy(h.value).trim().to_owned()))
        .collect();
    Ok(Request {
        method: head.method.ok_or(MALFORMED)?.to_owned(),
        path: path.to_owned(),
        query,
        headers,
        body: Vec::new(),
    })
}

fn keeps_alive(req: &Request, is_1_1: bool) -> bool {
    match req.header("connection").map(str::to_ascii_lowercase) {
        Some(value) if value.contains("close") => false,
        Some(value) if value.contains("keep-alive") => true,
        _ => is_1_1,
    }
}

/// A whole body and the bytes it took; `None` while some are missing.
type Body = Option<(Vec<u8>, usize)>;

fn sized_body(req: &Request, rest: &[u8]) -> Result<Body, BadRequest> {
    let mut lengths = req.headers.iter().filter(|(n, _)| n.eq_ignore_ascii_case("content-length"));
    let len = match lengths.next() {
        None => 0,
        // `parse` would take a sign; two lengths are two requests to whoever reads the other one
        Some((_, text))
            if text.bytes().all(|b| b.is_ascii_digit()) && lengths.all(|(_, t)| t == text) =>
        {
            text.parse::<usize>().map_err(|_| MALFORMED)?
        }
        Some(_) => return Err(MALFORMED),
    };
    if len > BODY_BYTES_MAX {
        return Err(BODY_TOO_LARGE);
    }
    Ok(rest.get(..len).map(|body| (body.to_vec(), len)))
}

impl Chunks {
    /// Goes on where it was, in what has come of the body.
    fn read(&mut self, rest: &[u8]) -> Result<Body, BadRequest> {
        loop {
            let next = rest.get(self.at..).unwrap_or_default();
            let Ok(status) = httparse::parse_chunk_size(next) else { return Err(MALFORMED) };
            let httparse::Status::Complete((line, size)) = status else {
                return if rest.len() > 2 * BODY_BYTES_MAX {
                    Err(BODY_TOO_LARGE)
                } else {
                    Ok(None)
                };
            };
            let size = usize::try_from(size).map_err(|_| BODY_TOO_LARGE)?;
            if size > BODY_BYTES_MAX || self.body.len() + size > BODY_BYTES_MAX {
                return Err(BODY_TOO_LARGE);
            }
            let from = self.at + line;
            if size == 0 {
                let end = trailers(rest, from)?;
                return Ok(end.map(|end| (std::mem::take(&mut self.body), end)));
            }
            let Some(chunk) = rest.get(from..from + size + 2) else { return Ok(None) };
            if &chunk[size..] != b"\r\n" {
                return Err(MALFORMED);
            }
            self.body.extend_from_slice(&chunk[..size]);
            self.at = from + size + 2;
        }
    }
}

/// Skips trailer lines up to the empty one.
fn trailers(rest: &[u8], mut at: usize) -> Result<Option<usize>, BadRequest> {
    loop {
        let Some(line) = rest[at..].windows(2).position(|w| w == b"\r\n") else {
            let long = rest.len() - at > HEAD_BYTES_MAX;
            return if long { Err(HEAD_TOO_LARGE) } else { Ok(None) };
        };
        at += line + 2;
        if line == 0 {
            return Ok(Some(at));
        }
    }
}

/// Percent and plus decoding of one query name or value; what is not valid stays as it is.
fn percent_decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = |b: u8| char::from(b).to_digit(16);
        match bytes[at] {
            b'+' => out.push(b' '),
            b'%' if at + 2 < bytes.len() => match (hex(bytes[at + 1]), hex(bytes[at + 2])) {
                (Some(high), Some(low)) => {
                    out.push((high * 16 + low) as u8);
                    at += 2;
                }
                _ => out.push(b'%'),
            },
            byte => out.push(byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// The reason phrase of a status the venues use.
pub fn reason(status: u16) -> &'static str {
    match status {
        100 => "Continue",
        101 => "Switching Protocols",
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        204 => "No Content",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        409 => "Conflict",
        410 => "Gone",
        413 => "Payload Too Large",
        422 => "Unprocessable Entity",
        425 => "Too Early",
        426 => "Upgrade Required",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "Status",
    }
}

impl Response {
    /// The answer's bytes. `head_only` leaves the body out (HEAD) while its length is still told.
    pub fn encode(&self, keep_alive: bool, head_only: bool) -> Vec<u8> {
        let mut out = Vec::with_capacity(256 + self.body.len());
        out.extend_from_slice(
            format!("HTTP/1.1 {} {}\r\n", self.status, reason(self.status)).as_bytes(),
        );
        for (name, value) in &self.headers {
            out.extend_from_slice(name.as_bytes());
            out.extend_from_slice(b": ");
            // A header never breaks into two, whatever was echoed into it.
            out.extend(value.bytes().filter(|b| !matches!(b, b'\r' | b'\n')));
            out.extend_from_slice(b"\r\n");
        }
        if self.status != 101 {
            let connection = if keep_alive { "keep-alive" } else { "close" };
            let length = self.body.len();
            out.extend_from_slice(
                format!("Content-Length: {length}\r\nConnection: {connection}\r\n").as_bytes(),
            );
        }
        out.extend_from_slice(b"\r\n");
        if !head_only {
            out.extend_from_slice(&self.body);
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(bytes: &[u8]) -> (Vec<Decoded>, Result<(), BadRequest>) {
        let (mut decoder, mut seen) = (Decoder::default(), Vec::new());
        decoder.push(bytes);
        loop {
            match decoder.poll() {
                Ok(Some(decoded)) => seen.push(decoded),
                Ok(None) => return (seen, Ok(())),
                Err(bad) => return (seen, Err(bad)),
            }
        }
    }

    #[test]
    fn pipelined_sized_and_chunked_requests() {
        let wire = b"DELETE /order?a=1%202&b=x+y HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc\
            POST /p HTTP/1.1\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n3\r\nxyz\r\n1;e=1\r\n!\r\n0\r\nT: v\r\n\r\n\
            GET /rest HTT";
        let (seen, end) = all(wire);
        assert_eq!(end, Ok(()));
        let [Decoded::Request(first, true), Decoded::Request(second, false)] = &seen[..] else {
            panic!("{seen:?}")
        };
        assert_eq!((first.method.as_str(), first.path.as_str()), ("DELETE", "/order"));
        assert_eq!((first.query("a"), first.query("b")), (Some("1 2"), Some("x y")));
        assert_eq!(first.body, b"abc");
        assert_eq!(second.body, b"xyz!");
        // The same bytes one at a time give the same requests.
        let (mut decoder, mut slow) = (Decoder::default(), Vec::new());
        for byte in wire {
            decoder.push(&[*byte]);
            slow.extend(decoder.poll().unwrap());
        }
        assert_eq!(slow, seen);
    }

    /// A body of one-byte chunks in small pieces: were it read from its beginning at every piece, one client would
    /// keep the twin's thread busy for minutes.
    #[test]
    fn a_chunked_body_is_read_once_however_small_its_pieces() {
        let mut wire = b"POST /p HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
        let chunks = 200_000;
        wire.extend(b"1\r\nx\r\n".repeat(chunks));
        wire.extend(b"0\r\n\r\nGET / HTTP/1.1\r\n\r\n");
        let (mut decoder, mut seen) = (Decoder::default(), Vec::new());
        for piece in wire.chunks(64) {
            decoder.push(piece);
            while let Some(Decoded::Request(req, _)) = decoder.poll().unwrap() {
                seen.push(req.body.len());
            }
        }
        assert_eq!(seen, [chunks, 0]);
    }

    #[test]
    fn a_body_is_asked_for_once() {
        let mut decoder = Decoder::default();
        decoder.push(b"POST /p HTTP/1.1\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
        assert_eq!(decoder.poll(), Ok(Some(Decoded::Continue)));
        assert_eq!(decoder.poll(), Ok(None));
        decoder.push(b"ok");
        assert!(matches!(decoder.poll(), Ok(Some(Decoded::Request(r, true))) if r.body == b"ok"));
    }

    #[test]
    fn limits_are_answered_with_their_status() {
        let status = |wire: &[u8]| all(wire).1.unwrap_err().status;
        assert_eq!(status(b"\x16\x03\x01garbage\r\n\r\n"), 400);
        assert_eq!(status(b"POST / HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n"), 413);
        assert_eq!(status(b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n"), 400);
        assert_eq!(status(b"POST / HTTP/1.1\r\nContent-Length: +1\r\n\r\nx"), 400);
        assert_eq!(
            status(b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx"),
            400
        );
        assert_eq!(
            status(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n"),
            413
        );
        assert_eq!(status(&[b"GET /", vec![b'a'; 40_000].as_slice()].concat()), 431);
        let many = "X: y\r\n".repeat(80);
        assert_eq!(status(format!("GET / HTTP/1.1\r\n{many}\r\n").as_bytes()), 431);
    }

    #[test]
    fn percent_decoding_leaves_what_is_not_valid() {
        for (text, want) in [("a%2", "a%2"), ("%", "%"), ("%zz", "%zz"), ("%41%3d", "A="), ("", "")]
        {
            assert_eq!(percent_decode(text), want);
        }
    }

    #[test]
    fn any_bytes_are_survived() {
        let seed = b"POST /x?y=%41 HTTP/1.1\r\nTransfer-Encoding: chunked\r\nA: b\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        for _ in 0..50_000 {
            let mut bytes = seed.to_vec();
            for _ in 0..4 {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                let at = state as usize % bytes.len();
                bytes[at] = (state >> 32) as u8;
            }
            let _ = all(&bytes);
        }
    }
}
