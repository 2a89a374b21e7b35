//! What came of a simulated day.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use surefoot_cold::text::counted;
use surefoot_hot::core::Core;
use surefoot_hot::group::Sequencing;
use surefoot_hot::hash::Hash64;
use surefoot_hot::note::Alarm;
use surefoot_hot::units::{Nanos, Usd};

use super::checks::Checks;
use super::scenario::Tally;
use super::shell::ShellFigures;

/// One day that held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The seed that gives it again.
    pub seed: u64,
    /// How long it was.
    pub span: Nanos,
    /// Baskets that were begun.
    pub opened: u64,
    /// Of those, baskets of which every leg was bought.
    pub completed: u64,
    /// Of those, baskets of which what was bought was sold again.
    pub unwound: u64,
    /// Of those, baskets whose first leg found nothing.
    pub failed: u64,
    /// Of those, baskets that were handed to a person.
    pub operator: u64,
    /// Of those, how many left in each way, by the number of [`Sequencing`].
    pub sequenced: [u64; 3],
    /// Realised result, fees taken off, and what the contracts held would bring.
    pub result: Usd,
    /// Fees that the venues charged.
    pub fees: Usd,
    /// Orders that left.
    pub orders: u64,
    /// Fills that the core booked.
    pub fills: u64,
    /// What baskets that were unwound have cost; part of `result`.
    pub unwound_result: Usd,
    /// Stop-losses that began.
    pub stops: u64,
    /// Sales at what is bid to which one came after its limit order.
    pub stops_fallen: u64,
    /// Purchases of the partner of contracts that stood alone that began.
    pub completions: u64,
    /// Alarms that the core raised, by name.
    pub alarms: BTreeMap<&'static str, u64>,
    /// Faults that began, by name.
    pub faults: BTreeMap<&'static str, u64>,
    /// Scenarios that the day has had.
    pub scenarios: Tally,
    /// Trades that were matched and taken back.
    pub trades_failed: u64,
    /// Events that the core handled. All invariants were checked after each.
    pub events: u64,
    /// Times that the program was started again after it was killed.
    pub starts: u64,
    /// WebSocket frames that the sessions read.
    pub frames: u64,
    /// How often the run policy looked around, read a venue, kept a halt and lifted it.
    pub shell: ShellFigures,
    /// Hash of the core's decisions.
    pub decision_hash: u64,
    /// Hash of the core's state at the end.
    pub state_hash: u64,
    /// Hash of every byte that went between us and the venues, with its time.
    pub wire_hash: u64,
}

impl Outcome {
    pub(super) fn new(
        seed: u64,
        span: Nanos,
        core: &Core,
        checks: &Checks,
        (shell, scenarios): (ShellFigures, Tally),
        (orders, frames, wire): (u64, u64, Hash64),
    ) -> Self {
        let stats = core.stats();
        let is_one_run = checks.starts == 0;
        assert!(!is_one_run || stats.events == checks.steps, "every event was checked");
        Self {
            seed,
            span,
            opened: stats.baskets_opened,
            completed: stats.baskets_completed,
            unwound: stats.baskets_unwound,
            failed: stats.baskets_failed,
            operator: stats.baskets_operator,
            sequenced: checks.sequenced,
            result: stats.realised + stats.unrealised,
            fees: stats.fees,
            orders,
            fills: stats.fills,
            unwound_result: checks.unwound.values().fold(Usd::ZERO, |sum, result| sum + *result),
            stops: checks.alarmed(Alarm::StopLoss),
            stops_fallen: checks.alarmed(Alarm::StopLossFallback),
            completions: checks.alarmed(Alarm::Completing),
            alarms: checks.alarms.clone(),
            faults: checks.faults.clone(),
            scenarios,
            trades_failed: checks.trades_failed,
            events: checks.steps,
            starts: checks.starts,
            frames,
            shell,
            decision_hash: core.decision_hash(),
            state_hash: core.state_hash(),
            wire_hash: wire.get(),
        }
    }

    /// As one JSON object.
    pub fn json(&self) -> Value {
        json!({
            "seed": self.seed,
            "span_ms": self.span.millis(),
            "opened": self.opened,
            "completed": self.completed,
            "unwound": self.unwound,
            "failed": self.failed,
            "operator": self.operator,
            "sequenced": Sequencing::ALL.map(|way| (way.name(), self.sequenced[way as usize])).into_iter().collect::<BTreeMap<_, _>>(),
            "result_usd": self.result.to_string(),
            "unwound_result_usd": self.unwound_result.to_string(),
            "fees_usd": self.fees.to_string(),
            "orders": self.orders,
            "fills": self.fills,
            "stop_losses": self.stops,
            "stop_loss_fallbacks": self.stops_fallen,
            "completions": self.completions,
            "alarms": self.alarms,
            "faults": self.faults,
            "scenarios": self.scenarios.by_id(),
            "trades_failed": self.trades_failed,
            "starts": self.starts,
            "events": self.events,
            "frames": self.frames,
            "looks": self.shell.looks,
            "readings": self.shell.readings,
            "halts": self.shell.halts,
            "resumes": self.shell.resumes,
            "halts_unasked": self.shell.halts_unasked,
            "readings_failed": self.shell.readings_failed,
            "decision_hash": format!("{:016x}", self.decision_hash),
            "state_hash": format!("{:016x}", self.state_hash),
            "wire_hash": format!("{:016x}", self.wire_hash),
        })
    }

    /// How many baskets left otherwise than one leg after the other, in words.
    fn ways(&self) -> String {
        let others = [Sequencing::Staggered, Sequencing::Parallel];
        let some = others.into_iter().filter(|way| self.sequenced[*way as usize] > 0);
        some.map(|way| format!(", {} {}", self.sequenced[way as usize], way.name())).collect()
    }

    /// As one line.
    pub fn line(&self) -> String {
        format!(
            "seed {}: {}, {} completed, {} unwound, {} without a first leg, {} to a person{}, {}, result ${}; decisions {:016x}, state {:016x}",
            self.seed,
            counted(self.faults.values().sum(), "fault", "faults"),
            counted(self.completed, "basket", "baskets"),
            self.unwound,
            self.failed,
            self.operator,
            self.ways(),
            counted(self.stops, "stop-loss", "stop-losses"),
            self.result,
            self.decision_hash,
            self.state_hash
        )
    }
}
