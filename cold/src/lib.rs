//! What may wait: sockets, keys and files. It makes no trading decision.
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod account;
pub mod cancel_rights;
pub mod directory;
pub mod disk;
pub mod exec;
pub mod facts;
pub mod feed;
pub mod halt;
mod http_answer;
pub mod journal;
pub mod json;
pub mod json_fields;
pub mod lock;
pub mod net;
pub mod observe;
pub mod os;
pub mod paper;
pub mod policy;
pub mod queue;
pub mod reconcile;
pub mod relation;
pub mod rest;
pub mod secrets;
pub mod snapshot;
pub mod state_dir;
pub mod store;
pub mod terms;
pub mod text;
pub mod venue;
pub mod wall;
pub mod wirelog;
