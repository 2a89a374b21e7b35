//! Which sentences of a rule text are understood: by their whole form, kind by kind. What fits none of them may change what the
//! market pays, and nothing with such a sentence is certified.

use std::sync::LazyLock;

use super::pattern::Pattern;
use super::question::Kind;
use super::words::Token;

/// Sentences of every kind: who owns a name, where more is written, when a market closes.
const ANY: &[&str] = &[
    "otherwise (this|the) market will resolve to (no|down)",
    "otherwise (it|this market) will resolve to (no|down)",
    "otherwise (the|this) market resolves to no",
    "this market will close and expire early if the event occurs",
    "note this event is directional",
    "see (the|) full rules for (more|) details",
    "please see (the|) full rules for (more|) details",
    "outcome verified from {name}",
    "this is a binary market",
    "for more information see the full rules",
];

const COINS: &[&str] = &[
    "not all cryptocurrency price data is the same",
    "while checking a source like google or coinbase may help guide your decision the price used to determine this market is based on cf benchmarks corresponding real time index rti",
    "at the last minute before expiration 60 rti prices are collected",
    "the official and final value is the average of these prices (rounded to the nearest (2|two) (decimals|decimal places)|)",
    "the resolution source for this market is (binance|coinbase) specifically the {name} (high|low|close) prices (currently|) (available|shown) (at|on|) (with (the chart settings on|) 1 m (for one minute candles|) (and candles|candles|) selected (on the top bar|)|)",
    "the resolution source for this market is (binance|coinbase|cf benchmarks|chainlink) (specifically the {name}|)",
    "the resolution source for this market is information from chainlink specifically the {name} data stream (available at|)",
    "the resolution source (for this market|) is (the|) cf benchmarks {name}",
    "please note that (the outcome of|) this market (depends solely on the|is about the) price (data from the|according to) (binance|coinbase|chainlink|cf benchmarks) {name} (trading pair|) (not according to other (exchanges|sources|indices) or (trading pairs|spot markets|exchanges)|)",
    "please note that this market is about the price according to (chainlink|cf benchmarks|binance|coinbase) (data stream|) {name} not according to other (sources|exchanges) or (spot markets|trading pairs)",
    "prices from other exchanges different trading pairs or spot markets will not be considered (for the resolution of this market|)",
    "prices (are|will be) rounded to (the nearest cent|two decimal places|{num} decimal places)",
];

const TOUCH: &[&str] = &[
    "this market will (immediately|) resolve to yes if any (binance|coinbase) (1|one) minute candle for {name} (from {day} {clock} to {day} {clock}|between {day} {clock} and {day} {clock} (in the et timezone|)|between {day} and {day} {clock}|during the month specified in the title from {clock} on the first day to {clock} on the last|during the date range specified in the title from {clock} on the first date to {clock} on the last|on the date specified in the title between {clock} and {clock}) has a final (high|low) price (of|) ({range}|{compare} the price specified in the title)",
    "this market will (immediately|) resolve to yes if (the cf benchmarks {name}|{name} according to cf benchmarks) (is|trades) {range} at any time (between {day} {clock} and {day} {clock}|from {day} {clock} to {day} {clock})",
    "if any (binance|coinbase) (1|one) minute candle for {name} (between|from) {day} {clock} (and|to) {day} {clock} has a final (high|low) price (of|) {range} then the market resolves to yes",
    "if (the|) cf benchmarks {name} (is|trades) {range} at any time (between|from) {day} {clock} (and|to) {day} {clock} then the market resolves to yes",
];

const PRICE_AT: &[&str] = &[
    "if the simple average of the sixty seconds of cf benchmarks {name} before {clock} is {range} at {clock} on {day} then the market resolves to yes",
    "this market will resolve to yes if the simple average of the sixty seconds of cf benchmarks {name} before {clock} on {day} is {range}",
    "if the (binance|coinbase) (1|one) minute candle for {name} (at|) {clock} on {day} has a final close price (of|) {range} then the market resolves to yes",
    "if the final close price of the (binance|coinbase) (1|one) minute candle for {name} at {clock} on {day} is {range} then the market resolves to yes",
    "this market will resolve to yes if the (binance|coinbase) (1|one) minute candle for {name} (at|) {clock} on (the date specified in the title|{day}) has a final close price (of|) ({range}|{compare} the price specified in the title|between the prices specified in the title)",
    "price precision is determined by the number of decimal places in the source",
];

