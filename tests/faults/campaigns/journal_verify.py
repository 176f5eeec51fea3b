"""How long it takes to verify the audit trail: by journal_info, and by the shell loop that one would write instead."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

from .record import Record
from .stack import ROOT, Stack

PROMISE = "A journal of 10,000 entries verifies in under 2 s; one edited line among them is found"
FULL = 10_000
#: The shell loop takes minutes for all of them; what it takes is in proportion to the lines.
BY_HAND = 200
TIMES = 5

WRITE = """
import sys
from ansible_collections.astraldraft.ops.plugins.module_utils import _journal
head = None
with open(sys.argv[1], "wb") as stream:
    for number in range(int(sys.argv[2])):
        content = _journal.compose({
            "operation": "deploy", "verdict": "pass", "operator": "ada", "stack": "astral-bench", "changed": True,
            "reason": "Release %d" % number,
            "arguments": {"release_version": "v1.2.%d" % number, "release_soak_seconds": 10},
            "started_at": "2026-11-24T11:59:00Z", "ended_at": "2026-11-24T12:00:00Z",
            "before": {"version": "v1.2.%d" % (number - 1), "service": "app-blue", "replicas": 2},
            "after": {"version": "v1.2.%d" % number, "service": "app-green", "replicas": 2},
            "summary": "v1.2.%d is live on app-green, 2 replicas; watched for 10 s." % number,
        })
        head, line = _journal.seal(content, head, "2026-11-24T12:00:00.000Z")
        stream.write(line)
"""
LOOP = r"""
set -euo pipefail
previous=null
while read -r line; do
    hash=$(jq -r .hash <<<"$line")
    [[ $(jq -r .previous <<<"$line") == "$previous" ]]
    [[ $(printf '%s' "$line" | sed 's/,"hash":"[0-9a-f]*"}$/}/' | sha256sum) == "$hash  -" ]]
    previous=$hash
done
"""


def verify(path: Path) -> tuple[float, float, dict]:
    """-> the seconds that the module took, those of the whole command with Ansible around it, and the module's answer."""
    command = [
        str(ROOT / ".venv/bin/ansible"),
        "-i",
        "localhost,",
        "all",
        "-c",
        "local",
        "-e",
        f"ansible_python_interpreter={sys.executable}",
    ]
    command += ["-m", "astraldraft.ops.journal_info", "-a", f"path={path} verify=true limit=0", "--one-line"]
    started = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    seconds = time.monotonic() - started
    answer = json.loads(done.stdout.partition("=> ")[2])
    return answer["duration"], seconds, answer


def by_hand(lines: list[str]) -> float:
    started = time.monotonic()
    subprocess.run(["bash", "-c", LOOP], input="".join(lines), text=True, check=True)
    return time.monotonic() - started


def run(_stack: Stack, folder: Path, count: int) -> Record:
    record = Record("journal_verify", PROMISE)
    path = folder / "journal.jsonl"
    environment = {"PYTHONPATH": str(ROOT / ".ansible/collections")}
    subprocess.run([sys.executable, "-c", WRITE, str(path), str(count)], check=True, env=environment)
    lines = path.read_text().splitlines(keepends=True)

    runs = [verify(path) for _time in range(TIMES)]
    middle = statistics.median(module for module, _whole, _answer in runs)
    record.check(all(answer["verified"] is True and answer["count"] == count for *_seconds, answer in runs), f"{count} entries verify")
    record.check(middle < 2, "in under 2 s", f"median {middle:.2f} s of {', '.join(f'{module:.2f}' for module, _whole, _answer in runs)}")

    place = count // 2
    path.write_text("".join([*lines[:place], lines[place].replace('"operator":"ada"', '"operator":"eve"'), *lines[place + 1 :]]))
    answer = verify(path)[2]
    found = [(finding["line"], finding["kind"]) for finding in answer["findings"]]
    record.check(answer["verified"] is False and found == [(place + 1, "edited")], f"line {place + 1}, edited, is found", f"{found}")
    path.write_text("".join(lines))

    seconds = by_hand(lines[:BY_HAND]) * count / BY_HAND
    record.table(
        f"{count} entries, {path.stat().st_size // 1024} KiB",
        ["how", "seconds"],
        [
            ["journal_info, the module (median)", f"{middle:.2f}"],
            ["journal_info, with Ansible around it (median)", f"{statistics.median(whole for _module, whole, _answer in runs):.2f}"],
            [f"bash, jq, sha256sum line by line (from {BY_HAND} lines)", f"{seconds:.0f}"],
        ],
    )
    record.check(
        seconds > middle, "the shell loop takes longer, so the comparison means something", f"{seconds / middle:.0f} times as long"
    )
    record.data.update(module=[module for module, _whole, _answer in runs], by_hand=seconds, count=count)
    return record
