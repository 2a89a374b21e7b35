//! Sinks that block, fail, panic and are slow, beside one that does none of that.

use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use surefoot_hot::ids::{MarketId, OrderId};
use surefoot_hot::note::{Alarm, Note, Place};
use surefoot_hot::units::Nanos;

use super::super::sink::Interest;
use super::*;

/// More than any queue of these tests holds.
const NOTES: u64 = 500;
const ROOM: u64 = 100;
/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a sink does with what it is handed.
enum Way {
    Keeps,
    /// With what it is handed first, until it is let go.
    Blocks(Arc<Gate>),
    /// A moment for each call.
    Crawls,
    Fails,
    /// At the first note.
    Panics,
}

/// Where a sink is held.
#[derive(Default)]
struct Gate {
    /// It is held: what is told from here on waits or is dropped.
    reached: AtomicBool,
    open: AtomicBool,
}

struct Probe {
    name: &'static str,
    way: Way,
    room: u64,
    got: Arc<Mutex<Vec<String>>>,
    ends_within: Duration,
}

impl Sink for Probe {
    fn name(&self) -> &'static str {
        self.name
    }

    fn interest(&self) -> Interest {
        let all = Some(Severity::Info);
        Interest { records: false, core_notes: all, run_notes: all, figures: false }
    }

    fn waiting_max(&self) -> u64 {
        self.room
    }

    fn ends_within(&self) -> Duration {
        self.ends_within
    }

    fn take(&mut self, seen: &[Arc<Observation>]) -> Result<(), String> {
        match &self.way {
            Way::Keeps => {}
            Way::Blocks(gate) => {
                gate.reached.store(true, Ordering::Relaxed);
                while !gate.open.load(Ordering::Relaxed) {
                    thread::sleep(Duration::from_millis(1));
                }
            }
            Way::Crawls => thread::sleep(Duration::from_millis(2)),
            Way::Fails => return Err("the disk is full".into()),
            Way::Panics => panic!("a mistake of this sink"),
        }
        for seen in seen {
            if let Observation::Note(note) = &**seen {
                self.got.lock().unwrap().push(note.text.clone());
            }
        }
        Ok(())
    }
}

struct Rig {
    observer: Observer,
}

impl Rig {
    fn new() -> Self {
        Self { observer: Observer::start().unwrap() }
    }

    fn add(&mut self, name: &'static str, way: Way, room: u64) -> Arc<Mutex<Vec<String>>> {
        let got = Arc::default();
        let ends_within = match way {
            Way::Blocks(_) => Duration::from_millis(50),
            _ => PATIENCE,
        };
        let probe = Probe { name, way, room, got: Arc::clone(&got), ends_within };
        self.observer.add(probe).unwrap();
        got
    }

    /// Tells a note and waits until the observer has handed it on.
    fn tell(&self, nth: u64) {
        let note =
            ToldNote::of_run(("test", Severity::Info), NamedPlace::default(), nth.to_string());
        self.observer.announcer().note(note);
    }

    fn tell_all(&self) {
        self.tell_each(0..NOTES);
    }

    fn tell_each(&self, notes: Range<u64>) {
        for nth in notes {
            self.tell(nth);
            if nth % 50 == 0 {
                self.until("the observer has handed on", |rig| rig.observer.counts().waiting == 0);
            }
        }
    }

    fn watch(&self, name: &str) -> &SinkWatch {
        self.observer.watches().iter().find(|watch| watch.name == name).unwrap()
    }

    fn until(&self, what: &str, is: impl Fn(&Self) -> bool) {
        let begin = Instant::now();
        while !is(self) {
            assert!(begin.elapsed() < PATIENCE, "never: {what}");
            thread::yield_now();
        }
    }
}

fn all() -> Vec<String> {
    (0..NOTES).map(|nth| nth.to_string()).collect()
}

