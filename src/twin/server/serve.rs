//! What a connection receives, and what it is answered.

use std::fmt::{self, Write as _};
use std::io;

use surefoot_hot::units::Nanos;

use super::{Backend, Fault, KALSHI_PING_SPAN, Server, Stamp, StampKind};
use crate::twin::conn::{Arriving, Conn, Proto, Tls};
use crate::twin::http::{Decoded, Request, Response};
use crate::twin::remote::{order_named, stamped};
use crate::twin::ways::Lane;
use crate::twin::ws::{self, CloseCode, Conversation, Incoming};
use crate::twin::{ConnId, Host};

/// The most bytes of one connection per turn, so that one talker does not starve the others.
const READ_BYTES_TURN_MAX: usize = 1024 * 1024;

impl<W: Backend> Server<W> {
    pub(super) fn on_ready(&mut self, token: usize, readable: bool) {
        let Some(host) = self.conns.get(&token).map(|c| c.host) else { return };
        if self.faults[host.index()] == Fault::Frozen {
            return;
        }
        // Out of the map while it is worked on, so that the venue and the connection are two borrows.
        let mut conn = self.conns.remove(&token).expect("found above");
        if readable && !conn.closing {
            self.read(&mut conn, token);
        }
        self.conns.insert(token, conn);
        self.finish(token);
        self.drain();
    }

    fn read(&mut self, conn: &mut Conn, token: usize) {
        let mut total = 0;
        loop {
            if total > READ_BYTES_TURN_MAX {
                self.unread.push(token);
                return;
            }
            if let Tls::Hello(_) = conn.tls {
                if !conn.read_hello(&self.authority) {
                    return;
                }
                continue;
            }
            let Tls::Open(tls) = &mut conn.tls else { return };
            match tls.read_tls(&mut conn.stream) {
                Ok(0) => {
                    conn.dead = true;
                    return;
                }
                Ok(count) => total += count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(_) => {
                    conn.dead = true;
                    return;
                }
            }
            let at = self.clock.now();
            if conn.decrypt(at) {
                self.serve(conn);
            }
            if conn.dead || conn.closing {
                return;
            }
        }
    }

    /// Handles everything whole that a connection has received.
    fn serve(&mut self, conn: &mut Conn) {
        loop {
            let now = self.clock.now();
            match &mut conn.proto {
                Proto::Http(decoder) => match decoder.poll() {
                    Ok(Some(Decoded::Request(req, keep_alive))) => {
                        let first_byte = conn.first_byte.take().unwrap_or(now);
                        if !decoder.is_empty() {
                            conn.first_byte = Some(now);
                        }
                        conn.served = now;
                        self.receive(conn, req, keep_alive, first_byte, now);
                    }
                    Ok(Some(Decoded::Continue)) => conn.write(b"HTTP/1.1 100 Continue\r\n\r\n"),
                    Ok(None) => return,
                    Err(bad) => {
                        let body = serde_json::json!({ "error": bad.text });
                        conn.write(&Response::json(bad.status, &body).encode(false, false));
                        conn.closing = true;
                    }
                },
                Proto::Ws(ws) => match ws.poll() {
                    Some(Incoming::Text(text)) => {
                        let (host, id) = (conn.host, conn.id);
                        let done = self.guarded(format_args!("a WebSocket's message"), |backend| {
                            backend.venue(host).ws_text(id, &text, now);
                        });
                        if done.is_none()
                            && let Proto::Ws(ws) = &mut conn.proto
                        {
                            ws.send_close(CloseCode::Error);
                            let bytes = ws.take_out();
                            conn.write(&bytes);
                            conn.closing = true;
                        }
                    }
                    Some(Incoming::Closed) => {
                        let bytes = ws.take_out();
                        conn.write(&bytes);
                        conn.closing = true;
                    }
                    None => {
                        let bytes = ws.take_out();
                        conn.write(&bytes);
                        return;
                    }
                },
            }
            if conn.closing || conn.dead {
                return;
            }
        }
    }

    /// A request has been read whole: it reaches the venue at once, or once its way is over.
    fn receive(
        &mut self,
        conn: &mut Conn,
        request: Request,
        keep_alive: bool,
        first_byte: Nanos,
        now: Nanos,
    ) {
        let way = self.way(conn.host).request_us.micros(&mut self.rng);
        if way == Nanos::ZERO && conn.arriving.is_empty() {
            return self.answer(conn, request, keep_alive, first_byte, now);
        }
        // One connection keeps its order.
        let before = conn.arriving.back().map_or(Nanos::ZERO, |last| last.at);
        let at = now.after(way).max(before);
        conn.arriving.push_back(Arriving { at, request, keep_alive, first_byte });
    }

    /// Requests of a connection reach the venue.
    pub(super) fn requests_arrive(&mut self, token: usize, now: Nanos) {
        let is_due = |conn: &Conn| conn.arriving.front().is_some_and(|first| first.at <= now);
        // Out of the map while it is worked on, so that the venue and the connection are two borrows.
        let Some(mut conn) = self.conns.remove(&token) else { return };
        while !conn.dead && is_due(&conn) {
            let Arriving { request, keep_alive, first_byte, .. } =
                conn.arriving.pop_front().expect("looked at above");
            self.answer(&mut conn, request, keep_alive, first_byte, now);
        }
        self.conns.insert(token, conn);
    }

    /// Frames of the venues reach a connection's client.
    pub(super) fn frames_arrive(&mut self, token: usize, now: Nanos) {
        while let Some(text) = self.conns.get_mut(&token).and_then(|conn| conn.frames.pop_due(now))
        {
            self.send(token, text);
        }
        self.write_frames();
    }

