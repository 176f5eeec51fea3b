import contextlib

from ansible_collections.astraldraft.ops.tests.contract.lib.blocks import NOISE, REDUCED
from ansible_collections.astraldraft.ops.tests.contract.lib.case import Case, Other, Scene
from ansible_collections.astraldraft.ops.tests.contract.lib.world import command

ONE, OTHER = "198.51.100.1", "198.51.100.2"


def case(world):
    small, with_table = world.small, world.firewall.with_table
    name = "ops"
    nothing, there = with_table(name, rules="", also=name + "_2"), with_table(name, f'{ONE} timeout 1d comment "ada"')
    # Not a whole day: what is further away than that is told otherwise.
    base = {"table": name, "addresses": [ONE], "duration": "12h"}
    private = base | {"addresses": ["192.168.222.1"], "overrides": ["private"]}
    spared = base | {"protected": [{"guard": "operator", "addresses": [ONE]}], "overrides": ["operator"]}
    deny = small.upstream.parent / "blocked.conf"
    nginx = {"backend": "nginx", "project": small.project, "path": str(deny), "addresses": [ONE], "duration": "12h"}

    @contextlib.contextmanager
    def no_list(_work):
        for left in (*deny.parent.glob("blocked*"), *deny.parent.glob(".blocked*")):
            left.unlink()
        yield

    @contextlib.contextmanager
    def deaf(work):
        """nginx tests what it is given, but its master does not hear the signal to load it."""
        with no_list(work):
            command("docker", "kill", "--signal", "STOP", f"{small.project}-nginx-1")
            try:
                yield
            finally:
                command("docker", "kill", "--signal", "CONT", f"{small.project}-nginx-1")

    return Case(
        scenes={
            "base": Scene(base, "changed", around=nothing),
            "there": Scene(base, around=there),
            "nearly over": Scene(base, "changed", around=with_table(name, f"{ONE} timeout 1h")),
            "absent": Scene(base | {"state": "absent"}, "changed", around=there),
            "nothing to unblock": Scene(base | {"state": "absent"}, around=nothing),
            "somebody's rules": Scene(base, "changed", around=with_table(name, f"{ONE} timeout 1d", rules="ip saddr @blocked4 accept")),
            "private": Scene(private, "changed", around=nothing),
            "spared": Scene(spared, "changed", around=nothing),
            "too long": Scene(base | {"duration": "31d"}, "failed", around=nothing),
            "no address": Scene(base | {"addresses": ["somewhere"]}, "failed", around=nothing),
            "nginx": Scene(nginx, "changed", around=no_list),
            "nginx does not hear": Scene(nginx | {"wait_timeout": 1}, "failed", around=deaf, foreseen=False),
        },
        options={
            "addresses": Other([OTHER]),
            "state": Other("absent", scene="there"),
            "duration": Other("2h"),
            "maximum_duration": Other("1h", fails=True),
            "comment": Other("why"),
            "protected.guard": Other("management", scene="spared", fails=True),
            "protected.addresses": Other([OTHER], scene="spared"),
            "overrides": Other([], scene="private", fails=True),
            "conntrack": Other(False),
            "proof_timeout": Other(0.3),
            "wait_timeout": Other(2, scene="nginx does not hear"),
            "backend": Other("nftables", scene="nginx", together={"table": name}),
            "table": Other(name + "_2"),
            "project": Other("nothing", scene="nginx", fails=True),
            "service": Other("app-blue", scene="nginx", fails=True),
            "path": Other(str(deny.parent / "blocked2.conf"), scene="nginx"),
            "docker_host": Other("unix:///var/run/docker.sock", scene="nginx"),
        },
        noise=[*NOISE, r"\d+#\d+", r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d"],
        reduced=REDUCED | {"connections_ended": type},
    )
