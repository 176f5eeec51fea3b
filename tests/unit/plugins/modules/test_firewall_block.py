"""What the module refuses, and what it says of what was not done. Real runs are those of the integration targets."""

from __future__ import annotations

import contextlib
import ipaddress
from unittest.mock import MagicMock

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _addresses
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._firewall import Block, State
from ansible_collections.astraldraft.ops.plugins.modules import firewall_block

PARAMS = {
    "backend": "nftables", "addresses": ["203.0.113.7"], "state": "present", "duration": "1h", "maximum_duration": "1d", "comment": "",
    "protected": [], "overrides": [], "conntrack": True, "proof_timeout": 0,
}  # fmt: skip


class Backend:
    """Holds what it is told, unless it refuses."""

    def __init__(self, name="nftables", blocks=(), refuses=False, real=None, problems=()):
        self.name, self.uncounted, self.refuses, self.real = name, 0 if name == "nftables" else None, refuses, real
        self.state, self.problems, self.forgotten = State(list(blocks), [], True), list(problems), []

    def read(self, _now):
        return self.state

    def apply(self, _state, plan, _now):
        if self.refuses:
            raise OpsError("it will not")
        self.state = State(plan.after, self.problems, True)

    def real_addresses(self):
        return self.real

    def forget(self, networks):
        self.forgotten += networks
        return len(networks)


@pytest.fixture
def do(monkeypatch):
    """Run the module's work on a backend, on a host that needs nothing for itself."""

    def run(own, check_mode=False, fence=None, **params):
        monkeypatch.setattr(firewall_block, "backend", lambda _module, **_alone: contextlib.nullcontext(own))
        monkeypatch.setattr(firewall_block._own_addresses, "here", list)
        module = MagicMock(params=PARAMS | params, check_mode=check_mode, fence=MagicMock(side_effect=fence))
        result = dict(firewall_block.RESULT, changed=False)
        error = None
        try:
            firewall_block.work(module, result)
        except OpsError as caught:
            error = caught.message
        return result, error

    return run


def test_what_is_blocked_is_read_back_and_its_connections_forgotten(do):
    own = Backend()
    result, error = do(own)
    assert error is None
    assert (result["changed"], result["in_force"], result["connections_ended"]) == (True, True, 1)
    assert own.forgotten == [ipaddress.ip_network("203.0.113.7")]


def test_check_mode_foresees_and_does_nothing(do):
    own = Backend()
    result, _error = do(own, check_mode=True)
    assert result["changed"]
    assert result["blocked"] == ["203.0.113.7"]
    assert own.state.blocks == [] and own.forgotten == []


@pytest.mark.parametrize(("name", "changed"), [("nftables", False), ("nginx", True)])
def test_what_a_backend_refuses_is_not_said_to_be_changed(do, name, changed):
    result, error = do(Backend(name, refuses=True))
    assert error == "it will not"
    assert result["changed"] is changed


def test_who_lost_the_lock_changes_nothing(do):
    own = Backend()
    result, error = do(own, fence=OpsError("somebody else has it"))
    assert error == "somebody else has it"
    assert not result["changed"] and own.state.blocks == []


def test_what_is_not_in_force_afterwards_fails(do):
    result, error = do(Backend(problems=["the rules are others"]))
    assert "is not in force: the rules are others" in error
    assert (result["changed"], result["in_force"]) == (True, False)


def test_nobody_is_refused(do):
    assert "No address is given" in do(Backend(), addresses=[])[1]
    assert do(Backend(), addresses=[], state="absent")[1] is None


PROXY = {"guard": "load_balancer", "addresses": ["198.51.100.1"]}


@pytest.mark.parametrize(
    ("real", "overrides", "refused"),
    [(None, [], False), ([], [], True), ([], ["load_balancer"], False), (["198.51.100.1"], [], False)],
)
def test_behind_a_proxy_nginx_must_know_whom_it_talks_to(do, real, overrides, refused):
    _result, error = do(Backend("nginx", real=real), protected=[PROXY], overrides=overrides)
    assert ("set_real_ip_from" in (error or "")) == refused


def test_what_is_over_in_nginxs_list_goes_whenever_it_is_written(do):
    over = Block(ipaddress.ip_network("203.0.113.1"), 1.0, "", None, None)
    own = Backend("nginx", [over], real=[])
    result, _error = do(own, state="absent", addresses=[])
    assert (result["changed"], result["unblocked"], own.state.blocks) == (True, ["203.0.113.1"], [])


def test_unblocking_forgets_nothing(do):
    there = Block(ipaddress.ip_network("203.0.113.7"), None, "", 3, 180)
    own = Backend(blocks=[there])
    result, _error = do(own, state="absent")
    assert result["unblocked"] == ["203.0.113.7"]
    assert own.forgotten == [] and result["connections_ended"] is None


@pytest.mark.parametrize("packets", [0, 5])
def test_a_block_is_proved_by_a_packet_more_than_before(do, packets):
    there = Block(ipaddress.ip_network("203.0.113.7"), None, "", 3, 180)
    own = Backend(blocks=[there])
    reads = iter([[there], *[[there._replace(packets=3 + packets)]] * 9])
    own.read = lambda _now: State(next(reads), [], True)
    result, _error = do(own, proof_timeout=0.3)
    assert result["proved"] is (packets > 0)


def test_a_block_that_is_written_anew_is_proved_by_a_packet_after_that(do):
    """The kernel counts it from 0, whatever was counted before."""
    there = Block(ipaddress.ip_network("203.0.113.7"), 1.0, "", 3, 180)
    reads = iter([[there], [there._replace(packets=0)], *[[there._replace(packets=1)]] * 9])
    own = Backend(blocks=[there])
    own.read = lambda _now: State(next(reads), [], True)
    result, _error = do(own, proof_timeout=0.3)
    assert result["proved"] is True
    assert result["after"][0]["packets"] == 0


def test_every_override_is_a_choice_and_a_guard_is_one_of_them():
    assert firewall_block.SPEC["overrides"]["choices"] == list(_addresses.OVERRIDABLE)
    assert set(firewall_block.SPEC["protected"]["options"]["guard"]["choices"]) < set(_addresses.OVERRIDABLE)
