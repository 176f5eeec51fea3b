"""Backups and restores of a database on a server of the campaign's own, and what can be said of its databases from outside."""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from .operations import Operations
from .play import Play
from .server import Ledger, Server
from .stack import Stack

DATABASE, WRITER = "shop", "writer"
#: Beside the ledger, pgbench's own tables; what is asked of each is one line about all that is in it.
TABLES = ("pgbench_accounts", "pgbench_branches", "pgbench_tellers", "documents")
DOCUMENTS = (
    "CREATE TABLE documents (id bigserial PRIMARY KEY, body jsonb, note text)",
    """INSERT INTO documents (body, note)
       SELECT jsonb_build_object('player', n, 'team', n % 32, 'name', md5(n::text)), repeat(md5((n % 1000)::text), 8)
         FROM generate_series(1, {0}) n""",
    "CREATE INDEX ON documents USING gin (body jsonb_path_ops)",
    "CREATE INDEX ON documents (note)",
)
FINGERPRINT = "SELECT count(*), coalesce(sum(hashtext({0}::text)), 0) FROM {0}"
#: The result for machines is printed, as JSON.
TOLD = {"ANSIBLE_SHOW_CUSTOM_STATS": "1", "ANSIBLE_CALLBACK_RESULT_FORMAT": "json"}
OBJECTS = """
SELECT (SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace),
       (SELECT count(*) FROM pg_index WHERE NOT indisvalid), (SELECT count(*) FROM pg_constraint)
"""


class Restores:
    """``fill`` makes the database; then playbooks are run on it."""

    def __init__(self, stack: Stack, folder: Path, server: Server, **variables: Any) -> None:
        self.stack, self.folder, self.server = stack, folder, server
        #: Where a module that runs in the background has its files.
        self.remote = folder / "remote"
        self._operations = Operations(stack, folder, TOLD | {"ANSIBLE_REMOTE_TEMP": str(self.remote)})
        login = {"login_host": "127.0.0.1", "login_port": server.port, "login_user": "postgres", "login_db": server.database}
        self.variables: dict[str, Any] = {
            "database_login": login, "backup_login": login, "restore_login": login, "backup_environment": "campaign",
            "backup_path": str(folder / "backups"), "backup_tools_service": "", "backup_tools_container": server.name,
            "backup_queries": [], "backup_metrics_path": "", "restore_checks": [], "ops_confirm": server.database, **variables,
        }  # fmt: skip

    def fill(self, scale: int) -> None:
        """``scale`` times 100,000 accounts of pgbench and 10,000 documents, and the ledger of the writers."""
        server = self.server
        server.inside("createdb", server.database)
        server.inside("pgbench", "--initialize", "--quiet", f"--scale={scale}", server.database)
        server.psql(*(statement.format(scale * 10_000) for statement in DOCUMENTS), Ledger.TABLE)
        server.psql(f"CREATE ROLE {WRITER} LOGIN", f"GRANT SELECT, INSERT ON ledger TO {WRITER}", "ANALYZE")

    # -- playbooks

    def start(self, playbook: str, **more: Any) -> Play:
        given = {"restore_backup": "latest"} if playbook == "restore" else {}
        return self._operations.start(playbook, {**self.variables, **given, **more})

    def run(self, playbook: str, **more: Any) -> Play:
        play = self.start(playbook, **more)
        play.wait()
        return play

    # -- what is there, asked without the collection

    def databases(self) -> dict[str, tuple[int, bool]]:
        """By their names: oid, and whether anybody may connect. Raises psycopg2.Error when nobody answers."""
        rows = self.server.ask("SELECT datname, oid, datallowconn FROM pg_database WHERE NOT datistemplate", "postgres")
        return {str(name): (int(oid), bool(allowed)) for name, oid, allowed in rows}

    def live(self) -> int:
        """The oid of the database that has the live one's name. Raises KeyError when there is none."""
        return self.databases()[self.server.database][0]

    def fingerprint(self) -> dict[str, Any]:
        """What is in the live database beside the ledger."""
        found = {table: self.server.ask(FINGERPRINT.format(table))[0] for table in TABLES}
        return found | {"objects": self.server.ask(OBJECTS)[0]}

    def ledger(self) -> set[tuple[int, int]]:
        return {(int(writer), int(number)) for writer, number in self.server.ask("SELECT writer, number FROM ledger")}

    def manifest(self) -> dict[str, Any]:
        """Of the newest ordinary backup."""
        entries = json.loads((self.folder / "backups/catalog.json").read_text())["backups"]
        newest = max((entry for entry in entries if entry["purpose"] == "ordinary"), key=lambda entry: entry["snapshot_at"])
        return dict(json.loads((self.folder / "backups" / newest["name"] / "manifest.json").read_text()))


class Peak:
    """A context: the most memory that a program of that name had at a time, in MiB; None when none ran."""

    EVERY_SECONDS = 0.05

    def __init__(self, *programs: str) -> None:
        self.of: dict[str, float | None] = dict.fromkeys(programs)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Peak:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        known: dict[int, str] = {}
        while not self._over.wait(self.EVERY_SECONDS):
            for pid in (int(name) for name in os.listdir("/proc") if name.isdigit() and int(name) not in known):
                command = _read(f"/proc/{pid}/cmdline")
                known[pid] = next((name for name in self.of if name in command), "")
            for pid, name in known.items():
                for line in _read(f"/proc/{pid}/status").splitlines() if name else ():
                    if line.startswith("VmHWM:"):
                        self.of[name] = max(self.of[name] or 0.0, int(line.split()[1]) / 1024)


def _read(path: str) -> str:
    with contextlib.suppress(OSError), open(path, "rb") as stream:
        return stream.read().replace(b"\0", b" ").decode(errors="replace")
    return ""


def evidence(play: Play, hosts: Iterable[str] = ()) -> dict[str, Any]:
    """What the playbook left for machines (set_stats); where several hosts did, that of the first of ``hosts``. Raises ValueError
    when there is none."""
    _before, _marker, text = play.output.partition("CUSTOM STATS:")
    found = dict(json.loads(text[text.index("{") :])["ops_result"]["evidence"])
    return next((found[name] for name in hosts if name in found), found)


def wait_for(condition: Any, seconds: float, every: float = 0.05) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(every)
    return False
