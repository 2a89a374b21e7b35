//! What a venue says a book must look like, held until the book does, or is proven wrong.

use crate::book::StaleWhy;
use crate::ids::Side;
use crate::pack::pack_fields;
use crate::units::{Nanos, Price, Qty};

/// Statements about single levels that may be open at once. Two sides of one change travel in one frame, so
/// that one is the rule; more are open only while a frame lists all of one outcome before the other.
const MIRRORS_MAX: usize = 8;

/// The venue's best prices, as it stated them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TopCheck {
    pub(super) bid: Option<Price>,
    pub(super) ask: Option<Price>,
}

/// What a level must hold, as the venue stated it through the other outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct MirrorCheck {
    pub(super) side: Side,
    pub(super) price: Price,
    pub(super) qty: Qty,
}

/// Statements that the book does not agree with yet. Whether there is one, and since when it puts the book in doubt, is asked with
/// every change, and so is in the book itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct Checks {
    /// Whether the sides were crossed or locked when the last frame ended.
    crossed: bool,
    top: Option<TopCheck>,
    mirrors: [Option<MirrorCheck>; MIRRORS_MAX],
    /// Best prices that were stated apart from any change, and when. They put nothing in doubt while they wait.
    stated: Option<(TopCheck, Nanos)>,
}

impl Checks {
    pub(super) const NONE: Self =
        Self { top: None, mirrors: [None; MIRRORS_MAX], crossed: false, stated: None };

    /// Since when the book has not come to best prices that were stated apart from any change.
    pub(super) const fn stated_since(&self) -> Option<Nanos> {
        match self.stated {
            Some((_, since)) => Some(since),
            None => None,
        }
    }

    /// A newer statement apart from any change replaces an older one, which the book has passed by.
    pub(super) const fn hold_stated(&mut self, check: TopCheck, now: Nanos) {
        self.stated = Some((check, now));
    }

    /// The book agrees with what is stated now.
    pub(super) const fn drop_stated(&mut self) {
        self.stated = None;
    }

    /// Whether the book is crossed now; settled with the rest.
    pub(super) const fn set_crossed(&mut self, crossed: bool) {
        self.crossed = crossed;
    }

    /// A newer statement of the top replaces an older one.
    pub(super) const fn hold_top(&mut self, check: TopCheck) {
        self.top = Some(check);
    }

    /// Returns whether there was room. A newer statement about the same level replaces an older one.
    pub(super) fn hold_mirror(&mut self, check: MirrorCheck) -> bool {
        let same = |held: &MirrorCheck| (held.side, held.price) == (check.side, check.price);
        let place = self
            .mirrors
            .iter()
            .position(|slot| slot.as_ref().is_some_and(same))
            .or_else(|| self.mirrors.iter().position(Option::is_none));
        let Some(place) = place else { return false };
        self.mirrors[place] = Some(check);
        true
    }

    /// The same where no statement is open.
    #[inline]
    pub(super) const fn hold_first_mirror(&mut self, check: MirrorCheck) {
        self.mirrors[0] = Some(check);
    }

    /// Drops what the book agrees with by now; says what is still open.
    pub(super) fn settle(
        &mut self,
        top_agrees: impl Fn(TopCheck) -> bool,
        mirror_agrees: impl Fn(MirrorCheck) -> bool,
    ) -> Option<StaleWhy> {
        if self.stated.is_some_and(|(check, _)| top_agrees(check)) {
            self.stated = None;
        }
        if self.top.is_some_and(&top_agrees) {
            self.top = None;
        }
        let mut left = self.top.map(|_| StaleWhy::Top);
        for slot in &mut self.mirrors {
            let Some(check) = *slot else { continue };
            if mirror_agrees(check) {
                *slot = None;
            } else {
                left = Some(StaleWhy::Mirror);
            }
        }
        if self.crossed {
            left = Some(StaleWhy::Crossed);
        }
        left
    }
}

pack_fields! {
    TopCheck { bid, ask }
    MirrorCheck { side, price, qty }
    Checks { top, mirrors, crossed, stated }
}
