//! The whole state of a core as bytes, and its hash.

use std::fmt;
use std::sync::OnceLock;

use super::Core;
use crate::pack::{Pack, PackSink, Unpacker};
use crate::state::{STATE_FORMAT, State, StateHash, layout_of, state_fields};
use crate::units::Nanos;

/// Why bytes are no state of a core.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoadError {
    /// They are of another version than [`STATE_FORMAT`].
    Format { seen: u32 },
    /// Their fields are others than this program's, as another build of the same version may have them.
    Layout { seen: u64 },
    /// They are not what was saved.
    Damaged,
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Format { seen } => write!(
                f,
                "the state has format {seen}, and this program reads format {STATE_FORMAT}"
            ),
            Self::Layout { seen } => write!(
                f,
                "the state has other fields than this program's (layout {seen:016x}): another version wrote it"
            ),
            Self::Damaged => f.write_str("the state is not what was saved"),
        }
    }
}

impl std::error::Error for LoadError {}

state_fields! {
    Core {
        books: value, baskets: value, episodes: value, orders: value, groups: value, planning: derived, ranked: derived,
        money: value, limits: value, equity_limits: value, rejections: value, repeats: value, fills: value, orphans: value,
        quarantine: value, leaving: value, fee_rules: value, resync_asked: table(Nanos::ZERO), snapshots_from: value,
        silence: value, truth: value, tape: value, terms_age: value, measured: value, modes: value, comparison: value, repairs: value,
        unpaired_told: value, run: value, stats: value, decisions: value, script: derived,
    }
}

/// The layout of this build's cores, once a core was asked: it depends on the types alone, and takes longer than most states do to
/// be written.
static LAYOUT: OnceLock<u64> = OnceLock::new();

impl Core {
    fn layout(&self) -> u64 {
        *LAYOUT.get_or_init(|| layout_of(self))
    }

    /// A hash over the whole state: two cores with the same hash decide the same from here on. It is over what
    /// [`Core::save`] writes; what is derived from that follows it.
    pub fn state_hash(&self) -> u64 {
        let mut hash = StateHash::new();
        State::save(self, &mut hash);
        hash.get()
    }

    /// Appends the whole state: its format and layout, its fields, and the [state hash](Self::state_hash). Some kilobytes for a new
    /// core, some megabytes after tens of thousands of fills.
    pub fn save(&self, to: &mut Vec<u8>) {
        (STATE_FORMAT, self.layout()).pack(to);
        let begin = to.len();
        State::save(self, to);
        let mut hash = StateHash::new();
        hash.put(&to[begin..]);
        hash.get().pack(to);
    }

    /// The core that was saved as these bytes. Allocates all that a new core does.
    ///
    /// # Errors
    /// See [`LoadError`]. There is no core then, not even a part of one.
    pub fn load(bytes: &[u8]) -> Result<Self, LoadError> {
        let (format, rest) = bytes.split_first_chunk().ok_or(LoadError::Damaged)?;
        let format = u32::from_le_bytes(*format);
        if format != STATE_FORMAT {
            return Err(LoadError::Format { seen: format });
        }
        let (layout, rest) = rest.split_first_chunk().ok_or(LoadError::Damaged)?;
        let (body, saved) = rest.split_last_chunk().ok_or(LoadError::Damaged)?;
        let mut hash = StateHash::new();
        hash.put(body);
        if hash.get() != u64::from_le_bytes(*saved) {
            return Err(LoadError::Damaged); // found before a core's tables are allocated for it
        }
        let (mut core, layout) = (Self::new(), u64::from_le_bytes(*layout));
        if layout != core.layout() {
            return Err(LoadError::Layout { seen: layout });
        }
        let mut from = Unpacker::new(body);
        core.load_fields(&mut from).filter(|()| from.is_empty()).ok_or(LoadError::Damaged)?;
        // A table may hold a row that is blank, which no core writes.
        if core.state_hash() == hash.get() { Ok(core) } else { Err(LoadError::Damaged) }
    }

    fn load_fields(&mut self, from: &mut Unpacker<'_>) -> Option<()> {
        State::load(self, from)
    }
}
