//! Relations to baskets: a basket is built only from markets that are all there.

use std::collections::{BTreeMap, BTreeSet};

use surefoot_cold::directory::Directory;
use surefoot_hot::basket::{BasketDef, BasketKind, Baskets};
use surefoot_hot::bounds::{BASKETS_MAX, LEGS_MAX};
use surefoot_hot::ids::{BasketId, MarketId, Outcome, Venue};

use super::Catalogue;
use super::numbers::{Numbers, Shape};
use crate::access::{Relations, Set};

/// What is made of relations among the markets of a directory, and why something of it is left out.
pub(super) struct Related {
    /// Each once, however often it is declared.
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
        let mut seen = BTreeSet::new();
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
        related.shapes.retain(|shape| seen.insert(shape.clone()));
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
    /// Makes the baskets that these relations declare, with numbers from 0.
    pub(super) fn relate(&mut self, relations: &Relations) {
        self.relations = relations.clone();
        let left_out = self.number_baskets(Numbers::default());
        self.left_out.extend(left_out);
    }

    /// Gives every basket the number that the core knows it by from an earlier run; the others get numbers that stand for
    /// none there. Baskets that the core knows and nobody declares any more are not bought: [`Catalogue::events`] withdraws
    /// them. Returns what is left out for want of a number: one sentence each.
    pub(crate) fn keep_numbers(&mut self, of_core: &Baskets) -> Vec<String> {
        let already = self.left_out.clone();
        let mut left_out = self.number_baskets(Numbers::of_core(of_core));
        left_out.retain(|line| !already.contains(line));
        let declared: BTreeSet<_> = self.baskets.iter().map(|leg| leg.basket).collect();
        self.undeclared = self.numbers.taken().filter(|id| !declared.contains(id)).collect();
        left_out
    }

    fn number_baskets(&mut self, numbers: Numbers) -> Vec<String> {
        self.numbers = numbers;
        self.live.clear();
        self.baskets.clear();
        let Related { shapes, mut left_out } =
            Related::of(&self.relations, &self.directory, |_| true);
        for shape in shapes {
            let is_left = shape.has(|market| self.directory.is_withdrawn(market));
            match self.number_basket(shape) {
                Some((basket, legs)) => {
                    self.baskets.extend(legs);
                    if is_left {
                        self.live.remove(&basket);
                    }
                }
                None => left_out.push(format!("more than {BASKETS_MAX} baskets")),
            }
        }
        left_out
    }

    /// A basket is bought from now on: its number and its legs. `None` where no number is free.
    pub(super) fn number_basket(&mut self, shape: Shape) -> Option<(BasketId, Vec<BasketDef>)> {
        let basket = self.numbers.give(&shape)?;
        let defs = shape.defs(basket);
        self.live.insert(basket, shape);
        Some((basket, defs))
    }
}
