//! What is told of opportunities, which of several is taken, and why one is not.

use super::*;
use crate::report::Reject;

const THIRD: MarketId = MarketId::new(2);

impl Desk {
    /// The verdicts that were told, each with its basket, since they were last asked for.
    pub(super) fn verdicts(&mut self) -> Vec<(u16, Verdict)> {
        let told = self.notes.drain(..).filter_map(|note| match note {
            Note::Opportunity { basket, verdict, .. } => Some((basket.get(), verdict)),
            _ => None,
        });
        told.collect()
    }

    /// Buys the first leg of the gap, and sells it again for want of the second.
    fn unwind_gap(&mut self) {
        let sale = self.first_leg_to_sell();
        self.fill(&sale, 30);
        assert_eq!(self.core.stats().baskets_unwound, 1);
    }
}

/// The gap brings $2.187 for $27.813, which thirty days at 95.67 % a year would.
#[test]
fn money_that_would_earn_too_little_a_day_is_not_worth_it() {
    let after = |percent: u64, close: Nanos| {
        let mut desk = Desk::new();
        desk.event(Event::Market(MarketDef { close, ..terms(KA) }));
        desk.event(Event::Market(MarketDef { close, ..terms(PM) }));
        desk.control(Control::Limit { row: LimitRow::HurdleRate, value: percent });
        desk.gap();
        assert_eq!(desk.placed().is_empty(), desk.group_states().is_empty());
        desk.verdicts()
    };
    assert_eq!(after(95, Nanos::NEVER), [(0, Verdict::Taken)]);
    assert_eq!(after(96, Nanos::NEVER), [(0, Verdict::NotWorthIt)]);
    let now = Desk::unfunded().now;
    let in_hours = |hours: u64| now.after(Nanos::from_secs(hours * 3_600));
    assert_eq!(
        after(1_000, in_hours(44)),
        [(0, Verdict::Taken)],
        "68 begun hours, a day of them to be paid"
    );
    assert_eq!(after(1_000, in_hours(45)), [(0, Verdict::NotWorthIt)]);
    assert_eq!(after(96, now), [(0, Verdict::NotWorthIt)], "a close that is over says nothing");
    assert_eq!(after(96, Nanos::ZERO), [(0, Verdict::NotWorthIt)]);
}

#[test]
fn the_leg_that_is_paid_last_says_how_long_money_is_locked() {
    for late in [KA, PM] {
        let mut desk = Desk::new();
        let soon = desk.now.after(Nanos::from_secs(3_600));
        let far = desk.now.after(Nanos::from_secs(400 * 86_400));
        for market in [KA, PM] {
            let close = if market == late { far } else { soon };
            desk.event(Event::Market(MarketDef { close, ..terms(market) }));
        }
        desk.gap();
        assert_eq!(desk.verdicts(), [(0, Verdict::NotWorthIt)], "7.9 % in 401 days");
    }
}

/// A close two weeks after the game says little of when it pays.
#[test]
fn when_a_venue_expects_to_have_paid_counts_before_the_close_and_one_that_is_over_does_not() {
    let after = |closes: u64, expected: &[u64]| {
        let mut desk = Desk::new();
        let in_hours = |hours: u64| Desk::unfunded().now.after(Nanos::from_secs(hours * 3_600));
        for market in [KA, PM] {
            desk.event(Event::Market(MarketDef { close: in_hours(closes), ..terms(market) }));
            for hours in expected {
                desk.event(Event::Expected { market, paid_by: in_hours(*hours) });
            }
        }
        desk.control(Control::Limit { row: LimitRow::HurdleRate, value: 1_000 });
        desk.gap();
        desk.verdicts()
    };
    let (taken, not_worth_it) = ([(0, Verdict::Taken)], [(0, Verdict::NotWorthIt)]);
    assert_eq!((after(400, &[]), after(400, &[44])), (not_worth_it.to_vec(), taken.to_vec()));
    assert_eq!((after(44, &[45]), after(44, &[45, 44])), (not_worth_it.to_vec(), taken.to_vec()));
    assert_eq!(
        (after(44, &[0]), after(45, &[0])),
        (taken.to_vec(), not_worth_it.to_vec()),
        "it is over"
    );
}

