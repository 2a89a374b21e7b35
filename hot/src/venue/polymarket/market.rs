//! The market channel: books, changes, trades, grids, results.
//!
//! One YES book per market. Entries of the YES token change it; entries of the NO token repeat the same change
//! from the other side and become checks, unless their twin is missing from the frame: then they change it.
//! A message is read whole before its first event leaves, so a frame cut short gives no half-read level.

use super::super::decimal;
use super::super::fields::level_price;
use super::super::lag::Lag;
use super::super::odd::{About, about};
use super::super::outgoing::Outgoing;
use super::super::pulse::{Beat, Pulse};
use super::super::scan::{Odd, Scan};
use super::super::snapshots::{Snapshots, Unanswered};
use super::super::{Counters, DecodeError, EventSink, Notice, Session, plain};
use super::names::{Names, Slot};
use super::odd::{self, Gist};
use super::twins::{self, TwinsShape};
use super::wire::{
    Fields, Message, Role, Scratch, Twins, in_yes, no_role, push_changes, push_twins, read_entry,
    read_message, required_qty, side_of, stated_top, usual_changes,
};
use super::{MarketNames, PING_EVERY, SILENCE_MAX, is_plain_text, venue_time};
use crate::book::{Change, Level, StaleWhy};
use crate::event::{Event, Link, Oddity};
use crate::grid::Grid;
use crate::ids::{MarketId, Outcome, Side, Venue};
use crate::links::LinkNumber;
use crate::market::MarketStatus;
use crate::symbol::SymbolError;
use crate::units::{Nanos, Price};

/// How long a snapshot may take before it is asked for again; doubled each time, four times at most.
const SNAPSHOT_WAIT: Nanos = Nanos::from_secs(5);

/// Messages of one frame that may be unreadable before the rest of it is not looked at any more.
const UNREAD_MAX: usize = 64;

/// The market channel's conversation. See the module's text.
#[derive(Debug)]
pub struct MarketSession {
    names: Names,
    twins_shape: TwinsShape,
    states: Vec<State>,
    scratch: Scratch,
    plain: Vec<u8>,
    out: Outgoing,
    notice: Option<Notice>,
    counters: Counters,
    pulse: Pulse,
    lag: Lag,
    /// By the slots of `names`.
    snapshots: Snapshots,
    /// Since when markets wait to be subscribed to, all in one request.
    joining: Option<Nanos>,
}

/// What the session knows of one market.
#[derive(Clone, Copy, Debug)]
struct State {
    grid: Grid,
    venue_time: Nanos,
}

impl State {
    /// The time of a message about the market. Counts those that step back; they are tolerated.
    #[inline]
    fn hear(&mut self, time: Nanos, counters: &mut Counters) {
        if time < self.venue_time {
            counters.backwards += 1;
        } else {
            self.venue_time = time;
        }
    }
}

impl MarketSession {
    /// Room for so many markets (two tokens each); the venue is steady up to 200 tokens a connection.
    pub fn with_capacity(markets: usize) -> Self {
        Self {
            names: Names::with_capacity(markets),
            twins_shape: TwinsShape::new(),
            states: Vec::with_capacity(markets),
            scratch: Scratch::new(),
            plain: Vec::new(),
            out: Outgoing::with_capacity(1_024 + markets * 512),
            notice: None,
            counters: Counters::default(),
            pulse: Pulse::new(Venue::Polymarket, Link::Market, PING_EVERY, SILENCE_MAX),
            lag: Lag::NONE,
            snapshots: Snapshots::with_capacity(markets, SNAPSHOT_WAIT),
            joining: None,
        }
    }

    /// The link has this number among the venue's market links; 0 where nothing is said.
    #[must_use]
    pub const fn numbered(mut self, number: LinkNumber) -> Self {
        self.pulse.set_number(number);
        self
    }

    /// Follows one more market; on an open link it is subscribed to with the next frames that are sent.
    ///
    /// # Errors
    /// No room, a name that is too long, or one that stands for something else already.
    pub fn add_market(&mut self, now: Nanos, names: &MarketNames<'_>) -> Result<(), SymbolError> {
        let slot = usize::from(self.names.add(names)?);
        if slot == self.states.len() {
            self.states.push(State { grid: names.grid, venue_time: Nanos::ZERO });
            self.snapshots.add();
        }
        self.states[slot].grid = names.grid;
        if self.snapshots.follow(slot) {
            self.states[slot].venue_time = Nanos::ZERO;
            self.joining.get_or_insert(now);
        }
        Ok(())
    }

