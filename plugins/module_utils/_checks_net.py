# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Health checks of TCP ports and of TLS certificates. Private: other collections must not import it."""

from __future__ import annotations

import datetime
import time

from ansible_collections.astraldraft.ops.plugins.module_utils import _tls, _x509
from ansible_collections.astraldraft.ops.plugins.module_utils._checks import latency_findings, weigh
from ansible_collections.astraldraft.ops.plugins.module_utils._net import ProbeError, connect, where
from ansible_collections.astraldraft.ops.plugins.module_utils._time import to_iso, utc_now

LATENCY_SPEC = {"latency_warn": {"type": "float"}, "latency_fail": {"type": "float"}}
TCP_SPEC = dict(LATENCY_SPEC, host={"type": "str"}, port={"type": "int"})
TCP_DEFAULTS = {}
TLS_SPEC = {
    "host": {"type": "str"},
    "port": {"type": "int"},
    "server_name": {"type": "str"},
    "ca_path": {"type": "path"},
    "certificate_path": {"type": "path"},
    "days_warn": {"type": "float"},
    "days_fail": {"type": "float"},
    "fraction_warn": {"type": "float"},
    "fraction_fail": {"type": "float"},
}
TLS_DEFAULTS = {"port": 443, "fraction_warn": 0.25, "fraction_fail": 0.1}
RENEW = "Renew it now (or find out why its renewal did not run), and make the server load the new one."


def probe_tcp(check, _context):
    """Connects and hangs up."""
    _need_host(check)
    started = time.monotonic()
    connect(check["host"], check["port"], check["timeout"]).close()
    seconds = time.monotonic() - started
    return [weigh(latency_findings(check, seconds), "connected", target=where(check["host"], check["port"]))]


def probe_tls(check, _context):
    """Verifies the chain and the host name of the certificate that is served, and measures the time it has left."""
    _need_host(check)
    host, port = check["host"], check["port"]
    target = where(host, port)
    certificate, _chain, flaw = _tls.served(host, port, check["server_name"] or host, check["ca_path"], check["timeout"])
    on_disk = _tls.chain_in_file(check["certificate_path"])[0] if check["certificate_path"] else None
    try:
        found = _x509.describe(certificate)
    except ValueError as error:
        message = "{0} serves a certificate that cannot be read: {1}".format(target, error)
        raise ProbeError("wrong_answer", "bad_certificate", message, RENEW)
    details = lifetime(found.not_before, found.not_after, utc_now())
    details["fingerprint_sha256"] = _x509.fingerprint(certificate)
    findings = [(flaw.verdict, flaw.reason, flaw.message, flaw.next)] if flaw else []
    findings += stale_findings(target, certificate, on_disk, check["certificate_path"])
    if not flaw or flaw.reason != "expired":
        findings += lifetime_findings(check, details)
    message = "valid for {0:.0f} days more ({1:.0%} of its lifetime)".format(details["days_left"], details["fraction_left"])
    return [weigh(findings, message, target=target, details=details)]


def stale_findings(target, certificate, on_disk, path):
    """The finding that another certificate (DER) is served than the one ``on_disk`` (DER, or None) in the file ``path``."""
    if on_disk is None or on_disk == certificate:
        return []
    sentence = "{0} serves another certificate than the one in {1}".format(target, path)
    return [("wrong_answer", "stale_certificate", sentence, "Reload the server: it was renewed on disk, not in memory.")]


def lifetime(not_before, not_after, now):
    """The dates of a certificate and what is left of it, in days and as a fraction of its lifetime (0 to 1)."""
    whole = max((not_after - not_before).total_seconds(), 1.0)
    left = (not_after - now).total_seconds()
    days = datetime.timedelta(days=1).total_seconds()
    return {
        "not_before": to_iso(not_before),
        "not_after": to_iso(not_after),
        "days_left": round(left / days, 3),
        "fraction_left": round(max(0.0, min(1.0, left / whole)), 4),
    }


def lifetime_findings(check, left):
    """Findings by the thresholds ``days_*`` and ``fraction_*``; either kind alone is enough."""
    for verdict, suffix in (("wrong_answer", "fail"), ("degraded", "warn")):
        for measure, unit in (("days", "{0:.1f} days"), ("fraction", "{0:.0%} of its lifetime")):
            limit, actual = check[measure + "_" + suffix], left[measure + "_left"]
            if limit is not None and actual < limit:
                sentence = "its certificate has " + unit.format(actual) + " left, less than " + unit.format(limit)
                return [(verdict, "expires_soon", sentence, RENEW)]
    return []


def _need_host(check):
    if not check["host"]:
        raise ProbeError("not_configured", "not_configured", "declared, but no host is given", "Set its host, or take the check out.")
    if not check["port"]:
        raise ProbeError("not_configured", "not_configured", "declared, but no port is given", "Set its port, or take the check out.")
