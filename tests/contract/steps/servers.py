"""On servers of their own, of which something is lost."""

from __future__ import annotations

from ansible_collections.astraldraft.ops.tests.contract.lib.world import World
from ansible_collections.astraldraft.ops.tests.contract.steps.step import WHY, Step


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
