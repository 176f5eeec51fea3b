# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Windows of maintenance in PagerDuty: no incidents of a service for a time. Private: other collections must not import it."""

from __future__ import annotations

from ansible_collections.astraldraft.ops.plugins.module_utils._http_json import not_like
from ansible_collections.astraldraft.ops.plugins.module_utils._pagerduty import FURTHEST, SERVICE, PagerDuty, moment_of, name_of
from ansible_collections.astraldraft.ops.plugins.module_utils._time import from_iso, to_iso

_PATH = "/maintenance_windows"
#: Ends that differ by less are the same: PagerDuty keeps whole seconds.
SAME_SECONDS = 1.5
#: What has ended already, or is gone, need not be ended.
_OVER = (404, 405)


class Windows(PagerDuty):
    """The windows that an account's token sees. Every method raises ProbeError, as those of PagerDuty do."""

    def open(self, services, description):
        """Those that are open or to come, have exactly this description, and are of exactly these services (ids)."""
        # `query` is left to PagerDuty's idea of similarity: what is the same is judged here.
        parameters = [("filter", "open")] + [("service_ids[]", service) for service in services]
        found, _more = self._pages(_PATH, "maintenance_windows", parameters, FURTHEST)
        windows = [shown(raw) for raw in found]
        return [one for one in windows if one["description"] == description and set(one["service_ids"]) == set(services)]

    def add(self, requester, window):
        return self._window(self._ask(_PATH, method="POST", body=_body(window), headers={"From": requester}))

    def change(self, requester, window):
        """Change one to ``window``, whose ``id`` it has."""
        path = "{0}/{1}".format(_PATH, window["id"])
        return self._window(self._ask(path, method="PUT", body=_body(window), headers={"From": requester}))

    def end(self, identity):
        """One that is to come is deleted by that, one that is open ends."""
        self._ask("{0}/{1}".format(_PATH, identity), method="DELETE", accepted=_OVER, form=None)

    @staticmethod
    def _window(answer):
        raw = answer.document.get("maintenance_window")
        if not isinstance(raw, dict) or not raw.get("id"):
            raise not_like(SERVICE, answer.url)
        return shown(raw)


def _body(window):
    services = [{"id": identity, "type": "service_reference"} for identity in window["service_ids"]]
    fields = {"type": "maintenance_window", "start_time": window["starts_at"], "end_time": window["ends_at"], "services": services}
    return {"maintenance_window": dict(fields, description=window["description"])}


def shown(raw):
    """A window as modules return it, whatever PagerDuty left out."""
    services = [service for service in raw.get("services") or [] if isinstance(service, dict)]
    return {
        "id": str(raw.get("id")),
        "description": str(raw.get("description") or raw.get("summary") or ""),
        "starts_at": moment_of(raw.get("start_time")),
        "ends_at": moment_of(raw.get("end_time")),
        "service_ids": [str(service.get("id")) for service in services],
        "services": [name_of(service) for service in services],
        "url": raw.get("html_url"),
    }


def ends_as(window, ends_at):
    """Whether a window ends at ``ends_at`` (aware datetime)."""
    try:
        return abs((from_iso(window["ends_at"]) - ends_at).total_seconds()) < SAME_SECONDS
    except (AttributeError, TypeError, ValueError):
        return False


def imagined(services, description, starts_at, ends_at):
    """One that is not there yet."""
    times = {"starts_at": to_iso(starts_at), "ends_at": to_iso(ends_at)}
    return dict(times, id=None, description=description, service_ids=list(services), services=[], url=None)
