#!/bin/sh
# Looks into the libraries: no mutable file-scope state that is not in globals.txt, no banned calls.
# Usage: symbols.sh LIBRARY...
set -eu
here=$(dirname "$0")
failed=0

# Tables of constants that hold pointers lie in .data.rel.ro and are constant; function-scope statics carry a
# .NUMBER; thread-locals are one per thread and allowed.
globals=$(objdump -t "$@" 2>/dev/null | grep -E ' O \.(data|bss)' | grep -vF .data.rel.ro | awk '{ print $NF }' |
    sed 's/\.[0-9]*$//' | sort -u)
for name in $globals; do
    if ! grep -qx "$name" "$here/globals.txt"; then
        echo "mutable file-scope state: $name (tests/lint/globals.txt lists what is allowed)"
        failed=1
    fi
done

banned='strcpy|strcat|sprintf|vsprintf|strtok|gets|atoi|atol|rand|srand|localtime|gmtime|ctime'
calls=$(nm -u "$@" 2>/dev/null | awk '$1 == "U" { print $2 }' | sed 's/@.*//' | grep -Ex "$banned" | sort -u || true)
if [ -n "$calls" ]; then
    echo "banned calls:" $calls
    failed=1
fi
exit $failed
