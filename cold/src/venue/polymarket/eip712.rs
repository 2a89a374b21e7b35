//! EIP-712: the digest an order is known by, its signature, and who made a signature.
//!
//! One struct for both living exchange generations; only the domain differs. Generation 1 is dead since
//! 2026-04-28 and not here. Source: venue reference, `polymarket.md` §3.2 to §3.5, compiled 2026-11-20; its
//! vectors are in `tests/golden`.

use std::sync::LazyLock;

use secp256k1::ecdsa::{RecoverableSignature, RecoveryId};
use secp256k1::{All, Message, PublicKey, Secp256k1, SecretKey};
use sha3::{Digest, Keccak256};
use surefoot_hot::ids::Action;

use crate::text::{nibble, parse_hex};

/// The curve's tables, blinded once from the system's random source: the library is constant-time without it, and
/// blinding anew for each signature would double its cost.
static CURVE: LazyLock<Secp256k1<All>> = LazyLock::new(|| {
    let mut curve = Secp256k1::new();
    let mut seed = [0; 32];
    if aws_lc_rs::rand::fill(&mut seed).is_ok() {
        curve.seeded_randomize(&seed);
    }
    curve
});

/// A 32-byte word.
pub type Word = [u8; 32];

/// The signed struct's type, whose text also ends a type-3 signature.
pub const ORDER_TYPE: &[u8; 186] = b"Order(uint256 salt,address maker,address signer,uint256 tokenId,\
uint256 makerAmount,uint256 takerAmount,uint8 side,uint8 signatureType,uint256 timestamp,bytes32 metadata,\
bytes32 builder)";

/// `keccak256(ORDER_TYPE)`.
const ORDER_TYPEHASH: Word =
    word("bb86318a2138f5fa8ae32fbe8e659f8fcf13cc6ae4014a707893055433818589");
/// Of `EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)`.
const DOMAIN_TYPEHASH: Word =
    word("8b73c3c69bb8fe3d512ecc4cf759cc79239f7b179b0ffacaa9a75d522b39400f");
/// Of `TypedDataSign(…)` followed by [`ORDER_TYPE`]: ERC-7739's wrapper.
const WRAP_TYPEHASH: Word =
    word("6ba028565cb324c2aa02bb714b9816d0bddd557a2f33bb36cf13272a4256bd42");
/// `keccak256("DepositWallet")`.
const WALLET_NAME: Word = word("d682b529a17cda19aa275f3a050608f9e9401fadd1b0d233d81519972295828b");
/// `keccak256("1")`.
const WALLET_VERSION: Word =
    word("c89efdaa54c0f20c7adf612882df0950f5a951637e0307cdcb4c672f298b8bc6");
/// Of `ClobAuth(address address,string timestamp,uint256 nonce,string message)`.
const AUTH_TYPEHASH: Word =
    word("52578c5c725a28a84fedc8c22aa47947822942f35b4dc350db028e45320e035c");

/// Bytes of a plain signature: r, s, v.
pub const SIGNATURE_BYTES: usize = 65;
/// Bytes of a wrapped one: r, s, v, domain separator, struct hash, [`ORDER_TYPE`], its length.
pub const WRAPPED_BYTES: usize = SIGNATURE_BYTES + 32 + 32 + ORDER_TYPE.len() + 2;

/// An Ethereum address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address([u8; 20]);

impl Address {
    /// An address of these 20 bytes.
    pub const fn new(bytes: [u8; 20]) -> Self {
        Self(bytes)
    }

    /// From 40 hex digits with or without `0x`; upper and lower case are not checked against each other.
    pub fn parse(text: &str) -> Option<Self> {
        parse_hex(text).map(Self)
    }

    /// The 20 bytes of the address.
    pub const fn bytes(&self) -> &[u8; 20] {
        &self.0
    }

    /// `0x` and 40 digits in mixed case, as EIP-55 wants it and the venue's SDK sends it.
    pub fn text(&self) -> String {
        let mut digits = [0; 40];
        for (pair, byte) in digits.chunks_exact_mut(2).zip(self.0) {
            pair.copy_from_slice(&[nibble(byte >> 4), nibble(byte & 15)]);
        }
        let hash = keccak(&[&digits]);
        for (place, digit) in digits.iter_mut().enumerate() {
            let half = hash[place / 2] >> if place % 2 == 0 { 4 } else { 0 };
            if half & 8 != 0 {
                digit.make_ascii_uppercase();
            }
        }
        format!("0x{}", std::str::from_utf8(&digits).expect("hex is ASCII"))
    }

