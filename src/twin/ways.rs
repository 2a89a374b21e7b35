//! The way between a client and a venue: how long a request, its answer and each kind of frame are on it.

use std::collections::VecDeque;

use surefoot_hot::units::Nanos;

use crate::twin::Host;
use crate::twin::rng::Rng;
use crate::twin::world::{Drawn, Way};

/// A kind of frame. Those of one kind keep their order; those of different kinds overtake each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// Books and prices, and what the venue answers on the stream itself.
    Market,
    /// Orders, fills and positions of one account.
    Private,
    /// Public trades. On Polymarket's streams they go with the books: a book's hash has the last trade in it.
    Tape,
}

/// What marks Kalshi's frames that concern an account.
const KALSHI_PRIVATE: [&str; 3] =
    ["\"type\":\"fill\"", "\"type\":\"user_order\"", "\"type\":\"market_position\""];
/// What marks Kalshi's public trades.
const KALSHI_TAPE: &str = "\"type\":\"trade\"";
/// What marks Kalshi's answers to commands: what they begin must not come before them.
const KALSHI_ANSWERS: [&str; 4] = [
    "\"type\":\"subscribed\"",
    "\"type\":\"ok\"",
    "\"type\":\"error\"",
    "\"type\":\"unsubscribed\"",
];

impl Lane {
    /// Of which kind a frame is; `is_market` says that its connection is one of Polymarket's market stream.
    pub fn of(host: Host, is_market: bool, text: &str) -> Self {
        let is = |kind: &str| text.contains(kind);
        match host {
            Host::KalshiWs if KALSHI_PRIVATE.into_iter().any(is) => Self::Private,
            Host::KalshiWs if is(KALSHI_TAPE) => Self::Tape,
            Host::KalshiWs => Self::Market,
            _ if is_market => Self::Market,
            _ => Self::Private,
        }
    }

    /// How long a frame of this kind is on its way.
    pub const fn span(self, way: &Way) -> Drawn {
        match self {
            Self::Market => way.market_us,
            Self::Private => way.private_us,
            Self::Tape => way.tape_us,
        }
    }
}

/// Whether nothing of any kind may come before this frame that leaves after it.
pub fn begins_others(text: &str) -> bool {
    KALSHI_ANSWERS.into_iter().any(|kind| text.contains(kind))
}

/// Frames of one connection that are on their way.
#[derive(Debug, Default)]
pub struct Frames {
    lanes: [VecDeque<(Nanos, String)>; 3],
    /// When the last frame of each kind arrives: the next one does not before it.
    last: [Nanos; 3],
}

impl Frames {
    /// A frame leaves. It is given back where it arrives at once.
    pub fn push(
        &mut self,
        lane: Lane,
        text: String,
        way: &Way,
        now: Nanos,
        rng: &mut Rng,
    ) -> Option<String> {
        let at = now.after(lane.span(way).micros(rng)).max(self.last[lane as usize]);
        if begins_others(&text) {
            self.last = self.last.map(|last| last.max(at));
        }
        self.last[lane as usize] = at;
        if at <= now && self.lanes[lane as usize].is_empty() {
            return Some(text);
        }
        self.lanes[lane as usize].push_back((at, text));
        None
    }

    /// The next frame that has arrived.
    pub fn pop_due(&mut self, now: Nanos) -> Option<String> {
        let first = |lane: &VecDeque<(Nanos, String)>| lane.front().map_or(Nanos::NEVER, |f| f.0);
        let lane = self.lanes.iter_mut().min_by_key(|lane| first(lane))?;
        lane.pop_front_if(|(at, _)| *at <= now).map(|(_, text)| text)
    }

    /// When the next frame arrives.
    pub fn next_at(&self) -> Nanos {
        let first = self.lanes.iter().filter_map(|lane| lane.front()).map(|(at, _)| *at);
        first.min().unwrap_or(Nanos::NEVER)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::twin::world::{World, WorldName};

    const START: Nanos = Nanos::from_secs(100);

    fn arrived(frames: &mut Frames, now: Nanos) -> Vec<String> {
        std::iter::from_fn(|| frames.pop_due(now)).collect()
    }

    #[test]
    fn without_a_way_every_frame_is_there_at_once() {
        let (mut frames, mut rng) = (Frames::default(), Rng::new(1));
        let way = World::of(WorldName::Calm).ways.kalshi;
        let text = "{\"type\":\"fill\"}".to_owned();
        let at_once = frames.push(Lane::Private, text.clone(), &way, START, &mut rng);
        assert_eq!((at_once, frames.next_at()), (Some(text), Nanos::NEVER));
    }

    #[test]
    fn a_kind_keeps_its_order_and_kinds_overtake_each_other() {
        let (mut frames, mut rng) = (Frames::default(), Rng::new(1));
        let way = World::of(WorldName::Hostile).ways.kalshi;
        for number in 0..200_u64 {
            let now = START.after(Nanos::from_millis(number));
            let kinds =
                [(Lane::Market, "orderbook_delta"), (Lane::Private, "fill"), (Lane::Tape, "trade")];
            for (lane, kind) in kinds {
                let text = format!("{{\"type\":\"{kind}\",\"n\":{number:03}}}");
                assert_eq!(Lane::of(Host::KalshiWs, false, &text), lane);
                assert_eq!(frames.push(lane, text, &way, now, &mut rng), None);
            }
        }
        let all = arrived(&mut frames, START.after(Nanos::from_secs(3_600)));
        assert_eq!(all.len(), 600);
        for kind in ["orderbook_delta", "fill", "trade"] {
            let of_kind = all.iter().filter(|text| text.contains(kind));
            assert!(of_kind.is_sorted(), "{kind}");
        }
        let numbers = all.iter().map(|text| &text[text.len() - 4..]);
        assert!(!numbers.is_sorted(), "nothing overtook anything");
    }

    #[test]
    fn nothing_comes_before_the_answer_that_begins_it() {
        let (mut frames, mut rng) = (Frames::default(), Rng::new(5));
        let way = World::of(WorldName::Hostile).ways.kalshi;
        for number in 0..50_u64 {
            let now = START.after(Nanos::from_secs(60 * number));
            let answer = "{\"type\":\"subscribed\"}".to_owned();
            assert_eq!(frames.push(Lane::Market, answer, &way, now, &mut rng), None);
            let fill = "{\"type\":\"fill\"}".to_owned();
            assert_eq!(frames.push(Lane::Private, fill, &way, now, &mut rng), None);
            let all = arrived(&mut frames, now.after(Nanos::from_secs(60)));
            assert!(all[0].contains("subscribed"), "{all:?}");
        }
    }
}
