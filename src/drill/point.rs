//! What goes wrong and where: points by name, and what is drawn for each.

use std::time::Duration;

use surefoot_hot::ids::Venue;

use super::proxy::{Harm, Spoilt, Toward};
use super::shim::{Aim, Fate};
use crate::twin::Host;
use crate::twin::rng::Rng;

/// What is done to a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// It is killed.
    Kill,
    /// The ways to the venues are spoilt for a while.
    Net,
    /// A call on one of its files fails.
    Disk,
}

impl Family {
    /// The drill's name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Kill => "kill",
            Self::Net => "net",
            Self::Disk => "disk",
        }
    }
}

/// A place in the life of a run, or something that goes wrong there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Point {
    /// Any moment of the first seconds.
    AnyMoment,
    /// One of the calls on files with which a run begins.
    StartUp,
    /// The venue is being read for the comparison before anything is opened.
    Reading,
    /// An order was decided, and is about to be written down.
    OrderDecided,
    /// An order was written down, and has not left.
    OrderWritten,
    /// An order has arrived at the venue.
    OrderSent,
    /// An order has left and never arrives.
    OrderLost,
    /// An order has taken effect, and its answer never comes.
    AnswerLost,
    /// The answer to an order has been read from the wire, and nothing of it is written yet.
    AnswerRead,
    /// The wire log has the answer; the journal does not yet.
    AnswerLogged,
    /// The wire log was written, and is not synced.
    WireUnsynced,
    /// A write or sync of the journal.
    Journal,
    /// The journal was written, and is not synced.
    JournalUnsynced,
    /// The journal's mark is being moved.
    Mark,
    /// A write or sync of the database.
    Database,
    /// A snapshot was written aside, at the end of a run, and is not on the disk.
    SnapshotWritten,
    /// It is on the disk, and does not have its name yet.
    SnapshotUnnamed,
    /// It was given its name.
    SnapshotNamed,
    /// It has its name, and the directory is not synced.
    SnapshotUnsynced,
    /// The run is ending.
    Ending,
    /// What passes between a venue and the run comes late.
    Late,
    /// It comes in slices of a few bytes.
    Slices,
    /// The connection ends after some bytes.
    Cut,
    /// The connection is reset after some bytes.
    Reset,
    /// Nothing passes after some bytes, and the connection stays open.
    Silence,
    /// New connections are taken, and their TLS handshakes never go on.
    Handshake,
    /// A call that changes a file fails, once or from then on.
    FileError,
    /// A call that reads a file, looks at it or lists a directory does.
    ReadError,
}

impl Point {
    /// Each of them.
    pub const ALL: [Self; 28] = [
        Self::AnyMoment,
        Self::StartUp,
        Self::Reading,
        Self::OrderDecided,
        Self::OrderWritten,
        Self::OrderSent,
        Self::OrderLost,
        Self::AnswerLost,
        Self::AnswerRead,
        Self::AnswerLogged,
        Self::WireUnsynced,
        Self::Journal,
        Self::JournalUnsynced,
        Self::Mark,
        Self::Database,
        Self::SnapshotWritten,
        Self::SnapshotUnnamed,
        Self::SnapshotNamed,
        Self::SnapshotUnsynced,
        Self::Ending,
        Self::Late,
        Self::Slices,
        Self::Cut,
        Self::Reset,
        Self::Silence,
        Self::Handshake,
        Self::FileError,
        Self::ReadError,
    ];

    /// Those of a family.
    pub fn of(family: Family) -> Vec<Self> {
        Self::ALL.into_iter().filter(|point| point.family() == family).collect()
    }

    /// To which it belongs.
    pub const fn family(self) -> Family {
        match self {
            Self::Late
            | Self::Slices
            | Self::Cut
            | Self::Reset
            | Self::Silence
            | Self::Handshake => Family::Net,
            Self::FileError | Self::ReadError => Family::Disk,
            _ => Family::Kill,
        }
    }

