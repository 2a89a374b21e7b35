//! The projection: from the journal to tables, again and again to the same.
#![allow(clippy::unwrap_used)]

#[path = "support/scratch.rs"]
mod scratch;
#[path = "support/stored.rs"]
mod stored;

use std::fs;

use stored::{
    Home, day, def, dump, names, observe, open_journal, open_journal_in_segments, write_run,
    write_run_to,
};
use surefoot_cold::journal::{Writer, segments};
use surefoot_cold::observe::told::{NamedPlace, Phase, Source, ToldNote};
use surefoot_cold::store::backup::{list, look};
use surefoot_cold::store::names::MarketNames;
use surefoot_cold::store::{HealthAlarm, Store, StoreError, open_read_only};
use surefoot_hot::basket::{BasketKind, Leg, Proven};
use surefoot_hot::event::Event;
use surefoot_hot::group::GroupState;
use surefoot_hot::ids::{BasketId, GroupId, MarketId, Outcome};
use surefoot_hot::journal::{Body, Close, Entry as Item, JournalItem, Record};
use surefoot_hot::note::{Alarm, Note, Severity};
use surefoot_hot::order::OrderState;
use surefoot_hot::risk::Shock;
use surefoot_hot::units::{Nanos, Price, Qty, Usd};

/// Removes the database and opens it again: it is made from the journal alone.
fn make_anew(home: &Home) {
    for part in ["", "-wal", "-shm"] {
        let _ = fs::remove_file(format!("{}{part}", home.db().display()));
    }
    assert!(!home.db().exists());
    drop(Store::open(&home.db(), &home.journal(), names(), silent).unwrap());
}

fn silent(text: &str) {
    panic!("nothing is wrong here: {text}");
}

#[test]
fn live_feed_catching_up_and_rebuilding_give_the_same_tables() {
    let home = Home::new("same");
    // Live: through the journal's thread and the store's.
    let store = Store::open(&home.db(), &home.journal(), names(), silent).unwrap();
    let (mut observer, _) = observe(store, &home);
    let (mut to, from) = rtrb::RingBuffer::new(4_096);
    let writer = Writer::start(open_journal(&home, 1), from, Some(observer.records())).unwrap();
    for market in 0..4 {
        let entry = Item::Input(Event::Market(def(market)));
        to.push(JournalItem { now: Nanos::from_secs(1), entry }).unwrap();
    }
    for body in day(1, 20) {
        if let Body::Note(note) = body {
            to.push(JournalItem { now: Nanos::from_secs(2), entry: Item::Note(note) }).unwrap();
        }
    }
    writer.close(Nanos::from_secs(3), Close { decision: 1, state: 2 }).unwrap();
    assert_eq!(observer.close(), [""; 0]);
    // Behind: two more runs that only the journal saw.
    write_run(&home, 2, 30);
    write_run(&home, 3, 10);
    drop(Store::open(&home.db(), &home.journal(), names(), silent).unwrap());
    let live = dump(&home.db());
    drop(Store::open(&home.db(), &home.journal(), names(), silent).unwrap());
    assert_eq!(dump(&home.db()), live, "opening again changes nothing");
    make_anew(&home);
    assert_eq!(dump(&home.db()), live);
}

#[test]
fn the_tables_say_what_happened() {
    let home = Home::new("rows");
    write_run(&home, 1, 8);
    drop(Store::open(&home.db(), &home.journal(), names(), silent).unwrap());
    let db = open_read_only(&home.db()).unwrap();
    let one = |sql: &str| -> String { db.query_row(sql, [], |row| row.get(0)).unwrap() };
    assert_eq!(
        one(
            "SELECT market_name || ' ' || state || ' ' || price_usd || ' ' || filled FROM v_orders \
         ORDER BY order_id LIMIT 1"
        ),
        "KXTEST-0 done 0.47 10.0"
    );
    assert_eq!(one("SELECT printf('%.6f', sum(fee_usd)) FROM v_fills"), "0.140000");
    assert_eq!(one("SELECT why FROM refusals"), "own_cross");
    assert_eq!(one("SELECT why FROM halts"), "kill_file");
    assert_eq!(one("SELECT verdict FROM v_opportunities"), "too_small");
    assert_eq!(one("SELECT mode || ' ' || started FROM v_runs"), "demo 1970-01-01T00:00:01.000Z");
    assert_eq!(
        one("SELECT printf('%.6f %d', sum(realised_usd), sum(fills)) FROM v_pnl_day"),
        "-0.140000 8"
    );
    assert_eq!(one("SELECT state || count(*) FROM groups GROUP BY state"), "hedged8");
    assert!(db.execute("DELETE FROM orders", []).is_err(), "readers cannot write");
}

