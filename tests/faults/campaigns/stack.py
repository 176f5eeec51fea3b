"""The stack that a campaign runs against, seen from outside: by HTTP, by docker, by the files in its state folder.

Nothing here asks the collection's own modules how things are: what they say is what is being tried.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import subprocess
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
COLOURS = ("app-blue", "app-green")
GOOD = ("v1.2.2", "v1.2.3", "v1.2.4")
LB_BASE_PORT, PROMETHEUS_BASE_PORT = 8080, 9090
#: What `tempfile.mkstemp` leaves behind of a file that was being replaced.
HALF_WRITTEN = re.compile(r"^\..+\.[a-z0-9_]{8}$")
OUTCOMES = ("healthy", "failed", "taken_back", "inconclusive", "interrupted")


def seconds_of(iso: str) -> float:
    """``2026-01-02T03:04:05.678Z`` -> seconds since the epoch."""
    return datetime.fromisoformat(iso.replace("Z", "+00:00")).timestamp()


def docker(*arguments: str) -> str:
    """What a docker command prints. Raises CalledProcessError with its words."""
    return subprocess.run(["docker", *arguments], check=True, capture_output=True, text=True).stdout


@dataclass(frozen=True)
class Stack:
    project: str
    state: Path
    port: int
    prometheus: str

    @classmethod
    def from_environment(cls) -> Stack:
        """As the demo's own scripts find it."""
        project = os.environ.get("ASTRAL_DEMO_PROJECT") or "astral-demo"
        home = os.environ.get("XDG_STATE_HOME") or os.path.join(os.environ["HOME"], ".local/state")
        state = os.environ.get("ASTRAL_DEMO_STATE") or os.path.join(home, "astraldraft", project)
        offset = int(os.environ.get("ASTRAL_DEMO_PORT_OFFSET") or 0)
        port = int(os.environ.get("ASTRAL_DEMO_LB_PORT") or LB_BASE_PORT + offset)
        prometheus = int(os.environ.get("ASTRAL_DEMO_PROMETHEUS_PORT") or PROMETHEUS_BASE_PORT + offset)
        return cls(project, Path(state), port, f"http://127.0.0.1:{prometheus}")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def upstream_path(self) -> Path:
        return self.state / "nginx/upstreams/app.conf"

    @property
    def pending_path(self) -> Path:
        return self.state / "nginx/upstreams/app.conf.pending"

    # -- what answers

    def answer(self, path: str = "/api/health", timeout: float = 5) -> tuple[int, str | None]:
        """``(status, release)`` of one request on a connection of its own; raises OSError or HTTPException."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request("GET", path)
            found = connection.getresponse()
            found.read()
            return found.status, found.getheader("X-Release")
        finally:
            connection.close()

    def live(self) -> str | None:
        """The release that answers a new connection, None when none does."""
        try:
            return self.answer()[1]
        except (OSError, http.client.HTTPException):
            return None

    # -- what is recorded

    def events(self) -> list[dict[str, Any]]:
        """The lines of the record. Raises ValueError when one is no JSON."""
        path = self.state / "releases.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines() if line.strip()] if path.exists() else []

    def releases(self) -> list[dict[str, Any]]:
        """One a release, oldest first: what its ``started`` says, and ``outcome``, ``message``, ``switched_at`` (or None)."""
        found: dict[str, dict[str, Any]] = {}
        for event in self.events():
            if event["event"] == "started":
                found[event["release"]] = {**event, "outcome": None, "message": "", "switched_at": None}
            elif event["event"] == "switched":
                found[event["release"]]["switched_at"] = event["time"]
            elif event["event"] in OUTCOMES:
                found[event["release"]].update(outcome=event["event"], message=event.get("message", ""))
        return list(found.values())

    def quarantined(self, version: str) -> bool:
        outcomes = [release["outcome"] for release in self.releases() if release["version"] == version]
        return next((outcome == "taken_back" for outcome in reversed(outcomes) if outcome in ("taken_back", "healthy")), False)

    def holders(self) -> list[dict[str, Any]]:
        """Who holds the lock; times in seconds since the epoch."""
        try:
            return json.loads((self.state / "lock/operation.json").read_text())["holders"]
        except FileNotFoundError:
            return []

    # -- what runs

    def containers(self) -> list[dict[str, str]]:
        """All containers of the project, ended ones too: ``name``, ``service``, ``state``, ``oneoff``, ``image``."""
        label = '{{.Label "com.docker.compose.%s"}}'
        shape = "\t".join(["{{.Names}}", label % "service", "{{.State}}", label % "oneoff", "{{.Image}}"])
        lines = docker("ps", "--all", "--filter", f"label=com.docker.compose.project={self.project}", "--format", shape).splitlines()
        return [dict(zip(("name", "service", "state", "oneoff", "image"), line.split("\t"), strict=True)) for line in lines]

    def upstream(self) -> list[str]:
        """The replicas that the upstream's file names, as ``app-blue-1``."""
        lines = self.upstream_path.read_text().splitlines()
        return [line.rpartition("#")[2].strip() for line in lines if line.strip().startswith("server ") and " down" not in line]

    def live_colour(self) -> str | None:
        return next((name.rpartition("-")[0] for name in self.upstream()), None)

    def version_of(self, colour: str) -> str | None:
        """The version that the running containers of a colour were made from, None where none runs."""
        for container in self.containers():
            if container["service"] == colour and container["state"] == "running":
                shown = docker("inspect", "--format", "{{range .Config.Env}}{{println .}}{{end}}", container["name"])
                return next((line.partition("=")[2] for line in shown.splitlines() if line.startswith("APP_VERSION=")), None)
        return None

    def replicas_written(self) -> dict[str, int]:
        """What compose.env says of the size of each colour."""
        text = (self.state / "compose.env").read_text()
        found = {}
        for colour in COLOURS:
            match = re.search(rf"^{colour.upper().replace('-', '_')}_REPLICAS=(\d+)", text, re.MULTILINE)
            found[colour] = int(match.group(1)) if match else 0
        return found

    def nginx_lines(self, since: float) -> list[dict[str, Any]]:
        """nginx's access log since a moment, one dict a request."""
        name = next(container["name"] for container in self.containers() if container["service"] == "nginx")
        shown = docker("logs", "--since", f"{since:.3f}", name)
        return [json.loads(line) for line in shown.splitlines() if line.startswith("{")]

    def nginx_workers(self) -> set[int]:
        """The processes under nginx's own, as the host numbers them."""
        name = next(container["name"] for container in self.containers() if container["service"] == "nginx")
        return children_of(self.nginx_master(name))

    @staticmethod
    def nginx_master(container: str) -> int:
        return int(docker("inspect", "--format", "{{.State.Pid}}", container))

    # -- whether all is as it should be

    def unsettled(self, version: str) -> list[str]:
        """What is not as it should be after an operation that left ``version`` live. Empty when all is well."""
        return [*self._traffic_problems(version), *self._container_problems(), *self._record_problems(version), *self._leftovers()]

    def _traffic_problems(self, version: str) -> list[str]:
        answers = {self.live() for _ in range(6)}
        return [] if answers == {version} else [f"new connections are answered by {answers}, not by {version} alone"]

    def _container_problems(self) -> list[str]:
        problems = []
        containers, written = self.containers(), self.replicas_written()
        running = {
            f"{c['service']}-{c['name'].rpartition('-')[2]}" for c in containers if c["state"] == "running" and c["oneoff"] == "False"
        }
        for colour in COLOURS:
            count = sum(name.rpartition("-")[0] == colour for name in running)
            if count != written[colour]:
                problems.append(f"{colour}: {count} replicas run, compose.env says {written[colour]}")
        for container in containers:
            if container["oneoff"] == "True":
                problems.append(f"a one-off container is left: {container['name']} ({container['state']})")
            elif container["state"] != "running":
                problems.append(f"{container['name']} is {container['state']}")
        served = self.upstream()
        live = self.live_colour()
        if set(served) != {name for name in running if name.rpartition("-")[0] == live}:
            problems.append(f"nginx names {served}, running are {sorted(running & set(served)) or 'others'}")
        return problems

    def _record_problems(self, version: str) -> list[str]:
        try:
            releases = self.releases()
        except (ValueError, KeyError) as error:
            return [f"the record cannot be read: {error!r}"]
        problems = [f"{release['release']} has no outcome" for release in releases if release["outcome"] is None]
        put_back = ("failed", "taken_back", "inconclusive")
        live = [r for r in releases if r["service"] == self.live_colour() and r["outcome"] not in put_back]
        if not live or (live[-1]["version"], live[-1]["outcome"]) != (version, "healthy"):
            problems.append(f"the record's last word on {self.live_colour()} is not that {version} is healthy")
        return problems

    def _leftovers(self) -> list[str]:
        problems = []
        if (self.state / "lock/operation.json").exists():
            problems.append("the lock is held")
        for folder in (self.state, self.state / "nginx/upstreams", self.state / "lock", self.state / "environments", self.state / "logs"):
            for path in folder.iterdir():
                if HALF_WRITTEN.match(path.name) or path.name.endswith((".pending", ".candidate", ".candidate-main")):
                    problems.append(f"{path} is left over")
        return problems


