//! Snapshots of the core, and what a start makes of them: torn, of another version, of another journal, without the segments
//! they need; and what may be removed.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use surefoot_cold::journal::replay::{Divergence, Expect, ReplayError};
use surefoot_cold::journal::{
    Identity, Journal, Options, Position, Reader, Replayed, Sync, Wrong, binary_hash, replay,
    segment_path, segments,
};
use surefoot_cold::snapshot::{
    Follower, Following, Refused, Removed, decode, encode, list, load, replay_kept, restore,
    shorten, write,
};
use surefoot_hot::core::Core;
use surefoot_hot::event::{Control, Event, Link};
use surefoot_hot::hash::Hash64;
use surefoot_hot::ids::Venue;
use surefoot_hot::journal::{Body, Chain, Close, FORMAT, Header, Record};
use surefoot_hot::links::LinkNumber;
use surefoot_hot::outbox::Outbox;
use surefoot_hot::state::STATE_FORMAT;
use surefoot_hot::units::{Nanos, Usd};

/// The hash of the program that wrote the journals of these tests.
const PROGRAM: u64 = 2;

/// A directory of its own, gone with the value.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let dir =
            std::env::temp_dir().join(format!("surefoot-snapshot-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(&dir).unwrap();
        Self(dir)
    }

    fn journal(&self) -> PathBuf {
        self.0.join("journal")
    }

    fn snapshots(&self) -> PathBuf {
        self.0.join("snapshots")
    }

    /// The state at the journal's end, and what was said of snapshots that are not used.
    fn restored(&self) -> (Result<Replayed, ReplayError>, String) {
        let mut said = String::new();
        let restored = restore(&self.journal(), &self.snapshots(), |line| {
            said.push_str(line);
            said.push('\n');
        });
        (restored, said)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn options(dir: &Path, run: u64) -> Options {
    Options {
        dir: dir.to_owned(),
        sync: Sync::Off,
        segment_bytes: 64 << 20,
        identity: Identity { config: 1, binary: PROGRAM, run, venue: 3, mode: 0 },
        fresh: run == 1,
        mark: None,
        untold: Vec::new(),
    }
}

/// One run of a core, written as the program writes it: each input, then what it made. The state depends on every one.
struct Run {
    journal: Journal,
    core: Core,
    out: Outbox,
    now: Nanos,
}

impl Run {
    fn begin(dir: &Path, run: u64, core: Core, now: Nanos) -> Self {
        let journal = Journal::open(options(dir, run), now).unwrap();
        let mut begun = Self { journal, core, out: Outbox::new(), now };
        begun.feed(Event::Control(Control::Start { epoch: run, first_order: run << 32 }));
        begun
    }

    fn feed(&mut self, event: Event) {
        self.now = self.now.after(Nanos::from_millis(1));
        self.out.clear();
        self.core.on_event(self.now, &event, &mut self.out);
        self.journal.append(self.now, &Body::Input(event)).unwrap();
        for intent in self.out.intents() {
            self.journal.append(self.now, &Body::Intent(intent.into())).unwrap();
        }
        for note in self.out.notes() {
            self.journal.append(self.now, &Body::Note(*note)).unwrap();
        }
    }

    fn work(&mut self, events: u64) {
        for nth in 0..events {
            let venue = Venue::ALL[(nth % 2) as usize];
            match nth % 4 {
                0 => self.feed(Event::Link {
                    venue,
                    link: Link::Private,
                    number: LinkNumber::FIRST,
                    up: nth % 8 == 0,
                }),
                1 => self.feed(Event::Control(Control::Reading { venue, since: self.now })),
                2 => {
                    let cash = Usd::from_micros(i64::try_from(nth + 1).unwrap() * 1_000_000);
                    self.feed(Event::Control(Control::Cash { venue, shard: 0, cash }));
                }
                _ => self.feed(Event::Control(Control::Reconciled { venue, clean: true })),
            }
        }
    }

    fn close(mut self) -> Core {
        let close = Close { decision: self.core.decision_hash(), state: self.core.state_hash() };
        self.journal.close(self.now, close).unwrap();
        self.core
    }

    /// The process dies: what was written stands, and no more comes.
    fn die(mut self) -> Core {
        self.journal.flush().unwrap();
        self.core
    }
}

/// Writes a snapshot of the journal's end, as it folds now.
fn snapshot_of_end(scratch: &Scratch) -> PathBuf {
    let mut reader = Reader::open(&scratch.journal()).unwrap();
    while reader.next_record().unwrap().is_some() {}
    let folded = replay(&scratch.journal(), |_| ()).unwrap();
    write(&scratch.snapshots(), &reader.place().unwrap(), &folded).unwrap()
}

/// Two runs and a half, and a snapshot at the end of each whole one: the older, the newer, and the core at the end.
fn two_snapshots_and_a_tail(scratch: &Scratch) -> (PathBuf, PathBuf, Core) {
    let mut run = Run::begin(&scratch.journal(), 1, Core::new(), Nanos::from_secs(1_000));
    run.work(60);
    let core = run.close();
    let older = snapshot_of_end(scratch);
    let mut run = Run::begin(&scratch.journal(), 2, core, Nanos::from_secs(2_000));
    run.work(40);
    let core = run.close();
    let newer = snapshot_of_end(scratch);
    let mut run = Run::begin(&scratch.journal(), 3, core, Nanos::from_secs(3_000));
    run.work(30);
    (older, newer, run.die())
}

/// Where the state was taken up, and that it is the whole journal's.
fn begins_at(scratch: &Scratch, core: &Core) -> (u64, String) {
    let (restored, said) = scratch.restored();
    let restored = restored.unwrap();
    assert_eq!(restored.core.state_hash(), core.state_hash(), "{said}");
    assert_eq!(restored.differences.count, 0);
    let whole = replay(&scratch.journal(), |_| ()).unwrap();
    assert_eq!(restored.counts, whole.counts, "counted on from the snapshot");
    assert_eq!((restored.last, restored.closed), (whole.last, whole.closed));
    (restored.first, said)
}

fn next_of(path: &Path) -> u64 {
    load(path).unwrap().0.chain.next()
}

/// Makes the file's check right again for bytes that were changed on purpose.
fn sealed(mut bytes: Vec<u8>) -> Vec<u8> {
    let end = bytes.len() - 8;
    let hash = Hash64::of(&bytes[..end]);
    bytes[end..].copy_from_slice(&hash.to_le_bytes());
    bytes
}

/// Where the core's bytes begin in a snapshot, with the format of the state and then its layout.
fn core_at(path: &Path, bytes: &[u8]) -> usize {
    let mut core = Vec::new();
    load(path).unwrap().1.core.save(&mut core);
    bytes.len() - 8 - core.len()
}

#[test]
fn a_start_takes_the_newest_snapshot_the_older_where_it_is_torn_and_the_whole_journal_where_there_is_none()
 {
    let scratch = Scratch::new("torn");
    let (older, newer, core) = two_snapshots_and_a_tail(&scratch);
    let (first, second) = (next_of(&older), next_of(&newer));
    assert!(0 < first && first < second);
    assert_eq!(begins_at(&scratch, &core), (second, String::new()));

    let good = fs::read(&newer).unwrap();
    for cut in 0..good.len() {
        assert!(matches!(decode(&good[..cut]), Err(Refused::Damaged)), "cut at byte {cut}");
    }
    for byte in 0..good.len() {
        let mut bad = good.clone();
        bad[byte] ^= 1 << (byte % 8);
        assert!(matches!(decode(&bad), Err(Refused::Damaged)), "byte {byte}");
    }
    for cut in (0..good.len()).step_by(good.len() / 40) {
        fs::write(&newer, &good[..cut]).unwrap();
        let (begins, said) = begins_at(&scratch, &core);
        assert_eq!(begins, first, "cut at byte {cut}");
        assert!(said.contains("is not used: it is not what was written"), "{said}");
    }
    fs::write(&older, b"").unwrap();
    let (begins, said) = begins_at(&scratch, &core);
    assert_eq!((begins, said.lines().count()), (0, 2), "{said}");
    fs::remove_dir_all(scratch.snapshots()).unwrap();
    assert_eq!(begins_at(&scratch, &core), (0, String::new()));
}

#[test]
fn a_snapshot_of_another_version_is_named_and_not_used() {
    let scratch = Scratch::new("version");
    let (older, newer, core) = two_snapshots_and_a_tail(&scratch);
    let good = fs::read(&newer).unwrap();
    let state = STATE_FORMAT.to_le_bytes();
    let core_at = core_at(&newer, &good);
    assert_eq!(good[core_at..core_at + 4], state);
    let cases = [
        (4, "it has format"),
        (core_at, "the state has format"),
        (core_at + 4, "other fields than this program's"),
    ];
    for (at, what) in cases {
        for by in [1_u8, 255] {
            let mut other = good.clone();
            other[at] = other[at].wrapping_add(by); // the next version, and the one before
            fs::write(&newer, sealed(other)).unwrap();
            let (begins, said) = begins_at(&scratch, &core);
            assert_eq!(begins, next_of(&older), "{said}");
            assert!(said.contains(what) && said.contains("this program"), "{said}");
        }
    }
}

#[test]
fn a_snapshot_of_another_journal_or_of_records_that_are_not_there_is_not_used() {
    let scratch = Scratch::new("other");
    let (older, newer, core) = two_snapshots_and_a_tail(&scratch);
    let (at, folded) = load(&newer).unwrap();
    let beyond = Position { offset: at.offset + 800, ..at };
    let mut chain = at.chain;
    chain.seal(Nanos::ZERO, &Body::Input(Event::Timer));
    for wrong in [beyond, Position { chain, ..at }, Position { segment: at.segment + 7, ..at }] {
        fs::write(&newer, encode(&wrong, &folded)).unwrap();
        let (begins, said) = begins_at(&scratch, &core);
        assert_eq!(begins, next_of(&older), "{wrong:?}: {said}");
        assert!(said.contains("is not used"), "{said}");
    }
}

#[test]
fn segments_before_the_snapshot_may_be_gone_and_those_behind_it_may_not() {
    let scratch = Scratch::new("missing");
    let (older, newer, core) = two_snapshots_and_a_tail(&scratch);
    let files = segments(&scratch.journal()).unwrap();
    assert_eq!(files.len(), 3);
    let tail = fs::read(&files[2].path).unwrap();
    // A flipped bit behind the snapshot is damage of the journal, as it always was.
    let mut bad = tail.clone();
    bad[200] ^= 1;
    fs::write(&files[2].path, &bad).unwrap();
    let error = scratch.restored().0.unwrap_err();
    assert!(matches!(&error, ReplayError::Journal(error) if error.is_damage()), "{error}");
    fs::write(&files[2].path, &tail).unwrap();

    fs::remove_file(&files[0].path).unwrap();
    let (restored, _) = scratch.restored();
    assert_eq!(restored.unwrap().core.state_hash(), core.state_hash());
    let kept = replay_kept(&scratch.journal(), &scratch.snapshots(), Expect::All, |_| ()).unwrap();
    assert_eq!((kept.core.state_hash(), kept.first), (core.state_hash(), next_of(&newer)));
    // Without a snapshot that reaches what is left, nothing can be made of it, and it says so.
    fs::remove_file(&newer).unwrap();
    let (refused, said) = scratch.restored();
    let refused = refused.unwrap_err();
    let headless = ReplayErrorIs(&refused).headless();
    assert!(headless && refused.to_string().contains("no snapshot"), "{refused}");
    assert!(
        said.contains("segment 1 is missing") && said.contains(older.to_str().unwrap()),
        "{said}"
    );
    // A segment in the middle is missing.
    let scratch = Scratch::new("middle");
    let (_, _, _) = two_snapshots_and_a_tail(&scratch);
    fs::remove_file(segment_path(&scratch.journal(), 2)).unwrap();
    let error = scratch.restored().0.unwrap_err();
    let missing = matches!(&error, ReplayError::Journal(error) if matches!(error.what, Wrong::Missing { segment: 2 }));
    assert!(missing, "{error}");
}

struct ReplayErrorIs<'a>(&'a ReplayError);

impl ReplayErrorIs<'_> {
    fn headless(&self) -> bool {
        matches!(self.0, ReplayError::Diverged { how: Divergence::Headless, .. })
    }
}

