#!/bin/sh
# Counts user instructions per 1:1 message of 16 bytes and compares with the recorded number.
#
#   instructions.sh BUILD_FOLDER [record]
#
# One worker runs under callgrind twice, with few and with many messages; the difference of the two
# totals over the difference of the counts is what a message costs, free of start and stop. Use an
# optimised build. More than 10 % above instructions.txt fails; `record` writes the number there.
set -eu

build=${1:?usage: instructions.sh BUILD_FOLDER [record]}
here=$(dirname "$0")
recorded=$here/instructions.txt
server=${VOUCH_SERVER:-$(find "$build" -name vouchd -type f | head -n 1)}
generator=$(find "$build" -name loadgen -type f | head -n 1)
few=100000
many=500000
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

cat >"$folder/server.conf" <<'END'
listen: "127.0.0.1:-1"
ping_interval: "10m"
max_workers: 1
END

# Waits until the log names the port; gives up when the server is gone or after a minute.
port_of() {
    tries=0
    while ! grep -q 'Server is ready' "$folder/log"; do
        tries=$((tries + 1))
        if ! kill -0 "$1" 2>/dev/null || [ "$tries" -gt 600 ]; then
            cat "$folder/log" >&2
            exit 1
        fi
        sleep 0.1
    done
    sed -n 's/.*Listening for client connections on .*:\([0-9]*\)$/\1/p' "$folder/log"
}

# Prints the instructions of a server that forwarded this many messages.
instructions_for() {
    : >"$folder/log" # what the server before said is not meant
    valgrind --tool=callgrind --callgrind-out-file="$folder/profile" --log-file="$folder/counts" \
        "$server" -c "$folder/server.conf" 2>"$folder/log" &
    pid=$!
    port=$(port_of "$pid")
    "$generator" pubsub --port "$port" --messages "$1" --size 16 >/dev/null
    kill -TERM "$pid"
    wait "$pid"
    sed -n 's/.*Collected *: *\([0-9]*\).*/\1/p' "$folder/counts"
}

base=$(instructions_for "$few")
full=$(instructions_for "$many")
each=$(((full - base) / (many - few)))
echo "$each user instructions per 1:1 message of 16 bytes"

if [ "${2:-}" = record ]; then
    echo "$each" >"$recorded"
    exit 0
fi
limit=$(($(cat "$recorded") * 110 / 100))
if [ "$each" -gt "$limit" ]; then
    echo "recorded are $(cat "$recorded"), allowed are $limit" >&2
    exit 1
fi
