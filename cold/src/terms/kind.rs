//! Which kind of question a market's texts ask.

use super::listed::Listed;
use super::question::Kind;
use super::range::ranges;
use super::text::{Text, has};
use super::words::{Token, Unit};
use super::{crypto, figures, sports};

/// The kind, by strong signs alone: what has none is of a kind that is not read.
pub fn of(listed: &Listed, text: &Text) -> Kind {
    rates(listed, text)
        .or_else(|| coins(listed, text))
        .or_else(|| {
            (figures::figure(text).is_some() && !text.asks_any(&["say", "mention"]))
                .then_some(Kind::Figure)
        })
        .or_else(|| weather(text))
        .or_else(|| award(text))
        .or_else(|| election(listed, text))
        .or_else(|| sport(listed, text))
        .unwrap_or(Kind::Other)
}

fn rates(listed: &Listed, text: &Text) -> Option<Kind> {
    let bank = ["fed", "federal reserve", "fomc", "federal funds", "fed funds"];
    let titled =
        |words: &&str| has(&text.title, words) || has(&text.event, words) || has(&text.main, words);
    if !bank.iter().any(titled)
        || text.asks_any(&["chair", "say", "mention", "dissent"])
        || has(&text.title, "emergency")
    {
        return None;
    }
    let moves = ["cut", "cuts", "hike", "hikes", "rate cuts", "rate hikes"];
    let counted = text.asks_any(&[
        "how many",
        "number of rate",
        "number of cuts",
        "number of fed",
        "exact amount of cuts",
        "cuts happen",
        "number of times",
    ]) || listed.code.contains("cutcount")
        || counts_moves(&text.title)
        || counts_moves(&text.main);
    if counted && text.asks_any(&moves) {
        return Some(Kind::RateCount);
    }
    if text.asks("upper bound")
        && text.asks_any(&["following", "after", "be"])
        && text.asks_any(&[
            "above",
            "at least",
            "below",
            "or higher",
            "greater than",
            "higher than",
            "over",
            "or lower",
            "at or",
        ])
        && !text.asks_any(&["bps", "basis points", "no change"])
    {
        return Some(Kind::RateLevel);
    }
    let decided = text.asks_any(&[
        "bps",
        "basis points",
        "no change",
        "maintain",
        "maintains",
        "hold",
        "holds",
        "cut",
        "cuts",
        "hike",
        "hikes",
        "decrease",
        "increase",
        "raise",
        "lower",
    ]);
    let meets = text.asks_any(&["meeting", "decision", "fomc", "bps", "basis points"])
        || text.rules.iter().any(|sentence| has(sentence, "meeting"));
    (decided && meets).then_some(Kind::RateDecision)
}

/// `2 Fed rate cuts`, `cuts rates exactly 2 times`.
fn counts_moves(text: &[Token]) -> bool {
    (0..text.len()).any(|at| {
        let number = text[at].number().is_some() || text[at].is("no");
        let next = |ahead: usize, words: &[&str]| {
            text.get(at + ahead).and_then(Token::word).is_some_and(|word| words.contains(&word))
        };
        let moved = ["cut", "cuts", "hike", "hikes"];
        number
            && (next(1, &["times", "time"])
                || next(1, &moved)
                || next(2, &moved)
                || next(3, &moved))
            && !next(1, &["bps", "basis"])
    })
}

/// In these `or` joins a level with what lies beyond it.
const OR_A_LEVEL: &[&str] =
    &["or above", "or below", "or higher", "or lower", "or more", "equal to or", "or equal to"];

/// Titles with one of these ask of a coin something else than its price.
const NOT_A_PRICE: &[&str] = &[
    "etf",
    "etfs",
    "reserve",
    "fdv",
    "market cap",
    "dominance",
    "all time high",
    "ath",
    "holdings",
    "buy",
    "purchase",
    "acquire",
    "flip",
    "outperform",
    "mention",
    "say",
    "gas",
    "hashrate",
    "halving",
    "first",
    "or",
];

/// Words of a price that need not stay where it has been.
const TOUCHES: &[&str] = &[
    "reach",
    "reaches",
    "hit",
    "hits",
    "touch",
    "touches",
    "dip",
    "dips",
    "drop to",
    "fall to",
    "cross",
    "crosses",
    "any time",
    "any point",
    "anytime",
    "any binance",
    "any coinbase",
    "any 1 minute",
    "any one minute",
    "any minute",
    "any 1m",
    "any candle",
    "how high",
    "how low",
    "highest price",
    "lowest price",
    "maximum price",
    "minimum price",
];

fn coins(listed: &Listed, text: &Text) -> Option<Kind> {
    crypto::asset(&text.title).or_else(|| crypto::asset(&text.event))?;
    let two = text.asks("up or down") || listed.outcomes[0].eq_ignore_ascii_case("up");
    if two || listed.code.contains("updown") || listed.code.contains("15m") {
        return Some(Kind::UpDown);
    }
    if NOT_A_PRICE.iter().any(|words| has(&text.title, words))
        && !OR_A_LEVEL.iter().any(|words| has(&text.title, words))
    {
        return None;
    }
    let deadline = (0..text.title.len()).any(|at| {
        let word = text.title[at].is("by") || (text.title[at].is("before"));
        word && super::date::day_at(&text.title, at + 1).is_some()
    });
    if text.asks_any(TOUCHES) || deadline {
        return Some(Kind::Touch);
    }
    let priced = text.asks_any(&[
        "price",
        "above",
        "below",
        "between",
        "at or above",
        "close",
        "over",
        "under",
        "higher",
        "lower",
        "greater",
    ]) || ranges(&text.title).iter().any(|range| range.unit == Unit::Usd);
    priced.then_some(Kind::PriceAt)
}

