"""The sports data API answers with an error, late."""

from __future__ import annotations

from .fault import Fault

LEAST = 5


class ExternalApiDown(Fault):
    cause = "external_api_down"

    def inject(self) -> None:
        self.scene.control_stub({"vendor": "sportsdata", "status": 503, "delay": 1})

    def shows(self) -> str:
        status = self.scene.status("/api/season")
        refused = self.scene.measured('increase(app_external_requests_total{outcome="refused"}[30s])')
        return f"/api/season ends with {status}, {refused:.0f} were refused in 30 s" if status == 502 and refused >= LEAST else ""

    def undo(self) -> None:
        self.scene.control_stub({"vendor": "sportsdata", "reset": True})
