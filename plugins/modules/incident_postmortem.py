#!/usr/bin/python
# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: incident_postmortem
short_description: Write the post-mortem of an incident
version_added: 0.1.0
description:
  - Writes C(postmortem.md) and C(postmortem.html) into the folder of an incident, from its record, the journal, Prometheus, Alertmanager
    and the releases. The page is one file without script, font or picture from elsewhere; its graphs are in it.
  - What there is no data for is said to be not known. It is never 0.
  - What people write into the answers of C(postmortem.md), each between two marks, is kept by every further run. A file in which something
    else was changed is not overwritten.
  - What was measured is kept in C(postmortem.json) beside it, because Prometheus and Alertmanager forget.
author:
  - Astral Draft Platform Engineering (@astraldraft)
extends_documentation_fragment:
  - astraldraft.ops._incident
  - astraldraft.ops._http
  - astraldraft.ops._http.way
  - astraldraft.ops._http.tls
  - astraldraft.ops._operation
  - astraldraft.ops._operation.attributes
  - astraldraft.ops._operation.action_group
attributes:
  check_mode:
    support: full
  diff_mode:
    support: partial
    details: Of C(postmortem.md). Of the other files only the paths are told.
  idempotent:
    support: full
    details: Of an incident that is resolved. One that is open goes on, and so do its numbers.
requirements:
  - matplotlib, for the graphs; without it the page says that they are missing
