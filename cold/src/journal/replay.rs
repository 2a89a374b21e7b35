//! Folding a journal again: the same inputs give the same state, and from the same program the same decisions, to the bit (S1).
//!
//! What the journal holds of decisions is compared with what the core decides now. [`Expect`] says whether a difference is
//! an error: it is for the program that wrote the journal, and is listed for any other.

use std::collections::VecDeque;
use std::fmt;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use surefoot_hot::core::Core;
use surefoot_hot::event::Event;
use surefoot_hot::intent::{Intent, IntentRecord};
use surefoot_hot::journal::{Body, Close, Header, Record};
use surefoot_hot::note::Note;
use surefoot_hot::order::Order;
use surefoot_hot::outbox::Outbox;
use surefoot_hot::pack::{pack, pack_fields};
use surefoot_hot::units::Nanos;

use super::{JournalError, Reader, Torn};

/// How much was folded, the part before a snapshot included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// How many records were read.
    pub records: u64,
    /// How many inputs the core was given.
    pub inputs: u64,
    /// How many of them since the core last began empty.
    pub inputs_since_fresh: u64,
    /// How many intents were compared.
    pub intents: u64,
    /// How many notes were compared.
    pub notes: u64,
    /// How many runs there are.
    pub runs: u64,
    /// The highest order id ever used.
    pub order_max: u64,
}

pack_fields! {
    Counts { records, inputs, inputs_since_fresh, intents, notes, runs, order_max }
}

/// What a journal folds to.
#[derive(Debug)]
pub struct Replayed {
    /// The core as it stood at the end.
    pub core: Core,
    /// The header of the last run.
    pub last_run: Header,
    pub counts: Counts,
    /// The time of the last record.
    pub last: Nanos,
    /// Whether the last run ended as it should.
    pub closed: bool,
    /// What was cut off at the end, after a crash.
    pub torn: Option<Torn>,
    /// The number of the first record that was folded; those before it came in as a snapshot.
    pub first: u64,
    /// What this program decides otherwise than the journal holds.
    pub differences: Differences,
    /// Notes that the last input made and no record holds, with the time of that input: the last run died before they were
    /// written. The next run writes them first, so that nobody who follows the records misses them. None where the last run is
    /// one of another program: which notes that would have made is not known.
    pub untold: Vec<(Nanos, Note)>,
}

impl Replayed {
    /// The same, with a core of its own.
    pub fn twin(&self) -> Self {
        let mut bytes = Vec::new();
        self.core.save(&mut bytes);
        Self {
            core: Core::load(&bytes).expect("what was just saved can be loaded"),
            torn: None,
            differences: Differences::default(),
            untold: self.untold.clone(),
            ..*self
        }
    }
}

/// Which decisions of a journal must be made again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// The decisions of every run, whichever program wrote it.
    All,
    /// Those of the runs of the program with this hash, which is the one that folds. Runs of others are followed: what they
    /// sent is what happened, and what this program would have sent instead is listed.
    Program(u64),
    /// None: as before, but differences in runs of the program with this hash are listed too.
    Nothing(u64),
}

/// Decisions that this program makes otherwise than the one that wrote the journal. After the first one the two go on from
/// different states, so the others may be its consequences.
#[derive(Clone, Debug, Default)]
pub struct Differences {
    /// The number of all of them; only the first few are kept.
    pub count: u64,
    /// The first [`DIFFERENCES_MAX`]: the number of the record, and how the two differ.
    pub first: Vec<(u64, Divergence)>,
}

/// So many differences are kept to be shown.
pub const DIFFERENCES_MAX: usize = 20;

impl Differences {
    fn add(&mut self, seq: u64, how: Divergence) {
        self.count += 1;
        if self.first.len() < DIFFERENCES_MAX {
            self.first.push((seq, how));
        }
    }
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
#[derive(Clone, Debug, PartialEq, Eq)]
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
        write!(f, "{file}, byte {offset} (record {seq}): {how}")?;
        if *how == Divergence::Headless {
            return Ok(());
        }
        f.write_str(
            "\nThe journal itself is whole. Another version of surefoot may decide otherwise; where the one that wrote the \
             journal does, keep the directory and report it",
        )
    }
}

