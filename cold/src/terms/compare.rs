//! Two questions held against each other, field by field.

use std::collections::{BTreeMap, BTreeSet};

use super::figures::usual_grid;
use super::question::{Field, Kind, Mishap, Question, Remedy, Value};
use super::range::{Range, Relation};
use super::source::is_basis;
use super::window::{Edge, Span};
use super::words::Dec;

/// How one field of two questions stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Both say it, in whatever words.
    Same,
    /// One is exactly what the other is not.
    Opposite,
    /// Nothing proves that it is the same, and nothing that it is not.
    Missing(String),
    /// It is proven to be another.
    Differs(String),
}

/// What came out of a comparison.
#[derive(Clone, Debug, Default)]
pub struct Compared {
    /// Every field that is proven to differ, with its sentence.
    pub differs: Vec<String>,
    /// Every field that is not proven to be the same.
    pub missing: Vec<String>,
    /// Whether YES of one is NO of the other; `None` where that is not known.
    pub opposite: Option<bool>,
}

/// Holds two questions against each other.
pub fn compare(one: &Question, other: &Question) -> Compared {
    let mut out = Compared::default();
    if !kinds(one.kind, other.kind, &mut out) {
        return out;
    }
    let names: BTreeSet<&'static str> =
        one.fields.keys().chain(other.fields.keys()).chain(one.kind.material()).copied().collect();
    let basis = has_basis(one, other);
    let mut opposite = Some(false);
    for name in names {
        let standing = match (one.fields.get(name), other.fields.get(name)) {
            (Some(Field::Known(this)), Some(Field::Known(that))) => {
                field(name, (one, this), (other, that), basis)
            }
            (Some(Field::Unclear(why)), _) | (_, Some(Field::Unclear(why))) => {
                Standing::Missing(format!("{name}: {why}"))
            }
            (None, None) | (Some(_), None) | (None, Some(_)) => Standing::Missing(name.to_owned()),
        };
        match standing {
            Standing::Same => {}
            Standing::Opposite => opposite = opposite.map(|opposite| !opposite),
            Standing::Missing(what) => {
                let turns = ["winner", "strike", "comparator"].contains(&name);
                if turns {
                    opposite = None;
                }
                out.missing.push(what);
            }
            Standing::Differs(why) => out.differs.push(why),
        }
    }
    mishaps(one, other, &mut out);
    let twice =
        text(one, "league") == "mlb" && matches!(one.kind, Kind::Game | Kind::Spread | Kind::Total);
    if twice && !one.fields.contains_key("start") && !other.fields.contains_key("start") {
        out.missing.push("start: two games of a day".into());
    }
    if one.negated || other.negated {
        out.missing.push("polarity: a title or rule is negated".into());
        opposite = None;
    }
    out.opposite = opposite;
    for sentence in one.unread.iter().chain(&other.unread) {
        let mut short: String = sentence.chars().take(120).collect();
        if short.len() < sentence.len() {
            short.push('…');
        }
        out.missing.push(format!("rules: {short}"));
    }
    out
}

/// Whether both are of a kind that can be compared; says what is wrong where not.
fn kinds(one: Kind, other: Kind, out: &mut Compared) -> bool {
    if one == Kind::Other || other == Kind::Other {
        let read = if one == Kind::Other { other } else { one };
        out.missing.push(if one == other {
            "kind".into()
        } else {
            format!("kind: one is a {}, the other is not read", read.name())
        });
        return one == other;
    }
    if one.matter() != other.matter() {
        out.differs.push(format!("subject: a {} and a {}", one.name(), other.name()));
        return false;
    }
    if one != other {
        out.differs.push(format!("measure: {} and {}", one.name(), other.name()));
    }
    true
}

fn text<'a>(question: &'a Question, name: &str) -> &'a str {
    match question.known(name) {
        Some(Value::Text(text)) => text,
        _ => "",
    }
}

fn has_basis(one: &Question, other: &Question) -> bool {
    is_basis(text(one, "source"), text(other, "source"))
}

type Side<'a> = (&'a Question, &'a Value);

