//! What the agents on the hot threads publish for the cold ones: their figures, and the words that go with them.

use std::sync::{Mutex, OnceLock, PoisonError};

use surefoot_cold::exec::{ExecFigures, ExecStats};
use surefoot_cold::feed::{Feed, LinkStats, OutletFigures};
use surefoot_cold::net::Meter;
use surefoot_hot::bounds::MARKET_LINKS_MAX;
use surefoot_hot::ids::Venue;
use surefoot_hot::per_venue::PerVenue;

use surefoot_cold::observe::snapshot::{ExecutorValues, LinkValues};
use surefoot_cold::observe::table::{
    ExecFigure, LinkFigure, OrderWayFigure, OutletFigure, SessionFigure,
};
use surefoot_cold::observe::{Cells, Values};

/// What feed and executors publish. Each figure has one writer, the agent that counts it.
#[derive(Debug)]
pub struct Published {
    /// In the feed's order; a link that comes later takes the next place.
    links: Vec<OnceLock<PublishedLink>>,
    executors: PerVenue<Cells<ExecFigure>>,
    order_ways: PerVenue<Cells<OrderWayFigure>>,
    /// The ways into the core's rings: the feed's, then each executor's.
    feed_outlet: Cells<OutletFigure>,
    exec_outlets: PerVenue<Cells<OutletFigure>>,
    /// Messages about our own money that were not understood: how many, and words for the last one of each link.
    unread: Mutex<(u64, String)>,
}

#[derive(Debug)]
struct PublishedLink {
    venue: Venue,
    /// What it is called, among the figures as well.
    name: String,
    cells: Cells<LinkFigure>,
    session: Cells<SessionFigure>,
}

impl PublishedLink {
    fn of(stats: &LinkStats) -> Self {
        Self {
            venue: stats.venue,
            name: stats.name(),
            cells: Cells::default(),
            session: Cells::default(),
        }
    }
}

/// The most links that there may be: every market link of each venue, and its private one.
const LINKS_MAX: usize = Venue::ALL.len() * (MARKET_LINKS_MAX + 1);

impl Published {
    /// Nothing published yet, with room for these links and for all that may come later.
    pub fn new<'a>(links: impl Iterator<Item = &'a LinkStats>) -> Self {
        let links: Vec<_> = links.map(|stats| OnceLock::from(PublishedLink::of(stats))).collect();
        let later = LINKS_MAX.saturating_sub(links.len());
        let later = (0..later).map(|_| OnceLock::new());
        Self {
            links: links.into_iter().chain(later).collect(),
            executors: PerVenue::default(),
            feed_outlet: Cells::default(),
            exec_outlets: PerVenue::default(),
            order_ways: PerVenue::default(),
            unread: Mutex::default(),
        }
    }

    /// Publishes what the feed's links and their sessions count, in the order in which [`Published::new`] was told of them.
    pub fn publish_feed<M: Meter>(&self, feed: &Feed<M>) {
        let links = || feed.stats();
        let mut unread = 0;
        for (link, (stats, counters)) in self.links.iter().zip(links().zip(feed.counters())) {
            let link = link.get_or_init(|| PublishedLink::of(stats));
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
                Some(format!("{}: {words}", stats.name()))
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
        self.executors[venue].publish(stats);
        self.exec_outlets[venue].publish(outlet);
        self.order_ways[venue].publish(figures);
    }

    /// The figures of every executor.
    pub fn executors(&self) -> PerVenue<ExecutorValues> {
        PerVenue::from_fn(|venue| ExecutorValues {
            counts: self.executors[venue].values(),
            way: self.order_ways[venue].values(),
            outlet: self.exec_outlets[venue].values(),
        })
    }

    /// The figures of every link.
    pub fn links(&self) -> Vec<LinkValues> {
        let read = |link: &PublishedLink| LinkValues {
            venue: link.venue,
            name: link.name.clone(),
            link: link.cells.values(),
            session: link.session.values(),
        };
        self.links.iter().map_while(OnceLock::get).map(read).collect()
    }

    /// The way from the feed into the core's ring.
    pub fn feed_outlet(&self) -> Values<OutletFigure> {
        self.feed_outlet.values()
    }

    /// Messages about our own money that were not understood: how many, and words for the last ones.
    pub fn unread(&self) -> (u64, String) {
        self.unread.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
