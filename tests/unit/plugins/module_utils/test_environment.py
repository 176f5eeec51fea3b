"""What differs between two environments, and what cannot be meant."""

from __future__ import annotations

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _environment
from ansible_collections.astraldraft.ops.plugins.module_utils._redact import MASK


def told(before, after, hidden=()):
    return [_environment.sentence(difference) for difference in _environment.compare(before, after, hidden)]


def test_what_is_the_same_is_no_difference():
    assert _environment.compare({"A": "1"}, {"A": "1"}) == []


def test_each_kind_of_difference_by_name():
    assert told({"B": "1", "C": "x"}, {"A": "2", "B": "3"}) == ["A is new: 2", "B changes from 1 to 3", "C is gone; it was x"]
    assert [one["change"] for one in _environment.compare({"B": "1", "C": "x"}, {"A": "2", "B": "3"})] == ["added", "changed", "removed"]


@pytest.mark.parametrize("name", ["DB_PASSWORD", "API_KEY", "SESSION_SECRET", "AUTH_TOKEN"])
def test_a_secret_is_known_by_its_name_and_its_change_is_said_all_the_same(name):
    found = _environment.compare({name: "old-s3cret"}, {name: "new-s3cret"})
    assert (found[0]["before"], found[0]["after"]) == (MASK, MASK)
    assert "another value" in _environment.sentence(found[0])
    assert "s3cret" not in str(found) + _environment.sentence(found[0])


def test_the_password_of_an_address_is_hidden_and_the_rest_is_shown():
    before, after = ({"DATABASE_URL": f"postgresql://astral:hunter22@{host}:5432/db"} for host in ("one", "two"))
    sentence = told(before, after)[0]
    assert "hunter22" not in sentence
    assert "@one:5432/db" in sentence
    assert "@two:5432/db" in sentence


def test_a_password_that_alone_changes_is_said_to():
    before, after = ({"DATABASE_URL": f"postgresql://astral:{word}@one/db"} for word in ("hunter22", "hunter33"))
    hidden = "DATABASE_URL has another value, in the part that is hidden or left out here"
    assert told(before, after) == [f"{hidden}: postgresql://astral:{MASK}@one/db"]


def test_a_secret_within_another_value_is_hidden_too():
    before = {"TOKEN": "abcd1234", "ARGS": "--with abcd1234"}
    assert "abcd1234" not in str(_environment.compare(before, {}))


def test_what_is_listed_is_hidden():
    assert "rosebud" not in str(_environment.compare({}, {"WORD": "rosebud"}, ["WORD"]))


def test_a_long_value_is_cut():
    assert len(told({}, {"A": "x" * 5000})[0]) < 200


def test_what_is_required_must_be_there_and_have_a_value():
    assert _environment.problems({"A": " ", "B": "x"}, ["A", "B", "C"]) == ["A is empty; it is required.", "C is missing; it is required."]


@pytest.mark.parametrize(
    "value", ["CHANGEME", "change-me", "TODO", "xxx", "<your key>", "[Brief description]", "your-key-here", "{{ vault_key }}"]
)
def test_a_placeholder_is_found(value):
    assert _environment.problems({"A": value}) == ["A is a placeholder that nobody filled in."]


@pytest.mark.parametrize("value", ["", "info", "x", "xx", "[1, 2]", "a<b>", "you", '["a"]', "todos"])
def test_an_ordinary_value_is_none(value):
    assert _environment.problems({"A": value}) == []


def test_a_value_has_the_form_that_its_pattern_says_and_is_not_repeated():
    patterns = {"DATABASE_URL": "postgresql://.+"}
    assert _environment.problems({"DATABASE_URL": "postgresql://x"}, patterns=patterns) == []
    assert _environment.problems({"DATABASE_URL": "s3cret"}, patterns=patterns) == ["DATABASE_URL is not of the form postgresql://.+."]
    assert _environment.problems({}, patterns=patterns) == []


def test_a_pattern_that_is_none_is_named():
    with pytest.raises(ValueError, match="pattern of A"):
        _environment.problems({"A": "x"}, patterns={"A": "("})
