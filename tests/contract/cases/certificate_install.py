import contextlib

from ansible_collections.astraldraft.ops.tests.contract.lib.case import Case, Other, Scene
from ansible_collections.astraldraft.ops.tests.contract.lib.world import command


def case(world):
    certified = world.certified
    certificate, key = certified.other
    install = {
        "project": certified.project, "path": str(certified.tls), "certificate": certificate, "key": key, "names": ["other.test"],
        "port": certified.tls_port, "ca_path": certified.trusted, "wait_timeout": 3,
    }  # fmt: skip
    same = install | {"certificate": certified.issued[0], "key": certified.issued[1], "names": ["a.test"]}
    configuration = certified.folder / "nginx.conf"

    @contextlib.contextmanager
    def plain(_work):
        certified.plain()
        yield

    @contextlib.contextmanager
    def deaf(work):
        """nginx tests what it is given, but its master does not hear the signal to load it."""
        with plain(work):
            command("docker", "kill", "--signal", "STOP", f"{certified.project}-nginx-1")
            try:
                yield
            finally:
                command("docker", "kill", "--signal", "CONT", f"{certified.project}-nginx-1")

    @contextlib.contextmanager
    def broken(work):
        """Somebody has spoilt nginx's configuration."""
        good = configuration.read_text()
        with plain(work):
            configuration.write_text(good + "nonsense;\n")
            try:
                yield
            finally:
                configuration.write_text(good)

    def fails(around=plain, **options):
        return Scene(install | options, "failed", around=around, foreseen=False)

    return Case(
        scenes={
            "base": Scene(install, "changed", around=plain),
            "served already": Scene(same, around=plain),
            "still to be ordered": fails(certificate="", key=""),
            "no nginx": Scene(install | {"service": "nothing"}, "failed", around=plain),
            "the wrong name": Scene(install | {"names": ["a.test"]}, "failed", around=plain),
            "an unknown authority": fails(ca_path=certified.server_ca),
            "a broken hook": fails(hooks=[["true"], ["sh", "-c", "echo no >&2; exit 1"]]),
            "a slow hook": fails(hooks=[["sleep", "5"]], hook_timeout=0.2),
            "hung": fails(port=world.hanging.port, timeout=0.2, wait_timeout=1),
            "deaf": fails(deaf, wait_timeout=1),
            "a broken configuration": fails(broken),
        },
        options={
            "project": Other("nothing", fails=True),
            "service": Other("pebble", fails=True),
            "path": Other(str(certified.own), fails=True),
            "certificate_file": Other("site.crt", fails=True),
            "key_file": Other("site.key", fails=True),
            "certificate": Other("nonsense", fails=True),
            "key": Other("nonsense", fails=True),
            "names": Other(["other.test", "c.test"], fails=True),
            "host": Other("127.0.0.2", fails=True),
            "port": Other(world.closed_port, fails=True),
            "validate_certs": Other(False, scene="an unknown authority", fails=True),
            "ca_path": Other(certified.server_ca, fails=True),
            "hooks": Other([["touch", "{work}/told"]]),
            "hook_timeout": Other(0.4, scene="a slow hook"),
            "keep": Other(1),
            "wait_timeout": Other(2, scene="deaf"),
            "timeout": Other(0.4, scene="hung"),
            "docker_host": Other("unix:///var/run/docker.sock"),
        },
        noise=[r"\d+#\d+", r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d", r"/\.\w{8}\b"],
        reduced={"reload_seconds": lambda value: value is None},
    )
