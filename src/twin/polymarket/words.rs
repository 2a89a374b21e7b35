//! How the venue is reached, in words.

use serde_json::Value;

/// The venue's part of what `surefoot twin` prints, as lines for a person.
pub fn lines(venue: &Value) -> Vec<String> {
    let mut lines = vec!["Polymarket".to_owned()];
    for name in ["clob", "gamma", "data", "ws_market", "ws_user"] {
        lines.push(format!("  {name:<17} {}", venue[name].as_str().unwrap_or_default()));
    }
    for account in venue["accounts"].as_array().into_iter().flatten() {
        let kind = &account["signature_type"];
        let funder = account["funder"].as_str().unwrap_or_default();
        lines.push(format!("  account, type {kind}   {funder} (key and credentials with --json)"));
    }
    lines
}
