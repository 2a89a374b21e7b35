//! Every bound of the core, in one place, checked against each other before the program runs.

use crate::units::Nanos;

/// Orders that are not ours, remembered so that the alarm for each is raised once.
pub const FOREIGN_MAX: usize = 1_024;
/// Of those that rest at one venue now, how many are shown by name; all are counted.
pub const FOREIGN_SHOWN_MAX: usize = 16;
/// Markets whose contracts a venue says are gone, shown by number for each venue.
pub const DOUBTS_SHOWN_MAX: usize = 8;
/// Positions without a partner, shown by market and number.
pub const UNPAIRED_SHOWN_MAX: usize = 8;
/// Of the quarantined markets, how many are shown by name; all are counted.
pub const QUARANTINED_SHOWN_MAX: usize = 16;
/// Of the markets whose books became stale, how many are shown by name, the worst first; all are counted.
pub const STALE_SHOWN_MAX: usize = 8;
/// Markets on both venues together.
pub const MARKETS_MAX: usize = 10_240;
/// Market links to one venue: at a hundred markets each, those of one venue cannot need more.
pub const MARKET_LINKS_MAX: usize = 128;
/// Baskets that the compiler may hand in.
pub const BASKETS_MAX: usize = 20_480;
/// Markets that can be moved to a finer grid, up to tenths of a cent, before another one allocates.
pub const FINER_GRIDS_MAX: usize = 512;
/// Memory for books that the core keeps for markets it has not heard of.
pub const BOOK_ROOMS_MAX: usize = 256;
/// Legs of one basket.
pub const LEGS_MAX: usize = 64;
/// Contracts of one leg that a unit of a basket may need.
pub const RATIO_MAX: u16 = 1_000;
/// Baskets that one market may touch.
pub const BASKETS_PER_MARKET_MAX: usize = 32;
/// Clusters of dependent markets: as many as there may be markets, for most depend on no other.
pub const CLUSTERS_MAX: usize = MARKETS_MAX;
/// Fee rules of one market that are known with the times from which they hold: the one of now, some before and some to come.
pub const FEE_RULES_MAX: usize = 4;
/// Themes that an operator may declare: as many as there are numbers for.
pub const THEMES_MAX: usize = 256;
/// Orders that are not done.
pub const ORDERS_LIVE_MAX: usize = 1_024;
/// Orders remembered after they are done, so that late fills still find them.
pub const ORDERS_DONE_MAX: usize = 4_096;
/// Groups that are not at rest.
pub const GROUPS_LIVE_MAX: usize = 64;
/// Legs of all groups that are not at rest, together.
pub const LEGS_LIVE_MAX: usize = 1_024;
/// Groups remembered after they have ended, so that a fill that fails late still finds its own.
pub const GROUPS_ENDED_MAX: usize = 1_024;
/// Fills remembered, so that one told twice is booked once.
pub const FILLS_SEEN_MAX: usize = 32_768;
/// Entries of the ledger that a fill can still be taken out of: every fill remembered, with room for the repairs,
/// results and days between them.
pub const LEDGER_ENTRIES_MAX: usize = FILLS_SEEN_MAX + 8_192;
/// Failed fills of which nothing had been told before, remembered so that their late telling books nothing.
pub const FILLS_VOID_MAX: usize = 1_024;
/// Fills called final of which nothing had been told before, remembered so that they are final once they are told.
pub const FILLS_FINAL_MAX: usize = 1_024;
/// Reports kept until the order they speak of is known by that name.
pub const ORPHANS_MAX: usize = 256;
/// Orders that are not ours and that an alarm has named, remembered so that it names each once.
pub const STRAYS_TOLD_MAX: usize = 256;
/// Baskets worth buying that are held against each other before the best of them is bought.
pub const RANKED_MAX: usize = 64;
/// Levels that a basket's depth walk looks at, each leg.
pub const WALK_LEVELS_MAX: usize = 32;

/// Market data older than this opens nothing: by then its prices are somebody else's.
pub const DATA_AGE_MAX: Nanos = Nanos::from_millis(250);
/// A turn of the hot thread, or the time between two, that is longer than this is a stall: what waited in the sockets
/// meanwhile is old.
pub const STALL_MIN: Nanos = Nanos::from_millis(250);
/// After a stall nothing is opened for this long, even where the sockets are empty: what the venue held back while
/// nobody read is still on its way.
pub const STALL_REST: Nanos = Nanos::from_millis(250);
/// A stall this long halts: what became of the orders decided before it is unknown.
pub const STALL_HALT: Nanos = Nanos::from_secs(2);

/// Books that wait for a snapshot, looked at in one timer event; the next one goes on behind them.
pub const RESYNCS_PER_TIMER_MAX: usize = 256;
/// Books that became stale together with others, whose baskets are repriced in one event; timer events go on.
pub const FAILED_PER_EVENT_MAX: usize = 512;
/// Baskets that cool down, looked at in one timer event; the next one goes on behind them.
pub const COOLED_PER_TIMER_MAX: usize = 256;
/// Markets that were withdrawn, looked at in one timer event whether they need be followed any more; the next one goes on
/// behind them. As many baskets.
pub const LEAVING_PER_TIMER_MAX: usize = 32;
/// Markets in quarantine, looked at in one timer event; the next one goes on behind them.
pub const QUARANTINED_PER_TIMER_MAX: usize = 256;
/// Markets whose fee changes by its date alone, looked at in one timer event; the next one goes on behind them.
pub const FEES_PER_TIMER_MAX: usize = 32;
/// Markets looked at in one timer event whether they have been silent for too long; the next one goes on behind them.
pub const SILENT_PER_TIMER_MAX: usize = 128;

/// A running core checks its invariants once in so many events. One check costs a walk over the orders and groups that are
/// alive, usually a few, so that one event in a thousand takes some hundred nanoseconds longer.
pub const INVARIANTS_EVERY: u64 = 1_024;
/// Markets whose positions one such check looks at.
pub const INVARIANT_POSITIONS: usize = 32;

/// Intents that one event can cause, summed one user a line. What groups send in one event is bounded by the table of orders:
/// each order needs a place in it, and only a report frees one.
pub const INTENTS_PER_EVENT_MAX: usize = 2 // cancel-all at each venue
    + ORDERS_LIVE_MAX // a cancel for each live order
    + ORDERS_LIVE_MAX // a question about each live order
    + ORDERS_LIVE_MAX // a new order for each free place
    + RESYNCS_PER_TIMER_MAX // a request for a snapshot for each book that waits
    + SILENT_PER_TIMER_MAX // a request for a witness, or for a snapshot, of each silent market
    + LEAVING_PER_TIMER_MAX; // the word that a market is followed no more
/// Notes that one event can cause.
pub const NOTES_PER_EVENT_MAX: usize = 2 * INTENTS_PER_EVENT_MAX;

const _: () = assert!(INTENTS_PER_EVENT_MAX <= 4_096, "a worst event fits core_exec");
const _: () = assert!(MARKETS_MAX <= u16::MAX as usize);
const _: () = assert!(BASKETS_MAX <= u16::MAX as usize);
const _: () = assert!(
    LEGS_MAX as u64 * RATIO_MAX as u64 * 10_000 <= i32::MAX as u64,
    "what a unit costs and pays fits 32 bits with a sign, in $0.0001"
);
