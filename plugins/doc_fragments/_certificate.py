# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When a certificate is due, and whom its authority's own server is known by. Private: other collections must not use it."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  renew_fraction:
    description: A certificate is due when a smaller fraction of its lifetime is left. By default a third.
    type: float
    default: 0.3333
  server_ca_path:
    description: A PEM file with the authorities to trust in place of the system's when the certificate authority itself is asked.
    type: path
"""
