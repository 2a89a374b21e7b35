//! `surefoot follow`: further markets while a run goes on.

use clap::Args;
use serde_json::json;
use surefoot_cold::state_dir::StateDir;
use surefoot_cold::text::counted;

use super::status::not_running;
use super::told;
use crate::config::Setup;
use crate::control::client::{PATIENCE_LONG, ask_patiently};
use crate::exit::Exit;

/// What `follow` and `unfollow` are given: one market or more.
#[derive(Args, Clone, Debug)]
pub struct MarketsArgs {
    /// The venue and what the venue calls the market, as in `kalshi:TICKER` or `polymarket:CONDITION_ID`; the name alone where
    /// it was followed before
    #[arg(value_name = "MARKET", required = true)]
    pub markets: Vec<String>,
}

/// Told to the running instance, which asks the venues for the terms. All of the markets are followed, or none.
pub fn run(args: &MarketsArgs, setup: &Setup) -> Exit {
    let state = StateDir::at(&setup.config.state_dir);
    let request = json!({ "cmd": "follow", "markets": args.markets });
    let say = || eprintln!("surefoot: waiting for the venues to tell the terms of the markets");
    match ask_patiently(&state, &request, PATIENCE_LONG, say) {
        Ok(answer) => {
            let count = |key: &str| answer[key].as_array().map_or(0, Vec::len) as u64;
            let done = format!(
                "{} followed from now on, {} already; {} added",
                counted(count("followed"), "market is", "markets are"),
                counted(count("already"), "was", "were"),
                counted(answer["baskets"].as_u64().unwrap_or(0), "basket was", "baskets were")
            );
            told(&answer, setup.json, &done)
        }
        Err(error) => not_running(&state, &error, setup.json),
    }
}
