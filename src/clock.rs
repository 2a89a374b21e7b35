//! The one clock: nanoseconds since 1970 that never run backwards (S5) and follow the system's wall clock.
//!
//! Durations come from the processor's counter, which the system's clock does not touch; but a counter that is off by
//! 83 parts in a million, as measured on one host, is a quarter of a second off after an hour, and venues refuse
//! signatures whose time is some seconds off. So the wall is looked at about once a second, and what is amiss is made
//! good little by little: a reader of the clock sees it run a trace faster or slower, never back.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering, fence};

use surefoot_hot::units::Nanos;

/// 2026-01-01T00:00:00Z in nanoseconds: a wall clock before it is wrong.
const CLOCK_LEAST: u64 = 1_767_225_600_000_000_000;
/// A correction is made good within this time of its reading; later readings see none of it. So a wall that nobody
/// looks at any more carries nothing away.
const SLEW_SPAN: u64 = 1_000_000_000;
/// The most that one reading corrects: a twentieth of [`SLEW_SPAN`].
const SLEW_MAX: i64 = 50_000_000;
/// A wall clock this far off has stepped.
pub const STEP_MIN: Nanos = Nanos::from_millis(250);
/// The counter and the wall clock are read one after the other; readings further apart than this are not compared, because
/// the thread was stopped between them. An undisturbed pair takes less than a microsecond.
const PAIR_SPAN_MAX: u64 = 100_000;
/// How often a pair of readings is tried before the next look at the wall clock has to do.
const PAIR_TRIES: u32 = 8;

/// Where the clock stands and how it runs on: a line through one point, bent once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Course {
    /// The counter's reading, in nanoseconds.
    count: u64,
    /// The time at it.
    time: u64,
    /// What is added over the next [`SLEW_SPAN`].
    slew: i64,
}

impl Course {
    /// The time at a count. One a little before the course's own is on it too: a reader may have been overtaken.
    #[inline]
    fn at(&self, count: u64) -> u64 {
        let Some(run) = count.checked_sub(self.count) else {
            return self.time - (self.count - count);
        };
        let slewed = run.min(SLEW_SPAN).cast_signed() * self.slew / SLEW_SPAN.cast_signed();
        (self.time + run).wrapping_add_signed(slewed)
    }

    /// The course from `count` on, where the wall clock says `wall`; and by how much that is off.
    ///
    /// A wall that jumped ahead is followed at once: the time between is gone. One that jumped back is waited for.
    fn follow(&self, count: u64, wall: u64) -> (Self, WallOff) {
        let time = self.at(count);
        let off = WallOff(wall.cast_signed() - time.cast_signed());
        let course = match off.step() {
            Some(1..) => Self { count, time: wall, slew: 0 },
            _ => Self { count, time, slew: off.0.clamp(-SLEW_MAX, SLEW_MAX) },
        };
        (course, off)
    }
}

/// By how many nanoseconds the wall clock was ahead of ours, or below zero behind it, when the two were compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WallOff(i64);

impl WallOff {
    /// How far apart they were, either way.
    pub const fn size(self) -> Nanos {
        Nanos::new(self.0.unsigned_abs())
    }

    /// The difference where the wall clock stepped: [`STEP_MIN`] and more.
    pub fn step(self) -> Option<i64> {
        (self.size() >= STEP_MIN).then_some(self.0)
    }
}

/// The course, for any number of readers and one writer.
#[derive(Debug)]
struct Shared {
    /// Odd while it is being written.
    version: AtomicU64,
    count: AtomicU64,
    time: AtomicU64,
    slew: AtomicI64,
}

impl Shared {
    const fn new(course: Course) -> Self {
        Self {
            version: AtomicU64::new(0),
            count: AtomicU64::new(course.count),
            time: AtomicU64::new(course.time),
            slew: AtomicI64::new(course.slew),
        }
    }

    #[inline]
    fn read(&self) -> Course {
        loop {
            let before = self.version.load(Ordering::Acquire);
            let course = Course {
                count: self.count.load(Ordering::Relaxed),
                time: self.time.load(Ordering::Relaxed),
                slew: self.slew.load(Ordering::Relaxed),
            };
            fence(Ordering::Acquire);
            if before & 1 == 0 && self.version.load(Ordering::Relaxed) == before {
                return course;
            }
            std::hint::spin_loop();
        }
    }

