import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _matchers as m
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError


@pytest.mark.parametrize(
    ("text", "name", "operator", "value"),
    [
        ("a=b", "a", "=", "b"),
        (" a != b ", "a", "!=", "b"),
        ('a=~"b|c"', "a", "=~", "b|c"),
        ("a!~b.*", "a", "!~", "b.*"),
        ("a=", "a", "=", ""),
        ('a=""', "a", "=", ""),
        ("a==b", "a", "=", "=b"),
        ("a=b,c", "a", "=", "b,c"),
        ("a=b c", "a", "=", "b c"),
        ('a="b, \\"c\\" "', "a", "=", 'b, "c" '),
        (r'a="C:\\new\\x"', "a", "=", r"C:\new\x"),
        (r"a=~\d+\.\d+", "a", "=~", r"\d+\.\d+"),
        (r'a=~"\d+"', "a", "=~", r"\d+"),
        ("a=b\\", "a", "=", "b\\"),
        (r"a=one\ntwo", "a", "=", "one\ntwo"),
        ("a=one\ntwo", "a", "=", "one\ntwo"),
        ("a=Zürich 東京 🙂", "a", "=", "Zürich 東京 🙂"),
        ("a='b'", "a", "=", "'b'"),
        ("a={b}", "a", "=", "{b}"),
        ("ns:a=b", "ns:a", "=", "b"),
        # By the rules for UTF-8, where the classic ones do not fit.
        ('"région.name"="b"', "région.name", "=", "b"),
        ("région=b", "région", "=", "b"),
        ('"a b"=~c', "a b", "=~", "c"),
        (r'"a b"="\t\x41\u00e9\101"', "a b", "=", "\tAéA"),
    ],
)
def test_what_a_text_means_and_that_it_survives(text, name, operator, value):
    found = m.parse(text)
    assert (found.name, found.operator, found.value) == (name, operator, value)
    assert m.parse(str(found)) == found
    assert m.of_api(m.to_api(found)) == found


@pytest.mark.parametrize(
    "text", ["", "a", "=b", "a~b", '{a="b"}', 'a="b', 'a=b"c', '"a', '""="b"', r'"a b"="\q"', r'"a b"="\xff"', "9=\ud800"]
)
def test_what_is_no_matcher_is_refused(text):
    with pytest.raises(OpsError, match=r"is no matcher|is not UTF-8"):
        m.parse(text)


def test_braces_and_open_quotes_have_a_word_of_their_own():
    with pytest.raises(OpsError, match="leave the braces out"):
        m.parse('{a="b",c="d"}')
    with pytest.raises(OpsError, match="is not escaped, or does not end"):
        m.parse('a="b')


def test_each_once_in_order():
    assert [str(matcher) for matcher in m.parse_all(["b=1", "a=2", 'b="1"'])] == ['b="1"', 'a="2"']


@pytest.mark.parametrize(
    ("text", "value", "fulfils"),
    [
        ("a=b", "b", True),
        ("a=b", "", False),
        ("a!=b", "", True),
        ("a=", "", True),
        ("a=~b.*", "b\nc", True),
        ("a=~b", "bb", False),
        ("a=~b|c", "cc", False),
        ("a!~b.*", "bc", False),
        ("a!~b.*", "", True),
        ("a=~(?i)B|c", "b", True),
    ],
)
def test_matches(text, value, fulfils):
    assert m.parse(text).matches(value) is fulfils
    assert m.fulfilled([m.parse(text)], {"a": value} if value else {}) is fulfils


def test_a_pattern_that_is_none():
    with pytest.raises(OpsError, match=r'matcher a=~"\(" is none'):
        m.parse("a=~(").matches("x")
    with pytest.raises(OpsError, match="is none"):
        m.parse("a=~[[:alpha:]]+").matches("x")
    assert m.parse(r"a=~\pL+").says_little


@pytest.mark.parametrize(
    ("texts", "why"),
    [
        ([], "there are none"),
        (["severity=critical"], "a severity alone"),
        (["alertname=~High.*"], "the name of an alert alone"),
        (["alertname=X", "alertname=~X|Y"], "the name of an alert alone"),
        (["alertname=X", "job=~.*"], "the name of an alert alone"),
        (["alertname=X", "job=~.+"], "the name of an alert alone"),
        (["alertname=X", 'job!=""'], "the name of an alert alone"),
        (["alertname=X", "job="], "the name of an alert alone"),
        (["severity=~.*", "job=~.+"], "nearly every alert"),
        (["job!=web", "severity!=info"], "nearly every alert"),
        (["job=~web|"], "nearly every alert"),
        (["job=web"], None),
        (["alertname=X", "severity=critical"], None),
        (["alertname=X", "environment!=production"], None),
        (["instance=~web-[0-9]+"], None),
    ],
)
def test_what_is_too_broad(texts, why):
    found = m.too_broad(m.parse_all(texts))
    assert found is None if why is None else why in found
