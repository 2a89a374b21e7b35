//! What every verb takes and what a run is asked, which the configuration and the modes read as well. The arguments of one
//! verb alone stand in its file in `verbs/`.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::twin::world::WorldName;

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
    /// What the demo's venues are like [default: the configuration's, else real]
    #[arg(long, value_enum, conflicts_with = "venues")]
    pub world: Option<WorldName>,
    /// Each way to each of the demo's venues takes this long: 5ms; a request and its answer take it twice [default: the world's]
    #[arg(long, value_name = "TIME", value_parser = parse_span, conflicts_with = "venues")]
    pub distance: Option<Duration>,
    /// Of a hundred gaps that the demo's world keeps open so many lose their other legs the moment one is taken [default: the world's]
    #[arg(long, value_name = "PERCENT", conflicts_with = "venues", value_parser = clap::value_parser!(u64).range(0..=100))]
    pub traps: Option<u64>,
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
        let span = |span: Duration| format!("{}ms", span.as_millis()).into();
        flag("--for", self.span.map(span));
        flag("--distance", self.distance.map(span));
        flag("--traps", self.traps.map(|percent| percent.to_string().into()));
        flag("--seed", self.seed.map(|seed| seed.to_string().into()));
        flag("--venues", path(&self.venues));
        flag("--capture", path(&self.capture));
        flag("--world", self.world.map(|world| world.name().into()));
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

#[cfg(test)]
mod tests {
    use super::*;

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
}
