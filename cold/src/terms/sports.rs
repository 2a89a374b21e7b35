//! Questions about games: who plays, when, and what of the game counts.

use super::date::{self, Zone};
use super::listed::Listed;
use super::question::{Kind, Question, Value};
use super::range::{Compare, Range, range_at};
use super::source;
use super::teams;
use super::text::{Text, has, join};
use super::words::{Dec, Token, Unit, plain, tokens};

/// Leagues, the words that name each, and how the venues' codes begin.
const LEAGUES: &[(&str, &[&str], &[&str])] = &[
    (
        "wnba",
        &["wnba", "women professional basketball", "womens professional basketball"],
        &["kxwnba", "wnba-"],
    ),
    ("ncaaf", &["college football", "cfb", "ncaaf"], &["kxncaaf", "cfb-"]),
    ("ncaab", &["college basketball", "cbb", "ncaa basketball"], &["kxncaamb", "kxncaab", "cbb-"]),
    ("nfl", &["nfl", "professional football", "pro football", "super bowl"], &["kxnfl", "nfl-"]),
    ("nba", &["nba", "professional basketball", "pro basketball"], &["kxnba", "nba-"]),
    ("mlb", &["mlb", "professional baseball", "pro baseball", "world series"], &["kxmlb", "mlb-"]),
    ("nhl", &["nhl", "professional hockey", "pro hockey", "stanley cup"], &["kxnhl", "nhl-"]),
    ("epl", &["epl", "english premier league", "premier league"], &["kxepl", "epl-"]),
    ("ucl", &["uefa champions league", "champions league"], &["kxucl", "ucl-"]),
    ("laliga", &["la liga", "laliga"], &["kxlaliga", "lal-"]),
    ("bundesliga", &["bundesliga"], &["kxbundesliga", "bun-"]),
    ("seriea", &["serie a"], &["kxseriea"]),
    ("mls", &["mls", "major league soccer"], &["kxmls", "mls-"]),
    ("world cup", &["world cup"], &["kxwc", "kxmenworldcup"]),
    (
        "tennis",
        &["tennis", "atp", "wta", "wimbledon", "us open", "roland garros", "australian open"],
        &["kxatp", "kxwta", "atp-", "wta-"],
    ),
    ("ufc", &["ufc", "mma"], &["kxufc", "ufc-"]),
    ("boxing", &["boxing"], &["kxboxing"]),
    ("formula one", &["f1", "formula 1", "formula one", "grand prix"], &["kxf1", "f1-"]),
];

/// The league that a market's texts or code name.
pub fn league(listed: &Listed, text: &Text) -> Option<&'static str> {
    let named = |(_, words, codes): &&(&str, &[&str], &[&str])| {
        words.iter().any(|words| text.asks(words))
            || listed.code.split(' ').any(|code| codes.iter().any(|start| code.starts_with(start)))
    };
    let found = LEAGUES.iter().find(named).map(|(league, ..)| *league);
    found.or_else(|| {
        let [one, other] = &listed.outcomes;
        let of = |name: &str| teams::leagues_of(&join(&tokens(&plain(name))));
        let (one, other) = (of(one), of(other));
        let mut both = one.into_iter().filter(|league| other.contains(league));
        both.next().filter(|_| both.next().is_none())
    })
}

const BETWEEN: &[&str] = &["vs", "versus", "v", "against", "beat", "beats", "defeat", "defeats"];

/// Whether a text sets two sides against each other.
pub fn meets(text: &[Token]) -> bool {
    let at = |at: usize| {
        text[at].is("at")
            && at > 0
            && text[at - 1].word().is_some()
            && text.get(at + 1).is_some_and(|next| {
                next.word().is_some_and(|word| {
                    !word.contains(':')
                        && !["least", "any", "or", "most", "the", "noon", "end"].contains(&word)
                })
            })
    };
    (0..text.len()).any(|place| BETWEEN.iter().any(|word| text[place].is(word)) || at(place))
}

