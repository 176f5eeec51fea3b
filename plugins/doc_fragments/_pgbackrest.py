# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of modules that use pgBackRest. Private: other collections must not use it."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  stanza:
    description: What pgBackRest calls the cluster.
    type: str
    default: main
  config_path:
    description:
      - The file with pgBackRest's options, which the modules and the server's C(archive_command) share. With a server in a container it
        is a path in there, on a volume that the container has.
    type: str
    default: /etc/pgbackrest.conf
requirements:
  - pgBackRest 2.39 or newer, where the server's files are
"""

    TOOLS = r"""
options:
  project:
    description: The Compose project of O(service).
    type: str
  service:
    description:
      - The Compose service in whose container the server runs. pgBackRest, which its image has, is run in a container of its own beside
        it, with its volumes and in its network.
      - Without it and without O(container) that of the host is used.
    type: str
  container:
    description: The name of that container, where it belongs to no Compose project.
    type: str
  tools_user:
    description:
      - The system user that runs pgBackRest, the one to whom the cluster's files belong. In a container C(postgres) by default, on the host
        the task's user; another one takes root.
    type: str
"""

    WORK = r"""
options:
  bin_dir:
    description:
      - The folder of PostgreSQL's own tools. By default they are looked for where the packages of Debian and of postgresql.org put those of
        the server's major version, then on C(PATH).
    type: str
  work_dir:
    description: Where is kept what is needed for a while, a password or a throw-away server. To verify takes neither.
    type: str
    default: /tmp
"""
