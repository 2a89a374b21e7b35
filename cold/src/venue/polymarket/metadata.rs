//! A market's terms from Gamma and from the CLOB's compact listing.
//!
//! What is absent is an error for that market, never a default: a missing tick is not read as 0.01, nor a missing end date as
//! "open for ever". Source: venue reference, `polymarket.md` §4.5 and §7, compiled 2026-11-20.

use std::sync::Arc;

use serde_json::Value;
use surefoot_hot::fees::{FeeRule, Ppm};
use surefoot_hot::grid::Grid;
use surefoot_hot::ids::{ClusterId, MarketId, Venue};
use surefoot_hot::market::{Category, MarketDef, MarketStatus};
use surefoot_hot::units::{Nanos, Price, Qty};
use surefoot_hot::venue::decimal;

use crate::directory::{Entry, Generation, Names, PolymarketNames};
use crate::facts::{EventFacts, Facts, Fingerprint, StandsFor};
use crate::json::{Object, ReadError, parse_time};
use crate::text::parse_u256;

/// A market as Gamma lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Market {
    /// Its names and what signing needs.
    pub names: PolymarketNames,
    /// The question, for people.
    pub title: String,
    /// What resolves it.
    pub rules: String,
    /// What the two outcomes are called: not always Yes and No.
    pub outcomes: [String; 2],
    /// The prices that orders may have.
    pub grid: Grid,
    /// The smallest quantity of an order that rests.
    pub min_qty: Qty,
    /// The fee of a fill.
    pub fee: FeeRule,
    /// When it nominally ends: no trading halt, games run over.
    pub end: Nanos,
    /// When its game starts, and the book may be cleared.
    pub game_start: Option<Nanos>,
    pub status: MarketStatus,
    pub category: Category,
    /// What one YES pays, once it is resolved.
    pub yes_pays: Option<Price>,
    /// The set of exclusive markets it belongs to.
    pub neg_risk_market: Option<String>,
    /// Whether the set may still be given new names: then it is never assumed complete.
    pub neg_risk_augmented: bool,
    /// What it stands for in the set.
    pub stands_for: StandsFor,
    /// The event that lists the set, as an address names it; empty where there is none.
    pub event_slug: String,
    /// How long the venue holds back an order that would trade at once, in seconds. It cannot be cancelled meanwhile (`polymarket.md` §4.6,
    /// 2026-11-20), so that the other leg of a basket would stand alone for as long: such a market is observed, and nothing opened there.
    pub seconds_delay: u64,
}

impl Market {
    /// As a row of the directory. Which markets its set has stands in the set's event, which is read by itself.
    pub fn entry(self, market: MarketId, cluster: ClusterId) -> Entry {
        let event = self.neg_risk_market.map(|name| {
            let is_augmented = self.neg_risk_augmented;
            Arc::new(EventFacts { name, is_exclusive: true, is_augmented, markets: None })
        });
        let facts =
            Facts { event, stands_for: self.stands_for, rules: Fingerprint::of(&self.rules) };
        Entry {
            def: MarketDef {
                market,
                venue: Venue::Polymarket,
                shard: 0,
                cluster,
                grid: self.grid,
                min_qty: self.min_qty,
                close: self.end,
                fee: self.fee,
                status: self.status,
                category: self.category,
                theme: None,
            },
            fee_changes: Vec::new(), // the venue tells none before they hold
            paid_by: None,           // it tells its end date alone, which is its close
            title: self.title,
            names: Names::Polymarket(self.names),
            facts,
        }
    }
}

