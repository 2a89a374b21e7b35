//! Simulated days: the production core, sessions, executors, readers and run policy with the twin's venues, under virtual time.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use surefoot::sim::fault::{self, FaultKind};
use surefoot::sim::plan::{Quotes, Through};
use surefoot::sim::{self, Outcome, Plan, Verb};
use surefoot_cold::directory::Entry;
use surefoot_cold::reconcile::{Reader, Truth, TruthError};
use surefoot_hot::event::{Control, Event};
use surefoot_hot::ids::{MarketId, Venue};
use surefoot_hot::intent::Intent;
use surefoot_hot::order::Purpose;
use surefoot_hot::units::{Nanos, Qty, Usd};

/// A short day: long enough for trades, results of markets, a halt, and some fifty readings of each venue.
const SPAN: Nanos = Nanos::from_secs(600);

fn day(seed: u64, span: Nanos) -> Outcome {
    // Every invariant was checked after each event, and both sides agree at the end: else there is no outcome.
    sim::run(seed, span).unwrap_or_else(|broken| panic!("seed {seed}: {broken}"))
}

/// When something happened that a test looks at, in milliseconds since the first event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seen {
    /// The core was told that a reading of this venue was whole.
    Read(Venue),
    /// The core was told to halt.
    Halt,
    /// The core was told to resume.
    Resume,
    /// The core was told to stop.
    Stop,
    /// An order that opens a basket was decided.
    Leg,
}

/// What is seen of a day, with its time.
type Log = Rc<RefCell<Vec<(u64, Seen)>>>;

/// Keeps what a test looks at.
fn watch(plan: Plan) -> (Plan, Log) {
    let log = Log::default();
    let to = Rc::clone(&log);
    let begun = Cell::new(None);
    let listener: sim::Listener = Box::new(move |now, event, out| {
        let begin = begun.get().unwrap_or(now);
        begun.set(Some(begin));
        let at = now.since(begin).millis();
        let told = match event {
            Event::Control(Control::Reconciled { venue, clean: true }) => Some(Seen::Read(*venue)),
            Event::Control(Control::Halt { .. }) => Some(Seen::Halt),
            Event::Control(Control::Resume { .. }) => Some(Seen::Resume),
            Event::Control(Control::Stop) => Some(Seen::Stop),
            _ => None,
        };
        to.borrow_mut().extend(told.map(|seen| (at, seen)));
        let is_leg = |intent: &&Intent| matches!(intent, Intent::Place(order) if order.purpose == Purpose::Leg);
        to.borrow_mut().extend(out.intents().iter().filter(is_leg).map(|_| (at, Seen::Leg)));
    });
    (Plan { listener, ..plan }, log)
}

/// When this was seen.
fn times(log: &Log, what: Seen) -> Vec<u64> {
    log.borrow().iter().filter(|(_, seen)| *seen == what).map(|(at, _)| *at).collect()
}

#[test]
fn short_days_trade_hold_every_invariant_and_end_with_nothing_in_flight() {
    let mut completed = 0;
    for seed in 1..=3 {
        let outcome = day(seed, SPAN);
        eprintln!("{}", outcome.line());
        assert_eq!(outcome.operator, 0, "{outcome:?}");
        assert!(outcome.frames > 300 && outcome.events > 3_000, "{outcome:?}");
        assert_eq!((outcome.shell.halts, outcome.shell.resumes), (1, 1), "{outcome:?}");
        completed += outcome.completed;
    }
    assert!(completed >= 3, "{completed} baskets in three days");
}

#[test]
fn the_same_seed_gives_the_same_day_to_the_bit_and_another_seed_another() {
    let span = Nanos::from_secs(300);
    let (first, again, other) = (day(7, span), day(7, span), day(8, span));
    assert_eq!(first, again, "decisions, state and every byte on the wire");
    assert_ne!(first.wire_hash, other.wire_hash);
    assert_ne!(first.state_hash, other.state_hash);
}

/// Seeds that bring two faults or more of this kind.
fn with_many(kind: FaultKind, span: Nanos) -> impl Iterator<Item = u64> {
    let count =
        move |seed| fault::of_seed(seed, span).iter().filter(|fault| fault.kind == kind).count();
    (1..1_000).filter(move |seed| count(*seed) >= 2)
}

#[test]
fn days_on_which_much_goes_wrong_hold_every_invariant_and_come_to_rest() {
    let span = Nanos::from_secs(1_800);
    let (mut faults, mut starts, mut completed) = (0, 0, 0);
    for seed in with_many(FaultKind::Killed, span)
        .take(2)
        .chain(with_many(FaultKind::TradesFail, span).take(1))
    {
        let outcome = day(seed, span);
        eprintln!("{}", outcome.line());
        faults += outcome.faults.values().sum::<u64>();
        (starts, completed) = (starts + outcome.starts, completed + outcome.completed);
    }
    assert!(faults >= 10 && starts >= 4, "{faults} faults, {starts} starts");
    assert!(completed >= 20, "{completed} baskets");
}

