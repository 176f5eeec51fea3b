"""Five hours of a SEV-1 in a minute: who is told what when, by the modules themselves, their clock put ahead and the stub as the chat."""

from __future__ import annotations

import http.client
import itertools
import json
import os
import random
import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
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
IMAGE = "astraldraft/stub:demo"
#: How long the stub may take to start, and to answer, on a machine that has much else to do. What is sent is not sent again.
START_SECONDS, ANSWER_SECONDS = 120, 60
EVERY, HOURS, SAMPLE_HOURS = 5, 5, 1
TOGETHER = 5
#: Whoever claimed a message and has not sent it after ten minutes is dead. The runs are so many seconds after their minute; those who will
#: die claim in the middle between two runs, so that the second run after it is two minutes too early and the third two minutes late enough,
#: whatever a process takes to start.
CLAIM_MINUTES = 10
PAST, LATE = 20, EVERY * 60 // 2 + 20
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
#: What is said so many minutes after a run: not at the minute of one, which would hang on the seconds that saying it takes.
SAID_AFTER = 3
SAID = {150: "We go back."}
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
    "update 183": 185,
    "update 213": 215,
    "escalation/SEV-1/240/cto": 240,
    "update 243": 245,
    "update 273": 275,
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
        self._address, self._seen = "", 0

    def __enter__(self) -> Stub:
        self.__exit__()
        docker("run", "--detach", "--name", self._name, "--label", self._label, "--publish", "127.0.0.1::9099", IMAGE)
        self._address = docker("port", self._name, "9099/tcp").strip()
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

    @property
    def url(self) -> str:
        return f"http://{self._address}"

    def received(self) -> list[str]:
        """The ids of the messages that came since this was last asked."""
        connection = http.client.HTTPConnection(self._address, timeout=ANSWER_SECONDS)
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
    #: At which minute everybody was last told something, and when that was written.
    told: tuple[int, float] = (0, 0.0)
    #: Where its processes wait for each other (see ``clock``); None: they do not.
    gate: Path | None = None

    def module(self, name: str, second: float = PAST, **arguments: Any) -> Module:
        # What the campaign itself takes does not count.
        ahead = self.opened_at + self.minute * 60 + second - time.time() if self.opened_at else 0
        clock = {"PYTHONPATH": f"{ROOT}/.ansible/collections:{ROOT}/tests/faults/clock", "ASTRAL_TEST_CLOCK": str(ahead)}
        clock |= {"ASTRAL_TEST_GATE": str(self.gate)} if self.gate else {}
        timed = type("Timed", (Module,), {"environment": clock})
        return timed(name, **arguments)

    def say(self, state: str, **arguments: Any) -> dict[str, Any]:
        return answer_of(self.saying(state, **arguments))

    def announce(self, text: str) -> None:
        said = self.say("updated", second=SAID_AFTER * 60, announcement=text)
        self.told = self.minute + SAID_AFTER, seconds_of(said["after"]["updated_at"])

    def saying(self, state: str, **arguments: Any) -> Module:
        return self.module("incident_record", path=str(self.folder), state=state, operator="clock", **arguments)

    def asked(self) -> Module:
        return self.module("incident_info", path=str(self.folder), policy=POLICY)

    def send(self, key: str) -> None:
        sent = self.message(key)
        assert sent["sent"], sent

    def message(self, key: str, **more: Any) -> dict[str, Any]:
        url = f"{self.stub.url}/webhook/chat"
        return answer_of(self.module("webhook_message", url=url, payload={"text": key}, id=key, timeout=ANSWER_SECONDS, **more))

    def due(self) -> list[str]:
        return due_in(answer_of(self.asked()))

    def claimed(self, key: str) -> bool:
        return any(key in path.read_text() for path in self.folder.rglob("timeline.jsonl"))

    def kill_claims(self, moments: Iterator[float]) -> list[bool]:
        """As many seconds after it began as ``moments`` say. -> whether each claim was written before its process died"""
        found = []
        for key in self.due():
            claim = self.saying("updated", claim=[key])
            time.sleep(next(moments))
            claim.kill()
            found.append(self.claimed(key))
        return found

    def run(self) -> None:
        """What the role does in a run of the clock."""
        for key in self.due():
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
        """A reminder by the minutes after the opening at which it was due, what it took to say the last thing not counted."""
        if not key.startswith("update/"):
            return key
        minute, moment = self.told
        return f"update {minute + round((seconds_of(key.removeprefix('update/')) - moment) / 60)}"

    def files(self) -> dict[Path, bytes]:
        return {path: path.read_bytes() for path in self.folder.rglob("*") if path.is_file()}


