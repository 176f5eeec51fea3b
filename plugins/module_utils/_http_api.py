# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Questions to a service that answers in JSON. Private: other collections must not import it.

Every way in which one can fail to answer has a reason and a sentence of its own, so that none of them is taken for an answer.
"""

from __future__ import annotations

import json

from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._http import decode_json, request
from ansible_collections.astraldraft.ops.plugins.module_utils._net import ProbeError
from ansible_collections.astraldraft.ops.plugins.module_utils._redact import redact_text

MAX_BYTES = 16 * 1024 * 1024
#: After these nobody knows whether what was sent has arrived.
IN_DOUBT = ("timed_out", "reset", "cut_short", "not_http", "html", "not_json", "too_large")
MOST_SAID = 200  # characters of what a service says about its refusal
OPTIONS = {"url": "url", "username": "url_username", "password": "url_password", "bearer_token": "bearer_token",
           "validate_certs": "validate_certs", "ca_path": "ca_path", "timeout": "timeout"}  # fmt: skip
CREDENTIALS = "bearer_token, or url_username and url_password"


def connection_of(params):
    """The arguments of :func:`request` in the options of HTTP_SPEC; ``url`` is the base address."""
    return {argument: params[option] for argument, option in OPTIONS.items()}


def ask_json(connection, method, path, body=None, what="the service"):
    """The JSON document that ``what`` (its name, for people) answers to one call. Raises ProbeError."""
    return ask(connection, method, path, body, what)[0]


def ask(connection, method, path, body=None, what="the service", accepted=(), headers=None, credentials=CREDENTIALS):
    """``(document, Response)`` of one call. ``path`` is added to the base address; ``body`` is sent as JSON, bytes as they are.

    Raises ProbeError for every status that is neither 2xx nor ``accepted``; the document of one that is accepted may be None. Only GET is
    asked again. ``credentials`` names the options to correct when they are refused.
    """
    sent = dict({"Accept": "application/json"}, **(headers or {}))
    if body is not None and not isinstance(body, bytes):
        body = json.dumps(body).encode("utf-8")
        sent.setdefault("Content-Type", "application/json")
    arguments = dict(connection, url=connection["url"].rstrip("/") + path)
    try:
        response = request(method=method, headers=sent, body=body, max_bytes=MAX_BYTES, redirects=2, retries=1, **arguments)
    except ProbeError as error:
        raise _unanswered(error, what)
    response = response._replace(url=response.url.split("?", 1)[0])
    if not 200 <= response.status < 300 and response.status not in accepted:
        raise refusal(response, what, said(response, secrets_of(connection)), credentials)
    well = 200 <= response.status < 300
    if well and _is_html(response):
        message = "{0} at {1} answered {2} with a web page, not with JSON".format(what, response.url, response.status)
        raise ProbeError("wrong_answer", "html", message, "Is url the address of {0} itself? A proxy or a login page answers.".format(what))
    try:
        return decode_json(response), response
    except ProbeError as error:
        if not well:
            return None, response
        raise ProbeError(error.verdict, error.reason, "{0}: {1}".format(what, error.message), error.next)


def _unanswered(error, what):
    advice = error.next
    if error.reason == "too_large":
        advice = "Is url the address of {0}? What answers there does not end.".format(what)
    return ProbeError(error.verdict, error.reason, "{0} gave no answer: {1}".format(what, error.message), advice)


def refusal(response, what, words="", credentials=CREDENTIALS):
    """The ProbeError that a status stands for; ``words`` are the service's own."""
    status, more = response.status, ": " + words if words else ""
    told = "{0} at {1} answered {2}".format(what, response.url, status)
    if status == 401:
        return ProbeError("wrong_answer", "our_credentials", told + ", it does not know our credentials" + more,
                          "Correct {0}.".format(credentials))  # fmt: skip
    if status == 403:
        return ProbeError("wrong_answer", "forbidden", told + ", our credentials do not allow that" + more,
                          "Give them the permission, or correct {0}.".format(credentials))  # fmt: skip
    if status == 404:
        return ProbeError("wrong_answer", "not_found", told + ", it has no such thing" + more,
                          "Is url the address of {0}, with its path prefix where it has one?".format(what))  # fmt: skip
    if status == 429:
        return ProbeError("wrong_answer", "later", told + ", it wants to be asked less often" + more, "Wait, then run it again.")
    if status >= 500:
        return ProbeError("wrong_answer", "server_error", told + ", it is not well" + more,
                          "Read the log of {0}, and of the proxy in front of it.".format(what))  # fmt: skip
    if 300 <= status < 400:
        return ProbeError("wrong_answer", "redirected", told + ", it points elsewhere", "Give the final address in url.")
    return ProbeError("wrong_answer", "unexpected_status", told + more, "Correct what was asked of {0}.".format(what))


def said(response, secrets=()):
    """What a service says in its own words about a refusal, in one line and without ``secrets``; empty when it says nothing."""
    try:
        document = json.loads(response.body.decode("utf-8"))
    except ValueError:
        return ""
    if not isinstance(document, dict):
        return ""
    words = next((document[name] for name in ("message", "detail", "error") if isinstance(document.get(name), str)), "")
    causes = document.get("causes")
    if isinstance(causes, list):
        words = ", ".join([words] + [str(cause) for cause in causes])
    return redact_text(" ".join(words.split()), secrets)[:MOST_SAID]


def secrets_of(connection):
    return [secret for secret in (connection.get("password"), connection.get("bearer_token")) if secret]


def _is_html(response):
    begin = response.body.lstrip()[:14].lower()
    return "html" in response.headers.get("content-type", "") or begin.startswith((b"<!doctype html", b"<html"))


def failure(error, **evidence):
    """The failure of a module that a ProbeError means."""
    return OpsError("{0}. {1}".format(error.message.rstrip("."), error.next).strip(), **evidence)
