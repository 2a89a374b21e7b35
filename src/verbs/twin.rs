//! The venues' twin alone: prints how to reach it, and serves until it is told to end.

use std::io::{self, Write};
use std::ops::RangeInclusive;
use std::panic::{self, AssertUnwindSafe};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use clap::Args;
use serde_json::{Value, json};
use signal_hook::consts::{SIGINT, SIGTERM};
use surefoot_cold::text::counted;
use surefoot_hot::ids::Venue;

use super::refuse;
use crate::cli::parse_span;
use crate::config::Setup;
use crate::exit::{Exit, Failed};
use crate::twin::open::{OpenError, Options, lines_of, open};
use crate::twin::server::ServerOptions;
use crate::twin::world::{World, WorldName};
use crate::twin::{Host, market_set};

/// How long a signal may go unseen.
const LOOK: Duration = Duration::from_millis(100);

/// The highest first port of the twin's: its others follow.
const PORT_BASE_MAX: u16 = u16::MAX - (Host::ALL.len() as u16 - 1);
/// How many markets the twin may have.
const MARKETS: RangeInclusive<i64> =
    market_set::BLOCK_MARKETS as i64..=market_set::MARKETS_MAX as i64;

/// How the twin runs.
#[derive(Args, Clone, Debug, Default)]
pub struct TwinArgs {
    /// The same seed generates the same session
    #[arg(long)]
    pub seed: Option<u64>,
    /// So many markets over both venues, 36 to 5000, with events and pairs in proportion; a few hundred are busy
    /// [default: 36]
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u16).range(MARKETS))]
    pub markets: Option<u16>,
    /// What the venues are like [default: the configuration's, else real]
    #[arg(long, value_enum)]
    pub world: Option<WorldName>,
    /// Each way to each venue takes this long: 5ms; a request and its answer take it twice [default: the world's]
    #[arg(long, value_name = "TIME", value_parser = parse_span)]
    pub distance: Option<Duration>,
    /// Of a hundred gaps that the world keeps open so many lose their other legs the moment one is taken [default: the world's]
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u64).range(0..=100))]
    pub traps: Option<u64>,
    /// Play this capture
    #[arg(long, value_name = "FILE")]
    pub capture: Option<PathBuf>,
    /// Where the CA and key files go [default: a directory of its own, removed at the end]
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// Listen on six ports in a row from this one: clob, gamma, data, Polymarket's WebSocket, Kalshi's REST, Kalshi's
    /// WebSocket [default: whichever are free]
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..=i64::from(PORT_BASE_MAX)))]
    pub port_base: Option<u16>,
    /// End by itself after this long: 90, 60s, 5m, 1h30m
    #[arg(long = "for", value_name = "TIME", value_parser = parse_span)]
    pub span: Option<Duration>,
}

/// Runs until it is told to end.
pub fn run(args: &TwinArgs, setup: &Setup) -> Exit {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        if let Err(error) = signal_hook::flag::register(signal, Arc::clone(&stop)) {
            let why = format!("cannot listen for signal {signal}: {error}");
            return refuse(Exit::Failed, &why, setup.json);
        }
    }
    let (dir, is_ours) = match &args.dir {
        Some(dir) => (dir.clone(), false),
        None => (own_dir(), true),
    };
    // What one client can bring about is caught where it happens; this is for the rest.
    let served = panic::catch_unwind(AssertUnwindSafe(|| serve(args, setup, &dir, &stop)));
    let exit = served.unwrap_or_else(|_| {
        eprintln!(
            "surefoot: the twin failed inside and has ended; please report the lines above. Nothing real was lost: \
             start it again"
        );
        Exit::Internal
    });
    if is_ours {
        let _ = std::fs::remove_dir_all(&dir); // it held keys of a venue that is gone
    }
    exit
}

fn serve(args: &TwinArgs, setup: &Setup, dir: &std::path::Path, stop: &AtomicBool) -> Exit {
    let began = Instant::now();
    let seed = args.seed.unwrap_or(1);
    let server = args.port_base.map_or_else(ServerOptions::default, ServerOptions::from_port);
    let (markets, capture) = (args.markets.map(usize::from), args.capture.clone());
    let world = World::at_distance(args.world.unwrap_or(setup.config.world), args.distance);
    let world = world.with_traps(args.traps);
    let options = Options { seed, markets, capture, world, server, ..Options::default() };
    let (mut server, mut description) = match open(&options, dir) {
        Ok(opened) => opened,
        Err(error) => {
            let is_taken = args.port_base.is_some() && matches!(error, OpenError::Sockets(_));
            let Failed(exit, mut why) = error.into();
            if is_taken {
                why.push_str(". End the program that holds the port, or give another --port-base");
            }
            return refuse(exit, &why, setup.json);
        }
    };
    let start_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    description["start"] = json!({ "ms": start_ms, "resident_mb": resident_mb() });
    let text = if setup.json { format!("{description}\n") } else { for_people(&description) };
    let printed =
        io::stdout().lock().write_all(text.as_bytes()).and_then(|()| io::stdout().flush());
    if let Err(error) = printed {
        eprintln!("surefoot: stdout: {error}");
        return Exit::Failed;
    }
    let began = Instant::now();
    while !stop.load(Ordering::Relaxed) && args.span.is_none_or(|span| began.elapsed() < span) {
        match server.step(Some(LOOK)) {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) => {
                eprintln!("surefoot: the twin cannot wait for its sockets: {error}");
                return Exit::Failed;
            }
        }
    }
    Exit::Ok
}

/// The memory of this process that is resident, in megabytes; null where the system does not say.
fn resident_mb() -> Value {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line
        .and_then(|text| text.split_whitespace().next())
        .and_then(|text| text.parse::<u64>().ok());
    kilobytes.map_or(Value::Null, |kilobytes| (kilobytes / 1_024).into())
}

fn own_dir() -> PathBuf {
    std::env::temp_dir().join(format!("surefoot-twin-{}", std::process::id()))
}

fn for_people(twin: &Value) -> String {
    let text = |at: &str| twin.pointer(at).and_then(Value::as_str).unwrap_or_default().to_owned();
    let count = |at: &str| twin.pointer(at).and_then(Value::as_array).map_or(0, Vec::len);
    let mut lines = vec![
        "The venues' twin is up. Its markets are synthetic, its money is not real.".to_owned(),
        format!("  CA file           {}", text("/ca_file")),
    ];
    for venue in Venue::ALL {
        lines.extend(lines_of(venue, &twin[venue.name()]));
    }
    let markets = Venue::ALL.map(|venue| {
        let markets = count(&format!("/markets/{}", venue.name()));
        format!("{} on {}", counted(markets as u64, "market", "markets"), venue.name())
    });
    if let Some(world) = WorldName::named(&text("/world")) {
        lines.push(format!("World: {}; {}.", world.name(), world.about()));
    }
    lines.push(format!(
        "{}, {}, {}. Ctrl-C ends it.",
        markets.join(", "),
        counted(count("/relations/pairs") as u64, "pair", "pairs"),
        counted(count("/relations/sets") as u64, "exclusive set", "exclusive sets"),
    ));
    let start = &twin["start"];
    lines.push(match start["resident_mb"].as_u64() {
        Some(memory) => format!("Started in {} ms, {memory} MB resident.", start["ms"]),
        None => format!("Started in {} ms.", start["ms"]),
    });
    lines.join("\n") + "\n"
}
