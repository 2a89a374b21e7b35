//! Sets of which at most one comes true: neg-risk events of Polymarket's, mutually exclusive ones of Kalshi's.
//!
//! Of such a set two kinds of baskets pay, and every other one is a worse way to buy one of them. All YES pay a dollar if one of
//! the members must come true. NO of k members pay k - 1 dollars, whatever the others do: this is what a venue gives when NO of k
//! outcomes are converted into YES of the others and k - 1 dollars, the YES counted as nothing.

use surefoot_hot::basket::BasketKind;
use surefoot_hot::ids::Outcome;
use surefoot_hot::units::Price;

use super::{NamedLeg, Payoff, Refusal, Relation, State, listed, short, truth, undecided};
use crate::directory::Entry;
use crate::facts::{EventFacts, StandsFor};

const VOID: &str = "the whole event is void";
const DOLLAR: u32 = Price::ONE.ticks() as u32;

/// An exclusive set of one venue, as it was declared, with what is known of its members.
#[derive(Clone, Debug)]
pub struct ExclusiveSet<'a> {
    /// Whether a person says that one of the members must come true.
    pub is_exhaustive: bool,
    /// What one YES of each member pays where the whole event is void; `None` where it cannot be.
    pub void_pays: Option<Payoff>,
    /// What the venue calls each member, and the member where it is followed.
    pub members: Vec<(&'a str, Option<&'a Entry>)>,
}

impl<'a> ExclusiveSet<'a> {
    /// YES of all members: a dollar, because one of them comes true.
    ///
    /// # Errors
    /// A member cannot be bought, the venue says something else of the event, or there is a state in which none comes true.
    pub fn all_yes(&self) -> Result<Relation, Refusal> {
        let members = self.members.iter().map(usable).collect::<Result<Vec<_>, _>>()?;
        let event = one_event(&members)?;
        let gap = self.gap(event)?;
        self.relation(&members, Outcome::Yes, gap, DOLLAR)
    }

    /// NO of all members but those that cannot be bought: a dollar less than there are.
    ///
    /// # Errors
    /// Fewer than two are left, or the venue does not say that they exclude each other.
    pub fn all_no(&self) -> Result<Relation, Refusal> {
        self.no_of(&self.usable()?)
    }

    /// NO of all members that can be bought but one, for each of them: worth having where that one has no bid. None where two
    /// are left.
    ///
    /// # Errors
    /// As [`Self::all_no`].
    pub fn no_of_all_but_one(&self) -> Result<Vec<Relation>, Refusal> {
        let members = self.usable()?;
        if members.len() < 3 {
            return Ok(Vec::new());
        }
        let all_but = |left_out: usize| {
            let mut members = members.clone();
            members.remove(left_out);
            self.no_of(&members)
        };
        (0..members.len()).map(all_but).collect()
    }

