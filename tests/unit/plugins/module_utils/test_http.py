import base64
import contextlib
import socket
import threading
import time

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _http
from ansible_collections.astraldraft.ops.plugins.module_utils._net import ProbeError
from ansible_collections.astraldraft.ops.tests.unit.plugins.module_utils import misbehaving as bad


def failure(url, **arguments):
    """The ProbeError that asking ``url`` ends in, and the seconds it took."""
    started = time.monotonic()
    with pytest.raises(ProbeError) as caught:
        _http.request(url, **dict({"timeout": 0.4}, **arguments))
    return caught.value, time.monotonic() - started


@pytest.mark.parametrize(
    ("behave", "verdict", "reason"),
    [
        (bad.hanging, "timed_out", "timed_out"),
        (bad.trickling, "timed_out", "timed_out"),
        (bad.trickling_body, "timed_out", "timed_out"),
        (bad.resetting, "wrong_answer", "reset"),
        (bad.cutting, "wrong_answer", "cut_short"),
        (bad.babbling, "wrong_answer", "not_http"),
    ],
)
def test_a_server_that_misbehaves_is_named_and_bounded(behave, verdict, reason):
    with bad.serving(behave) as port:
        error, seconds = failure(f"http://127.0.0.1:{port}/")
    assert (error.verdict, error.reason) == (verdict, reason)
    assert seconds < 0.8
    assert error.next


def test_an_endless_body_is_cut_off():
    with bad.serving(bad.endless) as port:
        error, _seconds = failure(f"http://127.0.0.1:{port}/", timeout=5, max_bytes=100000)
    assert error.reason == "too_large"


def test_refused_and_unknown_names_differ():
    refused, _seconds = failure(f"http://127.0.0.1:{bad.free_port()}/")
    unknown, _seconds = failure("http://no-such-host.invalid/", timeout=3)
    assert refused.verdict == "refused"
    assert (unknown.verdict, unknown.reason) == ("unreachable", "dns")


@pytest.mark.parametrize("url", ["ftp://host/", "host:80", "http://", "http://[::1", "http://host:99999/"])
def test_what_is_no_url_is_refused(url):
    assert failure(url)[0].reason == "bad_url"


def test_a_redirect_is_an_answer_unless_asked_to_follow():
    with bad.serving(bad.answering("302 Found", Location="/elsewhere")) as port:
        assert _http.request(f"http://127.0.0.1:{port}/").status == 302
        assert _http.request(f"http://127.0.0.1:{port}/", redirects=2).status == 302


def test_credentials_do_not_follow_a_redirect_to_another_host():
    seen = []
    with (
        bad.serving(bad.answering(seen=seen)) as other,
        bad.serving(bad.answering("302 Found", Location=f"http://127.0.0.1:{other}/")) as port,
    ):
        error, _seconds = failure(f"http://127.0.0.1:{port}/", redirects=2, headers={"Authorization": "Bearer hidden"})
    assert error.reason == "redirected"
    assert seen == []


def test_what_is_sent():
    seen = []
    with bad.serving(bad.answering(body=b"{}", seen=seen)) as port:
        _http.request(f"http://me:s%40t@127.0.0.1:{port}/a b?q=1&x=y z", headers={"X-Key": "k"}, host_header="shop.example.com")
    lines = seen[0].split("\r\n")
    assert lines[0] == "GET /a%20b?q=1&x=y%20z HTTP/1.1"
    assert "Host: shop.example.com" in lines
    assert "X-Key: k" in lines
    assert "Authorization: Basic " + base64.b64encode(b"me:s@t").decode() in lines


def test_only_safe_methods_are_retried():
    seen = []
    with bad.serving(bad.answering("503 Busy", seen=seen)) as port:
        assert _http.request(f"http://127.0.0.1:{port}/", retries=2, timeout=5).status == 503
        assert len(seen) == 3
        assert _http.request(f"http://127.0.0.1:{port}/", method="POST", body=b"x", retries=2, timeout=5).status == 503
        assert len(seen) == 4


def test_no_secret_is_shown():
    shown = _http.safe_url("https://me:pass@host:8443/path?api_key=abc&page=2&access_token=xyz&empty#part")
    assert shown == "https://host:8443/path?api_key=***&page=2&access_token=***&empty"
    with bad.serving(bad.hanging) as port:
        error, _seconds = failure(f"http://me:pass@127.0.0.1:{port}/?key=abc")
    assert "pass" not in error.message
    assert "abc" not in error.message


