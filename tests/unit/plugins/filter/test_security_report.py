import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.astraldraft.ops.plugins.filter.security_report import FilterModule

LIMITS = {"user": 1, "address": 1, "errors": 1}


def test_the_filter_is_the_core():
    found = FilterModule().filters()["security_report"]({"one": {"silent": "no answer"}}, LIMITS)
    assert found["verdict"] == "inconclusive"


@pytest.mark.parametrize(
    ("hosts", "more"), [([], {}), ({"one": {"errors": {"verdict": "read", "groups": [{}]}}}, {}), ({}, {"allowed": ["x"]})]
)
def test_what_is_no_finding_is_refused(hosts, more):
    with pytest.raises(AnsibleFilterError, match="security_report: "):
        FilterModule().filters()["security_report"](hosts, LIMITS, **more)
