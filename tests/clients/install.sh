#!/bin/sh
# Installs the venues' own client libraries for tests/clients.rs, outside the source tree:
#   <target>/clients-venv   Python:     py-clob-client-v2
#   <target>/clients-node   TypeScript: kalshi-typescript
# <target> is $CARGO_TARGET_DIR or target/. Uses the machine's ordinary pip and npm with their ordinary settings, and
# does nothing where the pinned versions are already there. A missing interpreter is a message, not a failure, unless
# SUREFOOT_REQUIRE_CLIENTS=1.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
target=${CARGO_TARGET_DIR:-$here/../../target}
mkdir -p "$target"
target=$(cd "$target" && pwd)
missing=0

lacks() {
    echo "clients: $1"
    missing=1
}

# A stamp holds the pins that were installed, so that a second run costs nothing and a changed pin installs anew.
installed() { [ -f "$1/installed" ] && cmp -s "$2" "$1/installed"; }

venv=$target/clients-venv
if installed "$venv" "$here/requirements.txt"; then
    :
elif ! command -v python3 >/dev/null 2>&1; then
    lacks "python3 is not installed: the Polymarket client test will be skipped"
elif ! python3 -c 'import sys; sys.exit(sys.version_info < (3, 10))'; then
    lacks "$(python3 --version) is older than 3.10: the Polymarket client test will be skipped"
elif ! { rm -rf "$venv" && python3 -m venv "$venv"; } >"$target/clients-venv.log" 2>&1; then
    rm -rf "$venv"
    lacks "python3 cannot make a venv (Debian: apt install python3-venv): the Polymarket client test will be skipped"
elif ! "$venv/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt"; then
    lacks "pip could not install tests/clients/requirements.txt: the Polymarket client test will be skipped"
else
    cp "$here/requirements.txt" "$venv/installed"
fi
[ -f "$venv/installed" ] && echo "clients: $("$venv/bin/python" --version), $("$venv/bin/pip" --disable-pip-version-check freeze 2>/dev/null | grep -i '^py.clob.client' | tr '\n' ' ')"

node=$target/clients-node
if installed "$node" "$here/package.json"; then
    :
elif ! command -v node >/dev/null 2>&1 || ! command -v npm >/dev/null 2>&1; then
    lacks "node and npm are not installed: the Kalshi client test will be skipped"
elif ! node -e 'process.exit(parseInt(process.versions.node) < 18 ? 1 : 0)'; then
    lacks "node $(node --version) is older than 18: the Kalshi client test will be skipped"
else
    rm -rf "$node"
    mkdir -p "$node"
    cp "$here/package.json" "$node/package.json"
    if (cd "$node" && npm install --silent --no-audit --no-fund --ignore-scripts); then
        cp "$here/package.json" "$node/installed"
    else
        lacks "npm could not install tests/clients/package.json: the Kalshi client test will be skipped"
    fi
fi
[ -f "$node/installed" ] && echo "clients: node $(node --version), kalshi-typescript $(node -p "require('$node/node_modules/kalshi-typescript/package.json').version")"

if [ "$missing" = 1 ] && [ "${SUREFOOT_REQUIRE_CLIENTS:-0}" = 1 ]; then
    echo "clients: SUREFOOT_REQUIRE_CLIENTS=1 asks for all of them"
    exit 1
fi
exit 0
