//! `surefoot unfollow`: markets that are followed no more, once nothing is held there.

use serde_json::json;
use surefoot_cold::state_dir::StateDir;
use surefoot_cold::text::counted;

use super::follow::MarketsArgs;
use super::status::not_running;
use super::told;
use crate::config::Setup;
use crate::control::client::{PATIENCE_LONG, ask};
use crate::exit::Exit;

/// Told to the running instance. All of the markets are withdrawn, or none.
pub fn run(args: &MarketsArgs, setup: &Setup) -> Exit {
    let state = StateDir::at(&setup.config.state_dir);
    let request = json!({ "cmd": "unfollow", "markets": args.markets });
    match ask(&state, &request, PATIENCE_LONG) {
        Ok(answer) => {
            let done = format!(
                "nothing is opened there any more, {} withdrawn; each market is left once nothing is held there \
                 (`core_markets_leaving` in `surefoot status --json`)",
                counted(answer["baskets"].as_u64().unwrap_or(0), "basket was", "baskets were")
            );
            told(&answer, setup.json, &done)
        }
        Err(error) => not_running(&state, &error, setup.json),
    }
}
