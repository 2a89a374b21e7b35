use std::os::unix::fs::FileExt;

use surefoot_hot::ids::{Action, GroupId, MarketId, Outcome, Venue};
use surefoot_hot::order::{Purpose, Tif};
use surefoot_hot::units::{Price, Qty};

use super::*;

fn scratch(name: &str) -> PathBuf {
    let dir = std::env::temp_dir().join(format!("surefoot-wirelog-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let path = dir.join(name);
    let _ = std::fs::remove_file(&path);
    path
}

fn sent(order: u64) -> Record {
    Record::Sent(Sent {
        at: Nanos::new(order * 10),
        order: OrderId::new(order),
        epoch: 3,
        decided: Nanos::new(order * 10 - 1),
        group: GroupId::new(70_000),
        purpose: Purpose::Unwind,
        venue: Venue::Kalshi,
        market: MarketId::new(511),
        outcome: Outcome::No,
        action: Action::Sell,
        price: Price::from_ticks(4_321).unwrap(),
        qty: Qty::from_micros(12_340_000),
        tif: Tif::Fok,
        expires: None,
        post_only: false,
        payload: 0xdead_beef,
        id: VenueId::new(&[7; 32]).unwrap(),
    })
}

#[test]
fn what_an_order_is_for_is_read_back_whatever_it_is() {
    let path = scratch("purposes");
    let purposes = Purpose::ALL;
    let records: Vec<_> = (1..)
        .zip(purposes)
        .map(|(order, purpose)| match sent(order) {
            Record::Sent(sent) => Record::Sent(Sent { purpose, ..sent }),
            other @ (Record::End { .. } | Record::Amend(_)) => other,
        })
        .collect();
    written(&path, &records, SyncMode::Always);
    assert_eq!(read(&path).unwrap().records, records);
}

fn end(order: u64, how: Ended) -> Record {
    let id = VenueId::new(b"3b23c1c7-f4ef-4f0d-8b9a-9e53c61f1a0d").unwrap();
    Record::End { at: Nanos::new(order * 10 + 5), order: OrderId::new(order), how, id }
}

fn written(path: &Path, records: &[Record], mode: SyncMode) -> Vec<u8> {
    let (mut log, _) = WireLog::open(path, mode).unwrap();
    for record in records {
        log.append(record).unwrap();
    }
    drop(log);
    std::fs::read(path).unwrap()
}

#[test]
fn what_is_written_is_read_and_what_has_no_end_is_named() {
    let path = scratch("roundtrip");
    assert!(recover(&path).unwrap().is_empty());
    let first = [sent(1), sent(2), end(1, Ended::Taken)];
    written(&path, &first, SyncMode::Always);
    let second = [sent(3), end(2, Ended::Rejected)];
    written(&path, &second, SyncMode::Grouped);
    let contents = read(&path).unwrap();
    assert_eq!(contents.records, [&first[..], &second[..]].concat());
    assert_eq!(contents.torn_at, None);
    assert_eq!(contents.last_order(), Some(OrderId::new(3)));
    let open = recover(&path).unwrap();
    assert_eq!(open.iter().map(|sent| sent.order.get()).collect::<Vec<_>>(), [3]);
    let (_, id) = contents.venue_ids().last().unwrap();
    assert_eq!(id.as_bytes(), b"3b23c1c7-f4ef-4f0d-8b9a-9e53c61f1a0d");
}

#[test]
fn a_torn_tail_of_any_length_costs_the_last_record_and_no_other() {
    let path = scratch("torn");
    let records = [sent(1), end(1, Ended::Taken), sent(2)];
    let bytes = written(&path, &records, SyncMode::Always);
    for cut in 1..=RECORD_BYTES {
        std::fs::write(&path, &bytes[..bytes.len() - cut]).unwrap();
        let contents = read(&path).unwrap();
        assert_eq!(contents.records, records[..2], "cut {cut}");
        assert_eq!(contents.torn_at.is_some(), cut < RECORD_BYTES, "cut {cut}");
        if cut % 37 != 1 {
            continue; // opening syncs the disk, which is slow
        }
        let (mut log, again) = WireLog::open(&path, SyncMode::Always).unwrap();
        assert_eq!(again.records.len(), 2);
        log.append(&sent(9)).unwrap();
        assert_eq!(read(&path).unwrap().records.len(), 3, "cut {cut}");
    }
}

#[test]
fn every_flipped_bit_is_seen_and_named_where_it_is() {
    let path = scratch("flip");
    let records = [sent(1), sent(2), end(1, Ended::Taken)];
    let good = written(&path, &records, SyncMode::Always);
    // In place: a file system may put a file on the disk each time that it is written anew from nothing.
    let file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
    for bit in 0..good.len() * 8 {
        let (byte, at) = (good[bit / 8], (bit / 8) as u64);
        file.write_all_at(&[byte ^ 1 << (bit % 8)], at).unwrap();
        let record = bit / 8 / RECORD_BYTES;
        let offset = (record * RECORD_BYTES) as u64;
        match read(&path) {
            Err(WireLogError::Corrupt { offset: seen, .. }) => {
                assert_eq!(seen, offset, "bit {bit}");
                assert!(record < 2, "bit {bit}: the last record cannot be told from a torn one");
            }
            Ok(contents) => {
                assert_eq!(contents.torn_at, Some(offset), "bit {bit}");
                assert_eq!((record, contents.records.len()), (2, 2), "bit {bit}");
            }
            Err(other) => panic!("bit {bit}: {other}"),
        }
        file.write_all_at(&[byte], at).unwrap();
    }
}

#[test]
fn room_that_was_not_used_is_no_part_of_the_log() {
    let path = scratch("room");
    let (mut log, _) = WireLog::open(&path, SyncMode::Grouped).unwrap();
    log.rehearse();
    log.append(&sent(1)).unwrap();
    log.rehearse();
    let killed = std::fs::read(&path).unwrap(); // as a killed process leaves it
    assert!(killed.len() as u64 > ROOM_BYTES_MIN);
    for order in 2..10_000 {
        log.append(&sent(order)).unwrap(); // beyond the room, which nobody makes
    }
    log.make_room(Nanos::ZERO);
    log.append(&sent(10_000)).unwrap();
    drop(log);
    let contents = read(&path).unwrap();
    assert_eq!((contents.records.len(), contents.torn_at), (10_000, None));
    assert_eq!(std::fs::metadata(&path).unwrap().len(), 10_000 * RECORD_BYTES as u64);

    std::fs::write(&path, &killed).unwrap();
    let contents = read(&path).unwrap();
    assert_eq!((contents.records.len(), contents.torn_at), (1, None));
    for torn in [1, 80, RECORD_BYTES - 1] {
        let mut bytes = killed.clone();
        let half = encode(&sent(2), 1, contents.chain, 1);
        bytes[RECORD_BYTES..RECORD_BYTES + torn].copy_from_slice(&half[..torn]);
        std::fs::write(&path, &bytes).unwrap();
        let (log, contents) = WireLog::open(&path, SyncMode::Grouped).unwrap();
        assert_eq!((contents.records.len(), contents.torn_at), (1, Some(160)), "{torn}");
        drop(log);
        assert_eq!(read(&path).unwrap().torn_at, None, "cut off when opened");
    }
}

#[test]
fn room_is_not_made_beside_a_sync_before_it_is_urgent() {
    let path = scratch("beside");
    let (mut log, _) = WireLog::open(&path, SyncMode::Always).unwrap();
    let room = log.room;
    let use_up = |log: &mut WireLog, left: u64| log.seq = (log.room - left) / RECORD_BYTES as u64;
    use_up(&mut log, ROOM_BYTES_MIN - 1_000);
    disk::while_syncing(|| log.make_room(Nanos::ZERO));
    assert_eq!(log.room, room, "it would have to wait");
    use_up(&mut log, ROOM_BYTES_URGENT - 1_000);
    disk::while_syncing(|| log.make_room(Nanos::ZERO));
    assert_eq!(log.room, room + ROOM_STEP as u64, "a record without room would wait longer");
    log.seq = 0; // nothing was written
}

#[test]
fn what_a_power_cut_took_is_a_hole_and_what_it_left_is_kept() {
    let path = scratch("power");
    let mut log = written(&path, &[sent(1), end(1, Ended::Taken)], SyncMode::Always);
    let mut chain = hash_of(log.last_chunk().unwrap());
    for (seq, order) in (2..).zip([2, 3, 4]) {
        let record = encode(&sent(order), seq, chain, 2); // none of them synced yet
        chain = hash_of(&record);
        log.extend_from_slice(&record);
    }
    let mut torn = log.clone();
    torn[2 * RECORD_BYTES + 60..3 * RECORD_BYTES + 90].fill(0); // a page: parts of two records
    std::fs::write(&path, &torn).unwrap();
    let kept = [sent(1), end(1, Ended::Taken), sent(4)];
    let contents = read(&path).unwrap();
    assert_eq!((&contents.records[..], contents.torn_at), (&kept[..], Some(320)));
    drop(WireLog::open(&path, SyncMode::Grouped).unwrap());
    let mended = read(&path).unwrap();
    assert_eq!((&mended.records[..], mended.torn_at), (&kept[..], None));

    log.extend_from_slice(&encode(&sent(5), 5, chain, 5)); // all of them synced
    log[2 * RECORD_BYTES..3 * RECORD_BYTES].fill(0);
    std::fs::write(&path, &log).unwrap();
    assert!(matches!(read(&path), Err(WireLogError::Corrupt { offset: 320, .. })));
}

/// A log that another version wrote: an order that has no end.
fn of_version(version: u8) -> Vec<u8> {
    let mut bytes = encode(&sent(1), 0, 0, 0);
    bytes[..4].copy_from_slice(&[b'S', b'F', b'W', version]);
    bytes[120..136].fill(0); // zeros then
    let hash = surefoot_hot::hash::Hash64::of(&bytes[..RECORD_BYTES - 8]);
    bytes[RECORD_BYTES - 8..].copy_from_slice(&hash.to_le_bytes());
    bytes.to_vec()
}

#[test]
fn a_log_of_the_first_version_is_read_and_goes_on_in_the_second() {
    let path = scratch("first");
    std::fs::write(&path, of_version(b'1')).unwrap();
    written(&path, &[sent(2), end(1, Ended::Taken)], SyncMode::Always);
    let contents = read(&path).unwrap();
    let [Record::Sent(old), new, Record::End { .. }] = contents.records[..] else {
        panic!("{contents:?}")
    };
    assert_eq!((old.order, old.qty), (OrderId::new(1), Qty::from_micros(12_340_000)));
    assert_eq!((old.group, old.decided), (GroupId::new(0), old.at), "it said neither");
    assert_eq!(new, sent(2));
    std::fs::write(&path, of_version(b'9')).unwrap();
    let Err(error) = read(&path) else { panic!("of no version that is known") };
    assert!(error.to_string().contains("version"), "{error}");
}

#[test]
fn a_removed_or_repeated_record_is_corruption() {
    let path = scratch("removed");
    let good = written(&path, &[sent(1), sent(2), sent(3)], SyncMode::Always);
    let (one, two) = (&good[..RECORD_BYTES], &good[RECORD_BYTES..2 * RECORD_BYTES]);
    let three = &good[2 * RECORD_BYTES..];
    std::fs::write(&path, [one, three, three].concat()).unwrap();
    assert!(matches!(read(&path), Err(WireLogError::Corrupt { offset: 160, .. })));
    std::fs::write(&path, [one, two, two, three].concat()).unwrap();
    assert!(matches!(read(&path), Err(WireLogError::Corrupt { offset: 320, .. })));
}

#[test]
fn after_a_failed_write_nothing_more_is_taken() {
    let path = scratch("full");
    drop(WireLog::open(&path, SyncMode::Always).unwrap());
    let file = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let shared = Arc::new(Shared::default());
    let mode = SyncMode::Always;
    let mut log = WireLog {
        file,
        path,
        mode,
        chain: 0,
        seq: 0,
        room: 0,
        room_after: Nanos::ZERO,
        shared,
        syncer: None,
    };
    assert!(log.append(&sent(1)).is_err());
    let path = scratch("full-after");
    log.file = File::create(path).unwrap(); // even where the disk has room again
    assert!(log.append(&sent(2)).is_err());
}

#[test]
fn orders_that_are_over_go_and_the_others_stay_as_they_were() {
    let path = scratch("shorten");
    let records = [
        sent(1),
        end(1, Ended::Taken),
        sent(2),
        sent(3),
        end(3, Ended::Rejected),
        end(2, Ended::Asked),
        sent(4),
        end(4, Ended::Taken),
        sent(5),
    ];
    written(&path, &records, SyncMode::Always);
    let before = std::fs::read(&path).unwrap();
    let shorten_to = |before: u64, over: &'static [u64]| {
        shorten(&path, Nanos::new(before), |order| over.contains(&order.get())).unwrap()
    };
    assert_eq!(shorten_to(15, &[1, 2, 3, 4, 5]), 0, "no end is older than the first");
    assert_eq!(std::fs::read(&path).unwrap(), before);
    // 3 ended too late, 4 lives on in the journal, 5 has no end.
    assert_eq!(shorten_to(30, &[1, 2, 3, 5]), 4);
    let left = [sent(3), end(3, Ended::Rejected), sent(4), end(4, Ended::Taken), sent(5)];
    let contents = read(&path).unwrap();
    assert_eq!((contents.records.as_slice(), contents.torn_at), (&left[..], None));
    assert_eq!(contents.without_end().len(), 1);
    // It is a log like any other: opened, appended to, read.
    written(&path, &[end(5, Ended::Unsent)], SyncMode::Grouped);
    assert_eq!(read(&path).unwrap().records.len(), 6);
    assert_eq!(shorten_to(1_000, &[3, 4, 5]), 6);
    assert!(read(&path).unwrap().records.is_empty());
    assert_eq!(shorten(&path.with_extension("none"), Nanos::NEVER, |_| true).unwrap(), 0);
}

#[test]
fn an_order_that_the_venue_never_had_goes_by_the_time_it_was_sent_at() {
    let path = scratch("never-had");
    written(&path, &[sent(1), sent(2), sent(3), end(3, Ended::Taken)], SyncMode::Always);
    let over = |order: OrderId| order.get() != 2;
    assert_eq!(shorten(&path, Nanos::new(10), over).unwrap(), 0, "sent at 10 is not before 10");
    assert_eq!(
        shorten(&path, Nanos::new(31), over).unwrap(),
        1,
        "3 was sent at 30 and ended at 35"
    );
    let left = [sent(2), sent(3), end(3, Ended::Taken)];
    assert_eq!(read(&path).unwrap().records, left, "of 2 the journal does not know the end");
}

#[test]
fn a_change_and_an_expiry_come_back_as_they_were_written() {
    use surefoot_hot::order::{Amend, Change, Expiry, Order};
    let Record::Sent(plain) = sent(1) else { unreachable!("it is one") };
    let expires = Expiry::at(Nanos::from_secs(1_795_197_660));
    let dated = Sent { tif: Tif::Gtd, expires, post_only: true, purpose: Purpose::Quote, ..plain };
    let order = Order {
        id: dated.order,
        epoch: 3,
        decided: Nanos::new(9),
        group: dated.group,
        market: dated.market,
        venue: dated.venue,
        outcome: dated.outcome,
        action: dated.action,
        price: dated.price,
        qty: dated.qty,
        tif: Tif::Gtd,
        expires,
        post_only: true,
        purpose: Purpose::Quote,
    };
    let now = Change::of(&order);
    let amend = |to: Change| {
        let amend = Amend::new(&order, &to, 4, Nanos::new(77));
        Record::Amend(SentAmend { at: Nanos::new(78), amend, payload: 5, id: plain.id })
    };
    let records = [
        Record::Sent(dated),
        end(1, Ended::Taken),
        amend(Change { qty: Qty::from_contracts(3), ..now }),
        amend(Change { expires: None, ..now }),
        amend(Change { price: Price::from_ticks(9).unwrap(), ..now }),
    ];
    let path = scratch("change");
    written(&path, &records, SyncMode::Always);
    let contents = read(&path).unwrap();
    assert_eq!(contents.records, records);
    assert!(contents.without_end().is_empty(), "a change opens no order");
    assert_eq!(contents.last_order(), Some(dated.order));
}

#[test]
#[should_panic(expected = "O8: no more records are on the disk than were written")]
fn more_on_the_disk_than_was_written_stops_the_executor() {
    let path = scratch("too-much-synced");
    let (mut log, _) = WireLog::open(&path, SyncMode::Always).unwrap();
    log.append(&sent(1)).unwrap();
    log.shared.synced.store(2, Ordering::Release);
    let _ = log.append(&sent(2));
}

/// Whatever their length: what looks torn is cut off, and orders of another version must not be.
#[test]
fn records_of_another_version_are_refused_and_stay_as_they_are() {
    let ours = written(&scratch("ours"), &[sent(1), sent(2)], SyncMode::Always);
    for (name, length) in [("shorter", 96), ("as-long", RECORD_BYTES), ("longer", 256)] {
        let path = scratch(name);
        let mut theirs = vec![0x5a; 3 * length];
        for record in theirs.chunks_mut(length) {
            record[..4].copy_from_slice(b"SFW3");
        }
        for (before, offset) in [(&[][..], 0), (&ours[..], ours.len() as u64)] {
            let bytes = [before, &theirs].concat();
            std::fs::write(&path, &bytes).unwrap();
            for error in
                [read(&path).unwrap_err(), WireLog::open(&path, SyncMode::Always).unwrap_err()]
            {
                let WireLogError::Version { offset: at, seen: '3', .. } = error else {
                    panic!("{name}: {error:?}");
                };
                assert_eq!(at, offset, "{name}");
            }
            assert_eq!(std::fs::read(&path).unwrap(), bytes, "{name}");
        }
    }
    let said =
        WireLogError::Version { path: PathBuf::from("w.log"), offset: 0, seen: '3' }.to_string();
    assert!(said.contains("version 3") && said.contains("Files of another version"), "{said}");
}
