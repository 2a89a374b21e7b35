//! Who trades: keys, wallets, API credentials, cash and shares, and the limits that go with a signer.

use std::collections::BTreeMap;

use secp256k1::SecretKey;
use surefoot_cold::venue::polymarket::eip712::{Address, SignatureType, Word, keccak};
use surefoot_cold::venue::polymarket::signer::l2_signature;
use surefoot_hot::ids::Outcome;
use surefoot_hot::units::{Nanos, Qty, Usd};

use super::text;
use crate::twin::http::Request;

/// Ids out of a seed: the same seed and the same order of asking give the same ids.
#[derive(Clone, Debug)]
pub struct Ids {
    seed: u64,
    count: u64,
}

impl Ids {
    /// From a seed.
    pub const fn new(seed: u64) -> Self {
        Self { seed, count: 0 }
    }

    /// The next 32 bytes.
    pub fn word(&mut self) -> Word {
        self.count += 1;
        self.named(b"id", self.count)
    }

    /// The next UUID.
    pub fn uuid(&mut self) -> String {
        text::uuid(&self.word())
    }

    /// 32 bytes that depend on nothing but the seed, a name and a number.
    pub fn named(&self, name: &[u8], number: u64) -> Word {
        keccak(&[&self.seed.to_le_bytes(), name, &number.to_le_bytes()])
    }
}

/// What one trader owns.
#[derive(Clone, Debug)]
pub struct Account {
    /// How its signatures are made; `None` for the house.
    pub kind: Option<SignatureType>,
    /// The private key, for whoever starts the twin; `None` where a stranger brought its own.
    pub private_key: Option<String>,
    /// The signing key's own address: what API keys are bound to.
    pub address: Address,
    /// Whose funds trade.
    pub funder: Address,
    /// Cash in microdollars of pUSD. Below zero for the house alone.
    pub cash: Usd,
    /// Shares by market and outcome.
    pub shares: BTreeMap<(usize, u8), Qty>,
    /// Collateral paid for the shares held, for average prices.
    pub paid: BTreeMap<(usize, u8), Usd>,
    /// Orders that may still trade, by index.
    pub live: Vec<usize>,
    /// Order and cancel allowance.
    pub orders: Bucket,
    /// What the signer may still cancel.
    pub cancels: Bucket,
}

impl Account {
    /// Shares of one outcome.
    pub fn held(&self, market: usize, outcome: Outcome) -> Qty {
        self.shares.get(&(market, outcome as u8)).copied().unwrap_or(Qty::ZERO)
    }

    /// Takes shares in, with what was paid for them.
    pub fn receive(&mut self, market: usize, outcome: Outcome, qty: Qty, paid: Usd) {
        *self.shares.entry((market, outcome as u8)).or_default() += qty;
        *self.paid.entry((market, outcome as u8)).or_default() += paid;
    }

    /// Gives shares up, and their part of what was paid. More than is held is our mistake: checked before.
    pub fn give(&mut self, market: usize, outcome: Outcome, qty: Qty) {
        let held = self.shares.entry((market, outcome as u8)).or_default();
        let paid = self.paid.entry((market, outcome as u8)).or_default();
        let before = held.micros().max(1);
        *held -= qty;
        let (left, before) = (held.micros(), i64::try_from(before).expect("QTY_MAX"));
        *paid = paid.scale_floor(i64::try_from(left).expect("QTY_MAX"), before);
    }
}

/// A token bucket, counted in millionths of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bucket {
    rate: i64,
    burst: i64,
    left: i64,
    at: Nanos,
    /// Whether a debit afterwards stops at zero.
    floor: bool,
}

const TOKEN: i64 = 1_000_000;

impl Bucket {
    /// Full, with `rate` tokens a second and at most `burst`.
    pub const fn new(rate: u32, burst: u32, floor: bool) -> Self {
        let (rate, burst) = (rate as i64, burst as i64 * TOKEN);
        Self { rate, burst, left: burst, at: Nanos::ZERO, floor }
    }

    fn refill(&mut self, now: Nanos) {
        let micros = i64::try_from(now.since(self.at).get() / 1_000).unwrap_or(i64::MAX);
        if micros > 0 {
            self.left = self.left.saturating_add(micros.saturating_mul(self.rate)).min(self.burst);
            self.at = now;
        }
    }

    /// Takes `cost` tokens, all or none.
    pub fn take(&mut self, cost: usize, now: Nanos) -> bool {
        self.refill(now);
        let cost = i64::try_from(cost).unwrap_or(i64::MAX).saturating_mul(TOKEN);
        let fits = cost <= self.left;
        if fits {
            self.left -= cost;
        }
        fits
    }

