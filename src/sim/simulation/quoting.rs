//! Orders that rest: somebody asks the core for them, changes them and withdraws them, as a strategy that quotes would.

use surefoot_hot::event::{Control, Event};
use surefoot_hot::ids::{Action, MarketId, Outcome};
use surefoot_hot::order::{Expiry, OrderState, Record};
use surefoot_hot::units::{Nanos, Price, Qty};

use super::{Happening, START, Simulation};

/// Nothing is wanted any more when so many hundredths of the day are over.
const UNTIL: u64 = 90;
/// The least and the most contracts of an order, in hundreds.
const HUNDREDS: (u64, u64) = (1, 4);
/// The least and the most time until an order expires, in seconds, beyond what the venue asks.
const EXPIRES_S: (u64, u64) = (5, 90);

impl Simulation {
    /// Somebody wants something to rest, or what rests to be otherwise.
    pub(super) fn quote(&mut self) {
        let Some((least, most)) = self.quotes.every_ms() else { return };
        let next = self.now.after(Nanos::from_millis(self.trouble.quoting.range(least, most)));
        if next.since(START).get() < self.span.get() / 100 * UNTIL {
            self.put(next, Happening::Quote);
        }
        if !self.life.is_running {
            return;
        }
        let wish = if self.trouble.quoting.chance(1, 2) { self.change() } else { None };
        let wish = wish.or_else(|| self.rest());
        self.inbox.extend(wish.map(Event::Control));
    }

    /// One of those that rest has another price or size, or is withdrawn.
    fn change(&mut self) -> Option<Control> {
        let rests = |record: &&Record| record.state == OrderState::Resting && record.is_wanted();
        let resting: Vec<_> = self.core.orders().live().filter(rests).map(|r| r.order).collect();
        if resting.is_empty() {
            return None;
        }
        let order = *self.trouble.quoting.pick(&resting);
        if self.trouble.quoting.chance(1, 3) {
            return Some(Control::Withdraw { order: order.id });
        }
        let (price, more) = (
            self.price(order.market, order.outcome, order.action)?,
            self.trouble.quoting.chance(1, 2),
        );
        let lot = Qty::from_micros(10 * 1_000_000);
        let qty = if more { order.qty + lot } else { order.qty.saturating_sub(lot).max(lot) };
        Some(Control::Amend { order: order.id, price, qty, expires: order.expires })
    }

    /// A purchase, or a sale of what is held, joins the best price of its side.
    fn rest(&mut self) -> Option<Control> {
        let markets: Vec<_> = self.core.books().iter().map(|(market, _)| market).collect();
        if markets.is_empty() {
            return None; // the run has only just begun
        }
        let market = *self.trouble.quoting.pick(&markets);
        let outcome = *self.trouble.quoting.pick(&Outcome::ALL);
        let held = self.core.ledger().position(market).held(outcome);
        let (least, most) = HUNDREDS;
        let qty = Qty::from_micros(self.trouble.quoting.range(least, most) * 100 * 1_000_000);
        let sells = held >= qty && self.trouble.quoting.chance(1, 2);
        let action = if sells { Action::Sell } else { Action::Buy };
        let price = self.price(market, outcome, action)?;
        let ahead = self.core.books().terms(market)?.venue.rules().expiry_ahead_min;
        let (least, most) = EXPIRES_S;
        let ends =
            self.now.after(ahead).after(Nanos::from_secs(self.trouble.quoting.range(least, most)));
        let expires = if self.trouble.quoting.chance(1, 2) { Expiry::at(ends) } else { None };
        Some(Control::Rest {
            market,
            outcome,
            action,
            price,
            qty,
            expires,
            post_only: true,
            exit: sells,
        })
    }

    /// The best price of the own side, or a step behind it.
    fn price(&mut self, market: MarketId, outcome: Outcome, action: Action) -> Option<Price> {
        let book = self.core.books().get(market)?;
        let (best, step) = match action {
            Action::Buy => (book.best_bid_for(outcome)?.0, -1),
            Action::Sell => (book.best_ask_for(outcome)?.0, 1),
        };
        let by = i32::from(book.terms().grid.step_at(best))
            * step
            * i32::from(self.trouble.quoting.chance(1, 2));
        let ticks = i32::from(best.ticks()) + by;
        Price::from_ticks(u16::try_from(ticks).ok()?)
    }
}
