//! What there is to trade, changed while a run goes on.

use std::collections::BTreeSet;
use std::sync::Arc;

use surefoot_cold::directory::Entry;
use surefoot_hot::basket::{BasketDef, Proven};
use surefoot_hot::bounds::{BASKETS_MAX, CLUSTERS_MAX, MARKETS_MAX};
use surefoot_hot::event::{Event, Oddity, WithdrawnWhy};
use surefoot_hot::ids::{BasketId, ClusterId, MarketId, Venue};

use super::Catalogue;
use super::numbers::Shape;
use super::relate::Related;

/// One change of what there is to trade. Versions rise by one from change to change.
#[derive(Clone, Debug)]
pub struct CatalogueChange {
    pub version: u64,
    pub what: Change,
}

/// What one version of the catalogue changed against the one before.
#[derive(Clone, Debug)]
pub enum Change {
    /// A market is followed from now on, on these terms.
    Followed(Arc<Entry>),
    /// A market has other fees, now or from some time on.
    Fees(Arc<Entry>),
    /// A market has another least order, or closes at another time.
    Listed(Arc<Entry>),
    /// The terms of a market that was not listed when the run began.
    Read(Arc<Entry>),
    /// A market is called or signed for otherwise.
    Renamed(Arc<Entry>),
    /// A market is to be followed no more.
    Withdrawn(MarketId),
    /// A basket is bought from now on: its legs.
    Basket(Vec<BasketDef>),
    /// A basket is not bought any more.
    BasketWithdrawn { basket: BasketId, why: WithdrawnWhy },
}

impl Change {
    /// What the core is told of it, in order.
    pub fn events(&self) -> Vec<Event> {
        match self {
            Self::Followed(entry) | Self::Read(entry) => entry.events().collect(),
            Self::Fees(entry) => entry.fee_events().collect(),
            Self::Listed(entry) => entry.listed_events().collect(),
            // Nothing is opened there before a person has looked.
            Self::Renamed(entry) => {
                let (venue, market) = (entry.def.venue, Some(entry.def.market));
                let odd = Event::Odd { venue, market, what: Oddity::Meaning };
                std::iter::once(odd).chain(entry.listed_events()).collect()
            }
            Self::Withdrawn(market) => vec![Event::MarketWithdrawn { market: *market }],
            Self::Basket(legs) => legs.iter().copied().map(Event::Basket).collect(),
            Self::BasketWithdrawn { basket, why } => {
                vec![Event::BasketWithdrawn { basket: *basket, why: *why }]
            }
        }
    }
}

impl Catalogue {
    /// Takes in markets as a venue lists them, and the baskets that become whole with them. Markets that were known before keep
    /// their numbers.
    ///
    /// # Errors
    /// There is no number left; nothing has changed then.
    pub fn follow(&mut self, found: Vec<Entry>) -> Result<Vec<CatalogueChange>, String> {
        let new = found.iter().filter(|entry| self.known(entry).is_none()).count();
        if self.directory.next_id().index() + new > MARKETS_MAX {
            return Err(format!(
                "this state directory has had as many markets as it can, {MARKETS_MAX}: begin another one with `--state` once \
                 nothing is held here"
            ));
        }
        let mut changes = Vec::new();
        for mut entry in found {
            entry.def.theme = self.relations.themes.of(&entry);
            if let Some((market, cluster)) = self.known(&entry) {
                (entry.def.market, entry.def.cluster) = (market, cluster);
            } else {
                entry.def.market = self.directory.next_id();
                entry.def.cluster = self.cluster_of(entry.def.venue, entry.names.id());
                self.directory.push(entry.clone());
            }
            self.directory.follow(entry.clone());
            self.note(&mut changes, Change::Followed(Arc::new(entry)));
        }
        self.add_baskets(&mut changes)?;
        Ok(changes)
    }

    /// Takes over the fees of markets as a venue lists them; those that are as they were change nothing.
    pub fn take_fees(&mut self, found: &[Entry]) -> Vec<CatalogueChange> {
        let mut changes = Vec::new();
        for entry in found {
            let Some((market, _)) = self.known(entry) else { continue };
            if self.directory.set_fees(market, entry.def.fee, &entry.fee_changes) {
                let entry = self.directory.entry(market).expect("it is known").clone();
                self.note(&mut changes, Change::Fees(Arc::new(entry)));
            }
        }
        changes
    }

