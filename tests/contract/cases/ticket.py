from ansible_collections.astraldraft.ops.tests.contract.lib.case import Case, Other, Scene
from ansible_collections.astraldraft.ops.tests.contract.lib.http_options import closed, connection_options, connection_scenes
from ansible_collections.astraldraft.ops.tests.contract.lib.stub import told

KEY, OTHER_KEY = "incident-2026-0042", "incident-2026-0043"
LOGINS = {"title": "[SEV-2] Logins fail", "summary": "[SEV-2] Logins fail", "labels": [KEY], "comments": ["We look."]}
DRAFTS = {"title": "Drafts hang", "summary": "Drafts hang", "labels": [OTHER_KEY]}
CALM = {"limited": {"count": 0, "seconds": 1}, "conflict": 0}


def case(world):
    stub = world.stack.url("STUB")
    github = {"tracker": "github", "url": stub + "/github", "project": "astraldraft/operations", "token": "demo-github-token", "key": KEY}
    jira = github | {
        "tracker": "jira",
        "url": stub + "/jira",
        "project": "OPS",
        "token": "demo-jira-token",
        "token_user": "ada@astraldraft.test",
    }
    webhook = github | {"tracker": "webhook", "url": stub + "/webhook/signed", "token": "demo-webhook-key"}
    opening = {"state": "open", "title": "[SEV-2] Logins fail", "body": "a third of them"}
    none, known = there(world, "github"), there(world, "github", LOGINS, DRAFTS)
    in_jira, nothing_in_jira = there(world, "jira", LOGINS), there(world, "jira")
    shared = {name: other for name, other in connection_options(world).items() if name in ("proxy", "validate_certs", "ca_path", "timeout")}
    return Case(
        scenes={
            "base": Scene(github | opening, "changed", around=none),
            "there already": Scene(github | opening, around=known),
            "said": Scene(github | {"comment": "We go back."}, "changed", around=known),
            "said already": Scene(github | {"comment": "We look."}, around=known),
            "worse": Scene(github | {"title": "[SEV-1] Logins fail", "labels": ["database"]}, "changed", around=known),
            "over": Scene(github | {"state": "closed"}, "changed", around=known),
            "nothing to close": Scene(github | {"state": "closed"}, around=none),
            "back": Scene(github | {"state": "open"}, "changed", around=there(world, "github", LOGINS | {"state": "closed"})),
            "by its id": Scene(github | {"id": "1", "comment": "We go back."}, "changed", around=known),
            "nothing to comment on": Scene(github | {"comment": "hello"}, "failed", around=none),
            "in Jira": Scene(jira | opening, "changed", around=nothing_in_jira),
            "over in Jira": Scene(jira | {"state": "closed", "comment": "v1.2.3 was rolled back."}, "changed", around=in_jira),
            "no way in Jira": Scene(jira | {"state": "closed", "transition": "Finish"}, "failed", around=in_jira, foreseen=False),
            "a webhook": Scene(webhook | opening, "changed"),
            "no project": Scene(github | opening | {"project": "astraldraft/none"}, "failed", around=none),
            "later": Scene(github | opening, "changed", around=there(world, "github", limited={"count": 1, "seconds": 1})),
            **connection_scenes(world, github | opening),
        },
        options=shared
        | {
            "tracker": Other("jira", fails=True),
            "url": Other(closed(world), fails=True),
            "project": Other("astraldraft/none", fails=True),
            "token": Other("another-token", fails=True),
            "token_user": Other("grace@astraldraft.test", scene="in Jira", fails=True),
            "key": Other(OTHER_KEY, scene="said"),
            "id": Other("2", scene="by its id"),
            "state": Other("closed", scene="back"),
            "title": Other("[SEV-1] Logins fail"),
            "body": Other("all of them"),
            "labels": Other(["incident"]),
            "people": Other(["ada"]),
            "comment": Other("We wait.", scene="said"),
            "issue_type": Other("Incident", scene="in Jira"),
            "transition": Other("Cancel", scene="over in Jira"),
            "wait_timeout": Other(0, scene="later", fails=True),
        },
        noise=[r"v1,[\w+/=]{44}", r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"],
    )


def there(world, tracker, *issues, **settings):
    return told(world, tracker, CALM | {"issues": []}, issues=list(issues), **settings)
