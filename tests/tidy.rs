//! House rules as tests: what review has said twice, this says the third time.
//!
//! Words that must not stand in the sources are put together from halves here, so that this file may be searched too.

#[path = "tidy/cycles.rs"]
mod cycles;
#[path = "tidy/docs.rs"]
mod docs;
#[path = "tidy/functions.rs"]
mod functions;
#[path = "tidy/gate.rs"]
mod gate;
#[path = "tidy/invariants.rs"]
mod invariants;
#[path = "tidy/paths.rs"]
mod paths;
#[path = "support/skip.rs"]
mod skip;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Past this a file usually holds two nouns.
const FILE_LINES_MAX: usize = 800;
/// Every crate the shipped program is made of, ours included.
const CRATES_MAX: usize = 150;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every file of the repository below `folder` whose name ends in `end`, without build output and hidden folders.
fn files(folder: &Path, end: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(folder) = open.pop() {
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for entry in entries {
            let path = entry.expect("a readable entry").path();
            let name = path.file_name().expect("entries have names").to_string_lossy().into_owned();
            if path.is_dir() {
                let skipped = name.starts_with('.') && name != ".ci";
                let built = ["target", "node_modules", "__pycache__", "surefoot-state"];
                if !skipped && !built.contains(&name.as_str()) {
                    open.push(path);
                }
            } else if name.ends_with(end) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn read(path: &Path) -> String {
    let bytes = fs::read(path).expect("a readable file");
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The path as the reader knows it.
fn short(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}

/// Fails with every finding at once.
fn none(rule: &str, findings: &[String]) {
    assert!(findings.is_empty(), "{rule}:\n  {}\n", findings.join("\n  "));
}

/// Whether `word` stands in `line` with no letter, digit or underscore around it.
fn has_word(line: &str, word: &str) -> bool {
    let part_of_word = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        !before.is_some_and(part_of_word) && !after.is_some_and(part_of_word)
    })
}

#[test]
fn words_are_found_whole() {
    assert!(has_word("let x: f64 = y;", "f64"));
    assert!(has_word("f64::from(y)", "f64"));
    assert!(!has_word("half64", "f64") && !has_word("f64x2", "f64") && !has_word("my_f64", "f64"));
}

#[test]
fn no_rust_file_holds_two_nouns() {
    let long = files(root(), ".rs")
        .iter()
        .map(|path| (short(path), read(path).lines().count()))
        .filter(|(_, lines)| *lines > FILE_LINES_MAX)
        .map(|(path, lines)| format!("{path}: {lines} lines, more than {FILE_LINES_MAX}"))
        .collect::<Vec<_>>();
    none("files are about one noun", &long);
}

#[test]
fn every_file_says_what_it_is() {
    let silent = files(root(), ".rs")
        .iter()
        .filter(|path| !path.ends_with("tests.rs") && !read(path).starts_with("//!"))
        .map(|path| short(path))
        .collect::<Vec<_>>();
    none("every Rust file but a `tests.rs` begins with a `//!` line", &silent);
}

#[test]
fn nothing_is_left_unfinished() {
    let marks = [
        concat!("todo", "!("),
        concat!("unimplemented", "!("),
        concat!("FIX", "ME"),
        concat!("X", "XX"),
    ];
    let mut found = Vec::new();
    for path in files(root(), ".rs") {
        for (at, line) in read(&path).lines().enumerate() {
            if marks.iter().any(|mark| line.contains(mark)) {
                found.push(format!("{}:{}: {}", short(&path), at + 1, line.trim()));
            }
        }
    }
    none("no unfinished marks", &found);
}

/// `hot/clippy.toml` says the same to the compiler; a macro or an alias hides a name from clippy, not from a search.
#[test]
fn the_core_touches_nothing_outside() {
    let words =
        ["Instant", "SystemTime", "HashMap", "HashSet", "Mutex", "RwLock", "f32", "f64", "unsafe"];
    let paths = ["std::net", "std::fs", "std::thread", "std::env", "std::process"];
    let mut found = Vec::new();
    for path in files(&root().join("hot/src"), ".rs") {
        if path.ends_with("tests.rs") {
            continue;
        }
        let text = read(&path);
        // Tests sit at the bottom and may use what they like.
        let code = text.split("#[cfg(test)]\nmod").next().unwrap_or_default();
        for (at, line) in code.lines().enumerate() {
            let line = line.split("//").next().unwrap_or_default();
            let bad = words.iter().any(|word| has_word(line, word))
                || paths.iter().any(|path| line.contains(path));
            if bad {
                found.push(format!("{}:{}: {}", short(&path), at + 1, line.trim()));
            }
        }
    }
    none("hot has no clock, socket, file, lock, float or unordered table", &found);
}

/// Outside of `hot` the type's fields cannot be set; inside of it this is what keeps a floor from being written down.
#[test]
fn a_basket_is_made_of_a_proof_alone() {
    let makes = |line: &str| line.contains(concat!("Basket", "Def {")) && !line.contains("struct");
    let mut found = Vec::new();
    for path in files(&root().join("hot/src"), ".rs") {
        let name = short(&path);
        let is_test = name.ends_with("tests.rs") || name.contains("/tests/");
        if is_test || ["hot/src/basket/def.rs", "hot/src/basket/proof.rs"].contains(&name.as_str())
        {
            continue;
        }
        let text = read(&path);
        let lines = text.lines().enumerate().filter(|(_, line)| makes(line));
        found.extend(lines.map(|(at, line)| format!("{name}:{}: {}", at + 1, line.trim())));
    }
    none("a `BasketDef` is made in `hot/src/basket/proof.rs`", &found);
}

/// A machine of ours is not the reader's, and a registry is the reader's choice.
#[test]
fn no_machine_is_named() {
    let hosts = [
        concat!("static.", "crates.io"),
        concat!("index.", "crates.io"),
        concat!("pypi", ".org"),
        concat!("registry.", "npmjs"),
        concat!("deb.", "debian.org"),
    ];
    let folders =
        [concat!("/ro", "ot/"), concat!("/ho", "me/"), concat!("/wo", "rk/"), concat!("/tm", "p/")];
    let ends = [
        ".rs",
        ".toml",
        ".md",
        ".sh",
        ".py",
        ".mjs",
        ".json",
        ".yaml",
        ".yml",
        "justfile",
        "Containerfile",
        "run",
    ];
    let mut found = Vec::new();
    for path in ends.iter().flat_map(|end| files(root(), end)) {
        for (at, line) in read(&path).lines().enumerate() {
            let named = hosts.iter().any(|host| line.contains(host));
            let ours = folders.iter().any(|folder| {
                line.match_indices(folder).any(|(at, _)| {
                    let before = line[..at].chars().next_back();
                    !before.is_some_and(|c| c.is_alphanumeric() || "_./-}".contains(c))
                })
            });
            if named || ours {
                found.push(format!("{}:{}: {}", short(&path), at + 1, line.trim()));
            }
        }
    }
    none("no registry hosts and no machine paths", &found);
}

/// A golden file that no test names proves nothing. `tests/codec_golden.rs` reads every `.frames` with the `.events`
/// beside it; half of such a pair is unread.
#[test]
fn every_golden_file_is_read() {
    let sources = files(root(), ".rs").iter().map(|path| read(path)).collect::<Vec<_>>().join("\n");
    let unread = files(&root().join("tests/golden"), "")
        .iter()
        .filter(|path| {
            let name = path.file_name().expect("files have names").to_string_lossy();
            let beside = match path.extension().and_then(|end| end.to_str()) {
                Some("frames") => path.with_extension("events"),
                Some("events") => path.with_extension("frames"),
                _ => return !sources.contains(name.as_ref()),
            };
            !beside.exists()
        })
        .map(|path| short(path))
        .collect::<Vec<_>>();
    none("every golden file is named by a test", &unread);
}

#[test]
fn every_dependency_has_its_reason() {
    let manifest = read(&root().join("Cargo.toml"));
    let section = manifest.split("[workspace.dependencies]\n").nth(1).expect("the section exists");
    let lines =
        section.lines().take_while(|line| !line.starts_with('[')).filter(|line| line.contains('='));
    let silent = lines
        .filter(|line| {
            !line.contains("path = ")
                && line.split_once(" # ").is_none_or(|(_, why)| why.len() <= 2)
        })
        .map(ToString::to_string)
        .collect::<Vec<_>>();
    none("every dependency says why it is here", &silent);
}

/// A pause that is long enough here is too short on a loaded machine, and too long for everybody else. The rig has what
/// waits for a condition, looks whether one holds, and kills at a drawn moment.
#[test]
fn tests_of_the_whole_program_wait_for_conditions() {
    let mut found = Vec::new();
    for path in
        files(&root().join("tests/e2e"), ".rs").iter().filter(|path| !path.ends_with("rig.rs"))
    {
        for (at, line) in read(path).lines().enumerate() {
            if line.contains("sleep(") {
                found.push(format!("{}:{}: {}", short(path), at + 1, line.trim()));
            }
        }
    }
    none(
        "no fixed pause in tests/e2e: use `until`, `holds`, `still` or `kill_after` of the rig",
        &found,
    );
}

/// A page that points nowhere has lost its subject.
#[test]
fn every_link_between_pages_leads_somewhere() {
    let mut found = Vec::new();
    for page in files(root(), ".md") {
        let text = read(&page);
        let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        for target in targets.map(|target| target.split('#').next().unwrap_or_default()) {
            let outside = target.is_empty() || target.contains("://");
            let folder = page.parent().expect("files have folders");
            if !outside && !folder.join(target).exists() {
                found.push(format!("{}: {target}", short(&page)));
            }
        }
    }
    none("links between pages", &found);
}

#[test]
fn every_decision_is_one_page() {
    let mut found = Vec::new();
    let pages = files(&root().join("docs/decisions"), ".md");
    for (at, path) in pages.iter().filter(|path| !path.ends_with("README.md")).enumerate() {
        let text = read(path);
        let name = path.file_name().expect("files have names").to_string_lossy().into_owned();
        if !name.starts_with(&format!("{:04}-", at + 1)) {
            found.push(format!("{name}: numbers run without a gap"));
        }
        for heading in
            ["## Context", "## Decision", "## What we gave up", "## How we would know it was wrong"]
        {
            if !text.contains(heading) {
                found.push(format!("{name}: no `{heading}`"));
            }
        }
        if text.lines().count() > 70 {
            found.push(format!("{name}: longer than a page"));
        }
    }
    none("decisions", &found);
}

#[test]
fn the_dependency_tree_stays_small() {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let tree = Command::new(cargo)
        .args(["tree", "--package", "surefoot", "--edges", "normal", "--offline", "--locked"])
        .args(["--prefix", "none", "--format", "{p}"])
        .current_dir(root())
        .output();
    let Some(tree) = tree.ok().filter(|tree| tree.status.success()) else {
        return skip::skip("tool", "`cargo tree --offline --locked` does not run here");
    };
    let text = String::from_utf8_lossy(&tree.stdout).into_owned();
    // "name v1.2.3 (source) (*)": a crate is its name and version.
    let crates = text
        .lines()
        .filter_map(|line| {
            let mut words = line.split(' ');
            Some(format!("{} {}", words.next().filter(|name| !name.is_empty())?, words.next()?))
        })
        .collect::<BTreeSet<_>>();
    eprintln!("{} crates in the normal tree", crates.len());
    assert!(crates.len() < CRATES_MAX, "{} crates, {CRATES_MAX} is the bound", crates.len());
    assert!(crates.iter().any(|name| name.starts_with("rustls ")), "the tree was read");
    let said = format!("| {CRATES_MAX} | {}, ours included", crates.len());
    let page = read(&root().join("CONTRIBUTING.md"));
    assert!(page.contains(&said), "CONTRIBUTING.md counts other crates than {}", crates.len());
}

#[test]
fn every_alarm_has_a_row_for_whoever_is_woken_by_it() {
    let source = read(&root().join("hot/src/note.rs"));
    let page = read(&root().join("docs/operator.md"));
    let body = source.split("pub enum Alarm {").nth(1).and_then(|rest| rest.split("\n}").next());
    let (mut seen, mut missing) = (0, Vec::new());
    for line in body.expect("the alarms").lines() {
        let Some((name, _)) = line.trim().split_once(" = ") else { continue };
        let mut snake = String::new();
        for (at, letter) in name.char_indices() {
            if letter.is_uppercase() && at > 0 {
                snake.push('_');
            }
            snake.extend(letter.to_lowercase());
        }
        seen += 1;
        let cell = format!("`{snake}`");
        let is_row = |row: &str| row.split('|').nth(1).is_some_and(|first| first.contains(&cell));
        if !page.lines().any(is_row) {
            missing.push(snake);
        }
    }
    assert!(seen >= 20 && missing.is_empty(), "docs/operator.md has no row for {missing:?}");
}

/// `thread::spawn` panics where the system has no room for a thread; what a `Builder` gives is an error with words.
#[test]
fn no_thread_is_started_in_a_way_that_panics() {
    let mut found = Vec::new();
    for folder in ["src", "cold/src"] {
        for path in
            files(&root().join(folder), ".rs").iter().filter(|path| !path.ends_with("tests.rs"))
        {
            let text = read(path);
            let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
            let lines = code
                .lines()
                .enumerate()
                .filter(|(_, line)| line.contains(concat!("thread::", "spawn(")));
            found.extend(
                lines.map(|(at, line)| format!("{}:{}: {}", short(path), at + 1, line.trim())),
            );
        }
    }
    none("threads are started by `thread::Builder`, and what it says is handled", &found);
}

/// What `src/twin` may share with the code that trades, and why an error in it cannot hide from the tests
/// (`docs/decisions/0003`). Everything else it has of its own: a decoder or a price rule used on both sides would agree
/// with itself even where both are wrong.
const SHARED_WITH_TWIN: [&str; 10] = [
    "surefoot_hot::units",                      // integers with a unit
    "surefoot_hot::ids",                        // sides, outcomes and venues as enums
    "surefoot_hot::grid::Grid",                 // which prices exist
    "surefoot_hot::fees::FeeRule", // a market's rates as data; the twin computes its own fees
    "surefoot_hot::fees::Ppm",     // a rate's type
    "surefoot_cold::secrets",      // texts that print as `***`
    "surefoot_cold::text",         // hex and 256-bit numbers; golden vectors hold it
    "surefoot_cold::venue::polymarket::eip712", // digests and recovery of signers; golden vectors hold it
    "surefoot_cold::venue::polymarket::signer::l2_signature", // the HMAC that a request must carry; golden vectors
    "crate::twin",
];

/// Every path that a Rust source imports or names, groups in braces taken apart.
fn paths_of(source: &str, roots: &[&str]) -> Vec<String> {
    fn expand(text: &str, out: &mut Vec<String>) {
        let text = text.trim();
        let Some((prefix, rest)) = text.split_once('{') else {
            out.push(text.split(" as ").next().unwrap_or_default().trim().to_owned());
            return;
        };
        let body = rest.rsplit_once('}').map_or(rest, |(body, _)| body);
        let (mut depth, mut from) = (0_u32, 0);
        for (at, c) in body.char_indices().chain([(body.len(), ',')]) {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 0 => {
                    if !body[from..at].trim().is_empty() {
                        expand(&format!("{prefix}{}", body[from..at].trim()), out);
                    }
                    from = at + 1;
                }
                _ => {}
            }
        }
    }
    let code = source.lines().map(|line| line.split("//").next().unwrap_or_default());
    let code = code.collect::<Vec<_>>().join(" ");
    let mut out = Vec::new();
    for root in roots {
        for (at, _) in code.match_indices(&format!("{root}::")) {
            let before = code[..at].chars().next_back();
            if before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':') {
                continue;
            }
            let is_use = code[..at].trim_end().ends_with("use");
            let end = if is_use {
                code[at..].find(';')
            } else {
                code[at..].find(|c: char| !c.is_alphanumeric() && c != '_' && c != ':')
            };
            expand(&code[at..end.map_or(code.len(), |end| at + end)], &mut out);
        }
    }
    out
}

