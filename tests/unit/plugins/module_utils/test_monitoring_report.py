import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.astraldraft.ops.plugins.filter.monitoring_report import monitoring_report
from ansible_collections.astraldraft.ops.plugins.module_utils import _monitoring_report as report

SKIPPED = {"skipped": True, "changed": False}
BROKE_OFF = {"failed": True, "msg": "It has no library."}


def finding(name="server", verdict="pass", subject="all", message="is well", advice=""):
    return {"name": name, "subject": subject, "verdict": verdict, "message": message, "next": advice}


def prometheus(*findings):
    found = list(findings) or [finding("server"), finding("watchdog")]
    verdict = report.worst({one["verdict"] for one in found})
    return {"verdict": verdict, "summary": "; ".join(one["message"] for one in found), "findings": found}


def alertmanager(verdict="pass"):
    one = finding("alertmanager", verdict, "http://one", "answers, alone")
    return {"verdict": verdict, "summary": one["message"], "findings": [one]}


def grafana(verdict="pass", itself="healthy", *sources):
    grafana = {"verdict": itself, "message": "Grafana answered 500", "next": "Read its log."}
    return {"verdict": verdict, "summary": "2 of 2 data sources healthy", "grafana": grafana, "datasources": list(sources)}


def source(verdict):
    return {"name": "A", "verdict": verdict, "message": "is not", "next": "Add it."}


SENTRY = {"summary": "0 issues"}


def health(**answers):
    base = {"prometheus": prometheus(), "alertmanager": alertmanager(), "grafana": grafana(), "sentry": SENTRY}
    return report.health(base | answers)


def test_all_is_well():
    found = health()
    assert (found["verdict"], found["next"]) == ("pass", "")
    assert found["lines"][-1] == "pass; well: prometheus, alertmanager, grafana, sentry"
    assert "pass  alertmanager  http://one answers, alone" in found["lines"]


@pytest.mark.parametrize("name", ["prometheus", "alertmanager", "grafana", "sentry"])
@pytest.mark.parametrize("answer", [BROKE_OFF, {"unreachable": True, "msg": "no route"}])
def test_one_that_cannot_be_asked_fails_and_the_others_are_told(name, answer):
    found = health(**{name: answer})
    assert found["verdict"] == "fail"
    assert found["lines"][-1].startswith(f"fail; not well: {name}; well: ")
    assert sum(line.startswith("pass") for line in found["lines"]) == 3


def test_what_is_not_configured_is_neither_well_nor_failing():
    found = health(grafana=SKIPPED, sentry=SKIPPED)
    assert found["verdict"] == "pass"
    assert found["lines"][-1] == "pass; well: prometheus, alertmanager; not configured: grafana, sentry"
    assert any(line.startswith("not configured  grafana") for line in found["lines"])
    # Of watchers that nobody named nothing is known.
    assert health(prometheus=SKIPPED)["verdict"] == "inconclusive"
    assert health(prometheus={})["verdict"] == "inconclusive"
    assert report.health({"prometheus": {}, "alertmanager": {}, "grafana": {}, "sentry": {}})["verdict"] == "inconclusive"


def test_what_is_wrong_is_told_with_what_to_do_and_the_worst_first():
    down = finding("targets", "fail", "node (a:9100)", "is down: refused", "Start it.")
    unsure = finding("own_metrics", "inconclusive", "all", "it does not scrape itself", "Have it.")
    found = health(prometheus=prometheus(finding(), unsure, down))
    assert found["verdict"] == "fail"
    assert found["next"] == "Start it."
    assert any("targets: node (a:9100) is down: refused -> Start it." in line for line in found["lines"])
    assert not any("is well" in line for line in found["lines"])


@pytest.mark.parametrize(
    ("answer", "verdict", "words"),
    [
        (grafana("fail", "unreachable"), "fail", "Grafana answered 500"),
        (grafana("inconclusive", "healthy"), "inconclusive", "2 of 2"),
        (
            grafana("fail", "healthy", source("missing")),
            "fail",
            "A: is not -> Add it.",
        ),
        (grafana("inconclusive", "healthy", source("unknown")), "inconclusive", "A: is not -> Add it."),
        (grafana("pass", "healthy", source("unsupported")), "pass", "2 of 2"),
    ],
)
def test_grafana_and_its_data_sources(answer, verdict, words):
    found = health(grafana=answer)
    assert found["verdict"] == verdict
    assert words in "\n".join(found["lines"])


HOSTILE = "A\x1b[2J\r\nfail: nothing\u202e"


