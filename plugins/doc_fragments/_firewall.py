# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where addresses are blocked. Private: other collections must not use it."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  backend:
    description:
      - V(nftables) drops packets in this host's kernel, before they reach a port of the host or one that a container publishes. It needs
        root, and C(nft) on the host.
      - V(nginx) has nginx answer 403, by a file of C(deny) lines. It is for hosts to which clients come through a proxy, where the kernel
        only ever sees the proxy's address.
    type: str
    choices: [nftables, nginx]
    default: nftables
  table:
    description: The name of the nftables table (family C(inet)), which is the collection's own.
    type: str
    default: astraldraft_ops
  project:
    description: The Compose project of nginx. Needed for O(backend=nginx).
    type: str
  service:
    description: The Compose service that runs nginx.
    type: str
    default: nginx
  path:
    description:
      - The file of C(deny) lines on the host. Its folder must be mounted into the container and included in C(http {}) by nginx's
        configuration. Needed for O(backend=nginx).
    type: path
"""
