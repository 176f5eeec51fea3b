# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of a module that looks at both colours of an application. Private: other collections must not use it."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  project:
    description: The Compose project.
    type: str
    required: true
  colours:
    description: The two services of which one is live and the other idle.
    type: list
    elements: str
    required: true
  balancer:
    description: The service that runs nginx.
    type: str
    default: nginx
  upstream_path:
    description: The file of nginx's upstream on the host.
    type: path
    required: true
  history_path:
    description: The record of releases.
    type: path
    required: true
"""
