from __future__ import annotations

import copy
import json
import pathlib

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _diagnosis as diagnosis
from ansible_collections.astraldraft.ops.plugins.module_utils import _diagnosis_numbers as numbers_of
from ansible_collections.astraldraft.ops.plugins.module_utils import _diagnosis_report as report

from . import evidence as seen

RULES = seen.rules()
RECORDED = pathlib.Path(__file__).parent / "diagnosis_seen"


def told(change=None, symptom=""):
    evidence = seen.healthy()
    if change:
        change(evidence)
    return diagnosis.diagnose({"demo": evidence}, RULES, symptom)


def test_without_a_fault_nothing_is_claimed():
    found = told()
    assert found["verdict"] == "pass" and found["hypotheses"] == [] and found["missing"] == []
    assert report.summary(found) == "nothing that is known points at a cause"


@pytest.mark.parametrize("cause", seen.FAULTS)
def test_the_right_cause_comes_first(cause):
    found = told(seen.FAULTS[cause])
    assert found["verdict"] == "fail"
    first = found["hypotheses"][0]
    assert first["cause"] == cause, [(one["cause"], one["score"]) for one in found["hypotheses"]]
    assert first["for"] and first["next"] and "<" not in first["next"] + first["title"]
    assert [one["cause"] for one in found["hypotheses"] if one["score"] == first["score"]] == [cause]


@pytest.mark.parametrize("path", sorted(RECORDED.glob("*.json")), ids=lambda path: path.stem)
def test_the_right_cause_comes_first_as_it_was_recorded(path):
    """On the demo stack, on a machine that eight others used; of each source what the diagnosis looks at."""
    evidence = json.loads(path.read_text()) | {"known_signs": seen.signs()}
    found = diagnosis.diagnose({"demo": evidence}, RULES)["hypotheses"]
    assert found[0]["cause"] == path.stem, [(one["cause"], one["score"]) for one in found]
    assert len(found) == 1 or found[0]["score"] > found[1]["score"]


def test_a_slow_release_and_a_database_without_any_slot():
    assert told(seen.slow_release)["hypotheses"][0]["cause"] == "bad_release"
    first = told(seen.no_slot_left)["hypotheses"][0]
    assert first["cause"] == "connection_leak" and "has no slot left" in str(first["for"])
    assert "postgres.used_share" in first["unknown"]


@pytest.mark.parametrize("cause", seen.FAULTS)
@pytest.mark.parametrize("before", ["stale_upstream", "redis_out_of_memory", "external_api_down"])
def test_what_an_earlier_fault_left_in_the_logs_claims_nothing(cause, before):
    def change(evidence):
        past = seen.healthy()
        seen.FAULTS[before](past)
        for source in ("access", "signs"):
            for group in past[source]["groups"]:
                evidence[source]["groups"].append(dict(group, last_at=seen.EARLIER))
        seen.FAULTS[cause](evidence)

    assert told(change)["hypotheses"][0]["cause"] == cause
    rest = told(
        lambda evidence: change(evidence) or evidence.update({k: v for k, v in seen.healthy().items() if k not in ("access", "signs")})
    )
    assert cause in ("stale_upstream",) or rest["hypotheses"] == []


def test_what_makes_answers_slow_beside_the_twelve():
    def disk(evidence):
        evidence["host"]["pressure"]["io"]["some"] = 0.7
        evidence["host"]["disks"][0]["busy_share"] = 1.0
        seen.measure(evidence, p95_seconds=1.5)

    def statements(evidence):
        evidence["postgres"]["statements"].append({"query": "SELECT count(*) FROM picks", "mean_seconds": 2.5})
        seen.measure(evidence, p95_seconds=1.5)

    assert told(disk)["hypotheses"][0]["cause"] == "disk_slow"
    first = told(statements, "high_response_time")["hypotheses"][0]
    assert first["cause"] == "slow_statements" and "SELECT count(*) FROM picks" in first["for"][0]["says"]


def test_a_header_that_comes_late_is_no_clock_that_is_off():
    def late(seconds):
        return lambda evidence: evidence["health"]["checks"][1]["details"].update(clock_offset=-seconds)

    assert told(late(1.2))["hypotheses"] == []
    first = told(late(60))["hypotheses"][0]
    assert first["cause"] == "clock_skew" and first["title"] == "The clock of replica app-blue-1 is off"


