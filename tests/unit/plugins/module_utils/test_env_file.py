from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.astraldraft.ops.plugins.filter.to_env_file import FilterModule
from ansible_collections.astraldraft.ops.plugins.module_utils import _env_file

to_env_file = FilterModule().filters()["to_env_file"]


def read_back(text):
    """What an env file's double-quoted values stand for, read character by character."""
    variables = {}
    for line in text.splitlines():
        name, _equals, quoted = line.partition("=")
        assert quoted[0] == quoted[-1] == '"'
        value, characters = "", iter(quoted[1:-1])
        for character in characters:
            # A quote or dollar that is not escaped would end the value or begin another variable.
            assert character not in '"$'
            value += {"n": "\n"}.get(following := next(characters), following) if character == "\\" else character
        variables[name] = value
    return variables


@pytest.mark.parametrize(
    "value",
    [
        "plain",
        "",
        " spaces around ",
        'double "quoted"',
        "single 'quoted'",
        "$HOME ${HOME} $$ $(id) `id`",
        'back\\slash \\n \\\\ \\$ \\"',
        "ends with \\",
        "two\nlines\n",
        "# no comment # either",
        "a=b=c",
        "Größe 😀",
        "postgresql://astral:p%40ss$word@host:5432/db?sslmode=require",
        '{"json": ["a", {"b": "c\\nd"}]}',
    ],
)
def test_every_value_arrives_as_it_is(value):
    text = _env_file.render({"NAME": value})
    assert text.count("\n") == 1
    assert read_back(text) == {"NAME": value}


def test_scalars_are_written_as_programs_expect_them():
    assert _env_file.render({"C": 3, "A": True, "B": False, "D": 0.5}) == 'A="true"\nB="false"\nC="3"\nD="0.5"\n'
    assert _env_file.render({}) == ""


def test_the_text_does_not_depend_on_the_order_given():
    assert _env_file.render({"B": 1, "A": 2}) == _env_file.render({"A": 2, "B": 1})


@pytest.mark.parametrize("name", ["", "1A", "A-B", "A B", "A.B", "A=B", "A\nB", "A\n", "Ä", "A$"])
def test_a_name_that_no_shell_takes_is_refused(name):
    with pytest.raises(ValueError, match="no name for an environment variable"):
        _env_file.render({name: "x"})
    with pytest.raises(AnsibleFilterError, match="no name for an environment variable"):
        to_env_file({name: "x"})


@pytest.mark.parametrize("value", [None, [1], {"a": 1}])
def test_a_value_that_is_no_text_is_refused_and_its_name_said(value):
    with pytest.raises(ValueError, match="DATABASE_URL"):
        _env_file.render({"DATABASE_URL": value})


@pytest.mark.parametrize("variables", ["A=1", ["A=1"], None, 3])
def test_the_filter_wants_a_dictionary(variables):
    with pytest.raises(AnsibleFilterError, match="wants a dictionary"):
        to_env_file(variables)


def test_no_refusal_repeats_a_value():
    with pytest.raises(AnsibleFilterError) as caught:
        to_env_file({"BAD NAME": "s3cret"})
    assert "s3cret" not in str(caught.value)


SAMPLE = {"A": "1", "QUOTED": 'it "costs" $5', "TWO": "one\ntwo", "BACK": "\\n \\", "EMPTY": "", "HASH": "# sha256 x"}


def test_what_was_rendered_is_read_as_it_was():
    assert _env_file.parse(_env_file.render(SAMPLE)) == SAMPLE
    assert _env_file.parse(to_env_file(SAMPLE, sealed=True)) == SAMPLE


def test_what_somebody_wrote_by_hand_is_read_as_compose_does():
    text = "# a comment\nexport A=plain # another\n B = 'single $x' \nC=a#b\nno variable\nD=\n"
    assert _env_file.parse(text) == {"A": "plain", "B": "single $x", "C": "a#b", "D": ""}


@pytest.mark.parametrize("variables", [SAMPLE, {}])
def test_a_seal_tells_whether_somebody_has_edited(variables):
    text = to_env_file(variables, sealed=True)
    assert _env_file.edited(text) is False
    assert _env_file.edited(text + 'NEW="1"\n') is True
    assert _env_file.edited('NEW="1"\n' + text) is True
    assert _env_file.edited(text.rstrip("\n")) is True


@pytest.mark.parametrize("text", ["", 'A="1"\n', 'HASH="# sha256 x"\n'])
def test_without_a_seal_nobody_can_tell(text):
    assert _env_file.edited(text) is None