/// Words that stand around the names of the sides.
const AROUND: &[&str] = &[
    "the",
    "professional",
    "pro",
    "men",
    "mens",
    "women",
    "womens",
    "college",
    "football",
    "basketball",
    "baseball",
    "hockey",
    "soccer",
    "tennis",
    "game",
    "match",
    "nfl",
    "nba",
    "mlb",
    "nhl",
    "wnba",
    "epl",
    "winner",
    "win",
    "wins",
    "will",
    "if",
    "who",
    "in",
    "on",
    "originally",
    "scheduled",
    "mls",
    "ufc",
    "moneyline",
    "spread",
    "total",
    "regular",
    "season",
    "series",
    "playoff",
    "between",
    "and",
    "upcoming",
    "fight",
    "english",
    "premier",
    "league",
    "for",
    "by",
    "total",
    "points",
    "runs",
    "goals",
    "final",
];

/// The two sides that a text sets against each other.
fn sides(text: &[Token]) -> Option<[String; 2]> {
    let place = (1..text.len()).find(|at| {
        BETWEEN[..3].iter().any(|word| text[*at].is(word))
            || (text[*at].is("at") && meets(&text[*at - 1..(*at + 2).min(text.len())]))
    })?;
    let stops = |token: &Token| {
        token.word().is_none_or(|word| AROUND.contains(&word) || word.contains(':'))
    };
    let is_name = |token: &Token| {
        !stops(token)
            || matches!(token, Token::Num(value, Unit::Plain) if *value == Dec::whole(49) || *value == Dec::whole(76))
    };
    let mut from = place;
    while from > 0 && place - from < 4 && is_name(&text[from - 1]) {
        from -= 1;
    }
    let mut end = place + 1;
    while end < text.len() && end - place <= 4 && is_name(&text[end]) {
        end += 1;
    }
    let (one, other) = (join(&text[from..place]), join(&text[place + 1..end]));
    (!one.is_empty() && !other.is_empty()).then_some([one, other])
}

fn named(league: Option<&str>, name: &str) -> String {
    let name = join(&tokens(&plain(name)));
    let name =
        name.trim_start_matches("the ").replace("49 ers", "49ers").replace("76 ers", "76ers");
    league.and_then(|league| teams::team(league, &name)).unwrap_or(name)
}

/// Reads what is asked of a game.
pub fn read(kind: Kind, listed: &Listed, text: &Text, question: &mut Question) {
    let league = league(listed, text);
    question.say_text("league", league);
    source::read(source::GAMES, listed, text, question);
    if kind == Kind::Champion {
        return champion(league, listed, text, question);
    }
    let found = [&text.main, &text.title, &text.event].into_iter().find_map(|part| sides(part));
    let plain_outcome =
        |name: &str| ["yes", "no", "over", "under", ""].contains(&name.to_lowercase().as_str());
    let by_outcomes = (!plain_outcome(&listed.outcomes[0])).then(|| listed.outcomes.clone());
    let both = by_outcomes.or(found).or_else(|| text.rules.iter().find_map(|part| sides(part)));
    let both = both.map(|both| both.map(|name| named(league, &name)));
    if let Some(both) = &both {
        question.say("participants", Value::Sides(both.iter().cloned().collect()));
    }
    day(listed, text, question);
    part(league, text, question);
    if kind != Kind::Total {
        winner(league, listed, text, both.as_ref(), question);
    }
    match kind {
        Kind::Spread => spread(listed, text, question),
        Kind::Total => total(listed, text, question),
        _ => {}
    }
}

