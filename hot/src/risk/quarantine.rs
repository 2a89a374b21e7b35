//! Why a market is quarantined.

use crate::pack::enum_table;

enum_table! {
    /// Why a market is quarantined: nothing is opened there, and what is held there can still be hedged and sold. Of
    /// several causes the gravest stands: see [`QuarantineWhy::gravity`].
    pub enum QuarantineWhy {
        /// Messages about its book had a shape that we do not know.
        Shape = 0, "shape";
        /// A message about it held a word whose meaning we do not know.
        Meaning = 1, "meaning";
        /// An order in it filled at a worse price than agreed.
        WorseFill = 2, "worse_fill";
        /// An order in it filled beyond its quantity.
        Overfill = 3, "overfill";
        /// Fill after fill in it was charged another fee than the rule's.
        Fees = 4, "fees";
        /// Too many of its fills were taken back.
        Reverts = 5, "reverts";
    }
}

impl QuarantineWhy {
    /// How grave a cause is beside the others: of several, the highest stands.
    pub const fn gravity(self) -> u8 {
        match self {
            Self::Shape => 0,
            Self::Meaning => 1,
            Self::Fees => 2,
            Self::Reverts => 3,
            Self::WorseFill => 4,
            Self::Overfill => 5,
        }
    }

    /// Whether it waits for a person. What is not such a cause ends by itself, once a fresh book has been whole for a while.
    pub const fn needs_person(self) -> bool {
        match self {
            Self::Shape => false,
            Self::Meaning | Self::Fees | Self::Reverts | Self::WorseFill | Self::Overfill => true,
        }
    }

    /// Whether the venue filled what it must not. In a second market that halts trading.
    pub const fn is_fill(self) -> bool {
        match self {
            Self::Shape | Self::Meaning | Self::Fees | Self::Reverts => false,
            Self::WorseFill | Self::Overfill => true,
        }
    }

    /// The cause and what ends it, in words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Shape => "odd book messages; ends by itself once its book is whole",
            Self::Meaning => {
                "a word that is not understood; until `surefoot release MARKET --reason …`"
            }
            Self::WorseFill => {
                "filled at a worse price than agreed; until `surefoot release MARKET --reason …`"
            }
            Self::Overfill => "filled beyond the order; until `surefoot release MARKET --reason …`",
            Self::Fees => {
                "other fees than its rule says; until `surefoot release MARKET --reason …`"
            }
            Self::Reverts => {
                "too many fills taken back; until `surefoot release MARKET --reason …`"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_cause_says_in_its_own_words_what_ends_it() {
        let first = |why: QuarantineWhy| why.words().split(';').next().unwrap();
        for (nth, why) in QuarantineWhy::ALL.into_iter().enumerate() {
            let by_person = why.words().contains("until `surefoot release MARKET --reason …`");
            let by_itself = why.words().contains("ends by itself");
            assert_eq!(
                (by_person, by_itself),
                (why.needs_person(), !why.needs_person()),
                "{why:?}"
            );
            let others = QuarantineWhy::ALL.into_iter().skip(nth + 1);
            assert!(others.map(first).all(|other| other != first(why)), "{why:?}");
        }
    }
}
