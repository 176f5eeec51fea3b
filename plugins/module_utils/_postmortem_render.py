# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A post-mortem as Markdown and as one page of HTML. Private: other collections must not import it.

What others wrote is escaped where it is put in (`_markup`), and nowhere else. Only answers stand in the Markdown as people wrote them: they
are theirs.
"""

from __future__ import annotations

import hashlib
import json

from ansible_collections.astraldraft.ops.plugins.module_utils._incident_timeline import JOURNAL
from ansible_collections.astraldraft.ops.plugins.module_utils._markup import (
    duration,
    in_html,
    in_markdown,
    moment,
    page_of,
    shortened,
    time_tag,
)
from ansible_collections.astraldraft.ops.plugins.module_utils._postmortem import GRAPHS
from ansible_collections.astraldraft.ops.plugins.module_utils._postmortem_answers import QUESTIONS, sealed, section

MARKDOWN, HTML = "postmortem.md", "postmortem.html"
#: Rises when the same document would look otherwise.
FORM = 1
#: Of one line of a timeline or a list.
LONGEST_LINE = 600
NOT_KNOWN = "not known"
WITHOUT_LIBRARY = "Graphs are missing: matplotlib is not installed for the Python that wrote this (pip install matplotlib)."
WITHOUT_DATA = "There is no graph of it: Prometheus has no data of it for that time, or was not asked."
_SOURCES = {"incident": "said", "journal": "operation", "alert": "alert", "silence": "silence", "release": "release"}
_STYLE = """
.badge { border: 1px solid; border-radius: 1rem; display: inline-block; font-size: .8rem; padding: 0 .6rem; }
.SEV-1, .SEV-2, .alert, .overdue, .open { color: var(--bad); } .journal, .resolved, .done { color: var(--good); }
.SEV-3, .silence, .incomplete, .question { color: var(--warn); } .incident, .SEV-4 { color: var(--info); } .release { color: #aa3377; }
dl.figures { display: grid; gap: .6rem; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); margin: .8rem 0; }
dl.figures div { border: 1px solid var(--line); border-radius: .4rem; padding: .5rem .7rem; }
dt { color: var(--mute); font-size: .85rem; } dd { font-weight: 600; margin: 0; }
dl.facts dt { margin-top: .6rem; } dl.facts dd { font-weight: 400; white-space: pre-line; }
@media (min-width: 40rem) { dl.facts { display: grid; gap: .4rem 1rem; grid-template-columns: 9rem 1fr; }
  dl.facts dt { margin: .1rem 0 0; } }
