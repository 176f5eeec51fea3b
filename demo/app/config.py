"""Settings and faults, read once from the environment. Pure: no input but the mapping given."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

RELEASE = re.compile(r"v?(\d+)\.(\d+)\.(\d+)(?:[-+][A-Za-z0-9._-]+)?")


class ConfigError(ValueError):
    """A variable of the environment cannot be used; the message names it and the value."""


def release_number(release: str) -> tuple[int, int, int]:
    """``v1.2.5-slow`` -> ``(1, 2, 5)``: what decides which migrations belong to a release."""
    match = RELEASE.fullmatch(release)
    if not match:
        raise ConfigError(f"APP_VERSION is {release!r}; expected something like v1.2.3")
    major, minor, patch = match.groups()
    return int(major), int(minor), int(patch)


def _number(environment: Mapping[str, str], name: str, default: float, low: float, high: float) -> float:
    text = environment.get(name, "").strip()
    if not text:
        return default
    try:
        value = float(text)
    except ValueError:
        raise ConfigError(f"{name} is {text!r}; expected a number") from None
    if not low <= value <= high:
        raise ConfigError(f"{name} is {text}; expected {low:g} to {high:g}")
    return value


def _switch(environment: Mapping[str, str], name: str) -> bool:
    text = environment.get(name, "").strip().lower()
    if text in ("", "0", "false", "no", "off"):
        return False
    if text in ("1", "true", "yes", "on"):
        return True
    raise ConfigError(f"{name} is {text!r}; expected 0 or 1")


def _address(environment: Mapping[str, str], name: str) -> str | None:
    text = environment.get(name, "").strip()
    if text and not re.match(r"https?://[^/@]+(/|$)", text):
        raise ConfigError(f"{name} is {text!r}; expected an address with http:// or https:// and no user in it")
    return text or None


def secret(environment: Mapping[str, str], name: str) -> str | None:
    """A secret from ``NAME_FILE`` (preferred: not visible in ``docker inspect``) or from ``NAME``."""
    path = environment.get(f"{name}_FILE", "").strip()
    if path:
        try:
            with open(path, encoding="utf-8") as stream:
                return stream.read().strip() or None
        except OSError as error:
            raise ConfigError(f"{name}_FILE: cannot read {path}: {error.strerror}") from None
    return environment.get(name) or None


@dataclass(frozen=True)
class Faults:
    """How this release misbehaves. All zero for a good one."""

    unhealthy: bool = False
    error_rate: float = 0.0
    latency_seconds: float = 0.0
    crash_after_seconds: float = 0.0
    leaked_connections_per_second: float = 0.0

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Faults:
        return cls(
            unhealthy=_switch(environment, "FAULT_UNHEALTHY"),
            error_rate=_number(environment, "FAULT_ERROR_RATE", 0, 0, 1),
            latency_seconds=_number(environment, "FAULT_LATENCY_SECONDS", 0, 0, 60),
            crash_after_seconds=_number(environment, "FAULT_CRASH_AFTER_SECONDS", 0, 0, 86400),
            leaked_connections_per_second=_number(environment, "FAULT_CONNECTION_LEAK", 0, 0, 100),
        )

    def active(self) -> dict[str, float | bool]:
        return {name: value for name, value in vars(self).items() if value}


@dataclass(frozen=True)
class Settings:
    release: str
    # A URL may hold a password: kept out of every repr.
    database_url: str = field(repr=False)
    redis_urls: tuple[str, ...] = field(repr=False)
    demo_user: str = "demo"
    demo_password: str | None = field(default=None, repr=False)
    # None: the app depends on nobody outside.
    external_url: str | None = None
    external_key: str | None = field(default=None, repr=False)
    host: str = "0.0.0.0"
    port: int = 3000
    log_level: str = "INFO"
    pool_size: int = 5
    session_seconds: int = 86400
    cache_seconds: int = 2
    # Longer than nginx keeps an idle connection to us (60 s), so that nginx is always the one who closes.
    keep_alive_seconds: int = 75
    # Below Compose's stop_grace_period of 15 s: we end by ourselves, with exit code 0, before the SIGKILL.
    drain_seconds: int = 14
    faults: Faults = Faults()

    @property
    def number(self) -> tuple[int, int, int]:
        return release_number(self.release)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Raises ConfigError for a variable that cannot be used."""
        environment = os.environ if environment is None else environment
        release = environment.get("APP_VERSION", "v0.0.0").strip()
        release_number(release)
        level = environment.get("LOG_LEVEL", "INFO").strip().upper()
        if level not in ("DEBUG", "INFO", "WARNING", "ERROR"):
            raise ConfigError(f"LOG_LEVEL is {level!r}; expected DEBUG, INFO, WARNING or ERROR")
        urls = tuple(url.strip() for url in environment.get("REDIS_URL", "redis://redis-1:6379").split(",") if url.strip())
        return cls(
            release=release,
            database_url=environment.get("DATABASE_URL", "postgresql://astral@postgres-master:5432/astral_draft_v4"),
            redis_urls=urls,
            demo_user=environment.get("DEMO_USER", "demo").strip() or "demo",
            demo_password=secret(environment, "DEMO_USER_PASSWORD"),
            external_url=_address(environment, "EXTERNAL_API_URL"),
            external_key=secret(environment, "EXTERNAL_API_KEY"),
            host=environment.get("APP_HOST", "0.0.0.0"),
            port=int(_number(environment, "APP_PORT", 3000, 1, 65535)),
            log_level=level,
            pool_size=int(_number(environment, "DATABASE_POOL_SIZE", 5, 1, 50)),
            session_seconds=int(_number(environment, "SESSION_SECONDS", 86400, 1, 31536000)),
            cache_seconds=int(_number(environment, "CACHE_SECONDS", 2, 1, 3600)),
            drain_seconds=int(_number(environment, "DRAIN_SECONDS", 14, 1, 600)),
            faults=Faults.from_environment(environment),
        )
