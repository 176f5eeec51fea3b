# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether Prometheus sees what it should, evaluates its rules, and can tell somebody. Private: other collections must not import it.

Every function that judges is pure: the data of the API in, findings out. What cannot be seen is inconclusive, never well.
"""

from __future__ import annotations

import collections
import functools
import re

from ansible_collections.astraldraft.ops.plugins.module_utils import _prometheus
from ansible_collections.astraldraft.ops.plugins.module_utils._checks import in_parallel
from ansible_collections.astraldraft.ops.plugins.module_utils._figures import span
from ansible_collections.astraldraft.ops.plugins.module_utils._http import safe_url
from ansible_collections.astraldraft.ops.plugins.module_utils._http_json import ask_json, not_like
from ansible_collections.astraldraft.ops.plugins.module_utils._names import nearest
from ansible_collections.astraldraft.ops.plugins.module_utils._net import ProbeError, no_answer
from ansible_collections.astraldraft.ops.plugins.module_utils._prometheus import FAIL, INCONCLUSIVE, PASS
from ansible_collections.astraldraft.ops.plugins.module_utils._time import from_iso, to_iso

#: ``name`` is one of NAMES, ``subject`` is what it is about: a job, an address, a rule.
Finding = collections.namedtuple("Finding", "name subject verdict message next")
NAMES = ("server", "jobs", "targets", "rules", "alertmanagers", "notifications", "own_metrics", "watchdog")
MOST_TOLD = 8  # in the one sentence; the list has them all
AT_LEAST = 10.0  # seconds: where an interval is a second or two, a busy machine makes nothing stale
ADVICE = {
    "targets": "Does it run, and can Prometheus reach it? See the targets page of Prometheus.",
    "jobs": "Look at scrape_configs and service discovery: a job without targets raises no alert of its own.",
    "rules": "See the rules page of Prometheus, and try the expression there.",
    "slow_rules": "Prometheus is overloaded, or was just started: look at its CPU and at how long the group takes.",
    "alertmanagers": "Look at alerting in Prometheus's configuration, and whether it can reach that address: alerts get nowhere.",
    "own_metrics": "Have Prometheus scrape itself, or switch own_metrics off.",
    "watchdog": "Is its rule loaded? While it does not fire, nobody knows whether alerts get through.",
}
#: What Prometheus counts about itself: a query whose answer is empty or zero when all is well, and what it means else.
OWN_METRICS = (
    ("prometheus_config_last_reload_successful == bool 0", "its last reload of the configuration failed: it runs an older one",
     "Run promtool check config, correct it, and reload."),
    ("increase(prometheus_tsdb_wal_corruptions_total[1d])", "its write-ahead log was found corrupt within a day: samples are lost",
     "Look at its disk and at its log; restore a snapshot if blocks are missing."),
    ("increase(prometheus_tsdb_wal_writes_failed_total[15m])", "it cannot write its write-ahead log: samples are lost",
     "Is its disk full, or read-only?"),
    ("increase(prometheus_tsdb_compactions_failed_total[3h])", "compactions of its database fail", "Is its disk full? Read its log."),
    ("increase(prometheus_tsdb_reloads_failures_total[1h])", "it cannot load blocks of its database", "Read its log; look at its disk."),
    ("increase(prometheus_notifications_dropped_total[5m])", "alerts were dropped within 5 minutes: Alertmanager did not take them",
     "Does Alertmanager run, and does Prometheus reach it?"),
    ("increase(prometheus_notifications_errors_total[5m])", "sending alerts to an Alertmanager failed within 5 minutes",
     "Does Alertmanager run, and does Prometheus reach it?"),
)  # fmt: skip
#: Of those, what is about the way to Alertmanager rather than about Prometheus itself.
SENDING = "prometheus_notifications_"
OWN_PRESENCE = "count(prometheus_tsdb_head_series)"
_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "y": 31536000}
_DURATION = re.compile(r"(\d+)(ms|[smhdwy])", re.ASCII)


def finding(name, subject, verdict, message, advice=None):
    return Finding(name, subject, verdict, message, "" if verdict == PASS else ADVICE[name] if advice is None else advice)


def duration(text):
    """Seconds of a duration as Prometheus writes it (``1m30s``, ``500ms``), None for what is none."""
    parts = _DURATION.findall(text or "")
    return sum(int(number) * _UNITS[unit] for number, unit in parts) if parts and "".join(map("".join, parts)) == text else None


def moment(text):
    """Seconds since the epoch of a time as Prometheus writes it; None where it has never been so."""
    return None if not text or text.startswith("0001-") else from_iso(text).timestamp()


# -- targets


def target_records(data, now, intervals):
    """The active targets as they are returned. ``now`` is the server's clock; stale is one not scraped for ``intervals`` of its own."""
    found = []
    for target in data["activeTargets"]:
        scraped, interval = moment(target.get("lastScrape")), duration(target.get("scrapeInterval"))
        age = None if scraped is None else max(0.0, now - scraped)
        health = target["health"]
        if health == "up" and age is not None and interval and age > max(AT_LEAST, intervals * interval):
            health = "stale"
        found.append(
            {
                "job": target["labels"].get("job", target.get("scrapePool", "")),
                "instance": target["labels"].get("instance", target.get("scrapeUrl", "")),
                "url": safe_url(target.get("scrapeUrl", "")),
                "health": health,
                "error": target.get("lastError", ""),
                "scraped_at": None if scraped is None else to_iso(scraped),
                "age_seconds": None if age is None else round(age, 1),
                "labels": target["labels"],
            }
        )
    order = {"down": 0, "stale": 1, "unknown": 2, "up": 3}
    return sorted(found, key=lambda record: (order.get(record["health"], 2), record["job"], record["instance"]))