/// The twin shares no decoder and no reader with what trades: then a mistake in one of them shows as a difference.
#[test]
fn the_twin_stands_behind_a_wall() {
    let taken = paths_of("use a::{b, c::{d as e, f}};\nlet x = a::g::h(1); // a::i", &["a"]);
    assert_eq!(taken, ["a::b", "a::c::d", "a::c::f", "a::g::h"], "the reader of paths works");
    let (mut found, mut read_paths) = (Vec::new(), 0);
    for path in files(&root().join("src/twin"), ".rs") {
        // Tests bring both sides together on purpose.
        if path.ends_with("tests.rs") || path.components().any(|part| part.as_os_str() == "tests") {
            continue;
        }
        let text = read(&path);
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        let paths = paths_of(code, &["crate", "surefoot", "surefoot_hot", "surefoot_cold"]);
        read_paths += paths.len();
        let allowed = |taken: &String| {
            SHARED_WITH_TWIN.iter().any(|shared| {
                taken
                    .strip_prefix(shared)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
            })
        };
        for taken in paths.iter().filter(|taken| !allowed(taken)) {
            found.push(format!("{}: {taken}", short(&path)));
        }
        // From a file in the folder itself two steps up leave the twin, from a folder below three.
        let depth = path
            .strip_prefix(root().join("src/twin"))
            .expect("listed below it")
            .components()
            .count();
        let is_mod = path.ends_with("mod.rs");
        let steps = depth + 1 - usize::from(is_mod);
        if code.contains(&"super::".repeat(steps)) {
            found.push(format!("{}: `super` leads out of the twin", short(&path)));
        }
    }
    assert!(read_paths > 100, "only {read_paths} imports were read");
    none("src/twin uses nothing of the code that trades but what SHARED_WITH_TWIN names", &found);
}