#[test]
fn an_orders_size_is_what_has_filled_what_was_cancelled_and_what_remains() {
    let home = Home::new("sums");
    let mut journal = open_journal(&home, 1);
    let stand = [
        (OrderState::Done, 10),
        (OrderState::Done, 4),
        (OrderState::Resting, 3),
        (OrderState::Unknown, 0),
        (OrderState::Done, 12), // more than was ordered
    ];
    for (n, mut body) in day(1, 5).into_iter().enumerate() {
        if let Body::Note(Note::Order { order, state, filled, .. }) = &mut body {
            let (is, has) = stand[(order.get() % 8) as usize];
            (*state, *filled) = (is, Qty::from_contracts(has));
        }
        journal.append(Nanos::from_secs(1_000_000_000 + n as u64), &body).unwrap();
    }
    journal.close(Nanos::from_secs(2_000_000_000), Close { decision: 1, state: 2 }).unwrap();
    drop(Store::open(&home.db(), &home.journal(), names(), silent).unwrap());
    let db = open_read_only(&home.db()).unwrap();
    let parts = "SELECT group_concat(printf('%d %d %d %d', contracts, filled, cancelled, remaining), ', ') \
         FROM (SELECT * FROM v_orders ORDER BY order_id)";
    let parts: String = db.query_row(parts, [], |row| row.get(0)).unwrap();
    assert_eq!(parts, "10 10 0 0, 10 4 6 0, 10 3 0 7, 10 0 0 10, 10 12 0 0");
    let odd = "SELECT count(*) FROM v_orders WHERE contracts <> filled + cancelled + remaining";
    let odd: i64 = db.query_row(odd, [], |row| row.get(0)).unwrap();
    assert_eq!(odd, 1, "only what filled beyond its size");
}

#[test]
fn a_damaged_or_foreign_database_is_moved_aside_and_rebuilt() {
    let home = Home::new("damaged");
    write_run(&home, 1, 50);
    drop(Store::open(&home.db(), &home.journal(), names(), silent).unwrap());
    let good = dump(&home.db());
    let mut said = Vec::new();
    fs::write(home.db(), b"this is no database, it only says so at great length".repeat(100))
        .unwrap();
    drop(
        Store::open(&home.db(), &home.journal(), names(), |text| said.push(text.to_owned()))
            .unwrap(),
    );
    assert_eq!(dump(&home.db()), good);
    assert_eq!(said.len(), 1);
    // It knows more than the journal: the journal wins.
    fs::remove_dir_all(home.journal()).unwrap();
    write_run(&home, 1, 2);
    drop(
        Store::open(&home.db(), &home.journal(), names(), |text| said.push(text.to_owned()))
            .unwrap(),
    );
    assert_eq!(said.len(), 2);
    let orders: i64 = open_read_only(&home.db())
        .unwrap()
        .query_row("SELECT count(*) FROM orders", [], |row| row.get(0))
        .unwrap();
    assert_eq!(orders, 2);
    // A later version's file is left alone.
    let newer = rusqlite::Connection::open(home.db()).unwrap();
    newer.pragma_update(None, "user_version", 99).unwrap();
    drop(newer);
    let error = Store::open(&home.db(), &home.journal(), names(), silent).unwrap_err();
    assert!(matches!(error, StoreError::Newer { version: 99, .. }), "{error}");
}

#[test]
fn a_database_is_made_of_what_retention_left_of_the_journal() {
    let home = Home::new("shortened");
    write_run_to(open_journal_in_segments(&home, 1, 4 << 10), 1, 50);
    write_run(&home, 2, 5);
    let all = segments(&home.journal()).unwrap();
    assert!(all.len() > 4, "{all:?}");
    for segment in &all[..2] {
        fs::remove_file(&segment.path).unwrap(); // the header that begins the run is gone with the first
    }
    make_anew(&home);
    let db = open_read_only(&home.db()).unwrap();
    let count = |sql: &str| -> i64 { db.query_row(sql, [], |row| row.get(0)).unwrap() };
    assert_eq!(count("SELECT count(*) FROM runs"), 2);
    let of_run = |run: i64| count(&format!("SELECT count(*) FROM orders WHERE run = {run}"));
    assert!((1..50).contains(&of_run(1)), "{}", of_run(1));
    assert_eq!(of_run(2), 5);
}

