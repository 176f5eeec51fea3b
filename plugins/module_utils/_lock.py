# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lock of a stack: leases with a heartbeat and a fencing token. Private: other collections must not import it.

One JSON file on the state host says who holds it: operations that do not exclude each other may hold it at once, and a person may hold it
by hand. Whoever holds it renews the heartbeat; whoever finds the heartbeat of an operation in its way expired may take over, and gets a
higher token, so that the former holder is refused at its next step. On every other host that an operation works on it keeps a lease: the
same file, with the same token, renewed by the modules that run there.
Times are seconds since the epoch, of the host on which the file lies: a heartbeat is never compared with another host's clock.
"""

from __future__ import annotations

from collections import namedtuple

from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._operations import contended, excludes, uses
from ansible_collections.astraldraft.ops.plugins.module_utils._time import to_iso

FREE, HELD, EXPIRED, LOCKED = "free", "held", "expired", "locked"
#: What is in nobody's way and has leases on other hosts is not asked after; it is forgotten when it has been silent for so long.
FORGET_SECONDS = 86400.0

#: ``blocking``: alive and in the way. ``unconfirmed``: silent for too long here, and perhaps alive on a host where it has a lease.
#: ``dead``: to be replaced.
Standing = namedtuple("Standing", "blocking unconfirmed dead")
#: ``record``: the holder's own, or None when it was not taken. ``replaced``: the holders that were removed for it. ``by_hand``: who has
#: locked by hand, or None; ``blocking`` and ``unconfirmed``: who was in the way.
Taken = namedtuple("Taken", "record replaced by_hand blocking unconfirmed")


def nobody():
    """A lock that nobody holds."""
    return {"holders": [], "manual": None}


def judge(record, now):
    """Whether a holder is alive (held) or has given no sign of life for too long (expired) at ``now``."""
    return EXPIRED if now >= record["heartbeat"] + record["expiry"] else HELD


def status(held, now):
    """The whole lock in one word: locked (by hand), held, expired, free."""
    if held["manual"]:
        return LOCKED
    states = {judge(record, now) for record in held["holders"]}
    return HELD if HELD in states else EXPIRED if states else FREE


def mine(held, token):
    """The holder with that token, or None."""
    return next((record for record in held["holders"] if token and record["token"] == token), None)


def weigh(held, operation, now, confirmed=()):
    """Sort the holders by what they mean to ``operation``. -> Standing

    A holder with leases on other hosts is only dead when its token is among those ``confirmed``: somebody asked there.
    """
    found = Standing([], [], [])
    for record in held["holders"]:
        in_the_way = excludes(operation, record["operation"])
        if judge(record, now) == HELD:
            if in_the_way:
                found.blocking.append(record)
        elif in_the_way:
            sure = not record["lease_hosts"] or record["token"] in confirmed
            (found.dead if sure else found.unconfirmed).append(record)
        # What uses nothing is in nobody's way: whoever comes next clears it away.
        elif not uses(record["operation"]) and now >= record["heartbeat"] + record["expiry"] + bool(record["lease_hosts"]) * FORGET_SECONDS:
            found.dead.append(record)
    return found


def shows_life(first, records):
    """Whether one of the holders did something since the ``first`` look (both are lists of records)."""
    heard = {record["token"]: record["heartbeat"] for record in first}
    return any(record["heartbeat"] > heard.get(record["token"], float("-inf")) for record in records)


def describe(record, now):
    """One phrase for people: who holds it, for what, since when, and when it last gave a sign of life."""
    text = "{operation} by {owner} on {host}, since {since}, last sign of life {age:.0f} s ago (expires after {expiry:.0f} s)".format(
        operation=record["operation"],
        owner=record["owner"],
        host=record["host"] or "an unnamed machine",
        since=to_iso(record["acquired"]),
        age=max(0.0, now - record["heartbeat"]),
        expiry=record["expiry"],
    )
    if record["lease_hosts"]:
        text += "; it works on {0} and gives signs of life there".format(", ".join(record["lease_hosts"]))
    if record["expiry"] > record["usual_expiry"]:
        until = to_iso(record["heartbeat"] + record["expiry"])
        text += "; it announced a long step and may be alive without a sign until {0}".format(until)
    return text


def describe_manual(manual):
    """One phrase for people: who locked the stack by hand, since when, and why."""
    why = manual["reason"] or "no reason was given"
    return "locked by hand by {0} since {1}: {2}".format(manual["owner"], to_iso(manual["since"]), why)


def lines(held, now):
    """Who holds the lock, for people, one line each."""
    found = [describe_manual(held["manual"])] if held["manual"] else []
    found += [
        "{0} ({1})".format(describe(record, now), "alive" if judge(record, now) == HELD else "no sign of life here")
        for record in held["holders"]
    ]
    return found or ["nobody is at work"]


def refusals(held, operation, now):
    """What of the lock keeps ``operation`` from beginning: dicts of ``guard``, ``fact`` and ``remedy``. Dead holders do not."""
    standing = weigh(held, operation, now)
    by_hand = held["manual"] if uses(operation) else None
    return refusals_of(Taken(None, [], by_hand, standing.blocking, []), operation, now)


def refusals_of(taken, operation, now):
    """The same, of an attempt to take the lock. What is unconfirmed refuses nobody: where it was passed, that is told."""
    found = [_refusal_by_hand(taken.by_hand)] if taken.by_hand else []
    found += [_refusal(operation, record, now) for record in taken.blocking]
    return found + [_refusal(operation, record, now) for record in taken.unconfirmed if taken.record]


def _refusal_by_hand(manual):
    return {
        "guard": "lock",
        "fact": "The stack is {0}.".format(describe_manual(manual)),
        "remedy": "It never expires. When {0} agrees, the playbook unlock removes it; ops_override: [lock] with ops_reason passes it "
        "once.".format(manual["owner"]),
    }


def _refusal(operation, record, now):
    return {
        "guard": "lock",
        "fact": "Another operation is running: {0}. {1} cannot run beside it (both need: {2}).".format(
            describe(record, now), operation, ", ".join(contended(operation, record["operation"]))
        ),
        "remedy": "Wait for it, or talk to {0}. If it is certainly dead, ops_override: [lock] with ops_reason takes the lock.".format(
            record["owner"]
        ),
    }


def public_refusal(refusal):
    """A refusal as modules return it."""
    return {"guard": refusal["guard"], "message": "{fact} {remedy}".format(**refusal)}


def public(record, now):
    """A holder as modules return it: ISO 8601 times, seconds."""
    return {
        "token": record["token"],
        "status": judge(record, now),
        "operation": record["operation"],
        "owner": record["owner"],
        "host": record["host"],
        "reason": record["reason"],
        "acquired_at": to_iso(record["acquired"]),
        "heartbeat_at": to_iso(record["heartbeat"]),
        "expires_at": to_iso(record["heartbeat"] + record["expiry"]),
        "lease_hosts": record["lease_hosts"],
    }


def public_manual(manual):
    """A lock by hand as modules return it. None stays None."""
    if not manual:
        return None
    return {"owner": manual["owner"], "host": manual["host"], "reason": manual["reason"], "since": to_iso(manual["since"])}


def public_all(held, now):
    """The whole lock as modules return it."""
    return {"holders": [public(record, now) for record in held["holders"]], "manual": public_manual(held["manual"])}


def plan(held, known, request, now, seize=False, confirmed=(), token=None):
    """Whether ``request`` (operation, owner, host, reason, expiry, lease_hosts) gets the lock: when nobody alive is in its way.

    ``known`` is what is remembered of tokens. ``seize``: whoever is in its way. ``confirmed``: tokens that are known to be dead on every
    host. ``token``: a lease for an operation that was locked elsewhere under this token; raises OpsError when a later one that excludes it
    was seen here. -> Taken
    """
    if token and not seize:
        refuse_stale(request, token, held, known)
    own = mine(held, token)
    if own:
        return Taken(dict(own, heartbeat=now, expiry=request["expiry"]), [], None, [], [])
    standing = weigh(held, request["operation"], now, confirmed)
    by_hand = held["manual"] if uses(request["operation"]) and not token else None
    in_the_way = standing.blocking + standing.unconfirmed
    if (in_the_way or by_hand) and not seize:
        return Taken(None, [], by_hand, standing.blocking, standing.unconfirmed)
    token = token or _next_token(held, known, now)
    record = dict(request, token=token, acquired=now, heartbeat=now, usual_expiry=request["expiry"])
    return Taken(record, standing.dead + in_the_way, by_hand, standing.blocking, standing.unconfirmed)


def _next_token(held, known, now):
    """Higher than every token seen here, and not lower than the clock in seconds: a host that has lost its files, or takes over from
    one that cannot be reached, is not refused by those that remember more."""
    return max([int(now), *known["seen"].values(), *(record["token"] for record in held["holders"])]) + 1


def plan_manual(before, request, now):
    """The lock by hand that ``request`` (owner, host, reason) asks for. Raises OpsError when somebody else has it."""
    if not before:
        return dict(request, since=now)
    if before["owner"] != request["owner"]:
        raise OpsError(
            "The stack is already {0}. Talk to {1}; the playbook unlock removes it.".format(describe_manual(before), before["owner"])
        )
    return dict(before, reason=request["reason"])


def refuse_alive(records, now):
    """Raise OpsError when one of the holders, whose heartbeat has expired elsewhere, is alive on this host."""
    alive = [describe(record, now) for record in records if judge(record, now) == HELD]
    if alive:
        raise OpsError(
            "Another operation is running, and is alive on this host: {0}. Wait for it, or talk to its owner. If it is certainly dead, "
            "ops_override: [lock] with ops_reason takes the lock.".format("; ".join(alive))
        )


def refuse_stale(request, token, held, known):
    """Raise OpsError when the operation with ``token`` has been overtaken on this host, or is not the one that has the token here."""
    later = [name for name, seen in known["seen"].items() if seen > token and excludes(request["operation"], name)]
    record = mine(held, token)
    if record and any(record[name] != request[name] for name in ("operation", "owner", "host")):
        later.append(record["operation"])
    if later or token in known["dead"]:
        raise OpsError(
            "This operation ({0}, token {1}) has been overtaken on this host{2}. It stops here, before it changes anything else; look at "
            "what was done meanwhile and start again. If nothing was, the clocks of the hosts differ: ops_override: [lock] with ops_reason "
            "passes.".format(
                request["operation"], token, " by a later one: " + ", ".join(sorted(later)) if later else ": it was declared dead"
            )
        )
