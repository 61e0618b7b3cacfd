#!/bin/sh
# PostgreSQL of deploy/compose.servers.yaml, once its volume is there: the one that is named FIRST begins an empty database, the other copies
# it and follows. A primary whose place the other has taken is not started again: it has what nobody was told of.
#   database.sh NAME OTHER
set -eu
umask 077
printf '*:*:*:triptych:%s\n' "$(cat /run/secrets/database-password)" >/tmp/pgpass
export PGPASSFILE=/tmp/pgpass
other="host=$2 user=triptych dbname=triptych connect_timeout=3"

if [ "$1" != "$FIRST" ] && [ -s "$PGDATA/PG_VERSION" ] && ! [ -e "$PGDATA/standby.signal" ]; then
    echo "error: $1 was the primary before $FIRST: remove its volume, and it becomes the standby" >&2
    sleep 10
    exit 1
fi
if [ "$1" != "$FIRST" ] && ! [ -s "$PGDATA/PG_VERSION" ]; then
    until [ "$(psql -X -A -t -c 'SELECT pg_is_in_recovery()' "$other" 2>/dev/null)" = f ]; do sleep 1; done
    rm -rf "$PGDATA.part"
    pg_basebackup --dbname "$other passfile=/tmp/pgpass" --pgdata "$PGDATA.part" --write-recovery-conf --checkpoint fast
    mv "$PGDATA.part" "$PGDATA"
fi
# By its name a standby is the one that commits wait for; a copy that is being made has another.
exec docker-entrypoint.sh postgres -c cluster_name="$1"
