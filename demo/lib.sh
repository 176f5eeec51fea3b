# shellcheck shell=bash
# What every demo script agrees on: the project, its ports, its state folder. Sourced, never run.
#
# A person moves things by environment variables:
#   ASTRAL_DEMO_PROJECT       Compose project (astral-demo)
#   ASTRAL_DEMO_PORT_OFFSET   added to every published port (0)
#   ASTRAL_DEMO_<X>_PORT      moves one port alone; X as in PORT_BASES below
#   ASTRAL_DEMO_STATE         state folder (~/.local/state/astraldraft/<project>)

DEMO_DIR=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
PROJECT=${ASTRAL_DEMO_PROJECT:-astral-demo}
PORT_OFFSET=${ASTRAL_DEMO_PORT_OFFSET:-0}
STATE=${ASTRAL_DEMO_STATE:-${XDG_STATE_HOME:-${HOME:?HOME is not set}/.local/state}/astraldraft/$PROJECT}
COMPOSE_ENV=$STATE/compose.env
# shellcheck disable=SC2034  # used by those who source this
# Present in every folder that `prepare` made; `down` deletes nothing without it.
STATE_MARKER=$STATE/.astraldraft-stack

PORT_BASES=(LB=8080 LB_TLS=8443 PROMETHEUS=9090 ALERTMANAGER=9093 STUB=9099 PEBBLE=14014 POSTGRES=5432 REDIS=7000)

say() { printf '%s\n' "$@"; }

die() {
    printf '%s\n' "$@" >&2
    exit 1
}

# One value of the compose.env already written; empty when there is none.
recorded() {
    [ -r "$COMPOSE_ENV" ] || return 0
    sed -n "s/^$1=//p" "$COMPOSE_ENV" | tail -n 1
}

# A port: the person's own variable, else the offset where one was given, else what the stack
# was made with, else the default. So a later command without the variables finds the same stack.
port_of() {
    local name=$1 base=$2 own=ASTRAL_DEMO_$1_PORT kept
    if [ -n "${!own:-}" ]; then
        printf '%s' "${!own}"
        return
    fi
    kept=$(recorded "$own")
    if [ -n "${ASTRAL_DEMO_PORT_OFFSET:-}" ] || [ -z "$kept" ]; then
        printf '%s' "$((base + PORT_OFFSET))"
    else
        printf '%s' "$kept"
    fi
}

# Sets and exports ASTRAL_DEMO_<X>_PORT for every published port.
load_ports() {
    local pair name value
    [[ $PORT_OFFSET =~ ^[0-9]+$ ]] || die "ASTRAL_DEMO_PORT_OFFSET must be a whole number, not '$PORT_OFFSET'."
    for pair in "${PORT_BASES[@]}"; do
        name=${pair%%=*}
        value=$(port_of "$name" "${pair#*=}")
        [[ $value =~ ^[1-9][0-9]{0,4}$ && $value -le 65530 ]] ||
            die "ASTRAL_DEMO_${name}_PORT must be a port between 1 and 65530, not '$value'."
        export "ASTRAL_DEMO_${name}_PORT=$value"
    done
}

check_project() {
    [[ $PROJECT =~ ^[a-z0-9][a-z0-9_-]*$ ]] ||
        die "ASTRAL_DEMO_PROJECT '$PROJECT' is no Compose project name: lower-case letters, digits, - and _ only, starting with a letter or digit."
}

require_engine() {
    command -v docker >/dev/null || die "The docker command is missing. Run: make setup"
    local answer
    answer=$(docker version --format '{{.Server.Version}}' 2>&1) && return
    case $answer in
    *"permission denied"*)
        die "The Docker Engine is running, but ${USER:-this user} may not use it." \
            "Run: sudo usermod -aG docker ${USER:-\$USER}   and log in again."
        ;;
    *) die "No Docker Engine answers: $answer" "Run: make setup" ;;
    esac
}

# Build arguments that hand this machine's proxies on, a word a line.
proxies() {
    local name
    for name in http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY; do
        [ -z "${!name:-}" ] || printf -- '--build-arg\n%s\n' "$name"
    done
}

compose() {
    docker compose --project-name "$PROJECT" --file "$DEMO_DIR/compose.yml" --env-file "$COMPOSE_ENV" "$@"
}
