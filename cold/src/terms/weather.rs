//! Questions about the weather of a day in a place.

use super::figures::strike;
use super::listed::Listed;
use super::question::{Question, Value};
use super::source;
use super::text::{Text, has};
use super::words::{Dec, Token, Unit};

/// Cities and the words for them.
const CITIES: &[(&str, &[&str])] = &[
    ("New York", &["new york", "nyc", "central park", "laguardia", "knyc", "klga", "manhattan"]),
    ("Chicago", &["chicago", "midway", "o hare", "ohare", "kmdw", "kord"]),
    ("Los Angeles", &["los angeles", "lax", "klax"]),
    ("Miami", &["miami", "kmia"]),
    ("Austin", &["austin", "kaus"]),
    ("Denver", &["denver", "buckley", "kden", "kbkf"]),
    ("Philadelphia", &["philadelphia", "kphl"]),
    ("Houston", &["houston", "hobby", "khou", "kiah"]),
    ("Dallas", &["dallas", "love field", "kdal", "kdfw"]),
    ("Atlanta", &["atlanta", "hartsfield", "katl"]),
    ("Boston", &["boston", "logan", "kbos"]),
    ("Seattle", &["seattle", "ksea"]),
    ("San Francisco", &["san francisco", "ksfo"]),
    ("Washington", &["washington dc", "washington d.c", "dc", "reagan", "kdca"]),
    ("Las Vegas", &["las vegas", "klas"]),
    ("Phoenix", &["phoenix", "kphx"]),
    ("Minneapolis", &["minneapolis", "kmsp"]),
    ("New Orleans", &["new orleans", "kmsy"]),
    ("San Antonio", &["san antonio", "ksat"]),
    ("Oklahoma City", &["oklahoma city", "kokc"]),
    ("London", &["london", "heathrow", "eglc", "egll"]),
    ("Paris", &["paris", "lfpg", "lfpb"]),
    ("Seoul", &["seoul", "incheon", "rksi"]),
    ("Tokyo", &["tokyo", "haneda", "rjtt"]),
    ("Toronto", &["toronto", "pearson", "cyyz"]),
    ("Buenos Aires", &["buenos aires", "ezeiza", "saez"]),
    ("Ankara", &["ankara", "esenboga", "ltac"]),
    ("Wellington", &["wellington", "nzwn"]),
];

/// Stations and the words that name them and no other station of their city.
const STATIONS: &[(&str, &[&str])] = &[
    ("KNYC", &["central park", "knyc", "clinyc"]),
    ("KLGA", &["laguardia", "klga"]),
    ("KJFK", &["kennedy airport", "jfk", "kjfk"]),
    ("KMDW", &["midway", "kmdw", "climdw"]),
    ("KORD", &["o hare", "ohare", "kord"]),
    (
        "KLAX",
        &[
            "los angeles international",
            "los angeles intl",
            "los angeles airport",
            "lax airport",
            "klax",
            "clilax",
        ],
    ),
    ("KMIA", &["miami international", "miami intl", "kmia", "climia"]),
    ("KAUS", &["bergstrom", "kaus", "cliaus"]),
    ("KATT", &["camp mabry", "katt"]),
    ("KDEN", &["denver international", "denver intl", "kden", "cliden"]),
    ("KBKF", &["buckley", "kbkf"]),
    ("KPHL", &["philadelphia international", "philadelphia intl", "kphl"]),
    ("KHOU", &["hobby", "khou"]),
    ("KIAH", &["bush intercontinental", "kiah"]),
    ("KDAL", &["love field", "kdal"]),
    ("KDFW", &["dallas fort worth", "dfw", "kdfw"]),
    ("KATL", &["hartsfield", "katl"]),
    ("KBOS", &["logan", "kbos"]),
    ("KSEA", &["seattle tacoma", "sea tac", "ksea"]),
    ("KSFO", &["san francisco international", "san francisco intl", "ksfo"]),
    ("KDCA", &["reagan", "kdca"]),
    ("KLAS", &["harry reid", "klas"]),
    ("KPHX", &["sky harbor", "kphx"]),
    ("EGLC", &["london city airport", "eglc"]),
    ("EGLL", &["heathrow", "egll"]),
    ("RKSI", &["incheon", "rksi"]),
    ("SAEZ", &["ezeiza", "saez"]),
];

