#!/usr/bin/python
# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: certificate_install
short_description: Serve a certificate with nginx, and prove that it is the one served
version_added: 0.1.0
description:
  - Puts a certificate and its key in place by one rename, has nginx test and load it without closing a connection, and compares the
    fingerprint of what is served then, on new connections under every name.
  - The certificate before is kept. It is put back, loaded and proved when nginx does not take the new one, when another one is served, when
    the chain or the names do not verify, and when a hook fails.
  - What is not for every name, not valid now, or no pair is refused before anything is touched.
  - In the folder the server's files become links to C(current), a link to one of the folders in C(versions). Plain files that are there
    already become the first version.
author:
  - Astral Draft Platform Engineering (@astraldraft)
extends_documentation_fragment:
  - astraldraft.ops._operation
  - astraldraft.ops._operation.docker
  - astraldraft.ops._operation.attributes
  - astraldraft.ops._operation.action_group
attributes:
  check_mode:
    support: full
    details: Whether nginx takes the certificate, and whether the key is its own, is only tried outside of check mode.
  diff_mode:
    support: full
    details: It tells who, for what and until when; never a key.
  idempotent:
    support: full
options:
  project:
    description: The Compose project of nginx.
    type: str
    required: true
  service:
    description: The Compose service that runs nginx.
    type: str
    default: nginx
  path:
    description: The folder on the host, mounted into the container, from which nginx loads certificate and key.
    type: path
    required: true
  certificate_file:
    description: The file in it that nginx's configuration names as C(ssl_certificate).
    type: str
    default: server.crt
  key_file:
    description: The file in it that nginx's configuration names as C(ssl_certificate_key).
    type: str
    default: server.key
  certificate:
    description:
      - The certificate and its chain as PEM, its own first.
      - An empty one stands for one that is still to be ordered, which check mode takes.
    type: str
    required: true
  key:
    description: Its key as PEM, without a password.
    type: str
    required: true
  names:
    description: The names that it must be for, under each of which it must be served.
    type: list
    elements: str
    required: true
  host:
    description: Where nginx is asked for it.
    type: str
    default: 127.0.0.1
  port:
    description: The port there.
    type: int
    default: 443
  validate_certs:
    description: Whether what is served must verify, too. With V(false) it must only be the one that was meant.
    type: bool
    default: true
  ca_path:
    description: A PEM file with the authorities to trust in place of the system's.
    type: path
  hooks:
    description:
      - Commands (argument lists) for whoever else uses the certificate, run on the host one after the other once nginx serves it.
      - As with certbot E(RENEWED_LINEAGE) is the folder with C(fullchain.pem) and C(privkey.pem), and E(RENEWED_DOMAINS) the names.
      - When one fails, the certificate before is put back, and those that went well are run again, with that one.
    type: list
    elements: list
    default: []
  hook_timeout:
    description: The seconds that each of them may take.
    type: float
    default: 60
  keep:
    description: How many certificates are kept, the newest ones. The current one and the one before always are.
    type: int
    default: 5
  wait_timeout:
    description: The longest wait for nginx to load the certificate, and for it to be served, each in seconds.
    type: float
    default: 15
  timeout:
    description: The seconds that each connection may take.
    type: float
    default: 5
seealso:
  - module: astraldraft.ops.certificate_order
  - module: astraldraft.ops.certificate_info
"""

EXAMPLES = r"""
- name: Serve what was ordered
  astraldraft.ops.certificate_install:
    project: astral-draft
    path: /var/lib/astraldraft/astral-draft/tls
    certificate: "{{ lookup('ansible.builtin.file', 'fullchain.pem') }}"
    key: "{{ lookup('ansible.builtin.file', 'privkey.pem') }}"
    names: [astraldraft.com, www.astraldraft.com]
    hooks:
      - [systemctl, reload, postfix]
"""

RETURN = r"""
before:
  description: What was served before. V(null) when nothing was that could be read.
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
  description:
    - What is served now; in check mode what would be.
    - V(null) when that is still to be ordered, and when nothing is served that could be read.
  returned: always
  type: dict
  contains: *certificate
restored:
  description: Whether the certificate before is served again. V(null) when nothing was switched.
  returned: always
  type: bool
version_path:
  description: The folder in which the certificate is kept. V(null) when it was not installed.
  returned: always
  type: str
  sample: /var/lib/astraldraft/astral-draft/tls/versions/20261129T140000Z-0f343b0931126a20
reload_seconds:
  description: The time from the request to reload until workers with the new certificate served. V(null) when nginx was not reloaded.
  returned: always
  type: float
removed:
  description: The versions that are no longer kept.
  returned: always
  type: list
  elements: str
nginx_output:
  description: What nginx said of a configuration that it refused.
  returned: when nginx refuses a configuration
  type: str
duration:
  description: The time the module took, in seconds.
  returned: always
  type: float
