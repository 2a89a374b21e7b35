//! Who may ask the gate. An order is judged by a view: whoever makes one up gets whatever approved.

use super::{files, none, paths_of, read, root, short};

/// The core's two files that ask and the one that says what is seen then, and the measurement; its reference reads the same views, and
/// asks nothing.
const ASKERS: [&str; 5] = [
    "hot/src/core/asked.rs",
    "hot/src/core/place.rs",
    "hot/src/core/resting.rs",
    "src/bench/risk_table.rs",
    "src/bench/plain_table.rs",
];
/// The only one of them that may begin with a view which has nothing in the way.
const MEASURES: &str = "src/bench/risk_table.rs";

/// What of a source leads to the gate: paths that it names, however they are imported.
fn ways_to_the_gate(code: &str) -> Vec<String> {
    let paths = paths_of(code, &["crate", "surefoot_hot", "risk"]);
    let leads = |path: &String| format!("{path}::").contains("risk::gate::");
    paths.into_iter().filter(leads).collect()
}

#[test]
fn the_gate_is_asked_by_the_core_and_by_measurements_alone() {
    for way in [
        "use crate::risk::{LimitRow,\n gate};",
        "use surefoot_hot::{risk::gate::{View, check}};",
        "risk::gate::check();",
    ] {
        assert!(!ways_to_the_gate(way).is_empty(), "the reader of paths works: {way}");
    }
    assert!(ways_to_the_gate("use crate::risk::Approved; // risk::gate::check").is_empty());
    let (mut found, mut needless) = (Vec::new(), Vec::new());
    for path in
        ["hot/src", "cold/src", "src"].iter().flat_map(|src| files(&root().join(src), ".rs"))
    {
        let name = short(&path);
        if name.ends_with("tests.rs") || name.contains("/tests/") {
            continue;
        }
        let text = read(&path);
        // Tests sit at the bottom and may ask as they like.
        let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
        let ways = ways_to_the_gate(code);
        let is_asker = ASKERS.contains(&name.as_str());
        if is_asker && ways.is_empty() {
            needless.push(name.clone());
        } else if !is_asker {
            found.extend(ways.iter().map(|way| format!("{name}: {way}")));
        }
        let code = code.lines().map(|line| line.split("//").next().unwrap_or_default());
        if name != MEASURES
            && code.into_iter().any(|line| line.contains(concat!("View::", "clear")))
        {
            found.push(format!("{name}: a view that has nothing in the way"));
        }
    }
    none("only the core asks the gate, with a view of what there is", &found);
    none("these files do not ask the gate any more and need no exception", &needless);
}
