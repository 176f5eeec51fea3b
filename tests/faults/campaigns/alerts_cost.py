"""Alerts listed, silenced and heard again on an Alertmanager that has thousands of alerts and silences, beside amtool."""

from __future__ import annotations

import contextlib
import datetime
import json
import statistics
import subprocess
import time
import urllib.parse
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from .bare import Module, logged, module
from .record import Record
from .stack import ROOT, Stack, docker

PROMISE = "with 5,000 alerts and 2,000 silences each module answers within 5 s, tells all that is there, and two runs leave one silence"
FULL = 5
ALERTS, SILENCES = 5000, 2000
HOSTS, JOBS, SILENCED_FROM, REGEX_EVERY = 1000, 20, 800, 10
MOST_SECONDS = 5.0
READY_SECONDS = 60
BATCH, WRITERS = 500, 4
IMAGE = "astraldraft/monitoring:trixie"
CONFIGURATION = ROOT / "tests/integration/targets/setup_monitoring/files/configuration/alertmanager.yml"
START = """printf '%s' "$1" >/tmp/alertmanager.yml
exec prometheus-alertmanager --config.file=/tmp/alertmanager.yml --storage.path=/tmp/data --cluster.listen-address= --log.level=warn"""
OWNER, COMMENT = "campaign", "what the bench measures"
FILTER = ["environment=production", "job=job-7"]
MATCHERS = ["environment=production", "instance=host-7"]
AMTOOL = "amtool --alertmanager.url=http://127.0.0.1:9093"
ALL_STATES = "--active --silenced --inhibited --unprocessed"
#: What the module looks at before it silences: what fires, what would be hidden, what is silenced.
LOOKS = (f"alert query {ALL_STATES} -o json", f"alert query {ALL_STATES} -o json {' '.join(MATCHERS)}", "silence query -o json")


class Alertmanager:
    """A context: an Alertmanager in a container that is removed at the end, seen by its API."""

    def __init__(self, stack: Stack) -> None:
        self.name, self._label = f"{stack.project}-alerts-cost", f"org.astraldraft.demo={stack.project}"

    def __enter__(self) -> Alertmanager:
        self.__exit__()
        docker("run", "--detach", "--init", "--name", self.name, "--label", self._label, "--no-healthcheck", "--publish", "127.0.0.1::9093",
               "--entrypoint", "bash", IMAGE, "-c", START, "alertmanager", CONFIGURATION.read_text())  # fmt: skip
        self.url = "http://127.0.0.1:" + docker("port", self.name, "9093").split()[0].rpartition(":")[2]
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError):
                self.ask("/status")
                return self
            time.sleep(0.2)
        raise RuntimeError(f"{self.name} does not answer")

    def __exit__(self, *_: object) -> None:
        subprocess.run(["docker", "rm", "--force", "--volumes", self.name], capture_output=True, check=False)

    def ask(self, path: str, document: Any = None) -> Any:
        data = None if document is None else json.dumps(document).encode()
        asked = urllib.request.Request(f"{self.url}/api/v2{path}", data, {"Content-Type": "application/json"})  # noqa: S310
        with urllib.request.urlopen(asked, timeout=60) as answer:  # noqa: S310
            return json.loads(answer.read() or b"null")

    def alerts(self, *matchers: str) -> list[dict[str, Any]]:
        return list(self.ask("/alerts?" + urllib.parse.urlencode([("filter", matcher) for matcher in matchers])))

    def silences(self, owner: str | None = None) -> list[dict[str, Any]]:
        """Those that are not over."""
        found = [silence for silence in self.ask("/silences") if silence["status"]["state"] != "expired"]
        return [silence for silence in found if owner in (None, silence["createdBy"])]

    def settled(self) -> float:
        """The seconds of a question about alerts. After a new silence Alertmanager compares each alert with each silence again, and whoever
        asks first waits for it."""
        began = time.monotonic()
        self.alerts()
        return time.monotonic() - began

    def amtool(self, *commands: str) -> tuple[float, str]:
        """-> the seconds they took, by the shell beside them, and what the last one printed"""
        *before, last = [f"{AMTOOL} {words}" for words in commands]
        script = "; ".join([*(f"{command} >/dev/null" for command in before), last])
        script = f"TIMEFORMAT=%R; time {{ {script}; }} 2>&1"
        done = subprocess.run(["docker", "exec", self.name, "bash", "-ec", script], capture_output=True, text=True, check=True)
        return float(done.stderr.split()[-1]), done.stdout

    def fill(self, alerts: int, silences: int) -> None:
        made = [_alert(number) for number in range(alerts)]
        for first in range(0, alerts, BATCH):
            self.ask("/alerts", made[first : first + BATCH])
        with ThreadPoolExecutor(WRITERS) as pool:
            list(pool.map(lambda number: self.ask("/silences", _silence(number)), range(silences)))
        deadline = time.monotonic() + READY_SECONDS
        while len(self.alerts()) != alerts or len(self.silences()) != silences:
            if time.monotonic() > deadline:
                raise RuntimeError(f"{self.name} does not have all alerts and silences")
            time.sleep(0.5)


