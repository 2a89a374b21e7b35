//! `surefoot release`: a quarantined market may be opened in again.

use clap::Args;
use serde_json::json;
use surefoot_cold::state_dir::StateDir;

use super::status::not_running;
use super::{refuse, told};
use crate::config::Setup;
use crate::control::client::{PATIENCE, ask};
use crate::exit::Exit;

/// Which market to release.
#[derive(Args, Clone, Debug)]
pub struct ReleaseArgs {
    /// Its condition id at Polymarket or its ticker at Kalshi, as `status` shows it
    #[arg(value_name = "MARKET")]
    pub market: String,
    /// For the record: what the odd message meant and why the market may be traded
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
}

/// `surefoot release`: told to the running instance; where none runs there is nobody who could check the name.
pub fn run(args: &ReleaseArgs, setup: &Setup) -> Exit {
    let state = StateDir::at(&setup.config.state_dir);
    let (market, reason) = (args.market.trim(), args.reason.trim());
    if reason.is_empty() {
        let why =
            "release needs a reason: what the message meant, and why the market may be traded";
        return refuse(Exit::Usage, why, setup.json);
    }
    match ask(&state, &json!({ "cmd": "release", "market": market, "reason": reason }), PATIENCE) {
        Ok(answer) => told(&answer, setup.json, "released: it may be opened in again"),
        Err(error) => not_running(&state, &error, setup.json),
    }
}
