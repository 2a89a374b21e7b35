//! What a fill does: it is judged against its order, booked once, and counted in its order and its group.

use super::Core;
use super::advance::note_of;
use super::comparison::most_open;
use super::fills_seen::Booked;
use crate::canary::{self, Canary};
use crate::fees::{FeeRule, Precision};
use crate::ids::{Action, FillId, OrderId, OrderRef};
use crate::ledger::Booking;
use crate::note::{Alarm, Note};
use crate::order::{Order, OrderEvent, OrderState, Record};
use crate::outbox::Outbox;
use crate::report::{Fill, Finality, Liquidity, Report};
use crate::risk::QuarantineWhy;
use crate::units::{Nanos, Price, Qty, Usd};

/// Venues round fills to cents of a contract, so an order can end this much short or over.
pub(super) const QTY_DUST: Qty = Qty::from_micros(10_000);
/// A sum of dollars is spent in fills that are each rounded: so much more is the rounding's.
const NOTIONAL_DUST: Usd = Usd::from_micros(10_000);
/// By so much an order's fees must differ from what the rule says of them to be told: by more than one unit of a direct
/// Kalshi member's precision (`venues/kalshi.md` §7.2, 2026-08-26). What a fill is charged comes to whole units, so that
/// more than one is two. A fill at an average price comes in two parts, each with its share of the fee, and the first one
/// alone is less than two units apart.
const FEE_DRIFT: Usd = Usd::from_micros(2 * Precision::Direct.micros());

impl Core {
    /// Books a fill, unless it is booked already, known to have failed, or of an order that is none of ours.
    pub(super) fn on_fill(&mut self, now: Nanos, fill: &Fill, report: &Report, out: &mut Outbox) {
        if fill.finality == Finality::Failed {
            self.undo(now, fill.fill, out);
        }
        if self.fills.is_void(fill.fill) {
            return self.on_void(now, fill, report, out);
        }
        if self.fills.knows(fill.fill) && !canary::is(Canary::FillTwice) {
            if fill.finality == Finality::Final {
                self.on_final(now, fill.fill, out);
            }
            return;
        }
        let Some(id) = self.known(now, fill.order, report, out) else {
            // Our own names are known from the start: nobody will claim it.
            if matches!(fill.order, OrderRef::Id(_)) {
                self.stray(now, report, out);
            }
            return;
        };
        let record = *self.orders.find(OrderRef::Id(id)).expect("just found");
        let price = record.order.outcome.price_from_yes(fill.price);
        let is_final = self.fills.take_final(fill.fill) || fill.finality == Finality::Final;
        let fill =
            &Fill { finality: if is_final { Finality::Final } else { fill.finality }, ..*fill };
        self.judge(&record, price, fill.qty, out);
        self.stats.fills += 1;
        self.rejections.on_looked_at(record.order.venue);
        self.rejections.on_fill(record.order.market);
        self.book_fill(now, fill, &record, price, out);
        self.count_in_order(now, id, price, fill.qty, out);
    }

    /// A fill that failed before it was booked is told with its order: what the venue has called filled of that may have it in it.
    fn on_void(&mut self, now: Nanos, fill: &Fill, report: &Report, out: &mut Outbox) {
        if self.fills.is_void_counted(fill.fill) {
            return;
        }
        let Some(id) = self.known(now, fill.order, report, out) else { return };
        self.fills.count_void(fill.fill);
        let record = self.orders.find_mut(OrderRef::Id(id)).expect("just found");
        record.void += fill.qty;
        record.acked = true; // the venue has had it, whatever became of its fill
        self.lower_count(now, id, out);
    }

    /// A fill stays for good.
    pub(super) fn on_final(&mut self, now: Nanos, fill: FillId, out: &mut Outbox) {
        if let Some(booked) = self.fills.on_final(now, fill) {
            self.money.let_go(&self.books, &booked.booking, booked.held_back);
            self.on_fill_end(booked.booking.market, false, out);
        }
    }

