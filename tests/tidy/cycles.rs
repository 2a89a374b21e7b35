//! Imports run one way: no two modules of a crate import each other.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::{files, none, read, root};

/// Modules that still import each other, as `crate folder: names`. A row may be taken out and none may be added; a row that
/// no longer holds must go.
const CYCLES_LEFT: &[&str] = &[];

/// The names that a module has from another by `use`, each with the module that it was taken from.
type Taken = BTreeMap<(Vec<String>, String), Vec<String>>;

/// A file as a module: its path below the crate's `src`, without `mod`, `lib` and `main`.
fn module(src: &Path, file: &Path) -> Vec<String> {
    let path = file.strip_prefix(src).expect("it lies below").with_extension("");
    let mut parts: Vec<String> =
        path.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    if parts.last().is_some_and(|last| ["mod", "lib", "main"].contains(&last.as_str())) {
        parts.pop();
    }
    parts
}

/// Every path of a `use` declaration, its braces taken apart.
fn use_paths(tree: &str, before: &[String], paths: &mut Vec<Vec<String>>) {
    let tree = tree.trim();
    let names = |text: &str| -> Vec<String> {
        let text = text.split(" as ").next().unwrap_or_default();
        text.split("::")
            .map(|name| name.trim().to_owned())
            .filter(|name| !name.is_empty())
            .collect()
    };
    let Some((head, rest)) = tree.split_once('{') else {
        paths.push([before, &names(tree)].concat());
        return;
    };
    let before = [before, &names(head)].concat();
    let (mut depth, mut from) = (0, 0);
    let body = rest.rsplit_once('}').map_or(rest, |(body, _)| body);
    for (at, letter) in body.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                use_paths(&body[from..at], &before, paths);
                from = at + 1;
            }
            _ => {}
        }
    }
    if !body[from..].trim().is_empty() {
        use_paths(&body[from..], &before, paths);
    }
}

/// A file without its comments and its tests, which may look anywhere.
fn code(text: &str) -> String {
    let code = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
    let lines = code.lines().map(|line| line.split("//").next().unwrap_or_default());
    lines.collect::<Vec<_>>().join("\n")
}

/// The paths of a file's `use` declarations.
fn declared_paths(code: &str) -> Vec<Vec<String>> {
    let mut paths = Vec::new();
    for part in code.split(';') {
        let at = part.match_indices("use ").find(|(at, _)| {
            *at == 0 || part[..*at].ends_with(|before: char| before.is_whitespace())
        });
        if let Some((at, _)) = at {
            use_paths(&part[at + 4..], &[], &mut paths);
        }
    }
    paths
}

/// The paths a file names: those of its `use` declarations, and those written out that begin at the crate or above.
fn named_paths(code: &str) -> Vec<Vec<String>> {
    let mut paths = declared_paths(code);
    for part in code.split(';') {
        for start in ["crate::", "super::"] {
            for (at, _) in part.match_indices(start) {
                let is_name = |letter: char| letter.is_alphanumeric() || "_:".contains(letter);
                let path = part[at..].split(|letter| !is_name(letter)).next().unwrap_or_default();
                use_paths(path, &[], &mut paths);
            }
        }
    }
    paths
}

/// The module that a path written in `from` leads to, if it is one of the crate: that of the file in which its last name
/// is declared, whoever hands the name on.
fn leads_to(
    path: &[String],
    from: &[String],
    modules: &BTreeSet<Vec<String>>,
    taken: &Taken,
) -> Option<Vec<String>> {
    let (mut to, mut rest) = match path.first()?.as_str() {
        "crate" => (Vec::new(), &path[1..]),
        "super" => (from.to_vec(), path),
        "self" => (from.to_vec(), &path[1..]),
        first if modules.contains(&[from, &[first.to_owned()]].concat()) => (from.to_vec(), path),
        _ => return None,
    };
    while rest.first().is_some_and(|name| name == "super") {
        to.pop();
        rest = &rest[1..];
    }
    for name in rest {
        let below = [&to[..], std::slice::from_ref(name)].concat();
        if modules.contains(&below) {
            to = below;
            continue;
        }
        let mut seen = BTreeSet::new();
        while let Some(further) = taken.get(&(to.clone(), name.clone()))
            && seen.insert(further)
        {
            to.clone_from(further);
        }
        if to.last() != Some(name) {
            break; // no module: what follows is in the type
        }
    }
    Some(to)
}

