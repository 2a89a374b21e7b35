//! Metadata to directory, relations to baskets.
//!
//! A market whose metadata lacks something is left out and named; nothing is assumed. `fetch` asks the venues, `clusters` joins
//! what depends on each other, `relate` has the compiler of relations make the baskets, `numbers` says by which number the core
//! knows each.

mod changes;
mod clusters;
mod fetch;
mod numbers;
mod refresh;
mod relate;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use surefoot_cold::directory::{Directory, Entry};
use surefoot_cold::text::counted;
use surefoot_hot::basket::{BasketDef, Proven};
use surefoot_hot::bounds::MARKETS_MAX;
use surefoot_hot::event::{Control, Event, WithdrawnWhy};
use surefoot_hot::ids::{BasketId, MarketId, Venue};
use surefoot_hot::market::{MarketDef, MarketStatus};
use surefoot_hot::per_venue::PerVenue;

use crate::access::Access;
use crate::config::themes::Themes;
use crate::exit::{Exit, Failed};
use crate::relations::Relations;
use clusters::Clusters;
use numbers::Numbers;

pub use changes::{CatalogueChange, Change};
pub use refresh::Refreshed;

/// What there is to trade.
#[derive(Clone, Debug, Default)]
pub struct Catalogue {
    /// The markets that are followed, by number.
    pub directory: Directory,
    /// The baskets, leg by leg.
    pub baskets: Vec<BasketDef>,
    /// Which markets were listed, and are watched and not bought because of what their terms say: one sentence each.
    pub observed: Vec<String>,
    /// What was left out, and why: one sentence each.
    pub left_out: Vec<String>,
    /// How often what there is to trade has changed since the run began.
    pub version: u64,
    /// Which markets belong together, as it was declared.
    relations: Relations,
    /// The baskets that are bought, by number.
    live: BTreeMap<BasketId, Proven>,
    numbers: Numbers,
    /// Baskets that the core knows from earlier runs and that are not made any more, and why.
    undeclared: Vec<(BasketId, WithdrawnWhy)>,
    /// Markets of earlier runs, not over when they were last heard of, that their venue did not list when this run began. A list
    /// without them says nothing of them: what is held there is sold, and nothing is opened before they are listed again.
    unread: BTreeSet<MarketId>,
    /// Markets that the last reading of their terms left out: the core is told of them when they are listed again.
    missed: BTreeSet<MarketId>,
}

/// Markets to be followed beside those in relations, as each venue calls them: condition ids, tickers.
pub type ExtraMarkets = PerVenue<Vec<String>>;

impl Catalogue {
    /// Everything the core must know before it trades, as events. Markets that were withdrawn are among them, and withdrawn
    /// again: of what is held there the core must know the terms, and which contracts pay together. A basket of an earlier
    /// run that is not made any more is withdrawn as well: the core would go on buying it. Where what it stood on does not hold,
    /// it is revoked.
    pub fn events(&self) -> impl Iterator<Item = Event> {
        let markets = self.directory.iter().flat_map(Entry::events);
        let baskets = self.baskets.iter().copied().map(Event::Basket);
        let gone = self.baskets.iter().filter(|leg| leg.leg() == 0);
        let gone = gone.map(BasketDef::basket).filter(|basket| !self.live.contains_key(basket));
        let gone = gone.map(|basket| (basket, WithdrawnWhy::Unfollowed));
        let gone = gone.chain(self.undeclared.iter().copied());
        let gone = gone.map(|(basket, why)| Event::BasketWithdrawn { basket, why });
        let all = self.directory.iter().map(|entry| entry.def.market);
        let left = all.filter(|market| self.directory.is_withdrawn(*market));
        let left = left.map(|market| Event::MarketWithdrawn { market });
        let unread = self.unread.iter().map(|&market| Control::TermsUnread { market });
        markets.chain(unread.map(Event::Control)).chain(baskets).chain(gone).chain(left)
    }

