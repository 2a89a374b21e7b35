//! What a fill costs now and from which time on it will cost something else.
//!
//! An event's override stands before its series' fee, and a market's waiver before both: it suspends fees until it ends. Changes
//! that have a date are listed apart, for series and for events. Source: venue reference, `kalshi.md` §7.1, 2026-10; the fields of
//! an event's change are those of the venue's OpenAPI document of 2026-09.

use serde_json::Value;
use surefoot_hot::bounds::FEE_RULES_MAX;
use surefoot_hot::fees::{FeeChange, FeeRule, Ppm};
use surefoot_hot::units::Nanos;

use crate::json::{Object, ReadError};
use crate::rest::{Rest, RestError};

/// The taker's coefficient, in parts per million, before the series' multiplier.
const TAKER: u64 = 70_000;
/// Pages of one list that are read; a page has up to a thousand rows.
const PAGES_MAX: usize = 50;

/// A change of a series' or an event's fee, past or to come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToldChange {
    /// Of which series or event.
    pub ticker: String,
    /// From when it holds, by the wall clock.
    pub from: Nanos,
    /// The fee from then on; `None` where an event falls back to its series' fee. A fee of a kind that is not known is told for
    /// the markets that it is of, and for no others.
    pub rule: Result<Option<FeeRule>, ReadError>,
}

/// What a market's fee follows from, beside the changes that have a date.
#[derive(Clone, Copy, Debug)]
pub struct FeesOf<'a> {
    /// Its series, and what that charges.
    pub series: (&'a str, FeeRule),
    /// Its event, and the fee by which that overrides the series'.
    pub event: (&'a str, Option<FeeRule>),
    /// When its fees begin, where they are waived until then.
    pub waived_until: Option<Nanos>,
}

/// The changes that are listed.
#[derive(Clone, Debug, Default)]
pub struct FeeChanges {
    pub of_series: Vec<ToldChange>,
    pub of_events: Vec<ToldChange>,
}

impl FeeChanges {
    /// Asks for all that are listed.
    ///
    /// # Errors
    /// The venue does not answer, or not with a list.
    pub fn read(rest: &Rest) -> Result<Self, String> {
        let unread = |error: &dyn std::fmt::Display| format!("kalshi fee changes: {error}");
        let body = rest.get("/series/fee_changes", &[]).map_err(|error| unread(&error))?;
        let of_series = series_changes(&body).map_err(|error| unread(&error))?;
        let mut of_events = Vec::new();
        let mut cursor = String::new();
        for _ in 0..PAGES_MAX {
            let body = page(rest, &cursor).map_err(|error| unread(&error))?;
            of_events.extend(event_changes(&body).map_err(|error| unread(&error))?);
            cursor = body["cursor"].as_str().unwrap_or_default().to_owned();
            if cursor.is_empty() {
                return Ok(Self { of_series, of_events });
            }
        }
        Err(unread(&format!("more than {PAGES_MAX} pages of them")))
    }

    /// The fee of a market now, and its next changes: those of its event, of its series, and the end of its waiver.
    ///
    /// # Errors
    /// A fee to come is of a kind not known.
    pub fn schedule(
        &self,
        now: Nanos,
        of: &FeesOf<'_>,
    ) -> Result<(FeeRule, Vec<FeeChange>), ReadError> {
        let to_come = |changes: &'_ [ToldChange], ticker: &str| -> Result<Vec<_>, ReadError> {
            let mut dated = Vec::new();
            for change in
                changes.iter().filter(|change| change.ticker == ticker && change.from > now)
            {
                dated.push((change.from, change.rule?));
            }
            dated.sort_by_key(|(from, _)| *from);
            Ok(dated)
        };
        let of_series = to_come(&self.of_series, of.series.0)?;
        let of_event = to_come(&self.of_events, of.event.0)?;
        let last = |changes: &[(Nanos, Option<FeeRule>)], time: Nanos| {
            changes.iter().rev().find(|(from, _)| *from <= time).map(|(_, rule)| *rule)
        };
        let rule_at = |time: Nanos| {
            if of.waived_until.is_some_and(|end| time < end) {
                return FeeRule::Kalshi { taker: 0, maker: 0 };
            }
            let of_series = last(&of_series, time).flatten().unwrap_or(of.series.1);
            last(&of_event, time).unwrap_or(of.event.1).unwrap_or(of_series)
        };
        let mut times: Vec<_> = of_series.iter().chain(&of_event).map(|(from, _)| *from).collect();
        times.extend(of.waived_until.filter(|end| *end > now));
        times.sort_unstable();
        let (first, mut last) = (rule_at(now), rule_at(now));
        let mut changes = Vec::new();
        for from in times {
            let rule = rule_at(from);
            if rule != last && changes.len() < FEE_RULES_MAX - 1 {
                changes.push(FeeChange { from, rule });
                last = rule;
            }
        }
        Ok((first, changes))
    }
}

