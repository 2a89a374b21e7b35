//! One day: what happens next, and what everybody makes of it.

mod account;
mod happening;
mod network;
mod quoting;
mod restart;
mod rhythm;
mod seen;
mod terms;

use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use surefoot_cold::directory::Directory;
use surefoot_cold::halt::HaltEpoch;
use surefoot_cold::reconcile::Reader;
use surefoot_cold::rest::{Auth, Rest};
use surefoot_hot::core::Core;
use surefoot_hot::event::{Event, Link as Kind};
use surefoot_hot::group::Sequencing;
use surefoot_hot::hash::Hash64;
use surefoot_hot::ids::Venue;
use surefoot_hot::intent::Intent;
use surefoot_hot::links::LinkSet;
use surefoot_hot::order::Purpose;
use surefoot_hot::outbox::Outbox;
use surefoot_hot::per_venue::PerVenue;
use surefoot_hot::units::Nanos;
use surefoot_hot::venue::DecodeError;

use super::checks::{self, Checks};
use super::chronicle::Chronicle;
use super::executor::{Executor, Wish};
use super::fault::FaultKind;
use super::links::Link;
use super::plan::{Listener, Plan, Quotes, Through};
use super::queue::Queue;
use super::remembered::Remembered;
use super::scenario::Watch;
use super::shell::{READING_ONE_WAY, Shell};
use super::transport::{InProcess, Shared, VirtualTime, lock};
use super::venue::{Clients, endpoint};
use super::world::{Accounts, Listing, Venues};
use super::{Broken, Outcome};
use crate::app::asker::Asker;
use crate::app::recover::InJournal;
use crate::app::results::Results;
use crate::app::witness;
use crate::catalogue::Catalogue;
use crate::twin::ConnId;
use crate::twin::rng::Rng;
use crate::twin::world::{Ways, WorldName};
use account::limits;
use happening::Happening;
use network::{COMES_TO_REST_WITHIN, Carried, Trouble, is_of_order, is_placement};
use restart::Life;
use rhythm::Rhythm;
use terms::TERMS_EVERY;

/// When every day begins: 2026-01-05 00:00 UTC.
const START: Nanos = Nanos::from_secs(1_767_571_200);
/// How old the core's word on how fresh market data is may be before it is renewed, as in production.
const CURRENT_EVERY: Nanos = Nanos::from_millis(50);
/// How long a connection takes to be made.
const DIAL: Nanos = Nanos::from_millis(20);
/// How long a link that was lost waits before it is dialled again.
const REDIAL: Nanos = Nanos::from_secs(1);
/// How long a run may take to close once it has lasted as long as it was to: more than the policy waits for what is in flight.
const CLOSED_WITHIN: Nanos = Nanos::from_secs(60);
/// How long after the end the venues may still settle what was traded.
const SETTLED_WITHIN: Nanos = Nanos::from_secs(10);

/// A day that goes by.
struct Simulation {
    seed: u64,
    span: Nanos,
    sequencing: Sequencing,
    /// What is done about contracts without a partner.
    unpaired: u64,
    /// How often somebody lets orders rest.
    quotes: Quotes,
    now: Nanos,
    time: VirtualTime,
    rng: Rng,
    venues: Shared,
    /// When the venues next do something by themselves.
    venues_at: Nanos,
    queue: Queue<(u32, Happening)>,
    links: Vec<Link>,
    accounts: Accounts,
    /// How far the venues are, where the world says so.
    ways: Option<Ways>,
    /// Clients of the interface at each venue that shows books.
    shown: PerVenue<Rest>,
    conns: u64,
    executors: PerVenue<Box<dyn Executor>>,
    shell: Shell,
    /// What is due by time.
    rhythm: Rhythm,
    catalogue: Catalogue,
    /// Clients of the interface at each venue that lists markets.
    metadata: PerVenue<Rest>,
    core: Core,
    outbox: Outbox,
    listener: Listener,
    halt: HaltEpoch,
    /// What the core is to be told at this moment, in order.
    inbox: VecDeque<Event>,
    /// When the core was last told how fresh market data is.
    current_at: Nanos,
    /// When the core was last told that the terms of markets were read.
    terms_due: Nanos,
    checks: Checks,
    /// Which scenarios the day has had.
    watch: Watch,
    /// What happened, for whoever asks afterwards.
    chronicle: Chronicle,
    steps: u64,
    frames: u64,
    /// Every byte that went between us and the venues.
    wire: Hash64,
    /// What goes wrong.
    trouble: Trouble,
    /// When a venue was last not itself by the world's doing.
    troubled: Nanos,
    /// Whether the program runs, and what its disk holds.
    life: Life,
    /// What is to be traded, as a person has configured it.
    listing: Listing,
    /// What reads the venues, made out of what reads them in production.
    through: Through,
    /// Buffers that are used again.
    wishes: Vec<Wish>,
    events: Vec<Event>,
}