/// Reads one Gamma market.
///
/// # Errors
/// A field that trading needs is absent or not understood: the market is not traded.
pub fn gamma(row: &Value) -> Result<Market, ReadError> {
    let object = Object::new("gamma market", row);
    let generation = match object.text_or_empty("version") {
        "v1" => Generation::Two,
        "v2" => Generation::Three,
        // listings older than 2026-09 have no version: all of theirs are generation 2, and their ids show it
        "" if object.get("version").is_none() => Generation::Two,
        _ => return Err(object.error("version")),
    };
    let ids = match generation {
        Generation::Two => "clobTokenIds",
        Generation::Three => "positionIds",
    };
    let [yes_token, no_token] = pair(object.texts(ids)?).ok_or(object.error(ids))?;
    for token in [&yes_token, &no_token] {
        let word = parse_u256(token).ok_or(object.error(ids))?;
        if object.get("version").is_none() && looks_like_position(&word) {
            return Err(object.error("version"));
        }
    }
    let outcomes = pair(object.texts("outcomes")?).ok_or(object.error("outcomes"))?;
    let condition_id =
        condition_id(generation, object.text("conditionId")?).ok_or(object.error("conditionId"))?;
    let min_qty = object.qty("orderMinSize")?;
    let event = object.get("events").and_then(Value::as_array).and_then(|events| events.first());
    let event = event.map(|event| Object::new("gamma event", event));
    let of_event = |field: &str| event.is_some_and(|event| event.flag(field));
    let neg_risk_market = object.text_or_empty("negRiskMarketID");
    let seconds_delay = match object.get("secondsDelay") {
        Some(_) => object.whole("secondsDelay")?,
        None => 0,
    };
    Ok(Market {
        names: PolymarketNames {
            condition_id,
            yes_token,
            no_token,
            generation,
            neg_risk: object.flag("negRisk"),
            min_size_text: number_text(&object, "orderMinSize")?,
            event: event.as_ref().map_or("", |event| event.text_or_empty("slug")).to_owned(),
        },
        title: object.text("question")?.to_owned(),
        rules: object.text_or_empty("description").to_owned(),
        outcomes,
        grid: grid(&object, "orderPriceMinTickSize")?,
        min_qty,
        fee: fee(&object)?,
        end: object.time("endDate")?,
        game_start: optional_time(&object, "gameStartTime")?,
        status: match status(&object) {
            MarketStatus::Open if seconds_delay > 0 => MarketStatus::Observe,
            status => status,
        },
        category: category(object.text_or_empty("feeType")),
        yes_pays: yes_pays(&object),
        neg_risk_market: (!neg_risk_market.is_empty()).then(|| neg_risk_market.to_owned()),
        neg_risk_augmented: object.flag("negRiskAugmented") || of_event("negRiskAugmented"),
        stands_for: stands_for(&object),
        event_slug: event.map_or("", |event| event.text_or_empty("slug")).to_owned(),
        seconds_delay,
    })
}

/// A condition id of 64 digits, as the order and data calls want it: Gamma gives 62 in generation 3. `None` for another length.
fn condition_id(generation: Generation, id: &str) -> Option<String> {
    match (generation, id.len()) {
        (_, 66) => Some(id.to_owned()),
        (Generation::Three, 64) => Some(format!("{id}00")),
        _ => None,
    }
}

/// Reads the event of a set, or `None` where it is none of this set: the markets of it that the venue lists, whatever else may
/// be missing there.
pub fn set_of_event(row: &Value, neg_risk_market: &str) -> Option<EventFacts> {
    let event = Object::new("gamma event", row);
    let of_set = |row: &&Value| row["negRiskMarketID"].as_str() == Some(neg_risk_market);
    let id = |row: &Value| {
        let id = row["conditionId"].as_str()?;
        condition_id(if id.len() == 64 { Generation::Three } else { Generation::Two }, id)
    };
    let markets: Option<Vec<String>> =
        event.list("markets").ok()?.iter().filter(of_set).map(id).collect();
    Some(EventFacts {
        name: neg_risk_market.to_owned(),
        is_exclusive: true,
        is_augmented: event.flag("negRiskAugmented"),
        markets: Some(markets.filter(|markets| !markets.is_empty())?),
    })
}

/// What a market of a set stands for. A placeholder has no title of its own, a title that only counts (`Person B`, `Team 12`), or
/// is not active yet (`polymarket.md` §9.3, 2026-11-20).
fn stands_for(object: &Object<'_>) -> StandsFor {
    let title = object.text_or_empty("groupItemTitle").trim();
    if object.flag("negRiskOther") || title.eq_ignore_ascii_case("other") {
        return StandsFor::Other;
    }
    let only_counts = || match title.split_once(' ') {
        Some((_, nth)) => {
            let is_letter = nth.len() == 1 && nth.chars().all(|c| c.is_ascii_uppercase());
            is_letter || (nth.len() <= 3 && nth.chars().all(|c| c.is_ascii_digit()))
        }
        None => title.is_empty(),
    };
    let is_in_set = object.flag("negRisk");
    let is_asleep = !object.flag("active") && !object.flag("closed");
    if is_in_set && (is_asleep || only_counts()) {
        return StandsFor::Placeholder;
    }
    StandsFor::Named
}

