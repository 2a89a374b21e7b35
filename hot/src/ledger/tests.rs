use super::*;
use crate::pack::Unpacker;
use crate::venue_rules::Settlement;

fn price(ticks: u16) -> Price {
    Price::from_ticks(ticks).unwrap()
}

fn booking(outcome: Outcome, action: Action, ticks: u16, contracts: u64, fee: i64) -> Booking {
    Booking {
        market: MarketId::new(3),
        account: CashAccount::of(Venue::Kalshi, 0),
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
    let account = CashAccount::of(Venue::Kalshi, 0);
    ledger.set_cash(account, Usd::from_dollars(100));
    ledger.book(&booking(Outcome::Yes, Action::Buy, 5_000, 100, 1_750_000));
    assert_eq!(ledger.cash(account), Usd::from_micros(48_250_000));
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
    let account = CashAccount::of(Venue::Kalshi, 0);
    ledger.set_cash(account, Usd::from_dollars(100));
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
    let account = CashAccount::of(Venue::Kalshi, 0);
    ledger.set_cash(account, Usd::from_dollars(100));
    ledger.book(&booking(Outcome::No, Action::Buy, 7_000, 13, 0));
    // A leg that finds no partner: bought over what is there, and sold again at the same price.
    ledger.book(&booking(Outcome::Yes, Action::Buy, 2_400, 36, 0));
    assert_eq!(ledger.position(MarketId::new(3)).held(Outcome::Yes), Qty::from_contracts(23));
    ledger.book(&booking(Outcome::Yes, Action::Sell, 2_400, 36, 0));
    assert_eq!(ledger.position(MarketId::new(3)).held(Outcome::Yes), Qty::ZERO);
    assert_eq!(ledger.position(MarketId::new(3)).held(Outcome::No), Qty::from_contracts(13));
    assert_eq!(ledger.cash(account), Usd::from_micros(100_000_000 - 9_100_000));
    assert!(ledger.is_balanced());
}

#[test]
fn settlement_pays_and_empties() {
    let mut ledger = Ledger::new();
    let account = CashAccount::of(Venue::Polymarket, 0);
    ledger.set_cash(account, Usd::from_dollars(100));
    for outcome in [Outcome::Yes, Outcome::No] {
        ledger.book(&Booking { account, ..booking(outcome, Action::Buy, 4_500, 10, 0) });
    }
    ledger.settle(MarketId::new(3), account, Price::ONE);
    assert_eq!(
        (ledger.cash(account), ledger.claims()),
        (Usd::from_dollars(91), Usd::from_dollars(10))
    );
    assert_eq!(ledger.position(MarketId::new(3)).claimed(Outcome::No), Qty::from_contracts(10));
    assert!(
        ledger.is_balanced() && ledger.at_risk() == Usd::ZERO,
        "it is owed, and cannot be lost to the market"
    );
    let mut lost = ledger.clone();
    ledger.redeem(MarketId::new(3), account);
    assert_eq!((ledger.cash(account), ledger.claims()), (Usd::from_dollars(101), Usd::ZERO));
    lost.lose_claim(MarketId::new(3));
    assert!(lost.is_balanced() && !lost.position(MarketId::new(3)).has_claim());
    assert_eq!(lost.realised(), Usd::from_dollars(-9), "what is not paid is a loss");
    assert_eq!(ledger.realised(), Usd::from_dollars(1));
    assert!(ledger.position(MarketId::new(3)).is_flat());
    assert!(ledger.is_balanced());
}

/// Polymarket's, of market 2.
fn shares(outcome: Outcome, action: Action, ticks: u16, contracts: u64) -> Booking {
    Booking {
        market: MarketId::new(2),
        account: CashAccount::of(Venue::Polymarket, 0),
        ..booking(outcome, action, ticks, contracts, 0)
    }
}

#[test]
fn a_sale_that_fails_leaves_what_it_would_have_been_without_it() {
    let (bought, sold) = (
        shares(Outcome::Yes, Action::Buy, 4_000, 30),
        shares(Outcome::Yes, Action::Sell, 5_500, 20),
    );
    let mut ledger = Ledger::new();
    ledger.set_cash(bought.account, Usd::from_dollars(100));
    ledger.book(&bought);
    let before = ledger.clone();
    let sale = ledger.book(&sold);
    assert_ne!(ledger, before);
    assert_eq!(ledger.realised(), Usd::from_dollars(3));
    ledger.undo(sale, &sold);
    assert_eq!(ledger, before, "no result stays, and the contracts cost what they had cost");
}

#[test]
fn a_purchase_that_fails_after_a_part_was_sold_leaves_the_sale_at_its_own_cost() {
    let mut ledger = Ledger::new();
    let (dear, cheap) = (
        shares(Outcome::Yes, Action::Buy, 6_000, 10),
        shares(Outcome::Yes, Action::Buy, 4_000, 10),
    );
    ledger.set_cash(dear.account, Usd::from_dollars(100));
    let failed = ledger.book(&dear);
    ledger.book(&cheap);
    ledger.book(&shares(Outcome::Yes, Action::Sell, 7_000, 10));
    assert_eq!(ledger.realised(), Usd::from_dollars(2), "at the average of both");
    ledger.undo(failed, &dear);
    assert_eq!(ledger.realised(), Usd::from_dollars(3), "at the cost of the one that stands");
    assert!(ledger.position(dear.market).is_flat());
}

#[test]
fn more_sold_than_was_held_is_booked_and_comes_out_even_whatever_fails() {
    let (bought, sold) = (
        shares(Outcome::Yes, Action::Buy, 4_000, 30),
        shares(Outcome::Yes, Action::Sell, 3_800, 30),
    );
    let mut ledger = Ledger::new();
    ledger.set_cash(bought.account, Usd::from_dollars(100));
    let before = ledger.clone();
    let purchase = ledger.book(&bought);
    let sale = ledger.book(&sold);
    ledger.undo(purchase, &bought);
    let position = ledger.position(bought.market);
    assert_eq!(position.held(Outcome::Yes), Qty::ZERO);
    assert_eq!(position.short(Outcome::Yes), Qty::from_contracts(30));
    assert_eq!(position.at_risk(), Usd::ZERO);
    assert_eq!(ledger.cash(bought.account), Usd::from_cents(11_140), "the sale's money is there");
    assert_eq!(ledger.realised(), Usd::ZERO, "and is no result before it is known what was sold");
    assert!(ledger.is_balanced());
    let mut failed = ledger.clone();
    failed.undo(sale, &sold);
    assert_eq!(failed, before);
    // The venue says that nothing is there: the money stays, the short position goes.
    ledger.set_position(bought.market, Qty::ZERO, Qty::ZERO, price(5_000));
    assert!(ledger.position(bought.market).is_flat() && ledger.is_balanced());
    assert_eq!(
        (ledger.cash(bought.account), ledger.realised()),
        (Usd::from_cents(11_140), Usd::ZERO)
    );
}

#[test]
fn a_fill_in_a_market_that_has_its_result_is_paid_at_once() {
    let bought = shares(Outcome::No, Action::Buy, 4_000, 10);
    let mut ledger = Ledger::new();
    ledger.settle(bought.market, bought.account, Price::ZERO);
    ledger.book(&bought);
    assert!(ledger.position(bought.market).is_flat() && ledger.is_balanced());
    assert_eq!((ledger.realised(), ledger.claims()), (Usd::from_dollars(6), Usd::from_dollars(10)));
}

#[test]
fn a_fill_that_fails_after_all_is_forgotten_goes_back_at_its_amounts() {
    let fee = Usd::from_cents(3);
    let bought = Booking { fee, ..shares(Outcome::Yes, Action::Buy, 4_000, 10) };
    let mut ledger = Ledger::new();
    let entry = ledger.book(&bought);
    assert_eq!(ledger.fees(), fee);
    for _ in 0..LEDGER_ENTRIES_MAX / 2 {
        ledger.book(&shares(Outcome::No, Action::Buy, 4_000, 1));
        ledger.book(&shares(Outcome::No, Action::Sell, 4_000, 1));
    }
    ledger.book(&shares(Outcome::No, Action::Buy, 4_000, 1));
    ledger.undo(entry, &bought);
    assert_eq!(ledger.position(bought.market).held(Outcome::Yes), Qty::ZERO);
    assert_eq!((ledger.cash(bought.account), ledger.fees()), (Usd::from_cents(-40), Usd::ZERO));
    assert!(ledger.is_balanced());
}

/// A number under `n`.
fn draw(state: &mut u64, n: u64) -> u64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*state >> 33) % n
}

