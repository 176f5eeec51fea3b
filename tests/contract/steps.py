"""The playbooks as they are run, one after the other, each first in check mode: every playbook at least once, every road through it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible_collections.astraldraft.ops.tests.contract.cases.prometheus_alerts_info import server as prometheus
from ansible_collections.astraldraft.ops.tests.contract.lib.incidents import RESOLVED, incident
from ansible_collections.astraldraft.ops.tests.contract.lib.world import Newcomer, World

WHY = {"ops_reason": "contract test"}


@dataclass(frozen=True)
class Step:
    """One run of a playbook. ``says`` are words of its check mode, ``changes`` whether it says there that anything would change.

    ``refused``: it ends with an error. ``real`` is false where only check mode is run: the same road was gone before, or it ends in a
    refusal.
    """

    what: str
    playbook: str
    variables: dict[str, Any] = field(default_factory=dict)
    says: tuple[str, ...] = ()
    changes: bool = False
    refused: bool = False
    real: bool = True


# Tasks whose `changed` in check mode cannot be that of the run, by their names, each with the reason. None is the best number.
EXCEPTIONS: dict[str, str] = {}


def of(newcomer: Newcomer) -> dict[str, Any]:
    """The variables of a newcomer's application, over those of the demo. Releases are proved by their health alone, and at once."""
    return {
        "stack_name": newcomer.project, "stack_state_dir": str(newcomer.folder), "stack_project_src": str(newcomer.folder),
        "release_image": newcomer.image, "release_environment": {}, "release_environment_required": [],
        "release_smoke_checks": [], "release_metrics_url": "",
        "release_public_url": f"http://127.0.0.1:{newcomer.port}", "release_soak_seconds": 0, "release_minimum_uptime_seconds": 0,
        "release_soak_interval": 1, "release_soak_success_limit": 1, "release_migration_command": ["true"],
        "scale_pool_size": 0, "scale_database": {}, "health_ca_path": "", "ops_operator": "ada",
    }  # fmt: skip


def releases(world: World) -> list[Step]:
    """From the first release to one that cannot be taken back any more."""
    new = of(world.newcomer)

    def deploy(version: str, **more: Any) -> dict[str, Any]:
        return new | {"release_version": version} | more

    def rollback(**more: Any) -> dict[str, Any]:
        return new | WHY | more

    at_once = {"release_keep_warm_seconds": 0}
    return [
        Step("no image of it", "deploy", deploy("v9"), ("no image of version v9",), refused=True, real=False),
        Step("the first release", "deploy", deploy("v1"), ("v1 would be live on app-blue",), changes=True),
        Step("what is live already", "deploy", deploy("v1"), ("v1 is live on app-blue already",)),
        Step(
            "the next one, step by step, with an expand migration", "deploy",
            deploy("v2", release_migration_phase="expand", release_traffic_steps=[50, 100], release_traffic_step_seconds=0),
            ("The expand migration of v2 would run", "v2 would be live on app-green"), changes=True,
        ),
        Step("what was released", "releases", new, ("v1", "v2")),
        Step("no reason", "rollback", new, ("needs a reason",), refused=True, real=False),
        Step("what is warm", "rollback", rollback(), ("v1 would be live on app-blue", "warm start"), changes=True),
        Step("what is live already", "rollback", rollback(release_version="v1"), ("v1 is live on app-blue already",), real=False),
        Step("nothing that is over", "retire", new, ("app-green is kept warm until",), real=False),
        Step("what is over", "retire", new | at_once, ("app-green would be retired",), changes=True),
        Step("what is cold", "rollback", rollback(release_version="v2"), ("v2 would be live on app-green", "cold start"), changes=True),
        Step(
            "a contract migration of what is live", "deploy", deploy("v2", release_migration_phase="contract"),
            ("The contract migration of v2 would run",), changes=True,
        ),
        *configuration(new),
    ]  # fmt: skip