/// Whether bits 40 to 103 of an id are all zero, as in every generation-3 position: the SDK's own fallback where
/// the version is missing.
fn looks_like_position(id: &[u8; 32]) -> bool {
    id[19..27].iter().all(|&byte| byte == 0)
}

/// `outcomePrices` of a resolved market is what each outcome pays; before that it is the last price.
fn yes_pays(object: &Object<'_>) -> Option<Price> {
    if status(object) != MarketStatus::Resolved {
        return None;
    }
    let pays = pair(object.texts("outcomePrices").ok()?)?;
    let [yes, no] = pays.map(|pays| decimal::price(pays.as_bytes()).ok().flatten());
    yes.filter(|yes| no == Some(yes.complement()))
}

/// Tradable means all four words of the venue say so; a past end date alone means nothing.
fn status(object: &Object<'_>) -> MarketStatus {
    let resolved = object.text_or_empty("umaResolutionStatus") == "resolved"
        || object.text_or_empty("resolutionStatus") == "resolved";
    // One that is disputed has no result yet either, and nobody knows which it will be.
    let proposed = ["umaResolutionStatus", "resolutionStatus"]
        .iter()
        .any(|field| matches!(object.text_or_empty(field), "proposed" | "disputed"));
    match (object.flag("closed"), resolved) {
        (true, true) => MarketStatus::Resolved,
        (true, false) => MarketStatus::Closed,
        (false, _) if proposed => MarketStatus::Proposed,
        (false, _) if object.flag("archived") || !object.flag("active") => MarketStatus::Observe,
        (false, _) if object.flag("acceptingOrders") && object.flag("enableOrderBook") => {
            MarketStatus::Open
        }
        (false, _) => MarketStatus::Paused,
    }
}

/// The category by which the market's fee was set: the first word of its `feeType`, such as `crypto_fees_v2` (§7). "General" was
/// seen in 2026 with the rate of "Other". A word that is not known may be of any category, and counts in each.
fn category(fee_type: &str) -> Category {
    match fee_type.split('_').next().unwrap_or_default() {
        "general" => Category::Other,
        word => Category::from_word(word),
    }
}

/// The fee schedule is the truth; `makerBaseFee` and `takerBaseFee` mean nothing.
fn fee(object: &Object<'_>) -> Result<FeeRule, ReadError> {
    let free = FeeRule::Polymarket { rate: 0, exponent: 1 };
    match object.get("feeSchedule") {
        Some(schedule) => {
            schedule_fee(&Object::new("fee schedule", schedule), "rate", "exponent", "takerOnly")
        }
        None if object.get("feesEnabled").is_some() && !object.flag("feesEnabled") => Ok(free),
        // fees without a schedule, or no field about fees: what a fill costs is not known
        None => Err(object.error("feeSchedule")),
    }
}

fn schedule_fee(
    schedule: &Object<'_>,
    rate: &'static str,
    exponent: &'static str,
    taker_only: &'static str,
) -> Result<FeeRule, ReadError> {
    let ppm = Ppm::try_from(schedule.scaled(rate, 6)?).map_err(|_| schedule.error(rate))?;
    let power = schedule.whole(exponent)?;
    // A curve not seen before, or makers paying, is not understood.
    if !(1..=2).contains(&power) {
        return Err(schedule.error(exponent));
    }
    if ppm > 1_000_000 {
        return Err(schedule.error(rate));
    }
    if ppm > 0 && !schedule.flag(taker_only) {
        return Err(schedule.error(taker_only));
    }
    Ok(FeeRule::Polymarket { rate: ppm, exponent: u8::try_from(power).expect("1 or 2") })
}

/// Reads a tick: missing is an error, never 0.01.
fn grid(object: &Object<'_>, field: &'static str) -> Result<Grid, ReadError> {
    let step = object.scaled(field, 4)?;
    u16::try_from(step).ok().and_then(Grid::uniform).ok_or(object.error(field))
}

fn number_text(object: &Object<'_>, field: &'static str) -> Result<String, ReadError> {
    match object.get(field) {
        Some(Value::String(text)) => Ok(text.clone()),
        Some(Value::Number(number)) => {
            let text = number.to_string();
            Ok(text.strip_suffix(".0").unwrap_or(&text).to_owned())
        }
        _ => Err(object.error(field)),
    }
}

