//! Orders: their states, and the table that remembers them.

mod pace;
mod state;
mod table;

pub use pace::Pace;
pub use state::{IllegalStep, OrderEvent};
pub use table::{EndKind, OrderTable, Record};
