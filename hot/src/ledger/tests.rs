use super::*;

fn price(ticks: u16) -> Price {
    Price::from_ticks(ticks).unwrap()
}

fn booking(outcome: Outcome, action: Action, ticks: u16, contracts: u64, fee: i64) -> Booking {
    Booking {
        market: MarketId::new(3),
        purse: Purse::of(Venue::Kalshi, 0),
        outcome,
        action,
        price: price(ticks),
        qty: Qty::from_contracts(contracts),
        fee: Usd::from_micros(fee),
    }
}

#[test]
fn a_round_trip_costs_the_spread_and_the_fees() {
    let mut ledger = Ledger::new();
    let purse = Purse::of(Venue::Kalshi, 0);
    ledger.set_cash(purse, Usd::from_dollars(100));
    ledger.book(&booking(Outcome::Yes, Action::Buy, 5_000, 100, 1_750_000));
    assert_eq!(ledger.cash(purse), Usd::from_micros(48_250_000));
    assert_eq!(ledger.cost(), Usd::from_dollars(50));
    ledger.book(&booking(Outcome::Yes, Action::Sell, 4_900, 100, 0));
    assert_eq!(ledger.realised(), Usd::from_micros(-2_750_000));
    assert_eq!(ledger.position(MarketId::new(3)).realised, ledger.realised(), "the one market's");
    assert_eq!(ledger.cost(), Usd::ZERO);
    assert!(ledger.is_balanced());
}

#[test]
fn kalshi_pays_pairs_at_once() {
    let mut ledger = Ledger::new();
    let purse = Purse::of(Venue::Kalshi, 0);
    ledger.set_cash(purse, Usd::from_dollars(100));
    ledger.book(&booking(Outcome::Yes, Action::Buy, 4_000, 10, 0));
    ledger.book(&booking(Outcome::No, Action::Buy, 5_000, 4, 0));
    assert_eq!(ledger.position(MarketId::new(3)).held(Outcome::Yes), Qty::from_contracts(6));
    assert_eq!(ledger.position(MarketId::new(3)).held(Outcome::No), Qty::ZERO);
    assert_eq!(ledger.realised(), Usd::from_cents(40)); // 4 × (1 − 0.40 − 0.50)
    assert!(ledger.is_balanced());
}

#[test]
fn on_kalshi_a_sale_beyond_what_is_held_is_a_purchase_of_the_other_outcome() {
    let mut ledger = Ledger::new();
    let purse = Purse::of(Venue::Kalshi, 0);
    ledger.set_cash(purse, Usd::from_dollars(100));
    ledger.book(&booking(Outcome::No, Action::Buy, 7_000, 13, 0));
    // A leg that finds no partner: bought over what is there, and sold again at the same price.
    ledger.book(&booking(Outcome::Yes, Action::Buy, 2_400, 36, 0));
    assert_eq!(ledger.position(MarketId::new(3)).held(Outcome::Yes), Qty::from_contracts(23));
    ledger.book(&booking(Outcome::Yes, Action::Sell, 2_400, 36, 0));
    assert_eq!(ledger.position(MarketId::new(3)).held(Outcome::Yes), Qty::ZERO);
    assert_eq!(ledger.position(MarketId::new(3)).held(Outcome::No), Qty::from_contracts(13));
    assert_eq!(ledger.cash(purse), Usd::from_micros(100_000_000 - 9_100_000));
    assert!(ledger.is_balanced());
}

#[test]
fn settlement_pays_and_empties() {
    let mut ledger = Ledger::new();
    let purse = Purse::of(Venue::Polymarket, 0);
    ledger.set_cash(purse, Usd::from_dollars(100));
    for outcome in [Outcome::Yes, Outcome::No] {
        ledger.book(&Booking { purse, ..booking(outcome, Action::Buy, 4_500, 10, 0) });
    }
    assert_eq!(ledger.settle(MarketId::new(3), purse, Price::ONE), Usd::from_dollars(10));
    assert_eq!(ledger.realised(), Usd::from_dollars(1));
    assert!(ledger.position(MarketId::new(3)).is_flat());
    assert!(ledger.is_balanced());
}

#[test]
fn any_sequence_of_bookings_stays_balanced() {
    for seed in 1..=200_u64 {
        let mut state = seed;
        let mut draw = |n: u64| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % n
        };
        let mut ledger = Ledger::new();
        for purse in [Purse::of(Venue::Polymarket, 0), Purse::of(Venue::Kalshi, 2)] {
            ledger.set_cash(purse, Usd::from_dollars(1_000));
        }
        let mut undoable = Vec::new();
        for _ in 0..300 {
            let venue = Venue::ALL[draw(2) as usize];
            let market = MarketId::new(if venue == Venue::Kalshi { 1 } else { 2 });
            let outcome = if draw(2) == 0 { Outcome::Yes } else { Outcome::No };
            let held = ledger.position(market).held(outcome);
            let sell = draw(2) == 0 && (venue == Venue::Kalshi || !held.is_zero());
            let most = if sell && venue == Venue::Polymarket { held.micros() } else { 50_000_000 };
            let booking = Booking {
                market,
                purse: Purse::of(venue, 2),
                outcome,
                action: if sell { Action::Sell } else { Action::Buy },
                price: price(1 + draw(9_999) as u16),
                qty: Qty::from_micros(1 + draw(most)),
                fee: Usd::from_micros(draw(100_000) as i64),
            };
            ledger.book(&booking);
            assert!(ledger.is_balanced(), "seed {seed}: {booking:?}");
            if venue == Venue::Polymarket && !sell {
                undoable.push(booking);
            }
            if draw(10) == 0
                && let Some(last) = undoable.pop()
                && ledger.position(last.market).held(last.outcome) >= last.qty
            {
                ledger.unbook(&last);
                assert!(ledger.is_balanced(), "seed {seed}: undo {last:?}");
            }
            if draw(40) == 0 {
                ledger.settle(market, Purse::of(venue, 2), price(draw(10_001) as u16));
                undoable.clear();
                assert!(ledger.is_balanced(), "seed {seed}: settle");
            }
        }
    }
}
