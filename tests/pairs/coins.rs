//! Synthetic pairs about the price of a coin.

use serde_json::Value;

use super::generated::{Date, Dice, Made, change, commas, kalshi, polymarket, strike};

const COINS: [(&str, &str, u64); 3] =
    [("Bitcoin", "BTC", 1_000), ("Ethereum", "ETH", 50), ("Solana", "SOL", 10)];

pub fn touch(dice: &mut Dice, misses: bool) -> Made {
    let miss = change(
        dice,
        misses,
        &[
            "strike",
            "date",
            "time zone",
            "comparator",
            "polarity",
            "participant",
            "source",
            "measure",
        ],
    );
    let (coin, code, step) = dice.pick(&COINS);
    let level = step * (20 + dice.below(100));
    let (from, until) = (
        Date { month: 0, day: 1 + dice.below(20) },
        Date { month: 1 + usize::try_from(dice.below(11)).unwrap(), day: 1 + dice.below(26) },
    );
    let down = dice.below(3) == 0;
    let source = dice.pick(&["Binance", "Coinbase"]);
    let pair = |source: &str, code: &str| {
        if source == "Binance" { format!("{code}/USDT") } else { format!("{code}/USD") }
    };
    let (word, side) = if down { ("lower", "Low") } else { ("greater", "High") };
    let named = if dice.below(2) == 0 {
        format!("{coin} ({})", pair(source, code))
    } else {
        pair(source, code)
    };
    let usual = miss.is_none() && dice.below(4) == 0; // each venue's usual source: a person must judge
    let primary = touch_primary(usual, down, (coin, source, &named), level, (from, until));
    let title = if dice.below(2) == 0 {
        format!(
            "Will {coin} {} ${} by {}?",
            if down { "drop to" } else { "hit" },
            commas(level),
            until.short()
        )
    } else {
        format!("How {} will {coin} get by {}?", if down { "low" } else { "high" }, until.long())
    };
    let ours = kalshi(
        &format!("KX{code}{}-26", if down { "MIN" } else { "MAX" }),
        &title,
        &format!("${} or {}", commas(level), if down { "below" } else { "above" }),
        &primary,
        "",
    );
    let (mut level, mut until, mut zone, mut code, mut coin, mut source) =
        (level, until, "ET", code, coin, source);
    let (mut compare, mut side, mut close) = (format!("equal to or {word} than"), side, false);
    match miss {
        Some("strike") => level += step,
        Some("date") => until = until.other(dice),
        Some("time zone") => zone = dice.pick(&["UTC", "PT", "CT"]),
        Some("comparator") => compare = format!("{word} than"),
        Some("polarity") => {
            (compare, side) = if down {
                ("equal to or greater than".into(), "High")
            } else {
                ("equal to or lower than".into(), "Low")
            }
        }
        Some("participant") => {
            (coin, code, _) = *COINS.iter().find(|(_, other, _)| *other != code).unwrap()
        }
        Some("source") => source = if source == "Binance" { "Coinbase" } else { "Binance" },
        Some("measure") => close = true,
        _ => {}
    }
    let source = if usual { "Binance" } else { source };
    let named = if dice.below(2) == 0 {
        format!("{coin} ({})", pair(source, code))
    } else {
        pair(source, code)
    };
    let terms = TouchTerms {
        source,
        named: &named,
        zone,
        compare: &compare,
        side,
        close,
        level,
        from,
        until,
        pair: &pair(source, code),
    };
    let rules = touch_rules(dice, &terms);
    let verb = if side == "Low" { "dip to" } else { "reach" };
    let question = if close {
        format!("{coin} above ${} on {}?", commas(level), until.bare())
    } else {
        format!("Will {coin} {verb} ${} by {}?", commas(level), until.long())
    };
    (
        ours,
        polymarket(&question, &rules, ["Yes", "No"], &format!("{}T12:00:00Z", until.iso())),
        miss,
        false,
    )
}

fn touch_primary(
    usual: bool,
    down: bool,
    (coin, source, named): (&str, &str, &str),
    level: u64,
    (from, until): (Date, Date),
) -> String {
    let side = if down { "Low" } else { "High" };
    let compare = if down { "equal to or lower than" } else { "equal to or greater than" };
    if usual {
        format!(
            "If CF Benchmarks' {coin} Real-Time Index is {} ${} at any time between {} 12:00 AM ET and {} 11:59 PM ET, then the market resolves to Yes.",
            if down { "at or below" } else { "at or above" },
            commas(level),
            from.short(),
            until.short()
        )
    } else {
        format!(
            "If any {source} 1-minute candle for {named} between {} 12:00 AM ET and {} 11:59 PM ET has a final {side} price {compare} ${}, then the market resolves to Yes.",
            from.short(),
            until.short(),
            commas(level)
        )
    }
}