fn field(
    name: &'static str,
    (one, this): Side<'_>,
    (other, that): Side<'_>,
    basis: bool,
) -> Standing {
    let differs = || Standing::Differs(format!("{name}: {this} and {that}"));
    let missing = || Standing::Missing(format!("{name}: {this} and {that}"));
    match (this, that) {
        (Value::Range(this), Value::Range(that)) => strike(one, other, (*this, *that), basis),
        (Value::Span(this), Value::Span(that)) => window(*this, *that),
        (Value::Sides(this), Value::Sides(that)) => sides(this, that, &differs, &missing),
        (Value::Person(this), Value::Person(that)) => person(this, that, &differs, &missing),
        (Value::Name(_), Value::Name(_)) => winner(one, other, this == that, &differs, &missing),
        (this, that) if this == that => Standing::Same,
        (Value::Text(this), Value::Text(that)) => {
            texts(name, one.kind, (this, that), basis, &differs, &missing)
        }
        (Value::Number(this), Value::Number(that)) => {
            // A season has two years, and texts name either.
            let season =
                matches!(one.kind, Kind::Champion | Kind::Award) && (this - that).abs() == 1;
            if season { missing() } else { differs() }
        }
        (Value::Moment(this_at), Value::Moment(that_at)) => {
            let hours = (this_at - that_at).abs();
            // A game that is moved by an hour or two is the same game.
            if name == "start" && hours <= 3 * 3_600 {
                return missing();
            }
            let zone = hours % 3_600 == 0 && hours <= 8 * 3_600 && name == "moment";
            let what = if zone { "moment or time zone" } else { name };
            Standing::Differs(format!("{what}: {this} and {that}"))
        }
        (Value::Day(this), Value::Day(that)) => {
            let open = this.year.is_none() != that.year.is_none()
                && (this.month, this.day) == (that.month, that.day);
            if open { missing() } else { differs() }
        }
        _ => missing(),
    }
}

fn strike(one: &Question, other: &Question, (this, that): (Range, Range), basis: bool) -> Standing {
    let grid = match one.kind {
        Kind::RateCount | Kind::Spread | Kind::Total => Some(Dec::ONE),
        _ => one.grid.or(other.grid),
    };
    let usual = match one.kind {
        Kind::Touch | Kind::PriceAt => Dec::parse("0.01"),
        Kind::Figure => usual_grid(text(one, "figure")),
        Kind::RateDecision => Some(Dec::whole(25)),
        Kind::RateLevel => Dec::parse("0.25"),
        Kind::Weather if super::weather::is_temperature(one) => Some(Dec::ONE),
        _ => None,
    };
    match this.stands_to(that, grid, usual) {
        Relation::Same => Standing::Same,
        // Whoever does not reach a level need not stay on its other side, and who does not win by three may lose.
        Relation::Complement if matches!(one.kind, Kind::Touch | Kind::Spread) => {
            Standing::Differs(format!("polarity: {this} and {that}"))
        }
        Relation::Complement => Standing::Opposite,
        Relation::Unsaid(what) => Standing::Missing(format!("{what}: {this} and {that}")),
        // Whether a level itself counts is nothing beside prices of two publishers, and hangs on the same person's word.
        Relation::Other("comparator") if basis && sideways(this, that) => {
            Standing::Missing(format!("comparator: {this} and {that}"))
        }
        Relation::Other(what) => Standing::Differs(format!("{what}: {this} and {that}")),
    }
}

/// Whether both are open to the same side.
const fn sideways(this: Range, that: Range) -> bool {
    this.low.is_some() == that.low.is_some() && this.high.is_some() == that.high.is_some()
}

fn window(this: Span, that: Span) -> Standing {
    let (Some(this_end), Some(that_end)) = (this.until, that.until) else {
        return Standing::Missing("window".into());
    };
    match edges("window end", this_end, that_end) {
        Standing::Same => {}
        standing => return standing,
    }
    match (this.from, that.from) {
        (Some(one), Some(other)) => match edges("window start", one, other) {
            // Where a market began after the other one, what happened in between is known to whoever signs.
            Standing::Differs(why) => Standing::Missing(why),
            standing => standing,
        },
        (None, None) | (Some(_), None) | (None, Some(_)) => {
            Standing::Missing("window start".into())
        }
    }
}

