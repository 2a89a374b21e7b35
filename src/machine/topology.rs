//! Every thread and every ring: drawn, tabled, and made here. Each ring has a size and a rule for when it is full (S6).
//!
//! ```text
//! sockets ─ feed ─▶ feed_core ─▶ ┌──────┐ ─▶ core_exec ─▶ executors ─ sockets
//!           feed ◀─ core_feed ◀─ │      │ ◀─ exec_core ◀─ executors
//!                                │ core │ ◀─ ops_core ◀─ ops ◀─ control, reconcile, audit
//!                                │      │ ─▶ core_journal ─▶ journal ─▶ store
//!                                └──────┘ ─▶ core_stats ─▶ console, status
//!           feed ─▶ feed_tap ─▶ audit, feed ─▶ feed_witness ─▶ witness
//!           feed ◀─ ops_feed ◀─ catalogue ─▶ ops_exec ─▶ executors
//!           core ◀─ room_core ◀─ catalogue, core ─▶ core_paper ─▶ paper venues in the executors' place
//! ```

use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use rtrb::{Consumer, Producer, RingBuffer};
use surefoot_cold::directory::Entry;
use surefoot_hot::book::BookRoom;
use surefoot_hot::bounds::{INTENTS_PER_EVENT_MAX, NOTES_PER_EVENT_MAX};
use surefoot_hot::event::Event;
use surefoot_hot::intent::Intent;
use surefoot_hot::journal::JournalItem;
use surefoot_hot::per_venue::PerVenue;
use surefoot_hot::stats::Stats;

use super::core_agent::CoreRings;
use crate::cli::TopologyArg;

/// What happens when a ring is full: a decision about money.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnFull {
    /// What was lost makes books stale; they are fetched again. Reports are not lost: they stay in the socket.
    Resync,
    /// Nothing more leaves until a person has looked.
    Halt,
    /// The sender waits; nothing is lost.
    Wait,
    /// Dropped and counted: it can be read again.
    Drop,
}

/// One ring, with one producer and one consumer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ring {
    /// Producer and consumer: `producer_consumer`.
    pub name: &'static str,
    /// Items it holds; bytes for the tap.
    pub slots: usize,
    /// What happens when it is full.
    pub on_full: OnFull,
}

impl Ring {
    const fn new(name: &'static str, slots: usize, on_full: OnFull) -> Self {
        Self { name, slots, on_full }
    }
}

/// Market data and private reports to the core.
pub const FEED_CORE: Ring = Ring::new("feed_core", 16_384, OnFull::Resync);
/// What the core asks of the feed: snapshots of books.
pub const CORE_FEED: Ring = Ring::new("core_feed", 1_024, OnFull::Drop); // asked again every few seconds
/// Orders to a venue's executor: one ring a venue.
pub const CORE_EXEC: Ring = Ring::new("core_exec", 4_096, OnFull::Halt);
/// Copies of public events to a paper venue: one ring a venue, used on paper alone.
pub const CORE_PAPER: Ring = Ring::new("core_paper", 65_536, OnFull::Wait);
/// The answers of a venue's executor: one ring a venue.
pub const EXEC_CORE: Ring = Ring::new("exec_core", 4_096, OnFull::Wait);
/// What the cold threads tell the core: commands of a person, what the venues say of our account, settings.
pub const OPS_CORE: Ring = Ring::new("ops_core", 4_096, OnFull::Wait);
/// The names of further markets to the feed, before the core hears of them.
pub const OPS_FEED: Ring = Ring::new("ops_feed", 1_024, OnFull::Wait);
/// The same to a venue's executor: one ring a venue.
pub const OPS_EXEC: Ring = Ring::new("ops_exec", 1_024, OnFull::Wait);
/// Memory for the books of further markets, before the core hears of them.
pub const ROOM_CORE: Ring = Ring::new("room_core", 1_024, OnFull::Drop); // the core allocates what it is not given
/// Markets whose book is wanted over REST: one ring a venue.
pub const FEED_WITNESS: Ring = Ring::new("feed_witness", 64, OnFull::Drop); // the core counts it as not answered
/// Every input, intent and note of the core, on its way to the journal.
pub const CORE_JOURNAL: Ring = Ring::new("core_journal", 65_536, OnFull::Halt);
/// The core's counters, for console and status.
pub const CORE_STATS: Ring = Ring::new("core_stats", 8, OnFull::Drop);
/// Raw frames of the venues, byte by byte, for the audit.
pub const FEED_TAP: Ring = Ring::new("feed_tap", 4 << 20, OnFull::Drop);