options:
  id:
    description: The incident. By default the one that is open, or else the one that was resolved last.
    type: str
  url:
    description:
      - The address of Prometheus, with C(http://) or C(https://) and with its path prefix where it has one. Without it nothing is known of
        requests and alerts.
      - Proxy variables of the environment are not used.
    type: str
    required: false
  alertmanager_urls:
    description: The addresses of the members of Alertmanager, likewise. Without any, nothing is known of silences.
    type: list
    elements: str
    default: []
  journal_path:
    description: The journal's file. Without it no operation is in the timeline.
    type: path
  lead:
    description: So long before the incident began the timeline begins, in seconds or such as V(1h).
    type: str
    default: 1h
  releases:
    description: The releases, as RV(astraldraft.ops.release_history_info#module:releases) has them, each with C(host).
    type: list
    elements: dict
    default: []
  series:
    description: Where in Prometheus requests are counted, as selectors of series.
    type: dict
    default: {}
    suboptions:
      requests:
        description: Counters of all requests.
        type: str
      failures:
        description: Those of them that count requests that failed.
        type: str
      latency:
        description: The buckets of a histogram of how long requests took, in seconds.
        type: str
      probe:
        description: Gauges that are V(1) while a probe from outside is answered, and V(0) else.
        type: str
  rate_window:
    description: Over how long rates are taken, as PromQL writes it; at least four times as long as between two scrapes.
    type: str
    default: 1m
  error_share:
    description: The share of failed requests above which a moment counts as one with failed requests.
    type: float
    default: 0.01
  contacts:
    description: The contacts of the policy, by name, of which those who were notified have their C(name).
    type: dict
    default: {}
  overwrite:
    description:
      - Whether a C(postmortem.md) is overwritten in which something was changed outside of the answers. Answers are kept all the same.
    type: bool
    default: false
seealso:
  - module: astraldraft.ops.incident_record
  - module: astraldraft.ops.incident_info
  - module: astraldraft.ops.release_history_info
"""

EXAMPLES = r"""
- name: Write the post-mortem of the last incident
  astraldraft.ops.incident_postmortem:
    path: /var/lib/astraldraft/astral-demo/incidents
    journal_path: /var/lib/astraldraft/astral-demo/journal.jsonl
    url: http://127.0.0.1:9090
    alertmanager_urls: [http://127.0.0.1:9093]
    series:
      requests: http_requests_total{route!="/metrics"}
      failures: http_requests_total{route!="/metrics", status=~"5.."}
      latency: http_request_duration_seconds_bucket{route!="/metrics"}
  register: postmortem

- name: Is it complete?
  ansible.builtin.debug:
    msg: "Empty: {{ postmortem.missing | join(', ') | default('nothing', true) }}"
"""

RETURN = r"""
id:
  description: The incident.
  returned: always
  type: str
  sample: 2026-0042
missing:
  description:
    - The required fields that are empty, such as V(cause), V(failed_requests), V(actions) or V(owner of action 1). Of an incident that is
      complete there are none.
  returned: always
  type: list
  elements: str
unanswered:
  description: The questions that nobody has answered yet, such as V(lessons).
  returned: always
  type: list
  elements: str
unknown:
  description: A sentence for everything that could not be found out.
  returned: always
  type: list
  elements: str
files:
  description: The paths of the files that were written, or would be.
  returned: always
  type: list
  elements: str
markdown:
  description: The path of C(postmortem.md).
  returned: always
  type: str
html:
  description: The path of C(postmortem.html).
  returned: always
  type: str
graphs:
  description: The graphs in it, of V(error_rate), V(latency) and V(load). Empty where matplotlib is not installed.
  returned: always
  type: list
  elements: str
times:
  description: How long things took, in seconds.
  returned: always
  type: dict
  contains:
    detect:
      description: From its start until an alert fired or somebody opened it. V(null) when that is not known.
      type: float
    acknowledge:
      description: From its start until somebody took it on. V(null) when nobody has.
      type: float
    mitigate:
      description: From its start until users noticed nothing any more. V(null) while they do.
      type: float
    resolve:
      description: From its start to its end. V(null) while it is open.
      type: float
    lasted:
      description: How long it lasted, or has lasted so far. V(null) where its start was not recorded.
      type: float
impact:
  description: What users noticed of it.
  returned: always
  type: dict
  contains:
    minutes:
      description: From its start until it was mitigated, or so far. V(null) where its start was not recorded.
      type: float
    seconds:
      description: The same in seconds. V(null) where its start was not recorded.
      type: float
    requests:
      description: How many requests there were from its start to its end. V(null) when that is not known.
      type: int
    failed_requests:
      description: How many of them failed. V(null) when that is not known.
      type: int
    complete:
      description: Whether Prometheus has data of requests for all of that time, and its probe did not fail. Else more may have failed.
      type: bool
    error_seconds:
      description: For how long more than O(error_share) of the requests failed. V(null) when that is not known.
      type: int
    probe_failed_seconds:
      description: For how long the probe failed. V(null) when that is not known.
      type: int
    unknown_seconds:
      description: For how long Prometheus has no data of requests. V(null) when it was not asked.
      type: int
timeline:
  description:
    - What is in the timeline, as RV(astraldraft.ops.incident_info#module:incidents[].timeline), with the sources V(alert), V(silence) and
      V(release) besides.
  returned: always
  type: list
  elements: dict
duration:
  description: Seconds that the module took.
  returned: always
  type: float
"""

import os

from ansible_collections.astraldraft.ops.plugins.module_utils import (
    _incident_timeline,
    _plots,
    _postmortem,
    _postmortem_answers,
    _postmortem_evidence,
    _postmortem_kept,
    _postmortem_render,
)
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._files import read_text, write_atomically
from ansible_collections.astraldraft.ops.plugins.module_utils._http import HTTP_SPEC, connection_of
from ansible_collections.astraldraft.ops.plugins.module_utils._incident_files import IncidentFiles
from ansible_collections.astraldraft.ops.plugins.module_utils._module import run
from ansible_collections.astraldraft.ops.plugins.module_utils._time import duration_seconds, utc_now

SERIES = ("requests", "failures", "latency", "probe")
SPEC = dict(
    HTTP_SPEC,
    path={"type": "path", "required": True},
    id={"type": "str"},
    url={"type": "str"},
    alertmanager_urls={"type": "list", "elements": "str", "default": []},
    journal_path={"type": "path"},
    lead={"type": "str", "default": "1h"},
    releases={"type": "list", "elements": "dict", "default": []},
    series={"type": "dict", "default": {}, "options": {name: {"type": "str"} for name in SERIES}},
    rate_window={"type": "str", "default": "1m"},
    error_share={"type": "float", "default": 0.01},
    contacts={"type": "dict", "default": {}},
    overwrite={"type": "bool", "default": False},
)
RESULT = {
    "id": "", "missing": [], "unanswered": [], "unknown": [], "files": [], "markdown": "", "html": "", "graphs": [], "times": {},
    "impact": {}, "timeline": [],
}  # fmt: skip


def observed(module, span, kept):
    """What others know of that time, with what an earlier run ``kept`` of it."""
    params, connection = module.params, connection_of(module.params)
    unknown = []
    measured, alerts = dict(_postmortem_evidence.NOTHING), None
    if params["url"]:
        prometheus = _postmortem_evidence.Prometheus(connection, module.heartbeat)
        series = {name: params["series"].get(name) for name in SERIES}
        measured = _postmortem_evidence.measured(prometheus, series, params["rate_window"], params["error_share"], span)
        alerts = _postmortem_evidence.alerts(prometheus, span)
        unknown += prometheus.unknown
    else:
        unknown.append("How many requests failed, and which alerts fired, is not known: no Prometheus is configured.")
    members = [dict(connection, url=url) for url in params["alertmanager_urls"]]
    silences = _postmortem_evidence.silences(members, span, unknown)
    measured, alerts, silences = _postmortem_kept.completed(measured, alerts, silences, kept, unknown)
    return {"measured": measured, "alerts": alerts, "silences": silences, "unknown": unknown}


def operations(path, record, now, lead):
    """``(items of the timeline, how many more there were)`` of the journal."""
    if not path:
        return [], 0
    try:
        found, left_out = _incident_timeline.from_journal(path, _incident_timeline.Windows([record], now, lead))
    except OSError as error:
        raise OpsError("The journal {0} cannot be read: {1}. Nothing was written. Correct journal_path.".format(path, error))
    return found.get(record["id"], []), left_out


def work(module, result):
    params, now = module.params, utc_now()
    try:
        lead = duration_seconds(params["lead"])
    except ValueError as error:
        raise OpsError("lead: {0}. Nothing was written.".format(error))
    one = _postmortem.chosen(IncidentFiles(params["path"]).read()[0], params["id"])
    folder = os.path.join(params["path"], one.record["id"])
    paths = [os.path.join(folder, name) for name in (_postmortem_render.MARKDOWN, _postmortem_render.HTML, _postmortem_kept.FILE)]
    result.update(id=one.record["id"], markdown=paths[0], html=paths[1])
    before = [read_text(path) for path in paths]
    answers = _postmortem_answers.answers_in(before[0], paths[0], params["overwrite"])

    span = _postmortem.span_of(one.record, now, lead)
    kept = _postmortem_kept.read(before[2], span)
    span = _postmortem_kept.settled(span, kept)
    evidence = observed(module, span, kept)
    keep = _postmortem_kept.written(span, evidence["measured"], evidence["alerts"], evidence["silences"])
    evidence["operations"], evidence["left_out"] = operations(params["journal_path"], one.record, now, lead)
    evidence.update(own=_incident_timeline.of_entries(one.entries), releases=params["releases"], contacts=params["contacts"], span=span)
    said = _postmortem.document(one, evidence, now)
    courses, can_draw = _postmortem.courses(said), _plots.is_there()
    result.update(
        missing=said["missing"],
        unanswered=[name for name in _postmortem_answers.QUESTIONS if name not in answers],
        unknown=said["unknown"],
        graphs=sorted(courses) if can_draw else [],
        times=said["times"],
        impact=said["measured"],
        timeline=said["timeline"],
    )
    markdown = _postmortem_render.as_markdown(said, answers)
    same = (before[0] == markdown, _postmortem_render.says_the_same(before[1], said, answers, can_draw), before[2] == keep)
    result["files"] = [path for path, unchanged in zip(paths, same) if not unchanged]
    result["changed"] = bool(result["files"])
    result["diff"] = [{"before_header": paths[0], "after_header": paths[0], "before": before[0] or "", "after": markdown}]
    result["diff"] += [{"prepared": "{0} is written\n".format(path)} for path in result["files"] if path != paths[0]]
    if module.check_mode:
        return
    drawing = _plots.library() if can_draw and not same[1] else None
    graphs = {name: _plots.draw_course(drawing, course) for name, course in courses.items()} if drawing else None
    # What was measured first: whoever dies after it has lost nothing.
    for path, content in ((paths[2], keep), (paths[0], markdown), (paths[1], _postmortem_render.as_html(said, answers, graphs))):
        if path in result["files"]:
            write_atomically(path, content)


def main():
    run(work, SPEC, RESULT, supports_check_mode=True)


if __name__ == "__main__":
    main()