#[test]
fn a_seed_with_faults_gives_the_same_day_to_the_bit() {
    let span = Nanos::from_secs(1_800);
    let seed = with_many(FaultKind::Killed, span).next().expect("some seed kills");
    let (first, again) = (day(seed, span), day(seed, span));
    assert!(first.starts > 0 && !first.faults.is_empty(), "{first:?}");
    assert_eq!(first, again, "faults, restarts, decisions, state and every byte on the wire");
}

#[test]
fn looks_and_readings_that_find_nothing_new_alter_nothing() {
    let span = Nanos::from_secs(1_800);
    let seed = with_many(FaultKind::Killed, span).next().expect("some seed kills");
    let short = day(seed, span);
    let plan = Plan { idle: true, ..Plan::of(seed, span) };
    let mut every = sim::run_planned(seed, span, plan).expect("the day holds");
    assert!(short.starts > 0 && !short.faults.is_empty(), "{short:?}");
    // A program that is down looks at nothing.
    assert!(every.shell.looks > span.millis() / 25, "{every:?}");
    assert!(short.shell.looks < every.shell.looks / 5, "{short:?}");
    every.shell.looks = short.shell.looks;
    assert_eq!(short, every, "decisions, state, every byte on the wire, and what the policy did");
}

/// What a person buys has no partner. By the setting it is told alone, or a stop-loss sells it: a limit, and what that leaves at the bid;
/// or its partner is bought.
#[test]
fn what_is_bought_without_a_partner_is_sold_or_completed_where_that_is_wanted() {
    let stops = |seed, unpaired| {
        let plan = Plan { quotes: Quotes::Often, unpaired, ..Plan::quiet() };
        let outcome = sim::run_planned(seed, Nanos::from_secs(1_800), plan);
        let outcome = outcome.unwrap_or_else(|broken| panic!("policy {unpaired}: {broken}"));
        assert!(outcome.alarms.contains_key("unpaired"), "{outcome:?}");
        (outcome.stops, outcome.stops_fallen, outcome.completions)
    };
    assert_eq!(stops(21, 0), (0, 0, 0), "a person is told");
    let (begun, fallen, completed) = stops(21, 2);
    assert!(begun > 0 && fallen <= begun, "{begun} begun, {fallen} sold at the bid");
    assert_eq!(completed, 0);
    assert!(stops(37, 3).2 > 0, "a partner was worth it");
}

/// The policy's own times, with a look's period and the counters' age.
#[test]
fn both_venues_are_read_at_the_start_and_then_every_twelve_seconds() {
    let (plan, log) = watch(Plan::quiet());
    let outcome = sim::run_planned(11, SPAN, plan).expect("the day holds");
    let mut readings = 0;
    for venue in Venue::ALL {
        let read = times(&log, Seen::Read(venue));
        readings += read.len() as u64;
        assert!(read[0] < 500, "{venue:?} is first read {} ms into the day", read[0]);
        let pauses: Vec<_> = read.windows(2).map(|two| two[1] - two[0]).collect();
        assert!(pauses.iter().all(|pause| *pause <= 12_150), "{venue:?}: {pauses:?}");
        let regular = pauses.iter().filter(|pause| (11_900..=12_150).contains(*pause)).count();
        assert!(regular >= 30, "{venue:?}: {regular} of {pauses:?}");
    }
    assert_eq!(outcome.shell.readings, readings, "each that was told was counted");
    let first_leg = times(&log, Seen::Leg).first().copied().expect("something is bought");
    let agreed = Venue::ALL.map(|venue| times(&log, Seen::Read(venue))[0]);
    assert!(agreed.iter().all(|read| *read < first_leg), "{agreed:?}, {first_leg}");
}

#[test]
fn a_halt_opens_nothing_until_it_is_lifted_and_then_trading_goes_on() {
    let secs = Nanos::from_secs;
    let requests = vec![(secs(200), Verb::Halt), (secs(400), Verb::Resume)];
    let (plan, log) = watch(Plan { requests, ..Plan::quiet() });
    let outcome = sim::run_planned(12, SPAN, plan).expect("the day holds");
    assert_eq!((outcome.shell.halts, outcome.shell.resumes), (1, 1), "{outcome:?}");
    let (halt, resume) = (times(&log, Seen::Halt), times(&log, Seen::Resume));
    let ([halt], [resume]) = (halt.as_slice(), resume.as_slice()) else {
        panic!("told once each: {halt:?}, {resume:?}");
    };
    assert!((200_000..200_100).contains(halt), "{halt}");
    // The venues are agreed with first: a reading there and back, and counters that show it.
    assert!((400_080..402_000).contains(resume), "{resume}");
    let legs = times(&log, Seen::Leg);
    let during = legs.iter().filter(|at| (halt..resume).contains(at)).count();
    let after = legs.iter().filter(|at| *at > resume).count();
    assert_eq!(during, 0, "{legs:?}");
    assert!(legs[0] < *halt && after > 0, "{legs:?}");
}