def judge_targets(records):
    """A finding for each target that is not well, and one for all where there is none."""
    found = []
    for record in records:
        subject = "{0} ({1})".format(record["job"], record["instance"])
        if record["health"] == "down":
            found.append(finding("targets", subject, FAIL, "is down: {0}".format(record["error"] or "no reason is given")))
        elif record["health"] == "stale":
            message = "was last scraped {0} ago, and is still called up".format(span(record["age_seconds"]))
            found.append(finding("targets", subject, FAIL, message))
        elif record["health"] != "up":
            found.append(finding("targets", subject, INCONCLUSIVE, "has not been scraped yet"))
    if found:
        return found
    if not records:
        return [finding("targets", "all", FAIL, "there are none: Prometheus sees nothing", ADVICE["jobs"])]
    return [finding("targets", "all", PASS, "{0} up".format(len(records)))]


def job_records(records, expected, dropped=None):
    """Each job that is expected or there: how many targets it has, by health. ``dropped``: job to how many relabelling took away."""
    minimums = {job["name"]: job["minimum"] for job in expected}
    found = []
    for name in sorted(set(minimums) | {record["job"] for record in records}):
        healths = [record["health"] for record in records if record["job"] == name]
        counted = {health: healths.count(health) for health in ("up", "down", "stale", "unknown")}
        minimum = minimums.get(name)
        found.append(dict({"name": name, "minimum": minimum, "targets": len(healths), "dropped": (dropped or {}).get(name)}, **counted))
    return found


def missing_jobs(records, expected):
    """The expected jobs that have fewer targets than they should."""
    return [job["name"] for job in job_records(records, expected) if job["minimum"] is not None and job["targets"] < job["minimum"]]


def judge_jobs(jobs):
    """Findings of :func:`job_records` about the expected ones."""
    found, known = [], [job["name"] for job in jobs if job["targets"]]
    for job in jobs:
        if job["minimum"] is None or job["targets"] >= job["minimum"]:
            continue
        message = "has {0} of at least {1} targets".format(job["targets"], job["minimum"]) if job["targets"] else "has no target"
        if job["dropped"]:
            message += "; {0} were found and dropped by relabelling".format(job["dropped"])
        meant = None if job["targets"] else nearest(job["name"], known)
        message += "; did you mean {0}?".format(meant) if meant else ""
        found.append(finding("jobs", job["name"], FAIL, message))
    expected = sum(job["minimum"] is not None for job in jobs)
    return found or ([finding("jobs", "all", PASS, "all {0} are there".format(expected))] if expected else [])


def dropped_by_job(data):
    """Job to how many of its targets relabelling dropped, from the answer about dropped ones."""
    if data.get("droppedTargetCounts"):
        return data["droppedTargetCounts"]
    return collections.Counter(target.get("discoveredLabels", {}).get("job") for target in data.get("droppedTargets") or [])


# -- rules, Alertmanagers, and what Prometheus says of itself


