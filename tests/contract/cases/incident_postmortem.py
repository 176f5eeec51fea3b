import functools
import http.server
import json
import threading
import urllib.parse

from ansible_collections.astraldraft.ops.plugins.module_utils import (
    _incident_timeline,
    _plots,
    _postmortem,
    _postmortem_evidence,
    _postmortem_kept,
    _postmortem_render,
)
from ansible_collections.astraldraft.ops.plugins.module_utils._incident_files import Kept
from ansible_collections.astraldraft.ops.plugins.module_utils._time import utc_now
from ansible_collections.astraldraft.ops.tests.contract.cases.journal_entry import journal
from ansible_collections.astraldraft.ops.tests.contract.lib.case import BEGUN, Case, Other, Scene
from ansible_collections.astraldraft.ops.tests.contract.lib.http_options import closed, connection_options, connection_scenes
from ansible_collections.astraldraft.ops.tests.contract.lib.incidents import PATH, RESOLVED, incident

SERIES = {"requests": "requests_total", "failures": "failures_total", "latency": "seconds_bucket", "probe": "probe"}
NOTIFIED = {
    "notifications": {"escalation/SEV-2/0/oncall": {"claimed_at": "2025-11-24T16:01:00.000Z", "sent_at": "2025-11-24T16:01:01.000Z"}}
}
RELEASE = {
    "host": "app-1", "operation": "deploy", "version": "v1.2.3", "operator": "ada", "outcome": "healthy", "message": "",
    "started_at": "2025-11-24T15:50:00.000Z", "switched_at": None, "finished_at": "2025-11-24T15:55:00.000Z",
}  # fmt: skip
SILENCE = {
    "id": "5b1a", "status": {"state": "expired"}, "createdBy": "ada", "comment": "a disk",
    "matchers": [{"name": "job", "value": "app", "isRegex": False}],
    "startsAt": "2025-11-24T16:10:00Z", "endsAt": "2025-11-24T16:20:00Z",
}  # fmt: skip


def samples(path):
    """The series that a query has: of an hour a sample every minute, and an alert in it."""
    asked = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(path).query))
    query = asked["query"]
    times = [BEGUN + 60 * number for number in range(-5, 62)]
    if query == "ALERTS":
        labels = {"alertname": "HighErrorRate", "alertstate": "firing", "severity": "critical"}
        return [{"metric": labels, "values": [[BEGUN + number, "1"] for number in range(120, 600)]}]
    if "[" in query and "rate" not in query:
        return [{"metric": {"job": "app", "instance": "1"}, "values": [[time, str(number)] for number, time in enumerate(times)]}]
    step = float(asked["step"])
    return [{"metric": {}, "values": [[BEGUN + step * number, "0.5"] for number in range(-100, int(4000 / step))]}]


class Handler(http.server.BaseHTTPRequestHandler):
    """Prometheus and Alertmanager in one, a year ago."""

    def do_GET(self):
        document = [SILENCE]
        if "/api/v1/" in self.path:
            document = {"status": "success", "data": {"resultType": "matrix", "result": samples(self.path)}}
        body = json.dumps(document).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments):
        pass


@functools.cache
def server():
    found = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=found.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{found.server_address[1]}"


def written(files):
    """The files of a post-mortem for which nobody was asked, as the module writes them."""
    record = json.loads(files["incidents/2025-0001/incident.json"])
    entries = [json.loads(files["incidents/2025-0001/timeline.jsonl"])]
    now, measured = utc_now(), dict(_postmortem_evidence.NOTHING)
    span = _postmortem.span_of(record, now, 3600)
    unknown = ["How many requests failed, and which alerts fired, is not known: no Prometheus is configured."]
    evidence = {
        "measured": measured, "alerts": None, "silences": _postmortem_evidence.silences([], span, unknown), "unknown": unknown,
        "span": span,
        "own": _incident_timeline.of_entries(entries), "operations": [], "left_out": 0, "releases": [], "contacts": {},
    }  # fmt: skip
    said = _postmortem.document(Kept(record, entries, [], False), evidence, now)
    return {
        "incidents/2025-0001/postmortem.md": _postmortem_render.as_markdown(said, {}),
        "incidents/2025-0001/postmortem.html": _postmortem_render.as_html(said, {}, {} if _plots.is_there() else None),
        "incidents/2025-0001/postmortem.json": _postmortem_kept.written(span, measured, None, None),
    }


def case(world):
    over = incident(**RESOLVED)
    before, _entries = journal("deploy", started_at="2025-11-24T15:30:00Z", ended_at="2025-11-24T15:40:00Z")
    alone = {"path": PATH}
    ask = alone | {"url": server(), "alertmanager_urls": [server()], "series": SERIES}
    merged = ask | {"journal_path": "{work}/journal.jsonl"}
    there = written(over)
    changed = there | {"incidents/2025-0001/postmortem.md": "# Ours\n"}
    lost = there | {
        "incidents/2025-0001/postmortem.md": there["incidents/2025-0001/postmortem.md"].replace("<!-- end of answer lessons -->", "")
    }
    connection = {"path": PATH, "series": SERIES}
    scenes = {
        name: Scene(scene.args, scene.expect, over | there) for name, scene in connection_scenes(world, connection, "changed").items()
    }
    return Case(
        scenes={
            "base": Scene(ask, "changed", over | incident("2025-0002", **RESOLVED) | {"journal.jsonl": before}),
            "nobody is asked": Scene(alone, "changed", over),
            "written already": Scene(alone, files=over | there),
            "all of it": Scene(merged | {"releases": [RELEASE]}, "changed", incident(**RESOLVED, **NOTIFIED) | {"journal.jsonl": before}),
            "nobody answers": Scene(ask | {"url": closed(world), "timeout": 1}, "changed", over | there),
            "changed elsewhere": Scene(alone, "failed", over | changed),
            "a lost mark": Scene(alone, "failed", over | lost),
            "none": Scene(alone, "failed"),
            "not there": Scene(alone | {"id": "2025-0009"}, "failed", over),
            "no duration": Scene(alone | {"lead": "early"}, "failed", over),
            **scenes,
        },
        options=connection_options(world)
        | {
            "path": Other("{work}/others", fails=True),
            "id": Other("2025-0001"),
            "url": Other(closed(world)),
            "alertmanager_urls": Other([]),
            "journal_path": Other("{work}/journal.jsonl"),
            "lead": Other("0", scene="all of it"),
            "releases": Other([RELEASE]),
            "series.requests": Other("others_total"),
            "series.failures": Other("mishaps_total"),
            "series.latency": Other("milliseconds_bucket"),
            "series.probe": Other("another"),
            "rate_window": Other("5m"),
            "error_share": Other(0.9),
            "contacts": Other({"oncall": {"name": "Ada Lovelace"}}, scene="all of it"),
            "overwrite": Other(True, scene="changed elsewhere", fails=True),
        },
    )