/// One step of a history.
#[derive(Clone, Copy, Debug)]
enum Step {
    Fill(Booking),
    Settle(MarketId, CashAccount, Price),
    Redeem(MarketId, CashAccount),
    /// One market's part of a conversion.
    Convert(MarketId, CashAccount, Outcome, Qty, Usd),
    Repair(MarketId, Qty),
    /// A part of a difference in contracts, and one in cash.
    Part(MarketId, CashAccount, [i64; 2], Usd),
    Day,
}

fn any_step(state: &mut u64) -> Step {
    let venue = Venue::ALL[draw(state, 2) as usize];
    let market = MarketId::new(draw(state, 3) as u16 * 2 + venue as u16);
    let account = CashAccount::of(venue, 0);
    match draw(state, 60) {
        0 => Step::Settle(market, account, price(draw(state, 10_001) as u16)),
        1 => Step::Repair(market, Qty::from_micros(draw(state, 60_000_000))),
        2 => Step::Day,
        3 => Step::Redeem(market, account),
        4 => {
            let by = [draw(state, 60_000_000), draw(state, 60_000_000)];
            let by = by.map(|by| by as i64 - 30_000_000);
            Step::Part(market, account, by, Usd::from_micros(draw(state, 9_000_000) as i64))
        }
        5 if !venue.rules().nets_pairs() => {
            let outcome = if draw(state, 2) == 0 { Outcome::Yes } else { Outcome::No };
            let qty = Qty::from_micros(1 + draw(state, 50_000_000));
            let amount = Usd::from_micros(draw(state, 1 + qty.micros()) as i64);
            Step::Convert(market, account, outcome, qty, amount)
        }
        _ => Step::Fill(Booking {
            market,
            account,
            outcome: if draw(state, 2) == 0 { Outcome::Yes } else { Outcome::No },
            action: if draw(state, 2) == 0 { Action::Buy } else { Action::Sell },
            price: price(1 + draw(state, 9_999) as u16),
            qty: Qty::from_micros(1 + draw(state, 50_000_000)),
            fee: Usd::from_micros(draw(state, 100_000) as i64),
        }),
    }
}

