//! Relations of markets to baskets: what is bought together, and the proof of what it pays at least.
//!
//! A relation is legs, every state that the world may end in, and what one contract of each leg pays there. [`Relation::compile`]
//! adds up all states and gives a [`Proven`] floor, or refuses and names the state that breaks it. The other files make relations
//! of what venues and operators say: `question` of the same question twice and of one that follows from another, `exclusive` of
//! sets of which at most one comes true, `matrix` of what an operator wrote down. They refuse what those words do not carry.

mod certificate;
mod exclusive;
mod matrix;
mod question;
mod refusal;
#[cfg(test)]
mod tests;

use surefoot_hot::basket::{BasketKind, Leg, Proven, Unproven};
use surefoot_hot::ids::{MarketId, Outcome};
use surefoot_hot::units::Price;

use crate::directory::Entry;
use crate::facts::Fingerprint;

pub use certificate::Certificate;
pub use exclusive::ExclusiveSet;
pub use matrix::{Matrix, MatrixLeg};
pub use question::{complement, ladder, same_question};
pub use refusal::Refusal;

/// Legs, the states of the world, and what a unit of the legs is said to pay.
#[derive(Clone, Debug)]
pub struct Relation {
    kind: BasketKind,
    legs: Vec<NamedLeg>,
    states: Vec<State>,
    /// The least that a unit must pay in any state, in $0.0001.
    least: u32,
}

/// A leg, and what people call it.
#[derive(Clone, Debug)]
struct NamedLeg {
    leg: Leg,
    /// What its venue calls the market, shortened.
    market: String,
    /// The outcome and the market: `YES of KXA`.
    name: String,
}

/// One way that the world may end, and what one contract of each leg pays then.
#[derive(Clone, Debug)]
struct State {
    /// As a clause behind "if": `none of A and B comes true`.
    when: String,
    pays: Vec<Price>,
}

/// What a contract pays in a state, by the word of a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Payoff {
    /// An amount that is known beforehand, for each contract.
    Pays(Price),
    /// What was paid for it: the trade is undone, but for its fees. Nobody knows beforehand how much that is.
    Cost,
}

impl Payoff {
    /// What it surely pays.
    ///
    /// # Errors
    /// A refund at cost pays nothing above the cost: no floor stands on it. `when` is the state, as a clause behind "if".
    fn sure(self, when: &str) -> Result<Price, Refusal> {
        match self {
            Self::Pays(price) => Ok(price),
            Self::Cost => Err(Refusal::RefundsCost { when: when.to_owned() }),
        }
    }
}

/// Relations that stand on the word of a person, and the rule texts that this person relied on.
#[derive(Clone, Debug)]
pub struct Signed {
    /// What they make.
    pub relations: Vec<Relation>,
    /// The rule text of each market.
    pub relies_on: Vec<(MarketId, Fingerprint)>,
}

impl Relation {
    /// Its baskets' kind.
    pub const fn kind(&self) -> BasketKind {
        self.kind
    }

    /// Proves that a unit pays what it is said to pay, state by state.
    ///
    /// # Errors
    /// Which state, or which leg, speaks against it.
    pub fn compile(&self) -> Result<Proven, Refusal> {
        let legs = self.legs.iter().map(|leg| leg.leg).collect();
        let states = self.states.iter().map(|state| state.pays.as_slice());
        let name = |leg: usize| self.legs[leg].name.clone();
        Proven::over(self.kind, legs, self.least, states).map_err(|why| match why {
            Unproven::Legs(legs) => Refusal::Legs { legs },
            Unproven::Twice(leg) => Refusal::Twice { leg: name(leg) },
            Unproven::Ratio(leg) => {
                Refusal::Ratio { leg: name(leg), ratio: self.legs[leg].leg.ratio }
            }
            Unproven::NoState => Refusal::NoState,
            Unproven::Payoffs(state) => Refusal::Payoffs {
                when: self.states[state].when.clone(),
                has: self.states[state].pays.len(),
                legs: self.legs.len(),
            },
            Unproven::Pays { state, pays } => Refusal::Pays {
                when: self.states[state].when.clone(),
                legs: self.legs.iter().map(|leg| leg.name.clone()).collect(),
                pays,
                least: self.least.max(1),
            },
        })
    }
}

impl NamedLeg {
    fn of(entry: &Entry, outcome: Outcome, ratio: u16) -> Self {
        let market = short(entry.names.id());
        let name = format!("{} of {market}", word(outcome));
        Self { leg: Leg { market: entry.def.market, outcome, ratio }, market, name }
    }
}

/// What one YES pays where its market came true, or did not.
const fn truth(is_true: bool) -> Price {
    if is_true { Price::ONE } else { Price::ZERO }
}

const fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Yes => "YES",
        Outcome::No => "NO",
    }
}

/// A market's name at its venue, so short that a sentence may hold several.
fn short(name: &str) -> String {
    const SHOWN_MAX: usize = 32;
    if name.len() <= SHOWN_MAX || !name.is_ascii() {
        return name.to_owned();
    }
    format!("{}…{}", &name[..10], &name[name.len() - 4..])
}

/// `A`, `A and B`, `A, B and C`; of many the first few and how many there are.
fn listed(names: &[String]) -> String {
    const SHOWN_MAX: usize = 4;
    match names {
        [] => String::new(),
        [one] => one.clone(),
        names if names.len() > SHOWN_MAX => {
            let more = names.len() - SHOWN_MAX;
            format!("{} and {more} more", names[..SHOWN_MAX].join(", "))
        }
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// A market that may be a leg: it is not decided, as far as its venue has said.
fn undecided(entry: &Entry) -> Result<&Entry, Refusal> {
    if entry.def.status.is_over() {
        return Err(Refusal::Decided { market: short(entry.names.id()) });
    }
    Ok(entry)
}