fn weather(text: &Text) -> Option<Kind> {
    let hot = text.asks_any(&[
        "temperature",
        "temp",
        "high temp",
        "low temp",
        "rain",
        "snow",
        "rainfall",
        "snowfall",
        "precipitation",
        "inches of rain",
    ]);
    let place = text.asks_any(&[
        "highest",
        "high",
        "lowest",
        "low",
        "maximum",
        "minimum",
        "rain",
        "snow",
        "rainfall",
        "snowfall",
        "precipitation",
    ]);
    (hot && place && !text.asks_any(&["global", "hottest year", "warmest", "hurricane"]))
        .then_some(Kind::Weather)
}

fn award(text: &Text) -> Option<Kind> {
    text.asks_any(&[
        "oscar",
        "oscars",
        "academy award",
        "academy awards",
        "grammy",
        "grammys",
        "emmy",
        "emmys",
        "mvp",
        "most valuable player",
        "heisman",
        "ballon d'or",
        "ballon dor",
        "nobel",
        "cy young",
        "rookie of the year",
        "coach of the year",
        "golden globe",
        "golden globes",
        "player of the year",
        "golden boot",
        "tony award",
        "booker prize",
        "pulitzer",
        "person of the year",
    ])
    .then_some(Kind::Award)
}

/// Titles with one of these ask of an office something else than who wins it.
const NO_ELECTION: &[&str] = &[
    "say",
    "mention",
    "approval",
    "impeached",
    "shutdown",
    "bill",
    "leave office",
    "leaves office",
    "out by",
    "out as",
    "resign",
    "resigns",
    "removed",
    "cease",
    "ceases",
    "pardon",
    "pardons",
    "visit",
    "meet",
    "executive order",
    "veto",
];

fn election(listed: &Listed, text: &Text) -> Option<Kind> {
    let held = text.asks_any(&[
        "election",
        "elections",
        "elected",
        "nominee",
        "nomination",
        "senate",
        "senator",
        "governor",
        "governorship",
        "gubernatorial",
        "mayor",
        "mayoral",
        "presidency",
        "presidential",
        "president",
        "house race",
        "house seat",
        "house of representatives",
        "prime minister",
        "primary",
        "congress",
        "congressional",
        "electoral",
        "runoff",
        "inaugurated",
    ]);
    let played = text.asks_any(&["game", "match", "cup", "vs", "league"])
        || sports::league(listed, text).is_some();
    (held && !played && !text.asks_any(NO_ELECTION)).then_some(Kind::Election)
}

/// Titles with one of these ask for a part of a game that is not read.
const OF_A_PLAYER: &[&str] = &[
    "records",
    "record",
    "strikeouts",
    "touchdown",
    "touchdowns",
    "rebounds",
    "assists",
    "rushing",
    "passing",
    "receiving",
    "home run",
    "hits",
    "first basket",
    "anytime",
    "double double",
    "triple double",
    "correct score",
    "both teams to score",
    "corners",
    "cards",
    "exact score",
    "odd",
    "wins this season",
];

/// Words of a competition as a whole.
const CROWNED: &[&str] = &[
    "champion",
    "champions",
    "championship",
    "world series",
    "super bowl",
    "stanley cup",
    "finals",
    "league winner",
    "title",
    "pennant",
    "win the premier league",
    "win the world cup",
    "win the champions league",
    "win the bundesliga",
    "win la liga",
    "win serie a",
    "drivers",
    "conference",
    "division",
];

fn sport(listed: &Listed, text: &Text) -> Option<Kind> {
    let league = sports::league(listed, text);
    let meets =
        sports::meets(&text.title) || sports::meets(&text.event) || sports::meets(&text.main);
    if OF_A_PLAYER.iter().any(|words| has(&text.title, words) || has(&text.main, words)) {
        return None;
    }
    let wins = text.asks_any(&[
        "win", "wins", "winner", "winners", "beat", "beats", "be the", "advance", "advances",
        "defeat", "defeats",
    ]);
    if !meets && league.is_some() && wins && text.asks_any(CROWNED) {
        return Some(Kind::Champion);
    }
    if !meets || (league.is_none() && !text.asks_any(&["game", "match", "fight", "bout"])) {
        return None;
    }
    let margin =
        ["spread", "by more than", "by over", "by at least", "win by", "wins by", "handicap"];
    if listed.code.contains("spread")
        || margin.iter().any(|words| has(&text.title, words) || has(&text.main, words))
    {
        return Some(Kind::Spread);
    }
    let total = [
        "total points",
        "total runs",
        "total goals",
        "combined",
        "combine",
        "collectively",
        "over under",
        "o/u",
        "ou",
        "points scored",
        "runs scored",
        "goals scored",
        "score more than",
    ];
    let over = listed.outcomes[0].eq_ignore_ascii_case("over")
        || listed.outcomes[0].eq_ignore_ascii_case("under");
    if over
        || listed.code.contains("totals")
        || total.iter().any(|words| has(&text.title, words) || has(&text.main, words))
    {
        return Some(Kind::Total);
    }
    (wins || league.is_some()).then_some(Kind::Game)
}
