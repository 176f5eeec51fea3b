# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of a module that asks one PostgreSQL server. Private: other collections must not use it."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  login_host:
    description: The host of the PostgreSQL server, or the folder of its socket.
    type: str
  login_port:
    description: Its port.
    type: int
    default: 5432
  login_user:
    description: The user to connect as. It needs no special rights.
    type: str
    default: postgres
  login_password:
    description: Its password.
    type: str
  login_db:
    description: The database to connect to.
    type: str
    default: postgres
  ssl_mode:
    description: Whether and how the connection is encrypted, as libpq's C(sslmode).
    type: str
    choices: [disable, allow, prefer, require, verify-ca, verify-full]
    default: prefer
  ca_cert:
    description: A PEM file with the authority that signed the server's certificate.
    type: path
requirements:
  - psycopg2
"""
