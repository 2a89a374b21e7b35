//! The journal as files: restarts, cuts, flipped bits, compression, replay.
#![allow(clippy::unwrap_used)]

#[path = "support/scratch.rs"]
mod scratch;

use std::fs;
use std::os::unix::fs::FileExt;
use std::path::Path;

use scratch::Scratch;
use surefoot_cold::journal::replay::{Divergence, Expect, ReplayError, fold};
use surefoot_cold::journal::{
    Identity, Journal, JournalError, Mark, Options, Reader, Sync, Writer, Wrong, replay, segment,
    segments,
};
use surefoot_cold::queue;
use surefoot_hot::core::Core;
use surefoot_hot::event::{Control, Event};
use surefoot_hot::ids::{MarketId, Venue};
use surefoot_hot::intent::Intent;
use surefoot_hot::journal::{Body, Close, Entry, JournalItem, RECORD_BYTES, Record};
use surefoot_hot::links::LinkNumber;
use surefoot_hot::outbox::Outbox;
use surefoot_hot::pack::Arbitrary;
use surefoot_hot::risk::HaltWhy;
use surefoot_hot::units::Nanos;

fn options(dir: &Path, run: u64) -> Options {
    Options {
        dir: dir.to_owned(),
        sync: Sync::Off,
        segment_bytes: 64 << 20,
        identity: Identity { config: 1, binary: 2, run, venue: 3, mode: 0 },
        fresh: run == 1,
        mark: None,
        untold: Vec::new(),
    }
}

fn body(draw: &mut Arbitrary) -> Body {
    match draw.word() % 4 {
        0 => Body::Intent(draw.value()),
        1 => Body::Note(draw.value()),
        _ => Body::Input(draw.value()),
    }
}

/// One run of `count` arbitrary records.
fn write_run(dir: &Path, run: u64, count: u64, close: bool) -> Vec<Record> {
    let mut journal = Journal::open(options(dir, run), Nanos::new(run)).unwrap();
    let mut draw = Arbitrary::from_seed(run);
    for n in 0..count {
        journal.append(Nanos::new(n), &body(&mut draw)).unwrap();
    }
    journal.flush().unwrap();
    if close {
        journal.close(Nanos::new(count), Close { decision: 5, state: 6 }).unwrap();
    }
    journal.take_made()
}

fn read_all(path: &Path) -> Result<(Vec<Record>, Reader), JournalError> {
    let mut reader = Reader::open(path)?;
    let mut records = Vec::new();
    while let Some(record) = reader.next_record()? {
        records.push(record);
    }
    Ok((records, reader))
}

#[test]
fn what_was_written_over_several_runs_is_read_back_in_one_chain() {
    let dir = Scratch::new("runs");
    let mut written = Vec::new();
    for run in 1..=4 {
        written.extend(write_run(&dir, run, 50 * run, run != 2)); // the second dies without its close
    }
    let (records, reader) = read_all(&dir).unwrap();
    assert_eq!(records, written);
    assert!(reader.closed() && reader.torn().is_none());
    for segment in segments(&dir).unwrap() {
        segment::compress(&segment.path).unwrap();
        assert_eq!(read_all(&dir).unwrap().0, written);
    }
    let tail = write_run(&dir, 5, 3, true);
    assert_eq!(tail[0].seq, written.last().unwrap().seq + 1, "goes on behind compressed segments");
    assert_eq!(read_all(&dir).unwrap().0.len(), written.len() + tail.len());
}

