# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What was found out for a post-mortem, kept beside it. Private: other collections must not import it.

Prometheus and Alertmanager forget, often within days. A post-mortem that is written anew must not know less than the one before.
"""

from __future__ import annotations

import json

from ansible_collections.astraldraft.ops.plugins.module_utils._postmortem_evidence import NOTHING

FILE = "postmortem.json"
FORGOTTEN = "Prometheus has less of that time by now than it had; the numbers and graphs are those of an earlier run."


def read(text, span):
    """What an earlier run kept about the same time; an empty dict when it kept nothing that can be used. ``text`` is None without one."""
    try:
        kept = json.loads(text or "{}")
        same = kept.get("span") == [span.starts, span.ends]
        usable = set(kept["measured"]) == set(NOTHING) and isinstance(kept["silences"], (list, type(None)))
        return kept if same and usable and isinstance(kept["drawn_to"], float) else {}
    except (AttributeError, KeyError, TypeError, ValueError):
        return {}


def settled(span, kept):
    """The span with graphs as an earlier run drew them, until all can be seen: else each run of that time would say something else."""
    return span if span.whole or not kept else span._replace(drawn_to=kept["drawn_to"])


def completed(measured, alerts, silences, kept, unknown):
    """``(measured, alerts, silences)`` with what an earlier run knew and this one does not. Says so in ``unknown``."""
    if not kept:
        return measured, alerts, silences
    before = kept["measured"]
    if _lacks(before) < _lacks(measured):
        measured = before
        unknown.append(FORGOTTEN)
    if not alerts and kept.get("alerts"):
        alerts = kept["alerts"]
    if kept["silences"]:
        known = {one["id"]: one for one in kept["silences"]}
        known.update({one["id"]: one for one in silences or []})
        silences = sorted(known.values(), key=lambda one: (one["starts_at"], one["id"]))
    return measured, alerts, silences


def _lacks(measured):
    seconds = measured["unknown_seconds"]
    return float("inf") if seconds is None or measured["requests"] is None else seconds


def written(span, measured, alerts, silences):
    """The text of the file."""
    kept = {"span": [span.starts, span.ends], "drawn_to": span.drawn_to, "measured": measured, "alerts": alerts, "silences": silences}
    return json.dumps(kept, sort_keys=True, ensure_ascii=False) + "\n"
