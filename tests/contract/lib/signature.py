"""What a run did and said, without what differs from one run to the next: two runs are compared by it."""

from __future__ import annotations

import datetime
import fnmatch
import json
import re
import urllib.parse
from typing import Any

from ansible_collections.astraldraft.ops.tests.contract.lib.case import Case
from ansible_collections.astraldraft.ops.tests.contract.lib.lab import Run

ONE_DAY = 24 * 60  # minutes
# The pauses of whoever waits for something that is about to happen.
BEAT_SECONDS = 0.1
ISO_TIME = re.compile(r"(\d{4})-?(\d\d)-?(\d\d)T(\d\d):?(\d\d):?(\d\d)(?:\.\d+)?(?:Z|\+00:00)?")
UNIX_TIME = re.compile(r"\b1[789]\d{8}(?:\.\d+)?\b")
# What differs although nothing does: durations, ports that the system chose, process ids, random names of temporary files.
NOISE = [
    (re.compile(r"\s*\b\d+ ms\b"), " <ms>"),
    (re.compile(r"took \d+\.\d+ s"), "took <s>"),
    (re.compile(r"(last sign of life )\d+ s"), r"\1<s>"),
    (re.compile(r'(/exec/|/containers/|"Container": ")[0-9a-f]{64}'), r"\1<id>"),
    (re.compile(r"/\.[\w.-]+\.\w{8}\b"), "/<temporary>"),
]
VOLATILE_KEYS = {"duration", "seconds", "invocation", "exception"}


def signature(run: Run, case: Case) -> dict[str, Any]:
    """``result``, ``trace``, ``output`` and ``files`` of a run, comparable."""
    extra = [(re.compile(pattern), "<noise>") for pattern in case.noise]

    def since(moment: float) -> str | None:
        """A time of today as what it is to the run, to ten minutes; None for any other."""
        minutes = (moment - run.ended) / 60
        return f"<now {round(minutes, -1):+.0f} min>" if abs(minutes) < ONE_DAY else None

    def of_iso(match: re.Match[str]) -> str:
        moment = datetime.datetime(*map(int, match.groups()), tzinfo=datetime.UTC)
        return since(moment.timestamp()) or match.group()

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            reduced = {key: case.reduced[key](item) if key in case.reduced else item for key, item in value.items()}
            return {key: plain(item) for key, item in reduced.items() if key in case.reduced or key not in VOLATILE_KEYS}
        if isinstance(value, list):
            return [plain(item) for item in value]
        if isinstance(value, str):
            for folder in (str(run.work), urllib.parse.quote(str(run.work), safe="")):
                value = value.replace(folder, "{work}")
            value = ISO_TIME.sub(of_iso, value)
            value = UNIX_TIME.sub(lambda match: since(float(match.group())) or match.group(), value)
            for pattern, word in NOISE + extra:
                value = pattern.sub(word, value)
        if isinstance(value, (int, float)) and not isinstance(value, bool):  # a fencing token is a time, too
            return since(value) or value
        return value

    files = {
        plain(name): "" if any(fnmatch.fnmatch(name, pattern) for pattern in case.opaque) else content
        for name, content in run.files.items()
    }
    # Threads ask in no certain order, and a wait asks more or less often, or not even twice: what counts is what is asked at all.
    events = [event for event in run.trace if event["do"] != "pause" or event["length"] > BEAT_SECONDS and not case.patient]
    deeds = [plain({key: item for key, item in event.items() if key != "pid"}) for event in events]
    return {
        "result": plain(run.result),
        "trace": sorted({json.dumps(deed, sort_keys=True) for deed in deeds}),
        "output": plain(run.output),
        "files": {name: plain(content) for name, content in files.items()},
    }


def differences(one: dict[str, Any], other: dict[str, Any]) -> list[str]:
    """Where two signatures differ, in words; empty when nowhere."""
    found = []
    for part in one:
        if one[part] == other[part]:
            continue
        if isinstance(one[part], dict):
            keys = [key for key in {**one[part], **other[part]} if one[part].get(key) != other[part].get(key)]
            found += [f"{part}.{key}: {one[part].get(key)!r} / {other[part].get(key)!r}" for key in keys]
        else:
            lonely = [line for line in one[part] + other[part] if (line in one[part]) != (line in other[part])]
            found += [f"{part}: {line[:2000]}" for line in lonely] or [f"{part}: the same lines in another number or order"]
    return found
