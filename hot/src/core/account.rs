//! The losses that the account may make: of a day, of a strategy in a day, and of the account below its peak and in all.

use super::Core;
use crate::note::Alarm;
use crate::order::Strategy;
use crate::outbox::Outbox;
use crate::risk::{EquityLimits, HaltWhy, LimitRow};
use crate::units::Usd;

impl Core {
    /// The account was valued, cash was corrected, or a limit is another one: what follows the account does so.
    pub(super) fn follow_account(&mut self) {
        self.equity_limits = EquityLimits::of(&self.limits, self.money.account());
    }

    /// Warns of losses before they halt, and halts.
    ///
    /// While only observing, with nothing held and no order alive, there is no trading to halt: the core goes on deciding, and the
    /// gate refuses every order. What is lost counts while trading is halted as well: whoever resumes finds it.
    pub(super) fn watch_losses(&mut self, out: &mut Outbox) {
        if self.limits.observes_only() && self.risks_nothing() {
            return;
        }
        if !self.limits.observes_only() {
            self.warn_of_losses(out);
        }
        if self.run.is_halted() {
            return;
        }
        if let Some(why) = self.lost() {
            self.trip(why, out);
        }
    }

    /// Whether there is neither a position nor an order or a plan that could make one.
    fn risks_nothing(&self) -> bool {
        self.money.exposure().total() == Usd::ZERO && self.orders.live().next().is_none()
    }

    /// The loss that must halt, if there is one. Where only observing is wanted no loss of a day is too much: what it guards
    /// is not begun.
    fn lost(&self) -> Option<HaltWhy> {
        let limits = &self.equity_limits;
        if !self.limits.observes_only() && -self.money.day_result() >= limits.daily_loss {
            return Some(HaltWhy::DailyLoss);
        }
        let loses = |of: &Strategy| -self.money.strategy_result(*of) >= limits.strategy_loss;
        if limits.strategy_loss > Usd::ZERO && Strategy::ALL.iter().any(loses) {
            return Some(HaltWhy::StrategyLoss);
        }
        // What the account is worth is known once every venue was read in this run.
        if self.run.is_configuring() {
            return None;
        }
        let account = self.money.account();
        if account.equity <= self.limits.usd(LimitRow::EquityFloor) {
            return Some(HaltWhy::EquityFloor);
        }
        (account.drawdown() >= limits.drawdown).then_some(HaltWhy::Drawdown)
    }

    /// Once a day each: of what the account has lost, and of what each strategy has.
    fn warn_of_losses(&mut self, out: &mut Outbox) {
        let EquityLimits { daily_loss_warn, strategy_loss_warn, .. } = self.equity_limits;
        let loses = |result: Usd, warn| result < Usd::ZERO && -result >= warn;
        if loses(self.money.day_result(), daily_loss_warn)
            && self.money.day_mut().warns_of_account()
        {
            self.alarm(Alarm::DailyLossNear, None, None, out);
        }
        for strategy in Strategy::ALL {
            if loses(self.money.strategy_result(strategy), strategy_loss_warn)
                && self.money.day_mut().warns_of(strategy)
            {
                self.alarm(Alarm::StrategyLossNear, None, None, out);
            }
        }
    }
}
