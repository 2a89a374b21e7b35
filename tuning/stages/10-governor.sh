#!/bin/sh
# CPU-08: frequency governor. A clock that moves costs 10 to 50 us around each change. Guests rarely own it: N/A then.
set -eu
STAGE=governor
. "$(dirname "$0")/../lib.sh"

governors() { ls "$ROOT"/sys/devices/system/cpu/cpu[0-9]*/cpufreq/scaling_governor 2>/dev/null || true; }

check() {
    files=$(governors)
    [ -n "$files" ] || { na CPU-08 'no cpufreq (guest)' performance; return; }
    other=$(for file in $files; do cat "$file"; done | grep -vx performance | sort | uniq -c | tr -s ' \n' ' ' || true)
    if [ -z "$other" ]; then
        pass CPU-08 performance performance
    else
        warn CPU-08 "$other" performance 'tune apply 10-governor'
    fi
}

apply() { for file in $(governors); do put "$file" performance; done; }
undo() { restore; }
stage "$@"
