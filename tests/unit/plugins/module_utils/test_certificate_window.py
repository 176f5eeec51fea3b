import json

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _certificate_window, _x509
from ansible_collections.astraldraft.ops.plugins.module_utils._net import ProbeError
from ansible_collections.astraldraft.ops.tests.unit.plugins.module_utils import misbehaving as bad
from ansible_collections.astraldraft.ops.tests.unit.plugins.module_utils.certificates import signed

CERTIFICATE = _x509.describe(signed("Root", authority=True).below("a.test", names=["a.test"]).der)
WINDOW = {"start": "2026-12-01T00:00:00Z", "end": "2026-12-02T00:00:00.5Z"}


def authority(seen, directory=None, status="200 OK", answer=None):
    """A directory, and renewal information below it."""

    def behave(connection):
        request = bad.read_request(connection)
        seen.append(request.split()[1])
        if request.startswith("GET /dir "):
            code, body = "200 OK", {"newOrder": "x", "renewalInfo": "http://" + host(request) + "/info"} if directory is None else directory
        else:
            code, body = status, answer if answer is not None else {"suggestedWindow": WINDOW}
        text = json.dumps(body).encode()
        head = f"HTTP/1.1 {code}\r\nContent-Type: application/json\r\nContent-Length: {len(text)}\r\nConnection: close\r\n\r\n"
        connection.sendall(head.encode() + text)

    return behave


def host(request):
    return next(line.partition(": ")[2] for line in request.splitlines() if line.lower().startswith("host:"))


def ask(**options):
    seen = []
    with bad.serving(authority(seen, **options)) as port:
        return _certificate_window.suggested({"url": f"http://127.0.0.1:{port}/dir", "timeout": 20.0}, CERTIFICATE), seen


def test_the_example_of_rfc_9773():
    key, serial = bytes.fromhex("69885b6b87464041e1b37b847ba0ae2cde01c8d4"), bytes.fromhex("0087654321")
    known = CERTIFICATE._replace(authority_key=key, serial_der=serial)
    assert _certificate_window.certificate_id(known) == "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE"


def test_the_window_is_asked_for_by_the_certificates_own_name():
    window, seen = ask()
    assert window == {"start": "2026-12-01T00:00:00.000Z", "end": "2026-12-02T00:00:00.500Z", "explanation_url": ""}
    assert seen == ["/dir", "/info/" + _certificate_window.certificate_id(CERTIFICATE)]


@pytest.mark.parametrize("options", [{"status": "404 Not Found"}, {"status": "400 Bad Request"}, {"directory": {"newOrder": "x"}}])
def test_an_authority_that_knows_nothing_of_it_suggests_nothing(options):
    assert ask(**options)[0] is None


@pytest.mark.parametrize(
    "options",
    [{"directory": {}}, {"directory": []}, {"answer": []}, {"answer": {"suggestedWindow": {"start": 1, "end": 2}}}],
)
def test_what_is_no_acme_is_told(options):
    with pytest.raises(ProbeError):
        ask(**options)


def test_a_certificate_that_names_no_key_has_no_window():
    assert _certificate_window.certificate_id(CERTIFICATE._replace(authority_key=None)) is None
