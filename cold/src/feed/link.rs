//! One WebSocket: dial, upgrade, read, write, lose it, dial again.

use std::fmt;
use std::io;

use crossbeam_channel::{Receiver, Sender};
use mio::{Registry, Token};
use surefoot_hot::bounds::DATA_AGE_MAX;
use surefoot_hot::event::Link;
use surefoot_hot::ids::{MarketId, Venue};
use surefoot_hot::links::LinkNumber;
use surefoot_hot::units::Nanos;
use surefoot_hot::venue::{Counters, DecodeError, Notice, Session};
use tungstenite::client::client_with_config;
use tungstenite::handshake::HandshakeError;
use tungstenite::handshake::MidHandshake;
use tungstenite::handshake::client::ClientHandshake;
use tungstenite::http::Uri;
use tungstenite::protocol::WebSocketConfig;
use tungstenite::{ClientRequestBuilder, Error, Message, WebSocket};

use super::market_set::MarketSet;
use super::outlet::{Outlet, RingSink};
use super::tap::Tap;
use crate::directory::Entry;
use crate::http_answer::refuses_credentials;
use crate::net::dial::OPEN_WAIT_MAX;
use crate::net::{Dialer, Meter, Stage, TlsStream};

/// Frames that one link reads in one turn.
pub const FRAMES_PER_TURN_MAX: u32 = 32;
/// The largest message taken: Kalshi documents 64 MiB.
const MESSAGE_BYTES_MAX: usize = 64 << 20;

/// A session that can be told of further markets while it runs.
pub trait Follow: Session {
    /// Follows one more market, or one whose terms changed.
    ///
    /// # Errors
    /// It cannot: no room, or a name that is not one of this venue's.
    fn follow(&mut self, now: Nanos, entry: &Entry) -> Result<(), Unfollowed>;
    /// Whether another market fits.
    fn has_room(&self) -> bool;
    /// Stops following these markets.
    fn unfollow(&mut self, now: Nanos, markets: &[MarketId]);
}

/// A market was not taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unfollowed;

/// What a link is told while it runs. The program sends none of these, the tests of the feed do.
#[derive(Debug)]
pub enum Command {
    /// Close the socket and dial again: credentials changed, or someone doubts it.
    Reconnect,
}

/// Signs the upgrade request: which headers to add to a `GET` of `path` at `now`.
pub trait Upgrade: Send {
    /// Names and values of the headers of a request for `path` that is made at `now`.
    fn headers(&mut self, now: Nanos, path: &str) -> Vec<(String, String)>;
}

/// Looks at a frame.
pub type Inspect = Box<dyn FnMut(&[u8]) + Send>;

/// What a link has beside its session and its dialer; all of it may be left out.
#[derive(Default)]
pub struct LinkOptions {
    /// Signs the upgrade.
    pub upgrade: Option<Box<dyn Upgrade>>,
    /// Commands from the cold side.
    pub commands: Option<Receiver<Command>>,
    /// Where news for the catalogue goes; dropped and counted where there is no room.
    pub notices: Option<Sender<(Venue, Notice)>>,
    /// Looks at each frame before the session does: learns venue order ids, say.
    pub inspect: Option<Inspect>,
}

impl fmt::Debug for LinkOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinkOptions")
    }
}

/// What a link has done so far: plain counters, never reset.
#[derive(Clone, Debug)]
pub struct LinkStats {
    /// To which venue.
    pub venue: Venue,
    /// What it carries.
    pub link: Link,
    /// Which of the venue's market links; 0 for a private one.
    pub number: LinkNumber,
    /// Whether it works now.
    pub up: bool,
    /// Text frames read.
    pub frames: u64,
    /// Bytes of the text of those frames.
    pub bytes: u64,
    /// Events that the session made of them.
    pub events: u64,
    /// Frames that were written to the venue.
    pub sent: u64,
    /// Times it came up.
    pub opened: u64,
    /// Times it broke after it was up.
    pub lost: u64,
    /// Attempts that never came up.
    pub failed: u64,
    /// Frames not understood: a field, off the grid, a gap, an unknown word; then frames that were no text.
    pub bad: [u64; 5],
    /// Turns in which it was left unread because the ring had no room.
    pub held: u64,
    /// News for the catalogue that found no room.
    pub notices_lost: u64,
    /// Markets it was told to follow and could not.
    pub unfollowed: u64,
    /// Text frames that found no room on the way to the audit.
    pub untapped: u64,
    /// The last message about our own money that was not understood, by what it names; with how many there were.
    pub unread: (u64, Option<String>),
    /// Whether the venue turned the last signed upgrade away for who asked (401 or 403); ends with the next that works.
    pub credentials_refused: bool,
    /// Why it last broke or failed.
    pub last_error: Option<String>,
}