fn optional_time(object: &Object<'_>, field: &'static str) -> Result<Option<Nanos>, ReadError> {
    match object.text_or_empty(field) {
        "" => Ok(None),
        text => parse_time(text).map(Some).ok_or(object.error(field)),
    }
}

fn pair(texts: Vec<String>) -> Option<[String; 2]> {
    texts.try_into().ok()
}

#[cfg(test)]
pub(crate) mod tests {
    use serde_json::json;

    use super::*;

    /// A market as Gamma lists one.
    pub fn market() -> Value {
        json!({"id": "3073776", "version": "v1", "question": "Bitcoin Up or Down?",
            "conditionId": format!("0x{}", "4c".repeat(32)), "outcomes": "[\"Up\", \"Down\"]",
            "clobTokenIds": "[\"969\", \"328\"]", "orderPriceMinTickSize": 0.0025, "orderMinSize": 5,
            "negRisk": false, "active": true, "closed": false, "acceptingOrders": true,
            "enableOrderBook": true, "endDate": "2026-07-25T00:15:00Z",
            "gameStartTime": "2026-04-05 15:10:00+00", "feesEnabled": true,
            "feeType": "crypto_fees_v2", "feeSchedule": {"rate": 0.07, "exponent": 1, "takerOnly": true, "rebateRate": 0.2},
            "events": [{"negRiskAugmented": true}]})
    }

    fn without(field: &str) -> Result<Market, ReadError> {
        let mut row = market();
        row.as_object_mut().unwrap().remove(field);
        gamma(&row)
    }

    #[test]
    fn a_market_is_read_whole() {
        let read = gamma(&market()).unwrap();
        assert_eq!(read.grid, Grid::uniform(25).unwrap());
        assert_eq!(read.fee, FeeRule::Polymarket { rate: 70_000, exponent: 1 });
        assert_eq!((read.names.yes_token.as_str(), read.names.no_token.as_str()), ("969", "328"));
        assert_eq!(
            (read.names.min_size_text.as_str(), read.min_qty),
            ("5", Qty::from_contracts(5))
        );
        assert_eq!((read.status, read.neg_risk_augmented), (MarketStatus::Open, true));
        assert_eq!(read.end.get(), 1_784_938_500_000_000_000);
        assert_eq!(read.category, Category::Crypto);
        for (word, expected) in [
            ("general_fees_v2", Category::Other),
            ("finance_prices_fees", Category::Finance),
            ("sports_fees_v3", Category::Sports),
            ("zero_fees", Category::Unknown),
        ] {
            assert_eq!(category(word), expected, "{word}");
        }
        assert_eq!(without("feeType").unwrap().category, Category::Unknown);
        let entry = read.entry(MarketId::new(4), ClusterId::new(2));
        assert_eq!(
            (entry.def.market, entry.def.close.get()),
            (MarketId::new(4), 1_784_938_500_000_000_000)
        );
    }

    #[test]
    fn what_is_missing_is_an_error() {
        for field in [
            "orderPriceMinTickSize",
            "endDate",
            "orderMinSize",
            "clobTokenIds",
            "conditionId",
            "feeSchedule",
            "outcomes",
        ] {
            assert_eq!(without(field).unwrap_err().field, field);
        }
        let with = |field: &str, value: Value| {
            let mut row = market();
            row[field] = value;
            gamma(&row).map_err(|error| error.field)
        };
        assert_eq!(with("version", json!("v9")), Err("version"));
        assert_eq!(with("version", Value::Null), Err("version"), "969 might be a position");
        assert_eq!(
            with("feeSchedule", json!({"rate": 0.07, "exponent": 3, "takerOnly": true})),
            Err("exponent")
        );
        assert_eq!(
            with("feeSchedule", json!({"rate": 0.07, "exponent": 1, "takerOnly": false})),
            Err("takerOnly")
        );
        assert_eq!(with("outcomes", json!("[\"A\",\"B\",\"C\"]")), Err("outcomes"));
        assert_eq!(with("orderPriceMinTickSize", json!(0.03)), Err("orderPriceMinTickSize"));
        assert_eq!(with("acceptingOrders", json!(false)).unwrap().status, MarketStatus::Paused);
        for (held, status) in [
            (json!(null), MarketStatus::Open),
            (json!(0), MarketStatus::Open),
            (json!(1), MarketStatus::Observe),
            (json!(3), MarketStatus::Observe),
        ] {
            assert_eq!(with("secondsDelay", held.clone()).unwrap().status, status, "{held}");
        }
        assert_eq!(with("closed", json!(true)).unwrap().status, MarketStatus::Closed);
        for field in ["umaResolutionStatus", "resolutionStatus"] {
            for word in ["proposed", "disputed"] {
                let status = with(field, json!(word)).unwrap().status;
                assert_eq!(status, MarketStatus::Proposed, "{field} {word}");
            }
        }
        assert_eq!(
            with("endDate", json!("2020-01-01T00:00:00Z")).unwrap().status,
            MarketStatus::Open
        );
    }

