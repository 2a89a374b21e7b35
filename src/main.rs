//! The `surefoot` command.

use std::io::Write as _;

use clap::Parser;
use surefoot::cli::{Cli, Mode, RunArgs, Verb};
use surefoot::config::verbs as config;
use surefoot::control::{loss, verbs};
use surefoot::exit::Exit;
use surefoot::run::{self, Setup};

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
        return config::run(verb, &cli.common);
    }
    let loaded = match &verb {
        Verb::Run(args) | Verb::Start(args) => config::load_all(&cli.common, Some(args)),
        Verb::Status(_)
        | Verb::Halt(_)
        | Verb::Resume(_)
        | Verb::Release(_)
        | Verb::Stop
        | Verb::AcceptLoss(_)
        | Verb::Replay(_) => Ok(config::load_for_control(&cli.common)),
        _ => config::load_all(&cli.common, None),
    };
    let setup = match loaded {
        Ok(loaded) => Setup { config: loaded.config, json: cli.common.json },
        Err(exit) => return exit,
    };
    match verb {
        Verb::Run(_) | Verb::Start(_) if setup.config.mode != Mode::Demo => {
            not_yet(setup.config.mode)
        }
        Verb::Run(args) => run::demo::run(&args, &setup),
        Verb::Start(args) => verbs::start(&args.words(&cli.common), &setup),
        Verb::Status(args) => verbs::status(&args, &setup),
        Verb::Halt(args) => verbs::halt(&args, &setup),
        Verb::Resume(args) => verbs::resume(&args, &setup),
        Verb::Release(args) => verbs::release(&args, &setup),
        Verb::Stop => verbs::stop(&setup),
        Verb::AcceptLoss(args) => loss::accept(&args, &setup),
        Verb::Twin(args) => run::twin::run(&args, &setup),
        Verb::Bench(args) => run::bench::run(&args, &setup),
        Verb::Replay(args) => run::replay::run(&args, &setup),
        Verb::Config(_) => unreachable!("answered above"),
    }
}

fn not_yet(mode: Mode) -> Exit {
    eprintln!(
        "surefoot: the mode `{}` is not built in this version; nothing was connected and nothing sent. \
         `surefoot run demo` trades the embedded venues",
        mode.name()
    );
    Exit::NotYet
}
