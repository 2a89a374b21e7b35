//! A market object as the REST API gives it, for the reader of rule texts.
//!
//! Source: venue reference, `kalshi.md` §6, compiled 2026-11-20: strikes are JSON numbers, `strike_type` names the comparison, what is
//! absent is absent. An event, and a series in it, may be nested.

use std::sync::LazyLock;

use serde_json::Value;

use crate::facts::Fingerprint;
use crate::terms::{Compare, Dec, Listed, Pattern, Range, Unit, is_placeholder, stamp};

/// Sentences that the venue writes below its rules and that change nothing.
static FORMS: LazyLock<Vec<Pattern>> = LazyLock::new(|| {
    [
        "kalshi is not affiliated associated authorized endorsed by or in any way officially connected with {name}",
        "all trademarks logos and brand names are the property of their respective owners",
    ]
    .map(Pattern::new)
    .to_vec()
});

/// Reads a market object.
///
/// # Errors
/// A sentence: it is a combination, not binary, a placeholder, or without rules, and never traded as one of a pair.
pub fn listed(row: &Value) -> Result<Listed, String> {
    let row = row.get("market").unwrap_or(row);
    let text = |field: &str| row.get(field).and_then(Value::as_str).unwrap_or_default();
    let ticker = text("ticker");
    let upper = ticker.to_ascii_uppercase();
    if upper.starts_with("KXMVE")
        || row.get("mve_collection_ticker").is_some_and(|value| !value.is_null())
        || row.get("mve_selected_legs").is_some_and(|value| !value.is_null())
    {
        return Err("combination: a market of several legs is no single question".into());
    }
    if !matches!(text("market_type"), "" | "binary") {
        return Err(format!("market type: `{}` is not binary", text("market_type")));
    }
    let rules = [text("rules_primary"), text("rules_secondary")].join("\n");
    if text("rules_primary").trim().is_empty() {
        return Err("rules: the market shows no rule text".into());
    }
    let event = row.get("event").unwrap_or(&Value::Null);
    let nested = |field: &str| event.get(field).and_then(Value::as_str).unwrap_or_default();
    let title = [text("title"), nested("title")]
        .into_iter()
        .find(|title| !title.trim().is_empty())
        .unwrap_or_default();
    let stands_for = [text("yes_sub_title"), text("subtitle")]
        .into_iter()
        .find(|title| !title.trim().is_empty())
        .unwrap_or_default();
    if is_placeholder(stands_for) || is_placeholder(title) {
        return Err("placeholder: the venue has yet to name what it stands for".into());
    }
    let event_ticker = [text("event_ticker"), nested("event_ticker")]
        .into_iter()
        .find(|name| !name.is_empty())
        .unwrap_or_default();
    let code = format!("{} {} {}", ticker, event_ticker, text("series_ticker")).to_lowercase();
    let windowed = code.contains("15m");
    let at = |field: &str| stamp(text(field));
    Ok(Listed {
        name: ticker.to_owned(),
        title: title.to_owned(),
        stands_for: stands_for.to_owned(),
        event: nested("title").to_owned(),
        fingerprint: Fingerprint::of(&rules),
        rules,
        outcomes: ["Yes".into(), "No".into()],
        strike: strike(row),
        line: None,
        sources: sources(row, event),
        closes: at("close_time")
            .filter(|_| windowed)
            .or_else(|| at("occurrence_datetime"))
            .or_else(|| at("expected_expiration_time"))
            .or_else(|| at("close_time")),
        begins: if windowed { at("open_time") } else { ticker_day(event_ticker) },
        price: price(row),
        forms: &FORMS,
        code,
    })
}

/// The day of a game in an event's ticker (`KXNFLGAME-26SEP09NESEA`), as noon of it.
fn ticker_day(ticker: &str) -> Option<i64> {
    let part = ticker.split('-').nth(1)?;
    let (year, rest) = part.split_at_checked(2)?;
    let (month, rest) = rest.split_at_checked(3)?;
    let day = rest.get(..2)?;
    let months =
        ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
    let month = months.iter().position(|name| name.eq_ignore_ascii_case(month))? + 1;
    stamp(&format!("20{year}-{month:02}-{day}T17:00:00Z"))
}

fn strike(row: &Value) -> Option<Result<Range, String>> {
    let kind = row.get("strike_type").and_then(Value::as_str).unwrap_or_default();
    let number = |field: &str| {
        row.get(field).filter(|value| !value.is_null()).map(|value| {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            Dec::parse(text.trim()).ok_or_else(|| format!("{field} `{text}` is no decimal number"))
        })
    };
    let of = |compare, field| Some(number(field)?.map(|at| Range::of(compare, at, Unit::Plain)));
    match kind {
        "greater" => of(Compare::Above, "floor_strike"),
        "greater_or_equal" => of(Compare::AtLeast, "floor_strike"),
        "less" => of(Compare::Below, "cap_strike"),
        "less_or_equal" => of(Compare::AtMost, "cap_strike"),
        "between" => match (number("floor_strike")?, number("cap_strike")?) {
            (Ok(low), Ok(high)) => Some(Ok(Range::between(low, high, None, Unit::Plain))),
            (Err(why), _) | (_, Err(why)) => Some(Err(why)),
        },
        _ => None,
    }
}

fn sources(row: &Value, event: &Value) -> Vec<String> {
    let series = event.get("series").unwrap_or(&Value::Null);
    let lists = [row, event, series]
        .into_iter()
        .filter_map(|place| place.get("settlement_sources")?.as_array());
    let fields = |source: &Value| {
        ["name", "url"]
            .into_iter()
            .filter_map(|field| source.get(field)?.as_str().map(str::to_owned))
            .collect::<Vec<_>>()
    };
    lists.flatten().flat_map(fields).collect()
}

/// The middle of what YES is bid and asked for.
fn price(row: &Value) -> Option<Dec> {
    let side = |field: &str| row.get(field).and_then(Value::as_str).and_then(Dec::parse);
    let (bid, ask) = (side("yes_bid_dollars")?, side("yes_ask_dollars")?);
    (bid > Dec::whole(0) && ask > bid).then(|| Dec::middle(bid, ask))
}
