//! Folding a journal again: the same inputs must give the same decisions, to the bit.

use std::collections::VecDeque;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use surefoot_hot::core::Core;
use surefoot_hot::event::Event;
use surefoot_hot::intent::IntentRecord;
use surefoot_hot::journal::{Body, Header, Record};
use surefoot_hot::note::Note;
use surefoot_hot::outbox::Outbox;
use surefoot_hot::pack::pack;
use surefoot_hot::units::Nanos;

use super::{JournalError, Reader, Torn};

/// What a journal folds to.
#[derive(Debug)]
pub struct Replayed {
    /// The core as it stood at the end.
    pub core: Core,
    /// The header of the last run.
    pub last_run: Header,
    /// How many records were read.
    pub records: u64,
    /// How many inputs the core was given.
    pub inputs: u64,
    /// How many of them since the core last began empty.
    pub inputs_since_fresh: u64,
    /// How many intents were compared, all equal.
    pub intents: u64,
    /// How many notes were compared, all equal.
    pub notes: u64,
    /// How many runs there are.
    pub runs: u64,
    /// The highest order id ever used.
    pub order_max: u64,
    /// The time of the last record.
    pub last: Nanos,
    /// Whether the last run ended as it should.
    pub closed: bool,
    /// What was cut off at the end, after a crash.
    pub torn: Option<Torn>,
}

/// Why a journal could not be folded.
#[derive(Debug)]
pub enum ReplayError {
    /// It could not be read, or is damaged.
    Journal(JournalError),
    /// It is whole, but the core decides otherwise now, or cannot be run on it.
    Diverged {
        file: PathBuf,
        /// At the end of which record there.
        offset: u64,
        /// Which record of all.
        seq: u64,
        how: Divergence,
    },
}

/// How a replay parted from the journal.
#[derive(Debug)]
pub enum Divergence {
    /// Another intent or note.
    Other {
        /// What the journal holds.
        journal: String,
        /// What the core makes now; nothing where `None`.
        replay: Option<String>,
    },
    /// The core made something that the journal does not hold.
    More {
        /// The decision that replay made, as text.
        replay: String,
    },
    /// A hash at the end of the run.
    Hash {
        /// The name of the hash: "decision" or "state".
        what: &'static str,
        /// The hash in the journal.
        journal: u64,
        /// The hash that replay came to.
        replay: u64,
    },
    /// The core's assertion failed.
    Panicked,
    /// The journal goes on from a state that is not in it: older segments are gone.
    Headless,
}

impl From<JournalError> for ReplayError {
    fn from(error: JournalError) -> Self {
        Self::Journal(error)
    }
}

impl fmt::Display for ReplayError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (file, offset, seq, how) = match self {
            Self::Journal(error) => return error.fmt(f),
            Self::Diverged { file, offset, seq, how } => (file.display(), offset, seq, how),
        };
        write!(f, "{file}, byte {offset} (record {seq}): ")?;
        match how {
            Divergence::Other { journal, replay: Some(replay) } => {
                write!(f, "replay decides otherwise.\n  journal: {journal}\n  replay:  {replay}")
            }
            Divergence::Other { journal, replay: None } => {
                write!(f, "replay does not make what the journal holds.\n  journal: {journal}")
            }
            Divergence::More { replay } => {
                write!(f, "replay makes what the journal does not hold.\n  replay:  {replay}")
            }
            Divergence::Hash { what, journal, replay } => {
                write!(
                    f,
                    "the {what} hash is {journal:016x} in the journal, {replay:016x} in replay"
                )
            }
            Divergence::Panicked => write!(f, "the core fails an assertion on this input"),
            Divergence::Headless => {
                return f.write_str(
                    "the journal goes on from an earlier state, and the segments that hold it are gone. \
                     Replay the whole directory, or restore the older segments",
                );
            }
        }?;
        f.write_str(
            "\nThe journal itself is whole. A replay diverges where another version of surefoot wrote it: use \
             that one; if it diverges too, keep the directory and report it",
        )
    }
}

impl std::error::Error for ReplayError {}

