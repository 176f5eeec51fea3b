"""Where Alertmanager delivers: POST /webhook/alertmanager with its webhook payload, version 4."""

from __future__ import annotations

from .base import METHOD_NOT_ALLOWED, BadRequest, Call, Reply, Vendor


class AlertmanagerWebhook(Vendor):
    name = "alertmanager"
    prefixes = ("/webhook/alertmanager",)

    def answer(self, call: Call) -> Reply:
        if call.method != "POST":
            return METHOD_NOT_ALLOWED
        payload = call.json_object()
        alerts = payload.get("alerts")
        if payload.get("version") != "4" or payload.get("status") not in ("firing", "resolved") or not isinstance(alerts, list):
            raise BadRequest("not an Alertmanager webhook of version 4")
        return Reply(200, {"received": len(alerts)})