#[test]
fn what_another_program_decided_is_folded_and_listed_and_of_the_same_one_it_is_an_error() {
    let scratch = Scratch::new("program");
    let mut run = Run::begin(&scratch.journal(), 1, Core::new(), Nanos::from_secs(1_000));
    run.work(20);
    let core = run.core;
    // As a program would write that has another notion of the state.
    run.journal.close(run.now, Close { decision: core.decision_hash(), state: 1 }).unwrap();
    let (restored, _) = scratch.restored();
    let restored = restored.unwrap();
    assert_eq!(restored.core.state_hash(), core.state_hash());
    assert_eq!(restored.differences.count, 1);
    let kept = |expect| replay_kept(&scratch.journal(), &scratch.snapshots(), expect, |_| ());
    let listed = kept(Expect::Program(PROGRAM + 1)).unwrap().differences;
    assert_eq!(listed.count, 1);
    assert!(matches!(listed.first[0].1, Divergence::Hash { what: "state", journal: 1, .. }));
    for expect in [Expect::Program(PROGRAM), Expect::All] {
        let error = kept(expect).unwrap_err();
        assert!(error.to_string().contains("the state hash is"), "{error}");
    }
}

#[test]
fn a_journal_of_another_format_is_refused_with_what_to_do() {
    for (format, by) in [(FORMAT - 1, "an older version"), (FORMAT + 1, "a newer version")] {
        let scratch = Scratch::new("format");
        fs::create_dir(scratch.journal()).unwrap();
        let mut chain = Chain::new();
        let header = Header {
            format,
            segment: 1,
            config: 1,
            binary: PROGRAM,
            run: 1,
            venue: 3,
            before: chain.hash(),
            starts: true,
            fresh: true,
            mode: 0,
        };
        let mut bytes = chain.seal(Nanos::ZERO, &Body::Header(header)).to_vec();
        bytes.extend(chain.seal(Nanos::ZERO, &Body::Input(Event::Timer)));
        fs::write(segment_path(&scratch.journal(), 1), bytes).unwrap();
        let ReplayError::Journal(error) = scratch.restored().0.unwrap_err() else {
            panic!("the journal is what cannot be read");
        };
        assert!(!error.is_damage(), "nobody accepts a loss of what is whole");
        assert!(Reader::check_format(&scratch.journal()).is_err());
        let said = error.to_string();
        for words in [format!("format {format}"), format!("reads format {FORMAT}"), by.to_owned()] {
            assert!(said.contains(&words), "{words} is missing: {said}");
        }
        assert!(said.contains("Files of another version"), "{said}");
    }
}