/// The others get everything, in order, while one stands still, and what it missed is counted.
#[test]
fn a_sink_that_blocks_holds_nobody_up() {
    let mut rig = Rig::new();
    let gate = Arc::new(Gate::default());
    let stuck = rig.add("stuck", Way::Blocks(Arc::clone(&gate)), ROOM);
    let well = rig.add("well", Way::Keeps, NOTES);
    // A sink is handed all that waits at once: it must stand still before more is told, or it takes in a part of that too.
    rig.tell(0);
    rig.until("it stands still", |_| gate.reached.load(Ordering::Relaxed));
    rig.tell_each(1..NOTES);
    rig.until("the other has all", |_| well.lock().unwrap().len() as u64 == NOTES);
    assert_eq!(*well.lock().unwrap(), all());
    let counts = rig.watch("stuck").counts();
    assert_eq!((counts.taken, counts.failed, counts.ended), (0, 0, false));
    assert_eq!((counts.waiting, counts.dropped), (ROOM, NOTES - 1 - ROOM));
    let errors = rig.observer.close();
    assert_eq!(errors, ["stuck: it did not end within 50ms"], "it is left behind");
    assert!(stuck.lock().unwrap().is_empty());
    gate.open.store(true, Ordering::Relaxed);
}

#[test]
fn a_sink_that_panics_ends_alone() {
    let mut rig = Rig::new();
    rig.add("bad", Way::Panics, NOTES);
    let well = rig.add("well", Way::Keeps, NOTES);
    rig.tell(0);
    rig.until("it has ended", |rig| rig.watch("bad").counts().ended);
    assert_eq!(rig.observer.ended(), ["bad"]);
    for nth in 1..NOTES {
        rig.tell(nth);
    }
    rig.until("the other has all", |_| well.lock().unwrap().len() as u64 == NOTES);
    rig.until("all is counted", |rig| rig.watch("bad").counts().taken == NOTES);
    let counts = rig.watch("bad").counts();
    assert_eq!((counts.failed, counts.dropped, counts.waiting), (NOTES, 0, 0));
    let errors = rig.observer.close();
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert!(errors[0].starts_with("bad: an assertion failed"), "{errors:?}");
}

#[test]
fn a_sink_that_fails_is_counted_and_tried_again() {
    let mut rig = Rig::new();
    rig.add("full", Way::Fails, NOTES);
    let well = rig.add("well", Way::Keeps, NOTES);
    rig.tell_all();
    rig.until("it was handed all", |rig| rig.watch("full").counts().taken == NOTES);
    let watch = rig.watch("full").clone();
    assert_eq!((watch.counts().failed, watch.counts().dropped), (NOTES, 0));
    assert_eq!(watch.trouble().as_deref(), Some("the disk is full"));
    assert!(rig.observer.ended().is_empty());
    let errors = rig.observer.close();
    assert_eq!(errors, [format!("full: {NOTES} items were lost, the last ones: the disk is full")]);
    assert_eq!(*well.lock().unwrap(), all());
}

/// What was told before the end is there after it, for a sink that takes its time too.
#[test]
fn a_sink_that_is_slow_has_all_of_it_at_the_end() {
    let mut rig = Rig::new();
    let slow = rig.add("slow", Way::Crawls, NOTES);
    rig.tell_all();
    assert_eq!(rig.observer.close(), [""; 0]);
    assert_eq!(*slow.lock().unwrap(), all());
    rig.tell(0); // after the end: lost, and nobody waits for it
    assert_eq!(rig.observer.close(), [""; 0]);
}

/// The core's notes come out of the journal's records with code, severity, place and words.
#[test]
fn notes_of_the_core_are_told_from_its_records() {
    let mut rig = Rig::new();
    let got = rig.add("well", Way::Keeps, NOTES);
    let place = Place { order: Some(OrderId::new(9)), ..Place::of_market(MarketId::new(3)) };
    let note = Note::Alarm { what: Alarm::Overfill, place };
    let record = Record { seq: 5, now: Nanos::from_secs(7), body: Body::Note(note) };
    let timer = Record { body: Body::Input(surefoot_hot::event::Event::Timer), ..record };
    assert!(rig.observer.records().push(2, vec![timer, record]));
    assert_eq!(rig.observer.close(), [""; 0]);
    assert_eq!(*got.lock().unwrap(), ["An order filled beyond its quantity"]);
}