/// Runs the day of a seed.
///
/// # Errors
/// What did not hold, and when.
///
/// # Panics
/// An assertion of the core or of a venue failed.
pub fn run(seed: u64, span: Nanos) -> Result<Outcome, Broken> {
    run_planned(seed, span, Plan::of(seed, span))
}

/// As [`run`], with somebody who listens.
///
/// # Errors
/// As [`run`].
///
/// # Panics
/// As [`run`].
pub fn run_heard(seed: u64, span: Nanos, listener: Listener) -> Result<Outcome, Broken> {
    run_planned(seed, span, Plan { listener, ..Plan::of(seed, span) })
}

/// As [`run`], with a plan of what the day brings beside the market.
///
/// # Errors
/// As [`run`].
///
/// # Panics
/// As [`run`].
pub fn run_planned(seed: u64, span: Nanos, plan: Plan) -> Result<Outcome, Broken> {
    let mut day = Simulation::new(seed, span, plan)?;
    let held = day.until_over();
    held.map_err(|broken| Broken { at: day.now.since(START), ..broken })
}

/// All links to all venues.
fn links(accounts: &Accounts, directory: &Directory) -> Result<Vec<Link>, String> {
    let mut links = Vec::new();
    for account in accounts.values() {
        links.extend(account.links(directory)?);
    }
    Ok(links)
}

/// Who reads each venue.
fn askers(
    accounts: &Accounts,
    directory: &Directory,
    through: &Through,
    rest: &Clients<'_>,
    remembered: impl Fn(Box<dyn Reader>) -> Remembered,
) -> PerVenue<Asker> {
    accounts.each_ref().map(|venue, account| {
        let metadata = rest(account.metadata_host(), None);
        let results = Results::new(venue, metadata, directory);
        let reader = remembered(account.reader(directory, rest));
        Asker::new(through(Box::new(reader)), results)
    })
}

/// Remembers what a reader said, up to the end of the day; from its beginning on every reading is made where `is_idle`.
fn remembering(
    venues: &Shared,
    time: &VirtualTime,
    span: Nanos,
    is_idle: bool,
) -> impl Fn(Box<dyn Reader>) -> Remembered {
    let (venues, time) = (venues.clone(), time.clone());
    let upto = if is_idle { Nanos::ZERO } else { START.after(span) };
    move |inner| Remembered {
        inner,
        venues: venues.clone(),
        time: time.clone(),
        upto,
        last: RefCell::default(),
    }
}

/// What the venues list for the day's relations; all of it is wanted, though some of it may only be observed.
fn whole_catalogue(metadata: &PerVenue<Rest>, listing: &Listing) -> Result<Catalogue, String> {
    let Listing { relations, extra } = listing;
    let catalogue = Catalogue::load(metadata, relations, extra, None)?;
    if catalogue.left_out.is_empty() { Ok(catalogue) } else { Err(catalogue.left_out.join("; ")) }
}

