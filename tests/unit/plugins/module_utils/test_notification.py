from __future__ import annotations

from pathlib import Path

import jinja2
import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.astraldraft.ops.plugins.filter.notification_fields import notification_fields
from ansible_collections.astraldraft.ops.plugins.filter.notification_text import FilterModule
from ansible_collections.astraldraft.ops.plugins.module_utils import _notification
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError

TEMPLATES = Path(__file__).resolve().parents[4] / "roles" / "notify" / "templates"
FIELDS = {
    "incident_initial": {
        "severity": "SEV-1", "service": "Astral Draft v4", "status": "Investigating", "impact": "No login works.",
        "started_at": "18:47 UTC", "description": "We are investigating reports that logins fail.", "next_update_at": "19:17 UTC",
        "eta": "an hour",
        "status_page": "https://status.astraldraft.com",
    },
    "incident_update": {
        "severity": "SEV-1", "status": "Identified", "details": "The pool is exhausted.", "cause": "v1.2.3", "actions_taken": "rolled back",
        "next_update_at": "19:47 UTC", "status_page": "https://status.astraldraft.com",
    },
    "incident_escalation": {
        "severity": "SEV-1", "incident": "2026-0042", "title": "Logins fail", "name": "Senior engineer", "why": "SEV-1 for 30 minutes",
        "mention": "Ada, phone +49 30 901820", "status": "Identified", "impact": "No login works.", "cause": "v1.2.3",
        "due_at": "19:17 UTC", "status_page": "https://status.astraldraft.com",
    },
    "incident_resolved": {
        "severity": "SEV-1", "service": "Astral Draft v4", "duration": "1 h 4 min", "cause": "the pool",
        "resolution": "v1.2.3 was rolled back.",
        "status_page": "https://status.astraldraft.com",
    },
    "maintenance_notice": {
        "service": "Astral Draft v4", "starts_at": "2026-12-01 02:00", "ends_at": "02:40", "timezone": "UTC", "duration": "40 minutes",
        "impact": "not available", "description": "We move the database.", "contact": "support@astraldraft.com",
    },
    "maintenance_started": {"service": "Astral Draft v4", "expected_end_at": "02:40 UTC", "status": "the database is being moved"},
    "maintenance_completed": {"service": "Astral Draft v4", "duration": "38 minutes"},
}  # fmt: skip


def render(kind, channel, fields):
    filters = {f"astraldraft.ops.{name}": function for name, function in FilterModule().filters().items()}
    environment = jinja2.Environment(trim_blocks=True, undefined=jinja2.StrictUndefined, autoescape=False)  # noqa: S701 - as Ansible does
    environment.filters.update(filters)
    template = environment.from_string((TEMPLATES / f"{kind}.{channel}.j2").read_text())
    return _notification.text_of(template.render(fields=notification_fields(fields, kind)))


def test_there_is_a_template_for_each_message_and_channel():
    assert sorted(path.name for path in TEMPLATES.glob("*.j2")) == sorted(
        f"{kind}.{channel}.j2" for kind in _notification.KINDS for channel in ("chat", "mail")
    )
    assert set(FIELDS) == set(_notification.KINDS)


@pytest.mark.parametrize("channel", ["chat", "mail"])
@pytest.mark.parametrize("kind", FIELDS)
def test_every_field_gets_into_the_message_and_the_optional_ones_may_be_missing(kind, channel):
    text = render(kind, channel, FIELDS[kind])
    for value in FIELDS[kind].values():
        assert value in text
    needed, optional = _notification.KINDS[kind]
    short = render(kind, channel, {name: FIELDS[kind][name] for name in needed})
    for name in optional:
        assert FIELDS[kind][name] not in short
    assert "\n\n\n" not in short and ": \n" not in short


@pytest.mark.parametrize("kind", FIELDS)
def test_a_field_that_is_needed_and_empty_is_refused(kind):
    for name in _notification.KINDS[kind][0]:
        for value in ("", "  ", None, "\x00"):
            with pytest.raises(AnsibleFilterError, match=f"{name} is empty"):
                notification_fields(dict(FIELDS[kind], **{name: value}), kind)