def _alert(number: int) -> dict[str, Any]:
    host = number % HOSTS
    labels = {
        "alertname": f"Alert{number // HOSTS}", "environment": "production", "job": f"job-{host % JOBS}", "instance": f"host-{host}",
        "severity": "page" if number % 3 else "ticket",
    }  # fmt: skip
    annotations = {"summary": f"Something is wrong with host-{host}", "runbook_url": "https://runbooks.invalid/alert"}
    return {"labels": labels, "annotations": annotations, "startsAt": "2025-11-24T16:00:00Z", "endsAt": "2100-01-01T00:00:00Z"}


def _silence(number: int) -> dict[str, Any]:
    """One of a host; of the last of them there is no alert."""
    now = datetime.datetime.now(datetime.UTC)
    regex = number % REGEX_EVERY == 0
    host = f"host-{SILENCED_FROM + number}"
    matchers = [
        {"name": "environment", "value": "production", "isRegex": False, "isEqual": True},
        {"name": "instance", "value": f"(?:{host})" if regex else host, "isRegex": regex, "isEqual": True},
    ]
    ends = now + datetime.timedelta(hours=6, seconds=number)
    return {"matchers": matchers, "createdBy": f"owner-{number % 50}", "comment": "filled", "startsAt": now.isoformat(),
            "endsAt": ends.isoformat()}  # fmt: skip


@dataclass
class Seconds:
    """Of what is done both ways. ``process``: the module and the Python that runs it; ``afterwards``: a question after amtool's turn."""

    amtool: list[float] = field(default_factory=list)
    module: list[float] = field(default_factory=list)
    process: list[float] = field(default_factory=list)
    afterwards: list[float] = field(default_factory=list)


class Bench:
    def __init__(self, server: Alertmanager, record: Record, folder: Path) -> None:
        self.server, self.record, self.folder = server, record, folder
        self.seconds: dict[str, Seconds] = {}

    def pair(self, what: str, commands: str | tuple[str, ...], name: str, **arguments: Any) -> tuple[str, dict[str, Any]]:
        """One after the other, amtool first -> what each said"""
        self.server.settled()
        took, said = self.server.amtool(*([commands] if isinstance(commands, str) else commands))
        after_amtool = self.server.settled()
        began = time.monotonic()
        answer = Module(name, url=self.server.url, **arguments).wait()
        process = time.monotonic() - began
        known = self.seconds.setdefault(what, Seconds())
        logged(self.folder, f"{what} {len(known.amtool) + 1}", answer)
        known.amtool.append(took)
        known.module.append(answer.get("duration", process))
        known.process.append(process)
        known.afterwards.append(after_amtool)
        if answer.get("failed"):
            self.record.check(False, what, str(answer.get("msg"))[:300])
        return said, answer

    def same(self, what: str, *numbers: int | None) -> None:
        self.record.check(len(set(numbers)) == 1, what, ", ".join(map(str, numbers)))


