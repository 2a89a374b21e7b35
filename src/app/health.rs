//! Whether a run is healthy: one table of everything that may be wrong, with what each row does and its remedy.
//!
//! The run takes a [`Signs`] once a second, and [`Health::look`] goes through [`ROWS`]. What is found is shown by `status`,
//! said once on stderr when it begins and when it is over, and keeps new baskets from the venues it names. A further
//! trouble is a further row here (and a further sign where it needs one); nothing else judges health.

mod spells;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use surefoot_cold::exec::{BEATS_MISSED_MAX, ExecFigures};
use surefoot_cold::observe::told::{NamedPlace, Phase, Source, ToldNote};
use surefoot_hot::note::Severity;
use surefoot_hot::per_venue::PerVenue;
use surefoot_hot::report::Reject;
use surefoot_hot::units::Nanos;
use surefoot_hot::venue_mode::VenueMode;

use spells::Spells;

/// The last successful comparison with both venues may be so old: two in a row may fail, the third is told.
const COMPARED_WITHIN: Duration = Duration::from_secs(40);
/// So many refusals in a row, none of them a kill and no order taken between, are no chance.
const REFUSED_MAX: u64 = 3;
/// A stream that breaks so often within [`WINDOW`] does not carry.
const LOST_MAX: u64 = 4;
/// Books that become stale so often within [`WINDOW`], for each market that is followed, are not followed well.
const STALES_PER_BOOK_MAX: u64 = 6;
/// So many markets or streams are named in one line; `status` names more.
const NAMED_MAX: usize = 3;
/// Over which time repetitions are counted.
const WINDOW: Duration = Duration::from_secs(60);

/// Which new baskets a trouble keeps from being opened. Baskets that are open already are finished either way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    /// None, or the core refuses them by itself.
    Nothing,
    /// Those with a leg at a venue that the trouble names.
    Venues,
    /// All of them.
    Everything,
}

/// What is known of one venue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VenueSigns {
    /// Streams that there are: as many of market data as its markets need, and one of our own orders.
    pub links: u64,
    /// Streams that are up.
    pub links_up: u64,
    /// Times one of its streams broke within the last minute.
    pub links_lost: u64,
    /// Markets of the venue that are followed.
    pub markets: u32,
    /// How many of their books may be decided from.
    pub good: u32,
    /// Markets of the venue in which nothing is opened because something was not understood.
    pub quarantined: u32,
    /// The way of orders to it.
    pub exec: ExecFigures,
    /// Orders in a row that the venue refused for no reason of the market's; ends with the first it takes.
    pub refused: u64,
    /// What the venue takes at the moment, as the core has it.
    pub mode: VenueMode,
    /// Answers within the last minute that were not understood although they were of success, or that said that a call is withdrawn.
    pub strange: u64,
    /// Messages of streams within the last minute that are of no type that is known.
    pub unknown: u64,
}

/// What health is judged by, as of one look.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Signs {
    /// Whether the venues were agreed with once, so that it may open.
    pub open: bool,
    /// Whether trading is halted.
    pub halted: bool,
    /// The hot thread that panicked.
    pub dead: Option<&'static str>,
    /// The hot thread that stands still.
    pub still: Option<&'static str>,
    /// Cold threads that ended although the run goes on.
    pub ended: Vec<&'static str>,
    /// Whether the process is gone that cancels where this one cannot.
    pub watchdog_gone: bool,
    /// Why the journal cannot be written.
    pub journal: Option<String>,
    /// Why the database is not written now.
    pub store: Option<String>,
    /// Why no snapshot of the core can be taken.
    pub snapshots: Option<String>,
    /// Sinks beside the store, and how many items each lost within the last minute.
    pub sinks: Vec<(&'static str, u64)>,
    /// What is wrong with the state directory or its locks.
    pub directory: Option<String>,
    /// Books that became stale within the last minute.
    pub stales: u64,
    /// Whether the core finds no difference to what the venues said last.
    pub agreed: bool,
    /// How long ago both venues could be compared with.
    pub compared: Option<Duration>,
    /// Contracts that neither a complete basket nor a group explains.
    pub unpaired: Vec<String>,
    /// Quarantined markets by name, with the cause and what ends it.
    pub quarantined: Vec<String>,
    /// Whether what sends baskets or quotes is disabled because it repeated itself.
    pub disabled: bool,
    /// Settled markets whose price is not known yet, by name.
    pub unpriced: Vec<String>,
    /// Venues that have changed fees since the start.
    pub fees_changed: PerVenue<bool>,
    /// Streams that are down, by name.
    pub links_down: Vec<String>,
    /// What is known of each venue.
    pub venues: PerVenue<VenueSigns>,
}

