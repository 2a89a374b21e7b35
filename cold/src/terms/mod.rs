//! Whether two markets ask the same: their texts read into questions, and the questions compared.
//!
//! Proof, not a score. A pair is **certified** only where every field that matters to its kind is known on both sides and the same,
//! and every sentence of both rule texts is understood as a whole. It is **refused** where a field is proven to differ. Everything
//! between is **offered** to a person, with what is missing. Functions of this module read texts and nothing else: no clock, no
//! file, no network. `docs/pairs.md` says what is read.

mod candidates;
mod compare;
mod crypto;
mod date;
mod figures;
mod forms;
mod kind;
mod listed;
mod mishaps;
mod pattern;
mod question;
mod range;
mod source;
mod sports;
mod teams;
mod text;
mod titles;
mod vote;
mod weather;
mod window;
mod words;

use serde_json::{Value as Json, json};

pub use candidates::{Candidate, Found, find};
pub use date::stamp;
pub use listed::{Listed, is_placeholder};
pub use pattern::Pattern;
pub use question::{Kind, Question, Remedy};
pub use range::{Compare, Range};
pub use words::{Dec, Unit, plain};

use question::Field;
use text::{Text, has};

/// What a pair of markets is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Proven to settle alike.
    Certified,
    /// Neither proven nor disproven: a person must judge.
    Offered,
    /// Proven to ask something else, or not to be traded at all.
    Refused,
}

impl Verdict {
    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Certified => "certified",
            Self::Offered => "offered",
            Self::Refused => "refused",
        }
    }
}

/// What was found of a pair.
#[derive(Clone, Debug)]
pub struct Judgement {
    /// What the pair is.
    pub verdict: Verdict,
    /// Whether YES of one is NO of the other; `None` where that is not known.
    pub opposite: Option<bool>,
    /// Why, in a sentence.
    pub reason: String,
    /// The fields that nothing proves to be the same.
    pub missing: Vec<String>,
    /// What a certificate names: both texts, each field, and what is paid in each state.
    pub certificate: Option<Json>,
}

impl Judgement {
    /// One that is refused for this reason.
    pub fn refused(reason: impl Into<String>) -> Self {
        Self {
            verdict: Verdict::Refused,
            opposite: None,
            reason: reason.into(),
            missing: Vec::new(),
            certificate: None,
        }
    }

    /// `same` or `opposite`, where it is known which.
    pub fn polarity(&self) -> Option<&'static str> {
        self.opposite.map(|opposite| if opposite { "opposite" } else { "same" })
    }
}

/// A listed market, and the question that it asks.
#[derive(Clone, Debug)]
pub struct Asked<'a> {
    listed: &'a Listed,
    text: Text,
    question: Question,
}

impl<'a> Asked<'a> {
    /// Reads the texts of a market.
    pub fn of(listed: &'a Listed) -> Self {
        let text = Text::of(listed);
        let question = read_text(listed, &text);
        Self { listed, text, question }
    }

    /// As its venue lists it.
    pub const fn listed(&self) -> &'a Listed {
        self.listed
    }

    /// What was read of its texts.
    pub const fn question(&self) -> &Question {
        &self.question
    }
}

/// The question that a listed market asks.
pub fn read(listed: &Listed) -> Question {
    read_text(listed, &Text::of(listed))
}

fn read_text(listed: &Listed, text: &Text) -> Question {
    let kind = kind::of(listed, text);
    let mut question = Question::new(kind);
    match kind {
        Kind::Touch | Kind::PriceAt | Kind::UpDown => {
            crypto::read(kind, listed, text, &mut question)
        }
        Kind::Figure => figures::read(listed, text, &mut question),
        Kind::RateDecision | Kind::RateLevel | Kind::RateCount => {
            figures::read_rate(kind, listed, text, &mut question)
        }
        Kind::Weather => weather::read(listed, text, &mut question),
        Kind::Election => vote::read(listed, text, &mut question),
        Kind::Game | Kind::Spread | Kind::Total | Kind::Champion => {
            sports::read(kind, listed, text, &mut question)
        }
        Kind::Award => vote::read_prize(kind, listed, text, &mut question),
        Kind::Other => other(text, &mut question),
    }
    mishaps::read(text, &mut question);
    let negative = ["not", "never", "fail", "fails", "nobody", "neither", "except"];
    question.negated = negative.iter().any(|word| has(&text.title, word))
        || text
            .title
            .windows(2)
            .any(|pair| pair[1].is("t") && pair[0].word().is_some_and(|word| word.ends_with('n')));
    let denies = |words: &str| has(&text.main, words);
    question.negated |= (denies("resolves to no") || denies("resolve to no"))
        && !denies("resolves to yes")
        && !denies("resolve to yes");
    titles::check(text, &mut question);
    for (sentence, shown) in text.rules.iter().zip(&text.shown) {
        if !forms::understood(kind, sentence, listed.forms) {
            question.unread.push(shown.clone());
        }
    }
    question
}