fn day(listed: &Listed, text: &Text, question: &mut Question) {
    let scheduled =
        text.rules.iter().find(|sentence| has(sentence, "scheduled")).and_then(|sentence| {
            let from = sentence.iter().position(|token| token.is("scheduled"))?;
            text.one_day(&[&sentence[from..]])
        });
    let said = scheduled.or_else(|| text.one_day(&[&text.title, &text.event, &text.main]));
    let begins = listed.begins.map(|at| date::shown(at, Zone::Eastern).0);
    match (said, begins) {
        (Some(Ok(day)), _) if day.year.is_some() => question.say("date", Value::Day(day)),
        (Some(Err(why)), _) => question.unclear("date", why),
        (Some(Ok(day)), begins) => {
            match begins.filter(|begins| begins.month == day.month && begins.day == day.day) {
                Some(begins) => question.say("date", Value::Day(begins)),
                None => question.unclear("date", format!("{day} of a year that is not said")),
            }
        }
        (None, Some(day)) => question.say("date", Value::Day(day)),
        (None, None) => {}
    }
    // Two teams of this league may play twice on a day.
    let twice = question.known("league") == Some(&Value::Text("mlb".into()));
    let scheduled = text.rules.iter().filter(|_| twice).find(|sentence| has(sentence, "scheduled"));
    let clocks = scheduled.map(|sentence| super::text::clocks(sentence)).unwrap_or_default();
    if let (Some(Value::Day(day)), [clock]) = (question.known("date").cloned(), clocks.as_slice()) {
        question.say_if("start", date::moment(day, *clock).map(Value::Moment));
    }
    let number = [&text.title, &text.main, &text.event].into_iter().find_map(|part| {
        part.windows(2).find_map(|pair| {
            (pair[0].is("game")).then(|| pair[1].number())?.and_then(|(value, _)| value.as_whole())
        })
    });
    question.say_if(
        "game of the series",
        number.filter(|number| (1..=9).contains(number)).map(Value::Number),
    );
}

/// Which part of the game counts, and whether overtime does.
fn part(league: Option<&str>, text: &Text, question: &mut Question) {
    let any = |words: &[&str]| {
        [&text.title, &text.event, &text.main]
            .into_iter()
            .any(|part| words.iter().any(|words| has(part, words)))
    };
    let whole = [
        ("first half", &["first half", "1st half", "1h"][..]),
        ("second half", &["second half", "2nd half", "2h"]),
        ("first quarter", &["first quarter", "1st quarter", "1q"]),
        ("fourth quarter", &["fourth quarter", "4th quarter"]),
        ("first period", &["first period", "1st period"]),
        ("first five innings", &["first 5 innings", "first five innings"]),
        ("first three innings", &["first 3 innings", "first three innings"]),
        ("first inning", &["first inning", "1st inning"]),
        ("first set", &["first set", "set 1", "1st set"]),
        ("first map", &["map 1", "first map"]),
        ("the series", &["win the series", "wins the series", "series winner"]),
    ];
    let of = whole.iter().find(|(_, words)| any(words)).map_or("the whole game", |(name, _)| name);
    question.say_text("part", Some(of));
    let regulation = text.says_any(&[
        "90 minutes",
        "regulation time",
        "regulation only",
        "excluding overtime",
        "does not include extra time",
        "not include overtime",
        "overtime is not",
        "overtime not included",
        "overtime does not count",
        "extra innings are not included",
        "extra innings is not included",
    ]);
    let included = text.says_any(&[
        "including overtime",
        "includes overtime",
        "overtime is included",
        "overtime included",
        "overtime counts",
        "extra innings are included",
        "extra innings is included",
        "including extra innings",
        "includes extra innings",
        "include overtime",
        "overtime and shootouts",
        "including any overtime",
        "extra time and penalties",
        "include extra innings",
        "overtime will count",
    ]);
    let always = matches!(league, Some("tennis" | "ufc" | "boxing"));
    question.say_text(
        "overtime",
        match (regulation, included) {
            (true, false) => Some("not included"),
            (false, true) => Some("included"),
            (false, false) if always => Some("none exists"),
            (false, false) => None,
            (true, true) => return question.unclear("overtime", "both included and not".into()),
        },
    );
}

