# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Servers asked for their certificates, all at once, and what is to be said of each. Private: other collections must not import it."""

from __future__ import annotations

import time

from ansible_collections.astraldraft.ops.plugins.module_utils import _certificate, _certificate_window, _tls, _x509
from ansible_collections.astraldraft.ops.plugins.module_utils._checks import GRACE, Outcome, in_parallel, weigh
from ansible_collections.astraldraft.ops.plugins.module_utils._checks_net import RENEW, lifetime, lifetime_findings, stale_findings
from ansible_collections.astraldraft.ops.plugins.module_utils._net import ProbeError, where
from ansible_collections.astraldraft.ops.plugins.module_utils._time import utc_now

ENDPOINT_SPEC = {
    "name": {"type": "str"},
    "host": {"type": "str", "required": True},
    "port": {"type": "int", "default": 443},
    "names": {"type": "list", "elements": "str", "default": []},
    "ca_path": {"type": "path"},
    "certificate_path": {"type": "path"},
    "server": {"type": "str"},
}
NOTHING = {
    "served": None, "on_disk": None, "chain": None, "verified": None, "days_left": None, "fraction_left": None, "window": None, "due": [],
}  # fmt: skip


def ask_all(endpoints, params, heartbeat=None):
    """One Outcome for each of ``endpoints``, in their order; ``params`` are the options that all have in common."""
    # The server, then its authority, each within its own limit.
    limits = [params["timeout"] * (2 if endpoint["server"] else 1) for endpoint in endpoints]
    answers = in_parallel([(_job(endpoint, params), limit) for endpoint, limit in zip(endpoints, limits)], heartbeat, GRACE)
    outcomes = []
    for endpoint, limit, answer in zip(endpoints, limits, answers):
        if isinstance(answer, Exception):
            raise answer
        if answer is None:
            message = "no answer within {0:g} s".format(limit)
            answer = Outcome("timed_out", "hung", message, "The host or its name server hangs.", details=dict(NOTHING))
        answer.target = where(endpoint["host"], endpoint["port"])
        answer.name = endpoint["name"] or answer.target
        outcomes.append(answer)
    return outcomes


def _job(endpoint, params):
    def job():
        started = time.monotonic()
        details = dict(NOTHING)
        try:
            outcome = examine(endpoint, params, details)
        except ProbeError as error:
            outcome = Outcome.of(error, details=details)
        outcome.duration = round(time.monotonic() - started, 3)
        return outcome

    return job


def examine(endpoint, params, details):
    """The Outcome of one endpoint. ``details`` (dict) is filled with what is found on the way. Raises ProbeError."""
    target, names = where(endpoint["host"], endpoint["port"]), endpoint["names"] or [endpoint["host"]]
    served = _tls.served(endpoint["host"], endpoint["port"], names[0], endpoint["ca_path"], params["timeout"])
    try:
        own = _x509.describe(served.certificate)
        chain = None if served.chain is None else [_x509.describe(der) for der in served.chain]
    except ValueError as error:
        message = "{0} serves a certificate that cannot be read: {1}".format(target, error)
        raise ProbeError("wrong_answer", "bad_certificate", message, RENEW)
    now = utc_now()
    left = lifetime(own.not_before, own.not_after, now)
    details.update(
        served=_certificate.told(own),
        chain=None if chain is None else [one.subject or ", ".join(one.names) for one in chain],
        verified=served.flaw is None,
        days_left=left["days_left"],
        fraction_left=left["fraction_left"],
    )
    flaw = served.flaw
    findings = [(flaw.verdict, flaw.reason, flaw.message, flaw.next)] if flaw else []
    findings += _disk_findings(target, served.certificate, endpoint["certificate_path"], details)
    if not flaw or flaw.reason != "wrong_host":
        findings += _certificate.name_findings(target, own, names)
    if not flaw or flaw.reason != "expired":
        limits = {"fraction_warn": params["fraction_warn"], "fraction_fail": params["fraction_fail"], "days_warn": None, "days_fail": None}
        findings += lifetime_findings(limits, left)
    findings += _certificate.chain_findings(target, chain) + _window_findings(endpoint, params, own, details)
    details["due"] = _certificate.due(own, now, names, params["renew_fraction"], details["window"])
    return weigh(findings, _well(own, left, details), details=details)


def _disk_findings(target, certificate, path, details):
    if not path:
        return []
    try:
        on_disk = _tls.chain_in_file(path)[0]
        details["on_disk"] = _certificate.told(_x509.describe(on_disk))
    except ProbeError as error:
        return [("wrong_answer", error.reason, error.message, error.next)]
    except ValueError as error:
        return [("wrong_answer", "certificate_file", "{0} cannot be read: {1}".format(path, error), "Write the file anew.")]
    return stale_findings(target, certificate, on_disk, path)


def _window_findings(endpoint, params, own, details):
    """An authority that does not answer is told, and is no fault of what is served."""
    if not endpoint["server"]:
        return []
    try:
        where_to = {"url": endpoint["server"], "ca_path": params["server_ca_path"], "timeout": params["timeout"]}
        details["window"] = _certificate_window.suggested(where_to, own)
    except ProbeError as error:
        sentence = "whether its authority suggests to renew it is not known: {0}".format(error.message)
        return [("degraded", "authority", sentence, error.next)]
    return []


def _well(own, left, details):
    text = "{0} from {1}, valid for {2:.0f} days more ({3:.0%} of its lifetime)".format(
        ", ".join(own.names) or own.subject, own.issuer, left["days_left"], left["fraction_left"]
    )
    text += ", the same on the disk" if details["on_disk"] else ""
    return text + (", due to be renewed: {0}".format(" and ".join(details["due"])) if details["due"] else "")


def to_record(outcome):
    """The Outcome as the result has it (dict)."""
    keys = ("name", "target", "verdict", "reason", "message", "next", "duration")
    return dict({key: getattr(outcome, key) for key in keys}, **outcome.details)
