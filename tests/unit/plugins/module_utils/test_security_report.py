import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _security_report

LIMITS = {"user": 20, "address": 10, "errors": 100}
AT = "2026-11-24T16:00:00.000Z"


def logs(*groups, names=("client",), verdict="read", **more):
    """What container_logs_info says. ``groups``: values, then the count."""
    told = [{"by": dict(zip(names, values[:-1], strict=True)), "count": values[-1], "last_at": AT} for values in groups]
    return {"verdict": verdict, "count": sum(one["count"] for one in told), "groups": told, "summary": f"{len(told)} groups"} | more


def host(by_user=(), by_address=(), errors=(), **more):
    return {
        "logins_by_user": logs(*by_user, names=("user",)),
        "logins_by_address": logs(*by_address),
        "errors": logs(*errors, names=("client", "status")),
    } | more


def report(allowed=(), proxies=(), **hosts):
    return _security_report.report(hosts, LIMITS, allowed, proxies)


def parts(found):
    return {part["name"]: part["verdict"] for part in found["parts"]}


def test_nothing_is_well():
    found = report(one=host())
    assert found["verdict"] == "pass"
    assert found["lines"][-1] == "pass: nothing stands out"
    assert found["next"] == ""


def test_nobody_asked_is_not_well():
    assert report()["verdict"] == "inconclusive"
    assert report(one={"silent": "no answer from it"})["verdict"] == "inconclusive"


def test_addresses_are_ranked_by_logins_and_errors():
    found = report(one=host(by_address=[("203.0.113.1", 9)], errors=[("203.0.113.2", "404", 44), ("203.0.113.3", "500", 46)]))
    assert [one["address"] for one in found["suspects"]] == ["203.0.113.3", "203.0.113.1", "203.0.113.2"]
    assert not any(one["suspicious"] for one in found["suspects"])


def test_hosts_are_added_up():
    one = host(by_address=[("203.0.113.1", 6)], by_user=[("ada", 15)])
    found = report(one=one, two=one)
    assert found["suspects"][0]["failed_logins"] == 12
    assert found["suspects"][0]["suspicious"]
    assert parts(found) == {"logins": "fail", "addresses": "fail"}
    assert "30 failed logins, most of them of ada (30); more than 20 each of 1" in found["lines"][1]


def test_who_is_suspicious_is_told_with_the_command():
    found = report(one=host(errors=[("203.0.113.1", "404", 90), ("203.0.113.1", "403", 20), ("10.0.0.1", "404", 200)]))
    assert found["verdict"] == "fail"
    assert found["next"] == 'block_address -e \'{"firewall_addresses": ["203.0.113.1"]}\''
    assert found["suspects"][1]["statuses"] == {"404": 90, "403": 20}


@pytest.mark.parametrize(
    ("address", "what"),
    [
        ("203.0.113.1", "allowed"),
        ("203.0.113.9", "blocked"),
        ("198.51.100.1", "proxy"),
        ("10.0.0.1", "private"),
        ("8.8.8.8", "public"),
        ("", "unknown"),
    ],
)
def test_what_an_address_is(address, what):
    blocked = {"verdict": "in_force", "blocks": [{"address": "203.0.113.8/29"}], "summary": "1 is blocked."}
    one = host(errors=[(address, "404", 200)], blocked=blocked)
    found = report(allowed=["203.0.113.0/29"], proxies=["198.51.100.1", ""], one=one)
    assert found["suspects"][0]["what"] == what
    assert found["suspects"][0]["suspicious"] == (what in ("private", "public", "unknown"))


def test_what_one_host_lets_through_is_not_blocked():
    blocks = {"verdict": "in_force", "blocks": [{"address": "203.0.113.9"}], "summary": "1 is blocked."}
    none = {"verdict": "none", "blocks": [], "summary": "Nothing is blocked."}
    errors = [("203.0.113.9", "404", 200)]
    assert report(one=host(errors=errors, blocked=blocks), two=host(blocked=none))["verdict"] == "fail"
    assert report(one=host(errors=errors, blocked=blocks))["verdict"] == "pass"


