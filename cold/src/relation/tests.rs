use std::sync::Arc;

use surefoot_hot::bounds::LEGS_MAX;
use surefoot_hot::ids::Venue;
use surefoot_hot::market::{MarketDef, MarketStatus};

use super::*;
use crate::directory::{Directory, KalshiNames, Names};
use crate::facts::{EventFacts, Facts, StandsFor};

const HALF: Price = price(5_000);

const fn price(ticks: u16) -> Price {
    match Price::from_ticks(ticks) {
        Some(price) => price,
        None => panic!("beyond a dollar"),
    }
}

fn market(number: u16, name: &str) -> Entry {
    Entry {
        def: MarketDef::bare(MarketId::new(number), Venue::Kalshi),
        fee_changes: Vec::new(),
        paid_by: None,
        title: String::new(),
        names: Names::Kalshi(KalshiNames { ticker: name.to_owned(), ..KalshiNames::default() }),
        facts: Facts { rules: Fingerprint::of(name), ..Facts::default() },
    }
}

fn event(names: &[&str]) -> EventFacts {
    EventFacts {
        name: "RACE".to_owned(),
        is_exclusive: true,
        is_augmented: false,
        markets: Some(names.iter().map(|&name| name.to_owned()).collect()),
    }
}

/// Markets of one event.
fn race(names: &[&str], event: &EventFacts) -> Vec<Entry> {
    let event = Arc::new(event.clone());
    let member = |(nth, name): (usize, &&str)| {
        let mut member = market(u16::try_from(nth).unwrap(), name);
        member.facts.event = Some(event.clone());
        member
    };
    names.iter().enumerate().map(member).collect()
}

/// All of them as an exhaustive set.
fn set(members: &[Entry]) -> ExclusiveSet<'_> {
    let members = members.iter().map(|member| (member.names.id(), Some(member))).collect();
    ExclusiveSet { is_exhaustive: true, void_pays: None, members }
}

fn compiled(relation: Result<Relation, Refusal>) -> Result<(u32, usize), Refusal> {
    let proven = relation?.compile()?;
    Ok((proven.payout(), proven.legs().len()))
}

fn said(relation: Result<Relation, Refusal>) -> String {
    compiled(relation).unwrap_err().to_string()
}

const ABC: [&str; 3] = ["A", "B", "C"];

fn certificate() -> Certificate {
    Certificate {
        signed_by: "ada".to_owned(),
        void_pays: [Payoff::Pays(HALF); 2],
        rules: [None; 2],
    }
}

/// The floors of what two markets with this certificate make.
fn pair(
    markets: [&Entry; 2],
    same: bool,
    certificate: Option<&Certificate>,
    directory: &Directory,
) -> Result<Vec<u32>, Refusal> {
    let signed = same_question(markets, same, certificate, directory)?;
    signed.relations.iter().map(|relation| Ok(relation.compile()?.payout())).collect()
}

