from __future__ import annotations

import html.parser
import json
import xml.etree.ElementTree

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _status_page, _status_page_render
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._incident_files import IncidentFiles
from ansible_collections.astraldraft.ops.tests.unit.plugins.module_utils.incidents import NOW, Said, later, opened
from ansible_collections.astraldraft.ops.tests.unit.plugins.module_utils.policies import policy

WINDOW = {"title": "The database is moved", "starts_at": "2026-11-24T02:00:00Z", "ends_at": "2026-11-24T02:40:00Z", "impact": None}
PARAMS = {
    "service": "Astral Draft", "url": "https://status.astraldraft.com/", "contact": "support@astraldraft.com", "history_days": 90,
    "severities": ["SEV-1", "SEV-2", "SEV-3"], "policy": None, "maintenance": [],
}  # fmt: skip


def page(folder, now=NOW, unreadable=False, **params):
    kept, _paths = IncidentFiles(str(folder)).read()
    return _status_page.page_of(kept, unreadable, PARAMS | params, now)


def files(*arguments, **options):
    return _status_page_render.files_of(page(*arguments, **options))


class Text(html.parser.HTMLParser):
    """What is read of a page, and whether every tag is closed in its order."""

    VOID = {"meta", "link"}

    def __init__(self, source):
        super().__init__()
        self.words, self.open, self.tags, self.links = [], [], [], []
        self.feed(source)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name in ("href", "src")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.words.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())


def test_without_incidents_all_is_well(tmp_path):
    found = page(tmp_path)
    assert (found["state"], found["incidents"], found["history"]) == ("operational", [], [])
    text = Text(_status_page_render.as_html(found)).text
    assert "All systems are operational" in text and "Nothing in the last 90 days" in text and "Current incidents" not in text


def test_an_incident_is_told_as_everybody_may_know_it(tmp_path):
    opened(
        tmp_path, "Logins fail", "SEV-1", impact="A third of all.", note="secret-note", announcement="We look.", people={"commander": "ada"}
    )
    Said(tmp_path, "updated", status="identified", cause="secret-cause", references={"ticket": "secret-ticket"}, now=later(minutes=5))
    Said(tmp_path, "updated", announcement="It will be over soon.", next_update="30m", now=later(minutes=10))
    made = files(tmp_path, now=later(minutes=11))
    text = Text(made["index.html"]).text
    for words in (
        "Major outage",
        "Logins fail",
        "SEV-1",
        "A third of all.",
        "We look.",
        "It will be over soon.",
        "We have found the cause.",
    ):
        assert words in text
    assert "Next update: 2026-11-23 19:27 UTC" in text and "overdue" not in text
    assert text.index("It will be over soon") < text.index("We look.")
    for content in made.values():
        assert "secret" not in content and "ada" not in content
    one = json.loads(made["status.json"])["incidents"][0]
    assert [update["status"] for update in one["updates"]] == ["identified", "identified", "investigating"]
    assert one["next_update_at"] == "2026-11-23T19:27:00.000Z" and not one["overdue"]


def test_an_update_that_is_overdue_is_said_so(tmp_path):
    opened(tmp_path, "Logins fail", "SEV-1", announcement="We look.")
    assert not page(tmp_path, now=later(hours=5))["incidents"][0]["overdue"]  # nobody has promised one
    found = page(tmp_path, now=later(minutes=29), policy=policy())
    assert not found["incidents"][0]["overdue"]
    found = page(tmp_path, now=later(minutes=31), policy=policy())
    assert found["incidents"][0]["overdue"]
    assert "An update was due at 2026-11-23 19:17 UTC and is overdue." in Text(_status_page_render.as_html(found)).text


def test_what_was_resolved_is_history_for_so_many_days(tmp_path):
    opened(tmp_path, "Logins fail")
    Said(tmp_path, "resolved", announcement="It is over.", now=later(minutes=64))
    found = page(tmp_path, now=later(days=89))
    assert found["state"] == "operational" and [one["id"] for one in found["history"]] == ["2026-0001"]
    text = Text(_status_page_render.as_html(found)).text
    assert "lasted 1 hour 4 minutes" in text and "Resolved 2026-11-23 19:51 UTC It is over." in text
    assert page(tmp_path, now=later(days=91))["history"] == []


