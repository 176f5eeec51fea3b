#!/usr/bin/python
# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: container_logs_info
short_description: Search, count and group lines of Compose services' logs over a window
version_added: 0.1.0
author:
  - Astral Draft Platform Engineering (@astraldraft)
description:
  - Counts the lines that a regular expression or fields of JSON find, in the logs of all containers of the services, stopped ones too, and
    in the archived logs of those that are gone (M(astraldraft.ops.container_archive)). Groups them, and tells their rate over the window.
  - A log that cannot be read is a fact of its own in RV(sources), with its reason, and never reads as no lines; see RV(verdict). The task
    does not fail for it.
  - Logs are read as a stream. The memory that it takes does not depend on how long they and their lines are, or how many groups there are.
  - What is shown of lines is short, without control characters, and without secrets as far as their names or their form tell them.
extends_documentation_fragment:
  - astraldraft.ops._operation
  - astraldraft.ops._operation.docker
  - astraldraft.ops._operation.action_group
  - astraldraft.ops._operation.info
options:
  project:
    description: The Compose project.
    type: str
    required: true
  services:
    description: The services whose logs are read.
    type: list
    elements: str
    required: true
  archive_folder:
    description:
      - Where the archives of containers that are gone lie, as O(astraldraft.ops.container_archive#module:folder). By default none are read.
      - The archive of a container that is still there is left out, since its log says the same. A folder that does not exist has none yet.
    type: path
  since:
    description: Where the window begins, a time (ISO 8601 with a zone) or how long ago, such as V(15m), V(24h) or V(1h30m).
    type: str
    default: 15m
  until:
    description:
      - Where the window ends, likewise. By default now, by the clock of the engine; lines that are later count, too (RV(ahead)).
    type: str
  pattern:
    description:
      - A regular expression of Python's that is found somewhere in a line. By default each line counts.
      - O(group_by) may name its groups. Lines are compared without their time, and as far as their first 16 KiB.
    type: str
  where:
    description:
      - Conditions on fields, all of which a line must fulfil. Each is C(name=value), C(name!=value), C(name=~pattern) or
        C(name!~pattern), as for M(astraldraft.ops.alertmanager_silence). A pattern must match the whole value. A field that is not there
        is empty.
      - A field is one of the JSON object that the line is, C(outer.inner) is one inside another, and C(@service), C(@replica) and
        C(@stream) tell where the line is from. A line that is no JSON object has no field and does not count.
    type: list
    elements: str
    default: []
  group_by:
    description:
      - What the lines that count are grouped by, at most five names, of fields as in O(where), or of groups of O(pattern), such as V(ip)
        for C((?P<ip>...\)) and V(1) for the first.
    type: list
    elements: str
    default: []
  top:
    description: How many groups are returned at most, the largest first, up to 200.
    type: int
    default: 20
  samples:
    description: How many lines are returned at most, the newest that count, up to 100.
    type: int
    default: 5
  bucket:
    description: The length of the parts of the window of which the rate is told, such as V(30s) or V(5m). By default about sixty parts.
    type: str
  timeout:
    description:
      - The seconds that reading may take in all. Each log gets its share of what is left. One that takes longer is cut there, and said to
        be.
    type: float
    default: 30.0
seealso:
  - module: astraldraft.ops.container_archive
  - module: astraldraft.ops.container_stats_info
"""

EXAMPLES = r"""
- name: Who got errors of the application in the last hour, by path and status
  astraldraft.ops.container_logs_info:
    project: astral-demo
    services: [nginx]
    since: 1h
    where: [status=~"5.."]
    group_by: [uri, status]

- name: Failed logins by address, containers that were retired included
  astraldraft.ops.container_logs_info:
    project: astral-demo
    services: [app-blue, app-green]
    archive_folder: /var/lib/astraldraft/astral-demo/logs
    since: 24h
    pattern: 'authentication failed.* from (?P<address>[0-9a-f.:]+)'
    group_by: [address]
  register: logins
"""

RETURN = r"""
verdict:
  description:
    - V(read) when every log was read to its end, V(partial) when one was cut or could not be read, so that all numbers are at least so
      many, V(unreadable) when none could be read.
  returned: always
  type: str
lines:
  description: How many lines there are in the window. V(null) when nothing could be read.
  returned: always
  type: int
count:
  description: How many of them count. V(null) when nothing could be read.
  returned: always
  type: int
per_minute:
  description: The same over the window, a minute. V(null) when nothing could be read.
  returned: always
  type: float
first_at:
  description: The time of the earliest that counts (ISO 8601, UTC). V(null) without one.
  returned: always
  type: str
last_at:
  description: The time of the latest. V(null) without one.
  returned: always
  type: str
groups:
  description: The groups with the most lines, the largest first. Empty without O(group_by).
  returned: always
  type: list
  elements: dict
  contains:
    by:
      description: Each name of O(group_by), and its value as text; empty where a line has none.
      type: dict
      sample: {"status": "502", "uri": "/api/drafts"}
    count:
      description: How many lines.
      type: int
    share:
      description: Of all that count, from 0 to 1.
      type: float
    first_at:
      description: The time of the earliest, or V(null).
      type: str
    last_at:
      description: The time of the latest, or V(null).
      type: str
    sample:
      description: The first that was read.
      type: str
groups_total:
  description: How many groups there are, or, when RV(groups_exact) is false, are known.
  returned: always
  type: int
groups_exact:
  description: V(false) when there were so many groups that the smallest were given up on the way.
  returned: always
  type: bool
others:
  description: How many lines that count are in groups that are not in RV(groups).
  returned: always
  type: int
missed_at_most:
  description: By so many lines a group of RV(groups) may be larger than it says. V(0) when RV(groups_exact).
  returned: always
  type: int
buckets:
  description: The lines that count, over the window.
  returned: always
  type: list
  elements: dict
  contains:
    starts_at:
      description: When the part begins (ISO 8601, UTC).
      type: str
    count:
      description: How many lines.
      type: int
    per_minute:
      description: The same, a minute.
      type: float
bucket_seconds:
  description: The length of a part; the last may be shorter. V(null) when nothing could be read.
  returned: always
  type: int
samples:
  description: The newest lines that count, the oldest of them first.
  returned: always
  type: list
  elements: dict
  contains:
    at:
      description: Its time (ISO 8601, UTC), or V(null).
      type: str
    service:
      description: Its service.
      type: str
    replica:
      description: The service and number of its container.
      type: str
    stream:
      description: V(stdout) or V(stderr); empty for archives and containers with a terminal, which do not tell.
      type: str
    text:
      description: The line, its secrets masked, at most 500 characters.
      type: str
    cut:
      description: Whether it is longer than the 16 KiB that are looked at.
      type: bool
cut_lines:
  description: How many lines in the window are longer than that.
  returned: always
  type: int
not_json:
  description: How many lines in the window, of those that O(pattern) finds, are no JSON object, where fields were asked for.
  returned: always
  type: int
ahead:
  description: How many lines are later than the engine's clock. More than none means that a clock was set.
  returned: always
  type: int
timeless:
  description: How many lines have no time that can be read. They count, whatever the window.
  returned: always
  type: int
since:
  description: Where the window begins (ISO 8601, UTC).
  returned: always
  type: str
until:
  description: Where it ends.
  returned: always
  type: str
sources:
  description: Each log, and each service of which there is none.
  returned: always
  type: list
  elements: dict
  contains:
    service:
      description: The service.
      type: str
    replica:
      description: The service and number of the container, such as V(app-blue-2). Empty for a whole service.
      type: str
    container:
      description: The container's name, or the beginning of its id for one that is gone. Empty for a whole service.
      type: str
    kind:
      description: V(current) or V(archived).
      type: str
    verdict:
      description: V(read), V(cut) when only a part was read, or V(unreadable).
      type: str
    reason:
      description: V(ok), or one word why not, such as V(no_engine), V(no_container), V(no_reading), V(time_limit) or V(damaged).
      type: str
    message:
      description: The same in a sentence.
      type: str
    next:
      description: What to do about it. Empty when there is nothing to do.
      type: str
    lines:
      description: How many lines of it are in the window. V(null) when it is unreadable.
      type: int
    count:
      description: How many of them count. V(null) when it is unreadable.
      type: int
    bytes:
      description: How many bytes were read of it.
      type: int
summary:
  description: One sentence about all of it.
  returned: always
  type: str
  sample: "42 of 1210 lines of 3 logs count, 2.8 a minute"
duration:
  description: The time the module took, in seconds.
  returned: always
  type: float
"""

import time

from ansible_collections.astraldraft.ops.plugins.module_utils import _docker, _log_search, _log_sources
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._module import run
from ansible_collections.astraldraft.ops.plugins.module_utils._net import ProbeError
from ansible_collections.astraldraft.ops.plugins.module_utils._time import to_iso
from ansible_collections.astraldraft.ops.plugins.module_utils._wait import Deadline

SPEC = {
    "project": {"type": "str", "required": True},
    "services": {"type": "list", "elements": "str", "required": True},
    "archive_folder": {"type": "path"},
    "since": {"type": "str", "default": "15m"},
    "until": {"type": "str"},
    "pattern": {"type": "str"},
    "where": {"type": "list", "elements": "str", "default": []},
    "group_by": {"type": "list", "elements": "str", "default": []},
    "top": {"type": "int", "default": 20},
    "samples": {"type": "int", "default": 5},
    "bucket": {"type": "str"},
    "timeout": {"type": "float", "default": 30.0},
}
RESULT = dict(_log_search.NOTHING, verdict="unreadable", since="", until="", sources=[], summary="")


class Reader:
    """All logs that are meant, one after the other within one time limit; each may take its share of what is left."""

    def __init__(self, module, asked):
        self.module, self.options, self.asked = module, module.params, asked
        self.deadline, self.sources = Deadline(module.params["timeout"]), []
        self.begin(time.time())  # what is wrong with the window is said before anybody is asked

    def begin(self, now):
        """Count from the start, in the window as it is by a clock."""
        self.frame = _log_search.window(self.options["since"], self.options["until"], now)
        self.tally = _log_search.Tally(self.asked, self.frame)

    def archived(self, there):
        folder = self.options["archive_folder"]
        return _log_sources.archives(folder, self.options["services"], self.frame.since, there) if folder else ([], {})

    def _ends(self, left):
        return time.monotonic() + self.deadline.remaining / left

    def all(self):
        """Read what there is; an engine that does not answer leaves the archives."""
        replicas, trouble = [], None
        try:
            with _docker.engine(self.options["docker_host"], timeout=max(1, self.deadline.remaining)) as client:
                self.begin(_log_sources.engine_time(client))
                found = _docker.replicas(client, self.options["project"])
                replicas = [replica for replica in found if replica.service in self.options["services"]]
                archives, wrong = self.archived([replica.id for replica in replicas])
                for number, replica in enumerate(replicas):
                    self._current(client, replica, len(replicas) + len(archives) - number)
        except _docker.EngineError as error:
            trouble = _docker.trouble(error)
            read = [source["container"] for source in self.sources]
            archives, wrong = self.archived([replica.id for replica in replicas if replica.name in read])
        for number, archive in enumerate(archives):
            lines = _log_sources.of_archive(archive, self._ends(len(archives) - number), self.module.heartbeat)
            self.sources.append(_log_sources.read(archive, lines, self.tally))
        self._missing(trouble, wrong)

    def _current(self, client, replica, left):
        source = _log_sources.source(replica.service, _docker.short_name(replica), replica.name, "current")
        lines = _log_sources.of_engine(client, replica, self.frame, source, self._ends(left), self.module.heartbeat)
        self.sources.append(_log_sources.read(source, lines, self.tally))

    def _missing(self, trouble, wrong):
        """Of each service what could not even be looked for."""
        for service in dict.fromkeys(self.options["services"]):
            if trouble:
                self.sources.append(_log_sources.unreadable(service, "current", trouble))
            if service in wrong:
                self.sources.append(_log_sources.unreadable(service, "archived", wrong[service]))
            if not any(source["service"] == service for source in self.sources):
                message = "there is no container of {0} in project {1}, and no archive".format(service, self.options["project"])
                error = ProbeError("wrong_answer", "no_container", message, "Correct project or services, or start it.")
                self.sources.append(_log_sources.unreadable(service, "current", error))


def work(module, result):
    options = module.params
    if options["timeout"] <= 0:
        raise OpsError("timeout is {0:g}. Nothing was read. Give a positive number of seconds.".format(options["timeout"]))
    if not options["services"]:
        raise OpsError("services names none, so there is nothing to read. Name those whose logs are meant.")
    reader = Reader(module, _log_search.query(options))
    reader.all()
    result["sources"] = [{key: value for key, value in source.items() if key != "path"} for source in reader.sources]
    result["verdict"] = _log_sources.overall(reader.sources)
    result.update(since=to_iso(reader.frame.since), until=to_iso(reader.frame.until))
    if result["verdict"] != "unreadable":
        result.update(reader.tally.report())
    result["summary"] = _log_sources.summary(result)


def main():
    run(work, dict(SPEC, **_docker.DOCKER_SPEC), dict(RESULT), supports_check_mode=True)


if __name__ == "__main__":
    main()
