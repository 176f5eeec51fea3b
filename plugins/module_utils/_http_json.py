# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One question to a service's JSON API, with a sentence of its own for every way in which it can go wrong.

Private: other collections must not import it. What is asked of an API goes through here: the limits, the retries of what may be repeated,
the redirects that stay on the host, and the words for a status, a web page or another service's JSON are the same everywhere.
"""

from __future__ import annotations

import collections
import json
import re
import urllib.parse

from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._http import decode_json, request
from ansible_collections.astraldraft.ops.plugins.module_utils._net import ProbeError
from ansible_collections.astraldraft.ops.plugins.module_utils._redact import redact_text

#: ``document`` is what the body says; ``url`` is the address as it may be shown; ``headers`` has lower-case names; ``said`` are the words
#: of the service, in one line and without secrets.
Answer = collections.namedtuple("Answer", "status document url headers said")
MAX_BYTES = 16 * 1024 * 1024
MOST_SAID = 300
#: After these nobody knows whether what was sent has arrived.
IN_DOUBT = ("timed_out", "reset", "cut_short", "not_http", "web_page", "not_json", "too_large", "server_error")
CREDENTIALS = "url_username and url_password, or bearer_token"
#: What a status means: a word for machines, words, and what to do. 300 and 500 stand for all of their kind, None for any other.
_MEANINGS = {
    300: ("redirected", "which leads elsewhere", "Give the address that it leads to, if that is {name}'s."),
    # The word credentials and a colon would hide what follows.
    401: ("our_credentials", "our credentials are refused", "Correct {options}."),
    403: ("forbidden", "our credentials do not allow that", "Give them the permission, or correct {options}."),
    404: ("not_found", "nothing is there", "Is url {name}'s, with the path prefix that it is served under (its own, or that of a proxy)?"),
    407: ("proxy_refused", "the proxy wants to know who asks", "Give proxy with the user and the password that it knows."),
    410: ("gone", "this version of {name} has done away with that part of its API", "Is that the address that is meant?"),
    429: ("later", "it wants to be asked less often", "Wait, then run it again."),
    500: ("server_error", "", "Read the log of {name}, or of the proxy before it."),
    None: ("unexpected_status", "", "Is that the address of {name}, and does it know what was asked?"),
}
_PAGE = re.compile(rb"\s*<(!doctype|html|head|body|\?xml)", re.IGNORECASE)


def ask_json(connection, path, parameters=(), service="the service", method="GET", body=None, accepted=(), text=False, headers=None,
             secrets=(), credentials=CREDENTIALS, max_bytes=MAX_BYTES):  # fmt: skip
    """Ask ``path`` below the base address for JSON; returns the :class:`Answer`. Only GET is asked again.

    ``connection``: the arguments of :func:`request`, ``url`` the base address. ``parameters``: a dict or pairs for the query string.
    ``body`` is sent as JSON, bytes as they are. ``accepted`` are statuses besides 2xx that are an answer; the document of one that says no
    JSON is None. ``text`` takes a 2xx of text, too, but for a web page; that is the document then. ``secrets`` are hidden besides those in
    ``connection``; ``credentials`` names the options to correct when they are refused. Raises ProbeError.
    """
    url = connection["url"].rstrip("/") + path
    pairs = list(parameters.items() if isinstance(parameters, dict) else parameters)
    if pairs:
        url += "?" + urllib.parse.urlencode(pairs)
    sent = dict({"Accept": "application/json"}, **(headers or {}))
    if body is not None and not isinstance(body, bytes):
        body = json.dumps(body).encode("utf-8")
        sent.setdefault("Content-Type", "application/json")
    hidden = [secret for secret in (connection.get("password"), connection.get("bearer_token"), *secrets) if secret]
    arguments = dict(connection, url=url, method=method, headers=sent, body=body, max_bytes=max_bytes)
    try:
        response = _answered(service, arguments)
        document, wrong = _document(response, service)
        words = redact_text(_said(response, document), hidden)[:MOST_SAID]  # in this order: half of a secret is one, too
        answer = Answer(response.status, document, response.url, response.headers, words)
        if not 200 <= answer.status < 300:
            if answer.status not in accepted:
                raise refusal(answer, service, credentials)
        elif wrong and text and wrong.reason == "not_json":
            answer = answer._replace(document=response.body.decode("utf-8", "replace"))
        elif wrong:
            raise wrong
        return answer
    except ProbeError as error:
        raise ProbeError(error.verdict, error.reason, redact_text(error.message, hidden), error.next)


def _answered(service, arguments):
    """The Response, whatever it says; the service's name goes before what came between."""
    try:
        response = request(redirects=2, retries=1, **arguments)
    except ProbeError as error:
        error.message = "{0}: {1}".format(service, error.message)
        if error.reason == "too_large":
            error.next = "Is that the address of {0}? What answers there does not end.".format(service)
        raise
    return response._replace(url=response.url.split("?", 1)[0])


