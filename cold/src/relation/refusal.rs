//! Why a relation makes no basket, in a sentence each.

use std::fmt;

use surefoot_hot::bounds::{LEGS_MAX, RATIO_MAX};

use super::listed;
use crate::facts::Fingerprint;
use crate::text::counted;

/// Why a relation makes no basket. Shown to whoever declared it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// In a state of the world a unit pays less than it must.
    Pays {
        /// The state, as a clause behind "if".
        when: String,
        /// What is bought.
        legs: Vec<String>,
        /// What a unit pays there, in $0.0001.
        pays: u32,
        /// What it must pay, in $0.0001.
        least: u32,
    },
    /// There are so many legs: fewer than two, or too many.
    Legs { legs: usize },
    /// The same outcome is bought twice.
    Twice { leg: String },
    /// A leg's ratio is zero or too large.
    Ratio { leg: String, ratio: u16 },
    /// No state of the world was given.
    NoState,
    /// A state says what another number of legs pay.
    Payoffs { when: String, has: usize, legs: usize },
    /// YES and NO of one market do not pay a dollar together in a state.
    NoDollar { market: String, when: String },
    /// A leg pays the same in every state: the one that decides its price is missing.
    NeverDiffers { leg: String },
    /// The market is not followed, or its venue does not tell all its terms.
    Missing { market: String },
    /// The market's result is known or about to be, or its venue lists it no more.
    Decided { market: String },
    /// The venue says of no event that the market is one of those that exclude each other.
    NoEvent { market: String },
    /// Two members belong to different events.
    OtherEvent { market: String, event: String, other: String },
    /// The venue does not say that the event's markets exclude each other.
    NotExclusive { event: String, both: [String; 2] },
    /// Which markets the event has could not be read.
    Unlisted { event: String },
    /// A member stands for nothing yet.
    Placeholder { market: String },
    /// A member stands for whatever is not named.
    Other { market: String },
    /// Nobody has signed that the markets settle alike.
    NoCertificate,
    /// The venue shows no rule text of a market.
    NoRules { market: String },
    /// A market's rule text is not the one that was signed.
    RulesChanged { market: String, signed: Fingerprint, now: Fingerprint },
    /// The markets pay differently where their question is void.
    VoidDiffers {
        /// What YES of either pays then, in $0.0001, the second as the first one's outcome.
        pays: [u16; 2],
    },
    /// What a leg cost is given back in a state.
    RefundsCost { when: String },
    /// Two declared markets are one.
    SameMarket { market: String },
}

impl Refusal {
    /// Whether it says that what was proven before does not hold: contracts held of such a basket are no complete basket any
    /// more. The others say that it cannot be bought, or cannot be shown now.
    pub const fn revokes(&self) -> bool {
        match self {
            Self::Pays { .. }
            | Self::NoDollar { .. }
            | Self::NeverDiffers { .. }
            | Self::OtherEvent { .. }
            | Self::NotExclusive { .. }
            | Self::Placeholder { .. }
            | Self::Other { .. }
            | Self::NoCertificate
            | Self::RulesChanged { .. }
            | Self::VoidDiffers { .. }
            | Self::RefundsCost { .. } => true,
            Self::Legs { .. }
            | Self::Twice { .. }
            | Self::Ratio { .. }
            | Self::NoState
            | Self::Payoffs { .. }
            | Self::Missing { .. }
            | Self::Decided { .. }
            | Self::NoEvent { .. }
            | Self::Unlisted { .. }
            | Self::NoRules { .. }
            | Self::SameMarket { .. } => false,
        }
    }
}

/// $0.0001 as dollars.
struct Dollars(u32);