def judge_rules(data, now, intervals):
    """``(findings, counts)`` of the rule groups: those that fail, and those not evaluated for ``intervals`` of their own."""
    found, failing, rules = [], 0, 0
    for group in data["groups"]:
        rules += len(group["rules"])
        bad = [rule for rule in group["rules"] if rule.get("health") == "err"]
        failing += len(bad)
        for rule in bad:
            message = "fails: {0}".format(rule.get("lastError") or "no reason is given")
            found.append(finding("rules", "{0} of {1}".format(rule.get("name"), group["name"]), FAIL, message))
        evaluated, interval = moment(group.get("lastEvaluation")), float(group.get("interval") or 0)
        if evaluated is None:
            found.append(finding("rules", group["name"], INCONCLUSIVE, "has not been evaluated yet", ADVICE["slow_rules"]))
        elif interval and now - evaluated > max(AT_LEAST, intervals * interval):
            message = "was last evaluated {0} ago, its interval is {1}".format(span(now - evaluated), span(interval))
            found.append(finding("rules", group["name"], FAIL, message, ADVICE["slow_rules"]))
    counts = {"groups": len(data["groups"]), "rules": rules, "failing": failing}
    told = "{0} in {1} groups evaluate".format(rules, len(data["groups"])) if rules else "there are none"
    return found or [finding("rules", "all", PASS, told)], counts


def judge_alertmanagers(data, minimum):
    """``(findings, records)`` of the Alertmanagers that Prometheus sends to."""
    records = [{"url": safe_url(item["url"]), "active": True} for item in data["activeAlertmanagers"]]
    dropped = [{"url": safe_url(item["url"]), "active": False} for item in data.get("droppedAlertmanagers") or []]
    if len(records) >= minimum:
        return ([finding("alertmanagers", "all", PASS, "it sends to {0}".format(len(records)))] if minimum else []), records + dropped
    message = "Prometheus sends to {0} of at least {1}".format(len(records), minimum) if records else "Prometheus knows none"
    if dropped:
        message += "; dropped: {0}".format(", ".join(item["url"] for item in dropped))
    return [finding("alertmanagers", "all", FAIL, message)], records + dropped


def judge_own(values):
    """Findings of ``values``: query to its series, as :func:`_prometheus.ask` gives them, OWN_PRESENCE among them."""
    if not any(value for one in values[OWN_PRESENCE] for _moment, value in one["points"]):
        message = "Prometheus has no metrics of its own: whether its database and its way to Alertmanager are well is not known"
        return [finding("own_metrics", "all", INCONCLUSIVE, message)]
    found = []
    for query, meaning, advice in OWN_METRICS:
        bad = [one for one in values[query] if any(value > 0 for _moment, value in one["points"])]
        for one in bad:
            where = one["labels"].get("alertmanager") or one["labels"].get("rule_group") or one["labels"].get("instance", "")
            found.append(finding("notifications" if SENDING in query else "own_metrics", where, FAIL, meaning, advice))
    return found or [finding("own_metrics", "all", PASS, "its database, configuration and notifications are well")]


def judge_watchdog(alerts, name):
    """The finding about the alert that must always fire."""
    states = [alert.get("state") for alert in alerts if alert.get("labels", {}).get("alertname") == name]
    if "firing" in states:
        return [finding("watchdog", name, PASS, "fires, as it always should")]
    return [finding("watchdog", name, FAIL, "is pending, not firing" if states else "does not fire, which it always should")]


# -- asking


def is_ready(connection):
    """True when Prometheus says that it is ready; raises ProbeError else."""
    answer = ask_json(connection, "/-/ready", service="Prometheus", accepted=(503,), text=True)
    if answer.status == 503:
        message = "Prometheus at {0} answered 503, it is not ready".format(answer.url)
        raise ProbeError("wrong_answer", "not_ready", message, "It replays its write-ahead log after a start, or shuts down: read its log.")
    return True