    /// The name in output and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AnyMoment => "any-moment",
            Self::StartUp => "start-up",
            Self::Reading => "reading",
            Self::OrderDecided => "order-decided",
            Self::OrderWritten => "order-written",
            Self::OrderSent => "order-sent",
            Self::OrderLost => "order-lost",
            Self::AnswerLost => "answer-lost",
            Self::AnswerRead => "answer-read",
            Self::AnswerLogged => "answer-logged",
            Self::WireUnsynced => "wire-unsynced",
            Self::Journal => "journal",
            Self::JournalUnsynced => "journal-unsynced",
            Self::Mark => "mark",
            Self::Database => "database",
            Self::SnapshotWritten => "snapshot-written",
            Self::SnapshotUnnamed => "snapshot-unnamed",
            Self::SnapshotNamed => "snapshot-named",
            Self::SnapshotUnsynced => "snapshot-unsynced",
            Self::Ending => "ending",
            Self::Late => "late",
            Self::Slices => "slices",
            Self::Cut => "cut",
            Self::Reset => "reset",
            Self::Silence => "silence",
            Self::Handshake => "handshake",
            Self::FileError => "file-error",
            Self::ReadError => "read-error",
        }
    }

    /// The kind of files, the calls, which of them it may be, and how the bytes of a write begin, where it is a call on a file.
    const fn calls(self) -> Option<(&'static str, &'static str, (u64, u64), &'static str)> {
        Some(match self {
            Self::StartUp => ("/state", "owstnum", (1, 90), ""),
            Self::OrderDecided | Self::OrderWritten => ("/wire-", "w", (1, 3), SENT),
            Self::AnswerRead | Self::AnswerLogged => ("/wire-", "w", (1, 3), ANSWERED),
            // The first two open the logs.
            Self::WireUnsynced => ("/wire-", "s", (3, 6), ""),
            Self::Journal => ("/journal/", "wsn", (1, 150), ""),
            Self::JournalUnsynced => ("/journal/", "s", (1, 75), ""),
            Self::Mark => ("journal.mark", "wsn", (1, 60), ""),
            Self::Database => ("surefoot.db", "ws", (1, 120), ""),
            Self::SnapshotWritten => ("/snapshots/", "w", (1, 1), ""),
            Self::SnapshotUnnamed | Self::SnapshotNamed => ("/snapshots/", "n", (1, 1), ""),
            // The first one is of the file.
            Self::SnapshotUnsynced => ("/snapshots", "s", (2, 2), ""),
            Self::FileError => ("/state", "owstnum", (1, 400), ""),
            Self::ReadError => ("/state", "ixdr", (1, 400), ""),
            Self::AnyMoment
            | Self::Reading
            | Self::OrderSent
            | Self::OrderLost
            | Self::AnswerLost
            | Self::Ending
            | Self::Late
            | Self::Slices
            | Self::Cut
            | Self::Reset
            | Self::Silence
            | Self::Handshake => return None,
        })
    }

    /// Whether the process dies before the call, where that is the point.
    const fn before(self) -> Option<bool> {
        match self {
            Self::OrderDecided
            | Self::AnswerRead
            | Self::WireUnsynced
            | Self::JournalUnsynced
            | Self::SnapshotUnnamed
            | Self::SnapshotUnsynced => Some(true),
            Self::OrderWritten
            | Self::AnswerLogged
            | Self::SnapshotWritten
            | Self::SnapshotNamed => Some(false),
            _ => None,
        }
    }

    /// Whether a call fails there, and the run is not killed at it.
    pub const fn is_error(self) -> bool {
        matches!(self, Self::FileError | Self::ReadError)
    }

    /// Whether it comes as a run ends.
    pub const fn is_at_end(self) -> bool {
        matches!(
            self,
            Self::SnapshotWritten
                | Self::SnapshotUnnamed
                | Self::SnapshotNamed
                | Self::SnapshotUnsynced
                | Self::Ending
        )
    }

    /// Whether it is a call on a file, which a library must look for.
    pub const fn is_call(self) -> bool {
        self.calls().is_some()
    }

    /// The point of that name.
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|point| point.name() == name)
    }
}

/// How the wire log's record of an order that is about to leave begins, and of one that was answered; what is written there to
/// keep caches warm does not.
const SENT: &str = "SFW2\u{1}";
const ANSWERED: &str = "SFW2\u{2}";
/// What is drawn for a moment at most.
const MOMENT_MAX: Duration = Duration::from_millis(1_500);
/// The same for a moment while a run is starting or ending, which takes half a second.
const BRIEF_MAX: Duration = Duration::from_millis(500);

/// The latest that anything comes.
const LATE_MAX_MS: u64 = 400;
/// Bytes after which a connection ends or falls silent: a frame or an answer, and more.
const BYTES_MAX: u64 = 4_096;
/// Errors of files: broken, and full.
const ERRORS: [i32; 2] = [5, 28];

/// The point of a round: all of them in an order drawn from the seed, then all of them in another one.
fn point_of(seed: u64, round: u64, points: &[Point]) -> Point {
    let count = points.len() as u64;
    let before = round.saturating_sub(1); // they are numbered from 1
    let (turn, nth) = (before / count, before % count);
    let mut rng = Rng::new(!seed).fork(turn);
    let mut left = points.to_vec();
    for _ in 0..nth {
        let drawn = rng.below(left.len() as u64);
        left.swap_remove(usize::try_from(drawn).expect("below a length"));
    }
    *rng.pick(&left)
}

