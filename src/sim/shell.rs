//! What the program's main thread is to the run policy, under virtual time: it looks around as often, tells the policy what was
//! asked, which readings have ended and what there is to be seen, and does what the policy wants.
//!
//! It decides nothing. What the policy wants of a day on which nothing goes wrong is known beforehand, and anything else ends
//! the day as [`Broken`]: a halt that nobody asked for, a venue that is not agreed with, a request that is refused.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use crossbeam_channel::Sender;
use surefoot_cold::directory::Directory;
use surefoot_cold::halt::HaltEpoch;
use surefoot_cold::policy::{
    Asked, Closing, Counters, DRAIN_WITHIN, Ending, HaltCause, Message, Policy, PolicyOptions,
    ReadResult, Refusal, RequestId, Seen, Unagreed, Waited, Want,
};
use surefoot_cold::reconcile::Truth;
use surefoot_hot::canary::{self, Canary};
use surefoot_hot::event::{Control, Event};
use surefoot_hot::ids::{MarketId, Venue};
use surefoot_hot::per_venue::PerVenue;
use surefoot_hot::risk::HaltWhy;
use surefoot_hot::stats::Stats;
use surefoot_hot::units::Nanos;
use surefoot_hot::venue::Notice;

use super::Broken;
use super::plan::Verb;
use crate::app::asker::{Answer, Asker};
use crate::app::notices::Notices;
use crate::config::Times;

/// The trading day ends at midnight, UTC.
const DAY: Nanos = Nanos::from_secs(86_400);
/// How long after a halt that nobody asked for, or a resume that was refused, a person asks for a resume.
const RESUME_ASKED_AFTER: Nanos = Nanos::from_secs(20);
/// How long after the last fault has stopped to explain anything no halt stands that nobody asked for.
const RESUMED_WITHIN: Nanos = Nanos::from_secs(60);
/// A stream is up again within this, where nothing has gone wrong.
const STREAM_BACK_WITHIN: Nanos = Nanos::from_secs(15);
/// Where the world makes answers late, the venue has said within this what became of an order whose answer did not come: an order that
/// the venue does not find is given up only after 30 s of being asked about.
const ORDER_KNOWN_WITHIN: Nanos = Nanos::from_secs(35);
/// A halt of the core's own is kept within this.
const HALT_KEPT_WITHIN: Nanos = Nanos::from_secs(10);
/// One way of a reading, to the venue or back, takes this long.
pub const READING_ONE_WAY: Nanos = Nanos::from_millis(40);

/// What is to be done outside of the shell.
#[derive(Clone, Copy, Debug)]
pub enum ShellWish {
    /// The core is to be told.
    Tell(Event),
    /// A question is on its way to a venue: [`Shell::ask`] when it arrives there.
    Ask(Venue),
    /// The question of the last reading is on its way to all venues: [`Shell::ask_at_end`] when it arrives.
    AskAtEnd,
}

/// A reading of a venue.
struct Reading {
    /// When the question left.
    since: Nanos,
    /// Markets whose contracts were gone at the last reading.
    doubts: Vec<MarketId>,
    /// The answer, and when it is here; `None` while the question is on its way.
    answer: Option<(Nanos, Answer)>,
}

/// What the shell has counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ShellFigures {
    /// Times that the policy was shown streams, core and halt epoch.
    pub looks: u64,
    /// Readings of a venue that were whole.
    pub readings: u64,
    /// Halts that a person asked for and that were kept.
    pub halts: u64,
    /// Halts that were lifted.
    pub resumes: u64,
    /// Halts that nobody asked for, after something went wrong.
    pub halts_unasked: u64,
    /// Readings of a venue that were not whole, after something went wrong.
    pub readings_failed: u64,
}

