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
    /// Venues that changed fees.
    fees: Told,
    /// Venues that moved the close of a market.
    closes: Told,
}

/// Venues that have said that something changes, until it was read.
#[derive(Debug, Default)]
struct Told {
    /// Those that were not asked for it since.
    new: PerVenue<bool>,
    /// Those that are being asked for it.
    asked: PerVenue<bool>,
}

impl Told {
    fn unread(&self) -> PerVenue<bool> {
        PerVenue::from_fn(|venue| self.new[venue] || self.asked[venue])
    }

    fn on_asked(&mut self) {
        self.asked = self.unread();
        self.new = PerVenue::default();
    }

    fn on_read(&mut self, venue: Venue, is_read: bool) {
        let asked = std::mem::take(&mut self.asked[venue]);
        self.new[venue] |= asked && !is_read;
    }
}

impl Notices {
    /// With the end that goes to the links.
    pub fn new() -> (Sender<(Venue, Notice)>, Self) {
        let (to, from) = bounded(NOTICES);
        let (unpriced, priced) = (BTreeSet::new(), BTreeSet::new());
        let (fees, closes) = (Told::default(), Told::default());
        (to, Self { from, unpriced, priced, fees, closes })
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
                Notice::FeesChanged => self.fees.new[venue] = true,
                // A first leg that fills shortly before a close that nobody knows of has a partner that the venue refuses.
                Notice::CloseMoved { .. } => self.closes.new[venue] = true,
                // Read with the next round, in ten minutes at most: an unknown market is not traded, a title decides nothing.
                Notice::NewMarket | Notice::MetadataChanged { .. } => {}
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
        self.fees.unread()
    }

    /// Whether a venue has changed fees or moved a close, and its markets have not been read since.
    pub fn wants_terms(&self) -> bool {
        let (fees, closes) = (self.fees.unread(), self.closes.unread());
        Venue::ALL.into_iter().any(|venue| fees[venue] || closes[venue])
    }

    /// Every venue is asked for the terms of its markets from here on: what is changed later, the answer may not have.
    pub fn on_terms_asked(&mut self) {
        self.fees.on_asked();
        self.closes.on_asked();
    }

    /// The terms of a venue's markets were read, or could not be.
    pub fn on_terms_read(&mut self, venue: Venue, is_read: bool) {
        self.fees.on_read(venue, is_read);
        self.closes.on_read(venue, is_read);
    }
}

#[cfg(test)]
mod tests {
    use surefoot_hot::units::Nanos;

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
        notices.on_terms_asked();
        assert!(told(&notices), "asked is not read");
        notices.on_terms_read(Venue::Kalshi, false);
        assert!(told(&notices));
        notices.on_terms_asked();
        change(&mut notices);
        notices.on_terms_read(Venue::Kalshi, true);
        assert!(told(&notices), "changed again meanwhile");
        notices.on_terms_asked();
        notices.on_terms_read(Venue::Kalshi, true);
        assert!(!told(&notices));
    }

    #[test]
    fn a_close_that_moved_is_read_soon_and_is_no_change_of_fees() {
        let (to, mut notices) = Notices::new();
        let moved = Notice::CloseMoved { market: MarketId::new(1), close: Nanos::from_secs(9) };
        to.send((Venue::Kalshi, Notice::MetadataChanged { market: MarketId::new(1) })).unwrap();
        notices.take();
        assert!(!notices.wants_terms(), "a title can wait");
        to.send((Venue::Kalshi, moved)).unwrap();
        notices.take();
        assert!(notices.wants_terms() && !notices.fees()[Venue::Kalshi]);
        notices.on_terms_asked();
        notices.on_terms_read(Venue::Kalshi, false);
        assert!(notices.wants_terms(), "asked is not read");
        notices.on_terms_asked();
        notices.on_terms_read(Venue::Kalshi, true);
        assert!(!notices.wants_terms());
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
