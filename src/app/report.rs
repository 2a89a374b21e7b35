//! What a run says of itself: a line a second, and a report at the end.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::Duration;

use hdrhistogram::Histogram;
use serde_json::{Map, Value, json};
use surefoot_cold::directory::Directory;
use surefoot_cold::reconcile::Truth;
use surefoot_cold::store::open_read_only;
use surefoot_hot::core::Core;
use surefoot_hot::ids::{Outcome, Venue};
use surefoot_hot::ledger::Purse;
use surefoot_hot::risk::LimitRow;
use surefoot_hot::stats::Stats;
use surefoot_hot::units::{Nanos, Qty, Usd};

use super::foreign;
use crate::cli::Mode;
use crate::config::limits::{Limits, show};
use crate::machine::Finished;
use crate::machine::shown::Shown;
use crate::machine::topology::Topology;

/// What the book-hash audit counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AuditCounts {
    /// Books and changes whose hash was recomputed.
    pub checked: u64,
    /// Those that matched the venue's.
    pub matched: u64,
    /// Mismatches that prove a lost change.
    pub proven: u64,
}

/// Everything the closing report is made from.
pub struct Report<'a> {
    /// Which mode.
    pub mode: Mode,
    /// What this run is.
    pub about: &'a [String],
    /// Its seed.
    pub seed: u64,
    /// Which agents shared which thread.
    pub topology: Topology,
    /// How long it ran.
    pub duration: Duration,
    /// Its number.
    pub run: u64,
    /// When it began.
    pub began: Nanos,
    /// How long the first completed basket took from the start.
    pub first_basket: Option<Duration>,
    /// What the threads left behind.
    pub finished: &'a Finished,
    /// Counters at the start: a continued journal counts on.
    pub base: &'a Stats,
    /// What the agents showed.
    pub shown: &'a Shown,
    /// The audit's counts.
    pub audit: AuditCounts,
    /// Orders at the venues that are not ours, by the venue's name.
    pub foreign: &'a [String],
    /// Whether the venues agree with us.
    pub reconciled: bool,
    /// The limits it ran under.
    pub limits: &'a Limits,
    /// The projection.
    pub database: &'a Path,
}

/// Dollars as a JSON number, exact to the microdollar in its text.
fn usd(amount: Usd) -> Value {
    amount.to_string().parse::<f64>().map_or(Value::Null, Value::from)
}

/// What has happened since `base`: counters as differences, figures as they stand. A counter below its base (a figure of
/// before the core has spoken) counts as nothing; it must not end whoever asks.
#[must_use]
pub fn this_run(stats: &Stats, base: &Stats) -> Stats {
    let over = u64::saturating_sub;
    Stats {
        events: over(stats.events, base.events),
        opportunities: over(stats.opportunities, base.opportunities),
        baskets_opened: over(stats.baskets_opened, base.baskets_opened),
        baskets_completed: over(stats.baskets_completed, base.baskets_completed),
        baskets_unwound: over(stats.baskets_unwound, base.baskets_unwound),
        baskets_failed: over(stats.baskets_failed, base.baskets_failed),
        baskets_operator: over(stats.baskets_operator, base.baskets_operator),
        groups_reopened: over(stats.groups_reopened, base.groups_reopened),
        orders_placed: over(stats.orders_placed, base.orders_placed),
        orders_unsent: over(stats.orders_unsent, base.orders_unsent),
        orders_acked: over(stats.orders_acked, base.orders_acked),
        orders_rejected: over(stats.orders_rejected, base.orders_rejected),
        orders_unknown: over(stats.orders_unknown, base.orders_unknown),
        cancels: over(stats.cancels, base.cancels),
        refusals: over(stats.refusals, base.refusals),
        fills: over(stats.fills, base.fills),
        fills_failed: over(stats.fills_failed, base.fills_failed),
        stales: over(stats.stales, base.stales),
        strays: over(stats.strays, base.strays),
        alarms: over(stats.alarms, base.alarms),
        realised: less(stats.realised, base.realised),
        fees: less(stats.fees, base.fees),
        ..*stats
    }
}

/// The difference of two amounts, at the end of the range where it would leave it.
fn less(amount: Usd, other: Usd) -> Usd {
    Usd::from_micros(amount.micros().saturating_sub(other.micros()))
}

/// Realised and unrealised result since `base`.
fn result_since(stats: &Stats, base: &Stats) -> Usd {
    let (realised, unrealised) = (stats.realised.micros(), stats.unrealised.micros());
    let before = base.realised.micros().saturating_add(base.unrealised.micros());
    Usd::from_micros(realised.saturating_add(unrealised).saturating_sub(before))
}

