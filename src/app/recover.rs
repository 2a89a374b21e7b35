//! What an earlier run left: its core out of the journal, and the orders that only the wire logs still know.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use surefoot_cold::disk;
use surefoot_cold::journal::replay::{Differences, Divergence, ReplayError, Replayed};
use surefoot_cold::journal::{JournalError, Mark, Reader, Wrong, end_of, segments};
use surefoot_cold::observe::observer::Announcer;
use surefoot_cold::observe::told::NamedPlace;
use surefoot_cold::snapshot;
use surefoot_cold::state_dir::StateDir;
use surefoot_cold::store::{StoreError, next_record};
use surefoot_cold::text::counted;
use surefoot_cold::wirelog::{Contents, Ended, Record, Sent};
use surefoot_hot::canary::{self, Canary};
use surefoot_hot::core::Core;
use surefoot_hot::event::{Control, Event};
use surefoot_hot::ids::{OrderId, OrderRef};
use surefoot_hot::note::Note;
use surefoot_hot::order::Order;
use surefoot_hot::per_venue::PerVenue;
use surefoot_hot::report::{Reject, Report, Unsent};
use surefoot_hot::units::Nanos;
use surefoot_hot::venue::venue_key;

use super::run_note::RunNote;
use crate::exit::{Exit, Failed};

/// An earlier run, folded.
pub(crate) struct Recovered {
    /// The core as the journal leaves it, or an empty one.
    pub core: Core,
    /// Whether it is empty.
    pub fresh: bool,
    /// The time of the journal's last record.
    pub last: Nanos,
    /// Which orders the journal knows of.
    pub in_journal: InJournal,
    /// What was folded, with a second core, for the thread that takes snapshots; `None` where the core is empty.
    pub folded: Option<Replayed>,
    /// What the last run decided and did not get to write: this one's journal begins with it.
    pub untold: Vec<(Nanos, Note)>,
}

/// Which orders a journal knows of.
#[derive(Debug, Default)]
pub(crate) struct InJournal {
    /// Every id below this; `None` where the journal is of other accounts, or there is none.
    below: Option<u64>,
    /// Those whose end it does not hold.
    live: BTreeSet<OrderId>,
}

/// Whether the journal's end is there, as far as it was ever known to be on the disk. A crash may take what came after;
/// what is missing before that is damage.
///
/// # Errors
/// The end is missing, or what tells it cannot be read.
fn check_end(state: &StateDir) -> Result<(), JournalError> {
    let dir = state.journal();
    if let Some(mark) = Mark::read(&state.journal_mark())? {
        return mark.check(&dir);
    }
    // A directory of before there were marks: the database is the only other witness.
    let database = state.database();
    let unread = |error: StoreError| {
        let (doing, source) = ("read", io::Error::other(error.to_string()));
        JournalError { file: database.clone(), offset: 0, what: Wrong::Io { doing, source } }
    };
    let Some(to) = next_record(&database).map_err(unread)? else { return Ok(()) };
    let from = end_of(&segments(&dir)?)?.next();
    if to <= from {
        return Ok(());
    }
    Err(JournalError { file: dir, offset: 0, what: Wrong::Behind { from, to } })
}

/// Whether another version wrote the journal: looked for before anything in the directory is changed.
pub(crate) fn check_format(state: &StateDir) -> Result<(), Failed> {
    Reader::check_format(&state.journal()).map_err(unusable)
}

/// How a start ends that cannot use the journal.
fn unusable(error: JournalError) -> Failed {
    let exit = if error.is_damage() { Exit::Corrupt } else { Exit::State };
    Failed(exit, error.to_string())
}

/// What of the journal is lost or damaged, every record read.
///
/// # Errors
/// The first damage found.
pub(crate) fn journal_loss(state: &StateDir) -> Result<(), JournalError> {
    check_end(state)?;
    let mut reader = match Reader::open(&state.journal()) {
        Err(JournalError { what: Wrong::Empty, .. }) => return Ok(()),
        opened => opened?,
    };
    while reader.next_record()?.is_some() {}
    Ok(())
}

