//! The terms of markets, asked for at each venue.

use std::collections::BTreeMap;

use surefoot_cold::directory::Directory;
use surefoot_cold::rest::Rest;
use surefoot_cold::venue::listing;
use surefoot_hot::per_venue::PerVenue;

use super::clusters::Clusters;
use super::{Catalogue, ExtraMarkets};
use crate::relations::Relations;

impl Catalogue {
    /// Asks each venue for the terms of every market named; `metadata` leads to where it tells them. Markets of `known` keep
    /// their numbers. One that the venue does not list stays: over where it was, else to be read again before anything is opened there.
    ///
    /// # Errors
    /// A venue does not answer.
    pub fn load(
        metadata: &PerVenue<Rest>,
        relations: &Relations,
        extra: &ExtraMarkets,
        known: Option<&Directory>,
    ) -> Result<Self, String> {
        let clusters = Clusters::of(relations, extra, known);
        let mut catalogue = Self::default();
        let mut found = BTreeMap::new();
        for (venue, rest) in metadata.iter() {
            let cluster = |name: &str| clusters.find(venue, name);
            let read = listing(venue).terms(rest, &clusters.names(venue), &cluster)?;
            let named = read.entries.into_iter();
            found.extend(named.map(|entry| (entry.names.id().to_owned(), entry)));
            catalogue.observed.extend(read.observed);
            catalogue.left_out.extend(read.left_out);
        }
        catalogue.number(found, known, &clusters, &relations.themes);
        catalogue.relate(relations);
        Ok(catalogue)
    }
}
