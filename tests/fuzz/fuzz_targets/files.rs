//! Any bytes as a journal segment, a wire log and the small files of a state directory.
#![no_main]

#[path = "../files.rs"]
mod files;

use std::sync::LazyLock;

static GOOD: LazyLock<(files::Scratch, files::GoodLog)> =
    LazyLock::new(|| (files::Scratch::new("target"), files::good_log()));

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let (dir, log) = &*GOOD;
    files::segment_any(dir.path(), bytes);
    files::wire_log_any(log, bytes);
    files::state_any(dir.path(), bytes);
});