    /// Whether another market fits.
    pub fn has_room(&self) -> bool {
        self.names.has_room()
    }

    /// Stops following these markets, with one request. What still comes of them is of no market that is known here.
    pub fn remove_markets(&mut self, now: Nanos, markets: &[MarketId]) {
        self.join(now); // what is asking for another reason must not be in this request
        for &market in markets {
            if let Some(slot) = self.names.slot_of(market) {
                self.snapshots.set_asking(usize::from(slot), true);
            }
        }
        if self.pulse.is_open() && self.snapshots.any_asking() {
            self.request(b"unsubscribe");
        }
        self.snapshots.ask_none();
        for &market in markets {
            if let Some(slot) = self.names.slot_of(market) {
                self.snapshots.unfollow(usize::from(slot));
                self.names.remove(slot);
            }
        }
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
        if self.pulse.is_open() && self.snapshots.any_asking() {
            self.request(b"subscribe");
        }
        self.snapshots.asked(now);
    }

    /// What has been seen so far.
    pub const fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Queues one request for the tokens of every market that is `asking`.
    fn request(&mut self, operation: &[u8]) {
        self.out.put(b"{\"operation\":\"");
        self.out.put(operation);
        self.out.put(b"\",");
        self.put_tokens();
        self.out.put(b",\"custom_feature_enabled\":true}");
        self.out.finish();
    }

    fn put_tokens(&mut self) {
        self.out.put(b"\"assets_ids\":[");
        let mut first = true;
        for slot in 0..self.states.len() {
            if !self.snapshots.is_asking(slot) {
                continue;
            }
            let slot = Slot::try_from(slot).expect("slots are counted in it");
            for token in self.names.tokens(slot) {
                self.out.put(if first { b"\"" } else { b",\"" });
                self.out.put(token.text());
                self.out.put(b"\"");
                first = false;
            }
        }
        self.out.put(b"]");
    }

    /// Fresh snapshots of every market that is asking: the venue sends one only to a new subscription.
    fn fetch_asking(&mut self, now: Nanos) {
        if self.pulse.is_open() && self.snapshots.any_asking() {
            if !self.snapshots.may_ask(now) {
                return;
            }
            self.request(b"unsubscribe");
            self.request(b"subscribe");
        }
        self.snapshots.asked(now);
    }

    /// One book is in doubt.
    fn doubt(&mut self, now: Nanos, slot: Slot, why: StaleWhy, sink: &mut impl EventSink) {
        if !self.is_followed(slot) {
            return;
        }
        sink.push(Event::Stale { market: self.names.market(slot), why });
        if self.snapshots.doubt(now, usize::from(slot)) {
            self.fetch_asking(now);
        }
    }

    /// Every book is in doubt: there is no telling whose frame it was.
    fn doubt_all(&mut self, now: Nanos, why: StaleWhy, sink: &mut impl EventSink) {
        for slot in 0..self.states.len() {
            if self.snapshots.is_followed(slot) {
                self.snapshots.doubt(now, slot);
                let slot = Slot::try_from(slot).expect("slots are counted in it");
                sink.push(Event::Stale { market: self.names.market(slot), why });
            }
        }
        self.fetch_asking(now);
    }

    fn is_followed(&self, slot: Slot) -> bool {
        self.snapshots.is_followed(usize::from(slot))
    }

    /// A message about one market's book was not understood.
    fn fail(&mut self, now: Nanos, slot: Slot, what: Oddity, sink: &mut impl EventSink) {
        self.counters.bad += 1;
        self.doubt(now, slot, StaleWhy::Decode, sink);
        self.tell_odd(slot, what, sink);
    }

