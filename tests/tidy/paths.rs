//! A page that names a file or folder which is not there has not kept up with a move.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::{files, none, read, root, short};

/// Pages that describe the tree as it is. Decisions tell what was; the changelog too.
fn pages() -> Vec<PathBuf> {
    let named = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "benches/BENCHMARKS.md"];
    let mut pages: Vec<PathBuf> = named.iter().map(|name| root().join(name)).collect();
    for folder in ["docs", "tuning", "tests"] {
        pages.extend(files(&root().join(folder), ".md"));
    }
    pages.retain(|page| !page.starts_with(root().join("docs/decisions")));
    pages
}

/// The name of every file of the sources.
fn file_names() -> BTreeSet<String> {
    let name = |path: PathBuf| Some(path.file_name()?.to_str()?.to_owned());
    [".rs", ".sql", ".sh"].iter().flat_map(|end| files(root(), end)).filter_map(name).collect()
}

/// What stands between single backticks in a line.
fn quoted(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2)
}

/// Whether this names something of the tree: a source file or script by its ending, or a folder of the tree by its slash.
fn is_path(word: &str) -> bool {
    let plain = !word.contains(['<', '*', ' ', '…', ':', '$', '~']) && !word.starts_with('/');
    let is_file = [".rs", ".sql", ".sh"].iter().any(|end| word.ends_with(end));
    let tops = ["hot/", "cold/", "src/", "tests/", "docs/", "benches/", "tuning/"];
    plain && (is_file || tops.iter().any(|top| word.starts_with(top)))
}

/// Whether it is there: from the root, or below one of the folders that the same line names (a table names the folder first).
/// A bare file name may be anywhere in the sources.
fn is_there(word: &str, line: &str, names: &BTreeSet<String>) -> bool {
    if !word.contains('/') {
        return names.contains(word);
    }
    let word = word.trim_end_matches('/');
    let named = quoted(line).map(|other| Path::new(other.trim_end_matches('/')));
    let folders = named.flat_map(|path| [Some(path), path.parent()]).flatten();
    let crates = ["", "hot/src", "cold/src", "src"].map(Path::new);
    folders.chain(crates).any(|folder| root().join(folder).join(word).exists())
}

#[test]
fn every_path_that_a_page_names_is_there() {
    let (mut found, mut seen) = (Vec::new(), 0);
    let names = file_names();
    for page in pages() {
        for (at, line) in read(&page).lines().enumerate() {
            for word in quoted(line).filter(|word| is_path(word)) {
                seen += 1;
                if !is_there(word, line, &names) {
                    found.push(format!("{}:{}: {word}", short(&page), at + 1));
                }
            }
        }
    }
    assert!(seen > 100, "only {seen} paths were read");
    none("files and folders that pages name", &found);
}

#[test]
fn paths_are_told_from_other_words() {
    let line = "| `hot/src/core/` | `mod.rs`, `cargo run`, `venue/<name>.rs`, `a/b` | `none.rs` |";
    let words: Vec<_> = quoted(line).filter(|word| is_path(word)).collect();
    assert_eq!(words, ["hot/src/core/", "mod.rs", "none.rs"]);
    let names = BTreeSet::from(["mod.rs".to_owned()]);
    assert!(is_there("mod.rs", line, &names) && !is_there("none.rs", line, &names));
    assert!(is_there("hot/src/core/", line, &names) && is_there("core/mod.rs", line, &names));
    assert!(!is_there("hot/src/none/", line, &names));
}