    /// Takes `cost` tokens afterwards, below zero where the tier allows it.
    pub fn debit(&mut self, cost: usize, now: Nanos) {
        self.refill(now);
        self.left -= i64::try_from(cost).unwrap_or(0) * TOKEN;
        if self.floor {
            self.left = self.left.max(0);
        }
    }

    /// Whole tokens left; zero below.
    pub const fn remaining(&self) -> i64 {
        if self.left < 0 { 0 } else { self.left / TOKEN }
    }

    /// Whole seconds until `cost` tokens are there, at least one.
    pub fn wait_secs(&self, cost: usize) -> i64 {
        let cost = i64::try_from(cost).unwrap_or(0) * TOKEN;
        ((cost - self.left).max(0) / (self.rate.max(1) * TOKEN) + 1).max(1)
    }
}

/// A signer's rate-limit tier (`venues/polymarket.md` §1.5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tier {
    /// Every new signer.
    #[default]
    Standard,
    /// $500 k of maker volume in 30 days.
    Gold,
    /// $10 M of it.
    Elite,
}

impl Tier {
    /// The venue's word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Gold => "gold",
            Self::Elite => "elite",
        }
    }

    /// Order and cancel buckets.
    pub const fn buckets(self) -> [Bucket; 2] {
        match self {
            Self::Standard => [Bucket::new(40, 60, false), Bucket::new(80, 120, false)],
            Self::Gold => [Bucket::new(400, 600, false), Bucket::new(800, 1_200, false)],
            Self::Elite => [Bucket::new(600, 900, true), Bucket::new(1_200, 1_800, true)],
        }
    }
}

/// One set of API credentials.
#[derive(Clone, Debug)]
pub struct Credential {
    /// Index of the account that the key belongs to.
    pub account: usize,
    /// Its nonce: another nonce, another set.
    pub nonce: u64,
    /// The key's UUID.
    pub api_key: String,
    /// URL-safe base64 with padding.
    pub secret: String,
    /// 64 hex digits.
    pub passphrase: String,
    /// Whether it still works.
    pub active: bool,
    /// The dead-man switch once armed: the id expected next and the last beat.
    pub beat: Option<(String, Nanos)>,
}

impl Credential {
    /// The set of an address and a nonce.
    pub fn derive(ids: &Ids, account: usize, address: &Address, nonce: u64) -> Self {
        use base64::Engine as _;
        let part = |name: &[u8]| keccak(&[&ids.named(name, nonce), address.bytes()]);
        Self {
            account,
            nonce,
            api_key: text::uuid(&part(b"api key")),
            secret: base64::engine::general_purpose::URL_SAFE.encode(part(b"secret")),
            passphrase: text::hex(&part(b"passphrase"))[2..].to_owned(),
            active: true,
            beat: None,
        }
    }

    /// Whether a request's L2 headers are this set's and sign this very request. Whether they are fresh is asked
    /// apart.
    pub fn signed(&self, req: &Request, address: &Address) -> bool {
        let header = |name| req.header(name).unwrap_or_default();
        let timestamp = header("POLY_TIMESTAMP");
        let want = l2_signature(&self.secret, timestamp, &req.method, &req.path, &req.body);
        self.active
            && header("POLY_PASSPHRASE") == self.passphrase
            && Address::parse(header("POLY_ADDRESS")) == Some(*address)
            && !timestamp.is_empty()
            && timestamp.bytes().all(|b| b.is_ascii_digit())
            && want.as_deref() == Some(header("POLY_SIGNATURE"))
    }
}

/// A private key out of the seed; every seed gives a valid one.
pub fn key(ids: &Ids, number: u64) -> (SecretKey, String) {
    for attempt in 0.. {
        let bytes = ids.named(b"private key", number + (attempt << 32));
        if let Ok(key) = SecretKey::from_byte_array(bytes) {
            return (key, text::hex(&bytes));
        }
    }
    unreachable!("all but one in 2^128 words are keys")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mass_cancel_may_overdraw_and_waits() {
        let [_, mut cancels] = Tier::Standard.buckets();
        let start = Nanos::from_secs(100);
        assert!(cancels.take(1, start));
        cancels.debit(300, start);
        assert!(!cancels.take(1, start) && cancels.remaining() == 0);
        // 181 below zero at 80 a second: 2.3 s (`venues/polymarket.md` §1.5).
        assert!(!cancels.take(1, start.after(Nanos::from_millis(2_250))));
        assert!(cancels.take(1, start.after(Nanos::from_millis(2_300))));
        let [mut orders, _] = Tier::Standard.buckets();
        assert!(!orders.take(61, start) && orders.take(60, start) && !orders.take(1, start));
    }
}
