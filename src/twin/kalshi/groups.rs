//! Order groups: a brake on how fast orders fill (`venues/kalshi.md` §3.10).

use std::collections::VecDeque;

use surefoot_hot::units::{Nanos, Qty};

use super::KalshiVenue;
use super::order::Refusal;

/// Fills this old no longer count.
const WINDOW: Nanos = Nanos::from_secs(15);

/// An order group: its orders are cancelled together once they fill more than its limit in 15 s.
#[derive(Clone, Debug)]
pub(super) struct Group {
    pub id: String,
    pub account: u32,
    pub shard: u8,
    pub limit: Qty,
    pub triggered: bool,
    pub deleted: bool,
    fills: VecDeque<(Nanos, Qty)>,
}

impl KalshiVenue {
    /// Makes a group; gives its index.
    pub(super) fn create_group(
        &mut self,
        account: u32,
        shard: u8,
        limit: Qty,
        now: Nanos,
    ) -> usize {
        let id = self.uuid();
        let (triggered, deleted) = (false, false);
        self.groups.push(Group {
            id,
            account,
            shard,
            limit,
            triggered,
            deleted,
            fills: VecDeque::new(),
        });
        let index = self.groups.len() - 1;
        self.show_group(index, "created", now);
        index
    }

    /// A group of the account that takes orders for this shard.
    pub(super) fn usable_group(&self, account: u32, id: &str, shard: u8) -> Result<usize, Refusal> {
        let index = self.find_group(account, id)?;
        let group = &self.groups[index];
        if group.shard != shard {
            return Err(Refusal::new(404, "order_group_not_found", "order group not found"));
        }
        if group.triggered {
            let (code, message) = ("exceeded_order_group_risk_limit", "order group is triggered");
            return Err(Refusal::new(400, code, message));
        }
        Ok(index)
    }

    /// A group of the account that was not deleted.
    pub(super) fn find_group(&self, account: u32, id: &str) -> Result<usize, Refusal> {
        let is_it = |group: &Group| group.id == id && group.account == account && !group.deleted;
        let found = self.groups.iter().position(is_it);
        found.ok_or(Refusal::new(404, "order_group_not_found", "order group not found"))
    }

    /// Cancels its orders and takes no more until reset.
    pub(super) fn trigger_group(&mut self, index: usize, now: Nanos) {
        self.groups[index].triggered = true;
        self.cancel_group(index, now);
        self.show_group(index, "triggered", now);
    }

    /// Clears the trigger and the count.
    pub(super) fn reset_group(&mut self, index: usize, now: Nanos) {
        self.groups[index].triggered = false;
        self.groups[index].fills.clear();
        self.show_group(index, "reset", now);
    }

    /// Another limit; one below what has filled lately triggers at once.
    pub(super) fn limit_group(&mut self, index: usize, limit: Qty, now: Nanos) {
        self.groups[index].limit = limit;
        self.show_group(index, "limit_updated", now);
        self.check_group(index, now);
    }

    /// Cancels its orders and forgets it.
    pub(super) fn delete_group(&mut self, index: usize, now: Nanos) {
        self.cancel_group(index, now);
        self.groups[index].deleted = true;
        self.show_group(index, "deleted", now);
    }

    /// An order of the group filled. Its limit is looked at once the whole sweep is booked: what the sweep has
    /// already matched can no longer be cancelled.
    pub(super) fn on_group_fill(&mut self, index: usize, qty: Qty, now: Nanos) {
        self.groups[index].fills.push_back((now, qty));
        self.filled_groups.push(index);
    }

    /// Looks at the limits of the groups that have filled.
    pub(super) fn check_filled_groups(&mut self, now: Nanos) {
        for index in std::mem::take(&mut self.filled_groups) {
            self.check_group(index, now);
        }
    }

    fn check_group(&mut self, index: usize, now: Nanos) {
        let group = &mut self.groups[index];
        while group.fills.front().is_some_and(|(at, _)| at.after(WINDOW) <= now) {
            group.fills.pop_front();
        }
        let sum = group.fills.iter().fold(Qty::ZERO, |sum, (_, qty)| sum + *qty);
        if sum > group.limit && !group.triggered {
            self.trigger_group(index, now);
        }
    }

    fn cancel_group(&mut self, index: usize, now: Nanos) {
        for order in self.group_orders(index) {
            self.finish(order, "", now);
        }
    }

    /// Its resting orders.
    pub(super) fn group_orders(&self, index: usize) -> Vec<usize> {
        let account = &self.accounts[self.groups[index].account as usize];
        let open = account.open.values().flatten().copied();
        open.filter(|order| self.orders[*order].group == Some(index)).collect()
    }
}