def configuration(new: dict[str, Any]) -> list[Step]:
    """Of the release that is live, v2 on green."""
    debug = new | {"release_configuration": "inventory", "release_environment": {"LOG_LEVEL": "debug", "API_KEY": "rosebud"}}
    required = {"release_environment_required": ["DATABASE_URL"]}
    return [
        Step("never another one", "recover_configuration", new, ("ran with another environment",), refused=True, real=False),
        Step("half of it", "recover_configuration", debug | required, ("DATABASE_URL is missing",), refused=True, real=False),
        Step("another version", "recover_configuration", debug | {"release_version": "v1"}, ("is not taken",), refused=True, real=False),
        Step(
            "of the inventory", "recover_configuration", debug,
            ("v2 would be live on app-blue", "LOG_LEVEL is new: debug", "API_KEY is new: ********"), changes=True,
        ),
        Step("the same", "recover_configuration", debug, ("v2 is live on app-blue already",), real=False),
        Step("of before", "recover_configuration", new, ("v2 would be live on app-green", "LOG_LEVEL is gone; it was debug"), changes=True),
    ]  # fmt: skip


def operations(world: World) -> list[Step]:
    """What is done to a release that is live, and to the stack's lock."""
    live = of(world.released)
    why = live | WHY
    name = world.released.project
    scale = {"scale_minimum": 2}
    return [
        Step("by hand", "lock", live | {"lock_message": "a disk"}, (f"{name} would be locked by hand by ada: a disk.",), changes=True),
        Step("who has locked", "locks", live | {"lock_operation": "deploy"}, ("locked by hand by ada", "deploy may not begin")),
        Step("again", "unlock", why, (f"{name} would no longer be locked by hand",), changes=True),
        Step("what is not locked", "unlock", why, ("was not locked by hand",), real=False),
        Step("for a day", "freeze", why, (f"{name} would be frozen from", "by ada, freeze 1"), changes=True),
        Step("a frozen deploy", "deploy", live | {"release_version": "v2"}, ("deploy is frozen until",), refused=True, real=False),
        Step("before its time", "unfreeze", why, (f"{name} would no longer be frozen until",), changes=True),
        Step("what is not frozen", "unfreeze", why, ("is not frozen",), real=False),
        Step("what was done", "journal", live | {"journal_verify": True}, ("4 entries",)),
        Step("one replica more", "scale", why | scale | {"scale_replicas": 3}, ("app-blue would have 3 replicas",), changes=True),
        Step("as many as there are", "scale", why | scale | {"scale_replicas": 3}, ("app-blue has 3 replicas already",), real=False),
        Step("back to two", "scale", why | scale | {"scale_replicas": 2}, ("app-blue would have 2 replicas",), changes=True),
        Step("another limit", "scale", why | {"scale_service": "app-blue", "scale_memory": "300M"}, ("would be set",), changes=True),
        Step("nothing for one replica", "weights", why | {"traffic_weights": {"app-blue-1": 0}}, ("no traffic: app-blue-1",), changes=True),
        Step("the same for all", "weights", why | {"traffic_weights": {}}, ("app-blue-1: 1",), changes=True),
        Step("as before", "weights", why | {"traffic_weights": {}}, ("as before",), real=False),
        *blocks(world, live),
        *clock(world, live),
        *maintenance(world, why),
        Step("a colour", "restart_service", why | {"service_name": "app-blue"}, ("would be restarted",), changes=True),
        *parts(world, live),
        *postmortem(world, live),
    ]


