import functools

from ansible_collections.astraldraft.ops.tests.contract.lib.alertmanagers import NOISE, REDUCED, server, silence, with_silences
from ansible_collections.astraldraft.ops.tests.contract.lib.case import LOCK, Case, Other, Scene, lock_record
from ansible_collections.astraldraft.ops.tests.contract.lib.http_options import closed, connection_options, connection_scenes

LOCKED = {"lock/operation.json": lock_record()}
OURS = functools.partial(silence, minutes=1.5, owner="deploy 7", alertname="TargetDown", job="app")


def case(world):
    url = server(world.stack.project)
    state = functools.partial(with_silences, url)
    lock = {"operation_lock_path": LOCK, "operation_token": 7}
    base = {"url": url, "silences": [["alertname=TargetDown", "job=app"]], "owner": "deploy 7", "comment": "why"} | lock
    absent = {"url": url, "state": "absent", "owner": "deploy 7"} | lock
    scenes = {
        "base": Scene(base, "changed", around=state()),
        "there": Scene(base, around=state(OURS)),
        "nearly over": Scene(base, "changed", around=state(functools.partial(OURS, minutes=0.2))),
        "another's": Scene(base, "changed", around=state(functools.partial(OURS, owner="deploy 8"))),
        "two of them": Scene(base, "changed", around=state(OURS, OURS)),
        "ended": Scene(absent, "changed", around=state(OURS)),
        "nothing to end": Scene(absent, around=state(functools.partial(OURS, owner="deploy 8"))),
        "an error rate": Scene(base | {"silences": [["alertname=HighErrorRate", "job=web"]]}, "failed", around=state()),
        "any name": Scene(base | {"silences": [["environment=demo", "job=web"]]}, "failed", around=state()),
        **connection_scenes(world, base),
    }
    for scene in scenes.values():
        scene.files.update(LOCKED)
    return Case(
        scenes=scenes,
        options=connection_options(world)
        | {
            "url": Other(closed(world), fails=True),
            "state": Other("absent"),
            "silences": Other([["alertname=TargetDown", "job=app", "instance=one"]]),
            "owner": Other("deploy 9"),
            "comment": Other("because"),
            "lease_seconds": Other(300),
            "never": Other(["ServiceUnavailable"], scene="an error rate", fails=True),
            "operation_lock_path": Other(None, fails=True),
        },
        noise=[*NOISE, r"(?<=\"skew\": )-?\d+\.\d+"],
        reduced=REDUCED,
    )
