//! One kept-alive connection, and the one function that writes an order to a socket.

use std::io::{self, Read, Write};

use crate::halt::HaltEpoch;
use mio::{Registry, Token};
use surefoot_hot::report::Unsent;
use surefoot_hot::units::Nanos;

use super::http::{Answer, BadAnswer, Inbox};
use super::machine::{LeaveTerms, WriteResult};
use crate::net::dial::OPEN_WAIT_MAX;
use crate::net::{Dialer, TlsStream};

/// Under what conditions an order may leave.
pub(super) struct Leave<'a, C> {
    halt: &'a HaltEpoch,
    terms: LeaveTerms,
    clock: C,
}

impl<'a, C: FnMut() -> Nanos> Leave<'a, C> {
    /// While `halt` and `clock` stand as the terms want.
    pub(super) fn new(halt: &'a HaltEpoch, terms: LeaveTerms, clock: C) -> Self {
        Self { halt, terms, clock }
    }

    /// Why it may not leave now. The epoch is read last: nothing stands between it and the kernel.
    #[inline]
    fn stopped(&mut self) -> Option<Unsent> {
        let old = (self.clock)() > self.terms.by;
        if self.halt.read() != self.terms.epoch {
            return Some(Unsent::Epoch);
        }
        old.then_some(Unsent::Old)
    }
}

/// What came back.
pub(super) enum Received<'a> {
    /// Nothing whole yet.
    Nothing,
    /// A whole answer to the request in flight.
    Answer(Answer<'a>),
    /// The connection is of no use any more; the request's fate is open.
    Broken(String),
}

/// A connection: at most one request in flight.
#[derive(Debug)]
pub(super) struct Lane {
    dialer: Dialer,
    stream: Option<TlsStream>,
    open: bool,
    open_by: Nanos,
    token: Token,
    inbox: Inbox,
}

impl Lane {
    pub(super) fn new(dialer: Dialer, token: Token) -> Self {
        Self {
            dialer,
            stream: None,
            open: false,
            open_by: Nanos::NEVER,
            token,
            inbox: Inbox::new(),
        }
    }

    pub(super) fn is_open(&self) -> bool {
        self.open
    }

    pub(super) fn dialer(&self) -> &Dialer {
        &self.dialer
    }

    pub(super) fn on_ready(&mut self, event: &mio::event::Event) {
        if let Some(stream) = &mut self.stream {
            stream.on_ready(event);
        }
    }

    /// When it wants a turn although nothing is ready.
    pub(super) fn deadline(&self) -> Nanos {
        match (&self.stream, self.open) {
            (None, _) => self.dialer.not_before(),
            (Some(_), false) => self.open_by,
            (Some(_), true) => Nanos::NEVER,
        }
    }

    /// Dials and shakes hands; whether something moved.
    pub(super) fn drive(&mut self, now: Nanos, registry: &Registry) -> bool {
        let Some(stream) = &mut self.stream else {
            self.stream = self.dialer.dial(now, registry, self.token);
            self.open_by = now.after(OPEN_WAIT_MAX);
            return self.stream.is_some();
        };
        if self.open {
            return false;
        }
        match stream.drive() {
            Ok(true) => {
                self.open = true;
                self.inbox.clear();
                self.dialer.on_open();
                true
            }
            Ok(false) if now < self.open_by => false,
            Ok(false) | Err(_) => {
                self.close(now, registry);
                true
            }
        }
    }

    /// Gives the connection up; the next one is dialled when it is due.
    pub(super) fn close(&mut self, now: Nanos, registry: &Registry) {
        if let Some(stream) = self.stream.take() {
            stream.close(registry);
            self.dialer.on_failure(now);
        }
        self.open = false;
        self.inbox.clear();
    }

    /// Gives the connection up for no fault of its own, as when the server says it is its last answer.
    pub(super) fn recycle(&mut self, now: Nanos, registry: &Registry) {
        if let Some(stream) = self.stream.take() {
            stream.close(registry);
        }
        self.open = false;
        self.open_by = now.after(OPEN_WAIT_MAX);
        self.inbox.clear();
    }

    /// The only place where the bytes of an order reach a socket. The order's age is looked at, and the epoch of its
    /// decision compared with the shared one (O13), by the last instructions before each call into the kernel; where it may not
    /// leave nothing more is written, and a connection that already holds a part is cut, so that the rest can never follow.
    ///
    /// `request` is `None` to go on with a part written before. After anything but [`WriteResult::All`] and
    /// [`WriteResult::Part`] the caller closes the lane: it may hold encrypted bytes that must never follow.
    pub(super) fn write_order(
        &mut self,
        leave: &mut Leave<'_, impl FnMut() -> Nanos>,
        request: Option<&[u8]>,
    ) -> WriteResult {
        let Some(stream) = self.stream.as_mut().filter(|_| self.open) else {
            return WriteResult::Nothing;
        };
        let mut left = request.is_none();
        if let Some(request) = request {
            if stream.has_staged() {
                return WriteResult::Nothing; // something unsent is in the way: not a connection to rely on
            }
            if stream.stage(request).is_err() {
                return WriteResult::Nothing;
            }
        }
        loop {
            if let Some(why) = leave.stopped() {
                return if left { WriteResult::Cut } else { WriteResult::Stopped(why) };
            }
            match stream.write_staged() {
                Ok(0) => return if left { WriteResult::Cut } else { WriteResult::Nothing },
                Ok(_) => left = true,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock && left => {
                    return WriteResult::Part;
                }
                Err(_) => return if left { WriteResult::Cut } else { WriteResult::Nothing },
            }
            if !stream.has_staged() {
                return WriteResult::All;
            }
        }
    }

    /// Writes any other request. `false`: the connection broke.
    pub(super) fn write(&mut self, request: &[u8]) -> bool {
        let Some(stream) = self.stream.as_mut().filter(|_| self.open) else { return false };
        stream.write_all(request).is_ok()
    }

    /// Pushes out what the socket did not take at once; only requests that are no orders.
    pub(super) fn flush(&mut self) -> bool {
        match &mut self.stream {
            Some(stream) if stream.has_staged() => match stream.flush() {
                Ok(()) => true,
                Err(error) => error.kind() == io::ErrorKind::WouldBlock,
            },
            _ => true,
        }
    }

    /// Whether there may be something to read.
    pub(super) fn is_ready(&self) -> bool {
        self.stream.as_ref().is_some_and(|stream| self.open && stream.is_ready())
    }

    /// Reads what has come.
    pub(super) fn read(&mut self, scratch: &mut [u8]) -> Received<'_> {
        let Some(stream) = self.stream.as_mut() else {
            return Received::Broken("no connection".to_owned());
        };
        let (mut ended, mut broken) = (false, None);
        loop {
            match stream.read(scratch) {
                Ok(0) => {
                    ended = true;
                    break;
                }
                Ok(len) => {
                    if let Err(BadAnswer(why)) = self.inbox.push(&scratch[..len]) {
                        return Received::Broken(why.to_owned());
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    broken = Some(error);
                    break;
                }
            }
        }
        // an end without TLS's close notice may have been cut by an attacker: then only an answer whose length is known counts
        match self.inbox.poll(ended) {
            Ok(Some(mut answer)) => {
                answer.keep &= broken.is_none();
                Received::Answer(answer)
            }
            Ok(None) => match broken {
                Some(error) => Received::Broken(error.to_string()),
                None => Received::Nothing,
            },
            Err(BadAnswer(why)) => Received::Broken(why.to_owned()),
        }
    }

    /// The answer was dealt with.
    pub(super) fn done(&mut self) {
        self.inbox.clear();
    }
}
