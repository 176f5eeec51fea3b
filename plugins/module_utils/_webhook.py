# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Messages sent as JSON to an address that is a credential, and signed where there is a key. Private: other collections must not import it.

The signature is that of Standard Webhooks (https://www.standardwebhooks.com, version 1), for which there are libraries in most languages:
an HMAC over the message's id, the time and the body.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import urllib.parse

from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._http_json import IN_DOUBT, ask_json
from ansible_collections.astraldraft.ops.plugins.module_utils._net import ProbeError
from ansible_collections.astraldraft.ops.plugins.module_utils._patience import patiently, retry_after
from ansible_collections.astraldraft.ops.plugins.module_utils._wait import Deadline

SERVICE = "The webhook"
SHORTEST_KEY = 16
PREFIX = "whsec_"


def key_of(text, option="key"):
    """The bytes of a signing key: of base64 after ``whsec_``, else of the text itself. Raises OpsError on one that can be guessed."""
    if text.startswith(PREFIX):
        try:
            key = base64.b64decode(text[len(PREFIX) :], validate=True)
        except (binascii.Error, ValueError):
            raise OpsError("{0} begins with whsec_, and no base64 follows. Copy it again from the receiver.".format(option))
    else:
        key = text.encode("utf-8")
    if len(key) < SHORTEST_KEY:
        raise OpsError(
            "{0} is too short: {1} bytes, and anything under {2} can be guessed. Make one with: openssl rand -hex 32".format(
                option, len(key), SHORTEST_KEY
            )
        )
    return key


def body_of(payload):
    """The bytes that are sent, and signed."""
    return json.dumps(payload, sort_keys=True, ensure_ascii=False).encode("utf-8")


def signature(key, identity, timestamp, body):
    """``v1,...`` of a message. ``timestamp``: whole seconds since the epoch."""
    signed = "{0}.{1}.".format(identity, timestamp).encode("utf-8") + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode("ascii")


def headers_of(key, identity, timestamp, body):
    """By which a receiver knows that it is from us, that it is new, and whether it has it already."""
    found = {"webhook-id": identity, "webhook-timestamp": str(timestamp)}
    return dict(found, **({"webhook-signature": signature(key, identity, timestamp, body)} if key else {}))


def shown(url):
    """The host of an address: all else of it may be a credential."""
    try:
        parts = urllib.parse.urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError
        return "{0}://{1}".format(parts.scheme, parts.netloc.rpartition("@")[2])
    except ValueError:
        raise OpsError("url is no address of a webhook: it must start with http:// or https:// and name a host. Nothing was sent.")


def send(connection, payload, identity, key, wait_timeout, clock, heartbeat=None, credentials="url, or key"):
    """Send one message; returns ``(status, attempts, seconds waited)``. Raises ProbeError.

    It is sent again only when the receiver wants it later: anything else may mean that it has arrived. ``clock()``: seconds of the epoch.
    """
    body, deadline, parts = body_of(payload), Deadline(wait_timeout), urllib.parse.urlsplit(connection["url"])
    secrets = [secret for secret in (parts.path.strip("/"), parts.query, parts.username, parts.password) if secret]

    def ask():
        headers = dict(headers_of(key, identity, int(clock()), body), **{"Content-Type": "application/json"})
        more = {"secrets": secrets, "credentials": credentials, "accepted": (429,), "text": True}
        return ask_json(connection, "", service=SERVICE, method="POST", body=body, headers=headers, **more)

    def refused(_answer, delay):
        message = "{0} at {1} wants it later; in {2:.0f} s it may be taken, and {3:.0f} s are left of wait_timeout"
        message = message.format(SERVICE, shown(connection["url"]), delay, deadline.remaining)
        return ProbeError("wrong_answer", "rate_limited", message, "Run it again then, or raise wait_timeout.")

    try:
        answer, attempts, waited = patiently(ask, retry_after, refused, deadline, heartbeat)
    except ProbeError as error:
        if error.reason in IN_DOUBT:
            error.next += " The message may have arrived all the same; a receiver that knows its id takes it once."
        raise
    return answer.status, attempts, waited
