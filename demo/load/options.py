"""What is asked of the load generator."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Options:
    """Times in seconds. ``rate`` is of the busy clients together; idle and slow ones come on top."""

    url: str = "http://127.0.0.1:8080"
    rate: float = 200.0
    clients: int = 20
    idle_clients: int = 30
    slow_clients: int = 2
    post_share: float = 0.1
    path: str = "/api/drafts"
    idle_from: float = 1.0
    idle_to: float = 9.0
    slow_seconds: float = 5.0
    timeout: float = 10.0
    # For https: a file with the authorities to trust, and the name that the certificate must be for. Each connection verifies once.
    ca: str = ""
    server_name: str = "astraldraft.test"
    # None: until stopped.
    seconds: float | None = None

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"the URL is {self.url!r}; expected http://host[:port] or https://host[:port]")
        if not self.clients + self.idle_clients + self.slow_clients:
            raise ValueError("no clients at all")
        if self.clients and self.rate <= 0:
            raise ValueError(f"the rate is {self.rate:g}; expected requests a second, more than 0")
        if not 0 <= self.post_share <= 1:
            raise ValueError(f"the share of POSTs is {self.post_share:g}; expected 0 to 1")
        if not 0 < self.idle_from <= self.idle_to:
            raise ValueError(f"idle clients pause {self.idle_from:g} to {self.idle_to:g} s; expected 0 < from <= to")

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        return urlsplit(self.url).port or (443 if self.tls else 80)

    @property
    def tls(self) -> bool:
        return urlsplit(self.url).scheme == "https"

    def context(self) -> ssl.SSLContext | None:
        """Of TLS connections. Made once: reading the authorities costs more than a request."""
        return ssl.create_default_context(cafile=self.ca or None) if self.tls else None
