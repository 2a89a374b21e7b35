//! Drawn histories: whatever comes in whatever order, the rules of the policy hold after each step.

use std::collections::BTreeSet;
use std::time::Duration;

use surefoot_hot::event::{Control, Event};
use surefoot_hot::ids::Venue;
use surefoot_hot::risk::HaltWhy;

use super::desk::{Desk, SECOND};
use crate::policy::{Asked, HaltCause, ReadResult, RequestId, Want};

/// How many histories are drawn, and of how many steps each is.
const SEEDS: u64 = 1_000;
const STEPS: u32 = 400;

/// A small generator: the same seed, the same history.
struct Draw(u64);

impl Draw {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % bound
    }
}

/// What must hold of everything that was wanted, in order.
#[derive(Default)]
struct Rules {
    asked: BTreeSet<u64>,
    answered: BTreeSet<u64>,
    /// Halts that anybody wanted, counted: by requests, by the epoch, by trips.
    halts: u64,
    /// How many stood when the newest resume was asked for.
    at_question: u64,
    epoch: u64,
    /// The resume that has removed the latch, until it is answered.
    unlatched: Option<RequestId>,
    closed: bool,
}

impl Rules {
    fn check(&mut self, wants: &[Want], desk: &Desk) {
        for (at, want) in wants.iter().enumerate() {
            assert!(!self.closed, "nothing is wanted after the end: {want:?}");
            match want {
                Want::Answer { request, outcome } => {
                    assert!(self.asked.contains(&request.0), "somebody asked");
                    assert!(self.answered.insert(request.0), "an answer is given once");
                    if self.unlatched == Some(*request) {
                        self.unlatched = None;
                        let holds = outcome.is_ok() || desk.policy.is_latched();
                        assert!(holds, "a resume that fails leaves it halted");
                    }
                }
                Want::Unlatch(request) => self.unlatched = desk.unlatches.then_some(*request),
                Want::Tell(Event::Control(Control::Resume { epoch })) => {
                    assert_eq!(self.halts, self.at_question, "something came after the question");
                    assert!(*epoch > self.epoch, "the epoch grows");
                    assert!(!desk.seen.kill_file && !desk.seen.journal_failed);
                    assert!(desk.seen.still.is_none() && !desk.seen.directory_lost);
                    self.epoch = *epoch;
                }
                Want::Tell(Event::Control(Control::Halt { epoch, .. })) => {
                    assert!(*epoch > self.epoch, "the epoch grows");
                    self.epoch = *epoch;
                }
                Want::Latch(cause) if cause.why().is_some() => {
                    assert_eq!(wants[at - 2], Want::Advance, "first the epoch");
                    let told = &wants[at - 1];
                    let is_told = matches!(told, Want::Tell(Event::Control(Control::Halt { .. })));
                    assert!(is_told, "then the core");
                }
                Want::Close { .. } => {
                    assert_eq!(self.asked, self.answered, "nobody is left without an answer");
                    self.closed = true;
                }
                Want::Latch(HaltCause::CoreTripped) => {
                    assert!(desk.seen.core.halted.is_some() && desk.policy.is_open());
                }
                Want::Latch(_)
                | Want::Read(_)
                | Want::Tell(_)
                | Want::Advance
                | Want::Say(_)
                | Want::Opened
                | Want::CancelWithoutCore
                | Want::Stopping
                | Want::ReadAtEnd => {}
            }
        }
    }
}

