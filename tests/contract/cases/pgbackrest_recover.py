from ansible_collections.astraldraft.ops.tests.contract.lib.case import TOOLS_RUN, Case, Other, Scene


def case(world):
    server, stack = world.archived, world.stack
    server.settle()
    there = {
        "container": server.name, "config_path": server.config, "path": "{work}/backups", "environment": "test", "login_host": "127.0.0.1",
        "login_port": server.port, "login_password": server.password, "login_db": "postgres", "target_time": server.moment,
    }  # fmt: skip
    unforeseen = {"foreseen": False}
    of_the_stack = there | {"service": "postgres-master", "project": stack.project, "config_path": "/nonexistent"}
    del of_the_stack["container"]
    by_number = {key: value for key, value in there.items() if key != "target_time"}
    return Case(
        scenes={
            "base": Scene(there, "changed"),
            "no stanza": Scene(there | {"stanza": "other"}, "failed"),
            "too early": Scene(there | {"target_time": "2020-01-01T00:00:00Z"}, "failed"),
            "no such transaction": Scene(by_number | {"target_xid": 2}, "failed"),
            "no number yet": Scene(by_number | {"target_xid": 4000000}, "failed", **unforeseen),
            "nowhere to work": Scene(there | {"work_dir": "/nonexistent"}, "failed", **unforeseen),
            "of the stack": Scene(of_the_stack, "failed"),
        },
        # Where it does not come to a recovery, that is much faster.
        options={
            "stanza": Other("nothing", scene="no stanza"),
            "config_path": Other("/nonexistent", scene="no stanza"),
            "path": Other("{work}/elsewhere"),
            "environment": Other("no name", scene="no stanza"),
            "target_time": Other("yesterday", scene="too early"),
            "target_xid": Other(1, scene="no such transaction"),
            "jobs": Other(0, scene="no stanza"),
            "compression": Other("none"),
            "checksums": Other(True),
            "encrypt_recipients": Other(["no key"], fails=True),
            "archive_timeout": Other(0, scene="no stanza"),
            "replay_timeout": Other(0, scene="no stanza"),
            "metrics_path": Other("{work}/backups.prom"),
            "progress_path": Other("{work}/progress"),
            "project": Other("nothing", scene="of the stack"),
            "service": Other("nginx", scene="of the stack"),
            "container": Other("nothing", scene="no stanza"),
            "bin_dir": Other("/nonexistent", scene="no stanza"),
            "tools_user": Other("root", scene="no stanza"),
            "work_dir": Other("/nowhere", scene="nowhere to work"),
            "tools_login_host": Other("127.0.0.2", scene="no number yet"),
            "tools_login_port": Other(1, scene="no number yet"),
            "login_host": Other("127.0.0.2", scene="nowhere to work"),
            "login_port": Other(world.closed_port, scene="nowhere to work"),
            "login_user": Other("nobody", scene="nowhere to work"),
            "login_password": Other("wrong-password", scene="nowhere to work"),
            "login_db": Other("template1"),
            "ssl_mode": Other("require", scene="nowhere to work"),
            "ca_cert": Other(stack.ca, scene="nowhere to work"),
            "docker_host": Other("unix:///nonexistent/docker.sock", scene="no stanza"),
        },
        patient=True,
        noise=[*TOOLS_RUN, r"\d{8}_\d{6}", r"\d{8}-\d{6}[FDI]", r"\b[0-9A-F]+/[0-9A-F]+\b", r"it is at \d+"],
        reduced=dict.fromkeys(("seconds", "bytes", "database_bytes", "parts", "name", "folder", "catalogued_at", "manifest_sha256"), type)
        | {"stopped": type, "last_commit_at": type},
        opaque=["*.zst", "*/toc.dat", "*/manifest.json", "*/catalog.json", "*.sql"],
    )
