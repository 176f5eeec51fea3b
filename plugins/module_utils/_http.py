# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One HTTP request with every limit on it. Private: other collections must not import it.

Built on http.client: it starts in a third of the time of requests, and lets one deadline cover connecting, TLS, a trickled
header and a trickled body. Proxy variables of the environment are not read: what is asked is the URL, or the proxy that is given.
"""

from __future__ import annotations

import base64
import collections
import http.client
import json
import re
import ssl
import time
import urllib.parse

from ansible_collections.astraldraft.ops.plugins.module_utils._net import DeadlineSocket, ProbeError, connect, explain, where
from ansible_collections.astraldraft.ops.plugins.module_utils._tls import context_for, explain_tls

TLS_SPEC = {"validate_certs": {"type": "bool", "default": True}, "ca_path": {"type": "path"}}
#: Of every HTTP request, whatever names the address.
WAY_SPEC = dict(TLS_SPEC, proxy={"type": "str", "no_log": True}, timeout={"type": "float", "default": 10.0})
HTTP_SPEC = dict(
    WAY_SPEC,
    url={"type": "str", "required": True},
    url_username={"type": "str"},
    url_password={"type": "str", "no_log": True},
    bearer_token={"type": "str", "no_log": True},
)
_ARGUMENTS = {"url_username": "username", "url_password": "password"}
MAX_BYTES = 1024 * 1024
MAX_SHOWN_QUERY = 80  # a query of Prometheus has hundreds of characters, which nobody reads in a sentence
RETRIED_STATUSES = (429, 502, 503, 504)
RETRY_PAUSE = 0.2
SECRET_NAME = re.compile(r"key|token|secret|passw|signature|credential|auth", re.IGNORECASE)

#: ``headers`` has lower-case names; ``body`` is bytes; ``duration`` is seconds from before connecting to the last byte.
Response = collections.namedtuple("Response", "status headers body duration url")
_Target = collections.namedtuple("_Target", "scheme host port path user password")


def safe_url(url):
    """``url`` as it may be shown: without user, password and fragment, secret-looking parameters masked, a long query cut."""
    try:
        parts = urllib.parse.urlsplit(url)
        host = parts.netloc.rpartition("@")[2]
    except ValueError:
        return "(not a URL)"
    query = "&".join(
        "{0}=***".format(name) if SECRET_NAME.search(name) and mark else name + mark + value
        for name, mark, value in (pair.partition("=") for pair in parts.query.split("&"))
    )
    if len(query) > MAX_SHOWN_QUERY:
        query = query[: MAX_SHOWN_QUERY - 3] + "..."
    return urllib.parse.urlunsplit((parts.scheme, host, parts.path, query, ""))


def split_url(url):
    """The parts of an http or https URL. Raises ProbeError (wrong_answer, bad_url) on anything else."""
    try:
        parts = urllib.parse.urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("it must start with http:// or https:// and name a host")
    except ValueError as error:
        raise ProbeError("wrong_answer", "bad_url", "{0} is not a URL to ask: {1}".format(safe_url(url), error), "Correct the url.")
    path = urllib.parse.quote(parts.path or "/", safe="/%:=&~+!$,;'@()*[]")
    if parts.query:
        path += "?" + urllib.parse.quote(parts.query, safe="/%:=&?~+!$,;'@()*[]{}")
    unquote = urllib.parse.unquote
    return _Target(parts.scheme, parts.hostname, port, path, unquote(parts.username or ""), unquote(parts.password or ""))


def connection_of(options):
    """The arguments of :func:`request` that the options of HTTP_SPEC or WAY_SPEC stand for: every path to a service goes by this one."""
    return {_ARGUMENTS.get(option, option): options[option] for option in HTTP_SPEC if option in options}


def request(url, method="GET", headers=None, body=None, timeout=10.0, username=None, password=None, bearer_token=None,
            validate_certs=True, ca_path=None, host_header=None, max_bytes=MAX_BYTES, redirects=0, retries=0, proxy=None):  # fmt: skip
    """Ask ``url`` once and return the :class:`Response`, whatever its status; ``timeout`` seconds cover all of it.

    Raises ProbeError when there is no answer, or one that is not HTTP or longer than ``max_bytes``. A redirect is an answer like any
    other; up to ``redirects`` of them are followed, GET and HEAD only and never to another host. GET and HEAD are asked again up to
    ``retries`` times after a connection that broke or a status that says "later", but not when. ``proxy`` is the address of a proxy that
    is asked in place of the host: in absolute form, or for https by a tunnel (CONNECT).
    """
    ends, safe = time.monotonic() + timeout, method in ("GET", "HEAD")
    sent = dict(headers or {})
    target = split_url(url)
    if bearer_token:
        sent["Authorization"] = "Bearer " + bearer_token
    elif username or target.user:
        sent["Authorization"] = _basic(username or target.user, password or target.password)
    while True:
        try:
            context = context_for(validate_certs, ca_path)
            response = _once(url, method, sent, body, ends, timeout, context, host_header, max_bytes, proxy)
        except ProbeError as error:
            if not (safe and retries and error.reason in ("refused", "reset", "cut_short") and ends - time.monotonic() > RETRY_PAUSE):
                raise
            response = None
        if response is not None and redirects and safe and response.status in (301, 302, 303, 307, 308):
            url, redirects = _same_host(url, response.headers.get("location", "")), redirects - 1
            continue
        again = response is None or response.status in RETRIED_STATUSES and not _says_when(response)
        if not (again and safe and retries and ends - time.monotonic() > RETRY_PAUSE):
            return response
        retries -= 1
        time.sleep(RETRY_PAUSE)


def _says_when(response):
    """Whether who wants to be asked less often has said when: not at once, then."""
    return response.status == 429 and not {"retry-after", "ratelimit-reset", "x-ratelimit-reset"}.isdisjoint(response.headers)


def _same_host(url, location):
    """The absolute address of a redirect, which must stay on the host of ``url``: credentials go nowhere else."""
    goal = urllib.parse.urljoin(url, location)
    here, there = split_url(url), split_url(goal)
    if (here.scheme, here.host, here.port) != (there.scheme, there.host, there.port):
        message = "{0} redirects to another host, {1}".format(safe_url(url), safe_url(goal))
        raise ProbeError("wrong_answer", "redirected", message, "Give the final address if that host is the right one.")
    return goal


def _proxy(proxy):
    """The parts of a proxy's address, and the headers it wants. Raises ProbeError."""
    parts = split_url(proxy)
    if parts.scheme != "http":
        message = "{0} is not a proxy to ask: it must start with http://".format(safe_url(proxy))
        raise ProbeError("wrong_answer", "bad_url", message, "Correct the proxy.")
    return parts, {"Proxy-Authorization": _basic(parts.user, parts.password)} if parts.user else {}