/// The policy of a day, and what its shell has to keep for it.
pub struct Shell {
    policy: Policy,
    /// When the day began, and how long it is.
    origin: Nanos,
    span: Nanos,
    /// When this run of the program began: the policy counts from there.
    began: Nanos,
    halt: HaltEpoch,
    askers: PerVenue<Asker>,
    /// The readings under way.
    readings: PerVenue<Option<Reading>>,
    /// What the results of each venue depended on as they were last read.
    results: PerVenue<Option<u64>>,
    /// Why the newest reading that was not whole was not, for a person.
    why: PerVenue<String>,
    to_notices: Sender<(Venue, Notice)>,
    notices: Notices,
    /// What the core published last, and how often it has.
    stats: Stats,
    heard: u64,
    /// What a person is still to ask.
    planned: VecDeque<(Nanos, Verb)>,
    /// What was asked and not answered yet, by number.
    waiting: BTreeMap<u64, Verb>,
    requests: u64,
    /// How a run of this day ends.
    ends_by: Ending,
    /// The halt that is kept.
    latch: Option<HaltCause>,
    /// The one that a restart would find.
    written: Option<HaltCause>,
    /// Whether it can be neither written nor removed.
    latch_fails: bool,
    /// Whether the last start found one.
    found_halted: bool,
    /// When a halt was lifted last.
    unlatched: Nanos,
    /// The trading day that the core was told, in days since 1970 (UTC).
    day: u32,
    wishes: VecDeque<ShellWish>,
    /// When the answers of the last reading are here, and what has settled by it; `None` while there is none.
    last_reading: Option<(Nanos, Vec<Event>)>,
    /// What the venues said for the report.
    truths: Option<PerVenue<Truth>>,
    is_closed: bool,
    /// Whether a start was given up that the venues, after what went wrong, could not be agreed with.
    gave_up: bool,
    /// Until when a fault that has been explains what a day without one must not bring.
    excused_until: Nanos,
    /// Until when a halt is kept that the books explain: nobody bids for what has to be sold, or it would lose more than it may.
    halt_due_until: Nanos,
    /// Since which look a stream is down.
    stream_down_since: Option<Nanos>,
    /// Since which look some order's fate is unknown.
    order_unknown_since: Option<Nanos>,
    /// For how long that may be where nothing has gone wrong.
    known_within: Nanos,
    /// What was seen at the last look, without what changes by itself.
    seen: Seen,
    /// When that was.
    looked: Nanos,
    /// Whether something has come since that the next look takes in, or came of it.
    is_news: bool,
    figures: ShellFigures,
}

impl Shell {
    /// The shell of a day that begins at `began` and lasts for `span`. `requests` are what a person asks, in order of time
    /// since then.
    pub(super) fn new(
        began: Nanos,
        span: Nanos,
        halt: HaltEpoch,
        askers: PerVenue<Asker>,
        requests: Vec<(Nanos, Verb)>,
    ) -> Self {
        let (to_notices, notices) = Notices::new();
        let options = PolicyOptions {
            epoch: halt.read(),
            latched: false,
            read: Times::defaults().read(),
            span: Some(Duration::from_nanos(span.get())),
        };
        let is_stopped = requests.iter().any(|(_, verb)| *verb == Verb::Stop);
        Self {
            policy: Policy::new(options),
            origin: began,
            span,
            began,
            halt,
            askers,
            readings: PerVenue::default(),
            results: PerVenue::default(),
            why: PerVenue::default(),
            to_notices,
            notices,
            stats: Stats::default(),
            heard: 0,
            planned: requests.into_iter().map(|(at, verb)| (began.after(at), verb)).collect(),
            waiting: BTreeMap::new(),
            requests: 0,
            ends_by: if is_stopped { Ending::Asked } else { Ending::SpanOver },
            latch: None,
            written: None,
            latch_fails: false,
            found_halted: false,
            unlatched: Nanos::ZERO,
            day: 0,
            wishes: VecDeque::new(),
            last_reading: None,
            truths: None,
            is_closed: false,
            gave_up: false,
            excused_until: Nanos::ZERO,
            halt_due_until: Nanos::ZERO,
            stream_down_since: None,
            order_unknown_since: None,
            known_within: Nanos::ZERO,
            seen: Seen::default(),
            looked: began,
            is_news: true,
            figures: ShellFigures::default(),
        }
    }

