//! The halt epoch: one number that everybody who may stop an order can move, and the last thing read before
//! an order's bytes go to a socket.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A shared epoch. An order carries the epoch of its decision; where the two differ the order is not written.
///
/// It only grows. Whoever halts moves it at once, from any thread, without waiting for the core to hear of it;
/// the core then learns the new value as an event and decides under it. A resume moves it once more, so that
/// nothing decided before the halt can leave after it.
#[derive(Clone, Debug, Default)]
pub struct HaltEpoch(Arc<Epochs>);

#[derive(Debug, Default)]
struct Epochs {
    now: AtomicU64,
    /// The last one that the core moved to when it halted by itself.
    core: AtomicU64,
}

impl HaltEpoch {
    /// A new one at `epoch`.
    pub fn new(epoch: u64) -> Self {
        Self(Arc::new(Epochs { now: AtomicU64::new(epoch), core: AtomicU64::new(0) }))
    }

    /// The epoch now.
    pub fn read(&self) -> u64 {
        self.0.now.load(Ordering::SeqCst)
    }

    /// The epoch now, and whether the core moved it there by itself and nobody has moved it since.
    pub fn look(&self) -> (u64, bool) {
        let epoch = self.read();
        // Where somebody moves it in between, it is not the core's alone.
        (epoch, self.is_the_cores() && self.read() == epoch)
    }

    /// Moves to the next epoch and returns it: every order decided so far is void unless it already left.
    pub fn advance(&self) -> u64 {
        self.0.now.fetch_add(1, Ordering::SeqCst) + 1
    }

    /// Moves up to `epoch`, never back: the core has halted by itself. Returns the epoch that stands.
    pub fn raise_to(&self, epoch: u64) -> u64 {
        self.0.core.fetch_max(epoch, Ordering::SeqCst);
        self.0.now.fetch_max(epoch, Ordering::SeqCst).max(epoch)
    }

    /// Whether it stands where the core moved it, and nobody has moved it since.
    fn is_the_cores(&self) -> bool {
        let core = self.0.core.load(Ordering::SeqCst);
        core != 0 && core == self.read()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_never_goes_back_and_every_clone_sees_it() {
        let (epoch, other) = (HaltEpoch::new(7), HaltEpoch::default());
        let clone = epoch.clone();
        assert_eq!(clone.advance(), 8);
        assert_eq!(epoch.read(), 8);
        assert_eq!(epoch.raise_to(3), 8);
        assert_eq!(epoch.look(), (8, false), "it was beyond that before");
        assert_eq!(epoch.raise_to(12), 12);
        assert_eq!(clone.read(), 12);
        assert_eq!(clone.look(), (12, true));
        clone.advance();
        assert_eq!(epoch.look(), (13, false), "somebody else has moved it since");
        assert_eq!(other.read(), 0);
    }
}