    fn write(&self, course: Course) {
        self.version.fetch_add(1, Ordering::Relaxed);
        fence(Ordering::Release);
        self.count.store(course.count, Ordering::Relaxed);
        self.time.store(course.time, Ordering::Relaxed);
        self.slew.store(course.slew, Ordering::Relaxed);
        self.version.fetch_add(1, Ordering::Release);
    }
}

/// Nanoseconds since 1970, the same for every thread that holds a copy. See the module's text.
#[derive(Clone, Debug)]
pub struct Clock {
    clock: quanta::Clock,
    /// The counter where it was started: counts are told from here.
    raw: u64,
    course: Arc<Shared>,
}

impl Clock {
    /// Starts it at the wall clock's time.
    ///
    /// # Errors
    /// The wall clock stands before 2026: signatures and order ids depend on it.
    pub fn start() -> Result<Self, String> {
        let clock = Self::at(wall())?;
        // Where the thread was stopped in each of them, the first look a second later makes it good.
        if let Some((count, time)) = clock.pair(wall) {
            clock.course.write(Course { count, time, slew: 0 });
        }
        Ok(clock)
    }

    /// Starts it where the wall clock says `wall`.
    fn at(wall: u64) -> Result<Self, String> {
        if wall < CLOCK_LEAST {
            return Err("the system clock stands before 2026: set it (timedatectl set-ntp true), because venues \
                        refuse signatures with a wrong time"
                .into());
        }
        let clock = quanta::Clock::new(); // the first one of a process takes its time to calibrate itself
        let raw = clock.raw();
        let course = Arc::new(Shared::new(Course { count: 0, time: wall, slew: 0 }));
        Ok(Self { clock, raw, course })
    }

    /// Nanoseconds since 1970.
    #[inline]
    pub fn now(&self) -> Nanos {
        Nanos::new(self.course.read().at(self.count()))
    }

    /// Follows the wall clock: to be called about once a second, by one thread. Returns how far it was off, or `None` where the
    /// two could not be compared. After a step back the clock runs a twentieth slower until it is met again, and each call
    /// says so.
    pub fn follow(&self) -> Option<WallOff> {
        self.follow_by(wall)
    }

    fn follow_by(&self, wall: impl FnMut() -> u64) -> Option<WallOff> {
        let (count, wall) = self.pair(wall)?;
        let (course, off) = self.course.read().follow(count, wall);
        self.course.write(course);
        Some(off)
    }

    /// The counter and the wall clock at one moment; `None` where the thread was stopped between the two each time, as on
    /// a machine that has too much to do: their difference would then be the length of that stop.
    fn pair(&self, mut wall: impl FnMut() -> u64) -> Option<(u64, u64)> {
        for _ in 0..PAIR_TRIES {
            let before = self.count();
            let time = wall();
            let span = self.count() - before;
            if span <= PAIR_SPAN_MAX {
                return Some((before + span / 2, time));
            }
        }
        None
    }

    #[inline]
    fn count(&self) -> u64 {
        self.clock.delta_as_nanos(self.raw, self.clock.raw())
    }

    /// The counter itself: the cheapest stamp, for [`Clock::between`].
    #[inline]
    pub fn raw(&self) -> u64 {
        self.clock.raw()
    }

    /// Nanoseconds between two stamps of [`Clock::raw`].
    #[inline]
    pub fn between(&self, earlier: u64, later: u64) -> u64 {
        self.clock.delta_as_nanos(earlier, later)
    }
}