/// What a price that is reached is compared with, at the second venue.
struct TouchTerms<'a> {
    source: &'a str,
    named: &'a str,
    pair: &'a str,
    zone: &'a str,
    compare: &'a str,
    side: &'a str,
    close: bool,
    level: u64,
    from: Date,
    until: Date,
}

fn touch_rules(dice: &mut Dice, terms: &TouchTerms<'_>) -> String {
    let TouchTerms { source, named, pair, zone, compare, side, close, level, from, until } = *terms;
    let body = if close {
        format!(
            "This market will resolve to \"Yes\" if the {source} 1 minute candle for {named} 12:00 PM {zone} on {} has a final \"Close\" price {compare} ${}. Otherwise, this market will resolve to \"No\".",
            until.long(),
            commas(level)
        )
    } else if dice.below(2) == 0 {
        format!(
            "This market will immediately resolve to “Yes” if any {source} 1 minute candle for {named} between {} 12:00 AM {zone} and {} 11:59 PM {zone} has a final “{side}” price {compare} ${}. Otherwise, this market will resolve to “No.”",
            from.long(),
            until.long(),
            commas(level)
        )
    } else {
        format!(
            "This market will immediately resolve to \"Yes\" if any {source} one-minute candle for {named} from {} 12:00 AM {zone} to {} 11:59 PM {zone} has a final {side} price {compare} the price specified in the title. Otherwise, this market will resolve to \"No\".",
            from.long(),
            until.long()
        )
    };
    let tail = format!(
        "\n\nPlease note that the outcome of this market depends solely on the price data from the {source} {} trading pair. Prices from other exchanges, different trading pairs, or spot markets will not be considered for the resolution of this market.",
        pair
    );
    body + &tail
}

pub fn price_at(dice: &mut Dice, misses: bool) -> Made {
    let miss = change(
        dice,
        misses,
        &["strike", "date", "time zone", "comparator", "polarity", "participant", "source", "hour"],
    );
    let (coin, code, step) = dice.pick(&COINS);
    let level = step * (20 + dice.below(100));
    let date = Date::draw(dice);
    let hour = 1 + dice.below(11);
    let opposite = miss.is_none() && dice.below(4) == 0;
    let source = dice.pick(&["CF Benchmarks", "Binance", "Coinbase"]);
    let index = format!("{coin} Real-Time Index");
    let pair = |code: &str| format!("{code}/USDT");
    let zone = if dice.below(2) == 0 { date.eastern() } else { "ET" };
    let primary = if source == "CF Benchmarks" {
        format!(
            "If the simple average of the sixty seconds of CF Benchmarks' {index} before {hour} PM {zone} is above {level} at {hour} PM {zone} on {}, then the market resolves to Yes.",
            date.short()
        )
    } else if dice.below(2) == 0 {
        format!(
            "If the {source} 1 minute candle for {} at {hour}:00 PM {zone} on {} has a final Close price above ${}, then the market resolves to Yes.",
            pair(code),
            date.short(),
            commas(level)
        )
    } else {
        format!(
            "If the final close price of the {source} 1 minute candle for {} at {hour} PM {zone} on {} is greater than ${}, then the market resolves to Yes.",
            pair(code),
            date.long(),
            commas(level)
        )
    };
    let secondary = if source == "CF Benchmarks" {
        "Not all cryptocurrency price data is the same. At the last minute before expiration, 60 RTI prices are collected. The official and final value is the average of these prices."
    } else {
        ""
    };
    let mut ours = kalshi(
        &format!("KX{code}D-26-T{level}"),
        &format!("{coin} price on {} at {hour}pm {zone}?", date.short()),
        &format!("Above ${}", commas(level)),
        &primary,
        secondary,
    );
    #[allow(clippy::cast_precision_loss, reason = "levels are small")]
    strike(&mut ours, "greater", Some(level as f64), None);
    let (mut level, mut date, mut zone, mut code, mut coin, mut source, mut hour) =
        (level, date, "ET", code, coin, source, hour);
    let mut compare = dice.pick(&["higher than", "greater than", "above"]);
    match miss {
        Some("strike") => level += step,
        Some("date") => date = date.other(dice),
        Some("time zone") => zone = dice.pick(&["UTC", "PT", "CT"]),
        Some("comparator") => {
            compare = dice.pick(&["at or above", "equal to or greater than", "at least"])
        }
        Some("polarity") => compare = "below",
        Some("participant") => {
            (coin, code, _) = *COINS.iter().find(|(_, other, _)| *other != code).unwrap()
        }
        Some("source") => source = if source == "Binance" { "Coinbase" } else { "Binance" },
        Some("hour") => hour = if hour == 11 { 10 } else { hour + 1 },
        _ => {}
    }
    if opposite {
        compare = dice.pick(&["at or below", "less than or equal to"]);
    }
    let body = if source == "CF Benchmarks" {
        format!(
            "This market will resolve to \"Yes\" if the simple average of the sixty seconds of CF Benchmarks' {coin} Real-Time Index before {hour} PM {zone} on {} is {compare} ${}. Otherwise, this market will resolve to \"No\".",
            date.long(),
            commas(level)
        )
    } else {
        let named = dice.pick(&["title", "text"]);
        let value = if named == "title" {
            "the price specified in the title".into()
        } else {
            format!("${}", commas(level))
        };
        format!(
            "This market will resolve to \"Yes\" if the {source} 1 minute candle for {} {hour}:00 PM in the {zone} timezone on the date specified in the title has a final \"Close\" price {compare} {value}. Otherwise, this market will resolve to \"No\".\n\nThe resolution source for this market is {source}, specifically the {} \"Close\" prices currently available at https://www.example.com/trade with \"1m\" and \"Candles\" selected on the top bar.",
            pair(code),
            pair(code)
        )
    };
    let question = format!(
        "Will the price of {coin} be {} ${} on {}?",
        if compare == "below" || opposite { "below" } else { "above" },
        commas(level),
        date.long()
    );
    (
        ours,
        polymarket(&question, &body, ["Yes", "No"], &format!("{}T22:00:00Z", date.iso())),
        miss,
        opposite,
    )
}