def parts(world: World, live: dict[str, Any]) -> list[Step]:
    """What has failed, of the release that is live and outside of it."""
    nobody = {"url": f"http://127.0.0.1:{world.closed_port}/"}
    mend = live | {
        "repair_services": ["nginx"], "repair_step_seconds": 0, "repair_step_interval": 1, "replication_servers": [],
        "traffic_fallbacks": [],
        "health_checks_full": [], "health_checks_extra": [{"type": "http", "url": live["release_public_url"]}],
    }  # fmt: skip
    outside = live | {
        "traffic_fallbacks": [{"name": "season", "paths": ["/api/season"], "body": {"stale": True}, "check": nobody}],
        "traffic_fallback_looks": 1, "traffic_fallback_patience": 1,
    }  # fmt: skip
    red = mend | {"repair_only": ["app-red"]}
    broken = mend | {"drill_fault": "replica_killed", "drill_metrics_url": ""}
    by_hand = outside | {"traffic_fallback_state": "closed"}
    return [
        Step("no part of it", "recover_partial", mend, ("Nothing has failed. Everything is well.",)),
        Step("no such part", "recover_partial", red, ("no service of the stack",), refused=True, real=False),
        Step("nothing for one", "weights", live | {"traffic_weights": {"app-blue-2": 0}}, ("no traffic: app-blue-2",), changes=True),
        Step("who was routed around", "recover_partial", mend, ("app-blue-2: would be replaced",), changes=True),
        Step("none yet", "drills", mend, ("No drill came to its end yet.", "Never rehearsed: replica_killed")),
        Step("where it is not allowed", "drill", broken | {"drill_allowed": True}, ("counts in the inventory only",), refused=True),
        Step("which fault", "drill", mend, ("Say which fault: -e drill_fault=NAME",), refused=True, real=False),
        # What mends it has nothing to mend in check mode: the integration tests break it.
        Step("a replica", "drill", broken, ("replica_killed would be rehearsed",), changes=True, real=False),
        Step("what is down outside", "fallback", outside, ("nginx would answer for season.",), changes=True),
        Step("what is still down", "fallback", outside, ("nginx answers for season, as before.",), real=False),
        Step("which of them", "fallback", by_hand, ("Say which fallback",), refused=True, real=False),
        Step("by hand again", "fallback", by_hand | {"traffic_fallback": "season"}, ("No fallback would be open",), changes=True),
    ]


def postmortem(world: World, live: dict[str, Any]) -> list[Step]:
    """Of an incident of a year ago."""
    if isinstance(world.released.folder, Path):
        for name, content in incident(**RESOLVED).items():
            path = world.released.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")
    another = live | {"incident_id": "2025-0009"}
    return [
        Step("which one", "incident_postmortem", another, ("There is no incident 2025-0009",), refused=True, real=False),
        Step("what happened", "incident_postmortem", live, ("The post-mortem of 2025-0001 would be written", "Empty: cause"), changes=True),
        Step("what is written already", "incident_postmortem", live, ("The post-mortem of 2025-0001 is as it was",)),
    ]


def blocks(world: World, live: dict[str, Any]) -> list[Step]:
    """By the kernel of the tests' own host. What it refuses is the targets' to see: `playbooks_firewall`, `firewall_nginx`."""
    one = live | WHY | {"firewall_addresses": ["192.0.2.1"], "firewall_table": world.firewall.table, "firewall_proof_timeout": 0}
    return [
        Step("a neighbour", "block_address", one | {"firewall_addresses": ["10.1.2.3"]}, ("is private",), refused=True, real=False),
        Step("a stranger", "block_address", one, ("192.0.2.1 would be blocked for 24h",), changes=True),
        Step("who is blocked", "blocked", one, ("192.0.2.1", "1 is blocked;")),
        Step("no longer", "unblock_address", one, ("192.0.2.1 would no longer be blocked",), changes=True),
        Step("by nginx", "block_address", one | {"firewall_backend": "nginx"}, ("nginx refuses them",), changes=True, real=False),
    ]


