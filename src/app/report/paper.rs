//! What the three curves of paper fills come to, side by side.

use serde_json::{Value, json};
use surefoot_cold::paper::curve::Curve;
use surefoot_hot::ids::Venue;
use surefoot_hot::units::Usd;

use super::usd;
use crate::machine::venue::Accounts;

/// What each curve adds up to at both venues together, from the start of this run; `null` where nothing is on paper. `worth_usd` is cash
/// and what is held, at what the public books pay for it.
pub fn curves(accounts: &Accounts) -> Value {
    let shown = Venue::ALL.map(|venue| accounts.at(venue).paper());
    let Some(driver) = shown[0].map(|shown| shown.driver()) else { return Value::Null };
    let of = |curve: Curve| {
        let all = shown.iter().flatten().filter_map(|shown| shown.curves());
        let all: Vec<_> = all.map(|curves| curves[curve.index()]).collect();
        let sum = |of: fn(&surefoot_cold::paper::desk::Tally) -> u64| {
            all.iter().map(|figures| of(&figures.tally)).sum::<u64>()
        };
        let money =
            |amounts: Vec<Usd>| amounts.into_iter().fold(Usd::ZERO, |sum, amount| sum + amount);
        let contracts = sum(|tally| tally.contracts.micros());
        json!({
            "drives": curve == driver,
            "orders": sum(|tally| tally.orders),
            "rejected": sum(|tally| tally.rejected),
            "fills": sum(|tally| tally.fills),
            "contracts": usd(Usd::from_micros(i64::try_from(contracts).unwrap_or(i64::MAX))),
            "fees_usd": usd(money(all.iter().map(|figures| figures.tally.fees).collect())),
            "worth_usd": usd(money(all.iter().map(|figures| figures.worth).collect())),
        })
    };
    let named = Curve::ALL.map(|curve| (curve.name().to_owned(), of(curve)));
    Value::Object(named.into_iter().collect())
}

/// The same for people, a line for each curve.
pub(super) fn lines(curves: &Value) -> Vec<String> {
    let Value::Object(curves) = curves else { return Vec::new() };
    let line = |curve: Curve| {
        let at = |field: &str| curves[curve.name()][field].clone();
        format!(
            "  {:<15} SIMULATED: {} orders, {} fills of {} contracts, ${} fees; worth ${} at the public books{}",
            curve.name(),
            at("orders"),
            at("fills"),
            at("contracts"),
            at("fees_usd"),
            at("worth_usd"),
            if at("drives") == true { "; drove this run" } else { "" }
        )
    };
    Curve::ALL.into_iter().map(line).collect()
}
