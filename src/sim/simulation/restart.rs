//! The program is killed, and started again from what it has written: the journal, snapshots of the core, the wire logs and the latch
//! of a halt.

use std::sync::Arc;

use surefoot_cold::halt::HaltEpoch;
use surefoot_cold::rest::{Auth, Rest};
use surefoot_hot::canary::{self, Canary};
use surefoot_hot::core::Core;
use surefoot_hot::event::Event;
use surefoot_hot::ids::Venue;
use surefoot_hot::outbox::Outbox;
use surefoot_hot::per_venue::PerVenue;
use surefoot_hot::units::Nanos;

use super::network::COMES_TO_REST_WITHIN;
use super::terms::TERMS_EVERY;
use super::{DIAL, Happening, START, Simulation, askers, limits, links, remembering};
use crate::app::recover::InJournal;
use crate::app::start::first_epoch;
use crate::catalogue::Catalogue;
use crate::sim::Broken;
use crate::sim::fault::Fault;
use crate::sim::transport::{InProcess, lock};
use crate::sim::venue::endpoint;
use crate::sim::world::Listing;
use crate::twin::Host;

/// Inputs behind a snapshot after which the next one is taken, where the program is to be killed: each start folds them.
const SNAPSHOT_EVERY: usize = 20_000;
/// The same where it is not: it may still have to be started again once a start was given up.
const SNAPSHOT_SELDOM: usize = 200_000;
/// What a crash may take of the journal's end: records are written together every five milliseconds.
const UNWRITTEN_NS: u64 = 5_000_000;
/// The same where the journal's end is damaged: what a disk had not written for longer than it should have.
const LOST_NS: u64 = 100_000_000;
/// How long the service manager waits until it starts a program again that has not come up.
pub(super) const AGAIN_AFTER: Nanos = Nanos::from_secs(10);

/// Inputs of the core, each with its time.
type Inputs = Vec<(Nanos, Event)>;

/// What the disk holds of the core: a snapshot, and the inputs since.
#[derive(Debug)]
pub(super) struct History {
    /// Inputs behind a snapshot after which the next one is taken.
    every: usize,
    snapshot: Vec<u8>,
    inputs: Inputs,
    /// The snapshot before that, and the inputs from it to the newest one.
    older: Option<(Vec<u8>, Inputs)>,
}

impl History {
    /// The core is about to be told of an event.
    pub fn keep(&mut self, core: &Core, now: Nanos, event: &Event) {
        if self.inputs.len() >= self.every || self.snapshot.is_empty() {
            let (snapshot, inputs) =
                (std::mem::take(&mut self.snapshot), std::mem::take(&mut self.inputs));
            self.older = (!snapshot.is_empty()).then_some((snapshot, inputs));
            core.save(&mut self.snapshot);
            if canary::is(Canary::SnapshotLate) {
                return;
            }
        }
        self.inputs.push((now, *event));
    }

    /// The newest snapshot cannot be read any more. Where there was one before it, the next start folds all that came since that one.
    fn lose_snapshot(&mut self) {
        let Some((snapshot, mut inputs)) = self.older.take() else { return };
        inputs.append(&mut self.inputs);
        (self.snapshot, self.inputs) = (snapshot, inputs);
    }

    /// The core that these records give.
    fn fold(&self) -> Core {
        let mut core = Core::load(&self.snapshot).expect("it was saved by this program");
        let mut outbox = Outbox::new();
        for (now, event) in &self.inputs {
            core.on_event(*now, event, &mut outbox);
            outbox.clear();
        }
        core
    }

    /// A crash takes the records after `upto` with it. Returns whether there were any.
    fn cut(&mut self, upto: Nanos) -> bool {
        let kept = self.inputs.partition_point(|(at, _)| *at <= upto);
        let is_cut = kept < self.inputs.len();
        self.inputs.truncate(kept);
        is_cut
    }
}

/// What the disk loses in a crash, beside the records that were not written yet.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Loses {
    /// The newest snapshot.
    pub snapshot: bool,
    /// More of the journal's end.
    pub journal: bool,
}

/// Whether the program runs, and what a crash leaves of it.
pub(super) struct Life {
    /// How often the program was started again.
    pub run: u32,
    /// Whether it runs.
    pub is_running: bool,
    /// Until when it stands still, if it does: nothing of it goes on before.
    pub still_until: Nanos,
    /// What the next crash takes with it.
    pub loses: Loses,
    /// That it is killed as soon as this moment is over, and after how long somebody starts it again.
    pub killed: Option<Nanos>,
    /// Where it is killed within a write to the log: nothing that this executor does afterwards leaves.
    pub torn: PerVenue<bool>,
    /// What the disk holds of the core.
    pub history: History,
    /// While the program is dead, the core that these records give, where the crash took none of them: the next start need not fold
    /// them once more.
    folded: Option<Core>,
}

impl Life {
    /// It runs for the first time on a day that brings these faults.
    pub fn new(faults: &[Fault]) -> Self {
        let is_killed = faults.iter().any(|fault| fault.kind.starts_again());
        let every = if is_killed { SNAPSHOT_EVERY } else { SNAPSHOT_SELDOM };
        let history = History { every, snapshot: Vec::new(), inputs: Vec::new(), older: None };
        Self {
            run: 0,
            is_running: true,
            still_until: Nanos::ZERO,
            killed: None,
            torn: PerVenue::default(),
            loses: Loses::default(),
            history,
            folded: None,
        }
    }
}

