# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Why a Redis that serves TLS did not answer: the library has one exception for all of it."""

from __future__ import annotations

import pytest
import redis
from ansible_collections.astraldraft.ops.plugins.module_utils import _redis
from ansible_collections.astraldraft.ops.plugins.module_utils._net import ProbeError
from ansible_collections.astraldraft.ops.tests.unit.plugins.module_utils import misbehaving as bad


@pytest.mark.parametrize(
    ("tls", "reason"),
    [(False, "speaks_tls"), (True, "self_signed")],
)
def test_it_is_said_which_side_of_tls_is_wrong(tmp_path, tls, reason):
    login = dict.fromkeys(_redis.LOGIN_SPEC) | {"tls": tls, "validate_certs": True, "timeout": 2.0}
    with bad.serving(bad.hanging, bad.tls_context(*bad.make_certificate(tmp_path))) as port, pytest.raises(ProbeError) as caught:
        _redis.Node(redis, login, "localhost", port).ask("PING")
    assert caught.value.reason == reason and f"localhost:{port}" in caught.value.message