fn take(ledger: &mut Ledger, step: Step) -> Option<EntryId> {
    match step {
        Step::Fill(ref booking) => return Some(ledger.book(booking)),
        Step::Settle(market, account, pays) => ledger.settle(market, account, pays),
        Step::Redeem(market, account) => ledger.redeem(market, account),
        Step::Convert(market, account, outcome, qty, amount) => {
            ledger.convert(market, account, outcome, qty, amount);
        }
        Step::Repair(market, yes) => ledger.set_position(market, yes, Qty::ZERO, price(5_000)),
        Step::Part(market, account, by, cash) => {
            ledger.change_cash(account, cash);
            ledger.change_position(market, account, by, price(5_000));
        }
        Step::Day => ledger.new_day(),
    }
    None
}

/// Cash and contracts from the fills alone, with nothing of the ledger's: `(cash, YES, NO)` of a market that neither
/// settled nor was repaired, short ones below zero.
fn plain(history: &[Step], market: MarketId) -> (i64, i64, i64) {
    let mut sum = (0, [0_i64; 2]);
    for step in history {
        let Step::Fill(fill) = step else { continue };
        if fill.market != market {
            continue;
        }
        let qty = fill.qty.micros() as i64;
        let (money, contracts) = match fill.action {
            Action::Buy => (-fill.price.cost_ceil(fill.qty), qty),
            Action::Sell => (fill.price.proceeds_floor(fill.qty), -qty),
        };
        sum.0 += (money - fill.fee).micros();
        sum.1[fill.outcome.index()] += contracts;
    }
    (sum.0, sum.1[0], sum.1[1])
}

