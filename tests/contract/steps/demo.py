"""On the stack of the tests itself: its lock is one, so it is one lane."""

from __future__ import annotations

import json
from pathlib import Path

from ansible_collections.astraldraft.ops.tests.contract.cases.prometheus_alerts_info import server as prometheus
from ansible_collections.astraldraft.ops.tests.contract.lib.world import World
from ansible_collections.astraldraft.ops.tests.contract.steps.step import WHY, Step


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
    away = {"login_host": "127.0.0.1", "login_port": world.closed_port, "login_user": "postgres", "login_db": "astral_draft_v4"}
    lost = WHY | {"database_login": away, "ops_confirm": "astral_draft_v4", "restore_backup": "latest"}
    return [
        Step(
            "a database that nobody reaches",
            "recover_data",
            lost,
            ("connection to 127.0.0.1", "Nothing listens there"),
            refused=True,
            told=("Nobody could ask the database.", "Nothing else is closed."),
        ),
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
