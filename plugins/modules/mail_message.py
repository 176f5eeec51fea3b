#!/usr/bin/python
# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: mail_message
short_description: Send a mail over an encrypted connection
version_added: 0.1.0
description:
  - Sends one mail in plain text over SMTP, with STARTTLS or TLS and to a server whose certificate is verified.
author:
  - Astral Draft Platform Engineering (@astraldraft)
extends_documentation_fragment:
  - astraldraft.ops._http.tls
  - astraldraft.ops._operation
  - astraldraft.ops._operation.attributes
  - astraldraft.ops._operation.action_group
attributes:
  check_mode:
    support: full
    details: Nothing is sent, and the server is not asked.
  diff_mode:
    support: none
  idempotent:
    support: none
    details: Every run sends the mail. With O(id) mail programs know the second one as the first.
options:
  host:
    description: The mail server.
    type: str
    required: true
  port:
    description: Its port. By default 587 with O(security=starttls), 465 with O(security=tls), 25 with O(security=none).
    type: int
  security:
    description:
      - How the connection is encrypted. V(starttls) is never done without when the server does not offer it.
      - V(none) is for a server on this host, and takes no password.
    type: str
    choices: [starttls, tls, none]
    default: starttls
  login_user:
    description: The user, where the server wants one.
    type: str
  login_password:
    description: The password.
    type: str
  sender:
    description: From whom it is, an address, or as V(Operations <operations@astraldraft.com>).
    type: str
    required: true
  to:
    description: Whom it is to.
    type: list
    elements: str
    required: true
  subject:
    description: The subject. Line ends in it become blanks.
    type: str
    required: true
  text:
    description: The text.
    type: str
    required: true
  id:
    description: What the mail is known by. Give the same one when it is sent again. By default it is made up.
    type: str
  timeout:
    description: The seconds that it may take in all.
    type: float
    default: 20.0
seealso:
  - module: astraldraft.ops.webhook_message
"""

EXAMPLES = r"""
- name: Tell those who wait
  astraldraft.ops.mail_message:
    host: mail.astraldraft.com
    login_user: operations
    login_password: "{{ vault_mail_password }}"
    sender: Operations <operations@astraldraft.com>
    to: [support@astraldraft.com]
    subject: "[SEV-1] Resolved"
    text: Logins work again.
    id: incident-2026-0042-resolved
"""

RETURN = r"""
message_id:
  description: By which mail programs know it. V(null) in check mode without O(id).
  returned: always
  type: str
sent:
  description: Whether it was sent.
  returned: always
  type: bool
server:
  description: The server and its port.
  returned: always
  type: str
refused:
  description: What the server said for each address that it did not take it for. Others have it.
  returned: always
  type: dict
reason:
  description:
    - On a failure what kind it is, in a word, such as V(our_credentials), V(recipients_refused), V(not_tls), V(expired), V(timed_out),
      V(later). V(null) without one.
  returned: always
  type: str
duration:
  description: Seconds that the module took.
  returned: always
  type: float
"""

from ansible_collections.astraldraft.ops.plugins.module_utils import _mail
from ansible_collections.astraldraft.ops.plugins.module_utils._http import TLS_SPEC
from ansible_collections.astraldraft.ops.plugins.module_utils._http_json import failure
from ansible_collections.astraldraft.ops.plugins.module_utils._module import run
from ansible_collections.astraldraft.ops.plugins.module_utils._net import ProbeError, where
from ansible_collections.astraldraft.ops.plugins.module_utils._time import utc_now

SPEC = dict(
    TLS_SPEC,
    host={"type": "str", "required": True},
    port={"type": "int"},
    security={"type": "str", "choices": list(_mail.PORTS), "default": _mail.STARTTLS},
    login_user={"type": "str"},
    login_password={"type": "str", "no_log": True},
    sender={"type": "str", "required": True},
    to={"type": "list", "elements": "str", "required": True},
    subject={"type": "str", "required": True},
    text={"type": "str", "required": True},
    id={"type": "str"},
    timeout={"type": "float", "default": 20.0},
)
RESULT = {"message_id": None, "sent": False, "server": "", "refused": {}, "reason": None}


def work(module, result):
    params = module.params
    server = _mail.server_of(params)
    identity = _mail.message_id(params["sender"], params["id"])
    mail = _mail.compose(params["sender"], params["to"], params["subject"], params["text"], identity, utc_now())
    result.update(changed=True, server=where(server.host, server.port), message_id=identity if params["id"] else None)
    if module.check_mode:
        return
    try:
        result["refused"] = _mail.send(server, mail, params["to"])
    except ProbeError as error:
        raise failure(error, reason=error.reason, changed=False)
    result.update(sent=True, message_id=identity)
    for address, words in sorted(result["refused"].items()):
        module.warn("The mail was not taken for {0}: {1}. Others have it.".format(address, words))


def main():
    run(work, SPEC, RESULT, needs_lock=False, supports_check_mode=True)


if __name__ == "__main__":
    main()
