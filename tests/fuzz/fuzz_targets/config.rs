//! Any text as the configuration file.
#![no_main]

#[path = "../config.rs"]
mod config;

libfuzzer_sys::fuzz_target!(|text: &str| config::config_any(text, &[]));
