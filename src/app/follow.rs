//! Markets that an operator wants followed, or followed no more, while the run goes on.
//!
//! Adding: the venues are asked for the terms on a thread of its own; then numbers and names are written down, then everybody
//! hears the names who must understand what comes of the markets, then the core, which has the feed subscribe to them.
//! Withdrawing: the core first, which alone opens anything; it tells the feed when nothing is left to be done. Decision 0012.

use std::sync::Arc;
use std::thread::JoinHandle;

use serde_json::{Value, json};
use surefoot_cold::directory::{Directory, Entry};
use surefoot_cold::feed::assign;
use surefoot_cold::store::names::MarketNames;
use surefoot_cold::venue::{Terms, listing};
use surefoot_hot::bounds::MARKET_LINKS_MAX;
use surefoot_hot::ids::{ClusterId, MarketId, Venue};
use surefoot_hot::per_venue::PerVenue;

use super::Running;
use super::run_note::RunNote;
use crate::catalogue::{Catalogue, CatalogueChange, Change};
use crate::control::Request;
use crate::control::operator_log::record;
use crate::machine::venue::SPARE_LINKS;

/// Markets that somebody wants followed, while the venues are asked for their terms.
pub(super) struct Following {
    request: Request,
    /// Names that are followed already.
    already: Vec<String>,
    /// The names that were asked for, by venue.
    wanted: PerVenue<Vec<String>>,
    asked: JoinHandle<Result<Terms, String>>,
}

/// How many markets the links that a start makes at a venue can carry.
pub(super) fn places(directory: &Directory, venue: Venue) -> usize {
    let links = (assign(directory, venue).len() + SPARE_LINKS).min(MARKET_LINKS_MAX);
    links * venue.rules().link_markets_max
}

/// Whether so many more markets of a venue find a place on its links, which carry `carried` of the `places` that there are.
///
/// # Errors
/// There are not as many places; a sentence with the remedy.
fn find_places(venue: Venue, more: usize, carried: usize, places: usize) -> Result<(), String> {
    if more == 0 || carried + more <= places {
        return Ok(());
    }
    let venue = venue.name();
    Err(format!(
        "{venue}: this run has room for {places} markets and uses {carried}, those included that were unfollowed and are still \
         held or in flight. Nothing was followed. Name fewer markets, wait until `core_markets_leaving` in `surefoot status \
         --json` goes down, or `surefoot stop` and `surefoot start`: a start makes room for all that are followed, and \
         {SPARE_LINKS} connections more"
    ))
}

/// The venue and the name in `VENUE:NAME`; no venue where the name stands alone.
fn parse(name: &str) -> (Option<Venue>, &str) {
    let venue = |prefix: &str| Venue::ALL.into_iter().find(|venue| venue.name() == prefix);
    match name.split_once(':') {
        Some((prefix, rest)) if venue(prefix).is_some() => (venue(prefix), rest),
        _ => (None, name),
    }
}

impl Catalogue {
    /// The market that was followed once, or is, by the name that an operator gives.
    fn named(&self, name: &str) -> Option<&Entry> {
        let (venue, id) = parse(name.trim());
        let known = self.directory.find(id)?;
        venue.is_none_or(|venue| venue == known.def.venue).then_some(known)
    }

    fn follows(&self, entry: &Entry) -> bool {
        !self.directory.is_withdrawn(entry.def.market)
    }

    /// What the venues are to be asked for, and what is followed already.
    ///
    /// # Errors
    /// A sentence with the name and the remedy.
    fn sort(&self, names: &[String]) -> Result<(PerVenue<Vec<String>>, Vec<String>), String> {
        let (mut wanted, mut already) = (PerVenue::<Vec<String>>::default(), Vec::new());
        for name in names {
            let ((venue, id), known) = (parse(name.trim()), self.named(name));
            let venue = known.map(|entry| entry.def.venue).or(venue).ok_or_else(|| {
                let venues = Venue::ALL.map(Venue::name).join(" or ");
                format!(
                    "{id:?} was never followed here: say at which venue it is ({venues}), as in `VENUE:{id}`"
                )
            })?;
            if known.is_some_and(|entry| self.follows(entry)) {
                already.push(id.to_owned());
            } else if !wanted[venue].iter().any(|there| there == id) {
                wanted[venue].push(id.to_owned());
            }
        }
        Ok((wanted, already))
    }
}