def run(stack: Stack, folder: Path, count: int, sample: bool) -> Record:
    record = Record("alerts_cost", PROMISE)
    with Alertmanager(stack) as server:
        server.fill(*(number // 10 if sample else number for number in (ALERTS, SILENCES)))
        bench = Bench(server, record, folder)
        for number in range(1, count + 1):
            _listed(bench, number)
            _silenced(bench, number)
        began = time.monotonic()
        answer = module("alertmanager_silence_info", {"url": server.url, "owner": "nobody"})
        start = time.monotonic() - began - answer["duration"]
    _compare(record, bench.seconds, start)
    return record


def _listed(bench: Bench, number: int) -> None:
    server = bench.server
    said, answer = bench.pair("all alerts", f"alert query {ALL_STATES} -o json", "alertmanager_alerts_info", limit=2 * ALERTS)
    told = (len(answer.get("alerts", [])), answer.get("counts", {}).get("total"), len(json.loads(said)))
    bench.same(f"{number}: as many alerts as the API has, by the module and by amtool", len(server.alerts()), *told)
    silenced = sum(bool(alert["status"]["silencedBy"]) for alert in server.alerts())
    bench.same(f"{number}: as many of them silenced as the API says", silenced, answer.get("counts", {}).get("silenced"))
    words = f"alert query {ALL_STATES} -o json {' '.join(FILTER)}"
    said, answer = bench.pair("alerts by matchers", words, "alertmanager_alerts_info", matchers=FILTER)
    bench.same(f"{number}: as many of one job", len(server.alerts(*FILTER)), len(answer.get("alerts", [])), len(json.loads(said)))
    said, answer = bench.pair("all silences", "silence query -o json", "alertmanager_silence_info")
    bench.same(f"{number}: as many silences", len(server.silences()), len(answer.get("silences", [])), len(json.loads(said)))


def _silenced(bench: Bench, number: int) -> None:
    """A silence by each from its beginning to its end: amtool's is another owner's."""
    mine, matchers = {"matchers": MATCHERS, "owner": OWNER, "comment": COMMENT}, " ".join(MATCHERS)
    add = f"silence add --author=amtool --comment='{COMMENT}' --duration=1h {matchers}"
    said, made = bench.pair("silence: new", add, "alertmanager_silence", **mine, duration="1h")
    _one(bench, f"{number}: one silence, new", made, changed=True)
    bench.same(f"{number}: as many alerts hidden as the API says", len(bench.server.alerts(*MATCHERS)), made.get("hides_total"))
    _said, again = bench.pair("silence: again", f"silence query -o json {matchers}", "alertmanager_silence", **mine, duration="1h")
    _one(bench, f"{number}: still that one, unchanged", again, changed=False)
    update = f"silence update --duration=2h {said.strip()}"
    _said, longer = bench.pair("silence: extended", update, "alertmanager_silence", **mine, duration="2h")
    _one(bench, f"{number}: still that one, extended", longer, changed=True)
    kept = {(answer.get("silence") or {}).get("id") for answer in (made, again, longer)}
    bench.record.check(len(kept) == 1, f"{number}: it keeps its id", ", ".join(map(str, kept)))
    _ended(bench, number, "silence: ended")
    bench.pair("silence: new, amtool looks, too", (*LOOKS, add), "alertmanager_silence", **mine, duration="1h")
    _ended(bench, number, "silence: ended")


def _ended(bench: Bench, number: int, what: str) -> None:
    theirs = " ".join(silence["id"] for silence in bench.server.silences("amtool"))
    bench.pair(what, f"silence expire {theirs}", "alertmanager_silence", state="absent", matchers=MATCHERS, owner=OWNER)
    bench.same(f"{number}: none is left", 0, len(bench.server.silences(OWNER)), len(bench.server.silences("amtool")))


def _one(bench: Bench, what: str, answer: dict[str, Any], changed: bool) -> None:
    found = [silence["id"] for silence in bench.server.silences(OWNER)]
    good = found == [(answer.get("silence") or {}).get("id")] and answer.get("changed") is changed
    bench.record.check(good, what, f"{', '.join(found)}; changed: {answer.get('changed')}")


def _compare(record: Record, found: dict[str, Seconds], start: float) -> None:
    rows = []
    for what, seconds in found.items():
        theirs, own, process = (statistics.median(values) for values in (seconds.amtool, seconds.module, seconds.process))
        most = max(seconds.module)
        record.check(most <= MOST_SECONDS, f"{what}: within {MOST_SECONDS:g} s", f"median {own:.2f} s, at most {most:.2f} s")
        figures = [f"{number:.2f}" for number in (theirs, own, most, process)]
        rows.append([what, *figures, f"{own / theirs:.1f}", f"{process / theirs:.1f}"])
    header = ["what", "amtool", "module", "at most", "with its Python", "module / amtool", "with its Python / amtool"]
    record.table(f"Medians of {len(found['all alerts'].module)} runs (s)", header, rows)
    new, quiet = (statistics.median(found[what].afterwards) for what in ("silence: new", "silence: again"))
    record.note(f"The first question about alerts after a new silence takes Alertmanager itself {new:.2f} s, any other {quiet:.2f} s")
    record.note(f"Ansible's own start, and the module's way there, comes on top of each module: {start:.2f} s")
    record.data.update(seconds={what: asdict(seconds) for what, seconds in found.items()}, start_seconds=start)