    /// The address that a key owns.
    pub fn of(key: &SecretKey) -> Self {
        Self::of_public(&key.public_key(&CURVE))
    }

    fn of_public(key: &PublicKey) -> Self {
        let hash = keccak(&[&key.serialize_uncompressed()[1..]]);
        Self(hash[12..].try_into().expect("the last twenty"))
    }
}

/// A chain the venue runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chain {
    /// Polygon, 137: real money.
    Polygon,
    /// Amoy, 80002: the test chain.
    Amoy,
}

impl Chain {
    /// `None` for a chain the venue is not on.
    pub const fn from_id(id: u64) -> Option<Self> {
        match id {
            137 => Some(Self::Polygon),
            80_002 => Some(Self::Amoy),
            _ => None,
        }
    }

    /// The chain id that EIP-712 domains name.
    pub const fn id(self) -> u64 {
        match self {
            Self::Polygon => 137,
            Self::Amoy => 80_002,
        }
    }
}

/// The contract an order is signed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exchange {
    /// CTF Exchange, generation 2.
    Ctf,
    /// NegRisk CTF Exchange, generation 2.
    NegRisk,
    /// ExchangeV3, generation 3.
    V3,
}

impl Exchange {
    /// Every exchange contract that orders can be signed for.
    pub const ALL: [Self; 3] = [Self::Ctf, Self::NegRisk, Self::V3];

    /// The address of the contract on this chain.
    pub const fn contract(self, chain: Chain) -> Address {
        Address(match (self, chain) {
            (Self::Ctf, _) => hex("E111180000d2663C0091e4f400237545B87B996B"),
            (Self::NegRisk, _) => hex("e2222d279d744050d28e00520010520000310F59"),
            (Self::V3, Chain::Polygon) => hex("e3333700cA9d93003F00f0F71f8515005F6c00Aa"),
            (Self::V3, Chain::Amoy) => hex("9fE6e61422AdB6F610d8597F9684b16912D50C3D"),
        })
    }

    /// The `version` of the contract's EIP-712 domain.
    pub const fn version(self) -> &'static str {
        match self {
            Self::Ctf | Self::NegRisk => "2",
            Self::V3 => "3",
        }
    }

    /// The domain separator, computed ahead; a test computes it again.
    pub const fn domain(self, chain: Chain) -> Word {
        word(match (self, chain) {
            (Self::Ctf, Chain::Polygon) => {
                "3264e159346253e26a64e00b69032db0e7d32f94628de3e6eecb50304d7af3d2"
            }
            (Self::NegRisk, Chain::Polygon) => {
                "9b858f53327b0bd13af8ec14cfb35234fb9eb7b0504d1a4e61f433840d30e81a"
            }
            (Self::V3, Chain::Polygon) => {
                "466c63910185bbd55e8679264200c4e0abdcbb0c6264eb3d41d13326022e095b"
            }
            (Self::Ctf, Chain::Amoy) => {
                "a440cbd865bc0c6243d7a8df9a8bf48a8827b0a4abbb61c30e96d305423af148"
            }
            (Self::NegRisk, Chain::Amoy) => {
                "1468e39841f0a0e05d3762b235cb7acecabf8cd7b6d3a672965a5d415bf9378e"
            }
            (Self::V3, Chain::Amoy) => {
                "df8b5fd204134b8d562677d7fc9346884e8f02ef2fd43358239393723e8833e6"
            }
        })
    }
}

/// Whose funds an order uses and how its signature is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum SignatureType {
    /// The signing key's own account.
    Eoa = 0,
    /// A proxy wallet of an e-mail or social log-in.
    Proxy = 1,
    /// A 1-of-1 Safe.
    Safe = 2,
    /// A deposit wallet, with ERC-7739 wrapping: what accounts made since 2026-05-04 must use.
    Deposit = 3,
}

impl SignatureType {
    /// The type with this number; `None` beyond 3.
    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            0 => Some(Self::Eoa),
            1 => Some(Self::Proxy),
            2 => Some(Self::Safe),
            3 => Some(Self::Deposit),
            _ => None,
        }
    }
}

/// The fields an order's digest covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderFields {
    /// Makes it unique; at most 2^53 − 1, for it travels as a JSON number.
    pub salt: u64,
    /// The address whose funds trade.
    pub maker: Address,
    /// Whose signature: the key's account, or for [`SignatureType::Deposit`] the maker again.
    pub signer: Address,
    /// The token id of the outcome, big-endian.
    pub token: Word,
    /// What is given, in millionths.
    pub maker_amount: u64,
    /// What is wanted, in millionths.
    pub taker_amount: u64,
    pub side: Action,
    /// How to check the signature.
    pub kind: SignatureType,
    /// When the order was made, in Unix milliseconds.
    pub timestamp: u64,
    /// Reserved by the venue; always zero.
    pub metadata: Word,
    /// Builder code, or zero.
    pub builder: Word,
}

