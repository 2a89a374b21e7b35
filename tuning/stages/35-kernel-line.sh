#!/bin/sh
# CPU-02, MEM-02: what only the kernel's command line can set. Safe on every host; in force after the next boot.
#   irqaffinity=     interrupts start on the other CPUs
#   isolcpus=        managed interrupts (disks, some virtio queues), which refuse to be moved later, and the scheduler's
#                    domain, so that nothing is balanced onto a hot CPU
#   nosoftlockup skew_tick=1   no watchdog thread on a CPU that spins by design; ticks apart from each other
# nohz_full is not among them: our hot threads enter the kernel at every poll, which nohz_full makes dearer. Measure
# before adding it (README.md).
set -eu
STAGE=kernel-line
. "$(dirname "$0")/../lib.sh"
DROP_IN=$ROOT/etc/default/grub.d/50-surefoot.cfg

wanted() {
    printf 'irqaffinity=%s isolcpus=managed_irq,domain,%s transparent_hugepage=madvise skew_tick=1 nosoftlockup\n' "$(house_cpus)" "$(hot_cpus)"
}

check() {
    [ -n "$(hot_cpus)" ] || { na CPU-02 'one CPU only' -; return; }
    isolated=$(cat "$ROOT/sys/devices/system/cpu/isolated" 2>/dev/null || true)
    if [ -n "$isolated" ] && same_set "$isolated" "$(hot_cpus)"; then
        pass CPU-02 "isolated: $isolated" "$(hot_cpus)"
    else
        warn CPU-02 "isolated: ${isolated:-none}" "$(hot_cpus)" 'tune apply 35-kernel-line, then boot'
    fi
    line_now=" $(cat "$ROOT/proc/cmdline") "
    missing=
    for word in $(wanted); do
        case $line_now in *" $word "*) ;; *) missing="$missing $word" ;; esac
    done
    if [ -z "$missing" ]; then
        pass CPU-02 'kernel line complete' "$(wanted)"
    else
        warn CPU-02 "not on the kernel line:$missing" 'all of them'
    fi
}

apply() {
    [ -n "$(hot_cpus)" ] || return 0
    if [ ! -d "$ROOT/etc/default" ]; then
        line SKIP kernel-line 'no /etc/default: not grub' "$(wanted)" 'add it to the boot loader by hand'
        return
    fi
    printf '# Written by surefoot tuning/stages/35-kernel-line.sh; `undo` removes it.\nGRUB_CMDLINE_LINUX_DEFAULT="$GRUB_CMDLINE_LINUX_DEFAULT %s"\n' "$(wanted)" | put_file "$DROP_IN"
    if [ -n "$ROOT" ] || command -v update-grub >/dev/null 2>&1; then
        run update-grub
        echo 'kernel-line: in force after the next boot'
    fi
}

# The saved state is under /run and gone after the boot that this stage asks for, so the file is removed by its name.
undo() {
    restore
    rm -f "$DROP_IN"
    if [ -n "$ROOT" ] || command -v update-grub >/dev/null 2>&1; then
        run update-grub
    fi
}
stage "$@"
