//! The wallets of an owner: addresses that the venue's factories give by CREATE2, so that anybody can compute them.
//!
//! The venue's own clients do, and take a wallet for somebody else's where it differs. Sources: `venues/polymarket.md`
//! §3.5 and §9.4, and the venue's Python SDK 0.14.0, whose answers the test holds.

use surefoot_cold::text::parse_hex;
use surefoot_cold::venue::polymarket::eip712::{Address, SignatureType, Word, keccak};

const PROXY_FACTORY: &str = "aB45c5A4B0c941a2F231C04C3f49182e1A254052";
const PROXY_IMPLEMENTATION: &str = "44e999d5c2F66Ef0861317f9A4805AC2e90aEB4f";
const SAFE_FACTORY: &str = "aacFeEa03eb1561C4e67d661e40682Bd20E3541b";
const SAFE_CODE_HASH: &str = "2bce2127ff07fb632d16c8347c4ebf501f4841168bed00d9e6ef715ddb6fcecf";
const DEPOSIT_FACTORY: &str = "00000000000Fb5C9ADea0298D729A0CB3823Cc07";
/// What deposit wallets ask for their code since 2026-06-29.
const DEPOSIT_BEACON: &str = "7A18EDfe055488A3128f01F563e5B479D92ffc3a";

/// The wallet that trades for an owner's key.
pub fn wallet(owner: &Address, kind: SignatureType) -> Address {
    match kind {
        SignatureType::Eoa => *owner,
        SignatureType::Proxy => proxy(owner),
        SignatureType::Safe => {
            create2(SAFE_FACTORY, &keccak(&[&word(owner)]), &hex(SAFE_CODE_HASH))
        }
        SignatureType::Deposit => deposit(owner),
    }
}

/// A minimal proxy whose constructor calls `cloneConstructor` with an empty argument.
fn proxy(owner: &Address) -> Address {
    let code = [
        &hex::<13>("3d3d606380380380913d393d73")[..],
        &hex::<20>(PROXY_FACTORY),
        &hex::<31>("5af4602a57600080fd5b602d8060366000396000f3363d3d373d3d3d363d73"),
        &hex::<20>(PROXY_IMPLEMENTATION),
        &hex::<19>("5af43d82803e903d91602b57fd5bf352e831dd"),
        &number(0x20),
        &number(0),
    ];
    create2(PROXY_FACTORY, &keccak(&[owner.bytes()]), &keccak(&code))
}

/// An ERC-1967 beacon proxy with the factory and the owner as its immutable arguments.
fn deposit(owner: &Address) -> Address {
    let factory = Address::new(hex(DEPOSIT_FACTORY));
    let (first, second) = (word(&factory), word(owner));
    let code = [
        // The third byte is the length of the code that stays: 0x52, and 64 bytes of arguments.
        &hex::<10>("6100923d8160233d3973")[..],
        &hex::<20>(DEPOSIT_BEACON),
        &hex::<23>("60195155f3363d3d373d3d363d602036600436635c60da"),
        &hex::<32>("1b60e01b36527fa3f0ad74e5423aebfd80d3ef4346578335a9a72aeaee59ff6c"),
        &hex::<32>("b3582b35133d50545afa5036515af43d6000803e604d573d6000fd5b3d6000f3"),
        &first,
        &second,
    ];
    create2(DEPOSIT_FACTORY, &keccak(&[&first, &second]), &keccak(&code))
}

/// The address of a contract that a factory makes with a salt and a code (EIP-1014).
fn create2(factory: &str, salt: &Word, code_hash: &Word) -> Address {
    let hash = keccak(&[&[0xff], &hex::<20>(factory), salt, code_hash]);
    Address::new(hash[12..].try_into().expect("twenty of thirty-two"))
}

fn word(address: &Address) -> Word {
    let mut word = [0; 32];
    word[12..].copy_from_slice(address.bytes());
    word
}

fn number(number: u8) -> Word {
    let mut word = [0; 32];
    word[31] = number;
    word
}

fn hex<const N: usize>(digits: &str) -> [u8; N] {
    parse_hex(digits).expect("the constants are hex of their length")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `polymarket-client` 0.14.0 derives for the owners of the well-known test keys.
    #[test]
    fn wallets_are_the_ones_that_the_venues_client_derives() {
        let cases = [
            (
                "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266",
                [
                    "0x365f0CA36Ae1f641E02fE3B7743673da42A13A70",
                    "0xd93B25cb943D14d0d34FBaF01Fc93a0f8b5F6E47",
                    "0xBc0fF067b7740Eff76C1ca93c875Ba6B890d6B50",
                ],
            ),
            (
                "0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
                [
                    "0xd9d24e482c11F586cd9A1a53dC3eEc6dE3883862",
                    "0x8ac5D4Bd2752AFc9F5CA531f19D617647216B893",
                    "0x4Fe2CC4925607a473264FA89e7138075695A5F8e",
                ],
            ),
        ];
        let kinds = [SignatureType::Proxy, SignatureType::Safe, SignatureType::Deposit];
        for (owner, wallets) in cases {
            let owner = Address::parse(owner).unwrap();
            assert_eq!(kinds.map(|kind| wallet(&owner, kind).text()), wallets);
            assert_eq!(wallet(&owner, SignatureType::Eoa), owner);
        }
    }
}