impl Running {
    /// Has the venues asked for the terms of markets; the answer follows once they have come.
    pub(super) fn begin_follow(&mut self, request: Request, names: &[String]) {
        if self.following.is_some() {
            return request.failed("another `follow` waits for a venue: try again in a moment");
        }
        let sorted = self.catalogue.sort(names);
        let sorted = sorted.and_then(|sorted| self.has_places(&sorted.0).map(|()| sorted));
        let (wanted, already) = match sorted {
            Ok(sorted) => sorted,
            Err(why) => return request.failed(&why),
        };
        let metadata = PerVenue::from_fn(|venue| self.spec.access.metadata(venue));
        let names = wanted.clone();
        let ask = move || {
            let mut found = Terms::default();
            for (venue, names) in names.iter().filter(|(_, names)| !names.is_empty()) {
                let cluster = |_: &str| ClusterId::new(0); // the catalogue gives it
                let read = listing(venue).terms(&metadata[venue], names, &cluster)?;
                found.entries.extend(read.entries);
                found.observed.extend(read.observed);
                found.left_out.extend(read.left_out);
            }
            Ok(found)
        };
        match std::thread::Builder::new().name("metadata".into()).spawn(ask) {
            Ok(asked) => self.following = Some(Following { request, already, wanted, asked }),
            Err(error) => request.failed(&format!("no thread could be started to ask: {error}")),
        }
    }

    /// Whether the links that there are have places for so many more markets. A market that was withdrawn has its place until
    /// the core leaves it.
    fn has_places(&mut self, wanted: &PerVenue<Vec<String>>) -> Result<(), String> {
        let books = self.engine.stats().books;
        for (venue, names) in wanted.iter() {
            let of_venue = self.catalogue.directory.of(venue);
            let followed = of_venue.filter(|entry| self.catalogue.follows(entry)).count();
            let leaving = (books[venue].0 as usize).saturating_sub(followed);
            // One that leaves and is wanted again may have its place already; which ones leave, only the core knows.
            find_places(venue, names.len(), followed + leaving, self.places[venue])?;
        }
        Ok(())
    }

    /// Follows the markets that the venues have told the terms of, if they have.
    pub(super) fn end_follow(&mut self) {
        let is_told = |following: &mut Following| following.asked.is_finished();
        let Some(following) = self.following.take_if(is_told) else { return };
        let Following { request, already, wanted, asked } = following;
        let followed = match asked.join() {
            Ok(Ok(found)) => self.follow(&wanted, found),
            Ok(Err(why)) => Err(format!("{why}; nothing was followed")),
            Err(_) => {
                Err("an assertion failed while the venues were asked; the log names it".into())
            }
        };
        match followed {
            Ok((names, baskets)) => request.done(json!({
                "followed": names,
                "already": already,
                "baskets": baskets,
                "catalogue": self.catalogue.version,
            })),
            Err(why) => request.failed(&why),
        }
    }

    /// Nothing comes of a follow that still waits for a venue: whoever asked hears why now.
    pub(super) fn give_up_follow(&mut self, why: &str) {
        if let Some(following) = self.following.take() {
            following.request.failed(why);
        }
    }

