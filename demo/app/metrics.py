"""Prometheus metrics, every one of a request labelled with the release that answered it."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram, Info, disable_created_metrics

disable_created_metrics()

REQUESTS = Counter("http_requests_total", "Requests answered", ["release", "method", "route", "status"])
DURATION = Histogram(
    "http_request_duration_seconds",
    "Time from the first byte of the request to the last of the answer",
    ["release", "route"],
    # Fine enough that a latency half as long again falls into another bucket: a quantile is as exact as its buckets.
    buckets=(0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.04, 0.06, 0.08, 0.12, 0.16, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.75, 1.0, 1.5, 2.5, 5.0,
             10.0, 30.0),
)
IN_PROGRESS = Gauge("http_requests_in_progress", "Requests being answered")
LOGINS = Counter("auth_logins_total", "Logins by outcome", ["outcome"])
EXTERNAL = Counter("app_external_requests_total", "Requests to the API outside, by how they ended", ["outcome"])
POOL = Gauge("database_pool_connections", "Connections of the pool by state", ["state"])
POOL_WAITING = Gauge("database_pool_waiting", "Requests waiting for a connection")
APP = Info("app", "The release this process is")


def prepare(release: str, methods: list[str], route: str) -> None:
    """Series begin at 0: one that appears with its first error has no increase to be seen, and the error would not count."""
    for method in methods:
        for status in ("200", "201", "500", "503"):
            REQUESTS.labels(release, method, route, status)
    DURATION.labels(release, route)


def prepare_external() -> None:
    """Likewise; and only in an app that asks one at all."""
    for outcome in ("answered", "refused", "timed_out", "unreachable"):
        EXTERNAL.labels(outcome)


def observe_external(outcome: str) -> None:
    EXTERNAL.labels(outcome).inc()


def observe(release: str, method: str, route: str, status: int, seconds: float) -> None:
    REQUESTS.labels(release, method, route, str(status)).inc()
    DURATION.labels(release, route).observe(seconds)


def observe_pool(stats: dict[str, int]) -> None:
    """``stats``: what ``AsyncConnectionPool.get_stats()`` gives."""
    size, free = stats.get("pool_size", 0), stats.get("pool_available", 0)
    POOL.labels("idle").set(free)
    POOL.labels("used").set(max(0, size - free))
    POOL_WAITING.set(stats.get("requests_waiting", 0))