def test_a_long_query_is_shown_in_short():
    shown = _http.safe_url("http://prometheus:9090/api/v1/query?query=" + "x" * 300)
    assert shown.startswith("http://prometheus:9090/api/v1/query?query=xxx") and shown.endswith("x...") and len(shown) < 120


def test_https_needs_a_known_authority_and_the_right_name(tmp_path):
    certificate, key = bad.make_certificate(tmp_path)
    with bad.serving(bad.answering(), bad.tls_context(certificate, key)) as port:
        url = f"https://127.0.0.1:{port}/"
        assert failure(url, timeout=3)[0].reason == "self_signed"
        assert _http.request(url, ca_path=str(certificate)).status == 200
        assert _http.request(url, validate_certs=False).status == 200
        assert _http.request(url, ca_path=str(certificate), host_header="localhost").status == 200
        assert failure(url, timeout=3, ca_path=str(certificate), host_header="shop.example.com")[0].reason == "wrong_host"
    with bad.serving(bad.babbling) as port:
        assert failure(f"https://127.0.0.1:{port}/", timeout=3)[0].reason in ("not_tls", "reset")


# -- by way of a proxy


def tunnelling(port, seen):
    """A proxy that lets whoever asks through to ``port``, wherever they want to go."""

    def pump(source, goal):
        with contextlib.suppress(OSError):
            while chunk := source.recv(65536):
                goal.sendall(chunk)

    def behave(connection):
        seen.append(bad.read_request(connection))
        connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        with socket.create_connection(("127.0.0.1", port)) as other:
            threading.Thread(target=pump, args=(connection, other), daemon=True).start()
            pump(other, connection)

    return behave


def test_a_proxy_is_asked_in_absolute_form():
    seen = []
    with bad.serving(bad.answering(body=b"{}", seen=seen)) as port:
        proxy = f"http://me:s%40t@127.0.0.1:{port}"
        assert _http.request("http://monitoring.invalid:9093/am?q=1", proxy=proxy).status == 200
    lines = seen[0].split("\r\n")
    assert lines[0] == "GET http://monitoring.invalid:9093/am?q=1 HTTP/1.1"
    assert "Host: monitoring.invalid:9093" in lines
    assert "Proxy-Authorization: Basic " + base64.b64encode(b"me:s@t").decode() in lines


def test_https_goes_through_a_tunnel_and_the_proxy_learns_nothing(tmp_path):
    certificate, key = bad.make_certificate(tmp_path)
    seen, asked = [], []
    with (
        bad.serving(bad.answering(body=b"{}", seen=asked), bad.tls_context(certificate, key)) as port,
        bad.serving(tunnelling(port, seen)) as through,
    ):
        proxy = f"http://me:pass@127.0.0.1:{through}"
        arguments = {"proxy": proxy, "ca_path": str(certificate), "bearer_token": "secret-token"}
        assert _http.request("https://localhost:9443/x", **arguments).status == 200
        assert failure("https://shop.invalid/x", timeout=3, **arguments)[0].reason == "wrong_host"
    assert seen[0].startswith("CONNECT localhost:9443 HTTP/1.1\r\nHost: localhost:9443\r\nProxy-Authorization: Basic ")
    assert "secret-token" not in seen[0]
    assert "Authorization: Bearer secret-token" in asked[0]
    assert "Proxy-Authorization" not in asked[0]


def test_a_proxy_that_does_not_help_is_named():
    with bad.serving(bad.answering("407 Proxy Authentication Required")) as port:
        error, _seconds = failure("https://shop.invalid/", timeout=3, proxy=f"http://me:hunter22@127.0.0.1:{port}")
    assert error.reason == "proxy_refused"
    assert f"the proxy http://127.0.0.1:{port} answered 407 to a tunnel to shop.invalid:443" in error.message
    assert "hunter22" not in error.message
    with bad.serving(bad.hanging) as port:
        error, seconds = failure("https://shop.invalid/", proxy=f"http://127.0.0.1:{port}")
    assert error.reason == "timed_out"
    assert seconds < 0.8
    assert failure("http://shop.invalid/", proxy=f"http://127.0.0.1:{bad.free_port()}")[0].reason == "refused"
    assert failure("http://shop.invalid/", proxy="https://127.0.0.1:1")[0].reason == "bad_url"
