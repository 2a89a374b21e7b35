use super::*;

fn group(count: u8, target: u64) -> Group {
    let legs = [Leg { venue: Venue::Kalshi, ..Leg::NONE }; LEGS_MAX];
    let mut group = Group::new(GroupId::new(1), BasketId::new(0), legs, count, Nanos::ZERO);
    group.target = Qty::from_contracts(target);
    group
}

fn any(_: &Leg, _: Qty) -> Sale {
    Sale::Possible
}

fn sell(leg: usize, excess: Qty) -> Step {
    Step::Correct { leg, with: Purpose::Unwind, excess }
}

fn send(group: &mut Group, leg: usize) {
    group.legs[leg].tried = true;
    group.legs[leg].order = Some(OrderId::new(leg as u64 + 1));
}

#[test]
fn legs_follow_each_other_and_end_hedged() {
    let mut group = group(2, 20);
    let twenty = Qty::from_contracts(20);
    assert_eq!(group.next_step(Nanos::ZERO, any), Step::Buy { leg: 0, qty: twenty });
    send(&mut group, 0);
    assert_eq!(group.next_step(Nanos::ZERO, any), Step::Wait);
    group.on_bought(0, twenty);
    assert!(group.is_uneven());
    assert_eq!(group.next_step(Nanos::ZERO, any), Step::Buy { leg: 1, qty: twenty });
    send(&mut group, 1);
    group.on_bought(1, twenty);
    assert_eq!(group.next_step(Nanos::ZERO, any), Step::End(GroupState::Hedged));
}

#[test]
fn a_first_leg_that_gets_nothing_ends_flat() {
    let mut group = group(2, 20);
    send(&mut group, 0);
    group.on_bought(0, Qty::ZERO);
    assert_eq!(group.next_step(Nanos::ZERO, any), Step::End(GroupState::Flat));
}

#[test]
fn a_part_of_the_second_leg_sells_the_rest_of_the_first() {
    let mut group = group(2, 20);
    send(&mut group, 0);
    group.on_bought(0, Qty::from_contracts(20));
    send(&mut group, 1);
    group.on_bought(1, Qty::from_contracts(8));
    assert_eq!(group.next_step(Nanos::ZERO, any), sell(0, Qty::from_contracts(12)));
    group.legs[0].order = Some(OrderId::new(9));
    group.on_sold(0, Qty::from_contracts(5), true, EndKind::Traded);
    assert_eq!(group.next_step(Nanos::ZERO, any), sell(0, Qty::from_contracts(7)));
    group.on_sold(0, Qty::from_contracts(7), true, EndKind::Traded);
    assert_eq!(group.next_step(Nanos::ZERO, any), Step::End(GroupState::Hedged));
    assert_eq!(group.matched(), Qty::from_contracts(8));
}

#[test]
fn giving_up_before_the_last_leg_sells_everything() {
    let mut group = group(3, 20);
    for leg in 0..2 {
        send(&mut group, leg);
        group.on_bought(leg, Qty::from_contracts(20));
    }
    group.give_up();
    assert_eq!(group.next_step(Nanos::ZERO, any), sell(0, Qty::from_contracts(20)));
    group.on_sold(0, Qty::from_contracts(20), true, EndKind::Traded);
    assert_eq!(group.next_step(Nanos::ZERO, any), sell(1, Qty::from_contracts(20)));
    group.on_sold(1, Qty::from_contracts(20), true, EndKind::Traded);
    assert_eq!(group.next_step(Nanos::ZERO, any), Step::End(GroupState::Flat));
}

#[test]
fn what_cannot_be_sold_waits_is_topped_up_or_left() {
    let mut group = group(2, 20);
    send(&mut group, 0);
    let three = Qty::from_contracts(3);
    group.on_bought(0, three);
    send(&mut group, 1);
    group.on_bought(1, Qty::ZERO);
    let step = |sale: Sale| group.next_step(Nanos::ZERO, |_, _| sale);
    assert_eq!(step(Sale::Waits), Step::Later);
    let with = Purpose::TopUp;
    assert_eq!(step(Sale::TooSmall), Step::Correct { leg: 0, with, excess: three });
    assert_eq!(step(Sale::Dust), Step::End(GroupState::Flat));
}

#[test]
fn the_clock_runs_only_on_one_leg() {
    let mut group = group(2, 20);
    group.keep_time(Nanos::new(10));
    group.legs[0].bought = Qty::from_contracts(20);
    group.keep_time(Nanos::new(100));
    group.keep_time(Nanos::new(150));
    group.legs[1].bought = Qty::from_contracts(20);
    group.keep_time(Nanos::new(300));
    assert_eq!((group.one_leg, group.one_leg_since), (Nanos::new(200), None));
}

#[test]
fn a_leg_that_was_just_sold_does_not_keep_another_waiting() {
    let mut group = group(3, 20);
    for leg in 0..2 {
        send(&mut group, leg);
        group.on_bought(leg, Qty::from_contracts(20));
    }
    group.give_up();
    group.legs[0].next_sale = Nanos::new(500);
    let twenty = Qty::from_contracts(20);
    assert_eq!(group.next_step(Nanos::new(1), any), sell(1, twenty));
    group.on_sold(1, twenty, true, EndKind::Traded);
    assert_eq!(group.next_step(Nanos::new(499), any), Step::Later);
    assert_eq!(group.next_step(Nanos::new(500), any), sell(0, twenty));
}