    /// Whether the venue kept to what was ordered: no worse price (O6), no more contracts (O4), nothing after the end (O3). A
    /// fill is booked either way: it has happened.
    fn judge(&mut self, record: &Record, price: Price, qty: Qty, out: &mut Outbox) {
        let order = &record.order;
        // A fill may be on the new terms of a change before that is told, and on the old ones after it.
        let worse = match order.action {
            Action::Buy => price > record.worst_price(),
            Action::Sell => price < record.worst_price(),
        };
        if worse {
            self.alarm(Alarm::WorseFill, Some(order.market), Some(order.id), out);
            self.quarantine(order.market, QuarantineWhy::WorseFill, out);
        }
        if record.filled + qty > record.qty_max() + QTY_DUST {
            let notional = record.notional + price.cost_ceil(qty);
            let ordered = order.price.cost_ceil(order.qty) + NOTIONAL_DUST;
            self.on_overfill(order.id, order.spends() && notional <= ordered, out);
        }
        // Its group knows of what the venue counted as the order ended, up to the rounding: that much is on time.
        if record.state == OrderState::Done && record.filled + qty > record.told + QTY_DUST {
            self.alarm(Alarm::LateFill, Some(order.market), Some(order.id), out);
        }
    }

    /// Moves cash and contracts, and remembers the fill so that it is booked once and can be undone.
    fn book_fill(
        &mut self,
        now: Nanos,
        fill: &Fill,
        record: &Record,
        price: Price,
        out: &mut Outbox,
    ) {
        let &Order { id, group, market, outcome, action, .. } = &record.order;
        let taker = took(record, price, fill.liquidity);
        let fee = self.fee_of(now, fill, price, taker, record, out);
        let fee = if canary::is(Canary::FeeForgotten) { Usd::ZERO } else { fee };
        let account = self.cash_account(market);
        let booking = Booking { market, account, outcome, action, price, qty: fill.qty, fee };
        self.take_back_repairs(record.sent, most_open(record), &booking);
        self.comparison.on_booked(&booking, false);
        let provisional =
            fill.finality == Finality::Provisional && account.venue().rules().provisional_fills;
        let strategy = record.order.purpose.strategy();
        let (entry, held_back) =
            self.money.book(&self.books, &self.baskets, &booking, strategy, provisional);
        let forgotten = self.fills.remember(Booked {
            fill: fill.fill,
            order: id,
            group,
            booking,
            entry,
            at: now,
            settled: (fill.finality == Finality::Final).then_some(now),
            undone: false,
            taker,
            held_back,
        });
        if let Some(old) = forgotten {
            self.money.let_go(&self.books, &old.booking, old.held_back);
        }
        if self.money.position(market).is_short() {
            // Sold more than we know of: it is booked all the same, and reconciliation must say what is true.
            self.alarm(Alarm::PositionDrift, Some(market), Some(id), out);
        }
        // What ends a group may be the venue's count alone: what was paid or brought is told after it, and a part of it may still fail.
        let ended = self.groups.on_booked(group, &booking).map(note_of);
        out.note(Note::Booked {
            order: id,
            market,
            outcome,
            price,
            qty: fill.qty,
            fee,
            taker,
            undone: false,
        });
        self.note_position(market, out);
        if let Some(ended) = ended {
            out.note(ended); // what was told as it ended was without this
        }
    }

    /// The order has so much more: it may be over with it, and its group goes on.
    fn count_in_order(
        &mut self,
        now: Nanos,
        id: OrderId,
        price: Price,
        qty: Qty,
        out: &mut Outbox,
    ) {
        let record = self.orders.find_mut(OrderRef::Id(id)).expect("the caller found it");
        record.filled += qty;
        record.notional += price.cost_ceil(qty);
        record.claimed = record.claimed.max(record.filled);
        if record.state == OrderState::Done {
            record.ended = Some(record.filled);
            self.note_order(id, out);
            return self.tell_rest(now, id, out);
        }
        if record.ended.is_some_and(|total| total < record.filled) {
            record.ended = Some(record.filled);
        }
        let whole = record.filled + record.dust() >= record.qty_max();
        let nearly = !whole && record.filled + QTY_DUST >= record.qty_max();
        if whole && record.ended.is_none() {
            record.ended = Some(record.known_filled());
        }
        if record.ended.is_some() {
            self.settle_order(now, id, OrderEvent::Filled, out);
        } else {
            self.step(id, OrderEvent::PartFilled, out);
            self.progress(now, id, out);
            if nearly {
                self.query(now, id, out); // the last hundredth is on the book, or was rounded away: the venue knows
            }
        }
    }

