#!/bin/sh
# Installs the venues' own client libraries for tests/clients.rs, outside the source tree:
#   <target>/clients-venv      Python:     py-clob-client-v2
#   <target>/clients-unified   Python:     polymarket-client
#   <target>/clients-kalshi    Python:     kalshi_python_sync
#   <target>/clients-node      TypeScript: @polymarket/client and kalshi-typescript
# <target> is $CARGO_TARGET_DIR or target/. Uses the machine's ordinary pip and npm with their ordinary settings, and
# does nothing where the pinned versions are already there. A missing interpreter is a message, not a failure, unless
# SUREFOOT_REQUIRE names `client`. SUREFOOT_PYTHON names another Python than python3.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
target=${CARGO_TARGET_DIR:-$here/../../target}
mkdir -p "$target"
target=$(cd "$target" && pwd)
python=${SUREFOOT_PYTHON:-python3}
missing=0

lacks() {
    echo "clients: $1"
    missing=1
}

# A stamp holds the pins that were installed, so that a second run costs nothing and a changed pin installs anew.
installed() { [ -f "$1/installed" ] && cmp -s "$2" "$1/installed"; }

# A venv of its own for each: their pins do not agree with one another. $3 is for pip.
venv() {
    home=$target/$1 pins=$here/$2
    if installed "$home" "$pins"; then
        :
    elif ! command -v "$python" >/dev/null 2>&1; then
        lacks "$python is not installed: the test of $2 will be skipped"
    elif ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
        lacks "$("$python" --version) is older than 3.11: the test of $2 will be skipped"
    elif ! { rm -rf "$home" && "$python" -m venv "$home"; } >"$target/$1.log" 2>&1; then
        rm -rf "$home"
        lacks "$python cannot make a venv (Debian: apt install python3-venv): the test of $2 will be skipped"
    elif ! "$home/bin/pip" install --quiet --disable-pip-version-check ${3:-} -r "$pins"; then
        lacks "pip could not install tests/clients/$2: its test will be skipped"
    else
        cp "$pins" "$home/installed"
    fi
    if [ -f "$home/installed" ]; then
        echo "clients: $("$home/bin/python" --version), $(grep -v '^#' "$pins" | head -n 1)"
    fi
}

venv clients-venv requirements.txt
venv clients-unified requirements-unified.txt
# Its package asks for Python 3.13 and needs nothing of it.
venv clients-kalshi requirements-kalshi.txt --ignore-requires-python

node=$target/clients-node
if installed "$node" "$here/package.json"; then
    :
elif ! command -v node >/dev/null 2>&1 || ! command -v npm >/dev/null 2>&1; then
    lacks "node and npm are not installed: the TypeScript client tests will be skipped"
elif ! node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)'; then
    lacks "node $(node --version) is older than 20: the TypeScript client tests will be skipped"
else
    rm -rf "$node"
    mkdir -p "$node"
    cp "$here/package.json" "$node/package.json"
    if (cd "$node" && npm install --silent --no-audit --no-fund --ignore-scripts); then
        cp "$here/package.json" "$node/installed"
    else
        lacks "npm could not install tests/clients/package.json: the TypeScript client tests will be skipped"
    fi
fi
if [ -f "$node/installed" ]; then
    echo "clients: node $(node --version), $(sed -n 's/^ *"\([^"]*\)": "\([0-9.]*\)",*$/\1 \2/p' "$here/package.json" | tr '\n' ' ')"
fi

case "$missing ${SUREFOOT_REQUIRE:-} " in
"1 "*" client "* | "1 client "*)
    echo "clients: SUREFOOT_REQUIRE asks for all of them"
    exit 1
    ;;
esac
exit 0
