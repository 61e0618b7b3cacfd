#!/usr/bin/env bash
# Makes the certificates of the TLS tests, from 2020 for a hundred years: an authority, two certificates of a server on the
# loopback address, one of a client, one that has expired, and a client's of nobody's authority. Their keys are worth nothing.
set -euo pipefail
cd "$(dirname "$0")/Certificates"
rm -f ./*.pem ./*.key
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
touch "$work/index"
cat >"$work/ca.cnf" <<'END'
[ca]
default_ca = tests
[tests]
new_certs_dir = $ENV::WORK
database = $ENV::WORK/index
rand_serial = yes
default_md = sha256
policy = any
unique_subject = no
[any]
commonName = supplied
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign
[server]
subjectAltName = IP:127.0.0.1, DNS:localhost
extendedKeyUsage = serverAuth
[client]
extendedKeyUsage = clientAuth
END
export WORK=$work

# NAME SUBJECT EXTENSIONS END [ARGUMENT...]: a key and its certificate
make() {
    local name=$1 subject=$2 extensions=$3 end=$4
    shift 4
    openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$name.key"
    openssl req -new -key "$name.key" -subj "/CN=$subject" -out "$work/request"
    openssl ca -batch -notext -config "$work/ca.cnf" -extensions "$extensions" -startdate 20200101000000Z -enddate "$end" \
        -in "$work/request" -out "$name.pem" "$@"
}

later=21200101000000Z
make authority "Authority of the tests" authority $later -selfsign -keyfile authority.key
by=(-cert authority.pem -keyfile authority.key)
make server first server $later "${by[@]}"
make renewed second server $later "${by[@]}"
make expired expired server 20200102000000Z "${by[@]}"
make client camera client $later "${by[@]}"
make stranger stranger client $later -selfsign -keyfile stranger.key
rm authority.key
