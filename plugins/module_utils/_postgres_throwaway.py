# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A PostgreSQL server for a few minutes, which nobody else can reach. Private: other collections must not import it.

It lives in a temporary folder of the place where the tools are, listens on a socket in that folder only, and ends with the module.
"""

from __future__ import annotations

import contextlib

from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._place import last_words
from ansible_collections.astraldraft.ops.plugins.module_utils._postgres_tools import Session
from ansible_collections.astraldraft.ops.plugins.module_utils._wait import Deadline

#: No role of any dump has this name: every one can be created.
SUPERUSER = "astraldraft_throwaway"
START_SECONDS = 60
# It is thrown away: nothing has to survive a crash. Nobody vacuums what is being compared.
SETTINGS = {
    "listen_addresses": "", "fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "wal_level": "minimal",
    "max_wal_senders": "0", "archive_mode": "off", "autovacuum": "off", "max_wal_size": "4GB", "checkpoint_timeout": "1h",
    "maintenance_work_mem": "128MB", "shared_buffers": "128MB", "log_destination": "stderr", "logging_collector": "off", "ssl": "off",
    # What is asked once is not worth compiling, and slim images lack the compiler, which an expensive question would fail for.
    "jit": "off",
}  # fmt: skip


class Server(Session):
    """A throw-away server. ``environment`` is libpq's for its superuser."""

    def __init__(self, place, folder, tick):
        environment = {"PGHOST": folder, "PGPORT": "5432", "PGUSER": SUPERUSER, "PGDATABASE": "postgres", "PGCONNECT_TIMEOUT": "10"}
        super().__init__(place, folder, environment, tick)


@contextlib.contextmanager
def throwaway(place, preload, tick, label="throwaway"):
    """Make and start a server where the tools are. -> Server. ``preload``: shared_preload_libraries, which extensions may need. ``label``:
    of its workspace, by which that is found when this dies."""
    with place.workspace(label) as folder:
        data = folder + "/data"
        place.must(
            ["initdb", "--pgdata=" + data, "--username=" + SUPERUSER, "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C"], tick
        )  # fmt: skip
        settings = dict(SETTINGS, unix_socket_directories=folder, shared_preload_libraries=preload or "")
        argv = [part for name, value in sorted(settings.items()) for part in ("-c", "{0}={1}".format(name, value))]
        running = place.start(["postgres", "-D", data, "-p", "5432", *argv])
        server = Server(place, folder, tick)
        try:
            _wait(place, server, running, tick)
            yield server
        finally:
            running.end()


def _wait(place, server, running, tick):
    deadline = Deadline(START_SECONDS)
    while place.run(["pg_isready", "--quiet"], tick, server.environment).code != 0:
        if running.ended:
            raise OpsError("The throw-away server did not start on {0}: {1}".format(place.name, last_words(running.finish().complaint)))
        if deadline.passed:
            raise OpsError("The throw-away server on {0} did not come up within {1} s.".format(place.name, START_SECONDS))
        tick()
        running.wait(0.1)
