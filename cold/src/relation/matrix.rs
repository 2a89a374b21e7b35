//! Relations that an operator writes down: legs with ratios, and what each pays in every state.

use surefoot_hot::basket::BasketKind;
use surefoot_hot::ids::Outcome;

use super::certificate::relied_on;
use super::{NamedLeg, Payoff, Refusal, Relation, Signed, State, short, undecided};
use crate::directory::{Directory, Entry};
use crate::facts::Fingerprint;

/// A payoff matrix, as it was declared.
#[derive(Clone, Debug)]
pub struct Matrix<'a> {
    pub legs: Vec<MatrixLeg<'a>>,
    /// Each state as a clause behind "if", and what one contract of each leg pays there.
    pub states: &'a [(String, Vec<Payoff>)],
    /// The least that a unit is said to pay, in $0.0001; zero where that is left to the sums.
    pub least: u32,
}

/// A leg of a payoff matrix.
#[derive(Clone, Debug)]
pub struct MatrixLeg<'a> {
    /// What the venue calls its market.
    pub name: &'a str,
    /// The market, where it is followed.
    pub market: Option<&'a Entry>,
    /// The outcome that is bought.
    pub outcome: Outcome,
    /// Contracts for each unit.
    pub ratio: u16,
    /// The rule text that was read; where it is not given, the first that was seen counts.
    pub rules: Option<Fingerprint>,
}

impl Matrix<'_> {
    /// The relation that it declares. Whether the states are all there are, nobody can check: what can be is that each leg pays
    /// more in one than in another, and that YES and NO of one market pay a dollar in all of them.
    ///
    /// # Errors
    /// A leg cannot be bought, a rule text has changed, or the matrix contradicts itself.
    pub fn relation(&self, directory: &Directory) -> Result<Signed, Refusal> {
        if self.legs.len() < 2 {
            return Err(Refusal::Legs { legs: self.legs.len() });
        }
        let (mut legs, mut relies_on) = (Vec::new(), Vec::new());
        for leg in &self.legs {
            let market = leg.market.ok_or_else(|| Refusal::Missing { market: short(leg.name) })?;
            relies_on.push(relied_on(undecided(market)?, leg.rules, directory)?);
            legs.push(NamedLeg::of(market, leg.outcome, leg.ratio));
        }
        let state = |(when, pays): &(String, Vec<Payoff>)| {
            let pays = pays.iter().map(|pays| pays.sure(when)).collect::<Result<_, _>>()?;
            Ok(State { when: when.clone(), pays })
        };
        let states: Vec<State> = self.states.iter().map(state).collect::<Result<_, Refusal>>()?;
        let odd = states.iter().find(|state| state.pays.len() != legs.len());
        if let Some(State { when, pays }) = odd {
            return Err(Refusal::Payoffs { when: when.clone(), has: pays.len(), legs: legs.len() });
        }
        consistent(&legs, &states)?;
        let relation = Relation { kind: BasketKind::Custom, legs, states, least: self.least };
        Ok(Signed { relations: vec![relation], relies_on })
    }
}

/// Every state has a payoff for each leg: whether they can be true of markets whose YES and NO pay a dollar together.
fn consistent(legs: &[NamedLeg], states: &[State]) -> Result<(), Refusal> {
    for (nth, NamedLeg { leg, market, name }) in legs.iter().enumerate() {
        if !states.is_empty()
            && states.windows(2).all(|pair| pair[0].pays[nth] == pair[1].pays[nth])
        {
            return Err(Refusal::NeverDiffers { leg: name.clone() });
        }
        let is_other =
            |other: &NamedLeg| other.leg.market == leg.market && other.leg.outcome != leg.outcome;
        let Some(other) = legs.iter().position(is_other) else { continue };
        let odd = states.iter().find(|state| state.pays[nth].complement() != state.pays[other]);
        if let Some(State { when, .. }) = odd {
            return Err(Refusal::NoDollar { market: market.clone(), when: when.clone() });
        }
    }
    Ok(())
}
