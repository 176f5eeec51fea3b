"""How long a hundred hosts take: the playbook health against what one does by hand, the same checks in a shell loop over ssh."""

from __future__ import annotations

import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .record import Record
from .stack import ROOT, Stack, docker
from .world import script

PROMISE = "playbooks/health.yml over 100 hosts (20 SSH hosts under five names each) beside the same checks in a shell loop over ssh"
FULL = 3
NODES = 20
NAMES = [f"node-{number:02d}-{letter}" for number in range(1, NODES + 1) for letter in "abcde"]
CHECKS = 3 * len(NAMES)
PARALLEL = 20
PORT = 2220
#: The same as the playbook's checks, as far as one goes by hand: an answer with a good status, and two ports that are open.
BY_HAND = (
    "curl -fsS --max-time 5 -o /dev/null http://nginx:8080/api/health"
    " && timeout 5 bash -c '</dev/tcp/postgres-master/5432' && timeout 5 bash -c '</dev/tcp/redis-1/6379'"
)
LOOP = 'code=0; for host; do ssh -F "$0" "$host" "$CHECK" || code=1; done; exit $code'
XARGS = f"""printf '%s\\n' "$@" | xargs -P {PARALLEL} -I '{{}}' ssh -F "$0" '{{}}' "$CHECK" """


class Nodes:
    """A context: the twenty hosts, and how ssh finds them."""

    def __init__(self, stack: Stack, folder: Path) -> None:
        self.stack, self.folder, self._log = stack, folder, folder / "hosts.log"
        self.config = folder / "ssh_config"

    def __enter__(self) -> Nodes:
        pairs = [f"node-{number:02d}={PORT + number}" for number in range(1, NODES + 1)]
        script("start", self._log, "--join", f"{self.stack.project}_default", *pairs)
        offset, keys = int(os.environ.get("ASTRAL_DEMO_PORT_OFFSET") or 0), self.stack.state / "hosts"
        common = (
            f"  HostName 127.0.0.1\n  User ops\n  IdentityFile {keys}/key\n  IdentitiesOnly yes\n  UserKnownHostsFile {keys}/known_hosts\n"
        )
        self.config.write_text("".join(f"Host {name}\n  Port {PORT + int(name[5:7]) + offset}\n{common}" for name in NAMES))
        return self

    def __exit__(self, *_: object) -> None:
        script("down", self._log)

    def by_hand(self, shell: str) -> tuple[float, int]:
        """-> seconds, exit code"""
        environment = {**os.environ, "CHECK": BY_HAND}
        started = time.monotonic()
        done = subprocess.run(["bash", "-c", shell, str(self.config), *NAMES], env=environment, stdin=subprocess.DEVNULL, check=False)
        return time.monotonic() - started, done.returncode

    def playbook(self, sockets: str, log: str) -> tuple[float, int, str]:
        """-> seconds, exit code, what it said. ``sockets`` is the folder of the connections that are kept open."""
        program = str(ROOT / ".venv/bin/ansible-playbook")
        command = [program, "-i", "tests/bench/inventory", "playbooks/health.yml", "-e", "health_profile=quick"]
        environment = {**os.environ, "ANSIBLE_NOCOLOR": "1", "ANSIBLE_SSH_CONTROL_PATH_DIR": sockets, "ANSIBLE_FORKS": str(PARALLEL)}
        started = time.monotonic()
        done = subprocess.run(command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        seconds = time.monotonic() - started
        (self.folder / log).write_text(done.stdout + done.stderr)
        return seconds, done.returncode, done.stdout


@contextmanager
def connections() -> Iterator[str]:
    """A folder without kept connections; those made in it are closed afterwards."""
    with tempfile.TemporaryDirectory(prefix="cp", ignore_cleanup_errors=True) as folder:
        try:
            yield folder
        finally:
            for socket in Path(folder).iterdir():
                subprocess.run(["ssh", "-o", f"ControlPath={socket}", "-O", "exit", "any"], capture_output=True, check=False)


def run(stack: Stack, folder: Path, count: int) -> Record:
    record = Record("health_cost", PROMISE)
    seconds: dict[str, list[float]] = {"loop": [], "xargs": [], "playbook": [], "playbook again": []}
    with Nodes(stack, folder) as nodes:
        for number in range(1, count + 1):
            for how, shell in (("loop", LOOP), ("xargs", XARGS)):
                took, code = nodes.by_hand(shell)
                seconds[how].append(took)
                record.check(code == 0, f"run {number}: {how}: every host is well", f"exit {code}, {took:.1f} s")
            with connections() as sockets:
                for how in ("playbook", "playbook again"):
                    took, code, said = nodes.playbook(sockets, f"{number}-{how.replace(' ', '-')}.log")
                    seconds[how].append(took)
                    complete = f"{CHECKS} of {CHECKS} healthy" in said
                    record.check(
                        code == 0 and complete, f"run {number}: {how}: {CHECKS} checks on {len(NAMES)} hosts", f"exit {code}, {took:.1f} s"
                    )
        _silent_host(record, nodes)
    _compare(record, seconds)
    return record


def _silent_host(record: Record, nodes: Nodes) -> None:
    """A host that takes connections and never answers: by hand that is where the loop stops, without a word."""
    docker("pause", f"{nodes.stack.project}-node-07")
    try:
        with connections() as sockets:
            took, code, said = nodes.playbook(sockets, "silent.log")
    finally:
        docker("unpause", f"{nodes.stack.project}-node-07")
    named = all(name in said.rpartition("no answer from")[2] for name in NAMES if name.startswith("node-07-"))
    record.check(
        code not in (0, None) and named, "a host that does not answer is named under each of its names", f"exit {code}, {took:.1f} s"
    )


def _compare(record: Record, seconds: dict[str, list[float]]) -> None:
    medians = {how: statistics.median(values) for how, values in seconds.items()}
    titles = {
        "loop": "for host in ...; do ssh $host curl ...; done", "xargs": f"xargs -P {PARALLEL} ssh", "playbook": "playbook health",
        "playbook again": "playbook health, connections kept from before",
    }  # fmt: skip
    rows = [
        [titles[how], f"{medians[how]:.1f}", f"{min(values):.1f}", f"{max(values):.1f}", f"{medians['loop'] / medians[how]:.2f}"]
        for how, values in seconds.items()
    ]
    record.table(f"100 hosts, {CHECKS} checks (s)", ["how", "median", "least", "most", "times as fast as the loop"], rows)
    record.note(
        "Controller and hosts share the cores of one machine, and nothing is far away: what is compared is work, not waiting. By hand, a "
        "check is a status and an open port; the playbook also looks into the answer, tells seven kinds of wrong apart, and goes on past a "
        "silent host."
    )
    record.data.update(seconds=seconds, medians=medians)
