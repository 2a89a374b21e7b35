//! Connections as they come and go: who is let in, and how one is closed.

use std::collections::VecDeque;
use std::io;

use mio::{Interest, Token};
use surefoot_hot::units::Nanos;

use super::{Backend, Fault, HOST_CONNECTIONS_MAX, KALSHI_WS_CONNECTIONS_MAX, Server};
use crate::twin::conn::{Conn, Proto, Tls};
use crate::twin::http::Decoder;
use crate::twin::ws::CloseCode;
use crate::twin::{ConnId, Host};

/// A connection that has been idle for less is not closed for a newcomer's sake.
const IDLE_SPAN_MIN: Nanos = Nanos::from_secs(1);

impl<W: Backend> Server<W> {
    pub(super) fn accept(&mut self, host: Host) {
        loop {
            let mut stream = match self.listeners[host.index()].accept() {
                Ok((stream, _)) => stream,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(_) => return, // none left, or the system is short of something: the client tries again
            };
            if self.faults[host.index()] == Fault::Down || !self.has_room(host) {
                continue;
            }
            let _ = stream.set_nodelay(true); // slower without, not wrong
            let token = self.next_conn;
            let interest = Interest::READABLE | Interest::WRITABLE;
            if self.poll.registry().register(&mut stream, Token(token), interest).is_err() {
                continue;
            }
            self.next_conn += 1;
            let conn = Conn {
                id: ConnId(token as u64),
                host,
                stream,
                tls: Tls::Hello(Box::default()),
                proto: Proto::Http(Decoder::default()),
                arriving: VecDeque::new(),
                held: VecDeque::new(),
                frames: Default::default(),
                opened: self.clock.now(),
                served: self.clock.now(),
                first_byte: None,
                ping_at: Nanos::NEVER,
                frames_unsent: 0,
                is_market: false,
                closing: false,
                dead: false,
            };
            self.conns.insert(token, Box::new(conn));
        }
    }

    /// Whether a host takes one more connection. Where its share is used up, the one that has been idle the longest
    /// goes for it, if there is one.
    fn has_room(&mut self, host: Host) -> bool {
        let of_host = || self.conns.iter().filter(|(_, c)| c.host == host);
        let most =
            if host == Host::KalshiWs { KALSHI_WS_CONNECTIONS_MAX } else { HOST_CONNECTIONS_MAX };
        if of_host().count() < most {
            return true;
        }
        let long_ago = self.clock.now().get().saturating_sub(IDLE_SPAN_MIN.get());
        let idle = of_host().filter(|(_, c)| c.is_idle() && c.served.get() <= long_ago);
        let Some(token) = idle.min_by_key(|(_, c)| c.served).map(|(&token, _)| token) else {
            return false;
        };
        if let Some(conn) = self.conns.get_mut(&token) {
            conn.dead = true;
        }
        self.finish(token);
        true
    }

    pub(super) fn drop_host(&mut self, host: Host) {
        let tokens: Vec<usize> =
            self.conns.iter().filter(|(_, c)| c.host == host).map(|(&token, _)| token).collect();
        for token in tokens {
            if let Some(conn) = self.conns.get_mut(&token) {
                conn.dead = true;
            }
            self.finish(token);
        }
    }

    /// Writes what can be written, and buries the connection if it is over.
    pub(super) fn finish(&mut self, token: usize) {
        let Some(conn) = self.conns.get_mut(&token) else { return };
        if self.faults[conn.host.index()] == Fault::Frozen && !conn.dead {
            return;
        }
        conn.flush();
        let written = match &conn.tls {
            Tls::Hello(_) => true,
            Tls::Open(tls) => !tls.wants_write(),
        };
        if conn.closing && written && !conn.owes() && !conn.dead {
            if let Tls::Open(tls) = &mut conn.tls {
                tls.send_close_notify();
            }
            conn.flush();
            conn.dead = true;
        }
        if !conn.dead {
            return;
        }
        let mut conn = self.conns.remove(&token).expect("found above");
        let _ = self.poll.registry().deregister(&mut conn.stream); // closed by dropping all the same
        if matches!(conn.proto, Proto::Ws(_)) {
            let (host, id) = (conn.host, conn.id);
            self.guarded(format_args!("a WebSocket's end"), |backend| {
                backend.venue(host).ws_close(id)
            });
        }
    }

    pub(super) fn close_all(&mut self) {
        let tokens: Vec<usize> = self.conns.keys().copied().collect();
        for token in tokens {
            if let Some(conn) = self.conns.get_mut(&token) {
                if let Proto::Ws(ws) = &mut conn.proto {
                    ws.send_close(CloseCode::Away);
                    let bytes = ws.take_out();
                    conn.write(&bytes);
                }
                conn.closing = true;
            }
            self.finish(token);
        }
    }
}
