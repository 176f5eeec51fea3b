"""A backup and its verification beside the runbook's own commands: ``pg_dump | gzip``, ``gzip -t`` and ``gunzip | psql``."""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .record import Record
from .stack import ROOT, Stack, docker

PROMISE = "backup 3 times faster and 20 % smaller than pg_dump | gzip; the load of a restore 1.3 times faster than gunzip | psql; at least"
FULL = 3
#: Times 100,000 accounts of pgbench, and a table of documents beside them.
SCALE, SAMPLE_SCALE = 100, 5
DATABASE, RESTORED = "bench_backup", "bench_restored"
DOCUMENTS = """
CREATE TABLE documents (id bigserial PRIMARY KEY, body jsonb, note text);
INSERT INTO documents (body, note)
  SELECT jsonb_build_object('player', n, 'team', n % 32, 'name', md5(n::text)), repeat(md5((n % 1000)::text), 8)
    FROM generate_series(1, {0}) n;
CREATE INDEX ON documents USING gin (body jsonb_path_ops);
CREATE INDEX ON documents (note);
"""


class Bench:
    """A database of its own in the stack's server. What is done by hand is done with the tools in its container."""

    def __init__(self, stack: Stack, folder: Path, scale: int) -> None:
        self.stack, self.folder, self.scale = stack, folder, scale
        self.container = f"{stack.project}-postgres-master-1"
        self.backups = folder / "backups"

    def __enter__(self) -> Bench:
        self._drop()
        self.inside("createdb", DATABASE)
        self.inside("pgbench", "--initialize", "--quiet", f"--scale={self.scale}", DATABASE)
        self.inside("psql", "--quiet", "--command", DOCUMENTS.format(self.scale * 10000), DATABASE)
        self.inside("vacuumdb", "--quiet", "--analyze", DATABASE)
        return self

    def __exit__(self, *_: object) -> None:
        self._drop()
        shutil.rmtree(self.backups, ignore_errors=True)

    def _drop(self) -> None:
        for name in (DATABASE, RESTORED):
            self.inside("dropdb", "--if-exists", "--force", name)

    def inside(self, *argv: str) -> str:
        return docker("exec", "-u", "postgres", self.container, *argv)

    def shell(self, line: str) -> None:
        subprocess.run(["bash", "-c", "set -o pipefail; " + line], check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)

    def runbook(self) -> tuple[dict[str, float], int]:
        """-> seconds of each step, bytes of the backup"""
        path, client = self.folder / "runbook.sql.gz", f"docker exec -i -u postgres {self.container}"
        steps: dict[str, Callable[[], Any]] = {
            "backup": lambda: self.shell(f"{client} pg_dump {DATABASE} | gzip >{path}"),
            "verify": lambda: self.shell(f"gzip -t {path}"),
            "restore": lambda: self.shell(f"gunzip -c {path} | {client} psql -q {RESTORED}"),
        }
        self.inside("dropdb", "--if-exists", "--force", RESTORED)
        self.inside("createdb", RESTORED)
        seconds = {}
        for name, step in steps.items():
            started = time.monotonic()
            step()
            seconds[name] = time.monotonic() - started
        self.inside("dropdb", "--force", RESTORED)
        return seconds, path.stat().st_size

    def playbook(self, name: str, *more: str) -> tuple[float, int]:
        """-> seconds, exit code"""
        password = (self.stack.state / "secrets/postgres-superuser-password").read_text().strip()
        login = {"login_host": "127.0.0.1", "login_port": self._port(), "login_password": password, "login_db": DATABASE}
        variables = self.folder / "variables.json"
        given = {"backup_login": login, "backup_path": str(self.backups), "backup_queries": [], "backup_metrics_path": ""}
        variables.write_text(json.dumps(given))
        variables.chmod(0o600)
        command = [str(ROOT / ".venv/bin/ansible-playbook"), "-i", "inventories/demo", f"playbooks/{name}.yml", "-e", f"@{variables}"]
        command += [word for pair in more for word in ("-e", pair)]
        started = time.monotonic()
        done = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        seconds = time.monotonic() - started
        (self.folder / f"{name}.log").write_text(done.stdout + done.stderr)
        return seconds, done.returncode

    def _port(self) -> int:
        return int(docker("port", self.container, "5432/tcp").strip().rpartition(":")[2])

    def entry(self) -> dict[str, Any]:
        """Of the newest backup, with the parts of its manifest."""
        entries = json.loads((self.backups / "catalog.json").read_text())["backups"]
        newest = max(entries, key=lambda entry: entry["snapshot_at"])
        return newest | {"parts": json.loads((self.backups / newest["name"] / "manifest.json").read_text())["parts"]}


def run(stack: Stack, folder: Path, count: int, sample: bool) -> Record:
    record = Record("backup_cost", PROMISE)
    found: dict[str, list[float]] = {}
    with Bench(stack, folder, SAMPLE_SCALE if sample else SCALE) as bench:
        for number in range(1, count + 1):
            by_hand, size = bench.runbook()
            whole, code = bench.playbook("backup")
            record.check(code == 0, f"run {number}: the backup", f"exit {code}, {whole:.1f} s")
            verified, code = bench.playbook("backup_verify", "backup_verify_level=restore")
            record.check(code == 0, f"run {number}: restored and compared", f"exit {code}, {verified:.1f} s")
            entry = bench.entry()
            check = entry["checks"]["restore"]
            numbers = {f"runbook {name}": value for name, value in by_hand.items()} | {
                "runbook MiB": size / 2**20, "backup MiB": entry["bytes"] / 2**20, "backup": entry["seconds"], "playbook backup": whole,
                "dump": entry["parts"]["dump_seconds"], "read back": entry["parts"]["verify_seconds"], "load": check["restore_seconds"],
                "verification by restore": check["seconds"], "playbook backup_verify": verified,
            }  # fmt: skip
            for name, value in numbers.items():
                found.setdefault(name, []).append(value)
    _compare(record, found, bench.scale)
    return record


def _compare(record: Record, found: dict[str, list[float]], scale: int) -> None:
    medians = {name: statistics.median(values) for name, values in found.items()}
    record.table(
        f"pgbench at scale {scale} with documents beside it (s)",
        ["what", "median", "least", "most"],
        [[name, f"{medians[name]:.2f}", f"{min(values):.2f}", f"{max(values):.2f}"] for name, values in found.items()],
    )
    faster, smaller = medians["runbook backup"] / medians["backup"], 1 - medians["backup MiB"] / medians["runbook MiB"]
    loaded = medians["runbook restore"] / medians["load"]
    record.check(faster >= 3, "the backup, read back and all, is at least 3 times faster", f"{faster:.2f} times")
    record.check(smaller >= 0.2, "it is at least 20 % smaller", f"{smaller:.0%}")
    record.check(loaded >= 1.3, "the load of a restore is at least 1.3 times faster", f"{loaded:.2f} times")
    record.note(
        "The runbook's backup is a stream that nobody has looked at: what it is compared with includes the rows counted in the same "
        "snapshot, the hashes, and every byte read back. The playbook's own time has Ansible's start, the lock and the journal in it."
    )
    record.data.update(seconds=found, medians=medians)