#[test]
fn every_flipped_bit_of_a_small_journal_is_found() {
    let dir = Scratch::new("flip");
    for run in 1..=3 {
        write_run(&dir, run, 6, run != 2); // the last is closed; the second is not, and is followed
    }
    segment::compress(&segments(&dir).unwrap()[0].path).unwrap();
    for segment in segments(&dir).unwrap() {
        let good = fs::read(&segment.path).unwrap();
        // In place: a file system may put a file on the disk each time that it is written anew from nothing.
        let file = fs::OpenOptions::new().write(true).open(&segment.path).unwrap();
        for bit in 0..good.len() * 8 {
            let (byte, at) = (good[bit / 8], (bit / 8) as u64);
            file.write_all_at(&[byte ^ 1 << (bit % 8)], at).unwrap();
            let error = read_all(&dir).expect_err("a flipped bit went unseen");
            assert!(error.is_damage(), "{error}");
            let name = segment.path.file_name().unwrap().to_str().unwrap();
            assert!(error.to_string().contains(name), "byte {} of {name}: {error}", bit / 8);
            if name.ends_with(".sfj") {
                let record = (bit / 8 / RECORD_BYTES * RECORD_BYTES) as u64;
                assert_eq!(error.offset, record, "the error names the record");
            }
            file.write_all_at(&[byte], at).unwrap();
        }
    }
    read_all(&dir).unwrap();
}

#[test]
fn random_flipped_bits_of_a_large_journal_are_found() {
    let dir = Scratch::new("large");
    write_run(&dir, 1, 20_000, true);
    write_run(&dir, 2, 20_000, false);
    segment::compress(&segments(&dir).unwrap()[0].path).unwrap();
    let mut draw = Arbitrary::from_seed(99);
    for turn in 0..60 {
        let files = segments(&dir).unwrap();
        let path = &files[turn % 2].path;
        let good = fs::read(path).unwrap();
        let mut bad = good.clone();
        let bit = draw.word() as usize % (good.len() * 8);
        bad[bit / 8] ^= 1 << (bit % 8);
        fs::write(path, &bad).unwrap();
        assert!(read_all(&dir).unwrap_err().is_damage(), "seed 99, turn {turn}, bit {bit}");
        fs::write(path, &good).unwrap();
    }
}

#[test]
fn a_cut_tail_is_told_and_the_next_run_goes_on_behind_it() {
    let dir = Scratch::new("torn");
    let written = write_run(&dir, 1, 3, false);
    let path = segments(&dir).unwrap()[0].path.clone();
    let whole = fs::read(&path).unwrap();
    for cut in (0..whole.len()).rev() {
        fs::write(&path, &whole[..cut]).unwrap();
        let (records, reader) = read_all(&dir).unwrap();
        assert_eq!(records, written[..cut / RECORD_BYTES]);
        let left = (cut % RECORD_BYTES) as u64;
        assert_eq!(reader.torn().map_or(0, |torn| torn.bytes), left, "cut at {cut}");
        assert!(!reader.closed());
        let next = write_run(&dir, 2, 1, true);
        let (records, reader) = read_all(&dir).unwrap();
        assert_eq!(records.len(), cut / RECORD_BYTES + next.len(), "cut at {cut}");
        assert!(reader.closed());
        fs::remove_file(&segments(&dir).unwrap()[1].path).unwrap();
    }
    let mut zeros = whole.clone();
    zeros.extend([0; 4_096]); // what a power cut can leave
    fs::write(&path, &zeros).unwrap();
    let (records, reader) = read_all(&dir).unwrap();
    assert_eq!((records, reader.torn().unwrap().bytes), (written, 4_096));
}