/// What a row found: in words with figures, and at which venues.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The trouble, in words.
    pub what: String,
    /// The venues it concerns; none where it is ours alone.
    pub venues: PerVenue<bool>,
}

/// The first few of some names, and how many more there are.
fn some_of(names: &[String]) -> String {
    let mut said = names[..names.len().min(NAMED_MAX)].join(", ");
    if names.len() > NAMED_MAX {
        said.push_str(&format!(" and {} more", names.len() - NAMED_MAX));
    }
    said
}

impl Found {
    fn ours(what: impl Into<String>) -> Option<Self> {
        Some(Self { what: what.into(), venues: PerVenue::default() })
    }
}

/// One row of the table.
pub struct Row {
    /// Its name, for scripts; never used for anything else.
    pub name: &'static str,
    /// What it means, for the operator's guide.
    pub means: &'static str,
    /// How much it matters: of what is no more than information `status` alone tells; the rest is said when it begins and
    /// when it is over.
    pub severity: Severity,
    /// Which new baskets it keeps from being opened.
    pub holds: Holds,
    /// Whether the trouble is there, and in what words; `None` where it is not.
    pub find: fn(&Signs) -> Option<Found>,
    /// What to do about it: a sentence.
    pub remedy: &'static str,
}

/// Every trouble there is, the gravest first.
pub const ROWS: &[Row] = &[
    Row {
        name: "hot_thread_dead",
        means: "A thread that trades has failed an assertion",
        severity: Severity::Alarm,
        holds: Holds::Everything,
        find: |signs| Found::ours(format!("the {} thread is dead", signs.dead?)),
        remedy: "Everything is cancelled and the run ends; keep the state directory and report it.",
    },
    Row {
        name: "hot_thread_still",
        means: "A thread that trades has not moved for 2 s",
        severity: Severity::Alarm,
        holds: Holds::Everything,
        find: |signs| Found::ours(format!("the {} thread stands still", signs.still?)),
        remedy: "Is something else on its core? `tuning/tune check` says.",
    },
    Row {
        name: "directory",
        means: "The state directory, its lock or an account's lock is not where it was",
        severity: Severity::Alarm,
        holds: Holds::Everything,
        find: |signs| Found::ours(signs.directory.clone()?),
        remedy: "`surefoot stop`, put the directory back where it was, `surefoot start`.",
    },
    Row {
        name: "journal",
        means: "The journal cannot be written: trading is halted, cancels still go out",
        severity: Severity::Alarm,
        holds: Holds::Everything,
        find: |signs| {
            Found::ours(format!("the journal cannot be written: {}", signs.journal.as_ref()?))
        },
        remedy: "Make room, `surefoot stop`, `surefoot start`.",
    },
    Row {
        name: "cold_thread_ended",
        means: "A thread beside the path has ended although the run goes on",
        severity: Severity::Alarm,
        holds: Holds::Everything,
        find: |signs| match signs.ended.as_slice() {
            [] => None,
            names => Found::ours(format!("ended before the run did: {}", names.join(", "))),
        },
        remedy: "`surefoot stop`, `surefoot start`; keep the log and report it.",
    },
    Row {
        name: "no_watchdog",
        means: "The process is gone that cancels everything where this one cannot any more",
        severity: Severity::Alarm,
        holds: Holds::Everything,
        find: |signs| match signs.watchdog_gone {
            false => None,
            true => Found::ours("the watchdog's process is gone"),
        },
        remedy: "`surefoot stop`, `surefoot start`. Where it goes again, look whether the system kills it for its memory.",
    },
    Row {
        name: "halted",
        means: "Trading is halted",
        severity: Severity::Info,
        holds: Holds::Nothing,
        find: |signs| if signs.halted { Found::ours("halted") } else { None },
        remedy: "`surefoot resume --reason …` when what halted it is understood.",
    },
    Row {
        name: "starting",
        means: "The venues were not agreed with yet, so nothing is opened",
        severity: Severity::Info,
        holds: Holds::Nothing,
        find: |signs| match signs.open {
            true => None,
            false => Found::ours("starting: not agreed with the venues yet"),
        },
        remedy: "Wait; where it lasts, the log names what it waits for.",
    },
    Row {
        name: "core_still",
        means: "The executors hear nothing from the core and cancel everything themselves",
        severity: Severity::Alarm,
        holds: Holds::Everything,
        find: |signs| {
            at_venues(
                signs,
                |venue| venue.exec.core_still,
                "the core stands still, everything is cancelled at",
                |venue| match venue.exec.cancelling_all {
                    true => " (not confirmed yet)".to_owned(),
                    false => " (confirmed)".to_owned(),
                },
            )
        },
        remedy: "Look at the venues' own pages for what still rests and what stands alone, then `surefoot stop` and start.",
    },
    Row {
        name: "credentials_refused",
        means: "A venue refuses our key, for orders, readings or a signed stream",
        severity: Severity::Alarm,
        holds: Holds::Venues,
        find: |signs| {
            let refused = |venue: &VenueSigns| venue.exec.credentials_refused;
            at_venues(signs, refused, "credentials refused at", |_| String::new())
        },
        remedy: "The key was revoked, has expired or is of another account: look at it on the venue's own page.",
    },
    Row {
        name: "no_order_connection",
        means: "No connection on which orders could leave",
        severity: Severity::Alarm,
        holds: Holds::Nothing, // the gate's own row
        find: |signs| {
            let cut = |venue: &VenueSigns| signs.open && !venue.exec.connected;
            at_venues(signs, cut, "no connection for orders to", |_| String::new())
        },
        remedy: "It is dialled again by itself; where it lasts, look at the network and the venue's status page.",
    },
    Row {
        name: "wire_log",
        means: "An order did not leave because it could not be written down first",
        severity: Severity::Alarm,
        holds: Holds::Venues,
        find: |signs| {
            let lost = |venue: &VenueSigns| venue.exec.unlogged > 0;
            at_venues(signs, lost, "the wire log cannot be written, no order leaves for", |_| {
                String::new()
            })
        },
        remedy: "Make room, `surefoot stop`, `surefoot start`; look at the venue's own page for what stands alone.",
    },
    Row {
        name: "breaker_open",
        means: "Requests to a venue failed again and again, so it is left alone for a while",
        severity: Severity::Alarm,
        holds: Holds::Venues,
        find: |signs| {
            let shut = |venue: &VenueSigns| venue.exec.breaker_open;
            at_venues(signs, shut, "repeated failures at", |venue| {
                match venue.exec.turned_away {
                    Some(Reject::Auth) => " (the account's orders are refused)",
                    Some(Reject::Blocked) => " (a block page instead of answers)",
                    Some(Reject::Mode) => " (it takes no orders at the moment)",
                    Some(Reject::Rate) => " (too many requests)",
                    Some(Reject::Gone) => " (it has withdrawn the call)",
                    _ => "",
                }
                .to_owned()
            })
        },
        remedy: "The venue does not answer orders as it should; it is tried again by itself. Look at its status page.",
    },
    Row {
        name: "venue_mode",
        means: "A venue does not take everything at the moment: it restarts, is in maintenance or takes only some kinds of orders",
        severity: Severity::Alarm,
        holds: Holds::Nothing, // the gate's own row
        find: |signs| {
            let less = |venue: &VenueSigns| venue.mode != VenueMode::Open;
            at_venues(signs, less, "not everything is taken at", |venue| {
                match venue.mode {
                    VenueMode::Open => "",
                    VenueMode::PostOnly => " (orders that only rest, and cancels)",
                    VenueMode::CancelOnly => " (cancels alone)",
                    VenueMode::Restarting => " (nothing: it restarts)",
                    VenueMode::Shut => " (nothing, cancels included)",
                }
                .to_owned()
            })
        },
        remedy: "What is to be sold there waits and goes first when it is over. Where it lasts, look at the venue's status page.",
    },
    Row {
        name: "interface_changed",
        means: "A venue answers requests about orders in a form that is not known, or has withdrawn a call (410)",
        severity: Severity::Alarm,
        holds: Holds::Nothing, // what became of an order is asked, and one that is refused is counted
        find: |signs| {
            let strange = |venue: &VenueSigns| venue.strange > 0;
            at_venues(signs, strange, "answers of an unknown form at", |venue| {
                format!(" ({} within a minute)", venue.strange)
            })
        },
        remedy: "Look at the venue's changelog; where it lasts, `surefoot halt`: this version does not speak to that interface.",
    },
    Row {
        name: "messages_unknown",
        means: "A venue's streams tell messages of a type that is not known: each is counted and passed over",
        severity: Severity::Warning,
        holds: Holds::Nothing, // what they may say of books and orders is seen by the readings
        find: |signs| {
            let unknown = |venue: &VenueSigns| venue.unknown > 0;
            at_venues(signs, unknown, "stream messages of an unknown type from", |venue| {
                format!(" ({} within a minute)", venue.unknown)
            })
        },
        remedy: "Look at the venue's changelog for what is new there; what was meant to be known is compared over REST meanwhile.",
    },
    Row {
        name: "orders_refused",
        means: "A venue has turned away three orders in a row and taken none",
        severity: Severity::Alarm,
        holds: Holds::Nothing, // the core counts for itself, and lets one basket at a time try again
        find: |signs| {
            at_venues(signs, VenueSigns::is_refused, "every order refused at", |venue| {
                format!(" ({} in a row)", venue.refused)
            })
        },
        remedy: "Its rejections are in the orders' table and in the log: keys, funds, allowances, the venue's own mode.",
    },
    Row {
        name: "beats_missed",
        means: "A venue does not confirm the heartbeats that keep our orders resting",
        severity: Severity::Alarm,
        holds: Holds::Venues,
        find: |signs| {
            let missed = |venue: &VenueSigns| venue.exec.beats_missed >= BEATS_MISSED_MAX;
            at_venues(signs, missed, "heartbeats not confirmed by", |venue| {
                format!(" ({} in a row)", venue.exec.beats_missed)
            })
        },
        remedy: "Until they are, the venue may cancel what rests at any moment; it is tried again by itself.",
    },
    Row {
        name: "no_good_book",
        means: "No book of a venue may be decided from",
        severity: Severity::Alarm,
        holds: Holds::Nothing, // a book in doubt decides nothing
        find: |signs| {
            at_venues(
                signs,
                |venue| signs.open && venue.markets > 0 && venue.good == 0,
                "no good book at",
                |_| String::new(),
            )
        },
        remedy: "Snapshots are asked for by themselves; where it lasts, halt and look at the venue's status page.",
    },
    Row {
        name: "links_down",
        means: "A stream of a venue is down",
        severity: Severity::Alarm,
        holds: Holds::Nothing, // the gate's own row
        find: |signs| {
            if !signs.open {
                return None; // they come up
            }
            let up: u64 = signs.venues.values().map(|venue| venue.links_up).sum();
            let all: u64 = signs.venues.values().map(|venue| venue.links).sum();
            let found =
                at_venues(signs, |venue| venue.links_up < venue.links, "", |_| String::new())?;
            let down = some_of(&signs.links_down);
            Some(Found { what: format!("{up} of {all} streams are up; down: {down}"), ..found })
        },
        remedy: "They are dialled again by themselves; where it lasts, look at the network and the venue's status page.",
    },
    Row {
        name: "links_unsteady",
        means: "A venue's streams break four times a minute or more",
        severity: Severity::Alarm,
        holds: Holds::Nothing,
        find: |signs| {
            at_venues(
                signs,
                |venue| venue.links_lost >= LOST_MAX,
                "streams break again and again at",
                |venue| format!(" ({} times in a minute)", venue.links_lost),
            )
        },
        remedy: "Look at the network, then at the venue's status page.",
    },
    Row {
        name: "books_unsteady",
        means: "Books are fetched anew six times a minute or more, for each market",
        severity: Severity::Alarm,
        holds: Holds::Nothing,
        find: |signs| {
            let markets: u64 = signs.venues.values().map(|venue| u64::from(venue.markets)).sum();
            let many = signs.stales >= STALES_PER_BOOK_MAX * markets.max(1);
            if many {
                Found::ours(format!("books fetched anew {} times in a minute", signs.stales))
            } else {
                None
            }
        },
        remedy: "The machine cannot keep up, or frames are lost or not understood: `bad_frames` in `status` tells which.",
    },
    Row {
        name: "quarantined",
        means: "Markets are closed for new baskets because something about them was not understood",
        severity: Severity::Alarm,
        holds: Holds::Nothing, // the core leaves those markets alone
        find: |signs| {
            let is = |venue: &VenueSigns| venue.quarantined > 0;
            let count = |venue: &VenueSigns| format!(" ({})", venue.quarantined);
            let found = at_venues(signs, is, "markets quarantined at", count)?;
            let what = format!("{}: {}", found.what, some_of(&signs.quarantined));
            Some(Found { what, ..found })
        },
        remedy: "Nothing new is opened there. Odd books come back by themselves; for the others look at the venue's page, then \
                 `surefoot release MARKET --reason …`, each by itself.",
    },
    Row {
        name: "strategy_disabled",
        means: "What sends baskets or quotes is disabled because it sent the same orders again and again",
        severity: Severity::Alarm,
        holds: Holds::Nothing, // the gate's own row
        find: |signs| {
            if signs.disabled {
                Found::ours(
                    "baskets or quotes are disabled: the same orders were to be sent again and again",
                )
            } else {
                None
            }
        },
        remedy: "Find out what repeats itself (refusals `duplicate` in the log), then `surefoot resume --reason …`.",
    },
    Row {
        name: "disagreed",
        means: "The venues' figures differ from ours, or cannot be read",
        severity: Severity::Alarm,
        holds: Holds::Everything,
        find: |signs| {
            if signs.open && !signs.agreed {
                Found::ours("the venues and we do not agree")
            } else {
                None
            }
        },
        remedy: "It is compared again every 5 s; where it lasts, look at the venues' own pages.",
    },
    Row {
        name: "compared_long_ago",
        means: "At least one venue could not be compared with for 40 s",
        severity: Severity::Alarm,
        holds: Holds::Everything,
        find: |signs| {
            let age = signs.compared.filter(|age| *age > COMPARED_WITHIN)?;
            Found::ours(format!("not compared with the venues for {} s", age.as_secs()))
        },
        remedy: "The log says which venue does not answer what it is asked.",
    },
    Row {
        name: "unpaired",
        means: "Contracts are held that neither a complete basket nor a group explains",
        severity: Severity::Alarm,
        holds: Holds::Nothing, // what is opened next is complete or sold again by itself
        find: |signs| {
            if signs.unpaired.is_empty() {
                return None;
            }
            Found::ours(format!("contracts without a partner: {}", signs.unpaired.join(", ")))
        },
        remedy: "Sell them at the venue, or buy there what completes a basket: they are sold only where `strategy.unpaired` says so.",
    },
    Row {
        name: "settled_unseen",
        means: "A market is settled and nobody has said at what price yet",
        severity: Severity::Alarm,
        holds: Holds::Nothing, // nothing is opened in a market that is over
        find: |signs| match signs.unpriced.as_slice() {
            [] => None,
            names => Found::ours(format!(
                "settled at a price that is not known yet: {}",
                names.join(", ")
            )),
        },
        remedy: "The result is asked for with every comparison, every 12 s; where it lasts, look at the market's page at the venue.",
    },
    Row {
        name: "fees_changed",
        means: "A venue has changed fees and they have not been read yet; baskets are reckoned with the old ones",
        severity: Severity::Alarm,
        holds: Holds::Nothing, // what was charged is booked, and compared with the rule
        find: |signs| {
            let venues = signs.fees_changed;
            let named = venues.iter().filter(|(_, changed)| **changed);
            let names: Vec<&str> = named.map(|(venue, _)| venue.name()).collect();
            (!names.is_empty()).then(|| Found {
                what: format!("fees have changed at {}", names.join(" and ")),
                venues,
            })
        },
        remedy: "They are read within ten seconds; where it lasts, the venue does not tell them: `surefoot halt` until it does.",
    },
    Row {
        name: "database",
        means: "The database is behind the journal",
        severity: Severity::Alarm,
        holds: Holds::Nothing, // trading does not need it
        find: |signs| {
            Found::ours(format!("the database is not written: {}", signs.store.as_ref()?))
        },
        remedy: "Trading goes on. It is caught up from the journal: by itself, or at the next start.",
    },
    Row {
        name: "snapshots",
        means: "No snapshot of the core can be taken: the next start folds more of the journal",
        severity: Severity::Alarm,
        holds: Holds::Nothing, // trading does not need it
        find: |signs| {
            Found::ours(format!("no snapshot can be taken: {}", signs.snapshots.as_ref()?))
        },
        remedy: "Make room where the disk is full. Where decisions cannot be repeated: keep the state directory and report it.",
    },
    Row {
        name: "notes_lost",
        means: "Notes are not shown or kept, because a sink is too slow or fails",
        severity: Severity::Alarm,
        holds: Holds::Nothing, // the journal and the database have the core's notes
        find: |signs| {
            let lost = signs.sinks.iter().filter(|(_, lost)| *lost > 0);
            let names: Vec<String> =
                lost.map(|(name, lost)| format!("{name} ({lost} in a minute)")).collect();
            if names.is_empty() {
                return None;
            }
            Found::ours(format!("notes are lost on the way to: {}", names.join(", ")))
        },
        remedy: "Trading goes on. Look whether the disk is full or the terminal stands still.",
    },
];

