//! A twin, and a state directory that is killed and started again over it.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::Receiver;
use serde_json::Value;
use surefoot_cold::state_dir::StateDir;
use surefoot_hot::ids::Venue;
use surefoot_hot::per_venue::PerVenue;
use surefoot_hot::units::Nanos;

use super::compare::{Found, OnDisk, UNHEARD, compare};
use super::point::{Family, Point, RoundPlan};
use super::program::{Place, Program, until};
use super::proxy::Proxy;
use super::shim::Shim;
use crate::access::Access;
use crate::cli::TopologyArg;
use crate::twin::Host;
use crate::twin::demo::Demo;
use crate::twin::open::{Options, open};
use crate::twin::server::{Command, Fault, Running, Stamp, StampKind};
use crate::twin::statement::Statement;
use crate::twin::world::{World, WorldName};

/// A state directory is used for so many rounds: then limits are reached, and a new account trades.
const ROUNDS_MAX: u64 = 12;
/// How long a point is waited for; then the run is killed where it is.
const POINT_WITHIN: Duration = Duration::from_secs(10);
/// How long a run may take until it has agreed with the venues.
const OPEN_WITHIN: Duration = Duration::from_secs(90);
/// How long a run may take to end: an order that the venue never had is waited for.
const END_WITHIN: Duration = Duration::from_secs(120);
/// A drill goes on after a bad day; venues are read so often that every host has traffic while it is spoilt.
const SETTINGS: &str =
    "[limits]\ndaily_loss = 2000\ndaily_loss_strategy = 2000\n[times]\ncompare_ms = 3000\n";
/// How far each venue is, one way: orders are under way long enough to be met there.
const DISTANCE: Duration = Duration::from_millis(10);
/// No market may get its result so soon where a run is about to end: its money would move while the run compares.
const ENDING: Nanos = Nanos::from_secs(4);

/// What came of one kill.
#[derive(Clone, Debug)]
pub struct Round {
    pub drawn: RoundPlan,
    /// Whether the run died at the point, and not because it did not come.
    pub hit: bool,
    /// Orders and groups that were under way in the files when it died, or orders that arrived while the ways were spoilt.
    pub under_way: usize,
    /// From the next start until it had agreed with both venues.
    pub again: Duration,
    /// Orders that the venues have taken so far.
    pub orders: u64,
    pub found: Found,
}

/// One twin and the files of the runs that trade there.
pub struct Life {
    place: Place,
    twin: Running<Demo>,
    /// Before the twin.
    proxy: Proxy,
    orders_in: Receiver<Stamp>,
    identity: u64,
    /// Rounds so far.
    rounds: u64,
    /// Nothing more can be learned of it: its run may be halted for good.
    is_spent: bool,
}

impl Life {
    /// Makes both, in a directory.
    ///
    /// # Errors
    /// For a person.
    pub fn begin(dir: &Path, seed: u64) -> Result<Self, String> {
        let failed =
            |what: &Path, error: &dyn std::fmt::Display| format!("{}: {error}", what.display());
        fs::create_dir_all(dir).map_err(|error| failed(dir, &error))?;
        let settings = dir.join("surefoot.toml");
        fs::write(&settings, SETTINGS).map_err(|error| failed(&settings, &error))?;
        let world = World::at_distance(WorldName::Calm, Some(DISTANCE));
        let options = Options { seed, world, ..Options::default() };
        let (server, mut description) =
            open(&options, &dir.join("twin")).map_err(|error| error.to_string())?;
        let proxy = Proxy::start(server.endpoints()).map_err(|error| error.to_string())?;
        lead_through(&mut description, server.endpoints(), &proxy);
        let venues = dir.join("venues.json");
        fs::write(&venues, description.to_string()).map_err(|error| failed(&venues, &error))?;
        let identity = Access::from_file(&venues).map_err(|error| error.to_string())?.identity();
        let twin = server.spawn().map_err(|error| error.to_string())?;
        let (stamps, orders_in) = crossbeam_channel::bounded(4_096);
        twin.remote.command(Command::Stamps(Some(stamps)));
        let place = Place { dir: dir.to_owned(), state: dir.join("state"), venues };
        Ok(Self { place, twin, proxy, orders_in, identity, rounds: 0, is_spent: false })
    }

    /// Whether it has been used enough.
    pub const fn is_over(&self) -> bool {
        self.is_spent || self.rounds >= ROUNDS_MAX
    }

    /// Where its files are.
    pub fn dir(&self) -> &PathBuf {
        &self.place.dir
    }

