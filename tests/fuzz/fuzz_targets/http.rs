//! Any bytes into both HTTP decoders.
#![no_main]

#[path = "../http.rs"]
mod http;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    http::answer_any(bytes);
    http::request_any(bytes);
});
