#!/bin/sh
# MEM-02: transparent huge pages. Promotion and compaction stall a thread for 100 us to 1 ms: only who asks gets them.
set -eu
STAGE=thp
. "$(dirname "$0")/../lib.sh"
THP=$ROOT/sys/kernel/mm/transparent_hugepage

check() {
    [ -e "$THP/enabled" ] || { na MEM-02 'kernel without THP' madvise; return; }
    case $(choice "$THP/enabled") in
    madvise | never) pass MEM-02 "enabled=$(choice "$THP/enabled")" 'madvise or never' ;;
    *) fail MEM-02 "enabled=$(choice "$THP/enabled")" 'madvise or never' 'tune apply 20-thp' ;;
    esac
    case $(choice "$THP/defrag") in
    never | madvise) pass MEM-02 "defrag=$(choice "$THP/defrag")" 'never or madvise' ;;
    *) warn MEM-02 "defrag=$(choice "$THP/defrag")" 'never or madvise' ;;
    esac
    if [ -e "$THP/khugepaged/defrag" ]; then
        [ "$(cat "$THP/khugepaged/defrag")" = 0 ] && pass MEM-02 khugepaged/defrag=0 0 || warn MEM-02 "khugepaged/defrag=$(cat "$THP/khugepaged/defrag")" 0
    fi
}

apply() {
    put "$THP/enabled" madvise
    put "$THP/defrag" never
    put "$THP/khugepaged/defrag" 0
}
undo() { restore; }
stage "$@"