impl LinkStats {
    /// A frame was not understood.
    fn on_bad(&mut self, error: DecodeError, text: &str) {
        self.bad[kind(error)] += 1;
        if self.link == Link::Private {
            self.unread.0 += 1;
            self.unread.1 = Some(format!("{error:?}{}", named(text)));
        }
    }

    /// What people call the link: the venue, what it carries and, where there may be several, its number.
    pub fn name(&self) -> String {
        let (venue, link) = (self.venue.name(), self.link.name());
        match self.link {
            Link::Market => format!("{venue} {link} {}", self.number),
            Link::Private | Link::Orders => format!("{venue} {link}"),
        }
    }
}

/// Whether an upgrade failed because of who asked. The page of a filter in front of the venue proves nothing about the key.
fn refuses(error: &tungstenite::Error) -> bool {
    let tungstenite::Error::Http(answer) = error else { return false };
    refuses_credentials(answer.status().as_u16(), answer.body().as_deref().unwrap_or_default())
}

enum State {
    Down,
    Opening { stream: Box<TlsStream>, by: Nanos },
    Upgrading { half: Box<MidHandshake<ClientHandshake<TlsStream>>>, by: Nanos },
    Up(Box<WebSocket<TlsStream>>),
}

/// A connection to a venue, and the session that understands what it carries.
pub struct FeedLink<S> {
    venue: Venue,
    link: Link,
    session: S,
    dialer: Dialer,
    options: LinkOptions,
    token: Token,
    state: State,
    markets: MarketSet,
    /// Since when it is left unread because the ring is half full; [`Nanos::NEVER`] while it is not.
    held_since: Nanos,
    /// Bytes may be left in a buffer of ours: no readiness will tell of them.
    more: bool,
    /// The session may have something to say.
    acted: bool,
    /// Something written is not out yet.
    unflushed: bool,
    resyncs_seen: u64,
    /// When the socket was last seen to be empty: everything that had come by then has been handed in.
    empty_at: Nanos,
    stats: LinkStats,
}

impl<S: fmt::Debug> fmt::Debug for FeedLink<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FeedLink({} {:?} {})", self.venue.name(), self.link, self.dialer.endpoint())
    }
}

impl<S: Follow> FeedLink<S> {
    /// A link that dials when it is first turned. `session` knows its markets, listed in `markets`.
    pub fn new(
        venue: Venue,
        link: Link,
        session: S,
        markets: Vec<MarketId>,
        dialer: Dialer,
        options: LinkOptions,
    ) -> Self {
        let stats = LinkStats {
            venue,
            link,
            number: session.number(),
            up: false,
            frames: 0,
            bytes: 0,
            events: 0,
            sent: 0,
            opened: 0,
            lost: 0,
            failed: 0,
            bad: [0; 5],
            held: 0,
            notices_lost: 0,
            unfollowed: 0,
            untapped: 0,
            unread: (0, None),
            credentials_refused: false,
            last_error: None,
        };
        Self {
            venue,
            link,
            session,
            dialer,
            options,
            token: Token(0),
            state: State::Down,
            markets: markets.into_iter().collect(),
            held_since: Nanos::NEVER,
            more: false,
            acted: false,
            unflushed: false,
            resyncs_seen: 0,
            empty_at: Nanos::ZERO,
            stats,
        }
    }

    /// The session, for reading its counters.
    pub fn session(&self) -> &S {
        &self.session
    }