@pytest.mark.parametrize(
    ("severity", "status", "unreadable", "state"),
    [
        ("SEV-1", None, False, "outage"),
        ("SEV-1", None, True, "outage"),
        ("SEV-2", None, True, "degraded"),
        ("SEV-3", None, False, "minor"),
        ("SEV-3", None, True, "unknown"),
        ("SEV-1", "monitoring", False, "recovering"),
        ("SEV-4", None, False, "operational"),
        ("SEV-4", None, True, "unknown"),
    ],
)
def test_the_worst_is_in_the_headline_and_what_is_not_known_is_not_well(tmp_path, severity, status, unreadable, state):
    opened(tmp_path, severity=severity, status=status)
    found = page(tmp_path, unreadable=unreadable)
    assert found["state"] == state and found["headline"] == _status_page.STATES[state]


def test_maintenance_is_shown_until_it_is_over(tmp_path):
    def at(**delta):
        return page(tmp_path, now=later(**delta), maintenance=[WINDOW])

    assert at(hours=1)["state"] == "operational" and at(hours=1)["maintenance"][0]["in_progress"] is False
    assert at(hours=7, minutes=30)["state"] == "maintenance"
    assert at(hours=8)["maintenance"] == []
    text = Text(_status_page_render.as_html(at(hours=1))).text
    assert "The database is moved Scheduled · 2026-11-24 02:00 UTC to 2026-11-24 02:40 UTC" in text
    with pytest.raises(OpsError, match="write a time with its zone"):
        page(tmp_path, maintenance=[WINDOW | {"starts_at": "tomorrow"}])
    with pytest.raises(OpsError, match="before it starts"):
        page(tmp_path, maintenance=[WINDOW | {"ends_at": WINDOW["starts_at"]}])


def test_the_page_needs_nothing_from_elsewhere(tmp_path):
    opened(tmp_path, "Logins fail", "SEV-1")
    source = files(tmp_path)["index.html"]
    found = Text(source)
    assert not {"script", "img", "iframe", "object", "form"} & set(found.tags)
    assert set(found.links) == {"rss.xml", "status.json"}
    assert "width=device-width" in source and "default-src 'none'" in source and '<html lang="en">' in source


def test_the_feed_has_an_item_an_update(tmp_path):
    opened(tmp_path, "Logins & drafts fail", announcement="We <b>look</b>.")
    Said(tmp_path, "resolved", now=later(minutes=5))
    channel = xml.etree.ElementTree.fromstring(files(tmp_path, now=later(minutes=6))["rss.xml"]).find("channel")  # noqa: S314 - our own
    items = [{field.tag: field.text for field in item} for item in channel.findall("item")]
    assert [item["title"] for item in items] == ["Resolved: Logins & drafts fail", "Investigating: Logins & drafts fail"]
    assert items[1]["description"] == "We <b>look</b>." and items[1]["pubDate"] == "Mon, 23 Nov 2026 18:47:00 +0000"
    assert [item["guid"] for item in items] == ["2026-0001/2", "2026-0001/1"]
    assert items[0]["link"] == "https://status.astraldraft.com/#2026-0001"


def test_hostile_words_come_out_harmless(tmp_path):
    hostile = "</h3><script>alert(1)</script> {{ 7*7 }} ]]> & \x1b[31m\x00\u202e\"'"
    opened(tmp_path, hostile, "SEV-1", impact=hostile, announcement=hostile + "x" * 5000)
    made = files(tmp_path, service=hostile, contact=hostile, maintenance=[WINDOW | {"title": hostile, "impact": hostile}])
    found = Text(made["index.html"])
    assert "script" not in found.tags and "<script>alert(1)</script> {{ 7*7 }}" in found.text
    assert not {"\x1b", "\x00", "\u202e"} & set("".join(made.values()))
    xml.etree.ElementTree.fromstring(made["rss.xml"])  # noqa: S314 - our own
    assert json.loads(made["status.json"])["incidents"][0]["title"].startswith("</h3><script>")


def test_it_says_the_same_as_long_as_nothing_happens(tmp_path):
    opened(tmp_path, "Logins fail", next_update="30m")
    first = files(tmp_path, now=later(minutes=1))
    assert files(tmp_path, now=later(minutes=29)) == first
    assert files(tmp_path, now=later(minutes=31)) != first


@pytest.mark.parametrize(
    ("seconds", "words"), [(5, "less than a minute"), (60, "1 minute"), (7380, "2 hours 3 minutes"), (176400, "2 days 1 hour")]
)
def test_how_long_it_took(seconds, words):
    assert _status_page_render.duration(seconds) == words
