//! Questions about the price of a coin: what a level, a moment or a window of them says.

use super::date::{Clock, Day, moment};
use super::listed::Listed;
use super::question::{Kind, Question, Value};
use super::range::{Compare, Range, compare_at, ranges};
use super::source;
use super::text::{Text, clocks, has};
use super::window::spans;
use super::words::{Dec, Token, Unit};

/// Coins and the words for them. Words that are common ones as well (`near`, `link`) are not among them.
const ASSETS: &[(&str, &[&str])] = &[
    ("btc", &["bitcoin", "btc", "xbt", "btc/usd", "btc/usdt", "btcusd", "btcusdt", "brti"]),
    ("eth", &["ethereum", "ether", "eth", "eth/usd", "eth/usdt", "ethusd", "ethusdt", "ethusdrti"]),
    ("sol", &["solana", "sol", "sol/usd", "sol/usdt", "solusd", "solusdt", "solusdrti"]),
    ("xrp", &["xrp", "ripple", "xrp/usd", "xrp/usdt", "xrpusd", "xrpusdt", "xrpusdrti"]),
    ("doge", &["dogecoin", "doge", "doge/usd", "doge/usdt", "dogeusd", "dogeusdt", "dogeusdrti"]),
    ("bnb", &["bnb", "bnb/usd", "bnb/usdt", "bnbusd", "bnbusdt", "bnbusdrti"]),
    ("ada", &["cardano", "ada/usd", "ada/usdt", "adausd"]),
    ("ltc", &["litecoin", "ltc", "ltc/usd", "ltc/usdt"]),
    ("bch", &["bch", "bch/usd"]),
    ("avax", &["avalanche", "avax", "avax/usd"]),
    ("hype", &["hyperliquid", "hype/usd"]),
    ("zec", &["zcash", "zec", "zec/usd"]),
    ("shib", &["shiba", "shib", "shib/usd", "shibusdrti"]),
    ("sui", &["sui", "sui/usd"]),
];

/// Prices are quoted to the cent by every source of the two dearest coins.
const CENT: Dec = Dec(1_000_000);

/// The coin that a text names first.
pub fn asset(text: &[Token]) -> Option<&'static str> {
    text.iter().filter_map(Token::word).find_map(|word| {
        let named = |(_, words): &&(&str, &[&str])| words.contains(&word);
        ASSETS.iter().find(named).map(|(name, _)| *name)
    })
}

/// Reads what is asked of a coin's price.
pub fn read(kind: Kind, listed: &Listed, text: &Text, question: &mut Question) {
    for part in [&text.title, &text.event, &text.main] {
        question.say_text("asset", asset(part));
    }
    source::read(source::COINS, listed, text, question);
    quote(text, question);
    index(text, question);
    match kind {
        Kind::Touch => touch(listed, text, question),
        Kind::PriceAt => price_at(listed, text, question),
        _ => up_down(listed, text, question),
    }
}

/// Which index of its publisher is meant: each publishes several.
fn index(text: &Text, question: &mut Question) {
    if question.known("source") != Some(&Value::Text("CF Benchmarks".into())) {
        return;
    }
    let running = text.says_any(&["real time index", "brti", "rti"])
        || text.rules.iter().flatten().filter_map(Token::word).any(|word| word.ends_with("usdrti"));
    let fixed = text.says_any(&["reference rate", "brr", "brrny", "settlement price"]);
    match (running, fixed) {
        (true, false) => question.say_text("index", Some("real-time index")),
        (false, true) => question.say_text("index", Some("reference rate")),
        _ => question.unclear("index", "which of the publisher's is not told".into()),
    }
}

