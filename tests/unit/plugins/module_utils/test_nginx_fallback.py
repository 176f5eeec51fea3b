"""Answers of nginx's own, as its configuration."""

from __future__ import annotations

import json
import re

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _nginx
from ansible_collections.astraldraft.ops.plugins.module_utils import _nginx_fallback as rules

BODY = {"season": None, "stale": True}
SEASON = rules.Fallback("sports-data", ["/api/season", "/api/scores/"], 200, BODY, 30, ["GET", "HEAD"], rules.HEALTH)


def returned(block):
    """What nginx sends for the first location: the word after the status, unescaped as nginx does."""
    word = re.search(r'return \d+ "((?:[^"\\]|\\.)*)";', block, re.DOTALL).group(1)
    return re.sub(r"\\([\\\"])", r"\1", word)


def test_a_path_is_that_path_and_one_with_a_slash_all_below_it():
    assert re.findall(r"location (.*) {", rules.block(SEASON)) == ["^~ /api/scores/", "= /api/season"]


@pytest.mark.parametrize("body", [None, {}, [1, "zwei"], "it costs $5", 'say "hello" \\ and $uri', "one\ntwo", "Größe 😀"])
def test_every_answer_arrives_as_it_is(body):
    text = returned(rules.block(SEASON._replace(body=body)))
    assert json.loads(text) == body
    assert "$" not in text


def test_who_would_change_something_is_not_told_that_it_was_done():
    assert "if ($request_method !~ ^(GET|HEAD)$)" in rules.block(SEASON)


def test_those_that_are_open_are_read_back_and_others_stay():
    both = {"one": rules.block(SEASON), "two": rules.block(SEASON._replace(name="two", paths=["/two"]))}
    assert rules.parse(rules.render(both)) == both
    assert rules.parse(rules.render({"two": both["two"]}) + "# by hand\n") == {"two": both["two"]}
    assert rules.render({}) is None
    assert rules.parse(None) == {}


def test_what_somebody_opened_by_hand_is_known():
    assert rules.by_hand(rules.block(SEASON._replace(opened_by=rules.HAND)))
    assert not rules.by_hand(rules.block(SEASON))
    assert not rules.by_hand(None)


def test_what_can_be_meant_is_not_complained_about():
    assert rules.wrong(SEASON) == ""


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"name": "a b"}, "name is"),
        ({"name": "x\n}"}, "name is"),
        ({"paths": []}, "paths is empty"),
        ({"paths": ["/"]}, "the whole service"),
        ({"paths": ["api"]}, "no path"),
        ({"paths": ["/a; return 200"]}, "no path"),
        ({"paths": ["/a\n"]}, "no path"),
        ({"status": 204}, "has a body"),
        ({"status": 99}, "has a body"),
        ({"methods": []}, "Write GET"),
        ({"methods": ["get|.*"]}, "Write GET"),
        ({"body": "x" * 4000}, "bytes as JSON"),
    ],
)
def test_what_cannot_be_meant_is_named(change, words):
    assert words in rules.wrong(SEASON._replace(**change))


@pytest.mark.parametrize(
    ("line", "included"),
    [
        ("include /etc/nginx/upstreams/fallback/server*.conf;", True),
        ('  include "upstreams/fallback/*.conf";', True),
        ("include /etc/nginx/upstreams/*.conf;", False),
        ("# include /etc/nginx/upstreams/fallback/server*.conf;", False),
    ],
)
def test_nginx_is_seen_to_include_it(line, included):
    assert _nginx.included(f"http {{\n{line}\n}}", "/etc/nginx/upstreams/fallback/server.conf") is included
