#!/bin/sh
# Makes the certificates of the tests with the openssl command line; nothing is kept in the repository.
#
#   make.sh OUTDIR [OCSP_URL [INT_OCSP_URL]]
#
# OCSP_URL goes into the certificates that ca.pem issues (without it they name no responder),
# INT_OCSP_URL, else OCSP_URL, into those that int.pem issues. NAME stands for NAME.pem and NAME.key.
#
#   ca               root CA                          other-ca        another root CA
#   int              intermediate CA under ca
#   server           DNS localhost, IP 127.0.0.1      server-revoked  the same, revoked
#   server-rsa       the same with an RSA key         server-alt      DNS alt.test, *.wild.test
#   server-expired   the same, expired
#   client-good      CN=client-good, DNS client-good.test, email client-good@test
#   client-revoked   revoked in index.txt             client-expired  expired in 2021
#   client-noaia     names no responder, ever         client-other    issued by other-ca
#   client-unlisted  the responder does not know it
#   ocsp             delegated responder (EKU OCSPSigning, nocheck), issued by ca
#   index.txt        openssl-ca database of all that ca issued
#   int/             the same with the intermediate in between: server, client-good, client-revoked (each
#                    with int.pem behind it in the file), ocsp, index.txt
#
# A responder:  openssl ocsp -index index.txt -CA ca.pem -rsigner ocsp.pem -rkey ocsp.key -port PORT
# Keys are P-256 because it is fast; certificates are valid for ten years. Where VOUCH_KEYS names the OUTDIR of an
# earlier run, its keys are used again: making them takes half of the time.
set -eu

