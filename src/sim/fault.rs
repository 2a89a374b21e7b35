//! What goes wrong on a simulated day: kinds of faults, and which of them a seed brings when.

use std::fmt;

use surefoot_hot::ids::Venue;
use surefoot_hot::per_venue::PerVenue;
use surefoot_hot::units::Nanos;

use crate::twin::rng::Rng;

/// Days that are shorter than this have no faults in them: nothing would be left to come to rest in.
const FAULTY_FROM: Nanos = Nanos::from_secs(1_800);
/// The least and the most faults of 24 hours, of a seed with few, with time to come to rest between two, and of one with many.
const FAULTS_A_DAY: [(u64, u64); 2] = [(24, 72), (200, 800)];
/// The least and the most that a fault lasts, in milliseconds. Half of them last less than a tenth of the most.
const LASTS_MS: (u64, u64) = (200, 60_000);
/// When the first fault begins and when the last one does, in hundredths of the day.
const PART_OF_DAY: (u64, u64) = (5, 85);
/// Everything that goes wrong is over by then, in hundredths of the day, unless it has waited for a request.
const OVER_BY: u64 = 88;

/// One way for a venue, or the way to it, to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum FaultKind {
    /// Every connection is reset, and none can be made.
    Down,
    /// Nothing arrives, in either direction, until it is over; then everything does.
    Stalled,
    /// Whatever is sent takes up to a second and a half longer.
    Slow,
    /// The market links are reset, and cannot be made; orders and their news go on.
    MarketLost,
    /// The connections of one market link carry pings and nothing else, until they are made anew.
    MarketFrozen,
    /// The private link says nothing of what happens meanwhile, and answers pings.
    PrivateUntold,
    /// Everything on the private link comes twice.
    PrivateTwice,
    /// Requests break off before they arrive.
    RequestsLost,
    /// Requests are carried out, and the connection breaks before the answer.
    AnswersLost,
    /// Requests are carried out, and nothing is answered.
    Unanswered,
    /// Requests are carried out, and a gateway says that it failed.
    BadGateway,
    /// Requests are turned away: there are too many.
    Limited,
    /// What reads our account fails.
    Unreadable,
    /// The venue's engine restarts, or pauses trading: orders are refused.
    Restarting,
    /// Trades that were matched do not settle, where a venue has such trades; elsewhere a restart.
    TradesFail,
    /// What reads our account is answered with lists that are empty.
    Emptied,
    /// The executor's log cannot be written.
    LogFails,
    /// The program is killed, and started again.
    Killed,
    /// What the private link says comes in another order: each message up to 300 ms late.
    PrivateReordered,
    /// One of four messages of a market link is lost.
    FramesLost,
    /// Everything on a market link comes twice.
    FramesTwice,
    /// Every message of a stream has a field that nobody knows.
    NewFields,
    /// The venue takes post-only orders and cancels alone, where it knows such a phase; elsewhere a restart.
    PostOnly,
    /// Orders that would trade at once are held for seconds, where a venue does that; elsewhere a restart.
    TakerHeld,
    /// Every market has another price step, where a venue changes it; elsewhere messages are lost.
    TickChanged,
    /// The key of our requests is not known.
    KeyRefused,
    /// Our clock is found to be off the system's, by up to five seconds.
    ClockOff,
    /// A person halts, and resumes when it is over.
    Halted,
    /// A person lowers a limit below what is at risk; when it is over the program is started again, with its own limits.
    LimitLowered,
    /// The program stands still, as one does that is suspended or whose machine is: what arrives meanwhile waits.
    Suspended,
    /// The program is killed, and the newest snapshot of its core cannot be read afterwards.
    SnapshotLost,
    /// The program is killed, and more of the journal's end is lost than was not written yet.
    JournalCut,
    /// A halt can neither be written down for the next start nor be lifted there.
    LatchFails,
    /// A person halts, resumes and lowers limits, one after the other and without waiting; when it is over the program is started
    /// again, with its own limits.
    Meddled,
    /// Trades take minutes to settle, and money is shown only then, where a venue has such trades; elsewhere a restart.
    SettlesLate,
    /// One of four messages of a market link names a price that cannot be.
    OddPrices,
}

