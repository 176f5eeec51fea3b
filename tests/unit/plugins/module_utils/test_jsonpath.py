import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _jsonpath as jp

DOCUMENT = {"status": "ok", "checks": {"database": "ok", "a.b": True}, "items": [{"n": 1}, {"n": 2.5}], "none": None}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("status", "ok"),
        ("checks.database", "ok"),
        ('checks["a.b"]', True),
        ("checks['a.b']", True),
        ("items[1].n", 2.5),
        ("items[-1].n", 2.5),
        ("items.0.n", 1),
        ("none", None),
        ("", DOCUMENT),
        ("items[2]", jp.MISSING),
        ("status.more", jp.MISSING),
        ("checks[0]", jp.MISSING),
    ],
)
def test_find(path, value):
    assert jp.find(DOCUMENT, path) == value


def test_a_path_that_is_none_is_refused():
    with pytest.raises(ValueError, match="is not a path"):
        jp.parse("a]b")


@pytest.mark.parametrize(
    ("assertion", "sentence"),
    [
        ({"path": "status", "equals": "ok"}, None),
        ({"path": "status", "equals": "down"}, 'status is "ok", not "down"'),
        ({"path": "items[0].n", "equals": "1"}, None),
        ({"path": 'checks["a.b"]', "equals": "True"}, None),
        ({"path": 'checks["a.b"]', "equals": False}, "not false"),
        ({"path": "status", "one_of": ["fine", "ok"]}, None),
        ({"path": "status", "one_of": ["fine"]}, "none of"),
        ({"path": "status", "matches": "^o"}, None),
        ({"path": "status", "matches": "^x"}, "does not match"),
        ({"path": "gone", "exists": False}, None),
        ({"path": "status", "exists": False}, "is there"),
        ({"path": "gone"}, "gone is missing"),
        ({"path": "none"}, None),
    ],
)
def test_violation(assertion, sentence):
    found = jp.violation(DOCUMENT, assertion)
    assert found is None if sentence is None else sentence in found