.incomplete, .question { border: 1px solid; border-left-width: .4rem; border-radius: .4rem; margin: .6rem 0; padding: .5rem .8rem; }
.incomplete p, .question p { color: CanvasText; } .question h3 { color: CanvasText; } .answer { white-space: pre-wrap; }
figure { margin: 1rem 0; } figcaption { font-weight: 600; } li p { margin: .1rem 0; }
figure svg { background: #fff; border-radius: .4rem; display: block; height: auto; max-width: 38rem; width: 100%; }
@media print { body { max-width: none; } article, figure, li { break-inside: avoid; } }
""".strip()


# -- what both say


def seconds_in_words(seconds):
    """How long something took; what is shorter than an hour to the second."""
    if seconds is None:
        return NOT_KNOWN
    minutes, rest = divmod(round(seconds), 60)
    if not 0 <= minutes < 60:
        return duration(seconds)
    words = ["{0} min".format(minutes)] if minutes else []
    return " ".join(words + (["{0} s".format(rest)] if rest or not minutes else []))


def failed_in_words(measured):
    """How many requests failed, of how many, and whether there may have been more."""
    failed, requests = measured["failed_requests"], measured["requests"]
    if failed is None:
        return NOT_KNOWN
    least = "" if measured["complete"] else "at least "
    share = " ({0:.2g} %)".format(100.0 * failed / requests) if requests else ""
    return "{0}{1} of {2}{3}".format(least, failed, requests, share)


def figures(said):
    """``[(what, how much)]``, what people look for first."""
    found, measured = said["times"], said["measured"]
    known = (
        ("Time with failed requests", measured["error_seconds"]),
        ("Time in which its probe failed", measured["probe_failed_seconds"]),
    )
    minutes = NOT_KNOWN if measured["minutes"] is None else "{0:g} minutes".format(measured["minutes"])
    return [
        ("Impact, until it was mitigated" if said["mitigated_at"] else "Impact, so far", minutes),
        ("Failed requests", failed_in_words(measured)),
        *[(what, seconds_in_words(seconds)) for what, seconds in known],
        ("Until it was detected", seconds_in_words(found["detect"])),
        ("Until it was acknowledged", seconds_in_words(found["acknowledge"])),
        ("Until it was mitigated", seconds_in_words(found["mitigate"])),
        ("Until it was resolved", seconds_in_words(found["resolve"])),
    ]


def facts(said):
    """``[(what, text)]`` of the summary. What is empty is not known."""

    def at(name, by=""):
        when = moment(said[name], seconds=True) if said[name] else NOT_KNOWN
        return "{0}, by {1}".format(when, by) if said[name] and by else when

    people = [(role.capitalize(), name) for role, name in sorted(said["people"].items())]
    references = [(name[:1].upper() + name[1:], value) for name, value in sorted(said["references"].items())]
    return [
        ("What users noticed", said["impact"] or NOT_KNOWN),
        ("Cause", said["cause"] or NOT_KNOWN),
        ("What was done", said["resolution"] or NOT_KNOWN),
        ("Began", at("started_at")),
        ("Detected", at("detected_at", said["detected_by"])),
        ("Acknowledged", at("acknowledged_at", said["acknowledged_by"])),
        ("Mitigated", at("mitigated_at")),
        ("Resolved", at("resolved_at")),
        *([("Besides", ", ".join(said["conditions"]))] if said["conditions"] else []),
        *people,
        *references,
    ]


def action_state(said, action):
    if action["done_at"]:
        return "done", "done {0}".format(action["done_at"][:10])
    return ("overdue", "overdue") if action["id"] in said["overdue"] else ("", "open")


def incomplete(said):
    return "This is not complete. Empty is: {0}.".format(", ".join(said["missing"])) if said["missing"] else ""


def heading(said):
    return "Post-mortem {0}: {1}".format(said["id"], said["title"])


def digest(said, answers, drawn):
    """By what a page is known to say the same, whoever drew its graphs."""
    text = json.dumps([FORM, said, answers, drawn], sort_keys=True)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


# -- Markdown


def _row(*cells):
    return "| {0} |".format(" | ".join(in_markdown(str(cell), 2 * LONGEST_LINE) for cell in cells))


def as_markdown(said, answers):
    def e(text):
        return in_markdown(text, LONGEST_LINE)

    lines = ["# {0}".format(e(heading(said))), "", "**{0}**, {1}".format(e(said["severity"]), e(said["status"])), ""]
    lines += ["> **{0}**".format(e(incomplete(said))), ""] if said["missing"] else []
    lines += ["## Summary", "", *["- **{0}:** {1}".format(e(what), in_markdown(text)) for what, text in facts(said)], ""]
    lines += ["## Impact and times", "", "| | |", "| --- | --- |"]
    lines += [_row(*pair) for pair in figures(said)]
    lines += ["", *_unknown_in_markdown(said), "Graphs of error rate, latency and load are in {0}.".format(HTML), ""]
    for number, (name, (question, help_text)) in enumerate(QUESTIONS.items()):
        lines += ["## Contributing factors and lessons", ""] if number == 0 else []
        lines += ["### {0}".format(question), "", help_text, "", *section(name, answers.get(name)), ""]
    lines += _kept_in_markdown(answers)
    lines += ["## Action items", ""]
    if said["actions"]:
        lines += ["| | What | Who | Until | |", "| --- | --- | --- | --- | --- |"]
    for action in said["actions"]:
        who, until = action["owner"] or "nobody", action["due"] or "no day"
        lines.append(_row(action["id"], action["title"], who, until, action_state(said, action)[1]))
    lines += [] if said["actions"] else ["None."]
    lines += ["", "## Timeline", "", *_left_out(said), "| When | What | Who | |", "| --- | --- | --- | --- |"]
    for item in said["timeline"]:
        lines.append(_row(_when(item), "{0}: {1}".format(_SOURCES[item["source"]], item["kind"]), item["by"], _text(item)))
    lines += ["", "## Who was told", ""]
    if said["told"]:
        lines += ["| When | Who | What |", "| --- | --- | --- |"]
    for one in said["told"]:
        lines.append(_row(_when(one), one["who"], one["what"] + ("" if one["sent"] else " (not sent)")))
    lines += [] if said["told"] else ["Nobody, as far as the record knows."]
    return sealed(lines)


def _unknown_in_markdown(said):
    return [*["- {0}".format(in_markdown(sentence, LONGEST_LINE)) for sentence in said["unknown"]], ""] if said["unknown"] else []


def _kept_in_markdown(answers):
    """Answers to questions of another version of this: they are kept like all others."""
    lines = []
    for name in sorted(set(answers) - set(QUESTIONS)):
        lines += ["### {0}".format(name), "", *section(name, answers[name]), ""]
    return lines


def _left_out(said):
    return ["{0} older operations are left out.".format(said["left_out"]), ""] if said["left_out"] else []


def _text(item):
    """What happened; an operation with its number in the journal, by which it is found there."""
    text = shortened(item["text"], LONGEST_LINE)
    return "{0} (journal {1})".format(text, item["number"]) if item["source"] == JOURNAL and item["number"] is not None else text


def _when(item):
    try:
        return moment(item["time"], seconds=True)
    except ValueError:
        return NOT_KNOWN


# -- HTML


def as_html(said, answers, graphs):
    """``graphs``: SVG by the names of GRAPHS; None when there is nothing to draw with."""
    e = in_html
    body = [
        "<header>",
        "<h1>{0}</h1>".format(e(heading(said))),
        '<p><span class="badge {0}">{0}</span> <span class="badge {1}">{1}</span></p>'.format(e(said["severity"]), e(said["status"])),
        "</header>",
        "<main>",
    ]
    body += ['<div class="incomplete"><p>{0}</p></div>'.format(e(incomplete(said)))] if said["missing"] else []
    body += _part("Summary", ['<dl class="facts">', *_pairs(facts(said)), "</dl>"])
    cells = ["<div>{0}</div>".format(pair) for pair in _pairs(figures(said))]
    unknown = ['<p class="mute">{0}</p>'.format(e(sentence)) for sentence in said["unknown"]]
    body += _part("Impact and times", ['<dl class="figures">', *cells, "</dl>", *unknown])
    body += _part("Graphs", _graphs(graphs))
    body += _part("Contributing factors and lessons", _answers_in_html(answers))
    body += _part("Action items", _actions_in_html(said))
    body += _part("Timeline", _timeline_in_html(said))
    body += _part("Who was told", _told_in_html(said))
    words = "Written from the record of the incident, the journal, Prometheus, Alertmanager and the releases. All times are UTC."
    body += ["</main>", '<footer class="mute"><p>{0}</p></footer>'.format(words)]
    return page_of(heading(said), _STYLE, body) + "<!-- says {0} -->\n".format(digest(said, answers, graphs is not None))


def says_the_same(text, said, answers, drawn):
    """Whether a page as it lies there (None without one) says what it would be written with."""
    return text is not None and text.endswith("</html>\n<!-- says {0} -->\n".format(digest(said, answers, drawn)))


def _part(title, lines):
    return ["<section>", "<h2>{0}</h2>".format(title), *lines, "</section>"]


def _pairs(pairs):
    return ["<dt>{0}</dt><dd>{1}</dd>".format(in_html(what), in_html(text)) for what, text in pairs]


def _graphs(graphs):
    if graphs is None:
        return ['<p class="incomplete">{0}</p>'.format(WITHOUT_LIBRARY)]
    lines = []
    for name, (title, unit) in GRAPHS.items():
        drawn = graphs.get(name) or '<p class="mute">{0}</p>'.format(WITHOUT_DATA)
        lines += ["<figure>", "<figcaption>{0} ({1})</figcaption>".format(title, unit), drawn, "</figure>"]
    return lines


def _answers_in_html(answers):
    lines = []
    titles = dict({name: (name, "") for name in sorted(answers)}, **QUESTIONS)
    for name in [*QUESTIONS, *sorted(set(answers) - set(QUESTIONS))]:
        question, help_text = titles[name]
        if answers.get(name):
            lines += ["<article>", "<h3>{0}</h3>".format(in_html(question)), '<p class="answer">{0}</p>'.format(in_html(answers[name]))]
            lines.append("</article>")
        else:
            lines += ['<div class="question">', "<h3>{0}</h3>".format(question), "<p>{0}</p>".format(help_text)]
            lines.append("<p>To be answered, in {0}.</p></div>".format(MARKDOWN))
    return lines


def _actions_in_html(said):
    lines = []
    for action in said["actions"]:
        kind, state = action_state(said, action)
        who = "{0}, until {1}".format(action["owner"] or "nobody", action["due"] or "no day")
        line = '<li><strong>{0}</strong> <span class="badge {1}">{2}</span><p class="mute">{3}</p></li>'
        lines.append(line.format(in_html(action["title"], LONGEST_LINE), kind, in_html(state), in_html(who, LONGEST_LINE)))
    return ['<ul class="plain">', *lines, "</ul>"] if lines else ["<p>None.</p>"]


def _timeline_in_html(said):
    lines = ["<p>{0}</p>".format(line) for line in _left_out(said) if line]
    lines.append("<ol>")
    for item in said["timeline"]:
        by = ' <span class="mute">{0}</span>'.format(in_html(item["by"], LONGEST_LINE)) if item["by"] else ""
        what = '<span class="badge {0}">{1}: {2}</span>'.format(
            in_html(item["source"]), in_html(_SOURCES[item["source"]]), in_html(item["kind"], LONGEST_LINE)
        )
        lines.append("<li>{0} {1}{2}<p>{3}</p></li>".format(_stamp(item), what, by, in_html(_text(item))))
    return [*lines, "</ol>"]


def _stamp(item):
    return time_tag(item["time"], seconds=True) if _when(item) != NOT_KNOWN else NOT_KNOWN


def _told_in_html(said):
    lines = []
    for one in said["told"]:
        lost = "" if one["sent"] else ' <span class="badge overdue">not sent</span>'
        line = "<li>{0} <strong>{1}</strong>{2}<p>{3}</p></li>"
        lines.append(line.format(_stamp(one), in_html(one["who"], LONGEST_LINE), lost, in_html(one["what"], LONGEST_LINE)))
    return ["<ol>", *lines, "</ol>"] if lines else ["<p>Nobody, as far as the record knows.</p>"]