    fn tell_odd(&self, slot: Slot, what: Oddity, sink: &mut impl EventSink) {
        if self.is_followed(slot) {
            let market = Some(self.names.market(slot));
            sink.push(Event::Odd { venue: Venue::Polymarket, market, what });
        }
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
        let (mut done, mut verdict) = (0, Ok(()));
        let Err(odd) = self.read(now, frame, 0, &mut done, &mut verdict, sink) else {
            return verdict;
        };
        self.counters.unusual += 1;
        let mut rewritten = std::mem::take(&mut self.plain);
        let read = match plain::rewrite(frame, &mut rewritten) {
            Some(()) => self.read_what_can_be(now, &rewritten, &mut done, &mut verdict, sink),
            None => Err(odd),
        };
        self.plain = rewritten;
        if read.is_ok() {
            return verdict;
        }
        self.counters.bad += 1;
        self.doubt_all(now, StaleWhy::Decode, sink);
        verdict.and(Err(DecodeError::BadField { field: "frame", at: odd.at }))
    }

    /// Reads a frame that is JSON message by message: one that cannot be read costs what it is about, and those after
    /// it are read all the same.
    ///
    /// # Errors
    /// It is not known what the frame is about.
    #[cold]
    fn read_what_can_be<S: EventSink>(
        &mut self,
        now: Nanos,
        frame: &[u8],
        done: &mut usize,
        verdict: &mut Result<(), DecodeError>,
        sink: &mut S,
    ) -> Result<(), Odd> {
        let many = Scan::new(frame).peek() == b'[';
        for _ in 0..UNREAD_MAX {
            let Err(odd) = self.read(now, frame, *done, done, verdict, sink) else { return Ok(()) };
            let Some(gist) = odd::gist(frame, *done)? else { return Err(odd) };
            self.on_unread(now, &gist, sink);
            *verdict = verdict.and(Err(DecodeError::BadField { field: "frame", at: odd.at }));
            *done += 1;
            if !many {
                return Ok(());
            }
        }
        Err(Odd { at: 0 })
    }

    /// A message could not be read beyond its kind and its market's name.
    fn on_unread<S: EventSink>(&mut self, now: Nanos, gist: &Gist<'_>, sink: &mut S) {
        let kind = gist.kind.unwrap_or_default();
        let told = match about(&odd::MARKET, kind) {
            Some(told) => told,
            None if gist.has_levels || kind.is_empty() => About::Book,
            None => About::Talk,
        };
        let token = gist.asset.and_then(|asset| self.names.token(None, asset));
        let slot = token.map(|(slot, _)| slot);
        let slot = slot.or_else(|| self.names.condition(gist.market.unwrap_or_default()));
        let named = |name: Option<&[u8]>| name.is_some_and(|name| !name.is_empty());
        match (told, slot) {
            (About::Book, Some(slot)) => self.fail(now, slot, Oddity::Shape, sink),
            (About::Life, Some(slot)) => {
                self.counters.bad += 1;
                self.tell_odd(slot, Oddity::Meaning, sink);
            }
            (About::Book | About::Life, None) if named(gist.asset) || named(gist.market) => {
                self.counters.unknown_market += 1;
            }
            (About::Book, None) => {
                self.counters.bad += 1;
                self.doubt_all(now, StaleWhy::Decode, sink); // it may be anybody's
            }
            (About::Life, None) | (About::Tape | About::Talk | About::Money, _) => {
                self.counters.bad += 1;
                self.counters.passed_over += 1;
            }
        }
    }

    /// Reads a frame of one message or an array of them. `done` counts messages acted upon; the first `from`
    /// were acted upon before.
    fn read<S: EventSink>(
        &mut self,
        now: Nanos,
        frame: &[u8],
        from: usize,
        done: &mut usize,
        verdict: &mut Result<(), DecodeError>,
        sink: &mut S,
    ) -> Result<(), Odd> {
        if let Some(timestamp) = usual_changes(frame, &mut self.scratch.changes, &self.names) {
            *done += 1;
            self.counters.messages += 1;
            *verdict = self.on_changes(now, timestamp, sink);
            return Ok(());
        }
        let mut scan = Scan::new(frame);
        if scan.peek() != b'[' {
            let message = read_message(&mut scan, &mut self.scratch, &self.names)?;
            scan.end()?;
            *done += 1;
            *verdict = self.on_message(now, &message, sink);
            return Ok(());
        }
        let mut index = 0;
        scan.array(|scan| {
            index += 1;
            if index <= from {
                return scan.skip();
            }
            let message = read_message(scan, &mut self.scratch, &self.names)?;
            *done += 1;
            let said = self.on_message(now, &message, sink);
            *verdict = verdict.and(said);
            Ok(())
        })?;
        scan.end()
    }