impl Simulation {
    fn new(seed: u64, span: Nanos, plan: Plan) -> Result<Self, Broken> {
        let Plan { requests, faults, world, listener, through, chronicle, idle, .. } = plan;
        let time = VirtualTime::default();
        time.set(START);
        let failed = |what: String| Broken::new("start", what);
        let ways = (world.name != WorldName::Calm).then_some(world.ways);
        let (venues, accounts, listing) = Venues::new(seed, START, span, world).map_err(failed)?;
        let (venues_at, venues) = (venues.deadline(), Arc::new(Mutex::new(venues)));
        let rest = |host, auth: Option<Arc<dyn Auth>>| {
            let transport = InProcess { venues: venues.clone(), host, time: time.clone() };
            Rest::over(Arc::new(transport), endpoint(host), auth)
        };
        let metadata = PerVenue::from_fn(|venue| rest(accounts[venue].metadata_host(), None));
        let shown = PerVenue::from_fn(|venue| rest(accounts[venue].orders_host(), None));
        let catalogue = whole_catalogue(&metadata, &listing).map_err(failed)?;
        let directory = &catalogue.directory;
        // Seconds, as the program takes them: an epoch rises over restarts.
        let epoch = START.get() / 1_000_000_000;
        let halt = HaltEpoch::new(epoch);
        let remembered = remembering(&venues, &time, span, idle);
        let askers = askers(&accounts, directory, &through, &rest, remembered);
        let mut shell = Shell::new(START, span, halt.clone(), askers, requests);
        shell.expect_late_answers(ways.is_some());
        let executors = accounts.each_ref().map(|_, account| account.executor(directory, &halt));
        let mut day = Self {
            seed,
            span,
            sequencing: plan.sequencing,
            unpaired: plan.unpaired,
            quotes: plan.quotes,
            now: START,
            time,
            rng: Rng::new(seed).fork(0x6e65_7400),
            venues_at,
            queue: Queue::new(),
            links: links(&accounts, directory).map_err(failed)?,
            accounts,
            ways,
            shown,
            conns: 0,
            executors,
            shell,
            rhythm: Rhythm::new(START, idle),
            catalogue,
            metadata,
            core: Core::new(),
            listener,
            outbox: Outbox::new(),
            halt,
            inbox: VecDeque::new(),
            current_at: Nanos::ZERO,
            terms_due: START.after(TERMS_EVERY),
            checks: Checks::default(),
            watch: Watch::default(),
            chronicle,
            steps: 0,
            frames: 0,
            wire: Hash64::new(),
            life: Life::new(&faults),
            trouble: Trouble::new(seed, faults),
            troubled: Nanos::ZERO,
            listing,
            through,
            wishes: Vec::new(),
            events: Vec::new(),
            venues,
        };
        day.begin(epoch);
        Ok(day)
    }

    /// What the program does at a start, in its order.
    fn begin(&mut self, epoch: u64) {
        if self.quotes != Quotes::None {
            self.put(START, Happening::Quote);
        }
        self.inbox.extend(InJournal::default().first_events(START, epoch, &PerVenue::default()));
        self.inbox.extend(limits(self.sequencing, self.unpaired).events().map(Event::Control));
        self.inbox.extend(self.catalogue.events());
        for link in 0..self.links.len() {
            self.put(START.after(DIAL), Happening::Connected(link));
        }
        for venue in Venue::ALL {
            for lane in self.executors[venue].lanes() {
                self.put(START.after(DIAL), Happening::LaneUp(venue, lane));
            }
        }
        for number in 0..self.trouble.faults.len() {
            let at = START.after(self.trouble.faults[number].begins);
            self.put(at, Happening::FaultBegins(number));
        }
    }

    /// Goes on until the policy has closed the run, and a little further: the venues may settle what was traded last.
    fn until_over(&mut self) -> Result<Outcome, Broken> {
        let closed_by = START.after(self.span).after(CLOSED_WITHIN);
        while !(self.life.is_running && self.shell.is_closed()) {
            if self.now > closed_by {
                return Err(Broken::new("S11", "the run does not close".to_owned()));
            }
            self.step()?;
        }
        let truths = self.shell.take_truths().expect("both venues are read before a whole end");
        checks::as_reported(&self.core, &self.catalogue.directory, truths)?;
        let settled_by = self.now.after(SETTLED_WITHIN);
        while self.next_at() <= settled_by {
            self.step()?;
        }
        self.checks.opened_nothing(&self.core)?;
        checks::at_end(&self.core, &self.catalogue.directory, self.shell.read_at_end()?)?;
        lock(&self.venues).check_money()?;
        let orders = self.executors.values().map(|executor| executor.sent()).sum();
        let moved = (orders, self.frames, self.wire);
        let figures = self.shell.figures();
        let seen = (figures, self.watch.tally().clone());
        Ok(Outcome::new(self.seed, self.span, &self.core, &self.checks, seen, moved))
    }