def _way(target, proxy):
    """Where to connect to, the path to ask for, and the headers besides: the target's own, or a proxy's."""
    if not proxy:
        return target, target.path, {}
    through, headers = _proxy(proxy)
    if target.scheme == "https":
        return through, target.path, {}
    return through, "http://" + where(target.host, target.port) + target.path, headers


def _basic(user, password):
    return "Basic " + base64.b64encode("{0}:{1}".format(user, password).encode("utf-8")).decode("ascii")


def _tunnel(limited, proxy, target):
    """Have the proxy connect to the target. Raises ProbeError when it does not."""
    goal = where(target.host, target.port)
    lines = ["CONNECT {0} HTTP/1.1".format(goal), "Host: " + goal] + ["{0}: {1}".format(*pair) for pair in _proxy(proxy)[1].items()]
    limited.sendall(("\r\n".join(lines) + "\r\n\r\n").encode("ascii"))
    answer = http.client.HTTPResponse(limited, method="CONNECT")
    answer.begin()
    if answer.status != 200:
        message = "the proxy {0} answered {1} to a tunnel to {2}".format(safe_url(proxy), answer.status, goal)
        raise ProbeError("wrong_answer", "proxy_refused", message, "Does the proxy let this host through, and is its password right?")


def _once(url, method, headers, body, ends, timeout, context, host_header, max_bytes, proxy=None):
    started, target, shown = time.monotonic(), split_url(url), safe_url(url)
    named = split_url("{0}://{1}".format(target.scheme, host_header)).host if host_header else target.host
    default_port = {"http": 80, "https": 443}[target.scheme]
    host = host_header or (named if target.port == default_port and ":" not in named else where(named, target.port))
    connection = http.client.HTTPConnection(target.host, target.port)
    connection.auto_open = 0
    through, path, more = _way(target, proxy)
    plain = connect(through.host, through.port, ends - started)
    limited = DeadlineSocket(plain, ends)
    try:
        if target.scheme == "https" and proxy:
            _tunnel(limited, proxy, target)
        if target.scheme == "https":
            plain.settimeout(max(0.001, ends - time.monotonic()))
            plain = context.wrap_socket(plain, server_hostname=named)
        limited = connection.sock = DeadlineSocket(plain, ends)
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        for name, value in dict({"Host": host, "Accept-Encoding": "identity", "User-Agent": "astraldraft.ops"}, **more, **headers).items():
            connection.putheader(name, value)
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        connection.putheader("Connection", "close")
        connection.endheaders(body)
        response = connection.getresponse()
        answer = response.read(max_bytes + 1)
        if response.length and len(answer) <= max_bytes:  # http.client says nothing when a bounded read ends early
            raise http.client.IncompleteRead(answer, response.length)
    except ssl.SSLError as error:
        raise explain_tls(error, shown, timeout)
    except http.client.IncompleteRead:
        raise ProbeError("wrong_answer", "cut_short", "{0} ended in the middle of its answer".format(shown), "Read the service's log.")
    except (http.client.HTTPException, ValueError) as error:
        message = "{0} did not answer in HTTP ({1})".format(shown, type(error).__name__)
        raise ProbeError("wrong_answer", "not_http", message, "Is this the service's HTTP port? HTTPS or another protocol may be spoken.")
    except OSError as error:
        found = explain(error, shown, timeout)
        if found.reason == "timed_out" and limited.received:
            message = "{0} had sent {1} bytes and not finished its answer after {2:g} s"
            message = message.format(shown, limited.received, round(timeout, 1))
            raise ProbeError("timed_out", "timed_out", message, "It, or the way to it, is slow: look at its load, then raise timeout.")
        raise found
    finally:
        plain.close()
    if len(answer) > max_bytes:
        message = "{0} answered more than {1} bytes".format(shown, max_bytes)
        raise ProbeError("wrong_answer", "too_large", message, "Name a small health route; this one never seems to end.")
    lowered = {name.lower(): value for name, value in response.getheaders()}
    return Response(response.status, lowered, answer, time.monotonic() - started, shown)


def decode_json(response):
    """The JSON document in a response. Raises ProbeError (wrong_answer, not_json)."""
    try:
        return json.loads(response.body.decode("utf-8"))
    except ValueError:
        shown = " ".join(response.body[:80].decode("utf-8", "replace").split())
        message = "{0} answered {1} with a body that is not JSON: {2!r}".format(response.url, response.status, shown)
        raise ProbeError("wrong_answer", "not_json", message, "Is this the right address, or does a proxy answer in its place?")
