//! A paper venue on the ends of its rings: what the thread that trades drives in place of an executor.
//!
//! It is made of rings and of values. It has no key, no socket, no address and no codec, and there is no way to give it one (S4): what
//! leaves here goes back to the core.

use std::sync::Arc;
use std::sync::{Mutex, PoisonError};

use rtrb::{Consumer, Producer};
use surefoot_hot::event::{Event, Link};
use surefoot_hot::ids::{MarketId, Venue};
use surefoot_hot::intent::Intent;
use surefoot_hot::links::LinkNumber;
use surefoot_hot::report::{Report, Unsent};
use surefoot_hot::units::{Nanos, Qty};

use super::account::PaperAccount;
use super::curve::Curve;
use super::venue::{CurveFigures, PaperOptions, PaperVenue};
use crate::directory::Entry;
use crate::exec::{AnyExec, ExecFigures, ExecStats};
use crate::feed::OutletFigures;
use crate::halt::HaltEpoch;
use crate::net::Meter;
use crate::reconcile::{Reader, Truth, TruthError};

/// Intents taken per turn.
const INTENTS_PER_TURN_MAX: usize = 256;
/// Public events taken per turn: more than the core hands over in one.
const EVENTS_PER_TURN_MAX: usize = 1_024;
/// How often the curves are shown.
const SHOW_EVERY: Nanos = Nanos::from_millis(250);

/// What a paper venue says of itself, for whoever reads the account and for reports. It stays after the executor is gone.
#[derive(Clone, Debug)]
pub struct PaperShown {
    inner: Arc<Mutex<Shown>>,
    venue: Venue,
    options: PaperOptions,
}

#[derive(Debug, Default)]
struct Shown {
    truth: Truth,
    curves: Option<[CurveFigures; 3]>,
}

impl PaperShown {
    /// Of a venue that shows nothing yet.
    pub fn new(venue: Venue, options: PaperOptions) -> Self {
        Self { inner: Arc::default(), venue, options }
    }

    /// What each curve adds up to, the pessimistic one first; `None` before the venue began.
    pub fn curves(&self) -> Option<[CurveFigures; 3]> {
        self.lock().curves
    }

