//! What a run tells beside the core's notes: one row a kind, with its code and severity.

use surefoot_cold::observe::told::{NamedPlace, ToldNote};
use surefoot_hot::note::Severity;

macro_rules! run_notes {
    ($($(#[$about:meta])* $variant:ident = $code:literal, $severity:ident;)*) => {
        /// What a run tells.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum RunNote {
            $($(#[$about])* $variant),*
        }

        impl RunNote {
            #[cfg(test)]
            const ALL: &[Self] = &[$(Self::$variant),*];

            /// What scripts know it by.
            const fn code(self) -> &'static str {
                match self {
                    $(Self::$variant => $code),*
                }
            }

            /// How much it matters.
            const fn severity(self) -> Severity {
                match self {
                    $(Self::$variant => Severity::$severity),*
                }
            }
        }
    };
}

run_notes! {
    /// Somebody or something halted trading.
    Halted = "halted", Critical;
    /// A halt could not be written down for the next start.
    HaltUnsaved = "halt_unsaved", Critical;
    /// An operator made a limit tighter.
    LimitTightened = "limit_tightened", Warning;
    /// Limits are tighter than the configuration's, by an operator's word in an earlier run.
    LimitsKept = "limits_kept", Warning;
    /// A start took limits that are looser than they were last, by an operator's word.
    LimitsLoosened = "limits_loosened", Warning;
    /// Runs crash again and again: nothing is opened before a person has looked.
    CrashLoop = "crash_loop", Critical;
    /// The process that cancels where this one cannot was not started.
    NoWatchdog = "no_watchdog", Alarm;
    /// A halt of an earlier run stands.
    HaltStands = "halt_stands", Warning;
    /// What an operator did could not be written down.
    ActUnrecorded = "act_unrecorded", Alarm;
    /// A person resumed trading.
    Resumed = "resumed", Warning;
    /// A person released a market from quarantine.
    Released = "released", Warning;
    /// A person wants further markets followed.
    Followed = "followed", Info;
    /// A person wants markets followed no more.
    Withdrawn = "withdrawn", Info;
    /// A venue charges other fees than were known, now or from some time on.
    FeesRead = "fees_read", Info;
    /// A venue says something else of markets than it said before, and baskets were revoked or made of it.
    RelationsRead = "relations_read", Warning;
    /// Protection of the process's memory that the system did not give.
    NotHardened = "not_hardened", Warning;
    /// Something about our account at a venue that an operator should know.
    AccountWarning = "account_warning", Warning;
    /// A market that is followed and not bought, because of what its terms say.
    MarketObserved = "market_observed", Warning;
    /// A market that is not followed, and why.
    MarketLeftOut = "market_left_out", Warning;
    /// What opening the database met.
    Store = "store", Warning;
    /// The run goes on from the journal of earlier runs.
    Continued = "continued", Info;
    /// The same, and the last of those runs did not end as it should.
    LastRunUnclosed = "last_run_unclosed", Warning;
    /// The state directory is of other accounts: its journal is not read.
    OtherAccounts = "other_accounts", Warning;
    /// The file that says how far the journal was on the disk is missing.
    JournalMarkMissing = "journal_mark_missing", Warning;
    /// A crash cut the journal's last record off.
    JournalCut = "journal_cut", Warning;
    /// A snapshot of the core that cannot be used.
    SnapshotUnused = "snapshot_unused", Warning;
    /// This version decides otherwise than the one that wrote the journal's end.
    DecidesOtherwise = "decides_otherwise", Warning;
    /// Orders that only the wire logs still have.
    OrdersAdopted = "orders_adopted", Warning;
    /// A wire log that an earlier run must have had is missing.
    WireLogMissing = "wire_log_missing", Alarm;
    /// A start waits for something longer than it should.
    StillWaiting = "still_waiting", Warning;
    /// The venues could not be agreed with.
    NotAgreed = "not_agreed", Alarm;
    /// A venue could not be read.
    ReadingFailed = "reading_failed", Warning;
    /// The terms of markets could not be read anew, or mean something else than before.
    TermsUnread = "terms_unread", Alarm;
    /// Orders or contracts on our account that are not ours to judge.
    NotOurs = "not_ours", Warning;
    /// A message about our own orders or fills was not understood.
    MoneyUnread = "money_unread", Alarm;
    /// The system's clock was set.
    ClockStepped = "clock_stepped", Alarm;
    /// The journal cannot be written.
    JournalFailed = "journal_failed", Critical;
    /// No snapshot of the core was taken at the end.
    SnapshotFailed = "snapshot_failed", Warning;
    /// A hot thread ended by a failed assertion.
    HotThreadDied = "hot_thread_died", Critical;
    /// What was done without the core, and what came of it.
    Rescue = "rescue", Critical;
    /// Orders or groups were in flight when the run ended.
    InFlight = "in_flight", Alarm;
    /// A difference to what a venue says, at the end.
    NotReconciled = "not_reconciled", Alarm;
    /// A run ended before it had compared with a venue.
    NotCompared = "not_compared", Warning;
    /// A run that is to end still waits for something.
    Stopping = "stopping", Warning;
    /// A copy of the database was made.
    BackedUp = "backed_up", Info;
    /// No copy of the database could be made.
    BackupFailed = "backup_failed", Alarm;
    /// The run began.
    Started = "started", Info;
    /// The run ends.
    Ended = "ended", Info;
}

impl RunNote {
    /// The note, as of now.
    pub fn told(self, place: NamedPlace, text: String) -> ToldNote {
        ToldNote::of_run((self.code(), self.severity()), place, text)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_two_have_one_code() {
        let codes: BTreeSet<_> = RunNote::ALL.iter().map(|note| note.code()).collect();
        assert_eq!(codes.len(), RunNote::ALL.len());
    }
}