#[test]
fn whatever_fills_fails_settles_and_is_repaired_the_accounts_are_those_of_the_history() {
    for seed in 1..=60_u64 {
        let mut state = seed;
        let mut ledger = Ledger::new();
        let mut history: Vec<Step> = Vec::new();
        let mut entries: Vec<Option<EntryId>> = Vec::new();
        for _ in 0..150 {
            let nth = draw(&mut state, 400) as usize;
            match (history.get(nth).copied(), entries.get(nth).copied().flatten()) {
                (Some(Step::Fill(failed)), Some(entry)) => {
                    ledger.undo(entry, &failed);
                    history.remove(nth);
                    entries.remove(nth);
                }
                _ => {
                    let step = any_step(&mut state);
                    check_cash_change(&ledger, &step, seed);
                    entries.push(take(&mut ledger, step));
                    history.push(step);
                }
            }
            let mut anew = Ledger::new();
            for &step in &history {
                take(&mut anew, step);
            }
            assert_eq!(ledger, anew, "seed {seed}: {:?}", history.last());
            assert!(ledger.is_balanced(), "seed {seed}");
        }
        check_against_plain(&ledger, &history, seed);
    }
}

/// What a fill is said to do to the cash beforehand is what it does.
fn check_cash_change(ledger: &Ledger, step: &Step, seed: u64) {
    let Step::Fill(fill) = step else { return };
    if ledger.position(fill.market).is_settled() {
        return;
    }
    let mut after = ledger.clone();
    after.book(fill);
    let change = after.cash(fill.account) - ledger.cash(fill.account);
    assert_eq!(ledger.cash_change(fill), change, "seed {seed}: {fill:?}");
}

fn check_against_plain(ledger: &Ledger, history: &[Step], seed: u64) {
    let touched = |wanted| {
        history.iter().any(|step| match *step {
            Step::Settle(market, ..)
            | Step::Redeem(market, _)
            | Step::Convert(market, ..)
            | Step::Repair(market, _)
            | Step::Part(market, ..) => market == wanted,
            Step::Fill(_) | Step::Day => false,
        })
    };
    let markets = [0, 2, 4].map(MarketId::new); // Polymarket's
    let (mut cash, mut all) = (0, true);
    for market in markets {
        let (money, yes, no) = plain(history, market);
        cash += money;
        if touched(market) {
            all = false;
            continue;
        }
        let position = ledger.position(market);
        for (outcome, contracts) in [(Outcome::Yes, yes), (Outcome::No, no)] {
            let (held, short) = (position.held(outcome), position.short(outcome));
            assert!(held.is_zero() || short.is_zero());
            assert_eq!(held.micros() as i64 - short.micros() as i64, contracts, "seed {seed}");
        }
    }
    if all {
        assert_eq!(
            ledger.cash(CashAccount::of(Venue::Polymarket, 0)).micros(),
            cash,
            "seed {seed}"
        );
    }
}

