//! Kalshi's WebSocket (`venues/kalshi.md` §4, 2026-11-20): one session type for the market link and the private
//! link.
//!
//! Sequence numbers run per subscription over all its markets and every kind of frame, so they are checked
//! before a frame is looked at. A gap puts every book of the subscription in doubt until its snapshot comes.
//! The NO side is asked for in YES price, explicitly: it is the ask ladder.

mod commands;
mod delta;
mod life;
mod next_delta;
pub mod odd;
mod private;
mod wire;

pub use self::private::our_order_id;

use self::commands::{Channel, Sid};
use self::delta::DeltaShape;
use self::next_delta::NextDelta;
use self::wire::{Message, Scratch, read_delta, read_message, usual_delta};
use super::decimal;
use super::hints::Hints;
use super::lag::Lag;
use super::odd::{About, about};
use super::outgoing::Outgoing;
use super::pulse::{Beat, Pulse};
use super::scan::{Odd, Scan};
use super::snapshots::{Snapshots, Unanswered};
use super::{Counters, DecodeError, EventSink, Notice, plain};
use crate::book::{Change, Level, StaleWhy};
use crate::bounds::MARKETS_MAX;
use crate::event::{Event, Link, Oddity};
use crate::grid::Grid;
use crate::ids::{MarketId, Side, Venue};
use crate::links::LinkNumber;
use crate::symbol::{SYMBOL_BYTES_MAX, SymbolError, SymbolTable};
use crate::units::{Nanos, Price};

/// We ping this often: the venue's own pings may be a minute apart under load.
pub const PING_EVERY: Nanos = Nanos::from_secs(4);
/// A link silent this long, 2.5 pings, is dead.
pub const SILENCE_MAX: Nanos = Nanos::from_secs(10);
/// How long a snapshot may take before it is asked for again; doubled each time, four times at most.
const SNAPSHOT_WAIT: Nanos = Nanos::from_secs(3);
/// The market of a slot that no market has.
const NOBODY: MarketId = MarketId::new(u16::MAX);
const _: () = assert!(MARKETS_MAX <= u16::MAX as usize, "no market has its number");
/// Notices kept until they are fetched; a new market is told once.
const NOTICES_MAX: usize = 64;

/// What a link is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Books, trades, life cycle.
    Market,
    /// Our orders and fills.
    Private,
}

impl Role {
    const fn link(self) -> Link {
        match self {
            Self::Market => Link::Market,
            Self::Private => Link::Private,
        }
    }
}

/// One link's conversation. See the module's text.
#[derive(Debug)]
pub struct Session {
    role: Role,
    table: SymbolTable,
    /// Guesses a market by the end of its ticker; the ticker itself is compared afterwards.
    hints: Hints,
    states: Vec<State>,
    sids: Vec<Sid>,
    /// How the next change of the subscription begins that carries the books.
    next_delta: NextDelta,
    delta_shape: DeltaShape,
    scratch: Scratch,
    plain: Vec<u8>,
    out: Outgoing,
    notices: Vec<Notice>,
    counters: Counters,
    last_error: Option<u64>,
    command: u64,
    pulse: Pulse,
    lag: Lag,
    /// Of a private link: whether the venue has acknowledged the channel of fills, and that of orders.
    acked: [bool; 2],
    /// Whether a ping is wanted.
    ping: bool,
    /// By the slots of `states`.
    snapshots: Snapshots,
    /// Slots of markets that were removed.
    free: Vec<usize>,
    /// How many markets there may be.
    capacity: usize,
    /// Since when markets wait to be subscribed to, all in one request.
    joining: Option<Nanos>,
}

/// What the session knows of one market.
#[derive(Clone, Copy, Debug)]
struct State {
    market: MarketId,
    ticker: [u8; SYMBOL_BYTES_MAX],
    ticker_len: u8,
    /// Whether the ticker has nothing that JSON would write otherwise.
    is_plain: bool,
    grid: Grid,
    venue_ms: u64,
    /// What YES pays, once determined.
    pays: Option<Price>,
}

impl State {
    fn ticker(&self) -> &[u8] {
        &self.ticker[..usize::from(self.ticker_len)]
    }
}

/// What a sequence number means for its frame.
enum Seen {
    Next,
    Again,
    Gap { want: u64, seen: u64 },
}

