from __future__ import annotations

import fractions
import itertools

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _nginx
from ansible_collections.astraldraft.ops.plugins.module_utils._nginx import Server


@pytest.mark.parametrize(
    ("shares", "weights"),
    [
        ([], []),
        ([(100, 2)], [1]),
        ([(100, 0)], [0]),
        ([(0, 2)], [0]),
        ([(100, 2), (0, 2)], [1, 0]),
        ([(10, 2), (90, 2)], [1, 9]),
        # A tenth for one replica, nine tenths for three: 1 of 10, and 3 times 3 of 10.
        ([(10, 1), (90, 3)], [1, 3]),
        ([(50, 2), (50, 4)], [2, 1]),
        ([(1, 7), (1, 5)], [5, 7]),
        ([(30, 0), (70, 3)], [0, 1]),
    ],
)
def test_weights_give_every_service_its_share_whatever_its_size(shares, weights):
    assert _nginx.spread(shares) == weights


def test_shares_are_exact_for_every_mix_of_sizes():
    for one, other in itertools.product([(share, count) for share in (1, 5, 33, 100) for count in (1, 2, 3, 7, 12)], repeat=2):
        weights = _nginx.spread([one, other])
        total = weights[0] * one[1] + weights[1] * other[1]
        assert fractions.Fraction(weights[0] * one[1], total) == fractions.Fraction(one[0], one[0] + other[0])
        assert min(weights) >= 1


SERVERS = [Server("172.18.0.5:3000", 1, "app-blue-1"), Server("172.18.0.6:3000", 12, "app-blue-2"), Server("10.0.0.9:80", 3, "x-10")]


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("directives", [[], ["zone app 64k", "keepalive 32", "least_conn"]])
def test_what_is_written_is_read_back(count, directives):
    text = _nginx.render("app", SERVERS[:count], directives)
    assert _nginx.parse(text) == SERVERS[:count]
    assert text.startswith(_nginx.MANAGED)
    assert text.endswith("}\n")
    for directive in directives:
        assert "    {0};\n".format(directive) in text


def test_without_a_server_nobody_gets_traffic_and_nginx_still_takes_it():
    text = _nginx.render("app", [], ["keepalive 32"])
    assert "server 127.0.0.1:1 down;" in text
    assert _nginx.parse(text) == []


@pytest.mark.parametrize(
    ("line", "server"),
    [
        ("server 10.0.0.1:80;", Server("10.0.0.1:80", 1, "")),
        ("\tserver   10.0.0.1:80   weight=5  ; #  app-blue-1  ", Server("10.0.0.1:80", 5, "app-blue-1")),
        ("server unix:/run/app.sock weight=2;", Server("unix:/run/app.sock", 2, "")),
        # By hand at night: the server still gets traffic, and must not be overlooked.
        ("server 10.0.0.1:80 max_fails=3 fail_timeout=5s weight=2; # app-blue-1", Server("10.0.0.1:80", 2, "app-blue-1")),
        ("server 10.0.0.1:80 weight=2 backup; # app-blue-1", Server("10.0.0.1:80", 2, "app-blue-1")),
        ("server 10.0.0.1:80 weight=1; # app-blue-1 (slow, see ticket)", Server("10.0.0.1:80", 1, "app-blue-1")),
        ("server 10.0.0.1:80 down;", None),
        ("server 10.0.0.1:80 down weight=4; # app-blue-1", None),
        ("server 10.0.0.1:80 weight=4 down; # app-blue-1", None),
        ("# server 10.0.0.1:80;", None),
        ("server_name example.com;", None),
        ("keepalive 32;", None),
    ],
)
def test_lines_that_people_wrote_are_understood(line, server):
    assert _nginx.parse("upstream app {\n" + line + "\n}\n") == ([server] if server else [])


def test_no_file_names_no_server():
    assert _nginx.parse(None) == []
    assert _nginx.parse("") == []


def test_services_are_named_once_in_order_of_appearance():
    replicas = ["app-green-1", "app-blue-1", "app-green-12", "", "nodash"]
    assert _nginx.services([Server("10.0.0.1:80", 1, replica) for replica in replicas]) == ["app-green", "app-blue"]


# As Docker 20.10 answers for nginx 1.30 with ps_args "-eo pid,args", during a reload.
TITLES = ["PID", "COMMAND"]
ROWS = [
    ["4187", "nginx: master process nginx -g daemon off;"],
    ["4209", "nginx: worker process is shutting down"],
    ["4210", "nginx: worker process is shutting down"],
    ["5188", "nginx: worker process"],
    ["5187", "nginx: worker process"],
    ["5190", "nginx: cache manager process"],
    ["5200", "nginx -t"],
]


def test_workers_are_told_apart_by_what_they_call_themselves():
    assert _nginx.workers(TITLES, ROWS) == ([5187, 5188], [4209, 4210])
    assert _nginx.workers(TITLES, []) == ([], [])


def test_columns_are_found_by_their_names():
    titles = ["UID", "PID", "PPID", "C", "STIME", "TTY", "TIME", "CMD"]
    rows = [["root", "7", "1", "0", "20:01", "?", "00:00:00", "nginx: worker process"]]
    assert _nginx.workers(titles, rows) == ([7], [])