def maintenance(world: World, why: dict[str, Any]) -> list[Step]:
    """Announced, begun, and ended. PagerDuty is the module's alone: its stub has one memory."""
    url = f"http://127.0.0.1:{world.released.port}"
    mine = why | {
        "maintenance_pagerduty_services": [], "maintenance_watch_seconds": 1, "incident_page_dest": str(world.released.folder / "page"),
        "health_checks_full": [{"type": "http", "name": "application", "url": f"{url}/api/health"}],
        "notify_channels": [{"name": "chat", "kind": "chat", "url": f"{world.stack.url('STUB')}/webhook/chat/contract"}],
    }  # fmt: skip
    hours = mine | {"maintenance_message": "The database is moved.", "maintenance_duration": "2h"}
    to_come = hours | {"maintenance_starts_at": "2100-01-01T02:00:00Z"}
    now = hours | {"ops_override": ["backup", "rollback"]}
    return [
        Step("when", "maintenance_announce", hours, ("Say when it starts",), refused=True, real=False),
        Step("to come", "maintenance_announce", to_come, ("Maintenance 1 would be announced", "would be told"), changes=True),
        Step("known", "maintenance_announce", to_come, ("is announced already", "told before")),
        Step("not to be", "maintenance_announce", to_come | {"maintenance_withdraw": True}, ("would no longer be",), changes=True),
        Step("no way back", "maintenance_start", hours, ("No backup was restored once", "ops_override"), refused=True, real=False),
        Step("how long", "maintenance_start", mine, ("No maintenance is announced for now",), refused=True, real=False),
        Step("now", "maintenance_start", now, ("would be in maintenance until", "would be told"), changes=True),
        Step("begun already", "maintenance_start", now, ("is already in maintenance",)),
        Step("over", "maintenance_end", mine, ("would be open again", "would be told"), changes=True),
        Step("over already", "maintenance_end", mine, ("No maintenance is in progress",)),
    ]


def clock(world: World, live: dict[str, Any]) -> list[Step]:
    """In a folder of their own, where no systemd and no cron looks."""
    folder = str(world.released.folder)
    verify = {"name": "verify", "playbook": "backup_verify", "when": "15 4 1 * mon", "variables": {"backup_verify_level": "restore"}}
    there = live | {
        "schedule_jobs": [verify, {"name": "gone", "playbook": "backup", "when": "15 2 * * *", "state": "absent"}],
        "schedule_cron_path": folder, "schedule_units_path": folder, "schedule_cron_pid_path": "", "schedule_metrics_dir": folder,
    }  # fmt: skip
    return [
        Step("no time", "schedule", there | {"schedule_jobs": [verify | {"when": "daily"}]}, ("When is that?",), refused=True, real=False),
        Step("by cron", "schedule", there, ("By cron on demo would run: verify (15 4 1 * mon).",), changes=True),
        Step("by cron, again", "schedule", there, ("would run: verify",), real=False),
        Step("by systemd instead", "schedule", there | {"schedule_clock": "systemd"}, ("By systemd on demo",), changes=True),
        Step("nothing any more", "schedule", there | {"schedule_jobs": []}, ("Removed would be: verify.",), changes=True),
    ]


def demo(world: World) -> list[Step]:
    """What looks at the whole stack, or needs more of it than a newcomer has."""
    nobody = {"type": "tcp", "host": "127.0.0.1", "port": 1}
    version, live = world.stack.live_version, world.stack.live
    many = {f"security_{what}_limit": 10**9 for what in ("user", "address", "error")}
    return [
        Step("everything is there", "stack", says=("ok=",)),
        Step("everything is well", "health", says=("pass:",)),
        Step("one check more, which fails", "health", {"health_checks_extra": [nobody]}, ("fail:",), refused=True, real=False),
        Step(
            "what breaks it off",
            "health",
            {"health_ca_path": "/nonexistent"},
            ("ca_path /nonexistent", "no answer from demo"),
            refused=True,
            real=False,
        ),
        # Beside others an answer may take longer than somebody in need would wait for it.
        Step(
            "nothing is wrong",
            "diagnose",
            {"diagnosis_timeout": 60, "diagnosis_part_timeout": 20},
            ("nothing that is known points at a cause",),
        ),
        Step(
            "no such symptom",
            "diagnose",
            {"diagnosis_symptom": "slow"},
            ("value of diagnosis_symptom must be one of",),
            refused=True,
            real=False,
        ),
        Step("a misspelt variable", "health", {"health_profil": "quick"}, ("did you mean health_profile?",), refused=True, real=False),
        Step("too many replicas", "scale", WHY | {"scale_replicas": 50}, ("The largest number that fits is",), refused=True, real=False),
        Step("two nodes", "restart_service", WHY | {"service_name": "redis-1,redis-4"}, ("would be restarted",), True, real=False),
        Step("what is live already", "deploy", {"release_version": version}, (f"{version} is live on {live} already",), real=False),
        Step("one that nothing needs", "restart_service", WHY | {"service_name": "alertmanager"}, ("would be restarted",), changes=True),
        *database(world),
        *recovery(world),
        *cache(),
        *monitoring(world),
        Step("what stands out", "security_audit", many, ("pass: nothing stands out",)),
        Step("an empty window", "security_audit", many | {"security_window": "soon"}, ("inconclusive",), refused=True, real=False),
    ]


