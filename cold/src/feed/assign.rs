//! Which market link carries which markets.

use surefoot_hot::bounds::{MARKET_LINKS_MAX, MARKETS_MAX};
use surefoot_hot::ids::Venue;
use surefoot_hot::links::LinkNumber;

use crate::directory::{Directory, Entry};

const _: () = {
    let mut nth = 0;
    while nth < Venue::ALL.len() {
        assert!(MARKET_LINKS_MAX * Venue::ALL[nth].rules().link_markets_max >= MARKETS_MAX);
        nth += 1;
    }
};

/// The market links of a venue by number, with the markets of each in the directory's order: those of one event stand
/// together there, and so they share a link. A venue without markets has one link all the same. One that was withdrawn is on no link: the
/// core asks for it where something is held there.
pub fn assign(directory: &Directory, venue: Venue) -> Vec<(LinkNumber, Vec<&Entry>)> {
    let is_wanted = |entry: &&Entry| !directory.is_withdrawn(entry.def.market);
    let entries: Vec<&Entry> = directory.of(venue).filter(is_wanted).collect();
    let mut links: Vec<_> =
        entries.chunks(venue.rules().link_markets_max).map(<[_]>::to_vec).collect();
    if links.is_empty() {
        links.push(Vec::new());
    }
    let number =
        |nth| LinkNumber::new(nth).expect("all markets fit into the links that there may be");
    links.into_iter().enumerate().map(|(nth, markets)| (number(nth), markets)).collect()
}
