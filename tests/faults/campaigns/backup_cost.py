"""A backup and its verification beside the runbook's own commands: ``pg_dump | gzip``, ``gzip -t`` and ``gunzip | psql``."""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import time
from pathlib import Path
from typing import Any

from .bare import Ran, fill, login, playbook
from .record import Record
from .server import Server
from .stack import Stack

PROMISE = "backup 3 times faster and 20 % smaller than pg_dump | gzip; the load of a restore 1.3 times faster than gunzip | psql; at least"
FULL = 3
#: Times 100,000 accounts of pgbench, and a table of documents beside them.
SCALE, SAMPLE_SCALE = 50, 5
RESTORED = "restored"
DOCUMENTS = """
CREATE TABLE documents (id bigserial PRIMARY KEY, body jsonb, note text);
INSERT INTO documents (body, note)
  SELECT jsonb_build_object('player', n, 'team', n % 32, 'name', md5(n::text)), repeat(md5((n % 1000)::text), 8)
    FROM generate_series(1, {0}) n;
CREATE INDEX ON documents USING gin (body jsonb_path_ops);
CREATE INDEX ON documents (note);
"""


class Bench:
    """A database on a server of its own. What is done by hand is done with the tools in its container, as the playbooks do it."""

    def __init__(self, server: Server, folder: Path, scale: int) -> None:
        self.server, self.folder = server, folder
        self.backups = folder / "backups"
        fill(server, scale)
        server.psql(DOCUMENTS.format(scale * 10000))
        # Nothing that the filling left to be done is done meanwhile.
        server.psql("VACUUM ANALYZE", "CHECKPOINT", "ALTER SYSTEM SET autovacuum = off", "SELECT pg_reload_conf()")

    def runbook(self) -> tuple[dict[str, float], int]:
        """-> seconds of each step, bytes of the backup"""
        path, client = self.folder / "runbook.sql.gz", f"docker exec -i -u postgres {self.server.name}"
        steps = {
            "backup": f"{client} pg_dump {self.server.database} | gzip >{path}",
            "verify": f"gzip -t {path}",
            "restore": f"gunzip -c {path} | {client} psql -q -v ON_ERROR_STOP=1 {RESTORED}",
        }
        self.server.inside("createdb", RESTORED)
        seconds = {}
        for name, line in steps.items():
            started = time.monotonic()
            subprocess.run(["bash", "-c", "set -o pipefail; " + line], check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
            seconds[name] = time.monotonic() - started
        self.server.inside("dropdb", "--force", RESTORED)
        size = path.stat().st_size
        path.unlink()
        return seconds, size

    def playbook(self, name: str, **more: Any) -> Ran:
        given = {
            "stack_state_dir": str(self.folder / "state"), "database_login": login(self.server), "backup_login": login(self.server),
            "backup_tools_service": "", "backup_tools_container": self.server.name, "backup_path": str(self.backups), "backup_queries": [],
            "backup_metrics_path": "",
        }  # fmt: skip
        return playbook(f"playbooks/{name}.yml", given | more, self.folder / f"{name}.log")

    def entry(self) -> dict[str, Any]:
        """Of the newest backup, with the parts of its manifest."""
        entries = json.loads((self.backups / "catalog.json").read_text())["backups"]
        newest = max(entries, key=lambda entry: entry["snapshot_at"])
        return newest | {"parts": json.loads((self.backups / newest["name"] / "manifest.json").read_text())["parts"]}


def run(stack: Stack, folder: Path, count: int, sample: bool) -> Record:
    record, scale = Record("backup_cost", PROMISE), SAMPLE_SCALE if sample else SCALE
    found: dict[str, list[float]] = {}
    with Server(stack, "backup-cost") as server:
        bench = Bench(server, folder, scale)
        for number in range(1, count + 1):
            by_hand, size = bench.runbook()
            taken = bench.playbook("backup")
            if not record.check(taken.code == 0, f"run {number}: the backup", f"exit {taken.code}, {taken.seconds:.1f} s"):
                return record
            verified = bench.playbook("backup_verify", backup_verify_level="restore")
            told = f"exit {verified.code}, {verified.seconds:.1f} s"
            if not record.check(verified.code == 0, f"run {number}: restored and compared", told):
                return record
            entry = bench.entry()
            check = entry["checks"]["restore"]
            numbers = {f"runbook {name}": value for name, value in by_hand.items()} | {
                "runbook MiB": size / 2**20, "backup MiB": entry["bytes"] / 2**20, "backup": entry["seconds"],
                "playbook backup": taken.seconds, "dump": entry["parts"]["dump_seconds"], "read back": entry["parts"]["verify_seconds"],
                "load": check["restore_seconds"], "verification by restore": check["seconds"], "playbook backup_verify": verified.seconds,
            }  # fmt: skip
            for name, value in numbers.items():
                found.setdefault(name, []).append(value)
            shutil.rmtree(bench.backups)
    _compare(record, found, scale)
    return record


def _compare(record: Record, found: dict[str, list[float]], scale: int) -> None:
    medians = {name: statistics.median(values) for name, values in found.items()}
    record.table(
        f"pgbench at scale {scale} with documents beside it (s)",
        ["what", "median", "least", "most"],
        [[name, f"{medians[name]:.2f}", f"{min(values):.2f}", f"{max(values):.2f}"] for name, values in found.items()],
    )
    smaller = 1 - medians["backup MiB"] / medians["runbook MiB"]
    dumped = medians["runbook backup"] / medians["dump"]
    whole = (medians["runbook backup"] + medians["runbook verify"]) / medians["backup"]
    loaded = medians["runbook restore"] / medians["load"]
    record.check(dumped >= 3, "the dump is at least 3 times faster than pg_dump | gzip", f"{dumped:.2f} times")
    record.check(whole >= 3, "so is all of the backup, which reads it back, than that and gzip -t", f"{whole:.2f} times")
    record.check(smaller >= 0.2, "it is at least 20 % smaller", f"{smaller:.0%}")
    record.check(loaded >= 1.3, "the load of a restore is at least 1.3 times faster", f"{loaded:.2f} times")
    record.note(
        "gzip -t reads what the runbook has written, and passes an empty file. The backup includes the rows counted in the same "
        "snapshot, the hashes, and every byte read back. The playbook's own time has Ansible's start, the lock and the journal in it."
    )
    record.data.update(seconds=found, medians=medians)
