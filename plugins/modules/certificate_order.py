#!/usr/bin/python
# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: certificate_order
short_description: Order a certificate with certbot when it is due
version_added: 0.1.0
description:
  - Has certbot order a certificate for the names from an ACME authority, by a file in the webroot of a server that goes on serving. Nothing
    is stopped and nothing is installed; M(astraldraft.ops.certificate_install) does the latter.
  - It is ordered when it is due and not otherwise. That is when there is none, when it is not for all of the names, when little of its
    lifetime is left, when its authority suggests to renew it (ACME renewal information, also with a certbot that does not know it), or when
    it is forced.
  - Before an order the way that the authority will ask is tried out, because authorities count failed orders.
author:
  - Astral Draft Platform Engineering (@astraldraft)
extends_documentation_fragment:
  - astraldraft.ops._operation
  - astraldraft.ops._operation.attributes
  - astraldraft.ops._operation.action_group
  - astraldraft.ops._certificate
attributes:
  check_mode:
    support: full
    details: It says whether a certificate is due. Neither certbot nor the way of the authority is tried out then.
  diff_mode:
    support: none
  idempotent:
    support: full
    details: With O(force=true) every run orders a certificate.
requirements:
  - certbot >= 4.0.0
options:
  name:
    description: What the certificate is called among those that certbot keeps.
    type: str
    required: true
  names:
    description: The names that it is for. The first one is its subject.
    type: list
    elements: str
    required: true
  path:
    description: The folder in which certbot keeps its account and all certificates. Where it is missing it is made, for its owner only.
    type: path
    required: true
  webroot:
    description: The folder from which the server serves C(/.well-known/acme-challenge/).
    type: path
    required: true
  challenge_urls:
    description: The addresses of the servers that must serve what lies in the webroot. Each is asked under each name before an order.
    type: list
    elements: str
    default: [http://127.0.0.1]
  server:
    description: The address of the authority's ACME directory.
    type: str
    default: https://acme-v02.api.letsencrypt.org/directory
  email:
    description: Where the authority writes to. Empty registers without an address.
    type: str
    default: ""
  key_type:
    description: The kind of key.
    type: str
    choices: [ecdsa, rsa]
    default: ecdsa
  certbot_path:
    description: The program. By default the one beside the Python that runs the module, else the one on C(PATH).
    type: path
  force:
    description: Whether to order one that is not due. Authorities limit how often.
    type: bool
    default: false
  wait_timeout:
    description: The seconds that an order may take.
    type: float
    default: 300
  timeout:
    description: The seconds that each question to the authority or the servers may take, apart from the order itself.
    type: float
    default: 10
seealso:
  - module: astraldraft.ops.certificate_install
  - module: astraldraft.ops.certificate_info
"""

EXAMPLES = r"""
- name: Have a certificate that is not due
  astraldraft.ops.certificate_order:
    name: astraldraft.com
    names: [astraldraft.com, www.astraldraft.com]
    path: /var/lib/astraldraft/astral-draft/acme
    webroot: /var/lib/astraldraft/astral-draft/nginx/acme
    email: ops@astraldraft.com
  register: order
"""

RETURN = r"""
due:
  description: Why a certificate is, or was, to be ordered. Empty when it is not due.
  returned: always
  type: list
  elements: str
  sample: ["28% of its lifetime is left, less than 33%"]
before:
  description: The newest certificate of that name before. V(null) when there was none.
  returned: always
  type: dict
  contains: &certificate
    subject:
      description: The common name, which newer certificates do without.
      type: str
    issuer:
      description: Who issued it.
      type: str
    names:
      description: The names and addresses that it is for.
      type: list
      elements: str
    serial:
      description: Its serial number in hexadecimal.
      type: str
    fingerprint_sha256:
      description: The SHA-256 of the certificate in hexadecimal.
      type: str
    not_before:
      description: The beginning of its lifetime.
      type: str
    not_after:
      description: The end of its lifetime.
      type: str
after:
  description: The newest certificate of that name now. V(null) when there is none, and in check mode when one would be ordered.
  returned: always
  type: dict
  contains: *certificate
window:
  description: When the authority suggests to renew the one before. V(null) when it suggests nothing, or could not be asked.
  returned: always
  type: dict
  contains:
    start:
      description: The beginning.
      type: str
    end:
      description: The end.
      type: str
    explanation_url:
      description: A page of the authority's that says why, or an empty string.
      type: str
certificate_path:
  description: The file with the newest certificate and its chain.
  returned: always
  type: str
  sample: /var/lib/astraldraft/astral-draft/acme/live/astraldraft.com/fullchain.pem
key_path:
  description: The file with its key.
  returned: always
  type: str
  sample: /var/lib/astraldraft/astral-draft/acme/live/astraldraft.com/privkey.pem
certbot_output:
  description: The end of what certbot said.
  returned: when certbot fails
  type: str
duration:
  description: The time the module took, in seconds.
  returned: always
  type: float
"""

import os

from ansible_collections.astraldraft.ops.plugins.module_utils import _certbot, _certificate, _certificate_challenge, _certificate_window
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._module import run
from ansible_collections.astraldraft.ops.plugins.module_utils._net import ProbeError
from ansible_collections.astraldraft.ops.plugins.module_utils._place import Host
from ansible_collections.astraldraft.ops.plugins.module_utils._time import utc_now
from ansible_collections.astraldraft.ops.plugins.module_utils._wait import Deadline

SPEC = dict(
    _certificate.RENEW_FRACTION_SPEC,
    name={"type": "str", "required": True},
    names={"type": "list", "elements": "str", "required": True},
    path={"type": "path", "required": True},
    webroot={"type": "path", "required": True},
    challenge_urls={"type": "list", "elements": "str", "default": ["http://127.0.0.1"]},
    server={"type": "str", "default": "https://acme-v02.api.letsencrypt.org/directory"},
    server_ca_path={"type": "path"},
    email={"type": "str", "default": ""},
    key_type={"type": "str", "choices": ["ecdsa", "rsa"], "default": "ecdsa"},
    certbot_path={"type": "path"},
    force={"type": "bool", "default": False},
    wait_timeout={"type": "float", "default": 300},
    timeout={"type": "float", "default": 10},
)
RESULT = {"due": [], "before": None, "after": None, "window": None, "certificate_path": "", "key_path": ""}
MOST_SAID = 4000


def window_of(module, certificate):
    """What the authority suggests, None where it suggests nothing. One that does not answer delays no decision: the lifetime decides."""
    params = module.params
    if certificate is None or params["force"]:
        return None
    try:
        where = {"url": params["server"], "ca_path": params["server_ca_path"], "timeout": params["timeout"]}
        return _certificate_window.suggested(where, certificate)
    except ProbeError as error:
        module.warn("Whether the authority suggests to renew {0} is not known: {1}. {2}".format(params["name"], error.message, error.next))
        return None


def order(module, certbot):
    """Have certbot order the certificate. Raises OpsError when there is none in the end."""
    params = module.params
    deadline = Deadline(params["wait_timeout"])

    def tick():
        module.heartbeat()
        if deadline.passed:
            raise OpsError(
                "The order of {0} from {1} took longer than {2:g} s and was ended. What was served is served. Is the authority slow, or "
                "unreachable from here? Look there, or raise wait_timeout.".format(params["name"], params["server"], deadline.seconds)
            )

    module.fence()
    done = Host(0).run(_certbot.arguments(certbot, params), tick, _certbot.environment(params))
    if done.code:
        said = "\n".join([done.output.decode("utf-8", "replace"), done.complaint])
        raise OpsError(
            "The order of a certificate for {0} from {1} failed: {2}. What was served is served, and nothing of it was changed. certbot's "
            "log is in {3}.".format(
                ", ".join(params["names"]), params["server"], _certbot.complaint(said).rstrip("."), os.path.join(params["path"], "logs")
            ),
            certbot_output=said.strip()[-MOST_SAID:],
        )


def work(module, result):
    params = module.params
    if not params["names"]:
        raise OpsError("No name is given that a certificate could be for. Nothing was ordered. Name at least one (names).")
    certbot = _certbot.program(params["certbot_path"])
    _certificate_challenge.demand_webroot(params["webroot"])
    result["certificate_path"], result["key_path"] = _certbot.files(params["path"], params["name"])
    newest = _certbot.newest(params["path"], params["name"])
    result["before"] = result["after"] = _certificate.told(newest)
    result["window"] = window_of(module, newest)
    decision = (utc_now(), params["names"], params["renew_fraction"], result["window"], params["force"])
    result["due"] = _certificate.due(newest, *decision)
    result["changed"] = bool(result["due"])
    if not result["due"]:
        return
    if module.check_mode:
        result["after"] = None
        return
    _certificate_challenge.demand_path(params["webroot"], params["challenge_urls"], params["names"], params["timeout"])
    os.makedirs(params["path"], mode=0o700, exist_ok=True)
    order(module, certbot)
    ordered = _certbot.newest(params["path"], params["name"])
    result["after"] = _certificate.told(ordered)
    if ordered is None or result["after"] == result["before"]:
        raise OpsError("certbot says that all is well, and left no new certificate in {0}.".format(result["certificate_path"]))


def main():
    run(work, SPEC, RESULT, supports_check_mode=True)


if __name__ == "__main__":
    main()
