"""Five hours of a SEV-1 in a minute: who is told what when, by the modules themselves, their clock put ahead and the stub as the chat."""

from __future__ import annotations

import http.client
import json
import random
import shutil
import socket
import subprocess
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .bare import Module
from .record import Record
from .stack import ROOT, Stack, docker, seconds_of

PROMISE = (
    "whoever a policy names is told, when it names them, each once, whatever runs were missed, ran at the same time, or were killed at any "
    "moment of a claim"
)
IMAGE, START_SECONDS = "astraldraft/stub:demo", 30
EVERY, HOURS, SAMPLE_HOURS = 5, 5, 1
#: Whoever claimed a message and has not sent it after ten minutes is dead. The runs are so many seconds after their minute; those who will
#: die claim later in it, so that the second run after it is too early, whatever a process takes to start.
CLAIM_MINUTES = 10
PAST, LATE = 20, 50
POLICY: dict[str, Any] = {
    "severities": [
        {"name": "SEV-1", "response_minutes": 15, "update_minutes": 30, "chain": "outage"},
        {"name": "SEV-2", "response_minutes": 60, "update_minutes": 60, "chain": "outage"},
        {"name": "SEV-3", "response_minutes": 240, "chain": "outage"},
        {"name": "SEV-4", "response_minutes": 480, "chain": "outage"},
    ],
    "chains": {
        "outage": [
            {"after_minutes": 0, "notify": ["primary", "manager"]},
            {"after_minutes": 15, "notify": ["secondary"], "unless": "acknowledged"},
            {"after_minutes": 30, "notify": ["senior"]},
            {"after_minutes": 60, "notify": ["lead"]},
            {"after_minutes": 240, "notify": ["cto"]},
        ]
    },
    "conditions": [{"name": "cause_unknown", "after_minutes": 60, "notify": ["senior"]}],
    "contacts": {name: {"name": name, "chat": f"#{name}"} for name in ("primary", "manager", "secondary", "senior", "lead", "cto")},
}
#: Nothing runs in these minutes: the timer is dead, the host is down.
MISSED = (range(10, 30), range(95, 135))
#: What is said at a minute, after the run of that minute.
SAID = {155: {"announcement": "We go back."}}
#: By hand, from the policy: the minute at which the stub must have got it. Updates by the minutes after the opening at which they are due.
EXPECTED = {
    "escalation/SEV-1/0/primary": 0,
    "escalation/SEV-1/0/manager": 0,
    # Its minute was missed.
    "escalation/SEV-1/15/secondary": 30,
    "update 30": 30,
    # Who had claimed it was killed before it was sent.
    "escalation/SEV-1/30/senior": 30 + CLAIM_MINUTES + EVERY,
    "escalation/SEV-1/60/lead": 60,
    "condition/cause_unknown/senior": 60,
    "update 60": 60,
    "update 90": 90,
    # Of those that were missed only the last is sent.
    "update 120": 135,
    "update 150": 150,
    "update 185": 185,
    "update 215": 215,
    "escalation/SEV-1/240/cto": 240,
    "update 245": 245,
    "update 275": 275,
}
#: Killed after the message had left, and before that was written down: the one case in which it comes twice, under the same id.
TWICE = "escalation/SEV-1/60/lead"
AGAIN = EXPECTED[TWICE] + CLAIM_MINUTES + EVERY
#: Whose sender dies at which minute.
DIES = {"escalation/SEV-1/30/senior": 30, TWICE: EXPECTED[TWICE]}


