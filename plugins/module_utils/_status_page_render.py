# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A status page as HTML, JSON and RSS. Private: other collections must not import it.

No script, no font and no picture from anywhere: it is read on a phone, by a screen reader, and when everything else is down. What people
wrote is escaped where it is put in, and nowhere else.
"""

from __future__ import annotations

import email.utils
import html
import json

from ansible_collections.astraldraft.ops.plugins.module_utils._status_page import STATUS_WORDS
from ansible_collections.astraldraft.ops.plugins.module_utils._time import from_iso

HTML, JSON, RSS = "index.html", "status.json", "rss.xml"
_STYLE = """
:root { color-scheme: light dark; --line: #8884; --mute: #666; --good: #1a7f37; --warn: #9a6700; --bad: #cf222e; --info: #0969da; }
@media (prefers-color-scheme: dark) { :root { --mute: #999; --good: #3fb950; --warn: #d29922; --bad: #f85149; --info: #58a6ff; } }
* { box-sizing: border-box; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 46rem; padding: 1rem; overflow-wrap: anywhere; }
h1 { font-size: 1.3rem; margin: .5rem 0; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; } h3 { font-size: 1rem; margin: 0; }
.state { border: 1px solid; border-left-width: .5rem; border-radius: .4rem; font-size: 1.2rem; font-weight: 600; padding: .8rem 1rem; }
.operational { color: var(--good); } .outage { color: var(--bad); }
.degraded, .minor, .unknown { color: var(--warn); } .recovering, .maintenance { color: var(--info); }
article { border: 1px solid var(--line); border-radius: .4rem; margin: 0 0 1rem; padding: .8rem 1rem; }
p { margin: .4rem 0; white-space: pre-line; } ol { list-style: none; margin: .8rem 0 0; padding: 0; }
time { white-space: nowrap; }
li { border-top: 1px solid var(--line); padding: .5rem 0; } time, .mute { color: var(--mute); font-size: .9rem; }
.overdue { color: var(--bad); font-weight: 600; } footer { border-top: 1px solid var(--line); margin-top: 2rem; padding-top: .5rem; }
""".strip()


def files_of(page):
    """``{name: content}`` of the three forms of a page."""
    return {JSON: json.dumps(page, indent=1, sort_keys=True, ensure_ascii=False) + "\n", RSS: rss(page), HTML: as_html(page)}


def _e(text):
    return html.escape(str(text), quote=True)


def moment(text):
    """A time as people read it."""
    return from_iso(text).strftime("%Y-%m-%d %H:%M UTC")


def _time(text):
    return '<time datetime="{0}">{1}</time>'.format(_e(text), _e(moment(text))) if text else "unknown"


def duration(seconds):
    """How long something took, in words of at most two units."""
    minutes = int(seconds // 60)
    if minutes < 1:
        return "less than a minute"
    days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
    parts = [(days, "day"), (hours, "hour"), (minutes, "minute")]
    words = ["{0} {1}{2}".format(number, unit, "" if number == 1 else "s") for number, unit in parts if number]
    return " ".join(words[:2])


def as_html(page):
    parts = [
        "<!DOCTYPE html>",
        '<html lang="en">',
        "<head>",
        '<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta http-equiv="refresh" content="60">',
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
        "<title>{0}: {1}</title>".format(_e(page["headline"]), _e(page["service"])),
        '<link rel="alternate" type="application/rss+xml" title="{0} status" href="{1}">'.format(_e(page["service"]), RSS),
        "<style>",
        _STYLE,
        "</style>",
        "</head>",
        "<body>",
        "<header>",
        "<h1>{0} status</h1>".format(_e(page["service"])),
        '<p class="state {0}" role="status">{1}</p>'.format(_e(page["state"]), _e(page["headline"])),
        "</header>",
        "<main>",
    ]
    parts += _section("Current incidents", [_incident_html(one) for one in page["incidents"]], "")
    parts += _section("Maintenance", [_maintenance_html(window) for window in page["maintenance"]], "")
    nothing = "<p>Nothing in the last {0} days.</p>".format(page["history_days"])
    parts += _section("History", [_incident_html(one) for one in page["history"]], nothing)
    contact = " Questions? Contact {0}.".format(_e(page["contact"])) if page["contact"] else ""
    feeds = 'Also as <a href="{0}">RSS</a> and <a href="{1}">JSON</a>. All times are UTC.'.format(RSS, JSON)
    parts += ["</main>", '<footer class="mute"><p>{0}{1}</p></footer>'.format(feeds, contact), "</body>", "</html>"]
    return "\n".join(parts) + "\n"


def _section(title, articles, nothing):
    if not articles and not nothing:
        return []
    return ["<section>", "<h2>{0}</h2>".format(title)] + (articles or [nothing]) + ["</section>"]


def _incident_html(one):
    parts = ['<article id="{0}">'.format(_e(one["id"])), "<h3>{0}</h3>".format(_e(one["title"]))]
    words = "{0} &middot; {1} &middot; since {2}".format(_e(one["severity"]), _e(_status(one["status"])), _time(one["started_at"]))
    if one["resolved_at"]:
        took = " &middot; lasted {0}".format(_e(duration(one["duration_seconds"]))) if one["duration_seconds"] is not None else ""
        words = "{0} &middot; {1}{2}".format(_e(one["severity"]), _time(one["started_at"]), took)
    parts.append('<p class="mute">{0}</p>'.format(words))
    if one["impact"]:
        parts.append("<p>{0}</p>".format(_e(one["impact"])))
    if one["overdue"]:
        parts.append('<p class="overdue">An update was due at {0} and is overdue.</p>'.format(_e(moment(one["next_update_at"]))))
    elif one["next_update_at"]:
        parts.append("<p>Next update: {0}</p>".format(_time(one["next_update_at"])))
    if one["updates"]:
        parts.append("<ol>")
        parts += [
            "<li><strong>{0}</strong> {1}<p>{2}</p></li>".format(_e(_status(update["status"])), _time(update["time"]), _e(update["text"]))
            for update in one["updates"]
        ]
        parts.append("</ol>")
    return "\n".join(parts + ["</article>"])


def _maintenance_html(window):
    parts = ["<article>", "<h3>{0}</h3>".format(_e(window["title"]))]
    word = "In progress" if window["in_progress"] else "Scheduled"
    parts.append('<p class="mute">{0} &middot; {1} to {2}</p>'.format(word, _time(window["starts_at"]), _time(window["ends_at"])))
    if window["impact"]:
        parts.append("<p>{0}</p>".format(_e(window["impact"])))
    return "\n".join(parts + ["</article>"])


def _status(word):
    return STATUS_WORDS.get(word, str(word or ""))


def rss(page):
    """RSS 2.0: an item an update, the newest first."""
    items = [(update["time"], one, update) for one in page["incidents"] + page["history"] for update in one["updates"]]
    items.sort(key=lambda item: (item[0], item[1]["id"], item[2]["id"]), reverse=True)
    base = page["url"].rstrip("/")
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom">',
        "<channel>",
        "<title>{0} status</title>".format(_e(page["service"])),
        "<link>{0}/</link>".format(_e(base)),
        "<description>{0}</description>".format(_e(page["headline"])),
        '<atom:link href="{0}/{1}" rel="self" type="application/rss+xml"/>'.format(_e(base), RSS),
    ]
    for time, one, update in items:
        lines += [
            "<item>",
            "<title>{0}: {1}</title>".format(_e(_status(update["status"])), _e(one["title"])),
            "<link>{0}/#{1}</link>".format(_e(base), _e(one["id"])),
            '<guid isPermaLink="false">{0}/{1}</guid>'.format(_e(one["id"]), _e(update["id"])),
            "<pubDate>{0}</pubDate>".format(email.utils.format_datetime(from_iso(time))),
            "<description>{0}</description>".format(_e(update["text"])),
            "</item>",
        ]
    return "\n".join(lines + ["</channel>", "</rss>"]) + "\n"