/// What the system says the time is; zero before 1970.
fn wall() -> u64 {
    surefoot_cold::wall::unix_ns()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;
    const BEGIN: u64 = 1_800_000_000 * SECOND;

    /// A wall clock and a counter that runs `ppm` parts in a million too fast: what both say after a true second.
    fn counted(second: u64, ppm: i64) -> u64 {
        (second * SECOND).wrapping_add_signed(second.cast_signed() * 1_000 * ppm)
    }

    #[test]
    fn a_clock_that_was_never_set_is_refused() {
        for wall in [0, CLOCK_LEAST - 1] {
            let why = Clock::at(wall).unwrap_err();
            assert!(why.contains("set it"), "{why}");
        }
        let clock = Clock::at(CLOCK_LEAST).unwrap();
        let first = clock.now();
        assert!(first.get() >= CLOCK_LEAST && clock.now() >= first);
    }

    #[test]
    fn a_counter_that_drifts_stays_with_the_wall_for_days() {
        for ppm in [83, -83, 500, -500] {
            let mut course = Course { count: 0, time: BEGIN, slew: 0 };
            let mut last = course.time;
            for second in 1..=36 * 3_600 {
                let count = counted(second, ppm);
                let (time, wall) = (course.at(count), BEGIN + second * SECOND);
                assert!(time > last, "second {second}: it never runs backwards");
                let off = time.abs_diff(wall);
                assert!(off < 2_000_000, "second {second}, {ppm} ppm: {off} ns off");
                last = time;
                let (next, off) = course.follow(count, wall);
                assert_eq!(
                    (next.at(count), off.step()),
                    (time, None),
                    "no jump where it is followed"
                );
                course = next;
            }
        }
    }

    #[test]
    fn a_step_is_told_and_time_never_runs_backwards() {
        for (stepped, seconds) in [(3_000_000_000_i64, 1), (-1_000_000_000, 30), (40_000_000, 3)] {
            let mut course = Course { count: 0, time: BEGIN, slew: 0 };
            let (mut last, mut told) = (course.time, 0);
            for second in 1..=60 {
                let count = second * SECOND;
                let wall = (BEGIN + count).wrapping_add_signed(stepped);
                for part in (0..10).rev() {
                    let time = course.at(count - part * SECOND / 10);
                    assert!(time > last, "{stepped}: second {second}, {time} after {last}");
                    last = time;
                }
                let (next, off) = course.follow(count, wall);
                let step = off.step();
                told += u32::from(step.is_some());
                assert!(step.is_none_or(|off| off.signum() == stepped.signum()));
                course = next;
                let off = course.at(count).abs_diff(wall);
                assert!(
                    second <= seconds || off < 1_000,
                    "{stepped}: {off} ns off after {second} s"
                );
            }
            let large = stepped.unsigned_abs() >= STEP_MIN.get();
            assert_eq!(told > 0, large, "{stepped}");
        }
    }

    #[test]
    fn a_wall_that_nobody_looks_at_carries_nothing_away() {
        let course = Course { count: 0, time: BEGIN, slew: SLEW_MAX };
        let hour = 3_600 * SECOND;
        assert_eq!(course.at(hour), BEGIN + hour + SLEW_MAX.unsigned_abs());
        let late = Course { count: 5 * SECOND, ..course };
        assert_eq!(late.at(5 * SECOND - 7), BEGIN - 7, "a reader that was overtaken");
    }

    /// The wall clock, read by a thread that is stopped right after the reading.
    fn then_stopped(clock: &Clock) -> u64 {
        let (wall, begin) = (wall(), clock.count());
        while clock.count() - begin <= PAIR_SPAN_MAX {}
        wall
    }

    #[test]
    fn a_thread_that_is_stopped_between_two_clocks_moves_neither() {
        let clock = Clock::at(wall() - 3 * SECOND).unwrap();
        let before = clock.course.read();
        assert_eq!(clock.follow_by(|| then_stopped(&clock)), None);
        assert_eq!(clock.course.read(), before, "a pair that says nothing");
        let mut stops = 0..3;
        let off =
            clock.follow_by(|| if stops.next().is_some() { then_stopped(&clock) } else { wall() });
        let step = off.and_then(WallOff::step);
        assert!(step.is_some_and(|off| off >= 2_900_000_000), "{step:?}: the fourth pair counts");
    }

    #[test]
    fn all_copies_follow() {
        let clock = Clock::at(wall() - 3 * SECOND).unwrap();
        let other = clock.clone();
        let before = other.now();
        let step = clock.follow().and_then(WallOff::step);
        assert!(step.is_some_and(|off| off >= 2_900_000_000));
        assert!(other.now().since(before).get() >= 2_900_000_000);
        assert_eq!(clock.follow().and_then(WallOff::step), None);
    }
}
