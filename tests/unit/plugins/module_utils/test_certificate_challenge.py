import functools
import http.server
import threading

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _certificate_challenge as challenge
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.tests.unit.plugins.module_utils import misbehaving as bad


class Quiet(http.server.SimpleHTTPRequestHandler):
    hosts: list[str] = []

    def do_GET(self):
        self.hosts.append(self.headers["Host"])
        super().do_GET()

    def log_message(self, *_):
        pass


@pytest.fixture
def served(tmp_path):
    """A webroot, and the address of who serves it."""
    Quiet.hosts.clear()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(tmp_path)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield tmp_path, f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_path_that_leads_there_is_asked_under_each_name_and_nothing_is_left(served):
    webroot, url = served
    challenge.demand_path(str(webroot), [url], ["a.test", "b.test"], 3.0)
    assert Quiet.hosts == ["a.test", "b.test"]
    assert [path.name for path in (webroot / ".well-known/acme-challenge").iterdir()] == []


@pytest.mark.parametrize(
    ("behave", "words"),
    [
        (bad.answering("404 Not Found"), "answered 404"),
        (bad.answering(body=b"a page for everything"), "answered 200 with something else"),
        (bad.answering("301 Moved Permanently", Location="https://a.test/"), "answered 301"),
    ],
)
def test_another_answer_is_told(tmp_path, behave, words):
    with bad.serving(behave) as port, pytest.raises(OpsError, match="so nothing was ordered") as caught:
        challenge.demand_path(str(tmp_path), [f"http://127.0.0.1:{port}"], ["a.test"], 3.0)
    assert words in caught.value.message and "asked for a.test" in caught.value.message


def test_nobody_answers(tmp_path):
    with pytest.raises(OpsError, match="refused"):
        challenge.demand_path(str(tmp_path), [f"http://127.0.0.1:{bad.free_port()}"], ["a.test"], 3.0)


def test_a_webroot_that_is_none_is_told(tmp_path):
    challenge.demand_webroot(str(tmp_path))
    with pytest.raises(OpsError, match="is no folder that can be written to"):
        challenge.demand_webroot(str(tmp_path / "x"))