/// The table in Markdown, as `docs/operator.md` holds it.
pub fn page() -> String {
    let mut text =
        String::from("| name | means | new baskets held back | do |\n| --- | --- | --- | --- |\n");
    for row in ROWS {
        let holds = match row.holds {
            Holds::Nothing => "none",
            Holds::Venues => "at that venue",
            Holds::Everything => "all",
        };
        let name = match row.severity {
            Severity::Info => format!("`{}` (no alarm)", row.name),
            Severity::Warning | Severity::Alarm | Severity::Critical => format!("`{}`", row.name),
        };
        writeln!(text, "| {name} | {} | {holds} | {} |", row.means, row.remedy)
            .expect("text takes everything");
    }
    text
}

/// The trouble at those venues for which it is so: "… at kalshi (3 in a row)".
fn at_venues(
    signs: &Signs,
    is: impl Fn(&VenueSigns) -> bool,
    words: &str,
    figures: impl Fn(&VenueSigns) -> String,
) -> Option<Found> {
    let venues = signs.venues.each_ref().map(|_, signs| is(signs));
    let concerned = signs.venues.iter().filter(|(venue, _)| venues[*venue]);
    let named: Vec<String> =
        concerned.map(|(venue, signs)| format!("{}{}", venue.name(), figures(signs))).collect();
    (!named.is_empty()).then(|| Found { what: format!("{words} {}", named.join(" and ")), venues })
}

