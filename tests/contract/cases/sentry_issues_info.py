from ansible_collections.astraldraft.ops.tests.contract.lib.case import Case, Other, Scene
from ansible_collections.astraldraft.ops.tests.contract.lib.http_options import closed, connection_options, connection_scenes
from ansible_collections.astraldraft.ops.tests.contract.lib.stub import told

# In an environment of their own: another case sends events meanwhile.
EVENTS = [
    {"message": "contract: frequent", "environment": "contract", "release": "v1.2.3", "times": 3, "age": 7200},
    {"message": "contract: rare", "environment": "contract", "release": "v1.2.2", "age": 60},
]


def case(world):
    events = told(world, "sentry", events=EVENTS)
    search = {"url": world.stack.url("STUB") + "/sentry", "bearer_token": "demo-sentry-token", "organization": "astral-draft",
              "environments": ["contract"]}  # fmt: skip
    nobody = {name: value for name, value in search.items() if name != "bearer_token"}
    return Case(
        scenes={
            "base": Scene(search, around=events),
            "of a release": Scene(search | {"release": "v1.2.3", "projects": ["web"], "window": "1d"}, around=events),
            "not all": Scene(search | {"maximum": 1}, around=events),
            "no such project": Scene(search | {"projects": ["nothing"]}, "failed"),
            "no window": Scene(search | {"window": "soon"}, "failed"),
            "no token": Scene(nobody, "failed"),
            **connection_scenes(world, search),
        },
        options=connection_options(world, "no token")
        | {
            "url": Other(closed(world), fails=True),
            "bearer_token": Other("another-token", fails=True),
            "organization": Other("nobody", fails=True),
            "projects": Other(["42"]),
            "query": Other("is:resolved"),
            "release": Other("v1.2.2"),
            "environments": Other(["nowhere"]),
            "window": Other("1h"),
            "sort": Other("new"),
            "maximum": Other(1),
        },
    )
