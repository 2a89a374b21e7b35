//! Which markets of two venues may ask the same, out of all that both list: so few that each can be judged.
//!
//! Two ways lead to a candidate, and neither proves anything. Questions that were read meet where what tells them from all others is
//! known and the same: the coin and the day, the office and the year, the sides of a game and its day. All questions meet by their
//! titles, where these share words that few titles have. Every candidate is then judged by its whole texts.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::date::{self, Day, Zone};
use super::question::{Kind, Question, Value};
use super::text::Text;
use super::words::Token;
use super::{Asked, Judgement, Verdict, judge_asked};

/// Markets that one market is held against because of its title, at most: those whose titles are nearest.
const BY_TITLE_MAX: usize = 8;
/// A word that more titles of a venue have tells none of them from the others: it finds nothing, and counts only in how near two titles are.
const TITLES_OF_A_WORD_MAX: usize = 400;
/// How near two titles must be, in hundredths of being alike.
const NEAR_MIN: u64 = 45;
/// The same where one of the two is of a kind that is not read: nothing but the title speaks for such a pair.
const NEAR_UNREAD_MIN: u64 = 60;

/// A market of either venue that may ask the same, and what was found of the two.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// Where the one stands in the first list.
    pub one: usize,
    /// Where the other stands in the second list.
    pub other: usize,
    /// What was found: certified or offered.
    pub judgement: Judgement,
    /// How near the titles are, in hundredths of being alike.
    pub near: u64,
}

/// What was found among two lists.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// Pairs that are certified or offered, by their place in the first list; for one market the certified ones first, then those with
    /// the fewest fields missing, then the nearest title.
    pub candidates: Vec<Candidate>,
    /// How many pairs were judged.
    pub judged: usize,
    /// Offered pairs that were left out: their market has better ones.
    pub left_out: usize,
}

/// Finds the pairs among two lists: certified ones all, and for each market of the first list at most `most` that are offered.
pub fn find(these: &[Asked<'_>], those: &[Asked<'_>], most: usize) -> Found {
    let titles = Titles::of(these, those);
    let mut pairs = by_anchor(these, those);
    titles.add_near(&mut pairs, these, those);
    let mut found = Found { judged: pairs.len(), ..Found::default() };
    let mut of_one: Vec<Candidate> = Vec::new();
    let mut pairs = pairs.into_iter().peekable();
    while let Some((one, other)) = pairs.next() {
        let judgement = judge_asked(&these[one], &those[other]);
        if judgement.verdict != Verdict::Refused {
            of_one.push(Candidate { one, other, judgement, near: titles.near(one, other) });
        }
        if pairs.peek().is_none_or(|next| next.0 != one) {
            keep_best(&mut of_one, most, &mut found);
        }
    }
    found
}

/// Takes the best of one market over, and counts the others.
fn keep_best(of_one: &mut Vec<Candidate>, most: usize, found: &mut Found) {
    let offered = |one: &Candidate| one.judgement.verdict == Verdict::Offered;
    of_one.sort_by_key(|one| {
        (offered(one), one.judgement.missing.len(), u64::MAX - one.near, one.other)
    });
    let certified = of_one.iter().take_while(|one| !offered(one)).count();
    let kept = of_one.len().min(certified.saturating_add(most));
    found.left_out += of_one.len() - kept;
    found.candidates.extend(of_one.drain(..).take(kept));
}

/// Pairs of which what tells the question from all others is known and the same on both sides.
fn by_anchor(these: &[Asked<'_>], those: &[Asked<'_>]) -> BTreeSet<(usize, usize)> {
    let mut at: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (other, asked) in those.iter().enumerate() {
        for anchor in anchors(&asked.question) {
            at.entry(anchor).or_default().push(other);
        }
    }
    let mut pairs = BTreeSet::new();
    for (one, asked) in these.iter().enumerate() {
        for anchor in anchors(&asked.question) {
            for other in at.get(&anchor).into_iter().flatten() {
                pairs.insert((one, *other));
            }
        }
    }
    pairs
}

/// What tells a question from most others, in one text for each way in which the other venue may say it. Nothing where the texts do not
/// say it: such a market is found by its title alone.
fn anchors(question: &Question) -> Vec<String> {
    let word = |name: &str| question.known(name).map(Value::to_string);
    let day = |name: &str| day_of(question.known(name)?);
    let kind = question.kind;
    let of = |parts: &[Option<String>]| -> Vec<String> {
        let parts: Option<Vec<&str>> = parts.iter().map(Option::as_deref).collect();
        parts.map(|parts| format!("{}|{}", kind.name(), parts.join("|"))).into_iter().collect()
    };
    match kind {
        Kind::Touch => of(&[word("asset"), day("window")]),
        Kind::PriceAt => of(&[word("asset"), day("moment")]),
        Kind::UpDown => of(&[word("asset"), word("ends")]),
        Kind::Figure => of(&[word("figure"), word("period")]),
        Kind::RateDecision | Kind::RateLevel => of(&[word("bank"), word("meeting")]),
        Kind::RateCount => of(&[word("bank"), word("period"), word("direction")]),
        Kind::Weather => of(&[word("place"), day("date")]),
        Kind::Election => of(&[word("office"), word("year")]),
        Kind::Game | Kind::Spread | Kind::Total => {
            let Some(Value::Sides(sides)) = question.known("participants") else {
                return Vec::new();
            };
            let names = sides.iter().flat_map(|side| {
                // A side that is known stands behind its league, another one as the text has it.
                side.rsplit(':').next().unwrap_or(side).split(' ').filter(|word| word.len() > 1)
            });
            names.flat_map(|name| of(&[day("date"), Some(name.to_owned())])).collect()
        }
        Kind::Champion => of(&[word("competition"), word("year")]),
        Kind::Award => of(&[word("award"), word("year")]),
        Kind::Other => Vec::new(),
    }
}

