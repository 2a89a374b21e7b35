//! Readings that would say what the last one said.
//!
//! Production reads each venue every twelve seconds, and most of its readings find an account that nobody has touched since. To ask
//! for such a one, write it as JSON and parse it again was most of a day's work. Here the venue is asked whether anything has changed
//! that a reading depends on ([`Versions`]); where nothing has, the last reading's word is taken again, and the core is told of it as
//! ever. Of so many such readings one is made all the same and must say the same, and so is each towards the end of the day.
//!
//! [`Versions`]: crate::twin::Versions

use std::cell::RefCell;

use surefoot_cold::directory::Entry;
use surefoot_cold::reconcile::{Reader, Truth, TruthError};
use surefoot_hot::ids::{MarketId, Venue};
use surefoot_hot::units::{Nanos, Qty};

use super::transport::{Shared, VirtualTime, lock};

/// Of so many readings in a row that would say the same one is made.
const MADE_EVERY: u32 = 16;

/// A reader of production that is asked only where something has changed.
pub struct Remembered {
    /// Who reads the venue.
    pub inner: Box<dyn Reader>,
    /// The venues, which say whether anything has changed.
    pub venues: Shared,
    /// The time now.
    pub time: VirtualTime,
    /// From then on every reading is made.
    pub upto: Nanos,
    /// The last reading that was made while nothing was wrong with the venue.
    pub last: RefCell<Option<Last>>,
}

/// A reading, and what it depended on.
#[derive(Debug)]
pub struct Last {
    version: u64,
    truth: Truth,
    /// How often its word was taken again.
    times: u32,
}

impl Reader for Remembered {
    fn venue(&self) -> Venue {
        self.inner.venue()
    }

    fn truth(&self) -> Result<Truth, TruthError> {
        let now = self.time.now();
        let version =
            lock(&self.venues).versions(self.venue(), now).map(|versions| versions.account);
        let mut last = self.last.borrow_mut();
        let mut same = last.as_mut().filter(|last| Some(last.version) == version);
        if let Some(last) = &mut same
            && last.times + 1 < MADE_EVERY
            && now < self.upto
        {
            last.times += 1;
            return Ok(last.truth.clone());
        }
        let truth = self.inner.truth()?;
        if let Some(last) = same {
            // Fills that are final leave the answer after an hour, and nobody is told of one twice.
            let told = |truth: &Truth| Truth { confirmed: Vec::new(), ..truth.clone() };
            assert_eq!(
                told(&last.truth),
                told(&truth),
                "nothing that a reading depends on has changed"
            );
        }
        *last = version.map(|version| Last { version, truth: truth.clone(), times: 0 });
        Ok(truth)
    }

    fn history(&self, market: MarketId) -> Result<Option<(Qty, Qty)>, TruthError> {
        self.inner.history(market)
    }

    fn follow(&mut self, entry: &Entry) {
        self.last.take();
        self.inner.follow(entry);
    }
}
