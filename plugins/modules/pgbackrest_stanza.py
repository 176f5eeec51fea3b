#!/usr/bin/python
# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: pgbackrest_stanza
short_description: Have a PostgreSQL server archive its log into a repository of pgBackRest
version_added: 0.1.0
description:
  - Writes the file with pgBackRest's options, makes the stanza (or brings it to the server's new major version), sets C(archive_mode) and
    C(archive_command) by C(ALTER SYSTEM), and then sees with C(pgbackrest check) that a segment of the log really arrives.
  - C(archive_mode) takes a restart of the server, which this module never does. It says so in RV(restart_required).
author:
  - Astral Draft Platform Engineering (@astraldraft)
extends_documentation_fragment:
  - astraldraft.ops._pgbackrest
  - astraldraft.ops._pgbackrest.tools
  - astraldraft.ops._pgbackrest.work
  - astraldraft.ops._backup.tools_login
  - astraldraft.ops._postgres
  - astraldraft.ops._operation
  - astraldraft.ops._operation.docker
  - astraldraft.ops._operation.attributes
  - astraldraft.ops._operation.action_group
attributes:
  check_mode:
    support: full
    details: The server, the file and the stanza are looked at; that a segment arrives is not tried.
  diff_mode:
    support: none
  idempotent:
    support: full
    details: That a segment arrives is tried every time; the server begins a new one for it.
options:
  login_host:
    description: The host of the server, or the folder of its socket. By default the address of the container, or V(127.0.0.1).
  login_user:
    description: The user to connect as, a superuser.
  repo_path:
    description:
      - The folder of the repository, which must be there. With a server in a container it is a path in there, on a volume.
      - By default O(config_path) is not written, but taken as it is.
    type: str
  repo_cipher_pass:
    description: A passphrase with which all of the repository is encrypted. It stands in O(config_path), and cannot be changed later.
    type: str
  retention_full:
    description: How many full backups are kept, with all that leans on them and the log since the oldest.
    type: int
    default: 2
  compress_type:
    description: How backups and the log are compressed.
    type: str
    choices: [none, gz, lz4, zst, bz2]
    default: zst
  jobs:
    description: How many processes pgBackRest uses for a backup or a restore.
    type: int
    default: 2
  check:
    description: Whether it is seen that a segment of the log arrives.
    type: bool
    default: true
  archive_timeout:
    description: How long that may take, in seconds.
    type: int
    default: 60
seealso:
  - module: astraldraft.ops.pgbackrest_backup
"""

EXAMPLES = r"""
- name: Archive the log of the server in a Compose project
  astraldraft.ops.pgbackrest_stanza:
    config_path: /var/lib/postgresql/data/pgbackrest.conf
    repo_path: /var/lib/pgbackrest
    project: astral-draft
    service: postgres-master
    login_password: "{{ vault_postgres_superuser_password }}"

- name: Archive that of this host, encrypted
  astraldraft.ops.pgbackrest_stanza:
    repo_path: /mnt/backup/pgbackrest
    repo_cipher_pass: "{{ vault_pgbackrest_passphrase }}"
    login_host: /run/postgresql
    tools_user: postgres
"""

RETURN = r"""
actions:
  description: What was done, or would be in check mode, in a few words each.
  returned: always
  type: list
  elements: str
  sample: [stanza main made, archive_command set]
archive_command:
  description: The command by which the server archives, V(null) after a failure.
  returned: always
  type: str
restart_required:
  description: Whether the server has to be restarted before it archives.
  returned: always
  type: bool
checked:
  description: Whether it was seen that a segment arrives.
  returned: always
  type: bool
duration:
  description: The time the module took, in seconds.
  returned: always
  type: float
