//! From wire to wire on loopback: how long from a venue's frame leaving for our socket to the first byte of our signed
//! order at the venue's? Everything real is in it, on one spinning thread: TLS both ways, WebSocket, codec, core,
//! journal ring, signature, wire log, HTTP. The operating system's loopback takes the network's place.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use rtrb::{Consumer, Producer};
use surefoot_cold::directory::Directory;
use surefoot_cold::exec::codec::VenueCodec;
use surefoot_cold::exec::{AnyExec, Exec, ExecOptions, ExecWiring};
use surefoot_cold::feed::{Feed, FeedLink, LinkOptions};
use surefoot_cold::halt::HaltEpoch;
use surefoot_cold::net::{Dialer, Endpoint, Stage, Trust, client_config};
use surefoot_cold::venue::kalshi::encode;
use surefoot_cold::venue::kalshi::{HeaderSlots, Kalshi, KalshiRates};
use surefoot_cold::venue::polymarket::{Polymarket, PolymarketRates};
use surefoot_cold::wirelog::{SyncMode, WireLog};
use surefoot_hot::core::Core;
use surefoot_hot::event::{Event, Link};
use surefoot_hot::ids::{MarketId, Venue};
use surefoot_hot::journal::JournalItem;

use super::desk::{self, Strategy};
use super::sign;
use super::venue::{Drill, Loopback, Measured};
use super::{Row, pin_first, pin_other};
use crate::clock::Clock;
use crate::machine::core_agent::CoreAgent;
use crate::machine::executors::Executors;
use crate::machine::meter::HotMeter;
use crate::machine::topology::{self, ExecutorEnds, RingEnds};

/// The hot thread's agents, as a fused topology has them.
struct Fused {
    feed: Feed<HotMeter>,
    core: CoreAgent,
    executors: Executors,
    journal: Consumer<JournalItem>,
    clock: Clock,
}

/// Makes the dialer of one connection: scheme, path and seed to where it leads and who dials it.
type Dial<'a> = dyn Fn(&str, &str, u64) -> Result<(Endpoint, Dialer), String> + 'a;

/// Adds both venues' links of market data.
fn follow_markets(
    feed: &mut Feed<HotMeter>,
    directory: &Directory,
    dial: &Dial<'_>,
) -> Result<(), String> {
    let of = |venue| directory.of(venue).map(|e| e.def.market).collect::<Vec<MarketId>>();
    feed.add(FeedLink::new(
        Venue::Polymarket,
        Link::Market,
        desk::polymarket_session(directory),
        of(Venue::Polymarket),
        dial("wss", "/ws/market", 1)?.1,
        LinkOptions::default(),
    ));
    feed.add(FeedLink::new(
        Venue::Kalshi,
        Link::Market,
        desk::kalshi_session(directory),
        of(Venue::Kalshi),
        dial("wss", encode::WS, 2)?.1,
        LinkOptions::default(),
    ));
    Ok(())
}

type AnyExecutor = Box<dyn AnyExec<HotMeter>>;

fn executor<C: VenueCodec + 'static>(
    codec: C,
    wiring: ExecWiring,
    meter: HotMeter,
) -> Result<AnyExecutor, String> {
    match Exec::new(codec, wiring, ExecOptions::default(), meter) {
        Ok(exec) => Ok(Box::new(exec)),
        Err(why) => Err(why.to_string()),
    }
}

