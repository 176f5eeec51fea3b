import json

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _pgbackrest as words
from ansible_collections.astraldraft.ops.plugins.module_utils import _pgbackrest_archive as archive
from ansible_collections.astraldraft.ops.plugins.module_utils import _pgbackrest_recover as recovery
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._place import Finished
from ansible_collections.astraldraft.ops.plugins.module_utils._place_container import volumes_of
from ansible_collections.astraldraft.ops.plugins.module_utils._time import from_iso

PARAMS = {"stanza": "main", "config_path": "/data/pgbackrest.conf"}
# What pgBackRest 2.55.1 of Debian trixie said.
INFO = (
    '[{"archive":[{"database":{"id":1,"repo-key":1},"id":"17-1","max":"000000010000000000000003","min":"000000010000000000000001"}],"backup":[{'
    '"archive":{"start":"000000010000000000000002","stop":"000000010000000000000003"},"backrest":{"format":5,"version":"2.55.1"},"database":{"id'
    '":1,"repo-key":1},"error":false,"info":{"delta":23421814,"repository":{"delta":2777751,"size":2777751},"size":23421814},"label":"20261128-1'
    '55828F","lsn":{"start":"0/2000028","stop":"0/3000050"},"prior":null,"reference":null,"timestamp":{"start":1795881508,"stop":1795881510},"ty'
    'pe":"full"}],"cipher":"none","db":[{"id":1,"repo-key":1,"system-id":7713252323970920464,"version":"17"}],"name":"main","repo":[{"cipher":"n'
    'one","key":1,"status":{"code":0,"message":"ok"}}],"status":{"code":0,"lock":{"backup":{"held":false}},"message":"ok"}}]'
)
NO_STANZA = (
    '[{"archive":[],"backup":[],"cipher":"none","db":[],"name":"main","repo":[{"cipher":"none","key":1,"status":{"code":1,"message":"missing'
    ' stanza path"}}],"status":{"code":1,"lock":{"backup":{"held":false}},"message":"missing stanza path"}}]'
)
SOUND = """stanza: main
status: ok
  archiveId: 17-1, total WAL checked: 3, total valid WAL: 3
    missing: 0, checksum invalid: 0, size invalid: 0, other: 0
  backup: 20261128-155828F, status: valid, total files checked: 966, total valid files: 966
    missing: 0, checksum invalid: 0, size invalid: 0, other: 0
"""
DAMAGED = """stanza: main
status: error
  archiveId: 17-1, total WAL checked: 3, total valid WAL: 3
    missing: 0, checksum invalid: 0, size invalid: 0, other: 0
  backup: 20261128-155828F, status: invalid, total files checked: 966, total valid files: 965
    missing: 0, checksum invalid: 1, size invalid: 0, other: 0
  backup: 20261128-155828F_20261128-160058I, status: in-progress, total files checked: 0, total valid files: 0
"""
NO_SET = """stanza: main
status: error
  backup set 20990101-111111F is not valid
"""
UNREACHED = """2026-11-28 22:57:11.894 P00   WARN: unable to check pg1: socket "/var/run/.s.PGSQL.5432" failed: No such file or directory
                                    Is the server running locally and accepting connections on that socket?
2026-11-28 22:57:11.894 P00  ERROR: [056]: unable to find primary cluster - cannot proceed
                                    HINT: are all available clusters in recovery?
"""
ERRORS = """2026-11-28 16:01:00.090 P00   WARN: something
2026-11-28 16:01:00.090 P00  ERROR: [082]: WAL segment 00000001000000000000000A was not archived before the 3000ms timeout
                                    HINT: check the archive_command to ensure that all options are correct.
2026-11-28 16:01:00.091 P00   INFO: check command end: aborted with exception [082]
"""


def backup(number, kind="full", error=False):
    """Each takes two segments: 2 and 3, 4 and 5, and so on."""
    return {
        "label": f"backup{number}", "type": kind, "error": error, "ended": number * 100, "ended_at": "then", "bytes": 1,
        "wal_start": f"{1:08X}{0:08X}{2 * number:08X}", "wal_stop": f"{1:08X}{0:08X}{2 * number + 1:08X}",
    }  # fmt: skip


def segments(*numbers, timeline=1, log=0):
    return [(timeline, log, number) for number in numbers]


def test_a_command_is_a_list_and_a_setting_of_the_server_is_words():
    assert words.command(PARAMS, "info", "--output=json") == [
        "pgbackrest", "--config=/data/pgbackrest.conf", "--stanza=main", "--log-level-file=off", "--output=json", "info",
    ]  # fmt: skip
    assert words.archive_command(PARAMS) == (
        'pgbackrest --config=/data/pgbackrest.conf --stanza=main --log-level-file=off archive-push "%p"'
    )


