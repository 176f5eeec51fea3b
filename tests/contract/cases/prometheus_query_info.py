from ansible_collections.astraldraft.ops.tests.contract.lib.case import Case, Other, Scene
from ansible_collections.astraldraft.ops.tests.contract.lib.http_options import closed, connection_options, connection_scenes


def query(text="vector(1)", **more):
    return {"query": text, "pass_when": {"value": 1}} | more


def compared(**baseline):
    return {"query": "vector(3)", "fail_when": {"operator": ">", "value": 5}, "baseline": {"query": "vector(1)"} | baseline}


def case(world):
    url = world.stack.url("PROMETHEUS")
    one = {"url": url, "queries": [query()]}
    share = {"query": "vector(1)", "total": "vector(4)", "fail_when": {"operator": ">", "value": 0.2}}
    guard = {"query": "vector(0)", "value": 1, "label": "requests"}
    ranged = {"queries.range_seconds": 60}
    return Case(
        scenes={
            "base": Scene(one),
            "several": Scene({"url": url, "queries": [query(), query("vector(0)"), query("nothing_like_it"), {"query": "vector(NaN)"}]}),
            "a range": Scene({"url": url, "queries": [query(range_seconds=60, step=5)]}),
            "guarded": Scene({"url": url, "queries": [query(guards=[guard])]}),
            "forbidden": Scene({"url": url, "queries": [{"query": "vector(1)", "fail_when": {"operator": ">", "value": 2}}]}),
            "a share": Scene({"url": url, "queries": [share]}),
            "compared": Scene({"url": url, "queries": [compared()]}),
            "a share compared": Scene({"url": url, "queries": [share | {"baseline": {"query": "vector(1)", "total": "vector(4)"}}]}),
            "no baseline": Scene({"url": url, "queries": [compared(query="nothing_like_it")]}),
            "baseline guarded": Scene({"url": url, "queries": [compared(guards=[guard])]}),
            "no data": Scene({"url": url, "queries": [query("nothing_like_it")]}),
            **connection_scenes(world, one, "unchanged"),
            "gated": Scene({"url": closed(world), "queries": [query()], "gate": True}, "failed"),
            "nothing asked": Scene({"url": url, "queries": []}, "failed"),
        },
        options=connection_options(world)
        | {
            "url": Other(closed(world)),
            "queries.name": Other("another"),
            "queries.query": Other("vector(2)"),
            "queries.time": Other("1764000000"),
            "queries.range_seconds": Other(60),
            "queries.step": Other(10, scene="a range"),
            "queries.max_age": Other(-1, together=ranged),
            "queries.pass_when.operator": Other("<"),
            "queries.pass_when.value": Other(2),
            "queries.fail_when.operator": Other("<", scene="forbidden"),
            "queries.fail_when.value": Other(0, scene="forbidden"),
            "queries.guards.query": Other("vector(1)", scene="guarded"),
            "queries.guards.operator": Other("<", scene="guarded"),
            "queries.guards.value": Other(0, scene="guarded"),
            "queries.guards.label": Other("visits", scene="guarded"),
            "queries.total": Other("vector(4)"),
            "queries.confidence": Other(0.99, scene="a share"),
            "queries.unit": Other("ms"),
            "queries.baseline.query": Other("vector(2)", scene="compared"),
            "queries.baseline.total": Other("vector(8)", scene="a share compared"),
            "queries.baseline.factor": Other(9, scene="compared"),
            "queries.baseline.margin": Other(9, scene="compared"),
            "queries.baseline.required": Other(False, scene="no baseline"),
            "queries.baseline.guards.query": Other("vector(1)", scene="baseline guarded"),
            "queries.baseline.guards.operator": Other("<", scene="baseline guarded"),
            "queries.baseline.guards.value": Other(0, scene="baseline guarded"),
            "queries.baseline.guards.label": Other("visits", scene="baseline guarded"),
            "baselines": Other(False, scene="no baseline"),
            "baseline_time": Other("1764000000", scene="compared"),
            "no_data": Other("fail", scene="no data"),
            "unreachable": Other("fail", scene="refused"),
            "gate": Other(True, scene="refused", fails=True),
        },
    )