/// One thing that happens, and whether a look around follows.
fn happen(desk: &mut Desk, draw: &mut Draw, rules: &mut Rules) {
    let ask = |desk: &mut Desk, rules: &mut Rules, asked| {
        let RequestId(number) = desk.ask(asked);
        rules.asked.insert(number);
    };
    match draw.below(26) {
        0 => {
            rules.halts += 1;
            ask(desk, rules, Asked::Halt { why: HaltWhy::Operator });
        }
        1..=3 => {
            if !desk.policy.is_resuming() {
                rules.at_question = rules.halts;
            }
            let since = desk.now;
            ask(desk, rules, Asked::Resume { since });
        }
        4 if draw.below(20) == 0 => ask(desk, rules, Asked::Stop),
        5 if draw.below(4) == 0 => {
            rules.halts += 1;
            desk.seen.epoch += 1;
            desk.seen.epoch_is_cores = false;
        }
        6 if draw.below(4) == 0 => {
            rules.halts += 1;
            desk.seen.core.trips += 1;
            desk.seen.core.tripped = Some(HaltWhy::Group);
            if desk.seen.core.halted.is_none() {
                desk.seen.core.halted = Some(HaltWhy::Group);
                (desk.seen.epoch, desk.seen.epoch_is_cores) = (desk.seen.epoch + 1, true);
                desk.seen.core.epoch = desk.seen.epoch;
            }
            desk.publish();
        }
        7 => desk.seen.kill_file = draw.below(3) == 0,
        23 => desk.seen.directory_lost = draw.below(12) == 0,
        8 => desk.seen.still = (draw.below(3) == 0).then_some("core"),
        9 => desk.seen.streams_up = draw.below(3) > 0,
        10..=15 => {
            let venue = Venue::ALL[usize::try_from(draw.below(2)).unwrap()];
            let result = match draw.below(12) {
                0 => ReadResult::Failed,
                1 => ReadResult::Refused,
                2 => ReadResult::NotBegun,
                3 => ReadResult::WithoutResults,
                4 if draw.below(40) == 0 => ReadResult::Lost,
                _ => ReadResult::Whole,
            };
            if desk.reading[venue] {
                rules.halts += u64::from(result == ReadResult::Lost);
                desk.read(venue, result);
            }
        }
        16..=18 => desk.compare(draw.below(4) > 0),
        19..=20 if desk.seen.epoch == desk.policy.epoch() => desk.obey(),
        21 => desk.seen.core.unread = draw.below(2) == 0,
        24 => desk.seen.core.orders_unknown = [0, 1, 40][draw.below(3) as usize],
        22 => desk.unlatches = draw.below(8) > 0,
        _ => desk.publish(),
    }
}

#[test]
fn whatever_comes_in_whatever_order_the_rules_hold() {
    let (mut resumed, mut opened, mut closed) = (0, 0, 0);
    for seed in 1..=SEEDS {
        let mut draw = Draw(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mut desk = Desk::begin(draw.below(2) == 0);
        let mut rules = Rules { epoch: 100, ..Rules::default() };
        for _ in 0..STEPS {
            happen(&mut desk, &mut draw, &mut rules);
            let stalled = desk.policy.is_stalled();
            let wants = desk.take();
            rules.check(&wants, &desk);
            let pause = if draw.below(50) == 0 { 9_000 } else { 1 + draw.below(300) };
            let latched = desk.policy.is_latched();
            let halts = desk.seen.still.is_some() && !stalled && !latched;
            rules.halts += u64::from(halts);
            desk.look_after(Duration::from_millis(pause));
            let wants = desk.take();
            let is_resume =
                |want: &&Want| matches!(want, Want::Tell(Event::Control(Control::Resume { .. })));
            resumed += wants.iter().filter(is_resume).count();
            opened += wants.iter().filter(|want| **want == Want::Opened).count();
            rules.check(&wants, &desk);
            if rules.closed {
                closed += 1;
                break;
            }
        }
    }
    assert!(resumed > 50 && opened > 100 && closed > 50, "{resumed} {opened} {closed}");
}

#[test]
fn nothing_is_wanted_before_the_deadline_where_nothing_is_seen() {
    let mut waits = 0;
    for seed in 1..=SEEDS {
        let mut draw = Draw(seed.wrapping_mul(0xd134_2543_de82_ef95));
        let mut desk = Desk::begin(false);
        let mut rules = Rules::default();
        for _ in 0..STEPS {
            happen(&mut desk, &mut draw, &mut rules);
            // What was seen is taken in; the second look sees nothing new.
            desk.look();
            desk.look();
            desk.take();
            let due = desk.policy.poll_deadline();
            assert!(
                due > desk.now,
                "seed {seed}: nothing comes of a look at {due:?}: {:?}",
                desk.now
            );
            let deadline = desk.policy.poll_deadline().min(desk.now + SECOND * 100);
            if draw.below(4) > 0 {
                continue;
            }
            if let Some(left) = deadline.checked_sub(desk.now + Duration::from_nanos(1)) {
                waits += u32::from(left > SECOND);
                desk.look_after(left);
                assert_eq!(desk.take(), [], "seed {seed}, before {deadline:?}");
            }
        }
    }
    assert!(waits > 1_000, "{waits}");
}