impl fmt::Display for Divergence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Other { journal, replay: Some(replay) } => {
                write!(f, "replay decides otherwise.\n  journal: {journal}\n  replay:  {replay}")
            }
            Self::Other { journal, replay: None } => {
                write!(f, "replay does not make what the journal holds.\n  journal: {journal}")
            }
            Self::More { replay } => {
                write!(f, "replay makes what the journal does not hold.\n  replay:  {replay}")
            }
            Self::Hash { what, journal, replay } => {
                write!(
                    f,
                    "the {what} hash is {journal:016x} in the journal, {replay:016x} in replay"
                )
            }
            Self::Panicked => f.write_str("the core fails an assertion on this input"),
            Self::Headless => f.write_str(
                "the journal goes on from an earlier state. The segments that led to it are gone (`journal.retention_days`), and \
                 there is no snapshot of it that this program can read. Nothing was changed. Where another version of surefoot \
                 wrote it, go on with that version, or leave it in order: 1. with the old version `surefoot halt --reason …`; \
                 once `surefoot status` shows no order that lives and no group, write down what is held, then `surefoot stop`. \
                 2. With this version `surefoot accept-loss --reason …`: journal and database are put aside, and the next start \
                 begins an empty book, halted, and takes the venues' word on cash and positions. Where the snapshots or the \
                 segments were lost, restore them from a backup. See *A new version* in docs/operator.md",
            ),
        }
    }
}

impl std::error::Error for ReplayError {}

/// Folds a whole journal (a directory, or a first segment) and compares every intent and note.
///
/// `on_record` sees each record after it was folded.
///
/// # Errors
/// See [`ReplayError`].
pub fn replay(path: &Path, on_record: impl FnMut(&Record)) -> Result<Replayed, ReplayError> {
    fold(Reader::open(path)?, None, Expect::All, on_record)
}

/// Folds what the reader still holds: from the state that was folded before, or from the beginning.
///
/// # Errors
/// See [`ReplayError`].
pub fn fold(
    mut reader: Reader,
    before: Option<Replayed>,
    expect: Expect,
    mut on_record: impl FnMut(&Record),
) -> Result<Replayed, ReplayError> {
    let mut fold = before.map(|before| Fold::resume(before, expect));
    loop {
        let (file, offset) = reader.position();
        let Some(record) = reader.next_record()? else { break };
        let diverged = |how| ReplayError::Diverged { file, offset, seq: record.seq, how };
        let fold = match (&mut fold, &record.body) {
            (Some(fold), _) => fold,
            (none, Body::Header(header)) if header.fresh => none.insert(Fold::new(*header, expect)),
            (None, _) => return Err(diverged(Divergence::Headless)),
        };
        fold.take(&record).map_err(diverged)?;
        on_record(&record);
    }
    let Some(fold) = fold else {
        let what = super::Wrong::Empty; // segments without one whole record
        return Err(JournalError { file: reader.position().0, offset: 0, what }.into());
    };
    let (file, offset) = reader.position();
    let seq = reader.chain().map_or(0, |chain| chain.next().saturating_sub(1));
    let diverged = |how| ReplayError::Diverged { file, offset, seq, how };
    let mut replayed = fold.into_replayed().map_err(diverged)?;
    replayed.closed = reader.closed();
    replayed.torn = reader.torn().cloned();
    Ok(replayed)
}

/// A core that follows a journal, record by record.
#[derive(Debug)]
pub struct Fold {
    replayed: Replayed,
    expect: Expect,
    out: Outbox,
    /// What the last input made and was not seen yet.
    intents: VecDeque<IntentRecord>,
    notes: VecDeque<Note>,
    /// The time of the input that made `notes`.
    made: Nanos,
    /// Whether `notes` are of a run that died before it wrote them: the run after it does, if its program knows of that.
    owed: bool,
    /// The last input of a run that is followed, until everything that was placed on it has been read.
    followed: Option<Followed>,
}

#[derive(Debug)]
struct Followed {
    seq: u64,
    now: Nanos,
    event: Event,
    placed: Vec<Order>,
}

impl Fold {
    /// Before the header of a run whose core began empty.
    pub fn new(header: Header, expect: Expect) -> Self {
        let replayed = Replayed {
            core: Core::new(),
            last_run: header,
            counts: Counts::default(),
            last: Nanos::ZERO,
            closed: false,
            torn: None,
            first: 0,
            differences: Differences::default(),
            untold: Vec::new(),
        };
        Self::resume(replayed, expect)
    }

