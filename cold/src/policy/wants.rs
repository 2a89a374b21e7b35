//! What goes in and out of the policy: what a person asks, how a reading ended, what the shell is to do.

use std::time::Duration;

use surefoot_hot::event::Event;
use surefoot_hot::ids::Venue;
use surefoot_hot::risk::HaltWhy;

/// The number of a request, given by the shell: the answer carries it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestId(pub u64);

/// What a person, a signal or a file asks of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// Stop opening, cancel everything, keep it so over restarts.
    Halt {
        /// [`HaltWhy::KillFile`] for the file, else [`HaltWhy::Operator`].
        why: HaltWhy,
    },
    /// Lift the halt, once both venues agree and nothing has halted since it was asked.
    Resume {
        /// When whoever asks began to wait, as time since the run began.
        since: Duration,
    },
    /// End the run: wait for orders in flight, read both venues a last time, close.
    Stop,
}

/// How a reading of a venue ended. What the venue said was told to the core before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadResult {
    /// The venue's word on our account was told to the core, and so were the results of settled markets.
    Whole,
    /// The venue's word on our account was told, but the results of settled markets could not be read.
    WithoutResults,
    /// The venue did not answer, or answered with what may pass by itself.
    Failed,
    /// The venue answered with what does not pass by itself, such as a refusal of our key.
    Refused,
    /// Nobody could be sent to read.
    NotBegun,
    /// The reader failed an assertion: nobody is left to read this venue.
    Lost,
}

/// What made the run halt: words and rank of the latch follow from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HaltCause {
    /// Somebody asked for it.
    Asked {
        request: RequestId,
        why: HaltWhy,
    },
    /// The core tripped a limit by itself, and has told the executors so: what is missing is the latch.
    CoreTripped,
    /// The hot thread of this name failed an assertion, so that no core is left to be told.
    ThreadDead(&'static str),
    /// The hot thread of this name has stood still for too long.
    ThreadStill(&'static str),
    JournalFailed,
    /// The state directory or one of its locks is not there any more.
    DirectoryLost,
    /// A hot thread moved the halt epoch: it could not hand on what must not be lost.
    EpochMoved,
    /// The reader of this venue failed an assertion.
    ReaderLost(Venue),
    /// The main thread failed an assertion.
    MainThread,
    /// A hot thread moved the halt epoch while a resume was under way.
    EpochMovedMeanwhile,
    /// The core tripped again while a resume was under way.
    TrippedMeanwhile(HaltWhy),
    /// The core did not show in time that it obeyed a resume, or halted again at once.
    NotLifted(HaltWhy),
    /// The run began to end while a resume that had removed the latch waited to be seen.
    EndedMeanwhile,
}

impl HaltCause {
    /// What the core is told; `None` where it halted by itself or is dead.
    pub const fn why(self) -> Option<HaltWhy> {
        match self {
            Self::Asked { why, .. } | Self::TrippedMeanwhile(why) | Self::NotLifted(why) => {
                Some(why)
            }
            Self::CoreTripped | Self::ThreadDead(_) => None,
            Self::EndedMeanwhile => Some(HaltWhy::Operator),
            Self::ThreadStill(_) | Self::ReaderLost(_) | Self::MainThread => Some(HaltWhy::Thread),
            Self::JournalFailed | Self::DirectoryLost => Some(HaltWhy::Journal),
            Self::EpochMoved | Self::EpochMovedMeanwhile => Some(HaltWhy::RingFull),
        }
    }
}

/// Why both venues were not agreed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unagreed {
    /// The venue's answer is still waited for.
    NoAnswer(Venue),
    /// The venue could not be read.
    Unread(Venue),
    /// The core does not find both venues' figures in the range of its own.
    Differs,
}

/// Why a request was not granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The file is there that forbids trading.
    KillFile,
    JournalFailed,
    /// The state directory is not there any more, so that no halt would be kept.
    DirectoryLost,
    /// The hot thread of this name stands still.
    ThreadStill(&'static str),
    /// The venues cannot be agreed with.
    Unagreed(Unagreed),
    /// A halt came after the question.
    HaltedMeanwhile,
    /// The core found another reason to halt after the question.
    TrippedMeanwhile,
    /// The core did not show in time that it obeyed, or halted again at once.
    NotLifted,
    /// The resume could not be written down, or the latch not removed.
    Unwritten,
    /// The run began to end while the request waited.
    Ending,
    /// The run was ending already when the request came.
    Closing,
    /// The venues are being compared with already, for the start or for another resume.
    Busy,
}

/// What the run tells whoever looks at it. The words are the shell's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message {
    /// The start waits longer than it should: for streams, or else for the venues' word on orders of an earlier run.
    StillWaiting {
        for_streams: bool,
    },
    /// The venues could not be agreed with at the start, so many times.
    NotAgreed {
        failed: u32,
        why: Unagreed,
    },
    /// The venues were not agreed with in as many attempts as a start makes: it ends without having opened anything.
    NothingOpened,
    JournalFailed,
    /// A venue could not be read. It is asked again so long after the question that failed; `None` where it is not asked by
    /// time: nobody is left to ask, or the run does not trade yet or any more.
    ReadFailed {
        venue: Venue,
        again: Option<Duration>,
    },
    /// The end takes longer than it should.
    StillStopping(Waited),
    /// The halt was lifted for this request.
    Resumed {
        request: RequestId,
    },
}

/// What an end waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waited {
    /// So many orders and groups are in flight.
    InFlight { orders: u64, groups: u64 },
    /// The answer of a venue that is being read has not come.
    Reading,
}

/// Why a run ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Somebody asked for it.
    Asked,
    /// The run has lasted as long as it was to.
    SpanOver,
    /// The venues could not be agreed with at the start.
    NotAgreed,
    /// A hot thread is dead, or stands still and is given up.
    CoreGone,
    /// The main thread failed an assertion.
    MainThread,
}

/// How a run closes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closing {
    /// The core has ended as it should.
    Whole {
        /// Whether nothing was in flight any more.
        idle: bool,
    },
    /// A hot thread is dead or stands still: what it would have done is done without it.
    WithoutCore,
}

/// What the shell is to do. The order of wants is the order of doing.
#[derive(Clone, Debug, PartialEq)]
pub enum Want {
    /// Have the venue read and tell the core what it says; then [`on_read`](super::Policy::on_read).
    Read(Venue),
    /// Send this event to the core.
    Tell(Event),
    /// Move the halt epoch; then [`on_advanced`](super::Policy::on_advanced), before anything else.
    Advance,
    /// Write the halt down, so that it stands after a restart as well.
    Latch(HaltCause),
    /// Write the resume down and remove the latch; then [`on_unlatched`](super::Policy::on_unlatched).
    Unlatch(RequestId),
    /// Give this answer to whoever made the request.
    Answer { request: RequestId, outcome: Result<(), Refusal> },
    /// Put the message into words for people and logs.
    Say(Message),
    /// Both venues are agreed with for the first time: the service manager may know.
    Opened,
    /// Tell both venues once to cancel everything, over connections of our own.
    CancelWithoutCore,
    /// The run begins to end: the service manager may know.
    Stopping,
    /// Have both venues read for the report, and tell the core of markets that settled meanwhile; then
    /// [`on_read_at_end`](super::Policy::on_read_at_end), unless the run has closed before.
    ReadAtEnd,
    /// End every thread and report. It is the last want.
    Close { why: Ending, how: Closing },
}
