//! Relations to baskets: what is declared, told to the compiler of relations with what is known of its markets.

use std::collections::{BTreeMap, BTreeSet};

use surefoot_cold::directory::{Directory, Entry};
use surefoot_cold::facts::Fingerprint;
use surefoot_cold::relation::{
    ExclusiveSet, Matrix, MatrixLeg, Refusal, Relation, Signed, complement, ladder, same_question,
};
use surefoot_hot::basket::{BasketDef, BasketKind, Baskets, Leg, Proven};
use surefoot_hot::bounds::BASKETS_MAX;
use surefoot_hot::event::WithdrawnWhy;
use surefoot_hot::ids::{BasketId, MarketId, Venue};

use super::Catalogue;
use super::numbers::{Numbers, Shape};
use crate::relations::{DeclaredMatrix, MarketName, Relations, Set};

/// What is made of relations among the markets of a directory, and why something of it is left out.
pub(super) struct Related<'a> {
    directory: &'a Directory,
    by_name: BTreeMap<(Venue, &'a str), &'a Entry>,
    /// Each once, however often it is declared.
    pub baskets: Vec<Proven>,
    /// What is not bought, one sentence each.
    pub left_out: Vec<String>,
    /// Rule texts that people relied on when they declared what is bought.
    pub relies_on: Vec<(MarketId, Fingerprint)>,
    /// Baskets of such a kind on such markets do not pay what was said of them.
    revoked: Vec<(BasketKind, BTreeSet<MarketId>)>,
}

impl<'a> Related<'a> {
    /// Of the markets for which `wanted` holds.
    pub(super) fn of(
        relations: &Relations,
        directory: &'a Directory,
        wanted: impl Fn(MarketId) -> bool,
    ) -> Self {
        let wanted = || directory.iter().filter(|entry| wanted(entry.def.market));
        let name = |entry: &'a Entry| ((entry.def.venue, entry.names.id()), entry);
        let mut related = Self {
            directory,
            by_name: wanted().map(name).collect(),
            baskets: Vec::new(),
            left_out: Vec::new(),
            relies_on: Vec::new(),
            revoked: Vec::new(),
        };
        // Taken apart by name, so that a further list does not compile before it is named here.
        let Relations { pairs, sets, ladders, matrices, themes: _ } = relations;
        for pair in pairs {
            let [(_, here), (_, there)] = &pair.markets;
            let signed = related.two(&pair.markets).and_then(|markets| {
                let certificate = pair.certificate.as_ref();
                same_question(markets, pair.same_polarity, certificate, directory)
            });
            let name = format!("pair {here} = {there}");
            related.take_signed(BasketKind::CrossVenue, &name, &pair.markets, signed);
        }
        for set in sets {
            related.take_set(set);
        }
        for rung in ladders {
            let [(_, stronger), (_, weaker)] = &rung.markets;
            let signed = related.two(&rung.markets);
            let signed =
                signed.and_then(|markets| ladder(markets, rung.certificate.as_ref(), directory));
            let name = format!("ladder {stronger} to {weaker}");
            related.take_signed(BasketKind::Ladder, &name, &rung.markets, signed);
        }
        for matrix in matrices {
            related.take_matrix(matrix);
        }
        for market in wanted() {
            // One matching engine never leaves it open; it is watched because a book that shows it is wrong. Nobody declared it:
            // a market that is over needs no word.
            let Ok(relation) = complement(market) else { continue };
            related.take("YES and NO", &[], relation.kind(), Ok(relation));
        }
        let mut seen = BTreeSet::new();
        related.baskets.retain(|basket| seen.insert(Shape::of(basket)));
        related
    }

