"""Inert check mode: which of the recorded events are more than reading."""

from __future__ import annotations

import json
import re
from typing import Any

from ansible_collections.astraldraft.ops.tests.contract.lib.redis_protocol import commands, is_reading

Event = dict[str, Any]

# Files that are none, and the shared memory by which Ansible's processes talk to each other.
NOT_FILES = tuple(f"/dev/{name}" for name in ("null", "tty", "ptmx", "shm"))

# Programs that only say something, as regular expressions for their whole command line.
COMPOSE = r"(\S*/)?docker( --host \S+)? compose .*"
READING_PROGRAMS = (
    COMPOSE + r"(--dry-run|version|config|ps|images|ls)( .*)?",
    r"(\S*/)?docker( --host \S+)? (version|info|ps|inspect|context) .*",
    r"(/bin/sh -c )?uname -n",
    r"(/bin/sh -c )?id -un",
    r"(\S*/)?locale -a",
    r"/sbin/ldconfig -p",
    r"(\S*/)?file --mime-type --mime-encoding \S+",
    r"(\S*/)?lsattr -vd \S+",
    r"(\S*/)?nft -j list table inet \w+",
)

# Programs inside a container that only say something: README.md says why.
READING_INSIDE = (r"nginx -[vT]", r"pgbackrest( --\S+)* info")

DOCKER_EXEC = re.compile(r"(/v[\d.]+)?/containers/[^/]+/exec")
DOCKER_EXEC_START = re.compile(r"(/v[\d.]+)?/exec/[0-9a-f]+/start")
HTTP = re.compile(r"([A-Z]+) \S+ HTTP/1\.[01]\r\n")
READING_METHODS = ("GET", "HEAD")

# In a read-only transaction these do something all the same, or reach outside of it.
ACTING_SQL = re.compile(
    r"\b(pg_(terminate|cancel)_backend|pg_promote|pg_switch_wal|pg_reload_conf|pg_rotate_logfile|pg_(create|drop)_\w+|pg_stat_reset\w*|"
    r"pg_advisory_\w+|pg_create_restore_point|pg_logical_emit_message|setval|lo_\w+|dblink\w*)\s*\(",
    re.IGNORECASE,
)


def more_than_reading(trace: list[Event]) -> list[str]:
    """Sentences about what was done that check mode must not do."""
    found = []
    for event in trace:
        judge = JUDGES.get(event["do"])
        sentence = judge(event) if judge else None
        if sentence and sentence not in found:
            found.append(sentence)
    return found


def _file(event: Event) -> str | None:
    return None if event["path"].startswith(NOT_FILES) else f"writes: {event['what']} {event['path']}"


def _process(event: Event) -> str | None:
    line = " ".join(event["argv"])
    if any(re.fullmatch(pattern, line, re.DOTALL) for pattern in READING_PROGRAMS):
        return None
    return f"starts a program: {line[:200]}"


def _send(event: Event) -> str | None:
    request = HTTP.match(event["data"])
    if request:
        return None if request.group(1) in READING_METHODS else f"sends {request.group(0).strip()} to {event['to']}"
    spoken = commands(event["data"])
    if spoken is not None:
        acting = [command for command in spoken if not is_reading(command)]
        return f"sends {' '.join(acting[0])[:100]} to Redis at {event['to']}" if acting else None
    return f"sends {len(event['data'])} bytes of an unknown protocol to {event['to']}: {event['data'][:60]!r}"


def _sql(event: Event) -> str | None:
    statement = " ".join(event["statement"].split())
    if ACTING_SQL.search(statement):
        return f"runs SQL that acts although it only reads tables: {statement[:120]}"
    if re.match(r"(SET|SHOW)\b", statement, re.IGNORECASE):
        return None  # of this session alone
    return None if event["read_only"] else f"runs SQL in a transaction that may write: {statement[:120]}"


def _docker(event: Event) -> str | None:
    path = event["path"].split("?")[0]
    if event["method"] in READING_METHODS or event["method"] == "POST" and DOCKER_EXEC_START.fullmatch(path):
        return None  # what is started was made first, and judged there
    if event["method"] == "POST" and DOCKER_EXEC.fullmatch(path):
        inside = json.loads(event["body"])["Cmd"]
        line = " ".join(inside)
        return None if any(re.fullmatch(pattern, line) for pattern in READING_INSIDE) else f"runs {line} inside a container"
    return f"asks the Docker Engine for {event['method']} {path}"


def _signal(event: Event) -> str:
    return f"sends the signal {event['signal']} to process {event['to']}"


JUDGES = {"file": _file, "process": _process, "send": _send, "sql": _sql, "docker": _docker, "signal": _signal}