fn following(scratch: &Scratch, begins: Position, folded: Option<Replayed>) -> Following {
    Following {
        journal: scratch.journal(),
        snapshots: scratch.snapshots(),
        applied: Box::new(|| 0),
        keep: Duration::MAX,
        begins,
        folded,
    }
}

/// A run that is followed while it is written, in segments of a few records.
#[test]
fn the_follower_comes_to_the_same_state_and_leaves_a_snapshot_of_the_end() {
    let scratch = Scratch::new("follower");
    let (mut core, mut folded, mut now) = (Core::new(), None, Nanos::from_secs(1_000));
    for number in 1..=4 {
        let mut small = Options { segment_bytes: 4_000, ..options(&scratch.journal(), number) };
        small.identity.binary = binary_hash(); // a follower follows runs of its own program
        let journal = Journal::open(small, now).unwrap();
        let follower = Follower::start(following(&scratch, journal.begins(), folded)).unwrap();
        let mut run = Run { journal, core, out: Outbox::new(), now };
        run.feed(Event::Control(Control::Start { epoch: number, first_order: number << 32 }));
        for _ in 0..20 {
            run.work(12);
            run.journal.flush().unwrap();
        }
        now = run.now.after(Nanos::from_secs(5));
        core = if number == 2 { run.die() } else { run.close() };
        let (figures, trouble) = follower.close();
        assert_eq!((trouble, figures.written), (None, 1));
        let (begins, said) = begins_at(&scratch, &core);
        assert_eq!((begins, said.as_str()), (figures.newest, ""), "nothing is left to fold");
        folded = Some(scratch.restored().0.unwrap().twin());
    }
    assert_eq!(list(&scratch.snapshots()).unwrap().len(), 4);
}

