//! What a venue says of a market that its relations to other markets stand on.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};

use crate::text::{hex, parse_hex};

/// What is known of a market beside its terms of trade. Nothing is assumed: where the venue said nothing, this is the default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// The event of exclusive or related markets that it belongs to.
    pub event: Option<Arc<EventFacts>>,
    /// What it stands for among the markets of its event.
    pub stands_for: StandsFor,
    /// Its rule text, as a fingerprint; `None` where the venue shows none.
    pub rules: Option<Fingerprint>,
}

/// What a venue says of an event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventFacts {
    /// What the venue calls it.
    pub name: String,
    /// Whether the venue promises that at most one of its markets resolves YES.
    pub is_exclusive: bool,
    /// Whether outcomes may still be named: its list is then never complete.
    pub is_augmented: bool,
    /// Every market of it that the venue lists, by the venue's names; `None` where the list was not read.
    pub markets: Option<Vec<String>>,
}

/// What a market of an event stands for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StandsFor {
    /// Something that its title names.
    #[default]
    Named,
    /// Nothing yet: the venue may name it later.
    Placeholder,
    /// Whatever has no market of its own, which changes with each outcome that is named.
    Other,
}

/// A text, recognised again: the first half of its SHA-256.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fingerprint([u8; 16]);

impl Fingerprint {
    /// Of a rule text; `None` where it is empty. Space at its ends and the kind of its line ends do not count.
    pub fn of(text: &str) -> Option<Self> {
        let text = text.trim().replace("\r\n", "\n");
        let hash = digest(&SHA256, text.as_bytes());
        let half = hash.as_ref()[..16].try_into().expect("SHA-256 has 32 bytes");
        (!text.is_empty()).then_some(Self(half))
    }

    /// From its 32 hex digits; `None` where they are others.
    pub fn parse(digits: &str) -> Option<Self> {
        parse_hex(digits).map(Self)
    }
}

impl fmt::Display for Fingerprint {
    /// As 32 hex digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_known_again_and_another_is_not() {
        let one = Fingerprint::of("It resolves YES if it rains.\nOtherwise NO.").unwrap();
        let same = Fingerprint::of(" It resolves YES if it rains.\r\nOtherwise NO.\n");
        assert_eq!(same, Some(one));
        assert_ne!(Fingerprint::of("It resolves YES if it pours.\nOtherwise NO."), Some(one));
        assert_eq!(Fingerprint::parse(&one.to_string()), Some(one));
        assert_eq!((Fingerprint::of(" \n"), Fingerprint::parse("ab")), (None, None));
    }
}
