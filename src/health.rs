//! Whether a run is healthy, and what is wrong where it is not.

use std::time::Duration;

use surefoot_hot::ids::Venue;

/// Streams that must be up: two at each venue.
pub const LINKS: u64 = 4;
/// The last successful comparison with both venues may be so old: two in a row may fail, the third is told.
const COMPARED_WITHIN: Duration = Duration::from_secs(40);

/// What health is judged by.
#[derive(Clone, Copy, Debug)]
pub struct Health {
    /// Whether the venues were agreed with once, so that it may open.
    pub open: bool,
    /// Whether trading is halted.
    pub halted: bool,
    /// Whether a hot thread panicked.
    pub dead: bool,
    /// Whether the journal cannot be written.
    pub journal_failed: bool,
    /// Streams that are up.
    pub links_up: u64,
    /// Markets at each venue, by index, and how many of their books are good.
    pub books: [(u32, u32); 2],
    /// Whether the core finds no difference to what the venues said last.
    pub agreed: bool,
    /// How long ago both venues could be compared with.
    pub compared: Option<Duration>,
}

impl Health {
    /// Whether both venues and we agree, as far as is known: what was true long ago proves nothing.
    pub fn reconciled(&self) -> bool {
        self.agreed && self.compared.is_some_and(|age| age <= COMPARED_WITHIN)
    }

    /// Everything that keeps it from trading as it should; nothing where it is healthy.
    pub fn troubles(&self) -> Vec<String> {
        let mut troubles = Vec::new();
        let mut found = |is: bool, what: &str| {
            if is {
                troubles.push(what.to_owned());
            }
        };
        found(self.dead, "a hot thread is dead");
        found(self.journal_failed, "the journal cannot be written");
        found(self.halted, "halted");
        found(!self.open, "starting: not agreed with the venues yet");
        for venue in Venue::ALL {
            let (markets, good) = self.books[venue.index()];
            let none = markets > 0 && good == 0;
            found(none, &format!("no good book at {}", venue.name()));
        }
        found(self.links_up < LINKS, &format!("{} of {LINKS} streams are up", self.links_up));
        found(self.open && !self.agreed, "the venues and we do not agree");
        if let Some(age) = self.compared.filter(|age| *age > COMPARED_WITHIN) {
            found(true, &format!("not compared with the venues for {} s", age.as_secs()));
        }
        troubles
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: Health = Health {
        open: true,
        halted: false,
        dead: false,
        journal_failed: false,
        links_up: LINKS,
        books: [(9, 1), (0, 0)],
        agreed: true,
        compared: Some(COMPARED_WITHIN),
    };

    #[test]
    fn each_trouble_alone_is_told() {
        assert!(GOOD.troubles().is_empty() && GOOD.reconciled());
        let late = COMPARED_WITHIN + Duration::from_secs(1);
        let cases = [
            (Health { halted: true, ..GOOD }, "halted"),
            (Health { dead: true, ..GOOD }, "a hot thread is dead"),
            (Health { journal_failed: true, ..GOOD }, "the journal cannot be written"),
            (Health { open: false, ..GOOD }, "starting: not agreed with the venues yet"),
            (Health { links_up: 3, ..GOOD }, "3 of 4 streams are up"),
            (Health { books: [(9, 1), (5, 0)], ..GOOD }, "no good book at kalshi"),
            (Health { agreed: false, ..GOOD }, "the venues and we do not agree"),
            (Health { compared: Some(late), ..GOOD }, "not compared with the venues for 41 s"),
        ];
        for (health, trouble) in cases {
            assert_eq!(health.troubles(), [trouble], "{health:?}");
        }
        for health in [cases[6].0, cases[7].0, Health { compared: None, ..GOOD }] {
            assert!(!health.reconciled(), "{health:?}");
        }
    }
}
