# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is drawn of an answer of postgres_info; the drawing itself only where matplotlib is."""

from __future__ import annotations

import contextlib
import importlib
import types

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.astraldraft.ops.plugins.filter.postgres_plots import FilterModule, postgres_plots
from ansible_collections.astraldraft.ops.plugins.module_utils._plots import draw
from ansible_collections.astraldraft.ops.plugins.module_utils._plots_postgres import charts

TABLE = {"schema": "public", "name": "t", "bytes": 2**20, "index_bytes": None, "live": 60, "dead": 40}
INFO = {
    "connections": {"usable": 97, "by_state": {"idle": 3}, "by_user": {"app$1": 3}, "by_application": {}},
    "figures": [{"name": "wraparound", "warn": 500e6, "fail": None}],
    "databases": [{"name": "shop", "bytes": None, "age": 1000}],
    "tables": [TABLE],
    "dead_tables": [TABLE],
    "indexes": {"unused": [{"index": "public.i", "bytes": 2**20}]},
    "statements": [{"query": None, "total_seconds": 1.5}],
}


def test_there_is_a_chart_of_everything_that_is_there() -> None:
    found = {chart.title: chart for chart in charts(INFO)}
    assert found["Sessions by state"].bars == [("idle", 3)]
    assert found["Sessions by state"].marks == [("usable", 97)]
    assert "Sessions by application" not in found
    assert found["Dead rows"].bars == [("public.t", 40.0)]
    assert found["Age, of 2147 million"].marks == [("warn", 500.0)]
    assert found["Statements by total time"].bars == [("hidden", 1.5)]
    assert charts({}) == []


def test_without_matplotlib_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(name: str) -> types.ModuleType:
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", none)
    assert FilterModule().filters()["postgres_plots"](INFO) == {"available": False, "plots": []}


class Axes:
    containers = ["bars"]

    def __init__(self) -> None:
        self.labels: list[str] = []

    def barh(self, places: range, numbers: list, color: str, tick_label: list) -> None:
        assert len(places) == len(numbers) == len(tick_label)
        assert color
        self.labels = tick_label

    def __getattr__(self, name: str):
        return lambda *_args, **_more: name


class Figure:
    def __init__(self, **_more) -> None:
        self.axes = Axes()

    def add_subplot(self) -> Axes:
        return self.axes

    def savefig(self, target, **_more) -> None:
        target.write("<?xml?><svg>" + "|".join(self.axes.labels) + "</svg>")


def test_a_plot_is_svg_that_stands_in_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    module = types.SimpleNamespace(Figure=Figure, rc_context=contextlib.nullcontext)
    chart = next(chart for chart in charts(INFO) if chart.title == "Sessions by user")
    assert draw(module, chart) == r"<svg>app\$1</svg>"
    monkeypatch.setattr(importlib, "import_module", lambda _name: module)
    found = postgres_plots(INFO)
    assert found["available"]
    assert found["plots"][0]["title"] == "Sessions by state"


def test_something_else_is_refused() -> None:
    with pytest.raises(AnsibleFilterError, match="postgres_info"):
        postgres_plots({"tables": [{"no": "table"}]})