/// YES on Polymarket belongs to two baskets, and one book makes both worth buying.
fn two_at_once(no_at: [u16; 2], far: Option<MarketId>) -> Vec<(u16, Verdict)> {
    let mut desk = Desk::new();
    desk.event(Event::Market(MarketDef { market: THIRD, ..terms(KA) }));
    if let Some(market) = far {
        let close = desk.now.after(Nanos::from_secs(50 * 86_400));
        let like = if market == THIRD { KA } else { market };
        desk.event(Event::Market(MarketDef { market, close, ..terms(like) }));
    }
    let legs = [(PM, Outcome::Yes), (THIRD, Outcome::No)];
    for def in
        BasketDef::of_single_contracts(BasketId::new(5), BasketKind::CrossVenue, 10_000, &legs)
    {
        desk.event(Event::Basket(def));
    }
    for (market, cents) in [KA, THIRD].into_iter().zip(no_at) {
        desk.book(market, &[(100 - cents, 30)], &[(100 - cents + 2, 300)]);
    }
    desk.verdicts();
    desk.book(PM, &[(38, 300)], &[(40, 30)]);
    desk.verdicts()
}

#[test]
fn of_several_baskets_the_one_that_earns_fastest_is_bought() {
    // The other one waits for the level.
    let (first, second) = (
        [(0, Verdict::Taken), (5, Verdict::LevelTaken)],
        [(5, Verdict::Taken), (0, Verdict::LevelTaken)],
    );
    assert_eq!(two_at_once([50, 47], None), second);
    assert_eq!(two_at_once([47, 50], None), first);
    assert_eq!(two_at_once([50, 50], None), first, "of two alike the lower id");
    // Thirty days are counted for the others.
    assert_eq!(two_at_once([50, 49], Some(THIRD)), first, "more, but in 51 days");
    assert_eq!(two_at_once([50, 47], Some(PM)), second, "both wait for that one");
}

#[test]
fn a_profit_too_thin_is_told_and_none_is_not() {
    let told = |yes: u16, no: u16| {
        let mut desk = Desk::new();
        desk.book(PM, &[(30, 300)], &[(yes, 30)]);
        desk.book(KA, &[(100 - no, 30)], &[(99, 300)]);
        let thin = desk.notes.iter().find_map(|note| match note {
            Note::Opportunity { edge, units, .. } => Some((*edge, *units)),
            _ => None,
        });
        assert_eq!(desk.core.stats().opportunities, 0, "too thin to count");
        (desk.verdicts(), thin)
    };
    // 3 cents, less 0.9984 and 1.7493
    assert_eq!(told(48, 49), (vec![(0, Verdict::NoEdge)], Some((25, Qty::ZERO))));
    assert_eq!(told(49, 49), (vec![], None), "fees eat two cents");
}

#[test]
fn a_basket_that_rests_is_told_once_while_it_goes_on_to_promise() {
    let mut desk = Desk::new();
    desk.unwind_gap();
    assert_eq!(desk.verdicts(), [(0, Verdict::Taken)]);
    let orders = desk.placed().len();
    desk.wait(Nanos::from_secs(2));
    let seen = desk.core.stats().opportunities;
    for _ in 0..5 {
        desk.gap();
        desk.wait(Nanos::from_millis(600));
    }
    assert_eq!(desk.verdicts(), [(0, Verdict::Cooldown)], "three seconds of one opportunity");
    assert_eq!(desk.core.stats().opportunities, seen + 1);
    desk.wait(Nanos::from_secs(2));
    desk.gap();
    assert_eq!(desk.verdicts(), [(0, Verdict::Cooldown)], "the next one");
    assert_eq!(desk.placed().len(), orders);
    desk.wait(Nanos::from_secs(900));
    assert_eq!(desk.verdicts(), [(0, Verdict::Taken)]);
}

#[test]
fn no_verdict_is_told_twice_in_an_episode_however_they_take_turns() {
    let mut desk = Desk::new();
    for _ in 0..5 {
        desk.book(PM, &[(30, 300)], &[(48, 30)]);
        desk.book(KA, &[(51, 30)], &[(99, 300)]); // too thin
        desk.book(PM, &[(30, 300)], &[(40, 1)]); // too little
    }
    let told = desk.verdicts();
    assert_eq!(told, [(0, Verdict::NoEdge), (0, Verdict::TooSmall)]);
}

#[test]
fn data_too_good_to_be_true_raises_one_alarm_an_episode() {
    let mut desk = Desk::new();
    let absurd = |desk: &mut Desk| {
        for _ in 0..5 {
            desk.book(PM, &[(38, 300)], &[(40, 30)]);
            desk.book(KA, &[(85, 30)], &[(90, 300)]);
        }
        let alarms = desk.notes.iter().filter_map(|note| match note {
            Note::Alarm { what: Alarm::AbsurdEdge, place } => place.market,
            _ => None,
        });
        let alarms = alarms.collect::<Vec<_>>();
        assert_eq!(desk.verdicts(), [(0, Verdict::Absurd)]);
        (alarms, desk.core.stats().opportunities_absurd)
    };
    assert_eq!(absurd(&mut desk), (vec![PM], 1));
    desk.now = desk.now.after(Nanos::from_secs(1));
    assert_eq!(absurd(&mut desk), (vec![PM], 2), "the next episode");
    assert!(desk.placed().is_empty());
}

