#!/usr/bin/python
# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: webhook_message
short_description: Send a message to a chat or to a signed webhook
version_added: 0.1.0
description:
  - Sends JSON to an address. An incoming webhook of Slack or Mattermost takes C(text); any other receiver takes what it understands.
  - With O(key) the message is signed as Standard Webhooks (U(https://www.standardwebhooks.com)) says, so that a receiver can tell that it
    is from here, that it is not an old one, and whether it has it already.
  - The address is a credential and is never shown. Only its host is.
author:
  - Astral Draft Platform Engineering (@astraldraft)
extends_documentation_fragment:
  - astraldraft.ops._http.way
  - astraldraft.ops._http.tls
  - astraldraft.ops._operation
  - astraldraft.ops._operation.attributes
  - astraldraft.ops._operation.action_group
attributes:
  check_mode:
    support: full
    details: Nothing is sent.
  diff_mode:
    support: none
  idempotent:
    support: none
    details: Every run sends the message. A receiver that knows O(id) takes it once.
options:
  url:
    description: The address.
    type: str
    required: true
  payload:
    description: What is sent, for a chat C(text).
    type: dict
    required: true
  id:
    description: What the message is known by. Give the same one when it is sent again. By default it is made up.
    type: str
  key:
    description: The key with which it is signed, at least 16 characters, or as C(whsec_) with base64 after it.
    type: str
  wait_timeout:
    description:
      - The seconds for which a message that the receiver wants later (C(429)) is held back and sent again, at the moment that it names
        (C(Retry-After)). V(0) gives up at once.
      - Nothing else is sent again, since it may have arrived.
    type: float
    default: 30.0
seealso:
  - module: astraldraft.ops.mail_message
"""

EXAMPLES = r"""
- name: Tell the chat
  astraldraft.ops.webhook_message:
    url: "{{ vault_chat_webhook }}"
    payload: {text: Logins work again.}

- name: Tell another system, which can tell that it is from here
  astraldraft.ops.webhook_message:
    url: https://events.astraldraft.com/operations
    key: "{{ vault_webhook_key }}"
    id: incident-2026-0042-resolved
    payload: {event: incident_resolved, incident: 2026-0042}
"""

RETURN = r"""
id:
  description: What the message is known by. In check mode the one that was given, or V(null).
  returned: always
  type: str
sent:
  description: Whether it was sent.
  returned: always
  type: bool
signed:
  description: Whether it was signed, or would be.
  returned: always
  type: bool
host:
  description: Where it went, without what is secret of it.
  returned: always
  type: str
status:
  description: What the receiver answered. V(null) when it was not sent.
  returned: always
  type: int
attempts:
  description: How often it was sent.
  returned: always
  type: int
waited:
  description: For how many seconds it was held back because the receiver wanted it later.
  returned: always
  type: float
reason:
  description: On a failure what kind it is, in a word, such as V(our_credentials), V(not_found), V(rate_limited). V(null) without one.
  returned: always
  type: str
duration:
  description: Seconds that the module took.
  returned: always
  type: float
"""

import time
import uuid

from ansible_collections.astraldraft.ops.plugins.module_utils import _webhook
from ansible_collections.astraldraft.ops.plugins.module_utils._http import WAY_SPEC, connection_of
from ansible_collections.astraldraft.ops.plugins.module_utils._http_json import failure
from ansible_collections.astraldraft.ops.plugins.module_utils._module import run
from ansible_collections.astraldraft.ops.plugins.module_utils._net import ProbeError

SPEC = dict(
    WAY_SPEC,
    url={"type": "str", "required": True, "no_log": True},
    payload={"type": "dict", "required": True},
    id={"type": "str"},
    key={"type": "str", "no_log": True},
    wait_timeout={"type": "float", "default": 30.0},
)
RESULT = {"id": None, "sent": False, "signed": False, "host": "", "status": None, "attempts": 0, "waited": 0.0, "reason": None}


def work(module, result):
    params = module.params
    key = _webhook.key_of(params["key"]) if params["key"] else None
    result.update(host=_webhook.shown(params["url"]), signed=bool(key), id=params["id"], changed=True)
    if module.check_mode:
        return
    identity = params["id"] or "msg_" + uuid.uuid4().hex
    try:
        connection = dict(connection_of(params), url=params["url"])
        arguments = (params["payload"], identity, key, params["wait_timeout"], time.time, module.heartbeat)
        status, attempts, waited = _webhook.send(connection, *arguments)
    except ProbeError as error:
        raise failure(error, reason=error.reason, changed=False)
    result.update(id=identity, sent=True, status=status, attempts=attempts, waited=waited)


def main():
    run(work, SPEC, RESULT, needs_lock=False, supports_check_mode=True)


if __name__ == "__main__":
    main()