/// Counters of this run.
pub fn counters(stats: &Stats, base: &Stats, shown: &Shown) -> Value {
    let result = result_since(stats, base);
    let stats = &this_run(stats, base);
    json!({
        "frames": {
            "polymarket": shown.frames[Venue::Polymarket.index()].load(Ordering::Relaxed),
            "kalshi": shown.frames[Venue::Kalshi.index()].load(Ordering::Relaxed),
        },
        "links_up": shown.links_up.load(Ordering::Relaxed),
        "links_lost": shown.links_lost.load(Ordering::Relaxed),
        "bad_frames": shown.bad_frames.load(Ordering::Relaxed),
        "books": {
            "polymarket": { "markets": stats.books[0].0, "good": stats.books[0].1 },
            "kalshi": { "markets": stats.books[1].0, "good": stats.books[1].1 },
        },
        "opportunities": stats.opportunities,
        "baskets": {
            "opened": stats.baskets_opened,
            "completed": stats.baskets_completed,
            "unwound": stats.baskets_unwound,
            "failed": stats.baskets_failed,
            "operator": stats.baskets_operator,
            "reopened": stats.groups_reopened,
            "leg_fail_ppm": stats.leg_fail_ppm,
            "unwind_loss_ppm": stats.unwind_loss_ppm,
        },
        "orders": {
            "sent": stats.orders_placed.saturating_sub(stats.orders_unsent),
            "acked": stats.orders_acked,
            "rejected": stats.orders_rejected,
            "unknown": stats.orders_unknown,
            "unsent": stats.orders_unsent,
            "refused": stats.refusals,
            "cancels": stats.cancels,
            "live": stats.orders_live,
            "foreign": stats.foreign.iter().map(|foreign| foreign.count).sum::<u32>(),
        },
        "groups_live": stats.groups_live,
        "fills": stats.fills,
        "fills_failed": stats.fills_failed,
        "stalls": stats.stalls,
        "stale_books": stats.stales,
        "alarms": stats.alarms,
        "pnl_usd": usd(result),
        "pnl": {
            "realised_usd": usd(stats.realised),
            "unrealised_usd": usd(stats.unrealised),
        },
        "fees_usd": usd(stats.fees),
        "exposure_usd": usd(stats.exposure),
        "claims_usd": usd(stats.claims),
        "cash_usd": { "polymarket": usd(stats.cash[0]), "kalshi": usd(stats.cash[1]) },
    })
}

/// Lines between two heads of the table.
const LINES_PER_HEAD: u64 = 20;

/// The line of one second, on stderr: stdout is for data. `nth` counts the lines from zero.
pub fn say_line(nth: u64, since: Duration, stats: &Stats, base: &Stats, shown: &Shown, open: bool) {
    if nth.is_multiple_of(LINES_PER_HEAD) {
        eprintln!(
            "   s state    frames books  seen  done unwound missed orders live fills  at risk   result"
        );
    }
    let frames: u64 = shown.frames.iter().map(|frames| frames.load(Ordering::Relaxed)).sum();
    let good = stats.books[0].1 + stats.books[1].1;
    let all = stats.books[0].0 + stats.books[1].0;
    let state = match (stats.halted, open) {
        (true, _) => "HALTED",
        (_, true) => "open",
        _ => "starting",
    };
    let result = result_since(stats, base);
    let stats = &this_run(stats, base);
    eprintln!(
        "{:>4} {state:<8} {frames:>6} {:>5} {:>5} {:>5} {:>7} {:>6} {:>6} {:>4} {:>5} {:>8} {:>8}",
        since.as_secs(),
        format!("{good}/{all}"),
        stats.opportunities,
        stats.baskets_completed,
        stats.baskets_unwound,
        stats.baskets_failed,
        stats.orders_placed,
        stats.orders_live,
        stats.fills,
        cents(stats.exposure),
        cents(result),
    );
}

/// Dollars to the cent, for people: `$12.30`, `-$0.07`.
fn cents(amount: Usd) -> String {
    let cents = (amount.micros() / 10_000).unsigned_abs();
    let sign = if amount < Usd::ZERO && cents > 0 { "-" } else { "" };
    format!("{sign}${}.{:02}", cents / 100, cents % 100)
}

