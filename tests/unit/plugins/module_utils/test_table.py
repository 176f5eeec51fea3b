from ansible_collections.astraldraft.ops.plugins.module_utils._harmless import visible
from ansible_collections.astraldraft.ops.plugins.module_utils._table import LONGEST, cell, lines


def test_what_could_be_mistaken_for_something_else_is_an_escape():
    hostile = "a\x1b[2Jb\r\nc\u202ed\x00\u00a0e"
    assert visible(hostile) == "a\\x1b[2Jb\\r\\nc\\u202ed\\x00\\xa0e"
    assert visible("Zürich {{ 7 * 7 }} 漢字") == "Zürich {{ 7 * 7 }} 漢字"


def test_cells_are_text_and_not_too_long():
    assert (cell(None), cell(3)) == ("", "3")
    assert len(cell("x" * 10000)) == LONGEST


def test_columns_stand_below_each_other_and_one_long_cell_moves_no_other_line():
    assert lines([]) == []
    assert lines([["fail", "a", "b"], ["pass", "longer", ""]]) == ["fail  a       b", "pass  longer"]
    told = lines([["x" * 100, "1"], ["y", "2"]])
    assert told[1] == "y" + " " * 61 + "2"
