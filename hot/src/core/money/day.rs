//! The trading day: each strategy's result in it, and which losses were warned of.

use crate::bounds::MARKETS_MAX;
use crate::ids::MarketId;
use crate::order::{ByStrategy, Strategy};
use crate::state::state_fields;
use crate::units::Usd;

/// How many strategies there are.
const STRATEGIES: usize = Strategy::ALL.len();

/// The day: see the head of this file.
#[derive(Debug)]
pub(in crate::core) struct Day {
    /// What each strategy has realised today, fees taken off.
    realised: ByStrategy,
    /// What everything that is held was worth over its cost when the day began, by the strategy that it is of.
    base: ByStrategy,
    /// The strategy that made the first purchase in a market since nothing was held there. The results of all that is held
    /// there are its own.
    owner: Vec<Strategy>,
    /// Whether the account's loss was warned of today.
    account_warned: bool,
    /// Whether each strategy's loss was.
    strategy_warned: [bool; STRATEGIES],
}

state_fields! {
    Day { realised: value, base: value, owner: table(Strategy::Arbitrage), account_warned: value, strategy_warned: value }
}

impl Day {
    pub fn new() -> Self {
        Self {
            realised: [Usd::ZERO; STRATEGIES],
            base: [Usd::ZERO; STRATEGIES],
            owner: vec![Strategy::Arbitrage; MARKETS_MAX],
            account_warned: false,
            strategy_warned: [false; STRATEGIES],
        }
    }

    /// A new day begins: nothing is realised, nothing was warned of, and what is held counts from what it is worth now.
    pub fn begin(&mut self, marked: &ByStrategy) {
        self.base = *marked;
        self.realised = [Usd::ZERO; STRATEGIES];
        self.account_warned = false;
        self.strategy_warned = [false; STRATEGIES];
    }

    /// The result of a strategy: what it has realised today, fees taken off, and by how much what it holds has come to be
    /// worth more.
    pub fn result(&self, strategy: Strategy, marked: &ByStrategy) -> Usd {
        let of = strategy as usize;
        self.realised[of] + marked[of] - self.base[of]
    }

    /// The result of all strategies.
    pub fn result_of_all(&self, marked: &ByStrategy) -> Usd {
        Strategy::ALL.iter().fold(Usd::ZERO, |sum, of| sum + self.result(*of, marked))
    }

    /// The strategy whose result everything in a market is.
    pub fn owner(&self, market: MarketId) -> Strategy {
        self.owner[market.index()]
    }

    /// So much of what a market's holdings are worth over their cost is no result of today's.
    pub fn leave_out(&mut self, market: MarketId, by: Usd) {
        self.base[self.owner(market) as usize] += by;
    }

    /// What all strategies have realised today.
    pub fn realised_by_all(&self) -> Usd {
        self.realised.iter().fold(Usd::ZERO, |sum, of| sum + *of)
    }

    /// Something is bought in a market where nothing is held.
    pub fn on_opened(&mut self, market: MarketId, strategy: Strategy) {
        self.owner[market.index()] = strategy;
    }

    /// What is held in a market has realised so much, or less than was booked.
    pub fn on_realised(&mut self, market: MarketId, result: Usd) {
        self.realised[self.owner[market.index()] as usize] += result;
    }

    /// Whether the account's loss is to be warned of now: once a day.
    pub fn warns_of_account(&mut self) -> bool {
        !std::mem::replace(&mut self.account_warned, true)
    }

    /// Whether a strategy's loss is to be warned of now: once a day.
    pub fn warns_of(&mut self, strategy: Strategy) -> bool {
        !std::mem::replace(&mut self.strategy_warned[strategy as usize], true)
    }
}

/// What tests spoil, to see that a check finds it.
#[cfg(test)]
impl Day {
    pub const fn base_mut(&mut self) -> &mut Usd {
        &mut self.base[0]
    }
}
