//! Alarms of the run's health: words, kept beside what is made from the journal.

use rusqlite::{Connection, params};
use surefoot_hot::units::Nanos;

use crate::observe::told::{Phase, Source, ToldNote};

/// An alarm begins, or is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HealthAlarm {
    /// What a row of the health table looks for was found.
    Began {
        /// The wall clock then.
        at: Nanos,
        /// Its name, for scripts.
        name: &'static str,
        /// How grave it is, in a word.
        severity: &'static str,
        /// What is wrong, with figures.
        what: String,
        /// What to do about it.
        remedy: &'static str,
    },
    /// It is not found any more.
    Over {
        /// The wall clock then.
        at: Nanos,
        /// The name that it began with.
        name: &'static str,
    },
}

impl HealthAlarm {
    /// What a note says of the run's health; `None` for any other note.
    pub(super) fn of(note: &ToldNote) -> Option<Self> {
        let ToldNote { at, source: Source::Health, code: name, .. } = *note else { return None };
        match note.phase {
            Phase::Began { remedy } => {
                let (severity, what) = (note.severity.name(), note.text.clone());
                Some(Self::Began { at, name, severity, what, remedy })
            }
            Phase::Over => Some(Self::Over { at, name }),
            Phase::Once => None,
        }
    }
}

/// Writes them down for a run.
pub(super) fn keep(
    db: &Connection,
    (world, run): (i64, i64),
    alarms: &[HealthAlarm],
) -> rusqlite::Result<()> {
    for alarm in alarms {
        match alarm {
            HealthAlarm::Began { at, name, severity, what, remedy } => db
                .prepare_cached(
                    "INSERT INTO health_alarms VALUES (NULL, ?1, ?2, ?3, ?4, ?5, ?6, ?7, NULL)",
                )?
                .execute(params![world, run, name, severity, what, remedy, ns(*at)])?,
            HealthAlarm::Over { at, name } => db
                .prepare_cached(
                    "UPDATE health_alarms SET over_ns = ?3 WHERE run = ?1 AND name = ?2 AND over_ns IS NULL",
                )?
                .execute(params![run, name, ns(*at)])?,
        };
    }
    Ok(())
}

fn ns(time: Nanos) -> i64 {
    i64::try_from(time.get()).unwrap_or(i64::MAX)
}
