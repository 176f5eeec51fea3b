from ansible_collections.astraldraft.ops.tests.contract.cases.redis_keys import (
    ADA,
    NOISE,
    PACE,
    REDUCED,
    WITHOUT_EFFECT,
    connection,
    connection_options,
    connection_scenes,
    with_keys,
)
from ansible_collections.astraldraft.ops.tests.contract.lib.case import Case, Other, Scene

PREFIX = "contract-info:"


def case(world):
    there = connection(world) | {"pattern": PREFIX + "*"}
    some = with_keys(world, *(f"{PREFIX}{number}" for number in range(9)))
    return Case(
        scenes={
            "base": Scene(there, around=some),
            "of one": Scene(there | {"where": ADA}, around=some),
            **connection_scenes(world, connection(world) | {"pattern": "nothing-of-this-name:*"}),
        },
        options=connection_options(world)
        | {
            "pattern": Other(PREFIX + "1"),
            "idle": Other(3600),
            "where.field": Other("name", scene="of one"),
            "where.value": Other("bob", scene="of one"),
            "sample": Other(0),
            "hidden_prefixes": Other([PREFIX]),
            "limit": Other(1),
            "db": Other(1, scene="nothing", together={"topology": "single"}, fails=True),
            "timeout": Other(1.2, scene="hung", slower=0.5),
            **PACE,
        },
        noise=NOISE,
        reduced=REDUCED,
        without_effect=WITHOUT_EFFECT,
    )
