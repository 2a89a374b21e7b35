//! Any body into the readers of both venues' REST answers.
#![no_main]

#[path = "../answers.rs"]
mod answers;
#[path = "../said.rs"]
mod said;

libfuzzer_sys::fuzz_target!(|body: &[u8]| answers::read_any(body));
