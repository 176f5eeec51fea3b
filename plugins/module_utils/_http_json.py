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

#: ``document`` is what the body says; ``url`` is the address as it may be shown; ``headers`` has lower-case names.
Answer = collections.namedtuple("Answer", "status document url headers")
MAX_BYTES = 16 * 1024 * 1024
MOST_QUOTED = 300
_PAGE = re.compile(rb"\s*<(!doctype|html|head|body|\?xml)", re.IGNORECASE)
OUR_CREDENTIALS = "Correct url_username and url_password, or bearer_token."


def ask_json(connection, path, parameters=(), service="the service", method="GET", document=None, accepted=(200,), empty=False,
             max_bytes=MAX_BYTES):  # fmt: skip
    """Ask ``path`` below the base address for JSON; returns the :class:`Answer`.

    ``connection``: the arguments of :func:`request`, ``url`` the base address. ``parameters``: a dict or pairs for the query string.
    ``document`` is sent as JSON. ``accepted`` are the statuses whose body is an answer; ``empty`` says that there may be none (None).
    Raises ProbeError.
    """
    url = connection["url"].rstrip("/") + path
    pairs = list(parameters.items() if isinstance(parameters, dict) else parameters)
    if pairs:
        url += "?" + urllib.parse.urlencode(pairs)
    headers, body = {"Accept": "application/json"}, None
    if document is not None:
        headers["Content-Type"], body = "application/json", json.dumps(document).encode("utf-8")
    arguments = dict(connection, url=url, method=method, headers=headers, body=body, max_bytes=max_bytes)
    response = request(redirects=2, retries=1, **arguments)
    response = response._replace(url=response.url.split("?", 1)[0])
    refuse_status(response, service, accepted)
    if empty and not response.body.strip():
        return Answer(response.status, None, response.url, response.headers)
    refuse_page(response, service)
    return Answer(response.status, decode_json(response), response.url, response.headers)


def refuse_status(response, service, accepted=(200,)):
    """Raise the ProbeError that the status of a response stands for, unless it is one of ``accepted``."""
    status, said = response.status, quoted(response)
    if status in accepted:
        return
    if status in (401, 403):
        message = "{0} answered {1}: it refuses our credentials".format(response.url, status)
        raise ProbeError("wrong_answer", "our_credentials", message, OUR_CREDENTIALS)
    if 300 <= status < 400:
        message = "{0} answered {1}, which leads elsewhere".format(response.url, status)
        raise ProbeError("wrong_answer", "redirected", message, "Give the address that it leads to, if that is {0}'s.".format(service))
    if status == 404:
        message = "{0} answered 404: nothing is there".format(response.url)
        advice = "Is url {0}'s, with the path prefix that it is served under (--web.route-prefix, or that of a proxy)?".format(service)
        raise ProbeError("wrong_answer", "not_found", message, advice)
    if status == 410:
        message = "{0} answered 410: this version of {1} has done away with that part of its API".format(response.url, service)
        raise ProbeError("wrong_answer", "gone", message, "Is this the address that is meant, and not one of another version's API?")
    reason, advice = "unexpected_status", "Is url {0}'s?".format(service)
    if status == 429 or status >= 500:
        reason, advice = "server_error", "Read the log of {0}, or of the proxy before it.".format(service)
    raise ProbeError("wrong_answer", reason, "{0} answered {1}{2}".format(response.url, status, said and ": " + said), advice)


def refuse_page(response, service):
    """Raise ProbeError when a web page stands where JSON should."""
    if _PAGE.match(response.body) or response.headers.get("content-type", "").startswith("text/html"):
        message = "{0} answered {1} with a web page, where JSON was expected".format(response.url, response.status)
        advice = "A login page or a proxy answers in its place, or the path prefix is not {0}'s.".format(service)
        raise ProbeError("wrong_answer", "web_page", message, advice)


def not_like(service, url):
    """The ProbeError of JSON that is not in the service's form."""
    message = "{0} did not answer like {1}".format(url, service)
    return ProbeError("wrong_answer", "not_" + service.lower(), message, "Is url {0}'s?".format(service))


def failure(error, what):
    """The OpsError of a module that cannot do without the answer: ``what`` did not work, because of a ProbeError."""
    return OpsError("{0}: {1}. {2}".format(what, error.message.rstrip("."), error.next).strip())


def quoted(response):
    """What a response says about itself, on one line: its text, or the string that is its JSON. Empty for a web page."""
    if _PAGE.match(response.body):
        return "a web page"
    text = response.body[: 4 * MOST_QUOTED].decode("utf-8", "replace")
    try:
        document = json.loads(response.body.decode("utf-8"))
    except ValueError:
        document = None
    if isinstance(document, str):
        text = document
    if isinstance(document, dict) and isinstance(document.get("message"), str):
        text = document["message"]
    return " ".join(text.split())[:MOST_QUOTED]