    /// The program was killed and begins again: what a restart finds is the latch, and what the core of the journal says. Returns
    /// what the core is told of a halt.
    pub(super) fn start_again(
        &mut self,
        now: Nanos,
        last: Nanos,
        halt: &HaltEpoch,
        askers: PerVenue<Asker>,
        cores_own: Option<HaltWhy>,
    ) -> Option<Control> {
        let is_new = self.latch.is_some() && self.written.is_none();
        self.latch = self.written;
        if cores_own.is_some() && self.latch.is_none() && self.unlatched <= last {
            self.set_latch(HaltCause::CoreTripped);
            if !is_new {
                self.ask_to_resume(now);
            }
        }
        self.found_halted = self.latch.is_some();
        if canary::is(Canary::HaltForgotten) {
            self.latch = None;
        }
        let why = cores_own.unwrap_or(HaltWhy::Operator);
        let told = match (self.latch, cores_own) {
            (Some(_), _) => Some(Control::Halt { epoch: halt.advance(), why }),
            (None, Some(_)) => Some(Control::Resume { epoch: halt.advance() }),
            (None, None) => None,
        };
        // What was asked and not answered is asked again, but for a halt that was not kept.
        for verb in std::mem::take(&mut self.waiting).into_values() {
            match verb {
                Verb::Halt => {}
                Verb::Resume => self.ask_to_resume(now),
                Verb::Stop => self.planned.push_front((now, Verb::Stop)),
            }
        }
        let over = now.since(self.origin);
        self.policy = Policy::new(PolicyOptions {
            epoch: halt.read(),
            latched: self.latch.is_some(),
            read: Times::defaults().read(),
            span: Some(Duration::from_nanos(self.span.get().saturating_sub(over.get()))),
        });
        (self.to_notices, self.notices) = Notices::new();
        (self.began, self.halt, self.askers) = (now, halt.clone(), askers);
        (self.readings, self.why) = (PerVenue::default(), PerVenue::default());
        self.results = PerVenue::default();
        (self.stats, self.heard, self.day) = (Stats::default(), 0, 0);
        self.wishes.clear();
        (self.last_reading, self.truths) = (None, None);
        self.is_news = true;
        told
    }

    // --- what comes in ---

    /// The core publishes its counters.
    pub fn publish(&mut self, stats: Stats) {
        self.is_news |= Counters::of(&stats, 0) != self.seen.core;
        self.stats = stats;
        self.heard += 1;
    }

    /// The core has halted because a group found nobody to sell to: that is kept soon, and a person resumes.
    pub fn expect_halt(&mut self, now: Nanos) {
        self.halt_due_until = now.after(HALT_KEPT_WITHIN);
    }

    /// What went wrong explains what is seen until then.
    pub fn excuse_until(&mut self, until: Nanos) {
        self.excused_until = self.excused_until.max(until);
    }

    /// A stream has said something of a market that is no input of the core.
    ///
    /// # Errors
    /// More was said between two looks around than there is room for.
    pub fn notice(&mut self, venue: Venue, notice: Notice) -> Result<(), Broken> {
        let full = |_| Broken::new("S6", "no room for what a stream says of a market".to_owned());
        self.is_news = true;
        self.to_notices.try_send((venue, notice)).map_err(full)
    }

    /// The question of a reading arrives at its venue, which answers as of this moment. `results` is what its results depend on, as a
    /// number, where that may be relied on: while it stays what it was, none is new.
    pub fn ask(&mut self, now: Nanos, venue: Venue, results: Option<u64>) {
        let reading = self.readings[venue].as_mut().expect("a venue is asked for a reading");
        let since = reading.since;
        let asker = &mut self.askers[venue];
        let answer = if results.is_some() && results == self.results[venue] {
            asker.ask_account(Ok(Vec::new()), || since, &reading.doubts)
        } else {
            asker.ask(|| since, &reading.doubts)
        };
        self.results[venue] = results.filter(|_| answer.outcome().0 == ReadResult::Whole);
        reading.answer = Some((now.after(READING_ONE_WAY), answer));
    }

    /// The question of the last reading arrives at the venues, which answer as of this moment.
    ///
    /// # Errors
    /// A venue does not say what it holds for us.
    pub fn ask_at_end(&mut self, now: Nanos) -> Result<(), Broken> {
        let settled = self.askers.values_mut().flat_map(Asker::settled).collect();
        self.truths = Some(self.read_at_end()?);
        self.last_reading = Some((now.after(READING_ONE_WAY), settled));
        Ok(())
    }

