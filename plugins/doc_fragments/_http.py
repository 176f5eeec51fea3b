# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of a module that asks one HTTP service. Private: other collections must not use it."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  url:
    description:
      - The address of the service, with C(http://) or C(https://) and with its path prefix where it has one.
      - Proxy variables of the environment are not used.
    type: str
    required: true
  url_username:
    description: The user for basic authentication.
    type: str
  url_password:
    description: The password for basic authentication.
    type: str
  bearer_token:
    description: "A token sent as C(Authorization: Bearer). It takes precedence over O(url_username)."
    type: str
"""

    # Of modules that ask the members of a cluster of Alertmanagers: in place of the one address.
    MEMBERS = r"""
options:
  url:
    description:
      - The address of Alertmanager, with C(http://) or C(https://) and with its path prefix where it has one. Give this, O(urls) or both.
      - Proxy variables of the environment are not used.
    type: str
    required: false
  urls:
    description: The addresses of the members of a cluster, likewise.
    type: list
    elements: str
    default: []
"""

    # Of every HTTP request, whatever names the address.
    WAY = r"""
options:
  proxy:
    description:
      - The address of a proxy to go through, such as V(http://proxy.example.com:3128), with user and password in it where it wants them. By
        default none.
    type: str
  timeout:
    description: The seconds that one request may take in all, from the name look-up to the last byte of the answer.
    type: float
    default: 10.0
"""

    TLS = r"""
options:
  validate_certs:
    description: Whether the certificate of an C(https) address is verified.
    type: bool
    default: true
  ca_path:
    description: A PEM file with the certificates of the authorities to trust in place of the system's.
    type: path
"""
