# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the audit of a stack's security found, put together for people. Private: other collections must not import it.

Pure: results of modules go in, of every host, as a playbook registers them, those of tasks that failed among them. Addresses are ranked by
failed logins and errors: who asks most is only who asks most.
"""

from __future__ import annotations

from ansible_collections.astraldraft.ops.plugins.module_utils import _addresses
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._figures import plural
from ansible_collections.astraldraft.ops.plugins.module_utils._table import cell, lines

PASS, FAIL, INCONCLUSIVE, NOT_CONFIGURED = "pass", "fail", "inconclusive", "not configured"
WORST = (FAIL, INCONCLUSIVE, PASS)
#: A failed login is worth so many errors.
LOGIN_WEIGHT = 5
MOST_TOLD, MOST_NAMED = 20, 3
_OF_CHECK = {"healthy": PASS, "degraded": PASS, "not_configured": NOT_CONFIGURED, "inconclusive": INCONCLUSIVE}
_OF_BLOCKS = {"in_force": PASS, "none": PASS, "broken": FAIL}


def report(hosts, limits, allowed=(), proxies=()):
    """A dict of ``verdict``, ``lines``, ``next``, ``parts``, ``suspects``.

    ``hosts``: host to what it found (dict), of ``logins_by_address``, ``logins_by_user``, ``errors``, ``certificates``, ``sessions`` and
    ``blocked`` what it was asked for. ``limits``: ``user``, ``address`` and ``errors``, beyond which a number is too many. ``allowed`` and
    ``proxies``: addresses and networks (list of str).
    """
    allowed, proxies = _networks(allowed), _networks(proxies)
    blocked = _blocked(hosts)
    ranked = _ranked(hosts, allowed, proxies, blocked, limits)
    parts = [_suspicious(hosts, ranked), _logins(hosts, limits), _proxied(ranked)] if _asked(hosts, "errors") else []
    parts += _certificates(hosts) + _sessions(hosts) + _blocks(hosts)
    parts += [_part(host, INCONCLUSIVE, found["silent"]) for host, found in sorted(hosts.items()) if found.get("silent")]
    parts = [part for part in parts if part]
    verdict = next((one for one in WORST if one in {part["verdict"] for part in parts if part["counts"]}), INCONCLUSIVE)
    told = lines([[part["verdict"], part["name"], _advised(part)] for part in parts])
    told += _told(ranked)
    bad = [part["name"] for part in parts if part["counts"] and part["verdict"] in (FAIL, INCONCLUSIVE)]
    told.append("{0}: {1}".format(verdict, "not well: {0}".format(", ".join(bad)) if bad else "nothing stands out"))
    advice = next((part["next"] for one in WORST for part in parts if part["verdict"] == one and part["next"]), "")
    return {"verdict": verdict, "lines": told, "next": cell(advice, 1000), "parts": parts, "suspects": ranked[:MOST_TOLD]}


def _part(name, verdict, message, advice="", counts=True):
    return {"name": name, "verdict": verdict, "message": message, "next": "" if verdict == PASS else advice, "counts": counts}


def _advised(part):
    return "{0} -> {1}".format(part["message"], part["next"]) if part["next"] else part["message"]


def _networks(texts):
    return [_addresses.network(text) for text in texts if str(text).strip()]


def _asked(hosts, name):
    return {host: found[name] for host, found in sorted(hosts.items()) if found.get(name) and not found[name].get("skipped")}


def _unread(answers):
    """Why not all is known of what every host was asked (dict of host to answer); empty when all is."""
    found = []
    for host, answer in answers.items():
        if answer.get("failed"):
            found.append("{0}: {1}".format(host, answer.get("msg") or "no answer"))
        elif not _was_read(answer):
            found.append("{0}: {1}".format(host, answer.get("summary") or answer.get("verdict")))
    return "; ".join(found)


def _was_read(answer):
    """Whether all there is was read. Of a colour that is retired there may be neither a container nor an archive that is young enough."""
    there = [source for source in answer.get("sources") or [] if source["reason"] != "no_container"]
    return answer.get("verdict") == "read" or bool(there) and all(source["verdict"] == "read" for source in there)


def _groups(hosts, name):
    """The groups of all hosts: ``(by, count, last_at)`` each."""
    for answer in _asked(hosts, name).values():
        for group in answer.get("groups") or []:
            yield list(group["by"].values()), group["count"], group["last_at"]


# -- failed logins


def _logins(hosts, limits):
    answers = _asked(hosts, "logins_by_user")
    if not answers:
        return _part("logins", NOT_CONFIGURED, "no log of logins is named", "Give security_login_services and security_login_where.", False)
    users = {}
    for by, count, _last in _groups(hosts, "logins_by_user"):
        users[by[0] or "?"] = users.get(by[0] or "?", 0) + count
    total = sum(answer.get("count") or 0 for answer in answers.values())
    most = sorted(users.items(), key=lambda item: (-item[1], item[0]))
    told = "{0} failed {1}".format(total, plural("login", total))
    if most:
        told += ", most of them of " + ", ".join("{0} ({1})".format(cell(user, 60), count) for user, count in most[:MOST_NAMED])
    over = [user for user, count in most if count > limits["user"]]
    unread = _unread(answers)
    if over:
        told += "; more than {0} each of {1}".format(limits["user"], len(over))
        return _part(
            "logins", FAIL, told, "Tell {0}; block where they come from.".format(", ".join(cell(user, 60) for user in over[:MOST_NAMED]))
        )
    if unread:
        return _part("logins", INCONCLUSIVE, "at least {0}; not all was read: {1}".format(told, unread))
    return _part("logins", PASS, told)


# -- who it is


def _ranked(hosts, allowed, proxies, blocked, limits):
    """The addresses with failed logins or errors, the worst first: dicts."""
    found = {}

    def of(address):
        empty = {"address": address or "?", "failed_logins": 0, "errors": 0, "statuses": {}, "last_at": None}
        return found.setdefault(address, empty)

    for by, count, last in _groups(hosts, "logins_by_address"):
        one = of(by[0])
        one["failed_logins"] += count
        one["last_at"] = max(one["last_at"] or "", last or "") or None
    for by, count, last in _groups(hosts, "errors"):
        one = of(by[0])
        one["errors"] += count
        one["statuses"][by[1]] = one["statuses"].get(by[1], 0) + count
        one["last_at"] = max(one["last_at"] or "", last or "") or None
    for one in found.values():
        one["score"] = LOGIN_WEIGHT * one["failed_logins"] + one["errors"]
        one["what"] = _what(one["address"], allowed, proxies, blocked)
        over = one["failed_logins"] > limits["address"] or one["errors"] > limits["errors"]
        one["suspicious"] = over and one["what"] not in ("allowed", "blocked", "proxy")
        one["over"] = over
    return sorted(found.values(), key=lambda one: (-one["score"], one["address"]))


def _what(address, allowed, proxies, blocked):
    """allowed, proxy, blocked, private, public, or unknown where it is no address."""
    try:
        network = _addresses.network(address)
    except OpsError:
        return "unknown"
    for name, networks in (("allowed", allowed), ("proxy", proxies), ("blocked", blocked)):
        if any(_addresses.inside(network, other) for other in networks):
            return name
    return "private" if _addresses.is_private(network) else "public"


def _suspicious(hosts, ranked):
    unread = _unread(_asked(hosts, "errors")) or _unread(_asked(hosts, "logins_by_address"))
    suspects = [one for one in ranked if one["suspicious"]]
    if suspects:
        public = [one["address"] for one in suspects if one["what"] == "public"]
        advice = "block_address -e '{{\"firewall_addresses\": [{0}]}}'".format(", ".join('"{0}"'.format(one) for one in public[:MOST_TOLD]))
        if not public:
            advice = "None of them is public: find out which proxy or host that is. Nobody should be blocked by it."
        told = ", ".join("{0} ({1})".format(cell(one["address"], 60), _counted(one)) for one in suspects[:MOST_NAMED])
        return _part("addresses", FAIL, "{0} suspicious: {1}".format(len(suspects), told), advice)
    if unread:
        return _part("addresses", INCONCLUSIVE, "not all was read: {0}".format(unread))
    return _part("addresses", PASS, "none is suspicious of {0} with errors".format(len(ranked)))


def _counted(one):
    return "{0} failed {1}, {2} {3}".format(
        one["failed_logins"], plural("login", one["failed_logins"]), one["errors"], plural("error", one["errors"])
    )


def _proxied(ranked):
    """Whether the addresses are those of clients at all."""
    proxies = [one["address"] for one in ranked if one["what"] == "proxy"]
    if proxies:
        advice = "Have nginx take the client's address from them: set_real_ip_from and real_ip_header."
        return _part(
            "real addresses", FAIL, "the logs name {0}, which is a proxy, as the client".format(", ".join(proxies[:MOST_NAMED])), advice
        )
    if ranked and all(one["what"] == "private" for one in ranked):
        return _part("real addresses", INCONCLUSIVE, "all are private: perhaps they are a proxy's", "See who they are.", counts=False)
    return None


def _told(ranked):
    rows = []
    for one in ranked[:MOST_TOLD]:
        statuses = ", ".join("{0}: {1}".format(*item) for item in sorted(one["statuses"].items(), key=lambda item: -item[1]))
        mark = "suspicious" if one["suspicious"] else ""
        rows.append([one["address"], one["what"], "{0} failed logins".format(one["failed_logins"]), "{0} errors".format(one["errors"]),
                     statuses, mark])  # fmt: skip
    return lines(rows) + (["and {0} more addresses".format(len(ranked) - MOST_TOLD)] if len(ranked) > MOST_TOLD else [])


# -- the rest


def _certificates(hosts):
    found = []
    for host, answer in _asked(hosts, "certificates").items():
        if answer.get("failed"):
            found.append(_part("certificate", INCONCLUSIVE, "{0}: {1}".format(host, answer.get("msg") or "no answer")))
        for check in answer.get("checks") or []:
            verdict = _OF_CHECK.get(check["verdict"], FAIL)
            advice = check["next"] if check["verdict"] != "healthy" else ""
            found.append(dict(_part("certificate", verdict, check["message"], counts=verdict != NOT_CONFIGURED), next=advice))
    return found


def _sessions(hosts):
    found = []
    for host, answer in _asked(hosts, "sessions").items():
        if answer.get("verdict") == PASS:
            found.append(_part("sessions", PASS, answer["summary"]))
        else:
            found.append(
                _part("sessions", INCONCLUSIVE, "{0}: {1}".format(host, answer.get("summary") or answer.get("msg") or "no answer"))
            )
    return found


def _blocked(hosts):
    """What every host that was asked blocks (list of networks): what one lets through is not blocked."""
    answers = [answer for answer in _asked(hosts, "blocked").values() if answer.get("verdict") in ("in_force", "none")]
    found = [{block["address"] for block in answer.get("blocks") or []} for answer in answers]
    return _networks(sorted(set.intersection(*found))) if found else []


def _blocks(hosts):
    found = []
    for host, answer in _asked(hosts, "blocked").items():
        verdict = _OF_BLOCKS.get(answer.get("verdict"), INCONCLUSIVE)
        told = "{0}: {1}".format(host, answer.get("summary") or answer.get("msg") or "no answer")
        # Not every host has a firewall of ours.
        found.append(_part("blocked", verdict, told, "See: blocked", counts=verdict != INCONCLUSIVE))
    return found
