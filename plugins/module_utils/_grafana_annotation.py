# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Annotations in Grafana, each found again by a tag of its own. Private: other collections must not import it."""

from __future__ import annotations

from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._http_json import IN_DOUBT, ask_json, not_like
from ansible_collections.astraldraft.ops.plugins.module_utils._net import ProbeError
from ansible_collections.astraldraft.ops.plugins.module_utils._time import from_iso, to_iso

SERVICE = "Grafana"
PREFIX = "astraldraft:"
LONGEST_KEY = 88  # Grafana keeps 100 characters of a tag
LONGEST_TAGS = 500  # and of all tags, as it is delivered
MOST = 100
NOW = "now"


def wanted_of(params, now):
    """What the options ask for, times in milliseconds. ``now``: milliseconds. Raises OpsError on what Grafana would keep otherwise."""
    key = params["key"]
    if not key or key != key.strip() or len(key) > LONGEST_KEY:
        message = "key is {0!r}. Give 1 to {1} characters without spaces at either end: Grafana keeps no more of a tag."
        raise OpsError(message.format(key, LONGEST_KEY))
    tags = params["tags"]
    if tags is not None:
        tags = sorted({tag.strip() for tag in tags if tag.strip()})
        alien = [tag for tag in tags if tag.startswith(PREFIX)]
        if alien:
            raise OpsError("The tag {0} begins as those do by which annotations are found again. Give that part in key.".format(alien[0]))
        if sum(map(len, tags)) + len(PREFIX + key) > LONGEST_TAGS:
            raise OpsError("The tags have more than {0} characters in all, which Grafana refuses. Give fewer.".format(LONGEST_TAGS))
    panel = params["panel_id"]
    if panel and not params["dashboard_uid"]:
        raise OpsError("panel_id is {0} and dashboard_uid is missing. A panel is one of a dashboard: give both.".format(panel))
    return {
        "key": key,
        "text": params["text"],
        "tags": tags,
        "time": None if params["time"] == NOW else _milliseconds("time", params["time"], now),
        "time_end": _milliseconds("time_end", params["time_end"], now),
        "open_end": params["time_end"] == NOW,
        "dashboard_uid": params["dashboard_uid"] or None,
        "panel_id": panel or None,
    }


def _milliseconds(name, text, now):
    if text is None or text == NOW:
        return now if text else None
    try:
        return round(from_iso(text).timestamp() * 1000)
    except ValueError:
        message = "{0} is {1!r}, which is no time. Write it in ISO 8601 with a zone, such as 2026-11-23T18:47:05Z, or now."
        raise OpsError(message.format(name, text))


def find(connection, wanted):
    """The annotations with this key, on this dashboard and panel or on none, oldest first. Raises ProbeError."""
    parameters = [("type", "annotation"), ("tags", PREFIX + wanted["key"]), ("limit", MOST)]
    if wanted["dashboard_uid"]:
        parameters.append(("dashboardUID", wanted["dashboard_uid"]))
    if wanted["panel_id"]:
        parameters.append(("panelId", wanted["panel_id"]))
    answer = ask_json(connection, "/api/annotations", parameters, SERVICE)
    found = answer.document
    if not isinstance(found, list) or not all(isinstance(one, dict) and "id" in one for one in found):
        raise not_like(SERVICE, answer.url)
    mine = [known_of(one) for one in found]
    same = [one for one in mine if all(one[name] == wanted[name] for name in ("key", "dashboard_uid", "panel_id"))]
    return sorted(same, key=lambda one: (one["time"], one["id"]))


def known_of(raw):
    """An annotation as Grafana gives it, in this file's terms. What has no end, Grafana ends where it begins."""
    tags = raw.get("tags") or []
    ends = raw.get("timeEnd") or 0
    return {
        "id": raw["id"],
        "key": next((tag[len(PREFIX) :] for tag in tags if tag.startswith(PREFIX)), None),
        "text": raw.get("text") or "",
        "tags": sorted(tag for tag in tags if not tag.startswith(PREFIX)),
        "time": raw.get("time") or 0,
        "time_end": ends if ends > (raw.get("time") or 0) else None,
        "dashboard_uid": raw.get("dashboardUID") or None,
        "panel_id": raw.get("panelId") or None,
    }


def plan(found, wanted, now):
    """``(after, body)``: the annotation as it is to be, and what to send for it, None when nothing is to be done.

    What is not given stays as it is. A beginning or an end that is now is set once: later runs leave it alone.
    """
    if found is None and not wanted["text"]:
        raise OpsError("There is no annotation {0} yet, and text is missing. Give the text it shall have.".format(wanted["key"]))
    after = dict(found or {"id": None, "time": now, "time_end": None, "tags": []})
    after.update({name: wanted[name] for name in ("key", "dashboard_uid", "panel_id")})
    after.update({name: wanted[name] for name in ("text", "tags", "time") if wanted[name]})
    if wanted["tags"] is not None:
        after["tags"] = wanted["tags"]
    if wanted["time_end"] is not None and not (wanted["open_end"] and after["time_end"]):
        after["time_end"] = wanted["time_end"]
    if after["time_end"] is not None and after["time_end"] < after["time"]:
        message = "Annotation {0} would end at {1}, before it begins at {2}. Correct time or time_end."
        raise OpsError(message.format(wanted["key"], to_iso(after["time_end"] / 1000), to_iso(after["time"] / 1000)))
    if after["time_end"] == after["time"]:
        after["time_end"] = None
    return after, _body(found, after)


def _body(found, after):
    tags = after["tags"] + [PREFIX + after["key"]]
    ends = after["time_end"] or after["time"]
    if found is None:
        body = {"text": after["text"], "tags": tags, "time": after["time"], "timeEnd": ends}
        body.update({"dashboardUID": after["dashboard_uid"]} if after["dashboard_uid"] else {})
        body.update({"panelId": after["panel_id"]} if after["panel_id"] else {})
        return body
    body = {}
    if after["text"] != found["text"]:
        body["text"] = after["text"]
    if after["tags"] != found["tags"]:
        body["tags"] = tags
    if (after["time"], after["time_end"]) != (found["time"], found["time_end"]):
        # Both: an end that is left out stays where it was, and Grafana swaps what comes in the wrong order.
        body.update(time=after["time"], timeEnd=ends)
    return body or None


def write(connection, identity, body):
    """Create (``identity`` None) or change an annotation; returns its id. Raises ProbeError."""
    if identity is not None:
        ask_json(connection, "/api/annotations/{0}".format(identity), service=SERVICE, method="PATCH", body=body)
        return identity
    try:
        answer = ask_json(connection, "/api/annotations", service=SERVICE, method="POST", body=body)
    except ProbeError as error:
        if error.reason in IN_DOUBT:
            error.next += " The annotation may have been written all the same: the next run finds it by its key."
        raise
    if not isinstance(answer.document, dict) or not isinstance(answer.document.get("id"), int):
        raise not_like(SERVICE, answer.url)
    return answer.document["id"]


def remove(connection, identity):
    ask_json(connection, "/api/annotations/{0}".format(identity), service=SERVICE, method="DELETE")


def shown(annotation):
    """An annotation as it is returned: times in ISO 8601."""
    if annotation is None:
        return None
    times = {name: annotation[name] and to_iso(annotation[name] / 1000) for name in ("time", "time_end")}
    return dict(annotation, **times)
