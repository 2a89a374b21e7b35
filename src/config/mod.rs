//! The configuration: parsed once, checked whole, the same value everywhere after.

pub mod limits;

use std::path::PathBuf;

use surefoot_hot::event::LimitRow;
use surefoot_hot::units::Usd;

use crate::cli::{Mode, TopologyArg};
use limits::{Limits, Profile};

/// What holds for this run.
#[derive(Clone, Debug)]
pub struct Config {
    /// With what money.
    pub mode: Mode,
    /// Where state is kept.
    pub state_dir: PathBuf,
    /// Which agents share which thread.
    pub topology: TopologyArg,
    /// The core the hot thread is pinned to; `None` leaves it to the topology.
    pub pin_cpu: Option<u16>,
    /// How much is said on stderr.
    pub log_level: LogLevel,
    /// How sure the journal is of the disk.
    pub journal_sync: JournalSync,
    /// What the limits start from.
    pub profile: Profile,
    /// Every limit, the tightest of profile and file.
    pub limits: Limits,
    /// What each venue's account holds at the start.
    pub starting_capital: [Usd; 2],
    /// Hash of everything that alters what is traded and how.
    pub hash: u64,
}

/// How much is said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// What needs a person.
    Error,
    /// What is odd.
    Warn,
    /// What happens.
    #[default]
    Info,
    /// What explains it.
    Debug,
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
        let starting_capital = [Usd::from_dollars(10_000); 2];
        let mut limits = Profile::Small.limits(starting_capital[0] + starting_capital[1]);
        limits.set(LimitRow::OrdersPerMinute, 600);
        limits.set(LimitRow::OrdersPerMinuteMarket, 200); // in proportion
        Self {
            mode: Mode::Demo,
            state_dir: PathBuf::from("surefoot-state"),
            topology: TopologyArg::Auto,
            pin_cpu: None,
            log_level: LogLevel::Info,
            journal_sync: JournalSync::Grouped,
            profile: Profile::Small,
            limits,
            starting_capital,
            hash: 0,
        }
    }
}