impl Simulation {
    /// The program is killed as soon as this moment is over.
    pub(super) fn kill(&mut self, down_for: Nanos) {
        if self.life.is_running {
            self.life.killed = Some(down_for);
        }
    }

    /// It is dead. What it sent is on its way; what it knew is what the disk holds.
    pub(super) fn die(&mut self, down_for: Nanos) -> Result<(), Broken> {
        let loses = std::mem::take(&mut self.life.loses);
        if loses.snapshot {
            self.life.history.lose_snapshot();
        }
        let folded = self.life.history.fold();
        if folded.state_hash() != self.core.state_hash() {
            return Err(Broken::new(
                "S1",
                "the journal does not give the core that wrote it".to_owned(),
            ));
        }
        if self.executors.values().any(|executor| !executor.is_idle()) {
            self.watch.add(40);
        }
        self.chronicle.kill(self.now.since(START));
        for at in 0..self.links.len() {
            if let Some(conn) = self.links[at].conn.take() {
                lock(&self.venues).close(conn, self.links[at].host);
            }
        }
        let most = if loses.journal { LOST_NS } else { UNWRITTEN_NS };
        let lost = Nanos::new(self.trouble.rng.below(most));
        let is_cut = self.life.history.cut(Nanos::new(self.now.get() - lost.get()));
        self.life.folded = (!is_cut).then_some(folded);
        (self.life.is_running, self.life.run) = (false, self.life.run + 1);
        self.life.still_until = Nanos::ZERO;
        self.inbox.clear();
        let at = self.now.after(down_for);
        self.put(at, Happening::Start);
        Ok(())
    }

    /// What the program does at a start, in its order. Where the venues do not tell the terms of their markets, it ends, and is
    /// started once more.
    pub(super) fn start_again(&mut self) -> Result<(), Broken> {
        let now = self.now;
        self.excuse_until(now.after(COMES_TO_REST_WITHIN));
        let (venues, time) = (self.venues.clone(), self.time.clone());
        let rest = |host: Host, auth: Option<Arc<dyn Auth>>| {
            let transport = InProcess { venues: venues.clone(), host, time: time.clone() };
            Rest::over(Arc::new(transport), endpoint(host), auth)
        };
        let Listing { relations, extra } = &self.listing;
        let known = Some(&self.catalogue.directory);
        let loaded = Catalogue::load(&self.metadata, relations, extra, known);
        let Ok(mut catalogue) = loaded else {
            self.put(now.after(AGAIN_AFTER), Happening::Start);
            return Ok(());
        };
        let core = self.life.folded.take().unwrap_or_else(|| self.life.history.fold());
        catalogue.keep_numbers(core.baskets());
        self.catalogue = catalogue;
        let epoch = first_epoch(now, &core);
        let halt = HaltEpoch::new(epoch);
        self.halt = halt.clone();
        let live: Vec<_> = core.orders().live().map(|record| record.order).collect();
        let contents = self.executors.each_ref().map(|_, executor| executor.contents());
        for venue in Venue::ALL {
            let mut executor = self.accounts[venue].executor(&self.catalogue.directory, &halt);
            executor.take_up(self.executors[venue].remains(), &live);
            self.executors[venue] = executor;
        }
        let links = links(&self.accounts, &self.catalogue.directory);
        let links = links.map_err(|why| Broken::new("start", why))?;
        assert_eq!(links.len(), self.links.len(), "markets keep their numbers, and so their links");
        self.links = links;
        let in_journal = InJournal::of(&core);
        self.inbox.extend(in_journal.first_events(now, epoch, &contents));
        self.inbox.extend(limits(self.sequencing, self.unpaired).events().map(Event::Control));
        self.inbox.extend(self.catalogue.events());
        let remembered = remembering(&self.venues, &self.time, self.span, self.rhythm.is_idle());
        let askers =
            askers(&self.accounts, &self.catalogue.directory, &self.through, &rest, remembered);
        let last = self.life.history.inputs.last().map_or(now, |(at, _)| *at);
        let standing = self.shell.start_again(now, last, &halt, askers, core.halted());
        self.inbox.extend(standing.map(Event::Control));
        self.checks.on_start(&core, self.shell.found_halted());
        self.core = core;
        self.chronicle.start(now.since(START));
        self.watch.on_start();
        self.life.is_running = true;
        (self.current_at, self.terms_due) = (Nanos::ZERO, now.after(TERMS_EVERY));
        self.rhythm = self.rhythm.begun_again(now);
        for link in 0..self.links.len() {
            self.put(now.after(DIAL), Happening::Connected(link));
        }
        for venue in Venue::ALL {
            for lane in self.executors[venue].lanes() {
                self.put(now.after(DIAL), Happening::LaneUp(venue, lane));
            }
        }
        Ok(())
    }

    /// What went wrong explains what is seen until then.
    pub(super) fn excuse_until(&mut self, until: Nanos) {
        self.shell.excuse_until(until);
        self.checks.excuse_until(until);
    }
}
