//! The one gate between a decision and an order.

mod approved;
pub use approved::Approved;
