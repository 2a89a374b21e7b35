//! Why a market is quarantined.

use crate::pack::enum_table;

enum_table! {
    /// Why a market is quarantined: nothing is opened there, and what is held there can still be hedged and sold. Of
    /// several causes the gravest stands; they are in that order.
    #[derive(PartialOrd, Ord)]
    pub enum QuarantineWhy {
        /// Messages about its book had a shape that we do not know.
        Shape = 0, "shape";
        /// A message about it held a word whose meaning we do not know.
        Meaning = 1, "meaning";
        /// An order in it filled at a worse price than agreed.
        WorseFill = 2, "worse_fill";
        /// An order in it filled beyond its quantity.
        Overfill = 3, "overfill";
    }
}

impl QuarantineWhy {
    /// Whether it waits for a person. What is not such a cause ends by itself, once a fresh book has been whole for a while.
    pub const fn needs_person(self) -> bool {
        match self {
            Self::Shape => false,
            Self::Meaning | Self::WorseFill | Self::Overfill => true,
        }
    }

    /// Whether the venue filled what it must not. In a second market that halts trading.
    pub const fn is_fill(self) -> bool {
        match self {
            Self::Shape | Self::Meaning => false,
            Self::WorseFill | Self::Overfill => true,
        }
    }

    /// The cause and what ends it, in words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Shape => "odd book messages; ends by itself once its book is whole",
            Self::Meaning => "a word that is not understood; until a person releases it",
            Self::WorseFill => "filled at a worse price than agreed; until a person releases it",
            Self::Overfill => "filled beyond the order; until a person releases it",
        }
    }
}
