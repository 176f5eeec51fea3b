from ansible_collections.astraldraft.ops.tests.contract.lib.case import TOOLS_RUN, Case, Other, Scene


def case(world):
    server, stack = world.archived, world.stack
    server.settle()
    there = {
        "container": server.name, "config_path": server.config, "login_host": "127.0.0.1", "login_port": server.port,
        "login_password": server.password,
    }  # fmt: skip
    of_the_stack = {
        "service": "postgres-master", "project": stack.project, "config_path": "/nonexistent", "login_host": "127.0.0.1",
        "login_port": stack.port("POSTGRES"), "login_password": stack.secret("postgres-superuser-password"),
    }  # fmt: skip
    return Case(
        scenes={
            "base": Scene(there, "changed"),
            "no stanza": Scene(there | {"stanza": "other"}, "failed"),
            "no space": Scene(there | {"space_factor": 1e9, "type": "full", "config_path": server.fresh}, "failed", foreseen=False),
            "of the stack": Scene(of_the_stack, "failed"),
        },
        # Where it does not come to a backup, that is much faster.
        options={
            "stanza": Other("nothing", scene="no stanza"),
            "config_path": Other("/nonexistent", scene="no stanza"),
            "type": Other("diff"),
            "space_factor": Other(1e8, scene="no space"),
            "archive_timeout": Other(61),
            "progress_path": Other("{work}/progress"),
            "project": Other("nothing", scene="of the stack"),
            "service": Other("nginx", scene="of the stack"),
            "container": Other("nothing", scene="no stanza"),
            "bin_dir": Other("/nonexistent", scene="no space"),
            "tools_user": Other("root", scene="no stanza"),
            "work_dir": Other("/nonexistent", fails=True),
            "tools_login_host": Other("127.0.0.2"),
            "tools_login_port": Other(1, fails=True),
            "login_host": Other("127.0.0.2", scene="no stanza"),
            "login_port": Other(world.closed_port, scene="no stanza"),
            "login_user": Other("nobody", scene="no stanza"),
            "login_password": Other("wrong-password", scene="no stanza"),
            "login_db": Other("nothing", scene="no stanza"),
            "ssl_mode": Other("require", scene="no stanza"),
            "ca_cert": Other(stack.ca, scene="no stanza"),
            "docker_host": Other("unix:///nonexistent/docker.sock", scene="no stanza"),
        },
        patient=True,
        noise=[*TOOLS_RUN, r"\d{8}-\d{6}[FDI]", r"\b[0-9A-F]{24}\b", r"\b[0-9A-F]+/[0-9A-F]+\b", r"\d+ MiB free"],
        reduced=dict.fromkeys(("seconds", "ended", "bytes", "database_bytes", "needed_bytes", "expired", "prior"), type),
    )
