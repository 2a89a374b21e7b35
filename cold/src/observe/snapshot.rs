//! Every figure of every agent as of one look, and the words that go with them: what `status`, the line of the second, the
//! closing report, health and every sink read, and nothing else.

use std::sync::Arc;

use serde_json::{Value, json};
use surefoot_hot::book::StaleWorst;
use surefoot_hot::ids::Venue;
use surefoot_hot::per_venue::PerVenue;
use surefoot_hot::report::Reject;
use surefoot_hot::risk::HaltWhy;
use surefoot_hot::stats::{Doubts, Foreign, Quarantined, Refused, Stats, Unpaired};

use super::Values;
use super::table::{
    CoreFigure, ExecFigure, FollowerFigure, JournalFigure, LinkFigure, ObserverFigure,
    OrderWayFigure, OutletFigure, RunFigure, SessionFigure, SinkFigure, ThreadFigure,
};
use crate::exec::ExecFigures;

/// Every figure as of one look.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// What the core counts, since its journal began.
    pub core: Values<CoreFigure>,
    /// What the core says beside its numbers.
    pub words: CoreWords,
    /// Each venue's executor.
    pub executors: PerVenue<ExecutorValues>,
    /// The links of the feed.
    pub links: Vec<LinkValues>,
    /// The way from the feed into the core's ring.
    pub feed_outlet: Values<OutletFigure>,
    /// The journal's thread.
    pub journal: Values<JournalFigure>,
    /// The thread that follows the journal and takes snapshots.
    pub follower: Values<FollowerFigure>,
    /// The hot threads, by name.
    pub threads: Vec<(&'static str, Values<ThreadFigure>)>,
    /// What the core had counted when the run began: a continued journal counts on.
    pub base: Arc<Values<CoreFigure>>,
    /// The run itself.
    pub run: Values<RunFigure>,
    pub observer: Values<ObserverFigure>,
    /// The sinks, by name.
    pub sinks: Vec<(&'static str, Values<SinkFigure>)>,
    /// Messages about our own money that were not understood: how many, and words for the last one of each link.
    pub unread: (u64, String),
}

/// What the core says beside its numbers: reasons, and the first few of what is counted.
#[derive(Clone, Copy, Debug, Default)]
pub struct CoreWords {
    /// Why trading is halted.
    pub halted_why: Option<HaltWhy>,
    /// The reason to halt that the core found last.
    pub tripped: Option<HaltWhy>,
    /// Orders that the gate refused, by reason.
    pub refused: Refused,
    /// The quarantined markets.
    pub quarantined: Quarantined,
    /// The markets whose books became stale most often, and why.
    pub stale: StaleWorst,
    /// Contracts without a partner.
    pub unpaired: Unpaired,
    /// Orders at each venue that are not ours.
    pub foreign: PerVenue<Foreign>,
    /// Markets at each venue whose contracts are gone as the last reading says, without an explanation.
    pub doubts: PerVenue<Doubts>,
}

impl CoreWords {
    /// Those of the core's counters.
    pub const fn of(stats: &Stats) -> Self {
        Self {
            halted_why: stats.halted_why,
            tripped: stats.tripped,
            refused: stats.refused,
            quarantined: stats.quarantined_shown,
            stale: stats.stale_worst,
            unpaired: stats.unpaired,
            foreign: stats.foreign,
            doubts: stats.doubts,
        }
    }
}

/// The figures of one venue's executor.
#[derive(Clone, Debug)]
pub struct ExecutorValues {
    /// What it counts.
    pub counts: Values<ExecFigure>,
    /// What health is judged by.
    pub way: Values<OrderWayFigure>,
    /// The way from it into the core's ring.
    pub outlet: Values<OutletFigure>,
}

impl ExecutorValues {
    /// The way of orders to the venue.
    pub fn order_way(&self) -> ExecFigures {
        use OrderWayFigure as F;
        let turned_away = self.way.get(F::TurnedAwayWhy);
        ExecFigures {
            connected: self.way.is(F::Connected),
            breaker_open: self.way.is(F::BreakerOpen),
            turned_away: Reject::ALL.into_iter().find(|why| 1 + *why as i64 == turned_away),
            credentials_refused: self.way.is(F::CredentialsRefused),
            beats_missed: u32::try_from(self.way.get(F::BeatsMissed)).unwrap_or(u32::MAX),
            core_still: self.way.is(F::CoreStill),
            cancelling_all: self.way.is(F::CancellingAll),
            unlogged: self.counts.count(ExecFigure::Unlogged),
        }
    }

    fn json(&self) -> Value {
        let mut fields = self.counts.fields();
        fields.extend(self.way.fields());
        Value::Object(fields)
    }
}

/// The figures of one link of the feed and of its session.
#[derive(Clone, Debug)]
pub struct LinkValues {
    /// Where it leads.
    pub venue: Venue,
    /// The venue and what the link carries.
    pub name: String,
    pub link: Values<LinkFigure>,
    pub session: Values<SessionFigure>,
}

impl Snapshot {
    /// One of the figures of a venue's sessions, summed over its links.
    pub fn sessions_of(&self, venue: Venue, figure: SessionFigure) -> u64 {
        let links = self.links.iter().filter(|link| link.venue == venue);
        links.map(|link| link.session.count(figure)).sum()
    }

    /// One of the figures of the links, summed over those of a venue.
    pub fn links_of(&self, venue: Venue, figure: LinkFigure) -> u64 {
        let links = self.links.iter().filter(|link| link.venue == venue);
        links.map(|link| link.link.count(figure)).sum()
    }

    /// One of the figures of the links, summed over all of them.
    pub fn links(&self, figure: LinkFigure) -> u64 {
        self.links.iter().map(|link| link.link.count(figure)).sum()
    }

    /// The links that are down, by name.
    pub fn links_down(&self) -> Vec<String> {
        let down = self.links.iter().filter(|link| link.link.count(LinkFigure::Up) == 0);
        down.map(|link| link.name.clone()).collect()
    }

    /// The figures of a venue's executor.
    pub fn executor(&self, venue: Venue) -> &ExecutorValues {
        &self.executors[venue]
    }

    /// Every figure by name, agent by agent.
    pub fn json(&self) -> Value {
        let of_venues = |value: &dyn Fn(&ExecutorValues) -> Value| {
            let each = |venue: Venue| (venue.name().to_owned(), value(self.executor(venue)));
            Venue::ALL.into_iter().map(each).collect::<serde_json::Map<_, _>>()
        };
        let mut outlets = of_venues(&|executor| executor.outlet.json());
        outlets.insert("feed".to_owned(), self.feed_outlet.json());
        let links = self.links.iter().map(|link| (link.name.clone(), link.link.json()));
        let sessions = self.links.iter().map(|link| (link.name.clone(), link.session.json()));
        let threads = self.threads.iter().map(|(name, values)| ((*name).to_owned(), values.json()));
        let sinks = self.sinks.iter().map(|(name, values)| ((*name).to_owned(), values.json()));
        json!({
            "core": self.core.json(),
            "executors": of_venues(&ExecutorValues::json),
            "links": Value::Object(links.collect()),
            "sessions": Value::Object(sessions.collect()),
            "outlets": outlets,
            "journal": self.journal.json(),
            "snapshots": self.follower.json(),
            "threads": Value::Object(threads.collect()),
            "run": self.run.json(),
            "observer": self.observer.json(),
            "sinks": Value::Object(sinks.collect()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::Cells;
    use super::*;
    use crate::exec::ExecStats;

    #[test]
    fn the_way_of_orders_is_read_as_it_was_published() {
        let none = ExecFigures::default();
        for figures in [
            none,
            ExecFigures { connected: true, ..none },
            ExecFigures { breaker_open: true, turned_away: Some(Reject::Blocked), ..none },
            ExecFigures { credentials_refused: true, turned_away: Some(Reject::ALL[0]), ..none },
            ExecFigures { core_still: true, cancelling_all: true, ..none },
            ExecFigures { beats_missed: 0xffff, unlogged: 7, ..none },
        ] {
            let (way, counts) = (Cells::default(), Cells::default());
            way.publish(&figures);
            counts.publish(&ExecStats { unlogged: figures.unlogged, ..ExecStats::default() });
            let (way, counts) = (way.values(), counts.values());
            let executor = ExecutorValues { counts, way, outlet: Cells::default().values() };
            assert_eq!(executor.order_way(), figures);
        }
    }
}
