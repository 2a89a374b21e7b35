//! A small seeded generator of hostile inputs: bytes, JSON, and mutated copies of good ones.
//!
//! A case is one seed. `SUREFOOT_CASES` sets how many each property draws, `SUREFOOT_SEED` where they begin; a
//! failing case prints its seed, and `SUREFOOT_SEED=… SUREFOOT_CASES=1` draws that one again.

use serde_json::{Map, Value};

/// SplitMix64: passes through every state, so any seed is as good as another.
pub struct Rng(u64);

impl Rng {
    /// The same seed gives the same numbers.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`, which is not zero.
    pub fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).expect("below a usize")
    }

    pub fn one_in(&mut self, bound: usize) -> bool {
        self.below(bound) == 0
    }

    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }

    /// Up to `len_max` bytes of any value.
    pub fn bytes(&mut self, len_max: usize) -> Vec<u8> {
        let len = self.below(len_max + 1);
        (0..len).map(|_| self.next() as u8).collect()
    }
}

/// How many cases a property draws where nobody says.
const CASES: u64 = 2_000;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Says which case it was when a property fails.
struct Case<'a> {
    property: &'a str,
    seed: u64,
}

impl Drop for Case<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!(
                "{} failed at seed {}: SUREFOOT_SEED={} SUREFOOT_CASES=1 draws it again",
                self.property, self.seed, self.seed
            );
        }
    }
}

/// Runs a property over seeds in a row.
pub fn for_each_seed(property: &str, mut run: impl FnMut(&mut Rng)) {
    let (first, cases) =
        (number("SUREFOOT_SEED").unwrap_or(1), number("SUREFOOT_CASES").unwrap_or(CASES));
    for seed in first..first.saturating_add(cases) {
        let _case = Case { property, seed };
        run(&mut Rng::new(seed));
    }
}

/// What parsers have stumbled over, as text.
const ODD_TEXTS: &[&str] = &[
    "",
    " ",
    "0",
    "-0",
    "-1",
    "+5",
    "1e400",
    "1e-400",
    "-1e30",
    "0.0000001",
    "0.12345678901234567890",
    "1.5",
    "0.43005",
    "24.9999999",
    "-14.9999996",
    "00012",
    ".",
    "-",
    "NaN",
    "Infinity",
    "18446744073709551616",
    "9223372036854775807",
    "170141183460469231731687303715884105728",
    "99999999999999999999999999999999999999999999999999999999999999999999999999999999",
    "null",
    "true",
    "0x",
    "0xzz",
    "9999-12-31",
    "9999-12-31T23:59:59Z",
    "2262-04-11T23:47:16.999999999Z",
    "1969-12-31T23:59:59Z",
    "2026-02-30T10:00:00+99:99",
    "2026-11-20T18:00:0é",
    "é2026-11-20",
    "MA==",
    "LTE=",
    "ORDER_STATUS_",
    "\u{0}",
    "💥",
];

/// What parsers have stumbled over, as JSON.
pub fn odd_value(rng: &mut Rng) -> Value {
    match rng.below(10) {
        0 => Value::Null,
        1 => Value::Bool(rng.one_in(2)),
        2 => Value::Array(Vec::new()),
        3 => Value::Object(Map::new()),
        4 => {
            let numbers = ["1e308", "-1e308", "1e-308", "0.1", "-0.0", "18446744073709551615"];
            let more = ["-9223372036854775808", "0", "-1", "1", "5", "150.5", "4294967296"];
            let all = [&numbers[..], &more[..]].concat();
            serde_json::from_str(all[rng.below(all.len())]).expect("a number")
        }
        5 => Value::String("7".repeat(1 + rng.below(400))),
        _ => Value::String((*rng.pick(ODD_TEXTS)).to_owned()),
    }
}

