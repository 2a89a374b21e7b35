//! What becomes of a run whose main thread fails an assertion. It ends as any other run does, with nothing left resting: by a
//! new policy, for it may be the policy that has failed, and where that fails too, by nothing that was looked at.

use std::panic::{AssertUnwindSafe, catch_unwind};

use surefoot_cold::policy::{Closing, Ending};

/// Goes on until the run closes, whatever fails. After the first failure `begin_anew` puts a new policy in, which halts and ends
/// the run; after the second `halt` is all that is done, and what rests is cancelled without the core.
pub(super) fn until_closed<R>(
    run: &mut R,
    go_on: impl Fn(&mut R) -> (Ending, Closing),
    begin_anew: impl FnOnce(&mut R),
    halt: impl FnOnce(&mut R),
) -> (Ending, Closing) {
    let closed = catch_unwind(AssertUnwindSafe(|| go_on(run)));
    let closed = closed.or_else(|_| {
        catch_unwind(AssertUnwindSafe(|| {
            begin_anew(run);
            go_on(run)
        }))
    });
    closed.unwrap_or_else(|_| {
        halt(run);
        (Ending::MainThread, Closing::WithoutCore)
    })
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::time::Duration;

    use surefoot_cold::policy::{
        Asked, HaltCause, Policy, PolicyOptions, ReadResult, ReadTimes, RequestId, Seen, Want,
    };
    use surefoot_hot::event::{Control, Event};
    use surefoot_hot::per_venue::PerVenue;

    use super::super::last_reading::AtEnd;
    use super::*;

    const LOOK: Duration = Duration::from_millis(20);
    /// A run that has not closed after so many looks never does.
    const LOOKS_MAX: u32 = 20_000;

    /// A run without threads or sockets: the production policy, a core that is idle and agrees with everything at once, and venues
    /// that answer at the look after the question.
    struct Run {
        policy: Policy,
        now: Duration,
        looks: u32,
        seen: Seen,
        reading: PerVenue<bool>,
        at_end: AtEnd,
        /// How often somebody was sent to read the venues for the report.
        sent: u32,
        /// Before which wants the main thread fails, each once.
        fails: VecDeque<Want>,
        /// Whether it fails while the venues are read for the report, once.
        fails_in_reading: bool,
        failed: u32,
        done: Vec<Want>,
    }

    const fn options(epoch: u64) -> PolicyOptions {
        let read = ReadTimes { every: Duration::from_secs(12), again: Duration::from_secs(5) };
        PolicyOptions { epoch, latched: false, read, span: None }
    }

    impl Run {
        fn new(fails: impl IntoIterator<Item = Want>) -> Self {
            Self {
                policy: Policy::new(options(1)),
                now: Duration::ZERO,
                looks: 0,
                seen: Seen { streams_up: true, epoch: 1, ..Seen::default() },
                reading: PerVenue::all(false),
                at_end: AtEnd::default(),
                sent: 0,
                fails: fails.into_iter().collect(),
                fails_in_reading: false,
                failed: 0,
                done: Vec::new(),
            }
        }

        fn until_closed(&mut self) -> (Ending, Closing) {
            while self.looks < LOOKS_MAX {
                self.looks += 1;
                self.now += LOOK;
                if let Some(closed) = self.look() {
                    return closed;
                }
            }
            panic!("it never ends: {:#?}", self.done)
        }

        fn look(&mut self) -> Option<(Ending, Closing)> {
            if self.sent > 0 && std::mem::take(&mut self.fails_in_reading) {
                self.failed += 1;
                panic!("as the test asks for");
            }
            for (venue, under_way) in self.reading {
                if under_way {
                    self.reading[venue] = false;
                    self.policy.on_read(self.now, venue, ReadResult::Whole);
                }
            }
            if self.at_end.look().is_some_and(|(_, is_over)| is_over) {
                self.policy.on_read_at_end(self.now);
            }
            if self.looks == 100 {
                self.policy.on_asked(self.now, RequestId(1), Asked::Stop);
            }
            self.seen.core_now = surefoot_hot::units::Nanos::from_secs(self.looks.into());
            (self.seen.core.heard, self.seen.core.agreed) = (u64::from(self.looks), true);
            self.seen.core.compared_since = PerVenue::all(self.seen.core_now);
            self.policy.on_seen(self.now, &self.seen);
            self.carry_out()
        }

        fn carry_out(&mut self) -> Option<(Ending, Closing)> {
            while let Some(want) = self.policy.poll_want() {
                let is_due = self.fails.front() == Some(&want);
                if is_due {
                    self.fails.pop_front();
                    self.failed += 1;
                    panic!("as the test asks for");
                }
                self.done.push(want.clone());
                match want {
                    Want::Read(venue) => self.reading[venue] = true,
                    Want::Advance => {
                        self.seen.epoch += 1;
                        self.policy.on_advanced(self.seen.epoch);
                    }
                    Want::ReadAtEnd => self.at_end.want(self.now, || {
                        self.sent += 1;
                        PerVenue::from_fn(|_| None)
                    }),
                    Want::Close { why, how } => return Some((why, how)),
                    _ => {}
                }
            }
            None
        }

        fn begin_anew(&mut self) {
            self.at_end.is_wanted_no_more();
            self.policy = Policy::after_failure(self.now, options(self.seen.epoch), self.reading);
            assert_eq!(self.carry_out(), None, "it has only begun to end");
        }

        fn halt(&mut self) {
            self.seen.epoch += 1;
        }

        fn run(&mut self) -> (Ending, Closing) {
            super::until_closed(self, Self::until_closed, Self::begin_anew, Self::halt)
        }

        fn latches(&self) -> usize {
            let latch = Want::Latch(HaltCause::MainThread);
            self.done.iter().filter(|want| **want == latch).count()
        }
    }

    const STOP: Want = Want::Tell(Event::Control(Control::Stop));
    const WHOLE: Closing = Closing::Whole { idle: true };

    #[test]
    fn a_run_that_does_not_fail_closes_as_it_was_asked_to() {
        let mut run = Run::new([]);
        assert_eq!(run.run(), (Ending::Asked, WHOLE));
        assert_eq!((run.seen.epoch, run.latches(), run.sent), (1, 0, 1));
    }

    #[test]
    fn a_main_thread_that_fails_once_halts_and_ends_with_the_core_whatever_it_was_at() {
        for at in [Want::Opened, STOP, Want::ReadAtEnd] {
            let mut run = Run::new([at.clone()]);
            assert_eq!(run.run(), (Ending::MainThread, WHOLE), "{at:?}");
            assert_eq!((run.failed, run.seen.epoch, run.latches()), (1, 2, 1), "{at:?}");
            assert_eq!(run.sent, 1, "{at:?}");
        }
    }

    /// The readings for the report are under way when it fails: they are not begun a second time, and the new policy hears of them
    /// once it wants them.
    #[test]
    fn a_main_thread_that_fails_during_the_last_reading_takes_in_the_readings_that_it_had_begun() {
        let mut run = Run { fails_in_reading: true, ..Run::new([]) };
        assert_eq!(run.run(), (Ending::MainThread, WHOLE));
        assert_eq!((run.failed, run.latches(), run.sent), (1, 1, 1));
        let wanted = run.done.iter().filter(|want| **want == Want::ReadAtEnd).count();
        assert_eq!(wanted, 2, "by each of the policies");
    }

    #[test]
    fn a_main_thread_that_fails_twice_halts_once_more_and_closes_without_the_core() {
        let latch = Want::Latch(HaltCause::MainThread);
        for (first, second) in [
            (Want::Opened, latch.clone()),
            (Want::Opened, STOP),
            (Want::ReadAtEnd, Want::ReadAtEnd),
            (STOP, Want::Close { why: Ending::MainThread, how: WHOLE }),
        ] {
            let mut run = Run::new([first.clone(), second.clone()]);
            let closed = run.run();
            assert_eq!(closed, (Ending::MainThread, Closing::WithoutCore), "{first:?}, {second:?}");
            assert_eq!(run.failed, 2);
            assert_eq!(run.seen.epoch, 3, "{second:?}: what was decided meanwhile does not leave");
            assert!(!run.done.iter().any(|want| matches!(want, Want::Close { .. })));
        }
    }
}