@pytest.mark.parametrize(
    ("banner", "version"),
    [
        ("nginx version: nginx/1.30.6\n", (1, 30, 6)),
        ("nginx version: nginx/1.26.3 (Ubuntu)", (1, 26, 3)),
        ("nginx version: openresty/1.25.3.1", None),
        ("", None),
    ],
)
def test_the_version_is_read_from_the_banner(banner, version):
    assert _nginx.version(banner) == version


def test_a_reload_became_harmless_with_1_27_4():
    assert _nginx.version("nginx/1.27.4") >= _nginx.KEEPALIVE_MIN_TIMEOUT_SINCE > _nginx.version("nginx/1.27.3")
    assert _nginx.version("nginx/1.30.0") >= _nginx.KEEPALIVE_MIN_TIMEOUT_SINCE


@pytest.mark.parametrize(
    ("dump", "value"),
    [
        ("http {\n    keepalive_min_timeout 10s;\n}", "10s"),
        ("http { }", None),
        ("    # keepalive_min_timeout 10s;", None),
        ("keepalive_min_timeout 0;", None),
        ("  keepalive_min_timeout   1m  ;", "1m"),
    ],
)
def test_keepalive_min_timeout_is_read_from_the_whole_configuration(dump, value):
    assert _nginx.keepalive_min_timeout(dump) == value


def test_what_a_reload_costs_depends_on_the_version_and_the_directive():
    assert _nginx.reload_cost((1, 30, 6), "10s") is None
    assert "Set keepalive_min_timeout" in _nginx.reload_cost((1, 27, 4), None)
    assert "1.27.4 and newer" in _nginx.reload_cost((1, 26, 3), None)
    assert "1.27.4 and newer" in _nginx.reload_cost(None, None)


# -- weights of single replicas

WEIGHED = """upstream app {
    server 172.18.0.5:3000 weight=6; # app-blue-1
    server 172.18.0.6:3000 weight=2; # app-blue-2
    server 172.18.0.7:3000 down; # app-blue-3
    server 172.18.0.8:3000 weight=5; # app-green-1
    server 127.0.0.1:1 down;
}
"""


def test_weights_are_told_service_by_service_and_down_is_none():
    assert _nginx.own_weights(WEIGHED) == {"app-blue-1": 3, "app-blue-2": 1, "app-blue-3": 0, "app-green-1": 1}
    assert _nginx.own_weights(None) == {}
    assert _nginx.own_weights("upstream app { server 127.0.0.1:3000 down; }\n") == {}


def test_a_service_without_a_server_that_gets_traffic_has_no_weights_but_zero():
    assert _nginx.own_weights("server 1.2.3.4:1 down; # a-1\n") == {"a-1": 0}


def test_who_is_left_out_is_written_down_and_gets_nothing():
    servers = [_nginx.Server("172.18.0.5:3000", 3, "app-blue-1"), _nginx.Server("172.18.0.6:3000", 0, "app-blue-2")]
    text = _nginx.render("app", servers, [])
    assert "    server 172.18.0.6:3000 down; # app-blue-2\n" in text
    assert _nginx.parse(text) == servers[:1]
    assert _nginx.own_weights(text) == {"app-blue-1": 1, "app-blue-2": 0}


def test_given_weights_are_the_whole_truth():
    assert _nginx.weigh(["a-1", "a-2"], {"a-2": 0}, {"a-1": 0, "a-2": 5}) == {"a-1": 1, "a-2": 0}
    assert _nginx.weigh(["a-1", "a-2"], {}, {"a-1": 0}) == {"a-1": 1, "a-2": 1}
    assert _nginx.weigh(["a-1"], {"a-1": "3", "b-1": 2}, {}) == {"a-1": 3}


def test_without_given_weights_everybody_keeps_theirs_and_new_ones_are_like_the_greatest():
    assert _nginx.weigh(["a-1", "a-2", "a-3"], None, {"a-1": 1, "a-2": 4, "b-1": 9}) == {"a-1": 1, "a-2": 4, "a-3": 4}
    assert _nginx.weigh(["a-1", "a-2"], None, {"a-1": 0}) == {"a-1": 0, "a-2": 1}
    assert _nginx.weigh(["a-1"], None, {}) == {"a-1": 1}


def test_a_share_is_kept_whatever_the_weights_within():
    # A quarter to blue, whose replicas weigh 3, 1 and 0; three quarters to green with two equal ones.
    blue, green = _nginx.spread([(25, 4), (75, 2)])
    assert (3 * blue + blue) * 3 == 2 * green


def test_the_last_server_that_a_line_names_is_the_one_that_answered():
    known = {"172.18.0.5:3000": 1, "172.18.0.6:3000": 2}
    assert _nginx.answered('{"upstream_addr":"172.18.0.5:3000","status":200}', known) == "172.18.0.5:3000"
    assert _nginx.answered("172.18.0.5:3000, 172.18.0.6:3000 502, 200", known) == "172.18.0.6:3000"
    assert _nginx.answered("GET / 172.18.0.66:3000 172.18.0.5:30001", known) is None
    assert _nginx.answered("", known) is None


def test_a_complaint_is_the_line_that_says_what_is_wrong():
    said = 'nginx: [warn] something\nnginx: [emerg] unknown directive "no" in /etc/nginx/nginx.conf:3\nnginx: configuration file failed\n'
    assert _nginx.complaint(said) == 'nginx: [emerg] unknown directive "no" in /etc/nginx/nginx.conf:3'
    assert _nginx.complaint("exec failed\n") == "exec failed"
    assert _nginx.complaint("") == "nothing"