@pytest.mark.parametrize(
    "text",
    ["[Brief description]", "about [Initial estimate]", "reports of [issue description]", "SEV-[X]", "[Timestamp]",
     "[In Progress/Monitoring/Resolved]",
     "[brief description of maintenance]", "{{ impact }}", "XXX", "TODO", "cause: TBD", "[SEV-X] logins"],
)  # fmt: skip
def test_a_placeholder_is_refused_in_a_field_and_in_a_text(text):
    with pytest.raises(OpsError, match="impact still says"):
        _notification.fields_of("incident_initial", dict(FIELDS["incident_initial"], impact=text))
    with pytest.raises(OpsError, match="was never filled in"):
        _notification.text_of("hello " + text)


@pytest.mark.parametrize(
    "text", ["[SEV-1] logins fail", "see [OPS-12]", "[the page](https://status.astraldraft.com)", "[error] in the log", "a[0]", "x"]
)
def test_what_is_no_placeholder_is_taken(text):
    assert _notification.text_of(text) == text


def test_what_is_no_field_and_no_message_is_refused():
    with pytest.raises(OpsError, match="has no field impacts; it has severity"):
        _notification.fields_of("incident_initial", dict(FIELDS["incident_initial"], impacts="x"))
    with pytest.raises(OpsError, match="There is no message 'incident_begun'"):
        _notification.fields_of("incident_begun", {})
    with pytest.raises(AnsibleFilterError, match="as a dict, not str"):
        notification_fields("x", "incident_initial")
    for text in ("", " \n\x1b[0m ", "x" * 20001):
        with pytest.raises(OpsError, match="is not sent"):
            _notification.text_of(text)


def test_hostile_text_comes_out_harmless():
    hostile = "\x1b[2J\x1b]0;title\x07red\x1b[31m \x00\x07\x9bx \u202eevil\u2066 tab\there\r\nnext \ud800"
    assert _notification.harmless(hostile) == "red x evil tab\there\nnext "
    unseen = "\u061ca\u200bb\u00adc\u2066d\u2069\U000e0041\u180e"
    assert _notification.harmless(unseen) == "abcd"
    joined = "\U0001f469\u200d\U0001f680 \u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"
    assert _notification.harmless(joined) == joined
    assert _notification.one_line("a\n\x1b[1mb\tc") == "a b c"
    fields = dict(FIELDS["incident_initial"], impact="<!channel> <@U1> <http://evil|safe> & @here @Everyone me@home")
    text = render("incident_initial", "chat", fields)
    assert "&lt;!channel&gt; &lt;@U1&gt; &lt;http://evil|safe&gt; &amp; @\u2060here @\u2060Everyone me@home" in text
    # What is no template is not taken for one.
    with pytest.raises(AnsibleFilterError, match="still says"):
        notification_fields(dict(fields, impact="{{ 7 * 7 }}"), "incident_initial")


def test_whoever_is_called_is_called_whatever_words_were_left_to_be_filled_in():
    fields = dict(FIELDS["incident_escalation"], title="[Logins] fail, TODO", why="XXX")
    found = notification_fields(fields, "incident_escalation")
    assert "[Logins] fail, TODO" in _notification.text_of(found["title"], "incident_escalation")
    with pytest.raises(AnsibleFilterError, match="title is empty"):
        notification_fields(dict(fields, title=""), "incident_escalation")


def test_a_mention_in_the_chats_own_spelling_wakes_somebody_and_a_name_does_not():
    woken = render("incident_escalation", "chat", dict(FIELDS["incident_escalation"], mention="<@U0ADA4711>, phone +49 30 901820"))
    assert "\n<@U0ADA4711>, phone" in woken
    assert "&lt;b&gt;" in render("incident_escalation", "chat", dict(FIELDS["incident_escalation"], mention="<b>"))
