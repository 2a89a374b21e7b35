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
    /// Halts for which it was moved already and that the run policy has not taken in yet.
    on_the_way: AtomicU64,
}

impl HaltEpoch {
    /// A new one at `epoch`.
    pub fn new(epoch: u64) -> Self {
        Self(Arc::new(Epochs { now: AtomicU64::new(epoch), ..Epochs::default() }))
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

    /// Moves to the next epoch for a halt of which the run policy hears in a moment: nothing that was decided leaves any more,
    /// whatever the main thread is busy with. The value goes with the request, and ends when that was taken in.
    #[must_use]
    pub fn advance_ahead(&self) -> HaltOnItsWay {
        self.0.on_the_way.fetch_add(1, Ordering::SeqCst); // before the epoch: whoever sees that knows why
        self.advance();
        HaltOnItsWay(self.clone())
    }

    /// Whether the epoch was moved for a halt of which the run policy has not heard yet. To be asked behind the epoch.
    pub fn is_ahead(&self) -> bool {
        self.0.on_the_way.load(Ordering::SeqCst) > 0
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

/// A halt for which the epoch was moved already: see [`HaltEpoch::advance_ahead`].
#[derive(Debug)]
pub struct HaltOnItsWay(HaltEpoch);

impl Drop for HaltOnItsWay {
    fn drop(&mut self) {
        self.0.0.on_the_way.fetch_sub(1, Ordering::SeqCst);
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

    #[test]
    fn a_halt_on_its_way_voids_at_once_and_is_known_until_it_was_taken_in() {
        let epoch = HaltEpoch::new(7);
        let (first, second) = (epoch.advance_ahead(), epoch.advance_ahead());
        assert_eq!((epoch.read(), epoch.is_ahead()), (9, true));
        drop(first);
        assert!(epoch.is_ahead(), "the other one is not taken in");
        drop(second);
        assert_eq!((epoch.look(), epoch.is_ahead()), ((9, false), false));
    }
}