def monitoring(world: World) -> list[Step]:
    """The watchers, and an alert of one's own."""
    nobody = {"monitoring_alertmanager_urls": [f"http://127.0.0.1:{world.closed_port}"]}
    test = WHY | {"ops_operator": "ada"}
    # The stack's own has targets that answer too late while others test.
    calm = {"monitoring_prometheus_url": prometheus(), "monitoring_jobs": []}
    without = calm | {"monitoring_sentry_url": ""}
    hours = {"silence_matchers": ["service=nothing", "team=contract"]}
    return [
        Step("the watchers", "monitoring_health", calm, ("well: prometheus, alertmanager, grafana, sentry",)),
        Step("not all configured", "monitoring_health", without, ("not configured: sentry",), real=False),
        Step("one that is silent", "monitoring_health", calm | nobody, ("not well: alertmanager",), refused=True, real=False),
        Step("what fires", "alerts", {"alerts_filter": ["alertname=Watchdog"]}, ("Watchdog", "1 active")),
        Step("nobody tells", "alerts", nobody, ("nobody knows what fires",), refused=True, real=False),
        Step("an alert", "alert_pipeline_test", test, ("would be sent to 1 Alertmanager",), changes=True),
        Step("an alert nobody takes", "alert_pipeline_test", test | nobody, ("prometheus to alertmanager",), refused=True, real=False),
        Step("which alerts", "silence", test, ("Say which alerts",), refused=True, real=False),
        Step("a silence", "silence", test | hours, ("Would silence",), changes=True),
        Step("the same", "silence", test | hours, ("Silenced already",)),
        Step("a silence nobody takes", "silence", test | hours | nobody, ("No silence was changed",), refused=True, real=False),
        Step("no silence any more", "unsilence", test | hours, ("Would end",), changes=True),
        Step("there is none", "unsilence", test | hours, ("Nothing is silenced by ada",), real=False),
    ]


def recovery(world: World) -> list[Step]:
    """In the lane of the demo as well, which was brought back a year ago, as a record says, and has no set to be brought back from."""
    if isinstance(world.folder.folder, Path):
        # Not in the stack's own folder: it was never lost.
        moments = {"started_at": "2025-11-24T17:00:00Z", "finished_at": "2025-11-24T17:04:12Z"}
        record = {"backup": "backup_demo_stack_20251124_160000", **moments}
        (world.folder.folder / "recover_system.json").write_text(json.dumps(record), encoding="utf-8")
    meant = WHY | {"ops_confirm": world.stack.project}
    over = meant | {"ops_override": ["existing"]}
    fetched = over | {"recovery_backups_command": ["true"]}
    there = meant | {"recovery_path": str(world.folder.folder)}
    no_name = WHY | {"ops_confirm": "shop"}
    return [
        Step("another stack", "recover_system", no_name, ("which is another",), refused=True, real=False),
        Step("what is not lost", "recover_system", meant, ("so the stack is not lost",), refused=True, real=False),
        Step("no set to take", "recover_system", over, ("No backup of the stack in",), refused=True, real=False),
        Step("a set that would be fetched", "recover_system", fetched, ("would be brought back",), changes=True, real=False),
        Step("what was brought back before", "recover_system", there, ("was brought back from", "Nothing was done.")),
    ]  # fmt: skip


