"""An nginx with TLS and pebble, for the cases of certificates: what the integration target of the playbooks uses."""

from __future__ import annotations

import os
import shutil
import ssl
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from ansible_collections.astraldraft.ops.tests.contract.lib.command import LIMIT_SECONDS, command
from ansible_collections.astraldraft.ops.tests.contract.lib.documented import ROOT

FILES = ROOT / "tests" / "integration" / "targets" / "setup_certificate" / "files"
#: certbot by what it leaves: a certificate, and what it was told. Real ones are ordered by the integration target.
PRETEND = """#!/bin/sh
set -eu
said="$* ${REQUESTS_CA_BUNDLE:-}"
while [ $# -gt 0 ]; do
    case $1 in --config-dir) folder=$2 ;; --cert-name) name=$2 ;; esac
    shift
done
case $said in *refused.test*) printf '  Domain: refused.test\\n  Type: dns\\n  Detail: no such host\\n' >&2; exit 1 ;; esac
case $said in *slow.test*) sleep 1 ;; esac
mkdir -p "$folder/live/$name"
cp "%(own)s/other.test.crt" "$folder/live/$name/fullchain.pem"
cp "%(own)s/other.test.key" "$folder/live/$name/privkey.pem"
echo "$said" >"$folder/said"
"""


class Certified:
    """``issued`` is a certificate of pebble's for a.test, which nginx serves; ``other`` one for other.test of an authority of its own. Both
    authorities are in ``trusted``. Certificates and keys are PEM."""

    def __init__(self, project: str, folder: Path) -> None:
        self.project, self.folder = project, folder
        self.own, self.tls, self.webroot = folder / "own", folder / "tls", folder / "nginx" / "acme"

    def compose(self, *arguments: str) -> str:
        return command("docker", "compose", "--project-name", self.project, "--project-directory", str(self.folder),
                       "--env-file", str(self.folder / "compose.env"), *arguments)  # fmt: skip

    def _port(self, service: str, inside: str) -> int:
        return int(self.compose("port", service, inside).rpartition(":")[2])

    def up(self) -> None:
        self.down()
        self.folder.mkdir(parents=True)
        command(str(FILES / "make"), str(self.folder))
        for name in ("compose.yml", "nginx.conf"):
            shutil.copy(FILES / name, self.folder / name)
        (self.folder / "compose.env").write_text(f"COMPOSE_PROJECT_NAME={self.project}\n")
        self.compose("up", "--detach", "--quiet-pull")
        self.tls_port, self.url = self._port("nginx", "8443"), f"http://127.0.0.1:{self._port('nginx', '8080')}"
        self.directory = f"https://127.0.0.1:{self._port('pebble', '14000')}/dir"
        roots = f"https://127.0.0.1:{self._port('pebble', '15000')}/roots/0"
        again = ("--retry", "30", "--retry-delay", "1", "--retry-all-errors")
        root = command("curl", "--silent", "--show-error", "--fail", "--insecure", *again, roots)
        self.server_ca, self.trusted = str(self.own / "pebble.pem"), str(self.own / "trusted.pem")
        Path(self.server_ca).write_text(command("docker", "exec", f"{self.project}-pebble-1", "cat", "/etc/pebble/cert.pem"))
        Path(self.trusted).write_text((self.own / "ca.pem").read_text() + root)
        self.certbot = str(self.own / "certbot")
        Path(self.certbot).write_text(PRETEND % {"own": self.own})
        Path(self.certbot).chmod(0o755)
        self.other = (self.own / "other.test.crt").read_text(), (self.own / "other.test.key").read_text()
        self.issued = self._order()
        self.plain()

    def _order(self) -> tuple[str, str]:
        folder = self.own / "acme"
        certbot = [str(Path(sys.executable).parent / "certbot"), "certonly", "--non-interactive", "--agree-tos"]
        where = [f"--{name}={folder}" for name in ("config-dir", "work-dir", "logs-dir")]
        whom = [f"--server={self.directory}", "--register-unsafely-without-email"]
        how = ["--webroot", f"--webroot-path={self.webroot}", "-d", "a.test"]
        trusting = os.environ | {"REQUESTS_CA_BUNDLE": self.server_ca}
        subprocess.run([*certbot, *where, *whom, *how], env=trusting, check=True, capture_output=True)
        live = folder / "live" / "a.test"
        return (live / "fullchain.pem").read_text(), (live / "privkey.pem").read_text()

    def plain(self) -> None:
        """nginx serves what pebble issued, from plain files, and one old version lies about."""
        for entry in self.tls.iterdir():
            shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()
        (self.tls / "server.crt").write_text(self.issued[0])
        (self.tls / "server.key").write_text(self.issued[1])
        (self.tls / "versions" / "19700101T000000Z-000000000000").mkdir(parents=True)
        command("docker", "kill", "--signal", "HUP", f"{self.project}-nginx-1")
        ends = time.monotonic() + LIMIT_SECONDS
        while self._served() != ssl.PEM_cert_to_DER_cert(self.issued[0].partition("-----END")[0] + "-----END CERTIFICATE-----\n"):
            assert time.monotonic() < ends, "nginx does not serve what it was given"
            time.sleep(0.1)

    def _served(self) -> bytes | None:
        try:
            return ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate(("127.0.0.1", self.tls_port), timeout=5))
        except OSError:
            return None

    def variables(self) -> dict[str, Any]:
        """Of a playbook that works here."""
        return {
            "stack_name": self.project, "stack_state_dir": str(self.folder), "ops_operator": "ada", "certificate_names": ["a.test"],
            "certificate_server": self.directory, "certificate_server_ca_path": self.server_ca, "certificate_challenge_urls": [self.url],
            "certificate_ca_path": self.trusted, "certificate_port": self.tls_port,
        }  # fmt: skip

    def down(self) -> None:
        ours = ["--filter", f"label=com.docker.compose.project={self.project}", "--quiet"]
        for listing, remove in ((["ps", "--all"], ["rm", "--force", "--volumes"]), (["network", "ls"], ["network", "rm"])):
            ids = command("docker", *listing, *ours).split()
            if ids:
                command("docker", *remove, *ids)
        shutil.rmtree(self.folder, ignore_errors=True)