const UP_DOWN: &[&str] = &[
    "this market will resolve to up if the {name} price at the end of the time range specified in the title is {compare} the price at the beginning of that range",
    "if the {name} price according to (the|) (chainlink|binance|cf benchmarks) {name} at {clock} on {day} is {compare} the price at {clock} on {day} then the market resolves to yes",
    "if the value of the chainlink {name} data stream at {clock} on {day} is {compare} its value at {clock} on {day} then the market resolves to yes",
    "if the simple average of the sixty seconds of cf benchmarks {name} before {clock} on {day} is {compare} the simple average of the sixty seconds of cf benchmarks {name} before {clock} on {day} then the market resolves to yes",
    "this market will resolve to up if the simple average of the sixty seconds of cf benchmarks {name} before the end of the time range specified in the title is {compare} the simple average of the sixty seconds before its beginning",
];

const FIGURE: &[&str] = &[
    "if (the|) (seasonally adjusted|not seasonally adjusted|) (core|) (consumer price index|cpi|consumer price index cpi) (cpi|) (increases|rises) by {range} (in|over) the twelve months ending (in|) {month} (as (represented by the one decimal place value|) (reported|published) by the bureau of labor statistics|) then the market resolves to yes",
    "if (the|) (us|united states|) (core|) (consumer price index|cpi) (cpi|) (increases|rises) by {range} (month over month|from the previous month) in {month} as first (reported|published) by the bureau of labor statistics then the market resolves to yes",
    "if the (us|united states|) unemployment rate (u 3|) (for|in) {month} is {range} as first (reported|published) by the bureau of labor statistics then the market resolves to yes",
    "this market will resolve to yes if the (us|united states|) unemployment rate (u 3|) (for|in) {month} is {range} (according to|as first reported by|as first published by) the bureau of labor statistics",
    "this market will resolve to yes if (the|) (seasonally adjusted|not seasonally adjusted|) (us|united states|) (core|) (consumer price index|cpi) (cpi|) (increases|rises) by {range} (month over month|over the twelve months ending|in the twelve months ending) (in|) {month} (as first reported by|as first published by|according to) the bureau of labor statistics",
    "the (figure|rate|value) is (read|taken|published) (as|with|to) (the one decimal place value|one decimal place) (published by the bureau of labor statistics|)",
    "the resolution source (for this market|) (is|will be) the bureau of labor statistics (report|release|bls report|)",
    "(later|subsequent) revisions (to the figure|) (will|do) not (be considered|count|change the resolution)",
    "(any|) revisions (made|) after the (first|initial) release will not be considered",
    "values are rounded to one decimal place",
];

const RATES: &[&str] = &[
    "if the upper bound of the (target|) federal funds (target|) (range|rate) is {range} (following|after) the (federal reserve|fomc|fed) {month} meeting then the market resolves to yes",
    "this market will resolve to yes if the upper bound of the (target|) federal funds (target|) (range|rate) is {range} (following|after) the (federal reserve|fomc|fed) {month} meeting",
    "the resolution source (for this market|) (is|will be) the (federal reserve|fomc) (statement|)",
    "if the federal reserve cuts rates exactly {num} times in {year} counting each 25 basis points as one cut and including emergency cuts then the market resolves to yes",
    "this market will resolve to yes if the federal reserve (makes|announces) exactly {num} (rate|) cuts (of 25 basis points|) in {year}",
    "cuts of 25 basis points (each|) are counted and emergency cuts (outside of scheduled meetings|) count (as well|)",
    "emergency (rate|) cuts (outside of scheduled (fomc|) meetings|) (also|will also) count",
    "a cut of 50 basis points (is|counts as) {num} cuts",
];

const WEATHER: &[&str] = &[
    "if the (highest|lowest) temperature recorded (in|at) {name} (for|on) {day} as reported by the national weather service climatological report (daily|) is {range} then the market resolves to yes",
    "if the (highest|lowest) temperature recorded (in|at) {name} (for|on) {day} is {range} according to the national weather service climatological report (daily|) then the market resolves to yes",
    "this market will resolve to yes if the (highest|lowest) temperature recorded (in|at) {name} (for|on) {day} (as reported by|according to) the national weather service climatological report (daily|) is {range}",
    "not all weather data is the same",
    "while checking a source like accuweather or google weather may help guide your decision the official and final value used to determine this market is the (highest|lowest) temperature as reported by the corresponding nws climatological report daily linked in the rules above",
    "preliminary nws reporting and measurement methods may be subject to underlying rounding and conversion nuances",
    "traders should exercise caution when interpreting preliminary nws data",
    "the report (measures|has) (temperatures|) (to|in) whole degrees (fahrenheit|)",
    "the resolution source (for this market|) (is|will be) the national weather service climatological report (daily|)",
];

