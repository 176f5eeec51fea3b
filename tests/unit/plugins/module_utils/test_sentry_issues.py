import time

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _sentry_issues as sentry
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._net import ProbeError
from ansible_collections.astraldraft.ops.tests.unit.plugins.module_utils import stubbed

EVENTS = [
    {"message": "rare", "release": "v1.2.3", "times": 2},
    {"message": "frequent", "release": "v1.2.2", "times": 5, "age": 60},
    {"message": "both", "release": "v1.2.3", "environment": "demo", "age": 120},
    {"message": "both", "release": "v1.2.2", "environment": "production", "times": 3, "age": 7200},
    {"message": "old", "release": "v1.2.1", "age": 40 * 86400},
]


@pytest.fixture
def stub():
    with stubbed.serving() as found:
        found.settings("sentry", events=EVENTS)
        yield found


def connection(stub, **more):
    return {"url": stub.url + "/sentry", "bearer_token": "demo-sentry-token", "timeout": 2.0} | more


def asked(stub, window=86400, query="is:unresolved", release=None, sort="freq", more=(), maximum=100):
    parameters = [("query", sentry.query_of(query, release)), ("statsPeriod", f"{window}s"), ("sort", sort), *more]
    found, total, truncated = sentry.issues(connection(stub), "astral-draft", parameters, maximum)
    return [sentry.shown(one, time.time() - window) for one in found], total, truncated


def counts(stub, **options):
    return [(issue["title"], issue["count"]) for issue in asked(stub, **options)[0]]


def test_by_frequency_in_a_window(stub):
    assert counts(stub) == [("frequent", 5), ("both", 4), ("rare", 2)]
    assert counts(stub, window=3600) == [("frequent", 5), ("rare", 2), ("both", 1)]
    assert counts(stub, sort="new")[0] == ("rare", 2)


def test_by_release_and_environment(stub):
    assert counts(stub, release="v1.2.3") == [("rare", 2), ("both", 1)]
    assert counts(stub, more=[("environment", "demo"), ("environment", "production")]) == [("both", 4)]


def test_what_is_new_and_what_it_was_in_all(stub):
    issues = {issue["title"]: issue for issue in asked(stub, window=3600)[0]}
    assert {title: issue["new"] for title, issue in issues.items()} == {"frequent": True, "rare": True, "both": False}
    assert issues["both"]["count_lifetime"] == 4
    assert issues["both"]["first_seen"].endswith("Z")
    assert (issues["rare"]["project"], issues["rare"]["short_id"], issues["rare"]["level"]) == ("web", "WEB-1", "error")


def test_all_pages_are_read_up_to_the_maximum(stub):
    stub.settings("sentry", events=[{"message": f"number {number}"} for number in range(250)])
    issues, total, truncated = asked(stub, maximum=1000)
    assert (len(issues), len({issue["id"] for issue in issues}), total, truncated) == (250, 250, 250, False)
    assert len(stub.calls("sentry")) == 3
    issues, total, truncated = asked(stub, maximum=120)
    assert (len(issues), total, truncated) == (120, 250, True)
    assert [call["query"]["limit"] for call in stub.calls("sentry")[3:]] == ["100", "20"]
    assert asked(stub, maximum=250)[2] is False


def test_a_list_that_never_goes_on_ends(stub, monkeypatch):
    stub.settings("sentry", events=[])
    monkeypatch.setattr(sentry, "next_cursor", lambda _link: "0:1:0")
    assert asked(stub)[0] == []


FIRST = '<https://s/?cursor=0:0:1>; rel="previous"; results="false"; cursor="0:0:1"'


@pytest.mark.parametrize(
    ("link", "cursor"),
    [
        (FIRST + ', <https://s/?cursor=0:100:0>; rel="next"; results="true"; cursor="0:100:0"', "0:100:0"),
        ('<https://s/>; rel="next"; results="false"; cursor="0:100:0"', None),
        ('<https://s/>; rel="previous"; results="true"; cursor="0:0:1"', None),
        ("", None),
        ("nonsense", None),
    ],
)
def test_the_next_page(link, cursor):
    assert sentry.next_cursor(link) == cursor


@pytest.mark.parametrize(
    ("query", "release", "expected"),
    [
        ("is:unresolved", None, "is:unresolved"),
        (" is:unresolved ", "v1.2.3", 'is:unresolved release:"v1.2.3"'),
        ("", 'a "b" \\ *', 'release:"a \\"b\\" \\\\ \\*"'),
        ("", None, ""),
    ],
)
def test_the_search(query, release, expected):
    assert sentry.query_of(query, release) == expected


def test_windows():
    assert sentry.window_seconds("24h") == 86400
    for text in ("soon", "0"):
        with pytest.raises(OpsError, match="window"):
            sentry.window_seconds(text)


def test_a_project_that_is_not_there_does_not_look_like_one_without_issues(stub):
    assert sentry.project_ids(connection(stub), "astral-draft", ["web", "42"]) == ["42", "42"]
    with pytest.raises(ProbeError) as caught:
        sentry.project_ids(connection(stub), "astral-draft", ["wbe"])
    assert caught.value.reason == "not_found"
    assert "projects" in caught.value.next


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ({"status": 200, "body": "{}"}, "not_sentry"),
        ({"status": 200, "body": '[{"title": "x"}]'}, "not_sentry"),
        ({"status": 200, "body": "<!doctype html>"}, "web_page"),
        ({"status": 500, "body": "{}"}, "server_error"),
        ({"status": 429, "body": "{}"}, "later"),
        ({"status": 400, "body": '{"detail": "Error parsing search query"}'}, "unexpected_status"),
    ],
)
def test_what_is_no_list_of_issues_is_a_failure(stub, fault, reason):
    stub.fault("sentry", path="/sentry/api/0/organizations", **fault)
    with pytest.raises(ProbeError) as caught:
        asked(stub)
    assert caught.value.reason == reason


def test_a_wrong_token(stub):
    with pytest.raises(ProbeError) as caught:
        sentry.issues(connection(stub) | {"bearer_token": "wrong"}, "astral-draft", [], 10)
    assert caught.value.reason == "our_credentials"


def test_what_sentry_leaves_out_is_not_made_up():
    shown = sentry.shown({"id": 3, "count": 150, "firstSeen": None, "lastSeen": "2018-11-06T21:19:55"}, 0)
    assert (shown["id"], shown["count"], shown["first_seen"], shown["last_seen"], shown["new"]) == (
        "3", 150, None, "2018-11-06T21:19:55.000Z", False,
    )  # fmt: skip


def test_one_sentence():
    issues = [{"count": 40, "new": True}, {"count": 1, "new": False}]
    assert sentry.summary(issues, 7, "1h", "v1.2.3") == "2 of 7 issues with 41 events in 1h of release v1.2.3, 1 new"
    assert sentry.summary([], None, "24h", None) == "0 issues with 0 events in 24h, 0 new"
    assert sentry.summary(issues[1:], 1, "24h", None) == "1 issue with 1 event in 24h, 0 new"
