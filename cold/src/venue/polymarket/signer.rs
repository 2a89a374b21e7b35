//! One account's key: orders signed, requests authenticated.
//!
//! An order is a function of the core's order and the key: its stamp is the decision's time and its salt comes
//! from our order id, so signing it again, after a crash too, gives the same bytes and the same id.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, URL_SAFE};
use secp256k1::SecretKey;
use surefoot_hot::amounts::{AmountError, amounts};
use surefoot_hot::ids::{Action, OrderId, Outcome, VenueKey};
use surefoot_hot::order::{Expiry, Order, Tif};
use zeroize::Zeroize as _;

use super::eip712::{self, Address, Chain, Exchange, OrderFields, Signature, SignatureType, Word};
use crate::directory::{Generation, PolymarketNames};
use crate::secrets::Secret;
use crate::text::{Digits, parse_hex, parse_u256};

/// The largest salt: it travels as a JSON number.
pub const SALT_MAX: u64 = (1 << 53) - 1;
/// Digits of the largest token id.
pub const TOKEN_BYTES_MAX: usize = 78;

/// The API key that requests are authenticated with (L2).
#[derive(Clone, Debug)]
pub struct Credentials {
    /// The key's UUID: an order's `owner`.
    pub api_key: String,
    /// Base64, of either alphabet, padded or not.
    pub secret: Secret,
    pub passphrase: Secret,
}

/// Why there is no signer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignerError {
    /// The private key is not 32 bytes of hex, or not a key.
    Key,
    /// The API secret is not base64.
    Secret,
    /// A proxy, Safe or deposit wallet trades with funds of another address, which must be given.
    Funder,
}

impl std::fmt::Display for SignerError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Key => "the private key is not 64 hex digits of a secp256k1 key",
            Self::Secret => "the API secret is not base64",
            Self::Funder => "signature types 1 to 3 need the funder's address",
        })
    }
}

impl std::error::Error for SignerError {}

/// Why an order was not signed: our mistake, and nothing left the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderError {
    /// The token id in the directory is not a decimal 256-bit number.
    Token,
    /// Price and quantity do not fit the venue's amount rules.
    Amounts(AmountError),
    /// Post-only and immediate exclude each other.
    Flags,
}

/// Signs for one account.
pub struct Signer {
    key: SecretKey,
    address: Address,
    address_text: String,
    kind: SignatureType,
    maker: Address,
    maker_text: String,
    chain: Chain,
    login: Option<Login>,
}

/// What L2 headers need, ready to use.
struct Login {
    api_key: String,
    passphrase: Secret,
    key: hmac::Key,
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Signer({}, {:?}, {:?}, ***)", self.address_text, self.kind, self.chain)
    }
}

impl Drop for Signer {
    fn drop(&mut self) {
        self.key.non_secure_erase();
    }
}

impl Signer {
    /// A signer for `key` (hex). `funder` is whose money trades; for an EOA it is the key's own account.
    ///
    /// # Errors
    /// See [`SignerError`].
    pub fn new(
        key: &Secret,
        kind: SignatureType,
        funder: Option<Address>,
        chain: Chain,
        credentials: Option<&Credentials>,
    ) -> Result<Self, SignerError> {
        let mut bytes = parse_hex::<32>(key.expose()).ok_or(SignerError::Key)?;
        let parsed = SecretKey::from_byte_array(bytes);
        bytes.zeroize();
        let key = parsed.map_err(|_| SignerError::Key)?;
        let address = Address::of(&key);
        let maker = match (kind, funder) {
            (SignatureType::Eoa, _) => address,
            (_, Some(funder)) => funder,
            (_, None) => return Err(SignerError::Funder),
        };
        let login = credentials.map(Login::new).transpose()?;
        Ok(Self {
            key,
            address,
            address_text: address.text(),
            kind,
            maker,
            maker_text: maker.text(),
            chain,
            login,
        })
    }

    /// The key's own account: what the API key is bound to.
    pub const fn address(&self) -> Address {
        self.address
    }

    /// The address whose funds trade.
    pub const fn maker(&self) -> Address {
        self.maker
    }

    /// The same as text, as orders carry it.
    pub fn maker_text(&self) -> &str {
        &self.maker_text
    }

    /// An order's `signer` as text: the maker for a deposit wallet, else the key's account.
    pub fn signer_text(&self) -> &str {
        if self.kind == SignatureType::Deposit { &self.maker_text } else { &self.address_text }
    }

    /// How the venue checks its signatures.
    pub const fn kind(&self) -> SignatureType {
        self.kind
    }

    /// The chain it signs for.
    pub const fn chain(&self) -> Chain {
        self.chain
    }