/// Folds a journal (a directory, or a first segment) and compares every intent and note.
///
/// `on_record` sees each record after it was folded.
///
/// # Errors
/// See [`ReplayError`].
pub fn replay(path: &Path, mut on_record: impl FnMut(&Record)) -> Result<Replayed, ReplayError> {
    let mut reader = Reader::open(path)?;
    let mut fold: Option<Fold> = None;
    loop {
        let (file, offset) = reader.position();
        let Some(record) = reader.next_record()? else { break };
        let folded = match (&mut fold, &record.body) {
            (None, Body::Header(header)) if header.fresh => {
                fold = Some(Fold::new(*header));
                Ok(())
            }
            (None, _) => Err(Divergence::Headless),
            (Some(fold), _) => fold.take(&record),
        };
        folded.map_err(|how| ReplayError::Diverged { file, offset, seq: record.seq, how })?;
        if let Some(fold) = &mut fold {
            fold.replayed.records += 1;
            fold.replayed.last = record.now;
        }
        on_record(&record);
    }
    let Some(mut fold) = fold else {
        let what = super::Wrong::Empty; // segments without one whole record
        return Err(JournalError { file: path.to_owned(), offset: 0, what }.into());
    };
    fold.replayed.closed = reader.closed();
    fold.replayed.torn = reader.torn().cloned();
    Ok(fold.replayed)
}

struct Fold {
    replayed: Replayed,
    out: Outbox,
    intents: VecDeque<IntentRecord>,
    notes: VecDeque<Note>,
}

impl Fold {
    fn new(header: Header) -> Self {
        let replayed = Replayed {
            core: Core::new(),
            last_run: header,
            records: 0,
            inputs: 0,
            inputs_since_fresh: 0,
            intents: 0,
            notes: 0,
            runs: 1,
            order_max: 0,
            last: Nanos::ZERO,
            closed: false,
            torn: None,
        };
        Self { replayed, out: Outbox::new(), intents: VecDeque::new(), notes: VecDeque::new() }
    }

    fn take(&mut self, record: &Record) -> Result<(), Divergence> {
        match &record.body {
            Body::Header(header) => self.take_header(header),
            Body::Input(event) => self.take_input(record.now, event),
            Body::Intent(intent) => {
                let made = self.intents.pop_front();
                if made.is_none_or(|made| pack(&made) != pack(intent)) {
                    let replay = made.map(|made| format!("{made:?}"));
                    return Err(Divergence::Other { journal: format!("{intent:?}"), replay });
                }
                if let IntentRecord::Place(order) = intent {
                    self.replayed.order_max = self.replayed.order_max.max(order.id.get());
                }
                self.replayed.intents += 1;
                Ok(())
            }
            Body::Note(note) => {
                let made = self.notes.pop_front();
                if made.is_none_or(|made| pack(&made) != pack(note)) {
                    let replay = made.map(|made| format!("{made:?}"));
                    return Err(Divergence::Other { journal: format!("{note:?}"), replay });
                }
                self.replayed.notes += 1;
                Ok(())
            }
            Body::Close(close) => {
                self.expect_all_seen()?;
                let core = &self.replayed.core;
                let hashes = [
                    ("decision", close.decision, core.decision_hash()),
                    ("state", close.state, core.state_hash()),
                ];
                for (what, journal, replay) in hashes {
                    if journal != replay {
                        return Err(Divergence::Hash { what, journal, replay });
                    }
                }
                Ok(())
            }
        }
    }

    fn take_header(&mut self, header: &Header) -> Result<(), Divergence> {
        if header.starts {
            // The run before may have died between an input and its outputs.
            self.intents.clear();
            self.notes.clear();
            self.replayed.runs += 1;
        }
        if header.fresh {
            self.replayed.core = Core::new();
            self.replayed.inputs_since_fresh = 0;
        }
        self.replayed.last_run = *header;
        Ok(())
    }

    fn take_input(&mut self, now: Nanos, event: &Event) -> Result<(), Divergence> {
        self.expect_all_seen()?;
        self.out.clear();
        let (core, out) = (&mut self.replayed.core, &mut self.out);
        catch_unwind(AssertUnwindSafe(|| core.on_event(now, event, out)))
            .map_err(|_| Divergence::Panicked)?;
        self.intents.extend(out.intents().iter().map(IntentRecord::from));
        self.notes.extend(out.notes());
        self.replayed.inputs += 1;
        self.replayed.inputs_since_fresh += 1;
        Ok(())
    }

    fn expect_all_seen(&self) -> Result<(), Divergence> {
        let more = self.intents.front().map(|intent| format!("{intent:?}"));
        match more.or_else(|| self.notes.front().map(|note| format!("{note:?}"))) {
            Some(replay) => Err(Divergence::More { replay }),
            None => Ok(()),
        }
    }
}