/// The limit is what a leg may cost. Most cost less, and a share of that is what an unwind of it loses.
#[test]
fn an_unwind_loses_a_share_of_what_its_leg_has_cost() {
    let mut desk = Desk::new();
    desk.gap();
    let first = desk.last_placed();
    let paid = Price::from_ticks(first.price.ticks() - 500).unwrap();
    let fill = Fill { price: first.outcome.price_from_yes(paid), ..desk.fill_of(&first, 30) };
    desk.report(Report::Fill(fill));
    let second = desk.last_placed();
    desk.report(Report::Rejected { order: OrderRef::Id(second.id), why: Reject::Funds });
    let sale = desk.last_placed();
    desk.fill(&sale, 30);
    let fee = desk.notes.iter().find_map(|note| match note {
        Note::Booked { fee, .. } => Some(*fee),
        _ => None,
    });
    let cost = paid.cost_ceil(qty(30)) + fee.expect("it was booked");
    let mut lost = crate::risk::LegRisk::default();
    lost.on_first(true);
    lost.on_unwound(cost, -desk.core.ledger().realised());
    assert_eq!(*desk.core.groups().leg_risks().of(first.venue, second.venue), lost);
}

/// A profit must be above cost × how often a leg fails × what an unwind loses: equal to it is not enough.
#[test]
fn a_profit_must_be_above_what_legs_on_their_own_are_expected_to_lose() {
    let after = |rows: [(LimitRow, u64); 2]| {
        let mut desk = Desk::new();
        for (row, value) in rows {
            desk.core.limits.set(row, value, false);
        }
        desk.book(PM, &[(30, 300)], &[(46, 100)]);
        desk.book(KA, &[(50, 100)], &[(52, 300)]);
        let told = desk.notes.iter().find_map(|note| match note {
            Note::Opportunity { units, profit, .. } => Some((*units, *profit)),
            _ => None,
        });
        (told.expect("it promises something"), desk.verdicts())
    };
    let rows = [LimitRow::LegFailPpm, LimitRow::UnwindLossPpm];
    let ((units, profit), _) = after(rows.map(|row| (row, 0)));
    let cost = price(46).cost_ceil(units) + price(50).cost_ceil(units);
    for (row, other, assumed) in [(rows[0], rows[1], 35_000), (rows[1], rows[0], 500_000)] {
        let most = u128::from(profit.micros().unsigned_abs()) * 1_000_000_000_000;
        let least = most.div_ceil(u128::from(cost.micros().unsigned_abs() * assumed));
        let least = u64::try_from(least).unwrap();
        let verdict = |value| after([(row, value), (other, assumed)]).1;
        assert_eq!(verdict(least - 1), [(0, Verdict::Taken)], "{row:?} {}", least - 1);
        assert_eq!(verdict(least), [(0, Verdict::LegRisk)], "{row:?} {least}");
    }
}

#[test]
fn what_a_pair_of_venues_has_shown_counts_for_its_own_baskets() {
    let verdict = |teach: fn(&mut crate::risk::LegRisks)| {
        let mut desk = Desk::new();
        teach(desk.core.groups.leg_risks_mut());
        desk.book(PM, &[(30, 300)], &[(46, 100)]);
        desk.book(KA, &[(50, 100)], &[(52, 300)]);
        // $96 bring $1.26; the assumed figures take $0.50 of it
        desk.verdicts()
    };
    assert_eq!(verdict(|_| {}), [(0, Verdict::Taken)]);
    const STAKE: Usd = Usd::from_dollars(10);
    let bad =
        verdict(|risks| risks.of_mut(Venue::Kalshi, Venue::Polymarket).on_unwound(STAKE, STAKE));
    assert_eq!(bad, [(0, Verdict::LegRisk)], "a fifth of the baskets lose a twelfth");
    let elsewhere =
        verdict(|risks| risks.of_mut(Venue::Polymarket, Venue::Kalshi).on_unwound(STAKE, STAKE));
    assert_eq!(elsewhere, [(0, Verdict::Taken)], "another pair's");
}
