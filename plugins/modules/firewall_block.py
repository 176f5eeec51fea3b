#!/usr/bin/python
# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: firewall_block
short_description: Block addresses for a time, on the host and for its containers, or unblock them
version_added: 0.1.0
author:
  - Astral Draft Platform Engineering (@astraldraft)
description:
  - With O(backend=nftables) the addresses go into sets of a table of the collection's own, with a time after which the kernel drops them.
    Its chain is hooked at prerouting with the priority of raw (-300), before connections are tracked and before destination NAT, so that a
    packet reaches neither a port of the host nor one that a container publishes, and a connection that is there already goes silent, too.
  - Each change is one transaction. What is there is read back from the kernel, and a table that somebody has changed is made anew with
    the blocks it had. Nobody else's table is touched, and a restart of the Docker Engine does not touch this one. A reboot ends all blocks.
  - With O(backend=nginx) nginx answers 403. Its file is tested, put in place by one rename, and loaded by a reload. nginx knows no end of
    a line. What is over is left out whenever the module runs, also with O(state=absent) and no address.
  - It never blocks this host's own addresses, its gateways, the networks of its bridges, loopback, multicast and reserved ranges. It
    refuses what O(protected) names, the address from which its operator has come over SSH, private ranges, and what is broader than /16
    (IPv4) or /32 (IPv6), unless O(overrides) says otherwise.
extends_documentation_fragment:
  - astraldraft.ops._operation
  - astraldraft.ops._operation.docker
  - astraldraft.ops._operation.attributes
  - astraldraft.ops._operation.action_group
  - astraldraft.ops._firewall
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
    details: A block that has 90 % of the time asked for left stays as it is.
options:
  addresses:
    description: Addresses and networks, IPv4 and IPv6, such as V(203.0.113.7), V(203.0.113.0/24) and V(2001:db8::/64).
    type: list
    elements: str
    default: []
  state:
    description:
      - V(present) blocks them. A block is never cut short; one of a network takes the place of those inside it.
      - V(absent) unblocks them, and what is blocked inside them. A part of a blocked network cannot be unblocked alone, and is refused.
    type: str
    choices: [present, absent]
    default: present
  duration:
    description: For how long, such as V(30m), V(24h) or V(7d).
    type: str
    default: 24h
  maximum_duration:
    description: The longest block that is allowed.
    type: str
    default: 30d
  comment:
    description: Who blocks them and why, as one line of at most 120 characters.
    type: str
    default: ""
  protected:
    description: Addresses and networks that are not to be blocked.
    type: list
    elements: dict
    default: []
    suboptions:
      guard:
        description: Why not, which is also the name by which O(overrides) allows it.
        type: str
        choices: [operator, load_balancer, management, allow_list]
        required: true
      addresses:
        description: Which ones.
        type: list
        elements: str
        required: true
  overrides:
    description: The guards that are overridden.
    type: list
    elements: str
    choices: [operator, load_balancer, management, allow_list, private, breadth]
    default: []
  conntrack:
    description:
      - Whether to end the kernel's record of connections from and to what is newly blocked, where C(conntrack) is on the host.
      - Dropping is what silences them. This lets go of what is left of them - a flow table's shortcut past prerouting, and the translation
        by which a container would go on sending.
    type: bool
    default: true
  proof_timeout:
    description:
      - How long to wait, in seconds, until a packet of an address of O(addresses) was dropped. By default the module does not wait.
      - When it passes, the module succeeds with RV(proved=false). Who is silent cannot be seen to be blocked.
    type: float
    default: 0
  wait_timeout:
    description: The longest wait for nginx to load the file, in seconds. When it passes, the former file comes back.
    type: float
    default: 10
seealso:
  - module: astraldraft.ops.firewall_block_info
"""

EXAMPLES = r"""
- name: Block an address and a network for a day, and wait until a packet was dropped
  astraldraft.ops.firewall_block:
    addresses: [203.0.113.7, "2001:db8:1::/48"]
    comment: "ada: guesses passwords"
    protected:
      - guard: management
        addresses: [198.51.100.0/24]
    proof_timeout: 5
  become: true

