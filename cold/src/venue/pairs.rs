//! A pair of market objects, one of each venue, read and judged.

use serde_json::Value;
use surefoot_hot::ids::Venue;

use super::{kalshi, polymarket};
use crate::terms::{Judgement, Listed, judge};

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
