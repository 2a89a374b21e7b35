//! A function fits a screen. Functions that do not are listed here with the reason, and the list may only shrink.

use super::{files, none, read, root, short};

/// Lines of a function in the program, from `fn` to the closing brace.
const LINES_MAX: usize = 70;
/// Lines of a function in tests: a scenario is read from top to bottom, and its cases are a table.
const TEST_LINES_MAX: usize = 110;

/// File, function and reason. An entry whose function has become short enough must be removed.
const EXCEPTIONS: [(&str, &str, &str); 3] = [
    ("src/app/health/tests.rs", "cases", "a table: one row a fault"),
    (
        "src/twin/polymarket/meta.rs",
        "gamma_market",
        "a table: one line a field of the venue's answer",
    ),
    ("tests/odd/drawn.rs", "messages", "a table: one row a kind of message"),
];

/// The code of `text` line by line, with everything inside comments, strings and character literals taken out.
fn code_of(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let in_word = code.ends_with(|c: char| c.is_alphanumeric() || c == '_');
        let (literal, mark) = literal_at(rest, in_word);
        code.push_str(mark);
        if literal == 0 {
            code.push(first);
            rest = &rest[first.len_utf8()..];
        } else {
            code.extend(rest[..literal].chars().filter(|c| *c == '\n'));
            rest = &rest[literal..];
        }
    }
    code
}

/// How many bytes of `text` are one comment, string or character literal, and what stands for it; 0 where none begins.
fn literal_at(text: &str, in_word: bool) -> (usize, &'static str) {
    let through = |end: &str, from: usize| {
        text[from..].find(end).map_or(text.len(), |at| from + at + end.len())
    };
    if text.starts_with("//") {
        return (text.find('\n').unwrap_or(text.len()), "");
    }
    if text.starts_with("/*") {
        return (through("*/", 2), "");
    }
    if !in_word && let Some(raw) = text.strip_prefix('r').or_else(|| text.strip_prefix("br")) {
        let hashes = raw.len() - raw.trim_start_matches('#').len();
        if raw[hashes..].starts_with('"') {
            let from = text.len() - raw.len() + hashes + 1;
            return (through(&format!("\"{}", "#".repeat(hashes)), from), "\"\"");
        }
    }
    if text.starts_with('"') {
        return (escaped_until('"', text), "\"\"");
    }
    let mut chars = text.chars();
    match (chars.next(), chars.next(), chars.next()) {
        (Some('\''), Some('\\'), _) => (escaped_until('\'', text), "' '"),
        (Some('\''), Some(c), Some('\'')) => (2 + c.len_utf8(), "' '"),
        _ => (0, ""), // a lifetime, or plain code
    }
}

/// Bytes of a literal that begins with one byte of quote and ends with `quote`, which a backslash may escape.
fn escaped_until(quote: char, text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        if c == quote && !escaped {
            return at + 1;
        }
        escaped = c == '\\' && !escaped;
    }
    text.len()
}

/// Every function with a body: its name, the line of its `fn`, and how many lines it has.
fn functions(text: &str) -> Vec<(String, usize, usize)> {
    let code = code_of(text);
    let mut found = Vec::new();
    for (at, _) in code.match_indices("fn ") {
        if code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_') {
            continue;
        }
        let name = code[at + 3..].trim_start();
        let name = name.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or("");
        let Some(end) = end_of_body(&code[at..]) else { continue };
        if !name.is_empty() {
            let lines = |part: &str| part.matches('\n').count() + 1;
            found.push((name.to_owned(), lines(&code[..at]), lines(&code[at..at + end])));
        }
    }
    found
}

/// Where the body of the function that `code` begins with ends; `None` for a declaration without a body.
fn end_of_body(code: &str) -> Option<usize> {
    let (mut round, mut curly) = (0_i32, 0_i32);
    for (at, c) in code.char_indices() {
        match c {
            '(' | '[' => round += 1,
            ')' | ']' => round -= 1,
            ';' if round == 0 && curly == 0 => return None,
            '{' => curly += 1,
            '}' => {
                curly -= 1;
                if curly <= 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}

fn is_test(path: &str, text: &str, line: usize) -> bool {
    let tests_from = text
        .find("#[cfg(test)]\nmod")
        .map_or(usize::MAX, |at| text[..at].matches('\n').count() + 1);
    path.starts_with("tests/")
        || path.contains("/tests/")
        || path.ends_with("/tests.rs")
        || line > tests_from
}

#[test]
fn functions_fit_a_screen() {
    let mut found = Vec::new();
    let mut excused = Vec::new();
    for path in files(root(), ".rs") {
        let (path, text) = (short(&path), read(&path));
        for (name, line, lines) in functions(&text) {
            let bound = if is_test(&path, &text, line) { TEST_LINES_MAX } else { LINES_MAX };
            if lines <= bound {
                continue;
            }
            let is_excused = |entry: &&(&str, &str, &str)| entry.0 == path && entry.1 == name;
            match EXCEPTIONS.iter().find(is_excused) {
                Some(entry) => excused.push((entry.0, entry.1)),
                None => found
                    .push(format!("{path}:{line}: {name} has {lines} lines, more than {bound}")),
            }
        }
    }
    none("a function fits a screen", &found);
    let over = |entry: &&(&str, &str, &str)| !excused.contains(&(entry.0, entry.1));
    let done: Vec<_> =
        EXCEPTIONS.iter().filter(over).map(|entry| format!("{} {}", entry.0, entry.1)).collect();
    none("these fit a screen now, or have moved: take them off the list", &done);
}

#[test]
fn functions_are_measured_from_their_name_to_their_brace() {
    let text = "trait T {\n    fn none(&self) -> [u8; 2];\n}\n\
                // fn in_a_comment() {\n\
                fn two<'a>(of: &'a str) -> char {\n    '{' }\n\
                const fn five() -> String {\n    let _ = r#\"}\" {\"#;\n    /* } */\n    format!(\"}}\\\"{}\", '\\'')\n}\n\
                fn takes(one: fn(u8) -> u8) { one(1); }\n";
    let found = functions(text);
    let lines: Vec<_> =
        found.iter().map(|(name, line, lines)| (name.as_str(), *line, *lines)).collect();
    assert_eq!(lines, [("two", 5, 2), ("five", 7, 5), ("takes", 12, 1)]);
}