#[test]
fn a_missing_segment_and_a_cut_within_a_run_are_damage() {
    let dir = Scratch::new("missing");
    let mut small = options(&dir, 1);
    small.segment_bytes = 400;
    let mut journal = Journal::open(small, Nanos::ZERO).unwrap();
    for _ in 0..20 {
        journal.append(Nanos::ZERO, &Body::Input(Event::Timer)).unwrap();
    }
    journal.close(Nanos::ZERO, Close { decision: 0, state: 0 }).unwrap();
    let files = segments(&dir).unwrap();
    assert_eq!(files.len(), 6);
    let good = fs::read(&files[2].path).unwrap();
    for lost in [7, 80] {
        fs::write(&files[2].path, &good[..good.len() - lost]).unwrap();
        let error = read_all(&dir).unwrap_err();
        assert!(matches!(error.what, Wrong::Header), "the next segment does not fit: {error}");
    }
    fs::write(&files[2].path, [&good[..], &[7; 5]].concat()).unwrap();
    let error = read_all(&dir).unwrap_err();
    assert!(matches!(error.what, Wrong::Cut) && error.file == files[2].path, "{error}");
    fs::remove_file(&files[2].path).unwrap();
    assert!(matches!(read_all(&dir).unwrap_err().what, Wrong::Missing { segment: 3 }));
    // Retention takes the oldest: what is left still reads, from its own header.
    fs::remove_file(&files[1].path).unwrap();
    fs::remove_file(&files[0].path).unwrap();
    let (records, _) = read_all(&dir).unwrap();
    assert!(matches!(records[0].body, Body::Header(header) if header.segment == 4));
    assert!(matches!(
        replay(&dir, |_| ()).unwrap_err(),
        ReplayError::Diverged { how: Divergence::Headless, .. }
    ));
    assert!(matches!(read_all(&dir.join("none")).unwrap_err().what, Wrong::Empty));
}

#[test]
fn the_thread_writes_rotates_compresses_and_hands_on_the_same() {
    let dir = Scratch::new("thread");
    let mut small = options(&dir, 1);
    (small.segment_bytes, small.sync) = (100 * RECORD_BYTES as u64, Sync::Always);
    let journal = Journal::open(small, Nanos::ZERO).unwrap();
    let (mut to, from) = rtrb::RingBuffer::new(64);
    let (on, handed) = queue::bounded(10_000);
    let writer = Writer::start(journal, from, Some(on)).unwrap();
    let mut draw = Arbitrary::from_seed(4);
    for n in 0..1_000 {
        let mut item = JournalItem { now: Nanos::new(n), entry: Entry::Input(draw.value()) };
        if n % 3 == 0 {
            item.entry = Entry::Note(draw.value());
        }
        while to.push(item).is_err() {
            std::thread::yield_now();
        }
    }
    let status = writer.status().clone();
    writer.close(Nanos::new(1_000), Close { decision: 0, state: 0 }).unwrap();
    let mut told: Vec<Record> = Vec::new();
    while let Ok((weight, batch)) = handed.try_recv() {
        assert_eq!(weight, batch.len() as u64);
        told.extend(batch);
    }
    assert!(!status.store_behind());
    assert_eq!((status.written(), status.synced(), status.lost()), (1_000, 1_000, 0));
    let (records, reader) = read_all(&dir).unwrap();
    assert!(reader.closed());
    assert_eq!(records, told);
    let files = segments(&dir).unwrap();
    assert_eq!(files.len(), 11);
    let packed = files.iter().filter(|file| file.path.to_str().unwrap().ends_with(".zst")).count();
    assert_eq!(packed, 10, "all but the last are compressed");
}

#[test]
fn a_journal_that_cannot_be_written_says_so_and_keeps_the_ring_flowing() {
    let dir = Scratch::new("full");
    let mut small = options(&dir, 1);
    small.segment_bytes = 10 * RECORD_BYTES as u64;
    let journal = Journal::open(small, Nanos::ZERO).unwrap();
    fs::remove_dir_all(&*dir).unwrap(); // the next segment has nowhere to go
    let (mut to, from) = rtrb::RingBuffer::new(64);
    let writer = Writer::start(journal, from, None).unwrap();
    let status = writer.status().clone();
    for n in 0..500 {
        let item = JournalItem { now: Nanos::new(n), entry: Entry::Input(Event::Timer) };
        while to.push(item).is_err() {
            std::thread::yield_now();
        }
    }
    let error = writer.close(Nanos::ZERO, Close { decision: 0, state: 0 }).unwrap_err();
    assert!(status.failed() && status.lost() > 0);
    assert!(error.contains("journal-000002.sfj"), "{error}");
}