impl OrderFields {
    /// Hash of the struct: three Keccak blocks.
    pub fn struct_hash(&self) -> Word {
        let mut words = [[0; 32]; 12];
        words[0] = ORDER_TYPEHASH;
        words[1] = number(self.salt);
        words[2] = address(&self.maker);
        words[3] = address(&self.signer);
        words[4] = self.token;
        words[5] = number(self.maker_amount);
        words[6] = number(self.taker_amount);
        words[7] = number(self.side as u64);
        words[8] = number(self.kind as u64);
        words[9] = number(self.timestamp);
        words[10] = self.metadata;
        words[11] = self.builder;
        keccak(&[words.as_flattened()])
    }

    /// The order's id: what the venue calls it too, whatever the signature type.
    pub fn digest(&self, exchange: Exchange, chain: Chain) -> Word {
        typed(&exchange.domain(chain), &self.struct_hash())
    }

    /// What the key signs: the digest, except that a deposit wallet signs it wrapped.
    fn signing_digest(&self, domain: &Word, struct_hash: &Word, chain: Chain) -> Word {
        match self.kind {
            SignatureType::Eoa | SignatureType::Proxy | SignatureType::Safe => {
                typed(domain, struct_hash)
            }
            SignatureType::Deposit => {
                let wrap = keccak(&[
                    &WRAP_TYPEHASH,
                    struct_hash,
                    &WALLET_NAME,
                    &WALLET_VERSION,
                    &number(chain.id()),
                    &address(&self.maker),
                    &[0; 32],
                ]);
                typed(domain, &wrap)
            }
        }
    }

    /// Signs. Returns the order's id and its signature.
    pub fn sign(&self, exchange: Exchange, chain: Chain, key: &SecretKey) -> (Word, Signature) {
        let (domain, struct_hash) = (exchange.domain(chain), self.struct_hash());
        let plain = sign(&self.signing_digest(&domain, &struct_hash, chain), key);
        let mut signature = Signature { bytes: [0; WRAPPED_BYTES], len: SIGNATURE_BYTES as u16 };
        signature.bytes[..SIGNATURE_BYTES].copy_from_slice(&plain);
        if self.kind == SignatureType::Deposit {
            signature.bytes[SIGNATURE_BYTES..].copy_from_slice(&wrapping(&domain, &struct_hash));
            signature.len = WRAPPED_BYTES as u16;
        }
        (typed(&domain, &struct_hash), signature)
    }

    /// Who signed it, by the key's own account. For types 0 and on this must be checked against `signer`
    /// (0), or against the owner of the wallet (1, 2, 3), which only the venue knows.
    ///
    /// # Errors
    /// See [`BadSignature`].
    pub fn recover(
        &self,
        exchange: Exchange,
        chain: Chain,
        signature: &[u8],
    ) -> Result<Address, BadSignature> {
        let (domain, struct_hash) = (exchange.domain(chain), self.struct_hash());
        let plain = match self.kind {
            SignatureType::Deposit => {
                let (plain, tail) =
                    signature.split_at_checked(SIGNATURE_BYTES).ok_or(BadSignature::Length)?;
                if tail.len() != WRAPPED_BYTES - SIGNATURE_BYTES {
                    return Err(BadSignature::Length);
                }
                if tail != wrapping(&domain, &struct_hash) {
                    return Err(BadSignature::Wrapping);
                }
                plain
            }
            _ => signature,
        };
        recover(&self.signing_digest(&domain, &struct_hash, chain), plain)
    }
}

/// A signature of either length.
#[derive(Clone, Copy)]
pub struct Signature {
    bytes: [u8; WRAPPED_BYTES],
    len: u16,
}

impl Signature {
    /// The signature as the venue takes it.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
}

impl std::fmt::Debug for Signature {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Signature({} bytes)", self.len)
    }
}

/// Why it cannot be found out who made a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadSignature {
    /// Not 65 bytes, or for a deposit wallet not 317.
    Length,
    /// `v` is neither 27 nor 28, or `s` is not the lower one.
    Form,
    /// The tail of a wrapped signature is of another order or domain.
    Wrapping,
    /// No key makes such a signature.
    Nobody,
}

