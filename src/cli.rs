//! The command line: verbs and flags, nothing done.

use std::ffi::OsString;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::twin::market_set;

/// Trades prediction markets; never left standing on one leg. Without a verb: `run demo`.
#[derive(Clone, Debug, Parser)]
#[command(name = "surefoot", version, disable_help_subcommand = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub verb: Option<Verb>,
    /// What every verb takes.
    #[command(flatten)]
    pub common: Common,
}

/// What every verb takes.
#[derive(Args, Clone, Debug, Default, PartialEq, Eq)]
pub struct Common {
    /// The state directory: lock, journal, database, control socket [default: surefoot-state]
    #[arg(long, global = true, value_name = "DIR")]
    pub state: Option<PathBuf>,
    /// The configuration file [default: surefoot.toml where there is one]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// One JSON object on stdout instead of text
    #[arg(long, global = true)]
    pub json: bool,
}

/// What to do.
#[derive(Clone, Debug, Subcommand)]
pub enum Verb {
    /// Trade in the foreground
    Run(RunArgs),
    /// Trade in the background: returns when it is up, healthy or halted as before
    Start(RunArgs),
    /// Show what the running instance does
    Status(StatusArgs),
    /// Stop opening, cancel everything, until resumed; works without a running instance too
    Halt(HaltArgs),
    /// Lift a halt
    Resume(ResumeArgs),
    /// Let a quarantined market be opened in again
    Release(ReleaseArgs),
    /// Show the limits in force, or tighten one while it runs
    #[command(subcommand)]
    Limits(LimitsVerb),
    /// Follow further markets while it runs: their books, and the baskets that become whole with them
    Follow(MarketsArgs),
    /// Follow markets no more: nothing is opened there from now on, and what is held there is kept until it is sold or paid
    Unfollow(MarketsArgs),
    /// End the running instance gracefully: nothing stays resting
    Stop,
    /// Run the venues' twin alone and print how to reach it
    Twin(TwinArgs),
    /// Accept that records of the journal are lost, after a start that ended with 6: it is put aside, and trading halted
    AcceptLoss(AcceptArgs),
    /// Fold a journal again and prove that it gives the same decisions
    Replay(ReplayArgs),
    /// Simulate trading days from seeds: core, sessions and executors with the twin's venues, under virtual time
    Sim(SimArgs),
    /// Measure the parts and the whole
    Bench(BenchArgs),
    /// Look at the configuration
    #[command(subcommand)]
    Config(ConfigVerb),
}

/// With what money.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Mode {
    /// The embedded venues' money: no account, no network
    #[default]
    Demo,
    /// Live feeds, simulated fills
    Paper,
    /// Orders are built, signed and journalled, not sent
    Shadow,
    /// Real money
    Live,
}

impl Mode {
    /// The name used in output and in files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Demo => "demo",
            Self::Paper => "paper",
            Self::Shadow => "shadow",
            Self::Live => "live",
        }
    }
}

/// Which agents share which thread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum TopologyArg {
    /// By the number of cores: one calm, two to four fused, five or more split
    #[default]
    Auto,
    /// One spinning thread for all
    Fused,
    /// A spinning thread each
    Split,
    /// Threads that sleep when idle
    Calm,
}

impl TopologyArg {
    /// The name used in output and in files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Fused => "fused",
            Self::Split => "split",
            Self::Calm => "calm",
        }
    }
}

/// How to trade.
#[derive(Args, Clone, Debug, Default, PartialEq, Eq)]
pub struct RunArgs {
    /// With what money [default: the configuration's, else demo]
    #[arg(value_enum)]
    pub mode: Option<Mode>,
    /// End by itself after this long: 90, 60s, 5m, 1h30m
    #[arg(long = "for", value_name = "TIME", value_parser = parse_span)]
    pub span: Option<Duration>,
    /// The demo's seed: the same one generates the same market flow. When its frames arrive differs from run to run, and
    /// so do decisions; `surefoot replay` is what repeats them
    #[arg(long)]
    pub seed: Option<u64>,
    /// Use a twin that runs elsewhere: the file holds what `surefoot twin --json` printed
    #[arg(long, value_name = "FILE")]
    pub venues: Option<PathBuf>,
    /// Play this capture through the embedded venues
    #[arg(long, value_name = "FILE", conflicts_with = "venues")]
    pub capture: Option<PathBuf>,
    /// Which agents share which thread
    #[arg(long, value_enum)]
    pub topology: Option<TopologyArg>,
    /// Build and sign orders but send none: the same as `run shadow`
    #[arg(long)]
    pub dry_run: bool,
    /// For the record: why limits may be looser than they were last. Without it nothing is started where they would be
    #[arg(long, value_name = "WHY")]
    pub loosen: Option<String>,
}