    /// One look around.
    ///
    /// # Errors
    /// The policy wants what a day without a fault must not bring.
    pub fn look(
        &mut self,
        now: Nanos,
        streams_up: bool,
        directory: &Directory,
    ) -> Result<(), Broken> {
        if self.is_closed {
            return Ok(());
        }
        self.figures.looks += 1;
        self.is_news = false;
        self.take_requests(now)?;
        self.end_readings(now, directory)?;
        self.end_last_reading(now)?;
        let seen = self.see(now, streams_up);
        self.stream_down_since = (!streams_up).then(|| self.stream_down_since.unwrap_or(now));
        let is_unknown = seen.core.orders_unknown > 0;
        self.order_unknown_since = is_unknown.then(|| self.order_unknown_since.unwrap_or(now));
        let still =
            Seen { core_now: Nanos::ZERO, core: Counters { heard: 0, ..seen.core }, ..seen };
        self.is_news |= still != self.seen;
        (self.seen, self.looked) = (still, now);
        self.check_agreed(now, &seen)?;
        self.policy.on_seen(self.time(now), &seen);
        self.carry_out(now)?;
        if !self.policy.is_closing() {
            self.tell_day(now);
        }
        Ok(())
    }

    // --- when it looks ---

    /// Whether the policy waits for what the core publishes, changed or not.
    pub const fn waits_for_core(&self) -> bool {
        let is_quiet =
            self.policy.is_open() && !self.policy.is_closing() && !self.policy.is_resuming();
        !is_quiet && !self.is_closed
    }

    /// By when a look is due, where nothing new comes until then: `now` where there is something new already. A look before it would
    /// see what the last one saw, and nothing would come of it.
    pub fn look_by(&self, now: Nanos, streams_up: bool) -> Nanos {
        if self.is_closed {
            return Nanos::NEVER;
        }
        let (epoch, epoch_is_cores) = self.halt.look();
        let seen = (self.seen.streams_up, self.seen.epoch, self.seen.epoch_is_cores);
        if self.is_news || self.waits_for_core() || seen != (streams_up, epoch, epoch_is_cores) {
            return now;
        }
        let by_policy = u64::try_from(self.policy.poll_deadline().as_nanos());
        let by_policy = by_policy.map_or(Nanos::NEVER, |by| self.began.after(Nanos::new(by)));
        let by_readings = self.readings.values().flatten();
        let by_readings = by_readings.filter_map(|reading| reading.answer.as_ref());
        let by_readings = by_readings.map(|(at, _)| *at);
        let by_person = self.planned.front().map(|(at, _)| *at);
        let midnight = Nanos::new(DAY.get() * (u64::from(self.day) + 1));
        // What is excused until then is not any more behind it.
        let excused = [self.excused_until, self.excused_until.after(RESUMED_WITHIN)];
        let excused = excused.into_iter().filter(|until| *until >= self.looked);
        let excused = excused.map(|until| until.after(Nanos::new(1)));
        let unknown = self.order_unknown_since.map(|since| since.after(self.known_within));
        let unknown = unknown.filter(|by| *by > self.looked);
        let all = by_readings.chain(by_person).chain(excused).chain(unknown);
        let all = all.chain([by_policy, midnight]);
        all.fold(Nanos::NEVER, Nanos::min)
    }

    // --- what goes out ---

    /// Whether the world makes answers late: an order's fate may then be unknown for a while with nothing wrong.
    pub const fn expect_late_answers(&mut self, are_late: bool) {
        self.known_within = if are_late { ORDER_KNOWN_WITHIN } else { Nanos::ZERO };
    }

    /// The next thing to be done.
    pub fn poll_wish(&mut self) -> Option<ShellWish> {
        self.wishes.pop_front()
    }

    /// Whether the start was given up, so that somebody has to start the program again. Said once.
    pub const fn take_gave_up(&mut self) -> bool {
        std::mem::replace(&mut self.gave_up, false)
    }

    /// Whether the run has closed: nothing more is wanted.
    pub const fn is_closed(&self) -> bool {
        self.is_closed
    }

    /// What the venues said for the report. Given once.
    pub const fn take_truths(&mut self) -> Option<PerVenue<Truth>> {
        self.truths.take()
    }

