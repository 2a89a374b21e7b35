//! Orders: their states, and the table that remembers them.

mod state;
mod table;

pub use state::{IllegalStep, OrderEvent};
pub use table::{OrderTable, Record};
