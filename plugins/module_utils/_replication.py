# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which server of a PostgreSQL cluster is what, and which replica may become the primary. Private: other collections must not import it.

Data in (what the servers said, what their files say), judgement out.
"""

from __future__ import annotations

import collections

from ansible_collections.astraldraft.ops.plugins.module_utils._postgres_files import PAGE, format_lsn
from ansible_collections.astraldraft.ops.plugins.module_utils._time import to_iso

PRIMARY, REPLICA, FENCED, DOWN = "primary", "replica", "fenced", "down"
PASS, FAIL, INCONCLUSIVE = "pass", "fail", "inconclusive"
SYNCHRONOUS = ("sync", "quorum")

#: ``unknown``: whether not to know how far a replica is behind is accepted.
Limits = collections.namedtuple("Limits", "lag_bytes lag_seconds unknown")
#: What the files of a server that does not answer say: ``control`` (Control), ``fenced`` (bool), ``end`` (int or None).
Remains = collections.namedtuple("Remains", "control fenced end")


def role_of(answer):
    if not answer["in_recovery"]:
        return PRIMARY
    return FENCED if answer["marker"] and not answer["receiver"] else REPLICA


def judge(answers, remains, limits):
    """Put together what is known. ``answers``: name to what a server said, or an exception why not; ``remains``: name to Remains.

    -> dict of ``servers`` (list), ``primary``, ``candidate``, ``verdict``, ``findings``
    """
    primaries = [name for name, answer in answers.items() if isinstance(answer, dict) and not answer["in_recovery"]]
    # Who was the last primary, where none answers: the newest timeline that somebody wrote who is fenced or down.
    last = primaries[0] if len(primaries) == 1 else _last_primary(answers, remains)
    source = _source(last, answers, remains)
    servers = [_told(name, answer, remains.get(name), last, source, limits) for name, answer in answers.items()]
    states = _sync_states(answers, last)
    for server in servers:
        server["sync_state"] = states.get(server.pop("_application"))
    findings = _findings(primaries, servers, last)
    able = [server for server in servers if server["promotable"]]
    able.sort(key=lambda server: (server["sync_state"] not in SYNCHRONOUS, -server["_received"], server["name"]))
    for server in servers:
        del server["_received"]
    unsure = any(server["role"] == DOWN for server in servers)
    return {
        "servers": servers,
        "primary": primaries[0] if len(primaries) == 1 else None,
        "last_primary": last,
        "candidate": able[0]["name"] if able else None,
        "verdict": (INCONCLUSIVE if unsure and primaries else FAIL) if findings else PASS,
        "findings": findings,
    }


def _last_primary(answers, remains):
    found = []
    for name, answer in answers.items():
        if isinstance(answer, dict):
            if role_of(answer) == FENCED:
                found.append((answer["timeline"], answer["lsn"] or 0, name))
        elif name in remains and (remains[name].fenced or not remains[name].control.standby):
            found.append((remains[name].control.timeline, remains[name].end or 0, name))
    return max(found)[2] if found else None


def _source(name, answers, remains):
    """-> (system, timeline, position) of the last primary, each None where it is not known"""
    answer = answers.get(name)
    if isinstance(answer, dict):
        return answer["system"], answer["timeline"], answer["lsn"]
    if name in remains:
        return str(remains[name].control.system), remains[name].control.timeline, remains[name].end
    return None, None, None


def _sync_states(answers, last):
    """The sync_state of the standbys as the primary says, by their application_name."""
    primary = answers.get(last)
    return {one["name"]: one["sync_state"] for one in primary["standbys"]} if isinstance(primary, dict) else {}


def _told(name, answer, remains, last, source, limits):
    found = dict.fromkeys(
        (
            "system_identifier", "version", "timeline", "lsn", "received_lsn", "replayed_at", "streams_from", "used_slot", "sync_state",
            "lag_bytes", "lag_seconds", "missing_bytes", "paused", "state",
        )
    )  # fmt: skip
    found.update(name=name, answers=isinstance(answer, dict), role=DOWN, slots=[], standbys=[], message="", promotable=False, why=[])
    found.update(_received=0, _application=None)
    if not found["answers"]:
        found["message"] = answer.message
        found["why"] = ["it does not answer: {0}".format(answer.message)]
        if remains:
            control = remains.control
            found.update(system_identifier=str(control.system), timeline=control.timeline, lsn=format_lsn(remains.end), state=control.state)
            found["role"] = FENCED if remains.fenced else DOWN
        return found
    found.update(
        role=role_of(answer), system_identifier=answer["system"], version=answer["version"].split()[0], timeline=answer["timeline"],
        lsn=format_lsn(answer["lsn"]), received_lsn=format_lsn(answer["received"]), paused=answer["paused"],
        used_slot=answer["slot"] if answer["in_recovery"] else None, slots=answer["slots"],
        standbys=[dict(one, replay_lsn=format_lsn(one["replay_lsn"])) for one in answer["standbys"]],
        state="in recovery" if answer["in_recovery"] else "in production",
    )  # fmt: skip
    if found["role"] == PRIMARY:
        found["why"] = ["it is the primary already"]
        return found
    # What a walreceiver calls itself where nothing else is configured.
    found["_application"] = answer["application_name"] or "walreceiver"
    _lag(found, answer, source)
    found["why"] = _objections(found, answer, last, source, limits)
    found["promotable"] = not found["why"]
    return found


def _lag(found, answer, source):
    """How far a standby is behind: what it has still to replay, and what it has not even received."""
    replayed, received = answer["lsn"] or 0, max(answer["received"] or 0, answer["lsn"] or 0)
    streams = bool(answer["receiver"]) and answer["receiver"]["status"] == "streaming"
    found["_received"] = received
    found["replayed_at"] = to_iso(answer["replayed_at"]) if answer["replayed_at"] else None
    found["streams_from"] = answer["receiver"]["host"] if streams else None
    end = source[2]
    if end is not None:
        found["lag_bytes"], found["missing_bytes"] = max(0, end - replayed), max(0, end - received)
    age = round(max(0.0, answer["now"] - answer["replayed_at"]), 1) if answer["replayed_at"] else None
    # The end of a dead server's WAL is known to a page: less than that says nothing.
    if end is not None and end - replayed < PAGE or streams and replayed >= received and not answer["paused"]:
        found["lag_seconds"] = 0.0
    else:
        found["lag_seconds"] = age


def _objections(found, answer, last, source, limits):
    """Why a standby may not be promoted, in sentences without a subject."""
    system, timeline, end = source
    said = []
    if found["role"] == FENCED:
        return ["it is fenced: what it lacks was written elsewhere, or nobody else can take over"]
    if last is None and not limits.unknown:
        said.append("nobody can say what the last primary wrote")
    if system is not None and answer["system"] != system:
        said.append("it is of another cluster (system identifier {0}, not {1})".format(answer["system"], system))
    elif timeline is not None and answer["timeline"] != timeline:
        said.append(
            "it is on timeline {0}, and {1} on {2}: rebuild it (playbook replica_rebuild)".format(answer["timeline"], last, timeline)
        )
    if answer["paused"]:
        said.append("its replay is paused (SELECT pg_wal_replay_resume())")
    if last is not None and end is None and not limits.unknown:
        said.append("how far it is behind is not known")
    if found["lag_bytes"] is not None and found["lag_bytes"] > limits.lag_bytes:
        said.append("it is {0} bytes behind, more than {1}".format(found["lag_bytes"], limits.lag_bytes))
    if found["lag_seconds"] is not None and found["lag_seconds"] > limits.lag_seconds:
        said.append("it is {0:g} s behind, more than {1:g}".format(found["lag_seconds"], limits.lag_seconds))
    return said


def _findings(primaries, servers, last):
    found = []
    if len(primaries) > 1:
        found.append("{0} all take writes: fence all but one at once.".format(" and ".join(primaries)))
    elif not primaries:
        found.append("No server takes writes{0}.".format("; the last that did is " + last if last else ""))
    for server in servers:
        if server["role"] == DOWN:
            found.append("{0} does not answer: {1}.".format(server["name"], server["message"].rstrip(".")))
        elif server["role"] == FENCED:
            found.append("{0} is fenced: it takes no writes and follows nobody.".format(server["name"]))
        elif server["role"] == REPLICA and server["why"]:
            found.append("{0} could not take over: {1}.".format(server["name"], "; ".join(server["why"])))
        elif server["role"] == REPLICA and primaries and not server["streams_from"]:
            found.append("{0} receives nothing from a primary.".format(server["name"]))
        for slot in server["slots"]:
            if slot["wal_status"] in ("lost", "unreserved"):
                found.append(
                    "{0}'s slot {1} has lost the WAL that its user needs ({2}).".format(server["name"], slot["name"], slot["wal_status"])
                )
    return found
