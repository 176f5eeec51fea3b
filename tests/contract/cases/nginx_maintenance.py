import contextlib
import shutil
import time

from ansible_collections.astraldraft.ops.plugins.module_utils import _nginx_maintenance as rules
from ansible_collections.astraldraft.ops.plugins.modules import nginx_maintenance
from ansible_collections.astraldraft.ops.tests.contract.lib.case import Case, Other, Scene
from ansible_collections.astraldraft.ops.tests.contract.lib.world import command

DEFAULTS = {name: option.get("default") for name, option in nginx_maintenance.SPEC.items()}
ENDS = "2100-01-01T00:00:00Z"


def case(world):
    small = world.small
    folder = small.upstream.parent / "maintenance"
    closed = {"project": small.project, "path": str(folder), "ends_at": ENDS, "maximum_duration": "40000d"}
    queue, absent = closed | {"mode": "queue", "settle_seconds": 0.2}, {"project": small.project, "path": str(folder), "state": "absent"}

    def lay(args, switched):
        """The files as the module writes them, with nginx told."""
        shutil.rmtree(folder, ignore_errors=True)
        if args:
            folder.mkdir()
            plan = rules.planned(DEFAULTS | args, time.time())
            inside = "/etc/nginx/upstreams/maintenance"
            (folder / rules.HTTP).write_text(rules.render_http(plan, inside), encoding="utf-8")
            (folder / rules.SERVER).write_text(rules.render_server(plan, inside), encoding="utf-8")
            if switched:
                (folder / rules.SWITCH).write_text("", encoding="utf-8")
        small.blue_serves()

    def found(args=None, switched=False):
        @contextlib.contextmanager
        def around(_work):
            lay(args, switched)
            try:
                yield
            finally:
                lay(None, False)

        return around

    @contextlib.contextmanager
    def somebody_waits(work):
        with found()(work), small.half_a_request():
            yield

    @contextlib.contextmanager
    def deaf(work):
        with found()(work):
            command("docker", "kill", "--signal", "STOP", f"{small.project}-nginx-1")
            try:
                yield
            finally:
                command("docker", "kill", "--signal", "CONT", f"{small.project}-nginx-1")

    return Case(
        scenes={
            "base": Scene(closed, "changed", around=found()),
            "closed already": Scene(closed, around=found(closed, switched=True)),
            "prepared": Scene(closed | {"state": "prepared"}, "changed", around=found()),
            "prepared already": Scene(closed | {"state": "prepared"}, around=found(closed)),
            "from prepared": Scene(closed, "changed", around=found(closed)),
            "queue": Scene(queue, "changed", around=found()),
            "opened": Scene(absent, "changed", around=found(closed, switched=True)),
            "open already": Scene(absent, around=found()),
            "in use": Scene(closed | {"drain_timeout": 10}, "changed", around=somebody_waits),
            "no nginx": Scene(closed | {"service": "nothing"}, "failed"),
            "over": Scene(closed | {"ends_at": "2025-01-01T00:00:00Z"}, "failed", around=found()),
            "too long": Scene(closed | {"maximum_duration": "1h"}, "failed", around=found()),
            "refused": Scene(queue | {"queue_listen": "203.0.113.77:8999"}, "failed", around=found(), foreseen=False),
            "deaf": Scene(closed | {"wait_timeout": 1}, "failed", around=deaf, foreseen=False),
        },
        options={
            "project": Other("nothing", fails=True),
            "service": Other("app-blue", fails=True),
            "path": Other(f"{small.upstream.parent}/other", fails=True),
            "state": Other("absent", check=True),
            "mode": Other("queue", check=True),
            "ends_at": Other("2100-01-02T00:00:00Z", check=True),
            "maximum_duration": Other("1h", fails=True),
            "title": Other("Another service", check=True),
            "words": Other("something is moved", check=True),
            "bypass_addresses": Other(["192.0.2.0/24"], check=True),
            "bypass_token": Other("a-token-that-nobody-guesses"),
            "exempt_paths": Other(["/health"], check=True),
            "json_paths": Other(["/v1/"], check=True),
            "queue_seconds": Other(5, scene="queue", check=True),
            "queue_requests": Other(10, scene="queue", check=True),
            "queue_listen": Other("127.0.0.1:8998", scene="queue", check=True),
            "settle_seconds": Other(3, scene="queue", slower=0.8),
            "drain_timeout": Other(0.1, scene="in use"),
            "wait_timeout": Other(2, scene="deaf"),
            "docker_host": Other("unix:///var/run/docker.sock"),
        },
        noise=[r"\d+#\d+", r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d"],
        reduced={"reload_seconds": lambda value: value is None, "seconds_left": lambda value: value > 0},
    )
