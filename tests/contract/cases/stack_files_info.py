from ansible_collections.astraldraft.ops.tests.contract.lib.case import Case, Other, Scene

FILES = {"site/secret": "a secret\n", "site/conf.d/x.conf": "x\n", "other/x": "other\n"}


def case(_world):
    there = {"paths": ["{work}/site", "{work}/nothing"]}
    return Case(
        scenes={
            "base": Scene(there, files=FILES),
            "nothing": Scene({"paths": ["{work}/nothing"]}),
            "relative": Scene({"paths": ["site"]}, "failed", FILES),
        },
        options={
            "paths": Other(["{work}/other"]),
            "max_bytes": Other(1, fails=True),
        },
        # The names and the times of the folders are in it.
        reduced={"content": type},
    )
