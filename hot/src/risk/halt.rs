//! Why trading is halted.

/// Why trading was halted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum HaltWhy {
    /// A person said so.
    Operator = 0,
    /// The `KILL` file is there.
    KillFile = 1,
    /// The daily loss limit was reached.
    DailyLoss = 2,
    /// A ring that may not fill was full.
    RingFull = 3,
    /// A group could not be closed within its bounds.
    Group = 4,
    /// A thread died or fell silent.
    Thread = 5,
    /// The journal could not be written.
    Journal = 6,
    /// A filled quantity or price that cannot be.
    Impossible = 7,
}
