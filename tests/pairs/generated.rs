//! Synthetic pairs of market objects, drawn by a seed: true ones in several wordings of each venue, and near misses in which one
//! thing differs. Names, levels and days are invented; the texts are written for this test, in the manner of the venues.

use serde_json::{Value, json};

use super::coins::{price_at, touch, up_down};

/// A drawn pair and what it is.
pub struct Drawn {
    pub id: String,
    pub kalshi: Value,
    pub polymarket: Value,
    /// What was changed, `None` in a true pair.
    pub miss: Option<&'static str>,
    /// In a true pair: whether YES of one is NO of the other.
    pub opposite: bool,
}

/// Steele's and Vigna's generator: one number follows from the other.
pub struct Dice(u64);

impl Dice {
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
    pub fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[usize::try_from(self.below(of.len() as u64)).unwrap()]
    }
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// A day, written in one of the ways that texts have.
#[derive(Clone, Copy, PartialEq)]
pub struct Date {
    pub month: usize,
    pub day: u64,
}

impl Date {
    pub fn draw(dice: &mut Dice) -> Self {
        Self { month: usize::try_from(dice.below(12)).unwrap(), day: 1 + dice.below(27) }
    }
    pub fn other(self, dice: &mut Dice) -> Self {
        Self {
            day: if self.day > 14 {
                self.day - 1 - dice.below(3)
            } else {
                self.day + 1 + dice.below(3)
            },
            ..self
        }
    }
    pub fn long(self) -> String {
        format!("{} {}, 2026", MONTHS[self.month], self.day)
    }
    pub fn short(self) -> String {
        format!("{} {}, 2026", &MONTHS[self.month][..3], self.day)
    }
    pub fn bare(self) -> String {
        format!("{} {}", MONTHS[self.month], self.day)
    }
    pub fn iso(self) -> String {
        format!("2026-{:02}-{:02}", self.month + 1, self.day)
    }
    pub fn is_summer(self) -> bool {
        (3..10).contains(&self.month) // April to October
    }
    /// The short name of New York's time on that day.
    pub fn eastern(self) -> &'static str {
        if self.is_summer() { "EDT" } else { "EST" }
    }
}

const FAMILIES: usize = 9;

/// The pair of this number. Every second one is a near miss.
pub fn draw(seed: u64, number: u64) -> Drawn {
    let mut dice = Dice::new(seed ^ number.wrapping_mul(0x2545_f491_4f6c_dd1d));
    let misses = number % 2 == 1;
    let family = usize::try_from(number / 2).unwrap() % FAMILIES;
    let (name, make): (_, fn(&mut Dice, bool) -> Made) = match family {
        0 => ("touch", touch),
        1 => ("price", price_at),
        2 => ("updown", up_down),
        3 => ("prices", consumer_prices),
        4 => ("jobless", unemployment),
        5 => ("weather", weather),
        6 => ("game", game),
        7 => ("vote", election),
        _ => ("rates", rates),
    };
    let (kalshi, polymarket, miss, opposite) = make(&mut dice, misses);
    assert_eq!(miss.is_some(), misses);
    Drawn { id: format!("{name}-{number}"), kalshi, polymarket, miss, opposite }
}

