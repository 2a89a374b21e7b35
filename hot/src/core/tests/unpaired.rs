//! Contracts that nobody bought here, or that a group left.

use super::*;

fn alarms(desk: &Desk) -> usize {
    let is_it = |note: &&Note| matches!(note, Note::Alarm { what: Alarm::Unpaired, .. });
    desk.notes.iter().filter(is_it).count()
}

fn both(desk: &mut Desk, yes_at_polymarket: u64, no_at_kalshi: u64) {
    for _ in 0..2 {
        let (yes, no) = (qty(yes_at_polymarket), qty(no_at_kalshi));
        desk.reading(Venue::Polymarket, &[Control::Position { market: PM, yes, no: Qty::ZERO }]);
        desk.reading(Venue::Kalshi, &[Control::Position { market: KA, yes: Qty::ZERO, no }]);
    }
}

fn shown(desk: &Desk) -> Vec<(MarketId, Outcome, Qty)> {
    let unpaired = desk.core.stats().unpaired;
    unpaired.shown().map(|found| (found.market, found.outcome, found.qty)).collect()
}

#[test]
fn a_complete_basket_that_is_found_counts_as_hedged() {
    let mut desk = Desk::new();
    desk.control(Control::Start { epoch: 2, first_order: 500 });
    both(&mut desk, 30, 30);
    assert_eq!((desk.held(PM, Outcome::Yes), desk.held(KA, Outcome::No)), (qty(30), qty(30)));
    assert_eq!((shown(&desk), alarms(&desk)), (vec![], 0));
}

#[test]
fn contracts_that_nothing_explains_are_told_once_and_shown_while_they_are_held() {
    let mut desk = Desk::new();
    desk.control(Control::Start { epoch: 2, first_order: 500 });
    both(&mut desk, 30, 12);
    for _ in 0..5 {
        both(&mut desk, 30, 12);
        assert_eq!(shown(&desk), [(PM, Outcome::Yes, qty(18))], "what has no partner");
        assert_eq!(alarms(&desk), 1);
    }
    both(&mut desk, 12, 12);
    assert_eq!((shown(&desk), alarms(&desk)), (vec![], 1));
    both(&mut desk, 12, 30);
    assert_eq!((shown(&desk), alarms(&desk)), (vec![(KA, Outcome::No, qty(18))], 2));
    assert!(desk.placed().is_empty(), "whose they are, a person must say");
}

#[test]
fn dust_is_not_told_and_a_group_at_work_explains_its_leg() {
    let mut desk = Desk::new();
    both(&mut desk, 1, 0); // forty cents or so
    assert_eq!(alarms(&desk), 0);
    let mut desk = Desk::new();
    desk.gap();
    let first = desk.last_placed();
    desk.fill(&first, 30);
    desk.reading(Venue::Kalshi, &[Control::Position { market: KA, yes: Qty::ZERO, no: qty(30) }]);
    desk.reading(
        Venue::Polymarket,
        &[Control::Position { market: PM, yes: Qty::ZERO, no: Qty::ZERO }],
    );
    assert_eq!((shown(&desk), alarms(&desk)), (vec![], 0));
}

/// A group ends with what its venue has counted as filled. The fill itself comes behind that word, and a comparison may come between.
#[test]
fn contracts_whose_partner_is_counted_and_not_told_yet_are_not_told() {
    let mut desk = Desk::new();
    desk.gap();
    let first = desk.last_placed();
    desk.fill(&first, 30);
    let second = desk.last_placed();
    assert_eq!((second.market, second.qty), (PM, qty(30)));
    desk.status(&second, VenueState::Filled, Some(30));
    assert!(desk.core.groups().is_empty(), "it is hedged");
    let read = |desk: &mut Desk| {
        let (yes, no) = (Qty::ZERO, qty(30));
        desk.reading(Venue::Kalshi, &[Control::Position { market: KA, yes, no }]);
        desk.reading(Venue::Polymarket, &[Control::Position { market: PM, yes, no: Qty::ZERO }]);
    };
    assert!(desk.held(PM, Outcome::Yes).is_zero(), "it was counted alone");
    read(&mut desk);
    assert_eq!((shown(&desk), alarms(&desk)), (vec![], 0));
    desk.fill(&second, 30);
    assert_eq!(desk.held(PM, Outcome::Yes), qty(30));
    assert_eq!(alarms(&desk), 0);
}

/// Pairs of one basket are held, and the other basket is bought: at Kalshi its first leg nets what the pairs have there, so that
/// their half at Polymarket has no partner until the second leg is bought.
#[test]
fn contracts_whose_partner_a_group_at_work_has_netted_are_not_told() {
    let mut desk = Desk::new();
    let held = |yes: u64, no: u64, market| Control::Position { market, yes: qty(yes), no: qty(no) };
    let read = |desk: &mut Desk, kalshi: u64| {
        for _ in 0..2 {
            desk.reading(Venue::Polymarket, &[held(0, 30, PM)]);
            desk.reading(Venue::Kalshi, &[held(kalshi, 0, KA)]);
        }
    };
    read(&mut desk, 30);
    assert_eq!((shown(&desk), alarms(&desk)), (vec![], 0), "complete pairs");
    desk.gap();
    let first = desk.last_placed();
    assert_eq!((first.market, first.outcome), (KA, Outcome::No));
    desk.fill(&first, 30);
    assert!(desk.held(KA, Outcome::Yes) < qty(30), "netted");
    read(&mut desk, 0);
    assert_eq!((shown(&desk), alarms(&desk)), (vec![], 0));
}

#[test]
fn an_account_full_of_what_nobody_knows_is_told_a_part_at_a_time() {
    let mut desk = Desk::new();
    let markets = || (10..210_u16).map(MarketId::new);
    for market in markets() {
        let cluster = ClusterId::new(market.get());
        desk.event(Event::Market(MarketDef { market, cluster, ..terms(KA) }));
    }
    desk.control(Control::Start { epoch: 2, first_order: 500 });
    let held: Vec<_> =
        markets().map(|market| Control::Position { market, yes: qty(30), no: Qty::ZERO }).collect();
    let mut told = Vec::new();
    for _ in 0..8 {
        desk.reading(Venue::Polymarket, &[]);
        desk.reading(Venue::Kalshi, &held);
        told.push(alarms(&desk));
    }
    assert_eq!(desk.core.stats().unpaired.count, 200, "all of them are counted at once");
    assert!(told.windows(2).all(|pair| pair[1] - pair[0] <= 2 * 64), "{told:?}");
    assert_eq!(told.last(), Some(&200));
}