fn edges(name: &str, this: Edge, that: Edge) -> Standing {
    if let (Some(one), Some(other)) = (this.moment, that.moment) {
        if one == other {
            return Standing::Same;
        }
        let what = if this.day != that.day {
            "date"
        } else if this.zone != that.zone {
            "time zone"
        } else {
            name
        };
        return Standing::Differs(format!("{what}: {this} and {that}"));
    }
    let (one, other) = (this.day, that.day);
    let open = one.year.is_none() || other.year.is_none();
    if (one.month, one.day) != (other.month, other.day) || (!open && one.year != other.year) {
        return Standing::Differs(format!("date: {this} and {that}"));
    }
    let what = if open {
        "year"
    } else if this.secs.is_none() || that.secs.is_none() {
        name
    } else {
        "time zone"
    };
    Standing::Missing(format!("{what}: {this} and {that}"))
}

fn sides(
    this: &BTreeSet<String>,
    that: &BTreeSet<String>,
    differs: &dyn Fn() -> Standing,
    missing: &dyn Fn() -> Standing,
) -> Standing {
    if this == that {
        return Standing::Same;
    }
    let coded = |sides: &BTreeSet<String>| sides.iter().all(|side| side.contains(':'));
    let shares = |one: &str, other: &str| {
        one.split([' ', ':'])
            .any(|word| word.len() > 2 && other.split([' ', ':']).any(|own| own == word))
    };
    let met = |one: &BTreeSet<String>, other: &BTreeSet<String>| {
        one.iter().all(|side| other.iter().any(|own| shares(side, own)))
    };
    let alone = |one: &BTreeSet<String>, other: &BTreeSet<String>| {
        one.iter().all(|side| !other.iter().any(|own| shares(side, own)))
    };
    if coded(this) && coded(that)
        || alone(this, that) && alone(that, this) && (coded(this) || coded(that))
    {
        return differs();
    }
    if met(this, that) {
        missing()
    } else {
        Standing::Missing(format!(
            "participants: {} and {}",
            Value::Sides(this.clone()),
            Value::Sides(that.clone())
        ))
    }
}

fn person(
    this: &str,
    that: &str,
    differs: &dyn Fn() -> Standing,
    missing: &dyn Fn() -> Standing,
) -> Standing {
    if this == that {
        return Standing::Same;
    }
    let shared =
        this.split(' ').any(|word| word.len() > 2 && that.split(' ').any(|own| own == word));
    let last = |name: &str| {
        name.split(' ').rfind(|word| !["jr", "sr", "ii", "iii"].contains(word)).map(str::to_owned)
    };
    match (last(this) == last(that), shared) {
        // `J.D. Vance` and `Vance` may be one; two first names are two people.
        (true, _) => {
            let first = |name: &str| name.split(' ').next().unwrap_or_default().to_owned();
            let (one, other) = (first(this), first(that));
            let full = this.contains(' ') && that.contains(' ') && one.len() > 2 && other.len() > 2;
            if full && one[..1] != other[..1] {
                Standing::Missing(format!("winner: {this} and {that}, who may be two"))
            } else {
                missing()
            }
        }
        (false, true) => missing(),
        (false, false) => differs(),
    }
}

