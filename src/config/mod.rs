//! The configuration: parsed once, checked whole, the same value everywhere after.

pub mod explain;
pub mod find;
pub mod keys;
pub mod limits;
pub mod load;
pub mod themes;
pub mod tighten;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use surefoot_cold::paper::venue::PaperOptions;
use surefoot_cold::policy::ReadTimes;
use surefoot_cold::secrets::Secret;
use surefoot_hot::per_venue::PerVenue;
use surefoot_hot::risk::LimitRow;
use surefoot_hot::units::{Nanos, Usd};

use crate::cli::{Mode, TopologyArg};
use crate::twin::world::WorldName;
use limits::{Limits, Profile};
use load::Inputs;
use themes::Themes;

/// What every verb is given.
#[derive(Clone, Debug)]
pub struct Setup {
    /// What holds for this run.
    pub config: Config,
    /// Whether stdout is one JSON object.
    pub json: bool,
}

/// What holds for this run.
#[derive(Clone, Debug)]
pub struct Config {
    /// With what money.
    pub mode: Mode,
    /// What the demo's venues are like.
    pub world: WorldName,
    /// Where state is kept.
    pub state_dir: PathBuf,
    /// Which agents share which thread.
    pub topology: TopologyArg,
    /// The core the hot thread is pinned to; `None` leaves it to the topology.
    pub pin_cpu: Option<u16>,
    /// How much is said on stderr.
    pub log_level: LogLevel,
    /// How notes are kept as lines of JSON; `None` where they are not.
    pub log: Option<JsonLogConfig>,
    /// How sure the journal is of the disk.
    pub journal_sync: JournalSync,
    /// Days for which journal and wire logs are kept whole, whatever a start needs of them.
    pub retention_days: u64,
    /// How many runs may crash within a while before a start opens nothing; 0 where nobody counts them.
    pub crashes_max: u32,
    /// Copies of the database that a run makes by itself.
    pub backup: BackupConfig,
    /// How long the executors and the comparisons with the venues wait.
    pub times: Times,
    /// What the limits start from.
    pub profile: Profile,
    /// Every limit, the tightest of profile and file.
    pub limits: Limits,
    /// The limits that somebody has set, and not a profile alone.
    pub limits_given: Vec<LimitRow>,
    /// What each venue's account holds at the start.
    pub starting_capital: PerVenue<Usd>,
    /// How fills are made up on paper.
    pub paper: PaperOptions,
    /// When the trading day begins, after midnight UTC.
    pub day_begins: Nanos,
    /// The markets that are limited together.
    pub themes: Themes,
    /// Where the keys of the live venues are.
    pub venues: Venues,
    /// Hash of everything that alters what is traded and how.
    pub hash: u64,
}

impl Config {
    /// What all venues' accounts held together when they began.
    pub fn capital(&self) -> Usd {
        self.starting_capital.values().fold(Usd::ZERO, |sum, venues| sum + *venues)
    }

    /// How long journal and wire logs are kept whole.
    pub const fn retention(&self) -> Duration {
        Duration::from_secs(self.retention_days * 86_400)
    }
}

/// Copies of the database that a run makes by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackupConfig {
    /// Between two of them; zero for none.
    pub every: Duration,
    /// How many are kept.
    pub keep: usize,
}

/// How long the executors and the comparisons with the venues wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    /// How long an executor's breaker holds orders that open something, at first.
    pub breaker: Nanos,
    /// Between two comparisons with a venue, while they agree.
    pub compare: Duration,
    /// The same while they do not agree, and the pause after a reading that failed; doubled twice where further ones fail.
    pub compare_again: Duration,
}

impl Times {
    /// What holds where nobody sets them.
    pub fn defaults() -> Self {
        load::read(&load::Inputs::default()).0.config.times
    }

    /// How often each venue is read.
    pub const fn read(&self) -> ReadTimes {
        ReadTimes { every: self.compare, again: self.compare_again }
    }
}

