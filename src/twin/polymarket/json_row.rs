//! One JSON object, written field by field into a text: for lists that are asked for all the time.

use std::fmt::Write as _;

use surefoot_hot::units::{Price, Qty, Usd};

use super::text;

/// Bytes of a row of positions, and some.
const ROW_BYTES: usize = 1_536;

/// A JSON object that is being written. Names of fields are ours and need no escapes.
#[derive(Debug)]
pub(super) struct JsonRow(String);

impl JsonRow {
    /// An object without a field.
    pub fn new() -> Self {
        let mut out = String::with_capacity(ROW_BYTES);
        out.push('{');
        Self(out)
    }

    /// The object as text.
    pub fn end(mut self) -> String {
        self.0.push('}');
        self.0
    }

    /// A text, escaped where it must be.
    pub fn text(&mut self, name: &str, value: &str) {
        self.name(name);
        let is_plain = |byte: u8| byte >= b' ' && byte != b'"' && byte != b'\\';
        if value.bytes().all(is_plain) {
            self.0.push('"');
            self.0.push_str(value);
            self.0.push('"');
        } else {
            self.0.push_str(&serde_json::Value::from(value).to_string());
        }
    }

    /// A number of contracts, exact.
    pub fn qty(&mut self, name: &str, value: Qty) {
        self.name(name);
        text::push_qty(&mut self.0, value);
    }

    /// An amount of money in dollars, exact.
    pub fn usd(&mut self, name: &str, value: Usd) {
        self.name(name);
        text::push_usd(&mut self.0, value.micros());
    }

    /// A price in dollars, exact.
    pub fn price(&mut self, name: &str, value: Price) {
        self.name(name);
        text::push_price(&mut self.0, value);
    }

    /// True or false.
    pub fn flag(&mut self, name: &str, value: bool) {
        self.name(name);
        self.0.push_str(if value { "true" } else { "false" });
    }

    /// A whole number; null where there is none.
    pub fn whole(&mut self, name: &str, value: Option<u64>) {
        self.name(name);
        match value {
            Some(value) => write!(self.0, "{value}").expect("a string takes everything"),
            None => self.0.push_str("null"),
        }
    }

    fn name(&mut self, name: &str) {
        let is_first = self.0.len() == 1;
        self.0.push_str(if is_first { "\"" } else { ",\"" });
        self.0.push_str(name);
        self.0.push_str("\":");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_the_json_of_its_fields() {
        let mut row = JsonRow::new();
        row.text("plain", "0xab");
        row.text("quoted", "a \"b\" \\ c\n");
        row.qty("qty", Qty::from_micros(1_500_001));
        row.usd("usd", Usd::from_micros(-1));
        row.price("price", Price::from_ticks(5_200).unwrap());
        row.flag("flag", true);
        row.whole("whole", Some(7));
        row.whole("none", None);
        let expected = r#"{"plain":"0xab","quoted":"a \"b\" \\ c\n","qty":1.500001,"usd":-0.000001,"price":0.52,"flag":true,"whole":7,"none":null}"#;
        assert_eq!(row.end(), expected);
    }
}
