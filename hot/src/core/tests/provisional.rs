//! Fills that may still fail: what they free counts only once they are final, and a market in which many fail is left alone.

use super::*;
use crate::ledger::{CashAccount, LedgerAccount};
use crate::risk::QuarantineWhy;

const ACCOUNT: CashAccount = CashAccount::of(Venue::Polymarket, 0);

fn free(desk: &Desk) -> Usd {
    desk.core.ledger().balance(LedgerAccount::Cash(ACCOUNT))
}

fn at_risk(desk: &Desk) -> Usd {
    desk.core.money.exposure().market(PM)
}

/// A maker's order at Polymarket for so many YES, filled at its price; the fill may fail.
fn filled(desk: &mut Desk, action: Action, cents: u16, contracts: u64) -> Fill {
    desk.book(PM, &[(30, 300)], &[(60, 300)]);
    desk.control(to_rest(PM, action, cents, contracts, action == Action::Sell));
    let order = desk.last_placed();
    let fill = Fill { fee: Some(Usd::ZERO), ..desk.fill_of(&order, contracts) };
    desk.report(Report::Fill(fill));
    fill
}

fn end(desk: &mut Desk, fill: &Fill, state: Finality) {
    desk.report(Report::Finality { fill: fill.fill, state });
}

#[test]
fn a_sale_frees_neither_cash_nor_a_limit_before_it_is_final() {
    for state in [Finality::Final, Finality::Failed] {
        let mut desk = Desk::new();
        let bought = filled(&mut desk, Action::Buy, 40, 30);
        end(&mut desk, &bought, Finality::Final);
        let (cash, before) = (free(&desk), at_risk(&desk));
        assert_eq!(before, Usd::from_dollars(12));
        let sold = filled(&mut desk, Action::Sell, 50, 10);
        assert_eq!(desk.held(PM, Outcome::Yes), qty(20));
        assert_eq!(
            desk.core.ledger().cash(ACCOUNT),
            cash + Usd::from_dollars(5),
            "the money is there, and not free"
        );
        assert_eq!((free(&desk), at_risk(&desk)), (cash, before), "as if it had failed");
        end(&mut desk, &sold, state);
        let sold = state == Finality::Final;
        let cash = if sold { cash + Usd::from_dollars(5) } else { cash };
        let risk = if sold { Usd::from_dollars(8) } else { before };
        assert_eq!((free(&desk), at_risk(&desk)), (cash, risk));
        assert_eq!(desk.core.ledger().balance(LedgerAccount::Reserved(ACCOUNT)), Usd::ZERO);
    }
}

/// The word that a fill is final may be lost for good: whoever was away for an hour does not find it among the venue's last trades.
#[test]
fn a_sale_whose_end_nobody_tells_frees_its_cash_with_the_first_reading_an_hour_later() {
    for fails in [false, true] {
        let mut desk = Desk::new();
        let bought = filled(&mut desk, Action::Buy, 40, 30);
        end(&mut desk, &bought, Finality::Final);
        let cash = free(&desk);
        let sold = filled(&mut desk, Action::Sell, 50, 10);
        let booked = desk.now;
        desk.now = booked.after(Nanos::from_secs(3_600));
        desk.control(Control::Reading { venue: Venue::Polymarket, since: desk.now });
        assert_eq!((free(&desk), at_risk(&desk)), (cash, Usd::from_dollars(12)), "an hour old");
        assert!(desk.core.fills.is_unsettled(PM));
        let since = booked.after(Nanos::from_secs(3_600)).after(Nanos::new(1));
        desk.control(Control::Reading { venue: Venue::Polymarket, since });
        let freed = (cash + Usd::from_dollars(5), Usd::from_dollars(8));
        assert_eq!((free(&desk), at_risk(&desk)), freed, "and a moment more");
        assert!(!desk.core.fills.is_unsettled(PM), "nothing keeps its market");
        // Told after all.
        end(&mut desk, &sold, if fails { Finality::Failed } else { Finality::Final });
        let then = if fails { (cash, Usd::from_dollars(12)) } else { freed };
        assert_eq!((free(&desk), at_risk(&desk)), then);
        assert_eq!(desk.held(PM, Outcome::Yes), qty(if fails { 30 } else { 20 }));
    }
}

