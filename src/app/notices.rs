//! What streams say of markets that is no input of the core, and what the run makes of it: trouble for health, and a
//! reading at once.

use std::collections::BTreeSet;

use crossbeam_channel::{Receiver, Sender, bounded};
use surefoot_cold::directory::Directory;
use surefoot_hot::event::Event;
use surefoot_hot::ids::{MarketId, Venue};
use surefoot_hot::per_venue::PerVenue;
use surefoot_hot::venue::Notice;

/// Notices that may wait for the main thread; the links count those that find no room.
const NOTICES: usize = 256;

/// What was heard and is not over.
#[derive(Debug)]
pub(crate) struct Notices {
    from: Receiver<(Venue, Notice)>,
    /// Markets that are settled at a price nobody has said yet.
    unpriced: BTreeSet<MarketId>,
    /// Markets whose result was read.
    priced: BTreeSet<MarketId>,
    /// Venues that changed fees, and were not asked for them since.
    fees: PerVenue<bool>,
    /// Venues that changed fees, and are being asked for them.
    fees_asked: PerVenue<bool>,
}

impl Notices {
    /// With the end that goes to the links.
    pub fn new() -> (Sender<(Venue, Notice)>, Self) {
        let (to, from) = bounded(NOTICES);
        let (unpriced, priced) = (BTreeSet::new(), BTreeSet::new());
        let (fees, fees_asked) = (PerVenue::default(), PerVenue::default());
        (to, Self { from, unpriced, priced, fees, fees_asked })
    }

    /// Takes in what has come. Whether the venues are to be read at once.
    pub fn take(&mut self) -> bool {
        let mut at_once = false;
        while let Ok((venue, notice)) = self.from.try_recv() {
            match notice {
                Notice::SettledUnseen { market } => {
                    let is_news = !self.priced.contains(&market) && self.unpriced.insert(market);
                    at_once |= is_news;
                }
                Notice::FeesChanged => self.fees[venue] = true,
                // Read with the next round, in ten minutes at most: an unknown market is not traded, a title decides nothing,
                // and what a close that moved costs until then is a refusal by the venue.
                Notice::NewMarket | Notice::CloseMoved { .. } | Notice::MetadataChanged { .. } => {}
            }
        }
        at_once
    }

    /// Results were read.
    pub fn on_results(&mut self, results: &[Event]) {
        for event in results {
            if let Event::Settled { market, .. } = event {
                self.on_settled(*market);
            }
        }
    }

    /// The result of a market was read.
    fn on_settled(&mut self, market: MarketId) {
        self.unpriced.remove(&market);
        self.priced.insert(market);
    }

    /// Settled markets without a price, by venue and name.
    pub fn unpriced(&self, directory: &Directory) -> Vec<String> {
        let entries = self.unpriced.iter().filter_map(|market| directory.entry(*market));
        entries.map(|entry| format!("{} {}", entry.def.venue.name(), entry.names.id())).collect()
    }

    /// Venues that changed fees which have not been read yet.
    pub fn fees(&self) -> PerVenue<bool> {
        PerVenue::from_fn(|venue| self.fees[venue] || self.fees_asked[venue])
    }

    /// Every venue is asked for its fees from here on: what is changed later, the answer may not have.
    pub fn on_fees_asked(&mut self) {
        self.fees_asked = self.fees();
        self.fees = PerVenue::default();
    }

    /// A venue's fees were read, or could not be.
    pub fn on_fees_read(&mut self, venue: Venue, is_read: bool) {
        let asked = std::mem::take(&mut self.fees_asked[venue]);
        self.fees[venue] |= asked && !is_read;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fees_that_changed_are_trouble_until_they_were_read_whole() {
        let (to, mut notices) = Notices::new();
        let told = |notices: &Notices| notices.fees()[Venue::Kalshi];
        let change = |notices: &mut Notices| {
            to.send((Venue::Kalshi, Notice::FeesChanged)).unwrap();
            notices.take();
        };
        assert!(!told(&notices));
        change(&mut notices);
        notices.on_fees_asked();
        assert!(told(&notices), "asked is not read");
        notices.on_fees_read(Venue::Kalshi, false);
        assert!(told(&notices));
        notices.on_fees_asked();
        change(&mut notices);
        notices.on_fees_read(Venue::Kalshi, true);
        assert!(told(&notices), "changed again meanwhile");
        notices.on_fees_asked();
        notices.on_fees_read(Venue::Kalshi, true);
        assert!(!told(&notices));
    }

    #[test]
    fn a_settlement_without_a_price_stands_until_its_result_is_read() {
        let (to, mut notices) = Notices::new();
        let [early, late] = [1, 2].map(MarketId::new);
        notices.on_settled(early);
        for market in [early, late, late] {
            to.send((Venue::Kalshi, Notice::SettledUnseen { market })).unwrap();
        }
        to.send((Venue::Kalshi, Notice::FeesChanged)).unwrap();
        assert!(notices.take(), "the venue is read at once");
        assert_eq!(
            (notices.unpriced.len(), notices.fees()),
            (1, PerVenue::from_fn(|venue| venue == Venue::Kalshi))
        );
        to.send((Venue::Kalshi, Notice::SettledUnseen { market: late })).unwrap();
        assert!(!notices.take(), "once");
        notices.on_settled(late);
        assert!(notices.unpriced.is_empty());
    }
}