@pytest.mark.parametrize("wrong", [{"stanza": "a b"}, {"stanza": "--x"}, {"stanza": ""}, {"config_path": "/a b"}, {"config_path": "/a;b"}])
def test_what_a_shell_would_take_apart_is_refused(wrong):
    with pytest.raises(OpsError):
        words.archive_command(dict(PARAMS, **wrong))


def test_the_file_is_what_pgbackrest_reads():
    text = words.config_text("main", "/data/17", {"repo1-path": "/repo", "process-max": 2, "repo1-cipher-pass": None})
    assert text.splitlines()[1:] == ["[global]", "process-max=2", "repo1-path=/repo", "", "[main]", "pg1-path=/data/17"]
    assert words.repositories(text) == ["/repo"]


@pytest.mark.parametrize("value", ["", " x", "x\ny"])
def test_a_value_that_would_not_be_kept_is_refused(value):
    with pytest.raises(OpsError, match="repo1-cipher-pass"):
        words.config_text("main", "/data/17", {"repo1-cipher-pass": value})


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (None, ["/var/lib/pgbackrest"]),
        ("[global]\nrepo1-path=/a\nrepo2-path=/b\n", ["/a", "/b"]),
        ("[global]\nrepo1-path=/a\nrepo2-type=s3\nrepo2-path=/b\n", ["/a"]),
        ("[global]\nrepo1-host=backup\nrepo1-path=/a\n", []),
    ],
)
def test_the_repositories_of_this_machine(text, found):
    assert words.repositories(text) == found


def test_info():
    found = words.parse_info(INFO, "main")
    assert (found["status"], found["server_version"], found["archive_id"]) == (words.OK, "17", "17-1")
    assert found["system_id"] == 7713252323970920464
    [only] = found["backups"]
    assert (only["label"], only["type"], only["prior"], only["ended"], only["bytes"]) == (
        "20261128-155828F",
        "full",
        None,
        1795881510,
        2777751,
    )
    assert only["ended_at"] == "2026-11-28T15:58:30.000Z"


@pytest.mark.parametrize("text", [NO_STANZA, "[]"])
def test_no_stanza_is_an_answer(text):
    found = words.parse_info(text, "main")
    assert found["status"] == words.NO_STANZA
    assert found["backups"] == []
    assert found["server_version"] is None


@pytest.mark.parametrize("text", ["", "{", "[1]", '[{"name": "main"}]'])
def test_another_answer_is_none(text):
    with pytest.raises(OpsError, match="not what was expected"):
        words.parse_info(text, "main")


def test_from_which_backups_a_moment_is_reached():
    three = [backup(1), backup(2), backup(3, error=True)]
    assert [found["label"] for found in words.sets_before(three, 250, "main")] == ["backup2", "backup1"]
    assert [found["label"] for found in words.sets_before(three, 150, "main")] == ["backup1"]
    assert [found["label"] for found in words.sets_before(three, None, "main")] == ["backup2", "backup1"]
    with pytest.raises(OpsError, match=r"before the end of the first backup .*backup1"):
        words.sets_before(three, 99, "main")
    with pytest.raises(OpsError, match="no sound backup"):
        words.sets_before([backup(1, error=True)], None, "main")


def test_what_leans_on_nothing_becomes_full():
    assert words.predicted_type("incr", []) == "full"
    assert words.predicted_type("diff", [backup(1, error=True)]) == "full"
    assert words.predicted_type("incr", [backup(1)]) == "incr"


def test_verify():
    assert words.parse_verify(SOUND) == ([], {"backups": 1, "files": 966, "segments": 3})
    findings, counts = words.parse_verify(DAMAGED)
    assert findings == ["The backup 20261128-155828F is not sound: 1 checksum invalid."]
    assert counts == {"backups": 1, "files": 966, "segments": 3}
    assert words.parse_verify(NO_SET)[0] == ["backup set 20990101-111111F is not valid"]
    assert words.parse_verify(SOUND.replace("status: valid", "status: manifest missing"))[0] == [
        "The backup 20261128-155828F is not sound (status: manifest missing, total files checked: 966, total valid files: 966)."
    ]
    assert words.parse_verify("stanza: main\nstatus: error\n")[0] == ["pgBackRest calls the stanza's status error."]
    with pytest.raises(OpsError):
        words.parse_verify("")


