//! The word of a person that markets settle alike, and the rule texts that it was given for.

use surefoot_hot::ids::MarketId;
use surefoot_hot::units::Price;

use super::{Payoff, Refusal, short};
use crate::directory::{Directory, Entry};
use crate::facts::Fingerprint;

/// Says that two markets settle by the same source, in the same window, and are void together. A person has read both rule texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// Who says so.
    pub signed_by: String,
    /// What one YES of either market pays where the question is void, in the order of the relation's markets.
    pub void_pays: [Payoff; 2],
    /// The rule text of either market that was read; where it is not given, the first that was seen counts.
    pub rules: [Option<Fingerprint>; 2],
}

impl Certificate {
    /// What one YES of either market surely pays where the question is void.
    ///
    /// # Errors
    /// What was paid is given back then: see [`Payoff::Cost`].
    pub(super) fn void_pays(&self, when: &str) -> Result<[Price; 2], Refusal> {
        let [one, other] = self.void_pays.map(|pays| pays.sure(when));
        Ok([one?, other?])
    }
}

/// The rule text that a market is relied on for. A text that was signed counts, else the one that was first relied on, else the
/// one that is there now.
///
/// # Errors
/// The venue shows none, or another one now.
pub(super) fn relied_on(
    entry: &Entry,
    signed: Option<Fingerprint>,
    directory: &Directory,
) -> Result<(MarketId, Fingerprint), Refusal> {
    let market = || short(entry.names.id());
    let now = entry.facts.rules.ok_or_else(|| Refusal::NoRules { market: market() })?;
    let signed = signed.or(directory.relies_on(entry.def.market)).unwrap_or(now);
    if signed != now {
        return Err(Refusal::RulesChanged { market: market(), signed, now });
    }
    Ok((entry.def.market, signed))
}