impl fmt::Display for Dollars {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, part) = (self.0 / 10_000, self.0 % 10_000);
        if part.is_multiple_of(100) {
            write!(f, "${whole}.{:02}", part / 100)
        } else {
            write!(f, "${whole}.{part:04}")
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pays { when, legs, pays, least } => {
                let (pays, least) = (Dollars(*pays), Dollars(*least));
                let legs = listed(legs);
                match self.is_without_floor() {
                    true => write!(f, "if {when}, {legs} together pay nothing"),
                    false => write!(f, "if {when}, {legs} together pay {pays} and not {least}"),
                }
            }
            Self::Legs { legs } => {
                let legs = counted(*legs as u64, "leg", "legs");
                write!(f, "it has {legs}, and must have 2 to {LEGS_MAX}")
            }
            Self::Twice { leg } => write!(f, "{leg} is in it twice: say so by its ratio"),
            Self::Ratio { leg, ratio } => {
                write!(f, "the ratio of {leg} is {ratio}, and must be from 1 to {RATIO_MAX}")
            }
            Self::NoState => f.write_str("it names no state of the world"),
            Self::Payoffs { when, has, legs } => {
                write!(f, "if {when}, it says {has} times what a leg pays, and has {legs} legs")
            }
            Self::NoDollar { market, when } => {
                write!(f, "if {when}, YES and NO of {market} do not pay $1.00 together")
            }
            Self::NeverDiffers { leg } => {
                write!(
                    f,
                    "{leg} pays the same in every state: the state in which it does not is missing"
                )
            }
            Self::RefundsCost { when } => write!(
                f,
                "if {when}, what was paid is given back, and the fees are not: no basket is sure of more than it cost"
            ),
            Self::SameMarket { market } => write!(f, "both of its markets are {market}"),
            Self::Missing { .. }
            | Self::Decided { .. }
            | Self::NoEvent { .. }
            | Self::OtherEvent { .. }
            | Self::NotExclusive { .. }
            | Self::Unlisted { .. }
            | Self::Placeholder { .. }
            | Self::Other { .. } => self.about_members(f),
            Self::NoCertificate
            | Self::NoRules { .. }
            | Self::RulesChanged { .. }
            | Self::VoidDiffers { .. } => self.about_certificates(f),
        }
    }
}

impl Refusal {
    /// Whether no floor was asked for, and there is none.
    const fn is_without_floor(&self) -> bool {
        matches!(self, Self::Pays { pays: 0, least: 1, .. })
    }

    fn about_members(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { market } => {
                write!(f, "{market} is not followed, or its venue does not tell all its terms")
            }
            Self::Decided { market } => {
                write!(
                    f,
                    "{market} is over: its venue has closed or decided it, or lists it no more"
                )
            }
            Self::NoEvent { market } => write!(
                f,
                "the venue says of no event that {market} is one of its exclusive markets: nothing keeps two members from coming true"
            ),
            Self::OtherEvent { market, event, other } => write!(
                f,
                "{market} belongs to event {other} and not to {event}: nothing keeps two members from coming true"
            ),
            Self::NotExclusive { event, both: [one, two] } => write!(
                f,
                "the venue does not say that the markets of event {event} exclude each other: if {one} and {two} both come true, \
                 all NO pay a dollar less than they must"
            ),
            Self::Unlisted { event } => write!(
                f,
                "which markets event {event} has could not be read: if one comes true that is not named here, all YES pay nothing"
            ),
            Self::Placeholder { market } => {
                write!(f, "{market} is a placeholder: the venue may yet say what it stands for")
            }
            Self::Other { market } => write!(
                f,
                "{market} stands for \"other\": what that means changes with each outcome that is named"
            ),
            _ => unreachable!("only what is about members"),
        }
    }

    fn about_certificates(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoCertificate => f.write_str(
                "no certificate says that they settle alike: if one comes true and the other does not, both legs may pay nothing. \
                 Read both rule texts, then declare a `certificate` (docs/relations.md)",
            ),
            Self::NoRules { market } => write!(
                f,
                "the venue shows no rule text of {market}: nothing says by what it settles"
            ),
            Self::RulesChanged { market, signed, now } => write!(
                f,
                "the rule text of {market} has changed since it was signed (it was {signed} and is {now}): read it, then sign it \
                 anew with `rules`"
            ),
            Self::VoidDiffers { pays: [here, there] } => write!(
                f,
                "if the question is void, YES pays {} at one market and {} at the other: one of the two baskets pays less than $1.00",
                Dollars((*here).into()),
                Dollars((*there).into())
            ),
            _ => unreachable!("only what is about certificates"),
        }
    }
}