#[test]
fn a_follower_that_cannot_repeat_the_decisions_takes_no_snapshot_and_says_so() {
    let scratch = Scratch::new("doubt");
    let journal = Journal::open(options(&scratch.journal(), 1), Nanos::ZERO).unwrap();
    let begins = journal.begins();
    drop(journal);
    // The follower expects of its own program what it decides itself: this header says that it wrote the run.
    fs::remove_file(segment_path(&scratch.journal(), 1)).unwrap();
    let binary = binary_hash();
    let mut own = options(&scratch.journal(), 1);
    own.identity.binary = binary;
    let mut journal = Journal::open(own, Nanos::ZERO).unwrap();
    journal.append(Nanos::ZERO, &Body::Input(Event::Timer)).unwrap();
    journal.close(Nanos::ZERO, Close { decision: 1, state: 1 }).unwrap();
    let follower = Follower::start(following(&scratch, begins, None)).unwrap();
    let (figures, trouble) = follower.close();
    assert_eq!(figures.written, 0);
    assert!(trouble.as_ref().is_some_and(|why| why.contains("cannot be repeated")), "{trouble:?}");
    assert!(list(&scratch.snapshots()).unwrap().is_empty());
}

/// Twelve days, three runs a day, what is older than two days removed after each.
#[test]
fn what_is_removed_is_needed_by_no_start_and_by_no_look_back() {
    let scratch = Scratch::new("retention");
    let (day, keep) = (86_400, Duration::from_secs(2 * 86_400));
    let (mut core, mut all) = (Core::new(), Removed::default());
    let mut written: Vec<(Nanos, u64)> = Vec::new();
    for run in 1..=36 {
        let begin = Nanos::from_secs(20_000 * day + run * day / 3);
        let mut open = Run::begin(&scratch.journal(), run, core, begin);
        open.work(8);
        core = open.close();
        let folded = scratch.restored().0.unwrap();
        let mut reader = Reader::open(&scratch.journal()).unwrap();
        while let Some(Record { seq, now, .. }) = reader.next_record().unwrap() {
            if written.last().is_none_or(|(_, last)| *last < seq) {
                written.push((now, seq));
            }
        }
        write(&scratch.snapshots(), &reader.place().unwrap(), &folded).unwrap();
        if run == 20 {
            // The database is behind: nothing goes.
            let none = shorten(&scratch.journal(), &scratch.snapshots(), 3, folded.last, keep);
            assert_eq!(none.unwrap(), Removed::default());
            fs::write(scratch.snapshots().join("snapshot-00000000000000000009.sfs.tmp7"), "half")
                .unwrap();
        }
        let removed =
            shorten(&scratch.journal(), &scratch.snapshots(), u64::MAX, folded.last, keep).unwrap();
        all.segments += removed.segments;
        all.snapshots += removed.snapshots;

        let (restored, said) = scratch.restored();
        assert_eq!(restored.unwrap().core.state_hash(), core.state_hash(), "run {run}");
        assert_eq!(said, "", "run {run}");
        let newest = list(&scratch.snapshots()).unwrap();
        assert!(newest.len() >= 2.min(run as usize), "run {run}: {newest:?}");
        // The older of the newest two is enough as well.
        let aside = newest[0].path.with_extension("aside");
        fs::rename(&newest[0].path, &aside).unwrap();
        assert_eq!(scratch.restored().0.unwrap().core.state_hash(), core.state_hash(), "run {run}");
        fs::rename(&aside, &newest[0].path).unwrap();
        // All of the last two days can be folded again, decisions and all.
        let kept =
            replay_kept(&scratch.journal(), &scratch.snapshots(), Expect::All, |_| ()).unwrap();
        assert_eq!(kept.core.state_hash(), core.state_hash());
        let since = folded.last.get() - u64::try_from(keep.as_nanos()).unwrap();
        let first_needed = written.iter().find(|(now, _)| now.get() > since).unwrap().1;
        assert!(kept.first <= first_needed, "run {run}: {} of {first_needed}", kept.first);
    }
    let left = segments(&scratch.journal()).unwrap().len();
    assert!(
        (6..=9).contains(&left),
        "{left} segments: two days of three, and the one they begin in"
    );
    assert_eq!(all.segments as usize + left, 36);
    let snapshots = fs::read_dir(scratch.snapshots()).unwrap().count();
    assert!((3..=6).contains(&snapshots), "{snapshots} snapshots: the newest two, and one a day");
    // A start can go back to no snapshot of another version: while one of this version is all there is, nothing goes.
    let older = list(&scratch.snapshots()).unwrap().split_off(1);
    let older: Vec<_> =
        older.iter().map(|file| (&file.path, fs::read(&file.path).unwrap())).collect();
    for (path, good) in &older {
        let mut other = good.clone();
        other[core_at(path, good) + 4] ^= 1;
        fs::write(path, sealed(other)).unwrap();
    }
    let (journal, snapshots) = (scratch.journal(), scratch.snapshots());
    let none = shorten(&journal, &snapshots, u64::MAX, Nanos::NEVER, Duration::ZERO);
    assert_eq!(none.unwrap(), Removed::default());
    for (path, good) in &older {
        fs::write(path, good).unwrap();
    }
    // Nothing is kept for looks back: the newest two and their segments stay.
    shorten(&scratch.journal(), &scratch.snapshots(), u64::MAX, Nanos::NEVER, Duration::ZERO)
        .unwrap();
    assert_eq!(list(&scratch.snapshots()).unwrap().len(), 2);
    assert_eq!(segments(&scratch.journal()).unwrap().len(), 2);
    assert_eq!(scratch.restored().0.unwrap().core.state_hash(), core.state_hash());
}
