"""A server of its own, fenced and let go again."""

from ansible_collections.astraldraft.ops.tests.contract.lib.case import MILLISECONDS_LEFT, TOOLS_RUN, Case, Other, Scene
from ansible_collections.astraldraft.ops.tests.contract.lib.cluster import Server


def case(world):
    server = Server.alone(world, "fence")
    replica = Server.alone(world, "fence-peer", server.address)
    there = {"project": server.project, "service": server.service, "login_password": "throwaway-postgres", "stop_timeout": 20}
    unfenced = there | {"state": "unfenced", "peers": [{"login_host": "127.0.0.1", "login_port": replica.port}]}
    lost = there | {"login_port": 1, "start": "always", "start_timeout": 1}
    primary, killed, fenced = server.primary, server.killed, server.fenced
    return Case(
        scenes={
            "base": Scene(there, "changed", around=primary),
            "replica": Scene(there, around=server.standby),
            "fenced": Scene(there, around=fenced),
            "killed": Scene(there, "changed", around=killed),
            "never answers": Scene(lost, "changed", around=killed),
            "by container": Scene({"container": server.container, "login_password": "throwaway-postgres"}, "changed", around=primary),
            "no data there": Scene(there | {"data_path": "/nonexistent"}, "failed", around=primary),
            "alone": Scene(there | {"state": "unfenced"}, "failed", around=fenced),
            "let go": Scene(unfenced, "changed", around=fenced),
        },
        options={
            "project": Other("nothing", fails=True),
            "service": Other("nothing", fails=True),
            "container": Other("nothing", scene="by container", fails=True),
            "data_path": Other("/nonexistent", fails=True),
            "bin_dir": Other("/usr/lib/postgresql/17/bin"),
            "tools_user": Other("root"),
            "state": Other("unfenced", check=True),
            "start": Other("always"),
            "count_from": Other("0/1000000", scene="killed"),
            "reason": Other("another"),
            "stop_timeout": Other(21),
            "start_timeout": Other(4, scene="never answers", slower=1.5),
            "timeout": Other(3, check=True),
            "peers": Other([], scene="let go", check=True, fails=True),
            "peers.login_host": Other("127.0.0.2", scene="let go", check=True, fails=True),
            "peers.login_port": Other(world.closed_port, scene="let go", check=True, fails=True),
            "login_host": Other("127.0.0.2", check=True),
            "login_port": Other(1, check=True),
            "login_user": Other("nobody", fails=True),
            "login_password": Other("wrong-password", fails=True),
            "login_db": Other("shop", check=True),
            "ssl_mode": Other("allow", check=True),
            "ca_cert": Other(world.stack.ca, check=True),
            "docker_host": Other("unix:///nonexistent/docker.sock", fails=True),
        },
        noise=[*TOOLS_RUN, r"astraldraft-\w+-[0-9a-f]{8}", *MILLISECONDS_LEFT, r"\d+\.\d+\.\d+\.\d+", r"It said last: .*"],
        without_effect=dict.fromkeys(("start_command", "stop_command"), "Not used for containers"),
        reduced=dict.fromkeys(("lsn", "refused_since", "timeline", "complaint", "fenced_at"), type),
    )
