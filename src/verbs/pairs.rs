//! `surefoot pairs`: whether a market of one venue asks what a market of the other asks.

mod find;

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use surefoot_cold::terms::{Judgement, Verdict};
use surefoot_cold::venue::pairs::judge_pair;

use super::refuse;
use crate::exit::Exit;

/// A line is read up to so many bytes: the longest market objects seen have under a hundred thousand.
const LINE_BYTES_MAX: u64 = 4 << 20;

/// What about pairs.
#[derive(Clone, Debug, Subcommand)]
pub enum PairsVerb {
    /// Judge pairs of market objects by their texts: certified, offered to a person, or refused
    #[command(
        after_help = "Each line of FILE is one object: an `id`, and the market object of each venue under the venue's name, as its REST API \
gives it. Each line of the answer is one object with `id`, `verdict`, `polarity`, `reason` and `missing`, in the same order.\n\n\
Example:\n  surefoot pairs judge pairs.jsonl > judged.jsonl\n  jq -r 'select(.verdict == \"offered\") | .id + \": \" + (.missing | join(\", \"))' judged.jsonl\n\n\
Ends with 0 once every line has its answer: a line that cannot be read is answered `refused`. Ends with 1 where the file cannot be \
read to its end or the answer cannot be written. docs/pairs.md says what a certificate proves."
    )]
    Judge(JudgeArgs),
    /// Find the pairs among the listings of both venues: certified, or offered to a person
    #[command(
        after_help = "Each line of FILE is one object with a market object under its venue's name, in any order. Each line of the answer is one pair \
with the name and title of each market, `verdict`, `polarity`, `reason` and `missing`: for each market of the first venue the certified ones \
first, then the offered ones that lack least.\n\n\
Example, where VENUE is the venue's name:\n  jq -c '.[] | {VENUE: .}' listing.json >> listings.jsonl\n  \
surefoot pairs find listings.jsonl > found.jsonl\n\n\
Ends with 0 once the listings are searched; a line that cannot be read is told on stderr and left out. Ends with 1 where the file cannot be \
read to its end or the answer cannot be written. docs/pairs.md says how pairs are found."
    )]
    Find(find::FindArgs),
}

/// Which pairs to judge.
#[derive(Args, Clone, Debug)]
pub struct JudgeArgs {
    /// Lines of JSON, one pair each; `-` reads them from stdin
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Add what was proven of each certified pair, as `certificate`
    #[arg(long)]
    pub certificates: bool,
}

/// How many pairs came out how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counts {
    certified: u64,
    offered: u64,
    refused: u64,
    /// Of the refused: lines that hold no pair.
    unread: u64,
}

/// `surefoot pairs …`: reads a file and touches nothing else.
pub fn run(verb: &PairsVerb, json: bool) -> Exit {
    let args = match verb {
        PairsVerb::Judge(args) => args,
        PairsVerb::Find(args) => return find::run(args, json),
    };
    let done = open(&args.file).and_then(|mut input| {
        judge_lines(&mut *input, &mut io::stdout().lock(), args.certificates)
    });
    match done {
        Ok(counts) => {
            let Counts { certified, offered, refused, unread } = counts;
            eprintln!(
                "surefoot: {certified} certified, {offered} offered, {refused} refused, {unread} of them not read"
            );
            Exit::Ok
        }
        // Whoever reads no further has all that was asked for.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Ok,
        Err(error) => refuse(Exit::Failed, &format!("{}: {error}", args.file.display()), json),
    }
}

/// A file, or stdin.
fn open(file: &Path) -> io::Result<Box<dyn BufRead>> {
    Ok(if file == Path::new("-") {
        Box::new(io::stdin().lock())
    } else {
        Box::new(BufReader::new(File::open(file)?))
    })
}

/// Hands over each line that is not empty, with its number; what is longer than a line may be comes as a sentence that says so.
fn each_line(
    input: &mut dyn BufRead,
    mut take: impl FnMut(u64, Result<&[u8], String>) -> io::Result<()>,
) -> io::Result<()> {
    let (mut line, mut number) = (Vec::new(), 0_u64);
    loop {
        line.clear();
        if input.take(LINE_BYTES_MAX).read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        number += 1;
        if line.last() != Some(&b'\n') && line.len() as u64 == LINE_BYTES_MAX {
            skip_line(input)?;
            let why = format!("input: line {number} is longer than {LINE_BYTES_MAX} bytes");
            take(number, Err(why))?;
        } else if !line.trim_ascii().is_empty() {
            take(number, Ok(&line))?;
        }
    }
}

