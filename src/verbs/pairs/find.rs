//! `surefoot pairs find`: the pairs among the listings of both venues.

use std::io::{self, BufRead, Write};
use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};
use surefoot_cold::terms::Verdict;
use surefoot_cold::venue::pairs::Listings;
use surefoot_hot::ids::Venue;

use super::{each_line, open, refuse, say};
use crate::exit::Exit;

/// The venues that are held against each other: where there are more than two, each further one is a further search.
const VENUES: [Venue; 2] = [Venue::ALL[1], Venue::ALL[0]];
/// Lines that cannot be read and are told one by one; the others are counted.
const TOLD_MAX: u64 = 10;

/// Where to look.
#[derive(Args, Clone, Debug)]
pub struct FindArgs {
    /// Lines of JSON, a market object each under its venue's name; `-` reads them from stdin
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// How many offered pairs to show for one market at most; certified ones are all shown
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub most: usize,
    /// Add what was proven of each certified pair, as `certificate`
    #[arg(long)]
    pub certificates: bool,
}

/// What came of a search.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counts {
    certified: u64,
    offered: u64,
    judged: usize,
    left_out: usize,
    /// Lines that are no JSON, or hold no market object.
    unread: u64,
    /// Markets that are never one of a pair.
    never: u64,
}

/// Reads a file of listings and touches nothing else.
pub fn run(args: &FindArgs, json: bool) -> Exit {
    let mut listings = Listings::default();
    let mut counts = Counts::default();
    let done = open(&args.file)
        .and_then(|mut input| take_listings(&mut *input, &mut listings, &mut counts))
        .and_then(|()| {
            let [one, other] = VENUES;
            eprintln!(
                "surefoot: {} markets of {}, {} of {}; {} never one of a pair, {} lines not read",
                listings.count(one),
                one.name(),
                listings.count(other),
                other.name(),
                counts.never,
                counts.unread
            );
            write_found(&listings, args, &mut io::stdout().lock(), &mut counts)
        });
    match done {
        Ok(()) => {
            let Counts { certified, offered, judged, left_out, .. } = counts;
            eprintln!(
                "surefoot: {judged} pairs judged: {certified} certified, {offered} offered; {left_out} more are offered of markets that have better ones (--most)"
            );
            Exit::Ok
        }
        // Whoever reads no further has all that was asked for.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Ok,
        Err(error) => refuse(Exit::Failed, &format!("{}: {error}", args.file.display()), json),
    }
}

/// Takes every market object in.
fn take_listings(
    input: &mut dyn BufRead,
    listings: &mut Listings,
    counts: &mut Counts,
) -> io::Result<()> {
    each_line(input, |number, line| {
        let line = line.and_then(|line| {
            serde_json::from_slice::<Value>(line)
                .map_err(|error| format!("input: line {number} is no JSON: {error}"))
        });
        let refused = match line.map(|line| listings.take(&line)) {
            Ok(Ok(_)) => return Ok(()),
            Ok(Err(refused)) => refused,
            Err(why) => vec![why],
        };
        for why in refused {
            if !why.starts_with("input: ") {
                counts.never += 1; // a combination, a placeholder: most listings have many
                continue;
            }
            counts.unread += 1;
            if counts.unread <= TOLD_MAX {
                eprintln!("surefoot: line {number} is left out: {why}");
            }
        }
        Ok(())
    })
}

fn write_found(
    listings: &Listings,
    args: &FindArgs,
    out: &mut dyn Write,
    counts: &mut Counts,
) -> io::Result<()> {
    let found = listings.find(VENUES, args.most);
    (counts.judged, counts.left_out) = (found.judged, found.left_out);
    let [these, those] = VENUES.map(|venue| listings.markets(venue));
    for candidate in found.candidates {
        match candidate.judgement.verdict {
            Verdict::Certified => counts.certified += 1,
            Verdict::Offered | Verdict::Refused => counts.offered += 1,
        }
        let mut line = json!({});
        for (venue, market) in
            VENUES.into_iter().zip([&these[candidate.one], &those[candidate.other]])
        {
            line[venue.name()] = json!({ "name": market.name, "title": market.title, "stands_for": market.stands_for });
        }
        say(&mut line, candidate.judgement, args.certificates);
        writeln!(out, "{line}")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(input: &[u8]) -> (Listings, Counts) {
        let (mut listings, mut counts) = (Listings::default(), Counts::default());
        take_listings(&mut &input[..], &mut listings, &mut counts).unwrap();
        (listings, counts)
    }

    #[test]
    fn a_line_that_cannot_be_read_is_counted_and_the_others_are_taken() {
        let market = r#"{"kalshi":{"ticker":"KXA-1","market_type":"binary","title":"Will it rain?","rules_primary":"If it rains, then the market resolves to Yes."}}"#;
        let input = format!("not json\n[1]\n{{\"id\": 7}}\n\n{market}\n");
        let (listings, counts) = counted(input.as_bytes());
        assert_eq!((counts.unread, counts.never), (3, 0));
        assert_eq!(VENUES.map(|venue| listings.count(venue)).iter().sum::<usize>(), 1);
    }

    #[test]
    fn a_market_that_is_never_one_of_a_pair_is_counted_apart() {
        let (listings, counts) =
            counted(br#"{"kalshi":{"ticker":"KXMVESPORTS-1","title":"Two things at once"}}"#);
        assert_eq!((counts.unread, counts.never), (0, 1));
        assert!(VENUES.iter().all(|venue| listings.count(*venue) == 0));
    }

    #[test]
    fn a_line_of_the_answer_names_both_markets_and_what_was_found() {
        let rules =
            "If it rains in New York City on December 5, 2026, then the market resolves to Yes.";
        let input = format!(
            "{{\"kalshi\":{{\"ticker\":\"KXRAIN-1\",\"title\":\"Will it rain in New York City on December 5?\",\"rules_primary\":\"{rules}\"}}}}\n\
             {{\"polymarket\":{{\"conditionId\":\"0xab\",\"question\":\"Will it rain in New York City on December 5?\",\"outcomes\":\"[\\\"Yes\\\",\\\"No\\\"]\",\"description\":\"{rules}\"}}}}\n"
        );
        let (listings, mut counts) = counted(input.as_bytes());
        let args = FindArgs { file: PathBuf::new(), most: 3, certificates: false };
        let mut out = Vec::new();
        write_found(&listings, &args, &mut out, &mut counts).unwrap();
        let line: Value = serde_json::from_slice(&out).unwrap();
        assert_eq!(
            (&line["kalshi"]["name"], &line["polymarket"]["name"]),
            (&"KXRAIN-1".into(), &"0xab".into())
        );
        assert_eq!(line["verdict"], "offered", "rain is read by nobody: {line}");
        assert_eq!((counts.certified, counts.offered, counts.judged), (0, 1, 1));
    }
}
