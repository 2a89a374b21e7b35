//! The page of invariants names the code that keeps each, and the code names the invariant.

use std::collections::BTreeSet;

use super::{files, has_word, none, read, root};

/// Ids of the page: a letter, and how many there are of it. S4 is about modes that are not built.
const IDS: [(char, u32); 5] = [('O', 17), ('R', 6), ('P', 7), ('G', 5), ('S', 12)];
const WITHOUT_ROW: [&str; 1] = ["S4"];

/// A row of the page: id, files and tests.
fn row(line: &str) -> Option<(&str, Vec<&str>, Vec<&str>)> {
    let mut cells = line.strip_prefix("| ")?.split(" | ");
    let id = cells.next()?;
    let (letter, number) = id.split_at_checked(1)?;
    let is_id = "ORPGS".contains(letter) && number.parse::<u32>().is_ok();
    fn quoted(cell: &str) -> Vec<&str> {
        cell.split('`').skip(1).step_by(2).collect()
    }
    let (_, places, tests) = (cells.next()?, cells.next()?, cells.next()?);
    is_id.then_some((id, quoted(places), quoted(tests)))
}

#[test]
fn every_invariant_is_named_where_it_is_kept() {
    let page = read(&root().join("docs/invariants.md"));
    let mut tests = BTreeSet::new();
    for path in files(root(), ".rs") {
        let text = read(&path);
        let marked = text.split("#[test]").skip(1).filter_map(|rest| rest.split("fn ").nth(1));
        tests.extend(marked.filter_map(|rest| rest.split('(').next()).map(str::to_owned));
    }
    // The tests of whole processes are rows of a table: `module::name` and an end of line.
    let end_to_end = read(&root().join("tests/e2e/main.rs"));
    let rows = end_to_end.lines().map(|line| line.trim().trim_end_matches([',', ';']));
    tests.extend(rows.filter_map(|row| row.split_once("::")).map(|(_, name)| name.to_owned()));
    let (mut seen, mut found) = (BTreeSet::new(), Vec::new());
    for (id, places, shown) in page.lines().filter_map(row) {
        seen.insert(id.to_owned());
        if places.is_empty() || shown.is_empty() {
            found.push(format!("{id}: a place and a test"));
        }
        for place in places {
            if !read(&root().join(place)).lines().any(|line| has_word(line, id)) {
                found.push(format!("{id}: {place} does not name it"));
            }
        }
        found.extend(
            shown
                .iter()
                .filter(|test| !tests.contains(**test))
                .map(|test| format!("{id}: there is no test {test}")),
        );
    }
    let ids =
        IDS.iter().flat_map(|(letter, most)| (1..=*most).map(move |n| format!("{letter}{n}")));
    for id in ids.filter(|id| !WITHOUT_ROW.contains(&id.as_str())) {
        if !seen.contains(&id) {
            found.push(format!("{id} has no row"));
        }
    }
    none("docs/invariants.md", &found);
}

#[test]
fn rows_of_invariants_are_told_from_others() {
    let (id, places, tests) =
        row("| O1 | is | `a.rs`, `b.rs` | `holds` |").expect("a row of the table");
    assert_eq!((id, places, tests), ("O1", vec!["a.rs", "b.rs"], vec!["holds"]));
    assert!(row("| when | what is checked | a | b |").is_none());
    assert!(row("| --- | --- | --- | --- |").is_none());
}
