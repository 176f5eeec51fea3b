from __future__ import annotations

import html.parser
import re

import markdown_it
import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils import _postmortem, _postmortem_answers, _postmortem_evidence
from ansible_collections.astraldraft.ops.plugins.module_utils import _postmortem_render as render
from ansible_collections.astraldraft.ops.tests.unit.plugins.module_utils.postmortems import (
    ALERT,
    OPERATION,
    RELEASE,
    SILENCE,
    complete,
    said,
)

GRAPHS = {"error_rate": "<svg><path/></svg>", "load": "<svg></svg>"}
HOSTILE = (
    "\x1b[31m<script>alert(1)</script> {{ 7 * 7 }} | `x` [y](javascript:z) ![i](http://x.test/i.png) \"' onload=1 -->\n# head\n"
    + "w" * 90000
)


class Page(html.parser.HTMLParser):
    """What is read of a page, its tags, and whether each is closed in its order."""

    VOID = {"meta"}

    def __init__(self, source):
        super().__init__()
        self.words, self.open, self.tags, self.attributes, self.comments = [], [], [], set(), []
        self.feed(source)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes |= {name for name, _value in attrs}
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes |= {name for name, _value in attrs}

    def handle_comment(self, data):
        self.comments.append(data)

    def handle_data(self, data):
        if "style" not in self.open:
            self.words.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())


def as_read(markdown):
    return Page(markdown_it.MarkdownIt("gfm-like", {"linkify": False}).render(markdown))


def test_both_say_the_same(tmp_path):
    found = said(complete(tmp_path))
    page, read = Page(render.as_html(found, {}, GRAPHS)), as_read(render.as_markdown(found, {}))
    for words in (
        "Post-mortem 2026-0001: Logins fail",
        "A third of all logins end with an error.",
        "The pool was empty.",
        "v1.2.2 is live again.",
        "10 minutes",
        "30 of 1000 (3 %)",
        "1 min 30 s",
        "15 min",
        "2026-11-23 18:48:30 UTC",
        "HighErrorRate (service=app) is firing",
        "operation: rollback",
        "pass: v1.2.2 is live. (journal 7)",
        "job=app until",
        "deploy of v1.2.3 on app-1: healthy",
        "Alert before the pool is empty",
        "grace",
        "2026-12-24",
        "Ada Lovelace",
        "not sent",
        "OPS-12",
        "database",
        "To be answered",
        *[question for question, _help in _postmortem_answers.QUESTIONS.values()],
    ):
        assert words in page.text and words in read.text, words
    assert "not complete" not in page.text + read.text and render.NOT_KNOWN not in page.text + read.text


def test_what_is_empty_or_not_known_is_said(tmp_path):
    one = complete(tmp_path)
    record = dict(one.record, cause="", resolved_at=None, status="monitoring", actions=[])
    found = said(one._replace(record=record), measured=_postmortem_evidence.NOTHING, unknown=["Nobody knows it."])
    page, read = Page(render.as_html(found, {}, {})), as_read(render.as_markdown(found, {}))
    for words in (
        "This is not complete. Empty is: cause, resolved_at, failed_requests, actions.",
        "Nobody knows it.",
        "not known",
        "None.",
    ):
        assert words in page.text and words in read.text, words
    assert page.text.count(render.WITHOUT_DATA) == 3
    assert not re.search(r"Failed requests\W+0", read.text)


def test_failed_requests_in_words():
    measured = {"failed_requests": 0, "requests": 0, "complete": True}
    assert render.failed_in_words(measured) == "0 of 0"
    assert render.failed_in_words(measured | {"failed_requests": 3, "requests": 1000, "complete": False}) == "at least 3 of 1000 (0.3 %)"
    assert render.failed_in_words(measured | {"failed_requests": None}) == "not known"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, "not known"),
        (0, "0 s"),
        (59.4, "59 s"),
        (150, "2 min 30 s"),
        (600, "10 min"),
        (3700, "1 hour 1 minute"),
        (-5, "less than a minute"),
    ],
)
def test_how_long_in_words(seconds, words):
    assert render.seconds_in_words(seconds) == words


def test_without_matplotlib_it_says_why(tmp_path):
    assert render.WITHOUT_LIBRARY in Page(render.as_html(said(complete(tmp_path)), {}, None)).text