#[test]
fn a_database_behind_what_is_left_of_the_journal_is_made_anew() {
    let home = Home::new("backup");
    write_run(&home, 1, 3);
    drop(Store::open(&home.db(), &home.journal(), names(), silent).unwrap());
    write_run(&home, 2, 3);
    write_run(&home, 3, 4);
    for segment in &segments(&home.journal()).unwrap()[..2] {
        fs::remove_file(&segment.path).unwrap();
    }
    let mut said = Vec::new();
    let say = |text: &str| said.push(text.to_owned());
    drop(Store::open(&home.db(), &home.journal(), names(), say).unwrap());
    assert!(said.len() == 1 && said[0].contains("are not in the journal any more"), "{said:?}");
    let db = open_read_only(&home.db()).unwrap();
    let runs: Vec<i64> = db
        .prepare("SELECT DISTINCT run FROM orders")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    assert_eq!(runs, [3]);
}

#[test]
fn a_gap_is_refused_whole() {
    let home = Home::new("gap");
    let records = write_run(&home, 1, 3);
    let mut store = Store::open(&home.db(), &home.0.join("none"), names(), silent).unwrap();
    store.apply(&records[..5]).unwrap();
    assert!(matches!(store.apply(&records[6..]), Err(StoreError::Gap { want: 5, seen: 6 })));
    // In the middle too, where batches waited together.
    let mut holed = records.clone();
    holed.remove(7);
    assert!(matches!(store.apply(&holed), Err(StoreError::Gap { want: 7, seen: 8 })));
    store.apply(&records[5..]).unwrap();
}

#[test]
fn alarms_of_health_are_kept_with_their_words_and_their_end() {
    let home = Home::new("health");
    let records = write_run(&home, 1, 3);
    let store = Store::open(&home.db(), &home.journal(), names(), silent).unwrap();
    let (mut observer, status) = observe(store, &home);
    // Held by another program, it keeps them until it may write.
    let other = rusqlite::Connection::open(home.db()).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let began = |at, code| ToldNote {
        at: Nanos::from_secs(at),
        source: Source::Health,
        code,
        severity: Severity::Alarm,
        place: NamedPlace::default(),
        text: "2 of 4 streams are up".into(),
        phase: Phase::Began { remedy: "Look at the network." },
    };
    let over = ToldNote { phase: Phase::Over, ..began(12, "links_down") };
    for note in [began(10, "links_down"), began(11, "database"), over, began(13, "links_down")] {
        observer.announcer().note(note);
    }
    let begin = std::time::Instant::now();
    while status.trouble().is_none() {
        assert!(begin.elapsed().as_secs() < 120, "it never says that it waits");
        std::thread::yield_now();
    }
    other.execute_batch("COMMIT").unwrap();
    assert_eq!(observer.close(), [""; 0]);
    let db = open_read_only(&home.db()).unwrap();
    let mut rows = db
        .prepare("SELECT at, severity, name, what, remedy, over FROM v_alarms WHERE source = 'health' ORDER BY at")
        .unwrap();
    let rows: Vec<String> = rows
        .query_map([], |row| {
            let text =
                |n| row.get::<_, Option<String>>(n).map(|text| text.unwrap_or("stands".into()));
            Ok([text(0)?, text(1)?, text(2)?, text(3)?, text(4)?, text(5)?].join(" | "))
        })
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let words = "2 of 4 streams are up | Look at the network.";
    let at = |second| format!("1970-01-01T00:00:{second}.000Z");
    assert_eq!(
        rows,
        [
            format!("{} | alarm | links_down | {words} | {}", at(10), at(12)),
            format!("{} | alarm | database | {words} | stands", at(11)),
            format!("{} | alarm | links_down | {words} | stands", at(13)),
        ]
    );
    let of_run = |run: i64| {
        let count = "SELECT count(*) FROM health_alarms WHERE run = ?1";
        db.query_row(count, [run], |row| row.get::<_, i64>(0)).unwrap()
    };
    assert_eq!((of_run(1), records.len() > 3), (3, true));
    let alarms: i64 = db.query_row("SELECT count(*) FROM v_alarms", [], |row| row.get(0)).unwrap();
    let of_core: i64 = db.query_row("SELECT count(*) FROM alarms", [], |row| row.get(0)).unwrap();
    assert_eq!(alarms, of_core + 3, "the core's own are in the same view");
}