    fn find(&self, (venue, name): &MarketName) -> Option<&'a Entry> {
        self.by_name.get(&(*venue, name.as_str())).copied()
    }

    /// Both markets of a relation of two.
    fn two(&self, names: &[MarketName; 2]) -> Result<[&'a Entry; 2], Refusal> {
        let market = |name: &MarketName| {
            self.find(name).ok_or_else(|| Refusal::Missing { market: name.1.clone() })
        };
        let [one, other] = names.each_ref().map(market);
        Ok([one?, other?])
    }

    fn take_set(&mut self, set: &Set) {
        let markets: Vec<_> = set.members.iter().map(|name| (set.venue, name.clone())).collect();
        let members = markets.iter().map(|name| (name.1.as_str(), self.find(name))).collect();
        let (is_exhaustive, void_pays) = (set.exhaustive, set.void_pays);
        let declared = ExclusiveSet { is_exhaustive, void_pays, members };
        let (yes, no) = (declared.all_yes(), declared.all_no());
        let left_out = set.leave_one_out.then(|| declared.no_of_all_but_one());
        let name = |what: &str| {
            let count = set.members.len();
            let first = set.members.first().map_or("nothing", String::as_str);
            format!("set of {count} at {} that begins with {first}, {what}", set.venue.name())
        };
        self.take(&name("all YES"), &markets, BasketKind::ExclusiveYes, yes);
        self.take(&name("all NO"), &markets, BasketKind::ExclusiveNo, no);
        // Where it is refused, so are all NO, and that is said.
        for relation in left_out.into_iter().flatten().flatten() {
            self.take(&name("NO of all but one"), &markets, relation.kind(), Ok(relation));
        }
    }

    fn take_matrix(&mut self, declared: &DeclaredMatrix) {
        let legs = declared.legs.iter().map(|leg| MatrixLeg {
            name: &leg.market.1,
            market: self.find(&leg.market),
            outcome: leg.outcome,
            ratio: leg.ratio,
            rules: leg.rules,
        });
        let matrix =
            Matrix { legs: legs.collect(), states: &declared.states, least: declared.least };
        let signed = matrix.relation(self.directory);
        let markets: Vec<_> = declared.legs.iter().map(|leg| leg.market.clone()).collect();
        let name = format!("matrix {}, signed by {}", declared.name, declared.signed_by);
        self.take_signed(BasketKind::Custom, &name, &markets, signed);
    }

    fn take_signed(
        &mut self,
        kind: BasketKind,
        name: &str,
        markets: &[MarketName],
        signed: Result<Signed, Refusal>,
    ) {
        match signed {
            Ok(Signed { relations, relies_on }) => {
                self.relies_on.extend(relies_on);
                for relation in relations {
                    self.take(name, markets, kind, Ok(relation));
                }
            }
            Err(why) => self.take(name, markets, kind, Err(why)),
        }
    }

    /// Has a relation proven; what cannot be is told by its name, and revoked where it was proven before.
    fn take(
        &mut self,
        name: &str,
        markets: &[MarketName],
        kind: BasketKind,
        relation: Result<Relation, Refusal>,
    ) {
        match relation.and_then(|relation| relation.compile()) {
            Ok(proven) => self.baskets.push(proven),
            Err(why) => {
                if why.revokes() {
                    let known = markets.iter().filter_map(|name| self.find(name));
                    self.revoked.push((kind, known.map(|entry| entry.def.market).collect()));
                }
                let said = format!("{name}: {why}");
                if !self.left_out.contains(&said) {
                    self.left_out.push(said);
                }
            }
        }
    }

    /// Why a basket that was proven before is not bought any more, where it is not among those that are proven now.
    pub(super) fn why_gone(&self, kind: BasketKind, legs: &[Leg]) -> WithdrawnWhy {
        let is_of = |(of, markets): &(BasketKind, BTreeSet<MarketId>)| {
            *of == kind && legs.iter().all(|leg| markets.contains(&leg.market))
        };
        match self.revoked.iter().any(is_of) {
            true => WithdrawnWhy::Revoked,
            false => WithdrawnWhy::Unfollowed,
        }
    }
}

impl Catalogue {
    /// Makes the baskets that these relations declare, with numbers from 0.
    pub(super) fn relate(&mut self, relations: &Relations) {
        self.relations = relations.clone();
        let left_out = self.number_baskets(Numbers::default(), None);
        self.left_out.extend(left_out);
    }

    /// Gives every basket the number that the core knows it by from an earlier run; the others get numbers that stand for
    /// none there. Baskets that the core knows and that are not made any more are not bought: [`Catalogue::events`] withdraws
    /// them. Returns what is left out for want of a number: one sentence each.
    pub(crate) fn keep_numbers(&mut self, of_core: &Baskets) -> Vec<String> {
        let already = self.left_out.clone();
        let mut left_out = self.number_baskets(Numbers::of_core(of_core), Some(of_core));
        left_out.retain(|line| !already.contains(line));
        left_out
    }

    fn number_baskets(&mut self, numbers: Numbers, of_core: Option<&Baskets>) -> Vec<String> {
        self.numbers = numbers;
        self.live.clear();
        self.baskets.clear();
        let directory = self.directory.clone();
        let related = Related::of(&self.relations, &directory, |market| !self.is_unread(market));
        let mut left_out = related.left_out.clone();
        for proven in &related.baskets {
            let is_left = proven.legs().iter().any(|leg| directory.is_withdrawn(leg.market));
            match self.number_basket(proven) {
                Some((basket, legs)) => {
                    self.baskets.extend(legs);
                    if is_left {
                        self.live.remove(&basket);
                    }
                }
                None => left_out.push(format!("more than {BASKETS_MAX} baskets")),
            }
        }
        let declared: BTreeSet<_> = self.baskets.iter().map(BasketDef::basket).collect();
        let of_core = of_core.into_iter().flat_map(Baskets::iter);
        self.undeclared = of_core
            .filter(|(basket, _)| !declared.contains(basket))
            .map(|(id, basket)| (id, related.why_gone(basket.kind(), basket.legs())))
            .collect();
        for (market, rules) in related.relies_on {
            self.directory.rely_on(market, rules);
        }
        left_out
    }

    /// A basket is bought from now on: its number and its legs. `None` where no number is free.
    pub(super) fn number_basket(&mut self, proven: &Proven) -> Option<(BasketId, Vec<BasketDef>)> {
        let basket = self.numbers.give(&Shape::of(proven))?;
        self.live.insert(basket, proven.clone());
        Some((basket, proven.defs(basket).collect()))
    }
}
