//! Everything that a JSON text says. It knows nothing of any reader's fields: what a reader makes of the text is held
//! against all of it, and a value that stands nowhere was made up.

use std::collections::BTreeSet;

use serde_json::Value;
use surefoot_hot::report::Fill;
use surefoot_hot::units::{Price, QTY_MAX, Qty, Usd};
use surefoot_hot::venue::fine::second_part;

/// An exact decimal: sign, digits without zeros at either end, and the power of ten of the last digit.
type Decimal = (bool, String, i64);

/// Everything a text of JSON says: its numbers and its texts.
pub struct Said {
    numbers: BTreeSet<Decimal>,
    /// The numbers once more, in units of 1e-12; what is finer is cut off.
    fine: BTreeSet<i128>,
    /// Its texts, the names of members among them.
    pub texts: BTreeSet<String>,
}

fn decimal(text: &str) -> Option<Decimal> {
    let (negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{part}");
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let mut power = exponent.parse::<i64>().ok()? - i64::try_from(part.len()).ok()?;
    let digits = digits.trim_start_matches('0');
    let short = digits.trim_end_matches('0');
    power += i64::try_from(digits.len() - short.len()).ok()?;
    let is_zero = short.is_empty();
    Some((negative && !is_zero, short.to_owned(), if is_zero { 0 } else { power }))
}

/// A number in units of 1e-12, cut off; `None` where it is too large to be any of ours.
fn in_fine_units((negative, digits, power): &Decimal) -> Option<i128> {
    let keep = i64::try_from(digits.len()).ok()? + (power + 12).min(0);
    let kept = digits.get(..usize::try_from(keep.max(0)).ok()?)?;
    let whole: i128 = if kept.is_empty() { 0 } else { kept.parse().ok()? };
    let zeros = u32::try_from((power + 12).max(0)).ok()?;
    let units = whole.checked_mul(10_i128.checked_pow(zeros)?)?;
    Some(if *negative { -units } else { units })
}

impl Said {
    pub fn of(value: &Value) -> Self {
        let (numbers, fine, texts) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        let mut said = Self { numbers, fine, texts };
        said.take(value);
        said.fine = said.numbers.iter().filter_map(in_fine_units).collect();
        said
    }

    fn take(&mut self, value: &Value) {
        match value {
            Value::Null | Value::Bool(_) => {}
            Value::Number(number) => self.numbers.extend(decimal(&number.to_string())),
            Value::String(text) => {
                self.numbers.extend(decimal(text));
                self.texts.insert(text.clone());
                // lists that come as a text of JSON
                if let Ok(inner @ Value::Array(_)) = serde_json::from_str(text) {
                    self.take(&inner);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.take(item)),
            Value::Object(members) => members.iter().for_each(|(name, member)| {
                self.texts.insert(name.clone());
                self.take(member);
            }),
        }
    }

    /// Whether `units / 10^places` was said.
    pub fn has(&self, units: i128, places: u32) -> bool {
        let want = decimal(&format!("{units}e-{places}")).expect("a number");
        self.numbers.contains(&want)
    }

    /// Whether a number was said that is less than one unit from `units / 10^places`.
    pub fn has_near(&self, units: i128, places: u32) -> bool {
        let unit = 10_i128.pow(12 - places);
        let (low, high) = ((units - 1) * unit, (units + 1) * unit);
        self.has(units, places) || self.fine.range(low + 1..high).next().is_some()
    }

    pub fn qty(&self, qty: Qty) {
        let micros = i128::from(qty.micros());
        assert!(qty <= QTY_MAX, "{qty:?} is more than there can be");
        // a quantity is said in contracts, in millionths, or negative where NO is held
        let said = self.has_near(micros, 6) || self.has(micros, 0) || self.has_near(-micros, 6);
        assert!(said, "{qty:?} was not said");
    }

    pub fn usd(&self, usd: Usd) {
        let micros = i128::from(usd.micros());
        assert!(self.has_near(micros, 6) || self.has(micros, 0), "{usd:?} was not said");
    }

    /// A price on a tick, of this outcome or the other.
    pub fn price(&self, price: Price) {
        let ticks = i128::from(price.ticks());
        assert!(self.has(ticks, 4) || self.has(10_000 - ticks, 4), "{price:?} was not said");
    }

    /// Fills: each at a price that was said, or in two parts at the ticks around it that are one quantity and one fee.
    pub fn fills(&self, fills: &[Fill]) {
        let mut at = 0;
        while let Some(fill) = fills.get(at) {
            let second = fills.get(at + 1).filter(|next| next.fill == second_part(fill.fill));
            for part in [Some(fill), second].into_iter().flatten() {
                let ticks = i128::from(part.price.ticks());
                let near = self.has_near(ticks, 4) || self.has_near(10_000 - ticks, 4);
                assert!(near, "{part:?}: its price was not said");
            }
            let more = second.map_or(Qty::ZERO, |part| part.qty);
            self.qty(fill.qty + more);
            assert!(second.is_none_or(|part| part.fee.is_none_or(|fee| fee == Usd::ZERO)));
            if let Some(fee) = fill.fee {
                self.usd(fee);
            }
            at += 1 + usize::from(second.is_some());
        }
    }

    pub fn text(&self, text: &str) {
        assert!(text.is_empty() || self.texts.contains(text), "{text:?} was not said");
    }
}
