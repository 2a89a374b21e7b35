//! A Gamma market as the REST API gives it, for the reader of rule texts.
//!
//! Source: venue reference, `polymarket.md` §7, compiled 2026-11-20: `outcomes` and `outcomePrices` are JSON texts of string lists in
//! the same order, not always Yes and No; `endDate` is nominal; `gameStartTime` is not RFC 3339. Its event may be nested in `events`.

use std::sync::LazyLock;

use serde_json::Value;

use crate::facts::Fingerprint;
use crate::terms::{Dec, Listed, Pattern, is_placeholder, stamp};

/// Sentences that the venue writes below its rules and that change nothing.
static FORMS: LazyLock<Vec<Pattern>> = LazyLock::new(|| {
    ["to know when a postponed game will be played please check the home team schedule on {name}"]
        .map(Pattern::new)
        .to_vec()
});

/// Reads a Gamma market.
///
/// # Errors
/// A sentence: it has not two outcomes, is scalar, a placeholder, or without rules, and never traded as one of a pair.
pub fn listed(row: &Value) -> Result<Listed, String> {
    let text = |field: &str| row.get(field).and_then(Value::as_str).unwrap_or_default();
    let event = row
        .get("events")
        .and_then(|events| events.get(0))
        .or_else(|| row.get("event"))
        .unwrap_or(&Value::Null);
    let nested = |field: &str| event.get(field).and_then(Value::as_str).unwrap_or_default();
    if text("marketType") == "scalar"
        || row.get("formatType").and_then(Value::as_str) == Some("scalar")
    {
        return Err("market type: scalar, it does not pay a dollar or nothing".into());
    }
    let outcomes = list(row.get("outcomes"));
    let [first, second] = outcomes.as_slice() else {
        return Err("outcomes: a market of two is needed".into());
    };
    if first.trim().is_empty() || second.trim().is_empty() || first == second {
        return Err("outcomes: they have no names".into());
    }
    let rules = [text("description"), nested("description")]
        .into_iter()
        .find(|rules| !rules.trim().is_empty())
        .unwrap_or_default();
    if rules.trim().is_empty() {
        return Err("rules: the market shows no rule text".into());
    }
    let (title, group) = (text("question"), text("groupItemTitle"));
    if title.trim().is_empty()
        || is_placeholder(title)
        || is_placeholder(group)
        || row.get("negRiskOther") == Some(&Value::Bool(true))
    {
        return Err("placeholder: the venue has yet to name what it stands for, or it stands for all others".into());
    }
    let prices = list(row.get("outcomePrices"));
    let line = row
        .get("line")
        .filter(|line| !line.is_null())
        .map(|line| line.as_str().map_or_else(|| line.to_string(), str::to_owned));
    let name =
        [text("conditionId"), text("slug"), text("id")].into_iter().find(|name| !name.is_empty());
    Ok(Listed {
        name: name.unwrap_or_default().to_owned(),
        title: title.to_owned(),
        stands_for: group.to_owned(),
        event: nested("title").to_owned(),
        rules: rules.to_owned(),
        code: format!("{} {} {}", text("slug"), nested("slug"), text("sportsMarketType"))
            .to_lowercase(),
        strike: None,
        line: line.and_then(|line| Dec::parse(&line)),
        sources: [text("resolutionSource"), nested("resolutionSource")]
            .into_iter()
            .filter(|source| !source.is_empty())
            .map(str::to_owned)
            .collect(),
        closes: stamp(text("endDate")).or_else(|| stamp(nested("endDate"))),
        begins: stamp(text("eventStartTime")).or_else(|| stamp(text("gameStartTime"))),
        price: prices
            .first()
            .and_then(|price| Dec::parse(price))
            .filter(|price| *price > Dec::whole(0) && *price < Dec::ONE),
        forms: &FORMS,
        fingerprint: Fingerprint::of(rules),
        outcomes: [first.clone(), second.clone()],
    })
}

/// A list of texts, or the JSON text of one.
fn list(field: Option<&Value>) -> Vec<String> {
    let parsed = match field {
        Some(Value::String(text)) => serde_json::from_str::<Value>(text).ok(),
        Some(list @ Value::Array(_)) => Some(list.clone()),
        _ => None,
    };
    let items = parsed.as_ref().and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    items.iter().map(|item| item.as_str().map_or_else(|| item.to_string(), str::to_owned)).collect()
}
