import contextlib
import shutil

from ansible_collections.astraldraft.ops.tests.contract.lib.case import Case, Other, Scene
from ansible_collections.astraldraft.ops.tests.contract.lib.world import NOBODY, command


def case(world):
    small = world.small
    folder = small.upstream.parent / "fallback"
    season = {"project": small.project, "path": str(folder), "name": "season", "paths": ["/api/season"], "body": {"season": None}}
    gone = {"project": small.project, "path": str(folder), "name": "season", "state": "absent"}
    opened = "# Written by astraldraft.ops.nginx_fallback; changes made by hand are lost.\n# BEGIN {0}\n# opened by {1}\n# END {0}\n"

    @contextlib.contextmanager
    def clean(_work):
        shutil.rmtree(folder, ignore_errors=True)
        small.traffic(NOBODY)
        yield

    def open_by(who):
        @contextlib.contextmanager
        def one_open(work):
            with clean(work):
                folder.mkdir(mode=0o755)
                (folder / "server.conf").write_text(opened.format("season", who), encoding="utf-8")
                yield

        return one_open

    @contextlib.contextmanager
    def refused(work):
        broken = small.upstream.parent / "broken.conf"
        with clean(work):
            broken.write_text("nonsense;\n", encoding="utf-8")
            try:
                yield
            finally:
                broken.unlink()

    @contextlib.contextmanager
    def deaf(work):
        with clean(work):
            command("docker", "kill", "--signal", "STOP", f"{small.project}-nginx-1")
            try:
                yield
            finally:
                command("docker", "kill", "--signal", "CONT", f"{small.project}-nginx-1")

    return Case(
        scenes={
            "base": Scene(season, "changed", around=clean),
            "closed": Scene(gone, "changed", around=open_by("health")),
            "closed already": Scene(gone, around=clean),
            "by hand": Scene(gone | {"opened_by": "health"}, around=open_by("hand")),
            "the whole service": Scene(season | {"paths": ["/"]}, "failed", around=clean),
            "no include": Scene(season | {"path": str(small.upstream.parent / "other")}, "failed", around=clean),
            "no method": Scene(season | {"methods": ["GET", "X" * 40]}, "failed", around=clean),
            "a broken neighbour": Scene(season, "failed", around=refused),
            "no nginx": Scene(season | {"service": "nothing"}, "failed"),
            "deaf": Scene(season | {"wait_timeout": 1}, "failed", around=deaf, foreseen=False),
        },
        options={
            "project": Other("nothing", fails=True),
            "service": Other("app-blue", fails=True),
            "path": Other(str(small.upstream.parent / "other"), fails=True),
            "name": Other("scores", check=True),
            "state": Other("absent", check=True),
            "paths": Other(["/api/scores/"], check=True),
            "status": Other(503, check=True),
            "body": Other([1, 2], check=True),
            "retry_after": Other(5, check=True),
            "methods": Other(["GET", "POST"], check=True),
            "opened_by": [Other("health", check=True), Other("hand", scene="by hand", check=True)],
            "wait_timeout": Other(2, scene="deaf"),
            "docker_host": Other("unix:///var/run/docker.sock"),
        },
        noise=[r"\d+#\d+", r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d"],
        reduced={"reload_seconds": lambda value: value is None},
    )
