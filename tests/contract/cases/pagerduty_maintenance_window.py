from ansible_collections.astraldraft.ops.tests.contract.lib.case import Case, Other, Scene
from ansible_collections.astraldraft.ops.tests.contract.lib.http_options import connection_scenes
from ansible_collections.astraldraft.ops.tests.contract.lib.pagerduty import CALM, account, options
from ansible_collections.astraldraft.ops.tests.contract.lib.stub import told

LATER, MUCH_LATER = "2100-01-01T02:00:00Z", "2100-01-01T03:00:00Z"
OPEN = {"description": "moved", "id": "PWINDOW7"}


def there(world, *windows, **settings):
    return told(world, "pagerduty", CALM | {"windows": []}, windows=list(windows), **settings)


def case(world):
    window = account(world) | {"services": ["PSERVICE"], "description": "moved"}
    present, absent = window | {"ends_at": LATER, "from_email": "ada@astraldraft.test"}, window | {"state": "absent"}
    nothing, one = there(world), there(world, OPEN)
    return Case(
        scenes={
            "base": Scene(present, "changed", around=nothing),
            "extended": Scene(present, "changed", around=one),
            "ended": Scene(absent, "changed", around=one),
            "to come": Scene(absent, "changed", around=there(world, OPEN | {"starts_in": 600})),
            "nothing to end": Scene(absent, around=nothing),
            "another's": Scene(absent, around=there(world, OPEN | {"description": "moved again"})),
            "later": Scene(absent, around=there(world, limited={"count": 1, "seconds": 1})),
            "a stranger": Scene(present | {"from_email": "eve@astraldraft.test"}, "failed", around=nothing, foreseen=False),
            "over": Scene(present | {"ends_at": "2025-01-01T02:00:00Z"}, "failed", around=nothing),
            "of nothing": Scene(present | {"services": []}, "failed", around=nothing),
            **connection_scenes(world, absent),
        },
        options=options(world)
        | {
            "state": Other("absent", scene="extended"),
            "services": Other(["POTHER"]),
            "description": Other("moved again"),
            "starts_at": Other("2099-01-01T02:00:00Z"),
            "ends_at": Other(MUCH_LATER),
            "from_email": Other("grace@astraldraft.test"),
        },
        noise=[r"PWINDOW\d+", r"202\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"],
    )