/// The side that wins for YES: the other side of the same two is the opposite, where nobody else can win.
fn winner(
    one: &Question,
    other: &Question,
    same: bool,
    differs: &dyn Fn() -> Standing,
    missing: &dyn Fn() -> Standing,
) -> Standing {
    let (Some(Value::Name(this)), Some(Value::Name(that))) =
        (one.known("winner"), other.known("winner"))
    else {
        return missing();
    };
    if same {
        return Standing::Same;
    }
    let coded = this.contains(':') && that.contains(':');
    let both = match (one.known("participants"), other.known("participants")) {
        (Some(Value::Sides(this_two)), Some(Value::Sides(that_two))) => {
            this_two == that_two && this_two.contains(this) && this_two.contains(that)
        }
        _ => false,
    };
    match one.kind {
        Kind::Game if both => {
            let league = text(one, "league");
            let two_way =
                ["nba", "wnba", "mlb", "nhl", "nfl", "tennis", "ncaaf", "ncaab"].contains(&league);
            let halved = |question: &Question| {
                question.mishaps.get(&Mishap::Tied) == Some(&Some(Remedy::Half))
            };
            let decided = league != "nfl" || halved(one) && halved(other);
            match (two_way, decided) {
                (true, true) => Standing::Opposite,
                (true, false) => Standing::Missing("polarity: what a tie pays".into()),
                (false, _) => differs(),
            }
        }
        Kind::Spread if both => Standing::Missing("polarity: the line is of another side".into()),
        _ if coded => differs(),
        Kind::Champion => {
            let shares = this
                .split([' ', ':'])
                .any(|word| word.len() > 2 && that.split([' ', ':']).any(|own| own == word));
            let one_known = this.contains(':') || that.contains(':');
            if shares || one_known { missing() } else { differs() }
        }
        _ => missing(),
    }
}

fn texts(
    name: &str,
    kind: Kind,
    (this, that): (&str, &str),
    basis: bool,
    differs: &dyn Fn() -> Standing,
    missing: &dyn Fn() -> Standing,
) -> Standing {
    let either = |word: &str| this == word || that == word;
    let both = |words: &[&str]| words.contains(&this) && words.contains(&that);
    let soft = match name {
        "source" => basis || matches!(kind.matter(), "election" | "sport" | "award"),
        "measure" | "comparator" | "quote" => basis,
        "deciding event" | "counting" => true,
        "estimate" => !both(&["advance", "second", "third"]) && !either("revised"),
        "overtime" => either("none exists"),
        "stage" => both(&["primary", "nomination"]),
        "period" | "meeting" => this.starts_with("month") || that.starts_with("month"),
        _ => false,
    };
    if soft { missing() } else { differs() }
}

/// What happens beside the plain end must be the same wherever either text speaks of it, and said where games are concerned.
fn mishaps(one: &Question, other: &Question, out: &mut Compared) {
    let game = matches!(one.kind, Kind::Game | Kind::Spread | Kind::Total);
    let mut all: BTreeMap<Mishap, ()> =
        one.mishaps.keys().chain(other.mishaps.keys()).map(|mishap| (*mishap, ())).collect();
    if game {
        all.extend([(Mishap::Cancelled, ()), (Mishap::Postponed, ())]);
        if ["nfl", "epl", "mls", ""].contains(&text(one, "league")) && one.kind == Kind::Game {
            all.insert(Mishap::Tied, ());
        }
    }
    for mishap in all.into_keys() {
        let name = mishap.name();
        match (one.mishaps.get(&mishap), other.mishaps.get(&mishap)) {
            (Some(Some(Remedy::Fair)), _) | (_, Some(Some(Remedy::Fair))) => {
                out.missing.push(format!(
                    "void rule: what is paid where it is {name}: a fair price is no amount"
                ));
            }
            (Some(Some(this)), Some(Some(that))) if this == that => {}
            (Some(Some(this)), Some(Some(that))) => {
                let why =
                    format!("void rule: where it is {name}: {} and {}", this.name(), that.name());
                let waits =
                    |remedy: &Remedy| matches!(remedy, Remedy::Waits | Remedy::WaitsDays(_));
                let proven = !waits(this) && !waits(that)
                    || matches!((this, that), (Remedy::WaitsDays(_), Remedy::WaitsDays(_)));
                if proven { out.differs.push(why) } else { out.missing.push(why) }
            }
            (this, that) => {
                let unclear = this == Some(&None) || that == Some(&None);
                out.missing.push(format!(
                    "void rule: what happens where it is {name}{}",
                    if unclear { " is said twice" } else { "" }
                ));
            }
        }
    }
}
