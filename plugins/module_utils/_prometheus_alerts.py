# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Alerts as Prometheus has them, which knows nothing of silences. Private: other collections must not import it."""

from __future__ import annotations

from ansible_collections.astraldraft.ops.plugins.module_utils import _prometheus
from ansible_collections.astraldraft.ops.plugins.module_utils._alertmanager import name_of, runbook_of
from ansible_collections.astraldraft.ops.plugins.module_utils._http import safe_url
from ansible_collections.astraldraft.ops.plugins.module_utils._http_json import not_like
from ansible_collections.astraldraft.ops.plugins.module_utils._matchers import fulfilled
from ansible_collections.astraldraft.ops.plugins.module_utils._time import from_iso, to_iso

STATES = ("firing", "pending")
KNOWS_NOT = "Prometheus knows nothing of silences; whether anybody hears of them is for Alertmanager to say."


def look(connection, matchers=()):
    """The records of the alerts that fulfil the matchers, those that fire first, the oldest of them first. Raises ProbeError."""
    data = _prometheus.fetch(connection, "/api/v1/alerts")
    now = _prometheus.ask(connection, "time()")
    try:
        return records(data["alerts"], now[0]["points"][0][1], matchers)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        raise not_like("Prometheus", safe_url(connection["url"]))


def records(alerts, now, matchers=()):
    """As :func:`look`, of alerts as the API has them. ``now`` is the server's clock, in seconds since the epoch."""
    found = []
    for alert in alerts:
        labels, annotations, since = alert["labels"], alert.get("annotations") or {}, from_iso(alert["activeAt"])
        if alert["state"] not in STATES or not fulfilled(matchers, labels):
            continue
        record = {"name": labels.get("alertname", ""), "title": name_of(labels), "state": alert["state"], "labels": labels}
        record.update(annotations=annotations, runbook=runbook_of(annotations), value=str(alert.get("value", "")))
        found.append(dict(record, active_at=to_iso(since), age_seconds=max(0, round(now - since.timestamp()))))
    return sorted(found, key=lambda record: (STATES.index(record["state"]), record["active_at"], record["title"]))


def counts(found):
    """How many of each state, and in all."""
    return dict({state: sum(record["state"] == state for record in found) for state in STATES}, total=len(found))


def summary(counted):
    """One sentence, and another about what Prometheus cannot know."""
    return "{0} firing, {1} pending. {2}".format(counted["firing"], counted["pending"], KNOWS_NOT)