impl Session {
    /// Room for so many markets.
    pub fn with_capacity(role: Role, markets: usize) -> Self {
        Self {
            role,
            table: SymbolTable::with_capacity(markets),
            hints: Hints::with_capacity(markets),
            states: Vec::with_capacity(markets),
            sids: Vec::with_capacity(commands::SIDS_MAX),
            next_delta: NextDelta::NONE,
            delta_shape: DeltaShape::new(),
            scratch: Scratch::new(),
            plain: Vec::new(),
            out: Outgoing::with_capacity(2_048 + markets * 192),
            notices: Vec::with_capacity(NOTICES_MAX),
            counters: Counters::default(),
            last_error: None,
            command: 0,
            pulse: Pulse::new(Venue::Kalshi, role.link(), PING_EVERY, SILENCE_MAX),
            lag: Lag::NONE,
            acked: [false; 2],
            ping: false,
            snapshots: Snapshots::with_capacity(markets, SNAPSHOT_WAIT),
            free: Vec::with_capacity(markets),
            capacity: markets,
            joining: None,
        }
    }

    /// The link has this number among the venue's market links; 0 where nothing is said.
    #[must_use]
    pub const fn numbered(mut self, number: LinkNumber) -> Self {
        self.pulse.set_number(number);
        self
    }

    /// Follows one more market, whose metadata has this grid; on an open link it is subscribed to with the next frames that are
    /// sent.
    ///
    /// # Errors
    /// No room, a name that is too long, or one that stands for another market already.
    pub fn add_market(
        &mut self,
        now: Nanos,
        ticker: &str,
        market: MarketId,
        grid: Grid,
    ) -> Result<(), SymbolError> {
        let slot = match self.table.find(ticker.as_bytes()) {
            Some(slot) if self.states[slot as usize].market != market => {
                return Err(SymbolError::Taken);
            }
            Some(slot) => slot as usize,
            None => self.new_state(ticker, market, grid)?,
        };
        self.states[slot].grid = grid;
        if self.snapshots.follow(slot) {
            self.joining.get_or_insert(now);
        }
        Ok(())
    }

    /// Subscribes to the markets that wait for it, before any other asks for something else.
    #[inline]
    fn join(&mut self, now: Nanos) {
        if self.joining.is_some() {
            self.join_waiting(now);
        }
    }

    #[cold]
    fn join_waiting(&mut self, now: Nanos) {
        self.joining = None;
        if self.pulse.is_open() && self.role == Role::Market && self.snapshots.any_asking() {
            self.follow();
        }
        self.asked(now);
    }

    /// Whether another market fits.
    pub fn has_room(&self) -> bool {
        self.states.len() < self.capacity || !self.free.is_empty()
    }