    fn on_message<S: EventSink>(
        &mut self,
        now: Nanos,
        message: &Message<'_>,
        sink: &mut S,
    ) -> Result<(), DecodeError> {
        self.counters.messages += 1;
        match message.event_type {
            b"price_change" => {
                if !message.has_changes {
                    // the shape before 2025: one change, spread over the message itself
                    let near = self.names.condition(message.market);
                    let entry = read_entry(&self.names, near, &Fields::of(message));
                    self.scratch.changes.clear();
                    self.scratch.changes.push(entry);
                }
                self.on_changes(now, message.timestamp, sink)
            }
            b"book" => self.on_book(now, message, sink),
            b"best_bid_ask" => self.on_best(message, sink),
            b"last_trade_price" => self.on_trade(message, sink),
            b"tick_size_change" => self.on_tick_size(now, message, sink),
            b"market_resolved" => self.on_resolved(message, sink),
            b"new_market" => {
                self.notice = Some(Notice::NewMarket);
                self.counters.ignored += 1;
                Ok(())
            }
            b"" if message.has_changes => self.on_changes(now, message.timestamp, sink),
            b"" if message.has_bids || message.has_asks => self.on_book(now, message, sink),
            _ => {
                self.counters.unknown_type += 1;
                Ok(())
            }
        }
    }

    /// The market that a message about one asset speaks of, where we follow it.
    fn place(&mut self, message: &Message<'_>) -> Option<(Slot, Outcome)> {
        let place = self.names.token(None, message.asset);
        let place = place.filter(|&(slot, _)| self.is_followed(slot));
        if let Some((slot, _)) = place {
            self.states[usize::from(slot)].hear(venue_time(message.timestamp), &mut self.counters);
        } else {
            self.counters.unknown_market += 1;
        }
        place
    }

    /// The changes of one message, read into the scratch.
    fn on_changes<S: EventSink>(
        &mut self,
        now: Nanos,
        timestamp: &[u8],
        sink: &mut S,
    ) -> Result<(), DecodeError> {
        match Twins::of(&self.scratch.changes) {
            Some(twins) if self.snapshots.is_synced(usize::from(twins.slot)) => {
                self.on_twins(now, &twins, venue_time(timestamp), sink);
                Ok(())
            }
            _ => self.on_any_changes(now, timestamp, sink),
        }
    }

    /// One change of a book that is in order, told from both sides.
    #[inline]
    fn on_twins<S: EventSink>(&mut self, now: Nanos, twins: &Twins, time: Nanos, sink: &mut S) {
        let state = &mut self.states[usize::from(twins.slot)];
        state.hear(time, &mut self.counters);
        self.lag.hear(now, state.venue_time.millis());
        self.pulse.data(now);
        push_twins(twins, &self.names, sink);
    }

    fn on_any_changes<S: EventSink>(
        &mut self,
        now: Nanos,
        timestamp: &[u8],
        sink: &mut S,
    ) -> Result<(), DecodeError> {
        let count = self.scratch.changes.len();
        let mut verdict = Ok(());
        for index in 0..count {
            let entry = self.scratch.changes[index];
            if let Role::Bad(error) = entry.role {
                verdict = verdict.and(Err(error));
                if entry.slot == Slot::MAX {
                    self.counters.bad += 1;
                    self.doubt_all(now, StaleWhy::Decode, sink);
                } else {
                    self.fail(now, entry.slot, Oddity::Shape, sink);
                }
            }
        }
        for index in 0..count {
            let entry = self.scratch.changes[index];
            if entry.role == Role::Drop {
                self.counters.unknown_market += 1;
            } else if entry.slot != Slot::MAX {
                if index == 0 || self.scratch.changes[index - 1].slot != entry.slot {
                    let state = &mut self.states[usize::from(entry.slot)];
                    state.hear(venue_time(timestamp), &mut self.counters);
                    self.lag.hear(now, state.venue_time.millis());
                    self.pulse.data(now);
                }
                if !self.snapshots.is_synced(usize::from(entry.slot)) {
                    self.counters.early += 1;
                    self.scratch.changes[index].role = Role::Drop;
                } else if entry.outcome == Outcome::No {
                    self.scratch.changes[index].role = no_role(&self.scratch.changes, index);
                }
            }
        }
        push_changes(&self.scratch.changes, &self.names, sink);
        verdict
    }