def answer_of(module: Module) -> dict[str, Any]:
    answer = module.wait()
    assert not answer.get("failed"), answer["msg"]
    return answer


def due_in(answer: dict[str, Any]) -> list[str]:
    return [one["key"] for incident in answer["incidents"] for one in incident["due"]]


def opened(folder: Path, stub: Stub) -> Incident:
    shutil.rmtree(folder, ignore_errors=True)
    incident = Incident(folder, stub)
    incident.opened_at = seconds_of(incident.say("open", title="Nothing works", severity="SEV-1")["after"]["opened_at"])
    incident.told = 0, incident.opened_at
    return incident


def run(stack: Stack, folder: Path, sample: bool) -> Record:
    record = Record("escalation", PROMISE)
    last = (SAMPLE_HOURS if sample else HOURS) * 60
    with Stub(stack) as stub:
        began = time.monotonic()
        told = five_hours(record, folder / "incidents", stub, last)
        record.note(f"{last} minutes took {time.monotonic() - began:.0f} s")
        at_once(record, folder / "at-once", stub, 1 if sample else 5)
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
            incident.announce(SAID[minute])
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


def at_once(record: Record, folder: Path, stub: Stub, times: int) -> None:
    found = [claimed_at_once(folder / str(turn), stub) for turn in range(times)]
    each = {"escalation/SEV-1/0/primary": 1, "escalation/SEV-1/0/manager": 1}
    what = f"of {TOGETHER} that claim at once one gets each, {times} times"
    record.check(all(got == each for got in found), what, ", ".join(str(dict(got)) for got in found if got != each))


def claimed_at_once(folder: Path, stub: Stub) -> Counter[str]:
    """By several that have all seen the same, and of which none goes on before the last one has come as far: how often what was claimed."""
    incident = opened(folder / "incidents", stub)
    due = incident.due()
    incident.gate = folder / "gate"
    incident.gate.mkdir()
    os.mkfifo(incident.gate / "gate")
    claims = [incident.saying("updated", claim=due) for _ in range(TOGETHER)]
    ends = time.monotonic() + START_SECONDS
    while len(list(incident.gate.iterdir())) <= TOGETHER:
        assert time.monotonic() < ends and all(claim.running for claim in claims), "a claim did not get as far as the gate"
        time.sleep(0.01)
    with (incident.gate / "gate").open("w"):
        return Counter(key for claim in claims for key in answer_of(claim)["claimed"])


def any_moment(record: Record, folder: Path, stub: Stub, count: int) -> None:
    """The claiming process is killed at any moment of its life: whatever is left, each is told once by the runs that follow."""
    lost, again, torn, written = [], [], [], []
    for number in range(count):
        began, chance = time.monotonic(), random.Random(number)
        incident = opened(folder / str(number), stub)
        # What opening it took is about what a claim takes, at this moment on this machine. Most of it goes by before anything is written.
        life = time.monotonic() - began
        written += incident.kill_claims(chance.triangular(0.0, life * 1.2, life) for _ in itertools.count())
        incident.note()
        # Two minutes after the claims ran out, and two before the next one is to be told.
        for minute in (EVERY, CLAIM_MINUTES + 2, CLAIM_MINUTES + 3):
            incident.minute = minute
            incident.run()
        expected = {"escalation/SEV-1/0/primary", "escalation/SEV-1/0/manager"}
        lost += sorted(expected - set(incident.received))
        again += [key for key, minutes in incident.received.items() if len(minutes) > 1 or key not in expected]
        torn += [str(path) for path in incident.folder.rglob("incident.json") if not json.loads(path.read_text())["notifications"]]
    record.note(f"of {len(written)} claims {sum(written)} were written before their process was killed")
    record.check(not lost and not torn, f"claims killed {len(written)} times at any moment: nothing is lost", ", ".join(lost + torn))
    record.check(not again, "and nothing is sent twice", ", ".join(again))