fn winner(
    league: Option<&str>,
    listed: &Listed,
    text: &Text,
    both: Option<&[String; 2]>,
    question: &mut Question,
) {
    let outcome = listed.outcomes[0].to_lowercase();
    let plain_outcome = ["yes", "no", "over", "under", ""].contains(&outcome.as_str());
    let draw = |words: &[Token]| has(words, "draw") || has(words, "tie");
    if plain_outcome
        && (draw(&text.title) && !text.title.iter().any(|token| token.is("no"))
            || draw(&text.stands_for))
    {
        return question.say_text("winner", Some("nobody: a draw"));
    }
    let subject = || {
        let part = [&text.main, &text.title]
            .into_iter()
            .find(|part| part.iter().any(|token| token.is("if") || token.is("will")))?;
        let from = part.iter().position(|token| token.is("if") || token.is("will"))? + 1;
        let end = (from..part.len()).find(|at| {
            ["win", "wins", "beat", "beats", "defeat", "defeats", "advance", "advances", "is", "be"]
                .iter()
                .any(|word| part[*at].is(word))
        })?;
        (end > from && end - from <= 5).then(|| join(&part[from..end]))
    };
    let stands = || {
        let words = &text.stands_for;
        let end = words
            .iter()
            .position(|token| token.is("wins") || token.is("win"))
            .unwrap_or(words.len());
        (end > 0).then(|| join(&words[..end]))
    };
    let name = if plain_outcome { subject().or_else(stands) } else { Some(outcome) };
    let Some(name) = name.map(|name| named(league, &name)) else { return };
    // The subject is one of the two: a short form of it is the one that begins or ends so.
    let known = both.and_then(|both| {
        if both.contains(&name) {
            return Some(name.clone());
        }
        let part = |side: &&String| {
            side.split([' ', ':'])
                .any(|word| name.split(' ').any(|own| own == word && own.len() > 2))
        };
        let mut found = both.iter().filter(part);
        found.next().filter(|_| found.next().is_none()).cloned()
    });
    question.say("winner", Value::Name(known.unwrap_or(name)));
    if let Some(both) = both {
        paid_for(league, listed, text, both, question);
    }
}

/// Each outcome must stand for the side that it is called: a text that pays one for the other's win, and a title that names
/// another side than the rules, make it unclear which is bought.
fn paid_for(
    league: Option<&str>,
    listed: &Listed,
    text: &Text,
    both: &[String; 2],
    question: &mut Question,
) {
    let side = |words: &[Token]| {
        let name = named(league, &join(words));
        both.iter().find(|side| **side == name)
    };
    let verb = |token: &Token| token.is("win") || token.is("wins");
    for sentence in &text.rules {
        let from = sentence.iter().position(|token| token.is("if"));
        let to = super::text::find(sentence, "resolve to").map(|at| at + 2);
        let (Some(from), Some(to)) = (from, to) else { continue };
        let Some(end) = (from..to).find(|at| verb(&sentence[*at])) else { continue };
        let by_name = sentence.get(to).and_then(Token::word);
        if by_name.is_none() || by_name == Some("yes") || by_name == Some("50-50") {
            continue;
        }
        let (wins, paid) = (side(&sentence[from + 1..end]), side(&sentence[to..]));
        if wins.is_none() || wins != paid {
            return question.unclear("winner", "an outcome is not paid for its own side".into());
        }
    }
    let stands = named(league, &listed.stands_for);
    let winner = question.known("winner").cloned();
    if both.contains(&stands) && winner.is_some_and(|winner| winner != Value::Name(stands)) {
        question.unclear("winner", "the title names the other side".into());
    }
}

