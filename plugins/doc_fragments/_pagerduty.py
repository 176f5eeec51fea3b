# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of a module that asks PagerDuty. Private: other collections must not use it."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  url:
    description: The address of the REST API. Accounts of the European region have V(https://api.eu.pagerduty.com).
    type: str
    default: https://api.pagerduty.com
  token:
    description: The key of the REST API v2. One that only reads is enough where nothing is changed.
    type: str
    required: true
  wait_timeout:
    description:
      - The seconds in all for which a request is held back and sent again that PagerDuty wants later (C(429)), at the moment that it names
        (C(ratelimit-reset)). V(0) gives up at once.
    type: float
    default: 60.0
notes:
  - The way to PagerDuty is that of its published contract, U(https://github.com/PagerDuty/api-schema), C(reference/REST/openapiv3.json).
"""
