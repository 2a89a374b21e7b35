# Everyday commands. `just check` is what CI runs; nothing here is needed to build or to trade.

# Format, lints, tests, docs, the venues' own clients.
check:
    .ci/run

# The demo, in this terminal.
demo *args:
    cargo run --release -- run {{args}}

# The venues' twin alone; prints endpoints and test credentials.
twin *args:
    cargo run --release -- twin {{args}}

# Latency of the parts and the whole, beside a plain reference.
bench *args:
    cargo run --release -- bench {{args}}

# Runs a journal again and prints its decision hash.
replay *args:
    cargo run --release -- replay {{args}}

test *args:
    cargo test --workspace {{args}}

# Every model with a million steps, as by night: book, detector, ledger, gate, shocks, orders, the core as a whole, hedges.
models cases="1000000":
    SUREFOOT_CASES={{cases}} cargo test --release -p surefoot -p surefoot-hot --lib --test model -- messages_of_either_venue basket::tests::model core::tests::model gate::tests::drawn shocks::tests permutations core::tests::whole core::tests::slack

# What takes hours, by night: every model, every property of tests/fuzz from a new seed, a simulated day of each of a hundred seeds.
nightly: models
    SUREFOOT_CASES=100000 SUREFOOT_SEED=$(date +%s) cargo test --release --test fuzz
    cargo run --release -- sim --seeds 21..120 --hours 24

fmt:
    cargo fmt --all

lint:
    cargo clippy --workspace --all-targets -- -D warnings

# Rewrites the expected side of the golden files, for the diff to be read.
golden:
    UPDATE_GOLDEN=1 cargo test --workspace
    git diff --stat tests/golden

# Installs the venues' own client libraries beside the build and trades with them on the twin.
clients:
    tests/clients/install.sh
    SUREFOOT_REQUIRE=client cargo test --test clients -- --nocapture

# Advisories, licences, sources; wants cargo-deny.
deny:
    cargo deny check

# What this machine's settings cost, and what would mend it. Reads only.
tune:
    tuning/tune check
