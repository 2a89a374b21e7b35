//! One server-side WebSocket as bytes in, messages out; no socket.

use std::io::{self, Read, Write};

use tungstenite::protocol::frame::coding::CloseCode as Code;
use tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tungstenite::{Error, Message, WebSocket};

use super::http::{Request, Response};

/// The largest message a client may send.
const MESSAGE_BYTES_MAX: usize = 1024 * 1024;

/// What a client's bytes amounted to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Incoming {
    /// A text frame.
    Text(String),
    /// The client, or the protocol, ends the conversation.
    Closed,
}

/// Why the server ends a conversation (RFC 6455 §7.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseCode {
    /// 1001: it goes down, or the client was silent for too long.
    Away,
    /// 1002: what came is no WebSocket frame.
    Protocol,
    /// 1007: a text that is not UTF-8.
    Invalid,
    /// 1009: a message beyond the size that is read.
    Size,
    /// 1011: it failed inside.
    Error,
}

impl CloseCode {
    const fn code(self) -> Code {
        match self {
            Self::Away => Code::Away,
            Self::Protocol => Code::Protocol,
            Self::Invalid => Code::Invalid,
            Self::Size => Code::Size,
            Self::Error => Code::Error,
        }
    }
}

/// The answer that turns a request into a WebSocket; `None` where it does not ask for one properly.
pub fn upgrade(req: &Request) -> Option<Response> {
    let asks = req.method == "GET"
        && req.header("upgrade").is_some_and(|v| v.eq_ignore_ascii_case("websocket"))
        && req.header("connection").is_some_and(|v| v.to_ascii_lowercase().contains("upgrade"))
        && req.header("sec-websocket-version") == Some("13");
    let key = req.header("sec-websocket-key").filter(|_| asks)?;
    let accept = tungstenite::handshake::derive_accept_key(key.as_bytes());
    Some(
        Response::empty(101)
            .with("Upgrade", "websocket")
            .with("Connection", "Upgrade")
            .with("Sec-WebSocket-Accept", accept),
    )
}

/// Memory that tungstenite takes for a stream: dry is `WouldBlock`, and a write always fits.
#[derive(Debug, Default)]
struct Pipe {
    inbox: Vec<u8>,
    read_at: usize,
    outbox: Vec<u8>,
}

impl Read for Pipe {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let left = &self.inbox[self.read_at..];
        if left.is_empty() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let count = left.len().min(buf.len());
        buf[..count].copy_from_slice(&left[..count]);
        self.read_at += count;
        if self.read_at == self.inbox.len() {
            self.inbox.clear();
            self.read_at = 0;
        }
        Ok(count)
    }
}

impl Write for Pipe {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.outbox.extend_from_slice(buf);
        Ok(buf.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The server's half of one WebSocket conversation: bytes in, messages out, and back.
pub struct Conversation {
    socket: WebSocket<Pipe>,
}

impl Conversation {
    /// Begins after the handshake; `early` is what came behind it.
    pub fn new(early: Vec<u8>) -> Self {
        let config = WebSocketConfig::default()
            .read_buffer_size(4 * 1024)
            .write_buffer_size(0)
            .max_message_size(Some(MESSAGE_BYTES_MAX))
            .max_frame_size(Some(MESSAGE_BYTES_MAX));
        let pipe = Pipe { inbox: early, ..Pipe::default() };
        Self { socket: WebSocket::from_raw_socket(pipe, Role::Server, Some(config)) }
    }

    /// Takes in what was read.
    pub fn push(&mut self, bytes: &[u8]) {
        self.socket.get_mut().inbox.extend_from_slice(bytes);
    }

    /// The next message; `None` where more bytes are needed. Pings are answered on the way.
    pub fn poll(&mut self) -> Option<Incoming> {
        loop {
            match self.socket.read() {
                Ok(Message::Text(text)) => return Some(Incoming::Text(text.as_str().to_owned())),
                Ok(Message::Close(_)) => {
                    let _ = self.socket.flush(); // the echo of the close; a second error says nothing new
                    return Some(Incoming::Closed);
                }
                Ok(_) => {}
                Err(Error::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => {
                    let _ = self.socket.flush(); // a queued pong
                    return None;
                }
                Err(error) => {
                    match error {
                        Error::Capacity(_) => self.send_close(CloseCode::Size),
                        Error::Utf8(_) => self.send_close(CloseCode::Invalid),
                        Error::Protocol(_) => self.send_close(CloseCode::Protocol),
                        _ => {} // over already
                    }
                    return Some(Incoming::Closed);
                }
            }
        }
    }

    /// Queues one text frame; `false` where the conversation is over.
    pub fn send_text(&mut self, text: String) -> bool {
        self.socket.send(Message::text(text)).is_ok()
    }

    /// Queues one ping.
    pub fn send_ping(&mut self, payload: &'static [u8]) -> bool {
        self.socket.send(Message::Ping(payload.into())).is_ok()
    }

    /// Queues the close handshake.
    pub fn send_close(&mut self, code: CloseCode) {
        let frame = CloseFrame { code: code.code(), reason: "".into() };
        let _ = self.socket.close(Some(frame)); // over already: nothing to say
        let _ = self.socket.flush();
    }

    /// The bytes to write.
    pub fn take_out(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.socket.get_mut().outbox)
    }
}
