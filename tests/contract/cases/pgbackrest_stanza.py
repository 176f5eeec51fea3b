"""Each run has a file of its own beside the data of a server of the tests, and makes the server archive by that."""

from ansible_collections.astraldraft.ops.tests.contract.lib.case import TOOLS_RUN, Case, Other, Scene


def case(world):
    server, stack = world.archived, world.stack
    there = {
        "container": server.name, "config_path": "/var/lib/postgresql/data{work}/pgbackrest.conf", "repo_path": server.repository,
        "login_host": "127.0.0.1", "login_port": server.port, "login_password": server.password,
    }  # fmt: skip
    as_it_is = there | {"config_path": server.config, "repo_path": None}
    unforeseen = {"foreseen": False}
    unchecked = there | {"check": False}
    of_the_stack = {
        "service": "postgres-master", "project": stack.project, "config_path": "/nonexistent", "login_host": "127.0.0.1",
        "login_port": stack.port("POSTGRES"), "login_password": stack.secret("postgres-superuser-password"),
    }  # fmt: skip
    return Case(
        scenes={
            "base": Scene(unchecked, "changed"),
            "as it is": Scene(as_it_is, around=server.settled),
            "checked": Scene(there, "changed"),
            "no stanza can be made": Scene(
                there | {"repo_path": f"{server.repository}/archive/main/archive.info/x"}, "failed", **unforeseen
            ),
            "written": Scene(there | {"config_path": server.config}, around=server.settled),
            "encrypted": Scene(there | {"repo_path": server.encrypted}, "failed", **unforeseen),
            "nothing written": Scene(there | {"config_path": "/nonexistent", "repo_path": None}, "failed"),
            "of the stack": Scene(of_the_stack, "failed"),
        },
        options={
            "stanza": Other("other"),
            "config_path": Other("/var/lib/postgresql/data{work}/another.conf"),
            "repo_path": Other(f"{server.repository}/another", scene="written", check=True),
            "repo_cipher_pass": Other(server.passphrase, scene="encrypted", fails=True),
            "retention_full": Other(7, scene="written", check=True),
            "compress_type": Other("gz", scene="written", check=True),
            "jobs": Other(3, scene="written", check=True),
            "check": Other(True),
            "archive_timeout": Other(0, scene="checked", fails=True),
            "project": Other("nothing", scene="of the stack"),
            "service": Other("nginx", scene="of the stack"),
            "container": Other("nothing", scene="nothing written"),
            "bin_dir": Other("/nonexistent"),
            "tools_user": Other("root"),
            "work_dir": Other("/nonexistent", fails=True),
            "tools_login_host": Other("127.0.0.2", scene="checked"),
            "tools_login_port": Other(1, scene="checked", fails=True),
            "login_host": Other("127.0.0.2", scene="nothing written"),
            "login_port": Other(world.closed_port, scene="nothing written"),
            "login_user": Other("nobody", scene="nothing written"),
            "login_password": Other("wrong-password", scene="nothing written"),
            "login_db": Other("nothing", scene="nothing written"),
            "ssl_mode": Other("require", scene="nothing written"),
            "ca_cert": Other(stack.ca, scene="nothing written"),
            "docker_host": Other("unix:///nonexistent/docker.sock", scene="nothing written"),
        },
        noise=TOOLS_RUN,
    )
