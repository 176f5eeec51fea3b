# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a colour without traffic is really warm: whether it answers. Private: other collections must not import it."""

from __future__ import annotations

from ansible_collections.astraldraft.ops.plugins.module_utils._checks import in_parallel
from ansible_collections.astraldraft.ops.plugins.module_utils._checks_http import HTTP_CHECK_DEFAULTS, HTTP_CHECK_SPEC, ask


def troubles(replicas, port, path, version, version_path, timeout):
    """Ask every replica (list of Replica) once, all at the same time, for its health and version.

    ``timeout`` is in seconds. Returns a sentence for each that does not answer as it should (list of str).
    """
    check = dict.fromkeys(HTTP_CHECK_SPEC)
    check.update(HTTP_CHECK_DEFAULTS, expected_version=version, version_path=version_path, timeout=timeout)
    jobs = [(_job(check, replica, port, path), timeout) for replica in replicas]
    return ["{0}: {1}".format(replica.name, sentence) for replica, sentence in zip(replicas, map(_sentence, in_parallel(jobs))) if sentence]


def _job(check, replica, port, path):
    address = next(iter(replica.addresses.values()), "")
    return lambda: ask(check, "http://{0}:{1}{2}".format(address, port, path))


def _sentence(outcome):
    """What is wrong with one answer, or None. A probe that hung gives None, one that broke its exception."""
    if outcome is None:
        return "it did not answer in time"
    if isinstance(outcome, Exception):
        return str(outcome)
    return None if outcome.passes else outcome.message
