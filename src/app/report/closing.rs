//! The closing report as one JSON object.

use std::path::Path;
use std::time::Duration;

use hdrhistogram::Histogram;
use serde_json::{Map, Value, json};
use surefoot_cold::store::open_read_only;
use surefoot_hot::risk::LimitRow;
use surefoot_hot::units::Nanos;

use super::made_of::made_of;
use super::{Agreement, ClosingReport};
use crate::cli::Mode;
use crate::config::limits::show;
use crate::twin::world::WorldName;

impl ClosingReport<'_> {
    /// One JSON object.
    pub fn json(&self) -> Value {
        let mut report = self.figures.counters();
        let one_leg = one_leg(self.database, self.began);
        let limits: Map<String, Value> = self
            .limits
            .iter()
            .map(|(row, value)| (LimitRow::name(row).to_owned(), show(row, value).into()))
            .collect();
        let latency: Map<String, Value> = self
            .finished
            .stages
            .iter()
            .map(|(name, measured)| ((*name).to_owned(), quantiles(measured)))
            .collect();
        let more = json!({
            "figures": self.figures.0.json(),
            "mode": self.mode.name(),
            "simulated": self.mode == Mode::Paper,
            "paper": self.paper,
            "world": self.world.map(WorldName::name),
            "about": self.about,
            "run": self.run,
            "seed": self.seed,
            "topology": self.topology.name(),
            "duration_s": seconds(self.duration),
            "first_basket_s": self.first_basket.map(seconds),
            "one_leg": one_leg,
            "made_of": made_of(self.database, self.began, self.figures.result()),
            "foreign_orders": self.foreign,
            "reconciled": self.agreement == Agreement::Agreed,
            "audit": {
                "checked": self.audit.checked,
                "matched": self.audit.matched,
                "proven": self.audit.proven,
                "untold": self.audit.untold,
            },
            "decision_hash": format!("{:016x}", self.finished.core.decision_hash()),
            "state_hash": format!("{:016x}", self.finished.core.state_hash()),
            "latency_ns": latency,
            "turns": self.finished.turns.iter().map(|turns| json!({
                "busy": turns.busy, "idle": turns.idle, "longest_ns": turns.longest,
            })).collect::<Vec<_>>(),
            "journal_blocked": self.finished.blocked,
            "journal_error": self.finished.journal_error,
            "memory_mb": peak_memory_mb(),
            "limits": limits,
        });
        if let (Value::Object(report), Value::Object(more)) = (&mut report, more) {
            for (key, value) in more {
                report.insert(key, value);
            }
        }
        report
    }
}

fn quantiles(measured: &Histogram<u64>) -> Value {
    json!({
        "p50": measured.value_at_quantile(0.5),
        "p99": measured.value_at_quantile(0.99),
        "p999": measured.value_at_quantile(0.999),
        "max": measured.max(),
        "count": measured.len(),
    })
}

fn seconds(span: Duration) -> Value {
    let millis = u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
    format!("{}.{:03}", millis / 1_000, millis % 1_000)
        .parse::<f64>()
        .map_or(Value::Null, Value::from)
}

/// How often groups of this run stood on one leg and for how long, from the projection; and those that sold a leg again, alone.
fn one_leg(database: &Path, since: Nanos) -> Value {
    let read = |further: &str| -> Option<Vec<u64>> {
        let db = open_read_only(database).ok()?;
        let mut query = db
            .prepare(&format!(
                "SELECT one_leg_ns FROM groups WHERE one_leg_ns > 0 AND created_ns >= ? {further} ORDER BY one_leg_ns"
            ))
            .ok()?;
        let since = i64::try_from(since.get()).ok()?;
        let rows = query.query_map([since], |row| row.get::<_, i64>(0)).ok()?;
        rows.map(|row| row.ok().and_then(|ns| u64::try_from(ns).ok())).collect()
    };
    let (Some(all), Some(sold)) = (read(""), read("AND state = 'flat'")) else {
        return Value::Null;
    };
    let mut told = spans(&all);
    told["sold_again"] = spans(&sold);
    told
}

/// How many there are and how long they are, of spans in nanoseconds that are sorted.
fn spans(sorted: &[u64]) -> Value {
    let millis = |ns: u64| {
        format!("{}.{:03}", ns / 1_000_000, ns / 1_000 % 1_000).parse::<f64>().unwrap_or_default()
    };
    let quantile = |percent: usize| {
        let at = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
        millis(sorted.get(at).copied().unwrap_or(0))
    };
    json!({
        "count": sorted.len(), "p50_ms": quantile(50), "p99_ms": quantile(99), "max_ms": quantile(100),
    })
}

/// The most memory this process ever had resident, in megabytes.
fn peak_memory_mb() -> Value {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line
        .and_then(|text| text.split_whitespace().next())
        .and_then(|text| text.parse::<u64>().ok());
    kilobytes.map_or(Value::Null, |kilobytes| (kilobytes / 1_024).into())
}
