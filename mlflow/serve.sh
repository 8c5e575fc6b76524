#!/usr/bin/env bash
# An MLflow server on PostgreSQL, without containers:
#
#   mlflow/serve.sh FOLDER
#
# FOLDER keeps the database, the artifacts and the database's password; all are made at the first
# start. The server asks for a name and a password: MLFLOW_AUTH_ADMIN_PASSWORD is that of `admin`,
# needed at the first start; MLFLOW_FLASK_SERVER_SECRET_KEY signs sessions. It listens on
# MLFLOW_HOST (127.0.0.1) at MLFLOW_PORT (5000), PostgreSQL on a socket in a folder of its own.
# An interrupt or SIGTERM ends both.
set -euo pipefail

fail() { echo "error: $1" >&2; exit 1; }

folder=$(mkdir -p "${1:?give the folder that keeps the database}" && cd "$1" && pwd)
host=${MLFLOW_HOST:-127.0.0.1} port=${MLFLOW_PORT:-5000}
data=$folder/postgresql password_file=$folder/database-password
binaries=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -1 || true)
[ -x "$binaries/initdb" ] || fail "PostgreSQL is missing: apt-get install postgresql"
[ -n "${MLFLOW_FLASK_SERVER_SECRET_KEY:-}" ] || fail "set MLFLOW_FLASK_SERVER_SECRET_KEY to a long random word"
[ -d "$data" ] || [ -n "${MLFLOW_AUTH_ADMIN_PASSWORD:-}" ] ||
  fail "set MLFLOW_AUTH_ADMIN_PASSWORD for the first start"

# PostgreSQL refuses to run as root.
owner=$(id -un)
as_owner() { "$@"; }
if [ "$(id -u)" = 0 ]; then
  owner=postgres
  as_owner() { runuser -u postgres -- "$@"; }
fi

umask 077
sockets=$(mktemp -d /tmp/san-postgresql.XXXXXX) # the path of a socket must be short
chown "$owner" "$sockets"
chmod 755 "$sockets"
stop() {
  [ -z "${server:-}" ] || { kill "$server" 2>/dev/null && wait "$server" 2>/dev/null; } || true
  as_owner "$binaries/pg_ctl" --pgdata "$data" --mode fast --silent stop 2>/dev/null || true
  rm -rf "$sockets"
}
trap stop EXIT
trap 'exit 0' INT TERM

if [ ! -s "$password_file" ]; then
  head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n' >"$password_file"
fi
if [ ! -d "$data" ]; then
  cp "$password_file" "$sockets/password"
  chown "$owner" "$sockets/password"
  install -d -m 700 -o "$owner" "$data.new"
  as_owner "$binaries/initdb" --pgdata "$data.new" --username mlflow --auth scram-sha-256 \
    --pwfile "$sockets/password" --encoding UTF8 --locale C >/dev/null
  rm "$sockets/password"
  mv "$data.new" "$data" # whole or not there
fi
# Whoever may start the database must reach its folder, and nobody else see into it.
chmod 711 "$folder"
as_owner "$binaries/pg_ctl" --pgdata "$data" --wait --silent --log "$data/server.log" \
  --options "-k $sockets -c listen_addresses=''" start || fail "PostgreSQL did not start: $data/server.log"

export PGPASSWORD
PGPASSWORD=$(cat "$password_file")
for database in mlflow mlflow_auth; do
  psql --host "$sockets" --username mlflow --dbname postgres --tuples-only --no-align \
    --command "select 1 from pg_database where datname = '$database'" | grep -q 1 ||
    createdb --host "$sockets" --username mlflow "$database"
done
address() { echo "postgresql+psycopg2://mlflow:$PGPASSWORD@/$1?host=$sockets"; }

# By the environment and a file, since arguments can be seen by every user of the machine.
export MLFLOW_BACKEND_STORE_URI MLFLOW_AUTH_CONFIG_PATH=$folder/auth.ini
MLFLOW_BACKEND_STORE_URI=$(address mlflow)
cat >"$MLFLOW_AUTH_CONFIG_PATH" <<EOF
[mlflow]
default_permission = READ
database_uri = $(address mlflow_auth)
admin_username = admin
authorization_function = mlflow.server.auth:authenticate_request_basic_auth
EOF
export MLFLOW_DISABLE_TELEMETRY=true DO_NOT_TRACK=true
echo "$MLFLOW_BACKEND_STORE_URI" >"$folder/database-uri" # for san backup, while this runs
python -m mlflow server --app-name basic-auth --host "$host" --port "$port" \
  --artifacts-destination "$folder/artifacts" &
server=$!
echo "MLflow at http://$host:$port, database and artifacts in $folder"
wait "$server"
