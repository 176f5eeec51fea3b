# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What Prometheus is told of the backups, by node_exporter's textfile collector. Private: other collections must not import it.

All of it follows from the catalogue, so that whoever changed that last has told the whole.
"""

from __future__ import annotations

import functools

from ansible_collections.astraldraft.ops.plugins.module_utils._backup_catalogue import (
    LEVELS,
    ORDINARY,
    PASS,
    RESTORE,
    group_of,
    is_verified,
    select,
)
from ansible_collections.astraldraft.ops.plugins.module_utils._files import write_atomically
from ansible_collections.astraldraft.ops.plugins.module_utils._time import from_iso

_METRICS = (
    ("astraldraft_backup_last_timestamp_seconds", "When the data in the newest backup that is not bad was current."),
    ("astraldraft_backup_last_verified_timestamp_seconds", "When the data in the newest backup that was restored once was current."),
    ("astraldraft_backup_size_bytes", "The size of the newest backup that is not bad."),
    ("astraldraft_backup_duration_seconds", "How long it took to take it."),
    ("astraldraft_backup_count", "How many backups are kept that are not bad."),
    ("astraldraft_backup_bad_count", "How many backups are marked bad."),
    ("astraldraft_backup_verification_timestamp_seconds", "When a backup was last verified."),
    ("astraldraft_backup_verification_success", "Whether that verification found nothing (1) or something (0)."),
    ("astraldraft_backup_verification_data_age_seconds", "How old the data in the backup was then."),
    ("astraldraft_backup_restore_seconds", "How long the last restore of a verification took."),
)


def _labels(group, **more):
    values = dict(zip(("kind", "environment", "database"), group), **more)
    escaped = {key: text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") for key, text in values.items()}
    return "{{{0}}}".format(",".join('{0}="{1}"'.format(key, text) for key, text in sorted(escaped.items())))


def _of_group(group, entries):
    """Pairs of a metric's name, and of labels and value, of the ordinary backups of one group, newest first."""
    sound = [entry for entry in entries if not entry["bad"]]
    verified = [entry for entry in sound if is_verified(entry)]
    yield "astraldraft_backup_count", (_labels(group), len(sound))
    yield "astraldraft_backup_bad_count", (_labels(group), len(entries) - len(sound))
    if sound:
        yield "astraldraft_backup_last_timestamp_seconds", (_labels(group), from_iso(sound[0]["snapshot_at"]).timestamp())
        yield "astraldraft_backup_size_bytes", (_labels(group), sound[0]["bytes"])
        yield "astraldraft_backup_duration_seconds", (_labels(group), sound[0]["seconds"])
    if verified:
        yield "astraldraft_backup_last_verified_timestamp_seconds", (_labels(group), from_iso(verified[0]["snapshot_at"]).timestamp())
    for level in LEVELS:
        checks = [entry["checks"][level] for entry in entries if entry["checks"][level]]
        if not checks:
            continue
        last = max(checks, key=lambda check: check["at"])
        labels = _labels(group, level=level)
        yield "astraldraft_backup_verification_timestamp_seconds", (labels, from_iso(last["at"]).timestamp())
        yield "astraldraft_backup_verification_success", (labels, int(last["verdict"] == PASS))
        yield "astraldraft_backup_verification_data_age_seconds", (labels, last["data_age_seconds"])
        if level == RESTORE and last["restore_seconds"] is not None:
            yield "astraldraft_backup_restore_seconds", (_labels(group), last["restore_seconds"])


def render(entries):
    """The text of the file. ``entries``: those of the catalogue."""
    found = {}
    for group in sorted({group_of(entry) for entry in entries if entry["purpose"] == ORDINARY}):
        kind, environment, database = group
        for name, sample in _of_group(group, select(entries, kind, environment, database, ORDINARY)):
            found.setdefault(name, []).append(sample)
    lines = []
    for name, description in _METRICS:
        if name in found:
            lines += ["# HELP {0} {1}".format(name, description), "# TYPE {0} gauge".format(name)]
            lines += ["{0}{1} {2}".format(name, labels, value) for labels, value in found[name]]
    return "".join(line + "\n" for line in lines)


def write(path, entries):
    """Write the file, readable for the collector's user, which is another one."""
    if path:
        write_atomically(path, render(entries), mode=0o644)


def teller(path):
    """What Catalogue.changing() has to do last."""
    return functools.partial(write, path)
