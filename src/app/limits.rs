//! The limits of a run: shown, tightened while it goes on, and what a start makes of those of earlier runs.

use serde_json::{Value, json};
use surefoot_cold::observe::Snapshot;
use surefoot_cold::observe::observer::Announcer;
use surefoot_cold::observe::table::CoreFigure;
use surefoot_cold::observe::told::NamedPlace;
use surefoot_cold::state_dir::StateDir;
use surefoot_hot::core::Core;
use surefoot_hot::event::{Control, Event};
use surefoot_hot::risk::LimitRow;
use surefoot_hot::units::Usd;

use super::Running;
use super::run_note::RunNote;
use crate::config::Config;
use crate::config::explain::{self, Found};
use crate::config::keys::{self, Kind};
use crate::config::limits::{Limits, written};
use crate::config::tighten::{Change, begin, tighten};
use crate::control::operator_log::{LimitAct, record_limits, tightened};
use crate::exit::{Exit, Failed};

/// What a limit looks at, as it is now, in the limit's unit; `None` where no figure says it.
fn used(row: LimitRow, seen: &Snapshot) -> Option<u64> {
    let core = &seen.core;
    let positive = |usd: Usd| u64::try_from(usd.micros()).unwrap_or(0);
    let figure = |figure| core.usd(figure);
    let equity = positive(figure(CoreFigure::Equity));
    let share =
        |usd: Usd, of: u64| (of > 0).then(|| positive(usd).saturating_mul(100).div_ceil(of));
    let strategies = [CoreFigure::ArbitrageResult, CoreFigure::QuotingResult].map(figure);
    match row {
        LimitRow::DailyLoss => Some(positive(-figure(CoreFigure::DayResult))),
        LimitRow::DailyLossPercent => share(-figure(CoreFigure::DayResult), equity),
        LimitRow::DailyLossStrategy => strategies.into_iter().map(|result| positive(-result)).max(),
        LimitRow::EquityFloor => Some(equity),
        LimitRow::DrawdownPercent => {
            let peak = figure(CoreFigure::Peak);
            share(peak - figure(CoreFigure::Equity), positive(peak))
        }
        LimitRow::ExposureTotal => Some(positive(figure(CoreFigure::Exposure))),
        LimitRow::ExposureTotalPercent => share(figure(CoreFigure::Exposure), equity),
        LimitRow::LegFailPpm => Some(core.count(CoreFigure::LegFailPpm)),
        LimitRow::UnwindLossPpm => Some(core.count(CoreFigure::UnwindLossPpm)),
        _ => None,
    }
}

/// A change for scripts.
fn as_object(change: &Change) -> Value {
    let Change { row, old, new } = *change;
    json!({ "key": row.def().key, "old": written(row, old), "new": written(row, new) })
}

/// The limit that an operator names, and the value for it.
fn parse(key: &str, value: &str) -> Result<(LimitRow, u64), String> {
    let found = match explain::find(key) {
        Found::One(found) => found,
        Found::Many(many) => {
            let some: Vec<_> = many.iter().take(3).map(|key| key.path).collect();
            let (count, some) = (many.len(), some.join(", "));
            return Err(format!(
                "`{key}` is the beginning of {count} keys, such as {some}: name one of them"
            ));
        }
        Found::Nothing(meant) if meant.is_empty() => {
            return Err(format!("there is no limit `{key}`; `surefoot limits show` lists them"));
        }
        Found::Nothing(meant) => {
            return Err(format!("there is no limit `{key}`; did you mean {}?", meant.join(", ")));
        }
    };
    let Some(row) = explain::limit_of(found.path) else {
        return Err(format!("`{}` is no limit: it is read at a start alone", found.path));
    };
    assert!(
        matches!(found.kind, Kind::Whole(..) | Kind::Micros(..) | Kind::Ticks(..)),
        "limits are numbers"
    );
    match keys::parse(found.kind, value.trim()) {
        Ok(keys::Value::Number(number)) => Ok((row, number)),
        Ok(keys::Value::Text(_)) => unreachable!("a number is a number"),
        Err(why) => Err(format!("wrong value for `{}`: {why}", found.path)),
    }
}