/// The end of a fill overtakes the fill: whatever was said of it holds, and is not said again.
#[test]
fn a_sale_whose_end_is_told_first_is_booked_with_that_end() {
    for state in [Finality::Final, Finality::Failed] {
        let mut desk = Desk::new();
        let bought = filled(&mut desk, Action::Buy, 40, 30);
        end(&mut desk, &bought, Finality::Final);
        let cash = free(&desk);
        desk.control(to_rest(PM, Action::Sell, 50, 10, true));
        let order = desk.last_placed();
        let sold = Fill { fee: Some(Usd::ZERO), ..desk.fill_of(&order, 10) };
        end(&mut desk, &sold, state);
        end(&mut desk, &sold, state); // told twice
        let (mut bytes, hash) = (Vec::new(), desk.core.state_hash());
        desk.core.save(&mut bytes);
        desk.core = Core::load(&bytes).expect("it was just saved");
        assert_eq!(desk.core.state_hash(), hash);
        desk.report(Report::Fill(sold));
        desk.report(Report::Fill(sold));
        let stays = state == Finality::Final;
        let (gain, held) = if stays { (Usd::from_dollars(5), 20) } else { (Usd::ZERO, 30) };
        assert_eq!((free(&desk), desk.held(PM, Outcome::Yes)), (cash + gain, qty(held)));
        assert!(!desk.core.fills.is_unsettled(PM), "its end is known");
        end(&mut desk, &sold, Finality::Failed);
        assert_eq!((free(&desk), desk.held(PM, Outcome::Yes)), (cash, qty(30)));
    }
}

#[test]
fn a_purchase_counts_as_held_until_it_fails() {
    let mut desk = Desk::new();
    let (cash, bought) = (free(&desk), filled(&mut desk, Action::Buy, 40, 30));
    assert_eq!(
        (free(&desk), at_risk(&desk)),
        (cash - Usd::from_dollars(12), Usd::from_dollars(12))
    );
    end(&mut desk, &bought, Finality::Failed);
    assert_eq!((free(&desk), at_risk(&desk)), (cash, Usd::ZERO));
}

#[test]
fn a_sale_that_is_final_at_once_holds_nothing_back() {
    let mut desk = Desk::new();
    let bought = filled(&mut desk, Action::Buy, 40, 30);
    end(&mut desk, &bought, Finality::Final);
    let cash = free(&desk);
    desk.control(to_rest(PM, Action::Sell, 50, 10, true));
    let order = desk.last_placed();
    let fill = Fill { fee: Some(Usd::ZERO), ..desk.fill_of(&order, 10) };
    desk.report(Report::Fill(Fill { finality: Finality::Final, ..fill }));
    assert_eq!((free(&desk), at_risk(&desk)), (cash + Usd::from_dollars(5), Usd::from_dollars(8)));
}

#[test]
#[should_panic(expected = "R6: cash of sales that may fail is held back, and nothing else")]
fn cash_held_back_for_no_sale_is_found() {
    let mut desk = Desk::new();
    let bought = filled(&mut desk, Action::Buy, 40, 30);
    end(&mut desk, &bought, Finality::Final);
    filled(&mut desk, Action::Sell, 50, 10);
    *desk.core.money.doubtful_mut() += Usd::from_micros(1);
    desk.core.check_invariants();
}

/// So many fills become final, then so many fail, one after the other.
fn ends(finals: u32, failures: u32) -> Desk {
    let mut desk = Desk::new();
    for nth in 0..finals + failures {
        let fill = filled(&mut desk, Action::Buy, 40, 5);
        let state = if nth < finals { Finality::Final } else { Finality::Failed };
        end(&mut desk, &fill, state);
        end(&mut desk, &fill, state); // told twice
        desk.wait(Nanos::from_secs(10));
    }
    desk
}

#[test]
fn a_market_in_which_many_fills_are_taken_back_is_left_alone() {
    let shut = |desk: &Desk| desk.quarantined() == [(PM, QuarantineWhy::Reverts)];
    assert!(!shut(&ends(0, 4)), "too few to say");
    assert!(shut(&ends(0, 5)));
    assert!(shut(&ends(15, 5)), "a quarter");
    assert!(!shut(&ends(16, 5)), "less than a quarter");
    assert_eq!(ends(0, 5).alarms(Alarm::Quarantined), 1);
}
