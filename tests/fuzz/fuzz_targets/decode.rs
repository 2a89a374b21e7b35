//! Any bytes into every codec.
#![no_main]

use surefoot_properties::decode;

libfuzzer_sys::fuzz_target!(|frame: &[u8]| decode::decode_any(frame));
