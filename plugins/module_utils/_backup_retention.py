# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which backups are kept, and why. Private: other collections must not import it."""

from __future__ import annotations

from ansible_collections.astraldraft.ops.plugins.module_utils._backup_catalogue import (
    ORDINARY,
    RECOVERED,
    age_seconds,
    group_of,
    is_verified,
    newest_first,
)
from ansible_collections.astraldraft.ops.plugins.module_utils._time import from_iso

DAY = 86400.0


def plan(entries, now, keep_last, keep_days, keep_safety_days):
    """What becomes of each backup: a list of (entry, reasons to keep it), newest first. Without a reason it is pruned.

    Backups of one database, environment and kind are counted together; safety backups and what was recovered apart, by their age only
    (of what was recovered, since then: its data may be of any time). There are floors below which nothing goes: of each group the newest
    backup that was verified, and the newest that is not marked bad. What belongs to a backup of a stack stays as long as that does.
    """
    groups = {}
    for entry in newest_first(entries):
        groups.setdefault((group_of(entry), entry["purpose"]), []).append(entry)
    found = {}
    for (_group, purpose), members in groups.items():
        for entry in members:
            found[entry["name"]] = []
            age = now - from_iso(entry["catalogued_at"]).timestamp() if purpose == RECOVERED else age_seconds(entry, now)
            days = keep_days if purpose == ORDINARY else keep_safety_days
            if age < days * DAY:
                found[entry["name"]].append("younger than {0:g} days".format(days))
        if purpose == ORDINARY:
            for entry, reason in _floors(members, keep_last):
                found[entry["name"]].append(reason)
    for stack in [entry for entry in newest_first(entries) if entry["members"] and found[entry["name"]]]:
        for name in set(stack["members"]) & set(found):
            found[name].append("part of {0}".format(stack["name"]))
    return [(entry, found[entry["name"]]) for entry in newest_first(entries)]


def _floors(members, keep_last):
    """What of one group (newest first) is kept whatever its age: pairs of entry and reason. What is bad does not count."""
    sound = [entry for entry in members if not entry["bad"]]
    verified = [entry for entry in members if is_verified(entry)]
    found = [(entry, "one of the last {0}".format(keep_last)) for entry in sound[:keep_last]]
    found += [(entry, "the newest that was verified") for entry in verified[:1]]
    found += [(entry, "the newest that is not bad") for entry in sound[:1]]
    # All are bad: one may still be worth more than none.
    return found if sound else [(entry, "the newest of which none is sound") for entry in members[:1]]
