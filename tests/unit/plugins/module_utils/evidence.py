"""Evidence as the modules give it on the demo stack, healthy and with each fault, and the rules of the role."""

from __future__ import annotations

import copy
import pathlib

import yaml

ROLE = pathlib.Path(__file__).parents[4] / "roles" / "diagnosis"
UNTIL = "2026-11-29T15:30:00.000Z"
LATELY, EARLIER = "2026-11-29T15:29:58.000Z", "2026-11-29T15:28:00.000Z"
CONTAINER = {
    "name": "astral-d-app-blue-1", "service": "app-blue", "replica": "app-blue-1", "state": "running", "verdict": "measured",
    "reason": "ok", "message": "", "next": "", "cpus": 0.02, "cpu_share": 0.01, "throttled_share": 0.0, "memory": 61000000,
    "memory_share": 0.0024, "memory_cached": 0, "pids": 9, "oom_killed": False, "restarts": 0, "exit_code": None, "health": "healthy",
    "cpus_limit": None, "memory_limit": None,
}  # fmt: skip

NODE = {"verdict": "healthy", "used_memory": 3 << 20, "max_memory": 64 << 20, "policy": "noeviction"}
ROOT = {"path": "/", "replica": None, "holds": ["/var/lib/docker"], "bytes": 1 << 38, "used_share": 0.39, "inodes_share": 0.09}


def rules():
    """Those of the role, with what Jinja would put into them."""
    found = yaml.safe_load((ROLE / "vars" / "main" / "rules.yml").read_text())
    explained = found["__diagnosis_explained"]
    filled = {
        "{{ __diagnosis_explained }}": explained,
        "{{ __diagnosis_explained + __diagnosis_explained_release }}": explained + found["__diagnosis_explained_release"],
    }
    for rule in found["__diagnosis_rules"]:
        if isinstance(rule.get("against"), str):
            rule["against"] = filled[rule["against"]]
        for condition in rule["for"]:
            if isinstance(condition["than"], str):
                condition["than"] = 14.0
    return found["__diagnosis_rules"]


def signs():
    return yaml.safe_load((ROLE / "vars" / "main" / "measures.yml").read_text())["__diagnosis_signs"]


def check(name, verdict="healthy", reason="ok", message="200 in 4 ms", kind="http", target="", **details):
    return {"name": name, "type": kind, "target": target or name, "verdict": verdict, "reason": reason, "message": message, "next": "",
            "details": dict({"clock_offset": 0.0}, **details)}  # fmt: skip


def series(value, **labels):
    return {"labels": labels, "points": [{"time": UNTIL, "value": value}]}


def query(name, *found):
    return {"name": name, "reason": "ok" if found else "no_data", "series": list(found)}


def lines(*groups):
    return {"verdict": "read", "until": UNTIL, "summary": "", "count": sum(count for _by, count, _at in groups),
            "groups": [{"by": by, "count": count, "last_at": at} for by, count, at in groups]}  # fmt: skip


def release(version, switched_at, outcome="healthy"):
    return {"version": version, "switched_at": switched_at, "outcome": outcome}


