from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.astraldraft.ops.plugins.filter.diagnosis import diagnosis

RULE = {
    "cause": "full", "title": "Full", "symptoms": ["high_error_rate"], "next": "df -h",
    "for": [{"number": "host.memory_share", "is": ">", "than": 0.9, "weight": 5, "says": "{value} is used"}],
}  # fmt: skip


def host(share):
    return {
        "filesystems": [], "disks": [], "memory": {"used_share": share}, "load": {}, "cpu": {}, "clock": {"synchronised": None},
        "pressure": {name: {"some": None} for name in ("cpu", "memory", "io")},
    }  # fmt: skip


def test_one_dict_with_all_of_it():
    found = diagnosis({"one": {"host": host(0.95)}}, [RULE], about={"at": "now"})
    assert found["verdict"] == "fail" and found["summary"] == "the likeliest cause is full"
    assert found["hypotheses"][0]["for"][0]["says"] == "95.0 % is used"
    assert found["outcome"]["summary"][-1] == found["summary"] and found["bundle"]["about"] == {"at": "now"}
    assert diagnosis({"one": {"host": host(0.5)}}, [RULE])["verdict"] == "pass"


@pytest.mark.parametrize("rules", [[{"cause": "x"}], [dict(RULE, symptoms=["?"])], [None], 5])
def test_what_cannot_be_judged_is_said(rules):
    with pytest.raises(AnsibleFilterError, match="diagnosis: "):
        diagnosis({"one": {"host": host(0.5)}}, rules)
