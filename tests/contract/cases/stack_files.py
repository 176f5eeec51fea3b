from ansible_collections.astraldraft.ops.tests.contract.lib.backup_files import in_base64, packed
from ansible_collections.astraldraft.ops.tests.contract.lib.case import Case, Other, Scene

CONTENT, OTHER = in_base64(packed({"secret": "a secret\n"})), in_base64(packed({"secret": "another\n"}))


def case(_world):
    there = {"content": CONTENT, "root": "{work}/out", "suffix": "old"}
    return Case(
        scenes={
            "base": Scene(there, "changed", {"out/site/x": ""}),
            "there already": Scene(there, files={"out/site/secret": "a secret\n"}),
            "altered": Scene(there, "changed", {"out/site/secret": "altered\n"}),
            "a folder": Scene(there, "failed", {"out/site/secret/x": ""}),
            "no archive": Scene(there | {"content": "bm90aGluZw=="}, "failed"),
        },
        options={
            "content": Other(OTHER),
            "root": Other("{work}/elsewhere", fails=True),
            "suffix": Other("older", scene="altered"),
        },
    )
