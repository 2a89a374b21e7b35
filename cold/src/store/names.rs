//! The markets' names on disk: the core knows numbers only, and they must mean the same after a restart.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use serde_json::{Map, Value, json};
use surefoot_hot::market::MarketDef;
use surefoot_hot::pack::{PACKED_BYTES_MAX, pack, unpack};

use crate::directory::{Directory, Entry, Names};
use crate::disk;
use crate::facts::{Facts, Fingerprint};
use crate::state_dir::{StateError, write_atomic};
use crate::text::{hex, parse_hex};

/// The version of the file. It rises with the layout of what stands in it: with the fields here, with those that a venue's names
/// have (`directory.rs`), and with the packing of a market's terms, which a test holds. The first version said none, and had the
/// worlds at the top; the third added the rule texts that certificates rely on.
const VERSION: u64 = 3;

/// One directory of markets for each set of venues and accounts that this state directory was used with.
#[derive(Clone, Debug, Default)]
pub struct MarketNames {
    worlds: BTreeMap<u64, Directory>,
    /// The version of the file that they were read from; zero where there was none.
    read: u64,
}

impl MarketNames {
    /// Reads the file; without a file there are no names yet.
    ///
    /// # Errors
    /// It cannot be read, is of a version that is not known here, or is not as it was written.
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
        let version = value.get("version").map_or(1, |version| version.as_u64().unwrap_or(0));
        let worlds = match version {
            1 => &value,
            2 | VERSION => &value["worlds"],
            _ => {
                let path = path.to_owned();
                return Err(StateError::Version { path, version, known: VERSION });
            }
        };
        let mut names = Self { read: version, ..Self::default() };
        for (venue, entries) in worlds.as_object().ok_or_else(|| damaged("no object"))? {
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
                if let Some(rules) = written["rules"].as_str() {
                    let rules = Fingerprint::parse(rules)
                        .ok_or_else(|| damaged("a rule text is no hash"))?;
                    directory.rely_on(market, rules);
                }
                if written["withdrawn"] == true {
                    directory.withdraw(market);
                }
            }
            names.worlds.insert(venue, directory);
        }
        Ok(names)
    }

    /// Replaces the file. One of an earlier version is kept beside it: the program that wrote it could not read the new one.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), StateError> {
        let mut worlds = Map::new();
        for (venue, directory) in &self.worlds {
            worlds.insert(format!("{venue:016x}"), write_directory(directory));
        }
        let earlier = path.with_extension(format!("json.version-{}", self.read));
        let unread = |path: &Path| {
            let path = path.to_owned();
            move |source| StateError::Io { doing: "read", path, source }
        };
        let is_kept = || disk::is_there(&earlier).map_err(unread(&earlier));
        if (1..VERSION).contains(&self.read) && !is_kept()? {
            let bytes = fs::read(path).map_err(unread(path))?;
            write_atomic(&earlier, &bytes)?;
        }
        let file = json!({ "version": VERSION, "worlds": worlds });
        write_atomic(path, file.to_string().as_bytes())
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
        if let Some(rules) = directory.relies_on(entry.def.market) {
            written["rules"] = rules.to_string().into();
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
    let title = value.get("title")?.as_str()?.to_owned();
    let facts = Facts::default();
    Some(Entry { def, fee_changes: Vec::new(), paid_by: None, title, names, facts })
}

#[cfg(test)]
mod tests {
    use surefoot_hot::fees::FeeRule;
    use surefoot_hot::grid::Grid;
    use surefoot_hot::ids::{ClusterId, MarketId, Venue};
    use surefoot_hot::market::{Category, MarketStatus};
    use surefoot_hot::units::{Nanos, Qty};

    use super::*;
    use crate::directory::KalshiNames;