- name: Unblock it
  astraldraft.ops.firewall_block:
    addresses: [203.0.113.7]
    state: absent
  become: true

- name: Have nginx refuse it, behind a load balancer
  astraldraft.ops.firewall_block:
    backend: nginx
    project: astral-demo
    path: /var/lib/astraldraft/astral-demo/nginx/upstreams/blocked.conf
    addresses: [203.0.113.7]
    duration: 4h
"""

RETURN = r"""
before:
  description: What was blocked.
  returned: always
  type: list
  elements: dict
  contains:
    address:
      description: The address or network.
      type: str
    family:
      description: V(ipv4) or V(ipv6).
      type: str
    expires_at:
      description: When the block ends (ISO 8601, UTC). V(null) for one without an end, which somebody made by hand.
      type: str
    seconds_left:
      description: The seconds until then. V(null) likewise.
      type: int
    comment:
      description: Who blocked it and why.
      type: str
    packets:
      description: How many packets were dropped since it was blocked, or for longer. V(null) with O(backend=nginx).
      type: int
    bytes:
      description: How many bytes they had. V(null) with O(backend=nginx).
      type: int
after:
  description: What is blocked now, or would be after a run outside check mode. Likewise.
  returned: always
  type: list
  elements: dict
blocked:
  description: What was blocked anew, or for longer.
  returned: always
  type: list
  elements: str
unblocked:
  description: What is no longer blocked, or only as part of a network.
  returned: always
  type: list
  elements: str
repaired:
  description: Why the table or file was made anew. Empty when it was as it should be.
  returned: always
  type: list
  elements: str
in_force:
  description: Whether what is there was read back and found to be as it should be. V(null) in check mode, and when nothing was changed.
  returned: always
  type: bool
proved:
  description: Whether a packet of the addresses was seen to be dropped. V(null) when that was not asked for or cannot be counted.
  returned: always
  type: bool
connections_ended:
  description: How many records of connections were ended. V(null) without C(conntrack), in check mode, and with O(backend=nginx).
  returned: always
  type: int
overridden:
  description: What O(overrides) has lifted.
  returned: always
  type: list
  elements: dict
  contains:
    guard:
      description: The name of the guard.
      type: str
    address:
      description: What it refused.
      type: str
    message:
      description: Why, in a sentence.
      type: str
duration:
  description: The time the module took, in seconds.
  returned: always
  type: float