/// Answers line by line: what is read of the file is one line at a time.
fn judge_lines(
    input: &mut dyn BufRead,
    out: &mut dyn Write,
    certificates: bool,
) -> io::Result<Counts> {
    let mut counts = Counts::default();
    each_line(input, |number, line| {
        let (id, judged, read) = match line {
            Ok(line) => judge_line(line, number),
            Err(why) => (Value::Null, Judgement::refused(why), false),
        };
        match judged.verdict {
            Verdict::Certified => counts.certified += 1,
            Verdict::Offered => counts.offered += 1,
            Verdict::Refused => counts.refused += 1,
        }
        counts.unread += u64::from(!read);
        writeln!(out, "{}", answer(&id, judged, certificates))
    })?;
    Ok(counts)
}

fn skip_line(input: &mut dyn BufRead) -> io::Result<()> {
    loop {
        let buffer = input.fill_buf()?;
        let (taken, ended) = match buffer.iter().position(|byte| *byte == b'\n') {
            Some(at) => (at + 1, true),
            None => (buffer.len(), buffer.is_empty()),
        };
        input.consume(taken);
        if ended {
            return Ok(());
        }
    }
}

/// The line's id, what was found of its pair, and whether there was a pair.
fn judge_line(line: &[u8], number: u64) -> (Value, Judgement, bool) {
    let pair: Value = match serde_json::from_slice(line) {
        Ok(pair) => pair,
        Err(error) => {
            let why = format!("input: line {number} is no JSON: {error}");
            return (Value::Null, Judgement::refused(why), false);
        }
    };
    let id = pair.get("id").cloned().unwrap_or(Value::Null);
    if !pair.is_object() {
        return (id, Judgement::refused(format!("input: line {number} is no object")), false);
    }
    let mut judged = judge_pair(&pair);
    let read = !judged.reason.starts_with("input: ");
    if !read {
        judged.reason = format!("{}, line {number}", judged.reason);
    }
    (id, judged, read)
}

fn answer(id: &Value, judged: Judgement, certificates: bool) -> Value {
    let mut answer = json!({ "id": id });
    say(&mut answer, judged, certificates);
    answer
}

/// Adds what was found of a pair to its line.
fn say(answer: &mut Value, judged: Judgement, certificates: bool) {
    answer["verdict"] = judged.verdict.name().into();
    answer["polarity"] = judged.polarity().into();
    answer["reason"] = judged.reason.into();
    answer["missing"] = judged.missing.into();
    if certificates && let Some(certificate) = judged.certificate {
        answer["certificate"] = certificate;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(input: &[u8]) -> (Vec<Value>, Counts) {
        let mut out = Vec::new();
        let counts = judge_lines(&mut &input[..], &mut out, false).unwrap();
        let text = String::from_utf8(out).unwrap();
        (text.lines().map(|line| serde_json::from_str(line).unwrap()).collect(), counts)
    }

    #[test]
    fn a_bad_line_gets_an_answer_like_any_other() {
        let (lines, counts) = judged(b"{\"id\": 7}\nnot json\n\n[1]\n{\"id\":\"x\",\"kalshi\":{},\"polymarket\":{}}\n\xff\xfe");
        let told: Vec<(String, String)> = lines
            .iter()
            .map(|line| (line["id"].to_string(), line["verdict"].as_str().unwrap().to_owned()))
            .collect();
        assert_eq!(
            told.iter().map(|(id, _)| id.as_str()).collect::<Vec<_>>(),
            ["7", "null", "null", "\"x\"", "null"]
        );
        assert!(told.iter().all(|(_, verdict)| verdict == "refused"));
        assert!(lines[1]["reason"].as_str().unwrap().contains("line 2"), "{}", lines[1]);
        assert!(lines[0]["reason"].as_str().unwrap().contains("line 1"), "{}", lines[0]);
        assert_eq!((counts.refused, counts.unread), (5, 4));
        let keys: Vec<&String> = lines[3].as_object().unwrap().keys().collect();
        assert_eq!(keys, ["id", "verdict", "polarity", "reason", "missing"]);
    }

    #[test]
    fn a_line_without_end_is_answered_and_the_next_one_is_read() {
        let mut input = vec![b'x'; usize::try_from(LINE_BYTES_MAX).unwrap() + 10];
        input.extend_from_slice(b"\n{\"id\": 2}\n");
        let (lines, counts) = judged(&input);
        assert_eq!((lines.len(), counts.refused), (2, 2));
        assert_eq!(lines[1]["id"], 2);
    }
}