def test_a_proxy_in_the_place_of_clients_fails():
    found = report(proxies=["198.51.100.0/24"], one=host(errors=[("198.51.100.1", "404", 1)]))
    assert parts(found)["real addresses"] == "fail"
    assert "set_real_ip_from" in found["next"]


def test_only_private_addresses_are_a_hint():
    found = report(one=host(errors=[("172.17.0.1", "404", 1)]))
    assert parts(found)["real addresses"] == "inconclusive"
    assert found["verdict"] == "pass"


@pytest.mark.parametrize(
    "bad",
    [{"failed": True, "msg": "no engine"}, logs(verdict="partial"), logs(verdict="unreadable", count=None)],
)
def test_what_was_not_read_is_never_well(bad):
    for name in ("logins_by_user", "errors"):
        assert report(one=host() | {name: bad})["verdict"] == "inconclusive"


@pytest.mark.parametrize(
    ("sources", "verdict"),
    [
        ([("read", "ok"), ("unreadable", "no_container")], "pass"),
        ([("unreadable", "no_container")], "inconclusive"),
        ([("read", "ok"), ("unreadable", "no_reading")], "inconclusive"),
        ([("cut", "time_limit"), ("unreadable", "no_container")], "inconclusive"),
    ],
)
def test_a_colour_that_is_gone_has_no_log_and_that_is_well(sources, verdict):
    told = [{"verdict": one, "reason": reason} for one, reason in sources]
    found = report(one=host() | {"logins_by_user": logs(names=("user",), verdict="partial", sources=told)})
    assert found["verdict"] == verdict


def test_what_was_read_of_a_part_may_be_bad_enough():
    found = report(one=host() | {"logins_by_user": logs(("ada", 25), names=("user",), verdict="partial")})
    assert found["verdict"] == "fail"


@pytest.mark.parametrize("nobody", [{}, {"skipped": True, "changed": False}])
def test_no_log_of_logins_is_said(nobody):
    found = report(one=host() | {"logins_by_user": nobody, "logins_by_address": nobody})
    assert parts(found)["logins"] == "not configured"
    assert found["verdict"] == "pass"


@pytest.mark.parametrize(
    ("check", "verdict"),
    [("healthy", "pass"), ("degraded", "pass"), ("wrong_answer", "fail"), ("unreachable", "fail"), ("not_configured", "pass")],
)
def test_certificates(check, verdict):
    checks = [{"verdict": check, "message": "ends in 5 d", "next": "Renew it."}]
    found = report(one=host(certificates={"checks": checks}))
    assert found["verdict"] == verdict
    assert any("ends in 5 d" in line for line in found["lines"])
    assert (found["next"] == "Renew it.") == (check not in ("healthy", "not_configured"))


def test_a_check_that_broke_off_is_not_well():
    found = report(one=host(certificates={"failed": True, "msg": "ca_path is missing", "checks": []}))
    assert found["verdict"] == "inconclusive"
    assert any("ca_path is missing" in line for line in found["lines"])


@pytest.mark.parametrize(("verdict", "outcome"), [("pass", "pass"), ("inconclusive", "inconclusive")])
def test_sessions(verdict, outcome):
    found = report(one=host(sessions={"verdict": verdict, "summary": "42 sessions"}))
    assert found["verdict"] == outcome


@pytest.mark.parametrize(("verdict", "outcome"), [("in_force", "pass"), ("none", "pass"), ("broken", "fail"), ("unknown", "pass")])
def test_blocks(verdict, outcome):
    found = report(one=host(blocked={"verdict": verdict, "blocks": [], "summary": "told"}))
    assert found["verdict"] == outcome


def test_strangers_words_are_harmless():
    found = report(one=host(by_user=[("a\x1b[31m\nb", 25)], by_address=[("\x1b]0;x", 25)]))
    assert not any("\x1b" in line or "\n" in line for line in [*found["lines"], found["next"]])
