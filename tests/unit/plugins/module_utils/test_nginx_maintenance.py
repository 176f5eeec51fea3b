"""What nginx is told: pure text, judged by the patterns in it. That nginx does it is what the integration target looks at."""

from __future__ import annotations

import json
import re

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _nginx_maintenance as rules
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.modules import nginx_maintenance

ENDS = 1796000123
PLAN = rules.Plan(
    "refuse", ENDS, ["192.0.2.0/24"], "a-token-of-16-or-more", ["/api/health", "/.well-known/acme-challenge/"], ["/api/"],
    rules.page("Astral Draft", "The database is moved.", "2026-12-01 02:40 UTC"), {"error": "maintenance", "message": "$5"},
    "127.0.0.1:8999", 10, 50,
)  # fmt: skip
FOLDER = "/etc/nginx/upstreams/maintenance"


@pytest.mark.parametrize("moment", [ENDS, 1000000000, 1999999999, 2000000000, 1700000001, 9999999999])
def test_the_pattern_ends_at_the_second(moment):
    pattern = re.compile(rules.before(moment))
    for second in (moment - 1, moment - 7, moment - 60, moment - 86400, moment - 10**8):
        assert pattern.match(f"{second:010d}.999"), second
    for second in (moment, moment + 1, moment + 9, moment + 3600, moment + 10**7):
        if second < 10**10:
            assert not pattern.match(f"{second:010d}.000"), second


def mapped(text, name, value):
    """What a map of http.conf makes of a value."""
    body = re.search(rf"^map \S+ \${name} {{\n(.*?)^}}", text, re.DOTALL | re.MULTILINE)[1]
    default, rows = None, []
    for line in body.splitlines():
        key, _space, result = line.strip().rstrip(";").rpartition(" ")
        if key == "default":
            default = result
        else:
            rows.append((key[2:-1].replace("\\\\", "\\"), result))
    return next((result for pattern, result in rows if re.search(pattern, value)), default)


def test_time_paths_and_cookie():
    text = rules.render_http(PLAN, FOLDER)
    assert mapped(text, "ops_maintenance_time", f"{ENDS - 1}.500") == "on"
    assert mapped(text, "ops_maintenance_time", f"{ENDS}.000") == "over"
    challenge = "/.well-known/acme-challenge/abc"
    asked = ("/api/health", "/api/healthy", "/api/health/x", challenge, "/xwell-known/acme-challenge/", "/")
    assert [path for path in asked if mapped(text, "ops_maintenance_path", path) == "1"] == ["/api/health", challenge]
    assert mapped(text, "ops_maintenance_cookie", "a-token-of-16-or-more") == "1"
    assert mapped(text, "ops_maintenance_cookie", "A-TOKEN-of-16-or-more") == "0"
    assert mapped(text, "ops_maintenance", "on000") == "on" and mapped(text, "ops_maintenance", "on010") == "open"
    assert "    192.0.2.0/24 1;" in text


def test_nobody_gets_in_by_an_empty_cookie():
    text = rules.render_http(PLAN._replace(token=""), FOLDER)
    assert mapped(text, "ops_maintenance_cookie", "") == "0"
    assert "/enter {" not in rules.render_server(PLAN._replace(token=""), FOLDER)


@pytest.mark.parametrize(("left", "told"), [(7200, "3600"), (3600, "1800"), (3601, "3600"), (95, "60"), (11, "10"), (10, "5"), (1, "5")])
def test_nobody_is_told_to_wait_longer_than_it_lasts(left, told):
    assert mapped(rules.render_http(PLAN, FOLDER), "ops_maintenance_retry", f"{ENDS - left}.000") == told


def test_who_accepts_what():
    text = rules.render_http(PLAN, FOLDER)
    assert mapped(text, "ops_maintenance_accepted", "text/html,application/xhtml+xml,*/*") == "html"
    assert mapped(text, "ops_maintenance_accepted", "application/json") == "json"
    assert mapped(text, "ops_maintenance_accepted", "*/*") == "html"
    assert mapped(text, "ops_maintenance_form", "/api/drafts") == "json"
    assert mapped(text, "ops_maintenance_form", "/") == "$ops_maintenance_accepted"


def said(text, form):
    """A page put together again from its pieces."""
    pieces = re.findall(rf'^map "" \$ops_maintenance_{form}_\d+ {{\n    default "((?:[^"\\]|\\.)*)";\n}}', text, re.DOTALL | re.MULTILINE)
    return "".join(re.sub(r"\\(.)", r"\1", piece, flags=re.DOTALL) for piece in pieces)