    /// More was filled than was ordered. An order that spent no more dollars than it had got a better price, and only its
    /// group must make something of the rest; any other one was not what we sent.
    pub(super) fn on_overfill(&mut self, id: OrderId, explained: bool, out: &mut Outbox) {
        let record = self.orders.find_mut(OrderRef::Id(id)).expect("the caller found it");
        let market = record.order.market;
        if !std::mem::replace(&mut record.overfilled, true) {
            self.alarm(Alarm::Overfill, Some(market), Some(id), out);
        }
        if !explained {
            self.quarantine(market, QuarantineWhy::Overfill, out);
        }
    }

    /// The venue's own figure where it gives one, held against the rule's (P5); else the rule's. What the rule says goes on
    /// from the order's fills before, because the venue gives back what its rounding took, and a fill that is told out of
    /// turn has another's share of it: the order's fees as a whole are compared, and only where the venue has counted no fills beyond
    /// those told here, of which each may have a unit of these. Any rule that may have held when it happened explains what is charged, and the dearest of them stands where nothing is told (see `FeeRules::of_fill`).
    fn fee_of(
        &mut self,
        now: Nanos,
        fill: &Fill,
        price: Price,
        taker: bool,
        record: &Record,
        out: &mut Outbox,
    ) -> Usd {
        let &Order { id, action, .. } = &record.order;
        let by_rule = |rule: FeeRule| {
            let mut rounding = record.rounding;
            let fee = rule.charge(&mut rounding, action, price, fill.qty, taker);
            (rounding, fee)
        };
        let (rounding, charged, mut apart) = if let Some(charged) = fill.fee {
            let rules = self.fee_rules.of_fill(now, fill, record.sent).map(by_rule);
            let apart = rules.map(|(rounding, fee)| (rounding, record.fee_apart + charged - fee));
            let nearest = apart.min_by_key(|(_, apart)| apart.micros().unsigned_abs());
            let (rounding, apart) = nearest.expect("its terms come with a rule");
            (rounding, charged, apart)
        } else {
            let rules = self.fee_rules.of_fill(now, fill, record.sent).map(by_rule);
            let dearest = rules.max_by_key(|(_, fee)| fee.micros());
            let (rounding, fee) = dearest.expect("its terms come with a rule");
            let notional = fill.price.max(fill.price.complement()).cost_ceil(fill.qty);
            let account = self.cash_account(fill.market);
            self.comparison.untold_fees().on_booked(now, account, fill.market, fee, notional);
            (rounding, fee, record.fee_apart)
        };
        let is_whole = record.filled + fill.qty + QTY_DUST >= record.known_filled();
        if is_whole && (apart >= FEE_DRIFT || apart <= -FEE_DRIFT) {
            apart = Usd::ZERO; // the next difference is told anew
            self.on_fee_drift(fill.market, Some(id), out);
        }
        let record = self.orders.find_mut(OrderRef::Id(id)).expect("the caller found it");
        (record.rounding, record.fee_apart) = (rounding, apart);
        charged
    }
}

/// Whether an order took what was on the book with this fill, or rested and was taken. How it was sent decides it where that
/// leaves no choice; then what the venue says; then the book as it was: only a taker gets a better price than its limit, and
/// only an order that reached the other side takes at its limit.
fn took(record: &Record, price: Price, said: Liquidity) -> bool {
    let order = &record.order;
    if !order.tif.may_rest() {
        return true;
    }
    match said {
        _ if order.post_only => false,
        Liquidity::Taker => true,
        Liquidity::Maker => false,
        Liquidity::Unsaid => price != order.price || record.crossed,
    }
}