/// Reads what is asked of a day's weather.
pub fn read(listed: &Listed, text: &Text, question: &mut Question) {
    source::read(source::WEATHER, listed, text, question);
    let named = |table: &'static [(&'static str, &'static [&'static str])],
                 part: &[Token]|
     -> Vec<&'static str> {
        table
            .iter()
            .filter(|(_, words)| words.iter().any(|words| has(part, words)))
            .map(|(name, _)| *name)
            .collect()
    };
    let first = [&text.title, &text.event, &text.main]
        .into_iter()
        .map(|part| named(CITIES, part))
        .find(|found| !found.is_empty());
    match first.as_deref() {
        Some([city]) => question.say_text("place", Some(city)),
        Some([city, other, ..]) => question.unclear("place", format!("{city}, and also {other}")),
        Some([]) | None => {}
    }
    let mut stations: Vec<&str> =
        text.rules.iter().flat_map(|sentence| named(STATIONS, sentence)).collect();
    for address in text.addresses.iter().chain(&listed.sources) {
        let code = address.rsplit('/').find(|part| part.len() == 4).map(str::to_ascii_uppercase);
        stations.extend(
            STATIONS
                .iter()
                .filter(|(name, _)| code.as_deref() == Some(name))
                .map(|(name, _)| *name),
        );
    }
    stations.sort_unstable();
    stations.dedup();
    match stations.as_slice() {
        [station] => question.say_text("station", Some(station)),
        [] => {}
        [station, other, ..] => question.unclear("station", format!("{station}, and also {other}")),
    }
    measure(text, question);
    match text.one_day(&[&text.main, &text.title, &text.event]) {
        Some(Ok(day)) => question.say("date", Value::Day(day)),
        Some(Err(why)) => question.unclear("date", why),
        None => {}
    }
    let whole = [
        "whole degrees",
        "whole degree",
        "nearest degree",
        "nearest whole degree",
        "integer degrees",
    ];
    if text.says_any(&whole)
        || question.known("source") == Some(&Value::Text("NWS".into())) && is_temperature(question)
    {
        // The daily climate report has whole degrees alone.
        question.grid = Some(Dec::ONE);
    }
    let temperature = is_temperature(question);
    strike(listed, text, question, |range| {
        !matches!(range.unit, Unit::Usd | Unit::Percent) && (!temperature || hot_enough(range))
    });
}

/// Whether what is measured are degrees.
pub fn is_temperature(question: &Question) -> bool {
    matches!(question.known("measure"), Some(Value::Text(text)) if text.ends_with("temperature"))
}

/// The days of `September 21-27` are no degrees.
fn hot_enough(range: &super::range::Range) -> bool {
    range.unit != Unit::Plain
        || range.low.is_none()
        || range.high.is_none()
        || range.low.is_some_and(|low| low.at > Dec::whole(31))
}

fn measure(text: &Text, question: &mut Question) {
    let any = |words: &[&str]| {
        [&text.title, &text.event, &text.main]
            .into_iter()
            .any(|part| words.iter().any(|words| has(part, words)))
    };
    let high = any(&[
        "highest temperature",
        "high temperature",
        "high temp",
        "highest temp",
        "maximum temperature",
        "max temp",
    ]);
    let low = any(&[
        "lowest temperature",
        "low temperature",
        "low temp",
        "lowest temp",
        "minimum temperature",
        "min temp",
    ]);
    let rain = any(&["rain", "rainfall", "precipitation"]);
    let snow = any(&["snow", "snowfall"]);
    question.say_text(
        "measure",
        match (high, low, rain, snow) {
            (true, false, false, false) => Some("highest temperature"),
            (false, true, false, false) => Some("lowest temperature"),
            (false, false, true, false) => Some("rain"),
            (false, false, false, true) => Some("snow"),
            _ => None,
        },
    );
}
