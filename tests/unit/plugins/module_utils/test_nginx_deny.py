import ipaddress

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _nginx_deny
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._firewall import Block, State

ENDS = 1764000000.0
ONE = Block(ipaddress.ip_network("203.0.113.7"), ENDS, "ada: # scans; a lot", None, None)
MANY = Block(ipaddress.ip_network("2001:db8::/64"), None, "", None, None)
TEXT = (
    _nginx_deny.MANAGED
    + """
deny 203.0.113.7; # until 2025-11-24T16:00:00.000Z ada: # scans; a lot
deny 2001:db8::/64;
"""
)


def test_what_is_written_is_what_is_read():
    assert _nginx_deny.render([ONE, MANY]) == TEXT
    assert _nginx_deny.parse(TEXT) == ([ONE, MANY], [])


@pytest.mark.parametrize("text", [None, "", _nginx_deny.render([])])
def test_nothing_denied(text):
    assert _nginx_deny.parse(text) == ([], [])


@pytest.mark.parametrize("line", ["allow all;", "deny all;", "deny 203.0.113.7; # until soon"])
def test_a_line_of_somebody_elses_is_told(line):
    blocks, problems = _nginx_deny.parse(TEXT + line + "\n")
    assert len(blocks) == 2
    assert len(problems) == 1
    assert line in problems[0]


def test_whom_nginx_believes():
    text = "http {\n  set_real_ip_from 10.0.0.0/8;\n # set_real_ip_from 192.0.2.1;\n\tset_real_ip_from  2001:db8::1 ;\n}"
    assert _nginx_deny.real_address_sources(text) == ["10.0.0.0/8", "2001:db8::1"]
    assert _nginx_deny.real_address_sources("http {}") == []


class Balancer:
    """An nginx that has this configuration."""

    def __init__(self, path, configuration, accepts=True, pending=False):
        self.path, self._answer, self._pending = str(path), (accepts, configuration), pending
        self.container = type("Container", (), {"name": "nginx-1"})

    def configuration(self):
        return self._answer

    def pending(self):
        return self._pending

    def inside(self, *parts):
        return "/".join(("/etc/nginx/upstreams", *parts))


@pytest.fixture
def path(tmp_path):
    (tmp_path / "blocked.conf").write_text(TEXT)
    return tmp_path / "blocked.conf"


def test_what_nginx_has_is_in_force(path):
    assert _nginx_deny.NginxDeny(None, Balancer(path, TEXT)).read(0) == State([ONE, MANY], [], True)


def test_no_file_yet_is_no_problem(tmp_path):
    assert _nginx_deny.NginxDeny(None, Balancer(tmp_path / "none", "")).read(0) == State([], [], False)


@pytest.mark.parametrize(
    ("balancer", "problem"),
    [
        ({"configuration": "http {}"}, "does not include /etc/nginx/upstreams/blocked.conf"),
        ({"configuration": TEXT, "pending": True}, "load"),
    ],
)
def test_what_nginx_does_not_have_is_told(path, balancer, problem):
    problems = _nginx_deny.NginxDeny(None, Balancer(path, **balancer)).read(0).problems
    assert len(problems) == 1
    assert problem in problems[0]


def test_an_nginx_that_refuses_its_configuration_is_left_alone(path):
    with pytest.raises(OpsError, match="docker exec nginx-1 nginx -t"):
        _nginx_deny.NginxDeny(None, Balancer(path, "", accepts=False)).read(0)