fn page(rest: &Rest, cursor: &str) -> Result<Value, RestError> {
    let limit = ("limit", "1000");
    match cursor {
        "" => rest.get("/events/fee_changes", &[limit]),
        cursor => rest.get("/events/fee_changes", &[limit, ("cursor", cursor)]),
    }
}

/// Reads `/series/fee_changes`.
///
/// # Errors
/// It is not a list, or a row does not say of which series it is or from when.
pub fn series_changes(body: &Value) -> Result<Vec<ToldChange>, ReadError> {
    let rows = Object::new("fee changes", body).list("series_fee_change_arr")?;
    let read = |row| {
        let object = Object::new("fee change", row);
        Ok(ToldChange {
            ticker: object.text("series_ticker")?.to_owned(),
            from: object.time("scheduled_ts")?,
            rule: fee(&object, "fee_type", "fee_multiplier").map(Some),
        })
    };
    rows.iter().map(read).collect()
}

/// Reads a page of `/events/fee_changes`.
///
/// # Errors
/// It is not a list, or a row does not say of which event it is or from when.
pub fn event_changes(body: &Value) -> Result<Vec<ToldChange>, ReadError> {
    let rows = Object::new("event fee changes", body).list("event_fee_changes")?;
    let read = |row| {
        let object = Object::new("event fee change", row);
        Ok(ToldChange {
            ticker: object.text("event_ticker")?.to_owned(),
            from: object.time("scheduled_ts")?,
            rule: event_override(&object),
        })
    };
    rows.iter().map(read).collect()
}

/// The fee by which an event overrides its series' one; `None` where it does not.
///
/// # Errors
/// The fee is of a kind not known, or only a part of it is told.
pub fn event_override(object: &Object<'_>) -> Result<Option<FeeRule>, ReadError> {
    match object.get("fee_type_override") {
        Some(_) => fee(object, "fee_type_override", "fee_multiplier_override").map(Some),
        // a multiplier alone would change a series' fee of a kind not told here
        None if object.get("fee_multiplier_override").is_some() => {
            Err(object.error("fee_type_override"))
        }
        None => Ok(None),
    }
}

