//! The `surefoot` command.

use std::io::Write as _;

use clap::Parser;
use surefoot::cli::{Cli, RunArgs, Verb};
use surefoot::config::{Setup, find};
use surefoot::exit::Exit;
use surefoot::verbs;

/// A panic that nobody caught ends by the documented exit, never by Rust's own 101.
fn main() -> Exit {
    std::panic::catch_unwind(run_verb).unwrap_or_else(|_| {
        let (_, remedy) = Exit::Internal.meaning();
        let _ = writeln!(
            std::io::stderr(),
            "surefoot: our own mistake: the message above names it. {remedy}"
        );
        Exit::Internal
    })
}

fn run_verb() -> Exit {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are data; what was not understood is talk.
            let _ = error.print();
            return if error.use_stderr() { Exit::Usage } else { Exit::Ok };
        }
    };
    surefoot_cold::os::make_private();
    let verb = cli.verb.unwrap_or(Verb::Run(RunArgs::default()));
    if let Verb::Config(verb) = &verb {
        return verbs::config::run(verb, &cli.common);
    }
    let loaded = match &verb {
        Verb::Run(args) | Verb::Start(args) => find::load_all(&cli.common, Some(args)),
        Verb::Status(_)
        | Verb::Halt(_)
        | Verb::Resume(_)
        | Verb::Release(_)
        | Verb::Follow(_)
        | Verb::Unfollow(_)
        | Verb::Stop
        | Verb::AcceptLoss(_)
        | Verb::Replay(_) => Ok(find::load_for_control(&cli.common)),
        _ => find::load_all(&cli.common, None),
    };
    let setup = match loaded {
        Ok(loaded) => Setup { config: loaded.config, json: cli.common.json },
        Err(exit) => return exit,
    };
    match verb {
        Verb::Run(args) => verbs::run::run(&args, &setup),
        Verb::Start(args) => verbs::start::run(&args.words(&cli.common), &setup),
        Verb::Status(args) => verbs::status::run(&args, &setup),
        Verb::Halt(args) => verbs::halt::run(&args, &setup),
        Verb::Resume(args) => verbs::resume::run(&args, &setup),
        Verb::Release(args) => verbs::release::run(&args, &setup),
        Verb::Follow(args) => verbs::follow::run(&args, &setup),
        Verb::Unfollow(args) => verbs::unfollow::run(&args, &setup),
        Verb::Stop => verbs::stop::run(&setup),
        Verb::AcceptLoss(args) => verbs::accept_loss::run(&args, &setup),
        Verb::Twin(args) => verbs::twin::run(&args, &setup),
        Verb::Bench(args) => verbs::bench::run(&args, &setup),
        Verb::Replay(args) => verbs::replay::run(&args, &setup),
        Verb::Sim(args) => verbs::sim::run(&args, &setup),
        Verb::Config(_) => unreachable!("answered above"),
    }
}
