//! Questions about elections, nominations, prizes and competitions: who wins what, where and when.

use super::date;
use super::listed::Listed;
use super::question::{Kind, Question, Value};
use super::source;
use super::text::{Text, find, has, join};
use super::words::{Token, plain, tokens};

const STATES: &[(&str, &str)] = &[
    ("alabama", "al"),
    ("alaska", "ak"),
    ("arizona", "az"),
    ("arkansas", "ar"),
    ("california", "ca"),
    ("colorado", "co"),
    ("connecticut", "ct"),
    ("delaware", "de"),
    ("florida", "fl"),
    ("georgia", "ga"),
    ("hawaii", "hi"),
    ("idaho", "id"),
    ("illinois", "il"),
    ("indiana", "in"),
    ("iowa", "ia"),
    ("kansas", "ks"),
    ("kentucky", "ky"),
    ("louisiana", "la"),
    ("maine", "me"),
    ("maryland", "md"),
    ("massachusetts", "ma"),
    ("michigan", "mi"),
    ("minnesota", "mn"),
    ("mississippi", "ms"),
    ("missouri", "mo"),
    ("montana", "mt"),
    ("nebraska", "ne"),
    ("nevada", "nv"),
    ("new hampshire", "nh"),
    ("new jersey", "nj"),
    ("new mexico", "nm"),
    ("new york", "ny"),
    ("north carolina", "nc"),
    ("north dakota", "nd"),
    ("ohio", "oh"),
    ("oklahoma", "ok"),
    ("oregon", "or"),
    ("pennsylvania", "pa"),
    ("rhode island", "ri"),
    ("south carolina", "sc"),
    ("south dakota", "sd"),
    ("tennessee", "tn"),
    ("texas", "tx"),
    ("utah", "ut"),
    ("vermont", "vt"),
    ("virginia", "va"),
    ("washington", "wa"),
    ("west virginia", "wv"),
    ("wisconsin", "wi"),
    ("wyoming", "wy"),
];

const COUNTRIES: &[(&str, &[&str])] = &[
    ("france", &["france", "french"]),
    ("germany", &["germany", "german"]),
    ("canada", &["canada", "canadian"]),
    ("brazil", &["brazil", "brazilian"]),
    ("poland", &["poland", "polish"]),
    ("romania", &["romania", "romanian"]),
    ("israel", &["israel", "israeli"]),
    ("japan", &["japan", "japanese"]),
    ("serbia", &["serbia", "serbian"]),
    ("hungary", &["hungary", "hungarian"]),
    ("chile", &["chile", "chilean"]),
    ("colombia", &["colombia", "colombian"]),
    ("peru", &["peru", "peruvian"]),
    ("argentina", &["argentina", "argentine"]),
    ("united kingdom", &["uk", "united kingdom", "british"]),
    ("portugal", &["portugal", "portuguese"]),
    ("netherlands", &["netherlands", "dutch"]),
    ("australia", &["australia", "australian"]),
    ("south korea", &["south korea", "south korean"]),
    ("mexico", &["mexico", "mexican"]),
    ("czechia", &["czech", "czechia"]),
    ("ireland", &["ireland", "irish"]),
    ("turkey", &["turkey", "turkish"]),
    ("venezuela", &["venezuela", "venezuelan"]),
    ("ukraine", &["ukraine", "ukrainian"]),
];

/// Reads what is asked of an election.
pub fn read(listed: &Listed, text: &Text, question: &mut Question) {
    source::read(source::ELECTIONS, listed, text, question);
    office(text, question);
    measure(text, question);
    place(text, question);
    stage(text, question);
    year(text, question);
    winner(listed, text, question);
    let sworn = text.says_any(&[
        "sworn in",
        "inaugurated",
        "takes office",
        "assumes the office",
        "assumes office",
    ]);
    let called = text.says_any(&[
        "call the race",
        "called the race",
        "projected",
        "wins the election",
        "wins this election",
        "is elected",
        "declared the winner",
        "wins the 20",
        "certified",
    ]) || text.says_any(&["winner of the", "who wins", "result of the election"]);
    if question.known("stage") == Some(&Value::Text("nomination".into())) {
        return question.say_text(
            "deciding event",
            text.says_any(&["wins and accepts", "accepts"]).then_some("winning and accepting it"),
        );
    }
    question.say_text(
        "deciding event",
        match (sworn, called) {
            (true, false) => Some("taking office"),
            (false, true) => Some("the vote"),
            _ => None,
        },
    );
}

