"""Every primary of Redis may use less memory than it does: no write is taken."""

from __future__ import annotations

import threading

from .fault import REDIS_NODES, Fault

SHARE = 0.9


class RedisOutOfMemory(Fault):
    cause = "redis_out_of_memory"

    def inject(self) -> None:
        self._before: dict[int, str] = {}
        for number in range(1, REDIS_NODES + 1):
            node = self.scene.redis(number)
            if node.info("replication")["role"] == "master":
                self._before[number] = str(node.config_get("maxmemory")["maxmemory"])
                node.config_set("maxmemory", int(node.info("memory")["used_memory"] * SHARE))
        # Who logs in is the one who notices.
        self._over = threading.Event()
        self._visitor = threading.Thread(target=self._visit, daemon=True)
        self._visitor.start()

    def _visit(self) -> None:
        while not self._over.wait(0.5):
            self.scene.login()

    def shows(self) -> str:
        said = [self.scene.login() for _ in range(3)]
        refused = self.scene.measured('increase(http_requests_total{route="/api/login",status="503"}[30s])')
        return f"logins end with {said[0]}, {refused:.0f} of them in 30 s" if set(said) == {503} and refused >= 5 else ""

    def undo(self) -> None:
        if hasattr(self, "_visitor"):
            self._over.set()
            self._visitor.join(15)
        for number, value in self._before.items():
            self.scene.redis(number).config_set("maxmemory", value)
