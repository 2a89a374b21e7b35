//! Orders: what is sent, what it is for, its states, and the table that remembers it.

mod amend;
mod pace;
mod purpose;
mod request;
mod state;
mod table;
mod terms;

pub use amend::{Amend, Change};
pub use pace::Pace;
pub use purpose::{ByStrategy, Purpose, Strategy};
pub use request::{Cancel, Query};
pub use state::{IllegalStep, OrderEvent, OrderState};
pub use table::{ChangeSent, EndKind, OrderTable, Record};
pub use terms::{Expiry, Order, Tif};
