#!/usr/bin/python
# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: nginx_maintenance
short_description: Have nginx answer that there is maintenance, until a time
version_added: 0.1.0
description:
  - Has nginx answer 503 with C(Retry-After), a page to people and JSON to programs, or keep requests waiting, until the maintenance is
    ended or O(ends_at) is reached. nginx itself looks at the clock, so it ends then though nobody is left to end it, also after a restart
    of the host.
  - The switch is a file that is there or not, at which nginx looks with each request. It is one for all connections, those that are kept
    too, and needs no reload. To end it by hand, remove the file C(on) in O(path).
  - What is written is tested by nginx before it is put in place, and again as a whole. When nginx refuses it, all is as it was.
  - Requests that were begun before are finished. Health checks, ACME challenges, and testers get through.
author:
  - Astral Draft Platform Engineering (@astraldraft)
extends_documentation_fragment:
  - astraldraft.ops._operation
  - astraldraft.ops._operation.docker
  - astraldraft.ops._operation.attributes
  - astraldraft.ops._operation.action_group
  - astraldraft.ops._upstream
attributes:
  check_mode:
    support: full
    details: nginx is asked for its configuration, and tests nothing new.
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  path:
    description:
      - The folder of the maintenance on the host, which is made when it is missing. It must be in a folder that is mounted into the
        container.
      - nginx's configuration must include C(http*.conf) of it in C(http {}), and C(server*.conf) at the beginning of each C(server {}) that
        is closed. It is refused with these two lines when it does not.
    type: path
    required: true
  state:
    description:
      - V(prepared) has nginx load all that is needed, and closes nothing. Several hosts are prepared before the first one is closed.
      - V(active) closes.
      - V(absent) opens, and removes what was written.
    type: str
    choices: [prepared, active, absent]
    default: active
  mode:
    description:
      - V(refuse) answers 503.
      - V(queue) keeps requests waiting, each at most O(queue_seconds), and answers 503 to those that waited so long and to those above
        O(queue_requests). It is for windows of seconds. It needs nginx's C(ngx_http_auth_request_module).
    type: str
    choices: [refuse, queue]
    default: refuse
  ends_at:
    description: When it ends by itself, ISO 8601 with a zone. Needed unless O(state=absent).
    type: str
  maximum_duration:
    description: How far away O(ends_at) may be, such as V(4h).
    type: str
    default: 24h
  title:
    description: What is in maintenance, as its users call it.
    type: str
    default: This service
  words:
    description: What is done, for users.
    type: str
    default: ""
  bypass_addresses:
    description:
      - Addresses and networks that are let through, such as V(192.0.2.0/24). It is the client's address as nginx knows it
        (C($remote_addr)).
    type: list
    elements: str
    default: []
  bypass_token:
    description:
      - Whoever has the cookie C(maintenance_bypass) with this value is let through. 16 letters, digits, C(-) and C(_) or more.
      - The address C(/__maintenance/enter?token=...) sets it, so that testers need a link and nothing else.
    type: str
  exempt_paths:
    description: Paths that are answered as ever. One that ends with C(/) means all below it.
    type: list
    elements: str
    default: [/api/health, /metrics, /__nginx/, /.well-known/acme-challenge/]
  json_paths:
    description: Paths below which everybody is answered in JSON. Elsewhere those are who accept JSON and no HTML.
    type: list
    elements: str
    default: [/api/]
  queue_seconds:
    description: The longest that a request waits, in seconds, at most V(60).
    type: int
    default: 30
  queue_requests:
    description:
      - How many requests may wait at a time. Each takes three connections of nginx's C(worker_connections).
    type: int
    default: 1000
  queue_listen:
    description: Where nginx listens for its own requests about those that wait. An address that only nginx itself reaches.
    type: str
    default: 127.0.0.1:8999
  settle_seconds:
    description:
      - With O(mode=queue), how long requests that were begun before are given to finish, in seconds. With O(mode=refuse) nginx's workers
        tell.
      - With O(state=absent), how long those that waited are given before nginx forgets them, at least 2 seconds.
    type: float
    default: 2
  drain_timeout:
    description:
      - The longest wait for nginx's former workers to finish what was begun before, in seconds. It should be longer than nginx's
        C(worker_shutdown_timeout).
      - When it passes, the module succeeds with RV(drained=false).
    type: float
    default: 60
  wait_timeout:
    description: The longest wait for nginx to load its configuration, in seconds. When it passes, all is as it was.
    type: float
    default: 10
