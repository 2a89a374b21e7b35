//! Relations of two outcomes: YES and NO of one market, the same question at two markets, and a question that follows from another.

use surefoot_hot::basket::BasketKind;
use surefoot_hot::ids::{MarketId, Outcome};
use surefoot_hot::units::Price;

use super::certificate::relied_on;
use super::{Certificate, NamedLeg, Refusal, Relation, Signed, State, short, truth, undecided};
use crate::directory::{Directory, Entry};
use crate::facts::Fingerprint;

const DOLLAR: u32 = Price::ONE.ticks() as u32;

/// YES and NO of one market pay a dollar together, whatever one YES pays.
///
/// # Errors
/// The market is over.
pub fn complement(market: &Entry) -> Result<Relation, Refusal> {
    undecided(market)?;
    let outcomes = [Outcome::Yes, Outcome::No];
    let name = short(market.names.id());
    let void = Price::from_ticks(5_000).expect("under a dollar");
    let states =
        [("comes true", Price::ONE), ("does not come true", Price::ZERO), ("is void", void)];
    Ok(Relation {
        kind: BasketKind::Complement,
        legs: outcomes.map(|outcome| NamedLeg::of(market, outcome, 1)).to_vec(),
        states: states
            .map(|(what, yes_pays)| State {
                when: format!("{name} {what}"),
                pays: outcomes.map(|outcome| outcome.price_from_yes(yes_pays)).to_vec(),
            })
            .to_vec(),
        least: DOLLAR,
    })
}

/// The same question at two markets: one must pay YES and the other NO. Where YES there means NO here, the same outcome of
/// both. Gives both directions.
///
/// # Errors
/// Nobody signed that they settle alike, they do not, or one of them is over.
pub fn same_question(
    [here, there]: [&Entry; 2],
    same_polarity: bool,
    certificate: Option<&Certificate>,
    directory: &Directory,
) -> Result<Signed, Refusal> {
    let certificate = certificate.ok_or(Refusal::NoCertificate)?;
    let relies_on = sign([here, there], certificate, directory)?;
    let of_other = |yes_pays: Price| if same_polarity { yes_pays } else { yes_pays.complement() };
    let void = "the question is void";
    let [void_here, void_there] = certificate.void_pays(void)?;
    if void_here != of_other(void_there) {
        let pays = [void_here.ticks(), of_other(void_there).ticks()];
        return Err(Refusal::VoidDiffers { pays });
    }
    let states = [
        ("the question comes true", [Price::ONE, of_other(Price::ONE)]),
        ("the question does not come true", [Price::ZERO, of_other(Price::ZERO)]),
        (void, [void_here, void_there]),
    ];
    let direction = |ours: Outcome| {
        let theirs = if same_polarity { ours.other() } else { ours };
        of_two(BasketKind::CrossVenue, [(here, ours), (there, theirs)], &states)
    };
    Ok(Signed { relations: [Outcome::Yes, Outcome::No].map(direction).to_vec(), relies_on })
}

/// `weaker` follows from `stronger`: at least 4 is also at least 3, the final is won by winning. NO of the stronger and YES of the
/// weaker pay a dollar in each state that this leaves.
///
/// # Errors
/// As [`same_question`].
pub fn ladder(
    [stronger, weaker]: [&Entry; 2],
    certificate: Option<&Certificate>,
    directory: &Directory,
) -> Result<Signed, Refusal> {
    let certificate = certificate.ok_or(Refusal::NoCertificate)?;
    let relies_on = sign([stronger, weaker], certificate, directory)?;
    let names = [stronger, weaker].map(|market| short(market.names.id()));
    let [strong, weak] = &names;
    let both = format!("{strong} comes true, and {weak} with it");
    let one = format!("{weak} alone comes true");
    let none = format!("neither {strong} nor {weak} comes true");
    let void = format!("{strong} and {weak} are void");
    let void_pays = certificate.void_pays(&void)?;
    let states = [
        (both.as_str(), [truth(true), truth(true)]),
        (&one, [truth(false), truth(true)]),
        (&none, [truth(false), truth(false)]),
        (&void, void_pays),
    ];
    let legs = [(stronger, Outcome::No), (weaker, Outcome::Yes)];
    Ok(Signed { relations: vec![of_two(BasketKind::Ladder, legs, &states)], relies_on })
}

/// What a certificate of two markets relies on.
fn sign(
    markets: [&Entry; 2],
    certificate: &Certificate,
    directory: &Directory,
) -> Result<Vec<(MarketId, Fingerprint)>, Refusal> {
    let [one, other] = markets;
    if one.def.market == other.def.market {
        return Err(Refusal::SameMarket { market: short(one.names.id()) });
    }
    markets.into_iter().try_for_each(|market| undecided(market).map(|_| ()))?;
    let signed = markets.into_iter().zip(certificate.rules);
    signed.map(|(market, rules)| relied_on(market, rules, directory)).collect()
}

/// Two legs of one contract each that pay a dollar; of each state, what one YES of either market pays.
fn of_two(
    kind: BasketKind,
    legs: [(&Entry, Outcome); 2],
    states: &[(&str, [Price; 2])],
) -> Relation {
    let state = |&(when, yes_pays): &(&str, [Price; 2])| State {
        when: when.to_owned(),
        pays: legs.iter().zip(yes_pays).map(|(leg, yes)| leg.1.price_from_yes(yes)).collect(),
    };
    Relation {
        kind,
        legs: legs.map(|(market, outcome)| NamedLeg::of(market, outcome, 1)).to_vec(),
        states: states.iter().map(state).collect(),
        least: DOLLAR,
    }
}
