"""The pure parts of the demonstration app: what it reads, refuses, logs and remembers."""

import json
import logging
import re

import pytest

from demo.app import logs, passwords, schema, sessions, validation
from demo.app.config import ConfigError, Settings


def test_settings_of_an_empty_environment_have_no_fault():
    settings = Settings.from_environment({})
    assert settings.faults.active() == {}
    assert settings.keep_alive_seconds > 60
    assert settings.drain_seconds < 15


def test_faults_are_read_from_the_environment():
    settings = Settings.from_environment({"APP_VERSION": "v1.2.5-errors", "FAULT_ERROR_RATE": "0.05", "FAULT_UNHEALTHY": "1"})
    assert settings.faults.active() == {"error_rate": 0.05, "unhealthy": True}
    assert settings.number == (1, 2, 5)


@pytest.mark.parametrize(
    ("environment", "word"),
    [
        ({"APP_VERSION": "latest"}, "APP_VERSION"),
        ({"FAULT_ERROR_RATE": "5"}, "FAULT_ERROR_RATE"),
        ({"FAULT_LATENCY_SECONDS": "much"}, "FAULT_LATENCY_SECONDS"),
        ({"FAULT_UNHEALTHY": "perhaps"}, "FAULT_UNHEALTHY"),
        ({"LOG_LEVEL": "loud"}, "LOG_LEVEL"),
        ({"DEMO_USER_PASSWORD_FILE": "/nowhere/at/all"}, "DEMO_USER_PASSWORD_FILE"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(environment, word):
    with pytest.raises(ConfigError, match=word):
        Settings.from_environment(environment)


def test_secrets_stay_out_of_the_representation(tmp_path):
    word = "s3cret-word"
    (tmp_path / "password").write_text(word + "\n")
    settings = Settings.from_environment(
        {
            "DEMO_USER_PASSWORD_FILE": str(tmp_path / "password"),
            "DATABASE_URL": "postgresql://a:pgword@h/d",
            "REDIS_URL": "redis://:rword@h",
        }
    )
    assert settings.demo_password == word
    assert not re.search(f"{word}|pgword|rword", repr(settings))


def test_a_log_line_is_one_json_object_with_its_fixed_keys():
    record = logging.LogRecord("app.auth", logging.WARNING, "f", 1, "authentication failed", None, None)
    record.created = 1767323045.6789
    record.fields = {"user": "o'neil\n", "client": "203.0.113.7", "level": "forged"}
    text = logs.JsonFormatter("v1.2.3").format(record)
    assert "\n" not in text
    line = json.loads(text)
    assert line["time"] == "2026-01-02T03:04:05.679Z"
    assert line["level"] == "WARNING"
    assert (line["message"], line["user"], line["client"], line["release"]) == (
        "authentication failed",
        "o'neil\n",
        "203.0.113.7",
        "v1.2.3",
    )


def test_passwords_are_verified_against_their_own_hash_only():
    stored = passwords.hash_password("correct horse")
    assert passwords.verify_password("correct horse", stored)
    assert not passwords.verify_password("wrong horse", stored)
    assert stored != passwords.hash_password("correct horse")
    for damaged in ("", "plain", passwords.NOBODY, stored.replace("scrypt", "md5"), stored + "$"):
        assert not passwords.verify_password("correct horse", damaged)


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, ["name"]),
        ([], ["body"]),
        ({"name": " "}, ["name"]),
        ({"name": 5}, ["name"]),
        ({"name": "x" * 101}, ["name"]),
        ({"name": "a\x00b", "format": "dice"}, ["name", "format"]),
    ],
)
def test_a_draft_is_refused_with_every_problem(body, fields):
    with pytest.raises(validation.Invalid) as caught:
        validation.draft(body)
    assert [problem["field"] for problem in caught.value.problems] == fields


def test_a_draft_is_cleaned():
    assert validation.draft({"name": " Sunday "}) == {"name": "Sunday", "format": "snake"}


@pytest.mark.parametrize("text", ["-1", "31", "nan", "inf", "five", ""])
def test_slow_requests_are_bounded(text):
    with pytest.raises(validation.Invalid):
        validation.slow_seconds(text)