def cache() -> list[Step]:
    """In the lane of the demo as well. Nobody's session is removed: the integration tests have servers of their own for that."""
    pattern = {"cache_pattern": "nothing-of-this-name:*"}
    return [
        Step("how it is", "cache_health", says=("all 6 answer",)),
        Step("how many sessions", "sessions_count", says=("sessions",)),
        Step("nothing to clear", "cache_clear", WHY | pattern, ("0 keys that match nothing-of-this-name:*",)),
        Step("neither nor", "cache_clear", WHY, ("Say what is to be cleared",), refused=True, real=False),
        Step("everything, not confirmed", "cache_clear", WHY | {"cache_flush": True}, ("is not confirmed",), refused=True, real=False),
        Step("more than sessions", "sessions_revoke", WHY | {"sessions_prefix": ""}, ("means every key",), refused=True, real=False),
        Step("nobody", "sessions_revoke", WHY | {"sessions_user": "nobody"}, ("0 sessions of nobody would be removed.",)),
    ]


def database(world: World) -> list[Step]:
    """In the lane of the demo: the lock of its stack is one."""
    forgotten = {"database_terminate_state": "idle in transaction", "database_terminate_older_than": "1h"}
    cluster = {"backup_engine": "pgbackrest"}
    analyze = {"database_operations": ["analyze"], "database_objects": ["public.drafts"]}
    keys = {"backup_kind": "cache"}
    back = {"restore_kind": "cache", "restore_backup": "latest", "ops_confirm": world.stack.project, "restore_existing": "replace"}
    return [
        Step("how it is", "database_health", says=("pass server",)),
        Step("who is there", "database_connections", says=("by state",)),
        Step("nobody to end", "database_connections", forgotten | WHY, ("No session matches.",)),
        Step("half a policy", "database_connections", {"database_terminate_state": "idle"}, ("Give both",), refused=True, real=False),
        Step("what is named", "database_maintenance", analyze, ("1 would be done: analyze of public.drafts.",), changes=True),
        Step("none yet", "backup_verify", {}, ("no backup",), refused=True, real=False),
        Step("the first", "backup", {}, ("would be taken.",), changes=True),
        Step("which there are", "backup_list", {}, ("1 of 1 backups", "not verified")),
        Step("by restoring it", "backup_verify", {"backup_verify_level": "restore"}, ("would be verified (restore).",), changes=True),
        Step("no keys yet", "backup_verify", keys, ("no ordinary cache backup",), refused=True, real=False),
        Step("every key", "backup", keys, ("would be taken.", "-e backup_kind=cache"), changes=True),
        Step("by loading it", "backup_verify", keys | {"backup_verify_level": "restore"}, ("would be verified (restore).",), changes=True),
        Step("another cache's name", "restore", back | {"ops_confirm": "shop"}, ("which is another",), refused=True, real=False),
        Step("every key as it was", "restore", back, ("would be given to 3 primaries.",), changes=True, real=False),
        Step("not of the cluster", "backup", keys | cluster, ("pgBackRest backs up the database's",), refused=True, real=False),
        Step("no repository yet", "backup_verify", cluster, ("no stanza main",), refused=True, real=False),
        Step("the first of the cluster", "backup", cluster, ("A backup of the cluster (full) would be taken.",), changes=True),
        Step("what has changed since", "backup", cluster, ("A backup of the cluster (incr) would be taken.",), changes=True, real=False),
        Step("all of the repository", "backup_verify", cluster, ("would be read.",)),
        Step("of the cluster", "backup_list", cluster, ("1 of 1 backups of the stanza main",)),
    ]


