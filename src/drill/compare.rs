//! What a venue itself has of our account, held against what the program's files say.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};

use surefoot_cold::directory::Directory;
use surefoot_cold::journal::{JournalError, Reader, Wrong};
use surefoot_cold::reconcile::Truth;
use surefoot_cold::snapshot::restore;
use surefoot_cold::state_dir::StateDir;
use surefoot_cold::store::check::check;
use surefoot_cold::store::names::MarketNames;
use surefoot_cold::wirelog::{self, Record, VenueId};
use surefoot_hot::core::Core;
use surefoot_hot::ids::{OrderId, Venue};
use surefoot_hot::journal::Body;
use surefoot_hot::note::Note;
use surefoot_hot::per_venue::PerVenue;
use surefoot_hot::units::{Nanos, Qty};

use crate::app::differences;
use crate::twin::statement::Statement;

/// Money that a venue moved so long before the end of a run need not have reached it.
pub const UNHEARD: Nanos = Nanos::from_secs(3);

/// Contracts that each order has filled.
pub type Fills = BTreeMap<OrderId, Qty>;

/// What the program's files say of fills, and what was under way.
#[derive(Debug, Default)]
pub struct OnDisk {
    /// Fills that were booked.
    pub fills: Fills,
    /// Orders that may still fill, and groups that have not ended.
    pub under_way: usize,
}

impl OnDisk {
    /// Reads the journal as the next start will find it. An empty one where there is none yet.
    ///
    /// # Errors
    /// It is damaged.
    pub fn read(state: &StateDir) -> Result<Self, String> {
        let fills = match fills(state) {
            Err(JournalError { what: Wrong::Empty, .. }) => return Ok(Self::default()),
            read => read.map_err(|error| error.to_string())?,
        };
        let core = folded(state)?.0;
        Ok(Self { fills, under_way: core.orders().live_len() + core.groups().len() })
    }
}

/// What a comparison found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Orders of which fills that were booked, or that the venue has told, are not in our books.
    pub fills_lost: u64,
    /// Orders that the venue has twice, or was sent twice.
    pub duplicates: u64,
    /// Times that something was left under way, or that what was reserved is not what it was reserved for.
    pub drift: u64,
    /// Every difference, those included, for a person.
    pub wrong: Vec<String>,
    /// Venues whose cash and positions were not compared, because a market paid out while the run ended.
    pub left_out: u64,
}

/// Fills by order, as the journal has them.
fn fills(state: &StateDir) -> Result<Fills, JournalError> {
    let mut reader = Reader::open(&state.journal())?;
    let mut fills = Fills::new();
    while let Some(record) = reader.next_record()? {
        if let Body::Note(Note::Booked { order, qty, undone, .. }) = record.body {
            let filled = fills.entry(order).or_default();
            *filled = if undone { filled.saturating_sub(qty) } else { *filled + qty };
        }
    }
    Ok(fills)
}

/// The core as the files leave it, and the time of the last record.
fn folded(state: &StateDir) -> Result<(Core, Nanos), String> {
    let replayed = restore(&state.journal(), &state.snapshots(), |_| ());
    replayed.map(|replayed| (replayed.core, replayed.last)).map_err(|error| error.to_string())
}

/// Compares, after a run has ended as it should. `known` are the fills that were booked before it was killed.
///
/// # Errors
/// Something of ours cannot be read.
pub fn compare(
    state: &StateDir,
    identity: u64,
    known: &Fills,
    stated: &PerVenue<Statement>,
) -> Result<Found, String> {
    let fills = fills(state).map_err(|error| error.to_string())?;
    let (core, last) = folded(state)?;
    let names = MarketNames::load(&state.names()).map_err(|error| error.to_string())?;
    let directory = names.directory(identity).ok_or("the names of the markets are gone")?;
    let mut found = Found::default();
    for (order, before) in known {
        let now = fills.get(order).copied().unwrap_or_default();
        if now < *before {
            found.fills_lost += 1;
            found.wrong.push(format!("order {order}: {before} were booked before, {now} now"));
        }
    }
    let mut there = BTreeSet::new();
    for (venue, stated) in stated.iter() {
        there.extend(compare_orders(state, venue, stated, &fills, &mut found)?);
    }
    for (order, filled) in fills.iter().filter(|(order, _)| !there.contains(*order)) {
        found.wrong.push(format!("order {order}: {filled} are booked, and no venue has the order"));
    }
    compare_reserved(&core, &mut found);
    compare_money(&core, directory, last, stated, &mut found);
    // Every row that the runs wrote, those that were killed among them, made again from the journal.
    let checked = check(state, &mut |_| true).map_err(|error| error.to_string())?;
    let differences = checked.damage.iter().chain(&checked.differences);
    found.wrong.extend(differences.map(|what| format!("the database: {what}")));
    Ok(found)
}

