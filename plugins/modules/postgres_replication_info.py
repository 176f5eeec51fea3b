#!/usr/bin/python
# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: postgres_replication_info
short_description: Which server of a PostgreSQL cluster takes writes, how far its replicas are, and which could take over
version_added: 0.1.0
description:
  - Asks all servers of a streaming replication at the same time for their role, timeline, positions, slots and standbys, and says of each
    replica whether it may be promoted, and if not, why.
  - Of a server that does not answer the files are read, through the engine where it is in a container. They say whether it was
    shut down or killed, whether it was fenced (M(astraldraft.ops.postgres_fence)), and up to where it has written WAL, to a page of
    8 KiB; so how much a replica lacks of what a dead primary wrote is known as long as there is its disk.
author:
  - Astral Draft Platform Engineering (@astraldraft)
extends_documentation_fragment:
  - astraldraft.ops._postgres
  - astraldraft.ops._operation
  - astraldraft.ops._operation.docker
  - astraldraft.ops._operation.info
  - astraldraft.ops._operation.action_group
options:
  servers:
    description: The servers of the cluster, whatever their roles are at the moment.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: What the server is called.
        type: str
        required: true
      login_host:
        description: Its host. By default the address of its container, or this host where O(servers[].data_path) alone is given.
        type: str
      login_port:
        description: Its port.
        type: int
        default: 5432
      project:
        description: The Compose project of its service.
        type: str
      service:
        description: The Compose service whose container it is.
        type: str
      container:
        description: The name of its container, where that belongs to no Compose project.
        type: str
      data_path:
        description: Its data folder in the container, by default what the container's environment names as C(PGDATA). Without a container
          it is a folder of this host.
        type: str
  login_host:
    description: The host of those servers that name neither one nor a container.
    type: str
  login_port:
    description: Not used, each server has a port of its own.
    type: int
    default: 5432
  login_user:
    description: The user to connect as. One who is a member of C(pg_monitor) sees all but whether a server that answers was fenced,
      which takes C(pg_read_server_files).
    type: str
    default: postgres
  max_lag_bytes:
    description: How many bytes of WAL a replica that may be promoted may be behind.
    type: int
    default: 16777216
  max_lag_seconds:
    description: How old what it replayed last may be, in seconds, where it is behind at all.
    type: float
    default: 30
  accept_unknown:
    description: Whether a replica may be promoted of which nobody can say how far it is behind, because the last primary and its disk are
      out of reach.
    type: bool
    default: false
  timeout:
    description: The seconds that a server may take to answer.
    type: float
    default: 5
"""

EXAMPLES = r"""
- name: Who could take over?
  astraldraft.ops.postgres_replication_info:
    servers:
      - {name: postgres-master, project: astral-draft, service: postgres-master}
      - {name: postgres-replica, project: astral-draft, service: postgres-replica}
    login_user: postgres
    login_password: "{{ vault_postgres_superuser_password }}"
"""

RETURN = r"""
verdict:
  description: V(pass); V(fail) when the cluster has not exactly one primary or a replica could not take over; V(inconclusive) when there is
    a primary and some server could not be asked.
  returned: always
  type: str
findings:
  description: What is not as it should be, one sentence each.
  returned: always
  type: list
  elements: str
primary:
  description: The server that takes writes, V(null) when none or more than one does.
  returned: always
  type: str
last_primary:
  description: The same; where none answers as a primary, the one that was it last as far as is known, or V(null).
  returned: always
  type: str
candidate:
  description: The replica that may be promoted and has received most, a synchronous one before others. V(null) when none may be.
  returned: always
  type: str
servers:
  description: What is known of each. What is not known is V(null).
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: What it is called.
      type: str
    login_host:
      description: Where it was asked, V(null) when it could not be.
      type: str
    login_port:
      description: At which port.
      type: int
    answers:
      description: Whether it answered.
      type: bool
    message:
      description: Why it did not, or empty.
      type: str
    role:
      description: V(primary), V(replica), V(fenced), or V(down) when it does not answer and was not fenced.
      type: str
    state:
      description: V(in production), V(in recovery), or what the control file says of a server that does not answer. V(null) when unknown.
      type: str
    version:
      description: The version of the server, V(null) when unknown.
      type: str
    system_identifier:
      description: The cluster it belongs to, V(null) when unknown.
      type: str
    timeline:
      description: Its timeline, V(null) when unknown.
      type: int
    lsn:
      description: Up to where it has written (a primary) or replayed. Of a server that does not answer up to where it has written at most.
        V(null) when unknown.
      type: str
    received_lsn:
      description: Up to where a replica has received WAL, V(null) for a primary and when unknown.
      type: str
    replayed_at:
      description: When what a replica replayed last was committed, ISO 8601, V(null) for a primary and when unknown.
      type: str
    streams_from:
      description: From which host a replica receives, V(null) when it does not.
      type: str
    used_slot:
      description: The slot by which a replica is fed, V(null) when it has none and when unknown.
      type: str
    sync_state:
      description: What the primary says of the replica, V(async), V(sync), V(quorum) or V(potential). V(null) when it says nothing.
      type: str
    lag_bytes:
      description: How many bytes of the primary's WAL a replica has not replayed, V(null) for a primary and when unknown.
      type: int
    missing_bytes:
      description: How many bytes of it a replica has not received, V(null) for a primary and when unknown.
      type: int
    lag_seconds:
      description: How old what a replica replayed last is, V(0) when there is nothing to replay. V(null) for a primary and when unknown.
      type: float
    paused:
      description: Whether replay is paused, V(null) when unknown.
      type: bool
    slots:
      description: Its replication slots, each with C(name), C(type), C(active), C(wal_status), C(retained_bytes).
      type: list
      elements: dict
    standbys:
      description: Who receives from it, each with C(name), C(address), C(state), C(sync_state), C(replay_lsn), C(lag_seconds).
      type: list
      elements: dict
    promotable:
      description: Whether it may be promoted.
      type: bool
    why:
      description: Why it may not.
      type: list
      elements: str