class Look:
    """All that is asked of one Prometheus, side by side, each part within the time limit of one request."""

    def __init__(self, connection, options, heartbeat=None):
        self.connection, self.options, self.heartbeat = connection, options, heartbeat

    def _parts(self):
        options = self.options
        queries = [OWN_PRESENCE] + [query for query, _meaning, _advice in OWN_METRICS] if options["own_metrics"] else []
        parts = {
            "server": lambda: is_ready(self.connection),
            "clock": lambda: _prometheus.ask(self.connection, "time()"),
            "targets": lambda: _prometheus.fetch(self.connection, "/api/v1/targets", {"state": "active"}),
            "rules": lambda: _prometheus.fetch(self.connection, "/api/v1/rules"),
            "alertmanagers": lambda: _prometheus.fetch(self.connection, "/api/v1/alertmanagers"),
        }
        if options["watchdog"]:
            parts["watchdog"] = lambda: _prometheus.fetch(self.connection, "/api/v1/alerts")
        parts.update({query: functools.partial(_prometheus.ask, self.connection, query) for query in queries})
        return parts

    def _ask(self, parts):
        seconds, answers = self.connection["timeout"], {}
        for part, answer in zip(parts, in_parallel([(job, seconds) for job in parts.values()], self.heartbeat)):
            answer = no_answer(safe_url(self.connection["url"]), seconds) if answer is None else answer
            if isinstance(answer, Exception) and not isinstance(answer, ProbeError):
                raise answer
            answers[part] = answer
        return answers

    def judge(self):
        """A dict of ``findings``, ``targets``, ``jobs``, ``rules``, ``alertmanagers``, ``ready``."""
        answers = self._ask(self._parts())
        result = {"targets": [], "jobs": [], "rules": None, "alertmanagers": [], "ready": answers["server"] is True}
        errors = [answer for answer in answers.values() if isinstance(answer, ProbeError)]
        # What is wrong with the server is wrong with every part of it: each reason is told once.
        told = list({error.reason: error for error in reversed(errors)}.values())
        findings = [Finding("server", "Prometheus", FAIL, error.message, error.next) for error in reversed(told)]
        if result["ready"]:
            findings.insert(0, finding("server", "Prometheus", PASS, "is ready"))
        known = {part: answer for part, answer in answers.items() if not isinstance(answer, ProbeError)}
        try:
            self._judge_known(known, result, findings)
        except (AttributeError, IndexError, KeyError, TypeError, ValueError):
            error = not_like("Prometheus", safe_url(self.connection["url"]))
            findings.append(Finding("server", "Prometheus", FAIL, error.message, error.next))
        return dict(result, findings=findings)

    def _judge_known(self, known, result, findings):
        options = self.options
        now = known["clock"][0]["points"][0][1] if "clock" in known else None
        if "targets" in known and now is not None:
            result["targets"] = target_records(known["targets"], now, options["stale_intervals"])
            dropped = {}
            if missing_jobs(result["targets"], options["jobs"]):
                part = {"dropped": lambda: _prometheus.fetch(self.connection, "/api/v1/targets", {"state": "dropped"})}
                answer = self._ask(part)["dropped"]
                dropped = {} if isinstance(answer, ProbeError) else dropped_by_job(answer)
            result["jobs"] = job_records(result["targets"], options["jobs"], dropped)
            findings += judge_jobs(result["jobs"]) + judge_targets(result["targets"])
        if "rules" in known and now is not None:
            told, result["rules"] = judge_rules(known["rules"], now, options["stale_intervals"])
            findings += told
        if "alertmanagers" in known:
            told, result["alertmanagers"] = judge_alertmanagers(known["alertmanagers"], options["alertmanagers"])
            findings += told
        if options["own_metrics"] and all(query in known for query in [OWN_PRESENCE] + [one[0] for one in OWN_METRICS]):
            findings += judge_own(known)
        if "watchdog" in known:
            findings += judge_watchdog(known["watchdog"]["alerts"], options["watchdog"])


def overall(findings):
    """fail when one fails, else inconclusive when one is, else pass. Nothing found out is inconclusive."""
    verdicts = {found.verdict for found in findings}
    return next((verdict for verdict in (FAIL, INCONCLUSIVE) if verdict in verdicts), PASS if verdicts else INCONCLUSIVE)


def summary(findings):
    """One sentence: what is not well, the worst first, or that all is."""
    ordered = sorted((one for one in findings if one.verdict != PASS), key=lambda one: (FAIL, INCONCLUSIVE).index(one.verdict))
    if not ordered:
        return "; ".join("{0}: {1}".format(one.name, one.message) for one in findings)
    told = ["{0}: {1} {2}".format(one.name, one.subject, one.message) for one in ordered[:MOST_TOLD]]
    return "; ".join(told + (["and {0} more".format(len(ordered) - MOST_TOLD)] if len(ordered) > MOST_TOLD else []))