    /// What each venue says of our account now.
    ///
    /// # Errors
    /// A venue does not say it.
    pub fn read_at_end(&self) -> Result<PerVenue<Truth>, Broken> {
        let truths = self.askers.each_ref().map(|_, asker| {
            let truth = asker.truth_at_end(Duration::ZERO); // no virtual time passes between two readings
            truth.map_err(|why| Broken::new("P1", why))
        });
        truths.transpose()
    }

    /// Whether the last start found that a halt stands.
    pub const fn found_halted(&self) -> bool {
        self.found_halted
    }

    /// From now on a halt can be neither written down nor removed (`true`), or can be again.
    pub const fn let_latch_fail(&mut self, fails: bool) {
        self.latch_fails = fails;
    }

    /// A person halts now.
    pub fn halt_now(&mut self, now: Nanos) {
        self.planned.push_front((now, Verb::Halt));
    }

    /// Whoever halted asks for a resume now, unless one is under way or comes next.
    pub fn resume_now(&mut self, now: Nanos) {
        let comes = self.planned.front().is_some_and(|(_, verb)| *verb == Verb::Resume);
        let is_asked = self.waiting.values().any(|verb| *verb == Verb::Resume);
        if self.latch.is_some() && !comes && !is_asked {
            self.planned.push_front((now, Verb::Resume));
        }
    }

    /// What was counted.
    pub const fn figures(&self) -> ShellFigures {
        self.figures
    }

    // --- within ---

    /// The time since the day began: what the policy is told.
    const fn time(&self, now: Nanos) -> Duration {
        Duration::from_nanos(now.since(self.began).get())
    }

    fn take_requests(&mut self, now: Nanos) -> Result<(), Broken> {
        while let Some((_, verb)) = self.planned.pop_front_if(|(at, _)| *at <= now) {
            let asked = match verb {
                Verb::Halt => Asked::Halt { why: HaltWhy::Operator },
                Verb::Resume => Asked::Resume { since: self.time(now) },
                Verb::Stop => Asked::Stop,
            };
            self.requests += 1;
            self.waiting.insert(self.requests, verb);
            self.policy.on_asked(self.time(now), RequestId(self.requests), asked);
            self.carry_out(now)?;
        }
        Ok(())
    }

    /// Takes in the readings that have ended.
    fn end_readings(&mut self, now: Nanos, directory: &Directory) -> Result<(), Broken> {
        for venue in Venue::ALL {
            let is_here =
                |reading: &mut Reading| reading.answer.as_ref().is_some_and(|(at, _)| *at <= now);
            let ended = self.readings[venue].take_if(is_here).and_then(|reading| reading.answer);
            let Some((_, answer)) = ended else { continue };
            self.notices.on_results(answer.results());
            let markets = directory.of(venue).map(|entry| entry.def.market);
            self.wishes.extend(answer.events(venue, markets).into_iter().map(ShellWish::Tell));
            let (result, why) = answer.outcome();
            self.figures.readings += u64::from(result == ReadResult::Whole);
            if let Some(why) = why {
                self.why[venue] = why;
            }
            self.policy.on_read(self.time(now), venue, result);
            self.carry_out(now)?;
        }
        Ok(())
    }

    fn end_last_reading(&mut self, now: Nanos) -> Result<(), Broken> {
        let Some((_, settled)) = self.last_reading.take_if(|(at, _)| *at <= now) else {
            return Ok(());
        };
        self.wishes.extend(settled.into_iter().map(ShellWish::Tell));
        self.policy.on_read_at_end(self.time(now));
        self.carry_out(now)
    }

    fn see(&mut self, now: Nanos, streams_up: bool) -> Seen {
        let (epoch, epoch_is_cores) = self.halt.look();
        Seen {
            core_now: now,
            streams_up,
            settled: self.notices.take(),
            epoch,
            epoch_is_cores,
            core: Counters::of(&self.stats, self.heard),
            // Here are no threads that could stand still, no journal, no directory with a file that forbids trading, and
            // nothing that was asked waits: it was handed on just before.
            dead: None,
            still: None,
            journal_failed: false,
            kill_file: false,
            directory_lost: false,
            halt_waits: false,
        }
    }

    fn tell_day(&mut self, now: Nanos) {
        let day = u32::try_from(now.get() / DAY.get()).unwrap_or(u32::MAX);
        if day != self.day {
            self.day = day;
            self.wishes.push_back(ShellWish::Tell(Event::Control(Control::Day { day })));
        }
    }

