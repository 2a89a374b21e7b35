//! Markets that settled while nobody listened: a stream tells of a result once, metadata for ever. A result may also become
//! another one (a dispute, an amended determination), of which no stream tells.

use std::collections::BTreeMap;

use surefoot_cold::directory::{Directory, Entry};
use surefoot_cold::rest::Rest;
use surefoot_cold::venue::listing;
use surefoot_hot::event::Event;
use surefoot_hot::ids::{MarketId, Venue};
use surefoot_hot::units::Price;

/// Of so many readings one asks again about the results that were told: every ten minutes or so.
const AGAIN_EVERY: u32 = 50;

/// Reads the results of the markets of one venue.
pub(crate) struct Results {
    venue: Venue,
    metadata: Rest,
    /// The venue's name of each market.
    markets: Vec<(String, MarketId)>,
    told: Told,
}

/// Results that were told.
#[derive(Debug, Default)]
struct Told {
    pays: BTreeMap<MarketId, Price>,
    /// Readings so far.
    readings: u32,
}

impl Results {
    /// For every market of a directory at this venue. `metadata` leads to the venue's metadata.
    pub fn new(venue: Venue, metadata: Rest, directory: &Directory) -> Self {
        let markets =
            directory.of(venue).map(|entry| (entry.names.id().to_owned(), entry.def.market));
        Self { venue, metadata, markets: markets.collect(), told: Told::default() }
    }

    /// One more market is followed.
    pub fn follow(&mut self, entry: &Entry) {
        let market = (entry.names.id().to_owned(), entry.def.market);
        if entry.def.venue == self.venue && !self.markets.contains(&market) {
            self.markets.push(market);
        }
    }

    /// Results that are final and were not given before, or are others now; the core takes one that it knows for nothing new.
    ///
    /// # Errors
    /// The venue did not answer with a list: nothing is given, and nothing is lost.
    pub fn read(&mut self) -> Result<Vec<Event>, String> {
        let asked = self.markets.iter().filter(|(_, market)| self.told.asks(*market));
        let asked: BTreeMap<_, _> = asked.map(|(name, market)| (name.as_str(), *market)).collect();
        let names: Vec<_> = asked.keys().copied().collect();
        let found = listing(self.venue).results(&self.metadata, &names)?;
        let market = |name: &str| asked.get(name).copied();
        let found = found.into_iter().filter_map(|(name, pays)| Some((market(&name)?, pays)));
        let found = found.collect();
        Ok(self.told.news(found))
    }
}

impl Told {
    /// Whether this reading asks about a market.
    fn asks(&self, market: MarketId) -> bool {
        self.readings % AGAIN_EVERY == AGAIN_EVERY - 1 || !self.pays.contains_key(&market)
    }

    /// A reading has found these results. Returns those that were not told yet.
    fn news(&mut self, found: Vec<(MarketId, Price)>) -> Vec<Event> {
        self.readings = self.readings.wrapping_add(1);
        let pays = &mut self.pays;
        let new =
            found.into_iter().filter(|&(at, yes_pays)| pays.insert(at, yes_pays) != Some(yes_pays));
        new.map(|(market, yes_pays)| Event::Settled { market, yes_pays }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_is_told_once_asked_for_again_and_told_anew_where_it_is_another() {
        let (market, mut told, mut asked) = (MarketId::new(3), Told::default(), Vec::new());
        for reading in 0..2 * AGAIN_EVERY {
            let yes_pays = if reading < AGAIN_EVERY { Price::ONE } else { Price::ZERO };
            let asks = told.asks(market);
            let news = told.news(if asks { vec![(market, yes_pays)] } else { Vec::new() });
            let expected = [0, 2 * AGAIN_EVERY - 1].contains(&reading);
            assert_eq!(news, vec![Event::Settled { market, yes_pays }; usize::from(expected)]);
            asked.extend(asks.then_some(reading));
        }
        assert_eq!(asked, [0, AGAIN_EVERY - 1, 2 * AGAIN_EVERY - 1]);
    }
}
