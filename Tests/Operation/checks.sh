# How shell scripts tell their checks; sourced.

passed=0 failed=0
check() { # WHAT COMMAND…
    local what=$1
    shift
    if "$@"; then passed=$((passed + 1)); echo "$what: right"; else failed=$((failed + 1)); echo "$what: WRONG"; fi
}

is() { [ "$1" = "$2" ] || { echo "  expected $2, found $1"; return 1; }; } # FOUND EXPECTED

quietly() { local said; said=$("$@" 2>&1) || { tail -n 20 <<<"$said"; return 1; }; } # COMMAND…

tell() {
    echo "$passed passed, $failed failed"
    [ "$failed" -eq 0 ]
}
