# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Maintenance as a configuration of nginx: who is answered what, and until when. Private: other collections must not import it.

Two files that nginx includes, and a third one that is only there or not:

    http.conf      included in http {}: until when, who is let through, what is said
    server.conf    included in server {}: what is done with a request
    on             while it is there, and the time is not over, it is done

nginx looks for the switch and at the clock with each request. So the switch is one rename for all connections at once, also those that
clients keep, and the end needs nobody: no process, no timer, no reload.
"""

from __future__ import annotations

import collections
import fnmatch
import html
import ipaddress
import json
import posixpath
import re
import time

from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._freeze import moment
from ansible_collections.astraldraft.ops.plugins.module_utils._notification import harmless
from ansible_collections.astraldraft.ops.plugins.module_utils._time import duration_seconds, to_iso

HTTP, SERVER, SWITCH = "http.conf", "server.conf", "on"
REFUSE, QUEUE = "refuse", "queue"
#: The seconds that a client is told to wait, the longest first: the greatest that is not longer than what is left.
TOLD = (3600, 1800, 900, 600, 300, 120, 60, 30, 15, 10)
SHORTEST_TOLD = 5
#: How often a request that waits looks whether the maintenance is over, a second.
LOOKS = 2
COOKIE = "maintenance_bypass"
PLACE = "/__maintenance"

#: What is wanted. ``ends_at``: seconds since the epoch (int); ``addresses``: networks that are let through; ``token``: the value of the
#: cookie, or empty; ``paths``: those that are answered as ever, with all below them where they end with a slash; ``json_paths``: likewise,
#: of those that are told in JSON; ``page``: the HTML; ``document``: a dict; ``listen``, ``queue_seconds``, ``queue_requests``: of a queue.
Plan = collections.namedtuple("Plan", "mode ends_at addresses token paths json_paths page document listen queue_seconds queue_requests")

_MANAGED = "# Written by astraldraft.ops.nginx_maintenance; changes made by hand are lost."
_FACTS = "# facts: "
_INCLUDE = re.compile(r"^\s*include\s+\"?([^\s;\"]+)\"?\s*;", re.MULTILINE)
_PIECE = 1000
LONGEST_WAIT = 60
_TOKEN = re.compile(r"[A-Za-z0-9_-]{16,}")
_PATH = re.compile(r"/[\w./~%+-]*", re.ASCII)
_LISTEN = re.compile(r"[\w.:\[\]]+:\d{1,5}", re.ASCII)
_KNOWN_TOKEN = re.compile(r'\$arg_token != "([^"]+)"')


# -- what is wanted


def _refuse(condition, message, *values):
    if condition:
        raise OpsError(message.format(*values) + " Nothing was changed.")


def planned(params, now):
    """The Plan of what is asked for (the options of nginx_maintenance). Raises OpsError for what cannot be meant."""
    ends_at = int(moment(params["ends_at"], "ends_at").timestamp())
    try:
        longest = duration_seconds(params["maximum_duration"])
    except ValueError as error:
        raise OpsError("maximum_duration: {0}. Nothing was changed.".format(error))
    _refuse(ends_at <= now, "ends_at is {0}, which is over by the clock of this host ({1}).", params["ends_at"], to_iso(now))
    _refuse(
        ends_at - now > longest,
        "ends_at is {0}, further away than maximum_duration ({1}): a maintenance that nobody ends would last until then.",
        params["ends_at"],
        params["maximum_duration"],
    )
    for address in params["bypass_addresses"]:
        try:
            ipaddress.ip_network(address)
        except ValueError as error:
            raise OpsError("bypass_addresses: {0}. Write 192.0.2.7 or 192.0.2.0/24. Nothing was changed.".format(error))
    token = params["bypass_token"] or ""
    _refuse(token and not _TOKEN.fullmatch(token), "bypass_token must be at least 16 letters, digits, - and _, so that nobody guesses it.")
    for name in ("exempt_paths", "json_paths"):
        wrong = [path for path in params[name] if not _PATH.fullmatch(path)]
        _refuse(wrong, "{0} has {1!r}, which is no path. It begins with / and has no pattern in it.", name, (wrong or [""])[0])
    _refuse(not _LISTEN.fullmatch(params["queue_listen"]), "queue_listen is {0!r}. Write an address and a port.", params["queue_listen"])
    _refuse(
        not 1 <= params["queue_seconds"] <= LONGEST_WAIT, "queue_seconds is {0}. It is 1 to {1}: clients do not wait longer.",
        params["queue_seconds"], LONGEST_WAIT,
    )  # fmt: skip
    _refuse(params["queue_requests"] < 1, "queue_requests is {0}. It is at least 1.", params["queue_requests"])
    # Rounded up to the minute: nobody is told a time at which it is not over yet.
    until = time.strftime("%H:%M UTC on %d %B %Y", time.gmtime(ends_at + 59)).replace(" 0", " ")
    title, words = harmless(params["title"]), harmless(params["words"]).strip()
    document = {"error": "maintenance", "message": words or "{0} is down for maintenance.".format(title), "until": to_iso(ends_at)}
    return Plan(
        params["mode"], ends_at, sorted(params["bypass_addresses"]), token, params["exempt_paths"], params["json_paths"],
        page(title, words, until), document, params["queue_listen"], params["queue_seconds"], params["queue_requests"],
    )  # fmt: skip


# -- reading


def facts(text):
    """``{mode, ends_at}`` of an http.conf; empty when it is none of ours."""
    for line in (text or "").splitlines():
        if line.startswith(_FACTS):
            try:
                found = json.loads(line[len(_FACTS) :])
            except ValueError:
                return {}
            return found if isinstance(found, dict) else {}
    return {}


def token_of(text):
    """The token that a server.conf lets through; empty when there is none."""
    found = _KNOWN_TOKEN.search(text or "")
    return found[1] if found else ""


def included(dump, path, prefix="/etc/nginx"):
    """Whether a configuration, as ``nginx -T`` prints it, includes the file ``path`` once it is there."""
    wanted = path.split("/")
    for pattern in _INCLUDE.findall(dump):
        parts = posixpath.join(prefix, pattern).split("/")
        if len(parts) == len(wanted) and all(fnmatch.fnmatchcase(one, part) for one, part in zip(wanted, parts)):
            return True
    return False


# -- writing


def before(moment):
    """A regular expression of the whole seconds before ``moment``, as nginx's clock has them (ten digits until the year 2286)."""
    digits = "{0:010d}".format(moment)
    parts = []
    for place, digit in enumerate(digits):
        if digit != "0":
            left = len(digits) - place - 1
            lower = "0" if digit == "1" else "[0-{0}]".format(int(digit) - 1)
            parts.append(digits[:place] + lower + ("[0-9]{{{0}}}".format(left) if left else ""))
    return "^(?:{0})[.]".format("|".join(parts))


