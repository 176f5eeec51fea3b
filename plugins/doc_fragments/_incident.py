# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of a module that reads or writes incidents. Private: other collections must not use it."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  path:
    description:
      - The folder of all incidents, C(incidents) in the state folder of the stack. Each has a folder of its own in it, with
        C(incident.json) and the append-only C(timeline.jsonl).
    type: path
    required: true
"""