/// Runs a core over some inputs as the program does: input first, then what it made.
fn write_core_run(dir: &Path, run: u64, core: &mut Core, close: bool) {
    let mut journal = Journal::open(options(dir, run), Nanos::ZERO).unwrap();
    let mut out = Outbox::new();
    let inputs = [
        Event::Control(Control::Start { epoch: run, first_order: run << 32 }),
        Event::Timer,
        Event::Control(Control::Reconciled { venue: Venue::Kalshi, clean: true }),
        Event::SnapshotBegin {
            market: MarketId::new(0),
            link: LinkNumber::FIRST,
            venue_time: Nanos::ZERO,
        },
        Event::Control(Control::Stop),
        Event::Timer,
    ];
    for (n, event) in inputs.iter().enumerate() {
        let now = Nanos::from_secs(run * 100 + n as u64);
        out.clear();
        core.on_event(now, event, &mut out);
        journal.append(now, &Body::Input(*event)).unwrap();
        for intent in out.intents() {
            journal.append(now, &Body::Intent(intent.into())).unwrap();
        }
        for note in out.notes() {
            journal.append(now, &Body::Note(*note)).unwrap();
        }
    }
    journal.flush().unwrap();
    if close {
        let end = Close { decision: core.decision_hash(), state: core.state_hash() };
        journal.close(Nanos::ZERO, end).unwrap();
    }
}

#[test]
fn replay_gives_the_same_state_over_restarts() {
    let dir = Scratch::new("replay");
    let mut core = Core::new();
    write_core_run(&dir, 1, &mut core, false);
    write_core_run(&dir, 2, &mut core, true);
    let replayed = replay(&dir, |_| ()).unwrap();
    assert_eq!(replayed.core.state_hash(), core.state_hash());
    assert_eq!(replayed.core.decision_hash(), core.decision_hash());
    assert_eq!((replayed.counts.runs, replayed.counts.inputs, replayed.closed), (2, 12, true));
}

/// A run that dies between an input and its notes leaves them to the next one: they are in the journal once, whenever that
/// dies in its turn.
#[test]
fn what_a_killed_run_decided_and_did_not_write_the_next_one_writes() {
    let inputs = [
        Event::Control(Control::Start { epoch: 1, first_order: 1 << 32 }),
        Event::Control(Control::Halt { epoch: 2, why: HaltWhy::Operator }),
    ];
    let (mut core, mut out, mut made) = (Core::new(), Outbox::new(), Vec::new());
    for event in inputs {
        core.on_event(Nanos::from_secs(1), &event, &mut out);
        made.extend(out.notes().iter().copied());
        out.clear();
    }
    assert!(!made.is_empty(), "the last input says something");
    let notes_of = |dir: &Path| {
        let records = read_all(dir).unwrap().0.into_iter();
        let notes = records.filter_map(|record| match record.body {
            Body::Note(note) => Some(note),
            _ => None,
        });
        notes.collect::<Vec<_>>()
    };
    for next_knows in [true, false] {
        let dir = Scratch::new("untold");
        let mut journal = Journal::open(options(&dir, 1), Nanos::ZERO).unwrap();
        for event in inputs {
            journal.append(Nanos::from_secs(1), &Body::Input(event)).unwrap();
        }
        journal.flush().unwrap(); // and is killed: not one note is written
        let untold = replay(&dir, |_| ()).unwrap().untold;
        assert_eq!(
            untold,
            made.iter().map(|note| (Nanos::from_secs(1), *note)).collect::<Vec<_>>()
        );
        // The next run begins and is killed too: at its header, then behind what it had to write.
        for kept in [vec![], if next_knows { untold } else { vec![] }] {
            let options = Options { untold: kept, ..options(&dir, 2) };
            let journal = Journal::open(options, Nanos::from_secs(2)).unwrap();
            drop(journal);
        }
        let replayed = replay(&dir, |_| ()).unwrap();
        assert_eq!(replayed.untold.len(), if next_knows { 0 } else { made.len() });
        assert_eq!(notes_of(&dir), if next_knows { made.clone() } else { vec![] });
        // A run of a program that knew nothing of this went on without them.
        let mut core = replay(&dir, |_| ()).unwrap().core;
        write_core_run(&dir, 3, &mut core, true);
        let replayed = replay(&dir, |_| ()).unwrap();
        assert!(replayed.untold.is_empty() && replayed.closed);
    }
}