def test_segments_are_read_from_a_listing():
    names = {
        "0000000100000000/000000010000000000000002-" + 40 * "a" + ".zst": {}, "0000000100000000/000000010000000000000001-" + 40 * "b": {},
        "0000000100000000": {}, "00000002.history": {}, "0000000100000000/000000010000000000000002.00000028.backup": {},
    }  # fmt: skip
    assert words.segments_of(json.dumps(names)) == segments(1, 2)
    assert words.segments_of("") == []


@pytest.mark.parametrize(
    ("found", "says"),
    [
        (segments(2, 3, 4, 5), []),
        (segments(0, 2, 3, 4), []),
        (segments(2, 3, 5), ["000000010000000000000003 and 000000010000000000000005"]),
        (segments(3, 4), ["lacks 000000010000000000000002, without which"]),
        (segments(2, 3, 4, 255) + segments(0, log=1), ["000000010000000000000004 and 0000000100000000000000FF"]),
        (segments(*range(2, 256)) + segments(0, 1, log=1), []),
        (segments(*range(2, 256)) + segments(1, log=1), ["0000000100000000000000FF and 000000010000000100000001"]),
        (segments(2, 3, 4) + segments(4, 5, timeline=2), []),
    ],
)
def test_gaps_of_the_archive(found, says):
    said = words.gaps(found, [backup(1)])
    assert len(said) == len(says), said
    assert all(part in sentence for part, sentence in zip(says, said, strict=True))


def test_without_a_backup_no_log_is_needed():
    assert words.gaps(segments(1, 5), []) == []


def test_why_a_command_failed_is_in_its_own_words():
    error = words.explain("pgbackrest check", "here", Finished(82, ERRORS.encode(), ""))
    assert error.message == (
        "pgbackrest check failed on here (exit code 82): [082]: WAL segment 00000001000000000000000A was not archived before the 3000ms "
        "timeout HINT: check the archive_command to ensure that all options are correct."
    )
    error = words.explain("pgbackrest stanza-create", "here", Finished(56, UNREACHED.encode(), ""))
    assert "No such file or directory Is the server running" in error.message and "unable to find primary cluster" in error.message
    assert "Install" in words.explain("pgbackrest check", "here", Finished(127, b"", "sh: pgbackrest: not found")).message


# The server


def state(**more):
    found = {
        "in_recovery": False, "wal_level": "replica", "library": "", "file_mode": "on", "mode": "on", "file_command": "old", "fixed": [],
    }  # fmt: skip
    return dict(found, **more)


def test_what_has_to_be_set_for_archiving():
    assert archive.steps(state(), "new") == [("archive_command", "new")]
    assert archive.steps(state(), "old") == []
    assert archive.steps(state(file_mode=None, mode="off"), "old") == [("archive_mode", "on")]
    assert archive.steps(state(file_mode=None, mode="on", fixed=["archive_mode"]), "old") == []


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"in_recovery": True}, "standby"),
        ({"wal_level": "minimal"}, "wal_level"),
        ({"library": "basic_archive"}, "archive_library"),
        ({"fixed": ["archive_command"]}, "command line"),
        ({"file_mode": "off", "mode": "off", "fixed": ["archive_mode"]}, "command line"),
    ],
)
def test_where_archiving_cannot_be_set_up(more, says):
    with pytest.raises(OpsError, match=says):
        archive.steps(state(**more), "new")


# Recovery


def test_targets():
    assert recovery.target_of(None, 762) == (recovery.XID, 762)
    assert recovery.target_of("2026-11-28T17:00:00.5+01:00", None).value == from_iso("2026-11-28T16:00:00.500Z")
    for text in ("yesterday", "2026-11-28T17:00:00", "2026-11-28"):
        with pytest.raises(OpsError, match="is no moment"):
            recovery.target_of(text, None)
    with pytest.raises(OpsError, match="no number of a transaction"):
        recovery.target_of(None, 2)


def test_the_future_is_refused():
    target = recovery.target_of("2026-11-28T16:00:00Z", None)
    recovery.refuse_future(target, target.value.timestamp())
    with pytest.raises(OpsError, match="has not come yet"):
        recovery.refuse_future(target, target.value.timestamp() - 1)


@pytest.mark.parametrize(
    ("xid", "following", "known"),
    [(799, 800, True), (800, 800, False), (4000000, 800, False), (4294967290, (1 << 32) + 100, True),
     ((1 << 32) + 50, (1 << 32) + 100, True), ((1 << 32) + 200, (1 << 32) + 100, False), (200, (1 << 32) + 100, False)],
)  # fmt: skip
def test_a_transaction_that_has_no_number_yet_is_refused(xid, following, known):
    if known:
        recovery.refuse_unknown(recovery.Target("xid", xid), following)
    else:
        with pytest.raises(OpsError, match="has the number"):
            recovery.refuse_unknown(recovery.Target("xid", xid), following)


