# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of a module for one upstream of an nginx in a container. Private: other collections must not use it."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  project:
    description: The Compose project.
    type: str
    required: true
  service:
    description: The Compose service that runs nginx.
    type: str
    default: nginx
  path:
    description: The upstream's file on the host.
    type: path
    required: true
"""