/// The limits in force, one line each, for people.
pub fn say_limits(limits: &Limits) {
    eprintln!("limits:");
    for (row, value) in limits.iter() {
        eprintln!("  {:<26} {}", row.name(), show(row, value));
    }
}

impl Report<'_> {
    /// One JSON object.
    pub fn json(&self) -> Value {
        let stats = self.finished.core.stats();
        let mut report = counters(&stats, self.base, self.shown);
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
            "mode": self.mode.name(),
            "about": self.about,
            "run": self.run,
            "seed": self.seed,
            "topology": self.topology.name(),
            "duration_s": seconds(self.duration),
            "first_basket_s": self.first_basket.map(seconds),
            "one_leg": one_leg,
            "foreign_orders": self.foreign,
            "reconciled": self.reconciled,
            "audit": { "checked": self.audit.checked, "matched": self.audit.matched, "proven": self.audit.proven },
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

    /// The same, for people.
    pub fn print(&self) {
        let value = self.json();
        println!(
            "\n{} run {} ended after {:.1} s ({} topology)",
            self.mode.name(),
            self.run,
            self.duration.as_secs_f32(),
            self.topology.name()
        );
        for line in self.about {
            println!("  {line}");
        }
        let at = |pointer: &str| value.pointer(pointer).cloned().unwrap_or_default();
        println!(
            "  frames          {} polymarket, {} kalshi; book hashes {} of {} matched",
            at("/frames/polymarket"),
            at("/frames/kalshi"),
            at("/audit/matched"),
            at("/audit/checked")
        );
        println!("  opportunities   {}", at("/opportunities"));
        println!(
            "  baskets         {} opened: {} completed, {} unwound, {} missed, {} for the operator{}",
            at("/baskets/opened"),
            at("/baskets/completed"),
            at("/baskets/unwound"),
            at("/baskets/failed"),
            at("/baskets/operator"),
            self.first_basket
                .map(|after| format!("; first after {:.1} s", after.as_secs_f32()))
                .unwrap_or_default()
        );
        println!(
            "  orders          {} sent, {} acked, {} rejected, {} unknown; {} fills",
            at("/orders/sent"),
            at("/orders/acked"),
            at("/orders/rejected"),
            at("/orders/unknown"),
            at("/fills")
        );
        println!(
            "  on one leg      {} times, p99 {} ms, longest {} ms",
            at("/one_leg/count"),
            at("/one_leg/p99_ms"),
            at("/one_leg/max_ms")
        );
        println!(
            "  result          ${} after ${} fees (complete baskets at what they pay at least)",
            at("/pnl_usd"),
            at("/fees_usd")
        );
        println!(
            "  reconciled      {}",
            if self.reconciled {
                "yes: positions, cash and open orders equal the venues'"
            } else {
                "NO: see above"
            }
        );
        for name in self.foreign {
            println!("  not ours        {name} rests: left alone");
        }
        if let Some(why) = &self.finished.journal_error {
            println!("  journal         NOT whole: {why}");
        }
        println!("  decision hash   {}", at("/decision_hash").as_str().unwrap_or_default());
        println!("  memory          {} MB at its peak", at("/memory_mb"));
        println!(
            "  latency (ns)    {:<8} {:>10} {:>10} {:>10} {:>12} {:>10}",
            "stage", "p50", "p99", "p99.9", "max", "count"
        );
        for (name, measured) in &self.finished.stages {
            println!(
                "                  {name:<8} {:>10} {:>10} {:>10} {:>12} {:>10}",
                measured.value_at_quantile(0.5),
                measured.value_at_quantile(0.99),
                measured.value_at_quantile(0.999),
                measured.max(),
                measured.len()
            );
        }
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

/// How often groups of this run stood on one leg, and for how long, from the projection.
fn one_leg(database: &Path, since: Nanos) -> Value {
    let read = || -> Option<Vec<u64>> {
        let db = open_read_only(database).ok()?;
        let mut query = db
            .prepare("SELECT one_leg_ns FROM groups WHERE one_leg_ns > 0 AND created_ns >= ? ORDER BY one_leg_ns")
            .ok()?;
        let since = i64::try_from(since.get()).ok()?;
        let rows = query.query_map([since], |row| row.get::<_, i64>(0)).ok()?;
        rows.map(|row| row.ok().and_then(|ns| u64::try_from(ns).ok())).collect()
    };
    let Some(spans) = read() else { return Value::Null };
    let millis = |ns: u64| {
        format!("{}.{:03}", ns / 1_000_000, ns / 1_000 % 1_000).parse::<f64>().unwrap_or_default()
    };
    let p99 = spans.get((spans.len() * 99).div_ceil(100).saturating_sub(1)).copied().unwrap_or(0);
    json!({ "count": spans.len(), "p99_ms": millis(p99), "max_ms": millis(spans.last().copied().unwrap_or(0)) })
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

/// Every difference between the core's books and what a second client read from the venues.
pub fn compare(
    core: &Core,
    directory: &Directory,
    truths: &[Result<Truth, String>],
) -> Vec<String> {
    let mut differences = Vec::new();
    for (venue, truth) in Venue::ALL.into_iter().zip(truths) {
        match truth {
            Ok(truth) => compare_with(core, directory, venue, truth, &mut differences),
            Err(why) => differences.push(why.clone()),
        }
    }
    if core.orders().live_len() > 0 {
        differences
            .push(format!("{} of our orders are not accounted for", core.orders().live_len()));
    }
    differences
}

/// The differences between the core's books and what one venue says.
fn compare_with(
    core: &Core,
    directory: &Directory,
    venue: Venue,
    truth: &Truth,
    differences: &mut Vec<String>,
) {
    let name = venue.name();
    let held: BTreeMap<_, _> = truth
        .positions
        .iter()
        .filter(|&&(_, yes, no)| (yes, no) != (Qty::ZERO, Qty::ZERO))
        .map(|&(market, yes, no)| (market, (yes, no)))
        .collect();
    // A settled market's contracts stay on Polymarket's list until they are redeemed, and their money comes then.
    let mut redeemed = Usd::ZERO;
    for entry in directory.of(venue) {
        let position = core.ledger().position(entry.def.market);
        let theirs = held.get(&entry.def.market).copied();
        if theirs.is_none() && position.has_claim() {
            redeemed += position.claim();
            continue;
        }
        let here = |outcome| position.held(outcome) + position.claimed(outcome);
        let (ours, theirs) = ((here(Outcome::Yes), here(Outcome::No)), theirs.unwrap_or_default());
        if ours != theirs {
            differences.push(format!(
                "{name} {}: we hold {} YES and {} NO, the venue says {} and {}",
                entry.names.id(),
                ours.0,
                ours.1,
                theirs.0,
                theirs.1
            ));
        }
    }
    let shared = truth.open.iter().any(|open| foreign::is_foreign(core, open));
    // The last comparison saw one that is gone by now: what it held came back since.
    let lately = core.stats().foreign[venue.index()].count > 0;
    let held_back = match (shared, lately) {
        (true, _) => "; orders that are not ours rest there and may hold it",
        (false, true) => {
            "; an order that is not ours rested there until lately and may have held it"
        }
        (false, false) => "",
    };
    let owed = match redeemed {
        Usd::ZERO => String::new(),
        _ => format!(" with ${redeemed} for contracts that were redeemed"),
    };
    for &(shard, cash) in &truth.cash {
        let ours = core.ledger().cash(Purse::of(venue, shard)) + redeemed;
        if ours != cash {
            differences.push(format!(
                "{name} cash on shard {shard}: we have ${ours}{owed}, the venue ${cash}{held_back}"
            ));
        }
    }
    for open in truth.open.iter().filter(|open| !foreign::is_foreign(core, open)) {
        differences.push(format!("{name}: order {} still rests", open.id));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A request that comes before the core's first counters finds zeros where the base is a long journal's.
    #[test]
    fn counters_below_their_base_count_as_nothing() {
        let base = Stats {
            opportunities: 900,
            orders_placed: 40,
            orders_unsent: 3,
            realised: Usd::from_dollars(12),
            fees: Usd::from_micros(i64::MAX),
            ..Stats::default()
        };
        let early = counters(&Stats::default(), &base, &Shown::default());
        assert_eq!(early["opportunities"], 0);
        assert_eq!((&early["orders"]["sent"], &early["orders"]["unsent"]), (&0.into(), &0.into()));
        assert_eq!(early["pnl_usd"], -12.0);
        let worst = Stats { unrealised: Usd::from_micros(i64::MIN), ..Stats::default() };
        assert!(counters(&worst, &base, &Shown::default())["pnl_usd"].is_number());
        say_line(0, Duration::ZERO, &worst, &base, &Shown::default(), false);
        let later = Stats { opportunities: 907, orders_placed: 45, orders_unsent: 4, ..base };
        let later = counters(&later, &base, &Shown::default());
        assert_eq!((&later["opportunities"], &later["orders"]["sent"]), (&7.into(), &4.into()));
    }
}
