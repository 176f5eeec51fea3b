# shellcheck shell=bash
# What the scripts in tools/ share: where the checkout is, how a step is reported, how packages are asked for.
# Sourced, never run.

set -euo pipefail

ROOT=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)
VENV=$ROOT/.venv
export ROOT VENV

_step_started=0

# Microseconds since the epoch, without starting a process.
_now_us() {
    local now=${EPOCHREALTIME//[!0-9]/}
    printf '%s' "$now"
}

# seconds_since MICROSECONDS: the time elapsed, as 12.3
seconds_since() {
    local us=$(($(_now_us) - $1))
    printf '%d.%d' $((us / 1000000)) $((us % 1000000 / 100000))
}

# step NAME: begin a step. Close it with `ok`, or with `die`.
step() {
    _step_name=$1
    _step_started=$(_now_us)
}

# ok TEXT: what the step found or did, and how long it took.
ok() {
    printf '  %-14s %s (%s s)\n' "$_step_name" "$1" "$(seconds_since "$_step_started")"
}

# note TEXT: progress inside a step.
note() {
    printf '  %-14s %s\n' "${_step_name:-}" "... $1"
}

# warn TEXT: something a person should know that does not stop the set-up.
warn() {
    printf '  %-14s note: %s\n' "${_step_name:-}" "$1" >&2
}

# die WHAT [HINT...]: stop, saying what is wrong and, a line each, what to do about it.
die() {
    printf '\n%s: %s\n' "${_step_name:-setup}" "$1" >&2
    shift
    local line
    for line in "$@"; do
        printf '    %s\n' "$line" >&2
    done
    exit 1
}

has() { command -v "$1" >/dev/null 2>&1; }

is_root() { [[ ${EUID:-$(id -u)} -eq 0 ]]; }

# Is this a Debian, an Ubuntu or one of their children, with apt?
is_debian_like() {
    has apt-get && [[ -r /etc/os-release ]] && (
        # shellcheck source=/dev/null
        . /etc/os-release
        [[ " ${ID:-} ${ID_LIKE:-} " == *" debian "* || " ${ID:-} " == *" ubuntu "* ]]
    )
}

# Does systemd run this machine? (The command alone proves nothing: it is often installed and idle in a container.)
has_systemd() { [[ -d /run/systemd/system ]] && has systemctl; }

_apt_updated=

apt_update() {
    [[ -n $_apt_updated ]] && return 0
    # A third party's broken source must not stop us: what is missing shows when the package is asked for.
    DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=120 update -qq >/dev/null 2>&1 || true
    _apt_updated=1
}

# apt_candidate PACKAGE: the version apt would install, empty when there is none.
apt_candidate() {
    apt-cache policy "$1" 2>/dev/null | awk '/Candidate:/ && $2 != "(none)" { print $2 }'
}

# apt_install PACKAGE...: quiet when it works, the end of apt's own output when it does not.
apt_install() {
    apt_update
    local log
    log=$(mktemp)
    if ! DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -y -qq --no-install-recommends "$@" \
        >"$log" 2>&1 </dev/null; then
        tail -n 20 "$log" >&2
        rm -f "$log"
        die "apt-get could not install: $*" "see the lines above; try: apt-get update && apt-get install $*"
    fi
    rm -f "$log"
}

# not_long SUITE: of the names on standard input those that `make test` runs, which leaves out what tests/long names; all with ASTRAL_TEST_ALL.
not_long() {
    if [[ -n ${ASTRAL_TEST_ALL:-} ]]; then
        cat
    else
        grep -vxFf <(awk -v suite="$1" '$1 == suite { print $2 }' "$ROOT/tests/long") || true
    fi
}

# side_by_side COMMAND NAME...: `COMMAND NAME` for each, two at a time, which is what a machine of two cores bears. What one of them says is
# shown whole, when it has ended, and what failed once more at the end, in short: of a long log often only the end is kept. The names of
# those that failed are in side_by_side_failed. A single one speaks for itself.
side_by_side() {
    local command=$1 lanes=${ASTRAL_TEST_LANES:-2} logs pid code name
    shift
    (($# > 1)) || lanes=1
    local -A jobs_running=() jobs_begun=()
    side_by_side_failed=()
    logs=$(mktemp -d)
    # Whoever is started in the background does not hear Ctrl-C.
    trap 'kill "${!jobs_running[@]}" 2>/dev/null; wait; rm -rf "$logs"' EXIT
    while (($# + ${#jobs_running[@]})); do
        if (($# && ${#jobs_running[@]} < lanes)); then
            jobs_begun[$1]=$(_now_us)
            if ((lanes > 1)); then
                printf '... %s\n' "$1"
                "$command" "$1" >"$logs/$1" 2>&1 </dev/null &
            else
                printf '\n--- %s\n' "$1"
                "$command" "$1" </dev/null &
            fi
            jobs_running[$!]=$1
            shift
            continue
        fi
        code=0
        wait -n -p pid "${!jobs_running[@]}" || code=$?
        name=${jobs_running[$pid]}
        unset "jobs_running[$pid]"
        ((lanes == 1)) || { printf '\n--- %s\n' "$name" && cat "$logs/$name"; }
        ((code == 0)) || side_by_side_failed+=("$name")
        printf -- '--- %s: %s (%s s)\n' "$name" "$( ((code == 0)) && echo ok || echo "FAILED, exit code $code")" "$(seconds_since "${jobs_begun[$name]}")"
    done
    if ((lanes > 1)); then
        for name in "${side_by_side_failed[@]}"; do
            printf '\n--- %s failed:\n' "$name"
            last_failure 14 "$logs/$name"
        done
    fi
    trap - EXIT
    rm -rf "$logs"
}

# last_failure LINES FILE: the last task in Ansible's output that failed and was not ignored, without the excerpt of its source, the command
# and what is said twice, cut to so many lines of 400 characters; the end of the file when there is none.
last_failure() {
    awk -v most="$1" '
        function close_block() { if (block ~ /\nfatal: |\nfailed: / && block !~ /\n\.\.\.ignoring/) found = block; block = ""; source = 0 }
        /^(TASK|PLAY|HANDLER|RUNNING HANDLER|INFO|WARNING) / { close_block() }
        { end[NR] = substr($0, 1, 400) }
        /^Origin: / { source = 1 }
        /^(fatal|failed): / { source = 0 }
        /^    [a-z_]+:/ { aside = /^    (cmd|delta|start|end|changed|changed_when_result|invocation|ansible_facts|stdout_lines|stderr_lines):/ }
        /^[^ ]/ { aside = 0 }
        !source && !aside { block = block "\n" end[NR] }
        END {
            close_block()
            if (!found) for (i = NR - most + 1; i <= NR; i++) found = found "\n" end[i]
            count = split(substr(found, 2), lines, "\n")
            for (i = 1; i <= count && i <= most; i++) print lines[i]
            if (count > most) print "[...]"
        }' "$2"
}
