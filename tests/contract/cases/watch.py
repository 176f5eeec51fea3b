from ansible_collections.astraldraft.ops.tests.contract.lib.case import Case, Other, Scene


def probe(url, **more):
    return {"name": "health", "module": "astraldraft.ops.health_check", "args": {"checks": [{"type": "http", "url": url}]}} | more


def case(world):
    well, closed = world.stack.url("LB") + "/api/health", f"http://127.0.0.1:{world.closed_port}"
    # Refused is a certain failure, which ends a watch at once; a wrong answer is not.
    wrong = world.stack.url("LB") + "/nothing/like/it"
    ask = {"url": closed, "queries": [{"query": "up"}]}
    unknown = {"name": "metrics", "module": "astraldraft.ops.prometheus_query_info", "args": ask}
    once = {"seconds": 0, "interval": 0.1, "inconclusive_seconds": 0}
    return Case(
        scenes={
            "base": Scene(once | {"probes": [probe(well)]}),
            "for a while": Scene({"seconds": 2, "interval": 0.1, "progress_interval": 100, "probes": [probe(well)]}),
            "ill": Scene({"seconds": 60, "interval": 0.1, "probes": [probe(wrong)]}),
            "ill at the end": Scene(once | {"failure_limit": 100, "probes": [probe(wrong)]}),
            "gated": Scene(once | {"gate": True, "probes": [probe(wrong)]}, "failed", foreseen=False),
            "nobody knows": Scene(once | {"probes": [unknown]}),
            "no verdict": Scene(once | {"probes": [{"name": "ping", "module": "ansible.builtin.ping"}]}, "failed", foreseen=False),
        },
        options={
            "mode": Other("until", scene="ill at the end"),
            "seconds": Other(3, scene="ill at the end"),
            "interval": Other(6, scene="ill", slower=1.5),
            "failure_limit": Other(1, scene="ill"),
            "success_limit": Other(3),
            "inconclusive_seconds": Other(3, scene="nobody knows"),
            "progress_interval": Other(0.1, scene="for a while"),
            "subject": Other("Soaking", check=True),
            "gate": Other(True, scene="nobody knows", fails=True),
            "probes.name": Other("another"),
            "probes.module": Other("astraldraft.ops.prometheus_query_info"),
            "probes.args": Other({"checks": [{"type": "http", "url": wrong}]}),
            "probes.key": Other("certain"),
            "probes.show": Other(["attempts"]),
            # A probe that finds the lock lost does not know.
            "operation_token": Other(8, scene="locked"),
        },
        noise=[r"\d+ rounds", r"\d+/\d+ s"],
        reduced={"rounds": bool},
    )