    /// One kill, a start, and the comparison.
    ///
    /// # Errors
    /// What is not as it should be, for a person.
    pub fn round(&mut self, drawn: RoundPlan, shim: Option<&Shim>) -> Result<Round, String> {
        self.rounds += 1;
        if drawn.point.family() == Family::Net {
            return self.spoil(drawn);
        }
        let hit = self.kill(&drawn, shim)?;
        let state = StateDir::at(&self.place.state);
        let before = OnDisk::read(&state)?;
        let begin = Instant::now();
        let mut next = self.start("next", None, &drawn)?;
        self.opened(&mut next)?;
        self.judge(drawn, &mut next, hit, begin.elapsed(), before)
    }

    /// Has the run end, and compares.
    fn judge(
        &self,
        drawn: RoundPlan,
        run: &mut Program,
        hit: bool,
        again: Duration,
        before: OnDisk,
    ) -> Result<Round, String> {
        let state = StateDir::at(&self.place.state);
        until(OPEN_WITHIN, || self.is_between_results().then_some(()));
        self.end(run)?;
        let stated = self.statements().ok_or("the twin has ended")?;
        let found = compare(&state, self.identity, &before.fills, &stated)?;
        let orders = stated.values().map(|stated| stated.orders.len() as u64).sum();
        Ok(Round { drawn, hit, under_way: before.under_way, again, orders, found })
    }

    /// Spoils the ways to the venues for a while. The same run goes on.
    fn spoil(&self, drawn: RoundPlan) -> Result<Round, String> {
        let spoilt = drawn.spoilt.ok_or("nothing was drawn")?;
        let before = self.proxy.met(spoilt.host);
        // Gamma is read as a run starts, and then not for minutes.
        let at_start = drawn.point == Point::Handshake || spoilt.host == Host::Gamma;
        if at_start {
            self.proxy.spoil(spoilt);
        }
        let mut run = self.start("spoilt", None, &drawn)?;
        if !at_start {
            self.opened(&mut run)?;
            self.proxy.spoil(spoilt);
        }
        while self.orders_in.try_recv().is_ok() {}
        let met = || (self.proxy.met(spoilt.host) > before).then_some(());
        let hit = until(POINT_WITHIN, met).is_some();
        thread::sleep(drawn.moment);
        let is_order = |stamp: &Stamp| stamp.kind == StampKind::PostIn;
        let under_way = self.orders_in.try_iter().filter(is_order).count();
        self.proxy.heal();
        let begin = Instant::now();
        self.opened(&mut run)?;
        self.at_rest(&run)?;
        let before = OnDisk { under_way, ..OnDisk::default() };
        self.judge(drawn, &mut run, hit, begin.elapsed(), before)
    }

    /// Waits until nothing is under way.
    fn at_rest(&self, run: &Program) -> Result<(), String> {
        let rests = until(OPEN_WITHIN, || {
            let status = run.status()?;
            let none = |at: &str| status.pointer(at).and_then(Value::as_u64) == Some(0);
            (none("/orders/live") && none("/groups_live")).then_some(())
        });
        rests.ok_or_else(|| format!("orders are still under way after {OPEN_WITHIN:?}"))
    }

    /// Whether no money of a result has moved lately, and none is about to.
    fn is_between_results(&self) -> bool {
        let next = self.twin.remote.with(|demo, now| (demo.next_result(), now));
        let moved = |stated: PerVenue<Statement>| {
            let all = stated.values().flat_map(|stated| &stated.settled).map(|(_, moved)| *moved);
            all.max().unwrap_or(Nanos::ZERO)
        };
        match (next, self.statements().map(moved)) {
            (Some((next, now)), Some(moved)) => {
                next >= now.after(ENDING) && now >= moved.after(UNHEARD)
            }
            _ => true, // the twin has ended, which is told elsewhere
        }
    }

    fn statements(&self) -> Option<PerVenue<Statement>> {
        self.twin.remote.with(|demo, _| PerVenue::from_fn(|venue| demo.statement(venue)))
    }

    fn start(&self, name: &str, shim: Option<&Shim>, drawn: &RoundPlan) -> Result<Program, String> {
        let fired = self.place.dir.join("fired");
        let _ = fs::remove_file(&fired); // it may not be there
        let arm = |command: &mut std::process::Command| {
            if let (Some(shim), Some(aim)) = (shim, &drawn.aim) {
                shim.arm(command, aim, &fired);
            }
        };
        Program::start(&self.place, name, TopologyArg::Calm, arm).map_err(|error| error.to_string())
    }

    /// Waits until a run has agreed with both venues.
    fn opened(&self, run: &mut Program) -> Result<Value, String> {
        let mut last = Value::Null;
        let open = until(OPEN_WITHIN, || {
            if let Some(ended) = run.ended() {
                return Some(Err(format!(
                    "the run ended by itself ({ended}): {}",
                    run.last_words()
                )));
            }
            last = run.status()?;
            (last["open"] == true && last["reconciled"] == true).then(|| Ok(last.clone()))
        });
        open.unwrap_or_else(|| {
            let troubles = &last["troubles"];
            Err(format!("the run has not agreed with the venues in {OPEN_WITHIN:?}: {troubles}"))
        })
    }

