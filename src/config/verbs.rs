//! `surefoot config`: check, show, explain; and how the program finds its configuration.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;

use serde_json::{Map, json};

use super::keys;
use super::load::{Inputs, Loaded, Mistake, read};
use crate::cli::{Common, ConfigVerb, RunArgs};
use crate::exit::Exit;

/// The file that is read where none is named and this one is there.
const FILE_DEFAULT: &str = "surefoot.toml";

/// Reads file, environment and flags. Every mistake has been shown where it fails.
///
/// # Errors
/// [`Exit::Config`].
pub fn load_all(common: &Common, args: Option<&RunArgs>) -> Result<Loaded, Exit> {
    let (loaded, mistakes) = read_all(common, args)?;
    if mistakes.is_empty() {
        for warning in &loaded.warnings {
            eprintln!("surefoot: warning: {warning}");
        }
        return Ok(loaded);
    }
    for mistake in &mistakes {
        eprintln!("{mistake}\n");
    }
    let count = mistakes.len();
    eprintln!(
        "surefoot: {count} mistake{} in the configuration",
        if count == 1 { "" } else { "s" }
    );
    Err(Exit::Config)
}

/// For the verbs that speak to a running instance: mistakes are told and do not stand in the way of a halt.
pub fn load_for_control(common: &Common) -> Loaded {
    let (loaded, mistakes) = match read_all(common, None) {
        Ok(read) => read,
        Err(_) => read(&inputs(common, None, None)),
    };
    if !mistakes.is_empty() {
        eprintln!(
            "surefoot: the configuration has mistakes (`surefoot config check` shows them); going on with the \
             state directory {}",
            loaded.config.state_dir.display()
        );
    }
    loaded
}

fn read_all(common: &Common, args: Option<&RunArgs>) -> Result<(Loaded, Vec<Mistake>), Exit> {
    let file = common.config.clone().unwrap_or_else(|| FILE_DEFAULT.into());
    let name = file.display().to_string();
    // A pipe or a device would wait for ever, or never end.
    let is_odd = fs::metadata(&file).is_ok_and(|there| !there.is_file());
    let text = match is_odd {
        true => Err(io::Error::other("it is no file")),
        false => fs::read_to_string(&file),
    };
    let file = match text {
        Ok(text) => Some((name, text)),
        Err(error) if common.config.is_none() && error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => {
            eprintln!("surefoot: cannot read the configuration {name}: {error}");
            return Err(Exit::Config);
        }
    };
    Ok(read(&inputs(common, args, file)))
}

fn inputs(common: &Common, args: Option<&RunArgs>, file: Option<(String, String)>) -> Inputs {
    let env = std::env::vars_os();
    let env =
        env.filter_map(|(name, text)| Some((name.into_string().ok()?, text.into_string().ok()?)));
    let mut inputs = Inputs { file, env: env.collect(), flags: Vec::new() };
    if let Some(state) = &common.state {
        inputs.flags.push(("state_dir", "--state", state.display().to_string()));
    }
    if let Some(args) = args {
        let mode = args.mode.map(|mode| mode.name());
        let mode = if args.dry_run { Some("shadow") } else { mode };
        if let Some(mode) = mode {
            inputs.flags.push(("mode", "the command line", mode.into()));
        }
        if let Some(topology) = args.topology {
            inputs.flags.push(("topology", "--topology", topology.name().into()));
        }
    }
    inputs
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
