//! `surefoot config`: check, show, explain.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;

use clap::Subcommand;
use serde_json::{Map, json};

use super::refuse;
use crate::cli::Common;
use crate::config::explain::{Explanation, Found, find};
use crate::config::find::{load_all, load_for_control};
use crate::config::keys;
use crate::config::load::Loaded;
use crate::exit::Exit;

/// What to look at.
#[derive(Clone, Debug, Subcommand)]
pub enum ConfigVerb {
    /// Say whether it is right; show every mistake
    Check,
    /// Print what holds, and where each value comes from
    Show,
    /// Say what a key means: unit, bounds, default, the value in force, why, what a breach looks like, how one recovers
    Explain {
        /// For instance `limits.daily_loss`; `limits` lists a section, `risk` every limit; without a key, all of them
        key: Option<String>,
    },
}

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

/// `surefoot config …`.
pub fn run(verb: &ConfigVerb, common: &Common) -> Exit {
    let text = match verb {
        ConfigVerb::Explain { key } => explain(key.as_deref(), common),
        ConfigVerb::Check => load_all(common, None).and_then(|loaded| check(&loaded, common.json)),
        ConfigVerb::Show => load_all(common, None).map(|loaded| show(&loaded, common.json)),
    };
    match text {
        Ok(text) => {
            let _ = io::stdout().write_all(text.as_bytes()); // a reader that went away is no mistake
            Exit::Ok
        }
        Err(exit) => exit,
    }
}

/// What a key means, with the value that it has in the configuration that is found; a line each for several.
fn explain(asked: Option<&str>, common: &Common) -> Result<String, Exit> {
    let keys = match asked.map_or(Found::Many(keys::all()), find) {
        Found::One(key) => {
            let explained = Explanation::new(key, &load_for_control(common));
            let (text, object) = (explained.text(), explained.json());
            return Ok(if common.json { format!("{object}\n") } else { text });
        }
        Found::Many(keys) => keys,
        Found::Nothing(meant) => {
            let meant = match &meant[..] {
                [] => "`surefoot config explain` lists every key".to_owned(),
                meant => format!("did you mean {}?", meant.join(", ")),
            };
            let why = format!("there is no key `{}`; {meant}", asked.unwrap_or_default());
            return Err(refuse(Exit::Usage, &why, common.json));
        }
    };
    let loaded = load_for_control(common);
    let explained = keys.into_iter().map(|key| Explanation::new(key, &loaded));
    if common.json {
        let list: Vec<_> = explained.map(|explained| explained.json()).collect();
        return Ok(format!("{}\n", json!({ "keys": list })));
    }
    Ok(explained.map(|explained| explained.line()).collect())
}

/// Whether a start could use what the configuration names.
fn check(loaded: &Loaded, json: bool) -> Result<String, Exit> {
    let missing = unusable(loaded);
    if !missing.is_empty() {
        for (key, why) in &missing {
            eprintln!("error: {key}: {why}");
        }
        if json {
            let mistakes = missing.iter().map(|(key, why)| json!({ "place": key, "what": why }));
            let (exit, mistakes) = (Exit::Config.code(), mistakes.collect::<Vec<_>>());
            println!("{}", json!({ "ok": false, "exit": exit, "mistakes": mistakes }));
        }
        return Err(Exit::Config);
    }
    let hash = format!("{:016x}", loaded.config.hash);
    if json {
        return Ok(format!(
            "{}\n",
            json!({ "ok": true, "hash": hash, "warnings": loaded.warnings })
        ));
    }
    let ignored = match loaded.warnings.len() {
        0 => String::new(),
        count => format!(", but {count} of its lines ignored: see the warnings"),
    };
    Ok(format!("the configuration is right{ignored}; its hash is {hash}\n"))
}

/// Every key with its value and where that is from.
fn show(loaded: &Loaded, json: bool) -> String {
    if json {
        let hash = format!("{:016x}", loaded.config.hash);
        let shown = loaded.shown.iter().map(|(path, value, origin)| {
            ((*path).to_owned(), json!({ "value": value, "from": origin.to_string() }))
        });
        return format!("{}\n", json!({ "hash": hash, "keys": shown.collect::<Map<_, _>>() }));
    }
    let mut text = String::new();
    for (path, value, origin) in &loaded.shown {
        text.push_str(&format!("{path:<36} {value:<52} {origin}\n"));
    }
    text
}
