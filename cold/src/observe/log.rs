//! The sink that keeps every note as a line of JSON, in files that are turned over by size.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use surefoot_hot::note::Severity;

use super::sink::{Interest, Sink};
use super::told::Observation;
use crate::disk;

/// Notes that may wait for a slow disk.
const WAITING_MAX: u64 = 65_536;
/// How long the end of a run waits for it.
const ENDS_WITHIN: Duration = Duration::from_secs(5);

/// How the log is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogOptions {
    /// The file that is written to. Older ones have `.1`, `.2` and so on behind its name, the newest of them `.1`.
    pub path: PathBuf,
    /// A file that a line would make longer than this is turned over first.
    pub bytes_max: u64,
    /// How many older files are kept.
    pub older_max: u32,
}

/// Notes as lines of JSON.
#[derive(Debug)]
pub struct JsonLog {
    options: LogOptions,
    /// The file and its length; `None` before it was opened, and after a failure.
    open: Option<(File, u64)>,
    lines: Vec<u8>,
}

impl JsonLog {
    /// Opens nothing yet: the first note does.
    pub const fn new(options: LogOptions) -> Self {
        Self { options, open: None, lines: Vec::new() }
    }

    fn open(&mut self) -> io::Result<&mut (File, u64)> {
        if self.open.is_none() {
            let path = &self.options.path;
            let mut options = OpenOptions::new();
            let mut file = options.read(true).append(true).create(true).mode(0o600).open(path)?;
            let mut length = file.metadata()?.len();
            let mut last = [b'\n'];
            if length > 0 {
                file.read_exact_at(&mut last, length - 1)?;
            }
            if last != [b'\n'] {
                file.write_all(b"\n")?; // a crash or a full disk cut the last line off
                length += 1;
            }
            self.open = Some((file, length));
        }
        Ok(self.open.as_mut().expect("it was just opened"))
    }

    /// Writes the lines that wait.
    fn flush(&mut self) -> io::Result<()> {
        let lines = std::mem::take(&mut self.lines);
        if lines.is_empty() {
            return Ok(());
        }
        let (file, length) = self.open()?;
        let written = file.write_all(&lines);
        *length += lines.len() as u64;
        written
    }

    fn add(&mut self, line: &str) -> io::Result<()> {
        let bytes_max = self.options.bytes_max;
        let waiting = self.lines.len() as u64;
        let (_, length) = self.open()?;
        let before = *length + waiting;
        if before > 0 && before + line.len() as u64 + 1 > bytes_max {
            self.flush()?;
            self.turn_over()?;
        }
        self.lines.extend_from_slice(line.as_bytes());
        self.lines.push(b'\n');
        Ok(())
    }

    /// Renames each file to the next number, the last one away, and lets the next line begin a new one.
    fn turn_over(&mut self) -> io::Result<()> {
        self.open = None;
        let LogOptions { path, older_max, .. } = &self.options;
        if *older_max == 0 {
            return fs::remove_file(path);
        }
        for nth in (1..*older_max).rev() {
            match fs::rename(numbered(path, nth), numbered(path, nth + 1)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        fs::rename(path, numbered(path, 1))
    }

    fn write(&mut self, seen: &[Arc<Observation>]) -> io::Result<()> {
        for seen in seen {
            if let Observation::Note(note) = &**seen {
                self.add(&note.json().to_string())?;
            }
        }
        self.flush()
    }

    fn failed(&mut self, error: &io::Error) -> String {
        self.open = None;
        self.lines.clear();
        format!("cannot write {}: {error}", self.options.path.display())
    }
}

/// The name of an older file.
fn numbered(path: &Path, nth: u32) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{nth}"));
    PathBuf::from(name)
}

impl Sink for JsonLog {
    fn name(&self) -> &'static str {
        "log"
    }

    fn interest(&self) -> Interest {
        Interest {
            records: false,
            core_notes: Some(Severity::Info),
            run_notes: Some(Severity::Info),
            figures: false,
        }
    }

    fn waiting_max(&self) -> u64 {
        WAITING_MAX
    }

    fn ends_within(&self) -> Duration {
        ENDS_WITHIN
    }

    fn take(&mut self, seen: &[Arc<Observation>]) -> Result<(), String> {
        self.write(seen).map_err(|error| self.failed(&error))
    }

