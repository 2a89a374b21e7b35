//! One file a verb; which of them answers and by which configuration; and what they share: how an answer is shown, and how a
//! refusal is.

pub mod accept_loss;
pub mod bench;
pub mod config;
pub mod follow;
pub mod halt;
pub mod limits;
pub mod release;
pub mod replay;
pub mod resume;
pub mod run;
pub mod sim;
pub mod start;
pub mod status;
pub mod stop;
pub mod twin;
pub mod unfollow;

use std::time::Duration;

use serde_json::Value;
use surefoot_cold::state_dir::{StateDir, StateError};

use crate::cli::{Cli, RunArgs, Verb};
use crate::config::{Setup, find};
use crate::exit::{Exit, Failed};

/// How often a verb that waits looks again.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Does what was asked for. A verb that speaks to a running instance goes on beside mistakes in the configuration.
pub fn carry_out(cli: Cli) -> Exit {
    let verb = cli.verb.unwrap_or(Verb::Run(RunArgs::default()));
    if let Verb::Config(verb) = &verb {
        return config::run(verb, &cli.common);
    }
    let loaded = match &verb {
        Verb::Run(args) | Verb::Start(args) => find::load_all(&cli.common, Some(args)),
        Verb::Status(_)
        | Verb::Halt(_)
        | Verb::Resume(_)
        | Verb::Release(_)
        | Verb::Limits(_)
        | Verb::Follow(_)
        | Verb::Unfollow(_)
        | Verb::Stop
        | Verb::AcceptLoss(_)
        | Verb::Replay(_) => Ok(find::load_for_control(&cli.common)),
        Verb::Twin(_) | Verb::Bench(_) | Verb::Sim(_) | Verb::Config(_) => {
            find::load_all(&cli.common, None)
        }
    };
    let setup = match loaded {
        Ok(loaded) => Setup { config: loaded.config, json: cli.common.json },
        Err(exit) => return exit,
    };
    match verb {
        Verb::Run(args) => run::run(&args, &setup),
        Verb::Start(args) => start::run(&args.words(&cli.common), &setup),
        Verb::Status(args) => status::run(&args, &setup),
        Verb::Halt(args) => halt::run(&args, &setup),
        Verb::Resume(args) => resume::run(&args, &setup),
        Verb::Release(args) => release::run(&args, &setup),
        Verb::Limits(verb) => limits::run(&verb, &setup),
        Verb::Follow(args) => follow::run(&args, &setup),
        Verb::Unfollow(args) => unfollow::run(&args, &setup),
        Verb::Stop => stop::run(&setup),
        Verb::AcceptLoss(args) => accept_loss::run(&args, &setup),
        Verb::Twin(args) => twin::run(&args, &setup),
        Verb::Bench(args) => bench::run(&args, &setup),
        Verb::Replay(args) => replay::run(&args, &setup),
        Verb::Sim(args) => sim::run(&args, &setup),
        Verb::Config(_) => unreachable!("answered above"),
    }
}

/// The directory's whole name: a relative one says nothing to who stands in the wrong place.
fn absolute(state: &StateDir) -> String {
    let path = std::path::absolute(state.root()).unwrap_or_else(|_| state.root().to_owned());
    path.display().to_string()
}

/// That no instance was ever at work there, so that nothing was `done`.
pub(super) fn never_ran(state: &StateDir, done: &str) -> String {
    format!(
        "no surefoot has run in {}: NOTHING was {done}; name its state directory with --state",
        absolute(state)
    )
}

/// Shows a run's answer: `done` where it did as asked, else its reason, with the exit that it names.
pub(super) fn told(answer: &Value, json: bool, done: &str) -> Exit {
    if json {
        println!("{answer}");
    }
    if answer["ok"] == true {
        if !json {
            println!("{done}");
        }
        return Exit::Ok;
    }
    let why = answer["error"].as_str().unwrap_or("no reason was given");
    eprintln!("surefoot: {why}");
    let exit = Exit::ALL.iter().find(|exit| answer["exit"] == exit.code());
    exit.copied().unwrap_or(Exit::Failed)
}

/// Not done: the sentence on stderr, and the exit in the object where one is wanted.
pub(super) fn refuse(exit: Exit, why: &str, json: bool) -> Exit {
    Failed(exit, why.to_owned()).say(json)
}

/// Not done because of the state directory.
pub(super) fn refuse_state(error: StateError, json: bool) -> Exit {
    Failed::from(error).say(json)
}