[ $# -ge 1 ] || { sed -n '2,4p' "$0" >&2; exit 2; }
mkdir -p "$1/int" "$1/db/int"
cd "$1"
url=${2:-}
int_url=${3:-$url}

cat >openssl.cnf <<'END'
[req]
distinguished_name = dn
prompt = no
[dn]
[root_ext]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign,digitalSignature
subjectKeyIdentifier = hash
[root]
database = index.txt
new_certs_dir = db
default_md = sha256
default_days = 3650
rand_serial = yes
unique_subject = no
policy = any
email_in_dn = yes
[int]
database = int/index.txt
new_certs_dir = db/int
default_md = sha256
default_days = 3650
rand_serial = yes
unique_subject = no
policy = any
email_in_dn = yes
[any]
C = optional
ST = optional
L = optional
O = optional
OU = optional
CN = supplied
emailAddress = optional
END
: >index.txt
: >int/index.txt

# new_key NAME [rsa]
new_key() {
    if [ -n "${VOUCH_KEYS:-}" ]; then
        cp "$VOUCH_KEYS/$1.key" "$1.key"
    elif [ "${2:-}" = rsa ]; then
        openssl genrsa -out "$1.key" 2048 2>/dev/null
    else
        openssl ecparam -name prime256v1 -genkey -noout -out "$1.key"
    fi
}

# new_root NAME CN
new_root() {
    new_key "$1"
    openssl req -x509 -new -config openssl.cnf -extensions root_ext -key "$1.key" -out "$1.pem" \
        -days 3650 -subj "/O=Vouch Test/CN=$2"
}

# issue CA NAME CN URL EXTENSIONS [further arguments of openssl ca]: signs the key NAME.key.
# CA is root or int; an empty URL adds no AIA extension.
issue() {
    by=$1 name=$2 cn=$3 aia=$4 ext=$5
    shift 5
    {
        echo 'subjectKeyIdentifier = hash'
        echo 'authorityKeyIdentifier = keyid'
        printf '%b\n' "$ext"
        [ -z "$aia" ] || echo "authorityInfoAccess = OCSP;URI:$aia"
    } >db/ext.cnf
    openssl req -new -config openssl.cnf -key "$name.key" -subj "/O=Vouch Test/CN=$cn" -out db/req.pem
    ca=ca
    [ "$by" = root ] || ca=int
    openssl ca -batch -notext -config openssl.cnf -name "$by" -cert $ca.pem -keyfile $ca.key \
        -in db/req.pem -extfile db/ext.cnf -out "$name.pem" "$@" 2>db/log || { cat db/log >&2; exit 1; }
    [ "$by" = root ] || [ "$name" = int/ocsp ] || cat int.pem >>"$name.pem"
}

# revoke CA NAME
revoke() {
    ca=ca
    [ "$1" = root ] || ca=int
    openssl ca -batch -config openssl.cnf -name "$1" -cert $ca.pem -keyfile $ca.key \
        -revoke "$2.pem" -crl_reason keyCompromise 2>db/log || { cat db/log >&2; exit 1; }
}

leaf='basicConstraints = critical,CA:FALSE\nkeyUsage = critical,digitalSignature'
server="$leaf,keyEncipherment\nextendedKeyUsage = serverAuth,clientAuth
subjectAltName = DNS:localhost,IP:127.0.0.1"
alt="$leaf\nextendedKeyUsage = serverAuth\nsubjectAltName = DNS:alt.test,DNS:*.wild.test"
responder="$leaf\nextendedKeyUsage = OCSPSigning\nnoCheck = ignored"
sub_ca='basicConstraints = critical,CA:TRUE,pathlen:0\nkeyUsage = critical,keyCertSign,cRLSign,digitalSignature'
past='-startdate 20200101000000Z -enddate 20210101000000Z'

# client_ext CN
client_ext() {
    printf '%s' "$leaf\nextendedKeyUsage = clientAuth\nsubjectAltName = DNS:$1.test,email:$1@test"
}

new_root ca 'Root CA'
new_root other-ca 'Other CA'
for name in int server server-revoked server-alt server-expired ocsp int/server int/ocsp \
    client-good client-revoked client-expired client-noaia client-other client-unlisted \
    int/client-good int/client-revoked; do
    new_key $name
done
new_key server-rsa rsa

issue root int 'Intermediate CA' "$url" "$sub_ca"
issue root server localhost "$url" "$server"
issue root server-revoked localhost "$url" "$server"
issue root server-rsa localhost "$url" "$server"
issue root server-alt alt.test "$url" "$alt"
# shellcheck disable=SC2086 # the dates are four arguments
issue root server-expired localhost "$url" "$server" $past
issue root ocsp 'OCSP responder' '' "$responder"
issue root client-good client-good "$url" "$(client_ext client-good)"
issue root client-revoked client-revoked "$url" "$(client_ext client-revoked)"
# shellcheck disable=SC2086
issue root client-expired client-expired "$url" "$(client_ext client-expired)" $past
issue root client-noaia client-noaia '' "$(client_ext client-noaia)"
revoke root client-revoked
revoke root server-revoked
# not in the database: forget the line that the next certificate adds
cp index.txt db/index.saved
issue root client-unlisted client-unlisted "$url" "$(client_ext client-unlisted)"
cp db/index.saved index.txt

issue int int/server localhost "$int_url" "$server"
issue int int/ocsp 'OCSP responder of the intermediate' '' "$responder"
issue int int/client-good client-good "$int_url" "$(client_ext client-good)"
issue int int/client-revoked client-revoked "$int_url" "$(client_ext client-revoked)"
revoke int int/client-revoked

# issued by the other root: its database is of no interest
sed 's/index.txt/db\/other.txt/' openssl.cnf >db/other.cnf
: >db/other.txt
openssl req -new -config openssl.cnf -key client-other.key -subj '/O=Vouch Test/CN=client-other' \
    -out db/req.pem
printf 'subjectKeyIdentifier = hash\nauthorityKeyIdentifier = keyid\n%b\n' \
    "$(client_ext client-other)" >db/ext.cnf
openssl ca -batch -notext -config db/other.cnf -name root -cert other-ca.pem -keyfile other-ca.key \
    -in db/req.pem -extfile db/ext.cnf -out client-other.pem 2>db/log || { cat db/log >&2; exit 1; }

rm -rf db openssl.cnf index.txt.* int/index.txt.*
# `openssl ocsp` would refuse an index with several certificates of one name
echo 'unique_subject = no' | tee index.txt.attr >int/index.txt.attr