/// The venue's orders against our fills: each was written down before it left, once, and what it traded is booked. Gives our
/// ids of all of them.
fn compare_orders(
    state: &StateDir,
    venue: Venue,
    stated: &Statement,
    fills: &Fills,
    found: &mut Found,
) -> Result<BTreeSet<OrderId>, String> {
    let log = state.wire_log(venue.name());
    let log = wirelog::read(&log).map_err(|error| error.to_string())?;
    let named: BTreeMap<String, OrderId> =
        log.venue_ids().map(|(order, id)| (text_of(&id), order)).collect();
    let written = |order: &OrderId| {
        log.records
            .iter()
            .any(|record| matches!(record, Record::Sent(sent) if sent.order == *order))
    };
    let mut seen: BTreeMap<OrderId, &str> = BTreeMap::new();
    for theirs in &stated.orders {
        let ours = our_id(&theirs.client_id).or_else(|| named.get(&theirs.id).copied());
        let Some(ours) = ours.filter(written) else {
            let what = format!("{}: order {} was not written down", venue.name(), theirs.id);
            found.wrong.push(what);
            continue;
        };
        if let Some(other) = seen.insert(ours, &theirs.id) {
            found.duplicates += 1;
            let what =
                format!("{}: order {ours} is there as {other} and {}", venue.name(), theirs.id);
            found.wrong.push(what);
        }
        let booked = fills.get(&ours).copied().unwrap_or_default();
        if booked != theirs.filled {
            found.fills_lost += u64::from(booked < theirs.filled);
            let (venue, theirs) = (venue.name(), theirs.filled);
            found.wrong.push(format!("{venue}: order {ours} filled {theirs}, booked are {booked}"));
        }
        if theirs.is_open {
            found.wrong.push(format!("{}: order {ours} still rests", venue.name()));
        }
    }
    if stated.repeated > 0 {
        found.duplicates += stated.repeated;
        let what = format!("{}: {} orders were sent again", venue.name(), stated.repeated);
        found.wrong.push(what);
    }
    Ok(seen.into_keys().collect())
}

/// Nothing is under way, and what is reserved is what sales hold back that the venue may still take back: the core's own
/// checks know how much that is (R5, R6).
fn compare_reserved(core: &Core, found: &mut Found) {
    if !core.is_idle() {
        let (orders, groups) = (core.orders().live_len(), core.groups().len());
        found.drift += 1;
        found.wrong.push(format!("{orders} orders and {groups} groups are left"));
    }
    if catch_unwind(AssertUnwindSafe(|| core.check_invariants())).is_err() {
        found.drift += 1;
        found
            .wrong
            .push("an invariant of the core does not hold: the message above names it".to_owned());
    }
}

/// Cash and positions, as the program itself compares them at its end, with the venue's own statement in the place of readings.
fn compare_money(
    core: &Core,
    directory: &Directory,
    last: Nanos,
    stated: &PerVenue<Statement>,
    found: &mut Found,
) {
    let since = Nanos::new(last.get().saturating_sub(UNHEARD.get()));
    if stated.values().flat_map(|stated| &stated.settled).any(|(_, moved)| *moved >= since) {
        found.left_out += 1;
        return;
    }
    let truths = stated.each_ref().map(|_, stated| Ok(truth_of(stated, directory)));
    found.wrong.extend(differences::compare(core, directory, &truths));
}