def test_the_recovered_server_archives_nothing_and_stops_just_before():
    control = recovery.parse_control("max_connections setting:              100\nmax_locks_per_xact setting:           64\nodd\n")
    text = recovery.settings(recovery.target_of("2026-11-28T16:00:00.25Z", None), control, "/socket", "get %f", "pg_stat_statements")
    lines = text.splitlines()
    for line in (
        "archive_mode = 'off'", "listen_addresses = ''", "max_connections = '100'", "max_locks_per_transaction = '64'",
        "recovery_target_time = '2026-11-28 16:00:00.250000+00:00'", "recovery_target_inclusive = 'off'",
        "recovery_target_action = 'pause'",
        "restore_command = 'get %f'", "unix_socket_directories = '/socket'",
    ):  # fmt: skip
        assert line in lines
    assert "recovery_target_xid = '762'" in recovery.settings(recovery.Target("xid", 762), {}, "/socket", "get", "").splitlines()


@pytest.mark.parametrize(
    ("following", "xid", "after"),
    [
        ("0:800", 762, True),
        ("0:762", 762, False),
        ("0:700", 762, False),
        ("1:100", 4294967200, True),
        ("0:4294967200", 100, False),
        ("1:800", 4294967296 + 762, True),
        ("1:800", 4294967296 + 900, False),
        ("", 762, False),
    ],
)
def test_whether_a_backup_was_begun_after_a_transaction(following, xid, after):
    assert recovery.begins_after({"Latest checkpoint's NextXID": following}, xid) is after


class Server:
    """Something that has said ``heard``."""

    def __init__(self, heard):
        self.heard = heard


@pytest.mark.parametrize(
    ("answer", "heard", "fine"),
    [
        (("paused", "2026-11-28T15:59:59Z", "0/1"), "LOG:  recovery stopping before commit of transaction 762", True),
        (("paused", None, "0/1"), "LOG:  recovery stopping before commit of transaction 762", True),
        (("not paused", "2026-11-28T15:59:59Z", "0/1"), "LOG:  recovery stopping before commit of transaction 762", False),
        (("paused", "2026-11-28T15:59:59Z", "0/1"), "LOG:  something else", False),
        (("paused", "2026-11-28T16:00:00Z", "0/1"), "LOG:  recovery stopping before commit of transaction 762", False),
    ],
)
def test_that_the_target_was_reached_is_asked_of_server_and_log(answer, heard, fine):
    state_, at, lsn = answer
    target = recovery.target_of("2026-11-28T16:00:00Z", None)
    reached = recovery.Reached(None, backup(1), "/data", Server(heard), lambda: None)

    def ask(_sql):
        return [(state_, at and from_iso(at), lsn)]

    if fine:
        assert reached.facts(ask, target)["as_of"] == target.value.timestamp()
    else:
        with pytest.raises(OpsError, match="does not stand at"):
            reached.facts(ask, target)


def test_what_is_not_known_of_a_transaction_is_as_old_as_the_backup():
    reached = recovery.Reached(None, backup(1), "/data", Server("LOG:  recovery stopping before commit of transaction 9"), lambda: None)
    assert reached.facts(lambda _sql: [("paused", None, "0/1")], recovery.Target("xid", 9))["as_of"] == 100.0


class Model:
    """A container with these mounts."""

    def __init__(self, *mounts):
        self.inspection = {"Mounts": list(mounts)}


def test_of_a_servers_volumes_only_the_repository_may_be_written_and_their_order_is_no_accident():
    mounts = (
        {"Type": "volume", "Name": "data", "Source": "/var/lib/docker/x", "Destination": "/var/lib/postgresql/data"},
        {"Type": "volume", "Name": "repo", "Source": "/var/lib/docker/y", "Destination": "/var/lib/pgbackrest"},
        {"Type": "bind", "Source": "/etc/tls", "Destination": "/run/tls"},
        {"Type": "tmpfs", "Destination": "/run/x"},
    )
    assert volumes_of(Model(*mounts), ["/var/lib/pgbackrest/main"]) == [
        "/etc/tls:/run/tls:ro", "repo:/var/lib/pgbackrest:rw", "data:/var/lib/postgresql/data:ro",
    ]  # fmt: skip
    assert not any(line.endswith(":rw") for line in volumes_of(Model(*mounts), []))