impl VenueSigns {
    /// Whether it refuses whatever it is sent: a row of refusals without an order taken.
    const fn is_refused(&self) -> bool {
        self.refused >= REFUSED_MAX
    }
}

impl Signs {
    /// Whether both venues and we agree, as far as is known: what was true long ago proves nothing.
    pub fn reconciled(&self) -> bool {
        self.agreed && self.compared.is_some_and(|age| age <= COMPARED_WITHIN)
    }
}

/// A trouble that stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// The row's name.
    pub name: &'static str,
    /// What is wrong, in words.
    pub what: String,
    /// How much it matters.
    pub severity: Severity,
    /// What to do about it.
    pub remedy: &'static str,
}

/// Everything that is wrong, by the table; nothing where it is healthy.
pub fn troubles(signs: &Signs) -> Vec<Trouble> {
    let found = ROWS.iter().filter_map(|row| Some((row, (row.find)(signs)?)));
    found
        .map(|(row, found)| Trouble {
            name: row.name,
            what: found.what,
            severity: row.severity,
            remedy: row.remedy,
        })
        .collect()
}

/// At which venues new baskets are held.
pub fn holds(signs: &Signs) -> PerVenue<bool> {
    let mut held = PerVenue::default();
    for (row, found) in ROWS.iter().filter_map(|row| Some((row, (row.find)(signs)?))) {
        let venues = match row.holds {
            Holds::Nothing => PerVenue::default(),
            Holds::Venues => found.venues,
            Holds::Everything => PerVenue::all(true),
        };
        for (venue, holds) in venues {
            held[venue] |= holds;
        }
    }
    held
}

