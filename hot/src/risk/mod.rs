//! The one gate between a decision and an order, and what it measures against.

mod approved;
mod context;
mod exposure;
pub mod gate;
mod halt;
mod leg_risk;
mod limits;
mod quarantine;
mod rate;
mod refusal;
mod rejections;

pub use approved::Approved;
pub use context::{Account, BestPrices, Context, LastTrade, OtherVenue, VenueCondition};
pub use exposure::Exposure;
pub use halt::HaltWhy;
pub use leg_risk::{LegRisk, LegRisks};
pub use limits::{LIMIT_ROWS, LimitDef, LimitRow, LimitUnit, Limits, Safer};
pub use quarantine::QuarantineWhy;
pub use rate::Rate;
pub use refusal::Refusal;
pub use rejections::Rejections;
