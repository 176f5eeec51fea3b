from __future__ import annotations

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils._watch import (
    FAIL,
    INCONCLUSIVE,
    PASS,
    Cadence,
    Watch,
    line,
    round_verdict,
)

LETTERS = {"p": PASS, "f": FAIL, "i": INCONCLUSIVE}


@pytest.mark.parametrize(
    ("answers", "verdict"),
    [("p", PASS), ("pp", PASS), ("pi", INCONCLUSIVE), ("pf", FAIL), ("if", FAIL), ("fi", FAIL), ("iii", INCONCLUSIVE)],
)
def test_a_round_is_as_good_as_its_worst_probe(answers, verdict):
    assert round_verdict({str(number): LETTERS[letter] for number, letter in enumerate(answers)}) == verdict


@pytest.mark.parametrize(
    ("rounds", "verdict", "at"),
    [
        # A round every 5 s; 20 s to watch; two failures are too many; nothing known for 10 s is too long.
        ("ppppp", PASS, 20),
        ("fpppp", PASS, 20),
        ("ff", FAIL, 5),
        ("fppf", FAIL, 15),
        ("pppff", FAIL, 20),
        # Held while nothing is known, and no longer than that at a stretch, whenever it is.
        ("iipip", PASS, 20),
        ("iii", INCONCLUSIVE, 10),
        ("ppiii", INCONCLUSIVE, 20),
        ("iipiip", PASS, 25),
        ("ppppii" + "i", INCONCLUSIVE, 30),
        ("iif" + "iif", FAIL, 25),
        # The last round failed for the first time: it is asked again before that is called a verdict.
        ("ppppfp", PASS, 25),
        ("ppppfii", INCONCLUSIVE, 30),
        # A pass in between does not make failures good again.
        ("fppppf", PASS, 20),
    ],
)
def test_a_watch_ends_with_the_right_verdict_at_the_right_time(rounds, verdict, at):
    assert ended(Watch(seconds=20, failure_limit=2, inconclusive_seconds=10), rounds) == (verdict, at)


@pytest.mark.parametrize(
    ("rounds", "verdict", "at"),
    [
        ("ppppp", PASS, 20),
        ("ppppfppp", PASS, 35),
        ("ppfppp", PASS, 25),
        ("ppppip" + "pp", PASS, 35),
        # Never three in a row: at its very end it is not known to be well.
        ("ppppfppippp", INCONCLUSIVE, 40),
        ("ppppipfpp", INCONCLUSIVE, 40),
        ("ppppppppp"[:3] + "f" + "ppf", FAIL, 30),
    ],
)
def test_so_many_passes_in_a_row_are_needed_at_the_end(rounds, verdict, at):
    assert ended(Watch(seconds=20, failure_limit=2, inconclusive_seconds=20, success_limit=3), rounds) == (verdict, at)


@pytest.mark.parametrize(
    ("rounds", "success_limit", "verdict", "at"),
    [
        ("p", 1, PASS, 0),
        ("fffp", 1, PASS, 15),
        ("fpfpp", 2, PASS, 20),
        ("fffff", 1, FAIL, 20),
        ("ffffi", 1, INCONCLUSIVE, 20),
        ("ffffp", 2, INCONCLUSIVE, 20),
    ],
)
def test_it_waits_until_all_is_well_and_no_longer(rounds, success_limit, verdict, at):
    assert ended(Watch(seconds=20, failure_limit=1, success_limit=success_limit, mode="until"), rounds) == (verdict, at)


def ended(watch, rounds):
    """``(verdict, seconds)`` of a watch with a round every 5 s; None when it goes on."""
    for number, letter in enumerate(rounds):
        final = watch.add({"probe": LETTERS[letter]}, elapsed=number * 5)
        if final:
            assert watch.rounds == number + 1
            return final, number * 5
    return None


def test_a_certain_failure_needs_no_second_look():
    assert Watch(20, 5, 10).add({"probe": FAIL}, 0, certain=True) == FAIL
    assert Watch(20, 5, 10).add({"probe": PASS}, 0, certain=True) is None
    assert Watch(20, 5, mode="until").add({"probe": FAIL}, 0, certain=True) is None


def test_without_time_one_round_decides():
    assert Watch(0, 2, 0).add({"probe": PASS}, 0) == PASS
    assert Watch(0, 1, 0).add({"probe": FAIL}, 0) == FAIL
    assert Watch(0, 2, 0).add({"probe": FAIL}, 0) == FAIL
    assert Watch(0, 2, 0).add({"probe": INCONCLUSIVE}, 0) == INCONCLUSIVE


def test_it_never_lasts_longer_than_both_times_together():
    for letters, limit in (("i", 10), ("f", 30), ("if", 30), ("ip", 30)):
        watch, elapsed = Watch(20, 100, 10, success_limit=2), 0
        while watch.add({"probe": LETTERS[letters[elapsed % len(letters)]]}, elapsed) is None:
            elapsed += 1
        assert elapsed == limit


def test_how_it_stands_is_told_with_the_time_its_limit_and_what_would_end_it():
    watch = Watch(20, 3, 10, success_limit=2)
    watch.add({"a": FAIL}, 0)
    assert watch.state(0.4) == "0/20 s, 1/3 failures"
    watch.add({"a": INCONCLUSIVE}, 5)
    assert watch.state(9) == "9/20 s, held: nothing known for 4/10 s"
    watch.add({"a": PASS}, 21)
    assert watch.state(21) == "21/20 s, 1/3 failures, 1/2 passes in a row"
    waiting = Watch(60, mode="until")
    waiting.add({"a": INCONCLUSIVE}, 5)
    assert waiting.state(7) == "7/60 s"


def test_a_line_is_one_line_and_fits_where_it_must():
    watch = Watch(20)
    watch.add({"a": PASS}, 0)
    assert line("Soaking v1", watch, 3, ["health: 2 of 2\nhealthy", ""]) == "Soaking v1: 3/20 s, 0/2 failures; health: 2 of 2 healthy"
    assert line("Soaking v1", watch, 3, ["x"], width=20) == "Soaking v1: 3/20 ..."


@pytest.mark.parametrize(
    ("terminal", "verdicts", "said"),
    [
        # One a second; a line an interval of 4 s elsewhere, every second on a terminal, nothing in the first five.
        (False, "ppppppppppppp", [4, 8, 12]),
        (False, "ppfffpppppppp", [2, 5, 9]),
        (True, "ppppppppp", [5, 6, 7, 8]),
        (True, "ppfffffff", [2, 5, 6, 7, 8]),
    ],
)
def test_when_something_is_said(terminal, verdicts, said):
    cadence = Cadence(4, terminal)
    assert [second for second, letter in enumerate(verdicts) if cadence.due(second, LETTERS[letter])] == said