def quoted(text):
    """``text`` as one word of nginx's configuration. What would be a variable must not be in it."""
    return '"{0}"'.format(text.replace("\\", "\\\\").replace('"', '\\"'))


def _map(source, name, rows, default):
    """``rows``: pairs of a regular expression and a value; the first one that matches counts."""
    lines = ["map {0} ${1} {{".format(source, name), "    default {0};".format(default)]
    lines += ["    {0} {1};".format(quoted("~" + pattern), value) for pattern, value in rows]
    return lines + ["}"]


def _paths(paths):
    return ["^{0}{1}".format(re.escape(path), "" if path.endswith("/") else "$") for path in paths]


def _pieces(text):
    return [text[start : start + _PIECE] for start in range(0, len(text), _PIECE)] or [""]


def _text(name, text):
    """A text as variables: a word of nginx's configuration has at most 4,096 bytes."""
    lines, names = [], []
    for number, piece in enumerate(_pieces(text)):
        names.append("{0}_{1}".format(name, number))
        lines += ['map "" ${0} {{'.format(names[-1]), "    default {0};".format(quoted(piece)), "}"]
    return lines, "".join("${{{0}}}".format(one) for one in names)


def _page(plan):
    # A dollar sign would begin a variable, and nginx knows no way to write one.
    return plan.page.replace("$", "&#36;")