fn spread(listed: &Listed, text: &Text, question: &mut Question) {
    let minus = |part: &[Token]| {
        part.iter().find_map(|token| match token {
            Token::Num(value, Unit::Plain) if *value < Dec(0) => Some(Dec(-value.0)),
            _ => None,
        })
    };
    let over = [&text.main, &text.title].into_iter().find_map(|part| {
        (0..part.len()).find_map(|at| {
            if part[at].is("by") { range_at(part, at + 1).map(|(range, _)| range) } else { None }
        })
    });
    let line = listed
        .line
        .map(|Dec(line)| Dec(line.abs()))
        .or_else(|| minus(&text.title))
        .or_else(|| minus(&text.stands_for));
    let line = line.map(|line| Range::of(Compare::Above, line, Unit::Plain));
    agree(over, line, question);
}

fn total(listed: &Listed, text: &Text, question: &mut Question) {
    let said = [&text.main, &text.title].into_iter().find_map(|part| {
        (0..part.len()).find_map(|at| {
            range_at(part, at)
                .map(|(range, _)| range)
                .filter(|range| range.threshold().is_some() && range.unit == Unit::Plain)
        })
    });
    let under = listed.outcomes[0].eq_ignore_ascii_case("under");
    let compare = if under { Compare::Below } else { Compare::Above };
    agree(said, listed.line.map(|line| Range::of(compare, line, Unit::Plain)), question);
    if !question.fields.contains_key("strike") {
        let line = [&text.title, &text.stands_for].into_iter().find_map(|part| {
            part.iter().find_map(|token| match token {
                Token::Num(value, Unit::Plain) if value.0 % Dec::ONE.0 != 0 => Some(*value),
                _ => None,
            })
        });
        question
            .say_if("strike", line.map(|line| Value::Range(Range::of(compare, line, Unit::Plain))));
    }
}

/// Two ways to say a line must say the same one.
fn agree(one: Option<Range>, other: Option<Range>, question: &mut Question) {
    match (one, other) {
        (Some(one), Some(other)) if one.threshold() != other.threshold() => {
            question.unclear("strike", format!("{one}, and also {other}"))
        }
        (Some(range), _) | (None, Some(range)) => question.say("strike", Value::Range(range)),
        (None, None) => {}
    }
}

const COMPETITIONS: &[(&str, &[&str])] = &[
    ("Super Bowl", &["super bowl", "pro football championship"]),
    ("World Series", &["world series", "pro baseball championship"]),
    ("Stanley Cup", &["stanley cup", "pro hockey championship"]),
    (
        "NBA Finals",
        &[
            "nba finals",
            "nba championship",
            "pro basketball championship",
            "pro basketball finals",
            "nba champion",
        ],
    ),
    ("Premier League", &["premier league", "epl"]),
    ("Champions League", &["champions league"]),
    ("World Cup", &["world cup"]),
    ("La Liga", &["la liga"]),
    ("Bundesliga", &["bundesliga"]),
    ("Serie A", &["serie a"]),
    ("AFC championship", &["afc championship", "afc champion"]),
    ("NFC championship", &["nfc championship", "nfc champion"]),
    ("Eastern Conference", &["eastern conference"]),
    ("Western Conference", &["western conference"]),
    ("American League", &["american league", "al pennant"]),
    ("National League", &["national league", "nl pennant"]),
    ("F1 drivers", &["drivers champion", "drivers championship"]),
    ("F1 constructors", &["constructors champion", "constructors championship"]),
];

fn champion(league: Option<&str>, listed: &Listed, text: &Text, question: &mut Question) {
    let of = |part: &[Token]| {
        COMPETITIONS
            .iter()
            .find(|(_, words)| words.iter().any(|words| has(part, words)))
            .map(|(name, _)| *name)
    };
    for part in [&text.title, &text.main] {
        question.say_text("competition", of(part));
    }
    super::vote::read_prize(Kind::Champion, listed, text, question);
    if let Some(Value::Name(name)) = question.known("winner").cloned() {
        question
            .fields
            .insert("winner", super::question::Field::Known(Value::Name(named(league, &name))));
    }
}