impl RunArgs {
    /// The command line that gives these again, behind `run`: for the process that `start` starts.
    pub fn words(&self, common: &Common) -> Vec<OsString> {
        let mut words: Vec<OsString> = self.mode.iter().map(|mode| mode.name().into()).collect();
        let mut flag = |name: &str, value: Option<OsString>| {
            if let Some(value) = value {
                words.extend([name.into(), value]);
            }
        };
        let path = |path: &Option<PathBuf>| path.clone().map(PathBuf::into_os_string);
        flag("--for", self.span.map(|span| format!("{}ms", span.as_millis()).into()));
        flag("--seed", self.seed.map(|seed| seed.to_string().into()));
        flag("--venues", path(&self.venues));
        flag("--capture", path(&self.capture));
        flag("--topology", self.topology.map(|topology| topology.name().into()));
        flag("--loosen", self.loosen.clone().map(Into::into));
        flag("--state", path(&common.state));
        flag("--config", path(&common.config));
        if self.dry_run {
            words.push("--dry-run".into());
        }
        if common.json {
            words.push("--json".into());
        }
        words
    }
}

/// What to show.
#[derive(Args, Clone, Debug, Default)]
pub struct StatusArgs {
    /// Again every second, until interrupted
    #[arg(long)]
    pub watch: bool,
}

/// Why to halt.
#[derive(Args, Clone, Debug, Default)]
pub struct HaltArgs {
    /// For the record
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
}

/// Why to go on.
#[derive(Args, Clone, Debug)]
pub struct ResumeArgs {
    /// For the record: what was wrong and why it is right now
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
}

/// Why a loss is accepted.
#[derive(Args, Clone, Debug)]
pub struct AcceptArgs {
    /// For the record: what was lost, and what you saw at the venues
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
}

/// Which market to release.
#[derive(Args, Clone, Debug)]
pub struct ReleaseArgs {
    /// Its condition id at Polymarket or its ticker at Kalshi, as `status` shows it
    #[arg(value_name = "MARKET")]
    pub market: String,
    /// For the record: what the odd message meant and why the market may be traded
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
}

/// What about the limits.
#[derive(Clone, Debug, Subcommand)]
pub enum LimitsVerb {
    /// Show every limit: configured, in force, and used now where that is known
    Show,
    /// Make a limit tighter, over restarts too; for instance `limits set limits.daily_loss 50 --reason "thin night"`
    Set(LimitSetArgs),
}

/// Which limit is to be tighter.
#[derive(Args, Clone, Debug)]
pub struct LimitSetArgs {
    /// Its key, as in the configuration: `surefoot limits show` lists them
    #[arg(value_name = "KEY")]
    pub key: String,
    /// The value, as in the configuration and tighter than what is in force
    #[arg(value_name = "VALUE")]
    pub value: String,
    /// For the record: why it is to be tighter
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
}

/// What `follow` and `unfollow` are given: one market or more.
#[derive(Args, Clone, Debug)]
pub struct MarketsArgs {
    /// The venue and what the venue calls the market, as in `kalshi:TICKER` or `polymarket:CONDITION_ID`; the name alone where
    /// it was followed before
    #[arg(value_name = "MARKET", required = true)]
    pub markets: Vec<String>,
}

/// The highest first port of the twin's: its others follow.
const PORT_BASE_MAX: u16 = u16::MAX - (crate::twin::Host::ALL.len() as u16 - 1);
/// How many markets the twin may have.
const MARKETS: std::ops::RangeInclusive<i64> =
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

/// What to replay.
#[derive(Args, Clone, Debug, Default)]
pub struct ReplayArgs {
    /// A journal directory or one of its segments [default: the state directory's journal]
    pub path: Option<PathBuf>,
}

/// The longest day that may be simulated, in hours: a leap year.
const HOURS_MAX: u64 = 8_784;

/// Which days to simulate.
#[derive(Args, Clone, Debug)]
pub struct SimArgs {
    /// The seeds, a day each, the first and the last included: 1..20, or one alone
    #[arg(long, value_name = "A..B", value_parser = parse_seeds)]
    pub seeds: RangeInclusive<u64>,
    /// How many hours each day has, 1 to 8784 (a leap year)
    #[arg(long, value_name = "H", default_value = "24", value_parser = clap::value_parser!(u64).range(1..=HOURS_MAX))]
    pub hours: u64,
}

/// What to measure.
#[derive(Args, Clone, Debug, Default)]
pub struct BenchArgs {
    /// A few seconds instead of minutes
    #[arg(long)]
    pub quick: bool,
    /// Only these parts; all of them unless given
    #[arg(long, value_name = "PART", value_delimiter = ',')]
    pub only: Vec<Part>,
    /// Where the HDR files go [default: bench-out]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

/// Rows that are measured together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// A level changes, both best prices are read
    Book,
    /// Frames into events
    Codecs,
    /// Frame to order in the ring
    Path,
    /// Gate, core and depth walk by themselves
    Core,
    /// Signatures and request encoding
    Sign,
    /// One hop between two threads
    Ring,
    /// Frame to signed order over TLS
    Wire,
}

