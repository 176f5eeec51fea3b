# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The incidents that are open, as those see them who only want to know that. Private: other collections must not import it.

Each has a folder, and in it a file ``incident.json`` with at least ``id``, ``severity``, ``status`` and ``title``. What else is in it is
`_incident`'s, and who writes it `_incident_files`.
"""

from __future__ import annotations

import json
import os

from ansible_collections.astraldraft.ops.plugins.module_utils._files import read_text

SEVERITIES = ("SEV-1", "SEV-2", "SEV-3", "SEV-4")
#: While one of these is open, nothing new goes into production.
FREEZING_SEVERITIES = SEVERITIES[:2]
RESOLVED = "resolved"
FILE = "incident.json"
#: What everybody may count on.
KNOWN = ("id", "severity", "status", "title")


def path_of(folder, name):
    """The file that says what the incident ``name`` is."""
    return os.path.join(folder, name, FILE)


def snapshot(folder, name):
    """What the file of the incident ``name`` says, a dict; None without one. Raises OSError, and ValueError when it says too little."""
    text = read_text(path_of(folder, name))
    if text is None:
        return None
    found = json.loads(text)
    try:
        return dict(found, **{key: str(found[key]) for key in KNOWN})
    except (KeyError, TypeError) as error:
        raise ValueError(str(error))


def read(folder):
    """The incidents in ``folder`` that are not resolved, and what cannot be read: ``(incidents, paths)``, each sorted by its path."""
    incidents, unreadable = [], []
    try:
        names = sorted(os.listdir(folder))
    except FileNotFoundError:
        names = []
    except OSError:
        return [], [folder]
    for name in names:
        try:
            found = snapshot(folder, name)
        except NotADirectoryError:
            continue
        except (OSError, ValueError):
            unreadable.append(path_of(folder, name))
            continue
        if found and found["status"] != RESOLVED:
            incidents.append({key: found[key] for key in KNOWN})
    return incidents, unreadable


def freezing(incidents):
    """Those of them that hold operations back."""
    return [incident for incident in incidents if incident["severity"] in FREEZING_SEVERITIES]


def foremost(incidents):
    """The id of the most severe one, and of those the newest; None when there is none."""
    worst = min((incident["severity"] for incident in incidents), default=None)
    return max((incident["id"] for incident in incidents if incident["severity"] == worst), default=None)
