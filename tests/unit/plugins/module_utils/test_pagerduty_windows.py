"""Against the demo's stub, which refuses what is not in PagerDuty's published contract."""

from __future__ import annotations

import datetime
from unittest.mock import MagicMock

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._time import to_iso, utc_now
from ansible_collections.astraldraft.ops.plugins.modules import pagerduty_maintenance_window as plugin
from ansible_collections.astraldraft.ops.tests.unit.plugins.module_utils import stubbed

WAY = {"token": "demo-pagerduty-token", "wait_timeout": 5.0, "timeout": 2.0, "validate_certs": True, "ca_path": None, "proxy": None}
ASKED = {"state": "present", "services": ["PSERVICE"], "description": "moved", "starts_at": None, "ends_at": None,
         "from_email": "ada@astraldraft.test"}  # fmt: skip


def at(**delta):
    return to_iso((utc_now() + datetime.timedelta(**delta)).replace(microsecond=0))


@pytest.fixture
def stub():
    with stubbed.serving() as found:
        yield found


def work(stub, check=False, **options):
    module = MagicMock(params=WAY | ASKED | {"url": stub.url + "/pagerduty"} | options, check_mode=check)
    result = {key: list(value) if isinstance(value, list) else value for key, value in plugin.RESULT.items()}
    plugin.work(module, result)
    return result


def writes(stub):
    return [(call["method"], call["path"].removeprefix("/pagerduty")) for call in stub.calls("pagerduty") if call["method"] != "GET"]


def test_it_is_opened_once_extended_and_ended(stub):
    ends_at = at(hours=1)
    check = work(stub, check=True, ends_at=ends_at)
    assert check["changed"] and check["after"][0]["id"] is None and writes(stub) == []
    done = work(stub, ends_at=ends_at)
    assert done["changed"] and done["before"] == [] and done["after"][0]["ends_at"] == ends_at
    again = work(stub, ends_at=ends_at)
    assert not again["changed"] and again["after"] == done["after"]
    longer = work(stub, ends_at=at(hours=2))
    assert longer["changed"] and longer["after"][0]["id"] == done["after"][0]["id"]
    assert work(stub, check=True, state="absent")["changed"]
    over = work(stub, state="absent")
    assert over["changed"] and over["after"] == [] and not work(stub, state="absent")["changed"]
    identity = done["after"][0]["id"]
    assert writes(stub) == [("POST", "/maintenance_windows"), ("PUT", f"/maintenance_windows/{identity}"),
                            ("DELETE", f"/maintenance_windows/{identity}")]  # fmt: skip


def test_others_windows_are_left_alone(stub):
    stub.settings("pagerduty", windows=[{"description": "moved", "services": ["PSERVICE", "POTHER"]}, {"description": "moved again"},
                                        {"description": "moved", "ends_in": -5}])  # fmt: skip
    assert not work(stub, state="absent")["changed"]
    assert work(stub, ends_at=at(hours=1))["before"] == []
    assert writes(stub) == [("POST", "/maintenance_windows")]


def test_all_pages_are_read(stub):
    stub.settings("pagerduty", windows=[{"description": f"window {number}"} for number in range(230)] + [{"description": "moved"}])
    assert len(work(stub, state="absent")["before"]) == 1


@pytest.mark.parametrize(
    ("options", "words", "reason"),
    [
        ({"from_email": "eve@astraldraft.test"}, "Give from_email the address of a user", "unknown_requester"),
        ({"services": ["PNOBODY"]}, "Services must be references", "refused_arguments"),
        ({"token": "another"}, "our credentials are refused", "our_credentials"),
    ],
)
def test_what_pagerduty_refuses_is_said(stub, options, words, reason):
    with pytest.raises(OpsError, match=words) as caught:
        work(stub, **({"ends_at": at(hours=1)} | options))
    assert caught.value.evidence["reason"] == reason and caught.value.evidence["changed"] is False


@pytest.mark.parametrize(
    "options", [{"ends_at": "soon"}, {"ends_at": "2020-01-01T00:00:00Z"}, {"services": [], "ends_at": "2100-01-01T00:00:00Z"}]
)
def test_what_cannot_be_meant_is_not_sent(stub, options):
    with pytest.raises(OpsError):
        work(stub, **options)
    assert writes(stub) == []


def test_one_that_ended_meanwhile_need_not_be_ended(stub):
    stub.settings("pagerduty", windows=[{"description": "moved"}])
    stub.fault("pagerduty", status=405, path="/pagerduty/maintenance_windows/PWINDOW1")
    assert work(stub, state="absent")["changed"]