const _: () = assert!(CORE_EXEC.slots >= INTENTS_PER_EVENT_MAX, "a worst event fits");
const _: () = assert!(CORE_JOURNAL.slots >= 6 * (INTENTS_PER_EVENT_MAX + NOTES_PER_EVENT_MAX));

/// Both ends of every ring that touches the core. Each end has one owner, and is handed to it by move.
pub struct RingEnds {
    /// The ends that the core reads from and writes to.
    pub core: CoreRings,
    /// The ends of the agents around the core.
    pub agents: AgentEnds,
    /// The way in for what the cold threads say.
    pub ops: Producer<Event>,
    /// The ways for the names of further markets.
    pub names: NameEnds,
    /// The way for the memory of their books.
    pub rooms: Producer<BookRoom>,
    /// Markets whose book is wanted over REST arrive here.
    pub witnesses: PerVenue<Consumer<Arc<Entry>>>,
    /// Public events to the paper venues.
    pub public: PerVenue<Producer<Event>>,
    /// The core's counters arrive here.
    pub stats: Consumer<Stats>,
    /// Every input, intent and note of the core arrives here, for the journal.
    pub journal: Consumer<JournalItem>,
}

/// The ends of the agents around the core, for whoever builds these.
pub struct AgentEnds {
    /// The ends that the feed reads from and writes to.
    pub feed: FeedEnds,
    /// The ends that the executor of each venue reads from and writes to.
    pub executors: PerVenue<ExecutorEnds>,
    /// The core's turns so far: executors see by it whether it still moves.
    pub core_turns: Arc<AtomicU64>,
}

/// The ends that the feed reads from and writes to.
pub struct FeedEnds {
    /// Market data and private reports to the core.
    pub events: Producer<Event>,
    /// Requests for snapshots from the core, and which markets it leaves.
    pub intents: Consumer<Intent>,
    /// The names of further markets.
    pub names: Consumer<Arc<Entry>>,
    /// Markets whose book is wanted over REST.
    pub witnesses: PerVenue<Producer<Arc<Entry>>>,
}

/// The ends that one venue's executor reads from and writes to.
pub struct ExecutorEnds {
    /// Orders, cancels and questions arrive here from the core.
    pub intents: Consumer<Intent>,
    /// What the venue answered leaves here for the core.
    pub reports: Producer<Event>,
    /// The names of further markets.
    pub names: Consumer<Arc<Entry>>,
    /// Public events, where the account is on paper.
    pub public: Consumer<Event>,
}

/// Where the names of further markets go, for whoever follows them.
pub struct NameEnds {
    pub feed: Producer<Arc<Entry>>,
    pub executors: PerVenue<Producer<Arc<Entry>>>,
}

/// Every ring of the machine, in the order of the drawing above.
pub const RINGS: [Ring; 13] = [
    FEED_CORE,
    CORE_FEED,
    CORE_EXEC,
    CORE_PAPER,
    EXEC_CORE,
    OPS_CORE,
    OPS_FEED,
    OPS_EXEC,
    ROOM_CORE,
    CORE_JOURNAL,
    CORE_STATS,
    FEED_TAP,
    FEED_WITNESS,
];