    /// The members that can be bought.
    fn usable(&self) -> Result<Vec<&'a Entry>, Refusal> {
        let (members, others): (Vec<_>, Vec<_>) =
            self.members.iter().map(usable).partition(Result::is_ok);
        match others.into_iter().next() {
            Some(Err(why)) if members.len() < 2 => Err(why),
            _ => Ok(members.into_iter().flatten().collect()),
        }
    }

    fn no_of(&self, members: &[&'a Entry]) -> Result<Relation, Refusal> {
        one_event(members)?;
        let names: Vec<_> = members.iter().map(|member| short(member.names.id())).collect();
        let none = format!("none of {} comes true", listed(&names));
        let least = DOLLAR * u32::try_from(members.len() - 1).expect("sets are small");
        self.relation(members, Outcome::No, Some(none), least)
    }

    /// A state in which none of the members comes true, as a clause behind "if"; `None` where there is none.
    fn gap(&self, event: &EventFacts) -> Result<Option<String>, Refusal> {
        if event.is_augmented {
            let event = short(&event.name);
            return Ok(Some(format!(
                "an outcome of event {event} that is not named yet comes true"
            )));
        }
        let Some(markets) = &event.markets else {
            return Err(Refusal::Unlisted { event: short(&event.name) });
        };
        let is_left_out =
            |market: &&String| !self.members.iter().any(|(name, _)| *name == market.as_str());
        if let Some(market) = markets.iter().find(is_left_out) {
            let market = short(market);
            return Ok(Some(format!("{market}, which is of the same event, comes true")));
        }
        let names: Vec<_> = self.members.iter().map(|(name, _)| short(name)).collect();
        Ok((!self.is_exhaustive).then(|| format!("none of {} comes true", listed(&names))))
    }

    /// One outcome of each of these members: a state for each that comes true, one for none of them, and one for a void event.
    ///
    /// # Errors
    /// What was paid is given back where the event is void.
    fn relation(
        &self,
        members: &[&Entry],
        outcome: Outcome,
        none: Option<String>,
        least: u32,
    ) -> Result<Relation, Refusal> {
        let void_pays = self.void_pays.map(|pays| pays.sure(VOID)).transpose()?;
        let winner = |nth: usize| {
            let yes_pays = (0..members.len()).map(|member| truth(member == nth));
            State {
                when: format!("{} comes true", short(members[nth].names.id())),
                pays: yes_pays.map(|yes_pays| outcome.price_from_yes(yes_pays)).collect(),
            }
        };
        let all_alike = |when: String, yes_pays: Price| State {
            when,
            pays: vec![outcome.price_from_yes(yes_pays); members.len()],
        };
        let mut states: Vec<_> = (0..members.len()).map(winner).collect();
        states.extend(none.map(|when| all_alike(when, Price::ZERO)));
        states.extend(void_pays.map(|yes_pays| all_alike(VOID.to_owned(), yes_pays)));
        let kind = match outcome {
            Outcome::Yes => BasketKind::ExclusiveYes,
            Outcome::No => BasketKind::ExclusiveNo,
        };
        let legs = members.iter().map(|member| NamedLeg::of(member, outcome, 1)).collect();
        Ok(Relation { kind, legs, states, least })
    }
}

/// A member that may be bought: it is followed, undecided, and stands for something that has a name.
fn usable<'a>((name, member): &(&'a str, Option<&'a Entry>)) -> Result<&'a Entry, Refusal> {
    let market = || short(name);
    let member = undecided(member.ok_or_else(|| Refusal::Missing { market: market() })?)?;
    match member.facts.stands_for {
        StandsFor::Named => Ok(member),
        StandsFor::Placeholder => Err(Refusal::Placeholder { market: market() }),
        StandsFor::Other => Err(Refusal::Other { market: market() }),
    }
}

/// The one event of these members, of which the venue says that at most one of its markets comes true.
fn one_event<'a>(members: &[&'a Entry]) -> Result<&'a EventFacts, Refusal> {
    let name = |entry: &Entry| short(entry.names.id());
    let [first, others @ ..] = members else { return Err(Refusal::Legs { legs: 0 }) };
    let [second, ..] = others else { return Err(Refusal::Legs { legs: 1 }) };
    let event_of = |member: &'a Entry| {
        member.facts.event.as_deref().ok_or_else(|| Refusal::NoEvent { market: name(member) })
    };
    let event = event_of(first)?;
    for member in others {
        let other = event_of(member)?;
        if other.name != event.name || member.def.venue != first.def.venue {
            let (event, other) = (short(&event.name), short(&other.name));
            return Err(Refusal::OtherEvent { market: name(member), event, other });
        }
    }
    // Each says it for itself: they may have been read at different times.
    let speaks = |member: &&&Entry| member.facts.event.as_ref().is_some_and(|of| of.is_exclusive);
    if members.iter().filter(speaks).count() < members.len() {
        let (event, both) = (short(&event.name), [name(first), name(second)]);
        return Err(Refusal::NotExclusive { event, both });
    }
    let augmented = members.iter().filter_map(|member| member.facts.event.as_deref());
    Ok(augmented.clone().find(|event| event.is_augmented).unwrap_or(event))
}
