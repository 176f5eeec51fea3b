"""An Alertmanager of its own for each process that tests: alerts that always fire, and silences as a scene wants them."""

from __future__ import annotations

import atexit
import contextlib
import datetime
import functools
import json
import os
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from ansible_collections.astraldraft.ops.tests.contract.lib.command import command

FIRING = [
    {"alertname": "TargetDown", "job": "app", "environment": "demo", "instance": "one"},
    {"alertname": "TargetDown", "job": "app", "environment": "demo", "instance": "two"},
    {"alertname": "TargetDown", "job": "app", "environment": "demo", "instance": "three"},
    {"alertname": "TargetDown", "job": "app", "environment": "demo", "instance": "four"},
    {"alertname": "HighErrorRate", "job": "web", "environment": "demo"},
    {"alertname": "ServiceUnavailable", "job": "web", "environment": "demo"},
]
# What differs from run to run: the names that Alertmanager gives.
NOISE = [r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", r"(?<=\d{2}:\d{2}:\d{2})\.\d+"]
REDUCED: dict[str, Callable[[Any], Any]] = {
    "seconds_left": lambda seconds: seconds and round(seconds, -2),
    "age_seconds": lambda seconds: seconds is not None,
}


def ask(url: str, path: str, document: Any = None, method: str | None = None) -> Any:
    data = None if document is None else json.dumps(document).encode()
    asked = urllib.request.Request(f"{url}/api/v2{path}", data, {"Content-Type": "application/json"}, method=method)  # noqa: S310
    with urllib.request.urlopen(asked, timeout=10) as answer:  # noqa: S310
        return json.loads(answer.read() or b"null")


@functools.cache
def server(project: str) -> str:
    """Its address."""
    name = f"{project}-contract-alertmanager-{os.getpid()}"
    where = ["--publish", "127.0.0.1::9093", "--label", f"org.astraldraft.demo={project}"]
    alone = ["--config.file=/etc/alertmanager/alertmanager.yml", "--storage.path=/tmp/alertmanager", "--cluster.listen-address="]
    command("docker", "run", "--detach", "--rm", "--name", name, *where, "--no-healthcheck", "--entrypoint", "prometheus-alertmanager",
            "astraldraft/monitoring:trixie", *alone)  # fmt: skip
    atexit.register(command, "docker", "rm", "--force", name)
    url = "http://127.0.0.1:" + command("docker", "port", name, "9093").split()[0].rpartition(":")[2]
    for _attempt in range(50):
        with contextlib.suppress(OSError):
            ask(url, "/status")
            break
        time.sleep(0.1)
    always = {"startsAt": "2025-11-24T16:00:00Z", "endsAt": "2100-01-01T00:00:00Z", "annotations": {"runbook_url": "docs/monitoring.md"}}
    ask(url, "/alerts", [always | {"labels": labels} for labels in FIRING])
    for _attempt in range(50):
        if all(alert["status"]["state"] != "unprocessed" for alert in ask(url, "/alerts")):
            break
        time.sleep(0.1)
    return url


def silence(minutes: float = 60, owner: str = "ada", comment: str = "why", **matchers: str) -> dict[str, Any]:
    now = datetime.datetime.now(datetime.UTC)
    items = [{"name": name, "value": value, "isRegex": False, "isEqual": True} for name, value in matchers.items()]
    ends = now + datetime.timedelta(minutes=minutes)
    return {"matchers": items, "createdBy": owner, "comment": comment, "startsAt": now.isoformat(), "endsAt": ends.isoformat()}


def with_silences(url: str, *wanted: Callable[[], dict[str, Any]]) -> Callable[[Path], AbstractContextManager[Any]]:
    """A context manager, for `around`, within which it has these silences and no others."""

    @contextlib.contextmanager
    def around(_work: Path) -> Iterator[None]:
        for known in ask(url, "/silences"):
            if known["status"]["state"] != "expired":
                ask(url, f"/silence/{known['id']}", method="DELETE")
        for make in wanted:
            ask(url, "/silences", make())
        yield

    return around