fn office(text: &Text, question: &mut Question) {
    let any = |words: &[&str]| {
        [&text.title, &text.event, &text.main]
            .into_iter()
            .any(|part| words.iter().any(|words| has(part, words)))
    };
    let control = any(&[
        "control of",
        "majority in",
        "win the house",
        "win the senate",
        "control the house",
        "control the senate",
        "wins the house",
        "wins the senate",
        "control the us",
    ]);
    // The race for one seat of it is no control of it.
    let control = control
        && !any(&[
            "senate race",
            "senate seat",
            "senate election",
            "house race",
            "house seat",
            "race for senate",
            "senator",
        ]);
    let district = district(text);
    let office = if any(&["vice president", "vice presidential"]) {
        "vice president"
    } else if any(&["prime minister"]) {
        "prime minister"
    } else if any(&["mayor", "mayoral"]) {
        "mayor"
    } else if any(&["lieutenant governor"]) {
        "lieutenant governor"
    } else if any(&["attorney general"]) {
        "attorney general"
    } else if any(&["governor", "gubernatorial", "governorship"]) {
        "governor"
    } else if any(&["senate", "senator"]) {
        if control { "control of the senate" } else { "senator" }
    } else if district.is_some()
        || any(&[
            "house race",
            "house seat",
            "congressional district",
            "house member",
            "house of representatives",
            "house",
            "representative",
        ])
    {
        if control && district.is_none() { "control of the house" } else { "member of the house" }
    } else if any(&["president", "presidency", "presidential"]) {
        "president"
    } else if any(&["parliamentary", "parliament", "legislative"]) {
        "parliament"
    } else {
        return;
    };
    question.say_text("office", Some(office));
    question.say_if("district", district.map(Value::Text));
}

/// What of the vote is asked for, where it is not who wins.
fn measure(text: &Text, question: &mut Question) {
    let any = |words: &[&str]| {
        [&text.title, &text.event, &text.main]
            .into_iter()
            .any(|part| words.iter().any(|words| has(part, words)))
    };
    let measure = if any(&["popular vote"]) {
        "popular vote"
    } else if any(&[
        "margin of victory",
        "margin",
        "by more than",
        "percentage points",
        "vote share",
        "turnout",
    ]) {
        "margin"
    } else if any(&["electoral votes", "electoral college votes"]) {
        "electoral votes"
    } else {
        return;
    };
    question.say_text("measure", Some(measure));
}

/// The district of a seat in the House: `VT-AL`, `NY-17`.
fn district(text: &Text) -> Option<String> {
    [&text.title, &text.event, &text.main].into_iter().find_map(|part| {
        part.windows(2).find_map(|pair| {
            let state = STATES.iter().find(|(_, code)| pair[0].is(code)).map(|(_, code)| *code)?;
            if pair[1].is("al") {
                return Some(format!("{state}-al"));
            }
            let number =
                pair[1].number()?.0.as_whole().filter(|number| (0..60).contains(number))?;
            Some(format!("{state}-{number}"))
        })
    })
}

