//! What was measured: as a table, as one JSON object, as HDR files.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::time::{Duration, SystemTime};

use hdrhistogram::Histogram;
use hdrhistogram::serialization::V2Serializer;
use hdrhistogram::serialization::interval_log::{IntervalLogWriterBuilder, Tag};
use serde_json::{Value, json};

use super::hiccups::Hiccups;
use super::{Row, ns};

/// A whole run.
#[derive(Debug)]
pub struct Report {
    /// Every row, in the order measured.
    pub rows: Vec<Row>,
    /// What the machine did meanwhile.
    pub hiccups: Hiccups,
    /// Things a reader of the figures must know.
    pub remarks: Vec<String>,
    /// Rows that could not be measured: each one's name, and why in a sentence.
    pub failed: Vec<(&'static str, String)>,
}

/// Picoseconds as a JSON number of nanoseconds.
fn number(ps: u64) -> Value {
    let text = format!("{}.{:03}", ps / 1_000, ps % 1_000);
    text.parse::<f64>().map_or(Value::Null, Value::from)
}

fn quantiles(hist: &Histogram<u64>) -> [Value; 4] {
    let at = |quantile| number(hist.value_at_quantile(quantile));
    [at(0.5), at(0.99), at(0.999), number(hist.max())]
}

impl Report {
    /// One object: `rows` and `hiccups` as documented, further fields beside them.
    pub fn json(&self) -> Value {
        let rows: Vec<Value> = self.rows.iter().map(row_json).collect();
        json!({
            "rows": rows,
            "hiccups": {
                "over_10us_per_s": number(self.hiccups.per_s_milli()),
                "max_us": number(self.hiccups.max_ns()),
                "watched_s": number(self.hiccups.watched_ns / 1_000_000),
            },
            "remarks": self.remarks,
            "failed": self.failed.iter().map(|(name, why)| json!({ "name": name, "why": why })).collect::<Vec<_>>(),
        })
    }

    /// The table, for people. Nanoseconds.
    pub fn table(&self) -> String {
        let mut text = format!(
            "{:<32} {:>10} {:>10} {:>10} {:>11} {:>9} {:>6} {:>11}\n",
            "ns", "p50", "p99", "p99.9", "max", "n", "block", "single p99"
        );
        for row in &self.rows {
            text += &line(row.name, row);
            for reference in row.references() {
                text += &line(&format!("· {}", reference.name), reference);
            }
        }
        let Hiccups { gaps, watched_ns } = &self.hiccups;
        let per_s = self.hiccups.per_s_milli();
        text += &format!(
            "\nhiccups: {}.{:03} gaps over 10 µs a second in {}.{} s on another core; longest {} µs\n",
            per_s / 1_000,
            per_s % 1_000,
            watched_ns / 1_000_000_000,
            watched_ns / 100_000_000 % 10,
            gaps.max() / 1_000,
        );
        text += "rows in blocks are timed a block at a time and divided; `single p99` is the same one at a time between \
                 fenced clock reads, which cost what `clock_read` says\n";
        for row in &self.rows {
            text += &format!("{}: {}\n", row.name, row.input);
        }
        for remark in &self.remarks {
            text += remark;
            text.push('\n');
        }
        text
    }

    /// One HDR log (V2) a row in `dir`, values in picoseconds, `<row>.hlog`; and one of the hiccups, in nanoseconds.
    ///
    /// # Errors
    /// The directory or a file cannot be written.
    pub fn write(&self, dir: &Path) -> io::Result<()> {
        fs::create_dir_all(dir)?;
        for row in &self.rows {
            let mut parts = vec![("blocks", &row.hist)];
            parts.extend(row.single.iter().map(|single| ("single", single)));
            let tags = ["reference", "reference_2"];
            parts.extend(tags.into_iter().zip(row.references().map(|reference| &reference.hist)));
            log(&dir.join(format!("{}.hlog", row.name)), "picoseconds per operation", &parts)?;
        }
        let gaps = [("gaps", &self.hiccups.gaps)];
        log(&dir.join("hiccups.hlog"), "nanoseconds, gaps over 10 µs alone", &gaps)?;
        fs::write(dir.join("bench.json"), format!("{:#}\n", self.json()))
    }
}

fn row_json(row: &Row) -> Value {
    let [p50, p99, p999, max] = quantiles(&row.hist);
    let mut object = json!({
        "name": row.name,
        "unit": "ns",
        "p50": p50,
        "p99": p99,
        "p999": p999,
        "max": max,
        "count": row.hist.len() * u64::from(row.block),
        "block": row.block,
        "input": row.input,
    });
    if let Some(single) = &row.single {
        object["single_p99"] = number(single.value_at_quantile(0.99));
    }
    for (key, reference) in ["reference", "reference_2"].into_iter().zip(row.references()) {
        let [p50, p99, ..] = quantiles(&reference.hist);
        object[key] = json!({ "name": reference.name, "p50": p50, "p99": p99 });
    }
    object
}

fn line(name: &str, row: &Row) -> String {
    let at = |quantile| ns(row.quantile_ps(quantile));
    let single =
        row.single.as_ref().map_or("-".to_owned(), |single| ns(single.value_at_quantile(0.99)));
    let (p50, p99, p999, max) = (at(0.5), at(0.99), at(0.999), ns(row.hist.max()));
    let (count, block) = (row.hist.len() * u64::from(row.block), row.block);
    format!(
        "{name:<32} {p50:>10} {p99:>10} {p999:>10} {max:>11} {count:>9} {block:>6} {single:>11}\n"
    )
}

fn log(path: &Path, unit: &str, parts: &[(&str, &Histogram<u64>)]) -> io::Result<()> {
    let fail = |error: &dyn std::fmt::Debug| io::Error::other(format!("{error:?}"));
    let mut bytes = Vec::new();
    let mut serializer = V2Serializer::new();
    let now = SystemTime::now();
    let mut writer = IntervalLogWriterBuilder::new()
        .add_comment(&format!("[{unit}]"))
        .with_base_time(now)
        .with_start_time(now)
        .begin_log_with(&mut bytes, &mut serializer)?;
    for (tag, hist) in parts {
        writer
            .write_histogram(hist, Duration::ZERO, Duration::ZERO, Tag::new(tag))
            .map_err(|error| fail(&error))?;
    }
    File::create(path)?.write_all(&bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_that_failed_is_named_beside_those_that_did_not() {
        let hist = crate::bench::Span { warm_up: 0, blocks: 10 };
        let row = crate::bench::clock_read(hist);
        let hiccups = crate::bench::hiccups::Watch::start().unwrap().finish();
        let failed = vec![("wire_pm_fused", "four shots were missed".to_owned())];
        let report = Report { rows: vec![row], hiccups, remarks: Vec::new(), failed };
        let json = report.json();
        assert_eq!(json["rows"][0]["name"], "clock_read");
        assert_eq!(json["failed"][0]["name"], "wire_pm_fused");
        assert_eq!(json["failed"][0]["why"], "four shots were missed");
    }

    #[test]
    fn numbers_keep_their_digits() {
        assert_eq!(number(8_437).to_string(), "8.437");
        assert_eq!(number(12_000_050).to_string(), "12000.05");
    }
}
