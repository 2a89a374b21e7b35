//! A twin, and a state directory that is killed and started again over it.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::Receiver;
use serde_json::Value;
use surefoot_cold::state_dir::StateDir;
use surefoot_hot::ids::Venue;
use surefoot_hot::per_venue::PerVenue;

use super::compare::{Found, OnDisk, compare};
use super::point::{Drawn, Point};
use super::program::{Place, Program, until};
use super::shim::Shim;
use crate::access::Access;
use crate::twin::Host;
use crate::twin::demo::Demo;
use crate::twin::open::{Options, open};
use crate::twin::server::{Command, Fault, Running, Stamp, StampKind};
use crate::twin::statement::Statement;

/// How long a point is waited for; then the run is killed where it is.
const POINT_WITHIN: Duration = Duration::from_secs(6);
/// How long a run may take until it has agreed with the venues.
const OPEN_WITHIN: Duration = Duration::from_secs(90);
/// How long a run may take to end: an order that the venue never had is waited for.
const END_WITHIN: Duration = Duration::from_secs(120);
/// A drill goes on after a bad day.
const SETTINGS: &str = "[limits]\ndaily_loss = 2000\ndaily_loss_strategy = 2000\n";

/// What came of one kill.
#[derive(Clone, Debug)]
pub struct Round {
    pub drawn: Drawn,
    /// Whether the run died at the point, and not because it did not come.
    pub hit: bool,
    /// Orders and groups that were under way in the files when it died.
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
    orders_in: Receiver<Stamp>,
    identity: u64,
    /// Rounds so far.
    pub rounds: u64,
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
        let options = Options { seed, ..Options::default() };
        let (server, description) =
            open(&options, &dir.join("twin")).map_err(|error| error.to_string())?;
        let venues = dir.join("venues.json");
        fs::write(&venues, description.to_string()).map_err(|error| failed(&venues, &error))?;
        let identity = Access::from_file(&venues).map_err(|error| error.to_string())?.identity();
        let twin = server.spawn().map_err(|error| error.to_string())?;
        let (stamps, orders_in) = crossbeam_channel::bounded(4_096);
        twin.remote.command(Command::Stamps(Some(stamps)));
        let place = Place { dir: dir.to_owned(), state: dir.join("state"), venues };
        Ok(Self { place, twin, orders_in, identity, rounds: 0 })
    }

    /// Where its files are.
    pub fn dir(&self) -> &PathBuf {
        &self.place.dir
    }

    /// One kill, a start, and the comparison.
    ///
    /// # Errors
    /// What is not as it should be, for a person.
    pub fn round(&mut self, drawn: Drawn, shim: Option<&Shim>) -> Result<Round, String> {
        self.rounds += 1;
        let hit = self.kill(&drawn, shim)?;
        let state = StateDir::at(&self.place.state);
        let before = OnDisk::read(&state)?;
        let begin = Instant::now();
        let mut next = self.start("next", None, &drawn)?;
        self.opened(&mut next)?;
        let again = begin.elapsed();
        self.end(&mut next)?;
        let stated = self.statements().ok_or("the twin has ended")?;
        let found = compare(&state, self.identity, &before.fills, &stated)?;
        let orders = stated.values().map(|stated| stated.orders.len() as u64).sum();
        Ok(Round { drawn, hit, under_way: before.under_way, again, orders, found })
    }

    fn statements(&self) -> Option<PerVenue<Statement>> {
        self.twin.remote.with(|demo, _| PerVenue::from_fn(|venue| demo.statement(venue)))
    }

    fn start(&self, name: &str, shim: Option<&Shim>, drawn: &Drawn) -> Result<Program, String> {
        let fired = self.place.dir.join("fired");
        let _ = fs::remove_file(&fired); // it may not be there
        let arm = |command: &mut std::process::Command| {
            if let (Some(shim), Some(aim)) = (shim, &drawn.aim) {
                shim.arm(command, aim, &fired);
            }
        };
        Program::start(&self.place, name, arm).map_err(|error| error.to_string())
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
    fn kill(&self, drawn: &Drawn, shim: Option<&Shim>) -> Result<bool, String> {
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
            Point::Snapshot | Point::Ending => {
                self.opened(&mut run)?;
                self.order_arrives(&mut run, None);
                run.stop()
            }
            Point::StartUp
            | Point::OrderDecided
            | Point::OrderWritten
            | Point::Journal
            | Point::Mark
            | Point::Database => true,
        };
        let hit = if drawn.aim.is_some() {
            until(POINT_WITHIN, || run.ended());
            self.place.dir.join("fired").exists()
        } else {
            if matches!(drawn.point, Point::AnyMoment | Point::Reading | Point::Ending) {
                thread::sleep(drawn.moment); // to the microsecond: the moment is what was drawn
            }
            came && run.ended().is_none()
        };
        run.kill();
        self.fault(drawn.venue, Fault::None);
        Ok(hit)
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        let _ = self.twin.stop(); // it has nothing to tell any more
    }
}
