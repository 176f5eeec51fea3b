import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _certbot
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.tests.unit.plugins.module_utils.certificates import signed

OPTIONS = {
    "name": "a.test", "names": ["a.test", "www.a.test"], "path": "/state/acme", "webroot": "/state/nginx/acme", "server": "https://ca.test/dir",
    "server_ca_path": None, "email": "", "key_type": "ecdsa",
}  # fmt: skip
REJECTED = """Saving debug log to /state/acme/logs/letsencrypt.log
Requesting a certificate for a.test and nowhere.test

Certbot failed to authenticate some domains (authenticator: webroot). The Certificate Authority reported these problems:
  {0}: nowhere.test
  Type:   dns
  Detail: Error looking up nowhere.test: no such host

Hint: The Certificate Authority failed to download the temporary challenge files created by Certbot.

Some challenges have failed.
Ask for help or search for solutions at https://community.letsencrypt.org. See the logfile.
"""
UNREACHABLE = """Saving debug log to /state/acme/logs/letsencrypt.log
An unexpected error occurred:
requests.exceptions.ConnectionError: Connection refused
Ask for help or search for solutions at https://community.letsencrypt.org. See the logfile.
"""


def test_what_certbot_is_told():
    argv = _certbot.arguments("/usr/bin/certbot", OPTIONS)
    assert argv[:3] == ["/usr/bin/certbot", "certonly", "--non-interactive"]
    assert argv[-4:] == ["-d", "a.test", "-d", "www.a.test"]
    assert argv[argv.index("--webroot-path") + 1] == "/state/nginx/acme" and argv[argv.index("--server") + 1] == "https://ca.test/dir"
    assert "--register-unsafely-without-email" in argv and "--email" not in argv
    # It stops nothing and installs nothing, and nobody's hooks are run by it.
    assert not {"--standalone", "--nginx", "--deploy-hook", "--pre-hook"} & set(argv) and "--no-directory-hooks" in argv


def test_the_address_of_a_person_is_given_where_there_is_one():
    argv = _certbot.arguments("certbot", dict(OPTIONS, email="ops@a.test"))
    assert argv[argv.index("--email") + 1] == "ops@a.test" and "--register-unsafely-without-email" not in argv


def test_whom_it_trusts():
    assert _certbot.environment(OPTIONS) == {}
    assert _certbot.environment(dict(OPTIONS, server_ca_path="/x.pem")) == {"REQUESTS_CA_BUNDLE": "/x.pem"}


@pytest.mark.parametrize("word", ["Domain", "Identifier"])
def test_what_the_authority_says_of_a_name_is_told(word):
    assert _certbot.complaint(REJECTED.format(word)) == "nowhere.test: dns, Error looking up nowhere.test: no such host"


def test_else_certbots_own_last_words():
    assert _certbot.complaint(UNREACHABLE) == "An unexpected error occurred: requests.exceptions.ConnectionError: Connection refused"
    assert _certbot.complaint("\n") == "it said nothing"


def test_a_program_that_is_not_there_is_told():
    with pytest.raises(OpsError, match="There is no program /nonexistent/certbot, so no certificate can be ordered"):
        _certbot.program("/nonexistent/certbot")


def test_the_one_beside_the_python_of_the_module_comes_first(tmp_path, monkeypatch):
    monkeypatch.setattr(_certbot.sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(OpsError, match="certbot is not installed here"):
        _certbot.program()
    (tmp_path / "certbot").write_text("#!/bin/sh\n")
    (tmp_path / "certbot").chmod(0o755)
    assert _certbot.program() == str(tmp_path / "certbot")


def test_the_newest_certificate_is_where_certbot_keeps_it(tmp_path):
    assert _certbot.newest(str(tmp_path), "a.test") is None
    folder = tmp_path / "live/a.test"
    folder.mkdir(parents=True)
    own = signed("a.test", names=["a.test"])
    (folder / "fullchain.pem").write_text(own.pem)
    assert _certbot.newest(str(tmp_path), "a.test").der == own.der
    (folder / "fullchain.pem").write_text("nothing")
    with pytest.raises(OpsError, match=r"Move .* away to begin anew"):
        _certbot.newest(str(tmp_path), "a.test")