    /// The curve that drives the run.
    pub const fn driver(&self) -> Curve {
        self.options.driver
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Shown> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads the account on paper as a venue's account is read.
#[derive(Clone, Debug)]
pub struct PaperReader(pub PaperShown);

impl Reader for PaperReader {
    fn venue(&self) -> Venue {
        self.0.venue
    }

    fn truth(&self) -> Result<Truth, TruthError> {
        Ok(self.0.lock().truth.clone())
    }

    fn history(&self, _: MarketId) -> Result<Option<(Qty, Qty)>, TruthError> {
        Ok(None) // no list of trades is kept beside the journal
    }

    fn follow(&mut self, _: &Entry) {}
}

/// The ends that a paper venue reads from and writes to.
#[derive(Debug)]
pub struct PaperWiring {
    /// Public events, in the order in which the core took them in.
    pub public: Consumer<Event>,
    /// From the core.
    pub core_exec: Consumer<Intent>,
    /// To the core.
    pub exec_core: Producer<Event>,
    /// The shared halt epoch.
    pub halt: HaltEpoch,
    /// Where it shows what it holds.
    pub shown: PaperShown,
}

/// One venue on paper, on rings.
pub struct PaperExec<M> {
    venue: PaperVenue,
    wiring: PaperWiring,
    /// Names of further markets: a paper venue needs none, and the ring must not fill.
    names: Option<Consumer<Arc<Entry>>>,
    /// Its ways, told once: there is no connection that could be down.
    links: Vec<Event>,
    /// Whether the account may have changed since it was shown.
    changed: bool,
    show_due: Nanos,
    stats: ExecStats,
    /// Reports that had to wait for room so far; none of them was lost.
    waited: u64,
    meter: M,
}

impl<M: Meter> PaperExec<M> {
    /// Begins with what is held.
    pub fn new(wiring: PaperWiring, account: &PaperAccount, meter: M) -> Self {
        let shown = wiring.shown.clone();
        let venue = PaperVenue::new(shown.options, shown.venue, account);
        let up =
            |link| Event::Link { venue: shown.venue, link, number: LinkNumber::FIRST, up: true };
        shown.lock().truth = venue.truth();
        Self {
            venue,
            wiring,
            names: None,
            links: vec![up(Link::Private), up(Link::Orders)],
            changed: true,
            show_due: Nanos::ZERO,
            stats: ExecStats::default(),
            waited: 0,
            meter,
        }
    }

    fn take_public(&mut self, now: Nanos) -> u32 {
        let mut taken = 0;
        while taken < EVENTS_PER_TURN_MAX as u32
            && let Ok(event) = self.wiring.public.pop()
        {
            self.venue.on_market(now, &event);
            taken += 1;
        }
        taken
    }

    fn take_intents(&mut self, now: Nanos) -> u32 {
        let mut taken = 0;
        while taken < INTENTS_PER_TURN_MAX as u32
            && let Ok(intent) = self.wiring.core_exec.pop()
        {
            self.on_intent(now, intent);
            taken += 1;
        }
        taken
    }

    fn on_intent(&mut self, now: Nanos, intent: Intent) {
        match intent {
            Intent::Place(order) if order.epoch != self.wiring.halt.read() => {
                self.stats.unsent[Unsent::Epoch as usize] += 1;
                let why = Unsent::Epoch;
                self.venue.tell_event(Event::Report(Report::Unsent { order: order.id, why }));
            }
            Intent::Place(order) => {
                self.stats.sent += 1;
                self.venue.on_place(now, &order);
            }
            Intent::Cancel(cancel) => {
                self.stats.cancels += 1;
                self.venue.on_cancel(now, cancel.order);
            }
            Intent::CancelAll { .. } => {
                self.stats.cancels += 1;
                self.venue.on_cancel_all(now);
            }
            Intent::Query(query) => {
                self.stats.asked += 1;
                self.venue.on_query(now, query.order);
            }
            Intent::Amend(amend) => self.venue.on_amend(now, &amend),
            // Those are the feed's: the core sends none of them here.
            Intent::Resync { .. } | Intent::Unfollow { .. } | Intent::Witness { .. } => {}
        }
    }

    /// Tells the core, as far as there is room. What the account has become is shown first: a reading is then never behind what the
    /// core has heard.
    fn tell_core(&mut self, now: Nanos) -> u32 {
        let waiting = self.venue.reports_waiting();
        self.changed |= waiting > 0;
        if !self.show(now) {
            return 0; // somebody reads it in this moment
        }
        let mut told = 0;
        while !self.wiring.exec_core.is_full()
            && let Some(event) = self.links.pop().or_else(|| self.venue.poll_report())
        {
            self.count(&event);
            self.wiring.exec_core.push(event).expect("it was not full, and only we fill it");
            told += 1;
        }
        self.waited += self.venue.reports_waiting() as u64;
        told
    }

    /// Shows what the account is; whether it is shown. Never waits: whoever reads holds it for a copy.
    fn show(&mut self, now: Nanos) -> bool {
        let is_due = now >= self.show_due;
        if !self.changed && !is_due {
            return true;
        }
        let Ok(mut shown) = self.wiring.shown.inner.try_lock() else { return false };
        if self.changed {
            shown.truth = self.venue.truth();
            self.changed = false;
        }
        if is_due {
            shown.curves = Some(self.venue.figures());
            self.show_due = now.after(SHOW_EVERY);
        }
        true
    }

    const fn count(&mut self, event: &Event) {
        use surefoot_hot::report::VenueState;
        match event {
            Event::Report(Report::Rejected { .. }) => self.stats.rejected += 1,
            Event::Report(Report::Status(status)) => match status.state {
                VenueState::Resting | VenueState::Filled => self.stats.taken += 1,
                VenueState::Delayed | VenueState::Cancelled | VenueState::Expired => {}
            },
            _ => {}
        }
    }
}

impl<M: Meter + Send> AnyExec<M> for PaperExec<M> {
    fn turn(&mut self, now: Nanos) -> u32 {
        while let Some(names) = &mut self.names
            && names.pop().is_ok()
        {}
        let mut work = self.take_public(now);
        work += self.take_intents(now);
        self.venue.on_time(now);
        work + self.tell_core(now)
    }

    fn stats(&self) -> &ExecStats {
        &self.stats
    }

    fn figures(&self, _: Nanos) -> ExecFigures {
        ExecFigures { connected: true, ..ExecFigures::default() }
    }

    fn outlet_figures(&self) -> OutletFigures {
        OutletFigures { waited: self.waited, ..OutletFigures::default() }
    }

    fn signatures(&self) -> Option<(u64, u64)> {
        None
    }

    fn meter(&mut self) -> &mut M {
        &mut self.meter
    }

    fn take_names(&mut self, names: Consumer<Arc<Entry>>) {
        self.names = Some(names);
    }
}