/// The month and day of a value: texts leave the year out, and then nothing says that it is another.
fn day_of(value: &Value) -> Option<String> {
    let shown = |day: Day| Some(format!("{}-{}", day.month, day.day));
    match value {
        Value::Day(day) => shown(*day),
        Value::Moment(at) => shown(date::shown(*at, Zone::Utc).0),
        Value::Span(span) => shown(span.until?.day),
        _ => None,
    }
}

/// Words that any title may have.
const COMMON: [&str; 34] = [
    "the", "a", "an", "of", "in", "on", "at", "by", "to", "be", "is", "will", "and", "or", "for",
    "who", "what", "which", "how", "many", "much", "before", "after", "from", "with", "than",
    "win", "winner", "price", "market", "yes", "no", "this", "that",
];

/// The titles of both lists, as numbered words.
struct Titles {
    these: Vec<BTreeSet<u32>>,
    those: Vec<BTreeSet<u32>>,
    /// How much a word tells, by its number: sixteen times the logarithm of two of how few titles have it.
    weight: Vec<u64>,
}

impl Titles {
    fn of(these: &[Asked<'_>], those: &[Asked<'_>]) -> Self {
        let mut numbers: HashMap<String, u32> = HashMap::new();
        let mut number = |asked: &Asked<'_>| -> BTreeSet<u32> {
            let words = words_of(&asked.text);
            let next = |numbers: &HashMap<String, u32>| {
                u32::try_from(numbers.len()).expect("texts are bounded")
            };
            words
                .into_iter()
                .map(|word| {
                    let fresh = next(&numbers);
                    *numbers.entry(word).or_insert(fresh)
                })
                .collect()
        };
        let (these, those): (Vec<_>, Vec<_>) =
            (these.iter().map(&mut number).collect(), those.iter().map(&mut number).collect());
        let mut count = vec![0_u64; numbers.len()];
        these.iter().chain(&those).flatten().for_each(|word| count[*word as usize] += 1);
        let all = (these.len() + those.len()).max(1) as u64;
        let weight = count.iter().map(|count| log2_sixteenths(all * 2 / (*count).max(1))).collect();
        Self { these, those, weight }
    }

    fn weight_of(&self, words: &BTreeSet<u32>) -> u64 {
        words.iter().map(|word| self.weight[*word as usize]).sum()
    }

    /// The weight of the words that two titles share, twice, in hundredths of the weight of both.
    fn near(&self, one: usize, other: usize) -> u64 {
        let (one, other) = (&self.these[one], &self.those[other]);
        let shared: u64 = one.intersection(other).map(|word| self.weight[*word as usize]).sum();
        200 * shared / (self.weight_of(one) + self.weight_of(other)).max(1)
    }

    /// Adds to each market of the first list those of the second whose titles are nearest.
    fn add_near(
        &self,
        pairs: &mut BTreeSet<(usize, usize)>,
        these: &[Asked<'_>],
        those: &[Asked<'_>],
    ) {
        let mut having: Vec<Vec<usize>> = vec![Vec::new(); self.weight.len()];
        for (other, words) in self.those.iter().enumerate() {
            words.iter().for_each(|word| having[*word as usize].push(other));
        }
        let mut shared: HashMap<usize, u64> = HashMap::new();
        for (one, words) in self.these.iter().enumerate() {
            shared.clear();
            for word in words {
                let having = &having[*word as usize];
                if having.len() <= TITLES_OF_A_WORD_MAX {
                    for other in having {
                        *shared.entry(*other).or_default() += self.weight[*word as usize];
                    }
                }
            }
            let mut nearest: Vec<(u64, usize)> =
                shared.iter().map(|(other, weight)| (*weight, *other)).collect();
            nearest.sort_unstable_by_key(|(weight, other)| (u64::MAX - weight, *other));
            let near = nearest.into_iter().map(|(_, other)| other).take(4 * BY_TITLE_MAX);
            let near = near.filter(|other| {
                let unread =
                    [these[one].question.kind, those[*other].question.kind].contains(&Kind::Other);
                self.near(one, *other) >= if unread { NEAR_UNREAD_MIN } else { NEAR_MIN }
            });
            pairs.extend(near.take(BY_TITLE_MAX).map(|other| (one, other)));
        }
    }
}

/// The words and numbers of a title that tell something, and what YES stands for among them.
fn words_of(text: &Text) -> BTreeSet<String> {
    let parts = [&text.title, &text.event, &text.stands_for];
    let tokens = parts.into_iter().flatten().map(|token| match token {
        Token::Word(word) => word.clone(),
        Token::Num(number, _) => number.to_string(),
    });
    tokens.filter(|word| !COMMON.contains(&word.as_str()) && !word.is_empty()).collect()
}

/// Sixteen times the logarithm of two: exact at powers of two, and straight between them, so that it is the same everywhere.
fn log2_sixteenths(number: u64) -> u64 {
    let number = number.max(1);
    let whole = number.ilog2();
    let beyond = 16 * (number - (1 << whole));
    16 * u64::from(whole) + (beyond >> whole)
}
