//! A library that is loaded into a process before all others and ends it, or fails it, at a certain call on certain files.
//!
//! It is C, because it must replace functions of the C library, and is compiled by `cc` where it is wanted: it is no part of
//! the program.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

const SOURCE: &str = include_str!("shim.c");

/// The compiled library.
#[derive(Clone, Debug)]
pub struct Shim {
    library: PathBuf,
}

/// Which call is meant, and what becomes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aim {
    /// What the file's whole name must contain.
    pub part: String,
    /// Kinds of calls, a letter each: `i` opens to read, `x` looks at a file, `d` lists a directory, `r` reads, `o` opens to write,
    /// `w` writes, `s` syncs, `t` cuts, `n` renames, `u` removes, `m` makes a directory.
    pub calls: &'static str,
    /// The number of the call among those that match, from 1.
    pub nth: u64,
    /// What becomes of it.
    pub what: Fate,
    /// What the bytes of a write must begin with; empty for any.
    pub head: &'static str,
}

/// What becomes of the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The process dies instead of it.
    DieBefore,
    /// The process dies as soon as it was made.
    DieAfter,
    /// It fails with this number of an error.
    Fail(i32),
    /// So does every matching call after it.
    FailFromThen(i32),
    /// It is a read, and gives a few bytes only, as does every read after it.
    Short,
}

impl Shim {
    /// Compiles it into a directory.
    ///
    /// # Errors
    /// There is no `cc`, or it fails.
    pub fn build(dir: &Path) -> io::Result<Self> {
        let (source, library) = (dir.join("shim.c"), dir.join("shim.so"));
        fs::write(&source, SOURCE)?;
        let mut compiler = Command::new("cc");
        compiler.args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library).arg(&source).arg("-ldl");
        let said = compiler.output()?;
        if said.status.success() {
            return Ok(Self { library });
        }
        Err(io::Error::other(format!("cc: {}", String::from_utf8_lossy(&said.stderr).trim())))
    }

    /// Has a command begin with it. `fired` is made when the call has come.
    pub fn arm(&self, command: &mut Command, aim: &Aim, fired: &Path) {
        let what = match aim.what {
            Fate::DieBefore => "before".to_owned(),
            Fate::DieAfter => "after".to_owned(),
            Fate::Fail(error) => error.to_string(),
            Fate::FailFromThen(error) => format!("{error}+"),
            Fate::Short => "short".to_owned(),
        };
        let Aim { part, calls, nth, head, .. } = aim;
        command
            .env("LD_PRELOAD", &self.library)
            .env("SUREFOOT_SHIM", format!("{part}|{calls}|{nth}|{what}|{head}"))
            .env("SUREFOOT_SHIM_FIRED", fired);
    }
}
