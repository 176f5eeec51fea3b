import contextlib
import datetime

from ansible_collections.astraldraft.ops.tests.contract.cases.release_history import FIRST, lines
from ansible_collections.astraldraft.ops.tests.contract.lib.case import Case, Other, Scene
from ansible_collections.astraldraft.ops.tests.contract.lib.world import NOBODY, command


def release(identifier, event, **more):
    started = FIRST | {"release": identifier} | more
    return [started, *({"time": started["time"], "event": event, "release": identifier} for event in ("switched", event))]


def image_of(name):
    return command("docker", "image", "inspect", "--format", "{{.Id}}", f"astraldraft/{name}")


def proved():
    """The record of a small project: blue is live, and green was proved since its container was made."""
    now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    image = image_of("nginx:forky")
    here = {"image": image, "digest": image, "environment": "throwaway", "replicas": 1, "time": now}
    green = release("one", "healthy", service="app-green", **here)
    blue = release("two", "healthy", service="app-blue", **(here | {"version": "v1.2.4", "digest": image_of("app:v1.2.4")}))
    return {"releases.jsonl": lines(*green, *blue)}


def twice():
    """The same with an older release, with another environment, to which one can go back as well."""
    older = release("zero", "healthy", service="app-green", environment="9f86", image=image_of("app:v1.2.4"), digest=image_of("app:v1.2.4"))
    return {"releases.jsonl": lines(*older) + proved()["releases.jsonl"]}


def case(world):
    stack, small = world.stack, world.small
    there = {"colours": ["app-blue", "app-green"], "history_path": "{work}/releases.jsonl"}
    on_stack = there | {"project": stack.project, "upstream_path": stack.upstream}
    deploy = on_stack | {"operation": "deploy", "version": "v1.2.4", "image": "astraldraft/app", "environment": "9f86"}
    on_small = there | {"project": small.project, "upstream_path": str(small.upstream)}
    first = deploy | on_small | {"operation": "deploy"}
    back = on_small | {"operation": "rollback", "health_port": 3000, "health_path": "/health", "health_timeout": 5}
    other_image = image_of("app:v1.2.4")
    bad = lines(*release("one", "taken_back", version="v1.2.4", digest=other_image, image=other_image))

    hanging = f"http://127.0.0.1:{world.hanging.port}/"

    @contextlib.contextmanager
    def nobody(_work):
        small.traffic(NOBODY)
        yield

    @contextlib.contextmanager
    def blue(_work):
        small.blue_serves()
        yield

    return Case(
        scenes={
            "base": Scene(deploy),
            "as things stand": Scene(on_stack),
            "first": Scene(first, around=nobody),
            "back": Scene(back, files=proved(), around=blue),
            "configured": Scene(on_small | {"operation": "reconfigure", "environment": "9f86"}, files=proved(), around=blue),
            "back elsewhere": Scene(back, files=twice(), around=blue),
            "staged": Scene(deploy | {"staging_releases": "{work}/staging.json"}, files={"staging.json": "[]"}),
            "quarantined": Scene(deploy, files={"releases.jsonl": bad}),
            "staging hangs": Scene(deploy | {"staging_releases": hanging, "staging_timeout": 0.2}, "failed"),
            "no nginx": Scene(deploy | {"balancer": "nothing"}, "failed"),
            "no engine": Scene(deploy | {"docker_host": "unix:///nonexistent/docker.sock"}, "failed"),
        },
        options={
            "operation": [Other("none"), Other("none", scene="configured")],
            "project": Other(small.project, fails=True),
            "colours": Other([stack.live, "app-red"]),
            "balancer": Other("prometheus", fails=True),
            "upstream_path": Other(f"{stack.state}/nginx/upstreams/other.conf"),
            "history_path": Other(str(stack.state / "releases.jsonl")),
            "version": Other("v9.9.9"),
            "image": Other("astraldraft/nothing"),
            "environment": [Other("0a1b"), Other("0a1b", scene="configured")],
            "other_environment": Other(True, scene="back elsewhere"),
            "replicas": Other(3, scene="first"),
            "keep_warm_seconds": Other(0, scene="back"),
            "overrides": [Other(["staging"], scene="staged"), Other(["quarantine"], scene="quarantined")],
            "emergency": Other(True, scene="staged"),
            "health_port": Other(3001, scene="back"),
            "health_path": Other("/nothing", scene="back"),
            "health_version_path": Other("release", scene="back"),
            "health_timeout": Other(0.3, scene="back", together={"health_path": "/trickle"}),
            "staging_releases": Other(None, scene="staged"),
            "staging_timeout": Other(1.2, scene="staging hangs", slower=0.4),
            "docker_host": Other("unix:///var/run/docker.sock"),
        },
    )