/// What this program decides otherwise than the one that wrote the end of the journal; `None` where it does not.
fn differences_in_words(differences: &Differences) -> Option<String> {
    let (seq, how) = differences.first.first()?;
    Some(format!(
        "this version decides otherwise than the one that wrote the journal: {} since the snapshot, first at record \
         {seq} ({how}). What happened stands: it is compared with the venues before anything opens. `surefoot replay` lists \
         the differences",
        counted(differences.count, "time", "times")
    ))
}

/// The note that the run goes on from what earlier runs left in the journal.
fn continued(replayed: &Replayed) -> (RunNote, String) {
    let (inputs, stats) = (replayed.counts.inputs_since_fresh, replayed.core.stats());
    let text = format!(
        "continuing from the journal: {}, {} and {} in flight",
        counted(inputs, "input", "inputs"),
        counted(stats.orders_live, "order", "orders"),
        counted(stats.groups_live, "group", "groups")
    );
    if replayed.closed {
        (RunNote::Continued, text)
    } else {
        (RunNote::LastRunUnclosed, format!("{text} (the last run did not end as it should)"))
    }
}

/// The core as the newest snapshot and the journal behind it leave it, of earlier runs at the same venues; or an empty one.
pub(crate) fn recover(
    state: &StateDir,
    venue: u64,
    notes: &Announcer,
) -> Result<Recovered, Failed> {
    check_end(state).map_err(unusable)?;
    let empty = || Recovered {
        core: Core::new(),
        fresh: true,
        last: Nanos::ZERO,
        in_journal: InJournal::default(),
        folded: None,
        untold: Vec::new(),
    };
    let dir = state.journal();
    // A directory that cannot be looked at is not one without a journal: that would begin an empty book.
    if segments(&dir).map_err(unusable)?.is_empty() {
        return Ok(empty());
    }
    let tell = |what: RunNote, text: String| notes.note(what.told(NamedPlace::default(), text));
    if matches!(disk::is_there(&state.journal_mark()), Ok(false)) {
        let text = format!(
            "{} is not there (an older version kept none): whether the journal's end is whole, only the database can tell \
             this time",
            state.journal_mark().display()
        );
        tell(RunNote::JournalMarkMissing, text);
    }
    let say = |line: &str| tell(RunNote::SnapshotUnused, line.to_owned());
    let replayed = snapshot::restore(&dir, &state.snapshots(), say).map_err(not_restored)?;
    if let Some(torn) = &replayed.torn {
        let text = format!(
            "the journal's end was cut off by a crash: {torn:?}; everything before it is whole"
        );
        tell(RunNote::JournalCut, text);
    }
    if replayed.last_run.venue != venue {
        let text =
            "other accounts than last time: starting from an empty book; the old journal is kept";
        tell(RunNote::OtherAccounts, text.to_owned());
        return Ok(empty());
    }
    if let Some(text) = differences_in_words(&replayed.differences) {
        tell(RunNote::DecidesOtherwise, text);
    }
    let (what, text) = continued(&replayed);
    tell(what, text);
    let folded = Some(replayed.twin());
    let (core, untold) = (replayed.core, replayed.untold);
    let in_journal = InJournal::of(&core);
    Ok(Recovered { core, fresh: false, last: replayed.last, in_journal, folded, untold })
}

/// How a start ends whose journal cannot be folded.
fn not_restored(error: ReplayError) -> Failed {
    let exit = match &error {
        ReplayError::Journal(error) if !error.is_damage() => Exit::State,
        ReplayError::Journal(_) | ReplayError::Diverged { how: Divergence::Headless, .. } => {
            Exit::Corrupt
        }
        ReplayError::Diverged { .. } => Exit::Diverged,
    };
    Failed(exit, error.to_string())
}

/// Tells of the orders among the first events that the journal lost and the wire logs still have.
pub(super) fn tell_adopted(first: &[Event], notes: &Announcer) {
    let adopted = first.iter().filter(|event| matches!(event, Event::Adopt(_))).count();
    if adopted == 0 {
        return;
    }
    let text = format!(
        "orders that the crash took from the journal and the wire log still has: {adopted}; the venues are asked"
    );
    notes.note(RunNote::OrdersAdopted.told(NamedPlace::default(), text));
}