def alert(state="active", name="TargetDown", severity="critical", **more):
    return {
        "state": state, "title": name, "labels": {"alertname": name, "severity": severity}, "age_seconds": 200, "fingerprint": name,
        "silenced_by": [], "inhibited_by": [], "receivers": ["stub"], "runbook": None,
    } | more  # fmt: skip


def fires(*alerts, silent=()):
    members = [{"url": "http://one", "answered": True, "message": "", "next": ""}]
    members += [{"url": url, "answered": False, "message": "refused", "next": "Start it."} for url in silent]
    counts = {state: sum(one["state"] == state for one in alerts) for state in ("active", "silenced", "inhibited", "unprocessed")}
    return {"alerts": list(alerts), "counts": counts | {"total": len(alerts)}, "alertmanagers": members, "summary": f"{len(alerts)} alerts"}


def pending(*alerts):
    return {"alerts": list(alerts), "counts": {"firing": 0, "pending": len(alerts)}}


def test_who_fires_and_who_hears_of_it():
    silence = {"owner": "ada", "ends_at": "2026-11-29T12:00:00.000Z", "comment": "a disk"}
    answers = fires(
        alert("silenced", "B", silenced_by=[silence, {"owner": None, "ends_at": None, "comment": None}]),
        alert("inhibited", "C", inhibited_by=["TargetDown", "f"]),
        alert(runbook="docs/x.md"),
    )
    soon = {"state": "pending", "title": "D", "labels": {}, "age_seconds": 5, "runbook": None}
    found = report.alerts(answers, pending(soon), 100)
    assert found["verdict"] == "pass"
    told = found["lines"]
    assert told[0].split() == ["active", "critical", "3", "min", "TargetDown", "to", "stub;", "docs/x.md"]
    assert told[1].split()[:5] == ["inhibited", "critical", "3", "min", "C"]
    assert told[1].endswith("by TargetDown, f")
    assert told[2].endswith("by ada until 2026-11-29T12:00:00.000Z (a disk); by somebody until just now (no comment)")
    assert told[3].split() == ["pending", "-", "5", "s", "D"]
    assert told[4] == "pass: 3 alerts, 1 pending"
    assert found["counts"]["pending"] == 1


def test_names_of_labels_are_no_part_of_the_table():
    found = report.alerts(fires(alert(name=HOSTILE, severity=HOSTILE)), pending(), 100)
    assert len(found["lines"]) == 2
    assert all(line.isprintable() for line in found["lines"])
    assert "\\x1b[2J\\r\\nfail: nothing\\u202e" in found["lines"][0]
    # And one of a megabyte is not printed.
    assert len(report.alerts(fires(alert(name="x" * 1000000)), pending(), 100)["lines"][0]) < 1000


def test_no_more_than_the_limit_is_listed_and_the_rest_is_counted():
    found = report.alerts(fires(*[alert(name=str(number)) for number in range(9)]), pending(), 4)
    assert (len(found["alerts"]), found["lines"][4]) == (4, "and 5 more")


def test_a_watcher_that_is_silent_is_a_failure_and_the_others_are_told():
    assert report.alerts(BROKE_OFF, pending(), 9)["verdict"] == "fail"
    assert report.alerts(SKIPPED, pending(), 9)["verdict"] == "fail"
    found = report.alerts(fires(alert(), silent=["http://two"]), pending(), 9)
    assert (found["verdict"], found["next"]) == ("fail", "Start it.")
    assert "http://two: refused" in found["lines"]
    found = report.alerts(fires(alert()), BROKE_OFF, 9)
    assert (found["verdict"], found["counts"]["pending"]) == ("fail", None)
    assert "Pending ones are not known: It has no library." in found["lines"]
    found = report.alerts(fires(alert()), SKIPPED, 9)
    assert (found["verdict"], found["lines"][-2]) == ("pass", "Pending ones are not known: no Prometheus is named.")


def test_a_filter_does_not_know_external_labels():
    assert any("external labels" in line for line in report.alerts(fires(), pending(), 9, True)["lines"])


def hop(name, verdict="pass", seconds=1.0):
    seen = seconds if verdict == "pass" else None
    return {"name": name, "verdict": verdict, "message": f"of {name}", "next": f"see to {name}", "seconds": seen}


def delivery(*verdicts):
    return {"hops": [hop(name, verdict) for name, verdict in zip(("known", "routed", "notified", "arrived"), verdicts, strict=True)]}