duration:
  description: The seconds that all of it took.
  returned: always
  type: float
"""

from ansible_collections.astraldraft.ops.plugins.module_utils import _postgres_files as files
from ansible_collections.astraldraft.ops.plugins.module_utils import _replication as replication
from ansible_collections.astraldraft.ops.plugins.module_utils._docker import DOCKER_SPEC
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._module import load, run
from ansible_collections.astraldraft.ops.plugins.module_utils._net import ProbeError
from ansible_collections.astraldraft.ops.plugins.module_utils._postgres import LOGIN, LOGIN_SPEC
from ansible_collections.astraldraft.ops.plugins.module_utils._postgres_server import server
from ansible_collections.astraldraft.ops.plugins.module_utils._replication_ask import ask_all

SERVER = {
    "name": {"type": "str", "required": True},
    "login_host": {"type": "str"},
    "login_port": {"type": "int", "default": 5432},
    "project": {"type": "str"},
    "service": {"type": "str"},
    "container": {"type": "str"},
    "data_path": {"type": "str"},
}
SPEC = {
    "servers": {
        "type": "list", "elements": "dict", "required": True, "options": SERVER, "mutually_exclusive": [("service", "container")],
        "required_by": {"service": ("project",)},
    },
    "max_lag_bytes": {"type": "int", "default": 16 * 1024 * 1024},
    "max_lag_seconds": {"type": "float", "default": 30},
    "accept_unknown": {"type": "bool", "default": False},
    "timeout": {"type": "float", "default": 5},
}  # fmt: skip
RESULT = {"verdict": replication.INCONCLUSIVE, "findings": [], "primary": None, "last_primary": None, "candidate": None, "servers": []}


def place(params, one):
    """The options that name a server whose files are read."""
    return dict(one, docker_host=params["docker_host"], bin_dir=None, tools_user=None)


def within_reach(one):
    """Whether its files can be read."""
    return one["service"] or one["container"] or one["data_path"]


def login(params, one):
    """LOGIN_SPEC for one of the servers, or the ProbeError why there is none."""
    host = one["login_host"] or (None if within_reach(one) else params["login_host"])
    if not host and within_reach(one):
        try:
            with server(place(params, one)) as found:
                host = found.address
        except OpsError as error:
            return ProbeError("unreachable", "no_container", error.message)
        if not host:
            return ProbeError("refused", "stopped", "{0} does not run".format(found.name), "Start it.")
    if not host:
        return ProbeError("not_configured", "not_configured", "it names neither login_host nor a container nor data_path")
    return dict({name: params[name] for name in LOGIN}, login_host=host, login_port=one["login_port"])


def remains(params, one):
    """What the files of a server that does not answer say (Remains), None when there are none to be read."""
    if not within_reach(one):
        return None
    try:
        with server(place(params, one)) as found:
            control = found.control()
            if control is None:
                return None
            fenced = found.read(files.MARKER) is not None and found.read(files.SIGNAL) is not None
            return replication.Remains(control, fenced, found.wal_end(control))
    except OpsError:
        return None


def work(module, result):
    params, psycopg2 = module.params, load("psycopg2")
    servers = {one["name"]: one for one in params["servers"]}
    if len(servers) != len(params["servers"]):
        raise OpsError("Two servers have the same name: {0}.".format(", ".join(one["name"] for one in params["servers"])))
    logins = {name: login(params, one) for name, one in servers.items()}
    answers = ask_all(psycopg2, logins, params["timeout"], module.heartbeat)
    left = {name: remains(params, servers[name]) for name, answer in answers.items() if not isinstance(answer, dict)}
    limits = replication.Limits(params["max_lag_bytes"], params["max_lag_seconds"], params["accept_unknown"])
    result.update(replication.judge(answers, {name: one for name, one in left.items() if one}, limits))
    for one in result["servers"]:
        reached = logins[one["name"]]
        one.update(
            login_host=None if isinstance(reached, ProbeError) else reached["login_host"], login_port=servers[one["name"]]["login_port"]
        )


def main():
    run(work, dict(LOGIN_SPEC, **DOCKER_SPEC, **SPEC), dict(RESULT), supports_check_mode=True)


if __name__ == "__main__":
    main()