    /// Does everything that the policy wants, in its order.
    fn carry_out(&mut self, now: Nanos) -> Result<(), Broken> {
        while let Some(want) = self.policy.poll_want() {
            self.is_news = true;
            match want {
                Want::Read(venue) => {
                    let doubts = self.stats.doubts[venue].shown().collect();
                    self.readings[venue] = Some(Reading { since: now, doubts, answer: None });
                    self.wishes.push_back(ShellWish::Ask(venue));
                }
                Want::Tell(event) => self.wishes.push_back(ShellWish::Tell(event)),
                Want::Advance => {
                    let epoch = self.halt.advance();
                    self.policy.on_advanced(epoch);
                }
                Want::Latch(cause) => self.keep(now, cause)?,
                Want::Unlatch(_) if self.latch_fails => self.policy.on_unlatched(false),
                Want::Unlatch(_) => {
                    (self.latch, self.written, self.unlatched) = (None, None, now);
                    self.policy.on_unlatched(true);
                }
                Want::Answer { request, outcome } => self.answered(now, request, outcome)?,
                Want::Say(message) => self.said(now, message)?,
                Want::Opened | Want::Stopping => {} // nobody manages a simulated day as a service
                Want::CancelWithoutCore => {
                    let what = "the venues were to be told to cancel everything without the core";
                    return Err(Broken::new("S11", what.to_owned()));
                }
                Want::ReadAtEnd => self.wishes.push_back(ShellWish::AskAtEnd),
                Want::Close { why, how } => self.close(why, how)?,
            }
        }
        Ok(())
    }

    // --- what a day without a fault may bring ---

    /// Once venues and core have agreed they go on doing so: every difference is explained by what is in flight.
    fn check_agreed(&self, now: Nanos, seen: &Seen) -> Result<(), Broken> {
        if now <= self.excused_until {
            return Ok(());
        }
        // A link that falls silent beyond its rhythm is made anew, on a day without any fault too.
        let is_back_late = |since: Nanos| now.since(since) > STREAM_BACK_WITHIN;
        if self.excused_until > Nanos::ZERO && self.stream_down_since.is_some_and(is_back_late) {
            return Err(Broken::new(
                "S11",
                "a stream is still down long after the last fault".to_owned(),
            ));
        }
        let is_known_late = |since: Nanos| now.since(since) >= self.known_within;
        if self.order_unknown_since.is_some_and(is_known_late) {
            let what = "an order is still unknown long after the last fault".to_owned();
            return Err(Broken::new("S11", what));
        }
        if self.latch.is_some_and(|cause| !matches!(cause, HaltCause::Asked { .. }))
            && now > self.excused_until.max(self.halt_due_until).after(RESUMED_WITHIN)
        {
            let what = format!("a halt still stands long after the last fault: {:?}", self.latch);
            return Err(Broken::new("S11", what));
        }
        if self.policy.is_open() && !seen.core.agreed {
            return Err(Broken::new("P1", self.unagreed(Unagreed::Differs)));
        }
        Ok(())
    }

    /// A halt is kept over restarts: one that a person asked for, and no other.
    fn keep(&mut self, now: Nanos, cause: HaltCause) -> Result<(), Broken> {
        let asked = match cause {
            HaltCause::Asked { request: RequestId(number), .. } => self.waiting.get(&number),
            _ => None,
        };
        if asked != Some(&Verb::Halt) && now <= self.excused_until.max(self.halt_due_until) {
            self.set_latch(cause);
            self.figures.halts_unasked += 1;
            self.ask_to_resume(now);
            return Ok(());
        }
        if asked != Some(&Verb::Halt) {
            let what = format!("nothing went wrong, and the run halted: {cause:?}");
            return Err(Broken::new("S12", what));
        }
        self.set_latch(cause);
        self.figures.halts += 1;
        Ok(())
    }

    /// The halt is kept, and written down where that can be.
    fn set_latch(&mut self, cause: HaltCause) {
        self.latch = Some(cause);
        if !self.latch_fails {
            self.written = self.latch;
        }
    }

    /// A person looks at it, and asks for a resume.
    fn ask_to_resume(&mut self, now: Nanos) {
        let at = now.after(RESUME_ASKED_AFTER);
        let place = self.planned.partition_point(|(planned, _)| *planned <= at);
        self.planned.insert(place, (at, Verb::Resume));
    }

