#!/usr/bin/python
# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: prometheus_query_info
short_description: Ask Prometheus and assert its answers
version_added: 0.1.0
author:
  - Astral Draft Platform Engineering (@astraldraft)
description:
  - Runs instant and range queries concurrently in one call, and compares every value with thresholds, or with a baseline such as what
    another release does in the same window.
  - The verdict is V(pass), V(fail) or V(inconclusive). No data, values that are not numbers, old data, a guard that is not satisfied
    and a Prometheus that cannot be reached are inconclusive (or fail, where asked). None of them passes.
  - Nothing but C(GET) requests is sent.
extends_documentation_fragment:
  - astraldraft.ops._http
  - astraldraft.ops._http.way
  - astraldraft.ops._http.tls
  - astraldraft.ops._operation
  - astraldraft.ops._operation.action_group
  - astraldraft.ops._operation.info
options:
  queries:
    description: What to ask.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: What the query is called in the answer. By default its text.
        type: str
      query:
        description: The query, in PromQL. All series of its answer count.
        type: str
        required: true
      time:
        description: The moment of an instant query and of the guards, in seconds since the epoch or as RFC 3339. By default now.
        type: str
      range_seconds:
        description: Makes it a range query over so many seconds up to now. All points of the answer count.
        type: float
      step:
        description: The seconds between two points of a range query. By default a sixtieth of the range, at least V(1).
        type: float
      max_age:
        description:
          - The seconds that the newest point of a range query may be old.
          - An instant query gives every value the time of the query. For the age of its data use a guard such as
            C(time() - max(timestamp(up))).
        type: float
      pass_when:
        description:
          - What every value must fulfil to pass. What does not fulfil it fails, or with O(queries[].fail_when) is inconclusive.
          - Without it and O(queries[].fail_when) nothing is asserted, and the query has no part in RV(verdict).
        type: dict
        suboptions:
          operator:
            description: How the value found is compared with O(queries[].pass_when.value).
            type: str
            choices: ["<", "<=", ">", ">=", "==", "!="]
            default: ">="
          value:
            description: The threshold.
            type: float
            required: true
      fail_when:
        description: What no value may fulfil. One that does fails the query. Without O(queries[].pass_when) all other values pass.
        type: dict
        suboptions:
          operator:
            description: How the value found is compared with O(queries[].fail_when.value).
            type: str
            choices: ["<", "<=", ">", ">=", "==", "!="]
            default: ">="
          value:
            description: The threshold.
            type: float
            required: true
      guards:
        description:
          - What must hold for the query to mean anything, such as a minimum of requests behind an error rate.
          - While one is not satisfied the query is inconclusive and is not asked.
        type: list
        elements: dict
        default: []
        suboptions:
          query:
            description: An instant query.
            type: str
            required: true
          operator:
            description: How the value found is compared with O(queries[].guards[].value).
            type: str
            choices: ["<", "<=", ">", ">=", "==", "!="]
            default: ">="
          value:
            description: The threshold.
            type: float
            required: true
          label:
            description: What the guard is about, in words.
            type: str
      total:
        description:
          - An instant query for the number of which O(queries[].query) counts a part. The share is then what is compared, and shown in per
            cent.
          - Both must give one series at most.
        type: str
      confidence:
        description:
          - How sure a share must be, above V(0.5) and below V(1), before it counts as over a limit (or, for C(<), under it).
          - What is compared is the bound of Wilson's score interval, so that one error in a handful of requests decides nothing.
          - Without it the share is taken as it is.
        type: float
      unit:
        description: What the numbers are, for the message. V(%) shows a fraction in per cent.
        type: str
        default: ""
      baseline:
        description:
          - What the numbers are compared with. The limit is then the baseline times O(queries[].baseline.factor) plus
            O(queries[].baseline.margin); the value of O(queries[].fail_when) or O(queries[].pass_when) where that is stricter and the
            baseline itself keeps to it.
        type: dict
        suboptions:
          query:
            description: An instant query that gives one number.
            type: str
            required: true
          total:
            description: As O(queries[].total). Needed together with it.
            type: str
          factor:
            description: What the baseline is multiplied with.
            type: float
            default: 1.0
          margin:
            description: What is added to that.
            type: float
            default: 0.0
          required:
            description:
              - Whether a query whose baseline has no data, or whose O(queries[].baseline.guards) are not satisfied, is inconclusive.
              - Else O(queries[].fail_when) and O(queries[].pass_when) count as they are, and the message says so.
            type: bool
            default: true
          guards:
            description: What must hold for the baseline to mean anything, as O(queries[].guards).
            type: list
            elements: dict
            default: []
            suboptions:
              query:
                description: An instant query.
                type: str
                required: true
              operator:
                description: How the value found is compared with O(queries[].baseline.guards[].value).
                type: str
                choices: ["<", "<=", ">", ">=", "==", "!="]
                default: ">="
              value:
                description: The threshold.
                type: float
                required: true
              label:
                description: What the guard is about, in words.
                type: str
  baselines:
    description: Whether values are compared with baselines. Without, O(queries[].fail_when) and O(queries[].pass_when) count as they are.
    type: bool
    default: true
  baseline_time:
    description:
      - The moment for which baselines and their guards are asked, in seconds since the epoch or as RFC 3339. By default now, which is the
        same window as that of the queries.
    type: str
  no_data:
    description: The verdict of a query without data, or with old data only.
    type: str
    choices: [inconclusive, fail]
    default: inconclusive
  unreachable:
    description: The verdict of a query that Prometheus did not answer. A query it refuses is always inconclusive.
    type: str
    choices: [inconclusive, fail]
    default: inconclusive
  gate:
    description: Whether the task fails when RV(verdict) is not V(pass).
    type: bool
    default: false
