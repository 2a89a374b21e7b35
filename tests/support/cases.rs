//! How many steps a model takes: the one place that says so, for the models of every crate.

/// As many as the variable `SUREFOOT_CASES` says while the tests run; else `usual`.
pub fn cases(usual: u64) -> u64 {
    let given = std::env::var("SUREFOOT_CASES");
    given.map_or(usual, |given| given.parse().expect("SUREFOOT_CASES is a number"))
}
