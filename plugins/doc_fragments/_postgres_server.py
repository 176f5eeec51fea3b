# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of modules that start and stop a PostgreSQL server. Private: other collections must not use it."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  project:
    description: The Compose project of O(service).
    type: str
  service:
    description: The Compose service whose container the server is. Needed, or O(container), or on a bare host O(data_path).
    type: str
  container:
    description: The name of the server's container, where it belongs to no Compose project.
    type: str
  data_path:
    description:
      - The server's data folder in its container, which must be in a volume. By default what the container's environment names as
        C(PGDATA).
      - Without O(service) and O(container) it is a folder of this host. Reading it takes root, or the owner of the data.
    type: str
  bin_dir:
    description:
      - The folder of PostgreSQL's tools, in the container's image or on this host. By default they are looked for where the packages of
        Debian and of postgresql.org put those of the server's major version, then on C(PATH).
    type: str
  tools_user:
    description: The system user that owns the data. By default C(postgres) in a container, and on a bare host whoever owns it.
    type: str
  start_command:
    description:
      - What starts the server of a bare host, as the user that runs this module, such as V([systemctl, start, postgresql@17-main]). It
        ends, and the server goes on. Not used for containers.
      - By default it is C(pg_ctl), run as the owner of the data, with the options with which the server was started last. Name commands
        where systemd, or whatever else, is to know of it.
    type: list
    elements: str
  stop_command:
    description: What shuts it down, ending every session, such as V([systemctl, stop, postgresql@17-main]). Not used for containers.
    type: list
    elements: str
  login_host:
    description: The host of the PostgreSQL server. By default the address of its container, or this host.
    type: str
  login_user:
    description: The user to connect as, a superuser.
    type: str
    default: postgres
"""

    PEERS = r"""
options:
  peers:
    description:
      - The other servers of the cluster. They are reached with the same O(login_user), O(login_password), O(ssl_mode) and O(ca_cert).
    type: list
    elements: dict
    default: []
    suboptions:
      login_host:
        description: The host of the server.
        type: str
        required: true
      login_port:
        description: Its port.
        type: int
        default: 5432
"""