seealso:
  - module: astraldraft.ops.health_check
"""

EXAMPLES = r"""
- name: Errors and latency of the new release
  astraldraft.ops.prometheus_query_info:
    url: http://127.0.0.1:9090
    queries:
      - name: error rate
        query: >-
          sum(rate(http_requests_total{release="v1.2.3", status=~"5.."}[1m]) or vector(0))
          / sum(rate(http_requests_total{release="v1.2.3"}[1m]))
        fail_when: {operator: ">", value: 0.01}
        guards:
          - query: sum(increase(http_requests_total{release="v1.2.3"}[1m]))
            value: 50
            label: requests in the last minute
      - name: latency
        query: >-
          histogram_quantile(0.95, sum by (le) (rate(http_request_duration_seconds_bucket{release="v1.2.3"}[1m])))
        pass_when: {operator: "<", value: 0.5}
        fail_when: {operator: ">", value: 1}
  register: metrics

- name: The new release against the old one, while both serve
  astraldraft.ops.prometheus_query_info:
    url: http://127.0.0.1:9090
    queries:
      - name: error rate
        query: sum(increase(http_requests_total{release="v1.2.3", status=~"5.."}[1m])) or vector(0)
        total: sum(increase(http_requests_total{release="v1.2.3"}[1m]))
        confidence: 0.99
        fail_when: {operator: ">", value: 0.01}
        baseline:
          query: sum(increase(http_requests_total{release="v1.2.2", status=~"5.."}[1m])) or vector(0)
          total: sum(increase(http_requests_total{release="v1.2.2"}[1m]))
          margin: 0.005

- name: Every target was up during the last five minutes
  astraldraft.ops.prometheus_query_info:
    url: https://prometheus.example.com
    bearer_token: "{{ vault_prometheus_token }}"
    queries:
      - query: min by (job) (up)
        range_seconds: 300
        step: 15
        max_age: 60
        pass_when: {operator: "==", value: 1}
    unreachable: fail
    gate: true