/// Any JSON, a few levels deep; its keys are among `keys`, which a reader looks for.
pub fn any_json(rng: &mut Rng, keys: &[&str], depth: usize) -> Value {
    match rng.below(if depth == 0 { 2 } else { 6 }) {
        0 | 1 => odd_value(rng),
        2 | 3 => {
            let len = rng.below(4);
            Value::Array((0..len).map(|_| any_json(rng, keys, depth - 1)).collect())
        }
        _ => {
            let len = rng.below(8);
            let entry =
                |rng: &mut Rng| ((*rng.pick(keys)).to_owned(), any_json(rng, keys, depth - 1));
            Value::Object((0..len).map(|_| entry(rng)).collect())
        }
    }
}

/// Every place in a value, as JSON pointers.
fn places(value: &Value, here: &str, out: &mut Vec<String>) {
    out.push(here.to_owned());
    match value {
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                places(item, &format!("{here}/{at}"), out);
            }
        }
        Value::Object(members) => {
            for (name, member) in members {
                let name = name.replace('~', "~0").replace('/', "~1");
                places(member, &format!("{here}/{name}"), out);
            }
        }
        _ => {}
    }
}

/// The value with one thing changed: a member gone, renamed or doubled, a digit, a type, a part moved elsewhere.
pub fn mutate_json(rng: &mut Rng, value: &mut Value) {
    let mut all = Vec::new();
    places(value, "", &mut all);
    let (at, other) = (rng.pick(&all).clone(), rng.pick(&all).clone());
    let copy = value.pointer(&other).cloned().unwrap_or(Value::Null);
    let Some(target) = value.pointer_mut(&at) else { return };
    match (rng.below(6), target) {
        (0, target) => *target = copy,
        (1, Value::Object(members)) if !members.is_empty() => {
            let name = members.keys().nth(rng.below(members.len())).expect("counted").clone();
            members.remove(&name);
        }
        (2, Value::Object(members)) if !members.is_empty() => {
            let name = members.keys().nth(rng.below(members.len())).expect("counted").clone();
            let member = members.remove(&name).expect("it is there");
            members.insert(format!("{name}_"), member);
        }
        (1 | 2, Value::Array(items)) if !items.is_empty() => {
            let at = rng.below(items.len());
            let item = items[at].clone();
            if rng.one_in(2) {
                items.remove(at);
            } else {
                items.push(item);
            }
        }
        (3, Value::String(text)) if !text.is_empty() => {
            let mut bytes = std::mem::take(text).into_bytes();
            let at = rng.below(bytes.len());
            bytes[at] = *rng.pick(b"0123456789.-eExX:TZ ");
            *text = String::from_utf8_lossy(&bytes).into_owned();
        }
        (4, Value::String(text)) => {
            // a number for a text and the other way round
            let number = serde_json::from_str::<serde_json::Number>(text);
            if let Ok(number) = number {
                *target_of(value, &at) = Value::Number(number);
            }
        }
        (4, Value::Number(number)) => {
            let text = number.to_string();
            *target_of(value, &at) = Value::String(text);
        }
        (_, target) => *target = odd_value(rng),
    }
}

fn target_of<'a>(value: &'a mut Value, at: &str) -> &'a mut Value {
    value.pointer_mut(at).expect("it was there a moment ago")
}

/// The bytes with one thing changed: bits, a cut, something put in, a part doubled or moved.
pub fn mutate_bytes(rng: &mut Rng, bytes: &mut Vec<u8>) {
    if bytes.is_empty() {
        *bytes = rng.bytes(64);
        return;
    }
    let at = rng.below(bytes.len());
    match rng.below(7) {
        0 => bytes[at] ^= 1 << rng.below(8),
        1 => bytes[at] = rng.next() as u8,
        2 => bytes.truncate(at),
        3 => {
            let more = rng.bytes(16);
            bytes.splice(at..at, more);
        }
        4 => {
            let end = (at + 1 + rng.below(64)).min(bytes.len());
            bytes.drain(at..end);
        }
        5 => {
            let end = (at + 1 + rng.below(64)).min(bytes.len());
            let part = bytes[at..end].to_vec();
            let to = rng.below(bytes.len());
            bytes.splice(to..to, part);
        }
        _ => {
            let end = (at + 1 + rng.below(32)).min(bytes.len());
            let fill = *rng.pick(&[0, 0xff, b'9', b' ', b'\n']);
            bytes[at..end].fill(fill);
        }
    }
}
