#!/bin/sh
# Makes authorities that certify each other: one peer, several chains.
#
#   cross.sh OUTDIR
#
#   a, b         root CAs                     int-a, int-b  the intermediate's one key, certified by A, by B
#   a-bare       A's certificate of itself without key identifiers
#   a-by-b       A's name and key, certified by B
#   leaf         CN=leaf, issued by the intermediate; leaf.key
#   self         a client that signed its own certificate; self.key
#   flat         a CA under a that may have no CA below it        deep   a CA below it all the same
#   short        CN=short, issued by deep; short.key
# NAME stands for NAME.pem. Keys are P-256; certificates are valid for ten years.
set -eu

[ $# -eq 1 ] || { sed -n '2,4p' "$0" >&2; exit 2; }
mkdir -p "$1"
cd "$1"

printf '[req]\ndistinguished_name = dn\nprompt = no\n[dn]\n' >openssl.cnf
ca='basicConstraints = critical,CA:TRUE\nkeyUsage = critical,keyCertSign,cRLSign'
client='basicConstraints = critical,CA:FALSE\nkeyUsage = critical,digitalSignature\nextendedKeyUsage = clientAuth'
ids='subjectKeyIdentifier = hash\nauthorityKeyIdentifier = keyid'

# issue NAME CN KEY ISSUER EXTENSIONS [IDS]: ISSUER is - for a certificate that signs itself,
# IDS replaces the usual key identifiers
issue() {
    [ -e "$3.key" ] || openssl ecparam -name prime256v1 -genkey -noout -out "$3.key"
    printf '%b\n%b\n' "$5" "${6:-$ids}" >ext.cnf
    openssl req -new -config openssl.cnf -key "$3.key" -subj "/O=Cross/CN=$2" -out req.pem
    if [ "$4" = - ]; then
        sign="-signkey $3.key"
    else
        sign="-CA $4.pem -CAkey $(cat "$4.keyname").key"
    fi
    # shellcheck disable=SC2086 # several arguments
    openssl x509 -req -in req.pem $sign -extfile ext.cnf -days 3650 \
        -set_serial "0x$(openssl rand -hex 16)" -out "$1.pem" 2>/dev/null
    echo "$3" >"$1.keyname"
}

issue a 'Root A' a - "$ca"
issue b 'Root B' b - "$ca"
issue a-bare 'Root A' a - "$ca" 'subjectKeyIdentifier = none\nauthorityKeyIdentifier = none'
issue a-by-b 'Root A' a b "$ca"
issue int-a 'Intermediate' int a "$ca"
issue int-b 'Intermediate' int b "$ca"
issue leaf leaf leaf int-a "$client"
issue self self self - "$client"
issue flat 'Flat' flat a 'basicConstraints = critical,CA:TRUE,pathlen:0\nkeyUsage = critical,keyCertSign'
issue deep 'Deep' deep flat "$ca"
issue short short short deep "$client"
rm -f -- *.keyname req.pem ext.cnf openssl.cnf
