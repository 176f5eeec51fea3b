"""Runs modules and playbooks with the recorder on, and brings back the result and the trace."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible_collections.astraldraft.ops.tests.contract.lib.docker_recorder import DockerRecorder
from ansible_collections.astraldraft.ops.tests.contract.lib.documented import COLLECTIONS, ROOT, Documented

HERE = Path(__file__).resolve().parents[1]
PLAYBOOK_LIMIT_SECONDS = 300
# Of one that runs a module with every other value of each of its options.
REQUEST_LIMIT_SECONDS = 30
# How Ansible brings a module to its host: a shell that starts Python, which is given the module, or that makes a temporary folder first;
# and how it looks, every now and then, whether one in the background is still there.
TRANSPORT = re.compile(
    r"(\S*/)?sh -c (/bin/sh -c )?'?([A-Z_]+=\S+ )*"
    r"(\S+/python[\d.]*'?|(\S+/python[\d.]* (SCRATCH\S+ )?&& sleep 0|\( umask 77 && mkdir -p|echo ~|rm -f -r '?SCRATCH|"
    r"test -r /proc/self/cmdline|chmod u\+rwx '?SCRATCH).*)",
    re.DOTALL,
)
RESULT_LINES = ("ok: ", "changed: ", "fatal: ", "skipping: ", "[ERROR]")

# Arguments, the folder of the run, and whether it is in check mode.
Request = tuple[dict[str, Any], Path, bool]
# Among arguments: variables of the task, which an action plugin sees.
VARIABLES = "__vars"


@dataclass
class Run:
    """One run of a module. ``files`` are those in its folder afterwards; ``output`` is what it printed beside its result, as an action
    plugin may."""

    result: dict[str, Any]
    trace: list[dict[str, Any]]
    work: Path
    output: list[str] = field(default_factory=list)
    files: dict[str, str] = field(init=False)
    ended: float = field(default_factory=time.time)

    def __post_init__(self) -> None:
        found = sorted(path for path in self.work.rglob("*") if path.is_file())
        self.files = {str(path.relative_to(self.work)): path.read_bytes().decode("latin-1") for path in found}

    @property
    def failed(self) -> bool:
        return bool(self.result.get("failed"))


@dataclass
class TaskResult:
    """How one task went on one host. ``key`` tells it from the same task at another time of the play."""

    key: tuple[str, str, str, int]
    action: str
    how: str
    changed: bool
    result: dict[str, Any]


@dataclass
class Play:
    code: int
    output: str
    results: list[TaskResult]
    trace: list[dict[str, Any]]
    task_of: list[str]


class Lab:
    """``folder`` takes everything that Ansible and the tests leave: what is written there does not count as a change."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.scratch = folder / "scratch"
        self.scratch.mkdir()
        #: What is run finds programs here first.
        self.programs = folder / "programs"
        self.programs.mkdir()
        self.docker = DockerRecorder(folder / "docker.sock")
        self._zygote: subprocess.Popen[str] | None = None
        self._number = 0

    def close(self) -> None:
        if self._zygote:
            self._zygote.communicate(timeout=10)
        self.docker.close()

    def environment(self, trace: str) -> dict[str, str]:
        """Of everything that is started: the recorder on, the engine behind its clerk, temporary files in the scratch folder."""
        found = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "PYTEST_"))}
        return found | {
            "PATH": f"{ROOT / '.venv' / 'bin'}:{self.programs}:{os.environ['PATH']}",
            "PYTHONPATH": os.pathsep.join([str(HERE / "recorder"), str(COLLECTIONS)]),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONUNBUFFERED": "1",
            "DOCKER_HOST": self.docker.host,
            "TMPDIR": str(self.scratch),
            "ASTRAL_CONTRACT_TRACE": trace,
            "ANSIBLE_HOME": str(self.scratch / "home"),
            "ANSIBLE_LOCAL_TEMP": str(self.scratch / "local"),
            "ANSIBLE_REMOTE_TEMP": str(self.scratch / "remote"),
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_DISPLAY_SKIPPED_HOSTS": "1",
            "ANSIBLE_CALLBACK_PLUGINS": str(HERE / "callback"),
            "ANSIBLE_CALLBACKS_ENABLED": "contract_trace",
        }

    def work_folder(self) -> Path:
        """A fresh one for a run."""
        self._number += 1
        work = self.folder / f"work-{self._number}"
        work.mkdir()
        return work

    # -- a module by itself

    def runs(self, module: Documented, requests: list[Request]) -> list[Run]:
        """Run a module with the arguments of each request, one after the other."""
        return self._actions(module, requests) if module.is_action else [self._module(module, *request) for request in requests]

    def _module(self, module: Documented, args: dict[str, Any], work: Path, check: bool) -> Run:
        trace, output = work.with_suffix(".trace"), work.with_suffix(".output")
        trace.unlink(missing_ok=True)
        told = {"check_mode": check, "diff": True, "remote_tmp": str(self.scratch), "module_name": module.name}
        internal = {f"_ansible_{key}": value for key, value in told.items()}
        request = {"module": str(module.path), "args": args | internal, "trace": str(trace), "output": str(output)}
        self.docker.trace = trace
        code = self._ask_zygote(json.dumps(request))
        self.docker.trace = None
        said = output.read_text(encoding="utf-8").splitlines()
        try:
            result = json.loads(said[-1])
        except (IndexError, ValueError):
            raise AssertionError(f"{module.name} ended with code {code} and without a result: {said[-20:]}") from None
        return Run(cleaned(result), self.events(trace), work)

    def _ask_zygote(self, request: str) -> str:
        if not self._zygote:
            command = [sys.executable, str(HERE / "lib" / "zygote.py")]
            self._zygote = subprocess.Popen(command, env=self.environment(""), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._zygote.stdin and self._zygote.stdout
        self._zygote.stdin.write(request + "\n")
        self._zygote.stdin.flush()
        answer = self._zygote.stdout.readline()
        assert answer, "the process that starts modules has died"
        return answer.strip()

    # -- a module with an action plugin: only Ansible can run it, so the requests are the tasks of one play

    def _actions(self, module: Documented, requests: list[Request]) -> list[Run]:
        tasks = []
        for number, (args, _work, check) in enumerate(requests):
            values = {key: value for key, value in args.items() if key != VARIABLES}
            tasks.append({
                "name": f"Request {number}", f"astraldraft.ops.{module.name}": values, "vars": args.get(VARIABLES, {}),
                "check_mode": check, "ignore_errors": True,
            })  # fmt: skip
        book, hosts = (self.work_folder() / name for name in ("play.yml", "hosts.yml"))
        book.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]), encoding="utf-8")
        here = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
        hosts.write_text(json.dumps({"all": {"hosts": {"localhost": here}}}), encoding="utf-8")
        limit = max(PLAYBOOK_LIMIT_SECONDS, REQUEST_LIMIT_SECONDS * len(requests))
        play = self.playbook(["-i", str(hosts), str(book)], record=True, limit=limit)
        found = {result.key[2]: result for result in play.results}
        said = dict(banner_and_lines(part) for part in play.output.partition("PLAY RECAP")[0].split("TASK [")[1:])
        runs = []
        for number, (_args, work, _check) in enumerate(requests):
            name = f"Request {number}"
            assert name in found, f"{module.name} did not run: {play.output}"
            result = cleaned(found[name].result) | ({"failed": True} if found[name].how == "failed" else {})
            trace = [event for event, task in zip(play.trace, play.task_of, strict=True) if task == name]
            runs.append(Run(result, trace, work, said[name]))
        return runs

    # -- a playbook

    def playbook(self, arguments: list[str], record: bool, limit: float = PLAYBOOK_LIMIT_SECONDS) -> Play:
        """Run ansible-playbook with ``arguments``; ``record`` everything that it does, and not only how its tasks went."""
        self._number += 1
        trace = self.folder / f"play-{self._number}.trace"
        environment = self.environment(str(trace) if record else "") | {"ASTRAL_CONTRACT_TASKS": str(trace)}
        self.docker.trace = trace if record else None
        command = [str(ROOT / ".venv" / "bin" / "ansible-playbook"), *arguments]
        done = subprocess.run(
            command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            timeout=limit, check=False,
        )  # fmt: skip
        self.docker.trace = None
        return in_order(done.returncode, done.stdout, self.events(trace))

    def events(self, trace: Path) -> list[dict[str, Any]]:
        """What was recorded, without Ansible's own transport and what the tests themselves are the reason of."""
        lines = trace.read_text(encoding="utf-8").splitlines() if trace.exists() else []
        return [event for event in map(json.loads, lines) if not self._is_ours(event, trace)]

    def _is_ours(self, event: dict[str, Any], trace: Path) -> bool:
        if event["do"] == "file":
            return Path(event["path"]) in (trace, self.scratch) or event["path"].startswith(f"{self.scratch}/")
        if event["do"] == "process":
            return bool(TRANSPORT.fullmatch(" ".join(event["argv"]).replace(str(self.scratch), "SCRATCH")))
        # What is asked of the engine is recorded where it arrives.
        return event["do"] in ("send", "connect") and event["to"] == f"unix:{self.docker.path}"


def banner_and_lines(part: str) -> tuple[str, list[str]]:
    """A task's name, and what was printed while it ran, without Ansible's own line about its result."""
    banner, *lines = part.splitlines()
    result = next((number for number, line in enumerate(lines) if line.startswith(RESULT_LINES)), len(lines))
    return banner.partition("]")[0], [line for line in lines[:result] if line]


def in_order(code: int, output: str, lines: list[dict[str, Any]]) -> Play:
    """A play's results, and its trace with the name of the task that each event belongs to."""
    play, task, seen = Play(code, output, [], [], []), "(before the first task)", {}
    for line in lines:
        if line["do"] == "task":
            task = line["name"]
        elif line["do"] == "result":
            path = "/".join(Path(line["path"] or "?").parts[-3:])
            place = (line["host"], path, line["name"])
            seen[place] = seen.get(place, 0) + 1
            play.results.append(TaskResult((*place, seen[place]), line["action"], line["how"], line["changed"], line["result"]))
        else:
            play.trace.append(line)
            play.task_of.append(task)
    return play


def cleaned(result: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in result.items() if key != "invocation" and not key.startswith("_ansible")}