    fn end(&mut self) -> Result<(), String> {
        let Some((file, _)) = &self.open else { return Ok(()) };
        disk::sync_data(file).map_err(|error| self.failed(&error))
    }
}

#[cfg(test)]
mod tests {
    use surefoot_hot::ids::{OrderId, Venue};
    use surefoot_hot::units::Nanos;

    use super::*;
    use crate::observe::told::{NamedPlace, Phase, Source, ToldNote};

    fn scratch(name: &str) -> PathBuf {
        let dir = std::env::temp_dir().join(format!("surefoot-log-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(&dir).unwrap();
        dir
    }

    fn note(second: u64, text: &str) -> Arc<Observation> {
        Arc::new(Observation::Note(ToldNote {
            at: Nanos::from_secs(1_790_000_000 + second),
            source: Source::Core,
            code: "overfill",
            severity: Severity::Critical,
            place: NamedPlace {
                market: Some("KXA".into()),
                order: Some(OrderId::new(9)),
                ..NamedPlace::of_venue(Venue::ALL[1])
            },
            text: text.to_owned(),
            phase: Phase::Once,
        }))
    }

    #[test]
    fn a_note_is_one_line_whatever_its_words_hold() {
        let dir = scratch("line");
        let path = dir.join("notes.jsonl");
        let options = LogOptions { path: path.clone(), bytes_max: 1 << 20, older_max: 2 };
        let mut log = JsonLog::new(options);
        log.take(&[note(1, "two\nlines \"quoted\""), note(2, "b")]).unwrap();
        log.end().unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(
            text.lines().next().unwrap(),
            "{\"time\":\"2026-09-21T14:13:21.000000Z\",\"source\":\"core\",\"code\":\"overfill\",\"severity\":\"critical\",\
             \"place\":{\"venue\":\"kalshi\",\"market\":\"KXA\",\"order\":\"9\"},\"text\":\"two\\nlines \\\"quoted\\\"\"}"
        );
        assert_eq!(text.lines().count(), 2);
        fs::remove_dir_all(dir).unwrap();
    }

    #[test]
    fn files_are_turned_over_by_size_and_the_oldest_goes() {
        let dir = scratch("turn");
        let path = dir.join("notes.jsonl");
        let line = note(0, "0123456789");
        let Observation::Note(told) = &*line else { unreachable!() };
        let length = told.json().to_string().len() as u64 + 1;
        let options = LogOptions { path: path.clone(), bytes_max: 3 * length, older_max: 2 };
        let mut log = JsonLog::new(options.clone());
        for nth in 0..5 {
            log.take(&[note(nth * 2, "0123456789"), note(nth * 2 + 1, "0123456789")]).unwrap();
        }
        drop(log);
        // A later run goes on where the last one was, behind the line that a crash cut off.
        let whole = fs::read(&path).unwrap();
        fs::write(&path, &whole[..whole.len() - 1]).unwrap();
        JsonLog::new(options).take(&[note(10, "0123456789")]).unwrap();
        let seconds = |path: &Path| -> Vec<String> {
            let text = fs::read_to_string(path).unwrap();
            text.lines().map(|line| line[26..28].to_owned()).collect()
        };
        let second = |nth: u64| format!("{:02}", 20 + nth);
        assert_eq!(seconds(&path), [9, 10].map(second));
        assert_eq!(seconds(&numbered(&path, 1)), [6, 7, 8].map(second));
        assert_eq!(seconds(&numbered(&path, 2)), [3, 4, 5].map(second));
        assert!(!numbered(&path, 3).exists());
        fs::remove_dir_all(dir).unwrap();
    }

    #[test]
    fn a_disk_that_fails_is_named_and_tried_again() {
        let dir = scratch("fails");
        let path = dir.join("below").join("notes.jsonl");
        let options = LogOptions { path: path.clone(), bytes_max: 1 << 20, older_max: 1 };
        let mut log = JsonLog::new(options);
        assert!(log.take(&[note(1, "lost")]).unwrap_err().contains("notes.jsonl"));
        fs::create_dir(dir.join("below")).unwrap();
        log.take(&[note(2, "kept")]).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains("kept") && !text.contains("lost"), "{text}");
        fs::remove_dir_all(dir).unwrap();
    }
}