    /// The API key's UUID, an order's `owner`; empty without credentials.
    pub fn owner(&self) -> &str {
        self.login.as_ref().map_or("", |login| &login.api_key)
    }

    /// Signs the core's order.
    ///
    /// # Errors
    /// See [`OrderError`].
    pub fn order(&self, names: &PolymarketNames, order: &Order) -> Result<SignedOrder, OrderError> {
        let order_type = match order.tif {
            Tif::Gtc => OrderType::Gtc,
            Tif::Gtd => OrderType::Gtd,
            Tif::Ioc => OrderType::Fak,
            Tif::Fok => OrderType::Fok,
        };
        if !order.has_fitting_expiry() {
            return Err(OrderError::Flags);
        }
        let amounts = amounts(order.price, order.action, order.tif, order.qty)
            .map_err(OrderError::Amounts)?;
        self.sign(&Terms {
            exchange: exchange(names),
            token: match order.outcome {
                Outcome::Yes => &names.yes_token,
                Outcome::No => &names.no_token,
            },
            side: order.action,
            maker_amount: amounts.maker,
            taker_amount: amounts.taker,
            salt: salt(order.id),
            timestamp: order.decided.millis(),
            expiration: order.expires.map_or(0, stated_expiry),
            order_type,
            post_only: order.post_only,
            metadata: [0; 32],
            builder: [0; 32],
        })
    }

    /// Signs an order from its parts.
    ///
    /// # Errors
    /// See [`OrderError`].
    pub fn sign(&self, terms: &Terms<'_>) -> Result<SignedOrder, OrderError> {
        if terms.post_only && matches!(terms.order_type, OrderType::Fok | OrderType::Fak) {
            return Err(OrderError::Flags);
        }
        let token = parse_u256(terms.token).ok_or(OrderError::Token)?;
        let fields = OrderFields {
            salt: terms.salt,
            maker: self.maker,
            signer: if self.kind == SignatureType::Deposit { self.maker } else { self.address },
            token,
            maker_amount: terms.maker_amount,
            taker_amount: terms.taker_amount,
            side: terms.side,
            kind: self.kind,
            timestamp: terms.timestamp,
            metadata: terms.metadata,
            builder: terms.builder,
        };
        let (id, signature) = fields.sign(terms.exchange, self.chain, &self.key);
        let mut digits = [0; TOKEN_BYTES_MAX];
        digits[..terms.token.len()].copy_from_slice(terms.token.as_bytes());
        Ok(SignedOrder {
            id,
            fields,
            signature,
            token: digits,
            token_len: u8::try_from(terms.token.len()).expect("parsed above"),
            expiration: terms.expiration,
            order_type: terms.order_type,
            post_only: terms.post_only,
        })
    }

    /// Headers for making or deriving an API key (L1): address, signature as `0x` hex, timestamp, nonce. The program makes
    /// no keys; the vectors use it, and the tests of the twin's `/auth` calls.
    pub fn l1_headers(&self, timestamp_secs: u64, nonce: u64) -> [(&'static str, String); 4] {
        let timestamp = timestamp_secs.to_string();
        let digest = eip712::auth_digest(&self.address, &timestamp, nonce, self.chain);
        let mut signature = b"0x".to_vec();
        crate::text::push_hex(&mut signature, &eip712::sign(&digest, &self.key));
        [
            ("POLY_ADDRESS", self.address_text.clone()),
            ("POLY_SIGNATURE", String::from_utf8(signature).expect("hex is ASCII")),
            ("POLY_TIMESTAMP", timestamp),
            ("POLY_NONCE", nonce.to_string()),
        ]
    }

    /// Headers of one request (L2). `path` without the query; `body` the very bytes sent, empty for none.
    ///
    /// # Panics
    /// Without credentials: a signer that only makes keys sends no such request.
    pub fn l2_headers(
        &self,
        timestamp_secs: u64,
        method: &str,
        path: &str,
        body: &[u8],
    ) -> L2Headers<'_> {
        let login = self.login.as_ref().expect("an account that trades has credentials");
        login.headers(&self.address_text, timestamp_secs, method, path, body)
    }
}

/// Says whose account it is that asks or cancels, without the account's key: it can sign no order.
pub struct KeylessLogin {
    address: String,
    login: Login,
}

impl KeylessLogin {
    /// Of the account that the API key is bound to, and that key's credentials.
    ///
    /// # Errors
    /// The API secret is not base64.
    pub fn new(address: Address, credentials: &Credentials) -> Result<Self, SignerError> {
        Ok(Self { address: address.text(), login: Login::new(credentials)? })
    }

