from ansible_collections.astraldraft.ops.tests.contract.lib.case import TOOLS_RUN, Case, Other, Scene


def case(world):
    server, stack = world.archived, world.stack
    there = {"container": server.name, "config_path": server.config}
    of_the_stack = {"service": "postgres-master", "project": stack.project, "config_path": "/nonexistent"}
    return Case(
        scenes={
            "base": Scene(there),
            "no stanza": Scene(there | {"stanza": "other"}, "failed"),
            "no such backup": Scene(there | {"label": "20260101-000000F"}, "failed"),
            "of the stack": Scene(of_the_stack, "failed"),
        },
        options={
            "stanza": Other("nothing", scene="no stanza"),
            "config_path": Other("/nonexistent", scene="no stanza"),
            "label": Other("20260102-000000F", scene="no such backup"),
            "max_age_seconds": Other(0),
            "progress_path": Other("{work}/progress"),
            "project": Other("nothing", scene="of the stack"),
            "service": Other("nginx", scene="of the stack"),
            "container": Other("nothing", scene="no stanza"),
            "bin_dir": Other("/nonexistent"),
            "tools_user": Other("root", scene="no stanza"),
            "docker_host": Other("unix:///nonexistent/docker.sock", scene="no stanza"),
        },
        without_effect={"work_dir": "To verify takes neither"},
        patient=True,
        noise=TOOLS_RUN,
        reduced=dict.fromkeys(("age_seconds",), type),
    )
