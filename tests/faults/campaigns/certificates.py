"""Certificates are renewed under a load that never retries, and what goes wrong with one leaves the other served."""

from __future__ import annotations

import re
import shutil
import statistics
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .operations import Operations, last_words
from .record import Record
from .stack import GOOD, ROOT, Stack, docker
from .traffic import COOL_DOWN_SECONDS, RATE, Traffic, longest_silence, shown

PROMISE = (
    "Renewals against pebble under keep-alive load over TLS: no request fails and no connection is dropped; a rejected order, a broken "
    "hook and a certificate for the wrong name leave the old one served, and say so"
)
FULL, SAMPLE = 10, 1
TLS_BASE_PORT, HTTP_BASE_PORT = 8443, 8080
NAME, OTHER_NAME = "astraldraft.test", "www.astraldraft.test"
ORDER, SERVE = "Order a certificate unless it is not due", "Serve the certificate, and prove it"
FORCED = {"certificate_force": True}
#: certbot, but for another name: the name of the lineage stays.
WRONG_NAME = """#!/bin/bash
arguments=()
while (($#)); do
    case $1 in -d) arguments+=(-d {name}) && shift 2 ;; *) arguments+=("$1") && shift ;; esac
done
exec {certbot} "${{arguments[@]}}"
"""


@dataclass(frozen=True)
class Seen:
    """What openssl says of a new connection."""

    serial: str
    issuer: str
    fingerprint: str
    names: str
    verified: bool


def ask(port: int, ca: Path, name: str) -> Seen:
    """What is served under ``name`` on a port of this machine, asked of openssl; never of the collection."""
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-servername", name, "-CAfile", str(ca), "-verify_hostname", name]
    said = subprocess.run(command, input="", capture_output=True, text=True, check=False).stdout
    return read(said, verified="Verify return code: 0 (ok)" in said)


def read(pem: str, verified: bool = False) -> Seen:
    command = ["openssl", "x509", "-noout", "-serial", "-issuer", "-fingerprint", "-sha256", "-ext", "subjectAltName"]
    said = subprocess.run(command, input=pem, capture_output=True, text=True, check=True).stdout
    found = dict(re.findall(r"^(serial|issuer|sha256 Fingerprint)=(.*)$", said, re.MULTILINE))
    return Seen(found["serial"], found["issuer"], found["sha256 Fingerprint"], ", ".join(re.findall(r"DNS:([^,\s]+)", said)), verified)