def healthy():
    """One host that is everything, as the demo's."""
    green = dict(CONTAINER, name="astral-d-nginx-1", service="nginx", replica="nginx-1")
    return {
        "known_signs": signs(),
        "outside": ["http http://stub/season"],
        "containers": {"verdict": "measured", "containers": [copy.deepcopy(CONTAINER), green], "deaths": [], "missing": [], "summary": ""},
        "nginx": {
            "servers": [{"address": "172.18.0.5:3000", "weight": 1, "replica": "app-blue-1"}], "services": ["app-blue"], "stale": [],
            "valid": True, "complaint": None,
        },
        "access": lines(),
        "signs": lines(),
        "postgres": {
            "server": {"target": "127.0.0.1:5432", "verdict": "healthy", "reason": "ok"},
            "connections": {"maximum": 100, "reserved": 3, "usable": 97, "used": 14, "by_state": {"idle": 12, "active": 2},
                            "by_user": {"astral": 10, "astral_monitor": 4}, "by_address": {"172.18.0.5": 5}},
            "blocked": [], "blockers": {}, "transactions": [], "statements": [{"query": "SELECT 1", "mean_seconds": 0.001}],
        },
        "redis": {"nodes": [
            dict(NODE, address="127.0.0.1:7000", role="primary"), dict(NODE, address="127.0.0.1:7003", role="replica"),
        ]},
        "health": {"checks": [
            check("load balancer"), check("replica app-blue-1"), check("database primary", kind="postgres"), check("http http://stub/season"),
            check("certificate", kind="tls", days_left=89.9, fraction_left=0.999, not_after="2027-02-27T00:00:00.000Z"),
        ]},
        "releases": {"releases": [release("v1.2.2", "2026-11-29T15:00:00.000Z")]},
        "prometheus": {"verdict": "pass", "summary": "", "queries": [
            query("release.requests", series(1200.0, release="v1.2.2")), query("release.error_share", series(0.0, release="v1.2.2")),
            query("release.own_error_share", series(0.0, release="v1.2.2")), query("release.p95_seconds", series(0.02, release="v1.2.2")),
            query("release.error_hour_share", series(0.0, release="v1.2.2")),
            query("release.p95_hour_seconds", series(0.02, release="v1.2.2")),
            query("external.failed_share", series(0.0)), query("pool.waiting", series(0.0)), query("slots.used_share", series(0.14)),
        ]},
        "alerts": {"alerts": [{"name": "Watchdog", "state": "firing", "labels": {"severity": "none"}}]},
        "incidents": {"incidents": []},
        "host": {
            "filesystems": [dict(ROOT)],
            "memory": {"used_share": 0.07}, "load": {"minutes_1": 7.0, "cpus": 2}, "disks": [{"name": "vda", "busy_share": 0.1}],
            # As on a machine that eight people use.
            "pressure": {"cpu": {"some": 0.84}, "memory": {"some": 0.0}, "io": {"some": 0.02}}, "cpu": {"busy_share": 1.0},
            "clock": {"time": UNTIL, "synchronised": False},
        },
    }  # fmt: skip


def measure(evidence, **values):
    """Other values of the live release: ``error_share=0.2``."""
    for one in evidence["prometheus"]["queries"]:
        key = one["name"].replace(".", "_").replace("release_", "")
        if key in values:
            one["series"] = [series(values[key], **one["series"][0]["labels"])]


# -- the faults, each as it is seen


def bad_release(evidence):
    """v1.2.5-errors, deployed over the guards."""
    evidence["releases"]["releases"].append(release("v1.2.5-errors", "2026-11-29T15:28:30.000Z"))
    bad = "v1.2.5-errors"
    for one in evidence["prometheus"]["queries"]:
        if one["name"].startswith("release."):
            value = {"release.requests": 900.0, "release.error_share": 0.051, "release.own_error_share": 0.051}.get(one["name"], 0.02)
            one["series"].append(series(value, release=bad))
    evidence["access"] = lines(
        ({"status": "500", "uri": "/api/drafts", "user_agent": "load", "upstream_addr": "172.18.0.5:3000"}, 44, LATELY)
    )


def slow_release(evidence):
    bad_release(evidence)
    evidence["access"] = lines()
    for one in evidence["prometheus"]["queries"]:
        if one["name"].startswith("release.") and "error" in one["name"]:
            one["series"][-1] = series(0.0, release="v1.2.5-errors")
        if one["name"] == "release.p95_seconds":
            one["series"][-1] = series(0.97, release="v1.2.5-errors")


def lock_storm(evidence):
    postgres, waiting = evidence["postgres"], list(range(300, 310))
    postgres["transactions"] = [
        {"pid": 211, "user": "postgres", "application": "nightly-report", "state": "idle in transaction", "state_seconds": 40.2},
        *(
            {"pid": pid, "user": "astral", "application": "astraldraft-app/v1.2.2", "state": "active", "state_seconds": 12.0}
            for pid in waiting
        ),
    ]
    postgres["blocked"] = [{"pid": pid, "blockers": [211], "relation": "drafts", "seconds": 12.0} for pid in waiting]
    postgres["blockers"] = {"211": waiting}
    measure(evidence, error_share=0.6, p95_seconds=10.0, pool_waiting=30.0)
    evidence["health"]["checks"][1] = check("replica app-blue-1", "wrong_answer", "server_error", "answered 503, not 200")


def connection_leak(evidence):
    used = {"used": 93, "by_state": {"idle in transaction": 79, "idle": 12, "active": 2}, "by_user": {"astral": 89, "astral_monitor": 4}}
    evidence["postgres"]["connections"].update(used)
    evidence["postgres"]["transactions"] = [
        {"pid": pid, "user": "astral", "application": "astraldraft-app/v1.2.2", "state": "idle in transaction", "state_seconds": 20.0}
        for pid in range(50)
    ]
    measure(evidence, slots_used_share=0.93)


