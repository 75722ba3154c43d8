#!/bin/sh
# The tests that docs/advisories.md names must be there: `suite/test` of Criterion, or `tests/.../file.c`.
set -eu
page=docs/advisories.md
failed=0
names=$(grep -o '`[a-z_/]*/[a-z_0-9.]*`' $page | tr -d '`' | sort -u)
[ "$(echo "$names" | wc -l)" -gt 10 ] || { echo "$page names no tests"; exit 1; }
for name in $names; do
    case $name in
    *.*) [ -e "$name" ] && continue ;;
    *) grep -rqE "\(([a-z]+ \*[a-z]+, )?${name%/*}, ${name#*/}[,)]" tests --include='*.c' && continue ;;
    esac
    echo "$page: there is no $name"
    failed=1
done
exit $failed
