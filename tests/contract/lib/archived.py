"""A server of PostgreSQL whose log is archived by pgBackRest, for the cases of that."""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from ansible_collections.astraldraft.ops.plugins.module_utils._pgbackrest import config_text
from ansible_collections.astraldraft.ops.plugins.module_utils._time import to_iso
from ansible_collections.astraldraft.ops.tests.contract.lib.command import LIMIT_SECONDS, command
from ansible_collections.astraldraft.ops.tests.contract.lib.documented import ROOT

SHOP = ROOT / "tests" / "integration" / "targets" / "setup_backup" / "files" / "start"


class Archived:
    """A server in a container of its own, whose log pgBackRest archives; it has one full backup. ``fresh`` is a file of another repository,
    which has none; ``encrypted`` is a third one, which takes ``passphrase``. Data and repositories are volumes."""

    config, fresh = "/var/lib/postgresql/data/pgbackrest.conf", "/var/lib/postgresql/data/fresh.conf"
    repository, password = "/var/lib/pgbackrest", "shop-password"
    encrypted, passphrase = "/var/lib/pgbackrest/encrypted", "a passphrase"

    def __init__(self, project: str) -> None:
        self.name, self.moment = project, ""

    def up(self) -> None:
        self.down()
        command("docker", "run", "--detach", "--name", self.name, "--label", f"org.astraldraft.demo={self.name}", "--user", "postgres",
                "--volume", "/var/lib/postgresql/data", "--volume", self.repository, "--publish", "127.0.0.1::5432", "--no-healthcheck",
                "--env", "SHOP_FOLDER=/var/lib/postgresql/data", "--env", f"SHOP_PASSWORD={self.password}",
                "--env", "SHOP_SETTINGS=archive_mode = on", "--entrypoint", "bash", "astraldraft/postgres:17",
                "-c", SHOP.read_text(encoding="utf-8"))  # fmt: skip
        ends = time.monotonic() + LIMIT_SECONDS
        while subprocess.run([*self._inside, "pg_isready", "--quiet", "--host", "127.0.0.1"], check=False).returncode:
            assert time.monotonic() < ends, "the server does not start"
            time.sleep(0.2)
        cipher = {"repo1-cipher-type": "aes-256-cbc", "repo1-cipher-pass": self.passphrase}
        common = {"repo1-retention-full": 2, "compress-type": "zst", "process-max": 2, "start-fast": "y"}
        repositories = {
            self.config: {"repo1-path": self.repository},
            self.fresh: {"repo1-path": f"{self.repository}/fresh"},
            f"{self.config}.encrypted": {"repo1-path": self.encrypted, **cipher},
        }
        for config, where in repositories.items():
            text = config_text("main", "/var/lib/postgresql/data/data", common | where)
            command(*self._inside, "sh", "-c", f"printf %s '{text}' >{config}")
            self._pgbackrest("stanza-create", config)
        self.settle()
        command(*self._inside, "psql", "-qc", "CREATE TABLE kept AS SELECT 1 AS id")
        self._pgbackrest("backup", self.config)
        time.sleep(1)  # pgBackRest counts in whole seconds.
        self.moment = to_iso(time.time())
        command(*self._inside, "psql", "-qc", "SELECT pg_current_xact_id()")

    def _pgbackrest(self, what: str, config: str) -> None:
        command(*self._inside, "pgbackrest", f"--config={config}", "--stanza=main", "--log-level-file=off", what)

    @property
    def _inside(self) -> list[str]:
        return ["docker", "exec", self.name]

    @property
    def port(self) -> int:
        return int(command("docker", "port", self.name, "5432/tcp").splitlines()[0].rpartition(":")[2])

    def settle(self) -> None:
        """It archives by the file `config`, whatever a run has made of that."""
        words = f'pgbackrest --config={self.config} --stanza=main --log-level-file=off archive-push "%p"'
        command(*self._inside, "psql", "-qc", f"ALTER SYSTEM SET archive_command = '{words}'", "-c", "SELECT pg_reload_conf()")

    @contextlib.contextmanager
    def settled(self, _work: Path) -> Iterator[None]:
        self.settle()
        yield

    def down(self) -> None:
        subprocess.run(["docker", "rm", "--force", "--volumes", self.name], capture_output=True, check=False)
