from ansible_collections.astraldraft.ops.tests.contract.lib.case import Case, Other, Scene
from ansible_collections.astraldraft.ops.tests.contract.lib.mailboxes import REFUSED, mailbox
from ansible_collections.astraldraft.ops.tests.unit.plugins.module_utils.mailbox import PASSWORD


def case(world):
    port, certificate = mailbox()
    mail = {
        "host": "localhost", "port": port, "security": "none", "sender": "ops@astraldraft.test", "to": ["ada@astraldraft.test"],
        "subject": "Resolved", "text": "Logins work again.",
    }  # fmt: skip
    encrypted = mail | {"security": "starttls", "ca_path": certificate}
    login = encrypted | {"login_user": "ops", "login_password": PASSWORD}
    return Case(
        scenes={
            "base": Scene(mail, "changed"),
            "encrypted": Scene(encrypted, "changed"),
            "logged in": Scene(login, "changed"),
            "known by its id": Scene(mail | {"id": "incident-1"}, "changed"),
            "not for all": Scene(mail | {"to": ["ada@astraldraft.test", REFUSED]}, "changed"),
            "for nobody": Scene(mail | {"to": [REFUSED]}, "failed", foreseen=False),
            "no address": Scene(mail | {"to": ["ada"]}, "failed"),
            "not known": Scene(mail | {"security": "starttls"}, "failed", foreseen=False),
            "hung": Scene(mail | {"host": "127.0.0.1", "port": world.hanging.port, "timeout": 0.2}, "failed", foreseen=False),
            "wrong password": Scene(login | {"login_password": PASSWORD[::-1]}, "failed", foreseen=False),
        },
        options={
            "host": Other("127.0.0.1"),
            "port": Other(world.closed_port, fails=True),
            "security": Other("none", scene="encrypted"),
            "login_user": Other(None, scene="wrong password", fails=True),
            "login_password": Other(PASSWORD[::-1], scene="logged in", fails=True),
            "sender": Other("others@astraldraft.test"),
            "to": Other(["grace@astraldraft.test"]),
            "subject": Other("Over"),
            "text": Other("It is over."),
            "id": Other("incident-2", scene="known by its id"),
            "timeout": Other(0.4, scene="hung"),
            "validate_certs": Other(False, scene="not known", fails=True),
            "ca_path": Other(certificate, scene="not known", fails=True),
            "operation_token": Other(8, scene="locked"),
        },
        noise=[r"<[0-9a-f]{32}@", r"\w{3}, \d\d \w{3} \d{4} [\d:]{8} \+0000"],
    )
