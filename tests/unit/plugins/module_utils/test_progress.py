from __future__ import annotations

from ansible_collections.astraldraft.ops.plugins.module_utils._progress import Progress, timed


def test_a_line_about_how_it_stands(tmp_path):
    path, beats = tmp_path / "progress", []
    progress = Progress(lambda: beats.append(1), str(path))
    progress.phase("dumping", lambda: "3 of 4 tables")
    assert path.read_text() == "dumping; 3 of 4 tables\n"
    progress.tick()
    progress.phase("done")
    assert path.read_text() == "done\n" and beats == [1]


def test_progress_is_a_courtesy(tmp_path):
    Progress(path=str(tmp_path / "nowhere" / "progress")).phase("dumping")
    Progress().phase("dumping")


def test_time_adds_up():
    parts = {}
    for _time in range(2):
        with timed(parts, "x_seconds"):
            pass
    assert set(parts) == {"x_seconds"} and parts["x_seconds"] >= 0