def restores(world: World) -> list[Step]:
    """On a database of its own in the stack's server, under a lock of its own."""
    mine = {
        "stack_name": world.database.project, "stack_state_dir": str(world.database.folder), "backup_tools_project": world.stack.project,
        "database_login": world.database.login, "backup_metrics_path": "", "backup_queries": [], "restore_checks": [],
    }  # fmt: skip
    name = world.database.name
    nobody, reopen = mine | {"recovery_writers": []}, mine | {"recovery_reopen": True}
    meant, latest = {"ops_confirm": name}, {"restore_backup": "latest"}
    return [
        Step("nothing to restore", "restore", mine | meant | latest, ("no ordinary database backup",), refused=True, real=False),
        Step("the first", "backup", mine, ("would be taken.",), changes=True),
        Step("not which one", "restore", mine | meant, ("-e restore_backup=latest",), refused=True, real=False),
        Step("another name", "restore", mine | latest | {"ops_confirm": "shop"}, ("which is another",), refused=True, real=False),
        Step("without the name", "restore", mine | latest, (f"-e ops_confirm={name}",), changes=True, real=False),
        Step("what there is", "restore", mine | meant | latest, ("would be what", "would be kept as"), changes=True),
        Step("what it is already", "restore", mine | meant | latest, ("already: nothing was written since",)),
        Step("nobody named", "recover_data", nobody | meant | latest, ("recovery_writers in the inventory",), refused=True, real=False),
        Step("no backup named", "recover_data", mine | meant, ("Say which backup",), refused=True, real=False),
        Step("what is not wrong", "recover_data", mine | meant | latest, ("holds already",)),
        Step("nothing but let people in", "recover_data", reopen | meant, ("would be open again",), changes=True, real=False),
        Step("back", "restore_undo", mine | meant, ("would be the database before",), changes=True),
        Step("back already", "restore_undo", mine | meant, ("There is nothing to undo",)),
        Step("what is wrong", "recover_data", mine | meant | latest, ("would be in maintenance, both colours",), changes=True, real=False),
    ]


def failover(world: World) -> list[Step]:
    """Between two servers, there and back."""
    pair = world.pair
    there = WHY | {
        "stack_name": str(pair.project), "stack_state_dir": str(pair.folder), "ops_operator": "ada", "replication_application_checks": [],
        "replication_servers": [{"name": name, "project": str(pair.project), "service": name} for name in ("one", "two")],
        "replication_login": {"login_user": "postgres", "login_password": "throwaway-postgres"},
        "replication_password": "throwaway-replication",
    }  # fmt: skip
    confirmed = there | {"ops_confirm": "one"}
    return [
        Step("from nobody", "database_failover", there, ("would fence one",), refused=True, real=False),
        Step("from a replica", "database_failover", there | {"ops_confirm": "two"}, ("one is the primary already, and two its replica",)),
        Step("from a stranger", "database_failover", there | {"ops_confirm": "six"}, ("which is none of",), refused=True, real=False),
        Step(
            "what lags", "database_failover", confirmed | {"replication_max_lag_bytes": -1}, ("No replica can",), refused=True, real=False
        ),
        Step("from the primary", "database_failover", confirmed, ("two would take over from one",), changes=True),
        Step("what is so already", "database_failover", confirmed, ("two is the primary already, and one its replica",)),
        Step("what streams", "replica_rebuild", there, ("one streams from two already",)),
        Step("from nothing", "replica_rebuild", there | {"replication_force": True}, ("would be made a replica of two",), changes=True),
        Step("and back", "database_failover", there | {"ops_confirm": "two"}, ("one would take over from two",), changes=True),
    ]


STRANGER = {"incident_contacts": {"cto": {"email": "cto@example.com"}}}