    fn answer(
        &mut self,
        conn: &mut Conn,
        mut req: Request,
        keep_alive: bool,
        first_byte: Nanos,
        now: Nanos,
    ) {
        if let Some(upgrade) = ws::upgrade(&req) {
            return self.upgrade(conn, &req, &upgrade, now);
        }
        let post = req.method == "POST";
        if let Some(to) = &self.stamps
            && let Some(kind) = stamped(&req)
        {
            let order = if kind == StampKind::PostIn { order_named(&req) } else { None };
            let stamp = Stamp { kind, host: conn.host, conn: conn.id, order, at: first_byte };
            let _ = to.try_send(stamp); // the one who measures may have gone
        }
        let fault = self.faults[conn.host.index()];
        if post && fault == Fault::PostsIgnored {
            return;
        }
        let head_only = req.method == "HEAD";
        if head_only {
            req.method = "GET".into();
        }
        let host = conn.host;
        let (method, path) = (Printable(&req.method), Printable(&req.path));
        let refused = fault.refuses(&req);
        let response = refused.or_else(|| {
            self.guarded(format_args!("{method} {path} at {}", host.name()), |backend| {
                backend.venue(host).http(host, &req, now)
            })
        });
        let (response, keep_alive) = match response {
            Some(_) if fault == Fault::AnswersEmptied => (Response::empty(200), keep_alive),
            Some(response) => (response, keep_alive),
            None => (failed(), false),
        };
        if post && fault == Fault::PostsUnanswered {
            return;
        }
        let bytes = response.encode(keep_alive, head_only);
        let way = self.way(host).answer_us.micros(&mut self.rng);
        let delay = self.delays[host.index()].after(way);
        if delay > Nanos::ZERO || !conn.held.is_empty() {
            let before = conn.held.back().map_or(Nanos::ZERO, |(at, _)| *at);
            conn.held.push_back((now.after(delay).max(before), bytes));
        } else {
            conn.write(&bytes);
            conn.flush();
        }
        if !keep_alive {
            conn.closing = true;
        }
    }

    /// Makes a WebSocket of a connection, or answers why the venue does not want one.
    fn upgrade(&mut self, conn: &mut Conn, req: &Request, upgrade: &Response, now: Nanos) {
        let (id, host) = (conn.id, conn.host);
        let opened = self.guarded(format_args!("a handshake"), |backend| {
            backend.venue(host).ws_open(id, host, req, now)
        });
        match opened.unwrap_or_else(|| Err(failed())) {
            Ok(()) => {
                conn.write(&upgrade.encode(true, false));
                let Proto::Http(decoder) = &mut conn.proto else { return };
                conn.proto = Proto::Ws(Box::new(Conversation::new(decoder.take_rest())));
                conn.is_market = req.path == "/ws/market";
                if conn.host == Host::KalshiWs {
                    conn.ping_at = now.after(KALSHI_PING_SPAN);
                }
            }
            Err(refusal) => {
                conn.write(&refusal.encode(false, false));
                conn.closing = true;
            }
        }
    }

    /// Sends every frame that the venues have queued on its way, and writes those that arrive at once.
    pub(super) fn drain(&mut self) {
        let now = self.clock.now();
        while let Some((id, text)) = self.poll_frame() {
            let token = id.0 as usize;
            let Some(host) = self.conns.get(&token).map(|conn| conn.host) else { continue };
            let way = self.way(host);
            let Some(conn) = self.conns.get_mut(&token) else { continue };
            if self.faults[host.index()].withholds(conn.is_market, &text) {
                continue;
            }
            let lane = Lane::of(host, conn.is_market, &text);
            if let Some(text) = conn.frames.push(lane, text, &way, now, &mut self.rng) {
                self.send(token, text);
            }
        }
        self.write_frames();
    }

    /// Puts a frame into its connection's stream.
    fn send(&mut self, token: usize, text: String) {
        let Some(conn) = self.conns.get_mut(&token) else { return };
        let Proto::Ws(ws) = &mut conn.proto else { return };
        if ws.send_text(text) {
            conn.frames_unsent += 1;
            if !self.touched.contains(&token) {
                self.touched.push(token);
            }
        }
    }

    /// Writes what has been put into streams, each connection's in one go.
    fn write_frames(&mut self) {
        let mut touched = std::mem::take(&mut self.touched);
        for token in touched.drain(..) {
            let Some(conn) = self.conns.get_mut(&token) else { continue };
            let count = std::mem::take(&mut conn.frames_unsent);
            let Proto::Ws(ws) = &mut conn.proto else { continue };
            let bytes = ws.take_out();
            conn.write(&bytes);
            if let Some(to) = &self.stamps {
                let (kind, at) = (StampKind::FramesOut { count }, self.clock.now());
                let _ =
                    to.try_send(Stamp { kind, host: conn.host, conn: conn.id, order: None, at }); // the one who measures may have gone
            }
            self.finish(token);
        }
        self.touched = touched;
    }

    fn poll_frame(&mut self) -> Option<(ConnId, String)> {
        self.guarded(format_args!("its frames"), Backend::poll_out).flatten()
    }
}

/// What is answered where the twin failed inside.
fn failed() -> Response {
    Response::json(500, &serde_json::json!({ "error": "internal error" }))
}

/// The beginning of a client's text as a log may show it.
struct Printable<'a>(&'a str);

impl fmt::Display for Printable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.0.chars().take(80);
        shown.map(|c| if c.is_ascii_graphic() { c } else { '?' }).try_for_each(|c| f.write_char(c))
    }
}
