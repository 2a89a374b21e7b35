//! Relations to baskets: a basket is built only from markets that are all there.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use surefoot_cold::directory::Directory;
use surefoot_hot::basket::{BasketDef, BasketKind};
use surefoot_hot::bounds::{BASKETS_MAX, LEGS_MAX};
use surefoot_hot::ids::{BasketId, MarketId, Outcome, Venue};

use super::Catalogue;
use crate::access::{Relations, Set};

/// A basket without a number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    kind: BasketKind,
    legs: Vec<(MarketId, Outcome)>,
    payout: u32,
}

impl Shape {
    /// Whether a leg of it is of a market for which this holds.
    pub(super) fn has(&self, holds: impl Fn(MarketId) -> bool) -> bool {
        self.legs.iter().any(|(market, _)| holds(*market))
    }
}

impl Ord for Shape {
    fn cmp(&self, other: &Self) -> Ordering {
        let legs = |shape: &Self| {
            shape.legs.clone().into_iter().map(|(market, outcome)| (market, outcome as u8))
        };
        let whole = (self.kind as u8, self.payout).cmp(&(other.kind as u8, other.payout));
        whole.then_with(|| legs(self).cmp(legs(other)))
    }
}

impl PartialOrd for Shape {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// What is made of relations among the markets of a directory, and why something of it is left out.
pub(super) struct Related {
    pub shapes: Vec<Shape>,
    pub left_out: Vec<String>,
}

impl Related {
    /// Of the markets for which `wanted` holds.
    pub(super) fn of(
        relations: &Relations,
        directory: &Directory,
        wanted: impl Fn(MarketId) -> bool,
    ) -> Self {
        let mut related = Self { shapes: Vec::new(), left_out: Vec::new() };
        let wanted = || directory.iter().filter(|entry| wanted(entry.def.market));
        let by_name: BTreeMap<(Venue, String), MarketId> = wanted()
            .map(|entry| ((entry.def.venue, entry.names.id().to_owned()), entry.def.market))
            .collect();
        let find = |market: &(Venue, String)| by_name.get(market).copied();
        for pair in &relations.pairs {
            let [Some(here), Some(there)] = pair.markets.each_ref().map(find) else {
                let [here, there] = pair.markets.each_ref().map(|(_, name)| name);
                related.left_out.push(format!("pair {here} = {there}: one of them has no terms"));
                continue;
            };
            // Of two markets on the same question one must hold YES and the other NO; where YES there means NO
            // here, the same outcome of both.
            let outcomes = if pair.same_polarity {
                [(Outcome::Yes, Outcome::No), (Outcome::No, Outcome::Yes)]
            } else {
                [(Outcome::Yes, Outcome::Yes), (Outcome::No, Outcome::No)]
            };
            for (ours, theirs) in outcomes {
                related.add(BasketKind::CrossVenue, vec![(here, ours), (there, theirs)], 10_000);
            }
        }
        for set in &relations.sets {
            related.relate_set(set, &find);
        }
        for market in wanted().map(|entry| entry.def.market) {
            // One matching engine never leaves it open; it is watched because a book that shows it is wrong.
            let legs = vec![(market, Outcome::Yes), (market, Outcome::No)];
            related.add(BasketKind::Complement, legs, 10_000);
        }
        related
    }

    fn add(&mut self, kind: BasketKind, legs: Vec<(MarketId, Outcome)>, payout: u32) {
        self.shapes.push(Shape { kind, legs, payout });
    }

    fn relate_set(&mut self, set: &Set, find: &dyn Fn(&(Venue, String)) -> Option<MarketId>) {
        let members = set.members.iter().map(|name| find(&(set.venue, name.clone())));
        let members: Option<Vec<_>> = members.collect();
        let Some(members) = members.filter(|members| (2..=LEGS_MAX).contains(&members.len()))
        else {
            self.left_out.push(format!(
                "a set of {}: a member has no terms, or there are not 2 to {LEGS_MAX}",
                set.venue.name()
            ));
            return;
        };
        let legs = |outcome| members.iter().map(|&market| (market, outcome)).collect::<Vec<_>>();
        if set.exhaustive {
            self.add(BasketKind::ExclusiveYes, legs(Outcome::Yes), 10_000);
        }
        // At most one resolves YES, so all NO but one pay.
        let payout = 10_000 * (u32::try_from(members.len()).expect("LEGS_MAX") - 1);
        self.add(BasketKind::ExclusiveNo, legs(Outcome::No), payout);
    }
}

impl Catalogue {
    pub(super) fn relate(&mut self, relations: &Relations) {
        self.relations = relations.clone();
        let related = Related::of(relations, &self.directory, |_| true);
        self.left_out.extend(related.left_out);
        for shape in related.shapes {
            let is_left = shape.has(|market| self.directory.is_withdrawn(market));
            match self.number_basket(shape) {
                Some((basket, legs)) => {
                    self.baskets.extend(legs);
                    if is_left {
                        self.live.remove(&basket);
                    }
                }
                None => self.left_out.push(format!("more than {BASKETS_MAX} baskets")),
            }
        }
    }

    /// Gives a basket its number. `None` where all have been given out.
    pub(super) fn number_basket(&mut self, shape: Shape) -> Option<(BasketId, Vec<BasketDef>)> {
        let number = self.next_basket;
        if usize::from(number) >= BASKETS_MAX {
            return None;
        }
        self.next_basket += 1;
        let basket = BasketId::new(number);
        let legs = u8::try_from(shape.legs.len()).expect("LEGS_MAX");
        let Shape { kind, payout, .. } = shape;
        let def = |(leg, &(market, outcome))| BasketDef {
            basket,
            kind,
            leg,
            legs,
            market,
            outcome,
            payout,
            ratio: 1,
        };
        let defs = (0..legs).zip(&shape.legs).map(def).collect();
        self.live.insert(basket, shape);
        Some((basket, defs))
    }
}
