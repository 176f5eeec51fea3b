# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An engine that says who it is and then answers late, or not at all."""

from __future__ import annotations

import http.server
import json
import threading

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _docker
from ansible_collections.astraldraft.ops.plugins.module_utils._checks_container import containers_of
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._net import ProbeError


@pytest.fixture(params=["late", "gone"])
def failing_engine(request):
    released = threading.Event()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            if self.path.endswith("/version"):
                answer = json.dumps({"ApiVersion": "1.41", "Version": "20.10"}).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)
                return
            if request.param == "late":
                released.wait(10)
            self.close_connection = True

        def log_message(self, *arguments):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield request.param, "tcp://127.0.0.1:{0}".format(server.server_port)
    released.set()
    server.shutdown()
    server.server_close()
    thread.join()


def test_an_engine_that_fails_in_the_middle_is_named(failing_engine):
    kind, where = failing_engine
    with pytest.raises(OpsError) as found, _docker.engine(where, timeout=0.3) as client:
        _docker.replicas(client, "astral")
    assert where in found.value.message
    assert isinstance(found.value, _docker.EngineTimeout) == (kind == "late")
    assert ("did not answer within 0.3 s" in found.value.message) == (kind == "late")


def test_a_check_tells_a_late_engine_from_one_that_is_gone(failing_engine):
    kind, where = failing_engine
    check = {"project": "astral", "timeout": 0.3, "containers": []}
    with pytest.raises(ProbeError) as found:
        containers_of(check, {"docker_host": where}, ["app"])
    assert (found.value.verdict, found.value.reason) == (("timed_out", "slow_engine") if kind == "late" else ("unreachable", "no_engine"))
