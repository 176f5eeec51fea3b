# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether every Alertmanager answers, and the members of a cluster know each other. Private: other collections must not import it."""

from __future__ import annotations

from ansible_collections.astraldraft.ops.plugins.module_utils import _alertmanager
from ansible_collections.astraldraft.ops.plugins.module_utils._figures import plural
from ansible_collections.astraldraft.ops.plugins.module_utils._http_json import ask_json
from ansible_collections.astraldraft.ops.plugins.module_utils._net import ProbeError
from ansible_collections.astraldraft.ops.plugins.module_utils._prometheus import FAIL, INCONCLUSIVE, PASS
from ansible_collections.astraldraft.ops.plugins.module_utils._prometheus_health import Finding

QUESTIONS = 2  # whether it is ready, then what it says of itself
APART = "Give both --cluster.peer with the other's address, or name the members of one cluster only."
LOST = "Can the members reach each other's cluster port (9094, TCP and UDP)? Each alert is sent twice else, and a silence is known to one."


def look(connection):
    """What :func:`_alertmanager.status` tells of one that is ready. Raises ProbeError."""
    answer = ask_json(connection, "/-/ready", service=_alertmanager.SERVICE, accepted=(503,), text=True)
    if answer.status == 503:
        message = "Alertmanager at {0} answered 503, it is not ready".format(answer.url)
        raise ProbeError("wrong_answer", "not_ready", message, "It starts, or shuts down: read its log.")
    return _alertmanager.status(connection)


def record(url, answer):
    """One that was asked, as it is returned."""
    known = {"version": None, "cluster": None} if isinstance(answer, Exception) else answer
    return dict(_alertmanager.member(url, answer), **known)


def judge(records, peers):
    """A Finding for each; ``peers``: how many members the cluster must have at least."""
    return [_judged(one, peers) for one in records]


def _judged(one, peers):
    url = one["url"]
    if not one["answered"]:
        return Finding("alertmanager", url, FAIL, one["message"], one["next"])
    status, found = one["cluster"]["status"], one["cluster"]["peers"]
    if status == "disabled":
        if peers < 2:
            return Finding("alertmanager", url, PASS, "answers, alone", "")
        message = "is in no cluster, of which at least {0} members are expected: each alert is sent by each of them".format(peers)
        return Finding("alertmanager", url, FAIL, message, APART)
    if found < peers:
        message = "knows {0} of at least {1} members of its cluster, itself among them".format(found, peers)
        return Finding("alertmanager", url, FAIL, message, LOST)
    if status != "ready":
        message = "answers, and its cluster is {0}: notifications wait for it".format(status)
        return Finding("alertmanager", url, INCONCLUSIVE, message, "Wait until it has joined, then ask again.")
    return Finding("alertmanager", url, PASS, "answers, one of {0} {1}".format(found, plural("member", found)), "")