/// Of what is not read: its deadline, which may prove that two questions differ.
fn other(text: &Text, question: &mut Question) {
    let said = window::spans(text, &text.main)
        .into_iter()
        .chain(window::spans(text, &text.title))
        .find(|span| span.from.is_none());
    question.say_if("window", said.map(question::Value::Span));
}

/// Judges a pair of listed markets.
pub fn judge(one: &Listed, other: &Listed) -> Judgement {
    judge_asked(&Asked::of(one), &Asked::of(other))
}

/// The same where their texts have been read.
pub fn judge_asked(one: &Asked<'_>, other: &Asked<'_>) -> Judgement {
    let (this, that) = (&one.question, &other.question);
    let (one, other) = (one.listed, other.listed);
    let (Some(this_text), Some(that_text)) = (one.fingerprint, other.fingerprint) else {
        return Judgement::refused("rules: a market shows no rule text");
    };
    let mut compared = compare::compare(this, that);
    if let Some(first) = compared.differs.first() {
        let more = compared.differs.len() - 1;
        let reason = if more == 0 {
            first.clone()
        } else {
            format!("{first}; {}", compared.differs[1..].join("; "))
        };
        return Judgement::refused(reason);
    }
    flip(one, &mut compared);
    flip(other, &mut compared);
    prices(one, other, &mut compared);
    compared.missing.dedup();
    if !compared.missing.is_empty() || compared.opposite.is_none() {
        if compared.missing.is_empty() {
            compared.missing.push("polarity".into());
        }
        let reason =
            format!("nothing contradicts, and not proven: {}", compared.missing.join("; "));
        return Judgement {
            verdict: Verdict::Offered,
            opposite: compared.opposite,
            reason,
            missing: compared.missing,
            certificate: None,
        };
    }
    let opposite = compared.opposite == Some(true);
    Judgement {
        verdict: Verdict::Certified,
        opposite: compared.opposite,
        reason: format!(
            "every field of a {} is known and the same, and every sentence of both rule texts is understood",
            this.kind.name()
        ),
        missing: Vec::new(),
        certificate: Some(certificate(
            (this, that),
            [this_text.to_string(), that_text.to_string()],
            opposite,
        )),
    }
}

/// Where the first outcome of a market is the denial of what its text says, its YES is the other's NO.
fn flip(listed: &Listed, compared: &mut compare::Compared) {
    let first = listed.outcomes[0].to_lowercase();
    if first == "no" || first == "down" {
        compared.opposite = compared.opposite.map(|opposite| !opposite);
    }
}

/// Prices that fit only the other polarity say that something was read wrongly.
fn prices(one: &Listed, other: &Listed, compared: &mut compare::Compared) {
    let (Some(this), Some(that), Some(opposite)) = (one.price, other.price, compared.opposite)
    else {
        return;
    };
    let turned = Dec(Dec::ONE.0 - that.0);
    let (meant, denied) = if opposite { (turned, that) } else { (that, turned) };
    let apart = |other: Dec| (this.0 - other.0).abs();
    if apart(meant) > Dec::ONE.0 / 4 && apart(denied) < Dec::ONE.0 / 10 {
        compared.missing.push(format!("polarity: the prices {this} and {that} fit the other one"));
        compared.opposite = None;
    }
}

/// What was proven, field by field, and what one YES of each pays in each state.
fn certificate((one, other): (&Question, &Question), rules: [String; 2], opposite: bool) -> Json {
    let fields: serde_json::Map<String, Json> = one
        .fields
        .iter()
        .filter_map(|(name, field)| match field {
            Field::Known(value) => Some(((*name).to_owned(), Json::from(value.to_string()))),
            Field::Unclear(_) => None,
        })
        .collect();
    let pays = |yes: u32| {
        [yes, if opposite { 10_000 - yes } else { yes }]
            .map(|ticks| format!("{}.{:04}", ticks / 10_000, ticks % 10_000))
    };
    let state = |when: &str, yes: u32| json!({ "when": when, "yes_pays": pays(yes) });
    let mut states = vec![state("it comes true", 10_000), state("it does not come true", 0)];
    for (mishap, remedy) in &one.mishaps {
        if let Some(yes) = remedy.and_then(Remedy::yes_pays) {
            states.push(state(mishap.name(), yes));
        }
    }
    let void: serde_json::Map<String, Json> = one
        .mishaps
        .iter()
        .chain(&other.mishaps)
        .filter_map(|(mishap, remedy)| {
            Some((mishap.name().to_owned(), Json::from(remedy.as_ref()?.name())))
        })
        .collect();
    json!({ "kind": one.kind.name(), "rules": rules, "fields": fields, "void": void, "states": states })
}
