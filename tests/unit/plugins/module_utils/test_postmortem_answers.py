from __future__ import annotations

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._postmortem_answers import UNANSWERED, answers_in, sealed, section

PATH = "/incidents/2026-0001/postmortem.md"


def written(**answers):
    return sealed(
        ["# Post-mortem", "", *section("lessons", answers.get("lessons")), "", "| a |", *section("went_well", answers.get("went_well"))]
    )


def test_nobody_has_answered_yet():
    assert answers_in(None, PATH) == {}
    assert answers_in(written(), PATH) == {}


@pytest.mark.parametrize("answer", ["We test it.", "# Ours\n\n- one\n- <b>two</b>\n\n```\n| three |\n```", "ä ☃ \\ {{ }}"])
def test_an_answer_is_found_again_as_it_was_written(answer):
    text = written().replace(UNANSWERED, answer, 1)
    found = answers_in(text, PATH)
    assert found == {"lessons": answer}
    assert answers_in(written(**found), PATH) == found
    assert written(**found) == text


def test_an_editor_may_end_lines_and_the_file_otherwise():
    text = written(lessons="one\ntwo")
    for other in (text.replace("\n", "\r\n"), text.rstrip("\n"), text + "\n\n", text.replace("one\n", "one   \n")):
        assert answers_in(other, PATH) == {"lessons": "one\ntwo"}


def test_an_answer_that_was_taken_away_is_a_question_again():
    assert answers_in(written(lessons="x").replace("x\n", "\n"), PATH) == {}


@pytest.mark.parametrize("changed", [("# Post-mortem", "# Ours"), ("| a |", "| a |\nand a word"), ("# Post-mortem\n", "")])
def test_what_was_changed_elsewhere_is_not_overwritten(changed):
    text = written(lessons="kept").replace(*changed)
    with pytest.raises(OpsError, match=r"changed outside of the answers.*Nothing was written"):
        answers_in(text, PATH)
    assert answers_in(text, PATH, overwrite=True) == {"lessons": "kept"}


def test_a_file_of_another_hand_is_left_alone():
    with pytest.raises(OpsError, match=r"was not written by this"):
        answers_in("# Ours\n", PATH)
    assert answers_in("# Ours\n", PATH, overwrite=True) == {}


@pytest.mark.parametrize(
    "lost",
    [
        ("<!-- end of answer lessons -->\n", ""),
        ("<!-- end of answer lessons -->", "<!-- end of answer went_well -->"),
        ("<!-- answer lessons: what stands from here to the end mark is yours, and is kept -->\n", ""),
        ("<!-- answer went_well:", "<!-- answer lessons:"),
        ("<!-- end of answer went_well -->", ""),
    ],
)
@pytest.mark.parametrize("overwrite", [False, True])
def test_a_lost_mark_loses_no_words(lost, overwrite):
    with pytest.raises(OpsError, match=r"Put the mark back.*Nothing was written"):
        answers_in(written(lessons="kept", went_well="kept, too").replace(*lost), PATH, overwrite)