    #[test]
    fn what_a_yes_pays_is_read_once_the_result_is_final_and_only_where_both_sides_sum_to_a_dollar()
    {
        let pays = |state: Value, prices: &str| {
            let mut row = market();
            row["closed"] = json!(true);
            row["umaResolutionStatus"] = state;
            row["outcomePrices"] = json!(prices);
            gamma(&row).unwrap().yes_pays
        };
        let resolved = || json!("resolved");
        assert_eq!(pays(resolved(), "[\"1\", \"0\"]"), Some(Price::ONE));
        assert_eq!(pays(resolved(), "[\"0\", \"1\"]"), Some(Price::ZERO));
        assert_eq!(pays(resolved(), "[\"0.5\", \"0.5\"]"), Price::from_ticks(5_000), "void");
        for prices in ["[\"1\", \"1\"]", "[\"0\", \"0\"]", "[\"1\"]", "[\"yes\", \"no\"]", ""] {
            assert_eq!(pays(resolved(), prices), None, "{prices}");
        }
        for state in [json!("proposed"), json!("disputed"), Value::Null] {
            assert_eq!(pays(state.clone(), "[\"1\", \"0\"]"), None, "{state}: a last price");
        }
    }

    #[test]
    fn a_member_that_names_nothing_is_told_from_one_that_does() {
        let of = |title: &str, field: &str, value: bool| {
            let mut row = market();
            row["negRisk"] = json!(true);
            row["negRiskMarketID"] = json!("0x2c");
            row["groupItemTitle"] = json!(title);
            row[field] = json!(value);
            gamma(&row).unwrap().stands_for
        };
        for title in ["Red", "Jane Doe", "Manchester City", "25 bps", "Person AB", "Vitamin C+"] {
            assert_eq!(of(title, "closed", false), StandsFor::Named, "{title}");
        }
        for title in ["", "Person B", "Team 12", "Candidate A"] {
            assert_eq!(of(title, "closed", false), StandsFor::Placeholder, "{title:?}");
        }
        assert_eq!(of("Red", "active", false), StandsFor::Placeholder, "not active yet");
        assert_eq!(of("Red", "negRiskOther", true), StandsFor::Other);
        assert_eq!(of("other", "closed", false), StandsFor::Other);
        assert_eq!(of("", "negRisk", false), StandsFor::Named, "a lone market has no such title");
    }

    #[test]
    fn an_event_lists_the_markets_of_its_set() {
        let long = format!("0x{}", "4c".repeat(32));
        let short = format!("0x{}", "4d".repeat(31));
        let member = |id: &str, set: &str| json!({"conditionId": id, "negRiskMarketID": set});
        let row = json!({"negRiskAugmented": true, "markets": [
            member(&long, "0x2c"), member(&short, "0x2c"), member("0x9", "0x2d")]});
        let read = set_of_event(&row, "0x2c").unwrap();
        assert_eq!(read.markets, Some(vec![long, format!("{short}00")]));
        assert!(read.is_exclusive && read.is_augmented);
        assert_eq!(set_of_event(&row, "0x2e"), None, "it lists none of that set");
        assert_eq!(set_of_event(&row, "0x2d"), None, "an id that is none");
        assert_eq!(set_of_event(&json!({}), "0x2c"), None);
    }

    #[test]
    fn a_generation_three_market_signs_its_positions() {
        let mut row = market();
        row["version"] = json!("v2");
        row["positionIds"] = json!(["11", "12"]);
        row["clobTokenIds"] = Value::Null;
        row["conditionId"] = json!(format!("0x{}", "4c".repeat(31)));
        let read = gamma(&row).unwrap();
        assert_eq!(read.names.generation, Generation::Three);
        assert_eq!((read.names.yes_token.as_str(), read.names.condition_id.len()), ("11", 66));
        assert!(read.names.condition_id.ends_with("4c00"));
    }
}
