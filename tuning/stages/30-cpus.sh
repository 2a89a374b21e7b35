#!/bin/sh
# CPU-02, CPU-03: other services keep off the hot CPUs. systemd's AllowedCPUs on the slices everything else lives in; the
# unit itself runs in surefoot.slice, which keeps all of them. Removes neighbours at once and without a reboot; the
# kernel's own housekeeping is the business of 35-kernel-line and 40-irq.
set -eu
STAGE=cpus
. "$(dirname "$0")/../lib.sh"
SLICES="system.slice user.slice init.scope"

check() {
    hot=$(hot_cpus)
    [ -n "$hot" ] || { warn CPU-01 'one CPU only' 'two or more' 'the calm topology'; return; }
    case ,$(expand "$hot" | tr '\n' ',') in
    *,0,*) fail CPU-01 "hot CPUs $hot" 'not CPU 0' 'the boot CPU is never quiet' ;;
    *) pass CPU-01 "hot CPUs $hot" 'online, not CPU 0' ;;
    esac
    for slice in $SLICES; do
        file=$ROOT/sys/fs/cgroup/$slice/cpuset.cpus.effective
        if [ ! -e "$file" ]; then
            na CPU-02 "$slice: no cgroup v2 cpuset" "$(house_cpus)"
        elif overlap "$(cat "$file")" "$hot"; then
            fail CPU-02 "$slice on $(cat "$file")" "$(house_cpus)" 'tune apply 30-cpus'
        else
            pass CPU-02 "$slice on $(cat "$file")" "$(house_cpus)"
        fi
    done
}

apply() {
    [ -n "$(hot_cpus)" ] || return 0
    for slice in $SLICES; do run systemctl set-property --runtime "$slice" "AllowedCPUs=$(house_cpus)"; done
    line SET cpus "$SLICES" "$(house_cpus)"
}

undo() {
    for slice in $SLICES; do run systemctl set-property --runtime "$slice" AllowedCPUs=; done
    line BACK cpus "$SLICES" 'all CPUs'
}
stage "$@"