def _document(plan):
    return json.dumps(plan.document, sort_keys=True).replace("$", "\\u0024") + "\n"


def render_http(plan, folder):
    """http.conf. ``folder`` is where the files are, as nginx sees it."""
    lines = [_MANAGED, _FACTS + json.dumps({"mode": plan.mode, "ends_at": plan.ends_at})]
    lines += _map("$msec", "ops_maintenance_time", [(before(plan.ends_at), SWITCH)], "over")
    lines += ["geo $ops_maintenance_address {", "    default 0;"] + ["    {0} 1;".format(one) for one in plan.addresses] + ["}"]
    # It is letters, digits, - and _, so it stands there as it is, and one look finds it wherever it is to be hidden.
    tokens = [("^{0}$".format(plan.token), 1)] if plan.token else []
    lines += _map("$cookie_" + COOKIE, "ops_maintenance_cookie", tokens, 0)
    lines += _map("$uri", "ops_maintenance_path", [(pattern, 1) for pattern in _paths([*plan.paths, PLACE + "/enter"])], 0)
    parts = "".join("$ops_maintenance_" + name for name in ("time", "address", "cookie", "path"))
    lines += _map(quoted(parts), "ops_maintenance", [("^{0}000$".format(SWITCH), SWITCH)], "open")
    lines += _map("$http_accept", "ops_maintenance_accepted", [("text/html", "html"), ("application/json", "json")], "html")
    lines += _map("$uri", "ops_maintenance_form", [(pattern, "json") for pattern in _paths(plan.json_paths)], "$ops_maintenance_accepted")
    told = [(before(plan.ends_at - seconds), seconds) for seconds in TOLD]
    lines += _map("$msec", "ops_maintenance_retry", told, SHORTEST_TOLD)
    lines += _text("ops_maintenance_html", _page(plan))[0] + _text("ops_maintenance_json", _document(plan))[0]
    return "\n".join(lines + (_queue_http(plan, folder) if plan.mode == QUEUE else [])) + "\n"


def _queue_http(plan, folder):
    """A request that waits asks a server of nginx's own, again and again, until that says that it is over. It says no after a pause, for
    which limit_req is the clock: its key is the waiting request, so the second look waits for a whole turn."""
    attempts = int(plan.queue_seconds * LOOKS) + 2
    return [
        "limit_req_zone $http_x_ops_maintenance zone=ops_maintenance:10m rate={0}r/s;".format(LOOKS),
        "limit_conn_zone $server_port zone=ops_maintenance_waiting:1m;",
        "upstream ops_maintenance {",
        *["    server {0} max_fails=0;".format(plan.listen)] * attempts,
        "    keepalive {0};".format(plan.queue_requests),
        "}",
        "server {",
        "    listen {0} backlog=4096;".format(plan.listen),
        "    access_log off;",
        "    keepalive_requests 1000000;",
        "    location / {",
        "        if (!-f {0}/$ops_maintenance_time) {{".format(folder),
        "            return 204;",
        "        }",
        "        limit_req zone=ops_maintenance burst=100;",
        "        limit_req_log_level notice;",
        "        try_files /ops_maintenance =503;",
        "    }",
        "}",
    ]


def render_server(plan, folder):
    """server.conf."""
    lines = [_MANAGED] + (_queue_server(plan, folder) if plan.mode == QUEUE else _refuse_server(folder))
    for form, kind, words in (("html", "text/html", _page(plan)), ("json", "application/json", _document(plan))):
        lines += [
            "location = {0}/{1} {{".format(PLACE, form),
            "    internal;",
            *(["    auth_request off;"] if plan.mode == QUEUE else []),
            "    default_type {0};".format(kind),
            "    charset utf-8;",
            "    add_header Retry-After $ops_maintenance_retry always;",
            "    add_header Cache-Control no-store always;",
            '    return 503 "{0}";'.format(_text("ops_maintenance_" + form, words)[1]),
            "}",
        ]
    return "\n".join(lines + (_enter_server(plan) if plan.token else [])) + "\n"


def _refuse_server(folder):
    return [
        "if (-f {0}/$ops_maintenance) {{".format(folder),
        "    rewrite ^ {0}/$ops_maintenance_form last;".format(PLACE),
        "}",
    ]


