//! The `surefoot` command.

use std::io::Write as _;

use clap::Parser;
use surefoot::exit::Exit;
use surefoot::verbs::{self, Cli};

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
    verbs::carry_out(cli)
}
