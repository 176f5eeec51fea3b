from ansible_collections.astraldraft.ops.tests.contract.lib.case import Case, Other, Scene


def case(world):
    certified = world.certified
    endpoint = {
        "host": "127.0.0.1", "port": certified.tls_port, "names": ["a.test"], "ca_path": certified.trusted,
        "certificate_path": str(certified.tls / "server.crt"), "server": certified.directory,
    }  # fmt: skip
    ask = {"endpoints": [endpoint], "server_ca_path": certified.server_ca}
    return Case(
        scenes={
            "base": Scene(ask),
            "hung": Scene({"endpoints": [{"host": "127.0.0.1", "port": world.hanging.port}], "timeout": 0.2}),
            "nobody": Scene({"endpoints": []}, "failed"),
        },
        options={
            "endpoints.name": Other("another"),
            "endpoints.host": Other("127.0.0.2"),
            "endpoints.port": Other(world.closed_port),
            "endpoints.names": Other(["a.test", "c.test"]),
            "endpoints.ca_path": Other(None),
            "endpoints.certificate_path": Other(str(certified.own / "other.test.crt")),
            "endpoints.server": Other(None),
            "server_ca_path": Other(None),
            "renew_fraction": Other(1.1),
            "fraction_warn": Other(1.1),
            "fraction_fail": Other(1.1),
            "timeout": Other(0.4, scene="hung"),
            "operation_token": Other(8, scene="locked"),
        },
        reduced={"days_left": lambda value: value is None, "fraction_left": lambda value: value is None},
    )
