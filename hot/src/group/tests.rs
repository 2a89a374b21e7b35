use super::*;

fn group(count: u8, target: u64) -> Group {
    of_ratios(&vec![1; usize::from(count)], target)
}

fn of_ratios(ratios: &[u16], target: u64) -> Group {
    let legs = ratios.iter().map(|&ratio| Leg { venue: Venue::Kalshi, ratio, ..Leg::NONE });
    let mut group = Group::new(GroupId::new(1), BasketId::new(0), legs.collect(), Nanos::ZERO);
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
    assert_eq!(group.next_step(Nanos::ZERO, any), Step::End(GroupEvent::Whole));
}

#[test]
fn a_first_leg_that_gets_nothing_ends_flat() {
    let mut group = group(2, 20);
    send(&mut group, 0);
    group.on_bought(0, Qty::ZERO);
    assert_eq!(group.next_step(Nanos::ZERO, any), Step::End(GroupEvent::Empty));
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
    assert_eq!(group.next_step(Nanos::ZERO, any), Step::End(GroupEvent::Whole));
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
    assert_eq!(group.next_step(Nanos::ZERO, any), Step::End(GroupEvent::Empty));
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
    assert_eq!(step(Sale::Dust), Step::End(GroupEvent::Empty));
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

#[test]
fn a_unit_needs_the_ratio_of_every_leg() {
    let mut group = of_ratios(&[2, 1, 3], 20);
    assert_eq!(group.next_step(Nanos::ZERO, any), buy(0, 4_000));
    send(&mut group, 0);
    // 31.03 of the 40 are enough for 15.51 units; a hundredth is of no use.
    group.on_bought(0, hundredths(3_103));
    assert_eq!(group.target, hundredths(1_551));
    assert_eq!(group.next_step(Nanos::ZERO, any), buy(1, 1_551));
    send(&mut group, 1);
    group.on_bought(1, hundredths(1_551));
    assert!(group.is_uneven());
    assert_eq!(group.next_step(Nanos::ZERO, any), buy(2, 4_653));
    send(&mut group, 2);
    group.on_bought(2, hundredths(3_000));
    // 30 of the third leg are 10 units: 11.03 of the first and 5.51 of the second have no partner.
    assert_eq!((group.target, group.matched()), (hundredths(1_000), hundredths(1_000)));
    assert_eq!(group.next_step(Nanos::ZERO, any), sell(0, hundredths(1_103)));
    group.legs[0].order = Some(OrderId::new(9));
    group.on_sold(0, hundredths(1_103), true, EndKind::Traded);
    assert_eq!(group.next_step(Nanos::ZERO, any), sell(1, hundredths(551)));
    group.legs[1].order = Some(OrderId::new(10));
    group.on_sold(1, hundredths(551), true, EndKind::Traded);
    assert!(!group.is_uneven());
    assert_eq!(group.next_step(Nanos::ZERO, any), Step::End(GroupEvent::Whole));
}

fn hundredths(qty: u64) -> Qty {
    Qty::from_micros(qty * 10_000)
}

fn buy(leg: usize, qty: u64) -> Step {
    Step::Buy { leg, qty: hundredths(qty) }
}

#[test]
fn all_legs_leave_at_once_where_the_group_is_parallel_and_nothing_is_sold_before_all_are_over() {
    let mut group = group(3, 20);
    group.sequencing = Sequencing::Parallel;
    for leg in 0..3 {
        assert_eq!(group.next_step(Nanos::ZERO, any), buy(leg, 2_000));
        send(&mut group, leg);
    }
    assert_eq!(group.next_step(Nanos::ZERO, any), Step::Wait);
    group.on_bought(1, Qty::from_contracts(8));
    assert_eq!(group.target, Qty::from_contracts(8));
    group.on_bought(0, Qty::from_contracts(20));
    assert_eq!(group.next_step(Nanos::ZERO, any), Step::Wait, "a third may still fill");
    group.on_bought(2, Qty::from_contracts(5));
    assert_eq!(group.next_step(Nanos::ZERO, any), sell(0, Qty::from_contracts(15)));
    send(&mut group, 0);
    assert_eq!(group.next_step(Nanos::ZERO, any), Step::Wait, "G3: one correction at a time");
    group.on_sold(0, Qty::from_contracts(15), true, EndKind::Traded);
    assert_eq!(group.next_step(Nanos::ZERO, any), sell(1, Qty::from_contracts(3)));
}

#[test]
fn the_first_leg_is_confirmed_before_all_others_leave_where_the_group_is_staggered() {
    let mut group = group(3, 20);
    group.sequencing = Sequencing::Staggered;
    send(&mut group, 0);
    assert_eq!(group.next_step(Nanos::ZERO, any), Step::Wait);
    group.on_bought(0, Qty::from_contracts(12));
    for leg in 1..3 {
        assert_eq!(group.next_step(Nanos::ZERO, any), buy(leg, 1_200), "sized to what it got");
        send(&mut group, leg);
    }
    assert_eq!(group.next_step(Nanos::ZERO, any), Step::Wait);
    // What is bought again waits for all that is in flight.
    group.on_bought(1, Qty::from_contracts(12));
    group.take_back(1, Qty::from_contracts(12), true);
    assert_eq!(group.next_step(Nanos::ZERO, any), Step::Wait);
    group.on_bought(2, Qty::from_contracts(12));
    assert_eq!(group.next_step(Nanos::ZERO, any), buy(1, 1_200));
}

/// Whatever is bought, sold and taken back in whatever order: a group that has ended holds the same number of units of every
/// leg, but for what is too little to sell, and never more than the plan wanted.
#[test]
fn groups_of_any_ratios_end_even() {
    let mut seed = 11_u64;
    let mut draw = |below: u64| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        (seed >> 11) % below
    };
    let (mut hedged, mut flat) = (0, 0);
    for round in 0..4_000 {
        let ratios: Vec<_> = (0..2 + draw(if round % 50 == 0 { 63 } else { 5 }))
            .map(|_| 1 + draw(4) as u16)
            .collect();
        let wanted = 1 + draw(40);
        let mut group = of_ratios(&ratios, wanted);
        group.sequencing = Sequencing::ALL[draw(3) as usize];
        let mut in_flight: Vec<(usize, Qty)> = Vec::new();
        for turn in 0.. {
            assert!(turn < 2_000, "it never ends: {group:?}");
            match group.next_step(Nanos::new(turn), any) {
                Step::Buy { leg, qty } => {
                    send(&mut group, leg);
                    group.legs[leg].had = group.legs[leg].bought;
                    in_flight.push((leg, qty));
                }
                Step::Wait => {
                    let (leg, qty) = in_flight.swap_remove(draw(in_flight.len() as u64) as usize);
                    let got = match draw(12) {
                        0 => Qty::ZERO,
                        1 | 2 => hundredths(qty.micros() / 10_000 * draw(101) / 100),
                        _ => qty,
                    };
                    group.on_bought(leg, got);
                }
                Step::Correct { leg, excess, .. } => {
                    assert!(in_flight.is_empty(), "G3: nothing else is in flight");
                    group.legs[leg].order = Some(OrderId::new(99));
                    let sold = if draw(3) == 0 { Qty::ZERO } else { excess };
                    group.on_sold(leg, sold, sold == excess, EndKind::Traded);
                }
                Step::End(event) => {
                    hedged += u32::from(event == GroupEvent::Whole);
                    flat += u32::from(event == GroupEvent::Empty);
                    break;
                }
                other => panic!("{other:?}"),
            }
            let leg = draw(group.legs.len() as u64) as usize;
            if draw(100) == 0 && group.legs[leg].order.is_none() {
                let qty = hundredths(draw(1 + group.legs[leg].net().micros() / 10_000));
                group.take_back(leg, qty, draw(2) == 0);
            }
        }
        assert!(group.matched() <= Qty::from_contracts(wanted), "no more than was planned");
        for leg in &group.legs {
            assert_eq!(leg.net(), group.matched().times(leg.ratio), "round {round}: {group:?}");
        }
    }
    assert!(hedged > 1_000 && flat > 300, "{hedged} {flat}: the generator is lame");
}

/// What a person has to finish has lost already what its sales show.
#[test]
fn a_group_that_is_handed_over_is_learnt_with_what_its_sales_lost() {
    let learnt = |sold: u64| {
        let mut groups = Groups::new();
        let mut handed = group(2, 20);
        handed.state = GroupState::Operator;
        let leg = &mut handed.legs[0];
        (leg.booked, leg.bought) = (Qty::from_contracts(20), Qty::from_contracts(20));
        (leg.paid, leg.sold) = (Usd::from_dollars(10), Qty::from_contracts(sold));
        (leg.taken, leg.brought) = (leg.sold, Usd::from_cents(sold as i64 * 30));
        let slot = groups.push(handed);
        groups.learn_from(slot);
        let all = groups.leg_risks().of_all();
        (all.fail_ppm(150_000), all.loss_ppm(35_000))
    };
    assert_eq!(learnt(0), (190_476, 35_000), "what it loses is not known");
    let (fails, loses) = learnt(10);
    assert_eq!(fails, 190_476);
    assert!(loses > 50_000, "two dollars of five: {loses}");
}
