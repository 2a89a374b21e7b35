//! One client's connection: TLS around HTTP or WebSocket, bytes in both directions, no venue.

use std::collections::VecDeque;
use std::io::{self, Read, Write};

use mio::net::TcpStream;
use rustls::ServerConnection;
use rustls::server::Acceptor;
use surefoot_hot::units::Nanos;

use super::http::{Decoder, Request};
use super::tls::Authority;
use super::ways::Frames;
use super::ws::Conversation;
use super::{ConnId, Host};

/// The most bytes that may wait to be sent on one connection. A client that reads more slowly is closed.
const OUT_BYTES_MAX: usize = 16 * 1024 * 1024;

/// How far its encryption is.
pub(super) enum Tls {
    /// Waiting for the client's hello.
    Hello(Box<Acceptor>),
    /// Shaking hands, then open.
    Open(Box<ServerConnection>),
}

/// What is spoken inside.
pub(super) enum Proto {
    Http(Decoder),
    Ws(Box<Conversation>),
}

/// A request that has not reached the venue yet.
pub(super) struct Arriving {
    pub(super) at: Nanos,
    pub(super) request: Request,
    pub(super) keep_alive: bool,
    /// When its first byte was read.
    pub(super) first_byte: Nanos,
}

/// The connection of one client, from its TLS hello to its end.
pub(super) struct Conn {
    pub(super) id: ConnId,
    pub(super) host: Host,
    pub(super) stream: TcpStream,
    pub(super) tls: Tls,
    pub(super) proto: Proto,
    /// Requests that are on their way to the venue, in order.
    pub(super) arriving: VecDeque<Arriving>,
    /// Answers that wait for their time, in order.
    pub(super) held: VecDeque<(Nanos, Vec<u8>)>,
    /// Frames that are on their way to the client.
    pub(super) frames: Frames,
    pub(super) opened: Nanos,
    /// When its client last had something whole to say: a request, or a frame.
    pub(super) served: Nanos,
    /// When the first byte of the request now arriving was read.
    pub(super) first_byte: Option<Nanos>,
    pub(super) ping_at: Nanos,
    pub(super) frames_unsent: u32,
    /// Whether it is a WebSocket of Polymarket's market stream.
    pub(super) is_market: bool,
    /// To be closed once everything is written.
    pub(super) closing: bool,
    pub(super) dead: bool,
}

impl Conn {
    /// Whether it waits for its client: nothing of a request has come, and nothing is left to write.
    pub(super) fn is_idle(&self) -> bool {
        let waits = matches!(&self.proto, Proto::Http(decoder) if decoder.is_empty());
        waits && !self.owes()
    }

    /// Whether an answer is still to come: the request is on its way, or the answer is.
    pub(super) fn owes(&self) -> bool {
        !self.held.is_empty() || !self.arriving.is_empty()
    }

    /// When something that is on its way arrives next.
    pub(super) fn next_at(&self) -> Nanos {
        let request = self.arriving.front().map_or(Nanos::NEVER, |arriving| arriving.at);
        let answer = self.held.front().map_or(Nanos::NEVER, |(at, _)| *at);
        request.min(answer).min(self.frames.next_at())
    }

    /// Goes on reading the client's hello; `false` where nothing more is to be read now.
    pub(super) fn read_hello(&mut self, authority: &Authority) -> bool {
        let Tls::Hello(acceptor) = &mut self.tls else { return true };
        match acceptor.read_tls(&mut self.stream) {
            Ok(0) => self.dead = true,
            Ok(_) => match acceptor.accept() {
                Ok(None) => return true,
                Ok(Some(accepted)) => {
                    let config = authority.config_for(&accepted);
                    match accepted.into_connection(config) {
                        Ok(mut tls) => {
                            tls.set_buffer_limit(Some(OUT_BYTES_MAX));
                            self.tls = Tls::Open(Box::new(tls));
                            self.flush();
                            return true;
                        }
                        Err((_, mut alert)) => {
                            let _ = alert.write_all(&mut self.stream); // closed either way
                            self.dead = true;
                        }
                    }
                }
                Err((_, mut alert)) => {
                    let _ = alert.write_all(&mut self.stream); // closed either way
                    self.dead = true;
                }
            },
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return true,
            Err(_) => self.dead = true,
        }
        false
    }

    /// Decrypts what was read and hands it to the protocol; `false` where there is nothing to serve.
    pub(super) fn decrypt(&mut self, at: Nanos) -> bool {
        let Tls::Open(tls) = &mut self.tls else { return false };
        if tls.process_new_packets().is_err() {
            self.flush(); // the alert
            self.dead = true;
            return false;
        }
        let mut buf = [0; 16 * 1024];
        let mut any = false;
        loop {
            match tls.reader().read(&mut buf) {
                Ok(0) => {
                    // The client said goodbye: what it has asked for is still answered.
                    self.closing = !any;
                    return any;
                }
                Ok(count) => {
                    any = true;
                    match &mut self.proto {
                        Proto::Http(decoder) => {
                            if decoder.is_empty() {
                                self.first_byte = Some(at);
                            }
                            decoder.push(&buf[..count]);
                        }
                        Proto::Ws(ws) => {
                            self.served = at; // a ping or a pong is a sign of life too
                            ws.push(&buf[..count]);
                        }
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(_) => {
                    self.dead = true;
                    return false;
                }
            }
        }
        if tls.wants_write() {
            self.flush(); // handshake messages and tickets
        }
        any
    }

    /// Queues plaintext; a reader too slow for what is queued already is given up.
    pub(super) fn write(&mut self, bytes: &[u8]) {
        if bytes.is_empty() || self.dead {
            return;
        }
        if let Tls::Open(tls) = &mut self.tls
            && tls.writer().write_all(bytes).is_err()
        {
            self.dead = true;
        }
    }

    pub(super) fn flush(&mut self) {
        let Tls::Open(tls) = &mut self.tls else { return };
        while tls.wants_write() {
            match tls.write_tls(&mut self.stream) {
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => {
                    self.dead = true;
                    return;
                }
            }
        }
    }
}
