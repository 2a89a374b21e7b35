//! No key, API secret, passphrase or signature gets into a file of the state directory or into what the program says.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use serde_json::Value;
use surefoot::machine::venue::PolymarketAccount;
use surefoot_cold::directory::Names;
use surefoot_cold::journal::Reader;
use surefoot_cold::state_dir::StateDir;
use surefoot_hot::ids::Venue;
use surefoot_hot::intent::IntentRecord;
use surefoot_hot::journal::Body;

use crate::rig::{Scratch, Twin, say};
use crate::safety::names;

/// So many bytes of a secret are looked for at a time: that many are found nowhere by chance. A multiple of three, so that a
/// piece is the same in base64 whatever was encoded before it.
const PIECE_BYTES: usize = 24;
/// Pieces are looked up by their first bytes.
const HEAD_BYTES: usize = 8;
/// An Ed25519 signature in base64, the shortest one of the venues but Polymarket's HMAC.
const SIGNATURE_LETTERS: usize = 86;
/// The same in hex: what is shorter and of hex digits alone is a hash, or the terms of a market.
const SIGNATURE_DIGITS: usize = 128;
/// That HMAC, a SHA-256 digest, in base64 before its one `=`.
const HMAC_LETTERS: usize = 43;

/// What is looked for, each piece with the name of its secret, by its first bytes.
#[derive(Default)]
struct Secrets(HashMap<[u8; HEAD_BYTES], Vec<(Vec<u8>, String)>>);

impl Secrets {
    /// All that a run against this twin is given.
    fn of(twin: &Twin) -> Self {
        let mut secrets = Self::default();
        let venues: Value = serde_json::from_slice(&fs::read(&twin.venues).unwrap()).unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        for account in venues["polymarket"]["accounts"].as_array().unwrap() {
            let key = text(&account["private_key"]);
            let digits = key.trim_start_matches("0x").as_bytes().chunks(2);
            let key: Vec<u8> = digits
                .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
                .collect();
            assert_eq!(key.len(), 32);
            secrets.add_bytes("Polymarket's private key", &key);
            let secret = text(&account["secret"]);
            secrets.add_bytes("Polymarket's API secret", &URL_SAFE.decode(secret).unwrap());
            secrets.add("Polymarket's passphrase", text(&account["passphrase"]).into_bytes());
        }
        for account in venues["kalshi"]["accounts"].as_array().unwrap() {
            let pem = fs::read_to_string(text(&account["private_key_file"])).unwrap();
            let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
            let der = STANDARD.decode(body).unwrap();
            secrets.add_bytes("a private key of Kalshi's", &der);
            // An Ed25519 key is these alone, in whatever is around them.
            secrets.add_bytes("the end of a private key of Kalshi's", &der[der.len() - 32..]);
        }
        secrets
    }

    /// The signatures of the orders that were sent to Polymarket. They follow from the order and the key: one made again is
    /// the one that was sent. Returns how many there are.
    fn add_order_signatures(&mut self, twin: &Twin, state: &Path) -> u64 {
        let directory = names(&twin.access, state);
        let signer = &twin.access.accounts.of::<PolymarketAccount>().unwrap().signer;
        let mut reader = Reader::open(&StateDir::at(state).journal()).unwrap();
        let mut signed = 0;
        while let Some(record) = reader.next_record().unwrap() {
            let Body::Intent(IntentRecord::Place(order)) = record.body else { continue };
            if order.venue == Venue::Polymarket
                && let Some(entry) = directory.entry(order.market)
                && let Names::Polymarket(names) = &entry.names
            {
                let made = signer.order(names, &order).unwrap();
                self.add_bytes("an order's signature", made.signature.as_bytes());
                signed += 1;
            }
        }
        signed
    }