impl InJournal {
    /// What the journal that gave this core knows.
    pub fn of(core: &Core) -> Self {
        Self {
            below: Some(core.next_order()),
            live: core.orders().live().map(|record| record.order.id).collect(),
        }
    }

    /// Whether the journal knows the order, and that it is over.
    pub fn is_over(&self, order: OrderId) -> bool {
        self.below.is_some_and(|below| order.get() < below) && !self.live.contains(&order)
    }

    /// What the core is told before anything else: orders that left although the journal lost them, in the order
    /// of their ids; that a run begins; and the ends of orders that only the wire logs have.
    ///
    /// The adopted ones come before the start, which raises the ids beyond them: a crash in between leaves those
    /// that are not in the journal yet above its last id, and so they are found again.
    pub fn first_events(&self, now: Nanos, epoch: u64, logs: &PerVenue<Contents>) -> Vec<Event> {
        let (mut ends, mut names) = (BTreeMap::new(), BTreeMap::new());
        for record in logs.values().flat_map(|log| &log.records) {
            if let Record::End { order, how, id, .. } = record {
                ends.insert(*order, *how);
                names.insert(*order, *id);
            }
        }
        let never = |order| matches!(ends.get(&order), Some(Ended::Unsent | Ended::Rejected));
        let lost: BTreeMap<OrderId, Sent> = logs
            .values()
            .flat_map(|log| &log.records)
            .filter_map(|record| match record {
                Record::Sent(sent) => Some((sent.order, *sent)),
                Record::End { .. } | Record::Amend(_) => None,
            })
            .filter(|(order, _)| self.below.is_some_and(|below| order.get() >= below))
            .filter(|_| !canary::is(Canary::IdAgain))
            .filter(|(order, _)| !never(*order))
            .collect();
        let mut events: Vec<Event> = Vec::with_capacity(2 * lost.len());
        for (&id, sent) in &lost {
            events.push(Event::Adopt(order(sent)));
            let name = names.get(&id).filter(|name| !name.is_none()).unwrap_or(&sent.id);
            if !name.is_none() {
                let key = venue_key(name.as_bytes());
                events.push(Event::Report(Report::Bound { order: id, key }));
            }
        }
        let first_order = OrderId::first_at(now.get() / 1_000_000_000).get();
        events.push(Event::Control(Control::Start { epoch, first_order }));
        for (&id, how) in ends.iter().filter(|(id, _)| self.live.contains(id)) {
            let report = match how {
                Ended::Unsent => Report::Unsent { order: id, why: Unsent::Down },
                Ended::Rejected => Report::Rejected { order: OrderRef::Id(id), why: Reject::Other },
                Ended::Taken | Ended::Asked => continue, // the venue tells the rest
            };
            events.push(Event::Report(report));
        }
        events
    }
}

/// The order as the wire log has it. Of no group where a log of the first version says nothing of it.
fn order(sent: &Sent) -> Order {
    Order {
        id: sent.order,
        epoch: sent.epoch,
        decided: sent.decided,
        group: sent.group,
        market: sent.market,
        venue: sent.venue,
        outcome: sent.outcome,
        action: sent.action,
        price: sent.price,
        qty: sent.qty,
        tif: sent.tif,
        expires: sent.expires,
        post_only: sent.post_only,
        purpose: sent.purpose,
    }
}

#[cfg(test)]
mod tests {
    use surefoot_cold::wirelog::VenueId;
    use surefoot_hot::ids::{Action, GroupId, MarketId, Outcome, Venue};
    use surefoot_hot::order::{Purpose, Tif};
    use surefoot_hot::units::{Price, Qty};

    use super::*;

    fn sent(order: u64) -> Record {
        Record::Sent(Sent {
            at: Nanos::new(order),
            order: OrderId::new(order),
            epoch: 3,
            decided: Nanos::new(order - 1),
            group: GroupId::new(12),
            purpose: Purpose::Hedge,
            venue: Venue::Kalshi,
            market: MarketId::new(1),
            outcome: Outcome::No,
            action: Action::Buy,
            price: Price::from_ticks(4_300).unwrap(),
            qty: Qty::from_contracts(5),
            tif: Tif::Fok,
            expires: None,
            post_only: false,
            payload: 1,
            id: VenueId::NONE,
        })
    }