    /// Something is to happen to this run of the program, or whatever happens.
    fn put(&mut self, at: Nanos, what: Happening) {
        self.queue.push(at, (self.life.run, what));
    }

    /// When the next thing happens.
    fn next_at(&self) -> Nanos {
        let links = self.links.iter().filter(|link| link.conn.is_some());
        let links = links.map(|link| link.session.deadline());
        let executors = self.executors.values().map(|executor| executor.deadline());
        let own = links.chain(executors).chain([self.rhythm.next_at()]).min();
        let own = own.filter(|_| self.life.is_running).unwrap_or(Nanos::NEVER);
        let own = own.max(self.life.still_until);
        self.queue.next_at().min(self.venues_at).min(own).max(self.now)
    }

    /// The next thing happens, and everything that follows from it at the same moment.
    fn step(&mut self) -> Result<(), Broken> {
        self.now = self.next_at();
        self.time.set(self.now);
        self.steps += 1;
        if self.venues_at <= self.now {
            lock(&self.venues).tick(self.now);
            self.carry_frames();
        } else if let Some((run, happening)) = self.queue.pop_due(self.now) {
            // What was on its way to a program that is gone finds nobody; what finds one that stands still waits.
            let finds = run == self.life.run || happening.outlives_run();
            if finds && self.is_still() && happening.waits_for_program() {
                self.queue.push(self.life.still_until, (run, happening));
            } else if finds {
                self.happen(happening)?;
            }
        } else if self.is_going() && !self.be_due() {
            self.keep_time()?;
        }
        if self.is_going() {
            self.settle()?;
            self.wind_up();
        }
        if let Some(down_for) = self.life.killed.take() {
            self.life.torn = PerVenue::default();
            self.die(down_for)?;
        }
        let venues = lock(&self.venues);
        self.checks.after_step(self.steps, &venues)?;
        let troubled = venues.troubled();
        drop(venues);
        // What a world's venues do by themselves explains as much as a fault does.
        if troubled > self.troubled {
            self.troubled = troubled;
            self.excuse_until(troubled.after(COMES_TO_REST_WITHIN));
        }
        Ok(())
    }

    /// Whether the program runs and stands still.
    fn is_still(&self) -> bool {
        self.life.is_running && self.life.still_until > Nanos::ZERO
    }

    /// Whether the program runs and goes on.
    fn is_going(&self) -> bool {
        self.life.is_running && self.life.still_until == Nanos::ZERO
    }

    /// A venue's ping is here; where its connection is gone, so are its pings.
    fn venue_ping(&mut self, link: usize, conn: ConnId) {
        if self.links[link].conn == Some(conn) {
            self.links[link].session.alive(self.now);
            if let Some(span) = self.links[link].pings_every {
                self.put(self.now.after(span), Happening::VenuePing(link, conn));
            }
        }
    }

    fn happen(&mut self, happening: Happening) -> Result<(), Broken> {
        let now = self.now;
        match happening {
            Happening::Connected(link) => self.connect(link)?,
            Happening::AtVenue(link, conn, text) => {
                let host = self.links[link].host;
                lock(&self.venues).hear(conn, host, &text, now);
                self.carry_frames();
            }
            Happening::Here(link, conn, text) => self.hear(link, conn, &text)?,
            Happening::Alive(link, conn) => {
                if self.links[link].conn == Some(conn) {
                    self.links[link].session.alive(now);
                }
            }
            Happening::VenuePing(link, conn) => self.venue_ping(link, conn),
            Happening::LaneUp(venue, lane) => match self.dialled_at(venue) {
                None => self.executors[venue].connect(now, lane),
                Some(again) => self.put(again, Happening::LaneUp(venue, lane)),
            },
            Happening::Asked(venue, lane, bytes) => self.ask(venue, lane, &bytes)?,
            Happening::LaneLost(venue, lane) => self.executors[venue].break_off(now, lane),
            Happening::FaultBegins(number) => self.meet_fault(number),
            Happening::FaultWaited(number) => self.waited(number),
            Happening::FaultStrikes(number) => self.begin_fault(number),
            Happening::FaultEnds(number) => self.end_fault(number),
            Happening::TradeFails(number, ends) => self.fail_trade(number, ends),
            Happening::Meddle(number, ends) => self.meddle(number, ends),
            Happening::GoesOn(since) => self.go_on(since),
            Happening::Start => self.start_again()?,
            Happening::Quote => self.quote(),
            Happening::Answered(venue, lane, bytes) => {
                self.note_bytes(&bytes);
                self.executors[venue].answer(now, lane, &bytes)?;
            }
            Happening::Question(venue) => {
                if self.trouble.active.is(venue, FaultKind::Emptied) {
                    self.watch.add(37);
                }
                if lock(&self.venues).money_lags(venue) {
                    self.watch.add(38);
                }
                let versions = lock(&self.venues).versions(venue, now);
                let results =
                    versions.map(|versions| versions.results).filter(|_| !self.rhythm.is_idle());
                self.shell.ask(now, venue, results);
                self.carry_frames();
            }
            Happening::LastQuestion => {
                self.shell.ask_at_end(now)?;
                self.carry_frames();
            }
            Happening::Witness(market) => {
                let entry = self.catalogue.directory.entry(market).expect("it is followed");
                let venue = entry.def.venue;
                if let Some(event) = witness::ask(&self.shown[venue], entry) {
                    let at = self.arrival(venue, Carried::Answer);
                    self.put(at, Happening::Shown(event));
                }
                self.carry_frames();
            }
            Happening::Shown(event) => self.inbox.push_back(event),
        }
        Ok(())
    }

