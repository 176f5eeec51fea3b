# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which roles are kept out, and which are let in again."""

from __future__ import annotations

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _postgres_access as access
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError

SINCE = "2026-11-29T10:00:00Z"


def role(name: str = "app", login: bool = True, config: list[str] | None = None, sessions: int = 0, own: bool = False) -> access.Role:
    return access.role_of((name, login, config, sessions, own))


CLOSED = role("shut", login=False, config=["search_path=a, b", f"{access.MARK}={SINCE}"])
GROUP = role("group", login=False)


def test_a_mark_is_read_from_the_roles_settings() -> None:
    assert CLOSED.closed_since == SINCE
    assert role(config=["search_path=x"]).closed_since is None
    assert role(config=[f"{access.MARK}2=x"]).closed_since is None


def test_what_may_log_in_is_closed() -> None:
    assert access.plan(access.CLOSED, [role(), CLOSED, GROUP]) == [role()]


def test_only_what_was_closed_here_is_opened() -> None:
    assert access.plan(access.OPEN, [role(), CLOSED, GROUP]) == [CLOSED]
    assert access.strangers([role(), CLOSED, GROUP]) == ["group"]


def test_somebody_let_a_role_in_by_hand_and_the_mark_goes_all_the_same() -> None:
    half = role(login=True, config=[f"{access.MARK}={SINCE}"])
    assert access.plan(access.OPEN, [half]) == [half]


def test_nobody_closes_himself_out() -> None:
    with pytest.raises(OpsError, match="app is who is connected"):
        access.plan(access.CLOSED, [role(own=True)])
    assert access.plan(access.OPEN, [role(own=True)]) == []


def test_a_misspelt_role_is_refused() -> None:
    access.refuse_unknown(["app"], [role()])
    with pytest.raises(OpsError, match=r"no role ap\. Nothing was changed"):
        access.refuse_unknown(["ap", "app"], [role()])


def test_what_is_said_is_sorted_and_has_no_more_than_is_documented() -> None:
    assert access.told([role(), CLOSED])[0] == {"name": "app", "login": True, "closed_since": None, "sessions": 0}
    assert [one["name"] for one in access.told([CLOSED, role()])] == ["app", "shut"]


def test_only_what_was_selected_is_terminated() -> None:
    """As a condition it was evaluated before the others, of walwriter and checkpointer too, upon which the server restarted."""
    selected, _where, conditions = access.TERMINATE.partition(" WHERE ")
    assert "pg_terminate_backend(pid)" in selected
    assert "terminate" not in conditions