    fn new_state(
        &mut self,
        ticker: &str,
        market: MarketId,
        grid: Grid,
    ) -> Result<usize, SymbolError> {
        if self.states.iter().any(|state| state.market == market) {
            return Err(SymbolError::Taken);
        }
        if !self.has_room() {
            return Err(SymbolError::Full);
        }
        let slot = self.free.last().copied().unwrap_or(self.states.len());
        self.table
            .insert(ticker.as_bytes(), u32::try_from(slot).map_err(|_| SymbolError::Full)?)?;
        let mut bytes = [0; SYMBOL_BYTES_MAX];
        bytes[..ticker.len()].copy_from_slice(ticker.as_bytes());
        let ticker_len = u8::try_from(ticker.len()).expect("the table took it");
        let is_plain =
            ticker.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"\\".contains(&byte));
        let (venue_ms, pays) = (0, None);
        let state = State { market, ticker: bytes, ticker_len, is_plain, grid, venue_ms, pays };
        if let Ok(slot) = u16::try_from(slot) {
            self.hints.note(ticker.as_bytes(), slot);
        }
        if self.free.pop().is_some() {
            self.states[slot] = state;
        } else {
            self.states.push(state);
            self.snapshots.add();
        }
        Ok(slot)
    }

    /// Stops following these markets, with one request. What still comes of them is of no market that is known here. A private
    /// link goes on knowing them: late fills of a market that is followed no more still count.
    pub fn remove_markets(&mut self, now: Nanos, markets: &[MarketId]) {
        if self.role == Role::Private {
            return;
        }
        self.join(now); // what is asking for another reason must not be in this request
        for &market in markets {
            if let Some(slot) = self.slot_of(market) {
                self.snapshots.set_asking(slot, true);
            }
        }
        if self.pulse.is_open() && self.snapshots.any_asking() {
            self.unfollow();
        }
        self.snapshots.ask_none();
        for &market in markets {
            let Some(slot) = self.slot_of(market) else { continue };
            self.snapshots.unfollow(slot);
            let state = &mut self.states[slot];
            let was_there = self.table.remove(&state.ticker[..usize::from(state.ticker_len)]);
            assert!(was_there, "the name of a market is in the table");
            (state.market, state.ticker_len) = (NOBODY, 0);
            self.free.push(slot);
        }
    }

    /// What has been seen so far.
    pub const fn counters(&self) -> &Counters {
        &self.counters
    }

    /// The code of the venue's last error frame (`venues/kalshi.md` §4.10).
    pub const fn last_error(&self) -> Option<u64> {
        self.last_error
    }

    fn slot_of(&self, market: MarketId) -> Option<usize> {
        self.states.iter().position(|state| state.market == market)
    }

    /// The request is made.
    fn asked(&mut self, now: Nanos) {
        match self.role {
            Role::Market => self.snapshots.asked(now),
            Role::Private => self.snapshots.ask_none(),
        }
    }

    /// Fresh snapshots of every market that is asking.
    fn fetch_asking(&mut self, now: Nanos) {
        if self.pulse.is_open() && self.role == Role::Market && self.snapshots.any_asking() {
            if !self.snapshots.may_ask(now) {
                return;
            }
            self.fetch();
        }
        self.asked(now);
    }

    /// One book is in doubt.
    fn doubt(&mut self, now: Nanos, slot: usize, why: StaleWhy, sink: &mut impl EventSink) {
        if self.role != Role::Market || !self.snapshots.is_followed(slot) {
            return;
        }
        sink.push(Event::Stale { market: self.states[slot].market, why });
        if self.snapshots.doubt(now, slot) {
            self.fetch_asking(now);
        }
    }

    /// Every book is in doubt.
    fn doubt_all(&mut self, now: Nanos, why: StaleWhy, sink: &mut impl EventSink) {
        if self.role != Role::Market {
            return;
        }
        for (slot, state) in self.states.iter().enumerate() {
            if self.snapshots.is_followed(slot) {
                self.snapshots.doubt(now, slot);
                sink.push(Event::Stale { market: state.market, why });
            }
        }
        self.fetch_asking(now);
    }

    /// A message about one market's book was not understood.
    fn fail(
        &mut self,
        now: Nanos,
        slot: usize,
        error: DecodeError,
        sink: &mut impl EventSink,
    ) -> Result<(), DecodeError> {
        self.counters.bad += 1;
        self.doubt(now, slot, StaleWhy::Decode, sink);
        self.tell_odd(Some(slot), Oddity::Shape, sink);
        Err(error)
    }

    fn tell_odd(&self, slot: Option<usize>, what: Oddity, sink: &mut impl EventSink) {
        let market = slot.map(|slot| self.states[slot].market);
        sink.push(Event::Odd { venue: Venue::Kalshi, market, what });
    }

    /// A message that is not about a book was not understood: it costs nothing.
    const fn pass_over(&mut self, error: DecodeError) -> Result<(), DecodeError> {
        self.counters.bad += 1;
        self.counters.passed_over += 1;
        Err(error)
    }

    #[inline(never)] // most frames need nothing of it
    fn frame<S: EventSink>(
        &mut self,
        now: Nanos,
        frame: &[u8],
        sink: &mut S,
    ) -> Result<(), DecodeError> {
        let mut verdict = Ok(());
        let Err(odd) = self.read(now, frame, &mut verdict, sink) else { return verdict };
        self.counters.unusual += 1;
        let mut rewritten = std::mem::take(&mut self.plain);
        let read = match plain::rewrite(frame, &mut rewritten) {
            Some(()) => self
                .read(now, &rewritten, &mut verdict, sink)
                .or_else(|_| self.on_unread(now, &rewritten, &mut verdict, sink)),
            None => Err(odd),
        };
        self.plain = rewritten;
        if read.is_ok() {
            return verdict;
        }
        self.counters.bad += 1;
        match self.role {
            Role::Market => self.doubt_all(now, StaleWhy::Decode, sink),
            Role::Private => self.tell_odd(None, Oddity::Money, sink),
        }
        Err(DecodeError::BadField { field: "frame", at: odd.at })
    }

    /// A frame that is JSON could not be read beyond its kind, its number and its market's name.
    ///
    /// # Errors
    /// It is no message.
    #[cold]
    fn on_unread<S: EventSink>(
        &mut self,
        now: Nanos,
        frame: &[u8],
        verdict: &mut Result<(), DecodeError>,
        sink: &mut S,
    ) -> Result<(), Odd> {
        let gist = odd::gist(frame)?;
        let kind = gist.kind.unwrap_or_default();
        *verdict = Err(DecodeError::BadField { field: "frame", at: 0 });
        let number = |text: Option<&[u8]>| text.and_then(decimal::whole);
        let numbers = number(gist.sid).zip(number(gist.seq));
        if let Some((sid, seq)) = numbers {
            let told_before = self.in_sequence(now, sid, seq, kind, sink).is_none();
            if told_before && self.role == Role::Market {
                return Ok(());
            }
        } else if gist.sid.is_some() && gist.seq.is_some() {
            self.counters.bad += 1;
            self.doubt_all(now, StaleWhy::Decode, sink);
        }
        let told = match (about(&odd::TABLE, kind), self.role) {
            (Some(told), _) => told,
            (None, Role::Market) if kind.is_empty() => About::Book,
            (None, Role::Private) if kind.is_empty() => About::Money,
            (None, _) => About::Talk,
        };
        let ticker = gist.ticker.unwrap_or_default();
        let slot = self.table.find(ticker).map(|slot| slot as usize);
        let slot = slot.filter(|&slot| self.snapshots.is_followed(slot));
        match (told, slot) {
            (About::Money, slot) => {
                self.counters.bad += 1;
                self.tell_odd(slot, Oddity::Money, sink);
            }
            (About::Book, Some(slot)) => {
                let _ = self.fail(now, slot, DecodeError::BadField { field: "frame", at: 0 }, sink);
            }
            (About::Life, Some(slot)) => {
                self.counters.bad += 1;
                self.tell_odd(Some(slot), Oddity::Meaning, sink);
            }
            (About::Book | About::Life, None) if !ticker.is_empty() => {
                self.counters.unknown_market += 1;
            }
            (About::Book, None) => {
                self.counters.bad += 1;
                self.doubt_all(now, StaleWhy::Decode, sink); // it may be anybody's
            }
            (About::Life, None) | (About::Tape | About::Talk, _) => {
                self.counters.bad += 1;
                self.counters.passed_over += 1;
            }
        }
        Ok(())
    }

    /// Reads a frame, which is one message, whole before anything is done about it.
    fn read<S: EventSink>(
        &mut self,
        now: Nanos,
        frame: &[u8],
        verdict: &mut Result<(), DecodeError>,
        sink: &mut S,
    ) -> Result<(), Odd> {
        if self.role == Role::Market
            && let Some(delta) = usual_delta(frame)
        {
            self.counters.messages += 1;
            *verdict = match self.in_sequence(now, delta.sid, delta.seq, b"orderbook_delta", sink) {
                Some(gap) => {
                    let said = || Ok(delta.said);
                    gap.and(self.on_delta(now, delta.ticker, delta.ts_ms, said, sink))
                }
                None => Ok(()),
            };
            return Ok(());
        }
        let mut scan = Scan::new(frame);
        let message = read_message(&mut scan, &mut self.scratch)?;
        scan.end()?;
        *verdict = self.on_message(now, &message, sink);
        Ok(())
    }

    fn on_message<S: EventSink>(
        &mut self,
        now: Nanos,
        message: &Message<'_>,
        sink: &mut S,
    ) -> Result<(), DecodeError> {
        self.counters.messages += 1;
        let mut gap = Ok(());
        if !message.sid.is_empty() && !message.seq.is_empty() {
            let number = |text| decimal::whole(text);
            let numbers = number(message.sid).zip(number(message.seq));
            match numbers.map(|(sid, seq)| self.in_sequence(now, sid, seq, message.kind, sink)) {
                Some(Some(verdict)) => gap = verdict,
                // A fill told twice is booked once, so nothing about money is passed over for its number.
                Some(None) | None if self.role == Role::Private => {}
                Some(None) => return Ok(()),
                None => {
                    self.counters.bad += 1;
                    self.doubt_all(now, StaleWhy::Decode, sink);
                    return Err(DecodeError::BadField { field: "seq", at: 0 });
                }
            }
        }
        let said = match (self.role, message.kind) {
            (Role::Market, b"orderbook_delta") => {
                let ts_ms = decimal::whole(message.ts_ms);
                self.on_delta(now, message.ticker, ts_ms, || read_delta(message), sink)
            }
            (Role::Market, b"orderbook_snapshot") => self.on_snapshot(now, message, sink),
            (Role::Market, b"trade") => self.on_trade(message, sink),
            (Role::Market, b"ticker") => self.on_ticker(message),
            (Role::Market, b"market_lifecycle_v2") => self.on_lifecycle(now, message, sink),
            (Role::Market, b"event_fee_update") => {
                self.notice(Notice::FeesChanged);
                Ok(())
            }
            (Role::Private, b"fill") => self.on_fill(message, sink),
            (Role::Private, b"user_order") => self.on_order(message, sink),
            (_, b"subscribed") => self.on_subscribed(message),
            (_, b"error") => {
                self.on_error(now, message, sink);
                Ok(())
            }
            (_, b"ok" | b"unsubscribed")
            | (Role::Market, b"event_lifecycle" | b"multivariate_market_lifecycle")
            | (Role::Private, b"market_position" | b"order_group_updates") => {
                self.counters.ignored += 1;
                Ok(())
            }
            _ => {
                self.counters.unknown_type += 1;
                Ok(())
            }
        };
        gap.and(said)
    }

    /// Holds a numbered message against the ones before it. `None` where it was seen before and is to be dropped.
    #[inline]
    fn in_sequence<S: EventSink>(
        &mut self,
        now: Nanos,
        sid: u64,
        seq: u64,
        kind: &[u8],
        sink: &mut S,
    ) -> Option<Result<(), DecodeError>> {
        match self.sequence(sid, seq, kind) {
            Seen::Next => Some(Ok(())),
            Seen::Again => {
                self.counters.duplicates += 1;
                None
            }
            Seen::Gap { want, seen } => {
                self.counters.gaps += 1;
                match self.role {
                    Role::Market if self.channel(sid) == Channel::Book => {
                        self.doubt_all(now, StaleWhy::Gap, sink);
                    }
                    Role::Market => {}
                    Role::Private => self.tell_odd(None, Oddity::Money, sink), // whatever was missed
                }
                Some(Err(DecodeError::Gap { want, seen }))
            }
        }
    }

    /// The market a message speaks of, where we follow it.
    #[inline]
    fn place(&mut self, ticker: &[u8], ts_ms: Option<u64>) -> Option<usize> {
        let slot = self.table.find(ticker).map(|slot| slot as usize);
        let Some(slot) = slot.filter(|&slot| self.snapshots.is_followed(slot)) else {
            self.counters.unknown_market += 1;
            return None;
        };
        self.hear(slot, ts_ms);
        Some(slot)
    }

    /// The time of a message about a market. Counts those that step back; they are tolerated.
    #[inline]
    fn hear(&mut self, slot: usize, ts_ms: Option<u64>) {
        if let Some(ms) = ts_ms {
            let state = &mut self.states[slot];
            if ms < state.venue_ms {
                self.counters.backwards += 1;
            } else {
                state.venue_ms = ms;
            }
        }
    }

    fn on_snapshot<S: EventSink>(
        &mut self,
        now: Nanos,
        message: &Message<'_>,
        sink: &mut S,
    ) -> Result<(), DecodeError> {
        if message.ticker.is_empty() {
            return self.nameless(now, sink);
        }
        let Some(slot) = self.place(message.ticker, decimal::whole(message.ts_ms)) else {
            return Ok(());
        };
        if message.has_other_sides() {
            self.counters.bad += 1;
            self.doubt(now, slot, StaleWhy::Decode, sink);
            self.tell_odd(Some(slot), Oddity::Schema, sink);
            return Err(DecodeError::Unknown { field: "yes_dollars_fp" });
        }
        if let Some(error) = self.scratch.bad_level {
            return self.fail(now, slot, error, sink);
        }
        self.snapshots.came(now, slot);
        self.pulse.data(now);
        let market = self.states[slot].market;
        let millis = decimal::whole(message.ts_ms).or(decimal::whole(message.sent_ms)).unwrap_or(0);
        let venue_time = Nanos::new(millis.saturating_mul(1_000_000));
        let link = self.pulse.number();
        sink.push(Event::SnapshotBegin { market, link, venue_time });
        for (side, levels) in [(Side::Bid, &self.scratch.yes), (Side::Ask, &self.scratch.no)] {
            for &(price, qty) in levels.iter().filter(|(_, qty)| !qty.is_zero()) {
                let change = Change::Set(qty);
                sink.push(Event::Level(Level { market, side, price, change, last: false }));
            }
        }
        sink.push(Event::SnapshotEnd { market });
        Ok(())
    }

    /// A book message that does not say whose book: it may be any of ours.
    fn nameless<S: EventSink>(&mut self, now: Nanos, sink: &mut S) -> Result<(), DecodeError> {
        self.counters.bad += 1;
        self.doubt_all(now, StaleWhy::Decode, sink);
        Err(DecodeError::BadField { field: "market_ticker", at: 0 })
    }

    fn notice(&mut self, notice: Notice) {
        if self.notices.len() < NOTICES_MAX && !self.notices.contains(&notice) {
            self.notices.push(notice);
        }
    }

    /// A private link is up once the venue has acknowledged both of its channels. An error says that it has not.
    fn on_private_frame(
        &mut self,
        now: Nanos,
        frame: &[u8],
        sink: &mut impl EventSink,
    ) -> Result<(), DecodeError> {
        self.pulse.hear(now);
        let understood = self.frame(now, frame, sink);
        if self.acked == [true; 2] {
            self.pulse.alive(now, sink);
        }
        understood
    }

    /// Whether the link is worth keeping: not where what it was asked for does not come.
    fn is_answered(&mut self, now: Nanos, sink: &mut impl EventSink) -> bool {
        loop {
            match self.snapshots.unanswered(now) {
                Unanswered::Wait => return true,
                Unanswered::Link => {
                    self.counters.unanswered += 1;
                    return false;
                }
                Unanswered::Market(slot) => {
                    self.tell_odd(Some(slot), Oddity::Unanswered, sink);
                }
            }
        }
    }

    fn down<S: EventSink>(&mut self, now: Nanos, sink: &mut S) {
        self.pulse.close(sink);
        self.doubt_all(now, StaleWhy::Link, sink);
        self.snapshots.close();
        self.ping = false;
    }
}

