from __future__ import annotations

from ansible_collections.astraldraft.ops.plugins.module_utils import _backup_metrics as metrics
from ansible_collections.astraldraft.ops.tests.unit.plugins.module_utils.backups import NOW, entry

LABELS = '{database="shop",environment="test",kind="database"}'


def test_what_prometheus_is_told():
    text = metrics.render([entry(2, verified=True), entry(1), entry(0.5, bad=True), entry(0.1, purpose="safety")])
    lines = text.splitlines()
    assert "astraldraft_backup_last_timestamp_seconds{0} {1}".format(LABELS, NOW - 86400) in lines
    assert "astraldraft_backup_last_verified_timestamp_seconds{0} {1}".format(LABELS, NOW - 2 * 86400) in lines
    assert "astraldraft_backup_count{0} 2".format(LABELS) in lines and "astraldraft_backup_bad_count{0} 1".format(LABELS) in lines
    assert "astraldraft_backup_restore_seconds{0} 2.5".format(LABELS) in lines
    assert 'astraldraft_backup_verification_success{database="shop",environment="test",kind="database",level="restore"} 1' in lines
    helps = [line for line in lines if line.startswith("# HELP")]
    assert len(helps) == len({line.split()[2] for line in lines if line.startswith("# TYPE")})


def test_what_is_not_known_is_not_told():
    text = metrics.render([entry(1, bad=True)])
    assert "last_timestamp" not in text and "restore_seconds" not in text and "bad_count" in text
    assert metrics.render([]) == ""


def test_labels_are_escaped_and_the_file_is_for_everybody(tmp_path):
    metrics.write(str(tmp_path / "m.prom"), [entry(1, database='a"b\\c\n')])
    assert 'database="a\\"b\\\\c\\n"' in (tmp_path / "m.prom").read_text()
    assert (tmp_path / "m.prom").stat().st_mode & 0o777 == 0o644
    metrics.write(None, [])
