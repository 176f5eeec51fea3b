# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bars and courses in time, drawn by matplotlib as SVG that stands in a page of HTML. Private: other collections must not import it.

The same data give the same SVG, byte by byte. Without matplotlib nothing is drawn, and whoever wanted it says so.
"""

from __future__ import annotations

import collections
import datetime
import html
import importlib
import importlib.util
import io
import math

from ansible_collections.astraldraft.ops.plugins.module_utils._notification import one_line

#: ``bars``: a list of (label, number); ``marks``: a list of (label, number) of thresholds, drawn as lines.
Chart = collections.namedtuple("Chart", "title unit bars marks")
#: ``points``: a list of (seconds since the epoch, number or None), None where nothing is known; ``starts`` and ``ends``: what the graph is
#: of, in seconds since the epoch; ``marks``: a list of :class:`Mark`.
Course = collections.namedtuple("Course", "title unit points starts ends marks")
#: A moment: ``kind`` is one of COLOURS.
Mark = collections.namedtuple("Mark", "label seconds kind")
#: What is needed of matplotlib.
Library = collections.namedtuple("Library", "Figure rc_context")
COLOURS = {"began": "#cc3311", "mitigated": "#ee7733", "resolved": "#228833", "release": "#aa3377"}
_STYLES = {"began": "-", "mitigated": "--", "resolved": "-", "release": ":"}
_BLUE = "#4477aa"
_LONGEST_LABEL = 40
#: Seconds between two marks of time.
_STEPS = (1, 2, 5, 10, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400)
#: Text stays text, in the page's own font, and nothing is drawn by chance.
_SETTINGS = {"svg.fonttype": "none", "svg.hashsalt": "astraldraft", "font.size": 10.5, "text.usetex": False}
_METADATA = dict.fromkeys(("Creator", "Date", "Format", "Type"))


def is_there():
    """Whether matplotlib is installed. It is not loaded: its first start writes a list of fonts."""
    return importlib.util.find_spec("matplotlib") is not None


def library():
    """The :class:`Library`, or None where matplotlib is not installed."""
    try:
        figure = importlib.import_module("matplotlib.figure")
        return Library(figure.Figure, importlib.import_module("matplotlib").rc_context)
    except ImportError:
        return None


def draw(drawing, chart):
    """The chart as SVG text. ``drawing``: the :class:`Library`."""
    labels = [_label(label) for label, _number in chart.bars]
    numbers = [number for _label, number in chart.bars]
    with drawing.rc_context(_SETTINGS):
        figure = drawing.Figure(figsize=(7, 0.9 + 0.28 * len(labels)), layout="constrained")
        axes = figure.add_subplot()
        axes.barh(range(len(labels)), numbers, color=_BLUE, tick_label=labels)
        axes.bar_label(axes.containers[0], fmt="%.4g", padding=3)
        for label, number in chart.marks:
            axes.axvline(number, color="#cc3311" if label == "fail" else "#ee7733", linestyle="--", linewidth=1)
            axes.annotate(label, (number, 1), xycoords=("data", "axes fraction"), fontsize="small", va="bottom", ha="center")
        axes.invert_yaxis()
        axes.margins(x=0.12)
        axes.set_xlabel(chart.unit)
        return _svg(figure)


def draw_course(drawing, course):
    """The course as SVG text, with its marks named below it; small enough that its words can be read on a phone."""
    with drawing.rc_context(_SETTINGS):
        figure = drawing.Figure(figsize=(5.2, 3.0), layout="constrained")
        axes = figure.add_subplot()
        times = [_moment(seconds) for seconds, _number in course.points]
        numbers = [math.nan if number is None else number for _seconds, number in course.points]
        axes.plot(times, numbers, color=_BLUE, linewidth=1.4)
        for mark in course.marks:
            style = {"color": COLOURS[mark.kind], "linestyle": _STYLES[mark.kind], "linewidth": 1.2, "label": _label(mark.label)}
            axes.axvline(_moment(mark.seconds), **style)
        axes.set_xlim(_moment(course.starts), _moment(course.ends))
        known = [number for number in numbers if not math.isnan(number)]
        axes.set_ylim(0, max(known + [0]) * 1.1 or 1)
        axes.grid(axis="y", color="#dddddd", linewidth=0.6)
        axes.set_axisbelow(True)
        places, form = _ticks(course.starts, course.ends)
        axes.set_xticks(places, [place.strftime(form) for place in places])
        axes.set_xlabel(_moment(course.starts).strftime("%d %b %Y, UTC"), loc="right", fontsize=9)
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
        if course.marks:
            figure.legend(loc="outside lower center", ncols=2, frameon=False, fontsize=10)
        # The numbers of the axis are in this unit, which stands above the drawing, too.
        name = html.escape("{0} ({1})".format(course.title, course.unit), quote=True)
        return _svg(figure).replace("<svg ", '<svg role="img" aria-label="{0}" '.format(name), 1)


def _ticks(starts, ends):
    """At most seven even moments in a span, and how they are written."""
    step = next((step for step in _STEPS if (ends - starts) / step <= 6), math.ceil((ends - starts) / 6 / 86400) * 86400)
    places = [_moment(step * number) for number in range(math.ceil(starts / step), math.floor(ends / step) + 1)]
    return places, "%H:%M:%S" if step < 60 else "%H:%M" if step < 43200 else "%d %b"


def _moment(seconds):
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)


def _label(text):
    """Words of strangers in a drawing: short, in one line, and no formula, which a dollar sign would begin."""
    text = one_line(text)
    text = text if len(text) <= _LONGEST_LABEL else text[: _LONGEST_LABEL - 1] + "…"
    # A label that begins with it is left out of a legend.
    return text.replace("$", r"\$").lstrip("_")


def _svg(figure):
    target = io.StringIO()
    figure.savefig(target, format="svg", metadata=_METADATA)
    text = target.getvalue()
    return text[text.index("<svg") :]
