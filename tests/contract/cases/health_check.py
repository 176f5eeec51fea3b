from ansible_collections.astraldraft.ops.tests.contract.lib.case import MILLISECONDS_LEFT, Case, Other, Scene
from ansible_collections.astraldraft.ops.tests.contract.lib.world import command


def one(**check):
    return Scene({"checks": [check]})


def case(world):
    stack, small = world.stack, world.small
    lb, tls_port = stack.url("LB"), stack.port("LB_TLS")
    health = f"{lb}/api/health"
    # Another one's since a failover.
    node = command("docker", "exec", f"{stack.project}-redis-1-1", "redis-cli", "role").split()[0]
    redis = {"type": "redis", "login_host": "127.0.0.1", "login_port": stack.port("REDIS")}
    # Nobody speaks Redis there, but TLS is spoken before that.
    redis_tls = {"type": "redis", "login_host": "127.0.0.1", "login_port": tls_port, "tls": True}
    postgres = {
        "type": "postgres", "login_host": "127.0.0.1", "login_port": stack.port("POSTGRES"), "login_user": "astral_monitor",
        "login_password": stack.secret("postgres-monitor-password"), "login_db": "astral_draft_v4",
    }  # fmt: skip
    standby = {key: value for key, value in postgres.items() if key not in ("login_host", "login_port")}
    certificate = {"type": "tls", "host": "127.0.0.1", "port": tls_port, "ca_path": stack.ca}
    refused = {"type": "http", "url": f"http://127.0.0.1:{world.closed_port}/"}
    live = {"checks.expected_version": stack.live_version}
    return Case(
        scenes={
            "base": one(type="http", url=health),
            "json": one(type="http", url=health, json=[{"path": "status", "equals": "ok"}]),
            "replicas": one(type="http", project=stack.project, services=[stack.live], port=3000, path="/api/health"),
            "https": one(type="http", url=f"https://127.0.0.1:{tls_port}/api/health"),
            "not found": one(type="http", url=f"{lb}/nothing/like/it"),
            "refused": one(**refused),
            "hung": one(type="http", url=f"http://127.0.0.1:{world.hanging.port}/", timeout=0.2),
            "tcp": one(type="tcp", host="127.0.0.1", port=tls_port),
            "tls": one(**certificate),
            "postgres": one(**postgres),
            "standby": one(**standby, project=stack.project, services=["postgres-replica"]),
            "redis": one(**redis),
            "redis tls": one(**redis_tls),
            "redis tls with a certificate": one(**redis_tls, client_cert=stack.ca, client_key=stack.ca),
            "container": one(type="container", project=stack.project, services=["nginx"]),
            "completed": one(type="container", project=small.project, services=["done"]),
            "restarted": one(type="container", project=small.project, services=["restarted"], restart_window=1e6),
            "waiting": Scene({"checks": [refused], "wait": True, "wait_timeout": 2.0, "wait_interval": 1.2}),
            "not configured": one(type="http", url=""),
            "gated": Scene({"checks": [refused], "gate": True}, "failed"),
            "nothing to check": Scene({"checks": []}, "failed"),
        },
        options={
            "checks.name": Other("another"),
            "checks.type": Other("tls", scene="tcp"),
            "checks.required": Other(False, scene="refused"),
            "checks.configured": Other(False),
            "checks.timeout": Other(0.4, scene="hung"),
            "checks.latency_warn": [Other(1e-6, scene=scene) for scene in ("base", "tcp", "postgres", "redis")],
            "checks.latency_fail": [Other(1e-6, scene=scene) for scene in ("base", "tcp", "postgres", "redis")],
            "checks.url": Other(f"{lb}/api/drafts"),
            "checks.services": [
                Other(["app-blue", "app-green", "app-red"], scene="replicas"),
                Other(["postgres-master"], scene="standby"),
                Other(["prometheus"], scene="container"),
            ],
            "checks.project": [Other("nothing", scene=scene) for scene in ("replicas", "standby", "container")],
            "checks.network": Other("nothing", scene="replicas"),
            "checks.scheme": Other("https", scene="replicas"),
            "checks.port": [Other(3001, scene="replicas"), Other(world.closed_port, scene="tcp"), Other(world.closed_port, scene="tls")],
            "checks.path": Other("/api/drafts", scene="replicas"),
            "checks.replicas": [Other(9, scene="replicas"), Other(9, scene="container")],
            "checks.method": Other("HEAD"),
            "checks.headers": Other({"X-Contract": "contract-header"}),
            "checks.host_header": Other("astraldraft.test"),
            "checks.url_username": Other("health-user"),
            "checks.url_password": Other("health-password", together={"checks.url_username": "health-user"}),
            "checks.bearer_token": Other("health-token"),
            "checks.validate_certs": [Other(False, scene="https"), Other(False, scene="redis tls")],
            "checks.ca_path": [Other(stack.ca, scene="https"), Other(stack.ca, scene="redis tls"), Other(None, scene="tls")],
            "checks.client_cert": Other("/nonexistent.pem", scene="redis tls with a certificate"),
            "checks.client_key": Other("/nonexistent.pem", scene="redis tls with a certificate"),
            "checks.status": Other([404]),
            "checks.auth_statuses": Other([404], scene="not found"),
            "checks.external": Other(True, scene="refused"),
            "checks.json.path": Other("version", scene="json"),
            "checks.json.equals": Other("bad", scene="json"),
            "checks.json.one_of": Other(["bad"], scene="json"),
            "checks.json.matches": Other("bad", scene="json"),
            "checks.json.exists": Other(False, scene="json"),
            "checks.contains": Other("nothing like it"),
            "checks.expected_version": Other("v0"),
            "checks.version_path": Other("status", together=live),
            "checks.version_header": Other("Content-Type", together=live),
            "checks.host": [Other("127.0.0.2", scene="tcp"), Other("127.0.0.2", scene="tls")],
            "checks.server_name": Other("wrong.example", scene="tls"),
            "checks.certificate_path": Other(stack.ca, scene="tls"),
            "checks.days_warn": Other(1000, scene="tls"),
            "checks.days_fail": Other(1000, scene="tls"),
            "checks.fraction_warn": Other(1.1, scene="tls"),
            "checks.fraction_fail": Other(1.1, scene="tls"),
            "checks.login_host": [Other("127.0.0.2", scene="postgres"), Other("127.0.0.2", scene="redis")],
            "checks.login_port": [Other(world.closed_port, scene="postgres"), Other(world.closed_port, scene="redis")],
            "checks.login_user": [
                Other("nobody", scene="postgres"),
                Other("nobody", scene="redis", together={"checks.login_password": "redis-password"}),
            ],
            "checks.login_password": [Other("wrong-password", scene="postgres"), Other("redis-password", scene="redis")],
            "checks.login_db": Other("postgres", scene="postgres"),
            "checks.ssl_mode": Other("require", scene="postgres"),
            "checks.ca_cert": Other(stack.ca, scene="postgres"),
            "checks.query": Other("SELECT 2", scene="postgres"),
            "checks.equals": Other(2, scene="postgres"),
            "checks.role": [Other("replica", scene="postgres"), Other("replica" if node == "master" else "primary", scene="redis")],
            "checks.standbys": Other(9, scene="postgres"),
            "checks.max_lag_seconds": Other(-1, scene="standby"),
            "checks.max_lag_bytes": Other(-1, scene="standby"),
            "checks.connections_warn": Other(0, scene="postgres"),
            "checks.connections_fail": Other(0, scene="postgres"),
            "checks.tls": Other(True, scene="redis"),
            "checks.nodes": Other([f"127.0.0.1:{stack.port('REDIS') + 1}"], scene="redis"),
            "checks.cluster": Other(True, scene="redis"),
            "checks.memory_warn": Other(1e-9, scene="redis"),
            "checks.memory_fail": Other(1e-9, scene="redis"),
            "checks.all_services": Other(True, scene="container"),
            "checks.containers": Other([f"{stack.project}-prometheus-1"], scene="container"),
            "checks.completed": Other(["done"], scene="completed"),
            "checks.restart_window": Other(1e-3, scene="restarted"),
            "consecutive": Other(2, together={"interval": 0.01}),
            "interval": Other(0.3, together={"consecutive": 2, "interval": 0.01}),
            "wait": Other(False, scene="waiting"),
            "wait_timeout": Other(0.1, scene="waiting"),
            "wait_interval": Other(1.6, scene="waiting"),
            "gate": Other(True, scene="refused", fails=True),
            "docker_host": Other("unix:///var/run/docker.sock", scene="replicas"),
        },
        noise=[
            r"lag \d+\.\d s",
            r"\d+ of \d+ connections",
            r"lags \d+ \w+",
            r"\d+ of \d+ usable",
            r"uses \d+%",
            r"restarted \d+ s ago",
            *MILLISECONDS_LEFT,
        ],
        reduced=dict.fromkeys(("bytes", "used_memory", "clients", "connections_used", "lag_seconds", "lag_bytes"), type)
        | dict.fromkeys(("days_left", "fraction_left"), round),
    )