#[test]
fn a_run_that_is_asked_to_stop_ends_when_it_was_asked() {
    let requests = vec![(Nanos::from_secs(100), Verb::Stop)];
    let (plan, log) = watch(Plan { requests, ..Plan::quiet() });
    sim::run_planned(13, SPAN, plan).expect("the day holds");
    let stop = times(&log, Seen::Stop);
    assert!(stop.len() == 1 && (100_000..100_100).contains(&stop[0]), "{stop:?}");
    let last = log.borrow().last().map_or(0, |(at, _)| *at);
    assert!(last < 145_000, "nothing goes on after the end: {last} ms");
}

// --- that the checks can fail ---

/// A venue that does not tell the truth, from one reading on.
struct Liar {
    inner: Box<dyn Reader>,
    readings: Cell<u64>,
    /// The first reading that is not true, counted from 1.
    from: u64,
    lie: fn(u64, Truth) -> Result<Truth, TruthError>,
}

impl Reader for Liar {
    fn venue(&self) -> Venue {
        self.inner.venue()
    }

    fn truth(&self) -> Result<Truth, TruthError> {
        let nth = self.readings.get() + 1;
        self.readings.set(nth);
        let truth = self.inner.truth()?;
        if nth < self.from { Ok(truth) } else { (self.lie)(nth, truth) }
    }

    fn history(&self, market: MarketId) -> Result<Option<(Qty, Qty)>, TruthError> {
        self.inner.history(market)
    }

    fn follow(&mut self, entry: &Entry) {
        self.inner.follow(entry);
    }
}

/// A day on which one venue lies.
fn lying(from: u64, lie: fn(u64, Truth) -> Result<Truth, TruthError>) -> (Plan, Log) {
    let through: Through = Box::new(move |inner| match inner.venue() {
        Venue::Kalshi => Box::new(Liar { inner, readings: Cell::new(0), from, lie }),
        Venue::Polymarket => inner,
    });
    watch(Plan { through, ..Plan::quiet() })
}

/// Takes away so many cents of the cash of each account.
fn less(cents: u64, mut truth: Truth) -> Truth {
    for (_, cash) in &mut truth.cash {
        *cash -= Usd::from_micros(i64::try_from(cents * 10_000).expect("it is little"));
    }
    truth
}

#[test]
fn a_venue_whose_cash_is_another_at_each_reading_is_not_agreed_with_and_nothing_is_opened() {
    let (plan, log) = lying(1, |nth, truth| Ok(less(nth, truth)));
    let broken = sim::run_planned(14, SPAN, plan).expect_err("the venue is not agreed with");
    assert_eq!(broken.id, "P1", "{broken}");
    let why = "attempt 1 to agree with the venues failed: the figures of kalshi differ from ours";
    assert!(broken.what == why && broken.at < Nanos::from_secs(46), "{broken}");
    assert_eq!(times(&log, Seen::Leg), [0; 0]);
}

#[test]
fn a_venue_that_cannot_be_read_once_ends_the_day() {
    let (plan, log) = lying(20, |_, _| Err(TruthError::Account(Venue::Kalshi)));
    let broken = sim::run_planned(15, SPAN, plan).expect_err("a reading failed");
    assert_eq!((broken.id, times(&log, Seen::Read(Venue::Kalshi)).len()), ("P1", 19), "{broken}");
    assert!(broken.what.contains("another account than ours"), "{broken}");
}

#[test]
fn a_venue_whose_cash_differs_in_the_middle_of_a_day_ends_the_day() {
    let (plan, log) = lying(10, |nth, truth| Ok(less(nth, truth)));
    let broken = sim::run_planned(16, SPAN, plan).expect_err("a reading differs");
    let why = "the figures of kalshi differ from ours";
    assert_eq!((broken.id, broken.what.as_str()), ("P1", why), "{broken}");
    assert_eq!(times(&log, Seen::Read(Venue::Kalshi)).len(), 10, "at the reading that differs");
}

#[test]
fn a_request_that_is_refused_ends_the_day() {
    let at = Nanos::from_secs(60);
    let requests = vec![(at, Verb::Resume), (at, Verb::Resume)];
    let (plan, log) = watch(Plan { requests, ..Plan::quiet() });
    let broken = sim::run_planned(17, SPAN, plan).expect_err("one resume is under way");
    assert_eq!((broken.id, broken.what.as_str()), ("S12", "Resume was refused: Busy"));
    assert_eq!(times(&log, Seen::Resume), [0; 0], "nothing is lifted");
}