/// The digest of an API-key request (L1): `ClobAuth`, domain version "1" in every generation.
pub fn auth_digest(account: &Address, timestamp: &str, nonce: u64, chain: Chain) -> Word {
    let domain = keccak(&[
        &keccak(&[b"EIP712Domain(string name,string version,uint256 chainId)"]),
        &keccak(&[b"ClobAuthDomain"]),
        &keccak(&[b"1"]),
        &number(chain.id()),
    ]);
    let request = keccak(&[
        &AUTH_TYPEHASH,
        &address(account),
        &keccak(&[timestamp.as_bytes()]),
        &number(nonce),
        &keccak(&[b"This message attests that I control the given wallet"]),
    ]);
    typed(&domain, &request)
}

/// Signs a digest: r, s (the lower one), v as 27 or 28. The same every time (RFC 6979).
pub fn sign(digest: &Word, key: &SecretKey) -> [u8; SIGNATURE_BYTES] {
    let signature = CURVE.sign_ecdsa_recoverable(Message::from_digest(*digest), key);
    let (recovery, compact) = signature.serialize_compact();
    let mut bytes = [0; SIGNATURE_BYTES];
    bytes[..64].copy_from_slice(&compact);
    bytes[64] = 27 + u8::try_from(i32::from(recovery)).expect("0 to 3");
    bytes
}

/// Whose key made this signature of this digest.
///
/// # Errors
/// See [`BadSignature`].
pub fn recover(digest: &Word, signature: &[u8]) -> Result<Address, BadSignature> {
    let (compact, v) = signature.split_at_checked(64).ok_or(BadSignature::Length)?;
    let &[v] = v else { return Err(BadSignature::Length) };
    let id = v.checked_sub(27).filter(|&id| id < 2).ok_or(BadSignature::Form)?;
    let id = RecoveryId::try_from(i32::from(id)).map_err(|_| BadSignature::Form)?;
    let signature =
        RecoverableSignature::from_compact(compact, id).map_err(|_| BadSignature::Nobody)?;
    let standard = signature.to_standard();
    let mut low = standard;
    low.normalize_s();
    if low != standard {
        return Err(BadSignature::Form);
    }
    let key = CURVE
        .recover_ecdsa(Message::from_digest(*digest), &signature)
        .map_err(|_| BadSignature::Nobody)?;
    Ok(Address::of_public(&key))
}

/// Keccak-256 over the parts, one after the other.
pub fn keccak(parts: &[&[u8]]) -> Word {
    let mut hasher = Keccak256::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().into()
}

/// The domain separator from its parts.
pub fn domain_separator(name: &str, version: &str, chain: u64, contract: &Address) -> Word {
    keccak(&[
        &DOMAIN_TYPEHASH,
        &keccak(&[name.as_bytes()]),
        &keccak(&[version.as_bytes()]),
        &number(chain),
        &address(contract),
    ])
}

fn typed(domain: &Word, struct_hash: &Word) -> Word {
    keccak(&[&[0x19, 0x01], domain, struct_hash])
}

fn wrapping(domain: &Word, struct_hash: &Word) -> [u8; WRAPPED_BYTES - SIGNATURE_BYTES] {
    let mut tail = [0; WRAPPED_BYTES - SIGNATURE_BYTES];
    tail[..32].copy_from_slice(domain);
    tail[32..64].copy_from_slice(struct_hash);
    tail[64..250].copy_from_slice(ORDER_TYPE);
    tail[250..].copy_from_slice(&(ORDER_TYPE.len() as u16).to_be_bytes());
    tail
}

fn number(value: u64) -> Word {
    let mut word = [0; 32];
    word[24..].copy_from_slice(&value.to_be_bytes());
    word
}

fn address(address: &Address) -> Word {
    let mut word = [0; 32];
    word[12..].copy_from_slice(&address.0);
    word
}

const fn word(text: &str) -> Word {
    hex(text)
}