/// Makes every ring of [`RINGS`] that touches the core.
pub fn rings() -> RingEnds {
    let (feed_core, feed_in) = RingBuffer::new(FEED_CORE.slots);
    let (feeds, core_feed) = RingBuffer::new(CORE_FEED.slots);
    let orders = PerVenue::from_fn(|_| RingBuffer::new(CORE_EXEC.slots));
    let (to_executors, intents) = orders.unzip();
    let (to_paper, public) = PerVenue::from_fn(|_| RingBuffer::new(CORE_PAPER.slots)).unzip();
    let answers = PerVenue::from_fn(|_| RingBuffer::new(EXEC_CORE.slots));
    let (reports, from_executors) = answers.unzip();
    let (ops, ops_in) = RingBuffer::new(OPS_CORE.slots);
    let (name_to_feed, feed_names) = RingBuffer::new(OPS_FEED.slots);
    let (name_to_exec, exec_names) = PerVenue::from_fn(|_| RingBuffer::new(OPS_EXEC.slots)).unzip();
    let wanted = PerVenue::from_fn(|_| RingBuffer::new(FEED_WITNESS.slots));
    let (to_witnesses, witnesses) = wanted.unzip();
    let (to_rooms, rooms) = RingBuffer::new(ROOM_CORE.slots);
    let (to_journal, journal) = RingBuffer::new(CORE_JOURNAL.slots);
    let (to_stats, stats) = RingBuffer::new(CORE_STATS.slots);
    // What executors say comes before what streams say: a fill then finds its order by the venue's name.
    let mut inputs: Vec<_> = from_executors.into_iter().map(|(_, ring)| ring).collect();
    inputs.extend([ops_in, feed_in]);
    let core = CoreRings {
        inputs,
        rooms,
        executors: to_executors,
        feeds,
        journal: to_journal,
        stats: to_stats,
        turns: Arc::default(),
    };
    let agents = AgentEnds {
        feed: FeedEnds {
            events: feed_core,
            intents: core_feed,
            names: feed_names,
            witnesses: to_witnesses,
        },
        executors: intents.zip(reports).zip(exec_names).zip(public).map(
            |_, (((intents, reports), names), public)| ExecutorEnds {
                intents,
                reports,
                names,
                public,
            },
        ),
        core_turns: Arc::clone(&core.turns),
    };
    let names = NameEnds { feed: name_to_feed, executors: name_to_exec };
    RingEnds {
        core,
        agents,
        ops,
        names,
        rooms: to_rooms,
        witnesses,
        public: to_paper,
        stats,
        journal,
    }
}

/// Which agents share which thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topology {
    /// One pinned spinner runs feed, core and executors in each turn: nothing is woken on the path.
    Fused,
    /// Feed, core and executors spin on a core each.
    Split,
    /// One thread for all, resting when idle: laptops, single cores, tests.
    Calm,
}

impl Topology {
    /// What was asked for, or what fits the machine.
    ///
    /// # Errors
    /// A spinner on the only core would starve everything else; more spinners than cores would starve each
    /// other.
    pub fn resolve(asked: TopologyArg, cores: usize) -> Result<Self, String> {
        match asked {
            TopologyArg::Auto if cores >= 5 => Ok(Self::Split),
            TopologyArg::Auto if cores >= 2 => Ok(Self::Fused),
            TopologyArg::Auto | TopologyArg::Calm => Ok(Self::Calm),
            TopologyArg::Fused if cores >= 2 => Ok(Self::Fused),
            TopologyArg::Split if cores >= 4 => Ok(Self::Split),
            TopologyArg::Fused => Err(format!(
                "topology fused needs 2 cores and this machine gives us {cores}: its spinning thread would starve \
                 the rest; use --topology calm"
            )),
            TopologyArg::Split => Err(format!(
                "topology split needs 4 cores and this machine gives us {cores}; use --topology fused or calm"
            )),
        }
    }

    /// The name used in output and in files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fused => "fused",
            Self::Split => "split",
            Self::Calm => "calm",
        }
    }
}

/// Cores this process may use.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// A core that a spinner of this process has: no other surefoot on this machine takes it while the value lives.
#[derive(Debug)]
pub struct Claimed {
    /// The number that the system gives the processor's core.
    pub cpu: usize,
    /// A name in the kernel's abstract space; `None` where another surefoot has the core too, for want of a free one.
    name: Option<UnixListener>,
}

impl Claimed {
    /// Whether another surefoot spins there as well: the two then starve each other.
    pub const fn is_shared(&self) -> bool {
        self.name.is_none()
    }
}