impl FaultKind {
    /// Every kind, each at the place of its number.
    pub const ALL: [Self; 36] = [
        Self::Down,
        Self::Stalled,
        Self::Slow,
        Self::MarketLost,
        Self::MarketFrozen,
        Self::PrivateUntold,
        Self::PrivateTwice,
        Self::RequestsLost,
        Self::AnswersLost,
        Self::Unanswered,
        Self::BadGateway,
        Self::Limited,
        Self::Unreadable,
        Self::Restarting,
        Self::TradesFail,
        Self::Emptied,
        Self::LogFails,
        Self::Killed,
        Self::PrivateReordered,
        Self::FramesLost,
        Self::FramesTwice,
        Self::NewFields,
        Self::PostOnly,
        Self::TakerHeld,
        Self::TickChanged,
        Self::KeyRefused,
        Self::ClockOff,
        Self::Halted,
        Self::LimitLowered,
        Self::Suspended,
        Self::SnapshotLost,
        Self::JournalCut,
        Self::LatchFails,
        Self::Meddled,
        Self::SettlesLate,
        Self::OddPrices,
    ];

    /// What comes in its place at a venue that does not know it.
    pub fn at(self, venue: Venue) -> Self {
        match self {
            Self::TradesFail | Self::PostOnly | Self::TakerHeld | Self::SettlesLate
                if !venue.rules().provisional_fills =>
            {
                Self::Restarting
            }
            Self::TickChanged if !venue.rules().provisional_fills => Self::FramesLost,
            kind => kind,
        }
    }

    /// Whether the program is started again because of it, from what its disk holds.
    pub const fn starts_again(self) -> bool {
        self.kills() || matches!(self, Self::LimitLowered | Self::Meddled)
    }

    /// Whether the program is killed as it begins.
    pub const fn kills(self) -> bool {
        matches!(self, Self::Killed | Self::SnapshotLost | Self::JournalCut)
    }

    /// The most that it lasts, in milliseconds.
    const fn longest_ms(self) -> u64 {
        match self {
            Self::TradesFail | Self::SettlesLate => 10 * LASTS_MS.1,
            Self::Suspended => LASTS_MS.1 / 2,
            _ => LASTS_MS.1,
        }
    }

    /// The name in output.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Down => "down",
            Self::Stalled => "stalled",
            Self::Slow => "slow",
            Self::MarketLost => "market_lost",
            Self::MarketFrozen => "market_frozen",
            Self::PrivateUntold => "private_untold",
            Self::PrivateTwice => "private_twice",
            Self::RequestsLost => "requests_lost",
            Self::AnswersLost => "answers_lost",
            Self::Unanswered => "unanswered",
            Self::BadGateway => "bad_gateway",
            Self::Limited => "limited",
            Self::Unreadable => "unreadable",
            Self::Restarting => "restarting",
            Self::TradesFail => "trades_fail",
            Self::Emptied => "emptied",
            Self::LogFails => "log_fails",
            Self::Killed => "killed",
            Self::PrivateReordered => "private_reordered",
            Self::FramesLost => "frames_lost",
            Self::FramesTwice => "frames_twice",
            Self::NewFields => "new_fields",
            Self::PostOnly => "post_only",
            Self::TakerHeld => "taker_held",
            Self::TickChanged => "tick_changed",
            Self::KeyRefused => "key_refused",
            Self::ClockOff => "clock_off",
            Self::Halted => "halted",
            Self::LimitLowered => "limit_lowered",
            Self::Suspended => "suspended",
            Self::SnapshotLost => "snapshot_lost",
            Self::JournalCut => "journal_cut",
            Self::LatchFails => "latch_fails",
            Self::Meddled => "meddled",
            Self::SettlesLate => "settles_late",
            Self::OddPrices => "odd_prices",
        }
    }
}

/// When a fault begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aim {
    /// At its time.
    Time,
    /// As a request of ours leaves, to whichever venue: an order, a cancel, a question or a beat.
    Request,
    /// As a request leaves that places, cancels or changes an order.
    Order,
}

/// Something that goes wrong at a venue, or on the way to it, for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// In which way it fails.
    pub kind: FaultKind,
    /// The venue that fails, or is not reached. A kill concerns the program, wherever it is drawn.
    pub venue: Venue,
    /// When it begins, as time since the day did.
    pub begins: Nanos,
    /// How long it lasts.
    pub lasts: Nanos,
    /// What it waits for, for a while, once its time has come.
    pub aim: Aim,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, venue, begins, lasts, aim } = self;
        let waits = match aim {
            Aim::Time => "",
            Aim::Request => ", as a request leaves",
            Aim::Order => ", as an order leaves",
        };
        let (kind, venue, begins) = (kind.name(), venue.name(), begins.millis());
        write!(
            f,
            "{kind} at {venue} from {begins} ms into the day{waits}, for {} ms",
            lasts.millis()
        )
    }
}

