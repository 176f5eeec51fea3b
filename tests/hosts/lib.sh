# shellcheck shell=bash
# What the scripts of the SSH hosts agree on: they belong to the stack that ASTRAL_DEMO_PROJECT, ASTRAL_DEMO_PORT_OFFSET and
# ASTRAL_DEMO_STATE name. Sourced, never run.

ROOT=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd -P)
# shellcheck source=demo/lib.sh
. "$ROOT/demo/lib.sh"

HOSTS_IMAGE=astraldraft/ssh-host:trixie
# One folder a host, and the key that opens them all.
HOSTS=$STATE/hosts
# On all that is started for the hosts: containers, networks, and what runs on them.
HOSTS_LABEL=org.astraldraft.hosts=$PROJECT
# Of the stack: what the hosts have themselves, so that it rests meanwhile.
RESTING=(postgres-master postgres-replica redis-1 redis-2 redis-3 redis-4 redis-5 redis-6 redis-cluster app-blue app-green nginx)
export ROOT HOSTS HOSTS_IMAGE HOSTS_LABEL RESTING
