from __future__ import annotations

import datetime
import multiprocessing
import os
import random
import tracemalloc

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _journal, _journal_review
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.tests.unit.plugins.module_utils import journals
from ansible_collections.astraldraft.ops.tests.unit.plugins.module_utils.journals import KEY, anchors, chain, forge, found, review

NOW = datetime.datetime(2026, 11, 24, 12, tzinfo=datetime.UTC)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "journal.jsonl"


@pytest.fixture(scope="module")
def ten():
    return chain(10)


def edited(line, old=b'"operator":"ada"', new=b'"operator":"eve"'):
    assert old in line
    return line.replace(old, new)


def test_ten_thousand_entries_are_verified_one_by_one(path):
    lines = chain(10_000)
    reading = review(path, lines, limit=3)
    assert (reading.verified, reading.count, reading.matched, reading.finding_count) == (True, 10_000, 10_000, 0)
    assert [entry["sequence"] for entry in reading.entries] == [9998, 9999, 10_000]
    assert [entry["line"] for entry in reading.entries] == [9998, 9999, 10_000]
    for place in (0, 4999, 9999):
        changed = list(lines)
        changed[place] = edited(changed[place])
        assert found(review(path, changed)) == [(place + 1, "edited")]
        if place < 9999:
            assert found(review(path, lines[:place] + lines[place + 1 :])) == [(place + 1, "removed")]


def test_a_journal_takes_no_memory_in_proportion_to_its_length(path):
    lines = chain(200)
    review(path, lines, limit=5)

    def peak():
        tracemalloc.start()
        review(path, limit=5)
        try:
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    small = peak()
    path.write_bytes(b"".join(chain(4000)))
    assert peak() < small + 100_000


# -- found by the chain itself ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", range(10))
@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"operator":"ada"', b'"operator":"eve"'),
        (b'"verdict":"pass"', b'"verdict":"fail"'),
        (b'"changed":true', b'"changed":false'),
        (b'"operation":"deploy",', b'"operation":"deploy", '),
        (b'"stack":"test"', b'"stack":"test","stack":"test"'),
        (b'"summary":"v', b'"summary":"\\u0076'),
        (b'"sequence":', b'"sequence":3'),
        (b'"previous":', b'"previous":"x","was":'),
        (b',"hash":"', b',"hash":"0'),
    ],
)
def test_an_edited_line_is_found_and_named(path, ten, place, old, new):
    line = edited(ten[place], old, new)
    if old == b',"hash":"':
        line = line[:-4] + line[-3:]  # still 64 digits
    reading = review(path, ten[:place] + [line] + ten[place + 1 :])
    assert not reading.verified
    assert (place + 1, "edited") in found(reading)
    assert {finding["line"] for finding in reading.findings} == {place + 1}


@pytest.mark.parametrize("place", range(9))
@pytest.mark.parametrize("count", [1, 2, 3])
def test_removed_lines_are_found_where_they_were(path, ten, place, count):
    if place + count >= 10:
        return
    reading = review(path, ten[:place] + ten[place + count :])
    assert found(reading) == [(place + 1, "removed")]
    assert reading.findings[0]["sequence"] == place + 1
    assert _journal_review.span(place + 1, place + count) in reading.findings[0]["message"]


@pytest.mark.parametrize("here", range(10))
@pytest.mark.parametrize("there", range(10))
def test_a_moved_line_is_found_and_its_place_is_named(path, ten, here, there):
    """Whatever line is moved to wherever: as few findings as it takes, at the line that is out of place or next to it."""
    moved = [line for line in ten if line != ten[here]]
    moved.insert(there, ten[here])
    reading = review(path, moved)
    assert reading.verified is (here == there)
    if here != there:
        assert [finding["kind"] for finding in reading.findings] == ["reordered"]
        assert abs(reading.findings[0]["line"] - 1 - there) <= 1
        assert reading.findings[0]["sequence"] in {here + 1, here, here + 2}


def test_any_other_order_is_found(path, ten):
    shuffled = random.Random(7)
    for _round in range(200):
        lines = list(ten)
        shuffled.shuffle(lines)
        reading = review(path, lines)
        assert reading.verified is (lines == ten)
        assert {finding["kind"] for finding in reading.findings} <= {"reordered", "removed", "replaced"}


def test_a_line_that_stands_there_twice_is_found(path, ten):
    assert found(review(path, ten[:5] + [ten[4]] + ten[5:])) == [(6, "inserted")]
    assert found(review(path, ten + [ten[2]])) == [(11, "inserted")]


def test_an_entry_that_somebody_made_up_is_found(path, ten):
    made_up = chain(1, head=journals.entry(ten[4]), operator="eve")
    reading = review(path, ten[:5] + made_up + ten[5:])
    assert not reading.verified
    assert (7, "inserted") in found(reading)
    assert (6, "replaced") in found(reading)