    /// Has a run end, and looks at how.
    fn end(&self, run: &mut Program) -> Result<(), String> {
        if !run.stop() {
            return Err(format!("the run does not hear `stop`: {}", run.last_words()));
        }
        let ended = until(END_WITHIN, || run.ended());
        let ended = ended.ok_or_else(|| format!("the run has not ended: {}", run.last_words()))?;
        let report = run.report();
        if ended.success() && report["reconciled"] == true {
            return Ok(());
        }
        Err(format!(
            "the run ended with {ended}, reconciled {}: {}",
            report["reconciled"],
            run.last_words()
        ))
    }

    /// A run that ends because of a file says which.
    fn named_a_file(&self, run: &Program) -> Result<(), String> {
        let words = run.all_words();
        let state = self.place.state.display().to_string();
        if words.contains(&state) { Ok(()) } else { Err(format!("it names no file: {words}")) }
    }

    fn fault(&self, venue: Venue, fault: Fault) {
        self.twin.remote.command(Command::Fault(Host::of_orders(venue), fault));
    }

    /// Waits until an order arrives, at a certain venue or at any.
    fn order_arrives(&self, run: &mut Program, at: Option<Venue>) -> bool {
        let is_meant = |stamp: &Stamp| {
            stamp.kind == StampKind::PostIn
                && at.is_none_or(|venue| stamp.host == Host::of_orders(venue))
        };
        let end = Instant::now() + POINT_WITHIN;
        loop {
            match self.orders_in.recv_deadline(end) {
                Ok(stamp) if is_meant(&stamp) => return run.ended().is_none(),
                Ok(_) => {}
                Err(_) => return false,
            }
        }
    }

    /// Starts a run and kills it. Whether that was at the point.
    fn kill(&mut self, drawn: &RoundPlan, shim: Option<&Shim>) -> Result<bool, String> {
        while self.orders_in.try_recv().is_ok() {}
        if drawn.point == Point::Reading {
            self.fault(drawn.venue, Fault::Frozen);
        }
        let mut run = self.start("killed", shim, drawn)?;
        let came = match drawn.point {
            Point::AnyMoment => true,
            Point::Reading => until(POINT_WITHIN, || run.status()).is_some(),
            Point::OrderSent => self.order_arrives(&mut run, None),
            Point::OrderLost | Point::AnswerLost => {
                self.opened(&mut run)?;
                let lost = drawn.point == Point::OrderLost;
                let fault = if lost { Fault::PostsIgnored } else { Fault::PostsUnanswered };
                self.fault(drawn.venue, fault);
                self.order_arrives(&mut run, Some(drawn.venue))
            }
            point if point.is_at_end() => {
                self.opened(&mut run)?;
                self.order_arrives(&mut run, None);
                run.stop()
            }
            _ => true, // a call, which kills by itself
        };
        let mark = self.place.dir.join("fired");
        let fired = || mark.exists();
        let hit = if drawn.point.is_error() {
            until(POINT_WITHIN, || (fired() || run.ended().is_some()).then_some(()));
            until(drawn.moment, || run.ended()); // what it makes of it
            self.is_spent = true;
            fired()
        } else if drawn.aim.is_some() {
            until(POINT_WITHIN, || run.ended());
            fired()
        } else {
            if matches!(drawn.point, Point::AnyMoment | Point::Reading | Point::Ending) {
                thread::sleep(drawn.moment); // to the microsecond: the moment is what was drawn
            }
            came && run.ended().is_none()
        };
        let ended_by_itself = !run.kill();
        self.fault(drawn.venue, Fault::None);
        if drawn.point.is_error() && ended_by_itself {
            self.named_a_file(&run)?;
        }
        Ok(hit)
    }
}

/// Has the description of a twin name the proxy's ports.
fn lead_through(description: &mut Value, twin: [SocketAddr; Host::ALL.len()], proxy: &Proxy) {
    match description {
        Value::String(text) => {
            for host in Host::ALL {
                let (from, to) = (twin[host.index()], proxy.endpoints[host.index()]);
                if text.contains(&from.to_string()) {
                    *text = text.replace(&from.to_string(), &to.to_string());
                    return; // a port of the twin's and one of the proxy's never are the same
                }
            }
        }
        Value::Array(list) => list.iter_mut().for_each(|value| lead_through(value, twin, proxy)),
        Value::Object(map) => map.values_mut().for_each(|value| lead_through(value, twin, proxy)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        let _ = self.twin.stop(); // it has nothing to tell any more
    }
}