    /// Headers of one request (L2), as those of [`Signer::l2_headers`].
    pub fn l2_headers(
        &self,
        timestamp_secs: u64,
        method: &str,
        path: &str,
        body: &[u8],
    ) -> L2Headers<'_> {
        self.login.headers(&self.address, timestamp_secs, method, path, body)
    }
}

/// How long before the time that an order states the venue takes it off the book (`polymarket.md` §3.8, 2026-11-20).
const REMOVED_BEFORE_SECS: u64 = 60;

/// The time that an order must state to rest until `expires`.
fn stated_expiry(expires: Expiry) -> u64 {
    expires.secs() + REMOVED_BEFORE_SECS
}

impl Login {
    fn new(credentials: &Credentials) -> Result<Self, SignerError> {
        let mut secret = decode_secret(credentials.secret.expose()).ok_or(SignerError::Secret)?;
        let key = hmac::Key::new(hmac::HMAC_SHA256, &secret);
        secret.zeroize();
        Ok(Self {
            api_key: credentials.api_key.clone(),
            passphrase: credentials.passphrase.clone(),
            key,
        })
    }

    fn headers<'a>(
        &'a self,
        address: &'a str,
        timestamp_secs: u64,
        method: &str,
        path: &str,
        body: &[u8],
    ) -> L2Headers<'a> {
        let timestamp = Digits::new(timestamp_secs);
        L2Headers {
            address,
            signature: self.sign(timestamp.as_bytes(), method, path, body),
            timestamp,
            api_key: &self.api_key,
            passphrase: &self.passphrase,
        }
    }

    fn sign(&self, timestamp: &[u8], method: &str, path: &str, body: &[u8]) -> [u8; 44] {
        let mut context = hmac::Context::with_key(&self.key);
        for part in [timestamp, method.as_bytes(), path.as_bytes(), body] {
            context.update(part);
        }
        let mut text = [0; 44];
        URL_SAFE.encode_slice(context.sign(), &mut text).expect("32 bytes are 44 characters");
        text
    }
}

/// The HMAC signature of one request, for whoever checks requests. `None` where the secret is not base64.
pub fn l2_signature(
    secret: &str,
    timestamp: &str,
    method: &str,
    path: &str,
    body: &[u8],
) -> Option<String> {
    let credentials = Credentials {
        api_key: String::new(),
        secret: Secret::new(secret.to_owned()),
        passphrase: Secret::new(String::new()),
    };
    let login = Login::new(&credentials).ok()?;
    let text = login.sign(timestamp.as_bytes(), method, path, body);
    Some(String::from_utf8_lossy(&text).into_owned())
}

/// Base64 of either alphabet, padded or not.
fn decode_secret(text: &str) -> Option<Vec<u8>> {
    let lenient =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let mut standard = text.replace('-', "+").replace('_', "/");
    let bytes = GeneralPurpose::new(&alphabet::STANDARD, lenient).decode(&standard).ok();
    standard.zeroize();
    bytes
}

/// The five headers of an authenticated request.
pub struct L2Headers<'a> {
    address: &'a str,
    signature: [u8; 44],
    timestamp: Digits,
    api_key: &'a str,
    passphrase: &'a Secret,
}

impl L2Headers<'_> {
    /// Name and value of each.
    pub fn pairs(&self) -> [(&'static str, &str); 5] {
        [
            ("POLY_ADDRESS", self.address),
            ("POLY_SIGNATURE", std::str::from_utf8(&self.signature).expect("base64 is ASCII")),
            ("POLY_TIMESTAMP", self.timestamp.as_str()),
            ("POLY_API_KEY", self.api_key),
            ("POLY_PASSPHRASE", self.passphrase.expose()),
        ]
    }

    /// Appends them as HTTP/1.1 header lines.
    pub fn write(&self, out: &mut Vec<u8>) {
        for (name, value) in self.pairs() {
            for part in [name, ": ", value, "\r\n"] {
                out.extend_from_slice(part.as_bytes());
            }
        }
    }
}

/// The contract that a market's orders are signed for.
pub const fn exchange(names: &PolymarketNames) -> Exchange {
    match (names.generation, names.neg_risk) {
        (Generation::Three, _) => Exchange::V3,
        (Generation::Two, true) => Exchange::NegRisk,
        (Generation::Two, false) => Exchange::Ctf,
    }
}

/// A salt from our order id: another for every id below 2^53, and never guessed from its neighbour.
///
/// Each step undoes: a multiplication by an odd number and a shift-xor are bijections of 53 bits. Ids are never
/// reused, and were they, after losing all files, the stamp in milliseconds still tells two orders apart.
pub const fn salt(order: OrderId) -> u64 {
    let id = order.get();
    let mut mixed = (id ^ (id >> 53)) & SALT_MAX;
    mixed = mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15) & SALT_MAX;
    mixed ^= mixed >> 29;
    mixed = mixed.wrapping_mul(0xbf58_476d_1ce4_e5b9) & SALT_MAX;
    mixed ^ (mixed >> 31)
}