class Stub:
    """A context: the stub, in a container of its own."""

    def __init__(self, stack: Stack) -> None:
        self._name, self._label = f"{stack.project}-escalation-stub", f"org.astraldraft.demo={stack.project}"
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.url = f"http://127.0.0.1:{free.getsockname()[1]}"
        self._seen = 0

    def __enter__(self) -> Stub:
        self.__exit__()
        published = f"{self.url.removeprefix('http://')}:9099"
        docker("run", "--detach", "--name", self._name, "--label", self._label, "--publish", published, IMAGE)
        ends = time.monotonic() + START_SECONDS
        while True:
            try:
                self.received()
                return self
            except (OSError, http.client.HTTPException):
                if time.monotonic() > ends:
                    raise
                time.sleep(0.2)

    def __exit__(self, *_: object) -> None:
        subprocess.run(["docker", "rm", "--force", self._name], capture_output=True, check=False)

    def received(self) -> list[str]:
        """The ids of the messages that came since this was last asked."""
        connection = http.client.HTTPConnection(self.url.removeprefix("http://"), timeout=10)
        try:
            connection.request("GET", f"/__requests?limit=2000&after={self._seen}")
            found = json.loads(connection.getresponse().read())["requests"]
        finally:
            connection.close()
        self._seen = max([self._seen, *(one["id"] for one in found)])
        return [one["headers"]["webhook-id"] for one in found if one["method"] == "POST"]


@dataclass
class Incident:
    """One in a folder of its own, and the role's steps on it: each module a process that knows nothing of the one before."""

    folder: Path
    stub: Stub
    minute: int = 0
    received: dict[str, list[int]] = field(default_factory=dict)
    opened_at: float = 0.0

    def module(self, name: str, second: float = PAST, **arguments: Any) -> Module:
        # What the campaign itself takes does not count.
        ahead = self.opened_at + self.minute * 60 + second - time.time() if self.opened_at else 0
        clock = {"PYTHONPATH": f"{ROOT}/.ansible/collections:{ROOT}/tests/faults/clock", "ASTRAL_TEST_CLOCK": str(ahead)}
        timed = type("Timed", (Module,), {"environment": clock})
        return timed(name, **arguments)

    def say(self, state: str, **arguments: Any) -> dict[str, Any]:
        return self.saying(state, **arguments).wait()

    def saying(self, state: str, **arguments: Any) -> Module:
        return self.module("incident_record", path=str(self.folder), state=state, operator="clock", **arguments)

    def asked(self) -> Module:
        return self.module("incident_info", path=str(self.folder), policy=POLICY)

    def send(self, key: str) -> None:
        sent = self.message(key)
        assert sent["sent"], sent

    def message(self, key: str, **more: Any) -> dict[str, Any]:
        return self.module("webhook_message", url=f"{self.stub.url}/webhook/chat", payload={"text": key}, id=key, **more).wait()

    def due(self) -> list[str]:
        return [one["key"] for incident in self.asked().wait()["incidents"] for one in incident["due"]]

    def run(self, killed: random.Random | None = None) -> None:
        """What the role does in a run of the clock. ``killed``: the process that claims is killed at any moment, and the run goes on."""
        for key in self.due():
            if killed:
                claim = self.saying("updated", claim=[key])
                time.sleep(killed.uniform(0.0, 0.6))
                claim.kill()
                continue
            dies = self.minute == DIES.get(key)
            if key not in self.say("updated", second=LATE if dies else PAST, claim=[key])["claimed"] or (dies and key != TWICE):
                continue
            self.send(key)
            if dies:
                continue
            self.say("updated", sent=[key])
        self.note()

    def note(self) -> None:
        for key in self.stub.received():
            self.received.setdefault(self.known(key), []).append(self.minute)

    def known(self, key: str) -> str:
        """A reminder by the minutes after the opening at which it was due."""
        if not key.startswith("update/"):
            return key
        return f"update {round((seconds_of(key.removeprefix('update/')) - self.opened_at) / 60)}"

    def files(self) -> dict[Path, bytes]:
        return {path: path.read_bytes() for path in self.folder.rglob("*") if path.is_file()}


def opened(folder: Path, stub: Stub) -> Incident:
    shutil.rmtree(folder, ignore_errors=True)
    incident = Incident(folder, stub)
    incident.opened_at = seconds_of(incident.say("open", title="Nothing works", severity="SEV-1")["after"]["opened_at"])
    return incident