@pytest.mark.parametrize("words", ["", 'He said "no" \\ <b>$100</b> & {x};', "é" * 5000, "two\nlines", '\\"' * 700])
def test_whatever_people_write_stays_text(words):
    page = rules.page("Astral Draft", words, "then")
    plan = PLAN._replace(page=page, document={"message": words})
    text = rules.render_http(plan, FOLDER)
    assert "$" not in said(text, "html") and said(text, "html").replace("&#36;", "$") == page
    assert json.loads(said(text, "json"))["message"] == words
    assert all(len(line.encode()) < 4000 for line in text.split('"'))
    names = re.findall(r"\{(ops_maintenance_html_\d+)\}", rules.render_server(plan, FOLDER))
    assert names and all(f'map "" ${name} ' in text for name in names)
    assert "<b>$100" not in page


def test_the_token_is_found_again_to_be_hidden():
    server, text = rules.render_server(PLAN, FOLDER), rules.render_http(PLAN, FOLDER)
    assert rules.token_of(server) == PLAN.token and rules.token_of(rules.render_server(PLAN._replace(token=""), FOLDER)) == ""
    assert rules.token_of(None) == "" and text.count(PLAN.token) == 1


def test_facts_are_read_back():
    assert rules.facts(rules.render_http(PLAN, FOLDER)) == {"mode": "refuse", "ends_at": ENDS}
    assert rules.facts(None) == {} and rules.facts("# facts: {") == {} and rules.facts("# facts: 1") == {}
    assert "a-token" not in "".join(line for line in rules.render_http(PLAN, FOLDER).splitlines() if line.startswith("#"))


def test_a_queue_looks_often_enough_to_wait_so_long():
    plan = PLAN._replace(mode="queue")
    text, server = rules.render_http(plan, FOLDER), rules.render_server(plan, FOLDER)
    assert text.count("server 127.0.0.1:8999 max_fails=0;") == 10 * rules.LOOKS + 2
    assert "rewrite ^" not in server and server.count("auth_request off;") == 4
    assert "upstream" not in rules.render_http(PLAN, FOLDER) and "auth_request" not in rules.render_server(PLAN, FOLDER)


@pytest.mark.parametrize(
    ("dump", "found"),
    [
        ("http {\n    include /etc/nginx/upstreams/maintenance/http*.conf;\n}", True),
        ("http { include upstreams/maintenance/*.conf;\n", False),
        ("  include upstreams/maintenance/*.conf ;\n", True),
        ('  include "/etc/nginx/upstreams/maintenance/http.conf";\n', True),
        ("  include /etc/nginx/upstreams/*.conf;\n", False),
        ("  # include /etc/nginx/upstreams/maintenance/http*.conf;\n", False),
    ],
)
def test_whether_nginx_would_read_it(dump, found):
    assert rules.included(dump, FOLDER + "/http.conf") is found


# -- what is asked for

NOW = 1764000000
DEFAULTS = {name: option.get("default") for name, option in nginx_maintenance.SPEC.items()}


def planned(**given):
    return rules.planned(DEFAULTS | {"ends_at": "2025-11-24T17:00:00Z"} | given, NOW)


def test_what_is_asked_for_becomes_a_plan():
    plan = planned(words="moved\x1b[31m", title="Astral Draft", bypass_token=PLAN.token)
    assert plan.ends_at == NOW + 3600 and plan.token == PLAN.token
    assert plan.document == {"error": "maintenance", "message": "moved", "until": "2025-11-24T17:00:00.000Z"}
    assert "17:00 UTC on 24 November 2025" in plan.page and "\x1b" not in plan.page
    assert planned().document["message"] == "This service is down for maintenance."


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"ends_at": "2025-11-24T15:00:00Z"}, "is over by the clock of this host"),
        ({"ends_at": "2025-11-26T15:00:00Z"}, "further away than maximum_duration"),
        ({"ends_at": "soon"}, "with its zone"),
        ({"maximum_duration": "long"}, "maximum_duration: 'long' is no duration"),
        ({"bypass_addresses": ["192.0.2.1/24"]}, "host bits set"),
        ({"bypass_addresses": ["example.org; }"]}, "bypass_addresses"),
        ({"bypass_token": "short"}, "at least 16"),
        ({"bypass_token": "a token with spaces in it"}, "at least 16"),
        ({"exempt_paths": ["health"]}, "which is no path"),
        ({"json_paths": ['/a"; }']}, "which is no path"),
        ({"queue_listen": "127.0.0.1:1; }"}, "Write an address and a port"),
        ({"queue_seconds": 61}, "It is 1 to 60"),
        ({"queue_requests": 0}, "at least 1"),
    ],
)
def test_what_cannot_be_meant_is_refused(given, words):
    with pytest.raises(OpsError, match=words):
        planned(**given)
