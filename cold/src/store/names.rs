//! The markets' names on disk: the core knows numbers only, and they must mean the same after a restart.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use serde_json::{Map, Value, json};
use surefoot_hot::market::MarketDef;
use surefoot_hot::pack::{PACKED_BYTES_MAX, pack, unpack};

use crate::directory::{Directory, Entry, Names};
use crate::state_dir::{StateError, write_atomic};
use crate::text::{hex, parse_hex};

/// One directory of markets for each set of venues and accounts that this state directory was used with.
#[derive(Clone, Debug, Default)]
pub struct MarketNames {
    worlds: BTreeMap<u64, Directory>,
}

impl MarketNames {
    /// Reads the file; without a file there are no names yet.
    ///
    /// # Errors
    /// It cannot be read, or is not as it was written.
    pub fn load(path: &Path) -> Result<Self, StateError> {
        let bytes = match fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(source) => {
                return Err(StateError::Io { doing: "read", path: path.to_owned(), source });
            }
        };
        let damaged = |what: &str| StateError::Damaged { path: path.to_owned(), what: what.into() };
        let value: Value = serde_json::from_slice(&bytes).map_err(|e| damaged(&e.to_string()))?;
        let mut names = Self::default();
        for (venue, entries) in value.as_object().ok_or_else(|| damaged("no object"))? {
            let venue = u64::from_str_radix(venue, 16).map_err(|_| damaged("a key is no hash"))?;
            let mut directory = Directory::default();
            for written in entries.as_array().ok_or_else(|| damaged("no list of markets"))? {
                let entry = read_entry(written).ok_or_else(|| damaged("a market is incomplete"))?;
                if entry.def.market != directory.next_id() {
                    return Err(damaged("markets are out of order"));
                }
                let market = entry.def.market;
                directory.push(entry.clone());
                if written["declared"] == true {
                    directory.follow(entry);
                }
                if written["withdrawn"] == true {
                    directory.withdraw(market);
                }
            }
            names.worlds.insert(venue, directory);
        }
        Ok(names)
    }

    /// Replaces the file.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), StateError> {
        let mut worlds = Map::new();
        for (venue, directory) in &self.worlds {
            worlds.insert(format!("{venue:016x}"), write_directory(directory));
        }
        write_atomic(path, Value::Object(worlds).to_string().as_bytes())
    }

    /// The markets known under this hash of venues and accounts.
    pub fn directory(&self, venue: u64) -> Option<&Directory> {
        self.worlds.get(&venue)
    }

    /// Replaces the markets known under this hash of venues and accounts.
    pub fn put(&mut self, venue: u64, directory: Directory) {
        self.worlds.insert(venue, directory);
    }
}

fn write_directory(directory: &Directory) -> Value {
    let write = |entry: &Entry| {
        let mut written = write_entry(entry);
        if directory.is_withdrawn(entry.def.market) {
            written["withdrawn"] = true.into();
        }
        if directory.is_declared(entry.def.market) {
            written["declared"] = true.into();
        }
        written
    };
    directory.iter().map(write).collect()
}

fn write_entry(entry: &Entry) -> Value {
    let def = hex(&pack(&entry.def));
    json!({ "def": def, "title": entry.title, "names": entry.names.to_json() })
}

fn read_entry(value: &Value) -> Option<Entry> {
    let packed = parse_hex::<PACKED_BYTES_MAX>(value.get("def")?.as_str()?)?;
    let def: MarketDef = unpack(&packed)?;
    let names = Names::from_json(def.venue, value.get("names")?)?;
    Some(Entry { def, title: value.get("title")?.as_str()?.to_owned(), names })
}
