//! Metadata to directory, relations to baskets.
//!
//! A market whose metadata lacks something is left out and named; nothing is assumed. A basket is built only from
//! markets that are all there.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use surefoot_cold::directory::{Directory, Entry};
use surefoot_cold::rest::Rest;
use surefoot_cold::venue::{kalshi, polymarket};
use surefoot_hot::basket::{BasketDef, BasketKind};
use surefoot_hot::bounds::{BASKETS_MAX, CLUSTERS_MAX, LEGS_MAX, MARKETS_MAX};
use surefoot_hot::event::Event;
use surefoot_hot::ids::{BasketId, ClusterId, MarketId, Outcome, Venue};
use surefoot_hot::market::{MarketDef, MarketStatus};

use crate::access::{Access, Relations, Set};
use crate::exit::{Exit, Failed};

/// What there is to trade.
#[derive(Clone, Debug, Default)]
pub struct Catalogue {
    /// The markets.
    pub directory: Directory,
    /// The baskets, leg by leg.
    pub baskets: Vec<BasketDef>,
    /// What was left out, and why: one sentence each.
    pub left_out: Vec<String>,
}

/// Markets to be followed beside those in relations.
#[derive(Clone, Debug, Default)]
pub struct ExtraMarkets {
    /// Condition ids.
    pub polymarket: Vec<String>,
    /// Tickers.
    pub kalshi: Vec<String>,
}

impl Catalogue {
    /// Asks both venues for the terms of every market named. Markets of `known` keep their numbers; one that the
    /// venue lists no more stays, closed.
    ///
    /// # Errors
    /// A venue does not answer.
    pub fn load(
        gamma: &Rest,
        kalshi_rest: &Rest,
        relations: &Relations,
        extra: &ExtraMarkets,
        known: Option<&Directory>,
    ) -> Result<Self, String> {
        let clusters = Clusters::of(relations, extra, known);
        let mut catalogue = Self::default();
        let mut found = BTreeMap::new();
        let polymarket_ids = clusters.names(POLYMARKET);
        for names in polymarket_ids.chunks(50) {
            let query: Vec<_> = names.iter().map(|name| ("condition_ids", name.as_str())).collect();
            let body = gamma
                .get("/markets", &query)
                .map_err(|error| format!("polymarket metadata: {error}"))?;
            let rows = body.as_array().cloned().unwrap_or_default();
            for row in &rows {
                match polymarket::metadata::gamma(row) {
                    Ok(market) => {
                        let name = market.names.condition_id.clone();
                        let cluster = clusters.find(POLYMARKET, &name);
                        found.insert(name, market.entry(MarketId::new(0), cluster));
                    }
                    Err(error) => catalogue.left_out.push(format!("polymarket: {error}")),
                }
            }
        }
        let tickers = clusters.names(KALSHI);
        let mut series = BTreeMap::new();
        let mut events = BTreeMap::new();
        for names in tickers.chunks(50) {
            let body = kalshi_rest
                .get("/markets", &[("tickers", names.join(",").as_str()), ("limit", "1000")])
                .map_err(|error| format!("kalshi metadata: {error}"))?;
            for row in body["markets"].as_array().cloned().unwrap_or_default() {
                let market = match kalshi::metadata::market(&row) {
                    Ok(market) => market,
                    Err(error) => {
                        catalogue.left_out.push(format!("kalshi: {error}"));
                        continue;
                    }
                };
                let cluster = clusters.find(KALSHI, &market.ticker);
                match kalshi_terms(kalshi_rest, &market.event_ticker, &mut events, &mut series) {
                    Ok((event, series)) => {
                        let name = market.ticker.clone();
                        found.insert(name, market.entry(series, event, MarketId::new(0), cluster));
                    }
                    Err(why) => catalogue.left_out.push(format!("kalshi {}: {why}", market.ticker)),
                }
            }
        }
        catalogue.number(found, known, &clusters);
        catalogue.relate(relations);
        Ok(catalogue)
    }

    /// Everything the core must know before it trades, as events.
    pub fn events(&self) -> impl Iterator<Item = Event> {
        let markets = self.directory.iter().map(|entry| Event::Market(entry.def));
        markets.chain(self.baskets.iter().copied().map(Event::Basket))
    }

    /// Gives out numbers: known markets keep theirs. Their cluster is today's: a relation declared since may have joined
    /// two that were apart, and the core moves what is held along.
    fn number(
        &mut self,
        mut found: BTreeMap<String, Entry>,
        known: Option<&Directory>,
        clusters: &Clusters,
    ) {
        for old in known.into_iter().flat_map(Directory::iter) {
            let mut entry = old.clone();
            match found.remove(old.names.id()) {
                Some(fresh) => {
                    let def = MarketDef { market: old.def.market, ..fresh.def };
                    entry = Entry { def, ..fresh };
                }
                None => {
                    entry.def.status = MarketStatus::Closed;
                    entry.def.cluster = clusters.find(side(old), old.names.id());
                }
            }
            self.directory.push(entry);
        }
        for (name, mut entry) in found {
            if self.directory.next_id().index() >= MARKETS_MAX {
                self.left_out.push(format!("{name}: more than {MARKETS_MAX} markets"));
                continue;
            }
            entry.def.market = self.directory.next_id();
            self.directory.push(entry);
        }
    }

