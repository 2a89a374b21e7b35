//! Any body into the readers of both venues' REST answers.
#![no_main]

use surefoot_properties::answers;

libfuzzer_sys::fuzz_target!(|body: &[u8]| answers::read_any(body));