/// What to look at.
#[derive(Clone, Debug, Subcommand)]
pub enum ConfigVerb {
    /// Say whether it is right; show every mistake
    Check,
    /// Print what holds, and where each value comes from
    Show,
    /// Say what a key means: unit, bounds, default, the value in force, why, what a breach looks like, how one recovers
    Explain {
        /// For instance `limits.daily_loss`; `limits` lists a section, `risk` every limit; without a key, all of them
        key: Option<String>,
    },
}

/// A span of time as people write it: `90`, `60s`, `1500ms`, `5m`, `1h30m`; a bare number is seconds.
///
/// # Errors
/// A sentence with the remedy.
pub fn parse_span(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is no span of time: write 90, 60s, 1500ms, 5m or 1h30m");
    if let Ok(secs) = text.parse::<u64>() {
        return if secs > 0 { Ok(Duration::from_secs(secs)) } else { Err(wrong()) };
    }
    let (mut total, mut rest) = (Duration::ZERO, text);
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let number: u64 = rest[..digits].parse().map_err(|_| wrong())?;
        rest = &rest[digits..];
        let letters = rest.bytes().take_while(u8::is_ascii_alphabetic).count();
        let millis = match &rest[..letters] {
            "ms" => 1,
            "s" => 1_000,
            "m" | "min" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return Err(wrong()),
        };
        rest = &rest[letters..];
        let part = number.checked_mul(millis).ok_or_else(wrong)?;
        total = total.checked_add(Duration::from_millis(part)).ok_or_else(wrong)?;
    }
    if total.is_zero() { Err(wrong()) } else { Ok(total) }
}

/// Seeds from the first to the last: `1..20`, `1..=20` or `7`.
fn parse_seeds(text: &str) -> Result<RangeInclusive<u64>, String> {
    let wrong = || format!("`{text}` names no seeds: write 1..20, or one number");
    let (first, last) = text.split_once("..").unwrap_or((text, text));
    let seed = |text: &str| text.parse::<u64>().map_err(|_| wrong());
    let (first, last) = (seed(first)?, seed(last.strip_prefix('=').unwrap_or(last))?);
    if first <= last { Ok(first..=last) } else { Err(wrong()) }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definitions_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn spans_read_as_people_write_them() {
        for (text, millis) in [
            ("90", 90_000),
            ("60s", 60_000),
            ("1500ms", 1_500),
            ("5m", 300_000),
            ("1h30m", 5_400_000),
            ("1d", 86_400_000),
        ] {
            assert_eq!(parse_span(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for text in ["", "0", "0s", "s", "-5", "5 m", "5x", "1.5h", "99999999999999999999s", "é"] {
            assert!(parse_span(text).is_err(), "{text}");
        }
    }

    #[test]
    fn seeds_are_a_range_with_both_ends_or_one_number() {
        assert_eq!(parse_seeds("1..20"), Ok(1..=20));
        assert_eq!(parse_seeds("1..=20"), Ok(1..=20));
        assert_eq!(parse_seeds("7"), Ok(7..=7));
        for text in ["", "..", "1..", "..2", "2..1", "a..b", "-1..2", "1...2"] {
            assert!(parse_seeds(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_start_was_given_is_what_run_gets() {
        let given = "surefoot --state start start demo --for 1m30s --seed 7 --venues v.json --topology calm \
                     --dry-run --loosen more --json --config c.toml";
        let given = Cli::try_parse_from(given.split_whitespace()).unwrap();
        let Some(Verb::Start(args)) = &given.verb else { panic!("{given:?}") };
        let words = args.words(&given.common);
        let again = ["surefoot".into(), "run".into()].into_iter().chain(words);
        let again = Cli::try_parse_from(again).unwrap();
        assert_eq!(again.common, given.common);
        assert!(matches!(&again.verb, Some(Verb::Run(again)) if again == args), "{again:?}");
    }

    #[test]
    fn flags_stand_before_and_behind_the_verb() {
        let cli = Cli::try_parse_from(["surefoot", "run", "--for", "60s", "--json"]).unwrap();
        assert!(cli.common.json);
        let cli = Cli::try_parse_from(["surefoot", "--json", "status"]).unwrap();
        assert!(cli.common.json);
        assert!(Cli::try_parse_from(["surefoot"]).unwrap().verb.is_none());
        assert!(Cli::try_parse_from(["surefoot", "resume"]).is_err(), "a resume needs its reason");
    }
}
