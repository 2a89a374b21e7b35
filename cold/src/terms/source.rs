//! Who says how it ended.

use super::listed::Listed;
use super::question::{Question, Value};
use super::text::{Text, has};
use super::words::{plain, tokens};

/// A publisher: our word for it, how texts name it, and a part of its addresses.
pub struct Publisher {
    name: &'static str,
    words: &'static [&'static str],
    address: &'static str,
}

macro_rules! publishers {
    ($($name:literal: $words:expr, $address:literal;)*) => {
        &[$(Publisher { name: $name, words: &$words, address: $address }),*]
    };
}

/// Prices of coins.
pub const COINS: &[Publisher] = publishers! {
    "CF Benchmarks": ["cf benchmarks", "brti", "cf bitcoin real time index"], "cfbenchmarks.com";
    "Binance": ["binance"], "binance.com";
    "Coinbase": ["coinbase"], "coinbase.com";
    "Kraken": ["kraken"], "kraken.com";
    "Bitstamp": ["bitstamp"], "bitstamp.net";
    "Chainlink": ["chainlink"], "chain.link";
    "Pyth": ["pyth"], "pyth.network";
    "CoinGecko": ["coingecko"], "coingecko.com";
    "CoinMarketCap": ["coinmarketcap"], "coinmarketcap.com";
    "CoinDesk": ["coindesk"], "coindesk.com";
};

/// Who publishes economic figures.
pub const FIGURES: &[Publisher] = publishers! {
    "BLS": ["bureau of labor statistics", "bls"], "bls.gov";
    "BEA": ["bureau of economic analysis", "bea"], "bea.gov";
    "Census": ["census bureau"], "census.gov";
    "DOL": ["department of labor"], "dol.gov";
    "ADP": ["adp", "adp research"], "adp";
    "Federal Reserve": ["federal reserve", "fomc", "federal open market committee"], "federalreserve.gov";
    "Eurostat": ["eurostat"], "eurostat";
    "ONS": ["office for national statistics", "ons"], "ons.gov.uk";
    "Statistics Canada": ["statistics canada", "statcan"], "statcan";
    "FRED": ["fred", "st louis fed"], "stlouisfed.org";
    "Trading Economics": ["trading economics"], "tradingeconomics.com";
    "Investing.com": ["investing.com"], "investing.com";
    "University of Michigan": ["university of michigan"], "umich.edu";
};

/// Who publishes the weather of a day.
pub const WEATHER: &[Publisher] = publishers! {
    "NWS": ["national weather service", "nws", "climatological report"], "weather.gov";
    "Wunderground": ["wunderground", "weather underground"], "wunderground.com";
    "Weather Company": ["weather company"], "weather.com";
    "AccuWeather": ["accuweather"], "accuweather.com";
    "NOAA": ["noaa", "ncei"], "noaa.gov";
    "Synoptic Data": ["synoptic"], "synopticdata.com";
    "Met Office": ["met office"], "metoffice.gov.uk";
};

/// Who says how an election ended.
pub const ELECTIONS: &[Publisher] = publishers! {
    "AP, Fox and NBC": ["associated press fox news and nbc", "ap fox news and nbc", "ap fox and nbc", "associated press fox and nbc"], "\u{0}";
    "Associated Press": ["associated press", "ap"], "apnews.com";
    "DDHQ": ["decision desk"], "ddhq.io";
    "credible reporting": ["credible reporting", "credible news", "consensus of media"], "\u{0}";
    "official certification": ["certified results", "official certification", "state certification", "certification of results"], "\u{0}";
    "party sources": ["official democratic party sources", "official republican party sources", "official gop sources"], "\u{0}";
};

/// Who says how a game ended.
pub const GAMES: &[Publisher] = publishers! {
    "the league": ["official league", "governing body", "official information from the nfl", "official information from the nba", "official nba", "official nfl", "official mlb", "official nhl", "official statistics"], "\u{0}";
    "NFL": ["nfl.com"], "nfl.com";
    "NBA": ["nba.com"], "nba.com";
    "MLB": ["mlb.com"], "mlb.com";
    "NHL": ["nhl.com"], "nhl.com";
    "ESPN": ["espn"], "espn.com";
    "credible reporting": ["credible reporting"], "\u{0}";
};

/// Sentences with one of these name sources that are not the market's.
const NOT_MEANT: &[&str] = &[
    "not all",
    "while checking",
    "not according to",
    "will not be considered",
    "will not be used",
    "not be used",
    "may help guide",
    "other exchanges",
    "not other",
    "rather than",
    "instead of",
    "unavailable",
    "not available",
    "cannot be accessed",
    "fallback",
    "may also be used",
    "may be used",
    "secondary",
    "should exercise caution",
];

/// Reads which publisher of these decides: where the texts name several, or fields name another, that is unclear.
pub fn read(known: &'static [Publisher], listed: &Listed, text: &Text, question: &mut Question) {
    let mut found: Vec<&'static str> = Vec::new();
    let mut meet = |words: &[super::words::Token]| {
        let mut met = false;
        for publisher in known.iter().filter(|of| of.words.iter().any(|name| has(words, name))) {
            // Three stations named together are one source, and not the first of them.
            let part = met && publisher.name == "Associated Press";
            met = true;
            if !part && !found.contains(&publisher.name) {
                found.push(publisher.name);
            }
        }
    };
    for sentence in &text.rules {
        if !NOT_MEANT.iter().any(|words| has(sentence, words)) {
            meet(sentence);
        }
    }
    let addressed = text.addresses.iter().filter_map(|address| {
        let of = |publisher: &&Publisher| address.contains(publisher.address);
        known.iter().find(of).map(|publisher| publisher.name)
    });
    let by_field = listed.sources.iter().filter_map(|source| {
        let source = plain(source);
        let words = tokens(&source);
        let of = |publisher: &&Publisher| {
            source.contains(publisher.address)
                || publisher.words.iter().any(|name| has(&words, name))
        };
        known.iter().find(of).map(|publisher| publisher.name)
    });
    let in_text = found.clone();
    for name in addressed.chain(by_field) {
        if !found.contains(&name) {
            found.push(name);
        }
    }
    match (found.as_slice(), in_text.as_slice()) {
        ([], _) => {}
        ([only], _) => question.say("source", Value::Text((*only).to_owned())),
        _ => question.unclear("source", found.join(", and also ")),
    }
}

/// Whether two sources are the venues' usual ones for the same thing, which people take for one another: an index made of several
/// exchanges beside one of them, or the weather service beside a page that shows its stations. Their values differ a little.
pub fn is_basis(one: &str, other: &str) -> bool {
    let pairs = [
        ("CF Benchmarks", "Binance"),
        ("CF Benchmarks", "Chainlink"),
        ("NWS", "Wunderground"),
        ("NWS", "NOAA"),
        ("Weather Company", "Wunderground"),
    ];
    pairs.contains(&(one, other)) || pairs.contains(&(other, one))
}