class Certificate:
    """That of the stack's load balancer."""

    def __init__(self, stack: Stack) -> None:
        self.port = stack.port - HTTP_BASE_PORT + TLS_BASE_PORT
        self.ca, self.folder = stack.state / "pebble/ca.pem", stack.state / "tls"
        self._nginx = f"{stack.project}-nginx-1"

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    def seen(self) -> Seen:
        return ask(self.port, self.ca, NAME)

    def on_disk(self) -> str:
        return read((self.folder / "server.crt").read_text()).fingerprint

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Afterwards what was served before is served again, from plain files: others trust its authority alone."""
        before = {name: (self.folder / name).read_bytes() for name in ("server.crt", "server.key")}
        try:
            yield
        finally:
            for name in ("current", "previous", *before):
                (self.folder / name).unlink(missing_ok=True)
            shutil.rmtree(self.folder / "versions", ignore_errors=True)
            for name, content in before.items():
                (self.folder / name).write_bytes(content)
                (self.folder / name).chmod(0o600)
            docker("exec", self._nginx, "nginx", "-s", "reload")


def run(stack: Stack, folder: Path, count: int, sample: bool) -> Record:
    record = Record("certificates", PROMISE)
    operations, certificate = Operations(stack, folder), Certificate(stack)
    operations.ensure_live(GOOD[0])
    load = ("--url", certificate.url, "--ca", str(certificate.ca), "--server-name", NAME)
    rows: list[list[Any]] = []
    with certificate.kept(), Traffic(stack, folder, RATE, load) as traffic:
        for number in range(1, count + 1):
            renewed(record, operations, certificate, f"renewal {number}", rows)
        for what, variables, words in wrong(folder):
            failed(record, operations, certificate, what, variables, words)
        if not sample:
            for task, everything in ((ORDER, True), (SERVE, False)):
                killed(record, operations, certificate, task, everything)
        again(record, operations, certificate)
        time.sleep(COOL_DOWN_SECONDS)
    broken = [request for request in traffic.requests if request.error]
    record.check(not broken, "no request failed", f"{len(broken)} of {len(traffic.requests)} {shown(broken)}")
    record.check(traffic.report["resets"] == 0, "no connection was dropped", f"{traffic.report['resets']} resets")
    record.table("One after the other", ["renewal", "s", "serial number before", "and after", "issuer"], rows)
    if rows:
        record.note(f"A renewal takes {statistics.median(row[1] for row in rows):.1f} s (median), the order and its proof among it")
    record.note(f"{traffic.profile}; reconnects {traffic.report['reconnects']}")
    record.note(f"longest time without a good answer: {longest_silence(traffic.requests):.2f} s")
    record.data["report"] = {key: value for key, value in traffic.report.items() if key != "timeline"}
    return record


def renewed(record: Record, operations: Operations, certificate: Certificate, what: str, rows: list[list[Any]]) -> None:
    before = certificate.seen()
    play = operations.run("certificate_renew", FORCED)
    after = certificate.seen()
    good = play.process.returncode == 0
    record.check(good, f"{what}: succeeds", f"{play.seconds:.0f} s" if good else last_words(play))
    another = after.fingerprint != before.fingerprint and after.verified and after.fingerprint == certificate.on_disk()
    record.check(
        another, f"{what}: another certificate is served, it verifies and is the one on the disk", f"{after.serial} of {after.issuer}"
    )
    rows.append([what, round(play.seconds, 1), before.serial[-8:], after.serial[-8:], after.issuer])


def wrong(folder: Path) -> list[tuple[str, dict[str, Any], tuple[str, ...]]]:
    """What goes wrong, by its variables, and what has to be said of it."""
    wrapper = folder / "certbot"
    wrapper.write_text(WRONG_NAME.format(name=OTHER_NAME, certbot=ROOT / ".venv/bin/certbot"))
    wrapper.chmod(0o755)
    back = "The certificate before is back in its place, and is the one that is served"
    return [
        ("a rejected order", {"certificate_names": [NAME, "nowhere.test"]}, ("nowhere.test", "What was served is served")),
        ("a broken hook", FORCED | {"certificate_hooks": [["false"]]}, ("The hook false failed with exit code 1", back)),
        (
            "a certificate for the wrong name",
            FORCED | {"certificate_certbot_path": str(wrapper)},
            (f"it is for {OTHER_NAME}, and not for {NAME}", "What was served is served"),
        ),
    ]


def failed(
    record: Record, operations: Operations, certificate: Certificate, what: str, variables: dict[str, Any], words: tuple[str, ...]
) -> None:
    before = certificate.seen()
    play = operations.run("certificate_renew", variables)
    after = certificate.seen()
    said = re.sub(r"\s+", " ", play.output)
    missing = [word for word in words if word not in said]
    record.check(play.process.returncode != 0, f"{what}: fails", f"exit {play.process.returncode}")
    record.check(not missing, f"{what}: says so", f"not said: {missing}; {last_words(play)}" if missing else words[0])
    stays = after.fingerprint == before.fingerprint == certificate.on_disk() and after.verified
    record.check(stays, f"{what}: the old one is served and lies on the disk", f"{before.serial} and {after.serial}")


def killed(record: Record, operations: Operations, certificate: Certificate, task: str, everything: bool) -> None:
    """What is served verifies at once, and after the next run, which begins when the lock has expired."""
    play = operations.start("certificate_renew", FORCED)
    if not record.check(play.wait_for_task(task), f"killed at {task!r}: it comes to that", last_words(play)):
        play.kill()
        return
    time.sleep(1)
    left = play.kill(everything)
    record.check(
        certificate.seen().verified, f"killed at {task!r}: what is served verifies", f"{len(left)} modules outlived the controller"
    )
    again(record, operations, certificate, f"killed at {task!r}: ")


def again(record: Record, operations: Operations, certificate: Certificate, what: str = "") -> None:
    """Whatever was before, a renewal that is not forced ends well, and the next one has nothing to do."""
    play = operations.run("certificate_renew", {})
    seen = certificate.seen()
    good = play.process.returncode == 0 and seen.verified and seen.names == NAME and seen.fingerprint == certificate.on_disk()
    record.check(good, f"{what}the next renewal serves what is right", seen.serial if good else last_words(play))
    play = operations.run("certificate_renew", {})
    idle = play.process.returncode == 0 and bool(re.search(r"changed=0 ", play.output))
    record.check(idle, f"{what}and the one after has nothing to do", "" if idle else last_words(play))