/// Health over time: what stands, since when, and what was said of it.
#[derive(Debug, Default)]
pub struct Health {
    /// By name: how much it matters.
    standing: BTreeMap<&'static str, Severity>,
    /// How often each began and was over.
    pub spells: Spells,
    /// New baskets are held at these venues.
    pub held: PerVenue<bool>,
    /// Alarms raised in this run.
    pub raised: u64,
}

/// What is to be said of an alarm, and kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// A row found something that it did not find at the last look.
    Began(Trouble),
    /// A row finds nothing any more.
    Over {
        /// The row's name.
        name: &'static str,
        /// How much it mattered.
        severity: Severity,
        /// How long it stood.
        lasted: Duration,
    },
}

impl News {
    /// As the sinks are told of it.
    pub fn told(self, at: Nanos) -> ToldNote {
        let (code, severity, text, phase) = match self {
            Self::Began(Trouble { name, what, severity, remedy }) => {
                (name, severity, what, Phase::Began { remedy })
            }
            Self::Over { name, severity, lasted } => {
                let text = format!("over after {} s: {name}", lasted.as_secs());
                (name, severity, text, Phase::Over)
            }
        };
        let (source, place) = (Source::Health, NamedPlace::default());
        ToldNote { at, source, code, severity, place, text, phase }
    }
}