    fn on_book<S: EventSink>(
        &mut self,
        now: Nanos,
        message: &Message<'_>,
        sink: &mut S,
    ) -> Result<(), DecodeError> {
        let Some((slot, outcome)) = self.place(message) else { return Ok(()) };
        // Both lists always come (2026-11-20); a side that went by another name would look empty.
        let lists = usize::from(message.has_bids) + usize::from(message.has_asks);
        if lists == 0 || (lists == 1 && message.has_other_list) {
            self.fail(now, slot, Oddity::Schema, sink);
            return Err(DecodeError::Unknown { field: "bids" });
        }
        let step = decimal::price(message.tick);
        let grid = match step {
            Ok(None) => Some(self.states[usize::from(slot)].grid), // not in every frame
            Ok(Some(step)) => Grid::uniform(step.ticks()),
            Err(_) => None,
        };
        let bad = match grid {
            None => Some(DecodeError::Unknown { field: "tick_size" }),
            Some(_) => self.scratch.bad_level,
        };
        if let Some(error) = bad {
            self.fail(now, slot, Oddity::Shape, sink);
            return Err(error);
        }
        if outcome == Outcome::No {
            self.counters.ignored += 1; // says the same of the other side
            return Ok(());
        }
        let market = self.names.market(slot);
        let state = &mut self.states[usize::from(slot)];
        if let Some(grid) = grid.filter(|&grid| grid != state.grid) {
            state.grid = grid;
            sink.push(Event::GridChange { market, grid });
        }
        self.snapshots.came(now, usize::from(slot));
        self.pulse.data(now);
        let (link, venue_time) = (self.pulse.number(), venue_time(message.timestamp));
        sink.push(Event::SnapshotBegin { market, link, venue_time });
        for (side, levels) in [(Side::Bid, &self.scratch.bids), (Side::Ask, &self.scratch.asks)] {
            for &(price, qty) in levels.iter().filter(|(_, qty)| !qty.is_zero()) {
                let change = Change::Set(qty);
                sink.push(Event::Level(Level { market, side, price, change, last: false }));
            }
        }
        sink.push(Event::SnapshotEnd { market });
        Ok(())
    }

    /// It comes before the change it tells of, so it is the book's to come to it. That of NO says the same.
    fn on_best<S: EventSink>(
        &mut self,
        message: &Message<'_>,
        sink: &mut S,
    ) -> Result<(), DecodeError> {
        let Some((slot, outcome)) = self.place(message) else { return Ok(()) };
        match stated_top(message.best_bid, message.best_ask) {
            Ok(Some((bid, ask)))
                if outcome == Outcome::Yes && self.snapshots.is_synced(usize::from(slot)) =>
            {
                sink.push(Event::Stated { market: self.names.market(slot), bid, ask });
                Ok(())
            }
            Ok(_) => {
                self.counters.ignored += 1;
                Ok(())
            }
            Err(error) => self.pass_over(error),
        }
    }

    /// The tape is not the book: what it says oddly is only not told on.
    fn on_trade<S: EventSink>(
        &mut self,
        message: &Message<'_>,
        sink: &mut S,
    ) -> Result<(), DecodeError> {
        let Some((slot, outcome)) = self.place(message) else { return Ok(()) };
        let read = level_price("price", message.price)
            .and_then(|price| Ok((price, required_qty(message.size)?, side_of(message.side)?)));
        match read {
            Ok((price, qty, side)) => {
                let (price, taker) = in_yes(outcome, price, side);
                sink.push(Event::Trade { market: self.names.market(slot), price, qty, taker });
                Ok(())
            }
            Err(error) => self.pass_over(error),
        }
    }