@pytest.mark.parametrize(
    ("forwarded", "peer", "expected"),
    [
        (None, "172.18.0.2", "172.18.0.2"),
        ("203.0.113.7", "172.18.0.2", "203.0.113.7"),
        # What comes before the last entry is the client's own claim.
        ("198.51.100.1, 203.0.113.7", "172.18.0.2", "203.0.113.7"),
        ("2001:db8::1", "172.18.0.2", "2001:db8::1"),
        ("203.0.113.7, nonsense", "172.18.0.2", "172.18.0.2"),
    ],
)
def test_the_client_is_who_our_own_proxy_says(forwarded, peer, expected):
    assert validation.client_address(forwarded, peer) == expected


def test_a_request_id_that_could_forge_a_log_line_is_replaced():
    assert validation.request_id("abc-123") == "abc-123"
    assert validation.request_id('x"} {"level": "ERROR') is None
    assert validation.request_id("x" * 65) is None


def test_a_session_of_an_earlier_epoch_is_worth_nothing():
    text = sessions.encode(1, "demo", 3, 1767323045.0, "203.0.113.7", "v1.2.3")
    assert sessions.decode(text, 3)["user"] == "demo"
    assert sessions.decode(text, 4) is None
    for damaged in (None, "", "{", "[]", '{"epoch": "9"}'):
        assert sessions.decode(damaged, 0) is None


def test_an_unreadable_epoch_ends_every_session():
    assert sessions.epoch_number(None) == 0
    assert sessions.epoch_number("7") == 7
    assert sessions.epoch_number("x") > 10**15


def test_session_ids_are_ours_and_safe_as_a_key():
    assert sessions.valid_id(sessions.new_id())
    for wrong in (None, "", "short", "x" * 30 + "*", "x" * 30 + "\n"):
        assert not sessions.valid_id(wrong)


def everything(release):
    return {m.name: m.checksum for m in schema.MIGRATIONS if m.release <= release}


def test_a_new_database_gets_every_expand_migration_up_to_the_release():
    assert [m.name for m in schema.plan((1, 2, 2), "expand", {}).to_apply] == ["001_initial"]
    assert [m.name for m in schema.plan((1, 2, 4), "expand", {}).to_apply] == ["001_initial", "002_draft_type"]


def test_migrating_again_changes_nothing():
    for phase in ("expand", "contract"):
        assert schema.plan((1, 2, 4), phase, everything((1, 2, 4))).to_apply == ()


def test_contract_waits_for_expand():
    found = schema.plan((1, 2, 4), "contract", {"001_initial": schema.INITIAL.checksum})
    assert found.blocked_by == ("002_draft_type",)


def test_contract_of_a_release_without_one_does_nothing():
    found = schema.plan((1, 2, 3), "contract", everything((1, 2, 3)))
    assert (found.to_apply, found.blocked_by) == ((), ())


def test_a_migration_applied_with_other_contents_is_noticed():
    assert schema.plan((1, 2, 2), "expand", {"001_initial": "other"}).altered == ("001_initial",)


BASE = frozenset({"id", "name", "created_at"})
EXPANDED, INITIAL, CONTRACTED = BASE | {"format", "draft_type"}, BASE | {"format"}, BASE | {"draft_type"}


@pytest.mark.parametrize("release", [(1, 2, 2), (1, 2, 3), (1, 2, 4), (1, 2, 5)])
@pytest.mark.parametrize("columns", [INITIAL, EXPANDED])
def test_every_release_has_its_sql_before_and_after_expand(release, columns):
    found = schema.statements(release, columns)
    for column in {"format", "draft_type"} - columns:
        assert not re.search(rf"(?<!AS ){column}\b", found.recent + found.insert.replace("%(format)s", ""))


def test_only_the_new_release_works_after_contract():
    assert "format," not in schema.statements((1, 2, 4), CONTRACTED).insert.split("VALUES")[0]
    for release in ((1, 2, 2), (1, 2, 3)):
        with pytest.raises(schema.SchemaMismatch, match="contract"):
            schema.statements(release, CONTRACTED)


def test_an_empty_database_names_the_command_that_is_missing():
    with pytest.raises(schema.SchemaMismatch, match="migrate expand"):
        schema.statements((1, 2, 2), frozenset())
