#!/bin/sh
# CLK-01, CLK-03: the clock. The hot thread reads the TSC; a source that needs a system call costs hundreds of
# nanoseconds per read. Wall time must be disciplined: venues refuse stamps that are seconds off.
set -eu
STAGE=clock
. "$(dirname "$0")/../lib.sh"
SOURCE=$ROOT/sys/devices/system/clocksource/clocksource0

check() {
    case $(cat "$SOURCE/current_clocksource" 2>/dev/null || echo unknown) in
    tsc | kvm-clock | arch_sys_counter) pass CLK-01 "$(cat "$SOURCE/current_clocksource")" 'tsc or kvm-clock' ;;
    unknown) na CLK-01 'not shown here' 'tsc or kvm-clock' ;;
    *) fail CLK-01 "$(cat "$SOURCE/current_clocksource")" 'tsc or kvm-clock' 'every clock read is a system call' ;;
    esac
    if [ -n "$ROOT" ] || ! command -v chronyc >/dev/null 2>&1; then
        na CLK-03 'chrony is not here' 'synchronised' 'compare with another NTP client'
    elif offset=$(chronyc -c tracking 2>/dev/null | awk -F, '{ off = $5 < 0 ? -$5 : $5; printf "%d", off * 1e6 }') && [ -n "$offset" ]; then
        if [ "$offset" -lt 500 ]; then
            pass CLK-03 "$offset us off" 'under 500 us'
        elif [ "$offset" -lt 5000 ]; then
            warn CLK-03 "$offset us off" 'under 500 us'
        else
            fail CLK-03 "$offset us off" 'under 5000 us'
        fi
    else
        fail CLK-03 'chrony does not answer' 'synchronised'
    fi
}

apply() {
    if grep -qw tsc "$SOURCE/available_clocksource" 2>/dev/null; then
        put "$SOURCE/current_clocksource" tsc
    else
        line SKIP clock 'no tsc offered' tsc
    fi
}
undo() { restore; }
stage "$@"
