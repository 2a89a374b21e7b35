//! Orders: what is sent, what it is for, its states, and the table that remembers it.

mod pace;
mod purpose;
mod request;
mod state;
mod table;
mod terms;

pub use pace::Pace;
pub use purpose::Purpose;
pub use request::{Cancel, Query};
pub use state::{IllegalStep, OrderEvent, OrderState};
pub use table::{EndKind, OrderTable, Record};
pub use terms::{Order, Tif};
