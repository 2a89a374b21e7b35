//! The reading of all venues for the report. Each is read by a thread of its own, so that one that hangs keeps nobody from
//! looking at the end of a run or halting it.

use std::thread::JoinHandle;
use std::time::Duration;

use surefoot_cold::reconcile::Truth;
use surefoot_hot::event::Event;
use surefoot_hot::ids::Venue;
use surefoot_hot::per_venue::PerVenue;

use super::Running;
use super::asker::Asker;
use super::compare::hand_to_thread;

/// The pause between two readings, until two in a row say the same.
const PAUSE: Duration = Duration::from_millis(200);

/// What a venue answered: what has settled and was not told yet, and what it says of our account.
type Answer = (Vec<Event>, Result<Truth, String>);

/// The reading of one venue.
enum VenueReading {
    /// No thread could be started yet; the words say why.
    Waiting(Asker, String),
    UnderWay(JoinHandle<Answer>),
    Ended(Result<Truth, String>),
}

impl VenueReading {
    fn begin(asker: Asker) -> Self {
        // The last fills of a stream may be a moment behind the answers.
        let read = |mut asker: Asker| (asker.settled(), asker.truth_at_end(PAUSE));
        match hand_to_thread(asker, read) {
            Ok(thread) => Self::UnderWay(thread),
            Err(unstarted) => {
                let (asker, error) = *unstarted;
                Self::Waiting(asker, format!("no thread could be started to ask it: {error}"))
            }
        }
    }

    /// Looks whether it has ended, and tells `settled` what has settled by then.
    fn look(self, venue: Venue, settled: &mut Vec<Event>) -> Self {
        match self {
            Self::Waiting(asker, _) => Self::begin(asker),
            Self::UnderWay(thread) if thread.is_finished() => Self::Ended(match thread.join() {
                Ok((events, truth)) => {
                    settled.extend(events);
                    truth
                }
                Err(_) => Err(format!("{}: the last reading failed an assertion", venue.name())),
            }),
            Self::UnderWay(_) | Self::Ended(_) => self,
        }
    }

    /// What the venue says of our account, or why that is not known.
    fn truth(self, venue: Venue) -> Result<Truth, String> {
        let name = venue.name();
        match self {
            Self::Waiting(_, why) => Err(format!("{name}: {why}")),
            Self::UnderWay(_) => Err(format!("{name}: it has not answered in time")),
            Self::Ended(truth) => truth,
        }
    }
}

/// The readings for the report, under way or over.
pub(super) struct LastReading(PerVenue<Option<VenueReading>>);

impl LastReading {
    /// Has each venue read by its asker; one whose asker is still at work, or gone, counts as unread.
    pub fn begin(mut askers: PerVenue<Option<Asker>>) -> Self {
        Self(PerVenue::from_fn(|venue| {
            let gone =
                || VenueReading::Ended(Err(format!("{}: it has not answered yet", venue.name())));
            Some(askers[venue].take().map_or_else(gone, VenueReading::begin))
        }))
    }

    /// What has settled, by the readings that have ended since the last look.
    pub fn look(&mut self) -> Vec<Event> {
        let mut settled = Vec::new();
        for venue in Venue::ALL {
            let reading = self.0[venue].take().expect("it is put back at once");
            self.0[venue] = Some(reading.look(venue, &mut settled));
        }
        settled
    }

    /// Whether every venue has answered, or will not.
    pub fn is_over(&self) -> bool {
        self.0.values().all(|reading| matches!(reading, Some(VenueReading::Ended(_))))
    }

    /// What each venue says of our account; the words say why one could not be read.
    pub fn truths(self) -> PerVenue<Result<Truth, String>> {
        self.0.map(|venue, reading| reading.expect("it is put back at once").truth(venue))
    }
}

/// What is found out before the machine ends, for the report.
#[derive(Default)]
pub(super) struct AtEnd {
    /// How long the run has traded.
    lasted: Duration,
    /// What each venue says of our account; `None` before anybody was sent to ask.
    reading: Option<LastReading>,
    /// Whether the policy waits for that.
    is_wanted: bool,
}

impl AtEnd {
    /// The policy wants every venue read. `askers` are asked for once in a run: where the main thread has failed since, the
    /// readings go on that it had begun.
    pub fn want(&mut self, lasted: Duration, askers: impl FnOnce() -> PerVenue<Option<Asker>>) {
        self.lasted = lasted;
        self.reading.get_or_insert_with(|| LastReading::begin(askers()));
        self.is_wanted = true;
    }

    /// Another policy takes over, which has not wanted the readings yet: they go on, and nobody is told of them.
    pub const fn is_wanted_no_more(&mut self) {
        self.is_wanted = false;
    }

    /// What has settled by the readings that have ended since the last look, and whether all have; `None` where nobody waits
    /// for them. That all have ended is said once.
    pub fn look(&mut self) -> Option<(Vec<Event>, bool)> {
        let reading = self.reading.as_mut().filter(|_| self.is_wanted)?;
        let settled = reading.look();
        let is_over = reading.is_over();
        self.is_wanted = !is_over;
        Some((settled, is_over))
    }

    /// How long the run has traded, and what each venue says of our account.
    ///
    /// # Panics
    /// Nobody was sent to ask.
    pub fn found(self) -> (Duration, PerVenue<Result<Truth, String>>) {
        let reading = self.reading.expect("both venues are read before a whole end");
        (self.lasted, reading.truths())
    }
}

impl Running {
    /// Has each venue asked what it says of our account.
    pub(super) fn begin_last_reading(&mut self) {
        let Self { at_end, checks, watched, .. } = self;
        at_end.want(watched.now(), || PerVenue::from_fn(|venue| checks[venue].take_asker()));
    }

    /// Takes in the last readings that have ended, and tells the core what has settled by them. Where a venue does not
    /// answer, the comparison that follows shows what is missing as a difference.
    pub(super) fn look_at_last_reading(&mut self) {
        let Some((settled, is_over)) = self.at_end.look() else { return };
        settled.into_iter().for_each(|event| self.engine.tell(event));
        if is_over {
            self.policy.on_read_at_end(self.watched.now());
            self.carry_out();
        }
    }
}