    /// Sessions and executors whose time has come. Whether there is one: executors have their turn at the end of every step.
    fn be_due(&mut self) -> bool {
        let now = self.now;
        let mut is_one = self.executors.values().any(|executor| executor.deadline() <= now);
        for at in 0..self.links.len() {
            let link = &mut self.links[at];
            if link.conn.is_none() || link.session.deadline() > now {
                continue;
            }
            is_one = true;
            if !link.session.due(now, &mut self.events) {
                self.watch.on_silent(at);
                self.lose(at);
            }
            self.inbox.extend(self.events.drain(..));
        }
        is_one
    }

    // --- links ---

    fn connect(&mut self, at: usize) -> Result<(), Broken> {
        let Link { venue, kind, .. } = self.links[at];
        let is_lost = kind == Kind::Market && self.trouble.active.is(venue, FaultKind::MarketLost);
        let again = is_lost.then(|| self.now.after(REDIAL));
        if let Some(again) = again.or(self.dialled_at(venue)) {
            self.put(again, Happening::Connected(at));
            return Ok(());
        }
        self.conns += 1;
        let (conn, now) = (ConnId(self.conns), self.now);
        let link = &mut self.links[at];
        let (host, path, pings_every) = (link.host, link.path, link.pings_every);
        let upgrade = link.upgrade.as_mut();
        let headers = upgrade.map(|upgrade| upgrade.headers(now, path)).unwrap_or_default();
        let opened = lock(&self.venues).open(conn, host, path, headers, now);
        opened.map_err(|status| Broken::new("S11", format!("{path} refuses us with {status}")))?;
        self.watch.on_connected(at);
        self.links[at].conn = Some(conn);
        (self.links[at].frozen_since, self.links[at].lacks) = (None, false);
        self.links[at].session.open(now);
        if let Some(span) = pings_every {
            self.put(now.after(span), Happening::VenuePing(at, conn));
        }
        self.carry_frames();
        Ok(())
    }

    /// A link is given up by its session; it is dialled again.
    fn lose(&mut self, at: usize) {
        let link = &mut self.links[at];
        let Some(conn) = link.conn.take() else { return };
        // It was in trouble until it was found, however long ago the fault was over.
        let was_frozen = link.frozen_since.take().is_some();
        link.session.close(self.now, &mut self.events);
        if link.kind == Kind::Private {
            self.watch.on_untold(&self.core, link.venue);
        }
        lock(&self.venues).close(conn, link.host);
        self.put(self.now.after(REDIAL), Happening::Connected(at));
        if was_frozen {
            self.excuse_until(self.now.after(COMES_TO_REST_WITHIN));
        }
    }