def test_containers_that_could_not_be_measured_have_a_state_all_the_same():
    def starved(evidence):
        seen.oom_kill(evidence)
        evidence["containers"].update(verdict="unreadable", summary="none was measured")
        for row in evidence["containers"]["containers"]:
            row.update(cpu_share=None, throttled_share=None, memory_share=None)

    found = told(starved)
    assert found["hypotheses"][0]["cause"] == "oom_kill" and found["missing"][0]["source"] == "containers"


def test_alerts_are_counted_by_name():
    def firing(evidence):
        evidence["prometheus"]["queries"][-1]["series"] = [
            seen.series(2.0, alertname="TargetDown"),
            seen.series(1.0, alertname="PostgresDown"),
        ]

    assert told(firing)["numbers"]["alerts.firing"] == {"value": 2, "unit": "count", "about": "TargetDown, PostgresDown"}
    assert told()["numbers"]["alerts.firing"]["value"] == 0


def test_what_has_to_run_and_does_not():
    def stopped(evidence):
        evidence["containers"]["containers"][1].update(state="exited", exit_code=0)
        evidence["nginx"] = {"failed": True, "msg": "it does not run"}

    def absent(evidence):
        del evidence["containers"]["containers"][1]

    def retired(evidence):
        evidence["containers"]["containers"][0].update(state="exited", exit_code=0)

    for change in (stopped, absent):
        first = told(change)["hypotheses"][0]
        assert first["cause"] == "container_down" and "nginx does not run" in first["for"][0]["says"]
        assert "service_name=nginx" in first["next"]
    assert told(retired)["hypotheses"] == []


def test_who_is_given_more_gets_more_than_it_has():
    def limited(evidence):
        seen.oom_kill(evidence)
        for row in evidence["containers"]["containers"]:
            row["memory_limit"] = 3 << 30

    def free(evidence):
        seen.oom_kill(evidence)
        for row in evidence["containers"]["containers"]:
            row["memory_limit"] = None

    assert "-e scale_memory=6144M" in told(limited)["hypotheses"][0]["next"]
    assert "-e scale_memory=<MORE_MEMORY>" in told(free)["hypotheses"][0]["next"]


def test_what_was_done_about_a_death_ends_it():
    def restarted(evidence):
        seen.oom_kill(evidence)
        evidence["containers"]["containers"][0]["oom_killed"] = False
        evidence["containers"]["deaths"][0]["settled"] = True

    assert told(restarted)["hypotheses"] == []


def test_the_symptom_narrows_it_down():
    def both(evidence):
        seen.connection_leak(evidence)
        seen.certificate_expiring(evidence)

    assert {one["cause"] for one in told(both)["hypotheses"]} == {"connection_leak", "certificate_expiring"}
    assert [one["cause"] for one in told(both, "database_connections")["hypotheses"]] == ["connection_leak"]
    with pytest.raises(ValueError, match="no symptom is called slow"):
        told(symptom="slow")


@pytest.mark.parametrize("source", [name for name in seen.healthy() if name not in ("known_signs", "outside", "expected")])
def test_what_is_not_known_is_never_well(source):
    """Neither a part that failed, nor one that is not there, breaks the diagnosis off or reads as healthy."""

    def failed(evidence):
        evidence[source] = {"failed": True, "msg": "it broke"}

    found = told(failed)
    assert found["verdict"] == "inconclusive" and found["hypotheses"] == []
    assert found["missing"] == [{"source": source, "host": "demo", "message": "it broke"}]
    assert "not known: {0} on demo: it broke".format(source) in report.report(found)
    for cause, fault in seen.FAULTS.items():
        evidence = seen.healthy()
        fault(evidence)
        del evidence[source]
        assert diagnosis.diagnose({"demo": evidence}, RULES)["missing"] == [], cause


