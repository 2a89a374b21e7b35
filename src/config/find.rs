//! Where the configuration comes from: the file, the environment and the command line, read for the verb that asks.

use std::fs;
use std::io;

use serde_json::{Value, json};

use super::load::{Inputs, Loaded, Mistake, read};
use crate::cli::{Common, RunArgs};
use crate::exit::{Exit, Failed};

/// The file that is read where none is named and this one is there.
const FILE_DEFAULT: &str = "surefoot.toml";

/// Reads file, environment and flags. Every mistake has been shown where it fails: on stderr, and with `--json` as one object
/// on stdout.
///
/// # Errors
/// [`Exit::Config`].
pub fn load_all(common: &Common, args: Option<&RunArgs>) -> Result<Loaded, Exit> {
    let (loaded, mistakes) =
        read_all(common, args).map_err(|why| Failed(Exit::Config, why).say(common.json))?;
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
    let what = format!("{count} mistake{} in the configuration", if count == 1 { "" } else { "s" });
    eprintln!("surefoot: {what}");
    if common.json {
        let list: Vec<_> = mistakes.iter().map(as_object).collect();
        let exit = Exit::Config.code();
        println!("{}", json!({ "ok": false, "exit": exit, "error": what, "mistakes": list }));
    }
    Err(Exit::Config)
}

/// A mistake for scripts.
fn as_object(mistake: &Mistake) -> Value {
    let at = mistake.line.as_ref().map(|line| (line.0, line.1));
    json!({
        "what": mistake.what,
        "place": mistake.place,
        "line": at.map(|at| at.0),
        "column": at.map(|at| at.1),
        "remedy": mistake.remedy,
    })
}

/// For the verbs that speak to a running instance: mistakes are told and do not stand in the way of a halt.
pub fn load_for_control(common: &Common) -> Loaded {
    let (loaded, mistakes) = match read_all(common, None) {
        Ok(read) => read,
        Err(why) => {
            eprintln!("surefoot: {why}");
            read(&inputs(common, None, None))
        }
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

/// What holds and every mistake; the words say why the file cannot be read.
fn read_all(common: &Common, args: Option<&RunArgs>) -> Result<(Loaded, Vec<Mistake>), String> {
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
            return Err(format!("cannot read the configuration {name}: {error}"));
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
        if let Some(world) = args.world {
            inputs.flags.push(("world", "--world", world.name().into()));
        }
        if let Some(topology) = args.topology {
            inputs.flags.push(("topology", "--topology", topology.name().into()));
        }
    }
    inputs
}