seealso:
  - module: astraldraft.ops.nginx_upstream
"""

EXAMPLES = r"""
- name: Close for an hour
  astraldraft.ops.nginx_maintenance:
    project: astral-demo
    path: /var/lib/astraldraft/astral-demo/nginx/upstreams/maintenance
    ends_at: "2026-12-01T02:40:00Z"
    title: Astral Draft
    words: The database is moved to a larger machine.
    bypass_addresses: [192.0.2.0/24]
    bypass_token: "{{ vault_maintenance_token }}"

- name: Have everybody wait for some seconds instead
  astraldraft.ops.nginx_maintenance:
    project: astral-demo
    path: /var/lib/astraldraft/astral-demo/nginx/upstreams/maintenance
    ends_at: "2026-12-01T02:00:30Z"
    mode: queue

- name: Open
  astraldraft.ops.nginx_maintenance:
    project: astral-demo
    path: /var/lib/astraldraft/astral-demo/nginx/upstreams/maintenance
    state: absent
"""

RETURN = r"""
before:
  description: How it was found.
  returned: always
  type: dict
  contains: &condition
    state:
      description:
        - V(absent), V(prepared), V(active), or V(over) when it has ended by itself. V(null) when the module failed before it could look.
      type: str
    mode:
      description: V(refuse) or V(queue). V(null) when there is none.
      type: str
    ends_at:
      description: When it ends by itself (ISO 8601, UTC). V(null) when there is none.
      type: str
    seconds_left:
      description: The seconds until then, by the clock of the host.
      type: int
after:
  description: How it is, or would be after a run outside check mode.
  returned: always
  type: dict
  contains: *condition
drained:
  description: Whether all that was begun before was finished. V(null) when there was nothing to wait for, or nobody can tell.
  returned: always
  type: bool
draining_workers:
  description: How many workers of a former configuration were left.
  returned: always
  type: int
reload_seconds:
  description: The time until nginx had loaded its configuration, in seconds. V(null) when it was not reloaded.
  returned: always
  type: float
nginx_output:
  description: What nginx said of a configuration that it refused.
  returned: when nginx refuses a configuration
  type: str
duration:
  description: The time the module took, in seconds.
  returned: always
  type: float