    fn relate(&mut self, relations: &Relations) {
        let by_name: BTreeMap<String, MarketId> = self
            .directory
            .iter()
            .map(|entry| (entry.names.id().to_owned(), entry.def.market))
            .collect();
        let find = |name: &str| by_name.get(name).copied();
        for pair in &relations.pairs {
            let (Some(here), Some(there)) = (find(&pair.polymarket), find(&pair.kalshi)) else {
                self.left_out.push(format!(
                    "pair {} = {}: one of them has no terms",
                    pair.polymarket, pair.kalshi
                ));
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

    fn relate_set(&mut self, set: &Set, find: &dyn Fn(&str) -> Option<MarketId>) {
        let members: Option<Vec<_>> = set.members.iter().map(|name| find(name)).collect();
        let Some(members) = members.filter(|members| (2..=LEGS_MAX).contains(&members.len()))
        else {
            self.left_out.push(format!(
                "a set of {}: a member has no terms, or there are not 2 to {LEGS_MAX}",
                set.venue
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
        let next = self.baskets.iter().map(|def| def.basket.index() + 1).max().unwrap_or(0);
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
            });
        }
    }
}

/// An event's and its series' terms, asked for once each.
fn kalshi_terms<'a>(
    rest: &Rest,
    event_ticker: &str,
    events: &'a mut BTreeMap<String, kalshi::metadata::Event>,
    series: &'a mut BTreeMap<String, kalshi::metadata::Series>,
) -> Result<(&'a kalshi::metadata::Event, &'a kalshi::metadata::Series), String> {
    if !events.contains_key(event_ticker) {
        let body =
            rest.get(&format!("/events/{event_ticker}"), &[]).map_err(|error| error.to_string())?;
        let event = kalshi::metadata::event(&body).map_err(|error| error.to_string())?;
        events.insert(event_ticker.to_owned(), event);
    }
    let event = &events[event_ticker];
    if !series.contains_key(&event.series_ticker) {
        let body = rest
            .get(&format!("/series/{}", event.series_ticker), &[])
            .map_err(|error| error.to_string())?;
        let read = kalshi::metadata::series(&body).map_err(|error| error.to_string())?;
        series.insert(event.series_ticker.clone(), read);
    }
    Ok((event, &series[&event.series_ticker]))
}

const POLYMARKET: u8 = 0;
const KALSHI: u8 = 1;

const fn side(entry: &Entry) -> u8 {
    match entry.def.venue {
        Venue::Polymarket => POLYMARKET,
        Venue::Kalshi => KALSHI,
    }
}

/// Which markets depend on each other: everything that a relation joins, or ever joined, is one cluster. What is held
/// of two markets goes on depending on one result although their relation is no longer listed.
struct Clusters {
    of: BTreeMap<(u8, String), usize>,
    /// Markets that the venues are asked for: known ones that nothing names any more are not.
    asked: BTreeSet<(u8, String)>,
}

impl Clusters {
    fn of(relations: &Relations, extra: &ExtraMarkets, known: Option<&Directory>) -> Self {
        let mut clusters = Self { of: BTreeMap::new(), asked: BTreeSet::new() };
        let mut next = 0;
        let mut join = |of: &mut BTreeMap<(u8, String), usize>, names: Vec<(u8, String)>| {
            let known: Vec<_> = names.iter().filter_map(|name| of.get(name).copied()).collect();
            let cluster = known.first().copied().unwrap_or(next);
            next += 1;
            for there in of.values_mut() {
                if known.contains(there) {
                    *there = cluster;
                }
            }
            for name in names {
                of.insert(name, cluster);
            }
        };
        let of = &mut clusters.of;
        for pair in &relations.pairs {
            join(of, vec![(POLYMARKET, pair.polymarket.clone()), (KALSHI, pair.kalshi.clone())]);
        }
        for set in &relations.sets {
            let venue = if set.venue == "kalshi" { KALSHI } else { POLYMARKET };
            join(of, set.members.iter().map(|name| (venue, name.clone())).collect());
        }
        for name in &extra.polymarket {
            join(of, vec![(POLYMARKET, name.clone())]);
        }
        for name in &extra.kalshi {
            join(of, vec![(KALSHI, name.clone())]);
        }
        let mut before: BTreeMap<ClusterId, Vec<(u8, String)>> = BTreeMap::new();
        for entry in known.into_iter().flat_map(Directory::iter) {
            let name = (side(entry), entry.names.id().to_owned());
            before.entry(entry.def.cluster).or_default().push(name);
        }
        clusters.asked = of.keys().cloned().collect();
        for (cluster, names) in before {
            if cluster.index() == CLUSTERS_MAX - 1 {
                // Shared by all that found no number of their own: these depend on nothing.
                names.into_iter().for_each(|name| join(of, vec![name]));
            } else {
                join(of, names);
            }
        }
        clusters.renumber();
        clusters
    }

    /// Numbers from zero without holes; beyond the bound the last one is shared, which only makes limits tighter.
    fn renumber(&mut self) {
        let mut numbers = BTreeMap::new();
        for cluster in self.of.values_mut() {
            let next = numbers.len();
            *cluster = *numbers.entry(*cluster).or_insert(next.min(CLUSTERS_MAX - 1));
        }
    }

    fn names(&self, venue: u8) -> Vec<String> {
        self.asked.iter().filter(|(of, _)| *of == venue).map(|(_, name)| name.clone()).collect()
    }

    /// A market nobody named (the venue answered more than it was asked) shares the last cluster.
    fn find(&self, venue: u8, name: &str) -> ClusterId {
        let cluster = self.of.get(&(venue, name.to_owned())).copied().unwrap_or(CLUSTERS_MAX - 1);
        ClusterId::new(u16::try_from(cluster).expect("CLUSTERS_MAX fits"))
    }
}

/// Markets and baskets; numbers stay what they were in earlier runs at the same venues.
pub(crate) fn load_catalogue(
    access: &Access,
    extra: &ExtraMarkets,
    known: Option<&Directory>,
) -> Result<Catalogue, Failed> {
    let [gamma, kalshi] = Venue::ALL.map(|venue| access.metadata(venue));
    let mut last = String::new();
    for attempt in 0..5_u64 {
        std::thread::sleep(Duration::from_millis(500 * attempt));
        match Catalogue::load(&gamma, &kalshi, &access.relations, extra, known) {
            Ok(catalogue) => return Ok(catalogue),
            Err(why) => last = why,
        }
    }
    Err(Failed(Exit::Venue, format!("{last}; is the venue up, and are the endpoints right?")))
}

#[cfg(test)]
mod tests {
    use surefoot_cold::directory::{KalshiNames, Names};
    use surefoot_hot::fees::FeeRule;
    use surefoot_hot::grid::Grid;
    use surefoot_hot::units::{Nanos, Qty};

    use super::*;
    use crate::access::Pair;

    fn entry(market: u16, cluster: u16, ticker: &str) -> Entry {
        Entry {
            def: MarketDef {
                market: MarketId::new(market),
                venue: Venue::Kalshi,
                shard: 0,
                cluster: ClusterId::new(cluster),
                grid: Grid::uniform(100).unwrap(),
                min_qty: Qty::from_contracts(1),
                close: Nanos::NEVER,
                fee: FeeRule::Kalshi { taker: 70_000, maker: 0 },
                status: MarketStatus::Open,
            },
            title: String::new(),
            names: Names::Kalshi(KalshiNames {
                ticker: ticker.into(),
                event_ticker: String::new(),
                series_ticker: String::new(),
                exchange_index: 0,
            }),
        }
    }

    fn set(members: &[&str]) -> Set {
        let members = members.iter().map(|&name| name.to_owned()).collect();
        Set { venue: "kalshi".into(), exhaustive: false, members }
    }

    #[test]
    fn a_relation_declared_later_joins_the_clusters_of_markets_that_were_known_before() {
        let mut known = Directory::default();
        for (number, ticker) in ["A", "B", "C", "D"].into_iter().enumerate() {
            // A and C were joined once; nothing says so any more.
            let cluster = [0, 1, 0, 2][number];
            known.push(entry(u16::try_from(number).unwrap(), cluster, ticker));
        }
        let relations = Relations { pairs: Vec::<Pair>::new(), sets: vec![set(&["A", "B"])] };
        let clusters = Clusters::of(&relations, &ExtraMarkets::default(), Some(&known));
        assert_eq!(clusters.names(KALSHI), ["A", "B"], "nobody asks for the others");
        let mut catalogue = Catalogue::default();
        let found = ["A", "B"].map(|name| {
            let cluster = clusters.find(KALSHI, name).index();
            (name.to_owned(), entry(9, u16::try_from(cluster).unwrap(), name))
        });
        catalogue.number(found.into(), Some(&known), &clusters);
        let of: Vec<_> = catalogue.directory.iter().map(|entry| entry.def.cluster).collect();
        assert_eq!((of[0], of[0]), (of[1], of[2]), "one limit for the three");
        assert_ne!(of[0], of[3], "and not for the one that never was joined");
        assert!(
            catalogue.directory.iter().zip(known.iter()).all(|(a, b)| a.def.market == b.def.market)
        );
    }
}
