# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of modules that work on backups. Private: other collections must not use it."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  path:
    description: The folder of the backups, with the catalogue C(catalog.json). Each backup is a folder in it.
    type: path
    required: true
"""

    NAME = r"""
options:
  name:
    description: The name of the backup. V(latest) is the newest ordinary one that is not marked bad.
    type: str
    default: latest
  environment:
    description: Of which environment the latest one is meant. By default of any.
    type: str
  database:
    description: Of which database the latest one is meant, or of which cache or stack, by its name in the catalogue. By default of any.
    type: str
"""

    METRICS = r"""
options:
  metrics_path:
    description:
      - A file for node_exporter's textfile collector, rewritten from the catalogue at the end. Its folder must exist.
      - By default none is written.
    type: path
"""

    PROGRESS = r"""
options:
  progress_path:
    description:
      - A file in which the module keeps one line about how it stands, while it runs. The action plugin of the same name sets it, to show
        the line to whoever waits.
    type: path
attributes:
  action:
    description: Indicates this has a corresponding action plugin so some parts of the options can be executed on the controller.
    support: full
    details: What takes more than five seconds shows how it stands.
"""

    TOOLS = r"""
options:
  project:
    description: The Compose project of O(service).
    type: str
  service:
    description:
      - The Compose service whose image has PostgreSQL's tools. They are run in a container of their own beside it, in its network.
      - Without it and without O(container) those of the host are used.
    type: str
  container:
    description: The name of the container whose image has the tools, where it belongs to no Compose project.
    type: str
  bin_dir:
    description:
      - The folder of the tools. By default they are looked for where the packages of Debian and of postgresql.org put those of the server's
        major version, then on C(PATH).
    type: str
  tools_user:
    description:
      - The system user that runs the tools. In a container C(postgres) by default, on the host the task's user; another one takes root.
      - A throw-away server cannot be run by root. Then it is C(postgres) by default, too.
    type: str
  work_dir:
    description: Where the tools keep what they need for a while.
    type: str
    default: /tmp
requirements:
  - PostgreSQL's own tools (pg_dump, pg_dumpall, pg_restore; to verify by a restore also initdb, postgres, psql, pg_amcheck), of the
    server's major version
"""

    TOOLS_LOGIN = r"""
options:
  tools_login_host:
    description:
      - The host of the server, or the folder of its socket, as seen by the tools. On the host it is O(login_host) by default, beside a
        container V(127.0.0.1), in the network of the server.
    type: str
  tools_login_port:
    description: The port of the server, as seen by the tools. In a container the server's own by default.
    type: int
"""

    REDIS_TOOLS = r"""
options:
  project:
    description: The Compose project of O(service).
    type: str
  service:
    description:
      - The Compose service whose image has Redis's own tools. They are run in a container of their own beside it.
      - Without it and without O(container) those of the host are used.
    type: str
  container:
    description: The name of the container whose image has the tools, where it belongs to no Compose project.
    type: str
  bin_dir:
    description: The folder of the tools. By default they are looked for on C(PATH).
    type: str
  tools_user:
    description:
      - The system user that runs the tools. In a container C(redis) by default, on the host the task's user; another one takes root.
    type: str
  work_dir:
    description: Where the tools keep what they need for a while. The throw-away server's socket is there, so that its path must be short.
    type: str
    default: /tmp
requirements:
  - Redis's own tools (redis-cli, redis-check-rdb; to load a snapshot also redis-server), of the servers' version or newer
"""
