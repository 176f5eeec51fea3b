# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One alert that somebody other than Prometheus puts into Alertmanager, and takes out again. Private: other collections must not import it.

An alert is its labels. Alertmanagers of a cluster do not tell each other of alerts: each has to be told. It ends by itself.
"""

from __future__ import annotations

from ansible_collections.astraldraft.ops.plugins.module_utils import _alertmanager
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._freeze import STILL_LONG_ENOUGH
from ansible_collections.astraldraft.ops.plugins.module_utils._http import safe_url
from ansible_collections.astraldraft.ops.plugins.module_utils._http_json import IN_DOUBT, not_like
from ansible_collections.astraldraft.ops.plugins.module_utils._matchers import Matcher
from ansible_collections.astraldraft.ops.plugins.module_utils._net import ProbeError
from ansible_collections.astraldraft.ops.plugins.module_utils._time import duration_seconds, from_iso, to_iso

QUESTIONS = 2  # what is there, and the alert itself or whether it is there now
DOUBT = " Nobody knows whether it arrived; it ends by itself at its end."


def labels_of(given):
    """Labels as Alertmanager keeps them: text, and none that is empty. Raises OpsError where none is left."""
    labels = {str(name): str(value) for name, value in given.items() if value is not None and str(value)}
    if not labels:
        raise OpsError("labels has no label with a value, and an alert is its labels. Give at least alertname.")
    return labels


def seconds_of(text):
    """The seconds of the option ``duration``. Raises OpsError."""
    try:
        seconds = duration_seconds(text)
    except ValueError as error:
        raise OpsError("duration: {0}.".format(error))
    if not seconds:
        raise OpsError("duration is {0}: the alert would be over at once. Give how long it fires, such as 5m.".format(text))
    return seconds


def find(connection, labels):
    """``(the alert with just these labels as the API has it, or None, the server's clock)``. Raises ProbeError."""
    matchers = [Matcher(name, value, False, True) for name, value in sorted(labels.items())]
    found, now = _alertmanager.alerts(connection, matchers)
    return next((alert for alert in found if alert["labels"] == labels), None), now


def plan_present(known, labels, annotations, seconds, now):
    """The alert to send, None where it fires already and long enough. One that fires is never made to end sooner: that is what ends it."""
    if known and (known.get("annotations") or {}) == annotations and _ends(known) - now >= STILL_LONG_ENOUGH * seconds:
        return None
    starts = known["startsAt"] if known else to_iso(now)
    ends = max(now + seconds, _ends(known) if known else 0)
    return {"labels": labels, "annotations": annotations, "startsAt": starts, "endsAt": to_iso(ends)}


def plan_absent(known, now):
    """The alert to send that ends ``known``, None where there is none."""
    if not known:
        return None
    starts = from_iso(known["startsAt"]).timestamp()
    # The clock is told in whole seconds, and an end must come after the start.
    return {"labels": known["labels"], "annotations": known.get("annotations") or {}, "startsAt": to_iso(min(starts, now - 1)),
            "endsAt": to_iso(now)}  # fmt: skip


def _ends(alert):
    return from_iso(alert["endsAt"]).timestamp()


def send(connection, document):
    """Raises ProbeError, which says so where nobody knows whether the alert has arrived."""
    try:
        _alertmanager.fetch(connection, "/alerts", method="POST", body=[document], text=True)
    except ProbeError as error:
        error.next += DOUBT if error.reason in IN_DOUBT else ""
        raise


def shown(alert):
    """An alert as it is returned, None where there is none. Raises KeyError, TypeError or ValueError on what is none."""
    if not alert:
        return None
    told = alert.get("status") or {}
    return {
        "labels": alert["labels"],
        "annotations": alert.get("annotations") or {},
        "state": _alertmanager.state_of(alert) if told else "unprocessed",
        "starts_at": to_iso(from_iso(alert["startsAt"])),
        "ends_at": to_iso(from_iso(alert["endsAt"])),
        "receivers": sorted(item["name"] for item in alert.get("receivers") or [] if item.get("name")),
    }


class Member:
    """One Alertmanager on the way from what it knows to what it should know."""

    def __init__(self, url):
        self.url, self.known, self.document, self.error, self.sent = safe_url(url), None, None, None, False
        self.before = self.after = None

    def plan(self, answer, labels, annotations, seconds):
        """``answer`` is that of :func:`find`, or a ProbeError; ``seconds`` None ends the alert."""
        if isinstance(answer, ProbeError):
            self.error = answer
            return
        try:
            self.known, now = answer
            self.document = plan_absent(self.known, now) if seconds is None else plan_present(self.known, labels, annotations, seconds, now)
            self.before = shown(self.known)
            self.after = self.before if not self.document else None if seconds is None else shown(self.document)
        except (AttributeError, KeyError, TypeError, ValueError):
            self.error, self.document = not_like(_alertmanager.SERVICE, self.url), None

    def seen(self, answer, present):
        """``answer`` is what :func:`find` says once the alert was sent."""
        if isinstance(answer, ProbeError):
            self.error, self.after = answer, None
            return
        self.sent, self.after = True, shown(answer[0])
        if bool(answer[0]) != present:
            message = "{0} took the alert and {1}".format(self.url, "does not have it" if present else "still has it")
            self.error = ProbeError("wrong_answer", "not_taken", message, "Read its log. Is its clock right?")

    def record(self):
        told = _alertmanager.member(self.url, self.error or True)
        return dict(told, changed=bool(self.document) and not self.error or self.sent, before=self.before, after=self.after)