def no_slot_left(evidence):
    """Not even for whoever asks."""
    connection_leak(evidence)
    evidence["postgres"].update(
        server={"target": "127.0.0.1:5432", "verdict": "wrong_answer", "reason": "connections"}, connections={}, transactions=[]
    )
    measure(evidence, error_share=0.4)


def redis_out_of_memory(evidence):
    evidence["redis"]["nodes"][0].update(used_memory=3 << 20, max_memory=int((3 << 20) * 0.9))
    evidence["signs"] = lines(({"sign": "OOM command not allowed", "@service": "app-blue"}, 30, LATELY))
    measure(evidence, error_share=0.09)


def disk_full(evidence):
    full = {
        "path": "/state/backups",
        "replica": None,
        "holds": ["/state/backups"],
        "bytes": 20 << 20,
        "used_share": 1.0,
        "inodes_share": 0.01,
    }
    evidence["host"]["filesystems"].insert(0, full)


def stale_upstream(evidence):
    evidence["nginx"].update(stale=["app-blue-1"], servers=[{"address": "172.18.255.253:3000", "replica": "app-blue-1"}])
    evidence["health"]["checks"][0] = check("load balancer", "wrong_answer", "server_error", "answered 502, not 200")
    evidence["access"] = lines(({"status": "502", "uri": "/api/drafts", "upstream_addr": "172.18.255.253:3000"}, 80, LATELY))
    evidence["signs"] = lines(({"sign": "connect() failed", "@service": "nginx"}, 80, LATELY))
    for one in evidence["prometheus"]["queries"][:6]:
        one["series"] = []


def certificate_expiring(evidence):
    more = {"days_left": 1.99, "fraction_left": 0.99, "not_after": "2026-12-01T15:00:00.000Z"}
    evidence["health"]["checks"][-1] = check("certificate", kind="tls", target="127.0.0.1:8443", **more)


def external_api_down(evidence):
    measure(evidence, error_share=0.16, p95_seconds=1.4, external_failed_share=1.0)
    evidence["health"]["checks"][3] = check(
        "http http://stub/season", "wrong_answer", "their_outage", "answered 503", target="http://stub/season"
    )
    evidence["signs"] = lines(({"sign": "external API unavailable", "@service": "app-blue"}, 90, LATELY))


def cpu_starvation(evidence):
    evidence["containers"]["containers"][0].update(throttled_share=0.98, cpu_share=0.99, cpus=0.05, cpus_limit=0.05, health="unhealthy")
    measure(evidence, error_share=0.1, p95_seconds=6.0, pool_waiting=2.0)
    evidence["health"]["checks"][1] = check("replica app-blue-1", "timed_out", "timed_out", "no answer within 4 s")


def oom_kill(evidence):
    evidence["containers"]["containers"][0].update(oom_killed=True, memory_limit=120 << 20, memory_share=0.6)
    death = {
        "replica": "app-blue-1",
        "service": "app-blue",
        "at": LATELY,
        "exit_code": None,
        "oom_killed": True,
        "asked": False,
        "settled": False,
    }
    evidence["containers"]["deaths"] = [death]


def nginx_misconfigured(evidence):
    complaint = 'unknown directive "limit_req_zones" in /etc/nginx/upstreams/limits.conf:2'
    evidence["nginx"].update(valid=False, complaint=complaint)
    evidence["signs"] = lines(({"sign": "[emerg]", "@service": "nginx"}, 1, LATELY))


def clock_skew(evidence):
    evidence["health"]["checks"][2] = check("database primary", kind="postgres", clock_offset=89.9)
    measure(evidence, error_share=0.03, own_error_share=0.0)


FAULTS = {
    "bad_release": bad_release, "lock_storm": lock_storm, "connection_leak": connection_leak, "redis_out_of_memory": redis_out_of_memory,
    "disk_full": disk_full, "stale_upstream": stale_upstream, "certificate_expiring": certificate_expiring,
    "external_api_down": external_api_down, "cpu_starvation": cpu_starvation, "oom_kill": oom_kill,
    "nginx_misconfigured": nginx_misconfigured, "clock_skew": clock_skew,
}  # fmt: skip