    /// Goes on from what was folded before.
    pub fn resume(mut replayed: Replayed, expect: Expect) -> Self {
        let untold = mem::take(&mut replayed.untold);
        let made = untold.first().map_or(Nanos::ZERO, |(made, _)| *made);
        let notes = untold.into_iter().map(|(_, note)| note).collect();
        let intents = VecDeque::new();
        let out = Outbox::new();
        Self { replayed, expect, out, intents, notes, made, owed: false, followed: None }
    }

    /// What was folded so far.
    pub fn replayed(&self) -> &Replayed {
        &self.replayed
    }

    /// What was folded so far, with the core.
    ///
    /// # Errors
    /// The core fails an assertion on the last input.
    pub fn into_replayed(mut self) -> Result<Replayed, Divergence> {
        self.carry_on()?;
        let made = self.made;
        self.replayed.untold = self.notes.into_iter().map(|note| (made, note)).collect();
        Ok(self.replayed)
    }

    /// Whether the run at hand is one of another program.
    fn follows(&self) -> bool {
        match self.expect {
            Expect::All => false,
            Expect::Program(own) | Expect::Nothing(own) => self.replayed.last_run.binary != own,
        }
    }

    /// Folds the input of a followed run whose orders have all been read.
    fn carry_on(&mut self) -> Result<(), Divergence> {
        let Some(Followed { seq, now, event, placed }) = self.followed.take() else {
            return Ok(());
        };
        self.out.clear();
        let (core, out) = (&mut self.replayed.core, &mut self.out);
        let kept_back =
            catch_unwind(AssertUnwindSafe(|| core.on_followed(now, &event, &placed, out)))
                .map_err(|_| Divergence::Panicked)?;
        for order in kept_back {
            let replay = format!("{:?}", IntentRecord::Place(order));
            self.replayed.differences.add(seq, Divergence::More { replay });
        }
        for order in &placed {
            let is_placed =
                |intent: &Intent| matches!(intent, Intent::Place(own) if **own == *order);
            if !self.out.intents().iter().any(is_placed) {
                let journal = format!("{:?}", IntentRecord::Place(*order));
                self.replayed.differences.add(seq, Divergence::Other { journal, replay: None });
            }
        }
        self.replayed.counts.inputs += 1;
        self.replayed.counts.inputs_since_fresh += 1;
        Ok(())
    }

    /// Takes in the next record of a run of another program. Its notes, cancels and questions are its own business.
    fn take_followed(&mut self, record: &Record) -> Result<(), Divergence> {
        match &record.body {
            Body::Input(event) => {
                self.carry_on()?;
                let (seq, now, event) = (record.seq, record.now, *event);
                self.followed = Some(Followed { seq, now, event, placed: Vec::new() });
            }
            Body::Intent(intent) => {
                if let (IntentRecord::Place(order), Some(followed)) = (intent, &mut self.followed) {
                    followed.placed.push(*order);
                    self.replayed.counts.order_max =
                        self.replayed.counts.order_max.max(order.id.get());
                }
                self.replayed.counts.intents += 1;
            }
            Body::Note(_) => self.replayed.counts.notes += 1,
            Body::Close(close) => {
                self.carry_on()?;
                self.judge(record.seq, |fold| fold.compare_hashes(close))?;
            }
            Body::Header(header) => {
                self.carry_on()?;
                self.take_header(record.seq, header);
            }
        }
        // What the run before owed is over with the first record of this one that is more than its header.
        if !matches!(record.body, Body::Header(_)) {
            self.notes.clear();
        }
        Ok(())
    }

    /// Whether everything that the last input made was seen: only then the state is that of a place between two inputs.
    pub fn is_settled(&self) -> bool {
        self.intents.is_empty() && self.notes.is_empty() && self.followed.is_none()
    }