    /// The bytes as they are, in hex, in base64, and as a list of numbers.
    fn add_bytes(&mut self, name: &str, bytes: &[u8]) {
        for piece in bytes.chunks_exact(PIECE_BYTES) {
            let hex: String = piece.iter().map(|byte| format!("{byte:02x}")).collect();
            let list = format!("{piece:?}");
            self.add(name, piece.to_vec());
            self.add(name, hex.to_uppercase().into_bytes());
            self.add(name, hex.into_bytes());
            self.add(name, STANDARD.encode(piece).into_bytes());
            self.add(name, URL_SAFE.encode(piece).into_bytes());
            self.add(name, list.trim_matches(['[', ']']).as_bytes().to_vec());
        }
    }

    fn add(&mut self, name: &str, piece: Vec<u8>) {
        assert!(piece.len() >= PIECE_BYTES, "{name} is too short to be told from chance");
        let head = *piece.first_chunk().unwrap();
        self.0.entry(head).or_default().push((piece, name.to_owned()));
    }

    /// The name of a secret that is in there, if one is.
    fn found_in(&self, bytes: &[u8]) -> Option<&str> {
        (0..bytes.len()).find_map(|at| {
            let rest = &bytes[at..];
            let pieces = self.0.get(rest.first_chunk::<HEAD_BYTES>()?)?;
            let found = pieces.iter().find(|(piece, _)| rest.starts_with(piece))?;
            Some(found.1.as_str())
        })
    }
}

/// What could be a signature in base64 or hex, of whatever was signed. Paths are no signatures.
fn signature_like(text: &str) -> Option<&str> {
    let is_letter = |letter: char| letter.is_ascii_alphanumeric() || "+/-_".contains(letter);
    let mut rest = text;
    while let Some(from) = rest.find(is_letter) {
        rest = &rest[from..];
        let (run, behind) =
            rest.split_at(rest.find(|letter| !is_letter(letter)).unwrap_or(rest.len()));
        let is_hmac = run.len() == HMAC_LETTERS && behind.starts_with('=');
        let is_hex = run.bytes().all(|letter| letter.is_ascii_hexdigit());
        let letters = if is_hex { SIGNATURE_DIGITS } else { SIGNATURE_LETTERS };
        if is_hmac || (run.len() >= letters && !run.starts_with('/')) {
            return Some(run);
        }
        rest = behind;
    }
    None
}

/// Every file below, but what the twin wrote to be read by whoever trades with it.
fn files(dir: &Path, twin: &[PathBuf], found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if twin.contains(&path) {
            continue;
        }
        if path.is_dir() {
            files(&path, twin, found);
        } else if path.is_file() {
            found.push(path);
        }
    }
}

/// Keeps what the run says of itself for [`none_was_left`].
pub fn keep_status(scratch: &Scratch, state: &Path) {
    for (name, words) in [("status.json", "status --json"), ("status.text", "status")] {
        let said = say(scratch, state, words);
        assert_eq!(said.code, Some(0), "{said:#?}");
        fs::write(scratch.path(name), said.out + &said.err).unwrap();
    }
}

/// Looks through all that the run in `state` has written, there and to its outputs. Returns how many signatures of orders
/// were among what was looked for.
pub fn none_was_left(scratch: &Scratch, twin: &Twin, state: &Path) -> u64 {
    let mut secrets = Secrets::of(twin);
    let signed = secrets.add_order_signatures(twin, state);
    let venues = fs::read(&twin.venues).unwrap();
    assert!(secrets.found_in(&venues).is_some(), "where they are, they are found");
    let mut found = Vec::new();
    let twins = [twin.venues.clone(), scratch.path("twin")];
    files(&scratch.path(""), &twins, &mut found);
    let is_there = |part: &str| found.iter().any(|path| path.to_str().unwrap().contains(part));
    for part in ["/journal/", "notes.jsonl", "status.json", "run.err", "run.out", "wire-", ".db"] {
        assert!(is_there(part), "{part} was looked through: {found:?}");
    }
    for path in &found {
        let bytes = fs::read(path).unwrap();
        let secret = secrets.found_in(&bytes);
        assert_eq!(secret, None, "it is in {}", path.display());
        if let Ok(text) = std::str::from_utf8(&bytes) {
            let signature = signature_like(text);
            assert_eq!(signature, None, "it may be a signature, in {}", path.display());
        }
    }
    signed
}
