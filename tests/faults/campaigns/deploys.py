"""Deploys and rollbacks one after another under a load that never retries."""

from __future__ import annotations

import time
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from .operations import Operations, last_words, path_taken
from .play import Play
from .record import Record
from .stack import Stack, seconds_of
from .traffic import COOL_DOWN_SECONDS, Request, Traffic, longest_silence, shown

PROMISE = "Under constant load no deploy and no rollback costs a request, and nobody is served by the old release for long"
FULL, SAMPLE = 20, 3
#: nginx's keepalive_min_timeout in the demo: for so long a connection that was idle at the switch may bring one more request.
KEEPALIVE_MIN_TIMEOUT = 10.0
MINIMUM_RATE = 200.0
#: Playbook, variables, the version live afterwards. Begins and ends with v1.2.2: a warm and a cold rollback in every round.
ROUND: list[tuple[str, dict[str, Any], str]] = [
    ("deploy", {"release_version": "v1.2.3"}, "v1.2.3"),
    ("rollback", {}, "v1.2.2"),
    ("deploy", {"release_version": "v1.2.4"}, "v1.2.4"),
    ("rollback", {"release_version": "v1.2.3"}, "v1.2.3"),
    ("deploy", {"release_version": "v1.2.2"}, "v1.2.2"),
]
BEGIN = "v1.2.2"


def late(requests: list[Request], old: str, new: str, since: float, until: float) -> dict[str, Any] | None:
    """How long the ``old`` release was still heard of after the first answer of the ``new`` one in ``[since, until)``.

    -> ``switched`` (that first answer), ``sent`` and ``answered``: the last request sent to, and the last answer but of slow requests,
    from the old release, in seconds after the switch; ``slow``: the last answer to a slow request. 0 where there was none.
    """
    window = [request for request in requests if since <= request.answered < until and request.release in (old, new)]
    first = min((request.answered for request in window if request.release == new), default=None)
    if first is None:
        return None
    stale = [request for request in window if request.release == old and request.answered > first]
    quick = [request.answered - first for request in stale if request.kind != "slow"]
    return {
        "switched": first,
        "count": len(stale),
        "sent": max([0.0, *(request.sent - first for request in stale)]),
        "answered": max([0.0, *quick]),
        "slow": max([0.0, *(request.answered - first for request in stale if request.kind == "slow")]),
    }


def run(stack: Stack, folder: Path, count: int) -> Record:
    record = Record("deploys", PROMISE)
    operations = Operations(stack, folder)
    operations.ensure_live(BEGIN)
    plays: list[tuple[Play, str, str, str]] = []
    live = BEGIN
    with Traffic(stack, folder) as traffic:
        for playbook, variables, version in islice(cycle(ROUND), count):
            play = operations.run(playbook, variables)
            plays.append((play, f"{playbook} {variables.get('release_version', '')}".strip(), live, version))
            good = play.process.returncode == 0
            record.note(f"{len(plays)}. {plays[-1][1]}: {play.seconds:.0f} s, {traffic.failed_so_far()} requests failed so far")
            if not record.check(good, f"{len(plays)}. {plays[-1][1]} succeeds", "" if good else last_words(play)):
                break
            live = version
        time.sleep(COOL_DOWN_SECONDS)
    judge(record, traffic, plays, stack, count)
    return record


def judge(record: Record, traffic: Traffic, plays: list[tuple[Play, str, str, str]], stack: Stack, count: int) -> None:
    requests, report = traffic.requests, traffic.report
    rows, worst = [], {"sent": 0.0, "answered": 0.0}
    for number, (play, title, old, new) in enumerate(plays):
        until = plays[number + 1][0].started if number + 1 < len(plays) else float("inf")
        found = late(requests, old, new, play.started, until)
        if found is None:
            record.check(False, f"{number + 1}. {title} brings {new} into production", "it never answered")
            continue
        for name in worst:
            worst[name] = max(worst[name], found[name])
        served = [request for request in requests if play.started <= request.sent < until]
        recorded = [seconds_of(r["switched_at"]) for r in stack.releases() if r["switched_at"]]
        recorded = [moment for moment in recorded if play.started <= moment <= (play.ended or until)]
        rows.append([
            number + 1, title, path_taken(play), f"{play.seconds:.0f}", f"{found['switched'] - play.started:.1f}",
            f"{recorded[0] - found['switched']:+.1f}" if recorded else "-", len(served), sum(bool(r.error) for r in served), found["count"],
            f"{found['sent']:.2f}", f"{found['answered']:.2f}", f"{found['slow']:.2f}",
        ])  # fmt: skip
    record.table(
        "One operation after another",
        [
            "no",
            "operation",
            "start",
            "s",
            "switched after s",
            "recorded",
            "requests",
            "failed",
            "old answers",
            "last sent",
            "last answer",
            "last slow answer",
        ],
        rows,
    )
    record.note(
        "The switch is the first answer of the new release. 'old answers': those of the former release after it; the three columns that "
        "follow say how many seconds after the switch the last such request was sent, the last one was answered, and the last 5 s request "
        "was answered. 'recorded': the history's time of the switch, against that first answer."
    )
    record.note(traffic.profile)
    record.check(len(rows) == count, "every operation was carried out", f"{len(rows)} of {count}")
    record.check(
        report["failed"] == 0, "no request failed", f"{report['failed']} of {report['requests']} {shown([r for r in requests if r.error])}"
    )
    record.check(report["resets"] == 0, "no connection was reset", str(report["resets"]))
    record.check(
        report["rate"] >= MINIMUM_RATE, "the load was what was asked for", f"{report['rate']:.0f}/s of at least {MINIMUM_RATE:.0f}"
    )
    kinds = set(report["by_kind"])
    record.check(
        kinds >= {"get", "post", "idle", "slow"}, "busy and idle clients, POSTs and 5 s requests took part", ", ".join(sorted(kinds))
    )
    for name, what in (
        ("sent", "request reaches the former release"),
        ("answered", "answer comes from the former release (5 s requests apart)"),
    ):
        record.check(
            worst[name] <= KEEPALIVE_MIN_TIMEOUT,
            f"no {what} later than {KEEPALIVE_MIN_TIMEOUT:.0f} s after a switch",
            f"{worst[name]:.2f} s",
        )
    record.note(
        f"longest time without a good answer: {longest_silence(requests):.2f} s; turns given up by the load generator: {report['skipped']}"
    )
    record.data.update(report={key: value for key, value in report.items() if key != "timeline"}, worst=worst)
