//! Which market link carries which markets.

use surefoot_hot::bounds::{MARKET_LINKS_MAX, MARKETS_MAX};
use surefoot_hot::ids::Venue;
use surefoot_hot::links::LinkNumber;
use surefoot_hot::venue::{kalshi, polymarket};

use crate::directory::{Directory, Entry};

/// Markets that one market link of a venue carries at most.
pub const fn markets_per_link(venue: Venue) -> usize {
    match venue {
        Venue::Polymarket => polymarket::MARKETS_PER_LINK_MAX,
        Venue::Kalshi => kalshi::MARKETS_PER_LINK_MAX,
    }
}

const _: () = assert!(MARKET_LINKS_MAX * polymarket::MARKETS_PER_LINK_MAX >= MARKETS_MAX);
const _: () = assert!(MARKET_LINKS_MAX * kalshi::MARKETS_PER_LINK_MAX >= MARKETS_MAX);

/// The market links of a venue by number, with the markets of each in the directory's order: those of one event stand
/// together there, and so they share a link. A venue without markets has one link all the same.
pub fn assign(directory: &Directory, venue: Venue) -> Vec<(LinkNumber, Vec<&Entry>)> {
    let entries: Vec<&Entry> = directory.of(venue).collect();
    let mut links: Vec<_> = entries.chunks(markets_per_link(venue)).map(<[_]>::to_vec).collect();
    if links.is_empty() {
        links.push(Vec::new());
    }
    let number =
        |nth| LinkNumber::new(nth).expect("all markets fit into the links that there may be");
    links.into_iter().enumerate().map(|(nth, markets)| (number(nth), markets)).collect()
}
