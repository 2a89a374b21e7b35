//! The terms of markets that are followed, read anew.

use std::collections::BTreeMap;
use std::sync::Arc;

use surefoot_cold::directory::Entry;
use surefoot_hot::ids::MarketId;

use super::{Catalogue, CatalogueChange, Change};

/// What another reading of the terms of some markets comes to.
#[derive(Debug, Default)]
pub struct Refreshed {
    /// What has changed.
    pub changes: Vec<CatalogueChange>,
    /// Markets whose terms could not be read, or not in full.
    pub unread: Vec<MarketId>,
}

impl Catalogue {
    /// Takes in what a venue lists of the markets that it was `asked` for, as far as the streams do not tell it: least order, close,
    /// when it expects to have paid, and names. Of a market that has not been read in this run all of its terms are taken in; baskets
    /// are made of it by [`Self::take_facts`]. One that the reading before left out is told although nothing has changed: the core counts
    /// it as unread until then.
    pub fn refresh(&mut self, asked: &[MarketId], found: &[Entry]) -> Refreshed {
        let named = found.iter().map(|entry| (entry.names.id(), entry));
        let found: BTreeMap<_, _> = named.collect();
        let mut refreshed = Refreshed::default();
        for &market in asked {
            let Some(known) = self.directory.entry(market) else { continue };
            if self.directory.is_withdrawn(market) {
                continue; // meanwhile
            }
            let listed = found.get(known.names.id());
            let Some(listed) = listed.filter(|listed| listed.def.venue == known.def.venue) else {
                self.missed.insert(market);
                refreshed.unread.push(market);
                continue;
            };
            let was_missed = self.missed.remove(&market);
            if self.is_unread(market) {
                self.directory.set_terms(market, listed);
                let entry = Arc::new(self.directory.entry(market).expect("it is known").clone());
                self.note(&mut refreshed.changes, Change::Read(entry));
                continue;
            }
            let told = |entry: &Entry| (entry.def.min_qty, entry.def.close, entry.paid_by);
            let renamed = listed.names != known.names;
            if !renamed && !was_missed && told(listed) == told(known) {
                continue;
            }
            self.directory.set_listed(market, listed);
            let entry = Arc::new(self.directory.entry(market).expect("it is known").clone());
            let change = if renamed { Change::Renamed(entry) } else { Change::Listed(entry) };
            self.note(&mut refreshed.changes, change);
        }
        refreshed
    }
}

#[cfg(test)]
mod tests {
    use surefoot_cold::directory::{Generation, Names, PolymarketNames};
    use surefoot_hot::event::Event;
    use surefoot_hot::ids::Venue;
    use surefoot_hot::market::{MarketDef, MarketStatus};
    use surefoot_hot::units::Nanos;

    use super::super::tests::entry;
    use super::*;

    const ALL: [MarketId; 3] = [MarketId::new(0), MarketId::new(1), MarketId::new(2)];

    fn catalogue() -> Catalogue {
        let mut catalogue = Catalogue::default();
        for (number, ticker) in ["A", "B", "C"].into_iter().enumerate() {
            catalogue.directory.push(entry(u16::try_from(number).unwrap(), 7, ticker));
        }
        catalogue
    }

    /// As the venue lists it: without our number and cluster.
    fn listed(ticker: &str) -> Entry {
        entry(0, 0, ticker)
    }

    #[test]
    fn what_has_not_changed_says_nothing() {
        let mut catalogue = catalogue();
        let Refreshed { changes, unread } =
            catalogue.refresh(&ALL, &[listed("C"), listed("A"), listed("B")]);
        assert!(changes.is_empty() && unread.is_empty());
        assert_eq!(catalogue.version, 0);
    }

    #[test]
    fn another_close_is_taken_over_and_what_the_streams_tell_is_not() {
        let mut catalogue = catalogue();
        let mut other = listed("B");
        (other.def.close, other.def.status) = (Nanos::from_secs(5), MarketStatus::Paused);
        let Refreshed { changes, unread } =
            catalogue.refresh(&ALL, &[listed("A"), other.clone(), listed("C")]);
        let [CatalogueChange { version: 1, what: Change::Listed(told) }] = &changes[..] else {
            panic!("{changes:?}");
        };
        let known = catalogue.directory.entry(ALL[1]).unwrap().def;
        let expected = MarketDef { close: other.def.close, ..entry(1, 7, "B").def };
        assert_eq!((told.def, unread), (expected, vec![]));
        assert_eq!(known, expected);
        let again = catalogue.refresh(&ALL, &[listed("A"), other, listed("C")]);
        assert!(again.changes.is_empty(), "it is known now");
    }

