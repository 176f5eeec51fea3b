from ansible_collections.astraldraft.ops.tests.contract.lib.case import Case, Other, Scene

SEAL = "# sha256 {0}\n".format("0" * 64)
FILES = {
    "one.env": 'API_WORD="a"\nLEVEL="info"\nURL="https://ada:hunter22@one/"\n',
    "two.env": 'API_WORD="b"\nLEVEL="debug"\nURL="https://ada:hunter22@two/"\n',
    "edited.env": 'LEVEL="trace"\n' + SEAL,
}


def case(_world):
    there = {"path": "{work}", "before": "one", "after": "two"}
    return Case(
        scenes={
            "base": Scene(there, files=FILES),
            "edited": Scene(there | {"after": "edited"}, files=FILES),
            "gone": Scene(there | {"after": "gone"}, files=FILES),
            "not kept yet": Scene({"path": "{work}", "before": "one", "content": 'LEVEL="CHANGEME"\n'}, files=FILES),
            "no pattern": Scene(there | {"patterns": {"LEVEL": "("}}, "failed", files=FILES),
        },
        options={
            "path": Other("{work}/other"),
            "before": Other("edited"),
            "after": Other("one"),
            "content": Other('LEVEL="warning"\n', scene="not kept yet"),
            "required": Other(["TOKEN"]),
            "patterns": Other({"LEVEL": "info|warning"}),
            "hidden": Other(["API_WORD"]),
        },
    )