/// The three quadratic kinds; `flat` has a table that no series uses and is an error. A multiplier that does
/// not come to whole parts per million is rounded up, against us.
///
/// # Errors
/// A field is absent, or the fee is of a kind not known.
pub fn fee(
    object: &Object<'_>,
    kind: &'static str,
    multiplier: &'static str,
) -> Result<FeeRule, ReadError> {
    let maker = match object.text(kind)? {
        "quadratic" => 0,
        "quadratic_with_maker_fees" => TAKER / 4,
        "quadratic_with_combo_maker_fees" => TAKER / 2,
        _ => return Err(object.error(kind)),
    };
    let micros =
        u64::try_from(object.scaled(multiplier, 6)?).map_err(|_| object.error(multiplier))?;
    let times = |coef: u64| -> Result<Ppm, ReadError> {
        let ppm = coef.checked_mul(micros).map(|ppm| ppm.div_ceil(1_000_000));
        let ppm = ppm.and_then(|ppm| Ppm::try_from(ppm).ok()).filter(|&ppm| ppm <= 1_000_000);
        ppm.ok_or(object.error(multiplier))
    };
    Ok(FeeRule::Kalshi { taker: times(TAKER)?, maker: times(maker)? })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::venue::kalshi::metadata::{event, series};

    /// The time of an hour of 2026-12-01.
    fn hour(hour: u64) -> Nanos {
        crate::json::parse_time(&format!("2026-12-01T{hour:02}:00:00Z")).unwrap()
    }

    fn row(ticker: &str, hour: u64, kind: Option<&str>, multiplier: Option<f64>) -> Value {
        let from = format!("2026-12-01T{hour:02}:00:00Z");
        json!({"id": "1", "series_ticker": "KXS", "event_ticker": ticker, "scheduled_ts": from,
            "fee_type": kind, "fee_multiplier": multiplier,
            "fee_type_override": kind, "fee_multiplier_override": multiplier})
    }

    /// What a market of series KXS and event KXS-1 costs from hour 6 of the day on: parts per million by hour.
    fn costs(
        series_rows: &[Value],
        event_rows: &[Value],
        over: Option<&str>,
        waived_until: Option<u64>,
    ) -> Result<Vec<(u64, Ppm, Ppm)>, ReadError> {
        let changes = FeeChanges {
            of_series: series_changes(&json!({ "series_fee_change_arr": series_rows })).unwrap(),
            of_events: event_changes(&json!({ "event_fee_changes": event_rows })).unwrap(),
        };
        let series =
            series(&json!({"ticker": "KXS", "fee_type": "quadratic", "fee_multiplier": 1}))
                .unwrap();
        let event = event(
            &json!({"event_ticker": "KXS-1", "series_ticker": "KXS", "fee_type_override": over,
            "fee_multiplier_override": over.map(|_| 1)}),
        )
        .unwrap();
        let of = FeesOf {
            series: (&series.ticker, series.fee),
            event: (&event.ticker, event.fee),
            waived_until: waived_until.map(hour),
        };
        let (now, next) = changes.schedule(hour(6), &of)?;
        let all =
            std::iter::once((hour(6), now)).chain(next.iter().map(|next| (next.from, next.rule)));
        let told = all.map(|(from, rule)| match rule {
            FeeRule::Kalshi { taker, maker } => {
                (from.since(hour(0)).get() / 3_600_000_000_000, taker, maker)
            }
            FeeRule::Polymarket { .. } => panic!("not Kalshi's"),
        });
        Ok(told.collect())
    }

    #[test]
    fn a_series_changes_at_its_date_whatever_the_order_of_the_list() {
        let half = Some(0.5);
        let rows = [
            row("", 9, Some("quadratic_with_maker_fees"), Some(1.0)),
            row("", 7, Some("quadratic"), half),
            row("", 5, Some("quadratic"), Some(0.0)), // is over: the series' own fee has it
        ];
        assert_eq!(
            costs(&rows, &[], None, None).unwrap(),
            [(6, 70_000, 0), (7, 35_000, 0), (9, 70_000, 17_500)]
        );
    }

    #[test]
    fn an_events_override_stands_before_its_series_until_it_is_cleared() {
        let series_rows = [row("", 8, Some("quadratic"), Some(0.5))];
        let event_rows =
            [row("KXS-1", 10, None, None), row("KXS-2", 7, Some("quadratic"), Some(0.0))];
        let told = costs(&series_rows, &event_rows, Some("quadratic_with_combo_maker_fees"), None);
        assert_eq!(told.unwrap(), [(6, 70_000, 35_000), (10, 35_000, 0)]);
        let begins = [row("KXS-1", 9, Some("quadratic"), Some(2.0))];
        assert_eq!(
            costs(&series_rows, &begins, None, None).unwrap(),
            [(6, 70_000, 0), (8, 35_000, 0), (9, 140_000, 0)]
        );
    }

    #[test]
    fn a_waiver_suspends_fees_until_its_date() {
        let rows = [row("", 7, Some("quadratic"), Some(0.5))];
        assert_eq!(costs(&rows, &[], None, Some(8)).unwrap(), [(6, 0, 0), (8, 35_000, 0)]);
        assert_eq!(costs(&[], &[], None, Some(6)).unwrap(), [(6, 70_000, 0)], "it is over");
    }

    #[test]
    fn a_fee_to_come_that_is_not_known_is_an_error_of_its_own_markets_alone() {
        let flat = [row("", 9, Some("flat"), Some(1.0))];
        assert_eq!(costs(&flat, &[], None, None).unwrap_err().field, "fee_type");
        let past = [row("", 5, Some("flat"), Some(1.0))];
        assert!(costs(&past, &[], None, None).is_ok());
        let other = [row("KXS-2", 9, Some("flat"), Some(1.0))];
        assert!(costs(&[], &other, None, None).is_ok());
        let half = [row("KXS-1", 9, None, Some(1.0))];
        assert_eq!(costs(&[], &half, None, None).unwrap_err().field, "fee_type_override");
        let undated = json!({"series_fee_change_arr": [{"series_ticker": "KXS"}]});
        assert!(series_changes(&undated).is_err());
    }

    #[test]
    fn no_more_changes_are_kept_than_a_schedule_has_room_for() {
        let rows: Vec<_> =
            (7..20).map(|hour| row("", hour, Some("quadratic"), Some(hour as f64))).collect();
        let told = costs(&rows, &[], None, None);
        assert!(told.is_err(), "a multiplier of 15 is no fee");
        let told = costs(&rows[..6], &[], None, None).unwrap();
        assert_eq!(told.iter().map(|(hour, ..)| *hour).collect::<Vec<_>>(), [6, 7, 8, 9]);
    }
}
