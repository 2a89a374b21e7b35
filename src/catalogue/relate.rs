//! Relations to baskets: a basket is built only from markets that are all there.

use std::collections::BTreeMap;

use surefoot_hot::basket::{BasketDef, BasketKind};
use surefoot_hot::bounds::{BASKETS_MAX, LEGS_MAX};
use surefoot_hot::ids::{BasketId, MarketId, Outcome, Venue};

use super::Catalogue;
use crate::access::{Relations, Set};

impl Catalogue {
    pub(super) fn relate(&mut self, relations: &Relations) {
        let by_name: BTreeMap<(Venue, String), MarketId> = self
            .directory
            .iter()
            .map(|entry| ((entry.def.venue, entry.names.id().to_owned()), entry.def.market))
            .collect();
        let find = |market: &(Venue, String)| by_name.get(market).copied();
        for pair in &relations.pairs {
            let [Some(here), Some(there)] = pair.markets.each_ref().map(find) else {
                let [here, there] = pair.markets.each_ref().map(|(_, name)| name);
                self.left_out.push(format!("pair {here} = {there}: one of them has no terms"));
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
                self.basket(BasketKind::CrossVenue, &[(here, ours), (there, theirs)], 10_000);
            }
        }
        for set in &relations.sets {
            self.relate_set(set, &find);
        }
        let all: Vec<_> = self.directory.iter().map(|entry| entry.def.market).collect();
        for market in all {
            // One matching engine never leaves it open; it is watched because a book that shows it is wrong.
            self.basket(
                BasketKind::Complement,
                &[(market, Outcome::Yes), (market, Outcome::No)],
                10_000,
            );
        }
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
            self.basket(BasketKind::ExclusiveYes, &legs(Outcome::Yes), 10_000);
        }
        // At most one resolves YES, so all NO but one pay.
        let payout = 10_000 * (u32::try_from(members.len()).expect("LEGS_MAX") - 1);
        self.basket(BasketKind::ExclusiveNo, &legs(Outcome::No), payout);
    }

    fn basket(&mut self, kind: BasketKind, legs: &[(MarketId, Outcome)], payout: u32) {
        let next = self.baskets.last().map_or(0, |def| def.basket.index() + 1);
        let Some(basket) = u16::try_from(next).ok().filter(|&next| usize::from(next) < BASKETS_MAX)
        else {
            self.left_out.push(format!("more than {BASKETS_MAX} baskets"));
            return;
        };
        let count = u8::try_from(legs.len()).expect("LEGS_MAX");
        for (leg, &(market, outcome)) in (0..count).zip(legs) {
            self.baskets.push(BasketDef {
                basket: BasketId::new(basket),
                kind,
                leg,
                legs: count,
                market,
                outcome,
                payout,
                ratio: 1,
            });
        }
    }
}
