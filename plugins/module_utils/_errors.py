# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The domain exception of the collection. Private: other collections must not import it."""

from __future__ import annotations


class OpsError(Exception):
    """A failure that a person can act on.

    The message says what failed, on what, why, and what to do next. ``evidence`` holds the return keys that the
    module adds to its failure: what was asked of whom, and what came back. Never a secret.
    """

    def __init__(self, message, **evidence):
        super().__init__(message)
        self.message = message
        self.evidence = evidence
