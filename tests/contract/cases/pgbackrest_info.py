from ansible_collections.astraldraft.ops.tests.contract.lib.case import Case, Other, Scene


def case(world):
    there = {"container": world.archived.name, "config_path": world.archived.config}
    project = {"service": "postgres-master", "project": world.stack.project}
    return Case(
        scenes={
            "base": Scene(there),
            "of the stack": Scene(project),
            "no stanza": Scene(there | {"stanza": "other"}),
            "no name": Scene(there | {"stanza": "no name"}, "failed"),
        },
        options={
            "stanza": Other("other"),
            "config_path": Other("/nonexistent"),
            "project": Other("nothing", scene="of the stack", fails=True),
            "service": Other("nginx", scene="of the stack", fails=True),
            "container": Other("nothing", fails=True),
            "tools_user": Other("nobody", fails=True),
            # It changes nothing: who has lost the lock is told so, and answered.
            "operation_token": Other(8, scene="locked"),
            "docker_host": Other("unix:///nonexistent/docker.sock", fails=True),
        },
        reduced=dict.fromkeys(("age_seconds",), type),
    )