/// What places an order, signs one or takes a body to a venue.
const WAYS_TO_AN_ORDER: &[&str] =
    &["exec", "Exec", "Order", "Intent", "Signer", "Access", "Accounts", "Rest", "post", "machine"];

/// The watchdog's process may cancel and ask alone, and what it is made of says so: no module of it knows another way.
#[test]
fn the_watchdog_knows_no_way_to_an_order() {
    let mut found = Vec::new();
    let mut sources = files(&root().join("src/watchdog"), ".rs");
    sources.push(root().join("src/verbs/watchdog.rs"));
    assert!(sources.len() > 3, "it is not where it was: {sources:?}");
    for path in sources {
        let code = read(&path);
        let code = code.lines().filter(|line| !line.trim_start().starts_with("//"));
        let named = |line: &&str| WAYS_TO_AN_ORDER.iter().any(|way| has_word(line, way));
        found.extend(code.filter(named).map(|line| format!("{}: {line}", short(&path))));
    }
    none("the watchdog holds `CancelRights` and nothing that could place an order", &found);
}

/// Where a venue is named outside the folders that are a venue's own: a further venue is a row in each of these.
const VENUES_NAMED: &[&str] = &[
    "hot/src/ids.rs",         // the row that makes it one
    "hot/src/venue_rules.rs", // its row of rules
    "hot/src/fees.rs",        // formulas of fees
    "cold/src/directory.rs",  // what a venue calls its markets
    "src/config/keys.rs",     // where it is and where its keys are
    "src/app/audit.rs",       // reads the hashes that only Polymarket's stream has
    "src/sim/world.rs",       // makes a simulated day's venues out of the twin's
    "src/verbs/bench.rs",     // names its measurements
];
/// Folders that are a venue's own, have a file for each, or stand beside the program: the twin and the measurements.
const VENUES_FOLDERS: &[&str] = &[
    "hot/src/venue/",
    "cold/src/venue/",
    "src/machine/venue/",
    "src/sim/venue/",
    "src/twin/",
    "src/bench/",
];