def test_answers_are_kept_in_one_and_shown_in_the_other(tmp_path):
    found = said(complete(tmp_path))
    answers = {"lessons": "# Ours\n\n- <b>one</b>", "of_another_version": "kept, too"}
    markdown = render.as_markdown(found, answers)
    assert _postmortem_answers.answers_in(markdown, "x") == answers
    page = Page(render.as_html(found, answers, GRAPHS))
    assert "# Ours - <b>one</b>" in page.text and "kept, too" in page.text
    assert page.text.count("To be answered") == 3


def test_a_page_is_known_by_what_it_says(tmp_path):
    found = said(complete(tmp_path))
    page = render.as_html(found, {}, GRAPHS)
    assert render.says_the_same(page, found, {}, True)
    for other in ((found, {}, False), (found, {"lessons": "x"}, True), (dict(found, cause="another"), {}, True)):
        assert not render.says_the_same(page, *other)
    assert not render.says_the_same(None, found, {}, True)
    assert not render.says_the_same(page[:-100], found, {}, True)


def test_it_needs_nothing_from_elsewhere(tmp_path):
    source = render.as_html(said(complete(tmp_path)), {}, GRAPHS)
    page = Page(source)
    assert not {"script", "img", "link", "iframe", "object", "a"} & set(page.tags)
    assert "default-src 'none'" in source and "url(" not in source and "@import" not in source
    assert 'name="viewport" content="width=device-width' in source


def test_words_of_strangers_are_nothing_but_text(tmp_path):
    # Everything that may come from outside: the record, the journal, alerts, silences, releases, and what a service answered.
    one = complete(
        tmp_path, opening={"impact": HOSTILE, "announcement": HOSTILE, "people": {"commander": HOSTILE}}, note=HOSTILE, cause=HOSTILE
    )
    one.record.update(
        title=HOSTILE, severity=HOSTILE, resolution=HOSTILE, conditions=[HOSTILE], references={HOSTILE: HOSTILE}, opened_by=HOSTILE
    )
    one.record["actions"][0].update(title=HOSTILE, owner=HOSTILE, due=HOSTILE)
    one.record["notifications"][HOSTILE] = {"sent_at": HOSTILE}
    found = said(
        one,
        operations=[
            dict.fromkeys(("kind", "by", "text", "verdict"), HOSTILE)
            | {"source": "journal", "time": HOSTILE, "ended_at": None, "number": 1}
        ],
        alerts=[ALERT | {"title": HOSTILE, "severity": HOSTILE}],
        silences=[SILENCE | {"matchers": [HOSTILE], "owner": HOSTILE, "comment": HOSTILE}],
        releases=[RELEASE | dict.fromkeys(("operation", "version", "host", "operator", "outcome", "message"), HOSTILE)],
        unknown=[HOSTILE],
        contacts={"oncall": {"name": HOSTILE}},
    )
    source = render.as_html(found, {"lessons": HOSTILE}, {})
    page, plain = Page(source), Page(render.as_html(said(complete(tmp_path / "plain")), {"lessons": "x"}, {}))
    assert set(page.tags) <= set(plain.tags) | {"div"}
    assert page.attributes == plain.attributes
    assert len(page.comments) == 1
    markdown = render.as_markdown(found, {})
    read = as_read(markdown)
    assert set(read.tags) <= {*as_read(render.as_markdown(said(complete(tmp_path / "other")), {})).tags, "blockquote"}
    for text in (source, markdown):
        assert "\x1b" not in text and "{{" not in text and "<script" not in text
        assert len(text) < 500000
        assert max(map(len, text.splitlines())) < 20000
    # Its answers are found again: nothing in it could pass for a mark.
    assert _postmortem_answers.answers_in(markdown, "x") == {}


def test_many_operations_are_all_there(tmp_path):
    many = [OPERATION | {"number": number} for number in range(2000)]
    found = said(complete(tmp_path), operations=many, left_out=7)
    source = render.as_html(found, {}, {})
    assert source.count("operation: rollback") == 2000 and "7 older operations are left out." in source
    assert render.as_markdown(found, {}).count("operation: rollback") == 2000


def test_graphs_that_are_drawn_stand_in_the_page(tmp_path):
    assert set(_postmortem.GRAPHS) == set(_postmortem_evidence.NOTHING["graphs"])
    source = render.as_html(said(complete(tmp_path)), {}, GRAPHS)
    assert "<svg><path/></svg>" in source and source.count("<figure>") == 3
