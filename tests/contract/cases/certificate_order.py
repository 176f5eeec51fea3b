from ansible_collections.astraldraft.ops.tests.contract.lib.case import Case, Other, Scene


def case(world):
    certified = world.certified
    order = {
        "name": "one", "names": ["a.test"], "path": "{work}/acme", "webroot": str(certified.webroot), "challenge_urls": [certified.url],
        "server": certified.directory, "certbot_path": certified.certbot,
    }  # fmt: skip
    known = {"acme/live/one/fullchain.pem": certified.issued[0]}
    refused = f"http://127.0.0.1:{world.closed_port}"
    return Case(
        scenes={
            "base": Scene(order, "changed"),
            "not due": Scene(order, files=known),
            "not due, as its authority knows": Scene(order | {"server_ca_path": certified.server_ca}, files=known),
            "silent authority": Scene(order | {"server": f"http://127.0.0.1:{world.hanging.port}", "timeout": 0.2}, files=known),
            "slow": Scene(order | {"names": ["slow.test"]}, "changed"),
            "rejected": Scene(order | {"names": ["refused.test"]}, "failed", foreseen=False),
            "no webroot": Scene(order | {"webroot": "{work}/none"}, "failed"),
            "no names": Scene(order | {"names": []}, "failed"),
        },
        options={
            "name": Other("two"),
            "names": Other(["a.test", "www.a.test"]),
            "path": Other("{work}/elsewhere"),
            "webroot": Other("{work}", fails=True),
            "challenge_urls": Other([refused], fails=True),
            "server": Other(refused),
            "server_ca_path": Other(certified.server_ca, scene="not due"),
            "email": Other("ops@a.test"),
            "key_type": Other("rsa"),
            "certbot_path": Other("/nonexistent/certbot", fails=True),
            "force": Other(True, scene="not due", check=True),
            "renew_fraction": Other(1.1, scene="not due", check=True),
            "wait_timeout": Other(0.0, scene="slow", fails=True),
            "timeout": Other(0.4, scene="silent authority"),
        },
        noise=[r"astraldraft-[0-9a-f]{16}"],
    )
