//! A pair of market objects, one of each venue, read and judged.

use serde_json::Value;
use surefoot_hot::ids::Venue;
use surefoot_hot::per_venue::PerVenue;

use super::{kalshi, polymarket};
use crate::terms::{Asked, Found, Judgement, Listed, find, judge};

/// A market object of this venue in the terms of none.
///
/// # Errors
/// Why it is never one of a pair.
pub fn listed(venue: Venue, row: &Value) -> Result<Listed, String> {
    match venue {
        Venue::Kalshi => kalshi::terms::listed(row),
        Venue::Polymarket => polymarket::terms::listed(row),
    }
}

/// Judges a pair: an object with a market object under the name of each venue.
pub fn judge_pair(pair: &Value) -> Judgement {
    let read = |venue: Venue| {
        let row = pair.get(venue.name()).filter(|row| row.is_object());
        let row = row
            .ok_or_else(|| format!("input: there is no market object under `{}`", venue.name()))?;
        listed(venue, row).map_err(|why| format!("{why} ({})", venue.name()))
    };
    match (read(Venue::Kalshi), read(Venue::Polymarket)) {
        (Ok(one), Ok(other)) => judge(&one, &other),
        (Err(why), _) | (_, Err(why)) => Judgement::refused(why),
    }
}

/// The markets of each venue's listing, for those of which one may ask what one of the other venue asks.
#[derive(Debug, Default)]
pub struct Listings {
    of: PerVenue<Vec<Listed>>,
}

impl Listings {
    /// Takes the market objects of a line in: an object with one under the name of a venue, or of several. Returns how many.
    ///
    /// # Errors
    /// A sentence for each that is never one of a pair, or that there is none in the line.
    pub fn take(&mut self, line: &Value) -> Result<usize, Vec<String>> {
        let (mut taken, mut refused) = (0, Vec::new());
        for venue in Venue::ALL {
            let Some(row) = line.get(venue.name()).filter(|row| !row.is_null()) else { continue };
            match listed(venue, row) {
                Ok(listed) => {
                    self.of[venue].push(listed);
                    taken += 1;
                }
                Err(why) => refused.push(format!("{why} ({})", venue.name())),
            }
        }
        if taken == 0 && refused.is_empty() {
            let names = Venue::ALL.map(|venue| format!("`{}`", venue.name())).join(" or ");
            refused.push(format!("input: there is no market object under {names}"));
        }
        if refused.is_empty() { Ok(taken) } else { Err(refused) }
    }

    /// How many markets of a venue there are.
    pub fn count(&self, venue: Venue) -> usize {
        self.of[venue].len()
    }

    /// The markets of a venue, in the order in which they came.
    pub fn markets(&self, venue: Venue) -> &[Listed] {
        &self.of[venue]
    }

    /// The pairs among them, at most so many that are offered for each market of the first venue: places in [`Self::markets`] of
    /// `venues`.
    pub fn find(&self, venues: [Venue; 2], most: usize) -> Found {
        let [these, those] =
            venues.map(|venue| self.of[venue].iter().map(Asked::of).collect::<Vec<_>>());
        find(&these, &those, most)
    }
}