"""

from ansible_collections.astraldraft.ops.plugins.module_utils import _pgbackrest as words
from ansible_collections.astraldraft.ops.plugins.module_utils import _pgbackrest_archive as archive
from ansible_collections.astraldraft.ops.plugins.module_utils import _pgbackrest_place as places
from ansible_collections.astraldraft.ops.plugins.module_utils._docker import DOCKER_SPEC
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._module import load, run
from ansible_collections.astraldraft.ops.plugins.module_utils._postgres import LOGIN_SPEC
from ansible_collections.astraldraft.ops.plugins.module_utils._postgres_tools import server_login
from ansible_collections.astraldraft.ops.plugins.module_utils._tools import TOOLS_LOGIN_SPEC, TOOLS_RULES, TOOLS_SPEC

SPEC = {
    "repo_path": {"type": "str"},
    "repo_cipher_pass": {"type": "str", "no_log": True},
    "retention_full": {"type": "int", "default": 2},
    "compress_type": {"type": "str", "choices": ["none", "gz", "lz4", "zst", "bz2"], "default": "zst"},
    "jobs": {"type": "int", "default": 2},
    "check": {"type": "bool", "default": True},
    "archive_timeout": {"type": "int", "default": 60},
}
RESULT = {"actions": [], "archive_command": None, "restart_required": False, "checked": False}


def wanted_config(params, state):
    """The text that the file should have, or None where it is taken as it is."""
    if not params["repo_path"]:
        return None
    cipher = {"repo1-cipher-type": "aes-256-cbc", "repo1-cipher-pass": params["repo_cipher_pass"]} if params["repo_cipher_pass"] else {}
    options = {
        "repo1-path": params["repo_path"], "repo1-retention-full": params["retention_full"], "compress-type": params["compress_type"],
        "process-max": params["jobs"], "start-fast": "y",
    }  # fmt: skip
    return words.config_text(params["stanza"], state["data_directory"], dict(options, **cipher))


def stanza_step(found, state, params):
    """-> what has to be done about the stanza: (its command, in words), or None"""
    if found["status"] in (words.NO_STANZA, words.NO_DATA):
        return "stanza-create", "stanza {0} made".format(params["stanza"])
    same = str(found["system_id"]) == state["system_id"] and found["server_version"] == str(state["major"])
    return None if same else ("stanza-upgrade", "stanza {0} brought to version {1}".format(params["stanza"], state["major"]))


def write(params, place, config, step, state, tick):
    """Write the file. What it says is tried before: from then on the server archives by it."""
    trial = dict(params, config_path=params["config_path"] + ".trial")
    try:
        place.replace(trial["config_path"], config.encode("utf-8"))
        with places.PgBackRest(trial, place, tick, state if step else None) as pgbackrest:
            pgbackrest.run(step[0] if step else "info")
        place.replace(params["config_path"], config.encode("utf-8"))
    finally:
        place.remove([trial["config_path"]])


def set_up(module, result, ask, state, config, step, settings):
    params, active = module.params, state["mode"] in archive.ACTIVE
    folder = params["config_path"].rpartition("/")[0]
    text = config or places.read_config(params)
    with places.beside_server(params, state["major"], text, also=[folder] if config else []) as place:
        if config:
            write(params, place, config, step, state, module.heartbeat)
        with places.PgBackRest(params, place, module.heartbeat, state) as pgbackrest:
            if step and not config:
                pgbackrest.run(step[0])
            result["changed"] = bool(config or step)
            if settings:
                module.fence()
                archive.apply(ask, settings, result["archive_command"], active, module.heartbeat)
                result["changed"] = True
            if params["check"] and active:
                pgbackrest.run("check", "--archive-timeout={0}".format(params["archive_timeout"]))
                result["checked"] = True


def work(module, result):
    params = module.params
    for name in ("jobs", "retention_full", "archive_timeout"):
        if params[name] < 1:
            raise OpsError("{0} must be 1 or more, not {1}. Nothing was done.".format(name, params[name]))
    command, login = words.archive_command(params), server_login(params)
    with archive.session(load("psycopg2"), login, readonly=module.check_mode) as ask:
        state = ask(archive.STATE)[0][0]
        settings = archive.steps(state, command)
        places.demand_volume(params, state["data_directory"])
        config, current = wanted_config(params, state), places.read_config(params)
        if config is None and current is None:
            raise OpsError("There is no {0}. Write it, or say where the repository is (repo_path).".format(params["config_path"]))
        for folder in words.repositories(config or current):
            places.demand_volume(params, folder)
        elsewhere = not current or words.repositories(config or current) != words.repositories(current)
        step = stanza_step(words.parse_info("[]", params["stanza"]) if elsewhere else places.info(params), state, params)
        if config == current:
            config = None
        result["actions"] += ["{0} written".format(params["config_path"])] if config else []
        result["actions"] += [step[1]] if step else []
        result["actions"] += ["{0} set".format(name) for name, _value in settings]
        result["restart_required"] = state["mode"] not in archive.ACTIVE
        result["archive_command"] = command
        if module.check_mode:
            result["changed"] = bool(result["actions"])
            return
        try:
            set_up(module, result, ask, state, config, step, settings)
        except OpsError:
            result.update(actions=result["actions"] if result["changed"] else [], archive_command=None)
            raise


def main():
    spec = dict(LOGIN_SPEC, **DOCKER_SPEC, **TOOLS_SPEC, **TOOLS_LOGIN_SPEC, **words.PGBACKREST_SPEC, **SPEC)
    run(work, spec, RESULT, supports_check_mode=True, **TOOLS_RULES)


if __name__ == "__main__":
    main()
