"""The load balancer's certificate has two days left."""

from __future__ import annotations

import subprocess
import time
from email.utils import parsedate_to_datetime
from pathlib import Path

from .fault import Fault

DAYS = 2
FILES = ("ca.crt", "server.crt", "server.key")
#: demo/prepare does not keep its authority's key, so the authority is another one, too.
SCRIPT = """
set -eu
cd "$1"
umask 077
openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -subj "/CN=Astral Draft demo CA" -addext basicConstraints=critical,CA:TRUE \
    -addext keyUsage=critical,keyCertSign,cRLSign -keyout ca.key -out ca.crt
openssl req -newkey rsa:2048 -nodes -subj "/CN=astraldraft.test" -keyout server.key -out server.csr
printf '%s\\n' basicConstraints=CA:FALSE extendedKeyUsage=serverAuth \
    subjectAltName=DNS:astraldraft.test,DNS:localhost,DNS:nginx,IP:127.0.0.1 >server.ext
openssl x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days "$2" -extfile server.ext -out server.crt
"""


class CertificateExpiring(Fault):
    cause = "certificate_expiring"

    def inject(self) -> None:
        self._tls = self.scene.stack.state / "tls"
        self._before = {name: (self._tls / name).read_bytes() for name in FILES}
        fresh = self.scene.folder / "tls"
        fresh.mkdir()
        subprocess.run(["sh", "-c", SCRIPT, "sh", str(fresh), str(DAYS)], check=True, capture_output=True)
        self._install({name: (fresh / name).read_bytes() for name in FILES})

    def _install(self, files: dict[str, bytes]) -> None:
        for name, content in files.items():
            _overwrite(self._tls / name, content)
        self.scene.reload_nginx()

    def shows(self) -> str:
        where = f"127.0.0.1:{self.scene.port('LB_TLS')}"
        script = f"openssl s_client -connect {where} -servername astraldraft.test </dev/null 2>/dev/null | openssl x509 -noout -enddate"
        said = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=False).stdout.strip().partition("=")[2]
        days = (_moment(said) - time.time()) / 86400 if said else float("inf")
        return f"the one served ends in {days:.1f} days" if days <= DAYS else ""

    def undo(self) -> None:
        self._install(self._before)


def _overwrite(path: Path, content: bytes) -> None:
    """The same file, with its owner and mode."""
    with path.open("r+b") as stream:
        stream.truncate()
        stream.write(content)


def _moment(text: str) -> float:
    """``Dec  1 15:00:00 2026 GMT`` -> seconds since the epoch."""
    month, day, clock, year, zone = text.split()
    return parsedate_to_datetime(f"{day} {month} {year} {clock} {zone}").timestamp()
