//! `surefoot config`: check, show, explain.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;

use serde_json::{Map, json};

use crate::cli::{Common, ConfigVerb};
use crate::config::find::{load_all, read_all};
use crate::config::keys;
use crate::config::load::Loaded;
use crate::exit::Exit;

/// What the configuration names and a start could not use: secrets that cannot be read, a state directory that is none.
fn unusable(loaded: &Loaded) -> Vec<(&'static str, String)> {
    let mut found: Vec<_> = loaded
        .config
        .venues
        .secrets()
        .filter_map(|(key, secret)| Some((key, secret.read().err()?)))
        .collect();
    let state = &loaded.config.state_dir;
    match fs::metadata(state) {
        Ok(there) if !there.is_dir() => {
            found.push(("state_dir", format!("{} is no directory", state.display())));
        }
        Ok(there) if there.permissions().mode() & 0o022 != 0 => found.push((
            "state_dir",
            format!("others may write to {}; `chmod 700 {}`", state.display(), state.display()),
        )),
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {} // made at the start
        Err(error) => found.push(("state_dir", format!("{}: {error}", state.display()))),
    }
    found
}

/// Every mistake as an object, for scripts; they were shown on stderr already.
fn mistakes_json(common: &Common) -> serde_json::Value {
    let list: Vec<_> = match read_all(common, None) {
        Err(_) => Vec::new(),
        Ok((_, mistakes)) => mistakes
            .iter()
            .map(|mistake| {
                let at = mistake.line.as_ref().map(|line| (line.0, line.1));
                json!({
                    "what": mistake.what,
                    "place": mistake.place,
                    "line": at.map(|at| at.0),
                    "column": at.map(|at| at.1),
                    "remedy": mistake.remedy,
                })
            })
            .collect(),
    };
    json!({ "ok": false, "mistakes": list })
}

/// `surefoot config …`.
pub fn run(verb: &ConfigVerb, common: &Common) -> Exit {
    let mut text = String::new();
    match verb {
        ConfigVerb::Explain { key } => {
            let known = keys::all();
            let wanted: Vec<_> = known
                .iter()
                .filter(|known| key.as_ref().is_none_or(|key| known.path.starts_with(key.as_str())))
                .collect();
            if wanted.is_empty() {
                let key = key.as_deref().unwrap_or_default();
                let meant = keys::nearest(key, known.iter().map(|known| known.path));
                let meant =
                    meant.map(|meant| format!("; did you mean `{meant}`?")).unwrap_or_default();
                eprintln!("surefoot: there is no key `{key}`{meant}");
                return Exit::Usage;
            }
            if common.json {
                let list: Vec<_> = wanted.iter().map(|key| {
                    json!({ "key": key.path, "about": key.about, "takes": key.kind.describe(), "default": key.default })
                }).collect();
                text = format!("{}\n", json!(list));
            } else {
                for key in wanted {
                    let default =
                        key.default.map(|text| format!("; default {text}")).unwrap_or_default();
                    text.push_str(&format!(
                        "{}\n    {}\n    takes {}{default}\n",
                        key.path,
                        key.about,
                        key.kind.describe()
                    ));
                }
            }
        }
        ConfigVerb::Check | ConfigVerb::Show => {
            let loaded = match load_all(common, None) {
                Ok(loaded) => loaded,
                Err(exit) => {
                    if common.json {
                        println!("{}", mistakes_json(common));
                    }
                    return exit;
                }
            };
            if matches!(verb, ConfigVerb::Check) {
                let missing = unusable(&loaded);
                if !missing.is_empty() {
                    for (key, why) in &missing {
                        eprintln!("error: {key}: {why}");
                    }
                    if common.json {
                        let mistakes =
                            missing.iter().map(|(key, why)| json!({ "place": key, "what": why }));
                        println!(
                            "{}",
                            json!({ "ok": false, "mistakes": mistakes.collect::<Vec<_>>() })
                        );
                    }
                    return Exit::Config;
                }
            }
            let hash = format!("{:016x}", loaded.config.hash);
            if matches!(verb, ConfigVerb::Check) {
                text = if common.json {
                    format!(
                        "{}\n",
                        json!({ "ok": true, "hash": hash, "warnings": loaded.warnings })
                    )
                } else {
                    let ignored = match loaded.warnings.len() {
                        0 => String::new(),
                        count => format!(", but {count} of its lines ignored: see the warnings"),
                    };
                    format!("the configuration is right{ignored}; its hash is {hash}\n")
                };
            } else if common.json {
                let shown = loaded.shown.iter().map(|(path, value, origin)| {
                    let entry = json!({ "value": value, "from": origin.to_string() });
                    ((*path).to_owned(), entry)
                });
                text =
                    format!("{}\n", json!({ "hash": hash, "keys": shown.collect::<Map<_, _>>() }));
            } else {
                for (path, value, origin) in &loaded.shown {
                    text.push_str(&format!("{path:<36} {value:<52} {origin}\n"));
                }
            }
        }
    }
    let _ = io::stdout().write_all(text.as_bytes()); // a reader that went away is no mistake
    Exit::Ok
}
