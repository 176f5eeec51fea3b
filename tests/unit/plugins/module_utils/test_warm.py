from __future__ import annotations

import http.server
import json
import threading

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _release_plan, _warm
from ansible_collections.astraldraft.ops.plugins.module_utils._docker import Replica


def replica(number):
    return Replica("id", "app-blue-{0}".format(number), "app-blue", number, "sha256:1", "running", None, {"net": "127.0.0.1"}, {})


@pytest.fixture
def app():
    """A real server that answers its health route as ``answer`` says."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            status, body = server.answer
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def ask(port, count=2):
    return _warm.troubles([replica(number) for number in range(1, count + 1)], port, "/api/health", "v1.2.3", "version", 1.0)


def test_replicas_that_answer_with_their_version_are_warm(app):
    app.answer = 200, {"version": "v1.2.3"}
    assert ask(app.server_port) == []


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((503, {"version": "v1.2.3"}), "answered 503"),
        ((200, {"version": "v1.2.2"}), "answers as version v1.2.2"),
        ((200, {}), "no version"),
    ],
)
def test_every_replica_that_answers_wrongly_is_named(app, answer, words):
    app.answer = answer
    found = ask(app.server_port)
    assert len(found) == 2
    assert found[0].startswith("app-blue-1: ") and words in found[0]
    assert found[1].startswith("app-blue-2: ")


def test_a_replica_that_refuses_is_not_warm(app):
    port = app.server_port
    app.shutdown()
    app.server_close()
    assert "refused" in ask(port, count=1)[0]


def test_a_plan_whose_warm_colour_does_not_answer_starts_it_afresh():
    plan = _release_plan.Plan(_release_plan.Facts([], None, ["app-blue", "app-green"], {}, {}))
    plan.path = _release_plan.WARM
    _release_plan.cool(plan, [])
    assert (plan.path, plan.notices) == (_release_plan.WARM, [])
    _release_plan.cool(plan, ["app-blue-1: answered 503, not 200"])
    assert plan.path == _release_plan.COLD
    assert "answered 503" in plan.notices[0]