const fn hex<const N: usize>(text: &str) -> [u8; N] {
    const fn digit(byte: u8) -> u8 {
        match byte {
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'f' => byte - b'a' + 10,
            b'A'..=b'F' => byte - b'A' + 10,
            _ => panic!("not a hex digit"),
        }
    }
    let text = text.as_bytes();
    assert!(text.len() == 2 * N, "two digits a byte");
    let mut bytes = [0; N];
    let mut place = 0;
    while place < N {
        bytes[place] = digit(text[2 * place]) << 4 | digit(text[2 * place + 1]);
        place += 1;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_constants_are_what_they_claim() {
        for chain in [Chain::Polygon, Chain::Amoy] {
            for exchange in Exchange::ALL {
                let domain = domain_separator(
                    "Polymarket CTF Exchange",
                    exchange.version(),
                    chain.id(),
                    &exchange.contract(chain),
                );
                assert_eq!(domain, exchange.domain(chain), "{exchange:?} {chain:?}");
            }
        }
        assert_eq!(keccak(&[ORDER_TYPE]), ORDER_TYPEHASH);
        assert_eq!(keccak(&[b"DepositWallet"]), WALLET_NAME);
        assert_eq!(keccak(&[b"1"]), WALLET_VERSION);
        let wrap = b"TypedDataSign(Order contents,string name,string version,uint256 chainId,\
address verifyingContract,bytes32 salt)";
        assert_eq!(keccak(&[wrap, ORDER_TYPE]), WRAP_TYPEHASH);
        let auth = b"ClobAuth(address address,string timestamp,uint256 nonce,string message)";
        assert_eq!(keccak(&[auth]), AUTH_TYPEHASH);
        let domain =
            b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)";
        assert_eq!(keccak(&[domain]), DOMAIN_TYPEHASH);
    }

    fn key() -> SecretKey {
        let bytes =
            parse_hex("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80").unwrap();
        SecretKey::from_byte_array(bytes).unwrap()
    }

    fn order(kind: SignatureType) -> OrderFields {
        let owner = Address::of(&key());
        OrderFields {
            salt: 123_456_789,
            maker: owner,
            signer: owner,
            token: crate::text::parse_u256(
                "71321045679252212594626385532706912750332728571942532289631379312455583992563",
            )
            .unwrap(),
            maker_amount: 100_000_000,
            taker_amount: 50_000_000,
            side: Action::Buy,
            kind,
            timestamp: 1_713_398_400_000,
            metadata: [0; 32],
            builder: [0; 32],
        }
    }

    #[test]
    fn published_vector_a() {
        let order = order(SignatureType::Eoa);
        assert_eq!(order.maker.text(), "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266");
        let (id, signature) = order.sign(Exchange::Ctf, Chain::Polygon, &key());
        assert_eq!(id, word("32961c48ddac87ed3582f8e02097cd0eff4fcf80460306bd44b3710438dfa64c"));
        let expected: [u8; 65] =
            hex("89f178136333c8ebb32a19146cb891233e3202d474be6ef730c24dbc06ae4d2a\
0c99948a86d9b57de0f2c0bb8ec6964aa244ecf17cfa3a95b86878d0b64ad78a1b");
        assert_eq!(signature.as_bytes(), expected);
    }

    #[test]
    fn whoever_signed_is_found_and_a_changed_order_names_another() {
        let owner = Address::of(&key());
        for kind in [0, 1, 2, 3].map(|n| SignatureType::from_number(n).unwrap()) {
            for exchange in Exchange::ALL {
                let order = order(kind);
                let (_, signature) = order.sign(exchange, Chain::Amoy, &key());
                let bytes = signature.as_bytes();
                assert_eq!(order.recover(exchange, Chain::Amoy, bytes), Ok(owner));
                let other = OrderFields { taker_amount: 50_000_001, ..order };
                assert_ne!(other.recover(exchange, Chain::Amoy, bytes), Ok(owner));
                assert_ne!(order.recover(exchange, Chain::Polygon, bytes), Ok(owner));
                let short = &bytes[..bytes.len() - 1];
                assert_eq!(order.recover(exchange, Chain::Amoy, short), Err(BadSignature::Length));
            }
        }
    }

    #[test]
    fn a_high_s_or_strange_v_is_refused() {
        let digest = [7; 32];
        let good = sign(&digest, &key());
        let mut strange = good;
        strange[64] = 29;
        assert_eq!(recover(&digest, &strange), Err(BadSignature::Form));
        let mut zero = good;
        zero[..64].fill(0);
        assert!(recover(&digest, &zero).is_err());
        // s' = n − s is the other valid s; venues and we accept only the lower.
        let n: [u8; 32] = hex("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141");
        let mut high = good;
        let mut borrow = 0_i16;
        for place in (0..32).rev() {
            let diff = i16::from(n[place]) - i16::from(good[32 + place]) - borrow;
            borrow = i16::from(diff < 0);
            high[32 + place] = u8::try_from(diff.rem_euclid(256)).unwrap();
        }
        high[64] = if good[64] == 27 { 28 } else { 27 };
        assert_eq!(recover(&digest, &high), Err(BadSignature::Form));
    }
}
