//! What the shell sees when it looks around.

use surefoot_hot::per_venue::PerVenue;
use surefoot_hot::risk::HaltWhy;
use surefoot_hot::stats::Stats;
use surefoot_hot::units::Nanos;

/// The core's newest counters, as far as the policy looks at them. They are older than they look: the core publishes them
/// now and then.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// How often the core has published its counters.
    pub heard: u64,
    /// The halt epoch that the core had reached: the counters know every halt and resume up to it.
    pub epoch: u64,
    /// Why trading is halted; `None` while it is not.
    pub halted: Option<HaltWhy>,
    /// Times that the core found a reason to halt by itself.
    pub trips: u64,
    /// The reason that it found last.
    pub tripped: Option<HaltWhy>,
    /// Whether what sends baskets or quotes is disabled because it repeated itself: a resume enables it.
    pub disabled: bool,
    /// Whether both venues and the core agree.
    pub agreed: bool,
    /// When the reading of each venue was begun that the core has compared last, on the clock of its events; zero before the
    /// first one of the run.
    pub compared_since: PerVenue<Nanos>,
    /// Whether something that a venue said of our orders or fills has not been read yet.
    pub unread: bool,
    /// Orders that are not done.
    pub orders_live: u64,
    /// Orders of which nobody can say whether the venue has them.
    pub orders_unknown: u64,
    /// Groups that have not ended.
    pub groups_live: u64,
}

impl Counters {
    /// Out of what the core published for the `heard`th time.
    pub fn of(stats: &Stats, heard: u64) -> Self {
        let why = stats.halted_why.unwrap_or(HaltWhy::Thread);
        Self {
            heard,
            epoch: stats.epoch,
            halted: stats.halted.then_some(why),
            trips: stats.trips,
            tripped: stats.tripped,
            disabled: stats.disabled,
            agreed: stats.reconciled,
            compared_since: stats.compared_since,
            unread: stats.unread_now,
            orders_live: stats.orders_live,
            orders_unknown: stats.orders_unknown_live,
            groups_live: stats.groups_live,
        }
    }

    /// Whether the core had no order and no group in flight.
    pub const fn is_idle(&self) -> bool {
        self.orders_live == 0 && self.groups_live == 0
    }
}

/// What the shell sees at one look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// The time on the clock of the core's events.
    pub core_now: Nanos,
    /// Whether every stream of both venues is up.
    pub streams_up: bool,
    /// The hot thread that failed an assertion.
    pub dead: Option<&'static str>,
    /// The hot thread that has stood still for too long.
    pub still: Option<&'static str>,
    pub journal_failed: bool,
    /// Whether the file is there that forbids trading. Looked at only while a resume is under way.
    pub kill_file: bool,
    /// Whether the state directory was removed, renamed or replaced. Looked at only while a resume is under way.
    pub directory_lost: bool,
    /// Whether a halt or a stop waits that the policy was not asked for yet. Looked at only while a resume is under way.
    pub halt_waits: bool,
    /// Whether a market has settled at a price that nobody has said yet: both venues are read at once.
    pub settled: bool,
    /// The halt epoch.
    pub epoch: u64,
    /// Whether the core moved it there by itself.
    pub epoch_is_cores: bool,
    /// The core's newest counters.
    pub core: Counters,
}
