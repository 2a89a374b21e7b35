//! What a public item of the library crates does is said; what its name and type say already is not said again.

use super::{files, none, read, root, short};

/// Docs of one or two words that are left in each crate. The numbers may only fall, and the aim is zero.
const SHORT_DOCS_MAX: [(&str, usize); 3] = [("hot/src", 15), ("cold/src", 15), ("src", 15)];

/// Line and text of every doc comment that is one line of one or two words.
fn short_docs(text: &str) -> Vec<(usize, &str)> {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let is_doc = |line: Option<&&str>| line.is_some_and(|line| line.starts_with("///"));
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let Some(doc) = line.strip_prefix("///") else { continue };
        let alone = !is_doc(at.checked_sub(1).and_then(|before| lines.get(before)))
            && !is_doc(lines.get(at + 1));
        if alone && (1..=2).contains(&doc.split_whitespace().count()) {
            found.push((at + 1, *line));
        }
    }
    found
}

/// "Which order." over `order: OrderId` teaches the reader to skip docs. A field or a variant whose name and type say
/// everything has none; every other has a whole sentence, with its unit and range.
#[test]
fn a_doc_says_more_than_a_word() {
    for (folder, most) in SHORT_DOCS_MAX {
        let mut found = Vec::new();
        for path in files(&root().join(folder), ".rs") {
            let text = read(&path);
            found.extend(
                short_docs(&text)
                    .into_iter()
                    .map(|(line, doc)| format!("{}:{line}: {doc}", short(&path))),
            );
        }
        if found.len() > most {
            none(
                &format!("more than {most} docs of one or two words: say more, or say nothing"),
                &found,
            );
        }
        assert!(
            found.len() + 20 > most,
            "{folder}: only {} are left: lower the bound",
            found.len()
        );
    }
}

/// Line and text of every public item, and of every function of a public trait, that has no doc. Fields and variants may
/// do without: rustc's `missing_docs` knows no such difference, so it is not used.
fn silent_items(text: &str) -> Vec<(usize, &str)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut block = "";
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let next = lines.get(at + 1);
        if line.starts_with("#[cfg(test)]") && next.is_some_and(|next| next.starts_with("mod ")) {
            break;
        }
        if !line.is_empty() && !line.starts_with([' ', '/', '#']) {
            block = line;
        }
        let item = line.trim_start();
        let of_trait = block.starts_with("pub trait ") && line.strip_prefix("    ") == Some(item);
        let counts = item.strip_prefix("pub ").is_some_and(is_item) || (of_trait && is_item(item));
        let above = lines[..at].iter().rev().map(|line| line.trim());
        let is_doc = |line: &str| line.starts_with("///") || line.starts_with("$(#[$");
        let said = above.take_while(|line| !line.is_empty()).any(is_doc);
        if counts && !said && !is_of_private_type(block, &lines) {
            found.push((at + 1, item));
        }
    }
    found
}

fn is_item(text: &str) -> bool {
    let kinds = ["fn", "const fn", "struct", "enum", "union", "trait", "const", "static", "type"];
    kinds.iter().any(|kind| text.starts_with(&format!("{kind} ")))
}

/// Whether `block` is the `impl` of a type that this file keeps to its crate: nobody outside sees its methods.
fn is_of_private_type(block: &str, lines: &[&str]) -> bool {
    let Some(name) = block.strip_prefix("impl ").and_then(|rest| rest.split([' ', '<']).next())
    else {
        return false;
    };
    let declares = |line: &&&str| {
        let words: Vec<&str> = line.split([' ', '<', ';', '(', ')']).collect();
        words.windows(2).any(|pair| ["struct", "enum"].contains(&pair[0]) && pair[1] == name)
    };
    lines.iter().find(declares).is_some_and(|line| !line.starts_with("pub "))
}

#[test]
fn every_public_item_says_what_it_is() {
    let mut found = Vec::new();
    for path in ["hot/src", "cold/src"].iter().flat_map(|folder| files(&root().join(folder), ".rs"))
    {
        if path.ends_with("tests.rs") {
            continue;
        }
        let text = read(&path);
        let items = silent_items(&text).into_iter();
        found.extend(items.map(|(line, item)| format!("{}:{line}: {item}", short(&path))));
    }
    none("public items have a doc", &found);
}

#[test]
fn docs_are_read_as_a_reader_sees_them() {
    assert_eq!(
        short_docs("/// Where.\nat: u32,\n/// Two\n/// lines\nx: u8,\n/// Bytes, at most 9.\n"),
        [(1, "/// Where.")]
    );
    let text = "pub struct A;\n\n/// Said.\n#[derive(\n    Debug\n)]\npub enum B { One }\n\npub trait C {\n    fn x();\n}\n\n\
                pub(super) struct D;\n\nimpl D {\n    pub fn x() {}\n}\n";
    let lines: Vec<_> = silent_items(text).into_iter().map(|(line, _)| line).collect();
    assert_eq!(lines, [1, 9, 10]);
}
