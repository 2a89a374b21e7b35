//! What must hold after every event: the invariants of money and orders, each by its id.
//!
//! Tests check all of it after every event. Simulated days do after each event that may move anything and after at most 64 others
//! ([`Core::check_after`]). A running program checks it every [`INVARIANTS_EVERY`] events without a walk over all markets: orders
//! and groups that are alive, the accounts' sums, and one slice of the positions.
//! What does not hold is our own mistake, so it panics: the thread's edge halts and has everything cancelled.
//!
//! [`INVARIANTS_EVERY`]: crate::bounds::INVARIANTS_EVERY

use super::Core;
use super::fills::QTY_DUST;
use super::fills_seen::Booked;
use crate::event::{Control, Event};
use crate::group::NO_GROUP;
use crate::ids::{Action, GroupId, OrderRef};
use crate::order::Record;
use crate::outbox::Outbox;
use crate::units::Usd;
use crate::venue_rules::CASH_ACCOUNTS;

/// So many events at most may be checked one after the other without a walk over all markets and fills.
const WHOLE_EVERY: u32 = 64;

/// What the last check of everything has seen: see [`Core::check_after`].
#[derive(Clone, Copy, Debug, Default)]
pub struct Checked {
    /// What stood then; `None` before the first one.
    marks: Option<Marks>,
    /// How many events were looked at since everything was last walked over.
    since: u32,
}

/// What moves with every entry of the ledger, with every order and every group that comes or goes, and with what is held back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Marks {
    ledger: u64,
    held_back: ([Usd; CASH_ACCOUNTS], Usd),
    order: u64,
    orders: usize,
    group: GroupId,
    groups: usize,
}

impl Core {
    /// Checks what must hold after this event, which has wanted and told `out`. `checked` is the caller's, for one core.
    ///
    /// It is a check of everything ([`Core::check_invariants`]) after each event that decided, told, booked, opened or ended
    /// something, or that is of a kind that may (`moves_money`), and else once in so many. In between it looks at the sums of
    /// all accounts, at every order and group that is alive with what they reserve and put at risk, and at the market that the
    /// event is of. What it leaves out then is a walk over things of which none has changed by what the parts can do: positions
    /// change with the ledger's version alone. The lists of other markets and of fills are the exception: one that is wrong
    /// although nothing was told is found up to so many events later.
    ///
    /// # Panics
    /// Where something does not hold.
    pub fn check_after(&self, event: &Event, out: &Outbox, checked: &mut Checked) {
        let marks = self.marks();
        let is_quiet = out.intents().is_empty() && out.notes().is_empty() && out.raised().is_none();
        let is_same = checked.marks == Some(marks) && checked.since < WHOLE_EVERY;
        if !is_quiet || !is_same || moves_money(event) {
            self.check_invariants();
            *checked = Checked { marks: Some(marks), since: 0 };
            return;
        }
        checked.since += 1;
        self.money.check_sums();
        self.check_live();
        self.groups.check_legs();
        if let Some(market) = event.market() {
            self.books.check_place(market.index());
        }
    }

    fn marks(&self) -> Marks {
        Marks {
            ledger: self.ledger().version(),
            held_back: self.money.held_back(),
            order: self.orders.next_id(),
            orders: self.orders.live_len(),
            group: self.groups.next_id(),
            groups: self.groups.len(),
        }
    }

    /// Checks everything; costs a walk over all markets.
    ///
    /// # Panics
    /// Where something does not hold.
    pub fn check_invariants(&self) {
        self.money.check_all();
        let open: Vec<_> = self.fills.open().collect(); // few of many: they are walked over once
        self.check_held_back(&open);
        let may_fail = |fill: &&&Booked| {
            fill.booking.action == Action::Buy && fill.venue().rules().provisional_fills
        };
        let purchases = open.iter().filter(may_fail).map(|fill| fill.booking.market);
        self.money.check_provisional(purchases);
        self.check_live();
        self.books.check_lists();
        self.quarantine.check_list();
        self.silence.check_count();
        self.groups.check_counts();
        self.check_leaving();
        self.check_fee_rules();
    }

    /// Checks what is held back for the fills whose end is not known: cash by account, and what counts as at risk.
    fn check_held_back(&self, open: &[&Booked]) {
        let (mut cash, mut at_risk) = ([Usd::ZERO; CASH_ACCOUNTS], Usd::ZERO);
        for fill in open {
            cash[fill.booking.account.index()] += fill.held_back.cash;
            at_risk += fill.held_back.at_risk;
        }
        self.money.check_held_back(&cash, at_risk);
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
            let (cash, _) = self.claim(&change.to.on(&record.order), record.change_open());
            assert!(
                record.reserved >= cash,
                "O12: while a change is under way the larger claim is held"
            );
        }
    }
}

/// Whether an event is of a kind that books, reserves, begins or ends something, or changes what is followed. Those that are not
/// bring a book, a price, a figure of a reading, or the time.
const fn moves_money(event: &Event) -> bool {
    match event {
        Event::Level(_)
        | Event::SnapshotBegin { .. }
        | Event::SnapshotEnd { .. }
        | Event::Mirror { .. }
        | Event::Top { .. }
        | Event::Stated { .. }
        | Event::Trade { .. }
        | Event::Witness { .. }
        | Event::Listed { .. }
        | Event::Expected { .. }
        | Event::Current { .. }
        | Event::Handed { .. }
        | Event::Way { .. }
        | Event::Timer
        | Event::Control(
            Control::Cash { .. }
            | Control::Position { .. }
            | Control::Reading { .. }
            | Control::Open { .. }
            | Control::ClockError { .. }
            | Control::TermsRead { .. },
        ) => false,
        Event::Report(_)
        | Event::Adopt(_)
        | Event::Control(_)
        | Event::Stale { .. }
        | Event::StaleAll { .. }
        | Event::GridChange { .. }
        | Event::Status { .. }
        | Event::Stall { .. }
        | Event::Mode { .. }
        | Event::Odd { .. }
        | Event::Basket(_)
        | Event::Market(_)
        | Event::FeeChange { .. }
        | Event::MarketWithdrawn { .. }
        | Event::BasketWithdrawn { .. }
        | Event::Settled { .. }
        | Event::Link { .. } => true,
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
