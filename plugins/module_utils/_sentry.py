# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Events sent to Sentry as its own libraries do: in an envelope, to the address in a DSN. Private: other collections must not import it.

A DSN is a credential. What is shown of it is the host and the project.
"""

from __future__ import annotations

import collections
import json
import re
import time
import urllib.parse
import uuid

from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._http_json import IN_DOUBT, ask_json
from ansible_collections.astraldraft.ops.plugins.module_utils._net import ProbeError, where
from ansible_collections.astraldraft.ops.plugins.module_utils._patience import patiently, retry_after, seconds_of
from ansible_collections.astraldraft.ops.plugins.module_utils._time import to_iso
from ansible_collections.astraldraft.ops.plugins.module_utils._wait import Deadline

SERVICE = "Sentry"
CLIENT = "astraldraft.ops/1.0"
LEVELS = ("fatal", "error", "warning", "info", "debug")
NAMESPACE = uuid.UUID("6f1d3c1e-5d0a-5b1e-9a51-0c9a7d1f4b26")
FINGERPRINT_OF_TESTS = "astraldraft-test"
OURS = ("", "default", "error")  # the categories of limits that hold for an event
# What Sentry would leave out of an event, or not take it for, while it answers 200.
TAG_NAME = re.compile(r"[a-zA-Z0-9_.:-]{1,32}")
RELEASE = re.compile(r"(?!\.{1,2}$| | *$)[^\r\n\f\t/\\]{1,200}")
ENVIRONMENT = re.compile(r"(?!None$)[^\r\n\f/]{1,64}")
LONGEST_TAG = 200

#: ``url`` is the base address; ``shown`` is all that people may see.
Dsn = collections.namedtuple("Dsn", "url path project public secret shown")


def parse_dsn(text):
    """The parts of a DSN. Raises OpsError, which does not tell what it was."""
    try:
        parts = urllib.parse.urlsplit(text.strip())
        prefix, _slash, project = parts.path.rstrip("/").rpartition("/")
        if parts.scheme not in ("http", "https") or not parts.hostname or not parts.username or not project:
            raise ValueError("a part is missing")
        default = {"http": 80, "https": 443}[parts.scheme]
        host = parts.hostname if (parts.port or default) == default else where(parts.hostname, parts.port)
    except ValueError:
        raise OpsError("dsn is not a DSN. It looks like https://KEY@HOST/PROJECT; Sentry shows it under Client Keys of the project.")
    url = "{0}://{1}{2}".format(parts.scheme, parts.netloc.rpartition("@")[2], prefix)
    unquote = urllib.parse.unquote
    path = "/api/{0}/envelope/".format(project)
    return Dsn(url, path, project, unquote(parts.username), unquote(parts.password or ""), "{0}{1}/{2}".format(host, prefix, project))


def authentication(dsn):
    """The header by which an envelope says whose it is."""
    parts = ["sentry_version=7", "sentry_client=" + CLIENT]
    parts += ["sentry_secret=" + dsn.secret] if dsn.secret else []
    return "Sentry " + ", ".join(parts + ["sentry_key=" + dsn.public])


def event_id(project, key=None):
    """32 hexadecimal digits; with ``key`` the same ones each time, by which Sentry knows an event that it has already."""
    return (uuid.uuid5(NAMESPACE, "{0}\n{1}".format(project, key)) if key else uuid.uuid4()).hex


def event_of(params, identity, now):
    """The event that the options describe. ``now``: seconds since the epoch. Raises OpsError on what Sentry would leave out."""
    tags = {str(name): str(value) for name, value in (params["tags"] or {}).items()}
    for name, value in tags.items():
        if not TAG_NAME.fullmatch(name):
            raise OpsError("The tag {0!r} has a name that Sentry does not take. Give 1 to 32 of a-z, A-Z, 0-9, _ . : -.".format(name))
        if not value or len(value) > LONGEST_TAG or "\n" in value:
            message = "The tag {0} has a value that Sentry does not take. Give 1 to {1} characters in one line."
            raise OpsError(message.format(name, LONGEST_TAG))
    for option, form in (("release", RELEASE), ("environment", ENVIRONMENT)):
        if params[option] and not form.fullmatch(params[option]):
            message = "{0} is {1!r}, which Sentry does not take. Give up to {2} characters without slashes and line ends."
            raise OpsError(message.format(option, params[option], 200 if option == "release" else 64))
    if not params["text"].strip():
        raise OpsError("text is empty. Say what happened.")
    event = {"event_id": identity, "timestamp": to_iso(now), "platform": "other", "logger": "astraldraft.ops", "level": params["level"]}
    event["message"] = {"formatted": params["text"]}
    if params["test"]:
        tags["test"] = "true"
        event["fingerprint"] = [FINGERPRINT_OF_TESTS]
    event.update({name: params[name] for name in ("release", "environment") if params[name]})
    event.update({"tags": tags} if tags else {})
    return event


def envelope(event, sent_at):
    """The bytes of an envelope that holds one event."""
    payload = json.dumps(event).encode("utf-8")
    headers = {"event_id": event["event_id"], "sent_at": to_iso(sent_at)}
    item = {"type": "event", "length": len(payload), "content_type": "application/json"}
    return b"\n".join([json.dumps(headers).encode("utf-8"), json.dumps(item).encode("utf-8"), payload, b""])


def send(connection, dsn, event, wait_timeout, heartbeat=None, sleep=time.sleep, clock=time.monotonic):
    """Send one event; returns ``(attempts, seconds waited)``. Raises ProbeError.

    ``connection``: timeout, proxy, validate_certs and ca_path. It is sent again only when Sentry said later, at the time it said, and
    within ``wait_timeout`` seconds in all: anything else may mean that it has arrived.
    """
    connection, deadline = dict(connection, url=dsn.url), Deadline(wait_timeout, clock)
    headers = {"X-Sentry-Auth": authentication(dsn), "Content-Type": "application/x-sentry-envelope"}
    more = {"headers": headers, "secrets": (dsn.public, dsn.secret), "credentials": "dsn", "accepted": (429,)}

    def ask():
        try:
            return ask_json(connection, dsn.path, service=SERVICE, method="POST", body=envelope(event, time.time()), **more)
        except ProbeError as error:
            error.next = advice(error)
            raise

    def refused(answer, delay):
        message = "{0} takes no more events for {1} at present{2}; in {3:.0f} s it may, and {4:.0f} s are left of wait_timeout"
        words = " ({0})".format(answer.said) if answer.said else ""
        message = message.format(SERVICE, dsn.shown, words, delay, deadline.remaining)
        return ProbeError("wrong_answer", "rate_limited", message, "Run it again then, or raise wait_timeout.")

    answer, attempts, waited = patiently(ask, delay_of, refused, deadline, heartbeat, sleep)
    if not isinstance(answer.document, dict) or str(answer.document.get("id", "")).replace("-", "") != event["event_id"]:
        message = "{0} at {1} did not confirm the event".format(SERVICE, answer.url)
        raise ProbeError("wrong_answer", "not_sentry", message, "Does the dsn name a Sentry? What answers there is something else.")
    return attempts, waited


def advice(error):
    """What to do about a refusal of an envelope, where that differs from other calls."""
    return {
        "not_found": "Is that a Sentry, and not older than 20.6? Copy the dsn from Client Keys of the project.",
        "forbidden": "Sentry refuses the event: is the key in the dsn active, and does the project take such events?",
        "web_page": "Does the dsn name a Sentry? A proxy or a login page answers.",
        "redirected": "Copy the dsn from Client Keys of the project: it has the final address.",
    }.get(error.reason, error.next) + (" The event may have arrived all the same." if error.reason in IN_DOUBT else "")


def delay_of(headers, now):
    """The seconds after which Sentry takes events again, by the headers of a 429. ``now``: seconds since the epoch."""
    limits = []
    for part in headers.get("x-sentry-rate-limits", "").split(","):
        seconds, _colon, more = part.strip().partition(":")
        categories = more.partition(":")[0].split(";")
        if any(category in OURS for category in categories):
            limits += [float(seconds)] if seconds_of(seconds) is not None else []
    if limits:
        return max(limits)
    return retry_after(headers, now)
