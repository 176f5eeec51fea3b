# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""PostgreSQL's own tools, where they are: on this host or in a container. Private: other collections must not import it.

Every connection option reaches them by libpq's environment; the password by a file that only their user can read.
"""

from __future__ import annotations

from ansible_collections.astraldraft.ops.plugins.module_utils import _docker
from ansible_collections.astraldraft.ops.plugins.module_utils._database_content import READABLE, parse_lines
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._place import last_words
from ansible_collections.astraldraft.ops.plugins.module_utils._tools import container_of


def libpq_environment(login, passfile=None):
    """Every connection option of LOGIN_SPEC (dict) as libpq's environment names it; the password is in the file ``passfile``."""
    found = {
        "PGHOST": login["login_host"],
        "PGPORT": login["login_port"],
        "PGUSER": login["login_user"],
        "PGDATABASE": login["login_db"],
        "PGSSLMODE": login["ssl_mode"],
        "PGSSLROOTCERT": login["ca_cert"],
        "PGPASSFILE": passfile,
        "PGCONNECT_TIMEOUT": 10,
        "PGAPPNAME": "astraldraft.ops",
    }
    return {name: str(value) for name, value in found.items() if value is not None}


def passfile_line(password):
    """The line of a password file that fits every server."""
    return "*:*:*:*:{0}\n".format(password.replace("\\", "\\\\").replace(":", "\\:"))


def connection(place, login, folder):
    """libpq's environment for the options LOGIN_SPEC (dict), with the password in a file of ``folder`` in that place."""
    passfile = None
    if login["login_password"]:
        line = passfile_line(login["login_password"]).encode("utf-8")
        place.put(folder, [(".pgpass", len(line), [line])])
        passfile = folder + "/.pgpass"
    return libpq_environment(login, passfile)


class Session:
    """SQL for a server, run by psql in ``place``. Scripts are kept in ``folder`` there; ``environment`` is libpq's."""

    def __init__(self, place, folder, environment, tick):
        self.place, self.folder, self._tick = place, folder, tick
        # Scripts and answers are UTF-8, whatever the database is in.
        self.environment = dict(environment, PGCLIENTENCODING="UTF8")

    def run_sql(self, text, database="postgres", stop=True):
        """Have psql run ``text``. -> Finished. ``stop``: at the first error."""
        data = text.encode("utf-8")
        self.place.put(self.folder, [("script.sql", len(data), [data])])
        argv = ["psql", "--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--no-password", "--set=ON_ERROR_STOP={0:d}".format(stop)]
        environment = dict(self.environment, PGDATABASE=database)
        return self.place.run(argv + ["--file={0}/script.sql".format(self.folder)], self._tick, environment)

    def ask(self, questions, database):
        """The answers (parsed JSON, in order) to ``questions`` (list of SQL)."""
        done = self.run_sql(";\n".join([READABLE.format(0), *questions]) + ";\n", database)
        if done.code:
            raise OpsError("The server refused a question about {0}: {1}".format(database, last_words(done.complaint)))
        return parse_lines(done.output)


def server_login(params):
    """The options LOGIN_SPEC (dict) with a host: where none is given, the address of the container in which the tools are."""
    if params["login_host"] or not (params["service"] or params["container"]):
        return dict(params, login_host=params["login_host"] or "127.0.0.1")
    with _docker.engine(params["docker_host"]) as client:
        found = container_of(client, params)
    if not found.addresses:
        raise OpsError("The container {0} has no address. Say how its server is reached (login_host, login_port).".format(found.name))
    return dict(params, login_host=next(iter(found.addresses.values())))


def tools_login(params, server):
    """How the tools reach the server: LOGIN_SPEC as seen from where they are. ``server`` has its own port (dict)."""
    login = dict(params, login_host=params["login_host"] or "127.0.0.1")
    if params["service"] or params["container"]:
        # The loopback interface of the server's own network: no certificate is for that, and nobody is between.
        login.update(login_host="127.0.0.1", login_port=server["port"], ssl_mode="prefer", ca_cert=None)
    if params["tools_login_host"]:
        login["login_host"] = params["tools_login_host"]
    if params["tools_login_port"]:
        login["login_port"] = params["tools_login_port"]
    return login