@pytest.mark.parametrize("count", [1, 3])
def test_lines_that_were_replaced_and_hashed_anew_do_not_fit_the_next_one(path, ten, count):
    forged = forge(ten, 3, operator="eve")
    reading = review(path, forged[: 3 + count] + ten[3 + count :])
    assert found(reading) == [(3 + count, "replaced")]
    assert "hashed anew" in reading.findings[0]["message"]


@pytest.mark.parametrize("garbage", [b"x\n", b"{}\n", bytes(100) + b"\n", b"\n", b"\xff\xfe\n", b"y" * 200_000 + b"\n"])
def test_garbage_is_found_whether_it_stands_in_place_of_an_entry_or_between_two(path, ten, garbage):
    reading = review(path, ten[:4] + [garbage] + ten[5:])
    assert found(reading) == [(5, "unreadable")]
    assert reading.findings[0]["sequence"] == 5
    assert [damage["line"] for damage in reading.damaged] == [5]
    reading = review(path, ten[:4] + [garbage] + ten[4:])
    assert found(reading) == [(5, "unreadable")]
    assert reading.findings[0]["sequence"] is None


def test_a_torn_last_line_is_found(path, ten):
    for kept in (1, 100, len(ten[9]) - 2):
        reading = review(path, ten[:9] + [ten[9][:kept]])
        assert found(reading) == [(10, "torn")]
        assert reading.head["sequence"] == 9


def test_damage_that_was_noted_may_neither_change_nor_go(path, ten):
    head, line = _journal.seal(_journal.compose(journals.facts()), journals.entry(ten[3]), journals.TIME, None, _journal.damage_of(b"torn"))
    rest = chain(2, head=head)
    reading = review(path, [*ten[:4], b"torn\n", line, *rest])
    assert (reading.verified, reading.findings) == (True, [])
    assert [(damage["line"], damage["noted_by"]) for damage in reading.damaged] == [(5, 5)]
    assert found(review(path, [*ten[:4], b"thorn\n", line, *rest])) == [(5, "unreadable")]
    assert found(review(path, [*ten[:4], line, *rest])) == [(5, "removed")]
    assert found(review(path, [*ten[:4], b"torn\n", b"more\n", line, *rest])) == [(5, "unreadable"), (6, "unreadable")]


def test_several_things_at_once_are_all_found(path):
    lines = chain(30)
    lines[3] = edited(lines[3])
    lines[10] = b"garbage\n"
    lines[27], lines[26] = lines[26], lines[27]
    del lines[20:22]
    assert found(review(path, lines)) == [(4, "edited"), (11, "unreadable"), (21, "removed"), (25, "reordered")]


def test_findings_are_bounded_and_counted(path):
    reading = review(path, [edited(line) for line in chain(300)])
    assert len(reading.findings) == 100
    assert reading.finding_count == 300
    reading = review(path, [b"x\n"] * 300)
    assert reading.verified is False
    assert len(reading.damaged) == 100


# -- found by an anchor -----------------------------------------------------------------------------------------------------------


def test_without_an_anchor_a_cut_end_and_a_chain_made_anew_stay_unseen(path, ten):
    assert review(path, ten[:7]).verified
    assert review(path, forge(ten, 4, operator="eve")).verified


def test_an_anchor_finds_a_cut_end(path, ten):
    assert review(path, ten, kept=anchors(ten)).verified
    reading = review(path, ten[:7], kept=anchors(ten, 9))
    assert found(reading) == [(8, "truncated")]
    assert "entries 8 to 10 were cut off" in reading.findings[0]["message"]
    assert found(review(path, ten[:9], kept=anchors(ten)))[0] == (10, "truncated")
    assert review(path, ten[:7], kept=anchors(ten, 6)).verified, "what came after the last anchor cannot be known"


def test_an_anchor_finds_a_chain_that_was_made_anew(path, ten):
    forged = forge(ten, 4, operator="eve")
    assert found(review(path, forged, kept=anchors(ten))) == [(5, "recomputed")]
    assert found(review(path, forged, kept=anchors(ten, 2, 7))) == [(8, "recomputed")]
    assert "from one of the entries 4 to 8 on" in review(path, forged, kept=anchors(ten, 2, 7)).findings[0]["message"]
    assert review(path, forged, kept=anchors(ten, 3)).verified, "only an anchor from there on can tell"


def test_anchors_that_disagree_are_told(path, ten):
    forged = forge(ten, 4, operator="eve")
    reading = review(path, ten, kept=anchors(ten) + anchors(forged, 6))
    assert found(reading) == [(7, "anchors_disagree")]


def test_an_anchor_may_be_written_in_capitals(path, ten):
    kept = anchors(ten, 9)
    assert review(path, ten, kept=[dict(kept[0], hash=kept[0]["hash"].upper())]).verified


def test_a_journal_that_is_gone_is_told_from_one_that_never_was(path, ten):
    reading = review(path)
    assert (reading.verified, reading.head, found(reading)) == (None, None, [(None, "missing")])
    assert found(review(path, []))[0] == (None, "missing")
    reading = review(path, [], kept=anchors(ten))
    assert reading.verified is False
    assert (1, "truncated") in found(reading)


