from __future__ import annotations

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _incidents
from ansible_collections.astraldraft.ops.tests.unit.plugins.module_utils import incidents


def test_what_is_open_is_found_and_what_of_it_holds_back(tmp_path):
    first = incidents.write(tmp_path)
    second = incidents.write(tmp_path, "2026-002", severity="SEV-2", status="monitoring", more="is ignored")
    third = incidents.write(tmp_path, "2026-003", severity="SEV-3")
    incidents.write(tmp_path, "2026-004", status="resolved")
    (tmp_path / "2026-005").mkdir()
    (tmp_path / "notes.txt").write_text("no incident")
    assert _incidents.read(str(tmp_path)) == ([first, second, third], [])
    assert _incidents.freezing([first, second, third]) == [first, second]
    assert _incidents.read(str(tmp_path / "nothing")) == ([], [])
    assert _incidents.read(str(tmp_path / "notes.txt")) == ([], [str(tmp_path / "notes.txt")])


@pytest.mark.parametrize("content", ["", "{}", "[]", "null", "{ torn", '{"id": "x", "severity": "SEV-4"}', "\x00"])
def test_an_incident_that_cannot_be_read_is_named(tmp_path, content):
    (tmp_path / "2026-001").mkdir()
    path = tmp_path / "2026-001" / "incident.json"
    path.write_text(content)
    other = incidents.write(tmp_path, "2026-002")
    assert _incidents.read(str(tmp_path)) == ([other], [str(path)])


def test_the_foremost_incident_is_the_most_severe_one_and_of_those_the_newest():
    def incident(identifier, severity):
        return {"id": identifier, "severity": severity, "status": "investigating", "title": "logins fail"}

    assert _incidents.foremost([]) is None
    some = [incident("2026-2", "SEV-3"), incident("2026-7", "SEV-4")]
    assert _incidents.foremost(some) == "2026-2"
    assert _incidents.foremost([*some, incident("2026-5", "SEV-2"), incident("2026-6", "SEV-2")]) == "2026-6"