#[test]
fn a_part_of_a_difference_leaves_a_fill_that_fails_later_to_be_taken_out() {
    for venue in Venue::ALL {
        let (market, account) = (MarketId::new(venue as u16), CashAccount::of(venue, 0));
        let qty = Qty::from_contracts(30);
        let bought = Booking {
            market,
            account,
            outcome: Outcome::Yes,
            action: Action::Buy,
            price: price(4_000),
            qty,
            fee: Usd::ZERO,
        };
        let mut ledger = Ledger::new();
        ledger.set_cash(account, Usd::from_dollars(100));
        let entry = ledger.book(&bought);
        ledger.change_cash(account, Usd::from_dollars(7));
        ledger.change_position(market, account, [5_000_000, 0], price(4_000));
        assert_eq!(ledger.position(market).held(Outcome::Yes), Qty::from_contracts(35));
        ledger.undo(entry, &bought);
        assert_eq!(ledger.position(market).held(Outcome::Yes), Qty::from_contracts(5));
        assert_eq!(ledger.cash(account), Usd::from_dollars(107));
        assert!(ledger.is_balanced());
    }
}

#[test]
#[should_panic(expected = "P2: the lines of a booking sum to nothing")]
fn lines_that_do_not_sum_to_nothing_are_no_booking() {
    let account = CashAccount::of(Venue::Kalshi, 0);
    let lines = [
        (LedgerAccount::Cash(account), Usd::from_micros(-5)),
        (LedgerAccount::Fees, Usd::from_micros(4)),
    ];
    let mut balances = balances::Balances::EMPTY;
    balances.post(&lines);
}

#[test]
fn reserved_cash_comes_out_of_the_free_and_outlives_a_fill_that_fails() {
    let bought = shares(Outcome::Yes, Action::Buy, 4_000, 10);
    let account = bought.account;
    let mut ledger = Ledger::new();
    ledger.set_cash(account, Usd::from_dollars(100));
    ledger.reserve(account, Usd::from_dollars(30));
    let free = |ledger: &Ledger| ledger.balance(LedgerAccount::Cash(account));
    assert_eq!(
        (ledger.cash(account), free(&ledger)),
        (Usd::from_dollars(100), Usd::from_dollars(70))
    );
    let entry = ledger.book(&bought);
    ledger.reserve(account, Usd::from_dollars(-4));
    assert_eq!(
        (ledger.cash(account), free(&ledger)),
        (Usd::from_dollars(96), Usd::from_dollars(70))
    );
    ledger.undo(entry, &bought);
    let reserved = ledger.balance(LedgerAccount::Reserved(account));
    assert_eq!((free(&ledger), reserved), (Usd::from_dollars(74), Usd::from_dollars(26)));
    assert!(ledger.is_balanced());
    ledger.set_cash(account, Usd::from_dollars(50)); // the venue's word is for all of it
    assert_eq!(
        (free(&ledger), ledger.cash(account)),
        (Usd::from_dollars(24), Usd::from_dollars(50))
    );
}

#[test]
#[should_panic(expected = "R3: no more is given back than was claimed")]
fn more_given_back_than_was_claimed_stops() {
    let account = CashAccount::of(Venue::Kalshi, 0);
    let mut ledger = Ledger::new();
    ledger.reserve(account, Usd::from_dollars(3));
    ledger.reserve(account, Usd::from_micros(-3_000_001));
}

#[test]
fn a_pair_costs_and_brings_a_dollar_whatever_its_halves_are_taken_for() {
    let (market, account) = (MarketId::new(2), CashAccount::of(Venue::Polymarket, 0));
    for ticks in [0, 3_333, 9_999, 10_000] {
        let mut ledger = Ledger::new();
        ledger.set_cash(account, Usd::from_dollars(100));
        ledger.convert_pairs(market, account, 7_000_001, price(ticks));
        assert_eq!(ledger.cash(account), Usd::from_micros(92_999_999));
        assert_eq!((ledger.cost(), ledger.realised()), (Usd::from_micros(7_000_001), Usd::ZERO));
        ledger.convert_pairs(market, account, -7_000_001, price(10_000 - ticks));
        assert_eq!(ledger.cash(account), Usd::from_dollars(100));
        assert!(ledger.position(market).is_flat() && ledger.is_balanced());
        assert_eq!(ledger.realised(), Usd::ZERO);
    }
}

