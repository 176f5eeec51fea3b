# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Health checks over HTTP, by URL or on every replica of a service. Private: other collections must not import it."""

from __future__ import annotations

import time

from ansible_collections.astraldraft.ops.plugins.module_utils import _clock_offset, _jsonpath
from ansible_collections.astraldraft.ops.plugins.module_utils._checks import Outcome, in_parallel, latency_findings, name_of, weigh
from ansible_collections.astraldraft.ops.plugins.module_utils._checks_container import containers_of
from ansible_collections.astraldraft.ops.plugins.module_utils._checks_net import LATENCY_SPEC
from ansible_collections.astraldraft.ops.plugins.module_utils._http import decode_json, request, safe_url
from ansible_collections.astraldraft.ops.plugins.module_utils._net import ProbeError, where

ASSERTION_SPEC = {
    "path": {"type": "str", "required": True},
    "equals": {"type": "raw"},
    "one_of": {"type": "list", "elements": "raw"},
    "matches": {"type": "str"},
    "exists": {"type": "bool"},
}
HTTP_CHECK_SPEC = dict(
    LATENCY_SPEC,
    url={"type": "str"},
    project={"type": "str"},
    services={"type": "list", "elements": "str", "aliases": ["service"]},
    network={"type": "str"},
    scheme={"type": "str", "choices": ["http", "https"]},
    port={"type": "int"},
    path={"type": "str"},
    replicas={"type": "int"},
    method={"type": "str", "choices": ["GET", "HEAD"]},
    headers={"type": "dict", "no_log": True},
    host_header={"type": "str"},
    url_username={"type": "str"},
    url_password={"type": "str", "no_log": True},
    bearer_token={"type": "str", "no_log": True},
    validate_certs={"type": "bool"},
    ca_path={"type": "path"},
    status={"type": "list", "elements": "int"},
    auth_statuses={"type": "list", "elements": "int"},
    external={"type": "bool"},
    json={"type": "list", "elements": "dict", "options": ASSERTION_SPEC},
    contains={"type": "str"},
    expected_version={"type": "str"},
    version_path={"type": "str"},
    version_header={"type": "str"},
)
HTTP_CHECK_DEFAULTS = {
    "scheme": "http",
    "path": "/",
    "method": "GET",
    "validate_certs": True,
    "status": [200],
    "auth_statuses": [401, 403],
    "external": False,
    "version_path": "version",
    "version_header": "X-Release",
}
THEIRS = "Nothing here is wrong: look at the provider's status page, and tell the users what does not work meanwhile."


def probe_http(check, context):
    """One outcome for a URL, or one for every running replica of the services (and one more when their number is wrong)."""
    if check["services"]:
        return _replicas(check, context)
    if not check["url"]:
        raise ProbeError("not_configured", "not_configured", "declared, but no url is given", "Set its url, or take the check out.")
    return [ask(check, check["url"])]


def ask(check, url, name=None):
    """Ask one URL and judge its answer. Returns an Outcome."""
    target, before = safe_url(url), time.time()
    try:
        response = request(
            url,
            method=check["method"],
            headers=check["headers"],
            timeout=check["timeout"],
            username=check["url_username"],
            password=check["url_password"],
            bearer_token=check["bearer_token"],
            validate_certs=check["validate_certs"],
            ca_path=check["ca_path"],
            host_header=check["host_header"],
        )
    except ProbeError as error:
        outcome = Outcome.of(error, name=name, target=target)
        if check["external"] and error.verdict in ("timed_out", "refused") or check["external"] and error.reason in ("reset", "cut_short"):
            outcome.reason, outcome.next = "their_outage", THEIRS
        return outcome
    findings, version = judge(check, response)
    details = {"status": response.status, "seconds": response.duration, "bytes": len(response.body)}
    details["clock_offset"] = _clock_offset.of_date(response.headers.get("date"), before, time.time())
    message = "{0} in {1:.0f} ms".format(response.status, response.duration * 1000)
    if version:
        details["version"] = version
        message += ", version {0}".format(version)
    return weigh(findings, message, name=name, target=target, details=details)


