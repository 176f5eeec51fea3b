from ansible_collections.astraldraft.ops.tests.contract.lib.case import MILLISECONDS_LEFT, Case, Other, Scene


def case(world):
    stack = world.stack
    primary = {"name": "primary", "login_host": "127.0.0.1", "login_port": stack.port("POSTGRES")}
    replica = {"name": "replica", "project": stack.project, "service": "postgres-replica"}
    container = stack.containers("postgres-replica")[0]["Name"].lstrip("/")
    down = {"name": "down", "project": stack.project, "service": "postgres-replica", "login_port": 1}
    there = {
        "servers": [primary, replica], "login_user": "postgres", "login_password": stack.secret("postgres-superuser-password"),
        "login_db": "astral_draft_v4", "max_lag_bytes": 2**40, "max_lag_seconds": 1e6,
    }  # fmt: skip
    changing = ("lsn", "received_lsn", "replayed_at", "lag_bytes", "missing_bytes", "lag_seconds", "slots", "standbys")
    return Case(
        scenes={
            "base": Scene(there),
            "replica": Scene(there | {"servers": [replica, primary]}),
            "down": Scene(there | {"servers": [down, primary]}),
            "by container": Scene(there | {"servers": [{"name": "replica", "container": container}, primary]}),
            "by the general host": Scene(
                there | {"login_host": "127.0.0.1", "servers": [{"name": "primary", "login_port": stack.port("POSTGRES")}]}
            ),
            "hung": Scene(there | {"servers": [primary | {"login_port": world.hanging.port}], "timeout": 0.3}),
            "nobody knows": Scene(there | {"servers": [replica]}),
            "a name twice": Scene(there | {"servers": [primary, primary]}, "failed"),
        },
        options={
            "servers": Other([primary]),
            "servers.name": Other("another"),
            "servers.login_host": Other("127.0.0.2"),
            "servers.login_port": Other(world.closed_port),
            "servers.project": Other("nothing", scene="replica"),
            "servers.service": Other("postgres-master", scene="replica"),
            "servers.container": Other("nothing", scene="by container"),
            "servers.data_path": Other("/nonexistent", scene="down"),
            "login_host": Other("127.0.0.2", scene="by the general host"),
            "login_user": Other("nobody"),
            "login_password": Other("wrong-password"),
            "login_db": Other("nothing"),
            "ssl_mode": Other("require"),
            "ca_cert": Other(stack.ca),
            "docker_host": Other("unix:///nonexistent/docker.sock", scene="replica"),
            "max_lag_bytes": Other(-1),
            "max_lag_seconds": Other(-1, together={"max_lag_bytes": 2**40}),
            "accept_unknown": Other(True, scene="nobody knows"),
            "timeout": Other(2.5, scene="hung", slower=0.5),
        },
        without_effect={"login_port": "Not used, each server has a port of its own."},
        noise=[r"is \d+ bytes behind", *MILLISECONDS_LEFT],
        reduced=dict.fromkeys(changing, type),
    )