    fn on_tick_size<S: EventSink>(
        &mut self,
        now: Nanos,
        message: &Message<'_>,
        sink: &mut S,
    ) -> Result<(), DecodeError> {
        let Some((slot, _)) = self.place(message) else { return Ok(()) };
        let step = decimal::price(message.new_tick).ok().flatten();
        let Some(grid) = step.and_then(|step| Grid::uniform(step.ticks())) else {
            // Whatever it is: the book does not stand on the grid any more that we know.
            self.fail(now, slot, Oddity::Shape, sink);
            if step.is_some() {
                self.tell_odd(slot, Oddity::Meaning, sink);
            }
            return Err(DecodeError::Unknown { field: "new_tick_size" });
        };
        let state = &mut self.states[usize::from(slot)];
        if grid == state.grid {
            self.counters.ignored += 1; // told once for each token
            return Ok(());
        }
        state.grid = grid;
        sink.push(Event::GridChange { market: self.names.market(slot), grid });
        self.doubt(now, slot, StaleWhy::Grid, sink);
        Ok(())
    }

    fn on_resolved<S: EventSink>(
        &mut self,
        message: &Message<'_>,
        sink: &mut S,
    ) -> Result<(), DecodeError> {
        let slot = self.names.condition(message.market);
        let Some(slot) = slot.filter(|&slot| self.is_followed(slot)) else {
            self.counters.unknown_market += 1;
            return Ok(());
        };
        self.states[usize::from(slot)].hear(venue_time(message.timestamp), &mut self.counters);
        let market = self.names.market(slot);
        let yes_pays = match self.names.token(Some(slot), message.winner) {
            Some((of, Outcome::Yes)) if of == slot => Price::ONE,
            Some((of, Outcome::No)) if of == slot => Price::ZERO,
            _ => {
                // It is over, and who won must be read elsewhere: whatever books still come, nothing is opened there.
                self.counters.bad += 1;
                sink.push(Event::Status { market, status: MarketStatus::Closed });
                self.tell_odd(slot, Oddity::Meaning, sink);
                self.notice = Some(Notice::SettledUnseen { market });
                self.snapshots.over(usize::from(slot));
                return Err(DecodeError::Unknown { field: "winning_asset_id" });
            }
        };
        sink.push(Event::Status { market, status: MarketStatus::Resolved });
        sink.push(Event::Settled { market, yes_pays });
        self.snapshots.over(usize::from(slot));
        Ok(())
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
                    let slot = Slot::try_from(slot).expect("slots are counted in it");
                    self.tell_odd(slot, Oddity::Unanswered, sink);
                }
            }
        }
    }

    fn down<S: EventSink>(&mut self, now: Nanos, sink: &mut S) {
        self.pulse.close(sink);
        self.doubt_all(now, StaleWhy::Link, sink);
        self.snapshots.close();
    }
}

impl Session for MarketSession {
    fn number(&self) -> LinkNumber {
        self.pulse.number()
    }

    fn counters(&self) -> &Counters {
        &self.counters
    }

    fn on_open(&mut self, now: Nanos) {
        self.pulse.open(now);
        self.lag = Lag::NONE;
        self.joining = None;
        self.out.clear();
        self.snapshots.open();
        self.out.put(b"{\"type\":\"market\",");
        self.put_tokens();
        self.out.put(b",\"initial_dump\":true,\"level\":2,\"custom_feature_enabled\":true}");
        self.out.finish();
        self.snapshots.asked(now);
    }

    fn on_frame<S: EventSink>(
        &mut self,
        now: Nanos,
        frame: &[u8],
        sink: &mut S,
    ) -> Result<(), DecodeError> {
        self.counters.frames += 1;
        self.join(now);
        self.pulse.alive(now, sink);
        if let Some((twins, millis)) = twins::read(&self.twins_shape, frame, &self.names)
            && self.snapshots.is_synced(usize::from(twins.slot))
        {
            self.counters.messages += 1;
            self.on_twins(now, &twins, Nanos::from_millis(millis), sink);
            return Ok(());
        }
        if is_plain_text(frame) {
            if frame.trim_ascii() == b"PING" {
                self.out.frame(b"PONG");
            }
            return Ok(());
        }
        self.frame(now, frame, sink)
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
            Beat::Ping => self.out.frame(b"PING"),
            Beat::Dead => {
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
        let Some(slot) = self.names.slot_of(market) else { return };
        if self.snapshots.doubt(now, usize::from(slot)) {
            self.fetch_asking(now);
        }
    }

    fn late(&self, now: Nanos) -> Nanos {
        self.lag.late(now)
    }

    fn poll_notice(&mut self) -> Option<Notice> {
        self.notice.take()
    }
}