impl Fused {
    fn new(
        addr: SocketAddr,
        ca_pem: &str,
        strategy: Strategy,
        wire_logs: &Path,
    ) -> Result<Self, String> {
        let directory = desk::directory();
        let clock = Clock::start()?;
        let halt = HaltEpoch::new(1);
        let trust = Trust::from_pem("the measurement's own", ca_pem.as_bytes());
        let config = client_config(&trust.map_err(|why| why.to_string())?);
        let dial = |scheme: &str, path: &str, seed: u64| -> Result<(Endpoint, Dialer), String> {
            let url = format!("{scheme}://{addr}{path}");
            let endpoint: Endpoint = url.parse().map_err(|why| format!("{url}: {why}"))?;
            let dialer = Dialer::new(endpoint.clone(), Arc::clone(&config), seed);
            Ok((endpoint, dialer.map_err(|why| why.to_string())?))
        };
        let RingEnds { core, agents, ops, journal, .. } = topology::rings();
        tell(ops, &directory, strategy);
        let core = CoreAgent::new(Core::new(), core, halt.clone(), clock.clone());

        let meter = || HotMeter::new(clock.clone());
        let mut feed =
            Feed::new(agents.feed.events, None, meter()).map_err(|why| why.to_string())?;
        feed.take_intents(agents.feed.intents);
        follow_markets(&mut feed, &directory, &dial)?;

        // As fast as the machine, not as the venues' tiers allow.
        let most = (1_000_000, 1_000_000);
        let wiring = |venue: Venue, ends: ExecutorEnds, path: &str| -> Result<_, String> {
            let log = wire_logs.join(format!("{}.wirelog", venue.name()));
            let (log, _) = WireLog::open(&log, SyncMode::Grouped).map_err(|why| why.to_string())?;
            let seed = 10 * (venue.index() as u64 + 1);
            Ok(ExecWiring {
                core_exec: ends.intents,
                exec_core: ends.reports,
                halt: halt.clone(),
                log,
                order_lanes: vec![dial("https", path, seed)?.1, dial("https", path, seed + 1)?.1],
                chore_lanes: Vec::new(),
                learnt: None,
            })
        };
        let executors = agents.executors.map(|venue, ends| -> Result<AnyExecutor, String> {
            match venue {
                Venue::Polymarket => {
                    let rates =
                        PolymarketRates { orders: most, cancels: most, reads: most, reserve: 0 };
                    let (signer, clob) = (sign::polymarket_signer(), dial("https", "", 3)?.0);
                    let codec = Polymarket::new(Arc::new(signer), &clob, &directory, rates);
                    executor(codec, wiring(venue, ends, "")?, meter())
                }
                Venue::Kalshi => {
                    let rates = KalshiRates { write: most, read: most, cancel_reserve: 0 };
                    let signer = Arc::new(sign::kalshi_signer());
                    let slots =
                        HeaderSlots::spawn(signer.clone()).map_err(|why| why.to_string())?;
                    let rest = dial("https", encode::ROOT, 4)?.0;
                    let codec = Kalshi::new(signer, &rest, &directory, rates, Some(slots));
                    executor(codec, wiring(venue, ends, encode::ROOT)?, meter())
                }
            }
        });
        let executors = Executors(executors.transpose()?);
        Ok(Self { feed, core, executors, journal, clock })
    }

    /// Spins until told to stop; says when it would trade.
    fn spin(mut self, ready: &AtomicBool, stop: &AtomicBool) -> Self {
        let mut told = false;
        while !stop.load(Ordering::Relaxed) {
            let now = self.clock.now();
            let work = self.feed.turn(now) + self.core.turn(now) + self.executors.turn(now);
            if work > 0 {
                continue;
            }
            // The journal's own thread is left out: with the venue's it would be one more than two cores carry.
            while self.journal.pop().is_ok() {}
            if !told && self.is_ready() {
                told = true;
                ready.store(true, Ordering::Release);
            }
        }
        self
    }

    fn is_ready(&self) -> bool {
        let core = self.core.core();
        let links = self.feed.stats().all(|link| link.up);
        let books = Venue::ALL.into_iter().map(|venue| core.books().health(venue));
        links && books.into_iter().all(|(all, good)| all > 0 && all == good)
    }
}

/// Everything the core must know, and that the private streams are up: none is wired here.
fn tell(mut ops: Producer<Event>, directory: &Directory, strategy: Strategy) {
    let links = Venue::ALL.map(|venue| (venue, Link::Private));
    for event in desk::setup(directory, strategy, &links) {
        ops.push(event).expect("the ring holds a whole setup");
    }
}