    /// Takes over what relations stand on of markets as a venue lists them: rule texts, events and their members. What is not so
    /// any longer revokes the baskets that were made on it, and what is not told any longer keeps them from being bought.
    ///
    /// # Errors
    /// As [`Self::follow`].
    pub fn take_facts(&mut self, found: &[Entry]) -> Result<Vec<CatalogueChange>, String> {
        let (mut changes, mut is_new) = (Vec::new(), false);
        for entry in found {
            if let Some((market, _)) = self.known(entry) {
                is_new |= self.directory.set_facts(market, &entry.facts);
                is_new |= self.unread.remove(&market);
            }
        }
        if is_new {
            self.add_baskets(&mut changes)?;
        }
        Ok(changes)
    }

    /// Takes markets out, and the baskets with a leg there before them.
    pub fn withdraw(&mut self, markets: &[MarketId]) -> Vec<CatalogueChange> {
        let mut changes = Vec::new();
        markets.iter().for_each(|market| self.directory.withdraw(*market));
        self.drop_baskets(&mut changes);
        for market in markets {
            self.note(&mut changes, Change::Withdrawn(*market));
        }
        changes
    }

    /// Withdraws the baskets that cannot be made any more of the markets that are followed.
    fn drop_baskets(&mut self, changes: &mut Vec<CatalogueChange>) {
        let directory = &self.directory;
        let is_gone =
            |proven: &Proven| proven.legs().iter().any(|leg| directory.is_withdrawn(leg.market));
        let gone = self.live.iter().filter(|(_, proven)| is_gone(proven));
        let gone: Vec<_> = gone.map(|(basket, _)| *basket).collect();
        for basket in gone {
            self.live.remove(&basket);
            let why = WithdrawnWhy::Unfollowed;
            self.note(changes, Change::BasketWithdrawn { basket, why });
        }
    }

    /// Buys the baskets that can be made now of the markets that are followed, and buys no more of those that cannot.
    fn add_baskets(&mut self, changes: &mut Vec<CatalogueChange>) -> Result<(), String> {
        let directory = self.directory.clone();
        let is_wanted = |market| !directory.is_withdrawn(market) && !self.is_unread(market);
        let related = Related::of(&self.relations, &directory, is_wanted);
        let new: Vec<_> =
            related.left_out.iter().filter(|line| !self.left_out.contains(line)).collect();
        self.left_out.extend(new.into_iter().cloned());
        let wanted: BTreeSet<_> = related.baskets.iter().map(Shape::of).collect();
        // What is not proven now is not bought, whether it was taken back or only cannot be shown.
        let gone = self.live.iter().filter(|(_, proven)| !wanted.contains(&Shape::of(proven)));
        let why = |proven: &Proven| related.why_gone(proven.kind(), proven.legs());
        let gone: Vec<_> = gone.map(|(basket, proven)| (*basket, why(proven))).collect();
        for (basket, why) in gone {
            self.live.remove(&basket);
            self.note(changes, Change::BasketWithdrawn { basket, why });
        }
        for (market, rules) in &related.relies_on {
            self.directory.rely_on(*market, *rules);
        }
        let there: BTreeSet<_> = self.live.values().map(Shape::of).collect();
        for proven in related.baskets.iter().filter(|proven| !there.contains(&Shape::of(proven))) {
            let (_, legs) = self.number_basket(proven).ok_or_else(|| {
                format!(
                    "no basket number is free of {BASKETS_MAX}: nothing was followed. `surefoot stop` and `surefoot start` free \
                     those of baskets that are gone; where that does not help, declare fewer relations"
                )
            })?;
            self.note(changes, Change::Basket(legs));
        }
        Ok(())
    }

    pub(super) fn note(&mut self, changes: &mut Vec<CatalogueChange>, what: Change) {
        self.version += 1;
        changes.push(CatalogueChange { version: self.version, what });
    }

    fn known(&self, entry: &Entry) -> Option<(MarketId, ClusterId)> {
        let known = self.directory.find(entry.names.id())?;
        (known.def.venue == entry.def.venue).then_some((known.def.market, known.def.cluster))
    }

