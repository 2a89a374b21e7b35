//! The `surefoot` command.

use clap::Parser;
use surefoot::cli::{Cli, RunArgs, Verb};
use surefoot::config::Config;
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
    let setup = Setup { config: Config::demo(), json: cli.common.json };
    match cli.verb.unwrap_or(Verb::Run(RunArgs::default())) {
        Verb::Run(args) => run::demo::run(&args, &setup),
        Verb::Twin(args) => run::twin::run(&args, &setup),
        Verb::Bench(args) => run::bench::run(&args, &setup),
        Verb::Replay(args) => run::replay::run(&args, &setup),
        _ => Exit::NotYet,
    }
}
