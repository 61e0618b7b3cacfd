#!/usr/bin/env bash
# The main job, end to end: renders a data set of triples, trains a small UniCat on it, starts the server, enrols the
# gallery split and queries with the query split over HTTP, and leaves the server running, with its console.
set -euo pipefail
cd "$(dirname "$0")/.."

triptych=.build/release/triptych
folder=${DEMO_FOLDER:-demo}
port=${DEMO_PORT:-8080}
server=http://127.0.0.1:$port

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
elapsed() { printf '%d min %02d s' $((SECONDS / 60)) $((SECONDS % 60)); }

if [ -f "$folder/server.pid" ] && kill -0 "$(cat "$folder/server.pid")" 2>/dev/null; then
    echo "stopping the server of an earlier demo"
    kill "$(cat "$folder/server.pid")"
    while kill -0 "$(cat "$folder/server.pid")" 2>/dev/null; do sleep 0.1; done
fi
rm -rf "$folder"
mkdir -p "$folder"

say "1/5 rendering triples of vehicles into $folder/data"
"$triptych" synthesize --output "$folder/data" --identities 300 --cameras 4 --sightings 3 --height 64 --width 128 --seed 1

say "2/5 training a small UniCat"
"$triptych" train --config deploy/recipes/unicat-vit-demo.yaml --data "$folder/data" --output "$folder/run" --seed 1

say "3/5 starting the server on $server"
"$triptych" serve --checkpoint "$folder/run/model.safetensors" --database "$folder/gallery.sqlite" --port "$port" \
    >"$folder/server.log" 2>&1 &
echo $! >"$folder/server.pid"
for _ in $(seq 100); do
    curl --silent --fail "$server/readyz" >/dev/null && break
    kill -0 "$(cat "$folder/server.pid")" 2>/dev/null || { cat "$folder/server.log" >&2; exit 1; }
    sleep 0.1
done
curl --silent --fail "$server/readyz" >/dev/null || { echo "error: the server is not ready; see $folder/server.log" >&2; exit 1; }

say "4/5 enrolling the gallery split over HTTP"
"$triptych" enroll --server "$server" --gallery demo --data "$folder/data" --split gallery
# So that the console's answers know whom they do not know.
"$triptych" gallery calibrate demo --server "$server" --apply

say "5/5 querying with the query split over HTTP"
"$triptych" query --server "$server" --gallery demo --data "$folder/data" --split query --sheet "$folder/contact-sheet.jpg"

stem=$(basename "$(find "$folder/data/query/rgb" -name '*.jpg' | sort | head -1)")
say "done in $(elapsed)"
cat <<TEXT
contact sheet: $folder/contact-sheet.jpg (queries left, ranked matches right; green is right, red is wrong)
the server is running on $server (stop it with: kill $(cat "$folder/server.pid")); try

  curl -s $server/v1/galleries/demo/queries -F rgb=@$folder/data/query/rgb/$stem \\
       -F nir=@$folder/data/query/nir/$stem -F tir=@$folder/data/query/tir/$stem -F 'options={"limit": 3}'

or, in a browser, its console, which needs no key here; pictures to ask about are in $folder/data/query

  $server/console/
TEXT