def refusal(answer, service, credentials=CREDENTIALS):
    """The ProbeError that the status of an :class:`Answer` stands for."""
    status = answer.status
    otherwise = _MEANINGS[500 if status >= 500 else 300 if 300 <= status < 400 else None]
    reason, meaning, advice = _MEANINGS.get(status, otherwise)
    message = "{0} at {1} answered {2}".format(service, answer.url, status) + (meaning and ", " + meaning.format(name=service))
    message += ": " + answer.said if answer.said else ""
    return ProbeError("wrong_answer", reason, message, advice.format(name=service, options=credentials))


def _is_page(response):
    return bool(_PAGE.match(response.body)) or response.headers.get("content-type", "").startswith("text/html")


def _document(response, service):
    """``(what the body says, None)``, or ``(None, the ProbeError of one that says no JSON)``."""
    if _is_page(response):
        message = "{0} at {1} answered {2} with a web page, not with JSON".format(service, response.url, response.status)
        advice = "A login page or a proxy answers in its place, or the path prefix is not {0}'s.".format(service)
        return None, ProbeError("wrong_answer", "web_page", message, advice)
    try:
        return decode_json(response), None
    except ProbeError as error:
        return None, ProbeError(error.verdict, error.reason, "{0} at {1}".format(service, error.message), error.next)


def not_like(service, url):
    """The ProbeError of JSON that is not in the service's form."""
    message = "{0} did not answer like {1}".format(url, service)
    return ProbeError("wrong_answer", "not_" + service.lower(), message, "Is that the address of {0}?".format(service))


def failure(error, what="", **evidence):
    """The OpsError of a module that cannot do without the answer: ``what`` came of it, in words, and the ProbeError is why."""
    message = "{0}: {1}".format(what, error.message) if what else error.message
    return OpsError("{0}. {1}".format(message.rstrip("."), error.next).strip(), **evidence)


def _said(response, document):
    """What a response says in the service's own words, on one line: its text, or what its JSON has for people."""
    if _is_page(response):
        return "a web page"
    words = response.body[: 4 * MOST_SAID].decode("utf-8", "replace") if document is None else _words_in(document)
    return " ".join(words.split())


def _words_in(document):
    if not isinstance(document, dict):
        return document if isinstance(document, str) else ""
    if isinstance(document.get("error"), dict):
        document = document["error"]
    words = next((document[name] for name in ("message", "detail", "error") if isinstance(document.get(name), str)), "")
    causes = document.get("causes") or document.get("errors")
    if isinstance(causes, dict):  # Jira: by field, besides what is of none
        causes = ["{0}: {1}".format(name, cause) for name, cause in causes.items()]
    general = document.get("errorMessages")
    said = [words] + [str(cause) for found in (general, causes) if isinstance(found, list) for cause in found]
    return ", ".join(said[0 if words or len(said) == 1 else 1 :])
