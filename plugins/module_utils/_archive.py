# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a container leaves behind, kept before it is removed. Private: other collections must not import it."""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import re
import shutil
import tempfile

SECRET_NAME = re.compile(r"(PASS|SECRET|TOKEN|KEY|CREDENTIAL|DSN|_URL$|_URI$)", re.IGNORECASE)
MASKED = "(masked)"


def folder_name(replica):
    """``app-blue-1-2f1e0c9d8b7a``: one a container, the same whenever it is archived again."""
    return "{0}-{1}-{2}".format(replica.service, replica.number, replica.id[:12])


def mask(inspection):
    """What ``docker inspect`` says, with the values of environment variables that may be secret masked."""
    copy = json.loads(json.dumps(inspection))
    variables = copy.get("Config", {}).get("Env") or []
    copy.get("Config", {})["Env"] = [mask_variable(variable) for variable in variables]
    return copy


def mask_variable(variable):
    name, separator, _value = variable.partition("=")
    return name + separator + MASKED if SECRET_NAME.search(name) else variable


def save(folder, replica, log_chunks, heartbeat=None):
    """Write ``state.json`` and ``log.gz`` of one container to ``folder``/``folder_name(replica)``, wholly or not at all.

    ``log_chunks`` yields bytes; memory stays flat however long the log is. A former archive of the same container is replaced.
    Returns ``(path, size)``: the folder and the bytes of both files.
    """
    os.makedirs(folder, mode=0o700, exist_ok=True)
    target = os.path.join(folder, folder_name(replica))
    temporary = tempfile.mkdtemp(prefix="." + folder_name(replica) + ".", dir=folder)
    try:
        with open(os.path.join(temporary, "state.json"), "w", encoding="utf-8") as stream:
            json.dump(mask(replica.inspection), stream, indent=1, sort_keys=True)
        with gzip.open(os.path.join(temporary, "log.gz"), "wb") as stream:
            for chunk in log_chunks:
                stream.write(chunk)
                if heartbeat:
                    heartbeat()
        if os.path.isdir(target):
            shutil.rmtree(target)
        os.rename(temporary, target)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(temporary)
        raise
    return target, sum(os.path.getsize(os.path.join(target, name)) for name in os.listdir(target))


def surplus(folder, keep):
    """The oldest archives (list of paths) beyond the ``keep`` newest ones, and what was left half written."""
    if not os.path.isdir(folder):
        return []
    entries = [entry for entry in os.scandir(folder) if entry.is_dir()]
    halves = [entry.path for entry in entries if entry.name.startswith(".")]
    whole = sorted((entry for entry in entries if not entry.name.startswith(".")), key=lambda entry: entry.stat().st_mtime, reverse=True)
    return halves + [entry.path for entry in whole[keep:]]
