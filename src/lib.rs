//! surefoot: the program. Wires the core to its feeds, executors and files, and holds the worlds that can
//! replace the real one.
#![cfg_attr(test, allow(clippy::unwrap_used))]

/// Says something on stderr. Unlike `std`'s of the same name it does not panic where nobody reads any more: a
/// terminal that is closed must end the run gracefully, not with orders resting.
#[cfg(not(test))]
macro_rules! eprintln {
    ($($words:tt)*) => {{
        use std::io::Write as _;
        let _ = std::writeln!(std::io::stderr(), $($words)*);
    }};
}
/// Data on stdout, with a line's end. Does not panic where nobody reads any more (`| head`).
#[cfg(not(test))]
macro_rules! println {
    ($($words:tt)*) => {{
        use std::io::Write as _;
        let _ = std::writeln!(std::io::stdout(), $($words)*);
    }};
}
/// Data on stdout. Does not panic where nobody reads any more (`| head`).
#[cfg(not(test))]
macro_rules! print {
    ($($words:tt)*) => {{
        use std::io::Write as _;
        let _ = std::write!(std::io::stdout(), $($words)*);
    }};
}

pub mod access;
pub mod app;
pub mod bench;
pub mod catalogue;
pub mod cli;
pub mod clock;
pub mod config;
pub mod control;
pub mod drill;
pub mod exit;
pub mod fault;
pub mod machine;
pub mod modes;
pub mod relations;
pub mod sim;
pub mod twin;
pub mod verbs;
pub mod watchdog;