def wait_for_the_rest(project: str, timeout: float = 120) -> None:
    """Until no module of an operation on the stack works on, whose controller was killed: it lives, and keeps others out."""
    mark, deadline = f"ASTRALDRAFT_OPERATION={project}/".encode(), time.monotonic() + timeout
    while time.monotonic() < deadline and any(mark in environment_of(folder) for folder in Path("/proc").glob("[0-9]*")):
        time.sleep(0.2)


def environment_of(folder: Path) -> bytes:
    """Of a process by its folder in /proc; nothing of one that has ended, or is somebody else's."""
    try:
        return (folder / "environ").read_bytes()
    except OSError:
        return b""


def children_of(pid: int) -> set[int]:
    try:
        return {int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}
    except FileNotFoundError:
        return set()


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    cpu = next(
        (line.partition(":")[2].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line), "unknown"
    )
    memory = int(re.search(r"MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text()).group(1))  # type: ignore[union-attr]
    ansible = subprocess.run([ROOT / ".venv/bin/ansible-playbook", "--version"], capture_output=True, text=True, check=False).stdout
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()
    changed = subprocess.run(["git", "status", "--porcelain", "-uno"], cwd=ROOT, capture_output=True, text=True, check=False).stdout
    return {
        "system": re.search(r'PRETTY_NAME="(.*)"', Path("/etc/os-release").read_text()).group(1),  # type: ignore[union-attr]
        "kernel": os.uname().release,
        "processor": cpu,
        "cores": os.cpu_count(),
        "memory_gib": round(memory / 2**20, 1),
        "docker": docker("version", "--format", "{{.Server.Version}}").strip(),
        "compose": docker("compose", "version", "--short").strip(),
        "ansible": (re.search(r"core ([\d.]+)", ansible) or ["", "unknown"])[1],
        "other_containers": len(docker("ps", "--quiet").split()),
        "load_average": [round(value, 1) for value in os.getloadavg()],
        "commit": commit + (" and uncommitted changes" if changed else ""),
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }
