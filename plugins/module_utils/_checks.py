# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Health checks: what one is, running many at once, and the verdict over all. Private: other collections must not import it.

A check is a dict of options with a ``type``; a probe turns it into one or more :class:`Outcome`. This file knows no protocol.
"""

from __future__ import annotations

import queue
import threading
import time

from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._net import ProbeError
from ansible_collections.astraldraft.ops.plugins.module_utils._wait import Deadline

VERDICTS = ("healthy", "degraded", "wrong_answer", "refused", "timed_out", "unreachable", "not_configured")
PASSING = ("healthy", "degraded")
COMMON_SPEC = {
    "name": {"type": "str"},
    "type": {"type": "str", "required": True, "choices": ["http", "tcp", "tls", "postgres", "redis", "container"]},
    "required": {"type": "bool", "default": True},
    "configured": {"type": "bool", "default": True},
    "timeout": {"type": "float", "default": 5.0},
}
MOST_CHECKS = 256
MOST_TOLD = 8  # in the one sentence; the list has them all
# A probe keeps its own time limit; past it by this much, it is given up without its consent. Those inside a check come first.
INNER_GRACE, GRACE = 0.25, 0.5
SECRETS = ("login_password", "url_password", "bearer_token")


class Outcome:
    """The answer to one check. ``details`` holds what was measured, by the type of the check."""

    def __init__(self, verdict, reason, message, next="", name=None, target="", details=None):
        self.verdict, self.reason, self.message, self.next = verdict, reason, message, next
        self.name, self.target, self.details = name, target, details or {}
        self.type, self.required, self.duration = None, True, 0.0

    @classmethod
    def of(cls, error, **more):
        """The outcome that a :class:`ProbeError` stands for."""
        return cls(error.verdict, error.reason, error.message, error.next, **more)

    @property
    def passes(self):
        return self.verdict in PASSING

    def to_dict(self):
        keys = ("name", "type", "target", "required", "verdict", "reason", "message", "next", "duration", "details")
        return {key: getattr(self, key) for key in keys}


def weigh(findings, message, **more):
    """One Outcome of ``findings``: a list of ``(verdict, reason, sentence, next)``, and ``message`` for when there is none.

    The first finding that is not merely degraded names the outcome; every sentence is told.
    """
    if not findings:
        return Outcome("healthy", "ok", message, **more)
    verdict, reason, _sentence, advice = next((found for found in findings if found[0] not in PASSING), findings[0])
    return Outcome(verdict, reason, "; ".join(found[2] for found in findings), advice, **more)


def latency_findings(check, seconds):
    """Findings about ``seconds`` by the options ``latency_warn`` and ``latency_fail`` of a check."""
    advice = "Look at the load of the service and of what it waits for."
    if check.get("latency_fail") and seconds > check["latency_fail"]:
        return [("wrong_answer", "slow", "took {0:.3f} s, more than {1:g} s".format(seconds, check["latency_fail"]), advice)]
    if check.get("latency_warn") and seconds > check["latency_warn"]:
        return [("degraded", "slow", "took {0:.3f} s, more than {1:g} s".format(seconds, check["latency_warn"]), advice)]
    return []


def prepare(raw, options, defaults):
    """One check as its probe wants it: only the options of its type, with their defaults.

    ``options`` and ``defaults`` are by type. Raises OpsError for an option that its type does not have.
    """
    kind = raw["type"]
    own = set(options[kind])
    alien = sorted(key for key, value in raw.items() if value is not None and key not in own and key not in COMMON_SPEC)
    if alien:
        message = "Check {0} of type {1} has the option {2}, which belongs to another type. Options of {1}: {3}."
        raise OpsError(message.format(raw.get("name") or "(no name)", kind, ", ".join(alien), ", ".join(sorted(own))))
    if raw["timeout"] <= 0:
        raise OpsError("Check {0}: timeout is {1:g}; give it a positive number of seconds.".format(raw.get("name") or kind, raw["timeout"]))
    check = {key: raw[key] for key in COMMON_SPEC}
    for key in own:
        value = raw.get(key)
        check[key] = defaults[kind].get(key) if value is None else value
    return check


def in_parallel(jobs, heartbeat=None, grace=INNER_GRACE):
    """Run ``jobs``, a list of ``(function, seconds)``, each in a thread of its own, all at once.

    Returns their results in order. One that raised has its exception as result; one that has not come back after its time limit has
    None: a name server or a client library that ignores its own limit never holds the others. Threads are daemons for that reason.
    """
    answers, done = [None] * len(jobs), queue.Queue()

    def work(index, function):
        try:
            done.put((index, function()))
        except Exception as error:  # handed to the caller, who knows what it means
            done.put((index, error))

    deadline = Deadline(max([seconds for _function, seconds in jobs] or [0]) + grace)
    for index, (function, _seconds) in enumerate(jobs):
        threading.Thread(target=work, args=(index, function), daemon=True).start()
    missing = len(jobs)
    while missing and not deadline.passed:
        try:
            index, answer = done.get(timeout=min(1.0, max(0.001, deadline.remaining)))
        except queue.Empty:
            if heartbeat:
                heartbeat()
            continue
        answers[index], missing = answer, missing - 1
    return answers


def run_round(checks, probes, context, seconds=None, heartbeat=None):
    """Every check once, concurrently. ``probes`` maps a type to ``probe(check, context)``, which returns a list of Outcome.

    ``seconds`` cuts every time limit, for the last round of a wait. Returns a flat list of Outcome in the order of the checks.
    """
    if seconds is not None:
        checks = [dict(check, timeout=max(0.05, min(check["timeout"], seconds))) for check in checks]
    jobs = [(_timed(probes[check["type"]], check, context), check["timeout"]) for check in checks]
    outcomes = []
    for check, answer in zip(checks, in_parallel(jobs, heartbeat, GRACE)):
        if answer is None:
            message = "no answer within {0:g} s".format(check["timeout"])
            answer = ([Outcome("timed_out", "hung", message, "The host or its name server hangs.")], check["timeout"])
        elif isinstance(answer, Exception):
            raise answer
        for outcome in answer[0]:
            outcomes.append(_finish(outcome, check, answer[1]))
    return outcomes


def _timed(probe, check, context):
    def job():
        started = time.monotonic()
        if not check["configured"]:
            message, advice = "declared, but not configured", "Give it what it lacks (address or credentials), or take the check out."
            return [Outcome("not_configured", "not_configured", message, advice)], 0.0
        try:
            found = probe(check, context)
        except ProbeError as error:
            found = [Outcome.of(error)]
        return found, time.monotonic() - started

    return job


def _finish(outcome, check, seconds):
    """``outcome`` with what it has in common with every other: name, type, duration, and no secret in its sentences."""
    outcome.type, outcome.required = check["type"], check["required"]
    outcome.target = outcome.target or target_of(check)
    outcome.name = outcome.name or check["name"] or " ".join(part for part in (check["type"], outcome.target) if part)
    outcome.duration = round(outcome.details.pop("seconds", seconds), 4)
    for secret in [check.get(key) for key in SECRETS] + list((check.get("headers") or {}).values()):
        if secret and len(str(secret)) >= 4:
            outcome.message = outcome.message.replace(str(secret), "***")
    return outcome


def target_of(check):
    """What a check looks at, for people: an address or the names of services."""
    host = check.get("host") or check.get("login_host")
    port = check.get("port") or check.get("login_port")
    return "{0}:{1}".format(host, port) if host else ", ".join(check.get("services") or check.get("containers") or [])


def name_of(check):
    return check["name"] or " ".join(part for part in (check["type"], target_of(check)) if part)


def overall(outcomes):
    """pass when there is at least one outcome and every required one passes, else fail."""
    return "pass" if outcomes and all(outcome.passes for outcome in outcomes if outcome.required) else "fail"


def watch(one_round, consecutive=1, interval=1.0, wait=False, wait_timeout=60.0, wait_interval=2.0, heartbeat=None,
          sleep=time.sleep, clock=time.monotonic):  # fmt: skip
    """Rounds until ``consecutive`` of them in a row have passed, or, without ``wait``, until one has not.

    ``one_round(seconds)`` makes one round, cutting its time limits to ``seconds`` (None: not cut). With ``wait`` all of it takes at most
    ``wait_timeout`` seconds. Returns ``(verdict, outcomes of the last round, rounds, passes in a row)``.
    """
    deadline, rounds, streak, last = Deadline(wait_timeout, clock), 0, 0, {}
    while True:
        if heartbeat:
            heartbeat()
        outcomes = one_round(max(0.05, deadline.remaining - GRACE) if wait else None)
        rounds += 1
        for index, outcome in enumerate(outcomes):
            if wait and outcome.verdict == "timed_out" and deadline.remaining <= GRACE and outcome.name in last:
                outcomes[index] = last[outcome.name]  # it ran out of the wait's time, not of its own: the full answer says more
        last = {outcome.name: outcome for outcome in outcomes}
        passed = overall(outcomes) == "pass"
        streak = streak + 1 if passed else 0
        if streak >= consecutive:
            return "pass", outcomes, rounds, streak
        pause = interval if passed else wait_interval
        if wait and deadline.remaining <= pause or not wait and not passed:
            return "fail", outcomes, rounds, streak
        sleep(pause)


def certain(outcomes):
    """Whether a failure is so plain that it need not be looked at again: nobody answers, or every container of a service is down.

    Every required check over the network met a refusal or no running replica; or a required one of containers found all of them down
    or restarted by the engine after they died. Whoever is late, or answers wrongly, may do better the next time.
    """
    required = [outcome for outcome in outcomes if outcome.required]
    asked = [outcome for outcome in required if outcome.type != "container"]
    nobody = bool(asked) and all(outcome.verdict == "refused" or outcome.reason == "replica_count" for outcome in asked)
    return nobody or any(outcome.type == "container" and outcome.details.get("all_down", False) for outcome in required)


def counts(outcomes):
    """How many outcomes there are of each verdict, and ``total``."""
    found = {verdict: sum(outcome.verdict == verdict for outcome in outcomes) for verdict in VERDICTS}
    return dict(found, total=len(outcomes))


def summary(outcomes, verdict, streak=0, consecutive=1):
    """One sentence: ``11 of 12 healthy; database standby: refused (connection to 127.0.0.1:5433 refused)``."""
    good = sum(outcome.verdict == "healthy" for outcome in outcomes)
    parts = ["{0} of {1} healthy".format(good, len(outcomes))]
    worst = [outcome for outcome in outcomes if outcome.required and not outcome.passes]
    others = [outcome for outcome in outcomes if outcome.verdict != "healthy" and outcome not in worst]
    for outcome in (worst + others)[:MOST_TOLD]:
        note = "" if outcome.required or outcome.passes else ", not required"
        parts.append("{0}: {1} ({2}){3}".format(outcome.name, outcome.verdict, outcome.message, note))
    if len(worst + others) > MOST_TOLD:
        parts.append("and {0} more".format(len(worst + others) - MOST_TOLD))
    if verdict == "fail" and not worst and outcomes:
        parts.append("passed {0} times in a row, {1} wanted".format(streak, consecutive))
    return "; ".join(parts)


def table(outcomes):
    """Lines of text for people, one a check: verdict, name, duration, message, and what to do about what is wrong."""
    width = min(44, max([len(outcome.name) for outcome in outcomes] or [0]))
    lines = []
    for outcome in outcomes:
        line = "{0:<14}  {1:<{2}}  {3:>5.0f} ms  {4}".format(outcome.verdict, outcome.name, width, outcome.duration * 1000, outcome.message)
        lines.append(line if outcome.verdict == "healthy" or not outcome.next else "{0} -> {1}".format(line, outcome.next))
    return lines