def judge(check, response):
    """``(findings, version)`` of a response: pure. A wrong status ends the judgement, since the body then belongs to an error page."""
    if response.status not in check["status"]:
        return [status_finding(check, response)], None
    findings, document, version = [], None, None
    if check["json"] or check["expected_version"]:
        try:
            document = decode_json(response)
        except ProbeError as error:
            return [(error.verdict, error.reason, error.message, error.next)], None
    for assertion in check["json"] or []:
        sentence = _jsonpath.violation(document, assertion)
        if sentence:
            findings.append(("wrong_answer", "assertion", sentence, "The service runs but reports trouble: read its log."))
    if check["expected_version"]:
        version, more = version_findings(check, response, document)
        findings += more
    if check["contains"] and check["contains"] not in response.body.decode("utf-8", "replace"):
        sentence = "its body does not contain {0!r}".format(check["contains"])
        findings.append(("wrong_answer", "body", sentence, "Is this the right page? A proxy or a maintenance page may answer."))
    return findings + latency_findings(check, response.duration), version


def version_findings(check, response, document):
    """``(version, findings)``: the body must name the expected version, and so must the version header where there is one."""
    wanted, stamped = check["expected_version"], response.headers.get(check["version_header"].lower())
    found = _jsonpath.find(document, check["version_path"])
    advice = "Another release than expected is live or was built: compare the image, the deploy and the load balancer."
    if found is _jsonpath.MISSING:
        return stamped, [("wrong_answer", "version", "its answer names no version at {0}".format(check["version_path"]), advice)]
    found, findings = _jsonpath.text(found), []
    if found != wanted:
        findings.append(("wrong_answer", "version", "answers as version {0}, not {1}".format(found, wanted), advice))
    if stamped is not None and stamped != wanted:
        sentence = "stamps {0}: {1}, not {2}".format(check["version_header"], stamped, wanted)
        findings.append(("wrong_answer", "version", sentence, advice))
    return found, findings


def status_finding(check, response):
    """What an unexpected status means, and whose it is to mend."""
    status = response.status
    said = "answered {0}, not {1}".format(status, " or ".join(str(number) for number in check["status"]))
    if status in check["auth_statuses"]:
        return ("wrong_answer", "our_credentials", said + ": it refuses our credentials", "It is up: renew or correct the key.")
    if status == 429:
        return ("wrong_answer", "rate_limited", said + ": too many requests from us", "Ask less often, or raise the plan's limit.")
    if status >= 500:
        if check["external"]:
            return ("wrong_answer", "their_outage", said + ": the provider fails", THEIRS)
        return ("wrong_answer", "server_error", said, "The service answers but fails: read its log, then its dependencies' checks.")
    if 300 <= status < 400:
        goal = safe_url(response.headers.get("location", "")) or "nowhere"
        return ("wrong_answer", "redirected", "{0}: it redirects to {1}".format(said, goal), "Name the final address, or list the status.")
    return ("wrong_answer", "unexpected_status", said, "Correct the address, or list this status if it is right.")


def _replicas(check, context):
    if not check["port"]:
        message = "{0}: checking replicas needs the port they listen on".format(name_of(check))
        raise ProbeError("not_configured", "not_configured", message, "Set port.")
    running, outcomes = [], []
    for replica in containers_of(check, context, check["services"]):
        if replica.state == "running":
            running.append(replica)
    wanted, label = check["replicas"], name_of(check)
    if not running or wanted is not None and len(running) != wanted:
        sentence = "{0} replicas of {1} run, {2} expected".format(len(running), " or ".join(check["services"]), wanted or "at least 1")
        advice = "Look at the stopped ones: docker compose ps --all; then scale or deploy."
        outcomes.append(Outcome("wrong_answer", "replica_count", sentence, advice))
    jobs = [(_job(check, replica, "{0} {1}-{2}".format(label, replica.service, replica.number)), check["timeout"]) for replica in running]
    for answer, replica in zip(in_parallel(jobs), running):
        if isinstance(answer, Exception):
            raise answer
        outcomes.append(answer or Outcome("timed_out", "hung", "{0} did not answer".format(replica.name), "Restart this replica."))
    return outcomes


def _job(check, replica, name):
    def job():
        address = replica.addresses.get(check["network"]) if check["network"] else next(iter(replica.addresses.values()), None)
        if not address:
            message = "{0} has no address{1}".format(replica.name, " in network " + check["network"] if check["network"] else "")
            return Outcome("unreachable", "no_address", message, "Is it attached to that network?", name=name, target=replica.name)
        path = check["path"] if check["path"].startswith("/") else "/" + check["path"]
        return ask(check, "{0}://{1}{2}".format(check["scheme"], where(address, check["port"]), path), name=name)

    return job