#[test]
fn a_whole_exclusive_set_pays_one_for_yes_and_one_less_than_all_for_no() {
    let names: Vec<String> = (0..LEGS_MAX).map(|nth| format!("M{nth}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    for count in [2, 3, 10, LEGS_MAX] {
        let members = race(&names[..count], &event(&names[..count]));
        let no = 10_000 * (count as u32 - 1);
        assert_eq!(compiled(set(&members).all_yes()), Ok((10_000, count)));
        assert_eq!(compiled(set(&members).all_no()), Ok((no, count)));
        let but_one = set(&members).no_of_all_but_one().unwrap();
        assert_eq!(but_one.len(), if count == 2 { 0 } else { count });
        for relation in but_one {
            assert_eq!(compiled(Ok(relation)), Ok((no - 10_000, count - 1)));
        }
    }
    let one_more: Vec<_> = (0..=LEGS_MAX as u16).map(|nth| market(nth, "M")).collect();
    let names: Vec<&str> = one_more.iter().map(|entry| entry.names.id()).collect();
    let members = race(&names, &event(&names));
    assert_eq!(said(set(&members).all_no()), "it has 65 legs, and must have 2 to 64");
}

/// Every basket that could be made of a set of four, against every end of the event: none pays more than the two kinds that are
/// made, and those that are made of fewer members pay what is said.
#[test]
fn no_of_some_members_pays_what_a_conversion_gives() {
    let names = ["A", "B", "C", "D"];
    let members = race(&names, &event(&names));
    for chosen in 0_u32..16 {
        let some: Vec<Entry> =
            (0..4).filter(|nth| chosen >> nth & 1 == 1).map(|nth| members[nth].clone()).collect();
        let count = u32::try_from(some.len()).unwrap();
        let pays = compiled(set(&some).all_no());
        // At the worst one of the chosen comes true; converted, NO of k gives k - 1 dollars.
        let worst = (0..5).map(|winner| count - u32::from(winner < 4 && chosen >> winner & 1 == 1));
        match worst.min().filter(|_| count >= 2) {
            Some(floor) => assert_eq!(pays, Ok((10_000 * floor, some.len()))),
            None => assert!(pays.is_err(), "{pays:?}"),
        }
    }
}

#[test]
fn a_set_that_is_not_shown_to_be_exhaustive_is_refused_by_the_state_that_breaks_it() {
    let members = race(&ABC, &event(&ABC));
    let open = ExclusiveSet { is_exhaustive: false, ..set(&members) };
    assert_eq!(
        said(open.all_yes()),
        "if none of A, B and C comes true, YES of A, YES of B and YES of C together pay $0.00 and not $1.00"
    );
    assert_eq!(compiled(open.all_no()), Ok((20_000, 3)));
    // The venue lists one more than was declared.
    let members = race(&ABC, &event(&["A", "B", "C", "D"]));
    let why = said(set(&members).all_yes());
    assert!(why.starts_with("if D, which is of the same event, comes true,"), "{why}");
    assert_eq!(compiled(set(&members).all_no()), Ok((20_000, 3)), "D may come true: three pay");
    // Nobody could read which there are.
    let members = race(&ABC, &EventFacts { markets: None, ..event(&ABC) });
    let why = said(set(&members).all_yes());
    assert!(why.starts_with("which markets event RACE has could not be read"), "{why}");
    assert!(!set(&members).all_yes().unwrap_err().revokes(), "nothing speaks against it");
}

#[test]
fn an_augmented_event_is_never_complete() {
    let members = race(&ABC, &EventFacts { is_augmented: true, ..event(&ABC) });
    let why = said(set(&members).all_yes());
    assert!(
        why.starts_with("if an outcome of event RACE that is not named yet comes true,"),
        "{why}"
    );
    assert_eq!(compiled(set(&members).all_no()), Ok((20_000, 3)));
    // One member is enough to say so.
    let mut members = race(&ABC, &event(&ABC));
    members[2].facts.event = Some(Arc::new(EventFacts { is_augmented: true, ..event(&ABC) }));
    assert!(said(set(&members).all_yes()).contains("not named yet"));
}

#[test]
fn members_that_cannot_be_bought_leave_no_of_the_others() {
    let with = |change: &dyn Fn(&mut Entry)| {
        let mut members = race(&ABC, &event(&ABC));
        change(&mut members[1]);
        let all = (compiled(set(&members).all_yes()), compiled(set(&members).all_no()));
        (all.0.unwrap_err(), all.1)
    };
    for (stands_for, said) in [
        (StandsFor::Placeholder, "B is a placeholder: the venue may yet say what it stands for"),
        (
            StandsFor::Other,
            "B stands for \"other\": what that means changes with each outcome that is named",
        ),
    ] {
        let (yes, no) = with(&|member| member.facts.stands_for = stands_for);
        assert_eq!((yes.to_string().as_str(), no), (said, Ok((10_000, 2))));
        assert!(yes.revokes());
    }
    for status in [MarketStatus::Closed, MarketStatus::Proposed, MarketStatus::Resolved] {
        let (yes, no) = with(&|member| member.def.status = status);
        assert_eq!(
            yes.to_string(),
            "B is over: its venue has closed or decided it, or lists it no more"
        );
        assert_eq!((no, yes.revokes()), (Ok((10_000, 2)), false));
    }
    let members = race(&ABC, &event(&ABC));
    let mut missing = set(&members);
    missing.members[1].1 = None;
    assert_eq!(
        said(missing.all_yes()),
        "B is not followed, or its venue does not tell all its terms"
    );
    assert_eq!(compiled(missing.all_no()), Ok((10_000, 2)));
    missing.members[2].1 = None;
    assert!(said(missing.all_no()).starts_with("B is not followed"), "one is left");
    assert!(missing.no_of_all_but_one().is_err());
}

#[test]
fn only_a_venue_can_say_that_members_exclude_each_other() {
    let members = race(&ABC, &EventFacts { is_exclusive: false, ..event(&ABC) });
    let words = "the venue does not say that the markets of event RACE exclude each other: if A and B both come true, all NO pay \
                 a dollar less than they must";
    assert_eq!(said(set(&members).all_no()), words);
    assert_eq!(said(set(&members).all_yes()), words);
    assert!(set(&members).all_no().unwrap_err().revokes());
    // That one of them says so for itself is not enough, whichever it is.
    for silent in 0..3 {
        let mut members = race(&ABC, &event(&ABC));
        members[silent].facts.event =
            Some(Arc::new(EventFacts { is_exclusive: false, ..event(&ABC) }));
        assert_eq!(said(set(&members).all_no()), words);
    }
    let mut members = race(&ABC, &event(&ABC));
    members[2].facts.event = None;
    assert!(said(set(&members).all_no()).starts_with("the venue says of no event that C"));
    let other = EventFacts { name: "OTHER".to_owned(), ..event(&ABC) };
    members[2].facts.event = Some(Arc::new(other));
    assert!(
        said(set(&members).all_no()).starts_with("C belongs to event OTHER and not to RACE"),
        "{}",
        said(set(&members).all_no())
    );
    let mut members = race(&ABC, &event(&ABC));
    members[2].def.venue = Venue::Polymarket;
    assert!(
        said(set(&members).all_yes()).starts_with("C belongs to event RACE"),
        "another venue's"
    );
}

#[test]
fn a_void_event_is_a_state_like_any_other() {
    let members = race(&ABC, &event(&ABC));
    let void = |pays| ExclusiveSet { void_pays: Some(Payoff::Pays(pays)), ..set(&members) };
    assert_eq!(compiled(void(price(3_334)).all_yes()), Ok((10_000, 3)));
    let why = said(void(price(3_333)).all_yes());
    assert!(why.starts_with("if the whole event is void,"), "{why}");
    assert!(why.ends_with("together pay $0.9999 and not $1.00"), "{why}");
    assert_eq!(compiled(void(price(3_333)).all_no()), Ok((20_000, 3)));
    let why = said(void(HALF).all_no());
    assert!(why.starts_with("if the whole event is void,"), "{why}");
    assert!(why.ends_with("together pay $1.50 and not $2.00"), "{why}");
}

#[test]
fn the_same_question_pays_a_dollar_in_both_directions() {
    let [here, there] = [market(0, "HERE"), market(1, "THERE")];
    let directory = Directory::default();
    let signed = certificate();
    for same in [true, false] {
        let floors = pair([&here, &there], same, Some(&signed), &directory);
        assert_eq!(floors, Ok(vec![10_000, 10_000]));
        let relations = same_question([&here, &there], same, Some(&signed), &directory).unwrap();
        let outcomes: Vec<Vec<Outcome>> = relations
            .relations
            .iter()
            .map(|relation| relation.legs.iter().map(|leg| leg.leg.outcome).collect())
            .collect();
        let (yes, no) = (Outcome::Yes, Outcome::No);
        let expected = if same { [[yes, no], [no, yes]] } else { [[yes, yes], [no, no]] };
        assert_eq!(outcomes, expected);
    }
}

#[test]
fn the_same_question_needs_a_certificate() {
    let [here, there] = [market(0, "HERE"), market(1, "THERE")];
    let directory = Directory::default();
    let why = pair([&here, &there], true, None, &directory).unwrap_err();
    assert!(why.to_string().starts_with("no certificate says that they settle alike"), "{why}");
    let why = ladder([&here, &there], None, &directory).unwrap_err();
    assert_eq!(why, Refusal::NoCertificate);
    let mut silent = there.clone();
    silent.facts.rules = None;
    let why = pair([&here, &silent], true, Some(&certificate()), &directory).unwrap_err();
    assert!(why.to_string().starts_with("the venue shows no rule text of THERE"), "{why}");
    let mut over = there.clone();
    over.def.status = MarketStatus::Resolved;
    let why = pair([&here, &over], true, Some(&certificate()), &directory).unwrap_err();
    assert_eq!(why, Refusal::Decided { market: "THERE".to_owned() });
    let why = pair([&here, &here], true, Some(&certificate()), &directory).unwrap_err();
    assert_eq!(why, Refusal::SameMarket { market: "HERE".to_owned() });
}

#[test]
fn void_rules_that_differ_are_refused_with_what_either_pays() {
    let [here, there] = [market(0, "HERE"), market(1, "THERE")];
    let with = |void_pays: [Price; 2], same| {
        let void_pays = void_pays.map(Payoff::Pays);
        let certificate = Certificate { void_pays, ..certificate() };
        pair([&here, &there], same, Some(&certificate), &Directory::default())
    };
    assert_eq!(with([price(2_500); 2], true), Ok(vec![10_000; 2]));
    assert_eq!(with([price(2_500), price(7_500)], false), Ok(vec![10_000; 2]));
    let why = with([HALF, Price::ZERO], true).unwrap_err();
    assert_eq!(
        why.to_string(),
        "if the question is void, YES pays $0.50 at one market and $0.00 at the other: one of the two baskets pays less than $1.00"
    );
    assert!(why.revokes());
    assert!(with([price(2_500); 2], false).is_err(), "turned round they differ");
}

#[test]
fn a_rule_text_that_changes_takes_the_certificate_back() {
    let [here, there] = [market(0, "HERE"), market(1, "THERE")];
    let mut directory = Directory::default();
    let signed = same_question([&here, &there], true, Some(&certificate()), &directory).unwrap();
    let read = [&here, &there].map(|market| (market.def.market, market.facts.rules.unwrap()));
    assert_eq!(signed.relies_on, read, "what is there at first is what was signed");
    read.iter().for_each(|&(market, rules)| directory.rely_on(market, rules));

    let mut changed = there.clone();
    changed.facts.rules = Fingerprint::of("It settles otherwise.");
    let why = pair([&here, &changed], true, Some(&certificate()), &directory).unwrap_err();
    let (was, now) = (read[1].1, changed.facts.rules.unwrap());
    assert_eq!(why, Refusal::RulesChanged { market: "THERE".to_owned(), signed: was, now });
    assert!(why.revokes() && why.to_string().contains(&now.to_string()), "{why}");
    assert!(ladder([&changed, &here], Some(&certificate()), &directory).is_err());

    // Signed anew it holds, whatever was relied on before; and so it does not for the old text.
    let anew = Certificate { rules: [None, Some(now)], ..certificate() };
    assert_eq!(pair([&here, &changed], true, Some(&anew), &directory), Ok(vec![10_000; 2]));
    assert!(pair([&here, &there], true, Some(&anew), &directory).is_err());
}

#[test]
fn no_of_the_stronger_and_yes_of_the_weaker_pay_a_dollar() {
    let [four, three] = [market(0, "FOUR"), market(1, "THREE")];
    let directory = Directory::default();
    let of = |void_pays: [Price; 2]| {
        let void_pays = void_pays.map(Payoff::Pays);
        let certificate = Certificate { void_pays, ..certificate() };
        let signed = ladder([&four, &three], Some(&certificate), &directory).unwrap();
        let [relation] = &signed.relations[..] else { panic!("one basket") };
        let legs: Vec<_> = relation.legs.iter().map(|leg| leg.name.as_str()).collect();
        assert_eq!(
            (legs, relation.kind()),
            (vec!["NO of FOUR", "YES of THREE"], BasketKind::Ladder)
        );
        compiled(Ok(relation.clone()))
    };
    assert_eq!(of([HALF; 2]), Ok((10_000, 2)));
    assert_eq!(of([Price::ZERO, HALF]), Ok((10_000, 2)), "it pays more then");
    assert_eq!(
        of([HALF, Price::ZERO]).unwrap_err().to_string(),
        "if FOUR and THREE are void, NO of FOUR and YES of THREE together pay $0.50 and not $1.00"
    );
}

#[test]
fn yes_and_no_of_a_market_pay_a_dollar_until_it_is_over() {
    let mut lone = market(0, "LONE");
    assert_eq!(compiled(complement(&lone)), Ok((10_000, 2)));
    lone.def.status = MarketStatus::Closed;
    assert!(complement(&lone).is_err());
}

/// A matrix of these legs (market, outcome, ratio), with payoffs in hundredths of a dollar.
fn matrix(
    markets: &[Entry],
    legs: &[(usize, Outcome, u16)],
    states: &[(&str, &[u16])],
    least: u32,
) -> Result<u32, String> {
    let legs = legs.iter().map(|&(market, outcome, ratio)| MatrixLeg {
        name: markets.get(market).map_or("GONE", |market| market.names.id()),
        market: markets.get(market),
        outcome,
        ratio,
        rules: None,
    });
    let cents = |pays: &u16| Payoff::Pays(price(pays * 100));
    let states: Vec<_> = states
        .iter()
        .map(|(when, pays)| ((*when).to_owned(), pays.iter().map(cents).collect()))
        .collect();
    let matrix = Matrix { legs: legs.collect(), states: &states, least };
    let signed = matrix.relation(&Directory::default()).map_err(|why| why.to_string())?;
    assert_eq!(signed.relies_on.len(), matrix.legs.len());
    signed.relations[0].compile().map(|proven| proven.payout()).map_err(|why| why.to_string())
}

#[test]
fn a_declared_matrix_pays_the_least_of_its_sums() {
    let (yes, no) = (Outcome::Yes, Outcome::No);
    let markets = [market(0, "RAIN"), market(1, "SNOW"), market(2, "DRY")];
    let legs = [(0, yes, 2), (1, no, 3)];
    let states: [(&str, &[u16]); 3] =
        [("it rains", &[100, 100]), ("it snows", &[0, 0]), ("it is void", &[50, 50])];
    let why = matrix(&markets, &legs, &states, 0).unwrap_err();
    assert_eq!(why, "if it snows, YES of RAIN and NO of SNOW together pay nothing");
    assert_eq!(matrix(&markets, &legs, &[states[0], states[2]], 0), Ok(25_000));
    assert_eq!(matrix(&markets, &legs, &[states[0], states[2]], 25_000), Ok(25_000));
    let why = matrix(&markets, &legs, &[states[0], states[2]], 25_001).unwrap_err();
    assert!(why.starts_with("if it is void,") && why.ends_with("$2.50 and not $2.5001"), "{why}");
    // A rain ladder with unequal steps: two of DRY for one of either other.
    let legs = [(0, yes, 1), (1, yes, 1), (2, yes, 2)];
    let states: [(&str, &[u16]); 3] =
        [("it rains", &[100, 0, 0]), ("it snows", &[0, 100, 0]), ("it is dry", &[0, 0, 100])];
    assert_eq!(matrix(&markets, &legs, &states, 0), Ok(10_000));
}

#[test]
fn a_matrix_that_cannot_be_true_is_refused() {
    let (yes, no) = (Outcome::Yes, Outcome::No);
    let mut markets = vec![market(0, "RAIN"), market(1, "SNOW")];
    let legs = [(0, yes, 1), (1, no, 1)];
    let refused = |legs: &[(usize, Outcome, u16)], states: &[(&str, &[u16])]| {
        matrix(&markets, legs, states, 0).unwrap_err()
    };
    let both: [(&str, &[u16]); 2] = [("it rains", &[100, 0]), ("it snows", &[0, 100])];
    assert!(matrix(&markets, &legs, &both, 0).is_ok());
    assert_eq!(refused(&legs, &[]), "it names no state of the world");
    assert_eq!(refused(&legs[..1], &both), "it has 1 leg, and must have 2 to 64");
    assert_eq!(
        refused(&legs, &[both[0], ("it snows", &[0])]),
        "if it snows, it says 1 times what a leg pays, and has 2 legs"
    );
    assert_eq!(
        refused(&legs, &[("it rains", &[100, 0]), ("it snows", &[100, 100])]),
        "YES of RAIN pays the same in every state: the state in which it does not is missing"
    );
    assert_eq!(
        refused(&[(0, yes, 1), (0, no, 1)], &[both[0], both[1], ("it is void", &[50, 60])]),
        "if it is void, YES and NO of RAIN do not pay $1.00 together"
    );
    assert_eq!(
        refused(&[(0, yes, 1), (0, yes, 1)], &both),
        "YES of RAIN is in it twice: say so by its ratio"
    );
    assert_eq!(
        refused(&[(0, yes, 1), (1, yes, 0)], &both),
        "the ratio of YES of SNOW is 0, and must be from 1 to 1000"
    );
    assert!(refused(&[(0, yes, 1), (2, yes, 1)], &both).starts_with("GONE is not followed"));
    markets[1].def.status = MarketStatus::Closed;
    assert!(matrix(&markets, &legs, &both, 0).unwrap_err().starts_with("SNOW is over"));
}

/// A refund at cost is refused for every kind of basket, with the state in which it happens.
#[test]
fn what_gives_back_what_was_paid_proves_no_floor() {
    let members = race(&ABC, &event(&ABC));
    let set = ExclusiveSet { void_pays: Some(Payoff::Cost), ..set(&members) };
    let refunds = |when: &str| Refusal::RefundsCost { when: when.to_owned() };
    let void = refunds("the whole event is void");
    assert_eq!(compiled(set.all_yes()), Err(void.clone()));
    assert_eq!(compiled(set.all_no()), Err(void.clone()));
    assert_eq!(set.no_of_all_but_one().err(), Some(void.clone()));
    assert!(void.revokes(), "what was proven without it does not hold");
    assert_eq!(
        void.to_string(),
        "if the whole event is void, what was paid is given back, and the fees are not: no basket is sure of more than it cost"
    );
    let [one, other] = [market(0, "ONE"), market(1, "TWO")];
    for void_pays in [[Payoff::Cost, Payoff::Pays(HALF)], [Payoff::Pays(HALF), Payoff::Cost]] {
        let certificate = Certificate { void_pays, ..certificate() };
        let directory = Directory::default();
        let signed = same_question([&one, &other], true, Some(&certificate), &directory);
        assert_eq!(signed.err(), Some(refunds("the question is void")));
        let signed = ladder([&one, &other], Some(&certificate), &directory);
        assert_eq!(signed.err(), Some(refunds("ONE and TWO are void")));
    }
    let legs = [&one, &other].map(|market| MatrixLeg {
        name: market.names.id(),
        market: Some(market),
        outcome: Outcome::Yes,
        ratio: 1,
        rules: None,
    });
    let states = [("it is called off".to_owned(), vec![Payoff::Pays(HALF), Payoff::Cost])];
    let matrix = Matrix { legs: legs.to_vec(), states: &states, least: 0 };
    let signed = matrix.relation(&Directory::default());
    assert_eq!(signed.err(), Some(refunds("it is called off")));
}

#[test]
fn names_are_short_enough_for_a_sentence() {
    let long = format!("0x{}", "4c".repeat(32));
    assert_eq!(
        (short(&long).as_str(), short("KXSHORT")),
        ("0x4c4c4c4c…4c4c", "KXSHORT".to_owned())
    );
    let names: Vec<String> = ["A", "B", "C", "D", "E", "F"].map(str::to_owned).to_vec();
    assert_eq!(listed(&names[..2]), "A and B");
    assert_eq!(listed(&names[..4]), "A, B, C and D");
    assert_eq!(listed(&names), "A, B, C, D and 2 more");
}
