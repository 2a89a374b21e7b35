//! How far what we know of the venues can be relied on: which links are up, how new the market data is, and whether both
//! venues and we agree on cash and positions.
//!
//! Nothing is opened on what cannot be relied on. A run begins with nothing known: no link, no data, no agreement.

use crate::book::Book;
use crate::bounds::MARKET_LINKS_MAX;
use crate::event::Link;
use crate::ids::Venue;
use crate::links::{LinkNumber, LinkSet};
use crate::per_venue::PerVenue;
use crate::state::state_fields;
use crate::units::Nanos;

/// What we know of the venues can be relied on this far: see the head of this file.
#[derive(Debug)]
pub(super) struct Truth {
    /// Whether the private link and the orders' link of each venue are up, by [`Link`].
    links: PerVenue<[bool; 3]>,
    /// The market links that are up.
    market_links: PerVenue<LinkSet>,
    /// Whether each venue and we agree.
    reconciled: PerVenue<bool>,
    /// Whether new baskets with a leg at a venue are held back.
    held: PerVenue<bool>,
    /// Up to when what each market link brings has been handed in, by number.
    current: PerVenue<[Nanos; MARKET_LINKS_MAX]>,
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
            links: PerVenue::all([false; 3]),
            market_links: PerVenue::all(LinkSet::NONE),
            reconciled: PerVenue::all(false),
            held: PerVenue::all(false),
            current: PerVenue::all([Nanos::ZERO; MARKET_LINKS_MAX]),
            doubted_until: Nanos::ZERO,
        }
    }

    /// A run begins: nothing is known any more.
    pub fn on_start(&mut self) {
        *self = Self { doubted_until: self.doubted_until, ..Self::new() };
    }

    /// A link came up or went down.
    pub fn on_link(&mut self, venue: Venue, link: Link, number: LinkNumber, up: bool) {
        match (link, up) {
            (Link::Market, true) => self.market_links[venue].insert(number),
            (Link::Market, false) => self.market_links[venue].remove(number),
            (Link::Private | Link::Orders, _) => self.links[venue][link as usize] = up,
        }
    }

    /// Whether the market link that feeds a book is up. A book that never had a snapshot may be fed by any of its venue's.
    pub fn is_fed(&self, book: &Book) -> bool {
        let up = self.market_links[book.terms().venue];
        book.link().map_or(!up.is_empty(), |link| up.contains(link))
    }

    /// Whether orders can be sent to a venue and heard of.
    pub fn is_linked(&self, venue: Venue) -> bool {
        let links = self.links[venue];
        links[Link::Private as usize] && links[Link::Orders as usize]
    }

    /// What these market links of a venue bring has been handed in up to `upto`.
    pub fn on_current(&mut self, venue: Venue, links: LinkSet, upto: Nanos) {
        for link in links.iter() {
            let current = &mut self.current[venue][link.index()];
            *current = (*current).max(upto);
        }
    }

    /// The hot thread stood still: all market data counts as old until it has been handed in anew, and until `until`.
    pub const fn on_stall(&mut self, until: Nanos) {
        self.current = PerVenue::all([Nanos::ZERO; MARKET_LINKS_MAX]);
        self.doubted_until = until;
    }

    /// How old a book is, at most: as old as what its link has handed in.
    pub fn data_age(&self, now: Nanos, book: &Book) -> Nanos {
        match book.link() {
            Some(link) if now >= self.doubted_until => {
                now.since(self.current[book.terms().venue][link.index()])
            }
            Some(_) | None => Nanos::NEVER,
        }
    }

    /// The operator holds back new baskets with a leg at a venue, or does so no more.
    pub fn on_hold(&mut self, venue: Venue, held: bool) {
        self.held[venue] = held;
    }

    pub fn is_held(&self, venue: Venue) -> bool {
        self.held[venue]
    }

    /// A venue and we agree.
    pub fn agree(&mut self, venue: Venue) {
        self.reconciled[venue] = true;
    }

    /// A venue and we do not agree, or not certainly. Returns whether we did before.
    pub fn disagree(&mut self, venue: Venue) -> bool {
        std::mem::replace(&mut self.reconciled[venue], false)
    }

    pub fn agrees(&self, venue: Venue) -> bool {
        self.reconciled[venue]
    }

    /// Whether each venue and we agree.
    pub const fn agreements(&self) -> PerVenue<bool> {
        self.reconciled
    }

    /// Whether all venues and we agree.
    pub fn all_agree(&self) -> bool {
        self.reconciled.values().all(|agrees| *agrees)
    }
}
