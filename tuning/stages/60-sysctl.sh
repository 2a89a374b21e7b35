#!/bin/sh
# CPU-10, NET-04: kernel timers, watchdogs and TCP. Each of these either interrupts a hot CPU now and then, or lets an
# idle order connection forget its window.
set -eu
STAGE=sysctl
. "$(dirname "$0")/../lib.sh"

# path, value, why
table() {
    cat <<'T'
kernel/timer_migration 0 idle CPUs would hand their timers to the busy one: ours
kernel/nmi_watchdog 0 an interrupt per second and CPU
kernel/numa_balancing 0 it unmaps pages to see who uses them
kernel/hung_task_timeout_secs 600 fewer scans
vm/stat_interval 10 per-CPU statistics work, every second otherwise
vm/compaction_proactiveness 0 no compaction nobody asked for
net/ipv4/tcp_slow_start_after_idle 0 an idle order connection keeps its window
net/ipv4/tcp_mtu_probing 1 no black hole behind a VPN or CDN
T
}

check() {
    table | {
        while read -r path value why; do
            file=$ROOT/proc/sys/$path
            name=$(printf '%s' "$path" | tr '/' '.')
            if [ ! -e "$file" ]; then
                na NET-04 "$name: not in this kernel" "$value"
            elif [ "$(cat "$file")" = "$value" ]; then
                pass NET-04 "$name = $value" "$value"
            else
                warn NET-04 "$name = $(cat "$file")" "$value" "$why"
            fi
        done
        exit "$WORST"
    } || WORST=$?
}

apply() { table | while read -r path value _; do put "$ROOT/proc/sys/$path" "$value"; done; }
undo() { restore; }
stage "$@"