#[test]
fn a_basket_of_ratios_and_what_a_group_can_lose_are_read_from_the_tables() {
    let home = Home::new("ratios");
    let (basket, group) = (BasketId::new(7), GroupId::new(9));
    let leg = |market, outcome, ratio| Leg { market: MarketId::new(market), outcome, ratio };
    let legs = vec![leg(0, Outcome::Yes, 3), leg(1, Outcome::No, 2)];
    let payoffs = [[Price::ONE, Price::ZERO], [Price::ZERO, Price::ONE]];
    let proven = Proven::over(BasketKind::Custom, legs, 0, payoffs.iter().map(|of| &of[..]));
    let mut bodies: Vec<_> =
        proven.unwrap().defs(basket).map(Event::Basket).map(Body::Input).collect();
    let note = Note::Group {
        group,
        basket,
        state: GroupState::Hedged,
        units: Qty::from_contracts(5),
        promised: Usd::from_dollars(1),
        result: Usd::ZERO,
        one_leg_ns: 5,
    };
    let (loss, cluster) = (Usd::from_dollars(4), Usd::from_dollars(6));
    let planned = Note::Planned { group, loss, shock: Shock::Spread, filled: 2, cluster };
    bodies.extend([note, planned, note].map(Body::Note));
    let mut journal = open_journal(&home, 1);
    for (n, body) in bodies.iter().enumerate() {
        journal.append(Nanos::from_secs(1_000_000_000 + n as u64), body).unwrap();
    }
    journal.close(Nanos::from_secs(2_000_000_000), Close { decision: 1, state: 2 }).unwrap();
    drop(Store::open(&home.db(), &home.journal(), names(), silent).unwrap());
    let db = open_read_only(&home.db()).unwrap();
    let ratios =
        "SELECT group_concat(ratio) FROM (SELECT ratio FROM baskets WHERE basket = 7 ORDER BY leg)";
    let ratios: String = db.query_row(ratios, [], |row| row.get(0)).unwrap();
    assert_eq!(ratios, "3,2");
    let worst = "SELECT worst_usd, worst_by, worst_legs, worst_cluster_usd FROM v_groups WHERE group_id = 9";
    let worst: (f64, String, i64, f64) = db
        .query_row(worst, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))
        .unwrap();
    assert_eq!(worst, (4.0, "spread".to_owned(), 2, 6.0), "it stands when the group's row changes");
}

/// A database of version 1, as earlier programs left it, gets the new table and loses nothing.
#[test]
fn a_database_of_the_first_version_is_brought_up() {
    let home = Home::new("version");
    write_run(&home, 1, 3);
    drop(Store::open(&home.db(), &home.journal(), names(), silent).unwrap());
    let before = dump(&home.db());
    let old = rusqlite::Connection::open(home.db()).unwrap();
    let undo = ["severity", "venue", "group_id", "link"]
        .map(|column| format!("ALTER TABLE alarms DROP COLUMN {column};"))
        .concat();
    old.execute_batch(
        "DROP VIEW v_alarms; DROP VIEW v_markets; DROP VIEW v_groups; DROP VIEW v_operator; \
         DROP TABLE health_alarms; DROP TABLE operator_acts; \
         CREATE VIEW v_groups AS SELECT group_id FROM groups; ALTER TABLE baskets DROP COLUMN ratio;",
    )
    .unwrap();
    let undo_worst = ["micros", "by", "legs", "cluster_micros"]
        .map(|column| format!("ALTER TABLE groups DROP COLUMN worst_{column};"))
        .concat();
    old.execute_batch(&undo_worst).unwrap();
    let undo_order = ["sequencing", "naked_micros", "otherwise", "otherwise_micros"]
        .map(|column| format!("ALTER TABLE groups DROP COLUMN {column};"))
        .concat();
    old.execute_batch(&undo_order).unwrap();
    old.execute_batch(
        "ALTER TABLE markets DROP COLUMN withdrawn_ns; ALTER TABLE markets DROP COLUMN unfollowed_ns; \
         ALTER TABLE baskets DROP COLUMN withdrawn;",
    )
    .unwrap();
    old.execute_batch(&undo).unwrap();
    old.execute_batch("PRAGMA user_version = 1;").unwrap();
    drop(old);
    let mut said = Vec::new();
    let say = |line: &str| said.push(line.to_owned());
    let mut store = Store::open(&home.db(), &home.journal(), names(), say).unwrap();
    store.keep(&[HealthAlarm::Over { at: Nanos::from_secs(1), name: "links_down" }]).unwrap();
    drop(store);
    // Rows of before the severity was kept have that of an alarm.
    let db = rusqlite::Connection::open(home.db()).unwrap();
    let set = "UPDATE alarms SET severity = ?1 WHERE severity = 'alarm'";
    assert_eq!(db.execute(set, [Alarm::FeeDrift.severity().name()]).unwrap(), 1);
    drop(db);
    assert_eq!(dump(&home.db()), before);
    // What it was is kept as it was.
    let copy = list(&home.0.join("backups")).unwrap().remove(0);
    assert_eq!((look(&copy.path).unwrap().version, said.len()), (1, 1));
    assert!(said[0].contains(copy.path.to_str().unwrap()), "{said:?}");
}