"""

import time

from ansible_collections.astraldraft.ops.plugins.module_utils import _addresses, _docker, _firewall, _own_addresses
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._firewall_backend import BACKEND_RULES, BACKEND_SPEC, backend
from ansible_collections.astraldraft.ops.plugins.module_utils._module import run
from ansible_collections.astraldraft.ops.plugins.module_utils._wait import poll

SPEC = dict(
    BACKEND_SPEC,
    addresses={"type": "list", "elements": "str", "default": []},
    state={"type": "str", "choices": ["present", "absent"], "default": "present"},
    duration={"type": "str", "default": "24h"},
    maximum_duration={"type": "str", "default": "30d"},
    comment={"type": "str", "default": ""},
    protected={
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "guard": {"type": "str", "choices": ["operator", "load_balancer", "management", "allow_list"], "required": True},
            "addresses": {"type": "list", "elements": "str", "required": True},
        },
    },
    overrides={"type": "list", "elements": "str", "default": [], "choices": list(_addresses.OVERRIDABLE)},
    conntrack={"type": "bool", "default": True},
    proof_timeout={"type": "float", "default": 0},
    wait_timeout={"type": "float", "default": 10},
)
RESULT = {
    "before": [], "after": [], "blocked": [], "unblocked": [], "repaired": [], "in_force": None, "proved": None,
    "connections_ended": None, "overridden": [],
}  # fmt: skip


def refuse(module, own, wanted, result):
    """Refuse what must not be blocked. Raises OpsError."""
    params = module.params
    found, lifted = _addresses.refusals(wanted, _own_addresses.here() + _addresses.spared(params["protected"]), params["overrides"])
    result["overridden"] = [dict(refusal._asdict()) for refusal in lifted]
    if found:
        raise _addresses.refused(found)
    proxies = [text for entry in params["protected"] if entry["guard"] == "load_balancer" for text in entry["addresses"]]
    if proxies and own.real_addresses() == [] and "load_balancer" not in params["overrides"]:
        raise OpsError(
            "Clients come through {0}, and nginx is not told to believe what it says of their addresses: to nginx they all are {0}. "
            "Nothing was blocked. Set set_real_ip_from and real_ip_header in http {{}}.".format(" and ".join(proxies))
        )


def plan_of(params, wanted, known, now, uncounted):
    """The Plan, from what is not over yet. What nginx still lists although it is over goes. Raises OpsError."""
    over = [block for block in known if block.expires_at is not None and block.expires_at <= now]
    alive = [block for block in known if block not in over]
    if params["state"] == "absent":
        plan = _firewall.absent(alive, wanted)
    else:
        lasts = _firewall.seconds(params["duration"], params["maximum_duration"])
        plan = _firewall.present(alive, wanted, lasts, now, _firewall.comment(params["comment"]), uncounted)
    return plan._replace(before=_firewall.ordered(known), remove=plan.remove + over)


def prove(module, own, wanted, before):
    """Whether a packet was dropped since ``before`` (list of Block), None where nobody counts."""
    known = {block.network: block.packets for block in before}

    def dropped():
        now = own.read(time.time()).blocks
        return any(
            block.packets is not None and block.packets > known.get(block.network, 0)
            for block in now
            if any(_addresses.overlap(block.network, one) for one in wanted)
        )

    return None if own.name == "nginx" else poll(dropped, bool, module.params["proof_timeout"], 0.2, module.heartbeat)[0]


def apply(module, own, state, plan, now, result):
    """Do it, and read back whether it is so. -> the blocks (list of Block) that are there then. Raises OpsError."""
    result["changed"] = False
    module.fence()
    # nginx's file may be there although it was not loaded. The kernel takes all or nothing.
    result["changed"] = own.name == "nginx"
    own.apply(state, plan, now)
    result["changed"] = True
    if module.params["conntrack"] and module.params["state"] == "present":
        result["connections_ended"] = own.forget([block.network for block in plan.add])
    there = own.read(time.time())
    result["after"] = [_firewall.as_dict(block, now) for block in _firewall.ordered(there.blocks)]
    result["in_force"] = not there.problems
    if there.problems:
        message = "It was written, but is not in force: {0}. Look at it by hand: somebody else may change it."
        raise OpsError(message.format("; ".join(there.problems)))
    return there.blocks


def work(module, result):
    wanted = _addresses.networks(module.params["addresses"])
    if module.params["state"] == "present" and not wanted:
        raise OpsError("No address is given, so nothing was blocked. Name those that are meant.")
    with backend(module, alone=not module.check_mode) as own:
        if module.params["state"] == "present":
            refuse(module, own, wanted, result)
        now = time.time()
        state = own.read(now)
        plan = plan_of(module.params, wanted, state.blocks, now, own.uncounted)
        new = {block.network for block in plan.add}
        result["before"] = [_firewall.as_dict(block, now) for block in plan.before]
        result["after"] = [_firewall.as_dict(block, now) for block in plan.after]
        result["blocked"] = [_addresses.told(block.network) for block in plan.add]
        result["unblocked"] = [_addresses.told(block.network) for block in plan.remove if block.network not in new]
        result["repaired"] = state.problems
        result["changed"] = bool(plan.add or plan.remove or state.problems)
        result["diff"] = {"before": _firewall.shown(plan.before), "after": _firewall.shown(plan.after)}
        if module.check_mode:
            return
        there = apply(module, own, state, plan, now, result) if result["changed"] else state.blocks
        if module.params["proof_timeout"] > 0 and module.params["state"] == "present":
            result["proved"] = prove(module, own, wanted, there)


def main():
    run(work, dict(SPEC, **_docker.DOCKER_SPEC), dict(RESULT), supports_check_mode=True, required_if=BACKEND_RULES)


if __name__ == "__main__":
    main()
