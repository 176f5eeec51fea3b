import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _grafana_annotation as annotation
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._net import ProbeError
from ansible_collections.astraldraft.ops.tests.unit.plugins.module_utils import stubbed

NOW = 1764000000000
BLANK = {"key": "deploy-1", "text": None, "tags": None, "time": None, "time_end": None, "dashboard_uid": None, "panel_id": None}


@pytest.fixture
def stub():
    with stubbed.serving() as found:
        yield found


def connection(stub):
    return {"url": stub.url + "/grafana", "bearer_token": "demo-grafana-token", "timeout": 2.0}


def present(stub, now=NOW, **options):
    """One run; returns ``(annotation as it is then, whether anything was sent)``."""
    wanted = annotation.wanted_of(BLANK | options, now)
    found = annotation.find(connection(stub), wanted)
    after, body = annotation.plan(found[0] if found else None, wanted, now)
    if body is not None:
        after["id"] = annotation.write(connection(stub), after["id"], body)
        assert annotation.find(connection(stub), wanted)[0] == after
    return after, body is not None


def test_it_is_written_once(stub):
    first, sent = present(stub, text="v1.2.3", tags=["deploy", "demo"])
    assert sent
    assert first == {"id": 1, "key": "deploy-1", "text": "v1.2.3", "tags": ["demo", "deploy"], "time": NOW, "time_end": None,
                     "dashboard_uid": None, "panel_id": None}  # fmt: skip
    assert present(stub, NOW + 5000, text="v1.2.3", tags=["demo", "deploy"], time="now") == (first, False)
    assert [call["method"] for call in stub.calls("grafana") if call["method"] != "GET"] == ["POST"]


def test_its_end_is_added_later_and_stays(stub):
    present(stub, text="v1.2.3", tags=["deploy"])
    after, sent = present(stub, NOW + 5000, time_end="now")
    assert sent
    assert (after["time"], after["time_end"], after["text"], after["tags"]) == (NOW, NOW + 5000, "v1.2.3", ["deploy"])
    assert present(stub, NOW + 9000, time_end="now") == (after, False)
    moved, sent = present(stub, time_end="2025-11-24T17:00:00Z")
    assert sent
    assert moved["time_end"] == NOW + 3600000


def test_a_moment_that_is_moved_stays_a_moment(stub):
    present(stub, text="x")
    after, _sent = present(stub, time="2025-11-24T18:00:00+02:00", text="x")
    assert (after["time"], after["time_end"]) == (NOW, None)
    after, _sent = present(stub, time="2025-11-24T15:00:00Z")
    assert (after["time"], after["time_end"]) == (NOW - 3600000, None)


def test_places_do_not_disturb_each_other(stub):
    everywhere, _sent = present(stub, text="everywhere")
    board, sent = present(stub, text="board", dashboard_uid="abc")
    assert sent
    panel, sent = present(stub, text="panel", dashboard_uid="abc", panel_id=4)
    assert sent
    assert len({one["id"] for one in (everywhere, board, panel)}) == 3
    assert not present(stub, text="everywhere")[1]
    assert not present(stub, text="board", dashboard_uid="abc")[1]
    assert not present(stub, text="panel", dashboard_uid="abc", panel_id=4)[1]


def test_only_what_differs_is_sent(stub):
    present(stub, text="x", tags=["a"])
    for change, expected in (({"text": "y"}, {"text": "y"}), ({"tags": []}, {"tags": ["astraldraft:deploy-1"]})):
        present(stub, **change)
        assert stub.calls("grafana", "PATCH")[-1]["json"] == expected


def test_one_that_others_wrote_with_the_same_tags_is_left_alone(stub):
    stub.settings("grafana", annotations=[{"text": "by hand", "tags": ["deploy", "astraldraft:deploy-10"], "time": NOW}])
    assert present(stub, text="mine", tags=["deploy"])[1]
    assert [one["text"] for one in annotation.find(connection(stub), annotation.wanted_of(BLANK, NOW))] == ["mine"]


def test_the_oldest_of_several_is_the_one(stub):
    twice = [{"text": "b", "tags": ["astraldraft:deploy-1"], "time": NOW}, {"text": "a", "tags": ["astraldraft:deploy-1"], "time": NOW - 1}]
    stub.settings("grafana", annotations=twice)
    assert [one["text"] for one in annotation.find(connection(stub), annotation.wanted_of(BLANK, NOW))] == ["a", "b"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"key": ""}, "Give 1 to 88"),
        ({"key": " x"}, "without spaces"),
        ({"key": "k" * 89}, "Give 1 to 88"),
        ({"time": "yesterday"}, "no time"),
        ({"time_end": "24.11.2025"}, "no time"),
        ({"tags": ["astraldraft:x"]}, "in key"),
        ({"tags": ["t" * 60 + str(number) for number in range(9)]}, "more than 500"),
        ({"panel_id": 3}, "give both"),
    ],
)
def test_what_grafana_would_keep_otherwise_is_refused(options, words):
    with pytest.raises(OpsError, match=words):
        annotation.wanted_of(BLANK | options, NOW)


def test_it_cannot_end_before_it_begins():
    wanted = annotation.wanted_of(BLANK | {"text": "x", "time_end": "2025-11-24T15:00:00Z"}, NOW)
    with pytest.raises(OpsError, match=r"would end at 2025-11-24T15:00:00\.000Z, before"):
        annotation.plan(None, wanted, NOW)


def test_a_new_one_needs_a_text():
    with pytest.raises(OpsError, match="text is missing"):
        annotation.plan(None, annotation.wanted_of(BLANK, NOW), NOW)


def test_answers_that_are_no_list_or_no_id(stub):
    stub.fault("grafana", status=200, body="{}", path="/grafana/api/annotations")
    with pytest.raises(ProbeError) as caught:
        annotation.find(connection(stub), annotation.wanted_of(BLANK, NOW))
    assert caught.value.reason == "not_grafana"
    with pytest.raises(ProbeError) as caught:
        annotation.write(connection(stub), None, {"text": "x"})
    assert caught.value.reason == "not_grafana"


def test_a_write_that_broke_off_is_found_by_the_next_run(stub):
    stub.fault("grafana", delay=0.6, path="/grafana/api/annotations", count=1)
    with pytest.raises(ProbeError) as caught:
        annotation.write(connection(stub) | {"timeout": 0.3}, None, {"text": "x", "tags": ["astraldraft:deploy-1"], "time": NOW})
    assert caught.value.reason == "timed_out"
    assert "the next run finds it" in caught.value.next
    assert present(stub, text="x") == (annotation.find(connection(stub), annotation.wanted_of(BLANK, NOW))[0], False)


def test_times_are_shown_in_iso():
    shown = annotation.shown({"time": NOW + 123, "time_end": None})
    assert shown == {"time": "2025-11-24T16:00:00.123Z", "time_end": None}
    assert annotation.shown(None) is None
