//! Why trading is halted.

use crate::pack::enum_table;

enum_table! {
    /// Why trading was halted.
    pub enum HaltWhy {
        /// A person said so.
        Operator = 0, "operator";
        /// The `KILL` file is there.
        KillFile = 1, "kill_file";
        /// The daily loss limit was reached.
        DailyLoss = 2, "daily_loss";
        /// A ring that may not fill was full.
        RingFull = 3, "ring_full";
        /// A group could not be closed within its bounds.
        Group = 4, "group";
        /// A thread died or fell silent.
        Thread = 5, "thread";
        /// The journal could not be written.
        Journal = 6, "journal";
        /// A filled quantity or price that cannot be.
        Impossible = 7, "impossible";
        /// The account is worth no more than the equity floor.
        EquityFloor = 8, "equity_floor";
        /// The account is too far below the most that it ever was worth.
        Drawdown = 9, "drawdown";
        /// One strategy's daily loss limit was reached.
        StrategyLoss = 10, "strategy_loss";
    }
}
