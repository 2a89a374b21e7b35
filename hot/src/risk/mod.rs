//! The one gate between a decision and an order, and what it measures against.

mod approved;
mod exposure;
pub mod gate;
mod halt;
mod leg_risk;
mod limits;
mod rate;
mod refusals;

pub use approved::Approved;
pub use exposure::Exposure;
pub use halt::HaltEpoch;
pub use leg_risk::LegRisk;
pub use limits::{LIMIT_ROWS, Limits};
pub use rate::Rate;
pub use refusals::Refusals;