impl Running {
    /// Every limit: what the configuration says, what is in force, and what it looks at as it is now.
    pub(super) fn show_limits(&mut self) -> Value {
        let seen = self.look_at_figures();
        let limits = self.config.limits.iter().map(|(row, value)| {
            let def = row.def();
            json!({
                "key": def.key,
                "about": def.about,
                "unit": explain::unit_name(def.unit),
                "configured": written(row, self.configured.value(row)),
                "in_force": written(row, value),
                "used": used(row, &seen).map(|used| written(row, used)),
            })
        });
        json!({ "limits": limits.collect::<Vec<_>>() })
    }

    /// Tightens a limit: written down first, then told to the core.
    ///
    /// # Errors
    /// The exit and everything that is wrong with it; nothing was changed then.
    pub(super) fn set_limit(
        &mut self,
        key: &str,
        value: &str,
        reason: &str,
    ) -> Result<Value, Failed> {
        let (row, value) = parse(key, value).map_err(|why| Failed(Exit::Usage, why))?;
        let given = &self.config.limits_given;
        let capital = self.config.capital();
        let changes = tighten(&self.config.limits, capital, |row| given.contains(&row), row, value)
            .map_err(|wrong| {
                Failed(Exit::Looser, format!("{}; nothing was changed", wrong.join("\n")))
            })?;
        record_limits(&self.state, LimitAct::Tightened, &changes, reason)
            .map_err(|error| Failed(Exit::State, error.to_string()))?;
        for &Change { row, new, .. } in &changes {
            self.engine.tell(Event::Control(Control::Limit { row, value: new }));
            self.config.limits.set(row, new);
        }
        self.config.limits_given.push(row);
        let words: Vec<_> = changes.iter().map(Change::words).collect();
        if !words.is_empty() {
            self.tell(RunNote::LimitTightened, format!("tightened {}: {reason}", words.join(", ")));
        }
        Ok(json!({ "changed": changes.iter().map(as_object).collect::<Vec<_>>() }))
    }
}

/// The limits that a run begins with: the configuration's, and tighter where an operator has tightened them while an earlier run went
/// on. What is looser than it was when the last run ended needs the operator's word (`loosen`), which is written down.
///
/// # Errors
/// That word is missing, or could not be written down: the limits, each with its old and its new value.
pub(super) fn at_start(
    state: &StateDir,
    config: &Config,
    last: Option<&Core>,
    loosen: Option<&str>,
    notes: &Announcer,
) -> Result<Limits, Failed> {
    let last = |row| last.and_then(|core| core.limits().value(row));
    let begun = begin(&config.limits, &tightened(state)?, last, loosen.is_some());
    let words =
        |changes: &[Change]| changes.iter().map(Change::words).collect::<Vec<_>>().join(", ");
    let tell = |what: RunNote, text| notes.note(what.told(NamedPlace::default(), text));
    if !begun.looser.is_empty() {
        let rows = words(&begun.looser);
        let Some(reason) = loosen else {
            let why = format!(
                "the configuration loosens limits: {rows}. Nothing was started. Tighten them again (`surefoot config explain KEY` \
                 says what they are), or say why they may be looser: `surefoot start --loosen WHY`; that is written into \
                 operator.jsonl"
            );
            return Err(Failed(Exit::Looser, why));
        };
        record_limits(state, LimitAct::Loosened, &begun.looser, reason)?;
        tell(RunNote::LimitsLoosened, format!("limits are looser from now on: {rows}: {reason}"));
    }
    if !begun.kept.is_empty() {
        let text = format!(
            "limits are tighter than the configuration's, because an operator tightened them while an earlier run went on: {}. \
             `surefoot start --loosen WHY` takes the configuration's",
            words(&begun.kept)
        );
        tell(RunNote::LimitsKept, text);
    }
    Ok(begun.in_force)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_named_by_its_key_and_its_value_read_as_in_the_file() {
        assert_eq!(parse("limits.daily_loss", "12.5"), Ok((LimitRow::DailyLoss, 12_500_000)));
        assert_eq!(parse("risk.edge_min", "0.02"), Ok((LimitRow::EdgeMin, 200)));
        for (key, value, why) in [
            ("limits.daly_loss", "1", "did you mean limits.daily_loss?"),
            ("zzzzzzzzzzz", "1", "limits show"),
            ("limits.collar_", "1", "limits.collar_percent, limits.collar_trade_ms: name one"),
            ("log.keep", "1", "is no limit"),
            ("limits.positions", "0", "`0` is not a whole number from 1 to 10000"),
            ("limits.positions", "many", "`many` is not a whole number"),
        ] {
            let said = parse(key, value).unwrap_err();
            assert!(said.contains(why), "{key} {value}: {said}");
        }
    }
}