/// Claims a core for each of `count` spinners: from `wanted` on, or the last ones of the machine, so that the first ones,
/// where the system likes to be, stay with everything else. A core that another surefoot spins on is passed over as long as
/// there are others. Fewer come back where the machine has not as many, or `wanted` is not ours to use.
pub fn claim(count: usize, wanted: Option<usize>) -> Vec<Claimed> {
    let mut ids: Vec<usize> =
        core_affinity::get_core_ids().unwrap_or_default().iter().map(|id| id.id).collect();
    if let Some(first) = wanted {
        let named = (0..count).map(|nth| first.saturating_add(nth)).filter(|cpu| ids.contains(cpu));
        return named.map(|cpu| Claimed { cpu, name: take_name(cpu) }).collect();
    }
    ids.sort_unstable_by(|a, b| b.cmp(a));
    let mut claimed: Vec<Claimed> = Vec::with_capacity(count);
    for &cpu in &ids {
        if claimed.len() < count
            && let Some(name) = take_name(cpu)
        {
            claimed.push(Claimed { cpu, name: Some(name) });
        }
    }
    // Too few free ones: shared, and said so.
    for &cpu in &ids {
        if claimed.len() < count && claimed.iter().all(|claimed| claimed.cpu != cpu) {
            claimed.push(Claimed { cpu, name: None });
        }
    }
    claimed
}

fn take_name(cpu: usize) -> Option<UnixListener> {
    let address = SocketAddr::from_abstract_name(format!("surefoot-cpu/{cpu}")).ok()?;
    UnixListener::bind_addr(&address).ok()
}

/// Pins the calling thread to a core, and reads back whether it is there.
pub fn pin(cpu: usize) -> bool {
    core_affinity::set_for_current(core_affinity::CoreId { id: cpu })
        && core_affinity::get_core_ids().is_some_and(|ids| ids.len() == 1 && ids[0].id == cpu)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_shows_every_ring() {
        let page = concat!(env!("CARGO_MANIFEST_DIR"), "/ARCHITECTURE.md");
        let page = std::fs::read_to_string(page).unwrap();
        let rows: Vec<Vec<&str>> = page
            .lines()
            .skip_while(|line| !line.starts_with("| ring |"))
            .skip(2)
            .take_while(|line| line.starts_with('|'))
            .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
            .collect();
        assert_eq!(rows.len(), RINGS.len());
        for (row, link) in rows.iter().zip(RINGS) {
            assert_eq!(row[0], format!("`{}`", link.name));
            assert_eq!(row[1], link.slots.to_string(), "{}", link.name);
            let on_full = format!("{:?}", link.on_full).to_lowercase();
            assert!(row[3].starts_with(&on_full), "{}: {} is not {on_full}", link.name, row[3]);
        }
    }

    #[test]
    fn a_core_that_is_taken_is_passed_over_while_there_are_others() {
        let cores = cores();
        let first = claim(1, None);
        let second = claim(1, None);
        assert_eq!((first.len(), second.len()), (1, 1));
        if !first[0].is_shared() && !second[0].is_shared() {
            assert_ne!(first[0].cpu, second[0].cpu);
        }
        let rest = claim(cores, None);
        assert_eq!(rest.len(), cores, "where none is free they are shared");
        assert!(rest.iter().any(Claimed::is_shared));
        assert!(claim(1, Some(usize::MAX)).is_empty(), "no such core");
        let cpu = first[0].cpu;
        assert!(std::thread::spawn(move || pin(cpu)).join().unwrap(), "read back");
    }

    #[test]
    fn a_machine_gets_what_it_can_carry() {
        assert_eq!(Topology::resolve(TopologyArg::Auto, 1), Ok(Topology::Calm));
        assert_eq!(Topology::resolve(TopologyArg::Auto, 2), Ok(Topology::Fused));
        assert_eq!(Topology::resolve(TopologyArg::Auto, 8), Ok(Topology::Split));
        assert!(Topology::resolve(TopologyArg::Fused, 1).is_err());
        assert!(Topology::resolve(TopologyArg::Split, 2).is_err());
        assert_eq!(Topology::resolve(TopologyArg::Calm, 1), Ok(Topology::Calm));
    }
}
