//! What the observer's thread and the sinks' threads count.

/// What the observer itself has counted so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ObserverCounts {
    /// Records of the journal that found no room on the way to the observer.
    pub records_dropped: u64,
    /// Notes of the run and sets of figures that found none.
    pub notes_dropped: u64,
    /// Items that wait for the observer.
    pub waiting: u64,
}

/// What a sink's thread has counted so far: a note, a set of figures or a record is one item.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SinkCounts {
    /// Items that were taken.
    pub taken: u64,
    /// Items that were taken and could not be shown or kept.
    pub failed: u64,
    /// Items that found no room.
    pub dropped: u64,
    /// Items that wait.
    pub waiting: u64,
    /// Whether it takes nothing more because an assertion failed in it.
    pub ended: bool,
}
