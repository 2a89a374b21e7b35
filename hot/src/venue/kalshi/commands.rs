//! Subscriptions: what we ask for, under which number it comes, and where its sequence stands.

use super::super::{DecodeError, EventSink, decimal};
use super::next_delta::NextDelta;
use super::wire::Message;
use super::{Role, Seen, Session};
use crate::book::StaleWhy;
use crate::units::Nanos;

/// Subscriptions that one link may have; it needs three.
pub(super) const SIDS_MAX: usize = 32;
/// Tickers in one command: 500 were seen to work (2026-10).
const TICKERS_MAX: usize = 500;

/// What a subscription carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Channel {
    Book,
    Trade,
    Lifecycle,
    Other,
}

impl Channel {
    fn of(name: &[u8]) -> Self {
        match name {
            b"orderbook_delta" | b"orderbook_snapshot" => Self::Book,
            b"trade" => Self::Trade,
            b"market_lifecycle_v2" => Self::Lifecycle,
            _ => Self::Other,
        }
    }
}

/// One subscription.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sid {
    sid: u64,
    channel: Channel,
    /// The next sequence number; `None` before the first.
    next: Option<u64>,
}

impl Session {
    /// Takes the sequence number that was expected of a change of a book.
    #[inline]
    pub(super) fn take_expected(&mut self) {
        let place = self.next_delta.place();
        let there = self.sids.get_mut(place).expect("it is expected of one of them");
        let seq = there.next.expect("a number was expected").saturating_add(1);
        there.next = Some(seq);
        if !self.next_delta.count_up() {
            self.next_delta = NextDelta::of(place, there.sid, seq);
        }
    }

    /// The link is new, or its subscriptions are.
    pub(super) fn forget_sids(&mut self) {
        self.sids.clear();
        self.next_delta = NextDelta::NONE;
    }

    /// Checks and takes a sequence number. A subscription whose first frame outran its acknowledgement is
    /// known by that frame.
    pub(super) fn sequence(&mut self, sid: u64, seq: u64, kind: &[u8]) -> Seen {
        let index = match self.sids.iter().position(|there| there.sid == sid) {
            Some(index) => index,
            None => {
                if self.sids.len() == SIDS_MAX {
                    self.sids.remove(0); // more than we ever ask for: keep the newest
                    self.next_delta = NextDelta::NONE; // the others have another place now
                }
                self.sids.push(Sid { sid, channel: Channel::of(kind), next: None });
                self.sids.len() - 1
            }
        };
        let there = &mut self.sids[index];
        let want = *there.next.get_or_insert(seq);
        if seq < want {
            return Seen::Again;
        }
        let next = seq.saturating_add(1);
        there.next = Some(next);
        if self.role == Role::Market && Channel::of(kind) == Channel::Book {
            self.next_delta = NextDelta::of(index, sid, next);
        }
        if seq > want { Seen::Gap { want, seen: seq } } else { Seen::Next }
    }

    /// What a subscription carries, as far as is known.
    pub(super) fn channel(&self, sid: u64) -> Channel {
        self.sids
            .iter()
            .find(|there| there.sid == sid)
            .map_or(Channel::Other, |there| there.channel)
    }

    fn sid_of(&self, channel: Channel) -> Option<u64> {
        self.sids.iter().find(|there| there.channel == channel).map(|there| there.sid)
    }

    pub(super) fn on_subscribed(&mut self, message: &Message<'_>) -> Result<(), DecodeError> {
        match message.channel {
            b"fill" => self.acked[0] = true,
            b"user_orders" => self.acked[1] = true,
            _ => {}
        }
        let Some(sid) = decimal::whole(message.new_sid) else {
            return self.pass_over(DecodeError::BadField { field: "sid", at: 0 }); // its first frame names it
        };
        self.counters.ignored += 1;
        let channel = Channel::of(message.channel);
        if channel != Channel::Other {
            self.sids.retain(|there| there.channel != channel || there.sid == sid);
            self.next_delta = NextDelta::NONE;
        }
        if let Some(there) = self.sids.iter_mut().find(|there| there.sid == sid) {
            there.channel = channel;
        } else if self.sids.len() < SIDS_MAX {
            self.sids.push(Sid { sid, channel, next: None });
        }
        Ok(())
    }

    /// Codes 10 and 25 end a subscription; the others are counted and shown.
    pub(super) fn on_error<S: EventSink>(
        &mut self,
        now: Nanos,
        message: &Message<'_>,
        sink: &mut S,
    ) {
        self.counters.errors += 1;
        let code = decimal::whole(message.code);
        self.last_error = code;
        if !matches!(code, Some(10 | 25)) {
            return;
        }
        let ended = decimal::whole(message.sid).map(|sid| (sid, self.channel(sid)));
        match ended {
            Some((sid, channel)) if channel != Channel::Other => {
                self.sids.retain(|there| there.sid != sid);
                self.next_delta = NextDelta::NONE;
                self.resubscribe(now, channel, sink);
            }
            _ => {
                self.forget_sids();
                for channel in [Channel::Book, Channel::Trade, Channel::Lifecycle, Channel::Other] {
                    self.resubscribe(now, channel, sink);
                }
            }
        }
    }

