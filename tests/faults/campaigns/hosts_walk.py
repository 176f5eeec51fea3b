"""The main playbooks, one after the other, on hosts of their own over SSH: three for the application, one each for the rest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .hosts import one_certificate
from .operations import last_words
from .record import Record
from .recover_data import LIVE, OLD
from .stack import Stack
from .world import APP_HOSTS, World

PROMISE = "Every main playbook ends well on split hosts over SSH, and afterwards one release is live on all of them"
DATABASE, REPLICA = "astral_draft_v4", "postgres-replica"
NOTHING = ["service=nothing", "team=campaign"]
#: Nobody asks the application for anything, so nothing can be measured.
QUIET = {"release_metrics_url": ""}
SHORT = {"maintenance_duration": "10m", "maintenance_message": "A walk.", "maintenance_watch_seconds": 0}
#: An address for documentation.
SOMEBODY = {"firewall_addresses": ["192.0.2.7"], "firewall_proof_timeout": 0}
INCIDENT = {"incident_severity": "SEV-3", "incident_title": "A walk", "incident_impact": "Nobody's", "incident_message": "We look"}


@dataclass(frozen=True)
class Step:
    """One run. ``says`` are words that it prints."""

    playbook: str
    variables: dict[str, Any] = field(default_factory=dict)
    says: tuple[str, ...] = ()


def steps(live: str, release: str) -> Iterator[Step]:
    """``live`` is the live colour, ``release`` its version."""
    confirmed = {"ops_confirm": DATABASE}
    # How it is.
    yield Step("health", says=("pass:", "app-3", "db-1", "cache-1"))
    yield Step("releases", says=(release,))
    yield Step("diagnose", {"diagnosis_timeout": 60, "diagnosis_part_timeout": 20})
    yield Step("database_health")
    yield Step("cache_health", says=("all 6 answer",))
    yield Step("sessions_count")
    yield Step("monitoring_health")
    yield Step("alerts", {"alerts_filter": ["alertname=Watchdog"]}, ("Watchdog",))
    yield Step("security_audit", {"security_window": "1h", **{f"security_{what}_limit": 10**9 for what in ("user", "address", "error")}})
    # The application.
    yield Step("scale", {"scale_replicas": 2}, ("app-1", "app-3"))
    yield Step("weights", {"traffic_weights": {f"{live}-2": 0}})
    yield Step("weights", {"traffic_weights": {}})
    yield Step("restart_service", {"service_name": live})
    yield Step("scale", {"scale_replicas": 1, "ops_override": ["floor"]})
    yield Step("rollback", QUIET, (OLD,))
    yield Step("rollback", QUIET | {"release_version": release})
    yield Step("rollback", QUIET | {"release_version": release}, ("already",))
    greeting = {"host_faults": {name: {"BANNER": "hello"} for name in APP_HOSTS}}
    yield Step("recover_configuration", QUIET | greeting | {"release_configuration": "inventory"}, ("BANNER is new: hello",))
    yield Step("recover_configuration", QUIET, ("BANNER is gone; it was hello",))
    yield Step("recover_partial", {"repair_steps": [100], "repair_step_seconds": 1}, ("Nothing has failed",))
    yield Step("fallback", {"traffic_fallback": "sports-data", "traffic_fallback_state": "open"})
    yield Step("fallback", {"traffic_fallback": "sports-data", "traffic_fallback_state": "closed"})
    # The database and the cache.
    yield Step("database_maintenance")
    yield Step("database_connections")
    yield Step("restart_service", {"service_name": REPLICA, "service_target": "database"})
    yield Step("backup", {"backup_kind": "stack"})
    yield Step("backup_verify", {"backup_kind": "stack", "backup_verify_level": "restore"})
    yield Step("backup_list")
    yield Step("restore", {**confirmed, "restore_backup": "latest"})
    yield Step("restore_undo", confirmed)
    yield Step("recover_data", {**confirmed, "restore_backup": "latest"})
    yield Step("recover_data", {**confirmed, "restore_backup": "latest"}, ("holds already",))
    yield Step("database_failover", {"ops_confirm": "postgres-master"}, (f"{REPLICA} took over from postgres-master",))
    yield Step("database_failover", {"ops_confirm": REPLICA}, (f"postgres-master took over from {REPLICA}",))
    yield Step("replica_rebuild", {"replication_replica": REPLICA, "replication_force": True})
    yield Step("cache_clear", {"cache_pattern": "cache:*", "ops_confirm": "cache:*"})
    yield Step("sessions_revoke", {"ops_confirm": "session:*"})
    # Who is told, and who is kept out.
    yield Step("silence", {"silence_matchers": NOTHING})
    yield Step("unsilence", {"silence_matchers": NOTHING})
    yield Step("alert_pipeline_test")
    yield Step("incident_open", INCIDENT)
    yield Step("incident_update", {"incident_status": "monitoring", "incident_message": "It is well"})
    yield Step("incidents", says=("A walk",))
    yield Step("incident_resolve", {"incident_resolution": "It was a walk", "incident_cause": "A walk"})
    yield Step("block_address", SOMEBODY, ("192.0.2.7 is blocked",))
    yield Step("blocked", says=("192.0.2.7",))
    yield Step("unblock_address", SOMEBODY)
    yield Step("maintenance_announce", SHORT | {"maintenance_starts_at": "2099-01-01T02:00:00Z"})
    yield Step("maintenance_start", SHORT, ("is in maintenance",))
    yield Step("maintenance_end", SHORT, ("is open again",))
    yield Step("lock", {"lock_message": "A walk"})
    yield Step("locks", says=("A walk",))
    yield Step("unlock")
    yield Step("freeze", {"freeze_duration": "1h"})
    yield Step("unfreeze")
    yield Step("journal", {"journal_verify": True})


def run(stack: Stack, folder: Path) -> Record:
    record = Record("hosts_walk", PROMISE)
    with World(stack, folder) as world:
        world.ensure_live(OLD)
        world.ensure_live(LIVE)
        live = next(iter(world.hosts.values())).live_colour()
        assert live
        for step in steps(live, LIVE):
            play = world.run(step.playbook, step.variables)
            words = " ".join(play.output.split())
            lacking = [said for said in step.says if said not in words]
            well = play.process.returncode == 0 and not lacking
            told = f"{play.seconds:.0f} s" if well else f"exit {play.process.returncode}; not said: {lacking}; {last_words(play)}"
            record.check(well, " ".join([step.playbook, *map(str, step.variables.values())])[:120], told)
        one_certificate(record, world)
        problems = world.unsettled(LIVE)
        record.check(not problems, f"{LIVE} is live on every host afterwards, and all agrees with that", "; ".join(problems))
    return record