/// The names of all venues, as the rows of their table say them.
fn venues() -> Vec<String> {
    let text = read(&root().join("hot/src/ids.rs"));
    let (_, table) = text.split_once("pub enum Venue {").expect("the table of venues");
    let (table, _) = table.split_once('}').expect("its end");
    // A row is `Variant = number, "name";`.
    table
        .lines()
        .filter_map(|row| Some(row.split_once(", \"")?.1.split('"').next()?.to_owned()))
        .collect()
}

/// What differs between venues stands in a venue's own folder or in a row: a third venue is that, and no search for names.
#[test]
fn the_program_names_no_venue_but_in_its_rows() {
    let venues = venues();
    assert!(venues.len() > 1, "the table of venues is not where it was: {venues:?}");
    let (mut found, mut needless) = (Vec::new(), Vec::new());
    for path in
        ["hot/src", "cold/src", "src"].iter().flat_map(|src| files(&root().join(src), ".rs"))
    {
        let name = short(&path);
        let tests = name.ends_with("tests.rs") || name.contains("/tests/");
        if tests || VENUES_FOLDERS.iter().any(|folder| name.starts_with(folder)) {
            continue;
        }
        let text = read(&path);
        // Tests sit at the bottom and may name whom they like.
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        let lines = code.lines().enumerate().filter(|(_, line)| {
            let line = line.split("//").next().unwrap_or_default().to_lowercase();
            venues.iter().any(|venue| line.contains(venue.as_str()))
        });
        let lines = lines
            .map(|(at, line)| format!("{name}:{}: {}", at + 1, line.trim()))
            .collect::<Vec<_>>();
        if !VENUES_NAMED.contains(&name.as_str()) {
            found.extend(lines);
        } else if lines.is_empty() {
            needless.push(name);
        }
    }
    none("ask for a venue's rules, account or listing, not its name", &found);
    none("these files name no venue any more and need no exception", &needless);
}