"""

RETURN = r"""
verdict:
  description:
    - V(fail) when a query failed, V(pass) when every query that asserts something passed, else V(inconclusive).
  returned: always
  type: str
  sample: pass
summary:
  description: One sentence about all queries.
  returned: always
  type: str
  sample: "error rate: pass (0, not > 0.01); latency: pass (0.041, < 0.5 wanted)"
queries:
  description: The answers, in the order of O(queries).
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: What the query is called.
      type: str
    query:
      description: The query.
      type: str
    verdict:
      description: V(pass), V(fail) or V(inconclusive).
      type: str
    reason:
      description:
        - One word for machines, such as C(ok), C(assertion), C(between), C(no_assertion), C(no_data), C(nan), C(stale), C(guard),
          C(guard_no_data), C(baseline_no_data), C(baseline_guard), C(bad_query), C(refused), C(timed_out), C(dns) or C(our_credentials).
      type: str
    message:
      description: What was found, in words.
      type: str
    next:
      description: What to do about it. Empty when there is nothing to do.
      type: str
    asserted:
      description: Whether the query asserts something.
      type: bool
    value:
      description: The last number of the answer, or the share. V(null) without one.
      type: float
    baseline:
      description: What it was compared with, V(null) where nothing was.
      type: float
    limit:
      description: The limit that follows, V(null) where the query was not compared with anything.
      type: float
    series_total:
      description: How many series the answer has.
      type: int
    series:
      description: The first 20 series.
      type: list
      elements: dict
      contains:
        labels:
          description: The labels of the series.
          type: dict
        points:
          description: Its points, with C(time) and C(value). A value that is no finite number is given as text.
          type: list
          elements: dict
duration:
  description: Seconds that the module took.
  returned: always
  type: float
"""

from ansible_collections.astraldraft.ops.plugins.module_utils import _prometheus
from ansible_collections.astraldraft.ops.plugins.module_utils._checks import in_parallel
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._http import HTTP_SPEC, connection_of
from ansible_collections.astraldraft.ops.plugins.module_utils._module import run

VERDICT_SPEC = {"type": "str", "choices": ["inconclusive", "fail"], "default": "inconclusive"}
SPEC = dict(
    HTTP_SPEC,
    queries={"type": "list", "elements": "dict", "required": True, "options": _prometheus.QUERY_SPEC},
    baselines={"type": "bool", "default": True},
    baseline_time={"type": "str"},
    no_data=VERDICT_SPEC,
    unreachable=VERDICT_SPEC,
    gate={"type": "bool", "default": False},
)


def work(module, result):
    options = module.params
    if not options["queries"]:
        raise OpsError("No query is given. Give at least one in queries.")
    connection = connection_of(options)

    more = {name: options[name] for name in ("no_data", "unreachable", "baselines", "baseline_time")}

    def job(query):
        return lambda: _prometheus.run_query(connection, query, **more)

    limits = [options["timeout"] * _prometheus.questions(query, options["baselines"]) for query in options["queries"]]
    answers = []
    found = in_parallel([(job(query), limit) for query, limit in zip(options["queries"], limits)], module.heartbeat)
    for query, answer in zip(options["queries"], found):
        if isinstance(answer, Exception):
            raise answer
        answers.append(answer or _prometheus.unanswered(query, options["unreachable"], options["timeout"]))
    result.update(verdict=_prometheus.overall(answers), summary=_prometheus.summary(answers), queries=answers)
    if options["gate"] and result["verdict"] != "pass":
        advice = next((answer["next"] for answer in answers if answer["verdict"] != "pass" and answer["next"]), "")
        raise OpsError("The metrics do not pass: {0}. {1}".format(result["summary"], advice).strip())


def main():
    run(work, SPEC, {"verdict": "inconclusive", "summary": "", "queries": []}, supports_check_mode=True)


if __name__ == "__main__":
    main()
