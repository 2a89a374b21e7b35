#!/bin/sh
# MEM-01, LIM-01: the right to lock pages. The unit has its own (LimitMEMLOCK); this is for a shell of the group
# `surefoot`, so that a bench by hand is measured as the service runs.
set -eu
STAGE=memlock
. "$(dirname "$0")/../lib.sh"
LIMITS=$ROOT/etc/security/limits.d/50-surefoot.conf

check() {
    limit=$(awk '/^Max locked memory/ { print $4 }' "$ROOT/proc/self/limits")
    if [ "$limit" = unlimited ]; then
        pass MEM-01 'memlock unlimited' unlimited
    else
        warn MEM-01 "memlock $limit bytes in this shell" unlimited 'tune apply 80-memlock, then log in again'
    fi
}

apply() {
    printf '# Written by surefoot tuning/stages/80-memlock.sh; `undo` removes it.\n@surefoot - memlock unlimited\n@surefoot - rtprio 5\n@surefoot - nofile 65536\n' | put_file "$LIMITS"
}

undo() {
    restore
    rm -f "$LIMITS"
}
stage "$@"
