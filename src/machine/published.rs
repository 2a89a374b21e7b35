//! What the agents on the hot threads publish for the cold ones: their figures, and the words that go with them.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use surefoot_cold::exec::{ExecFigures, ExecStats};
use surefoot_cold::feed::{Feed, LinkStats, OutletFigures};
use surefoot_cold::net::Meter;
use surefoot_hot::ids::Venue;

use surefoot_cold::observe::Cells;
use surefoot_cold::observe::table::{ExecFigure, LinkFigure, OutletFigure, SessionFigure};

/// What feed and executors publish. Each figure has one writer, the agent that counts it.
#[derive(Debug)]
pub struct Published {
    pub(super) links: Vec<PublishedLink>,
    pub(super) executors: [Cells<ExecFigure>; Venue::ALL.len()],
    /// The ways into the core's rings: the feed's, then each executor's.
    pub(super) feed_outlet: Cells<OutletFigure>,
    pub(super) exec_outlets: [Cells<OutletFigure>; Venue::ALL.len()],
    /// The way of orders to each venue, [packed](ExecFigures::pack).
    order_ways: [AtomicU64; Venue::ALL.len()],
    /// Messages about our own money that were not understood: how many, and words for the last one of each link.
    unread: Mutex<(u64, String)>,
}

#[derive(Debug)]
pub(super) struct PublishedLink {
    venue: Venue,
    /// What it is called among the figures: the venue and what the link carries.
    pub(super) name: String,
    pub(super) cells: Cells<LinkFigure>,
    pub(super) session: Cells<SessionFigure>,
}

impl Published {
    /// Nothing published yet, with room for these links.
    pub fn new<'a>(links: impl Iterator<Item = &'a LinkStats>) -> Self {
        let links = links.map(|stats| PublishedLink {
            venue: stats.venue,
            name: format!("{} {:?}", stats.venue.name(), stats.link).to_lowercase(),
            cells: Cells::default(),
            session: Cells::default(),
        });
        Self {
            links: links.collect(),
            executors: Default::default(),
            feed_outlet: Cells::default(),
            exec_outlets: Default::default(),
            order_ways: Default::default(),
            unread: Mutex::default(),
        }
    }

    /// Publishes what the feed's links and their sessions count, in the order in which [`Published::new`] was told of them.
    pub fn publish_feed<M: Meter>(&self, feed: &Feed<M>) {
        let links = || feed.stats();
        let mut unread = 0;
        for (link, (stats, counters)) in self.links.iter().zip(links().zip(feed.counters())) {
            debug_assert_eq!(link.venue, stats.venue, "links keep their order");
            link.cells.publish(stats);
            link.session.publish(counters);
            unread += stats.unread.0;
        }
        self.feed_outlet.publish(&feed.outlet().figures());
        // Nothing waits here: who reads it holds it for a copy, and the next publication will do.
        if unread > 0
            && let Ok(mut shown) = self.unread.try_lock()
            && shown.0 != unread
        {
            let words = |stats: &LinkStats| {
                let words = stats.unread.1.as_ref()?;
                Some(format!("{}: {words}", stats.venue.name()))
            };
            *shown = (unread, links().filter_map(words).collect::<Vec<_>>().join("; "));
        }
    }

    /// Publishes what a venue's executor counts, and the way of orders to it.
    pub fn publish_executor(
        &self,
        venue: Venue,
        stats: &ExecStats,
        outlet: &OutletFigures,
        figures: &ExecFigures,
    ) {
        self.executors[venue.index()].publish(stats);
        self.exec_outlets[venue.index()].publish(outlet);
        self.order_ways[venue.index()].store(figures.pack(), Ordering::Relaxed);
    }

    /// One of the figures of a venue's executor.
    pub fn executor(&self, venue: Venue, figure: ExecFigure) -> u64 {
        self.executors[venue.index()].count(figure)
    }

    /// One of the figures of the links, summed over those of a venue.
    pub fn links_of(&self, venue: Venue, figure: LinkFigure) -> u64 {
        let links = self.links.iter().filter(|link| link.venue == venue);
        links.map(|link| link.cells.count(figure)).sum()
    }

    /// One of the figures of the links, summed over all of them.
    pub fn links(&self, figure: LinkFigure) -> u64 {
        Venue::ALL.map(|venue| self.links_of(venue, figure)).iter().sum()
    }

    /// The way of orders to a venue.
    pub fn order_way(&self, venue: Venue) -> ExecFigures {
        ExecFigures::unpack(self.order_ways[venue.index()].load(Ordering::Relaxed))
    }

    /// Messages about our own money that were not understood: how many, and words for the last ones.
    pub fn unread(&self) -> Option<(u64, String)> {
        self.unread.lock().ok().map(|unread| unread.clone())
    }
}
