#!/bin/sh
# CPU-07, NET-01, NET-02: device interrupts, packet steering and the kernel's unbound work go to the other CPUs. 5 to
# 15 us per packet are not taken from the hot thread. Managed interrupts refuse to move: 35-kernel-line keeps them away.
set -eu
STAGE=irq
. "$(dirname "$0")/../lib.sh"

check() {
    hot=$(hot_cpus)
    [ -n "$hot" ] || { na NET-01 'one CPU only' -; return; }
    on_hot=
    for file in "$ROOT"/proc/irq/[0-9]*/effective_affinity_list; do
        [ -e "$file" ] || continue
        list=$(cat "$file" 2>/dev/null || true)
        [ -n "$list" ] && overlap "$list" "$hot" && on_hot="$on_hot $(basename "$(dirname "$file")")"
    done
    if [ -z "$on_hot" ]; then
        pass NET-01 'no device interrupt on a hot CPU' "$(house_cpus)"
    else
        warn NET-01 "interrupts on hot CPUs:$on_hot" "$(house_cpus)" 'tune apply 40-irq; managed ones: 35-kernel-line'
    fi
    steered=
    for file in "$ROOT"/sys/class/net/*/queues/rx-*/rps_cpus; do
        [ -e "$file" ] || continue
        bits=$(tr -d ',\n' <"$file" | sed 's/^0*//')
        # Steering is off when empty; otherwise it must be exactly the mask we write.
        [ -z "$bits" ] || [ "$bits" = "$(mask_of "$(house_cpus)" | tr -d ',' | sed 's/^0*//')" ] || steered="$steered ${file#"$ROOT"/sys/class/net/}"
    done
    if [ -z "$steered" ]; then
        pass NET-02 'packet steering keeps off' "$(house_cpus)"
    else
        warn NET-02 "steering elsewhere:$steered" "$(house_cpus)"
    fi
    if [ -z "$ROOT" ] && command -v systemctl >/dev/null 2>&1 && systemctl is-active --quiet irqbalance 2>/dev/null; then
        warn NET-01 'irqbalance is running' 'stopped' 'it moves them back'
    fi
}

apply() {
    [ -n "$(hot_cpus)" ] || return 0
    house=$(house_cpus)
    put "$ROOT/proc/irq/default_smp_affinity" "$(mask_of "$house")"
    for file in "$ROOT"/proc/irq/[0-9]*/smp_affinity_list; do
        [ ! -e "$file" ] || put "$file" "$house"
    done
    for file in "$ROOT"/sys/class/net/*/queues/rx-*/rps_cpus "$ROOT"/sys/class/net/*/queues/tx-*/xps_cpus; do
        [ ! -e "$file" ] || put "$file" "$(mask_of "$house")"
    done
    for file in "$ROOT"/sys/devices/virtual/workqueue/cpumask "$ROOT"/sys/devices/virtual/workqueue/writeback/cpumask; do
        [ ! -e "$file" ] || put "$file" "$(mask_of "$house")"
    done
    if [ -n "$ROOT" ] || systemctl is-active --quiet irqbalance 2>/dev/null; then
        mkdir -p "$SAVED"
        : >"$SAVED/irqbalance"
        run systemctl stop irqbalance
    fi
}

undo() {
    [ ! -e "$SAVED/irqbalance" ] || run systemctl start irqbalance
    restore
}
stage "$@"
