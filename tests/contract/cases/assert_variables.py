from ansible_collections.astraldraft.ops.tests.contract.lib.case import Case, Other, Scene

NO_EFFECT = "Accepted so that defaults of the action group may name it; it has no effect here."


def case(_world):
    return Case(
        scenes={
            "base": Scene({}),
            "misspelt": Scene({"__vars": {"release_verison": "v1.2.3"}}, "failed"),
            "somebody else's": Scene({"__vars": {"other_thing": "x"}}),
        },
        options={
            "also_known": Other(["release_verison"], scene="misspelt", fails=True),
            "prefixes": Other(["other_"], scene="somebody else's", fails=True),
        },
        without_effect={"operation_lock_path": NO_EFFECT, "operation_token": NO_EFFECT},
    )