def run(stack: Stack, folder: Path, sample: bool) -> Record:
    record = Record("escalation", PROMISE)
    last = (SAMPLE_HOURS if sample else HOURS) * 60
    with Stub(stack) as stub:
        began = time.monotonic()
        told = five_hours(record, folder / "incidents", stub, last)
        record.note(f"{last} minutes took {time.monotonic() - began:.0f} s")
        at_once(record, folder / "at-once", stub)
        any_moment(record, folder / "killed", stub, 3 if sample else 20)
    rows = [[key, minute, ", ".join(map(str, told.get(key, []))) or "never"] for key, minute in EXPECTED.items() if minute <= last]
    record.table("Who was told, in minutes after the opening", ["what", "expected", "received"], rows)
    record.data.update(received=told)
    return record


def five_hours(record: Record, folder: Path, stub: Stub, last: int) -> dict[str, list[int]]:
    incident = opened(folder, stub)
    for minute in range(0, last + 1, EVERY):
        if any(minute in missed for missed in MISSED):
            continue
        incident.minute = minute
        if minute == EXPECTED["escalation/SEV-1/240/cto"] or minute == 0:
            looks_only(record, incident)
        incident.run()
        if minute in SAID:
            incident.say("updated", second=0, **SAID[minute])
    incident.say("resolved")
    incident.minute = last + 60
    incident.run()
    expected = {key: [minute] for key, minute in EXPECTED.items() if minute <= last}
    twice = incident.received.get(TWICE, [])
    if last >= AGAIN:
        record.check(twice == [EXPECTED[TWICE], AGAIN], "what left before its process died comes again, under the same id", str(twice))
        expected[TWICE] = [EXPECTED[TWICE], AGAIN]
    wrong = {key: (expected.get(key), got) for key, got in incident.received.items() if got != expected.get(key)}
    missing = sorted(set(expected) - set(incident.received))
    record.check(not missing, "everybody whom the policy names was told", ", ".join(missing))
    record.check(not wrong, "each at its time, once, and nobody else", f"{len(expected)} messages" + (f", not {wrong}" if wrong else ""))
    return incident.received


def looks_only(record: Record, incident: Incident) -> None:
    """A check run: nothing leaves, and nothing is written."""
    before = incident.files()
    for key in incident.due():
        incident.saying("updated", claim=[key], _ansible_check_mode=True).wait()
        incident.message(key, _ansible_check_mode=True)
    came = incident.stub.received()
    record.check(
        not came and incident.files() == before, f"a check run at minute {incident.minute} sends and writes nothing", ", ".join(came)
    )


def at_once(record: Record, folder: Path, stub: Stub) -> None:
    """Five that look at the same time, and then claim at the same time."""
    incident = opened(folder, stub)
    due = {
        key for asked in [incident.asked() for _ in range(5)] for one in asked.wait()["incidents"] for key in [d["key"] for d in one["due"]]
    }
    claims = [incident.saying("updated", claim=sorted(due)) for _ in range(5)]
    got = Counter(key for claim in claims for key in claim.wait()["claimed"])
    record.check(got == Counter(due) and len(due) == 2, "of five that claim at once one gets each", str(dict(got)))


def any_moment(record: Record, folder: Path, stub: Stub, count: int) -> None:
    """The claiming process is killed at any moment of its life: whatever is left, each is told once by the runs that follow."""
    lost, again, torn = [], [], []
    for number in range(count):
        incident = opened(folder / str(number), stub)
        incident.run(killed=random.Random(number))
        for minute in (EVERY, CLAIM_MINUTES + 1, CLAIM_MINUTES + 2):
            incident.minute = minute
            incident.run()
        expected = {"escalation/SEV-1/0/primary", "escalation/SEV-1/0/manager"}
        lost += sorted(expected - set(incident.received))
        again += [key for key, minutes in incident.received.items() if len(minutes) > 1 or key not in expected]
        torn += [str(path) for path in incident.folder.rglob("incident.json") if not json.loads(path.read_text())["notifications"]]
    record.check(not lost and not torn, f"claims killed {count * 2} times at any moment: nothing is lost", ", ".join(lost + torn))
    record.check(not again, "and nothing is sent twice", ", ".join(again))
