"""Incidents, from the first word to the last one."""

from __future__ import annotations

from ansible_collections.astraldraft.ops.tests.contract.lib.world import World
from ansible_collections.astraldraft.ops.tests.contract.steps.step import WHY, Step

STRANGER = {"incident_contacts": {"cto": {"email": "cto@example.com"}}}


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