def _queue_server(plan, folder):
    return [
        # Judged by the request itself: in the subrequest it is not asked again.
        "set $ops_maintenance_judged $ops_maintenance;",
        "auth_request {0}/wait;".format(PLACE),
        "error_page 500 = {0}/$ops_maintenance_form;".format(PLACE),
        "location = {0}/wait {{".format(PLACE),
        "    internal;",
        "    auth_request off;",
        "    if (!-f {0}/$ops_maintenance_judged) {{".format(folder),
        "        return 204;",
        "    }",
        "    limit_conn ops_maintenance_waiting {0};".format(plan.queue_requests),
        "    proxy_pass http://ops_maintenance;",
        "    proxy_http_version 1.1;",
        "    proxy_pass_request_body off;",
        "    proxy_pass_request_headers off;",
        '    proxy_set_header Connection "";',
        '    proxy_set_header Content-Length "";',
        "    proxy_set_header X-Ops-Maintenance $request_id;",
        "    proxy_next_upstream error timeout http_503;",
        "    proxy_next_upstream_tries 0;",
        "    proxy_next_upstream_timeout {0}s;".format(int(plan.queue_seconds)),
        "    proxy_connect_timeout 2s;",
        "    proxy_read_timeout 10s;",
        "}",
    ]


def _enter_server(plan):
    """A link for testers, since nobody sets a cookie by hand. The token stands in the query, which belongs into no log."""
    cookie = "{0}={1}; Path=/; HttpOnly; SameSite=Lax; Max-Age=86400".format(COOKIE, plan.token)
    return [
        "location = {0}/enter {{".format(PLACE),
        *(["    auth_request off;"] if plan.mode == QUEUE else []),
        "    access_log off;",
        "    if ($arg_token != {0}) {{".format(quoted(plan.token)),
        "        return 404;",
        "    }",
        "    add_header Set-Cookie {0};".format(quoted(cookie)),
        "    add_header Cache-Control no-store;",
        "    absolute_redirect off;",
        "    return 303 /;",
        "}",
    ]


def page(service, words, until):
    """The page for people. ``until``: a time as people read it, or empty; ``words``: what is done, or empty."""

    def safe(text):
        return html.escape(str(text), quote=True)

    parts = [_HEAD.replace("{title}", safe(service))]
    parts.append("<h1>{0} is down for maintenance</h1>".format(safe(service)))
    parts += ["<p>{0}</p>".format(safe(words))] if words else []
    # No more than is known: what becomes of what they have saved depends on the work.
    parts += ["<p>We expect to be back by <b>{0}</b>.</p>".format(safe(until))] if until else []
    parts.append("<p class=mute>This page checks by itself whether we are back.</p>")
    return "\n".join(parts) + "\n</main>\n</html>\n"


_HEAD = """<!doctype html>
<html lang=en>
<meta charset=utf-8>
<meta name=viewport content="width=device-width, initial-scale=1">
<meta name=robots content=noindex>
<meta http-equiv=refresh content=30>
<title>Maintenance: {title}</title>
<style>
:root{color-scheme:light dark;--ink:#1c2430;--mute:#5b6675;--paper:#f5f7fa;--card:#fff;--line:#d9dfe7;--mark:#b7791f}
@media(prefers-color-scheme:dark){:root{--ink:#e8edf3;--mute:#9aa6b4;--paper:#12171d;--card:#1b222b;--line:#2f3945;--mark:#e0a84a}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;display:flex;align-items:center;justify-content:center;padding:1rem;background:var(--paper);color:var(--ink);
font:1.0625rem/1.6 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main{width:100%;max-width:34rem;padding:clamp(1.25rem,5vw,2rem);background:var(--card);border:1px solid var(--line);
border-top:.35rem solid var(--mark);
border-radius:.5rem;overflow-wrap:anywhere}
h1{margin:0 0 1rem;font-size:1.5rem;line-height:1.25;text-wrap:balance}
p{margin:0 0 .75rem;white-space:pre-line}
p:last-child{margin:0}
.mute{color:var(--mute);font-size:.9375rem}
</style>
<main>"""