def certificates(world: World) -> list[Step]:
    """On an nginx and a pebble of their own."""
    mine = world.certified.variables()
    return [
        Step("what is served", "certificates", mine, ("healthy",)),
        Step("another name", "certificates", mine | {"certificate_names": ["c.test"]}, ("for another host",), refused=True, real=False),
        Step("the first", "certificate_renew", mine, ("would be ordered", "there is none yet"), changes=True),
        Step("what is not due", "certificate_renew", mine, ("it is not due",)),
        Step("forced", "certificate_renew", mine | {"certificate_force": True}, ("it is forced",), changes=True, real=False),
        Step("for nobody", "certificate_renew", mine | {"certificate_names": []}, ("No name is given",), refused=True, real=False),
    ]


def incidents(world: World) -> list[Step]:
    """From the first word to the last one, in a state folder of their own. The stubs of PagerDuty and trackers are the modules' alone."""
    mine = {
        "stack_name": world.folder.project, "stack_state_dir": str(world.folder.folder), "ops_operator": "ada",
        "incident_pagerduty_token": "", "incident_tracker": {}, "health_checks_full": [],
        "health_checks_extra": [{"type": "tcp", "host": "127.0.0.1", "port": 1}],
        "notify_channels": [{"name": "chat", "kind": "chat", "url": f"{world.stack.url('STUB')}/webhook/chat/contract"}],
    }  # fmt: skip
    logins = mine | {
        "incident_title": "Logins fail",
        "incident_severity": "SEV-2",
        "incident_impact": "A third",
        "incident_message": "We look",
    }
    nowhere = logins | STRANGER
    worse = mine | {"incident_severity": "SEV-1", "incident_message": "All of them"}
    action = {"incident_actions_due": [{"title": "Alert earlier", "owner": "ada", "due": "2025-12-24"}]}
    over = mine | {"incident_resolution": "Rolled back"}
    return [
        Step("none", "incidents", mine, ("No incident is open.",)),
        Step("nothing to end", "incident_resolve", over, ("No incident is open.",)),
        Step("nothing to say", "incident_update", mine, ("Say what is new",), refused=True, real=False),
        Step("how bad", "incident_open", logins | {"incident_severity": ""}, ("Say how bad it is",), refused=True, real=False),
        Step("not filled in", "incident_open", logins | {"incident_impact": "[Brief]"}, ("still says",), refused=True, real=False),
        Step("whom nobody reaches", "incident_open", nowhere, ("was never filled in", "ops_override: [policy]"), refused=True, real=False),
        Step("all the same", "incident_open", nowhere | WHY | {"ops_override": ["policy"]}, ("would be opened",), changes=True, real=False),
        Step("by the clock", "incident_escalate", mine | STRANGER, ("was never filled in", "Mend incident_contacts"), refused=True),
        Step("the first", "incident_open", logins, ("would be opened. Nothing new goes into production", "Would tell: chat"), changes=True),
        Step("the same", "incident_open", logins, ("is open already",)),
        Step("what it holds back", "locks", mine | {"lock_operation": "deploy"}, ("deploy may not begin", "Logins fail")),
        Step("whom to tell", "incident_escalate", mine, ("Would tell: Primary on-call engineer.",), changes=True),
        Step("whom to tell now", "incident_escalate", mine, ("Nobody is to be told now.",)),
        Step("it is worse", "incident_update", worse, ("SEV-1", "would be changed", "Would tell: chat"), changes=True),
        Step("as it was", "incident_update", worse, ("is as it was",)),
        Step("what is left", "incident_update", mine | action, ("would be changed",), changes=True),
        Step("those that are open", "incidents", mine, ("Logins fail", "Escalation manager", "next update")),
        Step("it is over", "incident_resolve", over, ("would be resolved. It no longer holds back", "Would tell: chat"), changes=True),
        Step("what is overdue", "incident_actions", mine, ("Alert earlier", "overdue"), refused=True),
    ]  # fmt: skip


# Each in a process of its own, beside the others.
LANES: dict[str, Callable[[World], list[Step]]] = {
    "releases": releases, "operations": operations, "restores": restores, "failover": failover, "certificates": certificates,
    "demo": demo, "incidents": incidents,
}  # fmt: skip
