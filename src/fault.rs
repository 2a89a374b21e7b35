//! Faults that a test asks a debug build for over the control socket. A release build knows none of them.

/// Acts on the core's thread, once a turn.
#[cfg(not(debug_assertions))]
#[inline(always)]
pub const fn on_core_turn() {}

/// Acts on the main thread, where it begins to end the run.
#[cfg(not(debug_assertions))]
pub const fn on_stop() {}

/// Whether a thread that reads a venue cannot be started.
#[cfg(not(debug_assertions))]
pub const fn no_thread() -> bool {
    false
}

#[cfg(debug_assertions)]
pub use asked::{ask, no_thread, on_core_turn, on_stop};

#[cfg(debug_assertions)]
mod asked {
    use std::sync::atomic::{AtomicU8, Ordering};
    use std::time::Duration;

    const NONE: u8 = 0;
    const PANIC: u8 = 1;
    const STALL: u8 = 2;
    const PANIC_AT_STOP: u8 = 3;
    const STALL_AT_STOP: u8 = 4;
    const NO_THREAD: u8 = 5;
    static WANTED: AtomicU8 = AtomicU8::new(NONE);

    /// Asks for `panic` or `stall`, now or when the run is being ended, or that no thread can be started to read a venue;
    /// `none` ends a stall and the lack of threads. `false` for anything else.
    pub fn ask(what: &str) -> bool {
        let wanted = match what {
            "none" => NONE,
            "panic" => PANIC,
            "stall" => STALL,
            "panic-at-stop" => PANIC_AT_STOP,
            "stall-at-stop" => STALL_AT_STOP,
            "no-thread" => NO_THREAD,
            _ => return false,
        };
        WANTED.store(wanted, Ordering::Relaxed);
        true
    }

    /// Whether a thread that reads a venue cannot be started.
    pub fn no_thread() -> bool {
        WANTED.load(Ordering::Relaxed) == NO_THREAD
    }

    /// Acts on the main thread, where it begins to end the run.
    pub fn on_stop() {
        match WANTED.load(Ordering::Relaxed) {
            PANIC_AT_STOP => WANTED.store(PANIC, Ordering::Relaxed),
            STALL_AT_STOP => WANTED.store(STALL, Ordering::Relaxed),
            _ => {}
        }
    }

    /// Acts on the core's thread, once a turn.
    pub fn on_core_turn() {
        match WANTED.load(Ordering::Relaxed) {
            PANIC => panic!("a test asked for this"),
            STALL => {
                while WANTED.load(Ordering::Relaxed) == STALL {
                    std::thread::sleep(Duration::from_millis(1));
                }
            }
            _ => {}
        }
    }
}