def test_silent_servers_and_unreadable_logs():
    def silent(evidence):
        evidence["access"] = {"verdict": "unreadable", "groups": [], "summary": "no log could be read"}
        evidence["signs"] = dict(evidence["access"])
        evidence["prometheus"] = {"summary": "refused", "queries": [{"name": "release.requests", "reason": "refused", "series": []}]}
        evidence["redis"] = {"nodes": []}
        evidence["postgres"].update(server={"target": "db:5432", "verdict": "refused", "reason": "refused"}, connections={})

    found = told(silent)
    assert [one["cause"] for one in found["hypotheses"]] == ["database_unavailable", "cache_unavailable"]
    assert {one["source"] for one in found["missing"]} == {"access", "signs", "prometheus"}
    assert found["errors"] is None
    nobody = diagnosis.diagnose({}, RULES)
    assert nobody["verdict"] == "inconclusive" and nobody["missing"][0]["message"] == "no host has answered"


def test_of_several_hosts_the_worst_counts():
    well, ill = seen.healthy(), seen.healthy()
    seen.disk_full(ill)
    found = diagnosis.diagnose({"app1": well, "app2": ill}, RULES)
    first = found["hypotheses"][0]
    assert first["cause"] == "disk_full" and "on app2" in first["for"][0]["says"]
    assert "/state/backups" in first["next"]


def test_errors_by_status_endpoint_and_user_agent():
    found = told(seen.bad_release)["errors"]
    assert found == {
        "status": [{"name": "500", "count": 44}],
        "endpoint": [{"name": "/api/drafts", "count": 44}],
        "user_agent": [{"name": "load", "count": 44}],
    }


HOSTILE = "\x1b[31mred\x07 <script>alert(1)</script> {{ lookup('pipe', 'id') }} $(reboot) password=hunter2secret " + "x" * 5000


def test_hostile_text_comes_out_harmless_and_short():
    def hostile(evidence):
        seen.lock_storm(evidence)
        seen.nginx_misconfigured(evidence)
        evidence["nginx"]["complaint"] = HOSTILE
        evidence["postgres"]["transactions"][0].update(application=HOSTILE, state=HOSTILE)
        evidence["access"] = seen.lines(
            ({"status": "502", "uri": HOSTILE, "user_agent": HOSTILE, "upstream_addr": "1.2.3.4:1"}, 3, seen.LATELY)
        )
        evidence["incidents"] = {"failed": True, "msg": HOSTILE}

    found = told(hostile)
    text = "\n".join(report.report(found))
    assert text.replace("\n", "").isprintable() and "hunter2secret" not in text
    assert max(map(len, text.splitlines())) < 700
    # What stands in a command is nothing that a shell would obey.
    storm = next(one for one in found["hypotheses"] if one["cause"] == "lock_storm")
    assert "reboot" not in storm["next"] and "<BLOCKER_STATE>" in storm["next"]


def test_the_bundle_has_no_secrets_and_an_end():
    evidence = seen.healthy()
    evidence["host"]["noise"] = ["line"] * 5000
    evidence["health"].update(login_password="hunter2secret")  # noqa: S106
    evidence["redis"]["note"] = "redis://user:hunter2secret@127.0.0.1"
    found = diagnosis.diagnose({"demo": evidence}, RULES)
    kept = report.bundle({"demo": evidence}, found, {"at": "now"})
    text = json.dumps(kept)
    assert "hunter2secret" not in text and kept["cut"] and len(text) < 50000
    assert kept["about"] == {"at": "now"} and kept["diagnosis"]["verdict"] == "pass"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"cause": None}, "rule number 1"),
        ({"extra": 1}, "extra is not known here"),
        ({"symptoms": ["slow"]}, "no symptom is called slow"),
        ({"for": [{"number": "x", "is": ">"}]}, "says is missing"),
        ({"for": [{"number": "x", "is": "~", "than": 1, "weight": 1, "says": ""}]}, "~ is no comparison"),
    ],
)
def test_a_rule_that_cannot_be_read_is_named(change, why):
    rule = dict(copy.deepcopy(RULES[0]), **change)
    if change.get("cause", "") is None:
        del rule["cause"]
    with pytest.raises(ValueError, match=why):
        diagnosis.check([rule])


def test_every_number_of_the_rules_is_one_that_somebody_gives():
    known = set()
    for change in [copy.copy, *seen.FAULTS.values()]:
        evidence = seen.healthy()
        change(evidence)
        known |= set(numbers_of.of_host(evidence)[0])
    wanted = {condition["number"] for rule in RULES for condition in rule["for"] + rule.get("against", [])}
    # Of them nobody knows anything while no certificate is flawed, or before there was another release.
    assert wanted - known == set(), wanted - known
