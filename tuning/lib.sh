# What the stages share; sourced by each of them.
#
# SUREFOOT_HOT_CPUS    CPUs of the spinning threads, as a list: "2" or "1-3". Default: those that the program takes by
#                      itself (src/machine/topology.rs), the last one of two to four, the last three of five or more.
# SUREFOOT_SYSROOT     another root for every file that is read or written: tests use it, nothing else should.
# shellcheck shell=sh

ROOT=${SUREFOOT_SYSROOT:-}
SAVED=$ROOT/run/surefoot-tuning/$STAGE
WORST=0

# pass|warn|fail|na ID OBSERVED WANTED [WHY]: one line, and the exit code of `check` (0 pass, 1 warn, 2 fail).
line() { printf '%-4s  %-16s  %-34s  wanted: %s%s\n' "$1" "$2" "$3" "$4" "${5:+  ($5)}"; }
pass() { line PASS "$@"; }
na() { line 'N/A' "$@"; }
warn() {
    line WARN "$@"
    [ "$WORST" -ge 1 ] || WORST=1
}
fail() {
    line FAIL "$@"
    WORST=2
}

# The bracketed word of a sysfs choice: `always [madvise] never` is madvise.
choice() { sed -n 's/.*\[\([^]]*\)\].*/\1/p' "$1"; }

# A list such as 0-2,5 as one number per line.
expand() {
    printf '%s\n' "$1" | tr ',' '\n' | while IFS=- read -r from to; do
        [ -z "$from" ] || seq "$from" "${to:-$from}"
    done
}

# Numbers on standard input as a list with ranges.
compact() {
    sort -nu | awk '
        NR == 1 { from = to = $1; next }
        $1 == to + 1 { to = $1; next }
        { printf "%s%s", sep, from == to ? from : from "-" to; sep = ","; from = to = $1 }
        END { if (NR) printf "%s%s\n", sep, from == to ? from : from "-" to }'
}

# Lists and masks of CPUs are compared as sets.
same_set() { [ "$(expand "$1" | compact)" = "$(expand "$2" | compact)" ]; }
overlap() { [ -n "$( (expand "$1" | sort -u; expand "$2" | sort -u) | sort | uniq -d)" ]; }

online() { cat "$ROOT/sys/devices/system/cpu/online"; }

hot_cpus() {
    if [ -n "${SUREFOOT_HOT_CPUS:-}" ]; then
        expand "$SUREFOOT_HOT_CPUS" | compact
        return
    fi
    count=$(expand "$(online)" | wc -l)
    if [ "$count" -le 1 ]; then
        return # nothing can be kept free
    elif [ "$count" -le 4 ]; then
        expand "$(online)" | tail -n 1
    else
        expand "$(online)" | tail -n 3 | compact
    fi
}

# Every CPU that is not hot.
house_cpus() {
    hot=$(hot_cpus)
    expand "$(online)" | while read -r cpu; do
        expand "$hot" | grep -qx "$cpu" || printf '%s\n' "$cpu"
    done | compact
}

# A list as the hexadecimal mask that masks under /proc and /sys want, in groups of 32 bits.
mask_of() {
    expand "$1" | awk '
        BEGIN { top = 0 }
        { group = int($1 / 32); bits[group] += 2 ^ ($1 % 32); if (group > top) top = group }
        END { for (g = top; g >= 0; g--) printf "%s%0*x", g == top ? "" : ",", g == top ? 1 : 8, bits[g]; print "" }'
}

# put FILE VALUE: writes a setting, and keeps what stood there for `undo`. The first value kept is the one that counts,
# so that applying twice does not forget the machine's own.
put() {
    [ -e "$1" ] || { line SKIP "$STAGE" "no ${1#"$ROOT"}" "$2"; return 0; }
    mkdir -p "$SAVED"
    name=$(printf '%s' "${1#"$ROOT"}" | tr '/' '%')
    if [ ! -e "$SAVED/$name" ]; then
        old=$(choice "$1")
        [ -n "$old" ] || old=$(cat "$1")
        printf '%s\n' "$old" >"$SAVED/$name"
    fi
    if printf '%s\n' "$2" 2>/dev/null >"$1"; then
        line SET "$STAGE" "${1#"$ROOT"}" "$2"
    else
        line SKIP "$STAGE" "${1#"$ROOT"} refuses" "$2" 'check shows whether it matters'
    fi
}

# put_file FILE: a file of our own, from standard input; `undo` removes it.
put_file() {
    mkdir -p "$SAVED" "$(dirname "$1")"
    cat >"$1.new" && mv "$1.new" "$1"
    printf '%s\n' "$1" >>"$SAVED/files"
    line SET "$STAGE" "${1#"$ROOT"}" 'our file'
}

# Puts back what `put` and `put_file` changed.
restore() {
    [ -d "$SAVED" ] || { line DONE "$STAGE" 'nothing was applied' '-'; return 0; }
    for kept in "$SAVED"/%*; do
        [ -e "$kept" ] || continue
        file=$ROOT$(basename "$kept" | tr '%' '/')
        if cat "$kept" 2>/dev/null >"$file"; then
            line BACK "$STAGE" "${file#"$ROOT"}" "$(cat "$kept")"
        else
            line SKIP "$STAGE" "${file#"$ROOT"} refuses" "$(cat "$kept")"
        fi
    done
    if [ -e "$SAVED/files" ]; then
        sort -u "$SAVED/files" | while read -r file; do
            rm -f "$file"
            line BACK "$STAGE" "${file#"$ROOT"}" 'removed'
        done
    fi
    rm -rf "$SAVED"
}

# run COMMAND...: a command on the machine; under a test root it is written down instead.
run() {
    if [ -n "$ROOT" ]; then
        printf '%s\n' "$*" >>"$ROOT/commands"
    else
        "$@"
    fi
}

# The last line of each stage: `stage "$@"` runs the function that the argument names.
stage() {
    case "${1:-}" in
    check)
        check
        exit "$WORST"
        ;;
    apply | undo)
        if [ -z "$ROOT" ] && [ "$(id -u)" != 0 ]; then
            echo "$STAGE: $1 needs root" >&2
            exit 3
        fi
        "$1"
        ;;
    *)
        echo "usage: $0 check|apply|undo" >&2
        exit 64
        ;;
    esac
}
