//! Following a run of another program: what it sent is what happened, whatever this program would have decided.
//!
//! While a core follows, an order comes to be only where the other program placed that very order on the same event; what it
//! placed besides is taken over as an order whose fate the venue tells. So the fold of an older version's journal has the
//! orders, fills and positions that there were. It is for folds alone: a running core follows nobody.

use std::collections::VecDeque;

use super::Core;
use crate::event::Event;
use crate::order::Order;
use crate::outbox::Outbox;
use crate::units::Nanos;

/// The orders that may be placed on the event at hand, and those that were kept back.
#[derive(Debug, Default)]
pub(super) struct Script {
    placed: VecDeque<Order>,
    kept_back: Vec<Order>,
}

impl Core {
    /// As [`Core::on_event`], on an event on which another program placed these orders, in this order. Returns the orders that
    /// this program would have placed and that were not. What `out` holds is not to be carried out.
    ///
    /// # Panics
    /// As [`Core::on_event`].
    pub fn on_followed(
        &mut self,
        now: Nanos,
        event: &Event,
        placed: &[Order],
        out: &mut Outbox,
    ) -> Vec<Order> {
        self.script =
            Some(Script { placed: placed.iter().copied().collect(), kept_back: Vec::new() });
        self.on_event(now, event, out);
        let Script { placed: left, kept_back } = self.script.take().expect("set above");
        self.script = Some(Script::default()); // nothing comes of what is taken over
        for order in &left {
            self.on_adopt(now, order, out);
        }
        self.script = None;
        kept_back
    }

    /// Whether a group may be begun: always, but for a core that follows where the other program began none.
    pub(super) fn may_begin(&self, order: &Order) -> bool {
        self.script.as_ref().is_none_or(|script| {
            let next = script.placed.front();
            next.is_some_and(|next| next.purpose.opens() && next.group == order.group)
        })
    }

    /// Whether an order may be placed: always, but for a core that follows where it is not the one that comes next.
    pub(super) fn may_place(&mut self, order: &Order) -> bool {
        let Some(script) = &mut self.script else { return true };
        let is_next = script.placed.front() == Some(order);
        if !is_next {
            script.kept_back.push(*order);
        }
        is_next
    }

    /// An order was placed that may be.
    pub(super) fn on_scripted(&mut self) {
        if let Some(script) = &mut self.script {
            script.placed.pop_front();
        }
    }
}
