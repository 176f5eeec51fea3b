from __future__ import annotations

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils._backup_take import why_no_dump


@pytest.mark.parametrize(
    "complaint",
    [
        'pg_dump: error: query failed: ERROR:  snapshot "00000004-0000000B-1" does not exist',
        'pg_dump: error: query failed: ERROR:  invalid snapshot identifier: "00000004-0000000B-1"',
    ],
)
def test_tools_beside_another_server_are_told_as_that(complaint):
    assert "the tools reached another one" in why_no_dump(complaint) and "backup_tools_service" in why_no_dump(complaint)


def test_what_tells_by_itself_is_left_as_it_is():
    assert why_no_dump("pg_dump: error: could not write to file: No space left on device") == ""