    /// Every request is granted: a halt once it is kept, a resume once the core's counters show it.
    fn answered(
        &mut self,
        now: Nanos,
        RequestId(number): RequestId,
        outcome: Result<(), Refusal>,
    ) -> Result<(), Broken> {
        let verb = self.waiting.remove(&number).expect("a request is answered once");
        if outcome.is_err() && verb == Verb::Resume && now <= self.excused_until {
            self.ask_to_resume(now);
            return Ok(());
        }
        if let Err(refusal) = outcome {
            let refusal = match refusal {
                Refusal::Unagreed(why) => self.unagreed(why),
                other => format!("{other:?}"),
            };
            return Err(Broken::new("S12", format!("{verb:?} was refused: {refusal}")));
        }
        let holds = match verb {
            Verb::Halt => self.latch.is_some(),
            Verb::Resume => self.latch.is_none() && !self.stats.halted,
            Verb::Stop => true,
        };
        if !holds {
            let what = format!("{verb:?} was answered, and the halt is {:?}", self.latch);
            return Err(Broken::new("S12", what));
        }
        Ok(())
    }

    fn said(&mut self, now: Nanos, message: Message) -> Result<(), Broken> {
        let (id, what) = match message {
            Message::ReadFailed { .. } | Message::NotAgreed { .. } if now <= self.excused_until => {
                self.figures.readings_failed += 1;
                return Ok(());
            }
            Message::StillWaiting { .. } if now <= self.excused_until => return Ok(()),
            // Production reads the venues once more for its report, and ends; here it ends at once.
            Message::NothingOpened if now <= self.excused_until => {
                self.gave_up = true;
                return Ok(());
            }
            Message::Resumed { .. } => {
                self.figures.resumes += 1;
                return Ok(());
            }
            // What was bought a moment before the end may have to be sold again.
            Message::StillStopping(Waited::InFlight { .. }) => return Ok(()),
            Message::StillStopping(Waited::Reading) => {
                ("S11", "a venue is still being read at the end".to_owned())
            }
            Message::StillWaiting { for_streams } => {
                let what = if for_streams { "all streams" } else { "the fate of earlier orders" };
                ("S11", format!("the start still waits for {what}"))
            }
            Message::NotAgreed { failed, why } => {
                let why = self.unagreed(why);
                ("P1", format!("attempt {failed} to agree with the venues failed: {why}"))
            }
            Message::NothingOpened => ("P1", "the start was given up".to_owned()),
            Message::ReadFailed { venue, .. } => ("P1", self.why[venue].clone()),
            Message::JournalFailed => ("S12", "a journal failed where there is none".to_owned()),
        };
        Err(Broken::new(id, what))
    }

    /// Why the venues were not agreed with, for a person.
    fn unagreed(&self, why: Unagreed) -> String {
        match why {
            Unagreed::NoAnswer(venue) => format!("{} does not answer", venue.name()),
            Unagreed::Unread(venue) => self.why[venue].clone(),
            Unagreed::Differs => {
                let differs = self.stats.agrees.iter().filter(|(_, agrees)| !**agrees);
                let named: Vec<_> = differs.map(|(venue, _)| venue.name()).collect();
                match named.as_slice() {
                    [] => "something that a venue said of our orders was not read".to_owned(),
                    named => format!("the figures of {} differ from ours", named.join(" and ")),
                }
            }
        }
    }

    /// The run closes: as it was to, and with nothing in flight.
    fn close(&mut self, why: Ending, how: Closing) -> Result<(), Broken> {
        if how == (Closing::Whole { idle: false }) {
            let secs = DRAIN_WITHIN.as_secs();
            let what = format!("what was in flight at the end has not ended within {secs} s");
            return Err(Broken::new("G2", what));
        }
        if (why, how) != (self.ends_by, Closing::Whole { idle: true }) {
            return Err(Broken::new("S11", format!("the run ended by {why:?}: {how:?}")));
        }
        if !self.waiting.is_empty() {
            let what = format!("the run closes without an answer to {:?}", self.waiting);
            return Err(Broken::new("S11", what));
        }
        self.is_closed = true;
        Ok(())
    }
}
