//! What the server does when a time has come: silent clients, answers held back, pings, and the backend's own timers.

use surefoot_hot::units::Nanos;

use super::{Backend, Fault, KALSHI_PING_SPAN, Server};
use crate::twin::conn::{Conn, Proto, Tls};

/// Where the backend cannot even tell when it next has something to do, it is asked again after this.
const RETRY_SPAN: Nanos = Nanos::from_secs(1);
/// How long a client may take until its TLS hello is there.
const HELLO_SPAN_MAX: Nanos = Nanos::from_secs(10);

impl<W: Backend> Server<W> {
    pub(super) fn deadline(&mut self) -> Nanos {
        let backend = self.backend_deadline();
        let conns = self.conns.values().map(|c| self.idle_at(c).min(c.next_at()).min(c.ping_at));
        conns.fold(backend, Nanos::min)
    }

    fn backend_deadline(&mut self) -> Nanos {
        let retry = self.clock.now().after(RETRY_SPAN);
        self.guarded(format_args!("its timers"), |backend| backend.deadline()).unwrap_or(retry)
    }

    /// When a connection is to be closed for its silence.
    fn idle_at(&self, conn: &Conn) -> Nanos {
        match (&conn.tls, &conn.proto) {
            (Tls::Hello(_), _) => conn.opened.after(HELLO_SPAN_MAX),
            // A frozen host does nothing, and an answer that waits is not the client's silence.
            _ if self.faults[conn.host.index()] == Fault::Frozen || conn.owes() => Nanos::NEVER,
            (Tls::Open(_), Proto::Http(_)) => conn.served.after(self.idle_span),
            (Tls::Open(_), Proto::Ws(_)) => conn.served.after(self.ws_idle_span),
        }
    }

    pub(super) fn on_time(&mut self, now: Nanos) {
        if self.backend_deadline() <= now {
            self.guarded(format_args!("what time brings"), |backend| backend.tick(now));
        }
        let due: Vec<(usize, bool)> = self
            .conns
            .iter()
            .map(|(&token, c)| (token, c, self.idle_at(c) <= now))
            .filter(|(_, c, idle)| *idle || c.ping_at <= now || c.next_at() <= now)
            .map(|(token, _, idle)| (token, idle))
            .collect();
        for (token, idle) in due {
            self.requests_arrive(token, now);
            let Some(conn) = self.conns.get_mut(&token) else { continue };
            if idle {
                // A client that does not read either is not waited for.
                conn.dead = conn.closing || matches!(conn.tls, Tls::Hello(_));
                conn.closing = true;
            }
            while conn.held.front().is_some_and(|(at, _)| *at <= now) {
                let (_, bytes) = conn.held.pop_front().expect("looked at above");
                conn.write(&bytes);
            }
            self.frames_arrive(token, now);
            let Some(conn) = self.conns.get_mut(&token) else { continue };
            if conn.ping_at <= now {
                conn.ping_at = now.after(KALSHI_PING_SPAN);
                if let Proto::Ws(ws) = &mut conn.proto {
                    ws.send_ping(b"heartbeat");
                    let bytes = ws.take_out();
                    conn.write(&bytes);
                }
            }
            self.finish(token);
        }
        self.drain();
    }
}
