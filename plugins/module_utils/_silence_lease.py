# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Silences that last as long as an operation works: short ones, put off again and again by its modules, so that they end by themselves
when nobody is left to do that. Private: other collections must not import it.

They are in a file beside the operation's lock, one an operation. Every module of an operation loads this, so it imports little.
"""

from __future__ import annotations

import contextlib
import json
import os
import time

from ansible_collections.astraldraft.ops.plugins.module_utils._files import owner_of_folder, read_text, write_atomically
from ansible_collections.astraldraft.ops.plugins.module_utils._net import ProbeError
from ansible_collections.astraldraft.ops.plugins.module_utils._time import from_iso, to_iso

#: Seconds from one renewal to the next: in a lease of 90 s five may fail, or one module be as long without a sign of life.
RENEWED_EVERY = 15.0
#: Seconds that a renewal may take: the operation waits for it.
PATIENCE = 1.0
#: Seconds after which nothing is renewed any more, whatever goes on.
LONGEST = 4 * 3600.0
_PREFIX, _SUFFIX = "silences-", ".json"


def path_of(lock_path, token):
    """The file of an operation's silences."""
    return os.path.join(os.path.dirname(lock_path), "{0}{1}{2}".format(_PREFIX, token, _SUFFIX))


def read(path):
    """What is in the file, None when there is none, or none that can be read: what it named ends by itself."""
    try:
        return json.loads(read_text(path, "null"))
    except ValueError:
        return None


def add(path, connection, documents, seconds, skew, clock=time.time):
    """Note silences to be renewed, beside those that the operation has already.

    ``documents``: as the API has them, with their ids; ``skew``: by how many seconds Alertmanager's clock is ahead of this one's.
    """
    now, known = clock(), read(path) or {}
    noted = {document["id"]: document for document in known.get("silences", []) + [_sent(document) for document in documents]}
    record = {"connection": connection, "silences": list(noted.values()), "seconds": seconds, "skew": skew}
    write_atomically(path, json.dumps(dict(record, since=known.get("since", now), tried=now)))


def _sent(document):
    return {name: document[name] for name in ("id", "matchers", "startsAt", "endsAt", "createdBy", "comment")}


def forget(path):
    """Renew nothing any more, and remove what operations left here that were killed."""
    folder = os.path.dirname(path)
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
    for name in os.listdir(folder) if os.path.isdir(folder) else []:
        with contextlib.suppress(OSError):
            old = os.path.join(folder, name)
            if name.startswith(_PREFIX) and name.endswith(_SUFFIX) and time.time() - os.stat(old).st_mtime > LONGEST:
                os.unlink(old)


def renew(path, clock=time.time, post=None):
    """Put off the end of what the operation silences, when it is time to. Whatever keeps from it never keeps the operation.

    ``post(connection, document)`` returns the id that Alertmanager gave.
    """
    if not os.path.exists(path):
        return
    lease, now = read(path), clock()
    if not lease or now - lease["tried"] < RENEWED_EVERY or now - lease["since"] > LONGEST:
        return
    lease["tried"] = now
    # First of all: while this one waits, the next module need not.
    write_atomically(path, json.dumps(lease), owner=owner_of_folder(path))
    moment = now + lease["skew"]
    try:
        for document in lease["silences"]:
            if from_iso(document["endsAt"]).timestamp() <= moment:
                document["startsAt"] = to_iso(moment)  # it is over: Alertmanager makes another one of it
            document["endsAt"] = to_iso(moment + lease["seconds"])
            document["id"] = (post or _post)(lease["connection"], document)
    except (OSError, ProbeError, KeyError, TypeError):
        return
    # Unless it was given back meanwhile.
    if os.path.exists(path):
        write_atomically(path, json.dumps(lease), owner=owner_of_folder(path))


def _post(connection, document):
    # Only here: what it loads takes longer than most modules run.
    from ansible_collections.astraldraft.ops.plugins.module_utils._http import decode_json, request

    body = json.dumps(document).encode("utf-8")
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    arguments = dict(connection, url=connection["url"].rstrip("/") + "/api/v2/silences", timeout=PATIENCE)
    response = request(method="POST", headers=headers, body=body, **arguments)
    return decode_json(response)["silenceID"] if response.status == 200 else document["id"]
