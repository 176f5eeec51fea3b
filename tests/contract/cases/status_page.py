import json

from ansible_collections.astraldraft.ops.plugins.module_utils import _status_page, _status_page_render
from ansible_collections.astraldraft.ops.plugins.module_utils._time import utc_now
from ansible_collections.astraldraft.ops.tests.contract.lib.case import Case, Other, Scene
from ansible_collections.astraldraft.ops.tests.contract.lib.incidents import PATH, POLICY, RESOLVED, incident

WINDOW = {"title": "The database is moved", "starts_at": "2100-01-01T02:00:00Z", "ends_at": "2100-01-01T03:00:00Z", "impact": "read only"}


def _written():
    """A page without incidents, as the module writes it."""
    params = {
        "service": "A",
        "url": "https://a.test",
        "contact": None,
        "severities": [],
        "history_days": 90,
        "policy": None,
        "maintenance": [],
    }
    files = _status_page_render.files_of(_status_page.page_of([], False, params, utc_now()))
    return {f"page/{name}": content for name, content in files.items()}


WRITTEN = _written()


def case(_world):
    page = {"path": PATH, "dest": "{work}/page", "service": "Astral Draft", "url": "https://status.astraldraft.test"}
    known = incident() | incident("2025-0002", **RESOLVED) | incident("2025-0003", severity="SEV-4")
    window = page | {"maintenance": [WINDOW]}
    to_come = WINDOW | {"id": 1, "owner": "ada", "told": {}, "started_at": None, "ended_at": None}
    known |= {"windows.json": json.dumps({"last_id": 1, "windows": [to_come]})}
    return Case(
        scenes={
            "base": Scene(page, "changed", known),
            "nothing yet": Scene(page, "changed"),
            "of before": Scene(page, "changed", known | {"page/rss.xml": "of before"}),
            "a window": Scene(window, "changed", known),
            "unreadable": Scene(page, "changed", known | {"incidents/2025-0004/incident.json": "{"}),
            "old ones": Scene(page | {"history_days": 100000}, "changed", known),
            "there already": Scene(page | {"service": "A", "url": "https://a.test"}, files=WRITTEN),
            "no address": Scene(page | {"url": "status"}, "failed"),
            "no time": Scene(page | {"maintenance": [WINDOW | {"ends_at": "soon"}]}, "failed"),
            "no policy": Scene(page | {"policy": {}}, "failed", known),
        },
        options={
            "path": Other("{work}/others"),
            "dest": Other("{work}/elsewhere"),
            "service": Other("Another Draft"),
            "url": Other("https://status.another.test"),
            "contact": Other("support@astraldraft.test"),
            "severities": Other(["SEV-4"]),
            "history_days": Other(1, scene="old ones"),
            "policy": Other(POLICY),
            "maintenance_path": Other("{work}/windows.json"),
            "maintenance.title": Other("The cache is moved", scene="a window"),
            "maintenance.starts_at": Other("2100-01-01T01:00:00Z", scene="a window"),
            "maintenance.ends_at": Other("2100-01-01T04:00:00Z", scene="a window"),
            "maintenance.impact": Other("none", scene="a window"),
        },
    )