    /// A venue's frame, into the session.
    fn hear(&mut self, at: usize, conn: ConnId, text: &str) -> Result<(), Broken> {
        let now = self.now;
        let link = &mut self.links[at];
        if link.conn != Some(conn) {
            return Ok(());
        }
        self.frames += 1;
        if let Some(learn) = link.learn
            && let Some((order, id)) = learn(text.as_bytes())
        {
            self.executors[link.venue].learn(order, id);
        }
        let understood = link.session.frame(now, text.as_bytes(), &mut self.events);
        let (venue, path) = (link.venue, link.path);
        while let Some(notice) = link.session.next_notice() {
            self.shell.notice(venue, notice)?;
        }
        self.inbox.extend(self.events.drain(..));
        self.note_bytes(text.as_bytes());
        if self.trouble.is_spoilt(now, venue)
            || self.links[at].lacks && matches!(understood, Err(DecodeError::Gap { .. }))
        {
            if understood.is_ok() && self.trouble.active.is(venue, FaultKind::NewFields) {
                self.watch.add(51);
            }
            return Ok(()); // a gap is no misunderstanding
        }
        understood.map_err(|error| Broken::new("C51", format!("{path}: {error:?} in {text}")))
    }

    /// What the venues have sent, and what the sessions have, is on its way.
    fn carry_frames(&mut self) {
        loop {
            let frame = lock(&self.venues).poll_frame();
            let Some((conn, text)) = frame else { break };
            let Some(at) = self.links.iter().position(|link| link.conn == Some(conn)) else {
                continue;
            };
            let Link { venue, kind, frozen_since, .. } = self.links[at];
            let is_private = kind == Kind::Private;
            let is_untold = is_private && self.trouble.active.is(venue, FaultKind::PrivateUntold);
            if frozen_since.is_some() || is_untold {
                continue;
            }
            let Some(text) = self.spoil(at, text) else { continue };
            let at_last = self.in_order(at, &text);
            let twice = if is_private { FaultKind::PrivateTwice } else { FaultKind::FramesTwice };
            if self.trouble.active.is(venue, twice) {
                self.put(at_last, Happening::Here(at, conn, text.clone()));
            }
            self.put(at_last, Happening::Here(at, conn, text));
        }
        self.venues_at = lock(&self.venues).deadline();
    }

    fn send_frames(&mut self) {
        for at in 0..self.links.len() {
            let Some(conn) = self.links[at].conn else { continue };
            while let Some(text) = self.links[at].session.next_frame() {
                self.note_bytes(text.as_bytes());
                let arrives = self.arrival(self.links[at].venue, Carried::Request);
                let link = &mut self.links[at];
                link.out_until = link.out_until.max(arrives);
                let at_last = link.out_until;
                self.put(at_last, Happening::AtVenue(at, conn, text));
            }
            if self.links[at].session.wants_ping() {
                let venue = self.links[at].venue;
                let back = self.echo(venue);
                self.put(back, Happening::Alive(at, conn));
            }
        }
    }

    // --- the core, and what it wants ---

    /// Everything that follows at this moment: the core's events, its intents, the executors' turns and their reports.
    fn settle(&mut self) -> Result<(), Broken> {
        loop {
            while let Some(event) = self.inbox.pop_front() {
                self.tell(&event)?;
            }
            for venue in Venue::ALL {
                let mut wishes = std::mem::take(&mut self.wishes);
                self.executors[venue].turn(self.now, &mut wishes)?;
                for wish in wishes.drain(..) {
                    self.grant(venue, wish);
                }
                self.wishes = wishes;
            }
            if self.inbox.is_empty() {
                break;
            }
        }
        self.send_frames();
        Ok(())
    }

    fn grant(&mut self, venue: Venue, wish: Wish) {
        match wish {
            Wish::Tell(event) => {
                self.watch.on_executor(&event);
                self.inbox.push_back(event);
            }
            Wish::Dial(lane) => {
                self.put(self.now.after(DIAL), Happening::LaneUp(venue, lane));
            }
            Wish::Send(lane, bytes) => {
                if self.life.torn[venue] {
                    return;
                }
                self.note_bytes(&bytes);
                self.strike(is_of_order(&bytes));
                if self.life.killed.is_some() && self.trouble.rng.chance(1, 2) {
                    if is_placement(&bytes) && self.trouble.rng.chance(1, 2) {
                        self.life.torn[venue] = self.executors[venue].tear_log();
                    }
                    return; // killed between the log and the socket, or within the log's last record
                }
                let at = self.arrival(venue, Carried::Request);
                self.put(at, Happening::Asked(venue, lane, bytes));
            }
        }
    }

