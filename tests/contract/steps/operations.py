"""Everything but releases, on an application that has one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible_collections.astraldraft.ops.tests.contract.lib.incidents import RESOLVED, incident
from ansible_collections.astraldraft.ops.tests.contract.lib.world import World
from ansible_collections.astraldraft.ops.tests.contract.steps.step import WHY, Step, of


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
        Step("none yet", "drills", mend, ("No drill came to its end yet.", "Never rehearsed: ", "replica_killed")),
        Step("where it is not allowed", "drill", broken | {"drill_allowed": True}, ("counts in the inventory only",), refused=True),
        Step("which fault", "drill", mend, ("Say which fault: -e drill_fault=NAME",), refused=True, real=False),
        # What mends it has nothing to mend in check mode: the integration tests break it.
        Step("a replica", "drill", broken, ("replica_killed would be rehearsed",), changes=True, real=False),
        Step("what is down outside", "fallback", outside, ("nginx would answer for season.",), changes=True),
        Step("what is still down", "fallback", outside, ("nginx answers for season, as before.",), real=False),
        Step("which of them", "fallback", by_hand, ("Say which fallback",), refused=True, real=False),
        Step(
            "what the inventory no longer has", "fallback", by_hand | {"traffic_fallback": "season", "traffic_fallbacks": []},
            ("No fallback would be open", "season is not in traffic_fallbacks"), changes=True, real=False,
        ),
        Step("by hand again", "fallback", by_hand | {"traffic_fallback": "season"}, ("No fallback would be open",), changes=True),
    ]  # fmt: skip


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
    one = live | WHY | {"firewall_addresses": ["203.0.113.9"], "firewall_table": world.firewall.table, "firewall_proof_timeout": 0}
    return [
        Step("a neighbour", "block_address", one | {"firewall_addresses": ["10.1.2.3"]}, ("is private",), refused=True, real=False),
        Step("a stranger", "block_address", one, ("203.0.113.9 would be blocked for 24h",), changes=True),
        Step("who is blocked", "blocked", one, ("203.0.113.9", "1 is blocked;")),
        Step("no longer", "unblock_address", one, ("203.0.113.9 would no longer be blocked",), changes=True),
        Step("by nginx", "block_address", one | {"firewall_backend": "nginx"}, ("nginx refuses them",), changes=True, real=False),
    ]


def maintenance(world: World, why: dict[str, Any]) -> list[Step]:
    """Announced, begun, and ended. PagerDuty is the module's alone: its stub has one memory."""
    url = f"http://127.0.0.1:{world.released.port}"
    mine = why | {
        "maintenance_pagerduty_services": [], "maintenance_watch_seconds": 1, "incident_page_dest": f"{world.released.folder}/page",
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