    /// Whether a market's terms have not been read in this run.
    pub fn is_unread(&self, market: MarketId) -> bool {
        self.unread.contains(&market)
    }

    /// Whether there are markets that are followed and whose terms have not been read in this run.
    pub fn has_unread(&self) -> bool {
        self.unread.iter().any(|market| !self.directory.is_withdrawn(*market))
    }

    /// Gives out numbers: known markets keep theirs. One that is not among those found, and was not over, is [unread](Self::is_unread). Their cluster and their theme are today's: a relation declared since may have joined
    /// two that were apart, and the core moves what is held along.
    fn number(
        &mut self,
        mut found: BTreeMap<String, Entry>,
        known: Option<&Directory>,
        clusters: &Clusters,
        themes: &Themes,
    ) {
        for old in known.into_iter().flat_map(Directory::iter) {
            let mut entry = old.clone();
            match found.remove(old.names.id()) {
                Some(fresh) => {
                    let def = MarketDef { market: old.def.market, ..fresh.def };
                    entry = Entry { def, ..fresh };
                }
                None => {
                    if !old.def.status.is_over() {
                        entry.def.status = MarketStatus::Observe;
                        self.unread.insert(old.def.market);
                    }
                    entry.def.cluster = clusters.find(old.def.venue, old.names.id());
                }
            }
            entry.def.theme = themes.of(&entry);
            self.directory.push(entry);
        }
        for (name, mut entry) in found {
            if self.directory.next_id().index() >= MARKETS_MAX {
                self.left_out.push(format!("{name}: more than {MARKETS_MAX} markets"));
                continue;
            }
            entry.def.market = self.directory.next_id();
            entry.def.theme = themes.of(&entry);
            self.directory.push(entry);
        }
        if let Some(known) = known {
            self.directory.take_over(known);
        }
    }
}

/// Known markets that a venue is asked for although no relation may name them: those that an operator wants followed, and
/// those that were not over when they were last heard of. Something may be held there, and it is sold on the venue's terms
/// alone.
fn asked_anew(known: &Directory) -> impl Iterator<Item = &Entry> {
    let is_asked =
        |entry: &&Entry| !entry.def.status.is_over() || known.is_declared(entry.def.market);
    known.iter().filter(is_asked)
}

/// Tells which markets of earlier runs their venues do not list; `None` where there are none.
fn not_listed(catalogue: &Catalogue) -> Option<String> {
    let missing = catalogue.unread.iter().filter_map(|market| catalogue.directory.entry(*market));
    let missing = missing.filter(|entry| !catalogue.directory.is_withdrawn(entry.def.market));
    let (count, names) = some_of(missing.map(|entry| entry.names.id()));
    (count > 0).then(|| {
        format!(
            "{} of an earlier run that the venue does not list now ({names}): what is held there is sold, and nothing is bought \
             before the venue lists them again; it is asked every minute",
            counted(count, "market", "markets"),
        )
    })
}

/// How many names there are, and the first of them.
fn some_of<'a>(names: impl Iterator<Item = &'a str>) -> (u64, String) {
    const SHOWN_MAX: usize = 5;
    let mut names: Vec<_> = names.collect();
    let count = names.len();
    names.truncate(SHOWN_MAX);
    let more = if count > SHOWN_MAX { ", …" } else { "" };
    (count as u64, format!("{}{more}", names.join(", ")))
}

/// Tells which markets stay out, because an operator withdrew them, although somebody names them; `None` where there are none.
fn still_withdrawn(
    directory: &Directory,
    is_named: impl Fn(Venue, &str) -> bool,
) -> Option<String> {
    let out = directory.iter().filter(|entry| directory.is_withdrawn(entry.def.market));
    let out = out.filter(|entry| is_named(entry.def.venue, entry.names.id()));
    let (count, names) = some_of(out.map(|entry| entry.names.id()));
    (count > 0).then(|| {
        format!(
            "{} that `surefoot unfollow` withdrew ({names}): `surefoot follow` brings back what is named",
            counted(count, "market", "markets"),
        )
    })
}