/// The currency of the pair that is quoted, and whether it is the coin itself or a future on it.
fn quote(text: &Text, question: &mut Question) {
    let is_pair =
        |word: &&str| word.contains('/') || ASSETS.iter().any(|(_, words)| words.contains(word));
    let quoted = |word: &str| {
        let of = |quote: &&str| word.len() > quote.len() && word.ends_with(*quote);
        ["usdt", "usdc", "fdusd", "usd", "eur"].into_iter().find(|quote| of(quote))
    };
    let words = text.rules.iter().flatten().filter_map(Token::word);
    let mut quotes: Vec<&str> = words.filter(is_pair).filter_map(quoted).collect();
    quotes.dedup();
    match quotes.as_slice() {
        [] => {}
        [first, others @ ..] if others.iter().all(|other| other == first) => {
            question.say_text("quote", Some(first));
        }
        [first, ..] => question.unclear("quote", format!("{first}, and also another")),
    }
    let future =
        text.says_any(&["perpetual", "perpetuals", "perp", "futures", "future", "mark price"]);
    question.say_text("instrument", Some(if future { "a future" } else { "the coin" }));
}

/// The grid that a text says: `rounded to the nearest 2 decimals`, `$0.01`.
fn grid(text: &Text, question: &mut Question) {
    let cents = [
        "two decimal places",
        "2 decimal places",
        "nearest cent",
        "2 decimals",
        "two decimals",
        "nearest 2 decimal",
        "nearest two decimal",
    ];
    if text.says_any(&cents) {
        question.grid = Some(CENT);
    }
}

/// Where a text says only how to compare (`higher than the price specified in the title`), the number of the title.
fn strike(listed: &Listed, text: &Text, touches: bool) -> Vec<Result<Range, String>> {
    let mut found: Vec<Result<Range, String>> = listed.strike.clone().into_iter().collect();
    let dollars = |ranges: Vec<Range>| {
        ranges.into_iter().filter(|range| {
            let big =
                |end: Option<super::range::End>| end.is_none_or(|end| end.at >= Dec::whole(100));
            range.unit == Unit::Usd
                || (range.unit == Unit::Plain && big(range.low) && big(range.high))
        })
    };
    let own: Vec<Range> = dollars(ranges(&text.main)).collect();
    let compared = compares(&text.main, touches);
    if own.is_empty()
        && let Some(compare) = compared
    {
        let level = level(&text.title).or_else(|| level(&text.stands_for));
        let titled: Vec<Range> = dollars(ranges(&text.title)).collect();
        match (titled.first(), level) {
            (Some(range), _) if range.low.is_some() && range.high.is_some() => {
                found.push(Ok(*range))
            }
            (_, Some(level)) => found.push(Ok(Range::of(compare, level, Unit::Usd))),
            _ => {}
        }
        return found;
    }
    found.extend(own.into_iter().map(Ok));
    if found.is_empty() {
        let titled: Vec<Range> =
            dollars(ranges(&text.title)).chain(dollars(ranges(&text.stands_for))).take(1).collect();
        found.extend(titled.into_iter().map(Ok));
    }
    found
}

/// The comparison of the sentence that decides, where no number follows.
fn compares(text: &[Token], touches: bool) -> Option<Compare> {
    (0..text.len()).find_map(|at| {
        let (compare, end) = compare_at(text, at)?;
        let named = text.get(end).is_none_or(|token| token.number().is_none());
        let exact = compare != Compare::Exactly && (!touches || !text[at].is("over"));
        (named && exact).then_some(compare)
    })
}

/// A price that a text names.
fn level(text: &[Token]) -> Option<Dec> {
    let mut found = text.iter().filter_map(|token| match token {
        Token::Num(value, Unit::Usd) => Some(*value),
        _ => None,
    });
    if let Some(first) = found.next() {
        return found.all(|other| other == first).then_some(first);
    }
    let plain: Vec<Dec> = text
        .iter()
        .filter_map(|token| match token {
            Token::Num(value, Unit::Plain) if *value >= Dec::whole(2_101) => Some(*value),
            _ => None,
        })
        .collect();
    (plain.len() == 1).then(|| plain[0])
}

fn say_strike(listed: &Listed, text: &Text, question: &mut Question, touches: bool) {
    grid(text, question);
    let mut before: Option<Range> = None;
    for found in strike(listed, text, touches) {
        match (found, before) {
            (Err(why), _) => return question.unclear("strike", why),
            (Ok(range), Some(first))
                if first.stands_to(range, Some(CENT), None) != super::range::Relation::Same =>
            {
                return question.unclear("strike", format!("{first}, and also {range}"));
            }
            (Ok(range), None) => {
                before = Some(range);
                question.say("strike", Value::Range(range));
            }
            (Ok(_), Some(_)) => {}
        }
    }
}