# -- found by the key -------------------------------------------------------------------------------------------------------------


def test_with_the_key_a_chain_made_anew_without_it_is_found(path):
    lines = chain(10, key=KEY)
    assert review(path, lines, key=KEY).verified
    assert found(review(path, forge(lines, 4, operator="eve"), key=KEY)) == [(5, "unkeyed")]
    assert found(review(path, forge(lines, 0, operator="eve"), key=KEY)) == [(1, "unkeyed")]
    assert found(review(path, forge(lines, 4, key="another key of some length", operator="eve"), key=KEY)) == [
        (line, "edited") for line in range(5, 11)
    ]


def test_another_key_is_one_finding_and_not_ten_thousand(path):
    reading = review(path, chain(300, key=KEY), key="another key of some length")
    assert found(reading) == [(1, "recomputed")]
    assert "None of 300 entries fits the key" in reading.findings[0]["message"]


def test_without_the_key_nobody_can_tell(path):
    lines = chain(10, key=KEY)
    reading = review(path, lines)
    assert reading.verified is None
    assert [finding["kind"] for finding in reading.findings] == ["key_needed"]
    assert review(path, lines[:4] + lines[5:]).verified is False, "that one is missing shows all the same"


def test_entries_from_before_there_was_a_key_need_an_anchor(path):
    before = chain(5)
    lines = before + chain(5, key=KEY, head=journals.entry(before[-1]))
    assert found(review(path, lines, key=KEY)) == [(1, "unkeyed")]
    assert review(path, lines, key=KEY, kept=anchors(lines, 4)).verified
    assert found(review(path, lines, key=KEY, kept=anchors(lines, 3))) == [(5, "unkeyed")]


# -- reading ----------------------------------------------------------------------------------------------------------------------


def test_what_is_asked_for_is_returned_newest_last(path):
    lines, head = [], None
    for number in range(40):
        content = _journal.compose(
            journals.facts(
                operation=("deploy", "scale")[number % 2], operator=("ada", "bob")[number % 4 == 0], verdict=("pass", "fail")[number == 7]
            )
        )
        head, line = _journal.seal(content, head, "2026-11-{0:02}T12:00:00.000Z".format(number % 28 + 1) if number < 28 else journals.TIME)
        lines.append(line)

    def ask(limit=100, **asked):
        reading = review(path, lines, limit=limit, wanted=lambda entry: _journal_review.matches(entry, **asked))
        assert reading.verified
        return [entry["sequence"] for entry in reading.entries], reading.matched

    assert ask() == (list(range(1, 41)), 40)
    assert ask(limit=2) == ([39, 40], 40)
    assert ask(limit=0) == ([], 40)
    assert ask(operation="scale")[0] == list(range(2, 41, 2))
    assert ask(operation="scale", operator="bob") == ([], 0)
    assert ask(operator="bob")[0] == list(range(1, 41, 4))
    assert ask(verdict="fail")[0] == [8]
    assert ask(since="2026-11-27")[0] == [27, 28]


def test_every_field_is_returned_whatever_the_line_lacks(path):
    digest = _journal.digest(b'{"sequence":1}', None)
    reading = review(path, ['{{"sequence":1,"hash":"{0}"}}\n'.format(digest).encode()])
    assert reading.verified
    assert set(reading.entries[0]) == set(_journal.FACTS) | set(_journal.LINK) | {"line"}


def test_what_is_not_asked_for_is_not_judged(path, ten):
    path.write_bytes(edited(ten[0]))
    reading = _journal_review.read(str(path), journals.anything, 10)
    assert (reading.verified, reading.findings, reading.finding_count, reading.count) == (None, [], 0, 1)


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("", ""),
        ("24h", "2026-11-23T12:00:00.000Z"),
        ("7d", "2026-11-17T12:00:00.000Z"),
        ("2026-11-23", "2026-11-23T00:00:00.000Z"),
        ("2026-11-23T18:47:05Z", "2026-11-23T18:47:05.000Z"),
        ("2026-11-23T18:47:05+01:00", "2026-11-23T17:47:05.000Z"),
    ],
)
def test_since_is_a_time_or_a_while_ago(text, time):
    assert _journal_review.since_when(text, NOW) == time


def test_what_is_no_time_is_refused():
    with pytest.raises(OpsError, match="is no time"):
        _journal_review.since_when("soon", NOW)


def append_for_ever(path):
    while True:
        _journal.Journal(path).append([_journal.compose(journals.facts(summary="x" * 1500))], journals.TIME)


def test_no_reader_ever_sees_a_half_written_entry(path):
    writers = [multiprocessing.get_context("fork").Process(target=append_for_ever, args=(str(path),)) for _number in range(2)]
    for writer in writers:
        writer.start()
    try:
        counts = []
        while not counts or counts[-1] < 100:
            if os.path.exists(path):
                reading = review(path)
                assert reading.verified is not False, reading.findings
                counts.append(reading.count)
    finally:
        for writer in writers:
            writer.kill()
            writer.join()
    assert counts == sorted(counts)