/// Another program began and died at once between a run that owes notes and the next run of the same program, which writes
/// them. Whatever is expected of whom, nobody takes that for another decision.
#[test]
fn what_a_run_owes_is_owed_behind_the_header_of_another_programs_run() {
    let inputs = [
        Event::Control(Control::Start { epoch: 1, first_order: 1 << 32 }),
        Event::Control(Control::Halt { epoch: 2, why: HaltWhy::Operator }),
    ];
    let dir = Scratch::new("owed");
    let by = |run: u64, binary: u64, untold| {
        let identity = Identity { binary, ..options(&dir, run).identity };
        Options { identity, untold, ..options(&dir, run) }
    };
    let fold_by = |expect| fold(Reader::open(&dir).unwrap(), None, expect, |_| ()).unwrap();
    let mut journal = Journal::open(by(1, 2, vec![]), Nanos::ZERO).unwrap();
    for event in inputs {
        journal.append(Nanos::from_secs(1), &Body::Input(event)).unwrap();
    }
    journal.flush().unwrap();
    drop(Journal::open(by(2, 9, vec![]), Nanos::from_secs(2)).unwrap());
    let untold = fold_by(Expect::Nothing(2)).untold;
    assert!(!untold.is_empty());
    let mut journal = Journal::open(by(3, 2, untold), Nanos::from_secs(3)).unwrap();
    journal.append(Nanos::from_secs(3), &Body::Input(Event::Timer)).unwrap();
    journal.flush().unwrap();
    for expect in [Expect::Program(2), Expect::Nothing(2), Expect::All] {
        let folded = fold_by(expect);
        assert_eq!((folded.differences.count, folded.untold.len()), (0, 0), "{expect:?}");
    }
    // To the other program they are another's, and it owes nothing of them.
    assert!(fold_by(Expect::Nothing(9)).untold.is_empty());
}

#[test]
fn replay_names_the_first_difference() {
    let dir = Scratch::new("diverge");
    let mut core = Core::new();
    write_core_run(&dir, 1, &mut core, true);
    let mut journal = Journal::open(options(&dir, 2), Nanos::ZERO).unwrap();
    journal.append(Nanos::ZERO, &Body::Input(Event::Timer)).unwrap();
    let never = Intent::CancelAll { venue: Venue::Kalshi };
    journal.append(Nanos::ZERO, &Body::Intent((&never).into())).unwrap();
    journal.flush().unwrap();
    let error = replay(&dir, |_| ()).unwrap_err();
    assert!(
        matches!(&error, ReplayError::Diverged { offset: 160, how: Divergence::Other { .. }, .. }),
        "{error}"
    );
    assert!(error.to_string().contains("CancelAll"), "{error}");

    let dir = Scratch::new("hash");
    let mut journal = Journal::open(options(&dir, 1), Nanos::ZERO).unwrap();
    journal.close(Nanos::ZERO, Close { decision: 1, state: 1 }).unwrap();
    let error = replay(&dir, |_| ()).unwrap_err();
    assert!(error.to_string().contains("hash"), "{error}");
}