/// A statement as if they had been read. Open orders are compared by name elsewhere.
fn truth_of(stated: &Statement, directory: &Directory) -> Truth {
    let positions = stated.positions.iter().filter_map(|(name, yes, no)| {
        directory.find(name).map(|entry| (entry.def.market, *yes, *no))
    });
    Truth { cash: stated.cash.clone(), positions: positions.collect(), ..Truth::default() }
}

/// A venue's id as the venue writes it: text, or bytes that it shows as hex.
fn text_of(id: &VenueId) -> String {
    let bytes = id.as_bytes();
    match std::str::from_utf8(bytes) {
        Ok(text) if bytes.iter().all(u8::is_ascii_graphic) => text.to_owned(),
        _ => bytes.iter().fold("0x".to_owned(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}"); // text takes everything
            text
        }),
    }
}

/// Our own id, where the venue was told one: `sf-` and 16 hex digits.
fn our_id(client_id: &str) -> Option<OrderId> {
    u64::from_str_radix(client_id.strip_prefix("sf-")?, 16).ok().map(OrderId::new)
}

#[cfg(test)]
mod tests {
    use surefoot_cold::wirelog::{Sent, SyncMode, WireLog};
    use surefoot_hot::ids::{Action, GroupId, MarketId, Outcome};
    use surefoot_hot::order::{Order, Purpose, Tif};
    use surefoot_hot::units::Price;

    use super::*;
    use crate::twin::statement::StatedOrder;

    fn order(id: u64) -> Order {
        Order {
            id: OrderId::new(id),
            epoch: 1,
            decided: Nanos::new(1),
            group: GroupId::new(1),
            market: MarketId::new(1),
            venue: Venue::Kalshi,
            outcome: Outcome::Yes,
            action: Action::Buy,
            price: Price::from_ticks(4_000).unwrap(),
            qty: Qty::from_contracts(5),
            tif: Tif::Fok,
            expires: None,
            post_only: false,
            purpose: Purpose::Leg,
        }
    }

    fn stated(client_id: &str, filled: u64) -> StatedOrder {
        let id = format!("{client_id}-{filled}");
        let filled = Qty::from_contracts(filled);
        StatedOrder { id, client_id: client_id.to_owned(), filled, is_open: false }
    }

    #[test]
    fn an_order_that_is_there_twice_unwritten_or_filled_unheard_is_found() {
        let root = std::env::temp_dir().join(format!("surefoot-drill-test-{}", std::process::id()));
        std::fs::create_dir_all(&root).unwrap();
        let state = StateDir::at(&root);
        let log = state.wire_log(Venue::Kalshi.name());
        let (mut log, _) = WireLog::open(&log, SyncMode::Grouped).unwrap();
        for id in [0xa1, 0xa2] {
            log.append(&Record::Sent(Sent::of(&order(id), Nanos::new(2), 0, VenueId::NONE)))
                .unwrap();
        }
        drop(log);
        let fills = Fills::from([(OrderId::new(0xa1), Qty::from_contracts(5))]);
        let find = |orders: Vec<StatedOrder>, repeated| {
            let stated = Statement { orders, repeated, ..Statement::default() };
            let mut found = Found::default();
            compare_orders(&state, Venue::Kalshi, &stated, &fills, &mut found).unwrap();
            (found.fills_lost, found.duplicates, found.wrong.len())
        };
        assert_eq!(find(vec![stated("sf-00000000000000a1", 5)], 0), (0, 0, 0));
        assert_eq!(find(vec![stated("sf-00000000000000a2", 0)], 0), (0, 0, 0));
        assert_eq!(
            find(vec![stated("sf-00000000000000a2", 1)], 0),
            (1, 0, 1),
            "a fill was not heard of"
        );
        assert_eq!(
            find(vec![stated("sf-00000000000000a1", 4)], 0),
            (0, 0, 1),
            "a fill that never was"
        );
        let twice = vec![stated("sf-00000000000000a2", 0), stated("sf-00000000000000a2", 0)];
        assert_eq!(find(twice, 0), (0, 1, 1));
        assert_eq!(
            find(vec![stated("sf-00000000000000a3", 0)], 0),
            (0, 0, 1),
            "never written down"
        );
        assert_eq!(find(Vec::new(), 2), (0, 2, 1), "sent again");
        std::fs::remove_dir_all(&root).unwrap();
    }
}
