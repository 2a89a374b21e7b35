//! The `surefoot` command.

use clap::Parser;
use surefoot::cli::{Cli, RunArgs, Verb};
use surefoot::config::Config;
use surefoot::control::verbs;
use surefoot::exit::Exit;
use surefoot::run::{self, Setup};

fn main() -> Exit {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are data; what was not understood is talk.
            let _ = error.print();
            return if error.use_stderr() { Exit::Usage } else { Exit::Ok };
        }
    };
    let mut config = Config::demo();
    if let Some(state) = &cli.common.state {
        config.state_dir.clone_from(state);
    }
    let setup = Setup { config, json: cli.common.json };
    match cli.verb.unwrap_or(Verb::Run(RunArgs::default())) {
        Verb::Run(args) => run::demo::run(&args, &setup),
        Verb::Start(args) => verbs::start(&args.words(&cli.common), &setup),
        Verb::Status(args) => verbs::status(&args, &setup),
        Verb::Halt(args) => verbs::halt(&args, &setup),
        Verb::Resume(args) => verbs::resume(&args, &setup),
        Verb::Stop => verbs::stop(&setup),
        Verb::Twin(args) => run::twin::run(&args, &setup),
        Verb::Bench(args) => run::bench::run(&args, &setup),
        Verb::Replay(args) => run::replay::run(&args, &setup),
        Verb::Config(_) => Exit::NotYet,
    }
}
