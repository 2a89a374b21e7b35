//! What happens on a simulated day, at its time.

use surefoot_hot::event::Event;
use surefoot_hot::ids::{MarketId, Venue};
use surefoot_hot::units::Nanos;

use crate::sim::executor::Lane;
use crate::twin::ConnId;

/// Something that happens at a time.
pub(super) enum Happening {
    /// A link's connection is made.
    Connected(usize),
    /// A frame of ours arrives at a venue.
    AtVenue(usize, ConnId, String),
    /// A frame of a venue arrives here.
    Here(usize, ConnId, String),
    /// A ping of ours has been answered, or a venue pings.
    Alive(usize, ConnId),
    /// A venue pings over this connection, and will again.
    VenuePing(usize, ConnId),
    /// An executor's connection is made.
    LaneUp(Venue, Lane),
    /// A request of an executor arrives at its venue.
    Asked(Venue, Lane, Vec<u8>),
    /// The answer arrives here.
    Answered(Venue, Lane, Vec<u8>),
    /// The connection breaks.
    LaneLost(Venue, Lane),
    /// The fault of this number begins.
    FaultBegins(usize),
    /// The fault of this number has waited for a request long enough.
    FaultWaited(usize),
    /// The fault of this number has found its request.
    FaultStrikes(usize),
    /// The fault of this number is over.
    FaultEnds(usize),
    /// A trade of ours that has not settled may be found not to, while the fault of this number lasts, which ends then.
    TradeFails(usize, Nanos),
    /// A person asks for one more thing, while the fault of this number lasts, which ends then.
    Meddle(usize, Nanos),
    /// The program goes on, which has stood still since then.
    GoesOn(Nanos),
    /// Somebody starts the program again.
    Start,
    /// Somebody wants an order to rest, or to be otherwise.
    Quote,
    /// The question of a reading arrives at its venue.
    Question(Venue),
    /// The question of the last reading arrives at all venues.
    LastQuestion,
    /// The question for a market's book arrives at its venue.
    Witness(MarketId),
    /// What a venue showed arrives here.
    Shown(Event),
}

impl Happening {
    /// Whether it happens although the program was killed since: it concerns the world, or is on its way there.
    pub const fn outlives_run(&self) -> bool {
        match self {
            Self::Asked(..)
            | Self::FaultBegins(_)
            | Self::FaultWaited(_)
            | Self::FaultStrikes(_)
            | Self::FaultEnds(_)
            | Self::TradeFails(..)
            | Self::Meddle(..)
            | Self::Quote
            | Self::Start => true,
            Self::Connected(_)
            | Self::AtVenue(..)
            | Self::Here(..)
            | Self::Alive(..)
            | Self::VenuePing(..)
            | Self::LaneUp(..)
            | Self::Answered(..)
            | Self::LaneLost(..)
            | Self::GoesOn(_)
            | Self::Question(_)
            | Self::LastQuestion
            | Self::Witness(_)
            | Self::Shown(_) => false,
        }
    }

    /// Whether the program has to do something for it to happen, so that it waits for one that stands still.
    pub const fn waits_for_program(&self) -> bool {
        matches!(
            self,
            Self::Connected(_)
                | Self::Here(..)
                | Self::Alive(..)
                | Self::VenuePing(..)
                | Self::LaneUp(..)
                | Self::Answered(..)
                | Self::LaneLost(..)
                | Self::Quote
                | Self::Shown(_)
        )
    }
}