impl Health {
    /// Judges once more. Returns what is new: each alarm when it begins and when it is over.
    pub fn look(&mut self, signs: &Signs, now: Instant) -> Vec<News> {
        let troubles = troubles(signs);
        let mut news = Vec::new();
        for trouble in troubles.iter().filter(|trouble| trouble.severity > Severity::Info) {
            if !self.standing.contains_key(trouble.name) {
                self.standing.insert(trouble.name, trouble.severity);
                self.raised += 1;
                news.push(News::Began(trouble.clone()));
            }
        }
        let spells = &self.spells;
        self.standing.retain(|name, severity| {
            let stands = troubles.iter().any(|trouble| trouble.name == *name);
            if !stands {
                let lasted = spells.stood(name, now);
                news.push(News::Over { name, severity: *severity, lasted });
            }
            stands
        });
        self.spells.take(&troubles, now);
        self.held = holds(signs);
        news
    }
}

/// A counter over the last minute: how much it grew.
#[derive(Debug, Default)]
pub struct Recent {
    seen: std::collections::VecDeque<(Instant, u64)>,
}

impl Recent {
    /// Takes the counter in; how much it has grown within the last minute.
    pub fn grew(&mut self, now: Instant, count: u64) -> u64 {
        self.seen.push_back((now, count));
        while self.seen.len() > 1 && now.saturating_duration_since(self.seen[0].0) > WINDOW {
            self.seen.pop_front();
        }
        count.saturating_sub(self.seen[0].1)
    }
}

/// Repetitions without a success between: refusals until an order is taken, missed heartbeats until one is heard.
#[derive(Clone, Copy, Debug, Default)]
pub struct Streak {
    good: u64,
    /// The count of failures when the last success was seen.
    base: u64,
}

impl Streak {
    /// Takes both counters in; how many failures stand in a row.
    pub fn count(&mut self, good: u64, bad: u64) -> u64 {
        if good > self.good {
            self.base = bad;
        }
        self.good = good;
        bad.saturating_sub(self.base)
    }
}

#[cfg(test)]
mod tests;
