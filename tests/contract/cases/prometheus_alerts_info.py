import datetime
import functools
import http.server
import json
import threading

from ansible_collections.astraldraft.ops.tests.contract.lib.alertmanagers import REDUCED
from ansible_collections.astraldraft.ops.tests.contract.lib.case import Case, Other, Scene
from ansible_collections.astraldraft.ops.tests.contract.lib.http_options import closed, connection_options, connection_scenes


def ago(seconds):
    return (datetime.datetime.now(datetime.UTC) - datetime.timedelta(seconds=seconds)).isoformat().replace("+00:00", "123Z")


def answer(path):
    """What a Prometheus would say in which a target is stale, and one alert of each state is there: none is at hand when one is needed."""
    if "/alerts" in path and "managers" not in path:
        runbook = {"runbook_url": "docs/monitoring.md"}
        one = {"labels": {"alertname": "Watchdog"}, "annotations": runbook, "state": "firing", "activeAt": ago(600), "value": "1e+00"}
        return {"alerts": [one, one | {"labels": {"alertname": "Soon", "job": "app"}, "state": "pending"}]}
    if "/targets" in path:
        labels = {"job": "app", "instance": "app:3000"}
        one = {"labels": labels, "scrapeUrl": "http://app:3000/metrics", "health": "up", "lastError": "", "lastScrape": ago(60)}
        return {"activeTargets": [one | {"scrapeInterval": "30s", "scrapeTimeout": "10s"}], "droppedTargetCounts": {"lost": 2}}
    if "/rules" in path:
        rule = {"name": "A", "health": "ok"}
        return {"groups": [{"name": "app", "interval": 30, "evaluationTime": 0.1, "lastEvaluation": ago(5), "rules": [rule]}]}
    if "/alertmanagers" in path:
        return {"activeAlertmanagers": [{"url": "http://alertmanager:9093/api/v2/alerts"}], "droppedAlertmanagers": []}
    now = datetime.datetime.now(datetime.UTC).timestamp()
    if "time" in path:
        return {"resultType": "scalar", "result": [now, str(now)]}
    return {"resultType": "vector", "result": [{"metric": {}, "value": [now, "1"]}] if "head_series" in path else []}


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = b"Prometheus Server is Ready.\n"
        if not self.path.startswith("/-/"):
            body = json.dumps({"status": "success", "data": answer(self.path)}).encode()
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


def case(world):
    args = {"url": server()}
    return Case(
        scenes={
            "base": Scene(args),
            "a real one": Scene({"url": world.stack.url("PROMETHEUS")}),
            "no matcher": Scene(args | {"matchers": ["job"]}, "failed"),
            **connection_scenes(world, args),
        },
        options=connection_options(world)
        | {
            "url": Other(closed(world), fails=True),
            "matchers": Other(["job=app"]),
            "states": Other(["pending"]),
            "limit": Other(1),
        },
        reduced=REDUCED,
    )