/// What everything held in these markets pays where one of them comes true, with the cash.
fn worth_if(ledger: &Ledger, account: CashAccount, markets: &[MarketId], winner: MarketId) -> Usd {
    markets.iter().fold(ledger.cash(account), |sum, market| {
        let pays = if *market == winner { Outcome::Yes } else { Outcome::No };
        sum + Price::ONE.proceeds_floor(ledger.position(*market).held(pays))
    })
}

#[test]
fn a_conversion_pays_the_same_whichever_market_comes_true() {
    let account = CashAccount::of(Venue::Polymarket, 0);
    for n in 2..=5_u16 {
        let markets: Vec<_> = (0..n).map(|nth| MarketId::new(2 * nth)).collect();
        for subset in 1..1_u32 << n {
            let mut ledger = Ledger::new();
            ledger.set_cash(account, Usd::from_dollars(100));
            for &market in &markets {
                ledger.book(&Booking { market, ..shares(Outcome::No, Action::Buy, 7_000, 10) });
            }
            let before = ledger.clone();
            let qty = Qty::from_micros(7_000_003);
            let sold = i64::from(subset.count_ones());
            let pays = (sold - 1) * Price::ONE.proceeds_floor(qty).micros();
            let mut first = true;
            for (nth, &market) in markets.iter().enumerate() {
                let is_sold = subset >> nth & 1 == 1;
                let outcome = if is_sold { Outcome::No } else { Outcome::Yes };
                let brings = is_sold && std::mem::take(&mut first);
                let amount = Usd::from_micros(if brings { pays } else { 0 });
                ledger.convert(market, account, outcome, qty, amount);
                assert!(ledger.is_balanced());
            }
            for &winner in &markets {
                let [before, after] =
                    [&before, &ledger].map(|ledger| worth_if(ledger, account, &markets, winner));
                assert_eq!(before, after, "{n} markets, {subset:b}, {winner:?}");
            }
        }
    }
}

#[test]
fn another_result_takes_back_what_the_first_one_gave_and_pays_once() {
    for venue in Venue::ALL {
        let (market, account) = (MarketId::new(3), CashAccount::of(venue, 0));
        let mut ledger = Ledger::new();
        ledger.set_cash(account, Usd::from_dollars(100));
        let bought = Booking { account, ..booking(Outcome::Yes, Action::Buy, 4_000, 10, 0) };
        ledger.book(&bought);
        let owned = |ledger: &Ledger| ledger.cash(account) + ledger.claims();
        // A scalar, twice the same, void, and NO after all.
        for (ticks, cents) in
            [(10_000, 10_600), (1_234, 9_723), (1_234, 9_723), (5_000, 10_100), (0, 9_600)]
        {
            ledger.settle(market, account, price(ticks));
            assert_eq!(owned(&ledger).micros() / 10_000, cents, "{venue:?} at {ticks}");
            assert_eq!(ledger.realised(), owned(&ledger) - Usd::from_dollars(100));
            assert!(ledger.is_balanced() && ledger.position(market).is_flat());
        }
        let stays = venue.rules().settlement == Settlement::Claimed;
        ledger.settle(market, account, Price::ONE);
        if stays {
            ledger.redeem(market, account);
        }
        ledger.settle(market, account, Price::ZERO);
        let cents = if stays { 10_600 } else { 9_600 };
        assert_eq!((owned(&ledger), ledger.claims()), (Usd::from_cents(cents), Usd::ZERO));
        // What comes in late goes by the last result.
        ledger.book(&bought);
        assert_eq!(owned(&ledger), Usd::from_cents(cents - 400));
        ledger.settle(market, account, Price::ONE);
        let again = if stays { 1_000 } else { 2_000 };
        assert_eq!(owned(&ledger), Usd::from_cents(cents - 400 + again), "{venue:?}");
        assert!(ledger.is_balanced());
    }
}

