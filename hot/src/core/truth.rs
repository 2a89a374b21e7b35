//! How far what we know of the venues can be relied on: which links are up, how new the market data is, and whether both
//! venues and we agree on cash and positions.
//!
//! Nothing is opened on what cannot be relied on. A run begins with nothing known: no link, no data, no agreement.

use crate::book::Book;
use crate::bounds::MARKET_LINKS_MAX;
use crate::event::Link;
use crate::ids::Venue;
use crate::links::{LinkNumber, LinkSet};
use crate::state::state_fields;
use crate::units::Nanos;

/// What we know of the venues can be relied on this far: see the head of this file.
#[derive(Debug)]
pub(super) struct Truth {
    /// Whether the private link and the orders' link of each venue are up, by venue and [`Link`].
    links: [[bool; 3]; 2],
    /// The market links that are up, by venue.
    market_links: [LinkSet; 2],
    /// Whether each venue and we agree.
    reconciled: [bool; 2],
    /// Whether new baskets with a leg at a venue are held back, by venue.
    held: [bool; 2],
    /// Up to when what each market link brings has been handed in, by venue and number.
    current: [[Nanos; MARKET_LINKS_MAX]; 2],
    /// Until then all market data counts as old, after a stall.
    doubted_until: Nanos,
}

state_fields! {
    Truth {
        links: value, market_links: value, reconciled: value, held: value, current: value,
        doubted_until: value,
    }
}

impl Truth {
    /// As a run begins: no link is up and no venue has agreed.
    pub const fn new() -> Self {
        Self {
            links: [[false; 3]; 2],
            market_links: [LinkSet::NONE; 2],
            reconciled: [false; 2],
            held: [false; 2],
            current: [[Nanos::ZERO; MARKET_LINKS_MAX]; 2],
            doubted_until: Nanos::ZERO,
        }
    }

    /// A run begins: nothing is known any more.
    pub fn on_start(&mut self) {
        *self = Self { doubted_until: self.doubted_until, ..Self::new() };
    }

    /// A link came up or went down.
    pub const fn on_link(&mut self, venue: Venue, link: Link, number: LinkNumber, up: bool) {
        match (link, up) {
            (Link::Market, true) => self.market_links[venue.index()].insert(number),
            (Link::Market, false) => self.market_links[venue.index()].remove(number),
            (Link::Private | Link::Orders, _) => self.links[venue.index()][link as usize] = up,
        }
    }

    /// Whether the market link that feeds a book is up. A book that never had a snapshot may be fed by any of its venue's.
    pub fn is_fed(&self, book: &Book) -> bool {
        let up = self.market_links[book.terms().venue.index()];
        book.link().map_or(!up.is_empty(), |link| up.contains(link))
    }

    /// Whether orders can be sent to a venue and heard of.
    pub const fn is_linked(&self, venue: Venue) -> bool {
        let links = self.links[venue.index()];
        links[Link::Private as usize] && links[Link::Orders as usize]
    }

    /// What these market links of a venue bring has been handed in up to `upto`.
    pub fn on_current(&mut self, venue: Venue, links: LinkSet, upto: Nanos) {
        for link in links.iter() {
            let current = &mut self.current[venue.index()][link.index()];
            *current = (*current).max(upto);
        }
    }

    /// The hot thread stood still: all market data counts as old until it has been handed in anew, and until `until`.
    pub const fn on_stall(&mut self, until: Nanos) {
        self.current = [[Nanos::ZERO; MARKET_LINKS_MAX]; 2];
        self.doubted_until = until;
    }

    /// How old a book is, at most: as old as what its link has handed in.
    pub fn data_age(&self, now: Nanos, book: &Book) -> Nanos {
        match book.link() {
            Some(link) if now >= self.doubted_until => {
                now.since(self.current[book.terms().venue.index()][link.index()])
            }
            Some(_) | None => Nanos::NEVER,
        }
    }

    /// The operator holds back new baskets with a leg at a venue, or does so no more.
    pub const fn on_hold(&mut self, venue: Venue, held: bool) {
        self.held[venue.index()] = held;
    }

    pub const fn is_held(&self, venue: Venue) -> bool {
        self.held[venue.index()]
    }

    /// A venue and we agree.
    pub const fn agree(&mut self, venue: Venue) {
        self.reconciled[venue.index()] = true;
    }

    /// A venue and we do not agree, or not certainly. Returns whether we did before.
    pub const fn disagree(&mut self, venue: Venue) -> bool {
        std::mem::replace(&mut self.reconciled[venue.index()], false)
    }

    pub const fn agrees(&self, venue: Venue) -> bool {
        self.reconciled[venue.index()]
    }

    /// Whether each venue and we agree, by venue.
    pub const fn agreements(&self) -> [bool; 2] {
        self.reconciled
    }

    /// Whether all venues and we agree.
    pub fn all_agree(&self) -> bool {
        self.reconciled.iter().all(|agrees| *agrees)
    }
}
