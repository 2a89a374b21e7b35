//! The command line, one file a verb; which of them answers and by which configuration; and what they share: how an answer
//! is shown, and how a refusal is.

pub mod accept_loss;
pub mod bench;
pub mod config;
pub mod db;
pub mod drill;
pub mod follow;
pub mod halt;
pub mod limits;
pub mod pairs;
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
pub mod watchdog;

use std::time::Duration;

use clap::{Parser, Subcommand};
use serde_json::Value;
use surefoot_cold::state_dir::{StateDir, StateError};

use crate::cli::{Common, RunArgs};
use crate::config::{Setup, find};
use crate::exit::{Exit, Failed};

/// How often a verb that waits looks again.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Trades prediction markets; never left standing on one leg. Without a verb: `run demo`.
#[derive(Clone, Debug, Parser)]
#[command(name = "surefoot", version, disable_help_subcommand = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub verb: Option<Verb>,
    /// What every verb takes.
    #[command(flatten)]
    pub common: Common,
}

/// What to do.
#[derive(Clone, Debug, Subcommand)]
pub enum Verb {
    /// Trade in the foreground
    Run(RunArgs),
    /// Trade in the background: returns when it is up, healthy or halted as before
    Start(RunArgs),
    /// Show what the running instance does
    Status(status::StatusArgs),
    /// Stop opening, cancel everything, until resumed; works without a running instance too
    Halt(halt::HaltArgs),
    /// Lift a halt
    Resume(resume::ResumeArgs),
    /// Let a quarantined market be opened in again
    Release(release::ReleaseArgs),
    /// Show the limits in force, or tighten one while it runs
    #[command(subcommand)]
    Limits(limits::LimitsVerb),
    /// Follow further markets while it runs: their books, and the baskets that become whole with them
    Follow(follow::MarketsArgs),
    /// Follow markets no more: nothing is opened there from now on, and what is held there is kept until it is sold or paid
    Unfollow(follow::MarketsArgs),
    /// End the running instance gracefully: nothing stays resting
    Stop,
    /// Cancel everything at the venues where a run cannot any more: `run` starts it by itself
    Watchdog(watchdog::WatchdogArgs),
    /// Run the venues' twin alone and print how to reach it
    Twin(twin::TwinArgs),
    /// Accept that records of the journal are lost, after a start that ended with 6: it is put aside, and trading halted
    AcceptLoss(accept_loss::AcceptArgs),
    /// Check, copy, put back or make again the database
    #[command(subcommand)]
    Db(db::DbVerb),
    /// Fold a journal again and prove that it gives the same decisions
    Replay(replay::ReplayArgs),
    /// Simulate trading days from seeds: core, sessions and executors with the twin's venues, under virtual time
    Sim(sim::SimArgs),
    /// Break things over the real wire: a run of its own against a twin of its own
    #[command(subcommand)]
    Drill(drill::DrillVerb),
    /// Measure the parts and the whole
    Bench(bench::BenchArgs),
    /// Judge whether two markets ask the same
    #[command(subcommand)]
    Pairs(pairs::PairsVerb),
    /// Look at the configuration
    #[command(subcommand)]
    Config(config::ConfigVerb),
}

/// Does what was asked for. A verb that speaks to a running instance goes on beside mistakes in the configuration.
pub fn carry_out(cli: Cli) -> Exit {
    let verb = cli.verb.unwrap_or(Verb::Run(RunArgs::default()));
    if let Verb::Config(verb) = &verb {
        return config::run(verb, &cli.common);
    }
    // It reads what it is given: no configuration, no state.
    if let Verb::Pairs(verb) = &verb {
        return pairs::run(verb, cli.common.json);
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
        | Verb::Watchdog(_)
        | Verb::AcceptLoss(_)
        | Verb::Db(_)
        | Verb::Replay(_) => Ok(find::load_for_control(&cli.common)),
        Verb::Twin(_)
        | Verb::Bench(_)
        | Verb::Sim(_)
        | Verb::Drill(_)
        | Verb::Pairs(_)
        | Verb::Config(_) => find::load_all(&cli.common, None),
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
        Verb::Watchdog(args) => watchdog::run(&args, &setup),
        Verb::Twin(args) => twin::run(&args, &setup),
        Verb::Bench(args) => bench::run(&args, &setup),
        Verb::Db(verb) => db::run(&verb, &setup),
        Verb::Replay(args) => replay::run(&args, &setup),
        Verb::Sim(args) => sim::run(&args, &setup),
        Verb::Drill(verb) => drill::run(&verb, &setup),
        Verb::Pairs(_) | Verb::Config(_) => unreachable!("answered above"),
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

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definitions_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn what_start_was_given_is_what_run_gets() {
        let given = "surefoot --state start start demo --for 1m30s --seed 7 --world calm --topology calm \
                     --dry-run --loosen more --json --config c.toml";
        let given = Cli::try_parse_from(given.split_whitespace()).unwrap();
        let Some(Verb::Start(args)) = &given.verb else { panic!("{given:?}") };
        let words = args.words(&given.common);
        let again = ["surefoot".into(), "run".into()].into_iter().chain(words);
        let again = Cli::try_parse_from(again).unwrap();
        assert_eq!(again.common, given.common);
        assert!(matches!(&again.verb, Some(Verb::Run(again)) if again == args), "{again:?}");
    }

    #[test]
    fn flags_stand_before_and_behind_the_verb() {
        let cli = Cli::try_parse_from(["surefoot", "run", "--for", "60s", "--json"]).unwrap();
        assert!(cli.common.json);
        let cli = Cli::try_parse_from(["surefoot", "--json", "status"]).unwrap();
        assert!(cli.common.json);
        assert!(Cli::try_parse_from(["surefoot"]).unwrap().verb.is_none());
        assert!(Cli::try_parse_from(["surefoot", "resume"]).is_err(), "a resume needs its reason");
    }
}