pub fn up_down(dice: &mut Dice, misses: bool) -> Made {
    let miss = change(
        dice,
        misses,
        &["date", "time zone", "comparator", "participant", "source", "window"],
    );
    let (coin, code, _) = dice.pick(&COINS);
    let date = Date::draw(dice);
    let (hour, span) = (1 + dice.below(10), dice.pick(&[5, 15, 60]));
    let start = dice.below(60 / span) * span;
    let end = |span: u64| {
        if start + span >= 60 {
            format!("{}:{:02}PM", hour + 1, start + span - 60)
        } else {
            format!("{hour}:{:02}PM", start + span)
        }
    };
    let begin = format!("{hour}:{start:02}PM");
    let usual = miss.is_none() && dice.below(4) == 0;
    let primary = if usual || miss == Some("source") {
        format!(
            "If the simple average of the sixty seconds of CF Benchmarks' {code}USD_RTI before {} {} on {} is at least the simple average of the sixty seconds of CF Benchmarks' {code}USD_RTI before {begin} {} on {}, then the market resolves to Yes.",
            end(span),
            date.eastern(),
            date.short(),
            date.eastern(),
            date.long()
        )
    } else {
        format!(
            "If the value of the Chainlink {code}/USD data stream at {} {} on {} is greater than or equal to its value at {begin} {} on {}, then the market resolves to Yes.",
            end(span),
            date.eastern(),
            date.short(),
            date.eastern(),
            date.short()
        )
    };
    let ours = kalshi(
        &format!("KX{code}UPDOWN-26"),
        &format!("{coin} up or down on {}?", date.short()),
        "Up",
        &primary,
        "",
    );
    let (mut date, mut zone, mut coin, mut code, mut span) = (date, "ET", coin, code, span);
    let mut compare = dice.pick(&["greater than or equal to", "at least"]);
    match miss {
        Some("date") => date = date.other(dice),
        Some("time zone") => zone = dice.pick(&["UTC", "PT", "CT"]),
        Some("comparator") => compare = "greater than",
        Some("participant") => {
            (coin, code, _) = *COINS.iter().find(|(_, other, _)| *other != code).unwrap()
        }
        Some("window") => span = if span == 5 { 10 } else { 5 },
        _ => {}
    }
    let body = format!(
        "This market will resolve to \"Up\" if the {coin} price at the end of the time range specified in the title is {compare} the price at the beginning of that range. Otherwise, it will resolve to \"Down\".\nThe resolution source for this market is information from Chainlink, specifically the {code}/USD data stream available at https://data.chain.link/streams/{}-usd.\nPlease note that this market is about the price according to Chainlink data stream {code}/USD, not according to other sources or spot markets.",
        code.to_lowercase()
    );
    let question = format!("{coin} Up or Down - {}, {begin}-{} {zone}", date.bare(), end(span));
    let flipped = dice.below(5) == 0;
    let outcomes = if flipped { ["Down", "Up"] } else { ["Up", "Down"] };
    let mut theirs = polymarket(&question, &body, outcomes, "2026-07-01T00:00:00Z");
    // The end of the window is a field of the venue: without it the year is not said.
    theirs["endDate"] = Value::Null;
    theirs["question"] = question.replace(&date.bare(), &date.long()).into();
    (ours, theirs, miss, flipped)
}
