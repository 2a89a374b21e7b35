//! Any bytes into every codec.
#![no_main]

#[path = "../decode.rs"]
mod decode;

libfuzzer_sys::fuzz_target!(|frame: &[u8]| decode::decode_any(frame));