SENT = {"alertmanagers": [{"answered": True, "message": "", "next": ""}], "sent_at": "now", "duration": 0.1, "changed": True}
NOT_SENT = {"failed": True, "msg": "x", "alertmanagers": [{"answered": False, "message": "refused", "next": "Start it."}]}
ARRIVED = delivery("pass", "pass", "pass", "pass")


def pipeline(**more):
    base = {"prometheus": prometheus(), "watchdog": ARRIVED, "sent": SENT, "delivery": ARRIVED, "ended": {"changed": True}}
    return report.pipeline(**(base | more))


def test_it_arrived():
    found = pipeline()
    assert (found["verdict"], found["broken"], found["next"]) == ("pass", "", "")
    names = ["prometheus", "prometheus to alertmanager", "accepted", "routed", "notified", "arrived"]
    assert [one["name"] for one in found["hops"]] == names
    assert found["lines"][-1] == "pass: the alert arrived within 1.0 s of being sent"


LATE = finding("notifications", "fail", "http://one", "sending fails", "Does it run?")


@pytest.mark.parametrize(
    ("more", "broken", "words"),
    [
        ({"prometheus": prometheus(finding("server", "fail", message="connection refused"))}, "prometheus", "connection refused"),
        ({"prometheus": BROKE_OFF}, "prometheus", "no library"),
        ({"prometheus": SKIPPED}, "prometheus", "no address"),
        ({"prometheus": prometheus(finding("watchdog", "fail", "Watchdog", "does not fire"))}, "prometheus", "does not fire"),
        ({"prometheus": prometheus(finding(), LATE)}, "prometheus to alertmanager", "sending fails"),
        ({"watchdog": delivery("fail", "pass", "pass", "pass")}, "prometheus to alertmanager", "the watchdog: of known"),
        ({"watchdog": BROKE_OFF}, "prometheus to alertmanager", "no library"),
        ({"sent": NOT_SENT, "delivery": SKIPPED, "ended": SKIPPED}, "accepted", "refused"),
        ({"sent": SKIPPED, "delivery": SKIPPED}, "accepted", "nothing was sent"),
        ({"delivery": delivery("fail", "inconclusive", "inconclusive", "inconclusive")}, "accepted", "of known"),
        ({"delivery": delivery("pass", "fail", "inconclusive", "inconclusive")}, "routed", "of routed"),
        ({"delivery": delivery("pass", "pass", "fail", "fail")}, "notified", "of notified"),
        ({"delivery": delivery("pass", "pass", "pass", "fail")}, "arrived", "of arrived"),
    ],
)
def test_the_broken_hop_is_named(more, broken, words):
    found = pipeline(**more)
    assert (found["verdict"], found["broken"]) == ("fail", broken)
    assert found["lines"][-1].startswith(f"fail: an alert gets no further than here: {broken}: ")
    assert words in found["lines"][-1]


@pytest.mark.parametrize("name", ["targets", "jobs", "rules", "own_metrics"])
def test_what_is_wrong_with_some_alerts_breaks_no_alerts_way(name):
    assert pipeline(prometheus=prometheus(finding(), finding(name, "fail")))["verdict"] == "pass"


def test_what_nobody_proved_is_inconclusive():
    found = pipeline(delivery=delivery("pass", "pass", "pass", "inconclusive"))
    assert (found["verdict"], found["broken"]) == ("inconclusive", "arrived")
    assert found["lines"][-1] == "inconclusive: arrived: of arrived"


def test_check_mode_says_what_would_be_sent():
    found = pipeline(sent=SENT, delivery=SKIPPED, ended=SKIPPED, check=True)
    assert found["verdict"] == "pass"
    assert any("would be sent to 1 Alertmanager" in line for line in found["lines"])
    assert found["lines"][-1] == "pass: up to Alertmanager all is well; nothing was sent in check mode"
    assert pipeline(sent=NOT_SENT, delivery=SKIPPED, check=True)["broken"] == "accepted"


def test_an_alert_that_could_not_be_ended_is_told():
    assert any("ends by itself: x" in line for line in pipeline(ended=NOT_SENT)["lines"])


def test_the_filter_refuses_what_is_none():
    assert monitoring_report({"alertmanager": fires(), "prometheus": pending(), "limit": 1}, "alerts")["verdict"] == "pass"
    with pytest.raises(AnsibleFilterError, match="no report about x"):
        monitoring_report({}, "x")
    with pytest.raises(AnsibleFilterError, match="no answers about alerts"):
        monitoring_report({"alertmanager": 3}, "alerts")