    /// Takes in the next record.
    ///
    /// # Errors
    /// The core fails an assertion, or decides otherwise where that is an error. The fold must not be used after that.
    pub fn take(&mut self, record: &Record) -> Result<(), Divergence> {
        match &record.body {
            _ if self.follows() => self.take_followed(record)?,
            Body::Header(header) => self.take_header(record.seq, header),
            Body::Input(event) => {
                self.judge(record.seq, Self::expect_all_seen)?;
                self.take_input(record.now, event)?;
            }
            Body::Intent(intent) => {
                self.judge(record.seq, |fold| fold.compare_intent(intent))?;
                if let IntentRecord::Place(order) = intent {
                    self.replayed.counts.order_max =
                        self.replayed.counts.order_max.max(order.id.get());
                }
                self.replayed.counts.intents += 1;
            }
            Body::Note(note) => {
                self.judge(record.seq, |fold| fold.compare_note(note))?;
                self.replayed.counts.notes += 1;
            }
            Body::Close(close) => {
                self.judge(record.seq, Self::expect_all_seen)?;
                self.judge(record.seq, |fold| fold.compare_hashes(close))?;
            }
        }
        self.replayed.closed = matches!(record.body, Body::Close(_));
        self.replayed.counts.records += 1;
        self.replayed.last = record.now;
        Ok(())
    }

    /// Compares the journal's decision with the core's. Where they need not agree a difference is noted, and what is left of
    /// the core's decisions on that input is dropped.
    fn judge(
        &mut self,
        seq: u64,
        compare: impl FnOnce(&mut Self) -> Result<(), Divergence>,
    ) -> Result<(), Divergence> {
        let Err(how) = compare(self) else { return Ok(()) };
        let must_agree = match self.expect {
            Expect::All => true,
            Expect::Program(hash) => self.replayed.last_run.binary == hash,
            Expect::Nothing(_) => false,
        };
        if must_agree {
            return Err(how);
        }
        self.replayed.differences.add(seq, how);
        Ok(())
    }

    fn compare_intent(&mut self, intent: &IntentRecord) -> Result<(), Divergence> {
        let made = self.intents.pop_front();
        if made.is_some_and(|made| pack(&made) == pack(intent)) {
            return Ok(());
        }
        let replay = made.map(|made| format!("{made:?}"));
        Err(Divergence::Other { journal: format!("{intent:?}"), replay })
    }

    fn compare_note(&mut self, note: &Note) -> Result<(), Divergence> {
        let made = self.notes.pop_front();
        if made.is_some_and(|made| pack(&made) == pack(note)) {
            return Ok(());
        }
        let replay = made.map(|made| format!("{made:?}"));
        Err(Divergence::Other { journal: format!("{note:?}"), replay })
    }

    fn compare_hashes(&mut self, close: &Close) -> Result<(), Divergence> {
        let core = &self.replayed.core;
        let hashes = [
            ("decision", close.decision, core.decision_hash()),
            ("state", close.state, core.state_hash()),
        ];
        match hashes.into_iter().find(|(_, journal, replay)| journal != replay) {
            Some((what, journal, replay)) => Err(Divergence::Hash { what, journal, replay }),
            None => Ok(()),
        }
    }

    fn take_header(&mut self, seq: u64, header: &Header) {
        if header.starts {
            // The run before may have died between an input and its outputs: what it sent, its wire logs say.
            self.intents.clear();
            self.owed = true;
            self.replayed.counts.runs += 1;
        }
        if self.replayed.counts.records == 0 {
            self.replayed.first = seq;
        }
        if header.fresh && self.replayed.counts.inputs_since_fresh > 0 {
            self.replayed.core = Core::new();
        }
        if header.fresh {
            self.notes.clear(); // of other accounts
            self.replayed.counts.inputs_since_fresh = 0;
        }
        self.replayed.last_run = *header;
    }

    fn take_input(&mut self, now: Nanos, event: &Event) -> Result<(), Divergence> {
        self.out.clear();
        let (core, out) = (&mut self.replayed.core, &mut self.out);
        catch_unwind(AssertUnwindSafe(|| core.on_event(now, event, out)))
            .map_err(|_| Divergence::Panicked)?;
        self.intents.extend(out.intents().iter().map(IntentRecord::from));
        self.notes.extend(out.notes());
        self.made = now;
        self.replayed.counts.inputs += 1;
        self.replayed.counts.inputs_since_fresh += 1;
        Ok(())
    }

    /// Everything that the last input made must have been seen; what was not is dropped.
    fn expect_all_seen(&mut self) -> Result<(), Divergence> {
        if mem::take(&mut self.owed) {
            self.notes.clear(); // a journal of before runs wrote what the last one owed
        }
        let more = self.intents.front().map(|intent| format!("{intent:?}"));
        let more = more.or_else(|| self.notes.front().map(|note| format!("{note:?}")));
        self.intents.clear();
        self.notes.clear();
        more.map_or(Ok(()), |replay| Err(Divergence::More { replay }))
    }
}
