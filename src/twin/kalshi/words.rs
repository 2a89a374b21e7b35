//! How the venue is reached, in words.

use serde_json::Value;

/// The venue's part of what `surefoot twin` prints, as lines for a person.
pub fn lines(venue: &Value) -> Vec<String> {
    let mut lines = vec!["Kalshi".to_owned()];
    for name in ["rest", "ws"] {
        lines.push(format!("  {name:<17} {}", venue[name].as_str().unwrap_or_default()));
    }
    for account in venue["accounts"].as_array().into_iter().flatten() {
        let field = |name: &str| account[name].as_str().unwrap_or_default().to_owned();
        lines.push(format!(
            "  key, {:<12} {} in {}",
            field("key_type"),
            field("key_id"),
            field("private_key_file")
        ));
    }
    lines
}