fn place(text: &Text, question: &mut Question) {
    if let Some(Value::Text(district)) = question.known("district").cloned() {
        return question.say("place", Value::Text(district));
    }
    let in_part = |part: &[Token]| -> Vec<String> {
        let mut states: Vec<String> = STATES
            .iter()
            .filter(|(name, _)| has(part, name))
            .map(|(name, _)| (*name).to_owned())
            .collect();
        // `West Virginia` is not `Virginia`.
        if states.iter().any(|state| state == "west virginia") {
            states.retain(|state| state != "virginia");
        }
        let abroad =
            COUNTRIES.iter().filter(|(_, words)| words.iter().any(|words| has(part, words)));
        states.extend(abroad.map(|(name, _)| (*name).to_owned()));
        states
    };
    let found = [&text.title, &text.event, &text.main]
        .into_iter()
        .map(|part| in_part(part))
        .find(|found| !found.is_empty());
    let mayor = question.known("office") == Some(&Value::Text("mayor".into()));
    match found.as_deref() {
        Some([only]) => question.say("place", Value::Text(only.clone())),
        Some([first, other, ..]) => question.unclear("place", format!("{first}, and also {other}")),
        _ if mayor => {
            let city = [&text.title, &text.main].into_iter().find_map(|part| {
                let at = find(part, "mayor of")? + 2;
                let end = (at..part.len()).find(|at| {
                    part[*at]
                        .word()
                        .is_none_or(|word| ["in", "election", "for", "following"].contains(&word))
                });
                Some(join(&part[at..end.unwrap_or(part.len()).min(at + 3)]))
            });
            question.say_if("place", city.map(Value::Name));
        }
        _ => {
            let office = question.known("office").cloned();
            let national =
                ["president", "vice president", "control of the senate", "control of the house"];
            if matches!(office, Some(Value::Text(office)) if national.contains(&office.as_str())) {
                question.say_text("place", Some("United States"));
            }
        }
    }
}

fn stage(text: &Text, question: &mut Question) {
    let any = |words: &[&str]| {
        [&text.title, &text.event, &text.main]
            .into_iter()
            .any(|part| words.iter().any(|words| has(part, words)))
    };
    let nominated = any(&["nominee", "nomination", "nominated"]);
    let primary = any(&["primary", "primaries", "caucus"]);
    let first_round =
        any(&["first round", "1st round", "advance to the runoff", "advance to the second round"]);
    question.say_text(
        "stage",
        Some(match (nominated, primary, first_round) {
            (true, _, _) => "nomination",
            (false, true, _) => "primary",
            (false, false, true) => "first round",
            (false, false, false) => "the election itself",
        }),
    );
}

fn year(text: &Text, question: &mut Question) {
    let mut years: Vec<i64> = Vec::new();
    for part in [&text.title, &text.event, &text.main] {
        for (at, token) in part.iter().enumerate() {
            let Some(year) = date::year(token) else { continue };
            let dated =
                at >= 2 && date::day_at(part, at - 2).is_some_and(|(day, _)| day.year.is_some());
            let term = has(part, "term beginning in") || has(part, "term starting in");
            match (dated, term) {
                (true, _) => {}
                (false, true) => years.push(i64::from(year) - 1),
                (false, false) => years.push(i64::from(year)),
            }
        }
    }
    years.dedup();
    match years.as_slice() {
        [year] => question.say("year", Value::Number(*year)),
        [] => {}
        [first, other, ..] if first != other => {
            question.unclear("year", format!("{first}, and also {other}"))
        }
        _ => {}
    }
}

/// The party that a text names, where it names one alone.
fn party(part: &[Token]) -> Option<&'static str> {
    let any = |words: &[&str]| words.iter().any(|words| has(part, words));
    let left = any(&["democrat", "democrats", "democratic", "democratics", "dem"]);
    let right = any(&["republican", "republicans", "gop", "rep"]);
    match (left, right) {
        (true, false) => Some("Democratic Party"),
        (false, true) => Some("Republican Party"),
        _ => None,
    }
}

fn winner(listed: &Listed, text: &Text, question: &mut Question) {
    let nominated = question.known("stage") == Some(&Value::Text("nomination".into()))
        || question.known("stage") == Some(&Value::Text("primary".into()));
    let of_title = party(&text.title).or_else(|| party(&text.main));
    if nominated {
        question.say_text("party", of_title.or_else(|| party(&text.event)));
        return question.say_if("winner", person(listed, text).map(Value::Person));
    }
    // `Will the Democrats win …` asks for the party, whoever its candidate is.
    let subject = subject(&text.title).or_else(|| subject(&text.main)).unwrap_or_default();
    if let Some(party) = party(&subject)
        .or_else(|| person(listed, text).is_none().then(|| party(&text.stands_for)).flatten())
    {
        return question.say("winner", Value::Text(party.to_owned()));
    }
    question.say_if("winner", person(listed, text).map(Value::Person));
}