    fn resubscribe<S: EventSink>(&mut self, now: Nanos, channel: Channel, sink: &mut S) {
        match (self.role, channel) {
            (Role::Private, Channel::Other) => {
                self.acked = [false; 2];
                self.pulse.expect(now);
                self.subscribe_private();
            }
            (Role::Private, _) | (Role::Market, Channel::Other) => {}
            (Role::Market, Channel::Book) => self.doubt_all(now, StaleWhy::Gap, sink), // asks anew
            (Role::Market, Channel::Trade) => {
                self.snapshots.ask_followed();
                self.subscribe(b"trade", b"");
                self.snapshots.ask_none();
            }
            (Role::Market, Channel::Lifecycle) => self.subscribe_lifecycle(),
        }
    }

    /// Everything the role needs, for every market that is `asking`.
    pub(super) fn subscribe_all(&mut self) {
        match self.role {
            Role::Market => {
                self.subscribe(b"orderbook_delta", b",\"use_yes_price\":true");
                self.subscribe(b"trade", b"");
                self.subscribe_lifecycle();
            }
            Role::Private => self.subscribe_private(),
        }
    }

    /// Adds the markets that are `asking` to the running subscriptions.
    pub(super) fn follow(&mut self) {
        for (channel, name, extra) in [
            (Channel::Book, &b"orderbook_delta"[..], &b",\"use_yes_price\":true"[..]),
            (Channel::Trade, b"trade", b""),
        ] {
            match self.sid_of(channel) {
                Some(sid) => self.update(sid, b"add_markets"),
                None => self.subscribe(name, extra),
            }
        }
    }

    /// Takes the markets that are `asking` out of the running subscriptions.
    pub(super) fn unfollow(&mut self) {
        for channel in [Channel::Book, Channel::Trade] {
            if let Some(sid) = self.sid_of(channel) {
                self.update(sid, b"delete_markets");
            }
        }
    }

    /// Asks for snapshots of the markets that are `asking`.
    pub(super) fn fetch(&mut self) {
        match self.sid_of(Channel::Book) {
            Some(sid) => self.update(sid, b"get_snapshot"),
            None => self.subscribe(b"orderbook_delta", b",\"use_yes_price\":true"),
        }
    }

    fn subscribe_lifecycle(&mut self) {
        self.command(b"subscribe");
        self.out.put(b"\"channels\":[\"market_lifecycle_v2\"]}}");
        self.out.finish();
    }

    fn subscribe_private(&mut self) {
        self.command(b"subscribe");
        self.out.put(b"\"channels\":[\"fill\",\"user_orders\"]}}");
        self.out.finish();
    }

    fn subscribe(&mut self, channel: &[u8], extra: &[u8]) {
        let mut from = 0;
        while let Some(first) = self.next_asking(from) {
            self.command(b"subscribe");
            self.out.put(b"\"channels\":[\"");
            self.out.put(channel);
            self.out.put(b"\"],");
            from = self.put_tickers(first);
            self.out.put(extra);
            self.out.put(b",\"skip_ticker_ack\":true}}");
            self.out.finish();
        }
    }

    fn update(&mut self, sid: u64, action: &[u8]) {
        let mut from = 0;
        while let Some(first) = self.next_asking(from) {
            self.command(b"update_subscription");
            self.out.put(b"\"sid\":");
            self.out.put_number(sid);
            self.out.put(b",\"action\":\"");
            self.out.put(action);
            self.out.put(b"\",");
            from = self.put_tickers(first);
            self.out.put(b"}}");
            self.out.finish();
        }
    }

    fn command(&mut self, name: &[u8]) {
        self.command += 1; // 0 would count as no id
        self.out.put(b"{\"id\":");
        self.out.put_number(self.command);
        self.out.put(b",\"cmd\":\"");
        self.out.put(name);
        self.out.put(b"\",\"params\":{");
    }

    fn next_asking(&self, from: usize) -> Option<usize> {
        (from..self.states.len()).find(|&slot| self.snapshots.is_asking(slot))
    }

    /// The tickers that are `asking` from slot `first` on, as many as one command takes; says where to go on.
    fn put_tickers(&mut self, first: usize) -> usize {
        self.out.put(b"\"market_tickers\":[");
        let (mut slot, mut count) = (first, 0);
        while slot < self.states.len() && count < TICKERS_MAX {
            if self.snapshots.is_asking(slot) {
                self.out.put(if count == 0 { b"\"" } else { b",\"" });
                self.out.put(self.states[slot].ticker());
                self.out.put(b"\"");
                count += 1;
            }
            slot += 1;
        }
        self.out.put(b"]");
        slot
    }
}