#[test]
fn names_survive() {
    let home = Home::new("names");
    let path = home.0.join("markets.json");
    assert!(MarketNames::load(&path).unwrap().directory(3).is_none());
    names().save(&path).unwrap();
    let read = MarketNames::load(&path).unwrap();
    let (read, want) = (read.directory(3).unwrap(), names());
    for (read, want) in read.iter().zip(want.directory(3).unwrap().iter()) {
        assert_eq!((&read.def, &read.title, &read.names), (&want.def, &want.title, &want.names));
    }
    assert_eq!(read.iter().count(), 4);
    fs::write(&path, "{\"x\":[]}").unwrap();
    assert!(MarketNames::load(&path).is_err());
}

/// Rows per second are the bench's to measure. Here: what a batch costs does not grow with what is there already, as it
/// does without an index, and a day of trading is not the matter of minutes that a sync per row makes of it. The bounds
/// hold on a machine that gives this a tenth of one core.
#[test]
fn a_full_table_takes_rows_as_fast_as_an_empty_one() {
    let home = Home::new("speed");
    let records = write_run(&home, 1, 20_000);
    let mut store = Store::open(&home.db(), &home.0.join("none"), names(), silent).unwrap();
    let batches: Vec<_> = records.chunks(2_048).collect();
    let mut took = Vec::new();
    for batch in &batches {
        let begin = std::time::Instant::now();
        store.apply(batch).unwrap();
        took.push(begin.elapsed());
    }
    let all: std::time::Duration = took.iter().sum();
    assert!(all < std::time::Duration::from_secs(60), "{} records in {all:?}", records.len());
    // The quickest of each half: one that waited for the machine says nothing.
    let (early, late) = took[..took.len() - 1].split_at(took.len() / 2);
    let (early, late) = (early.iter().min().unwrap(), late.iter().min().unwrap());
    assert!(*late < *early * 8, "{early:?} a batch at first, {late:?} later");
}

#[test]
fn a_database_that_another_program_holds_is_waited_for_and_caught_up() {
    let home = Home::new("busy");
    let store = Store::open(&home.db(), &home.journal(), names(), silent).unwrap();
    let (mut observer, status) = observe(store, &home);
    let other = rusqlite::Connection::open(home.db()).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let mut journal = open_journal(&home, 1);
    for body in day(1, 50) {
        journal.append(Nanos::from_secs(2), &body).unwrap();
    }
    journal.flush().unwrap();
    let records = journal.take_made();
    let (first, rest) = records.split_at(records.len() / 2);
    let send = |records: &[Record]| {
        assert!(observer.records().push(records.len() as u64, records.to_vec()));
    };
    send(first);
    let begin = std::time::Instant::now();
    while status.trouble().is_none() {
        assert!(begin.elapsed().as_secs() < 120, "it never says that it waits");
        std::thread::yield_now();
    }
    assert!(status.trouble().unwrap().contains("locked"), "{:?}", status.trouble());
    assert!(observer.ended().is_empty());
    // What comes meanwhile is kept; a hole in it is read from the journal.
    send(&rest[3..]);
    other.execute_batch("COMMIT").unwrap();
    let all = records.last().unwrap().seq + 1;
    while status.applied() < all {
        assert!(begin.elapsed().as_secs() < 120, "it stays behind: {:?}", status.trouble());
        std::thread::yield_now();
    }
    assert_eq!(status.trouble(), None);
    assert_eq!(observer.close(), [""; 0]);
    let live = dump(&home.db());
    make_anew(&home);
    assert_eq!(dump(&home.db()), live);
}