const GAMES: &[&str] = &[
    "if {name} wins the {name} (professional|pro) (football|basketball|baseball|hockey) game (originally|) scheduled for {day} (at {clock}|) (including overtime|including extra innings|) then the market resolves to yes",
    "if {name} wins by {range} (points|runs|goals) in the {name} (professional|pro) (football|basketball|baseball|hockey) game (originally|) scheduled for {day} (at {clock}|) (including overtime|including extra innings|) then the market resolves to yes",
    "if {name} collectively score {range} (points|runs|goals) in the {name} (professional|pro) (football|basketball|baseball|hockey) game (originally|) scheduled for {day} (at {clock}|) (including overtime|including extra innings|) then the market resolves to yes",
    "the following market refers to {name} who wins the {name} game (originally|) scheduled for {day} (at {clock}|)",
    "in the upcoming (nfl|nba|mlb|nhl) game (between {name}|) scheduled for {day} (at {clock}|)",
    "in the upcoming (nfl|nba|mlb|nhl) game (between {name}|) scheduled for {day} (at {clock}|) if (the|) {name} (win|wins) the market will resolve to {name}",
    "if (the|) {name} (win|wins) (the|this) (game|) (the|this) market will resolve to {name}",
    "if (the|) {name} (win|wins) (the|this) market will resolve to {name}",
    "(overtime|extra innings|overtime and shootouts) (is|are|will be|) included (if played|)",
    "the (outcome|result) includes (overtime|extra innings|overtime and shootouts) (if played|)",
    "if (the|this) game is postponed (or delayed|) (this|the) market will remain open until the game has been completed",
    "if (the|this) game (is canceled|is cancelled|ends in a tie) (entirely|) (or ends in a tie|) (with no make up game|) (this|the) market will resolve 50-50",
    "if the game ends in a tie (this|the) market will resolve (50-50|to {num} for each team)",
    "if (the|this) game is (canceled|cancelled) (entirely|) (with no make up game|) (this|the) market will resolve to {num} for each team",
    "(the resolution source (for this market|) (is|will be)|resolution source|outcome verified from) (the|) (official|) (league|nfl|nba|mlb|nhl|espn) (results|scores|)",
    "the resolution source for this market is",
    "resolution source",
];

const ELECTIONS: &[&str] = &[
    "if {name} wins and accepts the nomination for the presidency for the {name} party in {year} then the market resolves to yes",
    "this market will resolve to yes if (the named individual|{name}) wins and accepts the {year} nomination of the {name} party for (us|) president",
    "(any|) replacement of the {name} nominee (before election day|) will not change the resolution of the market",
    "the resolution source (for this market|) will be a consensus of official {name} party sources",
];

static COMPILED: LazyLock<Vec<(&'static [Kind], Vec<Pattern>)>> = LazyLock::new(|| {
    use Kind::{
        Election, Figure, Game, PriceAt, RateCount, RateDecision, RateLevel, Spread, Total, Touch,
        UpDown, Weather,
    };
    let compiled =
        |written: &[&'static str]| written.iter().map(|form| Pattern::new(form)).collect();
    vec![
        (&[][..], compiled(ANY)),
        (&[Touch, PriceAt, UpDown], compiled(COINS)),
        (&[Touch], compiled(TOUCH)),
        (&[PriceAt], compiled(PRICE_AT)),
        (&[UpDown], compiled(UP_DOWN)),
        (&[Figure], compiled(FIGURE)),
        (&[RateCount, RateDecision, RateLevel], compiled(RATES)),
        (&[Weather], compiled(WEATHER)),
        (&[Election], compiled(ELECTIONS)),
        (&[Game, Spread, Total], compiled(GAMES)),
    ]
});

/// Whether the whole sentence is understood in a question of this kind, or is one of the venue's own that change nothing.
pub fn understood(kind: Kind, sentence: &[Token], venue: &[Pattern]) -> bool {
    let of_kind = COMPILED.iter().filter(|(kinds, _)| kinds.is_empty() || kinds.contains(&kind));
    of_kind.flat_map(|(_, forms)| forms).chain(venue).any(|form| form.fits(sentence))
}