    #[test]
    fn when_it_is_expected_to_have_paid_is_told_where_it_changes() {
        let mut catalogue = catalogue();
        let mut other = listed("B");
        let paid_by = Nanos::from_secs(7);
        for (expected, told) in [(Some(paid_by), paid_by), (None, Nanos::NEVER)] {
            other.paid_by = expected;
            let changes = catalogue.refresh(&ALL[1..2], &[other.clone()]).changes;
            let [CatalogueChange { what: Change::Listed(entry), .. }] = &changes[..] else {
                panic!("{changes:?}");
            };
            let told = Event::Expected { market: ALL[1], paid_by: told };
            assert!(entry.listed_events().any(|event| event == told), "{expected:?}");
            let entry = catalogue.directory.entry(ALL[1]).unwrap();
            assert!(entry.events().any(|event| event == told), "so does a start: {expected:?}");
        }
    }

    #[test]
    fn what_is_signed_for_otherwise_is_told_as_such() {
        let mut catalogue = catalogue();
        let mut other = listed("A");
        let Names::Kalshi(names) = &mut other.names else { unreachable!() };
        names.exchange_index = 3;
        let changes = catalogue.refresh(&ALL[..1], &[other]).changes;
        assert!(
            matches!(&changes[..], [CatalogueChange { what: Change::Renamed(_), .. }]),
            "{changes:?}"
        );
    }

    /// Another exchange contract signs for a member of a neg-risk event: an order made for the old one would be void, or worse.
    #[test]
    fn a_neg_risk_flag_that_appears_is_told_as_another_way_to_sign() {
        let listed = |neg_risk| {
            let mut entry = listed("0xabc");
            entry.def.venue = Venue::Polymarket;
            entry.names = Names::Polymarket(PolymarketNames {
                condition_id: "0xabc".into(),
                yes_token: "1".into(),
                no_token: "2".into(),
                generation: Generation::Two,
                neg_risk,
                min_size_text: "5".into(),
                event: String::new(),
            });
            entry
        };
        let mut catalogue = Catalogue::default();
        catalogue.directory.push(listed(false));
        assert!(catalogue.refresh(&ALL[..1], &[listed(false)]).changes.is_empty());
        for neg_risk in [true, false] {
            let changes = catalogue.refresh(&ALL[..1], &[listed(neg_risk)]).changes;
            let [CatalogueChange { what: Change::Renamed(entry), .. }] = &changes[..] else {
                panic!("{changes:?}");
            };
            let Names::Polymarket(names) = &entry.names else { unreachable!() };
            assert_eq!(names.neg_risk, neg_risk, "what signs from now on is told");
        }
    }

    /// The core counts it as unread until it is told of it: a list that was short once must not keep it shut for the rest of the run.
    #[test]
    fn a_market_that_was_left_out_once_is_told_when_it_is_listed_again_though_nothing_changed() {
        let mut catalogue = catalogue();
        assert_eq!(catalogue.refresh(&ALL, &[listed("A"), listed("C")]).unread, [ALL[1]]);
        let whole = [listed("A"), listed("B"), listed("C")];
        let Refreshed { changes, unread } = catalogue.refresh(&ALL, &whole);
        assert_eq!(unread, []);
        let [CatalogueChange { what: Change::Listed(entry), .. }] = &changes[..] else {
            panic!("{changes:?}");
        };
        assert_eq!(entry.def.market, ALL[1]);
        assert!(catalogue.refresh(&ALL, &whole).changes.is_empty(), "once");
    }

    #[test]
    fn a_market_that_is_not_listed_is_unread_unless_it_was_withdrawn_meanwhile() {
        let mut catalogue = catalogue();
        catalogue.withdraw(&ALL[2..]);
        let refreshed = catalogue.refresh(&ALL, &[listed("A"), listed("D")]);
        assert_eq!(refreshed.unread, [ALL[1]]);
        assert!(refreshed.changes.is_empty(), "nobody asked for D");
    }
}
