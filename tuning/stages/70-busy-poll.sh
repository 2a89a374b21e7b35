#!/bin/sh
# NET-06: busy polling, off unless SUREFOOT_BUSY_POLL_US says how long (50 is usual). The reader then runs the network
# card's poll itself instead of waiting for an interrupt: 5 to 15 us where the driver takes part, nothing where it does
# not, and every empty turn of the hot loop gets longer. Measure with and without before keeping it (README.md).
set -eu
STAGE=busy-poll
. "$(dirname "$0")/../lib.sh"
WANTED=${SUREFOOT_BUSY_POLL_US:-0}

check() {
    for name in busy_read busy_poll; do
        file=$ROOT/proc/sys/net/core/$name
        if [ ! -e "$file" ]; then
            na NET-06 "$name: not in this kernel" "$WANTED"
        elif [ "$(cat "$file")" = "$WANTED" ]; then
            pass NET-06 "$name = $WANTED us" "$WANTED"
        else
            warn NET-06 "$name = $(cat "$file") us" "$WANTED"
        fi
    done
    [ "$WANTED" = 0 ] || [ ! -e "$ROOT/proc/net/netstat" ] || line INFO NET-06 \
        "BusyPollRxPackets $(awk '/^TcpExt:/ { if (!n) { n = split($0, names) } else { split($0, values); for (i = 1; i <= n; i++) if (names[i] == "BusyPollRxPackets") print values[i] } }' "$ROOT/proc/net/netstat")" \
        'growing while the program runs'
}

apply() {
    put "$ROOT/proc/sys/net/core/busy_read" "$WANTED"
    put "$ROOT/proc/sys/net/core/busy_poll" "$WANTED"
}
undo() { restore; }
stage "$@"