    fn entry() -> Entry {
        Entry {
            def: MarketDef {
                market: MarketId::new(0),
                venue: Venue::Kalshi,
                shard: 2,
                cluster: ClusterId::new(3),
                grid: Grid::banded(1_000, 9_000, 10, 100, 10).unwrap(),
                min_qty: Qty::from_contracts(5),
                close: Nanos::from_secs(1_795_197_660),
                fee: FeeRule::Kalshi { taker: 70_000, maker: 17_500 },
                status: MarketStatus::Open,
                category: Category::Sports,
                theme: None,
            },
            fee_changes: Vec::new(),
            paid_by: None,
            title: "A question".to_owned(),
            names: Names::Kalshi(KalshiNames {
                ticker: "KXA-1".to_owned(),
                event_ticker: "KXA".to_owned(),
                series_ticker: "KX".to_owned(),
                exchange_index: 2,
            }),
            facts: Facts::default(),
        }
    }

    fn names() -> MarketNames {
        let mut directory = Directory::default();
        directory.push(entry());
        let mut names = MarketNames::default();
        names.put(0xab, directory);
        names
    }

    fn scratch(name: &str) -> std::path::PathBuf {
        let dir = std::env::temp_dir().join(format!("surefoot-names-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        dir.join(name)
    }

    #[test]
    fn the_file_says_its_version_and_one_that_is_not_known_is_refused_by_it() {
        let path = scratch("version.json");
        names().save(&path).unwrap();
        let mut written: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        assert_eq!(written["version"], VERSION);
        let known = |path: &Path| {
            let names = MarketNames::load(path).map_err(|error| error.to_string())?;
            let entry = names.directory(0xab).unwrap().entry(MarketId::new(0)).unwrap().clone();
            Ok::<_, String>((entry.def, entry.names))
        };
        assert_eq!(known(&path), Ok((entry().def, entry().names)));
        fs::write(&path, written["worlds"].to_string()).unwrap();
        assert_eq!(known(&path), Ok((entry().def, entry().names)), "the first version said none");
        written["version"] = 2.into();
        fs::write(&path, written.to_string()).unwrap();
        assert_eq!(
            known(&path),
            Ok((entry().def, entry().names)),
            "it lacked the rule texts alone"
        );
        // What is written next replaces it, and the program that wrote it could not read that.
        let mut read = MarketNames::load(&path).unwrap();
        let bytes = fs::read(&path).unwrap();
        for venue in [7, 8] {
            read.put(venue, Directory::default());
            read.save(&path).unwrap();
        }
        assert_eq!(fs::read(path.with_extension("json.version-2")).unwrap(), bytes);
        assert!(!path.with_extension("json.version-3").exists());
        written["version"] = 9.into();
        fs::write(&path, written.to_string()).unwrap();
        let refused = known(&path).unwrap_err();
        assert!(refused.contains("version 9") && refused.contains("knows 3"), "{refused}");
    }

    #[test]
    fn the_rule_texts_that_certificates_rely_on_are_kept() {
        let path = scratch("rules.json");
        let rules = Fingerprint::of("It settles by what is so.").unwrap();
        let mut directory = names().directory(0xab).unwrap().clone();
        directory.rely_on(MarketId::new(0), rules);
        let mut names = MarketNames::default();
        names.put(0xab, directory);
        names.save(&path).unwrap();
        let read = MarketNames::load(&path).unwrap();
        assert_eq!(read.directory(0xab).unwrap().relies_on(MarketId::new(0)), Some(rules));
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, text.replace(&rules.to_string(), "odd")).unwrap();
        assert!(MarketNames::load(&path).unwrap_err().to_string().contains("rule text"));
    }

    /// Where this fails the packing of a market's terms has changed: files of this version cannot be read any more.
    #[test]
    fn a_markets_terms_are_packed_as_this_version_says() {
        let packed = hex(&pack(&entry().def));
        assert_eq!(
            packed.trim_end_matches('0'),
            "000001020300e80328230a0064000a00404b4c00000000000098e9a9c2d2e91801701101005c4400000102"
        );
        assert_eq!(packed.len(), 2 * PACKED_BYTES_MAX);
    }
}
