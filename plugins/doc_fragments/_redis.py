# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of a module that asks Redis servers. Private: other collections must not use it."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  login_host:
    description:
      - A Redis server, a node of a Redis Cluster, or a Sentinel. The others are found through it.
      - One of O(login_host) and O(nodes) is needed.
    type: str
  login_port:
    description: The port of O(login_host).
    type: int
    default: 6379
  nodes:
    description:
      - Further addresses, as C(host:port), an IPv6 address in brackets. Who answers first says which servers belong together, so that it
        works while one of them is down.
      - Several single servers, such as a primary and its replica, are all looked at.
    type: list
    elements: str
  login_user:
    description: The user to log in as. Without it the server's C(default) user.
    type: str
  login_password:
    description: Its password.
    type: str
  tls:
    description: Whether TLS is spoken, with every server.
    type: bool
    default: false
  validate_certs:
    description: Whether the servers' certificates are verified.
    type: bool
    default: true
  ca_path:
    description: A PEM file with the authorities to trust in place of the system's.
    type: path
  client_cert:
    description: A PEM file with a certificate of ours, where the servers want one.
    type: path
  client_key:
    description: Its key.
    type: path
  topology:
    description:
      - What the given addresses are. With V(auto) they are asked.
      - V(single) looks at the node of a cluster that was named, and at no other one.
      - Sentinels that need another password than the servers, or none, must be called V(sentinel).
    type: str
    choices: [auto, single, sentinel, cluster]
    default: auto
  sentinel_name:
    description: The group that is meant, where Sentinels watch more than one.
    type: str
  sentinel_user:
    description: The user to log in as at the Sentinels, with O(topology=sentinel).
    type: str
  sentinel_password:
    description: Its password.
    type: str
requirements:
  - redis >= 5.0.0 (redis-py; hiredis is used when it is there)
"""
