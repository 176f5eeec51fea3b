# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the watchers said, put together for people: their health, what fires, the way of an alert.

Private: other collections must not import it. Pure: results of modules go in, as a playbook registers them, those of tasks that failed or
were skipped among them.
"""

from __future__ import annotations

from ansible_collections.astraldraft.ops.plugins.module_utils._figures import plural, span
from ansible_collections.astraldraft.ops.plugins.module_utils._prometheus import FAIL, INCONCLUSIVE, PASS
from ansible_collections.astraldraft.ops.plugins.module_utils._table import cell, lines

NOT_CONFIGURED = "not configured"
WORST = (FAIL, INCONCLUSIVE, PASS)
#: Who can do without the others. Nothing is known of monitoring that nobody named.
REQUIRED = ("prometheus", "alertmanager")
#: Findings about Prometheus that stop every alert there, and on the way from it. Others are for the health of the watchers to tell.
OF_ALERTS, OF_SENDING = ("server", "watchdog"), ("alertmanagers", "notifications")
_OF_GRAFANA = {"healthy": PASS, "unsupported": PASS, "unhealthy": FAIL, "missing": FAIL}
_HEARD = ("active", "unprocessed", "inhibited", "silenced")


def worst(verdicts):
    """fail, else inconclusive, else pass; of none inconclusive, since nothing is known."""
    return next((verdict for verdict in WORST if verdict in verdicts), INCONCLUSIVE)


def _part(name, verdict, message, advice=""):
    return {"name": name, "verdict": verdict, "message": message, "next": "" if verdict == PASS else advice}


def _was_asked(result):
    return bool(result) and not result.get("skipped")


def _broke_off(result):
    """Why a task has no answer, None where it has one."""
    if result.get("failed") or result.get("unreachable"):
        return result.get("msg") or "no answer"
    return None


# -- the health of the watchers


def health(answers):
    """A dict of ``verdict``, ``lines``, ``next``, ``parts``. ``answers``: each of the watchers to what was registered of it."""
    parts = [part for name, result in answers.items() for part in _parts(name, result)]
    by_name = {name: worst({part["verdict"] for part in parts if part["name"] == name} - {NOT_CONFIGURED}) for name in answers}
    silent = [name for name, result in answers.items() if not _was_asked(result)]
    for name in silent:
        by_name[name] = INCONCLUSIVE if name in REQUIRED else NOT_CONFIGURED
    verdict = worst(set(by_name.values()) - {NOT_CONFIGURED})
    told = {
        "not well": [name for name in by_name if by_name[name] == FAIL],
        "in doubt": [name for name in by_name if by_name[name] == INCONCLUSIVE and name not in silent],
        "well": [name for name in by_name if by_name[name] == PASS],
        NOT_CONFIGURED: silent,
    }
    summary = "; ".join("{0}: {1}".format(words, ", ".join(names)) for words, names in told.items() if names)
    rows = [[part["verdict"], part["name"], _advised(part)] for part in parts]
    return {"verdict": verdict, "lines": lines(rows) + ["{0}; {1}".format(verdict, summary)], "next": _first(parts), "parts": parts}


def _first(parts):
    """What to do about the worst of them."""
    return next((cell(part["next"]) for verdict in WORST for part in parts if part["verdict"] == verdict and part["next"]), "")


def _advised(part):
    return "{0} -> {1}".format(part["message"], part["next"]) if part["next"] else part["message"]


def _parts(name, result):
    if not _was_asked(result):
        missing = "Give its address in the inventory." if name in REQUIRED else ""
        return [_part(name, NOT_CONFIGURED, "no address is given, so it was not asked", missing)]
    why = _broke_off(result)
    if why:
        return [_part(name, FAIL, why)]
    if name == "grafana":
        return _parts_of_grafana(result)
    if "findings" not in result:
        return [_part(name, PASS, result["summary"])]
    bad = [one for one in result["findings"] if one["verdict"] != PASS]
    if name == "alertmanager" or not result["findings"]:
        bad = result["findings"]
    told = [_part(name, one["verdict"], _found(one, name), one["next"]) for one in bad]
    return told or [_part(name, result["verdict"], result["summary"])]


def _found(finding, part=None):
    """A finding in words; its name is left out where it is that of the part."""
    told = "{0} {1}".format(finding["subject"], finding["message"])
    return told if finding["name"] == part else "{0}: {1}".format(finding["name"], told)


def _parts_of_grafana(result):
    itself, told = result["grafana"], []
    if itself["verdict"] != "healthy":
        verdict = result["verdict"] if result["verdict"] != PASS else FAIL
        return [_part("grafana", verdict, itself["message"], itself["next"])]
    for one in result["datasources"]:
        verdict = _OF_GRAFANA.get(one["verdict"], INCONCLUSIVE)
        if verdict != PASS:
            told.append(_part("grafana", verdict, "{0}: {1}".format(one["name"], one["message"]), one["next"]))
    if result["verdict"] not in {part["verdict"] for part in told}:
        told.append(_part("grafana", result["verdict"], result["summary"], "Which data sources does the token see, and has Grafana any?"))
    return told


# -- what fires


def alerts(alertmanager, prometheus, limit, filtered=False):
    """A dict of ``verdict``, ``lines``, ``next``, ``counts``, ``alerts``. ``filtered``: whether matchers were given."""
    why = _broke_off(alertmanager)
    if why or not _was_asked(alertmanager):
        why = why or "No Alertmanager is named, so nobody knows what fires. Give monitoring_alertmanager_urls."
        return {"verdict": FAIL, "lines": [cell(why, 2000)], "next": "", "counts": {}, "alerts": []}
    found = sorted(alertmanager["alerts"], key=lambda one: _HEARD.index(one["state"]))
    titles = {one["fingerprint"]: one["title"] for one in found}
    why, pending, asked = _broke_off(prometheus), [], _was_asked(prometheus)
    if asked and not why:
        pending = [dict(one, fingerprint="", silenced_by=[], inhibited_by=[], receivers=[]) for one in prometheus["alerts"]]
    everything = found + pending
    counts = dict(alertmanager["counts"], pending=prometheus["counts"]["pending"] if asked and not why else None)
    rows = [_row(one, titles) for one in everything[:limit]]
    total = counts["total"] + (counts["pending"] or 0)
    told = lines(rows) + (["and {0} more".format(total - len(rows))] if total > len(rows) else [])
    silent = [one for one in alertmanager["alertmanagers"] if not one["answered"]]
    told += ["{0}: {1}".format(one["url"], cell(one["message"])) for one in silent]
    summary = "{0}, {1} pending".format(alertmanager["summary"], counts["pending"]) if asked and not why else alertmanager["summary"]
    if filtered and asked and not why:
        told.append("Pending ones are found by the labels that Prometheus itself has; its external labels are not among them.")
    if not asked:
        told.append("Pending ones are not known: no Prometheus is named.")
    elif why:
        told.append("Pending ones are not known: {0}".format(cell(why, 1000)))
    verdict = FAIL if silent or (asked and why) else PASS
    advice = next((one["next"] for one in silent if one["next"]), "")
    return {"verdict": verdict, "lines": told + ["{0}: {1}".format(verdict, summary)], "next": advice, "counts": counts,
            "alerts": everything[:limit]}  # fmt: skip


def _row(alert, titles):
    """state, severity, age, name, and who has silenced it until when, or what inhibits it; the runbook last."""
    about = []
    for one in alert["silenced_by"]:
        told = one["owner"] or "somebody", one["ends_at"] or "just now", one["comment"] or "no comment"
        about.append("by {0} until {1} ({2})".format(*told))
    if alert["inhibited_by"]:
        about.append("by {0}".format(", ".join(titles.get(one, one) for one in alert["inhibited_by"])))
    elif alert["state"] == "active":
        about.append("to {0}".format(", ".join(alert["receivers"]) or "nobody"))
    about += [alert["runbook"]] if alert["runbook"] else []
    return [alert["state"], alert["labels"].get("severity", "-"), span(alert["age_seconds"]), alert["title"], "; ".join(about)]


# -- the way of an alert


def pipeline(prometheus, watchdog, sent, delivery, ended, check=False):
    """A dict of ``verdict``, ``lines``, ``next``, ``hops``, ``broken``. In check mode nothing was sent: what could be asked counts."""
    hops = [_prometheus_hop(prometheus), _watchdog_hop(prometheus, watchdog), _accepted_hop(sent, delivery, check)]
    hops += _delivery_hops(delivery, check)
    counted = [hop for hop in hops if not (check and hop["name"] in ("routed", "notified", "arrived"))]
    verdict = worst({hop["verdict"] for hop in counted})
    broken = next((hop for hop in counted if hop["verdict"] == verdict and verdict != PASS), None)
    times = ["" if hop["seconds"] is None else "{0:.1f} s".format(hop["seconds"]) for hop in hops]
    told = lines([[hop["verdict"], hop["name"], time, hop["message"]] for hop, time in zip(hops, times)])
    why = _broke_off(ended or {})
    if why:
        told.append("The test alert could not be ended, and ends by itself: {0}".format(cell(why)))
    return {"verdict": verdict, "lines": told + [cell(_verdict_on(verdict, broken, hops, check), 1000)],
            "next": cell(broken["next"], 1000) if broken else "", "hops": hops, "broken": broken["name"] if broken else ""}  # fmt: skip


def _verdict_on(verdict, broken, hops, check):
    if verdict == FAIL:
        return "fail: an alert gets no further than here: {0}: {1}".format(broken["name"], broken["message"])
    if verdict == INCONCLUSIVE:
        return "inconclusive: {0}: {1}".format(broken["name"], broken["message"])
    if check:
        return "pass: up to Alertmanager all is well; nothing was sent in check mode"
    return "pass: the alert arrived within {0:.1f} s of being sent".format(hops[-1]["seconds"])


def _hop(name, verdict, message, advice="", seconds=None):
    return dict(_part(name, verdict, message, advice), seconds=seconds)


def _of_findings(name, findings, well):
    """The hop that these findings of prometheus_targets_info stand for."""
    verdict = worst({one["verdict"] for one in findings})
    bad = [one for one in findings if one["verdict"] == verdict and verdict != PASS]
    told = "; ".join(map(_found, bad))
    return _hop(name, verdict, told or well, bad[0]["next"] if bad else "")


def _findings(prometheus, names):
    return [one for one in prometheus.get("findings") or [] if one["name"] in names]


def _prometheus_hop(prometheus):
    why = _broke_off(prometheus or {})
    if why or not _was_asked(prometheus):
        return _hop("prometheus", FAIL, why or "no address is given", "Give monitoring_prometheus_url.")
    return _of_findings("prometheus", _findings(prometheus, OF_ALERTS), "is ready, and its watchdog fires")


def _watchdog_hop(prometheus, watchdog):
    name, why = "prometheus to alertmanager", _broke_off(watchdog or {})
    if why or not _was_asked(watchdog):
        return _hop(name, FAIL, why or "no address of Alertmanager is given", "Give monitoring_alertmanager_urls.")
    found = _findings(prometheus or {}, OF_SENDING)
    if any(one["verdict"] == FAIL for one in found):
        return _of_findings(name, found, "")
    known = watchdog["hops"][0]
    told = "of the watchdog it " if known["verdict"] == PASS else "the watchdog: "
    return _hop(name, known["verdict"], told + known["message"], known["next"])


def _accepted_hop(sent, delivery, check):
    if not _was_asked(sent):
        return _hop("accepted", FAIL, "nothing was sent")
    members = sent.get("alertmanagers") or []
    silent = [one for one in members if not one["answered"]]
    if silent or _broke_off(sent):
        message = "; ".join(one["message"] for one in silent) or _broke_off(sent)
        return _hop("accepted", FAIL, message, next((one["next"] for one in silent if one["next"]), ""))
    known = delivery["hops"][0] if delivery and delivery.get("hops") else None
    if known and known["verdict"] != PASS:
        return _hop("accepted", known["verdict"], known["message"], known["next"])
    told = "by {0} {1}".format(len(members), plural("Alertmanager", len(members)))
    return _hop("accepted", PASS, "would be sent to " + told[3:] if check else told, "", None if check else sent.get("duration"))


def _delivery_hops(delivery, check):
    hops = (delivery or {}).get("hops") or []
    if not hops:
        why = "not in check mode" if check else _broke_off(delivery or {}) or "not reached"
        return [_hop(name, INCONCLUSIVE, why) for name in ("routed", "notified", "arrived")]
    return [_hop(one["name"], one["verdict"], one["message"], one["next"], one["seconds"]) for one in hops[1:]]
