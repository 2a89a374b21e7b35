//! The hash over what was decided.

use crate::hash::Hash64;
use crate::intent::Intent;
use crate::order::Expiry;
use crate::pack::{Arbitrary, Pack, PackSink, PackSource};
use crate::state::State;
use crate::units::Nanos;

/// A hash over every intent so far, in order, with its time.
///
/// Each word of the hash waits for the one before, and an intent has seven: so that an order does not wait for them before it leaves, the
/// last intent is taken in with the next event.
#[derive(Debug)]
pub(super) struct Decisions {
    /// Over all but the last.
    hash: Hash64,
    /// The last intent, as long as it has not been taken in.
    last: Option<(Nanos, Intent)>,
}

impl Decisions {
    /// Of no intent.
    pub(super) const fn new() -> Self {
        Self { hash: Hash64::new(), last: None }
    }

    /// One more intent.
    #[inline]
    pub(super) fn add(&mut self, now: Nanos, intent: &Intent) {
        self.catch_up();
        self.last = Some((now, *intent));
    }

    /// Takes in the last intent.
    #[inline]
    pub(super) fn catch_up(&mut self) {
        if self.last.is_some() {
            (self.hash, self.last) = (self.hash(), None);
        }
    }

    /// Over every intent.
    pub(super) fn hash(&self) -> Hash64 {
        let mut hash = self.hash;
        if let Some((now, intent)) = &self.last {
            hash_intent(&mut hash, *now, intent);
        }
        hash
    }
}

/// Written as the hash over every intent.
impl State for Decisions {
    fn save<W: PackSink>(&self, to: &mut W) {
        self.hash().pack(to);
    }

    fn load<S: PackSource>(&mut self, from: &mut S) -> Option<()> {
        *self = Self { hash: Hash64::unpack(from)?, last: None };
        Some(())
    }

    fn sketch<W: PackSink>(&self, draw: &mut Arbitrary, to: &mut W) {
        State::sketch(&self.hash, draw, to);
    }
}

/// Takes one intent into the decision hash, field by field: the hash depends on no memory layout. What follows from the
/// order that an intent names (its venue, key and market) is not taken in again.
#[inline(never)] // it is long, and stands in no order's way
fn hash_intent(hash: &mut Hash64, now: Nanos, intent: &Intent) {
    hash.word(now.get());
    match intent {
        Intent::Place(order) => {
            hash.word(1);
            hash.word(order.id.get());
            hash.word(order.epoch);
            hash.word(u64::from(order.group.get()));
            hash.word(
                u64::from(order.market.get()) << 48
                    | u64::from(order.price.ticks()) << 32
                    | (order.outcome as u64) << 24
                    | (order.action as u64) << 16
                    | (order.tif as u64) << 8
                    | (order.purpose as u64) << 4
                    | u64::from(order.post_only),
            );
            hash.word(order.qty.micros());
            if let Some(expires) = order.expires {
                hash.word(expires.secs());
            }
        }
        Intent::Cancel(cancel) => {
            hash.word(2);
            hash.word(cancel.order.get());
        }
        Intent::CancelAll { venue } => {
            hash.word(3);
            hash.word(*venue as u64);
        }
        Intent::Query(query) => {
            hash.word(4);
            hash.word(query.order.get());
        }
        Intent::Resync { market } => {
            hash.word(5);
            hash.word(u64::from(market.get()));
        }
        Intent::Unfollow { market } => {
            hash.word(7);
            hash.word(u64::from(market.get()));
        }
        Intent::Witness { market } => {
            hash.word(8);
            hash.word(u64::from(market.get()));
        }
        Intent::Amend(amend) => {
            hash.word(6);
            hash.word(amend.order.get());
            hash.word(amend.epoch);
            hash.word(u64::from(amend.price.ticks()));
            hash.word(amend.qty.micros());
            hash.word(amend.expires.map_or(0, Expiry::secs));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::MarketId;
    use crate::pack::Unpacker;

    #[test]
    fn the_last_intent_counts_before_it_is_taken_in_and_once() {
        let intent = |market| Intent::Resync { market: MarketId::new(market) };
        let mut plain = Hash64::new();
        let mut decisions = Decisions::new();
        for nth in 0..4_u16 {
            let now = Nanos::from_secs(u64::from(nth));
            hash_intent(&mut plain, now, &intent(nth));
            decisions.add(now, &intent(nth));
            assert_eq!(decisions.hash(), plain);
            let (mut saved, mut loaded) = (Vec::new(), Decisions::new());
            decisions.save(&mut saved);
            loaded.load(&mut Unpacker::new(&saved)).expect("it was saved");
            assert_eq!(loaded.hash(), plain);
            if nth % 2 == 0 {
                decisions.catch_up();
                assert_eq!((decisions.hash(), decisions.last), (plain, None));
            }
        }
    }
}