/// How much is said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// What is odd or needs a person.
    Warn,
    /// What happens, too: the limits, and a line a second.
    #[default]
    Info,
}

/// How much of the notes is kept as lines of JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JsonLogConfig {
    /// A file is not longer than this.
    pub bytes_max: u64,
    /// How many files are kept beside the one that is written to.
    pub older_max: u32,
}

/// When the journal is synced to the disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum JournalSync {
    /// Within 5 ms, many records at once.
    #[default]
    Grouped,
    /// After every batch.
    Always,
    /// When the system likes.
    Off,
}

impl Config {
    /// What the demo runs with: the small profile, $10,000 at each venue, 600 mutations a minute.
    pub fn demo() -> Self {
        load::load(&Inputs::default()).expect("the defaults are consistent").config
    }
}

/// Where the keys of the live venues are: the secrets below `venues.`, by path. The demo reads none
/// of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Venues {
    /// The keys of secrets, with where each is.
    secrets: BTreeMap<&'static str, SecretRef>,
}

/// Where a secret is. The configuration never holds one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretRef {
    /// A systemd credential of this name.
    Credential(String),
    /// A file that only its owner may read.
    File(PathBuf),
    /// A variable, for development.
    Env(String),
}

impl Venues {
    /// From where the secrets are.
    pub(crate) fn new(secrets: impl IntoIterator<Item = (&'static str, SecretRef)>) -> Self {
        Self { secrets: secrets.into_iter().collect() }
    }

    /// Where the secret of a key is, such as `venues.kalshi.key_id`; `None` where it is not given.
    pub fn secret(&self, path: &str) -> Option<&SecretRef> {
        self.secrets.get(path)
    }

    /// Every secret that is given, with its key.
    pub fn secrets(&self) -> impl Iterator<Item = (&'static str, &SecretRef)> {
        self.secrets.iter().map(|(path, secret)| (*path, secret))
    }
}

impl SecretRef {
    /// `credential:NAME`, `file:/path`, `env:NAME`.
    pub fn parse(text: &str) -> Option<Self> {
        let (kind, name) = text.split_once(':').filter(|(_, name)| !name.is_empty())?;
        match kind {
            "credential" => Some(Self::Credential(name.into())),
            "file" => Some(Self::File(name.into())),
            "env" => Some(Self::Env(name.into())),
            _ => None,
        }
    }

    /// Fetches the secret.
    ///
    /// # Errors
    /// It is not there, or others may read it: a sentence with the remedy, without the secret.
    pub fn read(&self) -> Result<Secret, String> {
        match self {
            Self::Env(name) => std::env::var(name).map(Secret::new).map_err(|_| {
                format!("the variable {name}, which should hold a secret, is not set")
            }),
            Self::File(path) => read_secret(path, true),
            Self::Credential(name) => match std::env::var_os("CREDENTIALS_DIRECTORY") {
                // systemd gives the directory to this service alone, whatever the modes in it.
                Some(dir) => read_secret(&Path::new(&dir).join(name), false),
                None => Err(format!(
                    "the credential {name} is given by systemd (LoadCredential=), and this is no service of its"
                )),
            },
        }
    }
}

fn read_secret(path: &Path, private: bool) -> Result<Secret, String> {
    let shown = path.display();
    let file =
        fs::metadata(path).map_err(|error| format!("cannot read the secret {shown}: {error}"))?;
    if !file.is_file() {
        // Nothing else is opened: a pipe would wait for ever for somebody to write.
        return Err(format!("the secret {shown} is no file: give the path of one, mode 0600"));
    }
    let mode = file.permissions().mode() & 0o777;
    if private && mode & 0o077 != 0 {
        return Err(format!(
            "others may read the secret {shown} (mode {mode:03o}); `chmod 600 {shown}`"
        ));
    }
    let text = fs::read_to_string(path);
    let text = text.map_err(|error| format!("cannot read the secret {shown}: {error}"))?;
    Ok(Secret::new(text.trim_end_matches(['\n', '\r']).to_owned()))
}
