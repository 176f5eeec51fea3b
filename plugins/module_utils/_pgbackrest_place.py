# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""pgBackRest, run where the cluster's files are. Private: other collections must not import it.

On the host that is beside the server. With a server in a container it is a container of its own of the same image, in the server's network
and with its volumes, of which only the repository may be written: never the server's own container, which takes the end of any orphan for
a crash of its own (``_place_container``). Only ``info``, which starts nothing and ends by itself, is asked in there.
"""

from __future__ import annotations

import contextlib

from ansible_collections.astraldraft.ops.plugins.module_utils import _docker
from ansible_collections.astraldraft.ops.plugins.module_utils import _pgbackrest as words
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._place import Finished, Host
from ansible_collections.astraldraft.ops.plugins.module_utils._postgres_tools import connection, tools_login
from ansible_collections.astraldraft.ops.plugins.module_utils._tar import read_tar
from ansible_collections.astraldraft.ops.plugins.module_utils._tools import container_of, tools

LABEL = "pgbackrest"


def in_container(params):
    return bool(params["service"] or params["container"])


def read_config(params, running=True):
    """The text of the file with the options, or None where there is none. Only reads: also in check mode."""
    if not in_container(params):
        try:
            with open(params["config_path"], encoding="utf-8") as stream:
                return stream.read()
        except FileNotFoundError:
            return None
    import docker

    with _docker.engine(params["docker_host"]) as client:
        model = container_of(client, params, running)
        try:
            chunks, _stat = client.api.get_archive(model.id, params["config_path"])
        except docker.errors.NotFound:
            return None
        for _name, _size, content in read_tar(chunks):
            return b"".join(content).decode("utf-8")
    return None


def info(params, place=None):
    """What ``info`` says (words.parse_info). Only reads: also in check mode. ``place``: where to ask; by default where the server runs."""
    argv = words.command(params, "info", "--log-level-stderr=off", "--log-level-console=error", "--output=json")
    name = place.name if place else "this host"
    if place or not in_container(params):
        done = (place or Host(0, user=params["tools_user"])).run(argv, lambda: None)
    else:
        with _docker.engine(params["docker_host"]) as client:
            model = container_of(client, params)
            code, output = _docker.execute(client, model.id, argv, params["tools_user"] or "postgres")
        name, done = "the container " + model.name, Finished(code, output.encode("utf-8"), "")
    if done.code == words.NO_FILE:
        return words.parse_info("[]", params["stanza"])
    if done.code:
        raise words.explain("pgbackrest info", name, done)
    return words.parse_info(done.output.decode("utf-8", "replace"), params["stanza"])


def demand_stanza(found, params):
    """Raises OpsError when there is none to work with."""
    if found["status"] in (words.NO_STANZA, words.NO_DATA):
        raise OpsError(
            "pgBackRest has no stanza {0} by {1} ({2}). Set it up: pgbackrest_stanza, or the playbook backup with "
            "backup_engine=pgbackrest, which does so first.".format(params["stanza"], params["config_path"], found["message"])
        )


def beside_server(params, major, config=None, offline=False, also=()):
    """A context with the place where pgBackRest works on the repositories that its file ``config`` (str) names. ``also``: what else may be
    written. ``offline``: the server need not run."""
    return tools(params, major, offline, writable=[*words.repositories(config), *also])


class PgBackRest:
    """pgBackRest in a place, with a way to the server. To be used in a ``with`` block, in which its password lies in a file."""

    def __init__(self, params, place, tick, server=None):
        self._params, self.place, self._tick, self._server = params, place, tick, server
        self._stack, self._environment = contextlib.ExitStack(), {}

    def __enter__(self):
        if self._server:
            folder = self._stack.enter_context(self.place.workspace(LABEL))
            found = connection(self.place, tools_login(self._params, self._server), folder)
            found.pop("PGDATABASE", None)
            self._environment = found
        return self

    def __exit__(self, *error):
        return self._stack.__exit__(*error)

    def run(self, name, *options, argument=None, share=None):
        """Run one command. -> its output (str). Raises OpsError with its own words. ``share``: takes the output as it comes, and keeps the
        end of it in ``said``."""
        port = ["--pg1-port={0}".format(self._environment["PGPORT"])] if self._server else []
        argv = words.command(self._params, name, "--log-level-stderr=off", *port, *options)
        done = self.place.run(argv + ([argument] if argument else []), self._tick, self._environment, share.take if share else None)
        if share:
            done = done._replace(output=bytes(share.said))
        if done.code:
            raise words.explain("pgbackrest " + name, self.place.name, done)
        return done.output.decode("utf-8", "replace")

    def shell_words(self, name, *options):
        return words.shell_words(self._params, name, *options)

    def info(self):
        return info(self._params, self.place)


def demand_volume(params, path):
    """Raises OpsError where a container keeps ``path`` to itself: nobody beside it sees it."""
    if not in_container(params):
        return
    with _docker.engine(params["docker_host"]) as client:
        model = container_of(client, params)
    targets = [mount["Destination"].rstrip("/") for mount in model.inspection.get("Mounts") or []]
    if not any(path == target or path.startswith(target + "/") for target in targets):
        raise OpsError(
            "{0} of the container {1} is on no volume: pgBackRest, which runs beside it, does not see it, and it goes with the container. "
            "Mount a volume there.".format(path, model.name)
        )