fn touch(listed: &Listed, text: &Text, question: &mut Question) {
    say_strike(listed, text, question, true);
    if let (None, Some(level)) =
        (question.fields.get("strike"), level(&text.title).or_else(|| level(&text.stands_for)))
    {
        let down = text.asks_any(&["dip", "dips", "drop", "fall", "below", "low"]);
        let compare = if down { Compare::AtMost } else { Compare::AtLeast };
        // That a level is reached at it, and not beyond it, is the usual meaning, and not said.
        let mut range = Range::of(compare, level, Unit::Usd);
        for end in [&mut range.low, &mut range.high].into_iter().flatten() {
            end.inclusive = None;
        }
        question.say("strike", Value::Range(range));
    }
    let referred = has(&text.main, "in the title") || has(&text.main, "of the title");
    let own = spans(text, &text.main);
    let titled = spans(text, &text.title);
    let window = match (own.first(), titled.first()) {
        (Some(own), _) if !referred || own.from.is_some() && own.until.is_some() => Some(*own),
        (_, Some(titled)) => Some(zoned(*titled, text)),
        (Some(own), None) => Some(*own),
        (None, None) => spans(text, &text.event).first().map(|span| zoned(*span, text)),
    };
    question.say_if("window", window.map(Value::Span));
    let high = text.says_any(&["final high", "high price", "high prices"]);
    let low = text.says_any(&["final low", "low price", "low prices"]);
    let minute = text.says_any(&[
        "1 minute candle",
        "one minute candle",
        "1m candle",
        "minute candle",
        "minute candles",
    ]);
    let average = text.says_any(&[
        "average of the sixty",
        "60 second average",
        "sixty second average",
        "simple average",
        "minute average",
    ]);
    let trimmed = text.says_any(&["trimmed mean", "trimmed average"]);
    question.say_text(
        "measure",
        match (high, low, minute, average, trimmed) {
            (_, _, _, _, true) => Some("trimmed mean"),
            (true, false, true, false, _) => Some("high of a one-minute candle"),
            (false, true, true, false, _) => Some("low of a one-minute candle"),
            (_, _, _, true, _) => Some("average of sixty seconds"),
            _ => None,
        },
    );
}

/// A window of the title, with the times of day that the rules give it (`from 12:00 AM ET on the first date to 11:59 PM ET on the last`).
fn zoned(span: super::window::Span, text: &Text) -> super::window::Span {
    let said = clocks(&text.main);
    let whole =
        said.iter().any(|clock| clock.secs == 0) && said.iter().any(|clock| clock.secs >= 86_340);
    let zones: Vec<_> = said.iter().filter_map(|clock| clock.zone).collect();
    let Some(zone) =
        zones.first().copied().filter(|zone| whole && zones.iter().all(|other| other == zone))
    else {
        return span;
    };
    let put = |edge: super::window::Edge, secs: i64| {
        let at = moment(edge.day, Clock { secs: 0, zone: Some(zone), summer: None });
        super::window::Edge {
            secs: Some(secs),
            zone: Some(zone),
            moment: at.map(|at| at + secs),
            ..edge
        }
    };
    super::window::Span {
        from: span.from.map(|edge| put(edge, 0)),
        until: span.until.map(|edge| put(edge, 86_400)),
    }
}