/// A directory for wire logs that is gone when this is.
struct Temporary(PathBuf);

impl Temporary {
    fn new() -> io::Result<Self> {
        let path = std::env::temp_dir().join(format!("surefoot-bench-{}", std::process::id()));
        std::fs::create_dir_all(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0); // it is in the system's own temporary place
    }
}

/// One thread for feed, core and executors, another for the venue: a frame that opens a gap, the order for it.
///
/// # Errors
/// Something could not be set up, or an order did not come.
fn fused(name: &'static str, drill: Drill) -> Result<Row, String> {
    let fail = |doing: &str| {
        let doing = doing.to_owned();
        move |why: io::Error| format!("{doing}: {why}")
    };
    let strategy = match drill.venue {
        Venue::Polymarket => Strategy::PolymarketSet,
        Venue::Kalshi => Strategy::Pairs,
    };
    let logs = Temporary::new().map_err(fail("making a directory for wire logs"))?;
    let venue = Loopback::new(drill).map_err(fail("listening on loopback"))?;
    let addr = venue.addr().map_err(fail("listening on loopback"))?;
    let machine = Fused::new(addr, venue.ca_pem(), strategy, &logs.0)?;
    let (ready, stop) = (AtomicBool::new(false), AtomicBool::new(false));
    let (hist, machine) = thread::scope(|scope| {
        let hot = scope.spawn(|| {
            pin_first();
            machine.spin(&ready, &stop)
        });
        let served = scope.spawn(|| {
            pin_other();
            venue.run(&ready)
        });
        let hist = served.join();
        stop.store(true, Ordering::Relaxed);
        (hist, hot.join())
    });
    let hist = hist.map_err(|_| "the venue's thread panicked".to_owned())?;
    let mut machine = machine.map_err(|_| "the hot thread panicked".to_owned())?;
    let exec = &mut machine.executors.0[drill.venue];
    let stats = exec.stats().clone();
    let Measured { hist, missed } = hist.map_err(|why| {
        let up = machine.feed.stats().filter(|link| link.up).count();
        let core = machine.core.core().stats();
        format!(
            "{why}. {} opportunities were seen, {} orders refused, {} sent, {} connections broke, {up} of 2 streams are up. \
             On a busy machine the venue's thread or ours waits for a core: run it with two cores free",
            core.opportunities, core.refusals, stats.sent, stats.broken
        )
    })?;
    let signed = match exec.signatures() {
        None => "each order signed on the way".to_owned(),
        Some((ahead, inline)) => {
            format!("{ahead} signatures made ahead, {inline} on the way (Ed25519)")
        }
    };
    let stages = &exec.meter().stages;
    let us = |stage: Stage| {
        let tenths = stages[stage as usize].value_at_quantile(0.5) / 100;
        format!("{}.{} µs", tenths / 10, tenths % 10)
    };
    let (signing, writing) = (us(Stage::Sign), us(Stage::Write));
    let row = Row { name, input: String::new(), block: 1, hist, single: None, reference: None };
    Ok(row.fed(format!(
        "loopback TLS 1.3 both ways, frame written to the socket → first byte of the order read; a thousand ordinary \
         frames a second between shots; {signed}; of p50, from the turn's start to the signed request {signing}, to its \
         bytes with the kernel {writing}; {missed} gaps missed"
    )))
}

/// `wire_pm_fused` and `wire_kalshi_fused`: each measured, or why it could not be, in words.
pub fn both(warm_up: u32, shots: u32) -> [(&'static str, Result<Row, String>); 2] {
    let measure = |name, venue| (name, fused(name, Drill { venue, warm_up, shots }));
    [measure("wire_pm_fused", Venue::Polymarket), measure("wire_kalshi_fused", Venue::Kalshi)]
}
