//! The fuzz targets over their corpora, so that `cargo test` runs what fuzzing once found.

mod decode;

use std::{fs, panic, path::Path};

fn corpus() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus/decode");
    let mut paths: Vec<_> = fs::read_dir(folder)
        .expect("the corpus is there")
        .map(|entry| entry.expect("readable").path())
        .collect();
    paths.sort();
    assert!(!paths.is_empty());
    paths.iter().map(|path| fs::read(path).expect("readable")).collect()
}

#[test]
fn decode_any_survives_the_corpus() {
    for frame in corpus() {
        decode::decode_any(&frame);
    }
}

#[test]
fn the_alarm_rings() {
    let failed = panic::catch_unwind(|| {
        corpus().iter().for_each(|frame| decode::nothing_makes_a_level(frame))
    });
    assert!(failed.is_err(), "a target that must fail passed: the corpus reaches nothing");
}
