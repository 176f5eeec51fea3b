# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of a module that goes through all keys. Private: other collections must not use it."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  db:
    description: The database. A cluster has only V(0).
    type: int
    default: 0
  timeout:
    description: The seconds that connecting may take, and every answer.
    type: float
    default: 5.0
  batch:
    description: How many keys a server looks at in one step, at most. While it does, nobody else is served.
    type: int
    default: 500
  latency_limit:
    description:
      - The seconds that others may wait for an answer, at the 99th percentile. It is felt by PINGs over a connection of their own.
      - Above this, and above twice what they take while nothing is done here, steps become smaller and pauses longer. Each second
        nothing is done for a moment, to know that.
    type: float
    default: 0.002
  wait_timeout:
    description: The seconds to wait for a failover, or for a server that has begun to load its data set, before giving up.
    type: float
    default: 30.0
"""

    MEANT = r"""
options:
  idle:
    description: Only keys that nobody has touched for so many seconds.
    type: int
    default: 0
  where:
    description:
      - Only keys whose content has this. A string has to be a JSON object, or the key a hash. What cannot be read is not meant.
      - From Redis 7.2 on nobody sees from their idle time that they were read.
    type: dict
    suboptions:
      field:
        description: The field.
        type: str
        required: true
      value:
        description: Its value. Numbers are compared as text, as whole ones are written.
        type: str
        required: true
"""

    PROTECTED = r"""
options:
  protected_prefixes:
    description: What nobody removes by accident. Keys whose names begin with one of these are refused, with their number.
    type: list
    elements: str
    default: ["session:", "lock:", "queue:", "auth:"]
  allow_prefixes:
    description: Those of O(protected_prefixes) that are meant this time.
    type: list
    elements: str
    default: []
"""