#[test]
fn what_was_sold_without_being_held_is_owed_by_the_last_result() {
    let sold = shares(Outcome::Yes, Action::Sell, 4_000, 10);
    let mut ledger = Ledger::new();
    ledger.set_cash(sold.account, Usd::from_dollars(100));
    ledger.book(&sold);
    for (ticks, owned) in [(10_000, 94), (0, 104), (5_000, 99)] {
        ledger.settle(sold.market, sold.account, price(ticks));
        assert_eq!(
            ledger.cash(sold.account) + ledger.claims(),
            Usd::from_dollars(owned),
            "{ticks}"
        );
        assert!(ledger.is_balanced());
    }
}

#[test]
fn the_same_result_told_again_changes_nothing() {
    let tiny = Qty::from_micros(1);
    let bought = Booking { qty: tiny, ..shares(Outcome::Yes, Action::Buy, 3_333, 1) };
    let mut ledger = Ledger::new();
    let pays = price(3_333);
    ledger.settle(bought.market, bought.account, pays);
    // Each pays a third of a microdollar, rounded down; all four together would pay one.
    for _ in 0..4 {
        ledger.book(&bought);
    }
    let before = ledger.clone();
    ledger.settle(bought.market, bought.account, pays);
    assert_eq!((&ledger, ledger.claims()), (&before, Usd::ZERO));
}

#[test]
fn a_market_that_is_void_pays_half_a_dollar_for_each_contract() {
    let mut ledger = Ledger::new();
    let bought = shares(Outcome::Yes, Action::Buy, 7_000, 10);
    ledger.set_cash(bought.account, Usd::from_dollars(100));
    ledger.book(&bought);
    ledger.settle(bought.market, bought.account, price(5_000));
    ledger.redeem(bought.market, bought.account);
    assert_eq!(ledger.cash(bought.account), Usd::from_dollars(98));
    assert_eq!(ledger.realised(), Usd::from_dollars(-2));
    assert!(ledger.is_balanced());
}

/// A check that nothing fails shows nothing.
#[test]
fn whatever_does_not_agree_is_found() {
    use crate::ledger::balances::LedgerAccount::{Claims, Positions, Realised, Transfers};
    type Spoil = fn(&mut Accounts);
    const CENT: Usd = Usd::from_cents(1);
    let mut ledger = Ledger::new();
    ledger.set_cash(CashAccount::of(Venue::Kalshi, 0), Usd::from_dollars(100));
    ledger.book(&booking(Outcome::Yes, Action::Buy, 5_000, 10, 0));
    assert!(ledger.is_balanced());
    let spoils: [(&str, Spoil); 7] = [
        ("cash that came from nowhere", |now| {
            let mut bytes = Vec::new();
            now.balances.pack(&mut bytes);
            bytes[0] ^= 1;
            now.balances = Pack::unpack(&mut Unpacker::new(&bytes)).expect("any amount is one");
        }),
        ("cost", |now| now.balances.post(&[(Positions, CENT), (Transfers, -CENT)])),
        ("claims", |now| now.balances.post(&[(Claims, CENT), (Transfers, -CENT)])),
        ("results", |now| now.balances.post(&[(Realised, CENT), (Transfers, -CENT)])),
        ("what can be lost", |now| now.at_risk += CENT),
        ("an open market too few", |now| assert!(now.open.remove(3))),
        ("an open market too many", |now| assert!(now.open.insert(2))),
    ];
    let whole = ledger.now.clone();
    for (name, spoil) in spoils {
        spoil(&mut ledger.now);
        assert!(!ledger.is_balanced(), "{name}");
        ledger.now.copy_from(&whole);
        assert!(ledger.is_balanced(), "{name}");
    }
}
