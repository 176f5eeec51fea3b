from __future__ import annotations

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils._watch import FAIL, INCONCLUSIVE, PASS, Watch, round_verdict

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
        # A round every 5 s; 20 s to watch; two failures are too many; 10 s more when nothing is known.
        ("ppppp", PASS, 20),
        ("fpppp", PASS, 20),
        ("ff", FAIL, 5),
        ("fppf", FAIL, 15),
        ("pppff", FAIL, 20),
        ("iiiip", PASS, 20),
        ("iiiiip", PASS, 25),
        ("iiiiii" + "i", INCONCLUSIVE, 30),
        ("iiiiiif", FAIL, 30),
        ("iiiifi" + "f", FAIL, 30),
        # The last round failed for the first time: it is asked again before that is called a verdict.
        ("ppppfp", PASS, 25),
        ("ppppfiI".lower(), INCONCLUSIVE, 30),
        # A pass in between does not make failures good again.
        ("fppppf", PASS, 20),
    ],
)
def test_a_watch_ends_with_the_right_verdict_at_the_right_time(rounds, verdict, at):
    watch = Watch(seconds=20, failure_limit=2, inconclusive_seconds=10)
    for number, letter in enumerate(rounds):
        final = watch.add({"probe": LETTERS[letter]}, elapsed=number * 5)
        if final:
            assert (final, number * 5) == (verdict, at)
            assert watch.rounds == number + 1
            return
        assert number * 5 < at
    pytest.fail("no verdict after {0}".format(rounds))


def test_without_time_one_round_decides():
    assert Watch(0, 2, 0).add({"probe": PASS}, 0) == PASS
    assert Watch(0, 1, 0).add({"probe": FAIL}, 0) == FAIL
    assert Watch(0, 2, 0).add({"probe": FAIL}, 0) == FAIL
    assert Watch(0, 2, 0).add({"probe": INCONCLUSIVE}, 0) == INCONCLUSIVE


def test_it_never_lasts_longer_than_both_times_together():
    for letters in ("i", "f", "if"):
        watch, elapsed = Watch(20, 100, 10), 0
        while watch.add({"probe": LETTERS[letters[elapsed % len(letters)]]}, elapsed) is None:
            elapsed += 1
        assert elapsed == 30