    /// Follows markets on the terms that were found. Returns their names, and how many baskets became whole with them.
    fn follow(
        &mut self,
        wanted: &PerVenue<Vec<String>>,
        found: Terms,
    ) -> Result<(Vec<String>, usize), String> {
        let Terms { mut entries, observed, left_out } = found;
        let names: Vec<_> = wanted.values().flatten().cloned().collect();
        entries.retain(|entry| names.iter().any(|name| name == entry.names.id()));
        let is_found = |name: &String| entries.iter().any(|entry| entry.names.id() == name);
        let missing: Vec<_> = names.iter().filter(|name| !is_found(name)).cloned().collect();
        if !missing.is_empty() {
            let why: String = left_out.iter().map(|why| format!(" ({why})")).collect();
            let missing = missing.join(", ");
            return Err(format!(
                "the venue lists no such market, or not all that trading it needs: {missing}{why}; nothing was followed"
            ));
        }
        if names.is_empty() {
            return Ok((names, 0));
        }
        let mut next = self.catalogue.clone();
        let changes = next.follow(entries)?;
        record(&self.state, "follow", &names.join(" ")).map_err(|error| error.to_string())?;
        self.save_names(&next)?;
        self.catalogue = next;
        // Whoever names markets for people knows the new ones.
        self.observer.announcer().markets(Arc::new(self.catalogue.directory.clone()));
        let baskets = self.hand_on(changes)?;
        self.tell(RunNote::Followed, format!("follows {}", names.join(", ")));
        for line in observed {
            self.tell(RunNote::MarketObserved, line);
        }
        Ok((names, baskets))
    }

    /// Withdraws markets: nothing is opened there any more.
    pub(super) fn unfollow(&mut self, names: &[String]) -> Result<Value, String> {
        let mut markets: Vec<MarketId> = Vec::new();
        for name in names {
            let known = self.catalogue.named(name).filter(|entry| self.catalogue.follows(entry));
            let entry = known.ok_or_else(|| {
                format!("{name:?} is not followed: nothing was withdrawn. Give the venue's own name of a market that is")
            })?;
            if !markets.contains(&entry.def.market) {
                markets.push(entry.def.market);
            }
        }
        let mut next = self.catalogue.clone();
        let changes = next.withdraw(&markets);
        record(&self.state, "unfollow", &names.join(" ")).map_err(|error| error.to_string())?;
        self.catalogue = next;
        let baskets = self.hand_on(changes)?;
        self.tell(RunNote::Withdrawn, format!("follows no more {}", names.join(", ")));
        let saved = self.save_names(&self.catalogue);
        saved.map_err(|why| format!("withdrawn, but a start will follow them again: {why}"))?;
        let version = self.catalogue.version;
        Ok(json!({ "unfollowed": names, "baskets": baskets, "catalogue": version }))
    }

    /// Hands changes on to everybody, in their order. Returns how many were about baskets.
    pub(super) fn hand_on(&mut self, changes: Vec<CatalogueChange>) -> Result<usize, String> {
        let mut baskets = 0;
        for CatalogueChange { version: _, what } in changes {
            match &what {
                Change::Followed(entry) | Change::Read(entry) => self.name_to_all(entry)?,
                Change::Renamed(entry) => {
                    self.rename(entry, &what)?;
                    continue;
                }
                Change::Basket(_) | Change::BasketWithdrawn { .. } => baskets += 1,
                Change::Fees(_) | Change::Listed(_) | Change::Withdrawn(_) => {}
            }
            what.events().into_iter().for_each(|event| self.engine.tell(event));
        }
        Ok(baskets)
    }

    /// Everybody who must understand what comes of a market, or write to its venue, hears how it is called now.
    pub(super) fn name_to_all(&mut self, entry: &Arc<Entry>) -> Result<(), String> {
        self.checks[entry.def.venue].follow(entry);
        self.audit.follow(entry);
        self.rescue.iter_mut().for_each(|rescue| rescue.follow(entry));
        self.engine.tell_names(entry)
    }

    /// Writes down which number stands for which market, and what is wanted: the core must not hear of a number before.
    pub(super) fn save_names(&self, catalogue: &Catalogue) -> Result<(), String> {
        let path = self.state.names();
        let mut names = MarketNames::load(&path).map_err(|error| error.to_string())?;
        names.put(self.spec.access.identity(), catalogue.directory.clone());
        names.save(&path).map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_market_that_leaves_has_its_place_until_it_is_left() {
        let places = |more, carried| find_places(Venue::Kalshi, more, carried, 500);
        assert!(places(0, 600).is_ok(), "nothing is wanted here");
        assert!(places(1, 499).is_ok() && places(500, 0).is_ok());
        let said = places(2, 499).unwrap_err();
        assert!(said.contains("kalshi") && said.contains("uses 499"), "{said}");
    }
}