/// Neighbours in one folder that import each other, directly or in a ring. A folder and what lies in it are one thing to
/// its neighbours, and a file may use what the folder above it declares.
fn cycles(krate: &str, src: &Path) -> BTreeSet<String> {
    let sources: Vec<PathBuf> = files(src, ".rs");
    let modules: BTreeSet<Vec<String>> = sources.iter().map(|file| module(src, file)).collect();
    let files: Vec<(Vec<String>, String)> = sources
        .iter()
        .map(|file| (module(src, file), code(&read(file))))
        .filter(|(from, _)| from.iter().all(|part| part != "tests"))
        .collect();
    let mut taken = Taken::new();
    for (from, code) in &files {
        for path in declared_paths(code) {
            let Some(to) = leads_to(&path, from, &modules, &Taken::new()) else { continue };
            let name = path.last().expect("a path has a name").clone();
            if to != *from && name != "self" {
                taken.insert((from.clone(), name), to);
            }
        }
    }
    let mut uses: BTreeSet<(Vec<String>, String, String)> = BTreeSet::new();
    for (from, code) in &files {
        for path in named_paths(code) {
            let Some(to) = leads_to(&path, from, &modules, &taken) else { continue };
            let same = from.iter().zip(&to).take_while(|(one, other)| one == other).count();
            if same < from.len() && same < to.len() {
                uses.insert((from[..same].to_vec(), from[same].clone(), to[same].clone()));
            }
        }
    }
    let mut found = BTreeSet::new();
    for (folder, start, _) in &uses {
        // Everything that can be reached from `start`, and from there again.
        let reach = |start: &str| {
            let (mut seen, mut open) = (BTreeSet::new(), vec![start.to_owned()]);
            while let Some(at) = open.pop() {
                let next = uses.iter().filter(|(there, from, _)| there == folder && *from == at);
                open.extend(next.map(|(.., to)| to.clone()).filter(|to| seen.insert(to.clone())));
            }
            seen
        };
        let from_here = reach(start);
        if from_here.contains(start) {
            let ring: Vec<String> =
                from_here.into_iter().filter(|other| reach(other).contains(start)).collect();
            let folder: String = folder.iter().map(|part| format!("/{part}")).collect();
            found.insert(format!("{krate}{folder}: {}", ring.join(", ")));
        }
    }
    found
}

#[test]
fn paths_are_read_out_of_every_form_of_use() {
    let text = "use super::{a::{B, c::D}, self};\nfn f() { crate::e::g(); } // crate::no\npub use h::I as J;\n";
    let paths: Vec<String> = named_paths(&code(text)).iter().map(|path| path.join("::")).collect();
    for path in ["super::a::B", "super::a::c::D", "super::self", "crate::e::g", "h::I"] {
        assert!(paths.contains(&path.to_owned()), "{path} is not in {paths:?}");
    }
    assert!(!paths.iter().any(|path| path.contains("no")), "{paths:?}");
}

#[test]
fn a_name_leads_to_the_file_that_declares_it() {
    let path = |text: &str| text.split("::").map(str::to_owned).collect::<Vec<_>>();
    let modules = ["risk", "risk::context", "risk::account"].map(path).into();
    let taken = Taken::from([
        ((path("risk"), "Account".into()), path("risk::context")),
        ((path("risk::context"), "Account".into()), path("risk::account")),
    ]);
    let leads = |text| leads_to(&path(text), &path("risk::equity"), &modules, &taken);
    for text in ["super::Account", "crate::risk::Account", "crate::risk::Account::default"] {
        assert_eq!(leads(text), Some(path("risk::account")), "{text}");
    }
    assert_eq!(leads("super::context::Context"), Some(path("risk::context")));
    assert_eq!(leads("super::Other::Account"), Some(path("risk")));
}

/// Two modules that import each other can only be read, moved and tested together.
#[test]
fn no_two_modules_import_each_other() {
    let mut found = BTreeSet::new();
    for (krate, src) in [("hot", "hot/src"), ("cold", "cold/src"), ("src", "src")] {
        found.append(&mut cycles(krate, &root().join(src)));
    }
    let left: BTreeSet<String> = CYCLES_LEFT.iter().map(|row| (*row).to_owned()).collect();
    let new: Vec<String> = found.difference(&left).cloned().collect();
    none("modules that import each other", &new);
    let over: Vec<String> = left.difference(&found).cloned().collect();
    none("these import each other no more: take them out of `CYCLES_LEFT`", &over);
}
