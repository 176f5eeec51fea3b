# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every kind of health check in one place: options, defaults, probes. Private: other collections must not import it."""

from __future__ import annotations

import re

from ansible_collections.astraldraft.ops.plugins.module_utils import _checks, _jsonpath
from ansible_collections.astraldraft.ops.plugins.module_utils._checks_container import CONTAINER_DEFAULTS, CONTAINER_SPEC, probe_container
from ansible_collections.astraldraft.ops.plugins.module_utils._checks_http import HTTP_CHECK_DEFAULTS, HTTP_CHECK_SPEC, probe_http
from ansible_collections.astraldraft.ops.plugins.module_utils._checks_net import (
    TCP_DEFAULTS,
    TCP_SPEC,
    TLS_DEFAULTS,
    TLS_SPEC,
    probe_tcp,
    probe_tls,
)
from ansible_collections.astraldraft.ops.plugins.module_utils._checks_postgres import POSTGRES_DEFAULTS, POSTGRES_SPEC, probe_postgres
from ansible_collections.astraldraft.ops.plugins.module_utils._checks_redis import REDIS_DEFAULTS, REDIS_SPEC, probe_redis
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._module import load

OPTIONS: dict[str, dict] = {
    "http": HTTP_CHECK_SPEC,
    "tcp": TCP_SPEC,
    "tls": TLS_SPEC,
    "postgres": POSTGRES_SPEC,
    "redis": REDIS_SPEC,
    "container": CONTAINER_SPEC,
}
DEFAULTS = {
    "http": HTTP_CHECK_DEFAULTS,
    "tcp": TCP_DEFAULTS,
    "tls": TLS_DEFAULTS,
    "postgres": POSTGRES_DEFAULTS,
    "redis": REDIS_DEFAULTS,
    "container": CONTAINER_DEFAULTS,
}
PROBES = {
    "http": probe_http,
    "tcp": probe_tcp,
    "tls": probe_tls,
    "postgres": probe_postgres,
    "redis": probe_redis,
    "container": probe_container,
}
#: The options of one check: those common to all, and those of every type.
SPEC: dict = dict(_checks.COMMON_SPEC)
for _own in OPTIONS.values():
    SPEC.update(_own)
CHECKS_SPEC = {"checks": {"type": "list", "elements": "dict", "required": True, "options": SPEC}}


def prepare(raw_checks):
    """The checks as their probes want them. Raises OpsError on none, too many, or one that cannot be right."""
    if not raw_checks:
        raise OpsError("No check is given, and nothing checked is not healthy. Give at least one in checks.")
    if len(raw_checks) > _checks.MOST_CHECKS:
        message = "{0} checks are given, {1} at most run in one call. Use several tasks."
        raise OpsError(message.format(len(raw_checks), _checks.MOST_CHECKS))
    named = [{key: value for key, value in raw.items() if key in SPEC} for raw in raw_checks]  # without the aliases
    checks = [_checks.prepare(raw, OPTIONS, DEFAULTS) for raw in named]
    for check in checks:
        for assertion in check.get("json") or []:
            try:
                _jsonpath.parse(assertion["path"])
                re.compile(assertion.get("matches") or "")
            except (ValueError, re.error) as error:
                raise OpsError("Check {0}: a json assertion cannot be read: {1}".format(_checks.name_of(check), error))
    return checks


def libraries(checks):
    """The optional libraries that these checks need, by name. Only those are imported. Raises OpsError when one is missing."""
    configured, found = [check for check in checks if check["configured"]], {}
    kinds = {check["type"] for check in configured}
    if "postgres" in kinds:
        found["psycopg2"] = load("psycopg2", "psycopg2-binary")
        load("psycopg2.errors", "psycopg2-binary")
    if "redis" in kinds:
        found["redis"] = load("redis")
    if "container" in kinds or any(check.get("services") for check in configured):
        found["docker"] = load("docker")
    return found
