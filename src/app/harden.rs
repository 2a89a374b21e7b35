//! Keys are in memory: no core dump, no other process of this user and no swap may get at them.

use std::io;

use surefoot_cold::os;

/// What could be had, read back from the kernel; the words say why not.
#[derive(Debug)]
pub(crate) struct Hardened {
    pub dumps: Result<(), String>,
    pub memory: Result<(), String>,
}

/// Forbids dumps and keeps pages in memory, as far as this process may.
pub(crate) fn harden() -> Hardened {
    let verified = |done: io::Result<()>, holds: fn() -> bool| match done {
        Ok(()) if holds() => Ok(()),
        Ok(()) => Err("the kernel took it and does not show it".to_owned()),
        Err(error) => Err(error.to_string()),
    };
    Hardened {
        dumps: verified(os::forbid_dumps(), os::dumps_are_forbidden),
        memory: verified(os::lock_memory(), os::memory_is_locked),
    }
}

impl Hardened {
    /// What does not hold, a sentence each.
    pub fn gaps(&self) -> Vec<String> {
        let mut gaps = Vec::new();
        if let Err(why) = &self.dumps {
            gaps.push(format!(
                "a core dump or another process of this user could read the keys: {why}"
            ));
        }
        if let Err(why) = &self.memory {
            gaps.push(format!("memory may go to the swap, keys too: {why}"));
        }
        gaps
    }
}
