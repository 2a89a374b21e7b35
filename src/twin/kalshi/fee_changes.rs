//! Fees that change: what is announced is listed, and holds from its date on (`venues/kalshi.md` §7.1).

use serde_json::{Value, json};
use surefoot_hot::units::Nanos;

use super::KalshiVenue;
use super::text::rfc3339;
use super::views::ratio;
use crate::twin::http::Request;
use crate::twin::market_set::SeriesFee;

/// One change of the fee of a series.
#[derive(Clone, Debug)]
pub(super) struct FeeChange {
    id: String,
    series: usize,
    fee: SeriesFee,
    from: Nanos,
    /// Whether it holds.
    is_made: bool,
}

impl KalshiVenue {
    /// The fee of a market's series is another one from some time on. It is listed at once.
    pub fn schedule_fee(&mut self, market: usize, fee: SeriesFee, from: Nanos) {
        let series = self.events[self.markets[market].spec.event].series;
        let id = self.uuid();
        self.fee_changes.push(FeeChange { id, series, fee, from, is_made: false });
    }

    /// Fees whose time has come hold, in the order of their times.
    pub(super) fn change_fees(&mut self, now: Nanos) {
        loop {
            let next = self.fee_changes.iter_mut().filter(|change| !change.is_made);
            let Some(change) = next.min_by_key(|change| change.from).filter(|c| c.from <= now)
            else {
                return;
            };
            change.is_made = true;
            let (series, fee) = (change.series, change.fee);
            self.series[series].fee = fee;
            for market in &mut self.markets {
                if self.events[market.spec.event].series == series {
                    market.fee = fee.rule();
                }
            }
        }
    }

    /// When the next fee changes.
    pub(super) fn next_fee_change(&self) -> Nanos {
        let left = self.fee_changes.iter().filter(|change| !change.is_made);
        left.map(|change| change.from).min().unwrap_or(Nanos::NEVER)
    }

    /// The list of changes: those to come, and with `show_historical` those that hold as well.
    pub(super) fn fee_changes_view(&self, req: &Request) -> Value {
        let all = req.query("show_historical") == Some("true");
        let series = req.query("series_ticker");
        let listed = self.fee_changes.iter().filter(|change| {
            (all || !change.is_made)
                && series.is_none_or(|ticker| ticker == self.series[change.series].ticker)
        });
        let rows = listed.map(|change| {
            json!({
                "id": change.id, "series_ticker": self.series[change.series].ticker,
                "fee_type": change.fee.kind.name(), "fee_multiplier": ratio(change.fee.multiplier),
                "scheduled_ts": rfc3339(change.from),
            })
        });
        json!({ "series_fee_change_arr": rows.collect::<Value>() })
    }
}
