//! The one gate between a decision and an order, and what it measures against.

mod account;
mod approved;
pub mod collar;
mod context;
mod equity;
mod exposure;
mod facts;
pub mod gate;
mod halt;
mod headroom;
mod leg_risk;
mod limits;
mod quarantine;
mod rate;
mod refusal;
mod rejections;
mod repeats;
pub mod shocks;

pub use account::Account;
pub use approved::Approved;
pub use context::{BestPrices, Context, LastTrade, MarketCondition, OtherVenue, VenueCondition};
pub use equity::EquityLimits;
pub use exposure::{Exposure, Stake};
pub use halt::HaltWhy;
pub use headroom::{Claimed, Headroom};
pub use leg_risk::{LegRisk, LegRisks};
pub use limits::{LIMIT_ROWS, LimitDef, LimitRow, LimitUnit, Limits, Safer};
pub use quarantine::QuarantineWhy;
pub use rate::Rate;
pub use refusal::Refusal;
pub use rejections::Rejections;
pub use repeats::Repeats;
pub use shocks::{PlanLoss, PlanRisk, PlannedLeg, Shock, Worst};
