//! Signals as flags.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR1};
use signal_hook::flag;

use crate::exit::Exit;

/// Signals as flags. The second SIGINT or SIGTERM ends the process at once. A SIGHUP is never the second: a terminal that is
/// closed sends it more than once, by the kernel and by the shell.
#[derive(Clone, Debug, Default)]
pub struct Signals {
    pub(super) stop: Arc<AtomicBool>,
    /// A person or a service manager has asked for the end.
    asked: Arc<AtomicBool>,
    pub(super) halt: Arc<AtomicBool>,
}

impl Signals {
    /// Takes the signals over.
    ///
    /// # Errors
    /// The system would not.
    pub fn install() -> io::Result<Self> {
        let signals = Self::default();
        for signal in [SIGINT, SIGTERM] {
            // In this order: the first signal finds the flag unset and only sets it.
            let code = i32::from(Exit::Killed.code());
            flag::register_conditional_shutdown(signal, code, Arc::clone(&signals.asked))?;
            flag::register(signal, Arc::clone(&signals.asked))?;
        }
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            flag::register(signal, Arc::clone(&signals.stop))?;
        }
        flag::register(SIGUSR1, Arc::clone(&signals.halt))?;
        Ok(signals)
    }

    /// Whether SIGINT, SIGTERM or SIGHUP came.
    pub fn stop(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Whether SIGUSR1 came since this was last asked.
    pub fn take_halt(&self) -> bool {
        self.halt.swap(false, Ordering::Relaxed)
    }
}
