# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether the path that an authority asks leads into the webroot. Private: other collections must not import it.

An order that cannot succeed costs: authorities count failed ones, and stop to listen for an hour after a few.
"""

from __future__ import annotations

import contextlib
import os
import secrets

from ansible_collections.astraldraft.ops.plugins.module_utils._certbot import CHALLENGES
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._files import write_atomically
from ansible_collections.astraldraft.ops.plugins.module_utils._http import request
from ansible_collections.astraldraft.ops.plugins.module_utils._net import ProbeError

READABLE_FOLDER, READABLE_FILE = 0o755, 0o644


def demand_webroot(path):
    """Raises OpsError where there is no folder to put an answer into."""
    if not os.path.isdir(path) or not os.access(path, os.W_OK | os.X_OK):
        raise OpsError(
            "The webroot {0} is no folder that can be written to, so nobody could prove that the names are ours. Nothing was ordered. Name "
            "the folder from which nginx serves /{1}/.".format(path, CHALLENGES)
        )


def demand_path(webroot, urls, names, timeout):
    """Put a file where certbot will, and fetch it as the authority will, by each of ``urls`` (list of str) under each of ``names``.

    Raises OpsError where another answer comes than the file.
    """
    name, word = "astraldraft-{0}".format(secrets.token_hex(8)), secrets.token_hex(16)
    folder = os.path.join(webroot, CHALLENGES)
    for part in (os.path.dirname(folder), folder):
        if not os.path.isdir(part):
            os.mkdir(part)
            os.chmod(part, READABLE_FOLDER)
    path = os.path.join(folder, name)
    try:
        write_atomically(path, word, READABLE_FILE)
        for url in urls:
            for host in names:
                _demand_word(url, host, name, word, timeout)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)


def _demand_word(url, host, name, word, timeout):
    asked = "{0}/{1}/{2}".format(url.rstrip("/"), CHALLENGES, name)
    try:
        response = request(asked, host_header=host, timeout=timeout)
        why = "answered {0}".format(response.status)
        if response.status == 200 and response.body.decode("utf-8", "replace").strip() == word:
            return
        if response.status == 200:
            why += " with something else"
        advice = "Serve /{0}/ from the webroot, whatever else is said of the name, on every host that gets its requests."
        advice = advice.format(CHALLENGES)
    except ProbeError as error:
        why, advice = error.message, error.next
    raise OpsError(
        "What lies in the webroot is not what is served: {0}, asked for {1}, {2}. The authority would not get its answer either, so "
        "nothing was ordered. {3}".format(asked, host, why, advice)
    )
