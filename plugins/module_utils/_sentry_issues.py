# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Issues that Sentry knows, counted within a window. Private: other collections must not import it.

The issues of an organization are asked for: only there the counts are those of the window.
"""

from __future__ import annotations

import datetime
import re
import urllib.parse

from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._figures import plural
from ansible_collections.astraldraft.ops.plugins.module_utils._http_json import ask_json, not_like
from ansible_collections.astraldraft.ops.plugins.module_utils._net import ProbeError
from ansible_collections.astraldraft.ops.plugins.module_utils._time import duration_seconds, from_iso, to_iso

SERVICE = "Sentry"
SORTS = ("freq", "new", "date", "user", "trends")
PAGE = 100
_LINK = re.compile(r'<[^>]*>((?:\s*;\s*\w+="[^"]*")+)')
_ATTRIBUTE = re.compile(r'(\w+)="([^"]*)"')


def window_seconds(text):
    """The seconds of the option ``window``. Raises OpsError."""
    try:
        seconds = duration_seconds(text)
    except ValueError as error:
        raise OpsError("window: {0}.".format(error))
    if not seconds:
        raise OpsError("window is {0}. Give how far to look back, such as 24h.".format(text))
    return seconds


def query_of(query, release):
    """The search: ``query`` as it is, and the release, whose name may hold anything."""
    parts = [query.strip()] if query.strip() else []
    if release:
        parts.append('release:"{0}"'.format(re.sub(r'([\\"*])', r"\\\1", release)))
    return " ".join(parts)


def project_ids(connection, organization, projects):
    """The numbers of projects given by slug or number. Raises ProbeError: one that is misspelt would else look like one without issues."""
    found = []
    for project in projects:
        path = "/api/0/projects/{0}/{1}/".format(*(urllib.parse.quote(part, safe="") for part in (organization, project)))
        try:
            answer = ask_json(connection, path, service=SERVICE)
        except ProbeError as error:
            if error.reason == "not_found":
                error.next = "Correct organization or projects, or give the token access to that project."
            raise
        if not isinstance(answer.document, dict) or "id" not in answer.document:
            raise not_like(SERVICE, answer.url)
        found.append(str(answer.document["id"]))
    return found


def issues(connection, organization, parameters, maximum, heartbeat=None):
    """``(raw issues, how many there are in all or None, whether some were left out)``, page by page. Raises ProbeError."""
    path = "/api/0/organizations/{0}/issues/".format(urllib.parse.quote(organization, safe=""))
    found, total, cursor = [], None, None
    while True:
        if heartbeat:
            heartbeat()
        asked = parameters + [("limit", min(PAGE, maximum - len(found)))] + ([("cursor", cursor)] if cursor else [])
        try:
            answer = ask_json(connection, path, asked, SERVICE)
        except ProbeError as error:
            if error.reason == "not_found":
                error.next = "Correct organization or environments, or give the token access to the organization."
            raise
        page = answer.document
        if not isinstance(page, list) or not all(isinstance(issue, dict) and "id" in issue for issue in page):
            raise not_like(SERVICE, answer.url)
        hits = answer.headers.get("x-hits", "")
        total = int(hits) if hits.isdigit() and total is None else total
        found += page
        before, cursor = cursor, next_cursor(answer.headers.get("link", ""))
        if cursor is None:
            return found, total, False
        if len(found) >= maximum or cursor == before or not page:
            return found[:maximum], total, True


def next_cursor(link):
    """The cursor of the next page by a header Link, None on the last one. The address in it is not followed: it is the host's own word."""
    for match in _LINK.finditer(link):
        attributes = dict(_ATTRIBUTE.findall(match.group(1)))
        if attributes.get("rel") == "next" and attributes.get("results") == "true":
            return attributes.get("cursor")
    return None


def shown(raw, starts):
    """An issue as it is returned. ``starts``: the begin of the window, seconds since the epoch.

    Its counts are those of the window and of the search, where Sentry tells them apart.
    """
    counted = raw.get("filtered") or raw
    lifetime = raw.get("lifetime") or raw
    first = _iso(lifetime.get("firstSeen"))
    return {
        "id": str(raw["id"]),
        "short_id": raw.get("shortId") or "",
        "title": raw.get("title") or "",
        "culprit": raw.get("culprit") or "",
        "level": raw.get("level") or "",
        "status": raw.get("status") or "",
        "project": (raw.get("project") or {}).get("slug") or "",
        "count": _number(counted.get("count")),
        "count_lifetime": _number(lifetime.get("count")),
        "users": _number(counted.get("userCount")),
        "first_seen": first,
        "last_seen": _iso(counted.get("lastSeen") or lifetime.get("lastSeen")),
        "new": bool(first) and from_iso(first).timestamp() >= starts,
        "url": raw.get("permalink") or "",
    }


def _number(value):
    return int(value) if str(value).isdigit() else 0


def _iso(text):
    try:
        moment = from_iso(str(text))
    except ValueError:
        return None
    return to_iso(moment if moment.tzinfo else moment.replace(tzinfo=datetime.timezone.utc))


def summary(found, total, window, release):
    """One sentence."""
    events, new = sum(issue["count"] for issue in found), sum(issue["new"] for issue in found)
    of = " of {0}".format(total) if total is not None and total > len(found) else ""
    told = "{0}{1} {2} with {3} {4}".format(len(found), of, plural("issue", total or len(found)), events, plural("event", events))
    return "{0} in {1}{2}, {3} new".format(told, window, " of release {0}".format(release) if release else "", new)
