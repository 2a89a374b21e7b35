//! By how much a venue's figure may differ from ours without either being wrong, and what error of ours explains the
//! rest.
//!
//! All amounts are whole microdollars or whole millionths of a contract.

use crate::pack::pack_fields;

/// What is in flight may make the venue's figure up to `less` smaller than ours, or up to `more` larger. Neither is below zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Range {
    less: i128,
    more: i128,
}

impl Range {
    /// The venue's figure may be smaller than ours by a further `less`, or larger by a further `more`.
    ///
    /// # Panics
    /// An amount is below zero.
    pub fn allow(&mut self, less: impl Into<i128>, more: impl Into<i128>) {
        let (less, more) = (less.into(), more.into());
        assert!(less >= 0 && more >= 0, "a range only grows by what is in flight");
        self.less += less;
        self.more += more;
    }

    /// What was allowed as `more` has happened, or will not: it is taken back, as far as it was allowed. What came up while
    /// the reading was under way may be more than was allowed at its beginning.
    pub fn forbid_more(&mut self, more: impl Into<i128>) {
        self.more = (self.more - more.into().max(0)).max(0);
    }

    /// Whether nothing is in flight: the venue's figure should be ours to the last millionth.
    pub const fn is_nothing(&self) -> bool {
        self.less == 0 && self.more == 0
    }

    /// How much smaller the venue's figure may be.
    pub const fn less(&self) -> i128 {
        self.less
    }

    /// The errors of our own figure that explain why the venue's is larger by `by`.
    pub const fn errors(&self, by: i128) -> Errors {
        Errors { least: by - self.more, most: by + self.less }
    }
}

/// The amounts, from `least` to `most`, that ours may be short of the truth by; below zero where ours is too much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Errors {
    least: i128,
    most: i128,
}

impl Errors {
    /// Whether no error at all is one of them: what is in flight explains the difference.
    pub const fn has_none(&self) -> bool {
        self.least <= 0 && self.most >= 0
    }

    /// The errors that explain both readings; `None` where none does.
    pub fn and(self, other: Self) -> Option<Self> {
        let (least, most) = (self.least.max(other.least), self.most.min(other.most));
        (least <= most).then_some(Self { least, most })
    }

    /// The smallest error that explains the difference: what our figure is certainly wrong by.
    pub fn certain(&self) -> i128 {
        0.clamp(self.least, self.most)
    }
}

pack_fields! {
    Range { less, more }
    Errors { least, most }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn errors(less: i128, more: i128, by: i128) -> Errors {
        let mut range = Range::default();
        range.allow(less, more);
        range.errors(by)
    }

    #[test]
    fn only_what_lies_outside_the_range_is_an_error() {
        for (by, certain) in [(-9, -4), (-5, 0), (0, 0), (30, 0), (31, 1), (40, 10)] {
            let errors = errors(5, 30, by);
            assert_eq!((errors.certain(), errors.has_none()), (certain, certain == 0), "{by}");
        }
        assert_eq!(errors(0, 0, -7).certain(), -7, "nothing in flight: all of it");
    }

    #[test]
    fn two_readings_are_explained_by_the_same_errors_or_by_none() {
        let (wide, exact) = (errors(5, 30, 38), errors(0, 0, 12));
        assert_eq!(wide.and(exact).map(|both| both.certain()), Some(12));
        assert_eq!(wide.certain(), 8);
        assert_eq!(errors(0, 0, 12).and(errors(0, 0, 13)), None);
        assert_eq!(errors(0, 3, 5).and(errors(3, 0, -5)), None, "one too much, one too little");
    }
}
