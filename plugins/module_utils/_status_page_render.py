# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A status page as HTML, JSON and RSS. Private: other collections must not import it.

No script, no font and no picture from anywhere: it is read on a phone, by a screen reader, and when everything else is down. What people
wrote is escaped where it is put in, and nowhere else.
"""

from __future__ import annotations

import email.utils
import json

from ansible_collections.astraldraft.ops.plugins.module_utils._markup import duration, in_html, page_of, time_tag
from ansible_collections.astraldraft.ops.plugins.module_utils._status_page import STATUS_WORDS
from ansible_collections.astraldraft.ops.plugins.module_utils._time import from_iso

HTML, JSON, RSS = "index.html", "status.json", "rss.xml"
_STYLE = """
.state { border: 1px solid; border-left-width: .5rem; border-radius: .4rem; font-size: 1.2rem; font-weight: 600; padding: .8rem 1rem; }
.operational { color: var(--good); } .outage { color: var(--bad); }
.degraded, .minor, .unknown { color: var(--warn); } .recovering, .maintenance { color: var(--info); }
.overdue { color: var(--bad); font-weight: 600; } .overdue time { color: inherit; font-size: inherit; }
""".strip()


def files_of(page):
    """``{name: content}`` of the three forms of a page."""
    return {JSON: json.dumps(page, indent=1, sort_keys=True, ensure_ascii=False) + "\n", RSS: rss(page), HTML: as_html(page)}


def as_html(page):
    head = [
        '<meta http-equiv="refresh" content="60">',
        '<link rel="alternate" type="application/rss+xml" title="{0} status" href="{1}">'.format(in_html(page["service"]), RSS),
    ]
    parts = [
        "<header>",
        "<h1>{0} status</h1>".format(in_html(page["service"])),
        '<p class="state {0}" role="status">{1}</p>'.format(in_html(page["state"]), in_html(page["headline"])),
        "</header>",
        "<main>",
    ]
    parts += _section("Current incidents", [_incident_html(one) for one in page["incidents"]], "")
    parts += _section("Maintenance", [_maintenance_html(window) for window in page["maintenance"]], "")
    nothing = "<p>Nothing in the last {0} days.</p>".format(page["history_days"])
    parts += _section("History", [_incident_html(one) for one in page["history"]], nothing)
    contact = " Questions? Contact {0}.".format(in_html(page["contact"])) if page["contact"] else ""
    feeds = 'Also as <a href="{0}">RSS</a> and <a href="{1}">JSON</a>. All times are UTC.'.format(RSS, JSON)
    parts += ["</main>", '<footer class="mute"><p>{0}{1}</p></footer>'.format(feeds, contact)]
    return page_of("{0}: {1}".format(page["headline"], page["service"]), _STYLE, parts, head)


def _section(title, articles, nothing):
    if not articles and not nothing:
        return []
    return ["<section>", "<h2>{0}</h2>".format(title)] + (articles or [nothing]) + ["</section>"]


def _incident_html(one):
    parts = ['<article id="{0}">'.format(in_html(one["id"])), "<h3>{0}</h3>".format(in_html(one["title"]))]
    words = "{0} &middot; {1} &middot; since {2}".format(
        in_html(one["severity"]), in_html(_status(one["status"])), time_tag(one["started_at"])
    )
    if one["resolved_at"]:
        took = " &middot; lasted {0}".format(in_html(duration(one["duration_seconds"]))) if one["duration_seconds"] is not None else ""
        words = "{0} &middot; {1}{2}".format(in_html(one["severity"]), time_tag(one["started_at"]), took)
    parts.append('<p class="mute">{0}</p>'.format(words))
    if one["impact"]:
        parts.append("<p>{0}</p>".format(in_html(one["impact"])))
    if one["overdue"]:
        parts.append('<p class="overdue">An update was due at {0} and is overdue.</p>'.format(time_tag(one["next_update_at"])))
    elif one["next_update_at"]:
        parts.append("<p>Next update: {0}</p>".format(time_tag(one["next_update_at"])))
    if one["updates"]:
        parts.append("<ol>")
        parts += [
            "<li><strong>{0}</strong> {1}<p>{2}</p></li>".format(
                in_html(_status(update["status"])), time_tag(update["time"]), in_html(update["text"])
            )
            for update in one["updates"]
        ]
        parts.append("</ol>")
    return "\n".join(parts + ["</article>"])


def _maintenance_html(window):
    parts = ["<article>", "<h3>{0}</h3>".format(in_html(window["title"]))]
    word = "In progress" if window["in_progress"] else "Scheduled"
    parts.append('<p class="mute">{0} &middot; {1} to {2}</p>'.format(word, time_tag(window["starts_at"]), time_tag(window["ends_at"])))
    if window["impact"]:
        parts.append("<p>{0}</p>".format(in_html(window["impact"])))
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
        "<title>{0} status</title>".format(in_html(page["service"])),
        "<link>{0}/</link>".format(in_html(base)),
        "<description>{0}</description>".format(in_html(page["headline"])),
        '<atom:link href="{0}/{1}" rel="self" type="application/rss+xml"/>'.format(in_html(base), RSS),
    ]
    for time, one, update in items:
        lines += [
            "<item>",
            "<title>{0}: {1}</title>".format(in_html(_status(update["status"])), in_html(one["title"])),
            "<link>{0}/#{1}</link>".format(in_html(base), in_html(one["id"])),
            '<guid isPermaLink="false">{0}/{1}</guid>'.format(in_html(one["id"]), in_html(update["id"])),
            "<pubDate>{0}</pubDate>".format(email.utils.format_datetime(from_iso(time))),
            "<description>{0}</description>".format(in_html(update["text"])),
            "</item>",
        ]
    return "\n".join(lines + ["</channel>", "</rss>"]) + "\n"
