import contextlib

from ansible_collections.astraldraft.ops.tests.contract.lib.blocks import NOISE, REDUCED
from ansible_collections.astraldraft.ops.tests.contract.lib.case import Case, Other, Scene


def case(world):
    small, with_table = world.small, world.firewall.with_table
    name = "ops"
    deny = small.upstream.parent / "blocked.conf"
    there = with_table(name, '198.51.100.1 timeout 1d comment "ada", 203.0.113.0/24 timeout 1h')
    base = {"table": name}
    nginx = {"backend": "nginx", "project": small.project, "path": str(deny)}

    @contextlib.contextmanager
    def listed(_work):
        deny.write_text(
            "deny 198.51.100.1; # until 2999-01-01T00:00:00Z ada\ndeny 198.51.100.2; # until 2001-01-01T00:00:00Z ada\n", encoding="utf-8"
        )
        try:
            yield
        finally:
            deny.unlink()

    return Case(
        scenes={
            "base": Scene(base, around=there),
            "no table": Scene(base, around=with_table(name, rules="")),
            "somebody's rules": Scene(base, around=with_table(name, "198.51.100.1 timeout 1d", rules="ip saddr @blocked4 accept")),
            "nginx": Scene(nginx, around=listed),
            "no engine": Scene(nginx | {"docker_host": "unix:///nonexistent/docker.sock"}),
            "no address": Scene(base | {"addresses": ["somewhere"]}, "failed"),
        },
        options={
            "addresses": Other(["203.0.113.0/24"]),
            "backend": Other("nginx", together={"project": small.project, "path": str(deny)}),
            "table": Other(name + "_2"),
            "project": Other("nothing", scene="nginx"),
            "service": Other("app-blue", scene="nginx"),
            "path": Other(str(deny.parent / "nothing.conf"), scene="nginx"),
            "docker_host": Other("unix:///nonexistent/docker.sock", scene="nginx"),
        },
        noise=NOISE,
        reduced=REDUCED,
    )
