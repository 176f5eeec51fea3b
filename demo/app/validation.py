"""What a request may say. Pure functions: value in, clean value out, or Invalid with every problem found."""

from __future__ import annotations

import ipaddress
import re
from typing import Any

FORMATS = ("snake", "auction", "linear")
MAX_SLOW_SECONDS = 30.0
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class Invalid(ValueError):
    """``problems``: list of ``{"field": ..., "message": ...}``."""

    def __init__(self, problems: list[dict[str, str]]) -> None:
        super().__init__("; ".join(f"{problem['field']}: {problem['message']}" for problem in problems))
        self.problems = problems


def _text(value: Any, field: str, longest: int, problems: list[dict[str, str]], strip: bool = True) -> str:
    if not isinstance(value, str):
        problems.append({"field": field, "message": "is required and must be a string"})
        return ""
    text = value.strip() if strip else value
    if not text:
        problems.append({"field": field, "message": "must not be empty"})
    elif len(text) > longest:
        problems.append({"field": field, "message": f"must be at most {longest} characters, not {len(text)}"})
    elif strip and not text.isprintable():
        problems.append({"field": field, "message": "must not contain control characters"})
    return text


def _object(body: Any) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise Invalid([{"field": "body", "message": "must be a JSON object"}])
    return body


def draft(body: Any) -> dict[str, str]:
    """-> ``{"name", "format"}``"""
    body = _object(body)
    problems: list[dict[str, str]] = []
    name = _text(body.get("name"), "name", 100, problems)
    kind = body.get("format", FORMATS[0])
    if kind not in FORMATS:
        problems.append({"field": "format", "message": "must be one of " + ", ".join(FORMATS)})
    if problems:
        raise Invalid(problems)
    return {"name": name, "format": kind}


def pick(body: Any) -> dict[str, Any]:
    """-> ``{"round", "player", "team"}``"""
    body = _object(body)
    problems: list[dict[str, str]] = []
    player = _text(body.get("player"), "player", 100, problems)
    team = _text(body.get("team"), "team", 60, problems)
    number = body.get("round", 1)
    if not isinstance(number, int) or isinstance(number, bool) or not 1 <= number <= 40:
        problems.append({"field": "round", "message": "must be a whole number from 1 to 40"})
    if problems:
        raise Invalid(problems)
    return {"round": number, "player": player, "team": team}


def credentials(body: Any) -> tuple[str, str]:
    body = _object(body)
    problems: list[dict[str, str]] = []
    user = _text(body.get("username"), "username", 100, problems)
    password = _text(body.get("password"), "password", 256, problems, strip=False)
    if problems:
        raise Invalid(problems)
    return user, password


def slow_seconds(text: str | None) -> float:
    if text is None:
        return 1.0
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= MAX_SLOW_SECONDS:  # also false for NaN
        raise Invalid([{"field": "seconds", "message": f"must be a number from 0 to {MAX_SLOW_SECONDS:g}"}])
    return seconds


def request_id(given: str | None) -> str | None:
    """The caller's id if it is safe to log, else None."""
    return given if given and _REQUEST_ID.fullmatch(given) else None


def client_address(forwarded_for: str | None, peer: str | None) -> str | None:
    """The last address of X-Forwarded-For: the one our own nginx wrote. Those before it are whatever the client claims."""
    if forwarded_for:
        last = forwarded_for.rsplit(",", 1)[-1].strip()
        try:
            return str(ipaddress.ip_address(last))
        except ValueError:
            pass
    return peer
