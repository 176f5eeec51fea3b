from __future__ import annotations

import importlib
import importlib.util
import xml.etree.ElementTree

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _plots
from ansible_collections.astraldraft.ops.plugins.module_utils._plots import Course, Mark

START = 1764000000
POINTS = [(START + 10 * number, None if number in (20, 21) else number % 7) for number in range(60)]
MARKS = [Mark("incident began", START + 100, "began"), Mark("deploy v1.2.3", START + 50, "release")]


@pytest.fixture(scope="module")
def drawing():
    # Drawn for real: what a page shows is what matplotlib makes of it.
    pytest.importorskip("matplotlib")
    return _plots.library()


def course(**changed):
    return Course("Load", "requests/s", POINTS, START, START + 600, MARKS)._replace(**changed)


def test_a_course_is_drawn_with_its_marks_as_text(drawing):
    svg = _plots.draw_course(drawing, course())
    root = xml.etree.ElementTree.fromstring(svg)  # noqa: S314 - drawn here
    words = [element.text for element in root.iter() if element.tag.endswith("}text")]
    assert {"24 Nov 2025, UTC", "incident began", "deploy v1.2.3", "16:02"} <= set(words)
    assert 'aria-label="Load (requests/s)"' in svg
    assert all(colour in svg for colour in (_plots.COLOURS["began"], _plots.COLOURS["release"]))


def test_the_same_data_are_the_same_drawing(drawing):
    assert _plots.draw_course(drawing, course()) == _plots.draw_course(drawing, course())
    assert _plots.draw_course(drawing, course()) != _plots.draw_course(drawing, course(points=POINTS[:-1]))


def test_no_line_is_drawn_across_what_is_not_known(drawing):
    svg = _plots.draw_course(drawing, course())
    line = next(path for path in svg.split("<path ") if _plots._BLUE in path)
    assert line.count("M ") == 2


@pytest.mark.parametrize("points", [[], [(START, None)], [(START, 0)], [(START, 1e300)]])
def test_little_is_drawn_too(drawing, points):
    assert "</svg>" in _plots.draw_course(drawing, course(points=points, marks=[]))


@pytest.mark.parametrize(
    "label", ["<script>alert(1)</script>", "$x^2$ $", "_hidden", "]]> & \"'", "x" * 5000, "\x1b[31mred\x00", "{{ 7 }}"]
)
def test_words_of_strangers_do_nothing_in_a_drawing(drawing, label):
    svg = _plots.draw_course(drawing, course(marks=[Mark(label, START + 50, "release")]))
    root = xml.etree.ElementTree.fromstring(svg)  # noqa: S314 - drawn here
    assert not [element for element in root.iter() if element.tag.endswith("script")]
    words = [element.text for element in root.iter() if element.tag.endswith("}text")]
    shown = _plots._label(label).replace("\\$", "$")
    assert shown in words and len(shown) <= 40


@pytest.mark.parametrize(("seconds", "words"), [(120, "16:01:30"), (7200, "18:00"), (5 * 86400, "27 Nov")])
def test_times_are_as_fine_as_what_is_shown(drawing, seconds, words):
    assert words in _plots.draw_course(drawing, course(ends=START + seconds))


def test_without_matplotlib_there_is_nothing_to_draw_with(monkeypatch: pytest.MonkeyPatch):
    def none(name):
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", none)
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    assert _plots.library() is None
    assert not _plots.is_there()
