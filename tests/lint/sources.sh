#!/bin/sh
# Looks at the sources: locks only where they are listed, no include that climbs, no #if outside base, no file that is
# too long, nothing that the tests of TLS have shown to be a trap.
set -eu
failed=0
complain() {
    printf '%s\n%s\n' "$1" "$2"
    failed=1
}
modules="base parser tls ocsp websocket mqtt leafnode server"

locks=$(grep -lE 'pthread_(mutex|rwlock|spin)_|uv_(mutex|rwlock)_' -r $modules --include='*.c' --include='*.h' |
    grep -vxFf tests/lint/locks.txt || true)
[ -z "$locks" ] || complain "locks outside of tests/lint/locks.txt:" "$locks"

climbs=$(grep -nE '^#include "\.\./' -r $modules tests --include='*.c' --include='*.h' || true)
[ -z "$climbs" ] || complain "includes that leave their folder:" "$climbs"

conditions=$(grep -nE '^# *(if|ifdef|elif)\b' -r parser tls ocsp websocket mqtt leafnode server --include='*.c' || true)
[ -z "$conditions" ] || complain "conditional code outside base (choose files in CMake instead):" "$conditions"

long=$(find $modules tests -name '*.[ch]' -exec wc -l {} + | awk '$1 > 600 && $2 != "total"')
[ -z "$long" ] || complain "files of more than 600 lines:" "$long"

# On a server the first accepts the peer before the verdict is there. The others would let a peer speak before it
# is judged, or show another certificate afterwards.
trap_=$(grep -nE 'SSL_set_retry_verify *\(|OCSP_NOCHECKS|SSL_read_early_data|set_max_early_data|SSL_verify_client_post' -r $modules --include='*.c' || true)
[ -z "$trap_" ] || complain "calls that must not be made:" "$trap_"
exit $failed
