from ansible_collections.astraldraft.ops.tests.contract.lib.case import MILLISECONDS_LEFT, Case, Other, Scene


def kinds(value):
    """What of a nested answer does not depend on when it was asked: its keys and types."""
    if isinstance(value, dict):
        return {key: kinds(item) for key, item in value.items()}
    return type(value).__name__


def case(world):
    stack = world.stack
    login = {
        "login_host": "127.0.0.1", "login_port": stack.port("POSTGRES"), "login_user": "astral_monitor",
        "login_password": stack.secret("postgres-monitor-password"), "login_db": "astral_draft_v4",
    }  # fmt: skip
    address = {"login_host": "127.0.0.1", "login_port": stack.port("POSTGRES")}
    container = {"project": stack.project, "services": ["postgres-replica"]}
    refused = login | {"login_port": world.closed_port}
    # Other sessions come and go, and everything ages; the figures say what they are judged by.
    changing = (
        "transactions", "blocked", "blockers", "vacuum_holders", "standbys", "slots", "databases", "tables", "dead_tables", "statements",
        "checkpoints", "counts", "summary", "table", "value", "message", "started", "kept", "total", "duplicate", "unused",
        "missing", "invalid",
    )  # fmt: skip
    return Case(
        scenes={
            "base": Scene(login),
            "replica": Scene(login | {"replicas": [address]}),
            "found": Scene(login | {"replicas": [container]}),
            "hung": Scene(login | {"login_port": world.hanging.port, "timeout": 0.3}),
            "refused": Scene(refused),
            "gated": Scene(refused | {"gate": True}, "failed"),
            "no such figure": Scene(login | {"thresholds": {"conections": {"warn": 1}}}, "failed"),
        },
        options={
            "login_host": Other("127.0.0.2"),
            "login_port": Other(world.closed_port),
            "login_user": Other("nobody"),
            "login_password": Other("wrong-password"),
            "login_db": Other("postgres"),
            "ssl_mode": Other("require"),
            "ca_cert": Other(stack.ca),
            "timeout": Other(1.2, scene="hung", slower=0.5),
            "role": Other("replica"),
            "standbys": Other(9),
            "replicas.login_host": Other("127.0.0.2", scene="replica"),
            "replicas.login_port": Other(world.closed_port, scene="replica"),
            "replicas.project": Other("nothing", scene="found"),
            "replicas.services": Other(["postgres-master"], scene="found"),
            "thresholds": Other({"wraparound": {"warn": 0}}),
            "dead_tuples_minimum": Other(7),
            "unused_index_min_days": Other(900),
            "missing_index_min_bytes": Other(7),
            "limit": Other(3),
            "gate": Other(True, scene="refused", fails=True),
            "docker_host": Other("unix:///var/run/docker.sock", scene="found"),
        },
        noise=[r"since \d+(\.\d+)? \w+", r"\d+(\.\d+)? (s|min|h|d|bytes|KiB|MiB|GiB)\b", r"only since \d+\.\d+ days", *MILLISECONDS_LEFT],
        # By whom: whoever is there at the moment.
        reduced=dict.fromkeys(changing, kinds) | {"connections": sorted},
    )