/// An order's parts, for whoever signs something the core did not decide: a test, a conformance check.
#[derive(Clone, Copy, Debug)]
pub struct Terms<'a> {
    /// The exchange contract that must execute the order.
    pub exchange: Exchange,
    /// The outcome's decimal id.
    pub token: &'a str,
    pub side: Action,
    /// What is given, in millionths.
    pub maker_amount: u64,
    /// What is wanted, in millionths.
    pub taker_amount: u64,
    /// At most [`SALT_MAX`].
    pub salt: u64,
    /// When the order was made, in Unix milliseconds.
    pub timestamp: u64,
    /// Unix seconds, or zero. Not signed.
    pub expiration: u64,
    /// How long it lives. Not signed.
    pub order_type: OrderType,
    /// Only by resting. Not signed.
    pub post_only: bool,
    /// Reserved: zero on every order of the core.
    pub metadata: Word,
    /// Builder code, or zero.
    pub builder: Word,
}

/// How long an order lives, in the venue's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderType {
    /// Good till cancelled.
    Gtc,
    /// Good till the order's expiration.
    Gtd,
    /// All now or nothing.
    Fok,
    /// What can be had now.
    Fak,
}

impl OrderType {
    /// The name that the venue has for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gtc => "GTC",
            Self::Gtd => "GTD",
            Self::Fok => "FOK",
            Self::Fak => "FAK",
        }
    }

    /// From the venue's word.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Gtc, Self::Gtd, Self::Fok, Self::Fak].into_iter().find(|kind| kind.name() == name)
    }
}

/// A signed order, ready to encode.
#[derive(Clone, Copy, Debug)]
pub struct SignedOrder {
    /// The EIP-712 digest, which is the venue's order id.
    pub id: Word,
    pub fields: OrderFields,
    pub signature: Signature,
    token: [u8; TOKEN_BYTES_MAX],
    token_len: u8,
    /// Unix seconds, or zero.
    pub expiration: u64,
    /// How long it lives.
    pub order_type: OrderType,
    /// Whether the venue must refuse the order rather than let it take.
    pub post_only: bool,
}

impl SignedOrder {
    /// The outcome's decimal id.
    pub fn token(&self) -> &[u8] {
        &self.token[..usize::from(self.token_len)]
    }

    /// The name the core knows the venue's order by.
    pub fn key(&self) -> VenueKey {
        surefoot_hot::venue::venue_key(&self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn salts_are_small_and_differ() {
        let mut salts: Vec<u64> = (0..100_000).map(|n| salt(OrderId::new(n))).collect();
        assert!(salts.iter().all(|&salt| salt <= SALT_MAX));
        salts.sort_unstable();
        salts.dedup();
        assert_eq!(salts.len(), 100_000);
    }

    #[test]
    fn published_hmac_vectors() {
        let secret = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
        let rows = [
            (
                "1000000",
                "test-sign",
                "/orders",
                "{\"hash\": \"0x123\"}",
                "ZwAdJKvoYRlEKDkNMwd5BuwNNtg93kNaR_oU2HrfVvc=",
            ),
            (
                "1700000000",
                "GET",
                "/data/orders",
                "",
                "m6lGS9WyES7JjpAYNd7zIdW5bfHxAAI_pIa1St9vLO4=",
            ),
            (
                "1700000000",
                "DELETE",
                "/order",
                "{\"orderID\":\"0xabc\"}",
                "ebd_Mp184tE7Z6KPR1h4np8gSxcgEPZ7MeKtDjVwf2g=",
            ),
            (
                "1700000000",
                "POST",
                "/v1/heartbeats",
                "{\"heartbeat_id\":\"\"}",
                "-PUdMuGD63fwGrjfWWDTMme64hsoU-TNjWB7GroYNmo=",
            ),
        ];
        for (timestamp, method, path, body, expected) in rows {
            let signature = l2_signature(secret, timestamp, method, path, body.as_bytes());
            assert_eq!(signature.as_deref(), Some(expected));
        }
        assert_eq!(l2_signature("not base64!", "1", "GET", "/", b""), None);
    }

    #[test]
    fn nothing_secret_is_printed() {
        let key = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
        let signer =
            Signer::new(&Secret::new(key.into()), SignatureType::Eoa, None, Chain::Amoy, None);
        assert!(!format!("{signer:?}").to_lowercase().contains(key));
        let missing =
            Signer::new(&Secret::new(key.into()), SignatureType::Safe, None, Chain::Amoy, None);
        assert_eq!(missing.err(), Some(SignerError::Funder));
    }
}