"""

from ansible_collections.astraldraft.ops.plugins.module_utils import _certificate, _docker, _x509
from ansible_collections.astraldraft.ops.plugins.module_utils._certificate_store import CURRENT, VERSIONS, Store, version_name
from ansible_collections.astraldraft.ops.plugins.module_utils._certificate_switch import HookError, Server, Switch, run_hooks
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._module import run
from ansible_collections.astraldraft.ops.plugins.module_utils._time import utc_now
from ansible_collections.astraldraft.ops.plugins.module_utils._upstream import LoadBalancer

SPEC = {
    "project": {"type": "str", "required": True},
    "service": {"type": "str", "default": "nginx"},
    "path": {"type": "path", "required": True},
    "certificate_file": {"type": "str", "default": "server.crt"},
    "key_file": {"type": "str", "default": "server.key", "no_log": False},
    "certificate": {"type": "str", "required": True},
    "key": {"type": "str", "required": True, "no_log": True},
    "names": {"type": "list", "elements": "str", "required": True},
    "host": {"type": "str", "default": "127.0.0.1"},
    "port": {"type": "int", "default": 443},
    "validate_certs": {"type": "bool", "default": True},
    "ca_path": {"type": "path"},
    "hooks": {"type": "list", "elements": "list", "default": []},
    "hook_timeout": {"type": "float", "default": 60},
    "keep": {"type": "int", "default": 5},
    "wait_timeout": {"type": "float", "default": 15},
    "timeout": {"type": "float", "default": 5},
}
RESULT = {"before": None, "after": None, "restored": None, "version_path": None, "reload_seconds": None, "removed": []}


def wanted(module):
    """The certificate to be served (_x509.Certificate), None where it is still to be ordered. Raises OpsError when it must not be."""
    params = module.params
    if not params["names"]:
        raise OpsError("No name is given that the certificate must be for. Nothing was touched. Name at least one (names).")
    if not params["certificate"] and module.check_mode:
        return None
    try:
        chain = [_x509.describe(der) for der in _x509.from_pem(params["certificate"].encode("utf-8"))]
    except ValueError as error:
        raise OpsError("The certificate to be installed cannot be read: {0}. What was served is served.".format(error))
    if not chain:
        raise OpsError("What is to be installed holds no certificate. What was served is served. Order one first (certificate_order).")
    reasons = _certificate.unfit(chain, params["names"], utc_now())
    if reasons:
        raise OpsError(
            "The certificate with the serial number {0} is not installed: {1}. What was served is served. Order one that is right "
            "(certificate_order).".format(chain[0].serial, "; ".join(reasons))
        )
    return chain[0]


def install(module, result, new, store, balancer, server):
    """Serve the certificate, tell whoever else uses it. Raises OpsError, with the one before in its place, when that does not work."""
    params = module.params
    store.adopt()
    version = store.add(params["certificate"], params["key"])
    switch = Switch(module, store, balancer, server, version)
    try:
        switch.make(_x509.fingerprint(new.der))
        result["version_path"] = store.inside(VERSIONS, version)
        environment = {"RENEWED_LINEAGE": store.inside(CURRENT), "RENEWED_DOMAINS": " ".join(params["names"])}
        try:
            run_hooks(module, params["hooks"], environment)
        except HookError as error:
            failure = switch.back(error)
            raise OpsError(failure.message + undone(module, params["hooks"][: error.number], environment), **failure.evidence)
    finally:
        result["reload_seconds"] = switch.reload_seconds
    switch.done()
    result["removed"] = store.prune(max(1, params["keep"]))


def undone(module, hooks, environment):
    """Run again those that have told others of a certificate that is not there any more. -> what to add to the message"""
    try:
        run_hooks(module, hooks, environment)
    except HookError as error:
        return " Those that it was told to may have kept the new one: {0}".format(error.message)
    return ""


def work(module, result):
    params = module.params
    new, server = wanted(module), Server(params)
    store = Store(params["path"], params["certificate_file"], params["key_file"])
    with _docker.engine(params["docker_host"]) as client:
        balancer = LoadBalancer(client, params["project"], params["service"], store.inside(params["certificate_file"]))
        served, installed = server.seen(), store.installed()
        result["before"], result["after"] = _certificate.told(served), _certificate.told(new)
        same = new is not None and all(one is not None and one.der == new.der for one in (served, installed))
        result["changed"] = not same or balancer.pending()
        result["diff"] = {"before": result["before"] or {}, "after": result["after"] or {}}
        if not result["changed"]:
            current = store.current()
            result["version_path"] = store.inside(VERSIONS, current) if current == version_name(new) else None
            return
        if module.check_mode:
            return
        try:
            install(module, result, new, store, balancer, server)
        finally:
            result["after"] = _certificate.told(server.seen())


def main():
    run(work, dict(SPEC, **_docker.DOCKER_SPEC), RESULT, supports_check_mode=True)


if __name__ == "__main__":
    main()