/// What a run leaves that ended as it should, held against what a disk, a person or a backup may make of it.
#[test]
fn an_end_that_is_missing_is_damage_and_a_crashs_tail_is_not() {
    let dir = Scratch::new("mark");
    let (journal, mark) = (dir.join("journal"), dir.join("journal.mark"));
    let marked = |run| Options { mark: Some(mark.clone()), ..options(&journal, run) };
    let mut draw = Arbitrary::from_seed(5);
    let mut ends = Vec::new();
    for run in 1..=2 {
        let mut open = Journal::open(marked(run), Nanos::new(run)).unwrap();
        for n in 0..20 {
            open.append(Nanos::new(n), &body(&mut draw)).unwrap();
        }
        open.close(Nanos::new(20), Close { decision: 5, state: 6 }).unwrap();
        ends.push(open.take_made().len() as u64);
    }
    let end = Mark::read(&mark).unwrap().unwrap();
    assert_eq!(end.next, ends.iter().sum::<u64>(), "exact after a clean end");
    end.check(&journal).unwrap();
    let last = segments(&journal).unwrap().pop().unwrap().path;
    let good = fs::read(&last).unwrap();
    let lost = |what: &str| {
        let error = end.check(&journal).expect_err(what);
        assert!(error.is_damage() && matches!(error.what, Wrong::Lost { .. }), "{what}: {error}");
        assert!(error.to_string().contains("accept-loss"), "the remedy: {error}");
        let error = Journal::open(marked(3), Nanos::ZERO).expect_err(what);
        assert!(error.is_damage(), "nothing is written behind it: {error}");
    };
    for cut in 0..good.len() {
        fs::write(&last, &good[..cut]).unwrap();
        lost(&format!("cut at byte {cut} of {}", good.len()));
    }
    fs::remove_file(&last).unwrap();
    lost("the last segment is gone");
    fs::remove_dir_all(&journal).unwrap();
    lost("all of it is gone");
    // Another journal in its place.
    write_run(&journal, 1, 90, true);
    let other = end.check(&journal).unwrap_err();
    assert!(other.is_damage() && matches!(other.what, Wrong::Other { .. }), "{other}");
    // A crash: what no sync had covered may be gone.
    fs::remove_dir_all(&*dir).unwrap();
    let mut open = Journal::open(marked(1), Nanos::new(1)).unwrap();
    open.append(Nanos::ZERO, &body(&mut draw)).unwrap();
    open.flush().unwrap();
    open.sync().unwrap();
    let synced = Mark::read(&mark).unwrap().unwrap();
    assert_eq!(synced.next, 2, "it follows each sync");
    open.append(Nanos::ZERO, &body(&mut draw)).unwrap();
    open.flush().unwrap();
    drop(open);
    let last = segments(&journal).unwrap().pop().unwrap().path;
    let whole = fs::read(&last).unwrap();
    for cut in 2 * RECORD_BYTES..=whole.len() {
        fs::write(&last, &whole[..cut]).unwrap();
        synced.check(&journal).unwrap();
    }
    drop(Journal::open(marked(2), Nanos::ZERO).unwrap());
    assert_eq!(Mark::read(&mark).unwrap().unwrap().next, 4, "goes on from what was left");
}

/// Whoever is handed the records and takes none of them costs the journal nothing: what finds no room is counted, and is read
/// from the journal later.
#[test]
fn the_thread_waits_for_nobody_who_takes_its_records() {
    let dir = Scratch::new("stuck");
    let journal = Journal::open(options(&dir, 1), Nanos::ZERO).unwrap();
    let (mut to, from) = rtrb::RingBuffer::new(64);
    let (on, stuck) = queue::bounded(100);
    let gauge = on.gauge();
    let writer = Writer::start(journal, from, Some(on)).unwrap();
    let status = writer.status().clone();
    for n in 0..1_000 {
        let item = JournalItem { now: Nanos::new(n), entry: Entry::Input(Event::Timer) };
        while to.push(item).is_err() {
            std::thread::yield_now();
        }
    }
    let begin = std::time::Instant::now();
    while status.written() < 1_000 || !status.store_behind() {
        assert!(begin.elapsed().as_secs() < 60, "the journal waits: {} written", status.written());
        std::thread::yield_now();
    }
    assert!(gauge.waiting() <= 100 && gauge.dropped() >= 800, "{gauge:?}");
    drop(stuck); // and its end costs the end of the run nothing
    writer.close(Nanos::new(1_000), Close { decision: 0, state: 0 }).unwrap();
    assert_eq!(read_all(&dir).unwrap().0.len(), 1_002);
}