    fn sink<'a>(&self, outlet: &'a mut Outlet) -> RingSink<'a> {
        RingSink { outlet, venue: self.venue, link: self.session.number(), pushed: 0 }
    }

    fn on_command(&mut self, now: Nanos, command: &Command, registry: &Registry, out: &mut Outlet) {
        self.acted = true;
        match command {
            Command::Reconnect => self.go_down(now, registry, out, "told to reconnect"),
        }
    }

    /// Towards an upgraded connection, as far as the socket lets it.
    fn open(&mut self, now: Nanos, registry: &Registry, out: &mut Outlet) -> u32 {
        match std::mem::replace(&mut self.state, State::Down) {
            State::Down => {
                if let Some(stream) = self.dialer.dial(now, registry, self.token) {
                    let (stream, by) = (Box::new(stream), now.after(OPEN_WAIT_MAX));
                    self.state = State::Opening { stream, by };
                    return 1;
                }
            }
            State::Opening { mut stream, by } => match stream.drive() {
                Ok(true) => return self.upgrade(now, *stream, by, registry, out),
                Ok(false) if now < by => self.state = State::Opening { stream, by },
                Ok(false) => self.fail(now, "no connection in time"),
                Err(error) => self.fail(now, error),
            },
            State::Upgrading { half, by } => {
                if now >= by {
                    self.fail(now, "no upgrade in time");
                } else {
                    self.upgraded(now, half.handshake(), by, out);
                }
            }
            up @ State::Up(_) => self.state = up,
        }
        0
    }

    fn upgrade(
        &mut self,
        now: Nanos,
        stream: TlsStream,
        by: Nanos,
        registry: &Registry,
        out: &mut Outlet,
    ) -> u32 {
        let endpoint = self.dialer.endpoint();
        let uri = Uri::builder()
            .scheme("wss")
            .authority(endpoint.authority())
            .path_and_query(if endpoint.path.is_empty() { "/" } else { &endpoint.path })
            .build();
        let uri = match uri {
            Ok(uri) => uri,
            Err(error) => {
                stream.close(registry);
                self.fail(now, error);
                return 1;
            }
        };
        let mut request = ClientRequestBuilder::new(uri);
        if let Some(upgrade) = &mut self.options.upgrade {
            for (name, value) in upgrade.headers(now, &endpoint.path) {
                request = request.with_header(name, value);
            }
        }
        let config = WebSocketConfig::default()
            .max_message_size(Some(MESSAGE_BYTES_MAX))
            .max_frame_size(Some(MESSAGE_BYTES_MAX));
        let started = client_with_config(request, stream, Some(config));
        self.upgraded(now, started, by, out);
        1
    }

    fn upgraded<R>(
        &mut self,
        now: Nanos,
        result: Result<(WebSocket<TlsStream>, R), HandshakeError<ClientHandshake<TlsStream>>>,
        by: Nanos,
        out: &mut Outlet,
    ) {
        match result {
            Ok((socket, _)) => {
                self.state = State::Up(Box::new(socket));
                (self.more, self.acted, self.unflushed) = (true, true, false);
                self.stats.up = true;
                self.stats.opened += 1;
                self.stats.credentials_refused = false;
                self.resyncs_seen = out.between_frames(self.venue, self.session.number());
                self.empty_at = Nanos::ZERO;
                self.session.on_open(now);
            }
            Err(HandshakeError::Interrupted(half)) => {
                self.state = State::Upgrading { half: Box::new(half), by };
            }
            Err(HandshakeError::Failure(error)) => {
                // of an unsigned one it is a filter's page, which proves nothing about a key
                self.stats.credentials_refused |= self.options.upgrade.is_some() && refuses(&error);
                self.fail(now, error);
            }
        }
    }

    /// An attempt came to nothing.
    fn fail(&mut self, now: Nanos, why: impl fmt::Display) {
        self.state = State::Down;
        self.stats.failed += 1;
        self.stats.last_error = Some(why.to_string());
        self.dialer.on_failure(now);
    }

    /// A link that was up is no more.
    fn go_down(
        &mut self,
        now: Nanos,
        registry: &Registry,
        out: &mut Outlet,
        why: impl fmt::Display,
    ) {
        match std::mem::replace(&mut self.state, State::Down) {
            State::Up(socket) => {
                socket.into_inner().close(registry);
                self.stats.up = false;
                self.stats.lost += 1;
                self.stats.last_error = Some(why.to_string());
                self.dialer.on_failure(now);
                let mut sink = self.sink(out);
                self.session.on_close(now, &mut sink);
            }
            State::Down => {}
            State::Opening { .. } | State::Upgrading { .. } => self.fail(now, why),
        }
    }

    fn read<M: Meter>(
        &mut self,
        now: Nanos,
        out: &mut Outlet,
        mut tap: Option<&mut Tap>,
        meter: &mut M,
    ) -> Result<u32, Error> {
        let State::Up(socket) = &mut self.state else { return Ok(0) };
        if !self.more && !socket.get_ref().is_ready() {
            self.empty_at = now;
            return Ok(0);
        }
        self.more = true;
        let mut frames = 0;
        while frames < FRAMES_PER_TURN_MAX {
            let held = match self.link {
                Link::Private => !out.has_room(),
                Link::Market => hold(&mut self.held_since, now, out.has_half()),
                Link::Orders => unreachable!("the feed has no such link"),
            };
            if held {
                self.stats.held += 1;
                return Ok(frames);
            }
            let message = match socket.read() {
                Ok(message) => message,
                Err(Error::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.more = false;
                    self.empty_at = now;
                    return Ok(frames);
                }
                Err(error) => return Err(error),
            };
            frames += 1;
            self.acted = true;
            match message {
                Message::Text(text) => {
                    let bytes = text.as_bytes();
                    if let Some(inspect) = &mut self.options.inspect {
                        inspect(bytes);
                    }
                    out.between_frames(self.venue, self.session.number());
                    let start = meter.now();
                    let (venue, link) = (self.venue, self.session.number());
                    let mut sink = RingSink { outlet: out, venue, link, pushed: 0 };
                    let result = self.session.on_frame(now, bytes, &mut sink);
                    self.stats.events += u64::from(sink.pushed);
                    let span = meter.now().since(start);
                    meter.record(Stage::Decode, span);
                    if let Some(tap) = &mut tap {
                        let conn = u32::try_from(self.stats.opened).unwrap_or(u32::MAX);
                        let number = self.session.number();
                        let tapped = tap.frame(now, self.venue, self.link, number, conn, bytes);
                        self.stats.untapped += u64::from(!tapped);
                    }
                    self.stats.frames += 1;
                    self.stats.bytes += bytes.len() as u64;
                    self.dialer.on_open(); // only now: some venues accept a link and drop it at once
                    if let Err(error) = result {
                        self.stats.on_bad(error, text.as_str());
                    }
                }
                Message::Binary(_) | Message::Frame(_) => self.stats.bad[4] += 1,
                Message::Ping(_) | Message::Pong(_) => self.session.on_alive(now),
                Message::Close(_) => return Err(Error::ConnectionClosed),
            }
        }
        Ok(frames)
    }

    fn write(&mut self) -> Result<u32, Error> {
        let State::Up(socket) = &mut self.state else { return Ok(0) };
        let mut written = 0;
        if self.acted {
            self.acted = false;
            while let Some(frame) = self.session.poll_send() {
                let text = std::str::from_utf8(frame).map_err(|e| Error::Utf8(e.to_string()))?;
                pass_would_block(socket.write(Message::text(text)))?;
                written += 1;
            }
            if self.session.poll_ping() {
                pass_would_block(socket.write(Message::Ping(tungstenite::Bytes::new())))?;
                written += 1;
            }
            self.stats.sent += u64::from(written);
            self.unflushed = true; // a pong of the library's own may wait as well
        }
        if self.unflushed {
            match socket.flush() {
                Ok(()) => self.unflushed = false,
                Err(Error::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
        Ok(written)
    }
}

/// Whether a market link is left unread because the ring is half full. Not for longer than market data may be old: what
/// would be read then is worth nothing, and fresh snapshots come sooner where it is dropped.
fn hold(since: &mut Nanos, now: Nanos, has_half: bool) -> bool {
    if has_half {
        *since = Nanos::NEVER;
        return false;
    }
    *since = (*since).min(now);
    now.since(*since) < DATA_AGE_MAX
}

/// What a message names, for a person who must find it at the venue. Not the message: it may hold our key.
fn named(message: &str) -> String {
    const NAMES: [&str; 6] =
        ["market_ticker", "market", "asset_id", "order_id", "trade_id", "status"];
    let mut words = String::new();
    for name in NAMES {
        let Some((_, rest)) = message.split_once(&format!("\"{name}\"")) else { continue };
        let rest = rest.trim_start().strip_prefix(':').unwrap_or_default().trim_start();
        let value = rest.strip_prefix('"').and_then(|rest| rest.split('"').next());
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            let value: String = value.chars().filter(|c| !c.is_control()).take(80).collect();
            words.push_str(&format!(", {name} {value}"));
        }
    }
    words
}

/// What was written stays in the library's buffer where the socket is full.
fn pass_would_block(result: Result<(), Error>) -> Result<(), Error> {
    match result {
        Err(Error::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => Ok(()),
        other => other,
    }
}

const fn kind(error: DecodeError) -> usize {
    match error {
        DecodeError::BadField { .. } => 0,
        DecodeError::OffGrid { .. } => 1,
        DecodeError::Gap { .. } => 2,
        DecodeError::Unknown { .. } => 3,
    }
}

/// A link of whatever session, as its feed sees it.
pub(super) trait AnyLink<M>: Send {
    fn turn(
        &mut self,
        now: Nanos,
        registry: &Registry,
        out: &mut Outlet,
        tap: Option<&mut Tap>,
        meter: &mut M,
    ) -> u32;
    fn on_ready(&mut self, event: &mio::event::Event);
    fn register_as(&mut self, token: Token);
    /// Whether it is a market link that carries the books of this market.
    fn carries(&self, market: MarketId) -> bool;
    /// Follows one more market, or one whose terms changed. Whether it could.
    fn follow(&mut self, now: Nanos, entry: &Entry) -> bool;
    /// Whether it is a market link of this venue with a place for another market.
    fn has_place(&self, venue: Venue) -> bool;
    fn resync(&mut self, now: Nanos, market: MarketId);
    /// Stops following these markets. A private link goes on knowing them.
    fn unfollow(&mut self, now: Nanos, markets: &[MarketId]);
    fn deadline(&self) -> Nanos;
    /// For a market link that is up: up to when everything that came has been handed in; zero before it was read empty.
    fn current(&self, now: Nanos) -> Option<Nanos>;
    /// Whether it has something to do in the next turn although its socket says nothing and its deadline has not come.
    fn wants_turn(&self) -> bool;
    fn has_more(&self) -> bool;
    fn shut(&mut self, now: Nanos, registry: &Registry, out: &mut Outlet);
    fn stats(&self) -> &LinkStats;
    fn counters(&self) -> &Counters;
}

impl<S: Follow + Send, M: Meter> AnyLink<M> for FeedLink<S> {
    fn turn(
        &mut self,
        now: Nanos,
        registry: &Registry,
        out: &mut Outlet,
        tap: Option<&mut Tap>,
        meter: &mut M,
    ) -> u32 {
        let command = self.options.commands.as_ref().and_then(|commands| commands.try_recv().ok());
        let mut work = u32::from(command.is_some());
        if let Some(command) = command {
            self.on_command(now, &command, registry, out);
        }
        if !matches!(self.state, State::Up(_)) {
            work += self.open(now, registry, out);
        }
        if !matches!(self.state, State::Up(_)) {
            return work;
        }
        let resyncs = out.between_frames(self.venue, self.session.number());
        if resyncs != self.resyncs_seen {
            self.resyncs_seen = resyncs;
            self.acted = true;
            for market in self.markets.iter() {
                self.session.resync(now, market);
            }
        }
        match self.read(now, out, tap, meter) {
            Ok(frames) => work += frames,
            Err(error) => {
                self.go_down(now, registry, out, error);
                return work + 1;
            }
        }
        if now >= self.session.poll_deadline() {
            self.acted = true;
            let mut sink = self.sink(out);
            if !self.session.on_deadline(now, &mut sink) {
                self.go_down(now, registry, out, "silent for too long");
                return work + 1;
            }
        }
        match self.write() {
            Ok(written) => work += written,
            Err(error) => self.go_down(now, registry, out, error),
        }
        while let Some(notice) = self.session.poll_notice() {
            let sent = self.options.notices.as_ref().map(|to| to.try_send((self.venue, notice)));
            self.stats.notices_lost += u64::from(sent.is_some_and(|sent| sent.is_err()));
        }
        work
    }

    fn on_ready(&mut self, event: &mio::event::Event) {
        match &mut self.state {
            State::Down => {}
            State::Opening { stream, .. } => stream.on_ready(event),
            State::Upgrading { half, .. } => half.get_mut().get_mut().on_ready(event),
            State::Up(socket) => socket.get_mut().on_ready(event),
        }
    }

    fn register_as(&mut self, token: Token) {
        self.token = token;
    }

    fn carries(&self, market: MarketId) -> bool {
        self.link == Link::Market && self.markets.contains(market)
    }

    fn follow(&mut self, now: Nanos, entry: &Entry) -> bool {
        self.acted = true;
        let is_in = self.session.follow(now, entry).is_ok();
        if is_in {
            self.markets.insert(entry.def.market);
        } else {
            self.stats.unfollowed += 1;
        }
        is_in
    }

    fn has_place(&self, venue: Venue) -> bool {
        self.link == Link::Market && self.venue == venue && self.session.has_room()
    }

    fn resync(&mut self, now: Nanos, market: MarketId) {
        self.acted = true;
        self.session.resync(now, market);
    }

    fn unfollow(&mut self, now: Nanos, markets: &[MarketId]) {
        if self.link == Link::Private {
            return; // late fills of a market that is followed no more still count
        }
        self.acted = true;
        self.session.unfollow(now, markets);
        markets.iter().for_each(|market| self.markets.remove(*market));
    }

    fn deadline(&self) -> Nanos {
        match &self.state {
            State::Down => self.dialer.not_before(),
            State::Opening { by, .. } | State::Upgrading { by, .. } => *by,
            State::Up(_) => self.session.poll_deadline(),
        }
    }

    fn current(&self, now: Nanos) -> Option<Nanos> {
        if self.link != Link::Market || !matches!(self.state, State::Up(_)) {
            return None;
        }
        let late = self.session.late(now).get();
        Some(Nanos::new(self.empty_at.get().saturating_sub(late)))
    }

    fn wants_turn(&self) -> bool {
        match self.state {
            State::Down => self.options.commands.is_some(),
            State::Opening { .. } | State::Upgrading { .. } => true,
            State::Up(_) => {
                self.more || self.acted || self.unflushed || self.options.commands.is_some()
            }
        }
    }

    fn has_more(&self) -> bool {
        let held = self.link == Link::Private; // unread for want of room: sleeping is right
        matches!(self.state, State::Up(_)) && (self.acted || self.more && !held)
    }

    fn shut(&mut self, now: Nanos, registry: &Registry, out: &mut Outlet) {
        if let State::Up(socket) = &mut self.state {
            let _ = socket.close(None); // so that the venue need not find out by itself
        }
        self.go_down(now, registry, out, "closed by us");
    }

    fn stats(&self) -> &LinkStats {
        &self.stats
    }

    fn counters(&self) -> &Counters {
        Session::counters(&self.session)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_answer_about_who_asked_refuses_credentials() {
        for (status, expected) in
            [(401, true), (403, true), (404, false), (429, false), (503, false)]
        {
            let answer = tungstenite::http::Response::builder().status(status).body(None);
            let error = tungstenite::Error::Http(Box::new(answer.expect("a valid status")));
            assert_eq!(refuses(&error), expected, "{status}");
        }
        assert!(!refuses(&tungstenite::Error::ConnectionClosed));
    }
}
