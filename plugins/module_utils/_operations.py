# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What each operation works on, and so which exclude each other. Private: other collections must not import it.

An operation uses a resource alone (exclusive) or beside others (shared). Two operations exclude each other when they share a resource and
one of them uses it alone. What changes nothing, or only what is atomic in itself (a silence, a firewall entry, a note in an incident), uses
nothing. The table in docs/guard.md is tested against this one.
"""

from __future__ import annotations

from collections import namedtuple

#: app: the colours and the record of releases; traffic: nginx's configuration; backups: the catalogue; replica: the database's replicas.
RESOURCES = ("app", "traffic", "database", "cache", "backups", "replica")

#: ``alone`` and ``beside``: frozensets of resources; ``frozen``: whether a freeze and an open SEV-1 or SEV-2 incident hold it back.
Operation = namedtuple("Operation", "alone beside frozen")


def _operation(alone="", beside="", frozen=False):
    return Operation(frozenset(alone.split()), frozenset(beside.split()), frozen)


_NOTHING = _operation()
_EVERYTHING = " ".join(RESOURCES)
_RELEASE = {"alone": "app traffic", "beside": "database cache"}

OPERATIONS = {
    "deploy": _operation(frozen=True, **_RELEASE),
    "rollback": _operation(**_RELEASE),
    "retire": _operation(alone="app"),
    "scale": _operation(frozen=True, **_RELEASE),
    # It may restart the database under a backup, which then fails and says so: or a long backup would forbid to restart the application.
    "restart_service": _operation(**_RELEASE),
    "weights": _operation(alone="traffic", beside="app"),
    "stack": _operation(alone=_EVERYTHING, frozen=True),
    "backup": _operation(alone="backups", beside="database"),
    "backup_verify": _operation(beside="backups"),
    "restore": _operation(alone="app database", beside="backups"),
    "restore_undo": _operation(alone="app database", beside="backups"),
    "database_maintenance": _operation(alone="database", frozen=True),
    "database_connections": _operation(beside="database"),
    "database_failover": _operation(alone="app database replica"),
    "replica_rebuild": _operation(alone="replica", beside="database"),
    "cache_clear": _operation(alone="cache", frozen=True),
    "sessions_revoke": _operation(alone="cache"),
    "certificate_renew": _operation(alone="traffic"),
    "fallback": _operation(alone="traffic"),
    "maintenance_start": _operation(alone="traffic"),
    # It lets people in again: not while somebody restores.
    "maintenance_end": _operation(alone="traffic", beside="app database"),
    "recover_configuration": _operation(**_RELEASE),
    "recover_data": _operation(alone="app traffic database", beside="cache backups"),
    "recover_partial": _operation(alone="app traffic database cache"),
    "recover_system": _operation(alone=_EVERYTHING),
    "drill": _operation(alone=_EVERYTHING, frozen=True),
}
OPERATIONS.update(
    dict.fromkeys(
        (
            "health",
            "releases",
            "backup_list",
            "database_health",
            "cache_health",
            "sessions_count",
            "monitoring_health",
            "alerts",
            "alert_pipeline_test",
            "silence",
            "unsilence",
            "security_audit",
            "certificates",
            "block_address",
            "unblock_address",
            "blocked",
            "diagnose",
            "drills",
            "incident_open",
            "incident_update",
            "incident_escalate",
            "incident_resolve",
            "incident_postmortem",
            "incidents",
            "incident_actions",
            "maintenance_announce",
            "journal",
            "lock",
            "unlock",
            "freeze",
            "unfreeze",
            "schedule",
            "locks",
        ),
        _NOTHING,
    )
)

#: Of an operation that is not listed the worst is assumed.
_UNKNOWN = _operation(alone=_EVERYTHING, frozen=True)


def _known(operation):
    return OPERATIONS.get(operation, _UNKNOWN)


def uses(operation):
    """The resources that an operation uses, alone or beside others: a frozenset of names."""
    return _known(operation).alone | _known(operation).beside


def contended(first, second):
    """The resources for which two operations exclude each other, in the order of RESOURCES. Empty when both may run at once."""
    alone = _known(first).alone | _known(second).alone
    return [name for name in RESOURCES if name in alone and name in uses(first) and name in uses(second)]


def excludes(first, second):
    """Whether two operations must not run at the same time."""
    return bool(contended(first, second))


def frozen(operation):
    """Whether a freeze, and an open SEV-1 or SEV-2 incident, hold the operation back."""
    return _known(operation).frozen
