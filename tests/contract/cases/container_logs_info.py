import datetime
import gzip

from ansible_collections.astraldraft.ops.tests.contract.lib.case import Case, Other, Scene

GONE = "aaaaaaaaaaaa"


def lines(*ago_and_text):
    now = datetime.datetime.now(datetime.UTC)
    return "".join(f"{now - datetime.timedelta(minutes=ago):%Y-%m-%dT%H:%M:%S.%f}000Z {text}\n" for ago, text in ago_and_text)


def case(world):
    small = world.small
    said = lines(
        (90, '{"status":502,"path":"/a"}'), (30, '{"status":502,"path":"/b"}'), (20, '{"status":500,"path":"/b"}'), (10, "no JSON"),
        (10, "x" * 20000),
    )  # fmt: skip
    archives = {f"logs/gone-1-{GONE}/log.gz": gzip.compress(said.encode())}
    there = {"project": small.project, "services": ["gone"], "archive_folder": "{work}/logs", "since": "1d"}
    grouped = there | {"where": ["status=~5.."], "group_by": ["status", "path"]}
    by_pattern = there | {"pattern": '"path":"(?P<where>[^"]*)"', "group_by": ["where"]}
    return Case(
        scenes={
            "base": Scene(grouped, files=archives),
            "all lines": Scene(there, files=archives),
            "by a pattern": Scene(by_pattern, files=archives),
            "the engine's own": Scene({"project": small.project, "services": ["app-blue", "nothing"], "since": "7d"}),
            "damaged": Scene(there, files={f"logs/gone-1-{GONE}/log.gz": archives[f"logs/gone-1-{GONE}/log.gz"][:40]}),
            "no engine": Scene(there | {"docker_host": "unix:///nonexistent/docker.sock"}, files=archives),
            "no engine, no archive": Scene({"project": "x", "services": ["x"], "docker_host": "unix:///nonexistent/docker.sock"}),
            "no pattern": Scene(there | {"pattern": "(("}, "failed"),
            "no window": Scene(there | {"until": "2d"}, "failed"),
        },
        options={
            "project": Other("nothing", scene="the engine's own"),
            "services": Other(["nothing"]),
            "archive_folder": Other("{work}/elsewhere"),
            "since": Other("1h"),
            "until": Other("25m"),
            "pattern": Other('"path":"(?P<where>[^"]*a)"', scene="by a pattern"),
            "where": Other(["status=500"]),
            "group_by": Other(["status"]),
            "top": Other(1),
            "samples": Other(1),
            "bucket": Other("1h"),
            "timeout": Other(0, fails=True),
            "docker_host": Other("unix:///var/run/docker.sock"),
        },
        noise=[r"\d{4}-\d\d-\d\dT[\d:.]+Z"],
        # What is where in a window that moves, and what a server has said meanwhile.
        reduced={"buckets": len, "per_minute": bool, "summary": bool, "bytes": bool},
    )