/// The words between `will` or `if` and the verb.
fn subject(part: &[Token]) -> Option<Vec<Token>> {
    let from = part.iter().position(|token| token.is("will") || token.is("if"))? + 1;
    let verbs = [
        "win", "wins", "be", "is", "become", "becomes", "control", "controls", "lose", "lead",
        "receive", "receives", "advance", "advances", "get", "gets", "earn", "earns",
    ];
    let end =
        (from..part.len()).find(|at| part[*at].word().is_some_and(|word| verbs.contains(&word)))?;
    (end > from).then(|| part[from..end].to_vec())
}

/// The person, team or film that a question is about.
pub fn person(listed: &Listed, text: &Text) -> Option<String> {
    let generic = [
        "who",
        "which",
        "what",
        "the named individual",
        "named individual",
        "this",
        "the listed",
        "listed individual",
        "the individual",
        "the person",
    ];
    let good = |name: String| {
        let name = name.trim_start_matches("the ").to_owned();
        let fine = !name.is_empty()
            && !generic.iter().any(|word| name == *word || name.starts_with(&format!("{word} ")));
        fine.then_some(name)
    };
    subject(&text.title)
        .and_then(|subject| good(join(&subject)))
        .or_else(|| subject(&text.main).and_then(|subject| good(join(&subject))))
        .or_else(|| {
            let stands = tokens(&plain(&listed.stands_for));
            (!stands.is_empty() && !stands.iter().any(|token| token.is("yes") || token.is("no")))
                .then(|| good(join(&stands)))?
        })
}

const AWARDS: &[(&str, &[&str])] = &[
    ("best picture", &["best picture"]),
    ("best director", &["best director", "best directing"]),
    ("best actor", &["best actor"]),
    ("best actress", &["best actress"]),
    ("supporting actor", &["supporting actor"]),
    ("supporting actress", &["supporting actress"]),
    ("album of the year", &["album of the year"]),
    ("song of the year", &["song of the year"]),
    ("record of the year", &["record of the year"]),
    ("heisman", &["heisman"]),
    ("ballon d'or", &["ballon dor", "ballon d or"]),
    ("peace prize", &["peace prize"]),
    ("cy young", &["cy young"]),
    ("rookie of the year", &["rookie of the year"]),
    ("coach of the year", &["coach of the year"]),
    ("most valuable player", &["mvp", "most valuable player"]),
    ("person of the year", &["person of the year"]),
    ("player of the year", &["player of the year"]),
];

/// Reads what is asked of a prize or a competition.
pub fn read_prize(kind: Kind, listed: &Listed, text: &Text, question: &mut Question) {
    let mut years: Vec<i64> = [&text.title, &text.event, &text.main]
        .into_iter()
        .filter_map(|part| part.iter().find_map(date::year).map(i64::from))
        .collect();
    years.dedup();
    match years.as_slice() {
        [year] => question.say("year", Value::Number(*year)),
        [] => {}
        [first, other, ..] => question.unclear("year", format!("{first}, and also {other}")),
    }
    let who = person(listed, text);
    if kind == Kind::Award {
        let named: Vec<&str> = AWARDS
            .iter()
            .filter(|(_, words)| text.asks_any(words))
            .map(|(name, _)| *name)
            .collect();
        let conference = if text.asks("nfc") || text.asks("al mvp") || text.asks("american league")
        {
            "first conference"
        } else {
            ""
        };
        let named = match named.as_slice() {
            ["best actor", "supporting actor"] => Some("supporting actor"),
            ["best actress", "supporting actress"] => Some("supporting actress"),
            [only] => Some(*only),
            _ => None,
        };
        if conference.is_empty() {
            question.say_text("award", named);
        }
        return question.say_if("winner", who.map(Value::Person));
    }
    question.say_if("winner", who.map(Value::Name));
}
