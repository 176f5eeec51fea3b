import os

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _own_addresses

# As a host with one network, a gateway and two bridges prints them.
FIB_TRIE = """Main:
  +-- 0.0.0.0/0 3 0 5
     |-- 0.0.0.0
        /0 universe UNICAST
     +-- 198.51.100.0/24 2 0 2
        |-- 198.51.100.0
           /24 link UNICAST
Local:
  +-- 0.0.0.0/0 3 0 5
     +-- 127.0.0.0/8 2 0 2
           |-- 127.0.0.1
              /32 host LOCAL
        |-- 198.51.100.5
           /32 host LOCAL
        |-- 198.51.100.255
           /32 link BROADCAST
"""
ROUTE = """Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\t016433C6\t0003\t0\t0\t0\t00000000\t0\t0\t0
eth0\t006433C6\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0
virbr7\t007BA8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
nonsense
"""
IF_INET6 = """20010db8000000000000000000000005 02 40 00 80     eth0
00000000000000000000000000000001 01 80 10 80       lo
"""
ZERO = "0" * 32
IPV6_ROUTE = (
    "20010db8000000000000000000000000 40 {0} 00 {0} 00000100 00000001 00000000 00000001     eth0\n"
    "{0} 00 {0} 00 20010db8000000000000000000000001 00000400 00000001 00000000 00000003     eth0\n"
    "fd000000000000000000000000000000 40 {0} 00 {0} 00000100 00000001 00000000 00000001 br-0123456789ab\n"
    "{0} 00 {0} 00 {0} ffffffff 00000001 00000000 00200200       lo\n"
).format(ZERO)


def process(proc, pid, parent, environment):
    folder = proc / str(pid)
    folder.mkdir()
    (folder / "stat").write_text("{0} (a ) b) S {1} 0 0".format(pid, parent))
    (folder / "environ").write_bytes(b"\0".join("{0}={1}".format(*item).encode() for item in environment.items()))


@pytest.fixture
def host(tmp_path):
    proc, sys = tmp_path / "proc", tmp_path / "sys"
    (proc / "net").mkdir(parents=True)
    for name, text in (("fib_trie", FIB_TRIE), ("route", ROUTE), ("if_inet6", IF_INET6), ("ipv6_route", IPV6_ROUTE)):
        (proc / "net" / name).write_text(text)
    (sys / "class/net/virbr7/bridge").mkdir(parents=True)
    process(proc, 1, 0, {})
    return proc, sys


def test_what_a_host_needs_itself(host):
    proc, sys = host
    found = {(one.guard, str(one.network)) for one in _own_addresses.here(str(proc), str(sys))}
    assert found == {
        ("own", "127.0.0.1/32"), ("own", "198.51.100.5/32"), ("own", "::1/128"), ("own", "2001:db8::5/128"),
        ("gateway", "198.51.100.1/32"), ("gateway", "2001:db8::1/128"),
        ("bridge", "172.17.0.0/16"), ("bridge", "192.168.123.0/24"), ("bridge", "fd00::/64"),
    }  # fmt: skip


def test_the_operator_is_known_by_the_session_although_sudo_forgot_it(host):
    proc, _sys = host
    process(proc, 7, 1, {"SSH_CONNECTION": "203.0.113.9 5000 198.51.100.5 22", "SSH_CLIENT": "203.0.113.9 5000 22"})
    process(proc, 8, 7, {"SUDO_USER": "ada"})
    process(proc, 9, 1, {"SSH_CONNECTION": "203.0.113.10 5000 198.51.100.5 22"})
    assert _own_addresses.operators(str(proc), 8) == ["203.0.113.9"]


@pytest.mark.parametrize("value", ["", "UNKNOWN 0 0 0"])
def test_a_session_without_an_address_names_nobody(host, value):
    proc, _sys = host
    process(proc, 7, 1, {"SSH_CONNECTION": value})
    assert _own_addresses.operators(str(proc), 7) == []


def test_an_address_of_one_link_only_is_read_without_its_link(host):
    proc, _sys = host
    process(proc, 7, 1, {"SSH_CONNECTION": "fe80::9%eth0 5000 fe80::5%eth0 22"})
    assert _own_addresses.operators(str(proc), 7) == ["fe80::9"]


def test_this_host_has_loopback():
    assert ("own", "127.0.0.1/32") in {(one.guard, str(one.network)) for one in _own_addresses.here()}
    assert os.path.exists("/proc/net/route")


def test_nothing_to_read_is_nobody_spared(tmp_path):
    assert _own_addresses.here(str(tmp_path), str(tmp_path)) == []
