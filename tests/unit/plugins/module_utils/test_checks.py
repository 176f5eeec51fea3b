"""What is common to all checks, without a network: verdicts over many, rounds, sentences."""

import threading
import time

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _checks
from ansible_collections.astraldraft.ops.plugins.module_utils._checks import Outcome


def outcome(verdict="healthy", name="a", required=True, message="fine"):
    found = Outcome(verdict, "r", message, "do it" if verdict != "healthy" else "", name=name)
    found.required = required
    return found


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ([], "fail"),
        (["healthy"], "pass"),
        (["healthy", "degraded"], "pass"),
        (["healthy", "not_configured"], "fail"),
        (["unreachable"], "fail"),
        (["refused"], "fail"),
        (["timed_out"], "fail"),
        (["wrong_answer"], "fail"),
    ],
)
def test_overall(verdicts, expected):
    assert _checks.overall([outcome(verdict) for verdict in verdicts]) == expected


def test_what_is_not_required_does_not_decide():
    assert _checks.overall([outcome(), outcome("refused", required=False)]) == "pass"


def of(kind, verdict="healthy", reason="r", required=True, **details):
    found = Outcome(verdict, reason, "", name="a", details=details)
    found.type, found.required = kind, required
    return found


REFUSED, GONE, FINE = of("http", "refused"), of("http", "wrong_answer", "replica_count"), of("http")


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        ([], False),
        ([FINE], False),
        # Nobody listens, or nobody runs.
        ([REFUSED, REFUSED], True),
        ([GONE], True),
        ([GONE, REFUSED], True),
        ([GONE, of("tcp", "refused"), of("container", "wrong_answer", "not_running", all_down=True)], True),
        # One of two does.
        ([REFUSED, FINE], False),
        ([GONE, FINE], False),
        # Who is late, or answers wrongly, may do better the next time; who cannot be reached is not known to be gone.
        ([REFUSED, of("http", "timed_out")], False),
        ([of("http", "wrong_answer", "server_error")], False),
        ([of("http", "unreachable", "no_engine")], False),
        # Restarted by the engine after it died, and answering again.
        ([FINE, of("container", "wrong_answer", "crash_loop", all_down=True)], True),
        ([FINE, of("container", "wrong_answer", "crash_loop", all_down=False)], False),
        # What is not required does not decide.
        ([of("http", "refused", required=False), FINE], False),
        ([of("http", "refused", required=False)], False),
        ([of("container", "wrong_answer", required=False, all_down=True), FINE], False),
    ],
)
def test_what_need_not_be_looked_at_again(outcomes, expected):
    assert _checks.certain(outcomes) is expected


def test_weigh_names_the_worst_and_tells_all():
    found = _checks.weigh([("degraded", "slow", "slow", "wait"), ("wrong_answer", "version", "old", "deploy")], "fine")
    assert (found.verdict, found.reason, found.message, found.next) == ("wrong_answer", "version", "slow; old", "deploy")


def test_summary_names_what_is_wrong_first_and_is_bounded():
    outcomes = [outcome(), outcome("degraded", "b", message="slow"), outcome("refused", "c", message="nobody there")]
    assert _checks.summary(outcomes, "fail") == "1 of 3 healthy; c: refused (nobody there); b: degraded (slow)"
    many = [outcome("refused", str(number)) for number in range(30)]
    assert _checks.summary(many, "fail").endswith("and 22 more")


def test_table_has_a_line_a_check_and_says_what_to_do():
    lines = _checks.table([outcome(), outcome("refused", "b")])
    assert len(lines) == 2
    assert lines[1].endswith("-> do it")


class Clock:
    """A clock that only sleeping moves."""

    now = 0.0

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


def rounds_of(*verdicts, **options):
    """What ``watch`` makes of rounds with these verdicts (the last one for ever); the answer and the clock."""
    clock, limits = Clock(), []

    def one_round(seconds):
        limits.append(seconds)
        return [outcome(verdicts[min(len(limits), len(verdicts)) - 1])]

    verdict, outcomes, rounds, streak = _checks.watch(one_round, sleep=clock.sleep, clock=clock, **options)
    return verdict, outcomes[0].verdict, rounds, streak, clock.now, limits


def test_one_round_is_enough():
    assert rounds_of("healthy") == ("pass", "healthy", 1, 1, 0.0, [None])
    assert rounds_of("refused", "healthy")[:3] == ("fail", "refused", 1)


def test_consecutive_rounds():
    assert rounds_of("healthy", consecutive=3, interval=2)[:5] == ("pass", "healthy", 3, 3, 4.0)
    assert rounds_of("healthy", "refused", consecutive=3)[:4] == ("fail", "refused", 2, 0)


def test_wait_begins_the_streak_anew():
    answer = rounds_of("healthy", "refused", "healthy", consecutive=2, interval=1, wait=True, wait_timeout=30, wait_interval=2)
    assert answer[:5] == ("pass", "healthy", 4, 2, 4.0)


def test_wait_ends_in_time_and_cuts_the_last_rounds():
    verdict, last, rounds, _streak, seconds, limits = rounds_of("refused", wait=True, wait_timeout=5, wait_interval=2)
    assert (verdict, last, rounds) == ("fail", "refused", 3)
    assert seconds <= 5
    assert limits == [4.5, 2.5, 0.5]


def test_jobs_run_at_once_and_one_that_hangs_holds_nobody():
    barrier, never = threading.Barrier(3), threading.Event()
    jobs = [(lambda: barrier.wait(2), 0.3)] * 3 + [(never.wait, 0.3), (lambda: 1 / 0, 0.3)]
    started = time.monotonic()
    answers = _checks.in_parallel(jobs)
    assert time.monotonic() - started < 1.0
    assert sorted(answers[:3]) == [0, 1, 2]
    assert answers[3] is None
    assert isinstance(answers[4], ZeroDivisionError)
    never.set()
