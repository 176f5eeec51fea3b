"""Programs that are run by their place: real ones, on this host."""

from __future__ import annotations

import os
import pwd
import signal
import subprocess
import sys
import time

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _postgres_tools as tools
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._place import GRACE_SECONDS, Host, last_words
from ansible_collections.astraldraft.ops.plugins.module_utils._tar import read_tar, write_tar

LOGIN = {
    "login_host": "db", "login_port": 5433, "login_user": "me", "login_password": "a:b\\c", "login_db": "shop", "ssl_mode": "verify-full",
    "ca_cert": "/ca.pem", "service": None, "container": None, "tools_login_host": None, "tools_login_port": None,
}  # fmt: skip


@pytest.fixture
def host(tmp_path):
    return Host(17, work_dir=str(tmp_path))


def nothing():
    pass


def test_a_program_and_how_it_ended(host):
    done = host.run(["sh", "-c", "echo out; echo err >&2; exit 3"], nothing)
    assert done == (3, b"out\n", "err")
    taken = []
    assert host.run(["sh", "-c", "head -c 3000000 /dev/zero"], nothing, sink=lambda chunk: taken.append(len(chunk))).output == b""
    assert sum(taken) == 3000000


def test_options_reach_it_by_the_environment_alone(host, monkeypatch):
    monkeypatch.setenv("PGHOST", "elsewhere")
    monkeypatch.setenv("ASTRALDRAFT_OPERATION", "stack/7")
    said = host.must(["env"], nothing, {"PGUSER": "me"}).decode()
    assert "PGHOST" not in said and "PGUSER=me\n" in said and "ASTRALDRAFT_OPERATION=stack/7\n" in said and "ASTRALDRAFT_BIN" not in said


def test_what_it_says_is_in_english_whatever_the_host_speaks(host, monkeypatch):
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    assert "LC_ALL=C\n" in host.must(["env"], nothing).decode()


def test_another_user_has_a_home_of_his_own(host):
    assert "HOME" not in host._environment({})
    host._user = pwd.getpwnam("nobody")
    assert host._environment({"PGUSER": "me"}).items() >= {"HOME": host._user.pw_dir, "USER": "nobody", "PGUSER": "me"}.items()


def test_it_has_no_terminal_to_ask_a_question_on(host):
    # Where a session begins, its number is the process's own, and it has no terminal.
    assert int(host.must(["sh", "-c", "ps -o sid= -p $$"], nothing)) != os.getsid(0)


def test_what_is_missing_and_what_fails_is_told(host):
    with pytest.raises(OpsError, match="There is no no-such-program on this host"):
        host.must(["no-such-program"], nothing)
    with pytest.raises(OpsError, match=r"sh failed on this host \(exit code 1\): it broke"):
        host.must(["sh", "-c", "echo it broke >&2; exit 1"], nothing)


def test_another_major_version_is_refused(tmp_path):
    program = tmp_path / "pg_dump"
    program.write_text("#!/bin/sh\necho 'pg_dump (PostgreSQL) 16.3 (Debian 16.3-1)'\n")
    program.chmod(0o755)
    place = Host(17, bin_dir=str(tmp_path))
    assert place.version("pg_dump", nothing) == "16.3"
    with pytest.raises(OpsError, match=r"of version 16\.3, and 17 is needed"):
        place.demand_major("pg_dump", nothing)


def test_what_raises_meanwhile_ends_the_program(host, tmp_path):
    def tick():
        raise OpsError("the lock was taken over")

    started = time.monotonic()
    with pytest.raises(OpsError, match="taken over"):
        host.run(["sh", "-c", "echo $$ >{0}/pid; exec sleep 100".format(tmp_path)], tick)
    assert time.monotonic() - started < GRACE_SECONDS
    assert not alive(int((tmp_path / "pid").read_text() or 0) if (tmp_path / "pid").exists() else 0)


def test_when_one_of_several_fails_the_others_end(host):
    started = time.monotonic()
    codes = [done.code for done in host.drive([host.start(["sleep", "100"]), host.start(["sh", "-c", "exit 4"])], nothing)]
    # Of one that was ended nobody asks why it failed.
    assert codes == [None, 4]
    assert time.monotonic() - started < 2 * GRACE_SECONDS


