import contextlib
import datetime
import functools

from ansible_collections.astraldraft.ops.tests.contract.lib.alertmanagers import NOISE, ask, server
from ansible_collections.astraldraft.ops.tests.contract.lib.case import Case, Other, Scene
from ansible_collections.astraldraft.ops.tests.contract.lib.http_options import closed, connection_options, connection_scenes

LABELS = {"alertname": "Contract", "severity": "none"}
OTHER = {"alertname": "Another", "severity": "none"}
# It begins and ends when it is sent: to the minute, it is the same.
TIMES = [r"(?<=\d{4}-\d\d-\d\dT)\d\d:\d\d:\d\d(\.\d+)?Z"]


def fires(url, minutes=None):
    """A context manager, for `around`, within which the alert fires for so many minutes, or does not."""

    @contextlib.contextmanager
    def around(_work):
        now = datetime.datetime.now(datetime.UTC)
        for labels in (LABELS, OTHER):
            ask(url, "/alerts", [{"labels": labels, "startsAt": _text(now, -2), "endsAt": _text(now, -0.01)}])
        if minutes:
            ask(url, "/alerts", [{"labels": LABELS, "startsAt": _text(now, 0), "endsAt": _text(now, minutes)}])
        yield

    return around


def _text(now, minutes):
    return (now + datetime.timedelta(minutes=minutes)).isoformat()


def case(world):
    url = server(world.stack.project)
    state = functools.partial(fires, url)
    base = {"url": url, "labels": LABELS}
    absent = base | {"state": "absent"}
    return Case(
        scenes={
            "base": Scene(base, "changed", around=state()),
            "there": Scene(base, around=state(5)),
            "nearly over": Scene(base, "changed", around=state(2)),
            "ended": Scene(absent, "changed", around=state(5)),
            "nothing to end": Scene(absent, around=state()),
            "no label": Scene({"url": url, "labels": {"alertname": ""}}, "failed"),
            "no duration": Scene(base | {"duration": "soon"}, "failed"),
            "a member is gone": Scene(base | {"urls": [closed(world)]}, "failed", around=state(5)),
            "nobody": Scene({"labels": LABELS}, "failed"),
            **connection_scenes(world, base),
        },
        options=connection_options(world, user="there")
        | {
            "url": Other(closed(world), fails=True),
            "urls": Other([closed(world)], scene="there", fails=True),
            "state": Other("absent"),
            "labels": Other(OTHER),
            "annotations": Other({"summary": "why"}),
            "duration": Other("1d", scene="there"),
        },
        noise=NOISE + TIMES,
    )
