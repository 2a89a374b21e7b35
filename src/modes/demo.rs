//! `run demo`: the embedded venues, or a twin that runs elsewhere, traded as if they were real.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;

use crate::access::Access;
use crate::app::{self, RunSpec, report};
use crate::catalogue::ExtraMarkets;
use crate::cli::{Mode, RunArgs};
use crate::config::Setup;
use crate::config::{Config, LogLevel};
use crate::exit::{Exit, Failed};
use crate::twin::open::{Options, open};
use crate::twin::world::{World, WorldName};

/// Runs the demo to its end.
pub fn run(args: &RunArgs, setup: &Setup) -> Exit {
    let config = with_flags(&setup.config, args);
    let seed = args.seed.unwrap_or(1);
    if let Some(path) = &args.venues {
        let about = vec![format!(
            "surefoot demo: a twin that runs elsewhere ({}); its markets are synthetic, its money is not real",
            path.display()
        )];
        return match read_venues(path) {
            Ok(venues) => trade(venues, about, seed, args, setup, &config),
            Err(why) => Failed(Exit::Usage, why).say(setup.json), // the argument is wrong, no venue was asked
        };
    }
    let dir = KeyDir::new();
    let world = World::at_distance(config.world, args.distance).with_traps(args.traps);
    let options = Options { seed, capture: args.capture.clone(), world, ..Options::default() };
    let (server, description) = match open(&options, dir.path()) {
        Ok(opened) => opened,
        Err(error) => {
            return Failed::from(error).say(setup.json);
        }
    };
    let mut twin = match server.spawn() {
        Ok(twin) => twin,
        Err(error) => {
            let why = format!("starting the embedded venues: {error}");
            return Failed(Exit::Failed, why).say(setup.json);
        }
    };
    let mut about = vec![
        "surefoot demo: embedded venues on loopback, both venues' wire protocols over TLS; no account, no network".to_owned(),
        format!("market flow: synthetic, generated from seed {seed}, shaped by a recorded session's figures"),
    ];
    if let Some(capture) = &args.capture {
        about.push(format!(
            "beside it, recorded: {}, looped with its times moved to now",
            capture.display()
        ));
    }
    let exit = match describe(&description) {
        Ok(venues) => trade(venues, about, seed, args, setup, &config),
        Err(why) => Failed(Exit::Failed, why).say(setup.json),
    };
    if let Err(error) = twin.stop() {
        eprintln!("surefoot: the embedded venues ended badly: {error}");
    }
    exit
}

/// The venues of a demo, as a twin describes them.
struct Venues {
    access: Access,
    extra: ExtraMarkets,
    world: Option<WorldName>,
}

fn trade(
    venues: Venues,
    mut about: Vec<String>,
    seed: u64,
    args: &RunArgs,
    setup: &Setup,
    config: &Config,
) -> Exit {
    if config.log_level >= LogLevel::Info {
        report::say_limits(&config.limits);
    }
    let Venues { mut access, extra, world } = venues;
    about.extend(world.map(|world| format!("world: {}; {}", world.name(), world.about())));
    access.relations.themes = config.themes.clone();
    let access = Arc::new(access);
    let loosen = args.loosen.as_deref().map(str::trim).filter(|why| !why.is_empty());
    let loosen = loosen.map(str::to_owned);
    let (mode, span) = (Mode::Demo, args.span);
    let spec = RunSpec {
        mode,
        access,
        venues_file: args.venues.clone(),
        extra,
        span,
        world,
        seed,
        loosen,
        about,
    };
    app::run(spec, config, setup.json)
}

/// The configuration, with what the command line says on top.
fn with_flags(config: &Config, args: &RunArgs) -> Config {
    let mut config = config.clone();
    if let Some(topology) = args.topology {
        config.topology = topology;
    }
    config
}

fn read_venues(path: &Path) -> Result<Venues, String> {
    let access = Access::from_file(path).map_err(|error| error.to_string())?;
    let value = read_value(path)?;
    Ok(Venues { access, extra: extra(&value), world: world(&value) })
}

fn read_value(path: &Path) -> Result<Value, String> {
    let text =
        std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))
}

/// Every market that a twin's file names.
pub(super) fn extra_of(path: &Path) -> Result<ExtraMarkets, String> {
    read_value(path).map(|value| extra(&value))
}

fn describe(description: &Value) -> Result<Venues, String> {
    let access = Access::from_json(description).map_err(|error| error.to_string())?;
    Ok(Venues { access, extra: extra(description), world: world(description) })
}

fn world(value: &Value) -> Option<WorldName> {
    WorldName::named(value["world"].as_str()?)
}

/// Every market the twin names is followed, in a relation or not: the busy ones make the stream realistic.
fn extra(value: &Value) -> ExtraMarkets {
    ExtraMarkets::from_fn(|venue| {
        let names = value["markets"][venue.name()].as_array();
        names.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    })
}

/// Where the embedded venues write their CA and keys; gone when the run is.
struct KeyDir(PathBuf);

impl KeyDir {
    fn new() -> Self {
        Self(std::env::temp_dir().join(format!("surefoot-demo-{}", std::process::id())))
    }

    fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for KeyDir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0); // keys of venues that are gone
    }
}
