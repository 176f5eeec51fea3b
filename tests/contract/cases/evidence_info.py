from ansible_collections.astraldraft.ops.tests.contract.lib.case import Case, Other, Scene


def part(name, **args):
    return {"name": name, "module": "astraldraft.ops.health_check", "args": {"checks": [{"type": "http", **args}]}}


def case(world):
    well, closed = world.stack.url("LB") + "/api/health", f"http://127.0.0.1:{world.closed_port}"
    both = [part("front", url=well), part("nobody", url=closed)]
    broken = {"name": "front", "module": "astraldraft.ops.nginx_info", "args": {}}
    slow = {"name": "slow", "module": "astraldraft.ops.host_stats_info", "args": {"interval": 8}}
    return Case(
        scenes={
            "base": Scene({"parts": both}),
            "one that fails": Scene({"parts": [broken, both[1]]}),
            "one that is slow": Scene({"parts": [slow]}),
            "one that writes": Scene({"parts": [{"name": "x", "module": "ansible.builtin.command", "args": {}}]}, "failed"),
        },
        options={
            "parts.name": Other("another"),
            "parts.module": Other("astraldraft.ops.host_stats_info"),
            "parts.args": Other({"checks": [{"type": "http", "url": closed}]}),
            "timeout": Other(1, scene="one that is slow"),
            # A part that finds the lock lost has no answer.
            "operation_token": Other(8, scene="locked"),
        },
        reduced={"evidence": lambda found: {name: (bool(one.get("failed")), one.get("verdict")) for name, one in found.items()}},
    )