"""

import time

from ansible_collections.astraldraft.ops.plugins.module_utils import _docker
from ansible_collections.astraldraft.ops.plugins.module_utils import _nginx_maintenance as rules
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._maintenance_switch import ABSENT, ACTIVE, OVER, PREPARED, MaintenanceSwitch
from ansible_collections.astraldraft.ops.plugins.module_utils._module import run
from ansible_collections.astraldraft.ops.plugins.module_utils._time import to_iso
from ansible_collections.astraldraft.ops.plugins.module_utils._upstream import UPSTREAM_SPEC
from ansible_collections.astraldraft.ops.plugins.module_utils._wait import poll

SPEC = dict(
    UPSTREAM_SPEC,
    state={"type": "str", "choices": [PREPARED, ACTIVE, ABSENT], "default": ACTIVE},
    mode={"type": "str", "choices": [rules.REFUSE, rules.QUEUE], "default": rules.REFUSE},
    ends_at={"type": "str"},
    maximum_duration={"type": "str", "default": "24h"},
    title={"type": "str", "default": "This service"},
    words={"type": "str", "default": ""},
    bypass_addresses={"type": "list", "elements": "str", "default": [], "no_log": False},
    bypass_token={"type": "str", "no_log": True},
    exempt_paths={
        "type": "list",
        "elements": "str",
        "default": ["/api/health", "/metrics", "/__nginx/", "/.well-known/acme-challenge/"],
    },
    json_paths={"type": "list", "elements": "str", "default": ["/api/"]},
    queue_seconds={"type": "int", "default": 30},
    queue_requests={"type": "int", "default": 1000},
    queue_listen={"type": "str", "default": "127.0.0.1:8999"},
    settle_seconds={"type": "float", "default": 2},
    drain_timeout={"type": "float", "default": 60},
    wait_timeout={"type": "float", "default": 10},
)
NOTHING = {"state": ABSENT, "mode": None, "ends_at": None, "seconds_left": 0}
#: Until all that waited have looked again, which they do LOOKS times a second, on a machine that is short of breath.
AWAKE_SECONDS = 2
UNKNOWN = dict(NOTHING, state=None)
RESULT = {"changed": False, "before": UNKNOWN, "after": UNKNOWN, "drained": None, "draining_workers": 0, "reload_seconds": None}


def prepare(module, switch, result, files):
    """Have nginx load the rules. With a queue former workers are waited for here: later they would have to wait for the queue."""
    former = switch.files()
    switch.test_rules(files)
    module.fence()
    if result["before"]["state"] in (ABSENT, OVER):
        switch.open()  # of a maintenance that is over
    switch.put(files)
    try:
        workers, result["reload_seconds"] = switch.load(module)
    except OpsError as error:
        switch.put(former)
        words = "It stays closed as it was." if switch.closed() else "Nothing is closed."
        raise OpsError("{0} What was there before is back. {1}".format(error.message, words), **error.evidence)
    if module.params["mode"] == rules.QUEUE and not switch.closed():
        drain(module, switch, workers, result)


def close(module, switch, result, _files):
    """Close, and wait until what was begun before is finished."""
    module.fence()
    switch.begin()
    switch.close()
    if module.params["mode"] == rules.QUEUE:
        pause(module, module.params["settle_seconds"])
        switch.settled()
        result["drained"] = None
        return
    try:
        workers, result["reload_seconds"] = switch.load(module)
    except OpsError as error:
        switch.open()
        raise OpsError(error.message + " It is open again.", **error.evidence)
    drain(module, switch, workers, result)


def pause(module, seconds):
    poll(lambda: None, lambda _answer: False, seconds, 0.5, module.heartbeat)


def drain(module, switch, workers, result):
    result["draining_workers"] = switch.drain(module, workers, module.params["drain_timeout"])
    result["drained"] = not result["draining_workers"]


def remove(module, switch, result, files):
    """Open at once, then tidy up."""
    module.fence()
    was_closed = switch.closed()
    switch.open()
    result.update(changed=was_closed, after=switch.condition(time.time()))
    if result["before"]["mode"] == rules.QUEUE:
        # Whoever waits looks once more, at a server of nginx that is gone after the reload.
        pause(module, max(AWAKE_SECONDS, module.params["settle_seconds"]))
    try:
        switch.put(files)
        result["reload_seconds"] = switch.load(module)[1]
    except OpsError as error:
        raise OpsError(error.message + " It is open all the same; run it again to tidy up.", **error.evidence)


def work(module, result):
    params, now = module.params, time.time()
    with _docker.engine(params["docker_host"]) as client:
        switch = MaintenanceSwitch(client, params["project"], params["service"], params["path"])
        former, was_closed = switch.files(), switch.closed()
        result["before"] = result["after"] = switch.condition(now)
        plan = None if params["state"] == ABSENT else rules.planned(params, now)
        files = dict.fromkeys(former)
        if plan:
            switch.require_includes()
            folder = switch.inside().rstrip("/")
            files = {rules.HTTP: rules.render_http(plan, folder), rules.SERVER: rules.render_server(plan, folder)}
        rewritten = files != former or (switch.pending() and bool(plan))
        closing = params["state"] == ACTIVE and result["before"]["state"] != ACTIVE
        opening = not plan and (rewritten or was_closed or switch.pending())
        result["diff"] = difference(switch, former, files)
        after = NOTHING
        if plan:
            state = ACTIVE if params["state"] == ACTIVE or result["before"]["state"] == ACTIVE else PREPARED
            after = {"state": state, "mode": plan.mode, "ends_at": to_iso(plan.ends_at), "seconds_left": int(plan.ends_at - now)}
        for needed, step in ((opening, remove), (rewritten and plan, prepare), (closing, close)):
            if needed and not module.check_mode:
                step(module, switch, result, files)
            result["changed"] = result["changed"] or bool(needed)
        result["after"] = after


def difference(switch, former, files):
    """What is written, without the token of now and that of before, which Ansible does not know."""
    tokens = [token for token in map(rules.token_of, (former[rules.SERVER], files[rules.SERVER])) if token]

    def shown(text):
        for token in tokens:
            text = text.replace(token, "********")
        return text

    changed = [name for name in sorted(files) if former[name] != files[name]]
    return [
        {"before": shown(former[name] or ""), "after": shown(files[name] or ""), "before_header": path, "after_header": path}
        for name in changed
        for path in [switch.place(name)]
    ]


def main():
    run(
        work,
        dict(SPEC, **_docker.DOCKER_SPEC),
        RESULT,
        supports_check_mode=True,
        required_if=[("state", PREPARED, ("ends_at",)), ("state", ACTIVE, ("ends_at",))],
    )


if __name__ == "__main__":
    main()
