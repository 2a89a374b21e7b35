//! How the program ends: one table, for people and for scripts.

use std::fmt::Write as _;
use std::process::{ExitCode, Termination};

use serde_json::json;
use surefoot_cold::state_dir::StateError;

use crate::twin::open::OpenError;

macro_rules! exits {
    ($($(#[doc = $doc:literal])+ $name:ident = $code:literal, $remedy:literal;)*) => {
        /// How the program ended. The numbers are an interface: new ones are added, none changes.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum Exit {
            $($(#[doc = $doc])+ $name = $code,)*
        }

        impl Exit {
            /// Every way to end.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// What it means, and what to do about it.
            pub const fn meaning(self) -> (&'static str, &'static str) {
                match self {
                    $(Self::$name => (concat!($($doc),+), $remedy),)*
                }
            }
        }
    };
}

exits! {
    /// Done as asked.
    Ok = 0, "";
    /// Something failed that the message on stderr names.
    Failed = 1, "Read the message; it names the place.";
    /// The command line was not understood, or `--venues` names a file that does not describe any.
    Usage = 2, "`surefoot --help`, or `surefoot VERB --help`.";
    /// The configuration has mistakes; all of them were shown.
    Config = 3, "Correct the lines shown, then `surefoot config check`.";
    /// The state directory cannot be used: not writable, not ours, or full.
    State = 4, "Check owner, mode and space of the directory named, or give another with `--state`.";
    /// Another instance holds the state directory, or trades the same account from another one.
    InUse = 5, "`surefoot status` shows it, `surefoot stop` ends it; or give another with `--state`.";
    /// The journal or a wire log is damaged: the message names file and offset.
    Corrupt = 6, "Do not trade on it. Keep the file; `docs/operator.md` says how to go on.";
    /// Replay made other decisions than this same program wrote into the journal, or failed an assertion on an input.
    Diverged = 7, "Keep the state directory and report it.";
    /// No instance runs there, or none ever did: nothing was asked.
    NotRunning = 8, "`surefoot start`, or check `--state`.";
    /// A venue could not be reached, or a port of ours is taken.
    Venue = 9, "Check the network and the endpoints named; for a taken port end the other program.";
    /// The venue and we do not agree, or an order may still rest there.
    Unreconciled = 10, "Look at the venue's own page before anything else; then run again.";
    /// Trading is halted, and what was asked needs it not to be.
    Halted = 11, "`surefoot status` shows why; `surefoot resume --reason …` lifts it.";
    /// The machine's clock is not set.
    Clock = 12, "Set the clock (`timedatectl set-ntp true`), then start again.";
    /// The machine cannot carry the topology asked for.
    Machine = 13, "`--topology calm` runs on any machine.";
    /// This version cannot do that yet.
    NotYet = 14, "`surefoot --help` lists what it can.";
    /// An instance holds the state directory and does not answer: what was asked is not confirmed.
    Silent = 15, "Where it stays silent: `kill -9` the process named, cancel at the venues' own pages, then `surefoot start`.";
    /// A benchmark could not measure a row; the others were printed and written.
    Unmeasured = 16, "The message names the row and why; run it again on a machine with two free cores.";
    /// A limit would be looser than what was in force, or make no sense beside others: nothing was changed, or started.
    Looser = 17, "`surefoot limits show`; `surefoot start --loosen WHY` takes the configuration's looser limits.";
    /// Our own mistake: an assertion failed. Everything was halted first.
    Internal = 70, "Keep the state directory and report it.";
    /// A second signal came while stopping: ended at once, orders may rest at the venue.
    Killed = 130, "Start again: it finds and reconciles what rests.";
}

impl Exit {
    /// The number given to the shell.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The table in Markdown, as `docs/exit-codes.md` holds it.
    pub fn table() -> String {
        let mut text = String::from(
            "# Exit codes\n\nGenerated from `src/exit.rs`; a test compares them.\n\n| code | meaning | remedy |\n| --- | --- | --- |\n",
        );
        for exit in Self::ALL {
            let (meaning, remedy) = exit.meaning();
            writeln!(text, "| {} | {} | {remedy} |", exit.code(), meaning.trim())
                .expect("text takes everything");
        }
        text
    }
}

impl Termination for Exit {
    fn report(self) -> ExitCode {
        ExitCode::from(self.code())
    }
}

/// What was asked was not done: the exit, and a sentence for a person.
#[derive(Debug)]
pub(crate) struct Failed(pub(crate) Exit, pub(crate) String);

impl Failed {
    /// Says so: the sentence on stderr, and where `json` one object on stdout, so that a script need not parse words. A run
    /// that was ended before it began has [`Exit::Ok`], and its sentence is no error.
    pub(crate) fn say(self, json: bool) -> Exit {
        let Self(exit, why) = self;
        if json {
            let (ok, key) = if exit == Exit::Ok { (true, "said") } else { (false, "error") };
            println!("{}", json!({ "ok": ok, "exit": exit.code(), key: why }));
        }
        eprintln!("surefoot: {why}");
        exit
    }
}

impl From<StateError> for Failed {
    fn from(error: StateError) -> Self {
        let exit = match &error {
            StateError::InUse { .. } | StateError::AccountInUse { .. } => Exit::InUse,
            StateError::Io { .. }
            | StateError::Open { .. }
            | StateError::Damaged { .. }
            | StateError::Version { .. } => Exit::State,
        };
        Self(exit, error.to_string())
    }
}

impl From<OpenError> for Failed {
    fn from(error: OpenError) -> Self {
        let exit = match &error {
            OpenError::Capture(_) | OpenError::Key(_) => Exit::Failed,
            OpenError::Sockets(_) => Exit::Venue,
            OpenError::File(..) => Exit::State,
        };
        Self(exit, error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_shows_this_table() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/exit-codes.md");
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(path, Exit::table()).unwrap();
        }
        assert_eq!(
            std::fs::read_to_string(path).unwrap(),
            Exit::table(),
            "UPDATE_GOLDEN=1 renews it"
        );
    }

    #[test]
    fn codes_are_distinct() {
        let mut codes: Vec<u8> = Exit::ALL.iter().map(|exit| exit.code()).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), Exit::ALL.len());
    }
}
