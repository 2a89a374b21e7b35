//! JSON answers of which few fields are read: the others are passed over instead of being kept.

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// The names of the fields that are kept, at whatever depth they stand.
#[derive(Clone, Copy, Debug)]
pub struct Fields(pub &'static [&'static str]);

impl Fields {
    /// The value that a JSON text stands for, without any field that has another name.
    ///
    /// # Errors
    /// The text is not JSON.
    pub fn read(self, text: &[u8]) -> Result<Value, serde_json::Error> {
        let mut reader = serde_json::Deserializer::from_slice(text);
        let value = self.deserialize(&mut reader)?;
        reader.end()?;
        Ok(value)
    }
}

impl<'de> DeserializeSeed<'de> for Fields {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Fields {
    type Value = Value;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = list.next_element_seed(self)? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Value, A::Error> {
        let mut fields = Map::new();
        while let Some(kept) = object.next_key_seed(Name(self))? {
            match kept {
                Some(name) => {
                    fields.insert(name.to_owned(), object.next_value_seed(self)?);
                }
                None => {
                    object.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(Value::Object(fields))
    }
}

/// Reads the name of a field: `None` for one that is not kept.
struct Name(Fields);

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Option<&'static str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Name {
    type Value = Option<&'static str>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the name of a field")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Self::Value, E> {
        Ok(self.0.0.iter().copied().find(|kept| *kept == name))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const FIELDS: Fields = Fields(&["rows", "id", "size", "page"]);

    #[test]
    fn only_the_fields_that_are_asked_for_are_kept() {
        let text = r#"{"rows":[{"id":"\u00e9\n","title":"x","size":0.52},{"size":-7,"id":null},3,"id",[]],
            "total":{"id":1},"page":{"id":18446744073709551615,"\u0069d2":true}}"#;
        let expected = json!({
            "rows": [{"id": "é\n", "size": 0.52}, {"size": -7, "id": null}, 3, "id", []],
            "page": {"id": 18_446_744_073_709_551_615_u64},
        });
        assert_eq!(FIELDS.read(text.as_bytes()).unwrap(), expected);
    }

    #[test]
    fn what_is_not_json_is_refused() {
        for text in ["", "{", "{\"title\":}", "{\"rows\":[1,]}", "{} {}", "{\"title\":\"\u{1}\"}"] {
            assert!(FIELDS.read(text.as_bytes()).is_err(), "{text}");
        }
    }

    #[test]
    fn the_last_of_two_fields_of_one_name_counts_as_everywhere() {
        let text = r#"{"id":1,"id":2}"#;
        let whole: Value = serde_json::from_str(text).unwrap();
        assert_eq!(FIELDS.read(text.as_bytes()).unwrap(), whole);
    }
}