    fn end(order: u64, how: Ended) -> Record {
        Record::End { at: Nanos::new(order), order: OrderId::new(order), how, id: VenueId::NONE }
    }

    fn log(records: Vec<Record>) -> Contents {
        let mut log = Contents::default();
        log.records = records;
        log
    }

    fn told(events: &[Event]) -> Vec<String> {
        let word = |event: &Event| match event {
            Event::Adopt(order) => format!("adopt {}", order.id),
            Event::Control(Control::Start { .. }) => "start".to_owned(),
            Event::Report(Report::Unsent { order, .. }) => format!("unsent {order}"),
            Event::Report(Report::Rejected { order: OrderRef::Id(order), .. }) => {
                format!("rejected {order}")
            }
            Event::Report(Report::Bound { order, key }) => {
                let named: Vec<u64> =
                    (0..10).filter(|name| venue_key(&[*name as u8]) == *key).collect();
                format!("{order} is named {named:?}")
            }
            other => format!("{other:?}"),
        };
        events.iter().map(word).collect()
    }

    #[test]
    fn what_only_the_wire_logs_know_is_told_and_nothing_else() {
        let known = [3, 4, 5].map(OrderId::new);
        let journal = InJournal { below: Some(6), live: known.into_iter().collect() };
        let logs = PerVenue::from_fn(|venue| match venue {
            Venue::Polymarket => log(vec![
                sent(2), // long done
                sent(3),
                end(3, Ended::Rejected),
                sent(8),
                end(8, Ended::Taken),
                sent(6),
            ]),
            Venue::Kalshi => log(vec![
                sent(5), // no end: the core asks by itself
                sent(4),
                end(4, Ended::Unsent),
                sent(7),
                sent(9),
                end(9, Ended::Rejected), // never was
                end(7, Ended::Asked),
            ]),
        });
        let events = journal.first_events(Nanos::from_secs(1_800_000_000), 7, &logs);
        let want = ["adopt 6", "adopt 7", "adopt 8", "start", "rejected 3", "unsent 4"];
        assert_eq!(told(&events), want);
        let Event::Adopt(adopted) = events[0] else { panic!("{:?}", events[0]) };
        assert_eq!((adopted.group, adopted.purpose), (GroupId::new(12), Purpose::Hedge));
        assert_eq!(adopted.decided, Nanos::new(5), "a venue's id may derive from it");
    }

    /// By the venue's list it is known what became of it, where that names it as the log does.
    #[test]
    fn what_is_taken_from_a_wire_log_has_the_name_that_the_log_has() {
        let named = |record, name: u8| {
            let name = VenueId::new(&[name]).unwrap();
            match record {
                Record::Sent(sent) => Record::Sent(Sent { id: name, ..sent }),
                Record::End { at, order, how, .. } => Record::End { at, order, how, id: name },
                Record::Amend(_) => panic!("no order"),
            }
        };
        let journal = InJournal { below: Some(6), live: BTreeSet::new() };
        let logs = PerVenue::from_fn(|venue| match venue {
            Venue::Polymarket => log(vec![named(sent(6), 1), sent(7)]),
            Venue::Kalshi => log(vec![sent(8), named(end(8, Ended::Taken), 3)]),
        });
        let events = journal.first_events(Nanos::from_secs(1_800_000_000), 7, &logs);
        let want = ["adopt 6", "6 is named [1]", "adopt 7", "adopt 8", "8 is named [3]", "start"];
        assert_eq!(told(&events), want);
    }

    #[test]
    fn without_a_journal_of_these_accounts_nothing_is_adopted() {
        let logs = PerVenue::from_fn(|venue| match venue {
            Venue::Polymarket => log(vec![sent(3)]),
            Venue::Kalshi => log(vec![sent(4), end(4, Ended::Rejected)]),
        });
        let events = InJournal::default().first_events(Nanos::ZERO, 7, &logs);
        assert_eq!(told(&events), ["start"]);
    }
}
