# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.astraldraft.ops.plugins.plugin_utils._follow import FollowedModule


class ActionModule(FollowedModule):
    subject = "Waiting for the alert"