def alive(pid):
    try:
        with open("/proc/{0}/stat".format(pid)) as stream:
            return stream.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_for(condition, seconds=10):
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)
    return condition()


SCRIPT = """
import sys
from ansible_collections.astraldraft.ops.plugins.module_utils._place import Host
Host(17).run(["sh", "-c", "echo $$ >{0}; exec sleep 100"], lambda: None)
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_program_ends_with_the_module_that_started_it(tmp_path, number):
    path = tmp_path / "pid"
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join(part for part in sys.path if part))
    module = subprocess.Popen([sys.executable, "-c", SCRIPT.format(path)], env=environment)
    assert wait_for(lambda: path.exists() and path.read_text().strip())
    pid = int(path.read_text())
    assert alive(pid)
    module.send_signal(number)
    module.wait()
    assert wait_for(lambda: not alive(pid))


def test_a_workspace_is_nobody_elses_and_goes(host):
    with host.workspace("backup-x") as folder:
        host.put(folder, [("a/b", 5, [b"hel", b"lo"])])
        assert os.stat(folder).st_mode & 0o777 == 0o700 and os.stat(folder + "/a/b").st_mode & 0o777 == 0o600
        assert [(name, size, b"".join(chunks)) for name, size, chunks in host.get(folder)] == [("a/b", 5, b"hello")]
        assert host.leftovers("backup-x") == [folder] and host.leftovers("backup-y") == []
    assert not os.path.exists(folder) and host.leftovers("backup-x") == []


def test_every_connection_option_reaches_the_tools(host, tmp_path):
    environment = tools.connection(host, LOGIN, str(tmp_path))
    assert environment == {
        "PGHOST": "db", "PGPORT": "5433", "PGUSER": "me", "PGDATABASE": "shop", "PGSSLMODE": "verify-full", "PGSSLROOTCERT": "/ca.pem",
        "PGPASSFILE": "{0}/.pgpass".format(tmp_path), "PGCONNECT_TIMEOUT": "10", "PGAPPNAME": "astraldraft.ops",
    }  # fmt: skip
    assert (tmp_path / ".pgpass").read_text() == "*:*:*:*:a\\:b\\\\c\n"
    assert (tmp_path / ".pgpass").stat().st_mode & 0o777 == 0o600
    assert "PGPASSFILE" not in tools.connection(host, dict(LOGIN, login_password=None), str(tmp_path))


def test_how_tools_beside_a_container_reach_its_server():
    found = tools.tools_login(dict(LOGIN, container="db-1"), {"port": 5432})
    assert (found["login_host"], found["login_port"], found["ssl_mode"], found["ca_cert"]) == ("127.0.0.1", 5432, "prefer", None)
    found = tools.tools_login(dict(LOGIN, container="db-1", tools_login_host="proxy", tools_login_port=6432), {"port": 5432})
    assert (found["login_host"], found["login_port"]) == ("proxy", 6432)
    assert tools.tools_login(LOGIN, {"port": 5432})["login_host"] == "db"


def test_the_last_words_are_few():
    assert last_words("a\nb\nc\nd\ne") == "b c d e"
    assert last_words("") == "it said nothing"


def test_an_archive_is_read_as_it_was_written():
    members = [("a/b/c", 3, [b"a", b"bc"]), ("a/d", 0, []), ("e", 1500, [b"x" * 1500])]
    found = [(name, size, b"".join(chunks)) for name, size, chunks in read_tar(write_tar(members, 7, 8))]
    assert found == [("a/b/c", 3, b"abc"), ("a/d", 0, b""), ("e", 1500, b"x" * 1500)]


def test_an_archive_says_what_it_holds_and_stays_inside():
    with pytest.raises(ValueError, match="has 2 bytes, not 3"):
        list(write_tar([("a", 3, [b"ab"])], 0, 0))
    with pytest.raises(ValueError, match=r"\.\./a"):
        list(read_tar(write_tar([("../a", 1, [b"x"])], 0, 0)))
