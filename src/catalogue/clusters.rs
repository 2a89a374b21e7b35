//! Which markets depend on each other.

use std::collections::{BTreeMap, BTreeSet};

use surefoot_cold::directory::Directory;
use surefoot_hot::bounds::CLUSTERS_MAX;
use surefoot_hot::ids::{ClusterId, Venue};

use super::ExtraMarkets;
use crate::relations::Relations;

/// Which markets depend on each other: everything that a relation joins, or ever joined, is one cluster. What is held
/// of two markets goes on depending on one result although their relation is no longer listed.
pub(super) struct Clusters {
    of: BTreeMap<(Venue, String), usize>,
    /// Markets that the venues are asked for: known ones that nothing names any more are not.
    asked: BTreeSet<(Venue, String)>,
}

impl Clusters {
    pub(super) fn of(
        relations: &Relations,
        extra: &ExtraMarkets,
        known: Option<&Directory>,
    ) -> Self {
        let mut clusters = Self { of: BTreeMap::new(), asked: BTreeSet::new() };
        let mut next = 0;
        let mut join = |of: &mut BTreeMap<(Venue, String), usize>, names: Vec<(Venue, String)>| {
            let known: Vec<_> = names.iter().filter_map(|name| of.get(name).copied()).collect();
            let cluster = known.first().copied().unwrap_or(next);
            next += 1;
            for there in of.values_mut() {
                if known.contains(there) {
                    *there = cluster;
                }
            }
            for name in names {
                of.insert(name, cluster);
            }
        };
        let of = &mut clusters.of;
        relations.groups().for_each(|markets| join(of, markets));
        for (venue, names) in extra.iter() {
            for name in names {
                join(of, vec![(venue, name.clone())]);
            }
        }
        let mut before: BTreeMap<ClusterId, Vec<(Venue, String)>> = BTreeMap::new();
        for entry in known.into_iter().flat_map(Directory::iter) {
            let name = (entry.def.venue, entry.names.id().to_owned());
            before.entry(entry.def.cluster).or_default().push(name);
        }
        clusters.asked = of.keys().cloned().collect();
        for (cluster, names) in before {
            if cluster.index() == CLUSTERS_MAX - 1 {
                // Shared by all that found no number of their own: these depend on nothing.
                names.into_iter().for_each(|name| join(of, vec![name]));
            } else {
                join(of, names);
            }
        }
        clusters.renumber();
        clusters
    }

    /// Numbers from zero without holes; beyond the bound the last one is shared, which only makes limits tighter.
    fn renumber(&mut self) {
        let mut numbers = BTreeMap::new();
        for cluster in self.of.values_mut() {
            let next = numbers.len();
            *cluster = *numbers.entry(*cluster).or_insert(next.min(CLUSTERS_MAX - 1));
        }
    }

    pub(super) fn names(&self, venue: Venue) -> Vec<String> {
        self.asked.iter().filter(|(of, _)| *of == venue).map(|(_, name)| name.clone()).collect()
    }

    /// A market nobody named (the venue answered more than it was asked) shares the last cluster.
    pub(super) fn find(&self, venue: Venue, name: &str) -> ClusterId {
        let cluster = self.of.get(&(venue, name.to_owned())).copied().unwrap_or(CLUSTERS_MAX - 1);
        ClusterId::new(u16::try_from(cluster).expect("CLUSTERS_MAX fits"))
    }
}
