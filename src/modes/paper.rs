//! `run paper`: public data of venues, fills of our own making. No order leaves: there is nothing that could carry one.

use std::sync::Arc;

use crate::access::Access;
use crate::app::{self, RunSpec, report};
use crate::cli::{Mode, RunArgs};
use crate::config::{Config, LogLevel, Setup};
use crate::exit::{Exit, Failed};

/// What the mode can and cannot do, in one line.
const ABOUT: &str = "surefoot paper: reads public data alone and fills orders by a model; it cannot send an order, and every fill is simulated";

/// Runs on paper to the end.
pub fn run(args: &RunArgs, setup: &Setup) -> Exit {
    let mut config = setup.config.clone();
    if let Some(topology) = args.topology {
        config.topology = topology;
    }
    match spec(args, &config) {
        Ok(spec) => {
            if config.log_level >= LogLevel::Info {
                report::say_limits(&config.limits);
            }
            app::run(spec, &config, setup.json)
        }
        Err(why) => Failed(Exit::Usage, why).say(setup.json),
    }
}

fn spec(args: &RunArgs, config: &Config) -> Result<RunSpec, String> {
    let Some(path) = &args.venues else {
        return Err("`run paper` needs to know where the venues are: start `surefoot twin --json > FILE` and give \
                    `--venues FILE`. The addresses of the live venues are not built into this version"
            .to_owned());
    };
    if args.capture.is_some() {
        return Err(
            "`--capture` is for the demo: on paper the venues are read as they are".to_owned()
        );
    }
    // Two directories are two accounts on paper.
    let dir = std::path::absolute(&config.state_dir).unwrap_or_else(|_| config.state_dir.clone());
    let access =
        Access::paper_from_file(path, config.paper, &format!("paper at {}", dir.display()))
            .map_err(|error| error.to_string())?;
    let (mut access, extra) = (access, super::demo::extra_of(path)?);
    access.relations.themes = config.themes.clone();
    let about = vec![
        ABOUT.to_owned(),
        format!(
            "fills: {} curve, every order takes {} ms to the book, ${} to begin with; market data from {}",
            config.paper.driver.name(),
            config.paper.latency.millis(),
            config.capital(),
            path.display()
        ),
    ];
    let loosen = args.loosen.as_deref().map(str::trim).filter(|why| !why.is_empty());
    Ok(RunSpec {
        mode: Mode::Paper,
        access: Arc::new(access),
        venues_file: None, // nothing of ours rests at a venue that a watchdog could cancel
        extra,
        span: args.span,
        world: None,
        seed: args.seed.unwrap_or(1),
        loosen: loosen.map(str::to_owned),
        about,
    })
}