/// Where a round is broken, as its seed and number draw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoundPlan {
    /// The number of the round: with the seed it says all the rest.
    pub round: u64,
    pub point: Point,
    /// The call that kills, where it is one.
    pub aim: Option<Aim>,
    /// How long after the point, where the point is no call.
    pub moment: Duration,
    /// Where orders and answers are lost, or who is being read.
    pub venue: Venue,
    /// Which way is spoilt, where one is.
    pub spoilt: Option<Spoilt>,
}

impl RoundPlan {
    /// What a round brings, at one of these points. As many rounds as there are points bring each once.
    pub fn of(seed: u64, round: u64, points: &[Point]) -> Self {
        let mut rng = Rng::new(seed).fork(round);
        let point = point_of(seed, round, points);
        let aim = point.calls().map(|(part, calls, (least, most), head)| {
            let before = point.before().unwrap_or_else(|| rng.chance(1, 2));
            let what = match (point, before) {
                (Point::FileError, true) => Fate::Fail(*rng.pick(&ERRORS)),
                (Point::FileError, false) => Fate::FailFromThen(*rng.pick(&ERRORS)),
                (Point::ReadError, true) => Fate::Fail(ERRORS[0]),
                (Point::ReadError, false) => Fate::FailFromThen(ERRORS[0]),
                (_, true) => Fate::DieBefore,
                (_, false) => Fate::DieAfter,
            };
            Aim { part: part.to_owned(), calls, nth: rng.range(least, most), what, head }
        });
        let most = match point {
            Point::Reading | Point::Ending => BRIEF_MAX,
            _ => MOMENT_MAX,
        };
        let most = u64::try_from(most.as_micros()).expect("a second or so");
        let moment = Duration::from_micros(rng.below(most));
        let venue = *rng.pick(&Venue::ALL);
        let spoilt = Self::spoilt(point, &mut rng);
        Self { round, point, aim, moment, venue, spoilt }
    }

    fn spoilt(point: Point, rng: &mut Rng) -> Option<Spoilt> {
        let bytes = rng.below(BYTES_MAX);
        let harm = match point {
            Point::Late => Harm::Late(Duration::from_millis(rng.range(1, LATE_MAX_MS))),
            Point::Slices => Harm::Slices(usize::from(rng.chance(1, 2)) * 6 + 1),
            Point::Cut => Harm::Cut(bytes),
            Point::Reset => Harm::Reset(bytes),
            Point::Silence => Harm::Silence(bytes),
            Point::Handshake => Harm::Stall,
            _ => return None,
        };
        let toward = *rng.pick(&[Toward::Venue, Toward::Trader]);
        Some(Spoilt { host: *rng.pick(&Host::ALL), toward, harm })
    }

    /// What it is, for a person.
    pub fn words(&self) -> String {
        let name = self.point.name();
        if let Some(Spoilt { host, toward, harm }) = self.spoilt {
            return format!(
                "{} toward the {toward:?}: {harm:?}, for {:?}",
                host.name(),
                self.moment
            );
        }
        match (&self.aim, self.point) {
            (Some(Aim { nth, what, .. }), point) if point.is_error() => {
                format!("{name}, call {nth}: {what:?}")
            }
            (Some(Aim { nth, what, .. }), _) => {
                let when = if *what == Fate::DieBefore { "before" } else { "behind" };
                format!("{name}, {when} call {nth}")
            }
            (None, Point::AnyMoment) => format!("{name}, after {:?}", self.moment),
            (None, Point::Ending) => format!("{name}, {:?} after it was asked", self.moment),
            (None, Point::Reading) => {
                format!("{name} {}, after {:?}", self.venue.name(), self.moment)
            }
            (None, _) => format!("{name}, {}", self.venue.name()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_is_drawn_from_its_seed_and_number_alone() {
        let draw = |seed, round| RoundPlan::of(seed, round, &Point::ALL);
        assert_eq!(draw(1, 7), draw(1, 7));
        assert_ne!(draw(1, 7).moment, draw(2, 7).moment);
        let mut seen: Vec<Point> = (0..500).map(|round| draw(1, round).point).collect();
        seen.sort();
        seen.dedup();
        assert_eq!(seen, Point::ALL, "every point comes up");
        for points in [Point::of(Family::Kill), Point::of(Family::Net)] {
            let count = points.len() as u64;
            let rounds = count + 1..=2 * count;
            let mut seen: Vec<_> = rounds.map(|round| point_of(3, round, &points)).collect();
            assert_ne!(seen, points, "they come in an order that is drawn");
            seen.sort();
            assert_eq!(seen, points, "each once in as many rounds");
        }
        for point in Point::ALL {
            assert_eq!(Point::find(point.name()), Some(point));
        }
    }
}
