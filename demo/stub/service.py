"""The stub as a whole, without a web framework: calls in, replies and delays out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .faults import Faults, parse
from .recorder import Recorder
from .vendors import VENDORS
from .vendors.base import METHOD_NOT_ALLOWED, NOT_FOUND, BadRequest, Call, Reply, Vendor


class Service:
    def __init__(self, environment: Mapping[str, str]) -> None:
        """Raises OSError when a vendor's file of the environment cannot be read."""
        self._vendors: dict[str, Vendor] = {vendor.name: vendor(environment) for vendor in VENDORS}
        self.recorder = Recorder()
        self.faults = Faults()

    def answer(self, call: Call) -> tuple[Reply, float]:
        """-> (reply, seconds to wait before it)"""
        try:
            if call.path == "/healthz":
                return Reply(200, {"status": "ok", "vendors": list(self._vendors)}), 0.0
            if call.path == "/__requests":
                return self._requests(call), 0.0
            if call.path == "/__control":
                return self._control(call), 0.0
        except BadRequest as error:
            return Reply(400, {"error": str(error)}), 0.0
        return self._vendor(call)

    def _vendor(self, call: Call) -> tuple[Reply, float]:
        vendor = next((vendor for vendor in self._vendors.values() if vendor.owns(call.path)), None)
        fault = self.faults.take(vendor.name, call.path) if vendor else None
        if vendor is None:
            reply = NOT_FOUND
        elif fault and fault.status is not None:
            reply = Reply(fault.status, {"error": "as asked for"} if fault.body is None else fault.body)
        else:
            try:
                reply = vendor.answer(call)
            except BadRequest as error:
                reply = Reply(400, {"error": str(error)})
        self.recorder.add(vendor.name if vendor else None, call, reply.status, bool(fault))
        return reply, fault.delay if fault else 0.0

    def _requests(self, call: Call) -> Reply:
        if call.method == "DELETE":
            self.recorder.clear()
            return Reply(200, {"requests": []})
        if call.method != "GET":
            return METHOD_NOT_ALLOWED
        try:
            after, limit = int(call.query.get("after", "0")), int(call.query.get("limit", "100"))
            status = int(call.query["status"]) if "status" in call.query else None
        except ValueError:
            raise BadRequest("after, limit and status must be whole numbers") from None
        return Reply(200, {"requests": self.recorder.find(call.query.get("vendor"), call.query.get("path"), after, limit, status)})

    def _control(self, call: Call) -> Reply:
        if call.method == "POST":
            self._change(call.json_object())
        elif call.method != "GET":
            return METHOD_NOT_ALLOWED
        return Reply(200, {"faults": self.faults.listed(), "settings": {name: v.settings() for name, v in self._vendors.items()}})

    def _change(self, message: dict[str, Any]) -> None:
        name = message.get("vendor")
        if name is not None and name not in self._vendors:
            raise BadRequest(f"vendor must be one of {', '.join(self._vendors)}")
        if message.get("reset"):
            self.faults.clear(name)
            for vendor in [self._vendors[name]] if name else self._vendors.values():
                vendor.reset()
        elif "settings" in message and name and isinstance(message["settings"], dict):
            self._vendors[name].configure(message["settings"])
        else:
            self.faults.add(parse(message, list(self._vendors)))