/// Markets and baskets; numbers stay what they were in earlier runs at the same venues.
pub(crate) fn load_catalogue(
    access: &Access,
    extra: &ExtraMarkets,
    known: Option<&Directory>,
) -> Result<Catalogue, Failed> {
    let metadata = PerVenue::from_fn(|venue| access.metadata(venue));
    let relations = &access.relations;
    let is_named = |venue: Venue, name: &str| {
        relations.beside(venue, name).next().is_some() || extra[venue].iter().any(|it| it == name)
    };
    let mut asked = extra.clone();
    for entry in known.into_iter().flat_map(asked_anew) {
        asked[entry.def.venue].push(entry.names.id().to_owned());
    }
    let mut last = String::new();
    for attempt in 0..5_u64 {
        std::thread::sleep(Duration::from_millis(500 * attempt));
        match Catalogue::load(&metadata, relations, &asked, known) {
            Ok(mut catalogue) => {
                catalogue.left_out.extend(still_withdrawn(&catalogue.directory, is_named));
                catalogue.left_out.extend(not_listed(&catalogue));
                return Ok(catalogue);
            }
            Err(why) => last = why,
        }
    }
    Err(Failed(Exit::Venue, format!("{last}; is the venue up, and are the endpoints right?")))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use surefoot_cold::directory::{KalshiNames, Names};
    use surefoot_cold::facts::{EventFacts, Facts, Fingerprint};
    use surefoot_hot::fees::FeeRule;
    use surefoot_hot::ids::{ClusterId, MarketId};

    use super::*;
    use crate::relations::{Relations, Set};

    pub(super) fn entry(market: u16, cluster: u16, ticker: &str) -> Entry {
        Entry {
            def: MarketDef {
                cluster: ClusterId::new(cluster),
                fee: FeeRule::Kalshi { taker: 70_000, maker: 0 },
                ..MarketDef::bare(MarketId::new(market), Venue::Kalshi)
            },
            fee_changes: Vec::new(),
            paid_by: None,
            title: String::new(),
            names: Names::Kalshi(KalshiNames { ticker: ticker.into(), ..KalshiNames::default() }),
            facts: Facts {
                event: Some(Arc::new(EventFacts {
                    name: "KXE".to_owned(),
                    is_exclusive: true,
                    ..EventFacts::default()
                })),
                rules: Fingerprint::of("It settles by what is so."),
                ..Facts::default()
            },
        }
    }

    pub(super) fn set(members: &[&str]) -> Set {
        let members = members.iter().map(|&name| name.to_owned()).collect();
        let (exhaustive, leave_one_out, void_pays) = (false, false, None);
        Set { venue: Venue::Kalshi, exhaustive, leave_one_out, void_pays, members }
    }

    #[test]
    fn a_market_that_is_not_over_is_asked_for_whoever_names_it() {
        let mut known = Directory::default();
        let statuses = [MarketStatus::Open, MarketStatus::Paused, MarketStatus::Closed];
        for (number, status) in (0..4).zip(statuses.into_iter().chain([MarketStatus::Closed])) {
            let mut market = entry(number, number, ["A", "B", "C", "D"][usize::from(number)]);
            market.def.status = status;
            known.push(market);
        }
        known.withdraw(MarketId::new(0)); // what is held there is sold all the same
        known.follow(known.entry(MarketId::new(3)).unwrap().clone());
        let asked: Vec<_> = asked_anew(&known).map(|entry| entry.names.id()).collect();
        assert_eq!(asked, ["A", "B", "D"]);
    }

    #[test]
    fn a_start_says_which_markets_stay_out_although_they_are_named() {
        let mut known = Directory::default();
        let names = ["A", "B", "C", "D", "E", "F", "G"];
        for (number, name) in (0..).zip(names) {
            known.push(entry(number, number, name));
        }
        let said = |known: &Directory| still_withdrawn(known, |_, name| name != "G");
        assert_eq!(said(&known), None);
        [1, 6].into_iter().for_each(|market| known.withdraw(MarketId::new(market)));
        let words = said(&known).unwrap();
        assert!(
            words.contains("1 market that") && words.contains("(B)"),
            "nobody names G: {words}"
        );
        (0..6).for_each(|market| known.withdraw(MarketId::new(market)));
        let words = said(&known).unwrap();
        assert!(words.contains("6 markets") && words.contains("(A, B, C, D, E, …)"), "{words}");
    }

    #[test]
    fn a_market_that_its_venue_does_not_list_is_not_over_and_not_opened_in() {
        let mut known = Directory::default();
        let statuses = [MarketStatus::Open, MarketStatus::Open, MarketStatus::Resolved];
        for (number, status) in (0..3_u16).zip(statuses) {
            let mut market = entry(number, number, ["A", "B", "C"][usize::from(number)]);
            market.def.status = status;
            known.push(market);
        }
        let relations = Relations { sets: vec![set(&["A", "B"])], ..Relations::default() };
        let clusters = Clusters::of(&relations, &ExtraMarkets::default(), Some(&known));
        let start = |found: &[&str]| {
            let mut catalogue = Catalogue::default();
            let found = found.iter().map(|name| ((*name).to_owned(), entry(9, 1, name)));
            catalogue.number(found.collect(), Some(&known), &clusters, &relations.themes);
            catalogue.relate(&relations);
            catalogue
        };
        let of = |catalogue: &Catalogue| -> Vec<MarketStatus> {
            catalogue.directory.iter().map(|entry| entry.def.status).collect()
        };
        let of_set = |catalogue: &Catalogue| {
            catalogue.baskets.iter().filter(|leg| leg.market() == MarketId::new(1)).count()
        };
        let whole = start(&["A", "B"]);
        assert_eq!(of(&whole), statuses);
        assert!(of_set(&whole) > 0 && !whole.has_unread() && not_listed(&whole).is_none());
        let empty = start(&["A"]);
        let seen = [MarketStatus::Open, MarketStatus::Observe, MarketStatus::Resolved];
        assert_eq!(of(&empty), seen, "a short list says nothing of what is not in it");
        assert_eq!(of_set(&empty), 0, "nothing is proven from terms that were not read");
        let market = MarketId::new(1);
        let told = Event::Control(Control::TermsUnread { market });
        let at = |wanted: &Event| empty.events().position(|event| event == *wanted);
        let terms = Event::Market(empty.directory.entry(market).unwrap().def);
        assert!(at(&told) > at(&terms) && at(&terms).is_some(), "told after its terms");
        assert!(not_listed(&empty).unwrap().contains("1 market of an earlier run"));
    }

    #[test]
    fn a_market_that_is_listed_again_is_opened_in_again() {
        let mut known = Directory::default();
        for (number, name) in (0..).zip(["A", "B"]) {
            known.push(entry(number, 5, name));
        }
        let relations = Relations { sets: vec![set(&["A", "B"])], ..Relations::default() };
        let clusters = Clusters::of(&relations, &ExtraMarkets::default(), Some(&known));
        let mut catalogue = Catalogue::default();
        let found = [("A".to_owned(), entry(9, 0, "A"))];
        catalogue.number(found.into(), Some(&known), &clusters, &relations.themes);
        catalogue.relate(&relations);
        let market = MarketId::new(1);
        let cluster = catalogue.directory.entry(market).unwrap().def.cluster;
        let asked = [MarketId::new(0), market];
        let refreshed = catalogue.refresh(&asked, &[entry(0, 0, "A")]);
        assert_eq!((refreshed.unread, refreshed.changes.len()), (vec![market], 0));
        let listed = [entry(0, 0, "A"), entry(0, 0, "B")];
        let Refreshed { changes, unread } = catalogue.refresh(&asked, &listed);
        let [CatalogueChange { what: Change::Read(told), .. }] = &changes[..] else {
            panic!("{changes:?}");
        };
        assert_eq!((unread.len(), told.def.market, told.def.cluster), (0, market, cluster));
        assert_eq!(told.def.status, MarketStatus::Open);
        let changes = catalogue.take_facts(&listed).unwrap();
        let is_basket = |change: &CatalogueChange| matches!(change.what, Change::Basket(_));
        assert!(!changes.is_empty() && changes.iter().all(is_basket), "{changes:?}");
        assert!(!catalogue.has_unread());
        assert!(catalogue.refresh(&asked, &listed).changes.is_empty(), "it is known now");
        assert!(catalogue.take_facts(&listed).unwrap().is_empty());
    }

    #[test]
    fn every_market_has_the_theme_that_is_declared_today() {
        let theme = |entry: &Entry| entry.def.theme.map(|theme| theme.index());
        let mut known = Directory::default();
        for (number, ticker) in ["KXA-1", "KXB-1"].into_iter().enumerate() {
            let mut market = entry(u16::try_from(number).unwrap(), 0, ticker);
            market.def.theme = Some(surefoot_hot::ids::ThemeId::new(9)); // of an earlier day
            known.push(market);
        }
        let mut themes = Themes::default();
        themes.declare("first", &["polymarket:KX*".into(), "nothing".into()]).unwrap();
        themes.declare("second", &["kalshi:kxa*".into(), "*a question*".into()]).unwrap();
        let relations = Relations { themes: themes.clone(), ..Relations::default() };
        let clusters = Clusters::of(&relations, &ExtraMarkets::default(), Some(&known));
        let mut catalogue = Catalogue::default();
        let asked = Entry { title: "A question?".into(), ..entry(9, 1, "C") };
        let found = [("C".to_owned(), asked)];
        catalogue.number(found.into(), Some(&known), &clusters, &themes);
        let of: Vec<_> = catalogue.directory.iter().map(theme).collect();
        assert_eq!(of, [Some(1), None, Some(1)], "by ticker, not at all, by question");
        catalogue.relate(&relations);
        catalogue.follow(vec![entry(9, 9, "KXA-2"), entry(9, 9, "D")]).unwrap();
        let of = |name| theme(catalogue.directory.find(name).unwrap());
        assert_eq!((of("KXA-2"), of("D")), (Some(1), None));
    }

    #[test]
    fn a_relation_declared_later_joins_the_clusters_of_markets_that_were_known_before() {
        let mut known = Directory::default();
        for (number, ticker) in ["A", "B", "C", "D"].into_iter().enumerate() {
            // A and C were joined once; nothing says so any more.
            let cluster = [0, 1, 0, 2][number];
            known.push(entry(u16::try_from(number).unwrap(), cluster, ticker));
        }
        let relations = Relations { sets: vec![set(&["A", "B"])], ..Relations::default() };
        let clusters = Clusters::of(&relations, &ExtraMarkets::default(), Some(&known));
        assert_eq!(clusters.names(Venue::Kalshi), ["A", "B"], "nobody asks for the others");
        let mut catalogue = Catalogue::default();
        let found = ["A", "B"].map(|name| {
            let cluster = clusters.find(Venue::Kalshi, name).index();
            (name.to_owned(), entry(9, u16::try_from(cluster).unwrap(), name))
        });
        catalogue.number(found.into(), Some(&known), &clusters, &relations.themes);
        let of: Vec<_> = catalogue.directory.iter().map(|entry| entry.def.cluster).collect();
        assert_eq!((of[0], of[0]), (of[1], of[2]), "one limit for the three");
        assert_ne!(of[0], of[3], "and not for the one that never was joined");
        assert!(
            catalogue.directory.iter().zip(known.iter()).all(|(a, b)| a.def.market == b.def.market)
        );
    }
}
