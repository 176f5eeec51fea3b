from __future__ import annotations

import json
import time

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils._redact import MASK, is_secret, redact, redact_text, shorten

HIDDEN = "s3same-0pen"


@pytest.mark.parametrize(
    "name",
    [
        "password", "DB_PASSWORD", "login_password", "dbPassword", "passwd", "PGPASSWORD", "passphrase", "secret",
        "clientSecret", "secret_key_base", "token", "access_token", "authToken", "api_key", "apiKey", "apikey", "APIKEY",
        "ssh_keys", "Ocp-Apim-Subscription-Key", "dsn", "SENTRY_DSN", "credentials", "Authorization", "auth", "Cookie",
        "private_key", "vault_anything", "aws_secret_access_key", "tokens", "salt", "pwd",
    ],
)  # fmt: skip
def test_secrets_are_known_by_their_names(name):
    assert is_secret(name, HIDDEN)
    assert redact({name: HIDDEN, "deep": [{name: {"any": HIDDEN}}]}) == {name: MASK, "deep": [{name: MASK}]}


@pytest.mark.parametrize(
    "name",
    [
        "release_version",
        "release_keep_warm_seconds",
        "author",
        "operator",
        "keyspace",
        "cache_pattern",
        "monitoring",
        "passed",
        "tokenizer",
    ],
)
def test_other_names_are_left_alone(name):
    assert not is_secret(name, "x")


def test_a_number_is_a_secret_only_under_a_name_that_is_one():
    counts = {"keys": 1200, "token": 17, "pass": 3, "password": 1234, "has_password": True, "secret": None}
    assert redact(counts) == {"keys": 1200, "token": 17, "pass": 3, "password": MASK, "has_password": True, "secret": None}


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("postgres://ada:{0}@db:5432/app", "postgres://ada:********@db:5432/app"),
        ("redis://:{0}@cache:6379", "redis://:********@cache:6379"),
        ("amqp://ada:p@ss{0}@mq", "amqp://ada:********@mq"),
        ("https://{0}@sentry.example/1", "https://********@sentry.example/1"),
        ("https://ada:{0}@git.example/x.git", "https://ada:********@git.example/x.git"),
        ("one postgres://a:{0}@h1/d,postgres://b:{0}@h2/d two", "one postgres://a:********@h1/d,postgres://b:********@h2/d two"),
        ("https://api.example/v1?key={0}&page=2", "https://api.example/v1?key=********&page=2"),
        ("host=db password={0} dbname=app", "host=db password=******** dbname=app"),
        ("host=db password='{0} x' dbname=app", "host=db password=******** dbname=app"),
        ("run --password={0} --verbose", "run --password=******** --verbose"),
        ("X-Api-Key: {0}", "X-Api-Key: ********"),
        ('{{"password": "{0}", "name": "ada"}}', '{"password": ********, "name": "ada"}'),
        ("Authorization: Bearer {0}", "Authorization: ********"),
        ("got Bearer {0}0123456789 back", "got Bearer ******** back"),
        ("-----BEGIN RSA PRIVATE KEY-----\n{0}\n-----END RSA PRIVATE KEY-----\nrest", "********\nrest"),
        ("cut: -----BEGIN PRIVATE KEY-----\n{0}", "cut: ********"),
    ],
)
def test_secrets_are_known_by_their_form(text, left):
    assert redact_text(text.format(HIDDEN)) == left


@pytest.mark.parametrize(
    "text",
    [
        "errors after v1.2.3, see https://status.example/incidents/4?page=2",
        "http://prometheus:9090/api/v1/query",
        "ssh://git@host/repo",
        "session:* and cache:drafts",
        "a=1 b=2",
        "5 % of the requests failed (p95: 0.4 s)",
        "",
    ],
)
def test_ordinary_text_is_left_alone(text):
    assert redact_text(text) == text


def test_listed_secrets_are_hidden_wherever_they_stand():
    found = redact({"reason": "it is " + HIDDEN, "deep": [{HIDDEN: "x" + HIDDEN + "y", "number": 12345}]}, [HIDDEN, "12345", "ab"])
    assert found == {"reason": "it is ********", "deep": [{MASK: "x********y", "number": MASK}]}
    assert redact("abba", ["ab"]) == "abba", "too short to be told from ordinary text"
    assert redact("s3same-0pen-2", [HIDDEN, HIDDEN + "-2"]) == MASK, "the longer one first"


def test_a_flag_or_a_name_beside_it_gives_a_secret_away():
    assert redact(["psql", "--password", HIDDEN, "--host", "db"]) == ["psql", "--password", MASK, "--host", "db"]
    assert redact([{"name": "DB_PASSWORD", "value": HIDDEN}, {"name": "LEVEL", "value": "info"}]) == [
        {"name": "DB_PASSWORD", "value": MASK},
        {"name": "LEVEL", "value": "info"},
    ]


def test_redacting_twice_changes_nothing_more():
    once = redact({"url": "postgres://a:b@h", "text": "password=x", "password": "y"})
    assert redact(once) == once


@pytest.mark.parametrize(
    "piece", ["x", "x-", "http://", "http://a:", "password", "password ", "a=", "' ", "@", "bearer ", "-----BEGIN PRIVATE KEY-----"]
)
def test_a_long_text_takes_no_time(piece):
    started = time.process_time()
    redact_text(piece * (300_000 // len(piece)))
    assert time.process_time() - started < 5


def test_bottomless_data_ends():
    endless: dict = {}
    endless["again"] = endless
    assert MASK in json.dumps(redact(endless))


def test_what_is_too_long_is_cut_and_counted():
    found, cut = shorten({"text": "x" * 30, "list": list(range(7)), "short": "y"}, 10, 5)
    assert cut
    assert found == {"text": "x" * 10 + "... (20 more characters)", "list": [0, 1, 2, 3, 4, "... 2 more left out"], "short": "y"}
    found, cut = shorten({str(number): number for number in range(7)}, 10, 5)
    assert cut
    assert found["..."] == "2 more left out"
    assert len(found) == 6


def test_what_json_cannot_hold_is_made_to_fit():
    found, cut = shorten({"surrogate": "a\ud800b", "nan": float("nan"), "infinite": float("inf"), 5: (1, 2), "other": object}, 100, 9)
    assert not cut
    json.dumps(found, ensure_ascii=False, allow_nan=False).encode("utf-8")
    assert found["surrogate"] == "a?b"
    assert found["5"] == [1, 2]