    /// The cluster of a market that was not known before: that of the markets it is declared to belong to, be it by others
    /// that are not known yet; or one of its own.
    fn cluster_of(&self, venue: Venue, name: &str) -> ClusterId {
        let mut related = vec![(venue, name.to_owned())];
        let mut next = 0;
        while next < related.len() {
            let (of, name) = related[next].clone();
            if let Some(known) = self.directory.find(&name).filter(|known| known.def.venue == of) {
                return known.def.cluster;
            }
            for other in self.relations.beside(of, &name) {
                if !related.contains(&other) {
                    related.push(other);
                }
            }
            next += 1;
        }
        let last = self.directory.iter().map(|entry| entry.def.cluster.index()).max();
        let next = last.map_or(0, |last| last + 1).min(CLUSTERS_MAX - 1);
        ClusterId::new(u16::try_from(next).expect("CLUSTERS_MAX fits"))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use surefoot_cold::facts::{Fingerprint, StandsFor};
    use surefoot_cold::relation::{Certificate, Payoff};
    use surefoot_hot::core::Core;
    use surefoot_hot::event::{Control, Event};
    use surefoot_hot::fees::{FeeChange, FeeRule};
    use surefoot_hot::grid::Grid;
    use surefoot_hot::market::{MarketDef, MarketStatus};
    use surefoot_hot::outbox::Outbox;
    use surefoot_hot::units::{Nanos, Price};

    use super::super::numbers::Numbers;
    use super::super::tests::{entry, set};
    use super::*;
    use crate::relations::{Pair, Relations};

    /// Markets of one event and the set of all of them.
    fn catalogue_of(names: &[&str]) -> Catalogue {
        let mut catalogue = Catalogue::default();
        for (number, ticker) in (0..).zip(names) {
            catalogue.directory.push(entry(number, 0, ticker));
        }
        catalogue.relate(&Relations { sets: vec![set(names)], ..Relations::default() });
        catalogue
    }

    fn catalogue() -> Catalogue {
        let mut catalogue = Catalogue::default();
        for (number, ticker) in ["A", "B", "C"].into_iter().enumerate() {
            catalogue.directory.push(entry(u16::try_from(number).unwrap(), 0, ticker));
        }
        let relations =
            Relations { sets: vec![set(&["A", "B"]), set(&["C", "D"])], ..Relations::default() };
        catalogue.relate(&relations);
        catalogue
    }

    fn words(changes: &[CatalogueChange]) -> Vec<String> {
        let word = |change: &CatalogueChange| match &change.what {
            Change::Followed(entry) => format!("follow {}", entry.names.id()),
            Change::Fees(entry) => format!("fees of {}", entry.names.id()),
            Change::Listed(entry) => format!("listing of {}", entry.names.id()),
            Change::Read(entry) => format!("terms of {}", entry.names.id()),
            Change::Renamed(entry) => format!("names of {}", entry.names.id()),
            Change::Withdrawn(market) => format!("withdraw {}", market.get()),
            Change::Basket(legs) => format!("basket {} of {}", legs[0].basket().get(), legs.len()),
            Change::BasketWithdrawn { basket, .. } => format!("drop {}", basket.get()),
        };
        changes.iter().map(word).collect()
    }

    #[test]
    fn baskets_come_and_go_with_their_markets_in_the_order_of_safety() {
        let mut catalogue = catalogue();
        assert_eq!(catalogue.baskets.iter().filter(|leg| leg.leg() == 0).count(), 4);
        let changes = catalogue.withdraw(&[MarketId::new(1)]);
        assert_eq!(words(&changes), ["drop 0", "drop 2", "withdraw 1"]);
        assert_eq!(changes.iter().map(|change| change.version).collect::<Vec<_>>(), [1, 2, 3]);
        let changes = catalogue.follow(vec![entry(9, 9, "D"), entry(9, 9, "B")]).unwrap();
        let expected = [
            "follow D",
            "follow B",
            "basket 0 of 2",
            "basket 4 of 2",
            "basket 2 of 2",
            "basket 5 of 2",
        ];
        assert_eq!(words(&changes), expected);
        let [b, d] = ["B", "D"].map(|name| catalogue.directory.find(name).unwrap().def);
        assert_eq!((b.market.get(), d.market.get(), catalogue.version), (1, 3, 9));
        assert_eq!(d.cluster, catalogue.directory.find("C").unwrap().def.cluster);
        assert!(!catalogue.directory.is_withdrawn(b.market));
    }

    #[test]
    fn a_market_that_belongs_to_no_other_has_a_cluster_of_its_own() {
        let mut catalogue = catalogue();
        catalogue.follow(vec![entry(9, 9, "E"), entry(9, 9, "F")]).unwrap();
        let of = |name| catalogue.directory.find(name).unwrap().def.cluster.index();
        assert_eq!((of("A"), of("E"), of("F")), (0, 1, 2));
    }

    #[test]
    fn what_is_joined_by_a_market_that_comes_later_is_one_cluster_from_the_first() {
        let mut catalogue = catalogue();
        let relations =
            Relations { sets: vec![set(&["A", "D"]), set(&["D", "E"])], ..Relations::default() };
        catalogue.relate(&relations);
        catalogue.follow(vec![entry(9, 9, "E")]).unwrap();
        catalogue.follow(vec![entry(9, 9, "D")]).unwrap();
        let of = |name| catalogue.directory.find(name).unwrap().def.cluster.index();
        assert_eq!((of("D"), of("E")), (of("A"), of("A")));
    }

    #[test]
    fn markets_can_be_withdrawn_where_there_is_no_number_left_for_a_basket() {
        let mut catalogue = catalogue();
        // As at a start with more baskets than there are numbers: YES with NO of C found none.
        catalogue.live.remove(&BasketId::new(3)).expect("it is there");
        catalogue.numbers = Numbers::full();
        let changes = catalogue.withdraw(&[MarketId::new(0)]);
        assert_eq!(words(&changes), ["drop 0", "drop 1", "withdraw 0"]);
        let said = catalogue.follow(vec![entry(9, 9, "D")]).unwrap_err();
        assert!(said.contains("nothing was followed"), "{said}");
    }

    #[test]
    fn a_start_tells_the_core_of_what_was_withdrawn_and_takes_it_out_again() {
        let mut catalogue = catalogue();
        catalogue.withdraw(&[MarketId::new(0)]);
        let mut next = Catalogue { directory: catalogue.directory.clone(), ..Catalogue::default() };
        next.relate(&catalogue.relations.clone());
        let events: Vec<_> = next.events().collect();
        let gone = |event: &&Event| matches!(event, Event::BasketWithdrawn { .. });
        assert_eq!(events.iter().filter(gone).count(), 2, "the set and the complement");
        assert_eq!(events.last(), Some(&Event::MarketWithdrawn { market: MarketId::new(0) }));
    }

    /// What a core is told as a run begins, and then of these changes.
    fn tell(core: &mut Core, catalogue: &Catalogue, changes: &[CatalogueChange]) {
        let start = Control::Start { epoch: 1, first_order: 1 };
        let mut events = vec![Event::Control(start)];
        events.extend(catalogue.events());
        events.extend(changes.iter().flat_map(|change| change.what.events()));
        let mut out = Outbox::new();
        for event in events {
            core.on_event(Nanos::from_secs(1), &event, &mut out);
            out.clear();
        }
    }

    /// The markets of each basket that a core buys, by the baskets' numbers.
    fn bought(core: &Core) -> Vec<(u16, Vec<u16>)> {
        let buys = core.baskets().iter().filter(|(_, basket)| !basket.is_withdrawn());
        buys.map(|(id, basket)| {
            (id.get(), basket.legs().iter().map(|leg| leg.market.get()).collect())
        })
        .collect()
    }

    #[test]
    fn fees_that_are_listed_anew_reach_the_core_and_nothing_else_of_the_listing_does() {
        let mut catalogue = catalogue();
        let mut core = Core::new();
        tell(&mut core, &catalogue, &[]);
        let mut listed = entry(9, 9, "B");
        assert!(catalogue.take_fees(&[listed.clone(), entry(9, 9, "Z")]).is_empty(), "as it was");
        let (now, later) = (FeeRule::Kalshi { taker: 35_000, maker: 0 }, Nanos::from_secs(900));
        let dear = FeeRule::Kalshi { taker: 70_000, maker: 17_500 };
        listed.def.fee = now;
        listed.def.grid = Grid::uniform(10).unwrap();
        listed.fee_changes = vec![FeeChange { from: later, rule: dear }];
        let changes = catalogue.take_fees(std::slice::from_ref(&listed));
        assert_eq!(words(&changes), ["fees of B"]);
        let told = |core: &Core| *core.books().terms(MarketId::new(1)).unwrap();
        let before = told(&core);
        let Change::Fees(changed) = &changes[0].what else { panic!("{changes:?}") };
        let mut out = Outbox::new();
        for event in changed.fee_events() {
            core.on_event(Nanos::from_secs(2), &event, &mut out);
            out.clear();
        }
        assert_eq!(told(&core).fee, before.fee, "both rules count around a change");
        for (secs, fee) in [(10, now), (899, dear), (910, dear)] {
            core.on_event(Nanos::from_secs(secs), &Event::Timer, &mut out);
            out.clear();
            assert_eq!(told(&core), MarketDef { fee, ..before }, "at {secs} s");
        }
    }

    #[test]
    fn a_start_buys_what_is_declared_and_nothing_of_an_earlier_run() {
        let mut first = catalogue();
        let mut core = Core::new();
        let mut changes = first.follow(vec![entry(9, 9, "D")]).unwrap();
        changes.extend(first.withdraw(&[MarketId::new(1)]));
        changes.extend(first.follow(vec![entry(9, 9, "B")]).unwrap());
        tell(&mut core, &catalogue(), &changes);
        let all = bought(&core);
        assert_eq!(all.len(), 6, "two sets, and YES with NO of each market: {all:?}");

        // The set of A and B is declared no more.
        let mut next = Catalogue { directory: first.directory.clone(), ..Catalogue::default() };
        let relations = Relations { sets: vec![set(&["C", "D"])], ..Relations::default() };
        next.relate(&relations);
        assert_eq!(next.keep_numbers(core.baskets()), Vec::<String>::new());
        tell(&mut core, &next, &[]);
        let left: Vec<_> = all.into_iter().filter(|(_, markets)| *markets != [0, 1]).collect();
        assert_eq!(bought(&core), left, "the others have the numbers that they had");

        let mut last = Catalogue { directory: first.directory.clone(), ..Catalogue::default() };
        last.relate(&first.relations);
        assert_eq!(last.keep_numbers(core.baskets()), Vec::<String>::new());
        tell(&mut core, &last, &[]);
        assert_eq!(bought(&core).len(), 6, "declared again it is bought again");
    }

    /// Markets A and B, of which a person signed that they ask the same; told to a core.
    fn signed() -> (Catalogue, Core) {
        let certificate = Certificate {
            signed_by: "ada".to_owned(),
            void_pays: [Payoff::Pays(Price::ZERO); 2],
            rules: [None; 2],
        };
        let pair = Pair {
            markets: ["A", "B"].map(|name| (Venue::Kalshi, name.to_owned())),
            same_polarity: true,
            certificate: Some(certificate),
        };
        let mut catalogue = catalogue();
        catalogue.relate(&Relations { pairs: vec![pair], ..Relations::default() });
        let mut core = Core::new();
        tell(&mut core, &catalogue, &[]);
        assert_eq!(bought(&core).len(), 5, "two directions, and YES with NO of each market");
        (catalogue, core)
    }

    fn withdrawn(events: impl IntoIterator<Item = Event>) -> Vec<(u16, WithdrawnWhy)> {
        let gone = |event| match event {
            Event::BasketWithdrawn { basket, why } => Some((basket.get(), why)),
            _ => None,
        };
        events.into_iter().filter_map(gone).collect()
    }

    /// Market B with another rule text.
    fn changed(catalogue: &Catalogue) -> Entry {
        let mut changed = catalogue.directory.find("B").unwrap().clone();
        changed.facts.rules = Fingerprint::of("It settles otherwise.");
        changed
    }

    #[test]
    fn a_rule_text_that_changed_between_two_runs_revokes_what_was_signed_for_it() {
        let (first, mut core) = signed();
        for _ in 0..2 {
            // What was signed is remembered, however often another text is read.
            let mut next = Catalogue { directory: first.directory.clone(), ..Catalogue::default() };
            next.directory.follow(changed(&first));
            next.relate(&first.relations);
            assert!(next.left_out[0].contains("rule text of B has changed"), "{:?}", next.left_out);
            next.keep_numbers(core.baskets());
            let revoked = [(0, WithdrawnWhy::Revoked), (1, WithdrawnWhy::Revoked)];
            assert_eq!(withdrawn(next.events()), revoked);
        }
        let mut next = Catalogue { directory: first.directory.clone(), ..Catalogue::default() };
        next.directory.follow(changed(&first));
        next.relate(&first.relations);
        next.keep_numbers(core.baskets());
        tell(&mut core, &next, &[]);
        assert!(core.baskets().get(BasketId::new(0)).is_none(), "what is held does not pair");
        assert_eq!(bought(&core).len(), 3);
    }

    #[test]
    fn a_rule_text_that_changed_while_a_market_was_not_followed_revokes_too() {
        let (mut catalogue, _) = signed();
        let changes = catalogue.follow(vec![changed(&catalogue)]).unwrap();
        let why = |change: &CatalogueChange| match change.what {
            Change::BasketWithdrawn { basket, why } => Some((basket.get(), why)),
            _ => None,
        };
        let gone: Vec<_> = changes.iter().filter_map(why).collect();
        assert_eq!(gone, [(0, WithdrawnWhy::Revoked), (1, WithdrawnWhy::Revoked)]);
        let same = catalogue.directory.find("A").unwrap().clone();
        let changes = catalogue.follow(vec![same]).unwrap();
        assert_eq!(changes.iter().filter_map(why).count(), 0, "once");
    }

    #[test]
    fn what_a_venue_says_anew_takes_back_what_was_made_on_its_word_before() {
        let (mut catalogue, _) = signed();
        let same = catalogue.directory.find("B").unwrap().clone();
        assert!(catalogue.take_facts(std::slice::from_ref(&same)).unwrap().is_empty());
        let changes = catalogue.take_facts(&[changed(&catalogue), entry(9, 9, "Z")]).unwrap();
        assert_eq!(words(&changes), ["drop 0", "drop 1"]);
        let said = catalogue.left_out.last().unwrap();
        assert!(said.contains("rule text of B has changed"), "{said}");
        let what = changes.last().map(|change| &change.what);
        let why = WithdrawnWhy::Revoked;
        assert!(matches!(what, Some(Change::BasketWithdrawn { why: of, .. }) if *of == why));
        // The venue takes it back: what was signed is so again.
        let changes = catalogue.take_facts(&[same]).unwrap();
        assert_eq!(words(&changes), ["basket 0 of 2", "basket 1 of 2"]);
    }

    #[test]
    fn what_cannot_be_shown_any_more_is_not_bought_until_it_can_be() {
        let (mut catalogue, _) = signed();
        let same = catalogue.directory.find("B").unwrap().clone();
        let mut silent = same.clone();
        silent.facts.rules = None;
        let changes = catalogue.take_facts(&[silent]).unwrap();
        assert_eq!(words(&changes), ["drop 0", "drop 1"]);
        let why = WithdrawnWhy::Unfollowed;
        let is_kept = |change: &CatalogueChange| matches!(change.what, Change::BasketWithdrawn { why: of, .. } if of == why);
        assert!(changes.iter().all(is_kept), "what is held of them still pays together");
        let changes = catalogue.take_facts(&[same]).unwrap();
        assert_eq!(words(&changes), ["basket 0 of 2", "basket 1 of 2"]);

        let mut catalogue = catalogue_of(&["A", "B", "C"]);
        let mut nameless = catalogue.directory.find("C").unwrap().clone();
        nameless.facts.stands_for = StandsFor::Placeholder;
        let changes = catalogue.take_facts(&[nameless]).unwrap();
        assert_eq!(words(&changes), ["drop 0", "basket 4 of 2"], "the others without it");
    }

    #[test]
    fn an_event_that_is_not_exclusive_any_more_revokes_its_set_and_a_market_that_is_over_does_not()
    {
        let first = catalogue();
        let mut core = Core::new();
        tell(&mut core, &first, &[]);
        let next = |change: &dyn Fn(&mut Entry)| {
            let mut next = Catalogue { directory: first.directory.clone(), ..Catalogue::default() };
            let mut entry = first.directory.find("B").unwrap().clone();
            change(&mut entry);
            next.directory.follow(entry);
            next.relate(&first.relations);
            next.keep_numbers(core.baskets());
            withdrawn(next.events())
        };
        let silent = next(&|entry| entry.facts.event = Some(Arc::default()));
        assert_eq!(silent, [(0, WithdrawnWhy::Revoked)], "another event");
        let over = next(&|entry| entry.def.status = MarketStatus::Resolved);
        let unfollowed = [(0, WithdrawnWhy::Unfollowed), (2, WithdrawnWhy::Unfollowed)];
        assert_eq!(over, unfollowed, "the set, and YES with NO of B");
    }
}