impl super::Session for Session {
    fn number(&self) -> LinkNumber {
        self.pulse.number()
    }

    fn counters(&self) -> &Counters {
        &self.counters
    }

    fn on_open(&mut self, now: Nanos) {
        self.pulse.open(now);
        self.ping = true; // the answer says the link works
        self.lag = Lag::NONE;
        self.forget_sids();
        self.acked = [false; 2];
        self.joining = None;
        self.out.clear();
        self.snapshots.open();
        self.subscribe_all();
        self.asked(now);
    }

    fn on_frame<S: EventSink>(
        &mut self,
        now: Nanos,
        frame: &[u8],
        sink: &mut S,
    ) -> Result<(), DecodeError> {
        self.counters.frames += 1;
        self.join(now);
        match self.role {
            Role::Market => self.pulse.alive(now, sink),
            Role::Private => return self.on_private_frame(now, frame, sink),
        }
        match self.quick_delta(frame) {
            Some(delta) => self.on_quick_delta(now, &delta, sink),
            None => self.frame(now, frame, sink),
        }
    }

    fn on_alive(&mut self, now: Nanos) {
        self.pulse.hear(now);
    }

    fn on_deadline<S: EventSink>(&mut self, now: Nanos, sink: &mut S) -> bool {
        if !self.pulse.is_open() {
            return false;
        }
        match self.pulse.beat(now) {
            Beat::Quiet => {}
            Beat::Ping => self.ping = true,
            Beat::Dead => {
                self.counters.unanswered += u64::from(self.pulse.is_late(now));
                self.down(now, sink);
                return false;
            }
        }
        if !self.is_answered(now, sink) {
            self.down(now, sink);
            return false;
        }
        self.join(now);
        if self.snapshots.retry(now) {
            self.fetch_asking(now);
        }
        true
    }

    fn on_close<S: EventSink>(&mut self, now: Nanos, sink: &mut S) {
        if self.pulse.is_open() {
            self.down(now, sink);
        }
    }

    fn poll_send(&mut self) -> Option<&[u8]> {
        if let Some(since) = self.joining {
            self.join(since);
        }
        self.out.poll()
    }

    fn poll_deadline(&self) -> Nanos {
        self.pulse.deadline().min(self.snapshots.deadline())
    }

    fn resync(&mut self, now: Nanos, market: MarketId) {
        self.join(now);
        let Some(slot) = self.slot_of(market) else { return };
        if self.snapshots.doubt(now, slot) {
            self.fetch_asking(now);
        }
    }

    fn late(&self, now: Nanos) -> Nanos {
        self.lag.late(now)
    }

    fn poll_ping(&mut self) -> bool {
        std::mem::replace(&mut self.ping, false)
    }

    fn poll_notice(&mut self) -> Option<Notice> {
        self.notices.pop()
    }
}

/// The first text that says something.
const fn first<'a>(one: &'a [u8], other: &'a [u8]) -> &'a [u8] {
    if one.is_empty() { other } else { one }
}
