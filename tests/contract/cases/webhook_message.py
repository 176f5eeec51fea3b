from ansible_collections.astraldraft.ops.tests.contract.lib.case import Case, Other, Scene
from ansible_collections.astraldraft.ops.tests.contract.lib.http_options import closed
from ansible_collections.astraldraft.ops.tests.contract.lib.stub import told

CALM = {"limited": {"count": 0, "seconds": 1}}


def case(world):
    stub = world.stack.url("STUB")
    chat = {"url": stub + "/webhook/chat", "payload": {"text": "Logins work again."}}
    signed = chat | {"url": stub + "/webhook/signed", "key": "demo-webhook-key", "id": "msg_1"}
    later = told(world, "signed_webhook", CALM, limited={"count": 1, "seconds": 1})
    return Case(
        scenes={
            "base": Scene(chat, "changed"),
            "signed": Scene(signed, "changed"),
            "later": Scene(signed, "changed", around=later),
            "a wrong key": Scene(signed | {"key": "another-key-of-ours"}, "failed", foreseen=False),
            "a short key": Scene(signed | {"key": "short"}, "failed"),
            "no address": Scene(chat | {"url": "webhook"}, "failed"),
            "refused": Scene(chat | {"url": closed(world)}, "failed", foreseen=False),
            "hung": Scene(chat | {"url": f"http://127.0.0.1:{world.hanging.port}", "timeout": 0.2}, "failed", foreseen=False),
            "tls": Scene(chat | {"url": f"https://127.0.0.1:{world.stack.port('LB_TLS')}/x"}, "failed", foreseen=False),
        },
        options={
            "url": Other(stub + "/webhook/chat/others"),
            "payload": Other({"text": "They do."}),
            "id": Other("msg_2", scene="signed"),
            "key": Other("another-key-of-ours", scene="signed", fails=True),
            "wait_timeout": Other(0, scene="later", fails=True),
            "timeout": Other(0.4, scene="hung"),
            "proxy": Other(closed(world), scene="hung"),
            "validate_certs": Other(False, scene="tls"),
            "ca_path": Other(world.stack.ca, scene="tls"),
            "operation_token": Other(8, scene="locked"),
        },
        noise=[r"msg_[0-9a-f]{32}", r"v1,[\w+/=]{44}"],
    )
