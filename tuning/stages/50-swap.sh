#!/bin/sh
# MEM-03: swap. A page that must be read back costs milliseconds; the program locks its own pages, the rest of the
# machine should not make it wait for the disk.
set -eu
STAGE=swap
. "$(dirname "$0")/../lib.sh"

check() {
    used=$(awk 'NR > 1 { sum += $4 } END { print sum + 0 }' "$ROOT/proc/swaps")
    devices=$(awk 'NR > 1' "$ROOT/proc/swaps" | wc -l)
    if [ "$devices" -eq 0 ]; then
        pass MEM-03 'no swap' 'none, or 0 kB used'
    elif [ "$used" -eq 0 ]; then
        pass MEM-03 "$devices device(s), 0 kB used" 'none, or 0 kB used'
    else
        warn MEM-03 "$used kB used" 'none, or 0 kB used' 'tune apply 50-swap'
    fi
    now=$(cat "$ROOT/proc/sys/vm/swappiness")
    [ "$now" -le 10 ] && pass MEM-03 "swappiness $now" '10 or less' || warn MEM-03 "swappiness $now" '10 or less'
}

apply() {
    put "$ROOT/proc/sys/vm/swappiness" 1
    if [ "$(awk 'NR > 1' "$ROOT/proc/swaps" | wc -l)" -gt 0 ]; then
        mkdir -p "$SAVED"
        awk 'NR > 1 { print $1 }' "$ROOT/proc/swaps" >"$SAVED/swaps"
        run swapoff -a
    fi
}

undo() {
    if [ -e "$SAVED/swaps" ]; then
        while read -r device; do run swapon "$device"; done <"$SAVED/swaps"
    fi
    restore
}
stage "$@"