    /// One event into the core, checked, and its intents on their way.
    fn tell(&mut self, event: &Event) -> Result<(), Broken> {
        if self.now.since(self.current_at) >= CURRENT_EVERY {
            self.current_at = self.now;
            self.tell_current()?;
            self.tell_one(&Event::Handed { read: self.now })?;
            self.read_terms()?;
        }
        self.tell_one(event)
    }

    /// How fresh market data is, as the feed tells it: of the links of a venue that were heard a moment ago in one event, as far as all
    /// of them; of each other by itself.
    fn tell_current(&mut self) -> Result<(), Broken> {
        let mut together = PerVenue::all((LinkSet::NONE, Nanos::NEVER));
        for at in 0..self.links.len() {
            let Link { venue, kind, number, conn, .. } = self.links[at];
            if kind != Kind::Market || conn.is_none() {
                continue;
            }
            let late = self.links[at].session.late_by(self.now);
            let upto = Nanos::new(self.now.get().saturating_sub(late.get()));
            if late <= CURRENT_EVERY {
                let (links, all) = &mut together[venue];
                links.insert(number);
                *all = upto.min(*all);
            } else {
                let links = LinkSet::only(number);
                self.tell_one(&Event::Current { venue, links, upto })?;
            }
        }
        for venue in Venue::ALL {
            let (links, upto) = together[venue];
            if !links.is_empty() {
                self.tell_one(&Event::Current { venue, links, upto })?;
            }
        }
        Ok(())
    }

    fn tell_one(&mut self, event: &Event) -> Result<(), Broken> {
        assert!(self.outbox.intents().is_empty(), "carried out after each event");
        self.life.history.keep(&self.core, self.now, event);
        self.core.on_event(self.now, event, &mut self.outbox);
        (self.listener)(self.now, event, &self.outbox);
        if let Some(epoch) = self.outbox.raised() {
            self.halt.raise_to(epoch);
        }
        // Before anything is checked: what does not hold is to be found in it.
        self.chronicle.keep(self.now.since(START), &self.core, event, &self.outbox);
        self.checks.after_event(self.now, &self.core, event, &self.outbox)?;
        if self.checks.take_halted_unsold() {
            self.shell.expect_halt(self.now);
        }
        self.watch_event(event)?;
        self.check_links()?;
        for at in 0..self.outbox.intents().len() {
            let intent = self.outbox.intents()[at];
            match intent.venue() {
                Some(venue) => self.executors[venue].intend(self.now, intent),
                None => self.fetch(intent),
            }
        }
        self.outbox.clear();
        Ok(())
    }

    /// Nothing is opened at a venue of which no market link is there (O14).
    fn check_links(&self) -> Result<(), Broken> {
        for intent in self.outbox.intents() {
            let Intent::Place(order) = intent else { continue };
            let of_venue = |link: &&Link| link.venue == order.venue && link.kind == Kind::Market;
            let is_blind = self.links.iter().filter(of_venue).all(|link| link.conn.is_none());
            if order.purpose == Purpose::Leg && is_blind {
                let what = format!("order {} opens where no market link is there", order.id);
                return Err(Broken::new("O14", what));
            }
        }
        Ok(())
    }

    /// A fresh snapshot is asked for by whichever link follows the market, and a witness beside the links.
    fn fetch(&mut self, intent: Intent) {
        if let Intent::Witness { market } = intent {
            let Some(venue) = self.catalogue.directory.entry(market).map(|entry| entry.def.venue)
            else {
                return;
            };
            let at = self.arrival(venue, Carried::Request);
            return self.put(at, Happening::Witness(market));
        }
        let Intent::Resync { market } = intent else { return };
        let Some(entry) = self.catalogue.directory.entry(market) else { return };
        let venue = entry.def.venue;
        let links = self.links.iter_mut();
        for link in links.filter(|link| link.venue == venue && link.kind == Kind::Market) {
            link.session.fetch(self.now, market);
        }
    }

    fn note_bytes(&mut self, bytes: &[u8]) {
        self.wire.word(self.now.get());
        self.wire.bytes(bytes);
    }
}
