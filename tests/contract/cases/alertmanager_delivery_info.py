import functools
import re

from ansible_collections.astraldraft.ops.tests.contract.cases.alertmanager_silence import OURS
from ansible_collections.astraldraft.ops.tests.contract.lib.alertmanagers import NOISE, server, with_silences
from ansible_collections.astraldraft.ops.tests.contract.lib.case import Case, Other, Scene
from ansible_collections.astraldraft.ops.tests.contract.lib.http_options import closed, connection_options, connection_scenes


def case(world):
    url = server(world.stack.project)
    state = functools.partial(with_silences, url)
    args = {"url": url, "matchers": ["alertname=TargetDown", "instance=one"], "receivers": ["stub"]}
    # The stub's answer has what it was asked: here a receipt that has everything, and one that has nothing.
    there = {"receipt_url": f"{world.stack.url('STUB')}/healthz", "receipt_text": "ok"}
    lost = there | {"receipt_text": "nowhere"}
    return Case(
        scenes={
            "base": Scene(args, around=state()),
            "arrived": Scene(args | there, around=state()),
            "not arrived": Scene(args | lost, around=state()),
            "waited for": Scene(args | lost | {"wait": True, "wait_timeout": 0.5}, around=state()),
            "silenced": Scene({"url": url, "matchers": ["alertname=HighErrorRate"]}, around=state(OURS)),
            "nobody": Scene({"matchers": ["job=app"]}, "failed"),
            "no time": Scene(args | {"since": "noon"}, "failed"),
            **connection_scenes(world, args, "unchanged"),
        },
        options=connection_options(world)
        | {
            "url": Other(closed(world)),
            "urls": Other([closed(world)]),
            "matchers": Other(["alertname=Nothing"]),
            "maximum_age": Other(0.001),
            "receivers": Other(["nobody"]),
            "notifications_before": Other([{"url": url, "integration": "webhook", "tried": 0, "failed": 9**9, "requests_failed": 9**9}]),
            "receipt_url": Other(f"{world.stack.url('STUB')}/nothing", scene="arrived"),
            "receipt_headers": Other({"X-Contract": "another-contract"}, scene="arrived"),
            "receipt_text": Other("nowhere", scene="arrived"),
            "since": Other("2025-11-24T16:00:00Z"),
            "wait": Other(True, scene="not arrived", together={"wait_timeout": 2.0}, slower=1.0),
            "wait_timeout": Other(3.0, scene="waited for", slower=1.0),
            "wait_interval": Other(0.05, scene="waited for"),
            "progress_path": Other("{work}/progress"),
        },
        # Nobody receives what this Alertmanager sends: it tries again all the time.
        noise=NOISE + [r"\d+(\.\d+)? (s|min|h) ago", r"\d+ (?=notifications?|given up|requests? failed|\w+Error)"],
        reduced={
            "seconds": lambda seconds: seconds is not None and round(seconds / 1000),
            "summary": lambda text: re.sub(r"within \d+\.\d s", "", text),
            **dict.fromkeys(("tried", "failed", "requests_failed", "reasons"), bool),
        },
    )