/// The faults of a seed, in the order in which they begin. A seed draws which kinds it brings at all: many faults of few kinds
/// find what few of each do not.
pub fn of_seed(seed: u64, span: Nanos) -> Vec<Fault> {
    if span < FAULTY_FROM {
        return Vec::new();
    }
    let mut rng = Rng::new(seed).fork(0x6661_756c_7473);
    let mut kinds: Vec<_> = FaultKind::ALL.iter().copied().filter(|_| rng.chance(1, 2)).collect();
    if kinds.is_empty() {
        kinds.push(*rng.pick(&FaultKind::ALL));
    }
    let (least, most) = *rng.pick(&FAULTS_A_DAY);
    let count = (rng.range(least, most) * span.millis()).div_ceil(86_400_000);
    let (from, to) = PART_OF_DAY;
    let (first, last) = (span.millis() / 100 * from, span.millis() / 100 * to);
    let mut faults: Vec<_> = (0..count)
        .map(|_| {
            let (shortest, longest) = LASTS_MS;
            let longest = if rng.chance(1, 2) { longest / 10 } else { longest };
            let lasts = rng.range(shortest, longest);
            let begins = rng.range(first, last);
            let venue = *rng.pick(&Venue::ALL);
            let kind = rng.pick(&kinds).at(venue);
            let lasts = lasts * kind.longest_ms() / LASTS_MS.1;
            let lasts = lasts.min(span.millis() / 100 * OVER_BY - begins);
            let (begins, lasts) = (Nanos::from_millis(begins), Nanos::from_millis(lasts));
            let aim = *rng.pick(&[Aim::Time, Aim::Request, Aim::Order, Aim::Order, Aim::Order]);
            Fault { kind, venue, begins, lasts, aim }
        })
        .collect();
    faults.sort_by_key(|fault| (fault.begins, fault.lasts, fault.venue, fault.kind));
    faults
}

/// The faults of this moment, by venue.
#[derive(Debug)]
pub struct Active(PerVenue<[u8; FaultKind::ALL.len()]>);

impl Default for Active {
    fn default() -> Self {
        Self(PerVenue::all([0; FaultKind::ALL.len()]))
    }
}

impl Active {
    /// One more begins.
    pub fn begin(&mut self, venue: Venue, kind: FaultKind) {
        self.0[venue][kind as usize] += 1;
    }

    /// One is over.
    pub fn end(&mut self, venue: Venue, kind: FaultKind) {
        self.0[venue][kind as usize] -= 1;
    }

    /// Whether one of this kind goes on at the venue.
    pub fn is(&self, venue: Venue, kind: FaultKind) -> bool {
        self.0[venue][kind as usize] > 0
    }

    /// Whether one of this kind goes on at any venue.
    pub fn is_anywhere(&self, kind: FaultKind) -> bool {
        self.0.values().any(|counts| counts[kind as usize] > 0)
    }

    /// Whether any goes on anywhere.
    pub fn any(&self) -> bool {
        self.0.values().flatten().any(|count| *count > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Nanos = Nanos::from_secs(86_400);

    #[test]
    fn a_day_has_its_faults_within_its_middle_and_another_seed_has_others() {
        for seed in 0..50 {
            let faults = of_seed(seed, DAY);
            let number = faults.len() as u64;
            let within = |(least, most): &(u64, u64)| (*least..=*most).contains(&number);
            assert!(FAULTS_A_DAY.iter().any(within), "{number}");
            assert!(faults.is_sorted_by_key(|fault| fault.begins));
            let (from, to) = PART_OF_DAY;
            let within = Nanos::new(DAY.get() / 100 * from)..=Nanos::new(DAY.get() / 100 * to);
            assert!(faults.iter().all(|fault| within.contains(&fault.begins)));
            assert_eq!(faults, of_seed(seed, DAY));
            assert_ne!(faults, of_seed(seed + 1, DAY));
        }
    }

    #[test]
    fn every_kind_comes_in_a_few_seeds_at_every_venue_that_knows_it() {
        let faults: Vec<_> = (0..50).flat_map(|seed| of_seed(seed, DAY)).collect();
        for kind in FaultKind::ALL {
            for venue in Venue::ALL {
                let known = kind.at(venue) == kind;
                let came = faults.iter().any(|fault| (fault.kind, fault.venue) == (kind, venue));
                assert_eq!(came, known, "{kind:?} {venue:?}");
            }
        }
    }
}
