//! What must hold after every event: the invariants of money and orders, each by its id.
//!
//! Tests and simulations check all of it after every event. A running program checks it every [`INVARIANTS_EVERY`] events
//! without a walk over all markets: orders and groups that are alive, the accounts' sums, and one slice of the positions.
//! What does not hold is our own mistake, so it panics: the thread's edge halts and has everything cancelled.
//!
//! [`INVARIANTS_EVERY`]: crate::bounds::INVARIANTS_EVERY

use super::Core;
use super::fills::QTY_DUST;
use super::resting::change_open;
use crate::group::NO_GROUP;
use crate::ids::{Action, OrderRef};
use crate::order::Record;
use crate::units::Usd;
use crate::venue_rules::CASH_ACCOUNTS;

impl Core {
    /// Checks everything; costs a walk over all markets.
    ///
    /// # Panics
    /// Where something does not hold.
    pub fn check_invariants(&self) {
        self.money.check_all();
        let (cash, at_risk) = self.fills.held_back();
        self.money.check_held_back(&cash, at_risk);
        self.money.check_provisional(self.fills.provisional_purchases());
        self.check_live();
        self.books.check_lists();
        self.quarantine.check_list();
        self.silence.check_count();
        self.groups.check_counts();
        self.check_leaving();
        self.check_fee_rules();
    }

    /// Checks what is alive and the next slice of the positions, and counts that it did.
    #[cold]
    pub(super) fn check_some_invariants(&mut self) {
        self.money.check_some();
        self.check_live();
        self.stats.invariant_checks += 1;
    }

    /// Checks orders and groups that are alive against what is reserved and at risk because of them.
    fn check_live(&self) {
        let mut reserved = [Usd::ZERO; CASH_ACCOUNTS];
        for record in self.orders.live() {
            check_counts(record);
            assert!(record.order.has_fitting_expiry(), "O15: only a GTD order has an expiry");
            assert!(
                record.change.is_none() || !record.is_over(),
                "O12: what is over is not changed any more"
            );
            self.check_claim(record);
            let account = self.cash_account(record.order.market);
            reserved[account.index()] += record.reserved;
        }
        for group in self.groups.iter() {
            assert!(!group.state().is_over(), "G2: a group that has ended is not alive");
            for leg in group.legs() {
                assert!(leg.hold >= Usd::ZERO, "R3: what a leg holds is never negative");
                let order = leg.order.and_then(|id| self.orders.find(OrderRef::Id(id)));
                assert!(
                    order.is_none_or(|own| own.order.group == group.id && !own.is_over()),
                    "O17: the order that a leg waits for is alive and of the leg's group"
                );
                reserved[self.cash_account(leg.market).index()] += leg.hold;
            }
        }
        self.money.check_claims(&reserved);
    }

    /// Checks that a live order holds what it may still need. One that is being cancelled still counts (O11).
    ///
    /// Not checked is what a sale claims at a venue that takes it for a purchase of the other outcome: that depends on what is
    /// held by now.
    fn check_claim(&self, record: &Record) {
        let (cash, qty) = self.claim(&record.order, record.open());
        if record.order.action == Action::Sell {
            let beyond = record.order.venue.rules().sells_beyond_holding();
            assert!(beyond || record.reserved_qty >= qty, "R1: a sale holds what it may sell");
            return;
        }
        assert!(record.reserved >= cash, "R1: a purchase holds what it may still cost");
        if let Some(change) = record.change {
            let (cash, _) = self.claim(&change.to.on(&record.order), change_open(record));
            assert!(
                record.reserved >= cash,
                "O12: while a change is under way the larger claim is held"
            );
        }
    }
}

/// Checks an order's own counts: what was ordered, what is filled, what is left.
fn check_counts(record: &Record) {
    let order = &record.order;
    assert!(record.reserved >= Usd::ZERO, "R3: a reservation is never negative");
    assert!(
        record.ended.is_none_or(|total| record.filled <= total),
        "O1: an order that ended has no more fills than it ended with"
    );
    assert!(
        record.filled <= record.claimed,
        "O1: what is booked is part of what the venue is known to have filled"
    );
    assert!(
        record.overfilled || record.filled <= record.qty_max() + QTY_DUST,
        "O4: more than was ordered is filled only with an alarm"
    );
    assert!(
        order.purpose.is_alone() == (order.group == NO_GROUP),
        "O17: an order has a group, or is sent alone"
    );
}