fn price_at(listed: &Listed, text: &Text, question: &mut Question) {
    say_strike(listed, text, question, false);
    let day = text.one_day(&[&text.main, &text.title, &text.event]);
    let mut said = clocks(&text.main);
    if said.is_empty() {
        said = clocks(&text.title);
    }
    if said.is_empty() {
        said = clocks(&text.event);
    }
    let same = said.windows(2).all(|pair| pair[0] == pair[1]);
    match (day, said.first()) {
        (Some(Ok(day)), Some(clock)) if same => match moment(day, *clock) {
            Some(at) => question.say("moment", Value::Moment(at)),
            None => question.unclear(
                "moment",
                format!("{day} at a time whose zone is not said, or not in force then"),
            ),
        },
        (Some(Err(why)), _) => question.unclear("moment", why),
        (Some(Ok(day)), _) => question.say("day", Value::Day(day)),
        (None, _) => {}
    }
    measure(text, question);
}

fn measure(text: &Text, question: &mut Question) {
    let average = text.says_any(&[
        "average of the sixty",
        "60 second average",
        "sixty second average",
        "simple average",
        "average of these prices",
        "minute average",
    ]);
    let minute =
        text.says_any(&["1 minute candle", "one minute candle", "1m candle", "minute candle"]);
    let hour = text.says_any(&[
        "1 hour candle",
        "one hour candle",
        "hour candle",
        "1h candle",
        "hourly candle",
    ]);
    let close = text.says_any(&["final close", "close price", "closing price", "close prices"]);
    let open = text.says_any(&["final open", "opening price", "open price"]);
    let stream = text.says_any(&["data stream", "price feed", "oracle price"]);
    let spot = text.says_any(&["spot price", "last trade", "last traded price", "last price"]);
    let daily = text.says_any(&["daily close", "daily candle", "1d candle", "one day candle"]);
    question.say_text(
        "measure",
        match (average, minute, hour, close) {
            (true, false, false, false) => Some("average of sixty seconds"),
            (false, true, false, true) if !open => Some("close of a one-minute candle"),
            (false, false, true, _) => Some("one-hour candle"),
            (false, false, false, _) if daily => Some("close of a day"),
            (false, false, false, false) if stream => Some("value of the stream"),
            (false, false, false, false) if spot => Some("last trade"),
            _ => None,
        },
    );
}

fn up_down(listed: &Listed, text: &Text, question: &mut Question) {
    let mut said = clocks(&text.main);
    let mut day = text.one_day(&[&text.main, &text.title, &text.event]);
    if said.len() < 2 {
        let titled = clocks(&text.title);
        if titled.len() >= said.len() {
            said = titled;
            day = text.one_day(&[&text.title, &text.event, &text.main]);
        }
    }
    let at = |day: Day, clock: &Clock| moment(day, *clock);
    let told = |secs: Option<i64>| secs.map(Value::Moment);
    if let (Some(Ok(day)), [first, second]) = (&day, said.as_slice()) {
        if let (Some(one), Some(other)) = (at(*day, first), at(*day, second)) {
            // `11:55PM-12:00AM` ends on the next day.
            let (from, until) = if second.secs == 0 && first.secs > 0 {
                (one, other + 86_400)
            } else {
                (one.min(other), one.max(other))
            };
            question.say("begins", Value::Moment(from));
            question.say("ends", Value::Moment(until));
        }
    } else if let (Some(Ok(day)), [only]) = (&day, said.as_slice()) {
        let hourly =
            text.says_any(&["1 hour candle", "one hour candle", "1h candle", "hourly candle"]);
        if let (true, Some(from)) = (hourly, at(*day, only)) {
            question.say("begins", Value::Moment(from));
            question.say("ends", Value::Moment(from + 3_600));
        }
    }
    // A field of the venue and the text must name the same seconds.
    question.say_if("begins", told(listed.begins));
    if question.known("begins").is_some() {
        question.say_if("ends", told(listed.closes));
    }
    let compare = compares(&text.main, false).or_else(|| {
        ranges(&text.main).first().and_then(|range| range.low).map(|end| match end.inclusive {
            Some(false) => Compare::Above,
            _ => Compare::AtLeast,
        })
    });
    question.say_text(
        "comparator",
        match compare {
            Some(Compare::Above) => Some("above"),
            Some(Compare::AtLeast) => Some("at or above"),
            Some(Compare::Below) => Some("below"),
            Some(Compare::AtMost) => Some("at or below"),
            _ => None,
        },
    );
    measure(text, question);
}
