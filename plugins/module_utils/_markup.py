# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Text of strangers in Markdown and HTML, where it is nothing but text; and what pages have in common. Private: others must not import it.

There is one escaping each. It is applied where a text is put into a page, and nowhere else, so that nothing is escaped twice or not at all.
"""

from __future__ import annotations

import html
import re

from ansible_collections.astraldraft.ops.plugins.module_utils._notification import harmless, one_line
from ansible_collections.astraldraft.ops.plugins.module_utils._time import from_iso

#: A longer text is cut, and says so: a flood of words hides what matters as well as a control character does.
LONGEST = 4000
_MARKDOWN = re.compile(r"([\\`*_\[\]|~$])")
# What a template engine would begin with, should the document ever become part of one.
_TEMPLATE = re.compile(r"\{(?=[{%#])")
_ADDRESS = re.compile(r"(:(?=//)|(?<=www)\.)", re.IGNORECASE)
# What makes a heading, a list or a quotation of a line that begins with it.
_LEADING = re.compile(r"^(\d{1,9}(?=[.)])|(?=[#+=>-]))")
STYLE = """
:root { color-scheme: light dark; --line: #8884; --mute: #666; --good: #1a7f37; --warn: #9a6700; --bad: #cf222e; --info: #0969da; }
@media (prefers-color-scheme: dark) { :root { --mute: #999; --good: #3fb950; --warn: #d29922; --bad: #f85149; --info: #58a6ff; } }
* { box-sizing: border-box; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 46rem; padding: 1rem; overflow-wrap: anywhere; }
h1 { font-size: 1.3rem; line-height: 1.3; margin: .5rem 0; }
h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; } h3 { font-size: 1rem; margin: 0; }
article { border: 1px solid var(--line); border-radius: .4rem; margin: 0 0 1rem; padding: .8rem 1rem; }
p { margin: .4rem 0; white-space: pre-line; } ol, ul.plain { list-style: none; margin: .8rem 0 0; padding: 0; }
time { white-space: nowrap; } time, .mute { color: var(--mute); font-size: .9rem; }
li { border-top: 1px solid var(--line); padding: .5rem 0; } article li:last-child { padding-bottom: 0; }
footer { border-top: 1px solid var(--line); margin-top: 2rem; padding-top: .5rem; }
""".strip()


def shortened(text, longest=LONGEST):
    """``text``, or its beginning and how much was left out."""
    return text if len(text) <= longest else "{0}… ({1} characters more)".format(text[:longest], len(text) - longest)


def in_html(text, longest=LONGEST):
    """``text`` as it stands in HTML or XML, between tags or in an attribute with double quotes."""
    return html.escape(shortened(harmless(text), longest), quote=True).replace("{", "&#123;")


def in_markdown(text, longest=LONGEST):
    """``text`` as it stands in Markdown, in one line, in a table too."""
    line = html.escape(shortened(one_line(text), longest), quote=False)
    line = _TEMPLATE.sub(r"{\\", _MARKDOWN.sub(r"\\\1", line))
    line = _ADDRESS.sub(r"\\\1", line)
    return _LEADING.sub(r"\1\\", line)


# -- pages


def page_of(title, style, body, head=()):
    """A page of HTML: no script, no font and no picture from anywhere. ``title`` is text; ``body`` and ``head`` are lines of HTML."""
    lines = [
        "<!DOCTYPE html>",
        '<html lang="en">',
        "<head>",
        '<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
        "<title>{0}</title>".format(in_html(title)),
        *head,
        "<style>",
        STYLE,
        style,
        "</style>",
        "</head>",
        "<body>",
        *body,
        "</body>",
        "</html>",
    ]
    return "\n".join(lines) + "\n"


def moment(text, seconds=False):
    """A time as people read it."""
    return from_iso(text).strftime("%Y-%m-%d %H:%M:%S UTC" if seconds else "%Y-%m-%d %H:%M UTC")


def time_tag(text, seconds=False):
    return '<time datetime="{0}">{1}</time>'.format(in_html(text), in_html(moment(text, seconds))) if text else "unknown"


def duration(seconds):
    """How long something took, in words of at most two units."""
    minutes = int(seconds // 60)
    if minutes < 1:
        return "less than a minute"
    days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
    parts = [(days, "day"), (hours, "hour"), (minutes, "minute")]
    words = ["{0} {1}{2}".format(number, unit, "" if number == 1 else "s") for number, unit in parts if number]
    return " ".join(words[:2])