pub type Made = (Value, Value, Option<&'static str>, bool);

/// What is changed in a near miss.
pub fn change(dice: &mut Dice, misses: bool, of: &[&'static str]) -> Option<&'static str> {
    misses.then(|| dice.pick(of))
}

pub fn kalshi(ticker: &str, title: &str, yes: &str, primary: &str, secondary: &str) -> Value {
    json!({
        "ticker": ticker, "event_ticker": ticker.rsplit_once('-').map_or(ticker, |(event, _)| event), "market_type": "binary", "status": "active",
        "title": title, "subtitle": "", "yes_sub_title": yes, "no_sub_title": yes, "rules_primary": primary, "rules_secondary": secondary,
        "open_time": "2025-12-01T15:00:00Z", "can_close_early": true, "notional_value_dollars": "1.0000",
    })
}

pub fn polymarket(question: &str, description: &str, outcomes: [&str; 2], end: &str) -> Value {
    json!({
        "id": "1", "question": question, "slug": question.to_lowercase().replace(' ', "-"), "description": description, "active": true, "closed": false,
        "outcomes": json!(outcomes).to_string(), "outcomePrices": "[\"0.5\", \"0.5\"]", "endDate": end, "resolutionSource": "", "negRisk": false,
        "events": [{ "id": "2", "title": question }],
    })
}

pub fn strike(market: &mut Value, kind: &str, low: Option<f64>, high: Option<f64>) {
    market["strike_type"] = kind.into();
    if let Some(low) = low {
        market["floor_strike"] = low.into();
    }
    if let Some(high) = high {
        market["cap_strike"] = high.into();
    }
}

/// `100000` with its commas.
pub fn commas(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

fn consumer_prices(dice: &mut Dice, misses: bool) -> Made {
    let miss = change(
        dice,
        misses,
        &["strike", "date", "comparator", "core", "basis", "adjustment", "source"],
    );
    let month = usize::try_from(dice.below(12)).unwrap();
    let tenths = 1 + dice.below(40);
    let core = dice.below(2) == 0;
    let adjusted = dice.below(3) == 0;
    let name = |core: bool, adjusted: Option<bool>| {
        format!(
            "{}{}Consumer Price Index",
            match adjusted {
                Some(true) => "seasonally adjusted ",
                Some(false) => "not seasonally adjusted ",
                None => "",
            },
            if core { "core " } else { "" }
        )
    };
    let rate = |tenths: u64| format!("{}.{}%", tenths / 10, tenths % 10);
    let said = adjusted || miss == Some("adjustment");
    let primary = format!(
        "If the {} (CPI) increases by more than {} in the twelve months ending {} 2026 (as represented by the one-decimal place value reported by the Bureau of Labor Statistics), then the market resolves to Yes.",
        name(core, said.then_some(true)),
        rate(tenths),
        MONTHS[month]
    );
    let secondary = "Any revisions made after the initial release will not be considered.";
    let mut ours = kalshi(
        "KXCPIYOY-26",
        &format!(
            "{}CPI inflation above {} in {} 2026?",
            if core { "Core " } else { "" },
            rate(tenths),
            MONTHS[month]
        ),
        &format!("Above {}", rate(tenths)),
        &primary,
        secondary,
    );
    #[allow(clippy::cast_precision_loss, clippy::float_arithmetic, reason = "tenths are small")]
    strike(&mut ours, "greater", Some(tenths as f64 / 10.0), None);
    let (mut tenths, mut month, mut core, mut adjusted, mut yearly, mut source) =
        (tenths, month, core, said.then_some(true), true, "the Bureau of Labor Statistics");
    // On the grid of tenths, above 3.0 and at least 3.1 are the same.
    let least = miss.is_none() && dice.below(3) == 0;
    let mut compare = if least { "at least" } else { dice.pick(&["more than", "over"]) };
    match miss {
        Some("strike") => tenths += 1,
        Some("date") => month = (month + 1) % 12,
        Some("comparator") => compare = "at least",
        Some("core") => core = !core,
        Some("basis") => yearly = false,
        Some("adjustment") => adjusted = Some(false),
        Some("source") => source = "the Bureau of Economic Analysis",
        _ => {}
    }
    let shown = rate(if least { tenths + 1 } else { tenths });
    let span = if yearly { "over the twelve months ending" } else { "month over month" };
    let body = format!(
        "This market will resolve to \"Yes\" if the {} increases by {compare} {shown} {span} in {} 2026 according to {source}. Otherwise, this market will resolve to \"No\".\n\nSubsequent revisions will not be considered.",
        name(core, adjusted),
        MONTHS[month]
    );
    let question = format!(
        "Will {}US {}inflation be {} {shown} in {} 2026?",
        if core { "core " } else { "" },
        if yearly { "annual " } else { "monthly " },
        if least || compare == "at least" { "at least" } else { "more than" },
        MONTHS[month]
    );
    (ours, polymarket(&question, &body, ["Yes", "No"], "2026-12-20T00:00:00Z"), miss, false)
}

fn unemployment(dice: &mut Dice, misses: bool) -> Made {
    let miss =
        change(dice, misses, &["strike", "date", "comparator", "polarity", "figure", "estimate"]);
    let month = usize::try_from(dice.below(12)).unwrap();
    let tenths = 30 + dice.below(40);
    let rate = |tenths: u64| format!("{}.{}%", tenths / 10, tenths % 10);
    let opposite = miss.is_none() && dice.below(4) == 0;
    let primary = format!(
        "If the unemployment rate (U-3) for {} 2026 is above {} as first reported by the Bureau of Labor Statistics, then the market resolves to Yes.",
        MONTHS[month],
        rate(tenths)
    );
    let mut ours = kalshi(
        "KXU3-26",
        &format!(
            "Will the unemployment rate (U-3) be above {} in {} 2026?",
            rate(tenths),
            MONTHS[month]
        ),
        &format!("Above {}", rate(tenths)),
        &primary,
        "Later revisions will not be considered.",
    );
    #[allow(clippy::cast_precision_loss, clippy::float_arithmetic, reason = "tenths are small")]
    strike(&mut ours, "greater", Some(tenths as f64 / 10.0), None);
    let (mut tenths, mut month, mut figure, mut first) =
        (tenths, month, "unemployment rate", "as first reported by");
    let mut compare = if opposite {
        dice.pick(&["at or below", "at most"])
    } else {
        dice.pick(&["above", "higher than", "greater than"])
    };
    match miss {
        Some("strike") => tenths += 1 + dice.below(3),
        Some("date") => month = (month + 11) % 12,
        Some("comparator") => compare = "at or above",
        Some("polarity") => compare = "below",
        Some("figure") => figure = "labor force participation rate",
        Some("estimate") => first = "as revised by",
        _ => {}
    }
    let body = format!(
        "This market will resolve to \"Yes\" if the US {figure} for {} 2026 is {compare} {} {first} the Bureau of Labor Statistics. Otherwise, this market will resolve to \"No\".",
        MONTHS[month],
        rate(tenths)
    );
    let question = format!("Will the {} {figure} be {compare} {}?", MONTHS[month], rate(tenths));
    (
        ours,
        polymarket(&question, &body, ["Yes", "No"], &format!("2026-{:02}-15T00:00:00Z", month + 1)),
        miss,
        opposite,
    )
}

const CITIES: [(&str, &str, &str); 4] = [
    ("NYC", "Central Park, New York", "NY"),
    ("Chicago", "Chicago Midway, IL", "CHI"),
    ("Austin", "Austin Bergstrom", "AUS"),
    ("Denver", "Denver International Airport", "DEN"),
];

fn weather(dice: &mut Dice, misses: bool) -> Made {
    let miss = change(
        dice,
        misses,
        &["bucket edge", "date", "participant", "source", "comparator", "low", "station"],
    );
    let (city, station, code) =
        if miss == Some("station") { CITIES[dice.pick(&[0, 1])] } else { dice.pick(&CITIES) };
    let date = Date::draw(dice);
    let low = 40 + dice.below(50);
    let bucket = dice.below(2) == 0 && miss != Some("comparator");
    let said = if bucket {
        format!("between {low} and {}° inclusive", low + 1)
    } else {
        format!("greater than {low}°")
    };
    let primary = if dice.below(2) == 0 {
        format!(
            "If the highest temperature recorded in {station} for {} as reported by the National Weather Service's Climatological Report (Daily), is {said}, then the market resolves to Yes.",
            date.long()
        )
    } else {
        format!(
            "If the highest temperature recorded at {station} for {}, is {said} according to the National Weather Service's Climatological Report (Daily), then the market resolves to Yes.",
            date.long()
        )
    };
    let secondary = "Not all weather data is the same. Preliminary NWS reporting and measurement methods may be subject to underlying rounding and conversion nuances. Traders should exercise caution when interpreting preliminary NWS data.";
    let mut ours = kalshi(
        &format!("KXHIGH{code}-26"),
        &format!(
            "Will the high temp in {city} be {} on {}?",
            if bucket { format!("{low}-{}°", low + 1) } else { format!(">{low}°") },
            date.short()
        ),
        &if bucket {
            format!("{low}° to {}°", low + 1)
        } else {
            format!("{}° or above", low + 1)
        },
        &primary,
        secondary,
    );
    #[allow(clippy::cast_precision_loss, clippy::float_arithmetic, reason = "degrees are small")]
    if bucket {
        strike(&mut ours, "between", Some(low as f64), Some(low as f64 + 1.0));
    } else {
        strike(&mut ours, "greater", Some(low as f64), None);
    }
    let usual = miss.is_none() && dice.below(4) == 0;
    let (mut low, mut date, mut city, mut station, mut highest, mut source) = (
        low,
        date,
        city,
        station,
        "highest",
        "the National Weather Service's Climatological Report (Daily)",
    );
    let mut least = !bucket && dice.below(2) == 0;
    match miss {
        Some("bucket edge") => low += 1,
        Some("date") => date = date.other(dice),
        Some("participant") => {
            (city, station, _) = *CITIES.iter().find(|(other, ..)| *other != city).unwrap()
        }
        Some("source") => source = "AccuWeather",
        Some("comparator") => (least, low) = (true, low - 1), // at least what must be passed
        Some("low") => highest = "lowest",
        Some("station") => {
            station = if city == "NYC" {
                "the LaGuardia Airport Station"
            } else {
                "the Chicago O'Hare Station"
            }
        }
        _ => {}
    }
    let said = if bucket {
        format!("between {low} and {}°F inclusive", low + 1)
    } else if least {
        format!("{}°F or higher", low + 1)
    } else {
        format!("greater than {low}°F")
    };
    let source = if usual { "Wunderground" } else { source };
    let body = format!(
        "This market will resolve to \"Yes\" if the {highest} temperature recorded at {station} on {} according to {source} is {said}. Otherwise, this market will resolve to \"No\".",
        date.long()
    );
    let question = format!(
        "Will the {highest} temperature in {city} be {} on {}?",
        if bucket { format!("between {low}-{}°F", low + 1) } else { said.clone() },
        date.bare()
    );
    (
        ours,
        polymarket(&question, &body, ["Yes", "No"], &format!("{}T12:00:00Z", date.iso())),
        miss,
        false,
    )
}

type Club = (&'static str, &'static str);
const LEAGUES: [(&str, &str, [Club; 6]); 3] = [
    (
        "NFL",
        "professional football",
        [
            ("Seattle", "Seahawks"),
            ("Dallas", "Cowboys"),
            ("Buffalo", "Bills"),
            ("New York G", "Giants"),
            ("Denver", "Broncos"),
            ("Miami", "Dolphins"),
        ],
    ),
    (
        "NBA",
        "professional basketball",
        [
            ("Los Angeles L", "Lakers"),
            ("Boston", "Celtics"),
            ("Denver", "Nuggets"),
            ("Miami", "Heat"),
            ("Chicago", "Bulls"),
            ("Utah", "Jazz"),
        ],
    ),
    (
        "MLB",
        "professional baseball",
        [
            ("New York Y", "Yankees"),
            ("Boston", "Red Sox"),
            ("Chicago C", "Cubs"),
            ("Seattle", "Mariners"),
            ("Texas", "Rangers"),
            ("St. Louis", "Cardinals"),
        ],
    ),
];

fn game(dice: &mut Dice, misses: bool) -> Made {
    let miss = change(
        dice,
        misses,
        &["date", "participant", "void rule", "period", "spread", "tie", "overtime"],
    );
    let (league, sport, clubs) = if miss == Some("tie") { LEAGUES[0] } else { dice.pick(&LEAGUES) };
    let (at, with) =
        (usize::try_from(dice.below(6)).unwrap(), 1 + usize::try_from(dice.below(5)).unwrap());
    let (home, away) = (clubs[at], clubs[(at + with) % 6]);
    let date = Date::draw(dice);
    let usual = miss.is_none() && dice.below(3) == 0; // a price that the venue finds fair: a person must judge
    let mates = dice.pick(&["vs", "at"]);
    let extra = if league == "MLB" { "extra innings" } else { "overtime" };
    let fixture = format!("{} {mates} {} {sport} game", away.0, home.0);
    let clock =
        if league == "MLB" { format!(" at 8:15 PM {}", date.eastern()) } else { String::new() };
    let primary = format!(
        "If {} wins the {fixture} originally scheduled for {}{clock} including {extra}, then the market resolves to Yes.",
        home.0,
        date.short()
    );
    let secondary = if usual {
        format!(
            "The following market refers to the team who wins the {fixture} originally scheduled for {}. If this game is postponed or delayed, the market will remain open and close after the rescheduled game has finished (within two days). If the game is cancelled or rescheduled to over two days away, the market will resolve to a fair price in accordance with the rules.",
            date.short()
        )
    } else {
        "If the game is postponed, the market will remain open until the game has been completed. If the game is cancelled entirely, the market will resolve to $0.50 for each team. If the game ends in a tie, the market will resolve to $0.50 for each team. Outcome verified from ESPN.".to_owned()
    };
    let ours = kalshi(
        &format!("KX{league}GAME-26-{}", home.1),
        &format!("{} {mates} {} Winner?", away.0, home.0),
        home.0,
        &primary,
        &secondary,
    );
    let (mut home, mut date) = (home, date);
    let (mut cancelled, mut tied, mut part, mut extra_said) =
        ("50-50", "50-50", "", format!("{extra} is included"));
    match miss {
        Some("date") => date = date.other(dice),
        Some("participant") => {
            home = *clubs.iter().find(|club| **club != home && **club != away).unwrap()
        }
        Some("void rule") => cancelled = "\"No\"",
        Some("tie") => tied = "\"No\"",
        Some("period") => part = " the first half of",
        Some("overtime") => {
            extra_said =
                format!("{extra} is not included, the result is that after regulation time")
        }
        _ => {}
    }
    let nick_first = dice.below(2) == 0;
    let (first, second) = if nick_first { (home.1, away.1) } else { (away.1, home.1) };
    let spread = if miss == Some("spread") { " by more than 3.5 points" } else { "" };
    let the = dice.pick(&["", "the "]);
    let body = format!(
        "In the upcoming {league} game, scheduled for {} at 8:15PM ET:\nIf {the}{first} win{part}{spread}, the market will resolve to \"{first}\".\nIf {the}{second} win{part}{spread}, the market will resolve to \"{second}\".\n{extra_said}.\nIf the game is postponed, this market will remain open until the game has been completed.\nIf the game is canceled entirely, with no make-up game, this market will resolve {cancelled}.\nIf the game ends in a tie, this market will resolve {tied}.\n\nResolution source: ESPN results",
        date.long()
    );
    let question = if miss == Some("spread") {
        format!("Spread: {first} (-3.5)")
    } else if miss == Some("period") {
        format!("{first} vs. {second}: 1st Half winner")
    } else {
        format!("{first} vs. {second}")
    };
    (
        ours,
        polymarket(&question, &body, [first, second], &format!("{}T12:00:00Z", date.iso())),
        miss,
        !nick_first,
    )
}

fn election(dice: &mut Dice, misses: bool) -> Made {
    let miss = change(dice, misses, &["state", "party", "year", "office", "person", "stage"]);
    if matches!(miss, Some("person" | "stage")) || (miss.is_none() && dice.below(2) == 0) {
        let people = ["Ann Harper", "Luis Ortega", "J.D. Marlow", "Petra Novak"];
        let at = usize::try_from(dice.below(4)).unwrap();
        let (mut person, party) = (people[at], dice.pick(&["Republican", "Democratic"]));
        let primary = format!(
            "If {person} wins and accepts the nomination for the Presidency for the {party} party in 2028, then the market resolves to Yes."
        );
        let ours = kalshi(
            "KXPRESNOM-28",
            &format!("Will {person} be the nominee for the Presidency for the {party} party?"),
            person,
            &primary,
            "",
        );
        let mut question = None;
        match miss {
            Some("person") => person = people[(at + 1) % 4],
            Some("stage") => {
                question = Some(format!("Will {person} win the 2028 US Presidential Election?"))
            }
            _ => {}
        }
        let body = if miss == Some("stage") {
            "This market will resolve to the person who wins the 2028 US Presidential Election. The resolution source for this market is the Associated Press, Fox News, and NBC.".into()
        } else {
            format!(
                "This market will resolve to “Yes” if the named individual wins and accepts the 2028 nomination of the {party} Party for U.S. president. Otherwise, this market will resolve to “No”.\n\nThe resolution source for this market will be a consensus of official {party} Party sources."
            )
        };
        let question = question.unwrap_or_else(|| {
            format!("Will {person} win the 2028 {party} presidential nomination?")
        });
        return (
            ours,
            polymarket(&question, &body, ["Yes", "No"], "2028-11-07T00:00:00Z"),
            miss,
            false,
        );
    }
    let states = ["Kansas", "Maine", "Texas", "Ohio", "West Virginia", "Virginia", "New Mexico"];
    let at = usize::try_from(dice.below(7)).unwrap();
    let (mut state, mut party, mut year, mut office) =
        (states[at], dice.pick(&["Republican", "Democratic"]), 2026, "Senate");
    let primary = format!(
        "If a representative of the {party} party is sworn in as a Senator of {state} for the term beginning in 2027, then the market resolves to Yes."
    );
    let ours = kalshi(
        "SENATE-26",
        &format!("Will {party}s win the Senate race in {state}?"),
        party,
        &primary,
        "This market is eligible for accelerated determination after a consensus of media organizations project the winner. See full rules for details.",
    );
    match miss {
        Some("state") => state = states[(at + 1) % 7],
        Some("party") => party = if party == "Republican" { "Democratic" } else { "Republican" },
        Some("year") => year = 2028,
        Some("office") => office = "Governor",
        _ => {}
    }
    let plural = if party == "Republican" { "Republicans" } else { "Democrats" };
    let body = format!(
        "This market will resolve according to the winner of the {year} {state} {office} election, inclusive of any run-offs.\n\nA candidate shall be considered to represent a party in the event that he or she is the nominee of the party in question.\n\nThe resolution source for this market is the Associated Press, Fox News, and NBC."
    );
    (
        ours,
        polymarket(
            &format!("Will the {plural} win the {state} {office} race in {year}?"),
            &body,
            ["Yes", "No"],
            &format!("{year}-11-03T00:00:00Z"),
        ),
        miss,
        false,
    )
}

fn rates(dice: &mut Dice, misses: bool) -> Made {
    if dice.below(2) == 0 {
        let miss = change(dice, misses, &["count", "year"]);
        let (mut cuts, mut year) = (dice.below(7), 2026);
        let (written, by) = if dice.below(2) == 0 {
            (
                format!(
                    "If the Federal Reserve cuts rates exactly {cuts} times in {year}, counting each 25 basis points as one cut and including emergency cuts, then the market resolves to Yes."
                ),
                year,
            )
        } else {
            (
                format!(
                    "If there are exactly {cuts} Fed rate cuts before Jan 1, {}, then the market resolves to Yes.",
                    year + 1
                ),
                year,
            )
        };
        let ours = kalshi(
            &format!("KXRATECUTCOUNT-26DEC31-T{cuts}"),
            &format!("Number of rate cuts in {by}?"),
            &format!("{cuts} cuts"),
            &written,
            "",
        );
        match miss {
            Some("count") => cuts += 1 + dice.below(2),
            Some("year") => year = 2027,
            _ => {}
        }
        let body = format!(
            "This market will resolve according to the exact amount of cuts of 25 basis points in {year} by the Fed (including any cuts made during the December meeting).\n\nEmergency rate cuts outside of scheduled FOMC meetings will also count toward the total number of cuts in {year}.\n\nFor example, if the Fed cuts rates by 50 bps after a meeting, it would be considered 2 cuts (of 25 bps each).\n\nThe resolution source for this market will be FOMC statements."
        );
        let question = match cuts {
            0 => format!("Will no Fed rate cuts happen in {year}?"),
            1 => format!("Will 1 Fed rate cut happen in {year}?"),
            _ => format!("Will {cuts} Fed rate cuts happen in {year}?"),
        };
        let mut theirs =
            polymarket(&question, &body, ["Yes", "No"], &format!("{year}-12-31T00:00:00Z"));
        theirs["groupItemTitle"] = format!("{cuts} ({} bps)", cuts * 25).into();
        return (ours, theirs, miss, false);
    }
    let miss = change(dice, misses, &["strike", "meeting", "comparator"]);
    let quarters = 10 + dice.below(12);
    let month = usize::try_from(dice.below(12)).unwrap();
    let rate = |quarters: u64| format!("{}.{:02}%", quarters / 4, quarters % 4 * 25);
    let primary = format!(
        "If the upper bound of the federal funds rate is above {} following the Fed's {} 2026 meeting, then the market resolves to Yes.",
        rate(quarters),
        MONTHS[month]
    );
    let ours = kalshi(
        "KXFED-26",
        &format!(
            "Will the upper bound of the federal funds rate be above {} following the Fed's {} 2026 meeting?",
            rate(quarters),
            MONTHS[month]
        ),
        &format!("Above {}", rate(quarters)),
        &primary,
        "The resolution source is the Federal Reserve.",
    );
    let (mut quarters, mut month, mut compare) =
        (quarters, month, dice.pick(&["above", "greater than", "higher than"]));
    match miss {
        Some("strike") => quarters += 1,
        Some("meeting") => month = (month + 2) % 12,
        Some("comparator") => compare = "at least",
        _ => {}
    }
    let body = format!(
        "This market will resolve to \"Yes\" if the upper bound of the target federal funds range is {compare} {} after the {} {} 2026 meeting. Otherwise, this market will resolve to \"No\".\n\nThe resolution source for this market is the FOMC statement.",
        rate(quarters),
        dice.pick(&["FOMC", "Federal Reserve"]),
        MONTHS[month]
    );
    let question = format!(
        "Will the upper bound of the Fed funds rate be {compare} {} after the {} 2026 meeting?",
        rate(quarters),
        MONTHS[month]
    );
    (ours, polymarket(&question, &body, ["Yes", "No"], "2026-12-31T00:00:00Z"), miss, false)
}
